/*
 * world.h - the whole pipeline in one process, in virtual time.
 *
 * What   : the pure venues of simvenue serve recorded captures to the pure
 *          feed cores; their ticks go to the cores of quoted, riskd and execd,
 *          whose messages go to each other, in a fixed order. Time is the
 *          recorders'; nothing else moves it.
 * Same   : captures and config give the same hashes, run after run.
 * Limits : CHECK on every queue; one connection takes one frame at a time.
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/cfg.h"
#include "libshm/slots.h"

struct world;

struct world_result {
	uint64_t quote_hash;
	uint64_t risk_hash;
	uint64_t feed_hash[VENUE_N];
	uint64_t frames[VENUE_N];   /* recorded frames whose time came  */
	uint64_t served[VENUE_N];   /* WebSocket frames given to feeds  */
	uint64_t received[VENUE_N]; /* ... and taken by them              */
	uint64_t ticks[VENUE_N];
	uint64_t malformed[VENUE_N];
	uint64_t hash_ok;
	uint64_t hash_bad;
	uint64_t intents;
	uint64_t verdicts;
	uint64_t passed;
	uint64_t orders;
	uint64_t fills;
	uint64_t freezes;      /* times a venue's mask left 0               */
	uint64_t clock_ns;     /* frozen for the clock, in all              */
	uint64_t clock_orders; /* passed by riskd meanwhile             */
	int64_t days;	       /* the trading day rolled               */
	int64_t pnl_e6;	       /* riskd's                                 */
	int64_t replay_e6;     /* from the fills and last marks alone     */
	int64_t volume_e6;     /* notional of all fills                   */
};

/* world_new - with captures loaded. NULL and a word in why when a file
 * cannot be read. */
struct world *world_new(
    const struct cfg *cfg, const char *const *files, char *why, size_t why_n);
void world_free(struct world *w);

/* world_wall_step - UTC steps by step_ns when after_ns have passed. */
void world_wall_step(struct world *w, uint64_t after_ns, int64_t step_ns);

/* world_run - until every timeline has ended (or max_s of virtual time). */
void world_run(struct world *w, uint64_t max_s, struct world_result *out);

#endif
