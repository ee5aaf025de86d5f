/* links: simvenue libvenue libsign libsys libshm libcore */
/*
 * Polymarket's desk as a client meets it: requests built and signed with
 * libsign, answers read as JSON text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "simvenue/pm_desk.h"

#define NOW_S  UINT64_C(1790000000)
#define NOW_NS (NOW_S * UINT64_C(1000000000))
#define BODY   ((size_t)1 << 20)

/* The first public development key; worth nothing. */
static const uint8_t key0[32] = {0xac, 0x09, 0x74, 0xbe, 0xc3, 0x9a, 0x17, 0xe3,
    0x6b, 0xa4, 0xa6, 0xb4, 0xd2, 0x38, 0xff, 0x94, 0x4b, 0xac, 0xb4, 0x78,
    0xcb, 0xed, 0x5e, 0xfc, 0xae, 0x78, 0x4d, 0x7b, 0xf4, 0xf2, 0xff, 0x80};

struct rig {
	struct pmx *x;
	struct pmx_sink sink;
	struct pm_desk desk;
	struct secp secp;
	struct address me;
	struct pm_creds creds;
	char api_key[DESK_UUID_LEN + 1];
	char secret[64];
	char passphrase[128];
	uint64_t now_ns;
	uint64_t salt;
	uint32_t market[3]; /* plain, neg-risk, position ids */
	uint32_t other;	    /* a participant */
	char *body;
	char headers[4096];
	struct text body_text;
	struct text headers_text;
	struct desk_answer a;
	char events[1 << 16]; /* of the user channel */
	struct text events_text;
	char id[PM_ID_TEXT_MAX]; /* of the last order signed */
};

static struct rig r;

static void
on_order(
    void *user, const struct pmx *x, uint32_t order, enum pmx_order_event what)
{
	(void)user;
	if (desk_login_of(&r.desk, x->order[order].account) < DESK_LOGINS) {
		say_order_event(&r.desk, order, what, &r.events_text);
		text_lit(&r.events_text, "\n");
	}
}

static void
on_trade(void *user, const struct pmx *x, uint32_t trade)
{
	(void)user;
	(void)x;
	if (say_trade_concerns(&r.desk, trade, 0)) {
		say_trade(&r.desk, trade, 0, true, &r.events_text);
		text_lit(&r.events_text, "\n");
	}
}

static void
on_level(void *user, uint16_t market, enum side side, px_t px, qty_t qty)
{
	(void)user;
	(void)market;
	(void)side;
	(void)px;
	(void)qty;
}

static void
on_print(void *user, uint16_t market, enum token_role role, enum side side,
    tok_px_t px, qty_t qty)
{
	(void)user;
	(void)market;
	(void)role;
	(void)side;
	(void)px;
	(void)qty;
}

static void
on_batch(void *user, uint16_t market, bool has_traded)
{
	(void)user;
	(void)market;
	(void)has_traded;
}

static void
on_market(void *user, uint16_t market)
{
	(void)user;
	(void)market;
}

/* ---- calling ---- */

static void
call(const char *method, const char *target, const char *body,
    const char *headers)
{
	char raw[8192];
	struct http_head head;
	struct desk_request q = {.head = &head,
	    .body = body,
	    .body_n = body == NULL ? 0 : strlen(body),
	    .now_ns = r.now_ns};
	int n = snprintf(raw, sizeof(raw),
	    "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n", method, target, headers);

	assert_true(n > 0 && n < (int)sizeof(raw));
	assert_int_equal(http_request_parse(raw, (size_t)n, &head), 1);
	text_init(&r.body_text, r.body, BODY);
	text_init(&r.headers_text, r.headers, sizeof(r.headers));
	r.a = (struct desk_answer){0, &r.body_text, &r.headers_text};
	assert_true(desk_is_mine(head.path));
	desk_request(&r.desk, &q, &r.a);
	text_end(&r.body_text);
	text_end(&r.headers_text);
	assert_false(r.body_text.full);
}

/* With L2 headers. */
static void
call2(const char *method, const char *target, const char *body)
{
	char path[256];
	char headers[PM_HEADERS_MAX];
	struct pm_call c = {
	    method, path, body, body == NULL ? 0 : strlen(body)};
	struct pm_l2 l2;

	(void)snprintf(
	    path, sizeof(path), "%.*s", (int)strcspn(target, "?"), target);
	pm_l2_sign(&r.creds, r.now_ns / 1000000000u, &c, &l2);
	pm_l2_headers(&r.creds, &l2, headers);
	call(method, target, body, headers);
}

