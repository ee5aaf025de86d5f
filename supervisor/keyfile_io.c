#define _GNU_SOURCE
#include "supervisor/keyfile_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

	if (st->st_uid != geteuid()) {
		snprintf(fix, sizeof(fix), "chown %u %.200s",
		    (unsigned)geteuid(), path);
		return bad(why, path, "belongs to somebody else", fix);
	}
	if ((st->st_mode & 077) != 0) {
		snprintf(fix, sizeof(fix), "chmod 600 %.200s", path);
		return bad(
		    why, path, "is accessible to others than its owner", fix);
	}
	if (st->st_size == 0)
		return bad(why, path, "is empty", "put the key into it");
	return true;
}

bool
keyfile_secret(const char *path, char why[KEYFILE_WHY_SZ])
{
	int fd = open(
	    path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	struct stat st;
	bool ok;

	if (fd < 0 && errno == ELOOP)
		return bad(
		    why, path, "is a link", "name the file that it leads to");
	if (fd < 0)
		return bad(why, path, strerror(errno),
		    errno == ENOENT ? "make it, with mode 600"
				    : "chmod 600, owned by this user");
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		ok = bad(why, path, "is not a file", "name a file");
	else
		ok = secret_rights(path, &st, why);
	close(fd);
	return ok;
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
