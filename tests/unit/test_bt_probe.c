/* links: backtest execd libshm libcore */
/* Queue models on hypothetical bids: frames of our own in the recorded form. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backtest/probe.h"

static struct probe p;

static bool
parse(const char *up, const char *down, const char *winner)
{
	char text[1024];

	snprintf(text, sizeof(text),
	    "{\"slug\":\"s\",\"shares\":5,\"sides\":{\"UP\":%s,\"DOWN\":%s},"
	    "\"winner\":\"%s\"}",
	    up, down, winner);
	return probe_parse(text, strlen(text), &p);
}

#define BID(q, ahead, min, ask, filled)                                     \
	"{\"quote\":" q ",\"queue_ahead\":" ahead ",\"min_size_at_q\":" min \
	",\"min_ask_seen\":" ask                                            \
	",\"touch_ask\":null,\"fill_t\":-8.5,\"filled\":" filled "}"

static void
what_is_read(void **state)
{
	(void)state;
	assert_true(parse(BID("0.49", "184.81", "0.0", "0.48", "true"),
	    BID("null", "null", "null", "0.01", "false"), "DOWN"));
	assert_int_equal(p.side[0].px.e8, 49000000);
	assert_int_equal(p.side[0].ahead.e8, 18481000000);
	assert_int_equal(p.side[0].min_size.e8, 0);
	assert_true(p.side[0].filled);
	assert_false(p.side[0].won);
	assert_false(p.side[1].quoted);
	assert_true(p.side[1].won);
	assert_false(parse(BID("0.49", "1", "0", "0.5", "true"),
	    BID("0.5", "1", "0", "0.5", "true"), "NOBODY"));
	assert_false(probe_parse("{}", 2, &p));
	assert_false(probe_parse("x", 1, &p));
}

/* The ask came to our price: everybody fills. It never did: nobody, unless
 * what left the level was traded and we were in front. */
static void
touches_and_prints(void **state)
{
	double gone;

	(void)state;
	assert_true(parse(BID("0.49", "100", "40", "0.49", "true"),
	    BID("0.50", "100", "40", "0.51", "false"), "UP"));
	for (int m = QUEUE_FRONT; m < QUEUE_MODEL_N; m++) {
		assert_true(probe_fills(
		    &p.side[0], p.shares, (enum queue_model)m, false, &gone));
		assert_false(probe_fills(
		    &p.side[1], p.shares, (enum queue_model)m, false, &gone));
		assert_true(
		    probe_fills(&p.side[1], p.shares, (enum queue_model)m, true,
			&gone) == (m == QUEUE_FRONT));
	}
}

static void
how_much_of_the_queue_is_gone(void **state)
{
	double gone;

	(void)state;
	assert_true(parse(BID("0.49", "100", "40", "0.50", "false"),
	    BID("0.50", "0", "0", "0.51", "false"), "UP"));
	probe_fills(&p.side[0], p.shares, QUEUE_BACK, false, &gone);
	assert_true(gone > 0.599 && gone < 0.601);
	probe_fills(&p.side[0], p.shares, QUEUE_FRONT, false, &gone);
	assert_true(gone == 1);
	probe_fills(&p.side[1], p.shares, QUEUE_BACK, false, &gone);
	assert_true(gone == 1);
}

static void
one_sided_fills_are_counted_by_who_won(void **state)
{
	static struct probe_table t;

	(void)state;
	assert_true(parse(BID("0.49", "100", "0", "0.48", "true"),
	    BID("0.50", "100", "90", "0.52", "false"), "DOWN"));
	probe_add(&t, &p);
	assert_true(parse(BID("0.49", "100", "0", "0.48", "true"),
	    BID("0.50", "100", "0", "0.50", "false"), "UP"));
	probe_add(&t, &p);
	assert_int_equal(t.recorded.n, 4);
	assert_int_equal(t.recorded.one_lose, 1);
	assert_int_equal(t.recorded.one_win, 1);
	assert_int_equal(t.score[QUEUE_BACK][0].fills, 3);
	assert_int_equal(t.score[QUEUE_BACK][0].only_us, 1);
	assert_int_equal(t.score[QUEUE_BACK][0].one_lose, 1);
	assert_int_equal(t.score[QUEUE_BACK][0].one_win, 0);
	assert_int_equal(t.score[QUEUE_BACK][0].two, 1);
	/* lost 0.49; won 0.51, lost 0.50 */
	assert_int_equal(t.score[QUEUE_BACK][0].pnl_e8, -48000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_read),
	    cmocka_unit_test(touches_and_prints),
	    cmocka_unit_test(how_much_of_the_queue_is_gone),
	    cmocka_unit_test(one_sided_fills_are_counted_by_who_won),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
