/* links: feedd libvenue libshm libcore */
/*
 * Two lanes bring one stream, late, in any mixture, one with losses: what
 * readers rebuild is the server's book, each trade comes once, and no death
 * of one lane of two is a gap to them; with two lanes always, and with one
 * that is replaced at random moments. Seeded; PROP_SEED=n repeats one.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_pm.h"
#include "tests/prop/feed_net.h"

#define RUNS	 24u
#define STEPS	 1500u
#define TRADES_N 4096u
#define CENTS	 100u

enum way {
	WAY_AB = 1,
	WAY_AB_KILLED, /* a lane dies now and then */
	WAY_AB_LOSSY,  /* one lane loses messages */
	WAY_ROTATED,   /* one lane, replaced every few seconds */
	WAY_AB_ROTATED,
	WAY_N
};

/* The server. Prices in cents: bids 1..49, asks 51..99. */
static struct server {
	enum venue venue;
	int64_t ms; /* venue time */
	int64_t book_ms;
	uint64_t id;	   /* updates */
	uint64_t trade_id; /* trades so far */
	uint32_t qty[CENTS];
	uint32_t back_n;
	char back[30][160]; /* last trades, Hyperliquid */
	uint8_t told[TRADES_N];
} sv;

static struct net net;
static uint64_t seed_now;
static uint32_t kills; /* in all runs */

static uint16_t
idx(void)
{
	return sv.venue == VENUE_POLYMARKET ? IDX
	       : sv.venue == VENUE_BINANCE  ? INSTR_BN_BASE
					    : INSTR_HL_BASE;
}

static size_t
add(char *out, size_t at, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(out + at, NET_TEXT - at, format, ap);
	va_end(ap);
	assert_true(n >= 0 && at + (size_t)n < NET_TEXT);
	return at + (size_t)n;
}

/* Polymarket: both tokens, NO the mirror of YES. */
static void
pm_book_text(char *out, bool yes)
{
	size_t at = add(out, 0,
	    "{\"event_type\":\"book\",\"market\":\"" COND "\","
	    "\"asset_id\":\"%s\",\"timestamp\":\"%lld\"",
	    yes ? YES : NO, (long long)sv.book_ms);

	for (int side = 0; side < 2; side++) {
		const char *sep = "";

		at = add(out, at, side == 0 ? ",\"bids\":[" : "],\"asks\":[");
		for (uint32_t c = 1; c < CENTS; c++) {
			uint32_t mine = yes ? c : CENTS - c;

			if (sv.qty[mine] == 0 || (c < 50) != (side == 0))
				continue;
			at = add(out, at,
			    "%s{\"price\":\"0.%02u\",\"size\":\"%u\"}", sep, c,
			    sv.qty[mine]);
			sep = ",";
		}
	}
	add(out, at, "]}");
}

static void
pm_sent(struct net *n, uint32_t lane, const char *text)
{
	char out[NET_TEXT];

	if (strstr(text, "assets_ids") == NULL)
		return; /* a ping */
	if (strstr(text, "unsubscribe") != NULL) {
		n->lane[lane].subscribed = false;
		return;
	}
	n->lane[lane].subscribed = true;
	for (int i = 0; i < 2; i++) {
		pm_book_text(out, i == 0);
		net_tell_one(n, lane, out);
	}
}

static void
pm_level(uint32_t c)
{
	char out[NET_TEXT];
	bool bid = c < 50;
	bool array = net_below(&net, 3) == 0;

	sv.book_ms = sv.ms;
	add(out, 0,
	    "%s{\"event_type\":\"price_change\",\"market\":\"" COND "\","
	    "\"timestamp\":\"%lld\",\"price_changes\":[{\"asset_id\":\"" YES
	    "\",\"price\":\"0.%02u\",\"size\":\"%u\",\"side\":\"%s\"},"
	    "{\"asset_id\":\"" NO "\",\"price\":\"0.%02u\",\"size\":\"%u\","
	    "\"side\":\"%s\"}]}%s",
	    array ? "[" : "", (long long)sv.ms, c, sv.qty[c],
	    bid ? "BUY" : "SELL", CENTS - c, sv.qty[c], bid ? "SELL" : "BUY",
	    array ? "]" : "");
	net_tell(&net, out);
}

static void
pm_trade(void)
{
	char out[NET_TEXT];

	add(out, 0,
	    "{\"event_type\":\"last_trade_price\",\"market\":\"" COND "\","
	    "\"asset_id\":\"%s\",\"price\":\"0.51\",\"size\":\"%llu\","
	    "\"side\":\"BUY\",\"timestamp\":\"%lld\"}",
	    net_below(&net, 2) ? YES : NO, (unsigned long long)sv.trade_id,
	    (long long)sv.ms);
	net_tell(&net, out);
	sv.book_ms = sv.ms;
	for (int i = 0; i < 2; i++) {
		pm_book_text(out, i == 0);
		net_tell(&net, out);
	}
}

