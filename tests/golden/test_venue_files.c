/* links: simvenue libvenue libsys libshm libcore */
/*
 * Every recorded file of Binance and Hyperliquid, and those that carry their
 * frames beside others, through the decoders: each message gives the kind it
 * should, cut anywhere it is refused, other blanks and another order of keys
 * change nothing. A file that nobody named here fails the test.
 */
#define _GNU_SOURCE
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libvenue/bn_rest.h"
#include "simvenue/capture.h"
#include "tests/fuzz/decode.h"
#include "tests/fuzz/decode_bn_rest.h"
#include "tests/golden/data.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Frames are cut at every byte up to this length, and every CUTS_EACH-th one
 * of those in a stream; the others at a place that moves with each. */
#define CUTS_LEN  700u
#define CUTS_EACH 97u

enum how {
	BN_LINES = 1, /* <time> <frame> or <time>: <frame> a line */
	BN_FRAME,     /* one frame or book a file */
	BN_BODY,      /* one REST body: ask */
	BN_ENVELOPE,  /* lines of several sources */
	HL_LINES,     /* a frame a line */
	HL_FRAME,
	HL_PAIRS, /* request and answer, one or a list */
	HL_CSV,	  /* written out again as frames */
	NOT_OURS, /* why */
	NOT_WIRE, /* tables worked out from frames: why */
};

static const struct file {
	const char *name;
	enum how how;
	unsigned frames; /* at least so many are found; 0: not counted */
	enum bn_ask ask;
	const char *why;
} files[] = {
    {"binance/raw_streams/spot_btcusdt_20240808.gz", BN_LINES, 41249, 0, ""},
    {"binance/raw_streams/usdm_btcusdt_20240808.gz", BN_LINES, 93954, 0, ""},
    {"binance/raw_streams/cm_btcusd_perp_20240808.gz", BN_LINES, 48270, 0, ""},
    {"binance/rest_plus_ws/BINANCE.http.0.0.txt.gz", BN_LINES, 4, 0, ""},
    {"binance/rest_plus_ws/BINANCE.ws.1.0.txt.gz", BN_LINES, 265, 0, ""},
    {"binance/rest_plus_ws/BINANCE_FUTURES.http.0.0.txt.gz", BN_LINES, 4, 0,
	""},
    {"binance/rest_plus_ws/BINANCE_FUTURES.ws.1.0.txt.gz", BN_LINES, 1535, 0,
	""},
    {"binance/ws/frames/binance_combined_trade_1.json", BN_FRAME, 1, 0, ""},
    {"binance/ws/frames/binance_combined_trade_2.json", BN_FRAME, 1, 0, ""},
    {"binance/ws/frames/binance_combined_trade_3.json", BN_FRAME, 1, 0, ""},
    {"binance/ws/frames/binance_combined_trade_4.json", BN_FRAME, 1, 0, ""},
    {"binance/ws/ws_spot_agg_trade.json", BN_FRAME, 1, 0, ""},
    {"binance/ws/ws_spot_ticker_book.json", BN_FRAME, 1, 0, ""},
    {"binance/ws/ws_spot_trade.json", BN_FRAME, 1, 0, ""},
    {"binance/rest/http_spot_market_depth.json", BN_FRAME, 1, 0, ""},
    {"binance/rest/http_spot_market_book_ticker.json", BN_BODY, 1,
	BN_ASK_TICKER, ""},
    {"binance/rest/http_spot_market_exchange_info.json", BN_BODY, 7,
	BN_ASK_INFO, ""},
    {"binance/rest/http_spot_market_klines.json", BN_BODY, 10, BN_ASK_KLINES,
	""},
    {"binance/rest/http_spot_market_time.json", BN_BODY, 1, BN_ASK_TIME, ""},
    {"hyperliquid/ws/messages_mixed.jsonl", HL_LINES, 10, 0, ""},
    {"hyperliquid/ws/ws_all_dexs_asset_ctxs.json.gz", HL_FRAME, 1, 0, ""},
    {"hyperliquid/ws/ws_allmids.json", HL_FRAME, 1, 0, ""},
    {"hyperliquid/ws/ws_user_fill_liquidation.json", HL_FRAME, 1, 0, ""},
    {"hyperliquid/rest/http_l2_book_btc.json", HL_FRAME, 1, 0, ""},
    {"hyperliquid/rest/info_all_mids.json", HL_PAIRS, 1, 0, ""},
    {"hyperliquid/rest/info_candles_snapshot.json", HL_PAIRS, 2, 0, ""},
    {"hyperliquid/rest/info_funding_history_None.json.gz", HL_PAIRS, 1, 0, ""},
    {"hyperliquid/rest/info_historical_orders.json", HL_PAIRS, 1, 0, ""},
    {"hyperliquid/rest/info_info.json", HL_PAIRS, 1, 0, ""},
    {"hyperliquid/rest/info_l2_snapshot.json", HL_PAIRS, 2, 0, ""},
    {"hyperliquid/rest/info_open_orders.json", HL_PAIRS, 1, 0, ""},
    {"hyperliquid/rest/info_user_fills.json.gz", HL_PAIRS, 1, 0, ""},
    {"hyperliquid/rest/info_user_rate_limit.json", HL_PAIRS, 1, 0, ""},
    {"hyperliquid/rest/info_user_state.json", HL_PAIRS, 1, 0, ""},
    {"hyperliquid/capture_20250903/orderbooks_BTC.csv.gz", HL_CSV, 446, 0, ""},
    {"hyperliquid/capture_20250903/orderbooks_ETH.csv.gz", HL_CSV, 446, 0, ""},
    {"hyperliquid/capture_20250903/prices_BTC.csv.gz", HL_CSV, 1700, 0, ""},
    {"hyperliquid/capture_20250903/prices_ETH.csv.gz", HL_CSV, 1700, 0, ""},
    {"hyperliquid/capture_20250903/trades_BTC.csv.gz", HL_CSV, 250, 0, ""},
    {"hyperliquid/capture_20250903/trades_ETH.csv.gz", HL_CSV, 100, 0, ""},
    {"hyperliquid/btc_week_202509/prices_BTC_0901-0904.csv.gz", HL_CSV, 18000,
	0, ""},
    {"hyperliquid/btc_week_202509/trades_BTC_0901-0904.csv.gz", HL_CSV, 2000, 0,
	""},
    {"aligned/updown15m_captures/cap_20260427T2134.jsonl.gz", BN_ENVELOPE, 1, 0,
	""},
    {"aligned/updown15m_captures/cap_20260428T1305.jsonl.gz", BN_ENVELOPE, 1, 0,
	""},
    {"aligned/updown15m_captures/cap_20260428T1352.jsonl.gz", BN_ENVELOPE, 1, 0,
	""},
    {"aligned/updown15m_captures/cap_20260429T0210.jsonl.gz", BN_ENVELOPE, 300,
	0, ""},
    {"aligned/updown15m_captures/cap_20260429T0312_current_window.jsonl.gz",
	BN_ENVELOPE, 1, 0, ""},
    {"aligned/updown15m_captures/", NOT_OURS, 0, 0, "lists of markets"},
    {"aligned/settlement/", NOT_OURS, 0, 0, "the settlement feed"},
    {"aligned/btc5m_book_vs_spot/", NOT_WIRE, 0, 0, "prices by window"},
    {"aligned/binance_vs_chainlink/", NOT_WIRE, 0, 0, "prices by time"},
    {"aligned/nested_5m_15m_60m_asks/", NOT_WIRE, 0, 0, "asks by time"},
    {"aligned/updown_price_and_outcome/", NOT_WIRE, 0, 0, "price by window"},
    {"aligned/btc_daily_updown/", NOT_WIRE, 0, 0, "prices by time"},
};

