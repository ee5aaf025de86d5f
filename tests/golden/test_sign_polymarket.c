/* links: libsign libvenue libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libcore/fees.h"
#include "libsign/eip712.h"
#include "libsign/key.h"
#include "libsign/pm_auth.h"
#include "libsign/pm_body.h"
#include "libsign/pm_order.h"
#include "libsign/pm_v1.h"
#include "tests/golden/vectors_pm.h"

#define OWNER "3b10aacc-fde9-4836-afd3-daf1498a188b"

static json_t *root;
static struct secp secp;

static const json_t *
primitive(const char *key)
{
	return json_object_get(json_object_get(root, "primitives"), key);
}

static void
hashes(void **state)
{
	const json_t *v;
	size_t i;

	(void)state;
	need(root);
	assert_true(json_array_size(primitive("keccak256")) >= 11);
	json_array_foreach(primitive("keccak256"), i, v)
	{
		const char *s = vec_text(v, "utf8");
		uint8_t h[HASH_SZ];
		struct keccak k;

		keccak256(s, strlen(s), h);
		assert_true(vec_is_hex(v, "hash", h, sizeof(h)));
		keccak_init(&k);
		for (; *s != '\0'; s++)
			keccak_update(&k, s, 1);
		keccak_final(&k, h);
		assert_true(vec_is_hex(v, "hash", h, sizeof(h)));
	}
}

static void
addresses(void **state)
{
	const json_t *v;
	size_t i;

	(void)state;
	need(root);
	json_array_foreach(primitive("addresses"), i, v)
	{
		uint8_t key[SECP_KEY_SZ];
		uint8_t pub[1 + SECP_PUB_SZ] = {4};
		char text[ADDRESS_TEXT_MAX];
		struct address a;

		get_key(v, key);
		assert_true(secp_pubkey(&secp, key, pub + 1));
		assert_true(
		    vec_is_hex(v, "public_key_uncompressed", pub, sizeof(pub)));
		assert_true(secp_address(&secp, key, &a));
		address_format(&a, text);
		assert_true(vec_is_text(v, "address_checksum", text));
		address_format_lower(&a, text);
		assert_true(vec_is_text(v, "address_lower", text));
	}
	assert_true(i >= 3);
}

static void
token_numbers(void **state)
{
	const json_t *v;
	struct pm_asset a;
	size_t i;

	(void)state;
	need(root);
	json_array_foreach(primitive("uint256_decimal_to_be_hex"), i, v)
	{
		get_asset(vec_text(v, "decimal"), &a);
		assert_true(vec_is_hex(v, "hex", a.word, sizeof(a.word)));
	}
	assert_true(i >= 6);
	json_array_foreach(primitive("position_id_generation"), i, v)
	{
		static const uint8_t zero[8];
		bool v2;

		/* Bits 40 to 103 of a number: bytes 19 to 26 of its word. */
		get_asset(vec_text(v, "id"), &a);
		assert_true(vec_is_hex(v, "hex", a.word, sizeof(a.word)));
		v2 = memcmp(a.word + 19, zero, sizeof(zero)) == 0;
		assert_true(vec_is_text(v, "generation", v2 ? "v2" : "v1"));
	}
	assert_true(i >= 5);
}

static void
is_signature(const json_t *v, const struct sig *sig)
{
	assert_true(vec_is_hex(v, "r", sig->r, sizeof(sig->r)));
	assert_true(vec_is_hex(v, "s", sig->s, sizeof(sig->s)));
	assert_int_equal(vec_number(v, "v"), sig->v);
}

static void
signatures(void **state)
{
	const json_t *v;
	size_t i;

	(void)state;
	need(root);
	json_array_foreach(primitive("ecdsa_rfc6979_low_s"), i, v)
	{
		const char *s = vec_text(v, "digest");
		uint8_t key[SECP_KEY_SZ];
		uint8_t digest[HASH_SZ];
		uint8_t bytes[SIG_SZ];
		struct address owner;
		struct address who;
		struct sig sig;

		get_key(v, key);
		assert_true(hex_parse(s, strlen(s), digest, HASH_SZ));
		assert_true(secp_sign(&secp, key, digest, &sig));
		is_signature(v, &sig);
		sig_bytes(&sig, bytes);
		assert_true(vec_is_hex(v, "signature", bytes, SIG_SZ));
		assert_true(secp_recover(&secp, &sig, digest, &who));
		assert_true(secp_address(&secp, key, &owner));
		assert_true(address_eq(&who, &owner));
	}
	assert_true(i >= 3);
}

