#include "backtest/engine.h"

#include <stdlib.h>
#include <string.h>

#include "execd/desk.h"
#include "execd/paperdesk.h"
#include "libcore/check.h"
#include "libcore/hash.h"
#include "libshm/ctl.h"
#include "quoted/quote.h"

#define QUEUE	  65536u
#define FLIGHT_AT 1024u
#define FLIGHT_N  (1u << 22)

/* A message between cores. */
struct mail {
	uint16_t ring;
	union tap slot;
};

/* ... that takes its time. */
struct flight {
	uint64_t due_ns;
	uint64_t order;
	struct mail mail;
};

struct engine {
	struct cfg cfg;
	struct engine_args a;
	uint64_t now_ns;
	int64_t wall_step_ns;
	bool begun;
	struct quote *quote;
	struct quote_out quote_out;
	uint64_t quote_wake;
	struct risk *risk;
	struct core_out out;
	uint64_t risk_wake;
	const struct desk_ops *ops;
	void *desk[VENUE_N];	    /* NULL: not traded                */
	struct exec *exec[VENUE_N]; /* of the desk                     */
	uint64_t exec_wake[VENUE_N];
	uint64_t mask[VENUE_N];
	struct instr *instr; /* INSTR_N                                  */
	struct mail *queue;
	uint32_t head;
	uint32_t tail;
	struct flight *flight; /* a heap                                  */
	uint32_t flight_n;
	uint32_t flight_cap;
	uint64_t flight_order;
	uint64_t last_due[RG_N];
	struct engine_count n;
};

static const struct {
	enum ring_id q;
	enum ring_id r;
	int x;
} routes[VENUE_N] = {
    [VENUE_POLYMARKET] = {RG_MD_PM_Q, RG_MD_PM_R, RG_MD_PM_X},
    [VENUE_BINANCE] = {RG_MD_BN_Q, RG_MD_BN_R, -1},
    [VENUE_HYPERLIQUID] = {RG_MD_HL_Q, RG_MD_HL_R, RG_MD_HL_X},
};

static const enum venue traded[] = {VENUE_POLYMARKET, VENUE_HYPERLIQUID};
#define TRADED_N (sizeof(traded) / sizeof(traded[0]))

static void
post(struct engine *e, uint16_t ring, const void *slot)
{
	struct mail *m = &e->queue[e->tail++ % QUEUE];

	CHECK(e->tail - e->head <= QUEUE);
	memset(m, 0, sizeof(*m));
	m->ring = ring;
	memcpy(&m->slot, slot, topo_rings[ring].slot_sz);
}

/* ---- what is under way ---- */

static bool
sooner(const struct flight *a, const struct flight *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns
				      : a->order < b->order;
}

static void
send(struct engine *e, uint16_t ring, const void *slot, uint64_t due_ns)
{
	uint32_t i = e->flight_n++;
	struct flight f;

	if (e->flight_n > e->flight_cap) {
		uint32_t cap = 2 * e->flight_cap;
		void *p;

		CHECK(cap <= FLIGHT_N);
		p = realloc(e->flight, cap * sizeof(e->flight[0]));
		CHECK(p != NULL);
		e->flight = p;
		e->flight_cap = cap;
	}
	if (due_ns < e->last_due[ring])
		due_ns = e->last_due[ring];
	e->last_due[ring] = due_ns;
	memset(&f, 0, sizeof(f));
	f.due_ns = due_ns;
	f.order = ++e->flight_order;
	f.mail.ring = ring;
	memcpy(&f.mail.slot, slot, topo_rings[ring].slot_sz);
	for (; i > 0 && sooner(&f, &e->flight[(i - 1) / 2]); i = (i - 1) / 2)
		e->flight[i] = e->flight[(i - 1) / 2];
	e->flight[i] = f;
}

static void
arrive(struct engine *e, struct flight *top)
{
	struct flight last = e->flight[--e->flight_n];
	uint32_t i = 0;

	*top = e->flight[0];
	for (;;) {
		uint32_t k = 2 * i + 1;

		if (k >= e->flight_n)
			break;
		if (k + 1 < e->flight_n &&
		    sooner(&e->flight[k + 1], &e->flight[k]))
			k++;
		if (!sooner(&e->flight[k], &last))
			break;
		e->flight[i] = e->flight[k];
		i = k;
	}
	e->flight[i] = last;
}

/* ---- messages of the cores ---- */

