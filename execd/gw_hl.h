/*
 * gw_hl.h - the port of Hyperliquid: acts in, requests out; answers in,
 * events out.
 *
 * What      : between port.h and the bytes of the venue. Inputs are calls,
 *             outputs go through a sink while the call runs.
 * Orders    : cloid = (magic, our id), so that a restart knows its own. The
 *             acts of one step leave together: cancels, changes, post-only
 *             orders, then the rest; post-only is never mixed with others.
 *             expiresAfter is GWHL_EXPIRES_MS ahead. A price, size or value
 *             that the venue would refuse is our error and is not sent.
 * Paths     : posts on the socket; HTTP when it is down or has too many in
 *             flight. gwhl_cancel_all and steps with an urgent cancel use
 *             both at once with the same bytes;
 *             "duplicate nonce" then means delivered. Nothing is placed while
 *             the socket is down: its fills would not be seen.
 * Gate      : what places (orders, changes) says so to the sink, which may
 *             refuse it: then it was not sent, and each order of it is
 *             REJECTED (a change: NOT_CANCELLED) at once with the sink's
 *             reason. Anything else that the socket does not take goes over
 *             HTTP.
 * UNKNOWN   : no answer in GWHL_CALL_NS, an unclear one, or a lost socket.
 *             orderStatus by cloid says; unknownOid is final only when asked
 *             GWHL_MARGIN_MS after expiresAfter. Never sent again.
 * Changes   : PORT_REDUCE (and its px, when another) is batchModify without
 *             `a`: the order gets a new oid, and is placed only if the old
 *             one could still be cancelled. Words about an older oid are
 *             stale; oids of one cloid only grow. A change that failed is
 *             told as NOT_CANCELLED: what rested still does.
 * Fills     : from userFills only, once for each (oid, tid, time), final at
 *             once (no CONFIRMED). The first snapshot is not booked: after
 *             each (re)connect userFillsByTime brings what was missed. A fill
 *             that does not start at the position that the last one left
 *             makes a resync. A CANCELLED waits for the fills that its
 *             remainder implies, 3 * GWHL_END_NS at most; so does a REDUCED for
 *             fills of before. What rests beyond the size that order
 *             management knows (a change met fills not yet seen) is
 *             withdrawn, as is an order of ours that nobody knows.
 *             The start tells the last fills again, under their ids.
 * Budget    : actions per address; the last `budget_reserve` are for cancels
 *             (CANCEL_ONLY). When the venue refuses a cancel for it too: one
 *             action every GWHL_SLOW_NS.
 * Dead-man  : scheduleCancel, refreshed every GWHL_BEAT_NS, GWHL_AHEAD_MS
 *             ahead, while something of ours may rest and the lease is fresh;
 *             taken back before it fires when nothing does. Off for good when
 *             the account may not, for the day after 9 triggers.
 * Time      : ns monotonic and wall_ns UTC with each call.
 * Secrets   : pointers, kept by the caller; none is in the book, in a log
 *             item or in a request.
 * Sinks     : must not call back into the port.
 * Pure      : yes; no allocation. O(active orders) a timer, O(1) an act.
 *
 *   gwhl_init; gwhl_market for each coin; gwhl_start; then
 *   gwhl_act ... gwhl_flush at the end of a step; gwhl_timer at gwhl_wake.
 */
#ifndef EXECD_GW_HL_H
#define EXECD_GW_HL_H

#include <stddef.h>

#include "execd/bucket.h"
#include "execd/gw_hl_state.h"
#include "libshm/instr.h"
#include "libsign/address.h"
#include "libsign/hl_action.h"
#include "libvenue/hl_info.h"

#define GWHL_CALLS_VENUE 100u /* posts in flight */
#define GWHL_CALLS_PLACE 80u  /* of them for others than cancels */
#define GWHL_EXPIRES_MS	 4000u
#define GWHL_MARGIN_MS	 2000u
#define GWHL_AHEAD_MS	 15000u
#define GWHL_CALL_NS	 UINT64_C(5000000000)
#define GWHL_END_NS	 UINT64_C(2000000000)
#define GWHL_BEAT_NS	 UINT64_C(5000000000)
#define GWHL_SLOW_NS	 UINT64_C(10000000000)
#define GWHL_LIMIT_NS	 UINT64_C(60000000000)
#define GWHL_AGENTS_NS	 UINT64_C(21600000000000)
#define GWHL_PING_NS	 UINT64_C(20000000000)
#define GWHL_PONG_NS	 UINT64_C(5000000000)
#define GWHL_SKEW_MS	 1000 /* a clock that is further off: no trading */

struct gwhl_now {
	uint64_t ns;
	int64_t wall_ns;
};

