/* links: simvenue libvenue libsign libsys libshm libcore */
/*
 * Live Hyperliquid as clients follow it and ask it: states, histories, mids,
 * candles, fundings, posts; and candles by themselves.
 */
#include "tests/unit/livesay.h"

#include "simvenue/candle.h"

static void
each_stream_begins_with_what_there_is(void **arg)
{
	static const struct {
		const char *type;
		const char *rest;
		const char *says;
	} cases[] = {
	    {"clearinghouseState", "",
		"\"clearinghouseState\":{\"marginSummary\""},
	    {"openOrders", "", "\"orders\":[{\"coin\":\"BTC\""},
	    {"spotState", "",
		"\"spotState\":{\"balances\":[{\"coin\":\"USDC\""},
	    {"activeAssetData", ",\"coin\":\"BTC\"",
		"\"leverage\":{\"type\":\"cross\",\"value\":40}"},
	    {"webData2", "", "\"openOrders\":[{\"coin\":\"BTC\""},
	    {"webData3", "", "\"perpDexStates\":[{"},
	    {"userHistoricalOrders", "",
		"\"orderHistory\":[{\"order\":{\"coin\":\"BTC\""},
	    {"userFills", "", "\"isSnapshot\":true"},
	    {"userFundings", "", "\"fundings\":[]"},
	    {"userNonFundingLedgerUpdates", "",
		"\"delta\":{\"type\":\"deposit\",\"usdc\":\"10000.0\"}"},
	    {"userTwapSliceFills", "", "\"twapSliceFills\":[]"},
	    {"userTwapHistory", "", "\"history\":[]"},
	    {"allMids", "", "\"mids\":{\"BTC\":\""},
	    {"candle", ",\"coin\":\"BTC\",\"interval\":\"1m\"",
		"\"i\":\"1m\",\"o\":\""},
	};
	void *sub = open_sub(VENUE_HYPERLIQUID, "/ws");

	(void)arg;
	wait_s(5); /* some trades */
	hl_order(&people[0], 80000, HL_ALO, 1, 1);
	says("resting");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hl_follow(&people[0], sub, cases[i].type, cases[i].rest);
		assert_true(out_has("subscriptionResponse"));
		assert_int_equal(out.msg_n, 2);
		if (strstr(out_buf, cases[i].says) == NULL)
			fail_msg("%s: %.900s", cases[i].type, out_buf);
	}
	hl_follow(
	    &people[0], sub, "candle", ",\"coin\":\"BTC\",\"interval\":\"7m\"");
	assert_true(out_has("Invalid subscription"));
	hl_follow(
	    &people[0], sub, "candle", ",\"coin\":\"btc\",\"interval\":\"1m\"");
	assert_true(out.drop);
	hl_cancel_one(&people[0], 1);
	says("success");
	free(sub);
}

/* States come again by themselves, every five seconds. */
static void
states_are_repeated(void **arg)
{
	void *sub = open_sub(VENUE_HYPERLIQUID, "/ws");

	(void)arg;
	hl_follow(&people[0], sub, "clearinghouseState", "");
	hl_follow(&people[0], sub, "notification", "");
	kept_n = 0;
	wait_s(11);
	assert_int_equal(
	    heard(VENUE_HYPERLIQUID, sub, "\"clearinghouseState\":{"), 2);
	assert_int_equal(heard(VENUE_HYPERLIQUID, sub, "notification"), 0);
	free(sub);
}

static void
ten_users_a_connection(void **arg)
{
	void *sub = open_sub(VENUE_HYPERLIQUID, "/ws");
	char text[256];

	(void)arg;
	for (int i = 0; i < 11; i++) {
		(void)snprintf(text, sizeof(text),
		    "{\"method\":\"subscribe\",\"subscription\":{\"type\":"
		    "\"orderUpdates\",\"user\":\"0x00000000000000000000000000"
		    "000000000000%02d\"}}",
		    i + 1);
		say(VENUE_HYPERLIQUID, sub, text);
		assert_true(out_has(i < 10 ? "subscriptionResponse"
					   : "Cannot track more than 10"));
	}
	free(sub);
}

