#define _GNU_SOURCE
#include "riskd/risk_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libcore/hash.h"

#define MAGIC	UINT64_C(0x31304b4c4d52) /* "RMLK01" */
#define COPY_SZ 512

struct copy {
	uint64_t magic;
	uint64_t version;
	uint64_t size; /* of struct loss: another layout is refused */
	uint64_t sum;
	struct loss loss;
};

_Static_assert(sizeof(struct copy) <= COPY_SZ, "a copy is one sector");

static uint64_t
sum_of(const struct copy *c)
{
	return hash_bytes(
	    hash_u64(MAGIC, c->version), &c->loss, sizeof(c->loss));
}

bool
risk_io_dir(const struct cfg *c, char *buf, size_t n)
{
	const char *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int len = -1;

	if (c->system_state_dir.s[0] != '\0')
		len = snprintf(buf, n, "%s", c->system_state_dir.s);
	else if (xdg != 0 && xdg[0] == '/')
		len = snprintf(buf, n, "%s/ringmaker", xdg);
	else if (home != 0 && home[0] == '/')
		len = snprintf(buf, n, "%s/.local/state/ringmaker", home);
	return len > 0 && (size_t)len < n;
}

/* Every missing directory on the way, private. */
static int
make_dirs(const char *dir)
{
	char path[512];
	size_t n = strlen(dir);

	if (n == 0 || n >= sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, dir, n + 1);
	for (char *p = path + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static bool
read_copy(int fd, int k, struct copy *c)
{
	ssize_t n = pread(fd, c, sizeof(*c), (off_t)k * COPY_SZ);

	return n == (ssize_t)sizeof(*c) && c->magic == MAGIC &&
	       c->size == sizeof(c->loss) && c->sum == sum_of(c);
}

static int
newest(struct risk_io *io, struct loss *l, bool *found, struct err *e)
{
	struct stat st;
	struct copy c;

	*found = false;
	if (fstat(io->fd, &st) < 0)
		return err_set(e, -errno, "%s: %s", io->path, strerror(errno));
	for (int k = 0; k < 2; k++) {
		if (!read_copy(io->fd, k, &c) || c.version <= io->version)
			continue;
		*l = c.loss;
		io->version = c.version;
		*found = true;
	}
	if (!*found && st.st_size > 0)
		return err_set(e, -EBADMSG,
		    "%s holds no readable copy; if no limit was passed, "
		    "remove it by hand",
		    io->path);
	return 0;
}

int
risk_io_open(struct risk_io *io, const char *dir, const char *instance,
    struct loss *l, bool *found, struct err *e)
{
	int rc;

	memset(io, 0, sizeof(*io));
	io->fd = -1;
	rc = make_dirs(dir);
	if (rc < 0)
		return err_set(e, rc, "%s: %s", dir, strerror(-rc));
	if (snprintf(io->path, sizeof(io->path), "%s/latch.riskd.%s", dir,
		instance) >= (int)sizeof(io->path))
		return err_set(e, -ENAMETOOLONG, "%s: path too long", dir);
	io->fd =
	    open(io->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (io->fd < 0)
		return err_set(e, -errno, "%s: %s", io->path, strerror(errno));
	rc = newest(io, l, found, e);
	if (rc < 0)
		risk_io_close(io);
	return rc;
}

int
risk_io_write(struct risk_io *io, const struct loss *l)
{
	struct copy c;
	ssize_t n;

	CHECK(io->fd >= 0);
	memset(&c, 0, sizeof(c));
	c.magic = MAGIC;
	c.version = io->version + 1;
	c.size = sizeof(c.loss);
	c.loss = *l;
	c.sum = sum_of(&c);
	n = pwrite(io->fd, &c, sizeof(c), (off_t)(c.version & 1) * COPY_SZ);
	if (n != (ssize_t)sizeof(c))
		return n < 0 ? -errno : -EIO;
	if (fsync(io->fd) < 0)
		return -errno;
	io->version = c.version;
	return 0;
}

void
risk_io_close(struct risk_io *io)
{
	if (io->fd >= 0)
		close(io->fd);
	io->fd = -1;
}
