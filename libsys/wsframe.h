/*
 * wsframe.h - a WebSocket session between two byte streams (RFC 6455).
 *
 * What   : bytes received go in, whole messages come out; messages to send
 *          go in, bytes to write come out. Knows no socket. Used by the
 *          client (ws.h) and by the server (httpd.h) alike.
 * Limits : a message of at most msg_max bytes, however it is fragmented, and
 *          at most out_max bytes waiting to be written. Both buffers are
 *          allocated once by ws_session_init.
 * Pings are answered here, unless the owner does it. Extensions are not
 * offered: RSV bits are errors. UTF-8 of text is left to the decoder that reads
 * the message.
 */
#ifndef LIBSYS_WSFRAME_H
#define LIBSYS_WSFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsys/httpmsg.h"

#define WS_MSG_MAX_DEFAULT ((size_t)8 << 20)
#define WS_OUT_MAX_DEFAULT ((size_t)1 << 20)
#define WS_CONTROL_MAX	   125

enum ws_kind {
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_PING = 3,
	WS_PONG = 4,
	WS_KIND_N
};

/* Why a session or a connection ended. */
enum ws_end {
	WS_END_LOCAL = 1,     /* we closed it */
	WS_END_PEER = 2,      /* close frame of the peer; code is its */
	WS_END_EOF = 3,	      /* stream ended between frames, no close frame */
	WS_END_EOF_MID = 4,   /* stream ended inside a frame or message */
	WS_END_DNS = 5,	      /* name not found */
	WS_END_CONNECT = 6,   /* refused, unreachable */
	WS_END_TIMEOUT = 7,   /* not open within the limit */
	WS_END_TLS = 8,	      /* handshake failed: certificate, version */
	WS_END_UPGRADE = 9,   /* the answer is no WebSocket upgrade */
	WS_END_PROTOCOL = 10, /* frame against the rules: we said 1002 */
	WS_END_TOO_BIG = 11,  /* message over the limit: we said 1009 */
	WS_END_BAD_CODE = 12, /* invalid close code: we said 1002 */
	WS_END_IO = 13,	      /* read or write failed */
	WS_END_OVERFLOW = 14, /* more to write than out_max */
	WS_END_N
};

struct ws_message {
	enum ws_kind kind;
	const uint8_t *data; /* valid during the call only */
	size_t n;
	uint64_t recv_ns; /* monotonic, right after the bytes were read */
};

typedef void (*ws_message_fn)(void *user, const struct ws_message *m);

enum ws_role {
	WS_CLIENT = 1, /* masks what it sends, refuses masked frames */
	WS_SERVER = 2, /* the reverse */
	WS_ROLE_N
};

struct ws_session {
	enum ws_role role;
	struct wslay_frame_context *frames;
	ws_message_fn on_message;
	void *user;
	/* input being fed, and the message being put together */
	const uint8_t *in;
	size_t in_n;
	uint64_t recv_ns;
	uint8_t *msg;
	size_t msg_n;
	size_t msg_max;
	enum ws_kind msg_kind; /* 0 when no message is open */
	uint8_t control[WS_CONTROL_MAX];
	size_t control_n;
	uint64_t frame_left; /* payload bytes of the frame still to come */
	bool is_in_frame;
	uint64_t unparsed_n; /* bytes taken that belong to no frame yet */
	/* output: out[out_at, out_n) waits to be written */
	uint8_t *out;
	size_t out_at;
	size_t out_n;
	size_t out_max;
	uint64_t mask_state;
	bool leaves_pings;
	/* end */
	enum ws_end end; /* 0 while the session lives */
	uint16_t close_code;
	bool is_close_sent;
	char text[WS_CONTROL_MAX + 1]; /* reason of the peer, or ours */
};

struct ws_session_cfg {
	enum ws_role role;
	size_t msg_max;		  /* 0: WS_MSG_MAX_DEFAULT */
	size_t out_max;		  /* 0: WS_OUT_MAX_DEFAULT */
	uint64_t mask_seed;	  /* of net_random(); clients only */
	bool leaves_pings;	  /* the owner answers the peer's pings */
	ws_message_fn on_message; /* text, binary, ping, pong */
	void *user;
};

/* ws_session_init - 0, or -ENOMEM. A session must not move in memory. */
int ws_session_init(struct ws_session *s, const struct ws_session_cfg *cfg);

/* ws_session_reset - a new connection with the same buffers; 0, -ENOMEM. */
int ws_session_reset(struct ws_session *s);

void ws_session_free(struct ws_session *s);

/*
 * ws_session_feed - n bytes as they were received at recv_ns. Calls
 * on_message for each whole message. After the end (s->end set) the rest is
 * ignored. Protocol errors queue the right close frame.
 * Returns : true while the session lives.
 */
bool ws_session_feed(
    struct ws_session *s, const void *bytes, size_t n, uint64_t recv_ns);

/* ws_session_eof - the stream ended; names the reason unless one is set. */
void ws_session_eof(struct ws_session *s);

/*
 * ws_session_send - queue one unfragmented message.
 * Returns : 0; -ENOBUFS when it does not fit (nothing queued); -EPIPE after
 *           a close was sent or received; -EMSGSIZE for a control frame over
 *           125 bytes.
 */
int ws_session_send(
    struct ws_session *s, enum ws_kind kind, const void *data, size_t n);

/*
 * ws_session_send_parts - the same message in frames of part_n bytes each.
 * Needs : a data message, part_n > 0 (CHECK).
 */
int ws_session_send_parts(struct ws_session *s, enum ws_kind kind,
    const void *data, size_t n, size_t part_n);

/*
 * ws_session_close - queue a close frame with a code and a short reason.
 * Data is still delivered until the peer's close or the end of the stream.
 */
void ws_session_close(struct ws_session *s, uint16_t code, const char *reason);

/* Bytes to write: ws_session_pending gives a pointer and their number,
 * ws_session_wrote tells how many left. */
size_t ws_session_pending(const struct ws_session *s, const uint8_t **bytes);
void ws_session_wrote(struct ws_session *s, size_t n);

/* ws_close_code_ok - codes an endpoint may receive: 1000-1014 less 1004,
 * 1005 and 1006, and 3000-4999. */
bool ws_close_code_ok(unsigned code);

/* ws_end_name - "eof_mid_frame", "message_too_big", ... for logs. */
const char *ws_end_name(enum ws_end e);

/* ws_accept_key - the Sec-WebSocket-Accept value for a key; out of at least
 * WS_ACCEPT_MAX bytes. key of at most 64 bytes (CHECK). */
#define WS_ACCEPT_MAX 32
#define WS_KEY_MAX    32
void ws_accept_key(const char *key, size_t key_n, char *out);

/* ws_upgrade_wrong - is this request a WebSocket handshake? 0, or the HTTP
 * status to refuse it with. */
unsigned ws_upgrade_wrong(const struct http_head *h);

/* ws_make_key - 16 random bytes in base64; out of WS_KEY_MAX bytes. */
void ws_make_key(uint64_t random_a, uint64_t random_b, char *out);

#endif
