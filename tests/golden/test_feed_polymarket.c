/* links: feedd libvenue libshm libcore */
/*
 * Small frames of our own, in Polymarket's format, and the exact slots that
 * come of them; then every fault that a market channel can have.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_rig.h"

#define COND \
	"0x1111111111111111111111111111111111111111111111111111111111111111"
#define YES  "1000000000000000000001"
#define NO   "2000000000000000000002"
#define IDX  (INSTR_PM_BASE + CFG_LIST_N)
#define C(n) ((int64_t)(n)*1000000) /* cents, 1e-8 */
#define Q(n) ((int64_t)(n)*E8)

static const char list[] =
    "{\"markets\":[{\"conditionId\":\"" COND "\","
    "\"slug\":\"btc-updown-15m-1777514400\","
    "\"outcomes\":\"[\\\"Down\\\", \\\"Up\\\"]\","
    "\"clobTokenIds\":\"[\\\"" NO "\\\", \\\"" YES "\\\"]\","
    "\"orderPriceMinTickSize\":0.01,\"orderMinSize\":5,\"negRisk\":false,"
    "\"active\":true,\"closed\":false,\"acceptingOrders\":true,"
    "\"enableOrderBook\":true,\"feesEnabled\":true,"
    "\"feeSchedule\":{\"rate\":0.07,\"exponent\":1,\"takerOnly\":true,"
    "\"rebateRate\":0.2},\"eventStartTime\":\"2026-04-30T02:00:00Z\","
    "\"endDate\":\"2026-04-30T02:15:00Z\"},"
    "{\"conditionId\":"
    "\"0x2222222222222222222222222222222222222222222222222222222222222222\","
    "\"slug\":\"something-else\",\"outcomes\":\"[\\\"Yes\\\", \\\"No\\\"]\","
    "\"clobTokenIds\":\"[\\\"7\\\", \\\"8\\\"]\"}]}";

static struct rig *
open_market(void)
{
	struct rig *r = rig_open();

	rig_start(r, VENUE_POLYMARKET);
	assert_string_equal(rig_last(r, FEED_GET, -1)->url,
	    "http://127.0.0.1:18801/markets/keyset?closed=false&limit=100");
	rig_http(r, rig_last(r, FEED_GET, -1)->a.tag, 200, list, strlen(list));
	rig_pass(r, 1000000);
	assert_string_equal(
	    rig_last(r, FEED_OPEN, 0)->url, "ws://127.0.0.1:18801/ws/market");
	assert_string_equal(
	    rig_last(r, FEED_OPEN, 1)->url, "ws://127.0.0.1:18801/rtds");
	rig_step(r, FEED_EV_UP, 0);
	rig_step(r, FEED_EV_UP, 1);
	return r;
}

static void
book(struct rig *r, const char *token, int64_t ms, const char *bids,
    const char *asks)
{
	char text[4096];

	snprintf(text, sizeof(text),
	    "{\"event_type\":\"book\",\"market\":\"" COND "\","
	    "\"asset_id\":\"%s\",\"timestamp\":\"%lld\",\"bids\":[%s],"
	    "\"asks\":[%s],\"tick_size\":\"0.01\"}",
	    token, (long long)ms, bids, asks);
	rig_frame(r, 0, text);
}

#define L(px, qty) "{\"price\":\"" px "\",\"size\":\"" qty "\"}"

/* YES 0.47 x 120, 0.48 x 30 / 0.51 x 14, 0.52 x 25, and its mirror. */
static void
books(struct rig *r, int64_t ms)
{
	book(r, YES, ms, L("0.47", "120") "," L("0.48", "30"),
	    L("0.52", "25") "," L("0.51", "14"));
	book(r, NO, ms, L("0.48", "25") "," L("0.49", "14"),
	    L("0.53", "120") "," L("0.52", "30"));
}

struct change {
	const char *token;
	const char *px;
	const char *qty;
	const char *side;
	const char *bid;
	const char *ask;
	const char *hash;
};

