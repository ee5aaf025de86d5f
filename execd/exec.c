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
	CHECK(v == VENUE_POLYMARKET || v == VENUE_HYPERLIQUID);
	e->cfg = *cfg;
	e->epoch = epoch;
	e->venue = v;
	e->mode = PORT_STARTING;
	e->gate = FREEZE_STARTUP;
	e->gate_reason = REASON_STARTUP;
	market_init(&e->mkt, v);
}

/* The orders of an instrument are not to rest any more: it closed, or changed
 * its tick, or the slot is another market's. */
static void
withdraw_instr(const struct exec_now *n, uint16_t instr, enum reason why)
{
	for (int side = SIDE_BID; side <= SIDE_ASK; side++) {
		for (uint8_t k = 0; k < ORDER_LEVELS; k++) {
			struct exec_slot *s =
			    exec_slot_at(n->e, instr, (uint8_t)side, k);

			if (s != 0)
				exec_withdraw(n, s, why);
		}
	}
}

void
exec_instr_set(struct exec *e, uint16_t instr, const struct instr *in,
    uint64_t now_ns, struct core_out *out)
{
	struct exec_now n = {e, out, now_ns, 0};

	switch (market_set(&e->mkt, instr, in)) {
	case MARKET_SAME: return;
	case MARKET_OTHER:
		withdraw_instr(&n, instr, REASON_STALE_EPOCH);
		return;
	case MARKET_CLOSED: withdraw_instr(&n, instr, REASON_STATE); return;
	case MARKET_CHANGE_N: CHECK(!"a change");
	}
}

/* One slot of those that an alarm may be for. */
static void
slot_due(const struct exec_now *n, struct exec_slot *s)
{
	struct exec *e = n->e;

	if (s->want.deadline_ns != 0 && s->want.deadline_ns <= n->ns) {
		exec_done_want(n, s, REASON_DEADLINE);
		/* What it was to replace is not wanted either. */
		if (exec_has_order(s) && s->drop == 0)
			s->drop = REASON_DEADLINE;
	}
	if (s->order.deadline_ns != 0 && s->order.deadline_ns <= n->ns &&
	    s->drop == 0)
		s->drop = REASON_DEADLINE;
	if (s->due_ns != 0 && s->due_ns <= n->ns)
		exec_timeout(n, s);
	else if (s->drop != 0 || (s->hold_ns != 0 && s->hold_ns <= n->ns) ||
		 (s->again_ns != 0 && s->again_ns <= n->ns))
		exec_converge(n, s);
	exec_alarm(e, s->want.deadline_ns);
	if (s->drop == 0)
		exec_alarm(e, s->order.deadline_ns);
	if (s->hold_ns > n->ns)
		exec_alarm(e, s->hold_ns);
	if (s->again_ns > n->ns)
		exec_alarm(e, s->again_ns);
	exec_alarm(e, s->due_ns);
}

/* A deadline or a hold is over somewhere: look at all, in slot order. */
static void
alarm_due(const struct exec_now *n)
{
	struct exec *e = n->e;

	e->alarm_ns = 0;
	for (uint32_t k = 0; k < e->slot_n; k++) {
		if (n->out->n + EXEC_MSGS_SLOT > CORE_OUT_MAX ||
		    e->act_n + 4 > EXEC_ACTS) {
			exec_alarm(e, n->ns);
			return;
		}
		slot_due(n, &e->slot[k]);
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
		exec_withdraw(n, s, why);
		done++;
	}
}

uint64_t
exec_wake(const struct exec *e, uint64_t now_ns)
{
	return e->sweep != 0 ? now_ns : e->alarm_ns;
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
	out->wake_ns = exec_wake(e, now_ns);
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
	struct exec *e = n->e;
	uint16_t instr = ev->slot->hdr.instr;

	CHECK(ev->slot != 0);
	CHECK(instr < INSTR_N);
	if (o->hdr.kind == TICK_INSTR) {
		if (market_has(&e->mkt, instr) && ev->instr != 0)
			exec_instr_set(e, instr, ev->instr, n->ns, n->out);
	} else if (slot_is_tick(o->hdr.kind)) {
		e->taken = market_tick(&e->mkt, &ev->slot->tick);
	} else if (o->hdr.kind == MSG_ORDER) {
		exec_on_order(n, o);
	} else if (o->hdr.kind == MSG_CANCEL) {
		exec_on_cancel(n, o);
	} else if (o->hdr.kind != MSG_RESTART && o->hdr.kind != MSG_STATE) {
		e->stat.odd++;
	}
}

bool
exec_due(const struct exec *e, uint64_t now_ns)
{
	return e->alarm_ns != 0 && e->alarm_ns <= now_ns;
}

void
exec_step(struct exec *e, const struct event *ev, struct core_out *out)
{
	struct exec_now n = {e, out, ev->now_ns, 0};

	CHECK(ev->kind >= EV_SLOT);
	CHECK(ev->kind < EVENT_KIND_N);
	e->taken = false;
	if (ev->wall_ns != 0)
		e->wall_off_ns = ev->wall_ns - (int64_t)ev->now_ns;
	switch (ev->kind) {
	case EV_SLOT:
		n.venue_ns = ev->slot->hdr.venue_ns;
		on_slot(&n, ev);
		break;
	case EV_TIMER:
		if (exec_due(e, n.ns))
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
	out->wake_ns = exec_wake(e, n.ns);
}

void
exec_resume(struct exec *e, uint64_t now_ns)
{
	for (uint32_t k = 0; k < e->slot_n; k++) {
		if (!exec_has_order(&e->slot[k]))
			continue;
		e->slot[k].due_ns = now_ns;
		exec_alarm(e, now_ns);
	}
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
