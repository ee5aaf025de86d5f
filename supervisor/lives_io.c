#define _GNU_SOURCE
#include "supervisor/lives_io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/durable_io.h"

#define HEAD "ringmaker epoch 1\n"

static int
broken(const char *path, const char *what, struct err *e)
{
	return err_set(e, -EBADMSG,
	    "%s: %s: without it order ids could be given twice; write the "
	    "line \"last N\" after \"ringmaker epoch 1\" with N above every "
	    "earlier life",
	    path, what);
}

int
lives_load(const char *state_dir, uint64_t *n, struct err *e)
{
	char path[PATH_MAX];
	char text[128];
	uint64_t v;
	int fd;
	int at = 0;
	ssize_t got;

	*n = 0;
	snprintf(path, sizeof(path), "%s/" LIVES_FILE, state_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return broken(path, strerror(errno), e);
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got < 0)
		return broken(path, strerror(errno), e);
	text[got] = '\0';
	if (sscanf(text, HEAD "last %" SCNu64 "\n%n", &v, &at) != 1 ||
	    at != (int)got || v > LIVES_MAX)
		return broken(path, "not a file of this version", e);
	*n = v;
	return 0;
}

int
lives_reserve(const char *state_dir, uint64_t used, uint64_t *n, struct err *e)
{
	char text[128];
	uint64_t next = used + LIVES_BLOCK;
	int rc;

	if (next > LIVES_MAX)
		return err_set(e, -ERANGE,
		    "all %" PRIu64 " numbers of lives in %s/" LIVES_FILE
		    " are used",
		    (uint64_t)LIVES_MAX, state_dir);
	snprintf(text, sizeof(text), HEAD "last %" PRIu64 "\n", next);
	rc = durable_write(state_dir, LIVES_FILE, text);
	if (rc < 0)
		return err_set(e, rc, "cannot write %s/" LIVES_FILE ": %s",
		    state_dir, strerror(-rc));
	*n = next;
	return 0;
}
