/* links: libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "libcore/markout.h"
#include "tests/unit/contract.h"

#define S UINT64_C(1000000000)
#define C (E8 / 100)

static const struct markout_cfg cfg = {
    .horizon_ns = {30 * S, 120 * S, 600 * S},
    .late_ns = 30 * S,
    .memory_ns = 3600 * S,
    .last_n = 20,
    .min_n = 10,
    .toxic = {-E8 / 500},
};

static struct markout m;
static struct markout_result out[MARKOUT_DUE];

static void
fill(uint64_t s, enum side side, int64_t cents)
{
	struct markout_fill f = {
	    .ns = s * S, .px = PX(cents * C), .qty = QTY(E8), .side = side};

	markout_add(&m, &f);
}

static uint32_t
mid(uint64_t s, int64_t cents)
{
	return markout_mid(&m, &cfg, s * S, PX(cents * C), out);
}

static void
each_horizon_gets_its_mid(void **state)
{
	(void)state;
	markout_init(&m);
	fill(100, SIDE_BID, 50);
	assert_int_equal(mid(129, 40), 0);
	assert_int_equal(mid(130, 52), 1);
	assert_int_equal(out[0].horizon, 0);
	assert_int_equal(out[0].value.e8, 2 * C);
	assert_int_equal(out[0].mid.e8, 52 * C);
	assert_int_equal(mid(135, 60), 0);
	assert_int_equal(mid(221, 47), 1);
	assert_int_equal(out[0].horizon, 1);
	assert_int_equal(out[0].value.e8, -3 * C);
	assert_int_equal(mid(700, 50), 1);
	assert_int_equal(out[0].value.e8, 0);
	assert_int_equal(mid(5000, 50), 0);
	assert_int_equal(m.missed_n, 0);
}

static void
an_ask_is_the_mirror_image(void **state)
{
	(void)state;
	markout_init(&m);
	fill(100, SIDE_ASK, 50);
	assert_int_equal(mid(130, 52), 1);
	assert_int_equal(out[0].value.e8, -2 * C);
}

/* We bought NO at 0.40: in the frame of YES a sale at 0.60. YES falls to
 * 0.55, which is five cents for us. Compared with the price of NO it would
 * read as fifteen against us. */
static void
T_20_a_fill_on_no_is_one_on_yes(void **state)
{
	px_t no = PX(40 * C);
	struct markout_fill f = {
	    .ns = 100 * S,
	    .px = px_complement(no),
	    .side = side_opposite(SIDE_BID),
	};

	(void)state;
	markout_init(&m);
	markout_add(&m, &f);
	assert_int_equal(mid(130, 55), 1);
	assert_int_equal(out[0].value.e8, 5 * C);
	/* And the same as the NO holder sees it. */
	assert_int_equal(out[0].value.e8,
	    markout_value(SIDE_BID, no, px_complement(PX(55 * C))).e8);
}

static void
a_mid_that_comes_too_late_is_missed(void **state)
{
	px_t mean;

	(void)state;
	markout_init(&m);
	fill(100, SIDE_BID, 50);
	assert_int_equal(mid(161, 90), 0);
	assert_int_equal(m.missed_n, 1);
	assert_int_equal(markout_mean(&m, &cfg, 161 * S, 0, &mean), 0);
	/* The later horizons still come. */
	assert_int_equal(mid(220, 51), 1);
}

static void
ten_fills_make_toxic_and_time_forgives(void **state)
{
	px_t mean;

	(void)state;
	markout_init(&m);
	for (uint64_t i = 0; i < 9; i++)
		fill(100, SIDE_BID, 50);
	assert_int_equal(mid(130, 49), 9);
	assert_false(markout_toxic(&m, &cfg, 130 * S));
	fill(131, SIDE_BID, 50);
	assert_int_equal(mid(161, 49), 1);
	assert_int_equal(markout_mean(&m, &cfg, 161 * S, 0, &mean), 10);
	assert_int_equal(mean.e8, -C);
	assert_true(markout_toxic(&m, &cfg, 161 * S));
	/* No fills come any more: an hour later it is over. */
	assert_true(markout_toxic(&m, &cfg, (130 + 3600) * S));
	assert_false(markout_toxic(&m, &cfg, (131 + 3600) * S));
}

