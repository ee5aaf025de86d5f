#include "libcore/kelly.h"

#include <math.h>

#include "libcore/check.h"

double
kelly_fraction(double prob, double cost)
{
	if (!(cost > 0.0 && cost < 1.0) || !(prob >= 0.0 && prob <= 1.0))
		return 0.0;
	return (prob - cost) / (1.0 - cost);
}

/* A share of money, rounded down; nothing for what is no share. */
static usd_t
part(usd_t usd, double frac)
{
	if (!(frac > 0.0) || usd.e6 <= 0)
		return USD(0);
	return USD((int64_t)floor((double)usd.e6 * fmin(frac, 1.0) + 1e-6));
}

usd_t
kelly_allocation(const struct kelly_cfg *c, usd_t bankroll, double frac)
{
	CHECK(c->alloc_min_frac <= c->alloc_max_frac);
	if (!isfinite(frac))
		frac = c->alloc_min_frac;
	return part(
	    bankroll, fmax(c->alloc_min_frac, fmin(c->alloc_max_frac, frac)));
}

usd_t
kelly_stake(const struct kelly_cfg *c, const struct kelly_in *in,
    enum kelly_limit *limit)
{
	double f = kelly_fraction(in->prob, (double)in->cost.e8 / 1e8);
	usd_t want = part(in->bankroll, c->fraction * f);
	usd_t trade = part(in->bankroll, c->trade_max_frac);
	usd_t left = USD(kelly_allocation(c, in->bankroll, in->alloc_frac).e6 -
			 in->at_stake.e6);

	if (!(f > 0.0) || want.e6 <= 0) {
		*limit = KELLY_NO_EDGE;
		return USD(0);
	}
	if (in->open_n >= c->concurrent_max) {
		*limit = KELLY_FULL;
		return USD(0);
	}
	*limit = KELLY_FREE;
	if (want.e6 > trade.e6) {
		want = trade;
		*limit = KELLY_TRADE;
	}
	if (want.e6 > left.e6) {
		want = USD(i64_max(0, left.e6));
		*limit = KELLY_ALLOC;
	}
	return want;
}
