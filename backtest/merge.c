#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backtest/pages.h"
#include "backtest/run.h"
#include "backtest/sweep.h"
#include "libcore/check.h"
#include "libcore/json.h"

#define FILE_MAX_SZ (64 << 20)

char *
file_read(const char *path, size_t *n)
{
	FILE *f = fopen(path, "re");
	char *buf = NULL;
	size_t cap = 0;

	*n = 0;
	while (f != NULL && *n < FILE_MAX_SZ) {
		size_t got;

		if (*n + 1 >= cap) {
			char *p = realloc(buf, cap = cap == 0 ? 8192 : 2 * cap);

			CHECK(p != NULL);
			buf = p;
		}
		got = fread(buf + *n, 1, cap - *n - 1, f);
		if (got == 0)
			break;
		*n += got;
	}
	if (f != NULL)
		fclose(f);
	if (buf != NULL)
		buf[*n] = '\0';
	return buf;
}

static void
read_object(struct json *j, struct figures *out)
{
	struct json_str key;
	struct json_str v;

	if (!json_object(j))
		return;
	while (json_key(j, &key)) {
		int f = figure_find(key.s, key.n);
		char text[40];

		if (!json_raw(j, &v))
			return;
		if (f < 0 || v.n >= sizeof(text))
			continue;
		memcpy(text, v.s, v.n);
		text[v.n] = '\0';
		out->v[f] = text[0] == 'n' ? (double)NAN : strtod(text, NULL);
	}
}

bool
figures_read(const char *text, size_t n, struct figures *out)
{
	struct json_str key;
	struct json j;
	bool found = false;

	for (unsigned f = 0; f < FIG_N; f++)
		out->v[f] = (double)NAN;
	json_init(&j, text, n);
	if (!json_object(&j))
		return false;
	while (json_key(&j, &key)) {
		if (json_is(key, "figures")) {
			read_object(&j, out);
			found = true;
		} else {
			json_skip(&j);
		}
	}
	return json_end(&j) && found;
}

/* ---- the table ---- */

struct table {
	struct sweep *s;
	struct figures *fig; /* by job                                    */
	int metric;
};

static int
load(struct table *t)
{
	struct sweep *s = t->s;
	uint32_t missing = 0;
	char path[4096];

	for (uint32_t i = 0; i < s->job_n; i++) {
		struct sweep_job j = sweep_job(s, i);
		char *text;
		size_t n;

		sweep_path(s, &j, path, sizeof(path));
		text = file_read(path, &n);
		if (text == NULL || !figures_read(text, n, &t->fig[i]))
			missing++;
		free(text);
	}
	if (missing > 0)
		snprintf(s->why, sizeof(s->why), "%u of %u runs are missing",
		    missing, s->job_n);
	return missing > 0 ? EXIT_DATA : 0;
}

static const struct figures *
at(const struct table *t, uint32_t trial, uint32_t fold, bool test)
{
	uint32_t folds = t->s->o->folds;

	return &t->fig[(trial * folds + fold) * 2 + test];
}

/* Mean over the folds where it is defined. */
static double
mean(const struct table *t, uint32_t trial, bool test, unsigned fig)
{
	double sum = 0;
	uint32_t n = 0;

	for (uint32_t f = 0; f < t->s->o->folds; f++) {
		double v = at(t, trial, f, test)->v[fig];

		if (isfinite(v)) {
			sum += v;
			n++;
		}
	}
	return n > 0 ? sum / n : (double)NAN;
}

/* The trial that was best in training, and its place in the test. */
struct choice {
	uint32_t trial;
	double train;
	double test;
	uint32_t rank;	 /* 1: also the best in the test                  */
	uint32_t rank_n; /* of trials with a figure there                 */
};

static bool
lower_is_better(int fig)
{
	return fig == FIG_max_drawdown_frac || fig == FIG_max_drawdown_usd ||
	       fig == FIG_fees_usd || fig == FIG_exposure_usd;
}

static struct choice
choose(const struct table *t, uint32_t fold)
{
	struct choice c = {0};
	double sign = lower_is_better(t->metric) ? -1 : 1;
	bool any = false;

	c.train = c.test = (double)NAN;
	for (uint32_t i = 0; i < t->s->grid.trial_n; i++) {
		double v = at(t, i, fold, false)->v[t->metric];

		if (!isfinite(v) || (any && sign * v <= sign * c.train))
			continue;
		any = true;
		c.trial = i;
		c.train = v;
	}
	if (!any)
		return c;
	c.test = at(t, c.trial, fold, true)->v[t->metric];
	c.rank = 1;
	for (uint32_t i = 0; i < t->s->grid.trial_n; i++) {
		double v = at(t, i, fold, true)->v[t->metric];

		c.rank_n += isfinite(v);
		c.rank += isfinite(v) && sign * v > sign * c.test;
	}
	return c;
}

static void
put_params(FILE *f, const struct grid *g, uint32_t trial)
{
	for (uint32_t p = 0; p < g->param_n; p++) {
		char value[GRID_TEXT];

		grid_value(g, trial, p, value);
		if (p > 0)
			fputc(',', f);
		out_string(f, value);
	}
}

static void
put_part(FILE *f, const struct table *t, uint32_t trial, bool test)
{
	for (unsigned i = 0; i < FIG_N; i++) {
		fprintf(f, "%s\"%s\":", i > 0 ? "," : "", figure_name(i));
		out_number(f, mean(t, trial, test, i));
	}
}

