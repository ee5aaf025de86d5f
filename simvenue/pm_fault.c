#define _GNU_SOURCE
/* Frames that a faulty Polymarket sends and the recording does not have. */
#include <string.h>

#include "libcore/check.h"
#include "simvenue/fault.h"
#include "simvenue/polymarket.h"

#define TICK_FINE_E8   100000
#define TICK_COARSE_E8 1000000
#define CROSS_QTY_E8   (7 * E8)
#define HASH_MARK      "\"hash\":\""

/* The first token of the frame that has a book with two sides, -1: none. */
static int
target_of(struct sim_pm *s, const struct sim_frame *f)
{
	struct pm_frame frame;
	if (f->kind != SIM_PM_WS)
		return -1;
	pm_frame_init(&frame, f->text, f->n);
	enum pm_kind kind = pm_next(&frame, &s->ev);
	if (kind != PM_BOOK && kind != PM_PRICE_CHANGE)
		return -1;
	int i = sim_pm_find(
	    s, kind == PM_BOOK ? &s->ev.token : &s->ev.changes[0].token);
	if (i < 0 || !s->assets[i].has_book || s->assets[i].bids.n == 0 ||
	    s->assets[i].asks.n == 0)
		return -1;
	return i;
}

/* The other token of its market, -1 when it has no book. */
static int
other_of(const struct sim_pm *s, int i)
{
	for (uint32_t k = 0; k < s->asset_n; k++) {
		const struct sim_pm_asset *a = &s->assets[k];
		if ((int)k != i && a->has_book &&
		    memcmp(&a->market, &s->assets[i].market,
			sizeof(a->market)) == 0)
			return (int)k;
	}
	return -1;
}

bool
sim_pm_can_fault(void *state, const struct sim_frame *f)
{
	return target_of(state, f) >= 0;
}

static void
put_head(const struct sim_pm_asset *a, const char *type, struct text *t)
{
	char cond[PM_COND_TEXT_MAX];
	text_lit(t, "{\"event_type\":\"");
	text_lit(t, type);
	text_lit(t, "\",\"market\":\"");
	text_put(t, cond, pm_cond_format(&a->market, cond));
	text_lit(t, "\",\"timestamp\":\"");
	put_i64(t, a->venue_ns / NS_PER_MS);
	text_lit(t, "\"");
}

static void
put_token(const struct sim_pm_asset *a, struct text *t)
{
	char id[PM_TOKEN_TEXT_MAX];
	text_lit(t, "\"asset_id\":\"");
	text_put(t, id, pm_token_format(&a->token, id));
	text_lit(t, "\"");
}

/* ---- a bid at the best ask ---- */

/* The hash of a token's book as it stands: written behind t and taken back. */
static void
put_hash(struct sim_pm *s, int i, struct text *t)
{
	char hash[PM_HASH_LEN];
	size_t start = t->n;
	sim_pm_put_book(s, (uint32_t)i, false, t);
	const char *p = memmem(
	    t->buf + start, t->n - start, HASH_MARK, sizeof(HASH_MARK) - 1);
	t->n = start;
	if (t->full || p == NULL)
		return;
	memcpy(hash, p + sizeof(HASH_MARK) - 1, sizeof(hash));
	text_lit(t, ",\"hash\":\"");
	text_put(t, hash, sizeof(hash));
	text_lit(t, "\"");
}

static void
put_change(
    struct sim_pm *s, int i, bool is_bid, struct sim_pm_level l, struct text *t)
{
	text_lit(t, "{");
	put_token(&s->assets[i], t);
	text_lit(t, ",\"price\":\"");
	put_e8(t, l.px_e8, 0);
	text_lit(t, "\",\"size\":\"");
	put_e8(t, l.qty_e8, 0);
	text_lit(t, is_bid ? "\",\"side\":\"BUY\"" : "\",\"side\":\"SELL\"");
	put_hash(s, i, t);
	text_lit(t, "}");
}

static void
put_cross(struct sim_pm *s, int i, int64_t qty_e8, struct sim_out *out)
{
	const struct sim_pm_asset *a = &s->assets[i];
	int other = other_of(s, i);
	struct sim_pm_level l = {a->asks.levels[a->asks.n - 1].px_e8, qty_e8};
	struct text t;
	sim_out_begin(out, &t);
	put_head(a, "price_change", &t);
	text_lit(&t, ",\"price_changes\":[");
	put_change(s, i, true, l, &t);
	if (other >= 0) {
		text_lit(&t, ",");
		l.px_e8 = E8 - l.px_e8;
		put_change(s, other, false, l, &t);
	}
	text_lit(&t, "]}");
	sim_out_end(out, &t);
}

