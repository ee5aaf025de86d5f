#define _GNU_SOURCE
#include "supervisor/sweep_io.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libsys/log.h"
#include "supervisor/spawn_io.h"

uint32_t
sweep_mask(const struct cfg *c)
{
	uint32_t mask = 0;

	if (c->system_mode != MODE_SIM && c->system_mode != MODE_LIVE)
		return 0;
	for (int i = 0; i < ST_N; i++)
		if (strcmp(topo_stages[i].program, "execd") == 0 &&
		    cfg_trades(c, (enum venue)topo_stages[i].venue))
			mask |= UINT32_C(1) << i;
	return mask;
}

void
sweep_begin(struct supd *d, enum stage_id id)
{
	struct spawn_args a = {.bin_dir = d->bin_dir,
	    .instance = d->inst.name,
	    .id = id,
	    .log_fd = -1,
	    .sweep = true};
	struct sup_child *ch = &d->child[id];
	struct ctl_stage *st = &d->ctl->stage[id];
	struct epoll_event ev = {
	    .events = EPOLLIN, .data.u64 = SUP_EP_CHILD + id};
	struct err e;

	CHECK(ch->pidfd < 0);
	LOG(LOG_SWEEP_BEGIN, F_STR("of", topo_stages[id].name));
	if (!d->opts->foreground)
		a.log_fd =
		    spawn_log_open(d->state_dir, topo_stages[id].name, &e);
	ch->adopted = false;
	atomic_store(&st->sup.sweep_ns, d->now_ns);
	atomic_store(&st->sup.sweep, CTL_SWEEP_RUNS);
	if (spawn_stage(&a, &ch->pid, &ch->pidfd, &e) < 0) {
		LOG(LOG_STAGE_FAILED, F_STR("what", e.text),
		    F_STR("of", topo_stages[id].name));
		ch->pidfd = -1;
		ch->failed = true;
	} else {
		CHECK(epoll_ctl(d->ep, EPOLL_CTL_ADD, ch->pidfd, &ev) == 0);
	}
	if (a.log_fd >= 0)
		close(a.log_fd);
}

static void
log_end(enum stage_id id, uint32_t status, uint64_t took_ns)
{
	if (status == 0)
		LOG(LOG_SWEEP_FLAT, F_STR("of", topo_stages[id].name),
		    F_U64("took_ms", took_ns / 1000000));
	else
		LOG(LOG_SWEEP_FAILED, F_STR("of", topo_stages[id].name),
		    F_U64("signal", status & 0x7f),
		    F_U64("exit_code", status >> 8 & 0xff),
		    F_U64("took_ms", took_ns / 1000000));
}

void
sweep_ended(struct supd *d, enum stage_id id, uint32_t status)
{
	struct ctl_stage *st = &d->ctl->stage[id];
	struct sup_exit x = {.status = status};
	struct sup_out out = {0};

	if (d->child[id].pidfd >= 0)
		close(d->child[id].pidfd);
	d->child[id].pidfd = -1;
	log_end(id, status, d->now_ns - atomic_load(&st->sup.sweep_ns));
	atomic_store(&st->sup.sweep_ns, d->now_ns);
	atomic_store(
	    &st->sup.sweep, status == 0 ? CTL_SWEEP_FLAT : CTL_SWEEP_FAILED);
	supervise_exit(&d->core, &d->limits, id, &x, d->now_ns, &out);
	daemon_apply(d, &out);
	if (!supervise_alive(d->core.stage[id].state))
		atomic_store(
		    &st->sup.next_start_ns, d->core.stage[id].deadline_ns);
}

uint32_t
sweep_owed(const struct supd *d)
{
	uint32_t mask = 0;

	for (int i = 0; i < ST_N; i++)
		if (d->core.stage[i].owes &&
		    !supervise_alive(d->core.stage[i].state))
			mask |= UINT32_C(1) << i;
	return mask;
}

/* One sweep, waited for; its wait status. */
static uint32_t
run_one(const struct spawn_args *a, uint64_t limit_ns)
{
	struct pollfd p = {.events = POLLIN};
	uint32_t status = 1u << 8;
	struct err e;
	pid_t pid;

	if (spawn_stage(a, &pid, &p.fd, &e) < 0)
		return status;
	if (poll(&p, 1, (int)(limit_ns / 1000000)) != 1)
		spawn_signal(p.fd, SIGKILL);
	poll(&p, 1, -1);
	spawn_status(p.fd, &status);
	close(p.fd);
	return status;
}

uint32_t
sweep_left(const char *instance, const struct cfg *c)
{
	uint32_t mask = sweep_mask(c);
	uint32_t left = 0;
	char bin[512];
	struct err e;

	if (mask == 0)
		return 0;
	if (spawn_bin_dir(bin, sizeof(bin)) < 0)
		return mask;
	for (int i = 0; i < ST_N; i++) {
		struct spawn_args a = {.bin_dir = bin,
		    .instance = instance,
		    .id = (enum stage_id)i,
		    .sweep = true};
		uint32_t status;

		if ((mask >> i & 1) == 0)
			continue;
		a.log_fd = spawn_log_open(
		    c->system_state_dir.s, topo_stages[i].name, &e);
		status = run_one(&a, (uint64_t)c->supervisor_sweep_timeout.ns);
		if (a.log_fd >= 0)
			close(a.log_fd);
		left |= status != 0 ? UINT32_C(1) << i : 0;
	}
	return left;
}

const char *
sweep_name(uint64_t sweep)
{
	static const char *const name[CTL_SWEEP_N] = {
	    "-", "sweeping", "flat", "FAILED"};

	return sweep < CTL_SWEEP_N ? name[sweep] : "?";
}
