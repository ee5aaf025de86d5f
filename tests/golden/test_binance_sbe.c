/* links: libvenue libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libvenue/bn_sbe.h"
#include "tests/fuzz/decode_sbe.h"
#include "tests/golden/data.h"

#define LEN(a)	  (sizeof(a) / sizeof((a)[0]))
#define FRAME_MAX 512

/* Constructed from the schema, one of each template. */
static const char *const frames[] = {
    /* 10001: 84142.99 x 1.62318, 84143.00 x 0.71002 */
    "32001127010000004b5886ec345c0600998a5cc415000000fefb5b64800000000000"
    "0e7a0200000000005c648000000000005a150100000000000742544355534454",
    /* 10000: 84143.00 x 0.00024 and x 0.01500, the buyer took both */
    "12001027010000007d5886ec345c0600fe5786ec345c0600fefb190002000000346b"
    "c743010000005c64800000000000180000000000000000356bc743010000005c6480"
    "0000000000dc05000000000000000742544355534454",
    /* 10002: two bids, one ask */
    "1200122701000000af5886ec345c06009e8a5cc415000000fefb100002005b648000"
    "000000000e7a0200000000002a64800000000000b004000000000000100001005c64"
    "8000000000005a150100000000000742544355534454",
    /* 10003: a bid removed, a bid of 84142.98 x 0.50000, no asks */
    "1a00132701000000135986ec345c06009f8a5cc415000000a68a5cc415000000fefb"
    "100002005b6480000000000000000000000000005a6480000000000050c300000000"
    "0000100000000742544355534454",
};
enum {
	BEST,
	TRADES,
	SNAP,
	DIFF
};

static struct bn_event ev;
static uint8_t buf[FRAME_MAX];

static unsigned
nibble(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
}