static void
changes(struct rig *r, int64_t ms, const struct change *c, size_t n)
{
	char text[4096];
	size_t at;

	at = (size_t)snprintf(text, sizeof(text),
	    "{\"event_type\":\"price_change\",\"market\":\"" COND "\","
	    "\"timestamp\":\"%lld\",\"price_changes\":[",
	    (long long)ms);
	for (size_t i = 0; i < n; i++) {
		at += (size_t)snprintf(text + at, sizeof(text) - at,
		    "%s{\"asset_id\":\"%s\",\"price\":\"%s\",\"size\":\"%s\","
		    "\"side\":\"%s\"",
		    i == 0 ? "" : ",", c[i].token, c[i].px, c[i].qty,
		    c[i].side);
		if (c[i].hash != NULL)
			at += (size_t)snprintf(text + at, sizeof(text) - at,
			    ",\"hash\":\"%s\"", c[i].hash);
		if (c[i].bid != NULL)
			at += (size_t)snprintf(text + at, sizeof(text) - at,
			    ",\"best_bid\":\"%s\",\"best_ask\":\"%s\"",
			    c[i].bid, c[i].ask);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "}");
	}
	snprintf(text + at, sizeof(text) - at, "]}");
	rig_frame(r, 0, text);
}

/* The same order seen on both tokens: a YES bid, a NO ask. */
static void
pair(struct rig *r, int64_t ms, const char *yes_px, const char *no_px,
    const char *qty)
{
	const struct change c[] = {
	    {YES, yes_px, qty, "BUY", NULL, NULL, NULL},
	    {NO, no_px, qty, "SELL", NULL, NULL, NULL},
	};

	changes(r, ms, c, 2);
}

static void
is_bbo(const struct tick *t, int64_t bid, int64_t bid_qty, int64_t ask,
    int64_t ask_qty)
{
	assert_int_equal(t->hdr.kind, TICK_BBO);
	assert_int_equal(t->hdr.instr, IDX);
	assert_int_equal(t->u.bbo.bid_px.e8, bid);
	assert_int_equal(t->u.bbo.bid_qty.e8, bid_qty);
	assert_int_equal(t->u.bbo.ask_px.e8, ask);
	assert_int_equal(t->u.bbo.ask_qty.e8, ask_qty);
}

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
	assert_true(feed_is_ready(r->f));
	rig_close(r);
}

static void
snapshot_and_changes_give_exact_slots(void **state)
{
	struct rig *r = open_market();
	const struct tick *t;

	(void)state;
	rig_clear(r);
	books(r, 1777428650000);
	t = r->tick;
	assert_int_equal(t[0].hdr.kind, TICK_SNAP_BEGIN);
	assert_int_equal(t[0].hdr.venue_ns, INT64_C(1777428650000) * NS_PER_MS);
	assert_int_equal(t[0].u.snap.bid_n, 2);
	assert_int_equal(t[0].u.snap.epoch, 1);
	assert_int_equal(t[1].hdr.kind, TICK_LEVEL);
	assert_int_equal(t[1].u.level.px.e8, C(47));
	assert_int_equal(t[2].u.level.px.e8, C(48));
	assert_int_equal(t[2].u.level.side, SIDE_BID);
	assert_int_equal(t[3].u.level.px.e8, C(52));
	assert_int_equal(t[4].u.level.px.e8, C(51));
	assert_int_equal(t[4].u.level.side, SIDE_ASK);
	assert_int_equal(t[4].hdr.flags, SLOT_SNAP);
	assert_int_equal(t[5].hdr.kind, TICK_SNAP_END);
	is_bbo(&t[6], C(48), Q(30), C(51), Q(14));
	assert_int_equal(t[6].hdr.flags, SLOT_SNAP | SLOT_BATCH_END);
	assert_int_equal(t[7].hdr.kind, TICK_LINK); /* READY */
	assert_int_equal(t[7].u.link.state, LINK_READY);
	assert_int_equal(r->tick_n, 8); /* the NO book is not published */

	rig_clear(r); /* away from the touch: no BBO */
	pair(r, 1777428651000, "0.47", "0.53", "100");
	assert_int_equal(r->tick_n, 1);
	assert_int_equal(t[0].hdr.kind, TICK_LEVEL);
	assert_int_equal(t[0].u.level.qty.e8, Q(100));
	assert_int_equal(t[0].hdr.flags, SLOT_BATCH_END);

	rig_clear(r); /* a better bid */
	pair(r, 1777428652000, "0.49", "0.51", "75");
	assert_int_equal(r->tick_n, 2);
	assert_int_equal(t[0].hdr.flags, 0);
	is_bbo(&t[1], C(49), Q(75), C(51), Q(14));
	assert_int_equal(t[1].hdr.flags, SLOT_BATCH_END);

	rig_clear(r); /* gone again */
	pair(r, 1777428653000, "0.49", "0.51", "0");
	assert_int_equal(t[0].u.level.qty.e8, 0);
	is_bbo(&t[1], C(48), Q(30), C(51), Q(14));
	assert_int_equal(feed_stats(r->f)->mirror_bad, 0);
	assert_true(feed_stats(r->f)->mirror_ok >= 4);
	rig_close(r);
}

