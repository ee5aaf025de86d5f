/* links: simvenue libvenue libsign libsys libshm libcore */
/*
 * The live venues as the server calls them, without sockets: who may listen,
 * what goes to whom, orders in, and a ledger that equals what was told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "simvenue/live.h"

#define START  UINT64_C(1790000100000000000)
#define SECOND UINT64_C(1000000000)
#define D32    "01010101010101010101010101010101"
#define KEPT   64u
#define TEXT   ((size_t)1 << 20)

/* The first two public development keys; worth nothing. */
static const uint8_t keys[2][32] = {
    {0xac, 0x09, 0x74, 0xbe, 0xc3, 0x9a, 0x17, 0xe3, 0x6b, 0xa4, 0xa6, 0xb4,
	0xd2, 0x38, 0xff, 0x94, 0x4b, 0xac, 0xb4, 0x78, 0xcb, 0xed, 0x5e, 0xfc,
	0xae, 0x78, 0x4d, 0x7b, 0xf4, 0xf2, 0xff, 0x80},
    {0x59, 0xc6, 0x99, 0x5e, 0x99, 0x8f, 0x97, 0xa5, 0xa0, 0x04, 0x49, 0x66,
	0xf0, 0x94, 0x53, 0x89, 0xdc, 0x9e, 0x86, 0xda, 0xe8, 0x8c, 0x7a, 0x84,
	0x12, 0xf4, 0x60, 0x3b, 0x6b, 0x78, 0x69, 0x0d}};

struct person {
	struct address who;
	struct pm_creds creds;
	char key[DESK_UUID_LEN + 1];
	char secret[64];
	char passphrase[128];
};

static struct live *l;
static void *state[VENUE_N];
static struct person people[2];
static struct secp secp;
static struct {
	enum venue venue;
	struct sim_frame f;
	char text[4096];
} kept[KEPT];
static unsigned kept_n;
static char *body; /* of the last answer */
static unsigned status;
static char *out_buf;
static struct sim_out out;

static const struct sim_venue_ops *const tables[VENUE_N] = {
    [VENUE_POLYMARKET] = &live_polymarket,
    [VENUE_BINANCE] = &live_binance,
    [VENUE_HYPERLIQUID] = &live_hyperliquid,
};

/* Users' frames are kept; all of them are applied as the server does. */
static void
deliver(void *user, enum venue v, const struct sim_frame *f)
{
	(void)user;
	if (state[v] != NULL)
		tables[v]->apply(state[v], f);
	if ((f->kind != SIM_PM_USER && f->kind != SIM_HL_USER) ||
	    kept_n == KEPT || f->n >= sizeof(kept[0].text))
		return;
	kept[kept_n].venue = v;
	kept[kept_n].f = *f;
	memcpy(kept[kept_n].text, f->text, f->n);
	kept[kept_n].text[f->n] = '\0';
	kept[kept_n].f.text = kept[kept_n].text;
	kept_n++;
}

static void *
new_sub(enum venue v)
{
	const struct sim_venue_ops *t = tables[v];
	void *sub =
	    calloc(1, t->sub_sz + (t->under != NULL ? t->under->sub_sz : 0));

	assert_non_null(sub);
	return sub;
}

static void *
open_sub(enum venue v, const char *path)
{
	struct http_text p = {.p = path, .n = strlen(path)};
	struct http_text none = {.p = "", .n = 0};
	void *sub = new_sub(v);

	assert_true(tables[v]->open(state[v], sub, p, none));
	return sub;
}

static void
say(enum venue v, void *sub, const char *text)
{
	sim_out_init(&out, out_buf);
	tables[v]->receive(state[v], sub, text, strlen(text), &out);
}

static bool
out_has(const char *part)
{
	if (out.used < TEXT)
		out_buf[out.used] = '\0';
	return out.msg_n > 0 && strstr(out_buf, part) != NULL;
}

/* Of the users' frames kept, how many go to a subscriber. */
static unsigned
heard(enum venue v, void *sub, const char *part)
{
	unsigned n = 0;

	for (unsigned i = 0; i < kept_n; i++) {
		sim_out_init(&out, out_buf);
		if (kept[i].venue != v)
			continue;
		tables[v]->select(state[v], sub, &kept[i].f, &out);
		n += out_has(part);
	}
	return n;
}