static void
count(struct engine *e, uint16_t ring, const struct order *o)
{
	bool to_quoted = topo_rings[ring].reader == ST_QUOTED;

	switch ((enum slot_kind)o->hdr.kind) {
	case MSG_INTENT: e->n.intents++; break;
	case MSG_ORDER: e->n.orders++; break;
	case MSG_CANCEL: e->n.cancels++; break;
	case MSG_VERDICT:
		e->n.verdicts++;
		e->n.passed += o->reason == REASON_OK;
		break;
	case MSG_ACK: e->n.acks += !to_quoted; break;
	case MSG_FILL: e->n.fills += !to_quoted; break;
	case MSG_REJECT: e->n.rejects += !to_quoted; break;
	case MSG_DONE:
	case MSG_RESTART:
	case MSG_STATE:
	case MSG_POSITION:
	case MSG_BALANCE:
	case TICK_BBO:
	case TICK_TRADE:
	case TICK_LEVEL:
	case TICK_SNAP_BEGIN:
	case TICK_SNAP_END:
	case TICK_REF:
	case TICK_LINK:
	case TICK_GAP:
	case TICK_RESTART:
	case TICK_INSTR:
	case TICK_CONN:
	case TICK_TRACE:
	case SLOT_KIND_N: break;
	}
}

static void
forward(struct engine *e, const struct core_out *out)
{
	for (uint32_t i = 0; i < out->n; i++) {
		uint16_t ring = out->msg[i].ring;
		uint8_t writer = topo_rings[ring].writer;
		struct order o = out->msg[i].order;

		o.hdr.pub_delta = slot_delta(o.hdr.recv_ns, e->now_ns);
		count(e, ring, &o);
		e->n.msg_hash = hash_u64(e->n.msg_hash, ring ^ e->now_ns);
		e->n.msg_hash = hash_bytes(e->n.msg_hash, &o, sizeof(o));
		if (e->a.hooks.msg != NULL)
			e->a.hooks.msg(
			    e->a.hooks.user, (enum ring_id)ring, &o, e->now_ns);
		if (e->a.response != NULL &&
		    (writer == ST_EXECD_PM || writer == ST_EXECD_HL))
			send(e, ring, &o,
			    e->now_ns +
				latency_draw(e->a.response,
				    (enum venue)topo_stages[writer].venue));
		else
			post(e, ring, &o);
	}
}

/* What a desk said and did in a call. */
static void
said(struct engine *e, enum venue v)
{
	struct exec *x = e->exec[v];

	e->exec_wake[v] =
	    e->a.venue.act != NULL ? exec_wake(x, e->now_ns) : e->out.wake_ns;
	x->dirty_n = 0;
	forward(e, &e->out);
	for (uint32_t i = 0; i < x->act_n; i++)
		e->a.venue.act(e->a.venue.user, v, &x->act[i], e->now_ns);
	x->act_n = 0;
}

static void
run_exec(struct engine *e, enum venue v, const struct event *ev)
{
	struct event due = *ev;

	if (e->a.order != NULL && e->a.venue.act == NULL &&
	    (ev->kind != EV_SLOT || slot_is_order(ev->slot->hdr.kind))) {
		struct paperdesk *d = e->desk[v];

		d->p.latency.floor_ns = latency_draw(e->a.order, v);
		d->latency.jitter_ns = 0; /* in place of the settings' */
	}
	due.kind = EV_TIMER;
	while (e->ops->due(e->desk[v], e->now_ns)) {
		e->ops->step(e->desk[v], &due, &e->out);
		said(e, v);
	}
	e->ops->step(e->desk[v], ev, &e->out);
	said(e, v);
}

/* What the control page would say. */
static void
gates(struct engine *e)
{
	for (size_t i = 0; i < TRADED_N; i++) {
		enum venue v = traded[i];
		const struct exec *x = e->exec[v];
		uint64_t mask = e->risk->freeze_all | e->risk->freeze[v] |
				(e->risk->lease_ok ? 0 : FREEZE_RISKD_DEAD);

		if (mask == e->mask[v] && !exec_more(x))
			continue;
		if (mask != 0 && e->mask[v] == 0)
			e->n.freezes++;
		e->mask[v] = mask;
		e->ops->freeze(e->desk[v], mask, e->now_ns, &e->out);
		said(e, v);
		while (exec_more(x)) {
			e->ops->sweep(e->desk[v], e->now_ns, &e->out);
			said(e, v);
		}
	}
}

static void
run_risk(struct engine *e, const struct event *ev)
{
	core_out_reset(&e->out);
	risk_step(e->risk, ev, &e->out);
	e->risk_wake = e->out.wake_ns;
	e->risk->dirty_n = 0;
	if (e->a.hooks.risk != NULL)
		e->a.hooks.risk(e->a.hooks.user, e->risk, &e->out, e->now_ns);
	forward(e, &e->out);
	gates(e);
}

