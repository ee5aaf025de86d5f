#include "quoted/strat.h"

#include "libcore/check.h"
#include "quoted/room.h"

static const struct strat *const strats[STRAT_N] = {
#define STRAT(name, kind, strategy, level) &strat_##name,
#include "quoted/strat.def"
#undef STRAT
};

const struct strat *
strat_at(unsigned i)
{
	CHECK(i < STRAT_N);
	return strats[i];
}

struct sizing_split
strat_capital(const struct quote *q)
{
	const struct cfg *c = &q->cfg;
	const struct sizing_shares shares = {
	    .maker_e8 = c->capital_maker_frac.e8,
	    .arb_e8 = c->capital_arb_frac.e8,
	    .maker_on = c->mm_enabled,
	    .arb_on = c->parity_enabled,
	};

	return sizing_split(q->capital, &shares);
}

qty_t
strat_own(const struct quote_mkt *m)
{
	return QTY(m->position.e8 - m->held.e8);
}

qty_t
strat_lots(struct strat_look *l, struct strat_want *want, enum side side,
    px_t px, qty_t n)
{
	const struct instr *in = &l->m->in;
	usd_t value;

	n = n.e8 > 0 ? qty_floor_lot(n, in->lot_qty) : QTY(0);
	value = usd_notional(px, n);
	if (!why_put(&l->why, side, WHY_SIZE, n.e8, in->min_qty.e8,
		n.e8 > 0 && n.e8 >= in->min_qty.e8))
		want->stop[side] = WHY_SIZE;
	else if (!why_put(&l->why, side, WHY_VALUE, value.e6, in->min_usd.e6,
		     value.e6 >= in->min_usd.e6))
		want->stop[side] = WHY_VALUE;
	else
		return n;
	if (n.e8 > 0 && !l->m->warned) {
		l->m->warned = true;
		quote_note_add(
		    l->out, &(struct quote_note){QUOTE_SMALL, l->instr,
				REASON_TOO_SMALL, 0, n.e8, in->min_qty.e8});
	}
	return QTY(0);
}

qty_t
strat_exit(const struct strat_look *l, enum side side)
{
	const struct book *b = &l->q->book[l->instr].book;
	const struct quote_side *own = &l->m->side[side];
	struct book_level best;
	int64_t reach = l->q->cfg.sizing_exit_ticks * l->m->in.tick_px.e8;
	px_t px;
	qty_t n;

	/* What is bought is sold to the bids, and the other way round. */
	if (book_n(b, SIDE_BID) == 0 || book_n(b, SIDE_ASK) == 0 ||
	    !book_best(b, side, &best))
		return QTY(-1);
	px = side == SIDE_BID ? PX(i64_max(0, best.px.e8 - reach))
			      : PX(best.px.e8 + reach);
	n = book_depth_to(b, side, px);
	/* Paper orders are in no book. */
	if (l->q->cfg.system_mode != MODE_PAPER && own->qty.e8 > 0 &&
	    (side == SIDE_BID ? own->px.e8 >= px.e8 : own->px.e8 <= px.e8))
		n.e8 = i64_max(0, n.e8 - own->qty.e8);
	return n;
}
