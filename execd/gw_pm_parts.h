/*
 * gw_pm_parts.h - what the Polymarket port works with and forgets: requests
 * that are out, where a start or a gap stands, heartbeats, queues. Data only.
 */
#ifndef EXECD_GW_PM_PARTS_H
#define EXECD_GW_PM_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "execd/gw_pm_state.h"
#include "libsign/pm_order.h"

#define GWPM_STRAYS 64u /* foreign open orders remembered */
#define GWPM_ITEMS  64u /* orders in one request */
#define GWPM_CALLS  64u

enum gwpm_kind {
	GWPM_POST = 1,
	GWPM_CANCEL,
	GWPM_CANCEL_MANY, /* all, or a market */
	GWPM_ASK,
	GWPM_SYNC,
	GWPM_BALANCE,
	GWPM_BEAT,
	GWPM_TIME,
	GWPM_KIND_N
};

struct gwpm_call {
	uint64_t tag; /* 0 free */
	enum gwpm_kind kind;
	uint32_t n;
	uint64_t sent_ns;
	uint64_t due_ns;
	uint64_t fill_seq;	   /* BALANCE: of what is asked about, then */
	uint32_t item[GWPM_ITEMS]; /* orders; BALANCE: 2 * market + role */
};

enum gwpm_step {
	GWPM_STEP_NONE = 0,
	GWPM_STEP_VERSION,
	GWPM_STEP_CLOSED,
	GWPM_STEP_CASH,
	GWPM_STEP_OPEN,
	GWPM_STEP_TRADES,
	GWPM_STEP_N
};

struct gwpm_sync {
	enum gwpm_step step;
	bool is_blocking; /* nothing is placed meanwhile */
	bool again;	  /* something happened: once more from OPEN */
	bool is_busy;	  /* a call is out */
	bool is_ready;	  /* the start was gone through once */
	uint64_t at_ns;	  /* next try of the step */
	uint64_t begin_ns;
	uint64_t begin_s;
	uint64_t poll_ns;   /* next look at the trades */
	uint64_t verify_ns; /* a list asked for after that is wanted */
	uint64_t open_ns;   /* the last whole list was asked for then */
	uint32_t ours_n;    /* orders of ours in the list */
	uint32_t open_ours_n;
	char cursor[PM_CURSOR_MAX];
	uint32_t stray_n;
	struct pm_hash stray[GWPM_STRAYS];
};

struct gwpm_beats {
	uint64_t lease_ns; /* fresh until */
	uint64_t next_ns;
	uint64_t ok_ns;	   /* the last accepted was sent then; 0: not armed */
	uint64_t lapse_ns; /* answers to older questions do not count */
	char id[80];
	bool is_busy;
};

/* When the venue's word on a token, or on the collateral, is asked for. */
#define GWPM_LOOKS (2u * GWPM_MARKETS + 1u)
#define GWPM_CASH  (2u * GWPM_MARKETS)

struct gwpm_look {
	uint64_t due_ns; /* 0: now */
	uint64_t asked_ns;
	uint64_t seen_ns; /* asked then, and the answer counted; 0: never */
	uint64_t seq;	  /* grows with every change of a fill of the token */
	bool is_news;	  /* to be told on */
};

/* An order that was signed before it was wanted. */
#define GWPM_AHEADS   256u
#define GWPM_AHEAD_NS UINT64_C(10000000000) /* not used when older */

struct gwpm_ahead {
	bool is_used; /* entry */
	bool neg_risk;
	uint8_t generation;
	uint8_t role;
	uint8_t deal;
	uint16_t market;
	uint16_t epoch;
	px_t px; /* YES frame */
	qty_t qty;
	uint64_t made_ns;
	uint64_t salt;
	uint64_t timestamp_ms;
	struct pm_amounts amounts;
	struct pm_signed s;
};

struct gwpm_queue {
	uint32_t head;
	uint32_t n;
	uint32_t at[GWPM_ORDERS];
};

struct gwpm_stat {
	uint64_t posts; /* orders given out */
	uint64_t cancels;
	uint64_t asks;
	uint64_t unknowns;
	uint64_t fills;
	uint64_t repeats; /* trades that said nothing new */
	uint64_t reversals;
	uint64_t differences;
	uint64_t throttled;
	uint64_t lapses;
	uint64_t strays;
	uint64_t impossible;
	uint64_t bad;
	uint64_t ahead_hits; /* orders that had been signed ahead */
	uint64_t ahead_misses;
};

#endif
