/* links: libvenue libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fuzz/decode.h"
#include "tests/golden/data.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FRAMES "tests/golden/frames/binance/"
#define T_NS   (INT64_C(1790232236545) * NS_PER_MS)
#define E_NS   (INT64_C(1790232236546) * NS_PER_MS)

static struct bn_event ev;

static enum bn_kind
decode(const char *text, size_t n)
{
	char *copy = data_exact(text, n);
	enum bn_kind kind = bn_decode(&ev, copy, n);

	free(copy);
	return kind;
}

static void
cuts_are_refused(const char *text, size_t n)
{
	n = data_trim(text, n);
	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(decode(text, cut), BN_ERR);
}

static char *
one(const char *name, enum bn_kind kind)
{
	char path[256];
	size_t n;

	snprintf(path, sizeof(path), "%s%s", FRAMES, name);
	char *text = data_read_path(path, &n);

	if (text == NULL)
		fail_msg("no %s: run from the root", path);
	cuts_are_refused(text, n);
	if (bn_decode(&ev, text, n) != kind)
		fail_msg("%s: kind %d, %s at %u", name, ev.kind,
		    reason_name(ev.reason), ev.err_off);
	return text;
}

/* m:true means that the buyer was the maker: the aggressor sold. */
static void
trades(void **state)
{
	char *text = one("trade_ms.json", BN_TRADE);

	(void)state;
	assert_true(json_is(ev.stream, "btcusdt@trade"));
	assert_true(json_is(ev.symbol, "BTCUSDT"));
	assert_true(json_is(ev.type, "trade"));
	assert_int_equal(ev.trade_id, 5432109877);
	assert_int_equal(ev.px.e8, INT64_C(8414302000000));
	assert_int_equal(ev.qty.e8, INT64_C(150000000));
	assert_int_equal(ev.side, SIDE_BID);
	assert_int_equal(ev.venue_ns, T_NS);
	assert_int_equal(ev.event_ns, E_NS);
	free(text);

	text = one("trade.json", BN_TRADE);
	assert_int_equal(ev.side, SIDE_ASK);
	assert_int_equal(ev.venue_ns, INT64_C(1790232236545987000));
	assert_int_equal(ev.event_ns, INT64_C(1790232236546123000));
	free(text);

	text = one("trade_futures.json", BN_TRADE);
	assert_int_equal(ev.side, SIDE_BID);
	assert_int_equal(ev.qty.e8, 7600000);
	free(text);

	text = one("trade_raw_other_order.json", BN_TRADE);
	assert_int_equal(ev.stream.n, 0);
	assert_int_equal(ev.side, SIDE_ASK);
	assert_int_equal(ev.px.e8, E8 / 2);
	assert_int_equal(ev.trade_id, 9);
	free(text);

	text = one("agg_trade.json", BN_AGG_TRADE);
	assert_int_equal(ev.trade_id, 3093561427);
	assert_int_equal(ev.first_id, 3735693010);
	assert_int_equal(ev.last_id, 3735693016);
	assert_int_equal(ev.side, SIDE_ASK);
	free(text);
}

static void
books(void **state)
{
	char *text = one("book_ticker.json", BN_BOOK_TICKER);

	(void)state;
	assert_int_equal(ev.last_id, 93488712345);
	assert_int_equal(ev.bid.px.e8, INT64_C(8414299000000));
	assert_int_equal(ev.bid.qty.e8, 162318000);
	assert_int_equal(ev.ask.px.e8, INT64_C(8414300000000));
	assert_int_equal(ev.ask.qty.e8, 71002000);
	assert_int_equal(ev.venue_ns, 0);
	free(text);

	text = one("book_ticker_futures.json", BN_BOOK_TICKER);
	assert_true(json_is(ev.symbol, "BTCUSD_PERP"));
	assert_int_equal(ev.venue_ns, T_NS);
	free(text);

	text = one("depth.json", BN_DEPTH);
	assert_int_equal(ev.first_id, 93488712351);
	assert_int_equal(ev.last_id, 93488712358);
	assert_false(ev.has_prev);
	assert_int_equal(ev.bids_n, 2);
	assert_int_equal(ev.bids[0].qty.e8, 0);
	assert_int_equal(ev.bids[1].px.e8, INT64_C(8414298000000));
	assert_int_equal(ev.asks_n, 0);
	assert_int_equal(ev.venue_ns, E_NS);
	free(text);

	text = one("depth_futures.json", BN_DEPTH);
	assert_true(ev.has_prev);
	assert_int_equal(ev.prev_id, INT64_C(5123107831937));
	assert_int_equal(ev.asks_n, 2);
	free(text);

	text = one("partial.json", BN_PARTIAL);
	assert_int_equal(ev.last_id, 93488712350);
	assert_int_equal(ev.bids_n, 2);
	assert_int_equal(ev.asks_n, 1);
	free(text);

	text = one("snapshot.json", BN_SNAPSHOT);
	assert_int_equal(ev.last_id, 93488712340);
	assert_int_equal(ev.asks[1].px.e8, INT64_C(8414400000000));
	free(text);
}

