/* links: simvenue libvenue libsign libsys libshm libcore */
/*
 * simvenue over real sockets, in one process with its clients: subscriptions,
 * pacing, back-pressure, the end of a capture, REST.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
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

#include "libsys/clock.h"
#include "libsys/http.h"
#include "libsys/ws.h"
#include "libvenue/polymarket.h"
#include "simvenue/server_io.h"

#define SHIPPED	    "simvenue/captures"
#define CLIENTS	    3
#define ALL_STREAMS "/stream?streams=btcusdt@trade/btcusdt@bookTicker"

struct bench;

struct peer {
	struct bench *bench;
	struct ws_client *ws;
	const char *hello; /* sent when open */
	unsigned opens;
	unsigned closes;
	unsigned messages;
	unsigned pings;
	uint64_t bytes;
	enum ws_end end;
	unsigned code;
	char first[256];
	char last[256];
};

struct bench {
	uv_loop_t loop;
	uv_timer_t guard;
	struct captures captures;
	struct sim_server *server;
	struct http_client *http;
	struct peer peers[CLIENTS];
	bool is_stuck;
	bool is_done;
	unsigned answers;
	unsigned status;
	char body[4096];
};

static void
on_stuck(uv_timer_t *t)
{
	struct bench *b = t->data;
	b->is_stuck = true;
}

static void
on_done(void *user)
{
	struct bench *b = user;
	b->is_done = true;
}

static FILE *requests; /* of the next server, NULL: none */

static struct bench *
bench_open(const char *capture, uint64_t speed_e3, bool once, bool sync)
{
	char err[CAPTURES_ERROR_MAX] = "";
	int rc;
	uint16_t port;
	struct bench *b = calloc(1, sizeof(*b));
	assert_non_null(b);
	assert_int_equal(uv_loop_init(&b->loop), 0);
	assert_int_equal(uv_timer_init(&b->loop, &b->guard), 0);
	b->guard.data = b;
	uv_timer_start(&b->guard, on_stuck, 20000, 0);
	captures_init(&b->captures);
	if (captures_add(&b->captures, capture, err) != 0 ||
	    captures_done(&b->captures, err) != 0)
		fail_msg("%s", err);
	struct sim_server_cfg cfg = {
	    .loop = &b->loop,
	    .host = "127.0.0.1",
	    .speed_e3 = speed_e3,
	    .once = once,
	    .sync = sync,
	    .captures = &b->captures,
	    .requests = requests,
	    .on_done = on_done,
	    .user = b,
	};
	b->server = sim_server_create(&cfg, &rc, &port);
	assert_non_null(b->server);
	struct http_client_cfg http = {.loop = &b->loop};
	b->http = http_client_create(&http);
	assert_non_null(b->http);
	return b;
}

static void
bench_close(struct bench *b)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		ws_client_destroy(b->peers[i].ws);
	http_client_destroy(b->http);
	sim_server_destroy(b->server);
	uv_close((uv_handle_t *)&b->guard, NULL);
	assert_int_equal(uv_run(&b->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	captures_free(&b->captures);
	free(b);
}

static void
run_until(struct bench *b, const unsigned *counter, unsigned want)
{
	while (*counter < want && !b->is_stuck)
		(void)uv_run(&b->loop, UV_RUN_ONCE);
	if (b->is_stuck)
		fail_msg("stuck at %u of %u", *counter, want);
}

static void
peer_open(void *user)
{
	struct peer *p = user;
	p->opens++;
	if (p->hello != NULL)
		assert_int_equal(
		    ws_send_text(p->ws, p->hello, strlen(p->hello)), 0);
}

static void
peer_message(void *user, const struct ws_message *m)
{
	struct peer *p = user;
	size_t n = m->n < sizeof(p->last) - 1 ? m->n : sizeof(p->last) - 1;
	p->pings += m->kind == WS_PING;
	if (m->kind != WS_TEXT)
		return;
	if (p->messages++ == 0) {
		memcpy(p->first, m->data, n);
		p->first[n] = '\0';
	}
	memcpy(p->last, m->data, n);
	p->last[n] = '\0';
	p->bytes += m->n;
}

static void
peer_close(void *user, enum ws_end end, unsigned code, const char *text)
{
	struct peer *p = user;
	(void)text;
	p->closes++;
	p->end = end;
	p->code = code;
}

static struct peer *
peer_connect(struct bench *b, unsigned i, enum venue v, const char *path,
    const char *hello)
{
	char url[512];
	int err;
	struct peer *p = &b->peers[i];
	p->bench = b;
	p->hello = hello;
	(void)snprintf(url, sizeof(url), "ws://127.0.0.1:%u%s",
	    (unsigned)sim_server_port(b->server, v), path);
	struct ws_client_cfg cfg = {
	    .loop = &b->loop,
	    .url = url,
	    .events = {.on_open = peer_open,
		.on_message = peer_message,
		.on_close = peer_close},
	    .user = p,
	};
	p->ws = ws_client_create(&cfg, &err);
	assert_non_null(p->ws);
	assert_int_equal(ws_client_connect(p->ws), 0);
	return p;
}

static void
on_answer(void *user, const struct http_result *r)
{
	struct bench *b = user;
	b->answers++;
	b->status = r->status;
	(void)snprintf(b->body, sizeof(b->body), "%s", r->body);
}

static const char *
get(struct bench *b, enum venue v, const char *path, const char *body)
{
	char url[512];
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s",
	    (unsigned)sim_server_port(b->server, v), path);
	struct http_call call = {
	    .method = body != NULL ? "POST" : "GET",
	    .url = url,
	    .body = body,
	    .body_n = body != NULL ? strlen(body) : 0,
	};
	assert_int_equal(http_client_call(b->http, &call, on_answer, b), 0);
	run_until(b, &b->answers, b->answers + 1);
	return b->body;
}

