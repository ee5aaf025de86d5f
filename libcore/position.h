/*
 * position.h - what we hold of one instrument, and what it earned.
 *
 * What      : net quantity (binaries: YES minus NO), what the open part cost,
 *             what the closed part realised, fees. Average-cost accounting:
 *             an order that reduces realises its share of the cost; one that
 *             turns the position round closes the old and opens the new.
 * Units     : products are exact, e16 = px e8 * qty e8, in 128 bits; nothing
 *             is rounded until somebody reads dollars (1e-6, rounded down,
 *             so that neither profit nor loss is ever flattered).
 * Invariant : qty 0 means cost 0; cost has the sign of qty (a price is >= 0).
 *             realised - cost = all cash received minus all cash paid.
 * Pure      : yes. O(1).  Flat: may be copied, stored and hashed as bytes.
 */
#ifndef LIBCORE_POSITION_H
#define LIBCORE_POSITION_H

#include "libcore/fixed.h"
#include "libcore/types.h"

struct position {
	qty_t qty;	     /* signed                                     */
	usd_t fees;	     /* paid, all time; negative: rebates          */
	i128_t cost_e16;     /* of the open quantity, sign of qty          */
	i128_t realised_e16; /* all time, before fees                     */
};

/* e16_to_usd - rounded down; CHECK when it leaves 64 bits. */
usd_t e16_to_usd(i128_t e16);

/* e16_product - px * qty, exactly. */
static inline i128_t
e16_product(px_t px, qty_t qty)
{
	return (i128_t)px.e8 * qty.e8;
}

/*
 * position_fill - we bought (SIDE_BID) or sold qty at px.
 * Needs   : qty > 0, px >= 0, both within PX_E8_MAX, QTY_E8_MAX, and the
 *           resulting quantity within QTY_E8_MAX (CHECK).
 * Returns : what this fill realised, e16.
 */
i128_t position_fill(struct position *p, enum side side, px_t px, qty_t qty);

/* position_unrealised - gain of the open quantity at a mark, rounded down. */
usd_t position_unrealised(const struct position *p, px_t mark);

/* position_avg - average price of the open quantity, toward zero; 0 if flat. */
px_t position_avg(const struct position *p);

/*
 * position_value - mark-to-mid size of a quantity that is or might be held:
 *   binary: long q is worth q * mark, short q is |q| NO tokens at 1 - mark;
 *   else |q| * mark.  Rounded up; never negative.
 */
usd_t position_value(bool binary, int64_t qty_e8, px_t mark);

/* position_at - value of the open quantity at an outcome minus its cost, e16.
 */
i128_t position_at(const struct position *p, px_t outcome);

#endif