static void
later_snapshot_sends_differences(void **state)
{
	struct rig *r = open_market();

	(void)state;
	books(r, 1777428650000);
	rig_clear(r);
	book(r, YES, 1777428651000, L("0.46", "5") "," L("0.48", "30"),
	    L("0.52", "25") "," L("0.51", "10"));
	assert_int_equal(r->tick_n, 4); /* 0.47 gone, 0.46 new, 0.51 less */
	assert_int_equal(rig_ticks(r, TICK_LEVEL), 3);
	is_bbo(&r->tick[3], C(48), Q(30), C(51), Q(10));
	rig_clear(r); /* older than the book: ignored */
	book(r, YES, 1777428650500, L("0.40", "5"), "");
	assert_int_equal(r->tick_n, 0);
	assert_int_equal(feed_stats(r->f)->reason[REASON_SEQ_OLD], 1);
	rig_close(r);
}

static void
trades_of_both_tokens(void **state)
{
	static const char fmt[] =
	    "{\"event_type\":\"last_trade_price\",\"market\":\"" COND "\","
	    "\"asset_id\":\"%s\",\"price\":\"0.37\",\"size\":\"14.02\","
	    "\"side\":\"BUY\",\"fee_rate_bps\":\"\","
	    "\"timestamp\":\"1777428650789\"}";
	struct rig *r = open_market();
	char text[512];

	(void)state;
	rig_clear(r);
	snprintf(text, sizeof(text), fmt, YES);
	rig_frame(r, 0, text);
	snprintf(text, sizeof(text), fmt, NO);
	rig_frame(r, 0, text);
	assert_int_equal(r->tick_n, 2);
	assert_int_equal(r->tick[0].u.trade.px.e8, C(37));
	assert_int_equal(r->tick[0].u.trade.side, SIDE_BID);
	assert_int_equal(r->tick[0].hdr.flags, SLOT_BATCH_END);
	/* NO bought at 0.37 is YES sold at 0.63. */
	assert_int_equal(r->tick[1].u.trade.px.e8, C(63));
	assert_int_equal(r->tick[1].u.trade.side, SIDE_ASK);
	assert_int_equal(r->tick[1].u.trade.qty.e8, 1402000000);
	assert_int_equal(r->tick[1].hdr.flags, SLOT_BATCH_END | SLOT_OTHER_TOK);
	assert_int_not_equal(
	    r->tick[0].u.trade.trade_id, r->tick[1].u.trade.trade_id);
	rig_close(r);
}

/* T-61 */
static void
delta_before_snapshot_is_dropped(void **state)
{
	struct rig *r = open_market();

	(void)state;
	rig_clear(r);
	pair(r, 1777428650000, "0.47", "0.53", "100");
	assert_int_equal(r->tick_n, 0);
	assert_int_equal(feed_stats(r->f)->reason[REASON_NO_SNAPSHOT], 2);
	books(r, 1777428651000);
	rig_clear(r); /* older than the snapshot */
	pair(r, 1777428650000, "0.47", "0.53", "100");
	assert_int_equal(r->tick_n, 0);
	assert_int_equal(feed_stats(r->f)->reason[REASON_SEQ_OLD], 2);
	rig_close(r);
}

