/* links: riskd libshm libcore */
/*
 * How positions end: stop, age, adverse move, passive unwinding, forced exit.
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
	return 0;
}

static int
close_kit(void **state)
{
	(void)state;
	kit_close(&k);
	return 0;
}

/* 20 at 50 cents, or sold. */
static void
hold(uint16_t i, enum side side)
{
	kit_fill(&k, i, side, ++k.id, CENT(50), UNIT(20), UNIT(20));
	k.r->reduce = false; /* the fill of an order nobody knows */
}

/* Time passes, links stay good and books come again. */
static void
wait_s(uint64_t s)
{
	for (; s > 0; s--) {
		k.now += SEC(1);
		k.wall += NS_PER_S;
		kit_links_good(&k);
	}
}

static void
watch_until(uint64_t s, enum risk_phase phase)
{
	wait_s(s - 1);
	assert_int_equal(k.r->watch[PM].phase, phase - 1);
	wait_s(1);
	assert_int_equal(k.r->watch[PM].phase, phase);
}

static void
test_stop_sends_an_exit(void **state)
{
	const struct order *o;

	(void)state;
	hold(PM, SIDE_BID);
	kit_bbo(&k, PM, CENT(34), CENT(37)); /* 35.5: 2.90 lost */
	assert_int_equal(kit_count(&k, MSG_ORDER), 0);
	kit_bbo(&k, PM, CENT(34), CENT(36)); /* 35: exactly 3.00 */
	assert_int_equal(k.r->watch[PM].phase, PHASE_EXIT);
	assert_non_null(kit_noted(&k, RISK_UNWIND));
	assert_non_null(kit_noted(&k, RISK_EXIT));
	o = kit_said(&k, MSG_ORDER, 0);
	assert_non_null(o);
	assert_int_equal(o->side, SIDE_ASK);
	assert_int_equal(o->level, ORDER_EXIT_LEVEL);
	assert_int_equal(o->qty.e8, UNIT(20).e8);
	assert_int_equal(o->px.e8, CENT(29).e8); /* 5 ticks through */
	assert_int_equal(o->tif, TIF_IOC);
	assert_int_equal(o->oflags, ORDER_IMPERATIVE | ORDER_REDUCE_ONLY);
	assert_int_equal(o->strategy, STRATEGY_UNWIND);
	/* quoted hears that nothing is quoted there, and why. */
	o = kit_said(&k, MSG_STATE, 0);
	assert_int_equal(o->hdr.instr, PM);
	assert_int_equal(o->status, TRADING_FROZEN);
	assert_int_equal(o->reason, REASON_POSITION_STOP);
	assert_int_equal(kit_intent(&k, PM, SIDE_BID, CENT(34), UNIT(10)),
	    REASON_POSITION_STOP);
	assert_int_equal(
	    kit_intent(&k, PM + 1, SIDE_BID, CENT(48), UNIT(10)), REASON_OK);
}

/* The exit fills in part, is done, and the rest goes after exit_retry. */
static void
test_exit_until_flat(void **state)
{
	struct order o;
	uint64_t id;

	(void)state;
	hold(PM, SIDE_BID);
	kit_bbo(&k, PM, CENT(30), CENT(32));
	id = kit_said(&k, MSG_ORDER, 0)->id;
	o = *kit_said(&k, MSG_ORDER, 0);
	o.hdr.kind = MSG_FILL;
	o.exec_px = CENT(30);
	o.exec_qty = o.cum_qty = UNIT(8);
	o.fill_id = 9001;
	kit_order(&k, RG_REPORT_PM_R, &o);
	assert_int_equal(k.r->instr[PM].pos.qty.e8, UNIT(12).e8);
	assert_int_equal(kit_count(&k, MSG_ORDER), 0); /* one at a time */
	o.hdr.kind = MSG_DONE;
	kit_order(&k, RG_REPORT_PM_R, &o);
	assert_int_equal(kit_count(&k, MSG_ORDER), 0); /* not at once */
	kit_wait(&k, (uint64_t)k.cfg.position_exit_retry.ns);
	kit_links_good(&k);
	kit_bbo(&k, PM, CENT(29), CENT(31));
	assert_int_equal(k.r->stat.exits, 2);
	assert_int_equal(
	    k.r->slot[k.r->slot_n - 1].order[0].qty.e8, UNIT(12).e8);
	assert_true(k.r->slot[k.r->slot_n - 1].order[0].id > id);
	o.id = k.r->slot[k.r->slot_n - 1].order[0].id;
	o.hdr.kind = MSG_FILL;
	o.exec_qty = o.cum_qty = UNIT(12);
	o.fill_id = 9002;
	kit_order(&k, RG_REPORT_PM_R, &o);
	assert_int_equal(k.r->instr[PM].pos.qty.e8, 0);
	assert_int_equal(k.r->watch[PM].phase, PHASE_NONE);
	assert_int_equal(kit_said(&k, MSG_STATE, 0)->status, TRADING_RUN);
	assert_int_equal(kit_said(&k, MSG_STATE, 0)->reason, REASON_OK);
}

