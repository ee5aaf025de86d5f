/* links: libsign libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libsign/eip712.h"
#include "libsign/hl_action.h"
#include "libsign/hl_num.h"
#include "tests/golden/vectors.h"

static json_t *root;
static json_t *clients;
static struct secp secp;

/* Room for any action read from the vectors. */
struct actions {
	struct hl_action action;
	struct hl_order orders[HL_BATCH_MAX];
	struct hl_cancel cancels[HL_BATCH_MAX];
	struct hl_modify changes[HL_BATCH_MAX];
};

static void
need(const json_t *v)
{
	if (v == NULL)
		skip();
}

/* Any JSON through the two encodings at once; deep enough for actions. */
static void
walk(struct hl_wire *w, const json_t *v)
{
	const char *key;
	json_t *x;
	size_t i;

	if (json_is_object(v)) {
		hl_wire_map(w, (uint16_t)json_object_size(v));
		json_object_foreach((json_t *)(uintptr_t)v, key, x)
		{
			hl_wire_key(w, key);
			walk(w, x);
		}
	} else if (json_is_array(v)) {
		hl_wire_array(w, (uint16_t)json_array_size(v));
		json_array_foreach(v, i, x) walk(w, x);
	} else if (json_is_string(v)) {
		hl_wire_text(w, json_string_value(v));
	} else if (json_is_boolean(v)) {
		hl_wire_bool(w, json_is_true(v));
	} else {
		assert_true(json_is_integer(v));
		hl_wire_int(w, json_integer_value(v));
	}
}

static void
read_cloid(const char *s, uint8_t out[HL_CLOID_SZ])
{
	assert_true(hex_parse(s, strlen(s), out, HL_CLOID_SZ));
}

static void
read_order(const json_t *v, struct hl_order *o)
{
	static const char *const tifs[HL_TIF_N] = {NULL, "Alo", "Ioc", "Gtc"};
	const json_t *t = json_object_get(v, "t");
	const json_t *trigger = json_object_get(t, "trigger");
	const char *tif = vec_text(json_object_get(t, "limit"), "tif");
	const char *cloid = vec_text(v, "c");

	*o = (struct hl_order){.asset = (uint32_t)vec_number(v, "a"),
	    .side = vec_true(v, "b") ? SIDE_BID : SIDE_ASK,
	    .px = PX(vec_scaled(vec_text(v, "p"), 8)),
	    .qty = QTY(vec_scaled(vec_text(v, "s"), 8)),
	    .reduce_only = vec_true(v, "r"),
	    .has_cloid = cloid[0] != '\0'};
	if (o->has_cloid)
		read_cloid(cloid, o->cloid);
	for (unsigned i = HL_ALO; i < HL_TIF_N; i++)
		if (strcmp(tif, tifs[i]) == 0)
			o->tif = (enum hl_tif)i;
	if (trigger == NULL)
		return;
	o->trigger = strcmp(vec_text(trigger, "tpsl"), "sl") == 0
			 ? HL_STOP_LOSS
			 : HL_TAKE_PROFIT;
	o->trigger_market = vec_true(trigger, "isMarket");
	o->trigger_px = PX(vec_scaled(vec_text(trigger, "triggerPx"), 8));
}

static void
read_change(const json_t *v, struct hl_modify *m)
{
	const json_t *oid = json_object_get(v, "oid");

	*m = (struct hl_modify){.by_cloid = json_is_string(oid)};
	if (m->by_cloid)
		read_cloid(json_string_value(oid), m->cloid);
	else
		m->oid = vec_number(v, "oid");
	read_order(json_object_get(v, "order"), &m->order);
}

static void
read_cancel(const json_t *v, struct hl_cancel *c)
{
	bool by_cloid = json_object_get(v, "cloid") != NULL;

	*c = (struct hl_cancel){.oid = vec_number(v, "o")};
	c->asset = (uint32_t)vec_number(v, by_cloid ? "asset" : "a");
	if (by_cloid)
		read_cloid(vec_text(v, "cloid"), c->cloid);
}

