/* links: libvenue libcore */
/*
 * The market channel at its edges: numbers of too many decimals, words that
 * are no JSON, forms that only old captures have. Each number is put into
 * compact text and into spaced text, so that both ways of reading meet it.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fuzz/decode_polymarket.h"
#include "tests/golden/data.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FRAMES "tests/golden/frames/polymarket/"
#define MARKET \
	"0x5d1c0a8e7f3b24961827364554637281908fa0b1c2d3e4f5061728394a5b6c7d"
#define TOKEN_A                                                                \
	"31415926535897932384626433832795028841971693993751058209749445923078" \
	"164062862"
#define HASH "a3f4744fd892a675b3e819b1e8b4dbf4a72aa04e"

static struct pm_event ev;

static enum pm_kind
decode(const char *text, size_t n)
{
	char *copy = data_exact(text, n);
	struct pm_frame f;

	pm_frame_init(&f, copy, n);
	enum pm_kind kind = pm_next(&f, &ev);

	free(copy);
	return kind;
}

/* The same with a blank after every colon, comma and bracket: the fast way
 * declines it. */
static enum pm_kind
decode_spaced(const char *text)
{
	size_t n;
	char *spaced = fuzz_respell(text, strlen(text), &n);
	enum pm_kind kind = decode(spaced, n);

	free(spaced);
	return kind;
}

/* ---- numbers ---- */

static const struct {
	const char *text;
	int64_t px_e8;	/* -1: refused as the price of a level */
	int64_t qty_e8; /* -1: refused as a size */
} numbers[] = {
    {"0.5", 50000000, 50000000},
    {".48", 48000000, 48000000},
    {"0.500", 50000000, 50000000},
    {"0.5000000000", 50000000, 50000000},
    {"0.0001", 10000, 10000},
    {"0.9999", 99990000, 99990000},
    {"0.12345", -1, 12345000},
    {"0.00001", -1, 1000},
    {"0.123456", -1, 12345600},
    {"0.1234567", -1, -1},
    {"0.0000001", -1, -1},
    {"0", -1, 0},
    {"1", -1, 100000000},
    {"1.5", -1, 150000000},
    {"219.217767", -1, INT64_C(21921776700)},
    {"100000000", -1, 100000000 * E8},
    {"10000000000", -1, QTY_E8_MAX},
    {"10000000001", -1, -1},
    {"1000000000001", -1, -1},
    {"123456789012345678901234567890", -1, -1},
    {"-0.5", -1, -1},
    {"+0.5", -1, -1},
    {"5e-1", -1, -1},
    {"1E5", -1, -1},
    {"0x1", -1, -1},
    {" 0.5", -1, -1},
    {"0.5 ", -1, -1},
    {"0,5", -1, -1},
    {"..5", -1, -1},
    {".", -1, -1},
    {"NaN", -1, -1},
    {"Infinity", -1, -1},
};

static void
check(const char *what, const char *number, enum pm_kind kind, int64_t got,
    int64_t want)
{
	bool ok = want < 0 ? kind == PM_ERR && ev.reason == REASON_BAD_NUMBER
			   : kind != PM_ERR && got == want;

	if (!ok)
		fail_msg("%s %s: kind %d %s, %lld", what, number, kind,
		    reason_name(ev.reason), (long long)got);
}

static void
levels_take_4_and_6_decimals(void **state)
{
	char text[1024];

	(void)state;
	for (size_t i = 0; i < LEN(numbers); i++) {
		const char *s = numbers[i].text;

		for (int as_px = 0; as_px < 2; as_px++) {
			int64_t want =
			    as_px ? numbers[i].px_e8 : numbers[i].qty_e8;

			snprintf(text, sizeof(text),
			    "{\"market\":\"" MARKET "\",\"asset_id\":\"" TOKEN_A
			    "\",\"timestamp\":\"1790000000123\",\"bids\":["
			    "{\"price\":\"%s\",\"size\":\"%s\"}],\"asks\":[],"
			    "\"event_type\":\"book\"}",
			    as_px ? s : "0.5", as_px ? "7" : s);
			enum pm_kind kind = decode(text, strlen(text));

			check("level", s, kind,
			    as_px ? ev.bids[0].px.tok_e8 : ev.bids[0].qty.e8,
			    want);
			kind = decode_spaced(text);
			check("spaced level", s, kind,
			    as_px ? ev.bids[0].px.tok_e8 : ev.bids[0].qty.e8,
			    want);
		}
	}
}

