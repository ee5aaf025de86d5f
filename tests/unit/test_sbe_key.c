/* links: feedd libvenue libshm libcore */
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

static const char *
with(const char *text, size_t n, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
	return sbe_key_read(path, header);
}

static void
a_key_becomes_a_header(void **state)
{
	static const char *const texts[] = {"AbC9", "AbC9\n", " \tAbC9\r\n\n"};

	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		assert_null(with(texts[i], strlen(texts[i]), 0600));
		assert_string_equal(header, "X-MBX-APIKEY: AbC9\r\n");
	}
	assert_null(with("AbC9", 4, 0400));
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
	assert_non_null(with("AbC9", 4, 0640));
	assert_string_equal(header, "");
	assert_non_null(with("AbC9", 4, 0604));
	assert_non_null(with("", 0, 0600));
	assert_non_null(with(" \n", 2, 0600));
	assert_non_null(with(two, sizeof(two) - 1, 0600));
	assert_non_null(with(smuggled, sizeof(smuggled) - 1, 0600));
	assert_non_null(with("a\0b", 3, 0600));
	assert_non_null(with(longer, 256, 0600));
	assert_string_equal(header, "");
	assert_null(with(longer, 255, 0600));
	(void)snprintf(link, sizeof(link), "%s.link", path);
	assert_int_equal(symlink(path, link), 0);
	assert_non_null(sbe_key_read(link, header));
	assert_int_equal(unlink(link), 0);
	assert_int_equal(unlink(path), 0);
	assert_non_null(sbe_key_read(path, header));
	assert_non_null(sbe_key_read("/tmp", header));
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
