#define _GNU_SOURCE
/* What goes out to clients, and what faults make of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "simvenue/server_int.h"

static struct fault_at
at_client(const struct client *c)
{
	return (struct fault_at){
	    .venue = c->player->ops->venue,
	    .conn = c->player->ops->conn(c->sub),
	    .now_ms = now_ms(c->player),
	};
}

static struct fault_tmp
scratch(const struct sim_server *s)
{
	return (struct fault_tmp){.buf = s->tmp_buf, .sz = SIM_OUT_SZ};
}

/* How the connection misbehaves follows from the faults it bears. */
static void
set_mode(struct client *c)
{
	httpd_conn_mode(c->conn,
	    fault_bears(&c->faults, FAULT_HALF_OPEN)	 ? HTTPD_SWALLOWS
	    : fault_bears(&c->faults, FAULT_SLOW_READER) ? HTTPD_STALLS
							 : HTTPD_FLOWS);
}

/* ---- later ---- */

static void
later_add(
    struct client *c, enum ws_kind kind, uint64_t in_ms, struct json_str text)
{
	struct later *l = malloc(sizeof(*l) + text.n);
	struct later **to = &c->later;
	if (l == NULL)
		return;
	l->next = NULL;
	l->due_ms = now_ms(c->player) + in_ms;
	l->kind = kind;
	l->n = text.n;
	memcpy(l->bytes, text.s, text.n);
	while (*to != NULL)
		to = &(*to)->next;
	*to = l;
}

void
client_forget(struct client *c)
{
	for (struct later *l = c->later, *next; l != NULL; l = next) {
		next = l->next;
		free(l);
	}
	c->later = NULL;
}

bool
client_later(struct client *c)
{
	struct httpd_conn *conn = c->conn;
	const struct fault_at at = at_client(c);
	uint64_t ms = now_ms(c->player);
	if (c->faults.struck != 0) {
		fault_release(&c->player->server->faults, &at, &c->faults);
		set_mode(c);
		if (httpd_conn_get(conn) == NULL)
			return false;
	}
	while (c->later != NULL && c->later->due_ms <= ms) {
		struct later *l = c->later;
		c->later = l->next;
		(void)httpd_ws_send(conn, l->kind, l->bytes, l->n);
		free(l);
		if (httpd_conn_get(conn) == NULL)
			return false;
	}
	if (c->close_at_ms != 0 && ms >= c->close_at_ms && !c->is_closing) {
		c->is_closing = true;
		httpd_ws_close(conn, c->close_code, "");
	}
	return httpd_conn_get(conn) != NULL;
}

/* ---- messages ---- */

static bool
send_text(struct client *c, const struct sim_out *out, unsigned i)
{
	struct httpd_conn *conn = c->conn;
	const char *text = out->buf + out->msgs[i].at;
	size_t n = out->msgs[i].n;
	int rc;
	if (out->delay_ms != 0) {
		later_add(c, WS_TEXT, out->delay_ms,
		    (struct json_str){.s = text, .n = (uint32_t)n});
		return true;
	}
	rc = out->part_n != 0
		 ? httpd_ws_send_parts(conn, WS_TEXT, text, n, out->part_n)
		 : httpd_ws_send(conn, WS_TEXT, text, n);
	if (httpd_conn_get(conn) == NULL)
		return false;
	if (rc == 0) {
		c->player->stats.sent_msgs++;
		c->player->stats.sent_bytes += n;
	}
	return true;
}

static bool
send_all(struct client *c, const struct sim_out *out)
{
	for (unsigned i = 0; i < out->msg_n; i++) {
		if (!send_text(c, out, i))
			return false;
	}
	return true;
}

/* Ends that a fault brings. */
static bool
end_as_told(struct client *c, const struct sim_out *out)
{
	if (out->drop_now) {
		httpd_drop(c->conn);
		return false;
	}
	if (out->close_code == 0 || c->close_at_ms != 0)
		return true;
	c->close_code = out->close_code;
	c->close_at_ms = now_ms(c->player) + out->close_ms;
	return out->close_ms > 0 || client_later(c);
}

