/* links: libsign libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "libsign/hl_num.h"
#include "libsign/pm_amount.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const uint32_t ticks[] = {1000, 100, 50, 25, 10, 1};

/* Sizes in hundredths of a share: all small ones and some of each larger
 * magnitude, none round. */
static size_t
sizes(uint64_t *out)
{
	size_t n = 0;

	for (uint64_t s = 1; s <= 120; s++)
		out[n++] = s;
	for (uint64_t s = 121; s < PM_QTY_E2_MAX; s = s * 3 + 7)
		out[n++] = s;
	out[n++] = PM_QTY_E2_MAX;
	return n;
}

static void
check_limit(enum side side, uint32_t px, uint32_t tick, uint64_t s)
{
	struct pm_amounts a;
	uint32_t implied = 0;

	if (!pm_limit_amounts(side, px, s, &a))
		fail_msg("px %u size %llu", px, (unsigned long long)s);
	uint64_t usd = side == SIDE_BID ? a.maker : a.taker;
	uint64_t shares = side == SIDE_BID ? a.taker : a.maker;
	/* Exact: usd / shares == px / 10^4, in whole numbers. */
	bool exact = (i128_t)usd * 10000 == (i128_t)shares * px;

	if (!exact || shares != s * 10000 ||
	    !pm_implied_px(side, &a, &implied) || implied != px ||
	    !pm_amounts_ok(PM_GTC, side, tick, &a))
		fail_msg(
		    "tick %u px %u size %llu", tick, px, (unsigned long long)s);
}

static void
T_08_price_of_a_resting_order_is_exact(void **state)
{
	uint64_t size[200];
	size_t n = sizes(size);
	uint64_t checked = 0;

	(void)state;
	for (size_t t = 0; t < LEN(ticks); t++)
		for (uint32_t px = ticks[t]; px <= 10000 - ticks[t];
		     px += ticks[t])
			for (size_t i = 0; i < n; i++) {
				check_limit(SIDE_BID, px, ticks[t], size[i]);
				check_limit(SIDE_ASK, px, ticks[t], size[i]);
				checked += 2;
			}
	printf("# %llu orders\n", (unsigned long long)checked);
}

/* A price that is never worse than the limit, and the nearest such. */
static void
check_market(uint32_t px, uint64_t amount)
{
	struct pm_amounts a;
	i128_t spare;

	if (!pm_market_amounts(SIDE_BID, px, amount, &a))
		fail_msg("buy px %u", px);
	/* paid * 10^4 <= px * got; with a hundred units less it is not so. */
	spare = (i128_t)px * a.taker - (i128_t)a.maker * 10000;
	if (spare < 0 || spare >= (i128_t)px * 100 ||
	    a.maker != amount * 10000 || a.taker % 100 != 0 ||
	    !pm_amounts_ok(PM_FAK, SIDE_BID, 1, &a))
		fail_msg(
		    "buy px %u amount %llu", px, (unsigned long long)amount);
	if (!pm_market_amounts(SIDE_ASK, px, amount, &a))
		fail_msg("sell px %u", px);
	/* got * 10^4 >= px * given. */
	spare = (i128_t)a.taker * 10000 - (i128_t)px * a.maker;
	if (spare < 0 || spare >= (i128_t)100 * 10000 ||
	    a.maker != amount * 10000 || a.taker % 100 != 0 ||
	    !pm_amounts_ok(PM_FOK, SIDE_ASK, 1, &a))
		fail_msg(
		    "sell px %u amount %llu", px, (unsigned long long)amount);
}

static void
T_08_price_of_an_order_that_takes_is_never_worse(void **state)
{
	uint64_t size[200];
	size_t n = sizes(size);

	(void)state;
	for (uint32_t px = 1; px <= 9999; px++)
		for (size_t i = 0; i < n; i++)
			check_market(px, size[i]);
	/* A budget for a wanted size never buys more than that size costs. */
	for (uint32_t px = 1; px <= 9999; px += 7)
		for (size_t i = 0; i < n; i++)
			assert_true(
			    (i128_t)pm_market_budget(px, size[i]) * 10000 <=
			    (i128_t)size[i] * px);
}

static void
T_08_bids_go_down_asks_go_up(void **state)
{
	(void)state;
	for (size_t t = 0; t < LEN(ticks); t++)
		for (int64_t e8 = 0; e8 <= E8; e8 += 1237) {
			uint32_t bid = 0;
			uint32_t ask = 0;
			int64_t tick = ticks[t] * INT64_C(10000);
			bool b = pm_px_to_e4(PX(e8), ticks[t], SIDE_BID, &bid);
			bool a = pm_px_to_e4(PX(e8), ticks[t], SIDE_ASK, &ask);

			assert_int_equal(b, e8 >= tick && e8 < E8);
			assert_int_equal(a, e8 > 0 && e8 <= E8 - tick);
			if (b) {
				assert_true(pm_px_ok(bid, ticks[t]));
				assert_true(bid * INT64_C(10000) <= e8);
				assert_true(bid * INT64_C(10000) > e8 - tick);
			}
			if (a) {
				assert_true(pm_px_ok(ask, ticks[t]));
				assert_true(ask * INT64_C(10000) >= e8);
				assert_true(ask * INT64_C(10000) < e8 + tick);
			}
		}
}

