/* links: feedd libvenue libshm libcore */
/*
 * Binance's binary streams through the feed core, beside the text streams of
 * the same content; and the terms of its symbols.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_rig.h"

#define BTC    INSTR_BN_BASE
#define SEC    UINT64_C(1000000000)
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Built field by field, as the schema has it. */
static uint8_t frame[512];
static size_t frame_n;

static void
put(uint64_t v, size_t n)
{
	memcpy(frame + frame_n, &v, n);
	frame_n += n;
}

static void
head(unsigned block, unsigned template)
{
	frame_n = 0;
	put(block, 2);
	put(template, 2);
	put(1, 2);
	put(0, 2);
}

static void
symbol(const char *name)
{
	size_t n = strlen(name);

	put(n, 1);
	memcpy(frame + frame_n, name, n);
	frame_n += n;
}

static void
make_trades(uint64_t us, uint64_t id, unsigned n)
{
	head(18, 10000);
	put(us, 8);
	put(us - 10, 8);
	put(0xfbfe, 2); /* 1e-2 and 1e-5 */
	put(25, 2);
	put(n, 4);
	for (unsigned i = 0; i < n; i++) {
		put(id + i, 8);
		put(8414300 + i, 8);
		put(24 + i, 8);
		put(i & 1, 1);
	}
	symbol("BTCUSDT");
}

static void
make_best(uint64_t us, uint64_t id, int64_t bid, int64_t ask)
{
	head(50, 10001);
	put(us, 8);
	put(id, 8);
	put(0xfbfe, 2);
	put((uint64_t)bid, 8);
	put(100000, 8);
	put((uint64_t)ask, 8);
	put(200000, 8);
	symbol("BTCUSDT");
}

/* One bid and one ask. */
static void
make_diff(uint64_t us, uint64_t first, uint64_t last, int64_t bid, int64_t ask)
{
	head(26, 10003);
	put(us, 8);
	put(first, 8);
	put(last, 8);
	put(0xfbfe, 2);
	for (unsigned side = 0; side < 2; side++) {
		put(16, 2);
		put(1, 2);
		put((uint64_t)(side == 0 ? bid : ask), 8);
		put(300000, 8);
	}
	symbol("BTCUSDT");
}

static void
give_binary(struct rig *r)
{
	struct feed_event ev = rig_event(r, FEED_EV_FRAME, 0);
	char *copy = malloc(frame_n);

	assert_non_null(copy);
	memcpy(copy, frame, frame_n);
	ev.data = copy;
	ev.n = frame_n;
	ev.is_binary = true;
	feed_step(r->f, &ev);
	free(copy);
}

static struct rig *
open_feed(const char *sbe_url, const char *streams)
{
	struct rig *r = rig_open();
	char why[CFG_WHY_SZ];

	assert_true(cfg_set(&r->cfg, CFG_KEY_binance_sbe_url, sbe_url, why));
	assert_true(cfg_set(&r->cfg, CFG_KEY_binance_streams, streams, why));
	rig_start(r, VENUE_BINANCE);
	rig_pass(r, 1000000);
	assert_non_null(rig_last(r, FEED_OPEN, 0));
	rig_step(r, FEED_EV_UP, 0);
	return r;
}

static void
the_address_is_the_binary_servers(void **state)
{
	struct rig *r =
	    open_feed("ws://127.0.0.1:9", "trade, aggTrade, bookTicker, "
					  "depth@100ms, depth20@100ms");

	(void)state;
	assert_string_equal(rig_last(r, FEED_OPEN, 0)->url,
	    "ws://127.0.0.1:9/stream?streams=btcusdt@trade/btcusdt@bestBidAsk/"
	    "btcusdt@depth/btcusdt@depth20");
	rig_close(r);
	r = open_feed("", "trade");
	assert_string_equal(rig_last(r, FEED_OPEN, 0)->url,
	    "ws://127.0.0.1:18802/stream?streams=btcusdt@trade&timeUnit="
	    "MICROSECOND");
	rig_close(r);
}

#define US UINT64_C(1790232236546123)

