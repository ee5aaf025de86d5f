/*
 * execd - makes the venue match what should rest. The shell: rings in,
 * reports out, the gate looked at immediately before every step. State is
 * committed before anything is reported (libsys/outbox.h).
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "execd/paperdesk.h"
#include "execd/gate.h"
#include "libcore/check.h"
#include "libsys/log.h"
#include "libsys/outbox.h"
#include "libsys/stage.h"

#define DIRTY_COMMIT 128u

struct shell {
	struct paperdesk *desk;
	struct exec *core; /* its order management                        */
	struct outbox box;
	struct core_out out;
	struct exec_stat seen;
	uint64_t freeze_epoch; /* of the words when last looked at         */
	uint64_t lost_ns; /* the lease ran out then, 0: it did not        */
	bool backlog;
	bool flat;
};

static enum freeze_word
own_word(const struct stage *s)
{
	return topo_stages[s->id].venue == VENUE_HYPERLIQUID ? FW_EXECD_HL
							     : FW_EXECD_PM;
}

static void
symbol_of(struct stage *s, uint16_t instr, struct instr *in)
{
	if (!instr_read(s->instr, instr, in))
		memset(in, 0, sizeof(*in));
	in->symbol[sizeof(in->symbol) - 1] = '\0';
}

static void
log_message(struct stage *s, const struct order *o)
{
	struct instr in;

	if (o->hdr.kind == MSG_ACK && o->send_delta > 0)
		metrics_observe(
		    s->metrics, M_EXECD_TICK_TO_ORDER_NS, o->send_delta);
	if (o->hdr.kind == MSG_REJECT)
		metrics_reason(s->metrics, (enum reason)o->reason, 1);
	if (o->hdr.kind != MSG_FILL)
		return;
	symbol_of(s, o->hdr.instr, &in);
	LOG(LOG_FILL, F_STR("instrument", in.symbol),
	    F_STR("side", side_name((enum side)o->side)),
	    F_DEC("px", o->exec_px.e8, 8), F_DEC("qty", o->exec_qty.e8, 8),
	    F_DEC("fee_usd", o->usd.e6, 6), F_HEX("order_id", o->id));
}

static void
log_counts(struct stage *s, struct shell *sh)
{
	const struct exec_stat *now = &sh->core->stat;
	const struct exec_slot *x;
	struct instr in;

	if (now->kept != sh->seen.kept)
		LOG(LOG_QUEUE_KEPT, F_U64("kept_n", now->kept));
	if (now->post_only != sh->seen.post_only) {
		x = &sh->core->slot[sh->core->post_only_slot];
		symbol_of(s, x->instr, &in);
		LOG(LOG_POST_ONLY_REJECTED, F_STR("instrument", in.symbol),
		    F_STR("side", side_name((enum side)x->side)),
		    F_DEC("px", x->want.px.e8, 8),
		    F_U64("retry_n", x->retry_n));
	}
}

static void
count(struct stage *s, struct shell *sh)
{
	const struct exec_stat *now = &sh->core->stat;
	struct exec_stat *was = &sh->seen;
	struct metrics *m = s->metrics;

	log_counts(s, sh);
	/* From durable state: a death loses no count. */
	metrics_set(m, M_EXECD_ORDERS, (int64_t)now->orders);
	metrics_set(m, M_EXECD_CANCELS, (int64_t)now->cancels);
	metrics_set(m, M_EXECD_KEPT, (int64_t)now->kept);
	metrics_set(m, M_EXECD_FILLS, (int64_t)now->fills);
	metrics_set(m, M_EXECD_REJECTS, (int64_t)now->rejects);
	metrics_set(m, M_EXECD_BLOCKED, (int64_t)now->blocked);
	metrics_add(
	    m, M_ANY_IN_DROPPED, now->dups + now->odd - was->dups - was->odd);
	*was = *now;
}

