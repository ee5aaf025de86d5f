/* links: libsys libshm libcore */
/*
 * WebSocket sessions fed whole and one byte at a time, and client against
 * server over loopback.
 */
#define _GNU_SOURCE
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

#include "libsys/httpd.h"
#include "libsys/net.h"
#include "libsys/ws.h"

/* ---- the session alone ---- */

struct seen {
	unsigned n;
	enum ws_kind kind;
	size_t size;
	uint64_t recv_ns;
	char text[512];
};

static void
note_message(void *user, const struct ws_message *m)
{
	struct seen *seen = user;
	seen->n++;
	seen->kind = m->kind;
	seen->size = m->n;
	seen->recv_ns = m->recv_ns;
	size_t n =
	    m->n < sizeof(seen->text) - 1 ? m->n : sizeof(seen->text) - 1;
	memcpy(seen->text, m->data, n);
	seen->text[n] = '\0';
}

static void
session_make(
    struct ws_session *s, enum ws_role role, size_t msg_max, struct seen *seen)
{
	struct ws_session_cfg cfg = {
	    .role = role,
	    .msg_max = msg_max,
	    .out_max = 4096,
	    .mask_seed = 7,
	    .on_message = note_message,
	    .user = seen,
	};
	memset(seen, 0, sizeof(*seen));
	assert_int_equal(ws_session_init(s, &cfg), 0);
}

#define B(...) \
	(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* What a server sends, and what the client's session makes of it. */
static const struct input_case {
	const char *name;
	const uint8_t *bytes;
	size_t n;
	enum ws_end end;    /* 0: lives on */
	unsigned messages;  /* delivered */
	const char *text;   /* of the last one */
	unsigned out_close; /* code of the close frame queued, 0: none */
} input_cases[] = {
    {"text", B(0x81, 5, 'h', 'e', 'l', 'l', 'o'), 0, 1, "hello", 0},
    {"empty text", B(0x81, 0), 0, 1, "", 0},
    {"two messages", B(0x81, 1, 'a', 0x82, 2, 'b', 'c'), 0, 2, "bc", 0},
    {"fragments", B(0x01, 2, 'a', 'b', 0x00, 1, 'c', 0x80, 2, 'd', 'e'), 0, 1,
	"abcde", 0},
    {"empty last fragment", B(0x01, 2, 'a', 'b', 0x80, 0), 0, 1, "ab", 0},
    {"ping inside fragments", B(0x01, 1, 'a', 0x89, 2, 'x', 'y', 0x80, 1, 'b'),
	0, 2, "ab", 0},
    {"close 1000", B(0x88, 2, 0x03, 0xe8), WS_END_PEER, 0, "", 1000},
    {"close without code", B(0x88, 0), WS_END_PEER, 0, "", 1000},
    {"close 1012 restart", B(0x88, 4, 0x03, 0xf4, 'b', 'y'), WS_END_PEER, 0, "",
	1012},
    {"close 1013 try later", B(0x88, 2, 0x03, 0xf5), WS_END_PEER, 0, "", 1013},
    {"close 3000", B(0x88, 2, 0x0b, 0xb8), WS_END_PEER, 0, "", 3000},
    {"close 1005 invalid", B(0x88, 2, 0x03, 0xed), WS_END_BAD_CODE, 0, "",
	1002},
    {"close 999 invalid", B(0x88, 2, 0x03, 0xe7), WS_END_BAD_CODE, 0, "", 1002},
    {"close of one byte", B(0x88, 1, 0x03), WS_END_BAD_CODE, 0, "", 1002},
    {"message then close", B(0x81, 1, 'a', 0x88, 2, 0x03, 0xe8), WS_END_PEER, 1,
	"a", 1000},
    {"masked by server", B(0x81, 0x81, 1, 2, 3, 4, 'a'), WS_END_PROTOCOL, 0, "",
	1002},
    {"rsv1", B(0xc1, 1, 'a'), WS_END_PROTOCOL, 0, "", 1002},
    {"orphan continuation", B(0x80, 1, 'a'), WS_END_PROTOCOL, 0, "", 1002},
    {"text inside text", B(0x01, 1, 'a', 0x81, 1, 'b'), WS_END_PROTOCOL, 0, "",
	1002},
    {"opcode 3", B(0x83, 1, 'a'), WS_END_PROTOCOL, 0, "", 1002},
    {"opcode 11", B(0x8b, 1, 'a'), WS_END_PROTOCOL, 0, "", 1002},
    {"fragmented ping", B(0x09, 1, 'a'), WS_END_PROTOCOL, 0, "", 1002},
    {"long ping", B(0x89, 126, 0, 126, 'a'), WS_END_PROTOCOL, 0, "", 1002},
    {"length not minimal", B(0x81, 126, 0, 5, 'a'), WS_END_PROTOCOL, 0, "",
	1002},
    {"over the limit", B(0x81, 126, 1, 1, 'a'), WS_END_TOO_BIG, 0, "", 1009},
    {"absurd length", B(0x81, 127, 0x7f, 0xff, 0, 0, 0, 0, 0, 0, 'a'),
	WS_END_TOO_BIG, 0, "", 1009},
    {"half a header", B(0x81), 0, 0, "", 0},
};
#define INPUT_CASE_N (sizeof(input_cases) / sizeof(input_cases[0]))

/* The close code in a masked client frame queued for output, 0 if none. */
static unsigned
queued_close(const struct ws_session *s)
{
	const uint8_t *p;
	size_t n = ws_session_pending(s, &p);
	while (n >= 6) {
		size_t size = p[1] & 0x7f;
		if ((p[0] & 0x0f) == 8 && size >= 2)
			return (unsigned)(p[6] ^ p[2]) << 8 |
			       (unsigned)(p[7] ^ p[3]);
		p += 6 + size;
		n -= 6 + size;
	}
	return 0;
}

static void
run_input(const struct input_case *t, size_t step)
{
	struct seen seen;
	struct ws_session s;
	session_make(&s, WS_CLIENT, 256, &seen);
	for (size_t i = 0; i < t->n; i += step) {
		size_t n = t->n - i < step ? t->n - i : step;
		(void)ws_session_feed(&s, t->bytes + i, n, 42);
	}
	if (s.end != t->end || seen.n != t->messages ||
	    strcmp(seen.text, t->text) != 0 || queued_close(&s) != t->out_close)
		fail_msg("%s, %zu at a time: end %s, %u messages, last '%s', "
			 "close %u",
		    t->name, step, ws_end_name(s.end), seen.n, seen.text,
		    queued_close(&s));
	if (seen.n > 0)
		assert_int_equal(seen.recv_ns, 42);
	ws_session_free(&s);
}

static void
test_input_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < INPUT_CASE_N; i++)
		run_input(&input_cases[i], 4096);
}

