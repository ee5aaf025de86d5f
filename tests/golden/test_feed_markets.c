/* links: feedd libvenue libshm libcore */
/*
 * Which markets there are, where their strikes come from, and the life of
 * their connections.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_pm.h"

static void
discovery_makes_an_instrument(void **state)
{
	struct rig *r = open_market();
	const struct instr *in = &r->instr[IDX];

	(void)state;
	assert_string_equal(in->symbol, "btc-updown-15m-1777514400");
	assert_int_equal(in->cls, CLASS_UPDOWN);
	assert_int_equal(in->state, INSTR_NORMAL);
	assert_int_equal(in->epoch, 1);
	assert_int_equal(in->tick_px.e8, C(1));
	assert_int_equal(in->min_qty.e8, Q(5));
	assert_int_equal(in->fee_ppm, 70000);
	assert_int_equal(in->rebate_ppm, 200000);
	assert_int_equal(in->underlying, INSTR_BN_BASE);
	assert_int_equal(in->settle_source, REF_SPOT);
	assert_int_equal(in->start_wall_ns, INT64_C(1777514400) * NS_PER_S);
	assert_int_equal(in->end_wall_ns, INT64_C(1777515300) * NS_PER_S);
	assert_string_equal(r->instr[INSTR_PM_BASE].symbol, "btc/usd");
	assert_int_equal(r->instr[INSTR_PM_BASE].cls, CLASS_INDEX);
	/* By outcome name: the second token is Up. */
	assert_non_null(
	    strstr(rig_last(r, FEED_SEND, 0)->text, "\"" YES "\",\"" NO "\""));
	assert_false(feed_is_ready(r->f));
	books(r, 1777428650000);
	assert_int_equal(feed_link(r->f, 0)->state, LINK_READY);
	assert_true(feed_is_ready(r->f)); /* without prices too */
	rig_close(r);
}

static void
pongs_measure_the_link(void **state)
{
	struct rig *r = open_market();

	(void)state;
	books(r, 1777428650000);
	rig_clear(r);
	rig_until(r, r->now_ns + 1);
	rig_pass(r, 1000 * 1000000ull);
	assert_string_equal(rig_last(r, FEED_SEND, 0)->text, "PING");
	assert_non_null(rig_last(r, FEED_PING, 1));
	rig_pass(r, 42 * 1000000ull);
	rig_clear(r);
	rig_frame(r, 0, "PONG");
	assert_int_equal(rig_ticks(r, TICK_LINK), 1);
	assert_true(r->tick[0].u.link.rtt_us >= 42000);
	assert_int_equal(r->tick[0].u.link.overdue, 0);
	rig_pass(r, 3200 * 1000000ull);
	assert_int_equal(feed_link(r->f, 0)->overdue, 1);
	assert_true(feed_link(r->f, 0)->rtt_us >= 2000000);
	rig_close(r);
}

static void
price(struct rig *r, int64_t s, const char *value)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"topic\":\"crypto_prices_chainlink\",\"type\":\"update\","
	    "\"timestamp\":%lld350,\"payload\":{\"symbol\":\"btc/usd\","
	    "\"timestamp\":%lld000,\"value\":%s}}",
	    (long long)s, (long long)s, value);
	rig_frame(r, 1, text);
}

/* The window opens at 1777514400. */
static void
strike_is_the_price_of_the_opening_second(void **state)
{
	struct rig *r = open_market();

	(void)state;
	price(r, 1777514399, "76000.5");
	assert_int_equal(r->instr[IDX].strike_source, 0);
	price(r, 1777514400, "76001.25");
	assert_int_equal(r->instr[IDX].strike_source, 1);
	assert_int_equal(r->instr[IDX].strike_px.e8, INT64_C(7600125000000));
	price(r, 1777514401, "76009");
	assert_int_equal(r->instr[IDX].strike_px.e8, INT64_C(7600125000000));
	price(r, 1777514401, "76010"); /* again */
	assert_int_equal(feed_stats(r->f)->reason[REASON_SEQ_OLD], 1);
	rig_close(r);
}

static void
strike_of_a_missed_second_is_the_price_before(void **state)
{
	struct rig *r = open_market();

	(void)state;
	price(r, 1777514398, "76000.5");
	price(r, 1777514402, "76005");
	assert_int_equal(r->instr[IDX].strike_px.e8, INT64_C(7600050000000));
	rig_close(r);
	r = open_market(); /* nothing near the opening: no strike */
	price(r, 1777514380, "76000.5");
	price(r, 1777514402, "76005");
	assert_int_equal(r->instr[IDX].strike_source, 0);
	rig_close(r);
}

