/* links: riskd libshm libcore */
/*
 * Caps of clusters, of binaries under the allocator and of the edge strategy;
 * the capital; what edge may lose.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libcore/fees.h"
#include "libshm/ctl.h"
#include "tests/unit/risklife.h"

#define SEC(x) ((uint64_t)(x)*UINT64_C(1000000000))

static struct kit k;

/* $1,000, and limits far away. */
static int
open_kit(void **state)
{
	(void)state;
	kit_open(&k);
	k.cfg.capital_usd = USD(1000 * E6);
	k.cfg.risk_max_order_usd = USD(1000 * E6);
	k.cfg.mm_global_daily_loss_limit = USD(1000 * E6);
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

static int64_t
passed_cents(enum reason want, uint16_t i, enum side side, int cents, int units)
{
	const struct order *o;

	assert_int_equal(
	    kit_intent(&k, i, side, CENT(cents), UNIT(units)), want);
	o = kit_said(&k, MSG_ORDER, 0);
	return o == 0 ? 0 : o->qty.e8 / (E8 / 100);
}

static void
cluster_of(uint16_t i, const char *symbol, uint32_t cluster)
{
	k.cluster = cluster;
	kit_instr(&k, i, CLASS_UPDOWN, symbol, INSTR_NORMAL);
	kit_bbo(&k, i, CENT(48), CENT(52));
}

static void
test_cluster(void **state)
{
	(void)state;
	cluster_of(PM, "up", 7);
	cluster_of(PM + 1, "yes", 7);
	cluster_of(PM + 2, "other", 8);
	/* 12 % of 1,000: 240 shares at the mid of 50 cents. */
	assert_int_equal(passed_cents(REASON_OK, PM, SIDE_BID, 48, 200), 20000);
	/* Orders of another market, and of its other side, count. */
	assert_int_equal(
	    passed_cents(REASON_OK, PM + 1, SIDE_ASK, 52, 200), 4000);
	assert_int_equal(
	    k.r->group[k.r->instr[PM].group - 1].exposure.e6, 120 * E6);
	kit_report(&k, MSG_DONE, PM + 1, SIDE_ASK, k.id);
	kit_fill(&k, PM, SIDE_BID, k.id - 1, CENT(48), UNIT(200), UNIT(200));
	k.cfg.risk_market_exposure_frac.e8 = E8;
	kit_reload(&k);
	assert_int_equal(
	    passed_cents(REASON_OK, PM + 1, SIDE_ASK, 52, 42), 4000);
	assert_int_equal(passed_cents(REASON_CLUSTER, PM, SIDE_BID, 47, 10), 0);
	assert_int_equal(
	    passed_cents(REASON_OK, PM + 2, SIDE_BID, 48, 200), 20000);
	/* A market that leaves its cluster takes its exposure along. */
	cluster_of(PM + 1, "yes", 9);
	assert_int_equal(
	    k.r->group[k.r->instr[PM].group - 1].exposure.e6, 100 * E6);
	assert_int_equal(passed_cents(REASON_OK, PM, SIDE_BID, 47, 10), 1000);
	/* So does one whose slot goes to another market, after a death too. */
	kit_reborn(&k);
	kit_links_good(&k);
	assert_int_equal(
	    k.r->group[k.r->instr[PM].group - 1].exposure.e6, 105 * E6);
	cluster_of(PM, "next", 7);
	assert_int_equal(k.r->group[k.r->instr[PM].group - 1].exposure.e6,
	    5 * E6); /* the order that rests there still */
}

static void
test_allocator(void **state)
{
	struct order o;

	(void)state;
	k.cfg.risk_allocator = true;
	kit_reload(&k);
	/* 1 % of 1,000 on a binary, at 50 cents. */
	assert_int_equal(
	    passed_cents(REASON_OK, PM + 1, SIDE_BID, 48, 200), 2000);
	o = kit_want(&k, PM + 1, SIDE_BID, CENT(47), UNIT(10));
	o.level = 1;
	assert_int_equal(kit_judge(&k, &o), REASON_POSITION_CAP);
	/* Not on an up/down market. */
	assert_int_equal(passed_cents(REASON_OK, PM, SIDE_BID, 48, 200), 20000);
}

static enum reason
take(uint16_t i, enum side side, int cents, int units, uint8_t level)
{
	struct order o = kit_want(&k, i, side, CENT(cents), UNIT(units));

	o.strategy = STRATEGY_EDGE;
	o.tif = TIF_IOC;
	o.oflags = ORDER_IMPERATIVE;
	o.level = level;
	return kit_judge(&k, &o);
}

static void
edge_fill(uint16_t i, enum side side, int cents, int units)
{
	struct order o;

	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_FILL;
	o.hdr.instr = i;
	o.id = ++k.id;
	o.side = (uint8_t)side;
	o.exec_px = CENT(cents);
	o.exec_qty = o.cum_qty = UNIT(units);
	o.fill_id = k.id * 3;
	o.strategy = STRATEGY_EDGE;
	kit_order(&k, kit_report_ring(i), &o);
	k.r->reduce = false;
}

static void
test_edge_exposure(void **state)
{
	(void)state;
	/* 10 % of 1,000: 200 shares at 50 cents; the maker's do not count. */
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(48), UNIT(100)), REASON_OK);
	assert_int_equal(take(PM, SIDE_BID, 52, 199, 1), REASON_OK);
	assert_int_equal(take(PM + 1, SIDE_BID, 52, 5, 1), REASON_STRATEGY_CAP);
	kit_report(&k, MSG_DONE, PM, SIDE_BID, k.id - 1);
	k.r->slot[k.r->slot_of[PM][SIDE_BID][1] - 1].n = 0;
	k.r->open_n--;
	edge_fill(PM, SIDE_BID, 52, 150);
	assert_int_equal(k.r->edge_exposure.e6, 75 * E6);
	assert_int_equal(
	    take(PM + 1, SIDE_BID, 52, 51, 1), REASON_STRATEGY_CAP);
	assert_int_equal(take(PM + 1, SIDE_ASK, 48, 50, 1), REASON_OK);
	/* What reduces is not held back. */
	assert_int_equal(take(PM, SIDE_ASK, 48, 100, 1), REASON_OK);
}

