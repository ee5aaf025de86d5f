/*
 * bench_pair.h - two pinned sides that run work together: this process on
 * core 0 and a peer on core 1, a process (0) or a thread (1). Between orders
 * the peer sleeps; meet() makes sure that none of the waking is measured.
 */
#ifndef TESTS_BENCH_BENCH_PAIR_H
#define TESTS_BENCH_BENCH_PAIR_H

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libshm/cpu.h"

struct line {
	_Alignas(128) _Atomic uint64_t v;
};

struct pair {
	_Atomic uint32_t cmd[2];
	_Atomic uint32_t done[2];
	void (*volatile fn)(void);
	struct line ping;
	struct line pong;
};

static struct pair *pair;

_Noreturn static inline void
die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static inline void
pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		fprintf(stderr, "# not pinned to cpu %d\n", cpu);
}

static inline void
peer_loop(unsigned k)
{
	uint32_t seen = 0;

	for (;;) {
		while (atomic_load(&pair->cmd[k]) == seen)
			syscall(SYS_futex, &pair->cmd[k], FUTEX_WAIT, seen, 0,
			    0, 0);
		seen++;
		pair->fn();
		atomic_store(&pair->done[k], seen);
	}
}

static inline void *
peer_thread(void *arg)
{
	(void)arg;
	pin(1);
	peer_loop(1);
	return 0;
}

/* Run theirs on the peer and ours here; the peer is up before we begin. */
static inline void
peer_order(unsigned k, void (*theirs)(void))
{
	pair->fn = theirs;
	atomic_fetch_add(&pair->cmd[k], 1);
	syscall(SYS_futex, &pair->cmd[k], FUTEX_WAKE, 1, 0, 0, 0);
}

static inline void
peer_wait(unsigned k)
{
	while (atomic_load(&pair->done[k]) != atomic_load(&pair->cmd[k]))
		cpu_pause();
}

/* Both sides meet, so that no time is spent on waking the peer. */
static inline void
meet(bool first)
{
	if (first) {
		atomic_store(&pair->ping.v, UINT64_MAX);
		while (atomic_load(&pair->pong.v) != UINT64_MAX)
			;
		atomic_store(&pair->ping.v, 0);
		while (atomic_load(&pair->pong.v) != 0)
			;
		return;
	}
	while (atomic_load(&pair->ping.v) != UINT64_MAX)
		;
	atomic_store(&pair->pong.v, UINT64_MAX);
	while (atomic_load(&pair->ping.v) != 0)
		;
	atomic_store(&pair->pong.v, 0);
}

/* bench_mem - memory that both sides see, zeroed. */
static inline void *
bench_mem(size_t n)
{
	void *p = mmap(0, n, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		die("memory");
	return p;
}

/* pair_start - begin() runs on the peer process once, before any order. */
static inline void
pair_start(void (*begin)(void))
{
	pid_t pid;

	pair = bench_mem(sizeof(*pair));
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pin(1);
		begin();
		peer_loop(0);
	}
	pin(0);
}

#endif
