#define _GNU_SOURCE
#include "simvenue/server_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libsys/clock.h"
#include "libsys/httpd.h"

#define FRAMES_A_TURN	256
#define FRAME_MARGIN	4096 /* what a venue may add to a recorded frame */
#define DROP_AFTER_MS	100
#define PONG_WITHIN_MS	60000
#define HOUSEKEEPING_MS 50
#define LINGER_STEP_MS	5
#define CODE_RESTART	1012

enum run {
	RUN_WAITING = 1,  /* for a subscriber */
	RUN_SETTLING = 2, /* for the last of the first subscriptions */
	RUN_PLAYING = 3,
	RUN_DRAINING = 4, /* the last frames are on their way to clients */
	RUN_ENDED = 5,	  /* waits for the other venues (sync) */
	RUN_OVER = 6,	  /* once: nothing follows */
	RUN_N
};

struct player;

struct client {
	struct player *player;
	struct client *next;
	struct client *prev;
	struct httpd_conn *conn;
	bool is_closing;
	uint64_t drop_at_ms; /* 0: not */
	uint64_t last_recv_ms;
	uint64_t ping_at_ms;
	uint64_t pong_until_ms; /* 0: none awaited */
	void *sub;
};

struct player {
	struct sim_server *server;
	const struct sim_venue_ops *ops;
	const struct sim_timeline *timeline;
	struct httpd *http;
	uint16_t port;
	void *state;
	enum run run;
	size_t segment;
	size_t at; /* next frame */
	int64_t last_t_ns;
	uint64_t since_ms; /* of the present wait */
	bool is_stalled;
	struct sim_clock clock;
	uv_timer_t timer;
	struct client *clients;
	struct sim_stats stats;
};

struct sim_server {
	struct sim_server_cfg cfg;
	struct player players[VENUE_N]; /* by enum venue; [0] unused */
	uv_timer_t housekeeping;
	unsigned handle_n;
	char *out_buf;
};

static const struct sim_venue_ops *const venues[VENUE_N] = {
    [VENUE_POLYMARKET] = &sim_polymarket,
    [VENUE_BINANCE] = &sim_binance,
    [VENUE_HYPERLIQUID] = &sim_hyperliquid,
};

static void on_tick(uv_timer_t *timer);

static uint64_t
now_ms(const struct player *p)
{
	return uv_now(p->server->cfg.loop);
}

static void
tick_in(struct player *p, uint64_t ms)
{
	CHECK(uv_timer_start(&p->timer, on_tick, ms, 0) == 0);
}

/* ---- clients ---- */

static void
send_out(struct client *c, const struct sim_out *out)
{
	for (unsigned i = 0; i < out->msg_n; i++) {
		size_t n = out->msgs[i].n;
		if (httpd_ws_send(
			c->conn, WS_TEXT, out->buf + out->msgs[i].at, n) != 0)
			return;
		c->player->stats.sent_msgs++;
		c->player->stats.sent_bytes += n;
	}
}

static bool
is_listening(const struct client *c)
{
	return !c->is_closing && c->player->ops->is_active(c->sub);
}

static bool
has_listeners(const struct player *p)
{
	for (const struct client *c = p->clients; c != NULL; c = c->next) {
		if (is_listening(c))
			return true;
	}
	return false;
}

static void
close_clients(struct player *p)
{
	for (struct client *c = p->clients, *next; c != NULL; c = next) {
		next = c->next;
		c->is_closing = true;
		httpd_ws_close(c->conn, CODE_RESTART, "service restart");
	}
}

/* ---- the timeline ---- */

/* Show the first books before their time, so that those who subscribe at
 * the start see something; the rest of the segment is only read. */
static void
segment_open(struct player *p, size_t segment)
{
	const struct sim_timeline *t = p->timeline;
	p->segment = segment;
	p->ops->reset(p->state);
	if (t->segment_n == 0)
		return;
	const struct sim_segment *s = &t->segments[segment];
	for (size_t i = s->first; i < s->end; i++)
		p->ops->prime(p->state, &t->frames[i]);
	p->at = s->first;
	p->last_t_ns = t->frames[s->first].t_ns;
}

static int64_t
recorded_now(const struct player *p)
{
	if (p->run != RUN_PLAYING || p->clock.speed_e3 == 0)
		return p->last_t_ns;
	return sim_clock_now(&p->clock, clock_mono_ns());
}