/* ---- one message ---- */

/* Members of an object the other way round; n bytes as before, or 0 when it
 * is no object. */
static size_t
turned(const char *text, size_t n, char *out)
{
	struct json_str keys[64];
	struct json_str values[64];
	struct json j;
	unsigned count = 0;
	size_t len = 0;

	json_init(&j, text, n);
	if (!json_object(&j))
		return 0;
	while (count < LEN(keys) && json_key(&j, &keys[count]) &&
	       json_raw(&j, &values[count]))
		count++;
	if (!json_end(&j))
		return 0;
	out[len++] = '{';
	while (count-- > 0)
		len += (size_t)sprintf(out + len, "\"%.*s\":%.*s%s",
		    (int)keys[count].n, keys[count].s, (int)values[count].n,
		    values[count].s, count > 0 ? "," : "");
	out[len++] = '}';
	return len;
}

/* The frame with its own keys and those of its data turned. */
static char *
reordered(const char *text, size_t n, size_t *out_n)
{
	char *inner = malloc(n + 2);
	char *outer = malloc(n + 2);
	char *both = malloc(n + 2);

	assert_true(inner != NULL && outer != NULL && both != NULL);
	*out_n = turned(text, n, outer);
	struct json_str data = data_member(outer, *out_n, "data");
	size_t inner_n = data.n == 0 ? 0 : turned(data.s, data.n, inner);

	memcpy(both, outer, *out_n);
	if (inner_n > 0) {
		size_t at = (size_t)(data.s - outer);

		memcpy(both + at, inner, inner_n);
		memcpy(both + at + inner_n, outer + at + data.n,
		    *out_n - at - data.n);
		*out_n += inner_n - data.n;
	}
	free(inner);
	free(outer);
	return both;
}

