/* links: execd libvenue libsign libsys libshm libcore */
/*
 * The Polymarket port: orders and what the venue says of them.
 */
#include "tests/unit/gwpmkit.h"

static unsigned
last(void)
{
	assert_true(kit.ev_n > 0);
	return kit.ev[kit.ev_n - 1].what;
}

static void
an_order_leaves_signed_and_known(void **state)
{
	uint64_t id = kit_place(1, SIDE_BID, 400, 10);
	struct kit_http *k;
	char hash[PM_ID_TEXT_MAX];

	(void)state;
	assert_null(kit_find("POST", "/order"));
	gwpm_flush(&kit.g, &kit.now);
	k = kit_find("POST", "/order");
	assert_non_null(k);
	assert_int_equal(k->role, GWPM_ROLE_ORDERS);
	assert_non_null(strstr(k->body, "\"tokenId\":\"" KIT_YES "\""));
	assert_non_null(strstr(k->body, "\"makerAmount\":\"4000000\""));
	assert_non_null(strstr(k->body, "\"takerAmount\":\"10000000\""));
	assert_non_null(strstr(k->body, "\"side\":\"BUY\""));
	assert_non_null(strstr(k->body, "\"postOnly\":true"));
	assert_non_null(strstr(k->body, "\"orderType\":\"GTC\""));
	kit_hash(id, hash);
	gwpm_sent(&kit.g, k->tag, kit.now.ns + 77);
	gwpm_sent(&kit.g, k->tag + 1, kit.now.ns + 78); /* of no request */
	kit_reply_of(k, 200, id, KIT_LIVE);
	assert_int_equal(last(), PORT_ACKED);
	assert_int_equal(kit.ev[kit.ev_n - 1].sent_ns, kit.now.ns + 77);
	assert_int_equal(kit.ev[kit.ev_n - 1].qty.e8, 10 * E8);
}

static void
an_ask_without_inventory_buys_the_complement(void **state)
{
	struct kit_http *k;

	(void)state;
	kit_place(1, SIDE_ASK, 600, 10);
	gwpm_flush(&kit.g, &kit.now);
	k = kit_find("POST", "/order");
	assert_non_null(strstr(k->body, "\"tokenId\":\"" KIT_NO "\""));
	assert_non_null(strstr(k->body, "\"makerAmount\":\"4000000\""));
	assert_non_null(strstr(k->body, "\"side\":\"BUY\""));
}

static void
T_24_only_what_is_final_and_not_offered_is_sold(void **state)
{
	uint64_t id = kit_rest(1, SIDE_ASK, 400, 10); /* BUY NO at 0.6 */
	struct kit_http *k;

	(void)state;
	kit_trade(id, "t1", "MATCHED", "10");
	assert_int_equal(kit_events(PORT_FILLED, id), 1);
	kit_place(2, SIDE_BID, 300, 10);
	gwpm_flush(&kit.g, &kit.now);
	k = kit_find("POST", "/order");
	assert_non_null(strstr(k->body, "\"side\":\"BUY\""));
	kit_trade(id, "t1", "CONFIRMED", "10");
	assert_int_equal(kit_events(PORT_CONFIRMED, id), 1);
	kit_place(3, SIDE_BID, 300, 6);
	gwpm_flush(&kit.g, &kit.now);
	k = kit_find("POST", "/order");
	assert_non_null(strstr(k->body, "\"side\":\"SELL\""));
	assert_non_null(strstr(k->body, "\"tokenId\":\"" KIT_NO "\""));
	assert_non_null(strstr(k->body, "\"makerAmount\":\"6000000\""));
	assert_non_null(strstr(k->body, "\"takerAmount\":\"4200000\""));
	kit_place(4, SIDE_BID, 300, 6); /* four are left: never split */
	gwpm_flush(&kit.g, &kit.now);
	assert_non_null(
	    strstr(kit_find("POST", "/order")->body, "\"side\":\"BUY\""));
	kit_reply(k, 400, "{\"error\":\"not enough balance / allowance\"}");
	assert_int_equal(last(), PORT_REJECTED);
	assert_int_equal(kit.ev[kit.ev_n - 1].reason, REASON_BALANCE);
	kit_place(5, SIDE_BID, 300, 6); /* the token rests for a while */
	gwpm_flush(&kit.g, &kit.now);
	assert_non_null(
	    strstr(kit_find("POST", "/order")->body, "\"side\":\"BUY\""));
}

