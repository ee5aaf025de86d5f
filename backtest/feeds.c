#define _GNU_SOURCE
#include "backtest/feeds.h"

#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"

#define WIRE_NS (UINT64_C(200) * (uint64_t)NS_PER_US) /* client <-> venue */
#define HTTP_NS (UINT64_C(3) * (uint64_t)NS_PER_MS)
#define TAIL_NS ((uint64_t)NS_PER_S) /* for what is on its way at the end */
#define EVENTS	8192u
/* A silence of all recordings longer than this is passed over, some time
 * into it. */
#define SILENCE_NS (UINT64_C(3600) * (uint64_t)NS_PER_S)
#define GRACE_NS   (UINT64_C(60) * (uint64_t)NS_PER_S)
#define ANSWER_SZ  ((size_t)4 << 20)

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
	struct feeds *f;
	enum venue venue;
	const struct sim_venue_ops *ops;
	const struct sim_timeline *line;
	void *state;
	struct conn conn[FEED_CONN_N];
	struct feed *feed;
	struct feed_sink sink;
	size_t next;	/* frame of the timeline                          */
	size_t segment; /* that next is in                                */
	int64_t t0_ns;	/* recorded time at the start                     */
	struct feeds_count n;
};

struct feeds {
	struct cfg cfg;
	const struct captures *captures;
	struct feeds_sink sink;
	uint64_t start_ns;
	uint64_t now_ns;
	uint64_t end_ns;    /* 0: frames are left                            */
	uint64_t played_ns; /* the last frame                             */
	int64_t wall_step_ns;
	bool begun;
	uint64_t order;
	struct at heap[EVENTS];
	uint32_t heap_n;
	struct site site[VENUE_N];
	struct sim_out *sim_out;
	char *sim_buf;
	char *answer;
};

static bool
sooner(const struct at *a, const struct at *b)
{
	return a->t_ns != b->t_ns ? a->t_ns < b->t_ns : a->order < b->order;
}

static void
schedule(struct feeds *f, struct at a, const char *data, size_t n)
{
	uint32_t i = f->heap_n++;

	CHECK(f->heap_n <= EVENTS);
	a.order = ++f->order;
	a.n = n;
	a.data = NULL;
	if (data != NULL) {
		a.data = malloc(n + 1);
		CHECK(a.data != NULL);
		memcpy(a.data, data, n);
		a.data[n] = '\0';
	}
	for (; i > 0 && sooner(&a, &f->heap[(i - 1) / 2]); i = (i - 1) / 2)
		f->heap[i] = f->heap[(i - 1) / 2];
	f->heap[i] = a;
}

static struct at
pop(struct feeds *f)
{
	struct at top = f->heap[0];
	struct at last = f->heap[--f->heap_n];
	uint32_t i = 0;

	for (;;) {
		uint32_t k = 2 * i + 1;

		if (k >= f->heap_n)
			break;
		if (k + 1 < f->heap_n && sooner(&f->heap[k + 1], &f->heap[k]))
			k++;
		if (!sooner(&f->heap[k], &last))
			break;
		f->heap[i] = f->heap[k];
		i = k;
	}
	f->heap[i] = last;
	return top;
}

/* ---- what a feed does ---- */

static void
on_tick(void *user, struct tick *t)
{
	struct site *s = user;

	s->n.ticks++;
	s->f->sink.tick(s->f->sink.user, s->venue, t);
}

static void
on_instr(void *user, uint16_t idx, const struct instr *in)
{
	struct site *s = user;

	CHECK(idx < INSTR_N);
	s->f->sink.instr(s->f->sink.user, idx, in);
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
	struct sim_out *o = s->f->sim_out;

	for (unsigned i = 0; i < o->msg_n; i++) {
		s->n.served++;
		schedule(s->f,
		    (struct at){.t_ns = s->f->now_ns + WIRE_NS,
			.what = AT_FRAME,
			.venue = (uint8_t)s->venue,
			.conn = conn},
		    o->buf + o->msgs[i].at, o->msgs[i].n);
	}
	sim_out_init(o, s->f->sim_buf);
}