static void
test_edge_positions(void **state)
{
	(void)state;
	for (uint16_t n = 0; n < 5; n++) {
		char name[8] = {'m', (char)('a' + n)};

		kit_instr(&k, (uint16_t)(PM + 10 + n), CLASS_UPDOWN, name,
		    INSTR_NORMAL);
		kit_bbo(&k, (uint16_t)(PM + 10 + n), CENT(48), CENT(52));
	}
	for (uint16_t n = 0; n < 2; n++)
		edge_fill((uint16_t)(PM + 10 + n), SIDE_BID, 50, 10);
	assert_int_equal(k.r->edge_n, 2);
	assert_int_equal(take(PM + 12, SIDE_BID, 52, 10, 1), REASON_OK);
	/* On its way counts. */
	assert_int_equal(
	    take(PM + 13, SIDE_BID, 52, 10, 1), REASON_STRATEGY_CAP);
	assert_int_equal(take(PM + 10, SIDE_BID, 52, 10, 1), REASON_OK);
	kit_report(&k, MSG_DONE, PM + 12, SIDE_BID, k.id - 2);
	k.r->edge_n -= k.r->instr[PM + 12].edge_open;
	k.r->instr[PM + 12].edge_open = false;
	kit_reborn(&k);
	kit_links_good(&k);
	assert_int_equal(k.r->edge_n, 3);
	/* An outcome ends one. */
	kit_ended(&k, PM + 11, CLASS_UPDOWN, "mb", INSTR_RESOLVED, OUTCOME_NO);
	assert_int_equal(k.r->edge_n, 2);
	assert_int_equal(loss_realised(&k.r->edge).e6, -5 * E6);
}

/* 5 % of 1,000 in a day stop edge alone, until a person thaws. */
static void
test_edge_daily_loss(void **state)
{
	(void)state;
	k.cfg.risk_edge_drawdown_frac.e8 = E8;
	kit_reload(&k);
	edge_fill(PM, SIDE_BID, 50, 200);
	kit_bbo(&k, PM, CENT(24), CENT(26)); /* -50 */
	assert_int_equal(k.r->edge.latched, 0);
	kit_bbo(&k, PM, CENT(23), CENT(26));
	assert_int_equal(k.r->edge.latched, FREEZE_DAILY_LOSS);
	assert_non_null(kit_noted(&k, RISK_STOPPED));
	assert_int_equal(k.r->freeze_all, 0);
	assert_int_equal(
	    take(PM + 1, SIDE_BID, 52, 10, 1), REASON_STRATEGY_LOSS);
	assert_int_equal(
	    kit_intent(&k, PM + 1, SIDE_BID, CENT(48), UNIT(10)), REASON_OK);
	kit_reborn(&k);
	kit_links_good(&k);
	kit_bbo(&k, PM + 1, CENT(48), CENT(52));
	assert_int_equal(
	    take(PM + 1, SIDE_BID, 52, 10, 1), REASON_STRATEGY_LOSS);
	/* The next day does not lift it. */
	k.now += SEC(86400);
	k.wall += 86400 * NS_PER_S;
	kit_links_good(&k);
	assert_int_equal(
	    take(PM + 1, SIDE_BID, 52, 10, 1), REASON_STRATEGY_LOSS);
	risk_thaw(k.r, k.now, &k.out);
	assert_int_equal(take(PM + 1, SIDE_BID, 52, 10, 1), REASON_OK);
}