static void
the_rest(void **state)
{
	char *text = one("shutdown.json", BN_SHUTDOWN);

	(void)state;
	assert_int_equal(ev.event_ns, E_NS);
	free(text);
	free(one("answer.json", BN_ANSWER));
	text = one("refusal.json", BN_REFUSAL);
	assert_int_equal(ev.code, 2);
	assert_true(
	    json_is(ev.msg, "Invalid request: unknown variant `TRADE`"));
	free(text);
	text = one("refusal_rest.json", BN_REFUSAL);
	assert_int_equal(ev.code, -1121);
	free(text);
	text = one("kline.json", BN_UNKNOWN);
	assert_int_equal(ev.reason, REASON_UNSUPPORTED);
	assert_true(json_is(ev.type, "kline"));
	free(text);
	text = one("reference_price.json", BN_UNKNOWN);
	assert_int_equal(ev.reason, REASON_UNSUPPORTED);
	free(text);
	/* fields of other types than ours are no error in what we ignore */
	text = one("mood.json", BN_UNKNOWN);
	assert_int_equal(ev.reason, REASON_UNKNOWN_EVENT);
	assert_true(json_is(ev.type, "mood"));
	free(text);
}

/* Each raw, and in the envelope of a combined stream. */
static void
known_but_not_used(void **state)
{
	static const struct {
		const char *text;
		enum bn_kind kind;
		enum reason reason;
	} cases[] = {
	    {"{\"e\":\"serverShutdown\",\"E\":1770123456789}", BN_SHUTDOWN, 0},
	    {"{\"e\":\"24hrMiniTicker\",\"E\":1672515782136,\"s\":\"B\","
	     "\"c\":\"0.0025\",\"o\":\"0.0010\",\"h\":\"0.0025\",\"l\":"
	     "\"0.0010\",\"v\":\"10000\",\"q\":\"99999999999999\"}",
		BN_UNKNOWN, REASON_UNSUPPORTED},
	    {"{\"e\":\"avgPrice\",\"E\":1693907033000,\"s\":\"B\",\"i\":"
	     "\"5m\",\"w\":\"25776.86\",\"T\":1693907032213}",
		BN_UNKNOWN, REASON_UNSUPPORTED},
	    {"{\"e\":\"blockTrade\",\"E\":1772506983582,\"s\":\"B\",\"t\":"
	     "582,\"p\":\"61686.00\",\"q\":\"12.5\",\"T\":1772506983321,"
	     "\"m\":true}",
		BN_UNKNOWN, REASON_UNSUPPORTED},
	    {"{\"e\":\"referencePrice\",\"s\":\"B\",\"r\":null,"
	     "\"t\":1770313263917}",
		BN_UNKNOWN, REASON_UNSUPPORTED},
	    {"{\"e\":\"24hrTicker\",\"E\":1,\"p\":\"-0.1\"}", BN_UNKNOWN,
		REASON_UNSUPPORTED},
	    {"{\"e\":\"blockTrades\"}", BN_UNKNOWN, REASON_UNKNOWN_EVENT},
	};
	char wrapped[512];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = strlen(cases[i].text);

		assert_int_equal(decode(cases[i].text, n), cases[i].kind);
		assert_int_equal(ev.reason, cases[i].reason);
		cuts_are_refused(cases[i].text, n);
		(void)fuzz_binance(cases[i].text, n);
		n = (size_t)snprintf(wrapped, sizeof(wrapped),
		    "{\"stream\":\"!x\",\"data\":%s}", cases[i].text);
		assert_int_equal(decode(wrapped, n), cases[i].kind);
		assert_int_equal(ev.reason, cases[i].reason);
		cuts_are_refused(wrapped, n);
		(void)fuzz_binance(wrapped, n);
	}
}

