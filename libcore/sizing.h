/*
 * sizing.h - how the balance becomes capital, and capital a quantity.
 *
 * Money and quantities are integers. Pure: yes.
 * Source: docs/strategy-maths.md, "Size".
 */
#ifndef LIBCORE_SIZING_H
#define LIBCORE_SIZING_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/types.h"

struct sizing_split {
	usd_t maker;
	usd_t arb;
	usd_t reserve;
};

struct sizing_shares {
	int64_t maker_e8; /* fractions of the balance, 1e-8; together at
			     most 1 (CHECK)                           */
	int64_t arb_e8;
	bool maker_on; /* a strategy that is off leaves its share to the
			  reserve                                      */
	bool arb_on;
};

/*
 * sizing_split - the balance over the strategies, to the cent; what rounding
 * leaves is the reserve's, so that the parts always add up.
 *   $72.92 at 78 % and 20 %: 56.88, 14.58, 1.46
 * A balance of nothing or less gives nothing.
 */
struct sizing_split sizing_split(usd_t balance, const struct sizing_shares *s);

/*
 * sizing_quantity - capital / (markets * each), exact, not yet rounded to the
 * lot. each is the money at stake in one unit.
 *   $56.88 over 5 markets: 22.752 at 0.50, 227.52 at 0.05
 * Needs markets > 0 (CHECK); each below 1e-8 counts as 1e-8.
 */
qty_t sizing_quantity(usd_t capital, int64_t markets, px_t each);

/*
 * sizing_stake - what one unit of a side of a binary can lose: with
 * worst_case a bid at p loses p and an ask 1 - p; without, both count p.
 */
px_t sizing_stake(enum side side, px_t px, bool worst_case);

struct sizing_in {
	usd_t capital; /* of all markets                                */
	int64_t markets;
	px_t px;
	enum side side;
	bool worst_case;
	qty_t position; /* signed                                        */
	qty_t limit;	/* of its absolute value                         */
	qty_t max;	/* of one order; 0 none                          */
	qty_t exit;	/* what the other side of the book takes within
			   reach; negative: not known                    */
};

/*
 * sizing_binary - quantity of one side, not yet rounded to the lot, >= 0.
 *  1. capital over what the side can lose
 *  2. plus the position it reduces, which costs nothing
 *  3. at most max, and the room up to the position limit
 *  4. what adds to the position is at most what the book takes back
 */
qty_t sizing_binary(const struct sizing_in *in);

#endif
