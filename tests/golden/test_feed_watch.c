/* links: feedd libvenue libshm libcore */
/*
 * One stream of a connection goes wrong while the others are well: it stops,
 * its numbers jump ahead, or what it says is crossed. The instrument is void
 * until it comes right again, and nobody else is.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_rig.h"

#define MS  UINT64_C(1000000)
#define SEC (1000 * MS)
#define BTC INSTR_HL_BASE
#define ETH (INSTR_HL_BASE + 1)
#define T0  INT64_C(1790232236000)

static struct rig *
open_binance(const char *streams)
{
	struct rig *r = rig_open();
	char why[CFG_WHY_SZ];

	assert_true(
	    cfg_set(&r->cfg, CFG_KEY_binance_symbols, "btcusdt, ethusdt", why));
	assert_true(cfg_set(&r->cfg, CFG_KEY_binance_streams, streams, why));
	r->read.touch_apart = true;
	rig_start(r, VENUE_BINANCE);
	rig_pass(r, MS);
	rig_step(r, FEED_EV_UP, 0);
	return r;
}

static void
ticker(struct rig *r, uint8_t conn, const char *symbol, long long id,
    const char *bid_ask)
{
	char text[512];
	long long bid;
	long long ask;

	assert_int_equal(sscanf(bid_ask, "%lld %lld", &bid, &ask), 2);
	snprintf(text, sizeof(text),
	    "{\"stream\":\"%s@bookTicker\",\"data\":{\"u\":%lld,\"s\":\"%s\","
	    "\"b\":\"%lld\",\"B\":\"1\",\"a\":\"%lld\",\"A\":\"1\"}}",
	    symbol, id, symbol[0] == 'b' ? "BTCUSDT" : "ETHUSDT", bid, ask);
	rig_frame(r, conn, text);
}

static void
bn_trade(struct rig *r, long long id, long long ms, const char *px)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":%"
	    "lld,"
	    "\"s\":\"BTCUSDT\",\"t\":%lld,\"p\":\"%s\",\"q\":\"1\",\"T\":%lld,"
	    "\"m\":true,\"M\":true}}",
	    ms, id, px, ms);
	rig_frame(r, 0, text);
}

static void
depth(struct rig *r, long long from, long long to, const char *px)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":"
	    "\"depthUpdate\","
	    "\"E\":%lld,\"s\":\"BTCUSDT\",\"U\":%lld,\"u\":%lld,"
	    "\"b\":[[\"%s\",\"3\"]],\"a\":[]}}",
	    (long long)T0, from, to, px);
	rig_frame(r, 0, text);
}

static void
snapshot(struct rig *r, long long id)
{
	char text[256];

	snprintf(text, sizeof(text),
	    "{\"lastUpdateId\":%lld,\"bids\":[[\"90\",\"1\"]],"
	    "\"asks\":[[\"110\",\"1\"]]}",
	    id);
	rig_http(r, 0, 200, text, strlen(text));
}

/* Gaps of an instrument since the last rig_clear. */
static size_t
gaps(const struct rig *r, uint16_t idx, enum reason reason)
{
	size_t n = 0;

	for (size_t i = 0; i < r->tick_n; i++)
		n += r->tick[i].hdr.kind == TICK_GAP &&
		     r->tick[i].hdr.instr == idx &&
		     r->tick[i].u.gap.reason == reason;
	return n;
}

static int64_t
last_bid(struct rig *r, uint16_t idx)
{
	for (size_t i = r->tick_n; i-- > 0;)
		if (r->tick[i].hdr.kind == TICK_BBO &&
		    r->tick[i].hdr.instr == idx)
			return r->tick[i].u.bbo.bid_px.e8 / E8;
	return -1;
}

static void
ticker_far_ahead_is_left_after_2_s(void **state)
{
	struct rig *r = open_binance("trade, bookTicker");

	(void)state;
	ticker(r, 0, "btcusdt", 900000000000, "100 101");
	ticker(r, 0, "ethusdt", 5, "10 11");
	rig_clear(r);
	for (int i = 0; i <= 19; i++) {
		ticker(r, 0, "btcusdt", 50000 + i, "200 201");
		rig_pass(r, 100 * MS);
	}
	assert_int_equal(rig_ticks(r, TICK_BBO), 0);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	ticker(r, 0, "btcusdt", 50020, "200 201");
	assert_int_equal(gaps(r, INSTR_BN_BASE, REASON_SEQ_GAP), 1);
	assert_int_equal(gaps(r, INSTR_BN_BASE + 1, REASON_SEQ_GAP), 0);
	assert_int_equal(last_bid(r, INSTR_BN_BASE), 200);
	ticker(r, 0, "btcusdt", 50021, "201 202");
	assert_int_equal(last_bid(r, INSTR_BN_BASE), 201);
	rig_close(r);
}

