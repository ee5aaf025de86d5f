/* Takes on their way, and what the takers hold. */
#include <string.h>

#include "libcore/check.h"
#include "quoted/room.h"

/* After its deadline a take may still be answered for so long. */
#define LATE_NS (UINT64_C(10) * (uint64_t)NS_PER_S)

static struct quote_take *
by_id(struct quote *q, uint64_t id)
{
	for (uint32_t i = 0; i < QUOTE_TAKES; i++)
		if (id != 0 && q->take[i].id == id)
			return &q->take[i];
	return 0;
}

static struct quote_take *
free_one(struct quote *q)
{
	for (uint32_t i = 0; i < QUOTE_TAKES; i++)
		if (q->take[i].id == 0)
			return &q->take[i];
	return 0;
}

uint64_t
strat_send(struct strat_look *l, const struct strat *s,
    const struct strat_take *t, uint16_t instr)
{
	struct quote *q = l->q;
	struct quote_mkt *m = &q->mkt[instr];
	struct quote_take *k = free_one(q);
	struct order *o;

	CHECK(instr < INSTR_N);
	CHECK(t->side == SIDE_BID || t->side == SIDE_ASK);
	CHECK(t->qty.e8 > 0);
	if (k == 0 || l->out->core.n >= CORE_OUT_MAX)
		return 0;
	o = core_out_add(&l->out->core, RG_INTENT);
	o->id = q->epoch << 40 | ++q->counter;
	o->hdr.kind = MSG_INTENT;
	o->hdr.instr = instr;
	o->hdr.venue_ns = m->venue_ns;
	o->hdr.recv_ns = l->ev->now_ns;
	if (l->ev->kind == EV_SLOT && slot_is_tick(l->ev->slot->hdr.kind))
		o->hdr.recv_ns = l->ev->slot->hdr.recv_ns;
	o->quote_delta = slot_delta(o->hdr.recv_ns, l->ev->now_ns);
	o->px = t->px;
	o->qty = t->qty;
	o->venue = m->in.venue;
	o->side = (uint8_t)t->side;
	o->level = s->level;
	o->strategy = (uint8_t)s->id;
	o->tif = t->whole ? TIF_FOK : TIF_IOC;
	o->oflags = ORDER_IMPERATIVE;
	o->epoch = m->in.epoch;
	o->life_ms = (uint32_t)(t->life_ns / (uint64_t)NS_PER_MS);
	*k = (struct quote_take){.id = o->id,
	    .until_ns = l->ev->now_ns + t->life_ns,
	    .pair = t->pair,
	    .px = t->px,
	    .qty = t->qty,
	    .instr = instr,
	    .side = (uint8_t)t->side,
	    .strategy = (uint8_t)s->id};
	m->take_ns = l->ev->now_ns;
	return o->id;
}

static bool
is_held(uint8_t strategy)
{
	return strategy == STRATEGY_EDGE || strategy == STRATEGY_SATELLITE;
}

static void
hold_add(struct quote *q, const struct quote_take *k, const struct order *o)
{
	struct quote_mkt *m = &q->mkt[k->instr];
	int64_t signed_e8 =
	    k->side == SIDE_BID ? o->exec_qty.e8 : -o->exec_qty.e8;
	px_t stake = sizing_stake((enum side)k->side, o->exec_px, true);
	struct quote_hold *h = 0;

	if (!is_held(k->strategy))
		return;
	m->held.e8 += signed_e8;
	for (uint32_t i = 0; i < QUOTE_HOLDS; i++) {
		struct quote_hold *at = &q->hold[i];

		if (at->qty.e8 == 0 && h == 0)
			h = at;
		if (at->qty.e8 != 0 && at->instr == k->instr &&
		    at->strategy == k->strategy) {
			h = at;
			break;
		}
	}
	if (h == 0)
		return; /* full: kelly.concurrent_max is far below */
	if (h->qty.e8 == 0)
		*h = (struct quote_hold){
		    .instr = k->instr, .strategy = k->strategy};
	h->qty.e8 += signed_e8;
	h->cost.e6 += usd_notional(stake, o->exec_qty).e6;
}

void
quote_hold_drop(struct quote *q, uint16_t instr)
{
	for (uint32_t i = 0; i < QUOTE_HOLDS; i++)
		if (q->hold[i].qty.e8 != 0 && q->hold[i].instr == instr)
			memset(&q->hold[i], 0, sizeof(q->hold[i]));
	q->mkt[instr].held = QTY(0);
}

bool
quote_take_report(struct quote *q, const struct order *o,
    const struct event *ev, struct quote_out *out)
{
	struct quote_take *k = by_id(q, o->id);

	if (k == 0)
		return false;
	if (o->hdr.kind == MSG_FILL && (o->oflags & ORDER_REVERSED) == 0 &&
	    o->exec_qty.e8 > 0 && o->exec_qty.e8 <= k->qty.e8 - k->filled.e8) {
		k->filled.e8 += o->exec_qty.e8;
		hold_add(q, k, o);
		if (k->done == 2)
			parity_late(q, k, o->exec_qty, ev, out);
	}
	if (o->hdr.kind == MSG_DONE || o->hdr.kind == MSG_REJECT ||
	    (o->hdr.kind == MSG_VERDICT && o->reason != REASON_OK) ||
	    k->filled.e8 == k->qty.e8)
		k->done = 1;
	if (k->pair != 0)
		parity_turn(q, ev, out);
	else if (k->done)
		memset(k, 0, sizeof(*k));
	return true;
}

void
quote_takes_turn(struct quote *q, const struct event *ev, struct quote_out *out)
{
	parity_turn(q, ev, out);
	for (uint32_t i = 0; i < QUOTE_TAKES; i++) {
		struct quote_take *k = &q->take[i];

		if (k->id != 0 && k->pair == 0 &&
		    ev->now_ns > k->until_ns + LATE_NS)
			memset(k, 0, sizeof(*k));
	}
}

uint32_t
strat_held(const struct quote *q, enum strategy s, usd_t *at_stake)
{
	uint32_t n = 0;

	*at_stake = USD(0);
	for (uint32_t i = 0; i < QUOTE_HOLDS; i++) {
		if (q->hold[i].qty.e8 == 0 || q->hold[i].strategy != s)
			continue;
		n++;
		at_stake->e6 += q->hold[i].cost.e6;
	}
	/* What is on its way may become one. */
	for (uint32_t i = 0; i < QUOTE_TAKES; i++) {
		const struct quote_take *k = &q->take[i];

		if (k->id == 0 || k->strategy != s)
			continue;
		n++;
		at_stake->e6 +=
		    usd_notional(sizing_stake((enum side)k->side, k->px, true),
			QTY(k->qty.e8 - k->filled.e8))
			.e6;
	}
	return n;
}

void
quote_take_lost(struct quote *q, uint64_t id)
{
	struct quote_take *k = by_id(q, id);

	if (k == 0)
		return;
	if (k->pair != 0)
		k->done = 1; /* the other legs learn of it in their turn */
	else
		memset(k, 0, sizeof(*k));
}

uint64_t
quote_takes_wake(const struct quote *q, uint64_t before)
{
	for (uint32_t i = 0; i < QUOTE_TAKES && q->pair_n > 0; i++)
		if (q->take[i].id != 0 && q->take[i].pair != 0 &&
		    q->take[i].until_ns < before)
			before = q->take[i].until_ns;
	return before;
}
