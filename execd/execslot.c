#include <string.h>

#include "execd/exec_int.h"
#include "execd/gate.h"
#include "libcore/check.h"
#include "libcore/hash.h"

struct exec_slot *
exec_slot_at(struct exec *e, uint16_t instr, uint8_t side, uint8_t level)
{
	uint16_t k;

	CHECK(instr >= e->base && instr < e->base + e->instr_n);
	CHECK(side < SIDE_N);
	CHECK(level < ORDER_LEVELS);
	k = e->slot_of[instr - e->base][side][level];
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
	e->slot_of[instr - e->base][side][level] = (uint16_t)e->slot_n;
	exec_dirty_slot(e, s);
	return s;
}

static void
dirty(struct exec *e, uint32_t rec)
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
	dirty(e, 1 + (uint32_t)(s - e->slot));
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
	memset(&s->order, 0, sizeof(s->order));
	memset(&s->queue, 0, sizeof(s->queue));
	s->status = 0;
	s->op = OP_NONE;
	s->drop = 0;
	s->filled = QTY(0);
	s->fill_n = 0;
	s->amend = QTY(0);
	exec_dirty_slot(n->e, s);
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

void
exec_alarm(struct exec *e, uint64_t at_ns)
{
	if (at_ns != 0 && (e->alarm_ns == 0 || at_ns < e->alarm_ns))
		e->alarm_ns = at_ns;
}

/* What of the want may still be filled: riskd did not know of the rest. */
static qty_t
wanted(const struct exec_slot *s)
{
	int64_t missed = i64_max(0, s->cum.e8 - s->want.base.e8);

	return QTY(i64_max(0, s->want.qty.e8 - missed));
}

static bool
placeable(struct exec *e, const struct exec_slot *s, qty_t qty)
{
	const struct exec_instr *in = exec_instr_at(e, s->instr);

	return qty.e8 > 0 && qty.e8 >= in->in.min_qty.e8 &&
	       usd_notional(s->want.px, qty).e6 >= in->in.min_usd.e6;
}

static void
place(const struct exec_now *n, struct exec_slot *s, qty_t qty)
{
	CHECK(!exec_has_order(s));
	CHECK(n->e->gate == 0);
	CHECK(qty.e8 > 0);
	s->order = s->want;
	s->order.qty = qty;
	s->filled = QTY(0);
	s->fill_n = 0;
	s->drop = 0;
	s->send_delta = slot_delta(s->order.recv_ns, n->ns);
	memset(&s->want, 0, sizeof(s->want));
	s->hold_ns = 0;
	CHECK(oms_apply(&s->status, OMS_SEND) == OMS_OK);
	n->e->stat.orders++;
	exec_fly(n->e, s, OP_PLACE, n->ns);
}

static void
cancel(const struct exec_now *n, struct exec_slot *s, enum reason why)
{
	CHECK(oms_apply(&s->status, OMS_CANCEL) == OMS_OK);
	s->drop = (uint8_t)why;
	n->e->stat.cancels++;
	exec_fly(n->e, s, OP_CANCEL, n->ns);
}

void
exec_take_over(const struct exec_now *n, struct exec_slot *s)
{
	struct exec_want was = s->order;
	qty_t was_filled = s->filled;
	struct exec_note ack = {&s->order, MSG_ACK, REASON_OK, ORDER_LIVE};
	struct exec_note done = {&was, MSG_DONE, REASON_OK, ORDER_CANCELLED};
	qty_t left = exec_left(s);
	uint32_t i;

	CHECK(s->want.id != 0);
	CHECK(left.e8 > 0);
	s->order = s->want;
	s->order.px = was.px;
	s->order.qty = left;
	s->filled = QTY(0);
	s->fill_n = 0;
	s->drop = 0;
	s->status = ORDER_LIVE;
	s->send_delta = slot_delta(s->order.recv_ns, n->ns);
	memset(&s->want, 0, sizeof(s->want));
	s->hold_ns = 0;
	/* The new id first: what rests is never unaccounted for. */
	exec_report(n, s, &ack);
	i = n->out->n;
	exec_report(n, s, &done);
	for (; i < n->out->n; i++)
		n->out->msg[i].order.cum_qty = was_filled;
	exec_dirty_slot(n->e, s);
}

/* Something rests and something is wanted: rules 3 to 5 of exec.h. */
static void
adjust(const struct exec_now *n, struct exec_slot *s)
{
	qty_t want = wanted(s);
	int64_t left = exec_left(s).e8;
	int64_t off = want.e8 > left ? want.e8 - left : left - want.e8;

	if (!placeable(n->e, s, want) || s->want.px.e8 != s->order.px.e8 ||
	    s->want.tif != s->order.tif) {
		cancel(n, s, REASON_OK);
		return;
	}
	if (off <= i64_mul_div(want.e8, n->e->cfg.exec_size_tolerance.e8, E8)) {
		n->e->stat.kept++;
		exec_take_over(n, s);
	} else if (want.e8 < left) {
		s->amend = want;
		n->e->stat.amends++;
		exec_fly(n->e, s, OP_AMEND, n->ns);
	} else {
		cancel(n, s, REASON_OK);
	}
}

