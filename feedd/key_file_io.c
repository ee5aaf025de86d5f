#define _GNU_SOURCE
#include "feedd/key_file_io.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcore/check.h"

static const char *
read_fd(int fd, char *text, size_t cap, size_t *n)
{
	struct stat st;
	ssize_t got;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "is not a file";
	if (st.st_uid != geteuid())
		return "belongs to somebody else";
	if ((st.st_mode & 077) != 0)
		return "is accessible to others than its owner (chmod 600)";
	got = read(fd, text, cap);
	if (got < 0)
		return "cannot be read";
	if ((size_t)got == cap)
		return "is longer than a key";
	*n = (size_t)got;
	text[got] = '\0';
	return NULL;
}

const char *
key_file_read(const char *path, char *text, size_t cap, size_t *n)
{
	int fd = open(
	    path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	const char *why;

	CHECK(cap > 1);
	*n = 0;
	if (fd < 0)
		return "cannot be opened, or is a link";
	why = read_fd(fd, text, cap, n);
	close(fd);
	if (why != NULL)
		explicit_bzero(text, cap);
	return why;
}
