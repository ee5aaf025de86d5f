/* links: simvenue libvenue libsys libshm libcore */
/*
 * What each simulated venue answers and passes on, over the shipped captures
 * and, where present, the recordings below RM_DATA.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libvenue/binance.h"
#include "libvenue/gamma.h"
#include "libvenue/hyperliquid.h"
#include "simvenue/capture_io.h"
#include "simvenue/polymarket.h"
#include "simvenue/venue.h"
#include "tests/unit/contract.h"

#define SHIPPED "simvenue/captures"

static struct captures shipped;
static char *out_buf;
static char data_dir[512];

static int
open_all(void **state)
{
	char err[CAPTURES_ERROR_MAX] = "";
	const char *env = getenv("RM_DATA");
	(void)state;
	out_buf = malloc(SIM_OUT_SZ);
	captures_init(&shipped);
	if (out_buf == NULL || captures_add(&shipped, SHIPPED, err) != 0 ||
	    captures_done(&shipped, err) != 0) {
		print_error("%s\n", err);
		return -1;
	}
	(void)snprintf(data_dir, sizeof(data_dir), "%s",
	    env != NULL ? env : "../shared/data");
	if (access(data_dir, R_OK) != 0)
		data_dir[0] = '\0';
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	captures_free(&shipped);
	free(out_buf);
	return 0;
}

static void
load_data(struct captures *c, const char *venue, const char *path)
{
	char spec[1024];
	char err[CAPTURES_ERROR_MAX] = "";
	if (data_dir[0] == '\0') {
		print_message("skipped: no recordings at RM_DATA\n");
		skip();
	}
	(void)snprintf(spec, sizeof(spec), "%s%s/%s", venue, data_dir, path);
	captures_init(c);
	if (captures_add(c, spec, err) != 0 || captures_done(c, err) != 0)
		fail_msg("%s", err);
}

/* ---- Polymarket ---- */

struct hash_count {
	unsigned books;
	unsigned books_ok;
	unsigned changes;
	unsigned changes_ok;
	unsigned same_text; /* recorded REST books written out the same */
	unsigned rest;
};

static void
count_books(struct sim_pm *s, const struct sim_frame *f, struct hash_count *n)
{
	static struct pm_event ev;
	char hash[PM_HASH_LEN];
	struct pm_frame frame;
	enum pm_kind kind;
	pm_frame_init(&frame, f->text, f->n);
	while ((kind = pm_next(&frame, &ev)) != PM_END) {
		if (kind == PM_ERR)
			fail_msg("%.*s", (int)f->n, f->text);
		if (kind != PM_BOOK)
			continue;
		int i = sim_pm_find(s, &ev.token);
		assert_true(i >= 0);
		pm_hash_event(&ev, &s->assets[i].meta, hash);
		n->books++;
		n->books_ok += memcmp(hash, ev.hash, PM_HASH_LEN) == 0;
		if (f->kind != SIM_PM_BOOK)
			continue;
		struct text t;
		text_init(&t, out_buf, SIM_OUT_SZ);
		sim_pm_put_book(s, (uint32_t)i, false, &t);
		n->rest++;
		n->same_text +=
		    text_end(&t) == f->n && memcmp(out_buf, f->text, f->n) == 0;
	}
}

/* After a change the book we write has the hash the change announced. */
static void
count_changes(struct sim_pm *s, const struct sim_frame *f, struct hash_count *n)
{
	static struct pm_event ev;
	struct pm_frame frame;
	enum pm_kind kind;
	pm_frame_init(&frame, f->text, f->n);
	while ((kind = pm_next(&frame, &ev)) != PM_END && kind != PM_ERR) {
		for (uint32_t k = 0;
		     kind == PM_PRICE_CHANGE && k < ev.changes_n; k++) {
			struct text t;
			int i = sim_pm_find(s, &ev.changes[k].token);
			if (i < 0 || !s->assets[i].has_book)
				continue;
			text_init(&t, out_buf, SIM_OUT_SZ);
			sim_pm_put_book(s, (uint32_t)i, false, &t);
			(void)text_end(&t);
			n->changes++;
			n->changes_ok +=
			    memmem(out_buf, t.n, ev.changes[k].hash,
				PM_HASH_LEN) != NULL;
		}
	}
}