void
exec_converge(const struct exec_now *n, struct exec_slot *s)
{
	exec_dirty_slot(n->e, s);
	if (s->op != OP_NONE || oms_waits(s->status)) /* 1 */
		return;
	if (exec_has_order(s)) {
		if (s->want.id != 0)
			adjust(n, s);
		else if (s->drop != 0) /* 2 */
			cancel(n, s, (enum reason)s->drop);
		return;
	}
	if (s->want.id == 0)
		return;
	if (s->hold_ns > n->ns) {
		exec_alarm(n->e, s->hold_ns);
		return;
	}
	if (n->e->gate != 0) { /* 6 */
		n->e->stat.blocked++;
		exec_done_want(n, s, gate_reason(n->e->gate));
	} else if (!placeable(n->e, s, wanted(s))) {
		exec_done_want(n, s, REASON_TOO_SMALL);
	} else {
		place(n, s, wanted(s));
	}
}

/* An ORDER that is not taken. It never rested: REJECT. */
static void
refuse(const struct exec_now *n, const struct order *o, enum reason why)
{
	struct exec_slot blank;
	struct exec_note note = {&blank.want, MSG_REJECT, why, ORDER_REJECTED};

	memset(&blank, 0, sizeof(blank));
	blank.instr = o->hdr.instr;
	blank.side = o->side;
	blank.level = o->level;
	blank.want.id = o->id;
	blank.want.px = o->px;
	blank.want.qty = o->qty;
	blank.want.recv_ns = o->hdr.recv_ns;
	blank.want.venue_ns = o->hdr.venue_ns;
	blank.want.strategy = o->strategy;
	blank.want.tif = o->tif;
	blank.want.epoch = o->epoch;
	n->e->stat.rejects++;
	exec_report(n, &blank, &note);
}

static bool
slot_ok(const struct exec *e, const struct order *o)
{
	return o->hdr.instr >= e->base && o->hdr.instr < e->base + e->instr_n &&
	       (o->side == SIDE_BID || o->side == SIDE_ASK) &&
	       o->level < ORDER_LEVELS && o->id != 0;
}

static uint64_t
deadline_of(const struct order *o)
{
	return o->life_ms == 0 ? 0
			       : o->hdr.recv_ns +
				     (uint64_t)o->life_ms * (uint64_t)NS_PER_MS;
}

/* Why an ORDER that is new is not taken all the same. */
static enum reason
unfit(const struct exec_now *n, const struct order *o)
{
	struct exec *e = n->e;
	uint64_t deadline = deadline_of(o);
	uint64_t passed_ns = o->hdr.recv_ns + o->risk_delta;

	if (o->id >> 40 < e->sender_epoch)
		return REASON_OLD_EPOCH;
	if (deadline != 0 && n->ns >= deadline)
		return REASON_DEADLINE;
	if (n->ns > passed_ns + (uint64_t)e->cfg.exec_order_timeout.ns)
		return REASON_DEADLINE;
	if (o->px.e8 <= 0 || o->px.e8 > PX_E8_MAX || o->qty.e8 <= 0 ||
	    o->qty.e8 > QTY_E8_MAX || o->tif < TIF_GTC || o->tif >= TIF_N ||
	    !exec_instr_at(e, o->hdr.instr)->known)
		return REASON_BAD_SLOT;
	if (e->gate != 0) {
		e->stat.blocked++;
		return gate_reason(e->gate);
	}
	return REASON_OK;
}

static void
want_from(struct exec_want *w, const struct order *o)
{
	memset(w, 0, sizeof(*w));
	w->id = o->id;
	w->px = o->px;
	w->qty = o->qty;
	w->base = o->cum_qty;
	w->recv_ns = o->hdr.recv_ns;
	w->venue_ns = o->hdr.venue_ns;
	w->deadline_ns = deadline_of(o);
	w->quote_delta = o->quote_delta;
	w->risk_delta = o->risk_delta;
	w->strategy = o->strategy;
	w->tif = o->tif;
	w->oflags = o->oflags;
	w->epoch = o->epoch;
}

void
exec_on_order(const struct exec_now *n, const struct order *o)
{
	struct exec *e = n->e;
	struct exec_slot *s;
	enum reason why;

	if (!slot_ok(e, o)) {
		e->stat.odd++;
		return;
	}
	s = exec_slot_new(e, o->hdr.instr, o->side, o->level);
	if (s == 0) {
		refuse(n, o, REASON_FULL);
		return;
	}
	if (o->id <= s->order_id) {
		e->stat.dups++;
		return;
	}
	s->order_id = o->id;
	exec_dirty_slot(e, s);
	why = unfit(n, o);
	if (o->id >> 40 > e->sender_epoch) {
		e->sender_epoch = o->id >> 40;
		dirty(e, 0);
	}
	if (why != REASON_OK) {
		refuse(n, o, why);
		return;
	}
	exec_done_want(n, s, REASON_OK);
	want_from(&s->want, o);
	s->retry_n = 0;
	s->hold_ns = 0;
	if (o->id <= s->cancel_id) {
		exec_done_want(n, s, REASON_OK);
		return;
	}
	exec_alarm(e, s->want.deadline_ns);
	exec_converge(n, s);
}

void
exec_on_cancel(const struct exec_now *n, const struct order *o)
{
	struct exec *e = n->e;
	struct exec_slot *s;

	if (!slot_ok(e, o)) {
		e->stat.odd++;
		return;
	}
	s = exec_slot_new(e, o->hdr.instr, o->side, o->level);
	if (s == 0)
		return;
	if (o->id > s->cancel_id) {
		s->cancel_id = o->id;
		exec_dirty_slot(e, s);
	}
	if (s->want.id != 0 && s->want.id <= o->id)
		exec_done_want(n, s, REASON_OK);
	if (exec_has_order(s) && s->order.id <= o->id && s->drop == 0)
		s->drop = REASON_OK;
	exec_converge(n, s);
}
