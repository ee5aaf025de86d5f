#define _GNU_SOURCE
#include "libsys/stage.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libsys/clock.h"
#include "libsys/crash.h"
#include "libsys/log.h"
#include "libsys/sandbox.h"
#include "libsys/stage_int.h"
#include "libsys/version.h"

#define WALL_STEP_NS (INT64_C(200) * NS_PER_MS)

static volatile sig_atomic_t got_stop;

static void
on_stop(int sig)
{
	(void)sig;
	got_stop = 1;
}

static void
signals_open(const char *stage)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_stop;
	sigaction(SIGTERM, &sa, 0);
	sigaction(SIGINT, &sa, 0);
	signal(SIGPIPE, SIG_IGN);
	crash_open(stage);
}

static void
set_state(struct stage *s, enum stage_state state)
{
	atomic_store_explicit(
	    &s->me->own.state, (uint32_t)state, memory_order_release);
}

/* Field 22 of /proc/self/stat, which with the pid names a process for good. */
static uint64_t
start_ticks(void)
{
	char buf[1024];
	FILE *f = fopen("/proc/self/stat", "re");
	size_t n = f ? fread(buf, 1, sizeof(buf) - 1, f) : 0;
	char *p;

	if (f)
		fclose(f);
	buf[n] = '\0';
	p = strrchr(buf, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p + 1, 0, 10) : 0;
}

static void
introduce(struct stage *s)
{
	struct ctl_stage *me = s->me;

	s->epoch = atomic_load(&me->own.epoch) + 1;
	atomic_store(&me->own.start_ticks, start_ticks());
	atomic_store(&me->own.start_ns, s->start_ns);
	atomic_store(&me->own.epoch, s->epoch);
	atomic_store(&me->own.heartbeat_ns, s->start_ns);
	atomic_store(&me->own.in_ring, 0);
	atomic_store(&me->own.in_seq, 0);
	set_state(s, STAGE_BOOT);
	/* The pid last: whoever finds it there finds no word of the life
	 * before, above all not its last heartbeat. */
	atomic_store_explicit(
	    &me->own.pid, (uint64_t)getpid(), memory_order_release);
}

static void
clocks(struct stage *s)
{
	uint64_t mono = clock_mono_ns();

	s->wall_off_ns = (int64_t)(clock_wall_ns() - mono);
	s->now_ns = mono;
	s->wall_ns = (int64_t)mono + s->wall_off_ns;
}

static int
refused(const char *what, const struct err *e)
{
	LOG(LOG_ATTACH_REFUSED, F_STR("file", what), F_STR("what", e->text));
	return e->code == -ENOENT || e->code == -EBUSY ? EXIT_TEMPORARY
						       : EXIT_PERMANENT;
}

static int
attach(struct stage *s, const struct stage_args *a)
{
	bool feed = strcmp(s->ops->program, "feedd") == 0;
	struct err e;
	int rc;

	if (instance_open(&s->instance, a->instance, &e) < 0)
		return refused(a->instance, &e);
	if (ctl_attach(&s->ctl, s->instance.dirfd, true, &e) < 0)
		return refused("ctl", &e);
	if (cfgpage_attach(&s->cfgpage, s->instance.dirfd, false, &e) < 0)
		return refused(CFGPAGE_NAME, &e);
	if (cfgpage_read(&s->cfgpage, &s->cfg, &s->cfg_epoch) < 0) {
		LOG(LOG_ATTACH_REFUSED, F_STR("file", CFGPAGE_NAME),
		    F_STR("what", "no consistent configuration in it"));
		return EXIT_TEMPORARY;
	}
	log_level((enum cfg_log_level)s->cfg.log_level);
	if (instr_attach(&s->instr, s->instance.dirfd, feed, &e) < 0)
		return refused("instruments", &e);
	if (metrics_attach(&s->metrics, s->instance.dirfd, s->id, true, &e) < 0)
		return refused("metrics", &e);
	s->me = &s->ctl->stage[s->id];
	rc = stage_rings_attach(s);
	if (rc < 0)
		return rc == -EBUSY ? EXIT_TEMPORARY : EXIT_PERMANENT;
	introduce(s);
	atomic_store(&s->me->own.cfg_epoch, s->cfg_epoch);
	LOG(LOG_CONFIG_LOADED, F_U64("epoch", s->cfg_epoch),
	    F_STR("mode", mode_name((enum mode)s->cfg.system_mode)));
	set_state(s, STAGE_ATTACHED);
	return 0;
}

static void
step(struct stage *s, const struct event *ev)
{
	s->ops->step(s, ev);
	s->dirty = true;
	atomic_store_explicit(&s->me->own.steps,
	    atomic_load_explicit(&s->me->own.steps, memory_order_relaxed) + 1,
	    memory_order_relaxed);
}

static bool
slot_ok(const struct slot_hdr *hdr, const struct ring_def *def)
{
	bool tap = def->full == RING_FULL_TAP;
	bool tick = slot_is_tick(hdr->kind);

	if (hdr->instr >= INSTR_N || !(tick || slot_is_order(hdr->kind)))
		return false;
	return tap || tick == (def->content != RING_MSG);
}