/* One market a connection: 0 and 2. */
static void
connections_fail_apart(void **state)
{
	static const char two[] =
	    "[{\"conditionId\":\"" COND "\","
	    "\"slug\":\"btc-updown-15m-1777514400\","
	    "\"outcomes\":[\"Up\",\"Down\"],\"clobTokenIds\":["
	    "\"7000000000000000000001\","
	    "\"8000000000000000000001\"],"
	    "\"eventStartTime\":\"2026-04-30T02:00:00Z\","
	    "\"endDate\":\"2026-04-30T02:15:00Z\","
	    "\"acceptingOrders\":true},{\"conditionId\":"
	    "\"0x22222222222222222222222222222222222222222222222222222222222222"
	    "22\",\"slug\":\"eth-updown-15m-1777515300\","
	    "\"eventStartTime\":\"2026-04-30T02:15:00Z\","
	    "\"endDate\":\"2026-04-30T02:30:00Z\",\"outcomes\":[\"Up\","
	    "\"Down\"],\"clobTokenIds\":[\"" YES "\",\"" NO "\"],"
	    "\"acceptingOrders\":true}]";
	struct rig *r = rig_open();
	const struct tick *gap;

	(void)state;
	r->cfg.polymarket_max_tokens = 2;
	rig_start(r, VENUE_POLYMARKET);
	rig_boot(r, two);
	rig_pass(r, 1000000);
	assert_non_null(rig_last(r, FEED_OPEN, 2));
	rig_step(r, FEED_EV_UP, 0);
	rig_step(r, FEED_EV_UP, 2);
	assert_non_null(strstr(rig_last(r, FEED_SEND, 2)->text, YES));
	assert_null(strstr(rig_last(r, FEED_SEND, 0)->text, YES));
	{
		char text[512];

		snprintf(text, sizeof(text),
		    "{\"event_type\":\"book\",\"market\":\"" COND
		    "\",\"asset_id\":\"%s\",\"timestamp\":\"1777428650000\","
		    "\"bids\":[" L("0.4", "1") "],\"asks\":[]}",
		    YES);
		rig_frame(r, 2, text);
	}
	rig_clear(r);
	rig_down(r, 0, 1006); /* of the other market */
	assert_int_equal(rig_ticks(r, TICK_SNAP_BEGIN), 1);
	assert_int_equal(rig_last_tick(r, TICK_BBO)->hdr.instr, IDX + 1);
	rig_clear(r);
	rig_down(r, 2, 1006);
	gap = rig_last_tick(r, TICK_GAP);
	assert_int_equal(gap->u.gap.scope, 1);
	assert_int_equal(gap->hdr.instr, IDX + 1);
	rig_close(r);
}

static void
rest_failures_are_retried(void **state)
{
	struct rig *r = rig_open();
	struct rig_act *a;

	(void)state;
	r->cfg.polymarket_series.n = 1;
	rig_start(r, VENUE_POLYMARKET);
	rig_http(r, rig_last(r, FEED_GET, -1)->a.tag, 500, "<html>", 6);
	rig_clear(r); /* the clock; without it the wall's is taken */
	rig_pass(r, 900 * 1000000ull);
	assert_null(rig_last(r, FEED_GET, -1)); /* held */
	rig_pass(r, 1300 * 1000000ull);
	a = rig_last(r, FEED_GET, -1);
	assert_non_null(a);
	assert_false(feed_is_ready(r->f));
	rig_http(r, a->a.tag, 200, "<html>", 6);
	assert_int_equal(feed_stats(r->f)->reason[REASON_BAD_JSON] +
			     (strstr(a->url, "/time") != NULL),
	    1);
	rig_close(r);
}

static void
windows_are_asked_by_slug(void **state)
{
	struct rig *r = rig_open();
	struct rig_act *a;
	size_t n = 0;

	(void)state;
	r->cfg.polymarket_series.n = 1;
	r->wall_ns = INT64_C(1777514400) * NS_PER_S + 5 * NS_PER_S;
	rig_start(r, VENUE_POLYMARKET);
	a = rig_last(r, FEED_GET, -1);
	a->a.what = FEED_LOG;
	rig_http(r, a->a.tag, 200, "1777514406", 10);
	for (size_t i = 0; i < r->act_n; i++)
		n += strstr(r->act[i].url,
			 "/markets/slug/btc-updown-15m-1777") != NULL;
	/* The present one, two ahead, and the hour behind. */
	assert_int_equal(n, 3 + 4);
	rig_boot(r, "[]");
	/* Nothing by slug: the list was looked through. */
	n = 0;
	for (size_t i = 0; i < r->act_n; i++)
		n += strstr(r->act[i].url, "/markets/keyset") != NULL;
	assert_int_equal(n, 1);
	rig_pass(r, 1000000);
	assert_null(rig_last(r, FEED_OPEN, 0)); /* nothing to subscribe */
	rig_close(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(discovery_makes_an_instrument),
	    cmocka_unit_test(pongs_measure_the_link),
	    cmocka_unit_test(strike_is_the_price_of_the_opening_second),
	    cmocka_unit_test(strike_of_a_missed_second_is_the_price_before),
	    cmocka_unit_test(connections_fail_apart),
	    cmocka_unit_test(rest_failures_are_retried),
	    cmocka_unit_test(windows_are_asked_by_slug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
