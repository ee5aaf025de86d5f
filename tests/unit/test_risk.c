/* links: riskd libshm libcore */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libshm/ctl.h"
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
	o.level = ORDER_LEVELS - 1;
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

static void
test_starts_frozen(void **state)
{
	struct kit b;

	(void)state;
	memset(&b, 0, sizeof(b));
	cfg_defaults(&b.cfg);
	b.r = calloc(1, sizeof(*b.r));
	b.now = MS(1000);
	b.id = QEPOCH;
	risk_init(b.r, &b.cfg, 1);
	assert_int_equal(b.r->freeze_all, FREEZE_STARTUP);
	assert_int_equal(b.r->freeze[VENUE_POLYMARKET], FREEZE_STARTUP);
	assert_false(b.r->lease_ok);
	kit_instr(&b, PM, CLASS_UPDOWN, "up", INSTR_NORMAL);
	kit_bbo(&b, PM, CENT(48), CENT(52));
	kit_link(&b, PM, 20, LINK_READY);
	assert_int_equal(
	    kit_intent(&b, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_FROZEN);
	kit_link(&b, BN, 20, LINK_READY);
	assert_true(b.r->lease_ok);
	assert_int_equal(
	    kit_intent(&b, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_OK);
	assert_int_equal(b.r->freeze[VENUE_HYPERLIQUID], FREEZE_STARTUP);
	free(b.r);
}

static void
test_latency_freezes_venue_or_all(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		k.now += MS(1000);
		kit_link(&k, PM, 800, LINK_READY);
		kit_link(&k, HL, 20, LINK_READY);
		kit_link(&k, BN, 20, LINK_READY);
	}
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], FREEZE_LATENCY);
	assert_int_equal(k.r->freeze_all, 0);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_FROZEN);
	assert_int_equal(
	    kit_intent(&k, HL, SIDE_BID, CENT(9998), QTY(E8 / 10)), REASON_OK);
	/* The reference feeds every strategy. */
	for (int i = 0; i < 3; i++) {
		k.now += MS(1000);
		kit_link(&k, BN, 800, LINK_READY);
		kit_link(&k, HL, 20, LINK_READY);
	}
	assert_int_equal(k.r->freeze_all, FREEZE_LATENCY);
	assert_false(k.r->lease_ok);
	assert_int_equal(kit_intent(&k, HL, SIDE_BID, CENT(9998), QTY(E8 / 10)),
	    REASON_FROZEN);
}

/* A freeze wakes execd, which looks at the freeze words. */
static void
test_freeze_wakes_execd(void **state)
{
	bool woken[2] = {false, false};

	(void)state;
	kit_link(&k, BN, 20, LINK_STALE);
	for (uint32_t i = 0; i < k.out.n; i++) {
		woken[0] |= k.out.msg[i].ring == RG_CANCEL_PM;
		woken[1] |= k.out.msg[i].ring == RG_CANCEL_HL;
	}
	assert_true(woken[0] && woken[1]);
}

static void
test_silent_feed_is_stale(void **state)
{
	(void)state;
	assert_int_equal(k.out.wake_ns, k.now + MS(3000) + 1);
	kit_wait(&k, MS(2000));
	kit_link(&k, BN, 20, LINK_READY);
	kit_link(&k, HL, 20, LINK_READY);
	kit_wait(&k, MS(1000));
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], 0);
	kit_wait(&k, 1);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], FREEZE_FEED_STALE);
	assert_int_equal(k.r->freeze[VENUE_HYPERLIQUID], 0);
	assert_true(k.out.wake_ns > k.now); /* no busy timer */
	kit_link(&k, PM, 20, LINK_READY);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], 0);
	kit_link(&k, PM, 20, LINK_STALE);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], FREEZE_FEED_STALE);
}

static void
test_disabled_venue_freezes_nothing(void **state)
{
	(void)state;
	k.cfg.binance_enabled = false;
	kit_step(&k, EV_CFG, RG_INTENT, 0, 0);
	kit_link(&k, BN, 20, LINK_STALE);
	assert_int_equal(k.r->freeze_all, 0);
}

static void
test_world(void **state)
{
	struct risk_world w = k.r->world;

	(void)state;
	w.ext[VENUE_POLYMARKET] = FREEZE_MANUAL;
	w.ext[VENUE_HYPERLIQUID] = FREEZE_MANUAL;
	risk_world_set(k.r, &w, k.now, &k.out);
	assert_int_equal(kit_said(&k, MSG_STATE, 0)->status, TRADING_FROZEN);
	assert_int_equal(kit_said(&k, MSG_STATE, 0)->reason, REASON_MANUAL);
	assert_int_equal(k.r->freeze_all, 0); /* not riskd's own word */
	assert_true(k.r->lease_ok);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_FROZEN);
	memset(w.ext, 0, sizeof(w.ext));
	w.supervisor_dead = true;
	risk_world_set(k.r, &w, k.now, &k.out);
	assert_int_equal(k.r->freeze_all, FREEZE_SUPERVISOR_DEAD);
	w.supervisor_dead = false;
	w.room[VENUE_POLYMARKET] = false;
	risk_world_set(k.r, &w, k.now, &k.out);
	assert_int_equal(kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)),
	    REASON_BACKPRESSURE);
	assert_int_equal(
	    kit_intent(&k, HL, SIDE_BID, CENT(9998), QTY(E8 / 10)), REASON_OK);
	w.room[VENUE_POLYMARKET] = true;
	w.cancel_full[VENUE_POLYMARKET] = true;
	risk_world_set(k.r, &w, k.now, &k.out);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], FREEZE_REPORT_BACKLOG);
}

