/* links: execd libsign libvenue libsys libshm libcore */
/*
 * The pool of warm connections against a server on the same loop that reads
 * and then answers, hangs or closes, by the path of the request.
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

#include <cmocka.h>
#include <uv.h>

#include "execd/pool_io.h"
#include "tests/unit/contract.h"

#define CONNS	 64
#define ANSWERS	 64
#define REQUESTS 256

struct rig;

struct conn {
	uv_tcp_t tcp;
	struct rig *rig;
	bool is_open;
	unsigned served;
	size_t n;
	char buf[65536];
};

struct heard {
	uint64_t tag;
	unsigned status;
	bool was_sent;
	bool is_held;
	char error[128];
	char body[64];
	size_t n;
	int64_t retry_after_s;
	int64_t left;
	char tier[16];
	uint64_t sent_ns;
	uint64_t answer_ns;
};

struct rig {
	uv_loop_t loop;
	uv_timer_t guard;
	uv_tcp_t listener;
	uint16_t port;
	bool may_send;
	bool is_stuck;
	unsigned asked; /* the gate */
	unsigned conn_n;
	struct conn *conn[CONNS];
	unsigned request_n;
	char request[REQUESTS][96]; /* method, path and query */
	struct heard answer[ANSWERS];
	unsigned answer_n;
	char last[8192]; /* the last request, whole */
	struct pool *pool;
	uint64_t again_tag; /* called from inside an answer */
	bool is_closing_in_answer;
};

/* ---- the server ---- */

static void
freed(uv_handle_t *h)
{
	struct conn *c = h->data;

	c->is_open = false;
}

static void
drop(struct conn *c)
{
	if (!uv_is_closing((uv_handle_t *)&c->tcp))
		uv_close((uv_handle_t *)&c->tcp, freed);
}

static void
put(struct conn *c, const char *headers, const char *body)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
	    "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n%s\r\n%s", strlen(body),
	    headers, body);
	uv_buf_t b = uv_buf_init(text, (unsigned)n);

	assert_int_equal(uv_try_write((uv_stream_t *)&c->tcp, &b, 1), n);
}

static void
put_long(struct conn *c)
{
	static char text[300000] =
	    "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n";
	size_t n = strlen(text) + 200000;
	int rc;

	memset(text + strlen(text), 'x', 200000);
	for (size_t at = 0; at<n; at += rc> 0 ? (size_t)rc : 0) {
		uv_buf_t b = uv_buf_init(text + at, (unsigned)(n - at));

		rc = uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
		assert_true(rc >= 0 || rc == UV_EAGAIN);
	}
}

static void
serve(struct conn *c)
{
	struct rig *r = c->rig;
	char path[64] = "";
	char method[16] = "";

	assert_int_equal(sscanf(c->buf, "%15s %63s", method, path), 2);
	assert_true(r->request_n < REQUESTS);
	(void)snprintf(r->request[r->request_n++], 96, "%s %s", method, path);
	if (strcmp(path, "/time") != 0)
		(void)snprintf(r->last, sizeof(r->last), "%.8000s", c->buf);
	c->served++;
	if (strcmp(path, "/die") == 0)
		drop(c);
	else if (strcmp(path, "/bye") == 0)
		put(c, "Connection: close\r\n", "bye");
	else if (strcmp(path, "/long") == 0)
		put_long(c);
	else if (strcmp(path, "/limits") == 0)
		put(c,
		    "Retry-After: 7\r\nPoly-RateLimit-Remaining: -3\r\n"
		    "Poly-RateLimit-Tier: gold\r\n",
		    "slow");
	else if (strcmp(path, "/hang") != 0)
		put(c, "", "fine");
}

static size_t
request_size(const char *text, size_t n)
{
	const char *end = memmem(text, n, "\r\n\r\n", 4);
	const char *len = strcasestr(text, "content-length:");
	size_t body = 0;

	if (end == NULL)
		return 0;
	if (len != NULL && len < end)
		body = strtoul(len + 15, NULL, 10);
	body += (size_t)(end - text) + 4;
	return n >= body ? body : 0;
}

static void
give(uv_handle_t *h, size_t hint, uv_buf_t *b)
{
	struct conn *c = h->data;

	(void)hint;
	*b = uv_buf_init(c->buf + c->n, (unsigned)(sizeof(c->buf) - 1 - c->n));
}