/* Ticks of two rigs but for the times of links. */
static void
same_ticks(const struct rig *a, const struct rig *b)
{
	assert_int_equal(a->tick_n, b->tick_n);
	for (size_t i = 0; i < a->tick_n; i++) {
		const struct tick *x = &a->tick[i];
		const struct tick *y = &b->tick[i];

		assert_int_equal(x->hdr.kind, y->hdr.kind);
		assert_int_equal(x->hdr.venue_ns, y->hdr.venue_ns);
		assert_memory_equal(&x->u, &y->u, sizeof(x->u));
	}
}

static const char snapshot[] =
    "{\"lastUpdateId\":100,\"bids\":[[\"84142.00000000\",\"1.00000000\"]],"
    "\"asks\":[[\"84144.00000000\",\"2.00000000\"]]}";

static void
binary_and_text_give_the_same_ticks(void **state)
{
	static const char trade[] =
	    "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":%"
	    "llu,"
	    "\"s\":\"BTCUSDT\",\"t\":%u,\"p\":\"%s\",\"q\":\"%s\",\"T\":%llu,"
	    "\"m\":%s,\"M\":true}}";
	static const char depth[] =
	    "{\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":"
	    "\"depthUpdate\",\"E\":%llu,\"s\":\"BTCUSDT\",\"U\":%u,\"u\":%u,"
	    "\"b\":[[\"%s\",\"3.00000000\"]],\"a\":[[\"%s\",\"3.00000000\"]]}}";
	struct rig *bin = open_feed("ws://127.0.0.1:9", "trade, depth@100ms");
	struct rig *txt = open_feed("", "trade, depth@100ms");
	char text[512];

	(void)state;
	rig_clear(bin);
	rig_clear(txt);
	make_diff(US, 99, 101, 8414250, 8414350);
	give_binary(bin);
	snprintf(text, sizeof(text), depth, (unsigned long long)US, 99u, 101u,
	    "84142.50000000", "84143.50000000");
	rig_frame(txt, 0, text);
	rig_http(bin, 0, 200, snapshot, strlen(snapshot));
	rig_http(txt, 0, 200, snapshot, strlen(snapshot));
	make_diff(US + 5, 102, 104, 8414260, 8414340);
	give_binary(bin);
	snprintf(text, sizeof(text), depth, (unsigned long long)US + 5, 102u,
	    104u, "84142.60000000", "84143.40000000");
	rig_frame(txt, 0, text);
	make_trades(US + 9, 7, 2);
	give_binary(bin);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), trade, (unsigned long long)US + 9,
		    7 + i, i == 0 ? "84143.00000000" : "84143.01000000",
		    i == 0 ? "0.00024000" : "0.00025000",
		    (unsigned long long)US - 1, i == 0 ? "false" : "true");
		rig_frame(txt, 0, text);
	}
	assert_int_equal(rig_ticks(bin, TICK_TRADE), 2);
	assert_true(rig_ticks(bin, TICK_LEVEL) >= 4);
	same_ticks(bin, txt);
	assert_int_equal(feed_stats(bin->f)->malformed, 0);
	rig_close(bin);
	rig_close(txt);
}

/* Tickers may be left out by the venue: neither a gap nor a wrong book. */
static void
thinned_tickers_are_no_loss(void **state)
{
	struct rig *r =
	    open_feed("ws://127.0.0.1:9", "bookTicker, depth@100ms");

	(void)state;
	r->read.touch_apart = true;
	make_diff(US, 99, 101, 8414250, 8414350);
	give_binary(r);
	rig_http(r, 0, 200, snapshot, strlen(snapshot));
	rig_clear(r);
	for (unsigned i = 0; i < 50; i++) {
		make_best(US + i, 102 + 10 * i, 8414200 + i, 8414400 + i);
		give_binary(r);
		make_diff(US + i, 102 + 10 * i, 111 + 10 * i, 8414250 + i,
		    8414350 + i);
		give_binary(r);
	}
	assert_int_equal(feed_stats(r->f)->touch_bad, 0);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	assert_true(rig_ticks(r, TICK_BBO) >= 50);
	make_best(US + 99, 5000, 8414000, 8414900);
	give_binary(r);
	assert_int_equal(rig_last_tick(r, TICK_BBO)->hdr.venue_ns,
	    (int64_t)(US + 99) * NS_PER_US);
	rig_close(r);
}

