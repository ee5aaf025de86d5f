/* links: libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "libcore/hash.h"
#include "libshm/store.h"
#include "tests/unit/shmdir.h"

#define LAYOUT 99u
#define REC_N  24u

/* A record that shows when it was torn. */
struct account {
	int64_t balance;
	uint64_t version;
	uint64_t check[6];
};

static struct shmdir dir;
static struct err err;
static const uint64_t zero[RG_N];

static int
setup(void **state)
{
	(void)state;
	shmdir_open(&dir);
	assert_int_equal(store_create(dir.fd, "riskd", sizeof(struct account),
			     REC_N, LAYOUT, &err),
	    0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	shmdir_close(&dir);
	return 0;
}

static struct account
account(int64_t balance, uint64_t version)
{
	struct account a = {.balance = balance, .version = version};

	for (unsigned i = 0; i < 6; i++)
		a.check[i] = hash_u64((uint64_t)balance, version + i);
	return a;
}

static void
put(struct store *s, uint32_t i, int64_t balance)
{
	struct account a = account(balance, s->version + 1);

	store_put(s, i, &a);
}

static struct account
get(const struct store *s, uint32_t i)
{
	struct account a;

	store_get(s, i, &a);
	return a;
}

static void
open_store(struct store *s)
{
	assert_int_equal(store_open(s, dir.fd, "riskd", LAYOUT, &err), 0);
}

static void
test_fresh(void **state)
{
	struct store s;
	struct account none = {0};
	struct account a;

	(void)state;
	assert_int_equal(
	    store_open(&s, dir.fd, "quoted", LAYOUT, &err), -ENOENT);
	open_store(&s);
	assert_int_equal(s.version, 0);
	assert_int_equal(s.rec_n, REC_N);
	for (uint32_t i = 0; i < REC_N; i++) {
		a = get(&s, i);
		assert_memory_equal(&a, &none, sizeof(a));
	}
	for (int i = 0; i < RG_N; i++)
		assert_int_equal(store_cursor(&s, (enum ring_id)i), 0);
	store_close(&s);
}

static void
test_commit(void **state)
{
	struct store s;
	uint64_t cursors[RG_N] = {0};

	(void)state;
	open_store(&s);
	put(&s, 3, 100);
	assert_int_equal(get(&s, 3).balance, 0);
	put(&s, 3, 101);
	cursors[RG_INTENT] = 55;
	store_commit(&s, cursors);
	assert_int_equal(get(&s, 3).balance, 101);
	assert_int_equal(store_cursor(&s, RG_INTENT), 55);
	put(&s, 3, 102);
	put(&s, 4, 7);
	cursors[RG_INTENT] = 60;
	store_commit(&s, cursors);
	store_commit(&s, cursors);
	store_close(&s);
	open_store(&s);
	assert_int_equal(s.version, 3);
	assert_int_equal(get(&s, 3).balance, 102);
	assert_int_equal(get(&s, 4).balance, 7);
	assert_int_equal(get(&s, 5).balance, 0);
	assert_int_equal(store_cursor(&s, RG_INTENT), 60);
	store_close(&s);
}

/* Puts without a commit are gone, also when the version they were written
 * for is reached again. */
static void
test_uncommitted_is_forgotten(void **state)
{
	struct store s;

	(void)state;
	open_store(&s);
	put(&s, 1, 10);
	store_commit(&s, zero);
	put(&s, 1, 11);
	put(&s, 2, 22);
	store_close(&s);
	open_store(&s);
	assert_int_equal(get(&s, 1).balance, 10);
	assert_int_equal(get(&s, 2).balance, 0);
	put(&s, 5, 55);
	store_commit(&s, zero);
	assert_int_equal(get(&s, 1).balance, 10);
	assert_int_equal(get(&s, 2).balance, 0);
	assert_int_equal(get(&s, 5).balance, 55);
	store_close(&s);
}

static void
test_refusals(void **state)
{
	struct store s;
	struct store t;

	(void)state;
	assert_int_equal(
	    store_open(&s, dir.fd, "riskd", LAYOUT + 1, &err), -EPROTO);
	open_store(&s);
	assert_int_equal(store_open(&t, dir.fd, "riskd", LAYOUT, &err), -EBUSY);
	store_close(&s);
	assert_int_equal(
	    store_create(dir.fd, "riskd", 8, 1, LAYOUT, &err), -EEXIST);
	open_store(&s);
	((uint32_t *)((char *)s.map.base + sizeof(struct shm_hdr)))[1] = 25;
	store_close(&s);
	assert_int_equal(
	    store_open(&s, dir.fd, "riskd", LAYOUT, &err), -EMSGSIZE);
}

/* Moves money between accounts for ever; the sum stays. A transaction of n
 * says n in its ring cursor. */
_Noreturn static void
transact(uint64_t seed)
{
	struct store s;
	uint64_t cursors[RG_N] = {0};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (store_open(&s, dir.fd, "riskd", LAYOUT, &err) < 0)
		_exit(1);
	for (;;) {
		int64_t sum = 0;
		uint32_t from = (uint32_t)(hash_u64(seed, s.version) % REC_N);

		for (uint32_t k = 1; k < 8; k++) {
			uint32_t to = (from + k) % REC_N;
			int64_t x = (int64_t)(hash_u64(s.version, k) % 1000);

			put(&s, to, get(&s, to).balance + x);
			sum += x;
		}
		put(&s, from, get(&s, from).balance - sum);
		cursors[RG_MD_PM_R] = s.version + 1;
		store_commit(&s, cursors);
	}
}

static void
assert_whole(uint64_t *version)
{
	struct store s;
	int64_t sum = 0;

	open_store(&s);
	assert_true(s.version >= *version);
	*version = s.version;
	assert_int_equal(store_cursor(&s, RG_MD_PM_R), s.version);
	for (uint32_t i = 0; i < REC_N; i++) {
		struct account a = get(&s, i);
		struct account want = account(a.balance, a.version);

		if (a.version != 0)
			assert_memory_equal(&a, &want, sizeof(a));
		assert_true(a.version <= s.version);
		sum += a.balance;
	}
	assert_int_equal(sum, 0);
	store_close(&s);
}

static void
test_killed_in_transactions(void **state)
{
	const char *env = getenv("RM_KILLS");
	long kills = env != 0 ? strtol(env, 0, 10) : 500;
	uint64_t seed = (uint64_t)time(0);
	uint64_t version = 0;
	int status;

	(void)state;
	printf("seed %llu\n", (unsigned long long)seed);
	for (long i = 0; i < kills; i++) {
		struct timespec ts = {
		    0, (long)(hash_u64(seed, (uint64_t)i) % 1500000)};
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			transact(seed + (uint64_t)i);
		nanosleep(&ts, 0);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_whole(&version);
	}
	printf("%ld kills, %llu transactions\n", kills,
	    (unsigned long long)version);
	assert_true(version > (uint64_t)kills);
}

static void
test_contracts(void **state)
{
	struct store s;
	struct account a = {0};

	(void)state;
	open_store(&s);
	assert_check_fails(store_get(&s, REC_N, &a));
	assert_check_fails(store_put(&s, REC_N, &a));
	assert_check_fails(store_commit(&s, 0));
	assert_check_fails(store_cursor(&s, RG_N));
	assert_check_fails(store_create(dir.fd, "x", 12, 1, 1, &err));
	assert_check_fails(store_create(dir.fd, "x", 2048, 1, 1, &err));
	assert_check_fails(store_create(dir.fd, "x", 8, 0, 1, &err));
	store_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(test_fresh),
	    T(test_commit),
	    T(test_uncommitted_is_forgotten),
	    T(test_refusals),
	    T(test_killed_in_transactions),
	    T(test_contracts),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
