/*
 * feeds.h - recorded frames of the venues to ticks, in virtual time.
 *
 * What   : the pure venues of simvenue serve captures to the pure cores of
 *          feedd, which connect, subscribe, ask and decode as they do in the
 *          daemon; what they publish goes to the sink.
 * Time   : nanoseconds since 1970 of the recording. Venues whose recordings
 *          have no moment in common are moved so that all begin together
 *          with the first of them (Polymarket's, when there is one).
 *          An hour in which nothing was recorded at all is passed over.
 * Same   : captures and config give the same ticks, run after run.
 * Limits : CHECK on the queue of messages under way.
 */
#ifndef BACKTEST_FEEDS_H
#define BACKTEST_FEEDS_H

#include <stdbool.h>
#include <stdint.h>

#include "feedd/feed.h"
#include "libshm/cfg.h"
#include "libshm/instr.h"
#include "libshm/slots.h"
#include "simvenue/capture_io.h"

struct feeds;

struct feeds_sink {
	void *user;
	void (*tick)(void *user, enum venue v, const struct tick *t);
	void (*instr)(void *user, uint16_t idx, const struct instr *in);
};

struct feeds_count {
	uint64_t frames;   /* recorded frames whose time came   */
	uint64_t served;   /* WebSocket frames given to feeds   */
	uint64_t received; /* ... and taken by them             */
	uint64_t malformed;
	uint64_t ticks;
	uint64_t hash_ok;
	uint64_t hash_bad;
};

/* feeds_new - the captures stay the caller's, and stay. NULL: no memory. */
struct feeds *feeds_new(const struct cfg *cfg, const struct captures *c,
    const struct feeds_sink *sink);
void feeds_free(struct feeds *f);

/* feeds_next_ns - when something happens next, 0: nothing is left.
 * feeds_run - what is due at now_ns; time never goes back (CHECK). */
uint64_t feeds_next_ns(const struct feeds *f);
void feeds_run(struct feeds *f, uint64_t now_ns);

/* feeds_resync - everything that is known again, at now_ns. */
void feeds_resync(struct feeds *f, uint64_t now_ns);

/* feeds_start_ns - the first moment. feeds_played - frames played, and of
 * all. */
uint64_t feeds_start_ns(const struct feeds *f);
uint64_t feeds_played(const struct feeds *f, uint64_t *all);

/* feeds_wall_step - from now on UTC is off by so much. */
void feeds_wall_step(struct feeds *f, int64_t step_ns);

void feeds_count(const struct feeds *f, enum venue v, struct feeds_count *out);
uint64_t feeds_hash(const struct feeds *f, enum venue v);

#endif