static void
call(enum venue v, const char *method, const char *target, const char *text,
    const char *headers)
{
	static char raw[16384];
	static char head_buf[1024];
	struct http_head head;
	struct sim_answer a = {.status = 500};
	int n = snprintf(raw, sizeof(raw),
	    "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n", method, target, headers);

	assert_int_equal(http_request_parse(raw, (size_t)n, &head), 1);
	struct sim_request r = {.method = head.method,
	    .path = head.path,
	    .query = head.query,
	    .body = text,
	    .body_n = text == NULL ? 0 : strlen(text),
	    .head = &head,
	    .now_ns = (int64_t)l->w.now_ns};
	text_init(&a.body, body, TEXT);
	text_init(&a.headers, head_buf, sizeof(head_buf));
	tables[v]->request(state[v], &r, &a);
	text_end(&a.body);
	status = a.status;
}

static void
call2(const struct person *p, const char *method, const char *path,
    const char *text)
{
	char headers[PM_HEADERS_MAX];
	struct pm_call c = {
	    method, path, text, text == NULL ? 0 : strlen(text)};
	struct pm_l2 l2;

	pm_l2_sign(&p->creds, l->w.now_ns / SECOND, &c, &l2);
	pm_l2_headers(&p->creds, &l2, headers);
	call(VENUE_POLYMARKET, method, path, text, headers);
}

static void
copy_field(const char *name, char *to, size_t cap)
{
	const char *at = strstr(body, name);
	size_t n;

	assert_non_null(at);
	at += strlen(name) + 3;
	n = strcspn(at, "\"");
	assert_true(n < cap);
	memcpy(to, at, n);
	to[n] = '\0';
}

static void
log_in(struct person *p, const uint8_t key[32])
{
	struct pm_l1_args args = {l->w.now_ns / SECOND, 0, PM_CHAIN_POLYGON};
	struct pm_creds_text t = {&p->who, p->key, p->secret, p->passphrase};
	char headers[PM_HEADERS_MAX];
	struct pm_l1 l1;

	assert_true(secp_address(&secp, key, &p->who));
	assert_true(pm_l1_sign(&secp, key, &args, &l1));
	pm_l1_headers(&l1, headers);
	call(VENUE_POLYMARKET, "POST", "/auth/api-key", NULL, headers);
	assert_int_equal(status, 200);
	copy_field("apiKey", p->key, sizeof(p->key));
	copy_field("secret", p->secret, sizeof(p->secret));
	copy_field("passphrase", p->passphrase, sizeof(p->passphrase));
	assert_true(pm_creds_init(&p->creds, &t));
}

static int
setup(void **arg)
{
	struct world_cfg cfg = world_cfg_default(1, START);
	struct live_account dev[LIVE_DEV_ACCOUNTS];
	uint8_t blind[32] = {1};

	(void)arg;
	kept_n = 0;
	secp_init(&secp, blind);
	l = calloc(1, sizeof(*l));
	body = malloc(TEXT);
	out_buf = malloc(SIM_OUT_SZ);
	assert_true(l != NULL && body != NULL && out_buf != NULL);
	live_init(l, &cfg, deliver, NULL);
	assert_int_equal(live_dev_accounts(dev), LIVE_DEV_ACCOUNTS);
	for (uint32_t i = 0; i < LIVE_DEV_ACCOUNTS; i++)
		assert_true(live_fund(l, &dev[i]));
	for (int v = 1; v < VENUE_N; v++) {
		const struct sim_venue_ops *t = tables[v];

		state[v] = calloc(1,
		    t->state_sz + (t->under != NULL ? t->under->state_sz : 0));
		assert_non_null(state[v]);
		t->attach(state[v], l);
	}
	for (int i = 0; i < 2; i++)
		log_in(&people[i], keys[i]);
	return 0;
}

static int
teardown(void **arg)
{
	(void)arg;
	for (int v = 1; v < VENUE_N; v++) {
		free(state[v]);
		state[v] = NULL;
	}
	secp_close(&secp);
	free(l);
	free(body);
	free(out_buf);
	return 0;
}

/* ---- Polymarket ---- */

