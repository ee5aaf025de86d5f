/* links: simvenue libvenue libsign libsys libshm libcore */
/*
 * The real feedd on simvenue --live: each venue's feed becomes READY and
 * shows books of the world; a window of Polymarket has its strike.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libshm/instr.h"
#include "tests/pipeline/feedrig.h"
#include "tests/pipeline/proc.h"

static const char *const options[] = {
    "--live", "--seed", "11", "--series", "btc-updown-1m:60", NULL};
static const char *const sets[] = {"polymarket.series=btc-updown-1m",
    "polymarket.rtds_symbols=btc/usd", "discovery.poll=1s",
    "hyperliquid.coins=BTC", "feed.reconnect_min=20ms",
    "feed.reconnect_max=200ms", NULL};
static struct feedrig f;

static void
open_feed(enum stage_id st, enum ring_id ring, const char *venue)
{
	memset(&f, 0, sizeof(f));
	f.st = st;
	f.ring = ring;
	f.venue = venue;
	f.options = options;
	f.sets = sets;
	feedrig_truth(NULL);
	feedrig_open(&f, "simlive");
}

static int
close_feed(void **state)
{
	(void)state;
	if (f.feed > 0)
		feedrig_close(&f);
	return 0;
}

static bool
has_strike(void)
{
	struct instr in;

	for (uint16_t i = 1; i < INSTR_N; i++)
		if (instr_read(f.rig.table, i, &in) &&
		    in.venue == VENUE_POLYMARKET && in.strike_px.e8 > 0)
			return true;
	return false;
}

static void
polymarket_shows_books_and_a_strike(void **state)
{
	(void)state;
	open_feed(ST_FEEDD_PM, RG_MD_PM_X, "polymarket");
	FEED_LIVES(&f);
	FEED_UNTIL(&f, f.refs > 3);
	FEED_UNTIL(&f, has_strike());
	assert_int_equal(feedrig_metric(&f, M_FEEDD_MALFORMED), 0);
	assert_int_equal(f.crossed, 0);
}

static void
binance_shows_its_touch(void **state)
{
	(void)state;
	open_feed(ST_FEEDD_BN, RG_MD_BN_Q, "binance");
	FEED_LIVES(&f);
	FEED_UNTIL(&f, f.bbos > 50);
	assert_int_equal(feedrig_metric(&f, M_FEEDD_MALFORMED), 0);
	assert_int_equal(f.crossed, 0);
	assert_int_equal(f.gaps, 0);
}

static void
hyperliquid_shows_its_touch(void **state)
{
	(void)state;
	open_feed(ST_FEEDD_HL, RG_MD_HL_X, "hyperliquid");
	FEED_LIVES(&f);
	FEED_UNTIL(&f, f.bbos > 5);
	assert_int_equal(feedrig_metric(&f, M_FEEDD_MALFORMED), 0);
	assert_int_equal(f.crossed, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(
		polymarket_shows_books_and_a_strike, close_feed),
	    cmocka_unit_test_teardown(binance_shows_its_touch, close_feed),
	    cmocka_unit_test_teardown(hyperliquid_shows_its_touch, close_feed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
