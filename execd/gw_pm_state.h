/*
 * gw_pm_state.h - what the Polymarket port remembers: our orders, their
 * fills, the tokens that they moved. Flat and of fixed size, in the caller's
 * memory, so that it may be a mapped file: an order is written here, with all
 * that its hash is made of, before its request is given out. What a kill -9
 * leaves half done is taken back by gwpm_book_index. Data only.
 */
#ifndef EXECD_GW_PM_STATE_H
#define EXECD_GW_PM_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "execd/port.h"
#include "libshm/instr.h"
#include "libsign/pm_order.h"
#include "libvenue/pm_user.h"

#define GWPM_ORDERS  4096u
#define GWPM_FILLS   16384u
#define GWPM_MARKETS 512u
#define GWPM_INSTRS  (INSTR_PM_BASE + INSTR_PM_N)
#define GWPM_NONE    UINT32_MAX
#define GWPM_CHAINS  4096u

enum gwpm_state {
	GWPM_QUEUED = 1, /* not given out yet */
	GWPM_SENT,	 /* given out, unanswered */
	GWPM_LIVE,
	GWPM_DELAYED,
	GWPM_UNKNOWN,
	GWPM_DONE, /* kept for late fills */
	GWPM_STATE_N
};

struct gwpm_order {
	uint64_t id; /* ours; 0: free entry */
	struct pm_hash hash;
	uint64_t timestamp_ms; /* in the hash, as is a salt of its own */
	uint64_t expiration_s;
	uint32_t slot;
	uint16_t instr;
	uint16_t market;
	uint8_t state;
	uint8_t side; /* YES frame */
	uint8_t role; /* of the token that is traded */
	uint8_t deal; /* enum side: we buy or sell that token */
	uint8_t tif;
	uint8_t oflags;
	bool has_hash;
	bool is_answered; /* the PLACE was */
	bool has_cancel;  /* its end is wanted */
	bool is_asked;	  /* by PORT_ASK */
	bool is_doubted;  /* ended by a refusal or by absence */
	uint8_t calls;	  /* requests that speak of it */
	uint8_t tries;	  /* cancels sent */
	uint8_t absent_n;
	uint8_t hold_n; /* times its end waited for fills */
	bool is_short;	/* for less than was wanted, signed ahead */
	px_t px;	/* YES frame */
	qty_t qty;
	qty_t matched; /* by trades; never falls */
	qty_t told;    /* by the venue's order, the most seen */
	qty_t filled;  /* of matched, what was told as fills */
	usd_t spent;   /* of matched, in dollars of its own token */
	uint64_t sent_ns;
	uint64_t ask_ns; /* when to ask, 0 never */
	uint64_t absent_ns;
	uint64_t seen_ns; /* last in a list of open orders */
	uint64_t done_ns;
	uint32_t next_hash;
	uint32_t next_id;
	uint32_t active_at;
	uint32_t pad2;
};

enum gwpm_fill_state {
	GWPM_FILL_PENDING = 1, /* MATCHED or MINED: booked */
	GWPM_FILL_FINAL,
	GWPM_FILL_FAILED,
	GWPM_FILL_STATE_N
};

/* One leg of an order in a trade. Leg 0 has the key of (trade, order) and
 * says how many there are. */
struct gwpm_fill {
	uint64_t key; /* 0: free entry */
	uint64_t order_id;
	uint32_t slot;
	uint16_t instr;
	uint16_t market;
	uint8_t state;
	uint8_t role;
	uint8_t deal;
	bool is_maker;
	uint16_t leg_n;
	uint16_t pad;
	px_t px; /* of the token */
	qty_t qty;
	usd_t usd; /* dollars that went or came, fee included, both > 0 */
	usd_t fee;
	uint64_t match_s;
	uint32_t next;
	uint32_t pad2;
};

/* A figure of the venue that is not ours counts when it was read twice with no
 * fill between. */
struct gwpm_twice {
	int64_t value;
	uint64_t seq; /* of fills, + 1; 0: never read */
	uint64_t ns;  /* when it was asked for */
};

struct gwpm_token {
	struct pm_token id;
	struct pm_asset asset;
	int64_t base_e8; /* held when we began */
	int64_t net_e8;	 /* of all fills that are booked */
	int64_t final_e8;
	int64_t out_e8;	    /* sold, not final */
	int64_t offered_e8; /* left of open sells */
	uint64_t hold_ns;   /* not sold before: the venue refused */
	struct gwpm_twice read;
	uint32_t pending_n;
	bool has_base;
	bool is_off; /* the last comparison differed */
	uint8_t pad[2];
};

struct gwpm_market {
	bool used;
	bool refused; /* order_version_mismatch */
	uint8_t generation;
	bool neg_risk;
	uint16_t instr; /* that has it now; 0 none */
	uint16_t epoch;
	uint32_t tick_e4;
	uint32_t fee_ppm;
	uint32_t open_n; /* orders that are not done */
	bool is_over;	 /* no more trades; tokens may be paid out any time */
	uint8_t pad[3];
	qty_t min_qty;
	uint8_t condition[32];
	struct gwpm_token token[2]; /* role - 1 */
};

struct gwpm_cash {
	int64_t base_e6;
	int64_t final_e6;
	int64_t net_e6;
	struct gwpm_twice read;
	uint32_t pending_n;
	bool has_base;
	bool is_off;
	uint8_t pad[2];
};

/* What a part of a trade is about to change, as it was before: a kill in
 * the middle of it is taken back by the next life, which then hears the
 * trade again. */
struct gwpm_undo {
	_Atomic uint32_t is_armed;
	uint32_t order; /* + 1; 0 none */
	uint32_t market;
	uint32_t role;
	uint32_t leg_n;
	bool is_new; /* the fills are */
	uint32_t open_n;
	uint64_t trade_key;
	uint64_t fill_seq;
	struct pm_hash hash;
	struct gwpm_order was_order;
	struct gwpm_token was_token;
	struct gwpm_cash was_cash;
	uint8_t was_state[PM_USER_LEGS];
};

struct gwpm_book {
	struct gwpm_undo undo;
	uint64_t birth_s;  /* older trades of unknown orders are not ours */
	uint64_t trades_s; /* trades before were fetched */
	uint64_t fill_seq; /* grows with every change of a fill */
	uint32_t order_at;
	uint32_t fill_at;
	uint32_t active_n;
	uint32_t pad;
	struct gwpm_cash cash;
	uint32_t by_hash[GWPM_CHAINS]; /* + 1 */
	uint32_t by_id[GWPM_CHAINS];
	uint32_t by_key[GWPM_CHAINS];
	uint16_t by_instr[GWPM_INSTRS]; /* market + 1 */
	uint32_t active[GWPM_ORDERS];
	struct gwpm_order order[GWPM_ORDERS];
	struct gwpm_fill fill[GWPM_FILLS];
	struct gwpm_market market[GWPM_MARKETS];
};

#endif
