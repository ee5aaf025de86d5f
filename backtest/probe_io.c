#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "backtest/probe.h"
#include "backtest/run.h"

#define LINE_MAX_SZ 65536

static const char usage_queue[] =
    "usage: backtest queue [--json] FILE\n"
    "\n"
    "What the queue models of paper orders would have filled, against what\n"
    "recorded books show. FILE: one JSON object a line (plain or gzip), as\n"
    "docs/backtest.md says.\n";

static void
put_score(
    const char *name, const char *how, const struct probe_score *s, bool json)
{
	if (json)
		printf("{\"model\":\"%s\",\"left\":\"%s\",\"n\":%u,\"fills\":%u"
		       ",\"recorded\":%u,\"both\":%u,\"only_model\":%u,"
		       "\"only_recorded\":%u,\"one_sided_won\":%u,"
		       "\"one_sided_lost\":%u,\"two_sided\":%u,\"pnl\":%.4f}",
		    name, how, s->n, s->fills, s->seen, s->both, s->only_us,
		    s->only_them, s->one_win, s->one_lose, s->two,
		    (double)s->pnl_e8 / 1e8);
	else
		printf("%-11s %-10s %4u %6u %6u %6u %6u  %4u : %-4u %4u %+9.2f"
		       "\n",
		    name, how, s->n, s->fills, s->both, s->only_us,
		    s->only_them, s->one_lose, s->one_win, s->two,
		    (double)s->pnl_e8 / 1e8);
}

static void
put_scores(const struct probe_table *t, bool json)
{
	static const char *const how[2] = {"cancelled", "traded"};

	if (!json)
		printf("%-11s %-10s %4s %6s %6s %6s %6s  %-11s %4s %9s\n",
		    "model", "what left", "bids", "fills", "both", "model",
		    "book", "lost : won", "two", "pnl");
	put_score("recorded", "-", &t->recorded, json);
	for (int m = QUEUE_FRONT; m < QUEUE_MODEL_N; m++)
		for (int k = 0; k < 2; k++) {
			if (json)
				putchar(',');
			put_score(probe_model_name((enum queue_model)m), how[k],
			    &t->score[m][k], json);
		}
}

static void
put_buckets(const struct probe_table *t, bool json)
{
	bool first = true;

	if (!json)
		printf("\n%-11s %-11s %5s %10s %10s\n", "model", "queue gone",
		    "bids", "predicted", "filled");
	for (int m = QUEUE_FRONT; m < QUEUE_MODEL_N; m++) {
		const char *name = probe_model_name((enum queue_model)m);
		uint32_t n = t->recorded.n;

		for (unsigned k = 0; k < PROBE_BUCKETS; k++) {
			const struct probe_bucket *b = &t->bucket[m][k];
			double p = b->n > 0 ? b->sum / b->n : 0;
			double seen = b->n > 0 ? (double)b->seen / b->n : 0;

			if (b->n == 0)
				continue;
			if (json)
				printf("%s{\"model\":\"%s\",\"bucket\":%u,"
				       "\"n\":%u,\"predicted\":%.4f,"
				       "\"filled\":%.4f}",
				    first ? "" : ",", name, k, b->n, p, seen);
			else
				printf("%-11s %3.0f-%3.0f %%  %5u %9.1f%% "
				       "%9.1f%%\n",
				    name, 100.0 * k / PROBE_BUCKETS,
				    100.0 * (k + 1) / PROBE_BUCKETS, b->n,
				    100 * p, 100 * seen);
			first = false;
		}
		if (!json)
			printf("%-11s Brier score %.4f\n", name,
			    n > 0 ? t->brier[m] / n : 0);
	}
}

int
cmd_queue(int argc, char **argv)
{
	static struct opts o;
	static struct probe_table t;
	char *line;
	gzFile f;
	int rc = opts_read(&o, argc, argv, usage_queue);

	if (rc != -1)
		return rc;
	if (o.path_n != 1) {
		fputs("backtest queue: one file is needed\n", stderr);
		return EXIT_USAGE;
	}
	f = gzopen(o.path[0], "rb");
	line = malloc(LINE_MAX_SZ);
	while (
	    f != NULL && line != NULL && gzgets(f, line, LINE_MAX_SZ) != NULL) {
		struct probe p;
		size_t n = strcspn(line, "\r\n");

		if (n > 0 && probe_parse(line, n, &p))
			probe_add(&t, &p);
		else if (n > 0)
			t.bad++;
	}
	if (f != NULL)
		gzclose(f);
	free(line);
	if (t.recorded.n == 0) {
		fprintf(stderr, "backtest: %s: no probes\n", o.path[0]);
		return EXIT_DATA;
	}
	if (o.json)
		fputs("{\"scores\":[", stdout);
	put_scores(&t, o.json);
	if (o.json)
		fputs("],\"reliability\":[", stdout);
	put_buckets(&t, o.json);
	if (o.json)
		printf("],\"bad_lines\":%u}\n", t.bad);
	return 0;
}
