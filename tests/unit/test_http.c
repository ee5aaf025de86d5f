/* links: libsys libshm libcore */
/*
 * HTTP heads as a table, the server over raw sockets one byte at a time,
 * and the libcurl client against the server.
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

#include "libsys/http.h"
#include "libsys/httpd.h"
#include "libsys/net.h"
#include "tests/unit/contract.h"

/* ---- heads ---- */

static const struct head_case {
	const char *text;
	int rc;
} request_cases[] = {
    {"GET / HTTP/1.1\r\n\r\n", 1},
    {"GET /a?b=c HTTP/1.0\r\nHost: x\r\n\r\n", 1},
    {"GET / HTTP/1.1\r\nA: b\r\n", 0},
    {"", 0},
    {"GET /\r\n\r\n", -400},
    {"GET / HTTP/2.0\r\n\r\n", -505},
    {"GET / HTTQ/1.1\r\n\r\n", -400},
    {"GET x HTTP/1.1\r\n\r\n", -400},
    {"G@T / HTTP/1.1\r\n\r\n", -400},
    {" / HTTP/1.1\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nno colon\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nbad name: x\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\n: x\r\n\r\n", -400},
    {"GET / HTTP/1.1\r\nA: \x01\r\n\r\n", -400},
    {"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 1},
    {"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", -400},
    {"POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", -400},
    {"POST / HTTP/1.1\r\nContent-Length: 9999999999999\r\n\r\n", -413},
    {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", -400},
    {"POST / HTTP/1.1\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\n", 1},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", -411},
};

static void
test_requests(void **state)
{
	struct http_head h;
	(void)state;
	for (size_t i = 0; i < sizeof(request_cases) / sizeof(request_cases[0]);
	     i++) {
		const struct head_case *t = &request_cases[i];
		int rc = http_request_parse(t->text, strlen(t->text), &h);
		if (rc != t->rc)
			fail_msg("%d instead of %d: %s", rc, t->rc, t->text);
	}
}

static void
test_request_parts(void **state)
{
	static const char text[] =
	    "POST /p/q?token_id=12%2F3+x&z=%zz&w= HTTP/1.1\r\n"
	    "Host:  a b \t\r\nCONNECTION: Keep-Alive, Upgrade\r\n"
	    "Content-Length: 3\r\n\r\nabc";
	struct http_head h;
	char out[16];
	(void)state;
	assert_int_equal(http_request_parse(text, sizeof(text) - 1, &h), 1);
	assert_true(http_text_is(h.method, "POST"));
	assert_true(http_text_is(h.path, "/p/q"));
	assert_int_equal(h.content_n, 3);
	assert_memory_equal(text + h.head_n, "abc", 3);
	assert_true(http_text_is(*http_header_find(&h, "host"), "a b"));
	assert_true(http_header_has(&h, "connection", "upgrade"));
	assert_false(http_header_has(&h, "connection", "up"));
	assert_null(http_header_find(&h, "absent"));
	assert_true(h.keep_alive);
	assert_int_equal(http_query_get(h.query, "token_id", out, 16), 6);
	assert_string_equal(out, "12/3 x");
	assert_int_equal(http_query_get(h.query, "token_id", out, 6), -1);
	assert_int_equal(http_query_get(h.query, "z", out, 16), -1);
	assert_int_equal(http_query_get(h.query, "w", out, 16), 0);
	assert_int_equal(http_query_get(h.query, "token", out, 16), -1);
}

static void
test_head_limits(void **state)
{
	static char big[HTTP_HEAD_MAX + 16];
	struct http_head h;
	(void)state;
	int n = snprintf(big, sizeof(big), "GET / HTTP/1.1\r\nA: ");
	memset(big + n, 'x', sizeof(big) - (size_t)n);
	assert_int_equal(http_request_parse(big, HTTP_HEAD_MAX - 1, &h), 0);
	assert_int_equal(http_request_parse(big, sizeof(big), &h), -431);
	n = snprintf(big, sizeof(big), "GET / HTTP/1.1\r\n");
	for (unsigned i = 0; i <= HTTP_HEADERS_MAX; i++)
		n += snprintf(big + n, sizeof(big) - (size_t)n, "A: b\r\n");
	n += snprintf(big + n, sizeof(big) - (size_t)n, "\r\n");
	assert_int_equal(http_request_parse(big, (size_t)n, &h), -431);
}

static void
test_responses(void **state)
{
	static const char ok[] = "HTTP/1.1 101 Switching\r\nUpgrade: w\r\n\r\n";
	struct http_head h;
	(void)state;
	assert_int_equal(http_response_parse(ok, sizeof(ok) - 1, &h), 1);
	assert_int_equal(h.status, 101);
	assert_int_equal(
	    http_response_parse("HTTP/1.1 2x0 OK\r\n\r\n", 19, &h), -400);
	assert_int_equal(http_response_parse("HTTP/1.1\r\n\r\n", 12, &h), -400);
}

/* ---- the server ---- */

struct site {
	uv_loop_t loop;
	uv_timer_t guard;
	uv_timer_t poke;
	struct httpd *server;
	struct http_client *client;
	struct httpd_conn *later;
	unsigned requests;
	unsigned gones;
	bool is_stuck;
	/* raw client */
	int fd;
	char got[64 * 1024];
	size_t got_n;
	/* result of the libcurl client */
	unsigned done;
	unsigned status;
	size_t body_n;
	char body[256];
	char error[128];
};

static void
site_request(void *user, struct httpd_conn *c, const struct httpd_request *r)
{
	static char big[100000];
	struct site *s = user;
	struct httpd_answer a = {.status = 200};
	char text[256];
	s->requests++;
	if (http_text_is(r->head->path, "/later")) {
		s->later = c;
		return;
	}
	if (http_text_is(r->head->path, "/big")) {
		memset(big, 'b', sizeof(big));
		a.body = big;
		a.body_n = sizeof(big);
	} else if (http_text_is(r->head->path, "/echo")) {
		a.type = "text/plain";
		a.extra = "X-One: 1\r\n";
		a.body = r->body;
		a.body_n = r->body_n;
	} else if (http_text_is(r->head->path, "/head")) {
		const struct http_text *v = http_header_find(r->head, "x-mine");
		int n = snprintf(text, sizeof(text), "%.*s|%s",
		    v != NULL ? (int)v->n : 0, v != NULL ? v->p : "",
		    http_header_find(r->head, "expect") ? "expect" : "");
		a.body = text;
		a.body_n = (size_t)n;
	} else {
		a.status = 404;
	}
	assert_int_equal(httpd_reply(c, &a), 0);
	assert_int_equal(httpd_reply(c, &a), -EPROTO);
}

static void
site_gone(void *user, struct httpd_conn *c, enum ws_end end)
{
	struct site *s = user;
	(void)c;
	(void)end;
	s->gones++;
}

static void
site_stuck(uv_timer_t *t)
{
	struct site *s = t->data;
	s->is_stuck = true;
}

static void
no_op(uv_timer_t *t)
{
	(void)t;
}

static struct site *
site_open(unsigned conn_max, uint64_t idle_ms)
{
	int err;
	struct site *s = calloc(1, sizeof(*s));
	assert_non_null(s);
	s->fd = -1;
	assert_int_equal(uv_loop_init(&s->loop), 0);
	uv_timer_init(&s->loop, &s->guard);
	uv_timer_init(&s->loop, &s->poke);
	s->guard.data = s;
	uv_timer_start(&s->guard, site_stuck, 10000, 0);
	uv_timer_start(&s->poke, no_op, 1, 1);
	struct httpd_cfg cfg = {
	    .loop = &s->loop,
	    .host = "localhost",
	    .conn_max = conn_max,
	    .body_max = 1000,
	    .idle_ms = idle_ms,
	    .events = {.on_request = site_request, .on_gone = site_gone},
	    .user = s,
	};
	s->server = httpd_create(&cfg, &err);
	assert_non_null(s->server);
	struct http_client_cfg client = {.loop = &s->loop, .calls_max = 2};
	s->client = http_client_create(&client);
	assert_non_null(s->client);
	return s;
}

static void
site_close(struct site *s)
{
	if (s->fd >= 0)
		close(s->fd);
	http_client_destroy(s->client);
	httpd_destroy(s->server);
	uv_close((uv_handle_t *)&s->guard, NULL);
	uv_close((uv_handle_t *)&s->poke, NULL);
	assert_int_equal(uv_run(&s->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&s->loop), 0);
	free(s);
}

static void
raw_connect(struct site *s)
{
	struct sockaddr_in sa = {
	    .sin_family = AF_INET, .sin_port = htons(httpd_port(s->server))};
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (s->fd >= 0)
		close(s->fd);
	s->got_n = 0;
	s->got[0] = '\0';
	s->fd = net_connect((struct sockaddr *)&sa, sizeof(sa));
	assert_true(s->fd >= 0);
}

/* Run until want is in what came, or the peer closed (want NULL). */
static void
raw_wait(struct site *s, const char *want)
{
	while (!s->is_stuck) {
		(void)uv_run(&s->loop, UV_RUN_ONCE);
		ssize_t n = recv(
		    s->fd, s->got + s->got_n, sizeof(s->got) - 1 - s->got_n, 0);
		if (n > 0)
			s->got_n += (size_t)n;
		s->got[s->got_n] = '\0';
		if (want != NULL && strstr(s->got, want) != NULL)
			return;
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != ENOTCONN)) {
			if (want != NULL)
				fail_msg(
				    "closed before '%s': %s", want, s->got);
			return;
		}
	}
	fail_msg("nothing like '%s' in: %s", want != NULL ? want : "", s->got);
}

