/* links: libsys libshm libcore */
#define _GNU_SOURCE
#include <errno.h>
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

#include "libsys/keyfile.h"

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
	char want[512];

	snprintf(want, sizeof(want), "%s: %s", path, what);
	assert_string_equal(why, want);
}

static void
secrets(void **state)
{
	char to[80];
	char fix[200];

	(void)state;
	unlink(path);
	assert_false(keyfile_secret(path, why));
	says("No such file or directory; make it, with mode 600");
	put("key", 0600);
	assert_true(keyfile_secret(path, why));
	put("key", 0640);
	assert_false(keyfile_secret(path, why));
	snprintf(fix, sizeof(fix),
	    "is accessible to others than its owner; chmod 600 %s, and "
	    "consider the key known",
	    path);
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
is_refused(int code, const char *word)
{
	char text[64];
	size_t n = 9;

	memset(text, 'x', sizeof(text));
	assert_int_equal(keyfile_read(path, text, sizeof(text), &n, why), code);
	assert_non_null(strstr(why, path));
	assert_non_null(strstr(why, word));
	assert_null(strstr(why, "5ec2e7"));
	assert_int_equal(n, 0);
	for (size_t i = 0; i < sizeof(text); i++)
		assert_true(text[i] == 'x' || text[i] == '\0');
}

static void
what_others_can_read_is_not_read(void **state)
{
	static const mode_t modes[] = {
	    0640, 0604, 0660, 0602, 0601, 0610, 0644, 0666, 0777};

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		put("5ec2e7", modes[i]);
		is_refused(-EPERM, "accessible to others");
	}
	put("5ec2e7", 0600);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 65534, 65534), 0);
		is_refused(-EPERM, "belongs to somebody else");
	} else {
		printf("# not tried: only root can give a file away\n");
	}
	unlink(path);
	is_refused(-ENOENT, "No such file");
	assert_int_equal(mkfifo(path, 0600), 0);
	is_refused(-EPERM, "is not a file");
	unlink(path);
}

static void
a_secret_is_read_whole(void **state)
{
	char text[64];
	char longer[80];
	size_t n;

	(void)state;
	for (mode_t mode = 0400; mode <= 0600; mode += 0200) {
		put("5ec2e7\n", mode);
		assert_int_equal(
		    keyfile_read(path, text, sizeof(text), &n, why), 0);
		assert_int_equal(n, 7);
		assert_string_equal(text, "5ec2e7\n");
		unlink(path);
	}
	memset(longer, 'a', sizeof(longer));
	longer[63] = '\0';
	put(longer, 0600);
	assert_int_equal(keyfile_read(path, text, sizeof(text), &n, why), 0);
	assert_int_equal(n, 63);
	longer[63] = 'a';
	longer[64] = '\0';
	put(longer, 0600);
	is_refused(-EFBIG, "longer than a secret");
	unlink(path);
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
	    cmocka_unit_test(what_others_can_read_is_not_read),
	    cmocka_unit_test(a_secret_is_read_whole),
	    cmocka_unit_test(authorities),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
