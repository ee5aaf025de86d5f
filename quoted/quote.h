/*
 * quote.h - which order should rest where, and what to take.
 *
 * What      : for every instrument that may be quoted, the desired orders of
 *             each side, published as MSG_INTENT when they change (size zero:
 *             none); takes as ORDER_IMPERATIVE intents, at most once each.
 * Input     : md rings (BBO, levels, trades, references, links, gaps,
 *             instruments), VERDICT and STATE of riskd, reports of execd.
 * Decides   : guards.c whether, the strategies of strat.def what. Every filter
 *             of every market and side is kept for people (libshm/why.h).
 * Invariant : quotes are on the tick grid, binaries strictly inside (0, 1),
 *             never across the book or each other, never below the venue's
 *             minimum; nothing is wanted on an invalid book, a stale link or
 *             a frozen venue.
 * Recovery  : none of its own: books come again with the snapshots it asks
 *             for, positions from riskd.
 * Pure      : yes. O(levels) an event; a withdrawal of everything is spread
 *             over steps of QUOTE_SWEEP instruments.
 */
#ifndef QUOTED_QUOTE_H
#define QUOTED_QUOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/astoikov.h"
#include "libcore/book.h"
#include "libcore/markout.h"
#include "libcore/reasons.h"
#include "libcore/vol.h"
#include "libshm/cfg.h"
#include "libshm/event.h"
#include "libshm/instr.h"
#include "libshm/why.h"
#include "quoted/ladder.h"
#include "quoted/prob.h"
#include "quoted/select.h"
#include "quoted/signal.h"

#define QUOTE_SWEEP 16u
#define QUOTE_NOTES 16u
#define QUOTE_TAPS  16u
#define QUOTE_DEPTH 64u /* levels a side that are kept                   */
#define QUOTE_TAKES 32u /* takes on their way                            */
#define QUOTE_HOLDS 32u /* positions held to resolution                  */

/* One slot: what rests there by our wish. */
struct quote_side {
	uint64_t id; /* of the last intent, 0 none                        */
	px_t px;     /* wanted; qty 0: nothing, -1: not known what rests  */
	qty_t qty;
	uint16_t refused; /* enum reason of the last verdict, 0 passed    */
	uint16_t pad[3];
	uint64_t again_ns; /* after a refusal: not before                 */
	uint64_t since_ns; /* of the last intent                          */
};

struct quote_mkt {
	struct instr in;
	bool known;	 /* `in` is filled                                    */
	bool active;	 /* holds one of the mm.max_markets places            */
	bool valid;	 /* the book is complete                              */
	bool warned;	 /* too small, said once                              */
	uint16_t reason; /* why nothing is wanted; REASON_OK: quoted   */
	uint16_t said;	 /* reason last noted                          */
	uint8_t risk_state; /* enum trading_state of this market, by riskd */
	bool risk_masked;   /* told while all of trading was held back    */
	uint16_t risk_reason;
	uint16_t next; /* of the markets on one reference, 0 none         */
	uint16_t group_next; /* of its cluster, 0 none                    */
	uint16_t crossed_n;  /* books in a row that were crossed          */
	uint32_t pad;
	px_t bid_px;
	px_t ask_px;
	qty_t bid_qty;
	qty_t ask_qty;
	int64_t venue_ns;     /* newest venue time ...                    */
	uint64_t venue_at_ns; /* ... and when it came                     */
	uint64_t recv_ns;     /* of the newest tick                       */
	uint64_t ref_ns[REF_SOURCE_N]; /* news of each price source      */
	px_t ref_px;	     /* newest of those that settle, 0 none      */
	int64_t funding_e12; /* hourly, perps                            */
	uint64_t pause_ns;   /* not before                               */
	/* riskd's factors of this market, 1 when calm ... */
	double risk_gamma;
	double risk_size;
	double risk_spread;
	uint64_t risk_until_ns; /* ... until then, 0: until told otherwise */
	qty_t position;		/* signed, from riskd                       */
	qty_t held;		/* of it, by strategies that hold it        */
	usd_t exposed;		/* of the position, in its cluster's sum    */
	uint64_t unwind_ns;	/* unwinding since, 0 not                   */
	qty_t unwind_qty;	/* position when it began                   */
	qty_t traded;		/* volume since then                        */
	uint64_t take_ns;	/* last take                                */
	uint16_t take_said[SIDE_N]; /* enum why_id that refused, + 1      */
	uint16_t pad2;
	px_t reserve; /* what the quotes stand on, ...                    */
	px_t half;    /* ... and half of their spread                     */
	double gamma;
	double rrs; /* resolution risk score                              */
	struct fair_out fair;
	double est_strike; /* of a window that nobody tells, 0 none      */
	double fair_var;
	struct select_mkt sel;
	struct as_kappa kappa;
	struct quote_side side[SIDE_N];
	struct vol vol;
};

/* The levels of one instrument, near the touch. */
struct quote_book {
	struct book book;
	struct book_level level[2 * QUOTE_DEPTH];
};

