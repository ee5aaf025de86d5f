/* links: feedd libvenue libshm libcore */
/*
 * Small frames of our own, in Hyperliquid's format, and the exact slots that
 * come of them; faults; and the recorded frames.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_rig.h"

#include "tests/golden/data.h"

#define BTC INSTR_HL_BASE
#define ETH (INSTR_HL_BASE + 1)

static const char meta[] =
    "{\"universe\":[{\"szDecimals\":5,\"name\":\"BTC\",\"maxLeverage\":40},"
    "{\"szDecimals\":2,\"name\":\"SOL\",\"maxLeverage\":20},"
    "{\"szDecimals\":4,\"name\":\"ETH\",\"maxLeverage\":25}]}";

static struct rig *
open_coins(const char *coins)
{
	struct rig *r = rig_open();
	char why[CFG_WHY_SZ];

	assert_true(cfg_set(&r->cfg, CFG_KEY_hyperliquid_coins, coins, why));
	r->read.touch_apart = true;
	rig_start(r, VENUE_HYPERLIQUID);
	assert_string_equal(
	    rig_last(r, FEED_GET, -1)->url, "http://127.0.0.1:18803/info");
	assert_string_equal(
	    rig_last(r, FEED_GET, -1)->text, "{\"type\":\"meta\"}");
	rig_http(r, rig_last(r, FEED_GET, -1)->a.tag, 200, meta, strlen(meta));
	rig_pass(r, 1000000);
	rig_step(r, FEED_EV_UP, 0);
	return r;
}

static void
bbo(struct rig *r, int64_t ms, const char *bid, const char *ask)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"channel\":\"bbo\",\"data\":{\"coin\":\"BTC\",\"time\":%lld,"
	    "\"bbo\":[{\"px\":\"%s\",\"sz\":\"1.5\",\"n\":3},"
	    "{\"px\":\"%s\",\"sz\":\"2\",\"n\":1}]}}",
	    (long long)ms, bid, ask);
	rig_frame(r, 0, text);
}

static void
book(struct rig *r, const char *coin, int64_t ms, const char *levels)
{
	char text[1024];

	snprintf(text, sizeof(text),
	    "{\"channel\":\"l2Book\",\"data\":{\"coin\":\"%s\",\"time\":%lld,"
	    "\"levels\":%s,\"fast\":true}}",
	    coin, (long long)ms, levels);
	rig_frame(r, 0, text);
}

#define L(px, sz) "{\"px\":\"" px "\",\"sz\":\"" sz "\",\"n\":1}"
#define TWO_LEVELS                                                     \
	"[[" L("100", "1") "," L("99", "5") "],[" L("101", "2") "," L( \
	    "102", "4") "]]"

static void
coins_are_checked_before_subscribing(void **state)
{
	struct rig *r = open_coins("BTC, ETH, NOPE");
	const struct instr *in = &r->instr[ETH];

	(void)state;
	assert_int_equal(feed_instr_n(r->f), 2);
	assert_int_equal(feed_stats(r->f)->reason[REASON_UNKNOWN_ASSET], 1);
	assert_int_equal(rig_count(r, FEED_SEND, 0), 8);
	for (size_t i = 0; i < r->act_n; i++)
		if (r->act[i].a.what == FEED_SEND)
			assert_null(strstr(r->act[i].text, "NOPE"));
	assert_string_equal(in->symbol, "ETH");
	assert_int_equal(in->asset_idx, 2);
	assert_int_equal(in->lot_qty.e8, 10000);
	assert_int_equal(in->tick_px.e8, 1000000);
	assert_int_equal(in->px_sig, 5);
	assert_int_equal(in->cls, CLASS_PERP);
	rig_close(r);
}

static void
no_list_no_connection(void **state)
{
	struct rig *r = rig_open();

	(void)state;
	rig_start(r, VENUE_HYPERLIQUID);
	rig_http(r, 1, 500, "busy", 4);
	assert_false(feed_is_ready(r->f));
	rig_clear(r);
	rig_pass(r, 2100 * 1000000ull);
	assert_non_null(rig_last(r, FEED_GET, -1));
	assert_null(rig_last(r, FEED_OPEN, 0));
	rig_close(r);
}

static void
T_59_snapshots_replace_whole_sides(void **state)
{
	struct rig *r = open_coins("BTC");

	(void)state;
	rig_clear(r);
	book(r, "BTC", 1790231000000, TWO_LEVELS);
	assert_int_equal(r->tick[0].hdr.kind, TICK_SNAP_BEGIN);
	assert_int_equal(r->tick[6].hdr.kind, TICK_BBO);
	assert_int_equal(r->tick[6].u.bbo.ask_px.e8, 101 * E8);
	assert_true(feed_is_ready(r->f));
	rig_clear(r); /* 99 vanishes, 98 appears, 101 changes */
	book(r, "BTC", 1790231000500,
	    "[[" L("100", "1") "," L("98", "5") "],[" L("101", "3") "," L(
		"102", "4") "]]");
	assert_int_equal(rig_ticks(r, TICK_LEVEL), 3);
	assert_int_equal(rig_ticks(r, TICK_BBO), 1);
	assert_int_equal(r->tick[3].hdr.flags, SLOT_BATCH_END);
	rig_clear(r); /* the same again: nothing */
	book(r, "BTC", 1790231001000,
	    "[[" L("100", "1") "," L("98", "5") "],[" L("101", "3") "," L(
		"102", "4") "]]");
	assert_int_equal(r->tick_n, 0);
	book(r, "BTC", 1790231000700, TWO_LEVELS); /* older: dropped */
	assert_int_equal(r->tick_n, 0);
	assert_int_equal(feed_stats(r->f)->reason[REASON_SEQ_OLD], 1);
	book(r, "BTC", 1790231001500, "[[],[]]"); /* delisted */
	assert_int_equal(rig_last_tick(r, TICK_BBO)->u.bbo.bid_qty.e8, 0);
	rig_close(r);
}

