/* links: libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/book.h"
#include "libcore/hash.h"

#define SMALL_N 4u

struct small {
	struct book book;
	struct book_level level[2 * SMALL_N];
};

static void
set(struct book *b, enum side side, int64_t px, int64_t qty)
{
	book_set(b, side, PX(px), QTY(qty));
}

/* bids 48 x 30, 47 x 120, 1 x 1000; asks 51 x 14, 52 x 25. */
static void
fill(struct book *b)
{
	set(b, SIDE_BID, 47, 120);
	set(b, SIDE_BID, 1, 1000);
	set(b, SIDE_BID, 48, 30);
	set(b, SIDE_ASK, 51, 14);
	set(b, SIDE_ASK, 52, 25);
}

static void
best_comes_first(void **state)
{
	struct book_full f;
	struct book_level l;

	(void)state;
	book_full_init(&f);
	assert_false(book_best(&f.book, SIDE_BID, &l));
	fill(&f.book);
	assert_true(book_is_ordered(&f.book));
	assert_int_equal(book_n(&f.book, SIDE_BID), 3);
	assert_int_equal(book_n(&f.book, SIDE_ASK), 2);
	assert_int_equal(book_level(&f.book, SIDE_BID, 0)->px.e8, 48);
	assert_int_equal(book_level(&f.book, SIDE_BID, 1)->px.e8, 47);
	assert_int_equal(book_level(&f.book, SIDE_BID, 2)->px.e8, 1);
	assert_null(book_level(&f.book, SIDE_BID, 3));
	assert_true(book_best(&f.book, SIDE_ASK, &l));
	assert_int_equal(l.px.e8, 51);
	assert_int_equal(l.qty.e8, 14);
}

static void
changes_are_named(void **state)
{
	struct book_full f;
	struct book *b = &f.book;

	(void)state;
	book_full_init(&f);
	fill(b);
	assert_int_equal(book_set(b, SIDE_BID, PX(48), QTY(30)), BOOK_SAME);
	assert_int_equal(book_set(b, SIDE_BID, PX(48), QTY(31)), BOOK_CHANGED);
	assert_int_equal(book_qty_at(b, SIDE_BID, PX(48)).e8, 31);
	assert_int_equal(book_set(b, SIDE_BID, PX(46), QTY(0)), BOOK_ABSENT);
	assert_int_equal(book_set(b, SIDE_BID, PX(47), QTY(0)), BOOK_CHANGED);
	assert_int_equal(book_qty_at(b, SIDE_BID, PX(47)).e8, 0);
	assert_int_equal(book_n(b, SIDE_BID), 2);
	book_clear_side(b, SIDE_BID);
	assert_int_equal(book_n(b, SIDE_BID), 0);
	assert_int_equal(book_n(b, SIDE_ASK), 2);
	book_clear(b);
	assert_int_equal(book_n(b, SIDE_ASK), 0);
}

static void
full_side_gives_up_its_worst(void **state)
{
	struct small s;
	struct book *b = &s.book;

	(void)state;
	book_init(b, s.level, SMALL_N);
	for (int64_t px = 10; px < 14; px++)
		set(b, SIDE_BID, px, 1);
	assert_int_equal(book_set(b, SIDE_BID, PX(9), QTY(5)), BOOK_DROPPED);
	assert_int_equal(book_qty_at(b, SIDE_BID, PX(9)).e8, 0);
	assert_int_equal(book_set(b, SIDE_BID, PX(12), QTY(7)), BOOK_CHANGED);
	assert_int_equal(book_set(b, SIDE_BID, PX(20), QTY(5)), BOOK_DROPPED);
	assert_int_equal(book_qty_at(b, SIDE_BID, PX(10)).e8, 0);
	assert_int_equal(book_level(b, SIDE_BID, 0)->px.e8, 20);
	assert_int_equal(book_level(b, SIDE_BID, 3)->px.e8, 11);
	for (int64_t px = 10; px < 14; px++)
		set(b, SIDE_ASK, px, 1);
	assert_int_equal(book_set(b, SIDE_ASK, PX(5), QTY(5)), BOOK_DROPPED);
	assert_int_equal(book_qty_at(b, SIDE_ASK, PX(13)).e8, 0);
	assert_true(book_is_ordered(b));
	assert_int_equal(book_n(b, SIDE_BID), SMALL_N);
}

static void
prices_between_the_sides(void **state)
{
	struct book_full f;
	px_t px;

	(void)state;
	book_full_init(&f);
	assert_false(book_mid(&f.book, &px));
	assert_false(book_spread(&f.book, &px));
	assert_false(book_microprice(&f.book, &px));
	fill(&f.book);
	assert_true(book_mid(&f.book, &px));
	assert_int_equal(px.e8, 49); /* 49.5 toward zero */
	assert_true(book_spread(&f.book, &px));
	assert_int_equal(px.e8, 3);
	assert_true(book_microprice(&f.book, &px));
	assert_int_equal(px.e8, (30 * 51 + 14 * 48) / 44); /* 50.04 */
	book_clear_side(&f.book, SIDE_ASK);
	assert_false(book_microprice(&f.book, &px));
}