static const struct world_window *
quiet(void)
{
	return world_window_find(&l->w, "quiet-market", 12);
}

static void
hello(void *sub, const struct person *p, const char *more)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
	    "{\"auth\":{\"apiKey\":\"%s\",\"secret\":\"%s\",\"passphrase\":"
	    "\"%s\"},\"type\":\"user\"%s}",
	    p->key, p->secret, p->passphrase, more);
	say(VENUE_POLYMARKET, sub, text);
}

/* A signed BUY of ten YES of the quiet market. */
static void
buy(const struct person *p, uint32_t px_e4, char id[PM_ID_TEXT_MAX])
{
	static uint64_t salt;
	struct pm_account who = {
	    .maker = p->who, .signer = p->who, .sig_type = PM_SIG_EOA};
	struct pm_asset asset;
	struct pm_order o = {.salt = pm_salt(++salt),
	    .asset = &asset,
	    .side = SIDE_BID,
	    .tif = PM_GTC,
	    .timestamp_ms = l->w.now_ns / 1000000u};
	struct pm_template tpl;
	struct pm_exchange x;
	struct pm_signed s;
	char text[PM_BODY_MAX];

	memcpy(who.owner, p->key, sizeof(p->key));
	assert_true(
	    pm_exchange_init(&x, PM_EXCHANGE_V2, false, PM_CHAIN_POLYGON));
	assert_true(pm_template_init(&tpl, &x, &who));
	pm_asset_init(&asset, quiet()->terms.token[0].w);
	assert_true(pm_limit_amounts(SIDE_BID, px_e4, 1000, &o.amounts));
	assert_true(pm_order_sign(&tpl, &secp, keys[p - people], &o, &s));
	pm_id_text(s.id, id);
	pm_order_body(&tpl, &o, &s, text);
	call2(p, "POST", "/order", text);
}

static void
bad_credentials_end_the_user_channel(void **arg)
{
	void *sub = open_sub(VENUE_POLYMARKET, "/ws/user");
	struct person wrong = people[0];

	(void)arg;
	assert_int_equal(live_polymarket.conn(sub), SIM_CONN_USER);
	wrong.passphrase[0] ^= 1;
	hello(sub, &wrong, "");
	assert_true(out.drop);
	assert_false(live_polymarket.is_active(sub));
	hello(sub, &people[0], "");
	assert_false(out.drop);
	assert_true(live_polymarket.is_active(sub));
	say(VENUE_POLYMARKET, sub, "PING");
	assert_true(out_has("PONG"));
	free(sub);
}

static void
orders_are_told_to_their_owner_alone(void **arg)
{
	void *mine = open_sub(VENUE_POLYMARKET, "/ws/user");
	void *other = open_sub(VENUE_POLYMARKET, "/ws/user");
	void *elsewhere = open_sub(VENUE_POLYMARKET, "/ws/user");
	void *market = open_sub(VENUE_POLYMARKET, "/ws/market");
	char id[PM_ID_TEXT_MAX];
	char text[256];

	(void)arg;
	hello(mine, &people[0], "");
	hello(other, &people[1], "");
	hello(elsewhere, &people[0], ",\"markets\":[\"0x" D32 D32 "\"]");
	buy(&people[0], 3000, id);
	assert_int_equal(status, 200);
	assert_non_null(strstr(body, "\"live\""));
	assert_int_equal(heard(VENUE_POLYMARKET, mine, "PLACEMENT"), 1);
	assert_int_equal(heard(VENUE_POLYMARKET, other, "order"), 0);
	assert_int_equal(heard(VENUE_POLYMARKET, elsewhere, "order"), 0);
	assert_int_equal(heard(VENUE_POLYMARKET, market, "order"), 0);
	(void)snprintf(text, sizeof(text), "{\"orderID\":\"%s\"}", id);
	call2(&people[0], "DELETE", "/order", text);
	assert_non_null(strstr(body, id));
	assert_int_equal(heard(VENUE_POLYMARKET, mine, "CANCELLATION"), 1);
	assert_int_equal(l->count[VENUE_POLYMARKET].orders, 1);
	assert_int_equal(l->count[VENUE_POLYMARKET].calls[LIVE_CANCEL], 1);
	assert_int_equal(l->w.pm_count.rested, 1);
	free(mine);
	free(other);
	free(elsewhere);
	free(market);
}

