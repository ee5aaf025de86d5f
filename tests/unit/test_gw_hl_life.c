/* links: execd libvenue libsign libsys libshm libcore */
/*
 * The Hyperliquid port's life: start, refusals to trade, lost sockets,
 * budgets, the dead-man switch, fills that are nobody's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/gwhlkit.h"

static uint32_t
count_sent(const char *part)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < k.out_n; i++)
		n += strstr(k.out[i].body, part) != NULL;
	return n;
}

static void
down(void)
{
	struct gwhl_now t = now();

	gwhl_down(k.g, &t);
}

static void
rests(void)
{
	act(PORT_PLACE, ID, 100);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
}

/* ---- start ---- */

static void
nothing_is_placed_before_the_start_is_done(void **state)
{
	(void)state;
	to_link();
	act(PORT_PLACE, ID, 100);
	last(PORT_REJECTED, REASON_STARTUP);
	assert_int_equal(k.mode, PORT_STARTING);
	to_normal("[]");
	assert_int_equal(k.mode, PORT_NORMAL);
	assert_int_equal(k.pos.instr, INSTR);
	assert_true(gwhl_flat(k.g));
}

static void
T_68_an_agents_address_is_no_account(void **state)
{
	(void)state;
	k.set.has_master = true;
	assert_true(secp_address(&k.secp, key, &k.set.master));
	again();
	to_link();
	assert_int_equal(k.mode, PORT_BLOCKED);
	assert_non_null(strstr(k.why, "agent's address"));
}

static void
T_68_an_empty_account_is_not_traded(void **state)
{
	(void)state;
	to_link();
	answer(
	    "userRateLimit", "{\"nRequestsUsed\":10,\"nRequestsCap\":10000}");
	answer("\"clearinghouseState\"",
	    "{\"marginSummary\":{\"accountValue\":\"0.0\"},"
	    "\"assetPositions\":[]}");
	answer("spotClearinghouseState",
	    "{\"balances\":[{\"coin\":\"USDC\",\"total\":\"0.0\"}]}");
	assert_int_equal(k.mode, PORT_BLOCKED);
	assert_non_null(strstr(k.why, "empty"));
}

static void
T_68_money_on_the_spot_side_is_money(void **state)
{
	(void)state;
	to_link();
	answer(
	    "userRateLimit", "{\"nRequestsUsed\":10,\"nRequestsCap\":10000}");
	answer("\"clearinghouseState\"",
	    "{\"marginSummary\":{\"accountValue\":\"0.0\"},"
	    "\"assetPositions\":[]}");
	answer("spotClearinghouseState",
	    "{\"balances\":[{\"coin\":\"HYPE\",\"total\":\"0.0\"},{\"coin\":"
	    "\"USDC\",\"total\":\"12.5\"}]}");
	answer("frontendOpenOrders", "[]");
	answer("userFillsByTime", "[]");
	assert_int_equal(k.mode, PORT_NORMAL);
}

static void
an_unknown_key_is_refused(void **state)
{
	struct gwhl_now t = now();

	(void)state;
	gwhl_start(k.g, &t);
	answer("exchangeStatus", "{\"time\":1790000000100}");
	answer("\"meta\"", META);
	answer("userRole", "{\"role\":\"missing\"}");
	assert_int_equal(k.mode, PORT_BLOCKED);
}

static void
T_48_a_wrong_clock_does_not_start(void **state)
{
	struct gwhl_now t = now();

	(void)state;
	gwhl_start(k.g, &t);
	answer("exchangeStatus", "{\"time\":1790000003000}");
	timer(1000);
	assert_int_equal(count_sent("\"meta\""), 0);
	assert_int_equal(count_sent("exchangeStatus"), 2);
	answer("exchangeStatus", "{\"time\":1790000001010}");
	assert_int_equal(count_sent("\"meta\""), 1);
}

