/* links: libcore */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/fair.h"
#include "libcore/normal.h"
#include "tests/unit/contract.h"

static const struct fair_cfg gbm = {.model = FAIR_GBM};
static const struct fair_cfg twap = {.model = FAIR_TWAP};

/* A quarter of an hour at 50 % a year, spot at the strike. */
static struct fair_in
calm(void)
{
	struct fair_in in = {
	    .spot = 100.0,
	    .strike = 100.0,
	    .var_s = 0.25 / 31536000.0,
	    .left_s = 900.0,
	    .lookback_s = 60.0,
	    .tie_yes = true,
	    .samples = 300.0,
	};
	return in;
}

static double
yes_of(const struct fair_in *in, const struct fair_cfg *c)
{
	struct fair_out out;

	fair_value(in, c, &out);
	assert_true(fabs(out.yes + out.no - 1.0) < 1e-15);
	return out.yes;
}

static void
gbm_is_its_formula(void **state)
{
	struct fair_in in = calm();
	struct fair_out out;
	double sd = sqrt(in.var_s * 900.0);

	(void)state;
	in.spot = 100.2;
	fair_value(&in, &gbm, &out);
	assert_int_equal(out.state, FAIR_OK);
	assert_true(fabs(out.sd - sd) < 1e-15);
	assert_true(fabs(out.d - (log(1.002) - sd * sd / 2.0) / sd) < 1e-12);
	assert_true(fabs(out.yes - normal_cdf(out.d)) < 1e-15);
	/* By hand: sd 0.267 %, 0.749 of them above: 0.7726. */
	assert_true(fabs(out.yes - 0.7726) < 5e-4);
}

static void
basis_takes_the_reference_to_the_settlement(void **state)
{
	struct fair_in in = calm();

	(void)state;
	in.spot = 100.0 * exp(0.0005);
	in.basis = 0.0005;
	assert_true(fabs(yes_of(&in, &gbm) - 0.5) < 1e-3);
	in.basis = 0.0;
	assert_true(yes_of(&in, &gbm) > 0.55);
}

static void
lead_leaves_less_time_open(void **state)
{
	struct fair_in in = calm();
	struct fair_out late;
	struct fair_out now;

	(void)state;
	in.spot = 100.02;
	in.left_s = 10.0;
	fair_value(&in, &gbm, &now);
	in.lead_s = 2.0;
	fair_value(&in, &gbm, &late);
	assert_true(fabs(late.sd - now.sd * sqrt(0.8)) < 1e-12);
	assert_true(late.yes > now.yes);
	/* With T below the lead nothing is open. */
	in.left_s = 1.0;
	fair_value(&in, &gbm, &late);
	assert_true(late.yes >= 1.0);
}

static void
average_ahead_has_a_third_of_its_variance(void **state)
{
	struct fair_in in = calm();
	struct fair_out out;

	(void)state;
	in.left_s = 60.0;
	fair_value(&in, &twap, &out);
	assert_true(fabs(out.sd * out.sd / (in.var_s * 20.0) - 1.0) < 1e-4);
	in.left_s = 360.0;
	fair_value(&in, &twap, &out);
	assert_true(fabs(out.sd * out.sd / (in.var_s * 320.0) - 1.0) < 1e-4);
}

static void
what_is_seen_weighs(void **state)
{
	struct fair_in in = calm();
	struct fair_out out;

	(void)state;
	in.left_s = 20.0;
	in.seen_s = 40.0;
	in.seen_px = 99.9;
	/* The open third must average 100.2. */
	fair_value(&in, &twap, &out);
	assert_true(
	    fabs(out.d - (log(100.0 / 100.2) / out.sd - out.sd / 2)) < 1e-6);
	assert_true(
	    fabs(out.sd * out.sd / (in.var_s * 20.0 / 3.0) - 1.0) < 1e-4);
	in.seen_px = 160.0;
	assert_true(yes_of(&in, &twap) >= 1.0);
}

static void
lead_makes_part_of_the_average_known(void **state)
{
	struct fair_in in = calm();
	struct fair_out out;

	(void)state;
	in.left_s = 2.0;
	in.seen_s = 58.0;
	in.seen_px = 100.001;
	in.lead_s = 2.0;
	in.lead_px = 99.98;
	/* (58 * 100.001 + 2 * 99.98) / 60 = 100.0003 */
	fair_value(&in, &twap, &out);
	assert_true(out.yes >= 1.0);
	in.lead_px = 99.96;
	fair_value(&in, &twap, &out);
	assert_true(out.yes <= 0.0);
}

