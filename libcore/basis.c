#include "libcore/basis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"

/* References nearer together than this replace each other, so that the ring
 * reaches back far enough in a busy market. */
#define REF_NS UINT64_C(20000000)

/* Errors this near, relative, are the same. */
#define AS_GOOD 0.03

/* Outliers in a row on one side that are no outliers: a new level. */
#define NEW_LEVEL 10

/* Least usual distance: a hundredth of a basis point. */
#define DIST_MIN 1e-6

void
basis_init(struct basis *b)
{
	CHECK(b != 0);
	memset(b, 0, sizeof(*b));
}

static bool
is_price(double px)
{
	return px > 0.0 && isfinite(px);
}

void
basis_ref(struct basis *b, uint64_t now_ns, double px)
{
	uint32_t prev = (b->ref_at + BASIS_REFS - 1) % BASIS_REFS;

	if (!is_price(px) || (b->ref_n > 0 && now_ns < b->ref_ns[b->ref_at]))
		return;
	/* Overwrite the newest while it is near the one before. */
	if (b->ref_n < 2 || b->ref_ns[b->ref_at] >= b->ref_ns[prev] + REF_NS) {
		b->ref_at = b->ref_n == 0 ? 0 : (b->ref_at + 1) % BASIS_REFS;
		b->ref_n += b->ref_n < BASIS_REFS;
	}
	b->ref_ns[b->ref_at] = now_ns;
	b->ref[b->ref_at] = log(px);
}

/* The reference as it was at each lag before now. False when one of them is
 * older than gap_ns then, or not kept any more. */
static bool
lagged(const struct basis *b, const struct basis_cfg *c, uint64_t now_ns,
    double at[BASIS_LAGS])
{
	uint32_t back = 0;

	for (uint32_t k = 0; k < BASIS_LAGS; k++) {
		uint64_t lag_ns = k * c->lag_ns;
		uint64_t want_ns = now_ns > lag_ns ? now_ns - lag_ns : 0;
		uint32_t i;

		while (back < b->ref_n &&
		       b->ref_ns[(b->ref_at + BASIS_REFS - back) % BASIS_REFS] >
			   want_ns)
			back++;
		if (back >= b->ref_n)
			return false;
		i = (b->ref_at + BASIS_REFS - back) % BASIS_REFS;
		if (want_ns - b->ref_ns[i] > c->gap_ns)
			return false;
		at[k] = b->ref[i];
	}
	return true;
}

/* Weight of the newest sample: 1/n at first, then by half-life. */
static double
weight(uint64_t n, uint64_t dt_ns, uint64_t halflife_ns)
{
	double w = 1.0 - exp2(-(double)dt_ns / (double)halflife_ns);

	return fmax(w, 1.0 / (double)n);
}

static void
compare_lags(struct basis *b, const struct basis_cfg *c, uint64_t dt_ns,
    double x, const double at[BASIS_LAGS])
{
	double d = x - b->settle;
	double w;

	b->lead_n++;
	w = weight(b->lead_n, dt_ns, c->lead_halflife_ns);
	b->moved += w * (d * d - b->moved);
	for (uint32_t k = 0; k < BASIS_LAGS; k++) {
		double e = d - (at[k] - b->before[k]);

		b->error[k] += w * (e * e - b->error[k]);
	}
}

/* The lag of least error; where several beside each other do as well (a
 * reference that stands still between its own ticks), the middle one. */
static uint32_t
best_lag(const struct basis *b)
{
	uint32_t best = 0;
	uint32_t to;

	for (uint32_t k = 1; k < BASIS_LAGS; k++)
		if (b->error[k] < b->error[best])
			best = k;
	to = best;
	while (to + 1 < BASIS_LAGS &&
	       b->error[to + 1] <= b->error[best] * (1.0 + AS_GOOD))
		to++;
	while (best > 0 && b->error[best - 1] <= b->error[to] * (1.0 + AS_GOOD))
		best--;
	return (best + to) / 2;
}

static double
fit_of(const struct basis *b, uint32_t lag)
{
	if (!(b->moved > 0.0))
		return 0.0;
	return fmax(0.0, 1.0 - b->error[lag] / b->moved);
}

static bool
lead_known(const struct basis *b, const struct basis_cfg *c)
{
	return b->lead_n >= c->min_n && fit_of(b, best_lag(b)) >= c->fit_min;
}

static int32_t
imax(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

static int32_t
imin(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

static void
add_basis(struct basis *b, const struct basis_cfg *c, uint64_t dt_ns, double x)
{
	double w;
	double far;
	double cut;

	far = x - b->mean;
	cut = c->outlier * fmax(DIST_MIN, b->dist);
	if (fabs(far) <= cut)
		b->same_side = 0;
	else
		b->same_side = far > 0.0 ? imax(b->same_side, 0) + 1
					 : imin(b->same_side, 0) - 1;
	b->n++;
	b->level_n++;
	if (b->level_n == 1 || abs(b->same_side) >= NEW_LEVEL) {
		b->mean = x;
		b->level_n = 1;
		b->same_side = 0;
		far = 0.0;
	}
	w = weight(b->level_n, dt_ns, c->halflife_ns);
	far = fmax(-cut, fmin(cut, far));
	b->mean += w * far;
	b->dist += w * (fabs(far) - b->dist);
	b->square += w * (far * far - b->square);
}

void
basis_settle(
    struct basis *b, const struct basis_cfg *c, uint64_t now_ns, double px)
{
	double at[BASIS_LAGS];
	double x;
	uint64_t dt_ns;
	bool ok;

	CHECK(c->lag_ns > 0);
	CHECK(c->halflife_ns > 0);
	CHECK(c->lead_halflife_ns > 0);
	CHECK(c->outlier > 0.0);
	if (!is_price(px) || now_ns < b->settle_ns)
		return;
	x = log(px);
	dt_ns = b->settle_ns == 0 ? 0 : now_ns - b->settle_ns;
	ok = lagged(b, c, now_ns, at);
	if (ok && b->before_ok && dt_ns > 0 && dt_ns <= c->gap_ns)
		compare_lags(b, c, dt_ns, x, at);
	if (ok)
		add_basis(
		    b, c, dt_ns, at[lead_known(b, c) ? best_lag(b) : 0] - x);
	b->settle_ns = now_ns;
	b->settle = x;
	b->before_ok = ok;
	memcpy(b->before, at, sizeof(b->before));
}

bool
basis_get(
    const struct basis *b, const struct basis_cfg *c, struct basis_out *out)
{
	uint32_t lag = best_lag(b);

	if (b->n < c->min_n)
		return false;
	out->basis = b->mean;
	out->noise = sqrt(b->square);
	out->lead_known = lead_known(b, c);
	out->lead_s = out->lead_known ? (double)(lag * c->lag_ns) / 1e9 : 0.0;
	out->fit = fit_of(b, lag);
	return true;
}
