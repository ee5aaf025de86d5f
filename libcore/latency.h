/*
 * latency.h - how long a message takes, drawn.
 *
 *   20ms          always the same
 *   20ms~5ms      the same and an exponential part of this mean
 *   @FILE         drawn from the values of a file, one a line ("35ms", or
 *                 a plain number of nanoseconds)
 *   recorded      half a round trip, drawn from the last LATENCY_SEEN that
 *                 the capture told of the venue; until the first: 0
 *
 * The n-th draw of a stream is a function of (seed, stream, n) alone, so that
 * a run with the same seed is the same to the byte.
 *
 * Pure : yes.
 */
#ifndef LIBCORE_LATENCY_H
#define LIBCORE_LATENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/types.h"

#define LATENCY_SAMPLES 4096u
#define LATENCY_SEEN	256u

enum latency_kind {
	LATENCY_CONSTANT = 1,
	LATENCY_JITTER = 2,
	LATENCY_SAMPLE = 3,
	LATENCY_RECORDED = 4,
	LATENCY_KIND_N
};

struct latency {
	enum latency_kind kind;
	uint32_t sample_n;
	uint64_t base_ns;
	uint64_t jitter_ns;
	uint64_t seed;
	uint64_t drawn; /* so far                                        */
	uint64_t seen_n[VENUE_N];
	uint32_t seen_us[VENUE_N][LATENCY_SEEN];
	uint64_t sample_ns[LATENCY_SAMPLES];
};

/* latency_init - always 0. seed: of this stream. */
void latency_init(struct latency *l, uint64_t seed);

/* latency_parse - "20ms", "20ms~5ms" or "recorded"; false: none of these.
 * The form @FILE is read line by line with latency_sample. */
bool latency_parse(struct latency *l, const char *text);

/* latency_sample - one more value of the distribution; false: no number, or
 * LATENCY_SAMPLES are there. */
bool latency_sample(struct latency *l, const char *text, size_t n);

/* latency_saw - the capture tells of a round trip at v. */
void latency_saw(struct latency *l, enum venue v, uint32_t rtt_us);

/* latency_draw - ns of the next message to or from v. */
uint64_t latency_draw(struct latency *l, enum venue v);

#endif