static void
got(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	struct conn *c = s->data;
	size_t size;

	(void)b;
	if (n < 0) {
		drop(c);
		return;
	}
	c->n += (size_t)n;
	c->buf[c->n] = '\0';
	size = request_size(c->buf, c->n);
	if (size == 0)
		return;
	assert_int_equal(size, c->n);
	serve(c);
	c->n = 0;
}

static void
come(uv_stream_t *s, int status)
{
	struct rig *r = s->data;
	struct conn *c = calloc(1, sizeof(*c));

	assert_int_equal(status, 0);
	assert_non_null(c);
	assert_true(r->conn_n < CONNS);
	r->conn[r->conn_n++] = c;
	c->rig = r;
	c->is_open = true;
	uv_tcp_init(&r->loop, &c->tcp);
	c->tcp.data = c;
	assert_int_equal(uv_accept(s, (uv_stream_t *)&c->tcp), 0);
	uv_read_start((uv_stream_t *)&c->tcp, give, got);
}

/* ---- the pool's owner ---- */

static bool
may_send(void *user)
{
	struct rig *r = user;

	r->asked++;
	return r->may_send;
}

static struct pool_call
call_of(uint64_t tag, enum pool_role role, const char *target)
{
	return (struct pool_call){.tag = tag,
	    .role = role,
	    .method = "POST",
	    .target = target,
	    .headers = "X-One: 1\r\nContent-Type: application/json\r\n",
	    .body = "{\"a\":1}",
	    .body_n = 7,
	    .timeout_ns = UINT64_C(3000000000),
	    .is_once = role == POOL_ORDERS,
	    .is_gated = role == POOL_ORDERS};
}

static void
on_answer(void *user, const struct pool_answer *a)
{
	struct rig *r = user;
	struct heard *h = &r->answer[r->answer_n];

	assert_true(r->answer_n < ANSWERS);
	r->answer_n++;
	h->tag = a->tag;
	h->status = a->status;
	h->was_sent = a->was_sent;
	h->is_held = a->is_held;
	(void)snprintf(
	    h->error, sizeof(h->error), "%s", a->error != NULL ? a->error : "");
	assert_int_equal(strlen(a->body), a->n);
	(void)snprintf(h->body, sizeof(h->body), "%s", a->body);
	h->n = a->n;
	h->retry_after_s = a->retry_after_s;
	h->left = a->left;
	(void)snprintf(
	    h->tier, sizeof(h->tier), "%s", a->tier != NULL ? a->tier : "");
	h->sent_ns = a->sent_ns;
	h->answer_ns = a->answer_ns;
	if (r->again_tag != 0) {
		struct pool_call c = call_of(r->again_tag, POOL_ORDERS, "/x");

		r->again_tag = 0;
		assert_int_equal(pool_call(r->pool, &c), 0);
	}
	if (r->is_closing_in_answer && r->pool != NULL) {
		struct pool *p = r->pool;

		r->pool = NULL; /* it is freed in the loop */
		pool_close(p);
	}
}

static void
on_stuck(uv_timer_t *t)
{
	struct rig *r = t->data;

	r->is_stuck = true;
}

static void
turn(struct rig *r)
{
	(void)uv_run(&r->loop, UV_RUN_ONCE);
	if (r->is_stuck)
		fail_msg("stuck: %u answers, %u requests, %u connections",
		    r->answer_n, r->request_n, r->conn_n);
}

static void
wait_answers(struct rig *r, unsigned n)
{
	while (r->answer_n < n)
		turn(r);
}

static void
wait_warm(struct rig *r, uint64_t n)
{
	while (pool_stats(r->pool)->warm < n)
		turn(r);
}

static void
nothing(uv_timer_t *t)
{
	bool *done = t->data;

	*done = true;
}

static void
wait_ms(struct rig *r, uint64_t ms)
{
	uv_timer_t t;
	bool done = false;

	uv_timer_init(&r->loop, &t);
	t.data = &done;
	uv_timer_start(&t, nothing, ms, 0);
	while (!done)
		turn(r);
	uv_close((uv_handle_t *)&t, NULL);
	turn(r);
}