/* The amounts that our rules make of what was asked are those posted. */
static void
is_amounts(const json_t *in, const json_t *order, struct pm_amounts *out)
{
	bool market = strcmp(vec_text(in, "kind"), "market") == 0;
	uint32_t tick = (uint32_t)vec_scaled(vec_text(in, "tick_size"), 4);
	uint32_t px = (uint32_t)vec_scaled(vec_text(in, "price"), 4);
	enum side side = side_of(in);
	uint64_t amount;

	assert_true(pm_px_ok(px, tick));
	if (market) {
		amount = (uint64_t)vec_scaled(vec_text(in, "amount"), 2);
		assert_true(pm_market_amounts(side, px, amount, out));
	} else {
		amount = (uint64_t)vec_scaled(vec_text(in, "size"), 2);
		assert_true(pm_limit_amounts(side, px, amount, out));
		assert_true(pm_amounts_ok(PM_GTC, side, tick, out));
	}
	/* On fine ticks the venue's client gives a market order more decimals
	 * than the venue takes; there the posted amounts are its own. */
	if (market && vec_number(order, "takerAmount") % 100 != 0) {
		assert_false(pm_amounts_ok(PM_FAK, side, tick,
		    &(struct pm_amounts){vec_number(order, "makerAmount"),
			vec_number(order, "takerAmount")}));
		out->taker = vec_number(order, "takerAmount");
	}
	assert_int_equal(out->maker, vec_number(order, "makerAmount"));
	assert_int_equal(out->taker, vec_number(order, "takerAmount"));
}

static struct pm_exchange
exchange_of(const json_t *v)
{
	const json_t *d = json_object_get(v, "domain");
	struct address contract = get_address(d, "verifyingContract");
	enum pm_generation g =
	    (enum pm_generation)(vec_text(d, "version")[0] - '0');
	bool neg = vec_true(json_object_get(v, "input"), "neg_risk");
	struct pm_exchange x;

	assert_true(
	    pm_exchange_init(&x, g, neg, (uint32_t)vec_number(d, "chainId")));
	assert_true(address_eq(&x.contract, &contract));
	assert_true(vec_is_hex(v, "domain_separator", x.separator, HASH_SZ));
	return x;
}

static void
one_v1(const json_t *v)
{
	const json_t *o = json_object_get(v, "order");
	const json_t *in = json_object_get(v, "input");
	struct pm_exchange x = exchange_of(v);
	struct pm_v1_post post = {.owner = OWNER,
	    .tif = tif_of(vec_text(in, "order_type")),
	    .post_only = vec_true(in, "post_only")};
	struct pm_v1_order order = {.salt = vec_number(o, "salt"),
	    .maker = get_address(o, "maker"),
	    .signer = get_address(o, "signer"),
	    .taker = get_address(o, "taker"),
	    .expiration_s = vec_number(o, "expiration"),
	    .nonce = vec_number(o, "nonce"),
	    .fee_bps = vec_number(o, "feeRateBps"),
	    .side = side_of(o),
	    .sig_type = (uint8_t)vec_number(o, "signatureType")};
	struct pm_asset asset;
	struct pm_signed s;
	uint8_t key[SECP_KEY_SZ];
	char body[PM_BODY_MAX];
	size_t n;

	get_asset(vec_text(o, "tokenId"), &asset);
	order.asset = &asset;
	is_amounts(in, o, &order.amounts);
	get_key(v, key);
	assert_true(pm_v1_sign(&x, &secp, key, &order, &s));
	assert_true(vec_is_hex(v, "struct_hash", s.contents, HASH_SZ));
	assert_true(vec_is_hex(v, "order_hash", s.id, HASH_SZ));
	is_signature(v, &s.sig);
	n = pm_v1_body(&order, &s, &post, body);
	assert_int_equal(n, strlen(body));
	assert_true(vec_is_text(v, "post_body", body));
}

