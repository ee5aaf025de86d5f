#define _GNU_SOURCE
#include "libsys/httpmsg.h"

#include <string.h>
#include <strings.h>

#include "libcore/check.h"

/* Larger lengths are nonsense here; each user has its own lower limit. */
#define CONTENT_DIGITS_MAX 12

bool
http_text_is(struct http_text t, const char *s)
{
	return t.n == strlen(s) && memcmp(t.p, s, t.n) == 0;
}

static bool
text_is_nocase(struct http_text t, const char *s)
{
	return t.n == strlen(s) && strncasecmp(t.p, s, t.n) == 0;
}

static bool
is_token_char(char c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z'))
		return true;
	return c != '\0' && strchr(others, c) != NULL;
}

static bool
is_token(struct http_text t)
{
	for (size_t i = 0; i < t.n; i++) {
		if (!is_token_char(t.p[i]))
			return false;
	}
	return t.n > 0;
}

static struct http_text
trim(struct http_text t)
{
	while (t.n > 0 && (t.p[0] == ' ' || t.p[0] == '\t')) {
		t.p++;
		t.n--;
	}
	while (t.n > 0 && (t.p[t.n - 1] == ' ' || t.p[t.n - 1] == '\t'))
		t.n--;
	return t;
}

/* Bytes up to and with the blank line; 0 when it has not come yet. */
static size_t
head_size(const char *buf, size_t n)
{
	const char *p = memmem(buf, n, "\r\n\r\n", 4);
	return p == NULL ? 0 : (size_t)(p - buf) + 4;
}

/* Cut the text up to the next CRLF off *rest. */
static struct http_text
next_line(struct http_text *rest)
{
	const char *end = memmem(rest->p, rest->n, "\r\n", 2);
	CHECK(end != NULL);
	struct http_text line = {rest->p, (size_t)(end - rest->p)};
	rest->p += line.n + 2;
	rest->n -= line.n + 2;
	return line;
}

