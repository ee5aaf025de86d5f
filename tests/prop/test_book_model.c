/* links: libcore */
/*
 * The book against a naive model: an unsorted table of (price, quantity).
 * Seeded; PROP_SEED=n repeats one run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libcore/book.h"
#include "libcore/hash.h"

#define PX_N	24
#define CAP_MAX 16u
#define RUNS	200u
#define STEPS	400u

struct model {
	int64_t qty[2][PX_N]; /* by price; 0 absent */
	uint32_t cap;
};

struct sized {
	struct book book;
	struct book_level level[2 * CAP_MAX];
};

static uint64_t seed_now; /* of the run at hand, told when it fails */

static uint64_t
next(uint64_t *rng)
{
	*rng = hash_u64(*rng, 1);
	return *rng;
}

static uint32_t
model_n(const struct model *m, int s)
{
	uint32_t n = 0;

	for (int p = 0; p < PX_N; p++)
		n += m->qty[s][p] != 0;
	return n;
}

/* Price i of a side, best first; -1 past the end. */
static int
model_px(const struct model *m, int s, uint32_t i)
{
	for (int k = 0; k < PX_N; k++) {
		int p = s == 0 ? PX_N - 1 - k : k;

		if (m->qty[s][p] != 0 && i-- == 0)
			return p;
	}
	return -1;
}

static enum book_change
model_set(struct model *m, int s, int p, int64_t qty)
{
	int worst;

	if (m->qty[s][p] == qty)
		return qty == 0 ? BOOK_ABSENT : BOOK_SAME;
	if (m->qty[s][p] != 0 || qty == 0 || model_n(m, s) < m->cap) {
		m->qty[s][p] = qty;
		return BOOK_CHANGED;
	}
	m->qty[s][p] = qty;
	worst = model_px(m, s, m->cap);
	m->qty[s][worst] = 0;
	return BOOK_DROPPED;
}

static int64_t
model_depth(const struct model *m, int s, int to)
{
	int64_t sum = 0;

	for (int p = 0; p < PX_N; p++)
		if (s == 0 ? p >= to : p <= to)
			sum += m->qty[s][p];
	return sum;
}

static void
compare(const struct model *m, const struct book *b)
{
	assert_true(book_is_ordered(b));
	for (int s = 0; s < 2; s++) {
		enum side side = s == 0 ? SIDE_BID : SIDE_ASK;

		assert_int_equal(book_n(b, side), model_n(m, s));
		for (uint32_t i = 0; i < model_n(m, s); i++) {
			const struct book_level *l = book_level(b, side, i);
			int p = model_px(m, s, i);

			assert_int_equal(l->px.e8, p);
			assert_int_equal(l->qty.e8, m->qty[s][p]);
		}
		for (int p = 0; p < PX_N; p++) {
			assert_int_equal(
			    book_qty_at(b, side, PX(p)).e8, m->qty[s][p]);
			assert_int_equal(book_depth_to(b, side, PX(p)).e8,
			    model_depth(m, s, p));
		}
	}
}

static void
compare_prices(const struct model *m, const struct book *b)
{
	int bid = model_px(m, 0, 0);
	int ask = model_px(m, 1, 0);
	px_t px = PX(-1);

	if (bid < 0 || ask < 0) {
		assert_false(book_microprice(b, &px));
		assert_false(book_mid(b, &px));
		assert_false(book_is_crossed(b));
		assert_int_equal(px.e8, -1);
		return;
	}
	assert_true(book_mid(b, &px));
	assert_int_equal(px.e8, (bid + ask) / 2);
	assert_true(book_microprice(b, &px));
	assert_int_equal(px.e8, (m->qty[0][bid] * ask + m->qty[1][ask] * bid) /
				    (m->qty[0][bid] + m->qty[1][ask]));
	assert_int_equal(book_is_crossed(b), bid >= ask);
}

static void
run(uint64_t seed)
{
	static const uint32_t caps[] = {1, 2, 5, 12, CAP_MAX};
	struct sized s;
	struct model m = {0};
	uint64_t rng = seed;

	m.cap = caps[next(&rng) % 5];
	book_init(&s.book, s.level, m.cap);
	for (uint32_t i = 0; i < STEPS; i++) {
		uint64_t r = next(&rng);
		int side = (int)(r & 1);
		int p = (int)((r >> 8) % PX_N);
		int64_t qty = (r >> 16) % 3 == 0 ? 0 : (int64_t)(r >> 20) % 4;

		assert_int_equal(
		    book_set(&s.book, side == 0 ? SIDE_BID : SIDE_ASK, PX(p),
			QTY(qty)),
		    model_set(&m, side, p, qty));
		compare(&m, &s.book);
		compare_prices(&m, &s.book);
	}
}

static void
equals_the_model(void **state)
{
	const char *text = getenv("PROP_SEED");
	uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : 20261121;
	uint64_t runs = text != NULL ? 1 : RUNS;

	(void)state;
	printf("seeds %llu to %llu\n", (unsigned long long)seed,
	    (unsigned long long)(seed + runs - 1));
	for (seed_now = seed; seed_now < seed + runs; seed_now++)
		run(seed_now);
	seed_now = 0;
}

static int
tell_seed(void **state)
{
	(void)state;
	if (seed_now != 0)
		printf("PROP_SEED=%llu\n", (unsigned long long)seed_now);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(equals_the_model, tell_seed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
