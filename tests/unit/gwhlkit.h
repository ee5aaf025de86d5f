/*
 * gwhlkit.h - for tests of the Hyperliquid port: one port, a clock, what it
 * gave out, and one-line ways to answer. Include after cmocka.h.
 */
#ifndef TESTS_UNIT_GWHLKIT_H
#define TESTS_UNIT_GWHLKIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "execd/gw_hl.h"

#define INSTR	((uint16_t)INSTR_HL_BASE)
#define MS	UINT64_C(1000000)
#define NOW_MS	UINT64_C(1790000000000)
#define ID	(UINT64_C(3) << 40 | 1)
#define EVENTS	64
#define SENT	64
#define ME	"0x14791697260e4c9a71f18484c9f997b308e59325"

static const uint8_t key[32] = {[31] = 0x07};

struct sent {
	uint64_t tag; /* 0: a frame */
	char path[16];
	char body[HL_BODY_MAX];
};

static struct {
	struct gwhl *g;
	struct gwhl_book *book;
	struct gwhl_sink sink;
	struct gwhl_setup set;
	struct secp secp;
	uint64_t ms;
	struct port_event ev[EVENTS];
	uint32_t ev_n;
	struct sent out[SENT];
	uint32_t out_n;
	enum port_mode mode;
	char why[160];
	uint32_t logs[GWHL_LOG_N];
	char log_text[200];
	px_t bid, ask;
	struct gwhl_position pos;
} k;

static inline struct gwhl_now
now(void)
{
	return (struct gwhl_now){k.ms * MS, (int64_t)(k.ms * MS)};
}

static inline void
on_ws(void *user, const char *text, size_t n)
{
	(void)user;
	assert_true(k.out_n < SENT && n < HL_BODY_MAX);
	k.out[k.out_n].tag = 0;
	memcpy(k.out[k.out_n].body, text, n);
	k.out[k.out_n++].body[n] = '\0';
}

static inline void
on_http(void *user, const struct gwhl_http *h)
{
	struct sent *o = &k.out[k.out_n++];

	(void)user;
	assert_true(k.out_n <= SENT);
	o->tag = h->tag;
	(void)snprintf(o->path, sizeof(o->path), "%s", h->path);
	(void)snprintf(
	    o->body, sizeof(o->body), "%.*s", (int)h->body_n, h->body);
}

static inline void
on_drop(void *user)
{
	(void)user;
	k.logs[0]++;
}

static inline void
on_event(void *user, const struct port_event *ev)
{
	(void)user;
	assert_true(k.ev_n < EVENTS);
	k.ev[k.ev_n++] = *ev;
}

static inline void
on_mode(void *user, enum port_mode m, const char *text)
{
	(void)user;
	k.mode = m;
	(void)snprintf(k.why, sizeof(k.why), "%s", text);
}

static inline void
on_log(
    void *user, enum gwhl_log what, int64_t value, const char *text, size_t n)
{
	(void)user;
	(void)value;
	k.logs[what]++;
	(void)snprintf(k.log_text, sizeof(k.log_text), "%.*s", (int)n, text);
}

static inline void
on_clock(void *user, int64_t offset)
{
	(void)user;
	(void)offset;
}

static inline void
on_position(void *user, const struct gwhl_position *p)
{
	(void)user;
	k.pos = *p;
}

static inline void
on_touch(void *user, uint16_t instr, px_t bid, px_t ask)
{
	(void)user;
	assert_int_equal(instr, INSTR);
	k.bid = bid;
	k.ask = ask;
}

/* ---- driving ---- */

static inline void
say(const char *text)
{
	struct gwhl_now t = now();

	gwhl_text(k.g, text, strlen(text), &t);
}

static inline void
timer(uint64_t ms)
{
	struct gwhl_now t;

	k.ms += ms;
	t = now();
	gwhl_timer(k.g, &t);
}

/* Answers the newest question that has `part`, with status. */
static inline void
answer_as(const char *part, const char *body, unsigned status)
{
	struct gwhl_now t = now();

	for (uint32_t i = k.out_n; i > 0; i--) {
		struct gwhl_answer a = {
		    k.out[i - 1].tag, status, body, strlen(body)};

		if (a.tag == 0 || strstr(k.out[i - 1].body, part) == NULL)
			continue;
		gwhl_answer(k.g, &a, &t);
		return;
	}
	fail_msg("nobody asked %s", part);
}