static void
fundings_are_told_and_remembered(void **arg)
{
	void *sub = open_sub(VENUE_HYPERLIQUID, "/ws");

	(void)arg;
	hl_follow(&people[1], sub, "userFundings", "");
	hl_follow(&people[1], sub, "userEvents", "");
	hl_follow(&people[1], sub, "notification", "");
	kept_n = 0;
	hl_order(&people[1], 88000, HL_IOC, 1, 2);
	says("filled");
	assert_true(heard(VENUE_HYPERLIQUID, sub, "Order filled: Bought") > 0);
	kept_n = 0;
	hlx_fund(&l->w.hlx);
	assert_int_equal(heard(VENUE_HYPERLIQUID, sub,
			     "\"channel\":\"userFundings\",\"data\":{\"user\""),
	    1);
	assert_int_equal(
	    heard(VENUE_HYPERLIQUID, sub, "\"data\":{\"funding\":{"), 1);
	hl_ask(&people[1], "userFunding", ",\"startTime\":0");
	says(
	    "\"delta\":{\"type\":\"funding\",\"coin\":\"BTC\",\"usdc\":\"-0.0");
	hl_ask(&people[1], "clearinghouseState", "");
	says("\"cumFunding\":{\"allTime\":\"0.0");
	assert_null(strstr(body, "\"cumFunding\":{\"allTime\":\"0.0\""));
	assert_true(hlx_is_conserved(&l->w.hlx));
	free(sub);
}

static void
what_anybody_may_ask(void **arg)
{
	static const struct {
		const char *ask;
		const char *says;
	} cases[] = {
	    {"{\"type\":\"meta\"}", "\"marginTables\":[[56,"},
	    {"{\"type\":\"metaAndAssetCtxs\"}", "\"markPx\""},
	    {"{\"type\":\"spotMetaAndAssetCtxs\"}", "\"USDC\""},
	    {"{\"type\":\"recentTrades\",\"coin\":\"BTC\"}", "\"side\":\""},
	    {"{\"type\":\"candleSnapshot\",\"req\":{\"coin\":\"BTC\","
	     "\"interval\":\"5m\",\"startTime\":0,\"endTime\":9000000000000}}",
		"\"i\":\"5m\""},
	    {"{\"type\":\"fundingHistory\",\"coin\":\"BTC\",\"startTime\":"
	     "1789990000000}",
		"\"fundingRate\":\"0.0000125\""},
	    {"{\"type\":\"perpDexs\"}", "[null]"},
	};

	(void)arg;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		call(VENUE_HYPERLIQUID, "POST", "/info", cases[i].ask, "");
		assert_int_equal(status, 200);
		says(cases[i].says);
	}
	call(VENUE_HYPERLIQUID, "POST", "/info",
	    "{\"type\":\"metaAndAssetCtxs\"}", "");
	assert_null(strstr(body, "\"openInterest\":\"0.0\""));
	assert_null(strstr(body, "\"dayNtlVlm\":\"0.0\""));
	hl_ask(&people[0], "historicalOrders", "");
	says("\"status\":\"canceled\"");
	hl_ask(&people[0], "activeAssetData", ",\"coin\":\"BTC\"");
	says("\"availableToTrade\":[\"");
}

