/* links: simvenue libvenue libsign libsys libshm libcore */
/*
 * The live venues as the server calls them, without sockets: who may listen,
 * what goes to whom, orders in, and a ledger that equals what was told.
 */
#include "tests/unit/livesay.h"

/* ---- Polymarket ---- */

static void
bad_credentials_end_the_user_channel(void **arg)
{
	void *sub = open_sub(VENUE_POLYMARKET, "/ws/user");
	struct person wrong = people[0];

	(void)arg;
	assert_int_equal(live_polymarket.conn(sub), SIM_CONN_USER);
	wrong.passphrase[0] ^= 1;
	hello(sub, &wrong, "");
	assert_true(out.drop);
	assert_false(live_polymarket.is_active(sub));
	hello(sub, &people[0], "");
	assert_false(out.drop);
	assert_true(live_polymarket.is_active(sub));
	say(VENUE_POLYMARKET, sub, "PING");
	assert_true(out_has("PONG"));
	free(sub);
}

static void
orders_are_told_to_their_owner_alone(void **arg)
{
	void *mine = open_sub(VENUE_POLYMARKET, "/ws/user");
	void *other = open_sub(VENUE_POLYMARKET, "/ws/user");
	void *elsewhere = open_sub(VENUE_POLYMARKET, "/ws/user");
	void *market = open_sub(VENUE_POLYMARKET, "/ws/market");
	char id[PM_ID_TEXT_MAX];
	char text[256];

	(void)arg;
	hello(mine, &people[0], "");
	hello(other, &people[1], "");
	hello(elsewhere, &people[0], ",\"markets\":[\"0x" D32 D32 "\"]");
	buy(&people[0], 3000, id);
	assert_int_equal(status, 200);
	assert_non_null(strstr(body, "\"live\""));
	assert_int_equal(heard(VENUE_POLYMARKET, mine, "PLACEMENT"), 1);
	assert_int_equal(heard(VENUE_POLYMARKET, other, "order"), 0);
	assert_int_equal(heard(VENUE_POLYMARKET, elsewhere, "order"), 0);
	assert_int_equal(heard(VENUE_POLYMARKET, market, "order"), 0);
	(void)snprintf(text, sizeof(text), "{\"orderID\":\"%s\"}", id);
	call2(&people[0], "DELETE", "/order", text);
	assert_non_null(strstr(body, id));
	assert_int_equal(heard(VENUE_POLYMARKET, mine, "CANCELLATION"), 1);
	assert_int_equal(l->count[VENUE_POLYMARKET].orders, 1);
	assert_int_equal(l->count[VENUE_POLYMARKET].calls[LIVE_CANCEL], 1);
	assert_int_equal(l->w.pm_count.rested, 1);
	free(mine);
	free(other);
	free(elsewhere);
	free(market);
}

static void
the_ledger_is_what_was_traded(void **arg)
{
	char id[PM_ID_TEXT_MAX];
	struct text t;

	(void)arg;
	buy(&people[0], 6000, id); /* ten at 0.52, the quiet offer */
	assert_non_null(strstr(body, "\"matched\""));
	wait_s(10);
	text_init(&t, body, TEXT);
	live_put_ledger(l, &t);
	assert_true(text_end(&t) > 0);
	assert_non_null(strstr(body, "\"polymarket\":{\"is_conserved\":true"));
	assert_non_null(strstr(body, "\"hyperliquid\":{\"is_conserved\":true"));
	assert_non_null(strstr(body,
	    "\"usd\":{\"own_e6\":9994800000,\"out_e6\":0,\"in_e6\":0,"
	    "\"locked_e6\":0}"));
	assert_non_null(
	    strstr(body, "\"own_e8\":1000000000,\"out_e8\":0,\"in_e8\":0,"
			 "\"locked_e8\":0}],\"orders\":[]"));
	assert_int_equal(l->w.pm_count.trades, 1);
	assert_int_equal(l->w.pm_count.matched_e8, 10 * E8);
}

