/* links: feedd libvenue libshm libcore */
/*
 * Traps of Polymarket's feed: sockets that fall silent, snapshots that never
 * come, books over REST that lie, changes for another book.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_pm.h"

#include "feedd/pm_feed.h"

#define MS UINT64_C(1000000)

/* Pongs for both connections, a price on the other one, every second. */
static void
live_quietly(struct rig *r, uint32_t seconds)
{
	for (uint32_t i = 0; i < seconds; i++) {
		rig_pass(r, 1000 * MS);
		if (rig_last(r, FEED_CLOSE, 0) != NULL)
			return;
		rig_frame(r, 0, "PONG");
		rig_step(r, FEED_EV_PONG, 1);
		rig_frame(r, 1,
		    "{\"topic\":\"crypto_prices\",\"type\":\"update\","
		    "\"timestamp\":1,\"payload\":{}}");
	}
}

static struct rig *
open_window(void)
{
	struct rig *r = open_market();

	books(r, 1777428650000);
	r->wall_ns = INT64_C(1777514460) * NS_PER_S; /* it is open */
	rig_pass(r, MS);
	rig_clear(r);
	return r;
}

static void
T_51_pongs_without_data_are_a_stale_link(void **state)
{
	struct rig *r = open_window();
	uint64_t from = r->now_ns;

	(void)state;
	rig_step(r, FEED_EV_CFG, 0);
	live_quietly(r, 29);
	assert_null(rig_last(r, FEED_CLOSE, 0));
	assert_int_equal(feed_link(r->f, 0)->state, LINK_READY);
	live_quietly(r, 30);
	assert_non_null(rig_last(r, FEED_CLOSE, 0));
	assert_true(r->now_ns - from < 35 * 1000 * MS);
	assert_int_equal(feed_link(r->f, 0)->state, LINK_STALE);
	rig_close(r);
}

static void
T_52_a_quiet_market_is_not_a_stale_link(void **state)
{
	struct rig *r = open_market(); /* its window is not open yet */

	(void)state;
	books(r, 1777428650000);
	rig_clear(r);
	live_quietly(r, 120);
	assert_null(rig_last(r, FEED_CLOSE, 0));
	assert_int_equal(feed_link(r->f, 0)->state, LINK_READY);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	rig_close(r);
}

/* A body of GET /book: bid and ask of YES. */
static void
rest(struct rig *r, int64_t ms, const char *bid, const char *ask)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"market\":\"" COND "\",\"asset_id\":\"" YES "\","
	    "\"timestamp\":\"%lld\",\"bids\":[{\"price\":\"%s\","
	    "\"size\":\"1000\"}],\"asks\":[{\"price\":\"%s\","
	    "\"size\":\"1000\"}]}",
	    (long long)ms, bid, ask);
	rig_http(r, FEED_TAG_BOOK, 200, text, strlen(text));
}

static void
T_51_rest_ahead_twice_is_a_silent_socket(void **state)
{
	struct rig *r = open_market();

	(void)state;
	books(r, 1777428650000);
	rig_clear(r);
	rest(r, 1777428660000, "0.40", "0.41"); /* data is fresh: no matter */
	rest(r, 1777428660001, "0.40", "0.41");
	assert_null(rig_last(r, FEED_CLOSE, 0));
	live_quietly(r, 4);
	rest(r, 1777428660000, "0.40", "0.41");
	rest(r, 1777428660000, "0.48", "0.51"); /* our touch: all is well */
	rest(r, 1777428660000, "0.40", "0.41");
	rest(r, 1777428640000, "0.40", "0.41"); /* older than ours */
	rest(r, 1777428660000, "0.40", "0.41");
	assert_null(rig_last(r, FEED_CLOSE, 0));
	rest(r, 1777428660000, "0.40", "0.41");
	assert_non_null(rig_last(r, FEED_CLOSE, 0));
	assert_int_equal(rig_ticks(r, TICK_BBO), 0); /* T-56 */
	rig_close(r);
}