static void
request_errors(void **state)
{
	static const char *const texts[] = {
	    "{\"code\":0,\"msg\":\"Unknown property\",\"id\":1}",
	    "{\"id\":null,\"code\":1,\"msg\":"
	    "\"Invalid value type: expected Boolean\"}",
	    "{\"code\":2,\"msg\":\"Invalid request: missing field `method` at "
	    "line 1 column 2\",\"id\":\"ab\"}",
	    "{\"code\":3,\"msg\":\"Invalid JSON: expected value at line 1 "
	    "column 1\"}",
	};

	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		size_t n = strlen(texts[i]);

		cuts_are_refused(texts[i], n);
		assert_int_equal(decode(texts[i], n), BN_REFUSAL);
		assert_int_equal(ev.code, i);
	}
}

static void
refusals(void **state)
{
	static const struct {
		const char *text;
		enum reason reason;
	} cases[] = {
	    {"", REASON_BAD_JSON},
	    {"[]", REASON_BAD_TYPE},
	    {"{\"e\":\"trade\"}", REASON_MISSING_FIELD},
	    {"{\"e\":\"trade\",\"e\":\"trade\"}", REASON_BAD_JSON},
	    {"{\"e\":\"trade\",\"p\":5.5,\"p\":6}", REASON_BAD_JSON},
	    {"{\"e\":\"trade\",\"E\":1,\"s\":\"X\",\"t\":1,\"p\":\"1\","
	     "\"q\":\"1\",\"T\":1,\"m\":\"true\"}",
		REASON_BAD_TYPE},
	    {"{\"e\":\"trade\",\"E\":1,\"s\":\"X\",\"t\":-1,\"p\":\"1\","
	     "\"q\":\"1\",\"T\":1,\"m\":true}",
		REASON_BAD_NUMBER},
	    {"{\"e\":\"trade\",\"E\":1,\"s\":\"X\",\"t\":1,\"p\":\"1e5\","
	     "\"q\":\"1\",\"T\":1,\"m\":true}",
		REASON_BAD_NUMBER},
	    {"{\"e\":\"trade\",\"E\":1,\"s\":\"X\",\"t\":1,"
	     "\"p\":\"100000000.1\",\"q\":\"1\",\"T\":1,\"m\":true}",
		REASON_BAD_NUMBER},
	    {"{\"e\":\"trade\",\"E\":1,\"s\":\"X\",\"t\":1,\"p\":\"1\","
	     "\"q\":\"1\",\"T\":99999999999999999,\"m\":true}",
		REASON_BAD_NUMBER},
	    {"{\"e\":\"trade\",\"E\":1,\"s\":7,\"t\":1,\"p\":\"1\"}",
		REASON_BAD_TYPE},
	    {"{\"lastUpdateId\":1,\"bids\":[]}", REASON_MISSING_FIELD},
	    {"{\"lastUpdateId\":1,\"bids\":[[\"1\"]],\"asks\":[]}",
		REASON_MISSING_FIELD},
	    {"{\"lastUpdateId\":1,\"bids\":[{}],\"asks\":[]}", REASON_BAD_TYPE},
	    {"{\"lastUpdateId\":1,\"bids\":\"x\",\"asks\":[]}",
		REASON_BAD_TYPE},
	    {"{\"stream\":\"x\",\"data\":{\"e\":\"trade\",\"s\":\"\xff\"}}",
		REASON_BAD_UTF8},
	    {"{\"u\":1,\"s\":\"X\",\"b\":true}", REASON_BAD_TYPE},
	    {"{\"code\":1}", REASON_MISSING_FIELD},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		enum bn_kind kind =
		    decode(cases[i].text, strlen(cases[i].text));

		if (kind != BN_ERR || ev.reason != cases[i].reason)
			fail_msg("%s: kind %d %s", cases[i].text, kind,
			    reason_name(ev.reason));
		(void)fuzz_binance(cases[i].text, strlen(cases[i].text));
	}
}

