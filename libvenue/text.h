/*
 * text.h - append text to a buffer of fixed size.
 *
 * What does not fit is remembered, not cut: text_end then returns 0.
 * Pure: yes.
 */
#ifndef LIBVENUE_TEXT_H
#define LIBVENUE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct text {
	char *buf;
	size_t cap;
	size_t n;
	bool full;
};

static inline void
text_init(struct text *t, char *buf, size_t cap)
{
	*t = (struct text){.buf = buf, .cap = cap, .full = cap == 0};
}

static inline void
text_put(struct text *t, const char *s, size_t n)
{
	if (t->full || t->cap - t->n <= n) {
		t->full = true;
		return;
	}
	memcpy(t->buf + t->n, s, n);
	t->n += n;
}

static inline void
text_lit(struct text *t, const char *s)
{
	text_put(t, s, strlen(s));
}

/* text_end - NUL-terminated; the length, or 0 when something did not fit. */
static inline size_t
text_end(struct text *t)
{
	if (t->cap > 0)
		t->buf[t->full ? 0 : t->n] = '\0';
	return t->full ? 0 : t->n;
}

#endif
