#include "libsign/hex.h"

#include <string.h>

#include "libcore/check.h"

__extension__ typedef unsigned __int128 u128_t;

#define CHUNK	     UINT64_C(10000000000000000000)
#define CHUNK_DIGITS 19

/* Two digits a byte, so that a signature is one look-up a byte. */
#define HEX_ROW(h)                                                          \
	h "0" h "1" h "2" h "3" h "4" h "5" h "6" h "7" h "8" h "9" h "a" h \
	  "b" h "c" h "d" h "e" h "f"
static const char pairs[] = HEX_ROW("0") HEX_ROW("1") HEX_ROW("2") HEX_ROW("3")
    HEX_ROW("4") HEX_ROW("5") HEX_ROW("6") HEX_ROW("7") HEX_ROW("8")
	HEX_ROW("9") HEX_ROW("a") HEX_ROW("b") HEX_ROW("c") HEX_ROW("d")
	    HEX_ROW("e") HEX_ROW("f");

char *
hex_put(char *dst, const uint8_t *src, size_t n)
{
	for (size_t i = 0; i < n; i++, dst += 2)
		memcpy(dst, pairs + (size_t)2 * src[i], 2);
	return dst;
}

/* The value of a digit, above 15 for anything else; no branch, no table. */
static unsigned
nibble(unsigned c)
{
	unsigned low = c | 0x20;
	unsigned digit = c - '0';
	unsigned letter = low - 'a';
	unsigned is_digit = 0U - (unsigned)(digit < 10);
	unsigned is_letter = 0U - (unsigned)(letter < 6);

	return (digit & is_digit) | ((letter + 10) & is_letter) |
	       (0x100 & ~(is_digit | is_letter));
}

bool
hex_parse(const char *s, size_t n, uint8_t *out, size_t want)
{
	unsigned bad = 0;

	if (n >= 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		s += 2;
		n -= 2;
	}
	if (n != 2 * want)
		return false;
	for (size_t i = 0; i < want; i++) {
		unsigned hi = nibble((unsigned char)s[2 * i]);
		unsigned lo = nibble((unsigned char)s[2 * i + 1]);

		bad |= hi | lo;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return bad < 16;
}

char *
dec_put(char *dst, uint64_t v)
{
	char tmp[20];
	size_t n = sizeof(tmp);

	do {
		tmp[--n] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	memcpy(dst, tmp + n, sizeof(tmp) - n);
	return dst + (sizeof(tmp) - n);
}

char *
dec256_put(char *dst, const uint64_t w[4])
{
	char tmp[5 * CHUNK_DIGITS];
	uint64_t v[4];
	size_t n = sizeof(tmp);

	memcpy(v, w, sizeof(v));
	do {
		u128_t rem = 0;

		CHECK(n >= CHUNK_DIGITS);
		for (int i = 3; i >= 0; i--) {
			u128_t x = rem << 64 | v[i];

			v[i] = (uint64_t)(x / CHUNK);
			rem = x % CHUNK;
		}
		for (unsigned i = 0; i < CHUNK_DIGITS; i++, rem /= 10)
			tmp[--n] = (char)('0' + (int)(rem % 10));
	} while ((v[0] | v[1] | v[2] | v[3]) != 0);
	while (n < sizeof(tmp) - 1 && tmp[n] == '0')
		n++;
	memcpy(dst, tmp + n, sizeof(tmp) - n);
	return dst + (sizeof(tmp) - n);
}
