#define _GNU_SOURCE
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "execd/paperdesk.h"
#include "feedd/feed.h"
#include "libcore/check.h"
#include "libcore/hash.h"
#include "libcore/position.h"
#include "libshm/ctl.h"
#include "quoted/quote.h"
#include "riskd/risk.h"
#include "tests/sim/load.h"

#define T0	  UINT64_C(1000000000000)
#define WIRE_NS	  (UINT64_C(200) * (uint64_t)NS_PER_US) /* client <-> venue */
#define HTTP_NS	  (UINT64_C(3) * (uint64_t)NS_PER_MS)
#define KEEP_NS	  (UINT64_C(10) * (uint64_t)NS_PER_MS)
#define EVENTS	  8192u
#define QUEUE	  65536u
#define ANSWER_SZ ((size_t)4 << 20)

enum what {
	AT_UP = 1,
	AT_FRAME,
	AT_PONG,
	AT_HTTP,
	AT_DOWN
};

struct at {
	uint64_t t_ns;
	uint64_t order;
	enum what what;
	uint8_t venue;
	uint8_t conn;
	uint16_t code;
	uint32_t tag;
	char *data;
	size_t n;
};

struct conn {
	bool open;
	void *sub;
};

struct site {
	struct world *w;
	enum venue venue;
	const struct sim_venue_ops *ops;
	void *state;
	struct conn conn[FEED_CONN_N];
	struct feed *feed;
	struct feed_sink sink;
	size_t next; /* frame of the timeline                            */
	size_t end;
	int64_t t0_ns; /* recorded time at T0                            */
};

/* A message between cores. */
struct mail {
	uint16_t ring;
	union tap slot;
};

struct world {
	struct cfg cfg;
	struct load load;
	uint64_t now_ns;
	int64_t wall0_ns;
	uint64_t step_after_ns; /* UTC steps then ... */
	int64_t step_ns;	/* ... by so much */
	uint64_t clock_from_ns; /* riskd freezes for the clock since */
	uint64_t order;
	struct at heap[EVENTS];
	uint32_t heap_n;
	struct site site[VENUE_N];
	struct quote *quote;
	struct quote_out quote_out;
	uint64_t quote_wake;
	struct risk *risk;
	struct core_out out;
	uint64_t risk_wake;
	struct paperdesk *exec[VENUE_N];
	uint64_t exec_wake[VENUE_N];
	uint64_t mask[VENUE_N];
	uint64_t keep_ns;
	struct instr *instr; /* INSTR_N                                  */
	struct mail *queue;
	uint32_t head;
	uint32_t tail;
	struct sim_out *sim_out;
	char *sim_buf;
	char *answer;
	struct position *pos; /* INSTR_N, from the fills alone           */
	px_t *mark;
	struct world_result r;
};

static const struct {
	enum ring_id q;
	enum ring_id r;
	int x;
	enum stage_id feed;
} routes[VENUE_N] = {
    [VENUE_POLYMARKET] = {RG_MD_PM_Q, RG_MD_PM_R, RG_MD_PM_X, ST_FEEDD_PM},
    [VENUE_BINANCE] = {RG_MD_BN_Q, RG_MD_BN_R, -1, ST_FEEDD_BN},
    [VENUE_HYPERLIQUID] = {RG_MD_HL_Q, RG_MD_HL_R, RG_MD_HL_X, ST_FEEDD_HL},
};

static int64_t
wall(const struct world *w)
{
	int64_t step_ns = w->now_ns >= T0 + w->step_after_ns ? w->step_ns : 0;

	return w->wall0_ns + (int64_t)(w->now_ns - T0) + step_ns;
}

static bool
sooner(const struct at *a, const struct at *b)
{
	return a->t_ns != b->t_ns ? a->t_ns < b->t_ns : a->order < b->order;
}