/* One clock for all, where the captures are of the same time. */
static int64_t
common_start(const struct sim_server *s, const struct player *p)
{
	int64_t own = p->last_t_ns;
	int64_t start = own;
	for (int v = 1; v < VENUE_N; v++) {
		const struct player *q = &s->players[v];
		if (q->timeline->segment_n == 0)
			continue;
		int64_t t = sim_timeline_start_ns(q->timeline, q->segment);
		if (t < own - SIM_GAP_NS || t > own + SIM_GAP_NS)
			return own;
		start = i64_min(start, t);
	}
	return start;
}

static void
play(struct player *p, int64_t start_t_ns, uint64_t mono_ns)
{
	if (p->timeline->segment_n == 0)
		return;
	p->clock = (struct sim_clock){
	    .start_t_ns = start_t_ns,
	    .start_mono_ns = mono_ns,
	    .speed_e3 = p->server->cfg.speed_e3,
	};
	p->run = RUN_PLAYING;
	p->is_stalled = false;
	tick_in(p, 0);
}

static void
start(struct player *p)
{
	struct sim_server *s = p->server;
	uint64_t mono_ns = clock_mono_ns();
	if (!s->cfg.sync) {
		play(p, p->last_t_ns, mono_ns);
		return;
	}
	for (int v = 1; v < VENUE_N; v++) {
		struct player *q = &s->players[v];
		if (q->run == RUN_WAITING || q->run == RUN_SETTLING)
			play(q, common_start(s, q), mono_ns);
	}
}

/* A subscription came, or went. */
static void
subscriptions_changed(struct player *p)
{
	bool is_idle = p->run == RUN_WAITING || p->run == RUN_SETTLING;
	if (is_idle && has_listeners(p) && p->timeline->segment_n > 0) {
		p->run = RUN_SETTLING;
		tick_in(p, SIM_SETTLE_MS);
		/* With one start for all, the last one counts. */
		for (int v = 1; p->server->cfg.sync && v < VENUE_N; v++) {
			struct player *q = &p->server->players[v];
			if (q->run == RUN_SETTLING)
				tick_in(q, SIM_SETTLE_MS);
		}
	} else if (p->run == RUN_PLAYING && p->is_stalled) {
		p->is_stalled = false;
		tick_in(p, 0);
	}
}

static bool
is_running(const struct player *p)
{
	return p->run == RUN_SETTLING || p->run == RUN_PLAYING ||
	       p->run == RUN_DRAINING;
}

static void
segment_over(struct player *p)
{
	size_t next = p->segment + 1;
	bool was_last = next >= p->timeline->segment_n;
	p->stats.ends++;
	close_clients(p);
	if (was_last && p->server->cfg.once) {
		p->run = RUN_OVER;
		return;
	}
	p->run = RUN_WAITING;
	segment_open(p, was_last ? 0 : next);
}

static void
check_done(struct sim_server *s)
{
	bool any_over = false;
	if (!s->cfg.once)
		return;
	for (int v = 1; v < VENUE_N; v++) {
		if (is_running(&s->players[v]) ||
		    s->players[v].run == RUN_ENDED)
			return;
		any_over |= s->players[v].run == RUN_OVER;
	}
	if (any_over && s->cfg.on_done != NULL)
		s->cfg.on_done(s->cfg.user);
}

static void
ended(struct player *p)
{
	struct sim_server *s = p->server;
	p->run = RUN_ENDED;
	if (!s->cfg.sync) {
		segment_over(p);
		check_done(s);
		return;
	}
	for (int v = 1; v < VENUE_N; v++) {
		if (is_running(&s->players[v]))
			return;
	}
	for (int v = 1; v < VENUE_N; v++) {
		if (s->players[v].run == RUN_ENDED)
			segment_over(&s->players[v]);
	}
	check_done(s);
}

/* Clients that could not take need more bytes; dropped when they had their
 * time. */
