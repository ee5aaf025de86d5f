/* links: riskd libshm libcore */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libshm/ctl.h"
#include "tests/unit/risklife.h"

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

static void
test_passes_and_sends(void **state)
{
	const struct order *o;

	(void)state;
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(20)), REASON_OK);
	o = kit_said(&k, MSG_ORDER, 0);
	assert_non_null(o);
	assert_int_equal(o->id, k.id);
	assert_int_equal(o->px.e8, CENT(47).e8);
	assert_int_equal(o->qty.e8, UNIT(20).e8);
	assert_int_equal(o->cum_qty.e8, 0);
	assert_int_equal(k.out.msg[0].ring, RG_ORDER_PM);
	assert_int_equal(k.r->open_n, 1);
	assert_int_equal(
	    kit_intent(&k, HL, SIDE_ASK, CENT(10002), QTY(E8 / 10)), REASON_OK);
	assert_int_equal(k.out.msg[0].ring, RG_ORDER_HL);
}

/* Every rule of riskrules.c: an order just inside passes, one just outside
 * is refused by that name. */
struct rule {
	const char *name;
	void (*prepare)(void);
	uint16_t instr;
	enum side side;
	int in_cents; /* passes */
	int in_units;
	int out_cents; /* refused */
	int out_units;
	enum reason why;
};

static void
nothing(void)
{
}

static void
small_band(void)
{
	k.cfg.risk_price_band_frac.e8 = E8 / 1000;
	k.cfg.risk_price_band_ticks = 3;
	kit_step(&k, EV_CFG, RG_INTENT, 0, 0);
}

static void
rich(void)
{
	k.cfg.capital_usd = USD(100000 * E6);
	k.cfg.mm_global_daily_loss_limit = USD(100000 * E6);
	kit_step(&k, EV_CFG, RG_INTENT, 0, 0);
}

static void
rich_small_orders(void)
{
	k.cfg.risk_max_order_qty.e8 = 30 * E8;
	rich();
}

static void
asks_at_52(void)
{
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_ASK, CENT(52), UNIT(10)), REASON_OK);
}

static const struct rule rules[] = {
    {"off tick", nothing, PM, SIDE_BID, 47, 10, 0, 0, REASON_OFF_TICK},
    {"price band", small_band, PM, SIDE_BID, 47, 10, 46, 10, REASON_PRICE_BAND},
    {"max size", rich_small_orders, PM, SIDE_BID, 47, 30, 47, 31,
	REASON_MAX_SIZE},
    {"max notional of a bid", rich, PM, SIDE_BID, 50, 50, 50, 51,
	REASON_MAX_NOTIONAL},
    {"max notional of an ask is what NO costs", rich, PM, SIDE_ASK, 50, 50, 50,
	51, REASON_MAX_NOTIONAL},
    {"T-41: our bid may not meet our ask", asks_at_52, PM, SIDE_BID, 51, 10, 52,
	10, REASON_SELF_CROSS},
    {"too small", nothing, PM, SIDE_BID, 47, 5, 47, 4, REASON_TOO_SMALL},
    {"zero price", nothing, PM, SIDE_BID, 47, 10, -1, 10, REASON_BAD_SLOT},
    {"a binary at one", nothing, PM, SIDE_ASK, 53, 10, 100, 10,
	REASON_BAD_SLOT},
};

static void
test_rules_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *t = &rules[i];
		px_t out = t->out_cents > 0   ? CENT(t->out_cents)
			   : t->out_cents < 0 ? PX(0)
					      : PX(CENT(t->in_cents).e8 + 1);
		int units = t->out_units > 0 ? t->out_units : t->in_units;

		print_message("%s\n", t->name);
		kit_close(&k);
		kit_open(&k);
		t->prepare();
		assert_int_equal(
		    kit_intent(&k, t->instr, t->side, out, UNIT(units)),
		    t->why);
		assert_null(kit_said(&k, MSG_ORDER, 0));
		assert_int_equal(kit_intent(&k, t->instr, t->side,
				     CENT(t->in_cents), UNIT(t->in_units)),
		    REASON_OK);
	}
}

