#define _GNU_SOURCE
#include "backtest/opts.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcore/latency.h"
#include "libsys/version.h"

extern char **environ;

enum {
	OPT_FEED = 256,
	OPT_ORDER,
	OPT_RESPONSE,
	OPT_SEED,
	OPT_BAR,
	OPT_REBATE,
	OPT_FROM,
	OPT_TO,
	OPT_TARGETS,
	OPT_RANDOM,
	OPT_FOLDS,
	OPT_SHARD,
	OPT_METRIC,
	OPT_MERGE,
	OPT_NO_PAGE
};

static const struct option longs[] = {
    {"config", required_argument, NULL, 'c'},
    {"set", required_argument, NULL, 's'},
    {"out", required_argument, NULL, 'o'},
    {"json", no_argument, NULL, 'j'},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {"param", required_argument, NULL, 'p'},
    {"jobs", required_argument, NULL, 'J'},
    {"feed-latency", required_argument, NULL, OPT_FEED},
    {"order-latency", required_argument, NULL, OPT_ORDER},
    {"response-latency", required_argument, NULL, OPT_RESPONSE},
    {"seed", required_argument, NULL, OPT_SEED},
    {"bar", required_argument, NULL, OPT_BAR},
    {"rebate-share", required_argument, NULL, OPT_REBATE},
    {"from", required_argument, NULL, OPT_FROM},
    {"to", required_argument, NULL, OPT_TO},
    {"targets", required_argument, NULL, OPT_TARGETS},
    {"random", required_argument, NULL, OPT_RANDOM},
    {"walk-forward", required_argument, NULL, OPT_FOLDS},
    {"shard", required_argument, NULL, OPT_SHARD},
    {"metric", required_argument, NULL, OPT_METRIC},
    {"merge", required_argument, NULL, OPT_MERGE},
    {"no-page", no_argument, NULL, OPT_NO_PAGE},
    {NULL, 0, NULL, 0},
};

static int
wrong(const char *what, const char *text)
{
	fprintf(
	    stderr, "backtest: %s: \"%s\"; see backtest --help\n", what, text);
	return EXIT_USAGE;
}

static bool
number(const char *text, uint64_t lo, uint64_t hi, uint64_t *out)
{
	char *end;

	*out = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && *out >= lo &&
	       *out <= hi;
}