static void
read_batch(const json_t *v, struct actions *out)
{
	struct hl_action *a = &out->action;
	const json_t *builder = json_object_get(v, "builder");
	const char *list[] = {"orders", "cancels", "modifies"};
	const json_t *x;
	size_t i;

	for (unsigned k = 0; k < 3; k++)
		json_array_foreach(json_object_get(v, list[k]), i, x)
		{
			assert_true(i < HL_BATCH_MAX);
			a->n++;
			if (k == 0)
				read_order(x, &out->orders[i]);
			else if (k == 1)
				read_cancel(x, &out->cancels[i]);
			else
				read_change(x, &out->changes[i]);
		}
	a->priority = (uint32_t)vec_number(json_object_get(v, "grouping"), "p");
	a->has_builder = builder != NULL;
	if (builder != NULL) {
		const char *s = vec_text(builder, "b");

		assert_true(address_parse(s, strlen(s), &a->builder));
		a->builder_fee = (uint32_t)vec_number(builder, "f");
	}
}

/* An action of ours from JSON; false for a kind that we do not have. */
static bool
read_action(const json_t *v, struct actions *out)
{
	struct hl_action *a = &out->action;

	memset(out, 0, sizeof(*out));
	a->orders = out->orders;
	a->cancels = out->cancels;
	a->changes = out->changes;
	for (enum hl_action_kind k = HL_ORDER; k < HL_ACTION_N; k++)
		if (strcmp(vec_text(v, "type"), hl_action_name(k)) == 0)
			a->kind = k;
	if (a->kind == 0)
		return false;
	read_batch(v, out);
	if (a->kind == HL_MODIFY) {
		a->n = 1;
		read_change(v, &out->changes[0]);
	}
	a->fast = vec_true(v, "f");
	a->always = vec_true(v, "a");
	a->time_ms = vec_number(v, "time");
	a->asset = (uint32_t)vec_number(v, "asset");
	a->leverage = (uint32_t)vec_number(v, "leverage");
	a->cross = vec_true(v, "isCross");
	a->weight = (uint32_t)vec_number(v, "weight");
	return true;
}

static struct hl_meta
read_meta(const json_t *v, const char *vault_key, const char *expires_key)
{
	const char *vault = vec_text(v, vault_key);
	struct hl_meta m = {.nonce = vec_number(v, "nonce"),
	    .expires_ms = vec_number(v, expires_key)};

	m.has_vault = vault[0] != '\0';
	if (m.has_vault)
		assert_true(address_parse(vault, strlen(vault), &m.vault));
	return m;
}

struct walked {
	uint8_t mp[HL_MSGPACK_MAX];
	char json[HL_BODY_MAX];
	struct hl_wire w;
};

static void
encode_walk(const json_t *action, struct walked *out)
{
	hl_wire_init(&out->w, &(struct hl_wire_bufs){out->mp, sizeof(out->mp),
				  out->json, sizeof(out->json) - 1});
	walk(&out->w, action);
	assert_true(hl_wire_end(&out->w));
	out->json[out->w.n] = '\0';
}

/* Numbers as we would write them: no zeros at the end of a fraction. */
static void
normalise(json_t *action)
{
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(action, "orders"), i, o)
	{
		char text[FIXED_TEXT_MAX];

		fixed_format(vec_scaled(vec_text(o, "s"), 8), 8, text);
		json_object_set_new(o, "s", json_pack("s", text));
	}
}

static void
is_rs(const json_t *v, const struct sig *sig)
{
	const json_t *want = json_object_get(v, "signature");

	assert_true(vec_is_hex(want, "r", sig->r, sizeof(sig->r)));
	assert_true(vec_is_hex(want, "s", sig->s, sizeof(sig->s)));
	assert_int_equal(vec_number(want, "v"), sig->v);
}

/* The vector's own text through the encoder, hash by hash. */
static void
is_vector(const json_t *v, const struct hl_meta *meta, const uint8_t *key)
{
	static struct walked x;
	bool mainnet = strcmp(vec_text(v, "network"), "mainnet") == 0;
	uint8_t id[HASH_SZ];
	uint8_t digest[HASH_SZ];
	struct sig sig;

	encode_walk(json_object_get(v, "action"), &x);
	assert_true(vec_is_hex(v, "msgpack", x.mp, x.w.mp.n));
	assert_true(vec_is_text(v, "action_json", x.json));
	hl_connection_id(x.mp, x.w.mp.n, meta, id);
	assert_true(vec_is_hex(v, "connection_id", id, HASH_SZ));
	hl_agent_digest(mainnet, id, digest);
	assert_true(vec_is_hex(v, "digest", digest, HASH_SZ));
	assert_true(secp_sign(&secp, key, digest, &sig));
	is_rs(v, &sig);
}

