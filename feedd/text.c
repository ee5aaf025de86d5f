#include "feedd/text.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/fixed.h"

static char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

void
text_copy(char *dst, size_t cap, const char *src)
{
	CHECK(cap >= 1);
	dst[0] = '\0';
	text_add(dst, cap, src);
}

void
text_upper(char *dst, size_t cap, const char *src)
{
	text_copy(dst, cap, src);
	for (size_t i = 0; dst[i] != '\0'; i++)
		dst[i] = upper(dst[i]);
}

void
text_add(char *dst, size_t cap, const char *src)
{
	size_t at = strlen(dst);
	size_t n = strlen(src);

	CHECK(at < cap);
	if (n > cap - 1 - at)
		n = cap - 1 - at;
	memcpy(dst + at, src, n);
	dst[at + n] = '\0';
}

void
text_join(char *dst, size_t cap, const char *a, const char *b)
{
	text_copy(dst, cap, a);
	text_add(dst, cap, b);
}

void
text_add_encoded(char *dst, size_t cap, const char *src)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-_.~";

	for (; *src != '\0'; src++) {
		unsigned char c = (unsigned char)*src;
		char one[4] = {'%', hex[c >> 4], hex[c & 15], '\0'};

		if (strchr(plain, *src) != NULL) {
			one[0] = *src;
			one[1] = '\0';
		}
		text_add(dst, cap, one);
	}
}

void
text_add_u64(char *dst, size_t cap, uint64_t v)
{
	char buf[FIXED_TEXT_MAX];

	CHECK(v <= INT64_MAX);
	fixed_format((int64_t)v, 0, buf);
	text_add(dst, cap, buf);
}

bool
text_starts(const char *s, const char *head)
{
	return strncmp(s, head, strlen(head)) == 0;
}

bool
text_same_head(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] == '\0' || a[i] != upper(b[i]))
			return false;
	return true;
}

bool
text_is(struct json_str a, const char *s)
{
	return a.n == strlen(s) && memcmp(a.s, s, a.n) == 0;
}

bool
text_stream_is(struct json_str stream, const char *symbol)
{
	size_t n = strlen(symbol);

	if (stream.n <= n || stream.s[n] != '@')
		return false;
	for (size_t i = 0; i < n; i++)
		if (upper(stream.s[i]) != symbol[i])
			return false;
	return true;
}
