/*
 * bell.h - waking a consumer that sleeps, for free while it is awake.
 *
 * One doorbell a stage, in the control page. The consumer raises `sleeping`,
 * orders that store before a last look at its rings (membarrier, paid by the
 * side that goes idle), and sleeps with a limit. A producer looks at
 * `sleeping` after publishing - a plain load, no fence, no system call - and
 * only when it is up clears it, bumps the word and wakes: by futex, or by a
 * byte into the stage's FIFO when it sleeps in a socket loop.
 * The 10 ms limit repairs a doorbell lost in a crash.
 */
#ifndef LIBSHM_BELL_H
#define LIBSHM_BELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "libshm/err.h"

#define BELL_AWAKE 0u
#define BELL_FUTEX 1u /* sleeps on the word                               */
#define BELL_FIFO  2u /* sleeps in its socket loop                        */

#define BELL_SLEEP_NS_MAX UINT64_C(10000000)

/* Shared. sleeping: raised by the consumer, cleared by whoever wakes it. */
struct bell {
	_Atomic uint32_t sleeping;
	_Atomic uint32_t word;
	_Atomic uint64_t wakes;
	uint8_t pad[112];
};
_Static_assert(sizeof(struct bell) == 128, "a bell has its own line pair");

/* A producer's handle on somebody's bell. */
struct bell_ref {
	struct bell *bell;
	int fifo_fd; /* -1: futex only                                    */
};

/* bell_register - once a process, before any sleep: membarrier
 * registration. False: not supported; sleepers then wake every 1 ms. */
bool bell_register(void);

/* bell_limit_ns - longest sleep allowed: BELL_SLEEP_NS_MAX, or 1 ms where
 * membarrier is missing. Socket loops set their timer to this. */
uint64_t bell_limit_ns(void);

/* bell_wake - the slow half of bell_check. Never blocks. */
void bell_wake(struct bell_ref *r);

/* bell_check - after publishing: wake the consumer when it sleeps. */
static inline void
bell_check(struct bell_ref *r)
{
	if (r->bell != 0 && atomic_load_explicit(&r->bell->sleeping,
				memory_order_relaxed) != BELL_AWAKE)
		bell_wake(r);
}

/*
 * bell_prepare - raise the flag; the caller then looks at its rings once
 * more and either calls bell_cancel or sleeps.
 * bell_wait    - sleep on the futex until rung, a signal, or limit_ns
 * (at most bell_limit_ns). Returns with the flag down.
 * Between bell_prepare(BELL_FIFO) and bell_cancel the consumer polls its
 * FIFO in its own loop.
 */
void bell_prepare(struct bell *b, uint32_t how);
void bell_cancel(struct bell *b);
void bell_wait(struct bell *b, uint64_t limit_ns);

/* bell_fifo_open - the FIFO of a stage, O_RDWR | O_NONBLOCK. */
int bell_fifo_open(int dirfd, const char *stage, struct err *e);
/* bell_fifo_drain - swallow what was written. */
void bell_fifo_drain(int fd);

#endif
