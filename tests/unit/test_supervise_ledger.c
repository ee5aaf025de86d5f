/* links: supervisor libsys libshm libcore */
/* What supervisor ledger compares, and what it takes for equal. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/ledger.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

static struct ledger l;
static struct ledger_verdict d;
static struct ledger_set set;
static struct instr pm;
static struct instr hl;

/* 2^64 + 5 and 7, as the instrument table holds them. */
#define YES "18446744073709551621"
#define NO  "7"

static void
begin(uint64_t now_ns)
{
	set.now_ns = now_ns;
	ledger_init(&l, &set);
	ledger_instr(&l, 4, &pm);
	ledger_instr(&l, 9, &hl);
}

static int
set_up(void **unused)
{
	(void)unused;
	pm = (struct instr){.symbol = "a-market",
	    .venue = VENUE_POLYMARKET,
	    .state = INSTR_NORMAL,
	    .epoch = 3};
	hl = (struct instr){
	    .symbol = "BTC", .venue = VENUE_HYPERLIQUID, .state = INSTR_NORMAL};
	pm.token_yes[0] = 5;
	pm.token_yes[8] = 1;
	pm.token_no[0] = 7;
	set = (struct ledger_set){.wall_ns = INT64_C(1800000000000000000),
	    .period_ns = (int64_t)(10 * S),
	    .wants_truth = true};
	set.trades[VENUE_POLYMARKET] = true;
	begin(100 * S);
	ledger_verdict_init(&d, false);
	return 0;
}

static void
say(uint8_t kind, uint16_t instr, uint64_t at_ns, int64_t e8)
{
	struct order o = {.hdr = {.kind = kind, .instr = instr}};

	o.hdr.recv_ns = at_ns;
	o.qty = QTY(e8);
	ledger_slot(&l, &o);
}

static void
position(uint16_t instr, uint64_t at_ns, int64_t ours, int64_t venue)
{
	struct order o = {.hdr = {.kind = MSG_POSITION, .instr = instr}};

	o.hdr.recv_ns = at_ns;
	o.qty = QTY(ours);
	o.exec_qty = QTY(venue);
	o.status = 1;
	ledger_slot(&l, &o);
}

static void
balance(enum venue v, uint64_t at_ns, int64_t e6)
{
	struct order o = {.hdr = {.kind = MSG_BALANCE}, .usd = {e6}};

	o.hdr.recv_ns = at_ns;
	o.venue = (uint8_t)v;
	ledger_slot(&l, &o);
}

/* All four of a market, and the money; as they are told in a healthy run. */
static void
all(uint64_t now_ns, int64_t riskd, int64_t execd, int64_t venue, int64_t truth)
{
	begin(now_ns);
	say(MSG_STATE, 4, now_ns - S, riskd);
	position(4, now_ns - S, execd, venue);
	balance(VENUE_POLYMARKET, now_ns - S, 500);
	if (!set.wants_truth)
		return;
	ledger_truth(&l, now_ns);
	ledger_token(&l, YES, QTY(truth));
	ledger_usd(&l, VENUE_POLYMARKET, USD(500));
}

static enum ledger_state
row(uint16_t i)
{
	return ledger_row_state(&l, &l.row[i]);
}

static int
code(void)
{
	ledger_look(&d, &l);
	return ledger_code(&d, &l);
}

static void
equal_is_all_four_and_the_money(void **unused)
{
	(void)unused;
	all(100 * S, 300, 300, 300, 300);
	assert_int_equal(row(4), LEDGER_EQUAL);
	assert_int_equal(
	    ledger_money_state(&l, VENUE_POLYMARKET), LEDGER_EQUAL);
	assert_int_equal(code(), 0);
	assert_int_equal(ledger_count(&d, LEDGER_EQUAL), 2);
}

static void
nothing_held_is_nothing_to_say(void **unused)
{
	(void)unused;
	all(100 * S, 0, 0, 0, 0);
	assert_int_equal(row(4), LEDGER_NOTHING);
	assert_int_equal(code(), 0);
}

/* (b) 0, 40, 40, 0 is no pair that anybody forgot. */
static void
every_pair_is_compared(void **unused)
{
	static const int64_t odd[][4] = {{0, 40, 40, 0}, {1, 2, 2, 1},
	    {2, 1, 1, 1}, {1, 2, 1, 1}, {1, 1, 2, 1}, {1, 1, 1, 2},
	    {0, 0, 0, 1}, {1, 0, 0, 0}};

	(void)unused;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		all(100 * S, odd[i][0], odd[i][1], odd[i][2], odd[i][3]);
		assert_int_equal(row(4), LEDGER_DIFFERS);
	}
	/* (d) without an exchange here, too. */
	set.wants_truth = false;
	all(100 * S, 1, 2, 2, 0);
	assert_int_equal(row(4), LEDGER_DIFFERS);
	all(100 * S, 2, 2, 2, 0);
	assert_int_equal(row(4), LEDGER_EQUAL);
	assert_int_equal(code(), 0);
}

