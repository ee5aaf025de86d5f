/* links: libsys libshm libcore */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libsys/clock.h"
#include "libsys/log.h"

#define HEAD                                                       \
	"{\"t\":\"2026-07-10T20:25:00.123456Z\",\"m\":42,\"lvl\":" \
	"\"info\",\"stage\":\"feedd.binance\",\"ev\":\"connected\""

static const struct log_stamp stamp = {
    .wall_ns = UINT64_C(1783715100123456789),
    .mono_ns = 42,
    .stage = "feedd.binance",
};

/* One field, and the JSON that comes of it. */
static const struct {
	const char *name;
	struct field f;
	const char *json;
} fields[] = {
    {"unsigned", {"n", FIELD_U64, 0, {.u64 = UINT64_MAX}, 0},
	"\"n\":18446744073709551615"},
    {"signed", {"n", FIELD_I64, 0, {.i64 = INT64_MIN}, 0},
	"\"n\":-9223372036854775808"},
    {"true", {"n", FIELD_BOOL, 0, {.u64 = 1}, 0}, "\"n\":true"},
    {"false", {"n", FIELD_BOOL, 0, {.u64 = 0}, 0}, "\"n\":false"},
    {"decimal", {"px", FIELD_DEC, 8, {.i64 = 51820000}, 0}, "\"px\":0.5182"},
    {"negative decimal", {"pnl_usd", FIELD_DEC, 6, {.i64 = -3000001}, 0},
	"\"pnl_usd\":-3.000001"},
    {"hex", {"h", FIELD_HEX, 0, {.u64 = 0xabc}, 0},
	"\"h\":\"0000000000000abc\""},
    {"text", {"s", FIELD_STR, 0, {.str = "abc"}, 0}, "\"s\":\"abc\""},
    {"no text", {"s", FIELD_STR, 0, {.str = NULL}, 0}, "\"s\":null"},
    {"part of a text", {"s", FIELD_STR, 1, {.str = "abc"}, 2}, "\"s\":\"ab\""},
    {"NUL inside", {"s", FIELD_STR, 1, {.str = "a\0b"}, 3},
	"\"s\":\"a\\u0000b\""},
    {"quotes", {"s", FIELD_STR, 0, {.str = "a\"b\\c"}, 0},
	"\"s\":\"a\\\"b\\\\c\""},
    {"controls", {"s", FIELD_STR, 0, {.str = "\n\r\t\x01\x7f"}, 0},
	"\"s\":\"\\n\\r\\t\\u0001\\u007f\""},
    {"UTF-8", {"s", FIELD_STR, 0, {.str = "\xc3\xbc\xe2\x82\xac"}, 0},
	"\"s\":\"\xc3\xbc\xe2\x82\xac\""},
    {"four bytes", {"s", FIELD_STR, 0, {.str = "\xf0\x9f\x92\xa9"}, 0},
	"\"s\":\"\xf0\x9f\x92\xa9\""},
    {"not UTF-8",
	{"s", FIELD_STR, 0,
	    {.str = "a\xff"
		    "b"},
	    0},
	"\"s\":\"a\\ufffdb\""},
    {"cut character", {"s", FIELD_STR, 0, {.str = "\xe2\x82"}, 0},
	"\"s\":\"\\ufffd\\ufffd\""},
    {"overlong form", {"s", FIELD_STR, 0, {.str = "\xc0\xaf"}, 0},
	"\"s\":\"\\ufffd\\ufffd\""},
    {"surrogate", {"s", FIELD_STR, 0, {.str = "\xed\xa0\x80"}, 0},
	"\"s\":\"\\ufffd\\ufffd\\ufffd\""},
    {"past the last", {"s", FIELD_STR, 0, {.str = "\xf4\x90\x80\x80"}, 0},
	"\"s\":\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
};

static void
fields_become_json(void **state)
{
	char line[LOG_LINE_SZ];
	char want[LOG_LINE_SZ];

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t n =
		    log_format(line, &stamp, LOG_CONNECTED, &fields[i].f, 1);

		snprintf(want, sizeof(want), HEAD ",%s}\n", fields[i].json);
		if (strcmp(line, want) != 0)
			fail_msg("%s: %s", fields[i].name, line);
		assert_int_equal(n, strlen(want));
	}
}