static void
bn_ticker(void)
{
	char out[NET_TEXT];
	uint32_t bid = 49;
	uint32_t ask = 51;

	while (bid > 0 && sv.qty[bid] == 0)
		bid--;
	while (ask < CENTS - 1 && sv.qty[ask] == 0)
		ask++;
	add(out, 0,
	    "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":%llu,"
	    "\"s\":\"BTCUSDT\",\"b\":\"%u\",\"B\":\"%u\",\"a\":\"%u\","
	    "\"A\":\"%u\"}}",
	    (unsigned long long)sv.id, bid, sv.qty[bid], ask, sv.qty[ask]);
	net_tell(&net, out);
}

static void
bn_level(uint32_t c)
{
	char out[NET_TEXT];
	char level[64];

	sv.id++;
	add(level, 0, "[\"%u\",\"%u\"]", c, sv.qty[c]);
	add(out, 0,
	    "{\"stream\":\"btcusdt@depth\",\"data\":{"
	    "\"e\":\"depthUpdate\",\"E\":%lld000,\"s\":\"BTCUSDT\","
	    "\"U\":%llu,\"u\":%llu,\"b\":[%s],\"a\":[%s]}}",
	    (long long)sv.ms, (unsigned long long)sv.id,
	    (unsigned long long)sv.id, c < 50 ? level : "",
	    c < 50 ? "" : level);
	bn_ticker();
	net_tell(&net, out);
}

static void
bn_trade(void)
{
	char out[NET_TEXT];

	add(out, 0,
	    "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\","
	    "\"E\":%lld000,\"s\":\"BTCUSDT\",\"t\":%llu,\"p\":\"50\","
	    "\"q\":\"%llu\",\"T\":%lld000,\"m\":true}}",
	    (long long)sv.ms, (unsigned long long)sv.trade_id,
	    (unsigned long long)sv.trade_id, (long long)sv.ms);
	net_tell(&net, out);
}

static void
bn_asked(struct net *n, const struct rig_act *a)
{
	char out[NET_TEXT];
	size_t at =
	    add(out, 0, "{\"lastUpdateId\":%llu", (unsigned long long)sv.id);

	for (int side = 0; side < 2; side++) {
		const char *sep = "";

		at = add(out, at, side == 0 ? ",\"bids\":[" : "],\"asks\":[");
		for (uint32_t c = 1; c < CENTS; c++) {
			if (sv.qty[c] == 0 || (c < 50) != (side == 0))
				continue;
			at = add(
			    out, at, "%s[\"%u\",\"%u\"]", sep, c, sv.qty[c]);
			sep = ",";
		}
	}
	at = add(out, at, "]}");
	rig_http(n->r, a->a.tag, 200, out, at);
}

static size_t
hl_book_text(char *out)
{
	size_t at = add(out, 0,
	    "{\"channel\":\"l2Book\",\"data\":{\"coin\":\"BTC\","
	    "\"time\":%lld,\"levels\":[[",
	    (long long)sv.ms);
	const char *sep = "";

	for (uint32_t c = 49; c > 0; c--)
		if (sv.qty[c] != 0) {
			at = add(out, at,
			    "%s{\"px\":\"%u\",\"sz\":\"%u\",\"n\":1}", sep, c,
			    sv.qty[c]);
			sep = ",";
		}
	at = add(out, at, "],[");
	sep = "";
	for (uint32_t c = 51; c < CENTS; c++)
		if (sv.qty[c] != 0) {
			at = add(out, at,
			    "%s{\"px\":\"%u\",\"sz\":\"%u\",\"n\":1}", sep, c,
			    sv.qty[c]);
			sep = ",";
		}
	return add(out, at, "]]}}");
}

static void
hl_sent(struct net *n, uint32_t lane, const char *text)
{
	char out[NET_TEXT];
	size_t at;

	if (strstr(text, "subscribe") == NULL)
		return;
	n->lane[lane].subscribed = true;
	if (strstr(text, "l2Book") != NULL) {
		hl_book_text(out);
		net_tell_one(n, lane, out);
	}
	if (strstr(text, "trades") == NULL || sv.back_n == 0)
		return;
	at = add(out, 0, "{\"channel\":\"trades\",\"data\":[");
	for (uint32_t i = sv.back_n > 10 ? sv.back_n - 10 : 0; i < sv.back_n;
	     i++)
		at = add(out, at, "%s%s",
		    i == 0 || (sv.back_n > 10 && i == sv.back_n - 10) ? ""
								      : ",",
		    sv.back[i % 30]);
	add(out, at, "]}");
	net_tell_one(n, lane, out);
}