static void
test_input_bytewise(void **state)
{
	(void)state;
	for (size_t i = 0; i < INPUT_CASE_N; i++) {
		run_input(&input_cases[i], 1);
		run_input(&input_cases[i], 3);
	}
}

static void
test_limit_counts_all_fragments(void **state)
{
	struct seen seen;
	uint8_t frame[2 + 100] = {0x01, 100};
	(void)state;
	struct ws_session s;
	session_make(&s, WS_CLIENT, 256, &seen);
	assert_true(ws_session_feed(&s, frame, sizeof(frame), 1));
	frame[0] = 0x00;
	assert_true(ws_session_feed(&s, frame, sizeof(frame), 1));
	assert_false(ws_session_feed(&s, frame, sizeof(frame), 1));
	assert_int_equal(s.end, WS_END_TOO_BIG);
	ws_session_free(&s);
}

static void
test_eof_reasons(void **state)
{
	struct seen seen;
	(void)state;
	const struct {
		const uint8_t *bytes;
		size_t n;
		enum ws_end end;
	} cases[] = {
	    {B(0x81, 1, 'a'), WS_END_EOF},
	    {B(0x81), WS_END_EOF_MID},
	    {B(0x81, 3), WS_END_EOF_MID},
	    {B(0x81, 3, 'a'), WS_END_EOF_MID},
	    {B(0x01, 1, 'a'), WS_END_EOF_MID},
	    {B(0x81, 126, 0), WS_END_EOF_MID},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ws_session s;
		session_make(&s, WS_CLIENT, 256, &seen);
		assert_true(ws_session_feed(&s, cases[i].bytes, cases[i].n, 1));
		ws_session_eof(&s);
		assert_int_equal(s.end, cases[i].end);
		ws_session_free(&s);
	}
}