static void
a_subscription_shows_both_books_once(void **arg)
{
	void *sub = open_sub(VENUE_POLYMARKET, "/ws/market");
	char token[PM_TOKEN_TEXT_MAX];
	char text[512];

	(void)arg;
	pm_token_format(&quiet()->terms.token[0], token);
	(void)snprintf(text, sizeof(text),
	    "{\"assets_ids\":[\"%s\"],\"type\":\"market\"}", token);
	assert_false(live_polymarket.is_active(sub));
	say(VENUE_POLYMARKET, sub, text);
	assert_true(out_has("[{\"event_type\":\"book\""));
	assert_true(live_polymarket.is_active(sub));
	say(VENUE_POLYMARKET, sub, text);
	assert_true(out_has("NO NEW ASSETS"));
	free(sub);
}

static void
anybody_may_ask_for_markets(void **arg)
{
	char token[PM_TOKEN_TEXT_MAX];
	char target[256];

	(void)arg;
	pm_token_format(&quiet()->terms.token[0], token);
	(void)snprintf(target, sizeof(target), "/midpoint?token_id=%s", token);
	call(VENUE_POLYMARKET, "GET", target, NULL, "");
	assert_string_equal(body, "{\"mid\":\"0.5\"}");
	call(VENUE_POLYMARKET, "GET", "/book?token_id=1", NULL, "");
	assert_int_equal(status, 404);
	call(VENUE_POLYMARKET, "GET", "/markets/slug/quiet-market", NULL, "");
	assert_int_equal(status, 200);
	assert_non_null(strstr(body, token));
	call(VENUE_POLYMARKET, "GET", "/events/keyset?limit=2", NULL, "");
	assert_non_null(strstr(body, "\"next_cursor\":\"2\""));
	call(VENUE_POLYMARKET, "GET", "/events/slug/none", NULL, "");
	assert_int_equal(status, 404);
	call(VENUE_POLYMARKET, "GET", "/data/orders", NULL, "");
	assert_int_equal(status, 401);
}

static void
several_tokens_in_one_question(void **arg)
{
	char token[PM_TOKEN_TEXT_MAX];
	char ask[256];
	char want[256];

	(void)arg;
	pm_token_format(&quiet()->terms.token[0], token);
	(void)snprintf(ask, sizeof(ask),
	    "[{\"token_id\":\"%s\",\"side\":\"SELL\"},{\"token_id\":\"5\"}]",
	    token);
	call(VENUE_POLYMARKET, "POST", "/midpoints", ask, "");
	(void)snprintf(want, sizeof(want), "{\"%s\":\"0.5\"}", token);
	assert_string_equal(body, want);
	call(VENUE_POLYMARKET, "POST", "/spreads", ask, "");
	(void)snprintf(want, sizeof(want), "{\"%s\":\"0.04\"}", token);
	assert_string_equal(body, want);
	call(VENUE_POLYMARKET, "POST", "/prices", ask, "");
	(void)snprintf(
	    want, sizeof(want), "{\"%s\":{\"SELL\":\"0.52\"}}", token);
	assert_string_equal(body, want);
	call(VENUE_POLYMARKET, "POST", "/last-trades-prices", ask, "");
	(void)snprintf(want, sizeof(want),
	    "[{\"token_id\":\"%s\",\"price\":\"0.5\",\"side\":\"\"}]", token);
	assert_string_equal(body, want);
	(void)snprintf(ask, sizeof(ask), "/markets-by-token/%s", token);
	call(VENUE_POLYMARKET, "GET", ask, NULL, "");
	assert_non_null(strstr(body, "\"primary_token_id\":\""));
	assert_non_null(strstr(body, token));
	call(VENUE_POLYMARKET, "GET", "/markets-by-token/5", NULL, "");
	assert_int_equal(status, 404);
}

/* ---- Hyperliquid ---- */

