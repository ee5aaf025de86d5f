/*
 * guarded.h - texts that end where readable memory ends, and texts spelt in
 * another way.
 */
#ifndef TESTS_GOLDEN_GUARDED_H
#define TESTS_GOLDEN_GUARDED_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUARDED_MAX (1 << 21)

/* guarded - the text up to n, its last byte the last of a page; the next
 * page cannot be read. One at a time: the next call takes the memory. */
static inline const char *
guarded(const char *text, size_t n)
{
	static char *end;

	if (end == NULL) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);
		char *p = mmap(NULL, GUARDED_MAX + page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED ||
		    mprotect(p + GUARDED_MAX, page, PROT_NONE) != 0)
			abort();
		end = p + GUARDED_MAX;
	}
	if (n > GUARDED_MAX)
		abort();
	memcpy(end - n, text, n);
	return end - n;
}

/* guarded_value_end - just after the value at p: the comma or bracket that
 * ends it on its level. text is JSON. */
static inline const char *
guarded_value_end(const char *p, const char *end)
{
	int depth = 0;

	for (bool in_string = false; p < end; p++) {
		if (in_string) {
			if (*p == '\\')
				p++;
			else
				in_string = *p != '"';
		} else if (*p == '"') {
			in_string = true;
		} else if (*p == '{' || *p == '[') {
			depth++;
		} else if (*p == '}' || *p == ']') {
			if (depth-- == 0)
				return p;
		} else if (*p == ',' && depth == 0) {
			return p;
		}
	}
	return end;
}

/* guarded_reorder - the same JSON with the members of every object of this
 * depth (0 outermost, arrays count) in the opposite order. Freed by caller;
 * n bytes like text. */
static inline char *
guarded_reorder(const char *text, size_t n, int at)
{
	const char *end = text + n;
	char *out = malloc(n + 1);
	char *to = out;
	int depth = 0;
	bool in_string = false;

	if (out == NULL)
		abort();
	for (const char *p = text; p < end;) {
		if (!in_string && *p == '{' && depth == at) {
			const char *close = p + 1;

			while (*(close = guarded_value_end(close, end)) == ',')
				close++;
			char *back = to + (close - p);

			*to = '{';
			for (const char *m = p + 1; m < close; m++) {
				const char *stop = guarded_value_end(m, end);

				back -= stop - m;
				memcpy(back, m, (size_t)(stop - m));
				m = stop;
				if (m < close)
					*--back = ',';
			}
			to += close - p;
			p = close;
			*to++ = *p++;
			continue;
		}
		if (in_string && *p == '\\')
			*to++ = *p++;
		else if (*p == '"')
			in_string = !in_string;
		else if (!in_string && (*p == '{' || *p == '['))
			depth++;
		else if (!in_string && (*p == '}' || *p == ']'))
			depth--;
		*to++ = *p++;
	}
	*to = '\0';
	return out;
}

#endif
