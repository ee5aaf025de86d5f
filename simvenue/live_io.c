#define _GNU_SOURCE
/* The live world: its clock, and its frames on their way. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libsys/clock.h"
#include "simvenue/server_int.h"

#define FRAME_MARGIN  4096 /* what a venue may add to a frame */
#define MOST_USD      INT64_C(1000000000)
#define MOST_SKEW     INT64_C(1000000)
#define MOST_STALE_MS INT64_C(600000)

/* What is said in the middle of a call waits until nobody's connection is in
 * hand: sending may end any of them. */
static void
on_frame(void *user, enum venue v, const struct sim_frame *f)
{
	struct sim_server *s = user;
	struct live_frame *q = malloc(sizeof(*q) + f->n);

	CHECK(q != NULL);
	q->next = NULL;
	q->venue = v;
	q->f = *f;
	q->f.text = q->text;
	memcpy(q->text, f->text, f->n);
	*s->last = q;
	s->last = &q->next;
}

/* Who does not read loses the connection: a live frame cannot wait. */
static void
drop_slow(struct player *p, size_t need)
{
	for (struct client *c = p->clients, *next; c != NULL; c = next) {
		next = c->next;
		if (!is_listening(c) || httpd_room(c->conn) >= need)
			continue;
		p->stats.dropped++;
		httpd_drop(c->conn);
	}
}

void
live_flush(struct sim_server *s)
{
	if (s->live == NULL || s->is_flushing)
		return;
	s->is_flushing = true;
	while (s->first != NULL) {
		struct live_frame *q = s->first;
		struct player *p = &s->players[q->venue];

		s->first = q->next;
		if (s->first == NULL)
			s->last = &s->first;
		p->stats.frames++;
		p->ops->apply(p->state, &q->f);
		drop_slow(p, q->f.n + FRAME_MARGIN);
		play_deliver(p, &q->f, s->made_buf);
		free(q);
	}
	s->is_flushing = false;
}

/* Counted once each time that it comes into force. */
static bool
in_force(struct sim_server *s, enum fault f, enum venue v, int64_t *value)
{
	const struct fault_at at = {.venue = v, .now_ms = uv_now(s->cfg.loop)};
	bool is;

	*value = 0;
	is = fault_value(&s->faults, f, &at, value);
	s->faults.fired[f] += is && !s->in_force[v][f];
	s->in_force[v][f] = is;
	return is;
}

static uint32_t
ppm(int64_t value)
{
	return value < 0 ? 0 : value > 1000000 ? 1000000 : (uint32_t)value;
}

/* Of a fault that either exchange may have; kept within reason. */
static bool
skew(struct sim_server *s, enum venue v, enum fault f, int64_t *value)
{
	bool is = in_force(s, f, v, value);

	*value = i64_clamp(*value, f == FAULT_CLOCK_SKEW ? -MOST_SKEW : 0,
	    f == FAULT_CLOCK_SKEW ? MOST_SKEW : MOST_STALE_MS);
	return is;
}

/* The engine is away for a while, and then careful for as long. */
static void
restart_mood(struct sim_server *s, struct live_mood *m)
{
	const struct fault_at at = {
	    .venue = VENUE_POLYMARKET, .now_ms = uv_now(s->cfg.loop)};
	uint64_t ms = fault_since(&s->faults, FAULT_ENGINE_RESTART, &at);
	int64_t v;

	if (!in_force(s, FAULT_ENGINE_RESTART, at.venue, &v) || v <= 0)
		return;
	m->is_restarting = ms < (uint64_t)v;
	if (!m->is_restarting && ms < 2 * (uint64_t)v && m->mode == 0)
		m->mode = PMX_MODE_POST_ONLY;
}