/* T-07 */
static void
tick_size_makes_a_new_epoch(void **state)
{
	struct rig *r = open_market();
	char text[512];

	(void)state;
	books(r, 1777428650000);
	rig_pass(r, 1500 * 1000000ull);
	rig_clear(r);
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text),
		    "{\"event_type\":\"tick_size_change\",\"market\":\"" COND
		    "\",\"asset_id\":\"%s\",\"old_tick_size\":\"0.01\","
		    "\"new_tick_size\":\"0.001\","
		    "\"timestamp\":\"1777428651000\"}",
		    i == 0 ? YES : NO);
		rig_frame(r, 0, text);
	}
	assert_int_equal(rig_ticks(r, TICK_INSTR), 1);
	assert_int_equal(rig_ticks(r, TICK_GAP), 1);
	assert_int_equal(r->instr[IDX].epoch, 2);
	assert_int_equal(r->instr[IDX].tick_px.e8, 100000);
	assert_int_equal(rig_count(r, FEED_SEND, 0), 2); /* off, on */
	rig_clear(r); /* a delta of the old grid */
	pair(r, 1777428651500, "0.49", "0.51", "75");
	assert_int_equal(r->tick_n, 0);
	books(r, 1777428652000);
	assert_int_equal(r->tick[0].u.snap.epoch, 2);
	is_bbo(&r->tick[6], C(48), Q(30), C(51), Q(14));
	rig_close(r);
}

/* T-54 */
static void
crossed_inside_a_batch_is_no_fault(void **state)
{
	struct rig *r = open_market();

	(void)state;
	books(r, 1777428650000);
	rig_clear(r);
	pair(r, 1777428651000, "0.51", "0.49", "10"); /* bid meets ask */
	pair(r, 1777428651000, "0.51", "0.49", "0");
	pair(r, 1777428652000, "0.47", "0.53", "7");
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	assert_int_equal(feed_stats(r->f)->reason[REASON_CROSSED], 0);
	rig_close(r);
}

static void
crossed_at_the_end_of_a_batch_is_dirty(void **state)
{
	struct rig *r = open_market();

	(void)state;
	books(r, 1777428650000);
	rig_pass(r, 2000 * 1000000ull);
	rig_clear(r);
	pair(r, 1777428651000, "0.51", "0.49", "10");
	assert_int_equal(rig_ticks(r, TICK_GAP), 0); /* not yet known */
	is_bbo(rig_last_tick(r, TICK_BBO), C(51), Q(10), C(51), Q(14));
	pair(r, 1777428652000, "0.47", "0.53", "7");
	assert_int_equal(rig_ticks(r, TICK_GAP), 1);
	assert_int_equal(
	    rig_last_tick(r, TICK_GAP)->u.gap.reason, REASON_CROSSED);
	assert_int_equal(rig_last_tick(r, TICK_GAP)->u.gap.scope, 1);
	assert_int_equal(rig_count(r, FEED_SEND, 0), 2);
	assert_false(feed_is_ready(r->f));
	rig_clear(r);
	books(r, 1777428653000);
	assert_int_equal(rig_ticks(r, TICK_SNAP_BEGIN), 1);
	assert_true(feed_is_ready(r->f));
	rig_close(r);
}

static void
crossed_and_then_silence_is_dirty_too(void **state)
{
	struct rig *r = open_market();

	(void)state;
	books(r, 1777428650000);
	rig_clear(r);
	pair(r, 1777428651000, "0.51", "0.49", "10");
	rig_pass(r, 300 * 1000000ull);
	assert_int_equal(rig_ticks(r, TICK_GAP), 1);
	rig_close(r);
}

