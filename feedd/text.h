/*
 * text.h - short texts in fixed buffers. Pure.
 *
 * Every buffer ends up NUL-terminated; what does not fit is cut.
 */
#ifndef FEEDD_TEXT_H
#define FEEDD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/json.h"

/* text_copy, text_upper - src into dst of cap bytes, cap >= 1. */
void text_copy(char *dst, size_t cap, const char *src);
void text_upper(char *dst, size_t cap, const char *src);

/* text_join - a and then b. text_add - after what dst holds. */
void text_join(char *dst, size_t cap, const char *a, const char *b);
void text_add(char *dst, size_t cap, const char *src);
void text_add_u64(char *dst, size_t cap, uint64_t v);

/* text_add_encoded - the same as part of a query: percent-encoded. */
void text_add_encoded(char *dst, size_t cap, const char *src);

/* text_starts - does s begin with head? */
bool text_starts(const char *s, const char *head);

/* text_same_head - are the first n characters the same but for case? a is
 * upper case. */
bool text_same_head(const char *a, const char *b, size_t n);

/* text_is - does a JSON text without escapes equal s? */
bool text_is(struct json_str a, const char *s);

/* text_stream_is - is it "symbol@..." for this upper-case symbol? */
bool text_stream_is(struct json_str stream, const char *symbol);

#endif
