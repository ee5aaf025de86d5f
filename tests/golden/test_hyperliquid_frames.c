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
#define FRAMES "tests/golden/frames/hyperliquid/"

static struct hl_event ev;

static enum hl_kind
decode(const char *text, size_t n)
{
	char *copy = data_exact(text, n);
	enum hl_kind kind = hl_decode(&ev, copy, n);

	free(copy);
	return kind;
}

static void
cuts_are_refused(const char *text, size_t n)
{
	n = data_trim(text, n);
	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(decode(text, cut), HL_ERR);
}

static char *
one(const char *name, enum hl_kind kind)
{
	char path[256];
	size_t n;

	snprintf(path, sizeof(path), "%s%s", FRAMES, name);
	char *text = data_read_path(path, &n);

	if (text == NULL)
		fail_msg("no %s: run from the root", path);
	if (text[0] == '{')
		cuts_are_refused(text, n);
	if (hl_decode(&ev, text, n) != kind)
		fail_msg("%s: kind %d, %s at %u", name, ev.kind,
		    reason_name(ev.reason), ev.err_off);
	return text;
}

static void
books(void **state)
{
	char *text = one("bbo.json", HL_BBO);

	(void)state;
	assert_true(json_is(ev.coin, "BTC"));
	assert_int_equal(ev.venue_ns, INT64_C(1790232237145) * NS_PER_MS);
	assert_int_equal(ev.bids_n, 1);
	assert_int_equal(ev.asks_n, 1);
	assert_int_equal(ev.bids[0].px.e8, INT64_C(8414300000000));
	assert_int_equal(ev.bids[0].qty.e8, 1025923000);
	assert_int_equal(ev.bids[0].orders_n, 36);
	assert_int_equal(ev.asks[0].px.e8, INT64_C(8414400000000));
	free(text);

	text = one("bbo_no_ask.json", HL_BBO);
	assert_int_equal(ev.bids_n, 1);
	assert_int_equal(ev.asks_n, 0);
	free(text);

	text = one("book.json", HL_BOOK);
	assert_int_equal(ev.bids_n, 2);
	assert_int_equal(ev.asks_n, 1);
	assert_int_equal(ev.bids[1].px.e8, INT64_C(8414200000000));
	assert_false(ev.is_fast);
	free(text);

	text = one("book_fast.json", HL_BOOK);
	assert_true(ev.is_fast);
	assert_true(json_is(ev.coin, "kPEPE"));
	assert_int_equal(ev.bids_n + ev.asks_n, 0);
	free(text);

	text = one("rest_book.json", HL_BOOK);
	assert_int_equal(ev.channel.n, 0);
	assert_int_equal(ev.bids_n, 1);
	assert_int_equal(ev.bids[0].orders_n, 0);
	free(text);
}

/* side is the aggressor's: "B" bought. */
static void
trades(void **state)
{
	char *text = one("trades.json", HL_TRADES);

	(void)state;
	assert_true(json_is(ev.coin, "BTC"));
	assert_int_equal(ev.trades_n, 2);
	assert_int_equal(ev.trades[0].side, SIDE_ASK);
	assert_int_equal(ev.trades[0].qty.e8, 36000);
	assert_int_equal(ev.trades[0].trade_id, INT64_C(1045359869404765));
	assert_int_equal(
	    ev.trades[0].venue_ns, INT64_C(1790232216193) * NS_PER_MS);
	assert_int_equal(ev.trades[1].side, SIDE_BID);
	assert_int_equal(ev.trades[1].px.e8, INT64_C(8414450000000));
	assert_int_equal(ev.trades[1].trade_id, 7);
	free(text);
	static const char none[] = "{\"channel\":\"trades\",\"data\":[]}";

	assert_int_equal(decode(none, sizeof(none) - 1), HL_TRADES);
	assert_int_equal(ev.trades_n, 0);
	assert_int_equal(ev.coin.n, 0);
}

