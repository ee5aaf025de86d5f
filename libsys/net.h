/*
 * net.h - non-blocking TCP sockets, addresses in text, reconnect delays.
 *
 * Every socket made here is non-blocking, close-on-exec and TCP_NODELAY (set
 * before the first byte: a TLS handshake without it costs 48 ms).
 * Functions return a descriptor or 0 when they succeed, a negative errno
 * when they do not.
 */
#ifndef LIBSYS_NET_H
#define LIBSYS_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define NET_HOST_MAX 254
#define NET_PATH_MAX 2048

/* An address as people write it: ws://host:port/path?query */
struct net_url {
	bool is_ws;  /* ws or wss, else http or https */
	bool is_tls; /* wss or https */
	uint16_t port;
	char host[NET_HOST_MAX]; /* without brackets around IPv6 */
	char path[NET_PATH_MAX]; /* with query, starts with '/' */
};

/*
 * net_url_parse - ws://, wss://, http:// or https:// to its parts.
 * The port defaults to 80 or 443, the path to "/". Refused: other schemes,
 * user names, fragments, control bytes and blanks, anything too long.
 * Returns : 0, or -EINVAL with *out unspecified.  Pure.
 */
int net_url_parse(const char *text, struct net_url *out);

#define NET_BACKOFF_MIN_MS 100
#define NET_BACKOFF_MAX_MS 10000

/*
 * net_backoff_ms - how long to wait before reconnect number attempt (from 0).
 * Exponential from 100 ms to 10 s; random (any 64 bits) picks a point in the
 * upper half of the step, so that clients do not return together.
 * Returns : 50..10000.  Pure.
 */
uint64_t net_backoff_ms(unsigned attempt, uint64_t random);

/* net_random - 64 random bits of the kernel (getrandom). */
uint64_t net_random(void);

/*
 * net_listen - listening socket on a numeric address or "localhost".
 * port 0 lets the kernel choose: see net_local_port.
 */
int net_listen(const char *host, uint16_t port, int backlog);

/* net_accept - next waiting connection of a listener; -EAGAIN when none. */
int net_accept(int listen_fd);

/* net_connect - start connecting; writable when decided. */
int net_connect(const struct sockaddr *sa, socklen_t sa_sz);

/* net_connect_result - outcome of net_connect once writable. */
int net_connect_result(int fd);

/* net_local_port - the port a socket is bound to, 0 when it has none. */
uint16_t net_local_port(int fd);

#endif