bool
client_say(struct client *c, const struct sim_out *said)
{
	struct httpd_conn *conn = c->conn;
	struct sim_server *s = c->player->server;
	const struct fault_at at = at_client(c);
	if (s->faults.n == 0 && c->faults.struck == 0 && c->faults.held_n == 0)
		return send_all(c, said);
	for (unsigned i = 0; i < said->msg_n; i++) {
		struct sim_out out;
		struct json_str text = {.s = said->buf + said->msgs[i].at,
		    .n = (uint32_t)said->msgs[i].n};
		(void)fault_strike(&s->faults, &at, &c->faults);
		set_mode(c);
		if (httpd_conn_get(conn) == NULL)
			return false;
		sim_out_init(&out, s->fault_buf);
		fault_message(
		    &s->faults, &at, &c->faults, text, scratch(s), &out);
		if (!send_all(c, &out) || !end_as_told(c, &out))
			return false;
	}
	return true;
}

bool
client_heard(struct client *c)
{
	struct httpd_conn *conn = c->conn;
	struct sim_server *s = c->player->server;
	const struct fault_at at = at_client(c);
	if (s->faults.n > 0 && fault_strike(&s->faults, &at, &c->faults))
		set_mode(c);
	return httpd_conn_get(conn) != NULL &&
	       !fault_bears(&c->faults, FAULT_HALF_OPEN);
}

void
client_pong(struct client *c, const void *data, size_t n)
{
	int64_t ms = c->faults.value[FAULT_SLOW_PONG];
	if (fault_bears(&c->faults, FAULT_NO_PONG))
		return;
	if (fault_bears(&c->faults, FAULT_SLOW_PONG) && ms > 0)
		later_add(c, WS_PONG, (uint64_t)ms,
		    (struct json_str){.s = data, .n = (uint32_t)n});
	else
		(void)httpd_ws_send(c->conn, WS_PONG, data, n);
}

/* ---- answers ---- */

#define HEADERS_MAX 1024

struct words {
	struct json_str headers; /* of the venue */
	struct json_str body;
};

static void
reply(struct httpd_conn *conn, unsigned status, const struct fault_reply *f,
    const struct words *w)
{
	char extra[HEADERS_MAX];
	struct text t;
	text_init(&t, extra, sizeof(extra));
	text_put(&t, w->headers.s, w->headers.n);
	if (f->extra != NULL)
		text_lit(&t, f->extra_text);
	struct httpd_answer out = {
	    .status = status,
	    .type = f->type,
	    .extra = text_end(&t) > 0 ? extra : NULL,
	    .body = w->body.s,
	    .body_n = w->body.n,
	    .date_skew_s = f->date_skew_s,
	};
	(void)httpd_reply(conn, &out);
}

static void
answer_later(struct player *p, struct httpd_conn *conn,
    const struct sim_answer *a, const struct fault_reply *f)
{
	struct late_answer *l = malloc(sizeof(*l) + a->headers.n + a->body.n);
	if (l == NULL) {
		httpd_drop(conn);
		return;
	}
	l->conn = conn;
	l->due_ms = now_ms(p) + f->delay_ms;
	l->status = a->status;
	l->reply = *f;
	l->headers_n = a->headers.n;
	l->n = a->body.n;
	memcpy(l->text, a->headers.buf, a->headers.n);
	memcpy(l->text + a->headers.n, a->body.buf, a->body.n);
	l->next = p->late;
	p->late = l;
}

void
player_answer(struct player *p, struct httpd_conn *conn,
    const struct sim_request *r, struct sim_answer *a)
{
	struct sim_server *s = p->server;
	struct fault_reply f = {.is_lost = false};
	const struct fault_at at = {.venue = p->ops->venue,
	    .conn = SIM_CONN_REST,
	    .now_ms = now_ms(p),
	    .path = r->path};
	if (s->faults.n == 0 || !fault_refuse(&s->faults, &at, a, &f))
		p->ops->request(p->state, r, a);
	if (a->body.full) {
		a->status = 503;
		a->body.n = 0;
	}
	if (s->faults.n > 0)
		fault_answer(&s->faults, &at, r, a, scratch(s), &f);
	const struct words w = {
	    .headers = {.s = a->headers.buf, .n = (uint32_t)a->headers.n},
	    .body = {.s = a->body.buf, .n = (uint32_t)a->body.n}};
	if (f.is_lost)
		httpd_drop(conn);
	else if (f.delay_ms != 0)
		answer_later(p, conn, a, &f);
	else
		reply(conn, a->status, &f, &w);
}

/* ---- requests that wait their turn ---- */

