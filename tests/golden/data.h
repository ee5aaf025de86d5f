/*
 * data.h - recorded files for golden tests.
 *
 * Where  : the directory in RM_DATA, else ../shared/data beside the
 *          repository. Not part of it: a test that finds nothing says so
 *          and is skipped.
 * Memory : what is read is freed by the caller; files end with a NUL.
 */
#ifndef TESTS_GOLDEN_DATA_H
#define TESTS_GOLDEN_DATA_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/json.h"

static inline const char *
data_root(void)
{
	const char *root = getenv("RM_DATA");

	return root != NULL ? root : "../shared/data";
}

/* The whole file at path, unpacked when its name ends in .gz; NULL when it
 * is not there. */
static inline char *
data_read_path(const char *path, size_t *n)
{
	char cmd[2048];
	size_t len = strlen(path);
	bool packed = len > 3 && strcmp(path + len - 3, ".gz") == 0;
	size_t cap = 1 << 20;
	char *buf = malloc(cap);
	FILE *f = fopen(path, "r");

	*n = 0;
	snprintf(cmd, sizeof(cmd), "gzip -dc '%s'", path);
	if (f != NULL && packed) {
		fclose(f);
		f = popen(cmd, "r");
	}
	if (f == NULL || buf == NULL) {
		free(buf);
		return NULL;
	}
	for (;;) {
		size_t got = fread(buf + *n, 1, cap - *n - 1, f);

		if (got == 0)
			break;
		*n += got;
		if (cap - *n < 2)
			buf = realloc(buf, cap *= 2);
	}
	buf[*n] = '\0';
	if (packed)
		pclose(f);
	else
		fclose(f);
	return buf;
}

/* The same below data_root(). */
static inline char *
data_read(const char *name, size_t *n)
{
	char path[900];

	snprintf(path, sizeof(path), "%s/%s", data_root(), name);
	char *text = data_read_path(path, n);

	if (text == NULL)
		printf("# skipped: no %s (set RM_DATA)\n", path);
	return text;
}

/* Walk lines: the next line without its end, false after the last. */
static inline bool
data_line(char **pos, char **line, size_t *n)
{
	if (**pos == '\0')
		return false;
	*line = *pos;
	*n = strcspn(*pos, "\n");
	*pos += *n + ((*pos)[*n] == '\n');
	return true;
}

/* Member `key` of an object, raw; n == 0 when it is not there. */
static inline struct json_str
data_member(const char *text, size_t n, const char *key)
{
	struct json j;
	struct json_str k;
	struct json_str raw;
	struct json_str out = {0};

	json_init(&j, text, n);
	json_object(&j);
	while (json_key(&j, &k) && json_raw(&j, &raw))
		if (k.n == strlen(key) && memcmp(k.s, key, k.n) == 0)
			out = raw;
	return out;
}

/* The same when it is a string: escapes undone into buf. */
static inline size_t
data_string(struct json_str raw, char *buf, size_t cap)
{
	struct json j;
	struct json_str s;

	buf[0] = '\0';
	json_sub(&j, raw.s, raw.n);
	if (!json_string(&j, &s))
		return 0;
	return json_unescape(s, buf, cap);
}

/* Length without the blanks at the end. */
static inline size_t
data_trim(const char *text, size_t n)
{
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	return n;
}

/* A copy in memory of exactly n bytes, so that a sanitizer sees a read past
 * the end. */
static inline char *
data_exact(const char *text, size_t n)
{
	char *p = malloc(n > 0 ? n : 1);

	memcpy(p, text, n);
	return p;
}

#endif
