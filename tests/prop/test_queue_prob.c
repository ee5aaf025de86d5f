/* links: libcore */
/*
 * The queue models against a naive one: a list of orders, ours among them.
 * Prints take from the front, cancels take one order at random. Seen from
 * outside are levels and prints only, in either order.
 *   1 what is ahead is never negative, never more than displayed, never grows
 *   2 BACK never says less ahead than the truth, FRONT never more; so BACK
 *     never fills before the truth
 *   3 both probabilities end between the two, and their mean error over all
 *     runs is below that of BACK and of FRONT
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/queue.h"

#define MAXN 512

static uint64_t rng;
static int64_t list[MAXN];
static uint32_t n_list;
static uint32_t us; /* orders before this one are ahead of us */
static struct queue q[QUEUE_MODEL_N];
static double err[QUEUE_MODEL_N];

static uint32_t
rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 33) % n;
}

static int64_t
sum(uint32_t from, uint32_t to)
{
	int64_t x = 0;

	for (uint32_t i = from; i < to; i++)
		x += list[i];
	return x;
}

static void
drop(uint32_t i)
{
	memmove(&list[i], &list[i + 1], (n_list - i - 1) * sizeof(list[0]));
	n_list--;
	us -= i < us;
}

static void
show(uint64_t now)
{
	for (int m = QUEUE_FRONT; m < QUEUE_MODEL_N; m++)
		queue_level(&q[m], QTY(sum(0, n_list)), now);
}

static void
print(int64_t qty, uint64_t now)
{
	for (int m = QUEUE_FRONT; m < QUEUE_MODEL_N; m++)
		queue_trade(&q[m], QTY(qty), now);
}

/* A print of at most what is ahead: our own turn ends the run. */
static void
trade(uint64_t now)
{
	int64_t want = (int64_t)(1 + rnd(30)) * E8;
	int64_t done = 0;
	bool first = rnd(2) == 0;

	while (done < want && us > 0) {
		int64_t take = i64_min(list[0], want - done);

		list[0] -= take;
		done += take;
		if (list[0] == 0)
			drop(0);
	}
	if (first)
		print(done, now);
	show(now + 1);
	if (!first)
		print(done, now + 2);
}

static void
check(const int64_t *was)
{
	int64_t truth = sum(0, us);
	int64_t all = sum(0, n_list);

	for (int m = QUEUE_FRONT; m < QUEUE_MODEL_N; m++) {
		assert_true(q[m].ahead.e8 >= 0); /* 1 */
		assert_true(q[m].ahead.e8 <= all);
		assert_true(q[m].ahead.e8 <= was[m]);
	}
	assert_true(q[QUEUE_BACK].ahead.e8 >= truth); /* 2 */
	assert_int_equal(q[QUEUE_FRONT].ahead.e8, 0);
	assert_true(q[QUEUE_PROB_LOG].ahead.e8 <= q[QUEUE_BACK].ahead.e8);
	assert_true(q[QUEUE_PROB_POWER].ahead.e8 <= q[QUEUE_BACK].ahead.e8);
}

static void
run(uint64_t seed)
{
	uint64_t now = UINT64_C(1000000000000);
	int64_t was[QUEUE_MODEL_N];

	rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	n_list = 20 + rnd(20);
	for (uint32_t i = 0; i < n_list; i++)
		list[i] = (int64_t)(1 + rnd(20)) * E8;
	us = n_list;
	for (int m = QUEUE_FRONT; m < QUEUE_MODEL_N; m++)
		queue_join(&q[m], (enum queue_model)m, QTY(sum(0, n_list)));
	for (int step = 0; step < 60 && us > 2; step++) {
		uint32_t what = rnd(10);

		for (int m = QUEUE_FRONT; m < QUEUE_MODEL_N; m++)
			was[m] = q[m].ahead.e8;
		now += UINT64_C(1000000000);
		if (what < 4 && n_list < MAXN) {
			list[n_list++] = (int64_t)(1 + rnd(20)) * E8;
			show(now);
		} else if (what < 8) {
			drop(rnd(n_list));
			show(now);
		} else {
			trade(now);
		}
		check(was);
		for (int m = QUEUE_FRONT; m < QUEUE_MODEL_N; m++)
			err[m] += (double)llabs(q[m].ahead.e8 - sum(0, us)) /
				  (double)E8;
	}
}

static void
test_against_a_list(void **state)
{
	const char *seed = getenv("SEED");
	uint64_t first = seed != 0 ? strtoull(seed, 0, 10) : 1;
	uint64_t last = seed != 0 ? first : 400;

	(void)state;
	for (uint64_t k = first; k <= last; k++)
		run(k);
	print_message("SEED=%llu..%llu error front %.0f back %.0f power %.0f "
		      "log %.0f\n",
	    (unsigned long long)first, (unsigned long long)last,
	    err[QUEUE_FRONT], err[QUEUE_BACK], err[QUEUE_PROB_POWER],
	    err[QUEUE_PROB_LOG]);
	if (seed != 0)
		return;
	for (int m = QUEUE_PROB_POWER; m < QUEUE_MODEL_N; m++) { /* 3 */
		assert_true(err[m] < err[QUEUE_BACK]);
		assert_true(err[m] < err[QUEUE_FRONT]);
	}
}

static void
test_shares(void **state)
{
	(void)state;
	/* 8 / (8 + 1), and log 3 / (log 3 + log 2). */
	assert_true(
	    queue_behind(QUEUE_PROB_POWER, QTY(E8), QTY(2 * E8)) > 0.8888);
	assert_true(
	    queue_behind(QUEUE_PROB_POWER, QTY(E8), QTY(2 * E8)) < 0.8890);
	assert_true(
	    queue_behind(QUEUE_PROB_LOG, QTY(E8), QTY(2 * E8)) > 0.6131);
	assert_true(
	    queue_behind(QUEUE_PROB_LOG, QTY(E8), QTY(2 * E8)) < 0.6132);
	/* Nobody behind: it was ahead. Nobody ahead: it was behind. */
	assert_true(queue_behind(QUEUE_PROB_LOG, QTY(E8), QTY(0)) <= 0.0);
	assert_true(queue_behind(QUEUE_PROB_LOG, QTY(0), QTY(E8)) >= 1.0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_shares),
	    cmocka_unit_test(test_against_a_list),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
