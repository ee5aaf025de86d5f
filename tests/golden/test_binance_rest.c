/* links: libvenue libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libvenue/bn_rest.h"
#include "tests/fuzz/decode_bn_rest.h"
#include "tests/golden/data.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const char info_text[] =
    "{\"timezone\":\"UTC\",\"serverTime\":1790232236546,\"rateLimits\":["
    "{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\","
    "\"intervalNum\":1,\"limit\":6000},"
    "{\"limit\":300000,\"intervalNum\":5,\"interval\":\"MINUTE\","
    "\"rateLimitType\":\"RAW_REQUESTS\"},"
    "{\"rateLimitType\":\"NEW\",\"interval\":\"FORTNIGHT\","
    "\"intervalNum\":1,\"limit\":1}],"
    "\"exchangeFilters\":[],\"symbols\":["
    "{\"symbol\":\"BTCUSDT\",\"status\":\"TRADING\",\"orderTypes\":[\"X\"],"
    "\"filters\":[{\"filterType\":\"PRICE_FILTER\",\"minPrice\":\"0.01\","
    "\"maxPrice\":\"1000000.00000000\",\"tickSize\":\"0.01000000\"},"
    "{\"filterType\":\"LOT_SIZE\",\"minQty\":\"0.00001000\","
    "\"maxQty\":\"9000.00000000\",\"stepSize\":\"0.00001000\"},"
    "{\"filterType\":\"MARKET_LOT_SIZE\",\"stepSize\":\"0.5\"},"
    "{\"filterType\":\"NOTIONAL\",\"minNotional\":\"5.00000000\","
    "\"applyMinToMarket\":true},{\"filterType\":\"SOMETHING\"}]},"
    "{\"filters\":[{\"tickSize\":\"0.1\",\"filterType\":\"PRICE_FILTER\"}],"
    "\"status\":\"HALT\",\"symbol\":\"ETHUSDT\"},"
    "{\"symbol\":\"A\",\"status\":\"BREAK\",\"filters\":[]},"
    "{\"symbol\":\"B\",\"status\":\"CANCEL_ONLY\"},"
    "{\"symbol\":\"C\",\"status\":\"END_OF_DAY\"}]}";

static struct bn_rest rest;
static struct bn_item item;

static enum bn_item_kind
next(void)
{
	return bn_rest_next(&rest, &item);
}

/* Kind of the last item before the end, from memory of exactly n bytes. */
static enum bn_item_kind
last(enum bn_ask ask, const char *text, size_t n, unsigned *items)
{
	struct bn_item keep = {.kind = BN_ITEM_END};
	char *copy = data_exact(text, n);

	*items = 0;
	bn_rest_init(&rest, ask, copy, n);
	while (next() != BN_ITEM_END) {
		keep = item;
		++*items;
	}
	free(copy);
	item = keep;
	return keep.kind;
}

static void
cuts_are_refused(enum bn_ask ask, const char *text, size_t n)
{
	unsigned items;

	n = data_trim(text, n);
	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(last(ask, text, cut, &items), BN_ITEM_ERR);
	(void)fuzz_bn_rest(text, n);
}

static void
exchange_info(void **state)
{
	static const enum bn_status statuses[] = {
	    BN_HALT, BN_BREAK, BN_CANCEL_ONLY, BN_STATUS_OTHER};

	(void)state;
	bn_rest_init(&rest, BN_ASK_INFO, info_text, sizeof(info_text) - 1);
	assert_int_equal(next(), BN_ITEM_TIME);
	assert_int_equal(item.venue_ns, INT64_C(1790232236546) * NS_PER_MS);
	assert_int_equal(next(), BN_ITEM_LIMIT);
	assert_int_equal(item.limit, BN_LIMIT_WEIGHT);
	assert_int_equal(item.limit_per_s, 60);
	assert_int_equal(item.limit_n, 6000);
	assert_int_equal(next(), BN_ITEM_LIMIT);
	assert_int_equal(item.limit, BN_LIMIT_RAW);
	assert_int_equal(item.limit_per_s, 300);
	assert_int_equal(next(), BN_ITEM_LIMIT);
	assert_int_equal(item.limit, BN_LIMIT_OTHER);
	assert_int_equal(item.limit_per_s, 0);
	assert_int_equal(next(), BN_ITEM_SYMBOL);
	assert_true(json_is(item.symbol, "BTCUSDT"));
	assert_int_equal(item.status, BN_TRADING);
	assert_int_equal(item.tick.e8, E8 / 100);
	assert_int_equal(item.lot.e8, 1000);
	assert_int_equal(item.min_notional_e8, 5 * E8);
	for (size_t i = 0; i < LEN(statuses); i++) {
		assert_int_equal(next(), BN_ITEM_SYMBOL);
		assert_int_equal(item.status, statuses[i]);
		assert_int_equal(item.tick.e8, i == 0 ? E8 / 10 : 0);
		assert_int_equal(item.lot.e8, 0);
	}
	assert_int_equal(next(), BN_ITEM_END);
	assert_int_equal(next(), BN_ITEM_END);
	cuts_are_refused(BN_ASK_INFO, info_text, sizeof(info_text) - 1);
}

