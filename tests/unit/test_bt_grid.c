/* links: backtest libshm libcore */
/* Which settings a sweep tries, and which piece of the time they see. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backtest/grid.h"
#include "tests/unit/contract.h"

static struct grid g;
static char why[256];

static int
setup(void **state)
{
	(void)state;
	memset(&g, 0, sizeof(g));
	return 0;
}

static void
expect(uint32_t trial, const char *a, const char *b)
{
	char text[GRID_SET];

	grid_set(&g, trial, 0, text);
	assert_string_equal(text, a);
	grid_set(&g, trial, 1, text);
	assert_string_equal(text, b);
}

static void
every_combination_once(void **state)
{
	(void)state;
	assert_true(grid_add(&g, "a.b=x,y,z", why, sizeof(why)));
	assert_true(grid_add(&g, "c.d=1..3/5", why, sizeof(why)));
	assert_true(grid_done(&g, 0, 1, why, sizeof(why)));
	assert_int_equal(g.trial_n, 15);
	expect(0, "a.b=x", "c.d=1");
	expect(1, "a.b=x", "c.d=1.5");
	expect(4, "a.b=x", "c.d=3");
	expect(5, "a.b=y", "c.d=1");
	expect(14, "a.b=z", "c.d=3");
}

static void
units_stay(void **state)
{
	char text[GRID_SET];

	(void)state;
	assert_true(grid_add(&g, "exec.x=5ms..10ms/2", why, sizeof(why)));
	assert_true(grid_add(&g, "exec.y=-1..1/3", why, sizeof(why)));
	assert_true(grid_done(&g, 0, 1, why, sizeof(why)));
	expect(0, "exec.x=5ms", "exec.y=-1");
	expect(4, "exec.x=10ms", "exec.y=0");
	setup(state);
	assert_true(grid_add(&g, "exec.x=5..9ms", why, sizeof(why)));
	assert_true(grid_done(&g, 100, 7, why, sizeof(why)));
	for (uint32_t i = 0; i < 100; i++) {
		grid_value(&g, i, 0, text);
		assert_true(text[0] >= '5' && text[0] <= '9');
		assert_non_null(strstr(text, "ms"));
	}
}

static void
draws_are_of_the_seed(void **state)
{
	char a[GRID_TEXT];
	char b[GRID_TEXT];
	unsigned same = 0;

	(void)state;
	assert_true(grid_add(&g, "x.y=0..1000", why, sizeof(why)));
	assert_true(grid_done(&g, 1000, 1, why, sizeof(why)));
	for (uint32_t i = 1; i < 1000; i++) {
		grid_value(&g, i, 0, a);
		grid_value(&g, i - 1, 0, b);
		same += strcmp(a, b) == 0;
	}
	assert_true(same < 10);
	grid_value(&g, 999, 0, a);
	g.seed = 2;
	grid_value(&g, 999, 0, b);
	assert_string_not_equal(a, b);
}

static void
what_is_refused(void **state)
{
	static const char *const bad[] = {"", "x", "=1", "x.y=", "x.y=1,,2",
	    "x.y=2..1", "x.y=1..2/1", "x.y=1..2/x", "x.y=1..", "x.y=1s..2m"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setup(state);
		if (grid_add(&g, bad[i], why, sizeof(why)))
			fail_msg("\"%s\" was taken", bad[i]);
	}
	setup(state);
	assert_false(grid_done(&g, 0, 1, why, sizeof(why)));
	assert_true(grid_add(&g, "x.y=1..2", why, sizeof(why)));
	assert_false(grid_done(&g, 0, 1, why, sizeof(why)));
	assert_true(grid_done(&g, 5, 1, why, sizeof(why)));
	setup(state);
	for (unsigned i = 0; i < 4; i++)
		assert_true(grid_add(&g, "x.y=1..2/64", why, sizeof(why)));
	assert_false(grid_done(&g, 0, 1, why, sizeof(why)));
}

/* Nothing is trained on what it is tested with, or on what came later. */
static void
pieces_of_time(void **state)
{
	int64_t a, b, c, d;

	(void)state;
	for (uint32_t folds = 1; folds < 6; folds++)
		for (uint32_t f = 0; f < folds; f++) {
			grid_window(1000, 7001, folds, f, false, &a, &b);
			grid_window(1000, 7001, folds, f, true, &c, &d);
			assert_true(a < b);
			assert_int_equal(b, c);
			assert_true(c < d);
			assert_true(f > 0 || a == 1000);
			assert_true(f + 1 < folds || d == 7001);
		}
}

static void
value_of_no_trial(void)
{
	char text[GRID_TEXT];

	grid_value(&g, g.trial_n, 0, text);
}

static void
contracts(void **state)
{
	(void)state;
	assert_true(grid_add(&g, "x.y=1,2", why, sizeof(why)));
	assert_true(grid_done(&g, 0, 1, why, sizeof(why)));
	assert_true(contract_fails(value_of_no_trial));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(every_combination_once, setup),
	    cmocka_unit_test_setup(units_stay, setup),
	    cmocka_unit_test_setup(draws_are_of_the_seed, setup),
	    cmocka_unit_test_setup(what_is_refused, setup),
	    cmocka_unit_test_setup(pieces_of_time, setup),
	    cmocka_unit_test_setup(contracts, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
