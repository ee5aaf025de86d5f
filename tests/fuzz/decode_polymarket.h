/*
 * decode_polymarket.h - the same for the market channel; see decode_json.h.
 */
#ifndef TESTS_FUZZ_DECODE_POLYMARKET_H
#define TESTS_FUZZ_DECODE_POLYMARKET_H

#include "libvenue/gamma.h"
#include "libvenue/pm_hash.h"
#include "libvenue/polymarket.h"
#include "tests/fuzz/decode_json.h"

static inline uint64_t
digest_levels(uint64_t h, const struct pm_level *l, uint32_t n)
{
	CHECK(n <= PM_LEVELS_MAX);
	for (uint32_t i = 0; i < n; i++) {
		CHECK(l[i].px.tok_e8 > 0);
		CHECK(l[i].px.tok_e8 < E8);
		CHECK(l[i].qty.e8 >= 0);
		CHECK(l[i].px.tok_e8 % PM_PX_STEP == 0);
		CHECK(l[i].qty.e8 % PM_QTY_STEP == 0);
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
	h = hash_u64(h, ev->winner);
	CHECK(ev->winner < ROLE_N);
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

#endif
