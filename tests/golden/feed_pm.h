/*
 * feed_pm.h - one Polymarket market, its frames, and a feed that follows it.
 */
#ifndef TESTS_GOLDEN_FEED_PM_H
#define TESTS_GOLDEN_FEED_PM_H

#include "tests/golden/feed_boot.h"

#define COND \
	"0x1111111111111111111111111111111111111111111111111111111111111111"
#define YES  "1000000000000000000001"
#define NO   "2000000000000000000002"
#define IDX  (INSTR_PM_BASE + CFG_LIST_N)
#define C(n) ((int64_t)(n)*1000000) /* cents, 1e-8 */
#define Q(n) ((int64_t)(n)*E8)

/* How the rules of an up/down market read, in short. */
#define RULES_OF(source, text)                                              \
	"\"resolutionSource\":\"https://" source "\","                      \
	"\"description\":\"This market will resolve to \\\"Up\\\" if " text \
	"\","
#define RULES_SPOT                                                        \
	RULES_OF("data.chain.link/streams/btc-usd",                       \
	    "the price at the end is greater than or equal to the price " \
	    "at the beginning. The source is Chainlink.")
#define RULES_TWAP(seconds)                                               \
	RULES_OF("data.chain.link/streams/btc-usd",                       \
	    "the " seconds "time-weighted average price at the end is "   \
	    "greater than or equal to that at the beginning. The source " \
	    "is Chainlink.")
#define RULES_HOUR                                                        \
	RULES_OF("www.binance.com/en/trade/BTC_USDT",                     \
	    "the close price is greater than or equal to the open price " \
	    "of the BTC/USDT 1 hour candle of Binance.")

static const char list[] =
    "{\"markets\":[{\"conditionId\":\"" COND "\"," RULES_SPOT
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
    "\"clobTokenIds\":\"[\\\"7000000000000000000001\\\", "
    "\\\"8000000000000000000001\\\"]\"}]}";

static inline struct rig *
open_market(void)
{
	struct rig *r = rig_open();

	rig_start(r, VENUE_POLYMARKET);
	assert_string_equal(
	    rig_last(r, FEED_GET, -1)->url, "http://127.0.0.1:18801/time");
	rig_boot(r, list);
	rig_pass(r, 1000000);
	assert_string_equal(
	    rig_last(r, FEED_OPEN, 0)->url, "ws://127.0.0.1:18801/ws/market");
	assert_string_equal(
	    rig_last(r, FEED_OPEN, 1)->url, "ws://127.0.0.1:18801/rtds");
	rig_step(r, FEED_EV_UP, 0);
	rig_step(r, FEED_EV_UP, 1);
	return r;
}

static const char *book_tick = "0.01"; /* as books name it */

static inline void
book_on(struct rig *r, uint8_t conn, const char *token, int64_t ms,
    const char *bids, const char *asks)
{
	char text[4096];

	snprintf(text, sizeof(text),
	    "{\"event_type\":\"book\",\"market\":\"" COND "\","
	    "\"asset_id\":\"%s\",\"timestamp\":\"%lld\",\"bids\":[%s],"
	    "\"asks\":[%s],\"tick_size\":\"%s\"}",
	    token, (long long)ms, bids, asks, book_tick);
	rig_frame(r, conn, text);
}

static inline void
book(struct rig *r, const char *token, int64_t ms, const char *bids,
    const char *asks)
{
	book_on(r, 0, token, ms, bids, asks);
}

#define L(px, qty) "{\"price\":\"" px "\",\"size\":\"" qty "\"}"

/* YES 0.47 x 120, 0.48 x 30 / 0.51 x 14, 0.52 x 25, and its mirror. */
static inline void
books(struct rig *r, int64_t ms)
{
	book(r, YES, ms, L("0.47", "120") "," L("0.48", "30"),
	    L("0.52", "25") "," L("0.51", "14"));
	book(r, NO, ms, L("0.48", "25") "," L("0.49", "14"),
	    L("0.53", "120") "," L("0.52", "30"));
}

/* The relay's first price: its connection is READY. */
static inline void
relay_lives(struct rig *r)
{
	rig_frame(r, 1,
	    "{\"topic\":\"crypto_prices_chainlink\",\"type\":\"update\","
	    "\"timestamp\":1777428650350,\"payload\":{\"symbol\":\"btc/usd\","
	    "\"timestamp\":1777428650000,\"value\":61021.4437}}");
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

static inline void
changes_on(
    struct rig *r, uint8_t conn, int64_t ms, const struct change *c, size_t n)
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
	rig_frame(r, conn, text);
}

static inline void
changes(struct rig *r, int64_t ms, const struct change *c, size_t n)
{
	changes_on(r, 0, ms, c, n);
}

/* The same order seen on both tokens: a YES bid, a NO ask. */
static inline void
pair(struct rig *r, int64_t ms, const char *yes_px, const char *no_px,
    const char *qty)
{
	const struct change c[] = {
	    {YES, yes_px, qty, "BUY", NULL, NULL, NULL},
	    {NO, no_px, qty, "SELL", NULL, NULL, NULL},
	};

	changes(r, ms, c, 2);
}

static inline void
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

#endif
