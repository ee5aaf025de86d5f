#include <string.h>

#include "execd/exec_int.h"
#include "execd/paper.h"
#include "libcore/check.h"
#include "libshm/ctl.h"

/* A cancel was refused, or its outcome is unclear: the next waits longer each
 * time, up to the time-out of an answer. */
static void
back_off(const struct exec_now *n, struct exec_slot *s)
{
	uint64_t most = (uint64_t)n->e->cfg.exec_order_timeout.ns;
	uint64_t pause = UINT64_C(50000000) << s->refused_n;

	if (s->refused_n < 7)
		s->refused_n++;
	s->again_ns = n->ns + (pause < most ? pause : most);
	exec_alarm(n->e, s->again_ns);
}

void
exec_timeout(const struct exec_now *n, struct exec_slot *s)
{
	CHECK(exec_has_order(s));
	if (s->op == OP_AMEND)
		s->stiff = EXEC_DOUBT;
	s->op = OP_NONE;
	oms_apply(&s->status, OMS_TIMEOUT);
	n->e->stat.unknown++;
	if (s->ask_n < UINT8_MAX)
		s->ask_n++;
	if (s->ask_n > 1 && s->drop == 0)
		s->drop = REASON_DEADLINE;
	exec_ask(n, s);
	exec_converge(n, s);
}

/* The order stands, and no answer is missing. */
static void
settle(struct exec_slot *s)
{
	s->ask_n = 0;
	if (s->op == OP_NONE && !oms_waits(s->status))
		s->due_ns = 0;
}

static void
on_acked(const struct exec_now *n, struct exec_slot *s)
{
	struct exec_note ack = {&s->order, MSG_ACK, REASON_OK, ORDER_LIVE};

	if (s->op == OP_PLACE)
		s->op = OP_NONE;
	s->retry_n = 0;
	settle(s);
	if (s->acked != 0)
		return;
	s->acked = 1;
	exec_report(n, s, &ack);
}

/* It never rested. A fill that was told before proves otherwise for a part. */
static void
on_refused(const struct exec_now *n, struct exec_slot *s, enum reason why)
{
	bool rested = s->acked != 0 || s->filled.e8 > 0;

	exec_done_order(n, s, why, rested ? ORDER_CANCELLED : ORDER_REJECTED);
}

/* A post-only order would have crossed: once more, a tick further out, when
 * nothing newer is wanted. */
static bool
retry(const struct exec_now *n, struct exec_slot *s)
{
	struct exec *e = n->e;
	const struct market_instr *in = market_look(&e->mkt, s->instr);
	px_t tick = px_sig_tick(s->order.px, in->in.tick_px, in->in.px_sig);
	bool binary = in->in.cls == CLASS_BINARY || in->in.cls == CLASS_UPDOWN;
	px_t px;

	e->stat.post_only++;
	e->post_only_slot = (uint32_t)(s - e->slot);
	if (s->want.id != 0 || s->drop != 0 || s->filled.e8 > 0 ||
	    (s->order.oflags & ORDER_IMPERATIVE) != 0 ||
	    s->retry_n >= e->cfg.exec_post_only_retries ||
	    !paper_reprice(&in->b.book, (enum side)s->side, s->order.px, tick,
		binary, &px)) {
		s->retry_n = 0;
		return false;
	}
	s->want = s->order;
	s->want.px = px;
	s->want.base = s->cum;
	s->retry_n++;
	s->hold_ns = n->ns + (e->retry_ns << s->retry_n);
	exec_forget(e, s);
	exec_alarm(e, s->hold_ns);
	return true;
}

static void
on_rejected(const struct exec_now *n, struct exec_slot *s, enum reason why)
{
	if (why == REASON_POST_ONLY && retry(n, s))
		return;
	s->retry_n = 0;
	on_refused(n, s, why);
}

static void
on_not_cancelled(const struct exec_now *n, struct exec_slot *s)
{
	bool amend = s->op == OP_AMEND;

	if (!amend && s->op != OP_CANCEL)
		return;
	s->op = OP_NONE;
	if (amend) {
		s->stiff = EXEC_STIFF;
		settle(s);
		return;
	}
	back_off(n, s);
	exec_act(n, s, PORT_ASK);
	settle(s);
}

static void
on_reduced(
    const struct exec_now *n, struct exec_slot *s, const struct port_event *ev)
{
	if (s->op == OP_AMEND)
		s->op = OP_NONE;
	if (ev->qty.e8 <= 0 || ev->qty.e8 > exec_left(s).e8) {
		n->e->stat.odd++;
		s->stiff = EXEC_DOUBT;
	} else {
		s->order.qty.e8 = s->filled.e8 + ev->qty.e8;
		s->stiff = 0;
	}
	s->amend = QTY(0);
	settle(s);
}

