#define _GNU_SOURCE
#include "libsign/key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
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
	return n == 0 ? refuse(s, why, -EINVAL, name, "is empty") : 0;
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
	while (s->n > 0 && is_blank(((const char *)s->mem)[s->n - 1]))
		s->n--;
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