static void
hl_level(uint32_t c)
{
	char out[NET_TEXT];

	(void)c;
	sv.ms++;
	hl_book_text(out);
	net_tell(&net, out);
}

static void
hl_trade(void)
{
	char out[NET_TEXT];
	char *one = sv.back[sv.back_n++ % 30];

	snprintf(one, 160,
	    "{\"coin\":\"BTC\",\"side\":\"A\",\"px\":\"50\",\"sz\":\"%llu\","
	    "\"time\":%lld,\"hash\":\"0x0\",\"tid\":%llu}",
	    (unsigned long long)sv.trade_id, (long long)sv.ms,
	    (unsigned long long)sv.trade_id * 7919);
	add(out, 0, "{\"channel\":\"trades\",\"data\":[%s]}", one);
	net_tell(&net, out);
}

static void
other_asked(struct net *n, const struct rig_act *a)
{
	static const char meta[] =
	    "{\"universe\":[{\"szDecimals\":5,\"name\":\"BTC\"}]}";

	if (sv.venue == VENUE_HYPERLIQUID)
		rig_http(n->r, a->a.tag, 200, meta, strlen(meta));
	else
		rig_boot_answer(n->r, a, list);
}

static void
act_once(void)
{
	uint32_t c = 30 + net_below(&net, 40);

	sv.ms += net_below(&net, 3) == 0 ? 0 : net_below(&net, 4);
	if (net_below(&net, 6) == 0) {
		sv.trade_id++;
		assert_true(sv.trade_id < TRADES_N);
		if (sv.venue == VENUE_POLYMARKET)
			pm_trade();
		else if (sv.venue == VENUE_BINANCE)
			bn_trade();
		else
			hl_trade();
		return;
	}
	c += c == 50;
	sv.qty[c] = net_below(&net, 3) == 0 && c != 49 && c != 51
			? 0
			: 1 + net_below(&net, 50);
	if (sv.venue == VENUE_POLYMARKET)
		pm_level(c);
	else if (sv.venue == VENUE_BINANCE)
		bn_level(c);
	else
		hl_level(c);
}

static void
note_trades(struct rig *r)
{
	for (size_t i = 0; i < r->tick_n; i++) {
		const struct tick *t = &r->tick[i];
		int64_t id = t->u.trade.qty.e8 / E8;

		if (getenv("DBG") &&
		    (t->hdr.kind == TICK_GAP || t->hdr.kind == TICK_CONN))
			printf("now %llu kind %d instr %d scope %d reason %d "
			       "conn %d\n",
			    (unsigned long long)t->hdr.recv_ns, t->hdr.kind,
			    t->hdr.instr, t->u.gap.scope, t->u.gap.reason,
			    t->u.gap.conn);
		if (t->hdr.kind != TICK_TRADE)
			continue;
		assert_true(id > 0 && id < (int64_t)TRADES_N);
		sv.told[id]++;
	}
	r->tick_n = 0;
}

static void
same_book(struct rig *r)
{
	const struct rig_reader *x = rig_reader(&r->read, idx());
	int64_t unit = sv.venue == VENUE_POLYMARKET ? E8 / 100 : E8;

	assert_true(x->has_book && x->has_bbo);
	for (uint32_t c = 1; c < CENTS; c++) {
		enum side s = c < 50 ? SIDE_BID : SIDE_ASK;

		if (c != 50)
			assert_int_equal(
			    book_qty_at(&x->book, s, PX(c * unit)).e8,
			    sv.qty[c] * E8);
	}
}