static struct rig *
rig_open(unsigned orders, uint64_t keep_warm_ms)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct sockaddr_in at;
	int n = sizeof(at);
	char url[64];
	struct pool_cfg cfg = {.url = url,
	    .connections = {0, orders, 1, 1, 0},
	    .keep_warm_ns = keep_warm_ms * 1000000,
	    .warm_target = "/time",
	    .may_send = may_send,
	    .on_answer = on_answer};

	assert_non_null(r);
	r->may_send = true;
	assert_int_equal(uv_loop_init(&r->loop), 0);
	uv_timer_init(&r->loop, &r->guard);
	r->guard.data = r;
	uv_timer_start(&r->guard, on_stuck, 15000, 0);
	uv_tcp_init(&r->loop, &r->listener);
	r->listener.data = r;
	uv_ip4_addr("127.0.0.1", 0, &at);
	assert_int_equal(
	    uv_tcp_bind(&r->listener, (struct sockaddr *)&at, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&r->listener, 64, come), 0);
	uv_tcp_getsockname(&r->listener, (struct sockaddr *)&at, &n);
	r->port = ntohs(at.sin_port);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", r->port);
	cfg.loop = &r->loop;
	cfg.user = r;
	r->pool = pool_open(&cfg);
	assert_non_null(r->pool);
	return r;
}

static void
rig_close(struct rig *r)
{
	pool_close(r->pool);
	for (unsigned i = 0; i < r->conn_n; i++)
		if (r->conn[i]->is_open)
			drop(r->conn[i]);
	uv_close((uv_handle_t *)&r->listener, NULL);
	uv_close((uv_handle_t *)&r->guard, NULL);
	assert_int_equal(uv_run(&r->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&r->loop), 0);
	for (unsigned i = 0; i < r->conn_n; i++)
		free(r->conn[i]);
	free(r);
}

static void
call(struct rig *r, uint64_t tag, enum pool_role role, const char *target)
{
	struct pool_call c = call_of(tag, role, target);

	assert_int_equal(pool_call(r->pool, &c), 0);
}

static unsigned
requests(const struct rig *r, const char *what)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->request_n; i++)
		n += strcmp(r->request[i], what) == 0;
	return n;
}

/* ---- cases ---- */

/* Four orders at once, again and again: no connection but the warm ones. */
static void
warm_connections_are_used_again(void **state)
{
	struct rig *r = rig_open(4, 60000);
	unsigned had;

	(void)state;
	wait_warm(r, 6);
	had = r->conn_n;
	for (unsigned i = 0; i < 5; i++) {
		for (unsigned k = 0; k < 4; k++)
			call(r, 10 * i + k, POOL_ORDERS, "/order");
		call(r, 1000 + i, POOL_CANCELS, "/order");
		wait_answers(r, 5 * (i + 1));
	}
	assert_int_equal(r->conn_n, had);
	assert_int_equal(requests(r, "POST /order"), 25);
	assert_int_equal(pool_stats(r->pool)->cold, 0);
	for (unsigned i = 0; i < 25; i++) {
		assert_int_equal(r->answer[i].status, 200);
		assert_string_equal(r->answer[i].body, "fine");
		assert_true(r->answer[i].was_sent);
		assert_true(r->answer[i].answer_ns >= r->answer[i].sent_ns);
	}
	assert_int_equal(pool_busy(r->pool, POOL_ORDERS), 0);
	rig_close(r);
}

/* What leaves: our lines once, the body as given, nothing that asks for a
 * round trip of its own. */