/* The signature as the venue gets it, and whose it is. */
static void
is_signer(
    const json_t *v, const struct pm_template *t, const struct pm_order *order)
{
	const char *hex = vec_text(v, "signature");
	size_t n = (strlen(hex) - 2) / 2;
	struct address eoa = get_address(v, "eoa_address");
	struct address who;
	struct pm_signed s;
	uint8_t sig[PM_SIG_SZ_MAX];

	assert_true(n <= sizeof(sig));
	assert_true(hex_parse(hex, strlen(hex), sig, n));
	assert_true(pm_order_signer(
	    t, &secp, order, &(struct pm_signature){sig, n}, &s, &who));
	assert_true(address_eq(&who, &eoa));
	assert_true(vec_is_hex(v, "order_hash", s.id, HASH_SZ));
}

static void
one_order(const json_t *v)
{
	const json_t *o = json_object_get(v, "order");
	const json_t *in = json_object_get(v, "input");
	struct pm_exchange x = exchange_of(v);
	struct pm_account account = {.maker = get_address(o, "maker"),
	    .signer = get_address(o, "signer"),
	    .sig_type = (uint8_t)vec_number(o, "signatureType"),
	    .owner = OWNER};
	struct pm_order order = {.salt = vec_number(o, "salt"),
	    .side = side_of(o),
	    .tif = tif_of(vec_text(in, "order_type")),
	    .post_only = vec_true(in, "post_only"),
	    .timestamp_ms = vec_number(o, "timestamp"),
	    .expiration_s = vec_number(o, "expiration")};
	const char *builder = vec_text(o, "builder");
	const char *metadata = vec_text(o, "metadata");
	struct pm_template t;
	struct pm_asset asset;
	struct pm_signed s;
	uint8_t key[SECP_KEY_SZ];
	char body[PM_BODY_MAX];
	size_t n;

	assert_true(
	    hex_parse(builder, strlen(builder), account.builder, HASH_SZ));
	assert_true(
	    hex_parse(metadata, strlen(metadata), account.metadata, HASH_SZ));
	get_asset(vec_text(o, "tokenId"), &asset);
	order.asset = &asset;
	is_amounts(in, o, &order.amounts);
	get_key(v, key);
	assert_true(pm_template_init(&t, &x, &account));
	assert_true(vec_is_hex(v, "type_hash", t.words[0], HASH_SZ));
	assert_true(pm_order_sign(&t, &secp, key, &order, &s));
	assert_true(vec_is_hex(v, "struct_hash", s.contents, HASH_SZ));
	assert_true(vec_is_hex(v, "order_hash", s.id, HASH_SZ));
	is_signature(v, &s.sig);
	n = pm_order_body(&t, &order, &s, body);
	assert_int_equal(n, strlen(body));
	assert_true(vec_is_text(v, "post_body", body));
	is_signer(v, &t, &order);
}

static void
T_12_every_kind_of_order(void **state)
{
	const json_t *v;
	unsigned seen[PM_EXCHANGE_N] = {0};
	size_t i;

	(void)state;
	need(root);
	json_array_foreach(json_object_get(root, "orders"), i, v)
	{
		unsigned g = (unsigned)(vec_text(v, "generation")[1] - '0');

		assert_in_range(g, 1, 3);
		seen[g]++;
		if (g == PM_EXCHANGE_V1)
			one_v1(v);
		else
			one_order(v);
	}
	assert_int_equal(seen[PM_EXCHANGE_V1], 3);
	assert_int_equal(seen[PM_EXCHANGE_V2], 17);
	assert_int_equal(seen[PM_EXCHANGE_V3], 2);
}

