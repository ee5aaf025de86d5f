#include "libsign/hl_num.h"

#include "libcore/check.h"

#define FIGURES	      5
#define PERP_DECIMALS 6
#define SPOT_DECIMALS 8
#define VALUE_MIN_USD 10

static int64_t
pow10_of(unsigned n)
{
	int64_t v = 1;

	while (n-- > 0)
		v *= 10;
	return v;
}

/* One unit of the last decimal allowed, in 1e-8. */
static px_t
decimal_tick(const struct hl_grid *c)
{
	unsigned decimals = c->spot ? SPOT_DECIMALS : PERP_DECIMALS;

	CHECK(c->sz_decimals <= HL_SZ_DECIMALS_MAX);
	return PX(E8 / pow10_of(decimals - c->sz_decimals));
}

static qty_t
lot(const struct hl_grid *c)
{
	CHECK(c->sz_decimals <= HL_SZ_DECIMALS_MAX);
	return QTY(E8 / pow10_of(c->sz_decimals));
}

px_t
hl_tick(const struct hl_grid *c, px_t px)
{
	CHECK(px.e8 > 0);
	return px_sig_tick(px, decimal_tick(c), FIGURES);
}

bool
hl_px_ok(const struct hl_grid *c, px_t px)
{
	return px.e8 > 0 && px.e8 <= PX_E8_MAX &&
	       px.e8 % hl_tick(c, px).e8 == 0;
}

bool
hl_px_round(const struct hl_grid *c, px_t px, enum side side, px_t *out)
{
	px_t tick;
	px_t r;

	CHECK(side == SIDE_BID || side == SIDE_ASK);
	if (px.e8 <= 0 || px.e8 > PX_E8_MAX)
		return false;
	tick = hl_tick(c, px);
	r = side == SIDE_BID ? px_floor_tick(px, tick) : px_ceil_tick(px, tick);
	if (r.e8 <= 0)
		return false;
	/* Up never goes past a power of ten, and that is on every grid. */
	CHECK(hl_px_ok(c, r));
	*out = r;
	return true;
}

bool
hl_qty_ok(const struct hl_grid *c, qty_t qty)
{
	return qty.e8 > 0 && qty.e8 <= QTY_E8_MAX && qty.e8 % lot(c).e8 == 0;
}

qty_t
hl_qty_floor(const struct hl_grid *c, qty_t qty)
{
	return qty.e8 <= 0 ? QTY(0) : qty_floor_lot(qty, lot(c));
}

bool
hl_value_ok(px_t px, qty_t qty)
{
	return px.e8 > 0 && qty.e8 > 0 &&
	       (i128_t)px.e8 * qty.e8 >= (i128_t)VALUE_MIN_USD * E8 * E8;
}

uint64_t
hl_nonce_next(uint64_t *last, uint64_t now_ms)
{
	*last = now_ms > *last ? now_ms : *last + 1;
	return *last;
}