static void
test_ping_is_answered(void **state)
{
	struct seen seen;
	const uint8_t *out;
	(void)state;
	struct ws_session s;
	session_make(&s, WS_SERVER, 256, &seen);
	/* masked ping "hi" */
	assert_true(ws_session_feed(
	    &s, B(0x89, 0x82, 1, 1, 1, 1, 'h' ^ 1, 'i' ^ 1), 5));
	assert_int_equal(seen.kind, WS_PING);
	assert_int_equal(ws_session_pending(&s, &out), 4);
	assert_memory_equal(out, ((uint8_t[]){0x8a, 2, 'h', 'i'}), 4);
	assert_false(ws_session_feed(&s, B(0x81, 1, 'a'), 5));
	assert_int_equal(s.end, WS_END_PROTOCOL);
	ws_session_free(&s);
}

static void
test_ping_flood_is_bounded(void **state)
{
	struct seen seen;
	uint8_t ping[2 + WS_CONTROL_MAX] = {0x89, WS_CONTROL_MAX};
	const uint8_t *out;
	(void)state;
	struct ws_session s;
	session_make(&s, WS_CLIENT, 256, &seen);
	for (unsigned i = 0; i < 1000; i++)
		(void)ws_session_feed(&s, ping, sizeof(ping), 1);
	assert_int_equal(s.end, WS_END_OVERFLOW);
	assert_true(ws_session_pending(&s, &out) < 4096 + 600);
	ws_session_free(&s);
}

static void
test_output_limit(void **state)
{
	struct seen seen;
	char big[4000];
	(void)state;
	memset(big, 'x', sizeof(big));
	struct ws_session s;
	session_make(&s, WS_CLIENT, 256, &seen);
	assert_int_equal(ws_session_send(&s, WS_TEXT, big, 5000), -ENOBUFS);
	assert_int_equal(ws_session_send(&s, WS_TEXT, big, 4000), 0);
	assert_int_equal(ws_session_send(&s, WS_TEXT, big, 200), -ENOBUFS);
	assert_int_equal(ws_session_send(&s, WS_PING, big, 126), -EMSGSIZE);
	ws_session_wrote(&s, 2000);
	assert_int_equal(ws_session_send(&s, WS_TEXT, big, 1500), 0);
	ws_session_close(&s, 1000, "done");
	assert_int_equal(ws_session_send(&s, WS_TEXT, big, 1), -EPIPE);
	ws_session_free(&s);
}

/* Client to server through the two sessions, all sizes around the steps of
 * the length field. */
static void
test_sizes_round_trip(void **state)
{
	static const size_t sizes[] = {
	    0, 1, 125, 126, 127, 4095, 4096, 4097, 65535, 65536, 200000};
	struct seen seen;
	struct seen unused;
	(void)state;
	char *big = calloc(1, 200000);
	assert_non_null(big);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct ws_session server;
		session_make(&server, WS_SERVER, 200000, &seen);
		struct ws_session client;
		session_make(&client, WS_CLIENT, 1, &unused);
		ws_session_free(&client);
		struct ws_session_cfg cfg = {
		    .role = WS_CLIENT,
		    .mask_seed = i,
		    .on_message = note_message,
		    .user = &unused,
		};
		assert_int_equal(ws_session_init(&client, &cfg), 0);
		big[0] = 'q';
		assert_int_equal(
		    ws_session_send(&client, WS_BINARY, big, sizes[i]), 0);
		const uint8_t *out;
		size_t n = ws_session_pending(&client, &out);
		assert_true(ws_session_feed(&server, out, n, 9));
		assert_int_equal(seen.n, 1);
		assert_int_equal(seen.size, sizes[i]);
		assert_int_equal(seen.kind, WS_BINARY);
		assert_string_equal(seen.text, sizes[i] > 0 ? "q" : "");
		ws_session_free(&client);
		ws_session_free(&server);
	}
	free(big);
}

