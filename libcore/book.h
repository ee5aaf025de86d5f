/*
 * book.h - price levels of one instrument.
 *
 * What      : up to `cap` levels a side, in memory that the caller gives;
 *             kept best LAST, so that changes near the touch move little.
 *             Levels are counted from the best (0) in every function here.
 * Units     : px_t 1e-8 quote currency, qty_t 1e-8 base units.
 * Invariant : bids strictly fall, asks strictly rise from the best on,
 *             quantities > 0. The two sides may cross: see book_is_crossed.
 * Memory    : holds no pointer, only the distance to its levels: a book and
 *             its levels that lie in one block may be copied together, and
 *             may be mapped at another address. A quiet instrument may have
 *             a small cap; struct book_full has BOOK_DEPTH.
 * Pure      : yes. Worst case O(cap) an update, O(1) near the touch.
 *
 *     struct book_full f;
 *     book_full_init(&f);
 *     book_set(&f.book, SIDE_BID, px, qty);
 */
#ifndef LIBCORE_BOOK_H
#define LIBCORE_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/types.h"

#define BOOK_DEPTH 1024u

struct book_level {
	px_t px;
	qty_t qty;
};

struct book {
	int64_t level_off; /* bytes from this struct to its levels */
	uint32_t cap;	   /* levels a side */
	uint32_t n[2];	   /* used: bids, asks */
	uint32_t pad;
};

/* A book with its memory. */
struct book_full {
	struct book book;
	struct book_level level[2 * BOOK_DEPTH];
};

enum book_change {
	BOOK_CHANGED = 1,
	BOOK_SAME = 2,	  /* that quantity was there already */
	BOOK_ABSENT = 3,  /* nothing to remove at that price */
	BOOK_DROPPED = 4, /* the side is full: its worst level, perhaps the new
			     one itself, was given up */
	BOOK_CHANGE_N
};

/* book_init - empty book over 2 * cap levels. Needs cap >= 1 (CHECK); the
 * memory stays at the same distance from *b. */
void book_init(struct book *b, struct book_level *levels, uint32_t cap);

void book_full_init(struct book_full *f);

/* book_clear - drop all levels, or those of one side. */
void book_clear(struct book *b);
void book_clear_side(struct book *b, enum side side);

/* book_copy - the levels of src. Needs dst->cap >= what src holds (CHECK). */
void book_copy(struct book *dst, const struct book *src);

/*
 * book_set - qty is the new total at px; 0 removes the level.
 * Needs   : 0 <= px <= PX_E8_MAX, 0 <= qty <= QTY_E8_MAX (CHECK).
 * Setting a side from its worst level to its best is O(1) a level.
 */
enum book_change book_set(struct book *b, enum side side, px_t px, qty_t qty);

/* book_n - levels on a side. */
uint32_t book_n(const struct book *b, enum side side);

/* book_level - level i of a side, 0 the best; NULL past the end. */
const struct book_level *book_level(
    const struct book *b, enum side side, uint32_t i);

/* book_best - false, *out untouched, when the side is empty. */
bool book_best(const struct book *b, enum side side, struct book_level *out);

/* book_qty_at - total at exactly px, 0 when there is none. O(log n). */
qty_t book_qty_at(const struct book *b, enum side side, px_t px);

/*
 * book_depth_to - sum of quantities at px and better (bids at or above it,
 * asks at or below it): what a taker with that limit could get.
 * Saturates at INT64_MAX.
 */
qty_t book_depth_to(const struct book *b, enum side side, px_t px);

/*
 * book_microprice - top of book weighted by the opposite quantity.
 *   m = (Qb*Pa + Qa*Pb) / (Qb + Qa)        docs/strategy-maths.md
 * Rounds toward zero at 1e-8.
 * Returns : false, *out untouched, when a side is empty.
 *
 * book_microprice_top - the same over the top n levels of each side: Qb, Qa
 * are their sums, Pb, Pa their averages weighted by quantity. n == 1 gives
 * book_microprice. Needs n >= 1 (CHECK).
 */
bool book_microprice(const struct book *b, px_t *out);
bool book_microprice_top(const struct book *b, uint32_t n, px_t *out);

/* book_mid - (bid + ask) / 2, toward zero. book_spread - ask - bid: zero or
 * negative when crossed. False, *out untouched, when a side is empty. */
bool book_mid(const struct book *b, px_t *out);
bool book_spread(const struct book *b, px_t *out);

/* book_is_crossed - both sides exist and bid >= ask. */
bool book_is_crossed(const struct book *b);

/* book_is_ordered - the invariant, walked over every level; for DCHECK. */
bool book_is_ordered(const struct book *b);

/* book_hash - mix every level into h; the same book, the same value,
 * whatever its cap and history. O(n). */
uint64_t book_hash(const struct book *b, uint64_t h);

#endif