static void
test_bad_slots(void **state)
{
	struct order o;

	(void)state;
	o = kit_want(&k, BN, SIDE_BID, CENT(47), UNIT(10));
	assert_int_equal(kit_judge(&k, &o), REASON_BAD_SLOT);
	o = kit_want(&k, PM, (enum side)0, CENT(47), UNIT(10));
	assert_int_equal(kit_judge(&k, &o), REASON_BAD_SLOT);
	o = kit_want(&k, PM, (enum side)3, CENT(47), UNIT(10));
	assert_int_equal(kit_judge(&k, &o), REASON_BAD_SLOT);
	o = kit_want(&k, PM, SIDE_BID, CENT(47), UNIT(10));
	o.level = ORDER_LEVELS;
	assert_int_equal(kit_judge(&k, &o), REASON_BAD_SLOT);
	o = kit_want(&k, PM, SIDE_BID, CENT(47), QTY(-1));
	assert_int_equal(kit_judge(&k, &o), REASON_BAD_SLOT);
	o = kit_want(&k, PM + 9, SIDE_BID, CENT(47), UNIT(10));
	assert_int_equal(kit_judge(&k, &o), REASON_BAD_SLOT);
	o = kit_want(&k, PM, SIDE_BID, CENT(47), QTY(INT64_MAX));
	assert_int_equal(kit_judge(&k, &o), REASON_BAD_SLOT);
	o = kit_want(&k, PM, SIDE_BID, PX(INT64_MAX), UNIT(10));
	assert_int_equal(kit_judge(&k, &o), REASON_BAD_SLOT);
	o = kit_want(&k, PM, SIDE_BID, CENT(47), UNIT(10));
	o.level = ORDER_EXIT_LEVEL; /* riskd's own */
	assert_int_equal(kit_judge(&k, &o), REASON_BAD_SLOT);
	o = kit_want(&k, PM, SIDE_BID, CENT(47), UNIT(10));
	o.level = ORDER_EXIT_LEVEL - 1;
	assert_int_equal(kit_judge(&k, &o), REASON_OK);
}

static void
test_duplicate_and_stale(void **state)
{
	struct order o = kit_want(&k, PM, SIDE_BID, CENT(47), UNIT(10));
	struct order late;

	(void)state;
	assert_int_equal(kit_judge(&k, &o), REASON_OK);
	assert_int_equal(kit_judge(&k, &o), REASON_DUPLICATE);
	assert_null(kit_said(&k, MSG_ORDER, 0));
	assert_null(kit_said(&k, MSG_CANCEL, 0)); /* what rests, stays */
	late = kit_want(&k, PM, SIDE_BID, CENT(47), UNIT(10));
	k.now += MS(250);
	assert_int_equal(kit_judge(&k, &late), REASON_OK);
	late = kit_want(&k, PM, SIDE_BID, CENT(47), UNIT(10));
	k.now += MS(250) + 1;
	assert_int_equal(kit_judge(&k, &late), REASON_STALE_INTENT);
	assert_null(kit_said(&k, MSG_CANCEL, 0));
	/* To want nothing is never too late. */
	late = kit_want(&k, PM, SIDE_BID, PX(0), QTY(0));
	k.now += MS(9000);
	assert_int_equal(kit_judge(&k, &late), REASON_OK);
	assert_non_null(kit_said(&k, MSG_CANCEL, 0));
}

