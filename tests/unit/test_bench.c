/* links: libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Benches at a tiny size, so that they cannot rot: each must end well and
 * print figures in the agreed form. No figure is judged. */

static const char *
out_dir(void)
{
	const char *s = getenv("OUT");

	return s != 0 ? s : "build/release";
}

static void
assert_figure(const char *line)
{
	static const char *const keys[] = {"{\"name\":\"",
	    "\"value\":", "\"unit\":\"",
	    "\"reference\":", "\"reference_value\":", "\"ratio\":"};
	const char *at = line;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		at = strstr(at, keys[i]);
		if (at == 0)
			fail_msg("no %s in %s", keys[i], line);
	}
	assert_string_equal(line + strlen(line) - 2, "}\n");
}

static void
run(const char *name)
{
	char cmd[256];
	char line[512];
	unsigned figures = 0;
	unsigned remarks = 0;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "BENCH_QUICK=1 JSON=1 %s/bench/%s",
	    out_dir(), name);
	f = popen(cmd, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != 0) {
		if (line[0] == '#') {
			remarks++;
			continue;
		}
		assert_figure(line);
		figures++;
	}
	assert_int_equal(pclose(f), 0);
	if (figures == 0 && remarks > 0) {
		printf("skipped: %s measures nothing here\n", name);
		skip();
	}
	assert_true(figures > 0);
}

static void
test_ring(void **state)
{
	(void)state;
	run("bench_ring");
}

static void
test_wake(void **state)
{
	(void)state;
	run("bench_wake");
}

static void
test_chain(void **state)
{
	(void)state;
	run("bench_chain");
}

static void
test_connect(void **state)
{
	(void)state;
	run("bench_connect");
}

static void
test_sign(void **state)
{
	(void)state;
	run("bench_sign");
}

static void
test_order(void **state)
{
	(void)state;
	run("bench_order");
}

static void
test_pipeline(void **state)
{
	(void)state;
	run("bench_pipeline");
}

static void
test_freeze(void **state)
{
	(void)state;
	run("bench_freeze");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ring),
	    cmocka_unit_test(test_wake),
	    cmocka_unit_test(test_chain),
	    cmocka_unit_test(test_connect),
	    cmocka_unit_test(test_sign),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_pipeline),
	    cmocka_unit_test(test_freeze),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
