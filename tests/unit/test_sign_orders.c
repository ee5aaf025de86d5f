/* links: libsign libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "libsign/hl_action.h"
#include "libsign/hl_num.h"
#include "libsign/pm_auth.h"
#include "libsign/pm_body.h"
#include "libsign/pm_order.h"
#include "libsign/pm_v1.h"
#include "tests/unit/contract.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static struct secp secp;
static uint8_t key[SECP_KEY_SZ] = {[31] = 3};
static struct pm_exchange exchange;
static struct pm_template template;
static struct pm_account account;
static struct pm_asset asset;
static struct pm_order order;

static void
fixture(void)
{
	static const uint64_t token[4] = {1, 2, 3, 4};

	assert_true(pm_exchange_init(
	    &exchange, PM_EXCHANGE_V2, false, PM_CHAIN_POLYGON));
	memset(&account, 0, sizeof(account));
	assert_true(secp_address(&secp, key, &account.signer));
	account.maker = account.signer;
	snprintf(account.owner, sizeof(account.owner), "an-api-key_1");
	assert_true(pm_template_init(&template, &exchange, &account));
	pm_asset_init(&asset, token);
	order = (struct pm_order){.salt = 77,
	    .asset = &asset,
	    .amounts = {5000000, 10000000},
	    .side = SIDE_BID,
	    .tif = PM_GTC,
	    .post_only = true,
	    .timestamp_ms = 1790000000000};
}

/* A known order outside Polygon, of the first exchange: the amounts imply no
 * price below 1, which that exchange's tests did not mind. */
static void
v1_well_known_signature(void **state)
{
	static const uint64_t token[4] = {1234, 0, 0, 0};
	static const char want[] =
	    "302cd9abd0b5fcaa202a344437ec0b6660da984e24ae9ad915a592a90facf5a5"
	    "1bb8a873cd8d270f070217fea1986531d5eec66f1162a81f66e026db653bf7ce"
	    "1c";
	uint8_t k[SECP_KEY_SZ];
	struct pm_exchange x;
	struct pm_v1_order o = {.salt = 479249096354,
	    .asset = &asset,
	    .amounts = {100000000, 50000000},
	    .side = SIDE_BID,
	    .fee_bps = 100};
	struct pm_signed s;
	char text[SIG_HEX_LEN + 1];

	(void)state;
	pm_asset_init(&asset, token);
	assert_true(
	    hex_parse("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7"
		      "bf4f2ff80",
		64, k, sizeof(k)));
	assert_true(secp_address(&secp, k, &o.signer));
	o.maker = o.signer;
	assert_true(pm_exchange_init(&x, PM_EXCHANGE_V1, false, PM_CHAIN_AMOY));
	assert_true(pm_v1_sign(&x, &secp, k, &o, &s));
	*sig_put(text, &s.sig) = '\0';
	assert_string_equal(text, want);
}

static void
T_12_exchanges(void **state)
{
	struct pm_exchange a;
	struct pm_exchange b;

	(void)state;
	assert_true(
	    pm_exchange_init(&a, PM_EXCHANGE_V2, false, PM_CHAIN_POLYGON));
	assert_true(
	    pm_exchange_init(&b, PM_EXCHANGE_V2, true, PM_CHAIN_POLYGON));
	assert_memory_not_equal(a.separator, b.separator, HASH_SZ);
	assert_true(
	    pm_exchange_init(&a, PM_EXCHANGE_V3, false, PM_CHAIN_POLYGON));
	assert_true(
	    pm_exchange_init(&b, PM_EXCHANGE_V3, true, PM_CHAIN_POLYGON));
	assert_memory_equal(a.separator, b.separator, HASH_SZ);
	assert_false(pm_exchange_init(&a, PM_EXCHANGE_V2, false, 1));
	assert_false(pm_exchange_init(&a, PM_EXCHANGE_V1, true, PM_CHAIN_AMOY));
}

