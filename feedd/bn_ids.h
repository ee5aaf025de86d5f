/*
 * bn_ids.h - ids that count by one, brought by two lanes in any mixture.
 *
 * Every id is news once, whichever lane brings it first. Those between are
 * holes: the other lane may still bring them, until it has passed them, or is
 * gone. Then they are lost, and told once.
 * Limits : holes of the newest BN_IDS_N ids are remembered; older ones are
 *          lost. Pure, O(holes).
 */
#ifndef FEEDD_BN_IDS_H
#define FEEDD_BN_IDS_H

#include <stdbool.h>
#include <stdint.h>

#define BN_IDS_N 1024u /* a power of two */

struct bn_ids {
	uint64_t last;	    /* newest of both lanes, 0 none */
	uint64_t whole;	    /* nothing up to here is a hole */
	uint64_t lost_n;    /* not told yet */
	uint64_t lane[2];   /* newest of each lane, 0 none */
	uint64_t joined[2]; /* first of each lane, 0 none */
	uint64_t seen[BN_IDS_N / 64];
};

/* bn_ids_reset - nothing is known, of either lane. */
void bn_ids_reset(struct bn_ids *x);

/* bn_ids_restart - a lane is a new connection. */
void bn_ids_restart(struct bn_ids *x, uint32_t lane);

/* bn_ids_take - an id from a lane (0, 1; CHECK). True: news. */
bool bn_ids_take(struct bn_ids *x, uint32_t lane, uint64_t id);

/* bn_ids_lost - how many ids nobody can bring any more, since the last call.
 * lane: the only one that is left, or 2 when both are there. */
uint64_t bn_ids_lost(struct bn_ids *x, uint32_t lane);

/* bn_ids_has_caught_up - is everything here from before a lane's first id?
 * True for a lane that has none. */
bool bn_ids_has_caught_up(const struct bn_ids *x, uint32_t lane);

#endif
