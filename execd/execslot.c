#include <string.h>

#include "execd/exec_int.h"
#include "execd/gate.h"
#include "libcore/check.h"

/* What of the want may still be filled: riskd did not know of the rest. */
static qty_t
wanted(const struct exec_slot *s)
{
	int64_t missed = i64_max(0, s->cum.e8 - s->want.base.e8);

	return QTY(i64_max(0, s->want.qty.e8 - missed));
}

/* The least quantity is of orders that rest; what trades at once may be as
 * small as a lot, so that an exit leaves no remainder. */
static bool
placeable(const struct exec *e, const struct exec_slot *s, qty_t qty)
{
	const struct market_instr *in = market_look(&e->mkt, s->instr);
	bool rests = s->want.tif == TIF_GTC || s->want.tif == TIF_GTD;
	qty_t least = rests ? in->in.min_qty : in->in.lot_qty;

	return qty.e8 > 0 && qty.e8 >= least.e8 &&
	       usd_notional(s->want.px, qty).e6 >= in->in.min_usd.e6;
}

/* Does the venue's mode let this order in? */
static bool
admits(const struct exec *e, const struct exec_want *w)
{
	switch (e->mode) {
	case PORT_NORMAL: return true;
	case PORT_POST_ONLY: return (w->oflags & ORDER_POST_ONLY) != 0;
	case PORT_STARTING:
	case PORT_CANCEL_ONLY:
	case PORT_RESTARTING:
	case PORT_BLOCKED:
	case PORT_RESYNC: return false;
	case PORT_MODE_N: break;
	}
	CHECK(!"a mode");
	return false;
}

static void
place(const struct exec_now *n, struct exec_slot *s, qty_t qty)
{
	CHECK(!exec_has_order(s));
	CHECK(n->e->gate == 0);
	CHECK(qty.e8 > 0);
	s->order = s->want;
	s->order.qty = qty;
	s->ref = s->want.id | (uint64_t)s->retry_n << 36;
	s->filled = QTY(0);
	s->send_delta = slot_delta(s->order.recv_ns, n->ns);
	memset(&s->want, 0, sizeof(s->want));
	s->hold_ns = 0;
	CHECK(oms_apply(&s->status, OMS_SEND) == OMS_OK);
	n->e->stat.orders++;
	s->op = OP_PLACE;
	exec_act(n, s, PORT_PLACE);
	exec_expect(n, s);
}

static void
cancel(const struct exec_now *n, struct exec_slot *s, enum reason why)
{
	struct port_act *a = exec_act(n, s, PORT_CANCEL);

	CHECK(oms_apply(&s->status, OMS_CANCEL) != OMS_BAD);
	a->urgent = s->urgent != 0;
	s->drop = (uint8_t)why;
	s->op = OP_CANCEL;
	s->again_ns = 0;
	n->e->stat.cancels++;
	exec_expect(n, s);
}

static void
amend(const struct exec_now *n, struct exec_slot *s, qty_t qty)
{
	struct port_act *a = exec_act(n, s, PORT_REDUCE);

	a->qty = qty;
	s->amend = qty;
	s->op = OP_AMEND;
	n->e->stat.amends++;
	exec_expect(n, s);
}

/* The resting order goes on under the want's id. */
static void
take_over(const struct exec_now *n, struct exec_slot *s)
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
	s->drop = 0;
	s->status = ORDER_LIVE;
	s->acked = 1;
	s->send_delta = 0; /* nothing left for it */
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

/* May the resting order stay, as it is or smaller? */
static bool
fits(const struct exec_now *n, const struct exec_slot *s, qty_t want)
{
	uint8_t flags = s->want.oflags | s->order.oflags;

	return placeable(n->e, s, want) && s->want.px.e8 == s->order.px.e8 &&
	       s->want.tif == s->order.tif && s->stiff == 0 &&
	       (flags & ORDER_IMPERATIVE) == 0;
}

/* Something rests and something is wanted: rules 3 to 5 of exec.h. */
static void
adjust(const struct exec_now *n, struct exec_slot *s)
{
	qty_t want = wanted(s);
	int64_t left = exec_left(s).e8;
	int64_t off = want.e8 > left ? want.e8 - left : left - want.e8;

	if (!fits(n, s, want)) {
		cancel(n, s, REASON_OK);
	} else if (off <=
		   i64_mul_div(want.e8, n->e->cfg.exec_size_tolerance.e8, E8)) {
		n->e->stat.kept++;
		take_over(n, s);
	} else if (want.e8 < left) {
		amend(n, s, want);
	} else {
		cancel(n, s, REASON_OK);
	}
}

/* An order that shall go may be cancelled before its other answers, but not
 * twice, and not while a reduce is away unless all is withdrawn. */