/* Orders of ours go first: one could trade with the exit, or fill beside. */
static void
test_exit_waits_for_what_rests(void **state)
{
	uint64_t bid;

	(void)state;
	hold(PM, SIDE_BID);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_OK);
	bid = k.id;
	kit_bbo(&k, PM, CENT(30), CENT(32));
	assert_int_equal(kit_count(&k, MSG_ORDER), 0);
	assert_int_equal(kit_count(&k, MSG_CANCEL), 1);
	assert_int_equal(kit_said(&k, MSG_CANCEL, 0)->id, bid);
	kit_bbo(&k, PM, CENT(30), CENT(33));
	assert_int_equal(kit_count(&k, MSG_CANCEL), 0); /* not each tick */
	kit_report(&k, MSG_DONE, PM, SIDE_BID, bid);
	assert_int_equal(kit_count(&k, MSG_ORDER), 1); /* at once */
}

static void
test_exit_waits_for_a_thaw_and_a_mark(void **state)
{
	(void)state;
	hold(PM, SIDE_BID);
	kit_link(&k, PM, 900, LINK_READY);
	kit_link(&k, PM, 900, LINK_READY);
	kit_link(&k, PM, 900, LINK_READY);
	k.now += SEC(1);
	kit_link(&k, PM, 900, LINK_READY);
	k.now += SEC(1);
	kit_link(&k, PM, 900, LINK_READY);
	assert_true((k.r->freeze[VENUE_POLYMARKET] & FREEZE_LATENCY) != 0);
	kit_bbo(&k, PM, CENT(30), CENT(32));
	assert_int_equal(k.r->watch[PM].phase, PHASE_EXIT);
	assert_int_equal(kit_count(&k, MSG_ORDER), 0);
	wait_s(60);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], 0);
	assert_int_equal(k.r->stat.exits, 1);
}

static void
test_age_unwinds_then_exits(void **state)
{
	(void)state;
	hold(PM, SIDE_ASK);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_ASK, CENT(52), UNIT(5)), REASON_OK);
	watch_until(3600, PHASE_UNWIND);
	assert_int_equal(k.r->watch[PM].why, REASON_POSITION_AGE);
	kit_bbo(&k, PM, CENT(48), CENT(52));
	/* What adds is withdrawn and refused; what reduces shrinks to it. */
	assert_int_equal(kit_intent(&k, PM, SIDE_ASK, CENT(53), UNIT(9)),
	    REASON_POSITION_AGE);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(48), UNIT(30)), REASON_OK);
	assert_int_equal(kit_said(&k, MSG_ORDER, 0)->qty.e8, UNIT(20).e8);
	kit_report(&k, MSG_REJECT, PM, SIDE_BID, k.id);
	kit_report(&k, MSG_DONE, PM, SIDE_ASK, k.id - 2);
	watch_until(300, PHASE_EXIT);
	kit_bbo(&k, PM, CENT(48), CENT(52));
	assert_int_equal(k.r->stat.exits, 1);
	/* Bought back above the touch. */
	assert_int_equal(k.r->slot[k.r->slot_n - 1].side, SIDE_BID);
	assert_int_equal(
	    k.r->slot[k.r->slot_n - 1].order[0].px.e8, CENT(57).e8);
}

/* Half of a window of 15 minutes, and the time box shrinks with it. */
static void
test_age_follows_the_window(void **state)
{
	(void)state;
	k.window_ns = 900 * NS_PER_S;
	kit_instr(&k, PM, CLASS_UPDOWN, "up", INSTR_NORMAL);
	hold(PM, SIDE_BID);
	watch_until(450, PHASE_UNWIND);
	/* 300 s * 450 / 3600 */
	watch_until(38, PHASE_EXIT);
}

