/* links: backtest libshm libcore */
/* What a run earned: positions, settlement, funding, markouts, figures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backtest/figures.h"
#include "backtest/ledger.h"

#define S   UINT64_C(1000000000)
#define T0  (UINT64_C(1700000000) * S) /* 22:13:20 UTC */
#define IDX INSTR_PM_BASE
#define HL  INSTR_HL_BASE

static struct ledger *l;
static uint64_t now;
static uint64_t ids;

static void
tell_instr(uint16_t idx, const char *symbol, uint8_t cls, uint8_t outcome)
{
	struct tick t = {.hdr = {.kind = TICK_INSTR, .instr = idx}};
	struct instr in = {.cls = cls,
	    .venue = cls == CLASS_PERP ? VENUE_HYPERLIQUID : VENUE_POLYMARKET,
	    .state = outcome != 0 ? INSTR_RESOLVED : INSTR_NORMAL,
	    .fee_ppm = 1000000,
	    .rebate_ppm = 200000,
	    .outcome = outcome};

	memcpy(in.symbol, symbol, strlen(symbol));
	ledger_tick(l, (enum venue)in.venue, &t, &in);
}

static void
touch(uint16_t idx, int64_t bid_e8, int64_t ask_e8)
{
	struct tick t = {.hdr = {.kind = TICK_BBO, .instr = idx}};

	t.u.bbo = (struct tick_bbo){PX(bid_e8), QTY(E8), PX(ask_e8), QTY(E8)};
	ledger_tick(l, VENUE_POLYMARKET, &t, NULL);
}

static struct order
message(uint8_t kind, uint16_t idx, enum side side)
{
	struct order o = {.hdr = {.kind = kind, .instr = idx},
	    .side = (uint8_t)side,
	    .strategy = STRATEGY_MAKER,
	    .oflags = ORDER_MAKER};

	o.id = ++ids;
	return o;
}

static void
fill(uint16_t idx, enum side side, int64_t px_e8, int64_t qty_e8)
{
	struct order o = message(MSG_ORDER, idx, side);

	ledger_msg(l, &o);
	o.hdr.kind = MSG_FILL;
	o.exec_px = PX(px_e8);
	o.exec_qty = o.cum_qty = QTY(qty_e8);
	ledger_msg(l, &o);
}

static void
wait_s(uint64_t s)
{
	now += s * S;
	ledger_time(l, now);
}

static int
setup(void **state)
{
	const struct ledger_args a = {
	    .capital = USD(100 * E6), .bar_ns = 60 * S};

	(void)state;
	l = ledger_new(&a);
	now = T0;
	ids = 0;
	ledger_time(l, now);
	return l == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	ledger_free(l);
	return 0;
}

static void
a_round_trip_is_realised(void **state)
{
	struct figures f;

	(void)state;
	tell_instr(IDX, "m", CLASS_UPDOWN, 0);
	touch(IDX, 48000000, 52000000);
	fill(IDX, SIDE_BID, 48000000, 10 * E8);
	assert_int_equal(ledger_pnl(l).e6, 200000); /* at the mid */
	fill(IDX, SIDE_ASK, 52000000, 10 * E8);
	touch(IDX, 10000000, 12000000); /* nothing is held */
	assert_int_equal(ledger_pnl(l).e6, 400000);
	wait_s(60);
	ledger_end(l);
	figures_of(l, &f);
	assert_true(f.v[FIG_pnl_usd] > 0.399999 && f.v[FIG_pnl_usd] < 0.400001);
	assert_true(f.v[FIG_win_rate_frac] == 1);
	assert_true(isnan(f.v[FIG_profit_factor])); /* no loss */
	assert_true(f.v[FIG_maker_ratio_frac] == 1);
	assert_true(f.v[FIG_fill_rate_frac] == 1);
	/* 0.02 on 4.8, 0.02 on 5.2 */
	assert_true(fabs(f.v[FIG_spread_capture_usd] - 0.4) < 1e-9);
	assert_true(fabs(f.v[FIG_spread_capture_bps] - 400) < 1e-6);
	assert_true(fabs(f.v[FIG_turnover] - 0.1) < 1e-9);
}

static void
an_outcome_pays_once(void **state)
{
	(void)state;
	tell_instr(IDX, "m", CLASS_UPDOWN, 0);
	touch(IDX, 48000000, 52000000);
	fill(IDX, SIDE_BID, 50000000, 10 * E8);
	tell_instr(IDX, "m", CLASS_UPDOWN, OUTCOME_NO);
	assert_int_equal(ledger_pnl(l).e6, -5000000);
	assert_int_equal(l->all.settled.e6, -5000000);
	tell_instr(IDX, "m", CLASS_UPDOWN, OUTCOME_NO);
	touch(IDX, 98000000, 99000000); /* of a market that is over */
	assert_int_equal(ledger_pnl(l).e6, -5000000);
	assert_int_equal(l->all.gross_loss.e6, 5000000);
}

