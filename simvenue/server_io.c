#define _GNU_SOURCE
/* Listeners, connections, and the life of the server. */
#include "simvenue/server_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "simvenue/server_int.h"

#define DROP_AFTER_MS	100
#define PONG_WITHIN_MS	60000
#define HOUSEKEEPING_MS 20

static const struct sim_venue_ops *const venues[VENUE_N] = {
    [VENUE_POLYMARKET] = &sim_polymarket,
    [VENUE_BINANCE] = &sim_binance,
    [VENUE_HYPERLIQUID] = &sim_hyperliquid,
};

static const struct sim_venue_ops *const live_venues[VENUE_N] = {
    [VENUE_POLYMARKET] = &live_polymarket,
    [VENUE_BINANCE] = &live_binance,
    [VENUE_HYPERLIQUID] = &live_hyperliquid,
};

static size_t
sub_size(const struct sim_venue_ops *ops)
{
	return ops->sub_sz + (ops->under != NULL ? ops->under->sub_sz : 0);
}

static size_t
state_size(const struct sim_venue_ops *ops)
{
	return ops->state_sz + (ops->under != NULL ? ops->under->state_sz : 0);
}

/* ---- what the listeners say ---- */

static bool
is_refused(struct player *p, const struct client *c, struct httpd_conn *conn)
{
	const struct fault_at at = {.venue = p->ops->venue,
	    .conn = p->ops->conn(c->sub),
	    .now_ms = now_ms(p)};
	int64_t value;
	if (!fault_roll(&p->server->faults, FAULT_REFUSE_UPGRADE, &at, &value))
		return false;
	httpd_ws_refuse(
	    conn, value >= 400 && value < 600 ? (unsigned)value : 503);
	return true;
}

static bool
on_upgrade(void *user, struct httpd_conn *conn, const struct http_head *h)
{
	struct player *p = user;
	request_note(p, h, "", 0);
	if (p->run == RUN_OVER)
		return false;
	struct client *c = calloc(1, sizeof(*c) + sub_size(p->ops));
	if (c == NULL)
		return false;
	c->sub = c + 1;
	if (!p->ops->open(p->state, c->sub, h->path, h->query) ||
	    is_refused(p, c, conn)) {
		free(c);
		return false;
	}
	c->player = p;
	c->conn = conn;
	c->last_recv_ms = now_ms(p);
	c->ping_at_ms = now_ms(p) + p->ops->ws_ping_ms;
	memcpy(c->path, h->target.p,
	    h->target.n < sizeof(c->path) ? h->target.n : sizeof(c->path) - 1);
	c->next = p->clients;
	if (c->next != NULL)
		c->next->prev = c;
	p->clients = c;
	p->stats.connections++;
	httpd_conn_set(conn, c);
	subscriptions_changed(p);
	return true;
}

static void
on_gone(void *user, struct httpd_conn *conn, enum ws_end end)
{
	struct player *p = user;
	struct client *c = httpd_conn_get(conn);
	(void)end;
	player_gone(p, conn);
	if (c == NULL)
		return;
	httpd_conn_set(conn, NULL);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		p->clients = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	client_forget(c);
	free(c);
}

static void
take_message(
    struct player *p, struct httpd_conn *conn, const struct ws_message *m)
{
	struct client *c = httpd_conn_get(conn);
	struct sim_out out;
	if (c == NULL || c->is_closing || !client_heard(c))
		return;
	c->last_recv_ms = now_ms(p);
	if (m->kind == WS_PONG)
		c->pong_until_ms = 0;
	if (m->kind == WS_PING)
		client_pong(c, m->data, m->n);
	if (m->kind != WS_TEXT)
		return;
	p->stats.recv_msgs++;
	request_note_text(c, (const char *)m->data, m->n);
	sim_out_init(&out, p->server->out_buf);
	p->ops->receive(p->state, c->sub, (const char *)m->data, m->n, &out);
	if (!client_say(c, &out))
		return;
	if (out.drop && c->drop_at_ms == 0)
		c->drop_at_ms = now_ms(p) + DROP_AFTER_MS;
	subscriptions_changed(p);
}

static void
on_message(void *user, struct httpd_conn *conn, const struct ws_message *m)
{
	struct player *p = user;

	live_turn(p->server);
	take_message(p, conn, m);
	live_flush(p->server);
}

static void
on_drain(void *user, struct httpd_conn *conn)
{
	(void)conn;
	play_room(user);
}

static void
on_request(void *user, struct httpd_conn *conn, const struct httpd_request *r)
{
	struct player *p = user;

	live_turn(p->server);
	take_request(p, conn, r);
	live_flush(p->server);
}

/* ---- time for connections ---- */

