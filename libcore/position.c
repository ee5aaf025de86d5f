#include "libcore/position.h"

#include "libcore/check.h"

#define E16_PER_E6 INT64_C(10000000000)

static i128_t
floor_div(i128_t a, i128_t b)
{
	i128_t q = a / b;

	return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

usd_t
e16_to_usd(i128_t e16)
{
	i128_t e6 = floor_div(e16, E16_PER_E6);

	CHECK(e6 <= INT64_MAX);
	CHECK(e6 >= INT64_MIN);
	return USD((int64_t)e6);
}

static int64_t
abs64(int64_t v)
{
	return v < 0 ? -v : v;
}

/* cost * part / whole without leaving 128 bits: cost is at most px * whole,
 * so its quotient by whole is a price. */
static i128_t
share(i128_t cost, int64_t part, int64_t whole)
{
	i128_t each = cost / whole;
	i128_t rest = cost % whole;

	return each * part + rest * part / whole;
}

i128_t
position_fill(struct position *p, enum side side, px_t px, qty_t qty)
{
	int64_t sign = side == SIDE_BID ? 1 : -1;
	int64_t held = p->qty.e8;
	int64_t close = 0;
	i128_t gain = 0;

	CHECK(side == SIDE_BID || side == SIDE_ASK);
	CHECK(qty.e8 > 0 && qty.e8 <= QTY_E8_MAX);
	CHECK(px.e8 >= 0 && px.e8 <= PX_E8_MAX);
	if ((held > 0) != (sign > 0) && held != 0)
		close = i64_min(abs64(held), qty.e8);
	if (close > 0) {
		i128_t cost = share(p->cost_e16, close, abs64(held));

		/* Long: proceeds minus cost; short: credit minus outlay. */
		gain = (i128_t)-sign * close * px.e8 - cost;
		p->cost_e16 -= cost;
	}
	p->cost_e16 += (i128_t)sign * (qty.e8 - close) * px.e8;
	p->qty.e8 = held + sign * qty.e8;
	p->realised_e16 += gain;
	CHECK(abs64(p->qty.e8) <= QTY_E8_MAX);
	CHECK(p->qty.e8 != 0 || p->cost_e16 == 0);
	return gain;
}

i128_t
position_at(const struct position *p, px_t outcome)
{
	return e16_product(outcome, p->qty) - p->cost_e16;
}

usd_t
position_unrealised(const struct position *p, px_t mark)
{
	return e16_to_usd(position_at(p, mark));
}

px_t
position_avg(const struct position *p)
{
	return p->qty.e8 == 0 ? PX(0) : PX((int64_t)(p->cost_e16 / p->qty.e8));
}

usd_t
position_value(bool binary, int64_t qty_e8, px_t mark)
{
	px_t each = binary && qty_e8 < 0 ? px_complement(mark) : mark;

	return usd_notional_ceil(PX(i64_max(0, each.e8)), QTY(abs64(qty_e8)));
}