/* Earned 100, fell by 110 of 1,100: more than 10 % from the highest. */
static void
test_edge_drawdown(void **state)
{
	(void)state;
	k.cfg.risk_edge_daily_loss_frac.e8 = E8;
	kit_reload(&k);
	edge_fill(PM, SIDE_BID, 40, 500);
	kit_bbo(&k, PM, CENT(59), CENT(61));
	assert_int_equal(k.r->edge.hwm.e6, 100 * E6);
	kit_bbo(&k, PM, CENT(37), CENT(39)); /* -110 from there */
	assert_int_equal(k.r->edge.latched, 0);
	kit_bbo(&k, PM, CENT(36), CENT(39));
	assert_int_equal(k.r->edge.latched, FREEZE_DRAWDOWN);
	/* A thaw begins anew from what is left. */
	risk_thaw(k.r, k.now, &k.out);
	kit_bbo(&k, PM, CENT(36), CENT(39));
	assert_int_equal(k.r->edge.latched, 0);
}

/* The same of everything is off by default; then it freezes all. */
static void
test_drawdown_of_everything(void **state)
{
	(void)state;
	kit_fill(&k, PM, SIDE_BID, ++k.id, CENT(40), UNIT(500), UNIT(500));
	kit_bbo(&k, PM, CENT(10), CENT(12));
	assert_int_equal(k.r->freeze_all, 0);
	k.cfg.risk_drawdown_frac.e8 = E8 / 10;
	kit_reload(&k);
	assert_int_equal(k.r->freeze_all, FREEZE_DRAWDOWN);
	assert_false(k.r->lease_ok);
	kit_reborn(&k);
	kit_links_good(&k);
	assert_true((k.r->freeze_all & FREEZE_DRAWDOWN) != 0);
	risk_thaw(k.r, k.now, &k.out);
	assert_int_equal(k.r->freeze_all, 0);
}

static void
balance(enum venue v, int64_t usd)
{
	struct order o;

	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_BALANCE;
	o.venue = (uint8_t)v;
	o.usd = USD(usd * E6);
	kit_order(
	    &k, v == VENUE_HYPERLIQUID ? RG_REPORT_HL_R : RG_REPORT_PM_R, &o);
}

static void
test_live_capital_is_the_venues(void **state)
{
	const struct order *o;

	(void)state;
	k.cfg.system_mode = MODE_LIVE;
	kit_reload(&k);
	assert_int_equal(k.r->capital.e6, 0);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(48), UNIT(10)), REASON_BALANCE);
	balance(VENUE_POLYMARKET, 100);
	assert_int_equal(k.r->capital.e6, 100 * E6);
	/* quoted hears of it. */
	o = kit_said(&k, MSG_STATE, 0);
	assert_int_equal(o->hdr.instr, 0);
	assert_int_equal(o->fill_id, 100 * E6);
	/* 20 % of 100 at 50 cents. */
	assert_int_equal(passed_cents(REASON_OK, PM, SIDE_BID, 48, 100), 4000);
	/* The other venue's is not known: nothing that adds there. */
	assert_int_equal(kit_intent(&k, HL, SIDE_BID, CENT(9998), QTY(E8 / 10)),
	    REASON_BALANCE);
	balance(VENUE_HYPERLIQUID, 50);
	assert_int_equal(k.r->capital.e6, 150 * E6);
	/* Old is none; what reduces is free of it. */
	kit_fill(&k, PM, SIDE_BID, k.id - 1, CENT(48), UNIT(40), UNIT(40));
	for (int s = 0; s < 61; s++) {
		k.now += SEC(1);
		k.wall += NS_PER_S;
		kit_links_good(&k);
	}
	assert_int_equal(k.r->capital.e6, 0);
	assert_int_equal(kit_intent(&k, PM + 1, SIDE_BID, CENT(48), UNIT(10)),
	    REASON_BALANCE);
	assert_int_equal(passed_cents(REASON_OK, PM, SIDE_ASK, 52, 60), 4000);
}