static int64_t
days_of(int64_t y, int64_t m, int64_t d)
{
	int64_t era;
	int64_t doy;
	int64_t yoe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

bool
opts_time(const char *text, int64_t *ns)
{
	int y, m, d;
	int hh = 0;
	int mm = 0;
	int ss = 0;
	int n = 0;
	uint64_t s;

	if (number(text, 1, 4102444800u, &s)) {
		*ns = (int64_t)s * NS_PER_S;
		return true;
	}
	if (sscanf(text, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || m < 1 ||
	    m > 12 || d < 1 || d > 31 || y < 1970 || y > 2200)
		return false;
	if (text[n] == 'T') {
		int k = 0;

		if (sscanf(text + n, "T%2d:%2d%n:%2d%n", &hh, &mm, &k, &ss,
			&k) < 2)
			return false;
		n += k;
		if (text[n] == 'Z')
			n++;
	}
	if (text[n] != '\0' || hh > 23 || mm > 59 || ss > 60)
		return false;
	*ns = (days_of(y, m, d) * 86400 + hh * 3600 + mm * 60 + ss) * NS_PER_S;
	return true;
}

static int
take_number(struct opts *o, int c, const char *text)
{
	struct latency l;
	uint64_t v = 0;

	if (c == OPT_SEED && number(text, 0, UINT64_MAX - 1, &v))
		o->seed = v;
	else if (c == OPT_RANDOM && number(text, 1, 1000000, &v))
		o->random_n = (uint32_t)v;
	else if (c == OPT_FOLDS && number(text, 1, 64, &v))
		o->folds = (uint32_t)v;
	else if (c == 'J' && number(text, 1, 1024, &v))
		o->jobs = (uint32_t)v;
	else if (c == OPT_REBATE && number(text, 0, 100, &v))
		o->rebate_ppm = (uint32_t)v * 10000;
	else if (c == OPT_BAR) {
		latency_init(&l, 0);
		if (!latency_parse(&l, text) || l.base_ns == 0)
			return wrong("--bar needs a time up to 60s", text);
		o->bar_ns = l.base_ns;
	} else {
		return wrong("not a number that is allowed here", text);
	}
	return -1;
}

static int
take_list(const char **list, unsigned *n, unsigned max, const char *text)
{
	if (*n == max)
		return wrong("too many of these", text);
	list[(*n)++] = text;
	return -1;
}

static int
take_shard(struct opts *o, const char *text)
{
	unsigned i, n;
	int end = 0;

	if (sscanf(text, "%6u/%6u%n", &i, &n, &end) != 2 || text[end] != '\0' ||
	    i < 1 || i > n)
		return wrong("--shard is i/n with 1 <= i <= n", text);
	o->shard = i;
	o->shards = n;
	return -1;
}

static int
take(struct opts *o, int c, const char *text)
{
	switch (c) {
	case 'c':
		return take_list(o->config, &o->config_n, CFGFILE_N_MAX, text);
	case 's': return take_list(o->set, &o->set_n, OPTS_SETS, text);
	case 'p': return take_list(o->param, &o->param_n, OPTS_PARAM, text);
	case 'o': o->out = text; break;
	case 'j': o->json = true; break;
	case 'q': o->quiet = true; break;
	case OPT_FEED: o->feed = text; break;
	case OPT_ORDER: o->order = text; break;
	case OPT_RESPONSE: o->response = text; break;
	case OPT_TARGETS: o->targets = text; break;
	case OPT_METRIC: o->metric = text; break;
	case OPT_MERGE: o->merge = text; break;
	case OPT_NO_PAGE: o->no_page = true; break;
	case OPT_SHARD: return take_shard(o, text);
	case OPT_FROM:
		return opts_time(text, &o->from_ns)
			   ? -1
			   : wrong("--from needs a time", text);
	case OPT_TO:
		return opts_time(text, &o->to_ns)
			   ? -1
			   : wrong("--to needs a time", text);
	default: return take_number(o, c, text);
	}
	return -1;
}

int
opts_read(struct opts *o, int argc, char **argv, const char *usage)
{
	int c;

	*o = (struct opts){.bar_ns = 60 * (uint64_t)NS_PER_S,
	    .seed = 1,
	    .folds = 1,
	    .shard = 1,
	    .shards = 1,
	    .metric = "sharpe"};
	optind = 1;
	while ((c = getopt_long(argc, argv, "c:s:o:jqhVp:J:", longs, NULL)) !=
	       -1) {
		int rc = -1;

		if (c == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (c == 'V') {
			puts("backtest " RINGMAKER_VERSION);
			return 0;
		}
		if (c == '?')
			return EXIT_USAGE;
		rc = take(o, c, optarg);
		if (rc != -1)
			return rc;
	}
	for (; optind < argc; optind++) {
		int rc =
		    take_list(o->path, &o->path_n, SOURCE_MAX, argv[optind]);

		if (rc != -1)
			return rc;
	}
	return -1;
}

int
opts_cfg(const struct opts *o, const char *const *more, unsigned more_n,
    struct cfg *out)
{
	static struct cfg_load load;
	const char *set[OPTS_SETS + OPTS_PARAM + 1];
	size_t n = 0;

	set[n++] = "system.mode=backtest";
	for (unsigned i = 0; i < o->set_n; i++)
		set[n++] = o->set[i];
	for (unsigned i = 0; i < more_n && i < OPTS_PARAM; i++)
		set[n++] = more[i];
	if (cfgfile_load(&load, &(struct cfgfile_args){.paths = o->config,
				    .path_n = o->config_n,
				    .envp = environ,
				    .args = set,
				    .arg_n = n}) < 0) {
		cfgfile_errors(&load, stderr);
		return EXIT_CONFIG;
	}
	*out = load.cfg;
	return 0;
}