static void
put_json(FILE *f, const struct table *t)
{
	const struct sweep *s = t->s;

	fprintf(f,
	    "{\"id\":\"%016" PRIx64 "\",\"metric\":\"%s\",\"folds\":%u"
	    ",\"from_ns\":%" PRId64 ",\"to_ns\":%" PRId64
	    ",\"random\":%s,\"params\":[",
	    s->id, s->o->metric, s->o->folds, s->from_ns, s->to_ns,
	    s->grid.random ? "true" : "false");
	for (uint32_t p = 0; p < s->grid.param_n; p++) {
		if (p > 0)
			fputc(',', f);
		out_string(f, s->grid.param[p].key);
	}
	fputs("],\"chosen\":[", f);
	for (uint32_t k = 0; k < s->o->folds; k++) {
		struct choice c = choose(t, k);

		fprintf(f,
		    "%s{\"fold\":%u,\"trial\":%u,\"train\":", k > 0 ? "," : "",
		    k, c.trial);
		out_number(f, c.train);
		fputs(",\"test\":", f);
		out_number(f, c.test);
		fprintf(
		    f, ",\"test_rank\":%u,\"test_of\":%u}", c.rank, c.rank_n);
	}
	fputs("],\"trials\":[", f);
	for (uint32_t i = 0; i < s->grid.trial_n; i++) {
		fprintf(
		    f, "%s{\"trial\":%u,\"params\":[", i > 0 ? ",\n" : "", i);
		put_params(f, &s->grid, i);
		fputs("],\"train\":{", f);
		put_part(f, t, i, false);
		fputs("},\"test\":{", f);
		put_part(f, t, i, true);
		fputs("}}", f);
	}
	fputs("]}\n", f);
}

static void
put_csv(FILE *f, const struct table *t)
{
	const struct sweep *s = t->s;

	fputs("trial,fold,part", f);
	for (uint32_t p = 0; p < s->grid.param_n; p++)
		fprintf(f, ",%s", s->grid.param[p].key);
	for (unsigned i = 0; i < FIG_N; i++)
		fprintf(f, ",%s", figure_name(i));
	fputc('\n', f);
	for (uint32_t k = 0; k < s->job_n; k++) {
		struct sweep_job j = sweep_job(s, k);

		fprintf(
		    f, "%u,%u,%s", j.trial, j.fold, j.test ? "test" : "train");
		for (uint32_t p = 0; p < s->grid.param_n; p++) {
			char value[GRID_TEXT];

			grid_value(&s->grid, j.trial, p, value);
			fprintf(f, ",%s", value);
		}
		for (unsigned i = 0; i < FIG_N; i++) {
			fputc(',', f);
			if (isfinite(t->fig[k].v[i]))
				fprintf(f, "%.10g", t->fig[k].v[i]);
		}
		fputc('\n', f);
	}
}

static void
put_page(FILE *f, const struct table *t)
{
	const char *data = strstr(page_heat, PAGE_DATA);

	fwrite(page_heat, 1, (size_t)(data - page_heat), f);
	put_json(f, t);
	fputs(data + strlen(PAGE_DATA), f);
}

static int
put_file(const struct table *t, const char *name,
    void (*put)(FILE *f, const struct table *t))
{
	char path[4096];
	char part[4200];
	FILE *f;
	bool bad;

	snprintf(path, sizeof(path), "%s/%s", t->s->dir, name);
	snprintf(part, sizeof(part), "%s.part", path);
	f = fopen(part, "we");
	if (f == NULL) {
		snprintf(t->s->why, sizeof(t->s->why), "%.400s: %s", part,
		    strerror(errno));
		return EXIT_WRITE;
	}
	put(f, t);
	bad = ferror(f) != 0;
	bad = fclose(f) != 0 || bad;
	if (!bad && rename(part, path) == 0)
		return 0;
	snprintf(
	    t->s->why, sizeof(t->s->why), "%.400s: cannot be written", path);
	return EXIT_WRITE;
}

static void
say(const struct table *t)
{
	printf("%-6s %-14s %-14s %-14s  settings\n", "fold", "train", "test",
	    "rank in test");
	for (uint32_t k = 0; k < t->s->o->folds; k++) {
		struct choice c = choose(t, k);

		printf("%-6u %-14.6g %-14.6g %u of %-9u ", k, c.train, c.test,
		    c.rank, c.rank_n);
		for (uint32_t p = 0; p < t->s->grid.param_n; p++) {
			char text[GRID_SET];

			grid_set(&t->s->grid, c.trial, p, text);
			printf(" %s", text);
		}
		putchar('\n');
	}
}

int
sweep_merge(struct sweep *s)
{
	struct table t = {.s = s};
	int rc;

	t.metric = figure_find(s->o->metric, strlen(s->o->metric));
	CHECK(t.metric >= 0);
	t.fig = calloc(s->job_n, sizeof(t.fig[0]));
	CHECK(t.fig != NULL);
	rc = load(&t);
	if (rc == 0)
		rc = put_file(&t, "sweep.json", put_json);
	if (rc == 0)
		rc = put_file(&t, "sweep.csv", put_csv);
	if (rc == 0)
		rc = put_file(&t, "heat.html", put_page);
	if (rc == 0 && s->o->json)
		put_json(stdout, &t);
	else if (rc == 0 && !s->o->quiet)
		say(&t);
	free(t.fig);
	return rc;
}
