#define _GNU_SOURCE
#include "libshm/instance.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libshm/ctl.h"
#include "libshm/instr.h"
#include "libshm/metrics.h"
#include "libshm/ring.h"
#include "libshm/topo.h"

#define PREFIX	  "ringmaker."
#define KEEP_DEAD 2u
#define DEAD_MAX  64u
#define FILES_MAX 4096u

static const char *
parent_dir(void)
{
	const char *p = getenv("RINGMAKER_SHM");

	return p != 0 && p[0] != '\0' ? p : "/dev/shm";
}

bool
instance_name_ok(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n >= INSTANCE_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c > 127 || (!isalnum(c) && c != '-' && c != '_'))
			return false;
	}
	return true;
}

/* Names and path; no file is touched. */
static int
set_names(struct instance *in, const char *name, struct err *e)
{
	int n;

	memset(in, 0, sizeof(*in));
	in->dirfd = -1;
	if (!instance_name_ok(name))
		return err_set(e, -EINVAL,
		    "instance name \"%.40s\": 1 to %d letters, digits, '-' "
		    "and '_' are allowed",
		    name, INSTANCE_NAME_MAX - 1);
	snprintf(in->name, sizeof(in->name), "%s", name);
	n = snprintf(
	    in->path, sizeof(in->path), "%s/" PREFIX "%s", parent_dir(), name);
	if (n >= (int)sizeof(in->path))
		return err_set(e, -ENAMETOOLONG,
		    "RINGMAKER_SHM is too long: %.60s...", parent_dir());
	return 0;
}

static int
open_dir(const char *path, struct err *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT
			   ? err_set(e, -ENOENT, "%s: no such instance", path)
			   : err_set(e, -errno, "cannot open %s: %s", path,
				 strerror(errno));
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() ||
	    (st.st_mode & 077) != 0) {
		close(fd);
		return err_set(e, -EPERM,
		    "%s belongs to uid %ld with mode %04o; expected uid %ld "
		    "and 0700",
		    path, (long)st.st_uid, (unsigned)st.st_mode & 07777u,
		    (long)geteuid());
	}
	return fd;
}

int
instance_open(struct instance *in, const char *name, struct err *e)
{
	int rc = set_names(in, name, e);

	if (rc < 0)
		return rc;
	rc = open_dir(in->path, e);
	if (rc < 0)
		return rc == -ENOENT ? err_set(e, -ENOENT,
					   "instance %s is not running (no %s)",
					   name, in->path)
				     : rc;
	in->dirfd = rc;
	return 0;
}

void
instance_close(struct instance *in)
{
	if (in->dirfd >= 0)
		close(in->dirfd);
	in->dirfd = -1;
}

/* Delete a directory and the plain files in it. 0 or a negative errno. */
static int
remove_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : 0;
	struct dirent *de;
	unsigned n = 0;

	if (d == 0) {
		int code = errno;

		if (fd >= 0)
			close(fd);
		return -code;
	}
	while (n++ < FILES_MAX && (de = readdir(d)) != 0)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			unlinkat(fd, de->d_name, 0);
	closedir(d);
	return rmdir(path) < 0 ? -errno : 0;
}

int
instance_remove(struct instance *in, struct err *e)
{
	int rc = remove_dir(in->path);

	instance_close(in);
	if (rc < 0)
		return err_set(
		    e, rc, "cannot remove %s: %s", in->path, strerror(-rc));
	return 0;
}

static int
cmp_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/*
 * Remove what lies beside the instance's directory under
 * ringmaker.<name>.<what>.*, sorted by name: all but the last `keep`, and
 * none whose maker is still at work (it holds a lock on the directory).
 */
static void
sweep(const struct instance *in, const char *what, size_t keep)
{
	char prefix[80];
	char found[DEAD_MAX][256];
	size_t n = 0;
	DIR *d = opendir(parent_dir());
	struct dirent *de;

	if (d == 0)
		return;
	snprintf(prefix, sizeof(prefix), PREFIX "%s.%s.", in->name, what);
	while (n < DEAD_MAX && (de = readdir(d)) != 0)
		if (strncmp(de->d_name, prefix, strlen(prefix)) == 0)
			snprintf(
			    found[n++], sizeof(found[0]), "%s", de->d_name);
	closedir(d);
	qsort(found, n, sizeof(found[0]), cmp_names);
	for (size_t i = 0; i + keep < n; i++) {
		char path[320];
		int fd;

		if (snprintf(path, sizeof(path), "%s/%s", parent_dir(),
			found[i]) >= (int)sizeof(path))
			continue;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			remove_dir(path);
		close(fd);
	}
}