static void
test_adverse_move(void **state)
{
	(void)state;
	k.cfg.mm_max_loss_per_position = USD(100 * E6);
	kit_reload(&k);
	hold(PM, SIDE_BID);
	hold(PM + 1, SIDE_ASK);
	kit_bbo(&k, PM, CENT(42), CENT(44)); /* 43: -14 % */
	assert_int_equal(k.r->watch[PM].phase, PHASE_NONE);
	kit_bbo(&k, PM, CENT(42), CENT(43)); /* 42.5: -15 % */
	assert_int_equal(k.r->watch[PM].phase, PHASE_UNWIND);
	assert_int_equal(k.r->watch[PM].why, REASON_ADVERSE_MOVE);
	assert_int_equal(kit_said(&k, MSG_STATE, 0)->status, TRADING_REDUCE);
	/* Sold YES at 50 is NO bought at 50. */
	kit_bbo(&k, PM + 1, CENT(57), CENT(58));
	assert_int_equal(k.r->watch[PM + 1].phase, PHASE_UNWIND);
	/* It does not end because the price came back. */
	kit_bbo(&k, PM, CENT(48), CENT(52));
	assert_int_equal(k.r->watch[PM].phase, PHASE_UNWIND);
}

/* NO at 10 cents: 15 % of what it cost, not of the price of YES. */
static void
test_adverse_move_of_a_cheap_no(void **state)
{
	(void)state;
	k.cfg.mm_max_loss_per_position = USD(100 * E6);
	kit_reload(&k);
	kit_fill(&k, PM, SIDE_ASK, ++k.id, CENT(90), UNIT(20), UNIT(20));
	kit_bbo(&k, PM, CENT(90), CENT(92)); /* NO at 9: -10 % */
	assert_int_equal(k.r->watch[PM].phase, PHASE_NONE);
	kit_bbo(&k, PM, CENT(91), CENT(92)); /* NO at 8.5: -15 % */
	assert_int_equal(k.r->watch[PM].phase, PHASE_UNWIND);
}

/* kill -9 and a reboot: a phase goes on where it was. */
static void
test_phases_survive(void **state)
{
	struct risk_image *img = calloc(1, sizeof(*img));
	struct risk *next = calloc(1, sizeof(*next));
	struct kit was;

	(void)state;
	assert_non_null(img);
	assert_non_null(next);
	hold(PM, SIDE_BID);
	watch_until(3600, PHASE_UNWIND);
	kit_reborn(&k);
	assert_int_equal(k.r->watch[PM].phase, PHASE_UNWIND);
	was = k;
	risk_image_take(k.r, img);
	wait_s(100);
	/* Another boot: symbols find their places again. */
	k = was;
	k.r = next;
	k.wall += 100 * NS_PER_S;
	risk_init(next, &k.cfg, 1);
	assert_true(risk_image_load(next, img));
	kit_links_good(&k);
	kit_instr(&k, PM + 7, CLASS_UPDOWN, "up", INSTR_NORMAL);
	kit_bbo(&k, PM + 7, CENT(48), CENT(52));
	assert_int_equal(next->watch[PM + 7].phase, PHASE_UNWIND);
	assert_int_equal(next->watch[PM + 7].why, REASON_POSITION_AGE);
	wait_s(199);
	assert_int_equal(next->watch[PM + 7].phase, PHASE_UNWIND);
	wait_s(2);
	assert_int_equal(next->watch[PM + 7].phase, PHASE_EXIT);
	free(was.r);
	free(img);
}

/* An id that no other order ever has, in any life or run. */
static void
test_ids_of_exits(void **state)
{
	uint64_t id;

	(void)state;
	hold(PM, SIDE_BID);
	kit_bbo(&k, PM, CENT(30), CENT(32));
	id = kit_said(&k, MSG_ORDER, 0)->id;
	assert_int_equal(id >> 40, 1);
	assert_true((id & UINT64_C(1) << 35) != 0);
	assert_int_equal(id & 0x7ffffffffU, k.wall / NS_PER_S);
	kit_reborn(&k);
	kit_links_good(&k);
	assert_true(k.r->own_n == (id & 0x7ffffffffU));
}