static void
test_accept_key(void **state)
{
	char out[WS_ACCEPT_MAX];
	(void)state;
	/* the example of RFC 6455, section 1.3 */
	ws_accept_key("dGhlIHNhbXBsZSBub25jZQ==", 24, out);
	assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	ws_make_key(1, 2, out);
	assert_int_equal(strlen(out), 24);
}

static void
test_close_codes(void **state)
{
	(void)state;
	static const unsigned bad[] = {
	    0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ws_close_code_ok(bad[i]));
	for (unsigned c = 1007; c <= 1014; c++)
		assert_true(ws_close_code_ok(c));
	assert_true(ws_close_code_ok(1000));
	assert_true(ws_close_code_ok(4999));
}

/* ---- client against server ---- */

struct pair {
	uv_loop_t loop;
	struct httpd *server;
	struct httpd_conn *conn;
	struct ws_client *client;
	uv_timer_t guard;
	struct seen at_client;
	struct seen at_server;
	unsigned opens;
	unsigned closes;
	unsigned gones;
	unsigned drains;
	enum ws_end end;
	enum ws_end gone_end;
	unsigned code;
	char text[160];
	bool is_stuck;
	const char *greeting;
	bool destroy_in_message;
};

static void
pair_open(void *user)
{
	struct pair *p = user;
	p->opens++;
}

static void
pair_message(void *user, const struct ws_message *m)
{
	struct pair *p = user;
	note_message(&p->at_client, m);
	if (p->destroy_in_message) {
		ws_client_destroy(p->client);
		p->client = NULL;
	}
	uv_stop(&p->loop);
}

static void
pair_close(void *user, enum ws_end end, unsigned code, const char *text)
{
	struct pair *p = user;
	p->closes++;
	p->end = end;
	p->code = code;
	(void)snprintf(p->text, sizeof(p->text), "%s", text);
	uv_stop(&p->loop);
}

static void
pair_request(void *user, struct httpd_conn *c, const struct httpd_request *r)
{
	struct httpd_answer a = {.status = 403, .body = "{}", .body_n = 2};
	(void)user;
	(void)r;
	assert_int_equal(httpd_reply(c, &a), 0);
}

static bool
pair_upgrade(void *user, struct httpd_conn *c, const struct http_head *h)
{
	struct pair *p = user;
	if (!http_text_is(h->path, "/ws"))
		return false;
	p->conn = c;
	if (p->greeting != NULL)
		assert_int_equal(
		    httpd_ws_send(c, WS_TEXT, p->greeting, strlen(p->greeting)),
		    0);
	return true;
}

static void
pair_server_message(
    void *user, struct httpd_conn *c, const struct ws_message *m)
{
	struct pair *p = user;
	note_message(&p->at_server, m);
	if (m->kind == WS_TEXT)
		assert_int_equal(httpd_ws_send(c, WS_TEXT, m->data, m->n), 0);
}

static void
pair_drain(void *user, struct httpd_conn *c)
{
	struct pair *p = user;
	(void)c;
	p->drains++;
	uv_stop(&p->loop);
}

static void
pair_gone(void *user, struct httpd_conn *c, enum ws_end end)
{
	struct pair *p = user;
	if (p->conn == c) {
		p->conn = NULL;
		p->gones++;
		p->gone_end = end;
	}
}

static void
pair_stuck(uv_timer_t *t)
{
	struct pair *p = t->data;
	p->is_stuck = true;
	uv_stop(&p->loop);
}

static void
pair_listen(struct pair *p)
{
	int err;
	memset(p, 0, sizeof(*p));
	assert_int_equal(uv_loop_init(&p->loop), 0);
	assert_int_equal(uv_timer_init(&p->loop, &p->guard), 0);
	p->guard.data = p;
	assert_int_equal(uv_timer_start(&p->guard, pair_stuck, 10000, 0), 0);
	struct httpd_cfg cfg = {
	    .loop = &p->loop,
	    .host = "127.0.0.1",
	    .out_max = 256 * 1024,
	    .events = {.on_request = pair_request,
		.on_upgrade = pair_upgrade,
		.on_message = pair_server_message,
		.on_drain = pair_drain,
		.on_gone = pair_gone},
	    .user = p,
	};
	p->server = httpd_create(&cfg, &err);
	assert_non_null(p->server);
}

