#include "libcore/astoikov.h"

#include <math.h>
#include <string.h>

#include "libcore/check.h"

double
as_gamma(const struct as_gamma_cfg *c, bool known, double ratio, double toxic)
{
	double g = c->base;

	CHECK(toxic >= 1.0);
	if (known) {
		CHECK(ratio >= 0.0);
		CHECK(isfinite(ratio));
		g *= 1.0 + ratio;
	}
	g = fmin(g, c->base * c->cap_mult);
	return fmin(g * toxic, c->max);
}

double
as_shift(const struct as_shift_in *in)
{
	double shift =
	    in->gamma * in->q * in->var_s * in->horizon_s * in->scale;

	CHECK(fabs(in->q) <= 1.0);
	CHECK(in->max >= 0.0);
	CHECK(!isnan(shift));
	return fmax(-in->max, fmin(in->max, shift));
}

double
as_spread(double gamma, double var_s, double horizon_s, double kappa)
{
	CHECK(kappa > 0.0);
	CHECK(gamma >= 0.0);
	/* ln(1 + x) / x tends to 1. */
	if (gamma < 1e-12 * kappa)
		return gamma * var_s * horizon_s + 2.0 / kappa;
	return gamma * var_s * horizon_s + 2.0 / gamma * log1p(gamma / kappa);
}

void
as_kappa_init(struct as_kappa *k)
{
	CHECK(k != 0);
	memset(k, 0, sizeof(*k));
}

void
as_kappa_trade(struct as_kappa *k, const struct as_kappa_cfg *c,
    uint64_t now_ns, double distance)
{
	double far = distance > 0.0 ? distance / c->bin : 0.0;
	unsigned at = far < AS_BINS - 1 ? (unsigned)far : AS_BINS - 1;

	CHECK(c->bin > 0.0);
	CHECK(c->halflife_s > 0.0);
	if (k->last_ns != 0 && now_ns > k->last_ns) {
		double dt_s = (double)(now_ns - k->last_ns) / 1e9;
		double keep = exp2(-dt_s / c->halflife_s);

		for (unsigned i = 0; i < AS_BINS; i++)
			k->hits[i] *= keep;
		/* The same weights over the time between. */
		k->seen_s =
		    keep * k->seen_s + (1.0 - keep) * c->halflife_s / log(2.0);
	}
	k->last_ns = now_ns > k->last_ns ? now_ns : k->last_ns;
	k->hits[at] += 1.0;
}

bool
as_kappa_fit(const struct as_kappa *k, const struct as_kappa_cfg *c,
    double *kappa, double *rate)
{
	double reach = 0.0;
	double s = 0.0;
	double sx = 0.0;
	double sy = 0.0;
	double sxx = 0.0;
	double sxy = 0.0;
	double slope;
	unsigned n = 0;

	/* From the far end: what reached bin i reached all before it. */
	for (unsigned i = AS_BINS; i-- > 0;) {
		double x = (double)i * c->bin;

		reach += k->hits[i];
		if (reach < 1.0)
			continue;
		n++;
		s += reach;
		sx += reach * x;
		sxx += reach * x * x;
		sy += reach * log(reach);
		sxy += reach * x * log(reach);
	}
	if (reach < c->min_n || n < 3 || !(k->seen_s > 0.0) ||
	    !(s * sxx - sx * sx > 0.0))
		return false;
	slope = (s * sxy - sx * sy) / (s * sxx - sx * sx);
	if (!(slope < 0.0))
		return false;
	*kappa = -slope;
	*rate = exp((sy - slope * sx) / s) / k->seen_s;
	return true;
}
