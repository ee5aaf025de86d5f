/* Reference queue of bench_ring: Concurrency Kit's, in its value form. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <ck_ring.h>

#include "tests/bench/bench_ring.h"

struct small {
	uint64_t w[8];
};

struct large {
	uint64_t w[16];
};

CK_RING_PROTOTYPE(small, small)
CK_RING_PROTOTYPE(large, large)

struct queue {
	ck_ring_t ring;
	_Alignas(128) struct large slots[QUEUE_DEPTH];
};

static void
init(void *p, int big)
{
	struct queue *q = p;

	(void)big;
	ck_ring_init(&q->ring, QUEUE_DEPTH);
}

static void
fini(void *q, int big)
{
	(void)q;
	(void)big;
}

#define SIDES(kind)                                                            \
	static void produce_##kind(                                            \
	    struct queue *q, uint64_t n, unsigned char *source)                \
	{                                                                      \
		struct kind *slots = (struct kind *)(void *)q->slots;          \
                                                                               \
		for (uint64_t i = 0; i < n; i++) {                             \
			struct kind *m = (struct kind *)(uintptr_t)source_at(  \
			    source, i, sizeof(*m));                            \
                                                                               \
			while (                                                \
			    !ck_ring_enqueue_spsc_##kind(&q->ring, slots, m))  \
				;                                              \
		}                                                              \
	}                                                                      \
	static uint64_t consume_##kind(struct queue *q, uint64_t n)            \
	{                                                                      \
		struct kind *slots = (struct kind *)(void *)q->slots;          \
		_Alignas(64) struct kind m;                                    \
		uint64_t sum = 0;                                              \
                                                                               \
		for (uint64_t i = 0; i < n; i++) {                             \
			while (                                                \
			    !ck_ring_dequeue_spsc_##kind(&q->ring, slots, &m)) \
				__builtin_ia32_pause();                        \
			sum += m.w[0] + m.w[sizeof(m) / 8 - 1];                \
		}                                                              \
		return sum;                                                    \
	}

SIDES(small)
SIDES(large)

static void
produce(void *q, int big, uint64_t n, unsigned char *source)
{
	if (big)
		produce_large(q, n, source);
	else
		produce_small(q, n, source);
}

static uint64_t
consume(void *q, int big, uint64_t n)
{
	return big ? consume_large(q, n) : consume_small(q, n);
}

const struct bench_queue ref_ck = {
    "ck_ring", 0, sizeof(struct queue), init, fini, produce, consume};
