/*
 * bench_reference.h - the reference side of bench_reference: simdjson, as
 * bench_decode.h describes it.
 */
#ifndef TESTS_BENCH_BENCH_REFERENCE_H
#define TESTS_BENCH_BENCH_REFERENCE_H

#include "tests/bench/bench_decode.h"

REFERENCE uint64_t reference_pm_trade(const char *text, size_t n);
REFERENCE uint64_t reference_polybolt(const char *text, size_t n);
REFERENCE uint64_t reference_terse(const char *text, size_t n);
REFERENCE uint64_t reference_gamma(const char *text, size_t n);

#endif
