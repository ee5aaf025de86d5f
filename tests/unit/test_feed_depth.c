/* links: feedd libvenue libshm libcore */
/*
 * Binance through the core with frames of our own: order of updates between
 * streams, lost messages, snapshots that do not fit, faults.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_rig.h"

#define IDX INSTR_BN_BASE

static struct rig *
open_streams(const char *streams)
{
	struct rig *r = rig_open();
	char why[CFG_WHY_SZ];

	assert_true(cfg_set(&r->cfg, CFG_KEY_binance_streams, streams, why));
	r->read.touch_apart = true;
	rig_start(r, VENUE_BINANCE);
	rig_pass(r, 1000000);
	rig_step(r, FEED_EV_UP, 0);
	return r;
}

static void
trade(struct rig *r, uint64_t id, bool buyer_is_maker)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\","
	    "\"E\":1723161601438001,\"s\":\"BTCUSDT\",\"t\":%llu,"
	    "\"p\":\"61685.99\",\"q\":\"0.00017\",\"T\":1723161601437000,"
	    "\"m\":%s,\"M\":true}}",
	    (unsigned long long)id, buyer_is_maker ? "true" : "false");
	rig_frame(r, 0, text);
}

static void
ticker(struct rig *r, uint64_t u, const char *bid, const char *ask)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":%llu,"
	    "\"s\":\"BTCUSDT\",\"b\":\"%s\",\"B\":\"1\",\"a\":\"%s\","
	    "\"A\":\"2\"}}",
	    (unsigned long long)u, bid, ask);
	rig_frame(r, 0, text);
}

static void
depth(struct rig *r, uint64_t first, uint64_t last, const char *bids,
    const char *asks)
{
	char text[1024];

	snprintf(text, sizeof(text),
	    "{\"stream\":\"btcusdt@depth@100ms\",\"data\":{"
	    "\"e\":\"depthUpdate\",\"E\":1723161601500000,\"s\":\"BTCUSDT\","
	    "\"U\":%llu,\"u\":%llu,\"b\":[%s],\"a\":[%s]}}",
	    (unsigned long long)first, (unsigned long long)last, bids, asks);
	rig_frame(r, 0, text);
}

static void
snapshot(struct rig *r, uint64_t id)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"lastUpdateId\":%llu,\"bids\":[[\"100\",\"1\"],[\"99\",\"5\"]],"
	    "\"asks\":[[\"101\",\"2\"],[\"102\",\"4\"]]}",
	    (unsigned long long)id);
	rig_http(r, 0, 200, text, strlen(text));
}

static void
streams_are_asked_in_the_address(void **state)
{
	struct rig *r = open_streams("trade, bookTicker");

	(void)state;
	assert_string_equal(rig_last(r, FEED_OPEN, 0)->url,
	    "ws://127.0.0.1:18802/stream?streams=btcusdt@trade/"
	    "btcusdt@bookTicker&timeUnit=MICROSECOND");
	assert_string_equal(r->instr[IDX].symbol, "BTCUSDT");
	assert_int_equal(r->instr[IDX].cls, CLASS_SPOT);
	/* No data yet: not READY; but a silent venue holds up no start. */
	assert_false(feed_is_ready(r->f));
	rig_pass(r, 2000 * 1000000ull);
	rig_step(r, FEED_EV_PONG, 0);
	rig_pass(r, 3100 * 1000000ull);
	assert_true(feed_is_ready(r->f));
	assert_int_equal(feed_state(r->f), LINK_UP);
	rig_close(r);
}