static struct hash_count
replay_polymarket(const struct captures *c)
{
	struct hash_count n = {0};
	const struct sim_timeline *t = &c->timelines[VENUE_POLYMARKET];
	struct sim_pm *s = calloc(1, sizeof(*s));
	assert_non_null(s);
	for (size_t i = 0; i < t->n; i++) {
		const struct sim_frame *f = &t->frames[i];
		sim_polymarket.apply(s, f);
		if (f->kind == SIM_PM_RTDS)
			continue;
		count_books(s, f, &n);
		count_changes(s, f, &n);
	}
	free(s);
	return n;
}

static void
test_shipped_hashes(void **state)
{
	(void)state;
	assert_int_equal(shipped.bad_line_n, 0);
	struct hash_count n = replay_polymarket(&shipped);
	assert_true(n.books > 200);
	assert_int_equal(n.books_ok, n.books);
	assert_true(n.changes > 400);
	assert_int_equal(n.changes_ok, n.changes);
	assert_int_equal(n.rest, 4);
	assert_int_equal(n.same_text, n.rest);
}

static void
test_recorded_books_come_back(void **state)
{
	struct captures c;
	(void)state;
	load_data(&c, "polymarket:",
	    "aligned/updown15m_captures/cap_20260429T0210.jsonl.gz");
	struct hash_count n = replay_polymarket(&c);
	assert_int_equal(n.books_ok, n.books);
	assert_int_equal(n.rest, 360);
	assert_int_equal(n.same_text, n.rest);
	captures_free(&c);
}

/* The state at the start of the shipped capture, and one subscriber. */
struct stand {
	const struct sim_venue_ops *ops;
	const struct sim_timeline *t;
	void *state;
	void *sub;
	struct sim_out out;
};

static struct stand
stand_open(const struct sim_venue_ops *ops, const char *path, const char *query)
{
	struct stand s = {.ops = ops, .t = &shipped.timelines[ops->venue]};
	s.state = calloc(1, ops->state_sz);
	s.sub = calloc(1, ops->sub_sz);
	assert_non_null(s.state);
	assert_non_null(s.sub);
	ops->reset(s.state);
	for (size_t i = 0; i < s.t->n; i++)
		ops->prime(s.state, &s.t->frames[i]);
	if (!ops->open(s.state, s.sub, (struct http_text){path, strlen(path)},
		(struct http_text){query, strlen(query)}))
		fail_msg("%s?%s refused", path, query);
	sim_out_init(&s.out, out_buf);
	return s;
}

static void
stand_close(struct stand *s)
{
	free(s->state);
	free(s->sub);
}

/* Send a text; the only message that comes back, or "" for none. */
static const char *
say(struct stand *s, const char *text)
{
	sim_out_init(&s->out, out_buf);
	s->ops->receive(s->state, s->sub, text, strlen(text), &s->out);
	if (s->out.msg_n == 0)
		return "";
	return s->out.buf + s->out.msgs[0].at;
}

static unsigned
count_selected(struct stand *s, enum sim_kind kind)
{
	unsigned n = 0;
	for (size_t i = 0; i < s->t->n; i++) {
		if (kind != 0 && s->t->frames[i].kind != kind)
			continue;
		sim_out_init(&s->out, out_buf);
		s->ops->select(s->state, s->sub, &s->t->frames[i], &s->out);
		n += s->out.msg_n;
	}
	return n;
}

static const char *
ask(struct stand *s, const char *method, const char *path, const char *query,
    const char *body, unsigned status)
{
	static char answer[1 << 20];
	struct sim_request r = {
	    .method = {method, strlen(method)},
	    .path = {path, strlen(path)},
	    .query = {query, strlen(query)},
	    .body = body,
	    .body_n = strlen(body),
	    .now_ns = 1723161254 * NS_PER_S + 5 * NS_PER_MS,
	    .markets = shipped.markets,
	    .market_n = shipped.market_n,
	};
	struct sim_answer a = {0};
	text_init(&a.body, answer, sizeof(answer));
	s->ops->request(s->state, &r, &a);
	if (a.status != status)
		fail_msg(
		    "%s?%s: %u instead of %u", path, query, a.status, status);
	(void)text_end(&a.body);
	return answer;
}

