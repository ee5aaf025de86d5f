/*
 * vectors.h - reference vectors for golden tests of signatures.
 *
 * Where : the directory in RM_VECTORS, else ../shared/venues/vectors beside
 *         the repository. Not part of it: a test that finds nothing says so
 *         and is skipped.
 * Note  : jansson's and libcore's JSON have functions of the same names
 *         (json_object, json_string, ...); use json_pack instead.
 */
#ifndef TESTS_GOLDEN_VECTORS_H
#define TESTS_GOLDEN_VECTORS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsign/hex.h"

/* vec_load - a file of vectors, NULL with a remark when it is not there. */
static inline json_t *
vec_load(const char *name)
{
	const char *root = getenv("RM_VECTORS");
	char path[900];
	json_error_t e;
	json_t *v;

	snprintf(path, sizeof(path), "%s/%s",
	    root != NULL ? root : "../shared/venues/vectors", name);
	v = json_load_file(path, 0, &e);
	if (v == NULL)
		printf("# skipped: no %s (set RM_VECTORS): %s\n", path, e.text);
	return v;
}

/* vec_text - a member that is text; "" when it is missing or null. */
static inline const char *
vec_text(const json_t *v, const char *key)
{
	const char *s = json_string_value(json_object_get(v, key));

	return s != NULL ? s : "";
}

static inline uint64_t
vec_number(const json_t *v, const char *key)
{
	const json_t *x = json_object_get(v, key);

	return json_is_string(x) ? strtoull(json_string_value(x), NULL, 10)
				 : (uint64_t)json_integer_value(x);
}

static inline bool
vec_true(const json_t *v, const char *key)
{
	return json_is_true(json_object_get(v, key));
}

/* vec_scaled - decimal text without a sign as an integer of 10^-scale;
 * digits past the scale are cut. */
static inline int64_t
vec_scaled(const char *s, unsigned scale)
{
	int64_t v = 0;
	bool point = false;

	for (; *s != '\0'; s++) {
		if (*s == '.') {
			point = true;
			continue;
		}
		if (point && scale-- == 0)
			return v;
		v = v * 10 + (*s - '0');
	}
	while (scale-- > 0)
		v *= 10;
	return v;
}

/* vec_is_hex - do n bytes equal a member that is hex text? Says what was
 * wanted when they do not. */
static inline bool
vec_is_hex(const json_t *v, const char *key, const uint8_t *b, size_t n)
{
	const char *want = vec_text(v, key);
	char *got = malloc(2 * n + 1);
	bool same;

	if (want[0] == '0' && want[1] == 'x')
		want += 2;
	*hex_put(got, b, n) = '\0';
	same = strcmp(got, want) == 0;
	if (!same)
		printf("# %s of %s: got %s, want %s\n", key,
		    vec_text(v, "name"), got, want);
	free(got);
	return same;
}

/* vec_is_text - the same for text. */
static inline bool
vec_is_text(const json_t *v, const char *key, const char *got)
{
	bool same = strcmp(vec_text(v, key), got) == 0;

	if (!same)
		printf("# %s of %s:\n# got  %s\n# want %s\n", key,
		    vec_text(v, "name"), got, vec_text(v, key));
	return same;
}

#endif
