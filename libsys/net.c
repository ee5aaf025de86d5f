#define _GNU_SOURCE
#include "libsys/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "libcore/check.h"

static const struct {
	const char *prefix;
	bool is_ws;
	bool is_tls;
	uint16_t port;
} schemes[] = {
    {"ws://", true, false, 80},
    {"wss://", true, true, 443},
    {"http://", false, false, 80},
    {"https://", false, true, 443},
};
#define SCHEME_N (sizeof(schemes) / sizeof(schemes[0]))

static const char *
url_scheme(const char *text, struct net_url *out)
{
	for (size_t i = 0; i < SCHEME_N; i++) {
		size_t n = strlen(schemes[i].prefix);
		if (strncmp(text, schemes[i].prefix, n) == 0) {
			out->is_ws = schemes[i].is_ws;
			out->is_tls = schemes[i].is_tls;
			out->port = schemes[i].port;
			return text + n;
		}
	}
	return NULL;
}

static int
url_port(const char *s, size_t n, uint16_t *out)
{
	unsigned v = 0;
	if (n == 0 || n > 5)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		v = v * 10 + (unsigned)(s[i] - '0');
	}
	if (v == 0 || v > UINT16_MAX)
		return -EINVAL;
	*out = (uint16_t)v;
	return 0;
}

static int
url_host(const char *s, size_t n, struct net_url *out)
{
	const char *end = s + n;
	const char *host = s;
	const char *host_end;
	if (n > 0 && s[0] == '[') {
		host = s + 1;
		host_end = memchr(s, ']', n);
		if (host_end == NULL)
			return -EINVAL;
		s = host_end + 1;
	} else {
		host_end = memchr(s, ':', n);
		if (host_end == NULL)
			host_end = end;
		s = host_end;
	}
	size_t host_n = (size_t)(host_end - host);
	if (host_n == 0 || host_n >= sizeof(out->host))
		return -EINVAL;
	memcpy(out->host, host, host_n);
	out->host[host_n] = '\0';
	if (s == end)
		return 0;
	if (*s != ':')
		return -EINVAL;
	return url_port(s + 1, (size_t)(end - s - 1), &out->port);
}

int
net_url_parse(const char *text, struct net_url *out)
{
	CHECK(text != NULL);
	CHECK(out != NULL);
	memset(out, 0, sizeof(*out));
	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p <= ' ' || (unsigned char)*p == 0x7f)
			return -EINVAL;
	}
	const char *host = url_scheme(text, out);
	if (host == NULL || strchr(host, '#') != NULL)
		return -EINVAL;
	size_t host_n = strcspn(host, "/?");
	if (memchr(host, '@', host_n) != NULL)
		return -EINVAL;
	const char *path = host + host_n;
	size_t path_n = strlen(path);
	bool needs_slash = *path != '/';
	if (path_n + needs_slash >= sizeof(out->path))
		return -EINVAL;
	out->path[0] = '/';
	memcpy(out->path + needs_slash, path, path_n);
	return url_host(host, host_n, out);
}

uint64_t
net_backoff_ms(unsigned attempt, uint64_t random)
{
	uint64_t step = NET_BACKOFF_MAX_MS;
	if (attempt < 7)
		step = (uint64_t)NET_BACKOFF_MIN_MS << attempt;
	if (step > NET_BACKOFF_MAX_MS)
		step = NET_BACKOFF_MAX_MS;
	return step / 2 + random % (step / 2 + 1);
}

uint64_t
net_random(void)
{
	uint64_t v;
	/* Eight bytes never come short and never block after boot. */
	CHECK(getrandom(&v, sizeof(v), 0) == (ssize_t)sizeof(v));
	return v;
}

static int
socket_open(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int on = 1;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0) {
		int err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static int
listen_address(const char *host, uint16_t port, struct sockaddr_storage *sa)
{
	struct sockaddr_in v4 = {
	    .sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons(port)};
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	memset(sa, 0, sizeof(*sa));
	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
		memcpy(sa, &v4, sizeof(v4));
		return (int)sizeof(v4);
	}
	if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
		memcpy(sa, &v6, sizeof(v6));
		return (int)sizeof(v6);
	}
	return -EINVAL;
}

int
net_listen(const char *host, uint16_t port, int backlog)
{
	struct sockaddr_storage sa;
	int sa_sz = listen_address(host, port, &sa);
	if (sa_sz < 0)
		return sa_sz;
	int fd = socket_open(sa.ss_family);
	if (fd < 0)
		return fd;
	int on = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&sa, (socklen_t)sa_sz) < 0 ||
	    listen(fd, backlog) < 0) {
		int err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int
net_accept(int listen_fd)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return -errno;
	int on = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

int
net_connect(const struct sockaddr *sa, socklen_t sa_sz)
{
	int fd = socket_open(sa->sa_family);
	if (fd < 0)
		return fd;
	if (connect(fd, sa, sa_sz) < 0 && errno != EINPROGRESS) {
		int err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int
net_connect_result(int fd)
{
	int err = 0;
	socklen_t n = sizeof(err);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0)
		return -errno;
	return -err;
}

uint16_t
net_local_port(int fd)
{
	struct sockaddr_storage sa = {0};
	socklen_t n = sizeof(sa);
	if (getsockname(fd, (struct sockaddr *)&sa, &n) < 0)
		return 0;
	uint16_t port = 0;
	if (sa.ss_family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, &sa, sizeof(v4));
		port = v4.sin_port;
	} else if (sa.ss_family == AF_INET6) {
		struct sockaddr_in6 v6;
		memcpy(&v6, &sa, sizeof(v6));
		port = v6.sin6_port;
	}
	return ntohs(port);
}
