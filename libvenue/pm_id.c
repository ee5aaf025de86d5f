#include "libvenue/pm_id.h"

#include "libcore/check.h"
#include "libcore/swar.h"

#define CHUNK_DIGITS 16
#define CHUNK_VALUE  UINT64_C(10000000000000000)
#define DIGITS_MAX   78

__extension__ typedef unsigned __int128 u128_t;

/* w = w * 10^16 + add over the lowest n limbs; returns the carry out. */
static inline uint64_t
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

/* n digits, 1 to 15, one by one. */
static bool
head_slow(const char *s, size_t n, uint64_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	*out = v;
	return true;
}

/* The same for 8 to 15 digits. */
static inline bool
head_fast(const char *s, unsigned n, uint64_t *out)
{
	uint64_t a = swar_load8(s) ^ SWAR_ALL('0');
	uint64_t b = swar_load8(s + n - 8) ^ SWAR_ALL('0');

	if (swar_digits(a) != 8 || swar_digits(b) != 8)
		return false;
	uint64_t hi = n == 8 ? 0 : swar_lead(a, n - 8);

	*out = hi * 100000000 + swar_value(b);
	return true;
}

static inline bool
chunk(const char *s, uint64_t *out)
{
	uint64_t a = swar_load8(s) ^ SWAR_ALL('0');
	uint64_t b = swar_load8(s + 8) ^ SWAR_ALL('0');

	*out = swar_value(a) * 100000000 + swar_value(b);
	return swar_digits(a) + swar_digits(b) == CHUNK_DIGITS;
}

bool
pm_token_parse(const char *s, size_t n, struct pm_token *out)
{
	uint64_t w[4] = {0};
	uint64_t part;
	unsigned head = (unsigned)(n % CHUNK_DIGITS);
	unsigned limbs = 1;

	if (n == 0 || n > DIGITS_MAX || (s[0] == '0' && n > 1))
		return false;
	if (head != 0 && !(head >= 8 ? head_fast(s, head, &w[0])
				     : head_slow(s, head, &w[0])))
		return false;
	for (size_t i = head; i < n; i += CHUNK_DIGITS) {
		if (!chunk(s + i, &part))
			return false;
		uint64_t carry = limbs_push(w, limbs, part);

		if (limbs < 4)
			w[limbs++] = carry;
		else if (carry != 0)
			return false;
	}
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

/* Eight hex digits to four bytes; false when one is not. */
static inline bool
hex8(const char *s, uint8_t *out)
{
	uint64_t x = swar_load8(s);
	uint64_t d = x ^ SWAR_ALL(0x30);
	uint64_t a = (x | SWAR_ALL(0x20)) ^ SWAR_ALL(0x60);
	uint64_t not_digit = d + SWAR_ALL(0x76);
	uint64_t letter = (a + SWAR_ALL(0x7f)) & ~(a + SWAR_ALL(0x79));
	uint64_t bad = (not_digit & ~letter) | x;
	uint64_t nib = (x & SWAR_ALL(0x0f)) + (x >> 6 & SWAR_ALL(1)) * 9;

	nib = (nib << 4 | nib >> 8) & UINT64_C(0x00ff00ff00ff00ff);
	nib = (nib | nib >> 8) & UINT64_C(0x0000ffff0000ffff);
	nib |= nib >> 16;
	memcpy(out, &nib, 4);
	return (bad & SWAR_ALL(0x80)) == 0;
}

bool
pm_cond_parse(const char *s, size_t n, struct pm_cond *out)
{
	struct pm_cond c = {.n = (uint8_t)(n / 2 - 1)};
	bool ok = true;

	if ((n != 66 && n != 64) || s[0] != '0' || s[1] != 'x')
		return false;
	for (unsigned i = 0; i < 7; i++)
		ok = hex8(s + 2 + i * 8, c.b + i * 4) && ok;
	/* The last eight digits overlap the ones before in the short form. */
	ok = hex8(s + n - 8, c.b + c.n - 4) && ok;
	if (!ok)
		return false;
	*out = c;
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