static void
line_without_fields(void **state)
{
	struct log_stamp s = stamp;
	char line[LOG_LINE_SZ];

	(void)state;
	log_format(line, &s, LOG_CONNECTED, NULL, 0);
	assert_string_equal(line, HEAD "}\n");
	s.suppressed_n = 7;
	log_format(line, &s, LOG_CONNECTED, NULL, 0);
	assert_string_equal(line, HEAD ",\"suppressed_n\":7}\n");
}

static void
long_lines_are_cut_and_say_so(void **state)
{
	static char text[100000];
	char line[LOG_LINE_SZ];
	struct field f[8];
	size_t n;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	f[0] = F_STR("s", text);
	n = log_format(line, &stamp, LOG_CONNECTED, f, 1);
	assert_true(n < 800);
	assert_string_equal(line + n - 13, ",\"cut\":true}\n");
	/* Eight of them, of the worst kind: still one whole line. */
	memset(text, 1, sizeof(text) - 1);
	for (int i = 0; i < 8; i++)
		f[i] = F_STR("s", text);
	f[7] = F_U64("last", 1);
	n = log_format(line, &stamp, LOG_CONNECTED, f, 8);
	assert_true(n < LOG_LINE_SZ);
	assert_int_equal(line[n - 1], '\n');
	assert_non_null(strstr(line, ",\"last\":1,\"cut\":true}\n"));
}

/* Read everything that is in a non-blocking pipe. */
static size_t
drain(int fd, char *buf, size_t sz)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf + len, sz - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	return len;
}

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

static void
open_log(int fd[2], enum cfg_log_level level)
{
	assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
	log_open("quoted", fd[1], level);
}

static void
close_log(int fd[2])
{
	log_open("-", STDERR_FILENO, CFG_LOG_INFO);
	close(fd[0]);
	close(fd[1]);
}

static void
level_is_respected(void **state)
{
	char out[4096];
	int fd[2];

	(void)state;
	open_log(fd, CFG_LOG_WARN);
	LOG0(LOG_FLAT);
	assert_int_equal(drain(fd[0], out, sizeof(out)), 0);
	log_level(CFG_LOG_INFO);
	LOG(LOG_FLAT, F_U64("cancel_us", 12));
	LOG0(LOG_LATENCY);
	drain(fd[0], out, sizeof(out));
	assert_int_equal(count(out, "\n"), 1);
	assert_non_null(
	    strstr(out, "\"lvl\":\"info\",\"stage\":\"quoted\",\"ev\":\"flat\","
			"\"cancel_us\":12}\n"));
	close_log(fd);
}

static void
budget_is_kept_and_reported(void **state)
{
	uint64_t before = log_suppressed_n();
	char out[65536];
	int fd[2];

	(void)state;
	open_log(fd, CFG_LOG_INFO);
	assert_int_equal(log_ev_rate(LOG_LEASE_LOST), 10);
	for (int i = 0; i < 25; i++)
		LOG(LOG_LEASE_LOST, F_I64("i", i));
	drain(fd[0], out, sizeof(out));
	assert_int_equal(count(out, "\"ev\":\"lease_lost\""), 10);
	assert_non_null(strstr(out, "\"i\":9}"));
	assert_int_equal(log_suppressed_n() - before, 15);
	/* Other events are not touched by it. */
	LOG0(LOG_LEASE_BACK);
	drain(fd[0], out, sizeof(out));
	assert_int_equal(count(out, "lease_back"), 1);
	/* Housekeeping tells what is missing, once. */
	log_housekeep(clock_mono_ns() + UINT64_C(61000000000));
	drain(fd[0], out, sizeof(out));
	assert_non_null(strstr(out, "\"ev\":\"suppressed\",\"of\":"
				    "\"lease_lost\",\"kind\":0,\"n\":15}"));
	log_housekeep(clock_mono_ns() + UINT64_C(200000000000));
	assert_int_equal(drain(fd[0], out, sizeof(out)), 0);
	close_log(fd);
}

static void
each_kind_has_a_budget(void **state)
{
	char out[65536];
	int fd[2];

	(void)state;
	open_log(fd, CFG_LOG_INFO);
	assert_int_equal(log_ev_rate(LOG_MALFORMED), 1);
	for (uint32_t i = 0; i < 9; i++)
		LOG_KIND(LOG_MALFORMED, 1 + i % 3, F_U64("kind", 1 + i % 3));
	drain(fd[0], out, sizeof(out));
	assert_int_equal(count(out, "malformed"), 3);
	assert_int_equal(count(out, "\"kind\":2}"), 1);
	close_log(fd);
}