static void
T_65_every_signed_action(void **state)
{
	const json_t *v;
	unsigned exact = 0;
	size_t i;

	(void)state;
	need(root);
	json_array_foreach(json_object_get(root, "l1"), i, v)
	{
		static struct actions a;
		static struct walked x;
		const char *hex = vec_text(v, "private_key");
		json_t *action = json_deep_copy(json_object_get(v, "action"));
		struct hl_meta meta =
		    read_meta(v, "vault_address", "expires_after");
		uint8_t key[SECP_KEY_SZ];
		char body[HL_BODY_MAX];
		struct sig sig;
		struct hl_signer s = {.secp = &secp, .key = key};
		struct hl_request r = {
		    .action = &a.action, .meta = &meta, .sig = &sig};
		bool ours = read_action(action, &a);
		size_t n;

		assert_true(hex_parse(hex, strlen(hex), key, SECP_KEY_SZ));
		is_vector(v, &meta, key);
		s.mainnet = strcmp(vec_text(v, "network"), "mainnet") == 0;
		if (ours) {
			/* The typed action gives the text's bytes, once the
			 * text has no zeros at the end. */
			normalise(action);
			encode_walk(action, &x);
			n = hl_request(&s, &r, body);
			assert_true(n > 0);
			assert_int_equal(n, strlen(body));
			assert_memory_equal(body + 10, x.json, x.w.n);
			if (json_equal(action, json_object_get(v, "action"))) {
				exact++;
				is_rs(v, &sig);
				assert_true(vec_is_text(v, "http_body", body));
			}
		}
		json_decref(action);
	}
	assert_int_equal(i, 30);
	/* All but three of another kind and one whose text has such zeros. */
	assert_int_equal(exact, 26);
}

static void
frame_of_a_post(void **state)
{
	static struct actions a;
	const json_t *example;
	const json_t *v;
	size_t i;

	(void)state;
	need(root);
	example = json_object_get(root, "ws_post_example");
	json_array_foreach(json_object_get(root, "l1"), i, v)
	{
		const char *hex = vec_text(v, "private_key");
		struct hl_meta meta =
		    read_meta(v, "vault_address", "expires_after");
		struct hl_request r = {
		    .action = &a.action, .meta = &meta, .post_id = 256};
		uint8_t key[SECP_KEY_SZ];
		char body[HL_BODY_MAX];
		struct hl_signer s = {&secp, key, true};

		if (strcmp(vec_text(v, "name"), vec_text(example, "vector")) !=
		    0)
			continue;
		assert_true(hex_parse(hex, strlen(hex), key, SECP_KEY_SZ));
		assert_true(read_action(json_object_get(v, "action"), &a));
		assert_true(hl_request(&s, &r, body) > 0);
		assert_true(vec_is_text(example, "frame", body));
		return;
	}
	fail_msg("no vector for the example");
}

static void
constants(void **state)
{
	const json_t *c;
	struct eip712_domain d = {.name = "Exchange",
	    .version = "1",
	    .chain_id = 1337,
	    .has_contract = true};
	uint8_t h[HASH_SZ];

	(void)state;
	need(root);
	c = json_object_get(root, "constants");
	eip712_separator(&d, h);
	assert_true(vec_is_hex(c, "exchange_domain_separator", h, HASH_SZ));
	word_text(h, "EIP712Domain(string name,string version,uint256 chainId,"
		     "address verifyingContract)");
	assert_true(vec_is_hex(c, "eip712_domain_typehash", h, HASH_SZ));
	word_text(h, "Agent(string source,bytes32 connectionId)");
	assert_true(vec_is_hex(c, "agent_typehash", h, HASH_SZ));
	word_text(h, "a");
	assert_true(vec_is_hex(c, "keccak_source_a", h, HASH_SZ));
	word_text(h, "b");
	assert_true(vec_is_hex(c, "keccak_source_b", h, HASH_SZ));
	hl_user_separator(0x66eee, h);
	assert_true(
	    vec_is_hex(c, "user_domain_separator_chain_0x66eee", h, HASH_SZ));
	hl_user_separator(0xa4b1, h);
	assert_true(
	    vec_is_hex(c, "user_domain_separator_chain_0xa4b1", h, HASH_SZ));
}