/* T-56: a book over REST, right or wrong, changes nothing that is priced. */
static void
T_56_rest_is_never_a_price(void **state)
{
	struct rig *r = open_market();
	uint64_t before;

	(void)state;
	books(r, 1777428650000);
	rig_clear(r);
	before = feed_hash(r->f);
	rest(r, 1777428650000, "0.01", "0.99");
	rest(r, 1777428651000, "0.01", "0.99");
	rest(r, 1777428600000, "0.01", "0.99");
	assert_int_equal(r->tick_n, 0);
	assert_int_equal(feed_hash(r->f), before);
	rig_pass(r, 600 * MS);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	pair(r, 1777428652000, "0.49", "0.51", "75");
	is_bbo(rig_last_tick(r, TICK_BBO), C(49), Q(75), C(51), Q(14));
	rig_close(r);
}

static size_t
subs(const struct rig *r, uint8_t conn)
{
	size_t n = 0;

	for (size_t i = 0; i < r->act_n; i++)
		n += r->act[i].a.what == FEED_SEND &&
		     r->act[i].a.conn == conn &&
		     strstr(r->act[i].text, YES) != NULL &&
		     strstr(r->act[i].text, "unsubscribe") == NULL;
	return n;
}

static void
pass_with_pongs(struct rig *r, uint32_t seconds)
{
	for (uint32_t i = 0; i < seconds; i++) {
		rig_pass(r, 1000 * MS);
		for (uint8_t c = 0; c < FEED_LANES; c++)
			if (c != 1 && link_is_live(feed_link(r->f, c)))
				rig_frame(r, c, "PONG");
	}
}

static void
T_53_token_without_snapshot_is_asked_elsewhere(void **state)
{
	struct rig *r = open_market();

	(void)state;
	assert_int_equal(subs(r, 0), 1);
	rig_clear(r);
	pass_with_pongs(r, 6); /* again on the same connection */
	assert_int_equal(subs(r, 0), 1);
	assert_null(rig_last(r, FEED_OPEN, 2));
	rig_clear(r);
	pass_with_pongs(r, 6); /* then on another one */
	assert_non_null(rig_last(r, FEED_OPEN, 2));
	rig_step(r, FEED_EV_UP, 2);
	assert_int_equal(subs(r, 0), 0);
	assert_int_equal(subs(r, 2), 1);
	rig_clear(r);
	{
		char text[512];

		snprintf(text, sizeof(text),
		    "{\"event_type\":\"book\",\"market\":\"" COND "\","
		    "\"asset_id\":\"" YES "\",\"timestamp\":\"1777428650000\","
		    "\"bids\":[" L("0.4", "1") "],\"asks\":[" L(
			"0.6", "2") "]}");
		rig_frame(r, 2, text);
	}
	is_bbo(rig_last_tick(r, TICK_BBO), C(40), Q(1), C(60), Q(2));
	assert_int_equal(rig_last_tick(r, TICK_SNAP_BEGIN)->u.snap.conn, 2);
	rig_close(r);
}

/* 404 over REST: the market is not there yet; it stays where it is. */
static void
T_04_no_book_at_all_is_hydrating(void **state)
{
	struct rig *r = open_market();
	const struct rig_act *get = NULL;

	(void)state;
	rig_clear(r);
	pass_with_pongs(r, 6);
	for (size_t i = 0; i < r->act_n; i++)
		if (r->act[i].a.what == FEED_GET &&
		    r->act[i].a.tag != FEED_TAG_BOOK &&
		    strstr(r->act[i].url, "/book?") != NULL)
			get = &r->act[i];
	assert_non_null(get);
	rig_http(r, get->a.tag, 404, "", 0);
	assert_int_equal(r->instr[IDX].state, INSTR_HYDRATING);
	pass_with_pongs(r, 30);
	assert_null(rig_last(r, FEED_OPEN, 2));
	books(r, 1777428650000);
	assert_int_equal(r->instr[IDX].state, INSTR_NORMAL);
	rig_close(r);
}

