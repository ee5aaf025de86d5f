#define _GNU_SOURCE
#include "libsys/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcore/check.h"

#define CA_LOOK_SZ 65536

static bool
bad(char why[KEYFILE_WHY_SZ], const char *path, const char *what,
    const char *fix)
{
	snprintf(why, KEYFILE_WHY_SZ, "%.200s: %s; %s", path, what, fix);
	return false;
}

static bool
secret_rights(const char *path, const struct stat *st, char *why)
{
	char fix[256];

	if (!S_ISREG(st->st_mode))
		return bad(why, path, "is not a file", "name a file");
	if (st->st_uid != geteuid()) {
		snprintf(fix, sizeof(fix), "chown %u %.200s",
		    (unsigned)geteuid(), path);
		return bad(why, path, "belongs to somebody else", fix);
	}
	if ((st->st_mode & 077) != 0) {
		snprintf(fix, sizeof(fix),
		    "chmod 600 %.200s, and consider the key known", path);
		return bad(
		    why, path, "is accessible to others than its owner", fix);
	}
	if (st->st_size == 0)
		return bad(why, path, "is empty", "put the key into it");
	return true;
}

/* The descriptor, or a negative errno. */
static int
secret_open(const char *path, char *why)
{
	int fd = open(
	    path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	struct stat st;
	int rc = fd < 0 ? -errno : 0;

	if (rc == -ELOOP)
		(void)bad(
		    why, path, "is a link", "name the file that it leads to");
	else if (rc < 0)
		(void)bad(why, path, strerror(-rc),
		    rc == -ENOENT ? "make it, with mode 600"
				  : "chmod 600, owned by this user");
	else if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (!secret_rights(path, &st, why))
		rc = -EPERM;
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

bool
keyfile_secret(const char *path, char why[KEYFILE_WHY_SZ])
{
	int fd = secret_open(path, why);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int
slurp(int fd, char *text, size_t cap, size_t *n)
{
	while (*n < cap) {
		ssize_t got = read(fd, text + *n, cap - *n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0) {
			text[*n] = '\0';
			return 0;
		}
		*n += (size_t)got;
	}
	return -EFBIG;
}

int
keyfile_read(const char *path, char *text, size_t cap, size_t *n,
    char why[KEYFILE_WHY_SZ])
{
	int fd = secret_open(path, why);
	int rc;

	CHECK(cap > 1);
	*n = 0;
	if (fd < 0)
		return fd;
	rc = slurp(fd, text, cap, n);
	close(fd);
	if (rc == 0)
		return 0;
	explicit_bzero(text, cap);
	*n = 0;
	if (rc == -EFBIG)
		(void)bad(why, path, "is longer than a secret", "name another");
	else
		(void)bad(why, path, strerror(-rc), "look at the disk");
	return rc;
}

bool
keyfile_ca(const char *path, char why[KEYFILE_WHY_SZ])
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	char text[CA_LOOK_SZ];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return bad(why, path, strerror(errno),
		    errno == ENOENT
			? "install ca-certificates, or set tls.ca_file"
			: "chmod 644");
	n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
		? read(fd, text, sizeof(text))
		: -1;
	close(fd);
	if (n < 0)
		return bad(why, path, "is not a file", "name a file (PEM)");
	if (memmem(text, (size_t)n, begin, sizeof(begin) - 1) == NULL)
		return bad(why, path, "holds no certificate",
		    "name a file of PEM certificates");
	return true;
}
