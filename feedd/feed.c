#include "feedd/feed.h"

#include <string.h>

#include "feedd/feed_int.h"
#include "libcore/check.h"
#include "libcore/hash.h"

#define TELL_EVERY_NS UINT64_C(60000000000)
#define SAMPLE_MAX    160u
/* After 418 or 429 without a Retry-After. */
#define REFUSED_NS UINT64_C(60000000000)

static const struct feed_ops *const venue_ops[VENUE_N] = {
    [VENUE_POLYMARKET] = &pm_ops,
    [VENUE_BINANCE] = &bn_ops,
    [VENUE_HYPERLIQUID] = &hl_ops,
};

size_t
feed_sz(enum venue venue)
{
	CHECK(venue >= VENUE_POLYMARKET && venue < VENUE_N);
	return venue == VENUE_POLYMARKET ? pm_sz()
	       : venue == VENUE_BINANCE	 ? bn_sz()
					 : hl_sz();
}

void
feed_init(struct feed *f, enum venue venue, const struct cfg *cfg,
    uint64_t epoch, const struct feed_sink *sink)
{
	CHECK(venue >= VENUE_POLYMARKET && venue < VENUE_N);
	CHECK(sink->tick != NULL && sink->instr != NULL && sink->act != NULL);
	CHECK(f->ops == NULL);
	f->ops = venue_ops[venue];
	f->sink = sink;
	f->venue = venue;
	f->epoch = epoch;
	f->cfg = *cfg;
	for (uint8_t i = 0; i < FEED_CONN_N; i++)
		link_init(&f->link[i], venue, i);
	for (uint8_t i = 0; i < FEED_LANES; i++)
		f->shard[i].main = i;
}

void
feed_recall(struct feed *f, uint16_t idx, const struct instr *in)
{
	CHECK(f->ops != NULL);
	CHECK(f->now_ns == 0);
	if (f->ops->recall != NULL && in->venue == f->venue)
		f->ops->recall(f, idx, in);
}

struct tick
feed_tick(
    const struct feed *f, enum slot_kind kind, uint16_t idx, int64_t venue_ns)
{
	struct tick t;

	memset(&t, 0, sizeof(t));
	t.hdr.kind = (uint8_t)kind;
	t.hdr.flags = f->replay;
	t.hdr.instr = idx;
	t.hdr.venue_ns = venue_ns;
	t.hdr.recv_ns = f->now_ns;
	return t;
}

static void
flush(struct feed *f)
{
	if (!f->has_held)
		return;
	f->has_held = false;
	f->stats.ticks++;
	f->sink->tick(f->sink->user, &f->held);
}

void
feed_put(struct feed *f, const struct tick *t)
{
	flush(f);
	f->held = *t;
	f->has_held = true;
}

void
feed_batch_end(struct feed *f)
{
	if (f->has_held)
		f->held.hdr.flags |= SLOT_BATCH_END;
	flush(f);
}

static void
put_alone(struct feed *f, const struct tick *t)
{
	feed_put(f, t);
	flush(f);
}

void
feed_note(struct feed *f, enum reason r)
{
	CHECK(r > REASON_NONE && r < REASON_N);
	f->stats.reason[r]++;
}

void
feed_count(struct feed *f, enum reason r)
{
	f->stats.malformed++;
	feed_note(f, r);
}

void
feed_drop(struct feed *f, enum reason r, size_t off, const char *text, size_t n)
{
	struct feed_act a = {.what = FEED_LOG};

	feed_count(f, r);
	if (f->told_ns[r] != 0 && f->now_ns < f->told_ns[r] + TELL_EVERY_NS)
		return;
	f->told_ns[r] = f->now_ns;
	a.log =
	    r == REASON_UNKNOWN_EVENT ? FEED_LOG_UNKNOWN : FEED_LOG_MALFORMED;
	a.conn = f->conn;
	a.reason = r;
	a.value = (int64_t)off;
	a.text = text;
	a.n = n < SAMPLE_MAX ? n : SAMPLE_MAX;
	f->sink->act(f->sink->user, &a);
}

