/*
 * decode.h - what every input must do to every decoder.
 *
 * Used by the fuzz targets, by the replay of their corpus, and by golden
 * tests on real frames. Each fuzz_x(data, n) aborts when
 *   1. a decoder reads outside the input (the sanitizer says so),
 *   2. an answer is outside its stated range, or a text outside the input,
 *   3. blanks between tokens change the answer: the fast ways know only
 *      compact text, so this compares them with the general way.
 * It returns a digest of the answer.
 */
#ifndef TESTS_FUZZ_DECODE_H
#define TESTS_FUZZ_DECODE_H

#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/fixed.h"
#include "libcore/hash.h"
#include "libcore/json.h"
#include "libvenue/binance.h"
#include "libvenue/gamma.h"
#include "libvenue/hyperliquid.h"
#include "libvenue/pm_hash.h"
#include "libvenue/polymarket.h"
#include "libvenue/rtds.h"

typedef uint64_t (*fuzz_digest)(const char *text, size_t n);

/* A blank after every comma, colon and opening bracket outside strings. */
static inline char *
fuzz_respell(const char *text, size_t n, size_t *out_n)
{
	char *out = malloc(2 * n + 1);
	bool in_string = false;

	CHECK(out != NULL);
	*out_n = 0;
	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		out[(*out_n)++] = c;
		if (in_string && c == '\\' && i + 1 < n)
			out[(*out_n)++] = text[++i];
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && c != '\0' && strchr(",:{[", c) != NULL)
			out[(*out_n)++] = ' ';
	}
	return out;
}

static inline uint64_t
fuzz_both(fuzz_digest digest, const char *text, size_t n)
{
	char *copy = malloc(n + 1);
	size_t spaced_n;
	char *spaced = fuzz_respell(text, n, &spaced_n);

	CHECK(copy != NULL);
	memcpy(copy, text, n);
	/* exactly n bytes, so that a read past the end is seen */
	copy = realloc(copy, n > 0 ? n : 1);
	CHECK(copy != NULL);
	uint64_t a = digest(copy, n);
	uint64_t b = digest(spaced, spaced_n);

	CHECK(a == b);
	free(copy);
	free(spaced);
	return a;
}

static inline void
fuzz_inside(struct json_str s, const char *text, size_t n)
{
	CHECK(
	    s.s == NULL || s.n == 0 || (s.s >= text && s.s + s.n <= text + n));
}

static inline uint64_t
fuzz_str(uint64_t h, struct json_str s)
{
	return hash_bytes(hash_u64(h, s.n), s.s, s.s == NULL ? 0 : s.n);
}

/* ---- json ---- */

static inline uint64_t
fuzz_json_string(uint64_t h, struct json_str s)
{
	size_t cap = 3 * (size_t)s.n + 1;
	char *plain = malloc(cap);
	char *again = malloc(6 * cap + 1);

	CHECK(plain != NULL);
	CHECK(again != NULL);
	size_t n = json_unescape(s, plain, cap);

	CHECK(n != SIZE_MAX);
	CHECK(json_utf8_ok(plain, n));
	size_t m = json_escape(plain, n, again, 6 * cap + 1);

	CHECK(m != SIZE_MAX);
	struct json_str back = {.s = again, .n = (uint32_t)m};
	char *twice = malloc(3 * m + 1);

	CHECK(twice != NULL);
	CHECK(json_unescape(back, twice, 3 * m + 1) == n);
	CHECK(memcmp(twice, plain, n) == 0);
	h = hash_bytes(hash_u64(h, n), plain, n);
	free(twice);
	free(again);
	free(plain);
	return h;
}

/* A number is read in every way; they agree where they overlap. */
static inline uint64_t
fuzz_json_number(uint64_t h, struct json *j)
{
	struct json a = *j;
	struct json b = *j;
	struct json c = *j;
	struct json_str raw;
	int64_t exact = -1;
	int64_t floor = -1;
	int64_t want = -1;
	uint64_t u = 0;
	bool quoted = json_peek(j) == JSON_STRING;

	if (!(quoted ? json_string(j, &raw) : json_raw(j, &raw)))
		return h;
	bool ok = fixed_parse(raw.s, raw.n, 8, false, PX_E8_MAX, &want);

	CHECK(json_e8(&a, PX_E8_MAX, &exact) == ok);
	CHECK(exact == want);
	CHECK(!ok || a.pos == j->pos);
	if (json_e8_floor(&b, PX_E8_MAX, &floor) && ok)
		CHECK(floor == exact);
	if (json_u64(&c, &u))
		CHECK(c.pos == j->pos);
	return hash_u64(hash_u64(h, (uint64_t)exact), (uint64_t)floor ^ u);
}

