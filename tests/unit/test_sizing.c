/* links: libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "libcore/sizing.h"
#include "tests/unit/contract.h"

#define CENT_LOT QTY(E8 / 100)

static const struct sizing_shares usual = {
    .maker_e8 = 78 * E8 / 100,
    .arb_e8 = 20 * E8 / 100,
    .maker_on = true,
    .arb_on = true,
};

/* The worked values of the specification. */
static void
the_balance_is_split_to_the_cent(void **state)
{
	struct sizing_split s = sizing_split(USD(72920000), &usual);

	(void)state;
	assert_int_equal(s.maker.e6, 56880000);
	assert_int_equal(s.arb.e6, 14580000);
	assert_int_equal(s.reserve.e6, 1460000);
}

static void
a_strategy_that_is_off_leaves_its_share(void **state)
{
	struct sizing_shares off = usual;
	struct sizing_split s;

	(void)state;
	off.arb_on = false;
	s = sizing_split(USD(72920000), &off);
	assert_int_equal(s.maker.e6, 56880000);
	assert_int_equal(s.arb.e6, 0);
	assert_int_equal(s.reserve.e6, 16040000);
	off.maker_on = false;
	assert_int_equal(
	    sizing_split(USD(72920000), &off).reserve.e6, 72920000);
	assert_int_equal(sizing_split(USD(-5), &usual).reserve.e6, 0);
}

static void
the_parts_always_add_up(void **state)
{
	uint64_t r = 3;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct sizing_shares sh = usual;
		struct sizing_split s;
		int64_t balance;

		r = hash_u64(r, (uint64_t)i);
		sh.maker_e8 = (int64_t)(r % (E8 + 1));
		sh.arb_e8 = E8 - sh.maker_e8;
		balance =
		    (int64_t)(r >> 20) % ((i & 1) != 0 ? 30000 : 90000000000);
		s = sizing_split(USD(balance), &sh);
		assert_int_equal(s.maker.e6 + s.arb.e6 + s.reserve.e6, balance);
		assert_true(s.maker.e6 >= 0 && s.arb.e6 >= 0);
		assert_true(s.reserve.e6 >= 0);
	}
}

static void
capital_over_markets_and_price(void **state)
{
	usd_t maker = USD(56880000);

	(void)state;
	assert_int_equal(
	    qty_floor_lot(sizing_quantity(maker, 5, PX(E8 / 2)), CENT_LOT).e8,
	    2275000000);
	assert_int_equal(
	    qty_floor_lot(sizing_quantity(maker, 5, PX(E8 / 20)), CENT_LOT).e8,
	    22752000000);
	assert_int_equal(sizing_quantity(USD(-1), 5, PX(E8)).e8, 0);
	/* No price is no reason to divide by nothing. */
	assert_true(sizing_quantity(USD(1), 1, PX(0)).e8 > 0);
}

static struct sizing_in
ask_at_a_nickel(void)
{
	return (struct sizing_in){
	    .capital = USD(56880000),
	    .markets = 5,
	    .px = PX(E8 / 20),
	    .side = SIDE_ASK,
	    .worst_case = true,
	    .limit = QTY(1000 * E8),
	    .exit = QTY(-1),
	};
}

/* By the plain formula it would be 227 shares that can lose 216 dollars. */
static void
T_73_an_ask_is_sized_by_what_it_can_lose(void **state)
{
	struct sizing_in in = ask_at_a_nickel();
	qty_t n = qty_floor_lot(sizing_binary(&in), CENT_LOT);

	(void)state;
	assert_int_equal(n.e8, 1197000000);
	assert_true(usd_notional(px_complement(in.px), n).e6 <= 11376000);
	in.worst_case = false;
	assert_int_equal(
	    qty_floor_lot(sizing_binary(&in), CENT_LOT).e8, 22752000000);
	/* What is held is covered. */
	in.worst_case = true;
	in.position = QTY(40 * E8);
	assert_int_equal(
	    qty_floor_lot(sizing_binary(&in), CENT_LOT).e8, 5197000000);
}

static void
limits_bound_a_side(void **state)
{
	struct sizing_in in = ask_at_a_nickel();

	(void)state;
	in.limit = QTY(10 * E8);
	assert_int_equal(sizing_binary(&in).e8, 10 * E8);
	in.position = QTY(-8 * E8);
	assert_int_equal(sizing_binary(&in).e8, 2 * E8);
	in.position = QTY(-11 * E8);
	assert_int_equal(sizing_binary(&in).e8, 0);
	in.position = QTY(0);
	in.max = QTY(3 * E8);
	assert_int_equal(sizing_binary(&in).e8, 3 * E8);
}

static void
T_76_size_is_capped_by_exit_depth(void **state)
{
	struct sizing_in in = ask_at_a_nickel();

	(void)state;
	in.exit = QTY(4 * E8);
	assert_int_equal(sizing_binary(&in).e8, 4 * E8);
	in.exit = QTY(0);
	assert_int_equal(sizing_binary(&in).e8, 0);
	/* A way out is not needed for what is a way out. */
	in.position = QTY(7 * E8);
	assert_int_equal(sizing_binary(&in).e8, 7 * E8);
}

static void
no_markets(void)
{
	sizing_quantity(USD(1), 0, PX(1));
}

static void
too_many_shares(void)
{
	struct sizing_shares s = usual;

	s.arb_e8 = E8;
	sizing_split(USD(1), &s);
}

static void
broken_contracts_abort(void **state)
{
	(void)state;
	assert_true(contract_fails(no_markets));
	assert_true(contract_fails(too_many_shares));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_balance_is_split_to_the_cent),
	    cmocka_unit_test(a_strategy_that_is_off_leaves_its_share),
	    cmocka_unit_test(the_parts_always_add_up),
	    cmocka_unit_test(capital_over_markets_and_price),
	    cmocka_unit_test(T_73_an_ask_is_sized_by_what_it_can_lose),
	    cmocka_unit_test(limits_bound_a_side),
	    cmocka_unit_test(T_76_size_is_capped_by_exit_depth),
	    cmocka_unit_test(broken_contracts_abort),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
