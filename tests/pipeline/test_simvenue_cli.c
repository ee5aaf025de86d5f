/* links: libsys libshm libcore */
/*
 * The simvenue program: arguments, the ready line, a port in use, signals,
 * statistics, exit codes.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/json.h"
#include "tests/pipeline/proc.h"

#define SHIPPED "simvenue/captures"

static char dir[256];
static char log_path[300];
static char text[16384];

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s", proc_tmp("simvenue"));
	(void)snprintf(log_path, sizeof(log_path), "%s/log", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	proc_rmtree(dir);
	return 0;
}

static const char *
read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(text, 1, sizeof(text) - 1, f) : 0;
	text[n] = '\0';
	if (f != NULL)
		fclose(f);
	return text;
}

static int
run(const char *const argv[])
{
	unlink(log_path);
	return proc_exit_code(proc_start(argv, log_path));
}

static void
test_usage(void **state)
{
	static const struct {
		const char *argv[6];
		int code;
		const char *says;
	} cases[] = {
	    {{"simvenue", "--help", NULL}, 0, "usage: simvenue"},
	    {{"simvenue", "--version", NULL}, 0, "simvenue "},
	    {{"simvenue", "--dance", NULL}, 100, "--help"},
	    {{"simvenue", "extra", NULL}, 100, "'extra': not expected"},
	    {{"simvenue", "--pace", "0", NULL}, 100, "--pace '0'"},
	    {{"simvenue", "--pace", "fast", NULL}, 100, "--pace 'fast'"},
	    {{"simvenue", "--port-base", "65534", NULL}, 100, "--port-base"},
	    {{"simvenue", "--list-faults", NULL}, 0, "half_open"},
	    {{"simvenue", "--list-faults", "--json", NULL}, 0,
		"\"name\":\"dns_failure\""},
	    {{"simvenue", "--seed", "x", NULL}, 100, "--seed 'x'"},
	    {{"simvenue", "--faults", "/nowhere", NULL}, 100,
		"--faults /nowhere: No such file"},
	    {{"simvenue", "--faults", "Makefile", NULL}, 100,
		"Makefile:4: not a JSON object"},
	    {{"simvenue", "--tls-dir", "/proc/nowhere", NULL}, 100,
		"simvenue: --tls: /proc/nowhere/: "},
	    {{"simvenue", "--requests", "/nowhere/x", NULL}, 111,
		"--requests /nowhere/x: No such file"},
	    {{"simvenue", "--capture", "/nowhere", NULL}, 100,
		"/nowhere: No such file"},
	    {{"simvenue", "--capture", "simvenue/main.c", NULL}, 100,
		"simvenue/main.c: not a capture format"},
	    {{"simvenue", "--capture", SHIPPED, "--host", "here", NULL}, 100,
		"cannot listen on here"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int code = run(cases[i].argv);
		(void)read_file(log_path);
		if (code != cases[i].code ||
		    strstr(text, cases[i].says) == NULL)
			fail_msg("%s %s: exit %d, %s", cases[i].argv[0],
			    cases[i].argv[1], code, text);
	}
}

static bool
is_ready(void *arg)
{
	(void)arg;
	return strchr(read_file(log_path), '\n') != NULL;
}

/* A number from the ready line's first venue. */
static uint64_t
first_port(void)
{
	static const char mark[] = "\"port\":";
	const char *p = strstr(text, mark);
	assert_non_null(p);
	return strtoull(p + sizeof(mark) - 1, NULL, 10);
}

static bool
is_json_line(const char *s)
{
	struct json j;
	json_init(&j, s, strcspn(s, "\n"));
	return json_skip(&j) && json_end(&j);
}

static pid_t
start(const char *stats)
{
	const char *const argv[] = {"simvenue", "--json", "--capture", SHIPPED,
	    "--port-base", "0", "--stats", stats, NULL};
	unlink(log_path);
	pid_t pid = proc_start(argv, log_path);
	if (!proc_until(is_ready, NULL, PROC_WAIT_MS))
		fail_msg("not ready: %s", text);
	return pid;
}

