/*
 * link.h - health of one connection: state, round trips, age, reconnects.
 *
 * States   DOWN -> CONNECTING -> UP -> READY, and STALE while nothing at all,
 *          or no data, has come for too long. READY takes complete books and
 *          a data message on this very connection: one that answers pings and
 *          carries nothing stays UP, however often it is made again. Once
 *          READY a book that is fetched again (another grid, a new window, a
 *          wrong hash) is that instrument's affair, not the connection's.
 * Probe    one ping under way at a time, the next one a ping interval after
 *          the last. A pong that is missing for latency.pong_overdue sets
 *          `overdue`; from then on its age counts as the round trip, once an
 *          interval, until it comes.
 *          The interval is latency.ping_interval within what the venue counts
 *          as polite and as alive (link.c).
 *          While messages come, but no pong for latency.pong_give_up, the
 *          connection is given up: half of it is dead. The round trip that
 *          is smoothed is of this connection alone.
 * Silence  no message and no pong for feed.stale_*: STALE; for twice as long
 *          the connection is given up. No data for `idle_ns`, which the venue
 *          sets from the expected rate of what is carried: STALE and given up
 *          at once, pongs or not. The first data of a connection may take
 *          twice feed.snapshot_timeout longer.
 * Backoff  feed.reconnect_min doubling to feed.reconnect_max, a random point
 *          in the upper half; it starts over after feed.healthy_after of life.
 *          Above that a budget for all connections of a venue: budget_take.
 * Pure: yes.
 */
#ifndef FEEDD_LINK_H
#define FEEDD_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "feedd/clockoff.h"
#include "libcore/reasons.h"
#include "libshm/cfg.h"
#include "libshm/slots.h"

struct link {
	uint8_t conn;
	uint8_t venue;
	uint8_t state;	/* enum link_state */
	uint8_t told;	/* state last logged */
	bool wanted;	/* reconnect when down */
	bool complete;	/* every book of it is */
	bool was_ready; /* once since it is up */
	bool closing;	/* we asked for its end */
	bool awaiting;	/* a ping is under way */
	bool overdue;	/* ... for too long */
	bool pong_lax;	/* a venue that may never answer: no overdue, no end */
	bool has_pong;	/* one has come on this connection */
	bool has_rtt;
	bool has_data;	 /* some has come on this connection */
	uint8_t leaving; /* enum reason: to be replaced for it; 0 no */
	uint32_t attempt;
	uint32_t rtt_us;
	uint32_t rtt_ema_us;
	int32_t age_us;
	uint32_t msgs;
	uint32_t reconnects;
	uint32_t opens;
	uint32_t pad;
	uint64_t up_ns;
	uint64_t retry_ns;  /* DOWN and wanted: connect then */
	uint64_t ping_ns;   /* last ping sent */
	uint64_t sample_ns; /* last overdue sample */
	uint64_t recv_ns;   /* last message or pong */
	uint64_t data_ns;   /* last data message */
	uint64_t ready_ns;  /* READY since, when it is */
	uint64_t idle_ns;   /* 0: silence of data is normal */
	struct clockoff clock;
};

/*
 * Connections opened, of one venue. Allowed are a burst and one more each
 * interval: Polymarket 32 and 1 s, Binance 10 and 6 s (60 in 5 minutes, the
 * venue takes 300), Hyperliquid 6 and 4 s (21 a minute, the venue takes 30
 * from all our processes together).
 */
struct budget {
	uint64_t at_ns; /* when it is whole again */
};

/* budget_take - open one now? False, and *due_ns when, if it is too early.
 * Worst case in any window w: burst + w / interval + 1. */
bool budget_take(
    struct budget *b, enum venue venue, uint64_t now_ns, uint64_t *due_ns);

/* What link_timer wants done now. */
enum link_do {
	LINK_DO_NOTHING = 1,
	LINK_DO_OPEN,	 /* state is CONNECTING from now on */
	LINK_DO_CLOSE,	 /* silent: close it */
	LINK_DO_GIVE_UP, /* its pong does not come: close it */
	LINK_DO_PING,	 /* counted as sent */
	LINK_DO_N
};

void link_init(struct link *l, enum venue venue, uint8_t conn);

/* link_want - connect at the next timer; false: never again. */
void link_want(struct link *l, bool wanted, uint64_t now_ns);

void link_up(struct link *l, uint64_t now_ns);

/* link_down - the connection ended; `random` places the next attempt. */
void link_down(
    struct link *l, const struct cfg *cfg, uint64_t now_ns, uint64_t random);

/* link_recv - a message came; is_data: market data, not a keep-alive. */
void link_recv(struct link *l, uint64_t now_ns, bool is_data);

/* link_stamp - a message that the venue sent at venue_ns: age, clock offset.
 * 0 is ignored. */
void link_stamp(
    struct link *l, uint64_t now_ns, int64_t wall_ns, int64_t venue_ns);

/* link_pong - the answer to the ping under way; others are ignored. */
void link_pong(struct link *l, const struct cfg *cfg, uint64_t now_ns);

/* link_timer - what is due. Call until it returns LINK_DO_NOTHING. */
enum link_do link_timer(struct link *l, const struct cfg *cfg, uint64_t now_ns);

/* link_due - when link_timer has something to do next; 0 never. */
uint64_t link_due(const struct link *l, const struct cfg *cfg);

/* link_eval - UP, READY or STALE from what is known; DOWN and
 * CONNECTING stay. Updates l->state. */
void link_eval(struct link *l, const struct cfg *cfg, uint64_t now_ns);

/* link_report - payload of TICK_LINK as of now. */
void link_report(const struct link *l, uint64_t now_ns, struct tick_link *out);

/* link_is_live - connected: UP, READY or STALE. */
static inline bool
link_is_live(const struct link *l)
{
	return l->state >= LINK_UP && l->state <= LINK_STALE;
}

#endif
