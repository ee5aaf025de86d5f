/* links: feedd libvenue libshm libcore */
/*
 * What a settlement price was at a second, and which source is believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "feedd/pm_strike.h"

#define S(n) ((int64_t)(n)*NS_PER_S)
#define D(n) PX((int64_t)(n)*E8)

static struct pm_strike_rec rec;

static int
clear(void **state)
{
	(void)state;
	memset(&rec, 0, sizeof(rec));
	return 0;
}

static void
is_at(int64_t at, enum pm_strike_grade g, int64_t px)
{
	px_t out = PX(-1);

	assert_int_equal(pm_strike_at(&rec, at, S(10), &out), g);
	assert_int_equal(out.e8, px < 0 ? -1 : D(px).e8);
}

static void
the_point_of_that_second(void **state)
{
	(void)state;
	is_at(S(100), PM_STRIKE_WAIT, -1);
	assert_true(pm_strike_add(&rec, S(98), D(10)));
	is_at(S(100), PM_STRIKE_WAIT, -1);
	is_at(S(97), PM_STRIKE_NONE, -1); /* we were not there */
	assert_true(pm_strike_add(&rec, S(100), D(11)));
	is_at(S(100), PM_STRIKE_EXACT, 11);
	is_at(S(98), PM_STRIKE_EXACT, 10);
	is_at(S(99), PM_STRIKE_NEAR, 10); /* 98 was the last before */
	assert_false(pm_strike_add(&rec, S(100), D(12))); /* again */
	assert_false(pm_strike_add(&rec, S(99), D(12)));  /* late */
	is_at(S(100), PM_STRIKE_EXACT, 11);
	assert_false(pm_strike_add(&rec, S(101), D(0)));
	assert_false(pm_strike_add(&rec, 0, D(1)));
}

/* T-03: holes of a minute and more are in every day. */
static void
T_03_a_hole_is_never_guessed_across(void **state)
{
	(void)state;
	pm_strike_add(&rec, S(100), D(10));
	pm_strike_add(&rec, S(122), D(20));
	is_at(S(109), PM_STRIKE_NEAR, 10);
	is_at(S(110), PM_STRIKE_NEAR, 10);
	is_at(S(110) + 1, PM_STRIKE_NONE, -1);
	is_at(S(121), PM_STRIKE_NONE, -1);
	is_at(S(122), PM_STRIKE_EXACT, 20);
}

static void
nothing_steps_back(void **state)
{
	(void)state;
	assert_int_equal(pm_strike_newest(&rec), 0);
	pm_strike_add(&rec, S(1000), D(10));
	assert_false(pm_strike_add(&rec, S(941), D(9)));
	assert_false(pm_strike_add(&rec, S(940), D(9)));
	assert_false(pm_strike_add(&rec, S(1), D(9)));
	assert_int_equal(pm_strike_newest(&rec), S(1000));
	is_at(S(1000), PM_STRIKE_EXACT, 10);
}

/* Against a list of all points, random times. */
static void
a_ring_is_a_list(void **state)
{
	enum {
		N = 5000
	};
	static int64_t at[N];
	uint64_t rng = 7;

	(void)state;
	for (int i = 0; i < N; i++) {
		rng = rng * 6364136223846793005u + 1442695040888963407u;
		at[i] = (i == 0 ? S(1) : at[i - 1]) + S(1 + (rng >> 40) % 14);
		assert_true(pm_strike_add(&rec, at[i], D(i + 1)));
		for (int k = i > 250 ? i - 250 : 0; k < i; k++) {
			px_t out;

			assert_int_equal(pm_strike_at(&rec, at[k], 0, &out),
			    PM_STRIKE_EXACT);
			assert_int_equal(out.e8, D(k + 1).e8);
			if (at[k + 1] == at[k] + S(1))
				continue;
			assert_int_equal(
			    pm_strike_at(&rec, at[k] + S(1), S(1), &out),
			    PM_STRIKE_NEAR);
			assert_int_equal(out.e8, D(k + 1).e8);
		}
	}
}

static const struct pm_strike_rule rule = {S(10), S(60), E8 / 10 * 9};

static void
our_own_average(void **state)
{
	px_t out = PX(-1);

	(void)state;
	for (int i = 0; i <= 30; i++)
		pm_strike_add(&rec, S(40 + i), D(10));
	assert_int_equal(
	    pm_strike_average(&rec, S(100), &rule, &out), PM_STRIKE_WAIT);
	for (int i = 31; i <= 60; i++)
		pm_strike_add(&rec, S(40 + i), D(20));
	/* 31 seconds of 10 and 29 of 20 */
	assert_int_equal(
	    pm_strike_average(&rec, S(100), &rule, &out), PM_STRIKE_NEAR);
	assert_int_equal(out.e8, (31 * D(10).e8 + 29 * D(20).e8) / 60);
}

static void
an_average_needs_coverage(void **state)
{
	(void)state;
	for (int hole = 0; hole < 40; hole++) {
		px_t out = PX(-1);
		bool enough = hole <= 16; /* 10 s held, 6 s of 60 unseen */

		clear(NULL);
		for (int s = 30; s <= 101; s++)
			if (s <= 60 || s >= 60 + hole)
				pm_strike_add(&rec, S(s), D(10));
		assert_int_equal(pm_strike_average(&rec, S(100), &rule, &out),
		    enough ? PM_STRIKE_NEAR : PM_STRIKE_NONE);
		assert_int_equal(out.e8, enough ? D(10).e8 : -1);
	}
}

