/*
 * vol.h - volatility of one instrument from prices as they come.
 *
 * What      : returns over a fixed spacing; their mean square a second as an
 *             exponential average (current) and as a rolling mean over a
 *             long window of buckets (baseline).
 * Units     : one unit inside: variance a second. Returns are differences of
 *             the value given: prices for binaries (bounded by 1), natural
 *             logarithms of prices for everything else.
 * Gaps      : a pause longer than VOL_GAP samples starts afresh from the next
 *             price; it does not become one huge return.
 * Pure      : yes. O(1) a price; no allocation. Doubles: a model.
 * Source    : docs/strategy-maths.md, "Volatility".
 */
#ifndef LIBCORE_VOL_H
#define LIBCORE_VOL_H

#include <stdbool.h>
#include <stdint.h>

#define VOL_BUCKETS 96u
#define VOL_GAP	    60

struct vol_cfg {
	uint64_t sample_ns;
	uint64_t halflife_ns; /* of the current estimate                  */
	uint64_t window_ns;   /* of the baseline                          */
	uint64_t min_n;	      /* returns needed                           */
};

struct vol {
	uint64_t last_ns; /* time of `last`; 0 none                       */
	double last;
	double var; /* current, a second                                  */
	uint64_t n; /* returns seen, in all                               */
	uint64_t bucket_ns; /* start of the bucket being filled           */
	double sum[VOL_BUCKETS];
	uint32_t cnt[VOL_BUCKETS];
	uint32_t at;
	uint32_t pad;
};

/* vol_init - zero state. */
void vol_init(struct vol *v);

/* vol_add - the value at now_ns. Ignored unless finite; prices nearer than
 * a sample to the last one kept are not used. Needs now_ns not to fall. */
void vol_add(
    struct vol *v, const struct vol_cfg *c, uint64_t now_ns, double value);

/* A return that was kept: its square and the seconds it took. */
struct vol_return {
	double square;
	double dt_s;
};

/* vol_step - the same as vol_add; true with *r set when the value made a
 * return. */
bool vol_step(struct vol *v, const struct vol_cfg *c, uint64_t now_ns,
    double value, struct vol_return *r);

/* vol_current, vol_baseline - variance a second. False, *out untouched, with
 * fewer than min_n returns or no movement at all. */
bool vol_current(const struct vol *v, const struct vol_cfg *c, double *out);
bool vol_baseline(const struct vol *v, const struct vol_cfg *c, double *out);

/* A year of a market that never closes. */
#define VOL_YEAR_S 31536000.0

/* vol_var_of_annual, vol_annual_of_var - sigma a year (0.5 is 50 %) to
 * variance a second and back. Negative or no numbers give 0. */
double vol_var_of_annual(double annual);
double vol_annual_of_var(double var_s);

/*
 * vol_zone - in which of the zones between n rising bounds a variance lies:
 * 0 below the first ... n at or above the last. The bounds are annualised
 * and only have a meaning together with the spacing of the returns that they
 * were chosen for: the zones of perpetual futures are those of 1-minute
 * returns, perp.zone_*_annual_1m. Needs rising bounds (CHECK).
 */
unsigned vol_zone(double var_s, const double *annual_bound, unsigned n);

#endif
