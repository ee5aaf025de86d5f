/*
 * bn_depth.h - one Binance book kept from a REST snapshot and differences.
 *
 *   1. every difference is queued until the snapshot is there;
 *   2. a snapshot older than the first queued one is asked for again;
 *   3. u <= id: dropped; U > id + 1 (futures: pu != id): GAP, start over;
 *   4. quantities are absolute, so the one that straddles is applied whole.
 * Limits : BN_QUEUE_N differences and BN_POOL_N levels wait; more of them
 *          empty the queue and the next snapshot is asked for. Pure.
 */
#ifndef FEEDD_BN_DEPTH_H
#define FEEDD_BN_DEPTH_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/book.h"
#include "libvenue/binance.h"

#define BN_BOOK_CAP 8192u
#define BN_QUEUE_N  256u
#define BN_POOL_N   16384u

enum bn_sync {
	BN_SYNC_WAIT = 1, /* queueing, no snapshot yet */
	BN_SYNC_OK,
	BN_SYNC_N
};

struct bn_diff {
	uint64_t first_id;
	uint64_t last_id;
	uint64_t prev_id;
	uint32_t at; /* in the pool: bids, then asks */
	uint32_t bids_n;
	uint32_t asks_n;
	bool has_prev;
};

struct bn_depth {
	enum bn_sync sync;
	uint32_t queue_n;
	uint32_t pool_n;
	uint32_t dropped_n; /* levels beyond BN_BOOK_CAP given up */
	uint64_t last_id;
	bool has_diff; /* one was applied since the snapshot */
	struct book book;
	struct book_level level[2 * BN_BOOK_CAP];
	struct bn_diff queue[BN_QUEUE_N];
	struct bn_level pool[BN_POOL_N];
};

/* What became of a difference. */
enum bn_applied {
	BN_APPLIED = 1,
	BN_QUEUED,
	BN_OLD, /* known already, dropped */
	BN_GAP, /* out of sequence: waiting again, ask for a snapshot */
	BN_APPLIED_N
};

/* Called for each level that a difference changed. */
typedef void (*bn_level_fn)(
    void *user, enum side side, struct book_level level);

/* bn_depth_reset - empty, waiting. */
void bn_depth_reset(struct bn_depth *d);

/* bn_depth_is_ahead - is there a book, and is something missing between it
 * and a BN_DEPTH event? */
bool bn_depth_is_ahead(const struct bn_depth *d, const struct bn_event *ev);

/* bn_depth_diff - take a BN_DEPTH event. */
enum bn_applied bn_depth_diff(struct bn_depth *d, const struct bn_event *ev,
    bn_level_fn changed, void *user);

/* bn_depth_snapshot - take a BN_SNAPSHOT event. False: too old or it does
 * not join the queue; ask again. */
bool bn_depth_snapshot(struct bn_depth *d, const struct bn_event *ev);

/* bn_depth_partial - take a BN_PARTIAL event as the whole book. */
void bn_depth_partial(struct bn_depth *d, const struct bn_event *ev);

#endif
