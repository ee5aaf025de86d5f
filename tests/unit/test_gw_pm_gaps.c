/* links: execd libvenue libsign libsys libshm libcore */
/*
 * The Polymarket port: fills, gaps, modes, heartbeats, balances.
 */
#include "tests/unit/gwpmkit.h"

static void
tell(const char *text)
{
	gwpm_user_text(&kit.g, text, strlen(text), &kit.now);
}

static void
T_19_a_fill_before_the_answer_counts(void **state)
{
	uint64_t id = kit_place(1, SIDE_BID, 400, 10);

	(void)state;
	gwpm_flush(&kit.g, &kit.now);
	kit_trade(id, "t1", "MATCHED", "4");
	assert_int_equal(kit_events(PORT_FILLED, id), 1);
	kit_reply_of(kit_find("POST", "/order"), 200, id, KIT_LIVE);
	assert_int_equal(kit_events(PORT_ACKED, id), 1);
	assert_int_equal(kit.ev[kit.ev_n - 1].qty.e8, 6 * E8);
}

static void
T_15_a_trade_told_often_is_one_fill(void **state)
{
	static const char *const says[] = {"MATCHED", "MATCHED", "MINED",
	    "RETRYING", "MATCHED", "CONFIRMED", "CONFIRMED", "FAILED"};
	uint64_t id = kit_rest(1, SIDE_BID, 400, 10);

	(void)state;
	for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++)
		kit_trade(id, "t1", says[i], "4");
	assert_int_equal(kit_events(PORT_FILLED, id), 1);
	assert_int_equal(kit_events(PORT_CONFIRMED, id), 1);
	assert_int_equal(kit_events(PORT_REVERSED, id), 0);
	kit_trade(id, "t2", "MINED", "6");
	assert_int_equal(kit_events(PORT_FILLED, id), 2);
	assert_true(gwpm_flat(&kit.g));
}

static void
T_14_what_failed_is_taken_back_once(void **state)
{
	uint64_t id = kit_rest(1, SIDE_BID, 400, 10);
	struct gwpm_balance b;

	(void)state;
	kit_trade(id, "t1", "MATCHED", "4");
	assert_true(gwpm_balances(&kit.g, 16, &b));
	assert_int_equal(b.yes_e8, 4 * E8);
	assert_int_equal(b.yes_final_e8, 0);
	kit_trade(id, "t1", "RETRYING", "4");
	kit_trade(id, "t1", "FAILED", "4");
	kit_trade(id, "t1", "FAILED", "4");
	kit_trade(id, "t1", "MINED", "4");
	assert_int_equal(kit_events(PORT_FILLED, id), 1);
	assert_int_equal(kit_events(PORT_REVERSED, id), 1);
	assert_true(gwpm_balances(&kit.g, 16, &b));
	assert_int_equal(b.yes_e8, 0);
	kit_trade(id, "t2", "FAILED", "6"); /* the first that is heard */
	kit_trade(id, "t2", "MATCHED", "6");
	assert_int_equal(kit_events(PORT_FILLED, id), 1);
	assert_int_equal(kit_events(PORT_CANCELLED, id), 1);
	assert_true(gwpm_flat(&kit.g));
}

static void
T_15_what_was_told_is_told_again_by_the_same_ids(void **state)
{
	uint64_t id = kit_rest(1, SIDE_BID, 400, 10);
	unsigned n;
	uint64_t fill;

	(void)state;
	kit_trade(id, "t1", "MATCHED", "4");
	fill = kit.ev[kit.ev_n - 1].fill_id;
	kit_trade(id, "t1", "FAILED", "4");
	kit_trade(id, "t2", "CONFIRMED", "6");
	assert_true(gwpm_flat(&kit.g));
	n = kit.ev_n;
	gwpm_retell(&kit.g);
	assert_int_equal(kit.ev_n, n + 5);
	assert_int_equal(kit.ev[n].what, PORT_FILLED);
	assert_int_equal(kit.ev[n].fill_id, fill);
	assert_int_equal(kit.ev[n + 1].what, PORT_REVERSED);
	assert_int_equal(kit.ev[n + 3].what, PORT_CONFIRMED);
	assert_int_equal(kit.ev[n + 4].what, PORT_CANCELLED);
	assert_int_equal(kit.g.stat.fills, 2);
}

static void
T_17_side_and_outcome_are_our_order_s(void **state)
{
	uint64_t id = kit_rest(1, SIDE_ASK, 400, 10); /* BUY NO at 0.6 */
	const struct port_event *ev;

	(void)state;
	kit_trade(id, "t1", "MATCHED", "4"); /* its header: BUY YES at 0.9 */
	ev = &kit.ev[kit.ev_n - 1];
	assert_int_equal(ev->what, PORT_FILLED);
	assert_int_equal(ev->side, SIDE_ASK);
	assert_int_equal(ev->px.e8, 4 * E8 / 10);
	assert_int_equal(ev->qty.e8, 4 * E8);
	assert_int_equal(ev->usd.e6, 0);
	assert_true(ev->is_maker);
	assert_int_equal(ev->slot, 1);
}

