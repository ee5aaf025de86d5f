/* links: riskd libshm libcore */
/*
 * Positions against execd's and the venue's: looks, freeze, thaw, correction;
 * fees twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "libcore/fees.h"
#include "libshm/ctl.h"
#include "tests/unit/risklife.h"

static struct kit k;

static int
open_kit(void **state)
{
	(void)state;
	kit_open(&k);
	k.cfg.mm_max_loss_per_position = USD(1000 * E6);
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
buy(uint16_t i, int units)
{
	kit_fill(&k, i, SIDE_BID, ++k.id, CENT(48), UNIT(units), UNIT(units));
	k.r->reduce = false;
}

/* What execd says: its sum of fills, and the venue's word if it has one. */
static void
says_e8(uint16_t i, int64_t fills, bool known, int64_t venue)
{
	struct order o;

	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_POSITION;
	o.hdr.instr = i;
	o.qty = QTY(fills);
	o.exec_qty = QTY(venue);
	o.status = known;
	o.cum_qty = QTY(venue > 0 ? venue : 0);
	o.venue = (uint8_t)instr_venue(i);
	kit_order(&k, kit_report_ring(i), &o);
}

static void
says(uint16_t i, int fills, int venue)
{
	says_e8(i, fills * E8, true, venue * E8);
}

static bool
is_frozen(enum venue v)
{
	return (k.r->freeze[v] & FREEZE_RECONCILE) != 0;
}

static void
test_what_agrees(void **state)
{
	(void)state;
	buy(PM, 10);
	for (int n = 0; n < 5; n++)
		says(PM, 10, 10);
	buy(PM, 5);
	says(PM, 15, 15);
	assert_int_equal(k.r->stat.mismatches, 0);
	assert_int_equal(k.r->instr[PM].final_long.e8, UNIT(15).e8);
	/* Less than a lot is no difference at the venue. */
	says_e8(PM, 15 * E8, true, 15 * E8 - E8 / 100 + 1);
	says_e8(PM, 15 * E8, true, 15 * E8 - E8 / 100 + 1);
	assert_int_equal(k.r->stat.mismatches, 0);
	/* Without the venue's word there is nothing to compare. */
	says_e8(PM, 15 * E8, false, 0);
	says_e8(PM, 15 * E8, false, 0);
	assert_int_equal(k.r->stat.mismatches, 0);
	/* Where execd began to count is agreed at the first look. */
	buy(PM + 1, 7);
	says(PM + 1, 0, 7);
	says(PM + 1, 0, 7);
	assert_int_equal(k.r->stat.mismatches, 0);
}

static void
T_26_unexplained_change_freezes_then_is_adopted(void **state)
{
	const struct risk_note *n;

	(void)state;
	buy(PM, 10);
	says(PM, 10, 10);
	says(PM, 10, 4); /* somebody sold 6 by hand */
	assert_false(is_frozen(VENUE_POLYMARKET));
	says(PM, 10, 4);
	assert_true(is_frozen(VENUE_POLYMARKET));
	assert_false(is_frozen(VENUE_HYPERLIQUID));
	n = kit_noted(&k, RISK_MISMATCH);
	assert_non_null(n);
	assert_int_equal(n->instr, PM);
	assert_int_equal(n->a, OF_VENUE);
	assert_int_equal(n->b, UNIT(10).e8);
	assert_int_equal(n->c, UNIT(4).e8);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(48), UNIT(5)), REASON_FROZEN);
	assert_int_equal(
	    kit_intent(&k, HL, SIDE_BID, CENT(9998), QTY(E8 / 10)), REASON_OK);
	/* Agreement does not lift it, nor does a death. */
	says(PM, 10, 10);
	assert_true(is_frozen(VENUE_POLYMARKET));
	says(PM, 10, 4);
	says(PM, 10, 4);
	kit_reborn(&k);
	kit_links_good(&k);
	kit_bbo(&k, PM, CENT(48), CENT(52));
	assert_true(is_frozen(VENUE_POLYMARKET));
	/* A person's thaw takes theirs, at the mark, and writes it down. */
	k.r->note_n = 0;
	risk_thaw(k.r, k.now, &k.out);
	assert_false(is_frozen(VENUE_POLYMARKET));
	assert_int_equal(k.r->instr[PM].pos.qty.e8, UNIT(4).e8);
	n = kit_noted(&k, RISK_ADOPTED);
	assert_non_null(n);
	assert_int_equal(n->a, UNIT(10).e8);
	assert_int_equal(n->b, UNIT(4).e8);
	assert_int_equal(n->c, 120000); /* 6 at 50, bought at 48 */
	assert_int_equal(k.r->loss.corrections_n, 1);
	assert_int_equal(k.r->loss.corrected.e6, 120000);
	assert_int_equal(loss_realised(&k.r->loss).e6, 120000);
	/* From here on both are counted from there. */
	for (int i = 0; i < 3; i++)
		says(PM, 10, 4);
	assert_false(is_frozen(VENUE_POLYMARKET));
	buy(PM, 3);
	says(PM, 13, 7);
	says(PM, 13, 7);
	assert_false(is_frozen(VENUE_POLYMARKET));
}