static void
test_states_of_a_market(void **state)
{
	static const struct {
		enum instr_state st;
		enum reason why;
	} t[] = {
	    {INSTR_HYDRATING, REASON_STATE}, {INSTR_NORMAL, REASON_OK},
	    {INSTR_WATCH, REASON_OK}, {INSTR_CLOSE_WINDOW, REASON_REDUCE_ONLY},
	    {INSTR_CLOSED, REASON_STATE}, {INSTR_RESOLVED, REASON_STATE},
	    {INSTR_HALTED, REASON_STATE},
	    {INSTR_DISPUTED, REASON_REDUCE_ONLY}, /* T-06 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		kit_instr(&k, PM, CLASS_UPDOWN, "up", t[i].st);
		assert_int_equal(
		    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(10)), t[i].why);
	}
}

static void
test_marks(void **state)
{
	struct tick t;

	(void)state;
	memset(&t, 0, sizeof(t));
	kit_bbo(&k, PM, CENT(46), CENT(54)); /* 0.08 is not wider than 0.08 */
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_OK);
	kit_bbo(&k, PM, CENT(46), CENT(55));
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_GAPPED);
	assert_non_null(kit_said(&k, MSG_CANCEL, 0));
	kit_bbo(&k, PM, CENT(48), CENT(52));
	t.hdr.kind = TICK_GAP;
	t.hdr.instr = PM;
	t.u.gap.scope = 1;
	kit_tick(&k, RG_MD_PM_R, &t);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_NO_MARK);
	assert_int_equal(
	    kit_intent(&k, PM + 1, SIDE_BID, CENT(47), UNIT(5)), REASON_OK);
	kit_bbo(&k, PM, CENT(48), CENT(52));
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_OK);
	t.hdr.instr = 0;
	t.u.gap.scope = 2;
	t.u.gap.conn = 1; /* a reference connection: books are not touched */
	kit_tick(&k, RG_MD_PM_R, &t);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_OK);
	t.u.gap.conn = 0;
	kit_tick(&k, RG_MD_PM_R, &t);
	for (uint16_t i = PM; i <= PM + 1; i++)
		assert_int_equal(kit_intent(&k, i, SIDE_BID, CENT(47), UNIT(5)),
		    REASON_NO_MARK);
	assert_int_equal(
	    kit_intent(&k, HL, SIDE_BID, CENT(9998), QTY(E8 / 10)), REASON_OK);
}

/* T-25, T-35: resting orders count until they are done. Market limit 14.58
 * dollars, mark 0.50: 29.16 shares. */
static void
T_25_resting_orders_count(void **state)
{
	struct order o;

	(void)state;
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(20)), REASON_OK);
	o = kit_want(&k, PM, SIDE_BID, CENT(46), UNIT(20));
	o.level = 1;
	assert_int_equal(kit_judge(&k, &o), REASON_OK);
	assert_int_equal(
	    kit_said(&k, MSG_ORDER, 0)->qty.e8, 9 * E8 + 16 * E8 / 100);
	assert_int_equal(k.r->stat.shrunk, 1);
	o = kit_want(&k, PM, SIDE_BID, CENT(45), UNIT(20));
	o.level = 2;
	assert_int_equal(kit_judge(&k, &o), REASON_POSITION_CAP);
	/* The other side has its own room. */
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_ASK, CENT(53), UNIT(20)), REASON_OK);
}

static void
T_35_counts_until_confirmed_gone(void **state)
{
	struct order o = kit_want(&k, PM, SIDE_BID, CENT(46), UNIT(20));
	uint64_t first;

	(void)state;
	kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(29));
	first = k.id;
	/* Withdrawn, but not confirmed. */
	kit_intent(&k, PM, SIDE_BID, PX(0), QTY(0));
	o.level = 1;
	o.id = ++k.id;
	assert_int_equal(kit_judge(&k, &o), REASON_POSITION_CAP);
	assert_int_equal(k.r->open_n, 1);
	kit_report(&k, MSG_DONE, PM, SIDE_BID, first);
	assert_int_equal(k.r->open_n, 0);
	o.id = ++k.id;
	assert_int_equal(kit_judge(&k, &o), REASON_OK);
}