/* Let go of what changed: records into the store, messages to the rings. */
static void
flush(struct stage *s, struct shell *sh)
{
	struct exec *e = sh->core;
	uint8_t rec[EXEC_REC_SZ];
	uint32_t had = e->dirty_n;

	for (uint32_t i = 0; i < e->dirty_n; i++) {
		paperdesk_save(sh->desk, e->dirty[i], rec);
		outbox_put(&sh->box, e->dirty[i], rec);
	}
	e->dirty_n = 0;
	if (memcmp(&e->stat, &sh->seen, sizeof(e->stat)) != 0) {
		paperdesk_save(sh->desk, 0, rec);
		outbox_put(&sh->box, 0, rec);
	}
	s->wake_ns = sh->out.wake_ns;
	if (sh->out.n > 0)
		outbox_send(&sh->box, s, &sh->out);
	else if (had > DIRTY_COMMIT)
		outbox_commit(&sh->box);
	for (uint32_t i = 0; i < sh->out.n; i++) {
		uint16_t ring = sh->out.msg[i].ring;

		if (ring == RG_REPORT_PM_R || ring == RG_REPORT_HL_R)
			log_message(s, &sh->out.msg[i].order);
	}
	if (memcmp(&e->stat, &sh->seen, sizeof(e->stat)) != 0)
		count(s, sh);
}

static void
sweep_all(struct stage *s, struct shell *sh)
{
	while (exec_more(sh->core)) {
		paperdesk_sweep(sh->desk, s->now_ns, &sh->out);
		flush(s, sh);
	}
}

/* A riskd that does not read its reports must not be given more of them. */
static void
watch_backlog(struct stage *s, struct shell *sh)
{
	bool now = stage_backlog(s);

	if (now == sh->backlog)
		return;
	sh->backlog = now;
	ctl_freeze_set(
	    s->ctl, own_word(s), FREEZE_REPORT_BACKLOG, now, s->now_ns);
	if (now)
		LOG(LOG_BACKLOG, F_STR("stage", topo_stages[s->id].name));
}

/* A lease that ran out by itself: riskd is dead, stopped or hung. */
static void
log_lease(struct stage *s, struct shell *sh, uint64_t mask)
{
	uint64_t until = atomic_load(&s->ctl->lease.until_ns);
	bool lost = mask == FREEZE_RISKD_DEAD && until != 0;

	if (lost && sh->lost_ns == 0) {
		sh->lost_ns = s->now_ns;
		LOG(LOG_LEASE_LOST,
		    F_U64("age_ms", (s->now_ns - until) / (uint64_t)NS_PER_MS));
	} else if (!lost && sh->lost_ns != 0) {
		LOG(LOG_LEASE_BACK, F_U64("gap_ms", (s->now_ns - sh->lost_ns) /
							(uint64_t)NS_PER_MS));
		sh->lost_ns = 0;
	}
}

static void
withdraw(struct stage *s, struct shell *sh, uint64_t mask)
{
	uint32_t resting = exec_resting(sh->core);

	paperdesk_freeze(sh->desk, mask, s->now_ns, &sh->out);
	flush(s, sh);
	sweep_all(s, sh);
	if (mask != 0 && resting > 0)
		LOG(LOG_CANCEL_ALL,
		    F_STR("reason", reason_name(gate_reason(mask))),
		    F_U64("orders_n", resting));
}

/* The look before every step that could send. */
static void
gate(struct stage *s, struct shell *sh)
{
	struct exec *e = sh->core;
	uint64_t mask;
	uint64_t epoch;

	if (e->stopping)
		return;
	mask = exec_gate(s->ctl, e->venue, s->now_ns);
	epoch = ctl_freeze_epoch(s->ctl, e->venue);
	/* Frozen and thawed again between two looks: the edge counts. */
	if (mask == 0 && e->gate == 0 && epoch != sh->freeze_epoch)
		withdraw(s, sh, FREEZE_STARTUP);
	sh->freeze_epoch = epoch;
	if (mask == e->gate)
		return;
	log_lease(s, sh, mask);
	withdraw(s, sh, mask);
}

static void
on_step(struct stage *s, const struct event *ev)
{
	struct shell *sh = s->ops->self;
	struct event first = {.kind = EV_TIMER};

	if (outbox_seen(&sh->box, ev))
		return;
	watch_backlog(s, sh);
	gate(s, sh);
	first.now_ns = ev->now_ns;
	first.wall_ns = ev->wall_ns;
	while (paperdesk_due(sh->desk, ev->now_ns)) {
		paperdesk_step(sh->desk, &first, &sh->out);
		flush(s, sh);
	}
	paperdesk_step(sh->desk, ev, &sh->out);
	flush(s, sh);
	sweep_all(s, sh);
}

