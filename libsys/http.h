/*
 * http.h - HTTP client for cold REST calls (libcurl on a libuv loop).
 *
 * What   : GET, POST, ... with headers, a time limit and a cap on the answer.
 *          Connections are kept and used again. Not for orders: a reused
 *          connection that dies may send a request twice.
 * TLS    : always verified, against cfg.ca_path or the system's authorities.
 * Result : each accepted call is answered by exactly one callback from the
 *          loop, also at http_client_destroy.
 */
#ifndef LIBSYS_HTTP_H
#define LIBSYS_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "libcore/reasons.h"

struct http_client;

struct http_client_cfg {
	uv_loop_t *loop;
	const char *ca_path; /* NULL: the system's */
	unsigned calls_max;  /* at a time; 0: 32 */
};

struct http_call {
	const char *method; /* NULL: GET */
	const char *url;
	const char *const
	    *headers;	  /* "Name: value", NULL-terminated; or NULL */
	const void *body; /* copied */
	size_t body_n;
	uint64_t timeout_ms; /* 0: 10 s */
	size_t body_max;     /* of the answer; 0: 16 MiB */
};

struct http_result {
	unsigned status;   /* 0 when there was no answer */
	const char *error; /* NULL when there was a whole answer */
	const char *body; /* with a NUL after its end; valid in the call only */
	size_t body_n;
	uint64_t elapsed_ns;
	/* Why there was no whole answer, or HTTP_REFUSED for a status that is
	 * not 2xx; else NONE. The body of a refusal is there to be read. */
	enum reason reason;
	uint32_t retry_after_s; /* Retry-After, 0: none */
	uint32_t used_weight;	/* X-MBX-USED-WEIGHT-1M, 0: none */
	int64_t date_ns;	/* Date (UTC, whole seconds), 0: none, or
				   from a cache (Age) */
	uint64_t sent_ns;	/* monotonic: the request left; 0: it did not */
};

typedef void (*http_done_fn)(void *user, const struct http_result *r);

/* http_client_create - NULL when libcurl has no memory. */
struct http_client *http_client_create(const struct http_client_cfg *cfg);

/* http_client_destroy - answers open calls with error "destroyed". */
void http_client_destroy(struct http_client *h);

/* http_client_call - 0, -EAGAIN when calls_max are running, -EINVAL for a
 * bad url or method, -ENOMEM, -ESHUTDOWN inside http_client_destroy. */
int http_client_call(struct http_client *h, const struct http_call *call,
    http_done_fn done, void *user);

/* http_client_open_n - calls not answered yet. */
unsigned http_client_open_n(const struct http_client *h);

#endif