static void
run_quote(struct engine *e, const struct event *ev)
{
	quote_step(e->quote, ev, &e->quote_out);
	e->quote_wake = e->quote_out.core.wake_ns;
	forward(e, &e->quote_out.core);
}

static struct event
event(const struct engine *e, enum event_kind kind)
{
	return (struct event){.kind = kind,
	    .now_ns = e->now_ns,
	    .wall_ns = (int64_t)e->now_ns + e->wall_step_ns};
}

static void
deliver(struct engine *e, uint16_t ring, const union tap *slot)
{
	struct event ev = event(e, EV_SLOT);

	ev.ring = ring;
	ev.slot = slot;
	if (slot->hdr.kind == TICK_INSTR)
		ev.instr = &e->instr[slot->hdr.instr];
	switch (topo_rings[ring].reader) {
	case ST_QUOTED: run_quote(e, &ev); break;
	case ST_RISKD: run_risk(e, &ev); break;
	case ST_EXECD_PM: run_exec(e, VENUE_POLYMARKET, &ev); break;
	case ST_EXECD_HL: run_exec(e, VENUE_HYPERLIQUID, &ev); break;
	}
}

static void
drain(struct engine *e)
{
	while (e->head != e->tail) {
		struct mail m = e->queue[e->head++ % QUEUE];

		deliver(e, m.ring, &m.slot);
	}
}

/* ---- time ---- */

static void
earlier(uint64_t *t, uint64_t other)
{
	if (other != 0 && (*t == 0 || other < *t))
		*t = other;
}

uint64_t
engine_next_ns(const struct engine *e)
{
	uint64_t t = 0;

	if (e->flight_n > 0)
		t = e->flight[0].due_ns;
	for (size_t i = 0; i < TRADED_N; i++)
		earlier(&t, e->exec_wake[traded[i]]);
	earlier(&t, e->quote_wake);
	earlier(&t, e->risk_wake);
	return t;
}

/* The first look at the world; nothing in it changes after that. */
static void
begin(struct engine *e)
{
	struct risk_world w = {0};

	e->begun = true;
	for (int v = 1; v < VENUE_N; v++)
		w.room[v] = true;
	core_out_reset(&e->out);
	risk_world_set(e->risk, &w, e->now_ns, &e->out);
	e->risk->dirty_n = 0;
	forward(e, &e->out);
	gates(e);
	drain(e);
}

static void
set_now(struct engine *e, uint64_t now_ns)
{
	CHECK(now_ns >= e->now_ns);
	e->now_ns = now_ns;
	if (!e->begun)
		begin(e);
}

static void
timers(struct engine *e)
{
	struct event ev = event(e, EV_TIMER);

	for (size_t i = 0; i < TRADED_N; i++) {
		enum venue v = traded[i];

		if (e->exec_wake[v] != 0 && e->exec_wake[v] <= e->now_ns)
			run_exec(e, v, &ev);
	}
	if (e->risk_wake != 0 && e->risk_wake <= e->now_ns)
		run_risk(e, &ev);
	if (e->quote_wake != 0 && e->quote_wake <= e->now_ns)
		run_quote(e, &ev);
	drain(e);
}

void
engine_run(struct engine *e, uint64_t now_ns)
{
	set_now(e, now_ns);
	while (e->flight_n > 0 && e->flight[0].due_ns <= now_ns) {
		struct flight f;

		arrive(e, &f);
		deliver(e, f.mail.ring, &f.mail.slot);
		drain(e);
	}
	timers(e);
}

/* To quoted and riskd; we received it when it came to us. */
static void
tell(struct engine *e, enum ring_id ring, const union tap *slot, uint64_t ns)
{
	union tap late = *slot;

	if (ns == 0) {
		deliver(e, (uint16_t)ring, slot);
		return;
	}
	late.hdr.recv_ns += ns;
	late.hdr.pub_delta = 0;
	send(e, (uint16_t)ring, &late, e->now_ns + ns);
}

