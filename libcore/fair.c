#include "libcore/fair.h"

#include <math.h>

#include "libcore/check.h"
#include "libcore/normal.h"

/* Total variance beyond this changes no probability that a double shows. */
#define VAR_MAX	  400.0
#define VAR_S_MAX 1e6
#define LOG_MAX	  80.0
#define BASIS_MAX 1.0
#define TIME_MAX  1e9
#define GAIN_MAX  1e9
/* Below it no price of ours can tell it from nothing. */
#define SD_MIN	  1e-12
#define PRICE_MIN 1e-15
#define PRICE_MAX 1e15

/* What is still open, in terms of one price that has to exceed another. */
struct open {
	double now;  /* S', where the open part starts               */
	double need; /* what it has to exceed; <= 0: it does already */
	double var;  /* of the logarithm of the open part            */
	double seen; /* share of the look-back gone by that was seen */
	double gain; /* d (ln now - ln need) / d ln spot            */
};

static bool
is_price(double x)
{
	return x > PRICE_MIN && x < PRICE_MAX;
}

/* x when it is a number, else or. */
static double
number(double x, double or)
{
	return isfinite(x) ? x : or ;
}

static double
clamp(double x, double lo, double hi)
{
	return fmax(lo, fmin(hi, x));
}

/* ln of the second moment over the square of the first, of the average of a
 * driftless lognormal over x of variance: ln(2 (e^x - 1 - x) / x^2). */
static double
average_var(double x)
{
	if (x < 0.02)
		return log1p(x / 3.0 + x * x / 12.0 + x * x * x / 60.0);
	return x + log(2.0 * (1.0 - (1.0 + x) * exp(-x)) / (x * x));
}

static void
open_gbm(const struct fair_in *in, double left, double lead, double var,
    struct open *o)
{
	double t = fmax(0.0, left - lead);

	o->need = in->strike;
	o->var = fmin(VAR_MAX, var * t);
	o->seen = 1.0;
}

static void
open_twap(const struct fair_in *in, double left, double lead, double var,
    struct open *o)
{
	double w = fmin(in->lookback_s, TIME_MAX);
	double until = fmax(0.0, left - w); /* before the look-back  */
	double ahead = fmin(left, w);	    /* of it, still to come  */
	double gone = w - ahead;
	double known = clamp(lead - until, 0.0, ahead);
	double open = ahead - known;
	double delay = fmax(0.0, until - lead);
	bool seen = is_price(in->seen_px) && number(in->seen_s, 0.0) > 0.0;
	double lead_px =
	    is_price(in->lead_px) ? in->lead_px * (o->now / in->spot) : o->now;
	double sum = in->strike * w - known * lead_px;

	o->seen =
	    gone > 0.0 ? clamp(number(in->seen_s, 0.0) / gone, 0.0, 1.0) : 1.0;
	if (gone > 0.0 && !seen) {
		/* Backwards in time the path is a random walk as well. */
		double back = gone * gone * gone / 3.0;
		double fore = open * open * (delay + open / 3.0);

		o->seen = 0.0;
		o->need = in->strike;
		o->var = fmin(VAR_MAX, var * (back + fore) / (w * w));
		return;
	}
	if (gone > 0.0)
		sum -= gone * in->seen_px;
	if (open <= 0.0) {
		/* Decided: the mean of it all against the strike. */
		o->now = (in->strike * w - sum) / w;
		o->need = in->strike;
		o->var = 0.0;
		return;
	}
	o->need = sum / open;
	if (!is_price(in->lead_px) && o->need > 0.0)
		o->gain = fmin(GAIN_MAX, o->gain + known * o->now / sum);
	o->var =
	    fmin(VAR_MAX, var * delay) + average_var(fmin(VAR_MAX, var * open));
}

static double
confidence(const struct fair_in *in, const struct fair_cfg *c, double left,
    double seen)
{
	double k = seen;
	double fade = c->fade_s > 0.0 ? clamp(left / c->fade_s, 0.0, 1.0) : 1.0;

	if (c->spot_age_max_s > 0.0)
		k *= clamp(
		    1.0 - number(in->spot_age_s, 1e300) / c->spot_age_max_s,
		    0.0, 1.0);
	if (c->settle_age_max_s > 0.0)
		k *= clamp(
		    1.0 - number(in->settle_age_s, 1e300) / c->settle_age_max_s,
		    0.0, 1.0);
	if (c->samples_full > 0.0)
		k *=
		    clamp(number(in->samples, 0.0) / c->samples_full, 0.0, 1.0);
	if (in->provisional)
		k *= clamp(c->provisional, 0.0, 1.0);
	return k * fade;
}

