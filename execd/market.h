/*
 * market.h - instruments and books of a venue, as market data tells them.
 *
 * Order management looks here for ticks and minima and for the book that a
 * refused post-only order is priced from; the paper port judges by it.
 * A book counts from the end of its snapshot until a gap, the loss of the
 * connection that carries books, or another life of the feed.
 * Pure: yes. O(log levels) a level.
 */
#ifndef EXECD_MARKET_H
#define EXECD_MARKET_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/book.h"
#include "libshm/event.h"
#include "libshm/instr.h"

#define MARKET_INSTR INSTR_PM_N /* the largest region                  */
#define MARKET_DEPTH 256u	/* levels of a book that are kept      */

struct market_instr {
	struct instr in;
	bool known;
	bool snap; /* a snapshot is being received                        */
	uint8_t pad[6];
	uint64_t gen; /* the book is complete while this is market.gen    */
	struct {
		struct book book;
		struct book_level level[2 * MARKET_DEPTH];
	} b;
};

struct market {
	uint16_t base; /* first instrument of the venue                   */
	uint16_t instr_n;
	uint32_t pad;
	uint64_t gen; /* books of older generations do not count          */
	struct market_instr instr[MARKET_INSTR];
};

/* market_init - no instrument is known. Needs zeroed memory: most of it is
 * books that may never come, and is better never touched. */
void market_init(struct market *m, enum venue v);

/* market_has - is it an instrument of this venue? market_at, market_look:
 * the entry of one that is (CHECK). */
bool market_has(const struct market *m, uint16_t instr);
struct market_instr *market_at(struct market *m, uint16_t instr);
const struct market_instr *market_look(const struct market *m, uint16_t instr);

/* market_ok - is its book complete? */
bool market_ok(const struct market *m, const struct market_instr *in);

/* What an instrument's new metadata means for orders that rest. */
enum market_change {
	MARKET_SAME = 1,   /* they stay                                   */
	MARKET_OTHER = 2,  /* another market or another price grid        */
	MARKET_CLOSED = 3, /* it takes no orders                          */
	MARKET_CHANGE_N
};
enum market_change market_set(
    struct market *m, uint16_t instr, const struct instr *in);

/* market_tick - a tick that is no TICK_INSTR. True: it says something about
 * orders that rest at this venue (a level, a print, a touch, the end of a
 * snapshot), and the book has taken it. */
bool market_tick(struct market *m, const struct tick *t);

uint64_t market_hash(const struct market *m, uint64_t h);

#endif