static void
accounts_that_are_refused(void **state)
{
	static const char *const owners[] = {
	    "", "a\"b", "a b", "a\\b", "a\nb", "\x7f"};
	struct pm_template t;
	struct pm_exchange x;

	(void)state;
	fixture();
	account.sig_type = PM_SIG_N;
	assert_false(pm_template_init(&t, &exchange, &account));
	account.sig_type = PM_SIG_DEPOSIT_WALLET;
	assert_true(pm_template_init(&t, &exchange, &account));
	account.maker.b[0] ^= 1;
	assert_false(pm_template_init(&t, &exchange, &account));
	account.sig_type = PM_SIG_PROXY;
	assert_true(pm_template_init(&t, &exchange, &account));
	for (size_t i = 0; i < LEN(owners); i++) {
		snprintf(account.owner, sizeof(account.owner), "%s", owners[i]);
		assert_false(pm_template_init(&t, &exchange, &account));
	}
	memset(account.owner, 'a', sizeof(account.owner));
	assert_false(pm_template_init(&t, &exchange, &account));
	account.owner[PM_OWNER_MAX] = '\0';
	assert_true(pm_template_init(&t, &exchange, &account));
	assert_true(
	    pm_exchange_init(&x, PM_EXCHANGE_V1, false, PM_CHAIN_POLYGON));
	assert_false(pm_template_init(&t, &x, &account));
}

/* Everything that is signed changes the id; what is not signed does not. */
static void
id_covers_what_is_signed(void **state)
{
	struct pm_signed a;
	struct pm_signed b;
	struct pm_order o;
	struct pm_asset other;

	(void)state;
	fixture();
	pm_order_id(&template, &order, &a);
	for (unsigned i = 0; i < 8; i++) {
		o = order;
		pm_asset_init(&other, (uint64_t[4]){1, 2, 3, 5});
		switch (i) {
		case 0: o.salt++; break;
		case 1: o.asset = &other; break;
		case 2: o.amounts.maker++; break;
		case 3: o.amounts.taker++; break;
		case 4: o.side = SIDE_ASK; break;
		case 5: o.timestamp_ms++; break;
		case 6: o.post_only = false; break;
		default: o.tif = PM_GTD, o.expiration_s = 1790000300; break;
		}
		pm_order_id(&template, &o, &b);
		if (i < 6)
			assert_memory_not_equal(a.id, b.id, HASH_SZ);
		else
			assert_memory_equal(a.id, b.id, HASH_SZ);
	}
}

static void
T_12_each_type_is_its_owners(void **state)
{
	uint8_t bytes[PM_SIG_SZ_MAX];
	char body[PM_BODY_MAX];
	struct address eoa;
	struct address who;
	struct pm_signed s;
	struct pm_signed seen;

	(void)state;
	fixture();
	eoa = account.signer;
	for (uint8_t type = PM_SIG_EOA; type < PM_SIG_N; type++) {
		bool wallet = type == PM_SIG_DEPOSIT_WALLET;
		size_t n = wallet ? PM_SIG_SZ_MAX : SIG_SZ;
		const char *hex;

		account.sig_type = type;
		account.maker.b[3] ^= 0x55;
		account.signer = wallet ? account.maker : eoa;
		assert_true(pm_template_init(&template, &exchange, &account));
		assert_true(pm_order_sign(&template, &secp, key, &order, &s));
		pm_order_body(&template, &order, &s, body);
		hex = strstr(body, "\"signature\":\"0x") + 13;
		assert_int_equal(strcspn(hex, "\""), 2 + 2 * n);
		assert_true(hex_parse(hex, 2 + 2 * n, bytes, n));
		assert_true(pm_order_signer(&template, &secp, &order,
		    &(struct pm_signature){bytes, n}, &seen, &who));
		assert_true(address_eq(&who, &eoa));
		assert_memory_equal(seen.id, s.id, HASH_SZ);
		/* One byte short, one long. */
		assert_false(pm_order_signer(&template, &secp, &order,
		    &(struct pm_signature){bytes, n - 1}, &seen, &who));
		for (size_t i = SIG_SZ; i < n; i++) {
			bytes[i] ^= 1;
			assert_false(pm_order_signer(&template, &secp, &order,
			    &(struct pm_signature){bytes, n}, &seen, &who));
			bytes[i] ^= 1;
		}
		/* Of another order it is somebody else's. */
		order.amounts.taker += 100;
		assert_false(
		    pm_order_signer(&template, &secp, &order,
			&(struct pm_signature){bytes, n}, &seen, &who) &&
		    address_eq(&who, &eoa));
		order.amounts.taker -= 100;
	}
}

