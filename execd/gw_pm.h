/*
 * gw_pm.h - the port of Polymarket: acts in, requests out; answers in, events
 * out.
 *
 * What      : between port.h and the bytes of the venue. Inputs are calls,
 *             outputs go through a sink while the call runs.
 * Tokens    : a bid of YES at p is BUY YES at p or SELL NO at 1 - p; an ask
 *             the reverse. What is held, final and not offered already is
 *             sold first; the complement is bought otherwise; an order is
 *             never split between the two (T-24).
 * Orders    : the hash is made from (our id, time) and is in the book before
 *             the request leaves; a POST is never repeated. Accepted means:
 *             success, no error text, our own hash, a status we know.
 * UNKNOWN   : no answer, or an unclear one. GET /data/order/{hash} says;
 *             absence counts after GWPM_GRACE_NS and two reads that agree
 *             (T-27). An order that was thought absent and then shows up is
 *             cancelled at once.
 * Cancels   : for each id its own outcome (T-34); refused ones are asked
 *             about; an order that turns out to rest is cancelled again.
 *             There is no amend: PORT_REDUCE is a cancel.
 * Fills     : from trades only, by our own orders' side and price, once for
 *             each (trade, order); FAILED takes back once. A taker's legs
 *             are separate events whose ids follow from the first.
 * Signed    : what a signature cannot have given is no fill: more than the
 *             order's size, failed trades included (an order that buys at
 *             once: more dollars than its budget), a price worse than its
 *             limit, for who rested any price but its own. Not booked,
 *             logged, and PORT_BLOCKED.
 * Gaps      : after each (re)connect of the user channel, and after the venue
 *             refused to trade, nothing is placed until open orders and
 *             trades were read (PORT_RESYNC).
 * Ahead     : while idle, orders a tick or two from those that rest are signed
 *             before they are wanted. One that fits within the tolerance is
 *             sent instead, for its own size, which is never more.
 * Lapse     : no accepted heartbeat for GWPM_LAPSE_NS: every order UNKNOWN,
 *             and PORT_RESYNC (T-38).
 * Time      : ns monotonic and wall_ns UTC with each call.
 * Secrets   : pointers, kept by the caller; nothing secret is in the book, in
 *             a log item or in a request but its headers and the user
 *             channel's first text.
 * Pure      : yes; no allocation. O(active orders) a timer, O(1) an act.
 *
 *   gwpm_init, gwpm_start; gwpm_market for each instrument; then
 *   gwpm_act ... gwpm_flush at the end of a step; gwpm_timer at gwpm_wake.
 */
#ifndef EXECD_GW_PM_H
#define EXECD_GW_PM_H

#include <stddef.h>

#include "execd/bucket.h"
#include "execd/gw_pm_parts.h"
#include "execd/gw_pm_state.h"
#include "libshm/instr.h"
#include "libsign/pm_auth.h"
#include "libsign/pm_body.h"

#define GWPM_GRACE_NS UINT64_C(10000000000)
#define GWPM_BEAT_NS  UINT64_C(2500000000)
#define GWPM_LAPSE_NS UINT64_C(8000000000)
#define GWPM_BODY_MAX (PM_BATCH_MAX * PM_BODY_MAX + 64)

struct gwpm_now {
	uint64_t ns;
	int64_t wall_ns;
};

/* Each has a connection of its own, so that none waits for another. */
enum gwpm_role {
	GWPM_ROLE_ORDERS = 1,
	GWPM_ROLE_CANCELS,
	GWPM_ROLE_QUERIES,
	GWPM_ROLE_BEATS,
	GWPM_ROLE_N
};

struct gwpm_http {
	uint64_t tag;
	enum gwpm_role role;
	const char *method;
	const char *target;  /* path and query */
	const char *headers; /* lines with CR LF */
	const char *body;    /* NULL none */
	size_t body_n;
	uint64_t timeout_ns;
	bool is_once; /* must not be sent twice by the client below */
};

struct gwpm_answer {
	uint64_t tag;
	unsigned status; /* 0: no answer */
	bool was_sent;	 /* with status 0: bytes may have left */
	bool is_held;	 /* the gate said no, nothing left */
	const char *body;
	size_t n;
	int64_t retry_after_s; /* -1 none */
	int64_t left;	       /* Poly-RateLimit-Remaining; INT64_MIN none */
	const char *tier;      /* Poly-RateLimit-Tier; NULL none */
};

