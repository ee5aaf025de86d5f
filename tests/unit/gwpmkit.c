#include "tests/unit/gwpmkit.h"

static const uint8_t kit_key[32] = {0xac, 0x09, 0x74, 0xbe, 0xc3, 0x9a, 0x17,
    0xe3, 0x6b, 0xa4, 0xa6, 0xb4, 0xd2, 0x38, 0xff, 0x94, 0x4b, 0xac, 0xb4,
    0x78, 0xcb, 0xed, 0x5e, 0xfc, 0xae, 0x78, 0x4d, 0x7b, 0xf4, 0xf2, 0xff,
    0x80};

struct kit kit;

static void
kit_on_http(void *user, const struct gwpm_http *h)
{
	struct kit_http *k = &kit.http[kit.http_n++ % KIT_HTTP];

	(void)user;
	free(k->body);
	*k = (struct kit_http){.tag = h->tag, .role = h->role};
	(void)snprintf(k->method, sizeof(k->method), "%s", h->method);
	(void)snprintf(k->target, sizeof(k->target), "%s", h->target);
	k->body = calloc(1, h->body_n + 1);
	assert_non_null(k->body);
	if (h->body != NULL)
		memcpy(k->body, h->body, h->body_n);
}

static void
kit_on_channel(void *user, const char *text, size_t n)
{
	(void)user;
	if (n == 4 && memcmp(text, "PING", 4) == 0)
		kit.pings++;
	else
		(void)snprintf(
		    kit.channel, sizeof(kit.channel), "%.*s", (int)n, text);
}

static void
kit_on_event(void *user, const struct port_event *ev)
{
	(void)user;
	assert_true(kit.ev_n < KIT_EVENTS);
	kit.ev[kit.ev_n++] = *ev;
}

static void
kit_on_mode(void *user, enum port_mode mode, const char *text)
{
	(void)user;
	kit.mode = mode;
	if (text[0] != '\0')
		(void)snprintf(kit.why, sizeof(kit.why), "%s", text);
}

static void
kit_on_log(
    void *user, enum gwpm_log what, int64_t value, const char *text, size_t n)
{
	size_t at = strlen(kit.logged);

	(void)user;
	(void)value;
	kit.log_n[what]++;
	(void)snprintf(
	    kit.logged + at, sizeof(kit.logged) - at, "%.*s\n", (int)n, text);
}

static void
kit_on_clock(void *user, int64_t offset_ns)
{
	(void)user;
	(void)offset_ns;
}

/* The newest unanswered request whose target begins so. */
struct kit_http *
kit_find(const char *method, const char *target)
{
	for (unsigned i = kit.http_n; i-- > 0 && i + KIT_HTTP > kit.http_n;) {
		struct kit_http *k = &kit.http[i % KIT_HTTP];

		if (!k->is_done && strcmp(k->method, method) == 0 &&
		    strncmp(k->target, target, strlen(target)) == 0)
			return k;
	}
	return NULL;
}

unsigned
kit_count(const char *method, const char *target)
{
	unsigned n = 0;

	for (unsigned i = 0; i < kit.http_n && i < KIT_HTTP; i++)
		n += strcmp(kit.http[i].method, method) == 0 &&
		     strncmp(kit.http[i].target, target, strlen(target)) == 0;
	return n;
}

void
kit_reply(struct kit_http *k, unsigned status, const char *body)
{
	struct gwpm_answer a = {.status = status,
	    .was_sent = true,
	    .body = body,
	    .n = strlen(body),
	    .retry_after_s = -1,
	    .left = INT64_MIN};

	assert_non_null(k);
	a.tag = k->tag;
	k->is_done = true;
	gwpm_answer(&kit.g, &a, &kit.now);
}

void
kit_pass(uint64_t ns)
{
	for (uint64_t end = kit.now.ns + ns; kit.now.ns < end;) {
		kit.now.ns += 100000000;
		kit.now.wall_ns += 100000000;
		gwpm_timer(&kit.g, &kit.now);
	}
}