void
feed_failed(struct feed *f, const struct feed_event *ev, const char *what,
    const char *about)
{
	struct feed_act a = {.what = FEED_LOG, .log = FEED_LOG_DISCOVERY};
	uint32_t key = (uint32_t)ev->reason << 16 | ev->code;
	uint32_t n;

	key = key == 0 ? UINT32_MAX : key;
	if (!said_again(said_of(f->failed, key), key, f->now_ns, &n))
		return;
	a.code = ev->code;
	a.reason = ev->reason;
	a.text = what;
	a.n = strlen(what);
	a.url = about;
	a.value = n;
	f->sink->act(f->sink->user, &a);
}

void
feed_unknown(struct feed *f, struct unknown *u, const struct feed_name *name)
{
	struct feed_act a = {.what = FEED_LOG, .log = FEED_LOG_NO_SUCH};
	bool is_due;

	if (name->is_known || !name->can_tell) {
		name->is_known ? unknown_known(u) : unknown_pause(u);
		return;
	}
	is_due = unknown_take(u, f->now_ns, name->after_ns);
	feed_wake_at(f, unknown_due(u, name->after_ns));
	if (!is_due)
		return;
	a.url = name->key;
	a.text = name->value;
	a.n = strlen(name->value);
	f->sink->act(f->sink->user, &a);
}

void
feed_log(struct feed *f, enum feed_log log, uint16_t idx, enum reason r,
    int64_t value)
{
	struct feed_act a = {.what = FEED_LOG, .log = log};

	a.conn = f->conn;
	a.instr = idx;
	a.reason = r;
	a.value = value;
	f->sink->act(f->sink->user, &a);
}

void
feed_send(struct feed *f, uint8_t conn, const char *text, size_t n)
{
	struct feed_act a = {.what = FEED_SEND, .conn = conn};

	CHECK(conn < FEED_CONN_N);
	a.text = text;
	a.n = n;
	f->sink->act(f->sink->user, &a);
}

void
feed_ping_frame(struct feed *f, uint8_t conn)
{
	struct feed_act a = {.what = FEED_PING, .conn = conn};

	f->sink->act(f->sink->user, &a);
}

void
feed_get(struct feed *f, uint32_t tag, const char *url, const char *body)
{
	struct feed_act a = {.what = FEED_GET, .tag = tag};

	a.url = url;
	a.text = body;
	a.n = body == NULL ? 0 : strlen(body);
	f->sink->act(f->sink->user, &a);
}

void
feed_open_url(struct feed *f, uint8_t conn, const char *url)
{
	struct feed_act a = {.what = FEED_OPEN, .conn = conn};

	a.url = url;
	f->sink->act(f->sink->user, &a);
}

static void
close_conn(struct feed *f, uint8_t conn, enum reason why)
{
	struct feed_act a = {.what = FEED_CLOSE, .conn = conn, .reason = why};
	struct link *l = &f->link[conn];

	if (!link_is_live(l) || l->closing)
		return;
	l->closing = true;
	f->sink->act(f->sink->user, &a);
}

void
feed_reconnect(struct feed *f, uint8_t conn, enum reason why)
{
	close_conn(f, conn, why);
}

void
feed_wake_at(struct feed *f, uint64_t ns)
{
	if (f->venue_wake_ns == 0 || ns < f->venue_wake_ns)
		f->venue_wake_ns = ns;
	if (f->wake_ns == 0 || ns < f->wake_ns)
		f->wake_ns = ns;
}

void
feed_stamp(struct feed *f, int64_t venue_ns)
{
	link_stamp(&f->link[f->conn], f->now_ns, f->wall_ns, venue_ns);
	if (venue_ns > 0)
		f->venue_ns = f->link[f->conn].clock.venue_ns;
}