static void
newest_time_has_the_touch(void **state)
{
	struct rig *r = open_coins("BTC");

	(void)state;
	book(r, "BTC", 1790231000000, TWO_LEVELS);
	rig_clear(r);
	bbo(r, 1790231000400, "100", "101");
	assert_int_equal(r->tick[0].u.bbo.bid_qty.e8, 150000000);
	assert_int_equal(r->tick[0].hdr.venue_ns, 1790231000400 * NS_PER_MS);
	rig_clear(r); /* a book of an earlier block: levels, no touch */
	book(r, "BTC", 1790231000300,
	    "[[" L("100", "9") "],[" L("101", "2") "," L("102", "4") "]]");
	assert_int_equal(rig_ticks(r, TICK_LEVEL), 2);
	assert_int_equal(rig_ticks(r, TICK_BBO), 0);
	rig_clear(r);
	bbo(r, 1790231000200, "90", "101"); /* older than what is known */
	assert_int_equal(r->tick_n, 0);
	rig_close(r);
}

static void
trade(struct rig *r, const char *list)
{
	char text[1024];

	snprintf(
	    text, sizeof(text), "{\"channel\":\"trades\",\"data\":[%s]}", list);
	rig_frame(r, 0, text);
}

#define T(side, px, ms, tid)                                   \
	"{\"coin\":\"BTC\",\"side\":\"" side "\",\"px\":\"" px \
	"\",\"sz\":\"0.5\",\"time\":" ms ",\"hash\":\"0x0\",\"tid\":" tid "}"

static void
backfill_and_repeats_are_no_trades(void **state)
{
	struct rig *r = open_coins("BTC");

	(void)state;
	book(r, "BTC", 1790231000000, TWO_LEVELS);
	rig_clear(r);
	trade(r, T("B", "101", "1790230900000", "1") "," T(
		     "A", "100", "1790231000000", "2"));
	assert_int_equal(rig_ticks(r, TICK_TRADE), 1);
	assert_int_equal(r->tick[0].u.trade.trade_id, 2);
	assert_int_equal(r->tick[0].u.trade.side, SIDE_ASK);
	rig_clear(r);
	trade(r, T("A", "100", "1790231000000", "2") "," T(
		     "B", "101", "1790231000600", "3"));
	assert_int_equal(rig_ticks(r, TICK_TRADE), 1);
	assert_int_equal(r->tick[0].u.trade.trade_id, 3);
	assert_int_equal(r->tick[0].u.trade.side, SIDE_BID);
	assert_int_equal(feed_stats(r->f)->reason[REASON_SEQ_OLD], 2);
	rig_close(r);
}

