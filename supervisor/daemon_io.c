#define _GNU_SOURCE
#include "supervisor/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libsys/clock.h"
#include "libsys/log.h"
#include "libsys/proc.h"
#include "supervisor/control_io.h"
#include "supervisor/envkey_io.h"
#include "supervisor/lives_io.h"
#include "supervisor/spawn_io.h"
#include "supervisor/sweep_io.h"

#define EVENTS_MAX 32

void
daemon_limits(struct supd *d)
{
	const struct cfg *c = &d->cfg;
	struct supervise_cfg *l = &d->limits;

	l->stale_ns = (uint64_t)c->supervisor_heartbeat_stale_ms.ns;
	l->abort_grace_ns = (uint64_t)c->supervisor_abort_grace.ns;
	l->crash_loop_window_ns = (uint64_t)c->supervisor_crash_loop_window.ns;
	l->crash_loop_n = (uint32_t)c->supervisor_crash_loop_n;
	l->park_retry_ns = (uint64_t)c->supervisor_park_retry.ns;
	l->backoff_min_ns = (uint64_t)c->supervisor_backoff_min.ns;
	l->backoff_max_ns = (uint64_t)c->supervisor_backoff_max.ns;
	l->ready_timeout_ns = (uint64_t)c->supervisor_ready_timeout.ns;
	l->stop_timeout_ns = (uint64_t)c->supervisor_stop_timeout.ns;
	l->sweep_ns = (uint64_t)c->supervisor_sweep_timeout.ns;
	l->sweep_mask = sweep_mask(c);
}

int
daemon_freeze(
    struct supd *d, uint64_t bits, const char *why, uint64_t uid, struct err *e)
{
	char names[128];

	/* First the memory: that stops orders now. Then the disk. */
	ctl_freeze_set(d->ctl, FW_SUPERVISOR, bits, true, d->now_ns);
	ctl_wake_all(d->ctl, d->inst.dirfd);
	LOG(LOG_FREEZE, F_STR("reason", freeze_format(bits, names, 128)),
	    F_STR("by", "supervisor"), F_STR("cause", why), F_U64("uid", uid));
	if (d->latch.mask == 0)
		d->latch.since_wall_ns = clock_wall_ns();
	d->latch.mask |= bits & FREEZE_LATCHED;
	d->latch.uid = uid;
	latch_why(&d->latch, why);
	return latch_save(d->state_dir, &d->latch, e);
}

int
daemon_thaw(struct supd *d, const char *why, uint64_t uid, struct err *e)
{
	uint64_t mask = atomic_load(&d->ctl->freeze[FW_SUPERVISOR].mask);
	uint64_t since = atomic_load(&d->ctl->freeze[FW_SUPERVISOR].since_ns);
	struct latch none;
	char names[128];
	int rc;

	/* First the disk: a thaw that would not outlive us must not be. */
	memset(&none, 0, sizeof(none));
	rc = latch_save(d->state_dir, &none, e);
	if (rc < 0)
		return rc;
	d->latch = none;
	LOG(LOG_THAW, F_STR("reason", freeze_format(mask, names, 128)),
	    F_STR("by", "supervisor"), F_STR("cause", why), F_U64("uid", uid),
	    F_U64("frozen_ms", mask ? (d->now_ns - since) / 1000000 : 0));
	ctl_freeze_set(d->ctl, FW_SUPERVISOR, mask, false, d->now_ns);
	atomic_fetch_add(&d->ctl->sup.thaw_epoch, 1);
	return 0;
}

static void
watch(struct supd *d, int fd, uint64_t tag)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = tag};

	CHECK(epoll_ctl(d->ep, EPOLL_CTL_ADD, fd, &ev) == 0);
}

/* A new life has a number that is reserved on disk. */
static int
reserve_life(struct supd *d, enum stage_id id, struct err *e)
{
	uint64_t used = atomic_load(&d->ctl->stage[id].own.epoch);

	return used < d->life_max
		   ? 0
		   : lives_reserve(d->state_dir, used, &d->life_max, e);
}