static void
the_ledger_is_what_was_traded(void **arg)
{
	char id[PM_ID_TEXT_MAX];
	struct text t;

	(void)arg;
	buy(&people[0], 6000, id); /* ten at 0.52, the quiet offer */
	assert_non_null(strstr(body, "\"matched\""));
	for (unsigned i = 0; i < 100; i++)
		live_step(l, l->w.now_ns + SECOND / 10);
	text_init(&t, body, TEXT);
	live_put_ledger(l, &t);
	assert_true(text_end(&t) > 0);
	assert_non_null(strstr(body, "\"polymarket\":{\"is_conserved\":true"));
	assert_non_null(strstr(body, "\"hyperliquid\":{\"is_conserved\":true"));
	assert_non_null(strstr(body,
	    "\"usd\":{\"own_e6\":9994800000,\"out_e6\":0,\"in_e6\":0,"
	    "\"locked_e6\":0}"));
	assert_non_null(
	    strstr(body, "\"own_e8\":1000000000,\"out_e8\":0,\"in_e8\":0,"
			 "\"locked_e8\":0}],\"orders\":[]"));
	assert_int_equal(l->w.pm_count.trades, 1);
	assert_int_equal(l->w.pm_count.matched_e8, 10 * E8);
}

static void
a_subscription_shows_both_books_once(void **arg)
{
	void *sub = open_sub(VENUE_POLYMARKET, "/ws/market");
	char token[PM_TOKEN_TEXT_MAX];
	char text[512];

	(void)arg;
	pm_token_format(&quiet()->terms.token[0], token);
	(void)snprintf(text, sizeof(text),
	    "{\"assets_ids\":[\"%s\"],\"type\":\"market\"}", token);
	assert_false(live_polymarket.is_active(sub));
	say(VENUE_POLYMARKET, sub, text);
	assert_true(out_has("[{\"event_type\":\"book\""));
	assert_true(live_polymarket.is_active(sub));
	say(VENUE_POLYMARKET, sub, text);
	assert_true(out_has("NO NEW ASSETS"));
	free(sub);
}

static void
anybody_may_ask_for_markets(void **arg)
{
	char token[PM_TOKEN_TEXT_MAX];
	char target[256];

	(void)arg;
	pm_token_format(&quiet()->terms.token[0], token);
	(void)snprintf(target, sizeof(target), "/midpoint?token_id=%s", token);
	call(VENUE_POLYMARKET, "GET", target, NULL, "");
	assert_string_equal(body, "{\"mid\":\"0.5\"}");
	call(VENUE_POLYMARKET, "GET", "/book?token_id=1", NULL, "");
	assert_int_equal(status, 404);
	call(VENUE_POLYMARKET, "GET", "/markets/slug/quiet-market", NULL, "");
	assert_int_equal(status, 200);
	assert_non_null(strstr(body, token));
	call(VENUE_POLYMARKET, "GET", "/events/keyset?limit=2", NULL, "");
	assert_non_null(strstr(body, "\"next_cursor\":\"2\""));
	call(VENUE_POLYMARKET, "GET", "/events/slug/none", NULL, "");
	assert_int_equal(status, 404);
	call(VENUE_POLYMARKET, "GET", "/data/orders", NULL, "");
	assert_int_equal(status, 401);
}

/* ---- Hyperliquid ---- */

