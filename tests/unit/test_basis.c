/* links: libcore */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/basis.h"
#include "libcore/fixed.h"
#include "libcore/hash.h"
#include "tests/unit/contract.h"

static const struct basis_cfg cfg = {
    .halflife_ns = 300 * NS_PER_S,
    .lead_halflife_ns = 600 * NS_PER_S,
    .lag_ns = 100 * NS_PER_MS,
    .gap_ns = 5 * NS_PER_S,
    .outlier = 5.0,
    .min_n = 60,
    .fit_min = 0.2,
};

#define TENTHS 20000

static struct basis b;
static double path[TENTHS];

/* A walk of ten points a second. */
static void
walk(uint64_t seed)
{
	double x = log(60000.0);

	for (int i = 0; i < TENTHS; i++) {
		seed = hash_u64(seed, (uint64_t)i);
		x += ((seed & 1) != 0 ? 1.0 : -1.0) * 2e-5;
		path[i] = x;
	}
}

static uint64_t
at_ns(int tenth)
{
	return (uint64_t)(tenth + 1000) * 100 * NS_PER_MS;
}

/* Both streams from tenth `from` to `to`: the settlement ticks once a second
 * and is `lag` tenths late. */
static void
feed(int from, int to, int lag, double basis, double noise)
{
	uint64_t r = 5;

	for (int i = from; i < to; i++) {
		basis_ref(&b, at_ns(i), exp(path[i]));
		if (i % 10 != 0 || i < lag)
			continue;
		r = hash_u64(r, (uint64_t)i);
		basis_settle(&b, &cfg, at_ns(i),
		    exp(path[i - lag] - basis +
			((r & 1) != 0 ? noise : -noise)));
	}
}

static struct basis_out
get(void)
{
	struct basis_out out;

	memset(&out, 0, sizeof(out));
	assert_true(basis_get(&b, &cfg, &out));
	return out;
}

static void
basis_and_lead_are_found(void **state)
{
	(void)state;
	walk(1);
	for (int lag = 0; lag <= 40; lag += 8) {
		struct basis_out out;

		basis_init(&b);
		feed(0, TENTHS, lag, 0.0005, 1e-5);
		out = get();
		assert_true(out.lead_known);
		assert_true(fabs(out.lead_s - lag / 10.0) < 0.05);
		assert_true(out.fit > 0.8);
		assert_true(fabs(out.basis - 0.0005) < 5e-6);
		assert_true(out.noise > 0.5e-5 && out.noise < 3e-5);
	}
}

static void
too_few_samples_give_nothing(void **state)
{
	struct basis_out out;

	(void)state;
	basis_init(&b);
	feed(0, 500, 0, 0.0, 0.0);
	assert_false(basis_get(&b, &cfg, &out));
	feed(500, 1100, 0, 0.0, 0.0);
	assert_true(basis_get(&b, &cfg, &out));
}

static void
two_strangers_have_no_lead(void **state)
{
	uint64_t r = 4711;
	double x = log(60000.0);

	(void)state;
	basis_init(&b);
	for (int i = 0; i < TENTHS; i++) {
		basis_ref(&b, at_ns(i), exp(path[i]));
		r = hash_u64(r, (uint64_t)i);
		x += ((r & 1) != 0 ? 1.0 : -1.0) * 2e-5;
		if (i % 10 == 0)
			basis_settle(&b, &cfg, at_ns(i), exp(x));
	}
	assert_false(get().lead_known);
	assert_true(fabs(get().lead_s) < 1e-12);
}

/* One tick in fifty is 1 % off. */
static void
outliers_hardly_move_it(void **state)
{
	(void)state;
	basis_init(&b);
	for (int i = 0; i < TENTHS; i++) {
		basis_ref(&b, at_ns(i), exp(path[i]));
		if (i % 10 == 0 && i >= 12)
			basis_settle(&b, &cfg, at_ns(i),
			    exp(path[i - 12] - 0.0005 +
				(i % 500 == 0 ? 0.01 : 0.0)));
	}
	assert_true(fabs(get().basis - 0.0005) < 2e-5);
}