/* The lane that is behind brings old ones only, and is no reason. */
static void
old_ones_between_news_are_nothing(void **state)
{
	struct rig *r = open_binance("trade, bookTicker");

	(void)state;
	for (int i = 0; i < 100; i++) {
		ticker(r, 0, "btcusdt", 100 + i, i % 2 ? "100 101" : "100 102");
		ticker(r, 0, "btcusdt", 90 + i, "50 51");
		ticker(r, 0, "btcusdt", 91 + i, "50 51");
		rig_pass(r, 500 * MS);
	}
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	assert_int_equal(last_bid(r, INSTR_BN_BASE), 100);
	rig_close(r);
}

static void
trade_far_ahead_is_left_after_2_s(void **state)
{
	struct rig *r = open_binance("trade, bookTicker");

	(void)state;
	bn_trade(r, 10, T0, "100");
	bn_trade(r, 900000000000, T0 + 1, "100");
	rig_clear(r);
	for (int i = 0; i <= 19; i++) {
		bn_trade(r, 11 + i, T0 + 100 * i, "100");
		rig_pass(r, 100 * MS);
	}
	assert_int_equal(rig_ticks(r, TICK_TRADE), 0);
	bn_trade(r, 31, T0 + 2000, "100");
	bn_trade(r, 32, T0 + 2100, "100");
	assert_int_equal(rig_ticks(r, TICK_TRADE), 2);
	assert_int_equal(gaps(r, INSTR_BN_BASE, REASON_SEQ_GAP), 1);
	rig_close(r);
}

/* What a lane brings late while nothing happens is no proof. */
static void
a_few_old_ones_are_nothing(void **state)
{
	struct rig *r = open_binance("trade, bookTicker");

	(void)state;
	ticker(r, 0, "btcusdt", 100, "100 101");
	for (int i = 0; i < 3; i++) {
		ticker(r, 0, "btcusdt", 90 + i, "50 51");
		ticker(r, 0, "btcusdt", 100, "50 51");
		ticker(r, 0, "btcusdt", 100, "50 51");
		rig_pass(r, 1500 * MS);
	}
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	assert_int_equal(last_bid(r, INSTR_BN_BASE), 100);
	rig_close(r);
}

/* A live connection never goes back: old is old, however old. */
static void
stream_from_an_earlier_time_is_old(void **state)
{
	struct rig *r = open_binance("trade, bookTicker");

	(void)state;
	bn_trade(r, 5000, T0, "100");
	ticker(r, 0, "btcusdt", 7, "100 101");
	rig_clear(r);
	bn_trade(r, 11, T0 - 3600000, "50");
	assert_int_equal(r->tick_n, 0);
	bn_trade(r, 5001, T0 + 1, "101");
	assert_int_equal(rig_ticks(r, TICK_TRADE), 1);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	rig_close(r);
}

static void
difference_far_ahead_is_left_after_2_s(void **state)
{
	struct rig *r = open_binance("depth@100ms");

	(void)state;
	depth(r, 1001, 1002, "91");
	snapshot(r, 1000);
	assert_int_equal(last_bid(r, INSTR_BN_BASE), 91);
	depth(r, 1003, 900000000000, "92");
	rig_clear(r);
	for (int i = 0; i <= 20; i++) {
		depth(r, 1004 + i, 1004 + i, "93");
		rig_pass(r, 100 * MS);
	}
	assert_int_equal(gaps(r, INSTR_BN_BASE, REASON_SEQ_GAP), 1);
	assert_non_null(rig_last(r, FEED_GET, -1));
	depth(r, 1025, 1025, "94");
	snapshot(r, 1024);
	assert_int_equal(last_bid(r, INSTR_BN_BASE), 94);
	rig_close(r);
}

static void
part_of_a_book_far_ahead_is_left_after_2_s(void **state)
{
	struct rig *r = open_binance("depth5@100ms");

	(void)state;
	for (int i = 0; i <= 21; i++) {
		char text[256];

		snprintf(text, sizeof(text),
		    "{\"stream\":\"btcusdt@depth5@100ms\",\"data\":{"
		    "\"lastUpdateId\":%lld,\"bids\":[[\"%d\",\"1\"]],"
		    "\"asks\":[[\"110\",\"1\"]]}}",
		    i == 0 ? 900000000000 : 100ll + i, 80 + i);
		rig_frame(r, 0, text);
		rig_pass(r, 100 * MS);
	}
	assert_int_equal(gaps(r, INSTR_BN_BASE, REASON_SEQ_GAP), 1);
	assert_int_equal(last_bid(r, INSTR_BN_BASE), 101);
	rig_close(r);
}