/* Frames in the venue's spelling, one byte at a time replaced: the answer is
 * what the general way gives. */
static void
fast_equals_general(void **state)
{
	static const char *const names[] = {"trade_ms.json", "trade.json",
	    "book_ticker.json", "depth.json", "snapshot.json"};
	static const char bytes[] = "0 9.,:\"{}\\xte-\x01\xc3";
	char path[256];
	size_t n;

	(void)state;
	for (size_t f = 0; f < LEN(names); f++) {
		snprintf(path, sizeof(path), "%s%s", FRAMES, names[f]);
		char *text = data_read_path(path, &n);

		assert_non_null(text);
		for (size_t i = 0; i < n; i++) {
			char keep = text[i];

			for (size_t b = 0; b < sizeof(bytes) - 1; b++) {
				text[i] = bytes[b];
				(void)fuzz_binance(text, n);
			}
			text[i] = keep;
		}
		free(text);
	}
}

/* A side of n levels, written compactly. */
static size_t
side_of(char *buf, size_t len, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		len += (size_t)sprintf(buf + len, "%s[\"%u.5\",\"1.25\"]",
		    i == 0 ? "" : ",", 1000 + i);
	return len;
}

static void
levels_have_a_limit(void **state)
{
	static char text[1 << 18];

	(void)state;
	for (unsigned n = BN_LEVELS_MAX; n <= BN_LEVELS_MAX + 1; n++) {
		size_t len =
		    (size_t)sprintf(text, "{\"lastUpdateId\":1,\"bids\":[");

		len = side_of(text, len, n);
		len += (size_t)sprintf(text + len, "],\"asks\":[");
		len = side_of(text, len, BN_LEVELS_MAX);
		len += (size_t)sprintf(text + len, "]}");
		if (n == BN_LEVELS_MAX) {
			assert_int_equal(decode(text, len), BN_SNAPSHOT);
			assert_int_equal(ev.bids_n, BN_LEVELS_MAX);
			assert_int_equal(ev.asks_n, BN_LEVELS_MAX);
		} else {
			assert_int_equal(decode(text, len), BN_ERR);
			assert_int_equal(ev.reason, REASON_OVERLONG);
		}
	}
}

/* ---- recorded ---- */

static const struct {
	const char *name;
	enum bn_kind kind;
} recorded[] = {
    {"ws/frames/binance_combined_trade_1.json", BN_TRADE},
    {"ws/frames/binance_combined_trade_2.json", BN_TRADE},
    {"ws/frames/binance_combined_trade_3.json", BN_TRADE},
    {"ws/frames/binance_combined_trade_4.json", BN_TRADE},
    {"ws/ws_spot_trade.json", BN_TRADE},
    {"ws/ws_spot_agg_trade.json", BN_AGG_TRADE},
    {"ws/ws_spot_ticker_book.json", BN_BOOK_TICKER},
    {"rest/http_spot_market_depth.json", BN_SNAPSHOT},
    {"rest/http_spot_market_time.json", BN_UNKNOWN},
    {"rest/http_spot_market_book_ticker.json", BN_UNKNOWN},
    {"rest/http_spot_market_klines.json", BN_ERR},
};

static void
recorded_frames(void **state)
{
	char path[256];
	size_t n;

	(void)state;
	for (size_t i = 0; i < LEN(recorded); i++) {
		snprintf(path, sizeof(path), "binance/%s", recorded[i].name);
		char *text = data_read(path, &n);

		if (text == NULL)
			skip();
		enum bn_kind kind = decode(text, n);

		if (kind != recorded[i].kind)
			fail_msg("%s: kind %d %s at %u", path, kind,
			    reason_name(ev.reason), ev.err_off);
		cuts_are_refused(text, n);
		(void)fuzz_binance(text, n);
		free(text);
	}
}

