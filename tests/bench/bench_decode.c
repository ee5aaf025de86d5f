/* links: libvenue libcore */
/*
 * bench_decode - nanoseconds a frame, ours and simdjson's, in one run.
 *
 * Frames are made here, in the shapes and with the spelling of the venues:
 * a Binance trade, a Polymarket price_change of two entries, a Polymarket
 * book of 98 levels. The two sides take turns; printed is the median of the
 * rounds, with a checksum of the fields that both must agree on. Without
 * simdjson ours is measured alone.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvenue/binance.h"
#include "libvenue/polymarket.h"
#include "tests/bench/bench_compare.h"
#include "tests/bench/bench_decode.h"

#define BOOK_LEVELS 98

static struct pm_event pm;
static struct bn_event bn;

static uint64_t
ours_trade(const char *text, size_t n)
{
	if (bn_decode(&bn, text, n) != BN_TRADE)
		return 0;
	return bn.stream.n + bn.type.n + bn.symbol.n + (uint64_t)bn.event_ns +
	       (uint64_t)bn.venue_ns + bn.trade_id + (uint64_t)bn.px.e8 +
	       (uint64_t)bn.qty.e8 + (bn.side == SIDE_ASK);
}

static uint64_t
touch(const struct pm_touch *t)
{
	return t->state == PM_TOUCH_PRICE ? (uint64_t)t->px.tok_e8 : 0;
}

static uint64_t
ours_price_change(const char *text, size_t n)
{
	struct pm_frame f;
	uint64_t sum;

	pm_frame_init(&f, text, n);
	if (pm_next(&f, &pm) != PM_PRICE_CHANGE)
		return 0;
	sum = (uint64_t)(pm.market.b[0] + pm.market.b[31]) +
	      (uint64_t)pm.venue_ns + pm.type_text.n;
	for (uint32_t i = 0; i < pm.changes_n; i++) {
		const struct pm_change *c = &pm.changes[i];

		sum += c->token.w[0] + c->token.w[3] + (uint64_t)c->px.tok_e8 +
		       (uint64_t)c->qty.e8 + (c->side == SIDE_BID) +
		       (uint64_t)c->hash[0] + touch(&c->best_bid) +
		       touch(&c->best_ask);
	}
	return sum;
}

static uint64_t
levels_sum(const struct pm_level *l, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += (uint64_t)l[i].px.tok_e8 + (uint64_t)l[i].qty.e8;
	return sum;
}

static uint64_t
ours_book(const char *text, size_t n)
{
	struct pm_frame f;

	pm_frame_init(&f, text, n);
	if (pm_next(&f, &pm) != PM_BOOK)
		return 0;
	return (uint64_t)(pm.market.b[0] + pm.market.b[31]) + pm.token.w[0] +
	       pm.token.w[3] + (uint64_t)pm.venue_ns + (uint64_t)pm.hash[0] +
	       levels_sum(pm.bids, pm.bids_n) + levels_sum(pm.asks, pm.asks_n) +
	       pm.tick_text.n + pm.type_text.n;
}

/* ---- frames ---- */

#define MARKET \
	"0x5d1c0a8e7f3b24961827364554637281908fa0b1c2d3e4f5061728394a5b6c7d"
#define TOKEN_A                                                                \
	"27448765958169370376840659891253135070283440064149054119528661558586" \
	"854112636"
#define TOKEN_B                                                                \
	"91142423701454842861191578505872031960783126619422886989052065939254" \
	"328921955"

static size_t
make_trade(char *buf)
{
	return (size_t)snprintf(buf, FRAME_MAX,
	    "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\","
	    "\"E\":1790232236546,\"s\":\"BTCUSDT\",\"t\":5432109876,"
	    "\"p\":\"84143.01000000\",\"q\":\"0.00163000\","
	    "\"T\":1790232236545,\"m\":true,\"M\":true}}");
}

static size_t
make_price_change(char *buf)
{
	return (size_t)snprintf(buf, FRAME_MAX,
	    "{\"market\":\"" MARKET "\", \"price_changes\":[{\"asset_id\":"
	    "\"" TOKEN_A "\", \"price\":\"0.37\", \"size\":\"2525\", "
	    "\"side\":\"BUY\", \"hash\":"
	    "\"a3f4744fd892a675b3e819b1e8b4dbf4a72aa04e\", "
	    "\"best_bid\":\"0.49\", \"best_ask\":\"0.5\"}, {\"asset_id\":"
	    "\"" TOKEN_B "\", \"price\":\"0.63\", \"size\":\"2525\", "
	    "\"side\":\"SELL\", \"hash\":"
	    "\"7568bb0c2acd9c6b3907e188069ff8b2865242b7\", "
	    "\"best_bid\":\"0.5\", \"best_ask\":\"0.51\"}], "
	    "\"timestamp\":\"1790232236546\", "
	    "\"event_type\":\"price_change\"}");
}

/* Prices 0.01 to 0.49 and 0.99 to 0.51, without trailing zeros; sizes of one
 * to eight characters. */
static size_t
make_levels(char *buf, size_t n, bool asks)
{
	static const char *const sizes[] = {"3646", "142", "78", "20", "11.5",
	    "1340.25", "5", "219.21", "10", "25", "30", "40"};
	size_t len = n;

	for (int i = 1; i <= BOOK_LEVELS / 2; i++) {
		int cents = asks ? 100 - i : i;

		len += (size_t)snprintf(buf + len, FRAME_MAX - len,
		    cents % 10 == 0
			? "%s{\"price\":\"0.%d\",\"size\":\"%s\"}"
			: "%s{\"price\":\"0.%02d\",\"size\":\"%s\"}",
		    i == 1 ? "" : ",", cents % 10 == 0 ? cents / 10 : cents,
		    sizes[(i * 7 + asks) % 12]);
	}
	return len;
}

static size_t
make_book(char *buf)
{
	size_t n = (size_t)snprintf(buf, FRAME_MAX,
	    "{\"market\":\"" MARKET "\",\"asset_id\":\"" TOKEN_A
	    "\",\"timestamp\":\"1790232236546\",\"hash\":"
	    "\"7568bb0c2acd9c6b3907e188069ff8b2865242b7\",\"bids\":[");

	n = make_levels(buf, n, false);
	n += (size_t)snprintf(buf + n, FRAME_MAX - n, "],\"asks\":[");
	n = make_levels(buf, n, true);
	n += (size_t)snprintf(buf + n, FRAME_MAX - n,
	    "],\"tick_size\":\"0.01\",\"event_type\":\"book\","
	    "\"last_trade_price\":\"\"}");
	return n;
}

int
main(void)
{
	bool ok = bench_compare(
	    "decode_binance_trade", ours_trade, reference_trade, make_trade);

	ok &= bench_compare("decode_price_change_2", ours_price_change,
	    reference_price_change, make_price_change);
	ok &= bench_compare(
	    "decode_book_98", ours_book, reference_book, make_book);
	return ok ? 0 : 1;
}
