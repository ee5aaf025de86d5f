/* links: simvenue libvenue libsign libsys libshm libcore */
/*
 * Faults of the live exchanges, one after the other, each as a client meets
 * it: what is told, and what is so. The ids are those of the traps that the
 * faults are for (fault.def).
 */
#include "tests/unit/livesay.h"

static const struct pmx_order *
pm_order(const char *id)
{
	for (uint32_t i = 0; i < PMX_ORDERS; i++) {
		char text[PM_ID_TEXT_MAX];

		if (l->w.pmx.order[i].state == 0)
			continue;
		pm_id_text(l->w.pmx.order[i].id.b, text);
		if (strcmp(text, id) == 0)
			return &l->w.pmx.order[i];
	}
	return NULL;
}

static const struct hlx_order *
hl_order_of(const struct person *p, uint8_t cloid)
{
	const struct hlx *x = &l->w.hlx;
	const uint8_t id[16] = {[15] = cloid};
	uint32_t i = hlx_find_cloid(x, hlx_account_find(x, p->who.b), id);

	return i == HLX_NONE ? NULL : &x->order[i];
}

/* ---- fills and positions ---- */

static void
T_14_matched_and_not_broadcast(void **arg)
{
	struct live_mood m = {.is_unsent = true, .mine_ms = 60000};
	struct live_mood well = {0};
	char id[PM_ID_TEXT_MAX];

	(void)arg;
	live_set_mood(l, &m);
	buy(&people[0], 6000, id);
	says("matched");
	wait_s(20);
	call2(&people[0], "GET", "/data/trades", NULL);
	says("\"TRADE_STATUS_MATCHED_NOT_BROADCASTED\"");
	live_set_mood(l, &well);
	wait_s(60);
	call2(&people[0], "GET", "/data/trades", NULL);
	says("\"TRADE_STATUS_CONFIRMED\"");
}

/* What was bought cannot be sold while it is slow. */
static void
T_24_an_order_without_a_balance(void **arg)
{
	char id[PM_ID_TEXT_MAX];

	(void)arg;
	trip(FAULT_NO_BALANCE, 0);
	buy(&people[0], 3000, id);
	assert_int_equal(status, 400);
	says("not enough balance / allowance");
	trip(FAULT_NO_BALANCE, 0);
	hl_order(&people[0], 80000, HL_ALO, 1, 11);
	says("Insufficient margin");
	assert_null(hl_order_of(&people[0], 11));
}

static void
T_26_inventory_changes_without_a_fill(void **arg)
{
	uint32_t account = l->w.pm_desk.login[0].account[PM_SIG_EOA];
	int64_t before = l->w.pmx.account[account].usd.own;
	uint64_t trades = l->w.pm_count.trades;

	(void)arg;
	trip(FAULT_EXTERNAL_CHANGE, 25);
	wait_s(2);
	assert_int_equal(before - l->w.pmx.account[account].usd.own, 25 * E6);
	trip(FAULT_EXTERNAL_CHANGE, 25);
	wait_s(2);
	assert_int_equal(l->w.pmx.account[account].usd.own, before);
	assert_int_equal(l->w.pm_count.trades, trades);
	assert_true(pmx_is_conserved(&l->w.pmx));
}

static void
T_27_answers_that_lag(void **arg)
{
	struct live_mood m = {
	    .pm_stale_ns = 3 * SECOND, .hl_stale_ns = 3 * SECOND};
	struct live_mood well = {0};
	char id[PM_ID_TEXT_MAX];

	(void)arg;
	live_set_mood(l, &m);
	buy(&people[0], 3000, id);
	hl_order(&people[0], 80000, HL_ALO, 1, 12);
	call2(&people[0], "GET", "/data/orders", NULL);
	assert_null(strstr(body, id));
	hl_ask(&people[0], "openOrders", "");
	assert_string_equal(body, "[]");
	wait_s(4);
	call2(&people[0], "GET", "/data/orders", NULL);
	says(id);
	hl_ask(&people[0], "openOrders", "");
	says("\"limitPx\":\"80000.0\"");
	cancel(&people[0], id);
	hl_cancel_one(&people[0], 12);
	call2(&people[0], "GET", "/data/orders", NULL);
	says(id);
	hl_ask(&people[0], "openOrders", "");
	says("\"limitPx\":\"80000.0\"");
	wait_s(4);
	call2(&people[0], "GET", "/data/orders", NULL);
	assert_null(strstr(body, id));
	live_set_mood(l, &well);
}

