/* links: libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "libcore/hash.h"
#include "libshm/ring.h"
#include "tests/unit/shmdir.h"

/*
 * Producer and consumer of a small ring are killed with SIGKILL at random
 * moments, alone or together, and started again, while the parent reads
 * along as an observer. Checked by whoever sees it first:
 *   F_TORN     a message whose words do not belong together
 *   F_ORDER    an index that is neither the next nor one seen before
 *   F_UNMARKED one seen before that is not flagged as redelivered
 *   F_EPOCH    a message of an older life after one of a newer
 *   F_LOST     a new producer's place is below what was published
 *   F_GHOST    a new producer's place is beyond what was ever written
 *   F_HALF     a part of a batch was published
 *   F_ATTACH   a role could not be taken after its holder had died
 * RM_KILLS sets the number of kills, RM_SEED the moments.
 */
enum fault {
	F_NONE = 0,
	F_TORN = 1,
	F_ORDER = 2,
	F_UNMARKED = 3,
	F_EPOCH = 4,
	F_LOST = 5,
	F_GHOST = 6,
	F_ATTACH = 7,
	F_HALF = 8
};

#define KILLS_DEFAULT 1200u
#define BATCH_MAX     64u

/* What outlives the children. */
struct ledger {
	_Atomic uint64_t fault;
	_Atomic uint64_t published; /* told after publishing             */
	_Atomic uint64_t claimed;   /* told before publishing            */
	_Atomic uint64_t done;	    /* handled: all below                */
	_Atomic uint64_t epoch;	    /* of the last message handled       */
	_Atomic uint64_t repeats;
	_Atomic uint64_t sleeps;
	_Atomic uint64_t stop; /* producer: publish no more              */
	struct bell bell;
};

struct message {
	uint64_t seq;
	uint64_t index;
	uint64_t epoch;
	uint64_t recv_ns;
	uint64_t body[12];
};
_Static_assert(sizeof(struct message) == 128, "one slot");

struct storm_mode {
	struct ring_def def;
	bool batch;
};

static struct shmdir dir;
static struct ledger *ledger;
static uint64_t rng_state;
static pid_t prod = -1;
static pid_t cons = -1;

static uint64_t
rng(void)
{
	rng_state += UINT64_C(0x9e3779b97f4a7c15);
	return hash_u64(rng_state, 1);
}

static void
put(_Atomic uint64_t *v, uint64_t x)
{
	atomic_store_explicit(v, x, memory_order_relaxed);
}

