/*
 * decode_sbe.h - what every input must do to the binary decoder: no read
 * outside it (the sanitizer says so), every answer in its stated range, every
 * text inside the input, and an end after at most as many events as bytes.
 */
#ifndef TESTS_FUZZ_DECODE_SBE_H
#define TESTS_FUZZ_DECODE_SBE_H

#include <stdlib.h>

#include "libcore/hash.h"
#include "libvenue/bn_sbe.h"
#include "tests/fuzz/decode_json.h"

static inline void
fuzz_sbe_levels(const struct bn_level *l, uint32_t n)
{
	CHECK(n <= BN_LEVELS_MAX);
	for (uint32_t i = 0; i < n; i++) {
		CHECK(l[i].px.e8 >= 0 && l[i].px.e8 <= PX_E8_MAX);
		CHECK(l[i].qty.e8 >= 0 && l[i].qty.e8 <= QTY_E8_MAX);
	}
}

static inline uint64_t
fuzz_sbe_event(
    uint64_t h, const struct bn_event *ev, const char *text, size_t n)
{
	h = hash_u64(hash_u64(h, ev->kind), (uint64_t)ev->reason);
	CHECK((ev->kind == BN_ERR || ev->kind == BN_UNKNOWN) ==
	      (ev->reason != REASON_NONE));
	CHECK(ev->err_off <= n);
	if (ev->kind == BN_ERR || ev->kind == BN_UNKNOWN)
		return h;
	CHECK(ev->kind == BN_TRADE || ev->kind == BN_BOOK_TICKER ||
	      ev->kind == BN_DEPTH || ev->kind == BN_PARTIAL);
	CHECK(ev->symbol.n > 0);
	fuzz_inside(ev->symbol, text, n);
	CHECK(ev->venue_ns >= 0 && ev->event_ns >= 0);
	CHECK((ev->kind == BN_TRADE) == (ev->side != 0));
	fuzz_sbe_levels(&(struct bn_level){ev->px, ev->qty}, 1);
	fuzz_sbe_levels(&ev->bid, 1);
	fuzz_sbe_levels(&ev->ask, 1);
	fuzz_sbe_levels(ev->bids, ev->bids_n);
	fuzz_sbe_levels(ev->asks, ev->asks_n);
	h = hash_u64(fuzz_str(h, ev->symbol), ev->trade_id ^ ev->last_id);
	return hash_u64(h, (uint64_t)(ev->px.e8 ^ ev->qty.e8));
}

static inline uint64_t
fuzz_sbe(const char *text, size_t n)
{
	static struct bn_event ev;
	struct bn_sbe s;
	size_t events = 0;
	uint64_t h = 0;
	/* exactly n bytes, so that a read past the end is seen */
	char *copy = malloc(n > 0 ? n : 1);

	CHECK(copy != NULL);
	memcpy(copy, text, n);
	bn_sbe_init(&s, copy, n);
	while (bn_sbe_next(&s, &ev)) {
		CHECK(++events <= n + 1);
		h = fuzz_sbe_event(h, &ev, copy, n);
		CHECK(ev.kind != BN_ERR || !bn_sbe_next(&s, &ev));
	}
	CHECK(!bn_sbe_next(&s, &ev));
	free(copy);
	return h;
}

#endif