static inline void
answer(const char *part, const char *body)
{
	answer_as(part, body, 200);
}

/* Id of the newest post that has `part`. */
static inline uint64_t
post_of(const char *part)
{
	for (uint32_t i = k.out_n; i > 0; i--) {
		const char *at = strstr(k.out[i - 1].body, "\"id\":");

		if (k.out[i - 1].tag == 0 && at != NULL &&
		    strstr(k.out[i - 1].body, part) != NULL)
			return strtoull(at + 5, NULL, 10);
	}
	fail_msg("no post %s", part);
	return 0;
}

static inline void
posted(uint64_t id, const char *payload)
{
	char buf[2048];

	(void)snprintf(buf, sizeof(buf),
	    "{\"channel\":\"post\",\"data\":{\"id\":%llu,\"response\":{"
	    "\"type\":\"action\",\"payload\":%s}}}",
	    (unsigned long long)id, payload);
	say(buf);
}

static inline void
statuses(uint64_t id, const char *list)
{
	char buf[1024];

	(void)snprintf(buf, sizeof(buf),
	    "{\"status\":\"ok\",\"response\":{\"type\":\"order\",\"data\":"
	    "{\"statuses\":[%s]}}}",
	    list);
	posted(id, buf);
}

static inline void
cloid_text(uint64_t id, char buf[HL_CLOID_TEXT_MAX])
{
	uint8_t cloid[HL_CLOID_SZ];

	gwhl_cloid(id, cloid);
	hl_cloid_text(cloid, buf);
}

static inline void
update(uint64_t id, uint64_t oid, const char *left, const char *status)
{
	char cloid[HL_CLOID_TEXT_MAX];
	char buf[600];

	cloid_text(id, cloid);
	(void)snprintf(buf, sizeof(buf),
	    "{\"channel\":\"orderUpdates\",\"data\":[{\"order\":{\"coin\":"
	    "\"BTC\",\"side\":\"B\",\"limitPx\":\"84000.0\",\"sz\":\"%s\","
	    "\"oid\":%llu,\"timestamp\":1,\"origSz\":\"0.001\",\"cloid\":"
	    "\"%s\"},\"status\":\"%s\",\"statusTimestamp\":1}]}",
	    left, (unsigned long long)oid, cloid, status);
	say(buf);
}

static inline void
fill_as(const char *head, uint64_t id, uint64_t oid, uint64_t tid,
    const char *qty, const char *start)
{
	char cloid[HL_CLOID_TEXT_MAX];
	char buf[900];

	cloid_text(id, cloid);
	(void)snprintf(buf, sizeof(buf),
	    "{\"channel\":\"userFills\",\"data\":{%s\"user\":\"" ME
	    "\",\"fills\":[{\"coin\":\"BTC\",\"px\":\"84000.0\",\"sz\":"
	    "\"%s\",\"side\":\"B\",\"time\":%llu,\"startPosition\":\"%s\","
	    "\"dir\":\"x\",\"closedPnl\":\"-0.13\",\"hash\":\"0x\",\"oid\":"
	    "%llu,\"crossed\":false,\"fee\":\"-0.003627\",\"tid\":%llu,"
	    "%s%s%s\"feeToken\":\"USDC\",\"twapId\":null}]}}",
	    head, qty, (unsigned long long)NOW_MS + 1000, start,
	    (unsigned long long)oid, (unsigned long long)tid,
	    id ? "\"cloid\":\"" : "", id ? cloid : "", id ? "\"," : "");
	say(buf);
}

static inline void
fill(
    uint64_t id, uint64_t oid, uint64_t tid, const char *qty, const char *start)
{
	fill_as("", id, oid, tid, qty, start);
}

static inline void
status_is(uint64_t oid, const char *left, const char *status)
{
	char buf[600];
	char cloid[HL_CLOID_TEXT_MAX];

	cloid_text(ID, cloid);
	(void)snprintf(buf, sizeof(buf),
	    "{\"status\":\"order\",\"order\":{\"order\":{\"coin\":\"BTC\","
	    "\"side\":\"B\",\"limitPx\":\"84000.0\",\"sz\":\"%s\",\"oid\":"
	    "%llu,\"timestamp\":1,\"origSz\":\"0.001\",\"cloid\":\"%s\"},"
	    "\"status\":\"%s\",\"statusTimestamp\":1}}",
	    left, (unsigned long long)oid, cloid, status);
	answer("orderStatus", buf);
}

