/*
 * gw_hl_state.h - what the Hyperliquid port remembers: our orders, the fills
 * that were booked, the nonces. Flat and of fixed size, in the caller's
 * memory, so that it may be a mapped file: an order and its nonce are written
 * here before the request is given out. Data only.
 *
 * Torn: a kill may come between any two stores. One order is changed at a
 * time, and a copy of it from before is kept until the change is whole; the
 * next life begins with the copy, as if the word that was being handled had
 * not come: it is asked for again. Lists and tables are made anew from the
 * orders and the ring of keys.
 */
#ifndef EXECD_GW_HL_STATE_H
#define EXECD_GW_HL_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "execd/port.h"
#include "libsign/hl_action.h"
#include "libsign/hl_num.h"

#define GWHL_ORDERS 2048u
#define GWHL_CHAINS 2048u
#define GWHL_KEYS   8192u /* fills remembered against repeats */
#define GWHL_COINS  32u
#define GWHL_CALLS  128u
#define GWHL_RECENT 64u

enum gwhl_state {
	GWHL_QUEUED = 1, /* not given out yet */
	GWHL_SENT,	 /* given out, unanswered */
	GWHL_LIVE,
	GWHL_UNKNOWN,
	GWHL_DONE, /* kept for late fills */
	GWHL_STATE_N
};

/* The cloid is the identity; the oid is of the newest order that carries it,
 * each change makes a new and higher one. */
struct gwhl_order {
	uint64_t id; /* ours; 0: free entry */
	uint64_t oid;
	uint64_t expires_ms; /* of the last request that could create it */
	uint32_t slot;
	uint16_t instr;
	uint16_t coin;
	uint8_t state;
	uint8_t side;
	uint8_t tif;
	uint8_t oflags;
	px_t px;
	qty_t qty;   /* of this oid */
	qty_t done;  /* booked of this oid */
	qty_t got;   /* fills of this oid that this book was told of */
	px_t new_px; /* of a change; qty 0: none */
	qty_t new_qty;
	qty_t end_left; /* of is_ended: what was not filled */
	uint64_t end_ns;
	qty_t total;	  /* booked of all its oids */
	qty_t want;	  /* its whole size as order management knows it */
	uint64_t old_oid; /* of is_held: the one before the change */
	qty_t old_qty;
	qty_t old_done;
	qty_t old_got;
	qty_t old_left; /* -1: not said yet */
	uint64_t held_ns;
	uint64_t ask_ns; /* next question about it, 0 none */
	uint16_t why;	 /* of is_ended: enum reason */
	uint8_t ask_n;
	uint8_t absent_n;
	bool is_answered; /* the PLACE was */
	bool is_todo;
	bool has_cancel; /* its end is wanted */
	bool is_cancelling;
	bool is_changing;
	bool is_asking;
	bool is_ended;	/* at the venue; fills may be missing */
	bool must_tell; /* PORT_ASK, or a cancel that was refused */
	bool is_held;	/* a change was done; fills of before may be missing */
	bool must_go;	/* rests, and nobody wants it */
	uint8_t pad[2];
	uint32_t next;	 /* chain, + 1; made anew */
	uint32_t active; /* place in the active list, + 1; made anew */
};

struct gwhl_book {
	uint64_t magic;
	uint64_t nonce;	   /* the last used */
	uint64_t first_ms; /* fills before it are not ours to book */
	uint64_t sure_ms;  /* everything before it was booked */
	uint64_t sched_day;
	uint32_t sched_n; /* triggers of the dead-man switch that day */
	uint32_t key_n;	  /* ever */
	uint64_t key_ring[GWHL_KEYS];	 /* the oldest one may be torn */
	uint64_t key_set[2 * GWHL_KEYS]; /* made anew */
	uint32_t order_at;
	uint32_t active_n;	     /* made anew, as are ... */
	uint32_t chain[GWHL_CHAINS]; /* + 1 */
	uint32_t active[GWHL_ORDERS];
	uint32_t undo_at; /* order that is being changed, + 1; 0: none */
	uint32_t undo_key_n;
	struct gwhl_order undo; /* it, before */
	struct gwhl_order order[GWHL_ORDERS];
};

/* ---- of one life ---- */

enum gwhl_kind {
	GWHL_PLACE = 1,
	GWHL_CANCEL,
	GWHL_CHANGE,
	GWHL_FOREIGN, /* cancels of what is not ours */
	GWHL_SCHEDULE,
	GWHL_ASK,
	GWHL_TIME,
	GWHL_META,
	GWHL_ROLE,
	GWHL_AGENTS,
	GWHL_LIMIT,
	GWHL_ACCOUNT,
	GWHL_SPOT,
	GWHL_OPEN,
	GWHL_FILLS,
	GWHL_KIND_N
};

struct gwhl_call {
	uint64_t tag; /* 0 free */
	uint64_t due_ns;
	int64_t wall_ns; /* when it was asked */
	uint8_t kind;
	bool is_http;
	bool is_dual;
	uint8_t pad;
	uint32_t n;
	uint32_t item[HL_BATCH_MAX]; /* orders of the book */
	uint64_t id[HL_BATCH_MAX];   /* theirs: an entry may be reused */
};

enum gwhl_step {
	GWHL_STEP_NONE = 0,
	GWHL_STEP_TIME,
	GWHL_STEP_META,
	GWHL_STEP_ROLE,
	GWHL_STEP_AGENTS,
	GWHL_STEP_LINK, /* the socket is up and subscribed */
	GWHL_STEP_LIMIT,
	GWHL_STEP_ACCOUNT,
	GWHL_STEP_SPOT,
	GWHL_STEP_OPEN,
	GWHL_STEP_FILLS,
	GWHL_STEP_N
};

struct gwhl_sync {
	enum gwhl_step step;
	bool is_blocking;
	bool is_busy;
	bool is_ready;	/* the start was gone through once */
	bool again;	/* something happened: once more */
	bool once_more; /* open orders, by a question that is asked later */
	uint64_t at_ns;
	uint64_t check_ns;  /* next slow reconcile */
	uint64_t limit_ns;  /* next look at the budget */
	uint64_t agents_ns; /* next look at the agent's life */
	uint64_t look_ms;   /* venue's time of the account's answer */
	usd_t usd;
	uint64_t poll_ns;
	uint32_t foreign_n;
	struct hl_cancel foreign[HL_BATCH_MAX];
};

/* A fill, for what an answer about positions may not contain. */
struct gwhl_recent {
	int64_t venue_ns;
	qty_t start;
	qty_t delta;
};

struct gwhl_coin {
	uint16_t instr; /* 0 free */
	bool has_position;
	bool seen; /* scratch of one answer */
	char name[48];
	uint32_t asset;
	struct hl_grid grid;
	qty_t position;
	int64_t fill_ns; /* venue's time of the newest fill */
	bool has_venue;
	bool has_ours;
	qty_t ours;	   /* by fills, from the first reconcile on */
	qty_t venue;	   /* the account's answer, and fills since */
	uint32_t recent_n; /* ever */
	struct gwhl_recent recent[GWHL_RECENT];
};

#endif
