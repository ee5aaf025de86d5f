/*
 * httpmsg.h - heads of HTTP/1.1 messages, parsed in place.
 *
 * What   : request or status line and headers up to the blank line; the
 *          body follows at head_n for content_n bytes.
 * Limits : HTTP_HEAD_MAX bytes of head, HTTP_HEADERS_MAX headers. Bodies by
 *          Content-Length only.
 * Pure   : yes. Slices point into the caller's buffer. O(bytes).
 */
#ifndef LIBSYS_HTTPMSG_H
#define LIBSYS_HTTPMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX	 16384
#define HTTP_HEADERS_MAX 64

struct http_text {
	const char *p;
	size_t n;
};

struct http_header {
	struct http_text name;
	struct http_text value;
};

struct http_head {
	struct http_text method; /* requests */
	struct http_text target; /* requests: path and query */
	struct http_text path;	 /* target up to '?' */
	struct http_text query;	 /* after '?', may be empty */
	unsigned status;	 /* responses, else 0 */
	bool is_http10;
	bool keep_alive;
	size_t head_n;	  /* bytes up to and with the blank line */
	size_t content_n; /* bytes of body that follow */
	size_t header_n;
	struct http_header headers[HTTP_HEADERS_MAX];
};

/*
 * http_request_parse, http_response_parse - the head in buf[0, n).
 * Returns : 1 with *out set; 0 when more bytes are needed; else minus the
 *           status to answer: -400 malformed, -431 too long or too many
 *           headers, -411 chunked body, -505 version, -413 absurd length.
 */
int http_request_parse(const char *buf, size_t n, struct http_head *out);
int http_response_parse(const char *buf, size_t n, struct http_head *out);

/* http_header_find - value of a header, NULL when absent. Any case. */
const struct http_text *http_header_find(
    const struct http_head *h, const char *name);

/* http_header_has - does a comma-separated header list this token? */
bool http_header_has(
    const struct http_head *h, const char *name, const char *token);

bool http_text_is(struct http_text t, const char *s);

/*
 * http_query_get - value of one key of a query string, %XX and '+' decoded.
 * Returns : length, or -1 when absent, malformed or longer than out_sz - 1.
 */
int http_query_get(
    struct http_text query, const char *key, char *out, size_t out_sz);

/* http_date_parse - UTC ns of a Date header ("Sun, 06 Nov 1994 08:49:37 GMT",
 * the only form that is sent today); 0 when it is anything else. */
int64_t http_date_parse(struct http_text t);

/* http_seconds_parse - of a Retry-After in seconds; 0 for anything else. */
uint32_t http_seconds_parse(struct http_text t);

/* http_status_text - "Not Found" for 404; "Unknown" otherwise. */
const char *http_status_text(unsigned status);

#endif
