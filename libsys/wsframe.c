#define _GNU_SOURCE
#include "libsys/wsframe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/base64.h>
#include <mbedtls/sha1.h>
#include <wslay/wslay.h>

#include "libcore/check.h"
#include "libcore/hash.h"

#define CODE_PROTOCOL 1002
#define CODE_TOO_BIG  1009
/* A frame adds at most 14 bytes; a close or pong must always fit. */
#define FRAME_HEAD_MAX	14
#define FIN		0x80 /* in the argument of queue_frame */
#define CONTROL_RESERVE (4 * (WS_CONTROL_MAX + FRAME_HEAD_MAX))

static const char *const end_names[WS_END_N] = {
    [WS_END_LOCAL] = "closed_by_us",
    [WS_END_PEER] = "closed_by_peer",
    [WS_END_EOF] = "eof",
    [WS_END_EOF_MID] = "eof_mid_frame",
    [WS_END_DNS] = "name_not_found",
    [WS_END_CONNECT] = "connect_failed",
    [WS_END_TIMEOUT] = "open_timeout",
    [WS_END_TLS] = "tls_failed",
    [WS_END_UPGRADE] = "upgrade_refused",
    [WS_END_PROTOCOL] = "protocol_error",
    [WS_END_TOO_BIG] = "message_too_big",
    [WS_END_BAD_CODE] = "bad_close_code",
    [WS_END_IO] = "io_error",
    [WS_END_OVERFLOW] = "output_overflow",
};

const char *
ws_end_name(enum ws_end e)
{
	if (e < WS_END_LOCAL || e >= WS_END_N)
		return "none";
	return end_names[e];
}

bool
ws_close_code_ok(unsigned code)
{
	if (code >= 3000 && code <= 4999)
		return true;
	return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 &&
	       code != 1006;
}

void
ws_accept_key(const char *key, size_t key_n, char *out)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char text[64 + sizeof(guid)];
	unsigned char sum[20];
	size_t n = 0;
	CHECK(key_n <= 64);
	memcpy(text, key, key_n);
	memcpy(text + key_n, guid, sizeof(guid) - 1);
	CHECK(mbedtls_sha1_ret(text, key_n + sizeof(guid) - 1, sum) == 0);
	CHECK(mbedtls_base64_encode((unsigned char *)out, WS_ACCEPT_MAX, &n,
		  sum, sizeof(sum)) == 0);
}

unsigned
ws_upgrade_wrong(const struct http_head *h)
{
	const struct http_text *version =
	    http_header_find(h, "sec-websocket-version");
	const struct http_text *key = http_header_find(h, "sec-websocket-key");
	if (!http_text_is(h->method, "GET") || h->is_http10 ||
	    !http_header_has(h, "connection", "upgrade"))
		return 400;
	if (version == NULL || !http_text_is(*version, "13"))
		return 426;
	return key == NULL || key->n != 24 ? 400 : 0;
}

void
ws_make_key(uint64_t random_a, uint64_t random_b, char *out)
{
	unsigned char raw[16];
	size_t n = 0;
	memcpy(raw, &random_a, 8);
	memcpy(raw + 8, &random_b, 8);
	CHECK(mbedtls_base64_encode(
		  (unsigned char *)out, WS_KEY_MAX, &n, raw, sizeof(raw)) == 0);
}

/* ---- wslay callbacks ---- */

static ssize_t
take_input(uint8_t *buf, size_t n, int flags, void *arg)
{
	struct ws_session *s = arg;
	(void)flags;
	if (s->in_n == 0)
		return -1;
	if (n > s->in_n)
		n = s->in_n;
	memcpy(buf, s->in, n);
	s->in += n;
	s->in_n -= n;
	s->unparsed_n += n;
	return (ssize_t)n;
}

/* Room was checked before the frame was begun. */
static ssize_t
put_output(const uint8_t *data, size_t n, int flags, void *arg)
{
	struct ws_session *s = arg;
	(void)flags;
	CHECK(n <= s->out_max + CONTROL_RESERVE - s->out_n);
	memcpy(s->out + s->out_n, data, n);
	s->out_n += n;
	return (ssize_t)n;
}

/* Masks protect proxies from our bytes; nothing secret rests on them. */
static int
make_mask(uint8_t *buf, size_t n, void *arg)
{
	struct ws_session *s = arg;
	for (size_t i = 0; i < n; i++) {
		s->mask_state = hash_u64(s->mask_state, i);
		buf[i] = (uint8_t)s->mask_state;
	}
	return 0;
}

