/*
 * decode.h - the same for every other decoder; see decode_json.h.
 */
#ifndef TESTS_FUZZ_DECODE_H
#define TESTS_FUZZ_DECODE_H

#include "libvenue/binance.h"
#include "libvenue/hyperliquid.h"
#include "tests/fuzz/decode_json.h"
#include "tests/fuzz/decode_polymarket.h"
#include "tests/fuzz/decode_reference.h"

/* ---- Binance ---- */

static inline uint64_t
digest_binance(const char *text, size_t n)
{
	static struct bn_event ev;
	enum bn_kind kind = bn_decode(&ev, text, n);
	uint64_t h = hash_u64((uint64_t)ev.reason, kind);

	CHECK(kind == ev.kind);
	CHECK(kind >= BN_ERR);
	CHECK(kind < BN_KIND_N);
	CHECK((kind == BN_ERR || kind == BN_UNKNOWN) ==
	      (ev.reason != REASON_NONE));
	CHECK(ev.err_off <= n);
	if (kind == BN_ERR || kind == BN_UNKNOWN)
		return h;
	fuzz_inside(ev.stream, text, n);
	fuzz_inside(ev.symbol, text, n);
	fuzz_inside(ev.type, text, n);
	fuzz_inside(ev.msg, text, n);
	h = fuzz_str(fuzz_str(fuzz_str(h, ev.stream), ev.symbol), ev.type);
	h = hash_u64(hash_u64(h, (uint64_t)ev.venue_ns), (uint64_t)ev.event_ns);
	h = hash_u64(hash_u64(h, ev.trade_id), ev.first_id);
	h = hash_u64(hash_u64(h, ev.last_id), ev.prev_id);
	h = hash_u64(h, (uint64_t)ev.px.e8 * 3 + (uint64_t)ev.qty.e8);
	h = hash_bytes(h, &ev.bid, sizeof(ev.bid));
	h = hash_bytes(h, &ev.ask, sizeof(ev.ask));
	h = hash_u64(h, (uint64_t)ev.side << 32 | (uint64_t)ev.has_prev);
	h = hash_u64(h, (uint64_t)ev.code);
	CHECK(ev.bids_n <= BN_LEVELS_MAX);
	CHECK(ev.asks_n <= BN_LEVELS_MAX);
	h = hash_bytes(h, ev.bids, ev.bids_n * sizeof(ev.bids[0]));
	return hash_bytes(h, ev.asks, ev.asks_n * sizeof(ev.asks[0]));
}

static inline uint64_t
fuzz_binance(const char *text, size_t n)
{
	return fuzz_both(digest_binance, text, n);
}

/* ---- Hyperliquid ---- */

static inline uint64_t
digest_hl_levels(uint64_t h, const struct hl_level *l, uint32_t n)
{
	CHECK(n <= HL_LEVELS_MAX);
	for (uint32_t i = 0; i < n; i++) {
		CHECK(l[i].px.e8 >= 0);
		CHECK(l[i].qty.e8 >= 0);
		h = hash_u64(h, (uint64_t)l[i].px.e8);
		h = hash_u64(h, (uint64_t)l[i].qty.e8 ^ l[i].orders_n);
	}
	return hash_u64(h, n);
}

static inline uint64_t
digest_hl_rest(
    uint64_t h, const struct hl_event *ev, const char *text, size_t n)
{
	CHECK(ev->trades_n <= HL_TRADES_MAX);
	CHECK(ev->coins_n <= HL_COINS_MAX);
	for (uint32_t i = 0; i < ev->trades_n; i++) {
		const struct hl_trade *t = &ev->trades[i];

		CHECK(t->side == SIDE_BID || t->side == SIDE_ASK);
		h = hash_u64(hash_u64(h, (uint64_t)t->px.e8), t->trade_id);
		h = hash_u64(h, (uint64_t)t->qty.e8 ^ (uint64_t)t->side);
	}
	for (uint32_t i = 0; i < ev->coins_n; i++) {
		fuzz_inside(ev->coins[i].name, text, n);
		CHECK(ev->coins[i].size_decimals <= 8);
		h = fuzz_str(h, ev->coins[i].name);
	}
	return h;
}

static inline uint64_t
digest_hyperliquid(const char *text, size_t n)
{
	static struct hl_event ev;
	enum hl_kind kind = hl_decode(&ev, text, n);
	uint64_t h = hash_u64((uint64_t)ev.reason, kind);

	CHECK(kind == ev.kind);
	CHECK(kind >= HL_ERR);
	CHECK(kind < HL_KIND_N);
	CHECK((kind == HL_ERR || kind == HL_UNKNOWN) ==
	      (ev.reason != REASON_NONE));
	CHECK(ev.err_off <= n);
	if (kind == HL_ERR || kind == HL_UNKNOWN)
		return h;
	fuzz_inside(ev.coin, text, n);
	fuzz_inside(ev.method, text, n);
	fuzz_inside(ev.msg, text, n);
	h = fuzz_str(fuzz_str(h, ev.coin), ev.msg);
	h = hash_u64(hash_u64(h, (uint64_t)ev.venue_ns), ev.is_fast);
	h = hash_u64(hash_u64(h, (uint64_t)ev.mark.e8), (uint64_t)ev.mid.e8);
	h = hash_u64(h, (uint64_t)ev.funding_e12 ^ (uint64_t)ev.oracle.e8);
	if (kind == HL_BBO || kind == HL_BOOK) {
		h = digest_hl_levels(h, ev.bids, ev.bids_n);
		return digest_hl_levels(h, ev.asks, ev.asks_n);
	}
	return digest_hl_rest(h, &ev, text, n);
}

static inline uint64_t
fuzz_hyperliquid(const char *text, size_t n)
{
	return fuzz_both(digest_hyperliquid, text, n);
}

#endif
