/* What riskd and execd say of our wishes. */
#include <string.h>

#include "libcore/check.h"
#include "quoted/room.h"

/* After a refusal the same wish is not repeated before this. */
#define REFUSED_NS (UINT64_C(500) * (uint64_t)NS_PER_MS)

/* The slot of ours that a message about an order belongs to. */
static struct quote_side *
slot_of(struct quote *q, const struct order *o)
{
	struct quote_side *s;

	if (o->side != SIDE_BID && o->side != SIDE_ASK)
		return 0;
	s = quote_slot(q, o->hdr.instr, (enum side)o->side, o->level);
	return s != 0 && s->id == o->id ? s : 0;
}

/* What we wished does not rest: forget it, and wish again in a while. */
static void
gone(struct quote_side *s, enum reason r, uint64_t now_ns)
{
	s->refused = (uint16_t)r;
	s->again_ns = now_ns + REFUSED_NS;
}

/* What rests there is not known: whatever is wanted next is said, a
 * withdrawal too. */
static void
unknown(struct quote_side *s)
{
	s->px = PX(-1);
	s->qty = QTY(-1);
}

/* A perpetual is looked at before its next refresh. */
static void
hurry(struct quote *q, uint16_t instr)
{
	if (instr >= INSTR_HL_BASE)
		q->perp[instr - INSTR_HL_BASE].state.refresh_ns = 0;
}

void
quote_lost(struct quote *q, const struct order *o, uint64_t now_ns)
{
	struct quote_side *s = slot_of(q, o);

	if ((o->oflags & ORDER_IMPERATIVE) != 0) {
		quote_take_lost(q, o->id);
		return;
	}
	if (s == 0)
		return;
	gone(s, REASON_BACKPRESSURE, now_ns);
	unknown(s);
	hurry(q, o->hdr.instr);
}

/* Breakers raise these and still let both sides be quoted. */
static bool
is_breaker(uint16_t r)
{
	return r == REASON_OK || r == REASON_NONE || r == REASON_TOXIC_FLOW ||
	       r == REASON_LOSING_FILLS;
}

static double
factor(int64_t e8)
{
	return e8 > 0 ? (double)e8 / 1e8 : 1.0;
}

/*
 * riskd's word on a market holds the state of all of trading as well: what it
 * says while trading is held back is about the market only as far as its
 * reason tells.
 */
static void
market_state(struct quote *q, const struct order *o, const struct event *ev,
    struct quote_out *out)
{
	struct quote_mkt *m = &q->mkt[o->hdr.instr];
	double gamma = factor(o->exec_px.e8);
	double spread = factor(o->cum_qty.e8);
	bool told = m->risk_gamma > 0.0 &&
		    (gamma > m->risk_gamma || spread > m->risk_spread);

	if (m->position.e8 != o->qty.e8)
		hurry(q, o->hdr.instr);
	/* Whoever sold it, nothing is held any more. */
	if (m->position.e8 != 0 && o->qty.e8 == 0)
		quote_hold_drop(q, o->hdr.instr);
	m->position = o->qty;
	m->risk_reason = o->reason;
	m->risk_state = o->status;
	m->risk_masked = o->status == q->trading && o->status != TRADING_RUN;
	if (m->risk_masked)
		m->risk_state =
		    is_breaker(o->reason) ? TRADING_RUN : TRADING_REDUCE;
	m->risk_gamma = gamma;
	m->risk_size = factor(o->exec_qty.e8);
	m->risk_spread = spread;
	m->risk_until_ns =
	    o->life_ms != 0
		? ev->now_ns + (uint64_t)o->life_ms * (uint64_t)NS_PER_MS
		: 0;
	if (told)
		quote_note_add(out,
		    &(struct quote_note){QUOTE_FACTORS, o->hdr.instr, o->reason,
			0, (int64_t)(gamma * 1e8), (int64_t)(spread * 1e8)});
	if (o->quote_delta != 0)
		select_markout(&m->sel, PX((int64_t)o->id));
	select_expose(q, m);
}

static void
all_state(struct quote *q, const struct order *o)
{
	if (o->status == TRADING_RUN || o->status == TRADING_REDUCE ||
	    o->status == TRADING_FROZEN)
		q->trading = o->status;
	if ((int64_t)o->fill_id > 0) {
		q->balance = USD((int64_t)o->fill_id);
		q->capital = q->balance;
	}
	quote_again(q);
}

/* riskd asks nobody: everything is said again. A new execd still has what
 * rests. */
static void
on_restart(struct quote *q, const struct event *ev)
{
	if (ev->ring != RG_VERDICT)
		return;
	for (uint32_t i = 1; i <= q->max_instr; i++)
		for (uint32_t k = 0; k < quote_levels((uint16_t)i); k++)
			for (int side = SIDE_BID; side < SIDE_N; side++) {
				struct quote_side *s = quote_slot(q,
				    (uint16_t)i, (enum side)side, (uint8_t)k);

				if (s->id != 0)
					unknown(s);
				hurry(q, (uint16_t)i);
			}
	q->trading = TRADING_FROZEN;
	quote_again(q);
}

static void
on_fill(struct quote *q, const struct order *o, const struct event *ev)
{
	struct quote_perp *p;

	if (o->hdr.instr < INSTR_HL_BASE || ev->redelivered ||
	    (o->oflags & ORDER_REVERSED) != 0 || o->exec_px.e8 <= 0 ||
	    o->exec_px.e8 > PX_E8_MAX || o->exec_qty.e8 <= 0 ||
	    o->exec_qty.e8 > QTY_E8_MAX ||
	    (o->side != SIDE_BID && o->side != SIDE_ASK))
		return;
	p = &q->perp[o->hdr.instr - INSTR_HL_BASE];
	ladder_fill(&p->state, (enum side)o->side, o->exec_px, ev->now_ns);
	ladder_refill(&p->state, &q->cfg, ev->now_ns,
	    (double)usd_notional(o->exec_px, o->exec_qty).e6 / 1e6);
}

bool
quote_on_order(struct quote *q, const struct event *ev, struct quote_out *out)
{
	const struct order *o = &ev->slot->order;
	struct quote_side *s;

	if (o->hdr.kind == MSG_STATE) {
		if (o->hdr.instr == 0) {
			all_state(q, o);
			return false;
		}
		market_state(q, o, ev, out);
		return true;
	}
	if (o->hdr.kind == MSG_RESTART) {
		on_restart(q, ev);
		return false;
	}
	if (quote_take_report(q, o, ev, out))
		return false;
	if (o->hdr.kind == MSG_FILL)
		on_fill(q, o, ev);
	s = slot_of(q, o);
	if (s == 0)
		return false;
	if (o->hdr.kind == MSG_REJECT ||
	    (o->hdr.kind == MSG_VERDICT && o->reason != REASON_OK))
		gone(s, (enum reason)o->reason, ev->now_ns);
	if (o->hdr.kind != MSG_DONE)
		return false;
	/* Filled or withdrawn by risk: the next look decides. */
	s->px = PX(0);
	s->qty = QTY(0);
	s->refused = 0;
	hurry(q, o->hdr.instr);
	return true;
}