static void
streams_of_a_user_are_that_user_s(void **arg)
{
	void *mine = open_sub(VENUE_HYPERLIQUID, "/ws");
	void *other = open_sub(VENUE_HYPERLIQUID, "/ws");
	struct hl_order o = {.side = SIDE_BID,
	    .px = PX(80000 * E8),
	    .qty = QTY(E8 / 100),
	    .tif = HL_ALO};
	struct hl_action a = {.kind = HL_ORDER, .n = 1, .orders = &o};
	struct hl_signer s = {&secp, keys[0], true};
	struct hl_meta m = {.nonce = START / 1000000u};
	struct hl_request q = {&a, &m, 0, NULL};
	static char request[HL_BODY_MAX];
	char text[256];

	(void)arg;
	(void)snprintf(text, sizeof(text),
	    "{\"method\":\"subscribe\",\"subscription\":{\"type\":"
	    "\"orderUpdates\",\"user\":\"0xf39fd6e51aad88f6f4ce6ab8827279cfff"
	    "b92266\"}}");
	say(VENUE_HYPERLIQUID, mine, text);
	assert_true(out_has("subscriptionResponse"));
	say(VENUE_HYPERLIQUID, mine, text);
	assert_true(out_has("Already subscribed: "));
	say(VENUE_HYPERLIQUID, other,
	    "{\"method\":\"subscribe\",\"subscription\":{\"type\":"
	    "\"userFills\",\"user\":\"0x70997970c51812dc3a010c7d01b50e0d17dc79"
	    "c8\"}}");
	assert_true(out_has("\"isSnapshot\":true"));
	say(VENUE_HYPERLIQUID, other,
	    "{\"method\":\"subscribe\",\"subscription\":{\"type\":"
	    "\"orderUpdates\",\"user\":\"0x70997970c51812dc3a010c7d01b50e0d17"
	    "dc79c8\"}}");
	assert_true(out_has("subscriptionResponse"));
	assert_true(hl_request(&s, &q, request) > 0);
	call(VENUE_HYPERLIQUID, "POST", "/exchange", request, "");
	assert_non_null(strstr(body, "\"resting\""));
	assert_int_equal(heard(VENUE_HYPERLIQUID, mine, "\"open\""), 1);
	assert_int_equal(heard(VENUE_HYPERLIQUID, other, "order"), 0);
	assert_int_equal(l->count[VENUE_HYPERLIQUID].orders, 1);
	call(VENUE_HYPERLIQUID, "POST", "/info",
	    "{\"type\":\"metaAndAssetCtxs\"}", "");
	assert_non_null(strstr(body, "\"markPx\""));
	call(VENUE_HYPERLIQUID, "POST", "/info", "{\"type\":\"no\"}", "");
	assert_int_equal(status, 422);
	free(mine);
	free(other);
}

/* ---- moods ---- */

static void
T_39_modes_refuse_orders(void **arg)
{
	struct live_mood m = {.mode = PMX_MODE_CANCEL_ONLY};
	struct live_mood well = {0};
	char id[PM_ID_TEXT_MAX];

	(void)arg;
	live_set_mood(l, &m);
	buy(&people[1], 2000, id);
	assert_int_not_equal(status, 200);
	live_set_mood(l, &well);
	buy(&people[1], 2000, id);
	assert_int_equal(status, 200);
	call2(&people[1], "DELETE", "/cancel-all", NULL);
	assert_non_null(strstr(body, id));
}

static void
T_14_a_matched_trade_fails(void **arg)
{
	struct live_mood m = {.retry_ppm = 1000000, .fail_ppm = 1000000};
	struct live_mood well = {0};
	void *mine = open_sub(VENUE_POLYMARKET, "/ws/user");
	char id[PM_ID_TEXT_MAX];
	const struct desk_login *who;

	(void)arg;
	hello(mine, &people[1], "");
	kept_n = 0;
	live_set_mood(l, &m);
	buy(&people[1], 6000, id);
	for (unsigned i = 0; i < 300; i++)
		live_step(l, l->w.now_ns + SECOND / 10);
	live_set_mood(l, &well);
	assert_int_equal(heard(VENUE_POLYMARKET, mine, "\"RETRYING\""), 1);
	assert_int_equal(heard(VENUE_POLYMARKET, mine, "\"FAILED\""), 1);
	who = &l->w.pm_desk.login[1];
	assert_true(address_eq(&who->address, &people[1].who));
	assert_int_equal(l->w.pmx.account[who->account[PM_SIG_EOA]].usd.own,
	    LIVE_DEV_USD.e6);
	assert_true(pmx_is_conserved(&l->w.pmx));
	free(mine);
}

