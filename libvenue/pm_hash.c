#include "libvenue/pm_hash.h"

#include <mbedtls/sha1.h>

#include "libcore/check.h"

#define BUF_SIZE  1024
#define HASH_SIZE 20
#define E8_SCALE  8

/* The venue writes last_trade_price as 0.500, other prices as 0.5. */
#define LAST_PX_DECIMALS 3

/* Text on its way into SHA-1, in larger pieces than one level. */
struct sink {
	mbedtls_sha1_context sha;
	size_t n;
	char buf[BUF_SIZE];
};

static void
sink_flush(struct sink *s)
{
	CHECK(mbedtls_sha1_update_ret(&s->sha, (unsigned char *)s->buf, s->n) ==
	      0);
	s->n = 0;
}

static void
put(struct sink *s, const char *text, size_t n)
{
	while (n > 0) {
		size_t part = BUF_SIZE - s->n < n ? BUF_SIZE - s->n : n;

		memcpy(s->buf + s->n, text, part);
		s->n += part;
		text += part;
		n -= part;
		if (s->n == BUF_SIZE)
			sink_flush(s);
	}
}

#define put_lit(s, lit) put((s), (lit), sizeof(lit) - 1)

static void
sink_init(struct sink *s)
{
	mbedtls_sha1_init(&s->sha);
	CHECK(mbedtls_sha1_starts_ret(&s->sha) == 0);
	s->n = 0;
}

static void
sink_end(struct sink *s, char *out)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char digest[HASH_SIZE];

	sink_flush(s);
	CHECK(mbedtls_sha1_finish_ret(&s->sha, digest) == 0);
	mbedtls_sha1_free(&s->sha);
	for (int i = 0; i < HASH_SIZE; i++) {
		out[2 * i] = hex[digest[i] >> 4];
		out[2 * i + 1] = hex[digest[i] & 15];
	}
}

/* ---- kept metadata ---- */

void
pm_meta_init(struct pm_meta *m)
{
	memset(m, 0, sizeof(*m));
	m->neg_risk = PM_NEG_RISK_NOT_SENT;
}

static void
keep(struct pm_meta_text *t, bool *has, struct json_str text)
{
	if (text.s == NULL || text.n > PM_META_TEXT_MAX)
		return;
	memcpy(t->s, text.s, text.n);
	t->n = (uint8_t)text.n;
	*has = true;
}

/* A price in the venue's spelling: at least `decimals` of them. */
static void
keep_px(struct pm_meta_text *t, bool *has, tok_px_t px, size_t decimals)
{
	char text[FIXED_TEXT_MAX];
	size_t n = fixed_format(px.tok_e8, E8_SCALE, text);
	char *dot = memchr(text, '.', n);
	size_t have = dot == NULL ? 0 : n - 1 - (size_t)(dot - text);

	if (dot == NULL && decimals > 0)
		text[n++] = '.';
	for (; have < decimals; have++)
		text[n++] = '0';
	keep(t, has, (struct json_str){.s = text, .n = (uint32_t)n});
}

void
pm_meta_update(struct pm_meta *m, const struct pm_event *ev)
{
	if (ev->kind == PM_BOOK) {
		keep(&m->min_size, &m->has_min_size, ev->min_size_text);
		keep(&m->tick, &m->has_tick, ev->tick_text);
		keep(&m->last_px, &m->has_last_px, ev->last_px_text);
		if (ev->neg_risk != PM_NEG_RISK_NOT_SENT)
			m->neg_risk = ev->neg_risk;
	} else if (ev->kind == PM_TRADE) {
		keep_px(&m->last_px, &m->has_last_px, ev->px, LAST_PX_DECIMALS);
	} else if (ev->kind == PM_TICK_SIZE) {
		keep_px(&m->tick, &m->has_tick, ev->new_tick, 0);
	}
}

/* ---- the text ---- */

static void
put_key(struct sink *s, const char *key, struct json_str value)
{
	put_lit(s, ",\"");
	put(s, key, strlen(key));
	put_lit(s, "\":\"");
	put(s, value.s, value.n);
	put_lit(s, "\"");
}

/* Opens the array of a member; the caller closes it. */
static void
put_array(struct sink *s, const char *key)
{
	put_lit(s, ",\"");
	put(s, key, strlen(key));
	put_lit(s, "\":[");
}

static void
put_head(struct sink *s, struct json_str market, struct json_str token,
    struct json_str time)
{
	put_lit(s, "{\"market\":\"");
	put(s, market.s, market.n);
	put_lit(s, "\"");
	put_key(s, "asset_id", token);
	put_key(s, "timestamp", time);
	put_lit(s, ",\"hash\":\"\"");
}

static void
put_level(struct sink *s, bool first, struct json_str px, struct json_str qty)
{
	if (!first)
		put_lit(s, ",");
	put_lit(s, "{\"price\":\"");
	put(s, px.s, px.n);
	put_lit(s, "\"");
	put_key(s, "size", qty);
	put_lit(s, "}");
}

