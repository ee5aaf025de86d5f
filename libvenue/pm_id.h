/*
 * pm_id.h - Polymarket's long identifiers as fixed-size binary.
 *
 * What  : token ids are uint256 in decimal (75 to 78 digits are usual),
 *         condition ids 0x and 64 hex digits (62 in Protocol V2).
 *         Both structs compare with memcmp and have no padding.
 * Pure  : yes.
 */
#ifndef LIBVENUE_PM_ID_H
#define LIBVENUE_PM_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PM_TOKEN_TEXT_MAX 79 /* 78 digits and NUL */
#define PM_COND_TEXT_MAX  67 /* 0x, 64 digits and NUL */

/* uint256, w[0] the lowest 64 bits. Zero is no token. */
struct pm_token {
	uint64_t w[4];
};

/* n bytes (32, or 31 in V2), rest zero. n == 0 is no condition. */
struct pm_cond {
	uint8_t b[32];
	uint8_t n;
};

/* pm_token_parse - n decimal digits, 1 to 78, no leading zero, value below
 * 2^256. Returns false with *out untouched otherwise. */
bool pm_token_parse(const char *s, size_t n, struct pm_token *out);

/* pm_token_format - decimal text into buf of PM_TOKEN_TEXT_MAX bytes.
 * Returns its length. */
size_t pm_token_format(const struct pm_token *t, char *buf);

/* pm_cond_parse - "0x" and 64 or 62 hex digits of either case. */
bool pm_cond_parse(const char *s, size_t n, struct pm_cond *out);

/* pm_cond_format - lower-case text into buf of PM_COND_TEXT_MAX bytes.
 * Returns its length. */
size_t pm_cond_format(const struct pm_cond *c, char *buf);

static inline bool
pm_token_eq(const struct pm_token *a, const struct pm_token *b)
{
	return ((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) |
		   (a->w[2] ^ b->w[2]) | (a->w[3] ^ b->w[3])) == 0;
}

/* pm_token_is_position - a position id (market version "v2"), told by bits
 * 40 to 103, which are zero there; a classic token id is a hash. */
static inline bool
pm_token_is_position(const struct pm_token *t)
{
	return (t->w[0] >> 40 | (t->w[1] & ((UINT64_C(1) << 40) - 1))) == 0;
}

/* pm_token_hash - for hash tables; ids are themselves hashes, so that the
 * low word mixed once is enough. */
static inline uint64_t
pm_token_hash(const struct pm_token *t)
{
	uint64_t h = t->w[0] * UINT64_C(0x9e3779b97f4a7c15);

	return h ^ (h >> 32);
}

#endif
