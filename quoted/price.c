#include "quoted/price.h"

#include <math.h>

#include "libcore/astoikov.h"
#include "libcore/check.h"

static double
dec(dec_t d)
{
	return (double)d.e8 / 1e8;
}

double
price_gamma(const struct cfg *cfg, bool sigma_known, double s_cur,
    double s_base, double toxic)
{
	const struct as_gamma_cfg c = {
	    .base = dec(cfg->mm_gamma_risk_aversion),
	    .cap_mult = dec(cfg->mm_gamma_cap_mult),
	    .max = dec(cfg->mm_gamma_max),
	};

	CHECK(!sigma_known || s_base > 0.0);
	return as_gamma(&c, sigma_known, s_cur / s_base, toxic);
}

bool
price_quotes(const struct price_in *in, struct price_out *out)
{
	const struct as_shift_in shift = {
	    .gamma = in->gamma,
	    .q = in->q_norm,
	    .var_s = in->var_s,
	    .horizon_s = in->horizon_s,
	    .scale = in->binary ? 1.0 : (double)in->micro.e8 / 1e8,
	    .max = (double)in->skew_px_max.e8 / 1e8,
	};
	int64_t shift_e8 = llround(as_shift(&shift) * 1e8);
	int64_t half = llround((double)in->half_px.e8 * in->widen);
	px_t bid;
	px_t ask;

	CHECK(in->tick.e8 > 0);
	CHECK(in->widen >= 1.0);
	out->reserve = PX(in->micro.e8 - shift_e8);
	bid = px_floor_tick(PX(out->reserve.e8 - half), in->tick);
	ask = px_ceil_tick(PX(out->reserve.e8 + half), in->tick);
	bid = px_floor_tick(
	    PX(i64_min(bid.e8, in->ask_px.e8 - in->tick.e8)), in->tick);
	ask = px_ceil_tick(
	    PX(i64_max(ask.e8, in->bid_px.e8 + in->tick.e8)), in->tick);
	if (in->binary) {
		bid.e8 = i64_clamp(bid.e8, in->tick.e8, E8 - in->tick.e8);
		ask.e8 = i64_clamp(ask.e8, in->tick.e8, E8 - in->tick.e8);
	}
	if (bid.e8 <= 0 || bid.e8 >= ask.e8 || bid.e8 >= in->ask_px.e8 ||
	    ask.e8 <= in->bid_px.e8)
		return false;
	out->bid = bid;
	out->ask = ask;
	return true;
}