static void
an_index_that_moved_is_refused(void **state)
{
	struct gwhl_now t = now();

	(void)state;
	gwhl_start(k.g, &t);
	answer("exchangeStatus", "{\"time\":1790000000100}");
	answer("\"meta\"",
	    "{\"universe\":[{\"szDecimals\":4,\"name\":\"ETH\"},{\"szDecimals"
	    "\":5,\"name\":\"BTC\"}]}");
	assert_int_equal(k.mode, PORT_BLOCKED);
}

static void
an_agent_that_expires_is_told(void **state)
{
	struct gwhl_now t = now();
	char body[200];

	(void)state;
	gwhl_start(k.g, &t);
	answer("exchangeStatus", "{\"time\":1790000000000}");
	answer("\"meta\"", META);
	answer("userRole", ROLE);
	(void)snprintf(body, sizeof(body),
	    "[{\"name\":\"a\",\"address\":\"%s\",\"validUntil\":%llu}]",
	    k.g->agent_text,
	    (unsigned long long)NOW_MS + 6 * UINT64_C(86400000));
	answer("extraAgents", body);
	assert_int_equal(k.logs[GWHL_LOG_AGENT_EXPIRY], 1);
}

/* ---- leftovers ---- */

#define OPEN_ORDER(oid, cloid)                                                 \
	"[{\"coin\":\"BTC\",\"side\":\"B\",\"limitPx\":\"84000.0\",\"sz\":"    \
	"\"0.001\",\"oid\":" oid ",\"timestamp\":1,\"origSz\":\"0.001\"" cloid \
	",\"orderType\":\"Limit\",\"tif\":\"Alo\",\"reduceOnly\":false}]"

static void
T_82_orders_that_we_did_not_make_refuse_the_start(void **state)
{
	(void)state;
	to_link();
	to_normal(OPEN_ORDER("77", ""));
	assert_int_equal(k.mode, PORT_BLOCKED);
	assert_int_equal(k.logs[GWHL_LOG_FOREIGN], 1);
}

static void
T_82_or_are_cancelled_when_told_so(void **state)
{
	(void)state;
	k.set.cancel_on_start = true;
	again();
	to_link();
	answer(
	    "userRateLimit", "{\"nRequestsUsed\":10,\"nRequestsCap\":10000}");
	answer("\"clearinghouseState\"",
	    "{\"marginSummary\":{\"accountValue\":\"1.0\"},"
	    "\"assetPositions\":[]}");
	answer("frontendOpenOrders", OPEN_ORDER("77", ""));
	timer(1);
	assert_int_equal(count_sent("\"o\":77"), 1);
	statuses(post_of("\"o\":77"), "\"success\"");
	assert_int_equal(count_sent("frontendOpenOrders"), 2);
	answer("frontendOpenOrders", "[]");
	answer("userFillsByTime", "[]");
	assert_int_equal(k.mode, PORT_NORMAL);
}

static void
own_orders_go_too_when_told_so(void **state)
{
	char open[600];
	char cloid[HL_CLOID_TEXT_MAX];

	(void)state;
	cloid_text(ID, cloid);
	(void)snprintf(
	    open, sizeof(open), OPEN_ORDER("77", ",\"cloid\":\"%s\""), cloid);
	k.set.cancel_on_start = true;
	again();
	to_link();
	act(PORT_ASK, ID, 100);
	to_normal(open);
	assert_int_equal(count_sent("cancelByCloid"), 1);
	update(ID, 77, "0.001", "canceled");
	last(PORT_CANCELLED, REASON_OK);
}

static void
T_42_own_orders_are_known_after_a_restart(void **state)
{
	char open[600];
	char cloid[HL_CLOID_TEXT_MAX];

	(void)state;
	cloid_text(ID, cloid);
	(void)snprintf(
	    open, sizeof(open), OPEN_ORDER("77", ",\"cloid\":\"%s\""), cloid);
	to_link();
	act(PORT_ASK, ID, 100); /* order management remembers it */
	to_normal(open);
	assert_int_equal(k.mode, PORT_NORMAL);
	assert_int_equal(k.ev_n, 1);
	last(PORT_ACKED, REASON_OK);
	assert_true(k.ev[0].id == ID);
	act(PORT_CANCEL, ID, 100);
	assert_int_equal(count_sent("cancelByCloid"), 1);
	update(ID, 77, "0.001", "canceled");
	last(PORT_CANCELLED, REASON_OK);
}

