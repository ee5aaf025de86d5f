/* links: supervisor libsys libshm libcore */
/* Keys of the environment: taken, kept, handed to one; and what is refused. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/envkey_io.h"

#define PM_KEY \
	"1111111111111111111111111111111111111111111111111111111111111111"

static struct cfg cfg;
static char why[ENVKEY_WHY_SZ];

static int
fresh(void **unused)
{
	(void)unused;
	unsetenv("POLYMARKET_PRIVATE_KEY");
	unsetenv("HYPERLIQUID_PRIVATE_KEY");
	cfg_defaults(&cfg);
	cfg.system_mode = MODE_LIVE;
	return 0;
}

/* How often a text is in what a stage would see. */
static unsigned
seen(enum stage_id id, const char *text)
{
	char **env = envkey_environ(id);
	unsigned n = 0;

	assert_non_null(env);
	for (char **e = env; *e != NULL; e++)
		n += strstr(*e, text) != NULL;
	free(env);
	return n;
}

static void
live_wants_a_key_a_venue(void **unused)
{
	(void)unused;
	assert_false(envkey_check(&cfg, why));
	assert_string_equal(why,
	    "polymarket.key_file: mode live needs a key; name its file "
	    "(0600), or set POLYMARKET_PRIVATE_KEY");
	cfg.polymarket_enabled = false;
	assert_false(envkey_check(&cfg, why));
	assert_non_null(strstr(why, "HYPERLIQUID_PRIVATE_KEY"));
	cfg.hyperliquid_enabled = false;
	assert_true(envkey_check(&cfg, why));
}

static void
sim_and_paper_want_none(void **unused)
{
	(void)unused;
	cfg.system_mode = MODE_SIM;
	assert_true(envkey_check(&cfg, why));
	cfg.system_mode = MODE_PAPER;
	assert_true(envkey_check(&cfg, why));
	/* On paper not even a file that is not there matters. */
	snprintf(cfg.polymarket_key_file.s, sizeof(cfg.polymarket_key_file.s),
	    "/nonexistent");
	assert_true(envkey_check(&cfg, why));
	cfg.system_mode = MODE_SIM;
	assert_false(envkey_check(&cfg, why));
}

static void
credentials_are_a_secret_too(void **unused)
{
	char path[] = "/tmp/test_keys.XXXXXX";
	int fd = mkstemp(path);

	(void)unused;
	assert_int_equal(write(fd, "{}", 2), 2);
	close(fd);
	cfg.system_mode = MODE_SIM;
	snprintf(cfg.polymarket_creds_file.s,
	    sizeof(cfg.polymarket_creds_file.s), "%s", path);
	assert_int_equal(chmod(path, 0640), 0);
	assert_false(envkey_check(&cfg, why));
	assert_non_null(strstr(why, "polymarket.creds_file: "));
	assert_non_null(strstr(why, "chmod 600"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_true(envkey_check(&cfg, why));
	unlink(path);
}

/* Last: what is taken stays taken for the life of the process. */
static void
taken_and_handed_to_one(void **unused)
{
	char *had;

	(void)unused;
	assert_int_equal(envkey_take(), 0); /* none: nothing is changed */
	assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
	assert_int_equal(seen(ST_EXECD_PM, "POLYMARKET_PRIVATE_KEY"), 0);
	setenv("POLYMARKET_PRIVATE_KEY", PM_KEY, 1);
	had = getenv("POLYMARKET_PRIVATE_KEY");
	assert_int_equal(envkey_take(), 0);
	assert_null(getenv("POLYMARKET_PRIVATE_KEY"));
	assert_int_equal(had[0], '\0'); /* overwritten where it lay */
	assert_int_equal(had[63], '\0');
	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
	assert_int_equal(envkey_lock(), 0);
	assert_true(envkey_has(VENUE_POLYMARKET));
	assert_false(envkey_has(VENUE_HYPERLIQUID));
	for (int i = 0; i < ST_N; i++)
		assert_int_equal(seen((enum stage_id)i, PM_KEY),
		    (enum stage_id)i == ST_EXECD_PM);
	cfg.hyperliquid_enabled = false;
	assert_true(envkey_check(&cfg, why));
}

#define T(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(live_wants_a_key_a_venue),
	    T(sim_and_paper_want_none),
	    T(credentials_are_a_secret_too),
	    T(taken_and_handed_to_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