static void
other_frames_are_counted(void **state)
{
	static const char shutdown[] =
	    "{\"e\":\"serverShutdown\",\"E\":1770123456789}";
	struct rig *r = open_feed("ws://127.0.0.1:9", "trade");
	const struct feed_stats *stats = feed_stats(r->f);

	(void)state;
	make_trades(US, 1, 2);
	frame_n--;
	give_binary(r);
	assert_int_equal(stats->reason[REASON_MISSING_FIELD], 1);
	make_trades(US, 1, 2);
	frame[2] = 0xff;
	give_binary(r);
	assert_int_equal(stats->reason[REASON_UNKNOWN_EVENT], 1);
	make_trades(US, 1, 0);
	give_binary(r);
	assert_int_equal(rig_ticks(r, TICK_TRADE), 0);
	rig_frame(r, 0, "{\"result\":null,\"id\":1}");
	assert_int_equal(stats->malformed, 2);
	rig_clear(r);
	rig_frame(r, 0, shutdown);
	rig_pass(r, SEC);
	assert_int_equal(stats->malformed, 2);
	assert_int_equal(rig_count(r, FEED_OPEN, -1), 1); /* its relief */
	rig_close(r);
}

/* ---- terms ---- */

#define TAG_INFO 0x10000u
#define INFO(status, tick)                                                    \
	"{\"serverTime\":1790232236546,\"symbols\":[{\"symbol\":\"BTCUSDT\"," \
	"\"status\":\"" status "\",\"filters\":[{\"filterType\":"             \
	"\"PRICE_FILTER\",\"tickSize\":\"" tick "\"},{\"filterType\":"        \
	"\"LOT_SIZE\",\"stepSize\":\"0.00001000\"},{\"filterType\":"          \
	"\"NOTIONAL\",\"minNotional\":\"5.00000000\"}]},"                     \
	"{\"symbol\":\"OTHER\",\"status\":\"BREAK\"}]}"

static void
answer(struct rig *r, uint16_t code, const char *body)
{
	rig_clear(r);
	rig_http(r, TAG_INFO, code, body, strlen(body));
}

/* When the terms are asked for next. */
static uint64_t
asked_after(struct rig *r)
{
	uint64_t from_ns = r->now_ns;

	rig_clear(r);
	for (;;) {
		for (size_t i = 0; i < r->act_n; i++)
			if (r->act[i].a.what == FEED_GET &&
			    r->act[i].a.tag == TAG_INFO)
				return r->now_ns - from_ns;
		assert_true(r->now_ns - from_ns < 7200 * SEC);
		rig_clear(r);
		rig_pass(r, SEC);
	}
}

static void
terms_fill_the_instrument(void **state)
{
	struct rig *r = open_feed("", "trade");
	const struct instr *in = &r->instr[BTC];

	(void)state;
	assert_non_null(strstr(rig_last(r, FEED_GET, -1)->url,
	    "/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%5D"));
	assert_int_equal(in->tick_px.e8, 0);
	answer(r, 200, INFO("TRADING", "0.01000000"));
	assert_int_equal(rig_ticks(r, TICK_INSTR), 1);
	assert_int_equal(in->tick_px.e8, E8 / 100);
	assert_int_equal(in->lot_qty.e8, 1000);
	assert_int_equal(in->min_qty.e8, 1000);
	assert_int_equal(in->min_usd.e6, 5 * E6);
	assert_int_equal(in->state, INSTR_NORMAL);
	assert_in_range(asked_after(r), 3599 * SEC, 3602 * SEC);

	answer(r, 200, INFO("TRADING", "0.01000000")); /* no news */
	assert_int_equal(rig_ticks(r, TICK_INSTR), 0);
	(void)asked_after(r);
	answer(r, 200, INFO("CANCEL_ONLY", "0.01000000"));
	assert_int_equal(rig_ticks(r, TICK_INSTR), 1);
	assert_int_equal(in->state, INSTR_HALTED);
	(void)asked_after(r);
	answer(r, 200, INFO("TRADING", "0.10000000"));
	assert_int_equal(in->state, INSTR_NORMAL);
	assert_int_equal(in->tick_px.e8, E8 / 10);
	rig_close(r);
}

