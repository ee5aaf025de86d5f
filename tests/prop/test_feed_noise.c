/* links: feedd libvenue libshm libcore */
/*
 * Random lives of a feed: true frames, mutilated ones, connections that come
 * and go, timers, resyncs, answers that fail. Whatever comes, the core lives,
 * and its ticks keep the promises that feed_reader.h checks; two equal lives
 * end in equal hashes. Seeded; PROP_SEED=n repeats one.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_rig.h"

#define RUNS  40u
#define STEPS 400u
#define YES   "1000000000000000000001"
#define NO    "2000000000000000000002"
#define COND \
	"0x1111111111111111111111111111111111111111111111111111111111111111"

static uint64_t seed_now;
static uint64_t rng;
static uint64_t id; /* of Binance's messages */

static uint32_t
below(uint32_t n)
{
	rng = hash_u64(rng, 7);
	return (uint32_t)((rng >> 16) % n);
}

/* Cents of a bid or an ask; sometimes they cross. */
static unsigned
cents(bool bid)
{
	return bid ? 30 + below(21) : 49 + below(20);
}

static void
levels(char *out, size_t cap, bool bid)
{
	size_t at = 0;
	unsigned n = below(6);

	out[0] = '\0';
	for (unsigned i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, cap - at,
		    "%s{\"price\":\"0.%02u\",\"size\":\"%u\"}",
		    i == 0 ? "" : ",", bid ? 40 + i : 60 - i, 1 + below(9));
}

static void
pm_text(char *out, size_t cap)
{
	uint64_t ms = UINT64_C(1777428650000) + below(3000);
	const char *token = below(2) ? YES : NO;
	bool bid = below(2) != 0;
	unsigned px = cents(bid);
	unsigned qty = below(3) ? below(50) : 0;
	char bids[512];
	char asks[512];

	levels(bids, sizeof(bids), true);
	levels(asks, sizeof(asks), false);
	switch (below(8)) {
	case 0:
	case 1:
		snprintf(out, cap,
		    "{\"event_type\":\"book\",\"market\":\"" COND
		    "\",\"asset_id\":\"%s\",\"timestamp\":\"%llu\","
		    "\"bids\":[%s],\"asks\":[%s]}",
		    token, (unsigned long long)ms, bids, asks);
		break;
	case 2:
		snprintf(out, cap,
		    "{\"event_type\":\"tick_size_change\",\"market\":\"" COND
		    "\",\"asset_id\":\"%s\",\"old_tick_size\":\"0.01\","
		    "\"new_tick_size\":\"0.0%s1\",\"timestamp\":\"%llu\"}",
		    token, below(2) ? "0" : "", (unsigned long long)ms);
		break;
	case 3:
		snprintf(out, cap,
		    "{\"event_type\":\"last_trade_price\",\"market\":\"" COND
		    "\",\"asset_id\":\"%s\",\"price\":\"0.%02u\","
		    "\"size\":\"5\",\"side\":\"SELL\",\"timestamp\":\"%llu\"}",
		    token, px, (unsigned long long)ms);
		break;
	default:
		snprintf(out, cap,
		    "{\"event_type\":\"price_change\",\"market\":\"" COND
		    "\",\"timestamp\":\"%llu\",\"price_changes\":["
		    "{\"asset_id\":\"" YES "\",\"price\":\"0.%02u\","
		    "\"size\":\"%u\",\"side\":\"%s\"},{\"asset_id\":\"" NO
		    "\",\"price\":\"0.%02u\",\"size\":\"%u\","
		    "\"side\":\"%s\"}]}",
		    (unsigned long long)ms, px, qty, bid ? "BUY" : "SELL",
		    100 - px, qty, bid ? "SELL" : "BUY");
	}
}

