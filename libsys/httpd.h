/*
 * httpd.h - HTTP/1.1 and WebSocket server on a libuv loop.
 *
 * What   : accepts connections, parses requests, keeps connections alive,
 *          upgrades those that ask to WebSocket. For the simulator and for
 *          loopback listeners.
 * Limits : connections, head (16 KiB), body, output per connection; what
 *          exceeds one gets a 4xx or 503 answer, or is closed. A connection
 *          with no complete request for idle_ms is closed.
 * Flow   : httpd_queued tells the bytes waiting; on_drain comes when they
 *          fall below half of out_max. Nothing is ever buffered beyond that.
 *
 * Callbacks may call any function here on any connection.
 */
#ifndef LIBSYS_HTTPD_H
#define LIBSYS_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "libsys/httpmsg.h"
#include "libsys/tls.h"
#include "libsys/wsframe.h"

struct httpd;
struct httpd_conn;

struct httpd_request {
	const struct http_head *head; /* valid during the call only */
	const char *body;
	size_t body_n;
};

struct httpd_events {
	/* Answer with httpd_reply, now or later. */
	void (*on_request)(
	    void *user, struct httpd_conn *c, const struct httpd_request *r);
	/* A WebSocket wants in: true upgrades; false answers 404. NULL when
	 * the server speaks no WebSocket. */
	bool (*on_upgrade)(
	    void *user, struct httpd_conn *c, const struct http_head *h);
	void (*on_message)(
	    void *user, struct httpd_conn *c, const struct ws_message *m);
	void (*on_drain)(void *user, struct httpd_conn *c);
	/* The connection is gone; c is not valid afterwards. */
	void (*on_gone)(void *user, struct httpd_conn *c, enum ws_end end);
};

struct httpd_cfg {
	uv_loop_t *loop;
	const char *host;    /* numeric or "localhost" */
	uint16_t port;	     /* 0: the kernel chooses */
	struct tls_ctx *tls; /* NULL: plain */
	unsigned conn_max;   /* 0: 64 */
	size_t body_max;     /* 0: 1 MiB; also the largest message received */
	size_t out_max;	     /* 0: 1 MiB */
	uint64_t idle_ms;    /* 0: 30 s */
	bool leaves_pings;   /* on_message answers WS_PING, with WS_PONG */
	struct httpd_events events;
	void *user;
};

/* httpd_create - listening when it returns. NULL with *err a negative errno
 * (-EADDRINUSE, -EACCES, ...). */
struct httpd *httpd_create(const struct httpd_cfg *cfg, int *err);

/* httpd_destroy - drops all connections; on_gone is called for each. */
void httpd_destroy(struct httpd *s);

uint16_t httpd_port(const struct httpd *s);
unsigned httpd_conn_n(const struct httpd *s);

/* httpd_set_tls - another identity for connections that come from now on.
 * Needs : a server that was created with TLS, tls not NULL (CHECK). The
 * context before it must live until its last connection is gone. */
void httpd_set_tls(struct httpd *s, struct tls_ctx *tls);

/*
 * httpd_reply - the answer to the request being handled, with the Date of
 * now. extra: further "Name: value\r\n" lines or NULL.
 * Returns : 0; -EPROTO when no request waits for an answer; -ENOBUFS when it
 *           does not fit out_max (the connection is closed).
 */
struct httpd_answer {
	unsigned status;
	const char *type; /* NULL: application/json */
	const char *extra;
	const void *body;
	size_t body_n;
	int64_t date_skew_s; /* added to Date */
};
int httpd_reply(struct httpd_conn *c, const struct httpd_answer *a);

/* httpd_ws_send - 0; -ENOBUFS when it does not fit (nothing queued, wait for
 * on_drain); -EPIPE when closing, not a WebSocket, or found dead by this very
 * call: then on_gone was called before it returns. */
int httpd_ws_send(
    struct httpd_conn *c, enum ws_kind kind, const void *data, size_t n);

/* httpd_ws_send_parts - the same in frames of part_n bytes (> 0). */
int httpd_ws_send_parts(struct httpd_conn *c, enum ws_kind kind,
    const void *data, size_t n, size_t part_n);

/* httpd_ws_refuse - in on_upgrade, before it returns false: the status
 * instead of 404. */
void httpd_ws_refuse(struct httpd_conn *c, unsigned status);

/* httpd_ws_close - close frame; the connection goes when it was answered or
 * after 1 s. */
void httpd_ws_close(struct httpd_conn *c, uint16_t code, const char *reason);

/* httpd_drop - end the connection without a word; on_gone comes first. */
void httpd_drop(struct httpd_conn *c);

/* httpd_queued, httpd_room - bytes waiting to be written, bytes that still
 * fit out_max. */
size_t httpd_queued(const struct httpd_conn *c);
size_t httpd_room(const struct httpd_conn *c);

/*
 * httpd_conn_mode - misbehave, to see what a client makes of it. A silent
 * connection also hides its end unless bytes are read.
 */
enum httpd_mode {
	HTTPD_FLOWS = 1,
	HTTPD_SWALLOWS, /* bytes are read and forgotten, none are written */
	HTTPD_STALLS,	/* none are read */
	HTTPD_MODE_N
};
void httpd_conn_mode(struct httpd_conn *c, enum httpd_mode mode);

/* The owner's word on a connection; NULL at first. */
void httpd_conn_set(struct httpd_conn *c, void *data);
void *httpd_conn_get(const struct httpd_conn *c);

#endif
