/* links: libcore */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "libcore/kelly.h"
#include "tests/unit/contract.h"

static const struct kelly_cfg cfg = {
    .fraction = 0.25,
    .trade_max_frac = 0.01,
    .alloc_min_frac = 0.05,
    .alloc_max_frac = 0.15,
    .concurrent_max = 3,
};

static const struct {
	double prob;
	double cost;
	double f;
} fraction[] = {
    {0.6, 0.5, 0.2}, /* b 1: (0.6 - 0.4) / 1                    */
    {0.55, 0.5, 0.1},
    {0.3, 0.25, 1.0 / 15.0}, /* b 3: (0.9 - 0.7) / 3                   */
    {0.9, 0.8, 0.5},	     /* b 1/4: (0.225 - 0.1) / 0.25             */
    {0.5, 0.5, 0.0},
    {0.4, 0.5, -0.2},
    {1.0, 0.5, 1.0},
    {0.0, 0.5, -1.0},
    {0.5, 0.0, 0.0},
    {0.5, 1.0, 0.0},
    {1.5, 0.5, 0.0},
    {(double)NAN, 0.5, 0.0},
    {0.5, (double)NAN, 0.0},
};

static void
fractions_are_kellys(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fraction) / sizeof(fraction[0]); i++)
		assert_true(
		    fabs(kelly_fraction(fraction[i].prob, fraction[i].cost) -
			 fraction[i].f) < 1e-12);
	/* The same by the odds. */
	for (double c = 0.05; c < 1.0; c += 0.05) {
		double b = (1.0 - c) / c;
		double p = 0.37;

		assert_true(fabs(kelly_fraction(p, c) -
				 (b * p - (1.0 - p)) / b) < 1e-12);
	}
}

/* Bankroll $1,000; quarter Kelly; $10 a trade; the strategy between $50 and
 * $150. */
static const struct {
	double prob;
	int64_t cost_e8;
	double alloc;
	int64_t at_stake_e6;
	uint32_t open_n;
	int64_t stake_e6;
	enum kelly_limit limit;
} stake[] = {
    {0.51, 50000000, 0.1, 0, 0, 5000000, KELLY_FREE},
    {0.60, 50000000, 0.1, 0, 0, 10000000, KELLY_TRADE},
    {0.60, 50000000, 0.1, 93000000, 2, 7000000, KELLY_ALLOC},
    {0.60, 50000000, 0.1, 120000000, 2, 0, KELLY_ALLOC},
    {0.60, 50000000, 0.01, 45000000, 2, 5000000, KELLY_ALLOC},
    {0.60, 50000000, 0.9, 145000000, 2, 5000000, KELLY_ALLOC},
    {0.60, 50000000, 0.1, 0, 3, 0, KELLY_FULL},
    {0.50, 50000000, 0.1, 0, 0, 0, KELLY_NO_EDGE},
    {0.40, 50000000, 0.1, 0, 0, 0, KELLY_NO_EDGE},
    {0.60, 100000000, 0.1, 0, 0, 0, KELLY_NO_EDGE},
    {(double)NAN, 50000000, 0.1, 0, 0, 0, KELLY_NO_EDGE},
};

static void
stakes_stay_within_every_limit(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stake) / sizeof(stake[0]); i++) {
		struct kelly_in in = {
		    .bankroll = USD(1000 * E6),
		    .prob = stake[i].prob,
		    .cost = PX(stake[i].cost_e8),
		    .alloc_frac = stake[i].alloc,
		    .at_stake = USD(stake[i].at_stake_e6),
		    .open_n = stake[i].open_n,
		};
		enum kelly_limit limit = KELLY_LIMIT_N;

		assert_int_equal(
		    kelly_stake(&cfg, &in, &limit).e6, stake[i].stake_e6);
		assert_int_equal(limit, stake[i].limit);
	}
}

static void
any_input_stays_within_bounds(void **state)
{
	uint64_t r = 11;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct kelly_in in;
		enum kelly_limit limit;
		usd_t s;

		r = hash_u64(r, (uint64_t)i);
		in.bankroll = USD((int64_t)(r % 2000000000) - 1000000);
		in.prob = (double)(r >> 11 & 1023) / 1000.0;
		in.cost = PX((int64_t)(r >> 21 & 127) * 1000000);
		in.alloc_frac = (double)(r >> 30 & 255) / 200.0;
		in.at_stake = USD((int64_t)(r >> 32 & 0xfffffff));
		in.open_n = (uint32_t)(r >> 60);
		s = kelly_stake(&cfg, &in, &limit);
		assert_true(s.e6 >= 0);
		assert_true(100 * s.e6 <= i64_max(0, in.bankroll.e6) + 100);
		assert_true(s.e6 == 0 || s.e6 + in.at_stake.e6 <=
					     in.bankroll.e6 * 15 / 100 + 1);
		assert_in_range(limit, KELLY_FREE, KELLY_LIMIT_N - 1);
	}
}

static void
bounds_the_wrong_way_round(void)
{
	struct kelly_cfg c = cfg;

	c.alloc_min_frac = 0.5;
	kelly_allocation(&c, USD(1), 0.1);
}

static void
broken_contracts_abort(void **state)
{
	(void)state;
	assert_true(contract_fails(bounds_the_wrong_way_round));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fractions_are_kellys),
	    cmocka_unit_test(stakes_stay_within_every_limit),
	    cmocka_unit_test(any_input_stays_within_bounds),
	    cmocka_unit_test(broken_contracts_abort),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
