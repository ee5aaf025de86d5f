/*
 * curltls.h - TLS transports of libcurl (CONNECT_ONLY, OpenSSL).
 *
 * The second transport: TLS 1.2 and 1.3, chosen by feed.transport: curl. The
 * caller connects the socket (TCP_NODELAY is set before the handshake, see
 * net.h) and gives it away; libcurl does the handshake through its multi
 * socket interface on the caller's loop, afterwards bytes go through
 * curl_easy_recv and curl_easy_send on the same socket.
 *
 * Certificates and host names are always verified; there is no switch to
 * turn that off. ALPN "http/1.1". Sessions are shared between the
 * connections of a context and resumed with TLS 1.3 (its tickets arrive after
 * the handshake: a connection must have been read from once); for TLS 1.2
 * libcurl turns tickets off.
 *
 * One context serves many connections of one thread. A transport must not
 * move in memory between init and close.
 */
#ifndef LIBSYS_CURLTLS_H
#define LIBSYS_CURLTLS_H

#include <stddef.h>
#include <stdint.h>

#include "libsys/transport.h"

struct curltls_ctx;

/*
 * curltls_create - ca_path: a PEM file with the trusted authorities, NULL
 * for the system's.
 * Returns : NULL with a sentence in err (of err_sz bytes) when it fails.
 */
struct curltls_ctx *curltls_create(
    const char *ca_path, char *err, size_t err_sz);

/* curltls_destroy - after the last transport of it is closed. NULL is fine. */
void curltls_destroy(struct curltls_ctx *ctx);

/*
 * curltls_transport_init - encrypted stream over a connected fd, which it
 * then owns. host: the name to verify and to send.
 * Returns : 0, or -ENOMEM / -EINVAL with the socket closed and t->error set.
 */
int curltls_transport_init(struct transport *t, struct curltls_ctx *ctx, int fd,
    const char *host, uint16_t port);

/* curltls_resumed_n - handshakes of this context that resumed a session. */
unsigned long curltls_resumed_n(const struct curltls_ctx *ctx);

#endif