static void
T_16_one_trade_hits_several_orders(void **arg)
{
	char id[2][PM_ID_TEXT_MAX];

	(void)arg;
	buy(&people[0], 4900, id[0]);
	buy(&people[0], 4900, id[1]);
	trip(FAULT_SWEEP, 200);
	wait_s(2);
	assert_int_equal(pm_order(id[0])->state, PMX_MATCHED);
	assert_int_equal(pm_order(id[1])->state, PMX_MATCHED);
	assert_int_equal(pm_order(id[0])->trade[0], pm_order(id[1])->trade[0]);
	assert_true(pmx_is_conserved(&l->w.pmx));
}

/* ---- the life of an order ---- */

static void
T_31_an_order_that_nobody_knows(void **arg)
{
	char id[PM_ID_TEXT_MAX];
	char path[256];

	(void)arg;
	buy(&people[0], 3000, id);
	(void)snprintf(path, sizeof(path), "/data/order/%s", id);
	trip(FAULT_ORDER_UNKNOWN, 0);
	call2(&people[0], "GET", path, NULL);
	assert_string_equal(body, "null");
	call2(&people[0], "GET", path, NULL);
	says(id);
	hl_order(&people[0], 80000, HL_ALO, 1, 13);
	trip(FAULT_ORDER_UNKNOWN, 0);
	hl_ask(&people[0], "orderStatus",
	    ",\"oid\":\"0x0000000000000000000000000000000d\"");
	says("unknownOid");
	hl_ask(&people[0], "orderStatus",
	    ",\"oid\":\"0x0000000000000000000000000000000d\"");
	says("\"status\":\"open\"");
	cancel(&people[0], id);
	hl_cancel_one(&people[0], 13);
}

static void
T_32_delayed_is_live(void **arg)
{
	char id[PM_ID_TEXT_MAX];

	(void)arg;
	trip(FAULT_ORDER_DELAYED, 2000);
	buy(&people[0], 3000, id);
	says("\"status\":\"delayed\",\"makingAmount\":\"\"");
	cancel(&people[0], id);
	says("can't be canceled");
	wait_s(3);
	assert_int_equal(pm_order(id)->state, PMX_LIVE);
	cancel(&people[0], id);
	assert_int_equal(pm_order(id)->state, PMX_CANCELED);
}

static void
T_33_success_without_an_id(void **arg)
{
	char id[PM_ID_TEXT_MAX];

	(void)arg;
	trip(FAULT_EMPTY_ID, 0);
	buy(&people[0], 3000, id);
	assert_int_equal(status, 200);
	says("\"success\":true,\"errorMsg\":\"could not run the execution\","
	     "\"orderID\":\"\"");
	assert_null(pm_order(id));
}

static void
T_34_a_cancel_is_refused(void **arg)
{
	char id[PM_ID_TEXT_MAX];

	(void)arg;
	buy(&people[0], 3000, id);
	trip(FAULT_NOT_CANCELED, 0);
	cancel(&people[0], id);
	says("\"canceled\":[],\"not_canceled\":{\"0x");
	assert_int_equal(pm_order(id)->state, PMX_LIVE);
	cancel(&people[0], id);
	hl_order(&people[0], 80000, HL_ALO, 1, 14);
	trip(FAULT_NOT_CANCELED, 0);
	hl_cancel_one(&people[0], 14);
	says("never placed, already canceled, or filled");
	assert_int_equal(hl_order_of(&people[0], 14)->status, HLX_OPEN);
	hl_cancel_one(&people[0], 14);
	says("success");
}

static void
T_35_told_as_gone_and_still_there(void **arg)
{
	char id[PM_ID_TEXT_MAX];

	(void)arg;
	buy(&people[0], 3000, id);
	hl_order(&people[0], 80000, HL_ALO, 1, 15);
	trip(FAULT_CANCEL_LATE, 1500);
	cancel(&people[0], id);
	says("\"canceled\":[\"0x");
	trip(FAULT_CANCEL_LATE, 1500);
	hl_cancel_one(&people[0], 15);
	says("success");
	wait_s(1);
	assert_int_equal(pm_order(id)->state, PMX_LIVE);
	assert_int_equal(hl_order_of(&people[0], 15)->status, HLX_OPEN);
	wait_s(1);
	assert_int_equal(pm_order(id)->state, PMX_CANCELED);
	assert_int_equal(hl_order_of(&people[0], 15)->status, HLX_CANCELED);
}