static void
T_38_a_lapse_cancels_everything(void **arg)
{
	struct live_mood m = {.lapses = true};
	struct live_mood well = {0};
	void *mine = open_sub(VENUE_POLYMARKET, "/ws/user");
	char id[PM_ID_TEXT_MAX];

	(void)arg;
	hello(mine, &people[1], "");
	kept_n = 0;
	buy(&people[1], 2000, id);
	pmx_beat(
	    &l->w.pmx, l->w.pm_desk.login[1].account[PM_SIG_EOA], l->w.now_ns);
	live_set_mood(l, &m);
	for (unsigned i = 0; i < 60; i++)
		live_step(l, l->w.now_ns + SECOND / 10);
	live_set_mood(l, &well);
	assert_int_equal(heard(VENUE_POLYMARKET, mine, "CANCELLATION"), 1);
	free(mine);
}

static void
T_62_a_nonce_is_taken_for_used(void **arg)
{
	struct hl_cancel c = {.oid = 1};
	struct hl_action a = {.kind = HL_CANCEL, .n = 1, .cancels = &c};
	struct hl_signer s = {&secp, keys[1], true};
	struct hl_meta m = {.nonce = START / 1000000u + 7};
	struct hl_request q = {&a, &m, 0, NULL};
	struct live_mood bad = {.collides = true};
	struct live_mood well = {0};
	static char request[HL_BODY_MAX];

	(void)arg;
	assert_true(hl_request(&s, &q, request) > 0);
	live_set_mood(l, &bad);
	call(VENUE_HYPERLIQUID, "POST", "/exchange", request, "");
	assert_non_null(strstr(body, "duplicate nonce"));
	live_set_mood(l, &well);
	m.nonce++;
	assert_true(hl_request(&s, &q, request) > 0);
	call(VENUE_HYPERLIQUID, "POST", "/exchange", request, "");
	assert_non_null(strstr(body, "\"ok\""));
}

/* ---- Binance, accounts ---- */

static void
the_book_asked_for_is_the_book_streamed(void **arg)
{
	static char want[16384];
	struct text t;

	(void)arg;
	for (unsigned i = 0; i < 300; i++)
		live_step(l, l->w.now_ns + SECOND / 100);
	text_init(&t, want, sizeof(want));
	world_put_depth(&l->w, &t);
	assert_true(text_end(&t) > 0);
	call(VENUE_BINANCE, "GET", "/api/v3/depth?symbol=BTCUSDT", NULL, "");
	assert_string_equal(body, want);
}

static void
accounts_are_read_or_refused(void **arg)
{
	static const struct {
		const char *text;
		const char *wrong; /* NULL: taken */
	} cases[] = {
	    {"{\"address\":\"0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266\"}",
		NULL},
	    {"{\"key\":\"0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae"
	     "784d7bf4f2ff80\",\"usd\":12.5,\"signature_type\":2}",
		NULL},
	    {"{\"key\":\"0x00\"}", "private key"},
	    {"{\"usd\":1}", "neither"},
	    {"{\"address\":\"0xf39f\"}", "address is not"},
	    {"{\"address\":\"0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266\","
	     "\"signature_type\":4}",
		"signature_type"},
	    {"{\"name\":1}", "keys are"},
	    {"[]", "not a JSON object"},
	};

	(void)arg;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct live_account a;
		const char *wrong = live_account_parse(
		    &secp, cases[i].text, strlen(cases[i].text), &a);

		if (cases[i].wrong != NULL) {
			assert_non_null(wrong);
			assert_non_null(strstr(wrong, cases[i].wrong));
			continue;
		}
		assert_null(wrong);
		assert_true(address_eq(&a.who, &people[0].who));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bad_credentials_end_the_user_channel),
	    cmocka_unit_test(orders_are_told_to_their_owner_alone),
	    cmocka_unit_test(a_subscription_shows_both_books_once),
	    cmocka_unit_test(anybody_may_ask_for_markets),
	    cmocka_unit_test(streams_of_a_user_are_that_user_s),
	    cmocka_unit_test(the_ledger_is_what_was_traded),
	    cmocka_unit_test(T_39_modes_refuse_orders),
	    cmocka_unit_test(T_14_a_matched_trade_fails),
	    cmocka_unit_test(T_38_a_lapse_cancels_everything),
	    cmocka_unit_test(T_62_a_nonce_is_taken_for_used),
	    cmocka_unit_test(the_book_asked_for_is_the_book_streamed),
	    cmocka_unit_test(accounts_are_read_or_refused),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
