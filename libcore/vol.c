#include "libcore/vol.h"

#include <math.h>
#include <string.h>

#include "libcore/check.h"

void
vol_init(struct vol *v)
{
	CHECK(v != 0);
	memset(v, 0, sizeof(*v));
}

/* Begin as many new buckets as have gone by, at most all of them. */
static void
roll(struct vol *v, const struct vol_cfg *c, uint64_t now_ns)
{
	uint64_t width = c->window_ns / VOL_BUCKETS;

	CHECK(width > 0);
	if (v->bucket_ns == 0)
		v->bucket_ns = now_ns;
	for (uint32_t i = 0; i < VOL_BUCKETS && now_ns - v->bucket_ns >= width;
	     i++) {
		v->at = (v->at + 1) % VOL_BUCKETS;
		v->sum[v->at] = 0.0;
		v->cnt[v->at] = 0;
		v->bucket_ns += width;
	}
	if (now_ns - v->bucket_ns >= width)
		v->bucket_ns = now_ns;
}

static void
keep_return(struct vol *v, const struct vol_cfg *c, uint64_t now_ns,
    const struct vol_return *r)
{
	double per_s = r->square / r->dt_s;
	double keep = exp2(-r->dt_s * 1e9 / (double)c->halflife_ns);

	v->var = v->n == 0 ? per_s : keep * v->var + (1.0 - keep) * per_s;
	v->n++;
	roll(v, c, now_ns);
	v->sum[v->at] += per_s;
	v->cnt[v->at]++;
}

bool
vol_step(struct vol *v, const struct vol_cfg *c, uint64_t now_ns, double value,
    struct vol_return *r)
{
	bool made = false;

	CHECK(c->sample_ns > 0);
	CHECK(c->halflife_ns > 0);
	if (!isfinite(value))
		return false;
	if (v->last_ns != 0) {
		uint64_t dt_ns = now_ns - v->last_ns;

		CHECK(now_ns >= v->last_ns);
		if (dt_ns < c->sample_ns)
			return false;
		made = dt_ns <= VOL_GAP * c->sample_ns;
		if (made) {
			double d = value - v->last;

			r->square = d * d;
			r->dt_s = (double)dt_ns / 1e9;
			keep_return(v, c, now_ns, r);
		}
	}
	v->last = value;
	v->last_ns = now_ns;
	return made;
}

void
vol_add(struct vol *v, const struct vol_cfg *c, uint64_t now_ns, double value)
{
	struct vol_return r;

	(void)vol_step(v, c, now_ns, value, &r);
}

bool
vol_current(const struct vol *v, const struct vol_cfg *c, double *out)
{
	if (v->n < c->min_n || !(v->var > 0.0))
		return false;
	*out = v->var;
	return true;
}

bool
vol_baseline(const struct vol *v, const struct vol_cfg *c, double *out)
{
	double sum = 0.0;
	uint64_t n = 0;

	for (uint32_t i = 0; i < VOL_BUCKETS; i++) {
		sum += v->sum[i];
		n += v->cnt[i];
	}
	if (n < c->min_n || !(sum > 0.0))
		return false;
	*out = sum / (double)n;
	return true;
}

double
vol_var_of_annual(double annual)
{
	return annual > 0.0 ? annual * annual / VOL_YEAR_S : 0.0;
}

double
vol_annual_of_var(double var_s)
{
	return var_s > 0.0 ? sqrt(var_s * VOL_YEAR_S) : 0.0;
}

unsigned
vol_zone(double var_s, const double *annual_bound, unsigned n)
{
	double annual = vol_annual_of_var(var_s);
	unsigned zone = 0;

	for (unsigned i = 0; i < n; i++) {
		CHECK(i == 0 || annual_bound[i] > annual_bound[i - 1]);
		zone += annual >= annual_bound[i];
	}
	return zone;
}
