/*
 * live.h - the world (world.h) behind the venues' own protocols.
 *
 * What  : what three players serve when they are not given a recording: the
 *         tables of functions that the server calls (venue.h), over one
 *         world. What is emitted comes back as frames for the player of a
 *         venue, which offers them to its subscribers as it does with
 *         recorded ones.
 * Money : accounts from outside, on both exchanges; live_put_ledger tells
 *         every balance to the last unit, for comparing books.
 * Time  : UTC, brought by live_step; never backwards.
 * Pure  : yes. Memory is the caller's (some 100 MB, touched as used).
 */
#ifndef SIMVENUE_LIVE_H
#define SIMVENUE_LIVE_H

#include "simvenue/polymarket.h"
#include "simvenue/venue.h"
#include "simvenue/world.h"

#define LIVE_ACCOUNTS_MAX DESK_LOGINS
#define LIVE_AGENTS_MAX	  4u
#define LIVE_ARRIVALS	  65536u
#define LIVE_ARRIVAL_ID	  72u
#define LIVE_ARRIVAL_IDS  262144u /* of all arrivals kept */
#define LIVE_DEV_ACCOUNTS 10u
#define LIVE_DEV_USD	  USD(10000 * E6)

/* An account as the operator wants it. */
struct live_account {
	struct address who; /* of the key that signs */
	usd_t usd;	    /* on each exchange */
	uint8_t sig_type;   /* of Polymarket */
	bool has_funder;
	struct address funder;
	uint32_t agent_n; /* keys that may sign for it on Hyperliquid */
	struct address agents[LIVE_AGENTS_MAX];
};

/* live_dev_accounts - the addresses of the public development keys that
 * everybody knows; worth nothing anywhere. Returns LIVE_DEV_ACCOUNTS. */
uint32_t live_dev_accounts(struct live_account out[LIVE_DEV_ACCOUNTS]);

/*
 * live_account_parse - a JSON object: "address" or "key" (a private key, 0x
 * and 64 digits), and when wanted "usd" (10000), "signature_type" (0),
 * "funder", "agents" (a list of addresses).
 * Returns : NULL, or what is wrong with it.
 */
const char *live_account_parse(
    const struct secp *c, const char *text, size_t n, struct live_account *out);

enum live_call {
	LIVE_PLACE = 1,
	LIVE_CANCEL,
	LIVE_OTHER, /* heartbeats, questions with a login */
	LIVE_CALL_N
};

/* When an order-entry request came in. Its orders' ids (of the venue, or of
 * the client, as they stand in the request) follow in a ring of their own. */
struct live_arrival {
	uint64_t ns; /* UTC */
	enum venue venue;
	enum live_call call;
	uint32_t n;	/* orders or cancels in it */
	uint64_t id_at; /* first of its ids, counted ever */
	uint32_t id_n;
};

struct live_count {
	uint64_t calls[LIVE_CALL_N];
	uint64_t orders; /* in requests to place or to modify */
	uint64_t last_ns[LIVE_CALL_N];
};

struct live {
	void *user;
	void (*deliver)(void *user, enum venue v, const struct sim_frame *f);
	struct live_count count[VENUE_N];
	struct mishaps mishaps; /* who says what goes wrong */
	uint32_t mine_ms;	/* usual time from MATCHED to MINED */
	uint64_t turn_ns;	/* next turn of what may happen once a second */
	uint64_t arrival_n;	/* ever */
	struct live_arrival arrival[LIVE_ARRIVALS];
	uint64_t id_n; /* ever */
	char id[LIVE_ARRIVAL_IDS][LIVE_ARRIVAL_ID];
	struct world w;
};

/* live_init - in zeroed memory. deliver must not call back; the frame's text
 * is gone when it returns. */
void live_init(struct live *l, const struct world_cfg *cfg,
    void (*deliver)(void *user, enum venue v, const struct sim_frame *f),
    void *user);

/* live_fund - open an account on both exchanges. False: no room. */
bool live_fund(struct live *l, const struct live_account *a);

/* live_step - up to now_ns, UTC; an earlier time than before counts as that.
 * live_wait_ns - how long until the world needs the next call. */
void live_step(struct live *l, uint64_t now_ns);
uint64_t live_wait_ns(const struct live *l, uint64_t now_ns);

/* How the exchanges misbehave; all zero: not at all. */
struct live_mood {
	enum pmx_mode mode; /* 0: normal */
	uint32_t retry_ppm;
	uint32_t fail_ppm;
	bool lapses;	    /* heartbeats do not count */
	uint32_t mine_ms;   /* trades stay MATCHED so long; 0: as usual */
	bool is_unsent;	    /* ... and are told as not broadcast */
	bool is_restarting; /* 425 to order entry of Polymarket */
	bool is_exhausted;  /* the address budget of Hyperliquid is gone */
	usd_t schedule_min; /* volume that scheduleCancel needs */
	int64_t pm_skew_s;  /* of the clocks that check timestamps */
	int64_t hl_skew_s;
	uint64_t pm_stale_ns; /* orders are told as they were so long ago */
	uint64_t hl_stale_ns;
	bool disputes; /* see world.h */
	bool voids;
};

/* live_set_mood - from now on. */
void live_set_mood(struct live *l, const struct live_mood *m);

/* live_arrived - note a request for order entry. live_arrived_id - an id that
 * it names, cut to LIVE_ARRIVAL_ID - 1. */
void live_arrived(
    struct live *l, enum venue v, enum live_call call, uint32_t n);
void live_arrived_id(struct live *l, const char *id, size_t n);

/* live_ledger.c: JSON objects for /sim/ */
void live_put_ledger(const struct live *l, struct text *t);
void live_put_stats(const struct live *l, struct text *t);
void live_put_arrivals(const struct live *l, uint64_t since_ns, struct text *t);

/* ---- the tables; attach them to a live ---- */

extern const struct sim_venue_ops live_polymarket;
extern const struct sim_venue_ops live_binance;
extern const struct sim_venue_ops live_hyperliquid;

/* Polymarket's state. The market channel's and the price streams' rules are
 * those of recorded frames; what they know is asked of the world. */
struct live_pm {
	struct live *live;
	struct sim_pm pm;
	struct sim_market markets[WORLD_WINDOWS];
	char gamma[WORLD_TEXT];
	char prices[2][1 << 14]; /* snapshots of both price topics */
};

/* live_pm_public - REST without a login. */
void live_pm_public(
    struct live_pm *s, const struct sim_request *r, struct sim_answer *a);

#endif
