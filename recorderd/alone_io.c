#define _GNU_SOURCE
#include "recorderd/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libshm/cfg.h"
#include "libshm/instance.h"
#include "libshm/metrics.h"
#include "libshm/topo.h"
#include "libsys/clock.h"
#include "libsys/log.h"
#include "libsys/stage.h"
#include "libsys/version.h"
#include "recorderd/feedwatch.h"
#include "recorderd/rec.h"

#define EXIT_USAGE	  64
#define STATUS_NO_RUNNING 69 /* of `supervisor status` */
#define START_NOT_READY	  75 /* of `supervisor start`: it goes on trying */
#define ARGS_MAX	  48
#define EXIT_LOST	  74 /* what was recorded is not whole */
#define LOOK_NS		  (200 * NS_PER_MS)

extern char **environ;

static const char usage_text[] =
    "usage: recorderd [OPTION]...\n"
    "\n"
    "Record market data: starts the feeds it needs, writes Parquet files, and\n"
    "shows progress. Ctrl-C closes the files. If the pipeline runs already,\n"
    "its recorder is shown instead.\n"
    "\n"
    "  -o, --out DIR        where to (recorder.dir, captures)\n"
    "  -d, --duration TIME  stop after this long: 90s, 15m, 2h\n"
    "  -k, --kinds LIST     only these tables: price_ticks,orderbook_ticks\n"
    "  -i, --instance NAME  which pipeline (main)\n"
    "  -c, --config FILE    configuration; again for one on top of it\n"
    "  -s, --set KEY=VALUE  one setting, over files and environment\n"
    "  -j, --json           one JSON object a second, and a last one\n"
    "  -V, --version   -h, --help\n"
    "\n"
    "What to do with what was captured: recorderd inspect --help.\n"
    "With --stage the program is a stage of a running instance; that is how\n"
    "the supervisor starts it.\n"
    "Exit codes: 0 done, 64 usage, 74 the recording is not whole (records\n"
    "lost, gaps in a feed, a feed that was never up), others are the\n"
    "supervisor's.\n";

struct alone {
	const char *instance;
	const char *out;
	const char *kinds;   /* NULL: all tables */
	int64_t duration_ns; /* 0: until Ctrl-C */
	bool json;
	bool watch;	      /* it was running before: leave it running */
	const char *pass[32]; /* --config and --set, for the supervisor */
	unsigned pass_n;
	char dir[PATH_MAX];
	char supervisor[PATH_MAX];
	char self[PATH_MAX]; /* this program */
	char cwd[PATH_MAX];
	time_t since;
	uint64_t start_ns;
};

static volatile sig_atomic_t stop_asked;

static void
on_stop(int sig)
{
	(void)sig;
	stop_asked = 1;
}

/* ---- arguments ---- */

static bool
parse_duration(const char *text, int64_t *out)
{
	char *end;
	double v = strtod(text, &end);
	int64_t unit = NS_PER_S;

	if (strcmp(end, "m") == 0)
		unit *= 60;
	else if (strcmp(end, "h") == 0)
		unit *= 3600;
	else if (strcmp(end, "s") != 0 && *end != '\0')
		return false;
	if (end == text || !(v > 0) || v > 1e6)
		return false;
	*out = (int64_t)(v * (double)unit);
	return true;
}

static int
usage(const char *what, const char *text)
{
	fprintf(
	    stderr, "recorderd: %s \"%s\"; see recorderd --help\n", what, text);
	return EXIT_USAGE;
}

/* "price_ticks,orders" */
static bool
kinds_ok(const char *list)
{
	char name[32];

	while (*list != '\0') {
		size_t n = strcspn(list, ",");

		if (n == 0 || n >= sizeof(name))
			return false;
		memcpy(name, list, n);
		name[n] = '\0';
		if (rec_table_find(name) < 0)
			return false;
		list += n + (list[n] == ',');
	}
	return true;
}

