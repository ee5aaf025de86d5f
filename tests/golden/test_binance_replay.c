/* links: libvenue libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libcore/book.h"
#include "libvenue/binance.h"
#include "tests/golden/data.h"

#define DEPTH		8192u
#define TOP		10
#define QUEUE_MAX	64
#define CHECKPOINT_NS	(60 * NS_PER_S)
#define CHECKPOINTS_MAX 16
#define CENT		(E6 / 100)

struct deep_book {
	struct book book;
	struct book_level level[2 * DEPTH];
};

struct checkpoint {
	int64_t local_ns;
	uint64_t last_id;
	struct book_level bid;
	struct book_level ask;
	uint32_t bids_n;
	uint32_t asks_n;
};

/* One capture as it is played. */
static struct {
	struct deep_book b;
	uint64_t lines;
	uint64_t trades;
	int64_t qty_e8;
	i128_t notional_e16;
	uint64_t depth_events;
	uint64_t depth_applied;
	uint64_t book_ticker;
	uint64_t gaps;
	uint64_t last_id; /* 0 before the snapshot */
	uint64_t seen_id;
	uint64_t trade_id;
	int64_t next_checkpoint_ns;
	struct checkpoint cp[CHECKPOINTS_MAX];
	unsigned cp_n;
	char *queued[QUEUE_MAX];
	size_t queued_len[QUEUE_MAX];
	unsigned queued_n;
	struct bn_event last_trade;
	struct bn_event last_ticker;
} run;

static struct bn_event ev;

static void
apply_levels(void)
{
	for (uint32_t i = 0; i < ev.bids_n; i++)
		book_set(&run.b.book, SIDE_BID, ev.bids[i].px, ev.bids[i].qty);
	for (uint32_t i = 0; i < ev.asks_n; i++)
		book_set(&run.b.book, SIDE_ASK, ev.asks[i].px, ev.asks[i].qty);
	run.last_id = ev.last_id;
}

/* Sequence: pu is the last u on futures, U one more than it on spot. */
static void
count_gap(void)
{
	uint64_t want = run.seen_id + (ev.has_prev ? 0 : 1);
	uint64_t got = ev.has_prev ? ev.prev_id : ev.first_id;

	if (run.seen_id != 0 && got != want)
		run.gaps++;
	run.seen_id = ev.last_id;
}

static void
on_depth(const char *frame, size_t n)
{
	run.depth_events++;
	count_gap();
	if (run.last_id == 0) {
		assert_true(run.queued_n < QUEUE_MAX);
		run.queued_len[run.queued_n] = n;
		run.queued[run.queued_n++] = data_exact(frame, n);
	} else if (ev.last_id > run.last_id) {
		apply_levels();
		run.depth_applied++;
	}
}

static void
on_snapshot(void)
{
	book_clear(&run.b.book);
	apply_levels();
	for (unsigned i = 0; i < run.queued_n; i++) {
		assert_int_equal(
		    bn_decode(&ev, run.queued[i], run.queued_len[i]), BN_DEPTH);
		if (ev.last_id > run.last_id) {
			apply_levels();
			run.depth_applied++;
		}
		free(run.queued[i]);
	}
	run.queued_n = 0;
}

static void
on_trade(void)
{
	assert_true(run.trade_id == 0 || ev.trade_id == run.trade_id + 1);
	run.trade_id = ev.trade_id;
	run.trades++;
	run.qty_e8 += ev.qty.e8;
	run.notional_e16 += (i128_t)ev.px.e8 * ev.qty.e8;
	run.last_trade = ev;
}

static void
take_checkpoint(int64_t local_ns)
{
	struct checkpoint *c = &run.cp[run.cp_n++];

	assert_true(run.cp_n <= CHECKPOINTS_MAX);
	c->local_ns = local_ns;
	c->last_id = run.last_id;
	assert_true(book_best(&run.b.book, SIDE_BID, &c->bid));
	assert_true(book_best(&run.b.book, SIDE_ASK, &c->ask));
	c->bids_n = book_n(&run.b.book, SIDE_BID);
	c->asks_n = book_n(&run.b.book, SIDE_ASK);
	run.next_checkpoint_ns += CHECKPOINT_NS;
}