static void
client_care(struct client *c)
{
	char text[24];
	const struct player *p = c->player;
	uint64_t ms = now_ms(p);
	if ((c->drop_at_ms != 0 && ms >= c->drop_at_ms) ||
	    (p->ops->quiet_ms != 0 &&
		ms - c->last_recv_ms >= p->ops->quiet_ms) ||
	    (c->pong_until_ms != 0 && ms >= c->pong_until_ms)) {
		httpd_drop(c->conn);
		return;
	}
	if (!client_later(c) || p->ops->ws_ping_ms == 0 || ms < c->ping_at_ms ||
	    fault_bears(&c->faults, FAULT_HALF_OPEN))
		return;
	c->ping_at_ms = ms + p->ops->ws_ping_ms;
	if (c->pong_until_ms == 0)
		c->pong_until_ms = ms + PONG_WITHIN_MS;
	int n = snprintf(text, sizeof(text), "%lld",
	    (long long)(recorded_now(p) / NS_PER_MS));
	(void)httpd_ws_send(c->conn, WS_PING, text, (size_t)n);
}

/* Certificates are faulty for as long as there is a rule that says so. */
static void
player_identity(struct player *p)
{
	static const struct {
		enum fault fault;
		enum sim_identity identity;
	} faulty[] = {
	    {FAULT_EXPIRED_CERTIFICATE, SIM_IS_EXPIRED},
	    {FAULT_WRONG_HOST_CERTIFICATE, SIM_IS_ANOTHER},
	    {FAULT_UNKNOWN_AUTHORITY, SIM_IS_UNKNOWN},
	};
	struct sim_server *s = p->server;
	const struct fault_at at = {
	    .venue = p->ops->venue, .now_ms = now_ms(p)};
	enum sim_identity is = SIM_IS_ITSELF;
	for (size_t i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++) {
		if (!fault_in_force(&s->faults, faulty[i].fault, &at))
			continue;
		is = faulty[i].identity;
		s->faults.fired[faulty[i].fault] += p->identity != is;
	}
	if (is == p->identity || s->cfg.tls[is] == NULL)
		return;
	p->identity = is;
	httpd_set_tls(p->https != NULL ? p->https : p->http, s->cfg.tls[is]);
}

static void
run_script(struct sim_server *s)
{
	uint64_t ms = uv_now(s->cfg.loop);
	while (s->script_at < s->cfg.script_n &&
	       ms >= s->start_ms + s->cfg.script[s->script_at].at_ms)
		(void)fault_add(&s->faults, &s->cfg.script[s->script_at++], ms);
	fault_expire(&s->faults, ms);
}

static void
on_housekeeping(uv_timer_t *timer)
{
	struct sim_server *s = timer->data;
	run_script(s);
	for (int v = 1; v < VENUE_N; v++) {
		struct player *p = &s->players[v];
		player_identity(p);
		player_late(p);
		for (struct client *c = p->clients, *next; c != NULL;
		     c = next) {
			next = c->next;
			client_care(c);
		}
	}
}

/* ---- life ---- */

static void
server_release(struct sim_server *s)
{
	if (--s->handle_n > 0)
		return;
	for (int v = 1; v < VENUE_N; v++)
		free(s->players[v].state);
	live_free(s);
	free(s->out_buf);
	free(s->made_buf);
	free(s->fault_buf);
	free(s->tmp_buf);
	free(s);
}

static void
player_freed(uv_handle_t *h)
{
	struct player *p = h->data;
	server_release(p->server);
}

static void
server_freed(uv_handle_t *h)
{
	server_release(h->data);
}

static struct httpd *
player_listen(struct player *p, uint16_t port, struct tls_ctx *tls, int *err)
{
	struct httpd_cfg cfg = {
	    .loop = p->server->cfg.loop,
	    .host = p->server->cfg.host,
	    .port = port,
	    .tls = tls,
	    .out_max = p->server->cfg.client_max,
	    .leaves_pings = true,
	    .events = {.on_request = on_request,
		.on_upgrade = on_upgrade,
		.on_message = on_message,
		.on_drain = on_drain,
		.on_gone = on_gone},
	    .user = p,
	};
	return httpd_create(&cfg, err);
}

/* Port v of a base; 0: any. */
static uint16_t
port_of(uint16_t base, enum venue v)
{
	return base != 0 ? (uint16_t)(base + v - 1) : 0;
}

static int
player_ports(struct player *p, enum venue v, uint16_t *port)
{
	const struct sim_server_cfg *cfg = &p->server->cfg;
	struct tls_ctx *tls = cfg->tls[SIM_IS_ITSELF];
	bool is_apart = tls != NULL && cfg->is_tls_apart;
	int err;
	*port = port_of(cfg->port_base, v);
	p->http = player_listen(p, *port, is_apart ? NULL : tls, &err);
	if (p->http == NULL)
		return err;
	p->port = httpd_port(p->http);
	p->tls_port = tls != NULL ? p->port : 0;
	if (!is_apart)
		return 0;
	*port = port_of(cfg->tls_port_base, v);
	p->https = player_listen(p, *port, tls, &err);
	if (p->https == NULL)
		return err;
	p->tls_port = httpd_port(p->https);
	return 0;
}