/* T-23: the latch holds until a person thaws. */
static void
T_23_daily_loss_latches(void **state)
{
	(void)state;
	k.cfg.mm_global_daily_loss_limit = USD(5 * E6);
	kit_fill(&k, PM, SIDE_BID, 77, CENT(50), UNIT(20), UNIT(20));
	kit_step(&k, EV_CFG, RG_INTENT, 0, 0);
	risk_thaw(k.r, k.now, &k.out);
	kit_bbo(&k, PM, CENT(24), CENT(26)); /* minus 5.00: not below */
	assert_int_equal(k.r->freeze_all, 0);
	kit_bbo(&k, PM, CENT(23), CENT(26));
	assert_int_equal(k.r->freeze_all, FREEZE_DAILY_LOSS);
	assert_int_equal(kit_said(&k, MSG_STATE, 0)->status, TRADING_FROZEN);
	assert_int_equal(kit_said(&k, MSG_STATE, 0)->reason, REASON_DAILY_LOSS);
	kit_bbo(&k, PM, CENT(60), CENT(62)); /* a recovery does not thaw */
	assert_int_equal(k.r->freeze_all, FREEZE_DAILY_LOSS);
	k.wall += INT64_C(86400) * NS_PER_S; /* nor does a new day */
	kit_wait(&k, 1);
	assert_int_equal(
	    k.r->freeze_all & FREEZE_DAILY_LOSS, FREEZE_DAILY_LOSS);
	kit_links_good(&k);
	kit_bbo(&k, PM, CENT(23), CENT(26));
	risk_thaw(k.r, k.now, &k.out);
	assert_int_equal(k.r->freeze_all, 0);
	/* The same loss does not latch again, a further one does. */
	kit_bbo(&k, PM, CENT(23), CENT(26));
	assert_int_equal(k.r->freeze_all, 0);
	kit_bbo(&k, PM, CENT(1), CENT(3));
	kit_bbo(&k, PM, CENT(1), CENT(2));
	assert_int_equal(k.r->freeze_all, 0);
	kit_fill(&k, PM, SIDE_BID, 78, CENT(50), UNIT(10), UNIT(10));
	assert_int_equal(k.r->freeze_all, FREEZE_DAILY_LOSS);
}

static void
test_day_rolls_at_midnight_of_the_zone(void **state)
{
	int64_t midnight;

	(void)state;
	kit_fill(&k, PM, SIDE_BID, 77, CENT(50), UNIT(10), UNIT(10));
	kit_fill(&k, PM, SIDE_ASK, 78, CENT(55), UNIT(10), UNIT(10));
	assert_int_equal(loss_realised(&k.r->loss).e6, 500000);
	midnight = (loss_day(k.wall, 0) + 1) * INT64_C(86400) * NS_PER_S;
	k.wall = midnight - 1;
	kit_step(&k, EV_TIMER, RG_INTENT, 0, 0);
	assert_int_equal(loss_realised(&k.r->loss).e6, 500000);
	k.wall = midnight;
	kit_step(&k, EV_TIMER, RG_INTENT, 0, 0);
	assert_int_equal(loss_realised(&k.r->loss).e6, 0);
	assert_int_equal(k.r->loss.carried.e6, 500000);
	/* The clock steps back over midnight: the day does not. */
	k.wall = midnight - NS_PER_S;
	kit_step(&k, EV_TIMER, RG_INTENT, 0, 0);
	assert_int_equal(loss_day(k.wall, 0) + 1, k.r->loss.day);
	assert_int_equal(k.r->loss.carried.e6, 500000);
	/* Two hours east the day ends at 22:00 UTC. */
	assert_int_equal(loss_day(midnight - INT64_C(7200) * NS_PER_S, 7200),
	    loss_day(midnight, 0));
	assert_int_equal(
	    loss_day(midnight - INT64_C(7200) * NS_PER_S - 1, 7200),
	    loss_day(midnight, 0) - 1);
}

/* A new quoted knows nothing: what rests is withdrawn, all is told. */
static void
test_new_quoted(void **state)
{
	struct order o;
	uint32_t cancels = 0;
	uint32_t tells = 0;

	(void)state;
	kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(10));
	kit_fill(&k, PM, SIDE_BID, k.id, CENT(47), UNIT(4), UNIT(4));
	kit_intent(&k, PM + 1, SIDE_BID, CENT(47), UNIT(10));
	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_RESTART;
	o.id = UINT64_C(2) << 40;
	kit_order(&k, RG_INTENT, &o);
	for (int i = 0; i < 5; i++) {
		cancels += kit_count(&k, MSG_CANCEL);
		tells += kit_count(&k, MSG_STATE);
		kit_wait(&k, 1);
	}
	assert_int_equal(cancels, 2);
	assert_int_equal(tells, 2); /* the global state, one position */
	/* An intent of the old life comes late. */
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_DUPLICATE);
	k.id = (UINT64_C(2) << 40) + 1;
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_OK);
}

