/* links: libsys libshm libcore */
/*
 * The WebSocket client over loopback, against our server and against raw
 * answers.
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
#include "tests/unit/contract.h"

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
	httpd_ws_close(p.conn, 1012, "back soon");
	pair_run(&p, &p.closes, 1);
	assert_int_equal(p.end, WS_END_PEER);
	assert_int_equal(p.code, 1012);
	assert_string_equal(
	    p.text, "closed with 1012 (service restart): back soon");
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

/* The send that finds the peer dead says so: the owner's data went with
 * on_gone. */
static void
test_send_to_the_dead(void **state)
{
	struct pair p;
	int rc = 0;
	(void)state;
	pair_listen(&p);
	pair_client(&p, "127.0.0.1", httpd_port(p.server), "/ws");
	pair_run(&p, &p.opens, 1);
	ws_client_destroy(p.client);
	p.client = NULL;
	for (unsigned i = 0; i < 1000 && p.gones == 0; i++) {
		rc = httpd_ws_send(p.conn, WS_TEXT, "x", 1);
		assert_int_equal(rc, p.gones == 0 ? 0 : -EPIPE);
	}
	assert_int_equal(p.gones, 1);
	assert_int_equal(rc, -EPIPE);
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

static void
no_events(void)
{
	uv_loop_t loop;
	int err;
	struct ws_client_cfg cfg = {.loop = &loop, .url = "ws://h/"};
	(void)ws_client_create(&cfg, &err);
}

static void
test_creation(void **state)
{
	static const char *const bad[] = {"http://h/", "wss://h/", "ws://", ""};
	struct pair p;
	int err = 0;
	(void)state;
	assert_true(contract_fails(no_events));
	pair_listen(&p);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ws_client_cfg cfg = {
		    .loop = &p.loop,
		    .url = bad[i],
		    .events = {.on_open = pair_open,
			.on_message = pair_message,
			.on_close = pair_close},
		};
		assert_null(ws_client_create(&cfg, &err));
		assert_int_equal(err, -EINVAL);
	}
	pair_free(&p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_echo),
	    cmocka_unit_test(test_greeting_in_the_answer),
	    cmocka_unit_test(test_destroy_inside_message),
	    cmocka_unit_test(test_server_closes_1012),
	    cmocka_unit_test(test_server_drops),
	    cmocka_unit_test(test_upgrade_refused),
	    cmocka_unit_test(test_connection_refused),
	    cmocka_unit_test(test_name_not_found),
	    cmocka_unit_test(test_back_pressure),
	    cmocka_unit_test(test_send_to_the_dead),
	    cmocka_unit_test(test_bad_upgrade_answers),
	    cmocka_unit_test(test_hang_up_before_answer),
	    cmocka_unit_test(test_bytewise_server),
	    cmocka_unit_test(test_eof_mid_frame),
	    cmocka_unit_test(test_open_timeout),
	    cmocka_unit_test(test_creation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