/* A venue that is behind shows another difference at each look, while we
 * trade; once nothing trades it is believed. */
static void
T_27_a_lagging_venue_freezes_nothing(void **state)
{
	int venue = 0;
	int have = 0;

	(void)state;
	says(PM, 0, 0);
	for (int n = 0; n < 20; n++) {
		venue = have;
		buy(PM, 1 + n % 3);
		have += 1 + n % 3;
		says(PM, have, venue);
		assert_false(is_frozen(VENUE_POLYMARKET));
	}
	says(PM, have, have);
	assert_false(is_frozen(VENUE_POLYMARKET));
	/* The same difference, whatever trades, is none of these. */
	buy(PM, 1);
	says(PM, have + 1, have + 3);
	buy(PM, 1);
	says(PM, have + 2, have + 4);
	assert_true(is_frozen(VENUE_POLYMARKET));
}

/* A fill that execd reported and that was not booked, or not in full. */
static void
T_28_fills_are_conserved(void **state)
{
	const struct risk_note *n;

	(void)state;
	says_e8(PM, 0, false, 0);
	buy(PM, 10);
	says_e8(PM, 10 * E8, false, 0);
	/* To the last unit: half of a fill is missing. */
	says_e8(PM, 10 * E8 + 1, false, 0);
	says_e8(PM, 10 * E8 + 1, false, 0);
	assert_true(is_frozen(VENUE_POLYMARKET));
	n = kit_noted(&k, RISK_MISMATCH);
	assert_int_equal(n->a, OF_FILLS);
	assert_int_equal(n->c, 10 * E8 + 1);
	risk_thaw(k.r, k.now, &k.out);
	assert_int_equal(k.r->instr[PM].pos.qty.e8, 10 * E8 + 1);
	says_e8(PM, 10 * E8 + 1, false, 0);
	assert_false(is_frozen(VENUE_POLYMARKET));
}

static void
test_looks_are_a_key(void **state)
{
	(void)state;
	k.cfg.risk_reconcile_looks = 4;
	kit_reload(&k);
	buy(HL, 1);
	says(HL, 1, 1);
	for (int n = 0; n < 3; n++) {
		says(HL, 1, 3);
		assert_false(is_frozen(VENUE_HYPERLIQUID));
	}
	says(HL, 1, 3);
	assert_true(is_frozen(VENUE_HYPERLIQUID));
	assert_false(is_frozen(VENUE_POLYMARKET));
}

