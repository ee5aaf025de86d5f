/*
 * fixed.h - money, prices and quantities as integers.
 *
 * px_t   1e-8 quote currency a unit     (a binary's price is 0..1e8)
 * qty_t  1e-8 base units, shares or coins
 * usd_t  1e-6 US dollars
 *
 * One-field structs, so that they cannot be mixed; the code generated is
 * that of a plain int64_t. Products go through 128 bits and a result that
 * does not fit 64 bits fails a CHECK: ranges are enforced where numbers
 * enter (PX_E8_MAX, QTY_E8_MAX), so that cannot happen to valid input.
 *
 * Pure: yes.
 */
#ifndef LIBCORE_FIXED_H
#define LIBCORE_FIXED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 i128_t;

typedef struct {
	int64_t e8;
} px_t;

typedef struct {
	int64_t e8;
} qty_t;

typedef struct {
	int64_t e6;
} usd_t;

#define E8	  INT64_C(100000000)
#define E6	  INT64_C(1000000)
#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

/* Largest price and quantity accepted from outside: 1e8 (1e16) and 1e10
 * (1e18). Nine such quantities can be added in 64 bits, and the products of
 * all levels of a book fit 128. */
#define PX_E8_MAX  (INT64_C(100000000) * E8)
#define QTY_E8_MAX (INT64_C(10000000000) * E8)

#define PX(e8_)	 ((px_t){(e8_)})
#define QTY(e8_) ((qty_t){(e8_)})
#define USD(e6_) ((usd_t){(e6_)})
#define PX_ONE	 PX(E8)

/* px_floor_tick, px_ceil_tick - nearest multiple of tick at or below, at or
 * above p. Needs tick > 0 (CHECK). Any sign of p. */
px_t px_floor_tick(px_t p, px_t tick);
px_t px_ceil_tick(px_t p, px_t tick);

/*
 * px_sig_tick - the grid step at price p of a venue that allows `sig`
 * significant figures (0: no such rule) beside its own tick, integers always
 * being allowed (Hyperliquid). Never below tick. p <= 0 gives tick.
 */
px_t px_sig_tick(px_t p, px_t tick, uint32_t sig);

/* qty_floor_lot - nearest multiple of lot at or below q, toward zero.
 * Needs lot > 0 (CHECK). */
qty_t qty_floor_lot(qty_t q, qty_t lot);

/* px_complement - price of the other token of a binary: 1 - p. */
static inline px_t
px_complement(px_t p)
{
	return PX(E8 - p.e8);
}

/* usd_notional - p * q in dollars, rounded toward zero at 1e-6.
 * |p| <= PX_E8_MAX and |q| <= QTY_E8_MAX; CHECK when it leaves 64 bits. */
usd_t usd_notional(px_t p, qty_t q);

/* usd_notional_ceil - the same, rounded away from zero: for what we pay. */
usd_t usd_notional_ceil(px_t p, qty_t q);

/*
 * fixed_parse - decimal text of n bytes to an integer scaled by 10^scale.
 *   "0.5" ".48" "0.500" "5" "-0.13" (a sign only when neg_ok)
 * Refused: empty, more than 18 significant digits, non-zero digits past the
 *   scale, exponents, blanks, anything else, and |value| > max.
 * Returns : true with *out set, false with *out untouched.  O(n).
 */
bool fixed_parse(const char *s, size_t n, unsigned scale, bool neg_ok,
    int64_t max, int64_t *out);

/*
 * fixed_format - value / 10^scale as decimal text without trailing zeros
 *   ("0.5", "61685.99", "-3"). buf of at least FIXED_TEXT_MAX bytes.
 * Returns : length without the terminating NUL.
 */
#define FIXED_TEXT_MAX 32
size_t fixed_format(int64_t value, unsigned scale, char *buf);

/* i64_mul_div - a * b / c through 128 bits, toward zero. Needs c != 0
 * (CHECK), result within 64 bits (CHECK). */
int64_t i64_mul_div(int64_t a, int64_t b, int64_t c);

static inline int64_t
i64_min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t
i64_max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static inline int64_t
i64_clamp(int64_t v, int64_t lo, int64_t hi)
{
	return i64_max(lo, i64_min(v, hi));
}

#endif
