#include "execd/exec.h"

#include <string.h>

#include "execd/exec_int.h"
#include "execd/gate.h"
#include "libcore/check.h"
#include "libshm/ctl.h"

void
exec_init(struct exec *e, const struct cfg *cfg, enum venue v, uint64_t epoch)
{
	CHECK(e->slot_n == 0);
	CHECK(e->md_gen == 0);
	CHECK(v == VENUE_POLYMARKET || v == VENUE_HYPERLIQUID);
	e->cfg = *cfg;
	e->epoch = epoch;
	e->venue = v;
	e->model =
	    cfg->exec_paper_queue == CFG_QUEUE_FRONT ? QUEUE_FRONT : QUEUE_BACK;
	instr_region(v, &e->base, &e->instr_n);
	CHECK(e->instr_n <= EXEC_INSTR);
	e->gate = FREEZE_STARTUP;
	e->gate_reason = REASON_STARTUP;
	e->md_gen = 1;
}

/* The orders of an instrument are gone at the venue: it closed, or changed
 * its tick, or the slot is another market's. */
static void
withdraw_instr(const struct exec_now *n, uint16_t instr, enum reason why)
{
	for (int side = SIDE_BID; side <= SIDE_ASK; side++) {
		for (uint8_t k = 0; k < ORDER_LEVELS; k++) {
			struct exec_slot *s =
			    exec_slot_at(n->e, instr, (uint8_t)side, k);

			if (s == 0)
				continue;
			exec_done_want(n, s, why);
			if (exec_has_order(s))
				exec_done_order(n, s, why, ORDER_CANCELLED);
		}
	}
}

static bool
takes_orders(const struct instr *in)
{
	return in->state == INSTR_NORMAL || in->state == INSTR_WATCH ||
	       in->state == INSTR_CLOSE_WINDOW || in->state == INSTR_DISPUTED;
}

void
exec_instr_set(struct exec *e, uint16_t instr, const struct instr *in,
    uint64_t now_ns, struct core_out *out)
{
	struct exec_now n = {e, out, now_ns, 0};
	struct exec_instr *m = exec_instr_at(e, instr);
	bool other = m->known && m->in.epoch != in->epoch;

	if (in->tick_px.e8 <= 0)
		return;
	if (!m->known || other) {
		book_init(&m->b.book, m->b.level, EXEC_DEPTH);
		m->gen = 0;
		m->snap = false;
	}
	m->known = true;
	m->in = *in;
	if (other)
		withdraw_instr(&n, instr, REASON_STALE_EPOCH);
	else if (!takes_orders(in))
		withdraw_instr(&n, instr, REASON_STATE);
}

/* A deadline or a hold is over somewhere: look at all, in slot order. */
static void
alarm_due(const struct exec_now *n)
{
	struct exec *e = n->e;

	e->alarm_ns = 0;
	for (uint32_t k = 0; k < e->slot_n; k++) {
		struct exec_slot *s = &e->slot[k];

		if (n->out->n + EXEC_MSGS_DUE > CORE_OUT_MAX) {
			exec_alarm(e, n->ns);
			return;
		}
		if (s->want.deadline_ns != 0 && s->want.deadline_ns <= n->ns)
			exec_done_want(n, s, REASON_DEADLINE);
		if (s->order.deadline_ns != 0 &&
		    s->order.deadline_ns <= n->ns && s->drop == 0)
			s->drop = REASON_DEADLINE;
		if (s->drop != 0 || (s->hold_ns != 0 && s->hold_ns <= n->ns))
			exec_converge(n, s);
		exec_alarm(e, s->want.deadline_ns);
		if (s->drop == 0)
			exec_alarm(e, s->order.deadline_ns);
		if (s->hold_ns > n->ns)
			exec_alarm(e, s->hold_ns);
	}
}

