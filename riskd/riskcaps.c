#include <string.h>

#include "libcore/check.h"
#include "libcore/fees.h"
#include "riskd/risk_int.h"

#define E16_PER_E6 INT64_C(10000000000)

usd_t
risk_frac(usd_t usd, dec_t frac)
{
	return USD(i64_mul_div(usd.e6, frac.e8, E8));
}

static bool
is_live(const struct risk *r)
{
	return r->cfg.system_mode == MODE_LIVE;
}

bool
risk_balance_known(const struct risk *r, enum venue v, uint64_t now_ns)
{
	const struct risk_balance *b = &r->balance[v];

	CHECK(v > 0 && v < VENUE_N);
	if (!is_live(r))
		return true;
	return b->seen_ns != 0 &&
	       now_ns - b->seen_ns <= (uint64_t)r->cfg.risk_balance_age_max.ns;
}

/* Live: what the venues say is there; one that is silent has nothing. */
void
risk_capital(struct risk *r, uint64_t now_ns)
{
	usd_t sum = USD(0);

	if (!is_live(r)) {
		r->capital = r->cfg.capital_usd;
		return;
	}
	for (int v = 1; v < VENUE_N; v++) {
		struct risk_balance *b = &r->balance[v];
		bool was = b->known;
		struct risk_note n = {.what = RISK_BALANCE, .a = v};

		b->known = v != VENUE_BINANCE &&
			   risk_balance_known(r, (enum venue)v, now_ns);
		if (b->known)
			sum.e6 += b->usd.e6;
		else if (was)
			risk_note(r, &n);
	}
	r->capital = sum;
}

static uint16_t
group_find(struct risk *r, uint32_t cluster)
{
	uint32_t hole = RISK_GROUPS;

	for (uint32_t k = 0; k < r->group_n; k++) {
		if (r->group[k].n > 0 && r->group[k].cluster == cluster)
			return (uint16_t)(k + 1);
		if (r->group[k].n == 0 && hole == RISK_GROUPS)
			hole = k;
	}
	if (hole == RISK_GROUPS && r->group_n < RISK_GROUPS)
		hole = r->group_n++;
	if (hole == RISK_GROUPS)
		return 0;
	r->group[hole] = (struct risk_group){.cluster = cluster};
	return (uint16_t)(hole + 1);
}

void
risk_group_set(struct risk *r, uint16_t i, uint32_t cluster)
{
	struct risk_instr *in = &r->instr[i];

	if (in->group != 0 && r->group[in->group - 1].cluster == cluster)
		return;
	if (in->group != 0) {
		struct risk_group *g = &r->group[in->group - 1];

		CHECK(g->n > 0);
		g->n--;
		g->exposure.e6 -= in->exposure.e6;
	}
	in->group = cluster != 0 ? group_find(r, cluster) : 0;
	in->cluster = cluster;
	if (in->group == 0)
		return;
	r->group[in->group - 1].n++;
	r->group[in->group - 1].exposure.e6 += in->exposure.e6;
}

usd_t
risk_market_cap(const struct risk *r, uint16_t i)
{
	const struct cfg *c = &r->cfg;
	bool small = c->risk_allocator && r->instr[i].cls == CLASS_BINARY;
	usd_t cap = risk_frac(r->capital, small ? c->risk_allocator_market_frac
						: c->risk_market_exposure_frac);

	if (r->watch[i].losing_n >= c->losing_fills_widen_n)
		cap = risk_frac(cap, c->losing_fills_size_mult);
	return cap;
}

usd_t
risk_cluster_room(const struct risk *r, uint16_t i)
{
	const struct risk_instr *in = &r->instr[i];
	usd_t cap = risk_frac(r->capital, r->cfg.risk_cluster_exposure_frac);
	int64_t others = in->group == 0 ? 0
					: r->group[in->group - 1].exposure.e6 -
					      in->exposure.e6;

	return USD(i64_max(cap.e6 - others, in->exposure.e6));
}

/* Into the part of the edge strategy and its day. */
static void
edge_book(
    struct risk *r, uint16_t i, enum side side, px_t px, qty_t qty, usd_t fee)
{
	struct risk_watch *w = &r->watch[i];

	loss_book(&r->edge, position_fill(&w->edge, side, px, qty), fee);
	w->edge.fees.e6 += fee.e6;
	risk_dirty(r, RISK_REC_WATCH + i);
	risk_dirty(r, RISK_REC_MORE);
}

/*
 * A fill of edge is edge's. One of an exit closes edge's part only so far as
 * nothing else is left: what is more than the whole position, or against it.
 */