static void
context_is_a_reference(void **state)
{
	struct rig *r = open_coins("BTC");

	(void)state;
	rig_clear(r);
	rig_frame(r, 0,
	    "{\"channel\":\"activeAssetCtx\",\"data\":{\"coin\":\"BTC\","
	    "\"ctx\":{\"funding\":\"-0.0000018952\",\"openInterest\":\"36585."
	    "3\","
	    "\"prevDayPx\":\"86627.0\",\"dayNtlVlm\":\"4161029539.6949653625\","
	    "\"premium\":null,\"oraclePx\":\"84198.0\",\"markPx\":\"84148.0\","
	    "\"midPx\":null,\"impactPxs\":null}}}");
	assert_int_equal(r->tick_n, 1);
	assert_int_equal(r->tick[0].u.ref.px.e8, 84148 * E8);
	assert_int_equal(r->tick[0].u.ref.oracle_px.e8, 84198 * E8);
	assert_int_equal(r->tick[0].u.ref.funding_e12, -1895200);
	assert_int_equal(r->tick[0].u.ref.source, REF_MARK);
	rig_clear(r);
	rig_resync(r, RING_TOP);
	assert_int_equal(rig_ticks(r, TICK_REF), 1);
	rig_close(r);
}

static void
bad_input_is_counted(void **state)
{
	static const struct {
		const char *text;
		enum reason reason;
	} bad[] = {
	    {"{\"channel\":", REASON_BAD_JSON},
	    {"{\"channel\":\"nope\",\"data\":{}}", REASON_UNKNOWN_EVENT},
	    {"Websocket connection established.", REASON_UNKNOWN_EVENT},
	    {"{\"channel\":\"bbo\",\"data\":{\"coin\":\"SOL\",\"time\":1,"
	     "\"bbo\":[null,null]}}",
		REASON_UNKNOWN_ASSET},
	    {"{\"channel\":\"error\",\"data\":\"Invalid subscription\"}",
		REASON_VENUE},
	    {"{\"channel\":\"l2Book\",\"data\":{\"coin\":\"BTC\",\"time\":"
	     "1790231000500,\"levels\":[[" L("101", "1") "],[" L(
		 "100", "1") "]]}}",
		REASON_CROSSED},
	};
	struct rig *r = open_coins("BTC");

	(void)state;
	book(r, "BTC", 1790231000000, TWO_LEVELS);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t before = feed_stats(r->f)->reason[bad[i].reason];

		rig_clear(r);
		rig_frame(r, 0, bad[i].text);
		assert_int_equal(
		    feed_stats(r->f)->reason[bad[i].reason], before + 1);
		assert_int_equal(r->tick_n, 0);
	}
	rig_close(r);
}

static void
silence_reconnects(void **state)
{
	struct rig *r = open_coins("BTC");

	(void)state;
	book(r, "BTC", 1790231000000, TWO_LEVELS);
	rig_clear(r);
	for (int i = 0; i < 65 && rig_last(r, FEED_CLOSE, 0) == NULL; i++) {
		rig_pass(r, 1000 * 1000000ull);
		rig_frame(r, 0, "{\"channel\":\"pong\"}");
	}
	/* Pongs all the while, no data: the venue has forgotten us. */
	assert_non_null(rig_last(r, FEED_CLOSE, 0));
	assert_int_equal(feed_link(r->f, 0)->state, LINK_STALE);
	rig_down(r, 0, 1000);
	rig_pass(r, 200 * 1000000ull);
	assert_non_null(rig_last(r, FEED_OPEN, 0));
	rig_close(r);
}

/* A venue that answers pings and sends nothing: no connection to it is ever
 * READY again, and the first data is what makes one so. */