static void
raw_send(struct site *s, const char *text, size_t step)
{
	size_t n = strlen(text);
	for (size_t i = 0; i < n; i += step) {
		size_t part = n - i < step ? n - i : step;
		while (send(s->fd, text + i, part, MSG_NOSIGNAL) < 0)
			(void)uv_run(&s->loop, UV_RUN_ONCE);
		(void)uv_run(&s->loop, UV_RUN_NOWAIT);
	}
}

static void
test_bytewise_and_keep_alive(void **state)
{
	struct site *s = site_open(0, 0);
	(void)state;
	raw_connect(s);
	raw_send(s,
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
	    1);
	raw_wait(s, "\r\n\r\nhello");
	assert_non_null(strstr(s->got, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(s->got, "Content-Length: 5\r\n"));
	assert_non_null(strstr(s->got, "X-One: 1\r\n"));
	s->got_n = 0;
	raw_send(s, "GET /none HTTP/1.1\r\n\r\n", 4);
	raw_wait(s, "HTTP/1.1 404 Not Found\r\n");
	assert_int_equal(httpd_conn_n(s->server), 1);
	site_close(s);
}

static void
test_pipelined(void **state)
{
	struct site *s = site_open(0, 0);
	(void)state;
	raw_connect(s);
	raw_send(s,
	    "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\none"
	    "GET /later HTTP/1.1\r\n\r\n"
	    "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nthree",
	    4096);
	raw_wait(s, "one");
	assert_int_equal(s->requests, 2);
	assert_null(strstr(s->got, "three"));
	struct httpd_answer a = {.status = 200, .body = "two", .body_n = 3};
	assert_int_equal(httpd_reply(s->later, &a), 0);
	raw_wait(s, "three");
	assert_true(strstr(s->got, "two") < strstr(s->got, "three"));
	site_close(s);
}

static void
test_close_requests(void **state)
{
	struct site *s = site_open(0, 0);
	(void)state;
	raw_connect(s);
	raw_send(s, "GET /none HTTP/1.0\r\n\r\n", 99);
	raw_wait(s, NULL);
	assert_non_null(strstr(s->got, "Connection: close\r\n"));
	raw_connect(s);
	raw_send(s, "GET /none HTTP/1.1\r\nConnection: close\r\n\r\n", 99);
	raw_wait(s, NULL);
	assert_non_null(strstr(s->got, "404"));
	site_close(s);
}

static void
test_refusals(void **state)
{
	static const struct {
		const char *text;
		const char *answer;
	} cases[] = {
	    {"nonsense\r\n\r\n", "HTTP/1.1 400 "},
	    {"POST /echo HTTP/1.1\r\nContent-Length: 1001\r\n\r\n",
		"HTTP/1.1 413 "},
	    {"GET / HTTP/3.0\r\n\r\n", "HTTP/1.1 505 "},
	    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 411 "},
	    {"GET / HTTP/1.1\r\nUpgrade: websocket\r\n"
	     "Connection: upgrade\r\n\r\n",
		"HTTP/1.1 426 "},
	    {"GET / HTTP/1.1\r\nUpgrade: websocket\r\n"
	     "Connection: upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
		"HTTP/1.1 400 "},
	    {"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
	     "Sec-WebSocket-Version: 13\r\n"
	     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		"HTTP/1.1 404 "},
	};
	struct site *s = site_open(0, 0);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		raw_connect(s);
		raw_send(s, cases[i].text, 99);
		raw_wait(s, NULL);
		if (strstr(s->got, cases[i].answer) != s->got)
			fail_msg("%s -> %s", cases[i].text, s->got);
	}
	assert_int_equal(s->requests, 0);
	site_close(s);
}

