/*
 * Binance, live: the rules of recorded streams (binance.c), on the world's
 * frames; the book begins with a snapshot of the world's.
 */
#include <stddef.h>
#include <string.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/json.h"
#include "simvenue/live.h"

#define DEPTH_TEXT   16384
#define PING_MS	     20000
#define BN_LIMIT     500u
#define BN_LIMIT_MAX 1000u
#define BAD_SYMBOL   "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}"
#define BAD_INTERVAL "{\"code\":-1120,\"msg\":\"Invalid interval.\"}"

struct live_bn {
	_Alignas(max_align_t) struct live *live;
	char depth[DEPTH_TEXT];
	struct candle candles[BN_LIMIT_MAX]; /* scratch of one question */
};

static void *
under(void *state)
{
	return (struct live_bn *)state + 1;
}

static void
bn_attach(void *state, struct live *live)
{
	struct live_bn *s = state;
	struct sim_frame f = {.kind = SIM_BN_DEPTH, .key = "BTCUSDT"};
	struct text t;

	s->live = live;
	text_init(&t, s->depth, sizeof(s->depth));
	world_put_depth(&live->w, &t);
	f.text = s->depth;
	f.n = (uint32_t)text_end(&t);
	CHECK(f.n > 0);
	sim_binance.apply(under(s), &f);
}

static void
bn_apply(void *state, const struct sim_frame *f)
{
	sim_binance.apply(under(state), f);
}

static bool
bn_open(void *state, void *sub, struct http_text path, struct http_text query)
{
	return sim_binance.open(under(state), sub, path, query);
}

static bool
bn_is_active(const void *sub)
{
	return sim_binance.is_active(sub);
}

static void
bn_receive(
    void *state, void *sub, const char *text, size_t n, struct sim_out *out)
{
	sim_binance.receive(under(state), sub, text, n, out);
}

static void
bn_select(
    void *state, void *sub, const struct sim_frame *f, struct sim_out *out)
{
	sim_binance.select(under(state), sub, f, out);
}

static uint64_t
number_of(const struct sim_request *r, const char *key, uint64_t otherwise)
{
	char arg[24];
	uint64_t v;
	int n = http_query_get(r->query, key, arg, sizeof(arg));

	if (n <= 0 ||
	    !json_text_u64((struct json_str){.s = arg, .n = (uint32_t)n}, &v))
		return otherwise;
	return v;
}

static void
answer_klines(struct live_bn *s, const struct sim_request *r,
    const struct world_bn_ask *q, struct sim_answer *a)
{
	char name[CANDLE_NAME_MAX + 1];
	int n = http_query_get(r->query, "interval", name, sizeof(name));
	uint64_t ms = n > 0 ? candle_ms(name, (size_t)n) : 0;

	if (ms == 0) {
		sim_answer_lit(a, 400, BAD_INTERVAL);
		return;
	}
	world_put_klines(&s->live->w, q, ms, s->candles, &a->body);
}

/* What only a live world knows. False: another question. */
static bool
answer_live(
    struct live_bn *s, const struct sim_request *r, struct sim_answer *a)
{
	static const char *const paths[] = {"/api/v3/trades",
	    "/api/v3/aggTrades", "/api/v3/ticker/bookTicker",
	    "/api/v3/ticker/price", "/api/v3/klines"};
	uint64_t limit = number_of(r, "limit", BN_LIMIT);
	struct world_bn_ask q = {
	    .limit =
		(uint32_t)(limit == 0 || limit > BN_LIMIT_MAX ? BN_LIMIT_MAX
							      : limit),
	    .from_id = number_of(r, "fromId", 0),
	    .from_ms = number_of(r, "startTime", 0),
	    .to_ms = number_of(r, "endTime", 0)};
	char symbol[SIM_KEY_MAX];
	size_t which = 0;

	while (which < sizeof(paths) / sizeof(paths[0]) &&
	       !http_text_is(r->path, paths[which]))
		which++;
	if (which == sizeof(paths) / sizeof(paths[0]) ||
	    !http_text_is(r->method, "GET"))
		return false;
	if (http_query_get(r->query, "symbol", symbol, sizeof(symbol)) <= 0 ||
	    strcmp(symbol, "BTCUSDT") != 0) {
		sim_answer_lit(a, 400, BAD_SYMBOL);
		return true;
	}
	a->status = 200;
	if (which < 2)
		world_put_bn_trades(&s->live->w, &q, which == 1, &a->body);
	else if (which < 4)
		world_put_bn_ticker(&s->live->w, which == 3, &a->body);
	else
		answer_klines(s, r, &q, a);
	return true;
}

static void
bn_request(void *state, const struct sim_request *r, struct sim_answer *a)
{
	if (!answer_live(state, r, a))
		sim_binance.request(under(state), r, a);
}

static enum sim_conn
bn_conn(const void *sub)
{
	return sim_binance.conn(sub);
}

const struct sim_venue_ops live_binance = {
    .venue = VENUE_BINANCE,
    .under = &sim_binance,
    .state_sz = sizeof(struct live_bn),
    .ws_ping_ms = PING_MS,
    .attach = bn_attach,
    .apply = bn_apply,
    .conn = bn_conn,
    .open = bn_open,
    .is_active = bn_is_active,
    .receive = bn_receive,
    .select = bn_select,
    .request = bn_request,
};
