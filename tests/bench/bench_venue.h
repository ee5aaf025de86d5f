/*
 * bench_venue.h - the reference side of bench_venue: simdjson, as
 * bench_decode.h describes it.
 */
#ifndef TESTS_BENCH_BENCH_VENUE_H
#define TESTS_BENCH_BENCH_VENUE_H

#include "tests/bench/bench_decode.h"

REFERENCE uint64_t reference_ticker(const char *text, size_t n);
REFERENCE uint64_t reference_depth(const char *text, size_t n);
REFERENCE uint64_t reference_raw_trade(const char *text, size_t n);
REFERENCE uint64_t reference_hl_bbo(const char *text, size_t n);
REFERENCE uint64_t reference_hl_book(const char *text, size_t n);

#endif
