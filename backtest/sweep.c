#define _GNU_SOURCE
#include "backtest/sweep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backtest/run.h"
#include "libcore/check.h"
#include "libcore/hash.h"
#include "libsys/clock.h"

#define JOBS_MAX 1024u

struct sweep_job
sweep_job(const struct sweep *s, uint32_t i)
{
	uint32_t folds = s->o->folds;

	CHECK(i < s->job_n);
	return (struct sweep_job){i / (2 * folds), i / 2 % folds, i % 2 == 1};
}

void
sweep_path(
    const struct sweep *s, const struct sweep_job *j, char *buf, size_t n)
{
	snprintf(buf, n, "%s/trials/%016" PRIx64 "-%u-%u-%s.json", s->dir,
	    s->id, j->trial, j->fold, j->test ? "test" : "train");
}

/* ---- one run, in a process of its own ---- */

static int
save(const struct sweep *s, const struct sweep_job *j, const struct run *r)
{
	char path[4096];
	char part[4200];
	FILE *f;
	bool bad;

	sweep_path(s, j, path, sizeof(path));
	snprintf(part, sizeof(part), "%s.%ld", path, (long)getpid());
	f = fopen(part, "we");
	if (f == NULL)
		return EXIT_WRITE;
	fprintf(f,
	    "{\"trial\":%u,\"fold\":%u,\"part\":\"%s\",\"hash\":\"%016" PRIx64
	    "\",\"events\":%" PRIu64 ",\"params\":{",
	    j->trial, j->fold, j->test ? "test" : "train", r->hash, r->events);
	for (uint32_t p = 0; p < s->grid.param_n; p++) {
		char value[GRID_TEXT];

		grid_value(&s->grid, j->trial, p, value);
		fprintf(f, "%s\"%s\":", p > 0 ? "," : "", s->grid.param[p].key);
		out_string(f, value);
	}
	fputs("},\"figures\":{", f);
	for (unsigned i = 0; i < FIG_N; i++) {
		fprintf(f, "%s\"%s\":", i > 0 ? "," : "", figure_name(i));
		out_number(f, r->figures.v[i]);
	}
	fputs("}}\n", f);
	bad = ferror(f) != 0;
	bad = fclose(f) != 0 || bad;
	if (bad || rename(part, path) < 0) {
		unlink(part);
		return EXIT_WRITE;
	}
	return 0;
}

static int
trial_cfg(const struct sweep *s, uint32_t trial, struct cfg *cfg)
{
	char text[GRID_PARAMS][GRID_SET];
	const char *set[GRID_PARAMS];

	for (uint32_t p = 0; p < s->grid.param_n; p++) {
		grid_set(&s->grid, trial, p, text[p]);
		set[p] = text[p];
	}
	return opts_cfg(s->o, set, s->grid.param_n, cfg);
}

static int
child(const struct sweep *s, const struct sweep_job *j)
{
	static struct cfg cfg;
	static struct run r;
	struct run_args a = {.o = s->o, .cfg = &cfg};
	int rc = trial_cfg(s, j->trial, &cfg);

	if (rc != 0)
		return rc;
	grid_window(s->from_ns, s->to_ns, s->o->folds, j->fold, j->test,
	    &a.from_ns, &a.to_ns);
	rc = run_once(&r, &a);
	if (rc != 0)
		fprintf(stderr, "backtest: trial %u: %s\n", j->trial, r.why);
	else
		rc = save(s, j, &r);
	run_free(&r);
	return rc;
}

/* ---- all of them ---- */

static uint32_t
jobs_at_once(const struct sweep *s)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (s->o->jobs > 0)
		return s->o->jobs;
	return n < 1 ? 1 : n > (long)JOBS_MAX ? JOBS_MAX : (uint32_t)n;
}

