#define _GNU_SOURCE
#include "libsys/ws.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libsys/addrs.h"
#include "libsys/clock.h"
#include "libsys/httpmsg.h"
#include "libsys/net.h"
#include "libsys/transport.h"
#include "libsys/wstext.h"

#define READ_SZ		    (64 * 1024)
#define READS_MAX	    64 /* a turn, so that one feed starves no other */
#define OPEN_TIMEOUT_MS	    10000
#define CLOSE_TIMEOUT_MS    1000
#define REQUEST_HEADERS_MAX 4096

enum state {
	STATE_IDLE = 1,
	STATE_RESOLVE = 2,
	STATE_CONNECT = 3,
	STATE_TLS = 4,
	STATE_UPGRADE = 5,
	STATE_OPEN = 6,
	STATE_CLOSING = 7, /* our close frame is out */
	STATE_N
};

struct resolve {
	uv_getaddrinfo_t req;
	struct ws_client *client; /* NULL when it no longer waits */
};

struct ws_client {
	uv_loop_t *loop;
	struct net_url url;
	char *headers;
	struct tls_ctx *tls;
	struct curltls_ctx *curl;
	uint64_t open_timeout_ms;
	struct ws_events events;
	void *user;
	enum state state;
	unsigned connect_n; /* tells one connection from the next */
	bool is_destroyed;
	unsigned handle_n;
	uv_timer_t timer;  /* open limit, close limit, deferred end */
	uv_timer_t resume; /* goes on reading in the next turn; while
			      connecting: the share of an address */
	enum ws_end deferred;
	struct resolve *resolve;
	struct addrs addrs;
	uv_poll_t *poll;
	int poll_events;
	struct transport transport;
	struct ws_session session;
	struct ws_stats stats;
	struct ws_ended ended;
	char key[WS_KEY_MAX];
	size_t head_at; /* of the request: bytes written */
	size_t head_n;
	char head[HTTP_HEAD_MAX]; /* our request, then the answer */
	uint8_t in[READ_SZ];
};

static void on_poll(uv_poll_t *poll, int status, int events);

/* ---- ends ---- */

static void
poll_freed(uv_handle_t *h)
{
	free(h);
}

static void
connection_release(struct ws_client *c)
{
	uv_timer_stop(&c->timer);
	uv_timer_stop(&c->resume);
	if (c->poll != NULL) {
		uv_poll_stop(c->poll);
		uv_close((uv_handle_t *)c->poll, poll_freed);
		c->poll = NULL;
	}
	transport_close(&c->transport);
	if (c->resolve != NULL) {
		c->resolve->client = NULL;
		(void)uv_cancel((uv_req_t *)&c->resolve->req);
		c->resolve = NULL;
	}
	addrs_free(&c->addrs);
	c->poll_events = 0;
	c->deferred = 0;
	c->connect_n++;
	c->state = STATE_IDLE;
}

static enum reason
reason_of(const struct ws_client *c, enum ws_end end)
{
	switch (end) {
	case WS_END_LOCAL: return REASON_NONE;
	case WS_END_PEER:
	case WS_END_EOF:
	case WS_END_EOF_MID:
	case WS_END_IO: return REASON_PEER_CLOSED;
	case WS_END_DNS: return REASON_DNS;
	case WS_END_CONNECT: return REASON_REFUSED;
	case WS_END_TIMEOUT: return REASON_OPEN_TIMEOUT;
	case WS_END_TLS:
		return c->transport.reason != REASON_NONE ? c->transport.reason
							  : REASON_TLS;
	case WS_END_UPGRADE: return REASON_HTTP_REFUSED;
	case WS_END_PROTOCOL:
	case WS_END_BAD_CODE: return REASON_BAD_FRAME;
	case WS_END_TOO_BIG: return REASON_OVERLONG;
	case WS_END_OVERFLOW: return REASON_SILENT; /* it reads nothing */
	case WS_END_N: break;
	}
	CHECK(!"an end");
	return REASON_NONE;
}

