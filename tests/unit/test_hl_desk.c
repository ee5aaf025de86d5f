/* links: simvenue libvenue libsign libsys libshm libcore */
/*
 * Hyperliquid's desk as a client meets it: requests signed with libsign,
 * answers read as JSON text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "simvenue/hl_desk.h"

#define NOW_MS UINT64_C(1790000000000)
#define BODY   ((size_t)1 << 20)

/* Keys of tests only; worth nothing. */
static const uint8_t key_me[32] = {[31] = 0x11};
static const uint8_t key_agent[32] = {[31] = 0x22};
static const uint8_t key_stranger[32] = {[31] = 0x33};

struct rig {
	struct hlx *x;
	struct hlx_sink sink;
	struct hl_desk desk;
	struct secp secp;
	struct address me;
	struct address agent;
	uint32_t account;
	uint32_t other;
	uint64_t now_ms;
	uint64_t nonce;
	char *body;
	struct text out;
	unsigned status;
	char request[HL_BODY_MAX];
	char events[1 << 15];
	struct text events_text;
};

static struct rig r;

static void
on_order(void *user, const struct hlx *x, uint32_t order)
{
	(void)user;
	if (x->order[order].account == r.account)
		hl_say_order_update(x, order, &r.events_text);
}

static void
on_fill(void *user, const struct hlx *x, const struct hlx_fill *f)
{
	(void)user;
	if (f->account == r.account)
		hl_say_fill(x, f, &r.events_text);
}

static void
on_print(void *user, const struct hlx *x, uint16_t coin, enum side side,
    px_t px, qty_t qty, uint64_t tid)
{
	(void)user;
	(void)x;
	(void)coin;
	(void)side;
	(void)px;
	(void)qty;
	(void)tid;
}

static void
on_book(void *user, const struct hlx *x, uint16_t coin)
{
	(void)user;
	(void)x;
	(void)coin;
}