void
feed_instr(struct feed *f, uint16_t idx, const struct instr *in)
{
	struct tick t = feed_tick(f, TICK_INSTR, idx, 0);

	t.u.instr.epoch = in->epoch;
	t.u.instr.state = in->state;
	t.u.instr.cls = in->cls;
	if (f->replay == 0)
		f->sink->instr(f->sink->user, idx, in);
	put_alone(f, &t);
}

void
feed_gap(struct feed *f, struct pub *p, enum reason r, uint64_t lost_n)
{
	struct tick t = feed_tick(f, TICK_GAP, p->idx, 0);

	t.u.gap.lost_n = lost_n;
	t.u.gap.since_ns = f->now_ns;
	t.u.gap.reason = (uint16_t)r;
	t.u.gap.conn = p->conn;
	t.u.gap.scope = 1;
	put_alone(f, &t);
	pub_forget(p);
	f->stats.gaps += f->replay == 0;
}

void
feed_recv(struct feed *f, bool is_data)
{
	link_recv(&f->link[f->conn], f->now_ns, is_data);
}

static void
log_silence(struct feed *f, struct link *l)
{
	f->conn = l->conn;
	if (l->state == LINK_STALE && l->told != LINK_STALE)
		feed_log(f, FEED_LOG_STALE, 0, REASON_FEED_STALE,
		    (int64_t)((f->now_ns - l->data_ns) / (uint64_t)NS_PER_MS));
	if (l->told == LINK_STALE && l->state != LINK_STALE && link_is_live(l))
		feed_log(f, FEED_LOG_FRESH, 0, REASON_NONE, 0);
	l->told = l->state;
}

static bool
is_needed(const struct feed *f, uint8_t shard)
{
	return f->shard[shard].wanted && !f->shard[shard].optional;
}

/* Shard 0 stands for the venue: a slow answer on another that is needed is
 * as bad as on itself. */
static void
add_worst(const struct feed *f, struct tick_link *t)
{
	for (uint8_t i = 1; i < f->shard_n; i++) {
		const struct link *l = &f->link[feed_best(f, i)];

		if (!is_needed(f, i) || !link_is_live(l))
			continue;
		if (l->rtt_us > t->rtt_us)
			t->rtt_us = l->rtt_us;
		if (l->rtt_ema_us > t->rtt_ema_us)
			t->rtt_ema_us = l->rtt_ema_us;
		if (l->overdue)
			t->overdue = 1;
	}
}

/* Readers see one connection: the better lane. */
static void
tell_shard(struct feed *f, uint8_t shard)
{
	struct tick t = feed_tick(f, TICK_LINK, 0, 0);
	struct shard *s = &f->shard[shard];
	const struct link *best = &f->link[feed_best(f, shard)];
	bool is_change;

	f->told_link = true;
	link_report(best, f->now_ns, &t.u.link);
	t.u.link.conn = shard;
	if (shard == 0)
		add_worst(f, &t.u.link);
	t.u.link.skew_ms = skew_ms(&f->skew);
	t.u.link.reconnects =
	    f->link[shard].reconnects + f->link[feed_other(shard)].reconnects;
	put_alone(f, &t);
	if (f->replay != 0)
		return;
	is_change = (s->told == LINK_STALE) != (best->state == LINK_STALE);
	s->told = best->state;
	s->told_ns = f->now_ns;
	if (shard != 0 && is_change && link_is_live(best) &&
	    f->ops->stale != NULL)
		f->ops->stale(f, shard, best->state == LINK_STALE);
}

void
feed_pong(struct feed *f)
{
	struct link *l = &f->link[f->conn];
	uint8_t shard = feed_shard(f->conn);

	if (!link_is_live(l))
		return;
	link_pong(l, &f->cfg, f->now_ns);
	link_eval(l, &f->cfg, f->now_ns);
	if (feed_best(f, shard) == l->conn)
		tell_shard(f, shard);
}

