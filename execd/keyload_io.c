#define _GNU_SOURCE
#include "execd/keyload_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "libcore/check.h"
#include "libcore/json.h"
#include "libsys/keyfile.h"

/* Account 0 of "test test ... junk", which every tool knows and simvenue
 * funds. Its money is nobody's. */
#define DEV_KEY \
	"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"

#define VAR_PM "POLYMARKET_PRIVATE_KEY"
#define VAR_HL "HYPERLIQUID_PRIVATE_KEY"

/* Laid over the memory of struct keyload_creds. */
struct store {
	struct pm_creds creds;
	char key[PM_CRED_MAX + 1];
	char secret[PM_CRED_MAX + 1];
	char passphrase[PM_CRED_MAX + 1];
};

static int
fail(struct secret_why *why, int rc, const char *text)
{
	snprintf(why->text, sizeof(why->text), "%s", text);
	return rc;
}

/* Neither a debugger of the same user nor a core file shall see the key. */
static int
close_process(struct secret_why *why)
{
	static const struct rlimit none = {0, 0};

	if (prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		return fail(why, -errno,
		    "this process cannot be closed to "
		    "debuggers and core files");
	return 0;
}

/* A variable that will not be used is no less secret. */
static void
wipe_env(const char *name)
{
	char *text = getenv(name);

	if (text == NULL)
		return;
	explicit_bzero(text, strlen(text));
	unsetenv(name);
}

static int
open_mem(struct secret *out, size_t n, struct secret_why *why)
{
	int rc = secret_open(out, n);

	return rc == 0 ? 0
		       : fail(why, rc,
			     "no locked memory for a secret; raise the limit "
			     "on locked memory");
}

/* Straight into the locked page. */
static int
read_file(struct secret *out, const char *path, struct secret_why *why)
{
	char text[KEYFILE_WHY_SZ];
	int rc = open_mem(out, SECRET_MAX + 1, why);

	if (rc < 0)
		return rc;
	rc = keyfile_read(path, out->mem, SECRET_MAX + 1, &out->n, text);
	if (rc == 0)
		return 0;
	snprintf(why->text, sizeof(why->text), "%.255s", text);
	secret_close(out);
	return rc;
}

static int
dev_key(struct secret *out, struct secret_why *why)
{
	int rc = open_mem(out, SECRET_MAX + 1, why);

	if (rc < 0)
		return rc;
	memcpy(out->mem, DEV_KEY, sizeof(DEV_KEY) - 1);
	out->n = sizeof(DEV_KEY) - 1;
	return 0;
}

static int
no_key(enum venue v, const char *var, struct secret_why *why)
{
	snprintf(why->text, sizeof(why->text),
	    "no key to sign orders with; name a file (0600) in %s.key_file or "
	    "set %s",
	    venue_name(v), var);
	return -ENOENT;
}

/* The text, and the name of where it came from. */
static int
key_text(struct secret *out, const struct cfg *cfg, enum venue v,
    const char **what, struct secret_why *why)
{
	const char *path = v == VENUE_HYPERLIQUID ? cfg->hyperliquid_key_file.s
						  : cfg->polymarket_key_file.s;
	const char *var = v == VENUE_HYPERLIQUID ? VAR_HL : VAR_PM;

	*what = var;
	if (path[0] != '\0') {
		*what = path;
		return read_file(out, path, why);
	}
	if (getenv(var) != NULL && getenv(var)[0] != '\0')
		return secret_read_env(out, var, why);
	if (cfg->system_mode != MODE_SIM)
		return no_key(v, var, why);
	*what = "development key";
	return dev_key(out, why);
}

int
keyload_key(struct secret *out, const struct cfg *cfg, enum venue v,
    const struct secp *c, struct secret_why *why)
{
	const char *what;
	int rc;

	CHECK(v == VENUE_POLYMARKET || v == VENUE_HYPERLIQUID);
	*out = (struct secret){0};
	why->text[0] = '\0';
	rc = close_process(why);
	if (rc == 0)
		rc = key_text(out, cfg, v, &what, why);
	if (rc == 0)
		rc = key_parse(out, c, what, why);
	wipe_env(VAR_PM);
	wipe_env(VAR_HL);
	return rc;
}

/* Characters that could end a header or a string of JSON are no part of any
 * credential. */
static bool
take(struct json *j, char out[PM_CRED_MAX + 1])
{
	struct json_str text;

	if (!json_string(j, &text) || text.n == 0 || text.n > PM_CRED_MAX)
		return false;
	for (uint32_t i = 0; i < text.n; i++)
		if (text.s[i] <= ' ' || text.s[i] > '~' || text.s[i] == '\\')
			return false;
	memcpy(out, text.s, text.n);
	out[text.n] = '\0';
	return true;
}

static bool
parse(struct store *st, const char *text, size_t n)
{
	struct json j;
	struct json_str key;
	bool ok = true;

	json_init(&j, text, n);
	if (!json_object(&j))
		return false;
	while (ok && json_key(&j, &key)) {
		if (json_is(key, "apiKey"))
			ok = take(&j, st->key);
		else if (json_is(key, "secret"))
			ok = take(&j, st->secret);
		else if (json_is(key, "passphrase"))
			ok = take(&j, st->passphrase);
		else
			json_skip(&j);
	}
	return ok && json_end(&j);
}

static int
creds_of(struct keyload_creds *out, const char *text, size_t n,
    struct secret_why *why)
{
	static const struct address nobody;
	struct store *st;
	bool ok;
	int rc = open_mem(&out->mem, sizeof(*st), why);

	if (rc < 0)
		return rc;
	st = out->mem.mem;
	ok =
	    parse(st, text, n) &&
	    pm_creds_init(&st->creds, &(struct pm_creds_text){.signer = &nobody,
					  .api_key = st->key,
					  .secret = st->secret,
					  .passphrase = st->passphrase});
	explicit_bzero(st->key, sizeof(st->key));
	explicit_bzero(st->passphrase, sizeof(st->passphrase));
	if (!ok) {
		keyload_creds_close(out);
		return fail(why, -EINVAL,
		    "are no credentials: a JSON object with apiKey, secret "
		    "(base64) and passphrase is asked for");
	}
	st->creds.address[0] = '\0';
	out->mem.n = sizeof(*st);
	out->creds = &st->creds;
	out->secret = st->secret;
	return 0;
}

int
keyload_creds_text(struct keyload_creds *out, const char *text, size_t n,
    struct secret_why *why)
{
	int rc;

	*out = (struct keyload_creds){0};
	rc = creds_of(out, text, n, why);
	if (rc == -EINVAL)
		return fail(why, rc, "the venue's answer holds no credentials");
	return rc;
}

int
keyload_creds_file(
    struct keyload_creds *out, const char *path, struct secret_why *why)
{
	struct secret_why inner;
	struct secret file;
	int rc;

	*out = (struct keyload_creds){0};
	rc = read_file(&file, path, why);
	if (rc < 0)
		return rc;
	rc = creds_of(out, file.mem, file.n, &inner);
	secret_close(&file);
	if (rc < 0)
		snprintf(why->text, sizeof(why->text), "%.100s: %.150s", path,
		    inner.text);
	return rc;
}

void
keyload_creds_close(struct keyload_creds *c)
{
	secret_close(&c->mem);
	c->creds = NULL;
	c->secret = NULL;
}