static void
a_gap_of_the_channel_stops_placing(void **state)
{
	uint64_t id = kit_rest(1, SIDE_BID, 400, 10);
	uint64_t no;

	(void)state;
	gwpm_user_down(&kit.g, &kit.now);
	assert_int_equal(kit.mode, PORT_RESYNC);
	no = kit_place(2, SIDE_BID, 390, 10);
	assert_int_equal(kit_events(PORT_REJECTED, no), 1);
	kit_pass(3 * KIT_S);
	assert_non_null(kit_find("GET", "/data/trades")); /* polled */
	kit_quiet();
	gwpm_user_up(&kit.g, &kit.now);
	assert_int_equal(kit.mode, PORT_RESYNC);
	kit_quiet();
	assert_int_equal(kit.mode, PORT_NORMAL);
	/* It is missing in the list: asked, not believed to be gone. */
	assert_int_equal(kit_events(PORT_CANCELLED, id), 0);
	kit_reply_of(kit_ask(id), 200, id, KIT_IS_LIVE);
	assert_false(gwpm_flat(&kit.g));
}

/* What a start waits for it has the moment that it comes. */
static void
a_start_goes_on_when_the_channel_is_there(void **state)
{
	static const char *const asked[][2] = {
	    {"/version", "{\"version\":2}"},
	    {"/auth/ban", "{\"closed_only\":false}"},
	    {"/balance-allowance", "{\"balance\":\"1000000000\"}"},
	    {"/data/trades", "{\"data\":[],\"next_cursor\":\"LTE=\"}"},
	    {"/data/orders", "{\"data\":[],\"next_cursor\":\"LTE=\"}"},
	    {"/data/trades", "{\"data\":[],\"next_cursor\":\"LTE=\"}"},
	};

	(void)state;
	kit_open();
	gwpm_start(&kit.g, &kit.now);
	for (unsigned i = 0; i < 6; i++) {
		if (i == 4) {
			assert_null(kit_find("GET", "/data/orders"));
			gwpm_user_up(&kit.g, &kit.now);
		}
		gwpm_timer(&kit.g, &kit.now);
		assert_non_null(kit_find("GET", asked[i][0]));
		assert_int_not_equal(kit.mode, PORT_NORMAL);
		kit_reply(kit_find("GET", asked[i][0]), 200, asked[i][1]);
	}
	assert_int_equal(kit.mode, PORT_NORMAL);
}

static void
T_39_after_a_restart_of_the_venue_one_order_goes_first(void **state)
{
	uint64_t id = kit_place(1, SIDE_BID, 400, 10);
	struct kit_http *k;

	(void)state;
	gwpm_flush(&kit.g, &kit.now);
	kit_reply(kit_find("POST", "/order"), 425, "<html></html>");
	assert_int_equal(kit_events(PORT_REJECTED, id), 1);
	assert_int_equal(kit.mode, PORT_RESTARTING);
	kit_place(2, SIDE_BID, 390, 10);
	assert_int_equal(kit.ev[kit.ev_n - 1].reason, REASON_VENUE_MODE);
	kit_pass(2 * KIT_S);
	assert_int_equal(kit.mode, PORT_RESYNC);
	kit_quiet();
	assert_int_equal(kit.mode, PORT_NORMAL);
	id = kit_place(3, SIDE_BID, 390, 10);
	kit_place(4, SIDE_BID, 380, 10);
	gwpm_flush(&kit.g, &kit.now);
	assert_int_equal(kit_count("POST", "/order"), 2);
	assert_int_equal(kit_count("POST", "/orders"), 0);
	k = kit_find("POST", "/order");
	kit_reply_of(k, 200, id, KIT_LIVE);
	assert_int_equal(kit_count("POST", "/order"), 3);
}

static void
modes_follow_the_sentences(void **state)
{
	(void)state;
	kit_place(1, SIDE_BID, 400, 10);
	gwpm_flush(&kit.g, &kit.now);
	kit_reply(kit_find("POST", "/order"), 503,
	    "{\"error\":\"Trading is currently cancel-only. New orders are "
	    "not accepted, but cancels are allowed.\"}");
	assert_int_equal(kit.ev[kit.ev_n - 1].what, PORT_REJECTED);
	assert_int_equal(kit.mode, PORT_CANCEL_ONLY);
	kit_pass(2 * KIT_S);
	kit_quiet();
	assert_int_equal(kit.mode, PORT_NORMAL);
	kit_place(1, SIDE_BID, 400, 10);
	gwpm_flush(&kit.g, &kit.now);
	kit_reply(kit_find("POST", "/order"), 503,
	    "{\"error\":\"post-only mode: only post-only orders and cancels "
	    "are allowed\",\"code\":\"post_only_mode\"}");
	assert_int_equal(kit.mode, PORT_POST_ONLY);
}