static void
test_long_head_refused(void **state)
{
	static char line[1024];
	struct site *s = site_open(0, 0);
	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	raw_connect(s);
	raw_send(s, "GET / HTTP/1.1\r\nA: ", 99);
	for (unsigned i = 0; i < 20; i++)
		raw_send(s, line, sizeof(line));
	raw_wait(s, "HTTP/1.1 431 ");
	site_close(s);
}

static void
test_idle_and_full(void **state)
{
	struct site *s = site_open(1, 100);
	(void)state;
	raw_connect(s);
	raw_send(s, "GET /", 99);
	int first = s->fd;
	s->fd = -1;
	while (httpd_conn_n(s->server) == 0)
		(void)uv_run(&s->loop, UV_RUN_ONCE);
	raw_connect(s);
	raw_wait(s, NULL);
	assert_non_null(strstr(s->got, "503"));
	while (s->gones == 0 && !s->is_stuck)
		(void)uv_run(&s->loop, UV_RUN_ONCE);
	assert_int_equal(s->gones, 1);
	close(first);
	site_close(s);
}

static void
test_port_in_use(void **state)
{
	struct site *s = site_open(0, 0);
	int err = 0;
	struct httpd_cfg cfg = {
	    .loop = &s->loop,
	    .host = "127.0.0.1",
	    .port = httpd_port(s->server),
	    .events = {.on_request = site_request},
	};
	(void)state;
	assert_null(httpd_create(&cfg, &err));
	assert_int_equal(err, -EADDRINUSE);
	cfg.host = "not an address";
	assert_null(httpd_create(&cfg, &err));
	assert_int_equal(err, -EINVAL);
	site_close(s);
}

