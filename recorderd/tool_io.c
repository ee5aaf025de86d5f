#define _GNU_SOURCE
#include "recorderd/tool.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorderd/rec_io.h"

static const char usage_text[] =
    "usage: recorderd inspect [DIR] [--json]\n"
    "       recorderd verify [DIR] [--json]\n"
    "       recorderd convert [DIR] [--json]\n"
    "       recorderd import FORMAT FILE... --out DIR [--symbol NAME]\n"
    "       recorderd report DAY [--out DIR] [--json] [--force]\n"
    "\n"
    "What can be done with a capture (DIR; captures):\n"
    "  inspect   what is in it: sources, tables, coverage, gaps\n"
    "  verify    every checksum, every value, every sequence\n"
    "  convert   journal segments into Parquet files\n"
    "  import    polymarket-jsonl, binance-csv, binance-raw, tardis-csv,\n"
    "            hftbacktest-npz; plain, .gz or .zip, into a capture\n"
    "  report    the day's truth report, YYYY-MM-DD, from the capture alone\n"
    "\n"
    "  -o, --out DIR      the capture\n"
    "  -S, --symbol NAME  of files that do not say it (BTCUSDT)\n"
    "  -z, --zstd N       compression, 1 to 19 (3)\n"
    "  -r, --row-group N  rows of a row group (131072)\n"
    "  -f, --force        replace a report that is there\n"
    "  -j, --json         one JSON object on standard output\n"
    "Exit codes: 0 done and whole, 64 usage, 66 nothing there, 73 cannot be\n"
    "written, 74 damaged or not whole.\n";

static const struct {
	const char *name;
	int (*run)(const struct tool_args *a);
	unsigned words_min;
	bool dir_word; /* the first word is the capture                   */
} verbs[] = {
    {"inspect", tool_inspect, 0, true},
    {"verify", tool_verify, 0, true},
    {"convert", tool_convert, 0, true},
    {"import", tool_import, 2, false},
    {"report", tool_report, 1, false},
};

static bool
number(const char *text, long lo, long hi, long *out)
{
	char *end;

	*out = strtol(text, &end, 10);
	return end != text && *end == '\0' && *out >= lo && *out <= hi;
}

/* -1: go on; else the exit code. */
static int
option(struct tool_args *a, int c)
{
	long n = 0;

	switch (c) {
	case 'o': a->dir = optarg; return -1;
	case 'S': a->symbol = optarg; return -1;
	case 'f': a->force = true; return -1;
	case 'j': a->json = true; return -1;
	case 'z':
		if (!number(optarg, 1, 19, &n))
			break;
		a->zstd_level = (int)n;
		return -1;
	case 'r':
		if (!number(optarg, 1024, PQ_ROWS_MAX, &n))
			break;
		a->rows_max = (uint32_t)n;
		return -1;
	case 'h': fputs(usage_text, stdout); return 0;
	default: return TOOL_USAGE;
	}
	fprintf(
	    stderr, "recorderd: not a number that is allowed: %s\n", optarg);
	return TOOL_USAGE;
}

static int
parse(struct tool_args *a, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"out", required_argument, NULL, 'o'},
	    {"symbol", required_argument, NULL, 'S'},
	    {"zstd", required_argument, NULL, 'z'},
	    {"row-group", required_argument, NULL, 'r'},
	    {"force", no_argument, NULL, 'f'},
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int c;

	while (
	    (c = getopt_long(argc, argv, "o:S:z:r:fjh", longs, NULL)) != -1) {
		int rc = option(a, c);

		if (rc >= 0)
			return rc;
	}
	a->word = (const char *const *)argv + optind;
	a->word_n = (unsigned)(argc - optind);
	return -1;
}

int
tool_main(int argc, char **argv)
{
	struct tool_args a = {
	    .symbol = NULL, .rows_max = 131072, .zstd_level = 3};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (argc < 2 || strcmp(argv[1], verbs[i].name) != 0)
			continue;
		a.verb = argv[1];
		int rc = parse(&a, argc - 1, argv + 1);

		if (rc >= 0)
			return rc;
		if (a.word_n < verbs[i].words_min ||
		    (verbs[i].dir_word && a.word_n > 1)) {
			fputs(usage_text, stderr);
			return TOOL_USAGE;
		}
		if (verbs[i].dir_word && a.word_n == 1)
			a.dir = a.word[0];
		if (a.dir == NULL)
			a.dir = "captures";
		return verbs[i].run(&a);
	}
	return -1;
}

