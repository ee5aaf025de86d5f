/*
 * skew.h - how far a venue's clock and ours (UTC) are apart, as far as its
 * answers prove it.
 *
 * A venue that stamped an answer `v` (an exact time, or a Date of whole
 * seconds: any instant of [v, v + res)) did so between our sending and our
 * receiving. So its clock minus ours lies in
 *     (v - received, v + res - sent),
 * and in the intersection of what the last SKEW_SAMPLES answers of the last
 * SKEW_WINDOW_NS say: 1 s of resolution is far less after a few of them.
 * Samples that contradict each other, and a step of our own UTC, begin a new
 * estimate. The skew is proven when SKEW_AGREE answers leave out 0.
 * A time in a body counts only when the Date of the same answer confirms it:
 * a replayed recording carries old times and a real Date.
 * Pure: yes. O(SKEW_SAMPLES).
 */
#ifndef FEEDD_SKEW_H
#define FEEDD_SKEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feedd/feed.h"

#define SKEW_SAMPLES   16u
#define SKEW_AGREE     3u
#define SKEW_WINDOW_NS UINT64_C(600000000000)
#define SKEW_STEP_NS   INT64_C(100000000) /* of our UTC: begin anew */

struct skew_sample {
	int64_t venue_ns; /* > 0 (CHECK) */
	int64_t res_ns;	  /* > 0 (CHECK): what venue_ns stands for */
	uint64_t sent_ns; /* monotonic, at most recv_ns (CHECK) */
	uint64_t recv_ns; /* monotonic */
	int64_t wall_ns;  /* UTC at recv_ns */
};

struct skew {
	uint32_t n;	/* samples kept, newest at (next - 1) */
	uint32_t next;	/* place of the next one */
	int64_t off_ns; /* our UTC minus monotonic, at the newest */
	int64_t lo_ns;	/* venue minus ours; lo <= hi while n > 0 */
	int64_t hi_ns;
	struct {
		uint64_t at_ns;
		int64_t lo_ns;
		int64_t hi_ns;
	} sample[SKEW_SAMPLES];
};

/* skew_take - one answer. */
void skew_take(struct skew *k, const struct skew_sample *s);

/* skew_http - what an answer (FEED_EV_HTTP) tells: its Date, and with
 * FEED_TAG_TIME the time in its body. Nothing without a Date. */
void skew_http(struct skew *k, const struct feed_event *ev);

/* skew_proven_ns - 0: unknown or agrees; else the end of the interval that is
 * nearer to 0: the least that the venue's clock is ahead (> 0) or behind. */
int64_t skew_proven_ns(const struct skew *k);

/* skew_ms - the same for TICK_LINK. */
int32_t skew_ms(const struct skew *k);

/*
 * skew_body_time - the time in the answer of a venue's clock: the first run
 * of 10, 13 or 16 digits is seconds, milli- or microseconds.
 * Returns : false when there is none.
 */
bool skew_body_time(
    const char *data, size_t n, int64_t *venue_ns, int64_t *res_ns);

#endif