static int
setup(void **state)
{
	struct hlx_terms t = {"BTC", 0, 5, 40, 450, 150};
	struct address other = {{9}};
	uint8_t seed[32] = {1};

	(void)state;
	memset(&r, 0, sizeof(r));
	r.x = calloc(1, sizeof(*r.x));
	r.body = malloc(BODY);
	assert_true(r.x != NULL && r.body != NULL);
	r.now_ms = NOW_MS;
	r.nonce = NOW_MS;
	r.sink = (struct hlx_sink){NULL, on_order, on_fill, on_print, on_book};
	text_init(&r.events_text, r.events, sizeof(r.events));
	hlx_init(r.x, &r.sink);
	hl_desk_init(&r.desk, r.x, seed);
	secp_init(&r.secp, seed);
	assert_int_equal(hlx_coin_add(r.x, &t, PX(84000 * E8)), 0);
	assert_true(secp_address(&r.secp, key_me, &r.me));
	assert_true(secp_address(&r.secp, key_agent, &r.agent));
	r.account = hl_desk_account(&r.desk, &r.me, USD(10000 * E6));
	r.other = hl_desk_account(&r.desk, &other, USD(100000 * E6));
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

static void
exchange(const char *body)
{
	text_init(&r.out, r.body, BODY);
	r.status = hl_desk_exchange(
	    &r.desk, body, strlen(body), r.now_ms * 1000000u, &r.out);
	text_end(&r.out);
}

static void
says(const char *part)
{
	if (strstr(r.body, part) == NULL)
		print_message("%u %s\n", r.status, r.body);
	assert_non_null(strstr(r.body, part));
}

static void
sign(const struct hl_action *a, const uint8_t *key, uint64_t nonce,
    uint64_t post_id)
{
	struct hl_signer s = {&r.secp, key, true};
	struct hl_meta m = {.nonce = nonce};
	struct hl_request q = {a, &m, post_id, NULL};

	assert_true(hl_request(&s, &q, r.request) > 0);
}

static void
send(const struct hl_action *a)
{
	sign(a, key_me, ++r.nonce, 0);
	exchange(r.request);
}

static struct hl_order
order(enum side side, int64_t px, int64_t lots, enum hl_tif tif, uint8_t cloid)
{
	struct hl_order o = {.side = side,
	    .px = PX(px * E8),
	    .qty = QTY(lots * 1000),
	    .tif = tif,
	    .has_cloid = cloid != 0};

	o.cloid[15] = cloid;
	return o;
}

static void
place(struct hl_order o)
{
	struct hl_action a = {.kind = HL_ORDER, .n = 1, .orders = &o};

	send(&a);
}

static void
other_rests(enum side side, int64_t px, int64_t lots)
{
	struct hlx_new n = {.account = r.other,
	    .side = side,
	    .px = PX(px * E8),
	    .qty = QTY(lots * 1000),
	    .tif = HLX_ALO};
	struct hlx_result res;

	hlx_place(r.x, &n, r.now_ms * 1000000u, &res);
	assert_int_equal(res.error, HLX_OK);
}

/* ---- tests ---- */

static void
orders_rest_fill_and_are_refused(void **state)
{
	(void)state;
	place(order(SIDE_BID, 83900, 24, HL_ALO, 1));
	says("{\"status\":\"ok\",\"response\":{\"type\":\"order\",\"data\":"
	     "{\"statuses\":[{\"resting\":{\"oid\":");
	says("\"cloid\":\"0x00000000000000000000000000000001\"");
	other_rests(SIDE_ASK, 84010, 100);
	place(order(SIDE_BID, 84020, 40, HL_IOC, 2));
	says("{\"filled\":{\"totalSz\":\"0.0004\",\"avgPx\":\"84010\"");
	place(order(SIDE_BID, 84020, 40, HL_ALO, 3));
	says("Post only order would have immediately matched, bbo was "
	     "83900@84010. asset=0");
	place(order(SIDE_BID, 83000, 1, HL_ALO, 4));
	says("Order must have minimum value of $10.");
	place(order(SIDE_ASK, 85000, 40, HL_IOC, 5));
	says("Order could not immediately match");
	assert_non_null(strstr(r.events, "\"status\":\"open\""));
	assert_non_null(strstr(r.events, "\"status\":\"badAloPxRejected\""));
	assert_non_null(strstr(r.events, "\"startPosition\":\"0.0\""));
	assert_non_null(strstr(r.events, "\"dir\":\"Open Long\""));
	assert_true(hlx_is_conserved(r.x));
}

static void
cancels_by_id_and_by_ours(void **state)
{
	struct hl_cancel c = {.asset = 0, .cloid = {[15] = 1}};
	struct hl_action by_cloid = {
	    .kind = HL_CANCEL_CLOID, .n = 1, .cancels = &c, .fast = true};
	struct hl_action by_oid = {
	    .kind = HL_CANCEL, .n = 1, .cancels = &c, .fast = true};

	(void)state;
	place(order(SIDE_BID, 83900, 24, HL_ALO, 1));
	send(&by_cloid);
	says("\"statuses\":[\"success\"]");
	send(&by_cloid);
	says("Order was never placed, already canceled, or filled. asset=0");
	place(order(SIDE_BID, 83900, 24, HL_ALO, 2));
	c.oid = r.x->oid;
	send(&by_oid);
	says("\"statuses\":[\"success\"]");
	assert_int_equal(r.x->account[r.account].open_n, 0);
}

static void
T_37_modify_is_cancel_and_new(void **state)
{
	struct hl_modify m = {.by_cloid = true, .cloid = {[15] = 1}};
	struct hl_action a = {.kind = HL_BATCH_MODIFY, .n = 1, .changes = &m};
	uint64_t before;

	(void)state;
	place(order(SIDE_BID, 83900, 24, HL_ALO, 1));
	before = r.x->oid;
	m.order = order(SIDE_BID, 83901, 24, HL_ALO, 2);
	send(&a);
	says("\"resting\"");
	assert_int_equal(r.x->oid, before + 1);
	assert_int_equal(r.x->account[r.account].open_n, 1);
	send(&a); /* the old one is gone now */
	says("Cannot modify canceled or filled order");
	m.cloid[15] = 2;
	other_rests(SIDE_ASK, 83950, 50);
	m.order = order(SIDE_BID, 83960, 24, HL_GTC, 3);
	send(&a);
	says("Attempted to modify to invalid new order");
	assert_int_equal(r.x->account[r.account].open_n, 1);
}

static void
a_batch_answers_one_by_one(void **state)
{
	struct hl_order o[3] = {order(SIDE_BID, 83900, 24, HL_ALO, 1),
	    order(SIDE_BID, 83899, 1, HL_ALO, 2),
	    order(SIDE_BID, 83898, 24, HL_ALO, 3)};
	struct hl_action a = {.kind = HL_ORDER, .n = 3, .orders = o};

	(void)state;
	send(&a);
	says("}},{\"error\":\"Order must have minimum value of $10. "
	     "asset=0\"},{\"resting\"");
	assert_int_equal(r.x->account[r.account].open_n, 2);
}

static void
T_62_nonces_are_used_once(void **state)
{
	struct hl_action a = {.kind = HL_NOOP};

	(void)state;
	sign(&a, key_me, NOW_MS + 5, 0);
	exchange(r.request);
	says("{\"status\":\"ok\",\"response\":{\"type\":\"default\"}}");
	exchange(r.request);
	says("Invalid nonce: duplicate nonce 1790000000005");
	sign(&a, key_me, NOW_MS - 172800000, 0);
	exchange(r.request);
	says("Invalid nonce");
	sign(&a, key_me, NOW_MS + 86400000, 0);
	exchange(r.request);
	says("Invalid nonce");
	for (uint64_t i = 0; i < 100; i++) {
		sign(&a, key_me, NOW_MS + 1000 + i, 0);
		exchange(r.request);
		says("default");
	}
	sign(&a, key_me, NOW_MS + 4, 0); /* below the hundred highest */
	exchange(r.request);
	says("Invalid nonce");
	sign(&a, key_me, NOW_MS + 999, 0);
	exchange(r.request);
	says("Invalid nonce");
}

static void
T_65_another_spelling_is_another_signer(void **state)
{
	struct hl_order o = order(SIDE_BID, 83900, 24, HL_ALO, 0);
	struct hl_action a = {.kind = HL_ORDER, .n = 1, .orders = &o};
	char *at;

	(void)state;
	sign(&a, key_stranger, ++r.nonce, 0);
	exchange(r.request);
	says("User or API Wallet 0x");
	says("does not exist.");
	sign(&a, key_me, ++r.nonce, 0);
	at = strstr(r.request, "\"83900\"");
	assert_non_null(at);
	memcpy(at, "\"83901\"", 7);
	exchange(r.request);
	says("does not exist.");
	exchange("{\"action\":{\"type\":\"order\"},\"nonce\":1}");
	assert_int_equal(r.status, 422);
	says("Failed to deserialize");
}

static void
agents_sign_for_their_master(void **state)
{
	struct hl_signer s = {&r.secp, key_me, true};
	struct hl_agent agent = {r.agent, "", 0, 0x66eee};
	struct hl_order o = order(SIDE_BID, 83900, 24, HL_ALO, 0);
	struct hl_action a = {.kind = HL_ORDER, .n = 1, .orders = &o};
	char body[HL_BODY_MAX];

	(void)state;
	sign(&a, key_agent, ++r.nonce, 0);
	exchange(r.request);
	says("does not exist.");
	agent.nonce = ++r.nonce;
	assert_true(hl_approve_agent(&s, &agent, body) > 0);
	exchange(body);
	says("default");
	sign(&a, key_agent, ++r.nonce, 0);
	exchange(r.request);
	says("resting");
	assert_int_equal(r.x->account[r.account].open_n, 1);
	s.key = key_agent; /* an agent approves nobody */
	agent.address.b[0] ^= 1;
	agent.nonce = ++r.nonce;
	assert_true(hl_approve_agent(&s, &agent, body) > 0);
	exchange(body);
	says("does not exist.");
}

static void
T_45_the_budget_runs_out_for_orders_before_cancels(void **state)
{
	struct hl_cancel c = {.cloid = {[15] = 1}};
	struct hl_action cancel = {
	    .kind = HL_CANCEL_CLOID, .n = 1, .cancels = &c, .fast = true};

	(void)state;
	r.desk.has_limits = true;
	place(order(SIDE_BID, 83900, 24, HL_ALO, 1));
	says("resting");
	r.x->account[r.account].actions = HLX_BUDGET;
	place(order(SIDE_BID, 83900, 24, HL_ALO, 2));
	says("Too many cumulative requests sent (10000 > 10000)");
	send(&cancel);
	says("success");
}

static void
T_64_scheduled_cancels_are_gated_and_counted(void **state)
{
	struct hl_action a = {
	    .kind = HL_SCHEDULE_CANCEL, .time_ms = NOW_MS + 6000};

	(void)state;
	r.desk.schedule_min = USD(1000000 * E6);
	send(&a);
	says("Cannot set scheduled cancel time until enough volume traded.");
	r.desk.schedule_min = USD(0);
	a.time_ms = NOW_MS + 4000;
	send(&a);
	says("too early");
	for (uint32_t i = 0; i < HLX_SCHEDULE_DAILY; i++) {
		place(order(SIDE_BID, 83900, 24, HL_ALO, 0));
		a.time_ms = r.now_ms + 6000;
		send(&a);
		says("default");
		r.now_ms += 7000;
		r.nonce = r.now_ms;
		hlx_step(r.x, r.now_ms * 1000000u);
		assert_int_equal(r.x->account[r.account].open_n, 0);
	}
	a.time_ms = r.now_ms + 6000;
	send(&a);
	says("err");
}

/* A question of a type; rest: more members, each with a comma in front. */
static void
ask_info(const char *type, const char *user, const char *rest)
{
	char q[256];

	(void)snprintf(q, sizeof(q), "{\"type\":\"%s\",\"user\":\"%s\"%s}",
	    type, user, rest);
	text_init(&r.out, r.body, BODY);
	r.status =
	    hl_desk_info(&r.desk, q, strlen(q), r.now_ms * 1000000u, &r.out);
	text_end(&r.out);
}

static void
questions_about_an_account(void **state)
{
	char me[ADDRESS_TEXT_MAX];
	char agent[ADDRESS_TEXT_MAX];

	(void)state;
	address_format_lower(&r.me, me);
	address_format_lower(&r.agent, agent);
	assert_true(hl_desk_agent(&r.desk, &r.agent, r.account));
	other_rests(SIDE_ASK, 84010, 100);
	place(order(SIDE_BID, 84010, 50, HL_GTC, 7));
	place(order(SIDE_BID, 83900, 24, HL_ALO, 8));
	ask_info("clearinghouseState", me, "");
	says("\"szi\":\"0.0005\"");
	says("\"entryPx\":\"84010.0\"");
	/* T-68: the agent's address looks like an empty account */
	ask_info("clearinghouseState", agent, "");
	says("\"assetPositions\":[]");
	ask_info("userRole", agent, "");
	says("\"role\":\"agent\"");
	says(me);
	ask_info("frontendOpenOrders", me, "");
	says("\"limitPx\":\"83900.0\"");
	says("\"tif\":\"Alo\"");
	ask_info("userFills", me, "");
	says("\"crossed\":true");
	says("\"fee\":\"0.018903\"");
	ask_info("orderStatus", me,
	    ",\"oid\":\"0x00000000000000000000000000000008\"");
	says("\"status\":\"open\"");
	ask_info("orderStatus", me, ",\"oid\":99");
	says("unknownOid");
	ask_info("userRateLimit", me, "");
	says("\"cumVlm\":\"42.005\"");
	ask_info("l2Book", me, ",\"coin\":\"BTC\"");
	says("\"px\":\"83900.0\",\"sz\":\"0.00024\",\"n\":1");
	ask_info("nonsense", me, "");
	assert_int_equal(r.status, 0);
}

static void
posts_are_answered_by_their_id(void **state)
{
	struct hl_order o = order(SIDE_BID, 83900, 24, HL_ALO, 0);
	struct hl_action a = {.kind = HL_ORDER, .n = 1, .orders = &o};
	static const char bad[] = "{\"method\":\"post\",\"id\":1}";

	(void)state;
	sign(&a, key_me, ++r.nonce, 256);
	text_init(&r.out, r.body, BODY);
	assert_true(hl_desk_post(&r.desk, r.request, strlen(r.request),
	    r.now_ms * 1000000u, &r.out));
	text_end(&r.out);
	says("{\"channel\":\"post\",\"data\":{\"id\":256,\"response\":{"
	     "\"type\":\"action\",\"payload\":{\"status\":\"ok\"");
	assert_false(hl_desk_post(
	    &r.desk, bad, sizeof(bad) - 1, r.now_ms * 1000000u, &r.out));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(orders_rest_fill_and_are_refused),
	    T(cancels_by_id_and_by_ours),
	    T(T_37_modify_is_cancel_and_new),
	    T(a_batch_answers_one_by_one),
	    T(T_62_nonces_are_used_once),
	    T(T_65_another_spelling_is_another_signer),
	    T(agents_sign_for_their_master),
	    T(T_45_the_budget_runs_out_for_orders_before_cancels),
	    T(T_64_scheduled_cancels_are_gated_and_counted),
	    T(questions_about_an_account),
	    T(posts_are_answered_by_their_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