struct gwhl_http {
	uint64_t tag;
	const char *path; /* /exchange or /info; JSON */
	const char *body;
	size_t body_n;
	uint64_t timeout_ns;
	bool is_urgent; /* a cancel */
};

/* What is worth a line; the shell names them. */
enum gwhl_log {
	GWHL_LOG_REFUSED = 1, /* a known text; value: enum reason */
	GWHL_LOG_UNKNOWN_TEXT,
	GWHL_LOG_OUR_BUG,    /* never sent, or refused for its form */
	GWHL_LOG_BAD_ANSWER, /* value: HTTP status */
	GWHL_LOG_BAD_FRAME,  /* value: enum reason */
	GWHL_LOG_STATUS,     /* a status that is not known */
	GWHL_LOG_FOREIGN,    /* an open order that we did not make; oid */
	GWHL_LOG_FOREIGN_FILL,
	GWHL_LOG_LIQUIDATION,  /* a fill without an order of ours; oid */
	GWHL_LOG_GAP,	       /* fills do not continue: resync */
	GWHL_LOG_SHORT,	       /* fills that a remainder implies do not come */
	GWHL_LOG_SIGNER,       /* not known; text: the address recovered */
	GWHL_LOG_AGENT_EXPIRY, /* value: days left */
	GWHL_LOG_BUDGET,       /* value: actions left */
	GWHL_LOG_NO_SCHEDULE,  /* the dead-man switch is off */
	GWHL_LOG_SCHEDULED,    /* it fired; value: times today */
	GWHL_LOG_RATE_LIMIT,
	GWHL_LOG_STRAY,	     /* an order of ours that nobody wants; oid */
	GWHL_LOG_SILENT,     /* no pong: the socket should be made again */
	GWHL_LOG_IMPOSSIBLE, /* beyond its order's size, not booked; qty */
	GWHL_LOG_N
};

/* A position as the venue sees it, at the end of each reconcile: both of the
 * same moment, behind every fill that they contain. */
struct gwhl_position {
	uint16_t instr;
	qty_t venue; /* signed */
	qty_t ours;  /* what the fills since the first reconcile say */
};

struct gwhl_sink {
	void *user;
	/* REASON_OK: handed over whole; else nothing of it will ever leave.
	 * places: an order may come of it. */
	enum reason (*ws)(void *user, const char *text, size_t n, bool places);
	void (*http)(void *user, const struct gwhl_http *h);
	void (*drop)(void *user); /* make a new socket, after this call */
	void (*event)(void *user, const struct port_event *ev);
	/* text: why, for a person; "" when plain */
	void (*mode)(void *user, enum port_mode mode, const char *text);
	void (*log)(void *user, enum gwhl_log what, int64_t value,
	    const char *text, size_t n);
	/* exchangeStatus: the venue's clock less ours */
	void (*clock)(void *user, int64_t offset_ns);
	void (*position)(void *user, const struct gwhl_position *p);
	/* value of the account, with each reconcile */
	void (*account)(void *user, usd_t usd);
	/* time from a placement or change to its answer */
	void (*answered)(void *user, uint64_t ns);
	/* a refusal that carried the touch; 0: that side is empty */
	void (*touch)(void *user, uint16_t instr, px_t bid, px_t ask);
};

struct gwhl_setup {
	const struct secp *secp;
	const uint8_t *key; /* of the agent */
	bool mainnet;
	bool has_master; /* configured: must be what the venue says */
	struct address master;
	bool cancel_on_start; /* exec.on_start = cancel */
	bool has_schedule;    /* use scheduleCancel */
	uint64_t fill_poll_ns;
	uint64_t check_ns; /* between reconciles */
	uint32_t budget_reserve;
	uint64_t seed; /* of jitter */
};

struct gwhl_stat {
	uint64_t orders;
	uint64_t cancels;
	uint64_t changes;
	uint64_t asks;
	uint64_t unknowns;
	uint64_t fills;
	uint64_t repeats;
	uint64_t impossible; /* fills beyond an order's size, not booked */
	uint64_t stale;	     /* words about older oids */
	uint64_t resyncs;
	uint64_t post_only;
	uint64_t held; /* placements that the sink refused */
	uint64_t bad;
};

