/* links: supervisor libsys libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/keyfile_io.h"

static char dir[] = "/tmp/test_keyfile.XXXXXX";
static char path[64];
static char why[KEYFILE_WHY_SZ];

static void
put(const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void
says(const char *what)
{
	char want[256];

	snprintf(want, sizeof(want), "%s: %s", path, what);
	assert_string_equal(why, want);
}

static void
secrets(void **state)
{
	char to[80];
	char fix[160];

	(void)state;
	unlink(path);
	assert_false(keyfile_secret(path, why));
	says("No such file or directory; make it, with mode 600");
	put("key", 0600);
	assert_true(keyfile_secret(path, why));
	put("key", 0640);
	assert_false(keyfile_secret(path, why));
	snprintf(fix, sizeof(fix),
	    "is accessible to others than its owner; chmod 600 %s", path);
	says(fix);
	put("", 0600);
	assert_false(keyfile_secret(path, why));
	says("is empty; put the key into it");
	snprintf(to, sizeof(to), "%s.to", path);
	assert_int_equal(rename(path, to), 0);
	assert_int_equal(symlink(to, path), 0);
	assert_false(keyfile_secret(path, why));
	says("is a link; name the file that it leads to");
	unlink(path);
	unlink(to);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(keyfile_secret(path, why));
	says("is not a file; name a file");
	assert_int_equal(rmdir(path), 0);
}

static void
authorities(void **state)
{
	(void)state;
	assert_false(keyfile_ca(path, why));
	says("No such file or directory; install ca-certificates, or set "
	     "tls.ca_file");
	put("nothing", 0644);
	assert_false(keyfile_ca(path, why));
	says("holds no certificate; name a file of PEM certificates");
	put("# ours\n-----BEGIN CERTIFICATE-----\n", 0644);
	assert_true(keyfile_ca(path, why));
	unlink(path);
	assert_false(keyfile_ca(dir, why));
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/key", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(secrets),
	    cmocka_unit_test(authorities),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