static void
trades_and_tickers(void **state)
{
	struct rig *r = open_streams("trade, bookTicker");

	(void)state;
	ticker(r, 40, "1", "2"); /* READY */
	rig_clear(r);
	trade(r, 7, true);
	assert_int_equal(r->tick[0].u.trade.side, SIDE_ASK);
	assert_int_equal(r->tick[0].u.trade.px.e8, INT64_C(6168599000000));
	assert_int_equal(r->tick[0].hdr.venue_ns, INT64_C(1723161601437000000));
	trade(r, 7, true); /* again */
	assert_int_equal(r->tick_n, 1);
	ticker(r, 50, "100", "101");
	ticker(r, 49, "90", "101");  /* older */
	ticker(r, 51, "100", "101"); /* the same touch */
	assert_int_equal(r->tick_n, 2);
	assert_int_equal(r->tick[1].u.bbo.bid_px.e8, 100 * E8);
	assert_int_equal(feed_stats(r->f)->reason[REASON_SEQ_OLD], 2);
	rig_close(r);
}

static void
lost_trades_are_told(void **state)
{
	struct rig *r = open_streams("trade, bookTicker");

	(void)state;
	ticker(r, 50, "100", "101");
	trade(r, 7, false);
	rig_clear(r);
	trade(r, 11, false);
	assert_int_equal(r->tick[0].hdr.kind, TICK_GAP);
	assert_int_equal(r->tick[0].u.gap.lost_n, 3);
	assert_int_equal(r->tick[0].u.gap.reason, REASON_SEQ_GAP);
	/* the touch is still true, and told again */
	assert_int_equal(r->tick[1].hdr.kind, TICK_BBO);
	assert_int_equal(r->tick[2].hdr.kind, TICK_TRADE);
	rig_close(r);
}

static void
book_waits_for_its_snapshot(void **state)
{
	struct rig *r = open_streams("depth@100ms");

	(void)state;
	rig_clear(r);
	assert_false(feed_is_ready(r->f));
	depth(r, 10, 12, "[\"98\",\"1\"]", "");
	assert_non_null(strstr(rig_last(r, FEED_GET, -1)->url,
	    "/api/v3/depth?limit=1000&symbol=BTCUSDT"));
	depth(r, 13, 15, "[\"100\",\"3\"]", "[\"101\",\"0\"]");
	assert_int_equal(r->tick_n, 0);
	snapshot(r, 13); /* the second one straddles it */
	assert_int_equal(rig_ticks(r, TICK_SNAP_BEGIN), 1);
	assert_int_equal(r->tick[0].u.snap.venue_seq, 15);
	assert_int_equal(rig_last_tick(r, TICK_BBO)->u.bbo.bid_qty.e8, 3 * E8);
	assert_int_equal(rig_last_tick(r, TICK_BBO)->u.bbo.ask_px.e8, 102 * E8);
	assert_true(feed_is_ready(r->f));
	rig_clear(r);
	depth(r, 14, 15, "[\"1\",\"1\"]", ""); /* known */
	assert_int_equal(r->tick_n, 0);
	depth(r, 16, 17, "[\"100\",\"0\"]", "");
	assert_int_equal(r->tick[0].u.level.venue_seq, 17);
	assert_int_equal(rig_last_tick(r, TICK_BBO)->u.bbo.bid_px.e8, 99 * E8);
	rig_close(r);
}

static void
old_snapshot_is_asked_again(void **state)
{
	struct rig *r = open_streams("depth@100ms");

	(void)state;
	depth(r, 10, 12, "", "");
	rig_clear(r);
	snapshot(r, 8); /* 9 is missing */
	assert_int_equal(r->tick_n, 0);
	assert_null(rig_last(r, FEED_GET, -1)); /* not at once */
	rig_pass(r, 1100 * 1000000ull);
	assert_non_null(rig_last(r, FEED_GET, -1));
	snapshot(r, 9);
	assert_int_equal(rig_ticks(r, TICK_SNAP_BEGIN), 1);
	rig_close(r);
}

