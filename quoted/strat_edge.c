/* Takes up/down markets that are mispriced against their fair value. */
#include "libcore/vol.h"
#include "quoted/edge.h"

static bool
fits(const struct quote *q, const struct quote_mkt *m)
{
	(void)q;
	return m->in.cls == CLASS_UPDOWN;
}

static void
take(struct strat_look *l)
{
	const struct cfg *c = &l->q->cfg;
	const struct edge_limits limits = {
	    .send = c->edge_enabled,
	    .min_edge = c->edge_min_edge,
	    .max_edge = c->edge_max_edge,
	    .min_confidence = c->edge_min_confidence,
	    .slippage = c->edge_slippage,
	    .vol_min = c->edge_vol_min,
	    .vol_max = c->edge_vol_max,
	    .alloc_frac = c->edge_alloc_frac,
	    .min_liquidity = c->edge_min_liquidity,
	    .min_left = c->edge_min_time_to_expiry,
	    .max_left = c->edge_max_time_to_expiry,
	    .deadline = c->edge_deadline_ms,
	    .cooldown = c->edge_cooldown_s,
	};
	struct signal_in in = {
	    .in = &l->m->in, .now_ns = l->ev->now_ns, .venue_ns = l->venue_ns};
	struct edge_view v;

	/* Once, when the window has opened: the prices before are not kept. */
	if (l->m->in.strike_px.e8 == 0 && !(l->m->est_strike > 0.0) &&
	    l->venue_ns >= l->m->in.start_wall_ns)
		l->m->est_strike = signal_strike(&l->q->sig, &l->m->in);
	in.est_strike = l->m->est_strike;
	signal_fair(&l->q->sig, &in, &l->m->fair, &l->m->fair_var);
	v = (struct edge_view){
	    .known = l->m->fair.state == FAIR_OK &&
		     l->m->in.strike_source != STRIKE_CONFLICT,
	    .yes = l->m->fair.yes,
	    .confidence = l->m->fair.confidence,
	    .annual = vol_annual_of_var(l->m->fair_var),
	    .state = l->m->fair.state,
	};
	edge_take(l, &strat_edge, &v, &limits);
}

const struct strat strat_edge = {
    .name = "edge",
    .kind = STRAT_TAKE,
    .id = STRATEGY_EDGE,
    .level = 1,
    .fits = fits,
    .take = take,
};
