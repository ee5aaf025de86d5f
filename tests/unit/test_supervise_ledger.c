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

static struct ledger l;

/* 2^64 + 5 and 7, as the instrument table holds them. */
#define YES "18446744073709551621"
#define NO  "7"

static int
set_up(void **unused)
{
	struct instr pm = {.symbol = "a-market",
	    .venue = VENUE_POLYMARKET,
	    .state = 1,
	    .epoch = 3};
	struct instr hl = {
	    .symbol = "BTC", .venue = VENUE_HYPERLIQUID, .state = 1};

	(void)unused;
	pm.token_yes[0] = 5;
	pm.token_yes[8] = 1;
	pm.token_no[0] = 7;
	ledger_init(&l);
	ledger_instr(&l, 4, &pm);
	ledger_instr(&l, 9, &hl);
	return 0;
}

static void
slot(uint8_t kind, uint16_t instr, uint64_t at_ns, int64_t e8)
{
	struct order o = {.hdr = {.kind = kind, .instr = instr}};

	o.hdr.recv_ns = at_ns;
	o.qty = QTY(e8);
	ledger_slot(&l, &o);
}

static void
position(uint16_t instr, int64_t ours, int64_t venue, bool known)
{
	struct order o = {.hdr = {.kind = MSG_POSITION, .instr = instr}};

	o.qty = QTY(ours);
	o.exec_qty = QTY(venue);
	o.status = known;
	ledger_slot(&l, &o);
}

static void
nothing_is_equal_to_nothing(void **unused)
{
	(void)unused;
	assert_int_equal(ledger_bad(&l), 0);
	ledger_truth(&l);
	assert_int_equal(ledger_bad(&l), 0);
	assert_false(ledger_shown(&l.row[4]));
}

static void
riskd_against_the_exchange(void **unused)
{
	(void)unused;
	slot(MSG_STATE, 4, 10, 300);
	ledger_truth(&l);
	ledger_token(&l, YES, QTY(500));
	ledger_token(&l, NO, QTY(200));
	assert_int_equal(ledger_bad(&l), 0);
	assert_true(ledger_shown(&l.row[4]));
	/* One unit is one too many. */
	ledger_token(&l, NO, QTY(1));
	assert_int_equal(ledger_bad(&l), 1);
	assert_true(ledger_differs(&l, &l.row[4]));
}

static void
what_riskd_never_spoke_of_differs(void **unused)
{
	(void)unused;
	ledger_truth(&l);
	ledger_coin(&l, "BTC", QTY(-2));
	assert_int_equal(ledger_bad(&l), 1);
	slot(MSG_STATE, 9, 10, -2);
	assert_int_equal(ledger_bad(&l), 0);
}

static void
execd_against_the_venues_word(void **unused)
{
	(void)unused;
	position(9, 5, 6, false); /* not known: no difference */
	assert_int_equal(ledger_bad(&l), 0);
	position(9, 5, 6, true);
	assert_int_equal(ledger_bad(&l), 1);
	position(9, 6, 6, true);
	assert_int_equal(ledger_bad(&l), 0);
}

static void
the_newest_word_counts(void **unused)
{
	struct order old = {.hdr = {.kind = MSG_STATE, .instr = 4}};

	(void)unused;
	slot(MSG_STATE, 4, 20, 7);
	slot(MSG_STATE, 4, 10, 3); /* of another ring, older */
	assert_int_equal(l.row[4].qty[LEDGER_RISKD].e8, 7);
	/* A former market in the same place. */
	old.hdr.recv_ns = 30;
	old.epoch = 2;
	old.qty = QTY(99);
	ledger_slot(&l, &old);
	assert_int_equal(l.row[4].qty[LEDGER_RISKD].e8, 7);
}

static void
strays_are_counted(void **unused)
{
	(void)unused;
	ledger_truth(&l);
	ledger_token(&l, "123456789", QTY(1));
	ledger_token(&l, "123456789", QTY(0));
	ledger_token(&l, "no number", QTY(1));
	ledger_token(&l, "", QTY(1));
	ledger_coin(&l, "DOGE", QTY(1));
	assert_int_equal(l.stray_n, 4);
	assert_int_equal(ledger_bad(&l), 4);
}

/* Ours are the account's words; of a place that does not exist nothing. */
static void
slots_out_of_range_say_nothing(void **unused)
{
	struct order b = {.hdr = {.kind = MSG_BALANCE}, .usd = {77}};

	(void)unused;
	slot(MSG_STATE, 0, 1, 5);
	slot(MSG_STATE, INSTR_N, 1, 5);
	slot(MSG_STATE, 5, 1, 5);
	assert_false(ledger_shown(&l.row[5]));
	b.venue = VENUE_N;
	ledger_slot(&l, &b);
	b.venue = VENUE_HYPERLIQUID;
	ledger_slot(&l, &b);
	assert_true(l.has_usd[VENUE_HYPERLIQUID]);
	assert_int_equal(l.usd[VENUE_HYPERLIQUID].e6, 77);
}

#define T(f) cmocka_unit_test_setup(f, set_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(nothing_is_equal_to_nothing),
	    T(riskd_against_the_exchange),
	    T(what_riskd_never_spoke_of_differs),
	    T(execd_against_the_venues_word),
	    T(the_newest_word_counts),
	    T(strays_are_counted),
	    T(slots_out_of_range_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
