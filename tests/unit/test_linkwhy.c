/* links: libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libshm/ctl.h"
#include "libshm/linkwhy.h"
#include "libshm/slots.h"

#define NOW UINT64_C(1000000000000)

static struct metrics pages[VENUE_N];
static struct metrics *page[VENUE_N];
static char text[LINKWHY_SZ];

static void
put(enum venue v, uint32_t i, enum link_field f, int64_t value)
{
	metrics_link_set(&pages[v], i, f, value);
}

static int
fill(void **state)
{
	(void)state;
	memset(pages, 0, sizeof(pages));
	for (int v = VENUE_POLYMARKET; v < VENUE_N; v++) {
		page[v] = &pages[v];
		metrics_link_name(page[v], 0, "host:443");
		put((enum venue)v, 0, LF_STATE, LINK_READY);
		put((enum venue)v, 0, LF_RTT_US, 40000);
	}
	metrics_link_name(page[VENUE_POLYMARKET], 1, "127.0.0.1:28801");
	put(VENUE_POLYMARKET, 1, LF_STATE, LINK_READY);
	put(VENUE_POLYMARKET, 1, LF_SHARD, 0);
	put(VENUE_POLYMARKET, 1, LF_RTT_US, 74000000);
	return 0;
}

static void
the_slow_connection_is_named(void **state)
{
	(void)state;
	assert_true(
	    link_why(text, page, FREEZE_LATENCY, VENUE_POLYMARKET, NOW));
	assert_string_equal(text,
	    "polymarket: connection 127.0.0.1:28801 (market) round trip "
	    "1m14s");
	/* Of another venue only the reference feed matters. */
	assert_true(
	    link_why(text, page, FREEZE_LATENCY, VENUE_HYPERLIQUID, NOW));
	assert_non_null(strstr(text, "(stream) round trip 40 ms"));
	put(VENUE_POLYMARKET, 1, LF_AGE_US, 80000000);
	assert_true(link_why(text, page, FREEZE_LATENCY, 0, NOW));
	assert_non_null(strstr(text, "(market) data 1m20s old on arrival"));
}

static void
the_silent_connection_is_named(void **state)
{
	(void)state;
	assert_false(link_why(text, page, FREEZE_FEED_STALE, 0, NOW));
	assert_string_equal(text, "");
	put(VENUE_POLYMARKET, 0, LF_STATE, LINK_STALE);
	put(VENUE_POLYMARKET, 0, LF_SHARD, 1);
	put(VENUE_POLYMARKET, 0, LF_SINCE_NS, (int64_t)NOW - 12300000000);
	assert_true(
	    link_why(text, page, FREEZE_FEED_STALE | FREEZE_LATENCY, 0, NOW));
	assert_string_equal(
	    text, "polymarket: connection host:443 (prices) stale for 12.3 s");
	/* The one that is away for longest, with why. */
	put(VENUE_BINANCE, 0, LF_STATE, LINK_DOWN);
	put(VENUE_BINANCE, 0, LF_SINCE_NS, (int64_t)NOW - 7400000000000 / 10);
	put(VENUE_BINANCE, 0, LF_END_REASON, REASON_CERT_TIME);
	assert_true(
	    link_why(text, page, FREEZE_FEED_STALE, VENUE_POLYMARKET, NOW));
	assert_non_null(strstr(text, "binance: connection host:443 (stream) "
				     "down for 12m20s: "));
	page[VENUE_BINANCE] = NULL;
	assert_true(
	    link_why(text, page, FREEZE_FEED_STALE, VENUE_POLYMARKET, NOW));
	assert_non_null(strstr(text, "(prices)"));
}

static void
other_freezes_blame_nobody(void **state)
{
	(void)state;
	assert_false(link_why(text, page, FREEZE_MANUAL, 0, NOW));
	assert_false(link_why(text, page, 0, 0, NOW));
}

/* When a counter rose last, for those who look once. */
static void
counters_remember_their_last_rise(void **state)
{
	struct metrics *m = &pages[0];

	(void)state;
	m->metric[M_FEEDD_GAPS].kind = METRIC_COUNTER;
	m->metric[M_FEEDD_RTT_US].kind = METRIC_GAUGE;
	metrics_look(m, 5);
	assert_int_equal(metrics_rise_ns(m, M_FEEDD_GAPS), 0);
	metrics_add(m, M_FEEDD_GAPS, 2);
	metrics_set(m, M_FEEDD_RTT_US, 9);
	metrics_look(m, 7);
	metrics_look(m, 8);
	assert_int_equal(metrics_rise_ns(m, M_FEEDD_GAPS), 7);
	assert_int_equal(metrics_rise_ns(m, M_FEEDD_RTT_US), 0);
	metrics_add(m, M_FEEDD_GAPS, 1);
	metrics_look(m, 9);
	assert_int_equal(metrics_rise_ns(m, M_FEEDD_GAPS), 9);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, fill)
	static const struct CMUnitTest tests[] = {
	    T(the_slow_connection_is_named),
	    T(the_silent_connection_is_named),
	    T(other_freezes_blame_nobody),
	    T(counters_remember_their_last_rise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