const char *
tool_human(char buf[32], uint64_t bytes)
{
	static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
	double v = (double)bytes;
	unsigned u = 0;

	for (; v >= 1000 && u < 4; u++)
		v /= 1000;
	snprintf(buf, 32, u == 0 ? "%.0f %s" : "%.1f %s", v, unit[u]);
	return buf;
}

/* ---- convert ---- */

static void
on_finished(void *ctx, const char *path, uint64_t rows, uint64_t bytes)
{
	const struct tool_args *a = ctx;
	char b[32];

	if (!a->json)
		printf("%s: %llu rows, %s\n", path, (unsigned long long)rows,
		    tool_human(b, bytes));
}

int
tool_convert_prefix(
    const struct tool_args *a, const char *prefix, unsigned *segments)
{
	struct tool_args copy = *a;
	struct rec_io_args ra = {.dir = a->dir,
	    .prefix = prefix,
	    .rows_max = a->rows_max,
	    .zstd_level = a->zstd_level,
	    .finished = on_finished,
	    .ctx = &copy};
	struct rec_io *io = calloc(1, sizeof(*io));
	struct journal_id id;
	struct err e;
	int rc = io == NULL ? -ENOMEM : rec_io_open(io, &ra, &e);

	if (rc != 0) {
		fprintf(stderr, "recorderd: %s\n",
		    io == NULL ? "not enough memory" : e.text);
		free(io);
		return rc;
	}
	/* Nobody else writes here: all of them are complete. */
	while (rc == 0 && rec_io_pending(io, 0, UINT32_MAX, &id)) {
		rc = rec_io_begin(io, &id);
		if (rc != 0)
			break;
		while ((rc = rec_io_work(io, 64)) == 1)
			;
		*segments += rc == 0;
	}
	if (rc != 0)
		fprintf(stderr, "recorderd: %s: %s\n", io->name, strerror(-rc));
	rec_io_close(io);
	free(io);
	return rc;
}

/* The recorders that left segments. Names are made of files, so they are
 * checked. */
static int
prefixes(const char *dir, char (*out)[JOURNAL_NAME_SZ], int max)
{
	char path[REC_PATH_SZ];
	const struct dirent *d;
	int n = 0;

	snprintf(path, sizeof(path), "%s/journal", dir);
	DIR *j = opendir(path);

	while (j != NULL && n < max && (d = readdir(j)) != NULL) {
		size_t len = strlen(d->d_name);
		uint64_t session;
		uint32_t segment;
		char name[JOURNAL_NAME_SZ];

		/* "-<16>-<8>.rmj" */
		if (len < 31 || len >= sizeof(name))
			continue;
		memcpy(name, d->d_name, len - 30);
		name[len - 30] = '\0';
		if (!journal_name_parse(d->d_name, name, &session, &segment))
			continue;
		int i = 0;

		while (i < n && strcmp(out[i], name) != 0)
			i++;
		if (i == n)
			memcpy(out[n++], name, sizeof(name));
	}
	if (j != NULL)
		closedir(j);
	return n;
}

int
tool_convert(const struct tool_args *a)
{
	char prefix[16][JOURNAL_NAME_SZ];
	int n = prefixes(a->dir, prefix, 16);
	unsigned segments = 0;
	int rc = 0;

	for (int i = 0; i < n; i++) {
		int one = tool_convert_prefix(a, prefix[i], &segments);

		rc = rc == 0 ? one : rc;
	}
	if (a->json)
		printf("{\"segments\":%u,\"recorders\":%d,\"ok\":%s}\n",
		    segments, n, rc == 0 ? "true" : "false");
	else if (n == 0)
		printf("%s: no journal segments to convert\n", a->dir);
	else
		printf("%u segments converted\n", segments);
	return rc == 0 ? 0 : TOOL_NO_WRITE;
}