/* The digest of a transfer, which is not ours to send, from its type. */
static void
transfer_digest(const json_t *v, const json_t *a, uint8_t out[HASH_SZ])
{
	uint8_t separator[HASH_SZ];
	uint8_t w[5][HASH_SZ];

	word_text(w[0], vec_text(v, "type_string"));
	assert_true(vec_is_hex(v, "type_hash", w[0], HASH_SZ));
	word_text(w[1], vec_text(a, "hyperliquidChain"));
	word_text(w[2], vec_text(a, "destination"));
	word_text(w[3], vec_text(a, "amount"));
	word_u64(w[4], vec_number(a, "time"));
	keccak256(w, sizeof(w), out);
	assert_true(vec_is_hex(v, "struct_hash", out, HASH_SZ));
	hl_user_separator(vec_number(v, "domain_chain_id"), separator);
	assert_true(vec_is_hex(v, "domain_separator", separator, HASH_SZ));
	eip712_digest(separator, out, out);
}

static void
is_agent(const json_t *v, const json_t *a, const uint8_t *key)
{
	const char *who = vec_text(a, "agentAddress");
	bool mainnet = strcmp(vec_text(a, "hyperliquidChain"), "Mainnet") == 0;
	struct hl_signer s = {&secp, key, mainnet};
	struct hl_agent agent = {.name = vec_text(a, "agentName"),
	    .nonce = vec_number(a, "nonce"),
	    .chain_id = strtoull(vec_text(a, "signatureChainId"), NULL, 16)};
	json_t *want = json_deep_copy(a);
	char body[HL_BODY_MAX];
	const json_t *sig;
	json_t *got;

	assert_true(address_parse(who, strlen(who), &agent.address));
	assert_true(hl_approve_agent(&s, &agent, body) > 0);
	got = json_loads(body, 0, NULL);
	if (agent.name[0] == '\0')
		json_object_del(want, "agentName");
	assert_true(json_equal(json_object_get(got, "action"), want));
	assert_int_equal(vec_number(got, "nonce"), agent.nonce);
	sig = json_object_get(v, "signature");
	assert_true(json_equal(json_object_get(got, "signature"), sig));
	json_decref(want);
	json_decref(got);
}

static void
signed_by_the_user(void **state)
{
	const json_t *v;
	size_t i;

	(void)state;
	need(root);
	json_array_foreach(json_object_get(root, "user_signed"), i, v)
	{
		const json_t *a = json_object_get(v, "action");
		const char *hex = vec_text(v, "private_key");
		uint8_t key[SECP_KEY_SZ];
		uint8_t digest[HASH_SZ];
		struct sig sig;

		assert_true(hex_parse(hex, strlen(hex), key, SECP_KEY_SZ));
		if (strcmp(vec_text(a, "type"), "approveAgent") == 0) {
			is_agent(v, a, key);
			continue;
		}
		transfer_digest(v, a, digest);
		assert_true(vec_is_hex(v, "digest", digest, HASH_SZ));
		assert_true(secp_sign(&secp, key, digest, &sig));
		is_rs(v, &sig);
	}
	assert_int_equal(i, 4);
}

/* None of the usual mistakes is ours. */
static void
T_65_no_wrong_hash_is_ours(void **state)
{
	const json_t *d;
	const json_t *v;
	size_t i;

	(void)state;
	need(root);
	d = json_object_get(root, "diagnosis");
	json_array_foreach(json_object_get(root, "l1"), i, v)
	{
		static struct walked x;
		struct hl_meta meta =
		    read_meta(v, "vault_address", "expires_after");
		uint8_t id[HASH_SZ];
		char text[2 + 2 * HASH_SZ + 1] = "0x";
		const json_t *wrong;
		size_t k;

		if (strcmp(vec_text(v, "name"), vec_text(d, "base")) != 0)
			continue;
		encode_walk(json_object_get(v, "action"), &x);
		hl_connection_id(x.mp, x.w.mp.n, &meta, id);
		*hex_put(text + 2, id, HASH_SZ) = '\0';
		json_array_foreach(json_object_get(d, "wrong_hashes"), k, wrong)
		    assert_string_not_equal(
			vec_text(wrong, "connection_id"), text);
		assert_int_equal(k, 8);
		return;
	}
	fail_msg("no base for the diagnosis");
}