static void
T_36_filled_before_the_cancel(void **arg)
{
	struct hl_order o = {.side = SIDE_BID,
	    .px = PX(79000 * E8),
	    .qty = QTY(E8 / 100),
	    .tif = HL_ALO};
	struct hl_modify k = {
	    .by_cloid = true, .cloid = {[15] = 16}, .order = o};
	struct hl_action a = {.kind = HL_BATCH_MODIFY, .n = 1, .changes = &k};
	char id[PM_ID_TEXT_MAX];

	(void)arg;
	buy(&people[0], 3000, id);
	trip(FAULT_FILL_IN_CANCEL, 1);
	cancel(&people[0], id);
	says("\"canceled\":[\"0x"); /* the other half */
	assert_int_equal(pm_order(id)->matched.e8, 5 * E8);
	buy(&people[0], 3000, id);
	trip(FAULT_FILL_IN_CANCEL, 0);
	cancel(&people[0], id);
	says("already canceled or matched");
	assert_int_equal(pm_order(id)->state, PMX_MATCHED);
	hl_order(&people[0], 80000, HL_ALO, 1, 16);
	trip(FAULT_FILL_IN_CANCEL, 0);
	hl_act(&people[0], &a, 0);
	says("Cannot modify canceled or filled order");
	assert_int_equal(hl_order_of(&people[0], 16)->status, HLX_FILLED);
	assert_true(pmx_is_conserved(&l->w.pmx));
	assert_true(hlx_is_conserved(&l->w.hlx));
}

static void
T_39_the_engine_restarts(void **arg)
{
	struct live_mood m = {.is_restarting = true};
	struct live_mood well = {0};
	char id[PM_ID_TEXT_MAX];

	(void)arg;
	live_set_mood(l, &m);
	buy(&people[0], 3000, id);
	assert_int_equal(status, 425);
	assert_null(pm_order(id));
	call2(&people[0], "POST", "/v1/heartbeats", "{\"heartbeat_id\":\"\"}");
	assert_int_equal(status, 425);
	call2(&people[0], "GET", "/data/orders", NULL);
	assert_int_equal(status, 200);
	live_set_mood(l, &well);
}

static void
T_40_a_post_only_order_that_crosses(void **arg)
{
	(void)arg;
	trip(FAULT_POST_ONLY_CROSSES, 0);
	hl_order(&people[0], 80000, HL_ALO, 1, 17);
	says("Post only order would have immediately matched, bbo was 80000@");
	assert_null(hl_order_of(&people[0], 17));
}

/* ---- limits and clocks ---- */

static void
T_45_the_budget_is_gone(void **arg)
{
	struct live_mood m = {.is_exhausted = true};
	struct live_mood well = {0};

	(void)arg;
	hl_order(&people[0], 80000, HL_ALO, 1, 18);
	live_set_mood(l, &m);
	hl_order(&people[0], 80000, HL_ALO, 1, 19);
	says("Too many cumulative requests sent");
	hl_cancel_one(&people[0], 18);
	says("success");
	live_set_mood(l, &well);
}

/* One action every ten seconds when the budget itself is spent. */
static void
T_45_one_in_ten_seconds(void **arg)
{
	struct hlx_account *a =
	    &l->w.hlx.account[hlx_account_find(&l->w.hlx, people[1].who.b)];

	(void)arg;
	l->w.hl_desk.has_limits = true;
	a->actions = 10 * HLX_BUDGET + (uint64_t)a->volume.e6;
	hl_order(&people[1], 80000, HL_ALO, 1, 20);
	says("Too many cumulative requests sent");
	wait_s(10);
	hl_order(&people[1], 80000, HL_ALO, 1, 20);
	says("resting");
	hl_order(&people[1], 80000, HL_ALO, 1, 21);
	says("Too many cumulative requests sent");
	a->actions = 0;
	hl_cancel_one(&people[1], 20);
	l->w.hl_desk.has_limits = false;
}

