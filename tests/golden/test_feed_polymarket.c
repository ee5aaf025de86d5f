/* links: feedd libvenue libshm libcore */
/*
 * Small frames of our own, in Polymarket's format, and the exact slots that
 * come of them; then every fault that a market channel can have.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_pm.h"

#include "feedd/pm_feed.h"

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
T_07_tick_size_makes_a_new_epoch(void **state)
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
	book_tick = "0.001";
	books(r, 1777428652000);
	book_tick = "0.01";
	assert_int_equal(r->tick[0].u.snap.epoch, 2);
	is_bbo(&r->tick[6], C(48), Q(30), C(51), Q(14));
	rig_close(r);
}

/* T-54 */
static void
T_54_crossed_inside_a_batch_is_no_fault(void **state)
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
T_54_crossed_for_two_batches_is_dirty(void **state)
{
	struct rig *r = open_market();

	(void)state;
	relay_lives(r);
	books(r, 1777428650000);
	rig_pass(r, 2000 * 1000000ull);
	rig_clear(r);
	pair(r, 1777428651000, "0.51", "0.49", "10");
	assert_int_equal(rig_ticks(r, TICK_GAP), 0); /* not yet known */
	is_bbo(rig_last_tick(r, TICK_BBO), C(51), Q(10), C(51), Q(14));
	pair(r, 1777428652000, "0.47", "0.53", "7");
	assert_int_equal(rig_ticks(r, TICK_GAP), 0); /* one batch is not */
	assert_int_equal(feed_stats(r->f)->reason[REASON_CROSSED], 1);
	pair(r, 1777428653000, "0.47", "0.53", "8");
	assert_int_equal(rig_ticks(r, TICK_GAP), 1);
	assert_int_equal(
	    rig_last_tick(r, TICK_GAP)->u.gap.reason, REASON_CROSSED);
	assert_int_equal(rig_last_tick(r, TICK_GAP)->u.gap.scope, 1);
	assert_int_equal(rig_count(r, FEED_SEND, 0), 2);
	/* One book: the venue goes on. */
	assert_false(feed_link(r->f, 0)->complete);
	assert_true(feed_is_ready(r->f));
	rig_clear(r);
	books(r, 1777428653000);
	assert_int_equal(rig_ticks(r, TICK_SNAP_BEGIN), 1);
	assert_true(feed_link(r->f, 0)->complete);
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
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	rig_pass(r, 300 * 1000000ull);
	assert_int_equal(rig_ticks(r, TICK_GAP), 1);
	rig_close(r);
}