static void
the_request_is_as_given(void **state)
{
	struct rig *r = rig_open(1, 60000);
	struct pool_call c = call_of(1, POOL_CANCELS, "/order?a=b");

	(void)state;
	wait_warm(r, 3);
	c.method = "DELETE";
	assert_int_equal(pool_call(r->pool, &c), 0);
	wait_answers(r, 1);
	assert_int_equal(strncmp(r->last, "DELETE /order?a=b HTTP/1.1", 26), 0);
	assert_non_null(strstr(r->last, "X-One: 1\r\n"));
	assert_non_null(strstr(r->last, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(r->last, "Content-Length: 7\r\n"));
	assert_null(strstr(r->last, "Expect"));
	assert_string_equal(strstr(r->last, "\r\n\r\n") + 4, "{\"a\":1}");
	c.body = NULL;
	c.body_n = 0;
	assert_int_equal(pool_call(r->pool, &c), 0);
	wait_answers(r, 2);
	assert_int_equal(strncmp(r->last, "DELETE ", 7), 0);
	assert_null(strstr(r->last, "Content-Length"));
	c.method = "GET";
	c.headers = NULL;
	assert_int_equal(pool_call(r->pool, &c), 0);
	wait_answers(r, 3);
	assert_int_equal(strncmp(r->last, "GET /order?a=b", 14), 0);
	assert_null(strstr(r->last, "X-One"));
	rig_close(r);
}

static void
limits_are_told(void **state)
{
	struct rig *r = rig_open(1, 60000);

	(void)state;
	call(r, 1, POOL_ORDERS, "/limits");
	call(r, 2, POOL_ORDERS, "/order");
	wait_answers(r, 2);
	assert_int_equal(r->answer[0].retry_after_s, 7);
	assert_int_equal(r->answer[0].left, -3);
	assert_string_equal(r->answer[0].tier, "gold");
	assert_true(r->answer[1].retry_after_s <= 0);
	assert_true(r->answer[1].left == INT64_MIN);
	assert_string_equal(r->answer[1].tier, "");
	rig_close(r);
}

/* The peer reads the order and closes: once is enough. */
static void
a_post_never_leaves_twice(void **state)
{
	struct rig *r = rig_open(1, 60000);

	(void)state;
	wait_warm(r, 3);
	call(r, 1, POOL_ORDERS, "/order");
	call(r, 7, POOL_ORDERS, "/die");
	wait_answers(r, 2);
	wait_ms(r, 300);
	assert_int_equal(r->answer[1].tag, 7);
	assert_int_equal(r->answer[1].status, 0);
	assert_true(r->answer[1].was_sent);
	assert_string_not_equal(r->answer[1].error, "");
	assert_int_equal(requests(r, "POST /die"), 1);
	assert_int_equal(pool_stats(r->pool)->guarded, 1);
	/* The next goes out on a new connection, made without it. */
	wait_warm(r, 3);
	call(r, 8, POOL_ORDERS, "/order");
	wait_answers(r, 3);
	assert_int_equal(r->answer[2].status, 200);
	assert_int_equal(pool_stats(r->pool)->cold, 0);
	rig_close(r);
}

/* What may be sent twice is: a cancel gets its answer. */
static void
a_cancel_is_sent_again(void **state)
{
	struct rig *r = rig_open(1, 60000);

	(void)state;
	wait_warm(r, 3);
	call(r, 7, POOL_CANCELS, "/die");
	wait_answers(r, 1);
	assert_int_equal(r->answer[0].status, 0);
	assert_true(requests(r, "POST /die") >= 2);
	assert_int_equal(pool_stats(r->pool)->guarded, 0);
	rig_close(r);
}

static void
the_gate_holds(void **state)
{
	struct rig *r = rig_open(2, 60000);
	unsigned had;

	(void)state;
	wait_warm(r, 4);
	had = r->conn_n;
	r->may_send = false;
	call(r, 1, POOL_ORDERS, "/order");
	call(r, 2, POOL_CANCELS, "/order");
	assert_int_equal(r->answer_n, 0); /* never inside the call */
	wait_answers(r, 2);
	for (unsigned i = 0; i < 2; i++) {
		bool is_order = r->answer[i].tag == 1;

		assert_int_equal(r->answer[i].status, is_order ? 0 : 200);
		assert_int_equal(r->answer[i].was_sent, !is_order);
		assert_int_equal(r->answer[i].is_held, is_order);
	}
	assert_int_equal(requests(r, "POST /order"), 1);
	assert_int_equal(pool_stats(r->pool)->held, 1);
	/* The connection was not touched. */
	r->may_send = true;
	call(r, 3, POOL_ORDERS, "/order");
	wait_answers(r, 3);
	assert_int_equal(r->answer[2].status, 200);
	assert_int_equal(pool_stats(r->pool)->cold, 0);
	assert_int_equal(r->conn_n, had);
	rig_close(r);
}

/* The freeze comes while the connection is being made: the last look is
 * after that. */
static void
the_gate_is_asked_after_connecting(void **state)
{
	struct rig *r = rig_open(1, 60000);
	struct pool_call c = call_of(5, POOL_ORDERS, "/order");

	(void)state;
	wait_warm(r, 3);
	call(r, 1, POOL_ORDERS, "/bye");
	wait_answers(r, 1);
	while (pool_stats(r->pool)->warm > 2)
		turn(r);
	assert_int_equal(pool_call(r->pool, &c), 0);
	assert_int_equal(r->asked, 1); /* for the one before */
	r->may_send = false;
	wait_answers(r, 2);
	assert_int_equal(r->answer[1].tag, 5);
	assert_int_equal(r->answer[1].status, 0);
	assert_false(r->answer[1].was_sent);
	assert_int_equal(requests(r, "POST /order"), 0);
	assert_int_equal(pool_stats(r->pool)->held, 1);
	rig_close(r);
}

/* All connections for orders wait for an answer; a cancel does not. */
static void
T_44_a_cancel_never_waits_for_orders(void **state)
{
	struct rig *r = rig_open(4, 60000);

	(void)state;
	wait_warm(r, 6);
	for (unsigned i = 0; i < 6; i++)
		call(r, i, POOL_ORDERS, "/hang");
	assert_int_equal(pool_busy(r->pool, POOL_ORDERS), 6);
	call(r, 100, POOL_CANCELS, "/order");
	wait_answers(r, 1);
	assert_int_equal(r->answer[0].tag, 100);
	assert_int_equal(r->answer[0].status, 200);
	assert_int_equal(requests(r, "POST /hang"), 4);
	rig_close(r);
}

static void
calls_end_in_time(void **state)
{
	struct rig *r = rig_open(1, 60000);
	struct pool_call c = call_of(1, POOL_ORDERS, "/hang");

	(void)state;
	wait_warm(r, 3);
	c.timeout_ns = 300000000;
	assert_int_equal(pool_call(r->pool, &c), 0);
	c.tag = 2;
	c.timeout_ns = 100000000;
	assert_int_equal(pool_call(r->pool, &c), 0);
	wait_answers(r, 2);
	/* The one that waited was never sent. */
	assert_int_equal(r->answer[0].tag, 2);
	assert_false(r->answer[0].was_sent);
	assert_int_equal(r->answer[1].tag, 1);
	assert_true(r->answer[1].was_sent);
	assert_int_equal(r->answer[1].status, 0);
	assert_int_equal(requests(r, "POST /hang"), 1);
	rig_close(r);
}

/* Nobody there: told at once, nothing was sent; and it is tried again. */
static void
no_server_is_an_answer(void **state)
{
	struct rig *r = rig_open(1, 60000);

	(void)state;
	wait_warm(r, 3);
	uv_close((uv_handle_t *)&r->listener, NULL);
	for (unsigned i = 0; i < r->conn_n; i++)
		drop(r->conn[i]);
	while (pool_stats(r->pool)->warm > 0)
		turn(r);
	call(r, 1, POOL_ORDERS, "/order");
	wait_answers(r, 1);
	assert_int_equal(r->answer[0].status, 0);
	assert_false(r->answer[0].was_sent);
	uv_tcp_init(&r->loop, &r->listener);
	rig_close(r);
}

/* Idle connections are used, and those that the peer closes come back. */
static void
idle_connections_stay_warm(void **state)
{
	struct rig *r = rig_open(2, 150);
	unsigned had;

	(void)state;
	wait_warm(r, 4);
	assert_int_equal(requests(r, "GET /time"), 4);
	while (requests(r, "GET /time") < 12)
		turn(r);
	assert_int_equal(r->conn_n, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_true(r->conn[i]->served >= 2);
	had = r->conn_n;
	drop(r->conn[0]);
	drop(r->conn[1]);
	while (r->conn_n < had + 2)
		turn(r);
	wait_warm(r, 4);
	call(r, 1, POOL_ORDERS, "/order");
	wait_answers(r, 1);
	assert_int_equal(pool_stats(r->pool)->cold, 0);
	assert_int_equal(r->answer[0].status, 200);
	rig_close(r);
}

static void
a_cold_order_is_counted(void **state)
{
	struct rig *r = rig_open(1, 60000);

	(void)state;
	wait_warm(r, 3);
	call(r, 1, POOL_ORDERS, "/bye");
	call(r, 2, POOL_ORDERS, "/order");
	wait_answers(r, 2);
	assert_int_equal(r->answer[1].status, 200);
	assert_int_equal(pool_stats(r->pool)->cold, 1);
	rig_close(r);
}

static void
too_many_wait(void **state)
{
	struct rig *r = rig_open(1, 60000);
	struct pool_call c = call_of(0, POOL_ORDERS, "/hang");
	struct pool_call bad = c;
	int rc = 0;
	(void)state;
	for (c.tag = 1; c.tag < 100 && rc == 0; c.tag++)
		rc = pool_call(r->pool, &c);
	assert_int_equal(rc, -EAGAIN);
	assert_int_equal(pool_busy(r->pool, POOL_ORDERS), 64);
	bad.role = POOL_BEATS; /* no connection of that role */
	assert_int_equal(pool_call(r->pool, &bad), -EINVAL);
	bad = c;
	bad.target = "order";
	assert_int_equal(pool_call(r->pool, &bad), -EINVAL);
	/* Closing answers each exactly once. */
	pool_close(r->pool);
	r->pool = NULL;
	assert_int_equal(r->answer_n, 64);
	for (unsigned i = 0; i < 64; i++) {
		assert_int_equal(r->answer[i].status, 0);
		assert_string_equal(r->answer[i].error, "closed");
	}
	rig_close(r);
}

static void
a_long_answer_is_whole(void **state)
{
	struct rig *r = rig_open(1, 60000);

	(void)state;
	call(r, 1, POOL_QUERIES, "/long");
	wait_answers(r, 1);
	assert_int_equal(r->answer[0].status, 200);
	assert_int_equal(r->answer[0].n, 200000);
	rig_close(r);
}

static void
an_answer_may_call_and_close(void **state)
{
	struct rig *r = rig_open(1, 60000);

	(void)state;
	r->again_tag = 9;
	call(r, 1, POOL_ORDERS, "/order");
	wait_answers(r, 2);
	assert_int_equal(r->answer[1].tag, 9);
	assert_int_equal(r->answer[1].status, 200);
	r->is_closing_in_answer = true;
	call(r, 2, POOL_ORDERS, "/order");
	call(r, 3, POOL_ORDERS, "/order");
	wait_answers(r, 4);
	assert_int_equal(r->answer[2].tag, 2);
	assert_string_equal(r->answer[3].error, "closed");
	rig_close(r);
}

static void
opens_without_a_loop(void)
{
	struct pool_cfg cfg = {.url = "http://127.0.0.1"};

	(void)pool_open(&cfg);
}

static void
bad_addresses_are_refused(void **state)
{
	uv_loop_t loop;
	struct pool_cfg cfg = {.url = "ftp://127.0.0.1",
	    .connections = {0, 1, 1, 1, 1},
	    .keep_warm_ns = 1,
	    .warm_target = "/time",
	    .on_answer = on_answer};

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	cfg.loop = &loop;
	assert_null(pool_open(&cfg));
	cfg.url = "127.0.0.1";
	assert_null(pool_open(&cfg));
	assert_true(contract_fails(opens_without_a_loop));
	uv_loop_close(&loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(warm_connections_are_used_again),
	    cmocka_unit_test(the_request_is_as_given),
	    cmocka_unit_test(limits_are_told),
	    cmocka_unit_test(a_post_never_leaves_twice),
	    cmocka_unit_test(a_cancel_is_sent_again),
	    cmocka_unit_test(the_gate_holds),
	    cmocka_unit_test(the_gate_is_asked_after_connecting),
	    cmocka_unit_test(T_44_a_cancel_never_waits_for_orders),
	    cmocka_unit_test(calls_end_in_time),
	    cmocka_unit_test(no_server_is_an_answer),
	    cmocka_unit_test(idle_connections_stay_warm),
	    cmocka_unit_test(a_cold_order_is_counted),
	    cmocka_unit_test(too_many_wait),
	    cmocka_unit_test(a_long_answer_is_whole),
	    cmocka_unit_test(an_answer_may_call_and_close),
	    cmocka_unit_test(bad_addresses_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