static void
page(const struct exec_now *n)
{
	struct exec *e = n->e;
	uint32_t done = 0;
	enum reason why = (enum reason)e->gate_reason;

	while (e->sweep != 0 && done < EXEC_SWEEP) {
		struct exec_slot *s = &e->slot[e->sweep - 1];

		if (e->sweep > e->slot_n) {
			e->sweep = 0;
			return;
		}
		e->sweep++;
		if (s->want.id == 0 && !exec_has_order(s))
			continue;
		exec_done_want(n, s, why);
		if (exec_has_order(s))
			exec_done_order(n, s, why, ORDER_CANCELLED);
		done++;
	}
}

static void
wake(const struct exec_now *n)
{
	struct exec *e = n->e;

	n->out->wake_ns = e->alarm_ns;
	if (e->flight_n > 0 &&
	    (n->out->wake_ns == 0 ||
		e->flight[e->flight_at].due_ns < n->out->wake_ns))
		n->out->wake_ns = e->flight[e->flight_at].due_ns;
	if (e->sweep != 0)
		n->out->wake_ns = n->ns;
}

bool
exec_more(const struct exec *e)
{
	return e->sweep != 0;
}

void
exec_sweep(struct exec *e, uint64_t now_ns, struct core_out *out)
{
	struct exec_now n = {e, out, now_ns, 0};

	core_out_reset(out);
	page(&n);
	wake(&n);
}

void
exec_freeze(
    struct exec *e, uint64_t mask, uint64_t now_ns, struct core_out *out)
{
	bool edge = mask != 0 && e->gate == 0;

	/* A stop is final: nothing opens the gate again. */
	if (e->stopping && mask == 0)
		mask = FREEZE_STARTUP;
	e->gate = mask;
	e->gate_reason = (uint16_t)gate_reason(mask);
	if (edge || (mask != 0 && !exec_flat(e)))
		e->sweep = 1;
	exec_sweep(e, now_ns, out);
}

static void
on_slot(const struct exec_now *n, const struct event *ev)
{
	const struct order *o = &ev->slot->order;

	CHECK(ev->slot != 0);
	CHECK(ev->slot->hdr.instr < INSTR_N);
	if (slot_is_tick(ev->slot->hdr.kind))
		exec_on_tick(n, ev);
	else if (o->hdr.kind == MSG_ORDER)
		exec_on_order(n, o);
	else if (o->hdr.kind == MSG_CANCEL)
		exec_on_cancel(n, o);
	else if (o->hdr.kind != MSG_RESTART && o->hdr.kind != MSG_STATE)
		n->e->stat.odd++;
}

bool
exec_due(const struct exec *e, uint64_t now_ns)
{
	return (e->flight_n > 0 && e->flight[e->flight_at].due_ns <= now_ns) ||
	       (e->alarm_ns != 0 && e->alarm_ns <= now_ns);
}

void
exec_step(struct exec *e, const struct event *ev, struct core_out *out)
{
	struct exec_now n = {e, out, ev->now_ns, 0};

	CHECK(ev->kind >= EV_SLOT);
	CHECK(ev->kind < EVENT_KIND_N);
	core_out_reset(out);
	exec_arrivals(&n);
	switch (ev->kind) {
	case EV_SLOT:
		n.venue_ns = ev->slot->hdr.venue_ns;
		on_slot(&n, ev);
		break;
	case EV_TIMER:
		if (e->alarm_ns != 0 && e->alarm_ns <= n.ns)
			alarm_due(&n);
		break;
	case EV_CFG: e->cfg = *ev->cfg; break;
	case EV_STOP:
		e->stopping = true;
		e->gate = FREEZE_STARTUP;
		e->gate_reason = REASON_FROZEN;
		e->sweep = 1;
		break;
	case EVENT_KIND_N: CHECK(!"an event");
	}
	wake(&n);
}

bool
exec_flat(const struct exec *e)
{
	for (uint32_t k = 0; k < e->slot_n; k++)
		if (exec_has_order(&e->slot[k]) || e->slot[k].want.id != 0)
			return false;
	return true;
}

uint32_t
exec_resting(const struct exec *e)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < e->slot_n; k++)
		n += oms_rests(e->slot[k].status);
	return n;
}
