/*
 * tls.h - TLS 1.2 transports (mbedTLS).
 *
 * Certificates and host names are always verified; there is no switch to
 * turn that off. ChaCha20-Poly1305 is preferred, then AES-GCM; x25519, then
 * P-256. Clients send SNI and ALPN "http/1.1" and resume the last session of
 * a host (kept in the context: 0.1 ms instead of 3-5 ms of handshake).
 * Addresses: a server is reached by a DNS name of its certificate, IP
 * addresses in certificates are not supported.
 *
 * One context serves many connections of one thread. A transport must not
 * move in memory between init and close.
 */
#ifndef LIBSYS_TLS_H
#define LIBSYS_TLS_H

#include <stddef.h>

#include "libsys/transport.h"

#define TLS_CA_SYSTEM "/etc/ssl/certs/ca-certificates.crt"

struct tls_ctx;

/*
 * tls_client_create - context for connecting. ca_path: a PEM file with the
 * trusted authorities, NULL for the system's.
 * Returns : NULL with a sentence in err (of err_sz bytes) when it fails.
 */
struct tls_ctx *tls_client_create(
    const char *ca_path, char *err, size_t err_sz);

/* tls_server_create - context for accepting, with a PEM certificate chain
 * and its key. Returns as tls_client_create. */
struct tls_ctx *tls_server_create(
    const char *cert_path, const char *key_path, char *err, size_t err_sz);

/* tls_destroy - after the last transport of it is closed. NULL is fine. */
void tls_destroy(struct tls_ctx *ctx);

/*
 * tls_transport_init - encrypted stream over fd, which it then owns.
 * host: the name to verify, NULL for an accepting context.
 * Returns : 0, or -ENOMEM / -EINVAL with the socket closed and t->error set.
 */
int tls_transport_init(
    struct transport *t, struct tls_ctx *ctx, int fd, const char *host);

/* tls_resumed_n - handshakes of this context that resumed a session. */
unsigned long tls_resumed_n(const struct tls_ctx *ctx);

#endif
