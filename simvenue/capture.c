#define _GNU_SOURCE
#include "simvenue/capture.h"

#include <stdio.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/json.h"

static bool
refuse(struct capture *c, const char *why)
{
	(void)snprintf(c->error, sizeof(c->error), "%s", why);
	return false;
}

/* Nanoseconds since 1970 have 19 digits, one more than fixed_parse takes. */
static bool
parse_ns(const char *s, size_t n, int64_t *out)
{
	int64_t head;
	int64_t tail;
	if (n <= 9 || n > 19 ||
	    !fixed_parse(s, n - 9, 0, false, INT64_MAX / NS_PER_S - 1, &head) ||
	    !fixed_parse(s + n - 9, 9, 0, false, NS_PER_S, &tail))
		return false;
	*out = head * NS_PER_S + tail;
	return true;
}

static void
item_frame(struct capture_item *item, enum venue venue, enum sim_kind kind,
    const char *text, size_t n)
{
	item->venue = venue;
	item->frame.kind = kind;
	item->frame.text = text;
	item->frame.n = (uint32_t)n;
}

/* The coin in orderbooks_BTC.csv.gz, prices_BTC_0901-0904.csv.gz. */
static void
coin_from_name(struct capture *c, const char *name)
{
	const char *coin = strchr(name, '_');
	if (coin == NULL)
		return;
	coin++;
	size_t n = strcspn(coin, "_.");
	if (n < sizeof(c->coin))
		memcpy(c->coin, coin, n);
}

void
capture_init(struct capture *c, const char *name)
{
	memset(c, 0, offsetof(struct capture, group));
	c->out_n = 0;
	coin_from_name(c, name);
}

/* ---- our own format ---- */

static enum sim_kind
own_kind(struct json_str venue, struct json_str conn, enum venue *out)
{
	if (json_is(venue, "polymarket")) {
		*out = VENUE_POLYMARKET;
		if (json_is(conn, "market"))
			return SIM_PM_WS;
		if (json_is(conn, "book"))
			return SIM_PM_BOOK;
		if (json_is(conn, "rtds"))
			return SIM_PM_RTDS;
	} else if (json_is(venue, "binance")) {
		*out = VENUE_BINANCE;
		if (json_is(conn, "stream"))
			return SIM_BN_WS;
		if (json_is(conn, "depth"))
			return SIM_BN_DEPTH;
	} else if (json_is(venue, "hyperliquid")) {
		*out = VENUE_HYPERLIQUID;
		if (json_is(conn, "ws"))
			return SIM_HL_WS;
	}
	return SIM_KIND_N;
}

static bool
json_time(struct json *j, int64_t *out)
{
	struct json_str raw;
	return json_raw(j, &raw) && parse_ns(raw.s, raw.n, out);
}

static bool
line_own(
    struct capture *c, const char *line, size_t n, struct capture_item *item)
{
	struct json j;
	struct json_str key;
	struct json_str venue = {.s = ""};
	struct json_str conn = {.s = ""};
	struct json_str symbol = {.s = ""};
	struct json_str frame = {.s = ""};
	bool has_time = false;
	json_init(&j, line, n);
	if (!json_object(&j))
		return refuse(c, "not a JSON object");
	while (json_key(&j, &key)) {
		if (json_is(key, "t_ns"))
			has_time = json_time(&j, &item->frame.t_ns);
		else if (json_is(key, "venue"))
			json_string(&j, &venue);
		else if (json_is(key, "conn"))
			json_string(&j, &conn);
		else if (json_is(key, "symbol"))
			json_string(&j, &symbol);
		else if (json_is(key, "frame"))
			json_raw(&j, &frame);
		else
			json_skip(&j);
	}
	if (!json_end(&j))
		return refuse(c, "not JSON");
	if (!has_time || frame.n == 0)
		return refuse(c, "t_ns and frame are needed");
	if (symbol.n >= SIM_KEY_MAX)
		return refuse(c, "symbol too long");
	memcpy(item->frame.key, symbol.s, symbol.n);
	if (json_is(conn, "gamma")) {
		item_frame(
		    item, VENUE_POLYMARKET, SIM_KIND_N, frame.s, frame.n);
		item->is_market = true;
		return true;
	}
	enum venue v = 0;
	enum sim_kind kind = own_kind(venue, conn, &v);
	if (kind == SIM_KIND_N)
		return refuse(c, "unknown venue or conn");
	item_frame(item, v, kind, frame.s, frame.n);
	return true;
}

/* ---- the recorder's envelope ---- */

static bool
has_text(const char *s, size_t n, const char *what)
{
	return memmem(s, n, what, strlen(what)) != NULL;
}

static void
envelope_kind(struct json_str source, const char *text, size_t n,
    struct capture_item *item)
{
	if (json_is(source, "polymarket_clob")) {
		bool is_rest = text[0] == '{' &&
			       !has_text(text, n, "\"event_type\"") &&
			       has_text(text, n, "\"bids\"");
		bool is_text = text[0] != '{' && text[0] != '[';
		if (!is_text)
			item_frame(item, VENUE_POLYMARKET,
			    is_rest ? SIM_PM_BOOK : SIM_PM_WS, text, n);
	} else if (json_is(source, "polymarket_rtds_chainlink")) {
		item_frame(item, VENUE_POLYMARKET, SIM_PM_RTDS, text, n);
	} else if (json_is(source, "binance")) {
		item_frame(item, VENUE_BINANCE, SIM_BN_WS, text, n);
	}
}