static void
changes_take_4_and_6_decimals(void **state)
{
	char text[1024];

	(void)state;
	for (size_t i = 0; i < LEN(numbers); i++)
		for (int as_px = 0; as_px < 2; as_px++) {
			const char *s = numbers[i].text;
			int64_t want =
			    as_px ? numbers[i].px_e8 : numbers[i].qty_e8;

			snprintf(text, sizeof(text),
			    "{\"market\":\"" MARKET "\", \"price_changes\":["
			    "{\"asset_id\":\"" TOKEN_A "\", \"price\":\"%s\", "
			    "\"size\":\"%s\", \"side\":\"BUY\", \"hash\":"
			    "\"" HASH "\", \"best_bid\":\"0.49\", "
			    "\"best_ask\":\"0.5\"}], "
			    "\"timestamp\":\"1790232236546\", "
			    "\"event_type\":\"price_change\"}",
			    as_px ? s : "0.5", as_px ? "7" : s);
			enum pm_kind kind = decode(text, strlen(text));
			int64_t got = as_px ? ev.changes[0].px.tok_e8
					    : ev.changes[0].qty.e8;

			check("change", s, kind, got, want);
			kind = decode_spaced(text);
			got = as_px ? ev.changes[0].px.tok_e8
				    : ev.changes[0].qty.e8;
			check("spaced change", s, kind, got, want);
		}
}

/* A touch may also be the bounds, which say that the side is empty. */
static void
touches(void **state)
{
	static const struct {
		const char *bid;
		const char *ask;
		enum pm_touch_state bid_state; /* 0: refused */
		enum pm_touch_state ask_state;
	} cases[] = {
	    {"0.49", "0.51", PM_TOUCH_PRICE, PM_TOUCH_PRICE},
	    {".4900", ".5", PM_TOUCH_PRICE, PM_TOUCH_PRICE},
	    {"0", "1", PM_TOUCH_EMPTY, PM_TOUCH_EMPTY},
	    {"0.0", "1.000", PM_TOUCH_EMPTY, PM_TOUCH_EMPTY},
	    {"", "", PM_TOUCH_EMPTY, PM_TOUCH_EMPTY},
	    {"0.999", "1", PM_TOUCH_PRICE, PM_TOUCH_EMPTY},
	    {"0.49995", "1", 0, 0},
	    {"0.4", "1.01", 0, 0},
	    {"-0.4", "1", 0, 0},
	    {"4e-1", "1", 0, 0},
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		snprintf(text, sizeof(text),
		    "{\"market\":\"" MARKET "\", \"price_changes\":["
		    "{\"asset_id\":\"" TOKEN_A "\", \"price\":\"0.5\", "
		    "\"size\":\"0\", \"side\":\"SELL\", \"hash\":"
		    "\"" HASH "\", \"best_bid\":\"%s\", "
		    "\"best_ask\":\"%s\"}], "
		    "\"timestamp\":\"1790232236546\", "
		    "\"event_type\":\"price_change\"}",
		    cases[i].bid, cases[i].ask);
		for (int spaced = 0; spaced < 2; spaced++) {
			enum pm_kind kind = spaced ? decode_spaced(text)
						   : decode(text, strlen(text));

			if (cases[i].bid_state == 0) {
				assert_int_equal(kind, PM_ERR);
				assert_int_equal(ev.reason, REASON_BAD_NUMBER);
				continue;
			}
			assert_int_equal(kind, PM_PRICE_CHANGE);
			assert_int_equal(
			    ev.changes[0].best_bid.state, cases[i].bid_state);
			assert_int_equal(
			    ev.changes[0].best_ask.state, cases[i].ask_state);
		}
	}
}

