#define _GNU_SOURCE
#include "libsys/httpd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libcore/fixed.h"
#include "libsys/clock.h"
#include "libsys/net.h"
#include "libsys/transport.h"

#define CONN_MAX_DEFAULT 64
#define BODY_MAX_DEFAULT ((size_t)1 << 20)
#define OUT_MAX_DEFAULT	 ((size_t)1 << 20)
#define IDLE_MS_DEFAULT	 30000
#define LINGER_MS	 1000 /* for a last answer or a close frame */
#define SWEEP_MS	 250
#define READ_SZ		 (64 * 1024)
#define READS_MAX	 64
#define ANSWER_HEAD_MAX	 1024
#define BACKLOG		 64

enum conn_state {
	CONN_TLS = 1,
	CONN_HTTP = 2, /* reading a request */
	CONN_BUSY = 3, /* the owner owes an answer */
	CONN_WS = 4,
	CONN_LAST = 5, /* writes what is queued, then closes */
	CONN_GONE = 6,
	CONN_N
};

struct httpd_conn {
	struct httpd *server;
	struct httpd_conn *next;
	struct httpd_conn *prev;
	uv_poll_t poll;
	int poll_events;
	struct transport transport;
	enum conn_state state;
	enum httpd_mode mode;
	unsigned refusal;     /* status for an upgrade; 0: 404 */
	uint64_t deadline_ms; /* of uv_now; 0: none */
	void *data;
	bool is_dispatching;
	bool keep_alive;
	bool was_full;
	bool has_more;
	bool has_session;
	size_t in_n;
	size_t in_cap;
	char *in;
	size_t used_n; /* bytes of in that the request being answered takes */
	size_t out_at;
	size_t out_n;
	size_t out_cap;
	char *out; /* HTTP answers; frames wait in the session */
	struct ws_session session;
};

struct httpd {
	struct httpd_cfg cfg;
	int fd;
	uint16_t port;
	unsigned conn_n;
	unsigned handle_n; /* handles of the loop that still point here */
	bool is_accepting;
	bool is_destroyed;
	uv_poll_t poll;
	uv_timer_t sweep;
	struct httpd_conn *conns;
	uint8_t in[READ_SZ];
};

static void on_conn_poll(uv_poll_t *poll, int status, int events);
static void take_requests(struct httpd_conn *c);

/* ---- ends ---- */

static void
server_release(struct httpd *s)
{
	if (--s->handle_n == 0)
		free(s);
}

static void
conn_freed(uv_handle_t *h)
{
	struct httpd_conn *c = h->data;
	struct httpd *s = c->server;
	if (c->has_session)
		ws_session_free(&c->session);
	free(c->in);
	free(c->out);
	free(c);
	server_release(s);
}

static void
conn_end(struct httpd_conn *c, enum ws_end end)
{
	struct httpd *s = c->server;
	if (c->state == CONN_GONE)
		return;
	c->state = CONN_GONE;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		s->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	s->conn_n--;
	if (s->cfg.events.on_gone != NULL)
		s->cfg.events.on_gone(s->cfg.user, c, end);
	uv_poll_stop(&c->poll);
	uv_close((uv_handle_t *)&c->poll, conn_freed);
	transport_close(&c->transport);
}

static void
conn_deadline(struct httpd_conn *c, uint64_t in_ms)
{
	c->deadline_ms = uv_now(c->server->cfg.loop) + in_ms;
}

/* ---- writing ---- */

static void
poll_for(struct httpd_conn *c, int events)
{
	if (c->mode == HTTPD_STALLS)
		events &= ~UV_READABLE;
	if (c->poll_events == events || c->state == CONN_GONE)
		return;
	c->poll_events = events;
	CHECK(uv_poll_start(&c->poll, events, on_conn_poll) == 0);
}

