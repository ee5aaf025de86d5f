#include "libcore/sizing.h"

#include "libcore/check.h"

#define CENT_E6 10000

/* A fraction of money to the nearest cent, halves up. */
static int64_t
cents(usd_t usd, int64_t frac_e8)
{
	int64_t e6 = i64_mul_div(usd.e6, frac_e8, E8);

	return (e6 + CENT_E6 / 2) / CENT_E6 * CENT_E6;
}

struct sizing_split
sizing_split(usd_t balance, const struct sizing_shares *s)
{
	struct sizing_split out = {0};
	int64_t left = balance.e6;

	CHECK(s->maker_e8 >= 0);
	CHECK(s->arb_e8 >= 0);
	CHECK(s->maker_e8 + s->arb_e8 <= E8);
	if (left <= 0)
		return out;
	if (s->maker_on)
		out.maker.e6 = i64_min(left, cents(balance, s->maker_e8));
	left -= out.maker.e6;
	if (s->arb_on)
		out.arb.e6 = i64_min(left, cents(balance, s->arb_e8));
	out.reserve.e6 = left - out.arb.e6;
	return out;
}

qty_t
sizing_quantity(usd_t capital, int64_t markets, px_t each)
{
	CHECK(markets > 0);
	if (capital.e6 <= 0)
		return QTY(0);
	return QTY(
	    i64_mul_div(capital.e6, 100 * E8, i64_max(1, each.e8)) / markets);
}

px_t
sizing_stake(enum side side, px_t px, bool worst_case)
{
	return side == SIDE_BID || !worst_case ? px : px_complement(px);
}

qty_t
sizing_binary(const struct sizing_in *in)
{
	int64_t held =
	    in->side == SIDE_BID ? -in->position.e8 : in->position.e8;
	qty_t n = sizing_quantity(in->capital, in->markets,
	    sizing_stake(in->side, in->px, in->worst_case));
	int64_t reduces = i64_max(0, held);

	CHECK(in->side == SIDE_BID || in->side == SIDE_ASK);
	if (in->exit.e8 >= 0)
		n.e8 = i64_min(n.e8, in->exit.e8);
	n.e8 += reduces;
	if (in->max.e8 > 0)
		n.e8 = i64_min(n.e8, in->max.e8);
	n.e8 = i64_min(n.e8, in->limit.e8 + held);
	return QTY(i64_max(0, n.e8));
}
