/* links: riskd libshm libcore */
/*
 * Breakers by what fills say: runs on one side, losses, markouts, fills taken
 * back, the share that was taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libshm/ctl.h"
#include "tests/unit/risklife.h"

#define SEC(x) ((uint64_t)(x)*UINT64_C(1000000000))

static struct kit k;

static int
open_kit(void **state)
{
	(void)state;
	kit_open(&k);
	/* No stop or age comes between. */
	k.cfg.mm_max_loss_per_position = USD(1000 * E6);
	k.cfg.position_adverse_move_frac.e8 = E8;
	k.cfg.position_max_age.ns = 1000 * 3600 * NS_PER_S;
	k.cfg.mm_global_daily_loss_limit = USD(1000 * E6);
	kit_reload(&k);
	return 0;
}

static int
close_kit(void **state)
{
	(void)state;
	kit_close(&k);
	return 0;
}

static void
wait_s(uint64_t s)
{
	for (; s > 0; s--) {
		k.now += SEC(1);
		k.wall += NS_PER_S;
		kit_links_good(&k);
	}
}

static struct order
fill_of(uint16_t i, enum side side, int cents, int units)
{
	struct order o;

	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_FILL;
	o.hdr.instr = i;
	o.id = ++k.id;
	o.side = (uint8_t)side;
	o.exec_px = CENT(cents);
	o.exec_qty = o.cum_qty = UNIT(units);
	o.fill_id = k.id * 7;
	o.strategy = STRATEGY_MAKER;
	o.oflags = ORDER_MAKER;
	return o;
}

static void
fill(uint16_t i, enum side side, int cents, int units)
{
	struct order o = fill_of(i, side, cents, units);

	kit_order(&k, kit_report_ring(i), &o);
	k.r->reduce = false;
}

static void
back(const struct order *of)
{
	struct order o = *of;

	o.side = (uint8_t)side_opposite((enum side)of->side);
	o.oflags |= ORDER_REVERSED;
	o.usd.e6 = -of->usd.e6;
	o.fill_id = of->fill_id + 1;
	kit_order(&k, kit_report_ring(o.hdr.instr), &o);
	k.r->reduce = false;
}

static const struct order *
last_state(uint16_t i)
{
	const struct order *last = 0;

	for (uint32_t n = 0; kit_said(&k, MSG_STATE, n) != 0; n++)
		if (kit_said(&k, MSG_STATE, n)->hdr.instr == i)
			last = kit_said(&k, MSG_STATE, n);
	return last;
}

static void
T_78_three_fills_in_ten_seconds(void **state)
{
	const struct order *o;

	(void)state;
	fill(PM, SIDE_BID, 48, 5);
	wait_s(5);
	fill(PM, SIDE_BID, 48, 5);
	assert_null(kit_noted(&k, RISK_FLOW));
	wait_s(5);
	fill(PM, SIDE_BID, 48, 5);
	assert_non_null(kit_noted(&k, RISK_FLOW));
	o = last_state(PM);
	assert_int_equal(o->reason, REASON_TOXIC_FLOW);
	assert_int_equal(o->status, TRADING_RUN);
	assert_int_equal(o->exec_px.e8, 3 * E8 / 2);
	assert_int_equal(o->exec_qty.e8, E8 / 2);
	assert_int_equal(o->life_ms, 300001);
	/* Another market knows nothing of it. */
	assert_int_equal(k.r->watch[PM + 1].flow_until_ns, 0);
	/* Again within it: longer, never more. */
	wait_s(200);
	fill(PM, SIDE_ASK, 52, 5);
	for (int n = 0; n < 3; n++)
		fill(PM, SIDE_BID, 48, 5);
	o = last_state(PM);
	assert_int_equal(o->exec_px.e8, 3 * E8 / 2);
	assert_int_equal(k.r->watch[PM].flow_until_ns, k.now + SEC(300));
	assert_null(kit_noted(&k, RISK_FLOW)); /* it had not ended */
	/* It survives a death, and ends by itself. */
	kit_reborn(&k);
	kit_links_good(&k);
	wait_s(299);
	assert_true(k.r->watch[PM].flow_until_ns > k.now);
	kit_wait(&k, SEC(1));
	o = last_state(PM);
	assert_non_null(o);
	assert_int_equal(o->reason, REASON_OK);
	assert_int_equal(o->exec_px.e8, 0); /* one */
}