/* What the venue does not take stays, and may be quoted away. */
static void
test_dust(void **state)
{
	struct order o;

	(void)state;
	k.cfg.mm_max_loss_per_position = USD(E6);
	kit_reload(&k);
	/* Below the minimum of orders that rest; one that takes may be sent. */
	kit_fill(&k, PM, SIDE_BID, ++k.id, CENT(50), UNIT(4), UNIT(4));
	k.r->reduce = false;
	kit_bbo(&k, PM, CENT(20), CENT(22));
	assert_int_equal(kit_count(&k, MSG_ORDER), 1);
	o = *kit_said(&k, MSG_ORDER, 0);
	o.hdr.kind = MSG_REJECT;
	o.reason = REASON_TOO_SMALL;
	kit_order(&k, RG_REPORT_PM_R, &o);
	assert_non_null(kit_noted(&k, RISK_DUST));
	assert_int_equal(kit_count(&k, MSG_ORDER), 0);
	assert_int_equal(k.r->watch[PM].phase, PHASE_NONE);
	kit_bbo(&k, PM, CENT(20), CENT(21));
	assert_null(kit_noted(&k, RISK_DUST)); /* said once */
	wait_s(2);
	kit_bbo(&k, PM, CENT(20), CENT(21));
	assert_int_equal(k.r->stat.exits, 1);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_ASK, CENT(22), UNIT(5)), REASON_OK);
	/* A perpetual has minimums for everything. */
	k.cfg.mm_max_loss_per_position = USD(E6 / 100);
	kit_reload(&k);
	kit_fill(&k, HL, SIDE_BID, ++k.id, CENT(10000), QTY(E8 / 200),
	    QTY(E8 / 200));
	kit_bbo(&k, HL, CENT(9000), CENT(9001));
	assert_int_equal(k.r->watch[HL].phase, PHASE_NONE);
}

/* Less than a lot is nothing: it has no age, and the next position begins
 * its own. */
static void
test_less_than_a_lot(void **state)
{
	(void)state;
	hold(PM, SIDE_BID);
	wait_s(3500);
	kit_fill(&k, PM, SIDE_ASK, ++k.id, CENT(50), QTY(20 * E8 - E8 / 1000),
	    QTY(20 * E8 - E8 / 1000));
	k.r->reduce = false;
	assert_int_equal(k.r->instr[PM].pos.qty.e8, E8 / 1000);
	wait_s(200);
	assert_int_equal(k.r->watch[PM].phase, PHASE_NONE);
	hold(PM, SIDE_BID);
	watch_until(3600, PHASE_UNWIND);
	/* Sold but for less than a lot: over. */
	kit_fill(&k, PM, SIDE_ASK, ++k.id, CENT(50), UNIT(20), UNIT(20));
	assert_int_equal(k.r->watch[PM].phase, PHASE_NONE);
}

/* What is held to resolution has no stop; what the maker added has. */
static void
test_edge_is_left_alone(void **state)
{
	struct order o;

	(void)state;
	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_FILL;
	o.hdr.instr = PM;
	o.id = ++k.id;
	o.side = SIDE_BID;
	o.exec_px = CENT(50);
	o.exec_qty = o.cum_qty = UNIT(20);
	o.fill_id = 77;
	o.strategy = STRATEGY_SATELLITE;
	kit_order(&k, RG_REPORT_PM_R, &o);
	k.r->reduce = false;
	kit_bbo(&k, PM, CENT(20), CENT(22));
	assert_int_equal(k.r->watch[PM].phase, PHASE_NONE);
	kit_bbo(&k, PM, CENT(49), CENT(51));
	kit_fill(&k, PM, SIDE_BID, ++k.id, CENT(50), UNIT(20), UNIT(20));
	k.r->reduce = false;
	kit_bbo(&k, PM, CENT(33), CENT(35));
	assert_int_equal(k.r->watch[PM].phase, PHASE_EXIT);
	/* Only the maker's twenty. */
	assert_int_equal(kit_said(&k, MSG_ORDER, 0)->qty.e8, UNIT(20).e8);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_kit, close_kit)
	const struct CMUnitTest tests[] = {
	    T(test_stop_sends_an_exit),
	    T(test_exit_until_flat),
	    T(test_exit_waits_for_what_rests),
	    T(test_exit_waits_for_a_thaw_and_a_mark),
	    T(test_age_unwinds_then_exits),
	    T(test_age_follows_the_window),
	    T(test_adverse_move),
	    T(test_adverse_move_of_a_cheap_no),
	    T(test_phases_survive),
	    T(test_ids_of_exits),
	    T(test_dust),
	    T(test_less_than_a_lot),
	    T(test_edge_is_left_alone),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