static void
crossed_ticker_is_no_touch(void **state)
{
	struct rig *r = open_binance("trade, bookTicker");

	(void)state;
	ticker(r, 0, "btcusdt", 9, "100 101");
	rig_clear(r);
	ticker(r, 0, "btcusdt", 10, "105 101");
	assert_int_equal(feed_stats(r->f)->reason[REASON_CROSSED], 1);
	assert_int_equal(r->tick_n, 0);
	ticker(r, 0, "btcusdt", 11, "102 103"); /* not in a row */
	ticker(r, 0, "btcusdt", 12, "103 103");
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	ticker(r, 0, "btcusdt", 13, "103 103");
	assert_int_equal(gaps(r, INSTR_BN_BASE, REASON_CROSSED), 1);
	assert_int_equal(last_bid(r, INSTR_BN_BASE), 102);
	ticker(r, 0, "btcusdt", 14, "103 104");
	assert_int_equal(last_bid(r, INSTR_BN_BASE), 103);
	rig_close(r);
}

/* A crossed ticker is not what the book is compared with, nor what is told
 * again when the book goes. */
static void
crossed_ticker_leaves_the_book(void **state)
{
	struct rig *r = open_binance("bookTicker, depth@100ms");

	(void)state;
	depth(r, 1001, 1002, "91");
	snapshot(r, 1000);
	ticker(r, 0, "btcusdt", 1002, "95 93");
	rig_clear(r);
	ticker(r, 0, "btcusdt", 1004, "92 110");
	assert_int_equal(feed_stats(r->f)->touch_bad, 0);
	ticker(r, 0, "btcusdt", 1005, "95 93");
	depth(r, 1009, 1010, "91"); /* the book goes */
	assert_int_equal(last_bid(r, INSTR_BN_BASE), 92);
	rig_close(r);
}

/* Ten minutes of trades and of the other symbol, none of this touch. */
static void
silent_ticker_is_void(void **state)
{
	struct rig *r = open_binance("trade, bookTicker");
	uint64_t limit = 3 * (uint64_t)r->cfg.binance_idle_s.ns;

	(void)state;
	ticker(r, 0, "btcusdt", 9, "100 101");
	rig_clear(r);
	for (uint64_t t = 100 * MS; t < limit; t += 100 * MS) {
		rig_pass(r, 100 * MS);
		rig_step(r, FEED_EV_PONG, 0);
		bn_trade(r, 1 + (long long)(t / MS), T0, "200");
		ticker(r, 0, "ethusdt", 1 + (long long)(t / MS), "10 11");
	}
	assert_int_equal(gaps(r, INSTR_BN_BASE, REASON_FEED_STALE), 0);
	rig_pass(r, 100 * MS);
	assert_int_equal(gaps(r, INSTR_BN_BASE, REASON_FEED_STALE), 1);
	assert_int_equal(gaps(r, INSTR_BN_BASE + 1, REASON_FEED_STALE), 0);
	assert_int_equal(rig_last(r, FEED_LOG, -1)->a.log, FEED_LOG_GAP);
	assert_int_equal(feed_link(r->f, 0)->state, LINK_READY);
	/* another connection beside it, and one only */
	rig_pass(r, 100 * MS);
	assert_int_equal(rig_count(r, FEED_OPEN, 8), 1);
	rig_step(r, FEED_EV_UP, 8);
	rig_clear(r);
	for (int i = 0; i < 600; i++) {
		uint8_t conn = feed_link(r->f, 8)->state == LINK_READY ? 8 : 0;

		rig_pass(r, 100 * MS);
		rig_step(r, FEED_EV_PONG, 8);
		ticker(r, 8, "ethusdt", 90000 + i, i % 2 ? "10 11" : "10 12");
		if (rig_last(r, FEED_CLOSE, 0) != NULL && conn == 8)
			rig_down(r, 0, 1000);
	}
	assert_int_equal(rig_count(r, FEED_OPEN, -1), 0);
	assert_int_equal(rig_count(r, FEED_CLOSE, 0), 1);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	ticker(r, 8, "btcusdt", 90001, "102 103");
	assert_int_equal(last_bid(r, INSTR_BN_BASE), 102);
	rig_clear(r); /* and is watched again */
	for (uint64_t t = 0; t <= limit; t += 100 * MS) {
		rig_pass(r, 100 * MS);
		rig_step(r, FEED_EV_PONG, 8);
		ticker(r, 8, "ethusdt", 99000 + (long long)(t / MS), "10 11");
	}
	assert_int_equal(gaps(r, INSTR_BN_BASE, REASON_FEED_STALE), 1);
	rig_close(r);
}