static void
token_text(const struct stand *s, unsigned i, char *out)
{
	const struct sim_pm *pm = s->state;
	(void)pm_token_format(&pm->assets[i].token, out);
}

static void
test_market_channel(void **state)
{
	char id[4][PM_TOKEN_TEXT_MAX];
	char text[512];
	static struct pm_event ev;
	struct pm_frame f;
	struct stand s = stand_open(&sim_polymarket, "/ws/market", "");
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		token_text(&s, i, id[i]);
	assert_false(s.ops->is_active(s.sub));
	assert_memory_equal(say(&s, "PING"), "PONG", 4);
	assert_memory_equal(say(&s, "nonsense"), "INVALID OPERATION", 17);
	(void)snprintf(text, sizeof(text),
	    "{\"assets_ids\":[\"%s\",\"%s\",\"123\"],\"type\":\"market\"}",
	    id[0], id[1]);
	const char *books = say(&s, text);
	assert_int_equal(s.out.msg_n, 1);
	pm_frame_init(&f, books, s.out.msgs[0].n);
	assert_int_equal(pm_next(&f, &ev), PM_BOOK);
	assert_true(ev.bids_n > 5 && ev.asks_n > 5);
	assert_int_equal(ev.neg_risk, PM_NEG_RISK_FALSE);
	assert_int_equal(pm_next(&f, &ev), PM_BOOK);
	assert_int_equal(pm_next(&f, &ev), PM_END);
	assert_true(s.ops->is_active(s.sub));
	/* The other market's events do not come. */
	unsigned first = count_selected(&s, SIM_PM_WS);
	assert_true(first > 300);
	assert_memory_equal(say(&s, text), "NO NEW ASSETS", 13);
	(void)snprintf(text, sizeof(text),
	    "{\"operation\":\"subscribe\",\"assets_ids\":[\"%s\"]}", id[2]);
	(void)say(&s, text);
	assert_int_equal(s.out.msg_n, 1);
	assert_true(count_selected(&s, SIM_PM_WS) > first);
	(void)snprintf(text, sizeof(text),
	    "{\"operation\":\"unsubscribe\",\"assets_ids\":[\"%s\"]}", id[2]);
	assert_string_equal(say(&s, text), "");
	assert_int_equal(count_selected(&s, SIM_PM_WS), first);
	(void)snprintf(text, sizeof(text),
	    "{\"operation\":\"subscribe\",\"initial_dump\":false,"
	    "\"assets_ids\":[\"%s\"]}",
	    id[2]);
	assert_string_equal(say(&s, text), "");
	assert_int_equal(count_selected(&s, SIM_PM_RTDS), 0);
	stand_close(&s);
}

/* One token of a pair of books: an array of one. */
static void
test_array_is_cut(void **state)
{
	char id[PM_TOKEN_TEXT_MAX];
	char text[256];
	static struct pm_event ev;
	struct pm_frame f;
	unsigned arrays = 0;
	struct stand s = stand_open(&sim_polymarket, "/ws/market", "");
	(void)state;
	token_text(&s, 1, id);
	(void)snprintf(text, sizeof(text), "{\"assets_ids\":[\"%s\"]}", id);
	(void)say(&s, text);
	for (size_t i = 0; i < s.t->n; i++) {
		const struct sim_frame *frame = &s.t->frames[i];
		if (frame->kind != SIM_PM_WS || frame->text[0] != '[')
			continue;
		sim_out_init(&s.out, out_buf);
		s.ops->select(s.state, s.sub, frame, &s.out);
		if (s.out.msg_n == 0)
			continue;
		arrays++;
		pm_frame_init(&f, s.out.buf, s.out.msgs[0].n);
		assert_int_equal(pm_next(&f, &ev), PM_BOOK);
		assert_int_equal(sim_pm_find(s.state, &ev.token), 1);
		assert_int_equal(pm_next(&f, &ev), PM_END);
	}
	assert_true(arrays > 50);
	stand_close(&s);
}

