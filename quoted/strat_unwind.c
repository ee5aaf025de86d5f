/*
 * A position that risk wants gone: only the reducing side, at or inside the
 * touch, by one of three styles.
 */
#include "quoted/room.h"

static bool
fits(const struct quote *q, const struct quote_mkt *m)
{
	(void)q;
	return m->risk_state == TRADING_REDUCE && m->position.e8 != 0;
}

/* How much of the position may be offered now. */
static int64_t
slice(const struct strat_look *l, int64_t held)
{
	const struct cfg *c = &l->q->cfg;
	const struct quote_mkt *m = l->m;
	int64_t began = m->unwind_qty.e8;
	int64_t gone;
	int64_t due;

	if (began < 0)
		began = -began;
	gone = i64_max(0, began - held);
	switch ((enum cfg_unwind)c->unwind_style) {
	case CFG_UNWIND_TOUCH: return held;
	case CFG_UNWIND_TWAP: {
		int64_t slices =
		    i64_max(1, c->unwind_time_s.ns / c->unwind_slice_s.ns);
		int64_t at = (int64_t)(l->ev->now_ns - m->unwind_ns) /
				 c->unwind_slice_s.ns +
			     1;

		due = i64_mul_div(began, i64_min(at, slices), slices);
		return i64_clamp(due - gone, 0, held);
	}
	case CFG_UNWIND_VWAP:
		due = i64_mul_div(m->traded.e8, c->unwind_share_frac.e8, E8);
		/* Something must rest before anything can trade. */
		due = i64_max(due, m->in.min_qty.e8 + gone);
		return i64_clamp(due - gone, 0, held);
	case CFG_UNWIND_N: break;
	}
	return 0;
}

static px_t
price(const struct strat_look *l, enum side side)
{
	const struct quote_mkt *m = l->m;
	px_t touch = side == SIDE_BID ? m->bid_px : m->ask_px;
	px_t tick = px_sig_tick(touch, m->in.tick_px, m->in.px_sig);
	int64_t in = l->q->cfg.unwind_inside_ticks * tick.e8;

	if (side == SIDE_BID)
		return px_floor_tick(
		    PX(i64_min(touch.e8 + in, m->ask_px.e8 - tick.e8)), tick);
	return px_ceil_tick(
	    PX(i64_max(touch.e8 - in, m->bid_px.e8 + tick.e8)), tick);
}

static void
rest(struct strat_look *l, struct strat_want *want)
{
	struct quote_mkt *m = l->m;
	enum side side = m->position.e8 > 0 ? SIDE_ASK : SIDE_BID;
	int64_t held = m->position.e8 > 0 ? m->position.e8 : -m->position.e8;
	px_t px = price(l, side);
	qty_t n;

	if (m->unwind_ns == 0) {
		m->unwind_ns = l->ev->now_ns;
		m->unwind_qty = m->position;
		m->traded = QTY(0);
	}
	/* The touch of an empty side that nobody shares is ours to set, but
	 * not beyond what a price can be. */
	if (!why_both(&l->why, WHY_ROOM, px.e8, 0,
		px.e8 > 0 && (!quote_is_binary(m) || px.e8 < E8))) {
		want->stop[SIDE_BID] = WHY_ROOM;
		want->stop[SIDE_ASK] = WHY_ROOM;
		return;
	}
	want->stop[side_opposite(side)] = WHY_ALLOWED;
	why_put(&l->why, side_opposite(side), WHY_ALLOWED, 0, 1, false);
	why_put(&l->why, side, WHY_ALLOWED, 1, 1, true);
	n = strat_lots(l, want, side, px, QTY(slice(l, held)));
	if (n.e8 == 0)
		return;
	want->level[side][0] = (struct book_level){px, n};
	want->n[side] = 1;
}

const struct strat strat_unwind = {
    .name = "unwind",
    .kind = STRAT_REST,
    .id = STRATEGY_UNWIND,
    .fits = fits,
    .rest = rest,
};
