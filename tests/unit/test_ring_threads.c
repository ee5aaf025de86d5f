/* links: libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "libshm/instr.h"
#include "libshm/ring.h"
#include "tests/unit/shmdir.h"

/* Producer, consumer and observer as threads of one process, so that
 * ThreadSanitizer sees all accesses: make SAN=tsan T=test_ring_threads t */

#define N UINT64_C(60000)

static struct shmdir dir;
static struct bell bell;
static _Atomic bool over;

struct arg {
	struct ring_def def;
	bool in_place;
	uint64_t seen;
	struct ring ring;
	const struct ring *same;
};

/* Each attach maps the file anew, and ThreadSanitizer compares addresses: let
 * all sides look through one mapping, or it sees nothing shared. */
static void
attach(struct arg *a, enum ring_role role)
{
	struct ring *r = &a->ring;
	struct err e;

	assert_int_equal(ring_attach(r, dir.fd, &a->def, role, &e), 0);
	r->bell.bell = &bell;
	if (a->same != 0) {
		r->shm = a->same->shm;
		r->slots = a->same->slots;
	}
}

static void
wait_for_room(struct ring *r)
{
	while (ring_room(r, 4) < 4)
		sched_yield();
}

static void *
produce(void *p)
{
	struct arg *a = p;
	struct ring *r = &a->ring;
	uint64_t slot[16];

	for (uint64_t i = 0; i < N;) {
		wait_for_room(r);
		for (unsigned k = 0; k < 16; k++)
			slot[k] = i * 31 + k;
		if (!a->in_place) {
			ring_push(r, slot);
			i++;
			continue;
		}
		for (uint32_t k = 0; k < 4; k++) {
			uint64_t *s = ring_slot_at(r, k);

			for (unsigned j = 1; j < a->def.slot_sz / 8; j++)
				s[j] = (i + k) * 31 + j;
		}
		ring_publish_n(r, 4);
		i += 4;
	}
	return 0;
}

static bool
whole(const struct arg *a, const uint64_t *s, uint64_t i)
{
	for (unsigned k = 1; k < a->def.slot_sz / 8; k++)
		if (s[k] != i * 31 + k)
			return false;
	return s[0] == i + 1;
}

static void *
consume(void *p)
{
	struct arg *a = p;
	struct ring *r = &a->ring;
	uint64_t i = 0;

	while (i < N) {
		const uint64_t *s = ring_peek(r);

		if (s != 0) {
			if (!whole(a, s, i))
				break;
			ring_release(r);
			i++;
			continue;
		}
		ring_commit(r);
		bell_prepare(&bell, BELL_FUTEX);
		if (ring_peek(r) == 0)
			bell_wait(&bell, BELL_SLEEP_NS_MAX);
		else
			bell_cancel(&bell);
	}
	a->seen = i;
	atomic_store(&over, true);
	return 0;
}

static void *
observe(void *p)
{
	struct arg *a = p;
	struct ring *r = &a->ring;
	uint64_t slot[16];
	uint64_t lost;

	while (!atomic_load(&over)) {
		enum ring_tap t = ring_tap_next(r, slot, &lost);

		if (t == RING_TAP_OK && !whole(a, slot, r->next - 1))
			abort();
		if (t == RING_TAP_OK)
			a->seen++;
		else
			sched_yield();
	}
	return 0;
}

static void
race(struct arg *a, bool watched)
{
	struct arg from = *a;
	struct arg tap = *a;
	pthread_t t[3];
	struct err e;

	atomic_store(&over, false);
	assert_int_equal(ring_create(dir.fd, &a->def, 1, &e), 0);
	attach(&from, RING_PRODUCER);
	a->same = &from.ring;
	tap.same = &from.ring;
	attach(a, RING_CONSUMER);
	attach(&tap, RING_OBSERVER);
	assert_int_equal(pthread_create(&t[0], 0, consume, a), 0);
	if (watched)
		assert_int_equal(pthread_create(&t[1], 0, observe, &tap), 0);
	assert_int_equal(pthread_create(&t[2], 0, produce, &from), 0);
	pthread_join(t[0], 0);
	if (watched)
		pthread_join(t[1], 0);
	pthread_join(t[2], 0);
	assert_int_equal(a->seen, N);
	ring_detach(&a->ring);
	ring_detach(&tap.ring);
	ring_detach(&from.ring); /* its mapping is the common one */
}

static void
test_pushed_and_observed(void **state)
{
	struct arg a = {.def = {"th.push", ST_QUOTED, ST_RISKD,
			    RING_FULL_NEWEST, RING_MSG, 128, 64}};

	(void)state;
	race(&a, true);
}

static void
test_in_place_batches(void **state)
{
	struct arg a = {.def = {"th.batch", ST_FEEDD_PM, ST_QUOTED,
			    RING_FULL_DROP, RING_TOP, 64, 128},
	    .in_place = true};

	(void)state;
	race(&a, false);
}

static struct instr_table *table;

static void *
write_instr(void *p)
{
	struct instr in = {.venue = VENUE_BINANCE, .state = 1};

	(void)p;
	for (uint32_t i = 0; i < 20000; i++) {
		in.asset_idx = i;
		in.start_wall_ns = i;
		memset(in.token_no, (int)(i & 0xff), sizeof(in.token_no));
		instr_write(table, INSTR_BN_BASE, &in);
	}
	atomic_store(&over, true);
	return 0;
}

static void
test_instrument_is_whole(void **state)
{
	pthread_t t;
	struct instr in;
	struct err e;

	(void)state;
	atomic_store(&over, false);
	assert_int_equal(instr_create(dir.fd, 1, &e), 0);
	assert_int_equal(instr_attach(&table, dir.fd, true, &e), 0);
	assert_int_equal(pthread_create(&t, 0, write_instr, 0), 0);
	while (!atomic_load(&over)) {
		if (!instr_read(table, INSTR_BN_BASE, &in))
			continue;
		assert_int_equal(in.asset_idx, in.start_wall_ns);
		assert_int_equal(in.token_no[0], in.asset_idx & 0xff);
		assert_int_equal(in.token_no[31], in.asset_idx & 0xff);
	}
	pthread_join(t, 0);
	assert_true(instr_read(table, INSTR_BN_BASE, &in));
	assert_int_equal(in.asset_idx, 19999);
	instr_detach(table);
}

static int
setup(void **state)
{
	(void)state;
	bell_register();
	shmdir_open(&dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	shmdir_close(&dir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pushed_and_observed),
	    cmocka_unit_test(test_in_place_batches),
	    cmocka_unit_test(test_instrument_is_whole),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