static void
pair_client(struct pair *p, const char *host, uint16_t port, const char *path)
{
	char url[128];
	int err;
	(void)snprintf(
	    url, sizeof(url), "ws://%s:%u%s", host, (unsigned)port, path);
	struct ws_client_cfg cfg = {
	    .loop = &p->loop,
	    .url = url,
	    .open_timeout_ms = 2000,
	    .msg_max = 1 << 20,
	    .events = {.on_open = pair_open,
		.on_message = pair_message,
		.on_close = pair_close},
	    .user = p,
	};
	p->client = ws_client_create(&cfg, &err);
	assert_non_null(p->client);
	assert_int_equal(ws_client_connect(p->client), 0);
	assert_int_equal(ws_client_connect(p->client), -EALREADY);
}

static void
pair_run(struct pair *p, const unsigned *counter, unsigned want)
{
	while (*counter < want && !p->is_stuck)
		(void)uv_run(&p->loop, UV_RUN_ONCE);
	assert_false(p->is_stuck);
}

static void
pair_free(struct pair *p)
{
	ws_client_destroy(p->client);
	httpd_destroy(p->server);
	uv_close((uv_handle_t *)&p->guard, NULL);
	assert_int_equal(uv_run(&p->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&p->loop), 0);
}

static void
test_echo(void **state)
{
	struct pair p;
	(void)state;
	pair_listen(&p);
	pair_client(&p, "localhost", httpd_port(p.server), "/ws?x=1");
	pair_run(&p, &p.opens, 1);
	assert_true(ws_client_is_open(p.client));
	assert_int_equal(ws_send_text(p.client, "PING", 4), 0);
	pair_run(&p, &p.at_client.n, 1);
	assert_string_equal(p.at_client.text, "PING");
	assert_true(p.at_client.recv_ns > 0);
	assert_int_equal(ws_send_ping(p.client, "t", 1), 0);
	pair_run(&p, &p.at_client.n, 2);
	assert_int_equal(p.at_client.kind, WS_PONG);
	assert_string_equal(p.at_client.text, "t");
	assert_int_equal(ws_client_stats(p.client)->recv_msgs, 1);
	ws_client_close(p.client, 1000, "bye");
	pair_run(&p, &p.closes, 1);
	assert_int_equal(p.end, WS_END_LOCAL);
	pair_run(&p, &p.gones, 1);
	assert_int_equal(p.gone_end, WS_END_PEER);
	pair_free(&p);
}

static void
test_greeting_in_the_answer(void **state)
{
	struct pair p;
	(void)state;
	pair_listen(&p);
	p.greeting = "hello";
	pair_client(&p, "127.0.0.1", httpd_port(p.server), "/ws");
	pair_run(&p, &p.at_client.n, 1);
	assert_string_equal(p.at_client.text, "hello");
	assert_int_equal(p.opens, 1);
	pair_free(&p);
}

static void
test_destroy_inside_message(void **state)
{
	struct pair p;
	(void)state;
	pair_listen(&p);
	p.greeting = "hello";
	p.destroy_in_message = true;
	pair_client(&p, "127.0.0.1", httpd_port(p.server), "/ws");
	pair_run(&p, &p.at_client.n, 1);
	assert_int_equal(p.closes, 0);
	pair_free(&p);
}

static void
test_server_closes_1012(void **state)
{
	struct pair p;
	(void)state;
	pair_listen(&p);
	pair_client(&p, "127.0.0.1", httpd_port(p.server), "/ws");
	pair_run(&p, &p.opens, 1);
	httpd_ws_close(p.conn, 1012, "service restart");
	pair_run(&p, &p.closes, 1);
	assert_int_equal(p.end, WS_END_PEER);
	assert_int_equal(p.code, 1012);
	assert_string_equal(p.text, "service restart");
	/* the same client connects again */
	assert_int_equal(ws_client_connect(p.client), 0);
	pair_run(&p, &p.opens, 2);
	pair_free(&p);
}