/* T-36: old and new in one slot cannot both fill; the slot counts once. */
static void
T_36_replacement_counts_once(void **state)
{
	uint64_t old;

	(void)state;
	kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(29));
	old = k.id;
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(46), UNIT(29)), REASON_OK);
	assert_int_equal(kit_said(&k, MSG_ORDER, 0)->qty.e8, UNIT(29).e8);
	assert_int_equal(k.r->exposure.e6, 14500000);
	/* The old one fills before it is gone: the new one may fill only the
	 * rest, and execd learns what was known when it was passed. */
	assert_int_equal(kit_said(&k, MSG_ORDER, 0)->cum_qty.e8, 0);
	kit_fill(&k, PM, SIDE_BID, old, CENT(47), UNIT(10), UNIT(10));
	assert_int_equal(k.r->exposure.e6, 14500000);
	kit_report(&k, MSG_DONE, PM, SIDE_BID, old);
	assert_int_equal(k.r->exposure.e6, 14500000);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(45), UNIT(15)), REASON_OK);
	assert_int_equal(kit_said(&k, MSG_ORDER, 0)->cum_qty.e8, UNIT(10).e8);
}

static void
test_ack_says_what_rests(void **state)
{
	struct order a;

	(void)state;
	kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(20));
	memset(&a, 0, sizeof(a));
	a.hdr.kind = MSG_ACK;
	a.hdr.instr = PM;
	a.id = k.id;
	a.side = SIDE_BID;
	a.px = CENT(46);
	a.qty = UNIT(12);
	kit_order(&k, RG_REPORT_PM_R, &a);
	assert_int_equal(k.r->exposure.e6, 6000000);
}

/* Total 29.168 dollars: three markets of 14.50 do not fit. */
static void
test_exposure_cap(void **state)
{
	(void)state;
	kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(29));
	kit_intent(&k, PM + 1, SIDE_BID, CENT(47), UNIT(29));
	assert_int_equal(kit_intent(&k, HL, SIDE_BID, CENT(9998), QTY(E8 / 10)),
	    REASON_EXPOSURE_CAP);
	kit_report(&k, MSG_REJECT, PM + 1, SIDE_BID, k.id - 1);
	assert_int_equal(
	    kit_intent(&k, HL, SIDE_BID, CENT(9998), QTY(E8 / 10)), REASON_OK);
}

static void
test_reducing_is_free_of_caps(void **state)
{
	(void)state;
	kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(29));
	kit_fill(&k, PM, SIDE_BID, k.id, CENT(47), UNIT(29), UNIT(29));
	kit_report(&k, MSG_DONE, PM, SIDE_BID, k.id);
	/* The mark rises: more than the limit is held. */
	kit_bbo(&k, PM, CENT(78), CENT(80));
	assert_int_equal(kit_intent(&k, PM, SIDE_BID, CENT(78), UNIT(5)),
	    REASON_POSITION_CAP);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_ASK, CENT(80), UNIT(29)), REASON_OK);
}

static void
test_open_orders_and_full(void **state)
{
	(void)state;
	k.cfg.risk_max_open_orders = 2;
	kit_step(&k, EV_CFG, RG_INTENT, 0, 0);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_OK);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_ASK, CENT(53), UNIT(5)), REASON_OK);
	assert_int_equal(kit_intent(&k, PM + 1, SIDE_ASK, CENT(53), UNIT(5)),
	    REASON_OPEN_ORDERS);
	k.cfg.risk_max_open_orders = 100;
	kit_step(&k, EV_CFG, RG_INTENT, 0, 0);
	/* One slot, several orders unanswered. */
	for (uint32_t i = 1; i < RISK_SLOT_ORDERS; i++)
		assert_int_equal(
		    kit_intent(&k, PM, SIDE_BID, CENT(46), UNIT(5)), REASON_OK);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(46), UNIT(5)), REASON_FULL);
	assert_non_null(kit_said(&k, MSG_CANCEL, 0));
}