static void
eval_link(struct feed *f, struct link *l)
{
	uint8_t shard = feed_shard(l->conn);

	link_eval(l, &f->cfg, f->now_ns);
	if (l->state != l->told) {
		uint8_t conn = f->conn;

		log_silence(f, l);
		f->conn = conn;
		f->told_link = true;
		lanes_run(f, shard);
	}
	if (f->link[feed_best(f, shard)].state != f->shard[shard].told)
		tell_shard(f, shard);
}

void
feed_complete(struct feed *f, uint8_t conn, bool complete)
{
	f->link[conn].complete = complete;
	eval_link(f, &f->link[conn]);
}

static void
tell_conn(struct feed *f, const struct link *l, const struct feed_event *ev)
{
	struct tick t = feed_tick(f, TICK_CONN, 0, 0);

	t.u.conn.venue = (uint8_t)f->venue;
	t.u.conn.conn = feed_shard(l->conn);
	t.u.conn.state = l->state;
	t.u.conn.code = ev->code;
	t.u.conn.reason = (uint16_t)ev->reason;
	put_alone(f, &t);
}

static void
conn_up(struct feed *f, struct link *l, const struct feed_event *ev)
{
	if (l->state != LINK_CONNECTING)
		return;
	link_up(l, f->now_ns);
	if (!l->wanted) { /* no longer */
		feed_reconnect(f, l->conn, REASON_NONE);
		return;
	}
	if (!feed_is_carried(f, l->conn))
		tell_conn(f, l, ev);
	feed_log(f, FEED_LOG_CONNECTED, 0, REASON_NONE, 0);
	f->ops->up(f, l->conn);
	eval_link(f, l);
}

/* No lane is left: what readers know of the shard is void. One that nobody
 * wants any more carried nothing. */
static void
shard_ends(struct feed *f, const struct link *l)
{
	uint8_t shard = feed_shard(l->conn);
	struct tick t;

	if (!f->shard[shard].wanted && !f->stopping)
		return;
	t = feed_tick(f, TICK_GAP, 0, 0);
	t.u.gap.since_ns = l->recv_ns;
	t.u.gap.reason = REASON_SEQ_GAP;
	t.u.gap.conn = shard;
	t.u.gap.scope = 2;
	put_alone(f, &t);
	f->stats.gaps++;
}

/* When the address of this shard takes connections again. The price stream
 * is on another server than the markets. */
static uint64_t *
hold_of(struct feed *f, const struct link *l)
{
	uint8_t shard = feed_shard(l->conn);

	return &f->hold_ns[f->shard[shard].optional ? shard : 0];
}

/* A refused upgrade that says when to come back, or that we come too often:
 * no connection to that address before. */
static void
hold_opens(struct feed *f, struct link *l, const struct feed_event *ev)
{
	uint64_t *hold_ns = hold_of(f, l);
	uint64_t wait_ns = (uint64_t)ev->retry_after_s * (uint64_t)NS_PER_S;

	if (wait_ns == 0 && (ev->code == 418 || ev->code == 429))
		wait_ns = REFUSED_NS;
	if (wait_ns > 0 && *hold_ns < f->now_ns + wait_ns)
		*hold_ns = f->now_ns + wait_ns;
	if (l->retry_ns < *hold_ns)
		l->retry_ns = *hold_ns;
}

static void
conn_down(struct feed *f, struct link *l, const struct feed_event *ev)
{
	struct feed_act a = {.what = FEED_LOG, .log = FEED_LOG_CONNECT_FAILED};
	bool was_live = link_is_live(l);
	const char *cause;
	bool planned = lanes_planned(f, l, ev->reason, &cause);

	if (!was_live && l->state != LINK_CONNECTING)
		return;
	link_down(l, &f->cfg, f->now_ns, f->random);
	if (!was_live)
		hold_opens(f, l, ev);
	if (!feed_is_carried(f, l->conn)) {
		tell_conn(f, l, ev);
		if (was_live)
			shard_ends(f, l);
	}
	f->ops->down(f, l->conn);
	eval_link(f, l);
	if (was_live)
		a.log = planned ? FEED_LOG_REPLACED : FEED_LOG_DISCONNECTED;
	a.conn = l->conn;
	a.code = ev->code;
	a.reason = ev->reason;
	a.text = was_live && planned ? cause : ev->data;
	a.n = was_live && planned ? strlen(cause) : ev->n;
	a.value = (int64_t)((l->retry_ns - f->now_ns) / (uint64_t)NS_PER_MS);
	f->sink->act(f->sink->user, &a);
}