static void
T_10_gtd_is_planned_back_from_its_end(void **state)
{
	struct port_act a = {.what = PORT_PLACE,
	    .slot = 1,
	    .id = 9,
	    .instr = 16,
	    .epoch = 1,
	    .side = SIDE_BID,
	    .tif = TIF_GTD,
	    .px = PX(E8 / 5),
	    .qty = QTY(10 * E8)};
	char want[64];
	int64_t s = kit.now.wall_ns / NS_PER_S + 200;

	(void)state;
	a.expires_wall_ns = s * NS_PER_S;
	gwpm_act(&kit.g, &a, &kit.now);
	gwpm_flush(&kit.g, &kit.now);
	(void)snprintf(
	    want, sizeof(want), "\"expiration\":\"%lld\"", (long long)s + 60);
	assert_non_null(strstr(kit_find("POST", "/order")->body, want));
	assert_non_null(strstr(kit_find("POST", "/order")->body, "\"GTD\""));
	a.id = 10;
	a.expires_wall_ns = (s - 100) * NS_PER_S;
	gwpm_act(&kit.g, &a, &kit.now);
	gwpm_flush(&kit.g, &kit.now);
	assert_non_null(strstr(kit_find("POST", "/order")->body, "\"GTC\""));
}

static void
T_33_success_without_our_id_is_a_refusal(void **state)
{
	uint64_t id = kit_place(1, SIDE_BID, 400, 10);

	(void)state;
	gwpm_flush(&kit.g, &kit.now);
	kit_reply(kit_find("POST", "/order"), 200,
	    "{\"success\":true,\"errorMsg\":\"invalid post-only order: order "
	    "crosses book\",\"orderID\":\"\",\"status\":\"\"}");
	assert_int_equal(kit_events(PORT_REJECTED, id), 1);
	assert_int_equal(kit.ev[kit.ev_n - 1].reason, REASON_POST_ONLY);
	id = kit_place(1, SIDE_BID, 400, 10);
	gwpm_flush(&kit.g, &kit.now);
	kit_reply(kit_find("POST", "/order"), 200,
	    "{\"success\":true,\"errorMsg\":\"\",\"orderID\":\"\",\"status\":"
	    "\"live\"}");
	assert_int_equal(kit_events(PORT_REJECTED, id), 1);
	id = kit_place(1, SIDE_BID, 400, 10);
	gwpm_flush(&kit.g, &kit.now);
	kit_reply(kit_find("POST", "/order"), 200,
	    "{\"success\":true,\"errorMsg\":\"\",\"orderID\":\"0x00000000000"
	    "00000000000000000000000000000000000000000000000000007\",\"status"
	    "\":\"live\"}");
	assert_int_equal(kit_events(PORT_UNKNOWN, id), 1);
	assert_int_equal(kit.mode, PORT_BLOCKED);
}

static void
T_32_delayed_is_alive(void **state)
{
	uint64_t id = kit_place(1, SIDE_BID, 400, 10);

	(void)state;
	gwpm_flush(&kit.g, &kit.now);
	kit_reply_of(kit_find("POST", "/order"), 200, id,
	    "{\"success\":true,\"errorMsg\":\"\",\"orderID\":\"%s\","
	    "\"status\":\"delayed\",\"makingAmount\":\"0\"}");
	assert_int_equal(last(), PORT_DELAYED);
	assert_false(gwpm_flat(&kit.g));
	kit_pass(3 * KIT_S);
	kit_reply_of(kit_ask(id), 200, id, KIT_IS_LIVE);
	assert_int_equal(kit_events(PORT_ACKED, id), 1);
}