static void
test_life(void **state)
{
	char stats[300];
	char port[16];
	(void)state;
	(void)snprintf(stats, sizeof(stats), "%s/stats", dir);
	pid_t pid = start(stats);
	assert_true(is_json_line(text));
	assert_memory_equal(text, "{\"ev\":\"ready\"", 13);
	assert_non_null(strstr(text, "\"bad_lines\":0"));
	(void)snprintf(port, sizeof(port), "%u", (unsigned)first_port());
	const char *const again[] = {
	    "simvenue", "--capture", SHIPPED, "--port-base", port, NULL};
	char other_log[310];
	(void)snprintf(other_log, sizeof(other_log), "%s.other", log_path);
	assert_int_equal(proc_exit_code(proc_start(again, other_log)), 111);
	assert_non_null(strstr(read_file(other_log), "is in use"));
	assert_non_null(strstr(text, "--port-base"));
	kill(pid, SIGTERM);
	assert_int_equal(proc_exit_code(pid), 0);
	const char *end = strchr(read_file(log_path), '\n') + 1;
	assert_memory_equal(end, "{\"ev\":\"end\"", 11);
	assert_true(is_json_line(end));
	assert_true(is_json_line(read_file(stats)));
	pid = start("/nowhere/stats");
	kill(pid, SIGINT);
	assert_int_equal(proc_exit_code(pid), 111);
	assert_non_null(strstr(read_file(log_path), "--stats /nowhere/stats"));
}

/* The manual names every fault, and no other. */
static void
test_manual(void **state)
{
	static const char *const argv[] = {"simvenue", "--list-faults", NULL};
	static char manual[65536];
	char *line = text;
	unsigned n = 0;
	(void)state;
	FILE *f = fopen("docs/man/simvenue.1", "r");
	assert_non_null(f);
	manual[fread(manual, 1, sizeof(manual) - 1, f)] = '\0';
	(void)fclose(f);
	assert_int_equal(run(argv), 0);
	(void)read_file(log_path);
	for (; *line != '\0'; line = strchr(line, '\n') + 1, n++) {
		char entry[64];
		(void)snprintf(entry, sizeof(entry), "\n.BR %.*s \" (",
		    (int)strcspn(line, " "), line);
		if (strstr(manual, entry) == NULL)
			fail_msg("not in the manual: %s", entry);
	}
	for (const char *p = manual; (p = strstr(p, "\n.BR ")) != NULL; p++)
		n -= strncmp(p + 5 + strcspn(p + 5, " "), " \" (", 4) == 0;
	assert_int_equal(n, 0);
}

/* What is asked is written down; what is only for us is not. */
static void
test_requests(void **state)
{
	char path[300];
	char cmd[400];
	(void)state;
	(void)snprintf(path, sizeof(path), "%s/requests", dir);
	const char *const argv[] = {"simvenue", "--json", "--capture", SHIPPED,
	    "--port-base", "0", "--requests", path, NULL};
	unlink(log_path);
	pid_t pid = proc_start(argv, log_path);
	if (!proc_until(is_ready, NULL, PROC_WAIT_MS))
		fail_msg("not ready: %s", text);
	(void)snprintf(cmd, sizeof(cmd),
	    "curl -s -m 5 -H 'X-Key: a\"b' -d '{\"x\":1}' "
	    "http://127.0.0.1:%u/book?token_id=1 "
	    "http://127.0.0.1:%u/sim/stats >%s/curl",
	    (unsigned)first_port(), (unsigned)first_port(), dir);
	if (system(cmd) != 0)
		print_message("skipped: no curl here\n");
	else {
		(void)read_file(path);
		assert_true(is_json_line(text));
		assert_non_null(strstr(text, "\"venue\":\"polymarket\","
					     "\"method\":\"POST\","
					     "\"path\":\"/book?token_id=1\""));
		assert_non_null(strstr(text, "\"X-Key\":\"a\\\"b\""));
		assert_non_null(strstr(text, "\"body\":\"{\\\"x\\\":1}\""));
		assert_null(strstr(text, "/sim/"));
	}
	kill(pid, SIGTERM);
	assert_int_equal(proc_exit_code(pid), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_usage),
	    cmocka_unit_test(test_life),
	    cmocka_unit_test(test_manual),
	    cmocka_unit_test(test_requests),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