static void
act_open(struct site *s, const struct feed_act *a)
{
	struct conn *c = &s->conn[a->conn];
	struct http_text path;
	struct http_text query;

	cut_url(a->url, &path, &query);
	memset(c->sub, 0, s->ops->sub_sz);
	c->open = s->ops->open(s->state, c->sub, path, query);
	schedule(s->f,
	    (struct at){.t_ns = s->f->now_ns + WIRE_NS,
		.what = c->open ? AT_UP : AT_DOWN,
		.venue = (uint8_t)s->venue,
		.conn = a->conn},
	    NULL, 0);
}

static void
act_get(struct site *s, const struct feed_act *a)
{
	struct feeds *f = s->f;
	struct sim_request rq = {
	    .method = {a->text != NULL ? "POST" : "GET",
		a->text != NULL ? 4 : 3},
	    .body = a->text,
	    .body_n = a->n,
	    .now_ns = s->t0_ns + (int64_t)(f->now_ns - f->start_ns),
	    .markets = f->captures->markets,
	    .market_n = f->captures->market_n,
	};
	struct sim_answer an = {.status = 0};

	cut_url(a->url, &rq.path, &rq.query);
	text_init(&an.body, f->answer, ANSWER_SZ);
	s->ops->request(s->state, &rq, &an);
	schedule(f,
	    (struct at){.t_ns = f->now_ns + HTTP_NS,
		.what = AT_HTTP,
		.venue = (uint8_t)s->venue,
		.code = (uint16_t)an.status,
		.tag = a->tag},
	    f->answer, text_end(&an.body));
}

static void
on_act(void *user, const struct feed_act *a)
{
	struct site *s = user;
	struct at at = {.t_ns = s->f->now_ns + WIRE_NS,
	    .venue = (uint8_t)s->venue,
	    .conn = a->conn};

	switch (a->what) {
	case FEED_OPEN: act_open(s, a); break;
	case FEED_CLOSE:
		s->conn[a->conn].open = false;
		at.what = AT_DOWN;
		schedule(s->f, at, NULL, 0);
		break;
	case FEED_SEND:
		if (!s->conn[a->conn].open)
			break;
		s->ops->receive(s->state, s->conn[a->conn].sub, a->text, a->n,
		    s->f->sim_out);
		send_out(s, a->conn);
		break;
	case FEED_PING:
		at.what = AT_PONG;
		schedule(s->f, at, NULL, 0);
		break;
	case FEED_GET: act_get(s, a); break;
	case FEED_LOG:
	case FEED_DO_N: break;
	}
}

static void
feed(struct site *s, struct feed_event ev)
{
	ev.now_ns = s->f->now_ns;
	ev.wall_ns = (int64_t)s->f->now_ns + s->f->wall_step_ns;
	ev.random = ++s->f->order * HASH_SEED;
	feed_step(s->feed, &ev);
}

/* ---- what the venue does ---- */

/* The recording stopped here: connections end, nothing is known any more. */
static void
begin_segment(struct site *s)
{
	const struct sim_timeline *t = s->line;

	s->ops->reset(s->state);
	for (size_t i = t->segments[s->segment].first;
	     i < t->segments[s->segment].end; i++)
		s->ops->prime(s->state, &t->frames[i]);
	for (uint8_t c = 0; c < FEED_CONN_N; c++) {
		if (!s->conn[c].open)
			continue;
		s->conn[c].open = false;
		schedule(s->f,
		    (struct at){.t_ns = s->f->now_ns + WIRE_NS,
			.what = AT_DOWN,
			.venue = (uint8_t)s->venue,
			.conn = c},
		    NULL, 0);
	}
}