static const struct {
	enum bn_ask ask;
	const char *text;
	enum bn_item_kind kind;
	unsigned items;
} bodies[] = {
    {BN_ASK_TIME, "{\"serverTime\":1790232236546}", BN_ITEM_TIME, 1},
    {BN_ASK_TIME, "{\"a\":[1],\"serverTime\":1790232236546000}", BN_ITEM_TIME,
	1},
    {BN_ASK_TICKER,
	"{\"symbol\":\"X\",\"bidPrice\":\"4.00000000\",\"bidQty\":\"431.5\","
	"\"askPrice\":\"4.00000200\",\"askQty\":\"9.0\"}",
	BN_ITEM_TICKER, 1},
    {BN_ASK_TICKER,
	"[{\"askQty\":\"9.0\",\"symbol\":\"X\",\"bidPrice\":\"4.00000000\","
	"\"bidQty\":\"431.5\",\"askPrice\":\"4.000002\"}]",
	BN_ITEM_TICKER, 1},
    {BN_ASK_TRADES,
	"[{\"id\":28457,\"price\":\"4.00000100\",\"qty\":\"12.00000000\","
	"\"quoteQty\":\"48.000012\",\"time\":1790232236546,"
	"\"isBuyerMaker\":true,\"isBestMatch\":true},"
	"{\"isBuyerMaker\":false,\"time\":1790232236546123,\"qty\":\"1\","
	"\"price\":\"2\",\"id\":28458}]",
	BN_ITEM_TRADE, 2},
    {BN_ASK_AGG_TRADES,
	"[{\"a\":26129,\"p\":\"0.01633102\",\"q\":\"4.70443515\",\"f\":27781,"
	"\"l\":27783,\"T\":1790232236546,\"m\":false,\"M\":true}]",
	BN_ITEM_AGG_TRADE, 1},
    {BN_ASK_KLINES,
	"[[1790232180000,\"1.0\",\"4.0\",\"0.5\",\"2.0\","
	"\"148976.11427815999\",1790232239999,\"2434.19055334\",308,\"1756.8\","
	"\"28.46\",\"0\"]]",
	BN_ITEM_KLINE, 1},
    {BN_ASK_TRADES, "[]", BN_ITEM_END, 0},
    {BN_ASK_KLINES, "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}",
	BN_ITEM_REFUSAL, 1},
    {BN_ASK_TIME, "{\"msg\":\"Invalid symbol.\",\"code\":-1121}",
	BN_ITEM_REFUSAL, 1},
    {BN_ASK_INFO, "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}",
	BN_ITEM_REFUSAL, 1},
};

static void
answers(void **state)
{
	unsigned items;

	(void)state;
	for (size_t i = 0; i < LEN(bodies); i++) {
		const char *text = bodies[i].text;
		enum bn_item_kind kind =
		    last(bodies[i].ask, text, strlen(text), &items);

		if (kind != bodies[i].kind || items != bodies[i].items)
			fail_msg("%s: kind %d, %u items", text, kind, items);
		if (kind == BN_ITEM_REFUSAL)
			assert_int_equal(
			    bn_cause_of(item.code), BN_CAUSE_SYMBOL);
		cuts_are_refused(bodies[i].ask, text, strlen(text));
	}
}

static void
fields(void **state)
{
	unsigned items;

	(void)state;
#define LAST(i) \
	last(bodies[i].ask, bodies[i].text, strlen(bodies[i].text), &items)
	LAST(0);
	assert_int_equal(item.venue_ns, INT64_C(1790232236546000000));
	LAST(1);
	assert_int_equal(item.venue_ns, INT64_C(1790232236546000000));
	for (size_t i = 2; i < 4; i++) {
		LAST(i);
		assert_int_equal(item.bid.px.e8, 4 * E8);
		assert_int_equal(item.bid.qty.e8, 43150000000);
		assert_int_equal(item.ask.px.e8, 400000200);
		assert_int_equal(item.ask.qty.e8, 9 * E8);
	}
	bn_rest_init(
	    &rest, BN_ASK_TRADES, bodies[4].text, strlen(bodies[4].text));
	assert_int_equal(next(), BN_ITEM_TRADE);
	assert_int_equal(item.id, 28457);
	assert_int_equal(item.side, SIDE_ASK);
	assert_int_equal(item.px.e8, 400000100);
	assert_int_equal(next(), BN_ITEM_TRADE);
	assert_int_equal(item.side, SIDE_BID);
	assert_int_equal(item.venue_ns, INT64_C(1790232236546123000));
	LAST(5);
	assert_int_equal(item.id, 26129);
	assert_int_equal(item.first_id, 27781);
	assert_int_equal(item.last_id, 27783);
	assert_int_equal(item.side, SIDE_BID);
	LAST(6);
	assert_int_equal(item.high.e8, 4 * E8);
	assert_int_equal(item.low.e8, E8 / 2);
	assert_int_equal(item.close.e8, 2 * E8);
	assert_int_equal(item.qty.e8, INT64_C(14897611427815));
	assert_int_equal(item.trades_n, 308);
	assert_int_equal(item.end_ns, INT64_C(1790232239999) * NS_PER_MS);
}