static bool
cancels(const struct exec_now *n, const struct exec_slot *s)
{
	if (s->op == OP_CANCEL || (s->op == OP_AMEND && s->urgent == 0))
		return false;
	if (s->again_ns > n->ns) {
		exec_alarm(n->e, s->again_ns);
		return false;
	}
	return true;
}

static void
fill_slot(const struct exec_now *n, struct exec_slot *s)
{
	struct exec *e = n->e;
	qty_t qty = wanted(s);

	if (s->want.deadline_ns != 0 && s->want.deadline_ns <= n->ns) {
		exec_done_want(n, s, REASON_DEADLINE);
	} else if (e->gate != 0) { /* 6 */
		e->stat.blocked++;
		exec_done_want(n, s, gate_reason(e->gate));
	} else if (!admits(e, &s->want)) {
		e->stat.blocked++;
		exec_done_want(n, s, REASON_VENUE_MODE);
	} else if (!placeable(e, s, qty)) {
		exec_done_want(n, s, REASON_TOO_SMALL);
	} else {
		place(n, s, qty);
	}
}

void
exec_converge(const struct exec_now *n, struct exec_slot *s)
{
	bool busy = s->op != OP_NONE || oms_waits(s->status); /* 1 */
	bool goes = s->urgent != 0 || s->status == ORDER_UNKNOWN ||
		    s->status == ORDER_DELAYED;

	exec_dirty_slot(n->e, s);
	if (!exec_has_order(s)) {
		if (s->want.id == 0)
			return;
		if (s->hold_ns > n->ns)
			exec_alarm(n->e, s->hold_ns);
		else
			fill_slot(n, s);
	} else if (s->drop != 0 && (goes || s->want.id == 0)) { /* 2 */
		if (cancels(n, s))
			cancel(n, s, (enum reason)s->drop);
	} else if (!busy && s->want.id != 0 && cancels(n, s)) {
		adjust(n, s);
	} else if (!busy && s->stiff == EXEC_DOUBT && cancels(n, s)) {
		cancel(n, s, REASON_DEADLINE);
	}
}

void
exec_withdraw(const struct exec_now *n, struct exec_slot *s, enum reason why)
{
	bool first = s->urgent == 0;

	exec_done_want(n, s, why);
	if (!exec_has_order(s))
		return;
	s->urgent = 1;
	s->drop = (uint8_t)why;
	exec_dirty_slot(n->e, s);
	if (first || cancels(n, s))
		cancel(n, s, why);
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
	return market_has(&e->mkt, o->hdr.instr) &&
	       (o->side == SIDE_BID || o->side == SIDE_ASK) &&
	       o->level < ORDER_LEVELS && o->id != 0;
}

static uint64_t
deadline_of(const struct exec *e, const struct order *o)
{
	if (o->life_ms != 0)
		return o->hdr.recv_ns +
		       (uint64_t)o->life_ms * (uint64_t)NS_PER_MS;
	return (o->oflags & ORDER_IMPERATIVE) == 0
		   ? 0
		   : o->hdr.recv_ns + (uint64_t)e->cfg.exec_order_timeout.ns;
}

/* Why an ORDER that is new is not taken all the same. */
static enum reason
unfit(const struct exec_now *n, const struct order *o)
{
	struct exec *e = n->e;
	uint64_t deadline = deadline_of(e, o);
	uint64_t passed_ns = o->hdr.recv_ns + o->risk_delta;

	if (o->id >> 40 < e->sender_epoch)
		return REASON_OLD_EPOCH;
	if (deadline != 0 && n->ns >= deadline)
		return REASON_DEADLINE;
	if (n->ns > passed_ns + (uint64_t)e->cfg.exec_order_timeout.ns)
		return REASON_DEADLINE;
	if (o->px.e8 <= 0 || o->px.e8 > PX_E8_MAX || o->qty.e8 <= 0 ||
	    o->qty.e8 > QTY_E8_MAX || o->tif < TIF_GTC || o->tif >= TIF_N ||
	    !market_look(&e->mkt, o->hdr.instr)->known)
		return REASON_BAD_SLOT;
	if (e->gate != 0) {
		e->stat.blocked++;
		return gate_reason(e->gate);
	}
	return REASON_OK;
}

static void
want_from(const struct exec *e, struct exec_want *w, const struct order *o)
{
	memset(w, 0, sizeof(*w));
	w->id = o->id;
	w->px = o->px;
	w->qty = o->qty;
	w->base = o->cum_qty;
	w->recv_ns = o->hdr.recv_ns;
	w->venue_ns = o->hdr.venue_ns;
	w->deadline_ns = deadline_of(e, o);
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
		exec_dirty(e, 0);
	}
	if (why != REASON_OK) {
		refuse(n, o, why);
		return;
	}
	exec_done_want(n, s, REASON_OK);
	want_from(e, &s->want, o);
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