static size_t
load(unsigned which)
{
	const char *hex = frames[which];
	size_t n = strlen(hex) / 2;

	assert_true(n <= sizeof(buf));
	for (size_t i = 0; i < n; i++)
		buf[i] =
		    (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	return n;
}

/* The first event of n bytes, from memory of exactly that size. */
static enum bn_kind
first(const void *data, size_t n)
{
	struct bn_sbe s;
	char *copy = data_exact(data, n);

	bn_sbe_init(&s, copy, n);
	if (!bn_sbe_next(&s, &ev))
		ev.kind = 0;
	free(copy);
	return ev.kind;
}

static void
put(size_t off, uint64_t v, size_t n)
{
	memcpy(buf + off, &v, n);
}

static void
best_bid_ask(void **state)
{
	struct bn_sbe s;

	(void)state;
	bn_sbe_init(&s, buf, load(BEST));
	assert_true(bn_sbe_next(&s, &ev));
	assert_int_equal(ev.kind, BN_BOOK_TICKER);
	assert_true(json_is(ev.symbol, "BTCUSDT"));
	assert_int_equal(ev.event_ns, INT64_C(1790232236546123000));
	assert_int_equal(ev.venue_ns, INT64_C(1790232236546123000));
	assert_int_equal(ev.last_id, 93488712345);
	assert_int_equal(ev.bid.px.e8, INT64_C(8414299000000));
	assert_int_equal(ev.bid.qty.e8, 162318000);
	assert_int_equal(ev.ask.px.e8, INT64_C(8414300000000));
	assert_int_equal(ev.ask.qty.e8, 71002000);
	assert_false(bn_sbe_next(&s, &ev));
}

static void
trades_come_one_by_one(void **state)
{
	static const uint64_t ids[] = {5432109876, 5432109877};
	static const int64_t qty[] = {24000, 1500000};
	struct bn_sbe s;

	(void)state;
	bn_sbe_init(&s, buf, load(TRADES));
	for (unsigned i = 0; i < 2; i++) {
		assert_true(bn_sbe_next(&s, &ev));
		assert_int_equal(ev.kind, BN_TRADE);
		assert_true(json_is(ev.symbol, "BTCUSDT"));
		assert_int_equal(ev.trade_id, ids[i]);
		assert_int_equal(ev.px.e8, INT64_C(8414300000000));
		assert_int_equal(ev.qty.e8, qty[i]);
		assert_int_equal(ev.side, SIDE_BID);
		assert_int_equal(ev.venue_ns, INT64_C(1790232236546046000));
		assert_int_equal(ev.event_ns, INT64_C(1790232236546173000));
	}
	assert_false(bn_sbe_next(&s, &ev));

	/* isBuyerMaker: the aggressor sold */
	bn_sbe_init(&s, buf, load(TRADES));
	buf[32 + 24] = 1;
	assert_true(bn_sbe_next(&s, &ev));
	assert_int_equal(ev.side, SIDE_ASK);
	/* none at all is no event */
	load(TRADES);
	put(28, 0, 4);
	memmove(buf + 32, buf + 82, 8);
	bn_sbe_init(&s, buf, 40);
	assert_false(bn_sbe_next(&s, &ev));
}

static void
books(void **state)
{
	(void)state;
	assert_int_equal(first(buf, load(SNAP)), BN_PARTIAL);
	assert_int_equal(ev.last_id, 93488712350);
	assert_int_equal(ev.bids_n, 2);
	assert_int_equal(ev.asks_n, 1);
	assert_int_equal(ev.bids[1].px.e8, INT64_C(8414250000000));
	assert_int_equal(ev.bids[1].qty.e8, 1200000);
	assert_int_equal(ev.asks[0].px.e8, INT64_C(8414300000000));
	assert_int_equal(ev.event_ns, INT64_C(1790232236546223000));

	assert_int_equal(first(buf, load(DIFF)), BN_DEPTH);
	assert_int_equal(ev.first_id, 93488712351);
	assert_int_equal(ev.last_id, 93488712358);
	assert_false(ev.has_prev);
	assert_int_equal(ev.bids_n, 2);
	assert_int_equal(ev.bids[0].qty.e8, 0);
	assert_int_equal(ev.bids[1].px.e8, INT64_C(8414298000000));
	assert_int_equal(ev.bids[1].qty.e8, E8 / 2);
	assert_int_equal(ev.asks_n, 0);
}

/* The same content as text gives the same event, but for the names of stream
 * and type. */
static void
equals_the_text_form(void **state)
{
	static const char text[] =
	    "{\"e\":\"trade\",\"E\":1790232236546173,\"s\":\"BTCUSDT\","
	    "\"t\":5432109876,\"p\":\"84143.00000000\",\"q\":\"0.00024000\","
	    "\"T\":1790232236546046,\"m\":false,\"M\":true}";
	static struct bn_event json;
	static struct bn_event sbe;
	struct bn_sbe s;
	const size_t from = offsetof(struct bn_event, venue_ns);
	const size_t to = offsetof(struct bn_event, body);

	(void)state;
	assert_int_equal(bn_decode(&json, text, sizeof(text) - 1), BN_TRADE);
	bn_sbe_init(&s, buf, load(TRADES));
	assert_true(bn_sbe_next(&s, &sbe));
	assert_memory_equal(
	    (char *)&json + from, (char *)&sbe + from, to - from);
	assert_memory_equal(json.symbol.s, sbe.symbol.s, 7);
}

static void
every_prefix_is_refused(void **state)
{
	(void)state;
	for (unsigned f = 0; f < LEN(frames); f++) {
		size_t n = load(f);

		for (size_t cut = 0; cut < n; cut++) {
			assert_int_equal(first(buf, cut), BN_ERR);
			assert_int_equal(ev.reason, REASON_MISSING_FIELD);
		}
	}
}

/* Every bit of every byte turned, and every byte set to the ends of its
 * range: an answer, no crash, no read outside. */
static void
every_byte_flipped(void **state)
{
	(void)state;
	for (unsigned f = 0; f < LEN(frames); f++) {
		size_t n = load(f);

		for (size_t i = 0; i < n; i++) {
			uint8_t keep = buf[i];

			for (unsigned v = 0; v < 256; v++) {
				buf[i] = (uint8_t)v;
				(void)fuzz_sbe((const char *)buf, n);
			}
			buf[i] = keep;
		}
	}
}

/* Bytes put in at `off`, as a newer version may append fields. */
static size_t
grow(size_t n, size_t off, size_t by)
{
	memmove(buf + off + by, buf + off, n - off);
	memset(buf + off, 0xee, by);
	return n + by;
}

static void
appended_fields_are_stepped_over(void **state)
{
	static const struct {
		unsigned frame;
		uint16_t block;
		size_t group; /* after the block; 0 none */
		unsigned entries;
		uint16_t entry;
		unsigned head;
	} cases[] = {
	    {BEST, 50, 0, 0, 0, 0},
	    {TRADES, 18, 26, 2, 25, 6},
	    {SNAP, 18, 26, 2, 16, 4},
	    {DIFF, 26, 34, 2, 16, 4},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = load(cases[i].frame);
		uint64_t want = fuzz_sbe((const char *)buf, n);

		/* longer entries, from the last one back */
		for (unsigned k = cases[i].entries; k > 0; k--)
			n = grow(n,
			    cases[i].group + cases[i].head + k * cases[i].entry,
			    3);
		if (cases[i].group > 0)
			put(cases[i].group, cases[i].entry + 3u, 2);
		n = grow(n, 8u + cases[i].block, 5);
		put(0, cases[i].block + 5u, 2);
		put(6, 7, 2);	   /* any version */
		n = grow(n, n, 9); /* and something after the symbol */
		assert_true(want == fuzz_sbe((const char *)buf, n));
	}
}

static void
refusals(void **state)
{
	static const struct {
		unsigned frame;
		size_t off;
		uint64_t v;
		size_t n;
		enum bn_kind kind;
		enum reason reason;
	} cases[] = {
	    {BEST, 4, 2, 2, BN_ERR, REASON_UNSUPPORTED},
	    {BEST, 2, 9999, 2, BN_UNKNOWN, REASON_UNKNOWN_EVENT},
	    {BEST, 2, 10004, 2, BN_UNKNOWN, REASON_UNKNOWN_EVENT},
	    {BEST, 0, 49, 2, BN_ERR, REASON_MISSING_FIELD},
	    {BEST, 58, 8, 1, BN_ERR, REASON_MISSING_FIELD},
	    {BEST, 58, 0, 1, BN_ERR, REASON_MISSING_FIELD},
	    {BEST, 26, UINT64_MAX, 8, BN_ERR, REASON_BAD_NUMBER},
	    {BEST, 16, UINT64_MAX, 8, BN_ERR, REASON_BAD_NUMBER},
	    {BEST, 8, INT64_MAX, 8, BN_ERR, REASON_BAD_NUMBER},
	    {BEST, 24, 30, 1, BN_ERR, REASON_BAD_NUMBER},   /* too large */
	    {BEST, 24, 0x80, 1, BN_ERR, REASON_BAD_NUMBER}, /* too small */
	    {BEST, 24, 0xf6, 1, BN_ERR, REASON_BAD_NUMBER}, /* 1e-10: inexact */
	    {TRADES, 26, 24, 2, BN_ERR, REASON_MISSING_FIELD},
	    {TRADES, 28, 3, 4, BN_ERR, REASON_MISSING_FIELD},
	    {TRADES, 28, UINT32_MAX, 4, BN_ERR, REASON_MISSING_FIELD},
	    {TRADES, 32 + 24, 2, 1, BN_ERR, REASON_BAD_TYPE},
	    {TRADES, 32 + 8, UINT64_MAX, 8, BN_ERR, REASON_BAD_NUMBER},
	    {SNAP, 26, 15, 2, BN_ERR, REASON_MISSING_FIELD},
	    {SNAP, 28, 900, 2, BN_ERR, REASON_MISSING_FIELD},
	    {DIFF, 16, UINT64_MAX, 8, BN_ERR, REASON_BAD_NUMBER},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = load(cases[i].frame);

		put(cases[i].off, cases[i].v, cases[i].n);
		first(buf, n);
		if (ev.kind != cases[i].kind || ev.reason != cases[i].reason)
			fail_msg("case %zu: kind %d, %s", i, ev.kind,
			    reason_name(ev.reason));
	}
}

/* Exponents come from the message; only exact values pass. */
static void
exponents_are_read(void **state)
{
	static const struct {
		int8_t exp;
		int64_t mantissa;
		int64_t want; /* -1 refused */
	} cases[] = {
	    {-8, 1, 1},
	    {-9, 10, 1},
	    {-9, 15, -1},
	    {-26, INT64_C(3000000000000000000), 3},
	    {-27, 0, 0},
	    {-27, 1, -1},
	    {127, 0, 0},
	    {0, 84143, INT64_C(8414300000000)},
	    {3, 5, 5000 * E8},
	    {8, 1, PX_E8_MAX},
	    {8, 2, -1},
	    {10, 1, -1},
	    {0, INT64_MAX, -1},
	    {-8, PX_E8_MAX, PX_E8_MAX},
	    {-8, PX_E8_MAX + 1, -1},
	    {-8, -1, -1},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = load(BEST);

		put(26, 0, 8);
		put(42, (uint64_t)cases[i].mantissa, 8);
		buf[24] = (uint8_t)cases[i].exp;
		bool ok = first(buf, n) == BN_BOOK_TICKER;

		if (ok != (cases[i].want >= 0) ||
		    (ok && ev.ask.px.e8 != cases[i].want))
			fail_msg("case %zu: %lld", i, (long long)ev.ask.px.e8);
	}
}

static void
levels_have_a_limit(void **state)
{
	static uint8_t big[34 + 2 * (4 + 16 * (BN_LEVELS_MAX + 1)) + 8];

	(void)state;
	for (unsigned n = BN_LEVELS_MAX; n <= BN_LEVELS_MAX + 1; n++) {
		size_t at = 34;

		load(DIFF);
		memset(big, 0, sizeof(big));
		memcpy(big, buf, 34);
		for (unsigned side = 0; side < 2; side++) {
			big[at] = 16;
			memcpy(big + at + 2, &n, 2);
			at += 4 + 16u * n;
		}
		memcpy(big + at,
		    "\x07"
		    "BTCUSDT",
		    8);
		assert_int_equal(
		    first(big, at + 8), n == BN_LEVELS_MAX ? BN_DEPTH : BN_ERR);
		if (n > BN_LEVELS_MAX)
			assert_int_equal(ev.reason, REASON_OVERLONG);
		else
			assert_int_equal(ev.asks_n, BN_LEVELS_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(best_bid_ask),
	    cmocka_unit_test(trades_come_one_by_one),
	    cmocka_unit_test(books),
	    cmocka_unit_test(equals_the_text_form),
	    cmocka_unit_test(every_prefix_is_refused),
	    cmocka_unit_test(every_byte_flipped),
	    cmocka_unit_test(appended_fields_are_stepped_over),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(exponents_are_read),
	    cmocka_unit_test(levels_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