static int
frames_open(struct ws_session *s)
{
	static const struct wslay_frame_callbacks callbacks = {
	    .send_callback = put_output,
	    .recv_callback = take_input,
	    .genmask_callback = make_mask,
	};
	return wslay_frame_context_init(&s->frames, &callbacks, s) == 0
		   ? 0
		   : -ENOMEM;
}

/* ---- life ---- */

int
ws_session_init(struct ws_session *s, const struct ws_session_cfg *cfg)
{
	CHECK(cfg->role > 0 && cfg->role < WS_ROLE_N);
	CHECK(cfg->on_message != NULL);
	memset(s, 0, sizeof(*s));
	s->role = cfg->role;
	s->on_message = cfg->on_message;
	s->user = cfg->user;
	s->mask_state = cfg->mask_seed;
	s->leaves_pings = cfg->leaves_pings;
	s->msg_max = cfg->msg_max != 0 ? cfg->msg_max : WS_MSG_MAX_DEFAULT;
	s->out_max = cfg->out_max != 0 ? cfg->out_max : WS_OUT_MAX_DEFAULT;
	s->msg = malloc(s->msg_max);
	s->out = malloc(s->out_max + CONTROL_RESERVE);
	if (s->msg == NULL || s->out == NULL || frames_open(s) != 0) {
		ws_session_free(s);
		return -ENOMEM;
	}
	return 0;
}

int
ws_session_reset(struct ws_session *s)
{
	if (s->frames != NULL)
		wslay_frame_context_free(s->frames);
	s->frames = NULL;
	s->in_n = 0;
	s->msg_n = 0;
	s->msg_kind = 0;
	s->control_n = 0;
	s->frame_left = 0;
	s->is_in_frame = false;
	s->unparsed_n = 0;
	s->out_at = 0;
	s->out_n = 0;
	s->end = 0;
	s->close_code = 0;
	s->is_close_sent = false;
	s->text[0] = '\0';
	return frames_open(s);
}

void
ws_session_free(struct ws_session *s)
{
	if (s->frames != NULL)
		wslay_frame_context_free(s->frames);
	free(s->msg);
	free(s->out);
	memset(s, 0, sizeof(*s));
}

/* ---- output ---- */

static uint8_t
opcode_of(enum ws_kind kind)
{
	switch (kind) {
	case WS_TEXT: return WSLAY_TEXT_FRAME;
	case WS_BINARY: return WSLAY_BINARY_FRAME;
	case WS_PING: return WSLAY_PING;
	case WS_PONG: return WSLAY_PONG;
	case WS_KIND_N: break;
	}
	CHECK(false);
	return 0;
}

static void
make_room(struct ws_session *s)
{
	if (s->out_at == 0)
		return;
	memmove(s->out, s->out + s->out_at, s->out_n - s->out_at);
	s->out_n -= s->out_at;
	s->out_at = 0;
}

/* head: opcode, and FIN at the end of a message. limit: how far this frame
 * may fill the buffer. */
static int
queue_frame(struct ws_session *s, uint8_t head, const void *data, size_t n,
    size_t limit)
{
	size_t waiting = s->out_n - s->out_at;
	if (n > limit || waiting + n + FRAME_HEAD_MAX > limit)
		return -ENOBUFS;
	if (s->out_n + n + FRAME_HEAD_MAX > limit)
		make_room(s);
	struct wslay_frame_iocb io = {
	    .fin = (head & FIN) != 0,
	    .opcode = head & 0x0f,
	    .payload_length = n,
	    .mask = s->role == WS_CLIENT,
	    .data = data,
	    .data_length = n,
	};
	size_t left = n;
	do {
		ssize_t put = wslay_frame_send(s->frames, &io);
		CHECK(put >= 0 && (size_t)put <= left);
		io.data += put;
		left -= (size_t)put;
		io.data_length = left;
	} while (left > 0);
	return 0;
}

int
ws_session_send(
    struct ws_session *s, enum ws_kind kind, const void *data, size_t n)
{
	uint8_t opcode = opcode_of(kind);
	if (s->end != 0 || s->is_close_sent)
		return -EPIPE;
	if (wslay_is_ctrl_frame(opcode) && n > WS_CONTROL_MAX)
		return -EMSGSIZE;
	return queue_frame(s, opcode | FIN, data, n, s->out_max);
}