/* More of a perpetual: its ladder, and what its fills were worth. */
struct quote_perp {
	struct quote_side slot[SIDE_N][ORDER_LEVELS]; /* 0 is in the market */
	struct ladder_state state;
	struct vol minute; /* 1-minute returns                            */
};

struct quote_link {
	uint64_t seen_ns; /* last TICK_LINK                               */
	uint8_t state;	  /* worst of the venue's connections             */
	uint8_t pad[7];
};

/* A take on its way. */
struct quote_take {
	uint64_t id; /* 0: free                                           */
	uint64_t until_ns; /* nothing is known of it later: forgotten     */
	uint64_t pair;	   /* id of the other leg, 0 none                 */
	px_t px;
	qty_t qty;
	qty_t filled;
	uint16_t instr;
	uint8_t side;
	uint8_t strategy;
	uint8_t done; /* 2: a leg given up, may still be filled           */
	uint8_t pad[3];
};

/* What a strategy holds to resolution. */
struct quote_hold {
	qty_t qty; /* signed, 0: free                                     */
	usd_t cost;
	uint16_t instr;
	uint8_t strategy;
	uint8_t pad[5];
};

struct quote {
	struct cfg cfg;
	uint64_t epoch;
	uint64_t counter;
	uint64_t start_ns;  /* of the first event                         */
	uint64_t turn_ns;   /* next look at every market                  */
	uint64_t books;	    /* complete books received since the start    */
	uint32_t active_n;  /* binaries that hold a place                 */
	uint16_t sweep;	    /* next instrument of a sweep, 0 none         */
	uint16_t max_instr; /* highest index seen                         */
	uint16_t chain;	    /* next market on a reference that moved      */
	uint16_t pair_n;    /* pairs and groups of legs on their way      */
	bool warm;
	bool stopping;
	uint8_t trading; /* enum trading_state                            */
	uint8_t pad;
	double rrs_weight[RRS_N];
	struct quote_link link[VENUE_N];
	struct select sel;
	struct signal sig;
	struct prob_list prob;
	struct quote_take take[QUOTE_TAKES];
	struct quote_hold hold[QUOTE_HOLDS];
	uint64_t signals[STRATEGY_N]; /* that passed every filter          */
	usd_t capital; /* of all strategies, as of the last balance       */
	usd_t balance; /* of the venue, 0 not told                        */
	uint16_t first_on[INSTR_N - INSTR_BN_BASE]; /* markets on it      */
	struct why_page *why; /* of the caller; may be NULL               */
	struct quote_mkt mkt[INSTR_N];
	struct quote_book book[INSTR_N];
	struct quote_perp perp[INSTR_HL_N];
};

/* Something a person may want to read; the shell logs it. */
struct quote_note {
	uint16_t what; /* enum quote_what                                 */
	uint16_t instr;
	uint16_t reason;
	uint16_t strategy;
	int64_t a;
	int64_t b;
};

enum quote_what {
	QUOTE_WARM = 1,	    /* a: ms since start, b: books                */
	QUOTE_JUMP = 2,	    /* a: divergence 1e-8, b: pause ns            */
	QUOTE_GAPPED = 3,   /* a: spread 1e-8                             */
	QUOTE_GAMMA = 4,    /* a: gamma 1e-8, b: 1 sigma known, 0 base    */
	QUOTE_SMALL = 5,    /* a: quantity possible, b: minimum           */
	QUOTE_WITHDRAW = 6, /* reason; a: venue or 0                      */
	QUOTE_FACTORS = 7,  /* reason; a: on gamma, b: on the spread, 1e-8 */
	QUOTE_CYCLE = 8,    /* a: in the active set, b: looked at         */
	QUOTE_SAMPLE = 9,   /* reason: primary veto; a: score 1e-8        */
	QUOTE_TAKE = 10,    /* strategy; a: price 1e-8, b: edge 1e-8      */
	QUOTE_LEG = 11,	    /* a: quantity, b: price of the way out       */
	QUOTE_CUT = 12,	    /* a: levels that are quoted, b: asked for    */
	QUOTE_RRS = 13,	    /* a: score 1e-8, b: features                 */
	QUOTE_WHAT_N
};

struct quote_out {
	struct core_out core;
	uint32_t note_n;
	uint32_t tap_n;
	struct tick tap[QUOTE_TAPS]; /* TAP_SIGNAL, for the recorder      */
	struct quote_note note[QUOTE_NOTES];
};

/* quote_init - empty state in zeroed memory of the caller (megabytes that
 * need not be touched before they are used). epoch: this life's. */
void quote_init(struct quote *q, const struct cfg *cfg, uint64_t epoch);

/* quote_why_set - where the filters are kept; NULL: nowhere. */
void quote_why_set(struct quote *q, struct why_page *w);

/* quote_step - one event, completely. */
void quote_step(struct quote *q, const struct event *ev, struct quote_out *out);

/* quote_lost - an intent found no room in the ring: as if refused, so that
 * it is wished again. */
void quote_lost(struct quote *q, const struct order *o, uint64_t now_ns);

/* quote_hash - of everything that decides. O(instruments seen). */
uint64_t quote_hash(const struct quote *q);

#endif