static void
logins(void **state)
{
	const json_t *v;
	size_t i;

	(void)state;
	need(root);
	json_array_foreach(json_object_get(root, "clob_auth"), i, v)
	{
		const json_t *m = json_object_get(v, "message");
		const json_t *h = json_object_get(v, "headers");
		const char *stamp = vec_text(m, "timestamp");
		struct pm_l1_args args = {.now_s = vec_number(m, "timestamp"),
		    .nonce = vec_number(m, "nonce"),
		    .chain_id = (uint32_t)vec_number(
			json_object_get(v, "domain"), "chainId")};
		struct pm_l1_claim claim = {get_address(m, "address"), stamp,
		    args.nonce, args.chain_id};
		uint8_t key[SECP_KEY_SZ];
		uint8_t digest[HASH_SZ];
		struct pm_l1 l1;

		get_key(v, key);
		pm_l1_digest(&claim, digest);
		assert_true(vec_is_hex(v, "digest", digest, HASH_SZ));
		assert_true(pm_l1_sign(&secp, key, &args, &l1));
		assert_true(vec_is_text(v, "signature", l1.signature));
		assert_true(vec_is_text(h, "POLY_ADDRESS", l1.address));
		assert_true(vec_is_text(h, "POLY_SIGNATURE", l1.signature));
		assert_true(vec_is_text(h, "POLY_TIMESTAMP", l1.timestamp));
		assert_true(vec_is_text(h, "POLY_NONCE", l1.nonce));
		assert_true(pm_l1_ok(&secp, &claim, l1.signature));
		claim.nonce++;
		assert_false(pm_l1_ok(&secp, &claim, l1.signature));
	}
	assert_true(i >= 3);
}

static void
one_call(const json_t *v)
{
	const json_t *h = json_object_get(v, "headers");
	const char *body = vec_text(v, "body");
	struct address signer = get_address(h, "POLY_ADDRESS");
	struct pm_creds_text text = {&signer, vec_text(h, "POLY_API_KEY"),
	    vec_text(v, "secret"), vec_text(h, "POLY_PASSPHRASE")};
	struct pm_call call = {vec_text(v, "method"),
	    vec_text(v, "request_path"), body, strlen(body)};
	uint8_t secret[64];
	uint8_t mac[HMAC_SZ];
	char want[PM_HEADERS_MAX];
	char got[PM_HEADERS_MAX];
	struct pm_creds c;
	struct pm_l2 l2;
	struct hmac raw;
	long n = base64_parse(
	    text.secret, strlen(text.secret), secret, sizeof(secret));

	assert_true(n > 0);
	assert_true(vec_is_hex(v, "secret_bytes_hex", secret, (size_t)n));
	hmac_init(&raw, secret, (size_t)n);
	hmac_sign(&raw,
	    &(struct hmac_part){
		vec_text(v, "prehash"), strlen(vec_text(v, "prehash"))},
	    1, mac);
	assert_true(vec_is_hex(v, "hmac_sha256_hex", mac, sizeof(mac)));
	assert_true(pm_creds_init(&c, &text));
	pm_l2_sign(&c, vec_number(v, "timestamp"), &call, &l2);
	assert_true(vec_is_text(v, "signature", l2.signature));
	assert_true(pm_l2_ok(&c, l2.timestamp, &call, l2.signature));
	assert_false(pm_l2_ok(&c, "1790000000", &call, l2.signature));
	snprintf(want, sizeof(want),
	    "POLY_ADDRESS: %s\r\nPOLY_SIGNATURE: %s\r\nPOLY_TIMESTAMP: %s\r\n"
	    "POLY_API_KEY: %s\r\nPOLY_PASSPHRASE: %s\r\n",
	    vec_text(h, "POLY_ADDRESS"), vec_text(h, "POLY_SIGNATURE"),
	    vec_text(h, "POLY_TIMESTAMP"), vec_text(h, "POLY_API_KEY"),
	    vec_text(h, "POLY_PASSPHRASE"));
	assert_int_equal(pm_l2_headers(&c, &l2, got), strlen(want));
	assert_string_equal(got, want);
}

static void
calls(void **state)
{
	const json_t *v;
	size_t i;

	(void)state;
	need(root);
	json_array_foreach(json_object_get(root, "l2_hmac"), i, v) one_call(v);
	assert_true(i >= 11);
}

static const json_t *
call_named(const char *name)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(root, "l2_hmac"), i,
	    v) if (strcmp(vec_text(v, "name"), name) == 0) return v;
	fail_msg("no call %s", name);
	return NULL;
}

