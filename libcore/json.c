#include "libcore/json.h"

#include "libcore/check.h"
#include "libcore/fixed.h"
#include "libcore/swar.h"

#define E8_SCALE       8
#define U64_DIGITS_MAX 18

/* ---- UTF-8 ---- */

/* Bytes of the sequence at p, 0 when it is not valid: overlong forms,
 * surrogates and values past U+10FFFF have no place in the table of second
 * bytes. */
static size_t
utf8_len(const unsigned char *p, size_t left)
{
	unsigned char lo = 0x80;
	unsigned char hi = 0xbf;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (left < n)
		return 0;
	if (p[0] == 0xe0)
		lo = 0xa0;
	if (p[0] == 0xed)
		hi = 0x9f;
	if (p[0] == 0xf0)
		lo = 0x90;
	if (p[0] == 0xf4)
		hi = 0x8f;
	if (p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

/* Offset of the first byte that is not valid UTF-8, n when there is none.
 * Plain ASCII goes 64 and 16 bytes at a time. */
static size_t
utf8_bad_off(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n) {
		while (n - i >= 4 * SWAR_BLOCK &&
		       (swar_high(s + i) | swar_high(s + i + SWAR_BLOCK) |
			   swar_high(s + i + 2 * SWAR_BLOCK) |
			   swar_high(s + i + 3 * SWAR_BLOCK)) == 0)
			i += 4 * SWAR_BLOCK;
		if (n - i >= SWAR_BLOCK && swar_high(s + i) == 0) {
			i += SWAR_BLOCK;
			continue;
		}
		size_t stop = i + SWAR_BLOCK < n ? i + SWAR_BLOCK : n;

		while (i < stop) {
			size_t len =
			    utf8_len((const unsigned char *)s + i, n - i);

			if (len == 0)
				return i;
			i += len;
		}
	}
	return n;
}

bool
json_utf8_ok(const char *s, size_t n)
{
	return utf8_bad_off(s, n) == n;
}

/* ---- start, errors, ends ---- */

void
json_sub(struct json *j, const char *text, size_t n)
{
	CHECK(text != NULL || n == 0);
	CHECK(n < UINT32_MAX);
	j->pos = text;
	j->end = text + n;
	j->start = text;
	j->err = NULL;
	j->reason = REASON_NONE;
	j->depth = 0;
	j->first = false;
}

void
json_init(struct json *j, const char *text, size_t n)
{
	json_sub(j, text, n);
	size_t bad = utf8_bad_off(text, n);

	if (bad != n) {
		j->pos = text + bad;
		json_fail(j, REASON_BAD_UTF8);
	}
}

/* The position moves to the end, so that whatever is called next finds no
 * more text and fails too: no call has to look at the reason first. */
bool
json_fail(struct json *j, enum reason r)
{
	CHECK(r != REASON_NONE);
	if (j->reason == REASON_NONE) {
		j->reason = r;
		j->err = j->pos;
	}
	j->pos = j->end;
	return false;
}

size_t
json_err_off(const struct json *j)
{
	return j->reason == REASON_NONE ? 0 : (size_t)(j->err - j->start);
}

static inline void
skip_blanks(struct json *j)
{
	while (j->pos < j->end && (*j->pos == ' ' || *j->pos == '\n' ||
				      *j->pos == '\r' || *j->pos == '\t'))
		j->pos++;
}

/* Next byte that is not blank; 0 at the end of the text (a NUL byte is
 * refused by every caller as well). */
static inline char
next_byte(struct json *j)
{
	skip_blanks(j);
	return j->pos < j->end ? *j->pos : '\0';
}

bool
json_end(struct json *j)
{
	if (j->reason != REASON_NONE)
		return false;
	skip_blanks(j);
	return j->pos == j->end ? true : json_fail(j, REASON_BAD_JSON);
}

/* ---- kinds and brackets ---- */

enum json_kind
json_peek(struct json *j)
{
	char c = next_byte(j);

	switch (c) {
	case '{': return JSON_OBJECT;
	case '[': return JSON_ARRAY;
	case '"': return JSON_STRING;
	case 't':
	case 'f': return JSON_BOOL;
	case 'n': return JSON_NULL;
	default: break;
	}
	return c == '-' || (c >= '0' && c <= '9') ? JSON_NUMBER : JSON_NONE;
}

/* Another value than was asked for, or none at all. */
static bool
fail_type(struct json *j)
{
	return json_fail(
	    j, json_peek(j) == JSON_NONE ? REASON_BAD_JSON : REASON_BAD_TYPE);
}

static bool
open_bracket(struct json *j, char c)
{
	if (next_byte(j) != c)
		return fail_type(j);
	if (j->depth == JSON_DEPTH_MAX)
		return json_fail(j, REASON_TOO_DEEP);
	j->depth++;
	j->pos++;
	j->first = true;
	return true;
}

/* Move to the next member: true at its first byte, false when the bracket
 * was closed or the text is wrong. */
static bool
next_member(struct json *j, char close)
{
	char c = next_byte(j);

	if (c == close && close != '\0') {
		j->pos++;
		CHECK(j->depth > 0);
		j->depth--;
		j->first = false;
		return false;
	}
	if (j->first) {
		j->first = false;
		return true;
	}
	if (c != ',')
		return json_fail(j, REASON_BAD_JSON);
	j->pos++;
	return true;
}

bool
json_object(struct json *j)
{
	return open_bracket(j, '{');
}

bool
json_array(struct json *j)
{
	return open_bracket(j, '[');
}

bool
json_item(struct json *j)
{
	if (!next_member(j, ']'))
		return false;
	if (next_byte(j) == ']')
		return json_fail(j, REASON_BAD_JSON);
	return true;
}

/* ---- strings ---- */

/* One escape at j->pos, which is a backslash. */
static bool
pass_escape(struct json *j)
{
	if (j->end - j->pos < 2)
		return json_fail(j, REASON_BAD_JSON);
	char c = j->pos[1];

	if (c != 'u') {
		if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
			return json_fail(j, REASON_BAD_JSON);
		j->pos += 2;
		return true;
	}
	if (j->end - j->pos < 6)
		return json_fail(j, REASON_BAD_JSON);
	for (int i = 2; i < 6; i++) {
		char h = j->pos[i];
		bool hex = (h >= '0' && h <= '9') || (h >= 'a' && h <= 'f') ||
			   (h >= 'A' && h <= 'F');

		if (!hex)
			return json_fail(j, REASON_BAD_JSON);
	}
	j->pos += 6;
	return true;
}

/* j->pos at plain text: move to the next quote, backslash or control byte,
 * or to the end. */
static inline void
pass_plain(struct json *j)
{
	while (j->end - j->pos >= SWAR_BLOCK) {
		unsigned bits = swar_special(j->pos);

		if (bits != 0) {
			j->pos += __builtin_ctz(bits);
			return;
		}
		j->pos += SWAR_BLOCK;
	}
	while (j->pos < j->end && *j->pos != '"' && *j->pos != '\\' &&
	       (unsigned char)*j->pos >= 0x20)
		j->pos++;
}

/* j->pos after the opening quote; consumes the closing one. */
static bool
string_rest(struct json *j, struct json_str *out)
{
	const char *s = j->pos;
	bool escaped = false;

	for (;;) {
		pass_plain(j);
		if (j->pos == j->end)
			return json_fail(j, REASON_BAD_JSON);
		if (*j->pos == '"')
			break;
		if (*j->pos != '\\')
			return json_fail(j, REASON_BAD_JSON);
		escaped = true;
		if (!pass_escape(j))
			return false;
	}
	out->s = s;
	out->n = (uint32_t)(j->pos - s);
	out->escaped = escaped;
	j->pos++;
	return true;
}

bool
json_string(struct json *j, struct json_str *out)
{
	if (next_byte(j) != '"')
		return fail_type(j);
	j->pos++;
	return string_rest(j, out);
}

bool
json_key(struct json *j, struct json_str *key)
{
	if (!next_member(j, '}'))
		return false;
	if (next_byte(j) != '"')
		return json_fail(j, REASON_BAD_JSON);
	j->pos++;
	if (!string_rest(j, key))
		return false;
	if (next_byte(j) != ':')
		return json_fail(j, REASON_BAD_JSON);
	j->pos++;
	return true;
}

/* ---- words ---- */

static bool
word(struct json *j, const char *text, size_t n)
{
	if ((size_t)(j->end - j->pos) < n || memcmp(j->pos, text, n) != 0)
		return json_fail(j, REASON_BAD_JSON);
	j->pos += n;
	return true;
}

bool
json_bool(struct json *j, bool *out)
{
	char c = next_byte(j);

	if (c != 't' && c != 'f')
		return fail_type(j);
	if (!(c == 't' ? word(j, "true", 4) : word(j, "false", 5)))
		return false;
	*out = c == 't';
	return true;
}

bool
json_null(struct json *j)
{
	return next_byte(j) == 'n' && word(j, "null", 4);
}

/* ---- numbers ---- */

static inline bool
is_digit(const struct json *j)
{
	return j->pos < j->end && *j->pos >= '0' && *j->pos <= '9';
}

static bool
digits(struct json *j)
{
	if (!is_digit(j))
		return json_fail(j, REASON_BAD_JSON);
	while (is_digit(j))
		j->pos++;
	return true;
}

/* A number by the grammar of JSON, any length. */
static bool
number(struct json *j, struct json_str *out)
{
	const char *s = j->pos;

	if (*j->pos == '-')
		j->pos++;
	if (j->pos < j->end && *j->pos == '0')
		j->pos++;
	else if (!digits(j))
		return false;
	if (j->pos < j->end && *j->pos == '.') {
		j->pos++;
		if (!digits(j))
			return false;
	}
	if (j->pos < j->end && (*j->pos == 'e' || *j->pos == 'E')) {
		j->pos++;
		if (j->pos < j->end && (*j->pos == '+' || *j->pos == '-'))
			j->pos++;
		if (!digits(j))
			return false;
	}
	out->s = s;
	out->n = (uint32_t)(j->pos - s);
	out->escaped = false;
	return true;
}

/* Text of a number, or of a string that should hold one. */
static bool
number_text(struct json *j, struct json_str *out)
{
	enum json_kind kind = json_peek(j);

	if (kind == JSON_NUMBER)
		return number(j, out);
	if (kind == JSON_STRING)
		return json_string(j, out);
	return fail_type(j);
}

/* The refused number is where the error points, not what comes after. */
static bool
fail_number(struct json *j, struct json_str text)
{
	j->pos = text.s;
	return json_fail(j, REASON_BAD_NUMBER);
}

bool
json_fixed(
    struct json *j, unsigned scale, bool neg_ok, int64_t max, int64_t *out)
{
	struct json_str text;

	if (!number_text(j, &text))
		return false;
	if (!fixed_parse(text.s, text.n, scale, neg_ok, max, out))
		return fail_number(j, text);
	return true;
}

bool
json_e8(struct json *j, int64_t max, int64_t *out)
{
	int64_t v;

	if (j->end - j->pos > 2 * SWAR_BLOCK && *j->pos == '"') {
		unsigned n = swar_e8(j->pos + 1, &v);

		if (n != 0 && v <= max) {
			j->pos += n + 2;
			*out = v;
			return true;
		}
	}
	return json_fixed(j, E8_SCALE, false, max, out);
}

bool
json_e8_floor(struct json *j, int64_t max, int64_t *out)
{
	struct json_str text;
	size_t n = 0;

	if (!number_text(j, &text))
		return false;
	while (n < text.n && text.s[n] != '.')
		n++;
	size_t keep = n + 1 + E8_SCALE < text.n ? n + 1 + E8_SCALE : text.n;

	for (size_t i = keep; i < text.n; i++)
		if (text.s[i] < '0' || text.s[i] > '9')
			return fail_number(j, text);
	if (!fixed_parse(text.s, keep, E8_SCALE, false, max, out))
		return fail_number(j, text);
	return true;
}

bool
json_text_u64(struct json_str text, uint64_t *out)
{
	uint64_t v = 0;
	uint32_t i = 0;

	if (text.n == 0 || text.n > U64_DIGITS_MAX)
		return false;
	if (text.n >= 8) {
		uint64_t x = swar_load8(text.s) ^ SWAR_ALL('0');

		if (swar_digits(x) != 8)
			return false;
		v = swar_value(x);
		i = 8;
	}
	for (; i < text.n; i++) {
		if (text.s[i] < '0' || text.s[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(text.s[i] - '0');
	}
	*out = v;
	return true;
}

bool
json_u64(struct json *j, uint64_t *out)
{
	struct json_str text;

	if (j->end - j->pos > SWAR_BLOCK) {
		unsigned n = swar_u64(j->pos, out);

		if (n != 0) {
			j->pos += n;
			return true;
		}
	}
	if (!number_text(j, &text))
		return false;
	if (!json_text_u64(text, out))
		return fail_number(j, text);
	return true;
}

/* ---- skipping ---- */

/* A value that is not a bracket. */
static bool
skip_plain(struct json *j)
{
	struct json_str s;
	bool b;

	switch (json_peek(j)) {
	case JSON_STRING: return json_string(j, &s);
	case JSON_NUMBER: return number(j, &s);
	case JSON_BOOL: return json_bool(j, &b);
	case JSON_NULL: return word(j, "null", 4);
	case JSON_OBJECT:
	case JSON_ARRAY:
	case JSON_NONE:
	case JSON_KIND_N: break;
	}
	return json_fail(j, REASON_BAD_JSON);
}

/* The kinds of the brackets opened here are bits of `objects`, the innermost
 * lowest; depth limits them to JSON_DEPTH_MAX. */
bool
json_skip(struct json *j)
{
	uint32_t base = j->depth;
	uint32_t objects = 0;
	struct json_str key;

	for (;;) {
		enum json_kind kind = json_peek(j);

		if (kind == JSON_OBJECT || kind == JSON_ARRAY) {
			bool is_object = kind == JSON_OBJECT;

			if (!(is_object ? json_object(j) : json_array(j)))
				return false;
			objects = objects << 1 | is_object;
		} else if (!skip_plain(j)) {
			return false;
		}
		while (j->depth > base) {
			bool more =
			    (objects & 1) ? json_key(j, &key) : json_item(j);

			if (more)
				break;
			if (j->reason != REASON_NONE)
				return false;
			objects >>= 1;
		}
		if (j->depth == base)
			return true;
	}
}

bool
json_raw(struct json *j, struct json_str *out)
{
	skip_blanks(j);
	const char *s = j->pos;

	if (!json_skip(j))
		return false;
	out->s = s;
	out->n = (uint32_t)(j->pos - s);
	out->escaped = false;
	return true;
}