static inline uint64_t
digest_json(const char *text, size_t n)
{
	struct json j;
	struct json_str s;
	uint64_t h = 0;

	json_init(&j, text, n);
	/* every string and number of an object's or array's first level */
	if (json_peek(&j) == JSON_ARRAY && json_array(&j)) {
		while (json_item(&j)) {
			struct json k = j;

			if (json_peek(&j) == JSON_STRING && json_string(&k, &s))
				h = fuzz_json_string(h, s);
			if (json_peek(&j) == JSON_STRING ||
			    json_peek(&j) == JSON_NUMBER)
				h = fuzz_json_number(h, &j);
			else
				json_skip(&j);
		}
	} else {
		json_skip(&j);
	}
	json_end(&j);
	CHECK(json_err_off(&j) <= n);
	CHECK(j.reason != REASON_NONE || (j.depth == 0 && j.pos == j.end));
	return hash_u64(h, (uint64_t)j.reason);
}

static inline uint64_t
fuzz_json(const char *text, size_t n)
{
	return fuzz_both(digest_json, text, n);
}

/* ---- Polymarket ---- */

static inline uint64_t
digest_levels(uint64_t h, const struct pm_level *l, uint32_t n)
{
	CHECK(n <= PM_LEVELS_MAX);
	for (uint32_t i = 0; i < n; i++) {
		CHECK(l[i].px.tok_e8 > 0);
		CHECK(l[i].px.tok_e8 < E8);
		CHECK(l[i].qty.e8 >= 0);
		h = hash_u64(h, (uint64_t)l[i].px.tok_e8);
		h = hash_u64(h, (uint64_t)l[i].qty.e8);
	}
	return hash_u64(h, n);
}

static inline uint64_t
digest_touch(uint64_t h, const struct pm_touch *t)
{
	CHECK(t->state >= PM_TOUCH_NOT_SENT);
	CHECK(t->state < PM_TOUCH_STATE_N);
	if (t->state != PM_TOUCH_PRICE)
		return hash_u64(h, t->state);
	CHECK(t->px.tok_e8 >= 0);
	CHECK(t->px.tok_e8 <= E8);
	return hash_u64(h, (uint64_t)t->px.tok_e8);
}

static inline uint64_t
digest_changes(uint64_t h, const struct pm_event *ev)
{
	CHECK(ev->changes_n <= PM_CHANGES_MAX);
	for (uint32_t i = 0; i < ev->changes_n; i++) {
		const struct pm_change *c = &ev->changes[i];
		struct pm_level l = {c->px, c->qty};

		CHECK(c->side == SIDE_BID || c->side == SIDE_ASK);
		h = digest_levels(h, &l, 1);
		h = hash_bytes(h, &c->token, sizeof(c->token));
		h = hash_u64(h, c->side);
		h = digest_touch(h, &c->best_bid);
		h = digest_touch(h, &c->best_ask);
		if (c->has_hash)
			h = hash_bytes(h, c->hash, PM_HASH_LEN);
	}
	return h;
}

static inline void
fuzz_pm_texts(const struct pm_event *ev, const char *text, size_t n)
{
	fuzz_inside(ev->market_text, text, n);
	fuzz_inside(ev->token_text, text, n);
	fuzz_inside(ev->time_text, text, n);
	fuzz_inside(ev->bids_text, text, n);
	fuzz_inside(ev->asks_text, text, n);
	fuzz_inside(ev->min_size_text, text, n);
	fuzz_inside(ev->tick_text, text, n);
	fuzz_inside(ev->last_px_text, text, n);
	fuzz_inside(ev->outcome_text, text, n);
	fuzz_inside(ev->type_text, text, n);
	fuzz_inside(ev->body, text, n);
}

static inline uint64_t
digest_pm_event(uint64_t h, const struct pm_event *ev, struct pm_meta *meta)
{
	char hash[PM_HASH_LEN];
	struct gamma_market m;

	h = hash_u64(h, (uint64_t)ev->kind << 32 | (uint64_t)ev->reason);
	h = hash_u64(h, (uint64_t)ev->venue_ns);
	h = hash_bytes(h, &ev->market, sizeof(ev->market));
	h = hash_bytes(h, &ev->token, sizeof(ev->token));
	h = hash_u64(h, (uint64_t)ev->px.tok_e8 ^ (uint64_t)ev->qty.e8);
	h = hash_u64(h,
	    (uint64_t)ev->old_tick.tok_e8 * 3 + (uint64_t)ev->new_tick.tok_e8);
	h = digest_touch(h, &ev->best_bid);
	h = digest_touch(h, &ev->best_ask);
	pm_meta_update(meta, ev);
	if (ev->kind == PM_BOOK) {
		h = digest_levels(h, ev->bids, ev->bids_n);
		h = digest_levels(h, ev->asks, ev->asks_n);
		pm_hash_event(ev, meta, hash);
		h = hash_bytes(h, hash, sizeof(hash));
	}
	if (ev->kind == PM_PRICE_CHANGE)
		h = digest_changes(h, ev);
	if (ev->kind == PM_NEW_MARKET)
		h = hash_u64(h, gamma_decode(&m, ev->body.s, ev->body.n));
	return h;
}

