/* links: execd libcore libshm */
/*
 * Token buckets against a list of everything that was ever taken, with
 * random bursts, urgencies, limits and pauses. SEED=n repeats one run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "execd/bucket.h"

#define RUNS  60u
#define STEPS 600u

static uint64_t rng;

static uint32_t
rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 33) % n;
}

struct taken {
	uint64_t ns;
	uint32_t k;
};

/* In no stretch that ends now more than burst + W / token_ns. */
static void
assert_kept(const struct bucket *b, const struct taken *t, uint32_t n)
{
	for (uint32_t i = 0; i < b->n; i++) {
		uint64_t sum = 0;

		for (uint32_t k = n; k > 0; k--) {
			uint64_t w = t[n - 1].ns - t[k - 1].ns;

			sum += t[k - 1].k;
			assert_true(
			    sum <= b->l[i].burst + w / b->l[i].token_ns);
		}
	}
}

static void
random_bucket(struct bucket *b)
{
	struct bucket_limit l[BUCKET_LIMITS];
	uint32_t n = 1 + rnd(BUCKET_LIMITS);

	for (uint32_t i = 0; i < n; i++) {
		l[i].burst = 2 + rnd(50);
		l[i].reserve = rnd(l[i].burst);
		l[i].token_ns = 1 + rnd(1000);
	}
	bucket_init(b, l, n);
}

/* The longest that any limit takes from nothing to full. */
static uint64_t
idle_ns(const struct bucket *b)
{
	uint64_t t = 0;

	for (uint32_t i = 0; i < b->n; i++)
		if (b->l[i].burst * b->l[i].token_ns > t)
			t = b->l[i].burst * b->l[i].token_ns;
	return t;
}

static uint32_t
smallest(const struct bucket *b)
{
	uint32_t m = UINT32_MAX;

	for (uint32_t i = 0; i < b->n; i++)
		if (b->l[i].burst < m)
			m = b->l[i].burst;
	return m;
}

static void
one_burst(struct bucket *b, uint64_t *now, struct taken *t, uint32_t *n)
{
	for (uint32_t i = 0; i < STEPS; i++) {
		uint32_t k = 1 + rnd(4);
		bool urgent = rnd(3) == 0;
		uint64_t when = bucket_when(b, *now, k, urgent);
		struct bucket before = *b;

		if (rnd(4) == 0)
			*now += rnd(700);
		when = bucket_when(b, *now, k, urgent);
		if (bucket_take(b, *now, k, urgent)) {
			assert_true(when == *now);
			t[(*n)++] = (struct taken){*now, k};
			assert_kept(b, t, *n);
			continue;
		}
		assert_memory_equal(&before, b, sizeof(before));
		assert_true(when > *now);
		if (when == UINT64_MAX || rnd(2) == 0)
			continue;
		assert_false(bucket_take(b, when - 1, k, urgent));
		*now = when;
		assert_true(bucket_take(b, *now, k, urgent));
		t[(*n)++] = (struct taken){*now, k};
		assert_kept(b, t, *n);
	}
}

static void
T_49_after_any_burst_idle_time_restores_the_full_rate(void **state)
{
	static struct taken t[STEPS * 2];
	const char *s = getenv("SEED");
	uint64_t seed = s != NULL ? strtoull(s, NULL, 10) : 4711;

	(void)state;
	print_message("SEED=%llu\n", (unsigned long long)seed);
	rng = seed * 2654435761u + 1;
	for (uint32_t run = 0; run < RUNS; run++) {
		uint64_t now = 1000;
		uint32_t n = 0;
		struct bucket b;

		random_bucket(&b);
		one_burst(&b, &now, t, &n);
		if (rnd(2) == 0) {
			bucket_empty(&b, now);
			assert_int_equal(bucket_left(&b, now), 0);
		}
		now += idle_ns(&b);
		assert_int_equal(bucket_left(&b, now), smallest(&b));
		assert_true(bucket_take(&b, now, smallest(&b), true));
		assert_false(bucket_take(&b, now, 1, true));
	}
}

static void
T_49_the_reserve_is_for_cancels(void **state)
{
	struct bucket_limit l = {10, 4, 100};
	struct bucket b;

	(void)state;
	bucket_init(&b, &l, 1);
	for (uint32_t i = 0; i < 6; i++)
		assert_true(bucket_take(&b, 1000, 1, false));
	assert_false(bucket_take(&b, 1000, 1, false));
	assert_int_equal(bucket_left(&b, 1000), 4);
	assert_true(bucket_when(&b, 1000, 1, false) == 1100);
	assert_true(bucket_take(&b, 1000, 4, true));
	assert_false(bucket_take(&b, 1000, 1, true));
	assert_true(bucket_when(&b, 1000, 7, false) == UINT64_MAX);
	assert_true(bucket_when(&b, 1000, 11, true) == UINT64_MAX);
	assert_true(bucket_take(&b, 1100, 1, true));
	/* a clock that falls gives nothing */
	assert_false(bucket_take(&b, 900, 1, true));
}

static void
waits_grow_to_their_cap_and_start_over(void **state)
{
	struct backoff b;

	(void)state;
	backoff_init(&b, 100, 1000, 7);
	for (uint64_t top = 100, i = 0; i < 200; i++) {
		uint64_t w = backoff_next(&b);

		assert_in_range(w, top / 2, top);
		top = top * 2 > 1000 ? 1000 : top * 2;
	}
	backoff_ok(&b);
	assert_in_range(backoff_next(&b), 50, 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		T_49_after_any_burst_idle_time_restores_the_full_rate),
	    cmocka_unit_test(T_49_the_reserve_is_for_cancels),
	    cmocka_unit_test(waits_grow_to_their_cap_and_start_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