static void
touch_must_differ_twice(void **state)
{
	const struct change bad[] = {
	    {YES, "0.47", "5", "BUY", "0.44", "0.51", 0},
	    {NO, "0.53", "5", "SELL", "0.49", "0.52", 0}};
	struct rig *r = open_market();

	(void)state;
	books(r, 1777428650000);
	rig_clear(r);
	changes(r, 1777428651000, bad, 2);
	pair(r, 1777428652000, "0.47", "0.53", "6"); /* says nothing */
	assert_int_equal(feed_stats(r->f)->touch_bad, 1);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	changes(r, 1777428653000, bad, 2);
	rig_pass(r, 300 * 1000000ull);
	assert_int_equal(feed_stats(r->f)->touch_bad, 2);
	assert_int_equal(rig_ticks(r, TICK_GAP), 1);
	assert_int_equal(
	    rig_last_tick(r, TICK_GAP)->u.gap.reason, REASON_TOUCH_MISMATCH);
	rig_close(r);
}

static void
mirror_must_differ_twice(void **state)
{
	const struct change half[] = {
	    {YES, "0.47", "5", "BUY", "0.48", "0.51", 0}};
	struct rig *r = open_market();

	(void)state;
	books(r, 1777428650000);
	rig_clear(r);
	changes(r, 1777428651000, half, 1);
	changes(r, 1777428652000, half, 1);
	assert_int_equal(feed_stats(r->f)->mirror_bad, 1);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	rig_pass(r, 300 * 1000000ull);
	assert_int_equal(feed_stats(r->f)->mirror_bad, 2);
	assert_int_equal(
	    rig_last_tick(r, TICK_GAP)->u.gap.reason, REASON_MIRROR_MISMATCH);
	rig_close(r);
}

/* The snapshot's hash was never ours: hashes are counted and no more. */
static void
hash_alone_never_stops(void **state)
{
	const struct change c[] = {{YES, "0.47", "5", "BUY", "0.48", "0.51",
				       "00000000000000000000000000000000000000"
				       "00"},
	    {NO, "0.53", "5", "SELL", "0.49", "0.52", 0}};
	struct rig *r = open_market();

	(void)state;
	books(r, 1777428650000);
	rig_clear(r);
	for (int i = 1; i < 6; i++) {
		changes(r, 1777428650000 + i * 1000, c, 2);
		rig_pass(r, 300 * 1000000ull);
	}
	assert_int_equal(feed_stats(r->f)->hash_bad, 5);
	assert_int_equal(feed_stats(r->f)->reason[REASON_HASH_MISMATCH], 5);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	rig_close(r);
}

static void
missing_snapshot_is_asked_for_again(void **state)
{
	struct rig *r = open_market();

	(void)state;
	rig_clear(r);
	rig_pass(r, 5100 * 1000000ull);
	assert_true(rig_count(r, FEED_SEND, 0) >= 2);
	assert_int_equal(feed_stats(r->f)->reason[REASON_NO_SNAPSHOT], 1);
	/* One market without a book does not hold up the others. */
	rig_frame(r, 0, "PONG");
	assert_int_equal(feed_link(r->f, 0)->state, LINK_READY);
	assert_true(feed_is_ready(r->f));
	rig_close(r);
}

static void
disconnect_forgets_and_comes_back(void **state)
{
	struct rig *r = open_market();
	const struct tick *gap;

	(void)state;
	books(r, 1777428650000);
	rig_clear(r);
	pair(r, 1777428651000, "0.51", "0.49", "10"); /* mid-batch */
	rig_down(r, 0, 1006);
	gap = rig_last_tick(r, TICK_GAP);
	assert_int_equal(gap->u.gap.scope, 2);
	assert_int_equal(gap->u.gap.conn, 0);
	assert_int_equal(rig_last_tick(r, TICK_CONN)->u.conn.code, 1006);
	assert_int_equal(rig_last_tick(r, TICK_LINK)->u.link.state, LINK_DOWN);
	assert_false(feed_is_ready(r->f));
	rig_frame(r, 0, "{}"); /* of the dead connection */
	assert_null(rig_last(r, FEED_OPEN, 0));
	rig_pass(r, 110 * 1000000ull);
	assert_non_null(rig_last(r, FEED_OPEN, 0));
	rig_clear(r);
	rig_step(r, FEED_EV_UP, 0);
	assert_int_equal(rig_count(r, FEED_SEND, 0), 1);
	pair(r, 1777428652000, "0.47", "0.53", "7");
	assert_int_equal(rig_ticks(r, TICK_LEVEL), 0);
	books(r, 1777428651500);
	assert_int_equal(rig_ticks(r, TICK_SNAP_BEGIN), 1);
	is_bbo(rig_last_tick(r, TICK_BBO), C(48), Q(30), C(51), Q(14));
	assert_int_equal(feed_link(r->f, 0)->reconnects, 1);
	rig_close(r);
}