static void
own_orders_that_nobody_remembers_are_withdrawn(void **state)
{
	char open[600];
	char cloid[HL_CLOID_TEXT_MAX];

	(void)state;
	cloid_text(ID, cloid);
	(void)snprintf(
	    open, sizeof(open), OPEN_ORDER("77", ",\"cloid\":\"%s\""), cloid);
	to_link();
	to_normal(open);
	assert_int_equal(k.logs[GWHL_LOG_STRAY], 1);
	assert_int_equal(count_sent("cancelByCloid"), 1);
	assert_false(gwhl_flat(k.g));
	update(ID, 77, "0.001", "canceled");
	assert_true(gwhl_flat(k.g));
	assert_int_equal(k.ev_n, 0);
}

static void
T_84_what_a_killed_life_sent_is_asked_about(void **state)
{
	(void)state;
	act(PORT_PLACE, ID, 100);
	act_full(PORT_PLACE, ID + 1, 100, TIF_GTC, PX(84000 * E8));
	again(); /* the second one never left */
	k.out_n = 0;
	to_link();
	to_normal("[]");
	timer(1);
	assert_int_equal(count_sent("\"orderStatus\""), 1);
	assert_int_equal(count_sent("\"Alo\""), 0);
	status_is(7, "0.001", "open");
	last(PORT_ACKED, REASON_OK);
}

static void
T_15_fills_are_told_again_to_a_new_life_only(void **state)
{
	static const char list[] =
	    "[{\"coin\":\"BTC\",\"px\":\"84000.0\",\"sz\":\"0.0004\","
	    "\"side\":\"B\",\"time\":1790000001000,\"startPosition\":"
	    "\"0.0\",\"oid\":7,\"crossed\":false,\"fee\":\"0.1\",\"tid\":"
	    "1,\"feeToken\":\"USDC\"}]";
	uint64_t id;

	(void)state;
	fill(0, 7, 1, "0.0004", "0.0");
	assert_int_equal(k.ev_n, 1);
	id = k.ev[0].fill_id;
	down();
	timer(1000);
	answer("userFillsByTime", list);
	assert_int_equal(k.ev_n, 1);
	again();
	to_link();
	answer(
	    "userRateLimit", "{\"nRequestsUsed\":10,\"nRequestsCap\":10000}");
	answer("\"clearinghouseState\"",
	    "{\"marginSummary\":{\"accountValue\":\"1.0\"},"
	    "\"assetPositions\":[]}");
	answer("frontendOpenOrders", "[]");
	answer("userFillsByTime", list);
	assert_int_equal(k.ev_n, 2);
	assert_true(k.ev[1].fill_id == id);
	fill(0, 7, 1, "0.0004", "0.0");
	assert_int_equal(k.ev_n, 2);
}

/* ---- the socket ---- */