static struct rig *
begin(enum venue v, enum way way, uint64_t seed)
{
	struct rig *r = rig_open();
	bool ab = way != WAY_ROTATED;
	int64_t rotate = way == WAY_ROTATED || way == WAY_AB_ROTATED
			     ? 5 * NS_PER_S + (int64_t)(seed % 7) * 500000000
			     : 0;
	char why[CFG_WHY_SZ];

	memset(&sv, 0, sizeof(sv));
	sv.venue = v;
	sv.ms = 1777428650000;
	sv.id = 1000;
	for (uint32_t c = 40; c < 61; c++)
		sv.qty[c] = c == 50 ? 0 : 5;
	r->rng = seed;
	r->read.touch_apart = v != VENUE_POLYMARKET;
	r->cfg.polymarket_ab = ab;
	r->cfg.binance_ab = ab;
	r->cfg.hyperliquid_ab = ab;
	r->cfg.polymarket_idle_s.ns = 3600 * NS_PER_S;
	r->cfg.binance_idle_s.ns = 3600 * NS_PER_S;
	r->cfg.hyperliquid_idle_s.ns = 3600 * NS_PER_S;
	r->cfg.polymarket_rotate.ns = rotate;
	r->cfg.binance_rotate.ns = rotate;
	r->cfg.hyperliquid_rotate.ns = rotate;
	r->cfg.polymarket_rtds_symbols.n = 0;
	assert_true(cfg_set(
	    &r->cfg, CFG_KEY_binance_streams, "trade, bookTicker, depth", why));
	assert_true(cfg_set(&r->cfg, CFG_KEY_hyperliquid_coins, "BTC", why));
	net_open(&net, r, seed);
	net.sent = v == VENUE_POLYMARKET ? pm_sent : hl_sent;
	net.asked = v == VENUE_BINANCE ? bn_asked : other_asked;
	if (way == WAY_AB_LOSSY)
		net.lane[1].loss = 12;
	rig_start(r, v);
	net_acts(&net);
	return r;
}

/* Binance's connections carry their streams from the first moment. */
static void
subscribe_by_address(void)
{
	for (uint32_t i = 0; i < NET_LANES && sv.venue == VENUE_BINANCE; i++)
		net.lane[i].subscribed = net.lane[i].up;
}

/* READY for so long that nothing from before is under way any more. */
static bool
both_ready(struct rig *r)
{
	for (uint32_t i = 0; i < NET_LANES; i++) {
		const struct link *l = feed_link(r->f, net_conn(i));

		if (!net.lane[i].up || l->state != LINK_READY ||
		    r->now_ns < l->ready_ns + 500 * NET_MS)
			return false;
	}
	return true;
}

static void
live(enum venue v, enum way way, uint64_t seed)
{
	struct rig *r = begin(v, way, seed);
	uint64_t gaps;
	uint64_t from;

	for (uint32_t i = 0; i < 400; i++) { /* until it flows */
		net_pass(&net, 3 * NET_MS);
		subscribe_by_address();
		if (net_below(&net, 3) == 0)
			act_once();
	}
	net_pass(&net, 500 * NET_MS);
	assert_true(feed_is_ready(r->f));
	note_trades(r);
	gaps = feed_stats(r->f)->gaps;
	from = sv.trade_id;
	for (uint32_t i = 0; i < STEPS; i++) {
		net_pass(&net, net_below(&net, 24) * NET_MS);
		subscribe_by_address();
		if (getenv("DBG"))
			for (int k = 0; k < 2; k++)
				if (feed_link(r->f, (uint8_t)(8 * k))->state !=
				    LINK_READY)
					printf("now %llu lane %d st %d\n",
					    (unsigned long long)r->now_ns, k,
					    feed_link(r->f, (uint8_t)(8 * k))
						->state);
		act_once();
		if (way == WAY_AB_KILLED && net_below(&net, 60) == 0 &&
		    both_ready(r) && !net_is_answering(&net)) {
			net_cut(&net, net_below(&net, NET_LANES));
			kills++;
		}
		note_trades(r);
	}
	for (int i = 0; i < 8; i++) { /* until all is quiet and equal */
		net.lane[1].loss = 0;
		subscribe_by_address();
		net_pass(&net, 700 * NET_MS);
	}
	act_once();
	net_pass(&net, 500 * NET_MS);
	note_trades(r);
	same_book(r);
	for (uint64_t id = from + 1; id <= sv.trade_id; id++)
		assert_int_equal(sv.told[id], 1);
	if (way != WAY_AB_LOSSY || v != VENUE_POLYMARKET)
		assert_int_equal(feed_stats(r->f)->gaps, gaps);
	if (way == WAY_ROTATED || way == WAY_AB_ROTATED)
		assert_true(feed_link(r->f, 8)->opens > 1);
	rig_step(r, FEED_EV_STOP, 0);
	net_close(&net);
	rig_close(r);
}

static void
lives(enum venue v)
{
	const char *text = getenv("PROP_SEED");
	uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : 20261121;
	uint64_t runs = text != NULL ? 1 : RUNS;

	kills = 0;
	for (uint64_t s = seed; s < seed + runs; s++) {
		seed_now = s;
		live(v, (enum way)(1 + s % (WAY_N - 1)), s);
	}
	seed_now = 0;
	assert_true(text != NULL || kills > 20);
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
		printf("PROP_SEED=%llu way %llu\n",
		    (unsigned long long)seed_now,
		    (unsigned long long)(1 + seed_now % (WAY_N - 1)));
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