/* Bodies of calls: made by us from the parts, compared with the vectors. */
static void
bodies(void **state)
{
	const json_t *orders;
	uint8_t id[2][HASH_SZ];
	char buf[2 * PM_BODY_MAX];
	struct pm_batch b;
	const char *text;

	(void)state;
	need(root);
	orders = json_object_get(root, "orders");
	text = vec_text(call_named("delete-orders"), "body");
	assert_true(hex_parse(text + 2, 66, id[0], HASH_SZ));
	assert_true(hex_parse(text + 71, 66, id[1], HASH_SZ));
	assert_true(pm_cancels_body((const uint8_t(*)[HASH_SZ])id, 2, buf,
			sizeof(buf)) > 0);
	assert_true(vec_is_text(call_named("delete-orders"), "body", buf));
	assert_true(pm_cancel_body(id[0], buf, sizeof(buf)) > 0);
	assert_true(vec_is_text(call_named("delete-order"), "body", buf));
	assert_true(pm_cancel_market_body("0x2346065a33793f56fd7a1eb42aa1fef675"
					  "19c83d0539d70adc05287b3e7f18c8",
			NULL, buf, sizeof(buf)) > 0);
	assert_true(
	    vec_is_text(call_named("cancel-market-orders"), "body", buf));
	assert_true(pm_heartbeat_body("", buf, sizeof(buf)) > 0);
	assert_true(vec_is_text(call_named("heartbeat-first"), "body", buf));
	pm_batch_begin(&b, buf, sizeof(buf));
	for (size_t i = 0; i < 2; i++) {
		text = vec_text(json_array_get(orders, i), "post_body");
		assert_true(pm_batch_add(&b, text, strlen(text)));
	}
	assert_true(pm_batch_end(&b) > 0);
	assert_true(vec_is_text(call_named("post-orders-batch"), "body", buf));
}

static void
amounts(void **state)
{
	const json_t *v;
	struct pm_amounts a;
	size_t i;

	(void)state;
	need(root);
	json_array_foreach(json_object_get(root, "limit_amounts"), i, v)
	{
		uint32_t px = (uint32_t)vec_scaled(vec_text(v, "price"), 4);

		assert_true(pm_limit_amounts(side_of(v), px,
		    (uint64_t)vec_scaled(vec_text(v, "size"), 2), &a));
		assert_int_equal(a.maker, vec_number(v, "makerAmount"));
		assert_int_equal(a.taker, vec_number(v, "takerAmount"));
		assert_true(pm_amounts_ok(PM_GTD, side_of(v),
		    (uint32_t)vec_scaled(vec_text(v, "tick_size"), 4), &a));
	}
	assert_true(i >= 14);
	json_array_foreach(json_object_get(root, "market_amounts"), i, v)
	{
		const json_t *up = json_object_get(v, "up_4dp");
		uint32_t px = (uint32_t)vec_scaled(vec_text(v, "price"), 4);

		assert_true(pm_market_amounts(side_of(v), px,
		    (uint64_t)vec_scaled(vec_text(v, "amount"), 2), &a));
		assert_int_equal(a.maker, vec_number(up, "makerAmount"));
		assert_int_equal(a.taker, vec_number(up, "takerAmount"));
	}
	assert_true(i >= 8);
}

static void
taker_fees(void **state)
{
	const json_t *v;
	size_t i;

	(void)state;
	need(root);
	json_array_foreach(json_object_get(root, "taker_fees"), i, v)
	{
		usd_t fee = fee_binary(PX(vec_scaled(vec_text(v, "price"), 8)),
		    QTY(vec_scaled(vec_text(v, "shares"), 8)),
		    (uint32_t)vec_scaled(vec_text(v, "rate"), 6));

		assert_int_equal(
		    fee.e6, vec_scaled(vec_text(v, "fee_rounded_5dp"), 6));
	}
	assert_true(i >= 7);
}

int
main(void)
{
	static const uint8_t seed[32] = {7};
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hashes),
	    cmocka_unit_test(addresses),
	    cmocka_unit_test(token_numbers),
	    cmocka_unit_test(signatures),
	    cmocka_unit_test(T_12_every_kind_of_order),
	    cmocka_unit_test(logins),
	    cmocka_unit_test(calls),
	    cmocka_unit_test(bodies),
	    cmocka_unit_test(amounts),
	    cmocka_unit_test(taker_fees),
	};
	int failed;

	secp_init(&secp, seed);
	root = vec_load("polymarket.json");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(root);
	secp_close(&secp);
	return failed;
}