static void
a_market_of_another_version_is_left_alone(void **state)
{
	(void)state;
	kit_place(1, SIDE_BID, 400, 10);
	gwpm_flush(&kit.g, &kit.now);
	kit_reply(kit_find("POST", "/order"), 400,
	    "{\"error\":\"order_version_mismatch\"}");
	kit_place(1, SIDE_BID, 400, 10);
	assert_int_equal(kit.ev[kit.ev_n - 1].reason, REASON_PROTOCOL);
	assert_int_equal(kit_count("POST", "/order"), 1);
	assert_int_equal(kit.mode, PORT_NORMAL);
	assert_non_null(strstr(kit.why, "another version"));
}

static void
once_the_clock_is_at_fault_then_a_person_must_act(void **state)
{
	char text[32];

	(void)state;
	kit_place(1, SIDE_BID, 400, 10);
	gwpm_flush(&kit.g, &kit.now);
	kit_reply(kit_find("POST", "/order"), 401,
	    "{\"error\":\"Unauthorized/Invalid api key\"}");
	assert_int_equal(kit.mode, PORT_NORMAL);
	(void)snprintf(text, sizeof(text), "%lld",
	    (long long)(kit.now.wall_ns / NS_PER_S + 40));
	kit_reply(kit_find("GET", "/time"), 200, text);
	assert_in_range(kit.g.skew_ns, 39 * NS_PER_S, 40 * NS_PER_S);
	kit_place(1, SIDE_BID, 400, 10);
	gwpm_flush(&kit.g, &kit.now);
	kit_reply(kit_find("POST", "/order"), 401,
	    "{\"error\":\"Unauthorized/Invalid api key\"}");
	assert_int_equal(kit.mode, PORT_BLOCKED);
	kit_place(1, SIDE_BID, 400, 10);
	assert_int_equal(kit.ev[kit.ev_n - 1].reason, REASON_CREDENTIALS);
}

static void
T_38_without_accepted_beats_everything_is_in_doubt(void **state)
{
	uint64_t id = kit_rest(1, SIDE_BID, 400, 10);
	struct kit_http *k;

	(void)state;
	kit.g.set.has_beats = true;
	kit_pass(3 * KIT_S); /* no lease: no beat */
	assert_null(kit_find("POST", "/v1/heartbeats"));
	gwpm_lease(&kit.g, kit.now.ns + 60 * KIT_S);
	kit_pass(KIT_S / 10);
	k = kit_find("POST", "/v1/heartbeats");
	assert_int_equal(k->role, GWPM_ROLE_BEATS);
	assert_string_equal(k->body, "{\"heartbeat_id\":\"\"}");
	kit_reply(k, 400,
	    "{\"error_msg\":\"Invalid Heartbeat ID\",\"heartbeat_id\":\"a\"}");
	k = kit_find("POST", "/v1/heartbeats");
	assert_string_equal(k->body, "{\"heartbeat_id\":\"a\"}");
	kit_reply(k, 200, "{\"heartbeat_id\":\"b\"}");
	kit_pass(26 * KIT_S / 10);
	assert_string_equal(kit_find("POST", "/v1/heartbeats")->body,
	    "{\"heartbeat_id\":\"b\"}");
	assert_int_equal(kit_events(PORT_UNKNOWN, id), 0);
	kit_pass(6 * KIT_S);
	assert_int_equal(kit_events(PORT_UNKNOWN, id), 1);
	assert_int_equal(kit.mode, PORT_RESYNC);
	kit_reply_of(kit_ask(id), 200, id,
	    "{\"id\":\"%s\",\"status\":\"ORDER_STATUS_CANCELED\"}");
	assert_int_equal(kit_events(PORT_CANCELLED, id), 1);
}