/* The first token of the capture. */
static void
first_token(struct bench *b, char *out)
{
	static struct pm_event ev;
	struct pm_frame f;
	const struct sim_timeline *t = &b->captures.timelines[VENUE_POLYMARKET];
	for (size_t i = 0; i < t->n; i++) {
		pm_frame_init(&f, t->frames[i].text, t->frames[i].n);
		if (pm_next(&f, &ev) == PM_BOOK) {
			(void)pm_token_format(&ev.token, out);
			return;
		}
	}
	fail_msg("no book in the capture");
}

static void
test_whole_stream_as_fast_as_taken(void **state)
{
	struct bench *b = bench_open(SHIPPED, 0, false, false);
	(void)state;
	const struct sim_timeline *t = &b->captures.timelines[VENUE_BINANCE];
	struct peer *p = peer_connect(b, 0, VENUE_BINANCE, ALL_STREAMS, NULL);
	run_until(b, &p->closes, 1);
	assert_int_equal(p->end, WS_END_PEER);
	assert_int_equal(p->code, 1012);
	assert_int_equal(p->messages, t->n - 1); /* all but the snapshot */
	/* Again for who returns, the same. */
	p->messages = 0;
	assert_int_equal(ws_client_connect(p->ws), 0);
	run_until(b, &p->closes, 2);
	assert_int_equal(p->messages, t->n - 1);
	const struct sim_stats *st = sim_server_stats(b->server, VENUE_BINANCE);
	assert_int_equal(st->sent_msgs, 2 * (t->n - 1));
	assert_int_equal(st->ends, 2);
	assert_int_equal(st->dropped, 0);
	/* Nobody asked the others for anything. */
	assert_int_equal(
	    sim_server_stats(b->server, VENUE_POLYMARKET)->frames, 0);
	bench_close(b);
}

static void
test_two_clients_see_the_same(void **state)
{
	struct bench *b = bench_open(SHIPPED, 0, true, false);
	(void)state;
	struct peer *p = peer_connect(b, 0, VENUE_BINANCE, ALL_STREAMS, NULL);
	struct peer *q = peer_connect(b, 1, VENUE_BINANCE, ALL_STREAMS, NULL);
	run_until(b, &p->closes, 1);
	run_until(b, &q->closes, 1);
	assert_int_equal(p->messages, q->messages);
	assert_int_equal(p->bytes, q->bytes);
	assert_string_equal(p->last, q->last);
	assert_true(b->is_done);
	/* With once nothing follows. */
	assert_int_equal(ws_client_connect(p->ws), 0);
	run_until(b, &p->closes, 2);
	assert_int_equal(p->end, WS_END_UPGRADE);
	bench_close(b);
}

static void
test_polymarket_session(void **state)
{
	char token[PM_TOKEN_TEXT_MAX];
	char hello[256];
	char path[256];
	struct bench *b = bench_open(SHIPPED, 0, false, false);
	(void)state;
	first_token(b, token);
	(void)snprintf(hello, sizeof(hello),
	    "{\"assets_ids\":[\"%s\"],\"type\":\"market\"}", token);
	struct peer *p =
	    peer_connect(b, 0, VENUE_POLYMARKET, "/ws/market", hello);
	run_until(b, &p->messages, 1);
	assert_memory_equal(p->first, "[{\"event_type\":\"book\"", 21);
	run_until(b, &p->closes, 1);
	assert_int_equal(p->code, 1012);
	assert_true(p->messages > 300);
	(void)snprintf(path, sizeof(path), "/book?token_id=%s", token);
	const char *body = get(b, VENUE_POLYMARKET, path, NULL);
	assert_int_equal(b->status, 200);
	assert_memory_equal(body, "{\"market\":\"0x", 13);
	(void)get(b, VENUE_POLYMARKET, "/book?token_id=5", NULL);
	assert_int_equal(b->status, 404);
	(void)get(b, VENUE_POLYMARKET, "/markets", NULL);
	assert_int_equal(b->status, 200);
	assert_string_equal(
	    get(b, VENUE_POLYMARKET, "/time", NULL), "1723161254");
	bench_close(b);
}