static void
T_48_another_clock(void **arg)
{
	struct live_mood m = {.pm_skew_s = 400, .hl_skew_s = 3 * 86400};
	struct live_mood well = {0};

	(void)arg;
	live_set_mood(l, &m);
	call2(&people[0], "GET", "/data/orders", NULL);
	assert_int_equal(status, 401);
	hl_order(&people[0], 80000, HL_ALO, 1, 22);
	says("Invalid nonce");
	live_set_mood(l, &well);
	call2(&people[0], "GET", "/data/orders", NULL);
	assert_int_equal(status, 200);
}

/* ---- Hyperliquid ---- */

static void
T_63_an_action_that_expires(void **arg)
{
	struct hl_order o = {.side = SIDE_BID,
	    .px = PX(80000 * E8),
	    .qty = QTY(E8 / 100),
	    .tif = HL_ALO};
	struct hl_action a = {.kind = HL_ORDER, .n = 1, .orders = &o};
	uint32_t account = hlx_account_find(&l->w.hlx, people[0].who.b);
	uint64_t spent = l->w.hlx.account[account].actions;

	(void)arg;
	trip(FAULT_ACTION_LATE, 6000);
	hl_act(&people[0], &a, l->w.now_ns / 1000000u + 5000);
	says("Action expired.");
	assert_int_equal(l->w.hlx.account[account].actions, spent + 5);
}

static void
T_64_schedule_needs_volume(void **arg)
{
	struct live_mood m = {.schedule_min = USD(1000000 * E6)};
	struct live_mood well = {0};
	struct hl_action a = {.kind = HL_SCHEDULE_CANCEL};

	(void)arg;
	a.time_ms = l->w.now_ns / 1000000u + 8000;
	live_set_mood(l, &m);
	hl_act(&people[0], &a, 0);
	says("Cannot set scheduled cancel time");
	live_set_mood(l, &well);
	hl_act(&people[0], &a, 0);
	says("default");
	a.time_ms = 0;
	hl_act(&people[0], &a, 0);
}

static void
T_65_another_signer(void **arg)
{
	(void)arg;
	trip(FAULT_SIGNER_UNKNOWN, 0);
	hl_order(&people[0], 80000, HL_ALO, 1, 23);
	says("User or API Wallet 0x");
	says("does not exist.");
}

static void
T_68_an_account_that_seems_empty(void **arg)
{
	char id[PM_ID_TEXT_MAX];

	(void)arg;
	trip(FAULT_EMPTY_ACCOUNT, 0);
	hl_ask(&people[0], "clearinghouseState", "");
	says("\"accountValue\":\"0.0\"");
	hl_ask(&people[0], "clearinghouseState", "");
	assert_null(strstr(body, "\"accountValue\":\"0.0\""));
	buy(&people[0], 3000, id);
	trip(FAULT_EMPTY_ACCOUNT, 0);
	call2(&people[0], "GET", "/data/orders", NULL);
	says("\"data\":[]");
	call2(&people[0], "GET", "/data/orders", NULL);
	says(id);
	cancel(&people[0], id);
}

static void
T_69_a_fill_without_an_order(void **arg)
{
	void *sub = open_sub(VENUE_HYPERLIQUID, "/ws");
	uint32_t account = hlx_account_find(&l->w.hlx, people[1].who.b);

	(void)arg;
	hl_follow(&people[1], sub, "userFills", "");
	hl_follow(&people[1], sub, "userEvents", "");
	hl_order(&people[1], 90000, HL_IOC, 1, 24);
	says("filled");
	kept_n = 0;
	trip(FAULT_LIQUIDATION, 0);
	wait_s(2);
	assert_int_equal(l->w.hlx.account[account].pos[0].qty.e8, 0);
	assert_true(heard(VENUE_HYPERLIQUID, sub, "\"oid\":0") > 0);
	assert_true(
	    heard(VENUE_HYPERLIQUID, sub, "{\"liquidation\":{\"lid\"") > 0);
	assert_true(hlx_is_conserved(&l->w.hlx));
	free(sub);
}

static void
T_70_batches_in_parts(void **arg)
{
	(void)arg;
	trip(FAULT_HALF_BATCH, 0);
	hl_order(&people[0], 80000, HL_ALO, 2, 25);
	says("[{\"resting\":{\"oid\":");
	says("{\"error\":\"Internal error");
	assert_null(hl_order_of(&people[0], 26));
	trip(FAULT_BATCH_ONE_ERROR, 0);
	hl_order(&people[0], 80000, HL_ALO, 2, 27);
	says("\"statuses\":[{\"error\":\"Order has invalid price. asset=0\"}]");
	assert_null(hl_order_of(&people[0], 27));
	hl_cancel_one(&people[0], 25);
}