static void
salts_never_repeat(void **state)
{
	static uint64_t seen[1 << 16];
	unsigned close = 0;

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (uint64_t n = 0; n < 20000; n++) {
		uint64_t s = pm_salt(n);
		size_t at = s % LEN(seen);

		assert_in_range(s, 1, PM_SALT_MAX);
		while (seen[at] != 0) {
			assert_true(seen[at] != s);
			at = (at + 1) % LEN(seen);
		}
		seen[at] = s;
		close += s - pm_salt(n + 1) + 1000000 < 2000000;
	}
	assert_true(close < 3);
	assert_in_range(pm_salt(PM_SALT_MAX), 1, PM_SALT_MAX);
}

static void
orders_that_are_refused(void **state)
{
	struct pm_order o;

	(void)state;
	fixture();
	assert_true(pm_order_ok(&order));
	o = order, o.salt = 0;
	assert_false(pm_order_ok(&o));
	o = order, o.salt = PM_SALT_MAX + 1;
	assert_false(pm_order_ok(&o));
	o = order, o.asset = NULL;
	assert_false(pm_order_ok(&o));
	o = order, o.side = (enum side)0;
	assert_false(pm_order_ok(&o));
	o = order, o.tif = PM_FAK;
	assert_false(pm_order_ok(&o)); /* post-only */
	o.post_only = false;
	assert_true(pm_order_ok(&o));
	o = order, o.tif = PM_GTD;
	assert_false(pm_order_ok(&o)); /* without an expiration */
	o = order, o.expiration_s = 1;
	assert_false(pm_order_ok(&o)); /* which a GTC has not */
}

/* T-09: the venue's minimum sizes are judged elsewhere; here amounts must
 * be of the kind of order that carries them. */
static void
T_09_decimals_by_kind_of_order(void **state)
{
	static const struct {
		enum pm_tif tif;
		enum side side;
		uint32_t tick_e4;
		struct pm_amounts a;
		bool ok;
	} cases[] = {
	    {PM_GTC, SIDE_BID, 100, {18998100, 33330000}, true},
	    {PM_FAK, SIDE_BID, 100, {18998100, 33330000}, false},
	    {PM_FAK, SIDE_BID, 100, {10000000, 19230800}, true},
	    {PM_FAK, SIDE_BID, 100, {10000000, 19230770}, false},
	    {PM_GTC, SIDE_BID, 100, {10000000, 19230800}, false},
	    {PM_GTC, SIDE_ASK, 100, {33330000, 18998100}, true},
	    {PM_GTC, SIDE_ASK, 100, {33330001, 18998100}, false},
	    {PM_GTC, SIDE_BID, 100, {545000, 1000000}, false}, /* off tick */
	    {PM_GTC, SIDE_BID, 50, {545000, 1000000}, true},
	    {PM_GTC, SIDE_BID, 30, {540000, 1000000}, false},
	    {PM_GTC, SIDE_BID, 100, {1000000, 1000000}, false}, /* at 1 */
	    {PM_GTC, SIDE_BID, 100, {0, 1000000}, false},
	    {PM_FOK, SIDE_ASK, 1, {10000, 0}, false},
	    {PM_FOK, SIDE_ASK, 1, {17030000, 2094700}, true},
	    {PM_FOK, SIDE_ASK, 1, {17030000, 2094690}, false},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++)
		assert_int_equal(pm_amounts_ok(cases[i].tif, cases[i].side,
				     cases[i].tick_e4, &cases[i].a),
		    cases[i].ok);
}