/* How many frames of the file have been seen. */
static unsigned seen_n;

static void
check_orders(fuzz_digest fuzz, const char *text, size_t n)
{
	size_t len;
	uint64_t want = fuzz(text, n);
	char *other = reordered(text, n, &len);

	if (len > 0 && fuzz(other, len) != want)
		fail_msg("other order: %.300s", text);
	free(other);
}

static bool
is_refused(bool is_hl, const char *text, size_t n)
{
	static struct bn_event bn;
	static struct hl_event hl;
	char *copy = data_exact(text, n);
	bool refused = is_hl ? hl_decode(&hl, copy, n) == HL_ERR
			     : bn_decode(&bn, copy, n) == BN_ERR;

	free(copy);
	return refused;
}

static void
check_cuts(bool is_hl, const char *text, size_t n)
{
	bool all = seen_n <= 3 || seen_n % CUTS_EACH == 0;
	size_t step = all ? (n + CUTS_LEN - 1) / CUTS_LEN : n;
	size_t from = all ? 0 : (size_t)seen_n * 7919 % n;

	for (size_t cut = from; cut < n; cut += step)
		if (!is_refused(is_hl, text, cut))
			fail_msg("cut at %zu: %.300s", cut, text);
}

static void
check_bn(const char *text, size_t n)
{
	static struct bn_event ev;

	n = data_trim(text, n);
	enum bn_kind kind = bn_decode(&ev, text, n);

	seen_n++;
	if (kind == BN_ERR ||
	    (kind == BN_UNKNOWN && ev.reason != REASON_UNSUPPORTED))
		fail_msg("%s at %u: %.300s", reason_name(ev.reason), ev.err_off,
		    text);
	check_cuts(false, text, n);
	if (seen_n % 8 == 1)
		check_orders(fuzz_binance, text, n);
}

static void
check_hl(const char *text, size_t n)
{
	static struct hl_event ev;

	n = data_trim(text, n);
	enum hl_kind kind = hl_decode(&ev, text, n);

	seen_n++;
	if (kind == HL_ERR ||
	    (kind == HL_UNKNOWN && ev.reason != REASON_UNSUPPORTED))
		fail_msg("%s at %u: %.300s", reason_name(ev.reason), ev.err_off,
		    text);
	check_cuts(true, text, n);
	if (seen_n % 8 == 1)
		check_orders(fuzz_hyperliquid, text, n);
}

/* ---- one file ---- */

static void
bn_lines(char *pos)
{
	char *line;
	size_t n;

	while (data_line(&pos, &line, &n)) {
		char *frame = memchr(line, ' ', n);

		/* the address that was asked, and its answer's time */
		if (frame != NULL && memcmp(line, "http", 4) == 0)
			frame = strstr(line, ": {");
		if (frame != NULL && frame[0] == ':')
			frame++;
		if (frame == NULL || frame[1] != '{')
			continue;
		check_bn(frame + 1, n - (size_t)(frame + 1 - line));
	}
}

static void
bn_body(enum bn_ask ask, const char *text, size_t n)
{
	struct bn_rest r;
	struct bn_item item;

	n = data_trim(text, n);
	for (size_t cut = 0; cut <= n; cut++) {
		char *copy = data_exact(text, cut);

		bn_rest_init(&r, ask, copy, cut);
		for (seen_n = 0; bn_rest_next(&r, &item) != BN_ITEM_END;
		     seen_n++)
			if (item.kind == BN_ITEM_ERR)
				break;
		if ((item.kind == BN_ITEM_ERR) != (cut < n))
			fail_msg("cut at %zu of %zu", cut, n);
		free(copy);
	}
	(void)fuzz_bn_rest(text, n);
}

static void
bn_envelope(char *pos)
{
	char *line;
	size_t n;

	while (data_line(&pos, &line, &n)) {
		struct json_str source = data_member(line, n, "source");
		struct json_str raw = data_member(line, n, "payload");
		char *frame = malloc(raw.n + 1);

		assert_non_null(frame);
		if (json_is(source, "\"binance\""))
			check_bn(frame, data_string(raw, frame, raw.n + 1));
		free(frame);
	}
}

static void
hl_lines(char *pos)
{
	char *line;
	size_t n;

	while (data_line(&pos, &line, &n))
		check_hl(line, n);
}

