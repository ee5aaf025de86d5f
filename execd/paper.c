#include "execd/paper.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/fees.h"

bool
paper_crosses(const struct book *b, enum side side, px_t px)
{
	struct book_level best;

	CHECK(side == SIDE_BID || side == SIDE_ASK);
	if (!book_best(b, side_opposite(side), &best))
		return false;
	return side == SIDE_BID ? px.e8 >= best.px.e8 : px.e8 <= best.px.e8;
}

bool
paper_reprice(const struct book *b, enum side side, px_t px, px_t tick,
    bool binary, px_t *out)
{
	struct book_level best;
	int64_t step = side == SIDE_BID ? -tick.e8 : tick.e8;
	int64_t to = px.e8 + step;

	CHECK(side == SIDE_BID || side == SIDE_ASK);
	CHECK(tick.e8 > 0);
	if (book_best(b, side_opposite(side), &best))
		to = side == SIDE_BID ? i64_min(to, best.px.e8 + step)
				      : i64_max(to, best.px.e8 + step);
	to = side == SIDE_BID ? px_floor_tick(PX(to), tick).e8
			      : px_ceil_tick(PX(to), tick).e8;
	if (to <= 0 || to > PX_E8_MAX || (binary && to >= E8))
		return false;
	*out = PX(to);
	return true;
}

void
paper_walk(const struct book *b, enum side side, px_t px, qty_t qty, bool fok,
    struct paper_take *out)
{
	enum side other = side_opposite(side);

	memset(out, 0, sizeof(*out));
	CHECK(qty.e8 > 0);
	while (out->n < PAPER_WALK && out->qty.e8 < qty.e8) {
		const struct book_level *l = book_level(b, other, out->n);
		int64_t take;

		if (l == 0 ||
		    (side == SIDE_BID ? l->px.e8 > px.e8 : l->px.e8 < px.e8))
			break;
		take = i64_min(l->qty.e8, qty.e8 - out->qty.e8);
		out->part[out->n].px = l->px;
		out->part[out->n].qty = QTY(take);
		out->qty.e8 += take;
		out->n++;
	}
	if (fok && out->qty.e8 < qty.e8)
		memset(out, 0, sizeof(*out));
}

qty_t
paper_trade(struct queue *q, enum side side, px_t px, qty_t left,
    const struct tick_trade *t, uint64_t now_ns)
{
	bool bid = side == SIDE_BID;

	CHECK(left.e8 > 0);
	if (t->qty.e8 <= 0 || t->qty.e8 > QTY_E8_MAX || t->px.e8 < 0)
		return QTY(0);
	if (bid ? t->px.e8 < px.e8 : t->px.e8 > px.e8)
		return left;
	if (t->px.e8 != px.e8 || t->side != side_opposite(side))
		return QTY(0);
	return QTY(i64_min(left.e8, queue_trade(q, t->qty, now_ns).e8));
}

bool
paper_touched(enum side side, px_t px, const struct tick_bbo *t)
{
	CHECK(side == SIDE_BID || side == SIDE_ASK);
	if (t->bid_qty.e8 > 0 && t->ask_qty.e8 > 0 &&
	    t->bid_px.e8 >= t->ask_px.e8)
		return false;
	if (side == SIDE_BID)
		return t->ask_qty.e8 > 0 && t->ask_px.e8 <= px.e8;
	return t->bid_qty.e8 > 0 && t->bid_px.e8 >= px.e8;
}

usd_t
paper_fee(const struct instr *in, px_t px, qty_t qty, bool maker)
{
	bool binary = in->cls == CLASS_BINARY || in->cls == CLASS_UPDOWN;

	if (!binary)
		return fee_notional(
		    px, qty, maker ? in->maker_ppm : in->fee_ppm);
	return maker ? USD(0) : fee_binary(px, qty, in->fee_ppm);
}
