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
#include "supervisor/durable_io.h"

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

int
latch_save(const char *state_dir, const struct latch *l, struct err *e)
{
	char text[512];
	int rc;

	snprintf(text, sizeof(text),
	    "ringmaker latch 1\nmask %" PRIx64 "\nsince %" PRIu64
	    "\nuid %" PRIu64 "\nwhy %s\n",
	    l->mask & LATCH_OURS, l->since_wall_ns, l->uid, l->why);
	rc = (l->mask & LATCH_OURS) == 0
		 ? durable_remove(state_dir, LATCH_FILE)
		 : durable_write(state_dir, LATCH_FILE, text);
	return rc == 0 ? 0
		       : err_set(e, rc, "cannot write %s/" LATCH_FILE ": %s",
			     state_dir, strerror(-rc));
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
