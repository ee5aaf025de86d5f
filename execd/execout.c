#include <string.h>

#include "execd/exec_int.h"
#include "libcore/check.h"

struct exec_slot *
exec_slot_at(struct exec *e, uint16_t instr, uint8_t side, uint8_t level)
{
	uint16_t k;

	CHECK(market_has(&e->mkt, instr));
	CHECK(side < SIDE_N);
	CHECK(level < ORDER_LEVELS);
	k = e->slot_of[instr - e->mkt.base][side][level];
	return k == 0 ? 0 : &e->slot[k - 1];
}

struct exec_slot *
exec_slot_new(struct exec *e, uint16_t instr, uint8_t side, uint8_t level)
{
	struct exec_slot *s = exec_slot_at(e, instr, side, level);

	if (s != 0 || e->slot_n == EXEC_SLOTS)
		return s;
	s = &e->slot[e->slot_n++];
	memset(s, 0, sizeof(*s));
	s->instr = instr;
	s->side = side;
	s->level = level;
	e->slot_of[instr - e->mkt.base][side][level] = (uint16_t)e->slot_n;
	exec_dirty_slot(e, s);
	return s;
}

void
exec_dirty(struct exec *e, uint32_t rec)
{
	CHECK(rec < EXEC_REC_N);
	for (uint32_t i = e->dirty_n; i > 0 && i + 4 > e->dirty_n; i--)
		if (e->dirty[i - 1] == rec)
			return;
	CHECK(e->dirty_n < EXEC_DIRTY);
	e->dirty[e->dirty_n++] = rec;
}

void
exec_dirty_slot(struct exec *e, const struct exec_slot *s)
{
	exec_dirty(e, 1 + (uint32_t)(s - e->slot));
}

void
exec_touch(struct exec *e, uint32_t slot)
{
	CHECK(slot < EXEC_SLOTS);
	exec_dirty(e, 1 + slot);
}

bool
exec_has_order(const struct exec_slot *s)
{
	return s->status != 0;
}

qty_t
exec_left(const struct exec_slot *s)
{
	return QTY(s->order.qty.e8 - s->filled.e8);
}

void
exec_alarm(struct exec *e, uint64_t at_ns)
{
	if (at_ns != 0 && (e->alarm_ns == 0 || at_ns < e->alarm_ns))
		e->alarm_ns = at_ns;
}

void
exec_expect(const struct exec_now *n, struct exec_slot *s)
{
	s->due_ns = n->ns + (uint64_t)n->e->cfg.exec_order_timeout.ns;
	exec_alarm(n->e, s->due_ns);
	exec_dirty_slot(n->e, s);
}

struct port_act *
exec_act(const struct exec_now *n, const struct exec_slot *s, enum port_do what)
{
	struct exec *e = n->e;
	struct port_act *a;

	CHECK(e->act_n < EXEC_ACTS);
	CHECK(exec_has_order(s));
	a = &e->act[e->act_n++];
	memset(a, 0, sizeof(*a));
	a->what = what;
	a->slot = (uint32_t)(s - e->slot);
	a->id = s->ref;
	a->instr = s->instr;
	a->epoch = s->order.epoch;
	a->side = s->side;
	a->level = s->level;
	a->tif = s->order.tif;
	a->oflags = s->order.oflags;
	a->px = s->order.px;
	a->qty = exec_left(s);
	a->recv_ns = s->order.recv_ns;
	if (s->order.tif == TIF_GTD && s->order.deadline_ns != 0)
		a->expires_wall_ns =
		    (int64_t)s->order.deadline_ns + e->wall_off_ns;
	return a;
}

void
exec_ask(const struct exec_now *n, struct exec_slot *s)
{
	exec_act(n, s, PORT_ASK);
	exec_expect(n, s);
}

void
exec_sent(struct exec_slot *s, const struct port_event *ev)
{
	CHECK(exec_has_order(s));
	if (ev->sent_ns >= s->order.recv_ns && ev->sent_ns != 0 &&
	    s->acked == 0)
		s->send_delta = slot_delta(s->order.recv_ns, ev->sent_ns);
}

void
exec_report(const struct exec_now *n, const struct exec_slot *s,
    const struct exec_note *note)
{
	bool hl = n->e->venue == VENUE_HYPERLIQUID;
	const enum ring_id ring[2] = {
	    hl ? RG_REPORT_HL_R : RG_REPORT_PM_R,
	    hl ? RG_REPORT_HL_Q : RG_REPORT_PM_Q,
	};
	bool own = note->of == &s->order;

	for (int k = 0; k < 2; k++) {
		struct order *o = core_out_add(n->out, ring[k]);

		o->hdr.kind = (uint8_t)note->kind;
		o->hdr.instr = s->instr;
		o->hdr.venue_ns = note->of->venue_ns;
		o->hdr.recv_ns = note->of->recv_ns;
		o->id = note->of->id;
		o->px = note->of->px;
		o->qty =
		    note->kind == MSG_ACK && own ? exec_left(s) : note->of->qty;
		o->cum_qty = own ? s->filled : QTY(0);
		o->venue = (uint8_t)n->e->venue;
		o->side = s->side;
		o->level = s->level;
		o->strategy = note->of->strategy;
		o->tif = note->of->tif;
		o->oflags = note->of->oflags;
		o->status = note->status;
		o->reason = (uint16_t)note->reason;
		o->epoch = note->of->epoch;
		o->quote_delta = note->of->quote_delta;
		o->risk_delta = note->of->risk_delta;
		o->send_delta = own ? s->send_delta : 0;
		o->ack_delta = slot_delta(o->hdr.recv_ns, n->ns);
	}
}

void
exec_forget(struct exec *e, struct exec_slot *s)
{
	struct exec_past *p = &s->past[s->past_at];

	CHECK(exec_has_order(s));
	p->ref = s->ref;
	p->id = s->order.id;
	p->filled = s->filled;
	p->epoch = s->order.epoch;
	p->strategy = s->order.strategy;
	s->past_at = (uint8_t)((s->past_at + 1) % EXEC_PAST);
	memset(&s->order, 0, sizeof(s->order));
	s->status = 0;
	s->op = OP_NONE;
	s->drop = 0;
	s->acked = 0;
	s->stiff = 0;
	s->urgent = 0;
	s->ask_n = 0;
	s->refused_n = 0;
	s->ref = 0;
	s->filled = QTY(0);
	s->due_ns = 0;
	s->again_ns = 0;
	s->amend = QTY(0);
	exec_dirty_slot(e, s);
}

void
exec_done_order(const struct exec_now *n, struct exec_slot *s, enum reason why,
    uint8_t status)
{
	struct exec_note note = {&s->order, MSG_DONE, why, status};

	CHECK(exec_has_order(s));
	if (status == ORDER_REJECTED) {
		note.kind = MSG_REJECT;
		n->e->stat.rejects++;
	}
	exec_report(n, s, &note);
	exec_forget(n->e, s);
}

void
exec_done_want(const struct exec_now *n, struct exec_slot *s, enum reason why)
{
	struct exec_note note = {&s->want, MSG_DONE, why, ORDER_CANCELLED};

	if (s->want.id == 0)
		return;
	exec_report(n, s, &note);
	memset(&s->want, 0, sizeof(s->want));
	s->retry_n = 0;
	s->hold_ns = 0;
	exec_dirty_slot(n->e, s);
}
