/* links: simvenue libvenue libsys libshm libcore */
/*
 * A real feedd on connections that fail in every way that has a name: it is
 * told, counted, and the feed comes back to READY by itself.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/pipeline/trapkit.h"

/* ---- connections ---- */

static void
T_51_a_silent_socket_is_given_up(void **state)
{
	(void)state;
	given_up("silent_socket", MARKET ",\"count\":1");
	mended();
}

static void
a_half_open_socket_is_given_up(void **state)
{
	(void)state;
	given_up("half_open", MARKET ",\"count\":1");
	mended();
}

static void
a_server_that_does_not_read_is_given_up(void **state)
{
	uint64_t before;
	(void)state;
	counted("slow_reader", MARKET ",\"count\":1", REASON_NO_PONG);
	/* Data comes again, and is true. */
	before = f.bbos;
	FEED_UNTIL(&f, f.bbos > before + 10);
	mended();
}

static void
T_53_a_token_without_snapshot_is_asked_elsewhere(void **state)
{
	(void)state;
	/* A new connection on which no first book comes. */
	feedrig_fault(&f, "{\"name\":\"no_snapshot\",\"count\":2}");
	reconnects("close_1012", MARKET ",\"count\":1");
	FEED_UNTIL(&f, feedrig_fired(&f, "no_snapshot") >= 2);
	mended();
}

static void
a_storm_of_disconnects_is_weathered(void **state)
{
	int64_t before;
	(void)state;
	before = feedrig_metric(&f, M_FEEDD_RECONNECTS);
	feedrig_fault(
	    &f, "{\"name\":\"disconnect_storm\",\"p\":0.5,\"for_ms\":1500}");
	feedrig_runs(&f, 1600);
	FEED_UNTIL(&f, feedrig_metric(&f, M_FEEDD_RECONNECTS) > before + 3);
	mended();
	/* Never a tight loop: 20 ms, doubling, for two connections. */
	assert_true(feedrig_metric(&f, M_FEEDD_RECONNECTS) - before < 120);
}

static void
close_1012_and_1013_are_reconnected(void **state)
{
	(void)state;
	given_up("close_1012", MARKET ",\"count\":1");
	mended();
	given_up("close_1013", MARKET ",\"count\":1");
	mended();
}

static void
a_refused_upgrade_is_tried_again(void **state)
{
	(void)state;
	feedrig_fault(
	    &f, "{\"name\":\"refuse_upgrade\",\"value\":451,\"count\":3}");
	reconnects("close_1012", MARKET ",\"count\":1");
	FEED_UNTIL(&f, feedrig_fired(&f, "refuse_upgrade") == 3);
	mended();
}

static void
T_46_a_missing_pong_is_told_though_data_comes(void **state)
{
	int64_t rtt = 0;
	(void)state;
	feedrig_fault(&f, "{\"name\":\"no_pong\"" MARKET "}");
	FEED_UNTIL(&f, (rtt = feedrig_metric(&f, M_FEEDD_RTT_US)) >= 300000);
	mended();
	FEED_UNTIL(&f, feedrig_metric(&f, M_FEEDD_RTT_US) < 300000);
}

static void
T_46_a_link_without_pongs_is_made_again(void **state)
{
	int64_t before;
	(void)state;
	before = feedrig_metric(&f, M_FEEDD_RECONNECTS);
	counted("no_pong", MARKET ",\"count\":1", REASON_NO_PONG);
	FEED_UNTIL(&f, feedrig_metric(&f, M_FEEDD_RECONNECTS) > before);
	mended();
	FEED_UNTIL(&f, feedrig_metric(&f, M_FEEDD_RTT_US) < 300000);
}

static void
a_slow_pong_is_a_long_round_trip(void **state)
{
	(void)state;
	feedrig_fault(&f, "{\"name\":\"slow_pong\"" MARKET ",\"value\":200}");
	FEED_UNTIL(&f, feedrig_metric(&f, M_FEEDD_RTT_US) >= 200000);
	mended();
}

/* ---- the price stream ---- */

static void
a_stalled_price_stream_is_made_again(void **state)
{
	uint64_t bbos;
	(void)state;
	bbos = f.bbos;
	reconnects("rtds_stall", ",\"count\":1");
	/* The books did not wait for it. */
	assert_true(f.bbos > bbos);
	mended();
}

static void
a_replay_that_begins_again_is_taken(void **state)
{
	(void)state;
	given_up("restart_replay", ",\"count\":1");
	mended();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(T_51_a_silent_socket_is_given_up),
	    T(a_half_open_socket_is_given_up),
	    T(a_server_that_does_not_read_is_given_up),
	    T(T_53_a_token_without_snapshot_is_asked_elsewhere),
	    T(a_storm_of_disconnects_is_weathered),
	    T(close_1012_and_1013_are_reconnected),
	    T(a_refused_upgrade_is_tried_again),
	    T(T_46_a_missing_pong_is_told_though_data_comes),
	    T(T_46_a_link_without_pongs_is_made_again),
	    T(a_slow_pong_is_a_long_round_trip),
	    T(a_stalled_price_stream_is_made_again),
	    T(a_replay_that_begins_again_is_taken),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
