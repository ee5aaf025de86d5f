#define _GNU_SOURCE
#include "libsys/proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
slurp(pid_t pid, const char *file, char *buf, size_t n)
{
	char path[64];
	ssize_t got;
	int fd;

	if (pid <= 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, buf, n - 1);
	close(fd);
	if (got <= 0)
		return false;
	buf[got] = '\0';
	return true;
}

/* Field n of proc(5) stat; rest begins with field 3. */
static uint64_t
field(const char *rest, int n)
{
	for (int at = 3; at < n && rest != NULL; at++) {
		rest = strchr(rest, ' ');
		if (rest != NULL)
			rest++;
	}
	return rest != NULL ? strtoull(rest, NULL, 10) : 0;
}

bool
proc_read(pid_t pid, struct proc_stat *out)
{
	char buf[1024];
	long hz = sysconf(_SC_CLK_TCK);
	long page = sysconf(_SC_PAGESIZE);
	const char *p;

	if (hz <= 0 || page <= 0 || !slurp(pid, "stat", buf, sizeof(buf)))
		return false;
	/* The name may hold anything, even a closing parenthesis. */
	p = strrchr(buf, ')');
	if (p == NULL || p[1] != ' ')
		return false;
	p += 2;
	memset(out, 0, sizeof(*out));
	out->zombie = p[0] == 'Z' || p[0] == 'X';
	out->start_ticks = field(p, 22);
	out->cpu_ns = (field(p, 14) + field(p, 15)) *
		      (UINT64_C(1000000000) / (uint64_t)hz);
	out->rss_kib = field(p, 24) * ((uint64_t)page / 1024);
	return true;
}

bool
proc_more(pid_t pid, struct proc_stat *out)
{
	char buf[4096];
	const char *p;

	if (!proc_read(pid, out) || !slurp(pid, "status", buf, sizeof(buf)))
		return false;
	p = strstr(buf, "\nvoluntary_ctxt_switches:");
	if (p != NULL)
		out->switches = strtoull(p + 25, NULL, 10);
	p = strstr(buf, "\nnonvoluntary_ctxt_switches:");
	if (p != NULL)
		out->preempted = strtoull(p + 28, NULL, 10);
	return true;
}

bool
proc_alive(pid_t pid, uint64_t start_ticks)
{
	struct proc_stat st;

	return proc_read(pid, &st) && !st.zombie &&
	       st.start_ticks == start_ticks;
}
