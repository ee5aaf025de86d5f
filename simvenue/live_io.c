#define _GNU_SOURCE
/* The live world: its clock, and its frames on their way. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libsys/clock.h"
#include "simvenue/server_int.h"

#define FRAME_MARGIN 4096 /* what a venue may add to a frame */

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
	bool is = fault_value(&s->faults, f, &at, value);

	s->faults.fired[f] += is && !s->in_force[f];
	s->in_force[f] = is;
	return is;
}

static uint32_t
ppm(int64_t value)
{
	return value < 0 ? 0 : value > 1000000 ? 1000000 : (uint32_t)value;
}

static void
set_mood(struct sim_server *s)
{
	const enum venue pm = VENUE_POLYMARKET;
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
	m.lapses = in_force(s, FAULT_HEARTBEAT_LAPSE, pm, &v);
	m.collides = in_force(s, FAULT_NONCE_COLLISION, VENUE_HYPERLIQUID, &v);
	live_set_mood(s->live, &m);
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