static size_t
pending(const struct httpd_conn *c, const uint8_t **bytes)
{
	if (c->out_n > c->out_at) {
		*bytes = (const uint8_t *)c->out + c->out_at;
		return c->out_n - c->out_at;
	}
	*bytes = NULL;
	return c->has_session ? ws_session_pending(&c->session, bytes) : 0;
}

static void
wrote(struct httpd_conn *c, size_t n)
{
	if (c->out_n > c->out_at) {
		c->out_at += n;
		if (c->out_at == c->out_n)
			c->out_at = c->out_n = 0;
		return;
	}
	ws_session_wrote(&c->session, n);
}

static void
flush(struct httpd_conn *c)
{
	const uint8_t *bytes;
	size_t n;
	if (c->mode == HTTPD_SWALLOWS) {
		poll_for(c, UV_READABLE);
		return;
	}
	while ((n = pending(c, &bytes)) > 0) {
		ssize_t put = transport_send(&c->transport, bytes, n);
		if (put == TRANSPORT_FAILED) {
			conn_end(c, WS_END_IO);
			return;
		}
		if (put < 0)
			break;
		wrote(c, (size_t)put);
	}
	/* Closing with unread bytes would reset the connection and may take
	 * the answer with it: the peer, or the deadline, ends it. */
	if (n == 0 && c->state == CONN_LAST)
		(void)shutdown(c->transport.fd, SHUT_WR);
	poll_for(c, n > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

/* After room was made: let the owner go on. */
static void
drained(struct httpd_conn *c)
{
	const struct httpd_events *ev = &c->server->cfg.events;
	if (c->state != CONN_WS || !c->was_full ||
	    httpd_queued(c) > c->server->cfg.out_max / 2)
		return;
	c->was_full = false;
	if (ev->on_drain != NULL)
		ev->on_drain(c->server->cfg.user, c);
}

static int
out_append(struct httpd_conn *c, const void *bytes, size_t n)
{
	if (c->out_n + n > c->server->cfg.out_max)
		return -ENOBUFS;
	if (c->out_n + n > c->out_cap) {
		size_t cap = c->out_cap != 0 ? c->out_cap : 4096;
		while (cap < c->out_n + n)
			cap *= 2;
		char *p = realloc(c->out, cap);
		if (p == NULL)
			return -ENOBUFS;
		c->out = p;
		c->out_cap = cap;
	}
	if (n > 0)
		memcpy(c->out + c->out_n, bytes, n);
	c->out_n += n;
	return 0;
}

/* ---- answers ---- */

static int
answer_queue(struct httpd_conn *c, const struct httpd_answer *a)
{
	char head[ANSWER_HEAD_MAX];
	char date[CLOCK_DATE_SZ];
	(void)clock_format_http(
	    clock_wall_ns() + (uint64_t)(a->date_skew_s * NS_PER_S), date);
	int n = snprintf(head, sizeof(head),
	    "HTTP/1.1 %u %s\r\n"
	    "Date: %s\r\n"
	    "Content-Type: %s\r\n"
	    "Content-Length: %zu\r\n"
	    "%s%s\r\n",
	    a->status, http_status_text(a->status), date,
	    a->type != NULL ? a->type : "application/json", a->body_n,
	    c->keep_alive ? "" : "Connection: close\r\n",
	    a->extra != NULL ? a->extra : "");
	CHECK(n > 0 && (size_t)n < sizeof(head));
	int rc = out_append(c, head, (size_t)n);
	return rc == 0 ? out_append(c, a->body, a->body_n) : rc;
}

static void
request_done(struct httpd_conn *c)
{
	memmove(c->in, c->in + c->used_n, c->in_n - c->used_n);
	c->in_n -= c->used_n;
	c->used_n = 0;
	c->state = c->keep_alive ? CONN_HTTP : CONN_LAST;
	conn_deadline(c, c->keep_alive ? c->server->cfg.idle_ms : LINGER_MS);
}

int
httpd_reply(struct httpd_conn *c, const struct httpd_answer *a)
{
	if (c->state != CONN_BUSY)
		return -EPROTO;
	int rc = answer_queue(c, a);
	if (rc != 0) {
		conn_end(c, WS_END_OVERFLOW);
		return rc;
	}
	request_done(c);
	flush(c);
	if (!c->is_dispatching)
		take_requests(c);
	return 0;
}

/* An answer of our own, after which the connection closes. */
static void
refuse(struct httpd_conn *c, unsigned status)
{
	char body[96];
	int n = snprintf(
	    body, sizeof(body), "{\"error\":\"%s\"}", http_status_text(status));
	struct httpd_answer a = {
	    .status = status,
	    .body = body,
	    .body_n = (size_t)n,
	    .extra = status == 426 ? "Sec-WebSocket-Version: 13\r\n" : NULL,
	};
	c->keep_alive = false;
	c->used_n = c->in_n;
	c->state = CONN_BUSY;
	(void)httpd_reply(c, &a);
}

/* ---- WebSocket ---- */

static void
on_session_message(void *user, const struct ws_message *m)
{
	struct httpd_conn *c = user;
	const struct httpd_events *ev = &c->server->cfg.events;
	if (c->state == CONN_WS && ev->on_message != NULL)
		ev->on_message(c->server->cfg.user, c, m);
}

static void
take_frames(struct httpd_conn *c, const void *bytes, size_t n)
{
	bool lives =
	    n == 0 || ws_session_feed(&c->session, bytes, n, clock_mono_ns());
	if (c->state == CONN_GONE)
		return;
	flush(c);
	if (!lives)
		conn_end(c, c->session.end);
}

static bool
upgrade_session(struct httpd_conn *c)
{
	const struct httpd_cfg *cfg = &c->server->cfg;
	struct ws_session_cfg session = {
	    .role = WS_SERVER,
	    .msg_max = cfg->body_max,
	    .out_max = cfg->out_max,
	    .leaves_pings = cfg->leaves_pings,
	    .on_message = on_session_message,
	    .user = c,
	};
	if (ws_session_init(&c->session, &session) != 0)
		return false;
	c->has_session = true;
	return true;
}

static void
upgrade(struct httpd_conn *c, const struct http_head *h)
{
	const struct httpd_cfg *cfg = &c->server->cfg;
	char accept[WS_ACCEPT_MAX];
	char answer[256];
	unsigned wrong = ws_upgrade_wrong(h);
	if (wrong != 0) {
		refuse(c, wrong);
		return;
	}
	const struct http_text *key = http_header_find(h, "sec-websocket-key");
	ws_accept_key(key->p, key->n, accept);
	int n = snprintf(answer, sizeof(answer),
	    "HTTP/1.1 101 Switching Protocols\r\n"
	    "Upgrade: websocket\r\n"
	    "Connection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n\r\n",
	    accept);
	size_t head_n = h->head_n;
	size_t before_n = c->out_n;
	/* The owner may already send: the answer must be queued before. */
	if (!upgrade_session(c) || out_append(c, answer, (size_t)n) != 0) {
		conn_end(c, WS_END_OVERFLOW);
		return;
	}
	c->state = CONN_WS;
	c->deadline_ms = 0;
	if (cfg->events.on_upgrade == NULL ||
	    !cfg->events.on_upgrade(cfg->user, c, h)) {
		if (c->state == CONN_GONE)
			return;
		c->out_n = before_n;
		ws_session_free(&c->session);
		c->has_session = false;
		refuse(c, c->refusal != 0 ? c->refusal : 404);
		return;
	}
	if (c->state == CONN_GONE)
		return;
	size_t rest_n = c->in_n - head_n;
	c->in_n = 0;
	take_frames(c, c->in + head_n, rest_n);
}

/* ---- requests ---- */

static int
in_reserve(struct httpd_conn *c, size_t n)
{
	if (n <= c->in_cap)
		return 0;
	char *p = realloc(c->in, n);
	if (p == NULL)
		return -ENOMEM;
	c->in = p;
	c->in_cap = n;
	return 0;
}

/* One request out of c->in. Returns false when there is none complete. */
static bool
take_request(struct httpd_conn *c)
{
	const struct httpd_cfg *cfg = &c->server->cfg;
	struct http_head h;
	int rc = http_request_parse(c->in, c->in_n, &h);
	if (rc < 0) {
		refuse(c, (unsigned)-rc);
		return false;
	}
	if (rc == 0)
		return false;
	if (h.content_n > cfg->body_max) {
		refuse(c, 413);
		return false;
	}
	size_t whole_n = h.head_n + h.content_n;
	if (c->in_n < whole_n) {
		if (in_reserve(c, whole_n + HTTP_HEAD_MAX) != 0)
			refuse(c, 503);
		return false;
	}
	c->keep_alive = h.keep_alive;
	if (http_header_has(&h, "upgrade", "websocket")) {
		upgrade(c, &h);
		return false;
	}
	struct httpd_request r = {
	    .head = &h, .body = c->in + h.head_n, .body_n = h.content_n};
	c->used_n = whole_n;
	c->state = CONN_BUSY;
	c->deadline_ms = 0;
	cfg->events.on_request(cfg->user, c, &r);
	return true;
}

static void
take_requests(struct httpd_conn *c)
{
	c->is_dispatching = true;
	while (c->state == CONN_HTTP && c->in_n > 0 && take_request(c))
		;
	c->is_dispatching = false;
}

static void
take_bytes(struct httpd_conn *c, const uint8_t *bytes, size_t n)
{
	if (c->state == CONN_WS) {
		take_frames(c, bytes, n);
		return;
	}
	if (c->state == CONN_LAST)
		return;
	/* Room for a head, or for the body that in_reserve made. A client
	 * that pipelines more than that has to be answered first. */
	while (n > 0 && (c->state == CONN_HTTP || c->state == CONN_BUSY)) {
		size_t take = c->in_cap - c->in_n;
		if (take == 0) {
			refuse(c, 413);
			return;
		}
		if (take > n)
			take = n;
		memcpy(c->in + c->in_n, bytes, take);
		c->in_n += take;
		bytes += take;
		n -= take;
		take_requests(c);
	}
	if (n > 0 && c->state == CONN_WS)
		take_frames(c, bytes, n);
}

/* ---- sockets ---- */

static void
read_conn(struct httpd_conn *c)
{
	struct httpd *s = c->server;
	c->has_more = false;
	for (unsigned i = 0; i < READS_MAX; i++) {
		ssize_t got = transport_recv(&c->transport, s->in, READ_SZ);
		if (got == TRANSPORT_WANT_READ || got == TRANSPORT_WANT_WRITE)
			return;
		if (got == TRANSPORT_FAILED) {
			conn_end(c, WS_END_IO);
			return;
		}
		if (got == 0) {
			if (c->has_session)
				ws_session_eof(&c->session);
			conn_end(
			    c, c->has_session ? c->session.end : WS_END_EOF);
			return;
		}
		if (c->mode != HTTPD_SWALLOWS)
			take_bytes(c, s->in, (size_t)got);
		if (c->state == CONN_GONE)
			return;
	}
	/* TLS may hold more than the socket shows. */
	c->has_more = s->cfg.tls != NULL;
}

static void
step_tls(struct httpd_conn *c)
{
	int rc = transport_handshake(&c->transport);
	if (rc == TRANSPORT_WANT_READ) {
		poll_for(c, UV_READABLE);
	} else if (rc == TRANSPORT_WANT_WRITE) {
		poll_for(c, UV_WRITABLE);
	} else if (rc != 0) {
		conn_end(c, WS_END_TLS);
	} else {
		c->state = CONN_HTTP;
		poll_for(c, UV_READABLE);
		read_conn(c);
	}
}

static void
on_conn_poll(uv_poll_t *poll, int status, int events)
{
	struct httpd_conn *c = poll->data;
	if (c->state == CONN_GONE)
		return;
	if (c->state == CONN_TLS) {
		step_tls(c);
		return;
	}
	if (status < 0) {
		conn_end(c, WS_END_IO);
		return;
	}
	if (events & UV_WRITABLE) {
		flush(c);
		drained(c);
	}
	if (c->state != CONN_GONE && (events & UV_READABLE))
		read_conn(c);
}

static void
conn_start(struct httpd *s, int fd)
{
	struct httpd_conn *c = calloc(1, sizeof(*c));
	if (c == NULL || in_reserve(c, 2 * HTTP_HEAD_MAX) != 0) {
		free(c);
		close(fd);
		return;
	}
	if (s->cfg.tls == NULL) {
		transport_plain_init(&c->transport, fd);
	} else if (tls_transport_init(&c->transport, s->cfg.tls, fd, NULL)) {
		free(c->in);
		free(c);
		return;
	}
	c->server = s;
	c->mode = HTTPD_FLOWS;
	c->state = s->cfg.tls == NULL ? CONN_HTTP : CONN_TLS;
	CHECK(uv_poll_init(s->cfg.loop, &c->poll, fd) == 0);
	c->poll.data = c;
	s->handle_n++;
	s->conn_n++;
	c->next = s->conns;
	if (c->next != NULL)
		c->next->prev = c;
	s->conns = c;
	conn_deadline(c, s->cfg.idle_ms);
	poll_for(c, UV_READABLE);
}

static void
on_accept(uv_poll_t *poll, int status, int events)
{
	static const char full[] = "HTTP/1.1 503 Service Unavailable\r\n"
				   "Content-Length: 0\r\n"
				   "Connection: close\r\n\r\n";
	struct httpd *s = poll->data;
	(void)status;
	(void)events;
	for (unsigned i = 0; i < BACKLOG; i++) {
		int fd = net_accept(s->fd);
		if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM) {
			/* Until the sweep: spinning here helps nobody. */
			s->is_accepting = false;
			uv_poll_stop(&s->poll);
			return;
		}
		if (fd < 0)
			return;
		if (s->conn_n < s->cfg.conn_max) {
			conn_start(s, fd);
			continue;
		}
		struct transport t;
		transport_plain_init(&t, fd);
		if (s->cfg.tls == NULL)
			(void)transport_send(&t, full, sizeof(full) - 1);
		transport_close(&t);
	}
}

static void
on_sweep(uv_timer_t *timer)
{
	struct httpd *s = timer->data;
	uint64_t now_ms = uv_now(s->cfg.loop);
	for (struct httpd_conn *c = s->conns, *next; c != NULL; c = next) {
		next = c->next;
		if (c->deadline_ms != 0 && now_ms >= c->deadline_ms)
			conn_end(c, WS_END_TIMEOUT);
		else if (c->has_more && c->mode != HTTPD_STALLS)
			read_conn(c);
	}
	if (!s->is_accepting && !s->is_destroyed) {
		s->is_accepting = true;
		CHECK(uv_poll_start(&s->poll, UV_READABLE, on_accept) == 0);
	}
}

/* ---- the owner's side ---- */

struct httpd *
httpd_create(const struct httpd_cfg *cfg, int *err)
{
	CHECK(cfg->loop != NULL);
	CHECK(cfg->events.on_request != NULL);
	struct httpd *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		*err = -ENOMEM;
		return NULL;
	}
	s->cfg = *cfg;
	if (s->cfg.conn_max == 0)
		s->cfg.conn_max = CONN_MAX_DEFAULT;
	if (s->cfg.body_max == 0)
		s->cfg.body_max = BODY_MAX_DEFAULT;
	if (s->cfg.out_max == 0)
		s->cfg.out_max = OUT_MAX_DEFAULT;
	if (s->cfg.idle_ms == 0)
		s->cfg.idle_ms = IDLE_MS_DEFAULT;
	s->fd = net_listen(cfg->host, cfg->port, BACKLOG);
	*err = s->fd < 0 ? s->fd : 0;
	if (s->fd < 0) {
		free(s);
		return NULL;
	}
	s->port = net_local_port(s->fd);
	s->handle_n = 2;
	s->is_accepting = true;
	CHECK(uv_poll_init(cfg->loop, &s->poll, s->fd) == 0);
	CHECK(uv_timer_init(cfg->loop, &s->sweep) == 0);
	s->poll.data = s;
	s->sweep.data = s;
	CHECK(uv_poll_start(&s->poll, UV_READABLE, on_accept) == 0);
	CHECK(uv_timer_start(&s->sweep, on_sweep, SWEEP_MS, SWEEP_MS) == 0);
	return s;
}

