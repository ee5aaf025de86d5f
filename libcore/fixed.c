#include "libcore/fixed.h"

#include "libcore/check.h"

px_t
px_floor_tick(px_t p, px_t tick)
{
	CHECK(tick.e8 > 0);
	int64_t rem = p.e8 % tick.e8;

	return PX(p.e8 - (rem < 0 ? rem + tick.e8 : rem));
}

px_t
px_ceil_tick(px_t p, px_t tick)
{
	px_t down = px_floor_tick(p, tick);

	return down.e8 == p.e8 ? p : PX(down.e8 + tick.e8);
}

px_t
px_sig_tick(px_t p, px_t tick, uint32_t sig)
{
	int64_t step = 1;
	int64_t top = 1;

	CHECK(tick.e8 > 0);
	if (sig == 0 || p.e8 <= 0)
		return tick;
	/* 10^sig * step is the first price with one figure too many. */
	for (uint32_t i = 0; i < sig && top < INT64_MAX / 10; i++)
		top *= 10;
	while (step < E8 && top <= p.e8 / step)
		step *= 10;
	return PX(i64_max(step, tick.e8));
}

qty_t
qty_floor_lot(qty_t q, qty_t lot)
{
	CHECK(lot.e8 > 0);
	return QTY(q.e8 - q.e8 % lot.e8);
}

int64_t
i64_mul_div(int64_t a, int64_t b, int64_t c)
{
	CHECK(c != 0);
	i128_t r = (i128_t)a * b / c;

	CHECK(r <= INT64_MAX);
	CHECK(r >= INT64_MIN);
	return (int64_t)r;
}

/* e8 * e8 = e16; dollars are e6, so divide by 1e10. */
#define E8E8_PER_E6 INT64_C(10000000000)

usd_t
usd_notional(px_t p, qty_t q)
{
	return USD(i64_mul_div(p.e8, q.e8, E8E8_PER_E6));
}

usd_t
usd_notional_ceil(px_t p, qty_t q)
{
	i128_t prod = (i128_t)p.e8 * q.e8;
	int64_t down = i64_mul_div(p.e8, q.e8, E8E8_PER_E6);

	if (prod == (i128_t)down * E8E8_PER_E6)
		return USD(down);
	return USD(prod > 0 ? down + 1 : down - 1);
}

#define DIGITS_MAX 18

bool
fixed_parse(const char *s, size_t n, unsigned scale, bool neg_ok, int64_t max,
    int64_t *out)
{
	size_t i = 0;
	bool neg = false;
	bool dot = false;
	bool any = false;
	unsigned frac = 0;
	unsigned digits = 0;
	int64_t v = 0;

	CHECK(scale <= DIGITS_MAX);
	if (neg_ok && n > 0 && s[0] == '-') {
		neg = true;
		i = 1;
	}
	for (; i < n; i++) {
		char c = s[i];

		if (c == '.' && !dot) {
			dot = true;
			continue;
		}
		if (c < '0' || c > '9')
			return false;
		any = true;
		if (dot && frac == scale) {
			if (c != '0')
				return false;
			continue;
		}
		if (v != 0 || c != '0')
			digits++;
		if (digits > DIGITS_MAX)
			return false;
		v = v * 10 + (c - '0');
		frac += dot;
	}
	if (!any)
		return false;
	for (; frac < scale; frac++) {
		if (v > max / 10)
			return false;
		v *= 10;
	}
	if (v > max)
		return false;
	*out = neg ? -v : v;
	return true;
}

size_t
fixed_format(int64_t value, unsigned scale, char *buf)
{
	char tmp[FIXED_TEXT_MAX];
	size_t n = 0;
	size_t len = 0;
	unsigned pos = 0;
	bool cut = true;
	uint64_t u = value < 0 ? -(uint64_t)value : (uint64_t)value;

	CHECK(scale <= DIGITS_MAX);
	do {
		char c = (char)('0' + u % 10);

		u /= 10;
		if (pos == scale && scale > 0 && n > 0)
			tmp[n++] = '.';
		if (pos >= scale || c != '0')
			cut = false;
		if (!cut || pos >= scale)
			tmp[n++] = c;
		pos++;
	} while (u > 0 || pos <= scale);
	if (value < 0)
		buf[len++] = '-';
	while (n > 0)
		buf[len++] = tmp[--n];
	buf[len] = '\0';
	return len;
}
