/* links: execd libvenue libsign libsys libshm libcore */
/*
 * The Hyperliquid port by hand: what leaves for an act, and what each word of
 * the venue does to one order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/gwhlkit.h"

/* ---- orders ---- */

static void
acts_of_a_step_leave_together_by_kind(void **state)
{
	char cloid[HL_CLOID_TEXT_MAX];

	(void)state;
	k.out_n = 0;
	act_full(PORT_PLACE, ID, 100, TIF_GTC, PX(84000 * E8));
	act_full(PORT_PLACE, ID + 1, 100, TIF_IOC, PX(84010 * E8));
	act_full(PORT_PLACE, ID + 2, 100, TIF_GTC, PX(83999 * E8));
	assert_int_equal(k.out_n, 0);
	flush();
	assert_int_equal(k.out_n, 2);
	cloid_text(ID, cloid);
	assert_non_null(strstr(k.out[0].body, cloid));
	cloid_text(ID + 2, cloid);
	assert_non_null(strstr(k.out[0].body, cloid));
	assert_null(strstr(k.out[0].body, "Ioc"));
	assert_non_null(strstr(k.out[1].body, "Ioc"));
	assert_non_null(
	    strstr(k.out[0].body, "\"expiresAfter\":1790000004000"));
	/* answers come in another order than the posts */
	statuses(post_of("Ioc"),
	    "{\"filled\":{\"totalSz\":\"0.001\",\"avgPx\":\"84001.5\","
	    "\"oid\":9}}");
	assert_true(k.ev[0].what == PORT_ACKED && k.ev[0].id == ID + 1);
	statuses(post_of("Alo"),
	    "{\"resting\":{\"oid\":7}},{\"error\":\"Post only order would have "
	    "immediately matched, bbo was 83998.5@84001. asset=0\"}");
	assert_true(k.ev[1].what == PORT_ACKED && k.ev[1].id == ID);
	assert_int_equal(k.ev[1].qty.e8, 100000);
	last(PORT_REJECTED, REASON_POST_ONLY);
	assert_int_equal(k.bid.e8, 8399850000000);
	assert_int_equal(k.ask.e8, 84001 * E8);
}

static void
what_the_venue_would_refuse_is_not_sent(void **state)
{
	(void)state;
	k.out_n = 0;
	act_full(PORT_PLACE, ID, 100, TIF_GTC, PX(84000 * E8 + E8 / 2));
	last(PORT_REJECTED, REASON_OFF_TICK);
	act_full(PORT_PLACE, ID, 11, TIF_GTC, PX(84000 * E8));
	last(PORT_REJECTED, REASON_TOO_SMALL); /* 9.24 dollars */
	act_full(PORT_PLACE, ID, 0, TIF_GTC, PX(84000 * E8));
	last(PORT_REJECTED, REASON_TOO_SMALL);
	act_full(PORT_PLACE, ID, 100, TIF_FOK, PX(84000 * E8));
	last(PORT_REJECTED, REASON_UNSUPPORTED);
	flush();
	assert_int_equal(k.out_n, 0);
	assert_true(k.logs[GWHL_LOG_OUR_BUG] > 0);
}

static void
T_70_one_element_is_for_the_whole_batch(void **state)
{
	(void)state;
	act_full(PORT_PLACE, ID, 100, TIF_GTC, PX(84000 * E8));
	act_full(PORT_PLACE, ID + 1, 100, TIF_GTC, PX(83999 * E8));
	flush();
	statuses(post_of("Alo"),
	    "{\"error\":\"Insufficient margin to place order. asset=0\"}");
	assert_int_equal(k.ev_n, 2);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(k.ev[i].what, PORT_REJECTED);
		assert_int_equal(k.ev[i].reason, REASON_EXPOSURE_CAP);
	}
}

static void
T_33_success_without_an_id_is_unknown(void **state)
{
	(void)state;
	act(PORT_PLACE, ID, 100);
	statuses(post_of("Alo"), "{\"resting\":{}}");
	last(PORT_UNKNOWN, REASON_OK);
}

