/* links: libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libcore/frame.h"
#include "tests/unit/contract.h"

static const int64_t ticks[] = {
    E8 / 10, E8 / 100, E8 / 200, E8 / 400, E8 / 1000, E8 / 10000};

/* Every role, side, token and price on every tick: there and back. */
static void
every_combination_comes_back(void **state)
{
	uint64_t n = 0;

	(void)state;
	for (size_t t = 0; t < sizeof(ticks) / sizeof(ticks[0]); t++)
		for (int64_t p = ticks[t]; p < E8; p += ticks[t])
			for (int s = SIDE_BID; s < SIDE_N; s++) {
				struct frame_no no = {NO_PX(p), (enum side)s};
				struct frame_yes yes = frame_from_no(no);
				struct frame_no back = frame_to_no(yes);

				assert_int_equal(yes.px.e8 + p, E8);
				assert_int_equal(yes.px.e8 % ticks[t], 0);
				assert_true(yes.side != no.side);
				assert_int_equal(back.px.e8, p);
				assert_int_equal(back.side, s);
				n++;
			}
	assert_true(n > 20000);
}

/* What the taker did with either token, and what that is to each role. */
static void
a_trade_is_one_thing_in_both_frames(void **state)
{
	static const struct {
		bool no;
		enum side side;
		enum frame_role role;
		enum side ours;
	} rows[] = {
	    {false, SIDE_BID, ROLE_TAKER, SIDE_BID},
	    {false, SIDE_BID, ROLE_MAKER, SIDE_ASK},
	    {false, SIDE_ASK, ROLE_TAKER, SIDE_ASK},
	    {false, SIDE_ASK, ROLE_MAKER, SIDE_BID},
	    {true, SIDE_BID, ROLE_TAKER, SIDE_ASK},
	    {true, SIDE_BID, ROLE_MAKER, SIDE_BID},
	    {true, SIDE_ASK, ROLE_TAKER, SIDE_BID},
	    {true, SIDE_ASK, ROLE_MAKER, SIDE_ASK},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t t = 0; t < sizeof(ticks) / sizeof(ticks[0]); t++) {
			int64_t p = 3 * ticks[t];
			struct frame_yes own;

			own = rows[i].no
				  ? frame_own_no((struct frame_no){NO_PX(p),
						     rows[i].side},
					rows[i].role)
				  : frame_own_yes(
					(struct frame_yes){PX(p), rows[i].side},
					rows[i].role);
			assert_int_equal(own.side, rows[i].ours);
			assert_int_equal(own.px.e8, rows[i].no ? E8 - p : p);
		}
}

static void
buying_no_costs_the_other_price(void **state)
{
	(void)state;
	assert_int_equal(frame_cost(SIDE_BID, PX(30000000)).e8, 30000000);
	assert_int_equal(frame_cost(SIDE_ASK, PX(30000000)).e8, 70000000);
}

static void
no_side(void)
{
	frame_from_no((struct frame_no){NO_PX(1), (enum side)0});
}

static void
beyond_a_side(void)
{
	frame_to_no((struct frame_yes){PX(1), SIDE_N});
}

static void
no_role(void)
{
	frame_own_yes((struct frame_yes){PX(1), SIDE_BID}, (enum frame_role)0);
}

static void
sides_and_roles_are_checked(void **state)
{
	(void)state;
	assert_true(contract_fails(no_side));
	assert_true(contract_fails(beyond_a_side));
	assert_true(contract_fails(no_role));
}

/* Does this statement compile after the header? */
static bool
compiles(const char *body)
{
	const char *cc = getenv("CC");
	char command[128];
	FILE *f;

	snprintf(command, sizeof(command),
	    "%s -std=c17 -I. -fsyntax-only -x c - >/dev/null 2>&1",
	    cc != NULL ? cc : "cc");
	f = popen(command, "w");
	assert_non_null(f);
	fprintf(f,
	    "#include \"libcore/frame.h\"\n"
	    "void f(px_t y, no_px_t n, struct frame_yes a, struct frame_no "
	    "b);\n"
	    "void f(px_t y, no_px_t n, struct frame_yes a, struct frame_no b)\n"
	    "{ (void)y; (void)n; (void)a; (void)b; %s }\n",
	    body);
	return pclose(f) == 0;
}

static void
T_20_frames_that_mix_do_not_compile(void **state)
{
	static const char *const good[] = {"y = frame_yes(n);",
	    "n = frame_no(y);", "b = frame_to_no(a);", "a = frame_from_no(b);",
	    "y = px_complement(y);", "a.px = frame_yes(b.px);"};
	static const char *const bad[] = {"y = n;", "n = y;", "a.px = n;",
	    "b.px = y;", "a = b;", "y = frame_yes(y);", "n = frame_no(n);",
	    "n = px_complement(n);", "y = px_floor_tick(n, y);",
	    "b = frame_to_no(b);", "frame_own_yes(b, ROLE_TAKER);",
	    "usd_notional(n, (qty_t){1});", "if (y == n) return;",
	    "y = (px_t)n;"};

	(void)state;
	if (!compiles(";")) {
		print_message("no compiler here\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!compiles(good[i]))
			fail_msg("does not compile: %s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (compiles(bad[i]))
			fail_msg("compiles: %s", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_combination_comes_back),
	    cmocka_unit_test(a_trade_is_one_thing_in_both_frames),
	    cmocka_unit_test(buying_no_costs_the_other_price),
	    cmocka_unit_test(sides_and_roles_are_checked),
	    cmocka_unit_test(T_20_frames_that_mix_do_not_compile),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