static bool
is_blocked(struct player *p, size_t need)
{
	bool blocked = false;
	if (need > p->server->cfg.client_max)
		need = p->server->cfg.client_max;
	for (struct client *c = p->clients, *next; c != NULL; c = next) {
		next = c->next;
		if (!is_listening(c) || httpd_room(c->conn) >= need)
			continue;
		if (p->is_stalled &&
		    now_ms(p) - p->since_ms >= p->server->cfg.stall_ms) {
			p->stats.dropped++;
			httpd_drop(c->conn);
			continue;
		}
		blocked = true;
	}
	if (blocked && !p->is_stalled) {
		p->is_stalled = true;
		p->since_ms = now_ms(p);
	} else if (!blocked) {
		p->is_stalled = false;
	}
	return blocked;
}

static void
play_frame(struct player *p, const struct sim_frame *f)
{
	p->stats.frames++;
	p->last_t_ns = f->t_ns;
	p->ops->apply(p->state, f);
	for (struct client *c = p->clients, *next; c != NULL; c = next) {
		next = c->next;
		if (!is_listening(c))
			continue;
		struct sim_out out;
		sim_out_init(&out, p->server->out_buf);
		p->ops->select(p->state, c->sub, f, &out);
		send_out(c, &out);
	}
}

static void
play_due(struct player *p)
{
	const struct sim_timeline *t = p->timeline;
	size_t end = t->segments[p->segment].end;
	int64_t now = sim_clock_now(&p->clock, clock_mono_ns());
	if (p->clock.speed_e3 == 0 && !has_listeners(p)) {
		p->is_stalled = true;
		p->since_ms = now_ms(p);
		return;
	}
	for (unsigned i = 0; i < FRAMES_A_TURN && p->at < end; i++) {
		const struct sim_frame *f = &t->frames[p->at];
		if (f->t_ns > now) {
			uint64_t ns = sim_clock_wait_ns(
			    &p->clock, clock_mono_ns(), f->t_ns);
			tick_in(p, (ns + (uint64_t)NS_PER_MS - 1) /
				       (uint64_t)NS_PER_MS);
			return;
		}
		if (is_blocked(p, f->n + FRAME_MARGIN)) {
			tick_in(p, HOUSEKEEPING_MS);
			return;
		}
		play_frame(p, f);
		p->at++;
	}
	if (p->at == end) {
		p->run = RUN_DRAINING;
		p->since_ms = now_ms(p);
	}
	tick_in(p, 0);
}

static void
drain(struct player *p)
{
	bool is_late = now_ms(p) - p->since_ms >= p->server->cfg.stall_ms;
	for (const struct client *c = p->clients; c != NULL; c = c->next) {
		if (!is_late && is_listening(c) && httpd_queued(c->conn) > 0) {
			tick_in(p, LINGER_STEP_MS);
			return;
		}
	}
	ended(p);
}

static void
on_tick(uv_timer_t *timer)
{
	struct player *p = timer->data;
	switch (p->run) {
	case RUN_SETTLING: start(p); return;
	case RUN_PLAYING: play_due(p); return;
	case RUN_DRAINING: drain(p); return;
	case RUN_WAITING:
	case RUN_ENDED:
	case RUN_OVER: return;
	case RUN_N: break;
	}
	CHECK(false);
}

/* ---- what the listeners say ---- */

static bool
on_upgrade(void *user, struct httpd_conn *conn, const struct http_head *h)
{
	struct player *p = user;
	if (p->run == RUN_OVER)
		return false;
	struct client *c = calloc(1, sizeof(*c) + p->ops->sub_sz);
	if (c == NULL)
		return false;
	c->sub = c + 1;
	if (!p->ops->open(p->state, c->sub, h->path, h->query)) {
		free(c);
		return false;
	}
	c->player = p;
	c->conn = conn;
	c->last_recv_ms = now_ms(p);
	c->ping_at_ms = now_ms(p) + p->ops->ws_ping_ms;
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
	if (c == NULL)
		return;
	httpd_conn_set(conn, NULL);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		p->clients = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	free(c);
}

static void
on_message(void *user, struct httpd_conn *conn, const struct ws_message *m)
{
	struct player *p = user;
	struct client *c = httpd_conn_get(conn);
	struct sim_out out;
	if (c == NULL || c->is_closing)
		return;
	c->last_recv_ms = now_ms(p);
	if (m->kind == WS_PONG)
		c->pong_until_ms = 0;
	if (m->kind != WS_TEXT)
		return;
	p->stats.recv_msgs++;
	sim_out_init(&out, p->server->out_buf);
	p->ops->receive(p->state, c->sub, (const char *)m->data, m->n, &out);
	send_out(c, &out);
	/* Sending may have found the connection dead. */
	c = httpd_conn_get(conn);
	if (c == NULL)
		return;
	if (out.drop && c->drop_at_ms == 0)
		c->drop_at_ms = now_ms(p) + DROP_AFTER_MS;
	subscriptions_changed(p);
}

