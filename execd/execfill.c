#include <string.h>

#include "execd/exec_int.h"
#include "libcore/check.h"
#include "libcore/hash.h"

static struct exec_fill *
find(struct exec *e, uint64_t fill_id)
{
	for (uint32_t i = 0; i < EXEC_FILLS; i++)
		if (e->fill[i].fill_id == fill_id)
			return &e->fill[i];
	return 0;
}

static struct exec_fill *
keep(struct exec *e, const struct port_event *ev)
{
	struct exec_fill *f = &e->fill[e->fill_at];

	memset(f, 0, sizeof(*f));
	f->fill_id = ev->fill_id;
	f->slot = ev->slot;
	f->instr = ev->instr;
	f->side = ev->side;
	exec_dirty(e, 1 + EXEC_SLOTS + e->fill_at / EXEC_FILL_REC);
	e->fill_at = (e->fill_at + 1) % EXEC_FILLS;
	exec_dirty(e, 0);
	return f;
}

/* What both readers are told of a fill, besides what its order says. */
static void
tell(const struct exec_now *n, uint32_t from, const struct exec_fill *f)
{
	for (uint32_t i = from; i < n->out->n; i++) {
		struct order *o = &n->out->msg[i].order;
		unsigned flags = o->oflags & ~ORDER_MAKER;

		flags |= f->maker != 0 ? ORDER_MAKER : 0u;
		flags |= f->reversed != 0 ? ORDER_REVERSED : 0u;
		o->exec_px = f->px;
		o->exec_qty = f->qty;
		o->usd = f->usd;
		o->fill_id = f->fill_id;
		o->cum_qty = f->cum;
		o->oflags = (uint8_t)flags;
		o->hdr.recv_ns = n->ns;
		o->hdr.venue_ns = n->venue_ns;
		o->quote_delta = 0;
		o->risk_delta = 0;
		o->send_delta = 0;
		o->ack_delta = 0;
	}
}

/* A fill of an order that the slot does not have any more, or never had. */
static void
report_bare(const struct exec_now *n, const struct exec_fill *f, uint8_t status)
{
	struct exec_slot blank;
	struct exec_note note = {&blank.want, MSG_FILL, REASON_OK, status};
	uint32_t from = n->out->n;

	memset(&blank, 0, sizeof(blank));
	blank.instr = f->instr;
	blank.side = f->side;
	blank.level = f->level;
	blank.want.id = f->id;
	blank.want.px = f->px;
	blank.want.qty = f->qty;
	blank.want.strategy = f->strategy;
	blank.want.epoch = f->epoch;
	exec_report(n, &blank, &note);
	tell(n, from, f);
}

/* Of the order that the slot has. */
static void
fill_order(
    const struct exec_now *n, struct exec_slot *s, const struct port_event *ev)
{
	struct exec *e = n->e;
	bool all = ev->qty.e8 >= exec_left(s).e8;
	struct exec_note note = {
	    &s->order, MSG_FILL, REASON_OK, all ? ORDER_FILLED : ORDER_PARTIAL};
	enum oms_verdict v =
	    oms_apply(&s->status, all ? OMS_FILL_ALL : OMS_FILL_PART);
	struct exec_fill *f = keep(e, ev);
	uint32_t from = n->out->n;

	exec_sent(s, ev);
	e->stat.late += v == OMS_LATE;
	e->stat.odd += v == OMS_BAD;
	e->stat.fills++;
	s->filled.e8 += ev->qty.e8;
	s->cum.e8 += ev->qty.e8;
	s->ask_n = 0;
	f->id = s->order.id;
	f->px = ev->px;
	f->qty = ev->qty;
	f->usd = ev->usd;
	f->cum = s->filled;
	f->side = s->side;
	f->level = s->level;
	f->epoch = s->order.epoch;
	f->strategy = s->order.strategy;
	f->maker = ev->is_maker;
	exec_report(n, s, &note);
	tell(n, from, f);
	exec_dirty_slot(e, s);
	if (all)
		exec_done_order(n, s, REASON_OK, ORDER_FILLED);
	else if (s->op == OP_NONE && !oms_waits(s->status))
		s->due_ns = 0;
	exec_converge(n, s);
}

/* Of an order that is over, or of none of ours: true all the same. */
static void
fill_late(
    const struct exec_now *n, struct exec_slot *s, const struct port_event *ev)
{
	struct exec *e = n->e;
	struct exec_fill *f = keep(e, ev);

	e->stat.late++;
	e->stat.fills++;
	s->cum.e8 += ev->qty.e8;
	f->id = ev->id;
	f->px = ev->px;
	f->qty = ev->qty;
	f->usd = ev->usd;
	f->side = s->side;
	f->level = s->level;
	f->maker = ev->is_maker;
	for (uint32_t i = 0; i < EXEC_PAST; i++) {
		struct exec_past *p = &s->past[i];

		if (p->ref != ev->id || ev->id == 0)
			continue;
		p->filled.e8 += ev->qty.e8;
		f->id = p->id;
		f->cum = p->filled;
		f->epoch = p->epoch;
		f->strategy = p->strategy;
	}
	exec_dirty_slot(e, s);
	report_bare(n, f, ORDER_PARTIAL);
	exec_converge(n, s);
}

void
exec_on_fill(const struct exec_now *n, const struct port_event *ev)
{
	struct exec *e = n->e;
	struct exec_slot *s = 0;

	if (ev->qty.e8 <= 0 || ev->qty.e8 > QTY_E8_MAX || ev->px.e8 < 0 ||
	    ev->px.e8 > PX_E8_MAX || ev->fill_id == 0 ||
	    !market_has(&e->mkt, ev->instr) ||
	    (ev->side != SIDE_BID && ev->side != SIDE_ASK)) {
		e->stat.odd++;
		return;
	}
	if (find(e, ev->fill_id) != 0) {
		e->stat.fill_dups++;
		return;
	}
	if (ev->slot < e->slot_n && e->slot[ev->slot].instr == ev->instr)
		s = &e->slot[ev->slot];
	if (s != 0 && exec_has_order(s) && s->ref == ev->id) {
		fill_order(n, s, ev);
		return;
	}
	if (s == 0)
		s = exec_slot_new(e, ev->instr, ev->side, 0);
	if (s == 0)
		e->stat.odd++;
	else
		fill_late(n, s, ev);
}

void
exec_on_reversal(const struct exec_now *n, const struct port_event *ev)
{
	struct exec *e = n->e;
	struct exec_fill *f = find(e, ev->fill_id);
	struct exec_fill back;

	if (ev->fill_id == 0) {
		e->stat.odd++;
		return;
	}
	if (f == 0) {
		/* It will not count when it comes. */
		f = keep(e, ev);
		f->reversed = 1;
		e->stat.late++;
		return;
	}
	if (f->reversed != 0) {
		e->stat.fill_dups++;
		return;
	}
	f->reversed = 1;
	exec_dirty(e, 1 + EXEC_SLOTS + (uint32_t)(f - e->fill) / EXEC_FILL_REC);
	e->stat.reversed++;
	back = *f;
	back.side = (uint8_t)side_opposite((enum side)f->side);
	back.usd.e6 = -f->usd.e6;
	back.fill_id = hash_u64(hash_u64(0, f->fill_id), 2);
	report_bare(n, &back, ORDER_PARTIAL);
}