static inline void
act_full(enum port_do what, uint64_t id, int64_t lots, uint8_t tif, px_t px)
{
	struct port_act a = {.what = what,
	    .slot = 5,
	    .id = id,
	    .instr = INSTR,
	    .side = SIDE_BID,
	    .tif = tif,
	    .oflags = tif == TIF_GTC ? ORDER_POST_ONLY : 0,
	    .px = px,
	    .qty = QTY(lots * 1000)};
	struct gwhl_now t = now();

	gwhl_act(k.g, &a, &t);
}

static inline void
flush(void)
{
	struct gwhl_now t = now();

	gwhl_flush(k.g, &t);
}

static inline void
act(enum port_do what, uint64_t id, int64_t lots)
{
	act_full(what, id, lots, TIF_GTC, PX(84000 * E8));
	flush();
}

static inline void
last(enum port_ev what, enum reason why)
{
	assert_true(k.ev_n > 0);
	assert_int_equal(k.ev[k.ev_n - 1].what, what);
	assert_int_equal(k.ev[k.ev_n - 1].reason, why);
	assert_int_equal(k.ev[k.ev_n - 1].slot, 5);
}

/* ---- life of a test ---- */

#define META                                                                 \
	"{\"universe\":[{\"szDecimals\":5,\"name\":\"BTC\"},{\"szDecimals\"" \
	":4,\"name\":\"ETH\"}]}"
#define ROLE "{\"role\":\"agent\",\"data\":{\"user\":\"" ME "\"}}"

static inline void
to_link(void)
{
	struct gwhl_now t = now();
	char time[64];

	gwhl_start(k.g, &t);
	(void)snprintf(time, sizeof(time),
	    "{\"specialStatuses\":null,\"time\":%llu}",
	    (unsigned long long)k.ms);
	answer("exchangeStatus", time);
	answer("\"meta\"", META);
	answer("userRole", ROLE);
	if (k.mode == PORT_BLOCKED)
		return;
	answer("extraAgents", "[]");
	gwhl_up(k.g, &t);
	say("{\"channel\":\"subscriptionResponse\",\"data\":{\"method\":"
	    "\"subscribe\",\"subscription\":{\"type\":\"orderUpdates\"}}}");
	say("{\"channel\":\"subscriptionResponse\",\"data\":{\"method\":"
	    "\"subscribe\",\"subscription\":{\"type\":\"userFills\"}}}");
}

static inline void
to_normal(const char *open)
{
	answer("userRateLimit",
	    "{\"cumVlm\":\"1.0\",\"nRequestsUsed\":10,\"nRequestsCap\":10000,"
	    "\"nRequestsSurplus\":0}");
	answer("\"clearinghouseState\"",
	    "{\"marginSummary\":{\"accountValue\":\"179.007426\"},"
	    "\"assetPositions\":[],\"time\":1}");
	answer("frontendOpenOrders", open);
	if (k.mode == PORT_BLOCKED)
		return;
	answer("userFillsByTime", "[]");
}

static inline void
again(void)
{
	struct instr in = {.symbol = "BTC",
	    .venue = VENUE_HYPERLIQUID,
	    .cls = CLASS_PERP,
	    .lot_qty = QTY(1000)};

	assert_true(gwhl_init(k.g, &k.set, k.book, &k.sink));
	assert_true(gwhl_market(k.g, INSTR, &in));
}

static inline int
setup_only(void **state)
{
	static const uint8_t blind[32] = {1};

	(void)state;
	memset(&k, 0, sizeof(k));
	k.g = calloc(1, sizeof(*k.g));
	k.book = calloc(1, sizeof(*k.book));
	assert_true(k.g != NULL && k.book != NULL);
	secp_init(&k.secp, blind);
	k.ms = NOW_MS;
	k.sink = (struct gwhl_sink){NULL, on_ws, on_http, on_drop, on_event,
	    on_mode, on_log, on_clock, on_position, on_touch};
	k.set = (struct gwhl_setup){.secp = &k.secp,
	    .key = key,
	    .mainnet = true,
	    .has_schedule = true,
	    .fill_poll_ns = UINT64_C(1000000000)};
	again();
	return 0;
}

static inline int
setup(void **state)
{
	(void)setup_only(state);
	to_link();
	to_normal("[]");
	assert_int_equal(k.mode, PORT_NORMAL);
	k.ev_n = 0;
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	secp_close(&k.secp);
	free(k.g);
	free(k.book);
	return 0;
}

#endif
