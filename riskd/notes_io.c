#define _GNU_SOURCE
#include "riskd/shell.h"

#include <string.h>

#include "libcore/check.h"
#include "libsys/log.h"

/* A line about a market: its symbol, and of what. */
struct about {
	const struct risk *r;
	const struct risk_note *n;
	char symbol[RISK_SYMBOL + 1];
	const char *reason;
};

static void
say_unwind(const struct about *a)
{
	LOG(LOG_POSITION_UNWIND, F_STR("instrument", a->symbol),
	    F_STR("reason", a->reason),
	    F_DEC("qty", a->r->instr[a->n->instr].pos.qty.e8, 8),
	    F_DEC("avg", position_avg(&a->r->instr[a->n->instr].pos).e8, 8),
	    F_DEC("mark", a->n->a, 8), F_DEC("loss_usd", -a->n->b, 6),
	    F_I64("age_s", a->n->c / NS_PER_S));
}

static void
say_timeout(const struct about *a)
{
	LOG(LOG_PASSIVE_UNWINDING_TIMEOUT, F_STR("instrument", a->symbol),
	    F_STR("reason", a->reason),
	    F_DEC("qty", a->r->instr[a->n->instr].pos.qty.e8, 8));
}

static void
say_exit(const struct about *a)
{
	LOG(LOG_FORCE_EXIT, F_STR("instrument", a->symbol),
	    F_STR("reason", a->reason),
	    F_STR("side", side_name((enum side)a->n->a)),
	    F_DEC("px", a->n->b, 8), F_DEC("qty", a->n->c, 8));
}

static void
say_dust(const struct about *a)
{
	LOG(LOG_EXIT_DUST, F_STR("instrument", a->symbol),
	    F_DEC("qty", a->n->a, 8));
}

static void
say_flow(const struct about *a)
{
	const struct cfg *c = &a->r->cfg;

	LOG(LOG_TOXIC_FLOW, F_STR("instrument", a->symbol),
	    F_STR("side", side_name((enum side)a->n->a)),
	    F_I64("fills_n", a->n->b),
	    F_DEC("gamma_mult", c->toxic_flow_gamma_mult.e8, 8),
	    F_DEC("size_mult", c->toxic_flow_size_mult.e8, 8),
	    F_I64("duration_s", c->toxic_flow_duration_s.ns / NS_PER_S));
}

static void
say_toxic(const struct about *a)
{
	LOG(LOG_TOXIC_MARKET, F_STR("instrument", a->symbol));
}

static void
say_losing(const struct about *a)
{
	LOG(LOG_LOSING_FILLS, F_STR("instrument", a->symbol),
	    F_I64("fills_n", a->n->a),
	    F_DEC("spread_mult", a->r->cfg.losing_fills_spread_mult.e8, 8),
	    F_I64("pause_s", a->n->b / NS_PER_S));
}

static void
say_reverts(const struct about *a)
{
	LOG(LOG_REVERTS, F_STR("instrument", a->symbol),
	    F_I64("reverted_n", a->n->a), F_I64("fills_n", a->n->b),
	    F_I64("pause_s", a->r->cfg.reverts_pause_s.ns / NS_PER_S));
}

static void
say_ratio(const struct about *a)
{
	static const char *const level[RATIO_LEVEL_N] = {
	    "ok", "warn", "alert", "pause"};

	CHECK(a->n->a >= 0 && a->n->a < RATIO_LEVEL_N);
	LOG(LOG_MAKER_RATIO, F_STR("level", level[a->n->a]),
	    F_DEC("share", a->n->b, 8), F_I64("fills_n", a->n->c));
}

static void
say_stopped(const struct about *a)
{
	LOG(LOG_STRATEGY_STOPPED,
	    F_STR("strategy", strategy_name(STRATEGY_EDGE)),
	    F_STR("reason", reason_name(freeze_reason((uint64_t)a->n->a))),
	    F_DEC("pnl_usd", a->n->b, 6), F_DEC("drawdown_usd", a->n->c, 6));
}

static void
say_mismatch(const struct about *a)
{
	LOG(LOG_RECONCILE_MISMATCH, F_STR("instrument", a->symbol),
	    F_STR("of", a->n->a == OF_VENUE ? "venue" : "fills"),
	    F_DEC("ours", a->n->b, 8), F_DEC("theirs", a->n->c, 8));
}