static void
finish(struct ws_client *c, enum ws_end end, unsigned code, const char *text)
{
	char copy[TRANSPORT_ERROR_MAX];
	if (c->state == STATE_IDLE)
		return;
	c->ended.reason = reason_of(c, end);
	ws_end_text(copy, sizeof(copy), &(struct ws_end_said){end, code, text});
	connection_release(c);
	if (!c->is_destroyed)
		c->events.on_close(c->user, end, code, copy);
}

static const char *
awaited(enum state state)
{
	switch (state) {
	case STATE_RESOLVE: return "no answer from the name service";
	case STATE_CONNECT: return "no answer to the connection request";
	case STATE_TLS: return "no answer to the TLS handshake";
	case STATE_UPGRADE: return "no answer to the upgrade request";
	case STATE_IDLE:
	case STATE_OPEN:
	case STATE_CLOSING: return "";
	case STATE_N: break;
	}
	CHECK(!"a state");
	return "";
}

static void
on_timer(uv_timer_t *timer)
{
	struct ws_client *c = timer->data;
	enum ws_end end = WS_END_TIMEOUT;
	if (c->deferred != 0)
		end = c->deferred;
	else if (c->state == STATE_CLOSING)
		end = WS_END_LOCAL;
	finish(c, end, 0,
	    end == WS_END_IO	    ? c->transport.error
	    : end == WS_END_TIMEOUT ? awaited(c->state)
				    : "");
}

/* End from inside a call of the owner: tell it from the loop. */
static void
finish_later(struct ws_client *c, enum ws_end end)
{
	c->deferred = end;
	CHECK(uv_timer_start(&c->timer, on_timer, 0, 0) == 0);
}

/* ---- writing ---- */

static void
poll_for(struct ws_client *c, int events)
{
	if (c->poll == NULL || c->poll_events == events)
		return;
	c->poll_events = events;
	CHECK(uv_poll_start(c->poll, events, on_poll) == 0);
}

