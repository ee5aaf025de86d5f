/*
 * grid.h - which settings a sweep tries.
 *
 * A parameter is one text:
 *   mm.max_spread=0.04,0.08,0.12     these values
 *   perp.spread_bps=1..5/5           five values, evenly from 1 to 5
 *   exec.paper_latency=5ms..50ms     from this range (random only)
 * A grid is every combination, the last parameter fastest. At random, trial n
 * draws each parameter as a function of (seed, n, parameter) alone; ranges in
 * steps of a thousandth of their width.
 *
 * Pure : yes.
 */
#ifndef BACKTEST_GRID_H
#define BACKTEST_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRID_PARAMS 8u
#define GRID_VALUES 64u
#define GRID_TEXT   64u
#define GRID_KEY    64u
#define GRID_TRIALS 1000000u
#define GRID_SET    (GRID_KEY + GRID_TEXT + 1u)

struct grid_param {
	char key[GRID_KEY];
	uint32_t n; /* values; 0: a range without steps                  */
	char value[GRID_VALUES][GRID_TEXT];
	int64_t lo_e8;
	int64_t hi_e8;
	char unit[8];
};

struct grid {
	uint32_t param_n;
	uint32_t trial_n;
	uint64_t seed;
	bool random;
	struct grid_param param[GRID_PARAMS];
};

/* grid_add - one parameter; false with a sentence in why. */
bool grid_add(struct grid *g, const char *text, char *why, size_t why_n);

/* grid_done - count the trials: all combinations, or random_n > 0 draws. */
bool grid_done(
    struct grid *g, uint32_t random_n, uint64_t seed, char *why, size_t why_n);

/* grid_value - parameter p of a trial (CHECK) as text. */
void grid_value(
    const struct grid *g, uint32_t trial, uint32_t p, char out[GRID_TEXT]);

/* grid_set - the same as "key=value". */
void grid_set(
    const struct grid *g, uint32_t trial, uint32_t p, char out[GRID_SET]);

/*
 * grid_window - where part `test` (or the training part) of a fold lies: the
 * time is cut into folds + 1 equal pieces, fold f (from 0) trains on piece f
 * and is tested on the next one.
 */
void grid_window(int64_t from_ns, int64_t to_ns, uint32_t folds, uint32_t f,
    bool test, int64_t *a_ns, int64_t *b_ns);

#endif