static void
trades_and_ticks(void **state)
{
	static const struct {
		const char *text;
		enum reason reason;
	} cases[] = {
	    {"\"event_type\":\"last_trade_price\",\"price\":\"0.5\","
	     "\"size\":\"2.123456\",\"side\":\"BUY\",\"fee_rate_bps\":\"\","
	     "\"transaction_hash\":\"\"",
		REASON_NONE},
	    {"\"event_type\":\"last_trade_price\",\"price\":\"0.50001\","
	     "\"size\":\"2\",\"side\":\"BUY\"",
		REASON_BAD_NUMBER},
	    {"\"event_type\":\"last_trade_price\",\"price\":\"0.5\","
	     "\"size\":\"2.1234567\",\"side\":\"BUY\"",
		REASON_BAD_NUMBER},
	    {"\"event_type\":\"tick_size_change\",\"old_tick_size\":\"0.01\","
	     "\"new_tick_size\":\"0.0025\"",
		REASON_NONE},
	    {"\"event_type\":\"tick_size_change\",\"old_tick_size\":\"0.01\","
	     "\"new_tick_size\":\"0.00025\"",
		REASON_BAD_NUMBER},
	    {"\"event_type\":\"tick_size_change\",\"old_tick_size\":\"0.01\","
	     "\"new_tick_size\":\"1e-3\"",
		REASON_BAD_NUMBER},
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		snprintf(text, sizeof(text),
		    "{\"market\":\"" MARKET "\",\"asset_id\":\"" TOKEN_A
		    "\",\"timestamp\":\"1790000000123\",%s}",
		    cases[i].text);
		enum pm_kind kind = decode(text, strlen(text));

		if ((kind == PM_ERR) != (cases[i].reason != REASON_NONE) ||
		    ev.reason != cases[i].reason)
			fail_msg("%s: %s", text, reason_name(ev.reason));
	}
}

/* Seconds, milliseconds and microseconds are told by size. */
static void
times_by_magnitude(void **state)
{
	static const struct {
		const char *text;
		int64_t ns; /* -1: refused */
	} cases[] = {
	    {"\"1703875202\"", INT64_C(1703875202000000000)},
	    {"\"1703875202001\"", INT64_C(1703875202001000000)},
	    {"\"1703875202001002\"", INT64_C(1703875202001002000)},
	    {"1703875202001", INT64_C(1703875202001000000)},
	    {"\"99999999999\"", -1}, /* past 2262 as seconds */
	    {"\"17038752020010020\"", -1},
	    {"\"-1\"", -1},
	    {"\"1703875202.5\"", -1},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		snprintf(text, sizeof(text),
		    "{\"market\":\"" MARKET "\",\"asset_id\":\"" TOKEN_A
		    "\",\"timestamp\":%s,\"event_type\":\"best_bid_ask\","
		    "\"best_bid\":\"\",\"best_ask\":\"\"}",
		    cases[i].text);
		enum pm_kind kind = decode(text, strlen(text));

		if (cases[i].ns < 0)
			assert_int_equal(kind, PM_ERR);
		else if (kind != PM_TOUCH || ev.venue_ns != cases[i].ns)
			fail_msg("%s: %lld", text, (long long)ev.venue_ns);
	}
}

/* ---- words ---- */