static void
says(unsigned status, const char *part)
{
	if (r.a.status != status || strstr(r.body, part) == NULL)
		print_message("%u %s\n", r.a.status, r.body);
	assert_int_equal(r.a.status, status);
	assert_non_null(strstr(r.body, part));
}

static void
copy_field(const char *name, char *out, size_t cap)
{
	const char *at = strstr(r.body, name);
	size_t n;

	assert_non_null(at);
	at += strlen(name) + 3; /* ":" and quotes */
	n = strcspn(at, "\"");
	assert_true(n < cap);
	memcpy(out, at, n);
	out[n] = '\0';
}

static void
log_in(void)
{
	struct pm_l1_args args = {r.now_ns / 1000000000u, 0, PM_CHAIN_POLYGON};
	struct pm_creds_text t = {&r.me, r.api_key, r.secret, r.passphrase};
	char headers[PM_HEADERS_MAX];
	struct pm_l1 l1;

	assert_true(pm_l1_sign(&r.secp, key0, &args, &l1));
	pm_l1_headers(&l1, headers);
	call("POST", "/auth/api-key", NULL, headers);
	says(200, "\"apiKey\":\"");
	copy_field("apiKey", r.api_key, sizeof(r.api_key));
	copy_field("secret", r.secret, sizeof(r.secret));
	copy_field("passphrase", r.passphrase, sizeof(r.passphrase));
	assert_true(pm_creds_init(&r.creds, &t));
}

static int
setup(void **state)
{
	uint8_t seed[32] = {1};

	(void)state;
	memset(&r, 0, sizeof(r));
	r.x = calloc(1, sizeof(*r.x));
	r.body = malloc(BODY);
	assert_true(r.x != NULL && r.body != NULL);
	r.now_ns = NOW_NS;
	r.sink = (struct pmx_sink){
	    NULL, on_order, on_trade, on_level, on_print, on_batch, on_market};
	text_init(&r.events_text, r.events, sizeof(r.events));
	pmx_init(r.x, &r.sink, 1);
	desk_init(&r.desk, r.x, 1, USD(1000 * E6));
	secp_init(&r.secp, seed);
	assert_true(secp_address(&r.secp, key0, &r.me));
	for (uint64_t i = 0; i < 3; i++) {
		struct pmx_terms t = {.tick = TOK_PX(E8 / 100),
		    .min_qty = QTY(5 * E8),
		    .fee_ppm = 70000,
		    .is_updown = true,
		    .neg_risk = i == 1,
		    .is_position = i == 2};

		t.cond.n = 32;
		t.cond.b[0] = (uint8_t)(i + 1);
		t.token[0].w[3] = 100 + 2 * i;
		t.token[1].w[3] = 101 + 2 * i;
		r.market[i] = pmx_market_open(r.x, &t);
	}
	r.other = desk_participant(&r.desk, USD(1000 * E6));
	log_in();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	secp_close(&r.secp);
	secp_close(&r.desk.secp);
	free(r.x);
	free(r.body);
	return 0;
}

/* ---- orders ---- */

struct wish {
	uint32_t market;
	int role;
	enum side side;
	uint32_t px_e4;
	uint64_t qty_e2;
	enum pm_tif tif;
	bool post_only;
	uint8_t sig_type;
	uint64_t expiration_s;
	enum pm_generation generation; /* 0: the market's own */
};

