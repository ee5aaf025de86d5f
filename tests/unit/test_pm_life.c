/* links: feedd libvenue libshm libcore */
/*
 * Life cycle of a market: evidence, every transition, and time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "feedd/pm_life.h"
#include "libcore/fixed.h"

#define HOUR (3600 * NS_PER_S)
#define END  (1000 * HOUR)

enum {
	STAY = 100,
	BAD
};

static void
every_transition(void **state)
{
	enum {
		N = INSTR_NORMAL,
		W = INSTR_WATCH,
		CW = INSTR_CLOSE_WINDOW,
		H = INSTR_HALTED,
		D = INSTR_DISPUTED,
		C = INSTR_CLOSED,
		R = INSTR_RESOLVED
	};
	/* events: open, watch, near, halt, dispute, close, resolve */
	static const uint8_t want[INSTR_STATE_N][PM_LIFE_EV_N] = {
	    [INSTR_HYDRATING] = {0, N, W, CW, H, D, C, R},
	    [INSTR_NORMAL] = {0, N, W, CW, H, D, C, R},
	    [INSTR_WATCH] = {0, N, W, CW, H, D, C, R},
	    [INSTR_CLOSE_WINDOW] = {0, N, W, CW, H, D, C, R},
	    [INSTR_CLOSED] = {0, STAY, STAY, STAY, STAY, D, C, R},
	    [INSTR_RESOLVED] = {0, STAY, STAY, STAY, STAY, BAD, STAY, R},
	    [INSTR_HALTED] = {0, N, W, CW, H, D, C, R},
	    [INSTR_DISPUTED] = {0, N, W, CW, H, D, C, R},
	};

	(void)state;
	for (int s = INSTR_HYDRATING; s < INSTR_STATE_N; s++)
		for (int e = PM_LIFE_OPEN; e < PM_LIFE_EV_N; e++) {
			enum instr_state at = (enum instr_state)s;
			bool ok = pm_life_step(&at, (enum pm_life_ev)e);
			uint8_t to = want[s][e];

			if (ok != (to != BAD))
				printf("state %d event %d\n", s, e);
			assert_int_equal(ok, to != BAD);
			assert_int_equal(at, to >= STAY ? s : to);
		}
}

static void
evidence(void **state)
{
	struct pm_life_view v = {.is_updown = true,
	    .takes_orders = true,
	    .end_ns = END,
	    .now_ns = END - HOUR,
	    .watch_ns = 72 * HOUR,
	    .near_ns = 24 * HOUR};

	(void)state;
	assert_int_equal(pm_life_of(&v), PM_LIFE_OPEN);
	v.takes_orders = false;
	assert_int_equal(pm_life_of(&v), PM_LIFE_HALT);
	v.now_ns = END;
	assert_int_equal(pm_life_of(&v), PM_LIFE_CLOSE);
	v.disputed = true;
	assert_int_equal(pm_life_of(&v), PM_LIFE_DISPUTE);
	v.closed = true;
	assert_int_equal(pm_life_of(&v), PM_LIFE_CLOSE);
	v.has_outcome = true;
	assert_int_equal(pm_life_of(&v), PM_LIFE_RESOLVE);
	v.closed = false; /* prices of an open market are no outcome */
	assert_int_equal(pm_life_of(&v), PM_LIFE_DISPUTE);
}

/* The end date of a binary is a date somebody typed. */
static void
T_05_an_end_date_never_closes_a_binary(void **state)
{
	static const struct {
		int64_t left_ns;
		enum pm_life_ev ev;
	} cases[] = {
	    {100 * HOUR, PM_LIFE_OPEN},
	    {72 * HOUR, PM_LIFE_OPEN},
	    {72 * HOUR - 1, PM_LIFE_WATCH},
	    {24 * HOUR, PM_LIFE_WATCH},
	    {24 * HOUR - 1, PM_LIFE_NEAR},
	    {0, PM_LIFE_NEAR},
	    {-900 * HOUR, PM_LIFE_NEAR},
	};
	struct pm_life_view v = {.takes_orders = true,
	    .end_ns = END,
	    .watch_ns = 72 * HOUR,
	    .near_ns = 24 * HOUR};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		v.now_ns = END - cases[i].left_ns;
		assert_int_equal(pm_life_of(&v), cases[i].ev);
	}
	v.end_ns = 0;
	assert_int_equal(pm_life_of(&v), PM_LIFE_OPEN);
}

/* Between two due times the event is the same, at each it is another. */
static void
due_is_when_it_changes(void **state)
{
	(void)state;
	for (int updown = 0; updown < 2; updown++) {
		struct pm_life_view v = {.is_updown = updown == 1,
		    .takes_orders = true,
		    .end_ns = END,
		    .now_ns = END - 200 * HOUR,
		    .watch_ns = 72 * HOUR,
		    .near_ns = 24 * HOUR};
		int changes = 0;

		for (int64_t due = pm_life_due(&v); due != 0;
		     due = pm_life_due(&v)) {
			enum pm_life_ev was = pm_life_time(&v);

			assert_true(due > v.now_ns);
			v.now_ns = due - 1;
			assert_int_equal(pm_life_time(&v), was);
			v.now_ns = due;
			changes += pm_life_time(&v) != was;
		}
		assert_int_equal(changes, updown == 1 ? 1 : 2);
		v.now_ns = 0;
		assert_int_equal(pm_life_due(&v), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_transition),
	    cmocka_unit_test(evidence),
	    cmocka_unit_test(T_05_an_end_date_never_closes_a_binary),
	    cmocka_unit_test(due_is_when_it_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
