/* links: backtest libshm libcore */
/* Latencies that are drawn, and curves of bounded size. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/latency.h"
#include "backtest/series.h"
#include "libcore/fixed.h"
#include "tests/unit/contract.h"

#define MS UINT64_C(1000000)

static struct latency a;
static struct latency b;

static void
texts(void **state)
{
	static const char *const bad[] = {"", "ms", "5min", "1m", "-1ms",
	    "20ms~", "~5ms", "61s", "1e3ms", "20 ms", "recorded "};

	(void)state;
	latency_init(&a, 1);
	assert_true(latency_parse(&a, "1.5ms"));
	assert_int_equal(latency_draw(&a, VENUE_BINANCE), 1500000);
	assert_true(latency_parse(&a, "300us"));
	assert_int_equal(latency_draw(&a, VENUE_BINANCE), 300000);
	assert_true(latency_parse(&a, "77"));
	assert_int_equal(latency_draw(&a, VENUE_BINANCE), 77);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		latency_init(&a, 1);
		if (latency_parse(&a, bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void
draws_are_of_the_seed(void **state)
{
	uint64_t sum = 0;
	unsigned differ = 0;

	(void)state;
	latency_init(&a, 7);
	latency_init(&b, 7);
	assert_true(latency_parse(&a, "20ms~5ms"));
	assert_true(latency_parse(&b, "20ms~5ms"));
	for (int i = 0; i < 10000; i++) {
		uint64_t x = latency_draw(&a, VENUE_POLYMARKET);

		assert_int_equal(x, latency_draw(&b, VENUE_POLYMARKET));
		assert_true(x >= 20 * MS);
		sum += x;
	}
	/* 20 and a mean of 5 */
	assert_in_range(sum / 10000, 24800000, 25200000);
	b.seed = 8;
	for (int i = 0; i < 100; i++)
		differ += latency_draw(&a, VENUE_POLYMARKET) !=
			  latency_draw(&b, VENUE_POLYMARKET);
	assert_true(differ > 90);
}

static void
a_distribution_gives_its_values(void **state)
{
	unsigned n[3] = {0};

	(void)state;
	latency_init(&a, 3);
	assert_true(latency_sample(&a, "10ms", 4));
	assert_true(latency_sample(&a, "20ms", 4));
	assert_true(latency_sample(&a, "30ms", 4));
	assert_false(latency_sample(&a, "x", 1));
	for (int i = 0; i < 3000; i++)
		n[latency_draw(&a, VENUE_HYPERLIQUID) / (10 * MS) - 1]++;
	for (int i = 0; i < 3; i++)
		assert_in_range(n[i], 850, 1150);
	while (a.sample_n < LATENCY_SAMPLES)
		assert_true(latency_sample(&a, "1ms", 3));
	assert_false(latency_sample(&a, "1ms", 3));
}

static void
recorded_is_half_of_what_was_seen(void **state)
{
	(void)state;
	latency_init(&a, 3);
	assert_true(latency_parse(&a, "recorded"));
	assert_int_equal(latency_draw(&a, VENUE_POLYMARKET), 0);
	latency_saw(&a, VENUE_POLYMARKET, 4000);
	assert_int_equal(latency_draw(&a, VENUE_POLYMARKET), 2 * MS);
	assert_int_equal(latency_draw(&a, VENUE_HYPERLIQUID), 0);
	for (unsigned i = 0; i < LATENCY_SEEN; i++)
		latency_saw(&a, VENUE_POLYMARKET, 8000);
	assert_int_equal(latency_draw(&a, VENUE_POLYMARKET), 4 * MS);
}

static void
curves_are_bounded(void **state)
{
	static struct series s;
	double v[SERIES_COLS] = {0};

	(void)state;
	series_init(&s, MS);
	for (uint64_t t = 0; t < 1000000; t++) {
		v[0] = (double)t;
		series_add(&s, t * MS, v);
	}
	assert_true(s.n > SERIES_ROWS / 2 - 2);
	assert_true(s.n <= SERIES_ROWS);
	/* the newest row is there, and each is the last of its interval */
	assert_true(s.row[s.n - 1].v[0] == 999999);
	for (uint32_t i = 1; i < s.n; i++)
		assert_true(s.row[i].t_ns > s.row[i - 1].t_ns);
	assert_int_equal((s.row[0].t_ns + MS) % s.step_ns, 0);
}

static struct series broken;

static void
row_from_the_past(void)
{
	double v[SERIES_COLS] = {0};

	series_add(&broken, 4 * MS, v);
}

static void
draw_of_no_venue(void)
{
	latency_draw(&a, VENUE_N);
}

static void
time_does_not_fall(void **state)
{
	double v[SERIES_COLS] = {0};

	(void)state;
	series_init(&broken, MS);
	series_add(&broken, 5 * MS, v);
	assert_true(contract_fails(row_from_the_past));
	assert_true(contract_fails(draw_of_no_venue));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts),
	    cmocka_unit_test(draws_are_of_the_seed),
	    cmocka_unit_test(a_distribution_gives_its_values),
	    cmocka_unit_test(recorded_is_half_of_what_was_seen),
	    cmocka_unit_test(curves_are_bounded),
	    cmocka_unit_test(time_does_not_fall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
