#include <string.h>

#include "libcore/check.h"
#include "riskd/risk_int.h"

void
risk_pause(struct risk *r, uint16_t i, enum reason why, uint64_t until_ns)
{
	struct risk_watch *w = &r->watch[i];

	if (until_ns <= w->pause_until_ns)
		return;
	w->pause_until_ns = until_ns;
	w->pause_why = (uint16_t)why;
	risk_dirty(r, RISK_REC_WATCH + i);
	risk_touch(r, i);
}

/* So many fills of one side in a row within the window: the last n of the
 * ring. Times are milliseconds that wrap. */
static void
count_run(struct risk *r, uint16_t i, const struct order *o, uint64_t now_ns)
{
	const struct cfg *c = &r->cfg;
	struct risk_watch *w = &r->watch[i];
	uint32_t need = (uint32_t)i64_min(
	    c->toxic_flow_consecutive_fills, (int64_t)RISK_RUN);
	uint32_t now_ms = (uint32_t)(now_ns / (uint64_t)NS_PER_MS);
	struct risk_note n = {.what = RISK_FLOW, .instr = i};
	bool was = w->flow_until_ns > now_ns;

	if (o->side != w->run_side)
		w->run_n = 0;
	w->run_side = o->side;
	w->run_ms[w->run_n % RISK_RUN] = now_ms;
	w->run_n++;
	/* The ring's place is what counts, not how long the run is. */
	if (w->run_n == UINT16_MAX)
		w->run_n = RISK_RUN + (UINT16_MAX - RISK_RUN) % RISK_RUN;
	if (w->run_n < need)
		return;
	if (now_ms - w->run_ms[(w->run_n - need) % RISK_RUN] >
	    (uint64_t)c->toxic_flow_window_s.ns / (uint64_t)NS_PER_MS)
		return;
	w->flow_until_ns = now_ns + (uint64_t)c->toxic_flow_duration_s.ns;
	n.reason = REASON_TOXIC_FLOW;
	n.a = w->run_side;
	n.b = w->run_n;
	if (!was)
		risk_note(r, &n);
}

static void
count_losing(struct risk *r, uint16_t i, i128_t net_e16, uint64_t now_ns)
{
	const struct cfg *c = &r->cfg;
	struct risk_watch *w = &r->watch[i];
	struct risk_note n = {.what = RISK_LOSING, .instr = i};

	if (net_e16 > 0) {
		w->losing_n = 0;
		return;
	}
	if (net_e16 == 0)
		return;
	w->losing_n = (uint16_t)i64_min(w->losing_n + 1, UINT16_MAX);
	n.reason = REASON_LOSING_FILLS;
	n.a = w->losing_n;
	if (w->losing_n >= c->losing_fills_pause_n) {
		n.b = c->losing_fills_pause_s.ns;
		risk_pause(r, i, REASON_LOSING_FILLS, now_ns + (uint64_t)n.b);
		/* After the pause it is wide still, and the rest of them
		 * pause it again. */
		w->losing_n = (uint16_t)i64_min(
		    c->losing_fills_widen_n, c->losing_fills_pause_n - 1);
	} else if (w->losing_n != c->losing_fills_widen_n) {
		return;
	}
	risk_note(r, &n);
}

/* The part of the window that the clock is in; older ones begin at 0. */
static void
ratio_roll(struct risk *r)
{
	struct risk_ratio *q = &r->ratio;
	int64_t len = r->cfg.maker_ratio_window.ns / (int64_t)RISK_RATIO_N;
	int64_t part = r->wall_ns / len;

	if (r->wall_ns <= 0 || part == q->part)
		return;
	if (part < q->part || part - q->part >= (int64_t)RISK_RATIO_N)
		memset(q->at, 0, sizeof(q->at));
	else
		for (int64_t p = q->part + 1; p <= part; p++)
			memset(&q->at[p % RISK_RATIO_N], 0, sizeof(q->at[0]));
	q->part = part;
	for (uint32_t k = 0; k < RISK_RATIO_SZ / RISK_REC_SZ; k++)
		risk_dirty(r, RISK_REC_RATIO + k);
}

