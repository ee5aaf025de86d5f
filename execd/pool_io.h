/*
 * pool_io.h - warm HTTP connections for orders (libcurl on a libuv loop).
 *
 * What   : one set of connections a role, never shared between roles, so that
 *          no cancel waits behind an order and no order behind a question.
 * Once   : a call marked is_once leaves at most once. libcurl sends a POST
 *          again when a reused connection dies before the first byte of the
 *          answer; here its callback before the bytes leave refuses the
 *          second time, and the call ends with status 0 and was_sent.
 * Gate   : a call marked is_gated asks may_send in that same callback, after
 *          the connection is there, just before the first byte; refused, it
 *          ends with status 0 and was_sent false.
 * Warm   : connections are made at open, kept, and used by a small GET when
 *          they have been idle for keep_warm_ns. A gated call that had to
 *          connect first is counted (cold).
 * TLS    : always verified, against ca_path or the system's authorities.
 * Result : each accepted call is answered by exactly one on_answer, from the
 *          loop (never inside pool_call), also at pool_close.
 */
#ifndef EXECD_POOL_IO_H
#define EXECD_POOL_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

enum pool_role {
	POOL_ORDERS = 1,
	POOL_CANCELS,
	POOL_QUERIES,
	POOL_BEATS,
	POOL_ROLE_N
};

struct pool_answer {
	uint64_t tag;
	enum pool_role role;
	unsigned status; /* 0: no whole answer; error says why */
	bool was_sent;	 /* with status 0: bytes may have left */
	bool is_held;	 /* refused by the gate, nothing left */
	const char *error;
	const char *body; /* NUL after its end; valid in the call only */
	size_t n;
	int64_t retry_after_s; /* -1 none */
	int64_t left;	       /* Poly-RateLimit-Remaining; INT64_MIN none */
	const char *tier;      /* Poly-RateLimit-Tier; NULL none */
	uint64_t sent_ns;      /* monotonic: the first byte left; 0 none */
	uint64_t answer_ns;
};

struct pool_cfg {
	uv_loop_t *loop;
	const char *url;     /* http:// or https://, without a path */
	const char *ca_path; /* NULL: the system's */
	unsigned connections[POOL_ROLE_N]; /* 0: the role is not used */
	uint64_t keep_warm_ns;
	const char *warm_target; /* of the small GET, "/time" */
	bool (*may_send)(void *user);
	/* NULL, or: the first byte of a call leaves now. No pool_call in it. */
	void (*on_sent)(void *user, uint64_t tag, uint64_t ns);
	void (*on_answer)(void *user, const struct pool_answer *a);
	void *user;
};

struct pool_call {
	uint64_t tag;
	enum pool_role role;
	const char *method;
	const char *target;  /* path and query */
	const char *headers; /* lines with CR LF, NULL none; copied */
	const char *body;    /* copied; NULL none */
	size_t body_n;
	uint64_t timeout_ns;
	bool is_once;
	bool is_gated;
};

struct pool_stats {
	uint64_t calls;
	uint64_t cold;	  /* gated calls on a new connection */
	uint64_t guarded; /* second sends that were refused */
	uint64_t held;	  /* refused by the gate */
	uint64_t warm;	  /* connections open now */
};

struct pool;

/* pool_open - NULL when libcurl has no memory or the url is bad. */
struct pool *pool_open(const struct pool_cfg *cfg);

/* pool_call - starts at once when a connection of the role is free, else
 * waits for one, in order. 0, -EAGAIN when too many wait, -EINVAL. */
int pool_call(struct pool *p, const struct pool_call *c);

/* pool_busy - calls of the role that are not answered. */
unsigned pool_busy(const struct pool *p, enum pool_role role);

const struct pool_stats *pool_stats(const struct pool *p);

/* pool_close - answers what is open with status 0; frees. */
void pool_close(struct pool *p);

#endif
