/*
 * riskkept.h - what outlives shared memory: the day and every position.
 *
 * What      : an image of the day's loss, of latches and volume, and of each
 * instrument that has a position or earned something, by venue and symbol, for
 * indices may differ in the next run. risk_io.c keeps it on disk. Unplaced  :
 * what was loaded waits in struct risk until TICK_INSTR of its symbol comes.
 * Until then it counts, at its last mark, in unrealised, exposure and worst. So
 * waits, too, the position of a market whose slot went to another one before
 * its outcome was known; its outcome alone ends it. A flat entry that found no
 *             place in a whole run is left out of the next: the day's P&L
 *             has it.
 * Limit     : RISK_KEPT entries, positions first; what has no room is
 *             counted, and the shell logs an error.
 * Pure      : yes. O(entries) an image, a placement.
 */
#ifndef RISKD_RISKKEPT_H
#define RISKD_RISKKEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/position.h"
#include "libcore/types.h"
#include "riskd/drawdown.h"
#include "riskd/riskwatch.h"

#define RISK_KEPT   1024u
#define RISK_SYMBOL 48u

struct risk_kept {
	char symbol[RISK_SYMBOL]; /* zero padded                          */
	struct position pos;
	struct position edge; /* the part of the edge strategy            */
	px_t mark;
	int64_t end_wall_ns;	/* of the window; 0: none                    */
	int64_t opened_wall_ns; /* as in struct risk_watch, ...             */
	int64_t since_wall_ns;
	uint8_t venue;
	uint8_t cls;	/* enum instr_class; 0: was not known            */
	uint8_t starts; /* it went unplaced, ever                        */
	uint8_t phase;	/* ... and so are these                           */
	uint16_t why;
	uint8_t pad[10];
};
_Static_assert(sizeof(struct risk_kept) == 192, "three lines");

struct risk_image {
	struct loss loss;
	struct loss edge;
	uint64_t latched[VENUE_N];
	struct risk_ratio ratio;
	uint64_t own_n;	 /* of ids of riskd's own                          */
	uint64_t reduce; /* 1: until a person thaws                       */
	uint64_t n;
	struct risk_kept kept[RISK_KEPT];
};

struct risk;

/* risk_image_take - what is to be kept now. Returns how many entries found
 * no room. Only the first n entries are written. */
uint32_t risk_image_take(const struct risk *r, struct risk_image *img);

/* risk_image_load - into a core that knows nothing yet. False, the core
 * untouched, when an entry makes no sense. */
bool risk_image_load(struct risk *r, const struct risk_image *img);

/* risk_kept_sane - ranges and signs of an entry that came from outside. */
bool risk_kept_sane(const struct risk_kept *k);

#endif
