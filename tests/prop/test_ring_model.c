/* links: libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "libcore/hash.h"
#include "libshm/ring.h"
#include "tests/unit/shmdir.h"

/*
 * Random sequences of operations on a ring, compared with a plain array of
 * everything ever published. A death is a handle dropped without commit or
 * detach, at any point, also between filling and publishing and (for a
 * batch) between two of its sequence words.
 */
#define STEPS	 20000u
#define PUSHED_N 200000u
#define ROUNDS	 6u

struct world {
	struct ring_def def;
	struct ring p;
	struct ring c;
	struct ring o;
	uint64_t *value; /* by index: what was published                  */
	uint64_t end;	 /* published                                     */
	uint64_t next;	 /* what the consumer must see next               */
	uint64_t prior;	 /* seen in earlier lives */
	uint64_t seen;	 /* highest index handed out, + 1                 */
	uint64_t floor;	 /* the cursor can not be below                   */
	uint64_t rng;
};

static struct shmdir dir;

static uint64_t
rng(struct world *w)
{
	w->rng += UINT64_C(0x9e3779b97f4a7c15);
	return hash_u64(w->rng, 3);
}

static void
fill(struct world *w, void *slot, uint64_t v)
{
	uint64_t *x = slot;

	for (uint32_t k = 1; k < w->def.slot_sz / 8; k++)
		x[k] = hash_u64(v, k);
}

static void
assert_filled(const struct world *w, const void *slot, uint64_t v)
{
	const uint64_t *x = slot;

	for (uint32_t k = 1; k < w->def.slot_sz / 8; k++)
		assert_int_equal(x[k], hash_u64(v, k));
}

static void
attach(struct world *w, struct ring *r, enum ring_role role)
{
	struct err e;

	assert_int_equal(ring_attach(r, dir.fd, &w->def, role, &e), 0);
}

static uint64_t
room(const struct world *w)
{
	return w->def.depth - (w->end - atomic_load(&w->p.shm->cons.cursor));
}

static void
op_push(struct world *w)
{
	uint64_t v = rng(w);
	uint64_t slot[16] = {0};
	bool ok;

	fill(w, slot, v);
	ok = ring_push(&w->p, slot);
	assert_int_equal(ok, room(w) > 0);
	if (ok)
		w->value[w->end++] = v;
}

static void
op_claim(struct world *w)
{
	uint64_t v = rng(w);
	void *slot = ring_claim(&w->p);

	assert_int_equal(slot != 0, room(w) > 0);
	if (slot == 0)
		return;
	fill(w, slot, v);
	if (v % 8 == 0) /* given up: claimed again later */
		return;
	ring_publish(&w->p);
	w->value[w->end++] = v;
}

static void
op_batch(struct world *w)
{
	uint32_t want = 1 + (uint32_t)(rng(w) % (w->def.depth / 2));
	uint32_t n = ring_room(&w->p, want);
	uint32_t m;

	assert_int_equal(n, room(w) < want ? room(w) : want);
	m = n - (uint32_t)(rng(w) % (n / 2 + 1));
	for (uint32_t k = 0; k < n; k++) {
		uint64_t v = rng(w);

		fill(w, ring_slot_at(&w->p, k), v);
		w->value[w->end + k] = v;
	}
	ring_publish_n(&w->p, m);
	w->end += m;
}

static void
op_take(struct world *w)
{
	uint64_t n = 1 + rng(w) % 80;

	for (uint64_t i = 0; i < n; i++) {
		const void *s = ring_peek(&w->c);

		assert_int_equal(s != 0, w->next < w->end);
		if (s == 0)
			return;
		assert_int_equal(*(const uint64_t *)s, w->next + 1);
		assert_filled(w, s, w->value[w->next]);
		if (w->next < w->prior)
			assert_true(ring_redelivered(&w->c));
		if (w->next >= w->seen)
			w->seen = w->next + 1;
		if (rng(w) % 32 == 0) /* looked at, not done */
			return;
		ring_release(&w->c);
		w->next++;
	}
}

static void
op_commit(struct world *w)
{
	ring_commit(&w->c);
	assert_int_equal(atomic_load(&w->c.shm->cons.cursor), w->next);
	w->floor = w->next;
}

