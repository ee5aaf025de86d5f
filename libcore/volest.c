#include "libcore/volest.h"

#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/fixed.h"

#define MINUTE_NS (60 * (uint64_t)NS_PER_S)

/* Steps before the predictor's cells have forgotten that they began at 0. */
#define WARM_STEPS 10

void
volest_init(struct volest *e)
{
	CHECK(e != 0);
	memset(e, 0, sizeof(*e));
}

static void
add_minute(struct volest *e, uint64_t now_ns, const struct vol_return *r)
{
	uint64_t minute = now_ns / MINUTE_NS;
	uint64_t gone = minute - e->minute;

	CHECK(minute >= e->minute);
	for (uint64_t i = 0; i < gone && i < VOLEST_MINUTES; i++) {
		size_t at = (size_t)((minute - i) % VOLEST_MINUTES);

		e->min_sum[at] = 0.0;
		e->min_s[at] = 0.0;
	}
	e->minute = minute;
	e->min_sum[minute % VOLEST_MINUTES] += r->square;
	e->min_s[minute % VOLEST_MINUTES] += r->dt_s;
}

void
volest_input(double step_var, double past_var, double in[LSTM_IN])
{
	in[0] = log(fmax(LSTM_VAR_MIN, step_var));
	in[1] = log(fmax(LSTM_VAR_MIN, past_var));
}

/* A step of the predictor is over once its time is full of returns. */
static void
add_step(struct volest *e, const struct volest_cfg *c, uint64_t now_ns,
    const struct vol_return *r)
{
	uint64_t len_ns = (uint64_t)c->lstm->step_s * NS_PER_S;
	double in[LSTM_IN];
	double ahead;

	if (e->step_ns == 0)
		e->step_ns = now_ns;
	e->step_sum += r->square;
	e->step_s += r->dt_s;
	if (now_ns - e->step_ns < len_ns)
		return;
	volest_input(e->step_sum / e->step_s, e->ewma_sum / e->ewma_s, in);
	lstm_step(c->lstm, &e->state, in, &ahead, 0);
	e->ahead = exp(fmin(0.0, ahead));
	e->step_ns = now_ns;
	e->step_sum = 0.0;
	e->step_s = 0.0;
}

void
volest_add(
    struct volest *e, const struct volest_cfg *c, uint64_t now_ns, double value)
{
	struct vol_return r;
	double keep;

	CHECK(c->ewma_halflife_ns > 0);
	if (!vol_step(&e->vol, &c->vol, now_ns, value, &r))
		return;
	keep = exp2(-r.dt_s * 1e9 / (double)c->ewma_halflife_ns);
	e->ewma_sum = keep * e->ewma_sum + r.square;
	e->ewma_s = keep * e->ewma_s + r.dt_s;
	add_minute(e, now_ns, &r);
	if (c->lstm != 0)
		add_step(e, c, now_ns, &r);
}

/* Mean over the last n minutes that hold returns; false when none does. */
static bool
minutes(const struct volest *e, unsigned n, double *out)
{
	double sum = 0.0;
	double s = 0.0;

	for (unsigned i = 0; i < n && i <= e->minute; i++) {
		size_t at = (size_t)((e->minute - i) % VOLEST_MINUTES);

		sum += e->min_sum[at];
		s += e->min_s[at];
	}
	if (!(s > 0.0))
		return false;
	*out = sum / s;
	return true;
}

static bool
har(const struct volest *e, const struct volest_cfg *c, double *out)
{
	double base;
	double m1;
	double m10;
	double m60;

	/* The minute being filled and the one before. */
	if (!vol_baseline(&e->vol, &c->vol, &base) || !minutes(e, 2, &m1) ||
	    !minutes(e, 10, &m10) || !minutes(e, VOLEST_MINUTES, &m60))
		return false;
	*out = c->har_1m * m1 + c->har_10m * m10 + c->har_60m * m60 +
	       (1.0 - c->har_1m - c->har_10m - c->har_60m) * base;
	return *out > 0.0;
}

static bool
ewma(const struct volest *e, const struct volest_cfg *c, double *out)
{
	if (e->vol.n < c->vol.min_n || !(e->ewma_sum > 0.0))
		return false;
	*out = e->ewma_sum / e->ewma_s;
	return true;
}

static bool
raw(const struct volest *e, const struct volest_cfg *c, enum vol_kind kind,
    double *out)
{
	switch (kind) {
	case VOL_EMA: return vol_current(&e->vol, &c->vol, out);
	case VOL_ROLLING: return vol_baseline(&e->vol, &c->vol, out);
	case VOL_EWMA: return ewma(e, c, out);
	case VOL_HAR: return har(e, c, out);
	case VOL_LSTM:
		if (!ewma(e, c, out))
			return false;
		if (c->lstm != 0 && e->state.n >= WARM_STEPS)
			*out = 0.5 * (*out + e->ahead);
		return true;
	case VOL_KIND_N: break;
	}
	CHECK(kind < VOL_KIND_N);
	return false;
}

static double
bounded(const struct volest_cfg *c, double v)
{
	v = fmax(v, c->var_floor);
	return c->var_cap > 0.0 ? fmin(v, c->var_cap) : v;
}

bool
volest_get(const struct volest *e, const struct volest_cfg *c,
    enum vol_kind kind, double *out)
{
	double v;

	CHECK(kind >= VOL_EMA);
	CHECK(kind < VOL_KIND_N);
	if (!raw(e, c, kind, &v))
		return false;
	*out = bounded(c, v);
	return true;
}

bool
volest_recent(
    const struct volest *e, const struct volest_cfg *c, unsigned n, double *out)
{
	double v;

	CHECK(n > 0);
	CHECK(n <= VOLEST_MINUTES);
	if (e->vol.n < c->vol.min_n || !minutes(e, n, &v) || !(v > 0.0))
		return false;
	*out = bounded(c, v);
	return true;
}

uint64_t
volest_n(const struct volest *e)
{
	return e->vol.n;
}

static const char *const names[VOL_KIND_N] = {
    [VOL_EMA] = "ema",
    [VOL_ROLLING] = "rolling",
    [VOL_EWMA] = "ewma",
    [VOL_HAR] = "har",
    [VOL_LSTM] = "lstm",
};

const char *
vol_kind_name(enum vol_kind k)
{
	return (unsigned)k < VOL_KIND_N && names[k] != 0 ? names[k] : "?";
}

int
vol_kind_find(const char *name)
{
	for (int k = VOL_EMA; k < VOL_KIND_N; k++)
		if (strcmp(names[k], name) == 0)
			return k;
	return 0;
}
