/*
 * ring.h - single-producer single-consumer ring of fixed slots in a file.
 *
 * A slot's first word is its sequence (index + 1, never reused), written
 * last with release order; 0 marks a slot that is being written. The reader
 * polls that word, so one message moves one cache line, a half-written slot
 * is never visible, and observers can tell when they were overrun. Old
 * slots stay readable: the ring is the flight recorder of its last `depth`
 * messages, dead or alive.
 *
 * Roles   : an open-file-description lock on the file (byte 0 producer,
 *           byte 1 consumer). The kernel frees it at any death; a second
 *           holder gets -EBUSY. Observers take none.
 * Crashes : consumer - its committed cursor is in the file, what was not
 *           committed comes again (flagged by ring_redelivered). Producer - a
 * new one continues after the last published slot, clears leftovers above it,
 * and must publish a RESTART slot first. Nobody has to stop. Cost    : no
 * system call and no fence while both sides are awake. docs/ring-protocol.md
 * has the proofs and the figures.
 */
#ifndef LIBSHM_RING_H
#define LIBSHM_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "libshm/bell.h"
#include "libshm/cpu.h"
#include "libshm/err.h"
#include "libshm/instance.h"
#include "libshm/topo.h"

enum ring_role {
	RING_PRODUCER = 1,
	RING_CONSUMER = 2,
	RING_OBSERVER = 3,
	RING_ROLE_N
};

/* The file: header lines of 128 bytes, then the slots. Each line has one
 * writer. */
struct ring_shm {
	struct shm_hdr hdr;
	struct { /* constant */
		uint32_t slot_sz;
		uint32_t depth;
		uint8_t writer; /* enum stage_id                          */
		uint8_t reader;
		uint8_t full; /* enum ring_full                           */
		uint8_t content;
		uint32_t pad;
		_Atomic uint64_t generation;
		uint8_t pad2[104];
	} fix;
	struct { /* producer */
		_Atomic uint64_t pid;
		_Atomic uint64_t epoch;	      /* attaches so far             */
		_Atomic uint64_t hint;	      /* published, updated lazily   */
		_Atomic uint64_t full_n;      /* times it found no room      */
		_Atomic uint64_t dropped;     /* messages given up           */
		_Atomic uint64_t last_ns;     /* stamp of slot hint - 1      */
		_Atomic uint64_t resync_done; /* snapshot requests answered */
		uint8_t pad[72];
	} prod;
	struct { /* consumer */
		_Atomic uint64_t pid;
		_Atomic uint64_t epoch;
		_Atomic uint64_t cursor; /* committed: all below are done */
		_Atomic uint64_t hint;	 /* none at or above was taken    */
		_Atomic uint64_t redelivered;
		_Atomic uint64_t gaps;
		_Atomic uint64_t last_ns; /* stamp of slot cursor - 1     */
		_Atomic uint64_t resync;  /* snapshot requests made        */
		uint8_t pad[64];
	} cons;
};

/* Handle, private to the process. Fields are for the inline functions. */
struct ring {
	unsigned char *slots;
	uint64_t mask;
	uint64_t next;	    /* index of the next slot to write or to read     */
	uint64_t limit;	    /* producer: next may advance to here             */
	uint64_t turn;	    /* consumer: next look at cursor, hint and slip   */
	uint64_t dry;	    /* consumer: last empty look, or slip            */
	uint64_t hint_mask; /* producer: hint is due when next has none of it */
	uint32_t shift;	    /* log2 slot_sz                                   */
	uint32_t ahead;	    /* producer: slots to fetch ahead                 */
	struct bell_ref bell; /* producer: whom to wake                   */
	struct ring_shm *shm;
	uint64_t commit;    /* consumer: cursor as last stored            */
	uint64_t redeliver; /* consumer: below this may be repeats        */
	uint32_t lazy;	    /* consumer: commit at least every so many    */
	enum ring_role role;
	struct shm_map map;
	const struct ring_def *def;
};

/* Values of lazy. A consumer whose state has commits of its own (store.h)
 * sets r->lazy = RING_LAZY_MANUAL after attach: then only ring_commit moves
 * the cursor, which must not run ahead of that state. */
#define RING_LAZY_MD	 64u /* ticks and taps: at most this many repeats */
#define RING_LAZY_MSG	 1u  /* orders and reports                        */
#define RING_LAZY_MANUAL UINT32_MAX

#define RING_TURN 64u /* slots between two looks at the wider picture    */

/* ring_create - make the file. Needs a power-of-two depth, slot_sz 64 or
 * 128 (CHECK). -ENOSPC, -EEXIST, -EROFS ... */
int ring_create(
    int dirfd, const struct ring_def *def, uint64_t run_id, struct err *e);

/*
 * ring_attach - take a role (or observe). Producer: finds its place and
 * scrubs what was half-written; the caller sets r->bell and publishes a
 * RESTART slot. Consumer: begins at the committed cursor; r->lazy comes from
 * the slots' kind (see above).
 * -EBUSY another process holds the role; else the codes of shm_attach.
 */
int ring_attach(struct ring *r, int dirfd, const struct ring_def *def,
    enum ring_role role, struct err *e);
void ring_detach(struct ring *r);

