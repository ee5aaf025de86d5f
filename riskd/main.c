/*
 * riskd - nothing reaches execd except through here. The shell: rings and
 * control page in; orders, verdicts, freeze words and the lease out. State
 * is committed before anything is said (libsys/outbox.h); the day, its latch
 * and the positions go to disk as well (risk_io.h). Sealed after start.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "libsys/log.h"
#include "libsys/outbox.h"
#include "libsys/sandbox.h"
#include "libsys/stage.h"
#include "riskd/risk.h"
#include "riskd/risk_io.h"
#include "riskd/shell.h"
#include "riskd/trace.h"

#define DIRTY_COMMIT  128u
#define STOP_LIMIT_NS UINT64_C(1000000000) /* for execd's last words */

/* What changed into the store, and into the file what outlives it. The file
 * goes first: when every process is killed in between, it is all there is. */
static void
put_dirty(struct stage *s, struct shell *sh)
{
	struct risk *r = sh->core;
	uint8_t rec[RISK_REC_SZ];
	bool keep = false;

	for (uint32_t i = 0; i < r->dirty_n; i++) {
		uint32_t d = r->dirty[i];

		keep = keep || d < RISK_REC_FILLS || d >= RISK_REC_KEPT ||
		       (d >= RISK_REC_INSTR && d < RISK_REC_SLOT);
		risk_save(r, d, rec);
		outbox_put(&sh->box, d, rec);
	}
	r->dirty_n = 0;
	if (keep)
		shell_keep(s, sh, false);
}

/* Let go of what changed: records into the store, messages to the rings. */
static void
flush(struct stage *s, struct shell *sh)
{
	struct risk *r = sh->core;
	uint8_t rec[RISK_REC_SZ];
	uint32_t had = r->dirty_n;

	/* First: execd may look at any moment. */
	shell_freeze_words(s, sh);
	put_dirty(s, sh);
	if (sh->out.n > 0 &&
	    memcmp(&r->stat, &sh->seen.stat, sizeof(r->stat)) != 0) {
		risk_save(r, 0, rec);
		outbox_put(&sh->box, 0, rec);
	}
	s->wake_ns = sh->out.wake_ns;
	if (sh->out.n > 0)
		outbox_send(&sh->box, s, &sh->out);
	else if (had > DIRTY_COMMIT)
		outbox_commit(&sh->box);
	shell_observe(s, sh);
}

static void
on_lost(struct stage *s, enum ring_id ring, const struct order *o)
{
	struct shell *sh = s->ops->self;

	if (o->hdr.kind == MSG_ORDER) {
		struct risk_trace_lost t = {.id = o->id,
		    .instr = o->hdr.instr,
		    .side = o->side,
		    .level = o->level};

		risk_lost(sh->core, o);
		stage_trace_own(s, RISK_TRACE_LOST, &t, sizeof(t));
	}
	if (ring == RG_CANCEL_PM)
		sh->cancel_full[VENUE_POLYMARKET] = true;
	if (ring == RG_CANCEL_HL)
		sh->cancel_full[VENUE_HYPERLIQUID] = true;
}

static bool
has_room(struct stage *s, enum ring_id id)
{
	const struct ring *r = &s->ring[id];

	return r->mask + 1 - ring_used(r) >= CORE_OUT_MAX;
}

/* What the control page and the rings say, to the core when it changed. */
static void
look_around(struct stage *s, struct shell *sh)
{
	static const enum ring_id order[VENUE_N] = {
	    [VENUE_POLYMARKET] = RG_ORDER_PM,
	    [VENUE_HYPERLIQUID] = RG_ORDER_HL};
	static const enum ring_id cancel[VENUE_N] = {
	    [VENUE_POLYMARKET] = RG_CANCEL_PM,
	    [VENUE_HYPERLIQUID] = RG_CANCEL_HL};
	static const enum freeze_word own[VENUE_N] = {
	    [VENUE_POLYMARKET] = FW_EXECD_PM,
	    [VENUE_HYPERLIQUID] = FW_EXECD_HL};
	struct risk_world w;
	uint64_t all;

	memset(&w, 0, sizeof(w));
	all = atomic_load(&s->ctl->freeze[FW_SUPERVISOR].mask);
	w.room[VENUE_BINANCE] = true;
	w.ext[VENUE_BINANCE] = all;
	for (int v = 1; v < VENUE_N; v++) {
		if (v == VENUE_BINANCE)
			continue;
		w.ext[v] = all | atomic_load(&s->ctl->freeze[own[v]].mask);
		w.room[v] = has_room(s, order[v]);
		if (sh->cancel_full[v] && has_room(s, cancel[v]))
			sh->cancel_full[v] = false;
		w.cancel_full[v] = sh->cancel_full[v];
	}
	w.supervisor_dead = atomic_load(&s->ctl->sup.pid) != 0 &&
			    ctl_supervisor_dead(s->ctl, s->now_ns,
				(uint64_t)s->cfg.supervisor_dead_ms.ns);
	if (memcmp(&w, &sh->core->world, sizeof(w)) == 0)
		return;
	risk_world_set(sh->core, &w, s->now_ns, &sh->out);
	flush(s, sh);
	stage_trace_own(s, RISK_TRACE_WORLD, &w, sizeof(w));
}