/* Refuse while a living process holds a role in one of the rings. */
static int
check_unused(const struct instance *in, int dirfd, struct err *e)
{
	for (int i = 0; i < RG_N; i++) {
		const struct ring_def *d = &topo_rings[i];
		struct ring r;
		struct ring_stat st;
		struct err ignore;
		uint64_t pid;

		/* A file that cannot be attached has no living holder of
		 * this build; it goes aside with the rest. */
		if (ring_attach(&r, dirfd, d, RING_OBSERVER, &ignore) < 0)
			continue;
		ring_stat(&r, &st);
		pid = atomic_load(
		    st.prod_held ? &r.shm->prod.pid : &r.shm->cons.pid);
		ring_detach(&r);
		if (st.prod_held || st.cons_held)
			return err_set(e, -EBUSY,
			    "instance %s is running: %s (pid %lld) holds ring "
			    "%s; stop it first, or use another --instance",
			    in->name,
			    topo_stages[st.prod_held ? d->writer : d->reader]
				.name,
			    (long long)pid, d->name);
	}
	return 0;
}

/* Move the directory of a dead run aside. */
static int
bury(const struct instance *in, struct err *e)
{
	char dead[200];
	struct timespec ts;
	struct tm tm;
	char when[32];
	int dirfd = open_dir(in->path, e);
	int rc;

	if (dirfd == -ENOENT) {
		memset(e, 0, sizeof(*e));
		return 0;
	}
	if (dirfd < 0)
		return dirfd;
	rc = check_unused(in, dirfd, e);
	close(dirfd);
	if (rc < 0)
		return rc;
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%S", &tm);
	snprintf(
	    dead, sizeof(dead), "%s.dead.%s.%09ld", in->path, when, ts.tv_nsec);
	if (rename(in->path, dead) < 0)
		return err_set(e, -errno, "cannot move %s aside: %s", in->path,
		    strerror(errno));
	sweep(in, "dead", KEEP_DEAD);
	return 0;
}

static int
make_fifo(int dirfd, const struct stage_def *st, struct err *e)
{
	char name[64];

	snprintf(name, sizeof(name), "bell.%s", st->name);
	if (mkfifoat(dirfd, name, 0600) < 0 ||
	    fchmodat(dirfd, name, 0600, 0) < 0)
		return err_set(
		    e, -errno, "cannot create %s: %s", name, strerror(errno));
	return 0;
}

static int
fill_dir(int dirfd, uint64_t run_id, struct err *e)
{
	int rc = ctl_create(dirfd, run_id, e);

	if (rc == 0)
		rc = instr_create(dirfd, run_id, e);
	for (int i = 0; rc == 0 && i < RG_N; i++)
		rc = ring_create(dirfd, &topo_rings[i], run_id, e);
	for (int i = 0; rc == 0 && i < ST_N; i++)
		rc = metrics_create(dirfd, (enum stage_id)i, run_id, e);
	for (int i = 0; rc == 0 && i < ST_N; i++)
		if ((topo_stages[i].flags & STAGE_SOCK) != 0)
			rc = make_fifo(dirfd, &topo_stages[i], e);
	return rc;
}

/* The parent refused a new directory. */
static int
mkdir_err(const char *path, struct err *e)
{
	int code = errno;
	const char *advice =
	    code == EROFS ? "it is mounted read-only; set RINGMAKER_SHM to a "
			    "writable tmpfs"
	    : code == ENOSPC
		? "it is full; remove old instances or enlarge it (mount -o "
		  "remount,size=1G)"
	    : code == ENOENT ? "the parent directory is missing"
			     : "check its owner and mode";

	return err_set(
	    e, -code, "cannot create %s: %s: %s", path, strerror(code), advice);
}

int
instance_create(
    struct instance *in, const char *name, uint64_t run_id, struct err *e)
{
	char fresh[200];
	int rc = set_names(in, name, e);

	if (rc == 0)
		rc = bury(in, e);
	if (rc < 0)
		return rc;
	sweep(in, "new", 0);
	snprintf(fresh, sizeof(fresh), "%s.new.%ld", in->path, (long)getpid());
	if (mkdir(fresh, 0700) < 0 || chmod(fresh, 0700) < 0)
		return mkdir_err(fresh, e);
	in->dirfd = open_dir(fresh, e);
	if (in->dirfd < 0) {
		rc = in->dirfd;
		goto fail;
	}
	flock(in->dirfd, LOCK_EX);
	rc = fill_dir(in->dirfd, run_id, e);
	if (rc < 0)
		goto fail;
	if (renameat2(AT_FDCWD, fresh, AT_FDCWD, in->path, RENAME_NOREPLACE) <
	    0) {
		rc = err_set(e, -errno, "cannot put %s into place: %s",
		    in->path, strerror(errno));
		goto fail;
	}
	flock(in->dirfd, LOCK_UN);
	return 0;
fail:
	instance_close(in);
	remove_dir(fresh);
	return rc;
}