/* Of another market by now, resolved, or nonsense. */
static void
test_words_that_do_not_count(void **state)
{
	struct order o;
	uint64_t odd = k.r->stat.unknown;

	(void)state;
	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_POSITION;
	o.hdr.instr = PM;
	o.epoch = 9;
	o.status = 1;
	o.exec_qty = UNIT(5);
	for (int n = 0; n < 3; n++)
		kit_order(&k, RG_REPORT_PM_R, &o);
	assert_int_equal(k.r->stat.mismatches, 0);
	o.epoch = 1;
	kit_ended(&k, PM, CLASS_UPDOWN, "up", INSTR_RESOLVED, OUTCOME_YES);
	for (int n = 0; n < 3; n++)
		kit_order(&k, RG_REPORT_PM_R, &o);
	assert_int_equal(k.r->stat.mismatches, 0);
	assert_int_equal(k.r->stat.unknown, odd);
	o.exec_qty = QTY(INT64_MAX);
	kit_order(&k, RG_REPORT_PM_R, &o);
	o.exec_qty = QTY(INT64_MIN);
	kit_order(&k, RG_REPORT_PM_R, &o);
	assert_int_equal(k.r->stat.unknown, odd + 2);
	/* Of the other venue's instrument. */
	o.exec_qty = UNIT(5);
	o.hdr.instr = HL;
	kit_order(&k, RG_REPORT_PM_R, &o);
	assert_int_equal(k.r->stat.unknown, odd + 3);
	o.hdr.kind = MSG_BALANCE;
	o.venue = VENUE_POLYMARKET;
	o.usd = USD(-1);
	kit_order(&k, RG_REPORT_PM_R, &o);
	assert_int_equal(k.r->stat.unknown, odd + 4);
}

/* More than one step can write down: the rest waits for another thaw. */
static void
test_many_differ(void **state)
{
	int left = 0;

	(void)state;
	for (uint16_t n = 0; n < 300; n++) {
		char name[16] = "m";

		snprintf(name, sizeof(name), "m%u", n);
		kit_instr(&k, (uint16_t)(PM + 20 + n), CLASS_BINARY, name,
		    INSTR_NORMAL);
		kit_bbo(&k, (uint16_t)(PM + 20 + n), CENT(48), CENT(52));
		says((uint16_t)(PM + 20 + n), 0, 1);
		says((uint16_t)(PM + 20 + n), 0, 1);
	}
	for (int thaws = 0; thaws < 20; thaws++) {
		k.r->dirty_n = 0;
		risk_thaw(k.r, k.now, &k.out);
		assert_false(is_frozen(VENUE_POLYMARKET));
	}
	for (uint16_t n = 0; n < 300; n++)
		left += k.r->instr[PM + 20 + n].pos.qty.e8 != UNIT(1).e8;
	assert_int_equal(left, 0);
}

/* A frozen venue stays so through a reboot; the file has it. */
static void
test_latch_survives_a_reboot(void **state)
{
	struct risk_image *img = calloc(1, sizeof(*img));
	struct risk *next = calloc(1, sizeof(*next));

	(void)state;
	assert_non_null(img);
	assert_non_null(next);
	says(PM, 0, 2);
	says(PM, 0, 2);
	assert_true(is_frozen(VENUE_POLYMARKET));
	k.r->reduce = true;
	risk_image_take(k.r, img);
	risk_init(next, &k.cfg, 1);
	assert_true(risk_image_load(next, img));
	free(k.r);
	k.r = next;
	kit_links_good(&k);
	assert_true(is_frozen(VENUE_POLYMARKET));
	assert_true(k.r->reduce);
	free(img);
}

static void
fee_fill(uint16_t i, px_t px, qty_t qty, bool made, usd_t fee)
{
	struct order o;

	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_FILL;
	o.hdr.instr = i;
	o.id = ++k.id;
	o.side = SIDE_BID;
	o.exec_px = px;
	o.exec_qty = o.cum_qty = qty;
	o.fill_id = k.id * 5;
	o.strategy = STRATEGY_MAKER;
	o.oflags = made ? ORDER_MAKER : 0;
	o.usd = fee;
	kit_order(&k, kit_report_ring(i), &o);
}