static void
gap_drops_the_book(void **state)
{
	struct rig *r = open_streams("depth@100ms");

	(void)state;
	depth(r, 10, 12, "", "");
	snapshot(r, 11);
	rig_pass(r, 1100 * 1000000ull);
	rig_clear(r);
	depth(r, 15, 16, "[\"100\",\"9\"]", "");
	assert_int_equal(r->tick[0].hdr.kind, TICK_GAP);
	assert_int_equal(r->tick[0].u.gap.lost_n, 2);
	assert_false(feed_link(r->f, 0)->complete);
	assert_non_null(rig_last(r, FEED_GET, -1));
	snapshot(r, 15);
	assert_int_equal(rig_last_tick(r, TICK_BBO)->u.bbo.bid_qty.e8, 9 * E8);
	assert_true(feed_link(r->f, 0)->complete);
	rig_close(r);
}

static void
crossed_book_is_fetched_again(void **state)
{
	struct rig *r = open_streams("depth@100ms");

	(void)state;
	depth(r, 10, 12, "", "");
	snapshot(r, 12);
	rig_clear(r);
	depth(r, 13, 13, "[\"101\",\"9\"]", "");
	assert_int_equal(
	    rig_last_tick(r, TICK_GAP)->u.gap.reason, REASON_CROSSED);
	assert_int_equal(rig_ticks(r, TICK_BBO), 0);
	rig_close(r);
}

static void
top_differs_from_ticker_twice(void **state)
{
	struct rig *r = open_streams("bookTicker, depth@100ms");

	(void)state;
	depth(r, 10, 12, "", "");
	snapshot(r, 12); /* 100 x 1 / 101 x 2 */
	ticker(r, 12, "100", "101");
	ticker(r, 14, "97", "101");
	assert_int_equal(feed_stats(r->f)->touch_ok, 1);
	depth(r, 13, 14, "[\"98\",\"1\"]", ""); /* top stays 100 */
	rig_clear(r);
	ticker(r, 16, "96", "101");
	assert_int_equal(feed_stats(r->f)->touch_bad, 1);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	depth(r, 15, 16, "[\"98\",\"2\"]", "");
	ticker(r, 18, "95", "101");
	assert_int_equal(
	    rig_last_tick(r, TICK_GAP)->u.gap.reason, REASON_TOUCH_MISMATCH);
	/* the ticker's touch goes on */
	assert_int_equal(rig_last_tick(r, TICK_BBO)->u.bbo.bid_px.e8, 95 * E8);
	rig_close(r);
}

static void
partial_book_needs_no_snapshot(void **state)
{
	struct rig *r = open_streams("depth20@100ms");

	(void)state;
	rig_clear(r);
	rig_frame(r, 0,
	    "{\"stream\":\"btcusdt@depth20@100ms\",\"data\":{"
	    "\"lastUpdateId\":5,\"bids\":[[\"100\",\"1\"]],"
	    "\"asks\":[[\"101\",\"2\"]]}}");
	assert_int_equal(rig_ticks(r, TICK_SNAP_BEGIN), 1);
	assert_int_equal(rig_ticks(r, TICK_BBO), 1);
	assert_true(feed_is_ready(r->f));
	rig_close(r);
}

static void
bad_input_is_counted(void **state)
{
	static const struct {
		const char *text;
		enum reason reason;
	} bad[] = {
	    {"{\"stream\"", REASON_BAD_JSON},
	    {"{\"stream\":\"x@y\",\"data\":{\"e\":\"nothing\",\"E\":1}}",
		REASON_UNKNOWN_EVENT},
	    {"{\"e\":\"trade\",\"E\":1,\"s\":\"ETHUSDT\",\"t\":1,\"p\":\"1\","
	     "\"q\":\"1\",\"T\":1723161601437,\"m\":true}",
		REASON_UNKNOWN_ASSET},
	    {"{\"e\":\"trade\",\"E\":1,\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"-1\","
	     "\"q\":\"1\",\"T\":1723161601437,\"m\":true}",
		REASON_BAD_NUMBER},
	    {"{\"code\":2,\"msg\":\"Invalid request\",\"id\":1}",
		REASON_UNSUPPORTED},
	};
	struct rig *r = open_streams("trade");

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rig_clear(r);
		rig_frame(r, 0, bad[i].text);
		assert_int_equal(feed_stats(r->f)->reason[bad[i].reason], 1);
		assert_int_equal(r->tick_n, 0);
	}
	rig_close(r);
}

