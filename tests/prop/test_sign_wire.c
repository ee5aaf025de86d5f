/* links: libsign libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "libsign/hl_action.h"

/*
 * What is hashed and what is sent are read back, each by a reader that knows
 * nothing of the other, and must be the same value.
 */
struct reader {
	const uint8_t *p;
	const uint8_t *end;
};

static uint64_t
take_be(struct reader *r, size_t n)
{
	uint64_t v = 0;

	assert_true((size_t)(r->end - r->p) >= n);
	while (n-- > 0)
		v = v << 8 | *r->p++;
	return v;
}

static json_t *
take_str(struct reader *r, size_t n)
{
	char text[256];
	json_t *v;

	assert_true(n < sizeof(text));
	assert_true((size_t)(r->end - r->p) >= n);
	memcpy(text, r->p, n);
	text[n] = '\0';
	r->p += n;
	v = json_pack("s", text);
	assert_non_null(v);
	return v;
}

static json_t *take(struct reader *r, unsigned depth);

static json_t *
take_list(struct reader *r, size_t n, bool map, unsigned depth)
{
	json_t *v = json_pack(map ? "{}" : "[]");

	for (size_t i = 0; i < n; i++) {
		json_t *k = map ? take(r, depth + 1) : NULL;
		json_t *x = take(r, depth + 1);

		if (map)
			json_object_set_new(v, json_string_value(k), x);
		else
			json_array_append_new(v, x);
		json_decref(k);
	}
	return v;
}

/* One value; the first byte says what. */
static json_t *
take(struct reader *r, unsigned depth)
{
	uint8_t b = (uint8_t)take_be(r, 1);

	assert_true(depth < 10);
	if (b < 0x80)
		return json_pack("i", b);
	if (b < 0x90)
		return take_list(r, b & 15, true, depth);
	if (b < 0xa0)
		return take_list(r, b & 15, false, depth);
	if (b < 0xc0)
		return take_str(r, b & 31);
	switch (b) {
	case 0xc2: return json_pack("b", 0);
	case 0xc3: return json_pack("b", 1);
	case 0xcc:
	case 0xcd:
	case 0xce:
	case 0xcf:
		return json_pack(
		    "I", (json_int_t)take_be(r, (size_t)1 << (b - 0xcc)));
	case 0xd9: return take_str(r, take_be(r, 1));
	case 0xdc: return take_list(r, take_be(r, 2), false, depth);
	default: break;
	}
	fail_msg("byte %02x", b);
	return NULL;
}

static uint64_t seed = 0x5eed5eed;

static uint64_t
pick(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static void
any_bytes(uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)pick(256);
}

/* Numbers of every width. */
static uint64_t
any_number(void)
{
	return (pick(UINT32_MAX) << 31 ^ pick(UINT32_MAX)) >> pick(62);
}

static struct hl_order
any_order(enum hl_tif tif)
{
	struct hl_order o = {.asset = (uint32_t)any_number(),
	    .side = pick(2) ? SIDE_BID : SIDE_ASK,
	    .px = PX((int64_t)(any_number() % PX_E8_MAX) + 1),
	    .qty = QTY((int64_t)(any_number() % QTY_E8_MAX)),
	    .tif = tif,
	    .reduce_only = pick(2),
	    .has_cloid = pick(2)};

	any_bytes(o.cloid, sizeof(o.cloid));
	if (tif != HL_ALO && pick(3) == 0) {
		o.trigger = pick(2) ? HL_TAKE_PROFIT : HL_STOP_LOSS;
		o.trigger_market = pick(2);
		o.trigger_px = PX((int64_t)(any_number() % PX_E8_MAX) + 1);
	}
	return o;
}

struct action {
	struct hl_action a;
	struct hl_order orders[HL_BATCH_MAX];
	struct hl_cancel cancels[HL_BATCH_MAX];
	struct hl_modify changes[HL_BATCH_MAX];
};

static void
any_action(struct action *x)
{
	enum hl_tif tif = (enum hl_tif)(1 + pick(HL_TIF_N - 1));

	memset(x, 0, sizeof(*x));
	x->a = (struct hl_action){
	    .kind = (enum hl_action_kind)(1 + pick(HL_ACTION_N - 1)),
	    .n = (uint16_t)(1 + pick(HL_BATCH_MAX)),
	    .orders = x->orders,
	    .cancels = x->cancels,
	    .changes = x->changes,
	    .fast = pick(2),
	    .always = pick(2),
	    .priority = pick(2) ? (uint32_t)any_number() : 0,
	    .has_builder = pick(2),
	    .builder_fee = (uint32_t)any_number(),
	    .time_ms = pick(2) ? any_number() : 0,
	    .asset = (uint32_t)any_number(),
	    .leverage = (uint32_t)pick(50) + 1,
	    .cross = pick(2),
	    .weight = (uint32_t)any_number() / 2 + 1};
	any_bytes(x->a.builder.b, sizeof(x->a.builder.b));
	if (x->a.kind == HL_MODIFY)
		x->a.n = 1;
	for (unsigned i = 0; i < x->a.n; i++) {
		x->orders[i] = any_order(tif);
		x->cancels[i] = (struct hl_cancel){
		    .asset = (uint32_t)any_number(), .oid = any_number()};
		any_bytes(x->cancels[i].cloid, HL_CLOID_SZ);
		x->changes[i] = (struct hl_modify){.by_cloid = pick(2),
		    .oid = any_number(),
		    .order = any_order(HL_ALO)};
		any_bytes(x->changes[i].cloid, HL_CLOID_SZ);
	}
}

static void
T_65_what_is_hashed_is_what_is_sent(void **state)
{
	static struct action x;
	static uint8_t mp[HL_MSGPACK_MAX];
	static char json[HL_BODY_MAX];
	unsigned seen[HL_ACTION_N] = {0};

	(void)state;
	printf("# seed %llx\n", (unsigned long long)seed);
	for (unsigned i = 0; i < 3000; i++) {
		struct hl_wire w;
		struct reader r = {.p = mp};
		json_t *hashed;
		json_t *sent;

		any_action(&x);
		if (!hl_action_ok(&x.a))
			fail_msg("action %u is refused", i);
		seen[x.a.kind]++;
		hl_wire_init(&w,
		    &(struct hl_wire_bufs){mp, sizeof(mp), json, sizeof(json)});
		assert_true(hl_action_encode(&x.a, &w));
		r.end = mp + w.mp.n;
		hashed = take(&r, 0);
		assert_ptr_equal(r.p, r.end);
		sent = json_loadb(json, w.n, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(sent);
		if (!json_equal(hashed, sent))
			fail_msg("differs: %.*s", (int)w.n, json);
		/* The order of keys is part of the hash: the JSON written
		 * again from what was hashed is the same text. */
		char *again = json_dumps(hashed, JSON_COMPACT);

		assert_int_equal(strlen(again), w.n);
		assert_memory_equal(again, json, w.n);
		free(again);
		json_decref(hashed);
		json_decref(sent);
	}
	for (unsigned k = HL_ORDER; k < HL_ACTION_N; k++)
		assert_true(seen[k] > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(T_65_what_is_hashed_is_what_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
