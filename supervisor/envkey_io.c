#define _GNU_SOURCE
#include "supervisor/envkey_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "libsys/keyfile.h"

#define KEYS	2
#define TEXT_SZ 512 /* NAME=value with its NUL */
#define PAGE_SZ 4096

extern char **environ;

static const struct {
	const char *name;
	enum venue venue;
	size_t file; /* the key that names a file instead */
} keys[KEYS] = {
    {"POLYMARKET_PRIVATE_KEY", VENUE_POLYMARKET, CFG_KEY_polymarket_key_file},
    {"HYPERLIQUID_PRIVATE_KEY", VENUE_HYPERLIQUID,
	CFG_KEY_hyperliquid_key_file},
};

static char *page; /* KEYS texts of TEXT_SZ; NULL: no key was there */

static char *
text_of(size_t i)
{
	return page + i * TEXT_SZ;
}

static int
open_page(void)
{
	void *p = mmap(NULL, PAGE_SZ, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	if (p == MAP_FAILED)
		return -errno;
	if (mlock(p, PAGE_SZ) == 0 && madvise(p, PAGE_SZ, MADV_DONTDUMP) == 0 &&
	    prctl(PR_SET_DUMPABLE, 0) == 0) {
		page = p;
		return 0;
	}
	rc = -errno;
	munmap(p, PAGE_SZ);
	return rc;
}

/* One variable out of the environment, into the page when it fits. */
static int
take(size_t i)
{
	char *v = getenv(keys[i].name);
	size_t n = v != NULL ? strlen(v) : 0;
	int rc = 0;

	if (n > 0 && page == NULL)
		rc = open_page();
	if (n > 0 && rc == 0 && strlen(keys[i].name) + n + 2 > TEXT_SZ)
		rc = -EMSGSIZE;
	if (n > 0 && rc == 0)
		snprintf(text_of(i), TEXT_SZ, "%s=%s", keys[i].name, v);
	if (v != NULL)
		explicit_bzero(v, n);
	unsetenv(keys[i].name);
	return rc;
}

int
envkey_take(void)
{
	int rc = 0;

	for (size_t i = 0; i < KEYS; i++) {
		int got = take(i);

		rc = rc == 0 ? got : rc;
	}
	return rc;
}

int
envkey_lock(void)
{
	return page == NULL || mlock(page, PAGE_SZ) == 0 ? 0 : -errno;
}

bool
envkey_has(enum venue v)
{
	for (size_t i = 0; page != NULL && i < KEYS; i++)
		if (keys[i].venue == v)
			return text_of(i)[0] != '\0';
	return false;
}

const char *
envkey_name(enum venue v)
{
	for (size_t i = 0; i < KEYS; i++)
		if (keys[i].venue == v)
			return keys[i].name;
	return NULL;
}

char **
envkey_environ(enum stage_id id)
{
	bool execd = strcmp(topo_stages[id].program, "execd") == 0;
	size_t n = 0;
	char **list;

	while (environ[n] != NULL)
		n++;
	list = calloc(n + KEYS + 1, sizeof(*list));
	if (list == NULL)
		return NULL;
	memcpy(list, environ, n * sizeof(*list));
	for (size_t i = 0; execd && page != NULL && i < KEYS; i++)
		if (keys[i].venue == (enum venue)topo_stages[id].venue &&
		    text_of(i)[0] != '\0')
			list[n++] = text_of(i);
	return list;
}

static bool
check_one(const struct cfg *c, size_t i, char why[ENVKEY_WHY_SZ])
{
	const struct cfg_key *k = cfg_key_at(keys[i].file);
	const char *path = (const char *)c + k->offset;
	char text[KEYFILE_WHY_SZ];

	if (!cfg_trades(c, keys[i].venue))
		return true;
	if (path[0] != '\0') {
		if (keyfile_secret(path, text))
			return true;
		snprintf(
		    why, ENVKEY_WHY_SZ, "%s.%s: %s", k->group, k->name, text);
		return false;
	}
	if (c->system_mode == MODE_SIM || envkey_has(keys[i].venue))
		return true;
	snprintf(why, ENVKEY_WHY_SZ,
	    "%s.%s: mode live needs a key; name its file (0600), or set %s",
	    k->group, k->name, keys[i].name);
	return false;
}

bool
envkey_check(const struct cfg *c, char why[ENVKEY_WHY_SZ])
{
	char creds[KEYFILE_WHY_SZ];

	if (c->system_mode != MODE_SIM && c->system_mode != MODE_LIVE)
		return true;
	for (size_t i = 0; i < KEYS; i++)
		if (!check_one(c, i, why))
			return false;
	if (!cfg_trades(c, VENUE_POLYMARKET) ||
	    c->polymarket_creds_file.s[0] == '\0' ||
	    keyfile_secret(c->polymarket_creds_file.s, creds))
		return true;
	snprintf(why, ENVKEY_WHY_SZ, "polymarket.creds_file: %s", creds);
	return false;
}
