/*
 * feed_int.h - what the parts of the feed core share; not for others.
 *
 * Each venue's state begins with struct feed, so that a pointer to one is a
 * pointer to the other. Pure.
 */
#ifndef FEEDD_FEED_INT_H
#define FEEDD_FEED_INT_H

#include "feedd/feed.h"
#include "feedd/link.h"
#include "feedd/said.h"
#include "feedd/skew.h"
#include "feedd/unknown.h"
#include "libcore/book.h"

/* What a venue brings. All are called inside a step. */
struct feed_ops {
	void (*start)(struct feed *f, const struct feed_event *ev);
	void (*open)(struct feed *f, uint8_t conn); /* feed_open_url */
	void (*up)(struct feed *f, uint8_t conn);
	void (*down)(struct feed *f, uint8_t conn);
	void (*frame)(struct feed *f, const struct feed_event *ev);
	void (*http)(struct feed *f, const struct feed_event *ev);
	void (*timer)(struct feed *f); /* or cfg has changed */
	void (*ping)(struct feed *f, uint8_t conn);
	void (*resync)(struct feed *f, enum ring_content content);
	void (*stop)(struct feed *f); /* may be NULL */
	/* A shard went stale, or is fresh again without a new connection; may
	 * be NULL. Not for shard 0: its state is read for all. */
	void (*stale)(struct feed *f, uint8_t shard, bool is_stale);
	uint64_t (*hash)(const struct feed *f, uint64_t h);
	/* feed_recall; NULL: indices are the configuration's. */
	void (*recall)(struct feed *f, uint16_t idx, const struct instr *in);
};

/* What readers know as one connection: the lanes s and s + FEED_LANES. */
struct shard {
	bool wanted;
	bool optional; /* the venue as a whole does without it */
	uint8_t main;  /* the connection to keep when one is enough */
	uint8_t told;  /* state in the last TICK_LINK */
	uint64_t told_ns;
};

struct feed {
	const struct feed_ops *ops;
	const struct feed_sink *sink;
	enum venue venue;
	uint32_t shard_n; /* shards ever used */
	uint64_t epoch;
	struct cfg cfg;
	/* the event at hand */
	uint64_t now_ns;
	int64_t wall_ns;
	uint64_t random;
	uint16_t code; /* of FEED_EV_DOWN */
	uint8_t conn;
	uint8_t replay; /* SLOT_REPLAY while answering a resync */
	bool stopping;
	bool has_universe; /* the list of instruments is known */
	bool has_held;
	bool told_link; /* in this step: due times have changed */
	uint32_t instr_n;
	uint64_t wake_ns;	/* of links and venue together */
	uint64_t venue_wake_ns; /* asked for by the venue's part */
	int64_t venue_ns;	/* newest time the venue gave */
	struct tick held;	/* goes out next: may get SLOT_BATCH_END */
	struct link link[FEED_CONN_N];
	struct shard shard[FEED_LANES];
	struct budget budget;	      /* of connections opened */
	uint64_t hold_ns[FEED_LANES]; /* by hold_of: none before */
	struct skew skew;	      /* of the venue's clock */
	struct feed_stats stats;
	uint64_t told_ns[REASON_N];	 /* last FEED_LOG_MALFORMED */
	struct said failed[SAID_CAUSES]; /* FEED_LOG_DISCOVERY */
};

/* An instrument as its readers know it. */
struct pub {
	uint16_t idx;
	uint16_t epoch;
	uint8_t conn;
	bool is_valid;	     /* readers have a touch (and book) */
	struct tick_bbo bbo; /* last sent */
	int64_t bbo_ns;	     /* its venue time */
};

/* feed_tick - zeroed tick with its header; venue_ns 0 when unknown. */
struct tick feed_tick(
    const struct feed *f, enum slot_kind kind, uint16_t idx, int64_t venue_ns);

/* feed_put - send a tick, after the one held. feed_batch_end - mark the
 * held one as the end of its batch and send it. */
void feed_put(struct feed *f, const struct tick *t);
void feed_batch_end(struct feed *f);

/* feed_drop - count something unusable; tell people once a minute and
 * reason. text, n: a sample. */
void feed_drop(
    struct feed *f, enum reason r, size_t off, const char *text, size_t n);

/* feed_count - the same without a sample. */
void feed_count(struct feed *f, enum reason r);

/* feed_note - a reason that is not about an unusable message. */
void feed_note(struct feed *f, enum reason r);

/* feed_failed - an answer that did not come or cannot be used, told once a
 * minute and cause. what: was asked for; about: slug, coin, symbol, or "". */
void feed_failed(struct feed *f, const struct feed_event *ev, const char *what,
    const char *about);

/* A name of the configuration that the venue may not know. */
struct feed_name {
	const char *key; /* of the configuration */
	const char *value;
	uint64_t after_ns; /* unknown for so long: told */
	bool is_known;
	bool can_tell; /* the venue could have shown it */
};

/* feed_unknown - look whether it is known, tell when it is not (unknown.h),
 * and want a timer when that is due. */
void feed_unknown(
    struct feed *f, struct unknown *u, const struct feed_name *name);

/* feed_log - a line about an instrument. */
void feed_log(struct feed *f, enum feed_log log, uint16_t idx, enum reason r,
    int64_t value);