/* Any second, not any calendar second; T-50: the window really rolls. */
static void
T_50_rate_window_rolls(void **state)
{
	int passed = 0;

	(void)state;
	for (int i = 0; i < 12; i++) {
		enum reason why =
		    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5));

		assert_int_equal(why, i < 10 ? REASON_OK : REASON_RATE_LIMIT);
		kit_report(&k, MSG_DONE, PM, SIDE_BID, k.id);
	}
	/* Another market has its own count. */
	assert_int_equal(
	    kit_intent(&k, PM + 1, SIDE_BID, CENT(47), UNIT(5)), REASON_OK);
	kit_report(&k, MSG_DONE, PM + 1, SIDE_BID, k.id);
	kit_wait(&k, MS(999));
	kit_links_good(&k);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_RATE_LIMIT);
	kit_wait(&k, MS(1));
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_OK);
	kit_report(&k, MSG_DONE, PM, SIDE_BID, k.id);
	/* Long after many successes a burst is limited all the same. */
	for (int i = 0; i < 20000; i++) {
		kit_wait(&k, MS(150));
		kit_links_good(&k);
		assert_int_equal(
		    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_OK);
		kit_report(&k, MSG_DONE, PM, SIDE_BID, k.id);
	}
	kit_wait(&k, MS(1000));
	kit_links_good(&k);
	for (int i = 0; i < 50; i++) {
		passed += kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)) ==
			  REASON_OK;
		kit_report(&k, MSG_DONE, PM, SIDE_BID, k.id);
	}
	assert_int_equal(passed, 10);
}

static void
test_rate_over_all(void **state)
{
	(void)state;
	k.cfg.risk_max_orders_per_s = 3;
	kit_step(&k, EV_CFG, RG_INTENT, 0, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(kit_intent(&k, (uint16_t)(PM + i % 2),
				     SIDE_BID, CENT(47), UNIT(5)),
		    REASON_OK);
		kit_report(
		    &k, MSG_DONE, (uint16_t)(PM + i % 2), SIDE_BID, k.id);
	}
	assert_int_equal(kit_intent(&k, HL, SIDE_BID, CENT(9998), QTY(E8 / 10)),
	    REASON_RATE_LIMIT);
}

/* The bound is checked before sending: a binary can go to 0 in one step. */
static void
test_daily_loss_bound(void **state)
{
	(void)state;
	k.cfg.mm_global_daily_loss_limit = USD(10 * E6);
	kit_step(&k, EV_CFG, RG_INTENT, 0, 0);
	/* 20 at 0.47 lose 9.40 at the worst; 22 would lose 10.34. */
	assert_int_equal(kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(22)),
	    REASON_DAILY_LOSS);
	assert_int_equal(k.r->bound.market.e6, -10340000);
	assert_int_equal(k.r->bound.realised.e6, 0);
	assert_int_equal(k.r->bound.others.e6, 0);
	assert_int_equal(k.r->bound.limit.e6, 10000000);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(20)), REASON_OK);
	assert_int_equal(k.r->worst.e6, -9400000);
	/* A second market adds its own worst outcome. */
	assert_int_equal(kit_intent(&k, PM + 1, SIDE_BID, CENT(47), UNIT(5)),
	    REASON_DAILY_LOSS);
	/* The other side of the same market cannot also lose: with an ask at
	 * 0.53 the worst is still 0 (or 1), not both. */
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_ASK, CENT(53), UNIT(20)), REASON_OK);
	assert_int_equal(k.r->worst.e6, -9400000);
}

static void
test_perp_stress_in_the_bound(void **state)
{
	(void)state;
	/* 0.1 at 99.98 against a 10 % fall from 100: 0.1 * 9.98, and a fee of
	 * 1.5 bps of 9.998. */
	assert_int_equal(
	    kit_intent(&k, HL, SIDE_BID, CENT(9998), QTY(E8 / 10)), REASON_OK);
	assert_int_equal(k.r->worst.e6, -998000 - 1500);
}

static void
test_fill_books_and_tells(void **state)
{
	const struct order *s;

	(void)state;
	kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(20));
	kit_fill(&k, PM, SIDE_BID, k.id, CENT(47), UNIT(8), UNIT(8));
	s = kit_said(&k, MSG_STATE, 0);
	assert_non_null(s);
	assert_int_equal(s->hdr.instr, PM);
	assert_int_equal(s->qty.e8, UNIT(8).e8);
	assert_int_equal(s->usd.e6, 240000); /* marked at 0.50 */
	assert_int_equal(risk_pnl(k.r).e6, 240000);
	kit_fill(&k, PM, SIDE_BID, k.id, CENT(47), UNIT(8), UNIT(8));
	assert_int_equal(k.r->stat.fill_dups, 1);
	kit_fill(&k, PM, SIDE_BID, k.id, CENT(47), UNIT(12), UNIT(20));
	assert_int_equal(k.r->instr[PM].pos.qty.e8, UNIT(20).e8);
	kit_report(&k, MSG_DONE, PM, SIDE_BID, k.id);
	/* Its order is forgotten, its fills are not. */
	kit_fill(&k, PM, SIDE_BID, k.id, CENT(47), UNIT(12), UNIT(20));
	assert_int_equal(k.r->instr[PM].pos.qty.e8, UNIT(20).e8);
	assert_int_equal(k.r->stat.fill_dups, 2);
	assert_false(k.r->reduce);
}

