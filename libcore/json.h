/*
 * json.h - pull scanner for JSON that arrives on hot paths.
 *
 * What      : the caller walks the text in order; nothing is built, nothing
 *             is allocated, nothing is copied. Keys may come in any order;
 *             what the caller does not want it skips, and what is skipped
 *             is checked as strictly as what is used.
 * Strict    : RFC 8259. Refused with a reason and the offset of the byte:
 *               BAD_JSON    grammar, control byte in a string, bad escape
 *               BAD_UTF8    anywhere in the text, found by json_init
 *               TOO_DEEP    more than JSON_DEPTH_MAX open brackets
 *               BAD_TYPE    a value of another type than was asked for
 *               BAD_NUMBER  not a decimal of ours (see json_e8)
 *             The first error sticks: every later call returns false, so a
 *             decoder may check once at the end.
 * Limits    : text below 4 GiB; callers refuse long frames earlier.
 * Pure      : yes. Reads only [text, text + n). O(n).
 *
 * A typical decoder:
 *     json_init(&j, text, n);
 *     if (json_object(&j))
 *             while (json_key(&j, &key))
 *                     if (json_is(key, "price"))
 *                             json_e8(&j, PX_E8_MAX, &px);
 *                     else
 *                             json_skip(&j);
 *     json_end(&j);
 *     if (j.reason != REASON_NONE) ... json_err_off(&j) ...
 */
#ifndef LIBCORE_JSON_H
#define LIBCORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "libcore/reasons.h"

#define JSON_DEPTH_MAX 32

/* Text between the quotes of a string, escapes not undone. */
struct json_str {
	const char *s;
	uint32_t n;
	bool escaped; /* holds at least one backslash */
};

enum json_kind {
	JSON_OBJECT = 1,
	JSON_ARRAY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_BOOL,
	JSON_NULL,
	JSON_NONE, /* end of text or no value here */
	JSON_KIND_N
};

struct json {
	const char *pos; /* next byte to look at */
	const char *end;
	const char *start;
	const char *err; /* byte that was refused */
	enum reason reason;
	uint32_t depth;
	bool first; /* nothing yet in the innermost open bracket */
};

/* json_init - start at text; a text with bad UTF-8 has its reason at once. */
void json_init(struct json *j, const char *text, size_t n);

/* json_sub - scan a part of a text that json_init has accepted before. */
void json_sub(struct json *j, const char *text, size_t n);

/* json_fail - refuse here, for reasons the decoder finds. Keeps an earlier
 * error. Returns false. */
bool json_fail(struct json *j, enum reason r);

/* json_err_off - offset of the refused byte; 0 while there is no error. */
size_t json_err_off(const struct json *j);

/* json_peek - kind of the next value, not consumed. */
enum json_kind json_peek(struct json *j);

/*
 * json_object, json_array - consume an opening bracket.
 * json_key   - next key of the object, colon consumed; false when the
 *              closing brace was consumed, or on error.
 * json_item  - true when another item follows; false as for json_key.
 * After json_key or json_item one value must be consumed.
 */
bool json_object(struct json *j);
bool json_key(struct json *j, struct json_str *key);
bool json_array(struct json *j);
bool json_item(struct json *j);

/* json_end - only blanks may remain. */
bool json_end(struct json *j);

/* json_skip - consume any value, checked. Iterative. */
bool json_skip(struct json *j);

/* json_raw - the same, and gives the text of the value, quotes and
 * brackets included. */
bool json_raw(struct json *j, struct json_str *out);

bool json_string(struct json *j, struct json_str *out);
bool json_bool(struct json *j, bool *out);

/* json_null - consume null if it is next; false (no error) if it is not. */
bool json_null(struct json *j);

/*
 * json_e8 - a decimal as integer 1e-8, from a number (5, 0.01) or from a
 * string ("0.5" ".48" "5"), by the rules of fixed_parse: at most 18 digits,
 * no sign, no exponent, non-zero digits past the eighth decimal refused
 * with BAD_NUMBER, as is a value > max.
 *
 * json_fixed     - the same at another scale, with an optional minus when
 *                  neg_ok, |value| <= max.
 *
 * json_e8_floor  - the same as json_e8, but digits past the eighth decimal
 *                  are cut off (any number of them).
 */
bool json_e8(struct json *j, int64_t max, int64_t *out);
bool json_fixed(
    struct json *j, unsigned scale, bool neg_ok, int64_t max, int64_t *out);
bool json_e8_floor(struct json *j, int64_t max, int64_t *out);

/* json_u64 - digits of a number or string, at most 18, no leading zeros in
 * a number. */
bool json_u64(struct json *j, uint64_t *out);

/* json_text_u64 - the same for text at hand: 1 to 18 digits. */
bool json_text_u64(struct json_str text, uint64_t *out);

/* json_is - key or string equals a literal; only for literals. */
#define json_is(str, lit)              \
	((str).n == sizeof(lit) - 1 && \
	    memcmp((str).s, (lit), sizeof(lit) - 1) == 0)

/*
 * json_unescape - undo escapes into buf (UTF-8; a lone surrogate becomes
 * U+FFFD), with a terminating NUL.
 * Returns : length, or SIZE_MAX when cap is too small. `in` must come from
 *           json_string.
 */
size_t json_unescape(struct json_str in, char *buf, size_t cap);

/* json_escape - text as the inside of a JSON string, NUL-terminated.
 * Returns length, or SIZE_MAX when cap is too small. */
size_t json_escape(const char *s, size_t n, char *buf, size_t cap);

/* json_utf8_ok - n bytes are valid UTF-8. */
bool json_utf8_ok(const char *s, size_t n);

#endif