/* Returns false when the transport failed. */
static bool
flush(struct ws_client *c)
{
	const uint8_t *bytes;
	size_t n = ws_session_pending(&c->session, &bytes);
	while (n > 0) {
		ssize_t put = transport_send(&c->transport, bytes, n);
		if (put == TRANSPORT_FAILED)
			return false;
		if (put < 0)
			break;
		ws_session_wrote(&c->session, (size_t)put);
		n = ws_session_pending(&c->session, &bytes);
	}
	poll_for(c, n > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
	return true;
}

static void
session_ended(struct ws_client *c)
{
	/* What we owe the peer: its close echoed, or why we close. */
	(void)flush(c);
	finish(c, c->session.end, c->session.close_code, c->session.text);
}

/* ---- reading ---- */

static void
on_session_message(void *user, const struct ws_message *m)
{
	struct ws_client *c = user;
	if (m->kind == WS_TEXT || m->kind == WS_BINARY)
		c->stats.recv_msgs++;
	if (c->state == STATE_OPEN || c->state == STATE_CLOSING)
		c->events.on_message(c->user, m);
}

static const char *
answer_wrong(struct ws_client *c, const struct http_head *h)
{
	char accept[WS_ACCEPT_MAX];
	if (!http_header_has(h, "upgrade", "websocket"))
		return "no Upgrade: websocket";
	if (!http_header_has(h, "connection", "upgrade"))
		return "no Connection: upgrade";
	const struct http_text *got =
	    http_header_find(h, "sec-websocket-accept");
	ws_accept_key(c->key, strlen(c->key), accept);
	if (got == NULL || !http_text_is(*got, accept))
		return "wrong Sec-WebSocket-Accept";
	if (http_header_find(h, "sec-websocket-extensions") != NULL)
		return "extension that was not offered";
	return NULL;
}

static bool
feed(struct ws_client *c, const void *bytes, size_t n)
{
	unsigned connect_n = c->connect_n;
	if (n == 0)
		return true;
	bool lives =
	    ws_session_feed(&c->session, bytes, n, c->stats.last_recv_ns);
	if (c->connect_n != connect_n)
		return false;
	if (!lives) {
		session_ended(c);
		return false;
	}
	return true;
}

/* The server's own word of why not, and when to come back. */
static void
refused(struct ws_client *c, const struct http_head *h)
{
	char text[TRANSPORT_ERROR_MAX];
	const struct http_text *t = http_header_find(h, "retry-after");
	if (t != NULL)
		c->ended.retry_after_s = http_seconds_parse(*t);
	t = http_header_find(h, "date");
	if (t != NULL)
		c->ended.date_ns = http_date_parse(*t);
	if (c->ended.retry_after_s != 0)
		(void)snprintf(text, sizeof(text),
		    "HTTP %u %s, retry after %u s", h->status,
		    http_status_text(h->status),
		    (unsigned)c->ended.retry_after_s);
	else
		(void)snprintf(text, sizeof(text), "HTTP %u %s", h->status,
		    http_status_text(h->status));
	finish(c, WS_END_UPGRADE, h->status, text);
}

/* Bytes of the answer to our upgrade; what follows it belongs to frames. */
static bool
take_answer(struct ws_client *c, const uint8_t *bytes, size_t n)
{
	struct http_head h;
	unsigned connect_n = c->connect_n;
	size_t take = sizeof(c->head) - c->head_n;
	if (take > n)
		take = n;
	memcpy(c->head + c->head_n, bytes, take);
	c->head_n += take;
	int rc = http_response_parse(c->head, c->head_n, &h);
	if (rc == 0)
		return true;
	/* A refusal may have any body: chunked, or none at all. */
	if ((rc == 1 || rc == -411) && h.status != 101) {
		refused(c, &h);
		return false;
	}
	const char *wrong = rc < 0 ? "answer is not HTTP" : answer_wrong(c, &h);
	if (wrong != NULL) {
		finish(c, WS_END_UPGRADE, rc < 0 ? 0 : h.status, wrong);
		return false;
	}
	uv_timer_stop(&c->timer);
	addrs_well(&c->addrs);
	c->state = STATE_OPEN;
	c->stats.opens++;
	c->events.on_open(c->user);
	if (c->connect_n != connect_n)
		return false;
	return feed(c, c->head + h.head_n, c->head_n - h.head_n) &&
	       feed(c, bytes + take, n - take);
}

static void
stream_ended(struct ws_client *c)
{
	if (c->state == STATE_UPGRADE) {
		finish(c, WS_END_UPGRADE, 0,
		    c->url.is_tls ? "hung up before the answer"
				  : "hung up before the answer, as a port of "
				    "TLS does");
		return;
	}
	ws_session_eof(&c->session);
	finish(c, c->session.end, c->session.close_code, c->session.text);
}

static void
on_resume(uv_timer_t *timer)
{
	ws_client_read(timer->data);
}

void
ws_client_read(struct ws_client *c)
{
	if (c->state < STATE_UPGRADE || c->deferred != 0)
		return;
	for (unsigned i = 0; i < READS_MAX; i++) {
		ssize_t got =
		    transport_recv(&c->transport, c->in, sizeof(c->in));
		if (got == TRANSPORT_WANT_READ || got == TRANSPORT_WANT_WRITE) {
			if (c->state != STATE_UPGRADE && !flush(c))
				finish(c, WS_END_IO, 0, c->transport.error);
			return;
		}
		if (got == TRANSPORT_FAILED) {
			finish(c, WS_END_IO, 0, c->transport.error);
			return;
		}
		if (got == 0) {
			stream_ended(c);
			return;
		}
		c->stats.last_recv_ns = clock_mono_ns();
		c->stats.recv_bytes += (uint64_t)got;
		bool go_on = c->state == STATE_UPGRADE
				 ? take_answer(c, c->in, (size_t)got)
				 : feed(c, c->in, (size_t)got);
		if (!go_on)
			return;
	}
	/* TLS may hold more than the socket shows. */
	CHECK(uv_timer_start(&c->resume, on_resume, 0, 0) == 0);
}

/* ---- opening ---- */

static void
send_request(struct ws_client *c)
{
	while (c->head_at < c->head_n) {
		ssize_t put = transport_send(&c->transport,
		    c->head + c->head_at, c->head_n - c->head_at);
		if (put == TRANSPORT_FAILED) {
			finish(c, WS_END_IO, 0, c->transport.error);
			return;
		}
		if (put < 0) {
			poll_for(c, UV_READABLE | UV_WRITABLE);
			return;
		}
		c->head_at += (size_t)put;
	}
	/* From here on head collects the answer. */
	c->head_at = 0;
	c->head_n = 0;
	poll_for(c, UV_READABLE);
}

static void
start_upgrade(struct ws_client *c)
{
	bool is_v6 = strchr(c->url.host, ':') != NULL;
	ws_make_key(net_random(), net_random(), c->key);
	int n = snprintf(c->head, sizeof(c->head),
	    "GET %s HTTP/1.1\r\n"
	    "Host: %s%s%s:%u\r\n"
	    "Upgrade: websocket\r\n"
	    "Connection: Upgrade\r\n"
	    "Sec-WebSocket-Key: %s\r\n"
	    "Sec-WebSocket-Version: 13\r\n"
	    "User-Agent: ringmaker\r\n"
	    "%s\r\n",
	    c->url.path, is_v6 ? "[" : "", c->url.host, is_v6 ? "]" : "",
	    (unsigned)c->url.port, c->key,
	    c->headers != NULL ? c->headers : "");
	CHECK(n > 0 && (size_t)n < sizeof(c->head));
	c->state = STATE_UPGRADE;
	c->head_at = 0;
	c->head_n = (size_t)n;
	send_request(c);
}

static void
step_tls(struct ws_client *c)
{
	int rc = transport_handshake(&c->transport);
	if (rc == TRANSPORT_WANT_READ)
		poll_for(c, UV_READABLE);
	else if (rc == TRANSPORT_WANT_WRITE)
		poll_for(c, UV_WRITABLE);
	else if (rc != 0)
		finish(c, WS_END_TLS, 0, c->transport.error);
	if (rc != 0)
		return;
	c->stats.resumed += c->transport.resumed;
	start_upgrade(c);
}

static void try_next_address(struct ws_client *c, int last_error);

static void
step_connect(struct ws_client *c)
{
	int fd = c->transport.fd;
	int rc = net_connect_result(fd);
	uv_timer_stop(&c->resume);
	if (rc != 0) {
		try_next_address(c, rc);
		return;
	}
	if (!c->url.is_tls) {
		start_upgrade(c);
		return;
	}
	/* The plain transport only held the socket so far. */
	c->transport.ops = NULL;
	rc = c->curl != NULL
		 ? curltls_transport_init(
		       &c->transport, c->curl, fd, c->url.host, c->url.port)
		 : tls_transport_init(&c->transport, c->tls, fd, c->url.host);
	if (rc != 0) {
		finish(c, WS_END_TLS, 0, c->transport.error);
		return;
	}
	c->state = STATE_TLS;
	step_tls(c);
}

static bool
start_address(struct ws_client *c, const struct addrinfo *ai, int *err)
{
	int fd = net_connect(ai->ai_addr, ai->ai_addrlen);
	if (fd < 0) {
		*err = fd;
		return false;
	}
	transport_plain_init(&c->transport, fd);
	c->poll = malloc(sizeof(*c->poll));
	if (c->poll == NULL) {
		*err = -ENOMEM;
		transport_close(&c->transport);
		return false;
	}
	CHECK(uv_poll_init(c->loop, c->poll, fd) == 0);
	c->poll->data = c;
	c->poll_events = 0;
	poll_for(c, UV_WRITABLE);
	return true;
}

static void
on_share_over(uv_timer_t *timer)
{
	try_next_address(timer->data, -ETIMEDOUT);
}

static void
try_next_address(struct ws_client *c, int last_error)
{
	const struct addrinfo *ai;
	uint64_t share_ms;
	if (c->poll != NULL) {
		uv_poll_stop(c->poll);
		uv_close((uv_handle_t *)c->poll, poll_freed);
		c->poll = NULL;
	}
	transport_close(&c->transport);
	while ((ai = addrs_next(&c->addrs)) != NULL) {
		if (!start_address(c, ai, &last_error))
			continue;
		c->state = STATE_CONNECT;
		share_ms =
		    addrs_share(&c->addrs, uv_timer_get_due_in(&c->timer));
		if (share_ms > 0)
			CHECK(uv_timer_start(
				  &c->resume, on_share_over, share_ms, 0) == 0);
		return;
	}
	finish(c, WS_END_CONNECT, 0, strerror(-last_error));
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
	struct ws_client *c = poll->data;
	(void)events;
	if (c->deferred != 0 || c->poll != poll)
		return;
	switch (c->state) {
	case STATE_CONNECT: step_connect(c); return;
	case STATE_TLS: step_tls(c); return;
	case STATE_UPGRADE:
		if (c->head_at < c->head_n) {
			send_request(c);
			return;
		}
		break;
	case STATE_OPEN:
	case STATE_CLOSING: break;
	case STATE_IDLE:
	case STATE_RESOLVE:
	case STATE_N: CHECK(false);
	}
	if (status < 0)
		finish(c, WS_END_IO, 0, uv_strerror(status));
	else
		ws_client_read(c);
}

static void
on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *res)
{
	struct resolve *r = req->data;
	struct ws_client *c = r->client;
	free(r);
	if (c == NULL) {
		uv_freeaddrinfo(res);
		return;
	}
	c->resolve = NULL;
	if (status != 0) {
		finish(c, WS_END_DNS, 0, uv_strerror(status));
		return;
	}
	addrs_begin(&c->addrs, res);
	try_next_address(c, -EADDRNOTAVAIL);
}

