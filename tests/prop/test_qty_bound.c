/* links: libcore */
/*
 * Quantities up to QTY_E8_MAX: no CHECK fires and no sum or product wraps.
 * Every quantity here is near the bound; prices run up to PX_E8_MAX where the
 * result is not dollars, and up to what 64 bits of dollars hold elsewhere.
 * Results are compared with the same done in 128 bits. Seeded;
 * PROP_SEED=n repeats one run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libcore/book.h"
#include "libcore/fees.h"
#include "libcore/hash.h"
#include "libcore/json.h"
#include "libcore/position.h"
#include "libcore/queue.h"

#define RUNS   2000u
#define LEVELS 8192u
#define STEPS  64u

/* QTY_E8_MAX of this price are 9e12 dollars. */
#define PX_DOLLARS_MAX (INT64_C(900) * E8)

static uint64_t rng;

static uint64_t
next(void)
{
	rng = hash_u64(rng, 1);
	return rng;
}

/* 1..max, often max itself or one beside it. */
static int64_t
upto(int64_t max)
{
	uint64_t r = next();

	if (r % 4 == 0)
		return i64_max(1, max - (int64_t)((r >> 8) % 3));
	return 1 + (int64_t)((r >> 2) % (uint64_t)max);
}

static void
seeded(void)
{
	const char *s = getenv("PROP_SEED");

	rng = s != NULL ? strtoull(s, NULL, 10) : 20261121;
	printf("# PROP_SEED=%llu\n", (unsigned long long)rng);
}

static void
a_position_keeps_its_books(void **state)
{
	(void)state;
	seeded();
	for (unsigned r = 0; r < RUNS; r++) {
		struct position p = {0};
		i128_t cash = 0;
		i128_t held = 0;

		for (unsigned i = 0; i < STEPS; i++) {
			enum side side = next() & 1 ? SIDE_BID : SIDE_ASK;
			int64_t sign = side == SIDE_BID ? 1 : -1;
			int64_t room = QTY_E8_MAX - sign * p.qty.e8;
			px_t px = PX(upto(PX_E8_MAX));

			if (room <= 0)
				continue;
			qty_t qty = QTY(upto(i64_min(room, QTY_E8_MAX)));

			position_fill(&p, side, px, qty);
			cash -= (i128_t)sign * px.e8 * qty.e8;
			held += (i128_t)sign * qty.e8;
			assert_true(held == p.qty.e8);
			assert_true(p.realised_e16 - p.cost_e16 == cash);
			assert_in_range(position_avg(&p).e8, 0, PX_E8_MAX);
		}
	}
}

static void
dollars_hold(void **state)
{
	(void)state;
	seeded();
	for (unsigned r = 0; r < RUNS * STEPS; r++) {
		struct position p = {0};
		px_t px = PX(upto(PX_DOLLARS_MAX));
		px_t mark = PX(upto(PX_DOLLARS_MAX));
		qty_t qty = QTY(upto(QTY_E8_MAX));
		i128_t exact = (i128_t)px.e8 * qty.e8;
		usd_t down = usd_notional(px, qty);
		usd_t up = usd_notional_ceil(px, qty);

		assert_true((i128_t)down.e6 * 10000000000 <= exact);
		assert_true((i128_t)up.e6 * 10000000000 >= exact);
		assert_true(up.e6 - down.e6 <= 1);
		position_fill(&p, SIDE_BID, px, qty);
		assert_true(position_unrealised(&p, px).e6 == 0);
		(void)position_unrealised(&p, mark);
		assert_true(position_value(false, -qty.e8, px).e6 == up.e6);
		assert_true(fee_notional(px, qty, 1000000).e6 == up.e6);
		assert_true(
		    fee_binary(PX(px.e8 % (E8 + 1)), qty, 1000000).e6 >= 0);
	}
}

/* A book full of the largest quantities. */
static void
a_full_book_sums(void **state)
{
	static struct book_level level[2 * LEVELS];
	struct book b;
	px_t micro;
	px_t top;

	(void)state;
	seeded();
	book_init(&b, level, LEVELS);
	for (unsigned i = 0; i < LEVELS; i++) {
		book_set(&b, SIDE_BID, PX(PX_E8_MAX - 2 * LEVELS + i),
		    QTY(upto(QTY_E8_MAX)));
		book_set(&b, SIDE_ASK, PX(PX_E8_MAX - i), QTY(QTY_E8_MAX));
	}
	assert_true(book_microprice(&b, &micro));
	assert_true(book_microprice_top(&b, LEVELS, &top));
	assert_in_range(top.e8, PX_E8_MAX - 2 * LEVELS, PX_E8_MAX);
	assert_int_equal(
	    book_depth_to(&b, SIDE_ASK, PX(PX_E8_MAX)).e8, INT64_MAX);
	assert_true(
	    book_depth_to(&b, SIDE_ASK, PX(PX_E8_MAX - LEVELS + 9)).e8 ==
	    9 * QTY_E8_MAX);
}

static void
a_queue_stays_in_range(void **state)
{
	(void)state;
	seeded();
	for (unsigned r = 0; r < RUNS; r++) {
		struct queue q;
		uint64_t now_ns = 1;

		queue_join(&q, QUEUE_BACK, QTY(upto(QTY_E8_MAX)));
		for (unsigned i = 0; i < STEPS; i++) {
			qty_t qty = QTY(upto(QTY_E8_MAX));
			int64_t got = 0;

			now_ns += next() % QUEUE_ECHO_NS;
			if (next() & 1)
				got = queue_trade(&q, qty, now_ns).e8;
			else
				queue_level(&q, qty, now_ns);
			assert_in_range(got, 0, qty.e8);
			assert_in_range(q.ahead.e8, 0, QTY_E8_MAX);
		}
	}
}

/* The text of the bound and of what is next to it. */
static void
texts_at_the_bound(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* -1 refused */
	} cases[] = {
	    {"\"10000000000\"", QTY_E8_MAX},
	    {"\"9999999999.99999999\"", QTY_E8_MAX - 1},
	    {"\"10000000000.1\"", -1},
	    {"\"10000000001\"", -1},
	    {"\"332200000\"", INT64_C(332200000) * E8},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json j;
		int64_t got = -1;

		json_init(&j, cases[i].text, strlen(cases[i].text));
		json_e8(&j, QTY_E8_MAX, &got);
		assert_int_equal(got, cases[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_position_keeps_its_books),
	    cmocka_unit_test(dollars_hold),
	    cmocka_unit_test(a_full_book_sums),
	    cmocka_unit_test(a_queue_stays_in_range),
	    cmocka_unit_test(texts_at_the_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