/* What a breaker changes lives in its market and ends; the settings are what
 * they were, and a market that is new has them plain. */
static void
T_79_no_breaker_changes_the_settings(void **state)
{
	struct cfg before = k.r->cfg;

	(void)state;
	for (int n = 0; n < 3; n++)
		fill(PM, SIDE_BID, 48, 5);
	assert_non_null(kit_noted(&k, RISK_FLOW));
	for (int n = 0; n < 3; n++)
		fill(PM, SIDE_ASK, 40, 1);
	assert_int_equal(k.r->watch[PM].losing_n, 3);
	assert_memory_equal(&k.r->cfg, &before, sizeof(before));
	wait_s(301);
	assert_memory_equal(&k.r->cfg, &before, sizeof(before));
	assert_int_equal(k.r->watch[PM + 1].losing_n, 0);
}

static void
T_78_what_is_no_run(void **state)
{
	(void)state;
	/* Too slow by a second. */
	fill(PM, SIDE_BID, 48, 5);
	wait_s(5);
	fill(PM, SIDE_BID, 48, 5);
	wait_s(6);
	fill(PM, SIDE_BID, 48, 5);
	assert_int_equal(k.r->watch[PM].flow_until_ns, 0);
	/* The other side in between. */
	fill(PM, SIDE_ASK, 52, 5);
	fill(PM, SIDE_BID, 48, 5);
	fill(PM, SIDE_BID, 48, 5);
	assert_int_equal(k.r->watch[PM].flow_until_ns, 0);
	/* The third, eleven seconds after the one before the other side. */
	fill(PM, SIDE_BID, 48, 5);
	assert_true(k.r->watch[PM].flow_until_ns > k.now);
}

/* A long run keeps its window, through the ring and its wrap. */
static void
test_long_runs(void **state)
{
	(void)state;
	for (int n = 0; n < 66000; n++) {
		wait_s(n % 3 == 0 ? 8 : 1);
		fill(PM, n % 40 < 20 ? SIDE_BID : SIDE_ASK, 50, 1);
		k.r->watch[PM].flow_until_ns = 0;
	}
	/* Slow ones of one side for ever, then three at once. */
	for (uint32_t n = 0; n < 65600; n++) {
		k.now += SEC(6);
		fill(PM, SIDE_BID, 1, 1);
		assert_int_equal(k.r->watch[PM].flow_until_ns > k.now, 0);
	}
	fill(PM, SIDE_BID, 1, 1);
	fill(PM, SIDE_BID, 1, 1);
	assert_true(k.r->watch[PM].flow_until_ns > k.now);
}

