/*
 * astoikov.h - reservation price and spread of a maker with an inventory.
 *
 * Avellaneda and Stoikov, High-frequency trading in a limit order book, 2008,
 * with the inventory taken over its limit (-1..1) and a risk aversion that
 * follows volatility.
 * Units: prices in quote currency, variance a second, kappa a unit of price.
 * Pure: yes. Doubles: a model. Source: docs/strategy-maths.md.
 */
#ifndef LIBCORE_ASTOIKOV_H
#define LIBCORE_ASTOIKOV_H

#include <stdbool.h>
#include <stdint.h>

struct as_gamma_cfg {
	double base;
	double cap_mult; /* volatility raises it to at most this multiple */
	double max;	 /* absolute, after every factor                  */
};

/*
 * as_gamma - base * (1 + ratio), in this order: capped at cap_mult * base,
 * times the market's toxic factor (1 when calm), capped at max. ratio is
 * current over baseline volatility; known false: base in place of it.
 *   base 0.2, ratios 0.6 1 2 4 give 0.32 0.40 0.60 0.60
 * Needs a finite ratio >= 0 when known, toxic >= 1 (CHECK).
 */
double as_gamma(
    const struct as_gamma_cfg *c, bool known, double ratio, double toxic);

/*
 * as_shift - how far the reservation price lies below the micro-price:
 * gamma * q * var_s * horizon_s * scale, within +-max. scale is 1 when var_s
 * is of the price itself, the price when it is of its logarithm.
 * Needs |q| <= 1, max >= 0, no NaN (CHECK).
 */
struct as_shift_in {
	double gamma;
	double q;
	double var_s;
	double horizon_s;
	double scale;
	double max;
};
double as_shift(const struct as_shift_in *in);

/*
 * as_spread - the optimal spread, both sides together:
 *   gamma * var_s * horizon_s + 2 / gamma * ln(1 + gamma / kappa)
 * 2 / kappa plus nothing at gamma = 0. Needs kappa > 0, gamma >= 0 (CHECK).
 */
double as_spread(double gamma, double var_s, double horizon_s, double kappa);

/*
 * The intensity of fills at a distance d from the mid is A * exp(-kappa * d):
 * a trade that reached d would have filled everything nearer.
 */
#define AS_BINS 16u

struct as_kappa_cfg {
	double bin;	   /* width of a distance bin, price             */
	double halflife_s; /* of what has been seen                      */
	double min_n;	   /* trades, by weight, before there is a fit   */
};

struct as_kappa {
	uint64_t last_ns;
	double seen_s;	      /* time, weighted                          */
	double hits[AS_BINS]; /* trades by distance, weighted; the last
				 bin holds all farther ones               */
};

/* as_kappa_init - zero state. */
void as_kappa_init(struct as_kappa *k);

/* as_kappa_trade - a trade at now_ns, `distance` from the mid before it, on
 * either side. Distances that are negative or no numbers count as 0; times
 * before the last are taken as the last. */
void as_kappa_trade(struct as_kappa *k, const struct as_kappa_cfg *c,
    uint64_t now_ns, double distance);

/*
 * as_kappa_fit - weighted least squares of the logarithm of the trades that
 * reached a distance, over the distances.
 * Returns : false, outputs untouched, with less than min_n trades, fewer
 *           than three distances reached, or no decay.
 */
bool as_kappa_fit(const struct as_kappa *k, const struct as_kappa_cfg *c,
    double *kappa, double *rate);

#endif
