/* From what should rest to intents. */
#include "libcore/check.h"
#include "quoted/room.h"

struct quote_side *
quote_slot(struct quote *q, uint16_t instr, enum side side, uint8_t level)
{
	CHECK(side == SIDE_BID || side == SIDE_ASK);
	if (level == 0)
		return &q->mkt[instr].side[side];
	if (instr < INSTR_HL_BASE || level >= ORDER_LEVELS)
		return 0;
	return &q->perp[instr - INSTR_HL_BASE].slot[side][level];
}

uint32_t
quote_levels(uint16_t instr)
{
	return instr < INSTR_HL_BASE ? 1 : ORDER_LEVELS;
}

void
quote_emit(
    struct strat_look *l, const struct strat *s, enum side side, uint8_t level)
{
	struct quote *q = l->q;
	struct quote_mkt *m = l->m;
	struct quote_side *slot = quote_slot(q, l->instr, side, level);
	struct order *o = core_out_add(&l->out->core, RG_INTENT);
	bool caused =
	    l->ev->kind == EV_SLOT && slot_is_tick(l->ev->slot->hdr.kind);

	slot->id = q->epoch << 40 | ++q->counter;
	slot->since_ns = l->ev->now_ns;
	o->hdr.kind = MSG_INTENT;
	o->hdr.instr = l->instr;
	o->hdr.venue_ns = m->venue_ns;
	o->hdr.recv_ns = caused ? l->ev->slot->hdr.recv_ns : l->ev->now_ns;
	o->quote_delta = slot_delta(o->hdr.recv_ns, l->ev->now_ns);
	o->id = slot->id;
	o->px = slot->px;
	o->qty = slot->qty;
	o->venue = m->in.venue;
	o->side = (uint8_t)side;
	o->level = level;
	o->strategy = (uint8_t)s->id;
	o->tif = TIF_GTC;
	o->oflags = ORDER_POST_ONLY;
	o->epoch = m->in.epoch;
	if (l->instr >= INSTR_HL_BASE && slot->qty.e8 > 0)
		ladder_spend(&q->perp[l->instr - INSTR_HL_BASE].state);
}

static bool
differs(const struct strat_look *l, const struct quote_side *have,
    const struct book_level *want)
{
	const struct cfg *c = &l->q->cfg;
	const struct instr *in = &l->m->in;
	px_t tick = px_sig_tick(want->px, in->tick_px, in->px_sig);
	int64_t move = want->px.e8 - have->px.e8;
	int64_t size = want->qty.e8 - have->qty.e8;

	if ((have->qty.e8 == 0) != (want->qty.e8 == 0))
		return true;
	if (want->qty.e8 == 0)
		return false;
	if (move < 0)
		move = -move;
	if (size < 0)
		size = -size;
	if (move > 0 && move >= tick.e8 * c->mm_requote_min_ticks)
		return true;
	return size > i64_mul_div(have->qty.e8, c->exec_size_tolerance.e8, E8);
}

/* One slot. False: the wish was refused a moment ago. */
static bool
want_slot(struct strat_look *l, const struct strat *s, enum side side,
    uint8_t level, const struct book_level *want)
{
	struct quote_side *slot = quote_slot(l->q, l->instr, side, level);

	if (slot->refused != 0 && want->qty.e8 != 0) {
		if (l->ev->now_ns < slot->again_ns)
			return false;
		slot->qty = QTY(0);
	}
	if (!differs(l, slot, want))
		return true;
	slot->refused = 0;
	slot->px = want->qty.e8 != 0 ? want->px : PX(0);
	slot->qty = want->qty;
	quote_emit(l, s, side, level);
	return true;
}

static void
want_side(struct strat_look *l, const struct strat *s, enum side side,
    const struct strat_want *want)
{
	static const struct book_level none = {{0}, {0}};
	uint32_t levels = quote_levels(l->instr);
	enum why_id stop = want->stop[side];
	bool free = true;

	for (uint32_t k = 0; k < levels; k++) {
		const struct book_level *v =
		    k < want->n[side] ? &want->level[side][k] : &none;

		free = want_slot(l, s, side, (uint8_t)k, v) && free;
	}
	if (want->n[side] > 0) {
		const struct quote_side *slot = &l->m->side[side];

		stop = WHY_N;
		if (!why_put(&l->why, side, WHY_REFUSED,
			free ? 0 : slot->refused, 0, free))
			stop = WHY_REFUSED;
	}
	why_looked(&l->why, side, stop);
}

void
quote_apply(
    struct strat_look *l, const struct strat *s, const struct strat_want *want)
{
	const struct quote_side *ask = &l->m->side[SIDE_ASK];
	/* The side that makes room goes first, or riskd would see the other
	 * one meet an order of ours. */
	enum side first = ask->qty.e8 != 0 && want->n[SIDE_ASK] > 0 &&
				  want->level[SIDE_ASK][0].px.e8 > ask->px.e8
			      ? SIDE_ASK
			      : SIDE_BID;

	want_side(l, s, first, want);
	want_side(l, s, side_opposite(first), want);
}