static void
a_bad_first_tick_is_forgotten(void **state)
{
	(void)state;
	basis_init(&b);
	basis_ref(&b, at_ns(-900), exp(path[0]));
	basis_ref(&b, at_ns(-850), exp(path[0]));
	basis_settle(&b, &cfg, at_ns(-850), exp(path[0]) * 1.02);
	feed(0, TENTHS, 0, 0.0005, 1e-5);
	assert_true(fabs(get().basis - 0.0005) < 2e-5);
}

static void
it_follows_a_basis_that_drifts(void **state)
{
	(void)state;
	basis_init(&b);
	feed(0, TENTHS / 2, 10, 0.0005, 1e-5);
	feed(TENTHS / 2, TENTHS, 10, 0.0008, 1e-5);
	/* A thousand seconds are more than three half-lives. */
	assert_true(get().basis > 0.00072);
	assert_true(get().basis < 0.00081);
}

static void
holes_make_no_samples(void **state)
{
	struct basis_out before;
	uint64_t n;

	(void)state;
	basis_init(&b);
	feed(0, TENTHS / 2, 10, 0.0005, 1e-5);
	before = get();
	n = b.n;
	/* The reference stops; the settlement goes on and moves by 1 %. */
	for (int i = TENTHS / 2; i < TENTHS; i += 10)
		basis_settle(
		    &b, &cfg, at_ns(i + 60), exp(path[TENTHS / 2] + 0.01));
	assert_int_equal(b.n, n);
	assert_true(fabs(get().basis - before.basis) < 1e-12);
	assert_true(fabs(get().lead_s - before.lead_s) < 1e-12);
}

static void
nonsense_is_ignored(void **state)
{
	static const double odd[] = {0.0, -1.0, (double)NAN, (double)INFINITY};
	struct basis_out before;

	(void)state;
	basis_init(&b);
	feed(0, TENTHS / 2, 10, 0.0005, 1e-5);
	before = get();
	for (size_t i = 0; i < 4; i++) {
		basis_ref(&b, at_ns(TENTHS), odd[i]);
		basis_settle(&b, &cfg, at_ns(TENTHS), odd[i]);
	}
	basis_ref(&b, 1, 1.0);
	basis_settle(&b, &cfg, 1, 1.0);
	assert_true(b.settle_ns == at_ns(TENTHS / 2 - 10));
	assert_true(fabs(get().basis - before.basis) < 1e-15);
}

/* A thousand reference ticks a second: the ring still reaches back. */
static void
a_busy_reference_does_not_shorten_memory(void **state)
{
	(void)state;
	basis_init(&b);
	for (int i = 0; i < 1000000; i++) {
		uint64_t now = at_ns(0) + (uint64_t)i * NS_PER_MS;

		basis_ref(&b, now, exp(path[i / 100]));
		if (i % 1000 == 0 && i >= 3500)
			basis_settle(
			    &b, &cfg, now, exp(path[(i - 3500) / 100]));
	}
	assert_true(fabs(get().lead_s - 3.5) < 0.11);
}

static void
no_step(void)
{
	struct basis_cfg c = cfg;

	c.lag_ns = 0;
	basis_settle(&b, &c, at_ns(TENTHS), 1.0);
}

static void
broken_contracts_abort(void **state)
{
	(void)state;
	assert_true(contract_fails(no_step));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(basis_and_lead_are_found),
	    cmocka_unit_test(too_few_samples_give_nothing),
	    cmocka_unit_test(two_strangers_have_no_lead),
	    cmocka_unit_test(outliers_hardly_move_it),
	    cmocka_unit_test(a_bad_first_tick_is_forgotten),
	    cmocka_unit_test(it_follows_a_basis_that_drifts),
	    cmocka_unit_test(holes_make_no_samples),
	    cmocka_unit_test(nonsense_is_ignored),
	    cmocka_unit_test(a_busy_reference_does_not_shorten_memory),
	    cmocka_unit_test(broken_contracts_abort),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
