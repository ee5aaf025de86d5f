/* links: libcore */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libcore/astoikov.h"
#include "libcore/fixed.h"
#include "libcore/hash.h"
#include "tests/unit/contract.h"

static const struct as_gamma_cfg gc = {
    .base = 0.2, .cap_mult = 3.0, .max = 1.0};
static const struct as_kappa_cfg kc = {
    .bin = 0.005, .halflife_s = 3600.0, .min_n = 50.0};

static bool
near(double a, double b)
{
	return fabs(a - b) < 1e-12;
}

/* Baseline 0.05; the worked values of the specification. */
static void
gamma_has_its_worked_values(void **state)
{
	static const double cur[] = {0.03, 0.05, 0.10, 0.20};
	static const double want[] = {0.32, 0.40, 0.60, 0.60};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_true(
		    near(as_gamma(&gc, true, cur[i] / 0.05, 1.0), want[i]));
	assert_true(near(as_gamma(&gc, false, 0.0, 1.0), 0.2));
}

/* Cap, then the toxic factor, then the absolute cap; the base never moves. */
static void
T_78_toxic_factor_comes_after_the_cap(void **state)
{
	(void)state;
	assert_true(near(as_gamma(&gc, true, 5.0, 1.5), 0.9));
	assert_true(near(as_gamma(&gc, true, 0.0, 1.5), 0.3));
	assert_true(near(as_gamma(&gc, true, 5.0, 2.0), 1.0));
	assert_true(near(as_gamma(&gc, true, 5.0, 1.0), 0.6));
}

static void
shift_is_its_formula_and_capped(void **state)
{
	struct as_shift_in in = {0.4, 0.5, 1e-6, 900.0, 1.0, 0.05};

	(void)state;
	assert_true(near(as_shift(&in), 0.4 * 0.5 * 1e-6 * 900.0));
	in.q = -0.5;
	assert_true(as_shift(&in) < 0.0);
	in.scale = 60000.0;
	assert_true(near(as_shift(&in), -0.05));
	in.q = 0.0;
	assert_true(near(as_shift(&in), 0.0));
}

static void
spread_is_its_formula(void **state)
{
	(void)state;
	assert_true(near(as_spread(0.4, 1e-6, 900.0, 100.0),
	    0.4 * 9e-4 + 2.0 / 0.4 * log(1.0 + 0.4 / 100.0)));
	/* Without aversion what is left is the price of being far away. */
	assert_true(fabs(as_spread(0.0, 1e-6, 900.0, 100.0) - 0.02) < 1e-12);
	assert_true(fabs(as_spread(1e-9, 1e-6, 900.0, 100.0) - 0.02) < 1e-9);
	for (double k = 10.0; k < 1000.0; k *= 1.5)
		assert_true(as_spread(0.4, 1e-6, 900.0, k) >
			    as_spread(0.4, 1e-6, 900.0, 1.1 * k));
}

/* n trades a second apart at exponential distances. */
static void
trades(struct as_kappa *k, double kappa, uint64_t from_s, int n)
{
	uint64_t r = 17;

	for (int i = 0; i < n; i++) {
		double u;

		r = hash_u64(r, (uint64_t)i);
		u = ((double)(r >> 11) + 0.5) / 9007199254740992.0;
		as_kappa_trade(
		    k, &kc, (from_s + (uint64_t)i) * NS_PER_S, -log(u) / kappa);
	}
}

static void
kappa_is_found_from_trades(void **state)
{
	static const double made[] = {50.0, 100.0, 200.0};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct as_kappa k;
		double kappa;
		double rate;

		as_kappa_init(&k);
		trades(&k, made[i], 1, 20000);
		assert_true(as_kappa_fit(&k, &kc, &kappa, &rate));
		assert_true(fabs(kappa / made[i] - 1.0) < 0.1);
		/* One trade a second reaches distance 0. */
		assert_true(fabs(rate - 1.0) < 0.15);
	}
}

static void
kappa_forgets(void **state)
{
	struct as_kappa k;
	double kappa;
	double rate;

	(void)state;
	as_kappa_init(&k);
	trades(&k, 50.0, 1, 20000);
	trades(&k, 200.0, 20001, 20000);
	assert_true(as_kappa_fit(&k, &kc, &kappa, &rate));
	assert_true(kappa > 150.0);
}

static void
too_little_is_no_fit(void **state)
{
	struct as_kappa k;
	double kappa = -1.0;
	double rate = -1.0;

	(void)state;
	as_kappa_init(&k);
	assert_false(as_kappa_fit(&k, &kc, &kappa, &rate));
	trades(&k, 100.0, 1, 40);
	assert_false(as_kappa_fit(&k, &kc, &kappa, &rate));
	as_kappa_init(&k);
	/* All at one distance. */
	for (uint64_t i = 1; i < 1000; i++)
		as_kappa_trade(&k, &kc, i * NS_PER_S, 0.0);
	assert_false(as_kappa_fit(&k, &kc, &kappa, &rate));
	as_kappa_init(&k);
	/* A line through two points says nothing about its fit. */
	for (uint64_t i = 1; i < 1000; i++)
		as_kappa_trade(&k, &kc, i * NS_PER_S, i % 3 == 0 ? 0.006 : 0.0);
	assert_false(as_kappa_fit(&k, &kc, &kappa, &rate));
	as_kappa_init(&k);
	/* All far away: no decay. */
	for (uint64_t i = 1; i < 1000; i++)
		as_kappa_trade(&k, &kc, i * NS_PER_S, 1e300);
	assert_false(as_kappa_fit(&k, &kc, &kappa, &rate));
	assert_true(kappa < 0.0 && rate < 0.0);
	as_kappa_trade(&k, &kc, 1, (double)NAN);
	as_kappa_trade(&k, &kc, 1, -5.0);
	assert_true(near(k.hits[0], 2.0));
}

static void
no_kappa(void)
{
	(void)!isnan(as_spread(0.2, 1.0, 1.0, 0.0));
}

static void
calming_poison(void)
{
	(void)!isnan(as_gamma(&gc, false, 0.0, 0.5));
}

static void
raw_shares(void)
{
	struct as_shift_in in = {0.4, 227.6, 0.0025, 1.0, 1.0, 1.0};

	(void)!isnan(as_shift(&in));
}

static void
broken_contracts_abort(void **state)
{
	(void)state;
	assert_true(contract_fails(no_kappa));
	assert_true(contract_fails(calming_poison));
	assert_true(contract_fails(raw_shares));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gamma_has_its_worked_values),
	    cmocka_unit_test(T_78_toxic_factor_comes_after_the_cap),
	    cmocka_unit_test(shift_is_its_formula_and_capped),
	    cmocka_unit_test(spread_is_its_formula),
	    cmocka_unit_test(kappa_is_found_from_trades),
	    cmocka_unit_test(kappa_forgets),
	    cmocka_unit_test(too_little_is_no_fit),
	    cmocka_unit_test(broken_contracts_abort),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