static void
resync_repeats_everything(void **state)
{
	struct rig *r = open_market();
	uint64_t h;

	(void)state;
	rig_frame(r, 1,
	    "{\"topic\":\"crypto_prices_chainlink\",\"type\":\"update\","
	    "\"timestamp\":1777428650350,\"payload\":{\"symbol\":\"btc/usd\","
	    "\"timestamp\":1777428650000,\"value\":61021.4437,"
	    "\"full_accuracy_value\":\"61021443700000000000000\"}}");
	assert_int_equal(
	    rig_last_tick(r, TICK_REF)->u.ref.px.e8, INT64_C(6102144370000));
	assert_int_equal(rig_last_tick(r, TICK_REF)->u.ref.source, REF_SPOT);
	assert_int_equal(rig_last_tick(r, TICK_REF)->hdr.instr, INSTR_PM_BASE);
	books(r, 1777428650000);
	rig_clear(r);
	h = feed_hash(r->f);
	rig_resync(r, RING_FULL);
	assert_int_equal(feed_hash(r->f), h);
	for (size_t i = 0; i < r->tick_n; i++)
		assert_true(r->tick[i].hdr.flags & SLOT_REPLAY);
	assert_int_equal(rig_ticks(r, TICK_INSTR), 4);
	assert_int_equal(rig_ticks(r, TICK_LEVEL), 4);
	assert_int_equal(rig_ticks(r, TICK_BBO), 1);
	assert_int_equal(rig_ticks(r, TICK_REF), 1);
	assert_int_equal(rig_ticks(r, TICK_LINK), 2);
	rig_clear(r);
	rig_resync(r, RING_TOP);
	assert_int_equal(rig_ticks(r, TICK_LEVEL), 0);
	assert_int_equal(rig_ticks(r, TICK_SNAP_BEGIN), 0);
	assert_int_equal(rig_ticks(r, TICK_BBO), 1);
	rig_clear(r); /* while a book is away, that is what is told */
	rig_down(r, 0, 0);
	rig_clear(r);
	rig_resync(r, RING_FULL);
	assert_int_equal(rig_ticks(r, TICK_GAP), 1);
	assert_int_equal(rig_ticks(r, TICK_BBO), 0);
	rig_close(r);
}

struct bad {
	const char *text;
	enum reason reason;
};

