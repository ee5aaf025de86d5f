/*
 * series.h - a curve of bounded size over a time of any length.
 *
 * What   : rows of SERIES_COLS numbers. The last row of each interval is kept;
 *          when all places are taken, every second row is given up and the
 *          interval doubles. So memory does not grow with time.
 * Pure   : yes. O(1) a row, amortised.
 */
#ifndef BACKTEST_SERIES_H
#define BACKTEST_SERIES_H

#include <stdint.h>

#define SERIES_ROWS 1024u
#define SERIES_COLS 5u

struct series_row {
	uint64_t t_ns;
	double v[SERIES_COLS];
};

struct series {
	uint64_t step_ns; /* interval                                    */
	uint32_t n;
	uint32_t pad;
	struct series_row row[SERIES_ROWS];
};

/* series_init - empty; step_ns > 0 (CHECK): the finest interval. */
void series_init(struct series *s, uint64_t step_ns);

/* series_add - times do not fall (CHECK). */
void series_add(struct series *s, uint64_t t_ns, const double v[SERIES_COLS]);

#endif