/* ---- markets ---- */

static void
T_07_a_grid_changes_under_orders(void **arg)
{
	struct world_window *v = NULL;
	uint32_t off = 0;

	(void)arg;
	for (uint32_t i = 0; i < WORLD_WINDOWS && v == NULL; i++)
		if (l->w.window[i].phase == WORLD_TRADING &&
		    l->w.window[i].end_ns > l->w.now_ns + 30 * SECOND)
			v = &l->w.window[i];
	assert_non_null(v);
	for (int64_t want = 2; want > 0; want--) {
		int64_t tick;

		trip(FAULT_TICK_CHANGE, 0);
		wait_s(2);
		tick = l->w.pmx.market[v->market].terms.tick.tok_e8;
		assert_true(tick == E8 / 100 || tick == E8 / 1000);
		for (uint32_t i = 0; i < PMX_ORDERS; i++)
			off += l->w.pmx.order[i].state == PMX_LIVE &&
			       l->w.pmx.order[i].market == v->market &&
			       l->w.pmx.order[i].px.tok_e8 % tick != 0;
		assert_int_equal(off, 0);
	}
	assert_true(v->is_pinned);
}

static void
T_06_disputed_then_void(void **arg)
{
	struct live_mood m = {.disputes = true};
	struct live_mood then = {.voids = true};
	struct live_mood well = {0};
	struct world_window *v = NULL;
	char path[128];

	(void)arg;
	for (uint32_t i = 0; i < WORLD_WINDOWS; i++)
		if (l->w.window[i].phase == WORLD_TRADING &&
		    l->w.window[i].end_ns != 0 &&
		    (v == NULL || l->w.window[i].end_ns < v->end_ns))
			v = &l->w.window[i];
	assert_non_null(v);
	live_set_mood(l, &m);
	while (l->w.now_ns < v->end_ns + 20 * SECOND)
		live_step(l, l->w.now_ns + SECOND / 2);
	assert_int_equal(v->phase, WORLD_ENDED);
	(void)snprintf(path, sizeof(path), "/markets/slug/%s", v->slug);
	call(VENUE_POLYMARKET, "GET", path, NULL, "");
	says("\"umaResolutionStatus\":\"disputed\"");
	live_set_mood(l, &then);
	wait_s(2);
	assert_int_equal(v->phase, WORLD_RESOLVED);
	call(VENUE_POLYMARKET, "GET", path, NULL, "");
	says("\"closed\":true");
	says("\"outcomePrices\":\"[\\\"0.5\\\", \\\"0.5\\\"]\"");
	assert_true(pmx_is_conserved(&l->w.pmx));
	live_set_mood(l, &well);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(T_14_matched_and_not_broadcast),
	    cmocka_unit_test(T_24_an_order_without_a_balance),
	    cmocka_unit_test(T_26_inventory_changes_without_a_fill),
	    cmocka_unit_test(T_27_answers_that_lag),
	    cmocka_unit_test(T_31_an_order_that_nobody_knows),
	    cmocka_unit_test(T_32_delayed_is_live),
	    cmocka_unit_test(T_33_success_without_an_id),
	    cmocka_unit_test(T_34_a_cancel_is_refused),
	    cmocka_unit_test(T_35_told_as_gone_and_still_there),
	    cmocka_unit_test(T_36_filled_before_the_cancel),
	    cmocka_unit_test(T_16_one_trade_hits_several_orders),
	    cmocka_unit_test(T_39_the_engine_restarts),
	    cmocka_unit_test(T_40_a_post_only_order_that_crosses),
	    cmocka_unit_test(T_45_the_budget_is_gone),
	    cmocka_unit_test(T_45_one_in_ten_seconds),
	    cmocka_unit_test(T_48_another_clock),
	    cmocka_unit_test(T_63_an_action_that_expires),
	    cmocka_unit_test(T_64_schedule_needs_volume),
	    cmocka_unit_test(T_65_another_signer),
	    cmocka_unit_test(T_68_an_account_that_seems_empty),
	    cmocka_unit_test(T_69_a_fill_without_an_order),
	    cmocka_unit_test(T_70_batches_in_parts),
	    cmocka_unit_test(T_07_a_grid_changes_under_orders),
	    cmocka_unit_test(T_06_disputed_then_void),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