static void
the_rest(void **state)
{
	char *text = one("ctx.json", HL_CTX);

	(void)state;
	assert_int_equal(ev.mark.e8, INT64_C(8414800000000));
	assert_int_equal(ev.oracle.e8, INT64_C(8419800000000));
	assert_int_equal(ev.funding_e12, -1895200);
	assert_int_equal(ev.open_interest.e8, INT64_C(3658531848000));
	assert_false(ev.has_mid);
	free(text);

	text = one("subscribed.json", HL_SUBSCRIBED);
	assert_true(json_is(ev.method, "subscribe"));
	assert_true(json_is(ev.channel, "l2Book"));
	assert_true(json_is(ev.coin, "BTC"));
	assert_true(ev.is_fast);
	free(text);

	text = one("error.json", HL_REFUSAL);
	assert_true(ev.msg.escaped);
	assert_memory_equal(ev.msg.s, "Already subscribed", 18);
	assert_int_equal(ev.refusal, HL_REFUSED_ALREADY);
	free(text);

	text = one("meta.json", HL_META);
	assert_int_equal(ev.coins_n, 3);
	assert_true(json_is(ev.coins[0].name, "BTC"));
	assert_int_equal(ev.coins[0].size_decimals, 5);
	assert_true(json_is(ev.coins[1].name, "ETH"));
	assert_true(ev.coins[2].is_delisted);
	free(text);

	text = one("candle.json", HL_UNKNOWN);
	assert_int_equal(ev.reason, REASON_UNSUPPORTED);
	assert_true(json_is(ev.channel, "candle"));
	free(text);
	free(one("pong.json", HL_PONG));
	free(one("greeting.txt", HL_UNKNOWN));
}

#define BBO(rest)   "{\"channel\":\"bbo\",\"data\":{\"coin\":\"X\"," rest "}}"
#define TRADE(rest) "{\"channel\":\"trades\",\"data\":[{" rest "}]}"

static void
refusals(void **state)
{
	static const struct {
		const char *text;
		enum reason reason;
	} cases[] = {
	    {"", REASON_BAD_JSON},
	    {"{\"channel\":\"bbo\"}", REASON_MISSING_FIELD},
	    {"{\"channel\":5}", REASON_BAD_TYPE},
	    {"{\"channel\":\"bbo\",\"data\":[]}", REASON_BAD_TYPE},
	    {"{\"channel\":\"error\",\"data\":{}}", REASON_BAD_TYPE},
	    {BBO("\"bbo\":[null,null]"), REASON_MISSING_FIELD},
	    {BBO("\"time\":1,\"bbo\":[]"), REASON_MISSING_FIELD},
	    {BBO("\"time\":1,\"bbo\":[null,null,null]"), REASON_OVERLONG},
	    {BBO("\"time\":1,\"bbo\":[{\"px\":\"1\"},null]"),
		REASON_MISSING_FIELD},
	    {BBO("\"time\":1,\"bbo\":[{\"px\":\"-1\",\"sz\":\"1\"},null]"),
		REASON_BAD_NUMBER},
	    {BBO("\"time\":\"now\",\"bbo\":[null,null]"), REASON_BAD_NUMBER},
	    {TRADE("\"coin\":\"X\",\"side\":\"C\""), REASON_BAD_TYPE},
	    {TRADE("\"coin\":\"X\",\"side\":\"B\",\"px\":\"1\",\"sz\":\"1\","
		   "\"time\":5"),
		REASON_MISSING_FIELD},
	    {"{\"universe\":[{\"name\":\"X\"}]}", REASON_MISSING_FIELD},
	    {"{\"universe\":[{\"name\":\"X\",\"szDecimals\":9}]}",
		REASON_BAD_NUMBER},
	    {"{\"channel\":\"pong\"} x", REASON_BAD_JSON},
	    {"{\"channel\":\"\xff\"}", REASON_BAD_UTF8},
	    {"{\"channel\":\"error\"}", REASON_MISSING_FIELD},
	    {"{\"channel\":\"trades\",\"data\":{}}", REASON_BAD_TYPE},
	    {"{\"channel\":\"trades\",\"data\":[7]}", REASON_BAD_TYPE},
	    {TRADE("\"side\":7"), REASON_BAD_TYPE},
	    {"{\"channel\":\"activeAssetCtx\",\"data\":{\"coin\":\"X\","
	     "\"ctx\":[]}}",
		REASON_BAD_TYPE},
	    {BBO("\"time\":1,\"bbo\":[{\"px\":\"1\",\"sz\":\"1\","
		 "\"n\":4294967296},null]"),
		REASON_BAD_NUMBER},
	    {BBO("\"time\":1,\"bbo\":[7,null]"), REASON_BAD_TYPE},
	    {"{\"universe\":{}}", REASON_BAD_TYPE},
	    {"{\"universe\":[7]}", REASON_BAD_TYPE},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		enum hl_kind kind =
		    decode(cases[i].text, strlen(cases[i].text));

		if (kind != HL_ERR || ev.reason != cases[i].reason)
			fail_msg("%s: kind %d %s", cases[i].text, kind,
			    reason_name(ev.reason));
	}
}