static void
T_31_no_answer_is_unknown_and_never_sent_again(void **state)
{
	uint64_t id = kit_place(1, SIDE_BID, 400, 10);

	(void)state;
	gwpm_flush(&kit.g, &kit.now);
	kit_pass(6 * KIT_S);
	assert_int_equal(kit_events(PORT_UNKNOWN, id), 1);
	kit_pass(2 * KIT_S);
	kit_reply_of(kit_ask(id), 200, id, KIT_IS_LIVE);
	assert_int_equal(kit_events(PORT_ACKED, id), 1);
	kit_pass(30 * KIT_S);
	assert_int_equal(kit_count("POST", "/order"), 1);
}

/* A proxy's time-out says nothing of an order whose body it had taken. */
static void
T_31_a_proxy_that_gives_up_is_no_refusal(void **state)
{
	static const unsigned status[] = {408, 499, 418};

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		uint64_t id = kit_place(1 + i, SIDE_BID, 400, 10);

		gwpm_flush(&kit.g, &kit.now);
		kit_reply(kit_find("POST", "/order"), status[i], "");
		assert_int_equal(kit_events(PORT_UNKNOWN, id), 1);
		assert_int_equal(kit_events(PORT_REJECTED, id), 0);
	}
}

static void
T_27_absence_needs_time_and_two_reads(void **state)
{
	uint64_t id = kit_place(1, SIDE_BID, 400, 10);
	uint64_t sent_ns = kit.now.ns;
	unsigned reads = 0;

	(void)state;
	gwpm_flush(&kit.g, &kit.now);
	kit_reply(kit_find("POST", "/order"), 502, "<html>bad</html>");
	assert_int_equal(kit_events(PORT_UNKNOWN, id), 1);
	while (kit_events(PORT_GONE, id) == 0) {
		struct kit_http *k = kit_find("GET", "/data/order/");

		if (k != NULL) {
			kit_reply(k, 200, "null");
			reads++;
		}
		assert_true(kit.now.ns < sent_ns + 30 * KIT_S);
		kit_pass(100000000);
	}
	assert_true(kit.now.ns >= sent_ns + GWPM_GRACE_NS);
	assert_true(reads >= 2);
	assert_true(gwpm_flat(&kit.g));
}

static void
T_27_one_read_is_not_enough_however_late(void **state)
{
	uint64_t id = kit_rest(1, SIDE_BID, 400, 10);

	(void)state;
	kit_pass(15 * KIT_S);
	kit_act(PORT_ASK, id);
	kit_pass(KIT_S / 10);
	kit_reply(kit_ask(id), 200, "null");
	assert_int_equal(kit_events(PORT_GONE, id), 0);
	kit_pass(3 * KIT_S);
	kit_reply(kit_ask(id), 404, "{\"error\":\"not found\"}");
	assert_int_equal(kit_events(PORT_GONE, id), 1);
}

static void
an_order_that_was_given_up_is_cancelled_when_it_shows_up(void **state)
{
	char hash[PM_ID_TEXT_MAX];
	char text[512];

	T_27_absence_needs_time_and_two_reads(state);
	kit_hash((UINT64_C(3) << 40) | kit.counter, hash);
	(void)snprintf(text, sizeof(text),
	    "{\"event_type\":\"order\",\"type\":\"PLACEMENT\",\"id\":\"%s\","
	    "\"status\":\"LIVE\"}",
	    hash);
	gwpm_user_text(&kit.g, text, strlen(text), &kit.now);
	assert_int_equal(kit.log_n[GWPM_LOG_STRAY], 1);
	assert_non_null(strstr(kit_find("DELETE", "/order")->body, hash));
}

