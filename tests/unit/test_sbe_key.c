/* links: feedd libvenue libsys libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "feedd/sbe_key_io.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static char path[64];
static char header[SBE_HEADER_SZ];
static char why[KEYFILE_WHY_SZ];

static bool
with(const char *text, size_t n, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
	return sbe_key_read(path, header, why);
}

static void
a_key_becomes_a_header(void **state)
{
	static const char *const texts[] = {"AbC9", "AbC9\n", " \tAbC9\r\n\n"};

	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		assert_true(with(texts[i], strlen(texts[i]), 0600));
		assert_string_equal(header, "X-MBX-APIKEY: AbC9\r\n");
	}
	assert_true(with("AbC9", 4, 0400));
}

static void
anything_else_is_refused(void **state)
{
	static const char two[] = "AbC9 X-Other: 1";
	static const char smuggled[] = "AbC9\r\nX-Other: 1";
	char longer[300];
	char link[80];

	(void)state;
	memset(longer, 'a', sizeof(longer));
	assert_false(with("AbC9", 4, 0640));
	assert_string_equal(header, "");
	assert_false(with("AbC9", 4, 0604));
	assert_false(with("", 0, 0600));
	assert_false(with(" \n", 2, 0600));
	assert_false(with(two, sizeof(two) - 1, 0600));
	assert_false(with(smuggled, sizeof(smuggled) - 1, 0600));
	assert_non_null(strstr(why, path));
	assert_null(strstr(why, "AbC9"));
	assert_false(with("a\0b", 3, 0600));
	assert_false(with(longer, 256, 0600));
	assert_string_equal(header, "");
	assert_true(with(longer, 255, 0600));
	(void)snprintf(link, sizeof(link), "%s.link", path);
	assert_int_equal(symlink(path, link), 0);
	assert_false(sbe_key_read(link, header, why));
	assert_int_equal(unlink(link), 0);
	assert_int_equal(unlink(path), 0);
	assert_false(sbe_key_read(path, header, why));
	assert_false(sbe_key_read("/tmp", header, why));
	assert_string_equal(header, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_key_becomes_a_header),
	    cmocka_unit_test(anything_else_is_refused),
	};

	(void)snprintf(path, sizeof(path), "/tmp/rm-sbe-key.%d", (int)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