static void
nothing(struct fair_out *out, enum fair_state why)
{
	*out = (struct fair_out){.state = why, .yes = 0.5, .no = 0.5};
}

static void
answer(struct fair_out *out, double yes)
{
	out->yes = clamp(yes, 0.0, 1.0);
	out->no = 1.0 - out->yes;
}

/* Nothing random is left: 0 or 1. */
static void
certain(struct fair_out *out, const struct open *o, bool tie_yes)
{
	bool up = tie_yes ? o->now >= o->need : o->now > o->need;

	answer(out, up ? 1.0 : 0.0);
	out->d = up ? LOG_MAX : -LOG_MAX;
}

static void
distribute(const struct fair_in *in, const struct fair_cfg *c,
    const struct open *o, struct fair_out *out)
{
	bool normal = c->student_df == 0;
	double top = normal ? normal_pdf(0.0) : student_pdf(0.0, c->student_df);
	double noise = o->gain * clamp(number(in->noise, 0.0), 0.0, 1.0);
	double var = fmin(VAR_MAX, o->var + noise * noise);
	double least =
	    c->sensitivity > 0.0 ? noise * top / c->sensitivity : 0.0;
	double far;

	out->sd = fmin(sqrt(VAR_MAX), fmax(sqrt(var), least));
	if (o->need <= 0.0) {
		answer(out, 1.0);
		out->d = LOG_MAX;
		return;
	}
	if (out->sd < SD_MIN) {
		certain(out, o, in->tie_yes);
		return;
	}
	far = clamp(log(o->now) - log(o->need), -LOG_MAX, LOG_MAX);
	out->d = clamp((far - 0.5 * var) / out->sd, -1e6, 1e6);
	answer(out,
	    normal ? normal_cdf(out->d) : student_cdf(out->d, c->student_df));
	out->slope =
	    o->gain / out->sd *
	    (normal ? normal_pdf(out->d) : student_pdf(out->d, c->student_df));
}

void
fair_value(
    const struct fair_in *in, const struct fair_cfg *c, struct fair_out *out)
{
	struct open o = {0};
	double left = clamp(number(in->left_s, 0.0), 0.0, TIME_MAX);
	double lead = clamp(number(in->lead_s, 0.0), 0.0, 60.0);
	double basis = clamp(number(in->basis, 0.0), -BASIS_MAX, BASIS_MAX);
	bool twap = c->model == FAIR_TWAP && isfinite(in->lookback_s) &&
		    in->lookback_s > 0.0;

	CHECK(c->model >= FAIR_GBM && c->model < FAIR_MODEL_N);
	CHECK(c->student_df == 0 || (c->student_df >= STUDENT_DF_MIN &&
					c->student_df <= STUDENT_DF_MAX));
	if (!is_price(in->spot)) {
		nothing(out, FAIR_NO_SPOT);
		return;
	}
	if (!is_price(in->strike)) {
		nothing(out, FAIR_NO_STRIKE);
		return;
	}
	if (!isfinite(in->var_s) || in->var_s < 0.0) {
		nothing(out, FAIR_NO_VOL);
		return;
	}
	*out = (struct fair_out){.state = left > 0.0 ? FAIR_OK : FAIR_OVER};
	o.now = in->spot * exp(-basis);
	o.gain = 1.0;
	if (twap)
		open_twap(in, left, lead, fmin(in->var_s, VAR_S_MAX), &o);
	else
		open_gbm(in, left, lead, fmin(in->var_s, VAR_S_MAX), &o);
	if (out->state == FAIR_OVER)
		certain(out, &o, in->tie_yes);
	else
		distribute(in, c, &o, out);
	out->confidence = confidence(in, c, left, o.seen);
}

const char *
fair_state_name(enum fair_state s)
{
	static const char *const name[FAIR_STATE_N] = {
	    [FAIR_OK] = "ok",
	    [FAIR_OVER] = "over",
	    [FAIR_NO_SPOT] = "no_spot",
	    [FAIR_NO_STRIKE] = "no_strike",
	    [FAIR_NO_VOL] = "no_vol",
	};

	return (unsigned)s < FAIR_STATE_N && name[s] != 0 ? name[s] : "?";
}
