#include "quoted/ladder.h"

#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/vol.h"

#define DAY_S	   86400.0
#define TIER	   5u	/* levels in a tier                                */
#define BALANCED   0.25 /* of the way to the most skew, at balanced_frac */
#define RESERVE	   0.1	/* of the action budget, for withdrawals         */
#define IMBALANCED 1.3	/* at the limit of imbalance                      */
#define DEEP	   0.9	/* at the limit of depth                          */
#define CALM_BPS   50.0 /* most of the spread before the factors          */

static double
dec(dec_t d)
{
	return (double)d.e8 / 1e8;
}

static double
usd(usd_t u)
{
	return (double)u.e6 / 1e6;
}

static double
side_usd(const struct book *b, enum side side, double *qty, double *value)
{
	double sum = 0.0;

	for (uint32_t i = 0; i < LADDER_TOP && i < book_n(b, side); i++) {
		const struct book_level *v = book_level(b, side, i);
		double q = (double)v->qty.e8 / 1e8;
		double p = (double)v->px.e8 / 1e8;

		*qty += q;
		*value += q * p;
		sum += q * p;
	}
	return sum;
}

bool
ladder_look(const struct book *b, struct ladder_book *out)
{
	double bid_qty = 0.0;
	double ask_qty = 0.0;
	double bid = 0.0;
	double ask = 0.0;

	if (book_n(b, SIDE_BID) == 0 || book_n(b, SIDE_ASK) == 0)
		return false;
	out->bid_usd = side_usd(b, SIDE_BID, &bid_qty, &bid);
	out->ask_usd = side_usd(b, SIDE_ASK, &ask_qty, &ask);
	out->imbalance = (bid_qty - ask_qty) / (bid_qty + ask_qty);
	out->mid =
	    PX(llround((bid / bid_qty * ask_qty + ask / ask_qty * bid_qty) /
		       (bid_qty + ask_qty) * 1e8));
	return true;
}

bool
ladder_is_liquid(const struct ladder_book *b, const struct cfg *c)
{
	double least = usd(c->perp_liquid_min);

	return b->bid_usd >= least && b->ask_usd >= least;
}

static double
calm_spread(const struct cfg *c, double annual)
{
	static const double lo[4] = {1.0, 2.0, 5.0, 10.0};
	static const double hi[4] = {10.0, 20.0, 35.0, 50.0};
	const double bound[3] = {dec(c->perp_zone_low_annual_1m),
	    dec(c->perp_zone_mid_annual_1m), dec(c->perp_zone_high_annual_1m)};
	unsigned zone;
	double from;
	double to;
	double at;

	if (annual < 0.0)
		return dec(c->perp_spread_bps);
	zone = annual < bound[0]   ? 0
	       : annual < bound[1] ? 1
	       : annual < bound[2] ? 2
				   : 3;
	from = zone == 0 ? 0.0 : bound[zone - 1];
	to = zone == 3 ? 2.0 * bound[2] : bound[zone];
	at = to > from ? fmin(1.0, (annual - from) / (to - from)) : 1.0;
	return lo[zone] + at * (hi[zone] - lo[zone]);
}

double
ladder_spread(const struct cfg *c, const struct ladder_book *b, double annual,
    const struct ladder_state *s)
{
	double spread = fmax(1.0, fmin(CALM_BPS, calm_spread(c, annual)));
	double limit = dec(c->perp_imbalance_limit);
	double deep = usd(c->perp_deep_min);
	double least = fmin(b->bid_usd, b->ask_usd);
	double off = fabs(b->imbalance);
	double capture;

	if (off > limit) {
		double most = dec(c->perp_imbalance_mult);
		double from = fmin(IMBALANCED, most);

		spread *= from + (most - from) * (off - limit) / (1.0 - limit);
	}
	if (deep > 0.0 && least >= deep) {
		double most = dec(c->perp_deep_mult);
		double from = fmax(DEEP, most);

		spread *= from - (from - most) * fmin(1.0, least / deep - 1.0);
	}
	if (ladder_capture(s, &capture) && capture < -dec(c->perp_adverse_bps))
		spread *= dec(c->perp_adverse_mult);
	return fmax(dec(c->perp_min_spread_bps),
	    fmin(dec(c->perp_max_spread_bps), spread));
}

/* ---- fills ---- */

