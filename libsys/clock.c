#define _GNU_SOURCE
#include "libsys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libcore/fixed.h"

static uint64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	CHECK(clock_gettime(id, &ts) == 0);
	return (uint64_t)ts.tv_sec * (uint64_t)NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t
clock_mono_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t
clock_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

/* First line of a small kernel file, without the newline. */
static int
read_line(const char *path, char *buf, size_t sz)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int rc;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, sz - 1);
	rc = n < 0 ? -errno : 0;
	close(fd);
	if (rc < 0)
		return rc;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

void
clock_source(char name[CLOCK_SOURCE_SZ])
{
	if (read_line("/sys/devices/system/clocksource/clocksource0/"
		      "current_clocksource",
		name, CLOCK_SOURCE_SZ) < 0 ||
	    name[0] == '\0')
		snprintf(name, CLOCK_SOURCE_SZ, "unknown");
}

bool
clock_source_fast(const char *name)
{
	static const char *const fast[] = {"tsc", "arch_sys_counter",
	    "kvm-clock", "hyperv_clocksource_tsc_page"};

	for (size_t i = 0; i < sizeof(fast) / sizeof(fast[0]); i++)
		if (strcmp(name, fast[i]) == 0)
			return true;
	return false;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

struct date {
	int year;
	int month; /* 0 to 11 */
	int day;
	int week_day; /* 0: Sunday */
	int rest_s;   /* of the day */
};

static struct date
date_of(uint64_t wall_ns)
{
	static const int month_days[12] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	uint64_t s = wall_ns / (uint64_t)NS_PER_S;
	int days = (int)(s / 86400);
	struct date d = {.year = 1970,
	    .week_day = (days + 4) % 7,
	    .rest_s = (int)(s % 86400)};

	for (; days >= 365 + is_leap(d.year); d.year++)
		days -= 365 + is_leap(d.year);
	for (;; d.month++) {
		int n = month_days[d.month] + (d.month == 1 && is_leap(d.year));

		if (days < n)
			break;
		days -= n;
	}
	d.day = days + 1;
	return d;
}

int
clock_format_utc(uint64_t wall_ns, char buf[CLOCK_DATE_SZ])
{
	int micro = (int)(wall_ns % (uint64_t)NS_PER_S / 1000);
	struct date d = date_of(wall_ns);

	return snprintf(buf, CLOCK_DATE_SZ,
	    "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", d.year, d.month + 1, d.day,
	    d.rest_s / 3600, d.rest_s / 60 % 60, d.rest_s % 60, micro);
}

int
clock_format_http(uint64_t wall_ns, char buf[CLOCK_DATE_SZ])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct date d = date_of(wall_ns);

	return snprintf(buf, CLOCK_DATE_SZ,
	    "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * d.week_day,
	    d.day, months + 3 * d.month, d.year, d.rest_s / 3600,
	    d.rest_s / 60 % 60, d.rest_s % 60);
}

/* n digits; -1 when they are not. */
static int
digits(const char *s, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v;
}

bool
clock_parse_utc(const char *text, int64_t *wall_ns)
{
	size_t n = strlen(text);
	struct tm tm = {0};
	struct tm same;
	time_t t;

	if ((n != 17 && n != 20) || text[4] != '-' || text[7] != '-' ||
	    text[10] != 'T' || text[13] != ':' || text[n - 1] != 'Z' ||
	    (n == 20 && text[16] != ':'))
		return false;
	tm.tm_year = digits(text, 4) - 1900;
	tm.tm_mon = digits(text + 5, 2) - 1;
	tm.tm_mday = digits(text + 8, 2);
	tm.tm_hour = digits(text + 11, 2);
	tm.tm_min = digits(text + 14, 2);
	tm.tm_sec = n == 20 ? digits(text + 17, 2) : 0;
	if (tm.tm_year < 70 || tm.tm_year > 200 || tm.tm_mon < 0 ||
	    tm.tm_mday < 1 || tm.tm_hour < 0 || tm.tm_min < 0 || tm.tm_sec < 0)
		return false;
	same = tm;
	/* What does not exist (the 30th of February) comes back as another. */
	t = timegm(&same);
	if (same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday ||
	    same.tm_hour != tm.tm_hour || same.tm_min != tm.tm_min ||
	    same.tm_sec != tm.tm_sec)
		return false;
	*wall_ns = (int64_t)t * NS_PER_S;
	return true;
}
