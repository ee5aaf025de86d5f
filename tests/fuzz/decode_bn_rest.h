/*
 * decode_bn_rest.h - Binance's REST bodies, each input taken as an answer to
 * each question; see decode_json.h.
 */
#ifndef TESTS_FUZZ_DECODE_BN_REST_H
#define TESTS_FUZZ_DECODE_BN_REST_H

#include "libvenue/bn_rest.h"
#include "tests/fuzz/decode_json.h"

static inline uint64_t
digest_bn_item(
    uint64_t h, const struct bn_item *item, const char *text, size_t n)
{
	CHECK(item->kind >= BN_ITEM_END);
	CHECK(item->kind < BN_ITEM_KIND_N);
	CHECK((item->kind == BN_ITEM_ERR) == (item->reason != REASON_NONE));
	CHECK(item->err_off <= n);
	h = hash_u64(hash_u64(h, item->kind), (uint64_t)item->reason);
	if (item->kind == BN_ITEM_ERR)
		return h;
	fuzz_inside(item->symbol, text, n);
	fuzz_inside(item->msg, text, n);
	h = fuzz_str(fuzz_str(h, item->symbol), item->msg);
	CHECK(item->px.e8 >= 0 && item->px.e8 <= PX_E8_MAX);
	CHECK(item->tick.e8 >= 0 && item->tick.e8 <= PX_E8_MAX);
	CHECK(item->lot.e8 >= 0 && item->lot.e8 <= QTY_E8_MAX);
	CHECK((item->kind == BN_ITEM_SYMBOL) == (item->status != 0));
	CHECK((item->kind == BN_ITEM_LIMIT) == (item->limit != 0));
	h = hash_u64(h, (uint64_t)(item->tick.e8 ^ item->lot.e8));
	h = hash_u64(h, (uint64_t)item->min_notional_e8 ^ item->limit_n);
	h = hash_u64(h, item->id ^ (uint64_t)item->venue_ns);
	h = hash_u64(h, (uint64_t)(item->px.e8 ^ item->qty.e8));
	h = hash_bytes(h, &item->bid, sizeof(item->bid));
	h = hash_bytes(h, &item->ask, sizeof(item->ask));
	return hash_u64(h, (uint64_t)(item->open.e8 ^ item->close.e8));
}

static inline uint64_t
digest_bn_rest(const char *text, size_t n)
{
	uint64_t h = 0;

	for (unsigned ask = BN_ASK_INFO; ask < BN_ASK_N; ask++) {
		struct bn_rest r;
		struct bn_item item;
		size_t items = 0;

		bn_rest_init(&r, (enum bn_ask)ask, text, n);
		do {
			CHECK(++items <= n + 2);
			(void)bn_rest_next(&r, &item);
			h = digest_bn_item(h, &item, text, n);
		} while (item.kind != BN_ITEM_END && item.kind != BN_ITEM_ERR &&
			 item.kind != BN_ITEM_REFUSAL);
		CHECK(bn_rest_next(&r, &item) == BN_ITEM_END);
	}
	return h;
}

static inline uint64_t
fuzz_bn_rest(const char *text, size_t n)
{
	return fuzz_both(digest_bn_rest, text, n);
}

#endif