/* -1: go on; else the exit code. */
static int
option(struct alone *a, int c)
{
	switch (c) {
	case 'o': a->out = optarg; return -1;
	case 'd':
		return parse_duration(optarg, &a->duration_ns)
			   ? -1
			   : usage("--duration needs a time like 90s, 15m or "
				   "2h, not",
				 optarg);
	case 'i':
		a->instance = optarg;
		return instance_name_ok(optarg)
			   ? -1
			   : usage("not a name of 1 to 31 letters, digits, - "
				   "or _:",
				 optarg);
	case 'c':
	case 's':
		if (a->pass_n + 2 > sizeof(a->pass) / sizeof(a->pass[0]))
			return usage("too many options at", optarg);
		a->pass[a->pass_n++] = c == 'c' ? "--config" : "--set";
		a->pass[a->pass_n++] = optarg;
		return -1;
	case 'k':
		if (!kinds_ok(optarg))
			return usage(
			    "not tables, separated by commas:", optarg);
		a->kinds = optarg;
		return -1;
	case 'j': a->json = true; return -1;
	case 'h': fputs(usage_text, stdout); return 0;
	case 'V': printf("recorderd %s\n", RINGMAKER_VERSION); return 0;
	default: return EXIT_USAGE;
	}
}

static int
parse(struct alone *a, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"out", required_argument, NULL, 'o'},
	    {"duration", required_argument, NULL, 'd'},
	    {"instance", required_argument, NULL, 'i'},
	    {"config", required_argument, NULL, 'c'},
	    {"set", required_argument, NULL, 's'},
	    {"kinds", required_argument, NULL, 'k'},
	    {"json", no_argument, NULL, 'j'},
	    {"version", no_argument, NULL, 'V'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "o:d:i:c:s:k:jVh", longs, NULL)) !=
	       -1) {
		int rc = option(a, c);

		if (rc >= 0)
			return rc;
	}
	return optind < argc ? usage("unexpected argument", argv[optind]) : -1;
}

/* As a person anywhere would type it. */
static void
full_dir(struct alone *a, const char *dir)
{
	int n = dir[0] == '/'
		    ? snprintf(a->dir, sizeof(a->dir), "%s", dir)
		    : snprintf(a->dir, sizeof(a->dir), "%s/%s", a->cwd, dir);

	if (n >= (int)sizeof(a->dir))
		a->dir[0] = '\0';
}

/* The supervisor of the same build, and the directory as an absolute path:
 * the supervisor may run elsewhere. */
static int
find_paths(struct alone *a)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0 || getcwd(a->cwd, sizeof(a->cwd)) == NULL)
		return -errno;
	self[n] = '\0';
	memcpy(a->self, self, sizeof(a->self));
	char *slash = strrchr(self, '/');

	if (slash != NULL)
		*slash = '\0';
	int len = snprintf(
	    a->supervisor, sizeof(a->supervisor), "%s/supervisor", self);

	if (len >= (int)sizeof(a->supervisor))
		return -ENAMETOOLONG;
	if (a->out == NULL)
		return 0;
	full_dir(a, a->out);
	return a->dir[0] == '\0' ? -ENAMETOOLONG : 0;
}

/* ---- the supervisor ---- */

/* Run it to its end. quiet: without its output; else stdout goes to ours, or
 * to stderr where ours is JSON. Returns the exit code. */