static void
server_handle_freed(uv_handle_t *h)
{
	server_release(h->data);
}

void
httpd_destroy(struct httpd *s)
{
	if (s == NULL || s->is_destroyed)
		return;
	s->is_destroyed = true;
	while (s->conns != NULL)
		conn_end(s->conns, WS_END_LOCAL);
	uv_poll_stop(&s->poll);
	uv_close((uv_handle_t *)&s->poll, server_handle_freed);
	uv_close((uv_handle_t *)&s->sweep, server_handle_freed);
	close(s->fd);
}

uint16_t
httpd_port(const struct httpd *s)
{
	return s->port;
}

unsigned
httpd_conn_n(const struct httpd *s)
{
	return s->conn_n;
}

static int
ws_sent(struct httpd_conn *c, int rc)
{
	if (rc == -ENOBUFS) {
		c->was_full = true;
		return rc;
	}
	/* A full socket is tried again when it says so, not at each frame. */
	if (rc == 0 && (c->poll_events & UV_WRITABLE) == 0)
		flush(c);
	return c->state == CONN_GONE ? -EPIPE : rc;
}

int
httpd_ws_send(
    struct httpd_conn *c, enum ws_kind kind, const void *data, size_t n)
{
	if (c->state != CONN_WS)
		return -EPIPE;
	return ws_sent(c, ws_session_send(&c->session, kind, data, n));
}

