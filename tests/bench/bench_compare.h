/*
 * bench_compare.h - nanoseconds a frame of a decoder and of its reference.
 *
 * The two take turns in rounds of many calls on one frame; printed is the
 * median of the rounds, and a checksum of the fields that both must agree
 * on.
 */
#ifndef TESTS_BENCH_BENCH_COMPARE_H
#define TESTS_BENCH_BENCH_COMPARE_H

#include "tests/bench/bench.h"
#include "tests/bench/bench_decode.h"

#define FRAME_MAX	8192
#define ROUNDS		101
#define CALLS_PER_ROUND 2000

typedef uint64_t (*decoder)(const char *, size_t);

/* In tenths of a nanosecond. */
static inline uint64_t
bench_round_ns10(decoder d, const char *text, size_t n, uint64_t *sum)
{
	uint64_t start = bench_now_ns();

	for (int i = 0; i < CALLS_PER_ROUND; i++)
		*sum += d(text, n);
	return (bench_now_ns() - start) * 10 / CALLS_PER_ROUND;
}

static inline double
bench_median_ns(uint64_t *ns10, size_t n)
{
	qsort(ns10, n, sizeof(ns10[0]), bench_cmp_u64);
	return (double)ns10[n / 2] / 10;
}

/* A frame in two forms, when the reference cannot read ours. */
struct bench_frames {
	size_t (*ours)(char *buf);
	size_t (*reference)(char *buf); /* NULL: the same */
};

/* bench_compare - one figure. False when the checksums differ or are 0. */
static inline bool
bench_compare_two(
    const char *name, decoder ours, decoder reference, struct bench_frames make)
{
	static char text[FRAME_MAX + REFERENCE_PADDING];
	static char other[FRAME_MAX + REFERENCE_PADDING];
	uint64_t a[ROUNDS];
	uint64_t b[ROUNDS] = {0};
	uint64_t sum_a = 0;
	uint64_t sum_b = 0;
	size_t n = make.ours(text);
	size_t m =
	    make.reference != NULL ? make.reference(other) : make.ours(other);
	size_t rounds = bench_quick() ? 1 : ROUNDS;

	for (size_t i = 0; i < rounds; i++) {
		a[i] = bench_round_ns10(ours, text, n, &sum_a);
		if (reference != NULL)
			b[i] = bench_round_ns10(reference, other, m, &sum_b);
	}
	bench_line(name, bench_median_ns(a, rounds), "ns",
	    reference != NULL ? "simdjson" : NULL, bench_median_ns(b, rounds));
	printf("# %s: %zu bytes, checksum %016llx\n", name, n,
	    (unsigned long long)sum_a);
	if (reference != NULL && sum_a != sum_b) {
		printf("# %s: the fields differ\n", name);
		return false;
	}
	return sum_a != 0;
}

static inline bool
bench_compare(
    const char *name, decoder ours, decoder reference, size_t (*make)(char *))
{
	return bench_compare_two(
	    name, ours, reference, (struct bench_frames){make, NULL});
}

#endif