static void
judge_ratio(struct risk *r)
{
	const struct cfg *c = &r->cfg;
	struct risk_ratio *q = &r->ratio;
	struct risk_note note = {.what = RISK_RATIO_IS};
	usd_t made = USD(0);
	usd_t taken = USD(0);
	int64_t n = 0;
	int64_t share = 0;
	uint8_t level = RATIO_OK;

	for (uint32_t k = 0; k < RISK_RATIO_N; k++) {
		made.e6 += q->at[k].made.e6;
		taken.e6 += q->at[k].taken.e6;
		n += q->at[k].made_n + q->at[k].taken_n;
	}
	if (made.e6 + taken.e6 > 0)
		share = i64_mul_div(taken.e6, E8, made.e6 + taken.e6);
	r->taker_share_e8 = share;
	if (n >= c->maker_ratio_min_fills)
		level = share > c->maker_ratio_pause_frac.e8   ? RATIO_PAUSE
			: share > c->maker_ratio_alert_frac.e8 ? RATIO_ALERT
			: share > c->maker_ratio_warn_frac.e8  ? RATIO_WARN
							       : RATIO_OK;
	if (level == q->level)
		return;
	q->level = level;
	note.reason = REASON_MAKER_RATIO;
	note.a = level;
	note.b = share;
	note.c = n;
	risk_note(r, &note);
}

void
risk_ratio_tick(struct risk *r)
{
	int64_t was = r->ratio.part;

	ratio_roll(r);
	if (r->ratio.part != was)
		judge_ratio(r);
}

static void
count_ratio(struct risk *r, const struct order *o)
{
	struct risk_ratio *q = &r->ratio;
	int64_t at = q->part % (int64_t)RISK_RATIO_N;
	usd_t usd = usd_notional(o->exec_px, o->exec_qty);

	if ((o->strategy != STRATEGY_MAKER && o->strategy != STRATEGY_UNWIND) ||
	    q->part <= 0)
		return;
	if ((o->oflags & ORDER_MAKER) != 0) {
		q->at[at].made.e6 += usd.e6;
		q->at[at].made_n++;
	} else {
		q->at[at].taken.e6 += usd.e6;
		q->at[at].taken_n++;
	}
	for (uint32_t k = 0; k < RISK_RATIO_SZ / RISK_REC_SZ; k++)
		risk_dirty(r, RISK_REC_RATIO + k);
	judge_ratio(r);
}

/* Two half windows of fills and reverts. */
static void
roll_reverts(struct risk *r, struct risk_watch *w, uint64_t now_ns)
{
	uint64_t half = (uint64_t)r->cfg.reverts_window.ns / 2;
	uint64_t age = now_ns - w->revert_ns;

	if (w->revert_ns != 0 && age < half)
		return;
	w->filled[1] = age < 2 * half ? w->filled[0] : 0;
	w->reverted[1] = age < 2 * half ? w->reverted[0] : 0;
	w->filled[0] = w->reverted[0] = 0;
	w->revert_ns = now_ns;
}

void
risk_flow_back(struct risk *r, uint16_t i, uint64_t now_ns)
{
	const struct cfg *c = &r->cfg;
	struct risk_watch *w = &r->watch[i];
	struct risk_note n = {.what = RISK_REVERTS, .instr = i};
	int64_t all;

	roll_reverts(r, w, now_ns);
	w->reverted[0]++;
	n.a = (int64_t)w->reverted[0] + w->reverted[1];
	all = (int64_t)w->filled[0] + w->filled[1];
	n.b = all;
	risk_dirty(r, RISK_REC_WATCH + i);
	if (all < c->reverts_min_fills ||
	    i64_mul_div(n.a, E8, i64_max(1, all)) <= c->reverts_max_frac.e8)
		return;
	n.reason = REASON_REVERTS;
	risk_note(r, &n);
	risk_pause(
	    r, i, REASON_REVERTS, now_ns + (uint64_t)c->reverts_pause_s.ns);
}

/* The place of a market, made when it has none: the longest unused goes. */
static struct risk_markout *
markout_place(struct risk *r, uint16_t i, uint64_t now_ns)
{
	struct risk_instr *in = &r->instr[i];
	uint32_t at = 0;

	if (in->markout == 0 && r->markout_n < RISK_MARKOUTS) {
		at = r->markout_n++;
	} else if (in->markout == 0) {
		for (uint32_t k = 1; k < RISK_MARKOUTS; k++)
			if (r->markout[k].used_ns < r->markout[at].used_ns)
				at = k;
		if (r->markout[at].instr != 0)
			r->instr[r->markout[at].instr].markout = 0;
	} else {
		at = in->markout - 1u;
	}
	if (in->markout == 0) {
		in->markout = (uint16_t)(at + 1);
		r->markout[at].instr = i;
		markout_init(&r->markout[at].m);
	}
	r->markout[at].used_ns = now_ns;
	return &r->markout[at];
}

