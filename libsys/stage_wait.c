#define _GNU_SOURCE
#include "libsys/stage_int.h"

#include <errno.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "libsys/clock.h"
#include "libsys/log.h"

#include <string.h>

#define POLL_NS 1000000 /* recorders look this often                      */

const char *
wait_policy_name(enum wait_policy w)
{
	static const char *const names[WAIT_POLICY_N] = {
	    [WAIT_AUTO] = "auto",
	    [WAIT_SPIN] = "spin",
	    [WAIT_YIELD] = "yield",
	    [WAIT_BLOCK] = "block",
	};
	return (unsigned)w < WAIT_POLICY_N && names[w] ? names[w] : "?";
}

static uint32_t
hot_stages(void)
{
	uint32_t n = 0;

	for (int i = 0; i < ST_N; i++)
		n += (topo_stages[i].flags & STAGE_HOT) != 0;
	return n;
}

/* Spinning pays only when every hot stage can own a core and one is left. */
static enum wait_policy
choose(struct stage *s, const cpu_set_t *cpus)
{
	uint32_t cores = (uint32_t)CPU_COUNT(cpus);
	uint32_t hot = hot_stages();
	enum wait_policy w = WAIT_BLOCK;

	switch ((enum cfg_wait)s->cfg.system_wait) {
	case CFG_WAIT_SPIN: w = WAIT_SPIN; break;
	case CFG_WAIT_YIELD: w = WAIT_YIELD; break;
	case CFG_WAIT_BLOCK: w = WAIT_BLOCK; break;
	case CFG_WAIT_AUTO:
	case CFG_WAIT_N: w = cores > hot ? WAIT_SPIN : WAIT_BLOCK; break;
	}
	if (!(topo_stages[s->id].flags & STAGE_HOT))
		w = WAIT_BLOCK;
	LOG(LOG_WAIT_POLICY, F_STR("wait", wait_policy_name(w)),
	    F_BOOL("auto", s->cfg.system_wait == CFG_WAIT_AUTO),
	    F_U64("cores_n", cores), F_U64("stages_n", hot));
	return w;
}

/* Blocking stages of one path wake each other 10 times faster on one core.
 * Instances spread over the cores by their name. */
static void
pin(struct stage *s, const cpu_set_t *cpus)
{
	uint32_t n = (uint32_t)CPU_COUNT(cpus);
	uint64_t h =
	    hash_bytes(HASH_SEED, s->instance.name, strlen(s->instance.name));
	uint32_t want = (uint32_t)(h % n);
	cpu_set_t one;

	CPU_ZERO(&one);
	for (uint32_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, cpus) || want-- > 0)
			continue;
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof(one), &one) == 0)
			LOG(LOG_CPU_PINNED, F_U64("cpus", cpu));
		return;
	}
}

static void
on_fifo(uv_poll_t *p, int status, int events)
{
	struct stage *s = p->data;

	(void)status;
	(void)events;
	bell_fifo_drain(s->fifo_fd);
}

static void
on_limit(uv_timer_t *t)
{
	(void)t;
}

static int
sock_open(struct stage *s)
{
	struct err e;

	s->fifo_fd =
	    bell_fifo_open(s->instance.dirfd, topo_stages[s->id].name, &e);
	if (s->fifo_fd < 0) {
		LOG(LOG_ATTACH_REFUSED, F_STR("what", e.text));
		return s->fifo_fd;
	}
	if (uv_poll_init(&s->loop, &s->fifo_poll, s->fifo_fd) < 0 ||
	    uv_timer_init(&s->loop, &s->limit_timer) < 0)
		return -EIO;
	s->fifo_poll.data = s;
	uv_poll_start(&s->fifo_poll, UV_READABLE, on_fifo);
	return 0;
}

int
stage_wait_open(struct stage *s)
{
	uint8_t flags = topo_stages[s->id].flags;
	cpu_set_t cpus;

	s->fifo_fd = -1;
	CPU_ZERO(&cpus);
	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		CPU_SET(0, &cpus);
	s->wait = choose(s, &cpus);
	if ((flags & STAGE_HOT) && s->wait == WAIT_BLOCK && s->cfg.system_pin)
		pin(s, &cpus);
	bell_register();
	atomic_store_explicit(
	    &s->me->own.wait, (uint32_t)s->wait, memory_order_relaxed);
	/* A former life may have died asleep. */
	bell_cancel(&s->me->bell);
	return (flags & STAGE_SOCK) ? sock_open(s) : 0;
}

static void
close_walk(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, 0);
}

void
stage_wait_close(struct stage *s)
{
	if (!(topo_stages[s->id].flags & STAGE_SOCK))
		return;
	/* Bounded: every handle closes within a turn of the loop. */
	for (int i = 0; i < 100 && uv_loop_close(&s->loop) == UV_EBUSY; i++) {
		uv_walk(&s->loop, close_walk, 0);
		uv_run(&s->loop, UV_RUN_NOWAIT);
	}
	if (s->fifo_fd >= 0)
		close(s->fifo_fd);
}

static bool
input_waits(struct stage *s)
{
	for (uint32_t k = 0; k < s->in_n; k++)
		if (ring_peek(&s->ring[s->in[k]]) != 0)
			return true;
	return false;
}

static uint64_t
limit_of(const struct stage *s, uint64_t now)
{
	uint64_t limit = BELL_SLEEP_NS_MAX;

	if (s->wake_ns != 0)
		limit = s->wake_ns > now ? (uint64_t)i64_min((int64_t)limit,
					       (int64_t)(s->wake_ns - now))
					 : 0;
	return limit;
}

static void
wait_sock(struct stage *s, uint64_t limit)
{
	uint64_t ms = (limit + 999999) / 1000000;

	if (s->wait != WAIT_BLOCK || ms == 0) {
		uv_run(&s->loop, UV_RUN_NOWAIT);
		return;
	}
	bell_prepare(&s->me->bell, BELL_FIFO);
	if (input_waits(s)) {
		bell_cancel(&s->me->bell);
		uv_run(&s->loop, UV_RUN_NOWAIT);
		return;
	}
	uv_update_time(&s->loop);
	uv_timer_start(&s->limit_timer, on_limit, ms, 0);
	uv_run(&s->loop, UV_RUN_ONCE);
	bell_cancel(&s->me->bell);
}

static void
wait_rings(struct stage *s, uint64_t limit)
{
	bell_prepare(&s->me->bell, BELL_FUTEX);
	if (input_waits(s) || limit == 0)
		bell_cancel(&s->me->bell);
	else
		bell_wait(&s->me->bell, limit);
}

void
stage_wait(struct stage *s)
{
	uint64_t limit = limit_of(s, clock_mono_ns());
	uint8_t flags = topo_stages[s->id].flags;

	if (flags & STAGE_SOCK) {
		wait_sock(s, limit);
		return;
	}
	if (flags & STAGE_POLL) {
		const struct timespec ts = {0, POLL_NS};

		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, 0);
		return;
	}
	if (s->wait == WAIT_SPIN)
		__asm__ volatile("" ::: "memory");
	else if (s->wait == WAIT_YIELD)
		sched_yield();
	else
		wait_rings(s, limit);
}
