/*
 * fees.h - what a fill costs.
 *
 * Units : rates in millionths (ppm) as in struct instr; dollars 1e-6.
 * Pure  : yes.
 */
#ifndef LIBCORE_FEES_H
#define LIBCORE_FEES_H

#include <stdint.h>

#include "libcore/fixed.h"

/*
 * fee_binary - taker fee of a binary:  C * rate * p * (1 - p)
 *   rounded half up to 5 decimals; smallest charge 0.00001 when the rate is
 *   not zero and 0 < p < 1. Symmetric in p and 1 - p.
 * Needs   : 0 <= px <= 1, qty >= 0 (CHECK).
 */
usd_t fee_binary(px_t px, qty_t qty, uint32_t rate_ppm);

/*
 * fee_rebate - most that a maker can get back for a fill of a binary:
 *   rebate share * C * rate * p * (1 - p), rounded down. What is really paid
 *   depends on the day's other makers, so this is never booked.
 */
usd_t fee_rebate(px_t px, qty_t qty, uint32_t rate_ppm, uint32_t share_ppm);

/* fee_notional - px * qty * rate, rounded up (perpetuals, maker or taker). */
usd_t fee_notional(px_t px, qty_t qty, uint32_t rate_ppm);

#endif