void
risk_markout_drop(struct risk *r, uint16_t i)
{
	struct risk_instr *in = &r->instr[i];

	if (in->markout == 0)
		return;
	r->markout[in->markout - 1].instr = 0;
	r->markout[in->markout - 1].used_ns = 0;
	in->markout = 0;
}

void
risk_markout_configure(struct risk *r)
{
	const struct cfg *c = &r->cfg;
	struct markout_cfg *m = &r->markout_cfg;

	m->horizon_ns[0] = (uint64_t)c->markout_first.ns;
	m->horizon_ns[1] = (uint64_t)c->markout_second.ns;
	m->horizon_ns[2] = (uint64_t)c->markout_third.ns;
	/* They rise, whatever a person wrote. */
	for (uint32_t h = 1; h < MARKOUT_HORIZONS; h++)
		if (m->horizon_ns[h] <= m->horizon_ns[h - 1])
			m->horizon_ns[h] = m->horizon_ns[h - 1] + 1;
	m->late_ns = (uint64_t)c->markout_late.ns;
	m->memory_ns = (uint64_t)c->markout_memory.ns;
	m->last_n = (uint32_t)c->markout_last_fills;
	m->min_n = (uint32_t)c->markout_min_fills;
	m->toxic = PX(-c->markout_toxic_loss.e8);
}

/* A verdict of a former life stands until it is forgotten, or until there is
 * as much to judge by again. */
static void
judge_markouts(struct risk *r, uint16_t i, uint64_t now_ns)
{
	const struct markout *m = &r->markout[r->instr[i].markout - 1].m;
	struct risk_watch *w = &r->watch[i];
	bool was = w->toxic_until_ns > now_ns;
	struct risk_note n = {.what = RISK_TOXIC, .instr = i};
	bool enough = false;

	if (markout_toxic(m, &r->markout_cfg, now_ns)) {
		w->toxic_until_ns = now_ns + r->markout_cfg.memory_ns;
	} else {
		for (uint32_t h = 0; h < MARKOUT_HORIZONS; h++) {
			px_t mean;

			enough =
			    enough || markout_mean(m, &r->markout_cfg, now_ns,
					  h, &mean) >= r->markout_cfg.min_n;
		}
		if (enough)
			w->toxic_until_ns = 0;
	}
	risk_dirty(r, RISK_REC_WATCH + i);
	n.reason = REASON_TOXIC;
	if (!was && w->toxic_until_ns > now_ns)
		risk_note(r, &n);
}

void
risk_markout_mid(
    struct risk *r, uint16_t i, uint64_t now_ns, struct core_out *out)
{
	struct markout_result got[MARKOUT_DUE];
	struct risk_markout *m;
	uint32_t n;

	if (r->instr[i].markout == 0 || !risk_marked(r, i))
		return;
	m = &r->markout[r->instr[i].markout - 1];
	CHECK(m->instr == i);
	n = markout_mid(&m->m, &r->markout_cfg, now_ns, r->instr[i].mark, got);
	if (n == 0)
		return;
	r->stat.markouts += n;
	judge_markouts(r, i, now_ns);
	for (uint32_t k = 0; k < n && k < RISK_MARKOUT_SAY; k++)
		risk_tell(r, i, &got[k], now_ns, out);
}

uint64_t
risk_markout_due(const struct risk *r, uint16_t i)
{
	uint16_t at = r->instr[i].markout;

	return at == 0 ? 0
		       : markout_due_ns(&r->markout[at - 1].m, &r->markout_cfg);
}

void
risk_flow_fill(struct risk *r, uint16_t i, const struct order *o,
    i128_t gain_e16, uint64_t now_ns)
{
	struct risk_watch *w = &r->watch[i];
	struct markout_fill f = {.ns = now_ns,
	    .px = o->exec_px,
	    .qty = o->exec_qty,
	    .id = o->fill_id,
	    .side = o->side};

	roll_reverts(r, w, now_ns);
	w->filled[0]++;
	count_ratio(r, o);
	risk_dirty(r, RISK_REC_WATCH + i);
	if (o->strategy != STRATEGY_MAKER)
		return;
	count_run(r, i, o, now_ns);
	if (gain_e16 != 0)
		count_losing(r, i,
		    gain_e16 - (i128_t)o->usd.e6 * INT64_C(10000000000),
		    now_ns);
	markout_add(&markout_place(r, i, now_ns)->m, &f);
	risk_touch(r, i);
}
