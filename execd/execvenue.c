#include <string.h>

#include "execd/exec_int.h"
#include "libcore/check.h"
#include "libcore/hash.h"

struct exec_instr *
exec_instr_at(struct exec *e, uint16_t instr)
{
	CHECK(instr >= e->base);
	CHECK(instr < e->base + e->instr_n);
	return &e->instr[instr - e->base];
}

bool
exec_book_ok(const struct exec *e, const struct exec_instr *in)
{
	return in->known && !in->snap && in->gen == e->md_gen;
}

void
exec_fly(struct exec *e, struct exec_slot *s, enum exec_op op, uint64_t now_ns)
{
	uint64_t due = now_ns + (uint64_t)e->cfg.exec_paper_latency.ns;
	uint32_t at;

	CHECK(e->flight_n < EXEC_FLIGHT);
	CHECK(s->op == OP_NONE || op == OP_CANCEL);
	if (e->flight_n > 0) {
		at = (e->flight_at + e->flight_n - 1) % EXEC_FLIGHT;
		if (e->flight[at].due_ns > due)
			due = e->flight[at].due_ns;
	}
	at = (e->flight_at + e->flight_n++) % EXEC_FLIGHT;
	e->flight[at].due_ns = due;
	e->flight[at].slot = (uint32_t)(s - e->slot);
	s->op = (uint8_t)op;
	s->due_ns = due;
	exec_dirty_slot(e, s);
}

/* One trade of ours. True when the order is complete; it is DONE then. */
static bool
fill(const struct exec_now *n, struct exec_slot *s, px_t px, qty_t qty,
    bool maker)
{
	const struct exec_instr *in = exec_instr_at(n->e, s->instr);
	bool all = qty.e8 == exec_left(s).e8;
	struct exec_note note = {
	    &s->order, MSG_FILL, REASON_OK, all ? ORDER_FILLED : ORDER_PARTIAL};
	uint32_t i = n->out->n;

	CHECK(qty.e8 > 0);
	CHECK(qty.e8 <= exec_left(s).e8);
	s->filled.e8 += qty.e8;
	s->cum.e8 += qty.e8;
	s->fill_n++;
	if (oms_apply(&s->status, all ? OMS_FILL_ALL : OMS_FILL_PART) != OMS_OK)
		n->e->stat.odd++;
	n->e->stat.fills++;
	exec_report(n, s, &note);
	for (; i < n->out->n; i++) {
		struct order *o = &n->out->msg[i].order;

		o->exec_px = px;
		o->exec_qty = qty;
		o->usd = paper_fee(&in->in, px, qty, maker);
		o->fill_id = hash_u64(hash_u64(0, s->order.id), s->fill_n);
		o->oflags = (uint8_t)((o->oflags & ~ORDER_MAKER) |
				      (maker ? ORDER_MAKER : 0u));
		o->hdr.recv_ns = n->ns;
		o->hdr.venue_ns = n->venue_ns;
		o->quote_delta = 0;
		o->risk_delta = 0;
		o->send_delta = 0;
		o->ack_delta = 0;
	}
	exec_dirty_slot(n->e, s);
	if (all)
		exec_done_order(n, s, REASON_OK, ORDER_FILLED);
	return all;
}

/* A post-only order would have crossed: once more, a tick further out, when
 * nothing newer is wanted. */
static void
refuse_crossing(
    const struct exec_now *n, struct exec_slot *s, struct exec_instr *in)
{
	struct exec *e = n->e;
	px_t tick = px_sig_tick(s->order.px, in->in.tick_px, in->in.px_sig);
	bool binary = in->in.cls == CLASS_BINARY || in->in.cls == CLASS_UPDOWN;
	px_t px;

	e->stat.post_only++;
	e->post_only_slot = (uint32_t)(s - e->slot);
	if (s->want.id != 0 || s->drop != 0 ||
	    s->retry_n >= e->cfg.exec_post_only_retries ||
	    !paper_reprice(&in->b.book, (enum side)s->side, s->order.px, tick,
		binary, &px)) {
		s->retry_n = 0;
		CHECK(oms_apply(&s->status, OMS_REJECT) == OMS_OK);
		exec_done_order(n, s, REASON_POST_ONLY, ORDER_REJECTED);
		return;
	}
	s->want = s->order;
	s->want.px = px;
	s->want.base = s->cum;
	s->retry_n++;
	s->hold_ns =
	    n->ns + ((uint64_t)e->cfg.exec_paper_latency.ns << s->retry_n);
	CHECK(oms_apply(&s->status, OMS_REJECT) == OMS_OK);
	s->status = 0;
	memset(&s->order, 0, sizeof(s->order));
	exec_alarm(e, s->hold_ns);
}