/* The answers that we know; others must not look like one of them. */
static void
hl_answer(struct json_str pair)
{
	static struct hl_event ev;
	struct json_str ask = data_member(pair.s, pair.n, "request");
	struct json_str type = data_member(ask.s, ask.n, "type");
	struct json_str body = data_member(pair.s, pair.n, "response");
	enum hl_kind want = json_is(type, "\"meta\"")	  ? HL_META
			    : json_is(type, "\"l2Book\"") ? HL_BOOK
							  : HL_UNKNOWN;

	assert_true(body.n > 0);
	seen_n++;
	if (hl_decode(&ev, body.s, body.n) != want)
		fail_msg("kind %d: %.*s", ev.kind, (int)pair.n, pair.s);
	if (want == HL_UNKNOWN)
		return;
	check_cuts(true, body.s, body.n);
	check_orders(fuzz_hyperliquid, body.s, body.n);
}

static void
hl_pairs(const char *text, size_t n)
{
	struct json j;
	struct json_str pair = {.s = text, .n = (uint32_t)data_trim(text, n)};

	json_init(&j, text, n);
	if (json_peek(&j) == JSON_OBJECT) {
		hl_answer(pair);
		return;
	}
	json_array(&j);
	while (json_item(&j) && json_raw(&j, &pair))
		hl_answer(pair);
	assert_true(json_end(&j));
}

static void
hl_csv(const char *name, char *pos)
{
	struct capture *c = malloc(sizeof(*c));
	struct capture_item item;
	char *line;
	size_t n;

	assert_non_null(c);
	capture_init(c, name);
	while (data_line(&pos, &line, &n)) {
		memset(&item, 0, sizeof(item));
		if (!capture_line(c, line, n, &item))
			fail_msg("%s: %s: %.100s", name, c->error, line);
		if (item.venue != 0)
			check_hl(item.frame.text, item.frame.n);
	}
	memset(&item, 0, sizeof(item));
	if (capture_end(c, &item))
		check_hl(item.frame.text, item.frame.n);
	free(c);
}

static void
run(const struct file *f, char *text, size_t n)
{
	switch (f->how) {
	case BN_LINES: bn_lines(text); return;
	case BN_FRAME: check_bn(text, n); return;
	case BN_BODY: bn_body(f->ask, text, n); return;
	case BN_ENVELOPE: bn_envelope(text); return;
	case HL_LINES: hl_lines(text); return;
	case HL_FRAME: check_hl(text, n); return;
	case HL_PAIRS: hl_pairs(text, n); return;
	case HL_CSV: hl_csv(strrchr(f->name, '/') + 1, text); return;
	case NOT_OURS:
	case NOT_WIRE: return;
	}
	fail_msg("%s: how", f->name);
}

static void
run_all(const char *prefix)
{
	size_t n;
	unsigned files_n = 0;

	for (size_t i = 0; i < LEN(files); i++) {
		const struct file *f = &files[i];

		if (strncmp(f->name, prefix, strlen(prefix)) != 0 ||
		    f->how == NOT_OURS || f->how == NOT_WIRE)
			continue;
		char *text = data_read(f->name, &n);

		if (text == NULL)
			skip();
		seen_n = 0;
		run(f, text, n);
		free(text);
		if (seen_n < f->frames)
			fail_msg("%s: %u of %u", f->name, seen_n, f->frames);
		files_n++;
	}
	assert_true(files_n > 0);
}

static void
binance(void **state)
{
	(void)state;
	run_all("binance/");
}

static void
hyperliquid(void **state)
{
	(void)state;
	run_all("hyperliquid/");
}

static void
aligned(void **state)
{
	(void)state;
	run_all("aligned/");
}

/* ---- is every file named? ---- */

static unsigned found_n;

static int
is_named(const char *path, const struct stat *st, int type, struct FTW *at)
{
	const char *name = path + strlen(data_root()) + 1;

	(void)st;
	(void)at;
	if (type != FTW_F)
		return 0;
	found_n++;
	for (size_t i = 0; i < LEN(files); i++) {
		size_t n = strlen(files[i].name);
		bool whole = files[i].name[n - 1] != '/';

		if (strncmp(name, files[i].name, n) == 0 &&
		    (!whole || name[n] == '\0'))
			return 0;
	}
	printf("# not covered: %s\n", name);
	return 1;
}

static void
every_file_is_covered(void **state)
{
	static const char *const dirs[] = {"binance", "hyperliquid", "aligned"};
	char path[900];

	(void)state;
	for (size_t i = 0; i < LEN(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", data_root(), dirs[i]);
		int err = nftw(path, is_named, 8, FTW_PHYS);

		if (err < 0) {
			printf("# skipped: no %s (set RM_DATA)\n", path);
			skip();
		}
		assert_int_equal(err, 0);
	}
	assert_true(found_n >= LEN(files) - 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_file_is_covered),
	    cmocka_unit_test(binance),
	    cmocka_unit_test(hyperliquid),
	    cmocka_unit_test(aligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