static void
test_server_drops(void **state)
{
	struct pair p;
	(void)state;
	pair_listen(&p);
	pair_client(&p, "127.0.0.1", httpd_port(p.server), "/ws");
	pair_run(&p, &p.opens, 1);
	httpd_drop(p.conn);
	assert_int_equal(p.gones, 1);
	pair_run(&p, &p.closes, 1);
	assert_int_equal(p.end, WS_END_EOF);
	pair_free(&p);
}

static void
test_upgrade_refused(void **state)
{
	struct pair p;
	(void)state;
	pair_listen(&p);
	pair_client(&p, "127.0.0.1", httpd_port(p.server), "/nothing");
	pair_run(&p, &p.closes, 1);
	assert_int_equal(p.end, WS_END_UPGRADE);
	assert_int_equal(p.code, 404);
	pair_free(&p);
}

static void
test_connection_refused(void **state)
{
	struct pair p;
	(void)state;
	pair_listen(&p);
	/* a port that was just free */
	int fd = net_listen("127.0.0.1", 0, 1);
	assert_true(fd >= 0);
	uint16_t port = net_local_port(fd);
	close(fd);
	pair_client(&p, "127.0.0.1", port, "/ws");
	pair_run(&p, &p.closes, 1);
	assert_int_equal(p.end, WS_END_CONNECT);
	assert_non_null(strstr(p.text, "refused"));
	pair_free(&p);
}

static void
test_name_not_found(void **state)
{
	struct pair p;
	(void)state;
	pair_listen(&p);
	pair_client(&p, "nowhere.invalid", 80, "/ws");
	pair_run(&p, &p.closes, 1);
	assert_true(p.end == WS_END_DNS || p.end == WS_END_TIMEOUT);
	pair_free(&p);
}

static void
test_back_pressure(void **state)
{
	struct pair p;
	static char frame[8192];
	(void)state;
	memset(frame, 'a', sizeof(frame));
	pair_listen(&p);
	pair_client(&p, "127.0.0.1", httpd_port(p.server), "/ws");
	pair_run(&p, &p.opens, 1);
	unsigned sent = 0;
	int rc = 0;
	while (rc == 0 && sent < 100000) {
		rc = httpd_ws_send(p.conn, WS_TEXT, frame, sizeof(frame));
		sent += rc == 0;
	}
	/* Nobody reads: the queue is full, and no fuller than allowed. */
	assert_int_equal(rc, -ENOBUFS);
	assert_true(httpd_queued(p.conn) <= 256 * 1024);
	pair_run(&p, &p.drains, 1);
	pair_run(&p, &p.at_client.n, sent);
	assert_int_equal(p.at_client.size, sizeof(frame));
	assert_int_equal(httpd_queued(p.conn), 0);
	pair_free(&p);
}

/* ---- a server that misbehaves: raw bytes in answer to the upgrade ---- */

struct raw {
	struct pair pair;
	uv_poll_t listen_poll;
	uv_poll_t conn_poll;
	int listen_fd;
	int fd;
	char request[2048];
	size_t request_n;
	const char *answer; /* with %s where the right key goes */
	const uint8_t *frames;
	size_t frames_n;
	bool hang_up;
	bool bytewise;
};

static void
raw_send(struct raw *r, const char *bytes, size_t n)
{
	size_t step = r->bytewise ? 1 : n;
	for (size_t i = 0; i < n; i += step)
		assert_int_equal(write(r->fd, bytes + i, step), step);
}

static void
raw_readable(uv_poll_t *poll, int status, int events)
{
	struct raw *r = poll->data;
	char answer[1024];
	char accept[WS_ACCEPT_MAX];
	struct http_head h;
	(void)status;
	(void)events;
	ssize_t got = read(r->fd, r->request + r->request_n,
	    sizeof(r->request) - r->request_n);
	if (got <= 0) {
		uv_poll_stop(poll);
		return;
	}
	r->request_n += (size_t)got;
	if (http_request_parse(r->request, r->request_n, &h) != 1)
		return;
	uv_poll_stop(poll);
	const struct http_text *key = http_header_find(&h, "sec-websocket-key");
	assert_non_null(key);
	ws_accept_key(key->p, key->n, accept);
	char *mark = strstr(r->answer, "KEY");
	int n = mark == NULL
		    ? snprintf(answer, sizeof(answer), "%s", r->answer)
		    : snprintf(answer, sizeof(answer), "%.*s%s%s",
			  (int)(mark - r->answer), r->answer, accept, mark + 3);
	raw_send(r, answer, (size_t)n);
	raw_send(r, (const char *)r->frames, r->frames_n);
	if (r->hang_up)
		assert_int_equal(shutdown(r->fd, SHUT_RDWR), 0);
}