static void
T_31_a_timeout_is_asked_about_never_sent_again(void **state)
{
	uint64_t id;

	(void)state;
	act(PORT_PLACE, ID, 100);
	id = post_of("Alo");
	timer(4999);
	assert_int_equal(k.ev_n, 0);
	k.out_n = 0;
	timer(1);
	last(PORT_UNKNOWN, REASON_OK);
	assert_int_equal(k.out_n, 1);
	assert_non_null(strstr(k.out[0].body, "orderStatus"));
	/* not before what was sent has expired, with a margin */
	answer("orderStatus", "{\"status\":\"unknownOid\"}");
	last(PORT_UNKNOWN, REASON_OK);
	for (uint32_t i = 0; i < 3 && k.ev_n == 1; i++) {
		timer(1000);
		answer("orderStatus", "{\"status\":\"unknownOid\"}");
	}
	last(PORT_GONE, REASON_UNKNOWN_ORDER);
	assert_true(k.ms >= NOW_MS + GWHL_EXPIRES_MS + GWHL_MARGIN_MS);
	statuses(id, "{\"resting\":{\"oid\":7}}"); /* far too late */
	assert_int_equal(k.ev_n, 2);
}

static void
T_31_an_unknown_order_that_rests_is_acknowledged(void **state)
{
	(void)state;
	act(PORT_PLACE, ID, 100);
	timer(5000);
	status_is(7, "0.001", "open");
	last(PORT_ACKED, REASON_OK);
	assert_int_equal(k.ev_n, 2);
}

static void
T_19_a_fill_may_come_first(void **state)
{
	(void)state;
	act(PORT_PLACE, ID, 100);
	fill(ID, 7, 1, "0.0004", "0.0");
	assert_int_equal(k.ev[0].what, PORT_ACKED);
	assert_int_equal(k.ev[1].what, PORT_FILLED);
	assert_int_equal(k.ev[1].qty.e8, 40000);
	assert_int_equal(k.ev[1].usd.e6, -3627);
	assert_true(k.ev[1].is_maker);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
	fill(ID, 7, 1, "0.0004", "0.0"); /* again */
	fill_as("\"isSnapshot\":true,", ID, 7, 2, "0.0003", "0.0004");
	assert_int_equal(k.ev_n, 2);
	fill(ID, 7, 2, "0.0006", "0.0004");
	assert_int_equal(k.ev_n, 3);
	assert_int_equal(k.logs[GWHL_LOG_GAP], 0);
	assert_true(gwhl_flat(k.g));
}

static void
T_28_more_than_the_order_is_no_fill(void **state)
{
	(void)state;
	act(PORT_PLACE, ID, 100);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
	fill(ID, 7, 1, "0.0004", "0.0");
	assert_int_equal(k.ev_n, 2);
	fill(ID, 7, 2, "0.00061", "0.0004");
	assert_int_equal(k.ev_n, 2);
	assert_int_equal(k.logs[GWHL_LOG_IMPOSSIBLE], 1);
	assert_int_equal(k.g->stat.impossible, 1);
	assert_int_equal(k.mode, PORT_BLOCKED);
	assert_non_null(strstr(k.why, "not booked"));
}

static void
T_35_cancelled_waits_for_its_fills(void **state)
{
	(void)state;
	act(PORT_PLACE, ID, 100);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
	act(PORT_CANCEL, ID, 100);
	statuses(post_of("cancelByCloid"), "\"success\"");
	last(PORT_ACKED, REASON_OK);
	assert_int_equal(k.ev[0].sent_ns, NOW_MS * MS + 77);
	update(ID, 7, "0.0006", "canceled");
	last(PORT_ACKED, REASON_OK);
	fill(ID, 7, 1, "0.0004", "0.0");
	assert_int_equal(k.ev[1].what, PORT_FILLED);
	last(PORT_CANCELLED, REASON_OK);
}

static void
T_34_a_cancel_that_lost_the_race_is_asked_about(void **state)
{
	(void)state;
	act(PORT_PLACE, ID, 100);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
	act(PORT_CANCEL, ID, 100);
	statuses(post_of("cancelByCloid"),
	    "{\"error\":\"Order was never placed, already canceled, or "
	    "filled. asset=0\"}");
	assert_int_equal(k.ev_n, 1);
	timer(10);
	status_is(7, "0.001", "open");
	last(PORT_NOT_CANCELLED, REASON_VENUE);
	act(PORT_CANCEL, ID, 100);
	update(ID, 7, "0.001", "canceled");
	last(PORT_CANCELLED, REASON_OK);
}