/* (b) A fill came behind what execd said of it. */
static void
what_fills_came_after_is_stale(void **unused)
{
	(void)unused;
	all(100 * S, 40, 40, 40, 40);
	say(MSG_FILL, 4, 99 * S + 500 * MS, 1);
	assert_int_equal(row(4), LEDGER_STALE);
	assert_int_equal(
	    ledger_money_state(&l, VENUE_POLYMARKET), LEDGER_STALE);
	assert_int_equal(code(), 2);
	/* Said again, it is compared. */
	position(4, 99 * S + 600 * MS, 41, 41);
	assert_int_equal(row(4), LEDGER_DIFFERS);
	say(MSG_STATE, 4, 99 * S + 600 * MS, 41);
	ledger_token(&l, YES, QTY(1));
	assert_int_equal(row(4), LEDGER_EQUAL);
	/* A fill that the exchange's answer does not have yet. */
	say(MSG_FILL, 4, 100 * S + 1, 1);
	position(4, 100 * S + 2, 42, 42);
	say(MSG_STATE, 4, 100 * S + 2, 42);
	assert_int_equal(row(4), LEDGER_STALE);
}

static void
what_execd_does_not_repeat_is_stale(void **unused)
{
	(void)unused;
	all(100 * S, 40, 40, 40, 40);
	l.set.now_ns = 130 * S;
	assert_int_equal(row(4), LEDGER_STALE);
	assert_int_equal(
	    ledger_money_state(&l, VENUE_POLYMARKET), LEDGER_STALE);
	assert_true(ledger_silent(&l, VENUE_POLYMARKET));
	/* Nothing is said once; it counts as long as execd speaks. */
	all(100 * S, 1, 0, 0, 1);
	l.set.now_ns = 130 * S;
	assert_int_equal(row(4), LEDGER_STALE);
	balance(VENUE_POLYMARKET, 129 * S, 500);
	assert_int_equal(row(4), LEDGER_DIFFERS);
}

/* (a) */
static void
money_is_compared_to_the_last_unit(void **unused)
{
	(void)unused;
	all(100 * S, 0, 0, 0, 0);
	ledger_usd(&l, VENUE_POLYMARKET, USD(501));
	assert_int_equal(
	    ledger_money_state(&l, VENUE_POLYMARKET), LEDGER_DIFFERS);
	/* While a market of ours pays out it is not judged. */
	pm.state = INSTR_CLOSED;
	all(100 * S, 5, 5, 5, 0);
	ledger_usd(&l, VENUE_POLYMARKET, USD(501));
	assert_int_equal(
	    ledger_money_state(&l, VENUE_POLYMARKET), LEDGER_STALE);
	assert_int_equal(code(), 2);
	/* An account's value moves with the mark. */
	set.trades[VENUE_HYPERLIQUID] = true;
	begin(100 * S);
	balance(VENUE_HYPERLIQUID, 99 * S, 7);
	ledger_truth(&l, 100 * S);
	ledger_usd(&l, VENUE_HYPERLIQUID, USD(8));
	assert_int_equal(
	    ledger_money_state(&l, VENUE_HYPERLIQUID), LEDGER_SHOWN);
}

/* (c) */
static void
nobody_asked_is_not_equal(void **unused)
{
	(void)unused;
	begin(100 * S);
	assert_int_equal(code(), 2); /* nobody has said anything */
	all(100 * S, 3, 3, 3, 3);
	l.has_truth = false;
	l.row[4].fig[LEDGER_TRUTH] = (struct ledger_fig){0};
	assert_int_equal(row(4), LEDGER_STALE);
	assert_int_equal(code(), 2);
	/* Not even when there is nothing to compare. */
	ledger_verdict_init(&d, false);
	set.wants_truth = false;
	all(100 * S, 0, 0, 0, 0);
	assert_int_equal(code(), 0);
	l.set.wants_truth = true;
	assert_int_equal(ledger_code(&d, &l), 2);
	l.set.wants_truth = false;
	l.riskd_ns = 0;
	assert_int_equal(ledger_code(&d, &l), 2);
	l.riskd_ns = 1;
	l.execd_ns[VENUE_POLYMARKET] = 0;
	assert_int_equal(ledger_code(&d, &l), 2);
}