static void
T_60_a_lost_socket_stops_placing_until_all_is_fetched(void **state)
{
	(void)state;
	act(PORT_PLACE, ID, 100);
	down();
	assert_int_equal(k.mode, PORT_RESYNC);
	last(PORT_UNKNOWN, REASON_OK);
	act(PORT_PLACE, ID + 1, 100);
	last(PORT_REJECTED, REASON_RECONCILE);
	k.out_n = 0;
	act(PORT_CANCEL, ID, 100); /* by HTTP */
	assert_int_equal(count_sent("cancelByCloid"), 1);
	assert_string_equal(k.out[0].path, "/exchange");
	timer(1000);
	assert_int_equal(count_sent("userFillsByTime"), 1); /* by asking */
	answer("userFillsByTime", "[]");
	{
		struct gwhl_now t = now();

		gwhl_up(k.g, &t);
	}
	timer(1); /* before the streams are ours, an answer may miss a fill */
	assert_int_equal(count_sent("userRateLimit"), 0);
	say("{\"channel\":\"subscriptionResponse\",\"data\":{\"method\":"
	    "\"subscribe\",\"subscription\":{\"type\":\"orderUpdates\"}}}");
	say("{\"channel\":\"subscriptionResponse\",\"data\":{\"method\":"
	    "\"subscribe\",\"subscription\":{\"type\":\"userFills\"}}}");
	assert_int_equal(k.mode, PORT_RESYNC);
	to_normal("[]");
	assert_int_equal(k.mode, PORT_NORMAL);
}

static void
a_gap_between_fills_is_a_resync(void **state)
{
	(void)state;
	fill(ID, 7, 1, "0.0004", "0.0");
	fill(ID, 7, 2, "0.0001", "0.0005");
	assert_int_equal(k.logs[GWHL_LOG_GAP], 1);
	timer(1);
	assert_int_equal(k.mode, PORT_RESYNC);
	to_normal("[]");
	assert_int_equal(k.mode, PORT_NORMAL);
}

static void
T_69_fills_of_a_liquidation_are_told(void **state)
{
	(void)state;
	fill(0, 0, 1, "0.0004", "0.0");
	assert_int_equal(k.ev_n, 1);
	assert_int_equal(k.ev[0].what, PORT_FILLED);
	assert_int_equal(k.ev[0].slot, PORT_NO_SLOT);
	assert_int_equal(k.ev[0].side, SIDE_BID);
	assert_int_equal(k.logs[GWHL_LOG_LIQUIDATION], 1);
}

static void
fills_of_before_the_first_start_are_not_ours_to_book(void **state)
{
	(void)state;
	k.book->first_ms = NOW_MS + 1001;
	fill(ID, 7, 1, "0.0004", "0.0");
	assert_int_equal(k.ev_n, 0);
}

static void
a_silent_socket_is_dropped(void **state)
{
	(void)state;
	timer(20000);
	assert_int_equal(count_sent("{\"method\":\"ping\"}"), 1);
	say("{\"channel\":\"pong\"}");
	timer(5000);
	assert_int_equal(k.logs[0], 0);
	timer(20000);
	timer(5000);
	assert_int_equal(k.logs[0], 1);
}

/* ---- refusals of the whole ---- */

static void
T_65_an_unknown_signer_blocks_and_is_named(void **state)
{
	(void)state;
	act(PORT_PLACE, ID, 100);
	posted(post_of("Alo"),
	    "{\"status\":\"err\",\"response\":\"User or API Wallet "
	    "0x00112233445566778899aabbccddeeff00112233 does not exist.\"}");
	last(PORT_REJECTED, REASON_VENUE);
	assert_int_equal(k.mode, PORT_BLOCKED);
	assert_non_null(
	    strstr(k.why, "0x00112233445566778899aabbccddeeff00112233 is not"));
	act(PORT_PLACE, ID + 1, 100);
	last(PORT_REJECTED, REASON_VENUE);
}

static void
T_45_a_spent_budget_is_for_cancels(void **state)
{
	static const char spent[] =
	    "{\"status\":\"err\",\"response\":\"Too many cumulative requests "
	    "sent (37986 > 10436) for cumulative volume traded $437.92.\"}";

	(void)state;
	act(PORT_PLACE, ID, 100);
	act(PORT_PLACE, ID + 1, 100);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
	act(PORT_PLACE, ID + 2, 100);
	posted(post_of("Alo"), spent);
	last(PORT_REJECTED, REASON_RATE_LIMIT);
	assert_int_equal(k.mode, PORT_CANCEL_ONLY);
	k.out_n = 0;
	act(PORT_CANCEL, ID + 1, 100);
	posted(post_of("cancelByCloid"), spent);
	for (uint32_t i = 0; i < 99; i++)
		timer(100);
	assert_int_equal(count_sent("cancelByCloid"), 1);
	timer(100); /* one action in ten seconds */
	assert_int_equal(count_sent("cancelByCloid"), 2);
}