static void
foreign(bool has_cancel)
{
	struct kit_http *k;

	kit_end(NULL);
	memset(&kit, 0, sizeof(kit));
	kit.now.ns = KIT_S;
	kit.now.wall_ns = KIT_WALL_S * NS_PER_S;
	kit.set.cancel_on_start = has_cancel;
	kit_open();
	gwpm_start(&kit.g, &kit.now);
	gwpm_user_up(&kit.g, &kit.now);
	kit_reply(kit_find("GET", "/version"), 200, "{\"version\":2}");
	kit_reply(kit_find("GET", "/auth"), 200, "{\"closed_only\":false}");
	kit_reply(kit_find("GET", "/balance"), 200, "{\"balance\":\"1\"}");
	k = kit_find("GET", "/data/orders");
	kit_reply(k, 200,
	    "{\"data\":[{\"id\":\"0x00000000000000000000000000000000000000000"
	    "00000000000000000000007\",\"status\":\"ORDER_STATUS_LIVE\"}],"
	    "\"next_cursor\":\"MTAw\"}");
	k = kit_find("GET", "/data/orders?next_cursor=MTAw");
	kit_reply(k, 200, "{\"data\":[],\"next_cursor\":\"LTE=\"}");
}

static void
orders_of_others_block_or_are_cancelled(void **state)
{
	(void)state;
	foreign(false);
	assert_int_equal(kit.mode, PORT_BLOCKED);
	assert_non_null(strstr(kit.why, "exec.on_start"));
	assert_int_equal(kit_count("DELETE", "/order"), 0);
	foreign(true);
	assert_non_null(strstr(kit_find("DELETE", "/order")->body, "0007"));
	kit_quiet();
	assert_int_equal(kit.mode, PORT_NORMAL);
}

static void
a_wrong_version_or_account_blocks(void **state)
{
	(void)state;
	kit_end(NULL);
	memset(&kit, 0, sizeof(kit));
	kit.now.ns = KIT_S;
	kit_open();
	gwpm_start(&kit.g, &kit.now);
	kit_reply(kit_find("GET", "/version"), 200, "{\"version\":3}");
	assert_int_equal(kit.mode, PORT_BLOCKED);
}

static void
T_26_a_balance_that_differs_is_told_once(void **state)
{
	struct gwpm_balance b;

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct kit_http *k;

		kit_quiet(); /* everything is 1000 */
		k = kit_find("GET", "/balance");
		if (k != NULL)
			kit_reply(k, 200, "{\"balance\":\"1000000000\"}");
	}
	assert_true(gwpm_balances(&kit.g, 16, &b));
	assert_int_equal(b.usd_e6, 1000 * E6);
	assert_int_equal(b.yes_final_e8, 1000 * E8);
	assert_false(b.is_off);
	for (int i = 0; i < 400; i++) {
		struct kit_http *k = kit_find("GET", "/balance-allowance");

		if (k != NULL)
			kit_reply(k, 200, "{\"balance\":\"900000000\"}");
		kit_pass(KIT_S / 10);
	}
	assert_true(gwpm_balances(&kit.g, 16, &b));
	assert_true(b.is_off);
	assert_int_equal(kit.log_n[GWPM_LOG_DIFFERENCE], 3);
	assert_int_equal(b.usd_e6, 1000 * E6);
}

static void
secrets_are_said_to_the_channel_alone(void **state)
{
	(void)state;
	assert_non_null(strstr(kit.channel, kit.set.secret));
	assert_non_null(strstr(kit.channel, "\"type\":\"user\""));
	assert_null(strstr(kit.logged, kit.set.secret));
	kit_pass(25 * KIT_S);
	assert_int_equal(kit.pings, 2);
}

static void
broken_frames_are_counted_and_passed_over(void **state)
{
	uint64_t bad = kit.g.stat.bad;

	(void)state;
	tell("PONG");
	tell("");
	assert_int_equal(kit.g.stat.bad, bad);
	tell("{");
	tell("[{\"event_type\":\"trade\",\"maker_orders\":3}]");
	tell("{\"event_type\":\"order\",\"id\":\"0x12\"}");
	assert_int_equal(kit.g.stat.bad, bad + 3);
}

#define T(f) cmocka_unit_test_setup_teardown(f, kit_begin, kit_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(T_19_a_fill_before_the_answer_counts),
	    T(T_15_a_trade_told_often_is_one_fill),
	    T(T_14_what_failed_is_taken_back_once),
	    T(T_15_what_was_told_is_told_again_by_the_same_ids),
	    T(T_17_side_and_outcome_are_our_order_s),
	    T(a_gap_of_the_channel_stops_placing),
	    T(a_start_goes_on_when_the_channel_is_there),
	    T(T_39_after_a_restart_of_the_venue_one_order_goes_first),
	    T(modes_follow_the_sentences),
	    T(a_market_of_another_version_is_left_alone),
	    T(once_the_clock_is_at_fault_then_a_person_must_act),
	    T(T_38_without_accepted_beats_everything_is_in_doubt),
	    T(orders_of_others_block_or_are_cancelled),
	    T(a_wrong_version_or_account_blocks),
	    T(T_26_a_balance_that_differs_is_told_once),
	    T(secrets_are_said_to_the_channel_alone),
	    T(broken_frames_are_counted_and_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
