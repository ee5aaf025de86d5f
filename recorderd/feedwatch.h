/*
 * feedwatch.h - was a feed there all the time that it was recorded?
 *
 * What      : looks at a feed now and then, adds up the time in which it had
 *             no connection or no data, and counts its gaps since the first
 *             look. A recording without them is not whole, whatever the
 *             recorder itself has lost.
 * Accuracy  : of a look: what comes and goes between two is a gap, which the
 *             feed counts itself.
 * Pure      : yes. O(1).
 */
#ifndef RECORDERD_FEEDWATCH_H
#define RECORDERD_FEEDWATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/reasons.h"
#include "libcore/types.h"

#define FEEDWATCH_SZ 160

struct feedwatch {
	uint64_t at_ns;	  /* last look, 0 none yet                         */
	uint64_t down_ns; /* so far                                        */
	int64_t gaps_first;
	int64_t gaps;	 /* since the first look                          */
	uint16_t reason; /* enum reason why it was down last, 0 not told  */
	bool is_down;
	bool was_up; /* at one look at least                          */
};

/* feedwatch_look - link_state: enum link_state, 0 none yet. gaps: the feed's
 * counter. reason: of the last end, 0 none. */
void feedwatch_look(struct feedwatch *w, uint8_t link_state, int64_t gaps,
    uint16_t reason, uint64_t now_ns);

/* feedwatch_whole - it came, and no gap: the recording of it is whole. */
bool feedwatch_whole(const struct feedwatch *w);

/* feedwatch_text - "binance: down 10.2 s (certificate ...), 3 gaps", or
 * "binance: never up (...)"; "binance: whole". */
const char *feedwatch_text(
    const struct feedwatch *w, enum venue v, char buf[FEEDWATCH_SZ]);

#endif
