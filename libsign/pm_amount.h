/*
 * pm_amount.h - what a Polymarket order gives and gets, by integers only.
 *
 * Why   : a price is sent as the ratio of two amounts, so an amount that is
 *         rounded on its own moves the price off the tick.
 * Units : px_e4   price in 1e-4, 1 to 9999
 *         tick_e4 1000, 100, 50, 25, 10 or 1
 *         qty_e2  hundredths of a share (sizes have two decimals)
 *         usd_e2  cents
 *         amounts base units, 1e-6 dollars or shares
 *         BUY (SIDE_BID) gives dollars and gets shares, SELL the reverse.
 * Pure  : yes, O(1).
 */
#ifndef LIBSIGN_PM_AMOUNT_H
#define LIBSIGN_PM_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/types.h"

#define PM_QTY_E2_MAX UINT64_C(10000000000) /* 1e8 shares */

enum pm_tif {
	PM_GTC = 1, /* rests until cancelled */
	PM_GTD = 2, /* rests until its expiration, less a minute */
	PM_FOK = 3, /* all or nothing now */
	PM_FAK = 4, /* what is there now */
	PM_TIF_N
};

struct pm_amounts {
	uint64_t maker; /* what we give */
	uint64_t taker; /* what we get */
};

bool pm_tick_ok(uint32_t tick_e4);

/* pm_px_ok - on the grid and within [tick, 1 - tick]. */
bool pm_px_ok(uint32_t px_e4, uint32_t tick_e4);

/*
 * pm_px_to_e4 - a price to the grid: down for a bid, up for an ask.
 * Returns false, *out untouched, when that leaves [tick, 1 - tick] or the
 * tick is none of the venue's.
 */
bool pm_px_to_e4(px_t px, uint32_t tick_e4, enum side side, uint32_t *out);

/* pm_qty_to_e2 - hundredths of a share, rounded down; negative gives 0. */
uint64_t pm_qty_to_e2(qty_t qty);

/*
 * pm_limit_amounts - of an order that may rest (GTC, GTD). Exact:
 *   shares = qty_e2 * 10^4    dollars = qty_e2 * px_e4
 * Returns false for px_e4 outside 1..9999, qty_e2 outside 1..PM_QTY_E2_MAX.
 */
bool pm_limit_amounts(
    enum side side, uint32_t px_e4, uint64_t qty_e2, struct pm_amounts *out);

/*
 * pm_market_amounts - of an order that takes now (FOK, FAK). The maker amount
 * has two decimals, the taker amount four, rounded up, so that the price
 * implied is never worse than the limit.
 *   BUY  amount_e2 is a budget in cents
 *   SELL amount_e2 is hundredths of a share
 * Returns false as above.
 */
bool pm_market_amounts(
    enum side side, uint32_t px_e4, uint64_t amount_e2, struct pm_amounts *out);

/* pm_market_budget - cents for a BUY that takes qty_e2 at px_e4, rounded
 * down. */
uint64_t pm_market_budget(uint32_t px_e4, uint64_t qty_e2);

/*
 * pm_amounts_check - the decimals that the venue takes, by kind of order; an
 * order that may rest must also imply a price on the grid exactly.
 * pm_amounts_ok - is there nothing wrong with them?
 */
enum pm_amounts_fault {
	PM_AMOUNTS_OK = 1,
	PM_AMOUNTS_DECIMALS, /* too many, or an amount of zero */
	PM_AMOUNTS_TICK,     /* not a price of the grid */
	PM_AMOUNTS_N
};
enum pm_amounts_fault pm_amounts_check(enum pm_tif tif, enum side side,
    uint32_t tick_e4, const struct pm_amounts *a);
bool pm_amounts_ok(enum pm_tif tif, enum side side, uint32_t tick_e4,
    const struct pm_amounts *a);

/* pm_implied_px - the price that amounts imply when it is a whole number of
 * 1e-4; false, *out untouched, when it is not. */
bool pm_implied_px(enum side side, const struct pm_amounts *a, uint32_t *out);

const char *pm_tif_name(enum pm_tif tif);

#endif