static void
good_fills_bring_a_market_back(void **state)
{
	(void)state;
	markout_init(&m);
	for (uint64_t i = 0; i < 20; i++)
		fill(100, SIDE_BID, 50);
	mid(130, 49);
	assert_true(markout_toxic(&m, &cfg, 130 * S));
	for (uint64_t i = 0; i < 17; i++)
		fill(140, SIDE_BID, 50);
	mid(170, 50);
	/* Three of the last twenty lost a cent: -0.15. */
	assert_false(markout_toxic(&m, &cfg, 170 * S));
}

static void
exactly_the_limit_is_not_toxic(void **state)
{
	(void)state;
	markout_init(&m);
	for (uint64_t i = 0; i < 10; i++)
		fill(100, SIDE_BID, 50);
	markout_mid(&m, &cfg, 130 * S, PX(50 * C - C / 5), out);
	assert_false(markout_toxic(&m, &cfg, 130 * S));
	for (uint64_t i = 0; i < 10; i++)
		fill(140, SIDE_BID, 50);
	markout_mid(&m, &cfg, 170 * S, PX(50 * C - C / 5 - 10), out);
	assert_true(markout_toxic(&m, &cfg, 170 * S));
}

static void
more_fills_than_places_push_out_the_oldest(void **state)
{
	(void)state;
	markout_init(&m);
	for (uint64_t i = 0; i < MARKOUT_PENDING + 5; i++)
		fill(100 + i / 10, SIDE_BID, 50);
	assert_int_equal(m.missed_n, 5 * MARKOUT_HORIZONS);
	assert_int_equal(mid(140, 51), MARKOUT_PENDING);
}

/* Against a table of all fills, any order of fills and mids. */
static void
results_are_those_of_a_plain_table(void **state)
{
	struct plain {
		uint64_t ns;
		int64_t px;
		enum side side;
		bool done[MARKOUT_HORIZONS];
	} all[60];
	uint64_t r = 1;

	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t n = 0;
		uint64_t now = 0;

		markout_init(&m);
		for (int step = 0; step < 400; step++) {
			uint32_t want = 0;
			int64_t px;

			r = hash_u64(r, (uint64_t)step);
			now += r % 20;
			px = (int64_t)(r >> 20) % 99 + 1;
			if (r % 7 == 0 && n < 60) {
				all[n] = (struct plain){now * S, px * C,
				    r & 8 ? SIDE_BID : SIDE_ASK, {0}};
				fill(now, all[n].side, px);
				n++;
				continue;
			}
			for (size_t i = 0; i < n; i++)
				for (int h = 0; h < 3; h++)
					if (!all[i].done[h] &&
					    now * S >=
						all[i].ns + cfg.horizon_ns[h]) {
						all[i].done[h] = true;
						want += now * S <=
							all[i].ns +
							    cfg.horizon_ns[h] +
							    cfg.late_ns;
					}
			assert_int_equal(mid(now, px), want);
		}
	}
}

static void
no_side(void)
{
	fill(1, (enum side)0, 50);
}

static void
broken_contracts_abort(void **state)
{
	(void)state;
	assert_true(contract_fails(no_side));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_horizon_gets_its_mid),
	    cmocka_unit_test(an_ask_is_the_mirror_image),
	    cmocka_unit_test(T_20_a_fill_on_no_is_one_on_yes),
	    cmocka_unit_test(a_mid_that_comes_too_late_is_missed),
	    cmocka_unit_test(ten_fills_make_toxic_and_time_forgives),
	    cmocka_unit_test(good_fills_bring_a_market_back),
	    cmocka_unit_test(exactly_the_limit_is_not_toxic),
	    cmocka_unit_test(more_fills_than_places_push_out_the_oldest),
	    cmocka_unit_test(results_are_those_of_a_plain_table),
	    cmocka_unit_test(broken_contracts_abort),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