/* Parts of the inline functions. */
bool ring_refill(struct ring *r);
void ring_hint(struct ring *r);
void ring_turn(struct ring *r);

static inline void *
ring_slot(const struct ring *r, uint64_t index)
{
	return r->slots + ((index & r->mask) << r->shift);
}

/* The sequence word of a slot. */
static inline _Atomic uint64_t *
ring_seq(const struct ring *r, uint64_t index)
{
	return ring_slot(r, index);
}

/* Take slot `index` into work: fetch a later one for writing, so that its
 * line is ours when we come to it, and mark this one unfinished. */
static inline void *
ring_begin(const struct ring *r, uint64_t index)
{
	const char *later = ring_slot(r, index + r->ahead);

	cpu_prefetchw(later);
	cpu_prefetchw(later + 64); /* a big slot's second line */
	atomic_store_explicit(ring_seq(r, index), 0, memory_order_relaxed);
	cpu_fence_release(); /* the mark before the contents, for observers */
	return ring_slot(r, index);
}

/*
 * ring_claim - room for one slot, or NULL when the ring is full (counted in
 * prod.full_n). The memory holds an old slot: write every byte but `seq`.
 * Claiming again before publishing returns the same slot.
 * ring_publish - make the claimed slot visible, wake a sleeper.
 */
static inline void *
ring_claim(struct ring *r)
{
	if (__builtin_expect(r->next >= r->limit, 0) && !ring_refill(r))
		return 0;
	return ring_begin(r, r->next);
}

static inline void
ring_publish(struct ring *r)
{
	uint64_t next = r->next + 1;

	atomic_store_explicit(ring_seq(r, r->next), next, memory_order_release);
	r->next = next;
	if (__builtin_expect((next & r->hint_mask) == 0, 0))
		ring_hint(r);
	bell_check(&r->bell);
}

/*
 * ring_room - how many slots can be claimed now, up to want.
 * ring_slot_at - slot k of the room (0-based), to be filled.
 * ring_publish_n - make the first n of them visible: the sequence words go
 * from last to first, so the reader sees all or none.
 */
uint32_t ring_room(struct ring *r, uint32_t want);
void ring_publish_n(struct ring *r, uint32_t n);

static inline void *
ring_slot_at(struct ring *r, uint32_t k)
{
	return ring_begin(r, r->next + k);
}

/* ring_push - claim, copy slot_sz bytes (seq ignored), publish. False: full.
 * The caller counts or repairs per ring_full policy. */
bool ring_push(struct ring *r, const void *slot);

/* ring_used - published and not yet committed by the reader, about. */
uint64_t ring_used(const struct ring *r);

/*
 * ring_peek - the next slot, in place, or NULL. Valid until ring_release.
 * ring_release - done with it: local, committed every r->lazy slots.
 * ring_commit - store the cursor now (also before going to sleep).
 * ring_skip - everything below index is done, too: for a consumer whose own
 * state was committed further than the cursor. Beyond the published: there.
 */
static inline const void *
ring_peek(struct ring *r)
{
	if (__builtin_expect(atomic_load_explicit(ring_seq(r, r->next),
				 memory_order_acquire) == r->next + 1,
		1))
		return ring_slot(r, r->next);
	r->dry = r->next;
	return 0;
}

static inline void
ring_release(struct ring *r)
{
	r->next++;
	if (r->next >= r->turn)
		ring_turn(r);
}

void ring_commit(struct ring *r);
void ring_skip(struct ring *r, uint64_t index);

/* ring_redelivered - may the slot at hand be one seen in an earlier life? */
bool ring_redelivered(const struct ring *r);

/* ring_resync_ask - consumer: ask the producer for a fresh snapshot.
 * ring_resync_asked - producer: true once for each request since the last
 * call; then publish the snapshot with SLOT_REPLAY. */
void ring_resync_ask(struct ring *r);
bool ring_resync_asked(struct ring *r);

/* ring_count_dropped - producer: n messages were given up.
 * ring_count_gap - consumer: a gap was declared to us. For stat. */
void ring_count_dropped(struct ring *r, uint64_t n);
void ring_count_gap(struct ring *r);

enum ring_tap {
	RING_TAP_OK = 1,
	RING_TAP_EMPTY = 2,
	RING_TAP_OVERRUN = 3, /* *lost slots went by; r->next moved on    */
	RING_TAP_N
};

/* ring_tap_seek - observer: start `back` slots before the newest (at most
 * depth). ring_tap_next - copy the next slot (slot_sz bytes) out, checked. */
void ring_tap_seek(struct ring *r, uint64_t back);
enum ring_tap ring_tap_next(struct ring *r, void *copy, uint64_t *lost);

/* Who holds a role, and how the ring stands, for shmtop and the supervisor. */
struct ring_stat {
	uint64_t published;
	uint64_t committed;
	uint64_t depth;
	uint64_t full_n;
	uint64_t dropped;
	uint64_t redelivered;
	uint64_t gaps;
	uint64_t prod_epoch;
	uint64_t cons_epoch;
	uint64_t last_ns;
	bool prod_held;
	bool cons_held;
};
void ring_stat(const struct ring *r, struct ring_stat *out);

#endif