static void
words_are_counted_not_malformed(void **state)
{
	static const struct {
		const char *text;
		enum pm_kind kind;
	} cases[] = {
	    {"PONG", PM_PONG},
	    {"PONG\n", PM_PONG},
	    {"NO NEW ASSETS", PM_NO_NEW_ASSETS},
	    {"INVALID OPERATION", PM_NOTICE},
	    {"PON", PM_NOTICE},
	    {"PONGO", PM_NOTICE},
	    {"too many subscriptions", PM_NOTICE},
	    {"<html><body>504</body></html>", PM_NOTICE},
	    {"{PONG}", PM_ERR},
	    {"[PONG]", PM_ERR},
	    {"\"PONG\"", PM_ERR},
	    {"5 assets", PM_ERR},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct pm_frame f;
		size_t n = strlen(cases[i].text);

		pm_frame_init(&f, cases[i].text, n);
		if (pm_next(&f, &ev) != cases[i].kind)
			fail_msg("%s: kind %d", cases[i].text, ev.kind);
		if (ev.kind == PM_NOTICE) {
			assert_int_equal(ev.reason, REASON_UNKNOWN_EVENT);
			assert_ptr_equal(ev.body.s, cases[i].text);
			assert_int_equal(ev.body.n, n);
		}
		assert_int_equal(pm_next(&f, &ev), PM_END);
	}
}

/* ---- forms ---- */

static enum pm_kind
own(const char *name)
{
	static char *text;
	char path[256];
	size_t n;
	struct pm_frame f;

	free(text);
	snprintf(path, sizeof(path), "%s%s", FRAMES, name);
	text = data_read_path(path, &n);
	assert_non_null(text);
	pm_frame_init(&f, text, n);
	return pm_next(&f, &ev);
}

static void
the_older_price_change(void **state)
{
	char id[PM_TOKEN_TEXT_MAX];

	(void)state;
	assert_int_equal(own("price_change_flat.json"), PM_PRICE_CHANGE);
	assert_int_equal(ev.changes_n, 1);
	pm_token_format(&ev.changes[0].token, id);
	assert_string_equal(id, TOKEN_A);
	assert_int_equal(ev.changes[0].px.tok_e8, 51400000);
	assert_int_equal(ev.changes[0].qty.e8, INT64_C(2157408000000));
	assert_int_equal(ev.changes[0].side, SIDE_ASK);
	assert_true(ev.changes[0].has_hash);
	assert_int_equal(ev.changes[0].best_bid.state, PM_TOUCH_NOT_SENT);
	assert_int_equal(ev.venue_ns, INT64_C(1723967931411) * NS_PER_MS);

	assert_int_equal(own("price_change_old.json"), PM_PRICE_CHANGE);
	assert_int_equal(ev.changes_n, 2);
	for (int i = 0; i < 2; i++) {
		pm_token_format(&ev.changes[i].token, id);
		assert_string_equal(id, TOKEN_A);
		assert_memory_equal(ev.changes[i].hash, "bf32b374", 8);
	}
	assert_int_equal(ev.changes[0].px.tok_e8, 40000000);
	assert_int_equal(ev.changes[1].side, SIDE_BID);
	assert_int_equal(ev.changes[1].qty.e8, 0);
	assert_int_equal(ev.venue_ns, INT64_C(1723967931) * NS_PER_S);
}

#define FLAT(fields)                                            \
	"{\"event_type\":\"price_change\",\"market\":\"" MARKET \
	"\",\"timestamp\":\"1723967931411\"," fields "}"