static bool
line_envelope(
    struct capture *c, const char *line, size_t n, struct capture_item *item)
{
	struct json j;
	struct json_str key;
	struct json_str source = {.s = ""};
	struct json_str payload = {.s = ""};
	bool has_time = false;
	json_init(&j, line, n);
	if (!json_object(&j))
		return refuse(c, "not a JSON object");
	while (json_key(&j, &key)) {
		if (json_is(key, "source"))
			json_string(&j, &source);
		else if (json_is(key, "recv_mono_ns"))
			has_time = json_time(&j, &item->frame.t_ns);
		else if (json_is(key, "recv_wall_ts") && !has_time)
			has_time = json_raw(&j, &key) &&
				   fixed_parse(key.s, key.n, 6, false,
				       INT64_MAX, &item->frame.t_ns);
		else if (json_is(key, "payload"))
			json_string(&j, &payload);
		else
			json_skip(&j);
	}
	if (!json_end(&j) || !has_time)
		return refuse(c, "not a line of the recorder");
	size_t text_n = json_unescape(payload, c->out, sizeof(c->out));
	if (text_n == SIZE_MAX)
		return refuse(c, "payload too long");
	while (text_n > 0 &&
	       (c->out[text_n - 1] == '\n' || c->out[text_n - 1] == ' '))
		text_n--;
	if (text_n > 0)
		envelope_kind(source, c->out, text_n, item);
	return true;
}

/* ---- raw Binance streams ---- */

/* The snapshot does not name its symbol; the frames around it do. */
static void
note_symbol(struct capture *c, const char *text, size_t n)
{
	static const char mark[] = "\"s\":\"";
	const char *p = memmem(text, n, mark, sizeof(mark) - 1);
	if (p == NULL)
		return;
	p += sizeof(mark) - 1;
	const char *end = memchr(p, '"', n - (size_t)(p - text));
	if (end == NULL || (size_t)(end - p) >= sizeof(c->symbol))
		return;
	memset(c->symbol, 0, sizeof(c->symbol));
	memcpy(c->symbol, p, (size_t)(end - p));
}

static bool
line_raw(
    struct capture *c, const char *line, size_t n, struct capture_item *item)
{
	const char *space = memchr(line, ' ', n);
	if (space == NULL ||
	    !parse_ns(line, (size_t)(space - line), &item->frame.t_ns))
		return refuse(c, "no time at the start of the line");
	const char *text = space + 1;
	size_t text_n = n - (size_t)(text - line);
	if (text_n == 0 || text[0] != '{')
		return refuse(c, "no JSON object after the time");
	bool is_depth =
	    text_n > 15 && memcmp(text, "{\"lastUpdateId\"", 15) == 0;
	if (!is_depth)
		note_symbol(c, text, text_n);
	item_frame(item, VENUE_BINANCE, is_depth ? SIM_BN_DEPTH : SIM_BN_WS,
	    text, text_n);
	memcpy(item->frame.key, c->symbol, sizeof(c->symbol));
	return true;
}

/* ---- which format ---- */

static bool
starts_with(const char *s, size_t n, const char *with)
{
	size_t with_n = strlen(with);
	return n >= with_n && memcmp(s, with, with_n) == 0;
}

static enum capture_format
format_of(const char *line, size_t n)
{
	if (starts_with(line, n, "{\"t_ns\""))
		return CAPTURE_OWN;
	if (starts_with(line, n, "{\"source\""))
		return CAPTURE_ENVELOPE;
	if (starts_with(line, n, "{\"market_id\""))
		return CAPTURE_MARKETS;
	if (starts_with(line, n, "timestamp,price,size,side,trade_id"))
		return CAPTURE_HL_TRADES;
	if (starts_with(line, n, "timestamp,price,size,side"))
		return CAPTURE_HL_PRICES;
	if (starts_with(line, n, "timestamp,sequence,exchange_timestamp"))
		return CAPTURE_HL_BOOKS;
	if (n > 20 && line[0] >= '1' && line[0] <= '9' &&
	    memchr(line, ' ', 21) != NULL)
		return CAPTURE_RAW;
	return CAPTURE_FORMAT_N;
}

bool
capture_line(
    struct capture *c, const char *line, size_t n, struct capture_item *item)
{
	memset(item, 0, sizeof(*item));
	if (n == 0 || line[0] == '#')
		return true;
	if (c->format == 0) {
		enum capture_format f = format_of(line, n);
		if (f == CAPTURE_FORMAT_N)
			return refuse(c, "not a capture format known here");
		c->format = f;
		if (f >= CAPTURE_HL_PRICES)
			return c->coin[0] != '\0' ||
			       refuse(c, "no coin in the file's name");
	}
	switch (c->format) {
	case CAPTURE_OWN: return line_own(c, line, n, item);
	case CAPTURE_ENVELOPE: return line_envelope(c, line, n, item);
	case CAPTURE_RAW: return line_raw(c, line, n, item);
	case CAPTURE_HL_PRICES:
	case CAPTURE_HL_TRADES:
	case CAPTURE_HL_BOOKS: return capture_hl(c, line, n, item);
	case CAPTURE_MARKETS:
		if (!capture_gamma(c, line, n))
			return refuse(c, "not a market");
		item_frame(
		    item, VENUE_POLYMARKET, SIM_KIND_N, c->out, c->out_n);
		item->is_market = true;
		return true;
	case CAPTURE_FORMAT_N: break;
	}
	CHECK(false);
	return false;
}
