#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/sizing.h"
#include "quoted/price.h"
#include "quoted/quote.h"

static bool
is_binary(const struct quote_mkt *m)
{
	return m->in.cls == CLASS_BINARY || m->in.cls == CLASS_UPDOWN;
}

static px_t
microprice(const struct quote_mkt *m)
{
	int64_t sum = m->bid_qty.e8 + m->ask_qty.e8;

	CHECK(sum > 0);
	return PX(m->bid_px.e8 +
		  i64_mul_div(m->ask_px.e8 - m->bid_px.e8, m->bid_qty.e8, sum));
}

/* Inventory over its limit, -1..1. */
static double
normalised(const struct quote *q, const struct quote_mkt *m, px_t micro)
{
	double limit = is_binary(m)
			   ? (double)q->cfg.mm_inventory_limit_qty.e8
			   : (double)q->cfg.perp_inventory_limit_usd.e6 * 1e10 /
				 (double)i64_max(1, micro.e8);
	double n = (double)m->position.e8 / limit;

	return fmax(-1.0, fmin(1.0, n));
}

static double
horizon_s(const struct quote *q, const struct quote_mkt *m)
{
	int64_t t = q->cfg.mm_horizon_s.ns;

	if (m->in.end_wall_ns != 0 && m->venue_ns != 0)
		t = i64_clamp(m->in.end_wall_ns - m->venue_ns, 0, t);
	return (double)t / 1e9;
}

static px_t
bps_of(px_t px, int64_t bps_e8)
{
	return PX(i64_mul_div(px.e8, bps_e8, E8 * 10000));
}

/* Half of the spread, widened, within perp.min_ and perp.max_spread_bps. */
static px_t
perp_half(const struct cfg *c, px_t micro, double widen)
{
	int64_t bps_e8 = llround((double)c->perp_spread_bps.e8 * widen);

	bps_e8 = i64_clamp(
	    bps_e8, c->perp_min_spread_bps.e8, c->perp_max_spread_bps.e8);
	return bps_of(micro, bps_e8 / 2);
}

static void
fill_price(struct quote *q, struct quote_mkt *m, struct price_in *in,
    struct quote_out *out)
{
	const struct cfg *c = &q->cfg;
	struct vol_cfg vc = {
	    .sample_ns = (uint64_t)c->vol_sample.ns,
	    .halflife_ns = (uint64_t)c->vol_ema_halflife.ns,
	    .window_ns = (uint64_t)c->vol_baseline_window.ns,
	    .min_n = (uint64_t)c->vol_min_samples,
	};
	double cur = 0.0;
	double base = 1.0;
	bool known = vol_current(&m->vol, &vc, &cur) &&
		     vol_baseline(&m->vol, &vc, &base);
	double ratio = known ? sqrt(cur / base) : 0.0;

	in->micro = microprice(m);
	in->bid_px = m->bid_px;
	in->ask_px = m->ask_px;
	in->binary = is_binary(m);
	in->tick = px_sig_tick(in->micro, m->in.tick_px, m->in.px_sig);
	in->gamma = price_gamma(c, known, ratio, 1.0);
	in->q_norm = normalised(q, m, in->micro);
	in->var_s = known ? cur : 0.0;
	in->horizon_s = horizon_s(q, m);
	in->widen =
	    fmax(1.0, fmin(ratio, (double)c->mm_gamma_cap_mult.e8 / 1e8));
	if (in->binary) {
		in->half_px = PX(c->mm_target_spread.e8 / 2);
		in->skew_px_max =
		    PX(i64_mul_div(in->tick.e8, c->mm_max_skew_ticks.e8, E8));
	} else {
		in->half_px = perp_half(c, in->micro, in->widen);
		in->widen = 1.0;
		in->skew_px_max = bps_of(in->micro, c->perp_max_skew_bps.e8);
	}
	if (fabs(in->gamma - m->gamma) > 0.1 * m->gamma) {
		m->gamma = in->gamma;
		quote_note_add(
		    out, &(struct quote_note){QUOTE_GAMMA, quote_index(q, m), 0,
			     0, llround(in->gamma * 1e8), known});
	}
}

/* Dollars at stake in one unit: what the side can lose, or its notional. */
static qty_t
affordable(usd_t usd, int64_t per_unit_e8)
{
	return QTY(i64_mul_div(usd.e6, 100 * E8, i64_max(1, per_unit_e8)));
}

static qty_t
size_binary(
    const struct quote *q, const struct quote_mkt *m, enum side side, px_t px)
{
	const struct cfg *c = &q->cfg;
	const struct sizing_shares shares = {
	    .maker_e8 = c->capital_maker_frac.e8, .maker_on = true};
	const struct sizing_in in = {
	    .capital = sizing_split(c->capital_usd, &shares).maker,
	    .markets = c->mm_max_markets,
	    .px = px,
	    .side = side,
	    .worst_case = c->sizing_mode == CFG_SIZING_WORST_CASE,
	    .position = m->position,
	    .limit = QTY(c->mm_inventory_limit_qty.e8),
	    .max = QTY(c->mm_max_order_shares.e8),
	    .exit = QTY(-1),
	};

	return sizing_binary(&in);
}

static qty_t
size_perp(
    const struct quote *q, const struct quote_mkt *m, enum side side, px_t px)
{
	const struct cfg *c = &q->cfg;
	int64_t held = side == SIDE_BID ? -m->position.e8 : m->position.e8;
	qty_t limit = affordable(c->perp_inventory_limit_usd, px.e8);
	qty_t n = affordable(c->perp_order_usd, px.e8);

	/* Up to the next lot, so that the venue's minimum value is reached. */
	n.e8 += m->in.lot_qty.e8 - 1;
	return QTY(i64_min(n.e8, limit.e8 + held));
}

static qty_t
size_of(struct quote *q, struct quote_mkt *m, enum side side, px_t px,
    struct quote_out *out)
{
	qty_t n = is_binary(m) ? size_binary(q, m, side, px)
			       : size_perp(q, m, side, px);
	int64_t held = side == SIDE_BID ? -m->position.e8 : m->position.e8;

	if (q->trading == TRADING_REDUCE)
		n.e8 = i64_min(n.e8, i64_max(0, held));
	if (n.e8 <= 0)
		return QTY(0);
	n = qty_floor_lot(n, m->in.lot_qty);
	if (n.e8 >= m->in.min_qty.e8 &&
	    usd_notional(px, n).e6 >= m->in.min_usd.e6)
		return n;
	if (!m->warned) {
		m->warned = true;
		quote_note_add(
		    out, &(struct quote_note){QUOTE_SMALL, quote_index(q, m),
			     REASON_TOO_SMALL, 0, n.e8, m->in.min_qty.e8});
	}
	return QTY(0);
}

void
quote_wanted(struct quote *q, struct quote_mkt *m, const struct event *ev,
    struct quote_side want[SIDE_N], struct quote_out *out)
{
	struct price_in in;
	struct price_out px;

	memset(&in, 0, sizeof(in));
	memset(want, 0, sizeof(want[0]) * SIDE_N);
	fill_price(q, m, &in, out);
	in.widen *= quote_settle_widen(q, m, ev->now_ns);
	if (!price_quotes(&in, &px))
		return;
	want[SIDE_BID].px = px.bid;
	want[SIDE_BID].qty = size_of(q, m, SIDE_BID, px.bid, out);
	want[SIDE_ASK].px = px.ask;
	want[SIDE_ASK].qty = size_of(q, m, SIDE_ASK, px.ask, out);
}
