/*
 * pmx_state.h - the state of Polymarket's exchange (pmx.h): what accounts,
 * markets, orders and trades are made of. Data only; everyone may read it,
 * only pmx*.c write it.
 */
#ifndef SIMVENUE_PMX_STATE_H
#define SIMVENUE_PMX_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/types.h"
#include "libvenue/frame.h"
#include "libvenue/pm_id.h"
#include "simvenue/match.h"

#define PMX_ACCOUNTS 1280u
#define PMX_MARKETS  128u
#define PMX_ORDERS   65536u /* open and lately finished, of all markets */
#define PMX_TRADES   8192u  /* likewise; their orders keep their entries */
#define PMX_REST     2048u  /* resting orders of one market */
#define PMX_LEVELS   1024u  /* price levels a side */
#define PMX_LEGS     16u    /* resting orders in one trade message */
#define PMX_OWN	     8u	    /* trades remembered with an order */
#define PMX_NONE     UINT32_MAX
#define PMX_KEEP_NS  UINT64_C(3600000000000)

/* The order id: its EIP-712 digest. */
struct pmx_id {
	uint8_t b[32];
};

enum pmx_type {
	PMX_GTC = 1,
	PMX_GTD,
	PMX_FOK,
	PMX_FAK,
	PMX_TYPE_N
};

enum pmx_mode {
	PMX_MODE_NORMAL = 1,
	PMX_MODE_POST_ONLY,
	PMX_MODE_CANCEL_ONLY,
	PMX_MODE_DISABLED,
	PMX_MODE_N
};

enum pmx_error {
	PMX_OK = 1,
	PMX_ERR_MODE,	   /* see x->mode */
	PMX_ERR_NOT_READY, /* unknown, closed or halted market */
	PMX_ERR_DUPLICATE,
	PMX_ERR_AMOUNTS,     /* precision of the amounts, limit orders */
	PMX_ERR_AMOUNTS_NOW, /* the same, FOK and FAK */
	PMX_ERR_TICK,
	PMX_ERR_SIZE,	  /* below the market's minimum */
	PMX_ERR_NOTIONAL, /* marketable BUY under one dollar */
	PMX_ERR_EXPIRATION,
	PMX_ERR_POST_ONLY_TYPE,
	PMX_ERR_BALANCE,
	PMX_ERR_CROSSES, /* post-only */
	PMX_ERR_FOK,
	PMX_ERR_FAK,
	PMX_ERR_FULL, /* of the simulator */
	PMX_ERROR_N
};

enum pmx_state {
	PMX_DELAYED = 1, /* marketable, waits for its match */
	PMX_LIVE,
	PMX_MATCHED,  /* wholly */
	PMX_CANCELED, /* by its owner, or the rest of a FAK */
	PMX_EXPIRED,
	PMX_KILLED,   /* a delayed FOK or FAK that found nothing */
	PMX_INVALID,  /* the balance behind it is gone */
	PMX_RESOLVED, /* its market ended */
	PMX_STATE_N
};

enum pmx_status {
	PMX_TRADE_MATCHED = 1,
	PMX_TRADE_MINED,
	PMX_TRADE_CONFIRMED,
	PMX_TRADE_RETRYING,
	PMX_TRADE_FAILED,
	PMX_STATUS_N
};

enum pmx_phase {
	PMX_OPEN = 1,
	PMX_HALTED, /* takes no orders, cancels are fine */
	PMX_CLOSED,
	PMX_PHASE_N
};

struct pmx_hold {	/* of dollars 1e-6, or of a token's shares 1e-8 */
	int64_t own;	/* settled */
	int64_t out;	/* given in trades not yet MINED */
	int64_t in;	/* got in trades not yet MINED */
	int64_t locked; /* behind open orders */
};

struct pmx_account {
	bool used;
	bool keeps;	  /* its finished orders are remembered: PMX_KEEP_NS */
	bool has_beat;	  /* the dead-man switch is armed */
	uint64_t beat_ns; /* last heartbeat */
	struct pmx_hold usd;
	struct pmx_hold token[PMX_MARKETS][2]; /* role - 1 */
};

struct pmx_terms {
	struct pm_cond cond;
	struct pm_token token[2];
	tok_px_t tick;
	qty_t min_qty;
	uint32_t fee_ppm;
	uint32_t delay_ms; /* of marketable orders, 0 none */
	bool is_updown;	   /* outcomes are called Up and Down */
	bool neg_risk;
	bool is_position; /* tokens are position ids: exchange V3 */
	bool is_first;	  /* orders of the first exchange, V1 */
};

