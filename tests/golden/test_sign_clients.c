/* links: libsign libvenue libcore */
/*
 * What the venue's own clients produced with one well-known key.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libsign/pm_auth.h"
#include "libsign/pm_order.h"
#include "libsign/pm_v1.h"
#include "tests/golden/vectors_pm.h"

static json_t *clients;
static struct secp secp;

/* An order of the dead exchange as its clients made it. */
static void
client_v1(const json_t *v, const json_t *post)
{
	const json_t *o = json_object_get(post, "order");
	struct address contract = get_address(v, "verifying_contract");
	struct pm_v1_post how = {.owner = vec_text(post, "owner"),
	    .tif = tif_of(vec_text(post, "orderType")),
	    .post_only = vec_true(post, "postOnly")};
	struct pm_v1_order order = {.salt = vec_number(o, "salt"),
	    .maker = get_address(o, "maker"),
	    .signer = get_address(o, "signer"),
	    .taker = get_address(o, "taker"),
	    .amounts = {vec_number(o, "makerAmount"),
		vec_number(o, "takerAmount")},
	    .expiration_s = vec_number(o, "expiration"),
	    .nonce = vec_number(o, "nonce"),
	    .fee_bps = vec_number(o, "feeRateBps"),
	    .side = side_of(o),
	    .sig_type = (uint8_t)vec_number(o, "signatureType")};
	struct pm_exchange x;
	struct pm_asset asset;
	struct pm_signed s;
	uint8_t key[SECP_KEY_SZ];
	char body[PM_BODY_MAX];

	get_key(clients, key);
	get_asset(vec_text(o, "tokenId"), &asset);
	order.asset = &asset;
	pm_exchange_at(&x, PM_EXCHANGE_V1, PM_CHAIN_POLYGON, &contract);
	assert_true(pm_v1_sign(&x, &secp, key, &order, &s));
	assert_true(vec_is_hex(v, "order_hash", s.id, HASH_SZ));
	pm_v1_body(&order, &s, &how, body);
	assert_true(vec_is_text(v, "body", body));
}

static void
client_order(const json_t *v, const json_t *post)
{
	const json_t *o = json_object_get(post, "order");
	struct address contract = get_address(v, "verifying_contract");
	struct pm_account account = {.maker = get_address(o, "maker"),
	    .signer = get_address(o, "signer"),
	    .sig_type = (uint8_t)vec_number(o, "signatureType")};
	struct pm_order order = {.salt = vec_number(o, "salt"),
	    .amounts = {vec_number(o, "makerAmount"),
		vec_number(o, "takerAmount")},
	    .side = side_of(o),
	    .tif = tif_of(vec_text(post, "orderType")),
	    .post_only = vec_true(post, "postOnly"),
	    .timestamp_ms = vec_number(o, "timestamp"),
	    .expiration_s = vec_number(o, "expiration")};
	struct pm_exchange x;
	struct pm_template t;
	struct pm_asset asset;
	struct pm_signed s;
	uint8_t key[SECP_KEY_SZ];
	char body[PM_BODY_MAX];

	get_key(clients, key);
	snprintf(account.owner, sizeof(account.owner), "%s",
	    vec_text(post, "owner"));
	pm_exchange_at(&x, (enum pm_generation)vec_number(v, "version"),
	    PM_CHAIN_POLYGON, &contract);
	get_asset(vec_text(o, "tokenId"), &asset);
	order.asset = &asset;
	assert_true(pm_template_init(&t, &x, &account));
	assert_true(pm_order_sign(&t, &secp, key, &order, &s));
	assert_true(vec_is_hex(v, "order_hash", s.id, HASH_SZ));
	pm_order_body(&t, &order, &s, body);
	assert_true(vec_is_text(v, "body", body));
}

/* All three generations. */
static void
client_orders(void **state)
{
	const json_t *v;
	json_t *list;
	size_t i;

	(void)state;
	need(clients);
	list =
	    json_object_get(json_object_get(clients, "polymarket"), "orders");
	json_array_foreach(list, i, v)
	{
		json_t *post = json_loads(vec_text(v, "body"), 0, NULL);

		if (vec_number(v, "version") == PM_EXCHANGE_V1)
			client_v1(v, post);
		else
			client_order(v, post);
		json_decref(post);
	}
	assert_true(i >= 36);
}

