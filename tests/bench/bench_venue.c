/* links: libvenue libcore */
/*
 * bench_venue - nanoseconds a frame of Binance and Hyperliquid beside
 * simdjson, as bench_decode does it.
 *
 * Frames are made here, in the shapes and with the spelling of the venues: a
 * bookTicker, a depthUpdate of 40 levels, Hyperliquid's bbo and l2Book of 20
 * levels a side. The binary trade stands beside simdjson on the same trade
 * as text.
 */
#define _GNU_SOURCE
#include "libvenue/bn_sbe.h"
#include "libvenue/hyperliquid.h"
#include "tests/bench/bench_compare.h"
#include "tests/bench/bench_venue.h"

#define DEPTH_LEVELS 20
#define BOOK_LEVELS  20

static struct bn_event bn;
static struct hl_event hl;

static uint64_t
levels_sum(const struct bn_level *l, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += (uint64_t)l[i].px.e8 + (uint64_t)l[i].qty.e8;
	return sum;
}

static uint64_t
ours_ticker(const char *text, size_t n)
{
	if (bn_decode(&bn, text, n) != BN_BOOK_TICKER)
		return 0;
	return bn.stream.n + bn.last_id + bn.symbol.n + levels_sum(&bn.bid, 1) +
	       levels_sum(&bn.ask, 1);
}

static uint64_t
ours_depth(const char *text, size_t n)
{
	if (bn_decode(&bn, text, n) != BN_DEPTH)
		return 0;
	return bn.stream.n + bn.type.n + (uint64_t)bn.event_ns + bn.symbol.n +
	       bn.first_id + bn.last_id + levels_sum(bn.bids, bn.bids_n) +
	       levels_sum(bn.asks, bn.asks_n);
}

static uint64_t
ours_sbe_trade(const char *data, size_t n)
{
	struct bn_sbe s;

	bn_sbe_init(&s, data, n);
	if (!bn_sbe_next(&s, &bn))
		return 0;
	return (bn.kind == BN_TRADE) + bn.symbol.n + (uint64_t)bn.event_ns +
	       (uint64_t)bn.venue_ns + bn.trade_id + (uint64_t)bn.px.e8 +
	       (uint64_t)bn.qty.e8 + (bn.side == SIDE_ASK);
}

static uint64_t
hl_sum(const struct hl_level *l, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += (uint64_t)l[i].px.e8 + (uint64_t)l[i].qty.e8 +
		       l[i].orders_n;
	return sum;
}

static uint64_t
ours_hl(const char *text, size_t n)
{
	(void)hl_decode(&hl, text, n);
	if (hl.kind != HL_BBO && hl.kind != HL_BOOK)
		return 0;
	return hl.channel.n + hl.coin.n + (uint64_t)hl.venue_ns +
	       hl_sum(hl.bids, hl.bids_n) + hl_sum(hl.asks, hl.asks_n);
}

/* ---- frames ---- */

static size_t
make_ticker(char *buf)
{
	return (size_t)snprintf(buf, FRAME_MAX,
	    "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":50093421622,"
	    "\"s\":\"BTCUSDT\",\"b\":\"61685.99000000\",\"B\":\"0.88739000\","
	    "\"a\":\"61686.00000000\",\"A\":\"2.44816000\"}}");
}

static size_t
make_depth(char *buf)
{
	size_t n = (size_t)snprintf(buf, FRAME_MAX,
	    "{\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":"
	    "\"depthUpdate\",\"E\":1790232236546123,\"s\":\"BTCUSDT\","
	    "\"U\":50093239203,\"u\":50093239207");

	for (int side = 0; side < 2; side++) {
		n += (size_t)snprintf(
		    buf + n, FRAME_MAX - n, ",\"%s\":[", side == 0 ? "b" : "a");
		for (int i = 0; i < DEPTH_LEVELS; i++)
			n += (size_t)snprintf(buf + n, FRAME_MAX - n,
			    "%s[\"%d.%02d000000\",\"%d.%05d000\"]",
			    i == 0 ? "" : ",",
			    side == 0 ? 61685 - i : 61686 + i, i * 7 % 100,
			    i % 3, i * 1237 % 100000);
		n += (size_t)snprintf(buf + n, FRAME_MAX - n, "]");
	}
	return n + (size_t)snprintf(buf + n, FRAME_MAX - n, "}}");
}