static void
T_29_fee_is_computed_twice(void **state)
{
	usd_t taker;

	(void)state;
	k.fee_ppm = 70000;
	kit_instr(&k, PM, CLASS_UPDOWN, "up", INSTR_NORMAL);
	kit_bbo(&k, PM, CENT(48), CENT(52));
	taker = fee_binary(CENT(50), UNIT(10), 70000);
	assert_int_equal(taker.e6, 175000);
	fee_fill(PM, CENT(50), UNIT(10), false, taker);
	fee_fill(PM, CENT(50), UNIT(10), true, USD(0));
	assert_int_equal(k.r->fee_model.e6, 175000);
	assert_int_equal(k.r->fee_diff.e6, 0);
	assert_int_equal(k.r->stat.fee_diffs, 0);
	/* A maker that was charged, a taker that was not. */
	fee_fill(PM, CENT(50), UNIT(10), true, taker);
	assert_int_equal(k.r->fee_diff.e6, 175000);
	fee_fill(PM, CENT(50), UNIT(10), false, USD(0));
	assert_int_equal(k.r->fee_diff.e6, 0);
	assert_int_equal(k.r->stat.fee_diffs, 2);
	/* A perpetual, made: 1.5 basis points of 100 dollars. */
	fee_fill(HL, CENT(10000), UNIT(1), true, USD(15000));
	assert_int_equal(k.r->stat.fee_diffs, 2);
	fee_fill(HL, CENT(10000), UNIT(1), true, USD(-15000));
	assert_int_equal(k.r->stat.fee_diffs, 3);
	assert_int_equal(k.r->fee_diff.e6, -30000);
	kit_reborn(&k);
	assert_int_equal(k.r->fee_diff.e6, -30000);
}

static void
T_46_late_acknowledgement_by_our_own_doing(void **state)
{
	struct order o;

	(void)state;
	k.cfg.risk_max_orders_per_s = 10;
	k.cfg.risk_max_orders_per_s_market = 10;
	kit_reload(&k);
	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_ACK;
	o.hdr.instr = PM;
	o.side = SIDE_BID;
	o.qty = UNIT(5);
	o.px = CENT(48);
	o.send_delta = 1000;
	o.ack_delta = 600 * 1000 * 1000;
	o.oflags = ORDER_POST_ONLY;
	for (int n = 0; n < 6; n++) {
		struct order w = kit_want(&k, PM, SIDE_BID, CENT(48), UNIT(5));

		assert_int_equal(kit_judge(&k, &w), REASON_OK);
		o.id = w.id;
		if (n < 5)
			kit_report(&k, MSG_DONE, PM, SIDE_BID, w.id);
	}
	kit_order(&k, RG_REPORT_PM_R, &o);
	assert_int_equal(k.r->link[VENUE_POLYMARKET].kill.cause, KILL_BY_SELF);
	assert_string_equal(kill_cause_name(KILL_BY_SELF), "self_throttle");
	assert_true((k.r->freeze[VENUE_POLYMARKET] & FREEZE_LATENCY) != 0);
	/* One order a second is no load. */
	for (int n = 0; n < 5; n++) {
		k.now += MS(1000);
		k.wall += NS_PER_S;
		kit_links_good(&k);
	}
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], 0);
	/* What takes may be held back by the venue: no latency of ours. */
	o.oflags = ORDER_IMPERATIVE;
	kit_order(&k, RG_REPORT_PM_R, &o);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], 0);
	o.oflags = ORDER_POST_ONLY;
	kit_order(&k, RG_REPORT_PM_R, &o);
	assert_int_equal(k.r->link[VENUE_POLYMARKET].kill.cause, KILL_BY_ACK);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_kit, close_kit)
	const struct CMUnitTest tests[] = {
	    T(test_what_agrees),
	    T(T_26_unexplained_change_freezes_then_is_adopted),
	    T(T_27_a_lagging_venue_freezes_nothing),
	    T(T_28_fills_are_conserved),
	    T(test_looks_are_a_key),
	    T(test_words_that_do_not_count),
	    T(test_many_differ),
	    T(test_latch_survives_a_reboot),
	    T(T_29_fee_is_computed_twice),
	    T(T_46_late_acknowledgement_by_our_own_doing),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
