/* Escapes of JSON strings, both ways: the cold half of json.h. */
#include "libcore/check.h"
#include "libcore/json.h"

#define REPLACEMENT 0xfffd

static uint32_t
hex4(const char *s)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		char c = s[i];
		uint32_t d = c <= '9' ? (uint32_t)(c - '0')
				      : (uint32_t)((c | 0x20) - 'a' + 10);

		v = v << 4 | d;
	}
	return v;
}

/* Code point of the escape \\uXXXX at s, n bytes left; *used bytes of text,
 * twelve for a pair of surrogates. */
static uint32_t
code_point(const char *s, size_t n, size_t *used)
{
	uint32_t hi = hex4(s + 2);

	*used = 6;
	if (hi < 0xd800 || hi > 0xdfff)
		return hi;
	if (hi > 0xdbff || n < 12 || s[6] != '\\' || s[7] != 'u')
		return REPLACEMENT;
	uint32_t lo = hex4(s + 8);

	if (lo < 0xdc00 || lo > 0xdfff)
		return REPLACEMENT;
	*used = 12;
	return 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00);
}

static size_t
utf8_encode(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static uint32_t
letter_escape(char c)
{
	switch (c) {
	case 'b': return '\b';
	case 'f': return '\f';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	default: return (uint32_t)(unsigned char)c;
	}
}

size_t
json_unescape(struct json_str in, char *buf, size_t cap)
{
	size_t len = 0;
	size_t i = 0;

	CHECK(cap > 0);
	while (i < in.n) {
		char tmp[4] = {in.s[i]};
		size_t out_n = 1;
		size_t used = 1;

		if (in.s[i] == '\\') {
			CHECK(in.n - i >= 2);
			uint32_t c = letter_escape(in.s[i + 1]);

			used = 2;
			if (in.s[i + 1] == 'u') {
				CHECK(in.n - i >= 6);
				c = code_point(in.s + i, in.n - i, &used);
			}
			out_n = utf8_encode(c, tmp);
		}
		if (cap - len <= out_n)
			return SIZE_MAX;
		memcpy(buf + len, tmp, out_n);
		len += out_n;
		i += used;
	}
	buf[len] = '\0';
	return len;
}

size_t
json_escape(const char *s, size_t n, char *buf, size_t cap)
{
	static const char hex[] = "0123456789abcdef";
	size_t len = 0;

	CHECK(cap > 0);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		char tmp[6] = {'\\', s[i]};
		size_t out_n = 2;

		if (c < 0x20) {
			memcpy(tmp, "\\u00", 4);
			tmp[4] = hex[c >> 4];
			tmp[5] = hex[c & 15];
			out_n = 6;
		} else if (c != '"' && c != '\\') {
			tmp[0] = s[i];
			out_n = 1;
		}
		if (cap - len <= out_n)
			return SIZE_MAX;
		memcpy(buf + len, tmp, out_n);
		len += out_n;
	}
	buf[len] = '\0';
	return len;
}