/* ---- the client ---- */

static void
call_done(void *user, const struct http_result *r)
{
	struct site *s = user;
	s->done++;
	s->status = r->status;
	s->body_n = r->body_n;
	(void)snprintf(s->body, sizeof(s->body), "%s", r->body);
	(void)snprintf(
	    s->error, sizeof(s->error), "%s", r->error != NULL ? r->error : "");
}

static void
call_url(struct site *s, struct http_call *call, const char *path)
{
	char url[128];
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s",
	    (unsigned)httpd_port(s->server), path);
	call->url = url;
	assert_int_equal(http_client_call(s->client, call, call_done, s), 0);
}

static void
call_wait(struct site *s, unsigned want)
{
	while (s->done < want && !s->is_stuck)
		(void)uv_run(&s->loop, UV_RUN_ONCE);
	assert_int_equal(s->done, want);
}

static void
test_get_and_post(void **state)
{
	static const char *const headers[] = {"X-Mine: yes", NULL};
	struct site *s = site_open(0, 0);
	struct http_call get = {.headers = headers};
	struct http_call post = {
	    .method = "POST", .body = "payload", .body_n = 7};
	(void)state;
	call_url(s, &get, "/head");
	call_wait(s, 1);
	assert_string_equal(s->error, "");
	assert_int_equal(s->status, 200);
	assert_string_equal(s->body, "yes|");
	call_url(s, &post, "/echo");
	call_wait(s, 2);
	assert_string_equal(s->body, "payload");
	/* both over one connection */
	assert_int_equal(httpd_conn_n(s->server), 1);
	call_url(s, &get, "/none");
	call_wait(s, 3);
	assert_int_equal(s->status, 404);
	assert_string_equal(s->error, "");
	site_close(s);
}