static void
test_losing_fills(void **state)
{
	const struct order *o;

	(void)state;
	fill(PM, SIDE_BID, 60, 100);
	for (int n = 0; n < 2; n++) {
		wait_s(20);
		fill(PM, SIDE_ASK, 50, 5);
	}
	assert_null(kit_noted(&k, RISK_LOSING));
	wait_s(20);
	fill(PM, SIDE_ASK, 50, 5);
	assert_non_null(kit_noted(&k, RISK_LOSING));
	o = last_state(PM);
	assert_int_equal(o->reason, REASON_LOSING_FILLS);
	assert_int_equal(o->cum_qty.e8, 5 * E8 / 2);
	assert_int_equal(o->exec_qty.e8, E8 / 2);
	/* A gain ends it. */
	wait_s(20);
	fill(PM, SIDE_ASK, 65, 5);
	assert_int_equal(last_state(PM)->reason, REASON_OK);
	assert_int_equal(last_state(PM)->cum_qty.e8, 0);
	/* Five pause the market; what opens a position counts as neither. */
	for (int n = 0; n < 5; n++) {
		wait_s(20);
		fill(PM, SIDE_BID, 60, 1);
		wait_s(20);
		fill(PM, SIDE_ASK, 50, 5);
	}
	o = last_state(PM);
	assert_int_equal(o->status, TRADING_FROZEN);
	assert_int_equal(o->reason, REASON_LOSING_FILLS);
	assert_int_equal(kit_intent(&k, PM, SIDE_ASK, CENT(52), UNIT(5)),
	    REASON_LOSING_FILLS);
	wait_s(300);
	kit_bbo(&k, PM, CENT(48), CENT(52));
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_ASK, CENT(52), UNIT(5)), REASON_OK);
	/* Still wide; two more pause it again. */
	assert_int_equal(k.r->watch[PM].losing_n, 3);
	wait_s(20);
	fill(PM, SIDE_ASK, 50, 5);
	fill(PM, SIDE_ASK, 50, 5);
	assert_true(k.r->watch[PM].pause_until_ns > k.now);
}

/* Reduced exposure is the limit of the market too. */
static void
test_losing_lowers_the_cap(void **state)
{
	(void)state;
	k.r->watch[PM].losing_n = 3;
	/* 20 % of 72.92 is 14.58; half of it at 0.50 is 14.58 shares. */
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(48), UNIT(40)), REASON_OK);
	assert_int_equal(kit_said(&k, MSG_ORDER, 0)->qty.e8, 1458 * E8 / 100);
}

static void
test_markouts(void **state)
{
	const struct order *o;

	(void)state;
	/* Ten bids at 50, and the mid a cent lower half a minute later. */
	for (int n = 0; n < 10; n++) {
		fill(PM, SIDE_BID, 51, 1);
		assert_true(k.r->watch[PM].toxic_until_ns == 0);
		wait_s(1);
	}
	wait_s(19);
	assert_int_equal(k.r->stat.markouts, 0);
	for (int n = 0; n < 9; n++) {
		wait_s(1);
		kit_bbo(&k, PM, CENT(49), CENT(51));
	}
	assert_int_equal(k.r->stat.markouts, 9);
	assert_null(kit_noted(&k, RISK_TOXIC));
	kit_wait(&k, SEC(1)); /* quiet: the mid that stands counts */
	assert_int_equal(k.r->stat.markouts, 10);
	assert_true(k.r->watch[PM].toxic_until_ns > k.now);
	o = last_state(PM);
	assert_non_null(o);
	assert_int_equal(o->status, TRADING_REDUCE);
	assert_int_equal(o->reason, REASON_TOXIC);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(49), UNIT(5)), REASON_TOXIC);
	/* A death does not lift the verdict; time does. */
	kit_reborn(&k);
	kit_links_good(&k);
	kit_bbo(&k, PM, CENT(49), CENT(51));
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(49), UNIT(5)), REASON_TOXIC);
	/* Nor do a few good mids: there is not as much to judge by. */
	fill(PM, SIDE_BID, 47, 1);
	for (int n = 0; n < 31; n++) {
		wait_s(1);
		kit_bbo(&k, PM, CENT(49), CENT(51));
	}
	assert_int_equal(k.r->stat.markouts, 11);
	assert_true(k.r->watch[PM].toxic_until_ns > k.now);
	wait_s(3600);
	kit_bbo(&k, PM, CENT(49), CENT(51));
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(49), UNIT(5)), REASON_OK);
}

