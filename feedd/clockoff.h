/*
 * clockoff.h - how old is what arrives, without trusting either clock.
 *
 * The difference receive time - venue time holds the offset of the clocks
 * and the time of travel. Its minimum over the last one to two windows
 * stands for "no delay"; what a message has above it is its age. The first
 * message has age 0, one that sets a new minimum a negative age.
 * A venue clock that jumps back by more than CLOCKOFF_BACK_NS (a recording
 * that begins again) starts a new estimate. Pure.
 */
#ifndef FEEDD_CLOCKOFF_H
#define FEEDD_CLOCKOFF_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCKOFF_WINDOW_NS INT64_C(30000000000)
#define CLOCKOFF_BACK_NS   INT64_C(60000000000)

struct clockoff {
	int64_t min_ns[2]; /* of this window and of the one before */
	uint64_t start_ns; /* of this window, monotonic */
	int64_t venue_ns;  /* newest time of the venue, 0 none */
	uint32_t window_n; /* windows with a minimum: 0, 1, 2 */
	uint32_t back_n;   /* jumps back so far */
};

/* clockoff_reset - a new connection: nothing is known. */
void clockoff_reset(struct clockoff *c);

/*
 * clockoff_age - take a message stamped venue_ns > 0 (CHECK) that came at
 * wall_ns (UTC) and now_ns (monotonic). Returns its age in ns.
 */
int64_t clockoff_age(
    struct clockoff *c, uint64_t now_ns, int64_t wall_ns, int64_t venue_ns);

#endif
