/*
 * markout.h - what the mid did after our fills.
 *
 * What     : for each fill the mid 30 s, 2 min and 10 min later, signed so
 *            that above 0 is good for us; means over the last ones; the
 *            verdict that a market is toxic.
 * Frame    : prices and sides are those of YES. A fill on NO at p and side s
 *            is one on YES at 1 - p and the opposite side: converted by
 *            libvenue before it gets here.
 * Limits   : MARKOUT_PENDING fills wait at once, further ones push out the
 *            oldest (counted); MARKOUT_KEEP results are kept a horizon.
 * Pure     : yes. O(results due) a mid.
 * Source   : docs/strategy-maths.md, "Markout".
 */
#ifndef LIBCORE_MARKOUT_H
#define LIBCORE_MARKOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/types.h"

#define MARKOUT_HORIZONS 3u
#define MARKOUT_PENDING	 64u
#define MARKOUT_KEEP	 64u
#define MARKOUT_DUE	 (MARKOUT_HORIZONS * MARKOUT_PENDING)

struct markout_cfg {
	uint64_t horizon_ns[MARKOUT_HORIZONS]; /* rising                 */
	uint64_t late_ns;   /* a mid later than this past the horizon does
			       not count: the result is missed           */
	uint64_t memory_ns; /* older results no longer make toxic        */
	uint32_t last_n;    /* results in a mean, <= MARKOUT_KEEP        */
	uint32_t min_n;	    /* fewer make no verdict                     */
	px_t toxic;	    /* mean below this, negative                 */
};

struct markout_fill {
	uint64_t ns;
	px_t px;
	qty_t qty;
	uint64_t id; /* whatever the caller knows it by                  */
	uint32_t side;
	uint32_t pad;
};

/* A result that came due. */
struct markout_result {
	struct markout_fill fill;
	uint32_t horizon; /* index                                       */
	uint32_t pad;
	px_t mid;
	px_t value; /* > 0: the mid moved our way                        */
};

struct markout {
	struct markout_fill fill[MARKOUT_PENDING];
	uint64_t fill_n;		   /* fills ever                   */
	uint64_t done_n[MARKOUT_HORIZONS]; /* of these, dealt with        */
	int64_t value_e8[MARKOUT_HORIZONS][MARKOUT_KEEP];
	uint64_t value_ns[MARKOUT_HORIZONS][MARKOUT_KEEP];
	uint64_t value_n[MARKOUT_HORIZONS];
	uint64_t missed_n; /* no mid in time, or pushed out              */
};

/* markout_init - zero state. */
void markout_init(struct markout *m);

/* markout_value - the mid against a fill: mid - px for a bid, px - mid for
 * an ask. */
px_t markout_value(enum side side, px_t px, px_t mid);

/* markout_add - a fill of ours. Times do not fall; a side of the enum
 * (CHECK). */
void markout_add(struct markout *m, const struct markout_fill *f);

/*
 * markout_mid - a mid at now_ns: results that are due go to out, oldest
 * first within a horizon. Returns how many.
 */
uint32_t markout_mid(struct markout *m, const struct markout_cfg *c,
    uint64_t now_ns, px_t mid, struct markout_result out[MARKOUT_DUE]);

/* markout_due_ns - when the next result comes due; 0: no fill waits. */
uint64_t markout_due_ns(const struct markout *m, const struct markout_cfg *c);

/* markout_mean - over the last c->last_n results of a horizon not older than
 * c->memory_ns; returns how many, 0 leaves *mean untouched. */
uint32_t markout_mean(const struct markout *m, const struct markout_cfg *c,
    uint64_t now_ns, uint32_t horizon, px_t *mean);

/* markout_toxic - is the mean of any horizon with at least min_n results
 * below the limit? Forgets by memory_ns, so that a market that is no longer
 * quoted recovers. */
bool markout_toxic(
    const struct markout *m, const struct markout_cfg *c, uint64_t now_ns);

#endif