/* More kinds than the table holds: still bounded, nothing is written out of
 * bounds, and the event's own budget applies to the rest. */
static void
endless_kinds_are_bounded(void **state)
{
	char out[65536];
	size_t lines = 0;
	int fd[2];

	(void)state;
	open_log(fd, CFG_LOG_INFO);
	for (uint32_t i = 1; i < 20000; i++) {
		LOG_KIND(LOG_UNKNOWN_MESSAGE, i * 7919, F_U64("kind", i));
		drain(fd[0], out, sizeof(out));
		lines += count(out, "unknown_message");
	}
	assert_in_range(lines, 100, 513);
	close_log(fd);
}

static void
full_pipe_drops_and_counts(void **state)
{
	uint64_t before = log_dropped_n();
	char out[4096];
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0); /* blocking, as a shell's pipe is */
	assert_true(fcntl(fd[1], F_SETPIPE_SZ, 4096) == 4096);
	log_open("riskd", fd[1], CFG_LOG_INFO);
	for (int i = 0; i < 60; i++)
		LOG(LOG_FILL, F_STR("px", "0.51820000000000000000000000"));
	assert_in_range(log_dropped_n() - before, 1, 59);
	assert_true(read(fd[0], out, sizeof(out)) > 0);
	before = log_dropped_n();
	LOG0(LOG_STAGE_STOP);
	assert_int_equal(log_dropped_n(), before);
	close(fd[0]);
	close(fd[1]);
	/* A closed descriptor is no reason to stop either. */
	LOG0(LOG_STAGE_STOP);
	assert_int_equal(log_dropped_n(), before + 1);
	log_open("-", STDERR_FILENO, CFG_LOG_INFO);
}

static void
every_event_is_sound(void **state)
{
	(void)state;
	for (int i = 1; i < LOG_EV_N; i++) {
		enum log_ev ev = (enum log_ev)i;
		const char *name = log_ev_name(ev);

		assert_true(strspn(name, "abcdefghijklmnopqrstuvwxyz_") ==
			    strlen(name));
		assert_in_range(log_ev_level(ev), 1, CFG_LOG_N - 1);
		assert_in_range(log_ev_rate(ev), 1, 600);
		assert_true(strlen(log_ev_doc(ev)) > 10);
		for (int j = 1; j < i; j++)
			assert_string_not_equal(
			    name, log_ev_name((enum log_ev)j));
	}
	assert_string_equal(
	    log_ev_name(LOG_DAILY_LOSS_LATCH), "daily_loss_latch");
}

static void
escape_stops_at_a_character(void **state)
{
	char to[8];

	(void)state;
	assert_int_equal(log_escape(to, 5, "abcdef", 6), 4);
	assert_string_equal(to, "abcd");
	assert_int_equal(log_escape(to, 4, "ab\n", 3), 2);
	assert_string_equal(to, "ab");
	assert_int_equal(log_escape(to, 4, "a\xe2\x82\xac", 4), 1);
	assert_int_equal(log_escape(to, 1, "a", 1), 0);
	assert_string_equal(to, "");
}

static void
broken_contracts_abort(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();
		char to[2];
		int status;

		assert_true(pid >= 0);
		if (pid == 0) {
			signal(SIGABRT, SIG_DFL);
			close(STDERR_FILENO);
			if (i == 0)
				log_event(LOG_EV_N, NULL, 0);
			else if (i == 1)
				log_ev_name(LOG_EV_NONE);
			else if (i == 2)
				log_level(CFG_LOG_N);
			else
				log_escape(to, 0, "a", 1);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_become_json),
	    cmocka_unit_test(line_without_fields),
	    cmocka_unit_test(long_lines_are_cut_and_say_so),
	    cmocka_unit_test(level_is_respected),
	    cmocka_unit_test(budget_is_kept_and_reported),
	    cmocka_unit_test(each_kind_has_a_budget),
	    cmocka_unit_test(endless_kinds_are_bounded),
	    cmocka_unit_test(full_pipe_drops_and_counts),
	    cmocka_unit_test(every_event_is_sound),
	    cmocka_unit_test(escape_stops_at_a_character),
	    cmocka_unit_test(broken_contracts_abort),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
