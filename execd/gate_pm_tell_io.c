#define _GNU_SOURCE
#include "execd/gate_pm_int.h"
#include "libcore/check.h"
#include "libsys/log.h"

/* ---- lines ---- */

void
gate_pm_log(
    void *user, enum gwpm_log what, int64_t value, const char *text, size_t n)
{
	static const enum log_ev events[GWPM_LOG_N] = {
	    [GWPM_LOG_REFUSED] = LOG_VENUE_REFUSED,
	    [GWPM_LOG_BAD_ANSWER] = LOG_VENUE_ANSWER,
	    [GWPM_LOG_BAD_FRAME] = LOG_VENUE_ANSWER,
	    [GWPM_LOG_WRONG_ID] = LOG_ORDER_ID_WRONG,
	    [GWPM_LOG_STRAY] = LOG_ORDER_STRAY,
	    [GWPM_LOG_FOREIGN] = LOG_ORDER_FOREIGN,
	    [GWPM_LOG_FOREIGN_FILL] = LOG_FILL_FOREIGN,
	    [GWPM_LOG_SHORT] = LOG_FILL_GAP,
	    [GWPM_LOG_DIFFERENCE] = LOG_BALANCE_DIFFERENCE,
	    [GWPM_LOG_SELF_THROTTLE] = LOG_SELF_THROTTLE,
	    [GWPM_LOG_LAPSE] = LOG_HEARTBEAT_LAPSE,
	    [GWPM_LOG_RATE_LIMIT] = LOG_VENUE_RATE,
	    [GWPM_LOG_IMPOSSIBLE] = LOG_FILL_IMPOSSIBLE,
	};
	struct gate_pm *p = user;

	CHECK(what > 0 && what < GWPM_LOG_N);
	if (what == GWPM_LOG_BAD_FRAME && value > 0 && value < REASON_N)
		metrics_reason(p->s->metrics, (enum reason)value, 1);
	LOG(events[what], F_STR("venue", "polymarket"), F_I64("value", value),
	    F_STRN("what", text, n));
}

void
gate_pm_clock(void *user, int64_t offset_ns)
{
	struct gate_pm *p = user;

	metrics_set(p->s->metrics, M_EXECD_CLOCK_US, offset_ns / 1000);
}

/* ---- figures ---- */

void
gate_pm_count(struct gate_pm *p)
{
	const struct gwpm_stat *g = &p->g.stat;
	const struct pool_stats *now = pool_stats(p->pool);
	struct metrics *m = p->s->metrics;

	metrics_set(m, M_EXECD_POSTS, (int64_t)g->posts);
	metrics_set(m, M_EXECD_CANCEL_REQUESTS, (int64_t)g->cancels);
	metrics_set(m, M_EXECD_ASKS, (int64_t)g->asks);
	metrics_set(m, M_EXECD_UNKNOWN, (int64_t)g->unknowns);
	metrics_set(m, M_EXECD_REPEATS, (int64_t)g->repeats);
	metrics_set(m, M_EXECD_REVERSALS, (int64_t)g->reversals);
	metrics_set(m, M_EXECD_DIFFERENCES, (int64_t)g->differences);
	metrics_set(m, M_EXECD_SELF_THROTTLED, (int64_t)g->throttled);
	metrics_set(m, M_EXECD_LAPSES, (int64_t)g->lapses);
	metrics_set(m, M_EXECD_STRAYS, (int64_t)g->strays);
	metrics_set(m, M_EXECD_IMPOSSIBLE, (int64_t)g->impossible);
	metrics_set(m, M_EXECD_BAD_ANSWERS, (int64_t)g->bad);
	metrics_set(m, M_EXECD_PRESIGN_HITS, (int64_t)g->ahead_hits);
	metrics_set(m, M_EXECD_PRESIGN_MISSES, (int64_t)g->ahead_misses);
	metrics_set(m, M_EXECD_COLD, (int64_t)now->cold);
	metrics_set(m, M_EXECD_RESENDS, (int64_t)now->guarded);
	metrics_set(m, M_EXECD_HELD, (int64_t)now->held);
	metrics_set(m, M_EXECD_WARM, (int64_t)now->warm);
	metrics_set(m, M_EXECD_RECONNECTS, (int64_t)p->downs);
}

/* ---- holdings ---- */

static bool
set_has(const uint64_t *set, uint32_t i)
{
	return (set[i / 64] >> (i % 64) & 1) != 0;
}

static void
set_put(uint64_t *set, uint32_t i, bool on)
{
	uint64_t bit = UINT64_C(1) << (i % 64);

	set[i / 64] = on ? set[i / 64] | bit : set[i / 64] & ~bit;
}

void
gate_pm_held(struct gate_pm *p, uint16_t instr)
{
	if (instr > 0 && instr < GWPM_INSTRS)
		set_put(p->dirty, instr, true);
}

/* Nothing is told of what never was anything; that it is nothing again is
 * told once. */
static void
tell_one(struct gate_pm *p, uint16_t instr)
{
	struct gwpm_balance b;
	struct gateway_holding h = {.instr = instr};
	bool is_any;

	set_put(p->dirty, instr, false);
	if (!gwpm_balances(&p->g, instr, &b))
		return;
	is_any = b.yes_e8 != 0 || b.no_e8 != 0 || b.yes_venue_e8 != 0 ||
		 b.no_venue_e8 != 0 || b.yes_net_e8 != 0 || b.no_net_e8 != 0;
	if (!is_any && !set_has(p->told, instr))
		return;
	set_put(p->told, instr, is_any);
	h.is_known = b.is_known;
	h.ours = QTY(b.yes_net_e8 - b.no_net_e8);
	h.venue = QTY(b.yes_venue_e8 - b.no_venue_e8);
	h.final_long = QTY(i64_max(0, b.yes_final_e8));
	h.final_short = QTY(i64_max(0, b.no_final_e8));
	h.usd = USD(b.usd_e6);
	p->said = true;
	p->sink->holding(p->sink->user, &h);
}

static void
tell_account(struct gate_pm *p)
{
	const struct gwpm_cash *c = &p->g.book->cash;
	struct gateway_holding h = {
	    .usd = USD(c->base_e6 + c->net_e6), .is_known = c->has_base};

	if (!c->has_base)
		return;
	p->said = true;
	p->sink->holding(p->sink->user, &h);
}

void
gate_pm_tell_held(struct gate_pm *p, uint64_t now_ns)
{
	bool is_all = now_ns >= p->hold_ns;
	bool any = is_all;
	uint16_t news;

	while ((news = gwpm_balance_news(&p->g)) != 0)
		gate_pm_held(p, news);
	if (is_all)
		p->hold_ns = now_ns + (uint64_t)p->s->cfg.exec_reconcile_s.ns;
	for (uint32_t i = 0; i < GATE_PM_SET_N; i++) {
		if (!is_all && p->dirty[i] == 0)
			continue;
		for (uint32_t k = 0; k < 64 && i * 64 + k < GWPM_INSTRS; k++)
			if (is_all || set_has(p->dirty, i * 64 + k)) {
				any = true;
				tell_one(p, (uint16_t)(i * 64 + k));
			}
	}
	if (any)
		tell_account(p);
}
