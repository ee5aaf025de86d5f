#include "quoted/edge.h"

#include <math.h>

#include "libcore/check.h"
#include "libcore/fees.h"
#include "libcore/frame.h"
#include "libcore/kelly.h"
#include "quoted/room.h"

int64_t
edge_of(const struct quote_mkt *m, enum side side, double yes, dec_t slippage,
    px_t *cost)
{
	px_t px = side == SIDE_BID ? m->ask_px : m->bid_px;
	px_t paid = frame_cost(side, px);
	double prob = side == SIDE_BID ? yes : 1.0 - yes;

	cost->e8 = paid.e8 + slippage.e8 +
		   100 * fee_binary(px, QTY(E8), m->in.fee_ppm).e6;
	return llround(prob * 1e8) - cost->e8;
}

static double
dec(dec_t d)
{
	return (double)d.e8 / 1e8;
}

static usd_t
stake(const struct strat_look *l, const struct strat *s,
    const struct edge_limits *c, px_t cost, double prob)
{
	const struct cfg *f = &l->q->cfg;
	const struct kelly_cfg k = {.fraction = dec(f->kelly_fraction),
	    .trade_max_frac = dec(f->kelly_trade_max_frac),
	    .alloc_min_frac = dec(f->kelly_alloc_min_frac),
	    .alloc_max_frac = dec(f->kelly_alloc_max_frac),
	    .concurrent_max = (uint32_t)f->kelly_concurrent_max};
	struct kelly_in in = {.bankroll = l->q->capital,
	    .prob = prob,
	    .cost = cost,
	    .alloc_frac = dec(c->alloc_frac)};
	enum kelly_limit limit;

	in.open_n = strat_held(l->q, s->id, &in.at_stake);
	return kelly_stake(&k, &in, &limit);
}

/* Quantity of the take, 0: less than the venue takes. */
static qty_t
quantity(const struct strat_look *l, enum side side, usd_t usd, px_t cost)
{
	const struct quote_mkt *m = l->m;
	px_t px = side == SIDE_BID ? m->ask_px : m->bid_px;
	qty_t offered = side == SIDE_BID ? m->ask_qty : m->bid_qty;
	qty_t n = sizing_quantity(usd, 1, cost);

	n.e8 = i64_min(n.e8, offered.e8);
	n.e8 = i64_min(n.e8, l->q->cfg.risk_max_order_qty.e8);
	n = qty_floor_lot(n, m->in.lot_qty);
	if (n.e8 < m->in.min_qty.e8 ||
	    usd_notional(px, n).e6 < m->in.min_usd.e6)
		return QTY(0);
	return n;
}

struct chain {
	struct strat_look *l;
	enum side side;
	enum why_id stop;
};

static bool
put(struct chain *c, enum why_id id, int64_t value, int64_t limit, bool pass)
{
	if (!why_put(&c->l->why, c->side, id, value, limit, pass))
		c->stop = id;
	return pass;
}

/* The filters of why.def, part TAKE. */
static bool
filters(struct chain *c, const struct edge_view *v, const struct edge_limits *f,
    int64_t edge)
{
	const struct quote_mkt *m = c->l->m;
	px_t px = c->side == SIDE_BID ? m->ask_px : m->bid_px;
	qty_t n = c->side == SIDE_BID ? m->ask_qty : m->bid_qty;
	usd_t offered = usd_notional(frame_cost(c->side, px), n);
	int64_t left = c->l->left_ns;
	int64_t vol = llround(v->annual * 1e8);
	int64_t sure = llround(v->confidence * 1e8);

	return put(c, WHY_MIN_EDGE, edge, f->min_edge.e8,
		   n.e8 > 0 && edge >= f->min_edge.e8) &&
	       put(c, WHY_MAX_EDGE, edge, f->max_edge.e8,
		   edge <= f->max_edge.e8) &&
	       put(c, WHY_DEPTH, offered.e6, f->min_liquidity.e6,
		   offered.e6 >= f->min_liquidity.e6) &&
	       put(c, WHY_MIN_TIME, left, f->min_left.ns,
		   left >= f->min_left.ns) &&
	       put(c, WHY_MAX_TIME, left, f->max_left.ns,
		   left == INT64_MAX || left <= f->max_left.ns) &&
	       put(c, WHY_VOL, vol, f->vol_max.e8,
		   v->annual < 0.0 ||
		       (vol >= f->vol_min.e8 && vol <= f->vol_max.e8)) &&
	       put(c, WHY_CONFIDENCE, sure, f->min_confidence.e8,
		   sure >= f->min_confidence.e8);
}

