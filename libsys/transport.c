#define _GNU_SOURCE
#include "libsys/transport.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libcore/check.h"

static int
plain_handshake(struct transport *t)
{
	(void)t;
	return 0;
}

static int
plain_error(struct transport *t, const char *what, int want)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return want;
	t->reason = REASON_PEER_CLOSED;
	(void)snprintf(
	    t->error, sizeof(t->error), "%s: %s", what, strerror(errno));
	return TRANSPORT_FAILED;
}

static ssize_t
plain_recv(struct transport *t, void *buf, size_t n)
{
	ssize_t got = recv(t->fd, buf, n, 0);
	return got >= 0 ? got : plain_error(t, "recv", TRANSPORT_WANT_READ);
}

static ssize_t
plain_send(struct transport *t, const void *buf, size_t n)
{
	ssize_t put = send(t->fd, buf, n, MSG_NOSIGNAL);
	return put >= 0 ? put : plain_error(t, "send", TRANSPORT_WANT_WRITE);
}

static void
plain_close(struct transport *t)
{
	close(t->fd);
}

static const struct transport_ops plain_ops = {
    .handshake = plain_handshake,
    .recv = plain_recv,
    .send = plain_send,
    .close = plain_close,
};

void
transport_plain_init(struct transport *t, int fd)
{
	CHECK(fd >= 0);
	memset(t, 0, sizeof(*t));
	t->ops = &plain_ops;
	t->fd = fd;
}

int
transport_handshake(struct transport *t)
{
	CHECK(t->ops != NULL);
	return t->ops->handshake(t);
}

ssize_t
transport_recv(struct transport *t, void *buf, size_t n)
{
	CHECK(t->ops != NULL);
	return t->ops->recv(t, buf, n);
}

ssize_t
transport_send(struct transport *t, const void *buf, size_t n)
{
	CHECK(t->ops != NULL);
	return t->ops->send(t, buf, n);
}

void
transport_close(struct transport *t)
{
	if (t->ops == NULL)
		return;
	t->ops->close(t);
	t->ops = NULL;
	t->fd = -1;
}
