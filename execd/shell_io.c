#define _GNU_SOURCE
#include "execd/shell.h"

#include <stdlib.h>
#include <string.h>

#include "execd/gate.h"
#include "execd/live_io.h"
#include "libcore/check.h"
#include "libsys/log.h"

#define DIRTY_COMMIT 128u
/* A sweep has nobody waiting for it but an account with open orders. */
#define SWEEP_LIMIT_NS UINT64_C(20000000000)

enum freeze_word
shell_word(const struct stage *s)
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

void
shell_flush(struct shell *sh)
{
	struct stage *s = sh->stage;
	struct exec *e = sh->core;
	uint8_t rec[EXEC_REC_SZ];
	uint32_t had = e->dirty_n;

	for (uint32_t i = 0; i < e->dirty_n; i++) {
		sh->ops->save(sh->desk, e->dirty[i], rec);
		outbox_put(&sh->box, e->dirty[i], rec);
	}
	e->dirty_n = 0;
	if (memcmp(&e->stat, &sh->seen, sizeof(e->stat)) != 0) {
		sh->ops->save(sh->desk, 0, rec);
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

/* One call of the desk is over: state, messages, then acts. */
static void
carry(struct shell *sh)
{
	shell_flush(sh);
	if (sh->live != NULL)
		live_settle(sh);
}

static void
sweep_all(struct stage *s, struct shell *sh)
{
	while (exec_more(sh->core)) {
		sh->ops->sweep(sh->desk, s->now_ns, &sh->out);
		carry(sh);
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
	    s->ctl, shell_word(s), FREEZE_REPORT_BACKLOG, now, s->now_ns);
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

	if (sh->live != NULL && mask != 0 && sh->core->gate == 0 && resting > 0)
		live_cancel_all(sh);
	sh->ops->freeze(sh->desk, mask, s->now_ns, &sh->out);
	carry(sh);
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

	watch_backlog(s, sh);
	gate(s, sh);
	first.now_ns = ev->now_ns;
	first.wall_ns = ev->wall_ns;
	while (sh->ops->due(sh->desk, ev->now_ns)) {
		sh->ops->step(sh->desk, &first, &sh->out);
		carry(sh);
	}
	/* From here on a commit says that this event was taken. */
	if (outbox_seen(&sh->box, ev))
		return;
	if (sh->live != NULL && ev->instr != NULL)
		live_market(sh, ev->slot->hdr.instr, ev->instr);
	sh->ops->step(sh->desk, ev, &sh->out);
	carry(sh);
	sweep_all(s, sh);
	if (sh->live != NULL && ev->kind == EV_TIMER)
		live_timer(sh);
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
	if (sh->live != NULL)
		live_housekeep(sh);
	else if (sh->is_sweep)
		stage_stop_begin(s, "sweep");
}

static bool
load(struct shell *sh)
{
	uint8_t rec[EXEC_REC_SZ];

	for (uint32_t i = 0; i < EXEC_REC_N; i++) {
		outbox_get(&sh->box, i, rec);
		if (!sh->ops->load(sh->desk, i, rec))
			return false;
	}
	sh->ops->loaded(sh->desk, sh->stage->now_ns);
	return true;
}

static void
load_instruments(struct stage *s, struct shell *sh)
{
	struct exec *e = sh->core;
	struct instr in;

	for (uint16_t k = 0; k < e->mkt.instr_n; k++) {
		uint16_t i = (uint16_t)(e->mkt.base + k);

		if (!instr_read(s->instr, i, &in))
			continue;
		core_out_reset(&sh->out);
		if (sh->live != NULL)
			live_market(sh, i, &in);
		sh->ops->instr_set(sh->desk, i, &in, s->now_ns, &sh->out);
		carry(sh);
	}
}

static int
open_desk(struct stage *s, struct shell *sh, bool *fresh)
{
	int rc;

	sh->stage = s;
	/* First the cancels, then the venue's word that nothing rests. */
	sh->stage_ops.stop_limit_ns =
	    sh->is_sweep ? SWEEP_LIMIT_NS
			 : 2 * (uint64_t)s->cfg.exec_cancel_timeout.ns;
	sh->ops = s->cfg.system_mode == MODE_PAPER ? &desk_paper : &desk_live;
	sh->desk = calloc(1, sh->ops->size);
	if (sh->desk == NULL)
		return EXIT_TEMPORARY;
	sh->core = sh->ops->init(
	    sh->desk, &s->cfg, (enum venue)topo_stages[s->id].venue, s->epoch);
	rc = outbox_open(
	    &sh->box, s, EXEC_REC_SZ, EXEC_REC_N, sh->ops->layout(), fresh);
	if (rc != 0)
		return rc;
	if (!*fresh && !load(sh)) {
		LOG(LOG_STAGE_FAILED, F_STR("what", "store makes no sense"));
		return EXIT_PERMANENT;
	}
	sh->seen = sh->core->stat;
	return 0;
}

static int
on_open(struct stage *s)
{
	struct shell *sh = s->ops->self;
	bool fresh;
	int rc = open_desk(s, sh, &fresh);

	if (rc == 0 && sh->ops == &desk_live)
		rc = live_open(sh, fresh);
	if (rc != 0)
		return rc;
	/* A former life may have died with its word up. */
	sh->backlog = (atomic_load(&s->ctl->freeze[shell_word(s)].mask) &
			  FREEZE_REPORT_BACKLOG) != 0;
	count(s, sh);
	outbox_replay(&sh->box, s);
	load_instruments(s, sh);
	if (sh->live != NULL)
		live_start(sh);
	s->wake_ns = s->now_ns;
	return 0;
}

static bool
on_ready(struct stage *s)
{
	struct shell *sh = s->ops->self;

	return sh->live == NULL || live_ready(sh);
}

static bool
is_flat(const struct shell *sh)
{
	return sh->live != NULL ? live_flat(sh) : exec_flat(sh->core);
}

static bool
on_stop(struct stage *s)
{
	struct shell *sh = s->ops->self;

	return sh->live != NULL ? live_stopped(sh) : exec_flat(sh->core);
}

static int
on_close(struct stage *s)
{
	struct shell *sh = s->ops->self;
	bool flat = is_flat(sh);
	bool again = sh->live != NULL && live_again(sh);

	outbox_commit(&sh->box);
	metrics_set(s->metrics, M_EXECD_RESTING, exec_resting(sh->core));
	if (flat)
		LOG(LOG_FLAT,
		    F_U64("cancel_us", (s->now_ns - s->stop_ns) / 1000));
	else
		LOG(LOG_NOT_FLAT, F_U64("orders_n", exec_resting(sh->core)));
	live_close(sh);
	outbox_close(&sh->box);
	free(sh->desk);
	return flat && !again ? 0 : EXIT_TEMPORARY;
}

/* An option of our own, before those of every stage. */
static bool
take_option(int *argc, char **argv, const char *name)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], name) != 0)
			continue;
		memmove(&argv[i], &argv[i + 1],
		    (size_t)(*argc - i) * sizeof(argv[0]));
		--*argc;
		return true;
	}
	return false;
}

int
shell_main(
    const struct gateway_ops *const gateway[VENUE_N], int argc, char **argv)
{
	static struct shell sh;

	sh.gateway = gateway;
	sh.stage_ops = (struct stage_ops){
	    .program = "execd",
	    .about =
		"Makes a venue match the orders that should rest.\n\n"
		"With --sweep: cancels everything of the account, makes sure\n"
		"that nothing rests, and ends: 0, or 111 when it could not.",
	    .self = &sh,
	    .open = on_open,
	    .step = on_step,
	    .ready = on_ready,
	    .batch = on_batch,
	    .housekeep = on_housekeep,
	    .stop = on_stop,
	    .close = on_close,
	};
	sh.is_sweep = take_option(&argc, argv, "--sweep");
	return stage_main(&sh.stage_ops, argc, argv);
}
