/*
 * feed_rig.h - a feed core on virtual time, with everything it does written
 * down, and a reader that rebuilds books from its ticks as a stage would.
 */
#ifndef TESTS_GOLDEN_FEED_RIG_H
#define TESTS_GOLDEN_FEED_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feedd/feed.h"
#include "feedd/link.h"
#include "libcore/hash.h"
#include "tests/golden/feed_reader.h"

#define RIG_ACTS     4096
#define RIG_TEXT_MAX 1024

struct rig_act {
	struct feed_act a;
	char url[512];
	char text[RIG_TEXT_MAX];
};

struct rig {
	struct feed *f;
	struct cfg cfg;
	struct feed_sink sink;
	uint64_t now_ns;
	int64_t wall_ns; /* at now 0 */
	uint64_t rng;
	struct tick *tick;
	size_t tick_n;
	size_t tick_cap;
	struct rig_act *act;
	size_t act_n;
	struct instr *instr;
	struct rig_readers read;
	bool forget_ticks;
	uint64_t by_kind[SLOT_KIND_N];
};

static inline void
rig_tick(void *user, struct tick *t)
{
	struct rig *r = user;

	assert_true(slot_is_tick(t->hdr.kind));
	assert_int_equal(t->hdr.recv_ns, r->now_ns);
	r->by_kind[t->hdr.kind]++;
	rig_read(&r->read, t);
	if (r->forget_ticks)
		return;
	if (r->tick_n == r->tick_cap) {
		r->tick_cap = r->tick_cap ? 2 * r->tick_cap : 1024;
		r->tick = realloc(r->tick, r->tick_cap * sizeof(*t));
	}
	r->tick[r->tick_n++] = *t;
}

static inline void
rig_instr(void *user, uint16_t idx, const struct instr *in)
{
	struct rig *r = user;

	assert_true(idx > 0 && idx < INSTR_N);
	r->instr[idx] = *in;
}

static inline void
rig_act(void *user, const struct feed_act *a)
{
	struct rig *r = user;
	struct rig_act *to;

	if (r->act_n == RIG_ACTS)
		r->act_n = 0; /* long runs keep the newest */
	to = &r->act[r->act_n++];
	memset(to, 0, sizeof(*to));
	to->a = *a;
	if (a->url != NULL)
		snprintf(to->url, sizeof(to->url), "%s", a->url);
	if (a->text != NULL)
		snprintf(
		    to->text, sizeof(to->text), "%.*s", (int)a->n, a->text);
}

static inline struct feed_event
rig_event(struct rig *r, enum feed_ev kind, uint8_t conn)
{
	struct feed_event ev = {.kind = kind, .conn = conn};

	r->rng = hash_u64(r->rng, 1);
	ev.random = r->rng;
	ev.now_ns = r->now_ns;
	ev.wall_ns = r->wall_ns + (int64_t)r->now_ns;
	return ev;
}

static inline void
rig_step(struct rig *r, enum feed_ev kind, uint8_t conn)
{
	struct feed_event ev = rig_event(r, kind, conn);

	ev.cfg = &r->cfg;
	feed_step(r->f, &ev);
}

static inline void
rig_frame_n(struct rig *r, uint8_t conn, const char *text, size_t n)
{
	struct feed_event ev = rig_event(r, FEED_EV_FRAME, conn);
	char *copy = malloc(n > 0 ? n : 1);

	memcpy(copy, text, n); /* a read past the end is seen */
	ev.data = copy;
	ev.n = n;
	feed_step(r->f, &ev);
	free(copy);
}

static inline void
rig_frame(struct rig *r, uint8_t conn, const char *text)
{
	rig_frame_n(r, conn, text, strlen(text));
}

static inline void
rig_down(struct rig *r, uint8_t conn, uint16_t code)
{
	struct feed_event ev = rig_event(r, FEED_EV_DOWN, conn);
	bool is_ours = feed_link(r->f, conn)->closing;

	ev.reason = is_ours ? REASON_NONE : REASON_PEER_CLOSED;
	ev.code = code;
	ev.data = "test";
	ev.n = 4;
	feed_step(r->f, &ev);
}

static inline void
rig_http(struct rig *r, uint32_t tag, uint16_t code, const char *body, size_t n)
{
	struct feed_event ev = rig_event(r, FEED_EV_HTTP, 0);

	ev.tag = tag;
	ev.code = code;
	ev.data = body;
	ev.n = n;
	feed_step(r->f, &ev);
}

static inline void
rig_resync(struct rig *r, enum ring_content content)
{
	struct feed_event ev = rig_event(r, FEED_EV_RESYNC, 0);

	ev.content = content;
	feed_step(r->f, &ev);
}

/* Let time pass to `to`, with every timer that is asked for on the way. */
static inline void
rig_until(struct rig *r, uint64_t to)
{
	for (int guard = 0; guard < 1000000; guard++) {
		uint64_t wake = feed_wake(r->f);

		if (wake == 0 || wake > to)
			break;
		if (wake > r->now_ns)
			r->now_ns = wake;
		rig_step(r, FEED_EV_TIMER, 0);
		assert_true(feed_wake(r->f) != wake || guard < 999999);
	}
	if (to > r->now_ns)
		r->now_ns = to;
}

static inline void
rig_pass(struct rig *r, uint64_t ns)
{
	rig_until(r, r->now_ns + ns);
}

static inline void
rig_clear(struct rig *r)
{
	r->tick_n = 0;
	r->act_n = 0;
}

/* Last act of a kind on a connection (or any, conn -1), or NULL. */
static inline struct rig_act *
rig_last(struct rig *r, enum feed_do what, int conn)
{
	for (size_t i = r->act_n; i-- > 0;)
		if (r->act[i].a.what == what &&
		    (conn < 0 || r->act[i].a.conn == conn))
			return &r->act[i];
	return NULL;
}

static inline size_t
rig_count(const struct rig *r, enum feed_do what, int conn)
{
	size_t n = 0;

	for (size_t i = 0; i < r->act_n; i++)
		n += r->act[i].a.what == what &&
		     (conn < 0 || r->act[i].a.conn == conn);
	return n;
}

static inline size_t
rig_ticks(const struct rig *r, enum slot_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < r->tick_n; i++)
		n += r->tick[i].hdr.kind == kind;
	return n;
}

static inline struct tick *
rig_last_tick(struct rig *r, enum slot_kind kind)
{
	for (size_t i = r->tick_n; i-- > 0;)
		if (r->tick[i].hdr.kind == kind)
			return &r->tick[i];
	return NULL;
}

/* cfg of the rig may be changed before rig_start. */
static inline struct rig *
rig_open(void)
{
	struct rig *r = calloc(1, sizeof(*r));

	cfg_defaults(&r->cfg);
	r->now_ns = UINT64_C(1000000000);
	r->wall_ns = INT64_C(1777428640) * NS_PER_S;
	r->act = calloc(RIG_ACTS, sizeof(*r->act));
	r->instr = calloc(INSTR_N, sizeof(*r->instr));
	r->sink = (struct feed_sink){r, rig_tick, rig_instr, rig_act};
	return r;
}

static inline void
rig_start(struct rig *r, enum venue venue)
{
	r->f = calloc(1, feed_sz(venue));
	feed_init(r->f, venue, &r->cfg, 7, &r->sink);
	rig_step(r, FEED_EV_START, 0);
}

static inline void
rig_close(struct rig *r)
{
	rig_readers_free(&r->read);
	free(r->f);
	free(r->tick);
	free(r->act);
	free(r->instr);
	free(r);
}

#endif
