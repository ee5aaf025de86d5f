/* links: feedd libvenue libshm libcore */
/*
 * Recorded Binance streams through the feed core, seen by a reader of its
 * ticks: trades, quantities, the book and its top every 60 s are those
 * worked out from the same recording by other means.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_rig.h"

#include "tests/golden/data.h"

#define CHECK_NS UINT64_C(60000000000)
#define TOP_N	 10u

static struct {
	const char *want;
	size_t want_n;
	uint64_t trades_n;
	int64_t qty_e8;
	uint64_t last_trade_id;
	px_t last_px;
	struct json checks;
	uint64_t next_check_ns;
	unsigned checks_n;
} run;

static uint64_t
want_u64(const char *key)
{
	struct json_str v = data_member(run.want, run.want_n, key);

	assert_true(v.n > 0);
	return strtoull(v.s, NULL, 10);
}

static int64_t
want_e8(struct json_str of, const char *key)
{
	struct json_str v = data_member(of.s, of.n, key);
	struct json j;
	int64_t e8 = -1;

	json_sub(&j, v.s, v.n);
	assert_true(json_e8(&j, INT64_MAX, &e8));
	return e8;
}

static struct rig_reader *
reader(struct rig *r)
{
	return rig_reader(&r->read, INSTR_BN_BASE);
}

/* The book as it was after the first message of a full minute. */
static void
check_minute(struct rig *r)
{
	struct json_str c;
	struct rig_reader *x = reader(r);
	struct book_level bid;
	struct book_level ask;

	assert_true(json_item(&run.checks));
	assert_true(json_raw(&run.checks, &c));
	assert_true(book_best(&x->book, SIDE_BID, &bid));
	assert_true(book_best(&x->book, SIDE_ASK, &ask));
	assert_int_equal(bid.px.e8, want_e8(c, "bid"));
	assert_int_equal(bid.qty.e8, want_e8(c, "bid_qty"));
	assert_int_equal(ask.px.e8, want_e8(c, "ask"));
	assert_int_equal(ask.qty.e8, want_e8(c, "ask_qty"));
	assert_int_equal(book_n(&x->book, SIDE_BID),
	    strtoull(data_member(c.s, c.n, "n_bids").s, NULL, 10));
	assert_int_equal(book_n(&x->book, SIDE_ASK),
	    strtoull(data_member(c.s, c.n, "n_asks").s, NULL, 10));
	run.checks_n++;
}

static void
count_ticks(struct rig *r)
{
	for (size_t i = 0; i < r->tick_n; i++) {
		const struct tick *t = &r->tick[i];

		if (t->hdr.kind != TICK_TRADE)
			continue;
		run.trades_n++;
		run.qty_e8 += t->u.trade.qty.e8;
		run.last_trade_id = t->u.trade.trade_id;
		run.last_px = t->u.trade.px;
	}
	rig_clear(r);
}

static void
play_line(struct rig *r, const char *line, size_t n)
{
	char *end;
	uint64_t at = strtoull(line, &end, 10);
	const char *frame = end + 1;
	size_t len = n - (size_t)(frame - line);
	uint64_t before = r->now_ns;

	r->now_ns = at;
	if (r->wall_ns != 0) {
		r->wall_ns = 0;
		r->now_ns = at;
		rig_step(r, FEED_EV_TIMER, 0);
		rig_step(r, FEED_EV_UP, 0);
		run.next_check_ns = (at / CHECK_NS + 1) * CHECK_NS;
	} else {
		r->now_ns = before;
		rig_until(r, at);
		if (rig_last(r, FEED_PING, 0) != NULL)
			rig_step(r, FEED_EV_PONG, 0);
	}
	if (strncmp(frame, "{\"stream\"", 9) == 0 ||
	    strncmp(frame, "{\"lastUpdateId\"", 15) != 0)
		rig_frame_n(r, 0, frame, len);
	else
		rig_http(r, 0, 200, frame, len);
	count_ticks(r);
}

static void
compare_side(struct rig *r, enum side side, const char *key)
{
	struct json_str side_text = data_member(run.want, run.want_n, key);
	struct json j;
	struct rig_reader *x = reader(r);

	json_sub(&j, side_text.s, side_text.n);
	assert_true(json_array(&j));
	for (uint32_t i = 0; i < TOP_N; i++) {
		const struct book_level *l = book_level(&x->book, side, i);
		int64_t px;
		int64_t qty;

		assert_true(json_item(&j));
		assert_true(json_array(&j));
		assert_true(json_item(&j));
		assert_true(json_e8(&j, INT64_MAX, &px));
		assert_true(json_item(&j));
		assert_true(json_e8(&j, INT64_MAX, &qty));
		assert_false(json_item(&j));
		assert_non_null(l);
		assert_int_equal(l->px.e8, px);
		assert_int_equal(l->qty.e8, qty);
	}
}

