#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backtest/replay.h"
#include "backtest/run.h"
#include "backtest/sweep.h"
#include "libcore/check.h"
#include "recorderd/truth.h"

#define DAY_NS (INT64_C(86400) * NS_PER_S)

static const char usage_report[] =
    "usage: backtest report [--json] CAPTURE DAY\n"
    "\n"
    "The truth report of a day (2026-04-29, UTC) once more, from the recorded\n"
    "data alone: is the file that recorderd wrote (CAPTURE/reports/DAY.json)\n"
    "the same, and does the profit that the fills give agree with riskd's,\n"
    "whose day is replayed step by step? Exit code 1: not the same, or a\n"
    "difference that no cause explains.\n";

/* riskd's day against that of the fills, in parts. */
struct against {
	bool has; /* the run could be replayed from its start             */
	int64_t live;
	int64_t truth;
	int64_t realised;
	int64_t fees;
	int64_t marks;
	int64_t corrected; /* by reconciliation with the venue           */
	uint64_t fills;
};

static int
recompute(struct truth *t, const char *dir, int64_t day_ns)
{
	static struct cfg cfg;
	struct reader_args a = {.dir = dir, .with_trace = true};
	struct reader_event ev;
	struct reader *r;
	struct err e;
	int rc;

	cfg_defaults(&cfg);
	truth_init(t, day_ns, &cfg);
	a.to_ns = t->end_ns;
	if (reader_open(&r, &a, &e) < 0) {
		fprintf(stderr, "backtest: %s: %s\n", dir, e.text);
		return EXIT_DATA;
	}
	while ((rc = reader_next(r, &ev)) == 1)
		truth_step(t, &ev);
	if (rc < 0)
		fprintf(stderr, "backtest: %s\n", reader_why(r));
	reader_close(r);
	truth_end(t);
	if (rc == 0 && t->slots == 0) {
		fprintf(stderr, "backtest: nothing was recorded on that day\n");
		rc = -1;
	}
	return rc < 0 ? EXIT_DATA : 0;
}

static int
compare_live(struct against *a, const struct truth *t, const char *dir)
{
	struct truth_sum sum;
	struct replaying x;
	int rc = replay_run(&x, dir, 0, t->end_ns, false);

	truth_sum(t, &sum);
	a->truth = sum.pnl.e6;
	a->fills = sum.fills;
	a->has = rc == 0 && x.equal && replay_whole(x.r);
	if (a->has) {
		const struct risk *k = x.r->risk;

		a->live = risk_pnl(k).e6;
		a->realised =
		    e16_to_usd(k->loss.realised_e16).e6 - sum.realised.e6;
		a->fees = sum.fees.e6 - sum.rebates.e6 - k->loss.fees.e6;
		a->marks = k->unrealised.e6 - sum.unrealised.e6;
		a->corrected = k->loss.corrected.e6;
	}
	replay_close(&x);
	return rc;
}

/* Is each part of the difference zero, or what its name says? */
static bool
explained(const struct against *a)
{
	int64_t rest = a->realised - a->corrected;

	/* Each fill is rounded down to a millionth once more. */
	return llabs(rest) <= (int64_t)a->fills + 1 && a->fees == 0;
}

static int
say(const struct against *a, int same, const char *text, bool json)
{
	bool ok = same != 0 && (!a->has || explained(a));

	if (json) {
		printf("{\"same\":%s,\"replayed\":%s",
		    same > 0   ? "true"
		    : same < 0 ? "null"
			       : "false",
		    a->has ? "true" : "false");
		if (a->has)
			printf(",\"live_pnl_e6\":%" PRId64
			       ",\"truth_pnl_e6\":%" PRId64
			       ",\"difference_e6\":%" PRId64
			       ",\"of_realised_e6\":%" PRId64
			       ",\"of_fees_e6\":%" PRId64
			       ",\"of_marks_e6\":%" PRId64
			       ",\"of_corrections_e6\":%" PRId64
			       ",\"explained\":%s",
			    a->live, a->truth, a->live - a->truth, a->realised,
			    a->fees, a->marks, a->corrected,
			    explained(a) ? "true" : "false");
		printf(",\"report\":%s}\n", text);
		return ok ? 0 : EXIT_BAD_RESULT;
	}
	fputs(text, stdout);
	printf("report file       %s\n", same > 0   ? "the same"
					 : same < 0 ? "none there"
						    : "DIFFERS");
	if (!a->has)
		puts("riskd             not replayed: the start of the run is "
		     "not in this recording, or it is not equal");
	else
		printf("riskd, replayed   %.6f\nfills and marks   %.6f\n"
		       "difference        %.6f: realised %.6f (of it "
		       "corrections %.6f), fees %.6f, marks %.6f; %s\n",
		    (double)a->live / 1e6, (double)a->truth / 1e6,
		    (double)(a->live - a->truth) / 1e6,
		    (double)a->realised / 1e6, (double)a->corrected / 1e6,
		    (double)a->fees / 1e6, (double)a->marks / 1e6,
		    explained(a) ? "explained" : "NOT EXPLAINED");
	return ok ? 0 : EXIT_BAD_RESULT;
}

int
cmd_report(int argc, char **argv)
{
	static struct opts o;
	struct against a = {0};
	char path[4096];
	struct truth *t;
	char *text;
	char *file;
	int64_t day_ns;
	size_t file_n;
	size_t n;
	int rc = opts_read(&o, argc, argv, usage_report);

	if (rc != -1)
		return rc;
	if (o.path_n != 2 || strlen(o.path[1]) != 10 ||
	    !opts_time(o.path[1], &day_ns) || day_ns % DAY_NS != 0) {
		fputs("backtest report: a capture and a day like 2026-04-29\n",
		    stderr);
		return EXIT_USAGE;
	}
	t = malloc(sizeof(*t));
	text = malloc(TRUTH_JSON_SZ);
	CHECK(t != NULL);
	CHECK(text != NULL);
	rc = recompute(t, o.path[0], day_ns);
	if (rc == 0)
		rc = compare_live(&a, t, o.path[0]);
	if (rc == 0) {
		n = truth_json(t, text, TRUTH_JSON_SZ);
		snprintf(path, sizeof(path), "%s/reports/%s.json", o.path[0],
		    o.path[1]);
		file = file_read(path, &file_n);
		rc = say(&a,
		    file == NULL ? -1
				 : file_n == n && memcmp(file, text, n) == 0,
		    text, o.json);
		free(file);
	}
	free(text);
	free(t);
	return rc;
}
