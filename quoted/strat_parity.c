/*
 * Both sides of one certainty.
 *
 * One market: buying YES at the ask and NO at 1 - bid costs less than the
 * dollar that the pair is worth when bid - ask, in the frame of YES, exceeds
 * all costs. A neg-risk group: at most one outcome comes true, so that NO of
 * any k of them pays at least k - 1; they cost k - sum(bids). A part of the
 * group is enough for that, which is why only this direction is taken:
 * buying YES of all would need to know that there are no others.
 */
#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/fees.h"
#include "quoted/room.h"

#define LEGS	8u
#define MEMBERS 64u /* of a group that are looked at                      */

static bool
fits(const struct quote *q, const struct quote_mkt *m)
{
	return q->cfg.parity_enabled && quote_is_binary(m);
}

struct leg {
	uint16_t instr;
	enum side side;
	px_t px;
	qty_t qty;
};

static int64_t
fee_e8(const struct quote *q, const struct leg *g)
{
	return 100 * fee_binary(g->px, QTY(E8), q->mkt[g->instr].in.fee_ppm).e6;
}

/* What is left of a pair after everything, 1e-8 dollars. */
static int64_t
gain(const struct quote *q, const struct leg *leg, uint32_t n, int64_t gross)
{
	for (uint32_t i = 0; i < n; i++)
		gross -= fee_e8(q, &leg[i]);
	return gross - q->cfg.parity_slippage.e8;
}

/* One quantity for all legs: what each offers, what the capital buys, what
 * each venue minimum and lot allows. */
static qty_t
common(const struct quote *q, const struct leg *leg, uint32_t n)
{
	int64_t cost = 0;
	qty_t all = QTY(INT64_MAX);
	qty_t lot = QTY(1);

	for (uint32_t i = 0; i < n; i++) {
		cost += sizing_stake(leg[i].side, leg[i].px, true).e8;
		all.e8 = i64_min(all.e8, leg[i].qty.e8);
		lot.e8 = i64_max(lot.e8, q->mkt[leg[i].instr].in.lot_qty.e8);
	}
	all.e8 = i64_min(
	    all.e8, sizing_quantity(strat_capital(q).arb, 1, PX(cost)).e8);
	all.e8 = i64_min(all.e8, q->cfg.risk_max_order_qty.e8);
	all = qty_floor_lot(all, lot);
	for (uint32_t i = 0; i < n; i++) {
		const struct instr *in = &q->mkt[leg[i].instr].in;

		if (all.e8 < in->min_qty.e8 ||
		    usd_notional(leg[i].px, all).e6 < in->min_usd.e6)
			return QTY(0);
	}
	return all;
}

/* All at once, the thinnest first: it is the one that fails. */
static void
go(struct strat_look *l, struct leg *leg, uint32_t n, int64_t edge)
{
	qty_t qty = common(l->q, leg, n);
	uint32_t room = CORE_OUT_MAX - l->out->core.n;
	uint32_t idle = 0;
	uint64_t first = 0;

	for (uint32_t i = 0; i < QUOTE_TAKES; i++)
		idle += l->q->take[i].id == 0;
	if (qty.e8 == 0 || idle < n || room < n)
		return;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t thin = i;
		struct leg swap;
		struct strat_take t;

		for (uint32_t k = i + 1; k < n; k++)
			if (leg[k].qty.e8 < leg[thin].qty.e8)
				thin = k;
		swap = leg[i];
		leg[i] = leg[thin];
		leg[thin] = swap;
		t = (struct strat_take){.side = leg[i].side,
		    .px = leg[i].px,
		    .qty = qty,
		    .pair = i == 0 ? UINT64_MAX : first,
		    .life_ns = (uint64_t)l->q->cfg.parity_leg_timeout_ms.ns,
		    .whole = true};
		if (i == 0) {
			first = strat_send(l, &strat_parity, &t, leg[i].instr);
			CHECK(first != 0);
			for (uint32_t k = 0; k < QUOTE_TAKES; k++)
				if (l->q->take[k].id == first)
					l->q->take[k].pair = first;
			continue;
		}
		CHECK(strat_send(l, &strat_parity, &t, leg[i].instr) != 0);
	}
	l->q->pair_n++;
	l->q->signals[STRATEGY_PARITY]++;
	quote_note_add(l->out, &(struct quote_note){QUOTE_TAKE, l->instr, 0,
				   STRATEGY_PARITY, leg[0].px.e8, edge});
}

static bool
is_worth(const struct quote *q, int64_t edge)
{
	return edge >= q->cfg.parity_min_edge.e8 &&
	       edge <= q->cfg.parity_max_edge.e8;
}

static void
one_market(struct strat_look *l)
{
	const struct quote_mkt *m = l->m;
	struct leg leg[2] = {{l->instr, SIDE_BID, m->ask_px, m->ask_qty},
	    {l->instr, SIDE_ASK, m->bid_px, m->bid_qty}};
	int64_t edge;

	/* Between two parts of one change a book may look crossed (T-54). */
	if (m->crossed_n < 2 || m->bid_qty.e8 == 0 || m->ask_qty.e8 == 0)
		return;
	edge = gain(l->q, leg, 2, m->bid_px.e8 - m->ask_px.e8);
	if (is_worth(l->q, edge))
		go(l, leg, 2, edge);
}