static bool
has_control(struct http_text t)
{
	for (size_t i = 0; i < t.n; i++) {
		unsigned char c = (unsigned char)t.p[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

static int
header_parse(struct http_text line, struct http_head *out)
{
	const char *colon = memchr(line.p, ':', line.n);
	if (colon == NULL || has_control(line))
		return -400;
	if (out->header_n == HTTP_HEADERS_MAX)
		return -431;
	struct http_header *h = &out->headers[out->header_n++];
	h->name = (struct http_text){line.p, (size_t)(colon - line.p)};
	h->value = trim((struct http_text){
	    colon + 1, line.n - (size_t)(colon - line.p) - 1});
	return is_token(h->name) ? 0 : -400;
}

static int
content_length(struct http_head *out)
{
	const struct http_text *seen = NULL;
	for (size_t i = 0; i < out->header_n; i++) {
		const struct http_header *h = &out->headers[i];
		if (!text_is_nocase(h->name, "content-length"))
			continue;
		/* Two lengths that differ are how requests are smuggled. */
		if (seen != NULL &&
		    (seen->n != h->value.n ||
			memcmp(seen->p, h->value.p, seen->n) != 0))
			return -400;
		seen = &h->value;
	}
	if (http_header_find(out, "transfer-encoding") != NULL)
		return -411;
	if (seen == NULL)
		return 0;
	if (seen->n == 0)
		return -400;
	for (size_t i = 0; i < seen->n; i++) {
		if (seen->p[i] < '0' || seen->p[i] > '9')
			return -400;
		if (i >= CONTENT_DIGITS_MAX)
			return -413;
		out->content_n =
		    out->content_n * 10 + (size_t)(seen->p[i] - '0');
	}
	return 0;
}

static int
version_parse(struct http_text t, struct http_head *out)
{
	if (t.n != 8 || memcmp(t.p, "HTTP/", 5) != 0)
		return -400;
	out->is_http10 = http_text_is(t, "HTTP/1.0");
	return out->is_http10 || http_text_is(t, "HTTP/1.1") ? 0 : -505;
}

static int
request_line(struct http_text line, struct http_head *out)
{
	const char *end = line.p + line.n;
	const char *a = memchr(line.p, ' ', line.n);
	if (a == NULL)
		return -400;
	const char *b = memchr(a + 1, ' ', (size_t)(end - a - 1));
	if (b == NULL || has_control(line))
		return -400;
	out->method = (struct http_text){line.p, (size_t)(a - line.p)};
	out->target = (struct http_text){a + 1, (size_t)(b - a - 1)};
	if (!is_token(out->method) || out->target.n == 0 ||
	    out->target.p[0] != '/')
		return -400;
	const char *q = memchr(out->target.p, '?', out->target.n);
	out->path = out->target;
	out->query = (struct http_text){b, 0};
	if (q != NULL) {
		out->path.n = (size_t)(q - out->target.p);
		out->query = (struct http_text){q + 1, (size_t)(b - q - 1)};
	}
	return version_parse(
	    (struct http_text){b + 1, (size_t)(end - b - 1)}, out);
}

static int
status_line(struct http_text line, struct http_head *out)
{
	if (line.n < 12 || line.p[8] != ' ' || has_control(line))
		return -400;
	for (size_t i = 9; i < 12; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return -400;
		out->status = out->status * 10 + (unsigned)(line.p[i] - '0');
	}
	return version_parse((struct http_text){line.p, 8}, out);
}

static int
head_parse(const char *buf, size_t n, struct http_head *out, bool is_request)
{
	/* Only the counters: the array of headers is filled as it grows. */
	memset(out, 0, offsetof(struct http_head, headers));
	out->head_n =
	    head_size(buf, n < HTTP_HEAD_MAX ? n : (size_t)HTTP_HEAD_MAX);
	if (out->head_n == 0)
		return n >= HTTP_HEAD_MAX ? -431 : 0;
	struct http_text rest = {buf, out->head_n - 2};
	struct http_text line = next_line(&rest);
	int rc = is_request ? request_line(line, out) : status_line(line, out);
	while (rc == 0 && rest.n > 0)
		rc = header_parse(next_line(&rest), out);
	if (rc == 0)
		rc = content_length(out);
	if (rc < 0)
		return rc;
	out->keep_alive = out->is_http10
			      ? http_header_has(out, "connection", "keep-alive")
			      : !http_header_has(out, "connection", "close");
	return 1;
}

int
http_request_parse(const char *buf, size_t n, struct http_head *out)
{
	return head_parse(buf, n, out, true);
}

int
http_response_parse(const char *buf, size_t n, struct http_head *out)
{
	return head_parse(buf, n, out, false);
}

const struct http_text *
http_header_find(const struct http_head *h, const char *name)
{
	for (size_t i = 0; i < h->header_n; i++) {
		if (text_is_nocase(h->headers[i].name, name))
			return &h->headers[i].value;
	}
	return NULL;
}

bool
http_header_has(const struct http_head *h, const char *name, const char *token)
{
	const struct http_text *v = http_header_find(h, name);
	if (v == NULL)
		return false;
	struct http_text rest = *v;
	while (rest.n > 0) {
		const char *comma = memchr(rest.p, ',', rest.n);
		size_t n = comma != NULL ? (size_t)(comma - rest.p) : rest.n;
		if (text_is_nocase(trim((struct http_text){rest.p, n}), token))
			return true;
		if (comma == NULL)
			break;
		rest.p += n + 1;
		rest.n -= n + 1;
	}
	return false;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int
query_decode(struct http_text t, char *out, size_t out_sz)
{
	size_t n = 0;
	for (size_t i = 0; i < t.n; i++) {
		char c = t.p[i];
		if (n + 1 >= out_sz)
			return -1;
		if (c == '%') {
			if (i + 2 >= t.n)
				return -1;
			int hi = hex_digit(t.p[i + 1]);
			int lo = hex_digit(t.p[i + 2]);
			if (hi < 0 || lo < 0 || (hi == 0 && lo == 0))
				return -1;
			c = (char)(hi * 16 + lo);
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		out[n++] = c;
	}
	out[n] = '\0';
	return (int)n;
}

int
http_query_get(
    struct http_text query, const char *key, char *out, size_t out_sz)
{
	size_t key_n = strlen(key);
	CHECK(out_sz > 0);
	while (query.n > 0) {
		const char *amp = memchr(query.p, '&', query.n);
		size_t n = amp != NULL ? (size_t)(amp - query.p) : query.n;
		if (n > key_n && query.p[key_n] == '=' &&
		    memcmp(query.p, key, key_n) == 0)
			return query_decode(
			    (struct http_text){
				query.p + key_n + 1, n - key_n - 1},
			    out, out_sz);
		if (amp == NULL)
			break;
		query.p += n + 1;
		query.n -= n + 1;
	}
	return -1;
}

static unsigned
digits(const char *p, size_t n, bool *ok)
{
	unsigned v = 0;
	for (size_t i = 0; i < n; i++) {
		*ok = *ok && p[i] >= '0' && p[i] <= '9';
		v = v * 10 + (unsigned)(p[i] - '0');
	}
	return v;
}

/* Days from 1970-01-01 to a date after 1970 (Gregorian). */
static int64_t
days_before(unsigned year, unsigned month, unsigned day)
{
	static const unsigned before[12] = {
	    0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	unsigned y = year - 1;
	int64_t days = (int64_t)365 * (year - 1970) + (y / 4 - 1969 / 4) -
		       (y / 100 - 1969 / 100) + (y / 400 - 1969 / 400);
	return days + before[month - 1] + (leap && month > 2) + day - 1;
}

int64_t
http_date_parse(struct http_text t)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	bool ok = true;
	if (t.n != 29 || memcmp(t.p + 25, " GMT", 4) != 0 || t.p[4] != ' ' ||
	    t.p[7] != ' ' || t.p[11] != ' ' || t.p[16] != ' ' ||
	    t.p[19] != ':' || t.p[22] != ':')
		return 0;
	const char *m = memmem(months, sizeof(months) - 1, t.p + 8, 3);
	unsigned day = digits(t.p + 5, 2, &ok);
	unsigned year = digits(t.p + 12, 4, &ok);
	unsigned s = digits(t.p + 17, 2, &ok) * 3600;
	s += digits(t.p + 20, 2, &ok) * 60;
	s += digits(t.p + 23, 2, &ok);
	if (!ok || m == NULL || (m - months) % 3 != 0 || day < 1 || day > 31 ||
	    year < 1970 || s > 86400)
		return 0;
	int64_t days = days_before(year, (unsigned)(m - months) / 3 + 1, day);
	return year > 2200 ? 0 : (days * 86400 + s) * INT64_C(1000000000);
}

uint32_t
http_seconds_parse(struct http_text t)
{
	bool ok = t.n > 0 && t.n <= 6;
	unsigned v = ok ? digits(t.p, t.n, &ok) : 0;
	return ok ? v : 0;
}

const char *
http_status_text(unsigned status)
{
	switch (status) {
	case 101: return "Switching Protocols";
	case 200: return "OK";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 408: return "Request Timeout";
	case 411: return "Length Required";
	case 413: return "Content Too Large";
	case 425: return "Too Early";
	case 426: return "Upgrade Required";
	case 429: return "Too Many Requests";
	case 431: return "Request Header Fields Too Large";
	case 500: return "Internal Server Error";
	case 502: return "Bad Gateway";
	case 503: return "Service Unavailable";
	case 504: return "Gateway Timeout";
	case 505: return "HTTP Version Not Supported";
	default: return "Unknown";
	}
}