static void
streams_of_a_user_are_that_user_s(void **arg)
{
	void *mine = open_sub(VENUE_HYPERLIQUID, "/ws");
	void *other = open_sub(VENUE_HYPERLIQUID, "/ws");
	struct hl_order o = {.side = SIDE_BID,
	    .px = PX(80000 * E8),
	    .qty = QTY(E8 / 100),
	    .tif = HL_ALO};
	struct hl_action a = {.kind = HL_ORDER, .n = 1, .orders = &o};
	struct hl_signer s = {&secp, keys[0], true};
	struct hl_meta m = {.nonce = START / 1000000u};
	struct hl_request q = {&a, &m, 0, NULL};
	static char request[HL_BODY_MAX];
	char text[256];

	(void)arg;
	(void)snprintf(text, sizeof(text),
	    "{\"method\":\"subscribe\",\"subscription\":{\"type\":"
	    "\"orderUpdates\",\"user\":\"0xf39fd6e51aad88f6f4ce6ab8827279cfff"
	    "b92266\"}}");
	say(VENUE_HYPERLIQUID, mine, text);
	assert_true(out_has("subscriptionResponse"));
	say(VENUE_HYPERLIQUID, mine, text);
	assert_true(out_has("Already subscribed: "));
	say(VENUE_HYPERLIQUID, other,
	    "{\"method\":\"subscribe\",\"subscription\":{\"type\":"
	    "\"userFills\",\"user\":\"0x70997970c51812dc3a010c7d01b50e0d17dc79"
	    "c8\"}}");
	assert_true(out_has("\"isSnapshot\":true"));
	say(VENUE_HYPERLIQUID, other,
	    "{\"method\":\"subscribe\",\"subscription\":{\"type\":"
	    "\"orderUpdates\",\"user\":\"0x70997970c51812dc3a010c7d01b50e0d17"
	    "dc79c8\"}}");
	assert_true(out_has("subscriptionResponse"));
	assert_true(hl_request(&s, &q, request) > 0);
	call(VENUE_HYPERLIQUID, "POST", "/exchange", request, "");
	assert_non_null(strstr(body, "\"resting\""));
	assert_int_equal(heard(VENUE_HYPERLIQUID, mine, "\"open\""), 1);
	assert_int_equal(heard(VENUE_HYPERLIQUID, other, "order"), 0);
	assert_int_equal(l->count[VENUE_HYPERLIQUID].orders, 1);
	call(VENUE_HYPERLIQUID, "POST", "/info",
	    "{\"type\":\"metaAndAssetCtxs\"}", "");
	assert_non_null(strstr(body, "\"markPx\""));
	call(VENUE_HYPERLIQUID, "POST", "/info", "{\"type\":\"no\"}", "");
	assert_int_equal(status, 422);
	free(mine);
	free(other);
}

/* ---- moods ---- */

static void
T_39_modes_refuse_orders(void **arg)
{
	struct live_mood m = {.mode = PMX_MODE_CANCEL_ONLY};
	struct live_mood well = {0};
	char id[PM_ID_TEXT_MAX];

	(void)arg;
	live_set_mood(l, &m);
	buy(&people[1], 2000, id);
	assert_int_not_equal(status, 200);
	live_set_mood(l, &well);
	buy(&people[1], 2000, id);
	assert_int_equal(status, 200);
	call2(&people[1], "DELETE", "/cancel-all", NULL);
	assert_non_null(strstr(body, id));
}

static void
T_14_a_matched_trade_fails(void **arg)
{
	struct live_mood m = {.retry_ppm = 1000000, .fail_ppm = 1000000};
	struct live_mood well = {0};
	void *mine = open_sub(VENUE_POLYMARKET, "/ws/user");
	char id[PM_ID_TEXT_MAX];
	const struct desk_login *who;

	(void)arg;
	hello(mine, &people[1], "");
	kept_n = 0;
	live_set_mood(l, &m);
	buy(&people[1], 6000, id);
	wait_s(30);
	live_set_mood(l, &well);
	assert_int_equal(heard(VENUE_POLYMARKET, mine, "\"RETRYING\""), 1);
	assert_int_equal(heard(VENUE_POLYMARKET, mine, "\"FAILED\""), 1);
	who = &l->w.pm_desk.login[1];
	assert_true(address_eq(&who->address, &people[1].who));
	assert_int_equal(l->w.pmx.account[who->account[PM_SIG_EOA]].usd.own,
	    LIVE_DEV_USD.e6);
	assert_true(pmx_is_conserved(&l->w.pmx));
	free(mine);
}

static void
T_38_a_lapse_cancels_everything(void **arg)
{
	struct live_mood m = {.lapses = true};
	struct live_mood well = {0};
	void *mine = open_sub(VENUE_POLYMARKET, "/ws/user");
	char id[PM_ID_TEXT_MAX];

	(void)arg;
	hello(mine, &people[1], "");
	kept_n = 0;
	buy(&people[1], 2000, id);
	pmx_beat(
	    &l->w.pmx, l->w.pm_desk.login[1].account[PM_SIG_EOA], l->w.now_ns);
	live_set_mood(l, &m);
	wait_s(6);
	live_set_mood(l, &well);
	assert_int_equal(heard(VENUE_POLYMARKET, mine, "CANCELLATION"), 1);
	free(mine);
}