static void
bn_text(char *out, size_t cap)
{
	id = below(20) == 0 ? id + below(5) : id + 1;
	switch (below(3)) {
	case 0:
		snprintf(out, cap,
		    "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\","
		    "\"E\":1723161601438,\"s\":\"BTCUSDT\",\"t\":%llu,"
		    "\"p\":\"%u.5\",\"q\":\"0.1\",\"T\":1723161601437,"
		    "\"m\":true}}",
		    (unsigned long long)id, 100 + below(9));
		break;
	case 1:
		snprintf(out, cap,
		    "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":%llu,"
		    "\"s\":\"BTCUSDT\",\"b\":\"%u\",\"B\":\"1\",\"a\":\"%u\","
		    "\"A\":\"2\"}}",
		    (unsigned long long)id, 90 + below(9), 100 + below(9));
		break;
	default:
		snprintf(out, cap,
		    "{\"stream\":\"btcusdt@depth\",\"data\":{"
		    "\"e\":\"depthUpdate\",\"E\":1723161601500,"
		    "\"s\":\"BTCUSDT\",\"U\":%llu,\"u\":%llu,"
		    "\"b\":[[\"%u\",\"%u\"]],\"a\":[[\"%u\",\"%u\"]]}}",
		    (unsigned long long)id, (unsigned long long)id,
		    90 + below(10), below(3), 99 + below(10), below(3));
	}
}

static void
hl_text(char *out, size_t cap)
{
	uint64_t ms = UINT64_C(1790231000000) + below(3000);
	unsigned bid = 90 + below(10);
	unsigned ask = 99 + below(10);

	switch (below(3)) {
	case 0:
		snprintf(out, cap,
		    "{\"channel\":\"bbo\",\"data\":{\"coin\":\"BTC\","
		    "\"time\":%llu,\"bbo\":[{\"px\":\"%u\",\"sz\":\"1\"},"
		    "%s]}}",
		    (unsigned long long)ms, bid,
		    below(2) ? "null" : "{\"px\":\"150\",\"sz\":\"2\"}");
		break;
	case 1:
		snprintf(out, cap,
		    "{\"channel\":\"l2Book\",\"data\":{\"coin\":\"BTC\","
		    "\"time\":%llu,\"levels\":[[{\"px\":\"%u\",\"sz\":\"%u\"},"
		    "{\"px\":\"50\",\"sz\":\"1\"}],[{\"px\":\"%u\","
		    "\"sz\":\"1\"}]]}}",
		    (unsigned long long)ms, bid, below(3), ask);
		break;
	default:
		snprintf(out, cap,
		    "{\"channel\":\"trades\",\"data\":[{\"coin\":\"BTC\","
		    "\"side\":\"A\",\"px\":\"%u\",\"sz\":\"1\",\"time\":%llu,"
		    "\"hash\":\"0x0\",\"tid\":%u}]}",
		    bid, (unsigned long long)ms, below(500));
	}
}

static void
frame(struct rig *r, enum venue v)
{
	char text[4096];
	size_t n;

	if (v == VENUE_POLYMARKET)
		pm_text(text, sizeof(text));
	else if (v == VENUE_BINANCE)
		bn_text(text, sizeof(text));
	else
		hl_text(text, sizeof(text));
	n = strlen(text);
	if (below(8) == 0)
		text[below((uint32_t)n)] = (char)below(256);
	if (below(20) == 0)
		n = below((uint32_t)n);
	rig_frame_n(
	    r, below(30) == 0 ? (uint8_t)below(FEED_CONN_N) : 0, text, n);
}