static void
order_body(const struct wish *w, char body[PM_BODY_MAX])
{
	const struct pmx_terms *t = &r.x->market[r.market[w->market]].terms;
	struct pm_account who = {
	    .maker = r.me, .signer = r.me, .sig_type = w->sig_type};
	struct pm_asset asset;
	struct pm_order o = {.salt = pm_salt(++r.salt),
	    .asset = &asset,
	    .side = w->side,
	    .tif = w->tif,
	    .post_only = w->post_only,
	    .timestamp_ms = r.now_ns / 1000000u,
	    .expiration_s = w->expiration_s};
	struct pm_template tpl;
	struct pm_exchange x;
	struct pm_signed s;
	enum pm_generation g = w->generation != 0 ? w->generation
			       : t->is_position	  ? PM_EXCHANGE_V3
						  : PM_EXCHANGE_V2;

	memcpy(who.owner, r.api_key, sizeof(r.api_key));
	if (w->sig_type != PM_SIG_EOA) {
		who.maker.b[0] = (uint8_t)(0x40 + w->sig_type);
		if (w->sig_type == PM_SIG_DEPOSIT_WALLET)
			who.signer = who.maker;
	}
	assert_true(pm_exchange_init(&x, g, t->neg_risk, PM_CHAIN_POLYGON));
	assert_true(pm_template_init(&tpl, &x, &who));
	pm_asset_init(&asset, t->token[w->role].w);
	assert_true(
	    w->tif >= PM_FOK
		? pm_market_amounts(w->side, w->px_e4, w->qty_e2, &o.amounts)
		: pm_limit_amounts(w->side, w->px_e4, w->qty_e2, &o.amounts));
	assert_true(pm_order_sign(&tpl, &r.secp, key0, &o, &s));
	pm_id_text(s.id, r.id);
	pm_order_body(&tpl, &o, &s, body);
}

static void
post(const struct wish *w)
{
	char body[PM_BODY_MAX];

	order_body(w, body);
	call2("POST", "/order", body);
}

static void
rest_other(enum side side, int64_t cents, int64_t shares)
{
	struct pmx_new n = {.account = r.other,
	    .market = (uint16_t)r.market[0],
	    .role = ROLE_YES,
	    .side = side,
	    .type = PMX_GTC};
	uint32_t i;

	r.salt++;
	memcpy(n.id.b + 8, &r.salt, sizeof(r.salt));
	n.give_e6 = side == SIDE_BID ? shares * cents * 10000 : shares * E6;
	n.get_e6 = side == SIDE_BID ? shares * E6 : shares * cents * 10000;
	if (side == SIDE_ASK)
		assert_true(
		    pmx_split(r.x, r.other, r.market[0], QTY(shares * E8)));
	assert_int_equal(pmx_place(r.x, &n, r.now_ns, &i), PMX_OK);
}

/* ---- tests ---- */

static void
credentials_are_made_once_and_derived(void **state)
{
	struct pm_l1_args args = {NOW_S, 0, PM_CHAIN_POLYGON};
	char headers[PM_HEADERS_MAX];
	struct pm_l1 l1;

	(void)state;
	assert_true(pm_l1_sign(&r.secp, key0, &args, &l1));
	pm_l1_headers(&l1, headers);
	call("POST", "/auth/api-key", NULL, headers);
	says(400, "Could not create");
	call("GET", "/auth/derive-api-key", NULL, headers);
	says(200, r.secret);
	l1.signature[20] = l1.signature[20] == '1' ? '2' : '1';
	pm_l1_headers(&l1, headers);
	call("GET", "/auth/derive-api-key", NULL, headers);
	says(401, "Invalid L1 Request headers");
	call2("GET", "/auth/api-keys", NULL);
	says(200, r.api_key);
}

static void
a_body_that_was_not_signed_is_refused(void **state)
{
	char headers[PM_HEADERS_MAX];
	struct pm_call c = {"DELETE", "/order", "{}", 2};
	struct pm_l2 l2;

	(void)state;
	pm_l2_sign(&r.creds, NOW_S, &c, &l2);
	pm_l2_headers(&r.creds, &l2, headers);
	call("DELETE", "/order", "{ }", headers);
	says(401, "Unauthorized/Invalid api key");
	call("POST", "/order", "{}", headers);
	says(401, "Unauthorized/Invalid api key");
	r.now_ns += UINT64_C(1000000000000);
	call("DELETE", "/order", "{}", headers);
	says(401, "Unauthorized/Invalid api key");
}

static void
an_order_rests_under_its_own_hash(void **state)
{
	struct wish w = {0, 0, SIDE_BID, 4800, 1250, PM_GTC, true, 0, 0, 0};
	char path[128];

	(void)state;
	post(&w);
	says(200, "\"status\":\"live\"");
	says(200, r.id);
	assert_non_null(strstr(r.events, "\"type\":\"PLACEMENT\""));
	assert_non_null(strstr(r.events, "\"original_size\":\"12.5\""));
	(void)snprintf(path, sizeof(path), "/data/order/%s", r.id);
	call2("GET", path, NULL);
	says(200, "ORDER_STATUS_LIVE");
	says(200, "\"price\":\"0.48\"");
	call2("GET", "/data/orders", NULL);
	says(200, r.id);
	says(200, "\"next_cursor\":\"LTE=\"");
}