static void
test_ping_before_anything(void **state)
{
	struct bench *b = bench_open(SHIPPED, 1000, false, false);
	(void)state;
	struct peer *p =
	    peer_connect(b, 0, VENUE_POLYMARKET, "/ws/market", "PING");
	run_until(b, &p->messages, 1);
	assert_string_equal(p->last, "PONG");
	assert_int_equal(
	    sim_server_stats(b->server, VENUE_POLYMARKET)->frames, 0);
	struct peer *q = peer_connect(b, 1, VENUE_POLYMARKET, "/ws/x", NULL);
	run_until(b, &q->closes, 1);
	assert_int_equal(q->code, 404);
	bench_close(b);
}

static void
test_unknown_coin_costs_the_socket(void **state)
{
	struct bench *b = bench_open(SHIPPED, 1000, false, false);
	(void)state;
	struct peer *p = peer_connect(b, 0, VENUE_HYPERLIQUID, "/ws",
	    "{\"method\":\"subscribe\",\"subscription\":{\"type\":\"bbo\","
	    "\"coin\":\"Btc\"}}");
	run_until(b, &p->opens, 1);
	uint64_t start_ns = clock_mono_ns();
	run_until(b, &p->closes, 1);
	assert_int_equal(p->end, WS_END_EOF);
	assert_int_equal(p->messages, 0);
	assert_true(clock_mono_ns() - start_ns >= 90 * NS_PER_MS);
	assert_string_equal(get(b, VENUE_HYPERLIQUID, "/info",
				"{\"type\":\"l2Book\",\"coin\":\"Btc\"}"),
	    "null");
	bench_close(b);
}

/* At 200 times the recorded pace 200 s take one; and not much less. */
static void
test_pace(void **state)
{
	struct bench *b = bench_open(SHIPPED, 200000, false, true);
	(void)state;
	struct peer *p = peer_connect(b, 0, VENUE_BINANCE, ALL_STREAMS, NULL);
	struct peer *q = peer_connect(b, 1, VENUE_HYPERLIQUID, "/ws",
	    "{\"method\":\"subscribe\",\"subscription\":{\"type\":\"trades\","
	    "\"coin\":\"BTC\"}}");
	run_until(b, &p->messages, 1);
	uint64_t start_ns = clock_mono_ns();
	run_until(b, &p->closes, 1);
	run_until(b, &q->closes, 1);
	assert_true(clock_mono_ns() - start_ns >= 900 * NS_PER_MS);
	assert_int_equal(p->code, 1012);
	assert_int_equal(q->code, 1012);
	assert_true(q->messages > 100);
	/* On one clock the venue nobody asked has played too. */
	assert_int_equal(
	    sim_server_stats(b->server, VENUE_POLYMARKET)->ends, 1);
	bench_close(b);
}

/* A gap of more than ten minutes is a service restart. */
static void
test_segments(void **state)
{
	static const char line[] =
	    "{\"t_ns\":%llu,\"venue\":\"binance\",\"conn\":\"stream\","
	    "\"frame\":{\"stream\":\"btcusdt@trade\",\"data\":%d}}\n";
	static const uint64_t times_s[] = {1000000000, 1000000001, 1000000700};
	char path[] = "/tmp/ringmaker-seg-XXXXXX";
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	for (int i = 0; i < 3; i++)
		assert_true(
		    dprintf(fd, line,
			(unsigned long long)times_s[i] * 1000000000, i) > 0);
	close(fd);
	struct bench *b = bench_open(path, 0, true, false);
	unlink(path);
	struct peer *p = peer_connect(b, 0, VENUE_BINANCE, ALL_STREAMS, NULL);
	run_until(b, &p->closes, 1);
	assert_int_equal(p->code, 1012);
	assert_int_equal(p->messages, 2);
	assert_false(b->is_done);
	assert_int_equal(ws_client_connect(p->ws), 0);
	run_until(b, &p->closes, 2);
	assert_int_equal(p->messages, 3);
	assert_non_null(strstr(p->last, "\"data\":2"));
	assert_true(b->is_done);
	bench_close(b);
}

/* A client that never reads holds up the others for a moment only, and never
 * more than client_max bytes. */
