/* links: libcore */
/* The worked example of docs/add-a-strategy.md, compiled as it stands there,
 * with its lines in the tables. */
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

#define DOC	"docs/add-a-strategy.md"
#define TEXT_SZ 262144u

static char root[] = "/tmp/rm-docs-XXXXXX";
static char doc[TEXT_SZ];

static size_t
load(const char *path, char *buf)
{
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL)
		fail_msg("%s: cannot be read", path);
	n = fread(buf, 1, TEXT_SZ - 1, f);
	fclose(f);
	buf[n] = '\0';
	return n;
}

static void
save(const char *name, const char *text, size_t n)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	fclose(f);
}

/* The block behind ```kind. */
static const char *
block(const char *kind, size_t *n)
{
	char fence[32];
	const char *from;
	const char *to;

	snprintf(fence, sizeof(fence), "\n```%s\n", kind);
	from = strstr(doc, fence);
	if (from == NULL)
		fail_msg("no block %s", kind);
	from += strlen(fence);
	to = strstr(from, "\n```\n");
	assert_non_null(to);
	*n = (size_t)(to - from) + 1;
	return from;
}

/* A table with the block put before the line that holds `before`. */
static void
with_line(const char *table, const char *kind, const char *before)
{
	static char old[TEXT_SZ];
	static char new[TEXT_SZ];
	size_t n = load(table, old);
	size_t add;
	const char *text = block(kind, &add);
	const char *at = strstr(old, before);
	size_t head;

	assert_non_null(at);
	head = (size_t)(at - old);
	assert_true(n + add < TEXT_SZ);
	memcpy(new, old, head);
	memcpy(new + head, text, add);
	memcpy(new + head + add, at, n - head);
	save(table, new, n + add);
}

static int
compile(const char *source)
{
	const char *cc = getenv("CC");
	char command[1024];

	snprintf(command, sizeof(command),
	    "%s -std=c17 -pedantic -O1 -Wall -Wextra -Werror -Wconversion "
	    "-Wno-sign-conversion -Wshadow -Wmissing-prototypes "
	    "-Wno-missing-field-initializers -Wno-unused-function "
	    "-I%s -I. -c -o %s/out.o %s",
	    cc != NULL ? cc : "cc", root, root, source);
	return system(command);
}

static void
the_worked_example_compiles(void **state)
{
	char path[256];
	const char *text;
	size_t n;

	(void)state;
	if (system("${CC:-cc} --version >/dev/null 2>&1") != 0) {
		print_message("no compiler here\n");
		skip();
	}
	load(DOC, doc);
	assert_non_null(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/quoted", root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/libshm", root);
	assert_int_equal(mkdir(path, 0700), 0);
	with_line("libshm/cfg.def", "cfg", "#undef CFG_GROUP");
	with_line("quoted/strat.def", "def", "STRAT(maker_bin,");
	text = block("c", &n);
	save("strat_touch.c", text, n);
	text = block("test", &n);
	save("test_touch.c", text, n);
	snprintf(path, sizeof(path), "%s/strat_touch.c", root);
	assert_int_equal(compile(path), 0);
	snprintf(path, sizeof(path), "%s/test_touch.c", root);
	assert_int_equal(compile(path), 0);
	/* the table takes its line ... */
	assert_int_equal(compile("quoted/strat.c"), 0);
	assert_int_equal(compile("libshm/cfg.c"), 0);
	/* ... and without its setting the file does not compile */
	snprintf(path, sizeof(path), "%s/libshm/cfg.def", root);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/strat_touch.c 2>/dev/null", root);
	assert_int_not_equal(compile(path), 0);
	snprintf(path, sizeof(path), "rm -r %s", root);
	assert_int_equal(system(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_worked_example_compiles),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