static uint64_t
get(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

_Noreturn static void
fail_child(enum fault f)
{
	atomic_store(&ledger->fault, f);
	_exit(3);
}

static bool
whole(const struct message *m)
{
	for (unsigned i = 0; i < 12; i++)
		if (m->body[i] != hash_u64(m->index * 16 + i, m->epoch))
			return false;
	return m->recv_ns == (m->index ^ m->epoch);
}

static void
fill(struct message *m, uint64_t index, uint64_t epoch)
{
	m->index = index;
	m->epoch = epoch;
	m->recv_ns = index ^ epoch;
	for (unsigned i = 0; i < 12; i++)
		m->body[i] = hash_u64(index * 16 + i, epoch);
}

/* The role is free as soon as the holder is reaped. */
static void
attach(struct ring *r, const struct ring_def *def, enum ring_role role)
{
	struct err e;

	if (ring_attach(r, dir.fd, def, role, &e) < 0)
		fail_child(F_ATTACH);
	bell_register();
	r->bell.bell = &ledger->bell;
}

static void
produce_batch(struct ring *p, uint64_t epoch)
{
	uint32_t n = ring_room(p, 1 + (uint32_t)(rng() % BATCH_MAX));

	if (n == 0) {
		sched_yield();
		return;
	}
	put(&ledger->claimed, p->next + n);
	for (uint32_t k = 0; k < n; k++)
		fill(ring_slot_at(p, k), p->next + k, epoch);
	ring_publish_n(p, n);
	put(&ledger->published, p->next);
}

static void
produce_one(struct ring *p, uint64_t epoch)
{
	struct message m;
	struct message *at;

	put(&ledger->claimed, p->next + 1);
	if ((p->next & 1) != 0) {
		at = ring_claim(p);
		if (at != 0) {
			fill(at, p->next, epoch);
			ring_publish(p);
		}
	} else {
		fill(&m, p->next, epoch);
		at = ring_push(p, &m) ? &m : 0;
	}
	if (at == 0)
		sched_yield();
	put(&ledger->published, p->next);
}

_Noreturn static void
producer(const struct storm_mode *mode)
{
	struct ring p;
	uint64_t epoch;

	attach(&p, &mode->def, RING_PRODUCER);
	epoch = get(&p.shm->prod.epoch);
	if (p.next < get(&ledger->published))
		fail_child(F_LOST);
	if (p.next > get(&ledger->claimed))
		fail_child(F_GHOST);
	if (p.next != get(&ledger->published) &&
	    p.next != get(&ledger->claimed))
		fail_child(F_HALF);
	put(&ledger->published, p.next);
	while (get(&ledger->stop) == 0) {
		if (mode->batch)
			produce_batch(&p, epoch);
		else
			produce_one(&p, epoch);
		/* A pause now and then, so that the consumer runs dry. */
		if ((rng() & 255) == 0)
			sched_yield();
	}
	ring_detach(&p);
	_exit(0);
}

static void
handle(struct ring *c, const struct message *m)
{
	uint64_t done = get(&ledger->done);

	if (!whole(m))
		fail_child(F_TORN);
	if (m->index != c->next || m->index > done)
		fail_child(F_ORDER);
	if (m->index < done) {
		if (!ring_redelivered(c))
			fail_child(F_UNMARKED);
		put(&ledger->repeats, get(&ledger->repeats) + 1);
		return;
	}
	if (m->epoch < get(&ledger->epoch))
		fail_child(F_EPOCH);
	put(&ledger->epoch, m->epoch);
	put(&ledger->done, done + 1);
}

_Noreturn static void
consumer(const struct storm_mode *mode)
{
	struct ring c;
	const struct message *m;
	unsigned dry = 0;

	attach(&c, &mode->def, RING_CONSUMER);
	for (;;) {
		m = ring_peek(&c);
		if (m != 0) {
			handle(&c, m);
			ring_release(&c);
			dry = 0;
			continue;
		}
		if (++dry < 20) {
			cpu_pause();
			continue;
		}
		ring_commit(&c);
		bell_prepare(&ledger->bell, BELL_FUTEX);
		if (ring_peek(&c) != 0) {
			bell_cancel(&ledger->bell);
			continue;
		}
		put(&ledger->sleeps, get(&ledger->sleeps) + 1);
		bell_wait(&ledger->bell, UINT64_C(2000000));
	}
}

static pid_t
start(const struct storm_mode *mode, bool is_producer)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	rng_state ^= (uint64_t)getpid() << 20;
	if (is_producer)
		producer(mode);
	consumer(mode);
}

static void
destroy(pid_t *pid)
{
	int status;
	pid_t p = *pid;

	*pid = -1;
	kill(p, SIGKILL);
	assert_int_equal(waitpid(p, &status, 0), p);
}

/* A failed test leaves its children. */
static int
reap(void **state)
{
	(void)state;
	if (prod > 0)
		destroy(&prod);
	if (cons > 0)
		destroy(&cons);
	return 0;
}

struct watch {
	struct ring ring;
	uint64_t epoch;
	uint64_t ok;
	uint64_t lost;
};

/* The observer reads until it has nothing left, or enough. Now and then it
 * goes to the oldest slot, which may be overwritten under its eyes. */
static void
watch(struct watch *w)
{
	struct message m;
	uint64_t lost;

	for (int i = 0; i < 2000; i++) {
		enum ring_tap t;

		if (i % 16 == 0) {
			ring_tap_seek(&w->ring, w->ring.mask + 1);
			w->epoch = 0;
		}
		t = ring_tap_next(&w->ring, &m, &lost);

		if (t == RING_TAP_EMPTY)
			return;
		w->lost += lost;
		if (t != RING_TAP_OK)
			continue;
		w->ok++;
		assert_int_equal(m.index + 1, w->ring.next);
		assert_int_equal(m.seq, m.index + 1);
		assert_true(whole(&m));
		assert_true(m.epoch >= w->epoch);
		w->epoch = m.epoch;
	}
}