static void
T_37_a_change_is_a_new_oid_of_the_same_cloid(void **state)
{
	uint64_t change;

	(void)state;
	act(PORT_PLACE, ID, 100);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
	act(PORT_REDUCE, ID, 60);
	change = post_of("batchModify");
	assert_null(strstr(k.out[k.out_n - 1].body, "\"a\":true"));
	update(ID, 7, "0.001", "canceled"); /* half of it */
	assert_int_equal(k.ev_n, 1);
	fill(ID, 8, 1, "0.0002", "0.0"); /* before anything said of 8 */
	assert_int_equal(k.ev[1].what, PORT_REDUCED);
	assert_int_equal(k.ev[1].qty.e8, 60000);
	assert_int_equal(k.ev[2].what, PORT_FILLED);
	update(ID, 7, "0.001", "canceled"); /* stale */
	statuses(change, "{\"resting\":{\"oid\":8}}");
	assert_int_equal(k.ev_n, 3);
	assert_int_equal(k.g->stat.stale, 1);
	update(ID, 8, "0.0008", "canceled");
	last(PORT_CANCELLED, REASON_OK);
}

static void
T_36_a_change_waits_for_the_fills_before_it(void **state)
{
	(void)state;
	act(PORT_PLACE, ID, 100);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
	act(PORT_REDUCE, ID, 60);
	statuses(post_of("batchModify"), "{\"resting\":{\"oid\":8}}");
	assert_int_equal(k.ev_n, 1);
	update(ID, 7, "0.0008", "canceled"); /* 0.0002 were filled */
	assert_int_equal(k.ev_n, 1);
	fill(ID, 7, 1, "0.0002", "0.0");
	assert_int_equal(k.ev[1].what, PORT_FILLED);
	last(PORT_REDUCED, REASON_OK);
	assert_int_equal(k.ev[2].qty.e8, 60000);
}

static void
T_36_what_would_be_too_much_is_withdrawn(void **state)
{
	(void)state;
	act(PORT_PLACE, ID, 100);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
	act(PORT_REDUCE, ID, 60);
	statuses(post_of("batchModify"), "{\"resting\":{\"oid\":8}}");
	update(ID, 7, "0.0003", "canceled");
	fill(ID, 7, 1, "0.0007", "0.0"); /* and 0.0006 more rest: 0.0013 */
	assert_int_equal(k.ev_n, 2);
	assert_int_equal(k.logs[GWHL_LOG_STRAY], 1);
	statuses(post_of("cancelByCloid"), "\"success\"");
	update(ID, 8, "0.0006", "canceled");
	last(PORT_CANCELLED, REASON_OK);
}

static void
T_37_a_change_that_failed_leaves_what_rested(void **state)
{
	(void)state;
	act(PORT_PLACE, ID, 100);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
	act(PORT_REDUCE, ID, 60);
	statuses(post_of("batchModify"),
	    "{\"error\":\"Attempted to modify to invalid new order\"}");
	timer(10);
	status_is(7, "0.001", "open");
	last(PORT_NOT_CANCELLED, REASON_VENUE);
	act(PORT_REDUCE, ID, 60);
	update(ID, 7, "0.001", "canceled");
	update(ID, 9, "0.001", "perpMarginRejected");
	last(PORT_CANCELLED, REASON_EXPOSURE_CAP);
}

/* ---- nonces ---- */

static uint64_t
nonce_of(const char *body)
{
	const char *at = strstr(body, "\"nonce\":");

	assert_non_null(at);
	return strtoull(at + 8, NULL, 10);
}

static void
T_62_nonces_grow_through_restarts(void **state)
{
	uint64_t last_nonce = 0;

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		act(PORT_PLACE, ID + i, 100); /* the same millisecond */
		assert_true(nonce_of(k.out[k.out_n - 1].body) > last_nonce);
		last_nonce = nonce_of(k.out[k.out_n - 1].body);
	}
	k.ms -= 60000; /* the clock steps back, too */
	again();
	to_link();
	to_normal("[]");
	act(PORT_PLACE, ID + 9, 100);
	assert_true(nonce_of(k.out[k.out_n - 1].body) > last_nonce);
}

static void
T_62_a_duplicate_nonce_means_delivered(void **state)
{
	static const char dup[] = "{\"status\":\"err\",\"response\":\"Invalid "
				  "nonce: duplicate nonce 1790000000001\"}";
	struct gwhl_now t = now();
	uint64_t tag;

	(void)state;
	act(PORT_PLACE, ID, 100);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
	k.out_n = 0;
	gwhl_cancel_all(k.g, &t);
	assert_int_equal(k.out_n, 2); /* the same bytes on both paths */
	assert_non_null(strstr(k.out[0].body, k.out[1].body));
	tag = k.out[1].tag;
	answer("cancelByCloid", dup);
	timer(1);
	assert_int_equal(k.ev_n, 1);
	assert_int_equal(k.out_n, 2); /* nothing to ask: the other answers */
	statuses(tag, "\"success\"");
	update(ID, 7, "0.001", "canceled");
	last(PORT_CANCELLED, REASON_OK);
	act(PORT_PLACE, ID + 1, 100);
	posted(post_of("Alo"), dup);
	last(PORT_UNKNOWN, REASON_OK);
}

