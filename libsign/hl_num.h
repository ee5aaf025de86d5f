/*
 * hl_num.h - which prices and sizes Hyperliquid takes, and how it wants them
 * written.
 *
 * A price is valid when both hold; whole numbers always are:
 *   1. at most 5 significant figures;
 *   2. at most 6 - szDecimals decimals for perpetuals, 8 - szDecimals for
 *      spot.
 * The tick therefore changes with the price: ask hl_tick, never keep it.
 * A size has at most szDecimals decimals; an order is worth at least 10
 * dollars.
 * Text is the shortest plain decimal: fixed_format of libcore at scale 8.
 * Pure: yes.
 */
#ifndef LIBSIGN_HL_NUM_H
#define LIBSIGN_HL_NUM_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/types.h"

#define HL_SZ_DECIMALS_MAX 6

/* What the rules need to know of a coin. */
struct hl_grid {
	uint8_t sz_decimals; /* 0 to HL_SZ_DECIMALS_MAX */
	bool spot;
};

/* hl_tick - the grid at a price > 0 (CHECK). */
px_t hl_tick(const struct hl_grid *c, px_t px);

bool hl_px_ok(const struct hl_grid *c, px_t px);

/*
 * hl_px_round - to the grid, down for a bid, up for an ask; a result that
 * crosses a power of ten is on the coarser grid too.
 * Returns false, *out untouched, for px <= 0 or above PX_E8_MAX, or when a
 * bid falls to zero.
 */
bool hl_px_round(const struct hl_grid *c, px_t px, enum side side, px_t *out);

bool hl_qty_ok(const struct hl_grid *c, qty_t qty);

/* hl_qty_floor - down to a valid size, 0 for what is less. */
qty_t hl_qty_floor(const struct hl_grid *c, qty_t qty);

/* hl_value_ok - at least the smallest order's value. */
bool hl_value_ok(px_t px, qty_t qty);

/*
 * hl_nonce_next - max(now_ms, *last + 1), also stored in *last. The venue
 * keeps the highest hundred a signer: unique, near the time, one process a
 * key.
 */
uint64_t hl_nonce_next(uint64_t *last, uint64_t now_ms);

#endif