void
ladder_fill(struct ladder_state *s, enum side side, px_t px, uint64_t now_ns)
{
	s->fill[s->fill_at] =
	    (struct ladder_fill){.ns = now_ns, .px = px, .side = (uint8_t)side};
	s->fill_at = (s->fill_at + 1) % LADDER_FILLS;
}

void
ladder_mid(
    struct ladder_state *s, const struct cfg *c, px_t mid, uint64_t now_ns)
{
	for (uint32_t i = 0; i < LADDER_FILLS; i++) {
		struct ladder_fill *f = &s->fill[i];
		double gain;

		if (f->ns == 0 || f->done ||
		    now_ns < f->ns + (uint64_t)c->perp_capture_after.ns)
			continue;
		gain = (double)(mid.e8 - f->px.e8) / (double)f->px.e8 * 1e4;
		f->bps = f->side == SIDE_BID ? gain : -gain;
		f->done = 1;
	}
}

bool
ladder_capture(const struct ladder_state *s, double *bps)
{
	double sum = 0.0;
	double n = 0.0;

	for (uint32_t i = 0; i < LADDER_FILLS; i++) {
		if (!s->fill[i].done)
			continue;
		sum += s->fill[i].bps;
		n += 1.0;
	}
	if (n < 1.0)
		return false;
	*bps = sum / n;
	return true;
}

/* ---- skew ---- */

struct ladder_skew
ladder_skew(const struct cfg *c, double frac)
{
	double none = dec(c->perp_skew_none_frac);
	double balanced = fmax(none, dec(c->perp_skew_balanced_frac));
	double most = fmax(balanced, dec(c->perp_skew_max_frac));
	double mult = dec(c->perp_skew_mult);
	double size = fabs(frac);
	double way; /* 0..1 of the most skew */
	double wide;
	struct ladder_skew out;

	if (size <= none)
		way = 0.0;
	else if (size <= balanced)
		way = BALANCED * (size - none) / (balanced - none);
	else if (size < most)
		way = BALANCED +
		      (1.0 - BALANCED) * (size - balanced) / (most - balanced);
	else
		way = 1.0;
	wide = 1.0 + way * (mult - 1.0);
	out.bid_mult = frac > 0.0 ? wide : 1.0 / wide;
	out.ask_mult = frac > 0.0 ? 1.0 / wide : wide;
	if (size > dec(c->perp_skew_one_sided_frac)) {
		if (frac > 0.0)
			out.bid_mult = 0.0;
		else
			out.ask_mult = 0.0;
	}
	return out;
}

double
ladder_funding(const struct cfg *c, double hourly, double hours)
{
	return -dec(c->perp_funding_weight) * hourly *
	       fmax(0.0, fmin(1.0, hours));
}

/* ---- levels ---- */

void
ladder_weights(const struct cfg *c, uint32_t n, double w[ORDER_LEVELS])
{
	double decay = dec(c->ladder_decay);
	double first = dec(c->ladder_tier1_frac);
	double second = dec(c->ladder_tier2_frac);
	const double share[3] = {
	    first, second, fmax(0.0, 1.0 - first - second)};
	double all = 0.0;

	CHECK(n <= 3 * TIER);
	for (uint32_t k = 0; k < n; k++) {
		uint32_t tier = c->ladder_decay_only ? 0 : k / TIER;
		uint32_t in = c->ladder_decay_only ? k : k % TIER;

		w[k] = pow(decay, in);
		if (!c->ladder_decay_only) {
			double sum = 0.0;

			for (uint32_t i = 0; i < TIER; i++)
				sum +=
				    tier * TIER + i < n ? pow(decay, i) : 0.0;
			w[k] *= share[tier] / sum;
		}
		all += w[k];
	}
	for (uint32_t k = 0; k < n; k++)
		w[k] = all > 0.0 ? w[k] / all : 1.0 / n;
}

static double
geometric(double from, double to, double at)
{
	return from * pow(to / from, at);
}

double
ladder_distance(const struct cfg *c, uint32_t k)
{
	double e0 = dec(c->ladder_first_bps);
	double e1 = fmax(e0, dec(c->ladder_tier1_bps));
	double e2 = fmax(e1, dec(c->ladder_tier2_bps));
	double e3 = fmax(e2, dec(c->ladder_tier3_bps));

	if (k < TIER)
		return geometric(e0, e1, k / (TIER - 1.0));
	if (k < 2 * TIER)
		return geometric(e1, e2, (k - TIER + 1.0) / TIER);
	return geometric(e2, e3, fmin(1.0, (k - 2 * TIER + 1.0) / TIER));
}