/* Not more connections than the venue's budget allows. */
static bool
may_open(struct feed *f, struct link *l)
{
	if (l->state != LINK_DOWN || !l->wanted || f->now_ns < l->retry_ns)
		return true;
	if (f->now_ns < *hold_of(f, l)) {
		l->retry_ns = *hold_of(f, l);
		return false;
	}
	return budget_take(&f->budget, f->venue, f->now_ns, &l->retry_ns);
}

static void
run_link(struct feed *f, struct link *l)
{
	for (;;) {
		enum link_do what = LINK_DO_NOTHING;

		if (may_open(f, l))
			what = link_timer(l, &f->cfg, f->now_ns);
		if (what == LINK_DO_NOTHING)
			break;
		if (what == LINK_DO_OPEN)
			f->ops->open(f, l->conn);
		if (what == LINK_DO_PING)
			f->ops->ping(f, l->conn);
		if (what == LINK_DO_CLOSE || what == LINK_DO_GIVE_UP) {
			l->closing = false;
			close_conn(f, l->conn,
			    what == LINK_DO_CLOSE ? REASON_SILENT
						  : REASON_NO_PONG);
		}
	}
	eval_link(f, l);
}

/* When readers must hear of a shard again; 0 never. */
static uint64_t
told_due(const struct feed *f, uint8_t shard)
{
	if (!feed_is_live(f, feed_best(f, shard)))
		return 0;
	return f->shard[shard].told_ns +
	       (uint64_t)f->cfg.latency_ping_interval.ns;
}

static void
run_shard(struct feed *f, uint8_t shard)
{
	uint64_t due;

	run_link(f, &f->link[shard]);
	run_link(f, &f->link[feed_other(shard)]);
	lanes_run(f, shard);
	due = told_due(f, shard);
	if (due != 0 && f->now_ns >= due)
		tell_shard(f, shard);
}