/* The consumer goes, with (die: without) its last commit. */
static void
op_consumer_again(struct world *w, bool die)
{
	uint64_t lazy = w->c.lazy;
	uint64_t cursor;

	if (die)
		shm_unmap(&w->c.map);
	else
		ring_detach(&w->c);
	attach(w, &w->c, RING_CONSUMER);
	cursor = w->c.next;
	assert_true(cursor >= w->floor);
	assert_true(cursor <= w->next);
	assert_true(w->next - cursor <= (die ? lazy : 0));
	w->next = cursor;
	w->floor = cursor;
	w->prior = w->seen;
}

static void
op_producer_again(struct world *w, bool die)
{
	if (die && rng(w) % 2 == 0) {
		/* The end of a batch got its numbers, the beginning not. */
		uint32_t n = ring_room(&w->p, 2 + (uint32_t)(rng(w) % 6));

		for (uint32_t k = 0; k < n; k++)
			fill(w, ring_slot_at(&w->p, k), ~rng(w));
		for (uint32_t k = n; k > 1 + rng(w) % 3; k--)
			atomic_store(
			    ring_seq(&w->p, w->p.next + k - 1), w->p.next + k);
	} else if (die && ring_claim(&w->p) != 0) {
		fill(w, ring_claim(&w->p), ~rng(w));
	}
	if (die)
		shm_unmap(&w->p.map);
	else
		ring_detach(&w->p);
	attach(w, &w->p, RING_PRODUCER);
	assert_int_equal(w->p.next, w->end);
}

static void
op_observe(struct world *w)
{
	uint64_t n = rng(w) % 100;
	uint64_t lost;
	uint64_t copy[16];

	if (n == 0)
		ring_tap_seek(&w->o, rng(w) % (2 * w->def.depth));
	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = w->o.next;
		enum ring_tap t = ring_tap_next(&w->o, copy, &lost);

		if (t == RING_TAP_EMPTY) {
			assert_int_equal(at, w->o.next);
			return;
		}
		if (t == RING_TAP_OVERRUN) {
			assert_int_equal(w->o.next, at + lost);
			assert_true(w->o.next <= w->end);
			continue;
		}
		assert_true(at < w->end);
		assert_int_equal(copy[0], at + 1);
		assert_filled(w, copy, w->value[at]);
	}
}

static void
step(struct world *w)
{
	uint64_t dice = rng(w) % 100;

	if (w->end + w->def.depth > PUSHED_N)
		return;
	if (dice < 25)
		op_push(w);
	else if (dice < 45)
		op_claim(w);
	else if (dice < 60)
		op_batch(w);
	else if (dice < 80)
		op_take(w);
	else if (dice < 84)
		op_commit(w);
	else if (dice < 88)
		op_consumer_again(w, dice < 87);
	else if (dice < 92)
		op_producer_again(w, dice < 91);
	else
		op_observe(w);
	assert_true(w->end - w->next <= w->def.depth);
	assert_true(ring_used(&w->p) >= w->end - w->next);
}

static void
play(uint64_t seed, uint32_t depth, uint32_t slot_sz, uint8_t content)
{
	struct world w = {.def = {"model", ST_QUOTED, ST_RISKD,
			      RING_FULL_NEWEST, content, slot_sz, depth}};
	struct err e;

	w.rng = seed;
	w.value = calloc(PUSHED_N + depth, sizeof(*w.value));
	assert_non_null(w.value);
	assert_int_equal(ring_create(dir.fd, &w.def, seed, &e), 0);
	attach(&w, &w.p, RING_PRODUCER);
	attach(&w, &w.c, RING_CONSUMER);
	attach(&w, &w.o, RING_OBSERVER);
	for (uint32_t i = 0; i < STEPS; i++)
		step(&w);
	assert_true(w.end > STEPS / 8);
	assert_true(w.seen > STEPS / 8);
	ring_detach(&w.p);
	ring_detach(&w.c);
	ring_detach(&w.o);
	assert_int_equal(unlinkat(dir.fd, "ring.model", 0), 0);
	free(w.value);
}

static void
test_against_model(void **state)
{
	const char *s = getenv("RM_SEED");
	uint64_t seed = s != 0 ? strtoull(s, 0, 0) : (uint64_t)time(0);

	(void)state;
	printf("seed %llu\n", (unsigned long long)seed);
	shmdir_open(&dir);
	for (uint64_t i = 0; i < ROUNDS; i++) {
		play(seed + i, 8, 64, RING_MSG);
		play(seed + i, 32, 128, RING_TOP);
		play(seed + i, 256, 128, RING_MSG);
		play(seed + i, 512, 64, RING_TOP);
	}
	shmdir_close(&dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_against_model),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