static void
trade_on(struct rig *r, uint8_t conn, uint64_t id)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"e\":\"trade\",\"E\":1723161601438001,\"s\":\"BTCUSDT\","
	    "\"t\":%llu,\"p\":\"1\",\"q\":\"1\",\"T\":1723161601438000,"
	    "\"m\":true}",
	    (unsigned long long)id);
	rig_frame(r, conn, text);
}

/* How the end of a connection was told: what of it, and why. */
static void
end_told(struct rig *r, uint8_t conn, enum feed_log log, const char *text)
{
	const struct rig_act *a = rig_last(r, FEED_LOG, conn);

	assert_non_null(a);
	assert_int_equal(a->a.log, log);
	assert_string_equal(a->text, text);
}

/* The venue says that it will close: elsewhere first, then close. */
static void
shutdown_is_overtaken(void **state)
{
	struct rig *r = open_streams("trade");

	(void)state;
	trade_on(r, 0, 7);
	rig_clear(r);
	rig_frame(r, 0,
	    "{\"stream\":\"!serverShutdown\",\"data\":{"
	    "\"e\":\"serverShutdown\",\"E\":1770123456789}}");
	assert_null(rig_last(r, FEED_CLOSE, 0));
	rig_pass(r, 1000000);
	assert_non_null(rig_last(r, FEED_OPEN, 8));
	rig_step(r, FEED_EV_UP, 8);
	trade_on(r, 0, 8);
	assert_null(rig_last(r, FEED_CLOSE, 0));
	trade_on(r, 8, 9);
	rig_pass(r, 1999 * 1000000ull);
	assert_null(rig_last(r, FEED_CLOSE, 0)); /* both run on for a while */
	rig_pass(r, 2 * 1000000ull);
	assert_non_null(rig_last(r, FEED_CLOSE, 0));
	rig_down(r, 0, 1000);
	end_told(r, 0, FEED_LOG_REPLACED, "announced");
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	assert_int_equal(rig_ticks(r, TICK_CONN), 0);
	assert_int_equal(rig_ticks(r, TICK_TRADE), 2);
	assert_true(feed_is_ready(r->f));
	/* Nobody planned this one. */
	rig_down(r, 8, 1012);
	end_told(r, 8, FEED_LOG_DISCONNECTED, "test");
	rig_close(r);
}

/* It closes before the other lane carries: an end like any other; while
 * the other one does: as planned. */
static void
an_announced_end_may_come_early(void **state)
{
	static const char bye[] = "{\"stream\":\"!serverShutdown\",\"data\":{"
				  "\"e\":\"serverShutdown\","
				  "\"E\":1770123456789}}";
	struct rig *r = open_streams("trade");

	(void)state;
	trade_on(r, 0, 7);
	rig_frame(r, 0, bye);
	rig_pass(r, 1000000);
	rig_down(r, 0, 1001);
	end_told(r, 0, FEED_LOG_DISCONNECTED, "test");
	rig_step(r, FEED_EV_UP, 8);
	trade_on(r, 8, 8);
	rig_frame(r, 8, bye);
	rig_pass(r, 200 * 1000000ull);
	rig_step(r, FEED_EV_UP, 0);
	trade_on(r, 0, 9);
	rig_down(r, 8, 1001);
	end_told(r, 8, FEED_LOG_REPLACED, "announced");
	rig_step(r, FEED_EV_STOP, 0);
	rig_down(r, 0, 1000);
	end_told(r, 0, FEED_LOG_REPLACED, "stop");
	rig_close(r);
}