static void
say_adopted(const struct about *a)
{
	LOG(LOG_POSITION_ADOPTED, F_STR("instrument", a->symbol),
	    F_DEC("ours", a->n->a, 8), F_DEC("theirs", a->n->b, 8),
	    F_DEC("mark", a->r->instr[a->n->instr].mark.e8, 8),
	    F_DEC("pnl_usd", a->n->c, 6));
}

static void
say_balance(const struct about *a)
{
	LOG(LOG_BALANCE_UNKNOWN,
	    F_STR("venue", venue_name((enum venue)a->n->a)));
}

static void (*const say[RISK_WHAT_N])(const struct about *) = {
    [RISK_UNWIND] = say_unwind,
    [RISK_TIMEOUT] = say_timeout,
    [RISK_EXIT] = say_exit,
    [RISK_DUST] = say_dust,
    [RISK_FLOW] = say_flow,
    [RISK_TOXIC] = say_toxic,
    [RISK_LOSING] = say_losing,
    [RISK_REVERTS] = say_reverts,
    [RISK_RATIO_IS] = say_ratio,
    [RISK_STOPPED] = say_stopped,
    [RISK_MISMATCH] = say_mismatch,
    [RISK_ADOPTED] = say_adopted,
    [RISK_BALANCE] = say_balance,
};

void
shell_notes(struct stage *s, struct shell *sh)
{
	struct risk *r = sh->core;
	bool latch = false;

	for (uint32_t k = 0; k < r->note_n; k++) {
		struct about a = {.r = r, .n = &r->note[k]};

		CHECK(a.n->what > 0 && a.n->what < RISK_WHAT_N);
		CHECK(a.n->instr < INSTR_N);
		memcpy(a.symbol, r->instr[a.n->instr].symbol, RISK_SYMBOL);
		a.reason = reason_name((enum reason)a.n->reason);
		say[a.n->what](&a);
		latch = latch || a.n->what == RISK_MISMATCH ||
			a.n->what == RISK_STOPPED || a.n->what == RISK_ADOPTED;
	}
	r->note_n = 0;
	if (latch)
		shell_keep(s, sh, true);
}

/* Value of what is matched and not yet confirmed. */
static usd_t
unconfirmed(const struct risk *r)
{
	usd_t sum = USD(0);

	for (uint32_t h = 0; h < r->held_n; h++) {
		const struct risk_instr *in = &r->instr[r->held[h]];
		int64_t net = in->final_long.e8 - in->final_short.e8;

		if (!r->watch[r->held[h]].looked)
			continue;
		sum.e6 += position_value(
		    in->cls != CLASS_PERP, in->pos.qty.e8 - net, in->mark)
			      .e6;
	}
	return sum;
}

void
shell_watch_metrics(struct stage *s, struct shell *sh)
{
	const struct risk *r = sh->core;
	struct metrics *m = s->metrics;
	int64_t unwinding = 0;
	int64_t paused = 0;

	for (uint32_t h = 0; h < r->held_n; h++) {
		const struct risk_watch *w = &r->watch[r->held[h]];

		unwinding += w->phase != PHASE_NONE;
		paused += w->pause_until_ns > s->now_ns ||
			  w->toxic_until_ns > s->now_ns ||
			  w->flow_until_ns > s->now_ns;
	}
	metrics_set(m, M_RISKD_CAPITAL, r->capital.e6);
	metrics_set(m, M_RISKD_UNWINDING, unwinding);
	metrics_set(m, M_RISKD_PAUSED, paused);
	metrics_set(m, M_RISKD_EXITS, (int64_t)r->stat.exits);
	metrics_set(m, M_RISKD_MARKOUTS, (int64_t)r->stat.markouts);
	metrics_set(m, M_RISKD_TAKER_SHARE, r->taker_share_e8 / 100);
	metrics_set(
	    m, M_RISKD_EDGE_PNL, loss_pnl(&r->edge, r->edge_unrealised).e6);
	metrics_set(m, M_RISKD_EDGE_EXPOSURE, r->edge_exposure.e6);
	metrics_set(m, M_RISKD_REVERSED, (int64_t)r->stat.reversed);
	metrics_set(m, M_RISKD_UNCONFIRMED, unconfirmed(r).e6);
	metrics_set(m, M_RISKD_MISMATCHES, (int64_t)r->stat.mismatches);
	metrics_set(m, M_RISKD_CORRECTIONS, (int64_t)r->stat.corrections);
	metrics_set(m, M_RISKD_FEE_MODEL, r->fee_model.e6);
	metrics_set(m, M_RISKD_FEE_DIFF, r->fee_diff.e6);
	metrics_set(m, M_RISKD_FEE_DIFFS, (int64_t)r->stat.fee_diffs);
}