/* What the core last asked over HTTP, answered well or badly. */
static void
answer(struct rig *r, enum venue v)
{
	static const char pm[] =
	    "[{\"conditionId\":\"" COND
	    "\",\"slug\":\"btc-updown-15m-1777514400\","
	    "\"resolutionSource\":\"https://data.chain.link/streams/btc-usd\","
	    "\"description\":\"Chainlink: greater than or equal to\","
	    "\"eventStartTime\":\"2026-04-30T02:00:00Z\","
	    "\"endDate\":\"2026-04-30T02:15:00Z\",\"enableOrderBook\":true,"
	    "\"outcomes\":[\"Up\",\"Down\"],\"clobTokenIds\":[\"" YES "\",\"" NO
	    "\"],\"orderPriceMinTickSize\":0.01,"
	    "\"acceptingOrders\":true}]";
	static const char hl[] =
	    "{\"universe\":[{\"szDecimals\":5,\"name\":\"BTC\"}]}";
	struct rig_act *get = rig_last(r, FEED_GET, -1);
	char bn[256];
	const char *body = v == VENUE_POLYMARKET ? pm : hl;

	if (get == NULL)
		return;
	get->a.what = FEED_LOG; /* answered once */
	if (v == VENUE_BINANCE) {
		snprintf(bn, sizeof(bn),
		    "{\"lastUpdateId\":%u,\"bids\":[[\"95\",\"1\"]],"
		    "\"asks\":[[\"105\",\"2\"]]}",
		    below(400));
		body = bn;
	}
	if (strstr(get->url, "/time") != NULL)
		body = "1777428641";
	if (below(5) == 0)
		rig_http(r, get->a.tag, below(2) ? 500 : 0, "", 0);
	else
		rig_http(r, get->a.tag, 200, body, strlen(body));
}

static void
connect_all(struct rig *r)
{
	for (uint8_t c = 0; c < FEED_CONN_N; c++) {
		struct rig_act *want = rig_last(r, FEED_OPEN, c);

		if (want == NULL)
			continue;
		want->a.what = FEED_LOG;
		if (below(4) == 0)
			rig_down(r, c, 0);
		else
			rig_step(r, FEED_EV_UP, c);
	}
}

static uint64_t
live(enum venue v, uint64_t seed)
{
	struct rig *r = rig_open();
	char why[CFG_WHY_SZ];
	uint64_t h;

	rng = seed;
	id = 1;
	r->rng = seed;
	r->read.touch_apart = v != VENUE_POLYMARKET;
	r->forget_ticks = true;
	assert_true(cfg_set(
	    &r->cfg, CFG_KEY_binance_streams, "trade, bookTicker, depth", why));
	rig_start(r, v);
	for (uint32_t i = 0; i < STEPS; i++) {
		uint32_t what = below(40);

		if (what < 4)
			answer(r, v);
		else if (what < 8)
			connect_all(r);
		else if (what < 10)
			rig_pass(r, (uint64_t)below(3000) * 1000000);
		else if (what == 10)
			rig_down(r, (uint8_t)below(FEED_CONN_N), 1006);
		else if (what == 11)
			rig_resync(r, below(2) ? RING_FULL : RING_TOP);
		else if (what == 12)
			rig_step(r, FEED_EV_PONG, (uint8_t)below(FEED_CONN_N));
		else
			frame(r, v);
		r->now_ns += below(2000000);
	}
	h = feed_hash(r->f);
	rig_step(r, FEED_EV_STOP, 0);
	rig_close(r);
	return h;
}

static void
lives(enum venue v)
{
	const char *text = getenv("PROP_SEED");
	uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : 20261121;
	uint64_t runs = text != NULL ? 1 : RUNS;

	for (seed_now = seed; seed_now < seed + runs; seed_now++) {
		uint64_t h = live(v, seed_now);

		assert_int_equal(h, live(v, seed_now));
	}
	seed_now = 0;
}

static void
polymarket(void **state)
{
	(void)state;
	lives(VENUE_POLYMARKET);
}

static void
binance(void **state)
{
	(void)state;
	lives(VENUE_BINANCE);
}

static void
hyperliquid(void **state)
{
	(void)state;
	lives(VENUE_HYPERLIQUID);
}

static int
tell_seed(void **state)
{
	(void)state;
	if (seed_now != 0)
		printf("PROP_SEED=%llu\n", (unsigned long long)seed_now);
	seed_now = 0;
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(polymarket, tell_seed),
	    cmocka_unit_test_teardown(binance, tell_seed),
	    cmocka_unit_test_teardown(hyperliquid, tell_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