static void
T_34_what_was_not_cancelled_is_asked_and_cancelled_again(void **state)
{
	uint64_t a = kit_rest(1, SIDE_BID, 400, 10);
	uint64_t b = kit_rest(2, SIDE_BID, 390, 10);
	struct port_act act = {.what = PORT_CANCEL, .instr = 16, .side = 1};
	struct kit_http *k;

	(void)state;
	act.id = a;
	gwpm_act(&kit.g, &act, &kit.now);
	act.id = b;
	gwpm_act(&kit.g, &act, &kit.now);
	gwpm_flush(&kit.g, &kit.now);
	k = kit_find("DELETE", "/orders");
	assert_int_equal(k->role, GWPM_ROLE_CANCELS);
	kit_reply_of(k, 200, a,
	    "{\"canceled\":[],\"not_canceled\":{\"%s\":\"order not found\"}}");
	assert_int_equal(kit_events(PORT_CANCELLED, a), 0);
	assert_int_equal(kit_events(PORT_CANCELLED, b), 0);
	kit_pass(KIT_S);
	assert_int_equal(kit_count("GET", "/data/order/"), 2);
	kit_reply_of(kit_ask(b), 200, b, KIT_IS_LIVE);
	kit_pass(KIT_S);
	k = kit_find("DELETE", "/order");
	kit_reply_of(k, 200, b, "{\"canceled\":[\"%s\"]}");
	assert_int_equal(kit_events(PORT_CANCELLED, b), 1);
	kit_reply_of(kit_ask(a), 200, a,
	    "{\"id\":\"%s\",\"status\":\"ORDER_STATUS_CANCELED\"}");
	assert_int_equal(kit_events(PORT_CANCELLED, a), 1);
}

static void
T_35_a_cancel_before_the_place_wins_in_the_end(void **state)
{
	uint64_t id = kit_place(1, SIDE_BID, 400, 10);

	(void)state;
	gwpm_flush(&kit.g, &kit.now);
	kit_act(PORT_CANCEL, id);
	kit_reply_of(kit_find("DELETE", "/order"), 200, id,
	    "{\"canceled\":[],\"not_canceled\":{\"%s\":\"order not found\"}}");
	kit_reply_of(kit_find("POST", "/order"), 200, id, KIT_LIVE);
	kit_pass(KIT_S);
	kit_reply_of(
	    kit_find("DELETE", "/order"), 200, id, "{\"canceled\":[\"%s\"]}");
	assert_int_equal(kit_events(PORT_ACKED, id), 1);
	assert_int_equal(kit_events(PORT_CANCELLED, id), 1);
}

static void
a_cancel_that_waited_does_not_hit_the_next_order(void **state)
{
	uint64_t id = kit_rest(1, SIDE_BID, 400, 10);
	struct gwpm_order *o = gwpm_order_by_id(kit.book, id);

	(void)state;
	kit.g.cancel_hold_ns = kit.now.ns + KIT_S;
	kit_act(PORT_CANCEL, id);
	kit_trade(id, "t1", "MATCHED", "10");
	kit.book->order_at = (uint32_t)(o - kit.book->order);
	id = kit_rest(1, SIDE_BID, 390, 10);
	assert_ptr_equal(gwpm_order_by_id(kit.book, id), o);
	kit_pass(3 * KIT_S);
	assert_int_equal(kit.g.cancel.n, 0);
	assert_int_equal(kit_count("DELETE", "/order"), 0);
}

static void
a_cancel_of_what_has_not_left_costs_nothing(void **state)
{
	uint64_t id = kit_place(1, SIDE_BID, 400, 10);

	(void)state;
	kit_act(PORT_CANCEL, id);
	assert_int_equal(kit_events(PORT_REJECTED, id), 1);
	assert_int_equal(kit_count("POST", "/order"), 0);
	assert_int_equal(kit_count("DELETE", "/order"), 0);
}

static void
batches_hold_fifteen(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 16; i++)
		kit_place(i, SIDE_BID, 300 + i, 10);
	gwpm_flush(&kit.g, &kit.now);
	assert_int_equal(kit_count("POST", "/orders"), 1);
	assert_int_equal(kit_count("POST", "/order"), 2); /* and one alone */
}

