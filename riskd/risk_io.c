#define _GNU_SOURCE
#include "riskd/risk_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libcore/hash.h"

#define MAGIC	   UINT64_C(0x33304b4c4d52) /* "RMLK03" */
#define MAGIC_MASK UINT64_C(0xffffffff)	    /* "RMLK" */
#define COPY_SZ	   200704
#define OLD_SZ	   512 /* of a copy of version 01 */

_Static_assert(sizeof(struct risk_copy) <= COPY_SZ, "a copy has room");
_Static_assert(COPY_SZ % 4096 == 0, "copies share no page");

static size_t
used(const struct risk_copy *c)
{
	CHECK(c->image.n <= RISK_KEPT);
	return offsetof(struct risk_copy, image.kept) +
	       (size_t)c->image.n * sizeof(c->image.kept[0]);
}

static uint64_t
sum_of(const struct risk_copy *c)
{
	return hash_bytes(hash_u64(MAGIC, c->version), &c->image,
	    used(c) - offsetof(struct risk_copy, image));
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

/* Number of a copy by its head; 0: there is none. */
static uint64_t
version_of(int fd, int k)
{
	uint64_t head[2] = {0, 0};
	ssize_t n = pread(fd, head, sizeof(head), (off_t)k * COPY_SZ);

	return n == (ssize_t)sizeof(head) && head[0] == MAGIC ? head[1] : 0;
}

static bool
read_copy(int fd, int k, struct risk_copy *c)
{
	ssize_t n = pread(fd, c, sizeof(*c), (off_t)k * COPY_SZ);

	return n >= (ssize_t)offsetof(struct risk_copy, image.kept) &&
	       c->magic == MAGIC && c->entry_sz == sizeof(c->image.kept[0]) &&
	       c->image.n <= RISK_KEPT && n >= (ssize_t)used(c) &&
	       c->sum == sum_of(c);
}

static bool
is_other_version(int fd)
{
	uint64_t magic;

	for (off_t at = 0; at <= OLD_SZ; at += OLD_SZ)
		if (pread(fd, &magic, sizeof(magic), at) ==
			(ssize_t)sizeof(magic) &&
		    magic != MAGIC &&
		    (magic & MAGIC_MASK) == (MAGIC & MAGIC_MASK))
			return true;
	return false;
}

static int
newest(struct risk_io *io, struct risk_copy *c, bool *found, struct err *e)
{
	uint64_t version[RISK_IO_COPIES];
	struct stat st;

	*found = false;
	if (fstat(io->fd, &st) < 0)
		return err_set(e, -errno, "%s: %s", io->path, strerror(errno));
	for (int k = 0; k < RISK_IO_COPIES; k++)
		version[k] = version_of(io->fd, k);
	for (int tries = 0; tries < RISK_IO_COPIES && !*found; tries++) {
		int best = 0;

		for (int k = 1; k < RISK_IO_COPIES; k++)
			if (version[k] > version[best])
				best = k;
		*found = version[best] > 0 && read_copy(io->fd, best, c);
		version[best] = 0;
		io->newest = *found ? best : -1;
	}
	if (!*found && st.st_size > 0)
		return err_set(e, -EBADMSG,
		    is_other_version(io->fd)
			? "%s is of another version; let that build end flat "
			  "and thawed, then remove it by hand"
			: "%s holds no readable copy; if no limit was passed "
			  "and nothing is held, remove it by hand",
		    io->path);
	if (*found && fdatasync(io->fd) < 0)
		return err_set(e, -errno, "%s: %s", io->path, strerror(errno));
	io->version = *found ? c->version : 0;
	io->synced = io->newest;
	return 0;
}

int
risk_io_open(struct risk_io *io, const char *dir, const char *instance,
    struct risk_copy *c, bool *found, struct err *e)
{
	int rc;

	memset(io, 0, sizeof(*io));
	io->fd = io->newest = io->synced = -1;
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
	rc = newest(io, c, found, e);
	if (rc < 0)
		risk_io_close(io);
	return rc;
}

int
risk_io_write(struct risk_io *io, struct risk_copy *c, bool sync)
{
	int k = 0;
	ssize_t n;

	CHECK(io->fd >= 0);
	while (k == io->newest || k == io->synced)
		k++;
	CHECK(k < RISK_IO_COPIES);
	c->magic = MAGIC;
	c->version = io->version + 1;
	c->entry_sz = sizeof(c->image.kept[0]);
	c->sum = sum_of(c);
	n = pwrite(io->fd, c, used(c), (off_t)k * COPY_SZ);
	if (n != (ssize_t)used(c))
		return n < 0 ? -errno : -EIO;
	io->version = c->version;
	io->newest = k;
	if (!sync)
		return 0;
	if (fdatasync(io->fd) < 0)
		return -errno;
	io->synced = k;
	return 0;
}

void
risk_io_close(struct risk_io *io)
{
	if (io->fd >= 0)
		close(io->fd);
	io->fd = -1;
}