static void
refusals(void **state)
{
	static const struct {
		enum bn_ask ask;
		const char *text;
		enum reason reason;
	} cases[] = {
	    {BN_ASK_INFO, "[]", REASON_BAD_TYPE},
	    {BN_ASK_INFO, "{}", REASON_MISSING_FIELD},
	    {BN_ASK_INFO, "{\"code\":1}", REASON_MISSING_FIELD},
	    {BN_ASK_INFO, "{\"symbols\":{}}", REASON_BAD_TYPE},
	    {BN_ASK_INFO, "{\"symbols\":[{\"symbol\":\"X\"}]}",
		REASON_MISSING_FIELD},
	    {BN_ASK_INFO,
		"{\"symbols\":[{\"symbol\":\"X\",\"status\":\"HALT\","
		"\"filters\":[{\"tickSize\":\"-1\"}]}]}",
		REASON_BAD_NUMBER},
	    {BN_ASK_INFO, "{\"rateLimits\":[{\"limit\":1}]}",
		REASON_MISSING_FIELD},
	    {BN_ASK_TIME, "[]", REASON_BAD_TYPE},
	    {BN_ASK_TIME, "{}", REASON_MISSING_FIELD},
	    {BN_ASK_TIME, "{\"serverTime\":99999999999999999}",
		REASON_BAD_NUMBER},
	    {BN_ASK_TIME, "{\"serverTime\":1,\"serverTime\":1}",
		REASON_BAD_JSON},
	    {BN_ASK_TRADES, "{\"x\":1}", REASON_BAD_TYPE},
	    {BN_ASK_TRADES, "[{\"id\":1}]", REASON_MISSING_FIELD},
	    {BN_ASK_KLINES, "[[1,\"1\"]]", REASON_MISSING_FIELD},
	    {BN_ASK_KLINES, "[{}]", REASON_BAD_TYPE},
	    {BN_ASK_TIME, "{\"serverTime\":1}x", REASON_BAD_JSON},
	    {BN_ASK_TIME, "{\"serverTime\":1,\"x\":\"\xff\"}", REASON_BAD_UTF8},
	};
	unsigned items;

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		const char *text = cases[i].text;

		last(cases[i].ask, text, strlen(text), &items);
		if (item.kind != BN_ITEM_ERR || item.reason != cases[i].reason)
			fail_msg("%s: kind %d, %s", text, item.kind,
			    reason_name(item.reason));
	}
}

static void
causes(void **state)
{
	static const struct {
		int64_t code;
		enum bn_cause cause;
	} cases[] = {{0, BN_CAUSE_PROPERTY}, {1, BN_CAUSE_VALUE},
	    {2, BN_CAUSE_REQUEST}, {3, BN_CAUSE_JSON}, {4, BN_CAUSE_OTHER},
	    {-1000, BN_CAUSE_RETRY}, {-1007, BN_CAUSE_RETRY},
	    {-1003, BN_CAUSE_LIMIT}, {-1021, BN_CAUSE_CLOCK},
	    {-1100, BN_CAUSE_MALFORMED}, {-1130, BN_CAUSE_MALFORMED},
	    {-1131, BN_CAUSE_OTHER}, {-1121, BN_CAUSE_SYMBOL},
	    {-1220, BN_CAUSE_STATUS}, {-2043, BN_CAUSE_NO_REFERENCE}};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++)
		assert_int_equal(bn_cause_of(cases[i].code), cases[i].cause);
}

static void
recorded(void **state)
{
	static const struct {
		const char *name;
		enum bn_ask ask;
		enum bn_item_kind kind;
		unsigned items;
	} files[] = {
	    {"exchange_info", BN_ASK_INFO, BN_ITEM_SYMBOL, 7},
	    {"time", BN_ASK_TIME, BN_ITEM_TIME, 1},
	    {"book_ticker", BN_ASK_TICKER, BN_ITEM_TICKER, 1},
	    {"klines", BN_ASK_KLINES, BN_ITEM_KLINE, 10},
	};
	char name[128];
	size_t n;
	unsigned items;

	(void)state;
	for (size_t i = 0; i < LEN(files); i++) {
		snprintf(name, sizeof(name),
		    "binance/rest/http_spot_market_%s.json", files[i].name);
		char *text = data_read(name, &n);

		if (text == NULL)
			skip();
		enum bn_item_kind kind = last(files[i].ask, text, n, &items);

		if (kind != files[i].kind || items != files[i].items)
			fail_msg("%s: kind %d, %u items, %s at %u", name, kind,
			    items, reason_name(item.reason), item.err_off);
		if (kind == BN_ITEM_SYMBOL)
			assert_true(item.status == BN_TRADING &&
				    item.tick.e8 == E8 / 100);
		cuts_are_refused(files[i].ask, text, n);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(exchange_info),
	    cmocka_unit_test(answers),
	    cmocka_unit_test(fields),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(causes),
	    cmocka_unit_test(recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