static void
test_answer_limit(void **state)
{
	struct site *s = site_open(0, 0);
	struct http_call call = {.body_max = 100000};
	(void)state;
	call_url(s, &call, "/big");
	call_wait(s, 1);
	assert_string_equal(s->error, "");
	assert_int_equal(s->body_n, 100000);
	call.body_max = 99999;
	call_url(s, &call, "/big");
	call_wait(s, 2);
	assert_string_equal(s->error, "answer over the limit");
	site_close(s);
}

static void
test_call_errors(void **state)
{
	struct site *s = site_open(0, 0);
	struct http_call call = {.timeout_ms = 100};
	(void)state;
	call_url(s, &call, "/later");
	call_wait(s, 1);
	assert_int_equal(s->status, 0);
	assert_non_null(strstr(s->error, "imed out"));
	call.url = "http://127.0.0.1:1/";
	assert_int_equal(http_client_call(s->client, &call, call_done, s), 0);
	call_wait(s, 2);
	assert_int_not_equal(strlen(s->error), 0);
	call.url = "ftp://127.0.0.1/";
	assert_int_equal(
	    http_client_call(s->client, &call, call_done, s), -EINVAL);
	call.url = "http://[";
	assert_int_equal(
	    http_client_call(s->client, &call, call_done, s), -EINVAL);
	site_close(s);
}

static void
test_calls_limit_and_destroy(void **state)
{
	struct site *s = site_open(0, 0);
	struct http_call call = {.timeout_ms = 5000};
	(void)state;
	call_url(s, &call, "/later");
	call_url(s, &call, "/later");
	call.url = "http://127.0.0.1:1/";
	assert_int_equal(
	    http_client_call(s->client, &call, call_done, s), -EAGAIN);
	assert_int_equal(http_client_open_n(s->client), 2);
	while (s->requests < 2 && !s->is_stuck)
		(void)uv_run(&s->loop, UV_RUN_ONCE);
	http_client_destroy(s->client);
	s->client = NULL;
	assert_int_equal(s->done, 2);
	assert_string_equal(s->error, "destroyed");
	site_close(s);
}

static void
no_room(void)
{
	char out[1];
	(void)http_query_get((struct http_text){"a=b", 3}, "a", out, 0);
}

static void
no_request_handler(void)
{
	uv_loop_t loop;
	int err;
	struct httpd_cfg cfg = {.loop = &loop, .host = "localhost"};
	(void)httpd_create(&cfg, &err);
}

static void
no_loop(void)
{
	struct http_client_cfg cfg = {.calls_max = 1};
	(void)http_client_create(&cfg);
}

static void
test_contracts(void **state)
{
	(void)state;
	assert_true(contract_fails(no_room));
	assert_true(contract_fails(no_request_handler));
	assert_true(contract_fails(no_loop));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_requests),
	    cmocka_unit_test(test_request_parts),
	    cmocka_unit_test(test_head_limits),
	    cmocka_unit_test(test_responses),
	    cmocka_unit_test(test_bytewise_and_keep_alive),
	    cmocka_unit_test(test_pipelined),
	    cmocka_unit_test(test_close_requests),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_long_head_refused),
	    cmocka_unit_test(test_idle_and_full),
	    cmocka_unit_test(test_port_in_use),
	    cmocka_unit_test(test_get_and_post),
	    cmocka_unit_test(test_answer_limit),
	    cmocka_unit_test(test_call_errors),
	    cmocka_unit_test(test_calls_limit_and_destroy),
	    cmocka_unit_test(test_contracts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
