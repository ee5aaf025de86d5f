/*
 * opts.h - what the commands of backtest are told.
 */
#ifndef BACKTEST_OPTS_H
#define BACKTEST_OPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "backtest/source.h"
#include "libsys/cfgfile.h"

#define OPTS_SETS  64u
#define OPTS_PARAM 8u

#define EXIT_BAD_RESULT 1 /* verify, replay: it is not so               */
#define EXIT_USAGE	64
#define EXIT_DATA	65 /* a capture that cannot be read              */
#define EXIT_CONFIG	78
#define EXIT_WRITE	73

struct opts {
	const char *path[SOURCE_MAX];
	unsigned path_n;
	const char *config[CFGFILE_N_MAX];
	unsigned config_n;
	const char *set[OPTS_SETS];
	unsigned set_n;
	const char *out;  /* directory, NULL: the default                  */
	const char *feed; /* latency models, NULL: none                   */
	const char *order;
	const char *response;
	const char *targets;
	const char *param[OPTS_PARAM];
	unsigned param_n;
	const char *metric;
	const char *merge; /* sweep: directory of shards                 */
	int64_t from_ns;
	int64_t to_ns;
	uint64_t seed;
	uint64_t bar_ns;
	uint32_t rebate_ppm;
	uint32_t random_n; /* sweep: 0 grid, else so many draws          */
	uint32_t jobs;
	uint32_t folds; /* sweep: walk-forward splits, 1: none           */
	uint32_t shard; /* 1.. of shards                               */
	uint32_t shards;
	bool json;
	bool quiet;
	bool no_page;
};

/* opts_read - the words after the command; -1 to go on, or an exit code
 * after a sentence. usage: what --help prints. */
int opts_read(struct opts *o, int argc, char **argv, const char *usage);

/* opts_cfg - the configuration that the options ask for, with `more` as one
 * last --set each. 0 or an exit code after a sentence. */
int opts_cfg(const struct opts *o, const char *const *more, unsigned more_n,
    struct cfg *out);

/* opts_time - "2026-04-29", "2026-04-29T02:10:00" or seconds since 1970, UTC.
 */
bool opts_time(const char *text, int64_t *ns);

#endif
