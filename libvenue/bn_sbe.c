#include "libvenue/bn_sbe.h"

#include <string.h>

#include "libcore/check.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian only");

#define SCHEMA 1
#define HEAD   8u /* blockLength, templateId, schemaId, version */

enum template_id {
	TRADES = 10000,
	BEST_BID_ASK = 10001,
	DEPTH_SNAPSHOT = 10002,
	DEPTH_DIFF = 10003,
};

/* Bytes of the fields that we know. */
#define TRADES_BLOCK 18u
#define BEST_BLOCK   50u
#define SNAP_BLOCK   18u
#define DIFF_BLOCK   26u
#define TRADE_ENTRY  25u
#define LEVEL_ENTRY  16u

/* Every mantissa above zero is out of range past this. */
#define SHIFT_MAX 18

/* ---- reading ---- */

static inline uint16_t
u16_at(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t
u32_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline int64_t
i64_at(const uint8_t *p)
{
	int64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static bool
refuse(struct bn_event *ev, enum reason r, size_t off)
{
	ev->kind = BN_ERR;
	ev->reason = r;
	ev->err_off = (uint32_t)off;
	return false;
}

/* A value at 1e-8, exactly. */
static inline bool
e8_at(const uint8_t *p, int8_t exponent, int64_t max, int64_t *out)
{
	static const int64_t pow10[SHIFT_MAX + 1] = {1, 10, 100, 1000, 10000,
	    100000, 1000000, 10000000, 100000000, 1000000000,
	    INT64_C(10000000000), INT64_C(100000000000), INT64_C(1000000000000),
	    INT64_C(10000000000000), INT64_C(100000000000000),
	    INT64_C(1000000000000000), INT64_C(10000000000000000),
	    INT64_C(100000000000000000), INT64_C(1000000000000000000)};
	int64_t v = i64_at(p);
	int shift = exponent + 8;
	int64_t scaled;

	if (v == 0) {
		*out = 0;
		return true;
	}
	if (v < 0 || shift > SHIFT_MAX || shift < -SHIFT_MAX)
		return false;
	if (shift < 0) {
		if (v % pow10[-shift] != 0)
			return false;
		scaled = v / pow10[-shift];
	} else if (__builtin_mul_overflow(v, pow10[shift], &scaled)) {
		return false;
	}
	*out = scaled;
	return scaled <= max;
}

static inline bool
id_at(const uint8_t *p, uint64_t *out)
{
	int64_t v = i64_at(p);

	*out = (uint64_t)v;
	return v >= 0;
}

/* Times are always microseconds. */
static inline bool
time_at(const uint8_t *p, int64_t *ns)
{
	int64_t us = i64_at(p);

	if (us < 0 || us > INT64_MAX / NS_PER_US)
		return false;
	*ns = us * NS_PER_US;
	return true;
}

/* u8 length and text at `at`: the last field of every message. */
static bool
symbol_at(struct bn_sbe *s, struct bn_event *ev, size_t at)
{
	if (at >= s->n)
		return refuse(ev, REASON_MISSING_FIELD, at);
	size_t len = s->data[at];

	if (len == 0 || len > s->n - at - 1)
		return refuse(ev, REASON_MISSING_FIELD, at);
	s->symbol = (struct json_str){
	    .s = (const char *)s->data + at + 1, .n = (uint32_t)len};
	ev->symbol = s->symbol;
	return true;
}

/* ---- messages; all are called with their known block inside the frame ---- */

static bool
best_bid_ask(struct bn_sbe *s, struct bn_event *ev, size_t block)
{
	const uint8_t *p = s->data + HEAD;
	int8_t px_exp = (int8_t)p[16];
	int8_t qty_exp = (int8_t)p[17];

	if (!time_at(p, &ev->event_ns) || !id_at(p + 8, &ev->last_id) ||
	    !e8_at(p + 18, px_exp, PX_E8_MAX, &ev->bid.px.e8) ||
	    !e8_at(p + 26, qty_exp, QTY_E8_MAX, &ev->bid.qty.e8) ||
	    !e8_at(p + 34, px_exp, PX_E8_MAX, &ev->ask.px.e8) ||
	    !e8_at(p + 42, qty_exp, QTY_E8_MAX, &ev->ask.qty.e8))
		return refuse(ev, REASON_BAD_NUMBER, HEAD);
	ev->venue_ns = ev->event_ns;
	ev->kind = BN_BOOK_TICKER;
	return symbol_at(s, ev, HEAD + block);
}

/* Header of the trades: where they are, and how many. */
static bool
trades(struct bn_sbe *s, struct bn_event *ev, size_t block)
{
	const uint8_t *p = s->data + HEAD;
	size_t at = HEAD + block;

	if (s->n < at + 6)
		return refuse(ev, REASON_MISSING_FIELD, at);
	s->each_sz = u16_at(s->data + at);
	s->left = u32_at(s->data + at + 2);
	s->at = at + 6;
	if (s->left > 0 && s->each_sz < TRADE_ENTRY)
		return refuse(ev, REASON_MISSING_FIELD, at);
	if (s->each_sz > 0 && s->left > (s->n - s->at) / s->each_sz)
		return refuse(ev, REASON_MISSING_FIELD, at + 2);
	if (!time_at(p, &s->event_ns) || !time_at(p + 8, &s->venue_ns))
		return refuse(ev, REASON_BAD_NUMBER, HEAD);
	s->px_exp = (int8_t)p[16];
	s->qty_exp = (int8_t)p[17];
	return symbol_at(s, ev, s->at + s->left * s->each_sz);
}

static bool
trade(struct bn_sbe *s, struct bn_event *ev)
{
	const uint8_t *p = s->data + s->at;

	if (!id_at(p, &ev->trade_id) ||
	    !e8_at(p + 8, s->px_exp, PX_E8_MAX, &ev->px.e8) ||
	    !e8_at(p + 16, s->qty_exp, QTY_E8_MAX, &ev->qty.e8))
		return refuse(ev, REASON_BAD_NUMBER, s->at);
	if (p[24] > 1)
		return refuse(ev, REASON_BAD_TYPE, s->at + 24);
	ev->kind = BN_TRADE;
	ev->symbol = s->symbol;
	ev->event_ns = s->event_ns;
	ev->venue_ns = s->venue_ns;
	ev->side = p[24] == 1 ? SIDE_ASK : SIDE_BID;
	s->at += s->each_sz;
	return true;
}

/* One group of levels; *at moves past it. */
static bool
levels(const struct bn_sbe *s, struct bn_event *ev, size_t *at, bool bids)
{
	struct bn_level *out = bids ? ev->bids : ev->asks;

	if (s->n - *at < 4)
		return refuse(ev, REASON_MISSING_FIELD, *at);
	size_t each_sz = u16_at(s->data + *at);
	size_t count = u16_at(s->data + *at + 2);

	if ((count > 0 && each_sz < LEVEL_ENTRY) ||
	    count * each_sz > s->n - *at - 4)
		return refuse(ev, REASON_MISSING_FIELD, *at);
	if (count > BN_LEVELS_MAX)
		return refuse(ev, REASON_OVERLONG, *at + 2);
	*at += 4;
	for (size_t i = 0; i < count; i++, *at += each_sz) {
		const uint8_t *p = s->data + *at;

		if (!e8_at(p, s->px_exp, PX_E8_MAX, &out[i].px.e8) ||
		    !e8_at(p + 8, s->qty_exp, QTY_E8_MAX, &out[i].qty.e8))
			return refuse(ev, REASON_BAD_NUMBER, *at);
	}
	*(bids ? &ev->bids_n : &ev->asks_n) = (uint32_t)count;
	return true;
}

static bool
depth(struct bn_sbe *s, struct bn_event *ev, size_t block, bool is_diff)
{
	const uint8_t *p = s->data + HEAD;
	const uint8_t *exp = p + (is_diff ? 24 : 16);
	size_t at = HEAD + block;

	if (!time_at(p, &ev->event_ns) ||
	    !id_at(p + (is_diff ? 16 : 8), &ev->last_id) ||
	    (is_diff && !id_at(p + 8, &ev->first_id)))
		return refuse(ev, REASON_BAD_NUMBER, HEAD);
	ev->venue_ns = ev->event_ns;
	s->px_exp = (int8_t)exp[0];
	s->qty_exp = (int8_t)exp[1];
	ev->kind = is_diff ? BN_DEPTH : BN_PARTIAL;
	return levels(s, ev, &at, true) && levels(s, ev, &at, false) &&
	       symbol_at(s, ev, at);
}

static bool
unknown(struct bn_event *ev)
{
	ev->kind = BN_UNKNOWN;
	ev->reason = REASON_UNKNOWN_EVENT;
	return true;
}

/* The header, and whatever it announces but single trades. */
static bool
begin(struct bn_sbe *s, struct bn_event *ev)
{
	static const uint8_t known[] = {
	    TRADES_BLOCK, BEST_BLOCK, SNAP_BLOCK, DIFF_BLOCK};

	if (s->n < HEAD)
		return refuse(ev, REASON_MISSING_FIELD, s->n);
	size_t block = u16_at(s->data);
	unsigned template = u16_at(s->data + 2);

	if (u16_at(s->data + 4) != SCHEMA)
		return refuse(ev, REASON_UNSUPPORTED, 4);
	if (template <TRADES || template > DEPTH_DIFF)
		return unknown(ev);
	if (block < known[template - TRADES] || block > s->n - HEAD)
		return refuse(ev, REASON_MISSING_FIELD, 0);
	if (template == TRADES)
		return trades(s, ev, block);
	if (template == BEST_BID_ASK)
		return best_bid_ask(s, ev, block);
	return depth(s, ev, block, template == DEPTH_DIFF);
}

void
bn_sbe_init(struct bn_sbe *s, const void *data, size_t n)
{
	*s = (struct bn_sbe){.data = data, .n = n, .left = 1};
}

bool
bn_sbe_next(struct bn_sbe *s, struct bn_event *ev)
{
	CHECK(s->data != NULL || s->n == 0);
	if (s->left == 0)
		return false;
	memset(ev, 0, offsetof(struct bn_event, bids));
	if (!s->begun) {
		s->begun = true;
		s->at = 0;
		if (!begin(s, ev) || ev->kind != 0) {
			s->left = 0; /* refused, or one event is all */
			return true;
		}
		if (s->left == 0)
			return false;
	}
	s->left = trade(s, ev) ? s->left - 1 : 0;
	return true;
}
