/*
 * The maker on perpetual futures: a ladder around the weighted mid, moved by
 * inventory and funding, re-quoted by the value of an action.
 */
#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "quoted/price.h"
#include "quoted/room.h"

#define HOUR_NS (3600 * NS_PER_S)

static bool
fits(const struct quote *q, const struct quote_mkt *m)
{
	(void)q;
	return m->in.cls == CLASS_PERP;
}

static double
dec(dec_t d)
{
	return (double)d.e8 / 1e8;
}

static struct quote_perp *
perp_of(const struct strat_look *l)
{
	CHECK(l->instr >= INSTR_HL_BASE);
	return &l->q->perp[l->instr - INSTR_HL_BASE];
}

/* The book's levels where they are known, else its top. */
static bool
look(const struct strat_look *l, struct ladder_book *b)
{
	const struct quote_mkt *m = l->m;
	struct quote_book *kept = &l->q->book[l->instr];

	if (book_n(&kept->book, SIDE_BID) > 0 &&
	    book_n(&kept->book, SIDE_ASK) > 0)
		return ladder_look(&kept->book, b);
	b->bid_usd = (double)usd_notional(m->bid_px, m->bid_qty).e6 / 1e6;
	b->ask_usd = (double)usd_notional(m->ask_px, m->ask_qty).e6 / 1e6;
	b->imbalance = (double)(m->bid_qty.e8 - m->ask_qty.e8) /
		       (double)(m->bid_qty.e8 + m->ask_qty.e8);
	b->mid = quote_micro(l->q, m);
	return true;
}

static double
annual(const struct strat_look *l)
{
	struct vol_cfg c = l->q->sig.vol.vol;
	double var;

	c.sample_ns = 60 * (uint64_t)NS_PER_S;
	c.halflife_ns = 30 * c.sample_ns;
	c.min_n = 5;
	return vol_current(&perp_of(l)->minute, &c, &var)
		   ? vol_annual_of_var(var)
		   : -1.0;
}

/* When the next look is due while the touch stands still. */
static bool
is_due(const struct strat_look *l, const struct ladder_state *s)
{
	const struct cfg *c = &l->q->cfg;
	const struct quote_mkt *m = l->m;
	int64_t since = (int64_t)(l->ev->now_ns - s->refresh_ns);

	return s->refresh_ns == 0 || m->bid_px.e8 != s->bid_px.e8 ||
	       m->ask_px.e8 != s->ask_px.e8 ||
	       m->position.e8 != s->position_e8 ||
	       since >= i64_min(c->perp_refresh_s.ns, c->perp_rebalance_s.ns);
}

static double
capital(const struct strat_look *l)
{
	return (double)l->q->capital.e6 / 1e6 *
	       dec(l->q->cfg.perp_capital_frac);
}

/* Inventory shifts the price as for binaries, funding after it. */
static px_t
reserve(const struct strat_look *l, const struct ladder_book *b)
{
	const struct cfg *c = &l->q->cfg;
	struct quote_mkt *m = l->m;
	const struct vol_cfg *vc = &l->q->sig.vol.vol;
	double px = (double)b->mid.e8 / 1e8;
	double cur = 0.0;
	double base = 1.0;
	bool known =
	    vol_current(&m->vol, vc, &cur) && vol_baseline(&m->vol, vc, &base);
	double held = (double)strat_own(m).e8 / 1e8 * px /
		      ((double)c->perp_inventory_limit_usd.e6 / 1e6);
	double hours = (double)(HOUR_NS - l->venue_ns % HOUR_NS) / HOUR_NS;
	struct as_shift_in in = {
	    .gamma = price_gamma(c, known, known ? sqrt(cur / base) : 0.0, 1.0,
		quote_factors(l).gamma),
	    .q = fmax(-1.0, fmin(1.0, held)),
	    .var_s = known ? cur : 0.0,
	    .horizon_s = (double)c->mm_horizon_s.ns / 1e9,
	    .scale = px,
	    .max = px * dec(c->perp_max_skew_bps) * 1e-4,
	};

	px -= as_shift(&in);
	px *= 1.0 + ladder_funding(c, (double)m->funding_e12 / 1e12, hours);
	return PX(llround(px * 1e8));
}

/* Dollars of a side: perp.order_usd, and room up to the inventory limit. */
static usd_t
side_usd(const struct strat_look *l, enum side side, px_t px)
{
	const struct cfg *c = &l->q->cfg;
	int64_t held = strat_own(l->m).e8;
	bool reduce = l->q->trading == TRADING_REDUCE ||
		      l->m->risk_state == TRADING_REDUCE;
	int64_t room;

	if (side == SIDE_BID)
		held = -held;
	room = usd_notional(px, QTY(held)).e6;
	if (!reduce)
		room += c->perp_inventory_limit_usd.e6;
	return USD(i64_clamp(
	    (int64_t)((double)c->perp_order_usd.e6 * quote_factors(l).size), 0,
	    i64_max(0, room)));
}