void feed_send(struct feed *f, uint8_t conn, const char *text, size_t n);
void feed_ping_frame(struct feed *f, uint8_t conn);
/* feed_get - body NULL: GET, else POST of a JSON text. */
void feed_get(struct feed *f, uint32_t tag, const char *url, const char *body);

/* feed_open_url - answer of the venue's part to LINK_DO_OPEN. */
void feed_open_url(struct feed *f, uint8_t conn, const char *url);

/* feed_reconnect - end a connection that is up; it comes back when it is
 * wanted. why: NONE when that was planned. */
void feed_reconnect(struct feed *f, uint8_t conn, enum reason why);

/*
 * Lanes (lanes.c). Which connections of a shard are wanted:
 *   1. the main one, always; the other one too with <venue>.ab
 *   2. the other one when the main one is due: older than <venue>.rotate, or
 *      the venue said that it will close it (feed_relieve)
 *   3. the other one takes over when it is READY and the main one is not, or
 *      is due and both have run on for 2 s: what was under way has come then
 *   4. what is not wanted is closed; with <venue>.ab one that is due is
 *      closed, and comes back, once the other one has been READY for 2 s
 * ops->up and ops->down are called for each lane; a lane is complete when it
 * has shown that it can carry the shard alone.
 */

/* feed_want - open or close a shard. */
void feed_want(struct feed *f, uint8_t shard, bool wanted);

/* feed_relieve - this connection is to be replaced: PEER_CLOSED, the venue
 * says that it will close it; SILENT, a stream of it is dead. feed_relieve_all
 * - every lane of a shard. */
void feed_relieve(struct feed *f, uint8_t conn, enum reason why);
void feed_relieve_all(struct feed *f, uint8_t shard, enum reason why);

/* feed_is_live - is a connection up? feed_is_carried - is the other lane of
 * its shard? */
bool feed_is_live(const struct feed *f, uint8_t conn);
bool feed_is_carried(const struct feed *f, uint8_t conn);

/* feed_best - the better lane of a shard; a connection. */
uint8_t feed_best(const struct feed *f, uint8_t shard);

/* feed_idle - silence of data that ends a connection of the shard; 0 none. */
void feed_idle(struct feed *f, uint8_t shard, uint64_t idle_ns);

/* lanes_run - what is wanted of a shard now. lanes_due - when that may change
 * by time alone; 0 never. */
void lanes_run(struct feed *f, uint8_t shard);
uint64_t lanes_due(const struct feed *f, uint8_t shard);

/* lanes_planned - was the end of a connection, for `why`, part of a plan?
 * *cause: rotation, announced, silent_stream, unneeded or stop. Before the
 * link is made again. */
bool lanes_planned(const struct feed *f, const struct link *l, enum reason why,
    const char **cause);

/* feed_wake_at - the venue's part wants a timer at ns, or earlier. */
void feed_wake_at(struct feed *f, uint64_t ns);

/* feed_complete - all books of a connection are (not) there. */
void feed_complete(struct feed *f, uint8_t conn, bool complete);

/* feed_stamp - venue time of a message of the connection at hand. */
void feed_stamp(struct feed *f, int64_t venue_ns);

/* feed_instr - publish an instrument entry, and TICK_INSTR. */
void feed_instr(struct feed *f, uint16_t idx, const struct instr *in);

/* feed_recv - a message came on the connection at hand; is_data: not a mere
 * keep-alive. */
void feed_recv(struct feed *f, bool is_data);

/* feed_pong - the venue's own answer to our ping, as a message. */
void feed_pong(struct feed *f);

/* feed_gap - instrument gap; nothing of it is valid until the next BBO. */
void feed_gap(struct feed *f, struct pub *p, enum reason r, uint64_t lost_n);

/*
 * pub_snapshot - the whole book: SNAP_BEGIN, levels from worst to best,
 * SNAP_END, BBO; all with SLOT_SNAP. Makes the instrument valid.
 * top_only: BBO alone (answer to a RING_TOP resync).
 */
struct pub_stamp {
	int64_t venue_ns;
	uint64_t venue_seq;
	bool top_only;
};
void pub_snapshot(struct feed *f, struct pub *p, const struct book *b,
    const struct pub_stamp *s);

/* pub_diff - levels that differ between two books; no BBO. */
void pub_diff(struct feed *f, struct pub *p, const struct book *from,
    const struct book *to, const struct pub_stamp *s);

/* pub_forget - not valid; the next touch is sent whatever it is. */
void pub_forget(struct pub *p);

/* pub_again - answer to a resync when there is no book to tell: the BBO, or
 * a gap when there is none. */
void pub_again(struct feed *f, struct pub *p);

/* pub_level - one level. */
void pub_level(struct feed *f, const struct pub *p, enum side side,
    struct book_level l, const struct pub_stamp *s);

/* pub_touch - BBO of the book (or given) if it changed since the last. */
void pub_touch(
    struct feed *f, struct pub *p, const struct book *b, int64_t venue_ns);
void pub_bbo(struct feed *f, struct pub *p, const struct tick_bbo *bbo,
    int64_t venue_ns);

/* The venues. */
extern const struct feed_ops pm_ops;
extern const struct feed_ops bn_ops;
extern const struct feed_ops hl_ops;
size_t pm_sz(void);
size_t bn_sz(void);
size_t hl_sz(void);

#endif