int
ws_session_send_parts(struct ws_session *s, enum ws_kind kind, const void *data,
    size_t n, size_t part_n)
{
	const char *at = data;
	uint8_t opcode = opcode_of(kind);
	CHECK(!wslay_is_ctrl_frame(opcode));
	CHECK(part_n > 0);
	if (s->end != 0 || s->is_close_sent)
		return -EPIPE;
	/* All of it or nothing. */
	size_t heads = (n / part_n + 1) * FRAME_HEAD_MAX;
	if (s->out_n - s->out_at + n + heads > s->out_max)
		return -ENOBUFS;
	do {
		size_t part = n < part_n ? n : part_n;
		n -= part;
		uint8_t head = n == 0 ? opcode | FIN : opcode;
		CHECK(queue_frame(s, head, at, part, s->out_max) == 0);
		at += part;
		opcode = WSLAY_CONTINUATION_FRAME;
	} while (n > 0);
	return 0;
}

void
ws_session_close(struct ws_session *s, uint16_t code, const char *reason)
{
	uint8_t body[WS_CONTROL_MAX];
	size_t n = strlen(reason);
	if (s->is_close_sent)
		return;
	if (n > sizeof(body) - 2)
		n = sizeof(body) - 2;
	body[0] = (uint8_t)(code >> 8);
	body[1] = (uint8_t)(code & 0xff);
	memcpy(body + 2, reason, n);
	s->is_close_sent = true;
	(void)queue_frame(s, WSLAY_CONNECTION_CLOSE | FIN, body, n + 2,
	    s->out_max + CONTROL_RESERVE);
}

size_t
ws_session_pending(const struct ws_session *s, const uint8_t **bytes)
{
	*bytes = s->out + s->out_at;
	return s->out_n - s->out_at;
}

void
ws_session_wrote(struct ws_session *s, size_t n)
{
	CHECK(n <= s->out_n - s->out_at);
	s->out_at += n;
	if (s->out_at == s->out_n) {
		s->out_at = 0;
		s->out_n = 0;
	}
}

/* ---- input ---- */

static void
session_fail(
    struct ws_session *s, enum ws_end end, uint16_t code, const char *text)
{
	if (s->end != 0)
		return;
	ws_session_close(s, code, text);
	s->end = end;
	s->close_code = code;
	(void)snprintf(s->text, sizeof(s->text), "%s", text);
}

static void
deliver(struct ws_session *s, enum ws_kind kind, const uint8_t *data, size_t n)
{
	struct ws_message m = {
	    .kind = kind, .data = data, .n = n, .recv_ns = s->recv_ns};
	s->on_message(s->user, &m);
}

static void
closed_by_peer(struct ws_session *s)
{
	unsigned code = 0;
	if (s->control_n >= 2) {
		code = (unsigned)s->control[0] << 8 | s->control[1];
		if (!ws_close_code_ok(code)) {
			session_fail(s, WS_END_BAD_CODE, CODE_PROTOCOL,
			    "invalid close code");
			return;
		}
		memcpy(s->text, s->control + 2, s->control_n - 2);
		s->text[s->control_n - 2] = '\0';
	} else if (s->control_n == 1) {
		session_fail(s, WS_END_BAD_CODE, CODE_PROTOCOL,
		    "close frame of one byte");
		return;
	}
	bool is_answer = s->is_close_sent;
	ws_session_close(s, code != 0 ? (uint16_t)code : 1000, "");
	s->end = is_answer ? WS_END_LOCAL : WS_END_PEER;
	s->close_code = (uint16_t)code;
}

static void
control_done(struct ws_session *s, uint8_t opcode)
{
	if (opcode == WSLAY_CONNECTION_CLOSE) {
		closed_by_peer(s);
		return;
	}
	if (opcode == WSLAY_PING && !s->is_close_sent && !s->leaves_pings &&
	    queue_frame(s, WSLAY_PONG | FIN, s->control, s->control_n,
		s->out_max + CONTROL_RESERVE / 2) != 0) {
		/* A peer that pings without ever reading the answers. */
		session_fail(s, WS_END_OVERFLOW, CODE_PROTOCOL,
		    "too many pings unanswered");
		return;
	}
	deliver(s, opcode == WSLAY_PING ? WS_PING : WS_PONG, s->control,
	    s->control_n);
}