static void
on_step(struct stage *s, const struct event *ev)
{
	struct shell *sh = s->ops->self;

	if (outbox_seen(&sh->box, ev))
		return;
	look_around(s, sh);
	risk_step(sh->core, ev, &sh->out);
	flush(s, sh);
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
	uint64_t thaws = atomic_load(&s->ctl->sup.thaw_epoch);

	if (thaws != sh->thaw_epoch) {
		sh->thaw_epoch = thaws;
		risk_thaw(sh->core, s->now_ns, &sh->out);
		flush(s, sh);
		stage_trace_own(s, RISK_TRACE_THAW, "", 0);
	}
	look_around(s, sh);
	shell_checkpoint(s, sh);
	shell_metrics(s, sh);
	if (sh->core->lease_ok && s->stop_ns == 0)
		ctl_lease_extend(
		    s->ctl, s->now_ns + (uint64_t)s->cfg.risk_lease_ms.ns);
}

static void
on_resync(struct stage *s, enum ring_id ring)
{
	struct shell *sh = s->ops->self;

	CHECK(ring == RG_VERDICT);
	risk_relist(sh->core);
	stage_trace_own(s, RISK_TRACE_RELIST, "", 0);
	s->wake_ns = s->now_ns;
}

static bool
load(struct shell *sh)
{
	uint8_t rec[RISK_REC_SZ];

	for (uint32_t i = 0; i < RISK_REC_N; i++) {
		outbox_get(&sh->box, i, rec);
		if (!risk_load(sh->core, i, rec))
			return false;
	}
	risk_loaded(sh->core);
	return true;
}

/* What the instrument table says now; changes come through the rings. */
static void
load_instruments(struct stage *s, struct shell *sh)
{
	struct instr in;

	for (uint16_t i = 1; i < INSTR_N; i++) {
		if (instr_read(s->instr, i, &in)) {
			struct risk_trace_instr t = {
			    i, hash_bytes(HASH_SEED, &in, sizeof(in))};

			risk_instr_set(sh->core, i, &in);
			put_dirty(s, sh);
			stage_trace_entry(s, &in);
			stage_trace_own(s, RISK_TRACE_INSTR, &t, sizeof(t));
		}
	}
	outbox_commit(&sh->box);
}

/* A switch that was tripped when the former life ended is tripped still. */
static void
load_switches(struct stage *s, struct shell *sh)
{
	for (int v = 1; v < VENUE_N; v++) {
		struct risk_trace_instr t = {(uint64_t)v, 0};

		if ((shell_freeze_word(s, (enum venue)v) & FREEZE_LATENCY) == 0)
			continue;
		risk_tripped(sh->core, (enum venue)v);
		stage_trace_own(s, RISK_TRACE_TRIPPED, &t, sizeof(t));
	}
}

/* A new run: the file knows what the store does not. */
static bool
load_kept(struct shell *sh)
{
	uint8_t rec[RISK_REC_SZ];

	if (!risk_image_load(sh->core, &sh->copy.image))
		return false;
	for (uint32_t k = 0; k < RISK_REC_FILLS; k++) {
		risk_save(sh->core, k, rec);
		outbox_put(&sh->box, k, rec);
	}
	for (uint32_t k = 0; k < sh->core->kept_n; k++) {
		risk_save(sh->core, RISK_REC_KEPT + k, rec);
		outbox_put(&sh->box, RISK_REC_KEPT + k, rec);
	}
	outbox_commit(&sh->box);
	return true;
}

static void
trace_begin(struct stage *s, struct shell *sh, bool fresh, bool found)
{
	struct risk_trace_begin t = {
	    .begun = RISK_BEGUN_STORE, .hash = risk_hash(sh->core)};

	if (fresh)
		t.begun = found ? RISK_BEGUN_FILE : RISK_BEGUN_FRESH;
	stage_trace_own(s, RISK_TRACE_BEGIN, &t, sizeof(t));
}

