/*
 * kelly.h - how much to stake on a probability.
 *
 * f* = (b * p - q) / b, b the net odds at the price paid, q = 1 - p (Kelly
 * 1956). A share at price c pays 1: b = (1 - c) / c and f* = (p - c) / (1 - c).
 * Pure: yes. Probabilities are doubles, money is integers, rounded down.
 */
#ifndef LIBCORE_KELLY_H
#define LIBCORE_KELLY_H

#include <stdint.h>

#include "libcore/fixed.h"

struct kelly_cfg {
	double fraction;	 /* of f*: a quarter                     */
	double trade_max_frac;	 /* of the bankroll, one trade           */
	double alloc_min_frac;	 /* of the bankroll, the strategy: the   */
	double alloc_max_frac;	 /* wanted share is held within these    */
	uint32_t concurrent_max; /* positions at once                    */
};

struct kelly_in {
	usd_t bankroll;
	double prob;	   /* that the share pays 1                      */
	px_t cost;	   /* of one share, fees and slippage included    */
	double alloc_frac; /* share of the bankroll wanted by the strategy */
	usd_t at_stake;	   /* already, by the strategy                    */
	uint32_t open_n;   /* positions it has                            */
};

enum kelly_limit {
	KELLY_FREE = 1, /* the fraction itself                           */
	KELLY_TRADE,	/* one trade's share of the bankroll             */
	KELLY_ALLOC,	/* what is left of the strategy's allocation     */
	KELLY_NO_EDGE,	/* nothing: f* <= 0, or an input is no number     */
	KELLY_FULL,	/* nothing: enough positions                     */
	KELLY_LIMIT_N
};

/* kelly_fraction - f*; at most 1, negative when the price is too high; 0 for
 * a cost outside (0, 1) or a probability outside [0, 1]. */
double kelly_fraction(double prob, double cost);

/* kelly_allocation - dollars of the strategy: bankroll times its wanted share
 * held within [alloc_min_frac, alloc_max_frac]. */
usd_t kelly_allocation(const struct kelly_cfg *c, usd_t bankroll, double frac);

/* kelly_stake - dollars to pay for a position, and what set them. */
usd_t kelly_stake(const struct kelly_cfg *c, const struct kelly_in *in,
    enum kelly_limit *limit);

#endif