static int
player_init(struct sim_server *s, enum venue v, uint16_t *port)
{
	struct player *p = &s->players[v];
	p->state = calloc(1, state_size(p->ops));
	if (p->state == NULL)
		return -ENOMEM;
	p->identity = SIM_IS_ITSELF;
	int err = player_ports(p, v, port);
	if (err != 0)
		return err;
	p->run = s->live != NULL ? RUN_PLAYING : RUN_WAITING;
	if (s->live != NULL) {
		p->ops->attach(p->state, s->live);
		return 0;
	}
	/* Later segments first: the tokens and coins of all are known from
	 * the start, whatever is playing. */
	for (size_t i = p->timeline->segment_n; i > 0; i--)
		segment_open(p, i - 1);
	return 0;
}

struct sim_server *
sim_server_create(const struct sim_server_cfg *cfg, int *err, uint16_t *port)
{
	CHECK(cfg->loop != NULL);
	CHECK(cfg->captures != NULL);
	struct sim_server *s = calloc(1, sizeof(*s));
	*err = -ENOMEM;
	*port = cfg->port_base;
	if (s == NULL)
		return NULL;
	s->cfg = *cfg;
	if (s->cfg.client_max == 0)
		s->cfg.client_max = SIM_CLIENT_MAX;
	if (s->cfg.stall_ms == 0)
		s->cfg.stall_ms = SIM_STALL_MS;
	s->out_buf = malloc(SIM_OUT_SZ);
	s->made_buf = malloc(SIM_OUT_SZ);
	s->fault_buf = malloc(SIM_OUT_SZ);
	s->tmp_buf = malloc(SIM_OUT_SZ);
	s->start_ms = uv_now(cfg->loop);
	fault_init(&s->faults, cfg->seed);
	CHECK(uv_timer_init(cfg->loop, &s->housekeeping) == 0);
	s->housekeeping.data = s;
	CHECK(uv_timer_init(cfg->loop, &s->live_timer) == 0);
	s->live_timer.data = s;
	/* housekeeping, the live clock, and one timer a player */
	s->handle_n = VENUE_N + 1;
	for (int v = 1; v < VENUE_N; v++) {
		struct player *p = &s->players[v];
		p->server = s;
		p->ops = cfg->live != NULL ? live_venues[v] : venues[v];
		p->timeline = &cfg->captures->timelines[v];
		CHECK(uv_timer_init(cfg->loop, &p->timer) == 0);
		p->timer.data = p;
	}
	*err = s->out_buf != NULL && s->made_buf != NULL &&
		       s->fault_buf != NULL && s->tmp_buf != NULL
		   ? 0
		   : -ENOMEM;
	if (*err == 0 && cfg->live != NULL)
		*err = live_create(s);
	for (int v = 1; v < VENUE_N && *err == 0; v++)
		*err = player_init(s, (enum venue)v, port);
	if (*err != 0) {
		sim_server_destroy(s);
		return NULL;
	}
	CHECK(uv_timer_start(&s->housekeeping, on_housekeeping, HOUSEKEEPING_MS,
		  HOUSEKEEPING_MS) == 0);
	return s;
}

void
sim_server_destroy(struct sim_server *s)
{
	if (s == NULL)
		return;
	for (int v = 1; v < VENUE_N; v++) {
		httpd_destroy(s->players[v].http);
		httpd_destroy(s->players[v].https);
		s->players[v].http = NULL;
		s->players[v].https = NULL;
		uv_close((uv_handle_t *)&s->players[v].timer, player_freed);
	}
	uv_close((uv_handle_t *)&s->live_timer, server_freed);
	uv_close((uv_handle_t *)&s->housekeeping, server_freed);
}

uint16_t
sim_server_port(const struct sim_server *s, enum venue v)
{
	return s->players[v].port;
}

const struct sim_stats *
sim_server_stats(const struct sim_server *s, enum venue v)
{
	return &s->players[v].stats;
}

uint16_t
sim_server_tls_port(const struct sim_server *s, enum venue v)
{
	return s->players[v].tls_port;
}

static void
put_count(struct text *t, const char *key, uint64_t v)
{
	text_lit(t, ",\"");
	text_lit(t, key);
	text_lit(t, "\":");
	put_i64(t, (int64_t)v);
}

void
sim_server_put_stats(const struct sim_server *s, struct text *t)
{
	text_lit(t, "{\"venues\":[");
	for (int v = 1; v < VENUE_N; v++) {
		const struct sim_stats *st = &s->players[v].stats;
		text_lit(t, v > 1 ? ",{\"venue\":\"" : "{\"venue\":\"");
		text_lit(t, venue_name((enum venue)v));
		text_lit(t, "\"");
		put_count(t, "frames", st->frames);
		put_count(t, "sent_msgs", st->sent_msgs);
		put_count(t, "sent_bytes", st->sent_bytes);
		put_count(t, "recv_msgs", st->recv_msgs);
		put_count(t, "requests", st->requests);
		put_count(t, "connections", st->connections);
		put_count(t, "dropped", st->dropped);
		put_count(t, "ends", st->ends);
		text_lit(t, "}");
	}
	text_lit(t, "]");
	if (s->live != NULL) {
		text_lit(t, ",\"live\":");
		live_put_stats(s->live, t);
	}
	text_lit(t, "}");
}
