#include "libvenue/pm_id.h"

#include "libcore/check.h"
#include "libcore/swar.h"

#define CHUNK_DIGITS 16
#define CHUNK_VALUE  UINT64_C(10000000000000000)
#define DIGITS_MAX   78

__extension__ typedef unsigned __int128 u128_t;

/* w = w * 10^16 + add over the lowest n limbs; returns the carry out. */
SWAR_INLINE uint64_t
limbs_push(uint64_t *w, unsigned n, uint64_t add)
{
	u128_t carry = add;

	for (unsigned i = 0; i < n; i++) {
		carry += (u128_t)w[i] * CHUNK_VALUE;
		w[i] = (uint64_t)carry;
		carry >>= 64;
	}
	return (uint64_t)carry;
}

/* Sixteen digits as a number; adds to *other where there are none. */
SWAR_INLINE uint64_t
chunk(const char *s, uint64_t *other)
{
	uint64_t a = swar_load8(s) ^ SWAR_ALL('0');
	uint64_t b = swar_load8(s + 8) ^ SWAR_ALL('0');

	*other |= swar_other(a) | swar_other(b);
	return swar_value(a) * 100000000 + swar_value(b);
}

/* n digits, 0 to 15, one by one. */
static uint64_t
head_slow(const char *s, size_t n, uint64_t *other)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		*other |= s[i] < '0' || s[i] > '9';
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	return v;
}

/* The same for 8 to 15 digits. */
SWAR_INLINE uint64_t
head_fast(const char *s, size_t n, uint64_t *other)
{
	uint64_t a = swar_load8(s) ^ SWAR_ALL('0');
	uint64_t b = swar_load8(s + n - 8) ^ SWAR_ALL('0');

	*other |= swar_other(a) | swar_other(b);
	return (n == 8 ? 0 : swar_lead(a, (unsigned)n - 8)) * 100000000 +
	       swar_value(b);
}

bool
pm_token_parse(const char *s, size_t n, struct pm_token *out)
{
	uint64_t w[4] = {0};
	uint64_t other = 0;
	uint64_t carry = 0;
	size_t head = n % CHUNK_DIGITS;

	if (n == 0 || n > DIGITS_MAX || (s[0] == '0' && n > 1))
		return false;
	w[0] =
	    head >= 8 ? head_fast(s, head, &other) : head_slow(s, head, &other);
	s += head;
	/* Each step needs one limb more than the last. */
	if (n >= CHUNK_DIGITS)
		w[1] = limbs_push(w, 1, chunk(s, &other));
	if (n >= 2 * CHUNK_DIGITS)
		w[2] = limbs_push(w, 2, chunk(s + CHUNK_DIGITS, &other));
	if (n >= 3 * CHUNK_DIGITS)
		w[3] = limbs_push(w, 3, chunk(s + 2 * CHUNK_DIGITS, &other));
	if (n >= 4 * CHUNK_DIGITS)
		carry = limbs_push(w, 4, chunk(s + 3 * CHUNK_DIGITS, &other));
	if (other != 0 || carry != 0)
		return false;
	memcpy(out->w, w, sizeof(w));
	return true;
}

/* w /= 10, the remainder. */
static unsigned
limbs_div10(uint64_t *w)
{
	u128_t rem = 0;

	for (int i = 3; i >= 0; i--) {
		u128_t v = rem << 64 | w[i];

		w[i] = (uint64_t)(v / 10);
		rem = v % 10;
	}
	return (unsigned)rem;
}

size_t
pm_token_format(const struct pm_token *t, char *buf)
{
	char tmp[PM_TOKEN_TEXT_MAX];
	uint64_t w[4];
	size_t n = 0;
	size_t len = 0;

	memcpy(w, t->w, sizeof(w));
	do {
		CHECK(n < DIGITS_MAX);
		tmp[n++] = (char)('0' + limbs_div10(w));
	} while ((w[0] | w[1] | w[2] | w[3]) != 0);
	while (n > 0)
		buf[len++] = tmp[--n];
	buf[len] = '\0';
	return len;
}

/* Eight hex digits as four bytes, the first lowest; adds to *bad where there
 * are none. Without high bits in the text no sum here carries into the next
 * byte. */
SWAR_INLINE uint64_t
hex8(const char *s, uint64_t *bad)
{
	uint64_t x = swar_load8(s);
	uint64_t a = (x | SWAR_ALL(0x20)) ^ SWAR_ALL(0x60);
	uint64_t letter = (a + SWAR_ALL(0x7f)) & ~(a + SWAR_ALL(0x79));
	uint64_t nib = (x & SWAR_ALL(0x0f)) + (x >> 6 & SWAR_ALL(1)) * 9;

	*bad |= (swar_other(x ^ SWAR_ALL('0')) & ~letter) | x;
	nib = (nib << 4 | nib >> 8) & UINT64_C(0x00ff00ff00ff00ff);
	nib = (nib | nib >> 8) & UINT64_C(0x0000ffff0000ffff);
	return (nib | nib >> 16) & UINT32_MAX;
}

SWAR_INLINE uint64_t
hex16(const char *s, uint64_t *bad)
{
	uint64_t lo = hex8(s, bad);

	return lo | hex8(s + 8, bad) << 32;
}

bool
pm_cond_parse(const char *s, size_t n, struct pm_cond *out)
{
	uint64_t bad = 0;
	uint64_t w[4];

	if ((n != 66 && n != 64) || s[0] != '0' || s[1] != 'x')
		return false;
	for (unsigned i = 0; i < 3; i++)
		w[i] = hex16(s + 2 + i * 16, &bad);
	/* The short form's last word overlaps the one before by a byte. */
	w[3] = hex16(s + n - 16, &bad);
	if ((bad & SWAR_ALL(0x80)) != 0)
		return false;
	if (n == 64)
		w[3] >>= 8;
	memcpy(out->b, w, sizeof(w));
	out->n = (uint8_t)(n / 2 - 1);
	return true;
}

size_t
pm_cond_format(const struct pm_cond *c, char *buf)
{
	static const char hex[] = "0123456789abcdef";
	size_t len = 2;

	CHECK(c->n <= sizeof(c->b));
	buf[0] = '0';
	buf[1] = 'x';
	for (unsigned i = 0; i < c->n; i++) {
		buf[len++] = hex[c->b[i] >> 4];
		buf[len++] = hex[c->b[i] & 15];
	}
	buf[len] = '\0';
	return len;
}
