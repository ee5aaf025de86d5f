/*
 * ws.h - WebSocket client on a libuv loop.
 *
 * What  : connects (DNS in the background, every address tried for its share
 *         of the limit, the next attempt after the one that failed), upgrades,
 *         then delivers messages. Plain or TLS by the address.
 * Owner : gets on_open, on_message and on_close; each connect is answered by
 *         exactly one on_close at its end, whatever the end. Reconnecting is
 *         the owner's decision: net_backoff_ms, then ws_client_connect.
 * Pings : the peer's are answered; sending any is the owner's policy.
 * Needs : _GNU_SOURCE at the top of the including .c file (libuv).
 * Spin  : an owner that polls may call ws_client_read each turn instead of
 *         waiting for the loop.
 *
 * Callbacks may call any function here, ws_client_destroy included.
 */
#ifndef LIBSYS_WS_H
#define LIBSYS_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "libcore/reasons.h"
#include "libsys/curltls.h"
#include "libsys/tls.h"
#include "libsys/wsframe.h"

struct ws_client;

struct ws_events {
	void (*on_open)(void *user);
	void (*on_message)(void *user, const struct ws_message *m);
	/* code: of the close frame, or the HTTP status of a refused upgrade,
	 * or 0; text: one line for the log, never NULL. */
	void (*on_close)(
	    void *user, enum ws_end end, unsigned code, const char *text);
};

struct ws_client_cfg {
	uv_loop_t *loop;
	const char *url;	  /* ws:// or wss:// */
	const char *headers;	  /* extra "Name: value\r\n" lines, or NULL */
	struct tls_ctx *tls;	  /* wss needs this one ... */
	struct curltls_ctx *curl; /* ... or this one, which comes first */
	uint64_t open_timeout_ms; /* connect to open; 0: 10 s */
	size_t msg_max;		  /* 0: WS_MSG_MAX_DEFAULT */
	size_t out_max;		  /* 0: WS_OUT_MAX_DEFAULT */
	struct ws_events events;
	void *user;
};

struct ws_stats {
	uint64_t recv_bytes;
	uint64_t recv_msgs; /* text and binary */
	uint64_t sent_msgs;
	uint64_t opens;
	uint64_t resumed;      /* TLS handshakes that resumed a session */
	uint64_t last_recv_ns; /* monotonic; 0 before the first byte */
};

/* How the last connection ended, beside what on_close says. */
struct ws_ended {
	enum reason reason;	/* NONE: we ended it */
	uint32_t retry_after_s; /* of a refused upgrade, 0: none */
	int64_t date_ns;	/* Date of the answer (UTC), 0: none */
};

/*
 * ws_client_create - everything but the connection. All buffers are
 * allocated here.
 * Returns : NULL with *err set to a negative errno: -EINVAL for a bad url or
 *           wss without tls, -ENOMEM.
 */
struct ws_client *ws_client_create(const struct ws_client_cfg *cfg, int *err);

/* ws_client_destroy - no callback comes after it. Frees in the loop. */
void ws_client_destroy(struct ws_client *c);

/* ws_client_connect - start. -EALREADY while connecting or open. Failures
 * come as on_close from the loop, never from inside this call. */
int ws_client_connect(struct ws_client *c);

bool ws_client_is_open(const struct ws_client *c);

/*
 * ws_client_send - queue one message (WS_TEXT, WS_BINARY, WS_PING); written
 * at once when the socket takes it.
 * Returns : 0, -ENOTCONN, -ENOBUFS (out_max), -EMSGSIZE (ping over 125 B).
 */
int ws_client_send(
    struct ws_client *c, enum ws_kind kind, const void *data, size_t n);

/* ws_client_queued - bytes that were accepted and have not left. */
size_t ws_client_queued(const struct ws_client *c);

/* ws_send_text, ws_send_ping - the two that feeds use. */
int ws_send_text(struct ws_client *c, const char *text, size_t n);
int ws_send_ping(struct ws_client *c, const void *data, size_t n);

/* ws_client_close - close frame, then on_close(WS_END_LOCAL) when the peer
 * answers or after 1 s. During connect: on_close from the loop. */
void ws_client_close(struct ws_client *c, uint16_t code, const char *reason);

/* ws_client_drop - end now, without a close frame; on_close(WS_END_LOCAL)
 * is called before it returns. */
void ws_client_drop(struct ws_client *c);

/* ws_client_ended - of the last connection; valid from on_close on. */
const struct ws_ended *ws_client_ended(const struct ws_client *c);

/* ws_client_read - take what the socket has; for spinning owners. */
void ws_client_read(struct ws_client *c);

/* ws_client_fd - the socket, -1 when there is none. */
int ws_client_fd(const struct ws_client *c);

const struct ws_stats *ws_client_stats(const struct ws_client *c);

#endif
