/*
 * swar.h - several bytes of text at a time, in plain integer registers or,
 * on x86-64, in the 16-byte registers that every such machine has.
 *
 * The first byte of the text is the lowest byte of the word: little-endian
 * machines only. None of these look past the bytes that they are given.
 * Pure: yes.
 */
#ifndef LIBCORE_SWAR_H
#define LIBCORE_SWAR_H

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A call would cost as much as the work. */
#define SWAR_INLINE static inline __attribute__((always_inline))

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian only");

#define SWAR_ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

/* swar_load8 - eight bytes; p + 8 must be readable. */
SWAR_INLINE uint64_t
swar_load8(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* swar_other - high bits of the bytes that are no digits. x is the text xor
 * SWAR_ALL('0'): values 0..9 are digits. A carry can spoil only bytes after
 * the first that is none. */
SWAR_INLINE uint64_t
swar_other(uint64_t x)
{
	return ((x + SWAR_ALL(0x76)) | x) & SWAR_ALL(0x80);
}

/* swar_digits - how many of the eight bytes are digits before the first that
 * is not. x as above. */
SWAR_INLINE unsigned
swar_digits(uint64_t x)
{
	uint64_t other = swar_other(x);

	return other == 0 ? 8 : (unsigned)__builtin_ctzll(other) >> 3;
}

/* swar_value - eight digit values (0..9, most significant in the lowest
 * byte) as a number: pairs, then fours, then eight. */
SWAR_INLINE uint64_t
swar_value(uint64_t x)
{
	const uint64_t mask = UINT64_C(0x000000ff000000ff);
	uint64_t pairs = x * 10 + (x >> 8);
	uint64_t hi = (pairs & mask) * UINT64_C(0x000f424000000064);
	uint64_t lo = ((pairs >> 16) & mask) * UINT64_C(0x0000271000000001);

	return (hi + lo) >> 32;
}

/* swar_lead - the first n (1..8) digits as a number. */
SWAR_INLINE uint64_t
swar_lead(uint64_t x, unsigned n)
{
	return swar_value(x << (64 - 8 * n));
}

/* swar_fraction - the first n (0..8) digits as a fraction of 1e8:
 * "25" gives 25000000. */
SWAR_INLINE uint64_t
swar_fraction(uint64_t x, unsigned n)
{
	return n == 8 ? swar_value(x)
		      : swar_value(x & ((UINT64_C(1) << (8 * n)) - 1));
}

#ifdef __SSE2__
#define SWAR_BLOCK 16

/* swar_find - bit i is set when byte i of 16 equals c. */
SWAR_INLINE unsigned
swar_find(const char *p, char c)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);

	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(c)));
}

/* swar_special - bit i is set when byte i of 16 is a quote, a backslash or
 * a control byte: where plain string text ends. */
SWAR_INLINE unsigned
swar_special(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
	__m128i q = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i b = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));

	return (unsigned)_mm_movemask_epi8(
	    _mm_or_si128(_mm_or_si128(q, b), low));
}

/* swar_high - bit i is set when byte i of 16 is not ASCII. */
SWAR_INLINE unsigned
swar_high(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);

	return (unsigned)_mm_movemask_epi8(v);
}
#else
#define SWAR_BLOCK 16

SWAR_INLINE unsigned
swar_find(const char *p, char c)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < SWAR_BLOCK; i++)
		bits |= (unsigned)(p[i] == c) << i;
	return bits;
}

SWAR_INLINE unsigned
swar_special(const char *p)
{
	unsigned bits = swar_find(p, '"') | swar_find(p, '\\');

	for (unsigned i = 0; i < SWAR_BLOCK; i++)
		bits |= (unsigned)((unsigned char)p[i] < 0x20) << i;
	return bits;
}

SWAR_INLINE unsigned
swar_high(const char *p)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < SWAR_BLOCK; i++)
		bits |= (unsigned)((unsigned char)p[i] >> 7) << i;
	return bits;
}
#endif

/*
 * swar_e8 - the usual decimal text, closed by a quote: 1 to 8 digits, or
 * these, a dot and at most 8 more, as an integer 1e-8. Where the text ends is
 * found apart from what it is worth, so that work on the next value can
 * start meanwhile. p + 32 must be readable.
 * Returns : length without the quote; 0, *out untouched, for any other text.
 */
SWAR_INLINE unsigned
swar_e8(const char *p, int64_t *out)
{
	unsigned quote = swar_find(p, '"');
	unsigned n = (unsigned)__builtin_ctz(quote | 1u << 16);
	unsigned whole_n =
	    (unsigned)__builtin_ctz(swar_find(p, '.') | quote | 1u << 16);
	unsigned frac_n = n - whole_n - (whole_n < n);
	uint64_t whole = swar_load8(p) ^ SWAR_ALL('0');
	uint64_t frac = swar_load8(p + whole_n + 1) ^ SWAR_ALL('0');

	if (n == 16 || whole_n - 1 > 7 || frac_n > 8 ||
	    swar_digits(whole) < whole_n || swar_digits(frac) < frac_n)
		return 0;
	*out = (int64_t)(swar_lead(whole, whole_n) * 100000000 +
			 swar_fraction(frac, frac_n));
	return n;
}

/*
 * swar_u64 - a bare whole number of 8 to 16 digits, no leading zero: ids, and
 * times in milli- or microseconds. p + 17 must be readable.
 * Returns : length, 0 for any other number.
 */
SWAR_INLINE unsigned
swar_u64(const char *p, uint64_t *out)
{
	static const uint32_t pow10[9] = {
	    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
	uint64_t a = swar_load8(p) ^ SWAR_ALL('0');
	uint64_t b = swar_load8(p + 8) ^ SWAR_ALL('0');
	unsigned n = swar_digits(b);
	char next = p[8 + n];

	if (swar_digits(a) != 8 || p[0] == '0' || next == '.' ||
	    (next | 0x20) == 'e' || (next >= '0' && next <= '9'))
		return 0;
	*out = swar_value(a) * pow10[n] + (n == 0 ? 0 : swar_lead(b, n));
	return 8 + n;
}

#endif
