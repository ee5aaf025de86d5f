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

void
vol_add(struct vol *v, const struct vol_cfg *c, uint64_t now_ns, double value)
{
	CHECK(c->sample_ns > 0);
	CHECK(c->halflife_ns > 0);
	if (!isfinite(value))
		return;
	if (v->last_ns != 0) {
		uint64_t dt_ns = now_ns - v->last_ns;
		double dt_s = (double)dt_ns / 1e9;
		double d = value - v->last;
		double keep;

		CHECK(now_ns >= v->last_ns);
		if (dt_ns < c->sample_ns)
			return;
		if (dt_ns <= VOL_GAP * c->sample_ns) {
			double per_s = d * d / dt_s;

			keep = exp2(-(double)dt_ns / (double)c->halflife_ns);
			v->var = v->n == 0
				     ? per_s
				     : keep * v->var + (1.0 - keep) * per_s;
			v->n++;
			roll(v, c, now_ns);
			v->sum[v->at] += per_s;
			v->cnt[v->at]++;
		}
	}
	v->last = value;
	v->last_ns = now_ns;
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