/* Kelly and the time since the last take; sends. */
static bool
act(struct chain *c, const struct strat *s, const struct edge_view *v,
    const struct edge_limits *f, px_t cost)
{
	struct strat_look *l = c->l;
	const struct quote_mkt *m = l->m;
	double prob = c->side == SIDE_BID ? v->yes : 1.0 - v->yes;
	usd_t usd = stake(l, s, f, cost, prob);
	qty_t n = quantity(l, c->side, usd, cost);
	int64_t since =
	    m->take_ns == 0 ? INT64_MAX : (int64_t)(l->ev->now_ns - m->take_ns);
	struct strat_take t = {.side = c->side,
	    .px = c->side == SIDE_BID ? m->ask_px : m->bid_px,
	    .qty = n,
	    .life_ns = (uint64_t)f->deadline.ns};

	if (!put(c, WHY_STAKE, usd.e6, m->in.min_usd.e6,
		n.e8 > 0 && m->held.e8 == 0) ||
	    !put(c, WHY_COOLDOWN, since, f->cooldown.ns,
		since >= f->cooldown.ns))
		return false;
	l->q->signals[s->id]++;
	if (!f->send) {
		l->m->take_ns = l->ev->now_ns;
		return false;
	}
	if (strat_send(l, s, &t, l->instr) == 0)
		return false;
	quote_note_add(l->out,
	    &(struct quote_note){QUOTE_TAKE, l->instr, (uint16_t)c->side,
		(uint16_t)s->id, t.px.e8, llround(prob * 1e8) - cost.e8});
	return true;
}

/* The recorder hears of a signal, and of why there is none when that
 * changes. */
static void
tell(const struct chain *c, const struct strat *s)
{
	static const enum reason reasons[WHY_N] = {
	    [WHY_FAIR] = REASON_NO_FAIR,
	    [WHY_MIN_EDGE] = REASON_MIN_EDGE,
	    [WHY_MAX_EDGE] = REASON_MAX_EDGE,
	    [WHY_DEPTH] = REASON_LIQUIDITY,
	    [WHY_MIN_TIME] = REASON_EXPIRY,
	    [WHY_MAX_TIME] = REASON_EXPIRY,
	    [WHY_VOL] = REASON_VOL_BOUNDS,
	    [WHY_CONFIDENCE] = REASON_CONFIDENCE,
	    [WHY_STAKE] = REASON_STAKE,
	    [WHY_COOLDOWN] = REASON_STAKE,
	};
	uint16_t *said = &c->l->m->take_said[c->side];

	if (c->stop != WHY_N && *said == c->stop + 1u)
		return;
	*said = (uint16_t)(c->stop + 1u);
	quote_tell(c->l, s, c->stop == WHY_N ? REASON_OK : reasons[c->stop]);
}

void
edge_take(struct strat_look *l, const struct strat *s,
    const struct edge_view *v, const struct edge_limits *f)
{
	bool sent = false;

	for (int side = SIDE_BID; side < SIDE_N && !sent; side++) {
		struct chain c = {l, (enum side)side, WHY_N};
		px_t cost;
		int64_t edge;

		if (put(&c, WHY_FAIR, v->state, FAIR_OK, v->known)) {
			edge =
			    edge_of(l->m, c.side, v->yes, f->slippage, &cost);
			if (filters(&c, v, f, edge))
				sent = act(&c, s, v, f, cost);
		}
		why_signalled(&l->why, c.side, c.stop);
		tell(&c, s);
	}
}