/* Frames in the venue's spelling, one byte at a time replaced: the answer is
 * what the general way gives. */
static void
fast_equals_general(void **state)
{
	static const char *const names[] = {"bbo.json", "bbo_no_ask.json",
	    "book.json", "book_fast.json", "book_fast_last.json"};
	static const char bytes[] = "0 9.,:\"{}[]\\xnt-\x01\xc3";
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
				(void)fuzz_hyperliquid(text, n);
			}
			text[i] = keep;
		}
		free(text);
	}
}

/* "fast" tells the two books apart wherever it stands; absent or false, it
 * is the slow one. */
static void
T_59_fast_and_slow_books_differ(void **state)
{
	static const char head[] = "{\"channel\":\"l2Book\",\"data\":{";
	static const struct {
		const char *data;
		bool is_fast;
	} cases[] = {
	    {"\"coin\":\"A\",\"time\":1790232236546,\"fast\":true,"
	     "\"levels\":[[],[]]}}",
		true},
	    {"\"coin\":\"A\",\"time\":1790232236546,"
	     "\"levels\":[[],[]],\"fast\":true}}",
		true},
	    {"\"fast\":true,\"coin\":\"A\",\"levels\":[[],[]],"
	     "\"time\":1790232236546}}",
		true},
	    {"\"coin\":\"A\",\"time\":1790232236546,"
	     "\"levels\":[[],[]],\"fast\":false}}",
		false},
	    {"\"coin\":\"A\",\"time\":1790232236546,"
	     "\"levels\":[[],[]],\"fast\":null,\"spread\":\"1.0\"}}",
		false},
	    {"\"coin\":\"A\",\"time\":1790232236546,"
	     "\"levels\":[[],[]]}}",
		false},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = (size_t)snprintf(
		    text, sizeof(text), "%s%s", head, cases[i].data);

		assert_int_equal(decode(text, n), HL_BOOK);
		assert_int_equal(ev.is_fast, cases[i].is_fast);
		assert_int_equal(ev.bids_n + ev.asks_n, 0);
		cuts_are_refused(text, n);
	}
}

static void
error_texts(void **state)
{
	static const struct {
		const char *text;
		enum hl_refusal refusal;
	} cases[] = {
	    {"Error parsing JSON into valid websocket request: {",
		HL_REFUSED_PARSE},
	    {"Invalid subscription {\\\"type\\\":\\\"x\\\"}",
		HL_REFUSED_SUBSCRIPTION},
	    {"Already subscribed: {}", HL_REFUSED_ALREADY},
	    {"Already unsubscribed: {}", HL_REFUSED_ALREADY},
	    {"Cannot track more than 10 total users.", HL_REFUSED_USERS},
	    {"Cannot subscribe to more than 1000 channels.",
		HL_REFUSED_CHANNELS},
	    {"Cannot send more than 2000 messages per minute.",
		HL_REFUSED_MESSAGES},
	    {"Cannot open more than 10 connections", HL_REFUSED_CONNECTIONS},
	    {"too many pending post requests id=7", HL_REFUSED_POSTS},
	    {"Cannot", HL_REFUSED_OTHER},
	    {"", HL_REFUSED_OTHER},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = (size_t)snprintf(text, sizeof(text),
		    "{\"data\":\"%s\",\"channel\":\"error\"}", cases[i].text);

		assert_int_equal(decode(text, n), HL_REFUSAL);
		assert_int_equal(ev.refusal, cases[i].refusal);
		assert_int_equal(
		    hl_refusal_of(cases[i].text, strlen(cases[i].text)),
		    cases[i].refusal);
		cuts_are_refused(text, n);
	}
}

