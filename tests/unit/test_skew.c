/* links: feedd libvenue libshm libcore */
/*
 * What a venue's answers prove about its clock and ours.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "feedd/skew.h"
#include "libcore/fixed.h"
#include "tests/unit/contract.h"

#define WALL INT64_C(1783700000123456789)
#define MONO UINT64_C(5000000000000)
#define MS   NS_PER_MS

/* An answer `at` ns after the start of the test, from a venue whose clock is
 * `skew_ns` ahead, over `rtt_ns`; its Date is cut to seconds. */
static struct feed_event
answer(int64_t at, int64_t skew_ns, int64_t rtt_ns)
{
	struct feed_event ev = {.kind = FEED_EV_HTTP, .code = 200};
	int64_t venue_ns = WALL + at - rtt_ns / 2 + skew_ns;

	ev.now_ns = MONO + (uint64_t)at;
	ev.wall_ns = WALL + at;
	ev.sent_ns = ev.now_ns - (uint64_t)rtt_ns;
	ev.date_ns = venue_ns - venue_ns % NS_PER_S;
	return ev;
}

static void
run(struct skew *k, int64_t skew_ns, int64_t step_ns, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct feed_event ev =
		    answer((int64_t)i * step_ns, skew_ns, 80 * MS);

		skew_http(k, &ev);
	}
}

static void
test_nothing_known(void **state)
{
	struct skew k = {0};
	struct feed_event ev = answer(0, 10 * NS_PER_S, 80 * MS);

	(void)state;
	assert_int_equal(skew_proven_ns(&k), 0);
	ev.date_ns = 0;
	skew_http(&k, &ev);
	ev = answer(0, 10 * NS_PER_S, 80 * MS);
	ev.sent_ns = 0;
	skew_http(&k, &ev);
	ev.sent_ns = ev.now_ns + 1;
	skew_http(&k, &ev);
	assert_int_equal(k.n, 0);
	/* One answer, or two, prove nothing. */
	run(&k, 10 * NS_PER_S, NS_PER_S, 2);
	assert_int_equal(skew_ms(&k), 0);
	run(&k, 10 * NS_PER_S, NS_PER_S, 3);
	assert_true(skew_ms(&k) > 8000);
}

/* Never more than the truth, and close to it after a few answers. */
static void
test_truth_is_in_the_interval(void **state)
{
	static const int64_t skews[] = {
	    0, 1, -1, 300, -300, 990, -990, 1500, -1500, 60000, -3600000};

	(void)state;
	for (size_t i = 0; i < sizeof(skews) / sizeof(skews[0]); i++) {
		struct skew k = {0};
		int64_t truth = skews[i] * MS;

		run(&k, truth, 15137 * MS, 12);
		assert_true(k.lo_ns <= truth && truth <= k.hi_ns);
		assert_true(k.hi_ns - k.lo_ns < 500 * MS);
		if (truth > -500 * MS && truth < 500 * MS)
			assert_true(skew_ms(&k) <= 500);
		else
			assert_true(skew_proven_ns(&k) * (truth < 0 ? -1 : 1) >
				    (truth < 0 ? -truth : truth) - 500 * MS);
		assert_true(truth >= 0 ? skew_proven_ns(&k) <= truth
				       : skew_proven_ns(&k) >= truth);
	}
}

static void
test_agreeing_clocks(void **state)
{
	struct skew k = {0};

	(void)state;
	for (int64_t i = 0; i < 200; i++) {
		struct feed_event ev =
		    answer(i * 1777 * MS, 0, (5 + i % 40 * 20) * MS);

		skew_http(&k, &ev);
		assert_int_equal(skew_proven_ns(&k), 0);
	}
}

/* T-48: our UTC steps; what was measured before says nothing now. */
static void
T_48_skew_begins_anew_after_a_step(void **state)
{
	struct skew k = {0};

	(void)state;
	run(&k, 0, NS_PER_S, 10);
	assert_int_equal(skew_ms(&k), 0);
	for (int64_t i = 10; i < 20; i++) {
		struct feed_event ev = answer(i * NS_PER_S, 0, 80 * MS);

		ev.wall_ns += 5 * NS_PER_S; /* ours is ahead now */
		skew_http(&k, &ev);
		assert_int_equal(skew_ms(&k) != 0, i >= 12);
	}
	assert_true(skew_ms(&k) < -3500 && skew_ms(&k) >= -5000);
	for (int64_t i = 20; i < 30; i++) {
		struct feed_event ev = answer(i * NS_PER_S, 0, 80 * MS);

		skew_http(&k, &ev);
		assert_int_equal(skew_ms(&k), 0);
	}
}

