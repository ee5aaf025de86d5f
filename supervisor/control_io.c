#define _GNU_SOURCE
#include "supervisor/control_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Through the directory's descriptor: sun_path is only 108 bytes long. */
static void
address(const struct instance *in, struct sockaddr_un *a)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	snprintf(a->sun_path, sizeof(a->sun_path), "/proc/self/fd/%d/%s",
	    in->dirfd, CONTROL_NAME);
}

int
control_listen(const struct instance *in, struct err *e)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t old;
	int rc;

	if (fd < 0)
		return err_set(e, -errno, "socket: %s", strerror(errno));
	address(in, &a);
	unlinkat(in->dirfd, CONTROL_NAME, 0);
	old = umask(0177);
	rc = bind(fd, (struct sockaddr *)&a, sizeof(a));
	umask(old);
	if (rc < 0 || listen(fd, SUP_CONNS) < 0) {
		rc = errno;
		close(fd);
		return err_set(e, -rc, "cannot listen on %s/%s: %s", in->path,
		    CONTROL_NAME, strerror(rc));
	}
	return fd;
}

static bool
peer_uid(int fd, uid_t *uid)
{
	struct ucred u;
	socklen_t n = sizeof(u);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &n) < 0)
		return false;
	*uid = u.uid;
	return true;
}

struct sup_conn *
control_accept(struct supd *d)
{
	int fd =
	    accept4(d->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP};
	uid_t uid;

	if (fd < 0)
		return NULL;
	for (int i = 0; i < SUP_CONNS; i++) {
		struct sup_conn *c = &d->conn[i];

		if (c->fd >= 0)
			continue;
		if (!peer_uid(fd, &uid) || uid != geteuid())
			break;
		memset(c, 0, sizeof(*c));
		c->fd = fd;
		ev.data.u64 = SUP_EP_CONN + (unsigned)i;
		if (epoll_ctl(d->ep, EPOLL_CTL_ADD, fd, &ev) < 0) {
			c->fd = -1;
			break;
		}
		return c;
	}
	close(fd);
	return NULL;
}

void
control_drop(struct supd *d, struct sup_conn *c)
{
	(void)d;
	if (c->fd >= 0)
		close(c->fd);
	free(c->note);
	c->note = NULL;
	c->fd = -1;
	c->wait = SUP_WAIT_NONE;
}

void
control_answer(struct supd *d, struct sup_conn *c, json_t *answer)
{
	char *text = json_dumps(answer, JSON_COMPACT);
	size_t n = text ? strlen(text) : 0;

	json_decref(answer);
	if (text != NULL) {
		/* A client that does not read is its own trouble: the socket
		 * buffer holds an answer many times over. */
		if (send(c->fd, text, n, MSG_NOSIGNAL) == (ssize_t)n)
			(void)send(c->fd, "\n", 1, MSG_NOSIGNAL);
		free(text);
	}
	control_drop(d, c);
}

void
control_read(struct supd *d, struct sup_conn *c)
{
	ssize_t got =
	    recv(c->fd, c->line + c->n, sizeof(c->line) - 1 - c->n, 0);
	char *end;
	uid_t uid;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		control_drop(d, c);
		return;
	}
	c->n += (size_t)got;
	c->line[c->n] = '\0';
	end = memchr(c->line, '\n', c->n);
	if (end == NULL && c->n + 1 < sizeof(c->line))
		return;
	/* One request a connection; anything overlong is not a request. */
	if (end == NULL || c->wait != SUP_WAIT_NONE || !peer_uid(c->fd, &uid)) {
		control_drop(d, c);
		return;
	}
	*end = '\0';
	c->n = 0;
	command_line(d, c, c->line, uid);
}

bool
control_alive(const struct instance *in)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	if (fd < 0)
		return false;
	address(in, &a);
	ok = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
	close(fd);
	return ok;
}

static json_t *
read_answer(int fd, struct err *e)
{
	FILE *f = fdopen(fd, "r");
	json_error_t je;
	json_t *a;

	if (f == NULL) {
		close(fd);
		err_set(e, -ENOMEM, "out of memory");
		return NULL;
	}
	a = json_loadf(f, JSON_DISABLE_EOF_CHECK, &je);
	fclose(f);
	if (a == NULL)
		err_set(e, -EPIPE,
		    "the supervisor did not answer; see "
		    "supervisor status");
	return a;
}

json_t *
control_ask(
    const struct instance *in, json_t *request, unsigned limit_s, struct err *e)
{
	struct timeval limit = {.tv_sec = limit_s};
	struct sockaddr_un a;
	char *text = json_dumps(request, JSON_COMPACT);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool sent;

	json_decref(request);
	address(in, &a);
	if (text == NULL || fd < 0 ||
	    connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		err_set(e, -ECONNREFUSED,
		    "no supervisor answers for instance %s: %s", in->name,
		    strerror(errno));
		free(text);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (limit_s != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	sent = send(fd, text, strlen(text), MSG_NOSIGNAL) ==
		   (ssize_t)strlen(text) &&
	       send(fd, "\n", 1, MSG_NOSIGNAL) == 1;
	free(text);
	if (!sent) {
		err_set(e, -errno, "control socket: %s", strerror(errno));
		close(fd);
		return NULL;
	}
	return read_answer(fd, e);
}