/* A book that goes on is a touch too. */
static void
differences_are_a_touch(void **state)
{
	struct rig *r = open_binance("bookTicker, depth@100ms");

	(void)state;
	depth(r, 1001, 1002, "91");
	snapshot(r, 1000);
	ticker(r, 0, "btcusdt", 1002, "91 110");
	rig_clear(r);
	for (int i = 0; i < 300; i++) {
		rig_pass(r, 100 * MS);
		depth(r, 1003 + i, 1003 + i, i % 2 ? "91" : "92");
	}
	assert_int_equal(gaps(r, INSTR_BN_BASE, REASON_FEED_STALE), 0);
	rig_close(r);
}

static const char meta[] =
    "{\"universe\":[{\"szDecimals\":5,\"name\":\"BTC\",\"maxLeverage\":40},"
    "{\"szDecimals\":4,\"name\":\"ETH\",\"maxLeverage\":25}]}";

static void
hl_book(struct rig *r, const char *coin, long long ms, int bid, int ask)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"channel\":\"l2Book\",\"data\":{\"coin\":\"%s\",\"time\":%lld,"
	    "\"fast\":true,\"levels\":[[{\"px\":\"%d\",\"sz\":\"1\",\"n\":1}],"
	    "[{\"px\":\"%d\",\"sz\":\"1\",\"n\":1}]]}}",
	    coin, ms, bid, ask);
	rig_frame(r, 0, text);
}

static void
hl_bbo(struct rig *r, long long ms, int bid, int ask)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"channel\":\"bbo\",\"data\":{\"coin\":\"BTC\",\"time\":%lld,"
	    "\"bbo\":[{\"px\":\"%d\",\"sz\":\"1\",\"n\":3},"
	    "{\"px\":\"%d\",\"sz\":\"2\",\"n\":1}]}}",
	    ms, bid, ask);
	rig_frame(r, 0, text);
}

static struct rig *
open_coins(void)
{
	struct rig *r = rig_open();
	char why[CFG_WHY_SZ];

	assert_true(
	    cfg_set(&r->cfg, CFG_KEY_hyperliquid_coins, "BTC, ETH", why));
	r->read.touch_apart = true;
	rig_start(r, VENUE_HYPERLIQUID);
	rig_http(r, 1, 200, meta, strlen(meta));
	rig_pass(r, MS);
	rig_step(r, FEED_EV_UP, 0);
	hl_book(r, "BTC", T0, 100, 101);
	hl_book(r, "ETH", T0, 10, 11);
	rig_clear(r);
	return r;
}

static void
second_crossed_book_is_a_gap(void **state)
{
	struct rig *r = open_coins();

	(void)state;
	hl_book(r, "BTC", T0 + 500, 80, 79);
	assert_int_equal(r->tick_n, 0);
	hl_book(r, "BTC", T0 + 1000, 102, 103);
	hl_book(r, "BTC", T0 + 1500, 80, 79);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	hl_book(r, "BTC", T0 + 2000, 80, 80);
	assert_int_equal(gaps(r, BTC, REASON_CROSSED), 1);
	assert_int_equal(gaps(r, ETH, REASON_CROSSED), 0);
	hl_book(r, "BTC", T0 + 2500, 80, 79); /* told once */
	hl_book(r, "BTC", T0 + 3000, 80, 79);
	assert_int_equal(rig_ticks(r, TICK_GAP), 1);
	hl_book(r, "BTC", T0 + 3500, 104, 105);
	assert_int_equal(rig_ticks(r, TICK_SNAP_BEGIN), 1);
	assert_int_equal(last_bid(r, BTC), 104);
	rig_close(r);
}

static void
crossed_bbo_is_no_touch(void **state)
{
	struct rig *r = open_coins();

	(void)state;
	hl_bbo(r, T0 + 100, 105, 101);
	assert_int_equal(r->tick_n, 0);
	assert_int_equal(feed_stats(r->f)->reason[REASON_CROSSED], 1);
	hl_bbo(r, T0 + 200, 102, 103);
	hl_bbo(r, T0 + 300, 104, 104);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	assert_int_equal(last_bid(r, BTC), 102);
	hl_bbo(r, T0 + 400, 104, 104);
	assert_int_equal(gaps(r, BTC, REASON_CROSSED), 1);
	rig_close(r);
}

