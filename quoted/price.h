/*
 * price.h - from a micro-price and an inventory to a bid and an ask.
 *
 * Avellaneda-Stoikov with a volatility-adaptive risk aversion. The formulas
 * and worked values are in docs/strategy-maths.md, sections "Dynamic gamma"
 * and "Reservation price". Pure: yes.
 */
#ifndef QUOTED_PRICE_H
#define QUOTED_PRICE_H

#include <stdbool.h>

#include "libcore/fixed.h"
#include "libshm/cfg.h"

/*
 * price_gamma - gamma * (1 + s_cur / s_base), capped at cap_mult * gamma,
 * then at gamma_max. sigma_known false: gamma itself (under the same caps).
 *   gamma 0.2, base 0.05, current 0.03 0.05 0.10 0.20
 *   give 0.32 0.40 0.60 0.60
 * toxic: the market's factor, 1 when calm; between the two caps.
 * Needs s_base > 0 when sigma_known (CHECK).
 */
double price_gamma(const struct cfg *cfg, bool sigma_known, double s_cur,
    double s_base, double toxic);

struct price_in {
	px_t micro;
	px_t bid_px; /* best of the book, both sides exist                */
	px_t ask_px;
	px_t tick;   /* grid step at this price                       */
	bool binary; /* clamp into (0, 1)                             */
	double gamma;
	double q_norm; /* inventory over its limit, -1..1               */
	double var_s;  /* variance a second, 0 when not known           */
	double horizon_s;
	double widen; /* factor on the spread, >= 1                    */
	px_t half_px; /* half of the calm spread                       */
	px_t skew_px_max;
};

struct price_out {
	px_t reserve;
	px_t bid;
	px_t ask;
};

/*
 * price_quotes - the two quotes.
 *  1. r = micro - gamma * q * var * T, the shift at most skew_px_max
 *  2. bid = floor_tick(r - half * widen), ask = ceil_tick(r + half * widen)
 *  3. binaries: tick <= bid, ask <= 1 - tick
 *  4. never across the book: bid < best ask, ask > best bid
 * Returns : false when no bid below the ask is left (a book without room).
 */
bool price_quotes(const struct price_in *in, struct price_out *out);

#endif
