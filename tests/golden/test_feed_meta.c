/* links: feedd libvenue libshm libcore */
/*
 * Hyperliquid's list of coins is read again every hour; what comes from the
 * wrong lane, or twice under two names, is told once.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_rig.h"

#define MS   UINT64_C(1000000)
#define SEC  (1000 * MS)
#define HOUR (3600 * SEC)
#define BTC  INSTR_HL_BASE
#define ETH  (INSTR_HL_BASE + 1)
#define B    "{\"szDecimals\":5,\"name\":\"BTC\",\"maxLeverage\":40"
#define E    "{\"szDecimals\":4,\"name\":\"ETH\",\"maxLeverage\":25"

static void
answer(struct rig *r, const char *universe)
{
	char text[512];

	snprintf(text, sizeof(text), "{\"universe\":[%s]}", universe);
	rig_http(r, 1, 200, text, strlen(text));
}

static struct rig *
open_coins(const char *universe)
{
	struct rig *r = rig_open();
	char why[CFG_WHY_SZ];

	assert_true(
	    cfg_set(&r->cfg, CFG_KEY_hyperliquid_coins, "BTC, ETH", why));
	r->cfg.hyperliquid_idle_s.ns = 3600 * NS_PER_S;
	r->cfg.hyperliquid_rotate.ns = 0;
	r->read.touch_apart = true;
	rig_start(r, VENUE_HYPERLIQUID);
	answer(r, universe);
	rig_pass(r, MS);
	rig_step(r, FEED_EV_UP, 0);
	rig_clear(r);
	return r;
}

/* Time passes on a connection that answers. */
static void
live(struct rig *r, uint64_t ns)
{
	for (uint64_t t = 0; t < ns; t += 5 * SEC) {
		rig_pass(r, 5 * SEC);
		rig_frame(r, 0, "{\"channel\":\"pong\"}");
	}
}

static size_t
asked(const struct rig *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->act_n; i++)
		n += r->act[i].a.what == FEED_GET;
	return n;
}

static void
list_is_read_every_hour(void **state)
{
	struct rig *r = open_coins(B "}," E "}");

	(void)state;
	live(r, HOUR - 10 * SEC);
	assert_int_equal(asked(r), 0);
	live(r, 10 * SEC);
	assert_int_equal(asked(r), 1);
	rig_clear(r);
	answer(r, B "}," E ",\"isDelisted\":true}");
	assert_int_equal(r->instr[BTC].state, INSTR_NORMAL);
	assert_int_equal(r->instr[ETH].state, INSTR_HALTED);
	assert_int_equal(rig_ticks(r, TICK_INSTR), 1);
	rig_clear(r); /* no answer: again in a minute, not in an hour */
	live(r, HOUR);
	assert_int_equal(asked(r), 1);
	rig_http(r, 1, 500, "busy", 4);
	rig_clear(r);
	live(r, 50 * SEC);
	assert_int_equal(asked(r), 0);
	live(r, 15 * SEC);
	assert_int_equal(asked(r), 1);
	answer(r, B "}," E "}");
	assert_int_equal(r->instr[ETH].state, INSTR_NORMAL);
	rig_clear(r); /* told to wait: so long */
	live(r, HOUR);
	{
		struct feed_event ev = rig_event(r, FEED_EV_HTTP, 0);

		ev.tag = 1;
		ev.code = 429;
		ev.reason = REASON_HTTP_REFUSED;
		ev.retry_after_s = 300;
		feed_step(r->f, &ev);
	}
	rig_clear(r);
	live(r, 290 * SEC);
	assert_int_equal(asked(r), 0);
	live(r, 15 * SEC);
	assert_int_equal(asked(r), 1);
	rig_close(r);
}

static void
coin_that_is_gone_is_halted(void **state)
{
	struct rig *r = open_coins(B "}," E "}");
	uint16_t epoch = r->instr[BTC].epoch;

	(void)state;
	live(r, HOUR);
	rig_clear(r);
	answer(r, E "}");
	assert_int_equal(r->instr[BTC].state, INSTR_HALTED);
	assert_int_equal(r->instr[BTC].epoch, epoch);
	assert_int_equal(r->instr[ETH].asset_idx, 0); /* another number */
	assert_true(r->instr[ETH].epoch != epoch);
	rig_close(r);
}

static void
delisted_from_the_start_is_halted(void **state)
{
	struct rig *r = open_coins(B ",\"isDelisted\":true}," E "}");

	(void)state;
	assert_int_equal(r->instr[BTC].state, INSTR_HALTED);
	assert_int_equal(r->instr[ETH].state, INSTR_NORMAL);
	rig_close(r);
}

