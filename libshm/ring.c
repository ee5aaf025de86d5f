#define _GNU_SOURCE
#include "libshm/ring.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "libshm/slots.h"

#define BYTE_PRODUCER 0u
#define BYTE_CONSUMER 1u

#define DEPTH_MIN 8u

/* Bytes fetched ahead of the producer, by slot size: measured optimum. */
#define AHEAD_64  256u
#define AHEAD_128 2048u

/* The consumer of a full stream keeps this far behind the producer, waiting
 * for at most so many double pauses: it would otherwise run into the line
 * that is being written and the two would move in lock-step. */
#define SLIP_SLOTS 64u
#define SLIP_TRIES 16

#define LOOK_TRIES 4

_Static_assert(sizeof(struct ring_shm) == 512, "four line pairs");
_Static_assert(offsetof(struct ring_shm, prod) == 256, "producer's line");
_Static_assert(offsetof(struct ring_shm, cons) == 384, "consumer's line");

static inline uint64_t
get(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

static inline void
put(_Atomic uint64_t *v, uint64_t x)
{
	atomic_store_explicit(v, x, memory_order_relaxed);
}

static struct shm_spec
ring_spec(char *name, size_t n, const struct ring_def *def)
{
	uint64_t h = hash_u64(slot_layout_hash(), sizeof(struct ring_shm));

	CHECK(strlen(def->name) + sizeof("ring.") <= n);
	snprintf(name, n, "ring.%s", def->name);
	return (struct shm_spec){.name = name,
	    .kind = SHM_RING,
	    .layout = h,
	    .size = sizeof(struct ring_shm) + (size_t)def->slot_sz * def->depth,
	    .writable = true};
}

int
ring_create(
    int dirfd, const struct ring_def *def, uint64_t run_id, struct err *e)
{
	char name[32];
	struct shm_spec spec = ring_spec(name, sizeof(name), def);
	struct shm_map m;
	struct ring_shm *shm;
	int rc;

	CHECK(def->slot_sz == 64 || def->slot_sz == 128);
	CHECK(def->depth >= DEPTH_MIN);
	CHECK((def->depth & (def->depth - 1)) == 0);
	spec.run_id = run_id;
	rc = shm_create(&m, dirfd, &spec, e);
	if (rc < 0)
		return rc;
	shm = m.base;
	shm->fix.slot_sz = def->slot_sz;
	shm->fix.depth = def->depth;
	shm->fix.writer = def->writer;
	shm->fix.reader = def->reader;
	shm->fix.full = def->full;
	shm->fix.content = def->content;
	put(&shm->fix.generation, 1);
	rc = shm_finish(&m, dirfd, &spec, e);
	if (rc == 0)
		shm_unmap(&m);
	return rc;
}

static int
check_fixed(
    const struct ring_shm *shm, const struct ring_def *def, struct err *e)
{
	if (shm->fix.slot_sz != def->slot_sz || shm->fix.depth != def->depth)
		return err_set(e, -EPROTO,
		    "ring %s has %u slots of %u bytes, expected %u of %u: "
		    "restart all stages with one build",
		    def->name, shm->fix.depth, shm->fix.slot_sz, def->depth,
		    def->slot_sz);
	if (shm->fix.writer != def->writer || shm->fix.reader != def->reader)
		return err_set(e, -EPROTO,
		    "ring %s goes from stage %u to %u, expected %u to %u: "
		    "restart all stages with one build",
		    def->name, shm->fix.writer, shm->fix.reader, def->writer,
		    def->reader);
	return 0;
}

/*
 * The producer's place: walk from the committed cursor while slots carry
 * their sequence. The consumer may move the cursor meanwhile; what lies
 * between is intact, for nobody else writes slots.
 */
static void
recover_producer(struct ring *r)
{
	uint64_t cursor =
	    atomic_load_explicit(&r->shm->cons.cursor, memory_order_acquire);
	uint64_t i = cursor;

	while (i - cursor <= r->mask && get(ring_seq(r, i)) == i + 1)
		i++;
	r->next = i;
	r->limit = cursor + r->mask + 1;
	/* The tail of a batch whose first slots were never finished must not
	 * come to life when the sequence arrives there again. */
	for (uint64_t k = 0; k <= r->mask; k++)
		if (get(ring_seq(r, k)) > i)
			put(ring_seq(r, k), 0);
	put(&r->shm->prod.hint, i);
	put(&r->shm->prod.pid, (uint64_t)getpid());
	atomic_store_explicit(&r->shm->prod.epoch, get(&r->shm->prod.epoch) + 1,
	    memory_order_release);
}

/* How far the ring is surely published, from index i on. */
static uint64_t
walk(const struct ring *r, uint64_t i)
{
	for (uint64_t n = 0; n <= 2 * (r->mask + 1); n++) {
		uint64_t seq =
		    atomic_load_explicit(ring_seq(r, i), memory_order_acquire);

		if (seq != i + 1)
			break;
		i++;
	}
	return i;
}

/* How many slots may be taken between two looks at the hint. */
static uint64_t
window(const struct ring *r)
{
	return r->lazy < RING_TURN ? r->lazy : RING_TURN;
}

static void
recover_consumer(struct ring *r)
{
	uint64_t cursor = get(&r->shm->cons.cursor);
	uint64_t end = walk(r, cursor);

	r->next = cursor;
	r->commit = cursor;
	r->dry = cursor;
	r->redeliver = get(&r->shm->cons.hint);
	if (r->redeliver > end)
		r->redeliver = end;
	if (r->redeliver > cursor)
		put(&r->shm->cons.redelivered,
		    get(&r->shm->cons.redelivered) + r->redeliver - cursor);
	r->lazy = r->def->content == RING_MSG && r->def->full != RING_FULL_TAP
		      ? RING_LAZY_MSG
		      : RING_LAZY_MD;
	/* A cursor held back must never fill a small ring. */
	if (r->lazy > (r->mask + 1) / 4)
		r->lazy = (uint32_t)((r->mask + 1) / 4);
	r->turn = cursor + window(r);
	put(&r->shm->cons.pid, (uint64_t)getpid());
	atomic_store_explicit(&r->shm->cons.epoch, get(&r->shm->cons.epoch) + 1,
	    memory_order_release);
	if (get(&r->shm->cons.hint) < r->turn)
		put(&r->shm->cons.hint, r->turn);
}

static int
take_role(struct ring *r, enum ring_role role, struct err *e)
{
	bool producer = role == RING_PRODUCER;
	int rc = shm_lock(&r->map, producer ? BYTE_PRODUCER : BYTE_CONSUMER);

	if (rc == -EBUSY)
		return err_set(e, rc,
		    "ring %s has a living %s already (pid %" PRIu64 ")",
		    r->def->name, producer ? "producer" : "consumer",
		    get(producer ? &r->shm->prod.pid : &r->shm->cons.pid));
	if (rc < 0)
		return err_set(e, rc, "cannot lock ring %s: %s", r->def->name,
		    strerror(-rc));
	return 0;
}

int
ring_attach(struct ring *r, int dirfd, const struct ring_def *def,
    enum ring_role role, struct err *e)
{
	char name[32];
	struct shm_spec spec = ring_spec(name, sizeof(name), def);
	int rc;

	CHECK(role > 0);
	CHECK(role < RING_ROLE_N);
	memset(r, 0, sizeof(*r));
	spec.writable = role != RING_OBSERVER;
	spec.size = 0;
	rc = shm_attach(&r->map, dirfd, &spec, e);
	if (rc < 0)
		return rc;
	r->shm = r->map.base;
	r->def = def;
	r->role = role;
	rc = check_fixed(r->shm, def, e);
	if (rc == 0 && r->map.size != ring_spec(name, sizeof(name), def).size)
		rc = err_set(e, -EMSGSIZE,
		    "ring %s: its size does not fit its slots", def->name);
	if (rc == 0 && role != RING_OBSERVER)
		rc = take_role(r, role, e);
	if (rc < 0) {
		ring_detach(r);
		return rc;
	}
	r->slots = (unsigned char *)r->shm + sizeof(struct ring_shm);
	r->mask = def->depth - 1;
	r->shift = def->slot_sz == 64 ? 6 : 7;
	r->ahead = (def->slot_sz == 64 ? AHEAD_64 : AHEAD_128) / def->slot_sz;
	r->hint_mask =
	    (def->depth < 4 * RING_TURN ? def->depth / 4 : RING_TURN) - 1;
	r->bell.fifo_fd = -1;
	if (role == RING_PRODUCER)
		recover_producer(r);
	else if (role == RING_CONSUMER)
		recover_consumer(r);
	return 0;
}

void
ring_detach(struct ring *r)
{
	if (r->slots != 0 && r->role == RING_PRODUCER)
		ring_hint(r);
	if (r->slots != 0 && r->role == RING_CONSUMER &&
	    r->lazy != RING_LAZY_MANUAL)
		ring_commit(r);
	shm_unmap(&r->map);
	memset(r, 0, sizeof(*r));
}

/* When the slot before `index` was published, by its own stamps. */
static uint64_t
stamp_below(const struct ring *r, uint64_t index)
{
	const struct slot_hdr *h;

	if (index == 0)
		return 0;
	h = ring_slot(r, index - 1);
	return h->recv_ns + h->pub_delta;
}

bool
ring_refill(struct ring *r)
{
	uint64_t cursor =
	    atomic_load_explicit(&r->shm->cons.cursor, memory_order_acquire);

	r->limit = cursor + r->mask + 1;
	if (r->next < r->limit)
		return true;
	put(&r->shm->prod.full_n, get(&r->shm->prod.full_n) + 1);
	return false;
}

void
ring_hint(struct ring *r)
{
	put(&r->shm->prod.hint, r->next);
	put(&r->shm->prod.last_ns, stamp_below(r, r->next));
}

uint32_t
ring_room(struct ring *r, uint32_t want)
{
	uint64_t left = r->limit - r->next;

	if (left < want) {
		r->limit = atomic_load_explicit(
			       &r->shm->cons.cursor, memory_order_acquire) +
			   r->mask + 1;
		left = r->limit - r->next;
		if (left == 0)
			put(&r->shm->prod.full_n,
			    get(&r->shm->prod.full_n) + 1);
	}
	return left < want ? (uint32_t)left : want;
}

void
ring_publish_n(struct ring *r, uint32_t n)
{
	uint64_t next = r->next + n;

	CHECK(next <= r->limit);
	for (uint64_t i = next; i > r->next; i--)
		atomic_store_explicit(
		    ring_seq(r, i - 1), i, memory_order_release);
	if (((r->next ^ next) & ~r->hint_mask) != 0) {
		r->next = next;
		ring_hint(r);
	}
	r->next = next;
	bell_check(&r->bell);
}

bool
ring_push(struct ring *r, const void *slot)
{
	_Atomic uint64_t *to = ring_claim(r);
	const unsigned char *from = slot;
	uint32_t words = r->def->slot_sz / 8;

	if (to == 0)
		return false;
	/* Word by word: the caller has just filled the slot field by field,
	 * and a load wider than those stores would wait for them to leave
	 * the store buffer. Atomic, because observers may be reading. */
	for (uint32_t w = 1; w < words; w++) {
		uint64_t x;

		memcpy(&x, from + 8 * (size_t)w, 8);
		atomic_store_explicit(&to[w], x, memory_order_release);
	}
	ring_publish(r);
	return true;
}

uint64_t
ring_used(const struct ring *r)
{
	uint64_t cursor = get(&r->shm->cons.cursor);
	uint64_t end =
	    r->role == RING_PRODUCER
		? r->next
		: walk(r, r->role == RING_CONSUMER ? r->next : cursor);

	return end > cursor ? end - cursor : 0;
}

/* Until the next look, slots below `turn` may be taken: say so first. */
static void
set_turn(struct ring *r)
{
	r->turn = r->next + window(r);
	if (get(&r->shm->cons.hint) < r->turn)
		put(&r->shm->cons.hint, r->turn);
}

void
ring_commit(struct ring *r)
{
	set_turn(r);
	if (r->commit == r->next)
		return;
	put(&r->shm->cons.last_ns, stamp_below(r, r->next));
	atomic_store_explicit(
	    &r->shm->cons.cursor, r->next, memory_order_release);
	r->commit = r->next;
}

/* In a full stream, let the producer get ahead again. */
static void
slip(const struct ring *r)
{
	uint64_t i = r->next + SLIP_SLOTS;

	if (r->mask < 2 * SLIP_SLOTS - 1)
		return;
	for (int k = 0; k < SLIP_TRIES; k++) {
		if (atomic_load_explicit(
			ring_seq(r, i), memory_order_relaxed) == i + 1)
			return;
		cpu_pause();
		cpu_pause();
	}
}

void
ring_turn(struct ring *r)
{
	if (r->next - r->commit >= r->lazy)
		ring_commit(r);
	else
		set_turn(r);
	if (r->next - r->dry >= RING_TURN) {
		slip(r);
		r->dry = r->next;
	}
}

void
ring_skip(struct ring *r, uint64_t index)
{
	uint64_t end = walk(r, r->next);

	CHECK(r->role == RING_CONSUMER);
	if (index > end)
		index = end;
	if (index <= r->next)
		return;
	r->next = index;
	ring_commit(r);
}

bool
ring_redelivered(const struct ring *r)
{
	return r->next < r->redeliver;
}

void
ring_resync_ask(struct ring *r)
{
	put(&r->shm->cons.resync, get(&r->shm->cons.resync) + 1);
}

bool
ring_resync_asked(struct ring *r)
{
	uint64_t asked = get(&r->shm->cons.resync);

	if (asked == get(&r->shm->prod.resync_done))
		return false;
	put(&r->shm->prod.resync_done, asked);
	return true;
}

void
ring_count_dropped(struct ring *r, uint64_t n)
{
	put(&r->shm->prod.dropped, get(&r->shm->prod.dropped) + n);
}

void
ring_count_gap(struct ring *r)
{
	put(&r->shm->cons.gaps, get(&r->shm->cons.gaps) + 1);
}

/* Everything below is published, for whoever only looks. The walk starts
 * again when the producer went round the ring under it. */
static uint64_t
published(const struct ring *r)
{
	uint64_t end = 0;

	for (int try = 0; try < LOOK_TRIES; try++) {
		uint64_t hint = get(&r->shm->prod.hint);
		uint64_t cursor = get(&r->shm->cons.cursor);

		end = walk(r, hint > cursor ? hint : cursor);
		if (get(&r->shm->prod.hint) <= end)
			break;
	}
	return end;
}

void
ring_tap_seek(struct ring *r, uint64_t back)
{
	uint64_t end = published(r);

	if (back > r->mask + 1)
		back = r->mask + 1;
	r->next = end > back ? end - back : 0;
}

/* We were overtaken: go on at a slot that is surely published and not the
 * next to be overwritten. A number found in a slot would not do, it may
 * belong to a batch that is not published yet. */
static enum ring_tap
overrun(struct ring *r, uint64_t *lost)
{
	uint64_t depth = r->mask + 1;
	uint64_t end = published(r);
	uint64_t to = end > depth - depth / 4 ? end - (depth - depth / 4) : 0;

	if (to <= r->next)
		to = r->next + 1;
	*lost = to - r->next;
	r->next = to;
	return RING_TAP_OVERRUN;
}

enum ring_tap
ring_tap_next(struct ring *r, void *copy, uint64_t *lost)
{
	const _Atomic uint64_t *from = ring_slot(r, r->next);
	uint64_t want = r->next + 1;
	uint64_t seq = atomic_load_explicit(&from[0], memory_order_acquire);
	uint32_t words = r->def->slot_sz / 8;

	*lost = 0;
	if (seq == 0 && get(&r->shm->prod.hint) >= want)
		return overrun(r, lost);
	if (seq < want)
		return RING_TAP_EMPTY;
	if (seq > want)
		return overrun(r, lost);
	memcpy(copy, &want, 8);
	/* Acquire on each word keeps the second look behind all of them. */
	for (uint32_t w = 1; w < words; w++) {
		uint64_t x =
		    atomic_load_explicit(&from[w], memory_order_acquire);

		memcpy((unsigned char *)copy + 8 * (size_t)w, &x, 8);
	}
	if (atomic_load_explicit(&from[0], memory_order_relaxed) != seq)
		return overrun(r, lost);
	r->next++;
	return RING_TAP_OK;
}

void
ring_stat(const struct ring *r, struct ring_stat *out)
{
	const struct ring_shm *s = r->shm;

	memset(out, 0, sizeof(*out));
	out->published = r->role == RING_PRODUCER ? r->next : published(r);
	out->committed = get(&s->cons.cursor);
	out->depth = r->mask + 1;
	out->full_n = get(&s->prod.full_n);
	out->dropped = get(&s->prod.dropped);
	out->redelivered = get(&s->cons.redelivered);
	out->gaps = get(&s->cons.gaps);
	out->prod_epoch = get(&s->prod.epoch);
	out->cons_epoch = get(&s->cons.epoch);
	out->last_ns = get(&s->prod.last_ns);
	out->prod_held =
	    r->role == RING_PRODUCER || shm_lock_held(r->map.fd, BYTE_PRODUCER);
	out->cons_held =
	    r->role == RING_CONSUMER || shm_lock_held(r->map.fd, BYTE_CONSUMER);
}
