/*
 * progress.h - a bar with speed and time left, for a person at a terminal.
 */
#ifndef BACKTEST_PROGRESS_H
#define BACKTEST_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	bool on;
	bool shown;
	uint64_t start_ns;
	uint64_t last_ns;
};

void progress_init(struct progress *p, bool on);

/* progress_show - at most ten times a second: done of all parts, events so
 * far, market time so far. */
void progress_show(struct progress *p, uint64_t events, uint64_t done,
    uint64_t all, uint64_t market_ns);
void progress_end(struct progress *p);

/* progress_line - what is shown; pure. Returns its length. */
size_t progress_line(char *buf, size_t sz, uint64_t events, double frac,
    double took_s, double market_s);

#endif