static void
context(struct rig *r, uint8_t conn, int mark)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"channel\":\"activeAssetCtx\",\"data\":{\"coin\":\"BTC\","
	    "\"ctx\":{\"funding\":\"0.0000125\",\"openInterest\":\"1\","
	    "\"prevDayPx\":\"1\",\"dayNtlVlm\":\"1\",\"premium\":null,"
	    "\"oraclePx\":\"%d\",\"markPx\":\"%d\",\"midPx\":null,"
	    "\"impactPxs\":null}}}",
	    mark, mark);
	rig_frame(r, conn, text);
}

/* It has neither a time nor a number: two lanes would go to and fro. */
static void
context_is_the_main_lanes(void **state)
{
	struct rig *r = rig_open();
	char why[CFG_WHY_SZ];

	(void)state;
	assert_true(cfg_set(&r->cfg, CFG_KEY_hyperliquid_coins, "BTC", why));
	r->cfg.hyperliquid_ab = true;
	rig_start(r, VENUE_HYPERLIQUID);
	answer(r, B "}");
	rig_pass(r, MS);
	rig_step(r, FEED_EV_UP, 0);
	rig_step(r, FEED_EV_UP, 8);
	rig_clear(r);
	context(r, 0, 100);
	context(r, 8, 90);
	assert_int_equal(rig_ticks(r, TICK_REF), 1);
	assert_int_equal(rig_last_tick(r, TICK_REF)->u.ref.px.e8, 100 * E8);
	rig_down(r, 0, 1006); /* the other one is the main one then */
	rig_clear(r);
	rig_pass(r, MS);
	context(r, 8, 91);
	assert_int_equal(rig_last_tick(r, TICK_REF)->u.ref.px.e8, 91 * E8);
	rig_close(r);
}

static void
bn_trade(struct rig *r, const char *kind, const char *id, int n)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"stream\":\"btcusdt@%s\",\"data\":{\"e\":\"%s\",\"E\":%lld,"
	    "\"s\":\"BTCUSDT\",\"%s\":%d,\"p\":\"100\",\"q\":\"1\",\"f\":%d,"
	    "\"l\":%d,\"T\":%lld,\"m\":true,\"M\":true}}",
	    kind, kind, 1790232236000ll + n, id, n, n, n, 1790232236000ll + n);
	rig_frame(r, 0, text);
}

static size_t
bn_trades(const char *streams)
{
	struct rig *r = rig_open();
	char why[CFG_WHY_SZ];
	size_t n;

	assert_true(cfg_set(&r->cfg, CFG_KEY_binance_symbols, "btcusdt", why));
	assert_true(cfg_set(&r->cfg, CFG_KEY_binance_streams, streams, why));
	rig_start(r, VENUE_BINANCE);
	rig_pass(r, MS);
	rig_step(r, FEED_EV_UP, 0);
	bn_trade(r, "trade", "t", 7);
	bn_trade(r, "aggTrade", "a", 3);
	n = rig_ticks(r, TICK_TRADE);
	rig_close(r);
	return n;
}

/* The same trades twice under other ids: one of the streams counts. */
static void
aggregates_beside_trades_are_not_told(void **state)
{
	(void)state;
	assert_int_equal(bn_trades("trade, aggTrade, bookTicker"), 1);
	assert_int_equal(bn_trades("aggTrade, bookTicker"), 2);
}

/* The look at the clock is nobody's answer. */
static void
time_is_for_the_clock_alone(void **state)
{
	static const enum venue venues[] = {
	    VENUE_POLYMARKET, VENUE_BINANCE, VENUE_HYPERLIQUID};

	(void)state;
	for (size_t i = 0; i < sizeof(venues) / sizeof(venues[0]); i++) {
		struct rig *r = rig_open();
		uint64_t malformed;

		rig_start(r, venues[i]);
		malformed = feed_stats(r->f)->malformed;
		rig_clear(r);
		rig_http(r, FEED_TAG_TIME, 200, "{\"universe\":[]}", 15);
		rig_http(r, FEED_TAG_TIME, 500, "", 0);
		assert_int_equal(r->act_n, 0);
		assert_int_equal(r->tick_n, 0);
		assert_int_equal(feed_stats(r->f)->malformed, malformed);
		rig_close(r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(list_is_read_every_hour),
	    cmocka_unit_test(coin_that_is_gone_is_halted),
	    cmocka_unit_test(delisted_from_the_start_is_halted),
	    cmocka_unit_test(context_is_the_main_lanes),
	    cmocka_unit_test(aggregates_beside_trades_are_not_told),
	    cmocka_unit_test(time_is_for_the_clock_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
