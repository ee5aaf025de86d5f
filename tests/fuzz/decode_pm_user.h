/*
 * decode_pm_user.h - the same for what Polymarket says of our own orders and
 * trades.
 */
#ifndef TESTS_FUZZ_DECODE_PM_USER_H
#define TESTS_FUZZ_DECODE_PM_USER_H

#include "libvenue/pm_user.h"
#include "tests/fuzz/decode_json.h"

static inline void
digest_pm_order(void *user, const struct pm_user_order *o)
{
	uint64_t *h = user;

	CHECK(o->kind >= PM_USER_PLACEMENT && o->kind < PM_USER_KIND_N);
	CHECK((unsigned)o->status < PM_ORDER_STATUS_N);
	CHECK(o->px.e8 >= 0 && o->px.e8 <= E8);
	CHECK(o->qty.e8 >= 0 && o->qty.e8 <= QTY_E8_MAX);
	CHECK(o->matched.e8 >= 0 && o->matched.e8 <= QTY_E8_MAX);
	*h = hash_bytes(*h, o->id.b, sizeof(o->id.b));
	*h = hash_u64(*h, (uint64_t)o->kind * 16 + (uint64_t)o->status);
	*h = hash_u64(*h, (uint64_t)o->qty.e8 ^ (uint64_t)o->matched.e8);
	*h = hash_u64(*h, o->time_s);
}

static inline void
digest_pm_trade(void *user, const struct pm_user_trade *t)
{
	uint64_t *h = user;

	CHECK(t->status >= PM_TRADE_MATCHED && t->status < PM_TRADE_STATUS_N);
	CHECK(t->side == SIDE_BID || t->side == SIDE_ASK);
	CHECK(t->leg_n <= PM_USER_LEGS);
	CHECK(t->key != 0 && t->id[sizeof(t->id) - 1] == '\0');
	*h = hash_u64(hash_u64(*h, t->key), (uint64_t)t->status);
	for (uint32_t i = 0; i < t->leg_n; i++) {
		const struct pm_user_leg *l = &t->leg[i];

		CHECK(l->px.e8 >= 0 && l->px.e8 <= E8);
		CHECK(l->qty.e8 >= 0 && l->qty.e8 <= QTY_E8_MAX);
		*h = hash_bytes(*h, l->order.b, sizeof(l->order.b));
		*h = hash_u64(*h, (uint64_t)l->qty.e8 ^ (uint64_t)l->px.e8);
		*h = hash_u64(*h, (uint64_t)l->side * 2 + l->is_mine);
	}
}

static inline void
digest_pm_bad(void *user, enum reason r)
{
	uint64_t *h = user;

	CHECK(r != REASON_NONE);
	*h = hash_u64(*h, (uint64_t)r);
}

static inline uint64_t
digest_pm_user(const char *text, size_t n)
{
	static const struct pm_user_me me = {"3b10aacc", "0xf39f"};
	uint64_t h = HASH_SEED;
	struct pm_user_sink sink = {
	    &h, digest_pm_order, digest_pm_trade, digest_pm_bad};
	char cursor[PM_CURSOR_MAX];
	int told = pm_user_decode(text, n, &me, &sink, cursor);

	CHECK(told >= -1);
	CHECK(strlen(cursor) < sizeof(cursor));
	return hash_bytes(hash_u64(h, (uint64_t)told), cursor, strlen(cursor));
}

static inline uint64_t
fuzz_pm_user(const char *text, size_t n)
{
	return fuzz_both(digest_pm_user, text, n);
}

#endif