static void
hashes(void **state)
{
	const json_t *v;
	size_t i;

	(void)state;
	need(root);
	json_array_foreach(json_object_get(root, "keccak256"), i, v)
	{
		const char *hex = vec_text(v, "input_hex");
		uint8_t in[400];
		uint8_t h[HASH_SZ];
		size_t n = strlen(hex) / 2;

		assert_true(n <= sizeof(in));
		assert_true(hex_parse(hex, 2 * n, in, n));
		for (size_t cut = 0; cut <= n; cut++) {
			struct keccak k;

			keccak_init(&k);
			keccak_update(&k, in, cut);
			keccak_update(&k, in + cut, n - cut);
			keccak_final(&k, h);
			assert_true(vec_is_hex(v, "keccak256", h, HASH_SZ));
		}
	}
	assert_int_equal(i, 6);
}

static void
T_65_shortest_decimals(void **state)
{
	const json_t *v;
	size_t i;

	(void)state;
	need(root);
	json_array_foreach(json_object_get(root, "decimal_wire"), i, v)
	{
		char text[FIXED_TEXT_MAX];

		fixed_format(strtoll(vec_text(v, "mantissa"), NULL, 10),
		    (unsigned)vec_number(v, "scale"), text);
		assert_true(vec_is_text(v, "wire", text));
	}
	assert_int_equal(i, 12);
}

static void
T_66_prices_and_sizes(void **state)
{
	const json_t *v;
	size_t i;

	(void)state;
	need(root);
	json_array_foreach(json_object_get(root, "price_check"), i, v)
	{
		struct hl_grid c = {(uint8_t)vec_number(v, "sz_decimals"),
		    strcmp(vec_text(v, "kind"), "spot") == 0};
		px_t px = PX(vec_scaled(vec_text(v, "px"), 8));

		assert_int_equal(hl_px_ok(&c, px), vec_true(v, "valid"));
	}
	assert_int_equal(i, 17);
	json_array_foreach(json_object_get(root, "size_check"), i, v)
	{
		struct hl_grid c = {
		    (uint8_t)vec_number(v, "sz_decimals"), false};
		qty_t qty = QTY(vec_scaled(vec_text(v, "sz"), 8));

		assert_int_equal(hl_qty_ok(&c, qty), vec_true(v, "valid"));
	}
	assert_int_equal(i, 6);
}

/* What other clients produced with one key. */
static void
client_actions(void **state)
{
	const json_t *v;
	const char *hex;
	uint8_t key[SECP_KEY_SZ];
	size_t i;

	(void)state;
	need(clients);
	hex = vec_text(clients, "private_key");
	assert_true(hex_parse(hex, strlen(hex), key, SECP_KEY_SZ));
	json_array_foreach(
	    json_object_get(json_object_get(clients, "hyperliquid"), "l1"), i,
	    v)
	{
		static struct actions a;
		const char *want = vec_text(v, "action");
		json_t *action = json_loads(want, 0, NULL);
		struct hl_meta meta =
		    read_meta(v, "vaultAddress", "expiresAfter");
		struct hl_signer s = {&secp, key, !vec_true(v, "testnet")};
		struct sig sig;
		struct hl_request r = {
		    .action = &a.action, .meta = &meta, .sig = &sig};
		char body[HL_BODY_MAX];

		assert_true(read_action(action, &a));
		if (hl_action_ok(&a.action)) {
			assert_true(hl_request(&s, &r, body) > 0);
			assert_memory_equal(body + 10, want, strlen(want));
			is_rs(v, &sig);
		} else {
			/* Post-only with others in one batch is not ours; its
			 * text alone is hashed. */
			static struct walked x;
			uint8_t id[HASH_SZ];

			assert_string_equal(vec_text(v, "name"), "order_batch");
			encode_walk(action, &x);
			assert_string_equal(x.json, want);
			hl_connection_id(x.mp, x.w.mp.n, &meta, id);
			assert_true(
			    vec_is_hex(v, "connection_id", id, HASH_SZ));
		}
		json_decref(action);
	}
	assert_true(i >= 66);
}

int
main(void)
{
	static const uint8_t seed[32] = {9};
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(T_65_every_signed_action),
	    cmocka_unit_test(frame_of_a_post),
	    cmocka_unit_test(constants),
	    cmocka_unit_test(signed_by_the_user),
	    cmocka_unit_test(T_65_no_wrong_hash_is_ours),
	    cmocka_unit_test(hashes),
	    cmocka_unit_test(T_65_shortest_decimals),
	    cmocka_unit_test(T_66_prices_and_sizes),
	    cmocka_unit_test(client_actions),
	};
	int failed;

	secp_init(&secp, seed);
	root = vec_load("hyperliquid.json");
	clients = vec_load("clients.json");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(root);
	json_decref(clients);
	secp_close(&secp);
	return failed;
}