/* Quotes that are not worth an action stay where they are. */
static void
spare(struct strat_look *l, struct strat_want *want, enum side side)
{
	const struct cfg *c = &l->q->cfg;
	struct ladder_state *s = &perp_of(l)->state;

	for (uint32_t k = 0; k < want->n[side]; k++) {
		struct book_level *v = &want->level[side][k];
		const struct quote_side *have =
		    quote_slot(l->q, l->instr, side, (uint8_t)k);
		int64_t move = v->px.e8 - have->px.e8;
		bool old = (int64_t)(l->ev->now_ns - have->since_ns) >=
			   c->perp_max_age_s.ns;
		bool crosses = side == SIDE_BID
				   ? have->px.e8 >= l->m->ask_px.e8
				   : have->px.e8 <= l->m->bid_px.e8;

		if (have->qty.e8 <= 0 || have->refused != 0 || crosses)
			continue;
		if (move < 0)
			move = -move;
		if (move == 0 ||
		    (!old && !ladder_worth(
				 s, c, (double)move / (double)v->px.e8 * 1e4)))
			*v = (struct book_level){
			    have->px, move == 0 ? v->qty : have->qty};
	}
}

/* Both sides may have been spared: no bid of ours reaches an ask of ours. */
static void
part(struct strat_look *l, struct strat_want *want)
{
	int64_t room =
	    want->level[SIDE_ASK][0].px.e8 - want->level[SIDE_BID][0].px.e8;

	if (want->n[SIDE_BID] == 0 || want->n[SIDE_ASK] == 0 || room > 0)
		return;
	why_both(&l->why, WHY_ROOM, room, 0, false);
	for (int side = SIDE_BID; side < SIDE_N; side++) {
		want->n[side] = 0;
		want->stop[side] = WHY_ROOM;
	}
}

static void
take_over(
    struct strat_look *l, const struct ladder_out *o, struct strat_want *want)
{
	struct ladder_state *s = &perp_of(l)->state;
	uint32_t most =
	    o->n[SIDE_BID] > o->n[SIDE_ASK] ? o->n[SIDE_BID] : o->n[SIDE_ASK];

	for (int side = SIDE_BID; side < SIDE_N; side++) {
		want->n[side] = o->n[side];
		memcpy(want->level[side], o->level[side],
		    sizeof(want->level[side]));
		why_put(&l->why, (enum side)side, WHY_SIZE, o->n[side], 1,
		    o->n[side] > 0);
		if (o->n[side] == 0)
			want->stop[side] = WHY_SIZE;
		spare(l, want, (enum side)side);
	}
	part(l, want);
	if (most < o->asked && most != s->cut_told) {
		s->cut_told = most;
		quote_note_add(l->out, &(struct quote_note){QUOTE_CUT, l->instr,
					   0, 0, most, o->asked});
	}
}

static void
rest(struct strat_look *l, struct strat_want *want)
{
	const struct cfg *c = &l->q->cfg;
	struct quote_mkt *m = l->m;
	struct ladder_state *s = &perp_of(l)->state;
	struct ladder_book b;
	struct ladder_out o;
	struct ladder_in in;
	double held;

	if (!is_due(l, s)) {
		want->hold = true;
		return;
	}
	s->refresh_ns = l->ev->now_ns;
	s->bid_px = m->bid_px;
	s->ask_px = m->ask_px;
	s->position_e8 = m->position.e8;
	ladder_refill(s, c, l->ev->now_ns, 0.0);
	if (!look(l, &b) || !ladder_is_liquid(&b, c)) {
		int64_t least = llround(fmin(b.bid_usd, b.ask_usd) * 1e6);

		why_both(
		    &l->why, WHY_ROOM, least, c->perp_liquid_min.e6, false);
		want->stop[SIDE_BID] = WHY_ROOM;
		want->stop[SIDE_ASK] = WHY_ROOM;
		return;
	}
	why_both(&l->why, WHY_ROOM, 1, 0, true);
	held = (double)strat_own(m).e8 / 1e8 * (double)b.mid.e8 / 1e8;
	memset(&in, 0, sizeof(in));
	in.reserve = reserve(l, &b);
	in.bid_px = m->bid_px;
	in.ask_px = m->ask_px;
	in.tick = m->in.tick_px;
	in.sig = m->in.px_sig;
	in.lot = m->in.lot_qty;
	in.min_qty = m->in.min_qty;
	in.min_usd = m->in.min_usd;
	in.usd[SIDE_BID] = side_usd(l, SIDE_BID, in.reserve);
	in.usd[SIDE_ASK] = side_usd(l, SIDE_ASK, in.reserve);
	in.spread_bps = fmin(dec(c->perp_max_spread_bps),
	    ladder_spread(c, &b, annual(l), s) * quote_factors(l).spread);
	in.skew = ladder_skew(c, held / capital(l));
	m->reserve = in.reserve;
	m->half =
	    PX(llround((double)in.reserve.e8 * in.spread_bps * 1e-4 / 2.0));
	ladder_make(c, &in, &o);
	take_over(l, &o, want);
}

const struct strat strat_maker_perp = {
    .name = "maker_perp",
    .kind = STRAT_REST,
    .id = STRATEGY_MAKER,
    .fits = fits,
    .rest = rest,
};