static void
T_62_a_nonce_is_taken_for_used(void **arg)
{
	struct hl_cancel c = {.oid = 1};
	struct hl_action a = {.kind = HL_CANCEL, .n = 1, .cancels = &c};
	struct hl_signer s = {&secp, keys[1], true};
	struct hl_meta m = {.nonce = START / 1000000u + 7};
	struct hl_request q = {&a, &m, 0, NULL};
	static char request[HL_BODY_MAX];

	(void)arg;
	assert_true(hl_request(&s, &q, request) > 0);
	trip(FAULT_NONCE_COLLISION, 0);
	call(VENUE_HYPERLIQUID, "POST", "/exchange", request, "");
	assert_non_null(strstr(body, "duplicate nonce"));
	m.nonce++;
	assert_true(hl_request(&s, &q, request) > 0);
	call(VENUE_HYPERLIQUID, "POST", "/exchange", request, "");
	assert_non_null(strstr(body, "\"ok\""));
}

/* ---- Binance, accounts ---- */

static void
the_book_asked_for_is_the_book_streamed(void **arg)
{
	static char want[16384];
	struct text t;

	(void)arg;
	for (unsigned i = 0; i < 300; i++)
		live_step(l, l->w.now_ns + SECOND / 100);
	text_init(&t, want, sizeof(want));
	world_put_depth(&l->w, &t);
	assert_true(text_end(&t) > 0);
	call(VENUE_BINANCE, "GET", "/api/v3/depth?symbol=BTCUSDT", NULL, "");
	assert_string_equal(body, want);
}

static void
binance_answers_what_was_traded(void **arg)
{
	static const struct {
		const char *target;
		unsigned status;
		const char *says;
	} cases[] = {
	    {"/api/v3/trades?symbol=BTCUSDT&limit=2", 200, "\"isBuyerMaker\":"},
	    {"/api/v3/aggTrades?symbol=BTCUSDT", 200, "[{\"a\":300000000"},
	    {"/api/v3/aggTrades?symbol=BTCUSDT&fromId=3000000002&limit=1", 200,
		"[{\"a\":3000000002,"},
	    {"/api/v3/ticker/bookTicker?symbol=BTCUSDT", 200,
		"\"symbol\":\"BTCUSDT\",\"bidPrice\":\""},
	    {"/api/v3/ticker/price?symbol=BTCUSDT", 200, "\"price\":\""},
	    {"/api/v3/klines?symbol=BTCUSDT&interval=1m", 200, "[[17900"},
	    {"/api/v3/klines?symbol=BTCUSDT&interval=7m", 400, "-1120"},
	    {"/api/v3/klines?symbol=ETHUSDT&interval=1m", 400, "-1121"},
	    {"/api/v3/exchangeInfo?symbol=BTCUSDT", 200, "PRICE_FILTER"},
	    {"/api/v3/time", 200, "serverTime"},
	    {"/api/v3/ping", 200, "{}"},
	};
	void *sub = open_sub(VENUE_BINANCE, "/ws/btcusdt@kline_1m");
	const struct candle *c;
	int64_t sum = 0;

	(void)arg;
	bn_kline_n = 0;
	bn_sub = sub;
	wait_s(20);
	bn_sub = NULL;
	assert_int_equal(bn_kline_n, 10); /* every two seconds */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		call(VENUE_BINANCE, "GET", cases[i].target, NULL, "");
		assert_int_equal(status, cases[i].status);
		says(cases[i].says);
	}
	c = &l->w.bn_candles.minute[(l->w.bn_candles.n - 1) % CANDLES_MAX];
	for (uint64_t i = 0; i < l->w.bn_recent_n; i++) {
		const struct world_bn_trade *k = &l->w.bn_recent[i];

		if ((uint64_t)k->us / 1000 >= c->open_ms)
			sum += k->qty_e8;
	}
	assert_true(l->w.bn_recent_n <= WORLD_BN_RECENT);
	assert_int_equal(c->qty.e8, sum);
	free(sub);
}

