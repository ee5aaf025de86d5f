/*
 * pm_sub.h - which of Polymarket's markets are subscribed where, and whether
 * what was asked for comes. For feed_polymarket.c and the pm_*.c files only.
 * Pure.
 */
#ifndef FEEDD_PM_SUB_H
#define FEEDD_PM_SUB_H

#include "feedd/pm_feed.h"

/* pm_is_on - a market whose books are subscribed. */
static inline bool
pm_is_on(const struct pm_market *m)
{
	return m->used && !m->is_off;
}

static inline uint32_t
pm_lane_of(uint8_t conn)
{
	return conn / FEED_LANES;
}

/* pm_is_mixed - do two lanes of a shard bring the same now? */
bool pm_is_mixed(const struct pm_feed *p, uint8_t conn);

/* pm_room - a shard with room for a market, not this one; FEED_LANES none. */
uint8_t pm_room(const struct pm_feed *p, uint8_t but);

/* pm_join - a market, on the shard of pub.conn. pm_leave - off it; one that
 * is empty then is closed. */
void pm_join(struct pm_feed *p, struct pm_market *m);
void pm_leave(struct pm_feed *p, struct pm_market *m);

/* pm_subscribe_all - a whole connection, after it came up. */
void pm_subscribe_all(struct pm_feed *p, uint8_t conn);

/* pm_lane_lost - a lane is gone while the other one carries on: what that
 * one has not shown is lost, what is awaited is asked there. */
void pm_lane_lost(struct pm_feed *p, struct pm_market *m, uint8_t conn);

/* pm_resnap - unsubscribe and subscribe (a snapshot comes only then), on the
 * lane that leads or on one connection; at most every PM_RESNAP_NS. */
void pm_resnap(struct pm_feed *p, struct pm_market *m);
void pm_resnap_on(struct pm_feed *p, struct pm_market *m, uint8_t conn);

/* pm_timer - verdicts and snapshots of a market that are due. Returns when
 * the next is, 0 none. */
uint64_t pm_timer(struct pm_feed *p, struct pm_market *m);

/* pm_check_complete - can both connections of a shard carry every book? */
void pm_check_complete(struct pm_feed *p, uint8_t shard);

/* pm_probe - GET /book of a token, tag FEED_TAG_BOOK; false: not now. */
bool pm_probe(struct pm_feed *p, const struct pm_market *m, uint32_t role_idx);

/* pm_rest_ahead - an answer to it: was it newer and different? pm_probe_again
 * - the second one, when it is due. */
void pm_rest_ahead(struct pm_feed *p, const struct pm_market *m,
    uint32_t role_idx, bool is_ahead);
void pm_probe_again(struct pm_feed *p);

/* pm_exists_answer - to PM_TAG_EXISTS. pm_hydrated - a book came. */
void pm_exists_answer(struct pm_feed *p, const struct feed_event *ev);
void pm_hydrated(struct pm_feed *p, struct pm_market *m);

/* pm_unknown_run - names of the configuration without a market or price. */
void pm_unknown_run(struct pm_feed *p);

/* pm_set_idle - silence that is too long for the markets of each shard. */
void pm_set_idle(struct pm_feed *p);

#endif