static void
T_39_only_post_only_after_an_upgrade(void **state)
{
	(void)state;
	act_full(PORT_PLACE, ID, 100, TIF_IOC, PX(84000 * E8));
	flush();
	statuses(post_of("Ioc"),
	    "{\"error\":\"Only post-only orders allowed immediately after "
	    "network upgrade\"}");
	assert_int_equal(k.mode, PORT_POST_ONLY);
	act_full(PORT_PLACE, ID + 1, 100, TIF_IOC, PX(84000 * E8));
	last(PORT_REJECTED, REASON_STATE);
	k.out_n = 0;
	act(PORT_PLACE, ID + 2, 100);
	assert_int_equal(count_sent("Alo"), 1);
}

static void
texts_of_the_cdn_are_not_refusals(void **state)
{
	(void)state;
	act(PORT_PLACE, ID, 100);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
	down();
	k.out_n = 0;
	act(PORT_CANCEL, ID, 100);
	answer_as("cancelByCloid", "<html>bad gateway</html>", 502);
	assert_int_equal(k.logs[GWHL_LOG_BAD_ANSWER], 1);
	timer(1);
	status_is(7, "0.001", "open");
	last(PORT_NOT_CANCELLED, REASON_VENUE);
}

/* ---- the dead-man switch ---- */

static void
T_64_the_switch_is_refreshed_under_a_fresh_lease_only(void **state)
{
	uint32_t before;

	(void)state;
	gwhl_lease(k.g, UINT64_MAX);
	k.out_n = 0;
	timer(1000);
	/* Nothing rests: nothing to be switched off. */
	assert_int_equal(count_sent("scheduleCancel"), 0);
	gwhl_lease(k.g, 1);
	rests();
	k.out_n = 0;
	timer(5000);
	assert_int_equal(count_sent("scheduleCancel"), 0);
	gwhl_lease(k.g, (k.ms + 11000) * MS);
	timer(1);
	assert_int_equal(count_sent("\"time\":1790000021001"), 1);
	posted(post_of("scheduleCancel"),
	    "{\"status\":\"ok\",\"response\":{\"type\":\"default\"}}");
	timer(4000);
	assert_int_equal(count_sent("scheduleCancel"), 1);
	timer(1000);
	assert_int_equal(count_sent("scheduleCancel"), 2);
	before = count_sent("scheduleCancel");
	timer(6000);
	assert_int_equal(count_sent("scheduleCancel"), before);
}

static void
T_64_a_switch_that_nobody_needs_is_taken_back(void **state)
{
	(void)state;
	gwhl_lease(k.g, UINT64_MAX);
	rests();
	k.out_n = 0;
	timer(1);
	assert_int_equal(count_sent("scheduleCancel"), 1);
	posted(post_of("scheduleCancel"),
	    "{\"status\":\"ok\",\"response\":{\"type\":\"default\"}}");
	update(ID, 7, "0.001", "canceled");
	assert_true(gwhl_flat(k.g));
	gwhl_lease(k.g, 1); /* frozen, too */
	timer(9000);
	assert_int_equal(count_sent("scheduleCancel"), 1);
	timer(1500);
	assert_int_equal(count_sent("{\"type\":\"scheduleCancel\"}"), 1);
	timer(6000);
	assert_int_equal(count_sent("scheduleCancel"), 2);
}