static void
schedule(struct world *w, struct at a, const char *data, size_t n)
{
	uint32_t i = w->heap_n++;

	CHECK(w->heap_n <= EVENTS);
	a.order = ++w->order;
	a.n = n;
	a.data = NULL;
	if (data != NULL) {
		a.data = malloc(n + 1);
		CHECK(a.data != NULL);
		memcpy(a.data, data, n);
		a.data[n] = '\0';
	}
	for (; i > 0 && sooner(&a, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = a;
}

static struct at
pop(struct world *w)
{
	struct at top = w->heap[0];
	struct at last = w->heap[--w->heap_n];
	uint32_t i = 0;

	for (;;) {
		uint32_t k = 2 * i + 1;

		if (k >= w->heap_n)
			break;
		if (k + 1 < w->heap_n && sooner(&w->heap[k + 1], &w->heap[k]))
			k++;
		if (!sooner(&w->heap[k], &last))
			break;
		w->heap[i] = w->heap[k];
		i = k;
	}
	w->heap[i] = last;
	return top;
}

static void
post(struct world *w, enum ring_id ring, const void *slot)
{
	struct mail *m = &w->queue[w->tail++ % QUEUE];

	CHECK(w->tail - w->head <= QUEUE);
	memset(m, 0, sizeof(*m));
	m->ring = (uint16_t)ring;
	memcpy(&m->slot, slot, topo_rings[ring].slot_sz);
	m->slot.hdr.pub_delta = slot_delta(m->slot.hdr.recv_ns, w->now_ns);
}

/* ---- feeds ---- */

static void
on_tick(void *user, struct tick *t)
{
	struct site *s = user;
	bool level = t->hdr.kind == TICK_LEVEL ||
		     t->hdr.kind == TICK_SNAP_BEGIN ||
		     t->hdr.kind == TICK_SNAP_END;

	s->w->r.ticks[s->venue]++;
	if (t->hdr.kind == TICK_BBO)
		s->w->mark[t->hdr.instr] =
		    PX((t->u.bbo.bid_px.e8 + t->u.bbo.ask_px.e8) / 2);
	if (!level) {
		post(s->w, routes[s->venue].r, t);
		post(s->w, routes[s->venue].q, t);
	}
	if (routes[s->venue].x >= 0)
		post(s->w, (enum ring_id)routes[s->venue].x, t);
}

static void
on_instr(void *user, uint16_t idx, const struct instr *in)
{
	struct site *s = user;

	CHECK(idx < INSTR_N);
	s->w->instr[idx] = *in;
}

/* "ws://host:port/path?query" to its path and query. */
static void
cut_url(const char *url, struct http_text *path, struct http_text *query)
{
	const char *p = strstr(url, "://");
	const char *q;

	p = p != NULL ? strchr(p + 3, '/') : NULL;
	if (p == NULL)
		p = "/";
	q = strchr(p, '?');
	path->p = p;
	path->n = q != NULL ? (size_t)(q - p) : strlen(p);
	query->p = q != NULL ? q + 1 : "";
	query->n = strlen(query->p);
}

static void
send_out(struct site *s, uint8_t conn)
{
	struct sim_out *o = s->w->sim_out;

	for (unsigned i = 0; i < o->msg_n; i++) {
		s->w->r.served[s->venue]++;
		schedule(s->w,
		    (struct at){.t_ns = s->w->now_ns + WIRE_NS,
			.what = AT_FRAME,
			.venue = (uint8_t)s->venue,
			.conn = conn},
		    o->buf + o->msgs[i].at, o->msgs[i].n);
	}
	sim_out_init(o, s->w->sim_buf);
}

static void
act_open(struct site *s, const struct feed_act *a)
{
	struct conn *c = &s->conn[a->conn];
	struct http_text path;
	struct http_text query;
	bool ok;

	cut_url(a->url, &path, &query);
	memset(c->sub, 0, s->ops->sub_sz);
	ok = s->ops->open(s->state, c->sub, path, query);
	c->open = ok;
	schedule(s->w,
	    (struct at){.t_ns = s->w->now_ns + WIRE_NS,
		.what = ok ? AT_UP : AT_DOWN,
		.venue = (uint8_t)s->venue,
		.conn = a->conn},
	    NULL, 0);
}

static void
act_get(struct site *s, const struct feed_act *a)
{
	struct sim_request rq = {
	    .method = {a->text != NULL ? "POST" : "GET",
		a->text != NULL ? 4 : 3},
	    .body = a->text,
	    .body_n = a->n,
	    .now_ns = s->t0_ns + (int64_t)(s->w->now_ns - T0),
	    .markets = s->w->load.market,
	    .market_n = s->w->load.market_n,
	};
	struct sim_answer an = {.status = 0};

	cut_url(a->url, &rq.path, &rq.query);
	text_init(&an.body, s->w->answer, ANSWER_SZ);
	s->ops->request(s->state, &rq, &an);
	schedule(s->w,
	    (struct at){.t_ns = s->w->now_ns + HTTP_NS,
		.what = AT_HTTP,
		.venue = (uint8_t)s->venue,
		.code = (uint16_t)an.status,
		.tag = a->tag},
	    s->w->answer, text_end(&an.body));
}

static void
on_act(void *user, const struct feed_act *a)
{
	struct site *s = user;
	struct at at = {.t_ns = s->w->now_ns + WIRE_NS,
	    .venue = (uint8_t)s->venue,
	    .conn = a->conn};

	switch (a->what) {
	case FEED_OPEN: act_open(s, a); break;
	case FEED_CLOSE:
		s->conn[a->conn].open = false;
		at.what = AT_DOWN;
		schedule(s->w, at, NULL, 0);
		break;
	case FEED_SEND:
		if (!s->conn[a->conn].open)
			break;
		s->ops->receive(s->state, s->conn[a->conn].sub, a->text, a->n,
		    s->w->sim_out);
		send_out(s, a->conn);
		break;
	case FEED_PING:
		at.what = AT_PONG;
		schedule(s->w, at, NULL, 0);
		break;
	case FEED_GET: act_get(s, a); break;
	case FEED_LOG:
	case FEED_DO_N: break;
	}
}

static void
feed(struct site *s, struct feed_event ev)
{
	ev.now_ns = s->w->now_ns;
	ev.wall_ns = wall(s->w);
	ev.random = ++s->w->order * HASH_SEED;
	feed_step(s->feed, &ev);
}

/* The next recorded frame: the venue's state moves, subscribers are told. */
static void
play(struct site *s)
{
	const struct sim_frame *f =
	    &s->w->load.line[s->venue].frames[s->next++];

	s->w->r.frames[s->venue]++;
	s->ops->apply(s->state, f);
	for (uint8_t c = 0; c < FEED_CONN_N; c++) {
		if (!s->conn[c].open || !s->ops->is_active(s->conn[c].sub))
			continue;
		s->ops->select(s->state, s->conn[c].sub, f, s->w->sim_out);
		send_out(s, c);
	}
}

static void
arrive(struct world *w, struct at *a)
{
	struct site *s = &w->site[a->venue];
	static const enum feed_ev kind[] = {
	    [AT_UP] = FEED_EV_UP,
	    [AT_FRAME] = FEED_EV_FRAME,
	    [AT_PONG] = FEED_EV_PONG,
	    [AT_HTTP] = FEED_EV_HTTP,
	    [AT_DOWN] = FEED_EV_DOWN,
	};

	if (a->what != AT_FRAME || s->conn[a->conn].open)
		feed(s, (struct feed_event){.kind = kind[a->what],
			    .conn = a->conn,
			    .code = a->code,
			    .tag = a->tag,
			    .data = a->data,
			    .n = a->n});
	free(a->data);
}

/* ---- the stages ---- */

static void
forward(struct world *w, const struct core_out *out)
{
	for (uint32_t i = 0; i < out->n; i++)
		post(w, (enum ring_id)out->msg[i].ring, &out->msg[i].order);
}

static void
count_fill(struct world *w, const struct order *o)
{
	position_fill(
	    &w->pos[o->hdr.instr], (enum side)o->side, o->exec_px, o->exec_qty);
	w->pos[o->hdr.instr].fees.e6 += o->usd.e6;
	w->r.fills++;
	w->r.volume_e6 += usd_notional(o->exec_px, o->exec_qty).e6;
}

static void
run_exec(struct world *w, enum venue v, const struct event *ev)
{
	struct event due = *ev;

	due.kind = EV_TIMER;
	while (paperdesk_due(w->exec[v], w->now_ns)) {
		core_out_reset(&w->out);
		paperdesk_step(w->exec[v], &due, &w->out);
		w->exec[v]->e.dirty_n = 0;
		forward(w, &w->out);
	}
	core_out_reset(&w->out);
	paperdesk_step(w->exec[v], ev, &w->out);
	w->exec_wake[v] = w->out.wake_ns;
	w->exec[v]->e.dirty_n = 0;
	forward(w, &w->out);
}

/* What the control page would say. */
static void
gates(struct world *w)
{
	static const enum venue traded[] = {
	    VENUE_POLYMARKET, VENUE_HYPERLIQUID};

	for (size_t i = 0; i < 2; i++) {
		enum venue v = traded[i];
		uint64_t mask = w->risk->freeze_all | w->risk->freeze[v] |
				(w->risk->lease_ok ? 0 : FREEZE_RISKD_DEAD);

		if (mask == w->mask[v] && !exec_more(&w->exec[v]->e))
			continue;
		if (mask != 0 && w->mask[v] == 0)
			w->r.freezes++;
		w->mask[v] = mask;
		core_out_reset(&w->out);
		paperdesk_freeze(w->exec[v], mask, w->now_ns, &w->out);
		forward(w, &w->out);
		while (exec_more(&w->exec[v]->e)) {
			core_out_reset(&w->out);
			paperdesk_sweep(w->exec[v], w->now_ns, &w->out);
			forward(w, &w->out);
		}
		w->exec[v]->e.dirty_n = 0;
	}
}

/* How long riskd freezes for the clock, and what it passes meanwhile. */
static void
note_clock(struct world *w)
{
	bool frozen = (w->risk->freeze_all & FREEZE_CLOCK) != 0;

	for (uint32_t i = 0; frozen && i < w->out.n; i++)
		w->r.clock_orders += w->out.msg[i].order.hdr.kind == MSG_ORDER;
	if (!frozen && w->clock_from_ns != 0)
		w->r.clock_ns += w->now_ns - w->clock_from_ns;
	if (!frozen)
		w->clock_from_ns = 0;
	else if (w->clock_from_ns == 0)
		w->clock_from_ns = w->now_ns;
}

static void
run_risk(struct world *w, const struct event *ev)
{
	int64_t day = w->risk->loss.day;

	core_out_reset(&w->out);
	risk_step(w->risk, ev, &w->out);
	w->r.days += day != 0 && w->risk->loss.day != day;
	note_clock(w);
	w->risk_wake = w->out.wake_ns;
	w->risk->dirty_n = 0;
	forward(w, &w->out);
	gates(w);
}

static void
run_quote(struct world *w, const struct event *ev)
{
	quote_step(w->quote, ev, &w->quote_out);
	w->quote_wake = w->quote_out.core.wake_ns;
	forward(w, &w->quote_out.core);
}

static void
deliver(struct world *w, const struct mail *m)
{
	struct event ev = {.kind = EV_SLOT,
	    .ring = m->ring,
	    .now_ns = w->now_ns,
	    .wall_ns = wall(w),
	    .slot = &m->slot};

	if (m->slot.hdr.kind == TICK_INSTR)
		ev.instr = &w->instr[m->slot.hdr.instr];
	w->r.intents += m->slot.hdr.kind == MSG_INTENT;
	w->r.orders += m->slot.hdr.kind == MSG_ORDER;
	if (m->slot.hdr.kind == MSG_VERDICT) {
		w->r.verdicts++;
		w->r.passed += m->slot.order.reason == REASON_OK;
	}
	switch (topo_rings[m->ring].reader) {
	case ST_QUOTED: run_quote(w, &ev); break;
	case ST_RISKD:
		if (m->slot.hdr.kind == MSG_FILL)
			count_fill(w, &m->slot.order);
		run_risk(w, &ev);
		break;
	case ST_EXECD_PM: run_exec(w, VENUE_POLYMARKET, &ev); break;
	case ST_EXECD_HL: run_exec(w, VENUE_HYPERLIQUID, &ev); break;
	}
}

static void
drain(struct world *w)
{
	while (w->head != w->tail) {
		struct mail m = w->queue[w->head++ % QUEUE];

		deliver(w, &m);
	}
}

/* ---- time ---- */

static void
earlier(uint64_t *t, uint64_t other)
{
	if (other != 0 && other < *t)
		*t = other;
}

static uint64_t
frame_ns(const struct site *s)
{
	const struct sim_timeline *t = &s->w->load.line[s->venue];

	if (s->next >= s->end)
		return 0;
	return T0 + (uint64_t)(t->frames[s->next].t_ns - s->t0_ns);
}

static uint64_t
next_ns(const struct world *w)
{
	uint64_t t = w->keep_ns;

	if (w->heap_n > 0)
		earlier(&t, w->heap[0].t_ns);
	for (int v = 1; v < VENUE_N; v++) {
		earlier(&t, frame_ns(&w->site[v]));
		earlier(&t, feed_wake(w->site[v].feed));
		earlier(&t, w->exec_wake[v]);
	}
	earlier(&t, w->quote_wake);
	earlier(&t, w->risk_wake);
	return t > w->now_ns ? t : w->now_ns;
}

static void
housekeep(struct world *w)
{
	struct risk_world rw = {0};

	w->keep_ns = w->now_ns + KEEP_NS;
	for (int v = 1; v < VENUE_N; v++)
		rw.room[v] = true;
	core_out_reset(&w->out);
	risk_world_set(w->risk, &rw, w->now_ns, &w->out);
	w->risk->dirty_n = 0;
	forward(w, &w->out);
	gates(w);
}

static void
timers(struct world *w)
{
	struct event ev = {
	    .kind = EV_TIMER, .now_ns = w->now_ns, .wall_ns = wall(w)};

	for (int v = 1; v < VENUE_N; v++) {
		uint64_t t = feed_wake(w->site[v].feed);

		if (t != 0 && t <= w->now_ns)
			feed(&w->site[v],
			    (struct feed_event){.kind = FEED_EV_TIMER});
		if (w->exec_wake[v] != 0 && w->exec_wake[v] <= w->now_ns)
			run_exec(w, (enum venue)v, &ev);
	}
	if (w->risk_wake != 0 && w->risk_wake <= w->now_ns)
		run_risk(w, &ev);
	if (w->quote_wake != 0 && w->quote_wake <= w->now_ns)
		run_quote(w, &ev);
	if (w->keep_ns <= w->now_ns)
		housekeep(w);
}

static void
turn(struct world *w)
{
	while (w->heap_n > 0 && w->heap[0].t_ns <= w->now_ns) {
		struct at a = pop(w);

		arrive(w, &a);
		drain(w);
	}
	for (int v = 1; v < VENUE_N; v++) {
		uint64_t t = frame_ns(&w->site[v]);

		if (t != 0 && t <= w->now_ns)
			play(&w->site[v]);
		drain(w);
	}
	timers(w);
	drain(w);
}

static void
finish(struct world *w)
{
	w->r.quote_hash = quote_hash(w->quote);
	w->r.risk_hash = risk_hash(w->risk);
	w->r.pnl_e6 = risk_pnl(w->risk).e6;
	for (int v = 1; v < VENUE_N; v++) {
		const struct feed_stats *st = feed_stats(w->site[v].feed);

		w->r.feed_hash[v] = feed_hash(w->site[v].feed);
		w->r.received[v] = st->frames;
		w->r.malformed[v] = st->malformed;
		w->r.hash_ok += st->hash_ok;
		w->r.hash_bad += st->hash_bad;
	}
	for (uint32_t i = 0; i < INSTR_N; i++) {
		const struct position *p = &w->pos[i];

		w->r.replay_e6 += e16_to_usd(p->realised_e16).e6 - p->fees.e6 +
				  position_unrealised(p, w->mark[i]).e6;
	}
}

void
world_wall_step(struct world *w, uint64_t after_ns, int64_t step_ns)
{
	w->step_after_ns = after_ns;
	w->step_ns = step_ns;
}

void
world_run(struct world *w, uint64_t max_s, struct world_result *out)
{
	uint64_t stop = T0 + max_s * (uint64_t)NS_PER_S;
	uint64_t tail = 0;

	for (int v = 1; v < VENUE_N; v++)
		feed(&w->site[v], (struct feed_event){.kind = FEED_EV_START});
	drain(w);
	while (w->now_ns < stop) {
		bool left = false;

		for (int v = 1; v < VENUE_N; v++)
			left |= frame_ns(&w->site[v]) != 0;
		/* A second more for what is still on its way. */
		if (!left && tail == 0)
			tail = w->now_ns + (uint64_t)NS_PER_S;
		if (tail != 0 && w->now_ns >= tail)
			break;
		w->now_ns = next_ns(w);
		turn(w);
	}
	finish(w);
	*out = w->r;
}

static bool
site_open(struct world *w, enum venue v, const struct sim_venue_ops *ops)
{
	struct site *s = &w->site[v];
	const struct sim_timeline *t = &w->load.line[v];

	s->w = w;
	s->venue = v;
	s->ops = ops;
	s->state = calloc(1, ops->state_sz);
	s->feed = calloc(1, feed_sz(v));
	if (s->state == NULL || s->feed == NULL)
		return false;
	for (uint32_t c = 0; c < FEED_CONN_N; c++) {
		s->conn[c].sub = calloc(1, ops->sub_sz);
		if (s->conn[c].sub == NULL)
			return false;
	}
	s->end = t->segment_n > 0 ? t->segments[0].end : 0;
	s->t0_ns = t->n > 0 ? sim_timeline_start_ns(t, 0) : 0;
	s->ops->reset(s->state);
	for (size_t i = 0; i < s->end; i++)
		s->ops->prime(s->state, &t->frames[i]);
	s->sink = (struct feed_sink){s, on_tick, on_instr, on_act};
	feed_init(s->feed, v, &w->cfg, 1, &s->sink);
	return true;
}

struct world *
world_new(
    const struct cfg *cfg, const char *const *files, char *why, size_t why_n)
{
	struct world *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->cfg = *cfg;
	w->now_ns = T0;
	w->quote = calloc(1, sizeof(*w->quote));
	w->risk = malloc(sizeof(*w->risk));
	w->queue = malloc(QUEUE * sizeof(w->queue[0]));
	w->instr = calloc(INSTR_N, sizeof(w->instr[0]));
	w->pos = calloc(INSTR_N, sizeof(w->pos[0]));
	w->mark = calloc(INSTR_N, sizeof(w->mark[0]));
	w->sim_out = malloc(sizeof(*w->sim_out));
	w->sim_buf = malloc(SIM_OUT_SZ);
	w->answer = malloc(ANSWER_SZ);
	for (; *files != NULL; files++)
		if (!load_file(&w->load, *files, why, why_n)) {
			world_free(w);
			return NULL;
		}
	CHECK(load_done(&w->load));
	sim_out_init(w->sim_out, w->sim_buf);
	CHECK(site_open(w, VENUE_POLYMARKET, &sim_polymarket));
	CHECK(site_open(w, VENUE_BINANCE, &sim_binance));
	CHECK(site_open(w, VENUE_HYPERLIQUID, &sim_hyperliquid));
	w->wall0_ns = w->site[VENUE_POLYMARKET].t0_ns;
	quote_init(w->quote, cfg, 1);
	risk_init(w->risk, cfg, 1);
	for (int v = 1; v < VENUE_N; v++) {
		if (v == VENUE_BINANCE)
			continue;
		w->exec[v] = calloc(1, sizeof(*w->exec[v]));
		CHECK(w->exec[v] != NULL);
		paperdesk_init(w->exec[v], cfg, (enum venue)v, 1);
		w->mask[v] = UINT64_MAX;
	}
	return w;
}

void
world_free(struct world *w)
{
	while (w->heap_n > 0)
		free(pop(w).data);
	for (int v = 1; v < VENUE_N; v++) {
		for (uint32_t c = 0; c < FEED_CONN_N; c++)
			free(w->site[v].conn[c].sub);
		free(w->site[v].state);
		free(w->site[v].feed);
		free(w->exec[v]);
	}
	load_free(&w->load);
	free(w->quote);
	free(w->risk);
	free(w->queue);
	free(w->instr);
	free(w->pos);
	free(w->mark);
	free(w->sim_out);
	free(w->sim_buf);
	free(w->answer);
	free(w);
}