static void
silent_venue_is_never_ready(void **state)
{
	struct rig *r = open_coins("BTC");
	unsigned opened = 0;

	(void)state;
	book(r, "BTC", 1790231000000, TWO_LEVELS);
	assert_int_equal(feed_state(r->f), LINK_READY);
	while (feed_link(r->f, 0)->state == LINK_READY) {
		rig_pass(r, 1000 * 1000000ull);
		rig_step(r, FEED_EV_PONG, 0);
	}
	r->tick_n = 0;
	for (int i = 0; i < 600; i++) {
		if (rig_last(r, FEED_CLOSE, 0) != NULL) {
			rig_clear(r);
			rig_down(r, 0, 1000);
		}
		rig_pass(r, 1000 * 1000000ull);
		if (feed_link(r->f, 0)->state == LINK_CONNECTING) {
			rig_step(r, FEED_EV_UP, 0);
			opened++;
		}
		rig_step(r, FEED_EV_PONG, 0);
		assert_int_not_equal(feed_link(r->f, 0)->state, LINK_READY);
	}
	for (size_t i = 0; i < r->tick_n; i++)
		assert_true(r->tick[i].hdr.kind != TICK_LINK ||
			    r->tick[i].u.link.state != LINK_READY);
	assert_true(opened >= 2);
	while (feed_link(r->f, 0)->state != LINK_UP) {
		if (rig_last(r, FEED_CLOSE, 0) != NULL) {
			rig_clear(r);
			rig_down(r, 0, 1000);
		}
		rig_pass(r, 1000 * 1000000ull);
		if (feed_link(r->f, 0)->state == LINK_CONNECTING)
			rig_step(r, FEED_EV_UP, 0);
	}
	book(r, "BTC", 1790231700000, TWO_LEVELS);
	assert_int_equal(feed_link(r->f, 0)->state, LINK_READY);
	rig_close(r);
}

static uint64_t
reasons_n(const struct rig *r)
{
	uint64_t n = 0;

	for (int k = 0; k < REASON_N; k++)
		n += feed_stats(r->f)->reason[k];
	return n;
}

static void
one_missing_book_holds_nothing_up(void **state)
{
	struct rig *r = open_coins("BTC, ETH");

	(void)state;
	book(r, "BTC", 1790231000000, TWO_LEVELS);
	assert_false(feed_is_ready(r->f));
	rig_pass(r, 5100 * 1000000ull);
	assert_null(rig_last(r, FEED_CLOSE, 0));
	assert_true(feed_is_ready(r->f));
	rig_close(r);
	r = open_coins("BTC, ETH"); /* none at all: try again */
	rig_pass(r, 5100 * 1000000ull);
	assert_non_null(rig_last(r, FEED_CLOSE, 0));
	rig_close(r);
}

static void
recorded_frames_are_used_or_named(void **state)
{
	size_t n;
	char *text = data_read("hyperliquid/ws/messages_mixed.jsonl", &n);
	struct rig *r;
	char *pos;
	char *line;
	size_t len;
	uint64_t lines = 0;
	uint64_t named = 0;

	(void)state;
	if (text == NULL)
		skip();
	r = open_coins("BTC");
	for (pos = text; data_line(&pos, &line, &len); lines++) {
		uint64_t before = reasons_n(r);
		uint64_t ticks = feed_stats(r->f)->ticks;

		rig_frame_n(r, 0, line, len);
		named += reasons_n(r) > before;
		assert_true(
		    reasons_n(r) > before || feed_stats(r->f)->ticks > ticks);
	}
	assert_int_equal(feed_stats(r->f)->frames, lines);
	assert_true(lines == 10 && named > 0 && named < lines);
	rig_close(r);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(coins_are_checked_before_subscribing),
	    cmocka_unit_test(no_list_no_connection),
	    cmocka_unit_test(T_59_snapshots_replace_whole_sides),
	    cmocka_unit_test(newest_time_has_the_touch),
	    cmocka_unit_test(backfill_and_repeats_are_no_trades),
	    cmocka_unit_test(context_is_a_reference),
	    cmocka_unit_test(bad_input_is_counted),
	    cmocka_unit_test(silence_reconnects),
	    cmocka_unit_test(silent_venue_is_never_ready),
	    cmocka_unit_test(one_missing_book_holds_nothing_up),
	    cmocka_unit_test(recorded_frames_are_used_or_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