/* What the old connection has not brought yet is waited for. */
static void
T_58_rotation_loses_nothing_under_way(void **state)
{
	struct rig *r = open_streams("trade");

	(void)state;
	trade_on(r, 0, 7);
	rig_frame(r, 0,
	    "{\"stream\":\"!serverShutdown\",\"data\":{"
	    "\"e\":\"serverShutdown\",\"E\":1770123456789}}");
	rig_pass(r, 1000000);
	rig_step(r, FEED_EV_UP, 8);
	rig_clear(r);
	trade_on(r, 8, 10);
	rig_pass(r, 2500 * 1000000ull);
	trade_on(r, 8, 11);
	assert_null(rig_last(r, FEED_CLOSE, 0)); /* 8 and 9 are missing */
	trade_on(r, 0, 8);
	assert_null(rig_last(r, FEED_CLOSE, 0));
	trade_on(r, 0, 9);
	assert_int_equal(rig_ticks(r, TICK_TRADE), 4);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	trade_on(r, 8, 12);
	rig_pass(r, 2500 * 1000000ull);
	assert_non_null(rig_last(r, FEED_CLOSE, 0));
	trade_on(r, 0, 10); /* seen */
	assert_int_equal(rig_ticks(r, TICK_TRADE), 5);
	rig_close(r);
}

/* T-58: before the venue's 24 hours are over another connection takes over,
 * and nothing is lost or told twice. */
static void
T_58_rotation_overlaps(void **state)
{
	struct rig *r = open_streams("trade");

	(void)state;
	r->forget_ticks = false;
	for (int i = 0; i < 23 * 3600 / 2 + 2; i++) {
		rig_pass(r, 2000 * 1000000ull);
		rig_step(r, FEED_EV_PONG, 0);
		trade(r, (uint64_t)i + 1, true);
		if (rig_last(r, FEED_OPEN, 8) != NULL)
			break;
		rig_clear(r);
	}
	assert_true(r->now_ns >= UINT64_C(82800000000000));
	assert_non_null(rig_last(r, FEED_OPEN, 8));
	assert_null(rig_last(r, FEED_CLOSE, 0));
	rig_step(r, FEED_EV_UP, 8);
	trade_on(r, 0, 60000);
	rig_clear(r);
	trade_on(r, 8, 60001);
	trade_on(r, 0, 60001);
	assert_int_equal(rig_ticks(r, TICK_TRADE), 1);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	rig_pass(r, 1500 * 1000000ull);
	trade_on(r, 8, 60002);
	rig_pass(r, 600 * 1000000ull);
	assert_non_null(rig_last(r, FEED_CLOSE, 0));
	rig_down(r, 0, 1000);
	end_told(r, 0, FEED_LOG_REPLACED, "rotation");
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	/* For readers the venue's connection never went down. */
	assert_int_equal(rig_ticks(r, TICK_CONN), 0);
	rig_pass(r, 1000 * 1000000ull);
	assert_int_equal(rig_last_tick(r, TICK_LINK)->u.link.conn, 0);
	assert_int_equal(rig_last_tick(r, TICK_LINK)->u.link.state, LINK_READY);
	assert_null(rig_last(r, FEED_OPEN, 0));
	assert_true(feed_is_ready(r->f));
	rig_close(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(streams_are_asked_in_the_address),
	    cmocka_unit_test(trades_and_tickers),
	    cmocka_unit_test(lost_trades_are_told),
	    cmocka_unit_test(book_waits_for_its_snapshot),
	    cmocka_unit_test(old_snapshot_is_asked_again),
	    cmocka_unit_test(gap_drops_the_book),
	    cmocka_unit_test(crossed_book_is_fetched_again),
	    cmocka_unit_test(top_differs_from_ticker_twice),
	    cmocka_unit_test(partial_book_needs_no_snapshot),
	    cmocka_unit_test(bad_input_is_counted),
	    cmocka_unit_test(shutdown_is_overtaken),
	    cmocka_unit_test(an_announced_end_may_come_early),
	    cmocka_unit_test(T_58_rotation_loses_nothing_under_way),
	    cmocka_unit_test(T_58_rotation_overlaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