/* The slot goes to the next window while the outcome is out. */
static void
a_slot_that_changes_keeps_the_position(void **state)
{
	(void)state;
	tell_instr(IDX, "first", CLASS_UPDOWN, 0);
	touch(IDX, 48000000, 52000000);
	fill(IDX, SIDE_ASK, 50000000, 10 * E8);
	tell_instr(IDX, "second", CLASS_UPDOWN, 0);
	touch(IDX, 8000000, 12000000);
	assert_int_equal(ledger_pnl(l).e6, 0); /* at its own last mid */
	fill(IDX, SIDE_BID, 10000000, 10 * E8);
	assert_int_equal(l->market_n, 3);
	tell_instr((uint16_t)(IDX + 1), "first", CLASS_UPDOWN, OUTCOME_VOID);
	assert_int_equal(ledger_pnl(l).e6, 0);
	tell_instr(IDX, "second", CLASS_UPDOWN, OUTCOME_YES);
	assert_int_equal(ledger_pnl(l).e6, 9000000);
}

static void
funding_is_paid_on_the_hour(void **state)
{
	struct tick ref = {.hdr = {.kind = TICK_REF, .instr = HL}};

	(void)state;
	tell_instr(HL, "BTC", CLASS_PERP, 0);
	touch(HL, 99 * E8, 101 * E8);
	fill(HL, SIDE_BID, 100 * E8, E8);
	ref.u.ref = (struct tick_ref){.px = PX(100 * E8),
	    .oracle_px = PX(100 * E8),
	    .funding_e12 = 1000000000, /* 0.1 % an hour */
	    .source = REF_MARK};
	ledger_tick(l, VENUE_HYPERLIQUID, &ref, NULL);
	wait_s(2799); /* 22:59:59 */
	assert_int_equal(l->all.funding.e6, 0);
	wait_s(1);
	assert_int_equal(l->all.funding.e6, -100000);
	wait_s(7200);
	assert_int_equal(l->all.funding.e6, -300000);
	assert_int_equal(ledger_pnl(l).e6, -300000);
}

static void
markouts_are_of_their_moment(void **state)
{
	const struct ledger_fill *f = &l->wait[0];

	(void)state;
	tell_instr(IDX, "m", CLASS_UPDOWN, 0);
	touch(IDX, 48000000, 52000000);
	fill(IDX, SIDE_ASK, 52000000, 10 * E8);
	wait_s(29);
	touch(IDX, 58000000, 62000000);
	assert_int_equal(f->after_set, 0);
	wait_s(1);
	touch(IDX, 18000000, 22000000);
	assert_int_equal(f->after_set, 1);
	assert_int_equal(f->after[0].e8, 60000000);
	assert_int_equal(l->all.after[0].e6, -800000);
	assert_int_equal(l->all.after_good[0], 0);
	wait_s(90);
	assert_int_equal(f->after[1].e8, 20000000);
	assert_int_equal(l->all.after[1].e6, 3200000);
	assert_int_equal(l->keep_n, 0);
	wait_s(480);
	assert_int_equal(l->keep_n, 1);
	assert_int_equal(l->keep[0].after_set, 7);
}

static void
drawdown_is_from_the_peak(void **state)
{
	struct figures f;

	(void)state;
	tell_instr(IDX, "m", CLASS_UPDOWN, 0);
	touch(IDX, 49000000, 51000000);
	fill(IDX, SIDE_BID, 50000000, 100 * E8);
	wait_s(1);
	touch(IDX, 69000000, 71000000);
	wait_s(2); /* + 20: 120 */
	touch(IDX, 39000000, 41000000);
	wait_s(2); /* - 10: 90 */
	touch(IDX, 49000000, 51000000);
	wait_s(60);
	ledger_end(l);
	figures_of(l, &f);
	assert_true(fabs(f.v[FIG_max_drawdown_usd] - 30) < 1e-9);
	assert_true(fabs(f.v[FIG_max_drawdown_frac] - 0.25) < 1e-9);
}

static void
markets_without_end_do_not_grow(void **state)
{
	char name[32];
	usd_t before;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		tell_instr(IDX, name, CLASS_UPDOWN, 0);
		touch(IDX, 48000000, 52000000);
		fill(IDX, SIDE_BID, 48000000, 10 * E8);
		fill(IDX, SIDE_ASK, 50000000, 10 * E8);
		wait_s(300);
	}
	before = ledger_pnl(l);
	assert_int_equal(before.e6, 5000 * 200000);
	assert_true(l->market_n <= LEDGER_MARKETS);
	assert_true(l->wait_cap <= 1024);
	assert_true(l->equity->n <= SERIES_ROWS);
	assert_true(l->keep_n <= LEDGER_FILLS);
}

static void
a_rebate_is_booked_as_asked(void **state)
{
	(void)state;
	l->a.rebate_share_ppm = 500000;
	tell_instr(IDX, "m", CLASS_UPDOWN, 0);
	touch(IDX, 49000000, 51000000);
	fill(IDX, SIDE_BID, 50000000, 10 * E8);
	/* 10 * 1 * 0.25 is the taker's fee; a fifth of it at most */
	assert_int_equal(l->all.rebates_max.e6, 500000);
	assert_int_equal(ledger_pnl(l).e6, 250000);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_round_trip_is_realised),
	    T(an_outcome_pays_once),
	    T(a_slot_that_changes_keeps_the_position),
	    T(funding_is_paid_on_the_hour),
	    T(markouts_are_of_their_moment),
	    T(drawdown_is_from_the_peak),
	    T(markets_without_end_do_not_grow),
	    T(a_rebate_is_booked_as_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
