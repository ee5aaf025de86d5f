#include "libsign/pm_amount.h"

#include <stddef.h>

#include "libcore/check.h"

#define PX_ONE_E4   UINT64_C(10000)
#define E8_PER_E4   INT64_C(10000)
#define E8_PER_E2   INT64_C(1000000)
#define BASE_PER_E2 UINT64_C(10000) /* base units in a cent, in 0.01 share */
#define BASE_4DP    UINT64_C(100)   /* base units in the fourth decimal */
#define AMOUNT_MAX  (PM_QTY_E2_MAX * PX_ONE_E4)

/* Ticks and the base units in the last decimal of a resting order's dollars:
 * 3, 4, 5, 6, 5 and 6 decimals. */
static const struct {
	uint32_t tick_e4;
	uint32_t usd_step;
} ticks[] = {{1000, 1000}, {100, 100}, {50, 10}, {25, 1}, {10, 10}, {1, 1}};

/* The row of a tick, or -1. */
static int
tick_row(uint32_t tick_e4)
{
	for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++)
		if (ticks[i].tick_e4 == tick_e4)
			return (int)i;
	return -1;
}

bool
pm_tick_ok(uint32_t tick_e4)
{
	return tick_row(tick_e4) >= 0;
}

bool
pm_px_ok(uint32_t px_e4, uint32_t tick_e4)
{
	return pm_tick_ok(tick_e4) && px_e4 % tick_e4 == 0 &&
	       px_e4 >= tick_e4 && px_e4 <= PX_ONE_E4 - tick_e4;
}

bool
pm_px_to_e4(px_t px, uint32_t tick_e4, enum side side, uint32_t *out)
{
	px_t grid;

	CHECK(side == SIDE_BID || side == SIDE_ASK);
	if (!pm_tick_ok(tick_e4) || px.e8 < 0 || px.e8 > E8)
		return false;
	grid = PX(tick_e4 * E8_PER_E4);
	grid =
	    side == SIDE_BID ? px_floor_tick(px, grid) : px_ceil_tick(px, grid);
	if (!pm_px_ok((uint32_t)(grid.e8 / E8_PER_E4), tick_e4))
		return false;
	*out = (uint32_t)(grid.e8 / E8_PER_E4);
	return true;
}

uint64_t
pm_qty_to_e2(qty_t qty)
{
	return qty.e8 < 0 ? 0 : (uint64_t)(qty.e8 / E8_PER_E2);
}

static bool
in_range(uint32_t px_e4, uint64_t amount_e2)
{
	return px_e4 > 0 && px_e4 < PX_ONE_E4 && amount_e2 > 0 &&
	       amount_e2 <= PM_QTY_E2_MAX;
}

bool
pm_limit_amounts(
    enum side side, uint32_t px_e4, uint64_t qty_e2, struct pm_amounts *out)
{
	uint64_t usd = qty_e2 * px_e4;
	uint64_t shares = qty_e2 * BASE_PER_E2;

	CHECK(side == SIDE_BID || side == SIDE_ASK);
	if (!in_range(px_e4, qty_e2))
		return false;
	*out = side == SIDE_BID ? (struct pm_amounts){usd, shares}
				: (struct pm_amounts){shares, usd};
	return true;
}

static uint64_t
ceil_div(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

bool
pm_market_amounts(
    enum side side, uint32_t px_e4, uint64_t amount_e2, struct pm_amounts *out)
{
	CHECK(side == SIDE_BID || side == SIDE_ASK);
	if (!in_range(px_e4, amount_e2))
		return false;
	out->maker = amount_e2 * BASE_PER_E2;
	/* cents * 10^4 base units / (px / 10^4), up to the next 100. */
	out->taker =
	    side == SIDE_BID
		? ceil_div(amount_e2 * UINT64_C(100000000), px_e4 * BASE_4DP)
		: ceil_div(amount_e2 * px_e4, BASE_4DP);
	out->taker *= BASE_4DP;
	return true;
}

uint64_t
pm_market_budget(uint32_t px_e4, uint64_t qty_e2)
{
	CHECK(qty_e2 <= PM_QTY_E2_MAX);
	return qty_e2 * px_e4 / PX_ONE_E4;
}

bool
pm_implied_px(enum side side, const struct pm_amounts *a, uint32_t *out)
{
	uint64_t usd = side == SIDE_BID ? a->maker : a->taker;
	uint64_t shares = side == SIDE_BID ? a->taker : a->maker;

	if (shares == 0 || shares > AMOUNT_MAX || usd > shares ||
	    usd * PX_ONE_E4 % shares != 0)
		return false;
	*out = (uint32_t)(usd * PX_ONE_E4 / shares);
	return true;
}

bool
pm_amounts_ok(enum pm_tif tif, enum side side, uint32_t tick_e4,
    const struct pm_amounts *a)
{
	return pm_amounts_check(tif, side, tick_e4, a) == PM_AMOUNTS_OK;
}

enum pm_amounts_fault
pm_amounts_check(enum pm_tif tif, enum side side, uint32_t tick_e4,
    const struct pm_amounts *a)
{
	int row = tick_row(tick_e4);
	uint64_t usd = side == SIDE_BID ? a->maker : a->taker;
	uint64_t shares = side == SIDE_BID ? a->taker : a->maker;
	uint32_t px_e4;

	if (row < 0)
		return PM_AMOUNTS_TICK;
	if (a->maker == 0 || a->taker == 0)
		return PM_AMOUNTS_DECIMALS;
	if (tif == PM_FOK || tif == PM_FAK)
		return a->maker % BASE_PER_E2 == 0 && a->taker % BASE_4DP == 0
			   ? PM_AMOUNTS_OK
			   : PM_AMOUNTS_DECIMALS;
	if (shares % BASE_PER_E2 != 0 || usd % ticks[row].usd_step != 0)
		return PM_AMOUNTS_DECIMALS;
	return pm_implied_px(side, a, &px_e4) && pm_px_ok(px_e4, tick_e4)
		   ? PM_AMOUNTS_OK
		   : PM_AMOUNTS_TICK;
}

const char *
pm_tif_name(enum pm_tif tif)
{
	switch (tif) {
	case PM_GTC: return "GTC";
	case PM_GTD: return "GTD";
	case PM_FOK: return "FOK";
	case PM_FAK: return "FAK";
	case PM_TIF_N: break;
	}
	CHECK(false);
	return "";
}