static void
set_mood(struct sim_server *s)
{
	const enum venue pm = VENUE_POLYMARKET;
	const enum venue hl = VENUE_HYPERLIQUID;
	struct live_mood m = {0};
	int64_t v;

	if (in_force(s, FAULT_MODE_POST_ONLY, pm, &v))
		m.mode = PMX_MODE_POST_ONLY;
	if (in_force(s, FAULT_MODE_CANCEL_ONLY, pm, &v))
		m.mode = PMX_MODE_CANCEL_ONLY;
	if (in_force(s, FAULT_MODE_DISABLED, pm, &v))
		m.mode = PMX_MODE_DISABLED;
	if (in_force(s, FAULT_SETTLEMENT_RETRIES, pm, &v))
		m.retry_ppm = ppm(v);
	if (in_force(s, FAULT_SETTLEMENT_FAILS, pm, &v)) {
		m.retry_ppm = ppm(v);
		m.fail_ppm = 1000000;
	}
	if (in_force(s, FAULT_SETTLEMENT_SLOW, pm, &v))
		m.mine_ms = (uint32_t)i64_clamp(v, 1, UINT32_MAX);
	m.is_unsent = in_force(s, FAULT_NOT_BROADCAST, pm, &v);
	m.lapses = in_force(s, FAULT_HEARTBEAT_LAPSE, pm, &v);
	m.disputes = in_force(s, FAULT_DISPUTE, pm, &v);
	m.voids = in_force(s, FAULT_VOID, pm, &v);
	m.is_exhausted = in_force(s, FAULT_BUDGET_EXHAUSTED, hl, &v);
	if (in_force(s, FAULT_SCHEDULE_GATED, hl, &v))
		m.schedule_min = USD(i64_clamp(v, 0, MOST_USD) * E6);
	if (skew(s, pm, FAULT_CLOCK_SKEW, &v))
		m.pm_skew_s = v;
	if (skew(s, hl, FAULT_CLOCK_SKEW, &v))
		m.hl_skew_s = v;
	if (skew(s, pm, FAULT_STALE_ORDERS, &v))
		m.pm_stale_ns = (uint64_t)v * (uint64_t)NS_PER_MS;
	if (skew(s, hl, FAULT_STALE_ORDERS, &v))
		m.hl_stale_ns = (uint64_t)v * (uint64_t)NS_PER_MS;
	restart_mood(s, &m);
	live_set_mood(s->live, &m);
}

/* A desk or the world asks. */
static bool
on_mishap(void *user, enum venue v, enum fault f, int64_t *value)
{
	struct sim_server *s = user;
	const struct fault_at at = {
	    .venue = v, .conn = SIM_CONN_REST, .now_ms = uv_now(s->cfg.loop)};

	return s->faults.n > 0 && fault_roll(&s->faults, f, &at, value);
}

void
live_turn(struct sim_server *s)
{
	if (s->live == NULL)
		return;
	set_mood(s);
	live_step(s->live, clock_wall_ns());
}

static void
on_clock(uv_timer_t *timer)
{
	struct sim_server *s = timer->data;
	uint64_t ns;

	live_turn(s);
	live_flush(s);
	/* Not 0 ms: the loop would come here again before it polls. */
	ns = live_wait_ns(s->live, clock_wall_ns());
	CHECK(uv_timer_start(
		  timer, on_clock, 1 + ns / (uint64_t)NS_PER_MS, 0) == 0);
}

int
live_create(struct sim_server *s)
{
	const struct live_cfg *cfg = s->cfg.live;
	struct world_cfg world = cfg->world;

	s->last = &s->first;
	s->live = calloc(1, sizeof(*s->live));
	if (s->live == NULL)
		return -ENOMEM;
	world.start_ns = clock_wall_ns();
	live_init(s->live, &world, on_frame, s);
	s->live->mishaps = (struct mishaps){on_mishap, s};
	for (uint32_t i = 0; i < cfg->account_n; i++)
		if (!live_fund(s->live, &cfg->accounts[i]))
			return -E2BIG;
	CHECK(uv_timer_start(&s->live_timer, on_clock, 0, 0) == 0);
	return 0;
}

void
live_free(struct sim_server *s)
{
	for (struct live_frame *q = s->first, *next; q != NULL; q = next) {
		next = q->next;
		free(q);
	}
	free(s->live);
}
