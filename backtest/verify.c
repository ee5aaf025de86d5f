#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backtest/run.h"
#include "backtest/sweep.h"

#define TARGETS_MAX 64u

struct target {
	int figure;
	char op[3];
	double limit;
};

/* What SPEC asks of a strategy. */
static const char default_targets[] = "maker_ratio_frac > 0.90\n"
				      "sharpe > 2.5\n"
				      "max_drawdown_frac < 0.03\n"
				      "trades_per_day >= 1\n"
				      "spread_capture_bps > 0\n";

static const char usage_verify[] =
    "usage: backtest verify [--targets FILE] [--json] RESULT\n"
    "\n"
    "Is every figure of a result (result.json, or the directory it is in) "
    "where\n"
    "it should be? A target is one line: FIGURE OP NUMBER, OP one of < <= >= "
    ">;\n"
    "# begins a comment. A figure that is not defined misses its target.\n"
    "Without --targets:\n"
    "\n";

/* One line to a target; false: it is none. */
static bool
parse(const char *line, struct target *t)
{
	char name[64];
	char num[64];
	char *end;

	if (sscanf(line, "%63s %2s %63s", name, t->op, num) != 3)
		return false;
	t->figure = figure_find(name, strlen(name));
	t->limit = strtod(num, &end);
	return t->figure >= 0 && *end == '\0' &&
	       (strcmp(t->op, "<") == 0 || strcmp(t->op, "<=") == 0 ||
		   strcmp(t->op, ">") == 0 || strcmp(t->op, ">=") == 0);
}

static bool
met(const struct target *t, double v)
{
	if (!isfinite(v))
		return false;
	if (t->op[0] == '<')
		return v < t->limit || (t->op[1] == '=' && v <= t->limit);
	return v > t->limit || (t->op[1] == '=' && v >= t->limit);
}

static int
read_targets(const char *text, struct target *out, unsigned *n)
{
	unsigned line_no = 0;

	for (*n = 0; *text != '\0';) {
		size_t len = strcspn(text, "\n");
		char line[256] = "";

		line_no++;
		if (len < sizeof(line))
			memcpy(line, text, len);
		line[strcspn(line, "#")] = '\0';
		if (len >= sizeof(line) ||
		    (strspn(line, " \t\r") != strlen(line) &&
			(*n == TARGETS_MAX || !parse(line, &out[(*n)++])))) {
			fprintf(stderr,
			    "backtest: targets, line %u: not FIGURE OP "
			    "NUMBER\n",
			    line_no);
			return EXIT_USAGE;
		}
		text += len + (text[len] == '\n');
	}
	return 0;
}

static int
judge(const struct target *t, unsigned n, const struct figures *f, bool json)
{
	unsigned missed = 0;

	if (json)
		fputs("{\"targets\":[", stdout);
	for (unsigned i = 0; i < n; i++) {
		double v = f->v[t[i].figure];
		bool ok = met(&t[i], v);

		missed += !ok;
		if (!json) {
			printf("%-6s %-28s %12.6g  %s %g\n",
			    ok ? "ok" : "MISSED",
			    figure_name((unsigned)t[i].figure), v, t[i].op,
			    t[i].limit);
			continue;
		}
		printf("%s{\"figure\":\"%s\",\"value\":", i > 0 ? "," : "",
		    figure_name((unsigned)t[i].figure));
		out_number(stdout, v);
		fputs(",\"op\":", stdout);
		out_string(stdout, t[i].op);
		printf(",\"limit\":%g,\"ok\":%s}", t[i].limit,
		    ok ? "true" : "false");
	}
	if (json)
		printf("],\"missed\":%u}\n", missed);
	return missed > 0 ? EXIT_BAD_RESULT : 0;
}

static bool
read_result(const char *path, struct figures *fig)
{
	char file[4096];
	char *text;
	size_t n;
	bool ok;

	snprintf(file, sizeof(file), "%s/result.json", path);
	text = file_read(file, &n);
	if (text == NULL)
		text = file_read(path, &n);
	ok = text != NULL && figures_read(text, n, fig);
	free(text);
	return ok;
}

int
cmd_verify(int argc, char **argv)
{
	static struct opts o;
	static struct target t[TARGETS_MAX];
	char usage[2048];
	struct figures fig;
	char *text = NULL;
	unsigned n;
	size_t len;
	int rc;

	snprintf(usage, sizeof(usage), "%s%s", usage_verify, default_targets);
	rc = opts_read(&o, argc, argv, usage);
	if (rc != -1)
		return rc;
	if (o.path_n != 1 || !read_result(o.path[0], &fig)) {
		fprintf(stderr, "backtest verify: %s: no result\n",
		    o.path_n == 1 ? o.path[0] : "one result is needed");
		return o.path_n == 1 ? EXIT_DATA : EXIT_USAGE;
	}
	if (o.targets != NULL)
		text = file_read(o.targets, &len);
	if (o.targets != NULL && text == NULL) {
		fprintf(stderr, "backtest: %s: cannot be read\n", o.targets);
		return EXIT_DATA;
	}
	rc = read_targets(text != NULL ? text : default_targets, t, &n);
	free(text);
	return rc != 0 ? rc : judge(t, n, &fig, o.json);
}
