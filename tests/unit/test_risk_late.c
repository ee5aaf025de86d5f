/* links: riskd libshm libcore */
/*
 * A slot of the table goes from market to market: what comes late for the one
 * before is that one's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/riskkit.h"

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

/* The slot holds a market from this epoch on. */
static void
holds(uint16_t i, const char *symbol, uint16_t epoch)
{
	union tap slot;
	struct instr in;

	memset(&slot, 0, sizeof(slot));
	memset(&in, 0, sizeof(in));
	memcpy(in.symbol, symbol, strlen(symbol));
	in.venue = VENUE_POLYMARKET;
	in.cls = CLASS_UPDOWN;
	in.state = INSTR_NORMAL;
	in.epoch = epoch;
	in.tick_px = CENT(1);
	in.lot_qty = QTY(E8 / 100);
	in.min_qty = UNIT(5);
	slot.hdr.kind = TICK_INSTR;
	slot.hdr.instr = i;
	kit_step(&k, EV_SLOT, kit_md(i), &slot, &in);
}

static void
fill(uint64_t id, enum side side, int px, int qty, uint16_t epoch)
{
	struct order o;

	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_FILL;
	o.hdr.instr = PM;
	o.id = id;
	o.side = (uint8_t)side;
	o.epoch = epoch;
	o.exec_px = CENT(px);
	o.exec_qty = UNIT(qty);
	o.cum_qty = UNIT(qty);
	o.fill_id = id * 1000;
	o.usd = USD(20);
	kit_order(&k, RG_REPORT_PM_R, &o);
}

static int64_t
position(uint16_t i)
{
	return k.r->instr[i].pos.qty.e8;
}

static const struct risk_kept *
kept(const char *symbol)
{
	for (uint32_t n = 0; n < k.r->kept_n; n++)
		if (strcmp(k.r->kept[n].symbol, symbol) == 0)
			return &k.r->kept[n];
	return NULL;
}

static void
a_late_fill_goes_to_the_moved_position(void **state)
{
	int64_t worst;

	(void)state;
	holds(PM, "w1", 5);
	fill(71, SIDE_BID, 60, 10, 5);
	assert_int_equal(position(PM), UNIT(10).e8);
	holds(PM, "w2", 6);
	worst = k.r->worst.e6;
	fill(72, SIDE_BID, 50, 4, 5);
	assert_int_equal(position(PM), 0);
	assert_non_null(kept("w1"));
	assert_int_equal(kept("w1")->pos.qty.e8, UNIT(14).e8);
	assert_int_equal(k.r->worst.e6, worst - 2000000);
	assert_int_equal(k.r->stat.late, 1);
	assert_int_equal(k.r->stat.lost, 0);
	assert_int_equal(k.r->loss.fees.e6, 40);
	assert_false(k.r->kept_n != 1);
	/* the same fill once more is a duplicate, wherever it went */
	fill(72, SIDE_BID, 50, 4, 5);
	assert_int_equal(kept("w1")->pos.qty.e8, UNIT(14).e8);
	/* the present market's own go to it */
	fill(73, SIDE_ASK, 50, 3, 6);
	assert_int_equal(position(PM), -UNIT(3).e8);
	assert_int_equal(kept("w1")->pos.qty.e8, UNIT(14).e8);
}

static void
a_flat_market_gets_an_entry(void **state)
{
	(void)state;
	holds(PM, "w1", 5);
	holds(PM, "w2", 6);
	assert_null(kept("w1"));
	fill(72, SIDE_ASK, 40, 10, 5);
	assert_int_equal(position(PM), 0);
	assert_non_null(kept("w1"));
	assert_int_equal(kept("w1")->pos.qty.e8, -UNIT(10).e8);
	assert_int_equal(kept("w1")->cls, CLASS_UPDOWN);
	assert_int_equal(k.r->worst.e6, -6000000);
}

static void
a_market_with_another_slot_gets_it_there(void **state)
{
	(void)state;
	holds(PM, "w1", 5);
	holds(PM, "w2", 6);
	holds(PM + 1, "w1", 9);
	fill(72, SIDE_BID, 40, 10, 5);
	assert_int_equal(position(PM), 0);
	assert_int_equal(position(PM + 1), UNIT(10).e8);
	assert_int_equal(k.r->kept_n, 0);
	assert_int_equal(k.r->stat.late, 1);
}

static void
a_fill_of_nobody_stops_all_but_reducing(void **state)
{
	struct order o;

	(void)state;
	holds(PM, "w1", 5);
	kit_bbo(&k, PM, CENT(48), CENT(52));
	o = kit_want(&k, PM, SIDE_BID, CENT(48), UNIT(10));
	o.epoch = 5;
	assert_int_equal(kit_judge(&k, &o), REASON_OK);
	holds(PM, "w2", 6);
	holds(PM, "w3", 7);
	assert_false(k.r->reduce);
	fill(o.id, SIDE_BID, 48, 10, 5);
	assert_int_equal(k.r->stat.adopted, 0);
	assert_int_equal(position(PM), 0);
	assert_int_equal(k.r->kept_n, 0);
	assert_int_equal(k.r->stat.lost, 1);
	assert_int_equal(k.r->stat.late, 0);
	assert_true(k.r->reduce);
}

/* The table was written again: a new epoch of the same market. */
static void
a_new_epoch_is_the_same_market(void **state)
{
	(void)state;
	holds(PM, "w1", 65535);
	holds(PM, "w1", 0);
	holds(PM, "w1", 1);
	fill(71, SIDE_BID, 60, 10, 65535);
	fill(72, SIDE_BID, 60, 10, 0);
	fill(73, SIDE_BID, 60, 10, 1);
	assert_int_equal(position(PM), UNIT(30).e8);
	assert_int_equal(k.r->stat.late + k.r->stat.lost, 0);
}

static void
a_wish_for_the_market_before_is_refused(void **state)
{
	struct order o;

	(void)state;
	holds(PM, "w1", 5);
	kit_bbo(&k, PM, CENT(48), CENT(52));
	o = kit_want(&k, PM, SIDE_BID, CENT(48), UNIT(10));
	o.epoch = 4;
	assert_int_equal(kit_judge(&k, &o), REASON_STALE_INTENT);
	o = kit_want(&k, PM, SIDE_BID, CENT(48), UNIT(10));
	o.epoch = 5;
	assert_int_equal(kit_judge(&k, &o), REASON_OK);
}

#define T(t) cmocka_unit_test_setup_teardown(t, open_kit, close_kit)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_late_fill_goes_to_the_moved_position),
	    T(a_flat_market_gets_an_entry),
	    T(a_market_with_another_slot_gets_it_there),
	    T(a_fill_of_nobody_stops_all_but_reducing),
	    T(a_new_epoch_is_the_same_market),
	    T(a_wish_for_the_market_before_is_refused),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