static void
posts_of_both_kinds(void **arg)
{
	void *sub = open_sub(VENUE_HYPERLIQUID, "/ws");

	(void)arg;
	say(VENUE_HYPERLIQUID, sub,
	    "{\"method\":\"post\",\"id\":7,\"request\":{\"type\":\"info\","
	    "\"payload\":{\"type\":\"l2Book\",\"coin\":\"BTC\"}}}");
	assert_true(out_has("{\"channel\":\"post\",\"data\":{\"id\":7,"
			    "\"response\":{\"type\":\"info\",\"payload\":{"
			    "\"type\":\"l2Book\",\"data\":{\"coin\":\"BTC\""));
	say(VENUE_HYPERLIQUID, sub,
	    "{\"method\":\"post\",\"id\":8,\"request\":{\"type\":\"info\","
	    "\"payload\":{\"type\":\"meta\"}}}");
	assert_true(out_has("\"universe\":[{"));
	say(VENUE_HYPERLIQUID, sub,
	    "{\"method\":\"post\",\"id\":9,\"request\":{\"type\":\"info\","
	    "\"payload\":{\"type\":\"no\"}}}");
	assert_true(out_has("\"type\":\"error\",\"payload\":\"Failed"));
	trip(FAULT_REQUEST_LOST, 0);
	say(VENUE_HYPERLIQUID, sub,
	    "{\"method\":\"post\",\"id\":9,\"request\":{\"type\":\"info\","
	    "\"payload\":{\"type\":\"meta\"}}}");
	assert_int_equal(out.msg_n, 0);
	free(sub);
}

static void
leverage_is_kept(void **arg)
{
	struct hl_action a = {.kind = HL_UPDATE_LEVERAGE,
	    .asset = 0,
	    .cross = true,
	    .leverage = 5};

	(void)arg;
	hl_act(&people[0], &a, 0);
	says("default");
	hl_ask(&people[0], "activeAssetData", ",\"coin\":\"BTC\"");
	says("\"value\":5}");
	a.leverage = 41;
	hl_act(&people[0], &a, 0);
	says("Invalid leverage value");
}

/* Each minute by itself, and five of them together; a minute that nobody
 * traded in has none. */
static void
candles_add_up(void **arg)
{
	static struct candles c;
	struct candle_query q = {.interval_ms = 5 * CANDLE_MINUTE};
	struct candle got[8];

	(void)arg;
	assert_false(candles_last(&c, CANDLE_MINUTE, got));
	candles_trade(&c, PX(100 * E8), QTY(E8), true, 1000);
	candles_trade(&c, PX(90 * E8), QTY(2 * E8), false, 59999);
	candles_trade(&c, PX(120 * E8), QTY(E8), true, 4 * CANDLE_MINUTE);
	candles_trade(&c, PX(110 * E8), QTY(E8), true, 5 * CANDLE_MINUTE);
	assert_int_equal(candles_get(&c, &q, got, 8), 2);
	assert_int_equal(got[0].open_ms, 0);
	assert_int_equal(got[0].open.e8, 100 * E8);
	assert_int_equal(got[0].high.e8, 120 * E8);
	assert_int_equal(got[0].low.e8, 90 * E8);
	assert_int_equal(got[0].close.e8, 120 * E8);
	assert_int_equal(got[0].qty.e8, 4 * E8);
	assert_int_equal(got[0].taken.e8, 2 * E8);
	assert_int_equal(got[0].usd.e6, 400 * E6);
	assert_int_equal(got[0].trade_n, 3);
	assert_int_equal(got[1].open_ms, 5 * CANDLE_MINUTE);
	q.interval_ms = CANDLE_MINUTE;
	assert_int_equal(candles_get(&c, &q, got, 8), 3);
	assert_int_equal(candles_get(&c, &q, got, 2), 2);
	assert_int_equal(got[0].open_ms, 4 * CANDLE_MINUTE);
	q.from_ms = CANDLE_MINUTE;
	q.to_ms = 4 * CANDLE_MINUTE;
	assert_int_equal(candles_get(&c, &q, got, 8), 1);
	assert_int_equal(candle_ms("1h", 2), 60 * CANDLE_MINUTE);
	assert_int_equal(candle_ms("1x", 2), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_stream_begins_with_what_there_is),
	    cmocka_unit_test(states_are_repeated),
	    cmocka_unit_test(ten_users_a_connection),
	    cmocka_unit_test(fundings_are_told_and_remembered),
	    cmocka_unit_test(what_anybody_may_ask),
	    cmocka_unit_test(posts_of_both_kinds),
	    cmocka_unit_test(leverage_is_kept),
	    cmocka_unit_test(candles_add_up),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
