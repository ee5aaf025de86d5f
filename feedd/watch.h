/*
 * watch.h - is what comes of one symbol news, and does it come at all?
 *
 * A connection that carries many streams is alive while one of them is dead,
 * and a single number far ahead makes everything after it look old. Each
 * stream that quotes rest on is watched for itself.
 *
 * Stuck : only messages of the past for WATCH_STUCK_NS, WATCH_STUCK_N at
 *         least. Less is the other lane, which is behind. The newest one
 *         again is not of the past.
 * Quiet : nothing at all for a limit; told once, until something comes.
 * Crossed : bid at or above ask. Once may be a moment between two messages,
 *         twice in a row is wrong.
 * Pure: yes, O(1).
 */
#ifndef FEEDD_WATCH_H
#define FEEDD_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/slots.h"

#define WATCH_STUCK_NS UINT64_C(2000000000)
#define WATCH_STUCK_N  4u

/* A stream is quiet after so many times <venue>.idle_s. */
#define WATCH_QUIET_N 3u

struct stuck {
	uint64_t since_ns; /* first old one since the last news */
	uint32_t n;	   /* how many since */
};

struct quiet {
	uint64_t seen_ns; /* 0: nothing is waited for */
	bool is_told;
};

/* stuck_news - a message was news, or the stream begins. */
void stuck_news(struct stuck *s);

/* stuck_old - a message was of the past. True: nothing else for too long; it
 * begins again. */
bool stuck_old(struct stuck *s, uint64_t now_ns);

/* quiet_seen - something came, or is waited for from now on; quiet_stop -
 * nothing is waited for. */
void quiet_seen(struct quiet *q, uint64_t now_ns);
void quiet_stop(struct quiet *q);

/* quiet_due - when it is too long, 0 never. quiet_take - it is, and was not
 * told: true once. */
uint64_t quiet_due(const struct quiet *q, uint64_t limit_ns);
bool quiet_take(struct quiet *q, uint64_t now_ns, uint64_t limit_ns);

/* watch_is_crossed - both sides are there and meet. */
bool watch_is_crossed(const struct tick_bbo *bbo);

#endif
