/* links: execd libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "execd/oms.h"
#include "tests/unit/shmdir.h"

/*
 * Every state and event, written a second time in short hand: the letter is
 * the next state, the sign what it means.
 *   letters: . none  N pending-new  L live  P partial  C pending-cancel
 *            F filled  X cancelled  R rejected  U unknown  D delayed
 *   signs:   + as usual  = repeat  ~ late but true  ! cannot be
 * Columns: send ack delay reject part all cancel cancelled not-cancelled
 *          timeout
 */
static const char *const table[ORDER_STATUS_N] = {
    [0] = "N+ .! .! .! .! .! .! .= .= .=",
    [ORDER_PENDING_NEW] = "N! L+ D+ R+ P~ F~ C+ X+ N= U+",
    [ORDER_LIVE] = "L! L= L= L! P+ F+ C+ X+ L= U+",
    [ORDER_PARTIAL] = "P! P= P= P! P+ F+ C+ X+ P= U+",
    [ORDER_PENDING_CANCEL] = "C! C= C= R+ C+ F+ C= X+ L+ U+",
    [ORDER_FILLED] = "F! F= F= F! F= F= F! F= F= F=",
    [ORDER_CANCELLED] = "X! X= X= X= X~ F~ X! X= X= X=",
    [ORDER_REJECTED] = "R! R! R! R= P~ F~ R! R= R= R=",
    [ORDER_UNKNOWN] = "U! L+ D+ R+ P+ F+ C+ X+ U= U=",
    [ORDER_DELAYED] = "D! L+ D= R+ P+ F+ C+ X+ D= U+",
};

static uint8_t
state_of(char c)
{
	static const char letters[] = ".NLPCFXRUD";
	const char *p = strchr(letters, c);

	assert_non_null(p);
	return (uint8_t)(p - letters);
}

static enum oms_verdict
verdict_of(char c)
{
	return c == '+'	  ? OMS_OK
	       : c == '=' ? OMS_REPEAT
	       : c == '~' ? OMS_LATE
			  : OMS_BAD;
}

static void
test_every_pair(void **state)
{
	(void)state;
	for (uint8_t s = 0; s < ORDER_STATUS_N; s++) {
		for (int e = OMS_SEND; e < OMS_EVENT_N; e++) {
			const char *cell = table[s] + 3 * (e - 1);
			uint8_t now = s;
			enum oms_verdict v = oms_apply(&now, (enum oms_event)e);

			if (now != state_of(cell[0]) ||
			    v != verdict_of(cell[1]))
				print_message("%s on %s\n",
				    oms_event_name((enum oms_event)e),
				    order_status_name(s));
			assert_int_equal(now, state_of(cell[0]));
			assert_int_equal(v, verdict_of(cell[1]));
		}
	}
}

/* What must hold of any table, whatever its cells. */
static void
test_laws(void **state)
{
	(void)state;
	for (uint8_t s = 0; s < ORDER_STATUS_N; s++) {
		for (int e = OMS_SEND; e < OMS_EVENT_N; e++) {
			enum oms_event ev = (enum oms_event)e;
			uint8_t next;
			enum oms_verdict v = oms_next(s, ev, &next);

			/* What cannot be changes nothing. */
			if (v == OMS_BAD || v == OMS_REPEAT)
				assert_int_equal(next, s);
			/* Sent once: only from nothing. */
			if (ev == OMS_SEND && s != 0)
				assert_int_equal(v, OMS_BAD);
			/* An order that exists never becomes none. */
			if (s != 0)
				assert_int_not_equal(next, 0);
			/* Only a fill brings an order back from its end. */
			if (oms_final(s) && next != s)
				assert_true(
				    ev == OMS_FILL_PART || ev == OMS_FILL_ALL);
			/* T-28: a fill of an order we sent is never bad. */
			if (s != 0 && ev == OMS_FILL_ALL)
				assert_int_equal(next, ORDER_FILLED);
		}
		assert_false(oms_final(s) && oms_waits(s));
		assert_false(oms_final(s) && oms_rests(s));
	}
}

/* T-31: no answer is not a rejection: unknown, and it may be cancelled. */
static void
T_31_timeout_is_not_reject(void **state)
{
	uint8_t s = ORDER_PENDING_NEW;

	(void)state;
	assert_int_equal(oms_apply(&s, OMS_TIMEOUT), OMS_OK);
	assert_int_equal(s, ORDER_UNKNOWN);
	assert_true(oms_waits(s));
	assert_int_equal(oms_apply(&s, OMS_SEND), OMS_BAD);
	assert_int_equal(oms_apply(&s, OMS_CANCEL), OMS_OK);
	assert_int_equal(oms_apply(&s, OMS_FILL_PART), OMS_OK);
	assert_int_equal(oms_apply(&s, OMS_CANCELLED), OMS_OK);
	assert_true(oms_final(s));
}

/* T-32: delayed is alive. */
static void
T_32_delayed_is_live(void **state)
{
	uint8_t s = ORDER_PENDING_NEW;

	(void)state;
	oms_apply(&s, OMS_DELAY);
	assert_false(oms_final(s));
	assert_int_equal(oms_apply(&s, OMS_FILL_ALL), OMS_OK);
	assert_int_equal(s, ORDER_FILLED);
}

/* T-19: the fill comes before the acknowledgement. */
static void
T_19_fill_before_ack(void **state)
{
	uint8_t s = ORDER_PENDING_NEW;

	(void)state;
	assert_int_equal(oms_apply(&s, OMS_FILL_PART), OMS_LATE);
	assert_int_equal(s, ORDER_PARTIAL);
	assert_int_equal(oms_apply(&s, OMS_ACK), OMS_REPEAT);
	assert_int_equal(s, ORDER_PARTIAL);
}

static void
test_contract(void **state)
{
	uint8_t s = ORDER_STATUS_N;

	(void)state;
	assert_check_fails(oms_apply(&s, OMS_ACK));
	s = ORDER_LIVE;
	assert_check_fails(oms_apply(&s, OMS_EVENT_N));
	assert_check_fails(oms_apply(&s, (enum oms_event)0));
	assert_check_fails(oms_rests(ORDER_STATUS_N));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_pair),
	    cmocka_unit_test(test_laws),
	    cmocka_unit_test(T_31_timeout_is_not_reject),
	    cmocka_unit_test(T_32_delayed_is_live),
	    cmocka_unit_test(T_19_fill_before_ack),
	    cmocka_unit_test(test_contract),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