/* Calls with secrets of both alphabets, with and without padding. */
static void
client_calls(void **state)
{
	const json_t *v;
	json_t *list;
	struct address nobody = {{0}};
	size_t i;

	(void)state;
	need(clients);
	list = json_object_get(json_object_get(clients, "polymarket"), "hmac");
	json_array_foreach(list, i, v)
	{
		struct pm_creds_text text = {
		    &nobody, "key", vec_text(v, "secret"), "pass"};
		struct pm_call call = {vec_text(v, "method"),
		    vec_text(v, "requestPath"), vec_text(v, "body"),
		    strlen(vec_text(v, "body"))};
		struct pm_creds c;
		struct pm_l2 l2;

		assert_true(pm_creds_init(&c, &text));
		pm_l2_sign(&c, vec_number(v, "timestamp"), &call, &l2);
		assert_true(vec_is_text(v, "signature", l2.signature));
	}
	assert_true(i >= 8);
}

/* Logins, one of them on the test chain. */
static void
client_logins(void **state)
{
	const json_t *v;
	json_t *list;
	uint8_t key[SECP_KEY_SZ];
	size_t i;

	(void)state;
	need(clients);
	get_key(clients, key);
	list = json_object_get(json_object_get(clients, "polymarket"), "auth");
	json_array_foreach(list, i, v)
	{
		const json_t *h = json_object_get(v, "headers");
		struct pm_l1_args args = {vec_number(v, "timestamp"),
		    vec_number(v, "nonce"), (uint32_t)vec_number(v, "chain")};
		char want[PM_HEADERS_MAX];
		char got[PM_HEADERS_MAX];
		struct pm_l1 l1;

		assert_true(pm_l1_sign(&secp, key, &args, &l1));
		snprintf(want, sizeof(want),
		    "POLY_ADDRESS: %s\r\nPOLY_SIGNATURE: %s\r\n"
		    "POLY_TIMESTAMP: %s\r\nPOLY_NONCE: %s\r\n",
		    vec_text(h, "POLY_ADDRESS"), vec_text(h, "POLY_SIGNATURE"),
		    vec_text(h, "POLY_TIMESTAMP"), vec_text(h, "POLY_NONCE"));
		assert_int_equal(pm_l1_headers(&l1, got), strlen(want));
		assert_string_equal(got, want);
	}
	assert_true(i >= 3);
}

/* [tick, side, price, size, makerAmount, takerAmount] as clients compute. */
static void
client_amounts(void **state)
{
	const json_t *v;
	json_t *list;
	size_t i;

	(void)state;
	need(clients);
	list =
	    json_object_get(json_object_get(clients, "polymarket"), "amounts");
	json_array_foreach(list, i, v)
	{
		const char *side = json_string_value(json_array_get(v, 1));
		char px[32];
		char size[32];
		struct pm_amounts a;

		snprintf(px, sizeof(px), "%.4f",
		    json_number_value(json_array_get(v, 2)));
		snprintf(size, sizeof(size), "%.8f",
		    json_number_value(json_array_get(v, 3)));
		assert_true(
		    pm_limit_amounts(side[0] == 'B' ? SIDE_BID : SIDE_ASK,
			(uint32_t)vec_scaled(px, 4),
			(uint64_t)vec_scaled(size, 2), &a));
		assert_int_equal(
		    a.maker, strtoull(json_string_value(json_array_get(v, 4)),
				 NULL, 10));
		assert_int_equal(
		    a.taker, strtoull(json_string_value(json_array_get(v, 5)),
				 NULL, 10));
	}
	assert_true(i >= 300);
}

int
main(void)
{
	static const uint8_t seed[32] = {8};
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(client_orders),
	    cmocka_unit_test(client_calls),
	    cmocka_unit_test(client_logins),
	    cmocka_unit_test(client_amounts),
	};
	int failed;

	secp_init(&secp, seed);
	clients = vec_load("clients.json");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(clients);
	secp_close(&secp);
	return failed;
}