/* Crossed, uncrossed, crossed: never for two batches in a row. */
static void
crossed_now_and_then_is_no_fault(void **state)
{
	struct rig *r = open_market();

	(void)state;
	books(r, 1777428650000);
	rig_clear(r);
	for (int64_t ms = 1777428651000; ms < 1777428651100; ms += 2) {
		pair(r, ms, "0.51", "0.49", "10");
		pair(r, ms + 1, "0.51", "0.49", "0");
	}
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	assert_int_equal(feed_stats(r->f)->reason[REASON_CROSSED], 50);
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

/* Lines of a kind since the last clear; *last: the newest. */
static size_t
told(const struct rig *r, enum feed_log log, const struct rig_act **last)
{
	size_t n = 0;

	for (size_t i = 0; i < r->act_n; i++)
		if (r->act[i].a.what == FEED_LOG && r->act[i].a.log == log) {
			*last = &r->act[i];
			n++;
		}
	return n;
}

static const struct change wrong[] = {
    {YES, "0.47", "5", "BUY", "0.48", "0.51",
	"0000000000000000000000000000000000000000"},
    {NO, "0.53", "5", "SELL", "0.49", "0.52",
	"0000000000000000000000000000000000000000"}};

/* Every hash is wrong, that of whole books too: the venue hashes something
 * else. Nothing is dropped and nothing asked for, whatever the strikes; they
 * begin anew with each whole book that the venue sends by itself. Told once a
 * minute and token. */
static void
T_55_wrong_hashes_of_everything_drop_nothing(void **state)
{
	struct rig *r = open_market();
	const struct rig_act *last = NULL;
	size_t lines = 0;

	(void)state;
	books(r, 1777428650000);
	rig_clear(r);
	for (int i = 1; i < 240; i++) {
		changes(r, 1777428650000 + i * 500, wrong, 2);
		if (i % 3 == 0)
			books(r, 1777428650001 + i * 500);
		rig_pass(r, 500 * 1000000ull);
		rig_step(r, FEED_EV_PONG, 0);
		lines += told(r, FEED_LOG_HASH, &last);
		assert_int_equal(told(r, FEED_LOG_BOOK_DIRTY, &last), 0);
		for (size_t k = 0; k < r->act_n; k++)
			assert_null(strstr(r->act[k].text, "subscribe"));
		rig_clear(r);
	}
	assert_int_equal(lines, 4); /* two tokens, two minutes */
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	rig_close(r);
}

/* Whole books are right and changes are not: each token is named, the book
 * is dropped at each second strike, and that is told with every new one of a
 * minute counted. */
static void
T_55_every_fetch_for_a_hash_is_a_dirty_book(void **state)
{
	struct rig *r = open_market();
	struct pm_feed *p = (struct pm_feed *)r->f;
	size_t dirty_lines = 0;
	size_t fetches = 0;
	size_t counted = 0;
	bool yes = false;
	bool no = false;

	(void)state;
	for (int i = 0; i < 100; i++) {
		int64_t ms = 1777428650000 + i * 2000;

		books(r, ms);
		p->market[0].tok[0].is_hash_trusted = true;
		p->market[0].tok[1].is_hash_trusted = true;
		rig_clear(r);
		changes(r, ms + 100, wrong, 2);
		rig_pass(r, 300 * 1000000ull);
		changes(r, ms + 700, wrong, 2);
		rig_pass(r, 1700 * 1000000ull);
		rig_step(r, FEED_EV_PONG, 0);
		fetches += rig_ticks(r, TICK_GAP);
		for (size_t k = 0; k < r->act_n; k++) {
			const struct feed_act *a = &r->act[k].a;

			if (a->what != FEED_LOG)
				continue;
			if (a->log == FEED_LOG_HASH) {
				yes |= strcmp(r->act[k].text, "yes") == 0;
				no |= strcmp(r->act[k].text, "no") == 0;
				assert_int_equal(a->tag, 1);
			}
			if (a->log != FEED_LOG_BOOK_DIRTY)
				continue;
			assert_int_equal(a->reason, REASON_HASH_MISMATCH);
			dirty_lines++;
			counted += (size_t)a->value;
		}
	}
	assert_true(yes && no);
	assert_true(fetches >= 90);
	assert_in_range(dirty_lines, 3, 4);
	assert_in_range(counted, fetches - 31, fetches);
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
	assert_true(feed_is_ready(r->f));
	/* But a connection that has shown no data is not READY. */
	assert_int_equal(feed_link(r->f, 0)->state, LINK_UP);
	pair(r, 1777428651000, "0.47", "0.53", "100");
	assert_int_equal(feed_link(r->f, 0)->state, LINK_READY);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(snapshot_and_changes_give_exact_slots),
	    cmocka_unit_test(later_snapshot_sends_differences),
	    cmocka_unit_test(trades_of_both_tokens),
	    cmocka_unit_test(delta_before_snapshot_is_dropped),
	    cmocka_unit_test(T_07_tick_size_makes_a_new_epoch),
	    cmocka_unit_test(T_54_crossed_inside_a_batch_is_no_fault),
	    cmocka_unit_test(T_54_crossed_for_two_batches_is_dirty),
	    cmocka_unit_test(crossed_and_then_silence_is_dirty_too),
	    cmocka_unit_test(crossed_now_and_then_is_no_fault),
	    cmocka_unit_test(touch_must_differ_twice),
	    cmocka_unit_test(mirror_must_differ_twice),
	    cmocka_unit_test(hash_alone_never_stops),
	    cmocka_unit_test(T_55_wrong_hashes_of_everything_drop_nothing),
	    cmocka_unit_test(T_55_every_fetch_for_a_hash_is_a_dirty_book),
	    cmocka_unit_test(missing_snapshot_is_asked_for_again),
	    cmocka_unit_test(disconnect_forgets_and_comes_back),
	    cmocka_unit_test(resync_repeats_everything),
	    cmocka_unit_test(bad_input_is_counted_and_told_once),
	    cmocka_unit_test(duplicate_level_is_refused),
	    cmocka_unit_test(one_sided_and_empty_books),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
