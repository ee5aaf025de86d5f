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

/* vol_current, vol_baseline - variance a second. False, *out untouched, with
 * fewer than min_n returns or no movement at all. */
bool vol_current(const struct vol *v, const struct vol_cfg *c, double *out);
bool vol_baseline(const struct vol *v, const struct vol_cfg *c, double *out);

#endif