static void
raw_accept(uv_poll_t *poll, int status, int events)
{
	struct raw *r = poll->data;
	(void)status;
	(void)events;
	if (r->fd >= 0)
		return;
	r->fd = net_accept(r->listen_fd);
	assert_true(r->fd >= 0);
	assert_int_equal(uv_poll_init(&r->pair.loop, &r->conn_poll, r->fd), 0);
	r->conn_poll.data = r;
	uv_poll_start(&r->conn_poll, UV_READABLE, raw_readable);
}

static void
raw_start(struct raw *r)
{
	pair_listen(&r->pair);
	r->fd = -1;
	r->listen_fd = net_listen("127.0.0.1", 0, 1);
	assert_true(r->listen_fd >= 0);
	assert_int_equal(
	    uv_poll_init(&r->pair.loop, &r->listen_poll, r->listen_fd), 0);
	r->listen_poll.data = r;
	uv_poll_start(&r->listen_poll, UV_READABLE, raw_accept);
	pair_client(&r->pair, "127.0.0.1", net_local_port(r->listen_fd), "/ws");
}

static void
raw_stop(struct raw *r)
{
	uv_close((uv_handle_t *)&r->listen_poll, NULL);
	if (r->fd >= 0)
		uv_close((uv_handle_t *)&r->conn_poll, NULL);
	pair_free(&r->pair);
	close(r->listen_fd);
	if (r->fd >= 0)
		close(r->fd);
}

#define GOOD_ANSWER                                                  \
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" \
	"Connection: Upgrade\r\nSec-WebSocket-Accept: KEY\r\n\r\n"

static void
test_bad_upgrade_answers(void **state)
{
	static const struct {
		const char *answer;
		unsigned code;
	} cases[] = {
	    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200},
	    {"HTTP/1.1 451 Unavailable\r\nContent-Length: 0\r\n\r\n", 451},
	    {"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\n"
	     "Connection: Upgrade\r\nSec-WebSocket-Accept: abc\r\n\r\n",
		101},
	    {"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\n"
	     "Sec-WebSocket-Accept: KEY\r\n\r\n",
		101},
	    {"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\n"
	     "Sec-WebSocket-Accept: KEY\r\n\r\n",
		101},
	    {"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\n"
	     "Connection: Upgrade\r\nSec-WebSocket-Accept: KEY\r\n"
	     "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
		101},
	    {"SSH-2.0-OpenSSH\r\n\r\n", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct raw r = {.answer = cases[i].answer};
		raw_start(&r);
		pair_run(&r.pair, &r.pair.closes, 1);
		assert_int_equal(r.pair.end, WS_END_UPGRADE);
		assert_int_equal(r.pair.code, cases[i].code);
		assert_int_equal(r.pair.opens, 0);
		raw_stop(&r);
	}
}

static void
test_hang_up_before_answer(void **state)
{
	struct raw r = {.answer = "HTTP/1.1 10", .hang_up = true};
	(void)state;
	raw_start(&r);
	pair_run(&r.pair, &r.pair.closes, 1);
	assert_int_equal(r.pair.end, WS_END_UPGRADE);
	raw_stop(&r);
}

static void
test_bytewise_server(void **state)
{
	static const uint8_t frames[] = {
	    0x01, 2, 'a', 'b', 0x80, 1, 'c', 0x81, 1, 'd'};
	struct raw r = {
	    .answer = GOOD_ANSWER,
	    .bytewise = true,
	    .frames = frames,
	    .frames_n = sizeof(frames),
	};
	(void)state;
	raw_start(&r);
	pair_run(&r.pair, &r.pair.at_client.n, 2);
	assert_string_equal(r.pair.at_client.text, "d");
	raw_stop(&r);
}

