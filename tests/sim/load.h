/* load.h - captures from disk into timelines, for the virtual world. */
#ifndef TESTS_LOAD_H
#define TESTS_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "simvenue/timeline.h"
#include "simvenue/venue.h"

#define LOAD_MARKETS 64

struct load {
	struct sim_timeline line[VENUE_N];
	size_t cap[VENUE_N];
	struct sim_market market[LOAD_MARKETS];
	size_t market_n;
};

/* load_file - add a capture; false with a word in why. */
bool load_file(struct load *l, const char *path, char *why, size_t why_n);
/* load_done - sort and cut all timelines. */
bool load_done(struct load *l);
void load_free(struct load *l);

#endif
