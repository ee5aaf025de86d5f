/*
 * pm_flow.h - the simulator's own participants on Polymarket's up/down
 * markets.
 *
 * What      : makers who quote ladders around a fair value that is a little
 *             late, takers who know nothing, takers who know the path a
 *             moment early, bursts of both. They trade on the same exchange
 *             by the same rules as clients do, with money of their own.
 * Fair      : libcore/fair.h on the shared path: the settlement is the mean
 *             of the path over the look-back, the strike the same at the
 *             start.
 * Endings   : when the outcome is nearly certain nobody sells the winner, and
 *             the book becomes one-sided; the grid becomes finer outside
 *             [0.04, 0.96], as at the venue.
 * Figures   : rates, sizes and spreads are those of recorded markets; see
 *             docs/strategy-maths.md, "The simulated venues".
 * Pure      : yes; seeded.
 */
#ifndef SIMVENUE_PM_FLOW_H
#define SIMVENUE_PM_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "simvenue/path.h"
#include "simvenue/pmx.h"

#define FLOW_MAKERS 3u
#define FLOW_LEVELS 6u

struct pm_flow_cfg {
	uint64_t seed;
	double rate;	      /* factor on every rate; 1: as recorded */
	double noise_per_s;   /* takers who know nothing, a market */
	double informed_s;    /* how far ahead the others see */
	double informed_edge; /* they take when it pays this much, dollars */
	double burst_per_hour;
	uint32_t lookback_s;
};

/* pm_flow_cfg_default - as recorded, see docs/benchmarks.md. */
struct pm_flow_cfg pm_flow_cfg_default(uint64_t seed);

struct pm_flow_market {
	bool used;
	uint16_t market; /* in pmx */
	double strike;
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t burst_ns; /* until then there is one */
	uint64_t quote_ns[FLOW_MAKERS];
	uint64_t noise_ns;
	uint64_t look_ns;
	uint32_t order[FLOW_MAKERS][2][FLOW_LEVELS]; /* PMX_NONE */
	struct pmx_id id[FLOW_MAKERS][2][FLOW_LEVELS];
};

struct pm_flow {
	struct pm_flow_cfg cfg;
	struct pmx *x;
	struct path *path;
	uint64_t rng;
	uint64_t ids;
	uint64_t now_ns;
	uint32_t maker[FLOW_MAKERS]; /* accounts */
	uint32_t noise;
	uint32_t informed;
	struct pm_flow_market market[PMX_MARKETS];
};

/* pm_flow_init - accounts: FLOW_MAKERS makers, then the two takers; they
 * must be funded. */
void pm_flow_init(struct pm_flow *f, const struct pm_flow_cfg *cfg,
    struct pmx *x, struct path *path, const uint32_t *accounts);

/* pm_flow_open - trade in a market from now on. The strike is the mean of the
 * path over the look-back before start_ns, taken when it is known.
 * pm_flow_close - no more; before the market is resolved. */
void pm_flow_open(
    struct pm_flow *f, uint16_t market, uint64_t start_ns, uint64_t end_ns);
void pm_flow_close(struct pm_flow *f, uint16_t market);

/* pm_flow_strike - 0 while not known. pm_flow_yes - did it end at or above
 * the strike? Needs the path to be known to the end. */
double pm_flow_strike(const struct pm_flow *f, uint16_t market);
bool pm_flow_yes(const struct pm_flow *f, uint16_t market);

/* pm_flow_fair - P(up) as somebody sees it who knows the path to seen_ns. */
double pm_flow_fair(const struct pm_flow *f, uint16_t market, uint64_t seen_ns);

/* pm_flow_step - what the participants do by now_ns. pm_flow_wake - when next.
 * The path must be made to now_ns (path_to). */
void pm_flow_step(struct pm_flow *f, uint64_t now_ns);
uint64_t pm_flow_wake(const struct pm_flow *f);

/* pm_flow_tick - the grid that suits a market's price; what it has already
 * when nothing is to be changed. */
tok_px_t pm_flow_tick(const struct pm_flow *f, uint16_t market);

#endif