static int
supervise(const struct alone *a, const char *const *args, bool quiet)
{
	const char *argv[ARGS_MAX] = {a->supervisor};
	posix_spawn_file_actions_t fa;
	int status = 0;
	pid_t pid;
	unsigned n = 1;

	for (; *args != NULL && n + 1 < ARGS_MAX; args++)
		argv[n++] = *args;
	posix_spawn_file_actions_init(&fa);
	if (quiet) {
		posix_spawn_file_actions_addopen(
		    &fa, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
		posix_spawn_file_actions_addopen(
		    &fa, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	} else if (a->json) {
		posix_spawn_file_actions_adddup2(
		    &fa, STDERR_FILENO, STDOUT_FILENO);
	}
	/* The list is ours and not written to; the prototype is older. */
	union {
		const char *const *in;
		char *const *out;
	} list = {.in = argv};
	int rc = posix_spawn(&pid, a->supervisor, &fa, NULL, list.out, environ);

	posix_spawn_file_actions_destroy(&fa);
	if (rc != 0) {
		fprintf(stderr, "recorderd: cannot run %s: %s\n", a->supervisor,
		    strerror(rc));
		return EXIT_TEMPORARY;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_TEMPORARY;
}

static int
start(struct alone *a)
{
	const char *status[] = {"status", "--instance", a->instance, NULL};
	const char *args[ARGS_MAX] = {"start", "all", "--instance", a->instance,
	    "--set", "system.mode=capture", "--set",
	    "supervisor.stop_timeout=2m"};
	char dir[PATH_MAX + 16];
	char kinds[512];
	unsigned n = 8;

	if (supervise(a, status, true) != STATUS_NO_RUNNING) {
		a->watch = true;
		return 0;
	}
	for (unsigned i = 0; i < a->pass_n; i++)
		args[n++] = a->pass[i];
	if (a->out != NULL) {
		snprintf(dir, sizeof(dir), "recorder.dir=%s", a->dir);
		args[n++] = "--set";
		args[n++] = dir;
	}
	if (a->kinds != NULL) {
		snprintf(kinds, sizeof(kinds), "recorder.kinds=%s", a->kinds);
		args[n++] = "--set";
		args[n++] = kinds;
	}
	return supervise(a, args, false);
}

/* ---- progress ---- */

struct view {
	struct instance in;
	struct metrics *page[ST_N];
	struct cfgpage cfg;
	int64_t records;
	int64_t bytes;
	uint64_t at_ns;
	int64_t lost_before;  /* by a recorder that ran already */
	bool wanted[VENUE_N]; /* the configuration asks for this feed */
	struct feedwatch feed[VENUE_N];
};

static int
open_view(struct view *v, struct alone *a)
{
	static struct cfg cfg;
	struct err e;
	uint64_t epoch;

	memset(v, 0, sizeof(*v));
	if (instance_open(&v->in, a->instance, &e) < 0) {
		fprintf(stderr, "recorderd: %s\n", e.text);
		return EXIT_TEMPORARY;
	}
	for (int i = 0; i < ST_N; i++)
		if (metrics_attach(&v->page[i], v->in.dirfd, (enum stage_id)i,
			false, &e) < 0)
			v->page[i] = NULL;
	if (cfgpage_attach(&v->cfg, v->in.dirfd, false, &e) == 0 &&
	    cfgpage_read(&v->cfg, &cfg, &epoch) == 0) {
		full_dir(a, cfg.recorder_dir.s);
		v->wanted[VENUE_POLYMARKET] = cfg.polymarket_enabled;
		v->wanted[VENUE_BINANCE] = cfg.binance_enabled;
		v->wanted[VENUE_HYPERLIQUID] = cfg.hyperliquid_enabled;
	}
	if (v->page[ST_RECORDERD] == NULL) {
		fprintf(stderr, "recorderd: instance %s has no recorder\n",
		    a->instance);
		return EXIT_TEMPORARY;
	}
	if (a->watch)
		v->lost_before =
		    metrics_value(v->page[ST_RECORDERD], M_RECORDERD_LOST);
	return 0;
}

static void
close_view(struct view *v)
{
	for (int i = 0; i < ST_N; i++)
		if (v->page[i] != NULL)
			metrics_detach(v->page[i]);
	if (v->cfg.map.base != NULL)
		cfgpage_detach(&v->cfg);
	instance_close(&v->in);
}

static int64_t
figure(const struct view *v, enum metric_id id)
{
	return metrics_value(v->page[ST_RECORDERD], id);
}

/* "1.2 MB" */
static const char *
human(char buf[32], int64_t bytes)
{
	static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
	double v = (double)bytes;
	unsigned u = 0;

	for (; v >= 1000 && u < 4; u++)
		v /= 1000;
	snprintf(buf, 32, u == 0 ? "%.0f %s" : "%.1f %s", v, unit[u]);
	return buf;
}

/* Why a connection of the feed ended last, of those that are not there. */
static uint16_t
end_reason(const struct metrics *m)
{
	for (uint32_t i = 0; i < METRICS_LINKS; i++) {
		int64_t state = metrics_link(m, i, LF_STATE);
		int64_t why = metrics_link(m, i, LF_END_REASON);

		if ((state == LINK_DOWN || state == LINK_CONNECTING) &&
		    why > 0 && why < REASON_N)
			return (uint16_t)why;
	}
	return 0;
}

static void
look_at_feeds(struct view *v, uint64_t now)
{
	for (int i = 0; i < ST_N; i++) {
		const struct metrics *m = v->page[i];
		uint8_t venue = topo_stages[i].venue;

		if (strcmp(topo_stages[i].program, "feedd") == 0 && m != NULL &&
		    v->wanted[venue])
			feedwatch_look(&v->feed[venue],
			    (uint8_t)metrics_value(m, M_FEEDD_LINK_STATE),
			    metrics_value(m, M_FEEDD_GAPS), end_reason(m), now);
	}
}

/* All feeds that were looked at: did they come, without a gap? */
static bool
feeds_whole(const struct view *v)
{
	for (int i = VENUE_POLYMARKET; i < VENUE_N; i++)
		if (v->feed[i].at_ns != 0 && !feedwatch_whole(&v->feed[i]))
			return false;
	return true;
}

/* "feed_gaps":{...},"feed_down_s":{...},"feed_never_up":[...] */
static void
json_feeds(const struct view *v)
{
	const char *sep = "";

	printf("\"feed_gaps\":{");
	for (int i = VENUE_POLYMARKET; i < VENUE_N; i++) {
		if (v->feed[i].at_ns == 0)
			continue;
		printf("%s\"%s\":%lld", sep, venue_name((enum venue)i),
		    (long long)v->feed[i].gaps);
		sep = ",";
	}
	sep = "";
	printf("},\"feed_down_s\":{");
	for (int i = VENUE_POLYMARKET; i < VENUE_N; i++) {
		if (v->feed[i].at_ns == 0)
			continue;
		printf("%s\"%s\":%.1f", sep, venue_name((enum venue)i),
		    (double)v->feed[i].down_ns / 1e9);
		sep = ",";
	}
	sep = "";
	printf("},\"feed_never_up\":[");
	for (int i = VENUE_POLYMARKET; i < VENUE_N; i++) {
		if (v->feed[i].at_ns == 0 || v->feed[i].was_up)
			continue;
		printf("%s\"%s\"", sep, venue_name((enum venue)i));
		sep = ",";
	}
	printf("]");
}

/* What is not whole, behind the states. */
static void
show_trouble(const struct view *v)
{
	char text[FEEDWATCH_SZ];

	for (int i = VENUE_POLYMARKET; i < VENUE_N; i++) {
		const struct feedwatch *w = &v->feed[i];

		if (w->at_ns != 0 &&
		    (!feedwatch_whole(w) || w->down_ns > (uint64_t)NS_PER_S))
			printf(
			    "  [%s]", feedwatch_text(w, (enum venue)i, text));
	}
}

static void
show_feeds(const struct view *v, bool json)
{
	const char *sep = "";

	for (int i = 0; i < ST_N; i++) {
		if (strcmp(topo_stages[i].program, "feedd") != 0 ||
		    v->page[i] == NULL || !v->wanted[topo_stages[i].venue])
			continue;
		const char *name = venue_name((enum venue)topo_stages[i].venue);
		const char *state = link_state_name(
		    (uint8_t)metrics_value(v->page[i], M_FEEDD_LINK_STATE));

		if (json)
			printf("%s\"%s\":\"%s\"", sep, name, state);
		else
			printf("%s%s %s", sep, name, state);
		sep = json ? "," : ", ";
	}
}

static void
show(struct view *v, const struct alone *a)
{
	uint64_t now = clock_mono_ns();
	int64_t records = figure(v, M_RECORDERD_RECORDS);
	int64_t bytes = figure(v, M_RECORDERD_BYTES);
	double s = v->at_ns != 0 ? (double)(now - v->at_ns) / 1e9 : 1;
	int64_t rate = (int64_t)((double)(records - v->records) / s);
	int64_t byte_rate = (int64_t)((double)(bytes - v->bytes) / s);
	unsigned up = (unsigned)((now - a->start_ns) / (uint64_t)NS_PER_S);
	char b1[32];
	char b2[32];

	if (v->at_ns == 0)
		rate = byte_rate = 0;
	v->records = records;
	v->bytes = bytes;
	v->at_ns = now;
	if (a->json) {
		printf("{\"up_s\":%u,\"records\":%lld,\"records_s\":%lld,"
		       "\"bytes\":%lld,\"bytes_s\":%lld,\"files\":%lld,"
		       "\"rows\":%lld,\"gaps\":%lld,\"lost\":%lld,"
		       "\"disk_errors\":%lld,\"feeds\":{",
		    up, (long long)records, (long long)rate, (long long)bytes,
		    (long long)byte_rate,
		    (long long)figure(v, M_RECORDERD_FILES),
		    (long long)figure(v, M_RECORDERD_ROWS),
		    (long long)figure(v, M_RECORDERD_GAPS),
		    (long long)figure(v, M_RECORDERD_LOST),
		    (long long)figure(v, M_RECORDERD_DISK_ERRORS));
		show_feeds(v, true);
		printf("},");
		json_feeds(v);
		printf("}\n");
	} else {
		printf("%s%02u:%02u:%02u  %lld records (%lld/s)  %s (%s/s)  "
		       "%lld files  %lld gaps  %lld %s  ",
		    isatty(STDOUT_FILENO) ? "\r\033[K" : "", up / 3600,
		    up / 60 % 60, up % 60, (long long)records, (long long)rate,
		    human(b1, bytes), human(b2, byte_rate),
		    (long long)figure(v, M_RECORDERD_FILES),
		    (long long)figure(v, M_RECORDERD_GAPS),
		    (long long)figure(v, M_RECORDERD_LOST),
		    figure(v, M_RECORDERD_LOST) > 0 ? "LOST" : "lost");
		show_feeds(v, false);
		show_trouble(v);
		if (figure(v, M_RECORDERD_DISK_ERRORS) > 0)
			printf("  DISK ERRORS: %lld",
			    (long long)figure(v, M_RECORDERD_DISK_ERRORS));
		if (!isatty(STDOUT_FILENO))
			printf("\n");
	}
	fflush(stdout);
}

static void
follow(struct view *v, const struct alone *a)
{
	uint64_t end =
	    a->duration_ns > 0 ? a->start_ns + (uint64_t)a->duration_ns : 0;
	uint64_t now = clock_mono_ns();
	uint64_t next = now;

	for (; !stop_asked && (end == 0 || now < end); now = clock_mono_ns()) {
		struct timespec nap = {.tv_nsec = LOOK_NS};

		look_at_feeds(v, now);
		if (now >= next) {
			next = now + (uint64_t)NS_PER_S;
			show(v, a);
		}
		if (end != 0 && end - now < (uint64_t)LOOK_NS)
			nap.tv_nsec = (long)(end - now);
		nanosleep(&nap, NULL);
	}
	look_at_feeds(v, now);
	show(v, a);
	if (!a->json && isatty(STDOUT_FILENO))
		printf("\n");
}

/* ---- the end ---- */

static struct {
	time_t since;
	uint64_t files;
	uint64_t bytes;
} found;

static int
count_file(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	const char *dot = strrchr(path, '.');

	(void)ftw;
	if (flag == FTW_F && dot != NULL && strcmp(dot, ".parquet") == 0 &&
	    st->st_mtime >= found.since) {
		found.files++;
		found.bytes += (uint64_t)st->st_size;
	}
	return 0;
}

/* Is there such a program in the PATH? */
static bool
has_program(const char *name)
{
	const char *at = getenv("PATH");
	char path[PATH_MAX];

	while (at != NULL && *at != '\0') {
		size_t n = strcspn(at, ":");

		snprintf(path, sizeof(path), "%.*s/%s", (int)n, at, name);
		if (access(path, X_OK) == 0)
			return true;
		at += n + (at[n] == ':');
	}
	return false;
}

/* What to type next, so that it works as it stands. */
static void
show_next(const struct alone *a)
{
	printf("next:\n"
	       "  find '%s' -name '*.parquet'\n"
	       "  '%s' --out '%s' --duration 15m\n",
	    a->dir, a->self, a->dir);
	printf("%s\n"
	       "  duckdb -c \"SELECT symbol, event, count(*) FROM "
	       "'%s/kind=price_ticks/**/*.parquet' GROUP BY ALL\"\n",
	    has_program("duckdb")
		? "with DuckDB:"
		: "for example with DuckDB (not installed here):",
	    a->dir);
}

static void
summary(const struct view *v, const struct alone *a)
{
	char b[32];
	char text[FEEDWATCH_SZ];
	char dir[PATH_MAX * 2];
	long long lost = (long long)(figure(v, M_RECORDERD_LOST));

	log_escape(dir, sizeof(dir), a->dir, strlen(a->dir));
	found.since = a->since;
	nftw(a->dir, count_file, 16, FTW_PHYS);
	if (a->json) {
		printf("{\"done\":true,\"dir\":\"%s\",\"parquet_files\":%llu,"
		       "\"parquet_bytes\":%llu,\"lost\":%lld,"
		       "\"disk_errors\":%lld,\"whole\":%s,",
		    dir, (unsigned long long)found.files,
		    (unsigned long long)found.bytes, lost,
		    (long long)figure(v, M_RECORDERD_DISK_ERRORS),
		    lost == 0 && feeds_whole(v) ? "true" : "false");
		json_feeds(v);
		printf("}\n");
		return;
	}
	printf("files: %llu Parquet files, %s, in %s\n",
	    (unsigned long long)found.files, human(b, (int64_t)found.bytes),
	    a->dir);
	printf("lost: %lld records, %lld gaps, %lld disk errors\n", lost,
	    (long long)figure(v, M_RECORDERD_GAPS),
	    (long long)figure(v, M_RECORDERD_DISK_ERRORS));
	for (int i = VENUE_POLYMARKET; i < VENUE_N; i++)
		if (v->feed[i].at_ns != 0)
			printf("feed:  %s\n",
			    feedwatch_text(&v->feed[i], (enum venue)i, text));
	if (found.files > 0)
		show_next(a);
}

/* The pages stay mapped past the end of the instance: what was lost last is
 * known only then. */
static int
finish(const struct view *v, const struct alone *a)
{
	const char *stop[] = {"stop", "all", "--instance", a->instance, NULL};
	int rc = 0;

	if (a->watch) {
		if (!a->json)
			printf("instance %s goes on recording; stop it with "
			       "'%s' stop all --instance %s\n",
			    a->instance, a->supervisor, a->instance);
	} else {
		if (!a->json)
			printf("closing files...\n");
		fflush(stdout);
		rc = supervise(a, stop, false);
	}
	if (v->page[ST_RECORDERD] == NULL)
		return rc;
	if (!a->watch)
		summary(v, a);
	if (figure(v, M_RECORDERD_LOST) > v->lost_before || !feeds_whole(v))
		rc = EXIT_LOST;
	return rc;
}

int
recorder_alone(int argc, char **argv)
{
	struct alone a = {.instance = "main", .since = time(NULL)};
	struct sigaction sa = {.sa_handler = on_stop};
	struct view v;
	int rc = parse(&a, argc, argv);

	if (rc >= 0)
		return rc;
	rc = find_paths(&a);
	if (rc != 0)
		return usage("cannot use directory", strerror(-rc));
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	rc = start(&a);
	/* Feeds that cannot connect yet are shown, and go on trying. */
	if (rc != 0 && rc != START_NOT_READY && !stop_asked)
		return rc;
	a.start_ns = clock_mono_ns();
	rc = open_view(&v, &a);
	if (rc == 0) {
		if (!a.json)
			printf("%s instance %s into %s; Ctrl-C to stop\n",
			    a.watch ? "watching" : "recording", a.instance,
			    a.dir);
		follow(&v, &a);
	}
	int rc2 = finish(&v, &a);

	if (v.page[ST_RECORDERD] != NULL)
		close_view(&v);

	return rc != 0 ? rc : rc2;
}
