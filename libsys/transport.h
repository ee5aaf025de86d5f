/*
 * transport.h - a byte stream over a socket, plain or encrypted.
 *
 * WebSocket and HTTP code sees only this, so that TLS can be put under any
 * of it. The socket is owned by the transport from init until close.
 *
 * Draining : an encrypted transport may hold decrypted or read-ahead bytes
 *   while the socket shows nothing. A reader takes until TRANSPORT_WANT_READ.
 * Writing  : after TRANSPORT_WANT_WRITE the next send repeats the same bytes
 *   first; more may follow them in the buffer.
 */
#ifndef LIBSYS_TRANSPORT_H
#define LIBSYS_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libcore/reasons.h"

#define TRANSPORT_ERROR_MAX 160

/* Results below zero; never an errno. */
enum transport_result {
	TRANSPORT_WANT_READ = -1,
	TRANSPORT_WANT_WRITE = -2,
	TRANSPORT_FAILED = -3 /* the text in transport.error says why */
};

struct transport;

struct transport_ops {
	int (*handshake)(struct transport *t);
	ssize_t (*recv)(struct transport *t, void *buf, size_t n);
	ssize_t (*send)(struct transport *t, const void *buf, size_t n);
	void (*close)(struct transport *t);
};

struct transport {
	const struct transport_ops *ops; /* NULL when closed */
	int fd;
	void *state;	    /* of the implementation */
	bool resumed;	    /* the handshake continued an older session */
	enum reason reason; /* of TRANSPORT_FAILED, beside the text */
	char error[TRANSPORT_ERROR_MAX];
};

/* transport_plain_init - bytes as they are. Needs an open socket (CHECK). */
void transport_plain_init(struct transport *t, int fd);

/* transport_handshake - 0 when bytes may flow, or a transport_result. */
int transport_handshake(struct transport *t);

/* transport_recv - bytes read (> 0), 0 at the end of the stream, or a
 * transport_result. */
ssize_t transport_recv(struct transport *t, void *buf, size_t n);

/* transport_send - bytes taken (> 0) or a transport_result. */
ssize_t transport_send(struct transport *t, const void *buf, size_t n);

/* transport_close - says goodbye when the protocol has one, closes the
 * socket. Harmless on a closed or zeroed transport. */
void transport_close(struct transport *t);

#endif