static void
a_repeat_is_told_as_duplicate(void **state)
{
	struct wish w = {0, 0, SIDE_BID, 4800, 1250, PM_GTC, true, 0, 0, 0};
	char body[PM_BODY_MAX];

	(void)state;
	order_body(&w, body);
	call2("POST", "/order", body);
	says(200, "\"success\":true");
	call2("POST", "/order", body);
	says(400, "is invalid. Duplicated.");
}

static void
all_signature_types_and_contracts(void **state)
{
	(void)state;
	for (uint32_t m = 0; m < 3; m++)
		for (uint8_t s = 0; s < PM_SIG_N; s++) {
			struct wish w = {
			    m, 1, SIDE_BID, 3000, 500, PM_GTC, true, s, 0, 0};

			post(&w);
			says(200, "\"status\":\"live\"");
		}
	for (uint32_t m = 0; m < 3; m += 2) { /* the other contract */
		struct wish w = {m, 0, SIDE_BID, 3000, 500, PM_GTC, true, 0, 0,
		    m == 0 ? PM_EXCHANGE_V3 : PM_EXCHANGE_V2};

		post(&w);
		says(400, "invalid signature");
	}
	call("POST", "/order", "{}", "");
	says(401, "Unauthorized");
	call2("POST", "/order",
	    "{\"order\":{\"nonce\":\"0\",\"feeRateBps\":\"0\"}}");
	says(400, "order_version_mismatch");
}

static void
every_refusal_has_its_text(void **state)
{
	static const struct {
		struct wish w;
		const char *text;
	} rows[] = {
	    {{0, 0, SIDE_BID, 4850, 1250, PM_GTC, true, 0, 0, 0},
		"breaks minimum tick size rule: 0.01"},
	    {{0, 0, SIDE_BID, 4800, 499, PM_GTC, true, 0, 0, 0},
		"Size (4.99) lower than the minimum: 5"},
	    {{0, 0, SIDE_BID, 4800, 99999999, PM_GTC, true, 0, 0, 0},
		"not enough balance / allowance"},
	    {{0, 0, SIDE_ASK, 4800, 500, PM_GTC, true, 0, 0, 0},
		"not enough balance / allowance"},
	    {{0, 0, SIDE_BID, 6000, 500, PM_GTC, true, 0, 0, 0},
		"order crosses book"},
	    {{0, 0, SIDE_BID, 4800, 500, PM_GTD, true, 0, NOW_S + 100, 0},
		"invalid expiration"},
	    {{0, 0, SIDE_BID, 5500, 500, PM_FAK, false, 0, 0, 0},
		"no orders found to match with FAK order"},
	    {{0, 0, SIDE_BID, 6000, 90000, PM_FOK, false, 0, 0, 0},
		"FOK orders are fully filled or killed"},
	    {{0, 0, SIDE_BID, 6000, 50, PM_FAK, false, 0, 0, 0},
		"min size: $1"},
	};

	(void)state;
	rest_other(SIDE_ASK, 60, 100);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		post(&rows[i].w);
		says(400, rows[i].text);
		assert_null(strstr(r.body, "success"));
	}
	assert_int_equal(r.x->open_n, 1);
}

static void
modes_of_the_venue(void **state)
{
	struct wish w = {0, 0, SIDE_BID, 4800, 500, PM_GTC, false, 0, 0, 0};
	struct wish p = {0, 0, SIDE_BID, 4800, 500, PM_GTC, true, 0, 0, 0};

	(void)state;
	r.x->mode = PMX_MODE_POST_ONLY;
	post(&w);
	says(503, "post_only_mode");
	post(&p);
	says(200, "live");
	r.x->mode = PMX_MODE_CANCEL_ONLY;
	post(&p);
	says(503, "cancel-only");
	call2("DELETE", "/cancel-all", NULL);
	says(200, r.x->open_n == 0 ? "0x" : "impossible");
	r.x->mode = PMX_MODE_DISABLED;
	post(&p);
	says(503, "Trading is currently disabled");
}

