/* links: libcore */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/fixed.h"
#include "libcore/hash.h"
#include "libcore/lstm_train.h"
#include "libcore/volest.h"
#include "tests/unit/contract.h"

#define STEP 1e-4
#define VAR  (STEP * STEP)

static struct lstm_train tr;
static struct volest e;

static struct volest_cfg
usual(void)
{
	struct volest_cfg c = {
	    .vol = {.sample_ns = NS_PER_S,
		.halflife_ns = 60 * NS_PER_S,
		.window_ns = 86400 * NS_PER_S,
		.min_n = 30},
	    .ewma_halflife_ns = 120 * NS_PER_S,
	    .har_1m = 0.3,
	    .har_10m = 0.3,
	    .har_60m = 0.3,
	};
	return c;
}

/* Seconds [from, to) of a value that goes up and down by size. */
static void
swing(const struct volest_cfg *c, uint64_t from, uint64_t to, double size)
{
	for (uint64_t s = from; s < to; s++)
		volest_add(&e, c, s * NS_PER_S, 11.0 + (s % 2 ? size : 0.0));
}

static double
get(const struct volest_cfg *c, enum vol_kind k)
{
	double v = -1.0;

	(void)volest_get(&e, c, k, &v);
	return v;
}

static void
a_constant_swing_is_its_variance_by_every_name(void **state)
{
	struct volest_cfg c = usual();

	(void)state;
	volest_init(&e);
	swing(&c, 1, 29, STEP);
	for (int k = VOL_EMA; k < VOL_KIND_N; k++)
		assert_true(get(&c, (enum vol_kind)k) < 0.0);
	swing(&c, 29, 5000, STEP);
	for (int k = VOL_EMA; k < VOL_KIND_N; k++) {
		assert_true(fabs(get(&c, (enum vol_kind)k) / VAR - 1.0) < 1e-6);
		assert_int_equal(
		    vol_kind_find(vol_kind_name((enum vol_kind)k)), k);
	}
	assert_int_equal(vol_kind_find("none"), 0);
	assert_string_equal(vol_kind_name((enum vol_kind)0), "?");
	assert_int_equal(volest_n(&e), 4998);
}

/* After an hour of calm two minutes of twice the step. */
static void
each_has_its_own_memory(void **state)
{
	struct volest_cfg c = usual();
	double baseline = (3600.0 + 120.0 * 4.0) / 3720.0;
	double ten = (480.0 + 120.0 * 4.0) / 600.0;
	double sixty = (3480.0 + 120.0 * 4.0) / 3600.0;

	(void)state;
	volest_init(&e);
	swing(&c, 1, 3600, STEP);
	swing(&c, 3600, 3720, 2.0 * STEP);
	assert_true(fabs(get(&c, VOL_EMA) / VAR - (4.0 - 3.0 * 0.25)) < 0.05);
	assert_true(fabs(get(&c, VOL_EWMA) / VAR - (4.0 - 3.0 * 0.5)) < 0.05);
	assert_true(fabs(get(&c, VOL_ROLLING) / VAR - baseline) < 0.01);
	assert_true(fabs(get(&c, VOL_HAR) / VAR -
			 (0.3 * (4.0 + ten + sixty) + 0.1 * baseline)) < 0.02);
	/* Ten minutes on, the last ones are calm again. */
	swing(&c, 3720, 4440, STEP);
	assert_true(fabs(get(&c, VOL_HAR) / VAR - 1.04) < 0.02);
}

static void
a_plain_window_counts_minutes(void **state)
{
	struct volest_cfg c = usual();
	double v = -1.0;

	(void)state;
	volest_init(&e);
	assert_false(volest_recent(&e, &c, 5, &v));
	swing(&c, 1, 3600, STEP);
	swing(&c, 3600, 3720, 2.0 * STEP);
	assert_true(volest_recent(&e, &c, 5, &v));
	/* Two wild minutes of five. */
	assert_true(fabs(v / VAR - (3.0 + 2.0 * 4.0) / 5.0) < 0.02);
	assert_true(volest_recent(&e, &c, 2, &v));
	assert_true(fabs(v / VAR - 4.0) < 0.04);
	c.var_cap = VAR;
	assert_true(volest_recent(&e, &c, 2, &v));
	assert_true(fabs(v / VAR - 1.0) < 1e-9);
}

static void
ewma_does_not_remember_that_it_began_at_nothing(void **state)
{
	struct volest_cfg c = usual();

	(void)state;
	volest_init(&e);
	swing(&c, 1, 33, STEP);
	assert_true(fabs(get(&c, VOL_EWMA) / VAR - 1.0) < 1e-9);
}

static void
without_a_file_lstm_is_the_statistic(void **state)
{
	struct volest_cfg c = usual();

	(void)state;
	volest_init(&e);
	swing(&c, 1, 1000, STEP);
	assert_true(fabs(get(&c, VOL_LSTM) - get(&c, VOL_EWMA)) < 1e-18);
	assert_true(e.state.n == 0);
}