static void
on_drain(void *user, struct httpd_conn *conn)
{
	struct player *p = user;
	(void)conn;
	if (p->run == RUN_PLAYING && p->is_stalled)
		tick_in(p, 0);
}

static void
on_request(void *user, struct httpd_conn *conn, const struct httpd_request *r)
{
	struct player *p = user;
	struct sim_request in = {
	    .method = r->head->method,
	    .path = r->head->path,
	    .query = r->head->query,
	    .body = r->body,
	    .body_n = r->body_n,
	    .now_ns = recorded_now(p),
	    .markets = p->server->cfg.captures->markets,
	    .market_n = p->server->cfg.captures->market_n,
	};
	struct sim_answer a = {.status = 500};
	text_init(&a.body, p->server->out_buf, SIM_OUT_SZ);
	p->stats.requests++;
	p->ops->request(p->state, &in, &a);
	struct httpd_answer out = {
	    .status = a.body.full ? 503 : a.status,
	    .body = a.body.buf,
	    .body_n = a.body.full ? 0 : a.body.n,
	};
	(void)httpd_reply(conn, &out);
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
	if (p->ops->ws_ping_ms == 0 || ms < c->ping_at_ms)
		return;
	c->ping_at_ms = ms + p->ops->ws_ping_ms;
	if (c->pong_until_ms == 0)
		c->pong_until_ms = ms + PONG_WITHIN_MS;
	int n = snprintf(text, sizeof(text), "%lld",
	    (long long)(recorded_now(p) / NS_PER_MS));
	(void)httpd_ws_send(c->conn, WS_PING, text, (size_t)n);
}

static void
on_housekeeping(uv_timer_t *timer)
{
	struct sim_server *s = timer->data;
	for (int v = 1; v < VENUE_N; v++) {
		for (struct client *c = s->players[v].clients, *next; c != NULL;
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
	free(s->out_buf);
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

static int
player_listen(struct player *p, uint16_t port)
{
	int err;
	struct httpd_cfg cfg = {
	    .loop = p->server->cfg.loop,
	    .host = p->server->cfg.host,
	    .port = port,
	    .out_max = p->server->cfg.client_max,
	    .events = {.on_request = on_request,
		.on_upgrade = on_upgrade,
		.on_message = on_message,
		.on_drain = on_drain,
		.on_gone = on_gone},
	    .user = p,
	};
	p->http = httpd_create(&cfg, &err);
	if (p->http != NULL)
		p->port = httpd_port(p->http);
	return err;
}

static int
player_init(struct sim_server *s, enum venue v, uint16_t port)
{
	struct player *p = &s->players[v];
	p->state = calloc(1, venues[v]->state_sz);
	if (p->state == NULL)
		return -ENOMEM;
	int err = player_listen(p, port);
	if (err != 0)
		return err;
	p->run = RUN_WAITING;
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
	CHECK(uv_timer_init(cfg->loop, &s->housekeeping) == 0);
	s->housekeeping.data = s;
	s->handle_n = VENUE_N; /* housekeeping and one timer a player */
	for (int v = 1; v < VENUE_N; v++) {
		struct player *p = &s->players[v];
		p->server = s;
		p->ops = venues[v];
		p->timeline = &cfg->captures->timelines[v];
		CHECK(uv_timer_init(cfg->loop, &p->timer) == 0);
		p->timer.data = p;
	}
	*err = s->out_buf != NULL ? 0 : -ENOMEM;
	for (int v = 1; v < VENUE_N && *err == 0; v++) {
		*port = cfg->port_base != 0 ? (uint16_t)(cfg->port_base + v - 1)
					    : 0;
		*err = player_init(s, (enum venue)v, *port);
	}
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
		s->players[v].http = NULL;
		uv_close((uv_handle_t *)&s->players[v].timer, player_freed);
	}
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
