/*
 * quote.h - which order should rest where.
 *
 * What      : for every instrument that may be quoted, the desired order of
 *             each side at level 0, published as MSG_INTENT when it changes;
 *             size zero means none. One level a side.
 * Input     : md rings (BBO, references, links, gaps, instruments), VERDICT
 *             and STATE of riskd, reports of execd.
 * Invariant : quotes are on the tick grid, binaries strictly inside (0, 1),
 *             never across the book or each other, never below the venue's
 *             minimum; nothing is wanted on an invalid book, a stale link or
 *             a frozen venue.
 * Recovery  : none of its own: books come again with the snapshots it asks
 *             for, positions from riskd.
 * Pure      : yes. O(1) an event; a withdrawal of everything is spread over
 *             steps of QUOTE_SWEEP instruments.
 */
#ifndef QUOTED_QUOTE_H
#define QUOTED_QUOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/reasons.h"
#include "libcore/vol.h"
#include "libshm/cfg.h"
#include "libshm/event.h"
#include "libshm/instr.h"

#define QUOTE_SWEEP 16u
#define QUOTE_NOTES 8u

/* Desired order of one side. */
struct quote_side {
	uint64_t id; /* of the last intent, 0 none                        */
	px_t px;     /* wanted; qty 0: nothing, -1: not known what rests  */
	qty_t qty;
	uint16_t refused; /* enum reason of the last verdict, 0 passed    */
	uint16_t pad[3];
	uint64_t again_ns; /* after a refusal: not before                 */
};

struct quote_mkt {
	struct instr in;
	bool known;	 /* `in` is filled                                    */
	bool active;	 /* holds one of the mm.max_markets places            */
	bool valid;	 /* the book is complete                              */
	bool warned;	 /* too small, said once                              */
	uint16_t reason; /* why nothing is wanted; REASON_OK: quoted   */
	uint16_t said;	 /* reason last noted                          */
	uint32_t pad;
	px_t bid_px;
	px_t ask_px;
	qty_t bid_qty;
	qty_t ask_qty;
	int64_t venue_ns; /* newest venue time                          */
	uint64_t recv_ns; /* of the newest tick                         */
	uint64_t ref_ns[REF_SOURCE_N]; /* news of each price source      */
	px_t ref_px;	   /* newest of those that settle, 0 none             */
	uint64_t pause_ns; /* not before                                 */
	qty_t position;	   /* signed, from riskd                         */
	double gamma;
	struct quote_side side[SIDE_N];
	struct vol vol;
};

struct quote_link {
	uint64_t seen_ns; /* last TICK_LINK                               */
	uint8_t state;	  /* worst of the venue's connections             */
	uint8_t pad[7];
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
	bool warm;
	bool stopping;
	uint8_t trading; /* enum trading_state                            */
	uint8_t pad[5];
	struct quote_link link[VENUE_N];
	struct quote_mkt mkt[INSTR_N];
};

/* Something a person may want to read; the shell logs it. */
struct quote_note {
	uint16_t what; /* enum quote_what                                 */
	uint16_t instr;
	uint16_t reason;
	uint16_t pad;
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
	QUOTE_WHAT_N
};

struct quote_out {
	struct core_out core;
	uint32_t note_n;
	struct quote_note note[QUOTE_NOTES];
};

/* quote_init - empty state in zeroed memory of the caller (megabytes that
 * need not be touched before they are used). epoch: this life's. */
void quote_init(struct quote *q, const struct cfg *cfg, uint64_t epoch);

/* quote_step - one event, completely. */
void quote_step(struct quote *q, const struct event *ev, struct quote_out *out);

/* quote_lost - an intent found no room in the ring: as if refused, so that
 * it is wished again. */
void quote_lost(struct quote *q, const struct order *o, uint64_t now_ns);

/* quote_hash - of everything that decides. O(instruments seen). */
uint64_t quote_hash(const struct quote *q);

/*
 * Used by the files of this room.
 *
 * quote_guard - may this market be quoted now? The first that applies:
 *   1 stopping, trading frozen        FROZEN
 *   2 warming up                      WARMUP
 *   3 class or state                  STATE
 *   4 time to close, up/down bounds   STATE
 *   5 venue link not ready or silent  FEED_STALE
 *   6 two sources of the strike, or   STRIKE      (up/down)
 *     it is our own and the reference is within updown.strike_guard_sigma
 *     standard deviations of it until the end (none known: within)
 *   7 settlement price too old        SETTLE_STALE (up/down; older than
 *     half of that only widens: quote_settle_widen)
 *   8 no complete book                NO_BOOK
 *   9 one side empty                  ONE_SIDED
 *  10 spread over mm.max_spread       GAPPED      (binaries)
 *  11 bid at or above ask             CROSSED
 *  12 paused                          PAUSED
 *  13 micro-price jump                PRICE_JUMP  (sets the pause)
 *  14 no place in the active set      NOT_SELECTED
 * Returns : REASON_OK or why not.
 */
enum reason quote_guard(struct quote *q, struct quote_mkt *m,
    const struct event *ev, struct quote_out *out);

/* quote_settle_widen - factor on the spread: updown.stale_widen while the
 * price that settles the market is older than half of its look-back, else 1. */
double quote_settle_widen(
    const struct quote *q, const struct quote_mkt *m, uint64_t now_ns);

/* quote_wanted - the two desired orders of a market that passed the guards;
 * qty 0 on a side that is not wanted. */
void quote_wanted(struct quote *q, struct quote_mkt *m, const struct event *ev,
    struct quote_side want[SIDE_N], struct quote_out *out);

/* quote_note_add - dropped when there is no room. */
void quote_note_add(struct quote_out *out, const struct quote_note *n);

/* quote_index - instrument of a market in q. */
uint16_t quote_index(const struct quote *q, const struct quote_mkt *m);

#endif