static bool
quarantined(const struct stage *s, enum ring_id id, uint64_t seq)
{
	return atomic_load_explicit(&s->me->sup.quarantine_ring,
		   memory_order_relaxed) == (uint64_t)id + 1 &&
	       atomic_load_explicit(
		   &s->me->sup.quarantine_seq, memory_order_relaxed) == seq;
}

static void
take(struct stage *s, enum ring_id id, const union tap *slot)
{
	struct event ev = {.kind = EV_SLOT, .ring = (uint16_t)id};
	struct instr in;
	uint64_t sent = slot->hdr.recv_ns + slot->hdr.pub_delta;

	s->now_ns = clock_mono_ns();
	s->wall_ns = (int64_t)s->now_ns + s->wall_off_ns;
	if (!slot_ok(&slot->hdr, &topo_rings[id]) ||
	    quarantined(s, id, slot->hdr.seq)) {
		metrics_add(s->metrics, M_ANY_IN_DROPPED, 1);
		s->dirty = true;
		return;
	}
	ev.redelivered = ring_redelivered(&s->ring[id]);
	ev.now_ns = s->now_ns;
	ev.wall_ns = s->wall_ns;
	ev.slot = slot;
	if (slot->hdr.kind == TICK_INSTR &&
	    instr_read(s->instr, slot->hdr.instr, &in))
		ev.instr = &in;
	atomic_store_explicit(
	    &s->me->own.in_ring, (uint64_t)id + 1, memory_order_relaxed);
	atomic_store_explicit(
	    &s->me->own.in_seq, slot->hdr.seq, memory_order_relaxed);
	step(s, &ev);
	stage_trace(s, (uint16_t)id, slot->hdr.seq, &ev);
	metrics_observe(
	    s->metrics, M_ANY_HOP_NS, s->now_ns > sent ? s->now_ns - sent : 0);
}

/* Slots taken. */
static uint32_t
drain(struct stage *s)
{
	uint32_t taken = 0;

	for (uint32_t k = 0; k < s->in_n; k++) {
		enum ring_id id = s->in[k];
		struct ring *r = &s->ring[id];

		if (stage_rings_stalled(s))
			return taken;
		for (uint32_t i = 0; i < STAGE_BATCH; i++) {
			const void *slot = ring_peek(r);

			if (slot == 0)
				break;
			take(s, id, slot);
			ring_release(r);
			taken++;
		}
	}
	return taken;
}

/* Outputs are out: first the state, then the cursors. */
static void
commit(struct stage *s)
{
	if (!s->dirty)
		return;
	s->dirty = false;
	if (s->ops->batch)
		s->ops->batch(s);
	for (uint32_t k = 0; k < s->in_n; k++)
		ring_commit(&s->ring[s->in[k]]);
	atomic_store_explicit(&s->me->own.in_ring, 0, memory_order_relaxed);
}

static void
timer(struct stage *s)
{
	struct event ev = {.kind = EV_TIMER};

	if (s->wake_ns == 0 || s->now_ns < s->wake_ns)
		return;
	s->wake_ns = 0;
	ev.now_ns = s->now_ns;
	ev.wall_ns = s->wall_ns;
	step(s, &ev);
	stage_trace(s, TRACE_TIMER, 0, NULL);
}

static void
reload(struct stage *s)
{
	struct event ev = {.kind = EV_CFG};

	if (cfgpage_epoch(&s->cfgpage) == s->cfg_epoch)
		return;
	if (cfgpage_read(&s->cfgpage, &s->cfg, &s->cfg_epoch) < 0)
		return;
	log_level((enum cfg_log_level)s->cfg.log_level);
	ev.now_ns = s->now_ns;
	ev.wall_ns = s->wall_ns;
	ev.cfg = &s->cfg;
	step(s, &ev);
	stage_trace(s, TRACE_CFG, s->cfg_epoch, NULL);
	atomic_store(&s->me->own.cfg_epoch, s->cfg_epoch);
	LOG(LOG_CONFIG_RELOADED, F_U64("epoch", s->cfg_epoch));
}

static void
orphan(struct stage *s)
{
	uint64_t limit = (uint64_t)s->cfg.supervisor_orphan_timeout.ns;

	if (atomic_load(&s->ctl->sup.pid) == 0 || s->orphaned ||
	    !ctl_supervisor_dead(s->ctl, s->now_ns, limit))
		return;
	s->orphaned = true;
	LOG0(LOG_STAGE_ORPHANED);
	stage_stop_begin(s, "orphaned");
}

static void
become_ready(struct stage *s)
{
	if (s->ready || s->stop_ns != 0 || (s->ops->ready && !s->ops->ready(s)))
		return;
	s->ready = true;
	atomic_store(&s->me->own.ready_ns, s->now_ns);
	set_state(s, STAGE_READY);
	LOG(LOG_STAGE_READY,
	    F_U64("start_us", (s->now_ns - s->start_ns) / 1000));
}