/* Each mid that came due is told, with its fill, for the record. */
static void
test_markouts_are_told(void **state)
{
	const struct order *o;
	uint64_t id;

	(void)state;
	fill(PM, SIDE_BID, 47, 5);
	id = k.id * 7;
	for (int n = 0; n < 30; n++)
		wait_s(1);
	kit_bbo(&k, PM, CENT(49), CENT(53));
	o = 0;
	for (uint32_t n = 0; o == 0 && kit_said(&k, MSG_STATE, n) != 0; n++)
		if (kit_said(&k, MSG_STATE, n)->quote_delta != 0)
			o = kit_said(&k, MSG_STATE, n);
	/* It may have come with the timer of a second ago. */
	if (o == 0)
		assert_int_equal(k.r->stat.markouts, 1);
	wait_s(89);
	kit_bbo(&k, PM, CENT(49), CENT(53));
	k.now += SEC(1);
	kit_bbo(&k, PM, CENT(50), CENT(54));
	for (uint32_t n = 0; kit_said(&k, MSG_STATE, n) != 0; n++)
		if (kit_said(&k, MSG_STATE, n)->quote_delta != 0)
			o = kit_said(&k, MSG_STATE, n);
	assert_non_null(o);
	assert_int_equal(o->fill_id, id);
	assert_true((int64_t)o->id >= 4 * E8 / 100);
	assert_true(o->quote_delta == 30000 || o->quote_delta == 120000);
	assert_int_equal(o->qty.e8, UNIT(5).e8); /* else an ordinary STATE */
}

static void
T_14_reverts_pause_their_market(void **state)
{
	struct order o[6];

	(void)state;
	for (int n = 0; n < 6; n++) {
		o[n] = fill_of(PM, n % 2 == 0 ? SIDE_BID : SIDE_ASK, 50, 5);
		kit_order(&k, RG_REPORT_PM_R, &o[n]);
		wait_s(1);
	}
	k.r->reduce = false;
	assert_int_equal(k.r->instr[PM].pos.qty.e8, 0);
	back(&o[0]);
	assert_null(kit_noted(&k, RISK_REVERTS)); /* 1 of 6 */
	assert_int_equal(k.r->instr[PM].pos.qty.e8, -UNIT(5).e8);
	back(&o[1]); /* 2 of 6 > 0.2 */
	assert_non_null(kit_noted(&k, RISK_REVERTS));
	assert_int_equal(k.r->stat.reversed, 2);
	/* Taken back exactly: nothing is held, nothing was earned. */
	assert_int_equal(k.r->instr[PM].pos.qty.e8, 0);
	assert_int_equal(risk_pnl(k.r).e6, 0);
	assert_int_equal(last_state(PM)->status, TRADING_FROZEN);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(48), UNIT(5)), REASON_REVERTS);
	assert_int_equal(
	    kit_intent(&k, PM + 1, SIDE_BID, CENT(48), UNIT(5)), REASON_OK);
	wait_s(600);
	kit_bbo(&k, PM, CENT(48), CENT(52));
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(48), UNIT(5)), REASON_OK);
	/* The rate rolls: what is out of the window does not count, neither
	 * what was taken back in it nor what was not. */
	for (int n = 0; n < 6; n++)
		fill(PM, n % 2 == 0 ? SIDE_BID : SIDE_ASK, 50, 5);
	back(&o[2]);
	assert_null(kit_noted(&k, RISK_REVERTS));
	for (int n = 0; n < 200; n++)
		fill(PM, n % 2 == 0 ? SIDE_BID : SIDE_ASK, 50, 5);
	for (int half = 0; half < 2; half++) {
		wait_s(301);
		fill(PM, SIDE_BID, 50, 5);
		fill(PM, SIDE_ASK, 50, 5);
		fill(PM, SIDE_BID, 50, 5);
	}
	back(&o[3]);
	assert_null(kit_noted(&k, RISK_REVERTS)); /* 1 of 6 */
	back(&o[4]);
	assert_non_null(kit_noted(&k, RISK_REVERTS));
}