static void
out_of_range(void **state)
{
	struct pm_amounts a = {1, 2};

	(void)state;
	assert_false(pm_limit_amounts(SIDE_BID, 0, 100, &a));
	assert_false(pm_limit_amounts(SIDE_BID, 10000, 100, &a));
	assert_false(pm_limit_amounts(SIDE_ASK, 5000, 0, &a));
	assert_false(pm_limit_amounts(SIDE_ASK, 5000, PM_QTY_E2_MAX + 1, &a));
	assert_false(pm_market_amounts(SIDE_ASK, 10000, 100, &a));
	assert_false(pm_market_amounts(SIDE_BID, 5000, 0, &a));
	assert_int_equal(a.maker, 1);
	assert_int_equal(a.taker, 2);
	assert_int_equal(pm_qty_to_e2(QTY(-5)), 0);
	assert_int_equal(pm_qty_to_e2(QTY(1999999)), 1);
	for (uint32_t t = 0; t < 2000; t++) {
		bool known = false;

		for (size_t i = 0; i < LEN(ticks); i++)
			known |= t == ticks[i];
		assert_int_equal(pm_tick_ok(t), known);
	}
}

/* The rules of a price read off its own text. */
static bool
naive_ok(const char *s, unsigned decimals_max)
{
	size_t figures = 0;
	size_t decimals = 0;
	bool point = false;

	for (; *s != '\0'; s++) {
		if (*s == '.') {
			point = true;
			continue;
		}
		if (figures > 0 || *s != '0')
			figures++;
		decimals += point;
	}
	return !point || (figures <= 5 && decimals <= decimals_max);
}

/* T-66: every mantissa of up to six figures at every scale. */
static void
T_66_every_price(void **state)
{
	uint64_t valid = 0;

	(void)state;
	for (int64_t scale = 1; scale <= E8 * 1000; scale *= 10)
		for (int64_t m = 1; m < 1000000; m += m < 2000 ? 1 : 37) {
			px_t px = PX(m * scale);
			char text[FIXED_TEXT_MAX];

			if (px.e8 > PX_E8_MAX)
				break;
			fixed_format(px.e8, 8, text);
			for (uint8_t d = 0; d <= HL_SZ_DECIMALS_MAX; d++) {
				struct hl_grid c = {d, false};
				bool perp = naive_ok(text, 6U - d);
				bool spot;

				if (hl_px_ok(&c, px) != perp)
					fail_msg("perp %s, %u", text, d);
				c.spot = true;
				spot = naive_ok(text, 8U - d);
				if (hl_px_ok(&c, px) != spot)
					fail_msg("spot %s, %u", text, d);
				valid += perp + spot;
			}
		}
	printf("# %llu valid\n", (unsigned long long)valid);
	assert_true(valid > 100000);
}

static uint64_t
random_next(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static void
T_66_rounded_prices_are_valid(void **state)
{
	uint64_t seed = 0x1234567;

	(void)state;
	printf("# seed %llx\n", (unsigned long long)seed);
	for (unsigned i = 0; i < 300000; i++) {
		struct hl_grid c = {(uint8_t)(i % 7), i % 2 == 0};
		uint64_t r = random_next(&seed);
		px_t px = PX((int64_t)(r >> (r % 50 + 12)) + 1);
		px_t bid = PX(0);
		px_t ask = PX(0);

		if (px.e8 > PX_E8_MAX)
			px.e8 = PX_E8_MAX;
		if (hl_px_round(&c, px, SIDE_BID, &bid)) {
			assert_true(hl_px_ok(&c, bid));
			assert_true(bid.e8 <= px.e8);
			assert_true(px.e8 - bid.e8 < hl_tick(&c, px).e8);
		} else {
			assert_true(px.e8 < hl_tick(&c, px).e8);
		}
		assert_true(hl_px_round(&c, px, SIDE_ASK, &ask));
		assert_true(hl_px_ok(&c, ask));
		assert_true(ask.e8 >= px.e8);
		assert_true(ask.e8 - px.e8 < hl_tick(&c, px).e8);
	}
	assert_false(hl_px_round(
	    &(struct hl_grid){5, false}, PX(0), SIDE_BID, &(px_t){0}));
	assert_false(hl_px_round(&(struct hl_grid){5, false}, PX(PX_E8_MAX + 1),
	    SIDE_ASK, &(px_t){0}));
}

static void
sizes_and_values(void **state)
{
	struct hl_grid btc = {5, false};

	(void)state;
	assert_true(hl_qty_ok(&btc, QTY(1000)));
	assert_false(hl_qty_ok(&btc, QTY(999)));
	assert_false(hl_qty_ok(&btc, QTY(0)));
	assert_false(hl_qty_ok(&btc, QTY(-1000)));
	assert_int_equal(hl_qty_floor(&btc, QTY(2999)).e8, 2000);
	assert_int_equal(hl_qty_floor(&btc, QTY(-2999)).e8, 0);
	assert_true(hl_value_ok(PX(100 * E8), QTY(E8 / 10)));
	assert_false(hl_value_ok(PX(100 * E8), QTY(E8 / 10 - 1)));
	assert_false(hl_value_ok(PX(-100 * E8), QTY(-E8)));
	assert_true(hl_value_ok(PX(PX_E8_MAX), QTY(QTY_E8_MAX)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(T_08_price_of_a_resting_order_is_exact),
	    cmocka_unit_test(T_08_price_of_an_order_that_takes_is_never_worse),
	    cmocka_unit_test(T_08_bids_go_down_asks_go_up),
	    cmocka_unit_test(out_of_range),
	    cmocka_unit_test(T_66_every_price),
	    cmocka_unit_test(T_66_rounded_prices_are_valid),
	    cmocka_unit_test(sizes_and_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