/* Answers the questions of a start or a gap: nothing rests, nothing traded. */
void
kit_quiet(void)
{
	struct kit_http *k;

	for (int i = 0; i < 20; i++) {
		if ((k = kit_find("GET", "/version")) != NULL)
			kit_reply(k, 200, "{\"version\":2}");
		if ((k = kit_find("GET", "/auth/ban")) != NULL)
			kit_reply(k, 200, "{\"closed_only\":false}");
		if ((k = kit_find("GET", "/balance-allowance")) != NULL)
			kit_reply(k, 200, "{\"balance\":\"1000000000\"}");
		if ((k = kit_find("GET", "/data/orders")) != NULL)
			kit_reply(
			    k, 200, "{\"data\":[],\"next_cursor\":\"LTE=\"}");
		if ((k = kit_find("GET", "/data/trades")) != NULL)
			kit_reply(
			    k, 200, "{\"data\":[],\"next_cursor\":\"LTE=\"}");
		kit_pass(100000000);
	}
}

void
kit_market(uint16_t instr, const char *yes, const char *no)
{
	struct instr in = {.epoch = 1,
	    .tick_px = PX(E8 / 1000),
	    .min_qty = QTY(5 * E8),
	    .fee_ppm = 70000,
	    .token_kind = TOKEN_CONDITIONAL};
	struct pm_token t;

	assert_true(pm_token_parse(yes, strlen(yes), &t));
	memcpy(in.token_yes, t.w, sizeof(in.token_yes));
	assert_true(pm_token_parse(no, strlen(no), &t));
	memcpy(in.token_no, t.w, sizeof(in.token_no));
	in.condition[0] = (uint8_t)instr;
	gwpm_market(&kit.g, instr, &in);
}

/* Everything but the start; the book stays when there is one. */
void
kit_open(void)
{
	uint8_t blind[32] = {1};
	struct address me;
	struct pm_creds_text t = {&me, KIT_KEY,
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "pass"};

	secp_init(&kit.secp, blind);
	assert_true(secp_address(&kit.secp, kit_key, &me));
	assert_true(pm_creds_init(&kit.creds, &t));
	if (kit.book == NULL)
		kit.book = calloc(1, sizeof(*kit.book));
	assert_non_null(kit.book);
	kit.sink = (struct gwpm_sink){NULL, kit_on_http, kit_on_channel,
	    kit_on_event, kit_on_mode, kit_on_log, kit_on_clock};
	kit.set.secp = &kit.secp;
	kit.set.key = kit_key;
	kit.set.creds = &kit.creds;
	kit.set.secret = t.secret;
	kit.set.account =
	    (struct pm_account){.maker = me, .signer = me, .owner = KIT_KEY};
	kit.set.chain_id = PM_CHAIN_POLYGON;
	kit.set.order_timeout_ns = 5 * KIT_S;
	kit.set.fill_poll_ns = KIT_S;
	kit.set.epoch = kit.set.epoch == 0 ? 3 : kit.set.epoch + 1;
	assert_true(gwpm_init(&kit.g, &kit.set, kit.book, &kit.sink));
	kit_market(16, KIT_YES, KIT_NO);
}

int
kit_begin(void **state)
{
	(void)state;
	memset(&kit, 0, sizeof(kit));
	kit.now.ns = KIT_S;
	kit.now.wall_ns = KIT_WALL_S * NS_PER_S;
	kit_open();
	gwpm_start(&kit.g, &kit.now);
	gwpm_user_up(&kit.g, &kit.now);
	kit_quiet();
	assert_int_equal(kit.mode, PORT_NORMAL);
	return 0;
}

int
kit_end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < KIT_HTTP; i++)
		free(kit.http[i].body);
	secp_close(&kit.secp);
	free(kit.book);
	return 0;
}