static void
microprice_over_several_levels(void **state)
{
	struct book_full f;
	px_t px;

	(void)state;
	book_full_init(&f);
	set(&f.book, SIDE_BID, 4000, 30);
	set(&f.book, SIDE_BID, 3000, 10);
	set(&f.book, SIDE_ASK, 5000, 20);
	set(&f.book, SIDE_ASK, 6000, 20);
	assert_true(book_microprice_top(&f.book, 2, &px));
	/* bid 40 at 3750, ask 40 at 5500 */
	assert_int_equal(px.e8, (40 * 5500 + 40 * 3750) / 80);
	assert_true(book_microprice_top(&f.book, 100, &px));
	assert_int_equal(px.e8, (40 * 5500 + 40 * 3750) / 80);
}

static void
largest_numbers_do_not_overflow(void **state)
{
	struct book_full f;
	px_t px;

	(void)state;
	book_full_init(&f);
	for (int64_t i = 0; i < BOOK_DEPTH; i++) {
		set(&f.book, SIDE_BID, PX_E8_MAX - 2048 + i, QTY_E8_MAX);
		set(&f.book, SIDE_ASK, PX_E8_MAX - i, QTY_E8_MAX);
	}
	assert_true(book_microprice_top(&f.book, BOOK_DEPTH, &px));
	assert_true(px.e8 > PX_E8_MAX - 2048 && px.e8 < PX_E8_MAX);
	assert_int_equal(book_depth_to(&f.book, SIDE_BID, PX(0)).e8, INT64_MAX);
}

static void
depth_counts_better_prices(void **state)
{
	struct book_full f;

	(void)state;
	book_full_init(&f);
	fill(&f.book);
	assert_int_equal(book_depth_to(&f.book, SIDE_BID, PX(49)).e8, 0);
	assert_int_equal(book_depth_to(&f.book, SIDE_BID, PX(48)).e8, 30);
	assert_int_equal(book_depth_to(&f.book, SIDE_BID, PX(2)).e8, 150);
	assert_int_equal(book_depth_to(&f.book, SIDE_ASK, PX(51)).e8, 14);
	assert_int_equal(book_depth_to(&f.book, SIDE_ASK, PX(99)).e8, 39);
}

static void
crossed_is_locked_or_beyond(void **state)
{
	struct book_full f;

	(void)state;
	book_full_init(&f);
	assert_false(book_is_crossed(&f.book));
	fill(&f.book);
	assert_false(book_is_crossed(&f.book));
	set(&f.book, SIDE_BID, 51, 1);
	assert_true(book_is_crossed(&f.book));
	set(&f.book, SIDE_BID, 60, 1);
	assert_true(book_is_crossed(&f.book));
}

static void
hash_knows_content_only(void **state)
{
	struct book_full f;
	struct small s;
	uint64_t h;

	(void)state;
	book_full_init(&f);
	book_init(&s.book, s.level, SMALL_N);
	fill(&f.book);
	set(&s.book, SIDE_ASK, 77, 1);
	fill(&s.book);
	set(&s.book, SIDE_ASK, 77, 0);
	h = book_hash(&f.book, HASH_SEED);
	assert_int_equal(h, book_hash(&s.book, HASH_SEED));
	set(&s.book, SIDE_ASK, 51, 15);
	assert_int_not_equal(h, book_hash(&s.book, HASH_SEED));
	set(&s.book, SIDE_ASK, 51, 14);
	assert_int_equal(h, book_hash(&s.book, HASH_SEED));
	set(&s.book, SIDE_BID, 1, 0);
	assert_int_not_equal(h, book_hash(&s.book, HASH_SEED));
}

static void
copies_with_its_levels(void **state)
{
	struct small a;
	struct small b;

	(void)state;
	book_init(&a.book, a.level, SMALL_N);
	fill(&a.book);
	memcpy(&b, &a, sizeof(b));
	memset(&a, 0xa5, sizeof(a));
	assert_int_equal(book_level(&b.book, SIDE_BID, 0)->px.e8, 48);
	assert_int_equal(book_qty_at(&b.book, SIDE_ASK, PX(52)).e8, 25);
}

/* Contract: each broken precondition aborts the process. */
static void
breaks_contract(int which)
{
	struct small s;

	book_init(&s.book, s.level, SMALL_N);
	switch (which) {
	case 0: book_init(&s.book, s.level, 0); break;
	case 1: book_init(&s.book, NULL, 1); break;
	case 2: set(&s.book, (enum side)0, 1, 1); break;
	case 3: set(&s.book, SIDE_BID, -1, 1); break;
	case 4: set(&s.book, SIDE_BID, PX_E8_MAX + 1, 1); break;
	case 5: set(&s.book, SIDE_BID, 1, -1); break;
	case 6: set(&s.book, SIDE_BID, 1, QTY_E8_MAX + 1); break;
	case 7: {
		px_t px;

		book_microprice_top(&s.book, 0, &px);
		break;
	}
	case 8: book_n(&s.book, SIDE_N); break;
	default: break;
	}
}

static void
broken_contracts_abort(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			close(STDERR_FILENO);
			breaks_contract(i);
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
	    cmocka_unit_test(best_comes_first),
	    cmocka_unit_test(changes_are_named),
	    cmocka_unit_test(full_side_gives_up_its_worst),
	    cmocka_unit_test(prices_between_the_sides),
	    cmocka_unit_test(microprice_over_several_levels),
	    cmocka_unit_test(largest_numbers_do_not_overflow),
	    cmocka_unit_test(depth_counts_better_prices),
	    cmocka_unit_test(crossed_is_locked_or_beyond),
	    cmocka_unit_test(hash_knows_content_only),
	    cmocka_unit_test(copies_with_its_levels),
	    cmocka_unit_test(broken_contracts_abort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
