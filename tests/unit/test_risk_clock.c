/* links: riskd libshm libcore */
/*
 * T-48: UTC that steps, venues whose clock is not ours; the risk core.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libshm/ctl.h"
#include "tests/unit/contract.h"
#include "tests/unit/riskkit.h"

static void
link_skew(struct kit *k, uint16_t any, int32_t skew_ms)
{
	struct tick t;

	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_LINK;
	t.u.link.rtt_us = 20000;
	t.u.link.state = LINK_READY;
	t.u.link.skew_ms = skew_ms;
	kit_tick(k, kit_md(any), &t);
}

/* Time passes with the links alive. */
static void
live(struct kit *k, uint64_t ns)
{
	for (uint64_t left = ns; left > 0; left -= MS(500)) {
		kit_wait(k, MS(500));
		kit_links_good(k);
	}
}

static bool
trades(struct kit *k)
{
	struct order o = kit_want(k, PM, SIDE_BID, CENT(48), UNIT(5));

	return kit_judge(k, &o) == REASON_OK;
}

static void
T_48_clock_step(void **state)
{
	static const int64_t steps[] = {
	    2 * NS_PER_S, -2 * NS_PER_S, 3600 * NS_PER_S, -86400 * NS_PER_S};
	struct kit k;

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		kit_open(&k);
		assert_true(trades(&k));
		k.wall += steps[i];
		kit_links_good(&k);
		assert_int_equal(k.r->freeze_all, FREEZE_CLOCK);
		assert_false(k.r->lease_ok);
		assert_int_equal(
		    kit_said(&k, MSG_STATE, 0) != 0 || k.r->told != 0, true);
		assert_false(trades(&k));
		assert_true(k.r->clock.step_ns == steps[i]);
		/* All the while, and after settle by itself. */
		live(&k, MS(59000));
		assert_int_equal(k.r->freeze_all, FREEZE_CLOCK);
		live(&k, MS(1500));
		assert_int_equal(k.r->freeze_all, 0);
		assert_true(trades(&k));
		kit_close(&k);
	}
}

/* A tick less than the limit, and many small ones (slewing), are no step. */
static void
T_48_slewing_is_no_step(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	for (int i = 0; i < 100; i++) {
		k.wall += 900 * NS_PER_MS;
		kit_links_good(&k);
		assert_int_equal(k.r->freeze_all, 0);
	}
	k.wall += 1001 * NS_PER_MS;
	kit_links_good(&k);
	assert_int_equal(k.r->freeze_all, FREEZE_CLOCK);
	kit_close(&k);
}

static void
T_48_step_undone_ends_the_freeze(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	k.wall += 7200 * NS_PER_S;
	kit_links_good(&k);
	assert_int_equal(k.r->freeze_all, FREEZE_CLOCK);
	live(&k, MS(3000));
	/* Another one the same way starts the time again. */
	k.wall += 60 * NS_PER_S;
	live(&k, MS(59000));
	assert_int_equal(k.r->freeze_all, FREEZE_CLOCK);
	k.wall -= 7260 * NS_PER_S;
	kit_links_good(&k);
	assert_int_equal(k.r->freeze_all, 0);
	assert_true(trades(&k));
	kit_close(&k);
}

/* The loss of the day is not forgotten because the clock was set forward. */
static void
T_48_day_does_not_roll_on_a_step(void **state)
{
	struct kit k;
	int64_t day;

	(void)state;
	kit_open(&k);
	day = k.r->loss.day;
	assert_true(day > 0);
	k.wall += 86400 * NS_PER_S;
	live(&k, MS(10000));
	assert_int_equal(k.r->freeze_all, FREEZE_CLOCK);
	assert_int_equal(k.r->loss.day, day);
	k.wall -= 86400 * NS_PER_S;
	live(&k, MS(120000));
	assert_int_equal(k.r->freeze_all, 0);
	assert_int_equal(k.r->loss.day, day);
	/* One that stays is believed after settle. */
	k.wall += 86400 * NS_PER_S;
	live(&k, MS(61000));
	assert_int_equal(k.r->freeze_all, 0);
	assert_int_equal(k.r->loss.day, day + 1);
	kit_close(&k);
}