static void
compare_end(struct rig *r)
{
	struct json_str last = data_member(run.want, run.want_n, "last_trade");
	struct json_str tick =
	    data_member(run.want, run.want_n, "last_book_ticker");
	struct json_str whole = {run.want, (uint32_t)run.want_n, false};
	const struct feed_stats *s = feed_stats(r->f);
	const struct tick_bbo *bbo = &reader(r)->bbo;

	assert_int_equal(run.trades_n, want_u64("trades"));
	assert_int_equal(run.qty_e8, want_e8(whole, "qty"));
	assert_int_equal(run.last_trade_id,
	    strtoull(data_member(last.s, last.n, "t").s, NULL, 10));
	assert_int_equal(run.last_px.e8, want_e8(last, "p"));
	assert_int_equal(bbo->bid_px.e8, want_e8(tick, "b"));
	assert_int_equal(bbo->bid_qty.e8, want_e8(tick, "B"));
	assert_int_equal(bbo->ask_px.e8, want_e8(tick, "a"));
	assert_int_equal(bbo->ask_qty.e8, want_e8(tick, "A"));
	compare_side(r, SIDE_BID, "final_bids_top10");
	compare_side(r, SIDE_ASK, "final_asks_top10");
	assert_int_equal(
	    book_n(&reader(r)->book, SIDE_BID), want_u64("n_bids"));
	assert_int_equal(
	    book_n(&reader(r)->book, SIDE_ASK), want_u64("n_asks"));
	assert_int_equal(s->gaps, 0);
	assert_int_equal(s->touch_bad, 0);
	assert_true(s->touch_ok > 0);
	assert_int_equal(s->reason[REASON_SEQ_GAP], 0);
	assert_int_equal(s->reason[REASON_CROSSED], 0);
	assert_true(feed_is_ready(r->f));
	printf("%llu trades, %llu ticks, top of book = bookTicker %llu times, "
	       "%u minutes\n",
	    (unsigned long long)run.trades_n, (unsigned long long)s->ticks,
	    (unsigned long long)s->touch_ok, run.checks_n);
}

static void
replay(const char *name, const char *symbol)
{
	size_t n;
	char *want = data_read("expected/binance_raw_streams.json", &n);
	char path[CFG_WHY_SZ];
	char *text;
	char *pos;
	char *line;
	size_t len;
	struct json_str mine;
	struct json_str checks;
	struct rig *r;

	snprintf(path, sizeof(path), "binance/raw_streams/%s.gz", name);
	text = want == NULL ? NULL : data_read(path, &len);
	if (text == NULL)
		skip();
	memset(&run, 0, sizeof(run));
	mine = data_member(want, n, name);
	run.want = mine.s;
	run.want_n = mine.n;
	checks = data_member(mine.s, mine.n, "checkpoints");
	json_sub(&run.checks, checks.s, checks.n);
	assert_true(json_array(&run.checks));
	r = rig_open();
	r->read.touch_apart = true;
	r->cfg.binance_symbols.n = 1;
	snprintf(r->cfg.binance_symbols.item[0], CFG_ITEM_SZ, "%s", symbol);
	assert_true(cfg_set(&r->cfg, CFG_KEY_binance_streams,
	    "trade, bookTicker, depth@100ms", path));
	rig_start(r, VENUE_BINANCE);
	for (pos = text; data_line(&pos, &line, &len);) {
		uint64_t at = strtoull(line, NULL, 10);

		play_line(r, line, len);
		if (at >= run.next_check_ns) {
			check_minute(r);
			run.next_check_ns += CHECK_NS;
		}
	}
	compare_end(r);
	rig_close(r);
	free(text);
	free(want);
}

static void
spot(void **state)
{
	(void)state;
	replay("spot_btcusdt_20240808", "btcusdt");
}

static void
usd_margined(void **state)
{
	(void)state;
	replay("usdm_btcusdt_20240808", "btcusdt");
}

static void
coin_margined(void **state)
{
	(void)state;
	replay("cm_btcusd_perp_20240808", "btcusd_perp");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(spot),
	    cmocka_unit_test(usd_margined),
	    cmocka_unit_test(coin_margined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
