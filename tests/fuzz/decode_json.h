/*
 * decode_json.h - what every input must do to a decoder; to the scanner.
 *
 * Used by the fuzz targets, by the replay of their corpus, and by golden
 * tests on real frames. Each fuzz_x(data, n) aborts when
 *   1. a decoder reads outside the input (the sanitizer says so),
 *   2. an answer is outside its stated range, or a text outside the input,
 *   3. blanks between tokens change the answer: the fast ways know only
 *      compact text, so this compares them with the general way.
 * It returns a digest of the answer.
 */
#ifndef TESTS_FUZZ_DECODE_JSON_H
#define TESTS_FUZZ_DECODE_JSON_H

#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/fixed.h"
#include "libcore/hash.h"
#include "libcore/json.h"

typedef uint64_t (*fuzz_digest)(const char *text, size_t n);

/* A blank after every comma, colon and opening bracket outside strings. */
static inline char *
fuzz_respell(const char *text, size_t n, size_t *out_n)
{
	char *out = malloc(2 * n + 1);
	bool in_string = false;

	CHECK(out != NULL);
	*out_n = 0;
	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		out[(*out_n)++] = c;
		if (in_string && c == '\\' && i + 1 < n)
			out[(*out_n)++] = text[++i];
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && c != '\0' && strchr(",:{[", c) != NULL)
			out[(*out_n)++] = ' ';
	}
	return out;
}

static inline uint64_t
fuzz_both(fuzz_digest digest, const char *text, size_t n)
{
	char *copy = malloc(n + 1);
	size_t spaced_n;
	char *spaced = fuzz_respell(text, n, &spaced_n);

	CHECK(copy != NULL);
	memcpy(copy, text, n);
	/* exactly n bytes, so that a read past the end is seen */
	copy = realloc(copy, n > 0 ? n : 1);
	CHECK(copy != NULL);
	uint64_t a = digest(copy, n);
	uint64_t b = digest(spaced, spaced_n);

	CHECK(a == b);
	free(copy);
	free(spaced);
	return a;
}

static inline void
fuzz_inside(struct json_str s, const char *text, size_t n)
{
	CHECK(
	    s.s == NULL || s.n == 0 || (s.s >= text && s.s + s.n <= text + n));
}

static inline uint64_t
fuzz_str(uint64_t h, struct json_str s)
{
	return hash_bytes(hash_u64(h, s.n), s.s, s.s == NULL ? 0 : s.n);
}

/* ---- json ---- */

static inline uint64_t
fuzz_json_string(uint64_t h, struct json_str s)
{
	size_t cap = 3 * (size_t)s.n + 1;
	char *plain = malloc(cap);
	char *again = malloc(6 * cap + 1);

	CHECK(plain != NULL);
	CHECK(again != NULL);
	size_t n = json_unescape(s, plain, cap);

	CHECK(n != SIZE_MAX);
	CHECK(json_utf8_ok(plain, n));
	size_t m = json_escape(plain, n, again, 6 * cap + 1);

	CHECK(m != SIZE_MAX);
	struct json_str back = {.s = again, .n = (uint32_t)m};
	char *twice = malloc(3 * m + 1);

	CHECK(twice != NULL);
	CHECK(json_unescape(back, twice, 3 * m + 1) == n);
	CHECK(memcmp(twice, plain, n) == 0);
	h = hash_bytes(hash_u64(h, n), plain, n);
	free(twice);
	free(again);
	free(plain);
	return h;
}

/* A number is read in every way; they agree where they overlap. */
static inline uint64_t
fuzz_json_number(uint64_t h, struct json *j)
{
	struct json a = *j;
	struct json b = *j;
	struct json c = *j;
	struct json_str raw;
	int64_t exact = -1;
	int64_t floor = -1;
	int64_t want = -1;
	uint64_t u = 0;
	bool quoted = json_peek(j) == JSON_STRING;

	if (!(quoted ? json_string(j, &raw) : json_raw(j, &raw)))
		return h;
	bool ok = fixed_parse(raw.s, raw.n, 8, false, PX_E8_MAX, &want);

	CHECK(json_e8(&a, PX_E8_MAX, &exact) == ok);
	CHECK(exact == want);
	CHECK(!ok || a.pos == j->pos);
	if (json_e8_floor(&b, PX_E8_MAX, &floor) && ok)
		CHECK(floor == exact);
	if (json_u64(&c, &u))
		CHECK(c.pos == j->pos);
	return hash_u64(hash_u64(h, (uint64_t)exact), (uint64_t)floor ^ u);
}

static inline uint64_t
digest_json(const char *text, size_t n)
{
	struct json j;
	struct json_str s;
	uint64_t h = 0;

	json_init(&j, text, n);
	/* every string and number of an object's or array's first level */
	if (json_peek(&j) == JSON_ARRAY && json_array(&j)) {
		while (json_item(&j)) {
			struct json k = j;

			if (json_peek(&j) == JSON_STRING && json_string(&k, &s))
				h = fuzz_json_string(h, s);
			if (json_peek(&j) == JSON_STRING ||
			    json_peek(&j) == JSON_NUMBER)
				h = fuzz_json_number(h, &j);
			else
				json_skip(&j);
		}
	} else {
		json_skip(&j);
	}
	json_end(&j);
	CHECK(json_err_off(&j) <= n);
	CHECK(j.reason != REASON_NONE || (j.depth == 0 && j.pos == j.end));
	return hash_u64(h, (uint64_t)j.reason);
}

static inline uint64_t
fuzz_json(const char *text, size_t n)
{
	return fuzz_both(digest_json, text, n);
}

#endif