static void
start_stage(struct supd *d, enum stage_id id)
{
	struct spawn_args a = {.bin_dir = d->bin_dir,
	    .instance = d->inst.name,
	    .id = id,
	    .log_fd = -1};
	struct sup_child *ch = &d->child[id];
	struct ctl_stage *st = &d->ctl->stage[id];
	struct err e;

	CHECK(ch->pidfd < 0);
	if (!d->opts->foreground)
		a.log_fd =
		    spawn_log_open(d->state_dir, topo_stages[id].name, &e);
	if (!d->opts->foreground && a.log_fd < 0)
		LOG(LOG_STAGE_FAILED, F_STR("what", e.text),
		    F_STR("of", topo_stages[id].name));
	if (atomic_load(&st->own.pid) != 0)
		atomic_fetch_add(&st->sup.restarts, 1);
	atomic_store(&st->sup.next_start_ns, 0);
	atomic_store(&st->own.state, STAGE_BOOT);
	ch->adopted = false;
	if (reserve_life(d, id, &e) < 0 ||
	    spawn_stage(&a, &ch->pid, &ch->pidfd, &e) < 0) {
		LOG(LOG_STAGE_FAILED, F_STR("what", e.text),
		    F_STR("of", topo_stages[id].name));
		ch->pidfd = -1;
		ch->failed = true;
	} else {
		watch(d, ch->pidfd, SUP_EP_CHILD + id);
	}
	if (a.log_fd >= 0)
		close(a.log_fd);
}

static void
signal_stage(struct supd *d, enum stage_id id, int sig)
{
	const struct ctl_stage *st = &d->ctl->stage[id];
	uint64_t beat = atomic_load(&st->own.heartbeat_ns);

	if (d->child[id].pidfd < 0)
		return;
	if (sig != SIGTERM && d->core.stage[id].state != SUP_SWEEPING)
		LOG(LOG_STAGE_HUNG, F_STR("of", topo_stages[id].name),
		    F_STR("sent", sig == SIGABRT ? "SIGABRT" : "SIGKILL"),
		    F_U64("heartbeat_age_ms",
			d->now_ns > beat ? (d->now_ns - beat) / 1000000 : 0));
	spawn_signal(d->child[id].pidfd, sig);
}

static void
parked(struct supd *d, enum stage_id id)
{
	struct sup_stage *s = &d->core.stage[id];

	atomic_store(&d->ctl->stage[id].own.state, STAGE_PARKED);
	LOG(LOG_STAGE_PARKED, F_STR("of", topo_stages[id].name),
	    F_STR("what", sup_park_text(s->park)),
	    F_U64("deaths_n", s->death_n), F_U64("input_ring", s->crash_ring),
	    F_U64("input_seq", s->crash_seq));
}

static void
crash_freeze(struct supd *d, enum stage_id id)
{
	char why[LATCH_WHY_SZ];
	struct err e;

	snprintf(why, sizeof(why), "%s parked: %s", topo_stages[id].name,
	    sup_park_text(d->core.stage[id].park));
	if (daemon_freeze(d, FREEZE_CRASH_LOOP, why, geteuid(), &e) < 0)
		LOG(LOG_CHECKPOINT_FAILED, F_STR("file", LATCH_FILE),
		    F_STR("what", e.text));
}

static void
quarantine(struct supd *d, enum stage_id id, uint64_t ring, uint64_t seq)
{
	struct ctl_stage *st = &d->ctl->stage[id];

	atomic_store(&st->sup.quarantine_seq, seq);
	atomic_store(&st->sup.quarantine_ring, ring);
}