/* ---- an old book ---- */

static void
put_stale(struct sim_pm *s, int i, int64_t ms, struct sim_out *out)
{
	struct sim_pm_asset *a = &s->assets[i];
	uint32_t bid_n = a->bids.n;
	uint32_t ask_n = a->asks.n;
	int64_t venue_ns = a->venue_ns;
	struct text t;
	/* Best levels come last: this one is worse on both sides. */
	a->bids.n -= bid_n > 1;
	a->asks.n -= ask_n > 1;
	a->venue_ns -= ms * NS_PER_MS;
	sim_out_begin(out, &t);
	sim_pm_put_book(s, (uint32_t)i, true, &t);
	sim_out_end(out, &t);
	a->bids.n = bid_n;
	a->asks.n = ask_n;
	a->venue_ns = venue_ns;
}

/* ---- another tick ---- */

static int64_t
tick_of(const struct sim_pm_asset *a)
{
	int64_t e8;
	if (!a->meta.has_tick ||
	    !fixed_parse(a->meta.tick.s, a->meta.tick.n, 8, false, E8, &e8))
		return TICK_COARSE_E8;
	return e8;
}

/* Bids down, asks up; levels that meet become one. */
static void
regrid(struct sim_pm_side *side, bool is_bid, int64_t tick_e8)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < side->n; i++) {
		struct sim_pm_level l = side->levels[i];
		l.px_e8 =
		    (l.px_e8 + (is_bid ? 0 : tick_e8 - 1)) / tick_e8 * tick_e8;
		if (l.px_e8 <= 0 || l.px_e8 >= E8)
			continue;
		if (n > 0 && side->levels[n - 1].px_e8 == l.px_e8)
			side->levels[n - 1].qty_e8 += l.qty_e8;
		else
			side->levels[n++] = l;
	}
	side->n = n;
}

static void
put_tick(const struct sim_pm_asset *a, int64_t old_e8, int64_t new_e8,
    struct sim_out *out)
{
	struct text t;
	sim_out_begin(out, &t);
	put_head(a, "tick_size_change", &t);
	text_lit(&t, ",");
	put_token(a, &t);
	text_lit(&t, ",\"old_tick_size\":\"");
	put_e8(&t, old_e8, 0);
	text_lit(&t, "\",\"new_tick_size\":\"");
	put_e8(&t, new_e8, 0);
	text_lit(&t, "\"}");
	sim_out_end(out, &t);
}

static void
put_new_tick(struct sim_pm *s, int i, struct sim_out *out)
{
	int pair[2] = {i, other_of(s, i)};
	int64_t old_e8 = tick_of(&s->assets[i]);
	int64_t new_e8 = old_e8 == TICK_FINE_E8 ? TICK_COARSE_E8 : TICK_FINE_E8;
	struct text t;
	for (int k = 0; k < 2 && pair[k] >= 0; k++)
		put_tick(&s->assets[pair[k]], old_e8, new_e8, out);
	for (int k = 0; k < 2 && pair[k] >= 0; k++) {
		struct sim_pm_asset *a = &s->assets[pair[k]];
		a->meta.has_tick = true;
		a->meta.tick.n =
		    (uint8_t)fixed_format(new_e8, 8, a->meta.tick.s);
		regrid(&a->bids, true, new_e8);
		regrid(&a->asks, false, new_e8);
		sim_out_begin(out, &t);
		sim_pm_put_book(s, (uint32_t)pair[k], true, &t);
		sim_out_end(out, &t);
	}
}

bool
sim_pm_fault(void *state, unsigned fault, int64_t value,
    const struct sim_frame *f, struct sim_out *out)
{
	struct sim_pm *s = state;
	int i = target_of(s, f);
	CHECK(i >= 0);
	if (fault == FAULT_CROSSED_BATCH) {
		put_cross(s, i, CROSS_QTY_E8, out);
		if (value == 0)
			put_cross(s, i, 0, out);
	} else if (fault == FAULT_STALE_SNAPSHOT) {
		put_stale(s, i, value, out);
	} else {
		CHECK(fault == FAULT_TICK_CHANGE);
		put_new_tick(s, i, out);
		return true;
	}
	return false;
}