static void
run_timers(struct feed *f)
{
	for (uint8_t i = 0; i < f->shard_n; i++)
		run_shard(f, i);
	if (f->venue_wake_ns != 0 && f->now_ns >= f->venue_wake_ns) {
		f->venue_wake_ns = 0;
		f->ops->timer(f);
	}
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static void
set_wake(struct feed *f)
{
	uint64_t wake = f->venue_wake_ns;

	for (uint8_t i = 0; i < f->shard_n; i++) {
		wake = sooner(wake, link_due(&f->link[i], &f->cfg));
		wake = sooner(wake, link_due(&f->link[feed_other(i)], &f->cfg));
		wake = sooner(wake, lanes_due(f, i));
		wake = sooner(wake, told_due(f, i));
	}
	f->wake_ns = wake;
}

static void
stop(struct feed *f)
{
	f->stopping = true;
	f->venue_wake_ns = 0;
	for (uint8_t i = 0; i < f->shard_n; i++)
		lanes_run(f, i);
	if (f->ops->stop != NULL)
		f->ops->stop(f);
}

static void
resync(struct feed *f, enum ring_content content)
{
	f->replay = SLOT_REPLAY;
	f->ops->resync(f, content);
	for (uint8_t i = 0; i < f->shard_n; i++)
		tell_shard(f, i);
	f->replay = 0;
}

static void
take_frame(struct feed *f, struct link *l, const struct feed_event *ev)
{
	f->stats.frames++;
	f->stats.bytes += ev->n;
	if (!link_is_live(l))
		return;
	f->ops->frame(f, ev);
	if (l->state != LINK_READY)
		eval_link(f, l);
}

static void
take_other(struct feed *f, struct link *l, const struct feed_event *ev)
{
	switch (ev->kind) {
	case FEED_EV_START: f->ops->start(f, ev); return;
	case FEED_EV_UP: conn_up(f, l, ev); return;
	case FEED_EV_DOWN: conn_down(f, l, ev); return;
	case FEED_EV_PONG: feed_pong(f); return;
	case FEED_EV_HTTP:
		skew_http(&f->skew, ev);
		if (!f->stopping && ev->tag != FEED_TAG_TIME)
			f->ops->http(f, ev);
		return;
	case FEED_EV_TIMER: run_timers(f); return;
	case FEED_EV_CFG:
		f->cfg = *ev->cfg;
		for (uint8_t i = 0; i < f->shard_n; i++)
			lanes_run(f, i);
		f->ops->timer(f);
		return;
	case FEED_EV_RESYNC: resync(f, ev->content); return;
	case FEED_EV_STOP: stop(f); return;
	case FEED_EV_FRAME:
	case FEED_EV_N: break;
	}
	CHECK(ev->kind == FEED_EV_START);
}

void
feed_step(struct feed *f, const struct feed_event *ev)
{
	struct link *l;

	CHECK(ev->conn < FEED_CONN_N);
	l = &f->link[ev->conn];
	f->now_ns = ev->now_ns;
	f->wall_ns = ev->wall_ns;
	f->random = ev->random;
	f->conn = ev->conn;
	f->code = ev->code;
	if (ev->kind == FEED_EV_FRAME)
		take_frame(f, l, ev);
	else
		take_other(f, l, ev);
	flush(f);
	if (ev->kind != FEED_EV_FRAME || f->told_link)
		set_wake(f);
	f->told_link = false;
	CHECK(!f->has_held);
}

uint64_t
feed_wake(const struct feed *f)
{
	return f->wake_ns;
}

uint64_t
feed_hash(const struct feed *f)
{
	uint64_t h = hash_u64(HASH_SEED, f->epoch);

	for (uint32_t i = 0; i < FEED_CONN_N; i++) {
		h = hash_u64(h, f->link[i].state);
		h = hash_u64(h, f->link[i].opens);
		h = hash_u64(h, f->link[i].rtt_ema_us);
		h = hash_u64(h, (uint64_t)f->link[i].age_us);
	}
	return f->ops->hash(f, h);
}

/* Up to a silent venue: everything is asked for, and time was given. */
static bool
is_waited_for(const struct feed *f, const struct link *l)
{
	uint64_t limit = (uint64_t)f->cfg.feed_snapshot_timeout.ns;

	return l->state == LINK_UP && l->complete &&
	       f->now_ns >= l->up_ns + limit;
}

bool
feed_is_ready(const struct feed *f)
{
	if (!f->has_universe)
		return false;
	for (uint8_t i = 0; i < f->shard_n; i++) {
		const struct link *l = &f->link[feed_best(f, i)];

		if (is_needed(f, i) && l->state != LINK_READY &&
		    !is_waited_for(f, l))
			return false;
	}
	return true;
}

enum link_state
feed_state(const struct feed *f)
{
	for (uint8_t i = 0; i < f->shard_n; i++) {
		const struct link *l = &f->link[feed_best(f, i)];

		if (is_needed(f, i) && l->state != LINK_READY)
			return (enum link_state)l->state;
	}
	return (enum link_state)f->link[feed_best(f, 0)].state;
}

const struct skew *
feed_skew(const struct feed *f)
{
	return &f->skew;
}

const struct feed_stats *
feed_stats(const struct feed *f)
{
	return &f->stats;
}

uint32_t
feed_instr_n(const struct feed *f)
{
	return f->instr_n;
}

const struct link *
feed_link(const struct feed *f, uint8_t conn)
{
	return conn < FEED_CONN_N ? &f->link[conn] : NULL;
}
