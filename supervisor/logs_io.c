#define _GNU_SOURCE
#include "supervisor/logs_io.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libshm/cfgpage.h"
#include "libshm/instance.h"
#include "supervisor/opts.h"
#include "supervisor/spawn_io.h"

#define SOURCES	  (ST_N + 1)
#define LINE_MAX_ 4096
#define TAIL_MAX  (4 << 20)

/* One log file that is being followed. */
struct source {
	const char *name;
	int fd;
	size_t n;
	char line[LINE_MAX_];
};

/* A line with its time, to merge several files. */
struct entry {
	char *text;
	const char *stamp; /* inside text; "" when it has none */
	size_t at;
};

static const char *
colour(const char *level, bool on)
{
	if (!on)
		return "";
	if (strcmp(level, "error") == 0)
		return "\033[1;31m";
	if (strcmp(level, "warn") == 0)
		return "\033[33m";
	return strcmp(level, "debug") == 0 ? "\033[2m" : "";
}

static void
field(const char *key, json_t *v, FILE *to)
{
	char *text;

	if (json_is_string(v)) {
		const char *s = json_string_value(v);

		fprintf(to, strchr(s, ' ') ? " %s=\"%s\"" : " %s=%s", key, s);
		return;
	}
	/* As it was written: 0.51, not the nearest binary number. */
	text = json_dumps(
	    v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
	fprintf(to, " %s=%s", key, text ? text : "?");
	free(text);
}

void
logs_line(const char *line, bool json, bool tty, FILE *to)
{
	static const char *const head[] = {"t", "m", "lvl", "stage", "ev"};
	const char *lvl = "";
	const char *stage = "";
	const char *ev = "";
	const char *t = "";
	const char *key;
	json_error_t je;
	json_t *o = json ? NULL : json_loads(line, 0, &je);
	json_t *v;

	if (!json_is_object(o) ||
	    json_unpack(o, "{s:s,s:s,s:s,s:s}", "t", &t, "lvl", &lvl, "stage",
		&stage, "ev", &ev) != 0) {
		fprintf(to, "%s\n", line);
		json_decref(o);
		return;
	}
	fprintf(to, "%s%.12s %-5s %-17s %s", colour(lvl, tty),
	    strlen(t) > 11 ? t + 11 : t, lvl, stage, ev);
	json_object_foreach(o, key, v)
	{
		bool skip = false;

		for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
			skip |= strcmp(key, head[i]) == 0;
		if (!skip)
			field(key, v, to);
	}
	fputs(tty && colour(lvl, true)[0] ? "\033[0m\n" : "\n", to);
	json_decref(o);
}

static const char *
stamp_of(const char *line)
{
	const char *p = strstr(line, "\"t\":\"");

	return p != NULL ? p + 5 : "";
}

static int
by_time(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;

	int c = strncmp(x->stamp, y->stamp, 27);

	/* The sort is not stable: what came first stays first. */
	return c != 0 ? c : x->at < y->at ? -1 : 1;
}

/* The last lines of every source, in the order of their times. */
static void
show_tails(
    const struct sup_opts *o, const char *dir, struct source *src, size_t n)
{
	char *buf = malloc(TAIL_MAX);
	struct entry *all = calloc(n * ((size_t)o->lines + 1), sizeof(*all));
	size_t m = 0;
	bool tty = isatty(STDOUT_FILENO);

	for (size_t i = 0; i < n && buf && all && o->lines > 0; i++) {
		char *rest = buf;
		char *l;

		spawn_log_tail(dir, src[i].name, o->lines, buf, TAIL_MAX);
		while ((l = strsep(&rest, "\n")) != NULL) {
			char *copy = l[0] != '\0' ? strdup(l) : NULL;
			const char *stamp = copy ? stamp_of(copy) : "";

			if (copy == NULL)
				continue;
			/* Text between JSON lines stays after its line. */
			if (stamp[0] == '\0' && m > 0)
				stamp = all[m - 1].stamp;
			all[m] = (struct entry){copy, stamp, m};
			m++;
		}
	}
	if (all != NULL)
		qsort(all, m, sizeof(*all), by_time);
	for (size_t i = 0; i < m; i++)
		logs_line(all[i].text, o->json, tty, stdout);
	for (size_t i = 0; i < m; i++)
		free(all[i].text);
	free(all);
	free(buf);
}

static void
read_more(struct source *s, bool json, bool tty)
{
	for (;;) {
		ssize_t got =
		    read(s->fd, s->line + s->n, sizeof(s->line) - 1 - s->n);
		char *from = s->line;
		char *end;

		if (got <= 0)
			return;
		s->n += (size_t)got;
		s->line[s->n] = '\0';
		while ((end = strchr(from, '\n')) != NULL) {
			*end = '\0';
			logs_line(from, json, tty, stdout);
			from = end + 1;
		}
		s->n = strlen(from);
		if (s->n + 1 >= sizeof(s->line)) {
			logs_line(from, json, tty, stdout);
			s->n = 0;
		}
		memmove(s->line, from, s->n);
		fflush(stdout);
	}
}

/* A log that was set aside has a new file under its name. */
static void
reopen(struct source *s, const char *dir)
{
	char path[PATH_MAX];
	struct stat now;
	struct stat had;

	snprintf(path, sizeof(path), "%s/logs/%s.log", dir, s->name);
	if (stat(path, &now) < 0)
		return;
	if (s->fd >= 0 && fstat(s->fd, &had) == 0 && had.st_ino == now.st_ino)
		return;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	s->n = 0;
}

static int
follow(const struct sup_opts *o, const char *dir, struct source *src, size_t n)
{
	char path[PATH_MAX];
	char ev[4096];
	bool tty = isatty(STDOUT_FILENO);
	int in = inotify_init1(IN_CLOEXEC);

	snprintf(path, sizeof(path), "%s/logs", dir);
	if (in < 0 || inotify_add_watch(in, path, IN_MODIFY | IN_CREATE) < 0) {
		fprintf(stderr, "supervisor: cannot follow %s: %s\n", path,
		    strerror(errno));
		return SUP_TEMPORARY;
	}
	for (size_t i = 0; i < n; i++) {
		reopen(&src[i], dir);
		if (src[i].fd >= 0)
			lseek(src[i].fd, 0, SEEK_END);
	}
	while (!ferror(stdout)) {
		ssize_t got = read(in, ev, sizeof(ev));

		if (got < 0 && errno != EINTR)
			break;
		for (size_t i = 0; i < n; i++) {
			if (src[i].fd >= 0)
				read_more(&src[i], o->json, tty);
			reopen(&src[i], dir);
		}
	}
	close(in);
	return SUP_OK;
}

int
opts_found_state_dir(const struct sup_opts *o, char *buf, size_t n)
{
	static struct cfg_load l;
	struct instance in;
	struct cfgpage page;
	struct cfg cfg;
	struct err e;
	uint64_t epoch;
	int rc = -1;

	if (instance_open(&in, o->instance, &e) == 0) {
		if (cfgpage_attach(&page, in.dirfd, false, &e) == 0) {
			rc = cfgpage_read(&page, &cfg, &epoch);
			cfgpage_detach(&page);
		}
		instance_close(&in);
		if (rc == 0) {
			snprintf(buf, n, "%s", cfg.system_state_dir.s);
			return 0;
		}
	}
	rc = opts_config(o, &l);
	if (rc != 0)
		return rc;
	return opts_state_dir(o, &l.cfg, buf, n) < 0 ? SUP_CONFIG : 0;
}

static bool
any_log(const char *dir, const struct source *src, size_t n)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < n; i++) {
		snprintf(
		    path, sizeof(path), "%s/logs/%s.log", dir, src[i].name);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

int
cmd_logs(const struct sup_opts *o)
{
	static struct source src[SOURCES];
	char dir[CFG_STR_SZ];
	uint32_t mask = 0;
	bool sup = o->word_n == 0;
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < o->word_n; i++) {
		uint32_t one = opts_stages(&o->word[i], 1, (1u << ST_N) - 1);

		sup |= strcmp(o->word[i], "supervisor") == 0 ||
		       strcmp(o->word[i], "all") == 0;
		mask |= one;
		if (one == 0 && strcmp(o->word[i], "supervisor") != 0) {
			fprintf(stderr, "supervisor: no stage \"%s\"\n",
			    o->word[i]);
			return SUP_USAGE;
		}
	}
	if (o->word_n == 0)
		mask = (1u << ST_N) - 1;
	rc = opts_found_state_dir(o, dir, sizeof(dir));
	if (rc != 0)
		return rc;
	if (sup)
		src[n++] = (struct source){.name = "supervisor", .fd = -1};
	for (int i = 0; i < ST_N; i++)
		if ((mask >> i & 1) != 0)
			src[n++] = (struct source){
			    .name = topo_stages[i].name, .fd = -1};
	if (!o->follow && !any_log(dir, src, n)) {
		fprintf(stderr,
		    "supervisor: no such log of instance %s in %s/logs\n",
		    o->instance, dir);
		return SUP_NOT_RUNNING;
	}
	show_tails(o, dir, src, n);
	fflush(stdout);
	return o->follow ? follow(o, dir, src, n) : SUP_OK;
}
