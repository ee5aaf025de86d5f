#define _GNU_SOURCE
#include "supervisor/latch_io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libshm/ctl.h"

#define LATCH_OURS (FREEZE_MANUAL | FREEZE_CRASH_LOOP)

void
latch_why(struct latch *l, const char *text)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < sizeof(l->why); text++)
		l->why[n++] = (unsigned char)*text < ' ' ? ' ' : *text;
	l->why[n] = '\0';
}

static int
broken(struct latch *l, const char *path, const char *what, struct err *e)
{
	memset(l, 0, sizeof(*l));
	l->mask = FREEZE_MANUAL;
	latch_why(l, "the latch file cannot be read");
	return err_set(e, -EBADMSG,
	    "%s: %s: taken as frozen by a person; look at it, then "
	    "supervisor thaw --reason",
	    path, what);
}

int
latch_load(const char *state_dir, struct latch *l, struct err *e)
{
	char path[PATH_MAX];
	char text[1024];
	int fd;
	int at = 0;
	ssize_t n;

	memset(l, 0, sizeof(*l));
	snprintf(path, sizeof(path), "%s/" LATCH_FILE, state_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return broken(l, path, strerror(errno), e);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return broken(l, path, strerror(errno), e);
	text[n] = '\0';
	if (sscanf(text,
		"ringmaker latch 1\nmask %" SCNx64 "\nsince %" SCNu64
		"\nuid %" SCNu64 "\nwhy %n",
		&l->mask, &l->since_wall_ns, &l->uid, &at) != 3 ||
	    at == 0 || l->mask == 0 || (l->mask & ~(uint64_t)LATCH_OURS) != 0)
		return broken(l, path, "not a latch file of this version", e);
	text[strcspn(text + at, "\n") + (size_t)at] = '\0';
	latch_why(l, text + at);
	return 0;
}

static int
sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int
write_file(const char *path, const char *text, size_t n)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, n) != (ssize_t)n)
		rc = errno ? -errno : -EIO;
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

int
latch_save(const char *state_dir, const struct latch *l, struct err *e)
{
	char path[PATH_MAX];
	char tmp[PATH_MAX];
	char text[512];
	int n;
	int rc;

	snprintf(path, sizeof(path), "%s/" LATCH_FILE, state_dir);
	snprintf(tmp, sizeof(tmp), "%s/." LATCH_FILE ".%ld", state_dir,
	    (long)getpid());
	if ((l->mask & LATCH_OURS) == 0) {
		if (unlink(path) < 0 && errno != ENOENT)
			return err_set(e, -errno, "cannot remove %s: %s", path,
			    strerror(errno));
		rc = sync_dir(state_dir);
		return rc == 0 ? 0
			       : err_set(e, rc, "cannot sync %s: %s", state_dir,
				     strerror(-rc));
	}
	n = snprintf(text, sizeof(text),
	    "ringmaker latch 1\nmask %" PRIx64 "\nsince %" PRIu64
	    "\nuid %" PRIu64 "\nwhy %s\n",
	    l->mask & LATCH_OURS, l->since_wall_ns, l->uid, l->why);
	rc = write_file(tmp, text, (size_t)n);
	if (rc == 0 && rename(tmp, path) < 0)
		rc = -errno;
	if (rc == 0)
		rc = sync_dir(state_dir);
	if (rc < 0)
		unlink(tmp);
	return rc == 0
		   ? 0
		   : err_set(e, rc, "cannot write %s: %s", path, strerror(-rc));
}

int
state_dir_make(const char *state_dir, struct err *e)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/logs", state_dir);

	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(
		    e, -ENAMETOOLONG, "%s: path too long", state_dir);
	for (char *p = path + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return err_set(e, -errno, "cannot make %s: %s", path,
			    strerror(errno));
		*p = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(
		    e, -errno, "cannot make %s: %s", path, strerror(errno));
	if (access(state_dir, W_OK | X_OK) < 0)
		return err_set(e, -errno,
		    "%s is not writable: %s; set system.state_dir", state_dir,
		    strerror(errno));
	return 0;
}