static size_t
make_text_trade(char *buf)
{
	return (size_t)snprintf(buf, FRAME_MAX,
	    "{\"e\":\"trade\",\"E\":1790232236546173,\"s\":\"BTCUSDT\","
	    "\"t\":5432109876,\"p\":\"84143.00000000\",\"q\":\"0.00024000\","
	    "\"T\":1790232236546046,\"m\":true,\"M\":true}");
}

static size_t
put(char *buf, size_t at, uint64_t v, size_t n)
{
	memcpy(buf + at, &v, n);
	return at + n;
}

static size_t
make_sbe_trade(char *buf)
{
	size_t n = put(buf, 0, 18, 2);

	n = put(buf, n, 10000, 2);
	n = put(buf, n, 1, 2);
	n = put(buf, n, 0, 2);
	n = put(buf, n, 1790232236546173, 8);
	n = put(buf, n, 1790232236546046, 8);
	n = put(buf, n, 0xfbfe, 2); /* exponents -2 and -5 */
	n = put(buf, n, 25, 2);
	n = put(buf, n, 1, 4);
	n = put(buf, n, 5432109876, 8);
	n = put(buf, n, 8414300, 8);
	n = put(buf, n, 24, 8);
	n = put(buf, n, 1, 1);
	n = put(buf, n, 7, 1);
	memcpy(buf + n, "BTCUSDT", 7);
	return n + 7;
}

static size_t
make_hl_bbo(char *buf)
{
	return (size_t)snprintf(buf, FRAME_MAX,
	    "{\"channel\":\"bbo\",\"data\":{\"coin\":\"BTC\","
	    "\"time\":1790232237145,\"bbo\":[{\"px\":\"84143.0\","
	    "\"sz\":\"10.25923\",\"n\":36},{\"px\":\"84144.0\","
	    "\"sz\":\"50.66422\",\"n\":18}]}}");
}

static size_t
make_hl_book(char *buf)
{
	size_t n = (size_t)snprintf(buf, FRAME_MAX,
	    "{\"channel\":\"l2Book\",\"data\":{\"coin\":\"BTC\","
	    "\"time\":1790232236546,\"levels\":[");

	for (int side = 0; side < 2; side++) {
		n += (size_t)snprintf(
		    buf + n, FRAME_MAX - n, side == 0 ? "[" : ",[");
		for (int i = 0; i < BOOK_LEVELS; i++)
			n += (size_t)snprintf(buf + n, FRAME_MAX - n,
			    "%s{\"px\":\"%d.0\",\"sz\":\"%d.%05d\",\"n\":%d}",
			    i == 0 ? "" : ",",
			    side == 0 ? 84143 - i : 84144 + i, i * 5 % 13,
			    10000 + i * 1237 % 90000, 1 + i * 11 % 40);
		n += (size_t)snprintf(buf + n, FRAME_MAX - n, "]");
	}
	return n + (size_t)snprintf(buf + n, FRAME_MAX - n, "]}}");
}

int
main(void)
{
	const struct bench_frames trade = {make_sbe_trade, make_text_trade};
	bool ok = bench_compare("decode_binance_ticker", ours_ticker,
	    reference_ticker, make_ticker);

	ok &= bench_compare(
	    "decode_binance_depth_40", ours_depth, reference_depth, make_depth);
	ok &= bench_compare_two("decode_binance_sbe_trade", ours_sbe_trade,
	    reference_raw_trade, trade);
	ok &= bench_compare(
	    "decode_hl_bbo", ours_hl, reference_hl_bbo, make_hl_bbo);
	ok &= bench_compare(
	    "decode_hl_book_20", ours_hl, reference_hl_book, make_hl_book);
	return ok ? 0 : 1;
}