/* What is worth a line; the shell names them. */
enum gwpm_log {
	GWPM_LOG_REFUSED = 1, /* text of the venue; value: HTTP status */
	GWPM_LOG_BAD_ANSWER,  /* not what it must be; value: HTTP status */
	GWPM_LOG_BAD_FRAME,   /* value: enum reason */
	GWPM_LOG_WRONG_ID,    /* the venue's hash is not ours: a bug */
	GWPM_LOG_STRAY,	      /* an order of ours that was given up rests */
	GWPM_LOG_FOREIGN,     /* an open order that is not ours */
	GWPM_LOG_FOREIGN_FILL,
	GWPM_LOG_SHORT,		/* fills that were announced do not come */
	GWPM_LOG_DIFFERENCE,	/* balance; value: venue - ours, units 1e-6 */
	GWPM_LOG_SELF_THROTTLE, /* slow while we ask a lot; value: ms */
	GWPM_LOG_LAPSE,
	GWPM_LOG_RATE_LIMIT,
	GWPM_LOG_IMPOSSIBLE, /* not booked; value: shares too many, 1e-8 */
	GWPM_LOG_N
};

struct gwpm_sink {
	void *user;
	void (*http)(void *user, const struct gwpm_http *h);
	void (*channel)(void *user, const char *text, size_t n);
	void (*event)(void *user, const struct port_event *ev);
	/* text: why, for a person; "" when plain */
	void (*mode)(void *user, enum port_mode mode, const char *text);
	void (*log)(void *user, enum gwpm_log what, int64_t value,
	    const char *text, size_t n);
	/* GET /time: the venue's clock less ours */
	void (*clock)(void *user, int64_t offset_ns);
};

struct gwpm_setup {
	const struct secp *secp;
	const uint8_t *key;
	const struct pm_creds *creds;
	const char *secret; /* text of the API secret, for the user channel */
	struct pm_account account;
	uint32_t chain_id;
	bool cancel_on_start; /* exec.on_start = cancel */
	bool has_beats;
	uint64_t order_timeout_ns;
	uint64_t fill_poll_ns;
	bool has_presign;
	qty_t presign_tolerance; /* exec.size_tolerance, 1e-8 */
	uint64_t reconcile_ns;	 /* positions are compared that often */
	uint64_t seed;		 /* of jitter */
	uint64_t epoch;		 /* of the stage: each life has its own */
};

struct gwpm {
	struct gwpm_setup set;
	const struct gwpm_sink *sink;
	struct gwpm_book *book;
	char maker[ADDRESS_TEXT_MAX];
	struct pm_user_me me;
	struct pm_template tpl[3]; /* V2, V2 neg-risk, V3 */
	struct bucket orders;
	struct bucket cancels;
	struct bucket queries;
	struct backoff backoff;	   /* 425, 429 */
	struct backoff sync_again; /* failed reads */
	uint64_t tag;
	int64_t skew_ns;
	enum port_mode told_mode;
	enum port_mode venue_mode; /* NORMAL, POST_ONLY, CANCEL_ONLY,
				      RESTARTING */
	uint64_t venue_until_ns;
	uint64_t order_hold_ns;	 /* 429 */
	uint64_t cancel_hold_ns; /* 429 */
	bool is_blocked;
	bool is_up;	  /* user channel */
	bool is_probe;	  /* one order at a time until one is accepted */
	uint8_t auth_n;	  /* 401 in a row */
	uint8_t closed_n; /* channel closed right after the first text */
	uint32_t posts_out;
	uint64_t up_ns;
	uint64_t ping_ns;
	uint64_t balance_ns;
	uint64_t balance_now_ns;
	struct gwpm_look look[GWPM_LOOKS];
	uint32_t news_n;
	struct gwpm_sync sync;
	struct gwpm_beats beats;
	struct gwpm_queue post;
	struct gwpm_queue cancel;
	struct gwpm_call call[GWPM_CALLS];
	struct gwpm_stat stat;
	uint64_t ahead_n;  /* signed ahead in this life */
	uint64_t ahead_ns; /* nothing to sign before */
	uint32_t ahead_at;
	struct gwpm_ahead ahead[GWPM_AHEADS];
	uint64_t wire_ns[GWPM_ORDERS]; /* it left, in this life; 0 not yet */
	char body[GWPM_BODY_MAX];
};

/*
 * gwpm_init - book: zeroed, or as an earlier life left it: what was given
 * out is then UNKNOWN. Returns false when the account's shape or a key is
 * bad. s->secp, key, creds and secret must live as long as g. creds NULL:
 * they come later, with gwpm_credentials; until then acts are taken and
 * nothing is given out.
 */