static void
the_older_price_change_needs_its_parts(void **state)
{
	static const struct {
		const char *text;
		enum reason reason;
	} cases[] = {
	    {FLAT("\"price\":\"0.5\",\"size\":\"1\",\"side\":\"BUY\""),
		REASON_MISSING_FIELD},
	    {FLAT("\"asset_id\":\"7\",\"size\":\"1\",\"side\":\"BUY\""),
		REASON_MISSING_FIELD},
	    {FLAT("\"asset_id\":\"7\",\"price\":\"0.5\",\"side\":\"BUY\""),
		REASON_MISSING_FIELD},
	    {FLAT("\"asset_id\":\"7\",\"price\":\"0.5\",\"size\":\"1\""),
		REASON_MISSING_FIELD},
	    {FLAT("\"asset_id\":\"7\",\"price\":\"1\",\"size\":\"1\","
		  "\"side\":\"BUY\""),
		REASON_BAD_NUMBER},
	    {FLAT("\"asset_id\":\"7\",\"price\":\"0\",\"size\":\"1\","
		  "\"side\":\"BUY\""),
		REASON_BAD_NUMBER},
	    {FLAT("\"asset_id\":\"7\",\"price\":\"0.5\",\"size\":\"1\","
		  "\"side\":\"BUY\",\"bids\":[]"),
		REASON_MISSING_FIELD},
	    {FLAT("\"changes\":[{\"price\":\"0.5\",\"size\":\"1\","
		  "\"side\":\"BUY\"}]"),
		REASON_MISSING_FIELD},
	    {FLAT("\"asset_id\":\"7\",\"changes\":[{\"price\":\"0.5\"}]"),
		REASON_MISSING_FIELD},
	    {FLAT("\"asset_id\":\"7\",\"changes\":[],\"price_changes\":[]"),
		REASON_BAD_JSON},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		enum pm_kind kind =
		    decode(cases[i].text, strlen(cases[i].text));

		if (kind != PM_ERR || ev.reason != cases[i].reason)
			fail_msg("%s: kind %d %s", cases[i].text, kind,
			    reason_name(ev.reason));
	}
}

static void
an_empty_hash_is_none(void **state)
{
	(void)state;
	assert_int_equal(own("price_change_no_hash.json"), PM_PRICE_CHANGE);
	assert_int_equal(ev.changes_n, 2);
	assert_false(ev.changes[0].has_hash);
	assert_false(ev.changes[1].has_hash);
	assert_int_equal(ev.changes[0].best_ask.state, PM_TOUCH_EMPTY);
	assert_int_equal(ev.changes[1].best_bid.state, PM_TOUCH_EMPTY);
	assert_int_equal(ev.changes[1].best_ask.state, PM_TOUCH_EMPTY);
}

/* Outcomes go by name: the order of assets_ids says nothing. */
static void
T_13_the_winner_goes_by_name(void **state)
{
	static const struct {
		const char *name;
		enum token_role winner;
	} cases[] = {
	    {"Yes", ROLE_YES},
	    {"Up", ROLE_YES},
	    {"No", ROLE_NO},
	    {"Down", ROLE_NO},
	    {"YES", 0},
	    {"FaZe", 0},
	};
	char text[1024];

	(void)state;
	assert_int_equal(own("market_resolved_name.json"), PM_RESOLVED);
	assert_int_equal(ev.winner, ROLE_NO);
	assert_false(ev.has_token);
	for (size_t i = 0; i < LEN(cases); i++) {
		snprintf(text, sizeof(text),
		    "{\"event_type\":\"market_resolved\",\"market\":\"" MARKET
		    "\",\"timestamp\":\"1\",\"assets_ids\":[\"7\",\"8\"],"
		    "\"winning_asset_id\":\"8\",\"winning_outcome\":\"%s\"}",
		    cases[i].name);
		assert_int_equal(decode(text, strlen(text)), PM_RESOLVED);
		assert_int_equal(ev.winner, cases[i].winner);
		assert_true(ev.has_token);
		assert_int_equal(ev.token.w[0], 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(levels_take_4_and_6_decimals),
	    cmocka_unit_test(changes_take_4_and_6_decimals),
	    cmocka_unit_test(touches),
	    cmocka_unit_test(trades_and_ticks),
	    cmocka_unit_test(times_by_magnitude),
	    cmocka_unit_test(words_are_counted_not_malformed),
	    cmocka_unit_test(the_older_price_change),
	    cmocka_unit_test(the_older_price_change_needs_its_parts),
	    cmocka_unit_test(an_empty_hash_is_none),
	    cmocka_unit_test(T_13_the_winner_goes_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
