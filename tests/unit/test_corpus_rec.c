/* links: recorderd libvenue libsys libshm libcore */
/*
 * Replays what the fuzz targets of the recorder start from, and what they
 * once found, whole and cut at every byte.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/fuzz/decode_import.h"
#include "tests/fuzz/decode_rec.h"

static void
replay(
    const char *name, uint64_t (*fuzz)(const char *, size_t), unsigned at_least)
{
	static char buf[65536];
	char dir[128];
	char path[512];
	unsigned n = 0;

	snprintf(dir, sizeof(dir), "tests/fuzz/corpus/%s", name);
	DIR *d = opendir(dir);

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		FILE *f = fopen(path, "r");

		assert_non_null(f);
		size_t len = fread(buf, 1, sizeof(buf), f);

		fclose(f);
		uint64_t once = fuzz(buf, len);

		assert_int_equal(fuzz(buf, len), once);
		for (size_t cut = 0; cut < len; cut++)
			(void)fuzz(buf, cut);
		n++;
	}
	closedir(d);
	assert_true(n >= at_least);
}

static void
parquet(void **state)
{
	(void)state;
	replay("parquet", fuzz_parquet, 8);
}

static void
journal(void **state)
{
	(void)state;
	replay("journal", fuzz_journal, 4);
}

static void
import(void **state)
{
	(void)state;
	replay("import", fuzz_import, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(parquet),
	    cmocka_unit_test(journal), cmocka_unit_test(import)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