void
engine_tick(struct engine *e, enum venue v, const struct tick *t,
    const struct instr *in, uint64_t now_ns)
{
	bool level = t->hdr.kind == TICK_LEVEL ||
		     t->hdr.kind == TICK_SNAP_BEGIN ||
		     t->hdr.kind == TICK_SNAP_END;
	uint64_t delay_ns = 0;
	union tap slot;

	CHECK(v >= 1);
	CHECK(v < VENUE_N);
	CHECK(t->hdr.instr < INSTR_N);
	set_now(e, now_ns);
	e->n.ticks++;
	memset(&slot, 0, sizeof(slot));
	slot.tick = *t;
	slot.hdr.pub_delta = slot_delta(t->hdr.recv_ns, now_ns);
	if (in != NULL)
		e->instr[t->hdr.instr] = *in;
	if (t->hdr.kind == TICK_LINK) {
		if (e->a.feed != NULL)
			latency_saw(e->a.feed, v, t->u.link.rtt_us);
		if (e->a.order != NULL)
			latency_saw(e->a.order, v, t->u.link.rtt_us);
		if (e->a.response != NULL)
			latency_saw(e->a.response, v, t->u.link.rtt_us);
	}
	if (e->a.feed != NULL)
		delay_ns = latency_draw(e->a.feed, v);
	if (!level || topo_rings[routes[v].r].content == RING_FULL)
		tell(e, routes[v].r, &slot, delay_ns);
	if (!level || topo_rings[routes[v].q].content == RING_FULL)
		tell(e, routes[v].q, &slot, delay_ns);
	if (routes[v].x >= 0)
		deliver(e, (uint16_t)routes[v].x, &slot);
	drain(e);
}

void
engine_port(struct engine *e, enum venue v, const struct port_event *ev,
    uint64_t now_ns)
{
	CHECK(e->a.venue.act != NULL);
	CHECK(e->exec[v] != NULL);
	set_now(e, now_ns);
	core_out_reset(&e->out);
	exec_port_event(e->exec[v], ev, now_ns, &e->out);
	said(e, v);
	drain(e);
}

void
engine_wall_step(struct engine *e, int64_t step_ns)
{
	e->wall_step_ns = step_ns;
}

const struct engine_count *
engine_count(const struct engine *e)
{
	return &e->n;
}

const struct risk *
engine_risk(const struct engine *e)
{
	return e->risk;
}

uint64_t
engine_quote_hash(const struct engine *e)
{
	return quote_hash(e->quote);
}

uint64_t
engine_risk_hash(const struct engine *e)
{
	return risk_hash(e->risk);
}

uint64_t
engine_hash(const struct engine *e)
{
	uint64_t h = e->n.msg_hash;

	h = hash_u64(h, quote_hash(e->quote));
	h = hash_u64(h, risk_hash(e->risk));
	for (size_t i = 0; i < TRADED_N; i++)
		h = hash_u64(h, e->a.venue.act != NULL
				    ? exec_hash(e->exec[traded[i]])
				    : paperdesk_hash(e->desk[traded[i]]));
	return h;
}

struct engine *
engine_new(const struct engine_args *a)
{
	struct engine *e = calloc(1, sizeof(*e));
	bool ok;

	if (e == NULL)
		return NULL;
	e->a = *a;
	e->cfg = *a->cfg;
	e->ops = a->venue.act != NULL ? &desk_live : &desk_paper;
	e->quote = calloc(1, sizeof(*e->quote));
	e->risk = calloc(1, sizeof(*e->risk));
	e->instr = calloc(INSTR_N, sizeof(e->instr[0]));
	e->queue = malloc(QUEUE * sizeof(e->queue[0]));
	e->flight_cap = FLIGHT_AT;
	e->flight = malloc(FLIGHT_AT * sizeof(e->flight[0]));
	ok = e->quote != NULL && e->risk != NULL && e->instr != NULL &&
	     e->queue != NULL && e->flight != NULL;
	for (size_t i = 0; i < TRADED_N; i++) {
		e->desk[traded[i]] = calloc(1, e->ops->size);
		ok = ok && e->desk[traded[i]] != NULL;
	}
	if (!ok) {
		engine_free(e);
		return NULL;
	}
	quote_init(e->quote, &e->cfg, 1);
	risk_init(e->risk, &e->cfg, 1);
	for (size_t i = 0; i < TRADED_N; i++) {
		enum venue v = traded[i];

		e->exec[v] = e->ops->init(e->desk[v], &e->cfg, v, 1);
		if (a->venue.act != NULL)
			exec_port_mode(e->exec[v], PORT_NORMAL);
		e->mask[v] = UINT64_MAX;
	}
	return e;
}

void
engine_free(struct engine *e)
{
	for (int v = 1; v < VENUE_N; v++)
		free(e->desk[v]);
	free(e->quote);
	free(e->risk);
	free(e->instr);
	free(e->queue);
	free(e->flight);
	free(e);
}