/* In sim and paper a balance changes nothing. */
static void
test_other_modes_use_the_key(void **state)
{
	(void)state;
	balance(VENUE_POLYMARKET, 5);
	assert_int_equal(k.r->capital.e6, 1000 * E6);
}

/* YES and NO of one market are one position: bought both, nothing is held,
 * nothing is exposed, and what it cost is realised. */
static void
T_22_a_pair_is_no_exposure(void **state)
{
	(void)state;
	kit_fill(&k, PM, SIDE_BID, ++k.id, CENT(48), UNIT(20), UNIT(20));
	assert_int_equal(k.r->exposure.e6, 10 * E6);
	kit_fill(&k, PM, SIDE_ASK, ++k.id, CENT(50), UNIT(20), UNIT(20));
	assert_int_equal(k.r->instr[PM].pos.qty.e8, 0);
	assert_int_equal(k.r->exposure.e6, 0);
	assert_int_equal(k.r->worst.e6, 0);
	assert_int_equal(loss_realised(&k.r->loss).e6, 400000);
}

static void
T_41_our_yes_bid_against_our_no_bid(void **state)
{
	(void)state;
	/* NO bought at 50 is YES offered at 50. */
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_ASK, CENT(50), UNIT(10)), REASON_OK);
	assert_int_equal(kit_intent(&k, PM, SIDE_BID, CENT(50), UNIT(10)),
	    REASON_SELF_CROSS);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(49), UNIT(10)), REASON_OK);
	/* While it is being replaced the old one still counts. */
	kit_intent(&k, PM, SIDE_ASK, CENT(52), UNIT(10));
	assert_int_equal(kit_intent(&k, PM, SIDE_BID, CENT(50), UNIT(10)),
	    REASON_SELF_CROSS);
	/* Nor may a take hit what rests. */
	assert_int_equal(take(PM, SIDE_ASK, 48, 10, 1), REASON_SELF_CROSS);
}

static void
T_06_disputed_reduces_and_void_counts(void **state)
{
	(void)state;
	kit_fill(&k, PM, SIDE_BID, ++k.id, CENT(80), UNIT(10), UNIT(10));
	k.r->reduce = false;
	kit_fill(&k, PM, SIDE_BID, ++k.id, CENT(20), UNIT(5), UNIT(5));
	k.r->reduce = false;
	/* 9 dollars are in it: 0 is the worst; of one sold at 40 it is 1. */
	assert_int_equal(k.r->instr[PM].worst.e6, -9 * E6);
	kit_instr(&k, PM, CLASS_UPDOWN, "up", INSTR_DISPUTED);
	kit_bbo(&k, PM, CENT(48), CENT(52));
	assert_int_equal(kit_intent(&k, PM, SIDE_BID, CENT(48), UNIT(5)),
	    REASON_REDUCE_ONLY);
	assert_int_equal(passed_cents(REASON_OK, PM, SIDE_ASK, 52, 30), 1500);
	/* Void: long at 80 and short at 20 would lose both ways. */
	kit_fill(&k, PM + 1, SIDE_BID, ++k.id, CENT(80), UNIT(10), UNIT(10));
	kit_ended(
	    &k, PM + 1, CLASS_BINARY, "yes", INSTR_RESOLVED, OUTCOME_VOID);
	assert_int_equal(loss_realised(&k.r->loss).e6, -3 * E6);
}

/* What may take pays the taker's fee in the worst case. */
static void
test_fees_of_takes_in_the_bound(void **state)
{
	usd_t fee;

	(void)state;
	k.fee_ppm = 250000;
	kit_instr(&k, PM, CLASS_UPDOWN, "up", INSTR_NORMAL);
	kit_bbo(&k, PM, CENT(48), CENT(52));
	fee = fee_binary(CENT(52), UNIT(100), 250000);
	assert_true(fee.e6 > 6 * E6);
	assert_int_equal(take(PM, SIDE_BID, 52, 100, 1), REASON_OK);
	assert_int_equal(k.r->worst.e6, -52 * E6 - fee.e6);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_kit, close_kit)
	const struct CMUnitTest tests[] = {
	    T(test_cluster),
	    T(test_allocator),
	    T(test_edge_exposure),
	    T(test_edge_positions),
	    T(test_edge_daily_loss),
	    T(test_edge_drawdown),
	    T(test_drawdown_of_everything),
	    T(test_live_capital_is_the_venues),
	    T(test_other_modes_use_the_key),
	    T(T_22_a_pair_is_no_exposure),
	    T(T_41_our_yes_bid_against_our_no_bid),
	    T(T_06_disputed_reduces_and_void_counts),
	    T(test_fees_of_takes_in_the_bound),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
