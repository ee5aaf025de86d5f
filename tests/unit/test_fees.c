/* links: libcore */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libcore/fees.h"

/* price 1e-4, shares 1e-2, rate ppm -> fee 1e-6. The first three are the
 * venue's own examples. */
static const struct {
	int64_t p4;
	int64_t shares2;
	uint32_t ppm;
	int64_t fee_e6;
} binary[] = {
    {5000, 10000, 70000, 1750000}, {1000, 10000, 70000, 630000},
    {9500, 10000, 70000, 332500}, {5000, 10000, 0, 0}, {0, 10000, 70000, 0},
    {10000, 10000, 70000, 0}, {1, 1, 70000, 10}, /* smallest charge */
    {5000, 1, 70000, 180},	 /* 0.000175 rounds half up to 0.00018 */
    {5000, 2275, 70000, 398130}, /* 0.398125 half up */
};

static void
test_binary(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(binary) / sizeof(binary[0]); i++) {
		px_t p = PX(binary[i].p4 * 10000);
		qty_t q = QTY(binary[i].shares2 * 1000000);

		assert_int_equal(
		    fee_binary(p, q, binary[i].ppm).e6, binary[i].fee_e6);
		assert_int_equal(
		    fee_binary(px_complement(p), q, binary[i].ppm).e6,
		    binary[i].fee_e6);
	}
}

static void
test_rebate(void **state)
{
	(void)state;
	/* 20 % of 7 % of 1/4 a share: 0.0035. */
	assert_int_equal(
	    fee_rebate(PX(E8 / 2), QTY(100 * E8), 70000, 200000).e6, 350000);
	assert_int_equal(fee_rebate(PX(E8 / 2), QTY(100 * E8), 70000, 0).e6, 0);
}

static void
test_notional(void **state)
{
	(void)state;
	/* 0.001 BTC at 61,685 at 1.5 bps: 0.00925275, rounded up. */
	assert_int_equal(
	    fee_notional(PX(61685 * E8), QTY(E8 / 1000), 150).e6, 9253);
	assert_int_equal(fee_notional(PX(61685 * E8), QTY(0), 150).e6, 0);
	assert_int_equal(fee_notional(PX(E8), QTY(E8), 0).e6, 0);
	assert_int_equal(fee_notional(PX(1), QTY(1), 1).e6, 1);
}

static void
test_largest_values_fit(void **state)
{
	(void)state;
	assert_true(fee_binary(PX(E8 / 2), QTY(QTY_E8_MAX), 1000000).e6 > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_binary),
	    cmocka_unit_test(test_rebate),
	    cmocka_unit_test(test_notional),
	    cmocka_unit_test(test_largest_values_fit),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