void
daemon_apply(struct supd *d, const struct sup_out *out)
{
	for (uint32_t i = 0; i < out->n; i++) {
		enum stage_id id = out->item[i].stage;

		switch ((enum sup_effect)out->item[i].effect) {
		case SUP_DO_START: start_stage(d, id); break;
		case SUP_DO_TERM: signal_stage(d, id, SIGTERM); break;
		case SUP_DO_ABRT: signal_stage(d, id, SIGABRT); break;
		case SUP_DO_KILL: signal_stage(d, id, SIGKILL); break;
		case SUP_DO_QUARANTINE:
			quarantine(d, id, out->item[i].ring, out->item[i].seq);
			break;
		case SUP_DO_PARK: parked(d, id); break;
		case SUP_DO_FREEZE: crash_freeze(d, id); break;
		case SUP_DO_STALLED:
			LOG(LOG_MACHINE_STALLED,
			    F_U64("stalled_ms", out->item[i].seq / NS_PER_MS),
			    F_U64("grace_ms", d->limits.stale_ns / NS_PER_MS));
			break;
		case SUP_DO_SWEEP: sweep_begin(d, id); break;
		case SUP_EFFECT_N: CHECK(!"no such effect");
		}
	}
}

void
daemon_ask(struct supd *d, uint32_t mask, enum sup_event what)
{
	for (int i = 0; i < ST_N; i++) {
		struct sup_out out = {0};

		if ((mask >> i & 1) == 0)
			continue;
		supervise_ask(&d->core, &d->limits, (enum stage_id)i, what,
		    d->now_ns, &out);
		daemon_apply(d, &out);
	}
}

/* Does the page speak of the process that we hold? */
static bool
is_theirs(const struct supd *d, int i)
{
	return d->child[i].pidfd >= 0 &&
	       atomic_load(&d->ctl->stage[i].own.pid) ==
		   (uint64_t)d->child[i].pid;
}

static void
tally(struct supd *d, int i, const struct sup_exit *x)
{
	struct ctl_stage *st = &d->ctl->stage[i];
	uint64_t started = d->core.stage[i].started_ns;

	atomic_store(&st->sup.last_exit, x->status);
	atomic_store(&st->sup.last_exit_ns, d->now_ns);
	atomic_store(&st->sup.last_in_ring, x->in_ring);
	atomic_store(&st->sup.last_in_seq, x->in_seq);
	atomic_store(&st->own.state, STAGE_DEAD);
	if (d->core.stage[i].state == SUP_STOPPING)
		return;
	LOG(LOG_STAGE_RESTART, F_STR("of", topo_stages[i].name),
	    F_U64("signal", x->status & 0x7f),
	    F_U64("exit_code", x->status >> 8 & 0xff),
	    F_BOOL("status_known", x->status != SUP_STATUS_UNKNOWN),
	    F_U64("uptime_ms", (d->now_ns - started) / 1000000),
	    F_U64("input_ring", x->in_ring), F_U64("input_seq", x->in_seq));
}

static void
stage_ended(struct supd *d, int i, uint32_t status)
{
	struct ctl_stage *st = &d->ctl->stage[i];
	struct sup_exit x = {.status = status};
	struct sup_out out = {0};

	if (d->core.stage[i].state == SUP_SWEEPING) {
		sweep_ended(d, (enum stage_id)i, status);
		return;
	}
	if (is_theirs(d, i)) {
		x.in_ring = atomic_load(&st->own.in_ring);
		x.in_seq = atomic_load(&st->own.in_seq);
	}
	if (d->child[i].pidfd >= 0)
		close(d->child[i].pidfd);
	d->child[i].pidfd = -1;
	tally(d, i, &x);
	supervise_exit(
	    &d->core, &d->limits, (enum stage_id)i, &x, d->now_ns, &out);
	daemon_apply(d, &out);
	if (!supervise_alive(d->core.stage[i].state))
		atomic_store(
		    &st->sup.next_start_ns, d->core.stage[i].deadline_ns);
}

static void
child_event(struct supd *d, int i)
{
	uint32_t status;

	d->now_ns = clock_mono_ns();
	if (d->child[i].pidfd >= 0 && spawn_status(d->child[i].pidfd, &status))
		stage_ended(d, i, status);
}