static void
put_meta(struct sink *s, const char *key, bool has,
    const struct pm_meta_text *kept, struct json_str sent)
{
	struct json_str text = {.s = kept->s, .n = kept->n};

	if (sent.s != NULL)
		put_key(s, key, sent);
	else if (has)
		put_key(s, key, text);
}

/* Metadata as one event sent it; s == NULL where it did not. */
struct sent {
	struct json_str min_size;
	struct json_str tick;
	struct json_str last_px;
	enum pm_neg_risk neg_risk;
};

/* What was sent wins over what was kept. */
static void
put_tail(struct sink *s, const struct pm_meta *m, const struct sent *sent)
{
	enum pm_neg_risk neg = sent->neg_risk != PM_NEG_RISK_NOT_SENT
				   ? sent->neg_risk
				   : m->neg_risk;

	put_meta(
	    s, "min_order_size", m->has_min_size, &m->min_size, sent->min_size);
	put_meta(s, "tick_size", m->has_tick, &m->tick, sent->tick);
	if (neg == PM_NEG_RISK_FALSE)
		put_lit(s, ",\"neg_risk\":false");
	else if (neg == PM_NEG_RISK_TRUE)
		put_lit(s, ",\"neg_risk\":true");
	put_meta(
	    s, "last_trade_price", m->has_last_px, &m->last_px, sent->last_px);
	put_lit(s, "}");
}

static void
number_text(struct json *j, struct json_str *out)
{
	if (json_peek(j) == JSON_STRING)
		json_string(j, out);
	else
		json_raw(j, out);
}

/* Levels as sent, in the venue's spelling of numbers. The text was decoded
 * before, so it holds an array of objects. */
static void
put_sent_levels(struct sink *s, const char *key, struct json_str text)
{
	struct json j;
	struct json_str name;
	bool first = true;

	put_array(s, key);
	json_sub(&j, text.s, text.n);
	json_array(&j);
	while (json_item(&j)) {
		struct json_str px = {.s = ""};
		struct json_str qty = {.s = ""};

		json_object(&j);
		while (json_key(&j, &name)) {
			if (json_is(name, "price"))
				number_text(&j, &px);
			else if (json_is(name, "size"))
				number_text(&j, &qty);
			else
				json_skip(&j);
		}
		put_level(s, first, px, qty);
		first = false;
	}
	put_lit(s, "]");
}

void
pm_hash_event(const struct pm_event *ev, const struct pm_meta *m, char *out)
{
	struct sink s;
	struct sent sent = {
	    .min_size = ev->min_size_text,
	    .tick = ev->tick_text,
	    .last_px = ev->last_px_text,
	    .neg_risk = ev->neg_risk,
	};

	CHECK(ev->kind == PM_BOOK);
	sink_init(&s);
	put_head(&s, ev->market_text, ev->token_text, ev->time_text);
	put_sent_levels(&s, "bids", ev->bids_text);
	put_sent_levels(&s, "asks", ev->asks_text);
	put_tail(&s, m, &sent);
	sink_end(&s, out);
}

/* One side of the token, worst level first. side is the token's. */
static void
put_levels(struct sink *s, const struct pm_hash_book *b, enum side side)
{
	char px[FIXED_TEXT_MAX];
	char qty[FIXED_TEXT_MAX];
	enum side from = frame_side(side, b->role);
	uint32_t n = book_n(b->book, from);

	put_array(s, side == SIDE_BID ? "bids" : "asks");
	for (uint32_t i = n; i-- > 0;) {
		const struct book_level *l = book_level(b->book, from, i);
		tok_px_t tok = frame_tok_px(l->px, b->role);
		struct json_str px_text = {.s = px};
		struct json_str qty_text = {.s = qty};

		px_text.n = (uint32_t)fixed_format(tok.tok_e8, E8_SCALE, px);
		qty_text.n = (uint32_t)fixed_format(l->qty.e8, E8_SCALE, qty);
		put_level(s, i == n - 1, px_text, qty_text);
	}
	put_lit(s, "]");
}

void
pm_hash_kept(const struct pm_hash_book *b, const struct pm_meta *m, char *out)
{
	struct sink s;
	char market[PM_COND_TEXT_MAX];
	char token[PM_TOKEN_TEXT_MAX];
	char time[FIXED_TEXT_MAX];
	struct json_str market_text = {.s = market};
	struct json_str token_text = {.s = token};
	struct json_str time_text = {.s = time};
	struct sent nothing = {.neg_risk = PM_NEG_RISK_NOT_SENT};

	CHECK(b->book != NULL);
	market_text.n = (uint32_t)pm_cond_format(&b->market, market);
	token_text.n = (uint32_t)pm_token_format(&b->token, token);
	time_text.n = (uint32_t)fixed_format(b->venue_ns / NS_PER_MS, 0, time);
	sink_init(&s);
	put_head(&s, market_text, token_text, time_text);
	put_levels(&s, b, SIDE_BID);
	put_levels(&s, b, SIDE_ASK);
	put_tail(&s, m, &nothing);
	sink_end(&s, out);
}
