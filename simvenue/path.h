/*
 * path.h - the price that all simulated venues share.
 *
 * What      : a seeded random walk of the logarithm in steps of 100 ms, whose
 *             variance wanders and which jumps now and then. It is made
 *             PATH_AHEAD_NS further than anybody but informed participants
 *             may look.
 * Units     : dollars, ns UTC.
 * Pure      : yes. The same seed gives the same path.
 */
#ifndef SIMVENUE_PATH_H
#define SIMVENUE_PATH_H

#include <stdint.h>

#define PATH_STEP_NS  UINT64_C(100000000)
#define PATH_AHEAD_NS UINT64_C(3000000000)
#define PATH_RING     2048u /* steps kept: 204 s */

struct path_cfg {
	uint64_t seed;
	uint64_t start_ns;
	double start_px;
	double vol;	       /* annualised, in the long run, e.g. 0.5 */
	double vol_of_vol;     /* of its logarithm, a square-root hour */
	double jumps_per_hour; /* mean number */
	double jump_bps;       /* their standard deviation */
};

struct path {
	struct path_cfg cfg;
	uint64_t rng;
	uint64_t n; /* steps made; step i is the price at start + i steps */
	double ln_px;
	double ln_vol;
	double px[PATH_RING];
};

void path_init(struct path *p, const struct path_cfg *cfg);

/* path_to - make the path known up to now + PATH_AHEAD_NS. */
void path_to(struct path *p, uint64_t now_ns);

/* path_px - the price at a time that is known and kept (clamped to that). */
double path_px(const struct path *p, uint64_t ns);

/* path_mean - time-weighted over (from, to], as far as kept. */
double path_mean(const struct path *p, uint64_t from_ns, uint64_t to_ns);

/* path_vol - annualised, as it is at the end of what is made. */
double path_vol(const struct path *p);

/* path_uniform - in [0, 1). path_normal - mean 0, variance 1. Of a seeded
 * stream, for whoever needs randomness beside the path. */
double path_uniform(uint64_t *rng);
double path_normal(uint64_t *rng);

#endif
