/* links: libsys libshm libcore */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "libsys/clock.h"

static void
monotonic_never_steps_back(void **state)
{
	uint64_t last = clock_mono_ns();

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t now = clock_mono_ns();

		assert_true(now >= last);
		last = now;
	}
}

static void
clocks_are_the_kernels(void **state)
{
	struct timespec a;
	struct timespec b;
	uint64_t mono;
	uint64_t wall;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &a);
	mono = clock_mono_ns();
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true(
	    (uint64_t)a.tv_sec * 1000000000 + (uint64_t)a.tv_nsec <= mono);
	assert_true(
	    mono <= (uint64_t)b.tv_sec * 1000000000 + (uint64_t)b.tv_nsec);
	wall = clock_wall_ns();
	assert_true(wall / 1000000000 + 2 >= (uint64_t)time(NULL));
	assert_true(wall / 1000000000 <= (uint64_t)time(NULL) + 2);
}

static void
source_has_a_name(void **state)
{
	char name[CLOCK_SOURCE_SZ];

	(void)state;
	clock_source(name);
	assert_true(strlen(name) > 0);
	assert_true(strlen(name) < CLOCK_SOURCE_SZ);
	assert_null(strchr(name, '\n'));
}

static void
fast_sources(void **state)
{
	static const struct {
		const char *name;
		bool fast;
	} rows[] = {
	    {"tsc", true},
	    {"arch_sys_counter", true},
	    {"kvm-clock", true},
	    {"hpet", false},
	    {"acpi_pm", false},
	    {"unknown", false},
	    {"", false},
	    {"tsc2", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(clock_source_fast(rows[i].name), rows[i].fast);
}

/* Made with date -u -d @N. */
static void
dates(void **state)
{
	static const struct {
		uint64_t s;
		const char *text;
	} rows[] = {
	    {0, "1970-01-01T00:00:00.000000Z"},
	    {86399, "1970-01-01T23:59:59.000000Z"},
	    {68169599, "1972-02-28T23:59:59.000000Z"},
	    {68169600, "1972-02-29T00:00:00.000000Z"},
	    {94694399, "1972-12-31T23:59:59.000000Z"},
	    {94694400, "1973-01-01T00:00:00.000000Z"},
	    {951782400, "2000-02-29T00:00:00.000000Z"},
	    {978307199, "2000-12-31T23:59:59.000000Z"},
	    {1783715100, "2026-07-10T20:25:00.000000Z"},
	    {4107542399, "2100-02-28T23:59:59.000000Z"},
	    {4107542400, "2100-03-01T00:00:00.000000Z"},
	};
	char text[CLOCK_DATE_SZ];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int n = clock_format_utc(rows[i].s * 1000000000, text);

		assert_string_equal(text, rows[i].text);
		assert_int_equal(n, strlen(text));
	}
	clock_format_utc(UINT64_C(1234567899), text);
	assert_string_equal(text, "1970-01-01T00:00:01.234567Z");
	clock_format_utc(UINT64_MAX, text);
	assert_string_equal(text, "2554-07-21T23:34:33.709551Z");
}

/* Every day of 150 years, against the C library. */
static void
every_day(void **state)
{
	char ours[CLOCK_DATE_SZ];
	char libc[CLOCK_DATE_SZ];

	(void)state;
	for (uint64_t day = 0; day < 150 * 366; day++) {
		time_t t = (time_t)(day * 86400 + 3723);
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(libc, sizeof(libc), "%FT%T.000000Z", &tm);
		clock_format_utc((uint64_t)t * 1000000000, ours);
		assert_string_equal(ours, libc);
		strftime(libc, sizeof(libc), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		clock_format_http((uint64_t)t * 1000000000, ours);
		assert_string_equal(ours, libc);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(monotonic_never_steps_back),
	    cmocka_unit_test(clocks_are_the_kernels),
	    cmocka_unit_test(source_has_a_name),
	    cmocka_unit_test(fast_sources),
	    cmocka_unit_test(dates),
	    cmocka_unit_test(every_day),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
