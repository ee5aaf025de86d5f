#define _GNU_SOURCE
#include "libsys/crash.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FRAMES_MAX 64
#define AT_MAX	   320
#define DAY_S	   INT64_C(86400)
#define NS_S	   INT64_C(1000000000)

static struct {
	char stage[32];
	int pipe[2]; /* -1: none */
} self = {.pipe = {-1, -1}};

struct out {
	char *buf;
	size_t n;
};

static void
put(struct out *o, const char *text)
{
	size_t n = strlen(text);

	if (o->n + n < CRASH_LINE_SZ) {
		memcpy(o->buf + o->n, text, n);
		o->n += n;
	}
}

/* Decimal digits, at least width of them. snprintf may not be called here. */
static void
put_u64(struct out *o, uint64_t v, int width)
{
	char text[24];
	size_t at = sizeof(text) - 1;

	text[at] = '\0';
	for (; v != 0 || width > 0; width--, v /= 10)
		text[--at] = (char)('0' + v % 10);
	put(o, text + at);
}

/* "2026-07-10T20:25:00.123456Z"; the civil calendar, years from March. */
static void
put_time(struct out *o, int64_t wall_ns)
{
	int64_t s = wall_ns / NS_S;
	int64_t z = s / DAY_S + 719468;
	int64_t era = z / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;

	put_u64(o, (uint64_t)(yoe + era * 400 + (month <= 2)), 4);
	put(o, "-");
	put_u64(o, (uint64_t)month, 2);
	put(o, "-");
	put_u64(o, (uint64_t)(doy - (153 * mp + 2) / 5 + 1), 2);
	put(o, "T");
	put_u64(o, (uint64_t)(s % DAY_S / 3600), 2);
	put(o, ":");
	put_u64(o, (uint64_t)(s / 60 % 60), 2);
	put(o, ":");
	put_u64(o, (uint64_t)(s % 60), 2);
	put(o, ".");
	put_u64(o, (uint64_t)(wall_ns % NS_S / 1000), 6);
	put(o, "Z");
}

size_t
crash_line(char buf[CRASH_LINE_SZ], const struct crash_stamp *s, const char *at,
    size_t n)
{
	struct out o = {buf, 0};
	char one[3] = "";

	put(&o, "{\"t\":\"");
	put_time(&o, s->wall_ns > 0 ? s->wall_ns : 0);
	put(&o, "\",\"m\":");
	put_u64(&o, s->mono_ns, 1);
	put(&o, ",\"lvl\":\"error\",\"stage\":\"");
	put(&o, s->stage);
	put(&o, "\",\"ev\":\"backtrace\",\"signal\":");
	put_u64(&o, (uint64_t)s->signal, 1);
	put(&o, ",\"frame\":");
	put_u64(&o, s->frame, 1);
	put(&o, ",\"at\":\"");
	for (size_t i = 0; i < n && i < AT_MAX && o.n + 8 < CRASH_LINE_SZ;
	     i++) {
		char c = at[i] >= ' ' && at[i] <= '~' ? at[i] : '?';
		bool quoted = c == '"' || c == '\\';

		one[0] = quoted ? '\\' : c;
		one[1] = quoted ? c : '\0';
		put(&o, one);
	}
	put(&o, "\"}\n");
	return o.n;
}

static int64_t
now_of(clockid_t id)
{
	struct timespec t = {0};

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * NS_S + t.tv_nsec;
}

/* Its name as the loader knows it; the bare text where there is no pipe. */
static void
say_frame(void *frame, const struct crash_stamp *s)
{
	char line[CRASH_LINE_SZ];
	char at[AT_MAX];
	ssize_t n;

	if (self.pipe[0] < 0) {
		backtrace_symbols_fd(&frame, 1, STDERR_FILENO);
		return;
	}
	backtrace_symbols_fd(&frame, 1, self.pipe[1]);
	n = read(self.pipe[0], at, sizeof(at));
	while (n > 0 && at[n - 1] == '\n')
		n--;
	n = (ssize_t)crash_line(line, s, at, n > 0 ? (size_t)n : 0);
	if (write(STDERR_FILENO, line, (size_t)n) != n)
		return;
}

static void
on_crash(int sig)
{
	void *frame[FRAMES_MAX];
	int n = backtrace(frame, FRAMES_MAX);
	struct crash_stamp s = {
	    .wall_ns = now_of(CLOCK_REALTIME),
	    .mono_ns = (uint64_t)now_of(CLOCK_MONOTONIC),
	    .stage = self.stage,
	    .signal = sig,
	};

	for (; (int)s.frame < n; s.frame++)
		say_frame(frame[s.frame], &s);
	signal(sig, SIG_DFL);
	raise(sig);
}

void
crash_open(const char *stage)
{
	static const int crash[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	struct sigaction sa;
	void *frame[1];

	snprintf(self.stage, sizeof(self.stage), "%s", stage);
	if (pipe2(self.pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		self.pipe[0] = self.pipe[1] = -1;
	/* The first call loads a library: do it before anything is sealed. */
	backtrace(frame, 1);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_crash;
	sa.sa_flags = (int)SA_RESETHAND;
	for (size_t i = 0; i < sizeof(crash) / sizeof(crash[0]); i++)
		sigaction(crash[i], &sa, NULL);
}