static void
known_but_not_used(void **state)
{
	static const struct {
		const char *channel;
		enum reason reason;
	} cases[] = {{"allMids", REASON_UNSUPPORTED},
	    {"candle", REASON_UNSUPPORTED}, {"post", REASON_UNSUPPORTED},
	    {"user", REASON_UNSUPPORTED}, {"userFills", REASON_UNSUPPORTED},
	    {"orderUpdates", REASON_UNSUPPORTED},
	    {"webData3", REASON_UNSUPPORTED},
	    {"activeSpotAssetCtx", REASON_UNSUPPORTED},
	    {"fastAssetCtxs", REASON_UNSUPPORTED},
	    {"post2", REASON_UNKNOWN_EVENT}, {"", REASON_UNKNOWN_EVENT}};
	char text[256];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = (size_t)snprintf(text, sizeof(text),
		    "{\"channel\":\"%s\",\"data\":{\"id\":1,\"mids\":7}}",
		    cases[i].channel);

		assert_int_equal(decode(text, n), HL_UNKNOWN);
		assert_int_equal(ev.reason, cases[i].reason);
		cuts_are_refused(text, n);
	}
}

/* Aggregates may have more than eight decimals; what goes into a book may
 * not, unless they are zeros. */
static void
long_decimals(void **state)
{
	static const char ctx[] =
	    "{\"data\":{\"ctx\":{\"markPx\":\"0.1234567891\",\"premium\":"
	    "null,\"midPx\":\"0.1234567899\",\"oraclePx\":\"1.00000000019\","
	    "\"openInterest\":\"4161029539.6949653625\",\"impactPxs\":null,"
	    "\"funding\":\"-0.000001895212\"},\"coin\":\"X\"},"
	    "\"channel\":\"activeAssetCtx\"}";
	static const char zeros[] =
	    BBO("\"time\":1,\"bbo\":[{\"px\":\"1.1000000000\","
		"\"sz\":\"1\"},null]");
	static const char more[] =
	    BBO("\"time\":1,\"bbo\":[{\"px\":\"1.1000000001\","
		"\"sz\":\"1\"},null]");

	(void)state;
	assert_int_equal(decode(ctx, sizeof(ctx) - 1), HL_CTX);
	assert_int_equal(ev.mark.e8, 12345678);
	assert_int_equal(ev.mid.e8, 12345678);
	assert_int_equal(ev.oracle.e8, E8);
	assert_int_equal(ev.open_interest.e8, INT64_C(416102953969496536));
	assert_int_equal(ev.funding_e12, -1895212);
	cuts_are_refused(ctx, sizeof(ctx) - 1);
	assert_int_equal(decode(zeros, sizeof(zeros) - 1), HL_BBO);
	assert_int_equal(ev.bids[0].px.e8, 110000000);
	assert_int_equal(decode(more, sizeof(more) - 1), HL_ERR);
	assert_int_equal(ev.reason, REASON_BAD_NUMBER);
}

/* The index is the place in the list: on testnet BTC is not the first. */
static void
asset_indexes_come_from_the_list(void **state)
{
	static const char text[] =
	    "{\"universe\":[{\"szDecimals\":2,\"name\":\"SOL\"},"
	    "{\"name\":\"APT\",\"szDecimals\":2,\"isDelisted\":true},"
	    "{\"name\":\"ATOM\",\"szDecimals\":2},"
	    "{\"name\":\"BTC\",\"szDecimals\":5,\"growthMode\":\"enabled\"}],"
	    "\"collateralToken\":0}";

	(void)state;
	cuts_are_refused(text, sizeof(text) - 1);
	assert_int_equal(hl_decode(&ev, text, sizeof(text) - 1), HL_META);
	assert_int_equal(ev.coins_n, 4);
	assert_true(json_is(ev.coins[3].name, "BTC"));
	assert_int_equal(ev.coins[3].size_decimals, 5);
	assert_true(ev.coins[1].is_delisted);
	assert_false(ev.coins[3].is_delisted);
}