static void
bodies_that_do_not_fit(void **state)
{
	uint8_t id[3][HASH_SZ] = {{0}};
	struct pm_batch b;
	char buf[256];
	size_t n;

	(void)state;
	n = pm_cancel_body(id[0], buf, sizeof(buf));
	assert_int_equal(n, strlen(buf));
	assert_int_equal(pm_cancel_body(id[0], buf, n), 0);
	assert_string_equal(buf, "");
	assert_int_equal(pm_cancel_body(id[0], buf, n + 1), n);
	n = pm_cancels_body((const uint8_t(*)[HASH_SZ])id, 3, buf, sizeof(buf));
	assert_int_equal(n, 3 * 68 + 4);
	assert_int_equal(
	    pm_cancels_body((const uint8_t(*)[HASH_SZ])id, 3, buf, n), 0);
	assert_true(pm_cancel_market_body("0xab", "12", buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "{\"market\":\"0xab\",\"asset_id\":\"12\"}");
	assert_true(pm_cancel_market_body(NULL, "12", buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "{\"asset_id\":\"12\"}");
	assert_int_equal(
	    pm_cancel_market_body("0xab\"", NULL, buf, sizeof(buf)), 0);
	assert_int_equal(pm_heartbeat_body("a\\b", buf, sizeof(buf)), 0);
	pm_batch_begin(&b, buf, sizeof(buf));
	assert_int_equal(pm_batch_end(&b), 0);
	pm_batch_begin(&b, buf, sizeof(buf));
	for (unsigned i = 0; i < PM_BATCH_MAX; i++)
		assert_true(pm_batch_add(&b, "{}", 2));
	assert_false(pm_batch_add(&b, "{}", 2));
	assert_int_equal(pm_batch_end(&b), 2 + 3 * PM_BATCH_MAX - 1);
	pm_batch_begin(&b, buf, 8);
	assert_true(pm_batch_add(&b, "{}", 2));
	assert_true(pm_batch_add(&b, "{}", 2));
	assert_false(pm_batch_add(&b, "{}", 2));
	assert_int_equal(pm_batch_end(&b), 7);
	assert_string_equal(buf, "[{},{}]");
}

static void
credentials_that_are_refused(void **state)
{
	struct address a = {{1}};
	struct pm_creds c;
	struct pm_creds_text good = {&a, "key", "AAAA", "pass"};
	struct pm_creds_text t;
	static char longer[PM_CRED_MAX + 2];

	(void)state;
	memset(longer, 'A', sizeof(longer) - 1);
	assert_true(pm_creds_init(&c, &good));
	t = good, t.api_key = "";
	assert_false(pm_creds_init(&c, &t));
	assert_int_equal(c.passphrase[0], 0);
	t = good, t.api_key = "a\r\nb";
	assert_false(pm_creds_init(&c, &t));
	t = good, t.passphrase = "a b";
	assert_false(pm_creds_init(&c, &t));
	t = good, t.passphrase = longer;
	assert_false(pm_creds_init(&c, &t));
	t = good, t.secret = "";
	assert_false(pm_creds_init(&c, &t));
	t = good, t.secret = "A!AA";
	assert_false(pm_creds_init(&c, &t));
}

static void
calls_that_were_changed(void **state)
{
	struct address a = {{1}};
	struct pm_creds c;
	struct pm_creds_text text = {&a, "key", "AAAA", "pass"};
	struct pm_call call = {"POST", "/order", "{}", 2};
	struct pm_call other;
	struct pm_l2 l2;

	(void)state;
	assert_true(pm_creds_init(&c, &text));
	pm_l2_sign(&c, 1790000000, &call, &l2);
	assert_true(pm_l2_ok(&c, "1790000000", &call, l2.signature));
	assert_false(pm_l2_ok(&c, "1790000001", &call, l2.signature));
	assert_false(pm_l2_ok(&c, "1790000000", &call, ""));
	other = call, other.method = "DELETE";
	assert_false(pm_l2_ok(&c, "1790000000", &other, l2.signature));
	other = call, other.path = "/orders";
	assert_false(pm_l2_ok(&c, "1790000000", &other, l2.signature));
	other = call, other.n = 1;
	assert_false(pm_l2_ok(&c, "1790000000", &other, l2.signature));
	l2.signature[PM_L2_SIG_LEN - 2] ^= 1;
	assert_false(pm_l2_ok(&c, "1790000000", &call, l2.signature));
}

static struct hl_order
perp_order(enum hl_tif tif)
{
	return (struct hl_order){.side = SIDE_BID,
	    .px = PX(84143 * E8),
	    .qty = QTY(24000),
	    .tif = tif};
}

static void
actions_that_are_refused(void **state)
{
	struct hl_order orders[2] = {perp_order(HL_ALO), perp_order(HL_ALO)};
	struct hl_action a = {.kind = HL_ORDER, .n = 2, .orders = orders};

	(void)state;
	assert_true(hl_action_ok(&a));
	orders[1].tif = HL_IOC; /* post-only does not mix */
	assert_false(hl_action_ok(&a));
	orders[0].tif = HL_GTC;
	assert_true(hl_action_ok(&a));
	orders[0].tif = (enum hl_tif)0;
	assert_false(hl_action_ok(&a));
	orders[0] = perp_order(HL_GTC);
	orders[0].px = PX(0);
	assert_false(hl_action_ok(&a));
	orders[0] = perp_order(HL_GTC);
	orders[0].side = SIDE_N;
	assert_false(hl_action_ok(&a));
	a.n = 0;
	assert_false(hl_action_ok(&a));
	a.n = HL_BATCH_MAX + 1;
	assert_false(hl_action_ok(&a));
	a = (struct hl_action){.kind = (enum hl_action_kind)0};
	assert_false(hl_action_ok(&a));
	a.kind = HL_ACTION_N;
	assert_false(hl_action_ok(&a));
	a.kind = HL_CANCEL, a.n = 1;
	assert_false(hl_action_ok(&a)); /* no list */
	a.kind = HL_UPDATE_LEVERAGE;
	assert_false(hl_action_ok(&a)); /* leverage 0 */
	a.kind = HL_RESERVE_WEIGHT;
	assert_false(hl_action_ok(&a));
}

/* The longest batch of the longest entries fits; a smaller buffer is told. */
static void
longest_batch_fits(void **state)
{
	static struct hl_modify changes[HL_BATCH_MAX];
	struct hl_action a = {.kind = HL_BATCH_MODIFY,
	    .n = HL_BATCH_MAX,
	    .changes = changes,
	    .always = true};
	struct hl_meta meta = {
	    .nonce = UINT64_MAX, .has_vault = true, .expires_ms = UINT64_MAX};
	struct hl_request r = {
	    .action = &a, .meta = &meta, .post_id = UINT64_MAX};
	struct hl_signer s = {&secp, key, true};
	static char body[HL_BODY_MAX];
	uint8_t mp[100];
	char json[100];
	struct hl_wire w;

	(void)state;
	for (unsigned i = 0; i < HL_BATCH_MAX; i++)
		changes[i] = (struct hl_modify){.by_cloid = true,
		    .order = {.asset = UINT32_MAX,
			.side = SIDE_ASK,
			.px = PX(PX_E8_MAX),
			.qty = QTY(QTY_E8_MAX - 1),
			.reduce_only = true,
			.has_cloid = true,
			.trigger = HL_STOP_LOSS,
			.trigger_px = PX(PX_E8_MAX - 1)}};
	assert_true(hl_request(&s, &r, body) > 0);
	hl_wire_init(&w, &(struct hl_wire_bufs){mp, 100, json, 100});
	assert_false(hl_action_encode(&a, &w));
	memset(key, 0, sizeof(key));
	assert_int_equal(hl_request(&s, &r, body), 0);
	key[31] = 3;
}

static void
agents_that_are_refused(void **state)
{
	struct hl_signer s = {&secp, key, false};
	struct hl_agent a = {
	    .name = "quote\"", .nonce = 1, .chain_id = 0x66eee};
	char longer[HL_AGENT_NAME_MAX + 2];
	char body[HL_BODY_MAX];

	(void)state;
	assert_int_equal(hl_approve_agent(&s, &a, body), 0);
	a.name = "back\\slash";
	assert_int_equal(hl_approve_agent(&s, &a, body), 0);
	a.name = "line\n";
	assert_int_equal(hl_approve_agent(&s, &a, body), 0);
	memset(longer, 'a', sizeof(longer));
	longer[HL_AGENT_NAME_MAX + 1] = '\0';
	a.name = longer;
	assert_int_equal(hl_approve_agent(&s, &a, body), 0);
	longer[HL_AGENT_NAME_MAX] = '\0';
	assert_true(hl_approve_agent(&s, &a, body) > 0);
	assert_non_null(strstr(body, "\"signatureChainId\":\"0x66eee\""));
}

static void
T_62_nonces_rise(void **state)
{
	uint64_t last = 0;
	uint64_t before = 0;

	(void)state;
	assert_int_equal(hl_nonce_next(&last, 1000), 1000);
	assert_int_equal(hl_nonce_next(&last, 1000), 1001);
	assert_int_equal(hl_nonce_next(&last, 990), 1002); /* clock went back */
	assert_int_equal(hl_nonce_next(&last, 2000), 2000);
	for (uint64_t i = 0; i < 1000; i++) {
		before = last;
		assert_true(hl_nonce_next(&last, 2000 + i / 7) > before);
	}
}

static const struct {
	int64_t v;
	const char *want;
} integers[] = {{0, "\x00"}, {127, "\x7f"}, {128, "\xcc\x80"},
    {255, "\xcc\xff"}, {256, "\xcd\x01\x00"}, {65535, "\xcd\xff\xff"},
    {65536, "\xce\x00\x01\x00\x00"}, {4294967295, "\xce\xff\xff\xff\xff"},
    {4294967296, "\xcf\x00\x00\x00\x01\x00\x00\x00\x00"}, {-1, "\xff"},
    {-32, "\xe0"}, {-33, "\xd0\xdf"}, {-128, "\xd0\x80"},
    {-129, "\xd1\xff\x7f"}, {-32768, "\xd1\x80\x00"},
    {-32769, "\xd2\xff\xff\x7f\xff"},
    {INT64_MIN, "\xd3\x80\x00\x00\x00\x00\x00\x00\x00"}};

static void
T_65_shortest_integers(void **state)
{
	static const size_t width[] = {
	    1, 1, 2, 2, 3, 3, 5, 5, 9, 1, 1, 2, 2, 3, 3, 5, 9};
	uint8_t b[16];
	struct msgpack m;

	(void)state;
	for (size_t i = 0; i < LEN(integers); i++) {
		msgpack_init(&m, b, sizeof(b));
		msgpack_int(&m, integers[i].v);
		assert_int_equal(msgpack_end(&m), width[i]);
		assert_memory_equal(b, integers[i].want, width[i]);
		msgpack_init(&m, b, width[i] - 1);
		msgpack_int(&m, integers[i].v);
		assert_int_equal(msgpack_end(&m), 0);
	}
}

static void
T_65_shortest_heads(void **state)
{
	static const struct {
		unsigned n;
		unsigned head[3]; /* of a string, an array, a map */
		size_t width[3];
	} cases[] = {{0, {0xa0, 0x90, 0x80}, {1, 1, 1}},
	    {15, {0xaf, 0x9f, 0x8f}, {1, 1, 1}},
	    {16, {0xb0, 0xdc, 0xde}, {1, 3, 3}},
	    {31, {0xbf, 0xdc, 0xde}, {1, 3, 3}},
	    {32, {0xd9, 0xdc, 0xde}, {2, 3, 3}},
	    {255, {0xd9, 0xdc, 0xde}, {2, 3, 3}},
	    {256, {0xda, 0xdc, 0xde}, {3, 3, 3}}};
	static char text[256];
	uint8_t b[300];
	struct msgpack m;

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++)
		for (unsigned k = 0; k < 3; k++) {
			unsigned n = cases[i].n;

			msgpack_init(&m, b, sizeof(b));
			if (k == 0)
				msgpack_str(&m, text, n);
			else if (k == 1)
				msgpack_array(&m, (uint16_t)n);
			else
				msgpack_map(&m, (uint16_t)n);
			assert_int_equal(msgpack_end(&m),
			    cases[i].width[k] + (k == 0 ? n : 0));
			assert_int_equal(b[0], cases[i].head[k]);
			if (cases[i].width[k] == 3)
				assert_int_equal(b[1] << 8 | b[2], n);
		}
}

static void
break_order(void)
{
	struct pm_signed s;

	order.salt = 0;
	pm_order_id(&template, &order, &s);
}

static void
break_action(void)
{
	struct hl_action a = {.kind = HL_ORDER};
	struct hl_wire w = {.depth = 0};

	(void)hl_action_encode(&a, &w);
}

static struct hl_wire
small_wire(void)
{
	static uint8_t mp[64];
	static char json[64];
	struct hl_wire w;

	hl_wire_init(&w, &(struct hl_wire_bufs){mp, 64, json, 64});
	return w;
}

static void
break_open_map(void)
{
	struct hl_wire w = small_wire();

	hl_wire_map(&w, 1);
	(void)hl_wire_end(&w);
}

static void
break_value_without_key(void)
{
	struct hl_wire w = small_wire();

	hl_wire_map(&w, 1);
	hl_wire_bool(&w, true);
}

static void
break_quote(void)
{
	struct hl_wire w = small_wire();

	hl_wire_text(&w, "a\"b");
}

static void
break_v1(void)
{
	struct pm_v1_order o = {.asset = &asset};
	struct pm_signed s;

	pm_v1_id(&exchange, &o, &s);
}

static void
contracts(void **state)
{
	void (*const breaks[])(void) = {break_order, break_action,
	    break_open_map, break_value_without_key, break_quote, break_v1};

	(void)state;
	fixture();
	for (size_t i = 0; i < LEN(breaks); i++)
		assert_true(contract_fails(breaks[i]));
}

int
main(void)
{
	static const uint8_t seed[32] = {1};
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(v1_well_known_signature),
	    cmocka_unit_test(T_12_exchanges),
	    cmocka_unit_test(accounts_that_are_refused),
	    cmocka_unit_test(id_covers_what_is_signed),
	    cmocka_unit_test(T_12_each_type_is_its_owners),
	    cmocka_unit_test(salts_never_repeat),
	    cmocka_unit_test(orders_that_are_refused),
	    cmocka_unit_test(T_09_decimals_by_kind_of_order),
	    cmocka_unit_test(bodies_that_do_not_fit),
	    cmocka_unit_test(credentials_that_are_refused),
	    cmocka_unit_test(calls_that_were_changed),
	    cmocka_unit_test(actions_that_are_refused),
	    cmocka_unit_test(longest_batch_fits),
	    cmocka_unit_test(agents_that_are_refused),
	    cmocka_unit_test(T_62_nonces_rise),
	    cmocka_unit_test(T_65_shortest_integers),
	    cmocka_unit_test(T_65_shortest_heads),
	    cmocka_unit_test(contracts),
	};

	secp_init(&secp, seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