static void
test_price_stream(void **state)
{
	static struct rtds_event ev;
	struct stand s = stand_open(&sim_polymarket, "/rtds", "");
	(void)state;
	assert_int_equal(count_selected(&s, 0), 0);
	const char *snap =
	    say(&s, "{\"action\":\"subscribe\",\"subscriptions\":[{\"topic\":"
		    "\"crypto_prices_chainlink\",\"type\":\"*\",\"filters\":"
		    "\"{\\\"symbol\\\":\\\"btc/usd\\\"}\"}]}");
	assert_int_equal(s.out.msg_n, 1);
	assert_int_equal(
	    rtds_decode(&ev, snap, s.out.msgs[0].n), RTDS_SNAPSHOT);
	assert_int_equal(ev.points_n, 120);
	unsigned one = count_selected(&s, 0);
	assert_true(one > 150);
	(void)say(&s, "{\"subscriptions\":[{\"topic\":\"crypto_prices\","
		      "\"type\":\"update\"}],\"action\":\"subscribe\"}");
	assert_int_equal(count_selected(&s, 0), 2 * one);
	(void)say(&s, "{\"subscriptions\":[{\"topic\":\"crypto_prices\","
		      "\"type\":\"update\",\"filters\":\"ethusdt\"}],"
		      "\"action\":\"subscribe\"}");
	assert_int_equal(count_selected(&s, 0), one);
	(void)say(&s, "{\"subscriptions\":[{\"topic\":"
		      "\"crypto_prices_chainlink\",\"type\":\"*\"}],"
		      "\"action\":\"unsubscribe\"}");
	assert_int_equal(count_selected(&s, 0), 0);
	stand_close(&s);
}

static void
test_polymarket_rest(void **state)
{
	char id[PM_TOKEN_TEXT_MAX];
	char query[128];
	static struct pm_event ev;
	static struct gamma_market m;
	struct gamma_answer g;
	struct pm_frame f;
	struct stand s = stand_open(&sim_polymarket, "/", "");
	(void)state;
	token_text(&s, 0, id);
	(void)snprintf(query, sizeof(query), "token_id=%s", id);
	const char *body = ask(&s, "GET", "/book", query, "", 200);
	pm_frame_init(&f, body, strlen(body));
	assert_int_equal(pm_next(&f, &ev), PM_BOOK);
	assert_non_null(strstr(
	    ask(&s, "GET", "/book", "token_id=1", "", 404), "No orderbook"));
	(void)ask(&s, "GET", "/book", "", "", 404);
	(void)ask(&s, "POST", "/book", query, "", 405);
	assert_string_equal(ask(&s, "GET", "/tick-size", query, "", 200),
	    "{\"minimum_tick_size\":0.01}");
	assert_string_equal(ask(&s, "GET", "/neg-risk", query, "", 200),
	    "{\"neg_risk\":false}");
	assert_string_equal(ask(&s, "GET", "/time", "", "", 200), "1723161254");
	assert_string_equal(ask(&s, "GET", "/ok", "", "", 200), "\"OK\"");
	body = ask(&s, "GET", "/markets", "limit=100", "", 200);
	gamma_init(&g, body, strlen(body));
	assert_int_equal(gamma_next(&g, &m), GAMMA_MARKET);
	assert_true(m.is_updown && m.has_tokens && m.accepting_orders);
	assert_int_equal(m.end_ns - m.start_ns, 900 * NS_PER_S);
	assert_int_equal(gamma_next(&g, &m), GAMMA_MARKET);
	assert_int_equal(gamma_next(&g, &m), GAMMA_END);
	assert_string_equal(
	    ask(&s, "GET", "/markets", "offset=100", "", 200), "[]");
	body = ask(
	    &s, "GET", "/markets/slug/btc-updown-15m-1723160700", "", "", 200);
	assert_int_equal(gamma_decode(&m, body, strlen(body)), GAMMA_MARKET);
	(void)ask(&s, "GET", "/markets/slug/none", "", "", 404);
	(void)ask(&s, "GET", "/nothing", "", "", 404);
	stand_close(&s);
}

