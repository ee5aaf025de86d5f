/*
 * bench_ring.h - a queue as the ring bench drives it, and its source data.
 */
#ifndef TESTS_BENCH_BENCH_RING_H
#define TESTS_BENCH_BENCH_RING_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QUEUE_DEPTH 1024
#define SOURCE_N    256u
#define SOURCE_LEAD 128u

/* A packaged queue in memory of the caller's. big: 128 bytes a message, not
 * 64. threads: it allocates, so both sides must be threads of one process. */
struct bench_queue {
	const char *name;
	int threads;
	size_t size;
	void (*init)(void *q, int big);
	void (*fini)(void *q, int big);
	void (*produce)(void *q, int big, uint64_t n, unsigned char *source);
	uint64_t (*consume)(void *q, int big, uint64_t n);
};

extern const struct bench_queue ref_boost __attribute__((weak));
extern const struct bench_queue ref_moodycamel __attribute__((weak));
extern const struct bench_queue ref_ck __attribute__((weak));

/* The message to send as number i. Sources are refreshed well ahead, or the
 * copy would wait for the store buffer and hide what is measured. */
static inline const unsigned char *
source_at(unsigned char *source, uint64_t i, size_t sz)
{
	uint64_t *later =
	    (uint64_t *)(void *)(source + (i + SOURCE_LEAD) % SOURCE_N * sz);

	later[0] = i + SOURCE_LEAD;
	later[sz / 8 - 1] = i + SOURCE_LEAD;
	return source + i % SOURCE_N * sz;
}

static inline void
source_fill(unsigned char *source, size_t sz)
{
	for (uint64_t i = 0; i < SOURCE_N; i++) {
		uint64_t *w = (uint64_t *)(void *)(source + i * sz);

		for (size_t k = 0; k < sz / 8; k++)
			w[k] = i;
	}
}

#ifdef __cplusplus
}
#endif

#endif