static void
a_match_is_told_on_both_ways_and_settles(void **state)
{
	struct wish w = {0, 1, SIDE_BID, 4000, 1000, PM_GTC, true, 0, 0, 0};
	char id[DESK_UUID_LEN + 1];

	(void)state;
	post(&w); /* 10 NO at 0.40: an ask of YES at 0.60 */
	says(200, "live");
	text_init(&r.events_text, r.events, sizeof(r.events));
	rest_other(SIDE_BID, 60, 10); /* mint */
	text_end(&r.events_text);
	assert_non_null(strstr(r.events, "\"status\":\"MATCHED\""));
	assert_non_null(strstr(r.events, "\"trader_side\":\"MAKER\""));
	assert_non_null(strstr(r.events, "\"matched_amount\":\"10\""));
	assert_non_null(strstr(r.events, "\"price\":\"0.4\""));
	assert_non_null(strstr(r.events, "\"outcome\":\"Down\""));
	call2("GET", "/balance-allowance?asset_type=COLLATERAL", NULL);
	says(200, "\"balance\":\"1000000000\"");
	r.now_ns += UINT64_C(3000000000);
	call2("GET", "/balance-allowance?asset_type=COLLATERAL", NULL);
	says(200, "\"balance\":\"996000000\"");
	call2("GET", "/data/trades", NULL);
	says(200, "TRADE_STATUS_MINED");
	copy_field("\"id", id, sizeof(id));
	assert_non_null(strstr(r.events, id));
	r.now_ns += UINT64_C(9000000000);
	call2("GET", "/data/trades?after=1", NULL);
	says(200, "TRADE_STATUS_CONFIRMED");
	call2("GET", "/data/trades?after=1890000000", NULL);
	says(200, "\"data\":[]");
	assert_true(pmx_is_conserved(r.x));
}

static void
a_batch_answers_leg_by_leg(void **state)
{
	struct wish good = {0, 0, SIDE_BID, 4800, 500, PM_GTC, true, 0, 0, 0};
	struct wish bad = {0, 0, SIDE_BID, 4850, 500, PM_GTC, true, 0, 0, 0};
	char one[PM_BODY_MAX];
	char body[20 * PM_BODY_MAX] = "[";

	(void)state;
	for (int i = 0; i < 3; i++) {
		order_body(i == 1 ? &bad : &good, one);
		(void)strncat(body, i > 0 ? "," : "", 2);
		(void)strncat(body, one, PM_BODY_MAX);
	}
	(void)strncat(body, "]", 2);
	call2("POST", "/orders", body);
	says(200, "\"status\":\"live\"");
	says(200, "\"success\":true,\"errorMsg\":\"order 0x");
	says(200, "\"orderID\":\"\"");
	assert_int_equal(r.x->open_n, 2);
	body[0] = '\0';
	for (int i = 0; i < 16; i++)
		(void)strncat(body, i == 0 ? "[{}" : ",{}", 4);
	(void)strncat(body, "]", 2);
	call2("POST", "/orders", body);
	says(400, "Too many orders in payload: 16, max allowed: 15");
}

static void
cancels_say_what_became_of_each(void **state)
{
	struct wish w = {0, 0, SIDE_BID, 4800, 500, PM_GTC, true, 0, 0, 0};
	char body[512];
	char first[PM_ID_TEXT_MAX];

	(void)state;
	post(&w);
	memcpy(first, r.id, sizeof(first));
	post(&w);
	(void)snprintf(body, sizeof(body), "{\"orderID\":\"%s\"}", first);
	call2("DELETE", "/order", body);
	says(200, "\"canceled\":[\"0x");
	call2("DELETE", "/order", body);
	says(200, "\"canceled\":[],\"not_canceled\":{\"0x");
	says(200, "already canceled or matched");
	(void)snprintf(
	    body, sizeof(body), "[\"%s\",\"%s\",\"0x%064d\"]", first, r.id, 7);
	call2("DELETE", "/orders", body);
	says(200, "order not found");
	assert_int_equal(r.x->open_n, 0);
	assert_non_null(strstr(r.events, "CANCELLATION"));
	post(&w);
	w.market = 1;
	post(&w);
	call2("DELETE", "/cancel-market-orders",
	    "{\"market\":\"0x0100000000000000000000000000000000000000000000000"
	    "000000000000000\"}");
	says(200, "\"canceled\":[\"0x");
	assert_int_equal(r.x->open_n, 1);
	call2("DELETE", "/cancel-all", NULL);
	assert_int_equal(r.x->open_n, 0);
}