static void
test_slow_client_is_dropped(void **state)
{
	static const char upgrade[] =
	    "GET " ALL_STREAMS " HTTP/1.1\r\nHost: x\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	    "Sec-WebSocket-Version: 13\r\n\r\n";
	struct bench *b = bench_open(SHIPPED, 0, true, false);
	int small = 2048;
	int err;
	uint16_t port;
	(void)state;
	struct sim_server_cfg cfg = {
	    .loop = &b->loop,
	    .host = "127.0.0.1",
	    .client_max = 16 * 1024,
	    .stall_ms = 100,
	    .once = true,
	    .captures = &b->captures,
	};
	sim_server_destroy(b->server);
	b->server = sim_server_create(&cfg, &err, &port);
	assert_non_null(b->server);
	struct sockaddr_in sa = {.sin_family = AF_INET,
	    .sin_port = htons(sim_server_port(b->server, VENUE_BINANCE))};
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(
	    write(fd, upgrade, sizeof(upgrade) - 1), sizeof(upgrade) - 1);
	struct peer *p = peer_connect(b, 0, VENUE_BINANCE, ALL_STREAMS, NULL);
	run_until(b, &p->closes, 1);
	assert_int_equal(
	    p->messages, b->captures.timelines[VENUE_BINANCE].n - 1);
	const struct sim_stats *st = sim_server_stats(b->server, VENUE_BINANCE);
	assert_int_equal(st->connections, 2);
	assert_int_equal(st->dropped, 1);
	close(fd);
	bench_close(b);
}

static void
test_port_in_use(void **state)
{
	int err;
	uint16_t port;
	struct bench *b = bench_open(SHIPPED, 1000, false, false);
	struct sim_server_cfg cfg = {
	    .loop = &b->loop,
	    .host = "127.0.0.1",
	    .port_base = sim_server_port(b->server, VENUE_POLYMARKET),
	    .captures = &b->captures,
	};
	(void)state;
	assert_null(sim_server_create(&cfg, &err, &port));
	assert_int_equal(err, -EADDRINUSE);
	assert_int_equal(port, cfg.port_base);
	bench_close(b);
}

/* What clients say over a WebSocket is in the log of requests; pings are
 * not. */
static void
test_texts_are_logged(void **state)
{
	static const char hello[] =
	    "{\"method\":\"subscribe\",\"subscription\":{\"type\":\"bbo\","
	    "\"coin\":\"nobody\"}}";
	char text[4096];
	size_t n;

	(void)state;
	requests = tmpfile();
	assert_non_null(requests);
	struct bench *b = bench_open(SHIPPED, 1000, false, false);
	struct peer *p = peer_connect(
	    b, 0, VENUE_HYPERLIQUID, "/ws", "{\"method\":\"ping\"}");
	run_until(b, &p->messages, 1);
	struct peer *q = peer_connect(b, 1, VENUE_HYPERLIQUID, "/ws", hello);
	run_until(b, &q->closes, 1);
	rewind(requests);
	n = fread(text, 1, sizeof(text) - 1, requests);
	text[n] = '\0';
	assert_non_null(strstr(text,
	    "\"venue\":\"hyperliquid\",\"method\":\"WS\",\"path\":\"/ws\","
	    "\"headers\":{},\"body\":\"{\\\"method\\\":\\\"subscribe"));
	assert_null(strstr(text, "ping"));
	bench_close(b);
	(void)fclose(requests);
	requests = NULL;
}

/* Above the limit requests are not refused, they wait their turn. */
static void
T_44_requests_wait_their_turn(void **state)
{
	struct bench *b = bench_open(SHIPPED, 1000, false, false);
	uint64_t from;

	(void)state;
	(void)get(b, VENUE_POLYMARKET, "/sim/faults",
	    "{\"name\":\"throttled\",\"value\":10,\"path\":\"/ok\"}");
	assert_int_equal(b->status, 200);
	from = uv_now(&b->loop);
	for (int i = 0; i < 4; i++) {
		(void)get(b, VENUE_POLYMARKET, "/ok", NULL);
		assert_int_equal(b->status, 200);
	}
	assert_true(uv_now(&b->loop) >= from + 290);
	assert_non_null(strstr(get(b, VENUE_POLYMARKET, "/sim/faults", NULL),
	    "\"fired\":{\"throttled\":4}"));
	bench_close(b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts_are_logged),
	    cmocka_unit_test(T_44_requests_wait_their_turn),
	    cmocka_unit_test(test_whole_stream_as_fast_as_taken),
	    cmocka_unit_test(test_two_clients_see_the_same),
	    cmocka_unit_test(test_polymarket_session),
	    cmocka_unit_test(test_ping_before_anything),
	    cmocka_unit_test(test_unknown_coin_costs_the_socket),
	    cmocka_unit_test(test_pace),
	    cmocka_unit_test(test_segments),
	    cmocka_unit_test(test_slow_client_is_dropped),
	    cmocka_unit_test(test_port_in_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
