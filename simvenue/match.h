/*
 * match.h - a limit order book that matches by price, then time.
 *
 * What      : resting orders of any number of accounts in one instrument.
 *             The exchange decides what is accepted, what a match means and
 *             who is told; this decides who trades with whom.
 * Units     : px_t, qty_t. Binaries: the YES frame, buying NO is selling YES.
 * Priority  : better price first; at one price who came first. A match is
 *             always at the resting order's price.
 * Handles   : match_rest gives one; it is free again once the order is gone.
 *             `user` is the exchange's own and comes back with each match.
 * Memory    : the caller's, see match_mem; a level needs no memory of its own
 *             beyond one entry in the side's array.
 * Pure      : yes. O(log levels) to find a price, O(1) a match, O(levels
 *             moved) when a price appears or goes, few near the touch.
 */
#ifndef SIMVENUE_MATCH_H
#define SIMVENUE_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/types.h"

#define MATCH_NONE UINT32_MAX /* no handle */

struct match_order {
	uint64_t user;
	px_t px;
	qty_t left;
	uint32_t account;
	uint32_t prev; /* at the same price, MATCH_NONE at the ends */
	uint32_t next;
	uint8_t side; /* enum side; 0: free */
	uint8_t pad[3];
};

struct match_level {
	px_t px;
	qty_t qty; /* of all its orders */
	uint32_t first;
	uint32_t last;
	uint32_t order_n;
	uint32_t pad;
};

struct match_side {
	struct match_level *level; /* best last */
	uint32_t n;
};

struct match {
	struct match_order *order;
	uint32_t order_cap;
	uint32_t level_cap;
	uint32_t free; /* first free order, linked by next */
	uint32_t order_n;
	struct match_side side[2];
};

/* What match_init works on: orders, and levels of bids and asks. */
struct match_mem {
	struct match_order *order;
	uint32_t order_cap;
	struct match_level *bid;
	struct match_level *ask;
	uint32_t level_cap; /* of each side */
};

/* match_init - empty. Needs both caps >= 1 (CHECK). */
void match_init(struct match *m, const struct match_mem *mem);

/* What happened to one resting order of the book. */
struct match_hit {
	uint32_t handle;
	uint64_t user;
	uint32_t account;
	px_t px;
	qty_t qty;  /* traded; 0: taken out by self-trade prevention */
	qty_t left; /* of the resting order; 0: the handle is free after this */
};

enum match_self {
	MATCH_SELF_TRADES = 1,	/* as any other */
	MATCH_SELF_CANCELS = 2, /* the resting order goes, the taker goes on */
	MATCH_SELF_N
};

struct match_take {
	enum side side; /* of the taker */
	px_t limit;	/* worst price it accepts */
	qty_t qty;	/* > 0 (CHECK) */
	uint32_t account;
	enum match_self self;
	/* called once a resting order, best first; must not call back */
	void (*hit)(void *user, const struct match_hit *h);
	void *user;
};

/* match_take - trade with what rests. Returns what of qty is left. */
qty_t match_take(struct match *m, const struct match_take *t);

/* match_takeable - how much match_take would trade (self-trades counted as
 * any other): the question of FOK. */
qty_t match_takeable(const struct match *m, enum side side, px_t limit);

/* match_crosses - would an order trade at once? */
bool match_crosses(const struct match *m, enum side side, px_t px);

/*
 * match_rest - join the queue at a price, behind who is there. Needs qty > 0
 * and no crossing (CHECK).
 * Returns : a handle, or MATCH_NONE when orders or levels are full.
 */
struct match_new {
	enum side side;
	px_t px;
	qty_t qty;
	uint32_t account;
	uint64_t user;
};
uint32_t match_rest(struct match *m, const struct match_new *o);

/* match_cancel - take an order out. Returns what was left of it. */
qty_t match_cancel(struct match *m, uint32_t handle);

/* match_reduce - less than before, place kept. Needs 0 < left < present. */
void match_reduce(struct match *m, uint32_t handle, qty_t left);

/* match_at - the order of a handle, NULL when it is free. */
const struct match_order *match_at(const struct match *m, uint32_t handle);

/* match_level_n, match_level - as displayed, 0 the best; NULL past the end. */
uint32_t match_level_n(const struct match *m, enum side side);
const struct match_level *match_level(
    const struct match *m, enum side side, uint32_t i);

/* match_qty_at - total at exactly px, 0 when there is none. */
qty_t match_qty_at(const struct match *m, enum side side, px_t px);

/* match_ahead - quantity before an order at its price. O(orders there). */
qty_t match_ahead(const struct match *m, uint32_t handle);

/* match_is_sound - the invariants, walked; for DCHECK and tests. */
bool match_is_sound(const struct match *m);

#endif
