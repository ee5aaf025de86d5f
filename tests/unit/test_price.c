/* links: quoted libshm libcore */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quoted/price.h"

static struct cfg cfg;

static int
setup(void **state)
{
	(void)state;
	cfg_defaults(&cfg);
	return 0;
}

/* The worked values of the specification: base 0.05. */
static void
gamma_follows_volatility_up_to_its_cap(void **state)
{
	static const struct {
		double cur;
		double want;
	} t[] = {{0.03, 0.32}, {0.05, 0.40}, {0.10, 0.60}, {0.20, 0.60}};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_true(fabs(price_gamma(&cfg, true, t[i].cur, 0.05, 1.0) -
				 t[i].want) < 1e-12);
}

static void
gamma_without_volatility_is_the_base(void **state)
{
	(void)state;
	assert_true(
	    fabs(price_gamma(&cfg, false, 0.0, 1.0, 1.0) - 0.2) < 1e-12);
}

static void
gamma_has_an_absolute_cap(void **state)
{
	(void)state;
	cfg.mm_gamma_max.e8 = E8 / 4;
	assert_true(
	    fabs(price_gamma(&cfg, true, 1.0, 0.01, 1.0) - 0.25) < 1e-12);
}

static struct price_in
calm(void)
{
	struct price_in in = {
	    .micro = PX(50200000),
	    .bid_px = PX(50000000),
	    .ask_px = PX(51000000),
	    .tick = PX(1000000),
	    .binary = true,
	    .gamma = 0.2,
	    .widen = 1.0,
	    .horizon_s = 900.0,
	    .half_px = PX(750000),
	    .skew_px_max = PX(5000000),
	};
	return in;
}

static void
quotes_round_outwards(void **state)
{
	struct price_in in = calm();
	struct price_out out;

	(void)state;
	assert_true(price_quotes(&in, &out));
	assert_int_equal(out.bid.e8, 49000000);
	assert_int_equal(out.ask.e8, 51000000);
}

static void
quotes_never_cross_the_book(void **state)
{
	struct price_in in = calm();
	struct price_out out;

	(void)state;
	in.half_px = PX(0);
	in.micro = PX(53000000);
	assert_true(price_quotes(&in, &out));
	assert_int_equal(out.bid.e8, 50000000);
	assert_int_equal(out.ask.e8, 53000000);
}

static void
a_long_position_moves_both_quotes_down(void **state)
{
	struct price_in in = calm();
	struct price_out flat;
	struct price_out lng;

	(void)state;
	in.var_s = 1e-4;
	assert_true(price_quotes(&in, &flat));
	in.q_norm = 1.0;
	assert_true(price_quotes(&in, &lng));
	assert_true(lng.reserve.e8 < flat.reserve.e8);
	assert_true(lng.bid.e8 < flat.bid.e8);
	in.q_norm = -1.0;
	assert_true(price_quotes(&in, &lng));
	assert_true(lng.reserve.e8 > flat.reserve.e8);
}

/* gamma 0.4, full inventory, sigma 0.05: raw shares would shift a 5-cent
 * token by 22.8 cents; the cap and the clamp keep it inside (0, 1). */
static void
T_72_reservation_price_stays_inside(void **state)
{
	struct price_in in = calm();
	struct price_out out;

	(void)state;
	in.micro = PX(5000000);
	in.bid_px = PX(4000000);
	in.ask_px = PX(6000000);
	in.gamma = 0.4;
	in.var_s = 0.05 * 0.05;
	in.horizon_s = 1e6;
	in.q_norm = 1.0;
	in.skew_px_max = PX(3000000);
	assert_true(price_quotes(&in, &out));
	assert_int_equal(out.reserve.e8, 2000000);
	assert_true(out.bid.e8 >= in.tick.e8);
	in.q_norm = -1.0;
	in.micro = PX(95000000);
	in.bid_px = PX(94000000);
	in.ask_px = PX(96000000);
	assert_true(price_quotes(&in, &out));
	assert_true(out.ask.e8 <= E8 - in.tick.e8);
}

static void
no_room_is_said(void **state)
{
	struct price_in in = calm();
	struct price_out out;

	(void)state;
	in.micro = PX(500000);
	in.bid_px = PX(0);
	in.ask_px = PX(1000000);
	assert_false(price_quotes(&in, &out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(
		gamma_follows_volatility_up_to_its_cap, setup),
	    cmocka_unit_test_setup(gamma_without_volatility_is_the_base, setup),
	    cmocka_unit_test_setup(gamma_has_an_absolute_cap, setup),
	    cmocka_unit_test(quotes_round_outwards),
	    cmocka_unit_test(quotes_never_cross_the_book),
	    cmocka_unit_test(a_long_position_moves_both_quotes_down),
	    cmocka_unit_test(T_72_reservation_price_stays_inside),
	    cmocka_unit_test(no_room_is_said),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