/* T-61: a change before the snapshot, and after the grid has changed. */
static void
T_61_change_for_no_book_is_dropped(void **state)
{
	struct rig *r = open_market();

	(void)state;
	rig_clear(r);
	pair(r, 1777428650000, "0.49", "0.51", "75");
	assert_int_equal(r->tick_n, 0);
	assert_int_equal(feed_stats(r->f)->reason[REASON_NO_SNAPSHOT], 2);
	books(r, 1777428651000);
	rig_clear(r);
	rig_frame(r, 0,
	    "{\"event_type\":\"tick_size_change\",\"market\":\"" COND "\","
	    "\"asset_id\":\"" YES "\",\"old_tick_size\":\"0.01\","
	    "\"new_tick_size\":\"0.001\",\"timestamp\":\"1777428652000\"}");
	assert_int_equal(rig_ticks(r, TICK_GAP), 1);
	pair(r, 1777428652001, "0.49", "0.51", "75");
	assert_int_equal(rig_ticks(r, TICK_LEVEL), 0);
	assert_int_equal(feed_stats(r->f)->reason[REASON_NO_SNAPSHOT], 4);
	rig_close(r);
}

/* T-07: both ways, each a new epoch; prices of both grids after it. */
static void
T_07_grid_changes_both_ways(void **state)
{
	static const char *const tick[] = {"0.001", "0.01", "0.001"};
	struct rig *r = open_market();
	uint16_t epoch;

	(void)state;
	books(r, 1777428650000);
	epoch = r->instr[IDX].epoch;
	for (size_t i = 0; i < 3; i++) {
		char text[512];

		snprintf(text, sizeof(text),
		    "{\"event_type\":\"tick_size_change\",\"market\":\"" COND
		    "\",\"asset_id\":\"" NO "\",\"old_tick_size\":\"0.5\","
		    "\"new_tick_size\":\"%s\",\"timestamp\":\"%llu\"}",
		    tick[i], 1777428651000ull + i * 1000);
		rig_frame(r, 0, text);
		assert_int_equal(r->instr[IDX].epoch, epoch + i + 1);
		rig_pass(r, 1100 * MS);
		rig_clear(r);
		book_tick = tick[i];
		books(r, 1777428651001 + (int64_t)i * 1000);
		assert_int_equal(rig_ticks(r, TICK_SNAP_BEGIN), 1);
		assert_int_equal(
		    rig_last_tick(r, TICK_SNAP_BEGIN)->u.snap.epoch,
		    epoch + i + 1);
	}
	pair(r, 1777428655000, "0.485", "0.515", "7");
	is_bbo(
	    rig_last_tick(r, TICK_BBO), INT64_C(48500000), Q(7), C(51), Q(14));
	book_tick = "0.01";
	rig_close(r);
}

static struct gamma_market
market_of(uint64_t k)
{
	struct gamma_market g;

	memset(&g, 0, sizeof(g));
	g.has_tokens = true;
	g.slug.s = "x-1";
	g.slug.n = 3;
	g.accepting_orders = true;
	memcpy(g.cond.b, &k, sizeof(k));
	g.yes.w[0] = 2 * k + 1000;
	g.no.w[0] = 2 * k + 1001;
	g.tick.tok_e8 = E8 / 100;
	return g;
}

static uint32_t
shards_wanted(const struct feed *f)
{
	uint32_t n = 0;

	for (uint8_t i = 0; i < FEED_LANES; i++)
		n += i != PM_REF_CONN && f->shard[i].wanted;
	return n;
}

/* Two markets a shard: seven shards, then the table is full; thousands that
 * come and go leave nothing behind. */