static void
T_44_bursts_stay_below_the_venue_s_and_recover(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		kit_place(i, SIDE_BID, 100 + i, 10);
	gwpm_flush(&kit.g, &kit.now);
	assert_int_equal(kit.g.stat.posts, 48);
	kit_pass(500000000);
	assert_in_range(kit.g.stat.posts, 62, 65);
	kit_pass(2 * KIT_S); /* what waited too long is refused */
	assert_int_equal(kit.g.post.n, 0);
	assert_true(kit.g.stat.posts < 100);
}

static void
T_42_another_life_knows_what_was_given_out(void **state)
{
	uint64_t id = kit_rest(1, SIDE_BID, 400, 10);
	uint64_t sent = kit_place(2, SIDE_BID, 390, 10);
	uint64_t queued;
	char before[PM_ID_TEXT_MAX];
	char after[PM_ID_TEXT_MAX];

	(void)state;
	gwpm_flush(&kit.g, &kit.now);
	queued = kit_place(3, SIDE_BID, 380, 10);
	kit_hash(sent, before);
	for (unsigned i = 0; i < KIT_HTTP; i++)
		kit.http[i].is_done = true;
	secp_close(&kit.secp);
	kit_open();
	assert_int_equal(kit_events(PORT_REJECTED, queued), 1);
	gwpm_start(&kit.g, &kit.now);
	gwpm_user_up(&kit.g, &kit.now);
	kit_quiet();
	kit_hash(sent, after);
	assert_string_equal(before, after);
	kit.counter = 1;
	assert_int_equal(kit_place(2, SIDE_BID, 390, 10), sent);
	assert_int_equal(kit.ev[kit.ev_n - 1].reason, REASON_DUPLICATE);
	kit_reply_of(kit_ask(sent), 200, sent, KIT_IS_LIVE);
	kit_reply_of(kit_ask(id), 200, id, KIT_IS_LIVE);
	assert_int_equal(kit_events(PORT_ACKED, sent), 1);
	assert_int_equal(kit_count("POST", "/order"), 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, kit_begin, kit_end)

/* Flat is the venue's word, asked after verify; without a login there is none,
 * whatever the book says: an earlier book may have sent what this one has not.
 */
static void
flat_is_only_what_the_venue_said_after_verify(void **state)
{
	const struct pm_creds *creds = kit.g.set.creds;

	(void)state;
	assert_true(gwpm_flat(&kit.g));
	assert_false(gwpm_verified(&kit.g));
	kit.g.set.creds = NULL;
	gwpm_verify(&kit.g, &kit.now);
	assert_false(gwpm_verified(&kit.g));
	kit.g.set.creds = creds;
	gwpm_verify(&kit.g, &kit.now);
	assert_false(gwpm_verified(&kit.g));
	kit_reply(kit_find("GET", "/data/orders"), 200,
	    "{\"data\":[],\"next_cursor\":\"LTE=\",\"limit\":100,\"count\":0}");
	assert_true(gwpm_verified(&kit.g));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(an_order_leaves_signed_and_known),
	    T(an_ask_without_inventory_buys_the_complement),
	    T(T_24_only_what_is_final_and_not_offered_is_sold),
	    T(T_10_gtd_is_planned_back_from_its_end),
	    T(T_33_success_without_our_id_is_a_refusal),
	    T(T_32_delayed_is_alive),
	    T(T_31_no_answer_is_unknown_and_never_sent_again),
	    T(T_31_a_proxy_that_gives_up_is_no_refusal),
	    T(T_27_absence_needs_time_and_two_reads),
	    T(T_27_one_read_is_not_enough_however_late),
	    T(an_order_that_was_given_up_is_cancelled_when_it_shows_up),
	    T(T_34_what_was_not_cancelled_is_asked_and_cancelled_again),
	    T(T_35_a_cancel_before_the_place_wins_in_the_end),
	    T(a_cancel_that_waited_does_not_hit_the_next_order),
	    T(a_cancel_of_what_has_not_left_costs_nothing),
	    T(batches_hold_fifteen),
	    T(T_44_bursts_stay_below_the_venue_s_and_recover),
	    T(flat_is_only_what_the_venue_said_after_verify),
	    T(T_42_another_life_knows_what_was_given_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
