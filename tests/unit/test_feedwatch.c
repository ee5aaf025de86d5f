/* links: recorderd libsys libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "libshm/slots.h"
#include "recorderd/feedwatch.h"

#define MS(x) ((uint64_t)(x)*UINT64_C(1000000))
#define T0    MS(1000000)

static struct feedwatch w;

static void
says(const char *want)
{
	char buf[FEEDWATCH_SZ];

	assert_string_equal(feedwatch_text(&w, VENUE_BINANCE, buf), want);
}

static int
fill(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	return 0;
}

static void
whole(void **state)
{
	(void)state;
	/* Gaps of before we looked are not ours. */
	feedwatch_look(&w, LINK_UP, 9, 0, T0);
	feedwatch_look(&w, LINK_READY, 9, 0, T0 + MS(5000));
	assert_true(feedwatch_whole(&w));
	says("binance: whole");
}

static void
never_up(void **state)
{
	(void)state;
	feedwatch_look(&w, 0, 0, 0, T0);
	feedwatch_look(&w, LINK_CONNECTING, 0, 0, T0 + MS(1000));
	assert_false(feedwatch_whole(&w));
	says("binance: never up");
	feedwatch_look(&w, LINK_DOWN, 0, REASON_CERT_TIME, T0 + MS(2000));
	assert_false(feedwatch_whole(&w));
	assert_true(w.reason == REASON_CERT_TIME);
}

static void
down_for_a_while(void **state)
{
	char want[FEEDWATCH_SZ];

	(void)state;
	feedwatch_look(&w, LINK_READY, 0, 0, T0);
	feedwatch_look(&w, LINK_READY, 0, REASON_CERT_TIME, T0 + MS(1000));
	feedwatch_look(&w, LINK_DOWN, 3, REASON_CERT_TIME, T0 + MS(2000));
	feedwatch_look(&w, LINK_STALE, 3, 0, T0 + MS(7000));
	feedwatch_look(&w, LINK_READY, 3, 0, T0 + MS(12200));
	feedwatch_look(&w, LINK_READY, 3, 0, T0 + MS(90000));
	assert_true(w.down_ns == MS(10200));
	snprintf(want, sizeof(want), "binance: down 10.2 s (%.80s), 3 gaps",
	    reason_text(REASON_CERT_TIME));
	says(want);
	assert_false(feedwatch_whole(&w));
}

static void
a_gap_alone(void **state)
{
	(void)state;
	feedwatch_look(&w, LINK_READY, 4, 0, T0);
	feedwatch_look(&w, LINK_READY, 5, 0, T0 + MS(1000));
	says("binance: 1 gap");
	assert_false(feedwatch_whole(&w));
	/* A late start is said, and is no loss of what was there. */
	fill(state);
	feedwatch_look(&w, LINK_CONNECTING, 0, 0, T0);
	feedwatch_look(&w, LINK_READY, 0, 0, T0 + MS(300));
	says("binance: down 0.3 s");
	assert_true(feedwatch_whole(&w));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, fill)
	static const struct CMUnitTest tests[] = {
	    T(whole),
	    T(never_up),
	    T(down_for_a_while),
	    T(a_gap_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
