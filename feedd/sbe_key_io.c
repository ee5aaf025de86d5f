#define _GNU_SOURCE
#include "feedd/sbe_key_io.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_MAX 255

static const char *
key_of(char *text, size_t n, const char **key)
{
	char *end = text + n;

	while (end > text && (unsigned char)end[-1] <= ' ')
		end--;
	while (text < end && (unsigned char)*text <= ' ')
		text++;
	*end = '\0';
	*key = text;
	if (text == end)
		return "is empty";
	for (const char *p = text; p < end; p++)
		if (*p <= ' ' || *p > '~')
			return "holds more than one word";
	return NULL;
}

static const char *
read_key(int fd, char header[SBE_HEADER_SZ])
{
	char text[KEY_MAX + 2];
	const char *key;
	const char *why;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "is not a file";
	if (st.st_uid != geteuid())
		return "belongs to somebody else";
	if ((st.st_mode & 077) != 0)
		return "is accessible to others than its owner (chmod 600)";
	n = read(fd, text, KEY_MAX + 1);
	if (n < 0)
		return "cannot be read";
	if (n > KEY_MAX)
		return "is longer than a key";
	why = key_of(text, (size_t)n, &key);
	if (why == NULL)
		(void)snprintf(
		    header, SBE_HEADER_SZ, "X-MBX-APIKEY: %s\r\n", key);
	explicit_bzero(text, sizeof(text));
	return why;
}

const char *
sbe_key_read(const char *path, char header[SBE_HEADER_SZ])
{
	int fd = open(
	    path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	const char *why;

	header[0] = '\0';
	if (fd < 0)
		return "cannot be opened, or is a link";
	why = read_key(fd, header);
	close(fd);
	return why;
}