struct gwhl {
	struct gwhl_setup set;
	const struct gwhl_sink *sink;
	struct gwhl_book *book;
	struct gwhl_now now; /* of the call that runs */
	struct address agent;
	char agent_text[ADDRESS_TEXT_MAX];
	char user[ADDRESS_TEXT_MAX]; /* the master */
	struct gwhl_coin coin[GWHL_COINS];
	struct bucket weight;	/* of the address we call from */
	struct bucket messages; /* on sockets */
	struct backoff again;
	uint64_t tag;
	uint32_t life_key_n; /* of the book's, when this life began */
	int64_t skew_ms;
	enum port_mode told;
	uint64_t post_only_ns; /* until then; after an upgrade */
	uint64_t hold_ns;      /* the venue asked us to slow down */
	uint64_t slow_ns;      /* next cancel in the slow mode, 0 off */
	uint64_t budget_left;
	bool is_up;
	bool is_blocked;
	bool is_spent; /* the budget is */
	bool knows_budget;
	bool has_no_schedule;
	bool is_scheduled;
	bool is_urgent;	    /* a cancel of this step is */
	uint8_t subscribed; /* streams acknowledged, bits */
	uint32_t posts_out;
	uint64_t lease_ns;
	uint64_t beat_ns;
	uint64_t armed_ns; /* the dead-man switch fires then, 0: it does not */
	uint64_t ask_ns;   /* when streams were asked for, 0 not yet */
	uint64_t sent_ns;  /* last frame to the venue */
	uint64_t wrote_ns; /* the sink's: just before its last write, 0 none */
	uint64_t pong_ns;  /* a pong is due by then, 0 none */
	char why[160];
	struct gwhl_sync sync;
	uint32_t todo_n;
	uint32_t todo[GWHL_ORDERS];
	struct gwhl_call call[GWHL_CALLS];
	struct gwhl_stat stat;
	uint64_t wire_ns[GWHL_ORDERS]; /* it left, in this life; 0 not yet */
	struct hl_order orders[HL_BATCH_MAX];
	struct hl_cancel cancels[HL_BATCH_MAX];
	struct hl_modify changes[HL_BATCH_MAX];
	char body[HL_BODY_MAX];
	char frame[HL_BODY_MAX + 128];
};

/*
 * gwhl_init - book: zeroed, or as an earlier life left it: what was given
 * out is then UNKNOWN. Returns false when the key is bad. s->secp and key
 * must live as long as g.
 */
bool gwhl_init(struct gwhl *g, const struct gwhl_setup *s,
    struct gwhl_book *book, const struct gwhl_sink *sink);
void gwhl_start(struct gwhl *g, const struct gwhl_now *now);

/* gwhl_market - what an instrument is (again). False: no room, or not a
 * perpetual of this venue. */
bool gwhl_market(struct gwhl *g, uint16_t instr, const struct instr *in);

void gwhl_act(
    struct gwhl *g, const struct port_act *a, const struct gwhl_now *now);
/* gwhl_flush - gives out what acts have queued. */
void gwhl_flush(struct gwhl *g, const struct gwhl_now *now);

/* gwhl_cancel_all - everything of ours, now, on both paths. */
void gwhl_cancel_all(struct gwhl *g, const struct gwhl_now *now);

/* gwhl_verify - read the venue's open orders again; gwhl_flat is then of
 * that reading. */
void gwhl_verify(struct gwhl *g, const struct gwhl_now *now);

/* The socket: open, closed, a text frame of it. */
void gwhl_up(struct gwhl *g, const struct gwhl_now *now);
void gwhl_down(struct gwhl *g, const struct gwhl_now *now);
void gwhl_text(
    struct gwhl *g, const char *text, size_t n, const struct gwhl_now *now);

/* gwhl_answer - of an HTTP request; status 0: none came. */
struct gwhl_answer {
	uint64_t tag;
	unsigned status;
	const char *body;
	size_t n;
};
void gwhl_answer(
    struct gwhl *g, const struct gwhl_answer *a, const struct gwhl_now *now);

/* gwhl_lease - the lease is fresh until then; the dead-man switch is not
 * refreshed after it. */
void gwhl_lease(struct gwhl *g, uint64_t until_ns);

void gwhl_timer(struct gwhl *g, const struct gwhl_now *now);
/* gwhl_wake - when the timer is wanted next; never more than 100 ms away. */
uint64_t gwhl_wake(const struct gwhl *g, uint64_t now_ns);

/* gwhl_flat - nothing of ours rests or may rest, and no call of an action is
 * unanswered. */
bool gwhl_flat(const struct gwhl *g);

/* gwhl_cloid, gwhl_id_of - our id as cloid and back; 0: not one of ours. */
void gwhl_cloid(uint64_t id, uint8_t cloid[HL_CLOID_SZ]);
uint64_t gwhl_id_of(const uint8_t cloid[HL_CLOID_SZ]);

/* gwhl_fill_id - of a fill. */
uint64_t gwhl_fill_id(uint64_t oid, uint64_t tid, int64_t venue_ns);

#endif