static void
on_line(const char *line, size_t n)
{
	size_t at = strcspn(line, " ");
	int64_t local_ns = (int64_t)strtoll(line, NULL, 10);
	const char *frame = line + at + 1;
	enum bn_kind kind = bn_decode(&ev, frame, n - at - 1);

	run.lines++;
	switch (kind) {
	case BN_TRADE: on_trade(); break;
	case BN_DEPTH: on_depth(frame, n - at - 1); break;
	case BN_SNAPSHOT: on_snapshot(); break;
	case BN_BOOK_TICKER:
		run.book_ticker++;
		run.last_ticker = ev;
		break;
	case BN_ERR:
	case BN_AGG_TRADE:
	case BN_PARTIAL:
	case BN_SHUTDOWN:
	case BN_ANSWER:
	case BN_REFUSAL:
	case BN_UNKNOWN:
	case BN_KIND_N:
		fail_msg("kind %d, %s at %u: %.*s", kind,
		    reason_name(ev.reason), ev.err_off, (int)n, line);
	}
	if (run.last_id == 0)
		return;
	if (run.next_checkpoint_ns == 0)
		run.next_checkpoint_ns =
		    (local_ns / CHECKPOINT_NS + 1) * CHECKPOINT_NS;
	if (local_ns >= run.next_checkpoint_ns)
		take_checkpoint(local_ns);
}

/* ---- against the expectation ---- */

static struct json_str
text_of(struct json_str obj, const char *key)
{
	struct json_str raw = data_member(obj.s, obj.n, key);

	if (raw.n == 0)
		fail_msg("no %s in the expectation", key);
	return raw;
}

static uint64_t
u64_of(struct json_str obj, const char *key)
{
	struct json_str raw = text_of(obj, key);
	struct json j;
	uint64_t v = 0;

	json_sub(&j, raw.s, raw.n);
	if (!json_u64(&j, &v))
		fail_msg("%s is no number", key);
	return v;
}

static int64_t
fixed_of(struct json_str obj, const char *key, unsigned scale)
{
	struct json_str raw = text_of(obj, key);
	struct json j;
	int64_t v = 0;

	json_sub(&j, raw.s, raw.n);
	if (!json_fixed(&j, scale, false, INT64_MAX, &v))
		fail_msg("%s is no decimal", key);
	return v;
}

static void
compare_top(struct json_str list, enum side side)
{
	struct json j;
	uint32_t i = 0;

	json_sub(&j, list.s, list.n);
	json_array(&j);
	for (; json_item(&j); i++) {
		int64_t px = 0;
		int64_t qty = 0;
		const struct book_level *l = book_level(&run.b.book, side, i);

		json_array(&j);
		json_item(&j);
		json_e8(&j, PX_E8_MAX, &px);
		json_item(&j);
		json_e8(&j, QTY_E8_MAX, &qty);
		assert_false(json_item(&j));
		assert_non_null(l);
		assert_int_equal(l->px.e8, px);
		assert_int_equal(l->qty.e8, qty);
	}
	assert_true(json_end(&j));
	assert_int_equal(i, TOP);
}

static void
compare_checkpoints(struct json_str list)
{
	struct json j;
	struct json_str c;
	unsigned i = 0;

	json_sub(&j, list.s, list.n);
	json_array(&j);
	for (; json_item(&j) && json_raw(&j, &c); i++) {
		const struct checkpoint *got = &run.cp[i];

		assert_true(i < run.cp_n);
		/* 19 digits: more than json_u64 takes */
		assert_int_equal(got->local_ns,
		    strtoll(text_of(c, "local_ts_ns").s, NULL, 10));
		assert_int_equal(got->last_id, u64_of(c, "last_u"));
		assert_int_equal(got->bid.px.e8, fixed_of(c, "bid", 8));
		assert_int_equal(got->bid.qty.e8, fixed_of(c, "bid_qty", 8));
		assert_int_equal(got->ask.px.e8, fixed_of(c, "ask", 8));
		assert_int_equal(got->ask.qty.e8, fixed_of(c, "ask_qty", 8));
		assert_int_equal(got->bids_n, u64_of(c, "n_bids"));
		assert_int_equal(got->asks_n, u64_of(c, "n_asks"));
	}
	assert_true(json_end(&j));
	assert_int_equal(i, run.cp_n);
}