static inline uint64_t
digest_polymarket(const char *text, size_t n)
{
	static struct pm_event ev;
	struct pm_frame f;
	struct pm_meta meta;
	enum pm_kind kind;
	uint64_t h = 0;

	pm_meta_init(&meta);
	pm_frame_init(&f, text, n);
	while ((kind = pm_next(&f, &ev)) != PM_END) {
		CHECK(kind == ev.kind);
		if (kind == PM_ERR) {
			CHECK(ev.reason != REASON_NONE);
			CHECK(ev.err_off <= n);
			return hash_u64(h, (uint64_t)ev.reason);
		}
		fuzz_pm_texts(&ev, text, n);
		h = digest_pm_event(h, &ev, &meta);
	}
	CHECK(pm_next(&f, &ev) == PM_END);
	return h;
}

static inline uint64_t
fuzz_polymarket(const char *text, size_t n)
{
	return fuzz_both(digest_polymarket, text, n);
}

/* ---- Binance ---- */

static inline uint64_t
digest_binance(const char *text, size_t n)
{
	static struct bn_event ev;
	enum bn_kind kind = bn_decode(&ev, text, n);
	uint64_t h = hash_u64((uint64_t)ev.reason, kind);

	CHECK(kind == ev.kind);
	CHECK(kind >= BN_ERR);
	CHECK(kind < BN_KIND_N);
	CHECK((kind == BN_ERR || kind == BN_UNKNOWN) ==
	      (ev.reason != REASON_NONE));
	CHECK(ev.err_off <= n);
	if (kind == BN_ERR || kind == BN_UNKNOWN)
		return h;
	fuzz_inside(ev.stream, text, n);
	fuzz_inside(ev.symbol, text, n);
	fuzz_inside(ev.type, text, n);
	fuzz_inside(ev.msg, text, n);
	h = fuzz_str(fuzz_str(fuzz_str(h, ev.stream), ev.symbol), ev.type);
	h = hash_u64(hash_u64(h, (uint64_t)ev.venue_ns), (uint64_t)ev.event_ns);
	h = hash_u64(hash_u64(h, ev.trade_id), ev.first_id);
	h = hash_u64(hash_u64(h, ev.last_id), ev.prev_id);
	h = hash_u64(h, (uint64_t)ev.px.e8 * 3 + (uint64_t)ev.qty.e8);
	h = hash_bytes(h, &ev.bid, sizeof(ev.bid));
	h = hash_bytes(h, &ev.ask, sizeof(ev.ask));
	h = hash_u64(h, (uint64_t)ev.side << 32 | (uint64_t)ev.has_prev);
	h = hash_u64(h, (uint64_t)ev.code);
	CHECK(ev.bids_n <= BN_LEVELS_MAX);
	CHECK(ev.asks_n <= BN_LEVELS_MAX);
	h = hash_bytes(h, ev.bids, ev.bids_n * sizeof(ev.bids[0]));
	return hash_bytes(h, ev.asks, ev.asks_n * sizeof(ev.asks[0]));
}

static inline uint64_t
fuzz_binance(const char *text, size_t n)
{
	return fuzz_both(digest_binance, text, n);
}

/* ---- Hyperliquid ---- */

static inline uint64_t
digest_hl_levels(uint64_t h, const struct hl_level *l, uint32_t n)
{
	CHECK(n <= HL_LEVELS_MAX);
	for (uint32_t i = 0; i < n; i++) {
		CHECK(l[i].px.e8 >= 0);
		CHECK(l[i].qty.e8 >= 0);
		h = hash_u64(h, (uint64_t)l[i].px.e8);
		h = hash_u64(h, (uint64_t)l[i].qty.e8 ^ l[i].orders_n);
	}
	return hash_u64(h, n);
}

static inline uint64_t
digest_hl_rest(
    uint64_t h, const struct hl_event *ev, const char *text, size_t n)
{
	CHECK(ev->trades_n <= HL_TRADES_MAX);
	CHECK(ev->coins_n <= HL_COINS_MAX);
	for (uint32_t i = 0; i < ev->trades_n; i++) {
		const struct hl_trade *t = &ev->trades[i];

		CHECK(t->side == SIDE_BID || t->side == SIDE_ASK);
		h = hash_u64(hash_u64(h, (uint64_t)t->px.e8), t->trade_id);
		h = hash_u64(h, (uint64_t)t->qty.e8 ^ (uint64_t)t->side);
	}
	for (uint32_t i = 0; i < ev->coins_n; i++) {
		fuzz_inside(ev->coins[i].name, text, n);
		CHECK(ev->coins[i].size_decimals <= 8);
		h = fuzz_str(h, ev->coins[i].name);
	}
	return h;
}