/* The book of its other side is walked first. True when nothing is left. */
static bool
take(const struct exec_now *n, struct exec_slot *s, struct exec_instr *in)
{
	struct paper_take t;
	bool once = s->order.tif == TIF_IOC || s->order.tif == TIF_FOK;

	paper_walk(&in->b.book, (enum side)s->side, s->order.px, exec_left(s),
	    s->order.tif == TIF_FOK, &t);
	CHECK(oms_apply(&s->status, OMS_ACK) == OMS_OK);
	for (uint32_t k = 0; k < t.n; k++)
		if (fill(n, s, t.part[k].px, t.part[k].qty, false))
			return true;
	if (once)
		exec_done_order(n, s, REASON_OK, ORDER_CANCELLED);
	return once;
}

static void
arrive(const struct exec_now *n, struct exec_slot *s)
{
	struct exec *e = n->e;
	struct exec_instr *in = exec_instr_at(e, s->instr);
	struct exec_note ack = {&s->order, MSG_ACK, REASON_OK, ORDER_LIVE};
	enum side side = (enum side)s->side;
	bool post_only = (s->order.oflags & ORDER_POST_ONLY) != 0;

	if (!exec_book_ok(e, in)) {
		CHECK(oms_apply(&s->status, OMS_REJECT) == OMS_OK);
		exec_done_order(n, s, REASON_NO_BOOK, ORDER_REJECTED);
		return;
	}
	if (post_only && paper_crosses(&in->b.book, side, s->order.px)) {
		refuse_crossing(n, s, in);
		return;
	}
	s->retry_n = 0;
	if (!post_only) {
		if (take(n, s, in))
			return;
	} else {
		CHECK(oms_apply(&s->status, OMS_ACK) == OMS_OK);
	}
	queue_join(
	    &s->queue, e->model, book_qty_at(&in->b.book, side, s->order.px));
	exec_report(n, s, &ack);
}

static void
amended(struct exec_slot *s)
{
	int64_t left = i64_min(exec_left(s).e8, s->amend.e8);

	CHECK(left > 0);
	s->order.qty.e8 = s->filled.e8 + left;
	s->amend = QTY(0);
}

void
exec_arrivals(const struct exec_now *n)
{
	struct exec *e = n->e;

	while (e->flight_n > 0 &&
	       n->out->n + EXEC_MSGS_DUE + EXEC_MSGS_EVENT <= CORE_OUT_MAX) {
		uint64_t due = e->flight[e->flight_at].due_ns;
		struct exec_slot *s = &e->slot[e->flight[e->flight_at].slot];
		enum exec_op op = (enum exec_op)s->op;

		if (due > n->ns)
			return;
		e->flight_at = (e->flight_at + 1) % EXEC_FLIGHT;
		e->flight_n--;
		/* Its order was filled or frozen meanwhile. */
		if (op == OP_NONE || s->due_ns != due)
			continue;
		s->op = OP_NONE;
		exec_dirty_slot(e, s);
		if (op == OP_PLACE)
			arrive(n, s);
		else if (op == OP_AMEND)
			amended(s);
		else if (oms_apply(&s->status, OMS_CANCELLED) == OMS_OK)
			exec_done_order(
			    n, s, (enum reason)s->drop, ORDER_CANCELLED);
		exec_converge(n, s);
	}
}