/* n times the same text between head and tail. */
static enum hl_kind
repeated(const char *head, const char *item, unsigned n, const char *tail)
{
	static char text[1 << 18];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s", head);

	for (unsigned i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
		    i == 0 ? "" : ",", item);
	len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", tail);
	return decode(text, len);
}

static void
counts_have_limits(void **state)
{
	static const struct {
		const char *head;
		const char *item;
		const char *tail;
		unsigned max;
	} cases[] = {
	    {"{\"coin\":\"X\",\"time\":1,\"levels\":[[],[",
		"{\"px\":\"1\",\"sz\":\"1\"}", "]]}", HL_LEVELS_MAX},
	    {"{\"channel\":\"trades\",\"data\":[",
		"{\"coin\":\"X\",\"side\":\"B\",\"px\":\"1\","
		"\"sz\":\"1\",\"time\":1,\"tid\":1}",
		"]}", HL_TRADES_MAX},
	    {"{\"universe\":[", "{\"name\":\"X\",\"szDecimals\":1}", "]}",
		HL_COINS_MAX},
	};
	static const char two_coins[] =
	    TRADE("\"coin\":\"X\",\"side\":\"B\",\"px\":\"1\",\"sz\":\"1\","
		  "\"time\":1,\"tid\":1},{\"coin\":\"Y\",\"side\":\"B\","
		  "\"px\":\"1\",\"sz\":\"1\",\"time\":1,\"tid\":2");

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		assert_int_not_equal(repeated(cases[i].head, cases[i].item,
					 cases[i].max, cases[i].tail),
		    HL_ERR);
		assert_int_equal(repeated(cases[i].head, cases[i].item,
				     cases[i].max + 1, cases[i].tail),
		    HL_ERR);
		assert_int_equal(ev.reason, REASON_OVERLONG);
	}
	assert_int_equal(decode(two_coins, sizeof(two_coins) - 1), HL_ERR);
	assert_int_equal(ev.reason, REASON_UNSUPPORTED);
	assert_int_equal(decode("{\"a\":1}", 7), HL_UNKNOWN);
}

/* Each line of a recorded file. */
static void
recorded_lines(void **state)
{
	static const enum hl_kind want[] = {HL_TRADES, HL_TRADES, HL_TRADES,
	    HL_TRADES, HL_BOOK, HL_BOOK, HL_CTX, HL_UNKNOWN, HL_BBO, HL_BBO};
	size_t n;
	size_t line_n;
	char *line;
	unsigned i = 0;
	char *text = data_read("hyperliquid/ws/messages_mixed.jsonl", &n);
	char *pos = text;

	(void)state;
	if (text == NULL)
		skip();
	for (; data_line(&pos, &line, &line_n); i++) {
		assert_true(i < LEN(want));
		enum hl_kind kind = decode(line, line_n);

		if (kind != want[i])
			fail_msg("line %u: kind %d %s at %u", i, kind,
			    reason_name(ev.reason), ev.err_off);
		/* the last has one side only */
		if (i == LEN(want) - 1)
			assert_true(ev.bids_n == 1 && ev.asks_n == 0);
		cuts_are_refused(line, line_n);
		(void)fuzz_hyperliquid(line, line_n);
	}
	assert_int_equal(i, LEN(want));
	free(text);
}

static void
recorded_files(void **state)
{
	static const struct {
		const char *name;
		enum hl_kind kind;
	} files[] = {
	    {"ws/ws_allmids.json", HL_UNKNOWN},
	    {"ws/ws_user_fill_liquidation.json", HL_UNKNOWN},
	    {"ws/ws_all_dexs_asset_ctxs.json.gz", HL_UNKNOWN},
	    {"rest/http_l2_book_btc.json", HL_BOOK},
	};
	char path[128];
	size_t n;

	(void)state;
	for (size_t i = 0; i < LEN(files); i++) {
		snprintf(path, sizeof(path), "hyperliquid/%s", files[i].name);
		char *text = data_read(path, &n);

		if (text == NULL)
			skip();
		enum hl_kind kind = decode(text, n);

		if (kind != files[i].kind)
			fail_msg("%s: kind %d %s", path, kind,
			    reason_name(ev.reason));
		if (n < 4096)
			cuts_are_refused(text, n);
		free(text);
	}
}

