/*
 * fakegate.h - a gateway that does as it is told; see test_execd_live.c.
 *
 * The process under test is forked from the test and shares `struct fake`.
 * The test writes commands; the gateway keeps what it was given. Its book of
 * events to be told again at a start is in the same memory.
 */
#ifndef TESTS_PIPELINE_FAKEGATE_H
#define TESTS_PIPELINE_FAKEGATE_H

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "execd/shell.h"
#include "libsys/clock.h"

#define FAKE_ACTS   4096u
#define FAKE_EVENTS 16384u

enum fake_command {
	FAKE_EVENT = 1,
	FAKE_MODE,
	FAKE_HOLDING
};

struct fake_say {
	enum fake_command what;
	struct port_event event;
	enum port_mode mode;
	struct gateway_holding holding;
};

struct fake {
	/* commands, in order; done: carried out */
	_Atomic uint32_t said;
	_Atomic uint32_t done;
	struct fake_say say[FAKE_EVENTS];
	/* what was given */
	_Atomic uint32_t act_n;
	struct port_act act[FAKE_ACTS];
	_Atomic uint32_t may[FAKE_ACTS]; /* 1 + the gate, at each act */
	_Atomic uint32_t cancel_all_n;
	_Atomic uint32_t verify_n;
	_Atomic uint32_t start_n;
	_Atomic uint32_t timer_n;
	_Atomic uint64_t lease_ns;
	_Atomic uint32_t first; /* act_n at the first cancel_all, + 1 */
	/* how to be */
	_Atomic uint32_t die_in_act;  /* SIGKILL inside this act, from 1 */
	_Atomic uint32_t die_telling; /* SIGKILL after this command */
	_Atomic uint32_t retell;      /* events told at a start, again */
	_Atomic uint32_t is_flat;
	_Atomic uint32_t start_mode;
	_Atomic uint32_t echo; /* place: acked in the call */
};

static struct fake *fake;

struct fakegate {
	struct stage *s;
	const struct gateway_sink *sink;
	uv_timer_t poll;
};

static void
fake_tell(struct fakegate *g, const struct fake_say *c)
{
	if (c->what == FAKE_EVENT)
		g->sink->event(g->sink->user, &c->event);
	else if (c->what == FAKE_MODE)
		g->sink->mode(g->sink->user, c->mode, "told so");
	else
		g->sink->holding(g->sink->user, &c->holding);
}

static void
fake_poll(uv_timer_t *t)
{
	struct fakegate *g = t->data;
	uint32_t n = atomic_load(&fake->done);

	if (n == atomic_load(&fake->said))
		return;
	while (n < atomic_load(&fake->said)) {
		fake_tell(g, &fake->say[n++]);
		atomic_store(&fake->done, n);
		if (atomic_load(&fake->die_telling) == n)
			raise(SIGKILL);
	}
	g->sink->settle(g->sink->user);
}

static int
fake_open(
    void **out, struct stage *s, const struct gateway_sink *sink, bool fresh)
{
	struct fakegate *g = calloc(1, sizeof(*g));

	(void)fresh;
	g->s = s;
	g->sink = sink;
	uv_timer_init(&s->loop, &g->poll);
	g->poll.data = g;
	uv_timer_start(&g->poll, fake_poll, 1, 1);
	*out = g;
	return 0;
}

static void
fake_start(void *p)
{
	struct fakegate *g = p;
	uint32_t mode = atomic_load(&fake->start_mode);

	atomic_fetch_add(&fake->start_n, 1);
	if (mode != 0)
		g->sink->mode(g->sink->user, (enum port_mode)mode, "");
	for (uint32_t i = 0; i < atomic_load(&fake->retell); i++)
		if (fake->say[i].what == FAKE_EVENT)
			fake_tell(g, &fake->say[i]);
}

static void
fake_market(void *p, uint16_t instr, const struct instr *in)
{
	(void)p;
	(void)instr;
	(void)in;
}

static void
fake_act(void *p, const struct port_act *a)
{
	struct fakegate *g = p;
	uint32_t n = atomic_load(&fake->act_n);
	struct port_event ev = {.what = PORT_ACKED,
	    .slot = a->slot,
	    .id = a->id,
	    .instr = a->instr,
	    .side = a->side,
	    .px = a->px,
	    .qty = a->qty};

	fake->act[n % FAKE_ACTS] = *a;
	atomic_store(&fake->may[n % FAKE_ACTS],
	    1 + (uint32_t)g->sink->may_place(g->sink->user));
	atomic_store(&fake->act_n, n + 1);
	if (atomic_load(&fake->die_in_act) == n + 1)
		raise(SIGKILL);
	if (atomic_load(&fake->echo) != 0 && a->what == PORT_PLACE)
		g->sink->event(g->sink->user, &ev);
	ev.what = PORT_CANCELLED;
	ev.reason = REASON_OK;
	if (atomic_load(&fake->echo) != 0 && a->what == PORT_CANCEL)
		g->sink->event(g->sink->user, &ev);
}

static void
fake_flush(void *p)
{
	(void)p;
}

static void
fake_cancel_all(void *p)
{
	uint32_t none = 0;

	(void)p;
	atomic_compare_exchange_strong(
	    &fake->first, &none, 1 + atomic_load(&fake->act_n));
	atomic_fetch_add(&fake->cancel_all_n, 1);
}

static void
fake_lease(void *p, uint64_t until_ns)
{
	(void)p;
	atomic_store(&fake->lease_ns, until_ns);
}

static void
fake_timer(void *p)
{
	(void)p;
	atomic_fetch_add(&fake->timer_n, 1);
}

static uint64_t
fake_wake(void *p, uint64_t now_ns)
{
	(void)p;
	return now_ns + UINT64_C(100000000);
}

static void
fake_verify(void *p)
{
	(void)p;
	atomic_fetch_add(&fake->verify_n, 1);
}

static bool
fake_flat(void *p)
{
	(void)p;
	return atomic_load(&fake->is_flat) != 0;
}

static void
fake_count(void *p)
{
	(void)p;
}

static void
fake_close(void *p)
{
	struct fakegate *g = p;

	uv_timer_stop(&g->poll);
	uv_close((uv_handle_t *)&g->poll, NULL);
	uv_run(&g->s->loop, UV_RUN_NOWAIT);
	free(g);
}

static const struct gateway_ops fake_ops = {
    .open = fake_open,
    .start = fake_start,
    .market = fake_market,
    .act = fake_act,
    .flush = fake_flush,
    .cancel_all = fake_cancel_all,
    .lease = fake_lease,
    .timer = fake_timer,
    .wake = fake_wake,
    .verify = fake_verify,
    .flat = fake_flat,
    .count = fake_count,
    .close = fake_close,
};

#endif
