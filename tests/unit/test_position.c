/* links: libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/position.h"

/* Prices in cents, quantities in whole units, results in 1e-6 dollars. */
#define CENT(c) PX((int64_t)(c)*E8 / 100)
#define UNIT(q) QTY((int64_t)(q)*E8)

struct fill {
	enum side side;
	int cents;
	int units;
};

struct row {
	const char *name;
	struct fill fill[4];
	int64_t qty;
	int64_t avg_cents;
	int64_t realised_e6;
	int64_t unrealised_50_e6; /* marked at 50 cents */
};

static const struct row rows[] = {
    {"buy", {{SIDE_BID, 40, 10}}, 10, 40, 0, 1000000},
    {"buy twice averages", {{SIDE_BID, 40, 10}, {SIDE_BID, 60, 10}}, 20, 50, 0,
	0},
    {"sell part realises its share", {{SIDE_BID, 40, 10}, {SIDE_ASK, 45, 4}}, 6,
	40, 200000, 600000},
    {"sell all is flat", {{SIDE_BID, 40, 10}, {SIDE_ASK, 35, 10}}, 0, 0,
	-500000, 0},
    {"short", {{SIDE_ASK, 60, 5}}, -5, 60, 0, 500000},
    {"short covered lower gains", {{SIDE_ASK, 60, 5}, {SIDE_BID, 55, 5}}, 0, 0,
	250000, 0},
    {"short covered higher loses", {{SIDE_ASK, 60, 5}, {SIDE_BID, 70, 2}}, -3,
	60, -200000, 300000},
    {"long turns short", {{SIDE_BID, 40, 10}, {SIDE_ASK, 50, 15}}, -5, 50,
	1000000, 0},
    {"short turns long", {{SIDE_ASK, 50, 10}, {SIDE_BID, 40, 15}}, 5, 40,
	1000000, 500000},
};

static void
test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct position p;

		memset(&p, 0, sizeof(p));
		for (int k = 0; k < 4 && r->fill[k].units > 0; k++)
			position_fill(&p, r->fill[k].side,
			    CENT(r->fill[k].cents), UNIT(r->fill[k].units));
		print_message("%s\n", r->name);
		assert_int_equal(p.qty.e8, r->qty * E8);
		assert_int_equal(position_avg(&p).e8, CENT(r->avg_cents).e8);
		assert_int_equal(e16_to_usd(p.realised_e16).e6, r->realised_e6);
		assert_int_equal(
		    position_unrealised(&p, CENT(50)).e6, r->unrealised_50_e6);
	}
}

/* Whatever the rounding of shares, realised minus cost is the cash. */
static void
test_cash_is_conserved(void **state)
{
	struct position p;
	i128_t cash = 0;
	uint64_t x = 88172645463325252u;

	(void)state;
	memset(&p, 0, sizeof(p));
	for (int i = 0; i < 20000; i++) {
		enum side side;
		px_t px;
		qty_t qty;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		side = (x & 1) != 0 ? SIDE_BID : SIDE_ASK;
		px = PX((int64_t)(x >> 8 & 0xffffff) + 1);
		qty = QTY((int64_t)(x >> 33) + 1);
		cash += (side == SIDE_BID ? -1 : 1) * e16_product(px, qty);
		position_fill(&p, side, px, qty);
		assert_true(p.realised_e16 - p.cost_e16 == cash);
	}
}

static void
test_no_overflow_at_the_limits(void **state)
{
	struct position p;

	(void)state;
	memset(&p, 0, sizeof(p));
	position_fill(&p, SIDE_BID, PX(PX_E8_MAX), QTY(QTY_E8_MAX));
	position_fill(&p, SIDE_ASK, PX(PX_E8_MAX), QTY(QTY_E8_MAX - 1));
	assert_int_equal(p.qty.e8, 1);
	assert_true(p.realised_e16 == 0);
	assert_int_equal(position_avg(&p).e8, PX_E8_MAX);
}

static void
test_dollars_round_down(void **state)
{
	(void)state;
	assert_int_equal(e16_to_usd(INT64_C(19999999999)).e6, 1);
	assert_int_equal(e16_to_usd(-1).e6, -1);
	assert_int_equal(e16_to_usd(0).e6, 0);
	assert_int_equal(e16_to_usd(-INT64_C(10000000000)).e6, -1);
}

static void
test_value(void **state)
{
	(void)state;
	assert_int_equal(position_value(true, 10 * E8, CENT(30)).e6, 3000000);
	assert_int_equal(position_value(true, -10 * E8, CENT(30)).e6, 7000000);
	assert_int_equal(position_value(false, -10 * E8, CENT(30)).e6, 3000000);
	assert_int_equal(position_value(true, 0, CENT(30)).e6, 0);
	assert_int_equal(position_value(true, 1, PX(1)).e6, 1);
}

/* T-22: a YES and a NO held together are no position. */
static void
T_22_pair_carries_no_risk(void **state)
{
	struct position p;

	(void)state;
	memset(&p, 0, sizeof(p));
	position_fill(&p, SIDE_BID, CENT(48), UNIT(10));
	/* Buying NO at 50 is selling YES at 50. */
	position_fill(&p, SIDE_ASK, px_complement(CENT(50)), UNIT(10));
	assert_int_equal(p.qty.e8, 0);
	assert_int_equal(e16_to_usd(p.realised_e16).e6, 200000);
	for (int at = 0; at <= 100; at += 50)
		assert_int_equal(position_unrealised(&p, CENT(at)).e6, 0);
}

static void
breaks(int k)
{
	struct position p;

	memset(&p, 0, sizeof(p));
	if (k == 0)
		position_fill(&p, SIDE_BID, CENT(10), QTY(0));
	if (k == 1)
		position_fill(&p, (enum side)3, CENT(10), UNIT(1));
	if (k == 2)
		position_fill(&p, SIDE_BID, PX(-1), UNIT(1));
	if (k == 3) {
		position_fill(&p, SIDE_BID, PX(1), QTY(QTY_E8_MAX));
		position_fill(&p, SIDE_BID, PX(1), QTY(1));
	}
	if (k == 4)
		e16_to_usd((i128_t)1 << 120);
}

static void
test_contract(void **state)
{
	(void)state;
	for (int k = 0; k < 5; k++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			close(STDERR_FILENO);
			breaks(k);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_cash_is_conserved),
	    cmocka_unit_test(test_no_overflow_at_the_limits),
	    cmocka_unit_test(test_dollars_round_down),
	    cmocka_unit_test(test_value),
	    cmocka_unit_test(T_22_pair_carries_no_risk),
	    cmocka_unit_test(test_contract),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