/* No answer, or an unclear one. What is unknown already was asked about. */
static void
on_unknown(const struct exec_now *n, struct exec_slot *s)
{
	if (s->status == ORDER_UNKNOWN)
		return;
	if (s->op == OP_CANCEL)
		back_off(n, s);
	exec_timeout(n, s);
}

/* What an event is to the state table; 0: the table does not decide. */
static enum oms_event
oms_of(const struct exec_slot *s, enum port_ev what)
{
	switch (what) {
	case PORT_ACKED:
	case PORT_REDUCED: return OMS_ACK;
	case PORT_DELAYED: return OMS_DELAY;
	case PORT_REJECTED:
		return s->filled.e8 > 0 ? OMS_CANCELLED : OMS_REJECT;
	case PORT_CANCELLED:
	case PORT_GONE: return OMS_CANCELLED;
	case PORT_NOT_CANCELLED:
		return s->op == OP_CANCEL ? OMS_NOT_CANCELLED
					  : (enum oms_event)0;
	case PORT_UNKNOWN:
	case PORT_FILLED:
	case PORT_REVERSED:
	case PORT_CONFIRMED: return (enum oms_event)0;
	case PORT_EV_N: break;
	}
	CHECK(!"a port event");
	return (enum oms_event)0;
}

/* Of the order that the slot has. */
static void
on_order(
    const struct exec_now *n, struct exec_slot *s, const struct port_event *ev)
{
	enum oms_event oe = oms_of(s, ev->what);
	enum reason why = s->drop != 0 ? (enum reason)s->drop : ev->reason;

	if (oe != 0 && oms_apply(&s->status, oe) == OMS_BAD) {
		n->e->stat.odd++;
		exec_ask(n, s);
		return;
	}
	switch (ev->what) {
	case PORT_ACKED: on_acked(n, s); break;
	case PORT_DELAYED:
		if (s->op == OP_PLACE)
			s->op = OP_NONE;
		s->ask_n = 0;
		exec_expect(n, s);
		break;
	case PORT_REJECTED: on_rejected(n, s, ev->reason); break;
	case PORT_GONE: on_refused(n, s, REASON_UNKNOWN_ORDER); break;
	case PORT_CANCELLED: exec_done_order(n, s, why, ORDER_CANCELLED); break;
	case PORT_NOT_CANCELLED: on_not_cancelled(n, s); break;
	case PORT_REDUCED: on_reduced(n, s, ev); break;
	case PORT_UNKNOWN: on_unknown(n, s); break;
	case PORT_FILLED:
	case PORT_REVERSED:
	case PORT_CONFIRMED:
	case PORT_EV_N: CHECK(!"taken before");
	}
	exec_converge(n, s);
}

void
exec_port_event(struct exec *e, const struct port_event *ev, uint64_t now_ns,
    struct core_out *out)
{
	struct exec_now n = {e, out, now_ns, ev->venue_ns};
	struct exec_slot *s;

	CHECK(ev->what >= PORT_ACKED);
	CHECK(ev->what < PORT_EV_N);
	if (ev->what == PORT_FILLED) {
		exec_on_fill(&n, ev);
		return;
	}
	if (ev->what == PORT_REVERSED) {
		exec_on_reversal(&n, ev);
		return;
	}
	if (ev->what == PORT_CONFIRMED)
		return;
	if (ev->slot >= e->slot_n) {
		e->stat.odd++;
		return;
	}
	s = &e->slot[ev->slot];
	/* Of an order that is over: a repeat. */
	if (!exec_has_order(s) || s->ref != ev->id)
		return;
	exec_sent(s, ev);
	exec_dirty_slot(e, s);
	on_order(&n, s, ev);
}

void
exec_port_mode(struct exec *e, enum port_mode mode)
{
	CHECK(mode >= PORT_STARTING);
	CHECK(mode < PORT_MODE_N);
	e->mode = mode;
}

uint64_t
exec_mode_freeze(enum port_mode mode)
{
	switch (mode) {
	case PORT_STARTING: return FREEZE_STARTUP;
	case PORT_BLOCKED: return FREEZE_RECONCILE;
	case PORT_RESYNC: return FREEZE_FEED_STALE;
	case PORT_NORMAL:
	case PORT_POST_ONLY:
	case PORT_CANCEL_ONLY:
	case PORT_RESTARTING: return 0;
	case PORT_MODE_N: break;
	}
	CHECK(!"a mode");
	return 0;
}
