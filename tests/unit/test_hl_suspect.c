/* links: feedd libvenue libshm libcore */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "feedd/hl_suspect.h"
#include "libcore/fixed.h"

#define MS  UINT64_C(1000000)
#define SEC UINT64_C(1000000000)

static struct hl_suspect s;
static uint64_t now;

static void
begin(uint32_t coins)
{
	hl_suspect_init(&s, coins);
	now = 1000 * SEC;
	hl_suspect_up(&s, 0);
}

/* Subscribes what is due; how many it were. */
static unsigned
send_due(uint32_t lane)
{
	unsigned n = 0;

	while (hl_suspect_next(&s, lane, now) != HL_NO_COIN)
		n++;
	return n;
}

static void
all_at_once(void **state)
{
	(void)state;
	begin(5);
	assert_int_equal(hl_suspect_due(&s, 0), 1);
	assert_int_equal(hl_suspect_due(&s, 1), 0);
	assert_int_equal(send_due(0), 5);
	assert_int_equal(send_due(0), 0);
	assert_int_equal(hl_suspect_due(&s, 0), 0);
	assert_true(hl_suspect_has(&s, 0, 4));
	assert_int_equal(send_due(1), 0);
	/* one that has lived is nobody's fault */
	now += 2 * SEC;
	assert_int_equal(hl_suspect_down(&s, 0, now), HL_NO_COIN);
	hl_suspect_up(&s, 0);
	assert_int_equal(send_due(0), 5);
}

/* Coin 2 kills: found with one connection after the first, then left out. */
static void
the_one_that_kills_is_parked(void **state)
{
	unsigned alive = 0;

	(void)state;
	begin(4);
	assert_int_equal(send_due(0), 4);
	now += 100 * MS;
	assert_int_equal(hl_suspect_down(&s, 0, now), HL_NO_COIN);
	now += SEC;
	hl_suspect_up(&s, 0);
	for (; !hl_suspect_has(&s, 0, 2); alive++) {
		assert_int_equal(send_due(0), 1);
		assert_true(hl_suspect_due(&s, 0) == now + HL_STEP_NS);
		now = hl_suspect_due(&s, 0);
	}
	assert_int_equal(alive, 3);
	now -= HL_STEP_NS - 100 * MS;
	assert_int_equal(hl_suspect_down(&s, 0, now), 2);
	now += SEC;
	uint64_t parked = now - SEC + HL_PARK_NS;

	hl_suspect_up(&s, 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(send_due(0), 1);
		now = hl_suspect_due(&s, 0);
	}
	assert_false(hl_suspect_has(&s, 0, 2));
	assert_true(hl_suspect_has(&s, 0, 3));
	/* it lives: the care ends, and the coin comes back after its minute */
	now += HL_SUSPECT_NS;
	assert_int_equal(send_due(0), 0);
	assert_false(s.is_careful);
	assert_true(hl_suspect_due(&s, 0) == parked);
	now = parked;
	assert_int_equal(send_due(0), 1);
	assert_true(hl_suspect_has(&s, 0, 2));
	/* and goes again at once when it kills again */
	now += 100 * MS;
	assert_int_equal(hl_suspect_down(&s, 0, now), 2);
}

/* A single coin: two ends in a row, one may be the network's. */
static void
a_single_coin_is_it(void **state)
{
	(void)state;
	begin(1);
	assert_int_equal(send_due(0), 1);
	now += 100 * MS;
	assert_int_equal(hl_suspect_down(&s, 0, now), HL_NO_COIN);
	hl_suspect_up(&s, 0);
	assert_int_equal(send_due(0), 1);
	now += 1999 * MS;
	assert_int_equal(hl_suspect_down(&s, 0, now), 0);
	hl_suspect_up(&s, 0);
	assert_int_equal(send_due(0), 0);
	assert_true(hl_suspect_due(&s, 0) == now + HL_PARK_NS);
	/* a connection without any subscription is nobody's fault */
	now += SEC;
	assert_int_equal(hl_suspect_down(&s, 0, now), HL_NO_COIN);
}