static void
each_resting(const struct exec_now *n, uint16_t instr, const struct tick *t)
{
	struct exec_instr *in = exec_instr_at(n->e, instr);

	for (int side = SIDE_BID; side <= SIDE_ASK; side++) {
		for (uint8_t k = 0; k < ORDER_LEVELS; k++) {
			struct exec_slot *s =
			    exec_slot_at(n->e, instr, (uint8_t)side, k);
			enum side sd = (enum side)side;
			qty_t got = QTY(0);

			if (s == 0 || !oms_rests(s->status))
				continue;
			if (t->hdr.kind == TICK_TRADE)
				got = paper_trade(&s->queue, sd, s->order.px,
				    exec_left(s), &t->u.trade, n->ns);
			else if (t->hdr.kind == TICK_BBO &&
				 paper_touched(sd, s->order.px, &t->u.bbo))
				got = exec_left(s);
			else if (t->hdr.kind == TICK_SNAP_END)
				queue_resnap(&s->queue,
				    book_qty_at(&in->b.book, sd, s->order.px));
			if (t->hdr.kind == TICK_SNAP_END ||
			    (t->hdr.kind == TICK_TRADE &&
				t->u.trade.px.e8 == s->order.px.e8))
				exec_dirty_slot(n->e, s);
			if (got.e8 > 0 && fill(n, s, s->order.px, got, true))
				exec_converge(n, s);
		}
	}
}

static void
on_level(const struct exec_now *n, struct exec_instr *in, const struct tick *t)
{
	const struct tick_level *l = &t->u.level;
	enum side side = (enum side)l->side;

	if ((side != SIDE_BID && side != SIDE_ASK) || l->px.e8 <= 0 ||
	    l->px.e8 > PX_E8_MAX || l->qty.e8 < 0 || l->qty.e8 > QTY_E8_MAX ||
	    l->epoch != in->in.epoch || (!in->snap && !exec_book_ok(n->e, in)))
		return;
	book_set(&in->b.book, side, l->px, l->qty);
	if (in->snap)
		return;
	for (uint8_t k = 0; k < ORDER_LEVELS; k++) {
		struct exec_slot *s =
		    exec_slot_at(n->e, t->hdr.instr, l->side, k);

		if (s == 0 || !oms_rests(s->status) ||
		    s->order.px.e8 != l->px.e8)
			continue;
		queue_level(&s->queue, l->qty, n->ns);
		exec_dirty_slot(n->e, s);
	}
}

static void
on_snap(const struct exec_now *n, struct exec_instr *in, const struct tick *t)
{
	if (!in->known)
		return;
	if (t->hdr.kind == TICK_SNAP_BEGIN) {
		book_clear(&in->b.book);
		in->snap = true;
		return;
	}
	if (!in->snap)
		return;
	in->snap = false;
	in->gen = n->e->md_gen;
	each_resting(n, t->hdr.instr, t);
}

void
exec_on_tick(const struct exec_now *n, const struct event *ev)
{
	const struct tick *t = &ev->slot->tick;
	struct exec *e = n->e;
	struct exec_instr *in = 0;

	if (t->hdr.instr >= e->base && t->hdr.instr < e->base + e->instr_n)
		in = exec_instr_at(e, t->hdr.instr);
	switch ((enum slot_kind)t->hdr.kind) {
	case TICK_BBO:
	case TICK_TRADE:
		/* What is sent again says nothing new about trades. */
		if (in == 0 || (t->hdr.kind == TICK_TRADE &&
				   ((t->hdr.flags & SLOT_REPLAY) != 0 ||
				       t->u.trade.epoch != in->in.epoch)))
			return;
		each_resting(n, t->hdr.instr, t);
		return;
	case TICK_LEVEL:
		if (in != 0)
			on_level(n, in, t);
		return;
	case TICK_SNAP_BEGIN:
	case TICK_SNAP_END:
		if (in != 0)
			on_snap(n, in, t);
		return;
	case TICK_GAP:
		if (t->u.gap.scope == 1 && in != 0)
			in->gen = 0;
		else if (t->u.gap.scope != 2 || t->u.gap.conn == 0)
			e->md_gen++;
		return;
	case TICK_CONN:
		if (t->u.conn.conn == 0 && t->u.conn.state == LINK_DOWN)
			e->md_gen++;
		return;
	case TICK_RESTART: e->md_gen++; return;
	case TICK_INSTR:
		if (in != 0 && ev->instr != 0)
			exec_instr_set(
			    e, t->hdr.instr, ev->instr, n->ns, n->out);
		return;
	case TICK_REF:
	case TICK_LINK:
	case TICK_TRACE:
	case MSG_INTENT:
	case MSG_ORDER:
	case MSG_CANCEL:
	case MSG_VERDICT:
	case MSG_ACK:
	case MSG_FILL:
	case MSG_DONE:
	case MSG_REJECT:
	case MSG_RESTART:
	case MSG_STATE:
	case SLOT_KIND_N: return;
	}
}