static void
T_48_skew(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	link_skew(&k, PM, 1000);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], 0);
	link_skew(&k, PM, 1001);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], FREEZE_CLOCK);
	assert_int_equal(k.r->freeze_all, 0);
	assert_int_equal(k.r->freeze[VENUE_HYPERLIQUID], 0);
	assert_false(trades(&k));
	link_skew(&k, HL, -1001);
	assert_int_equal(k.r->freeze[VENUE_HYPERLIQUID], FREEZE_CLOCK);
	link_skew(&k, HL, -1000);
	assert_int_equal(k.r->freeze[VENUE_HYPERLIQUID], 0);
	link_skew(&k, PM, 0);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], 0);
	assert_true(trades(&k));
	/* Everything is priced against the reference. */
	link_skew(&k, BN, 5000);
	assert_int_equal(k.r->freeze_all, FREEZE_CLOCK);
	assert_false(k.r->lease_ok);
	link_skew(&k, BN, 0);
	assert_int_equal(k.r->freeze_all, 0);
	kit_close(&k);
}

static void
T_48_limits_are_live_keys(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	link_skew(&k, PM, 1500);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], FREEZE_CLOCK);
	k.cfg.risk_clock_skew_max.ns = 2 * NS_PER_S;
	k.cfg.risk_clock_settle.ns = 5 * NS_PER_S;
	kit_step(&k, EV_CFG, RG_INTENT, 0, 0);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], 0);
	k.wall += 3 * NS_PER_S;
	live(&k, MS(4000));
	assert_int_equal(k.r->freeze_all, FREEZE_CLOCK);
	live(&k, MS(1500));
	assert_int_equal(k.r->freeze_all, 0);
	kit_close(&k);
}

/* The core asks to be woken when the freeze ends, links silent or not. */
static void
T_48_freeze_ends_without_input(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	k.wall += 3 * NS_PER_S;
	kit_links_good(&k);
	for (int i = 0; i < 1000 && k.r->clock.stepped; i++) {
		uint64_t at = k.out.wake_ns;

		assert_true(at != 0);
		kit_wait(&k, at > k.now ? at - k.now : 0);
	}
	assert_false(k.r->clock.stepped);
	kit_close(&k);
}

static void
no_limit(void)
{
	struct wallclock w = {0};

	wallclock_event(&w, 1, 1, 0, 1);
}

static void
no_settle(void)
{
	struct wallclock w = {0};

	wallclock_event(&w, 1, 1, 1, 0);
}

static void
test_wallclock(void **state)
{
	struct wallclock w = {0};

	(void)state;
	assert_int_equal(wallclock_day_ns(&w, 5), 0);
	assert_false(wallclock_event(&w, 10, 0, 100, 1000));
	assert_int_equal(wallclock_day_ns(&w, 10), 0);
	assert_false(wallclock_event(&w, 10, 5000, 100, 1000));
	assert_int_equal(wallclock_day_ns(&w, 20), 5010);
	assert_true(wallclock_event(&w, 20, 6000, 100, 1000));
	assert_int_equal(wallclock_day_ns(&w, 30), 5020);
	assert_int_equal(wallclock_due_ns(&w, 1000), 1020);
	/* Not known what UTC is: the time still passes. */
	assert_false(wallclock_event(&w, 1019, 0, 100, 1000));
	assert_true(wallclock_event(&w, 1020, 0, 100, 1000));
	assert_int_equal(wallclock_due_ns(&w, 1000), 0);
	assert_int_equal(wallclock_day_ns(&w, 1020), 7000);
	assert_true(contract_fails(no_limit));
	assert_true(contract_fails(no_settle));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(T_48_clock_step),
	    cmocka_unit_test(T_48_slewing_is_no_step),
	    cmocka_unit_test(T_48_step_undone_ends_the_freeze),
	    cmocka_unit_test(T_48_day_does_not_roll_on_a_step),
	    cmocka_unit_test(T_48_skew),
	    cmocka_unit_test(T_48_limits_are_live_keys),
	    cmocka_unit_test(T_48_freeze_ends_without_input),
	    cmocka_unit_test(test_wallclock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