static void
a_bad_answer_changes_nothing(void **state)
{
	static const struct {
		uint16_t code;
		const char *body;
	} cases[] = {
	    {503, ""},
	    {200, "{\"code\":-1001,\"msg\":\"Internal error\"}"},
	    {400, "{\"code\":-1003,\"msg\":\"Too many requests\"}"},
	    {200, ""},
	};
	struct rig *r = open_feed("", "trade");
	const struct instr *in = &r->instr[BTC];
	char cut[1024];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		answer(r, cases[i].code, cases[i].body);
		assert_int_equal(rig_ticks(r, TICK_INSTR), 0);
		assert_in_range(asked_after(r), 29 * SEC, 32 * SEC);
	}
	/* the first symbol is whole, the body is not */
	snprintf(cut, sizeof(cut), "%s", INFO("HALT", "0.01"));
	cut[strlen(cut) - 1] = '\0';
	answer(r, 200, cut);
	assert_int_equal(rig_ticks(r, TICK_INSTR), 0);
	assert_int_equal(in->state, INSTR_NORMAL);
	assert_int_equal(in->tick_px.e8, 0);
	(void)asked_after(r);

	struct feed_event ev = rig_event(r, FEED_EV_HTTP, 0);

	ev.tag = TAG_INFO;
	ev.code = 429;
	ev.retry_after_s = 120;
	feed_step(r->f, &ev);
	assert_in_range(asked_after(r), 119 * SEC, 122 * SEC);
	rig_close(r);
}

/* A question that is wrong is not asked every half minute, and the venue's
 * own words are told. */
static void
a_wrong_symbol_is_told(void **state)
{
	struct rig *r = open_feed("", "trade");

	(void)state;
	answer(r, 400, "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}");
	assert_int_equal(rig_last(r, FEED_LOG, -1)->a.log, FEED_LOG_DISCOVERY);
	assert_string_equal(rig_last(r, FEED_LOG, -1)->text, "Invalid symbol.");
	assert_in_range(asked_after(r), 3599 * SEC, 3602 * SEC);
	rig_close(r);
}

/* Retry-After of any answer holds every request: the limits are of the
 * address. */
static void
limits_hold_all_requests(void **state)
{
	struct rig *r = open_feed("", "depth@100ms");
	struct feed_event ev = rig_event(r, FEED_EV_HTTP, 0);
	static const char depth[] =
	    "{\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":"
	    "\"depthUpdate\",\"E\":1790232236546,\"s\":\"BTCUSDT\",\"U\":1,"
	    "\"u\":2,\"b\":[],\"a\":[]}}";
	uint64_t from_ns = r->now_ns;

	(void)state;
	rig_frame(r, 0, depth);
	assert_non_null(strstr(rig_last(r, FEED_GET, -1)->url, "/depth"));
	ev.tag = 0;
	ev.code = 418;
	ev.retry_after_s = 120;
	rig_clear(r);
	feed_step(r->f, &ev);
	answer(r, 503, "");
	for (unsigned i = 0; i < 118; i++) {
		rig_pass(r, SEC);
		rig_frame(r, 0, depth);
		assert_int_equal(rig_count(r, FEED_GET, -1), 0);
	}
	rig_pass(r, 4 * SEC);
	rig_frame(r, 0, depth);
	assert_int_equal(rig_count(r, FEED_GET, -1), 2);
	assert_true(r->now_ns - from_ns < 124 * SEC);
	rig_close(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_address_is_the_binary_servers),
	    cmocka_unit_test(binary_and_text_give_the_same_ticks),
	    cmocka_unit_test(thinned_tickers_are_no_loss),
	    cmocka_unit_test(other_frames_are_counted),
	    cmocka_unit_test(terms_fill_the_instrument),
	    cmocka_unit_test(a_bad_answer_changes_nothing),
	    cmocka_unit_test(a_wrong_symbol_is_told),
	    cmocka_unit_test(limits_hold_all_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
