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

#define INSTR  ((uint16_t)INSTR_HL_BASE)
#define MS     UINT64_C(1000000)
#define NOW_MS UINT64_C(1790000000000)
#define ID     (UINT64_C(3) << 40 | 1)
#define EVENTS 64
#define SENT   64
#define ME     "0x14791697260e4c9a71f18484c9f997b308e59325"

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
	usd_t usd;
	uint64_t answered_ns;
	bool held; /* placements are refused */
	bool full; /* every frame is */
	uint32_t placing_n;
} k;

static inline struct gwhl_now
now(void)
{
	return (struct gwhl_now){k.ms * MS, (int64_t)(k.ms * MS)};
}

static inline enum reason
on_ws(void *user, const char *text, size_t n, bool places)
{
	(void)user;
	assert_true(k.out_n < SENT && n < HL_BODY_MAX);
	if (k.full || (k.held && places))
		return k.full ? REASON_BACKPRESSURE : REASON_FROZEN;
	k.placing_n += places;
	k.g->wrote_ns = k.ms * MS + 77;
	k.out[k.out_n].tag = 0;
	memcpy(k.out[k.out_n].body, text, n);
	k.out[k.out_n++].body[n] = '\0';
	return REASON_OK;
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
on_account(void *user, usd_t usd)
{
	(void)user;
	k.usd = usd;
}

static inline void
on_answered(void *user, uint64_t ns)
{
	(void)user;
	k.answered_ns = ns;
}

static inline void
on_touch(void *user, uint16_t instr, px_t bid, px_t ask)
{
	(void)user;
	assert_int_equal(instr, INSTR);
	k.bid = bid;
	k.ask = ask;
}

#include "tests/unit/gwhlsay.h"

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
	    on_mode, on_log, on_clock, on_position, on_account, on_answered,
	    on_touch};
	k.set = (struct gwhl_setup){.secp = &k.secp,
	    .key = key,
	    .mainnet = true,
	    .has_schedule = true,
	    .fill_poll_ns = UINT64_C(1000000000),
	    .check_ns = UINT64_C(45000000000)};
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
