/*
 * edge.h - a probability against a price: the chain from one to a take.
 *
 * What   : edge = probability - price payable - fee - slippage, on each side
 *          (selling YES is buying NO at 1 - bid); then the TAKE filters of
 *          why.def in their order; then Kelly.
 * Frame  : YES.
 * Source : docs/strategy-maths.md, "Edge" and "Kelly".
 */
#ifndef QUOTED_EDGE_H
#define QUOTED_EDGE_H

#include "quoted/strat.h"

struct edge_view {
	bool known;
	double yes;
	double confidence;
	double annual; /* volatility; negative: the question does not arise */
	int state;     /* enum fair_state, for people                      */
};

struct edge_limits {
	bool send; /* false: signals are only counted                      */
	dec_t min_edge;
	dec_t max_edge;
	dec_t min_confidence;
	dec_t slippage;
	dec_t vol_min;
	dec_t vol_max;
	dec_t alloc_frac;
	usd_t min_liquidity;
	dur_t min_left;
	dur_t max_left;
	dur_t deadline;
	dur_t cooldown;
};

/* edge_of - of one side; what a share costs with fee and slippage goes to
 * *cost. */
int64_t edge_of(const struct quote_mkt *m, enum side side, double yes,
    dec_t slippage, px_t *cost);

/* edge_take - both sides; sends at most one take. */
void edge_take(struct strat_look *l, const struct strat *s,
    const struct edge_view *v, const struct edge_limits *c);

#endif