static void
older_book_replaces_nothing(void **state)
{
	struct rig *r = open_coins();

	(void)state;
	hl_book(r, "BTC", T0 - 61000, 50, 51);
	hl_bbo(r, T0 - 3600000, 50, 51);
	assert_int_equal(r->tick_n, 0);
	hl_book(r, "BTC", T0 + 500, 102, 103);
	assert_int_equal(last_bid(r, BTC), 102);
	rig_close(r);
}

static void
book_time_far_ahead_is_left_after_2_s(void **state)
{
	struct rig *r = open_coins();

	(void)state;
	hl_book(r, "BTC", T0 + 3600000, 100, 101);
	rig_clear(r);
	for (int i = 1; i <= 4; i++) {
		hl_book(r, "BTC", T0 + 500 * i, 200 + i, 300);
		rig_pass(r, 500 * MS);
	}
	assert_int_equal(r->tick_n - rig_ticks(r, TICK_LINK), 0);
	hl_book(r, "BTC", T0 + 2500, 205, 300);
	assert_int_equal(gaps(r, BTC, REASON_SEQ_GAP), 1);
	assert_int_equal(last_bid(r, BTC), 205);
	hl_book(r, "BTC", T0 + 3000, 206, 300);
	assert_int_equal(last_bid(r, BTC), 206);
	rig_close(r);
}

/* A touch from the future is left too, by the books alone. */
static void
bbo_time_far_ahead_is_left_after_2_s(void **state)
{
	struct rig *r = open_coins();

	(void)state;
	hl_bbo(r, T0 + 3600000, 100, 101);
	rig_clear(r);
	for (int i = 1; i <= 6; i++) {
		hl_book(r, "BTC", T0 + 500 * i, 200 + i, 300);
		rig_pass(r, 500 * MS);
	}
	assert_int_equal(gaps(r, BTC, REASON_SEQ_GAP), 1);
	assert_int_equal(last_bid(r, BTC), 206);
	hl_bbo(r, T0 + 3001, 207, 300);
	assert_int_equal(last_bid(r, BTC), 207);
	rig_close(r);
}

/* with: what still comes of BTC. */
static void
quiet_coin(bool with_bbo, bool with_book, size_t gaps_n)
{
	struct rig *r = open_coins();
	uint64_t limit = 3 * (uint64_t)r->cfg.hyperliquid_idle_s.ns;
	long long ms = 0;

	for (uint64_t t = 0; t <= limit; t += 500 * MS) {
		ms += 500;
		rig_pass(r, 500 * MS);
		rig_frame(r, 0, "{\"channel\":\"pong\"}");
		hl_book(r, "ETH", T0 + ms, 10, 11);
		if (with_bbo)
			hl_bbo(r, T0 + ms, 100, 101 + (int)(ms / 500 % 2));
		if (with_book)
			hl_book(r, "BTC", T0 + ms, 100, 101);
	}
	assert_int_equal(gaps(r, BTC, REASON_FEED_STALE), gaps_n);
	assert_int_equal(gaps(r, ETH, REASON_FEED_STALE), 0);
	assert_int_equal(rig_count(r, FEED_OPEN, 8), gaps_n);
	rig_close(r);
}

static void
silent_coin_is_void(void **state)
{
	(void)state;
	quiet_coin(false, false, 1);
	quiet_coin(true, false, 1);
	quiet_coin(false, true, 0); /* a touch that stays is not sent */
	quiet_coin(true, true, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ticker_far_ahead_is_left_after_2_s),
	    cmocka_unit_test(old_ones_between_news_are_nothing),
	    cmocka_unit_test(a_few_old_ones_are_nothing),
	    cmocka_unit_test(trade_far_ahead_is_left_after_2_s),
	    cmocka_unit_test(stream_from_an_earlier_time_is_old),
	    cmocka_unit_test(difference_far_ahead_is_left_after_2_s),
	    cmocka_unit_test(part_of_a_book_far_ahead_is_left_after_2_s),
	    cmocka_unit_test(crossed_ticker_is_no_touch),
	    cmocka_unit_test(crossed_ticker_leaves_the_book),
	    cmocka_unit_test(silent_ticker_is_void),
	    cmocka_unit_test(differences_are_a_touch),
	    cmocka_unit_test(second_crossed_book_is_a_gap),
	    cmocka_unit_test(crossed_bbo_is_no_touch),
	    cmocka_unit_test(older_book_replaces_nothing),
	    cmocka_unit_test(book_time_far_ahead_is_left_after_2_s),
	    cmocka_unit_test(bbo_time_far_ahead_is_left_after_2_s),
	    cmocka_unit_test(silent_coin_is_void),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