/* The first bytes of a frame: what it may be at this point. */
static bool
frame_allowed(struct ws_session *s, const struct wslay_frame_iocb *io)
{
	const char *wrong = NULL;
	bool is_control = wslay_is_ctrl_frame(io->opcode);
	if (io->rsv != 0)
		wrong = "reserved bits set";
	else if ((io->mask != 0) != (s->role == WS_SERVER))
		wrong = s->role == WS_SERVER ? "frame not masked"
					     : "frame masked by server";
	else if ((io->opcode > WSLAY_BINARY_FRAME && !is_control) ||
		 io->opcode > WSLAY_PONG)
		wrong = "unknown opcode";
	else if (io->opcode == WSLAY_CONTINUATION_FRAME && s->msg_kind == 0)
		wrong = "continuation of nothing";
	else if (io->opcode != WSLAY_CONTINUATION_FRAME && !is_control &&
		 s->msg_kind != 0)
		wrong = "message inside a message";
	if (wrong != NULL) {
		session_fail(s, WS_END_PROTOCOL, CODE_PROTOCOL, wrong);
		return false;
	}
	if (is_control) {
		s->control_n = 0;
		return true;
	}
	if (io->opcode != WSLAY_CONTINUATION_FRAME) {
		s->msg_kind =
		    io->opcode == WSLAY_TEXT_FRAME ? WS_TEXT : WS_BINARY;
		s->msg_n = 0;
	}
	if (io->payload_length > s->msg_max - s->msg_n) {
		session_fail(
		    s, WS_END_TOO_BIG, CODE_TOO_BIG, "message over the limit");
		return false;
	}
	return true;
}

static void
data_part(struct ws_session *s, const struct wslay_frame_iocb *io)
{
	bool is_done = s->frame_left == 0 && io->fin != 0;
	/* A message whole in one piece needs no copy. */
	if (is_done && s->msg_n == 0) {
		enum ws_kind kind = s->msg_kind;
		s->msg_kind = 0;
		deliver(s, kind, io->data, io->data_length);
		return;
	}
	if (io->data_length > 0)
		memcpy(s->msg + s->msg_n, io->data, io->data_length);
	s->msg_n += io->data_length;
	if (is_done) {
		enum ws_kind kind = s->msg_kind;
		s->msg_kind = 0;
		deliver(s, kind, s->msg, s->msg_n);
	}
}

static size_t
head_size(const struct wslay_frame_iocb *io)
{
	size_t n = io->mask != 0 ? 6 : 2;
	if (io->payload_length > UINT16_MAX)
		return n + 8;
	return io->payload_length > 125 ? n + 2 : n;
}

static void
frame_part(struct ws_session *s, const struct wslay_frame_iocb *io)
{
	if (!s->is_in_frame) {
		s->unparsed_n -= head_size(io);
		if (!frame_allowed(s, io))
			return;
		s->is_in_frame = true;
		s->frame_left = io->payload_length;
	}
	CHECK(io->data_length <= s->frame_left);
	s->frame_left -= io->data_length;
	s->unparsed_n -= io->data_length;
	s->is_in_frame = s->frame_left > 0;
	if (!wslay_is_ctrl_frame(io->opcode)) {
		data_part(s, io);
		return;
	}
	/* wslay refuses control frames over 125 bytes or in fragments. */
	CHECK(s->control_n + io->data_length <= sizeof(s->control));
	if (io->data_length > 0)
		memcpy(s->control + s->control_n, io->data, io->data_length);
	s->control_n += io->data_length;
	if (!s->is_in_frame)
		control_done(s, io->opcode);
}

bool
ws_session_feed(
    struct ws_session *s, const void *bytes, size_t n, uint64_t recv_ns)
{
	s->in = bytes;
	s->in_n = n;
	s->recv_ns = recv_ns;
	while (s->end == 0) {
		struct wslay_frame_iocb io = {0};
		ssize_t got = wslay_frame_recv(s->frames, &io);
		if (got == WSLAY_ERR_WANT_READ)
			break;
		if (got < 0) {
			session_fail(s, WS_END_PROTOCOL, CODE_PROTOCOL,
			    "frame against the rules");
			break;
		}
		frame_part(s, &io);
	}
	s->in_n = 0;
	return s->end == 0;
}

void
ws_session_eof(struct ws_session *s)
{
	if (s->end != 0)
		return;
	if (s->is_close_sent)
		s->end = WS_END_LOCAL;
	else if (s->is_in_frame || s->msg_kind != 0 || s->unparsed_n != 0)
		s->end = WS_END_EOF_MID;
	else
		s->end = WS_END_EOF;
	(void)snprintf(s->text, sizeof(s->text), "%s", ws_end_name(s->end));
}
