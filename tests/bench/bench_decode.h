/*
 * bench_decode.h - the reference side of the decoder bench: simdjson.
 *
 * Each function decodes one frame to the same fields as our decoder does
 * (prices and sizes as integers 1e-8, ids as binary) and gives a checksum of
 * them. The frame has SIMDJSON_PADDING readable bytes after it. Keys are
 * asked for in the order of the frame, which is simdjson's fastest way and
 * would not survive another order.
 */
#ifndef TESTS_BENCH_BENCH_DECODE_H
#define TESTS_BENCH_BENCH_DECODE_H

#include <stddef.h>
#include <stdint.h>

#define REFERENCE_PADDING 64

#ifdef __cplusplus
#define REFERENCE extern "C"
#else
/* NULL where simdjson is not installed. */
#define REFERENCE __attribute__((weak))
#endif

REFERENCE uint64_t reference_trade(const char *text, size_t n);
REFERENCE uint64_t reference_price_change(const char *text, size_t n);
REFERENCE uint64_t reference_book(const char *text, size_t n);

#endif
