/* Small positions on the operator's probabilities, held to resolution. */
#include <math.h>

#include "quoted/edge.h"

static bool
fits(const struct quote *q, const struct quote_mkt *m)
{
	return q->prob.n > 0 && m->in.cls == CLASS_BINARY;
}

static void
take(struct strat_look *l)
{
	const struct cfg *c = &l->q->cfg;
	const struct prob *p =
	    prob_find(&l->q->prob, l->m->in.symbol, l->ev->wall_ns);
	const struct edge_limits limits = {
	    .send = c->satellite_enabled,
	    .min_edge = c->satellite_min_edge,
	    .max_edge = c->satellite_max_edge,
	    .min_confidence = c->satellite_min_confidence,
	    .slippage = c->edge_slippage,
	    .alloc_frac = c->satellite_alloc_frac,
	    .min_liquidity = c->edge_min_liquidity,
	    .min_left = c->satellite_min_time_to_expiry,
	    .max_left = c->satellite_max_time_to_expiry,
	    .deadline = c->edge_deadline_ms,
	    .cooldown = c->edge_cooldown_s,
	};
	struct edge_view v = {.annual = -1.0, .state = FAIR_NO_SPOT};

	/* A market that may be resolved at somebody's whim is not held. */
	if (p != 0 && llround(l->m->rrs * 1e8) <= c->rrs_veto_satellite.e8)
		v = (struct edge_view){.known = true,
		    .yes = p->yes,
		    .confidence = p->confidence,
		    .annual = -1.0,
		    .state = FAIR_OK};
	edge_take(l, &strat_satellite, &v, &limits);
}

const struct strat strat_satellite = {
    .name = "satellite",
    .kind = STRAT_TAKE,
    .id = STRATEGY_SATELLITE,
    .level = 3,
    .fits = fits,
    .take = take,
};
