/* links: feedd libvenue libsys libshm libcore */
/*
 * Rows of connections: whose counts are whose, rates, bands.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "feedd/rows_io.h"

static struct rows rows;
static struct feed_stats stats;

static int
fresh(void **state)
{
	(void)state;
	memset(&rows, 0, sizeof(rows));
	memset(&stats, 0, sizeof(stats));
	return 0;
}

static void
counts_go_to_their_connection(void **state)
{
	(void)state;
	stats.malformed = 2;
	stats.reason[REASON_BAD_JSON] = 2;
	rows_step(&rows, &stats, 3);
	stats.malformed = 3;
	stats.reason[REASON_BAD_UTF8] = 1;
	stats.hash_bad = 4;
	rows_step(&rows, &stats, 5);
	stats.gaps = 1;
	stats.reason[REASON_SEQ_GAP] = 1;
	rows_step(&rows, &stats, 3);
	stats.reason[REASON_SEQ_OLD] = 7;
	stats.late = 3;
	rows_step(&rows, &stats, 15);
	rows_step(&rows, &stats, 0);
	assert_int_equal(rows.row[3].malformed, 2);
	assert_int_equal(rows.row[3].bad_reason, REASON_BAD_JSON);
	assert_int_equal(rows.row[3].gaps, 1);
	assert_int_equal(rows.row[3].seq_gaps, 1);
	assert_int_equal(rows.row[5].malformed, 1);
	assert_int_equal(rows.row[5].bad_reason, REASON_BAD_UTF8);
	assert_int_equal(rows.row[5].hash_bad, 4);
	assert_int_equal(rows.row[15].duplicates, 7);
	assert_int_equal(rows.row[15].late, 3);
	assert_int_equal(rows.row[0].late, 0);
	assert_int_equal(rows.row[15].malformed, 0);
	assert_int_equal(rows.row[0].malformed, 0);
}

static void
rates_are_of_a_second(void **state)
{
	struct ws_stats ws = {.recv_msgs = 100, .recv_bytes = 5000};
	uint64_t since;

	(void)state;
	assert_true(rows_rates(&rows, UINT64_C(5000000000), &since));
	rows_traffic(&rows, 1, &ws, since);
	assert_false(rows_rates(&rows, UINT64_C(5999999999), &since));
	ws.recv_msgs = 700;
	ws.recv_bytes = 9000;
	assert_true(rows_rates(&rows, UINT64_C(7000000000), &since));
	rows_traffic(&rows, 1, &ws, since);
	assert_int_equal(rows.row[1].msg_rate, 300);
	assert_int_equal(rows.row[1].byte_rate, 2000);
	/* Another client in its place counts from 0. */
	ws.recv_msgs = 10;
	ws.recv_bytes = 50;
	assert_true(rows_rates(&rows, UINT64_C(8000000000), &since));
	rows_traffic(&rows, 1, &ws, since);
	assert_int_equal(rows.row[1].msg_rate, 10);
	assert_int_equal(rows.row[1].byte_rate, 50);
}

static void
bands_follow_the_keys(void **state)
{
	struct cfg cfg;

	(void)state;
	cfg_defaults(&cfg); /* 50, 200, 500 ms; Hyperliquid 1500 */
	assert_int_equal(rows_band(&cfg, VENUE_BINANCE, 0), 0);
	assert_int_equal(rows_band(&cfg, VENUE_BINANCE, 49999), BAND_EXCELLENT);
	assert_int_equal(rows_band(&cfg, VENUE_BINANCE, 50000), BAND_GOOD);
	assert_int_equal(rows_band(&cfg, VENUE_BINANCE, 199999), BAND_GOOD);
	assert_int_equal(rows_band(&cfg, VENUE_BINANCE, 200000), BAND_DEGRADED);
	assert_int_equal(rows_band(&cfg, VENUE_BINANCE, 499999), BAND_DEGRADED);
	assert_int_equal(rows_band(&cfg, VENUE_BINANCE, 500000), BAND_CRITICAL);
	assert_int_equal(
	    rows_band(&cfg, VENUE_HYPERLIQUID, 500000), BAND_DEGRADED);
	assert_int_equal(
	    rows_band(&cfg, VENUE_HYPERLIQUID, 1500000), BAND_CRITICAL);
	cfg.latency_excellent_ms.ns = NS_PER_MS;
	cfg.latency_good_ms.ns = 2 * NS_PER_MS;
	assert_int_equal(rows_band(&cfg, VENUE_BINANCE, 1500), BAND_GOOD);
	assert_int_equal(rows_band(&cfg, VENUE_BINANCE, 2000), BAND_DEGRADED);
}

static void
ends_are_remembered(void **state)
{
	(void)state;
	rows_end(&rows, 2, REASON_DNS, 50);
	rows_end(&rows, 2, REASON_NONE, 90);
	assert_int_equal(rows.row[2].ends, 2);
	assert_int_equal(rows.row[2].end_reason, REASON_NONE);
	assert_int_equal(rows.row[2].end_ns, 90);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(counts_go_to_their_connection, fresh),
	    cmocka_unit_test_setup(rates_are_of_a_second, fresh),
	    cmocka_unit_test_setup(bands_follow_the_keys, fresh),
	    cmocka_unit_test_setup(ends_are_remembered, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