static void
test_eof_mid_frame(void **state)
{
	static const uint8_t frames[] = {0x81, 5, 'a'};
	struct raw r = {
	    .answer = GOOD_ANSWER,
	    .frames = frames,
	    .frames_n = sizeof(frames),
	    .hang_up = true,
	};
	(void)state;
	raw_start(&r);
	pair_run(&r.pair, &r.pair.closes, 1);
	assert_int_equal(r.pair.end, WS_END_EOF_MID);
	assert_int_equal(r.pair.opens, 1);
	raw_stop(&r);
}

static void
test_open_timeout(void **state)
{
	struct raw r = {.answer = "HTTP/1.1 101"};
	(void)state;
	raw_start(&r);
	pair_run(&r.pair, &r.pair.closes, 1);
	assert_int_equal(r.pair.end, WS_END_TIMEOUT);
	raw_stop(&r);
}

/* ---- addresses and delays ---- */

static void
test_urls(void **state)
{
	static const char *const bad[] = {"", "ws:/x", "ftp://x/", "ws://",
	    "ws:///x", "ws://u@h/", "ws://h:0/", "ws://h:65536/", "ws://h:x/",
	    "ws://h/a b", "ws://h/#f", "ws://[::1", "ws://[::1]x/", "h:80"};
	struct net_url u;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (net_url_parse(bad[i], &u) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(net_url_parse("wss://a.b:9443/ws?x=1", &u), 0);
	assert_true(u.is_ws && u.is_tls);
	assert_string_equal(u.host, "a.b");
	assert_int_equal(u.port, 9443);
	assert_string_equal(u.path, "/ws?x=1");
	assert_int_equal(net_url_parse("ws://h/stream?streams=a@b/c", &u), 0);
	assert_string_equal(u.path, "/stream?streams=a@b/c");
	assert_int_equal(net_url_parse("http://h?q", &u), 0);
	assert_string_equal(u.path, "/?q");
	assert_int_equal(u.port, 80);
	assert_int_equal(net_url_parse("https://[::1]", &u), 0);
	assert_string_equal(u.host, "::1");
	assert_int_equal(u.port, 443);
}

static void
test_backoff(void **state)
{
	(void)state;
	assert_int_equal(net_backoff_ms(0, 0), 50);
	assert_int_equal(net_backoff_ms(0, 50), 100);
	assert_int_equal(net_backoff_ms(3, 0), 400);
	assert_int_equal(net_backoff_ms(6, 0), 3200);
	for (unsigned a = 0; a < 100; a++) {
		for (uint64_t i = 0; i < 64; i++) {
			uint64_t ms = net_backoff_ms(a, i * 0x9e3779b97f4a7c15);
			assert_true(ms >= 50 && ms <= 10000);
		}
	}
	assert_int_equal(net_backoff_ms(7, 0), 5000);
	assert_int_equal(net_backoff_ms(4000000000u, 5000), 10000);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_input_whole),
	    cmocka_unit_test(test_input_bytewise),
	    cmocka_unit_test(test_limit_counts_all_fragments),
	    cmocka_unit_test(test_eof_reasons),
	    cmocka_unit_test(test_ping_is_answered),
	    cmocka_unit_test(test_ping_flood_is_bounded),
	    cmocka_unit_test(test_output_limit),
	    cmocka_unit_test(test_sizes_round_trip),
	    cmocka_unit_test(test_accept_key),
	    cmocka_unit_test(test_close_codes),
	    cmocka_unit_test(test_echo),
	    cmocka_unit_test(test_greeting_in_the_answer),
	    cmocka_unit_test(test_destroy_inside_message),
	    cmocka_unit_test(test_server_closes_1012),
	    cmocka_unit_test(test_server_drops),
	    cmocka_unit_test(test_upgrade_refused),
	    cmocka_unit_test(test_connection_refused),
	    cmocka_unit_test(test_name_not_found),
	    cmocka_unit_test(test_back_pressure),
	    cmocka_unit_test(test_bad_upgrade_answers),
	    cmocka_unit_test(test_hang_up_before_answer),
	    cmocka_unit_test(test_bytewise_server),
	    cmocka_unit_test(test_eof_mid_frame),
	    cmocka_unit_test(test_open_timeout),
	    cmocka_unit_test(test_urls),
	    cmocka_unit_test(test_backoff),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