/* Asks for an order; side of YES, price in thousandths, whole shares. */
uint64_t
kit_place(uint32_t slot, enum side side, int64_t milli, int64_t shares)
{
	struct port_act a = {.what = PORT_PLACE,
	    .slot = slot,
	    .id = (UINT64_C(3) << 40) | ++kit.counter,
	    .instr = 16,
	    .epoch = 1,
	    .side = (uint8_t)side,
	    .tif = TIF_GTC,
	    .oflags = ORDER_POST_ONLY,
	    .px = PX(milli * (E8 / 1000)),
	    .qty = QTY(shares * E8)};

	gwpm_act(&kit.g, &a, &kit.now);
	return a.id;
}

void
kit_act(enum port_do what, uint64_t id)
{
	struct port_act a = {
	    .what = what, .id = id, .instr = 16, .side = SIDE_BID};

	gwpm_act(&kit.g, &a, &kit.now);
	gwpm_flush(&kit.g, &kit.now);
}

void
kit_hash(uint64_t id, char text[PM_ID_TEXT_MAX])
{
	const struct gwpm_order *o = gwpm_order_by_id(kit.book, id);

	assert_non_null(o);
	pm_id_text(o->hash.b, text);
}

/* An answer that names an order: its hash goes where %s is. */
void
kit_reply_of(
    struct kit_http *k, unsigned status, uint64_t id, const char *pattern)
{
	const char *at = strstr(pattern, "%s");
	char hash[PM_ID_TEXT_MAX];
	char body[1024];

	kit_hash(id, hash);
	assert_non_null(at);
	(void)snprintf(body, sizeof(body), "%.*s%s%s", (int)(at - pattern),
	    pattern, hash, at + 2);
	kit_reply(k, status, body);
}

/* The question about one order. */
struct kit_http *
kit_ask(uint64_t id)
{
	char target[128] = "/data/order/";

	kit_hash(id, target + strlen(target));
	return kit_find("GET", target);
}

/* An order that rests. */
uint64_t
kit_rest(uint32_t slot, enum side side, int64_t milli, int64_t shares)
{
	uint64_t id = kit_place(slot, side, milli, shares);

	gwpm_flush(&kit.g, &kit.now);
	kit_reply_of(kit_find("POST", "/order"), 200, id, KIT_LIVE);
	assert_int_equal(kit.ev[kit.ev_n - 1].what, PORT_ACKED);
	assert_int_equal(kit.ev[kit.ev_n - 1].id, id);
	return id;
}

unsigned
kit_events(enum port_ev what, uint64_t id)
{
	unsigned n = 0;

	for (unsigned i = 0; i < kit.ev_n; i++)
		n += kit.ev[i].what == what && kit.ev[i].id == id;
	return n;
}

/* A trade in which an order of ours rested: of one token, bought or sold. */
void
kit_trade(uint64_t id, const char *trade, const char *status, const char *size)
{
	const struct gwpm_order *o = gwpm_order_by_id(kit.book, id);
	bool is_yes = o->role == ROLE_YES;
	px_t own = is_yes ? o->px : px_complement(o->px);
	char hash[PM_ID_TEXT_MAX];
	char text[2048];
	char px[32];

	kit_hash(id, hash);
	(void)snprintf(px, sizeof(px), "0.%04lld", (long long)own.e8 / 10000);
	(void)snprintf(text, sizeof(text),
	    "{\"event_type\":\"trade\",\"type\":\"TRADE\",\"id\":\"%s\","
	    "\"taker_order_id\":\"0x%064d\",\"asset_id\":\"%s\",\"side\":"
	    "\"BUY\",\"size\":\"%s\",\"price\":\"0.9\",\"status\":\"%s\","
	    "\"match_time\":\"1789999001\",\"owner\":\"x\",\"maker_orders\":"
	    "[{\"order_id\":\"%s\",\"owner\":\"" KIT_KEY
	    "\",\"matched_amount\":\"%s\",\"price\":\"%s\","
	    "\"asset_id\":\"%s\"}],\"trader_side\":\"MAKER\"}",
	    trade, 7, KIT_YES, size, status, hash, size, px,
	    is_yes ? KIT_YES : KIT_NO);
	gwpm_user_text(&kit.g, text, strlen(text), &kit.now);
}
