#include "libcore/fees.h"

#include "libcore/check.h"

/* C * rate * p * (1 - p) in 1e-30: qty e8, ppm e6, two prices e8. */
static i128_t
curve(px_t px, qty_t qty)
{
	CHECK(px.e8 >= 0 && px.e8 <= E8);
	CHECK(qty.e8 >= 0 && qty.e8 <= QTY_E8_MAX);
	return (i128_t)qty.e8 * px.e8 * px_complement(px).e8;
}

/* 1e-24 times ppm to dollars 1e-6, through an intermediate 1e-12. */
static i128_t
scaled(i128_t e24, uint32_t ppm)
{
	return e24 / INT64_C(1000000000000) * ppm;
}

usd_t
fee_binary(px_t px, qty_t qty, uint32_t rate_ppm)
{
	i128_t e18 = scaled(curve(px, qty), rate_ppm);
	i128_t unit = INT64_C(10000000000000); /* 1e-5 dollars in 1e-18 */
	int64_t n = (int64_t)((e18 + unit / 2) / unit);

	if (n == 0 && e18 > 0)
		n = 1;
	return USD(n * 10);
}

usd_t
fee_rebate(px_t px, qty_t qty, uint32_t rate_ppm, uint32_t share_ppm)
{
	i128_t e18 = scaled(curve(px, qty), rate_ppm);

	return USD((int64_t)(e18 / E6 * share_ppm / (E6 * E6)));
}

usd_t
fee_notional(px_t px, qty_t qty, uint32_t rate_ppm)
{
	int64_t usd = usd_notional_ceil(px, qty).e6;
	i128_t e12;

	CHECK(px.e8 >= 0);
	CHECK(qty.e8 >= 0);
	e12 = (i128_t)usd * rate_ppm;
	return USD((int64_t)((e12 + E6 - 1) / E6));
}