/* Dollars of a side that is one level: the whole, and at least a minimum
 * order rounded up to the lot, so that the smallest account can quote. */
static qty_t
lots(const struct ladder_in *in, double dollars, bool up)
{
	double each = (double)in->reserve.e8 / 1e8;
	qty_t n = QTY(llround(dollars / each * 1e8));

	if (up)
		n.e8 += in->lot.e8 - 1;
	return qty_floor_lot(n, in->lot);
}

static bool
is_enough(const struct ladder_in *in, qty_t n, px_t px)
{
	return n.e8 > 0 && n.e8 >= in->min_qty.e8 &&
	       usd_notional(px, n).e6 >= in->min_usd.e6;
}

static px_t
level_px(const struct ladder_in *in, enum side side, double bps)
{
	double px = (double)in->reserve.e8 *
		    (side == SIDE_BID ? 1.0 - bps * 1e-4 : 1.0 + bps * 1e-4);
	px_t p = PX(llround(px));
	px_t tick = px_sig_tick(p, in->tick, in->sig);

	if (side == SIDE_BID) {
		p.e8 = i64_min(p.e8, in->ask_px.e8 - tick.e8);
		return px_floor_tick(p, tick);
	}
	p.e8 = i64_max(p.e8, in->bid_px.e8 + tick.e8);
	return px_ceil_tick(p, tick);
}

static void
make_side(const struct cfg *c, const struct ladder_in *in, enum side side,
    struct ladder_out *out)
{
	double mult = side == SIDE_BID ? in->skew.bid_mult : in->skew.ask_mult;
	double dollars = usd(in->usd[side]);
	double first = ladder_distance(c, 0);
	double more = fmax(0.0, in->spread_bps / 2.0 - first);
	double w[ORDER_LEVELS];
	uint32_t n = out->asked;

	out->n[side] = 0;
	if (!(mult > 0.0) || !(dollars > 0.0))
		return;
	/* Weights fall, so that the last level is the smallest. */
	for (; n > 1; n--) {
		ladder_weights(c, n, w);
		if (is_enough(in, lots(in, dollars * w[n - 1], false),
			level_px(in, SIDE_BID, 100.0)))
			break;
	}
	ladder_weights(c, n, w);
	for (uint32_t k = 0; k < n; k++) {
		uint32_t at = out->n[side];
		struct book_level v = {
		    level_px(in, side, (ladder_distance(c, k) + more) * mult),
		    lots(in, dollars * w[k], n == 1)};

		if (!is_enough(in, v.qty, v.px) || v.px.e8 <= 0)
			continue;
		if (at > 0 && out->level[side][at - 1].px.e8 == v.px.e8)
			out->level[side][at - 1].qty.e8 += v.qty.e8;
		else
			out->level[side][out->n[side]++] = v;
	}
}

void
ladder_make(
    const struct cfg *c, const struct ladder_in *in, struct ladder_out *out)
{
	CHECK(in->reserve.e8 > 0);
	CHECK(in->tick.e8 > 0);
	CHECK(in->lot.e8 > 0);
	out->asked = (uint32_t)i64_min(c->ladder_levels, ORDER_EXIT_LEVEL);
	make_side(c, in, SIDE_BID, out);
	make_side(c, in, SIDE_ASK, out);
}

/* ---- budget ---- */

bool
ladder_worth(const struct ladder_state *s, const struct cfg *c, double move_bps)
{
	double f = s->budget / (double)c->perp_action_budget;

	if (f < RESERVE)
		return false;
	return f >= 1.0 || move_bps >= 1.0 / f - 1.0;
}

void
ladder_spend(struct ladder_state *s)
{
	s->budget = fmax(0.0, s->budget - 1.0);
}

void
ladder_refill(struct ladder_state *s, const struct cfg *c, uint64_t now_ns,
    double traded_usd)
{
	double full = (double)c->perp_action_budget;
	double dt = s->budget_ns == 0 || now_ns < s->budget_ns
			? 0.0
			: (double)(now_ns - s->budget_ns) / 1e9;

	if (s->budget_ns == 0)
		s->budget = full;
	s->budget_ns = now_ns;
	s->budget = fmin(full, s->budget + dt * full / DAY_S + traded_usd);
}