static void
test_recorded_markets_are_gamma(void **state)
{
	struct captures c;
	static struct gamma_market m;
	char err[CAPTURES_ERROR_MAX];
	char path[1024];
	(void)state;
	load_data(
	    &c, "", "aligned/updown15m_captures/cap_20260429T0210.jsonl.gz");
	(void)snprintf(path, sizeof(path),
	    "%s/aligned/updown15m_captures/cap_20260429T0210.markets.jsonl",
	    data_dir);
	assert_int_equal(captures_add(&c, path, err), 0);
	assert_int_equal(c.market_n, 3);
	for (size_t i = 0; i < c.market_n; i++) {
		assert_int_equal(
		    gamma_decode(&m, c.markets[i].text, c.markets[i].n),
		    GAMMA_MARKET);
		assert_true(m.is_updown && m.has_tokens && m.has_fee);
		assert_int_equal(m.start_ns, 1777514400 * NS_PER_S);
		assert_int_equal(m.end_ns, 1777515300 * NS_PER_S);
		assert_int_equal(m.fee_rate_e8, 7200000);
	}
	captures_free(&c);
}

/* ---- Binance ---- */

static void
test_binance_streams(void **state)
{
	struct stand s = stand_open(&sim_binance, "/stream",
	    "streams=btcusdt@trade/btcusdt@bookTicker&timeUnit=MICROSECOND");
	(void)state;
	assert_true(s.ops->is_active(s.sub));
	unsigned all = count_selected(&s, 0);
	assert_int_equal(all, s.t->n - 1); /* but the snapshot */
	assert_memory_equal(say(&s, "{\"method\":\"UNSUBSCRIBE\",\"params\":"
				    "[\"btcusdt@trade\"],\"id\":312}"),
	    "{\"result\":null,\"id\":312}", 24);
	unsigned tickers = count_selected(&s, 0);
	assert_true(tickers > 0 && tickers < all);
	assert_memory_equal(
	    say(&s, "{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":\"a\"}"),
	    "{\"result\":[\"btcusdt@bookTicker\"],\"id\":\"a\"}", 42);
	assert_memory_equal(say(&s, "{"), "{\"code\":3", 9);
	assert_memory_equal(
	    say(&s, "{\"method\":\"DANCE\",\"id\":1}"), "{\"code\":2", 9);
	stand_close(&s);
	s = stand_open(&sim_binance, "/ws/btcusdt@bookTicker", "");
	assert_int_equal(count_selected(&s, 0), tickers);
	s.ops->select(s.state, s.sub, &s.t->frames[0], &s.out);
	assert_memory_equal(s.out.buf, "{\"u\":", 5);
	assert_false(s.ops->open(s.state, s.sub, (struct http_text){"/wsx", 4},
	    (struct http_text){"", 0}));
	stand_close(&s);
}

static void
test_binance_rest(void **state)
{
	static struct bn_event ev;
	struct stand s = stand_open(&sim_binance, "/ws", "");
	(void)state;
	assert_string_equal(ask(&s, "GET", "/api/v3/time", "", "", 200),
	    "{\"serverTime\":1723161254005}");
	const char *body =
	    ask(&s, "GET", "/api/v3/depth", "symbol=BTCUSDT&limit=5", "", 200);
	assert_int_equal(bn_decode(&ev, body, strlen(body)), BN_SNAPSHOT);
	assert_int_equal(ev.last_id, 50093239218);
	assert_int_equal(ev.bids_n, 5);
	assert_int_equal(ev.bids[0].px.e8, 6183763000000);
	assert_int_equal(ev.asks[0].qty.e8, 154698000);
	(void)ask(&s, "GET", "/api/v3/depth", "symbol=NONE", "", 400);
	assert_non_null(strstr(
	    ask(&s, "GET", "/api/v3/exchangeInfo", "symbol=BTCUSDT", "", 200),
	    "\"status\":\"TRADING\""));
	(void)ask(&s, "GET", "/api/v3/exchangeInfo", "symbol=NONE", "", 400);
	assert_string_equal(ask(&s, "GET", "/api/v3/ping", "", "", 200), "{}");
	(void)ask(&s, "GET", "/api/v1/ping", "", "", 404);
	stand_close(&s);
}