static void
with_a_file_it_is_the_mean_of_both(void **state)
{
	struct volest_cfg c = usual();

	(void)state;
	/* A predictor that always says the same. */
	lstm_train_init(&tr, 1);
	memset(tr.m.w, 0, sizeof(tr.m.w));
	tr.m.out_mean = log(9.0 * VAR);
	tr.m.step_s = 30;
	c.lstm = &tr.m;
	volest_init(&e);
	swing(&c, 1, 300, STEP);
	assert_true(fabs(get(&c, VOL_LSTM) / VAR - 1.0) < 1e-6);
	swing(&c, 300, 400, STEP);
	assert_int_equal(e.state.n, 13);
	assert_true(fabs(get(&c, VOL_LSTM) / VAR - 5.0) < 1e-6);
}

static void
floor_and_cap_hold(void **state)
{
	struct volest_cfg c = usual();

	(void)state;
	volest_init(&e);
	swing(&c, 1, 100, STEP);
	c.var_floor = 3.0 * VAR;
	assert_true(fabs(get(&c, VOL_EWMA) / VAR - 3.0) < 1e-9);
	c.var_floor = 0.0;
	c.var_cap = 0.5 * VAR;
	assert_true(fabs(get(&c, VOL_EWMA) / VAR - 0.5) < 1e-9);
}

static void
a_hole_is_no_return_and_minutes_forget(void **state)
{
	struct volest_cfg c = usual();

	(void)state;
	volest_init(&e);
	swing(&c, 1, 1000, STEP);
	volest_add(&e, &c, 100000 * NS_PER_S, 99.0);
	assert_true(fabs(get(&c, VOL_EWMA) / VAR - 1.0) < 1e-6);
	swing(&c, 100001, 100002, STEP);
	volest_init(&e);
	swing(&c, 1, 1000, STEP);
	for (uint64_t s = 200000; s < 200060; s++)
		volest_add(
		    &e, &c, s * NS_PER_S, 11.0 + (s % 2 ? 3 * STEP : 0.0));
	/* Nothing of the first hour is within the last. */
	c.har_1m = c.har_10m = 0.0;
	c.har_60m = 1.0;
	assert_true(fabs(get(&c, VOL_HAR) / VAR - 9.0) < 1e-6);
}

static double
normal_of(uint64_t *r)
{
	double sum = -6.0;

	for (int i = 0; i < 12; i++) {
		*r = hash_u64(*r, (uint64_t)i);
		sum += (double)(*r >> 11) / 9007199254740992.0;
	}
	return sum;
}

/* A random walk at uneven times: every estimator finds the variance it was
 * made with, whatever the spacing. */
static void
uneven_times_do_not_matter(void **state)
{
	struct volest_cfg c = usual();
	uint64_t r = 99;
	uint64_t t = NS_PER_S;
	double x = 0.0;

	(void)state;
	volest_init(&e);
	c.ewma_halflife_ns = 3600 * NS_PER_S;
	for (int i = 0; i < 20000; i++) {
		uint64_t dt = NS_PER_S + hash_u64(r, 5) % (4 * NS_PER_S);

		t += dt;
		x += STEP * sqrt((double)dt / 1e9) * normal_of(&r);
		volest_add(&e, &c, t, x);
	}
	assert_true(fabs(get(&c, VOL_EWMA) / VAR - 1.0) < 0.1);
	assert_true(fabs(get(&c, VOL_ROLLING) / VAR - 1.0) < 0.05);
	assert_true(fabs(get(&c, VOL_HAR) / VAR - 1.0) < 0.25);
}

static void
T_74_zones_are_told_with_their_horizon(void **state)
{
	static const double bound[] = {0.08, 0.15, 0.25};
	static const double annual[] = {0.05, 0.08, 0.1, 0.2, 0.5};
	static const unsigned want[] = {0, 1, 1, 2, 3};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(
		    vol_zone(
			vol_var_of_annual(annual[i] * (1.0 + 1e-12)), bound, 3),
		    want[i]);
	/* A day of 3 % is a year of 57 %: one unit inside, whatever the
	 * spacing it came from. */
	assert_true(
	    fabs(vol_annual_of_var(0.03 * 0.03 / 86400.0) - 0.5732) < 1e-4);
	assert_int_equal(vol_zone(0.0, bound, 3), 0);
	assert_int_equal(vol_zone((double)NAN, bound, 3), 0);
	assert_true(vol_var_of_annual(-1.0) <= 0.0);
}

static void
falling_bounds(void)
{
	static const double bound[] = {0.2, 0.1};

	vol_zone(1.0, bound, 2);
}

static void
no_kind(void)
{
	struct volest_cfg c = usual();

	get(&c, VOL_KIND_N);
}

static void
broken_contracts_abort(void **state)
{
	(void)state;
	assert_true(contract_fails(falling_bounds));
	assert_true(contract_fails(no_kind));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_constant_swing_is_its_variance_by_every_name),
	    cmocka_unit_test(each_has_its_own_memory),
	    cmocka_unit_test(a_plain_window_counts_minutes),
	    cmocka_unit_test(ewma_does_not_remember_that_it_began_at_nothing),
	    cmocka_unit_test(without_a_file_lstm_is_the_statistic),
	    cmocka_unit_test(with_a_file_it_is_the_mean_of_both),
	    cmocka_unit_test(floor_and_cap_hold),
	    cmocka_unit_test(a_hole_is_no_return_and_minutes_forget),
	    cmocka_unit_test(uneven_times_do_not_matter),
	    cmocka_unit_test(T_74_zones_are_told_with_their_horizon),
	    cmocka_unit_test(broken_contracts_abort),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
