#define _GNU_SOURCE
/* The timelines: what is played when, and to whom. */
#include <string.h>

#include "libcore/check.h"
#include "libsys/clock.h"
#include "simvenue/server_int.h"

#define FRAMES_A_TURN	256
#define FRAME_MARGIN	4096 /* what a venue may add to a recorded frame */
#define LINGER_STEP_MS	5
#define BLOCKED_STEP_MS 50
#define CODE_RESTART	1012

static void
tick_in(struct player *p, uint64_t ms)
{
	CHECK(uv_timer_start(&p->timer, play_tick, ms, 0) == 0);
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
void
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

int64_t
recorded_now(const struct player *p)
{
	if (p->server->live != NULL)
		return (int64_t)p->server->live->w.now_ns;
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
void
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

void
play_deliver(struct player *p, const struct sim_frame *f, char *out_buf)
{
	for (struct client *c = p->clients, *next; c != NULL; c = next) {
		next = c->next;
		if (!is_listening(c))
			continue;
		struct sim_out out;
		sim_out_init(&out, out_buf);
		p->ops->select(p->state, c->sub, f, &out);
		(void)client_say(c, &out);
	}
}

/* Frames that the recording does not have. */
static void
play_fault(struct player *p, enum fault fault, int64_t value,
    const struct sim_frame *f)
{
	struct sim_out out;
	sim_out_init(&out, p->server->made_buf);
	bool is_news = p->ops->fault(p->state, fault, value, f, &out);
	for (unsigned i = 0; i < out.msg_n; i++) {
		struct sim_frame made = *f;
		made.text = out.buf + out.msgs[i].at;
		made.n = (uint32_t)out.msgs[i].n;
		if (is_news)
			p->ops->apply(p->state, &made);
		play_deliver(p, &made, p->server->out_buf);
	}
}

/* Returns true when the timeline begins again. */
static bool
play_faults(struct player *p, const struct sim_frame *f)
{
	static const enum fault faults[] = {
	    FAULT_TICK_CHANGE, FAULT_CROSSED_BATCH, FAULT_STALE_SNAPSHOT};
	struct fault_set *s = &p->server->faults;
	const struct fault_at at = {
	    .venue = p->ops->venue, .now_ms = now_ms(p)};
	int64_t value;
	bool can = p->ops->fault != NULL && p->ops->can_fault(p->state, f);
	for (size_t i = 0; can && i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (fault_roll(s, faults[i], &at, &value))
			play_fault(p, faults[i], value, f);
	}
	return fault_roll(s, FAULT_RESTART_REPLAY, &at, &value);
}

static void
play_frame(struct player *p, const struct sim_frame *f)
{
	p->stats.frames++;
	p->last_t_ns = f->t_ns;
	p->ops->apply(p->state, f);
	play_deliver(p, f, p->server->out_buf);
	p->at++;
	if (p->server->faults.n > 0 && play_faults(p, f)) {
		close_clients(p);
		p->run = RUN_WAITING;
		segment_open(p, p->segment);
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
			tick_in(p, BLOCKED_STEP_MS);
			return;
		}
		play_frame(p, f);
		if (p->run != RUN_PLAYING)
			return;
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

void
play_tick(uv_timer_t *timer)
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

void
play_room(struct player *p)
{
	if (p->run == RUN_PLAYING && p->is_stalled)
		tick_in(p, 0);
}