/* T-14: taken back once, as the trade that undoes it; no drift, and what was
 * filled in the slot, as execd counts it, stays. */
static void
T_14_a_fill_taken_back(void **state)
{
	struct order o;

	(void)state;
	kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(20));
	kit_fill(&k, PM, SIDE_BID, k.id, CENT(47), UNIT(8), UNIT(8));
	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_FILL;
	o.hdr.instr = PM;
	o.id = k.id;
	o.side = SIDE_ASK;
	o.exec_px = CENT(47);
	o.exec_qty = UNIT(8);
	o.cum_qty = UNIT(8);
	o.fill_id = 4711;
	o.oflags = ORDER_REVERSED;
	kit_order(&k, RG_REPORT_PM_R, &o);
	kit_order(&k, RG_REPORT_PM_R, &o);
	assert_int_equal(k.r->instr[PM].pos.qty.e8, 0);
	assert_int_equal(risk_pnl(k.r).e6, 0);
	assert_int_equal(k.r->stat.fill_dups, 1);
	assert_int_equal(k.r->stat.adopted, 0);
	assert_false(k.r->reduce);
	for (uint32_t i = 0; i < k.r->slot_n; i++)
		assert_int_equal(k.r->slot[i].cum.e8,
		    k.r->slot[i].side == SIDE_BID ? UNIT(8).e8 : 0);
}

/* T-19, T-69: a fill without an order is booked, and trading reduces. */
static void
T_69_unknown_fill_is_adopted(void **state)
{
	(void)state;
	kit_fill(&k, PM, SIDE_BID, 77, CENT(47), UNIT(10), UNIT(10));
	assert_int_equal(k.r->instr[PM].pos.qty.e8, UNIT(10).e8);
	assert_int_equal(k.r->stat.adopted, 1);
	assert_int_equal(kit_said(&k, MSG_STATE, 1)->status, TRADING_REDUCE);
	assert_int_equal(kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)),
	    REASON_REDUCE_ONLY);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_ASK, CENT(53), UNIT(29)), REASON_OK);
	assert_int_equal(kit_said(&k, MSG_ORDER, 0)->qty.e8, UNIT(10).e8);
	risk_thaw(k.r, k.now, &k.out);
	assert_int_equal(kit_said(&k, MSG_STATE, 0)->status, TRADING_RUN);
}

/* A fill that comes after the end of its order is late and no more. */
static void
T_69_late_fill_of_our_own_order(void **state)
{
	uint64_t id;

	(void)state;
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(20)), REASON_OK);
	id = k.id;
	kit_report(&k, MSG_DONE, PM, SIDE_BID, id);
	kit_reborn(&k);
	kit_links_good(&k);
	kit_fill(&k, PM, SIDE_BID, id, CENT(47), UNIT(5), UNIT(5));
	assert_int_equal(k.r->instr[PM].pos.qty.e8, UNIT(5).e8);
	assert_false(k.r->reduce);
	assert_int_equal(k.r->stat.adopted, 0);
	/* Once. */
	kit_fill(&k, PM, SIDE_BID, id, CENT(47), UNIT(5), UNIT(5));
	assert_int_equal(k.r->instr[PM].pos.qty.e8, UNIT(5).e8);
	kit_fill(&k, PM, SIDE_BID, id + 9, CENT(47), UNIT(5), UNIT(5));
	assert_true(k.r->reduce);
}

