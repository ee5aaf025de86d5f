/*
 * bench.h - how a bench prints its figures, and a few tools.
 *
 * One line a figure:   name value unit reference reference_value ratio
 * ratio is value / reference_value; "-" where there is no reference. With
 * JSON=1 in the environment the same as one JSON object a line. BENCH_QUICK=1
 * asks for a tiny size: it only shows that the bench still works. Remarks
 * begin with '#'.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline bool
bench_env(const char *name)
{
	const char *s = getenv(name);

	return s != 0 && s[0] != '\0' && strcmp(s, "0") != 0;
}

static inline bool
bench_quick(void)
{
	return bench_env("BENCH_QUICK");
}

static inline uint64_t
bench_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) +
	       (uint64_t)ts.tv_nsec;
}

/* bench_line - print one figure. reference NULL: none. */
static inline void
bench_line(const char *name, double value, const char *unit,
    const char *reference, double reference_value)
{
	bool has = reference != 0 && reference_value > 0;
	double ratio = has ? value / reference_value : 0;

	if (bench_env("JSON") && has)
		printf("{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\","
		       "\"reference\":\"%s\",\"reference_value\":%.6g,"
		       "\"ratio\":%.4g}\n",
		    name, value, unit, reference, reference_value, ratio);
	else if (bench_env("JSON"))
		printf("{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\","
		       "\"reference\":null,\"reference_value\":null,"
		       "\"ratio\":null}\n",
		    name, value, unit);
	else if (has)
		printf("%-36s %10.4g %-6s %-16s %10.4g %8.3f\n", name, value,
		    unit, reference, reference_value, ratio);
	else
		printf("%-36s %10.4g %-6s %-16s %10s %8s\n", name, value, unit,
		    "-", "-", "-");
	fflush(stdout);
}

static inline int
bench_cmp_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static inline int
bench_cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* bench_quantile - of n > 0 samples (sorted in place), per mille. */
static inline double
bench_quantile(uint64_t *ns, size_t n, unsigned permille)
{
	qsort(ns, n, sizeof(*ns), bench_cmp_u64);
	return (double)ns[(n - 1) * permille / 1000];
}

static inline double
bench_median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), bench_cmp_double);
	return v[n / 2];
}

/* bench_report - median and 99th percentile of n > 0 samples in ns, beside
 * a floor in ns measured in the same run (0: none). */
static inline void
bench_report(const char *name, uint64_t *ns, size_t n, double floor_ns)
{
	char text[96];

	snprintf(text, sizeof(text), "%s_p50", name);
	bench_line(text, bench_quantile(ns, n, 500), "ns", "floor", floor_ns);
	snprintf(text, sizeof(text), "%s_p99", name);
	bench_line(text, bench_quantile(ns, n, 990), "ns", "floor", floor_ns);
}

#endif