static void
accounts_are_read_or_refused(void **arg)
{
	static const struct {
		const char *text;
		const char *wrong; /* NULL: taken */
	} cases[] = {
	    {"{\"address\":\"0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266\"}",
		NULL},
	    {"{\"key\":\"0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae"
	     "784d7bf4f2ff80\",\"usd\":12.5,\"signature_type\":2}",
		NULL},
	    {"{\"key\":\"0x00\"}", "private key"},
	    {"{\"usd\":1}", "neither"},
	    {"{\"address\":\"0xf39f\"}", "address is not"},
	    {"{\"address\":\"0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266\","
	     "\"signature_type\":4}",
		"signature_type"},
	    {"{\"name\":1}", "keys are"},
	    {"[]", "not a JSON object"},
	};

	(void)arg;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct live_account a;
		const char *wrong = live_account_parse(
		    &secp, cases[i].text, strlen(cases[i].text), &a);

		if (cases[i].wrong != NULL) {
			assert_non_null(wrong);
			assert_non_null(strstr(wrong, cases[i].wrong));
			continue;
		}
		assert_null(wrong);
		assert_true(address_eq(&a.who, &people[0].who));
	}
}

/* Every order and cancel is stamped with what it names. */
static void
arrivals_name_their_orders(void **arg)
{
	struct hl_modify k = {.by_cloid = true,
	    .cloid = {[15] = 201},
	    .order = {.side = SIDE_BID,
		.px = PX(79000 * E8),
		.qty = QTY(E8 / 100),
		.tif = HL_ALO,
		.has_cloid = true,
		.cloid = {[15] = 201}}};
	struct hl_action change = {.kind = HL_MODIFY, .n = 1, .changes = &k};
	uint64_t since = l->w.now_ns + 1;
	char id[PM_ID_TEXT_MAX];
	char want[256];
	struct text t;

	(void)arg;
	wait_s(1);
	buy(&people[0], 3000, id);
	cancel(&people[0], id);
	hl_order(&people[0], 80000, HL_ALO, 2, 200);
	hl_cancel_one(&people[0], 200);
	hl_act(&people[0], &change, 0);
	says("default");
	hl_cancel_one(&people[0], 201);
	text_init(&t, body, TEXT);
	live_put_arrivals(l, since, &t);
	assert_true(text_end(&t) > 0);
	(void)snprintf(want, sizeof(want),
	    "\"venue\":\"polymarket\",\"call\":\"place\",\"n\":1,\"ids\":"
	    "[\"%s\"]},{\"ns\":",
	    id);
	says(want);
	(void)snprintf(want, sizeof(want),
	    "\"call\":\"cancel\",\"n\":1,\"ids\":[\"%s\"]}", id);
	says(want);
	says("\"call\":\"place\",\"n\":2,\"ids\":["
	     "\"0x000000000000000000000000000000c8\","
	     "\"0x000000000000000000000000000000c9\"]}");
	says("\"call\":\"cancel\",\"n\":1,\"ids\":["
	     "\"0x000000000000000000000000000000c8\"]}");
	says("\"call\":\"place\",\"n\":1,\"ids\":["
	     "\"0x000000000000000000000000000000c9\"]}");
	text_init(&t, body, TEXT);
	live_put_arrivals(l, l->w.now_ns + 1, &t);
	assert_string_equal((text_end(&t), body), "[]");
	text_init(&t, body, 400); /* no room for all: the newest */
	live_put_arrivals(l, since, &t);
	assert_true(text_end(&t) > 0);
	assert_null(strstr(body, id));
	says("c9");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bad_credentials_end_the_user_channel),
	    cmocka_unit_test(orders_are_told_to_their_owner_alone),
	    cmocka_unit_test(a_subscription_shows_both_books_once),
	    cmocka_unit_test(anybody_may_ask_for_markets),
	    cmocka_unit_test(several_tokens_in_one_question),
	    cmocka_unit_test(streams_of_a_user_are_that_user_s),
	    cmocka_unit_test(the_ledger_is_what_was_traded),
	    cmocka_unit_test(arrivals_name_their_orders),
	    cmocka_unit_test(T_39_modes_refuse_orders),
	    cmocka_unit_test(T_14_a_matched_trade_fails),
	    cmocka_unit_test(T_38_a_lapse_cancels_everything),
	    cmocka_unit_test(T_62_a_nonce_is_taken_for_used),
	    cmocka_unit_test(the_book_asked_for_is_the_book_streamed),
	    cmocka_unit_test(binance_answers_what_was_traded),
	    cmocka_unit_test(accounts_are_read_or_refused),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
