#define _GNU_SOURCE
#include "backtest/progress.h"

#include <stdio.h>
#include <string.h>

#include "libcore/fixed.h"
#include "libsys/clock.h"

#define EVERY_NS (UINT64_C(100) * (uint64_t)NS_PER_MS)
#define CELLS	 24u

void
progress_init(struct progress *p, bool on)
{
	memset(p, 0, sizeof(*p));
	p->on = on;
	p->start_ns = clock_mono_ns();
}

size_t
progress_line(char *buf, size_t sz, uint64_t events, double frac, double took_s,
    double market_s)
{
	char bar[CELLS + 1];
	double rate = took_s > 0 ? (double)events / took_s : 0;
	double left_s = frac > 0 ? took_s * (1 - frac) / frac : 0;
	int n;

	if (frac > 1)
		frac = 1;
	for (unsigned i = 0; i < CELLS; i++)
		bar[i] = (double)i < frac * CELLS ? '#' : '.';
	bar[CELLS] = '\0';
	n = snprintf(buf, sz,
	    "[%s] %3.0f%%  %.2f M events/s  %.0fx real time  %.0f s left", bar,
	    100 * frac, rate / 1e6, took_s > 0 ? market_s / took_s : 0, left_s);
	return n > 0 ? (size_t)n : 0;
}

void
progress_show(struct progress *p, uint64_t events, uint64_t done, uint64_t all,
    uint64_t market_ns)
{
	uint64_t now = clock_mono_ns();
	char line[160];

	if (!p->on || now < p->last_ns + EVERY_NS)
		return;
	p->last_ns = now;
	p->shown = true;
	progress_line(line, sizeof(line), events,
	    all > 0 ? (double)done / (double)all : 0,
	    (double)(now - p->start_ns) / 1e9, (double)market_ns / 1e9);
	fprintf(stderr, "\r%s\033[K", line);
}

void
progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