/* A capture of lines: every frame after `: ` is of a kind that we know. */
static void
stream_lines(const char *name, unsigned want_n)
{
	size_t n;
	size_t line_n;
	char *line;
	char *text = data_read(name, &n);
	char *pos = text;
	unsigned frames = 0;
	unsigned by_kind[BN_KIND_N] = {0};

	if (text == NULL)
		skip();
	while (data_line(&pos, &line, &line_n)) {
		char *frame = strstr(line, ": {");

		if (line_n == 0 || frame == NULL || frame > line + line_n)
			continue;
		size_t len = line_n - (size_t)(frame + 2 - line);
		enum bn_kind kind = decode(frame + 2, len);

		frames++;
		by_kind[kind]++;
		if (kind == BN_ERR)
			fail_msg("%s at %u: %.200s", reason_name(ev.reason),
			    ev.err_off, frame + 2);
		(void)fuzz_binance(frame + 2, len);
	}
	free(text);
	assert_int_equal(frames, want_n);
	assert_true(strstr(name, ".http.") != NULL
			? by_kind[BN_SNAPSHOT] == want_n
			: by_kind[BN_DEPTH] > 0 && by_kind[BN_BOOK_TICKER] > 0);
}

static void
recorded_streams(void **state)
{
	(void)state;
	stream_lines("binance/rest_plus_ws/BINANCE.ws.1.0.txt.gz", 265);
	stream_lines("binance/rest_plus_ws/BINANCE.http.0.0.txt.gz", 4);
	stream_lines(
	    "binance/rest_plus_ws/BINANCE_FUTURES.ws.1.0.txt.gz", 1535);
	stream_lines("binance/rest_plus_ws/BINANCE_FUTURES.http.0.0.txt.gz", 4);
}

static void
paths(void **state)
{
	static const char *const symbols[] = {"BTCUSDT", "ethusdt"};
	static const char *const kinds[] = {"trade", "bookTicker"};
	static const char *const bad[] = {"tr/ade"};
	static const char *const all[] = {
	    "trade", "bookTicker", "aggTrade", "depth@100ms", "depth20@100ms"};
	struct bn_streams want = {symbols, 2, kinds, 2, false};
	char buf[128];
	static const char text[] =
	    "/stream?streams=btcusdt@trade/btcusdt@bookTicker/ethusdt@trade/"
	    "ethusdt@bookTicker&timeUnit=MICROSECOND";

	(void)state;
	assert_int_equal(
	    bn_stream_path(&want, buf, sizeof(buf)), sizeof(text) - 1);
	assert_string_equal(buf, text);
	assert_int_equal(
	    bn_stream_path(&want, buf, sizeof(text)), sizeof(text) - 1);
	assert_int_equal(bn_stream_path(&want, buf, sizeof(text) - 1), 0);
	want.symbols_n = 0;
	assert_int_equal(bn_stream_path(&want, buf, sizeof(buf)), 0);
	want = (struct bn_streams){symbols, 1, bad, 1, false};
	assert_int_equal(bn_stream_path(&want, buf, sizeof(buf)), 0);
	want = (struct bn_streams){symbols, 1, all, 5, true};
	assert_true(bn_stream_path(&want, buf, sizeof(buf)) > 0);
	assert_string_equal(buf,
	    "/stream?streams=btcusdt@trade/btcusdt@bestBidAsk/btcusdt@depth/"
	    "btcusdt@depth20");
	want = (struct bn_streams){symbols, 1, all + 2, 1, true};
	assert_int_equal(bn_stream_path(&want, buf, sizeof(buf)), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(trades),
	    cmocka_unit_test(books),
	    cmocka_unit_test(the_rest),
	    cmocka_unit_test(known_but_not_used),
	    cmocka_unit_test(request_errors),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(fast_equals_general),
	    cmocka_unit_test(levels_have_a_limit),
	    cmocka_unit_test(recorded_frames),
	    cmocka_unit_test(recorded_streams),
	    cmocka_unit_test(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