/* (e) */
static void
what_ended_settles(void **unused)
{
	(void)unused;
	pm.state = INSTR_CLOSED;
	all(100 * S, 5, 5, 5, 0);
	assert_int_equal(row(4), LEDGER_SETTLING);
	pm.state = INSTR_RESOLVED;
	all(100 * S, 5, 5, 5, 0);
	assert_int_equal(row(4), LEDGER_SETTLING);
	assert_int_equal(code(), 0);
	assert_int_equal(ledger_count(&d, LEDGER_SETTLING), 1);
	/* Booked; execd has not spoken of it since. */
	all(100 * S, 0, 5, 5, 0);
	assert_int_equal(row(4), LEDGER_NOTHING);
	all(100 * S, 0, 0, 0, 5);
	assert_int_equal(row(4), LEDGER_DIFFERS);
	/* Paid before the table says that it ended. */
	pm.state = INSTR_NORMAL;
	pm.end_wall_ns = set.wall_ns - 1;
	all(100 * S, 5, 5, 5, 0);
	assert_int_equal(row(4), LEDGER_SETTLING);
	pm.end_wall_ns = set.wall_ns - LEDGER_END_NS;
	all(100 * S, 5, 5, 5, 0);
	assert_int_equal(row(4), LEDGER_DIFFERS);
}

static void
a_difference_lasts_two_looks(void **unused)
{
	(void)unused;
	all(100 * S, 5, 5, 5, 6);
	assert_int_equal(code(), 2);
	all(100 * S + 900 * MS, 5, 5, 5, 6);
	assert_int_equal(code(), 2);
	all(101 * S, 5, 5, 5, 7); /* another one */
	assert_int_equal(code(), 2);
	all(101 * S + 900 * MS, 5, 5, 5, 7);
	assert_int_equal(code(), 2);
	all(102 * S, 5, 5, 5, 7);
	assert_int_equal(code(), 1);
	all(103 * S, 7, 7, 7, 7); /* it was one */
	assert_int_equal(code(), 1);
	ledger_verdict_init(&d, true);
	all(104 * S, 5, 5, 5, 6);
	assert_int_equal(code(), 1);
}

static void
equal_once_is_equal(void **unused)
{
	(void)unused;
	all(100 * S, 5, 5, 5, 5);
	assert_int_equal(code(), 0);
	all(101 * S, 5, 5, 5, 5);
	say(MSG_FILL, 4, 100 * S + 500 * MS, 1);
	assert_int_equal(code(), 0);
	assert_int_equal(d.shown_ns[4], 100 * S);
	all(102 * S, 5, 5, 5, 6);
	assert_int_equal(code(), 0);
	all(103 * S, 5, 5, 5, 6);
	assert_int_equal(code(), 1);
}

static void
the_newest_word_counts(void **unused)
{
	struct order old = {.hdr = {.kind = MSG_STATE, .instr = 4}};

	(void)unused;
	say(MSG_STATE, 4, 20, 7);
	say(MSG_STATE, 4, 10, 3); /* of another ring, older */
	assert_int_equal(l.row[4].fig[LEDGER_RISKD].v, 7);
	/* A former market in the same place. */
	old.hdr.recv_ns = 30;
	old.epoch = 2;
	old.qty = QTY(99);
	ledger_slot(&l, &old);
	assert_int_equal(l.row[4].fig[LEDGER_RISKD].v, 7);
}

static void
strays_are_counted(void **unused)
{
	(void)unused;
	all(100 * S, 0, 0, 0, 0);
	ledger_token(&l, "123456789", QTY(1));
	ledger_token(&l, "123456789", QTY(0));
	ledger_token(&l, "no number", QTY(1));
	ledger_token(&l, "", QTY(1));
	ledger_token(&l, NO, QTY(0));
	ledger_coin(&l, "DOGE", QTY(1));
	assert_int_equal(l.stray_n, 4);
	assert_int_equal(code(), 2);
	l.set.now_ns += LEDGER_LAST_NS;
	assert_int_equal(code(), 1);
}

/* Of a place that does not exist nothing. */
static void
slots_out_of_range_say_nothing(void **unused)
{
	(void)unused;
	say(MSG_STATE, 0, 1, 5);
	say(MSG_STATE, INSTR_N, 1, 5);
	say(MSG_STATE, 5, 1, 5);
	assert_int_equal(row(5), LEDGER_NOTHING);
	balance(VENUE_N, 1, 77);
	balance(VENUE_HYPERLIQUID, 1, 77);
	assert_int_equal(l.money[VENUE_HYPERLIQUID].fig[LEDGER_EXECD].v, 77);
}

#define T(f) cmocka_unit_test_setup(f, set_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(equal_is_all_four_and_the_money),
	    T(nothing_held_is_nothing_to_say),
	    T(every_pair_is_compared),
	    T(what_fills_came_after_is_stale),
	    T(what_execd_does_not_repeat_is_stale),
	    T(money_is_compared_to_the_last_unit),
	    T(nobody_asked_is_not_equal),
	    T(what_ended_settles),
	    T(a_difference_lasts_two_looks),
	    T(equal_once_is_equal),
	    T(the_newest_word_counts),
	    T(strays_are_counted),
	    T(slots_out_of_range_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