static int
open_file(struct stage *s, struct shell *sh, bool fresh)
{
	char dir[256];
	struct err e;
	bool found;

	if (!risk_io_dir(&s->cfg, dir, sizeof(dir))) {
		LOG(LOG_STAGE_FAILED,
		    F_STR("what", "no system.state_dir and no HOME"));
		return EXIT_PERMANENT;
	}
	if (risk_io_open(
		&sh->io, dir, s->instance.name, &sh->copy, &found, &e) < 0) {
		LOG(LOG_CHECKPOINT_FAILED, F_STR("file", sh->io.path),
		    F_STR("what", e.text));
		return EXIT_PERMANENT;
	}
	/* In one boot the store is the newer of the two. */
	if (fresh && found && !load_kept(sh)) {
		LOG(LOG_CHECKPOINT_FAILED, F_STR("file", sh->io.path),
		    F_STR("what", "makes no sense"));
		return EXIT_PERMANENT;
	}
	sh->unsynced = true;
	trace_begin(s, sh, fresh, found);
	for (int v = 1; v < VENUE_N; v++)
		if (sh->core->latched[v] != 0)
			LOG(LOG_LATCH_LOADED,
			    F_STR("reason", reason_name(freeze_reason(
						sh->core->latched[v]))),
			    F_STR("venue", venue_name((enum venue)v)));
	if (sh->core->edge.latched != 0)
		LOG(LOG_LATCH_LOADED,
		    F_STR("reason", reason_name(REASON_STRATEGY_LOSS)),
		    F_I64("since_ns", sh->core->edge.latch_wall_ns));
	if (sh->core->loss.latched != 0)
		LOG(LOG_LATCH_LOADED,
		    F_STR("reason",
			reason_name(freeze_reason(sh->core->loss.latched))),
		    F_I64("since_ns", sh->core->loss.latch_wall_ns));
	return 0;
}

static int
on_open(struct stage *s)
{
	struct shell *sh = s->ops->self;
	struct sandbox_report report;
	struct err e;
	bool fresh;
	int rc;

	sh->core = calloc(1, sizeof(*sh->core));
	if (sh->core == 0)
		return EXIT_TEMPORARY;
	risk_init(sh->core, &s->cfg, s->epoch);
	rc = outbox_open(
	    &sh->box, s, RISK_REC_SZ, RISK_REC_N, risk_layout(), &fresh);
	if (rc != 0)
		return rc;
	sh->box.lost = on_lost;
	if (!fresh && !load(sh)) {
		LOG(LOG_STAGE_FAILED, F_STR("what", "store makes no sense"));
		return EXIT_PERMANENT;
	}
	rc = open_file(s, sh, fresh);
	if (rc != 0)
		return rc;
	load_instruments(s, sh);
	load_switches(s, sh);
	sh->thaw_epoch = atomic_load(&s->ctl->sup.thaw_epoch);
	sh->seen.stat = sh->core->stat;
	sh->seen.day = sh->core->loss.day;
	sh->seen.latched = sh->core->loss.latched;
	sh->seen.realised = loss_realised(&sh->core->loss);
	shell_freeze_words(s, sh);
	outbox_replay(&sh->box, s);
	s->wake_ns = s->now_ns;
	if (sandbox_seal(SANDBOX_RISKD, (enum cfg_sandbox)s->cfg.sandbox_mode,
		&report, &e) < 0) {
		LOG(LOG_STAGE_FAILED, F_STR("what", e.text));
		return EXIT_PERMANENT;
	}
	LOG(LOG_SANDBOX_SEALED, F_BOOL("seccomp", report.seccomp),
	    F_I64("landlock_abi", report.landlock_abi));
	return 0;
}

/* Frozen, execd withdraws everything and says what became of each order; a
 * fill that is on its way is booked. */
static bool
on_stop(struct stage *s)
{
	const struct shell *sh = s->ops->self;

	return sh->core->open_n == 0;
}

static uint64_t
on_hash(const struct stage *s)
{
	const struct shell *sh = s->ops->self;

	return risk_hash(sh->core);
}

static int
on_close(struct stage *s)
{
	struct shell *sh = s->ops->self;

	ctl_lease_drop(s->ctl);
	outbox_commit(&sh->box);
	shell_metrics(s, sh);
	shell_keep(s, sh, true);
	risk_io_close(&sh->io);
	outbox_close(&sh->box);
	free(sh->core);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct shell sh;
	static struct stage_ops ops = {
	    .program = "riskd",
	    .about = "Judges every wish to trade; owns positions and freezes.",
	    .open = on_open,
	    .step = on_step,
	    .batch = on_batch,
	    .resync = on_resync,
	    .housekeep = on_housekeep,
	    .stop = on_stop,
	    .stop_limit_ns = STOP_LIMIT_NS,
	    .hash = on_hash,
	    .close = on_close,
	};

	ops.self = &sh;
	sh.io.fd = -1;
	return stage_main(&ops, argc, argv);
}