int
httpd_ws_send_parts(struct httpd_conn *c, enum ws_kind kind, const void *data,
    size_t n, size_t part_n)
{
	if (c->state != CONN_WS)
		return -EPIPE;
	return ws_sent(
	    c, ws_session_send_parts(&c->session, kind, data, n, part_n));
}

void
httpd_ws_close(struct httpd_conn *c, uint16_t code, const char *reason)
{
	if (c->state != CONN_WS)
		return;
	ws_session_close(&c->session, code, reason);
	conn_deadline(c, LINGER_MS);
	flush(c);
}

void
httpd_drop(struct httpd_conn *c)
{
	conn_end(c, WS_END_LOCAL);
}

size_t
httpd_queued(const struct httpd_conn *c)
{
	const uint8_t *bytes;
	size_t n = c->out_n - c->out_at;
	return n +
	       (c->has_session ? ws_session_pending(&c->session, &bytes) : 0);
}

size_t
httpd_room(const struct httpd_conn *c)
{
	size_t queued = httpd_queued(c);
	size_t max = c->server->cfg.out_max;
	return queued < max ? max - queued : 0;
}

void
httpd_conn_mode(struct httpd_conn *c, enum httpd_mode mode)
{
	CHECK(mode >= HTTPD_FLOWS && mode < HTTPD_MODE_N);
	c->mode = mode;
	if (c->state != CONN_GONE)
		flush(c);
}

void
httpd_ws_refuse(struct httpd_conn *c, unsigned status)
{
	c->refusal = status;
}

void
httpd_set_tls(struct httpd *s, struct tls_ctx *tls)
{
	CHECK(s->cfg.tls != NULL && tls != NULL);
	s->cfg.tls = tls;
}

void
httpd_conn_set(struct httpd_conn *c, void *data)
{
	c->data = data;
}

void *
httpd_conn_get(const struct httpd_conn *c)
{
	return c->data;
}