bool gwpm_init(struct gwpm *g, const struct gwpm_setup *s,
    struct gwpm_book *book, const struct gwpm_sink *sink);

/* gwpm_credentials - before gwpm_start. False: the account's shape is bad. */
bool gwpm_credentials(
    struct gwpm *g, const struct pm_creds *creds, const char *secret);
void gwpm_start(struct gwpm *g, const struct gwpm_now *now);

/*
 * gwpm_retell - everything that the book knows of fills and of ended orders,
 * once more, fills first: for order management whose state may be older than
 * the book. The same fill_id is the same fill; what it knows it passes over.
 */
void gwpm_retell(struct gwpm *g);

/* gwpm_market - what an instrument is (again); needs token ids. Another
 * market under the same instrument is another entry. */
void gwpm_market(struct gwpm *g, uint16_t instr, const struct instr *in);

void gwpm_act(
    struct gwpm *g, const struct port_act *a, const struct gwpm_now *now);
/* gwpm_flush - gives out what acts have queued, cancels first. */
void gwpm_flush(struct gwpm *g, const struct gwpm_now *now);

void gwpm_cancel_all(struct gwpm *g, const struct gwpm_now *now);
void gwpm_cancel_market(
    struct gwpm *g, uint16_t instr, const struct gwpm_now *now);

/* gwpm_sent - the first byte of a request left. */
void gwpm_sent(struct gwpm *g, uint64_t tag, uint64_t ns);
void gwpm_answer(
    struct gwpm *g, const struct gwpm_answer *a, const struct gwpm_now *now);
void gwpm_user_up(struct gwpm *g, const struct gwpm_now *now);
void gwpm_user_down(struct gwpm *g, const struct gwpm_now *now);
void gwpm_user_text(
    struct gwpm *g, const char *text, size_t n, const struct gwpm_now *now);

/* gwpm_block - PORT_BLOCKED for good: a person must act. */
void gwpm_block(struct gwpm *g, const char *why);

/* gwpm_lease - the lease is fresh until then; heartbeats stop after it. */
void gwpm_lease(struct gwpm *g, uint64_t until_ns);

void gwpm_timer(struct gwpm *g, const struct gwpm_now *now);
/* gwpm_wake - when the timer is wanted next; never more than 100 ms away. */
uint64_t gwpm_wake(const struct gwpm *g, uint64_t now_ns);

/* gwpm_flat - nothing of ours rests or may rest. */
bool gwpm_flat(const struct gwpm *g);

/* gwpm_verify - asks for the open orders. gwpm_verified - flat, and by a
 * whole list that was asked for after that and had nothing of ours in it. */
void gwpm_verify(struct gwpm *g, const struct gwpm_now *now);
bool gwpm_verified(const struct gwpm *g);

/*
 * gwpm_balances - what we believe of an instrument's tokens. False: unknown
 * instrument.
 *
 * Compared  : tokens of markets that trade and that we hold, or that moved,
 *             within reconcile_ns; others, which may be held from before,
 *             less often. What the venue says less our final fills is what
 *             was there before them: the base. The first base is taken as it
 *             is; later ones differ, or do not.
 * Equal     : at once: with or without the fills that are pending.
 * Different : read twice, nothing filled in between, nothing pending, the
 *             user channel up.
 * venue     : all that is held: what was there before us and all fills since.
 *             A risk core that begins with nothing has only the fills, which
 *             is a difference for a person to adopt, unless the base is 0.
 */
struct gwpm_balance {
	int64_t yes_e8; /* held, unsettled included */
	int64_t no_e8;
	int64_t yes_final_e8; /* may be sold or is offered */
	int64_t no_final_e8;
	int64_t yes_net_e8; /* by the fills of this book */
	int64_t no_net_e8;
	int64_t yes_venue_e8; /* by the venue's word */
	int64_t no_venue_e8;
	int64_t usd_e6; /* of the account */
	bool is_known;	/* the venue's word is current */
	bool is_usd_known;
	bool is_off; /* the venue's figures differ */
};
bool gwpm_balances(
    const struct gwpm *g, uint16_t instr, struct gwpm_balance *out);

/* gwpm_balance_news - an instrument of which the venue says something new;
 * 0: no more. */
uint16_t gwpm_balance_news(struct gwpm *g);

/* gwpm_fill_id - of a leg of an order in a trade. */
uint64_t gwpm_fill_id(
    uint64_t trade_key, const struct pm_hash *order, uint32_t leg);

#endif
