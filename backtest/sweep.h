/*
 * sweep.h - many runs, and what they say together.
 *
 * Files  : <out>/trials/<id>-<trial>-<fold>-<train|test>.json, one a run,
 *          renamed into place when it is whole; id is a hash of everything
 *          that decides the runs, so that another sweep's files are never
 *          taken for this one's. A run whose file is there is not made again:
 *          so a sweep resumes, and shards in one directory merge.
 */
#ifndef BACKTEST_SWEEP_H
#define BACKTEST_SWEEP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "backtest/figures.h"
#include "backtest/grid.h"
#include "backtest/opts.h"

struct sweep {
	const struct opts *o;
	struct grid grid;
	uint64_t id;
	int64_t from_ns;
	int64_t to_ns;
	uint32_t job_n;
	const char *dir;
	char why[SOURCE_WHY_SZ];
};

/* One run: trial, fold and which piece. */
struct sweep_job {
	uint32_t trial;
	uint32_t fold;
	bool test;
};
struct sweep_job sweep_job(const struct sweep *s, uint32_t i);
void sweep_path(
    const struct sweep *s, const struct sweep_job *j, char *buf, size_t n);

/*
 * sweep_merge - the table of all runs: sweep.json, sweep.csv and heat.html in
 * s->dir. Returns 0, EXIT_WRITE, or EXIT_DATA with s->why when runs are
 * missing.
 */
int sweep_merge(struct sweep *s);

/* figures_read - the "figures" of a result; false: it has none. */
bool figures_read(const char *text, size_t n, struct figures *out);

/* file_read - the whole file, NUL behind it; NULL when it cannot be read. */
char *file_read(const char *path, size_t *n);

#endif