/* A step too small to contradict what was measured before. */
static void
T_48_small_steps_do_not_mix(void **state)
{
	(void)state;
	for (int64_t step = -900; step <= 900; step += 150) {
		struct skew k = {0};

		run(&k, 0, NS_PER_S, 5);
		for (int64_t i = 5; i < 10; i++) {
			struct feed_event ev = answer(i * NS_PER_S, 0, 80 * MS);

			ev.wall_ns += step * MS;
			skew_http(&k, &ev);
			assert_true(k.lo_ns <= -step * MS);
			assert_true(k.hi_ns >= -step * MS);
		}
	}
}

/* A venue whose clock jumps, and the window. */
static void
test_contradiction_and_age(void **state)
{
	struct skew k = {0};
	struct feed_event ev;

	(void)state;
	run(&k, 3 * NS_PER_S, NS_PER_S, 5);
	assert_true(skew_ms(&k) > 1900);
	ev = answer(6 * NS_PER_S, 0, 80 * MS);
	skew_http(&k, &ev);
	assert_int_equal(k.n, 1);
	assert_int_equal(skew_ms(&k), 0);
	ev = answer(7 * NS_PER_S, 0, 80 * MS);
	skew_http(&k, &ev);
	assert_int_equal(k.n, 2);
	ev = answer(8 * NS_PER_S + (int64_t)SKEW_WINDOW_NS, 0, 80 * MS);
	skew_http(&k, &ev);
	assert_int_equal(k.n, 1);
}

static void
test_body_times(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
		int64_t res;
	} cases[] = {
	    {"{\"serverTime\":1783700000123}", INT64_C(1783700000123000000),
		NS_PER_MS},
	    {"1783700000", INT64_C(1783700000000000000), NS_PER_S},
	    {"{\"serverTime\":1783700000123456}", INT64_C(1783700000123456000),
		NS_PER_US},
	    {"", 0, 0},
	    {"<html>404</html>", 0, 0},
	    {"17837000001", 0, 0},
	    {"17837000001234567", 0, 0},
	    {"99999999999999999999999999", 0, 0},
	    {"9999999999999", 0, 0},
	    {"0000000000", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ns = 0;
		int64_t res = 0;
		bool ok = skew_body_time(
		    cases[i].text, strlen(cases[i].text), &ns, &res);

		assert_int_equal(ok, cases[i].ns != 0);
		if (!ok)
			continue;
		assert_true(ns == cases[i].ns);
		assert_true(res == cases[i].res);
	}
}

/* Milliseconds narrow it; the old times of a recording do not count. */
static void
test_body_counts_when_confirmed(void **state)
{
	static const char near[] = "{\"serverTime\":1783700000383}";
	static const char old[] = "{\"serverTime\":1723161254005}";
	struct skew k = {0};
	struct feed_event ev = answer(0, 300 * MS, 80 * MS);

	(void)state;
	ev.data = near;
	ev.n = sizeof(near) - 1;
	skew_http(&k, &ev); /* not the tag of a clock */
	assert_int_equal(k.n, 1);
	ev.tag = FEED_TAG_TIME;
	skew_http(&k, &ev);
	assert_int_equal(k.n, 3);
	assert_true(k.hi_ns - k.lo_ns <= 81 * MS);
	assert_true(k.lo_ns <= 300 * MS && 300 * MS <= k.hi_ns);
	assert_true(skew_ms(&k) > 200 && skew_ms(&k) <= 300);
	ev.data = old;
	ev.n = sizeof(old) - 1;
	skew_http(&k, &ev);
	assert_true(skew_ms(&k) > 200 && skew_ms(&k) <= 300);
}

static void
no_time(void)
{
	struct skew k = {0};
	struct skew_sample s = {.res_ns = 1, .recv_ns = 1};

	skew_take(&k, &s);
}

static void
sent_after(void)
{
	struct skew k = {0};
	struct skew_sample s = {.venue_ns = 1, .res_ns = 1, .sent_ns = 1};

	skew_take(&k, &s);
}

static void
test_contracts(void **state)
{
	(void)state;
	assert_true(contract_fails(no_time));
	assert_true(contract_fails(sent_after));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_known),
	    cmocka_unit_test(test_truth_is_in_the_interval),
	    cmocka_unit_test(test_agreeing_clocks),
	    cmocka_unit_test(T_48_skew_begins_anew_after_a_step),
	    cmocka_unit_test(T_48_small_steps_do_not_mix),
	    cmocka_unit_test(test_contradiction_and_age),
	    cmocka_unit_test(test_body_times),
	    cmocka_unit_test(test_body_counts_when_confirmed),
	    cmocka_unit_test(test_contracts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