struct pmx_market {
	enum pmx_phase phase; /* 0: free */
	struct pmx_terms terms;
	int64_t pair_e8; /* pairs in being; each holds a dollar */
	struct match match;
	struct match_order order[PMX_REST];
	struct match_level level[2][PMX_LEVELS];
};

struct pmx_order {
	struct pmx_id id;
	enum pmx_state state; /* 0: free */
	uint32_t account;
	uint16_t market;
	uint8_t role; /* enum token_role */
	uint8_t side; /* enum side: buys or sells the token */
	uint8_t type;
	bool post_only;
	uint8_t pad[2];
	tok_px_t px;
	qty_t qty;
	qty_t matched;
	int64_t budget_e6; /* of a FOK or FAK BUY: dollars to spend */
	usd_t value;	   /* of what matched, without fees */
	int64_t lock;	   /* held back for it: dollars or shares */
	uint64_t created_ns;
	uint64_t ended_ns;     /* once it is not open any more */
	uint64_t expires_ns;   /* when the venue takes it out, 0 never */
	uint64_t expiration_s; /* as its owner said */
	uint32_t handle;       /* in the book, MATCH_NONE */
	uint32_t trade_n;
	uint32_t trade[PMX_OWN]; /* its newest trades */
	uint32_t next;		 /* in its hash chain */
	uint32_t pending_n;	 /* its trades that are not final */
	uint32_t told_n;	 /* times that a trade names it */
	uint32_t age;		 /* reuse of the entry, for stale timers */
};

struct pmx_leg {
	uint32_t order; /* of the resting side */
	qty_t qty;
	tok_px_t px; /* of its own token */
	usd_t usd;   /* what the resting side pays or gets */
	usd_t other; /* what the taker does */
	usd_t fee;   /* the taker's */
};

struct pmx_trade {
	enum pmx_status status; /* 0: free */
	uint64_t id;
	uint32_t taker;
	uint16_t market;
	uint16_t bucket; /* of the trades of one taker order */
	uint64_t match_ns;
	uint64_t update_ns;
	uint32_t leg_n;
	uint32_t tries;
	struct pmx_leg leg[PMX_LEGS];
};

enum pmx_order_event {
	PMX_PLACEMENT = 1,
	PMX_UPDATE,
	PMX_CANCELLATION,
	PMX_ORDER_EVENT_N
};

struct pmx;

/* Who is told; none may be NULL, none may call back. */
struct pmx_sink {
	void *user;
	void (*order)(void *user, const struct pmx *x, uint32_t order,
	    enum pmx_order_event what);
	void (*trade)(void *user, const struct pmx *x, uint32_t trade);
	/* the total at a price of a market's book, YES frame; 0: none left */
	void (*level)(
	    void *user, uint16_t market, enum side side, px_t px, qty_t qty);
	/* a match, as the tape shows it: the taker's token, side and price */
	void (*print)(void *user, uint16_t market, enum token_role role,
	    enum side side, tok_px_t px, qty_t qty);
	/* everything that one call changed in a market's book has been told */
	void (*batch)(void *user, uint16_t market, bool has_traded);
	/* the market ended, or changed its terms */
	void (*market)(void *user, uint16_t market);
};

/* How settlement goes, per trade; the default is never to fail. */
struct pmx_settle {
	uint32_t mine_ms;
	uint32_t confirm_ms; /* after MINED */
	uint32_t retry_ms;
	uint32_t retry_ppm; /* of a trade to go RETRYING once */
	uint32_t fail_ppm;  /* of a RETRYING trade to end FAILED */
};

struct pmx_due {
	uint64_t ns;
	uint32_t what; /* order or trade */
	uint32_t age;
	bool is_trade;
};

struct pmx {
	const struct pmx_sink *sink;
	enum pmx_mode mode;
	struct pmx_settle settle;
	uint64_t now_ns;
	uint64_t rng;
	uint64_t trade_id;
	usd_t deposits;
	usd_t fees; /* settled */
	usd_t fees_pending;
	uint32_t order_at; /* where the search for a free entry goes on */
	uint32_t trade_at;
	uint32_t due_n;
	uint32_t open_n;
	/* scratch of one placement */
	uint32_t taker;
	uint32_t trade_now;
	uint16_t buckets;
	uint16_t market_at; /* newest entry given out */
	struct pmx_due due[PMX_ORDERS + PMX_TRADES]; /* heap */
	uint32_t map[2 * PMX_ORDERS];		     /* id -> order, + 1 */
	struct pmx_account account[PMX_ACCOUNTS];
	struct pmx_order order[PMX_ORDERS];
	struct pmx_trade trade[PMX_TRADES];
	struct pmx_market market[PMX_MARKETS];
};

#endif
