/* links: libcore */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/fixed.h"
#include "libcore/vol.h"

static const struct vol_cfg cfg = {
    .sample_ns = NS_PER_S,
    .halflife_ns = 60 * NS_PER_S,
    .window_ns = 96 * 60 * NS_PER_S,
    .min_n = 30,
};

static void
alternating(struct vol *v, uint64_t from_s, uint64_t n, double step)
{
	for (uint64_t i = 0; i < n; i++)
		vol_add(v, &cfg, (from_s + i) * NS_PER_S,
		    0.5 + (i % 2 ? step : 0.0));
}

static void
no_estimate_before_enough_returns(void **state)
{
	struct vol v;
	double x = -1.0;

	(void)state;
	vol_init(&v);
	alternating(&v, 1, 30, 0.01);
	assert_false(vol_current(&v, &cfg, &x));
	assert_true(x < 0.0);
	alternating(&v, 31, 1, 0.01);
	assert_true(vol_current(&v, &cfg, &x));
}

static void
constant_movement_gives_its_variance(void **state)
{
	struct vol v;
	double cur;
	double base;

	(void)state;
	vol_init(&v);
	alternating(&v, 1, 1000, 0.01);
	assert_true(vol_current(&v, &cfg, &cur));
	assert_true(vol_baseline(&v, &cfg, &base));
	assert_true(fabs(cur - 1e-4) < 1e-9);
	assert_true(fabs(base - 1e-4) < 1e-9);
}

/* One half-life after the change the estimate is half way. */
static void
current_follows_with_its_half_life(void **state)
{
	struct vol v;
	double cur;

	(void)state;
	vol_init(&v);
	alternating(&v, 1, 1000, 0.01);
	alternating(&v, 1001, 60, 0.02);
	assert_true(vol_current(&v, &cfg, &cur));
	assert_true(fabs(cur - 2.5e-4) < 0.1e-4);
}

static void
baseline_forgets_after_its_window(void **state)
{
	struct vol v;
	double base;

	(void)state;
	vol_init(&v);
	alternating(&v, 1, 600, 0.02);
	alternating(&v, 601, 96 * 60 + 120, 0.01);
	assert_true(vol_baseline(&v, &cfg, &base));
	assert_true(fabs(base - 1e-4) < 1e-6);
}

static void
a_gap_is_not_a_return(void **state)
{
	struct vol v;
	uint64_t n;

	(void)state;
	vol_init(&v);
	alternating(&v, 1, 100, 0.01);
	n = v.n;
	vol_add(&v, &cfg, 10000 * NS_PER_S, 0.9);
	assert_int_equal(v.n, n);
	vol_add(&v, &cfg, 10001 * NS_PER_S, 0.9);
	assert_int_equal(v.n, n + 1);
}

static void
prices_faster_than_the_sample_are_not_used(void **state)
{
	struct vol v;

	(void)state;
	vol_init(&v);
	for (uint64_t i = 1; i <= 1000; i++)
		vol_add(&v, &cfg, i * (uint64_t)NS_PER_MS, 0.5);
	assert_int_equal(v.n, 0);
}

static void
no_movement_and_no_numbers_give_no_estimate(void **state)
{
	struct vol v;
	double x;

	(void)state;
	vol_init(&v);
	for (uint64_t i = 1; i <= 100; i++) {
		vol_add(&v, &cfg, i * NS_PER_S, 0.5);
		vol_add(&v, &cfg, i * NS_PER_S, (double)NAN);
	}
	assert_false(vol_current(&v, &cfg, &x));
	assert_false(vol_baseline(&v, &cfg, &x));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_estimate_before_enough_returns),
	    cmocka_unit_test(constant_movement_gives_its_variance),
	    cmocka_unit_test(current_follows_with_its_half_life),
	    cmocka_unit_test(baseline_forgets_after_its_window),
	    cmocka_unit_test(a_gap_is_not_a_return),
	    cmocka_unit_test(prices_faster_than_the_sample_are_not_used),
	    cmocka_unit_test(no_movement_and_no_numbers_give_no_estimate),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