static void
show(const struct sweep *s, uint32_t done, uint32_t todo, uint64_t from_ns)
{
	double took_s = (double)(clock_mono_ns() - from_ns) / 1e9;

	if (s->o->quiet || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%u of %u runs, %.0f s left\033[K", done, todo,
	    done > 0 ? took_s / done * (todo - done) : 0.0);
	if (done == todo)
		fputs("\r\033[K", stderr);
}

/* Waits for one; its exit code. */
static int
reap(void)
{
	int status = 0;

	if (wait(&status) < 0)
		return EXIT_DATA;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_DATA;
}

static int
run_jobs(struct sweep *s, const uint32_t *todo, uint32_t n)
{
	uint32_t at_once = jobs_at_once(s);
	uint32_t busy = 0;
	uint32_t done = 0;
	uint64_t from_ns = clock_mono_ns();
	int worst = 0;

	for (uint32_t next = 0; next < n || busy > 0;) {
		if (next < n && busy < at_once && worst == 0) {
			struct sweep_job j = sweep_job(s, todo[next]);
			pid_t pid;

			fflush(NULL);
			pid = fork();
			if (pid == 0)
				_exit(child(s, &j));
			if (pid > 0) {
				busy++;
				next++;
				continue;
			}
			if (busy == 0)
				return EXIT_DATA;
		}
		if (busy == 0)
			break;
		worst = worst != 0 ? (reap(), worst) : reap();
		busy--;
		show(s, ++done, n, from_ns);
	}
	return worst;
}

/* The times of the captures, where the options do not say them. */
static int
find_span(struct sweep *s, const struct cfg *cfg)
{
	const struct source_args sa = {.cfg = cfg,
	    .path = s->o->path,
	    .path_n = s->o->path_n,
	    .from_ns = s->o->from_ns,
	    .to_ns = s->o->to_ns};
	struct source_event ev;
	struct source *src;
	int rc;

	s->from_ns = s->o->from_ns;
	s->to_ns = s->o->to_ns;
	if (s->from_ns != 0 && s->to_ns != 0)
		return 0;
	src = source_open(&sa, s->why);
	if (src == NULL)
		return EXIT_DATA;
	while ((rc = source_next(src, &ev)) == 1) {
		if (s->from_ns == 0)
			s->from_ns = (int64_t)ev.t_ns;
		if (s->o->to_ns == 0)
			s->to_ns = (int64_t)ev.t_ns + 1;
	}
	if (rc < 0)
		memcpy(s->why, src->why, sizeof(s->why));
	source_close(src);
	if (rc == 0 && s->to_ns > s->from_ns)
		return 0;
	if (rc == 0)
		snprintf(s->why, sizeof(s->why), "no market data there");
	return EXIT_DATA;
}

static uint64_t
identity(const struct sweep *s, const struct cfg *cfg)
{
	const struct opts *o = s->o;
	const char *text[] = {o->feed, o->order, o->response};
	uint64_t h = hash_bytes(HASH_SEED, cfg, sizeof(*cfg));

	h = hash_bytes(h, &s->grid, sizeof(s->grid));
	h = hash_u64(hash_u64(h, (uint64_t)s->from_ns), (uint64_t)s->to_ns);
	h = hash_u64(hash_u64(h, o->seed), o->bar_ns);
	h = hash_u64(hash_u64(h, o->folds), o->rebate_ppm);
	for (unsigned i = 0; i < 3; i++)
		if (text[i] != NULL)
			h = hash_bytes(
			    hash_u64(h, i), text[i], strlen(text[i]));
	for (unsigned i = 0; i < o->path_n; i++)
		h = hash_bytes(h, o->path[i], strlen(o->path[i]));
	return h;
}

static int
prepare(struct sweep *s)
{
	static struct cfg cfg;
	char path[4096];
	int rc;

	for (unsigned i = 0; i < s->o->param_n; i++)
		if (!grid_add(&s->grid, s->o->param[i], s->why, sizeof(s->why)))
			return EXIT_USAGE;
	if (!grid_done(
		&s->grid, s->o->random_n, s->o->seed, s->why, sizeof(s->why)))
		return EXIT_USAGE;
	if (figure_find(s->o->metric, strlen(s->o->metric)) < 0) {
		snprintf(
		    s->why, sizeof(s->why), "%s: no such figure", s->o->metric);
		return EXIT_USAGE;
	}
	/* A value that is not allowed is found before hours have passed. */
	for (uint32_t t = 0; t < s->grid.trial_n; t++) {
		rc = trial_cfg(s, t, &cfg);
		if (rc != 0)
			return rc;
		if (t == 63 && s->grid.random)
			break;
	}
	rc = opts_cfg(s->o, NULL, 0, &cfg);
	if (rc == 0)
		rc = find_span(s, &cfg);
	if (rc != 0)
		return rc;
	s->id = identity(s, &cfg);
	s->job_n = s->grid.trial_n * s->o->folds * 2;
	snprintf(path, sizeof(path), "%s/trials", s->dir);
	if ((mkdir(s->dir, 0777) < 0 && errno != EEXIST) ||
	    (mkdir(path, 0777) < 0 && errno != EEXIST)) {
		snprintf(s->why, sizeof(s->why), "%.400s: %s", path,
		    strerror(errno));
		return EXIT_WRITE;
	}
	return 0;
}

static int
sweep_all(struct sweep *s)
{
	uint32_t *todo = malloc((s->job_n + 1) * sizeof(todo[0]));
	uint32_t n = 0;
	char path[4096];
	int rc;

	CHECK(todo != NULL);
	for (uint32_t i = 0; i < s->job_n; i++) {
		struct sweep_job j = sweep_job(s, i);

		sweep_path(s, &j, path, sizeof(path));
		if (i % s->o->shards == s->o->shard - 1 &&
		    access(path, R_OK) != 0)
			todo[n++] = i;
	}
	rc = run_jobs(s, todo, n);
	free(todo);
	if (rc == 0 && !s->o->quiet)
		fprintf(stderr, "backtest: %u runs made, %u were there\n", n,
		    (s->job_n + s->o->shards - s->o->shard) / s->o->shards - n);
	return rc;
}

static const char usage_sweep[] =
    "usage: backtest sweep --param KEY=VALUES... [OPTION]... CAPTURE...\n"
    "\n"
    "Run many settings over the same captures, each trained on one piece of\n"
    "the time and tested on the next, and compare them.\n"
    "\n"
    "  -p, --param KEY=VALUES  1,2,3 or LO..HI/N; with --random also LO..HI;\n"
    "                          again for another key (at most 8)\n"
    "      --random N          N draws instead of every combination\n"
    "      --walk-forward N    N pairs of training and test pieces (1)\n"
    "      --metric NAME       what is compared (sharpe); any figure\n"
    "  -J, --jobs N            processes at once (all cores)\n"
    "      --shard I/N         only every N-th run, beginning with the I-th;\n"
    "                          shards share one --out and can run anywhere\n"
    "  -o, --out DIR           trials, sweep.json, sweep.csv, heat.html\n"
    "                          (sweep.out); what is there is not run again\n"
    "and of `backtest run`: --config --set --seed --bar --from --to --quiet\n"
    "--rebate-share --feed-latency --order-latency --response-latency\n";

int
cmd_sweep(int argc, char **argv)
{
	static struct opts o;
	static struct sweep s;
	int rc = opts_read(&o, argc, argv, usage_sweep);

	if (rc != -1)
		return rc;
	if (o.path_n == 0) {
		fputs("backtest sweep: no capture named; see --help\n", stderr);
		return EXIT_USAGE;
	}
	s.o = &o;
	s.dir = o.out != NULL ? o.out : "sweep.out";
	rc = prepare(&s);
	if (rc == 0)
		rc = sweep_all(&s);
	if (rc == 0)
		rc = sweep_merge(&s);
	/* The other shards are not there yet: no fault of this one. */
	if (rc == EXIT_DATA && o.shards > 1) {
		fprintf(stderr, "backtest: shard %u of %u done; %s\n", o.shard,
		    o.shards, s.why);
		return 0;
	}
	if (rc != 0 && s.why[0] != '\0')
		fprintf(stderr, "backtest sweep: %s\n", s.why);
	return rc;
}