/* Without the observed part the answer is defined, broader and said to be
 * worth nothing. */
static void
an_unseen_window_is_not_made_up(void **state)
{
	struct fair_in in = calm();
	struct fair_cfg c = twap;
	struct fair_out out;
	struct fair_out seen;

	(void)state;
	in.left_s = 20.0;
	in.spot = 100.05;
	fair_value(&in, &c, &out);
	assert_int_equal(out.state, FAIR_OK);
	assert_true(out.confidence <= 0.0);
	assert_true(out.yes > 0.5);
	in.seen_s = 20.0;
	in.seen_px = 100.05;
	fair_value(&in, &c, &seen);
	assert_true(seen.yes > out.yes);
	assert_true(fabs(seen.confidence - 0.5) < 1e-12);
}

static void
ties_go_where_the_market_says(void **state)
{
	struct fair_in in = calm();

	(void)state;
	in.left_s = 0.0;
	assert_true(yes_of(&in, &gbm) >= 1.0);
	in.tie_yes = false;
	assert_true(yes_of(&in, &gbm) <= 0.0);
	in.left_s = 900.0;
	in.var_s = 0.0;
	assert_true(yes_of(&in, &gbm) <= 0.0);
	assert_true(yes_of(&in, &twap) <= 0.0);
	in.tie_yes = true;
	assert_true(yes_of(&in, &twap) >= 1.0);
}

static void
after_the_end_it_is_one_or_zero(void **state)
{
	struct fair_in in = calm();
	struct fair_out out;

	(void)state;
	in.left_s = -3.0;
	in.spot = 100.1;
	in.seen_px = 99.9;
	in.seen_s = 60.0;
	fair_value(&in, &gbm, &out);
	assert_int_equal(out.state, FAIR_OVER);
	assert_true(out.yes >= 1.0);
	/* The average decides, not the last price. */
	fair_value(&in, &twap, &out);
	assert_int_equal(out.state, FAIR_OVER);
	assert_true(out.yes <= 0.0);
	in.seen_s = 0.0;
	fair_value(&in, &twap, &out);
	assert_true(out.yes >= 1.0);
	assert_true(out.confidence <= 0.0);
}

static void
what_is_missing_is_named(void **state)
{
	static const double none[] = {
	    0.0, -1.0, 1e300, 1e-300, (double)NAN, (double)INFINITY};
	struct fair_out out;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct fair_in in = calm();

		in.spot = none[i];
		fair_value(&in, &twap, &out);
		assert_int_equal(out.state, FAIR_NO_SPOT);
		assert_true(out.confidence <= 0.0 && fabs(out.yes - .5) < 1e-9);
		in = calm();
		in.strike = none[i];
		fair_value(&in, &twap, &out);
		assert_int_equal(out.state, FAIR_NO_STRIKE);
	}
	struct fair_in in = calm();

	in.var_s = (double)NAN;
	fair_value(&in, &gbm, &out);
	assert_int_equal(out.state, FAIR_NO_VOL);
	assert_string_equal(fair_state_name(out.state), "no_vol");
	in.var_s = -1e-9;
	fair_value(&in, &gbm, &out);
	assert_int_equal(out.state, FAIR_NO_VOL);
}

static void
confidence_falls_with_each_thing(void **state)
{
	struct fair_cfg c = {
	    .model = FAIR_GBM,
	    .spot_age_max_s = 2.0,
	    .settle_age_max_s = 60.0,
	    .fade_s = 30.0,
	    .provisional = 0.5,
	    .samples_full = 300.0,
	};
	struct fair_in in = calm();
	struct fair_out out;

	(void)state;
	fair_value(&in, &c, &out);
	assert_true(fabs(out.confidence - 1.0) < 1e-12);
	in.spot_age_s = 0.5;
	fair_value(&in, &c, &out);
	assert_true(fabs(out.confidence - 0.75) < 1e-12);
	in.settle_age_s = 30.0;
	fair_value(&in, &c, &out);
	assert_true(fabs(out.confidence - 0.375) < 1e-12);
	in.samples = 30.0;
	fair_value(&in, &c, &out);
	assert_true(fabs(out.confidence - 0.0375) < 1e-12);
	in.provisional = true;
	fair_value(&in, &c, &out);
	assert_true(fabs(out.confidence - 0.01875) < 1e-12);
	in.left_s = 3.0;
	fair_value(&in, &c, &out);
	assert_true(fabs(out.confidence - 0.001875) < 1e-12);
	in = calm();
	in.spot_age_s = (double)NAN;
	fair_value(&in, &c, &out);
	assert_true(out.confidence <= 0.0);
}