static inline uint64_t
digest_hyperliquid(const char *text, size_t n)
{
	static struct hl_event ev;
	enum hl_kind kind = hl_decode(&ev, text, n);
	uint64_t h = hash_u64((uint64_t)ev.reason, kind);

	CHECK(kind == ev.kind);
	CHECK(kind >= HL_ERR);
	CHECK(kind < HL_KIND_N);
	CHECK((kind == HL_ERR || kind == HL_UNKNOWN) ==
	      (ev.reason != REASON_NONE));
	CHECK(ev.err_off <= n);
	if (kind == HL_ERR || kind == HL_UNKNOWN)
		return h;
	fuzz_inside(ev.coin, text, n);
	fuzz_inside(ev.method, text, n);
	fuzz_inside(ev.msg, text, n);
	h = fuzz_str(fuzz_str(h, ev.coin), ev.msg);
	h = hash_u64(hash_u64(h, (uint64_t)ev.venue_ns), ev.is_fast);
	h = hash_u64(hash_u64(h, (uint64_t)ev.mark.e8), (uint64_t)ev.mid.e8);
	h = hash_u64(h, (uint64_t)ev.funding_e12 ^ (uint64_t)ev.oracle.e8);
	if (kind == HL_BBO || kind == HL_BOOK) {
		h = digest_hl_levels(h, ev.bids, ev.bids_n);
		return digest_hl_levels(h, ev.asks, ev.asks_n);
	}
	return digest_hl_rest(h, &ev, text, n);
}

static inline uint64_t
fuzz_hyperliquid(const char *text, size_t n)
{
	return fuzz_both(digest_hyperliquid, text, n);
}

/* ---- the price stream ---- */

static inline uint64_t
digest_rtds(const char *text, size_t n)
{
	static struct rtds_event ev;
	enum rtds_kind kind = rtds_decode(&ev, text, n);
	uint64_t h = hash_u64((uint64_t)ev.reason, kind);

	CHECK(kind == ev.kind);
	CHECK(ev.err_off <= n);
	if (kind != RTDS_UPDATE && kind != RTDS_SNAPSHOT)
		return h;
	CHECK(ev.reason == REASON_NONE);
	CHECK(ev.points_n <= RTDS_POINTS_MAX);
	CHECK(memchr(ev.symbol, '\0', sizeof(ev.symbol)) != NULL);
	h = hash_bytes(h, ev.symbol, strlen(ev.symbol));
	h = hash_u64(hash_u64(h, ev.source), (uint64_t)ev.sent_ns);
	for (uint32_t i = 0; i < ev.points_n; i++) {
		CHECK(ev.points[i].px.e8 > 0);
		CHECK(ev.points[i].px.e8 <= PX_E8_MAX);
		h = hash_u64(h, (uint64_t)ev.points[i].px.e8);
		h = hash_u64(h, (uint64_t)ev.points[i].venue_ns);
	}
	return h;
}

static inline uint64_t
fuzz_rtds(const char *text, size_t n)
{
	return fuzz_both(digest_rtds, text, n);
}

/* ---- discovery ---- */

static inline uint64_t
digest_gamma(const char *text, size_t n)
{
	struct gamma_answer g;
	struct gamma_market m;
	enum gamma_kind kind;
	uint64_t h = 0;

	gamma_init(&g, text, n);
	while ((kind = gamma_next(&g, &m)) != GAMMA_END) {
		CHECK(m.err_off <= n);
		CHECK((kind == GAMMA_MARKET) == (m.reason == REASON_NONE));
		h = hash_u64(hash_u64(h, kind), (uint64_t)m.reason);
		if (kind != GAMMA_MARKET)
			continue;
		fuzz_inside(m.slug, text, n);
		fuzz_inside(m.question, text, n);
		fuzz_inside(m.description, text, n);
		fuzz_inside(m.event_id, text, n);
		CHECK(m.cond.n != 0);
		CHECK(!m.has_tokens || !pm_token_eq(&m.yes, &m.no) ||
		      m.yes.w[0] == m.no.w[0]);
		h = hash_bytes(fuzz_str(h, m.slug), &m.yes, sizeof(m.yes));
		h = hash_u64(h, (uint64_t)m.end_ns ^ (uint64_t)m.start_ns);
		h = hash_u64(h, (uint64_t)m.tick.tok_e8);
		h = hash_u64(h, (uint64_t)m.liquidity.e6);
	}
	return h;
}

static inline uint64_t
fuzz_gamma(const char *text, size_t n)
{
	return fuzz_both(digest_gamma, text, n);
}

#endif