static void
on_numeric(uv_timer_t *timer)
{
	try_next_address(timer->data, -EADDRNOTAVAIL);
}

/* The resolver of libuv runs threads; an address in digits needs none. */
static bool
resolve_numeric(struct ws_client *c, const char *port)
{
	struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *all = NULL;
	if (getaddrinfo(c->url.host, port, &hints, &all) != 0)
		return false;
	addrs_begin(&c->addrs, all);
	CHECK(uv_timer_start(&c->resume, on_numeric, 0, 0) == 0);
	return true;
}

int
ws_client_connect(struct ws_client *c)
{
	char port[8];
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	if (c->state != STATE_IDLE)
		return -EALREADY;
	if (ws_session_reset(&c->session) != 0)
		return -ENOMEM;
	memset(&c->ended, 0, sizeof(c->ended));
	(void)snprintf(port, sizeof(port), "%u", (unsigned)c->url.port);
	struct resolve *r = NULL;
	if (!resolve_numeric(c, port)) {
		r = calloc(1, sizeof(*r));
		if (r == NULL)
			return -ENOMEM;
		r->client = c;
		r->req.data = r;
	}
	c->state = STATE_RESOLVE;
	CHECK(uv_timer_start(&c->timer, on_timer, c->open_timeout_ms, 0) == 0);
	if (r == NULL)
		return 0;
	if (uv_getaddrinfo(c->loop, &r->req, on_resolved, c->url.host, port,
		&hints) != 0) {
		free(r);
		finish_later(c, WS_END_DNS);
		return 0;
	}
	c->resolve = r;
	return 0;
}