/* ---- the gate ---- */

static void
a_refused_placement_was_never_sent(void **state)
{
	uint64_t left = k.g->budget_left;

	(void)state;
	k.held = true;
	k.out_n = 0;
	act_full(PORT_PLACE, ID, 100, TIF_GTC, PX(84000 * E8));
	act_full(PORT_PLACE, ID + 1, 100, TIF_IOC, PX(84010 * E8));
	flush();
	assert_int_equal(k.out_n, 0); /* on neither path */
	assert_int_equal(k.ev_n, 2);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(k.ev[i].what, PORT_REJECTED);
		assert_int_equal(k.ev[i].reason, REASON_FROZEN);
	}
	assert_true(gwhl_flat(k.g));
	assert_int_equal(k.g->budget_left, left);
	assert_int_equal(k.g->stat.held, 2);
	timer(10000);
	assert_int_equal(k.ev_n, 2); /* and nothing is unknown later */
	k.held = false;
	act(PORT_PLACE, ID + 2, 100);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
	last(PORT_ACKED, REASON_OK);
	assert_int_equal(k.placing_n, 1);
}

static void
a_refused_change_leaves_what_rests(void **state)
{
	(void)state;
	act(PORT_PLACE, ID, 100);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
	k.held = true;
	k.out_n = 0;
	act(PORT_REDUCE, ID, 60);
	assert_int_equal(k.out_n, 0);
	last(PORT_NOT_CANCELLED, REASON_FROZEN);
	act(PORT_CANCEL, ID, 100); /* a cancel is never held */
	assert_int_equal(k.out_n, 1);
	assert_non_null(strstr(k.out[0].body, "cancelByCloid"));
	k.held = false;
	update(ID, 7, "0.001", "canceled");
	last(PORT_CANCELLED, REASON_OK);
	assert_int_equal(k.placing_n, 1);
}

static void
a_cancel_goes_over_http_when_the_socket_is_full(void **state)
{
	(void)state;
	act(PORT_PLACE, ID, 100);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
	k.full = true;
	k.out_n = 0;
	act(PORT_CANCEL, ID, 100);
	assert_int_equal(k.out_n, 1);
	assert_true(k.out[0].tag != 0);
	answer("cancelByCloid",
	    "{\"status\":\"ok\",\"response\":{\"type\":\"cancel\",\"data\":{"
	    "\"statuses\":[\"success\"]}}}");
	act(PORT_PLACE, ID + 1, 100); /* a placement does not */
	last(PORT_REJECTED, REASON_BACKPRESSURE);
	assert_int_equal(k.out_n, 1);
	k.full = false;
	update(ID, 7, "0.001", "canceled");
	last(PORT_CANCELLED, REASON_OK);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(acts_of_a_step_leave_together_by_kind),
	    T(what_the_venue_would_refuse_is_not_sent),
	    T(T_70_one_element_is_for_the_whole_batch),
	    T(T_33_success_without_an_id_is_unknown),
	    T(T_31_a_timeout_is_asked_about_never_sent_again),
	    T(T_31_an_unknown_order_that_rests_is_acknowledged),
	    T(T_19_a_fill_may_come_first),
	    T(T_28_more_than_the_order_is_no_fill),
	    T(T_35_cancelled_waits_for_its_fills),
	    T(T_34_a_cancel_that_lost_the_race_is_asked_about),
	    T(T_37_a_change_is_a_new_oid_of_the_same_cloid),
	    T(T_36_a_change_waits_for_the_fills_before_it),
	    T(T_36_what_would_be_too_much_is_withdrawn),
	    T(T_37_a_change_that_failed_leaves_what_rested),
	    T(T_62_nonces_grow_through_restarts),
	    T(T_62_a_duplicate_nonce_means_delivered),
	    T(a_refused_placement_was_never_sent),
	    T(a_refused_change_leaves_what_rests),
	    T(a_cancel_goes_over_http_when_the_socket_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