/* The next recorded frame: the venue's state moves, subscribers are told. */
static void
play(struct site *s)
{
	const struct sim_frame *f = &s->line->frames[s->next];

	while (s->segment + 1 < s->line->segment_n &&
	       s->next >= s->line->segments[s->segment + 1].first) {
		s->segment++;
		begin_segment(s);
	}
	s->next++;
	s->n.frames++;
	s->f->played_ns = s->f->now_ns;
	s->ops->apply(s->state, f);
	for (uint8_t c = 0; c < FEED_CONN_N; c++) {
		if (!s->conn[c].open || !s->ops->is_active(s->conn[c].sub))
			continue;
		s->ops->select(s->state, s->conn[c].sub, f, s->f->sim_out);
		send_out(s, c);
	}
}

static void
arrive(struct feeds *f, struct at *a)
{
	struct site *s = &f->site[a->venue];
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

/* ---- time ---- */

static uint64_t
frame_ns(const struct site *s)
{
	if (s->next >= s->line->n)
		return 0;
	return s->f->start_ns +
	       (uint64_t)(s->line->frames[s->next].t_ns - s->t0_ns);
}

static void
earlier(uint64_t *t, uint64_t other)
{
	if (other != 0 && (*t == 0 || other < *t))
		*t = other;
}

uint64_t
feeds_next_ns(const struct feeds *f)
{
	uint64_t t = 0;

	if (!f->begun)
		return f->start_ns;
	if (f->end_ns != 0 && f->now_ns >= f->end_ns)
		return 0;
	for (int v = 1; v < VENUE_N; v++)
		earlier(&t, frame_ns(&f->site[v]));
	if (t > f->now_ns + SILENCE_NS && f->now_ns > f->played_ns + GRACE_NS)
		return t;
	if (f->heap_n > 0)
		earlier(&t, f->heap[0].t_ns);
	for (int v = 1; v < VENUE_N; v++)
		earlier(&t, feed_wake(f->site[v].feed));
	earlier(&t, f->end_ns);
	return t > f->now_ns ? t : f->now_ns;
}

void
feeds_run(struct feeds *f, uint64_t now_ns)
{
	bool left = false;

	CHECK(now_ns >= f->now_ns);
	f->now_ns = now_ns;
	if (!f->begun)
		for (int v = 1; v < VENUE_N; v++)
			feed(&f->site[v],
			    (struct feed_event){.kind = FEED_EV_START});
	f->begun = true;
	while (f->heap_n > 0 && f->heap[0].t_ns <= now_ns) {
		struct at a = pop(f);

		arrive(f, &a);
	}
	for (int v = 1; v < VENUE_N; v++) {
		struct site *s = &f->site[v];
		uint64_t t = frame_ns(s);

		if (t != 0 && t <= now_ns)
			play(s);
		t = feed_wake(s->feed);
		if (t != 0 && t <= now_ns)
			feed(s, (struct feed_event){.kind = FEED_EV_TIMER});
		left |= s->next < s->line->n;
	}
	if (!left && f->end_ns == 0)
		f->end_ns = now_ns + TAIL_NS;
}

void
feeds_resync(struct feeds *f, uint64_t now_ns)
{
	CHECK(now_ns >= f->now_ns);
	f->now_ns = now_ns;
	for (int v = 1; v < VENUE_N; v++)
		feed(&f->site[v], (struct feed_event){.kind = FEED_EV_RESYNC,
				      .content = RING_FULL});
}

uint64_t
feeds_start_ns(const struct feeds *f)
{
	return f->start_ns;
}

uint64_t
feeds_played(const struct feeds *f, uint64_t *all)
{
	uint64_t n = 0;

	*all = 0;
	for (int v = 1; v < VENUE_N; v++) {
		n += f->site[v].next;
		*all += f->site[v].line->n;
	}
	return n;
}

void
feeds_wall_step(struct feeds *f, int64_t step_ns)
{
	f->wall_step_ns = step_ns;
}

void
feeds_count(const struct feeds *f, enum venue v, struct feeds_count *out)
{
	const struct feed_stats *st = feed_stats(f->site[v].feed);

	*out = f->site[v].n;
	out->received = st->frames;
	out->malformed = st->malformed;
	out->hash_ok = st->hash_ok;
	out->hash_bad = st->hash_bad;
}

uint64_t
feeds_hash(const struct feeds *f, enum venue v)
{
	return feed_hash(f->site[v].feed);
}

/* ---- the start ---- */

/* Have all recordings a moment in common? */
static bool
overlap(const struct feeds *f)
{
	int64_t from = INT64_MIN;
	int64_t to = INT64_MAX;

	for (int v = 1; v < VENUE_N; v++) {
		const struct sim_timeline *t = f->site[v].line;

		if (t->n == 0)
			continue;
		from = i64_max(from, t->frames[0].t_ns);
		to = i64_min(to, t->frames[t->n - 1].t_ns);
	}
	return from <= to;
}

static void
set_times(struct feeds *f)
{
	bool together = overlap(f);
	int64_t first = INT64_MAX;

	for (int v = VENUE_N - 1; v >= 1; v--) {
		const struct sim_timeline *t = f->site[v].line;

		if (t->n == 0)
			continue;
		f->site[v].t0_ns = t->frames[0].t_ns;
		if (!together || t->frames[0].t_ns < first)
			first = t->frames[0].t_ns;
	}
	if (first == INT64_MAX)
		first = NS_PER_S;
	f->start_ns = (uint64_t)first;
	for (int v = 1; v < VENUE_N; v++)
		if (together || f->site[v].line->n == 0)
			f->site[v].t0_ns = first;
}

static bool
site_open(struct feeds *f, enum venue v, const struct sim_venue_ops *ops)
{
	struct site *s = &f->site[v];

	s->f = f;
	s->venue = v;
	s->ops = ops;
	s->line = &f->captures->timelines[v];
	s->state = calloc(1, ops->state_sz);
	s->feed = calloc(1, feed_sz(v));
	if (s->state == NULL || s->feed == NULL)
		return false;
	for (uint32_t c = 0; c < FEED_CONN_N; c++) {
		s->conn[c].sub = calloc(1, ops->sub_sz);
		if (s->conn[c].sub == NULL)
			return false;
	}
	s->sink = (struct feed_sink){s, on_tick, on_instr, on_act};
	feed_init(s->feed, v, &f->cfg, 1, &s->sink);
	if (s->line->segment_n > 0)
		begin_segment(s);
	else
		ops->reset(s->state);
	return true;
}

struct feeds *
feeds_new(const struct cfg *cfg, const struct captures *c,
    const struct feeds_sink *sink)
{
	static const struct sim_venue_ops *const ops[VENUE_N] = {
	    [VENUE_POLYMARKET] = &sim_polymarket,
	    [VENUE_BINANCE] = &sim_binance,
	    [VENUE_HYPERLIQUID] = &sim_hyperliquid,
	};
	struct feeds *f = calloc(1, sizeof(*f));
	bool ok;

	if (f == NULL)
		return NULL;
	f->cfg = *cfg;
	f->captures = c;
	f->sink = *sink;
	f->sim_out = malloc(sizeof(*f->sim_out));
	f->sim_buf = malloc(SIM_OUT_SZ);
	f->answer = malloc(ANSWER_SZ);
	ok = f->sim_out != NULL && f->sim_buf != NULL && f->answer != NULL;
	if (ok)
		sim_out_init(f->sim_out, f->sim_buf);
	for (int v = 1; v < VENUE_N && ok; v++)
		ok = site_open(f, (enum venue)v, ops[v]);
	if (!ok) {
		feeds_free(f);
		return NULL;
	}
	set_times(f);
	return f;
}

void
feeds_free(struct feeds *f)
{
	while (f->heap_n > 0)
		free(pop(f).data);
	for (int v = 1; v < VENUE_N; v++) {
		for (uint32_t c = 0; c < FEED_CONN_N; c++)
			free(f->site[v].conn[c].sub);
		free(f->site[v].state);
		free(f->site[v].feed);
	}
	free(f->sim_out);
	free(f->sim_buf);
	free(f->answer);
	free(f);
}
