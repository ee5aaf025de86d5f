#define _GNU_SOURCE
#include "libsign/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libsign/hex.h"

static int
refuse(struct secret *s, struct secret_why *why, int rc, const char *name,
    const char *text)
{
	secret_close(s);
	snprintf(why->text, sizeof(why->text), "%.120s: %s", name, text);
	return rc;
}

int
secret_open(struct secret *s, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t cap = (n + page - 1) / page * page;
	void *mem;
	int rc;

	CHECK(n > 0);
	*s = (struct secret){0};
	mem = mmap(NULL, cap, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		return -errno;
	if (mlock(mem, cap) < 0 || madvise(mem, cap, MADV_DONTDUMP) < 0 ||
	    madvise(mem, cap, MADV_WIPEONFORK) < 0) {
		rc = -errno;
		munmap(mem, cap);
		return rc;
	}
	s->mem = mem;
	s->cap = cap;
	return 0;
}

void
secret_close(struct secret *s)
{
	if (s->mem == NULL)
		return;
	explicit_bzero(s->mem, s->cap);
	munlock(s->mem, s->cap);
	munmap(s->mem, s->cap);
	*s = (struct secret){0};
}

static bool
is_blank(char c)
{
	return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

/* Blanks at the end go; what is left must be something. */
static int
trim(struct secret *s, const char *name, struct secret_why *why)
{
	char *text = s->mem;

	while (s->n > 0 && is_blank(text[s->n - 1]))
		text[--s->n] = '\0';
	if (s->n == 0)
		return refuse(s, why, -EINVAL, name, "is empty");
	return 0;
}

/* What is wrong with the file, NULL when nothing is. */
static const char *
file_fault(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "is not a plain file";
	if (st->st_uid != geteuid())
		return "belongs to another user";
	if ((st->st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return "can be read or written by group or others; "
		       "chmod 600 it and consider the key known";
	if (st->st_size > SECRET_MAX)
		return "is longer than a secret";
	return NULL;
}

/* Up to SECRET_MAX bytes, straight into the locked page. */
static int
slurp(int fd, struct secret *s)
{
	char *text = s->mem;

	while (s->n <= SECRET_MAX) {
		ssize_t got = read(fd, text + s->n, SECRET_MAX + 1 - s->n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		s->n += (size_t)got;
	}
	return -EFBIG;
}

int
secret_read_file(struct secret *s, const char *path, struct secret_why *why)
{
	struct stat st;
	const char *fault;
	int rc = secret_open(s, SECRET_MAX + 1);
	int fd;

	if (rc < 0)
		return refuse(s, why, rc, path, "no locked memory for it");
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ELOOP)
		return refuse(s, why, -ELOOP, path, "is a symbolic link");
	if (fd < 0) {
		rc = -errno;
		return refuse(s, why, rc, path, strerror(-rc));
	}
	rc = fstat(fd, &st) < 0 ? -errno : 0;
	fault = rc < 0 ? strerror(-rc) : file_fault(&st);
	if (fault == NULL) {
		rc = slurp(fd, s);
		fault = rc < 0 ? strerror(-rc) : NULL;
	}
	close(fd);
	if (fault != NULL)
		return refuse(s, why, rc < 0 ? rc : -EPERM, path, fault);
	return trim(s, path, why);
}

int
secret_read_env(struct secret *s, const char *name, struct secret_why *why)
{
	char *text = getenv(name);
	size_t n = text == NULL ? 0 : strlen(text);
	int rc = secret_open(s, SECRET_MAX + 1);

	if (rc == 0 && n <= SECRET_MAX && n > 0) {
		memcpy(s->mem, text, n);
		s->n = n;
	}
	/* /proc/<pid>/environ shows this memory: removing is not enough. */
	if (text != NULL)
		explicit_bzero(text, n);
	unsetenv(name);
	if (rc < 0)
		return refuse(s, why, rc, name, "no locked memory for it");
	if (text == NULL)
		return refuse(s, why, -ENOENT, name, "is not set");
	if (n > SECRET_MAX)
		return refuse(s, why, -EFBIG, name, "is longer than a secret");
	return trim(s, name, why);
}

int
key_parse(struct secret *s, const struct secp *c, const char *what,
    struct secret_why *why)
{
	uint8_t *key;
	bool hex;

	CHECK(s->mem != NULL);
	CHECK(s->n + SECP_KEY_SZ <= s->cap);
	/* Beside the text in the same locked page, then over it. */
	key = (uint8_t *)s->mem + s->cap - SECP_KEY_SZ;
	hex = hex_parse(s->mem, s->n, key, SECP_KEY_SZ);
	if (!hex)
		return refuse(s, why, -EINVAL, what,
		    "is no private key: 64 hex digits are asked for");
	if (!secp_key_ok(c, key))
		return refuse(s, why, -EINVAL, what,
		    "is no private key: out of the range of the curve");
	memmove(s->mem, key, SECP_KEY_SZ);
	explicit_bzero((uint8_t *)s->mem + SECP_KEY_SZ, s->cap - SECP_KEY_SZ);
	s->n = SECP_KEY_SZ;
	return 0;
}

const uint8_t *
key_bytes(const struct secret *s)
{
	CHECK(s->mem != NULL);
	CHECK(s->n == SECP_KEY_SZ);
	return s->mem;
}

int
key_random(void *out, size_t n)
{
	uint8_t *p = out;

	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}