static uint64_t
turn_ms(struct player *p, const struct httpd_request *r)
{
	struct sim_server *s = p->server;
	const struct fault_at at = {.venue = p->ops->venue,
	    .conn = SIM_CONN_REST,
	    .now_ms = now_ms(p),
	    .path = r->head->path};
	int64_t rate;
	uint64_t due;
	if (!fault_roll(&s->faults, FAULT_THROTTLED, &at, &rate) || rate <= 0)
		return 0;
	due = p->turn_us / 1000 > at.now_ms ? p->turn_us / 1000 : at.now_ms;
	p->turn_us =
	    (p->turn_us > at.now_ms * 1000 ? p->turn_us : at.now_ms * 1000) +
	    1000000 / (uint64_t)rate;
	return due > at.now_ms ? due : 0;
}

/* Behind the last text of a head. */
static const char *
head_end(const struct http_head *h)
{
	const struct http_text *last =
	    h->header_n > 0 ? &h->headers[h->header_n - 1].value : &h->target;
	return last->p + last->n;
}

/* A text of the head, where the copy of its bytes has it. */
static void
rebase(struct http_text *t, const char *from, const char *to)
{
	if (t->p != NULL)
		t->p = to + (t->p - from);
}

bool
player_queue(
    struct player *p, struct httpd_conn *conn, const struct httpd_request *r)
{
	uint64_t due_ms = p->server->faults.n == 0 ? 0 : turn_ms(p, r);
	const struct http_head *h = r->head;
	const char *from = h->method.p; /* where the head begins */
	size_t head_n = (size_t)(head_end(h) - from);
	struct late_request **to = &p->queue;
	struct late_request *q;
	if (due_ms == 0)
		return false;
	q = malloc(sizeof(*q) + head_n + r->body_n);
	if (q == NULL)
		return false;
	*q = (struct late_request){.conn = conn,
	    .due_ms = due_ms,
	    .head = *h,
	    .head_n = head_n,
	    .n = r->body_n};
	memcpy(q->bytes, from, head_n);
	if (r->body_n > 0)
		memcpy(q->bytes + head_n, r->body, r->body_n);
	rebase(&q->head.method, from, q->bytes);
	rebase(&q->head.target, from, q->bytes);
	rebase(&q->head.path, from, q->bytes);
	rebase(&q->head.query, from, q->bytes);
	for (size_t i = 0; i < h->header_n; i++) {
		rebase(&q->head.headers[i].name, from, q->bytes);
		rebase(&q->head.headers[i].value, from, q->bytes);
	}
	while (*to != NULL)
		to = &(*to)->next;
	*to = q;
	return true;
}

static void
queue_turn(struct player *p)
{
	while (p->queue != NULL && p->queue->due_ms <= now_ms(p)) {
		struct late_request *q = p->queue;
		struct httpd_request r = {.head = &q->head,
		    .body = q->bytes + q->head_n,
		    .body_n = q->n};
		p->queue = q->next;
		live_turn(p->server);
		carry_out(p, q->conn, &r);
		live_flush(p->server);
		free(q);
	}
}

static void
queue_forget(struct player *p, const struct httpd_conn *conn)
{
	for (struct late_request **at = &p->queue; *at != NULL;) {
		struct late_request *q = *at;
		if (q->conn != conn) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		free(q);
	}
}

/* Takes the first answer out of the list that is due, or that is conn's. */
static struct late_answer *
late_take(struct player *p, const struct httpd_conn *conn)
{
	struct late_answer **at = &p->late;
	while (*at != NULL &&
	       (conn != NULL ? (*at)->conn != conn : (*at)->due_ms > now_ms(p)))
		at = &(*at)->next;
	struct late_answer *l = *at;
	if (l != NULL)
		*at = l->next;
	return l;
}

void
player_late(struct player *p)
{
	struct late_answer *l;
	queue_turn(p);
	while ((l = late_take(p, NULL)) != NULL) {
		const struct words w = {
		    .headers = {.s = l->text, .n = (uint32_t)l->headers_n},
		    .body = {.s = l->text + l->headers_n, .n = (uint32_t)l->n}};
		reply(l->conn, l->status, &l->reply, &w);
		free(l);
	}
}

void
player_gone(struct player *p, const struct httpd_conn *conn)
{
	struct late_answer *l;
	queue_forget(p, conn);
	while ((l = late_take(p, conn)) != NULL)
		free(l);
}