static void
T_53_shards_fill_and_empty(void **state)
{
	struct rig *r = rig_open();
	struct pm_market *m[32];
	struct pm_feed *p;
	uint32_t n = 0;
	uint64_t k = 0;

	(void)state;
	r->cfg.polymarket_max_tokens = 4;
	r->cfg.polymarket_rtds_symbols.n = 0;
	rig_start(r, VENUE_POLYMARKET);
	p = (struct pm_feed *)r->f;
	for (; n < 14; n++) {
		struct gamma_market g = market_of(k++);

		m[n] = pm_add(p, &g, false);
		assert_non_null(m[n]);
		assert_false(m[n]->is_off);
	}
	assert_int_equal(shards_wanted(r->f), 7);
	rig_clear(r);
	{
		struct gamma_market g = market_of(k++);

		assert_null(pm_add(p, &g, false));
		assert_int_equal(
		    rig_last(r, FEED_LOG, -1)->a.log, FEED_LOG_TABLE_FULL);
	}
	for (int round = 0; round < 3000; round++) {
		uint32_t i = (uint32_t)round * 7 % n;
		struct gamma_market g = market_of(k++);

		pm_free(p, m[i]);
		m[i] = pm_add(p, &g, false);
		assert_non_null(m[i]);
		assert_false(m[i]->is_off);
	}
	assert_int_equal(shards_wanted(r->f), 7);
	assert_true(p->market_n <= 16);
	for (uint32_t i = 0; i < n; i++)
		pm_free(p, m[i]);
	assert_int_equal(shards_wanted(r->f), 1); /* the main one stays */
	rig_close(r);
}

/* T-55: one wrong hash stops nothing, and the price of a trade that was told
 * after it makes it right. */
static void
T_55_a_hash_waits_for_the_trade(void **state)
{
	struct rig *r = open_market();
	struct pm_feed *p = (struct pm_feed *)r->f;
	struct pm_market *m = &p->market[0];
	struct pm_tok *t = &m->tok[0];
	struct pm_hash_book b = {.role = ROLE_YES};
	struct pm_meta meta;
	struct book want;
	struct book_level level[2 * BOOK_DEPTH];
	char hash[PM_HASH_LEN + 1] = {0};
	struct change c[] = {{YES, "0.48", "33", "BUY", NULL, NULL, hash},
	    {NO, "0.52", "33", "SELL", NULL, NULL, NULL}};

	(void)state;
	books(r, 1777428650000);
	meta = t->meta;
	memcpy(meta.last_px.s, "0.510", 5);
	meta.last_px.n = 5;
	meta.has_last_px = true;
	book_init(&want, level, BOOK_DEPTH);
	book_copy(&want, &t->book);
	book_set(&want, SIDE_BID, PX(C(48)), QTY(Q(33)));
	b.market = m->cond;
	b.token = t->id;
	b.venue_ns = INT64_C(1777428651000) * NS_PER_MS;
	b.book = &want;
	pm_hash_kept(&b, &meta, hash);
	changes(r, 1777428651000, c, 2);
	assert_true(t->hash_due);
	assert_int_equal(feed_stats(r->f)->hash_bad, 0);
	rig_frame(r, 0,
	    "{\"event_type\":\"last_trade_price\",\"market\":\"" COND "\","
	    "\"asset_id\":\"" YES "\",\"price\":\"0.51\",\"size\":\"3\","
	    "\"side\":\"BUY\",\"timestamp\":\"1777428651001\"}");
	assert_false(t->hash_due);
	assert_int_equal(feed_stats(r->f)->hash_ok, 1);
	memset(hash, 'a', PM_HASH_LEN); /* wrong for good */
	c[0].qty = "34";
	c[1].qty = "34";
	changes(r, 1777428652000, c, 2);
	rig_pass(r, 300 * MS);
	assert_int_equal(feed_stats(r->f)->hash_bad, 1);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	rig_close(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(T_51_pongs_without_data_are_a_stale_link),
	    cmocka_unit_test(T_51_rest_ahead_twice_is_a_silent_socket),
	    cmocka_unit_test(T_52_a_quiet_market_is_not_a_stale_link),
	    cmocka_unit_test(T_53_token_without_snapshot_is_asked_elsewhere),
	    cmocka_unit_test(T_53_shards_fill_and_empty),
	    cmocka_unit_test(T_55_a_hash_waits_for_the_trade),
	    cmocka_unit_test(T_04_no_book_at_all_is_hydrating),
	    cmocka_unit_test(T_56_rest_is_never_a_price),
	    cmocka_unit_test(T_61_change_for_no_book_is_dropped),
	    cmocka_unit_test(T_07_grid_changes_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