static void
test_reports_that_make_no_sense(void **state)
{
	struct order o;

	(void)state;
	kit_report(&k, MSG_DONE, PM, SIDE_BID, 5);
	kit_report(&k, MSG_ACK, PM, SIDE_BID, 5);
	kit_report(&k, MSG_DONE, PM, (enum side)9, 5);
	kit_report(&k, MSG_INTENT, PM, SIDE_BID, 5);
	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_FILL;
	o.hdr.instr = HL;
	kit_order(&k, RG_REPORT_PM_R, &o); /* another venue's instrument */
	o.hdr.instr = PM;
	o.side = SIDE_BID;
	o.exec_qty = QTY(-5);
	kit_order(&k, RG_REPORT_PM_R, &o);
	assert_int_equal(k.r->stat.unknown, 6);
	assert_int_equal(k.r->instr[PM].pos.qty.e8, 0);
}

static struct instr
meta(const char *symbol, enum instr_class cls)
{
	struct instr in = {.cls = (uint8_t)cls,
	    .state = INSTR_NORMAL,
	    .epoch = 1,
	    .tick_px = CENT(1),
	    .lot_qty = QTY(E8 / 100),
	    .min_qty = QTY(E8 / 100)};

	memcpy(in.symbol, symbol, strlen(symbol));
	return in;
}

/* Five significant figures make the grid coarser as the price grows. */
static void
test_significant_figures(void **state)
{
	static const struct {
		int cents;
		enum reason why;
	} bids[] = {
	    {99999, REASON_OK},	       /* 999.99 */
	    {100045, REASON_OFF_TICK}, /* 1000.45: six figures */
	    {100040, REASON_OK},
	};
	struct instr in = meta("COIN", CLASS_PERP);
	qty_t some = QTY(E8 / 100);

	(void)state;
	kit_bbo(&k, HL, CENT(100040), CENT(100060));
	k.now += MS(1);
	assert_int_equal(
	    kit_intent(&k, HL, SIDE_BID, CENT(100045), some), REASON_OK);
	in.px_sig = 5;
	risk_instr_set(k.r, HL, &in);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    kit_intent(&k, HL, SIDE_BID, CENT(bids[i].cents), some),
		    bids[i].why);
}

/* The meaning of the slot changed: its book is awaited; what is held keeps
 * its value meanwhile. */
static void
test_new_epoch_drops_the_mark(void **state)
{
	struct instr in = meta("up", CLASS_UPDOWN);

	(void)state;
	kit_fill(&k, PM, SIDE_BID, 77, CENT(40), UNIT(10), UNIT(10));
	risk_thaw(k.r, k.now, &k.out);
	risk_instr_set(k.r, PM, &in); /* the same again */
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_OK);
	in.epoch = 2;
	risk_instr_set(k.r, PM, &in);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(46), UNIT(5)), REASON_NO_MARK);
	assert_int_equal(k.r->unrealised.e6, E6);
	kit_bbo(&k, PM, CENT(48), CENT(52));
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(46), UNIT(5)), REASON_OK);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_kit, close_kit)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_passes_and_sends),
	    T(test_rules_both_ways),
	    T(test_bad_slots),
	    T(test_duplicate_and_stale),
	    T(test_states_of_a_market),
	    T(test_marks),
	    T(test_significant_figures),
	    T(test_new_epoch_drops_the_mark),
	    T(T_25_resting_orders_count),
	    T(T_35_counts_until_confirmed_gone),
	    T(T_36_replacement_counts_once),
	    T(test_ack_says_what_rests),
	    T(test_exposure_cap),
	    T(test_reducing_is_free_of_caps),
	    T(test_open_orders_and_full),
	    T(T_50_rate_window_rolls),
	    T(test_rate_over_all),
	    T(test_daily_loss_bound),
	    T(test_perp_stress_in_the_bound),
	    T(test_fill_books_and_tells),
	    T(T_14_a_fill_taken_back),
	    T(T_69_unknown_fill_is_adopted),
	    T(T_69_late_fill_of_our_own_order),
	    T(test_reports_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