/* ---- the owner's side ---- */

static void
handle_freed(uv_handle_t *h)
{
	struct ws_client *c = h->data;
	if (--c->handle_n > 0)
		return;
	ws_session_free(&c->session);
	free(c->headers);
	free(c);
}

static int
client_fill(struct ws_client *c, const struct ws_client_cfg *cfg)
{
	c->loop = cfg->loop;
	c->tls = cfg->tls;
	c->curl = cfg->curl;
	c->events = cfg->events;
	c->user = cfg->user;
	c->open_timeout_ms =
	    cfg->open_timeout_ms != 0 ? cfg->open_timeout_ms : OPEN_TIMEOUT_MS;
	if (net_url_parse(cfg->url, &c->url) != 0 || !c->url.is_ws ||
	    (c->url.is_tls && c->tls == NULL && c->curl == NULL))
		return -EINVAL;
	if (cfg->headers != NULL) {
		if (strlen(cfg->headers) > REQUEST_HEADERS_MAX)
			return -EINVAL;
		c->headers = strdup(cfg->headers);
		if (c->headers == NULL)
			return -ENOMEM;
	}
	struct ws_session_cfg session = {
	    .role = WS_CLIENT,
	    .msg_max = cfg->msg_max,
	    .out_max = cfg->out_max,
	    .mask_seed = net_random(),
	    .on_message = on_session_message,
	    .user = c,
	};
	return ws_session_init(&c->session, &session);
}