static void
housekeep(struct stage *s)
{
	int64_t off = s->wall_off_ns;
	uint64_t freeze = ctl_freeze_epoch(s->ctl, 0);

	if (s->now_ns < s->keep_ns && freeze == s->freeze_epoch)
		return;
	s->freeze_epoch = freeze;
	s->keep_ns = s->now_ns + STAGE_HOUSEKEEP_NS;
	clocks(s);
	if (off - s->wall_off_ns > WALL_STEP_NS ||
	    s->wall_off_ns - off > WALL_STEP_NS)
		LOG(LOG_CLOCK_STEP,
		    F_I64("step_ms", (s->wall_off_ns - off) / NS_PER_MS));
	reload(s);
	orphan(s);
	if (s->ops->housekeep)
		s->ops->housekeep(s);
	metrics_set(
	    s->metrics, M_ANY_LOG_SUPPRESSED, (int64_t)log_suppressed_n());
	metrics_look(s->metrics, s->now_ns);
	log_housekeep(s->now_ns);
	sandbox_housekeep();
}

void
stage_stop_begin(struct stage *s, const char *why)
{
	struct event ev = {.kind = EV_STOP};

	if (s->stop_ns != 0)
		return;
	s->stop_ns = s->now_ns;
	set_state(s, STAGE_DRAINING);
	LOG(LOG_STAGE_STOP, F_STR("reason", why));
	ev.now_ns = s->now_ns;
	ev.wall_ns = s->wall_ns;
	step(s, &ev);
	stage_trace(s, TRACE_STOP, 0, NULL);
}

/* True when the stage has come to its end. */
static bool
stopped(struct stage *s)
{
	if (got_stop)
		stage_stop_begin(s, "asked");
	if (s->stop_ns == 0)
		return false;
	return s->ops->stop == 0 || s->ops->stop(s) ||
	       s->now_ns - s->stop_ns > s->ops->stop_limit_ns;
}

static void
loop(struct stage *s)
{
	uint64_t idle_from;

	while (!stopped(s)) {
		uint64_t from = s->now_ns;
		uint32_t worked = drain(s);

		commit(s);
		s->now_ns = clock_mono_ns();
		if (worked > 0)
			metrics_observe(s->metrics, M_ANY_STEP_NS,
			    (s->now_ns - from) / worked);
		s->wall_ns = (int64_t)s->now_ns + s->wall_off_ns;
		atomic_store_explicit(
		    &s->me->own.heartbeat_ns, s->now_ns, memory_order_relaxed);
		timer(s);
		stage_rings_owed(s);
		housekeep(s);
		become_ready(s);
		if (worked > 0) {
			if (topo_stages[s->id].flags & STAGE_SOCK)
				uv_run(&s->loop, UV_RUN_NOWAIT);
			continue;
		}
		if (s->now_ns >= s->hash_ns)
			stage_trace_hash(s);
		idle_from = s->now_ns;
		stage_wait(s);
		s->now_ns = clock_mono_ns();
		s->wall_ns = (int64_t)s->now_ns + s->wall_off_ns;
		atomic_store_explicit(&s->me->own.idle_ns,
		    atomic_load_explicit(
			&s->me->own.idle_ns, memory_order_relaxed) +
			(s->now_ns - idle_from),
		    memory_order_relaxed);
	}
	commit(s);
	stage_trace_hash(s);
}

static int
run(struct stage *s, const struct stage_args *a)
{
	int rc = attach(s, a);

	if (rc != 0)
		return rc;
	if (topo_stages[s->id].flags & STAGE_SOCK)
		CHECK(uv_loop_init(&s->loop) == 0);
	if (stage_wait_open(s) < 0)
		return EXIT_PERMANENT;
	if (s->ops->open) {
		rc = s->ops->open(s);
		if (rc != 0) {
			stage_wait_close(s);
			return rc;
		}
	}
	loop(s);
	rc = s->ops->close ? s->ops->close(s) : 0;
	stage_wait_close(s);
	stage_rings_detach(s);
	set_state(s, STAGE_DEAD);
	return rc;
}

int
stage_main(const struct stage_ops *ops, int argc, char **argv)
{
	/* Far too large for the stack; one stage a process. */
	struct stage *s = calloc(1, sizeof(*s));
	struct stage_args a;
	int code;

	if (s == 0)
		return EXIT_TEMPORARY;
	if (stage_args_parse(&a, ops, argc, argv, &code) < 0) {
		free(s);
		return code;
	}
	s->ops = ops;
	s->id = a.id;
	s->instance.dirfd = -1;
	log_open(topo_stages[a.id].name, STDERR_FILENO, CFG_LOG_INFO);
	signals_open(topo_stages[a.id].name);
	clocks(s);
	s->start_ns = s->now_ns;
	LOG(LOG_STAGE_START, F_U64("pid", (uint64_t)getpid()),
	    F_STR("version", RINGMAKER_VERSION), F_STR("instance", a.instance));
	code = run(s, &a);
	if (code != 0)
		LOG(LOG_STAGE_FAILED, F_I64("code", code));
	free(s);
	return code;
}
