/* links: libsys libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libsys/crash.h"

static void
one_line(void **state)
{
	const struct crash_stamp s = {
	    .wall_ns = INT64_C(1783715100123456789),
	    .mono_ns = 42,
	    .stage = "riskd",
	    .signal = 6,
	    .frame = 10,
	};
	char buf[CRASH_LINE_SZ];
	char at[2000];
	size_t n = crash_line(buf, &s, "a\"b\\c\nd", 7);

	(void)state;
	buf[n] = '\0';
	assert_string_equal(buf,
	    "{\"t\":\"2026-07-10T20:25:00.123456Z\",\"m\":42,\"lvl\":"
	    "\"error\",\"stage\":\"riskd\",\"ev\":\"backtrace\",\"signal\":6,"
	    "\"frame\":10,\"at\":\"a\\\"b\\\\c?d\"}\n");
	/* However long, it ends as it must. */
	memset(at, '"', sizeof(at));
	n = crash_line(buf, &s, at, sizeof(at));
	assert_true(n < CRASH_LINE_SZ);
	assert_memory_equal(buf + n - 3, "\"}\n", 3);
}

/* A child that aborts: every line that it leaves is an object. */
static void
a_crash(void **state)
{
	const struct rlimit none = {0, 0};
	char text[65536];
	size_t n = 0;
	ssize_t got;
	int fd[2];
	int status;
	int lines = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		dup2(fd[1], STDERR_FILENO);
		crash_open("quoted");
		abort();
	}
	close(fd[1]);
	while ((got = read(fd[0], text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	close(fd[0]);
	text[n] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	for (char *p = strtok(text, "\n"); p != NULL; p = strtok(NULL, "\n")) {
		assert_memory_equal(p, "{\"t\":\"20", 8);
		assert_non_null(
		    strstr(p, "\"lvl\":\"error\",\"stage\":\"quoted\",\"ev\":"
			      "\"backtrace\",\"signal\":6,\"frame\":"));
		assert_string_equal(p + strlen(p) - 2, "\"}");
		lines++;
	}
	assert_true(lines > 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_line),
	    cmocka_unit_test(a_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