void
risk_edge_fill(struct risk *r, uint16_t i, const struct order *o)
{
	const struct risk_watch *w = &r->watch[i];
	int64_t all = r->instr[i].pos.qty.e8;
	int64_t part = w->edge.qty.e8;
	int64_t keep;
	usd_t fee;

	if (risk_is_edge(o->strategy)) {
		edge_book(
		    r, i, (enum side)o->side, o->exec_px, o->exec_qty, o->usd);
		return;
	}
	if (o->strategy != STRATEGY_UNWIND || part == 0)
		return;
	keep = part > 0 ? i64_clamp(part, 0, i64_max(0, all))
			: -i64_clamp(-part, 0, i64_max(0, -all));
	part = part > keep ? part - keep : keep - part;
	part = i64_min(part, o->exec_qty.e8);
	if (part == 0 || (w->edge.qty.e8 > 0) != (o->side == SIDE_ASK))
		return;
	fee = USD(i64_mul_div(o->usd.e6, part, o->exec_qty.e8));
	edge_book(r, i, (enum side)o->side, o->exec_px, QTY(part), fee);
}

void
risk_edge_settle(struct risk *r, uint16_t i, px_t px)
{
	int64_t q = r->watch[i].edge.qty.e8;

	if (q != 0)
		edge_book(r, i, q > 0 ? SIDE_ASK : SIDE_BID, px,
		    QTY(q > 0 ? q : -q), USD(0));
}

void
risk_edge_check(struct risk *r, int64_t wall_ns)
{
	const struct cfg *c = &r->cfg;
	uint64_t was = r->edge.latched;
	struct risk_note n = {.what = RISK_STOPPED};
	usd_t limit;

	/* It never traded, and holds nothing. */
	if (r->edge.realised_e16 == 0 && r->edge.fees.e6 == 0 &&
	    r->edge.hwm.e6 == 0 && r->edge.carried.e6 == 0 && r->edge_n == 0)
		return;
	limit = risk_frac(r->capital, c->risk_edge_daily_loss_frac);
	if (limit.e6 <= 0)
		return;
	loss_check(&r->edge, r->edge_unrealised, limit, wall_ns);
	loss_drawdown(&r->edge, r->edge_unrealised, r->capital,
	    c->risk_edge_drawdown_frac.e8, wall_ns);
	if (r->edge.latched == was)
		return;
	risk_dirty(r, RISK_REC_MORE);
	n.reason = REASON_STRATEGY_LOSS;
	n.a = (int64_t)r->edge.latched;
	n.b = loss_pnl(&r->edge, r->edge_unrealised).e6;
	n.c = loss_fall(&r->edge, r->edge_unrealised).e6;
	risk_note(r, &n);
}

bool
risk_edge_fits(
    const struct risk *r, const struct risk_try *t, const struct risk_view *v)
{
	const struct risk_instr *in = &r->instr[t->instr];
	usd_t cap = risk_frac(r->capital, r->cfg.risk_edge_exposure_frac);
	int64_t others = r->edge_exposure.e6 - in->edge_exposure.e6;

	if (v->edge_exposure.e6 <= in->edge_exposure.e6)
		return true;
	return others + v->edge_exposure.e6 <= cap.e6 &&
	       (in->edge_open ||
		   (int64_t)r->edge_n < r->cfg.risk_edge_positions);
}

bool
risk_fee_model(const struct risk_instr *in, const struct order *o, usd_t *fee)
{
	bool made = (o->oflags & ORDER_MAKER) != 0;

	if (in->cls == 0 || in->fee_exponent > 1)
		return false;
	if (!risk_is_binary(in))
		*fee = fee_notional(o->exec_px, o->exec_qty,
		    made ? in->maker_ppm : in->fee_ppm);
	else if (o->exec_px.e8 > E8)
		return false;
	else
		*fee = made ? USD(0)
			    : fee_binary(o->exec_px, o->exec_qty, in->fee_ppm);
	if ((o->oflags & ORDER_REVERSED) != 0)
		fee->e6 = -fee->e6;
	return true;
}

/* The first that applies. */
enum reason
risk_only_reduces(const struct risk *r, const struct order *o, uint64_t now_ns)
{
	uint16_t i = o->hdr.instr;
	const struct risk_instr *in = &r->instr[i];
	const struct risk_watch *w = &r->watch[i];

	if (r->reduce || in->state == INSTR_DISPUTED ||
	    in->state == INSTR_CLOSE_WINDOW)
		return REASON_REDUCE_ONLY;
	if (!risk_balance_known(r, instr_venue(i), now_ns))
		return REASON_BALANCE;
	if (w->phase == PHASE_UNWIND)
		return (enum reason)w->why;
	if (w->toxic_until_ns > now_ns)
		return REASON_TOXIC;
	if (o->strategy == STRATEGY_MAKER && r->ratio.level == RATIO_PAUSE)
		return REASON_MAKER_RATIO;
	if (risk_is_edge(o->strategy) && r->edge.latched != 0)
		return REASON_STRATEGY_LOSS;
	return REASON_OK;
}

enum reason
risk_paused(const struct risk *r, uint16_t i, uint64_t now_ns)
{
	const struct risk_watch *w = &r->watch[i];

	if (w->phase == PHASE_EXIT)
		return (enum reason)w->why;
	/* What is to be got rid of may still be quoted away. */
	if (w->pause_until_ns > now_ns && w->phase != PHASE_UNWIND)
		return (enum reason)w->pause_why;
	return REASON_OK;
}