/* The kept book's top is the last bookTicker's after all recorded diffs. */
static void
test_binance_depth_replay(void **state)
{
	struct captures c;
	static struct bn_event ev;
	struct bn_level bid = {0};
	struct bn_level ask_level = {0};
	(void)state;
	load_data(&c, "", "binance/raw_streams/spot_btcusdt_20240808.gz");
	const struct sim_timeline *t = &c.timelines[VENUE_BINANCE];
	struct stand s = {.ops = &sim_binance, .t = t};
	s.state = calloc(1, sim_binance.state_sz);
	assert_non_null(s.state);
	/* As the server does: diffs from before the snapshot belong to it. */
	for (size_t i = 0; i < 16; i++)
		sim_binance.prime(s.state, &t->frames[i]);
	uint64_t last_u = 0;
	unsigned checked = 0;
	for (size_t i = 0; i < t->n; i++) {
		sim_binance.apply(s.state, &t->frames[i]);
		enum bn_kind kind =
		    bn_decode(&ev, t->frames[i].text, t->frames[i].n);
		if (kind == BN_BOOK_TICKER) {
			bid = ev.bid;
			ask_level = ev.ask;
			last_u = ev.last_id;
		} else if (kind == BN_DEPTH && ev.last_id == last_u) {
			const char *body = ask(&s, "GET", "/api/v3/depth",
			    "symbol=BTCUSDT&limit=1", "", 200);
			assert_int_equal(
			    bn_decode(&ev, body, strlen(body)), BN_SNAPSHOT);
			assert_int_equal(ev.bids[0].px.e8, bid.px.e8);
			assert_int_equal(ev.bids[0].qty.e8, bid.qty.e8);
			assert_int_equal(ev.asks[0].px.e8, ask_level.px.e8);
			assert_int_equal(ev.asks[0].qty.e8, ask_level.qty.e8);
			checked++;
		}
	}
	assert_true(checked > 10);
	free(s.state);
	captures_free(&c);
}

/* ---- Hyperliquid ---- */

static void
test_hyperliquid_socket(void **state)
{
	static struct hl_event ev;
	struct stand s = stand_open(&sim_hyperliquid, "/ws", "");
	(void)state;
	assert_memory_equal(
	    say(&s, "{\"method\":\"ping\"}"), "{\"channel\":\"pong\"}", 18);
	(void)say(&s, "{\"method\":\"subscribe\",\"subscription\":{\"type\":"
		      "\"l2Book\",\"coin\":\"BTC\"}}");
	assert_int_equal(s.out.msg_n, 2);
	static const char ack[] =
	    "{\"channel\":\"subscriptionResponse\",\"data\":{\"method\":"
	    "\"subscribe\",\"subscription\":{\"type\":\"l2Book\",\"coin\":"
	    "\"BTC\",\"nSigFigs\":null,\"mantissa\":null}}}";
	assert_int_equal(s.out.msgs[0].n, sizeof(ack) - 1);
	assert_memory_equal(s.out.buf, ack, sizeof(ack) - 1);
	assert_int_equal(
	    hl_decode(&ev, s.out.buf + s.out.msgs[1].at, s.out.msgs[1].n),
	    s.out.msgs[1].n > 0 ? HL_BOOK : HL_ERR);
	unsigned slow = count_selected(&s, 0);
	assert_true(slow > 20 && slow < 60);
	assert_non_null(strstr(
	    say(&s, "{\"method\":\"subscribe\",\"subscription\":{\"type\":"
		    "\"l2Book\",\"coin\":\"BTC\"}}"),
	    "Already subscribed: "));
	(void)say(&s, "{\"method\":\"subscribe\",\"subscription\":{\"type\":"
		      "\"l2Book\",\"coin\":\"BTC\",\"fast\":true}}");
	/* fast: those recorded as such, and the tops of the others */
	assert_true(count_selected(&s, 0) > 300);
	(void)say(&s, "{\"method\":\"unsubscribe\",\"subscription\":{\"type\":"
		      "\"l2Book\",\"coin\":\"BTC\",\"fast\":true}}");
	assert_int_equal(s.out.msg_n, 1);
	assert_int_equal(count_selected(&s, 0), slow);
	assert_non_null(strstr(say(&s, "nonsense \"x\""),
	    "Error parsing JSON into valid websocket request: nonsense "
	    "\\\"x\\\""));
	assert_non_null(strstr(
	    say(&s, "{\"method\":\"subscribe\",\"subscription\":{\"type\":"
		    "\"dance\",\"coin\":\"BTC\"}}"),
	    "Invalid subscription "));
	assert_false(s.out.drop);
	(void)say(&s, "{\"method\":\"subscribe\",\"subscription\":{\"type\":"
		      "\"bbo\",\"coin\":\"btc\"}}");
	assert_int_equal(s.out.msg_n, 0);
	assert_true(s.out.drop);
	stand_close(&s);
}