static const struct bad bads[] = {
    {"{\"event_type\":", REASON_BAD_JSON},
    {"\xff\xfe", REASON_BAD_UTF8},
    {"", REASON_BAD_JSON},
    {"{\"event_type\":\"weird_thing\"}", REASON_UNKNOWN_EVENT},
    {"{\"event_type\":\"book\",\"market\":\"" COND "\"}", REASON_MISSING_FIELD},
    {"{\"event_type\":\"last_trade_price\",\"market\":\"" COND
     "\",\"asset_id\":\"" YES "\",\"price\":\"1e5\",\"size\":\"1\","
     "\"side\":\"BUY\",\"timestamp\":\"1777428650789\"}",
	REASON_BAD_NUMBER},
    {"{\"event_type\":\"last_trade_price\",\"market\":\"" COND
     "\",\"asset_id\":\"" YES "\",\"price\":\"0.5\",\"size\":"
     "\"99999999999999999\",\"side\":\"BUY\","
     "\"timestamp\":\"1777428650789\"}",
	REASON_BAD_NUMBER},
    {"{\"event_type\":\"last_trade_price\",\"market\":\"" COND
     "\",\"asset_id\":\"3\",\"price\":\"0.5\",\"size\":\"1\","
     "\"side\":\"BUY\",\"timestamp\":\"1777428650789\"}",
	REASON_UNKNOWN_ASSET},
    {"{\"event_type\":\"book\",\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	REASON_TOO_DEEP},
};

static void
bad_input_is_counted_and_told_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct rig *r = open_market();
		const struct feed_stats *s = feed_stats(r->f);

		books(r, 1777428650000);
		rig_clear(r);
		for (int k = 0; k < 3; k++)
			rig_frame(r, 0, bads[i].text);
		if (s->reason[bads[i].reason] != 3)
			printf("case %zu: %s\n", i, bads[i].text);
		assert_int_equal(s->reason[bads[i].reason], 3);
		assert_int_equal(s->malformed, 3);
		assert_int_equal(rig_ticks(r, TICK_TRADE), 0);
		assert_int_equal(rig_ticks(r, TICK_LEVEL), 0);
		assert_int_equal(rig_ticks(r, TICK_GAP), 0);
		assert_true(rig_count(r, FEED_LOG, 0) <= 1);
		rig_pass(r, 1000000);
		pair(r, 1777428651000, "0.49", "0.51", "75");
		is_bbo(rig_last_tick(r, TICK_BBO), C(49), Q(75), C(51), Q(14));
		rig_close(r);
	}
}

static void
duplicate_level_is_refused(void **state)
{
	struct rig *r = open_market();

	(void)state;
	books(r, 1777428650000);
	rig_clear(r);
	book(r, YES, 1777428651000, L("0.47", "1") "," L("0.47", "2"), "");
	assert_int_equal(feed_stats(r->f)->reason[REASON_BAD_NUMBER], 1);
	assert_int_equal(rig_ticks(r, TICK_GAP), 1);
	rig_close(r);
}

static void
one_sided_and_empty_books(void **state)
{
	struct rig *r = open_market();

	(void)state;
	rig_clear(r);
	book(r, YES, 1777428650000, L("0.99", "5"), "");
	is_bbo(&r->tick[3], C(99), Q(5), 0, 0);
	book(r, NO, 1777428650000, "", L("0.01", "5"));
	rig_clear(r);
	book(r, YES, 1777428651000, "", "");
	is_bbo(&r->tick[1], 0, 0, 0, 0);
	rig_close(r);
}

static void
market_resolves_and_is_retired(void **state)
{
	struct rig *r = open_market();

	(void)state;
	books(r, 1777428650000);
	rig_clear(r);
	rig_frame(r, 0,
	    "{\"event_type\":\"market_resolved\",\"id\":\"1\",\"market\":"
	    "\"" COND "\",\"assets_ids\":[\"" YES "\",\"" NO
	    "\"],\"winning_asset_id\":\"" YES "\",\"winning_outcome\":\"Up\","
	    "\"timestamp\":\"1777428660000\"}");
	assert_int_equal(r->instr[IDX].state, INSTR_RESOLVED);
	rig_pass(r, 1100 * 1000000ull);
	rig_http(
	    r, rig_last(r, FEED_GET, -1)->a.tag, 200, "{\"markets\":[]}", 14);
	assert_non_null(strstr(rig_last(r, FEED_SEND, 0)->text, "unsubscribe"));
	assert_int_equal(feed_instr_n(r->f), 3);
	pair(r, 1777428661000, "0.47", "0.53", "7");
	assert_int_equal(feed_stats(r->f)->reason[REASON_UNKNOWN_ASSET], 2);
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
	    "[{\"conditionId\":\"" COND "\",\"slug\":\"btc-updown-15m-1\","
	    "\"outcomes\":[\"Up\",\"Down\"],\"clobTokenIds\":[\"7\",\"8\"],"
	    "\"acceptingOrders\":true},{\"conditionId\":"
	    "\"0x22222222222222222222222222222222222222222222222222222222222222"
	    "22\",\"slug\":\"btc-updown-15m-2\",\"outcomes\":[\"Up\","
	    "\"Down\"],\"clobTokenIds\":[\"" YES "\",\"" NO "\"],"
	    "\"acceptingOrders\":true}]";
	struct rig *r = rig_open();
	const struct tick *gap;

	(void)state;
	r->cfg.polymarket_max_tokens = 2;
	rig_start(r, VENUE_POLYMARKET);
	rig_http(r, rig_last(r, FEED_GET, -1)->a.tag, 200, two, strlen(two));
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

	(void)state;
	rig_start(r, VENUE_POLYMARKET);
	rig_http(r, rig_last(r, FEED_GET, -1)->a.tag, 500, "<html>", 6);
	assert_false(feed_is_ready(r->f));
	rig_clear(r);
	rig_pass(r, 2100 * 1000000ull);
	assert_non_null(rig_last(r, FEED_GET, -1));
	rig_http(r, rig_last(r, FEED_GET, -1)->a.tag, 200, "<html>", 6);
	assert_int_equal(feed_stats(r->f)->reason[REASON_BAD_JSON], 1);
	rig_close(r);
}