void
daemon_stop_all(struct supd *d)
{
	if (d->stop_ns != 0)
		return;
	d->stop_ns = d->now_ns;
	atomic_store(&d->ctl->sup.stopping, 1);
	LOG(LOG_STAGE_STOP, F_STR("reason", "asked"));
	supervise_stop_all(&d->core);
}

static void
on_signal(struct supd *d)
{
	struct signalfd_siginfo si;

	if (read(d->sig_fd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	if (si.ssi_signo == SIGHUP) {
		struct sup_conn nobody = {.fd = -1};

		command_line(d, &nobody, "{\"cmd\":\"reload\"}", si.ssi_uid);
		free(nobody.note);
		return;
	}
	daemon_stop_all(d);
}

static void
look(struct supd *d)
{
	struct sup_look looks[ST_N];
	struct sup_out out = {0};
	uint8_t was[ST_N];
	uint64_t due = d->look_ns + SUP_BEAT_NS;

	/* Woken every SUP_BEAT_NS at least: what is more is the machine's. */
	if (d->look_ns != 0 && d->now_ns > due)
		supervise_late(
		    &d->core, &d->limits, d->now_ns - due, d->now_ns, &out);
	d->look_ns = d->now_ns;
	memset(looks, 0, sizeof(looks));
	for (int i = 0; i < ST_N; i++) {
		const struct ctl_stage *st = &d->ctl->stage[i];

		was[i] = d->core.stage[i].state;
		if (!is_theirs(d, i))
			continue;
		looks[i].heartbeat_ns = atomic_load(&st->own.heartbeat_ns);
		looks[i].ready = atomic_load(&st->own.state) == STAGE_READY;
	}
	supervise_look(&d->core, &d->limits, looks, d->now_ns, &out);
	daemon_apply(d, &out);
	for (int i = 0; i < ST_N; i++) {
		struct ctl_stage *st = &d->ctl->stage[i];
		uint64_t died = d->core.stage[i].died_ns;
		uint64_t ready = atomic_load(&st->own.ready_ns);

		if (was[i] != SUP_UP && d->core.stage[i].state == SUP_UP &&
		    died != 0 && ready > died)
			atomic_store(&st->sup.down_ns, ready - died);
		if (d->child[i].failed) {
			d->child[i].failed = false;
			stage_ended(d, i, 127u << 8);
		}
	}
}

static int
wait_ms(const struct supd *d)
{
	uint64_t until = d->beat_ns;
	uint64_t next = supervise_wake_ns(&d->core);

	if (next != 0 && next < until)
		until = next;
	for (int i = 0; i < ST_N; i++)
		if (d->core.stage[i].state == SUP_STARTING)
			return (int)(SUP_LOOK_BUSY_NS / 1000000);
	for (int i = 0; i < SUP_CONNS; i++)
		if (d->conn[i].fd >= 0 && d->conn[i].wait != SUP_WAIT_NONE)
			return (int)(SUP_LOOK_BUSY_NS / 1000000);
	return until <= d->now_ns ? 0
				  : (int)((until - d->now_ns) / 1000000) + 1;
}

static void
beat(struct supd *d)
{
	if (d->now_ns < d->beat_ns)
		return;
	atomic_store_explicit(
	    &d->ctl->sup.heartbeat_ns, d->now_ns, memory_order_release);
	d->beat_ns = d->now_ns + SUP_BEAT_NS;
	log_housekeep(d->now_ns);
}

static void
dispatch(struct supd *d, uint64_t tag)
{
	if (tag == SUP_EP_SIGNAL)
		on_signal(d);
	else if (tag == SUP_EP_LISTEN)
		control_accept(d);
	else if (tag >= SUP_EP_CONN && tag < SUP_EP_CONN + SUP_CONNS)
		control_read(d, &d->conn[tag - SUP_EP_CONN]);
	else if (tag >= SUP_EP_CHILD && tag < SUP_EP_CHILD + ST_N)
		child_event(d, (int)(tag - SUP_EP_CHILD));
}

static void
loop(struct supd *d)
{
	struct epoll_event ev[EVENTS_MAX];

	while (d->stop_ns == 0 || !supervise_all_down(&d->core)) {
		int n = epoll_wait(d->ep, ev, EVENTS_MAX, wait_ms(d));

		d->now_ns = clock_mono_ns();
		beat(d);
		for (int i = 0; i < n; i++)
			dispatch(d, ev[i].data.u64);
		d->now_ns = clock_mono_ns();
		beat(d);
		look(d);
		command_waits(d);
	}
}

bool
daemon_anyone_alive(const struct ctl *c)
{
	for (int i = 0; i < ST_N; i++)
		if (proc_alive((pid_t)atomic_load(&c->stage[i].own.pid),
			atomic_load(&c->stage[i].own.start_ticks)))
			return true;
	return false;
}

/* Did it end with nothing of it left at a venue, as far as the page knows? */
static bool
ended_well(const struct ctl_stage *st)
{
	uint32_t state = atomic_load(&st->own.state);

	if (atomic_load(&st->own.pid) == 0)
		return true;
	if (state == STAGE_DEAD && atomic_load(&st->sup.last_exit) == 0)
		return true;
	return (state == STAGE_DEAD || state == STAGE_PARKED) &&
	       atomic_load(&st->sup.sweep) == CTL_SWEEP_FLAT;
}

static void
adopt_stages(struct supd *d)
{
	for (int i = 0; i < ST_N; i++) {
		const struct ctl_stage *st = &d->ctl->stage[i];
		pid_t pid = (pid_t)atomic_load(&st->own.pid);
		int fd = spawn_adopt(pid, atomic_load(&st->own.start_ticks));

		if (fd < 0) {
			if ((d->limits.sweep_mask >> i & 1) != 0 &&
			    !ended_well(st))
				supervise_found_dead(
				    &d->core, (enum stage_id)i);
			continue;
		}
		d->child[i].pid = pid;
		d->child[i].pidfd = fd;
		d->child[i].adopted = true;
		watch(d, fd, SUP_EP_CHILD + (unsigned)i);
		daemon_ask(d, UINT32_C(1) << i, SUP_EV_ADOPT);
		LOG(LOG_STAGE_ADOPTED, F_STR("of", topo_stages[i].name),
		    F_U64("pid", (uint64_t)pid));
	}
}

/* What runs must lie below what is reserved, whoever started it. */
static int
adopt_lives(struct supd *d, struct err *e)
{
	int rc = lives_load(d->state_dir, &d->life_max, e);

	for (int i = 0; rc == 0 && i < ST_N; i++) {
		uint64_t used = atomic_load(&d->ctl->stage[i].own.epoch);

		if (used > d->life_max)
			rc = lives_reserve(d->state_dir, used, &d->life_max, e);
	}
	return rc;
}

/* Join the instance that is there, when somebody lives in it. */
static int
adopt(struct supd *d, struct err *e)
{
	uint64_t epoch;
	int rc = instance_open(&d->inst, d->opts->instance, e);

	if (rc < 0)
		return rc;
	rc = ctl_attach(&d->ctl, d->inst.dirfd, true, e);
	if (rc == 0 && !daemon_anyone_alive(d->ctl)) {
		ctl_detach(d->ctl);
		d->ctl = NULL;
		rc = -ENOENT;
	}
	if (rc == 0)
		rc = cfgpage_attach(&d->page, d->inst.dirfd, true, e);
	if (rc == 0) {
		rc = cfgpage_read(&d->page, &d->cfg, &epoch);
		if (rc < 0)
			err_set(e, rc,
			    "the config page of the running "
			    "instance is not readable");
	}
	if (rc == 0)
		rc = adopt_lives(d, e);
	if (rc < 0)
		instance_close(&d->inst);
	return rc;
}

static int
create(struct supd *d, struct err *e)
{
	uint64_t run_id = clock_wall_ns();
	uint64_t lived;
	int rc = lives_load(d->state_dir, &lived, e);

	if (rc == 0)
		rc = instance_create(&d->inst, d->opts->instance, run_id, e);
	if (rc < 0)
		return rc;
	d->created = true;
	d->cfg = d->load->cfg;
	/* One directory for all stages, whatever their environment. */
	snprintf(d->cfg.system_state_dir.s, sizeof(d->cfg.system_state_dir.s),
	    "%s", d->state_dir);
	rc = ctl_attach(&d->ctl, d->inst.dirfd, true, e);
	for (int i = 0; rc == 0 && i < ST_N; i++)
		atomic_store(&d->ctl->stage[i].own.epoch, lived);
	d->life_max = lived;
	if (rc == 0)
		rc =
		    cfgpage_create(&d->page, d->inst.dirfd, run_id, &d->cfg, e);
	return rc;
}

static int
open_latch(struct supd *d, struct err *e)
{
	uint64_t held =
	    atomic_load(&d->ctl->freeze[FW_SUPERVISOR].mask) & FREEZE_LATCHED;
	char names[128];

	if (latch_load(d->state_dir, &d->latch, e) < 0)
		LOG(LOG_STAGE_FAILED, F_STR("what", e->text));
	if (d->latch.mask == 0 && held == 0)
		return 0;
	if ((held & ~d->latch.mask) != 0 && d->latch.mask == 0)
		latch_why(&d->latch, "frozen while no supervisor was there");
	d->latch.mask |= held;
	ctl_freeze_set(
	    d->ctl, FW_SUPERVISOR, d->latch.mask, true, clock_mono_ns());
	LOG(LOG_LATCH_LOADED,
	    F_STR("reason", freeze_format(d->latch.mask, names, 128)),
	    F_U64("since_wall_ns", d->latch.since_wall_ns),
	    F_STR("cause", d->latch.why));
	return latch_save(d->state_dir, &d->latch, e);
}

int
daemon_lock(const char *state_dir, const char *instance, struct err *e)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/supervisor.lock", state_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(
		    e, -errno, "cannot open %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	close(fd);
	return err_set(e, -EBUSY,
	    "another supervisor runs instance %s (it holds %s)", instance,
	    path);
}

static int
open_loop(struct supd *d, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	d->ep = epoll_create1(EPOLL_CLOEXEC);
	d->sig_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (d->ep < 0 || d->sig_fd < 0)
		return err_set(e, -errno, "epoll: %s", strerror(errno));
	watch(d, d->sig_fd, SUP_EP_SIGNAL);
	return 0;
}

static int
open_all(struct supd *d, struct err *e)
{
	struct ctl *c;
	int rc;

	if (opts_state_dir(
		d->opts, &d->load->cfg, d->state_dir, sizeof(d->state_dir)) < 0)
		return err_set(e, -ENOENT,
		    "no state directory: set system.state_dir, or HOME");
	if (spawn_bin_dir(d->bin_dir, sizeof(d->bin_dir)) < 0)
		return err_set(e, -ENOENT, "cannot find the stages' programs");
	rc = state_dir_make(d->state_dir, e);
	if (rc < 0)
		return rc;
	d->lock_fd = daemon_lock(d->state_dir, d->opts->instance, e);
	if (d->lock_fd < 0)
		return d->lock_fd;
	rc = open_loop(d, e);
	if (rc < 0)
		return rc;
	rc = adopt(d, e);
	if (rc == -ENOENT)
		rc = create(d, e);
	if (rc < 0)
		return rc;
	c = d->ctl;
	d->now_ns = clock_mono_ns();
	daemon_limits(d);
	log_level((enum cfg_log_level)d->cfg.log_level);
	atomic_store(&c->sup.stopping, 0);
	atomic_store(&c->sup.start_ns, d->now_ns);
	atomic_store(&c->sup.heartbeat_ns, d->now_ns);
	atomic_store(&c->sup.pid, (uint64_t)getpid());
	rc = open_latch(d, e);
	if (rc < 0)
		return rc;
	d->listen_fd = control_listen(&d->inst, e);
	if (d->listen_fd < 0)
		return d->listen_fd;
	watch(d, d->listen_fd, SUP_EP_LISTEN);
	return 0;
}

static int
finish(struct supd *d)
{
	struct err e;
	int code;
	json_t *sum = command_summary(d, &code);

	if (d->keep) {
		atomic_store(&d->ctl->sup.pid, 0);
		unlinkat(d->inst.dirfd, CONTROL_NAME, 0);
	} else if (instance_remove(&d->inst, &e) < 0) {
		LOG(LOG_STAGE_FAILED, F_STR("what", e.text));
		code = SUP_SOFTWARE;
	}
	LOG(LOG_STAGE_STOP, F_STR("reason", "done"), F_I64("code", code));
	/* Whoever hears that we are done may start at once. */
	close(d->lock_fd);
	d->lock_fd = -1;
	for (int i = 0; i < SUP_CONNS; i++) {
		struct sup_conn *c = &d->conn[i];

		if (c->fd >= 0 && c->wait == SUP_WAIT_END)
			control_answer(d, c, json_incref(sum));
		else
			control_drop(d, c);
	}
	if (d->opts->foreground)
		fprintf(stderr, "%s\n",
		    json_string_value(json_object_get(sum, "text")));
	json_decref(sum);
	ctl_detach(d->ctl);
	cfgpage_detach(&d->page);
	return code;
}

static int
refuse(struct supd *d, const struct err *e)
{
	int code =
	    e->code == -EBUSY ? SUP_RETRY
	    : e->code == -EPERM || e->code == -EACCES || e->code == -EROFS
		? SUP_NO_PERM
		: SUP_PERMANENT;

	struct err ignored;

	LOG(LOG_STAGE_FAILED, F_STR("what", e->text), F_I64("code", code));
	if (d->created)
		instance_remove(&d->inst, &ignored);
	if (d->starter.fd >= 0)
		control_answer(d, &d->starter,
		    json_pack("{s:i,s:s}", "code", code, "text", e->text));
	else
		fprintf(stderr, "supervisor: %s\n", e->text);
	return code;
}

int
daemon_run(const struct sup_opts *o, struct cfg_load *load, uint32_t first,
    int report_fd)
{
	struct supd *d = calloc(1, sizeof(*d));
	struct err e;
	int code;

	CHECK(d != NULL);
	d->opts = o;
	d->load = load;
	d->starter.fd = report_fd;
	d->listen_fd = -1;
	for (int i = 0; i < SUP_CONNS; i++)
		d->conn[i].fd = -1;
	for (int i = 0; i < ST_N; i++)
		d->child[i].pidfd = -1;
	supervise_init(&d->core);
	log_open("supervisor", STDERR_FILENO, load->cfg.log_level);
	LOG(LOG_STAGE_START, F_U64("pid", (uint64_t)getpid()),
	    F_STR("instance", o->instance));
	code = envkey_lock();
	if (code < 0)
		LOG(LOG_STAGE_FAILED, F_STR("what", "mlock of the keys"),
		    F_I64("errno", -code));
	if (open_all(d, &e) < 0) {
		code = refuse(d, &e);
		free(d);
		return code;
	}
	adopt_stages(d);
	daemon_ask(d, first, SUP_EV_START);
	if (d->starter.fd >= 0) {
		d->starter.wait = SUP_WAIT_UP;
		d->starter.mask = first;
		d->starter.until_ns = d->now_ns + d->limits.ready_timeout_ns;
	}
	loop(d);
	code = finish(d);
	free(d);
	return code;
}