static void
test_fast_book_is_the_top(void **state)
{
	static struct hl_event full;
	static struct hl_event fast;
	struct stand s = stand_open(&sim_hyperliquid, "/ws", "");
	(void)state;
	(void)say(&s, "{\"method\":\"subscribe\",\"subscription\":{\"type\":"
		      "\"l2Book\",\"coin\":\"BTC\",\"fast\":true}}");
	for (size_t i = 0; i < s.t->n; i++) {
		const struct sim_frame *f = &s.t->frames[i];
		if (hl_decode(&full, f->text, f->n) != HL_BOOK || full.is_fast)
			continue;
		sim_out_init(&s.out, out_buf);
		s.ops->select(s.state, s.sub, f, &s.out);
		assert_int_equal(s.out.msg_n, 1);
		assert_int_equal(
		    hl_decode(&fast, s.out.buf, s.out.msgs[0].n), HL_BOOK);
		assert_true(fast.is_fast);
		assert_int_equal(fast.bids_n, 5);
		for (unsigned k = 0; k < 5; k++) {
			assert_int_equal(
			    fast.bids[k].px.e8, full.bids[k].px.e8);
			assert_int_equal(
			    fast.asks[k].qty.e8, full.asks[k].qty.e8);
			assert_int_equal(
			    fast.asks[k].orders_n, full.asks[k].orders_n);
		}
		assert_int_equal(fast.venue_ns, full.venue_ns);
	}
	stand_close(&s);
}

static void
test_hyperliquid_info(void **state)
{
	static struct hl_event ev;
	struct stand s = stand_open(&sim_hyperliquid, "/ws", "");
	(void)state;
	const char *body =
	    ask(&s, "POST", "/info", "", "{\"type\":\"meta\"}", 200);
	assert_int_equal(hl_decode(&ev, body, strlen(body)), HL_META);
	assert_int_equal(ev.coins_n, 1);
	assert_int_equal(ev.coins[0].size_decimals, 5);
	body = ask(&s, "POST", "/info", "",
	    "{\"type\":\"l2Book\",\"coin\":\"BTC\"}", 200);
	assert_non_null(strstr(body, "\"levels\":[["));
	assert_string_equal(ask(&s, "POST", "/info", "",
				"{\"type\":\"l2Book\",\"coin\":\"X\"}", 200),
	    "null");
	assert_non_null(
	    strstr(ask(&s, "POST", "/info", "", "{\"type\":\"allMids\"}", 200),
		"{\"BTC\":\"6"));
	(void)ask(&s, "POST", "/info", "", "{\"type\":\"x\"}", 422);
	(void)ask(&s, "POST", "/info", "", "{", 422);
	(void)ask(&s, "GET", "/info", "", "", 422);
	(void)ask(&s, "POST", "/exchange", "", "{}", 404);
	stand_close(&s);
}

static void
no_book(void)
{
	struct text t;
	struct sim_pm *s = calloc(1, sizeof(*s));
	text_init(&t, out_buf, SIM_OUT_SZ);
	sim_pm_put_book(s, 0, false, &t);
}

static void
no_buffer(void)
{
	struct sim_out out;
	sim_out_init(&out, NULL);
}

static void
test_contracts(void **state)
{
	(void)state;
	assert_true(contract_fails(no_book));
	assert_true(contract_fails(no_buffer));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_shipped_hashes),
	    cmocka_unit_test(test_recorded_books_come_back),
	    cmocka_unit_test(test_market_channel),
	    cmocka_unit_test(test_array_is_cut),
	    cmocka_unit_test(test_price_stream),
	    cmocka_unit_test(test_polymarket_rest),
	    cmocka_unit_test(test_recorded_markets_are_gamma),
	    cmocka_unit_test(test_binance_streams),
	    cmocka_unit_test(test_binance_rest),
	    cmocka_unit_test(test_binance_depth_replay),
	    cmocka_unit_test(test_hyperliquid_socket),
	    cmocka_unit_test(test_fast_book_is_the_top),
	    cmocka_unit_test(test_hyperliquid_info),
	    cmocka_unit_test(test_contracts),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
