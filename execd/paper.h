/*
 * paper.h - the venue that paper orders meet: what would have happened.
 *
 * Judges one order of ours against the recorded or live book, from event
 * times alone. It holds no state but the queue place inside the order.
 *
 *   arrival   post-only that would cross is refused; else it joins the queue
 *             behind what is displayed at its price. Not post-only: walks the
 *             book first; IOC and FOK never rest.
 *   a trade   at our price by the other side's aggressor eats the queue, then
 *             us; a trade through our price fills us whole.
 *   a touch   of the other side at or through our price fills us whole: our
 *             order would have been in its way.
 * Our own orders are not in the book and do not move it.
 * Pure: yes. O(levels walked).
 */
#ifndef EXECD_PAPER_H
#define EXECD_PAPER_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/book.h"
#include "libcore/queue.h"
#include "libshm/instr.h"
#include "libshm/slots.h"

/* paper_crosses - would an order at px take from the book at once? */
bool paper_crosses(const struct book *b, enum side side, px_t px);

/*
 * paper_reprice - where a refused post-only order goes next: a tick further
 * out than it was, and outside the present book.
 * False when no price inside the instrument's range is left. tick > 0 (CHECK).
 */
bool paper_reprice(const struct book *b, enum side side, px_t px, px_t tick,
    bool binary, px_t *out);

/* A take of several levels, worst price last. */
#define PAPER_WALK 8u
struct paper_take {
	uint32_t n;
	uint32_t pad;
	qty_t qty; /* sum                                                 */
	struct book_level part[PAPER_WALK];
};

/*
 * paper_walk - take up to qty at px or better, from the best level on.
 * FOK takes nothing when it cannot have it all.
 * At most PAPER_WALK levels; the rest stays untaken.
 */
void paper_walk(const struct book *b, enum side side, px_t px, qty_t qty,
    bool fok, struct paper_take *out);

/* paper_trade - how much of `left` a print fills. */
qty_t paper_trade(struct queue *q, enum side side, px_t px, qty_t left,
    const struct tick_trade *t, uint64_t now_ns);

/* paper_touched - the other side's best is at or through our price. A
 * crossed or one-sided-empty touch says nothing. */
bool paper_touched(enum side side, px_t px, const struct tick_bbo *t);

/* paper_fee - of a fill: binaries pay as taker only, perps both ways. */
usd_t paper_fee(const struct instr *in, px_t px, qty_t qty, bool maker);

#endif
