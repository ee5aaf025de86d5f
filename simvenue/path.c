#include "simvenue/path.h"

#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"

#define STEPS_PER_YEAR (365.0 * 86400.0 * 10.0)
#define STEPS_PER_HOUR 36000.0
#define PI	       3.14159265358979323846
/* The variance falls back to its mean within about this many steps. */
#define PULL (1.0 / (6.0 * STEPS_PER_HOUR))

double
path_uniform(uint64_t *rng)
{
	*rng = hash_u64(*rng, 1);
	return (double)(*rng >> 11) * 0x1p-53;
}

double
path_normal(uint64_t *rng)
{
	double u = 1.0 - path_uniform(rng);
	double v = path_uniform(rng);

	return sqrt(-2.0 * log(u)) * cos(2.0 * PI * v);
}

static void
step(struct path *p)
{
	const struct path_cfg *c = &p->cfg;
	double jump_p = c->jumps_per_hour / STEPS_PER_HOUR;

	p->ln_vol +=
	    PULL * (log(c->vol) - p->ln_vol) +
	    c->vol_of_vol * sqrt(1.0 / STEPS_PER_HOUR) * path_normal(&p->rng);
	p->ln_px +=
	    exp(p->ln_vol) * sqrt(1.0 / STEPS_PER_YEAR) * path_normal(&p->rng);
	if (path_uniform(&p->rng) < jump_p)
		p->ln_px += c->jump_bps * 1e-4 * path_normal(&p->rng);
	p->px[p->n % PATH_RING] = exp(p->ln_px);
	p->n++;
}

void
path_init(struct path *p, const struct path_cfg *cfg)
{
	CHECK(cfg->start_px > 0);
	CHECK(cfg->vol > 0);
	memset(p, 0, sizeof(*p));
	p->cfg = *cfg;
	p->rng = hash_u64(HASH_SEED, cfg->seed);
	p->ln_px = log(cfg->start_px);
	p->ln_vol = log(cfg->vol);
	p->px[0] = cfg->start_px;
	p->n = 1;
}

void
path_to(struct path *p, uint64_t now_ns)
{
	uint64_t end_ns = now_ns + PATH_AHEAD_NS;

	while (p->cfg.start_ns + (p->n - 1) * PATH_STEP_NS < end_ns)
		step(p);
}

/* The step at or before a time, within what is kept. */
static uint64_t
step_at(const struct path *p, uint64_t ns)
{
	uint64_t i =
	    ns <= p->cfg.start_ns ? 0 : (ns - p->cfg.start_ns) / PATH_STEP_NS;
	uint64_t first = p->n > PATH_RING ? p->n - PATH_RING : 0;

	if (i < first)
		return first;
	return i >= p->n ? p->n - 1 : i;
}

double
path_px(const struct path *p, uint64_t ns)
{
	return p->px[step_at(p, ns) % PATH_RING];
}

double
path_mean(const struct path *p, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t a = step_at(p, from_ns);
	uint64_t b = step_at(p, to_ns);
	double sum = 0;

	CHECK(from_ns <= to_ns);
	if (a == b)
		return p->px[b % PATH_RING];
	for (uint64_t i = a + 1; i <= b; i++)
		sum += p->px[i % PATH_RING];
	return sum / (double)(b - a);
}

double
path_vol(const struct path *p)
{
	return exp(p->ln_vol);
}
