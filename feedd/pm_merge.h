/*
 * pm_merge.h - one stream of a token from two lanes that bring the same.
 *
 * The venue numbers nothing. Two facts replace numbers: each lane keeps the
 * order of a token's messages, and the same message has the same content on
 * both. So:
 *   1. a message that the other lane brought is SEEN; counted, since a lane
 *      may bring two that are equal
 *   2. one newer than the book is applied
 *   3. one of the book's own moment is applied when its lane has brought
 *      everything else of that moment, so that it is the next one, or when
 *      nothing else of that moment was about its level
 *   4. one older than the last whole book is in it: COVERED
 *   5. any other was lost on the other lane: LATE. It is not applied, for
 *      what it would undo is newer; the token needs a whole book
 * Limit : PM_SEEN_N messages are remembered a shard, the oldest of its row is
 *         forgotten first. A message seen twice for want of memory is LATE
 *         or writes the same quantity again, never more.
 * Pure  : yes, O(1).
 */
#ifndef FEEDD_PM_MERGE_H
#define FEEDD_PM_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "libvenue/polymarket.h"

#define PM_LANES	2u
#define PM_ORDER_LEVELS 16u
#define PM_SEEN_WAY	4u
#define PM_SEEN_ROW	2048u /* a power of two */
#define PM_SEEN_N	(PM_SEEN_WAY * PM_SEEN_ROW)

struct pm_seen_row {
	uint64_t id[PM_SEEN_WAY]; /* 0 none */
	uint8_t n[PM_SEEN_WAY][PM_LANES];
	uint8_t next; /* to be forgotten */
};

/* Zeroed: nothing seen. */
struct pm_seen {
	struct pm_seen_row row[PM_SEEN_ROW];
};

/* Where the book of a token stands. Zeroed: no book. */
struct pm_order {
	int64_t at_ns;	    /* venue time of the last change */
	int64_t snap_ns;    /* ... of the last whole book */
	uint32_t applied_n; /* messages of at_ns that are in the book */
	uint32_t level_n;   /* levels that they changed; more: all */
	uint64_t level[PM_ORDER_LEVELS];
	uint32_t lane_n[PM_LANES]; /* ... of them that a lane has brought */
};

enum pm_merge {
	PM_MERGE_APPLY = 1,
	PM_MERGE_SEEN,
	PM_MERGE_COVERED,
	PM_MERGE_LATE,
	PM_MERGE_N
};

/* pm_seen_take - a message came on a lane (CHECK). True: it has brought it
 * more often than the other lane, so it is news. */
bool pm_seen_take(struct pm_seen *s, uint32_t lane, uint64_t id);

/* What a message of a token is: level names the one level that it sets, 0 a
 * whole book. */
struct pm_order_msg {
	int64_t venue_ns;
	uint64_t level;
	uint32_t lane;
	bool is_news; /* by pm_seen_take */
};

/* pm_order_take - what to do with a message of a token that has a book.
 * APPLY moves the book's moment. */
enum pm_merge pm_order_take(struct pm_order *o, const struct pm_order_msg *m);

/* pm_order_alone - the same when no other lane mixes in: what is not older
 * is applied. */
enum pm_merge pm_order_alone(struct pm_order *o, const struct pm_order_msg *m);

/* pm_order_begin - the book was replaced by one that only this lane brings:
 * the answer to a subscription. */
void pm_order_begin(struct pm_order *o, int64_t venue_ns);

/* Identities of messages, never 0. life: of the book that they change, since
 * a book begun again takes them again; for trades none. */
uint64_t pm_id_change(
    const struct pm_change *c, int64_t venue_ns, uint64_t life);
uint64_t pm_id_book(const struct pm_event *ev, uint64_t life);
uint64_t pm_id_trade(const struct pm_event *ev);

/* pm_id_level - of a side and price, never 0. */
uint64_t pm_id_level(enum side side, tok_px_t px);

#endif