static void
T_38_a_lapse_of_heartbeats_cancels_everything(void **state)
{
	struct wish w = {0, 0, SIDE_BID, 4800, 500, PM_GTC, true, 0, 0, 0};
	char body[256];
	char id[64];

	(void)state;
	call2("POST", "/v1/heartbeats", "{\"heartbeat_id\":\"\"}");
	says(200, "heartbeat_id");
	copy_field("heartbeat_id", id, sizeof(id));
	post(&w);
	r.now_ns += UINT64_C(5000000000);
	call2("POST", "/v1/heartbeats", "{\"heartbeat_id\":\"wrong\"}");
	says(400, "Invalid Heartbeat ID");
	says(400, id);
	(void)snprintf(body, sizeof(body), "{\"heartbeat_id\":\"%s\"}", id);
	call2("POST", "/v1/heartbeats", body);
	says(200, "heartbeat_id");
	r.now_ns += UINT64_C(9000000000);
	pmx_step(r.x, r.now_ns);
	assert_int_equal(r.x->open_n, 1);
	r.now_ns += UINT64_C(6000000000);
	pmx_step(r.x, r.now_ns);
	assert_int_equal(r.x->open_n, 0);
}

static void
bursts_above_the_tier_are_refused(void **state)
{
	struct wish w = {0, 0, SIDE_BID, 4800, 500, PM_GTC, true, 0, 0, 0};

	(void)state;
	r.desk.has_limits = true;
	for (uint32_t i = 0; i < DESK_ORDER_BURST; i++) {
		post(&w);
		says(200, "live");
	}
	post(&w);
	says(429, "Too Many Requests");
	assert_non_null(strstr(r.headers, "Retry-After: 1"));
	call2("DELETE", "/cancel-all", NULL); /* a bucket of its own */
	says(200, "canceled");
	r.now_ns += UINT64_C(100000000); /* four tokens */
	for (int i = 0; i < 4; i++) {
		post(&w);
		says(200, "live");
	}
	post(&w);
	says(429, "Too Many Requests");
}

static void
pages_hold_a_hundred(void **state)
{
	struct wish w = {0, 0, SIDE_BID, 100, 500, PM_GTC, true, 0, 0, 0};

	(void)state;
	for (int i = 0; i < 130; i++) {
		post(&w);
		says(200, "live");
	}
	call2("GET", "/data/orders", NULL);
	says(200, "\"count\":100");
	says(200, "\"next_cursor\":\"MTAw\"");
	call2("GET", "/data/orders?next_cursor=MTAw", NULL);
	says(200, "\"count\":30");
	says(200, "\"next_cursor\":\"LTE=\"");
	call2("GET", "/data/orders?next_cursor=!!", NULL);
	says(400, "invalid cursor");
}

static void
the_user_channel_knows_its_people(void **state)
{
	char text[512];

	(void)state;
	(void)snprintf(text, sizeof(text),
	    "{\"type\":\"user\",\"auth\":{\"apiKey\":\"%s\",\"secret\":\"%s\","
	    "\"passphrase\":\"%s\"}}",
	    r.api_key, r.secret, r.passphrase);
	assert_int_equal(desk_hello(&r.desk, text, strlen(text)), 0);
	text[40] = text[40] == 'a' ? 'b' : 'a';
	assert_int_equal(desk_hello(&r.desk, text, strlen(text)), DESK_LOGINS);
	assert_int_equal(desk_hello(&r.desk, "{", 1), DESK_LOGINS);
	assert_int_equal(desk_hello(&r.desk, "{}", 2), DESK_LOGINS);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(credentials_are_made_once_and_derived),
	    T(a_body_that_was_not_signed_is_refused),
	    T(an_order_rests_under_its_own_hash),
	    T(a_repeat_is_told_as_duplicate),
	    T(all_signature_types_and_contracts),
	    T(every_refusal_has_its_text),
	    T(modes_of_the_venue),
	    T(a_match_is_told_on_both_ways_and_settles),
	    T(a_batch_answers_leg_by_leg),
	    T(cancels_say_what_became_of_each),
	    T(T_38_a_lapse_of_heartbeats_cancels_everything),
	    T(bursts_above_the_tier_are_refused),
	    T(pages_hold_a_hundred),
	    T(the_user_channel_knows_its_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