/* A storm of ends says nothing of coins that have shown data, until it lasts
 * too long. */
static void
proven_coins_are_not_suspected(void **state)
{
	(void)state;
	begin(2);
	assert_int_equal(send_due(0), 2);
	hl_suspect_prove(&s, 0);
	hl_suspect_prove(&s, 1);
	for (unsigned i = 1; i < HL_DOUBT_N; i++) {
		now += 100 * MS;
		assert_int_equal(hl_suspect_down(&s, 0, now), HL_NO_COIN);
		assert_false(s.is_careful);
		hl_suspect_up(&s, 0);
		assert_int_equal(send_due(0), 2);
	}
	now += 100 * MS;
	assert_int_equal(hl_suspect_down(&s, 0, now), HL_NO_COIN);
	assert_true(s.is_careful);
	hl_suspect_up(&s, 0);
	assert_int_equal(send_due(0), 1);
	hl_suspect_prove(&s, 0); /* it is not this one */
	now += 100 * MS;
	assert_int_equal(hl_suspect_down(&s, 0, now), HL_NO_COIN);
}

/* One that has shown data is not blamed for one beside it that has not. */
static void
the_last_one_may_be_proven(void **state)
{
	(void)state;
	begin(2);
	s.is_careful = true;
	hl_suspect_prove(&s, 1);
	assert_int_equal(send_due(0), 1);
	now += HL_STEP_NS;
	assert_int_equal(send_due(0), 1);
	assert_true(hl_suspect_has(&s, 0, 1));
	assert_int_equal(hl_suspect_down(&s, 0, now), HL_NO_COIN);
	assert_true(s.is_careful);
}

/* In no minute more than a burst and the pace. */
static void
messages_are_held_to_the_budget(void **state)
{
	uint64_t sent_ns[8192];
	unsigned n = 0;
	unsigned from = 0;

	(void)state;
	begin(HL_SUSPECT_COINS);
	for (unsigned i = 0; i < 600; i++) {
		s.is_careful = false;
		unsigned got = send_due(0);

		for (unsigned k = 0; k < got * HL_COIN_MESSAGES; k++) {
			assert_true(n < 8192);
			sent_ns[n++] = now;
		}
		/* a venue that drops everybody at once */
		hl_suspect_down(&s, 0, now);
		for (uint32_t c = 0; c < HL_SUSPECT_COINS; c++)
			s.parked_ns[c] = 0;
		now += 500 * MS;
		hl_suspect_up(&s, 0);
	}
	for (unsigned i = 0; i < n; i++) {
		while (sent_ns[i] - sent_ns[from] >= 60 * SEC)
			from++;
		assert_true(i - from + 1 <= HL_BURST + HL_PACE);
	}
	assert_true(n > 3 * HL_PACE); /* and it does use it */
}

/* When nothing can go out, the time given is one at which something can. */
static void
due_is_exact(void **state)
{
	(void)state;
	begin(HL_SUSPECT_COINS);
	hl_suspect_spend(&s, HL_BURST, now);
	assert_int_equal(send_due(0), 0);
	for (unsigned i = 0; i < HL_SUSPECT_COINS; i++) {
		uint64_t due = hl_suspect_due(&s, 0);

		assert_true(due > now);
		now = due - 1;
		assert_int_equal(send_due(0), 0);
		now = due;
		assert_int_equal(send_due(0), 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_at_once),
	    cmocka_unit_test(the_one_that_kills_is_parked),
	    cmocka_unit_test(a_single_coin_is_it),
	    cmocka_unit_test(proven_coins_are_not_suspected),
	    cmocka_unit_test(the_last_one_may_be_proven),
	    cmocka_unit_test(messages_are_held_to_the_budget),
	    cmocka_unit_test(due_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
