/*
 * decode_hl_user.h - the same for what Hyperliquid says to one user: frames,
 * lists, answers to actions and to questions.
 */
#ifndef TESTS_FUZZ_DECODE_HL_USER_H
#define TESTS_FUZZ_DECODE_HL_USER_H

#include "libvenue/hl_info.h"
#include "libvenue/hl_user.h"
#include "tests/fuzz/decode_json.h"

static inline uint64_t
digest_hlu_order(uint64_t h, const struct hlu_order *o)
{
	h = hash_u64(h, (uint64_t)o->reason);
	if (o->reason != REASON_NONE)
		return h;
	CHECK(o->side == SIDE_BID || o->side == SIDE_ASK);
	CHECK(o->state >= HLU_LIVE && o->state < HLU_STATE_N);
	CHECK(o->left.e8 >= 0 && o->left.e8 <= o->qty.e8);
	CHECK(o->px.e8 >= 0 && o->px.e8 <= PX_E8_MAX);
	CHECK(o->oid != 0);
	h = hash_u64(hash_u64(h, o->oid), (uint64_t)o->left.e8);
	h = hash_u64(hash_u64(h, (uint64_t)o->px.e8), (uint64_t)o->state);
	return hash_bytes(h, o->cloid, sizeof(o->cloid));
}

static inline uint64_t
digest_hlu_fill(uint64_t h, const struct hlu_fill *f)
{
	h = hash_u64(h, (uint64_t)f->reason);
	if (f->reason != REASON_NONE)
		return h;
	CHECK(f->side == SIDE_BID || f->side == SIDE_ASK);
	CHECK(f->qty.e8 >= 0 && f->qty.e8 <= QTY_E8_MAX);
	CHECK(f->start.e8 >= -QTY_E8_MAX && f->start.e8 <= QTY_E8_MAX);
	h = hash_u64(hash_u64(h, f->oid), f->tid);
	h = hash_u64(hash_u64(h, (uint64_t)f->fee.e6), (uint64_t)f->closed.e6);
	return hash_u64(h, (uint64_t)f->venue_ns ^ (uint64_t)f->is_liquidation);
}

static inline uint64_t
digest_hlu_list(uint64_t h, struct hl_user *u)
{
	struct hlu_order o;
	struct hlu_fill f;

	if (u->kind == HLU_ORDERS)
		while (hl_user_order(u, &o))
			h = digest_hlu_order(h, &o);
	if (u->kind == HLU_FILLS)
		while (hl_user_fill(u, &f))
			h = digest_hlu_fill(h, &f);
	return h;
}

static inline uint64_t
digest_hl_answer(uint64_t h, const char *text, size_t n)
{
	struct hl_answer a;
	struct hla_entry e;

	h = hash_u64(h, hl_answer_open(&a, text, n));
	CHECK(a.kind >= HLA_BAD && a.kind < HLA_KIND_N);
	while (hl_answer_next(&a, &e)) {
		CHECK(e.status >= HLA_RESTING && e.status < HLA_STATUS_N);
		CHECK((e.status != HLA_RESTING && e.status != HLA_DONE) ||
		      e.oid != 0);
		h = hash_u64(hash_u64(h, (uint64_t)e.status), e.oid);
	}
	return h;
}

static inline void
fuzz_position(void *user, struct json_str coin, qty_t szi)
{
	uint64_t *h = user;

	CHECK(coin.n > 0);
	*h = hash_u64(*h, (uint64_t)szi.e8);
}

static inline uint64_t
digest_hl_info(uint64_t h, const char *text, size_t n)
{
	char master[HLI_ADDRESS_MAX];
	struct hli_limit limit;
	struct hli_state state;
	struct hli_coin coin;
	enum hli_role role;
	uint64_t ms = 0;
	usd_t usd;

	h = hash_u64(h, hl_info_time(text, n, &ms) ? ms : 1);
	h = hash_u64(h, hl_info_coin(text, n, "BTC", &coin) ? coin.index : 2);
	if (hl_info_role(text, n, &role, master)) {
		CHECK((role == HLI_AGENT) == (master[0] != '\0'));
		h = hash_u64(h, (uint64_t)role);
	}
	h = hash_u64(h, hl_info_agent(text, n, "0x", &ms) ? ms : 3);
	h = hash_u64(h, hl_info_limit(text, n, &limit) ? limit.used : 4);
	(void)hl_info_state(text, n, &state, fuzz_position, &h);
	return hash_u64(h, hl_info_spot(text, n, &usd) ? (uint64_t)usd.e6 : 5);
}

static inline uint64_t
digest_hl_user(const char *text, size_t n)
{
	struct hlu_order o;
	struct hl_user u;
	uint64_t h;
	bool known;

	h = hash_u64(0, hl_user_open(&u, text, n));
	CHECK(u.kind >= HLU_ERR && u.kind < HLU_KIND_N);
	CHECK((u.kind == HLU_ERR) == (u.reason != REASON_NONE));
	if (u.kind == HLU_POST)
		h = digest_hl_answer(h, u.payload.s, u.payload.n);
	h = digest_hlu_list(h, &u);
	if (hl_user_orders(&u, text, n))
		h = digest_hlu_list(h, &u);
	if (hl_user_fills(&u, text, n))
		h = digest_hlu_list(h, &u);
	if (hl_user_status(text, n, &known, &o) && known)
		h = digest_hlu_order(h, &o);
	return digest_hl_info(digest_hl_answer(h, text, n), text, n);
}

static inline uint64_t
fuzz_hl_user(const char *text, size_t n)
{
	return fuzz_both(digest_hl_user, text, n);
}

#endif