static void
T_64_an_account_that_may_not_is_told_once(void **state)
{
	(void)state;
	rests();
	k.out_n = 0;
	gwhl_lease(k.g, UINT64_MAX);
	timer(1);
	posted(post_of("scheduleCancel"),
	    "{\"status\":\"err\",\"response\":\"Cannot set scheduled cancel "
	    "time until enough volume traded. Required: $1000000.\"}");
	for (uint32_t i = 0; i < 4; i++)
		timer(6000);
	assert_int_equal(count_sent("scheduleCancel"), 1);
	assert_int_equal(k.logs[GWHL_LOG_NO_SCHEDULE], 1);
}

static void
T_64_triggers_are_counted_by_day(void **state)
{
	(void)state;
	rests();
	gwhl_lease(k.g, UINT64_MAX);
	for (uint32_t i = 0; i < 12; i++) {
		k.out_n = 0;
		k.ev_n = 0;
		timer(6000);
		if (count_sent("scheduleCancel") == 0)
			break;
		posted(post_of("scheduleCancel"),
		    "{\"status\":\"ok\",\"response\":{\"type\":\"default\"}}");
		update(ID + 100 + i, 100 + i, "0.001", "scheduledCancel");
		assert_int_equal(k.book->sched_n, i + 1);
	}
	assert_int_equal(k.book->sched_n, 9);
	k.ms += 86400000;
	k.out_n = 0;
	timer(1);
	assert_int_equal(count_sent("scheduleCancel"), 1);
}

/* ---- the end ---- */

static void
flat_is_by_a_question_asked_later(void **state)
{
	struct gwhl_now t;

	(void)state;
	assert_true(gwhl_flat(k.g));
	timer(46000); /* the slow reconcile */
	answer("\"clearinghouseState\"",
	    "{\"marginSummary\":{\"accountValue\":\"179.0\"},"
	    "\"assetPositions\":[],\"time\":1}");
	answer("frontendOpenOrders", "[]");
	t = now();
	gwhl_verify(k.g, &t);
	answer("userFillsByTime", "[]");
	/* That reading of open orders was before. */
	assert_false(gwhl_flat(k.g));
	answer("frontendOpenOrders", "[]");
	assert_false(gwhl_flat(k.g));
	answer("userFillsByTime", "[]");
	assert_true(gwhl_flat(k.g));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define S(f) cmocka_unit_test_setup_teardown(f, setup_only, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    S(nothing_is_placed_before_the_start_is_done),
	    S(T_68_an_agents_address_is_no_account),
	    S(T_68_an_empty_account_is_not_traded),
	    S(T_68_money_on_the_spot_side_is_money),
	    S(an_unknown_key_is_refused),
	    S(T_48_a_wrong_clock_does_not_start),
	    S(an_index_that_moved_is_refused),
	    S(an_agent_that_expires_is_told),
	    S(T_82_orders_that_we_did_not_make_refuse_the_start),
	    S(T_82_or_are_cancelled_when_told_so),
	    S(own_orders_go_too_when_told_so),
	    S(T_42_own_orders_are_known_after_a_restart),
	    S(own_orders_that_nobody_remembers_are_withdrawn),
	    T(T_84_what_a_killed_life_sent_is_asked_about),
	    T(T_15_fills_are_told_again_to_a_new_life_only),
	    T(T_60_a_lost_socket_stops_placing_until_all_is_fetched),
	    T(a_gap_between_fills_is_a_resync),
	    T(T_69_fills_of_a_liquidation_are_told),
	    T(fills_of_before_the_first_start_are_not_ours_to_book),
	    T(a_silent_socket_is_dropped),
	    T(T_65_an_unknown_signer_blocks_and_is_named),
	    T(T_45_a_spent_budget_is_for_cancels),
	    T(T_39_only_post_only_after_an_upgrade),
	    T(texts_of_the_cdn_are_not_refusals),
	    T(T_64_the_switch_is_refreshed_under_a_fresh_lease_only),
	    T(flat_is_by_a_question_asked_later),
	    T(T_64_a_switch_that_nobody_needs_is_taken_back),
	    T(T_64_an_account_that_may_not_is_told_once),
	    T(T_64_triggers_are_counted_by_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