static void
compare_last_trade(struct json_str want)
{
	struct bn_event w;

	assert_int_equal(bn_decode(&w, want.s, want.n), BN_TRADE);
	assert_int_equal(w.trade_id, run.last_trade.trade_id);
	assert_int_equal(w.px.e8, run.last_trade.px.e8);
	assert_int_equal(w.qty.e8, run.last_trade.qty.e8);
	assert_int_equal(w.side, run.last_trade.side);
	assert_int_equal(w.venue_ns, run.last_trade.venue_ns);
	assert_int_equal(w.event_ns, run.last_trade.event_ns);
}

static void
compare_last_ticker(struct json_str want)
{
	struct bn_event w;

	assert_int_equal(bn_decode(&w, want.s, want.n), BN_BOOK_TICKER);
	assert_int_equal(w.last_id, run.last_ticker.last_id);
	assert_memory_equal(&w.bid, &run.last_ticker.bid, sizeof(w.bid));
	assert_memory_equal(&w.ask, &run.last_ticker.ask, sizeof(w.ask));
}

static void
compare(struct json_str want)
{
	int64_t notional_e6 = (int64_t)(run.notional_e16 / 10000000000);
	int64_t off = notional_e6 - fixed_of(want, "notional", 6);

	assert_int_equal(run.lines, u64_of(want, "lines"));
	assert_int_equal(run.trades, u64_of(want, "trades"));
	assert_int_equal(run.qty_e8, fixed_of(want, "qty", 8));
	/* the expectation was summed in doubles */
	assert_true(off < CENT && off > -CENT);
	assert_int_equal(run.depth_events, u64_of(want, "depth_events"));
	assert_int_equal(run.depth_applied, u64_of(want, "depth_applied"));
	assert_int_equal(run.book_ticker, u64_of(want, "book_ticker"));
	assert_int_equal(run.gaps, u64_of(want, "gaps"));
	assert_int_equal(run.last_id, u64_of(want, "final_last_u"));
	assert_int_equal(book_n(&run.b.book, SIDE_BID), u64_of(want, "n_bids"));
	assert_int_equal(book_n(&run.b.book, SIDE_ASK), u64_of(want, "n_asks"));
	compare_top(text_of(want, "final_bids_top10"), SIDE_BID);
	compare_top(text_of(want, "final_asks_top10"), SIDE_ASK);
	compare_checkpoints(text_of(want, "checkpoints"));
	compare_last_trade(text_of(want, "last_trade"));
	compare_last_ticker(text_of(want, "last_book_ticker"));
}

static void
replay(const char *name)
{
	char path[128];
	size_t n;
	size_t text_n;
	size_t line_n;
	char *line;
	char *expected = data_read("expected/binance_raw_streams.json", &n);

	if (expected == NULL)
		skip();
	snprintf(path, sizeof(path), "binance/raw_streams/%s.gz", name);
	char *text = data_read(path, &text_n);
	char *pos = text;

	assert_non_null(text);
	memset(&run, 0, sizeof(run));
	book_init(&run.b.book, run.b.level, DEPTH);
	while (data_line(&pos, &line, &line_n))
		on_line(line, line_n);
	compare(data_member(expected, n, name));
	free(text);
	free(expected);
}

static void
spot(void **state)
{
	(void)state;
	replay("spot_btcusdt_20240808");
}

static void
usd_margined(void **state)
{
	(void)state;
	replay("usdm_btcusdt_20240808");
}

static void
coin_margined(void **state)
{
	(void)state;
	replay("cm_btcusd_perp_20240808");
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