/* One tick of noise 5 s before the end, spot at the strike: uncapped the
 * answer flips from 0.02 to 0.98, capped it moves by the cap at most. */
static void
T_75_one_tick_near_expiry_does_not_flip_fair(void **state)
{
	struct fair_cfg c = gbm;
	struct fair_in in = calm();
	double noise = 0.0005;
	double lo;
	double hi;

	(void)state;
	in.left_s = 5.0;
	in.noise = noise;
	in.spot = 100.0 * exp(-noise);
	lo = yes_of(&in, &c);
	in.spot = 100.0 * exp(noise);
	hi = yes_of(&in, &c);
	/* Even with the noise counted as part of what is open. */
	assert_true(lo < 0.2 && hi > 0.8);
	in.noise = 0.0;
	assert_true(yes_of(&in, &c) > 0.98);
	in.noise = noise;
	c.sensitivity = 0.1;
	for (uint32_t df = 0; df <= 8; df += 4) {
		c.student_df = df;
		for (double x = -0.002; x < 0.002; x += noise / 4.0) {
			struct fair_out out;

			in.spot = 100.0 * exp(x);
			lo = yes_of(&in, &c);
			in.spot = 100.0 * exp(x + noise);
			fair_value(&in, &c, &out);
			assert_true(out.yes - lo <= 0.1 + 1e-9);
			assert_true(out.slope * noise <= 0.1 + 1e-9);
		}
	}
}

static void
noise_is_part_of_what_is_open(void **state)
{
	struct fair_in in = calm();
	struct fair_out out;

	(void)state;
	in.noise = 0.003;
	fair_value(&in, &gbm, &out);
	assert_true(
	    fabs(out.sd * out.sd - (in.var_s * 900.0 + 0.003 * 0.003)) < 1e-12);
	/* Half of the look-back known at spot: its noise counts twice. */
	in.left_s = 60.0;
	in.lead_s = 30.0;
	fair_value(&in, &twap, &out);
	assert_true(fabs(out.sd * out.sd / (in.var_s * 10.0 + 0.006 * 0.006) -
			 1.0) < 1e-3);
}

static void
fat_tails_are_fat(void **state)
{
	struct fair_cfg c = gbm;
	struct fair_in in = calm();
	double thin;

	(void)state;
	in.spot = 99.0;
	thin = yes_of(&in, &gbm);
	c.student_df = 4;
	assert_true(yes_of(&in, &c) > 2.0 * thin);
	in.spot = 99.9;
	/* ... and the middle is steeper. */
	assert_true(yes_of(&in, &c) < yes_of(&in, &gbm));
}

static struct fair_in broken_in;
static struct fair_cfg broken_cfg;

static void
broken(void)
{
	struct fair_out out;

	fair_value(&broken_in, &broken_cfg, &out);
}

static void
broken_contracts_abort(void **state)
{
	(void)state;
	broken_in = calm();
	broken_cfg = gbm;
	broken_cfg.student_df = 2;
	assert_true(contract_fails(broken));
	broken_cfg = gbm;
	memset(&broken_cfg.model, 0, sizeof(broken_cfg.model));
	assert_true(contract_fails(broken));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gbm_is_its_formula),
	    cmocka_unit_test(basis_takes_the_reference_to_the_settlement),
	    cmocka_unit_test(lead_leaves_less_time_open),
	    cmocka_unit_test(average_ahead_has_a_third_of_its_variance),
	    cmocka_unit_test(what_is_seen_weighs),
	    cmocka_unit_test(lead_makes_part_of_the_average_known),
	    cmocka_unit_test(an_unseen_window_is_not_made_up),
	    cmocka_unit_test(ties_go_where_the_market_says),
	    cmocka_unit_test(after_the_end_it_is_one_or_zero),
	    cmocka_unit_test(what_is_missing_is_named),
	    cmocka_unit_test(confidence_falls_with_each_thing),
	    cmocka_unit_test(T_75_one_tick_near_expiry_does_not_flip_fair),
	    cmocka_unit_test(noise_is_part_of_what_is_open),
	    cmocka_unit_test(fat_tails_are_fat),
	    cmocka_unit_test(broken_contracts_abort),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
