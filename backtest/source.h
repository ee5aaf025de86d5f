/*
 * source.h - where the ticks of a run come from.
 *
 * What   : recorded venue frames (feeds.h), or what recorderd wrote
 *          (recorderd/reader.h), as one stream of ticks in the order of time.
 * Time   : nanoseconds since 1970; recv_ns of a tick is on that clock too.
 * Merge  : several sources by time; where times are equal, in the order they
 *          were opened.
 */
#ifndef BACKTEST_SOURCE_H
#define BACKTEST_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/cfg.h"
#include "libshm/instr.h"
#include "libshm/slots.h"

#define SOURCE_MAX    16u
#define SOURCE_WHY_SZ 512u

struct source_event {
	uint64_t t_ns;
	enum venue venue;
	struct tick tick;
	const struct instr *instr; /* of a TICK_INSTR, until the next call */
};

struct source;

struct source_ops {
	/* the next event: 1; 0 at the end; negative errno */
	int (*next)(struct source *s, struct source_event *ev);
	/* how far: of `all` parts so many are done */
	uint64_t (*done)(const struct source *s, uint64_t *all);
	void (*close)(struct source *s);
};

/* The head of each kind of source. */
struct source {
	const struct source_ops *ops;
	char why[SOURCE_WHY_SZ]; /* after a negative errno               */
};

struct source_args {
	const struct cfg *cfg;
	const char *const *path;
	unsigned path_n;
	int64_t from_ns; /* UTC, 0: the beginning                        */
	int64_t to_ns;	 /* UTC, exclusive, 0: the end                   */
};

/* source_captures - raw captures (simvenue/capture.h) of any number of files.
 * source_recorded - one directory that recorderd wrote.
 * NULL with a sentence in why (SOURCE_WHY_SZ bytes). */
struct source *source_captures(const struct source_args *a, char *why);
struct source *source_recorded(
    const struct source_args *a, const char *dir, char *why);

/*
 * source_open - all of a->path: each a directory of recorderd's, a raw
 * capture, or a directory of these.
 * source_next - 1, 0, or a negative errno with s->why.
 */
struct source *source_open(const struct source_args *a, char *why);
int source_next(struct source *s, struct source_event *ev);
uint64_t source_done(const struct source *s, uint64_t *all);
void source_close(struct source *s);

#endif