/* T-02 */
static void
T_02_a_strike_says_where_it_is_from(void **state)
{
	struct instr in = {0};
	const int64_t bps = 5 * (int64_t)E8;

	(void)state;
	assert_false(pm_strike_take(&in, STRIKE_PROVISIONAL, PX(0), bps));
	assert_int_equal(in.strike_source, 0);
	assert_true(pm_strike_take(&in, STRIKE_PROVISIONAL, D(10000), bps));
	assert_int_equal(in.strike_source, STRIKE_PROVISIONAL);
	assert_false(pm_strike_take(&in, STRIKE_PROVISIONAL, D(10001), bps));
	assert_int_equal(in.strike_px.e8, D(10000).e8);
	assert_true(pm_strike_take(&in, STRIKE_OFFICIAL, D(10005), bps));
	assert_int_equal(in.strike_source, STRIKE_OFFICIAL);
	assert_int_equal(in.strike_px.e8, D(10005).e8);
	assert_false(pm_strike_take(&in, STRIKE_OFFICIAL, D(10005), bps));
	assert_false(pm_strike_take(&in, STRIKE_PROVISIONAL, D(10004), bps));
	assert_true(pm_strike_take(&in, STRIKE_PROVISIONAL, D(9900), bps));
	assert_int_equal(in.strike_source, STRIKE_CONFLICT);
	assert_int_equal(in.strike_px.e8, D(10005).e8);
	assert_false(pm_strike_take(&in, STRIKE_OFFICIAL, D(9900), bps));
	assert_int_equal(in.strike_source, STRIKE_CONFLICT);
	memset(&in, 0, sizeof(in));
	pm_strike_take(&in, STRIKE_PROVISIONAL, D(10000), bps);
	assert_true(pm_strike_take(&in, STRIKE_OFFICIAL, D(10006), bps));
	assert_int_equal(in.strike_source, STRIKE_CONFLICT);
}

/* T-01 */
static void
T_01_a_tie_is_up(void **state)
{
	struct instr in = {.strike_px = D(10), .tie_yes = 1};

	(void)state;
	assert_int_equal(pm_strike_outcome(&in), 0);
	in.close_px = D(10);
	assert_int_equal(pm_strike_outcome(&in), OUTCOME_YES);
	in.close_px.e8--;
	assert_int_equal(pm_strike_outcome(&in), OUTCOME_NO);
	in.close_px.e8 += 2;
	assert_int_equal(pm_strike_outcome(&in), OUTCOME_YES);
	in.close_px = D(10);
	in.tie_yes = 0;
	assert_int_equal(pm_strike_outcome(&in), OUTCOME_NO);
}

#define T(f) cmocka_unit_test_setup(f, clear)

static void
what_comes_late_fills_the_record(void **state)
{
	static struct pm_strike_rec r;
	px_t px;

	(void)state;
	memset(&r, 0, sizeof(r));
	assert_false(pm_strike_fill(&r, 5 * NS_PER_S, PX(5)));
	for (int64_t s = 2; s <= 2 * PM_STRIKE_N; s += 2) {
		assert_true(pm_strike_add(&r, s * NS_PER_S, PX(s)));
		if (s == 6) { /* not full: before all, between */
			assert_true(pm_strike_fill(&r, NS_PER_S, PX(1)));
			assert_true(pm_strike_fill(&r, 5 * NS_PER_S, PX(5)));
			assert_int_equal(r.n, 5);
		}
	}
	/* full by now: 1 and 2 made room for the last two */
	assert_int_equal(r.n, PM_STRIKE_N);
	assert_false(pm_strike_fill(&r, 4 * NS_PER_S, PX(9)));
	assert_false(pm_strike_fill(&r, NS_PER_S, PX(1)));
	assert_false(pm_strike_fill(&r, 1001 * NS_PER_S, PX(9)));
	assert_false(pm_strike_fill(&r, 101 * NS_PER_S, PX(0)));
	assert_true(pm_strike_fill(&r, 101 * NS_PER_S, PX(101)));
	assert_int_equal(r.n, PM_STRIKE_N);
	for (int64_t s = 6; s <= 2 * PM_STRIKE_N; s += 2) {
		assert_int_equal(
		    pm_strike_at(&r, s * NS_PER_S, 0, &px), PM_STRIKE_EXACT);
		assert_int_equal(px.e8, s);
	}
	assert_int_equal(
	    pm_strike_at(&r, 101 * NS_PER_S, 0, &px), PM_STRIKE_EXACT);
	assert_int_equal(px.e8, 101);
	assert_int_equal(
	    pm_strike_at(&r, 5 * NS_PER_S, 0, &px), PM_STRIKE_EXACT);
	assert_int_equal(
	    pm_strike_at(&r, 4 * NS_PER_S, 0, &px), PM_STRIKE_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_point_of_that_second),
	    T(T_03_a_hole_is_never_guessed_across),
	    T(nothing_steps_back),
	    T(a_ring_is_a_list),
	    T(our_own_average),
	    T(an_average_needs_coverage),
	    T(T_02_a_strike_says_where_it_is_from),
	    T(T_01_a_tie_is_up),
	    T(what_comes_late_fills_the_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