/* Pairs of request and answer: the answers to meta and l2Book. */
static void
recorded_answers(void **state)
{
	size_t n;
	struct json j;
	struct json_str item;
	unsigned kinds[HL_KIND_N] = {0};
	char *text = data_read("hyperliquid/rest/info_l2_snapshot.json", &n);

	(void)state;
	if (text == NULL)
		skip();
	json_init(&j, text, n);
	json_array(&j);
	while (json_item(&j) && json_raw(&j, &item)) {
		struct json_str body = data_member(item.s, item.n, "response");
		enum hl_kind kind = decode(body.s, body.n);

		kinds[kind]++;
		if (kind == HL_BOOK)
			assert_true(ev.bids_n > 0 && ev.asks_n > 0);
		if (kind == HL_META)
			assert_true(ev.coins_n > 20);
	}
	assert_true(json_end(&j));
	assert_int_equal(kinds[HL_ERR], 0);
	assert_true(kinds[HL_META] >= 1);
	assert_true(kinds[HL_BOOK] >= 1);
	free(text);
}

static void
subscriptions(void **state)
{
	static const struct {
		enum hl_sub sub;
		const char *coin;
		const char *want;
	} cases[] = {
	    {HL_SUB_BBO, "BTC",
		"{\"method\":\"subscribe\",\"subscription\":"
		"{\"type\":\"bbo\",\"coin\":\"BTC\"}}"},
	    {HL_SUB_BOOK, "PURR/USDC",
		"{\"method\":\"subscribe\",\"subscription\":"
		"{\"type\":\"l2Book\",\"coin\":\"PURR/USDC\"}}"},
	    {HL_SUB_BOOK_FAST, "BTC",
		"{\"method\":\"subscribe\",\"subscription\":"
		"{\"type\":\"l2Book\",\"coin\":\"BTC\",\"fast\":true}}"},
	    {HL_SUB_TRADES, "xyz:SILVER",
		"{\"method\":\"subscribe\",\"subscription\":"
		"{\"type\":\"trades\",\"coin\":\"xyz:SILVER\"}}"},
	    {HL_SUB_CTX, "BTC",
		"{\"method\":\"subscribe\",\"subscription\":"
		"{\"type\":\"activeAssetCtx\",\"coin\":\"BTC\"}}"},
	};
	static const char *const bad[] = {"", "B\"C", "B\\", "B C",
	    "caf\xc3\xa9", "ABCDEFGHIJKLMNOPQRSTUVWX"};
	char buf[256];
	size_t off;

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = strlen(cases[i].want);
		enum hl_sub sub = cases[i].sub;

		assert_int_equal(
		    hl_encode_subscribe(sub, cases[i].coin, buf, sizeof(buf)),
		    n);
		assert_string_equal(buf, cases[i].want);
		assert_int_equal(
		    hl_encode_subscribe(sub, cases[i].coin, buf, n), 0);
	}
	for (size_t i = 0; i < LEN(bad); i++)
		assert_int_equal(
		    hl_encode_subscribe(HL_SUB_BBO, bad[i], buf, sizeof(buf)),
		    0);
	struct json j;

	json_init(&j, HL_PING, sizeof(HL_PING) - 1);
	assert_true(json_skip(&j) && json_end(&j));
	off = json_err_off(&j);
	assert_int_equal(off, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(books),
	    cmocka_unit_test(trades),
	    cmocka_unit_test(the_rest),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(fast_equals_general),
	    cmocka_unit_test(T_59_fast_and_slow_books_differ),
	    cmocka_unit_test(error_texts),
	    cmocka_unit_test(known_but_not_used),
	    cmocka_unit_test(long_decimals),
	    cmocka_unit_test(asset_indexes_come_from_the_list),
	    cmocka_unit_test(counts_have_limits),
	    cmocka_unit_test(recorded_lines),
	    cmocka_unit_test(recorded_files),
	    cmocka_unit_test(recorded_answers),
	    cmocka_unit_test(subscriptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
