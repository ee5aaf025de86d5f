#define _GNU_SOURCE
/* Requests: those of the venue, those below /sim/, and their log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/clock.h"
#include "simvenue/control.h"
#include "simvenue/server_int.h"

#define HEADERS_MAX 512
#define NOTE_MAX    ((size_t)4 << 20) /* longer bodies are cut */

static void
put_escaped(FILE *f, const char *s, size_t n)
{
	char *text;
	size_t cap;
	if (n > NOTE_MAX)
		n = NOTE_MAX;
	cap = n * 6 + 1;
	text = malloc(cap);
	(void)fputc('"', f);
	if (text != NULL && json_escape(s, n, text, cap) != SIZE_MAX)
		(void)fputs(text, f);
	(void)fputc('"', f);
	free(text);
}

void
request_note(struct player *p, const struct http_head *h, const char *body,
    size_t body_n)
{
	FILE *f = p->server->cfg.requests;
	char date[CLOCK_DATE_SZ];
	if (f == NULL)
		return;
	(void)clock_format_utc(clock_wall_ns(), date);
	(void)fprintf(f, "{\"ts\":\"%s\",\"venue\":\"%s\",\"method\":", date,
	    venue_name(p->ops->venue));
	put_escaped(f, h->method.p, h->method.n);
	(void)fputs(",\"path\":", f);
	put_escaped(f, h->target.p, h->target.n);
	(void)fputs(",\"headers\":{", f);
	for (size_t i = 0; i < h->header_n; i++) {
		if (i > 0)
			(void)fputc(',', f);
		put_escaped(f, h->headers[i].name.p, h->headers[i].name.n);
		(void)fputc(':', f);
		put_escaped(f, h->headers[i].value.p, h->headers[i].value.n);
	}
	(void)fputs("},\"body\":", f);
	put_escaped(f, body, body_n);
	(void)fputs("}\n", f);
	(void)fflush(f);
}

void
request_note_text(const struct client *c, const char *text, size_t n)
{
	static const char ping[] = "{\"method\":\"ping\"}";
	struct http_head h = {.method = {.p = "WS", .n = 2},
	    .target = {.p = c->path, .n = strlen(c->path)}};
	if (c->player->server->cfg.requests == NULL ||
	    (n == 4 && memcmp(text, "PING", 4) == 0) ||
	    (n == sizeof(ping) - 1 && memcmp(text, ping, n) == 0))
		return;
	request_note(c->player, &h, text, n);
}

/* ?since_ns=..., 0 when it is not there. */
static uint64_t
since_of(struct http_text query)
{
	char arg[24];
	int n = http_query_get(query, "since_ns", arg, sizeof(arg));
	int64_t v;
	return n > 0 && fixed_parse(arg, (size_t)n, 0, false, INT64_MAX, &v)
		   ? (uint64_t)v
		   : 0;
}

static void
answer_control(struct player *p, struct httpd_conn *conn,
    const struct sim_request *in, struct sim_answer *a)
{
	struct sim_server *s = p->server;
	if (http_text_is(in->path, "/sim/stats")) {
		a->status = 200;
		sim_server_put_stats(s, &a->body);
	} else if (s->live != NULL && http_text_is(in->path, "/sim/ledger")) {
		a->status = 200;
		live_put_ledger(s->live, &a->body);
	} else if (s->live != NULL && http_text_is(in->path, "/sim/arrivals")) {
		a->status = 200;
		live_put_arrivals(s->live, since_of(in->query), &a->body);
	} else {
		control_faults(&s->faults, in, now_ms(p), a);
	}
	struct httpd_answer out = {
	    .status = a->status, .body = a->body.buf, .body_n = a->body.n};
	(void)httpd_reply(conn, &out);
}

void
take_request(
    struct player *p, struct httpd_conn *conn, const struct httpd_request *r)
{
	if (!control_is(r->head->path)) {
		p->stats.requests++;
		request_note(p, r->head, r->body, r->body_n);
		if (player_queue(p, conn, r))
			return;
	}
	carry_out(p, conn, r);
}

void
carry_out(
    struct player *p, struct httpd_conn *conn, const struct httpd_request *r)
{
	struct sim_server *s = p->server;
	char headers[HEADERS_MAX];
	struct sim_request in = {
	    .method = r->head->method,
	    .path = r->head->path,
	    .query = r->head->query,
	    .body = r->body,
	    .body_n = r->body_n,
	    .head = r->head,
	    .now_ns = recorded_now(p),
	    .markets = s->cfg.captures->markets,
	    .market_n = s->cfg.captures->market_n,
	};
	struct sim_answer a = {.status = 500};
	text_init(&a.body, s->out_buf, SIM_OUT_SZ);
	text_init(&a.headers, headers, sizeof(headers));
	if (control_is(in.path)) {
		answer_control(p, conn, &in, &a);
		return;
	}
	player_answer(p, conn, &in, &a);
}