static void
short_sleep(uint64_t ns)
{
	struct timespec ts = {0, (long)ns};

	nanosleep(&ts, 0);
}

/* No more kills: everything published must arrive. */
static void
finish(void)
{
	int status;
	uint64_t end;

	put(&ledger->stop, 1);
	assert_int_equal(waitpid(prod, &status, 0), prod);
	prod = -1;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	end = get(&ledger->published);
	for (int i = 0; i < 20000 && get(&ledger->done) < end; i++)
		short_sleep(500000);
	destroy(&cons);
	assert_int_equal(get(&ledger->fault), F_NONE);
	assert_int_equal(get(&ledger->done), end);
}

static void
storm(const struct storm_mode *mode, unsigned kills)
{
	struct err e;
	struct watch w = {.epoch = 0};

	memset(ledger, 0, sizeof(*ledger));
	assert_int_equal(ring_create(dir.fd, &mode->def, 1, &e), 0);
	assert_int_equal(
	    ring_attach(&w.ring, dir.fd, &mode->def, RING_OBSERVER, &e), 0);
	prod = start(mode, true);
	cons = start(mode, false);
	for (unsigned n = 0; n < kills;) {
		unsigned who = 1 + (unsigned)(rng() % 3);

		short_sleep(200000 + rng() % 1500000);
		watch(&w);
		if ((who & 1) != 0)
			destroy(&prod);
		if ((who & 2) != 0)
			destroy(&cons);
		n += who == 3 ? 2 : 1;
		assert_int_equal(get(&ledger->fault), F_NONE);
		if ((who & 2) != 0)
			cons = start(mode, false);
		if ((who & 1) != 0)
			prod = start(mode, true);
	}
	finish();
	watch(&w);
	printf("%s: %u kills, %llu messages, %llu redelivered, %llu sleeps, "
	       "observer %llu read and %llu overrun\n",
	    mode->def.name, kills, (unsigned long long)get(&ledger->done),
	    (unsigned long long)get(&ledger->repeats),
	    (unsigned long long)get(&ledger->sleeps), (unsigned long long)w.ok,
	    (unsigned long long)w.lost);
	assert_true(get(&ledger->done) > kills);
	assert_true(w.ok > 0);
	ring_detach(&w.ring);
}

static unsigned
kills_wanted(void)
{
	const char *s = getenv("RM_KILLS");
	long n = s != 0 ? strtol(s, 0, 10) : 0;

	return n > 0 && n < 10000000 ? (unsigned)n : KILLS_DEFAULT;
}

static void
run(const char *name, bool batch, uint8_t content)
{
	struct storm_mode mode = {
	    {name, ST_QUOTED, ST_RISKD, RING_FULL_NEWEST, content, 128, 256},
	    batch};

	storm(&mode, (kills_wanted() + 3) / 4);
}

static void
test_single_order(void **state)
{
	(void)state;
	run("k.single.order", false, RING_MSG);
}

static void
test_single_md(void **state)
{
	(void)state;
	run("k.single.md", false, RING_TOP);
}

static void
test_batch_order(void **state)
{
	(void)state;
	run("k.batch.order", true, RING_MSG);
}

static void
test_batch_md(void **state)
{
	(void)state;
	run("k.batch.md", true, RING_TOP);
}

static int
setup(void **state)
{
	const char *s = getenv("RM_SEED");

	(void)state;
	rng_state = s != 0 ? strtoull(s, 0, 0) : (uint64_t)time(0);
	printf("seed %llu\n", (unsigned long long)rng_state);
	shmdir_open(&dir);
	ledger = mmap(0, sizeof(*ledger), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return ledger == MAP_FAILED ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	munmap(ledger, sizeof(*ledger));
	shmdir_close(&dir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_single_order, reap),
	    cmocka_unit_test_teardown(test_single_md, reap),
	    cmocka_unit_test_teardown(test_batch_order, reap),
	    cmocka_unit_test_teardown(test_batch_md, reap),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