static void
taken(int cents, int units, uint8_t strategy)
{
	struct order o = fill_of(PM, SIDE_ASK, cents, units);

	o.oflags = 0;
	o.strategy = strategy;
	kit_order(&k, RG_REPORT_PM_R, &o);
	k.r->reduce = false;
}

static void
test_maker_ratio(void **state)
{
	(void)state;
	wait_s(1);
	for (int n = 0; n < 18; n++)
		fill(PM, n % 2 == 0 ? SIDE_BID : SIDE_ASK, 50, 10);
	taken(50, 20, STRATEGY_UNWIND); /* 10 of 100 dollars, 19 fills */
	assert_null(kit_noted(&k, RISK_RATIO_IS));
	taken(50, 4, STRATEGY_EDGE); /* not the maker's */
	assert_null(kit_noted(&k, RISK_RATIO_IS));
	taken(50, 1, STRATEGY_UNWIND);
	assert_non_null(kit_noted(&k, RISK_RATIO_IS));
	assert_int_equal(kit_noted(&k, RISK_RATIO_IS)->a, RATIO_WARN);
	taken(50, 12, STRATEGY_UNWIND);
	assert_int_equal(kit_noted(&k, RISK_RATIO_IS)->a, RATIO_ALERT);
	kit_wait(&k, 0);
	assert_int_equal(
	    kit_intent(&k, PM + 1, SIDE_BID, CENT(48), UNIT(5)), REASON_OK);
	kit_report(&k, MSG_DONE, PM + 1, SIDE_BID, k.id);
	taken(50, 14, STRATEGY_UNWIND);
	assert_int_equal(kit_noted(&k, RISK_RATIO_IS)->a, RATIO_PAUSE);
	assert_int_equal(
	    kit_said(&k, MSG_STATE, kit_count(&k, MSG_STATE) - 1)->hdr.instr,
	    0);
	assert_int_equal(kit_intent(&k, PM + 1, SIDE_BID, CENT(48), UNIT(5)),
	    REASON_MAKER_RATIO);
	/* Reducing goes on, and so does another strategy. */
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(48), UNIT(5)), REASON_OK);
	kit_reborn(&k);
	kit_links_good(&k);
	assert_int_equal(k.r->ratio.level, RATIO_PAUSE);
	/* A day later the window has moved on. */
	k.now += SEC(25 * 3600);
	k.wall += 25 * 3600 * NS_PER_S;
	kit_links_good(&k);
	assert_int_equal(k.r->ratio.level, RATIO_OK);
}

/* The window moves by parts: 23 hours are not enough. */
static void
test_maker_ratio_window(void **state)
{
	(void)state;
	k.wall = 1783700000 / 3600 * 3600 * NS_PER_S;
	kit_wait(&k, 0);
	for (int n = 0; n < 20; n++)
		taken(50, 1, STRATEGY_MAKER);
	assert_int_equal(k.r->ratio.level, RATIO_PAUSE);
	for (int h = 0; h < 23; h++) {
		k.now += SEC(3600);
		k.wall += 3600 * NS_PER_S;
		kit_links_good(&k);
		assert_int_equal(k.r->ratio.level, RATIO_PAUSE);
	}
	k.now += SEC(3600);
	k.wall += 3600 * NS_PER_S;
	kit_links_good(&k);
	assert_int_equal(k.r->ratio.level, RATIO_OK);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_kit, close_kit)
	const struct CMUnitTest tests[] = {
	    T(T_78_three_fills_in_ten_seconds),
	    T(T_78_what_is_no_run),
	    T(T_79_no_breaker_changes_the_settings),
	    T(test_long_runs),
	    T(test_losing_fills),
	    T(test_losing_lowers_the_cap),
	    T(test_markouts),
	    T(test_markouts_are_told),
	    T(T_14_reverts_pause_their_market),
	    T(test_maker_ratio),
	    T(test_maker_ratio_window),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
