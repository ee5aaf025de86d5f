/*
 * The maker on binaries: Avellaneda-Stoikov around the micro-price, one level
 * a side, each side sized by what it can lose.
 */
#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "quoted/price.h"
#include "quoted/room.h"

static bool
fits(const struct quote *q, const struct quote_mkt *m)
{
	(void)q;
	return quote_is_binary(m);
}

static double
dec(dec_t d)
{
	return (double)d.e8 / 1e8;
}

/* Inventory over its limit, -1..1. */
static double
normalised(const struct quote *q, const struct quote_mkt *m)
{
	double n =
	    (double)strat_own(m).e8 / (double)q->cfg.mm_inventory_limit_qty.e8;

	return fmax(-1.0, fmin(1.0, n));
}

static double
horizon_s(const struct strat_look *l)
{
	return (double)i64_clamp(l->left_ns, 0, l->q->cfg.mm_horizon_s.ns) /
	       1e9;
}

/* Half of the spread before widening: mm.target_spread, or more where the
 * model knows how far away fills still come. */
static px_t
half_spread(const struct strat_look *l, const struct price_in *in)
{
	const struct cfg *c = &l->q->cfg;
	const struct as_kappa_cfg kc = {.bin = dec(c->mm_kappa_bin),
	    .halflife_s = (double)c->mm_kappa_halflife.ns / 1e9,
	    .min_n = (double)c->mm_kappa_min_trades};
	double kappa;
	double rate;
	double spread;

	if (c->mm_spread_model != CFG_SPREAD_AS ||
	    !as_kappa_fit(&l->m->kappa, &kc, &kappa, &rate))
		return PX(c->mm_target_spread.e8 / 2);
	spread = as_spread(in->gamma, in->var_s, in->horizon_s, kappa) * 1e8;
	return PX(llround(fmin(spread, (double)c->mm_max_spread.e8) / 2.0));
}

static void
fill_price(struct strat_look *l, struct price_in *in)
{
	const struct cfg *c = &l->q->cfg;
	struct quote_mkt *m = l->m;
	const struct vol_cfg *vc = &l->q->sig.vol.vol;
	double cur = 0.0;
	double base = 1.0;
	bool known =
	    vol_current(&m->vol, vc, &cur) && vol_baseline(&m->vol, vc, &base);
	double ratio = known ? sqrt(cur / base) : 0.0;

	memset(in, 0, sizeof(*in));
	in->micro = quote_micro(l->q, m);
	in->bid_px = m->bid_px;
	in->ask_px = m->ask_px;
	in->binary = true;
	in->tick = px_sig_tick(in->micro, m->in.tick_px, m->in.px_sig);
	in->gamma = price_gamma(c, known, ratio, 1.0, quote_factors(l).gamma);
	in->q_norm = normalised(l->q, m);
	in->var_s = known ? cur : 0.0;
	in->horizon_s = horizon_s(l);
	in->widen = fmax(1.0, fmin(ratio, dec(c->mm_gamma_cap_mult))) *
		    quote_settle_widen(l->q, m, l->ev->now_ns) *
		    quote_factors(l).spread;
	in->half_px = half_spread(l, in);
	in->skew_px_max =
	    PX(i64_mul_div(in->tick.e8, c->mm_max_skew_ticks.e8, E8));
	if (fabs(in->gamma - m->gamma) > 0.1 * m->gamma) {
		m->gamma = in->gamma;
		quote_note_add(
		    l->out, &(struct quote_note){QUOTE_GAMMA, l->instr, 0, 0,
				llround(in->gamma * 1e8), known});
	}
}

static qty_t
size(const struct strat_look *l, enum side side, px_t px)
{
	const struct cfg *c = &l->q->cfg;
	struct sizing_in in = {
	    .capital = strat_capital(l->q).maker,
	    .markets = c->mm_max_markets,
	    .px = px,
	    .side = side,
	    .worst_case = c->sizing_mode == CFG_SIZING_WORST_CASE,
	    .position = strat_own(l->m),
	    .limit = QTY(c->mm_inventory_limit_qty.e8),
	    .max = QTY(c->mm_max_order_shares.e8),
	    .exit = strat_exit(l, side),
	};

	in.capital.e6 =
	    (int64_t)((double)in.capital.e6 * quote_factors(l).size);
	return sizing_binary(&in);
}

static void
one_side(struct strat_look *l, enum side side, px_t px, struct strat_want *want)
{
	int64_t held = strat_own(l->m).e8;
	qty_t n = size(l, side, px);
	bool reduce = l->q->trading == TRADING_REDUCE ||
		      l->m->risk_state == TRADING_REDUCE;

	if (side == SIDE_BID)
		held = -held;
	if (reduce)
		n.e8 = i64_min(n.e8, i64_max(0, held));
	if (!why_put(&l->why, side, WHY_ALLOWED, !reduce || held > 0, 1,
		!reduce || held > 0)) {
		want->stop[side] = WHY_ALLOWED;
		return;
	}
	n = strat_lots(l, want, side, px, n);
	if (n.e8 == 0)
		return;
	want->level[side][0] = (struct book_level){px, n};
	want->n[side] = 1;
}

static void
rest(struct strat_look *l, struct strat_want *want)
{
	struct price_in in;
	struct price_out px = {.bid = PX(0)};
	bool room;

	fill_price(l, &in);
	room = price_quotes(&in, &px);
	l->m->reserve = px.reserve;
	l->m->half = PX(llround((double)in.half_px.e8 * in.widen));
	why_both(&l->why, WHY_ROOM, px.ask.e8 - px.bid.e8, 0, room);
	if (!room) {
		want->stop[SIDE_BID] = WHY_ROOM;
		want->stop[SIDE_ASK] = WHY_ROOM;
		return;
	}
	one_side(l, SIDE_BID, px.bid, want);
	one_side(l, SIDE_ASK, px.ask, want);
}

const struct strat strat_maker_bin = {
    .name = "maker_bin",
    .kind = STRAT_REST,
    .id = STRATEGY_MAKER,
    .fits = fits,
    .rest = rest,
};