struct ws_client *
ws_client_create(const struct ws_client_cfg *cfg, int *err)
{
	CHECK(cfg->loop != NULL);
	CHECK(cfg->events.on_open != NULL);
	CHECK(cfg->events.on_message != NULL);
	CHECK(cfg->events.on_close != NULL);
	struct ws_client *c = calloc(1, sizeof(*c));
	*err = c != NULL ? client_fill(c, cfg) : -ENOMEM;
	if (*err != 0) {
		if (c != NULL)
			free(c->headers);
		free(c);
		return NULL;
	}
	c->state = STATE_IDLE;
	CHECK(uv_timer_init(c->loop, &c->timer) == 0);
	CHECK(uv_timer_init(c->loop, &c->resume) == 0);
	c->timer.data = c;
	c->resume.data = c;
	c->handle_n = 2;
	return c;
}

void
ws_client_destroy(struct ws_client *c)
{
	if (c == NULL || c->is_destroyed)
		return;
	c->is_destroyed = true;
	if (c->state != STATE_IDLE)
		connection_release(c);
	uv_close((uv_handle_t *)&c->timer, handle_freed);
	uv_close((uv_handle_t *)&c->resume, handle_freed);
}

bool
ws_client_is_open(const struct ws_client *c)
{
	return c->state == STATE_OPEN;
}

int
ws_client_send(
    struct ws_client *c, enum ws_kind kind, const void *data, size_t n)
{
	if (c->state != STATE_OPEN || c->deferred != 0)
		return -ENOTCONN;
	int rc = ws_session_send(&c->session, kind, data, n);
	if (rc != 0)
		return rc == -EPIPE ? -ENOTCONN : rc;
	c->stats.sent_msgs++;
	if (!flush(c))
		finish_later(c, WS_END_IO);
	return 0;
}

size_t
ws_client_queued(const struct ws_client *c)
{
	const uint8_t *bytes;

	return c->state == STATE_OPEN ? ws_session_pending(&c->session, &bytes)
				      : 0;
}

int
ws_send_text(struct ws_client *c, const char *text, size_t n)
{
	return ws_client_send(c, WS_TEXT, text, n);
}

int
ws_send_ping(struct ws_client *c, const void *data, size_t n)
{
	return ws_client_send(c, WS_PING, data, n);
}

void
ws_client_close(struct ws_client *c, uint16_t code, const char *reason)
{
	if (c->state == STATE_IDLE || c->state == STATE_CLOSING)
		return;
	if (c->state != STATE_OPEN) {
		finish_later(c, WS_END_LOCAL);
		return;
	}
	ws_session_close(&c->session, code, reason);
	c->state = STATE_CLOSING;
	CHECK(uv_timer_start(&c->timer, on_timer, CLOSE_TIMEOUT_MS, 0) == 0);
	if (!flush(c))
		finish_later(c, WS_END_LOCAL);
}

void
ws_client_drop(struct ws_client *c)
{
	finish(c, WS_END_LOCAL, 0, "");
}

int
ws_client_fd(const struct ws_client *c)
{
	return c->state >= STATE_CONNECT ? c->transport.fd : -1;
}

const struct ws_ended *
ws_client_ended(const struct ws_client *c)
{
	return &c->ended;
}

const struct ws_stats *
ws_client_stats(const struct ws_client *c)
{
	return &c->stats;
}