static void
live_windows_are_asked_by_slug(void **state)
{
	struct rig *r = rig_open();

	(void)state;
	r->cfg.system_mode = MODE_PAPER;
	r->cfg.polymarket_series.n = 1;
	r->wall_ns = INT64_C(1777514400) * NS_PER_S + 5 * NS_PER_S;
	rig_start(r, VENUE_POLYMARKET);
	assert_int_equal(rig_count(r, FEED_GET, -1), 2);
	assert_non_null(strstr(rig_last(r, FEED_GET, -1)->url,
	    "/markets/slug/btc-updown-15m-1777515300"));
	rig_http(r, rig_last(r, FEED_GET, -1)->a.tag, 404, "", 0);
	rig_clear(r);
	rig_http(r, 1, 404, "", 0);
	/* Nothing by slug: the list is looked through once. */
	assert_non_null(
	    strstr(rig_last(r, FEED_GET, -1)->url, "/markets/keyset"));
	rig_http(r, rig_last(r, FEED_GET, -1)->a.tag, 200, "[]", 2);
	rig_pass(r, 1000000);
	assert_null(rig_last(r, FEED_OPEN, 0)); /* nothing to subscribe */
	rig_close(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(discovery_makes_an_instrument),
	    cmocka_unit_test(snapshot_and_changes_give_exact_slots),
	    cmocka_unit_test(later_snapshot_sends_differences),
	    cmocka_unit_test(trades_of_both_tokens),
	    cmocka_unit_test(delta_before_snapshot_is_dropped),
	    cmocka_unit_test(tick_size_makes_a_new_epoch),
	    cmocka_unit_test(crossed_inside_a_batch_is_no_fault),
	    cmocka_unit_test(crossed_at_the_end_of_a_batch_is_dirty),
	    cmocka_unit_test(crossed_and_then_silence_is_dirty_too),
	    cmocka_unit_test(touch_must_differ_twice),
	    cmocka_unit_test(mirror_must_differ_twice),
	    cmocka_unit_test(hash_alone_never_stops),
	    cmocka_unit_test(missing_snapshot_is_asked_for_again),
	    cmocka_unit_test(disconnect_forgets_and_comes_back),
	    cmocka_unit_test(resync_repeats_everything),
	    cmocka_unit_test(bad_input_is_counted_and_told_once),
	    cmocka_unit_test(duplicate_level_is_refused),
	    cmocka_unit_test(one_sided_and_empty_books),
	    cmocka_unit_test(market_resolves_and_is_retired),
	    cmocka_unit_test(pongs_measure_the_link),
	    cmocka_unit_test(strike_is_the_price_of_the_opening_second),
	    cmocka_unit_test(strike_of_a_missed_second_is_the_price_before),
	    cmocka_unit_test(connections_fail_apart),
	    cmocka_unit_test(rest_failures_are_retried),
	    cmocka_unit_test(live_windows_are_asked_by_slug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