static void
on_batch(struct stage *s)
{
	struct shell *sh = s->ops->self;

	outbox_commit(&sh->box);
}

static void
on_housekeep(struct stage *s)
{
	struct shell *sh = s->ops->self;

	watch_backlog(s, sh);
	gate(s, sh);
	metrics_set(s->metrics, M_EXECD_RESTING, exec_resting(sh->core));
}

static bool
load(struct shell *sh)
{
	uint8_t rec[EXEC_REC_SZ];

	for (uint32_t i = 0; i < EXEC_REC_N; i++) {
		outbox_get(&sh->box, i, rec);
		if (!paperdesk_load(sh->desk, i, rec))
			return false;
	}
	paperdesk_loaded(sh->desk);
	return true;
}

static void
load_instruments(struct stage *s, struct shell *sh)
{
	struct exec *e = sh->core;
	struct instr in;

	for (uint16_t i = 0; i < e->mkt.instr_n; i++) {
		if (!instr_read(s->instr, (uint16_t)(e->mkt.base + i), &in))
			continue;
		core_out_reset(&sh->out);
		paperdesk_instr_set(sh->desk, (uint16_t)(e->mkt.base + i), &in,
		    s->now_ns, &sh->out);
		flush(s, sh);
	}
}

static int
on_open(struct stage *s)
{
	struct shell *sh = s->ops->self;
	bool fresh;
	int rc;

	if (s->cfg.system_mode == MODE_LIVE) {
		LOG(LOG_STAGE_FAILED,
		    F_STR("what", "this build has no live order gateway; set "
				  "system.mode to sim or paper"));
		return EXIT_PERMANENT;
	}
	sh->desk = calloc(1, sizeof(*sh->desk));
	if (sh->desk == 0)
		return EXIT_TEMPORARY;
	sh->core = &sh->desk->e;
	paperdesk_init(
	    sh->desk, &s->cfg, (enum venue)topo_stages[s->id].venue, s->epoch);
	rc = outbox_open(
	    &sh->box, s, EXEC_REC_SZ, EXEC_REC_N, paperdesk_layout(), &fresh);
	if (rc != 0)
		return rc;
	if (!fresh && !load(sh)) {
		LOG(LOG_STAGE_FAILED, F_STR("what", "store makes no sense"));
		return EXIT_PERMANENT;
	}
	sh->seen = sh->core->stat;
	/* A former life may have died with its word up. */
	sh->backlog = (atomic_load(&s->ctl->freeze[own_word(s)].mask) &
			  FREEZE_REPORT_BACKLOG) != 0;
	count(s, sh);
	outbox_replay(&sh->box, s);
	load_instruments(s, sh);
	s->wake_ns = s->now_ns;
	return 0;
}

static bool
on_stop(struct stage *s)
{
	struct shell *sh = s->ops->self;

	sh->flat = exec_flat(sh->core);
	return sh->flat;
}

static int
on_close(struct stage *s)
{
	struct shell *sh = s->ops->self;

	outbox_commit(&sh->box);
	sh->flat = exec_flat(sh->core);
	metrics_set(s->metrics, M_EXECD_RESTING, exec_resting(sh->core));
	if (sh->flat)
		LOG(LOG_FLAT,
		    F_U64("cancel_us", (s->now_ns - s->stop_ns) / 1000));
	else
		LOG(LOG_NOT_FLAT, F_U64("orders_n", exec_resting(sh->core)));
	outbox_close(&sh->box);
	free(sh->desk);
	return sh->flat ? 0 : EXIT_TEMPORARY;
}

int
main(int argc, char **argv)
{
	static struct shell sh;
	static struct stage_ops ops = {
	    .program = "execd",
	    .about = "Makes a venue match the orders that should rest.",
	    .open = on_open,
	    .step = on_step,
	    .batch = on_batch,
	    .housekeep = on_housekeep,
	    .stop = on_stop,
	    .stop_limit_ns = UINT64_C(2000000000),
	    .close = on_close,
	};

	ops.self = &sh;
	return stage_main(&ops, argc, argv);
}
