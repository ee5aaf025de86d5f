/*
 * said.h - a line at most once a minute, with how often it would have been.
 *
 * What     : trouble that repeats with each message or request is told when
 *            it begins and then once a minute while it lasts.
 * Pure     : yes, O(SAID_CAUSES).
 */
#ifndef FEEDD_SAID_H
#define FEEDD_SAID_H

#include <stdbool.h>
#include <stdint.h>

#define SAID_EVERY_NS UINT64_C(60000000000)
#define SAID_CAUSES   8u

struct said {
	uint64_t told_ns; /* last line; 0 none */
	uint32_t key;	  /* cause; 0 none */
	uint32_t n;	  /* since the last line */
};

/* said_again - it happened (again) for a cause: *n, how often since the last
 * line of it, this one included, when a line is due. Another cause than the
 * last one's is told at once. */
bool said_again(struct said *s, uint32_t key, uint64_t now_ns, uint32_t *n);

/* said_of - the record of a cause, a free one, or the oldest. */
struct said *said_of(struct said list[SAID_CAUSES], uint32_t key);

#endif