static void
test_refusal_withdraws_what_rests(void **state)
{
	const struct order *c;

	(void)state;
	kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(10));
	kit_bbo(&k, PM, CENT(40), CENT(60));
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(46), UNIT(10)), REASON_GAPPED);
	c = kit_said(&k, MSG_CANCEL, 0);
	assert_non_null(c);
	assert_int_equal(c->id, k.id);
	assert_int_equal(c->side, SIDE_BID);
	assert_int_equal(c->hdr.instr, PM);
}

static void
test_stopping_refuses(void **state)
{
	(void)state;
	kit_step(&k, EV_STOP, RG_INTENT, 0, 0);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_FROZEN);
	assert_false(k.r->lease_ok);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, PX(0), QTY(0)), REASON_OK);
}

/* The slot of an instrument goes to the next window. */
static void
test_next_window_settles(void **state)
{
	(void)state;
	kit_fill(&k, PM, SIDE_BID, 77, CENT(50), UNIT(10), UNIT(10));
	kit_bbo(&k, PM, CENT(97), CENT(99));
	kit_instr(&k, PM, CLASS_UPDOWN, "up-next", INSTR_NORMAL);
	assert_int_equal(k.r->instr[PM].pos.qty.e8, 0);
	assert_int_equal(loss_realised(&k.r->loss).e6, 4800000);
	assert_int_equal(k.r->stat.settled, 1);
	assert_int_equal(k.r->unrealised.e6, 0);
}

/* Through records and back: the same state, the same hash. */
static void
test_records_hold_everything(void **state)
{
	static uint8_t rec[RISK_REC_N][RISK_REC_SZ];
	struct kit b;

	(void)state;
	kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(10));
	kit_fill(&k, PM, SIDE_BID, k.id, CENT(47), UNIT(4), UNIT(4));
	kit_intent(&k, HL, SIDE_ASK, CENT(10002), QTY(E8 / 10));
	kit_fill(&k, PM + 1, SIDE_BID, 9, CENT(47), UNIT(4), UNIT(4));
	for (uint32_t i = 0; i < RISK_REC_N; i++)
		risk_save(k.r, i, rec[i]);
	memset(&b, 0, sizeof(b));
	b.cfg = k.cfg;
	b.r = calloc(1, sizeof(*b.r));
	risk_init(b.r, &b.cfg, 2);
	for (uint32_t i = 0; i < RISK_REC_N; i++)
		assert_true(risk_load(b.r, i, rec[i]));
	risk_loaded(b.r);
	assert_int_equal(b.r->open_n, k.r->open_n);
	assert_int_equal(b.r->exposure.e6, k.r->exposure.e6);
	assert_int_equal(b.r->worst.e6, k.r->worst.e6);
	assert_int_equal(risk_pnl(b.r).e6, risk_pnl(k.r).e6);
	assert_true(b.r->reduce);
	/* The rest comes again from the feeds. */
	b.now = k.now;
	b.wall = k.wall;
	memcpy(b.r->link, k.r->link, sizeof(b.r->link));
	kit_bbo(&b, PM, CENT(48), CENT(52));
	kit_bbo(&b, PM + 1, CENT(48), CENT(52));
	kit_bbo(&b, HL, CENT(9999), CENT(10001));
	b.r->rate_n = k.r->rate_n;
	assert_int_equal(risk_hash(b.r), risk_hash(k.r));
	/* Repeats of what the old life booked change nothing. */
	kit_fill(&b, PM + 1, SIDE_BID, 9, CENT(47), UNIT(4), UNIT(4));
	kit_fill(&b, PM, SIDE_BID, QEPOCH + 1, CENT(47), UNIT(4), UNIT(4));
	assert_int_equal(b.r->stat.fill_dups, 2);
	assert_int_equal(risk_hash(b.r), risk_hash(k.r));
	memset(rec[RISK_REC_SLOT] + 4, 0xff, 4);
	assert_false(risk_load(b.r, RISK_REC_SLOT, rec[RISK_REC_SLOT]));
	free(b.r);
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
	    T(T_69_unknown_fill_is_adopted),
	    T(test_reports_that_make_no_sense),
	    T(test_starts_frozen),
	    T(test_latency_freezes_venue_or_all),
	    T(test_freeze_wakes_execd),
	    T(test_silent_feed_is_stale),
	    T(test_disabled_venue_freezes_nothing),
	    T(test_world),
	    T(T_23_daily_loss_latches),
	    T(test_day_rolls_at_midnight_of_the_zone),
	    T(test_new_quoted),
	    T(test_refusal_withdraws_what_rests),
	    T(test_stopping_refuses),
	    T(test_next_window_settles),
	    T(test_records_hold_everything),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