/* The LEGS best bids of the group, best first. */
static uint32_t
group(const struct strat_look *l, struct leg leg[LEGS])
{
	const struct quote *q = l->q;
	uint32_t key = select_cluster_key(l->m);
	uint16_t at = select_cluster_first(q, key);
	uint32_t n = 0;

	for (uint32_t i = 0; i < MEMBERS && at != 0; i++) {
		const struct quote_mkt *m = &q->mkt[at];
		struct leg g = {at, SIDE_ASK, m->bid_px, m->bid_qty};
		bool good = m->known && m->valid && m->in.neg_risk &&
			    select_cluster_key(m) == key &&
			    (m->in.state == INSTR_NORMAL ||
				m->in.state == INSTR_WATCH) &&
			    m->bid_qty.e8 > 0 && m->bid_px.e8 < m->ask_px.e8;
		uint32_t k;

		at = m->group_next;
		if (!good || (n == LEGS && g.px.e8 <= leg[n - 1].px.e8))
			continue;
		if (n < LEGS)
			n++;
		for (k = n - 1; k > 0 && leg[k - 1].px.e8 < g.px.e8; k--)
			leg[k] = leg[k - 1];
		leg[k] = g;
	}
	return n;
}

static void
one_group(struct strat_look *l)
{
	struct leg leg[LEGS];
	uint32_t n = group(l, leg);
	int64_t sum = 0;
	uint32_t take = 0;
	int64_t edge;

	/* A leg that brings less than its fee is left out. */
	for (uint32_t i = 0; i < n; i++) {
		if (leg[i].px.e8 <= fee_e8(l->q, &leg[i]))
			break;
		sum += leg[i].px.e8;
		take++;
	}
	if (take < 2)
		return;
	edge = gain(l->q, leg, take, sum - E8);
	if (is_worth(l->q, edge))
		go(l, leg, take, edge);
}

static void
take(struct strat_look *l)
{
	const struct cfg *c = &l->q->cfg;

	if (l->m->take_ns != 0 &&
	    (int64_t)(l->ev->now_ns - l->m->take_ns) < c->parity_cooldown_s.ns)
		return;
	if (l->m->bid_px.e8 > l->m->ask_px.e8)
		one_market(l);
	else if (l->m->in.neg_risk && l->m->in.cluster != 0)
		one_group(l);
}

/* A leg that has more than all legs have: out, at a bounded loss. */
static void
way_out(struct quote *q, const struct quote_take *k, qty_t n,
    const struct event *ev, struct quote_out *out)
{
	struct strat_look l = {.q = q,
	    .m = &q->mkt[k->instr],
	    .ev = ev,
	    .out = out,
	    .instr = k->instr};
	int64_t loss =
	    i64_mul_div(q->cfg.parity_leg_max_loss.e6, 100 * E8, n.e8);
	px_t tick = l.m->in.tick_px;
	struct strat_take t = {.qty = n,
	    .side = side_opposite((enum side)k->side),
	    .life_ns = (uint64_t)q->cfg.parity_leg_timeout_ms.ns};
	int64_t px = k->side == SIDE_BID ? k->px.e8 - loss : k->px.e8 + loss;

	px = i64_clamp(px, tick.e8, E8 - tick.e8);
	t.px = t.side == SIDE_BID ? px_floor_tick(PX(px), tick)
				  : px_ceil_tick(PX(px), tick);
	if (strat_send(&l, &strat_parity, &t, k->instr) == 0)
		return;
	quote_note_add(out, &(struct quote_note){QUOTE_LEG, k->instr, 0,
				STRATEGY_PARITY, n.e8, t.px.e8});
}

static void
resolve(struct quote *q, uint64_t pair, const struct event *ev,
    struct quote_out *out)
{
	struct quote_take leg[LEGS];
	uint32_t n = 0;
	int64_t matched = INT64_MAX;
	bool open = false;
	bool late = false;

	for (uint32_t i = 0; i < QUOTE_TAKES; i++) {
		const struct quote_take *k = &q->take[i];

		if (k->id == 0 || k->pair != pair || n == LEGS)
			continue;
		matched = i64_min(matched, k->filled.e8);
		open = open || !k->done;
		late = late || ev->now_ns >= k->until_ns;
		leg[n++] = *k;
	}
	if (open && !late)
		return;
	CHECK(q->pair_n > 0);
	q->pair_n--;
	for (uint32_t i = 0; i < QUOTE_TAKES; i++) {
		struct quote_take *k = &q->take[i];

		if (k->id == 0 || k->pair != pair)
			continue;
		if (k->done != 0) {
			memset(k, 0, sizeof(*k));
			continue;
		}
		/* Given up, but it may have been filled all the same. */
		k->pair = 0;
		k->done = 2;
	}
	for (uint32_t i = 0; i < n; i++)
		if (leg[i].filled.e8 > matched)
			way_out(q, &leg[i], QTY(leg[i].filled.e8 - matched), ev,
			    out);
}

void
parity_late(struct quote *q, const struct quote_take *k, qty_t n,
    const struct event *ev, struct quote_out *out)
{
	way_out(q, k, n, ev, out);
}

void
parity_turn(struct quote *q, const struct event *ev, struct quote_out *out)
{
	for (uint32_t i = 0; i < QUOTE_TAKES && q->pair_n > 0; i++)
		if (q->take[i].id != 0 && q->take[i].pair == q->take[i].id)
			resolve(q, q->take[i].pair, ev, out);
}

const struct strat strat_parity = {
    .name = "parity",
    .kind = STRAT_TAKE,
    .id = STRATEGY_PARITY,
    .level = 2,
    .fits = fits,
    .take = take,
};
