/*
 * hlx_state.h - the state of Hyperliquid's exchange (hlx.h): what accounts,
 * coins, orders and fills are made of. Data only; everyone may read it, only
 * hlx*.c write it.
 */
#ifndef SIMVENUE_HLX_STATE_H
#define SIMVENUE_HLX_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/position.h"
#include "libcore/types.h"
#include "simvenue/match.h"

#define HLX_ACCOUNTS 1152u
#define HLX_COINS    16u
#define HLX_ORDERS   65536u /* open and lately finished */
#define HLX_FILLS    16384u /* the newest, of all accounts */
#define HLX_FUNDINGS 4096u  /* likewise */
#define HLX_REST     8192u  /* resting orders of one coin */
#define HLX_LEVELS   2048u  /* price levels a side */
#define HLX_OPEN_MAX 1000u  /* resting orders of one account */
#define HLX_BUDGET   10000u /* actions granted to begin with */
#define HLX_NAME_MAX 16
#define HLX_NONE     UINT32_MAX
#define HLX_KEEP_NS  UINT64_C(3600000000000)

enum hlx_tif {
	HLX_ALO = 1,
	HLX_IOC,
	HLX_GTC,
	HLX_TIF_N
};

/* Why an order, cancel or modify was refused; hlx_text says it as the venue
 * does. */
enum hlx_error {
	HLX_OK = 1,
	HLX_ERR_ASSET,
	HLX_ERR_ZERO_SIZE,
	HLX_ERR_SIZE,
	HLX_ERR_PRICE,
	HLX_ERR_TICK,
	HLX_ERR_NOTIONAL,
	HLX_ERR_FAR, /* from the reference price */
	HLX_ERR_REDUCE_ONLY,
	HLX_ERR_POST_ONLY,
	HLX_ERR_MARGIN,
	HLX_ERR_OPEN_ORDERS,
	HLX_ERR_IOC,
	HLX_ERR_NO_ORDER,    /* cancel: never placed, cancelled or filled */
	HLX_ERR_MODIFY_GONE, /* modify: the old order is gone */
	HLX_ERR_MODIFY_NEW,  /* modify: the new one is not passive */
	HLX_ERR_FULL,	     /* of the simulator */
	HLX_ERROR_N
};

enum hlx_status {
	HLX_OPEN = 1,
	HLX_FILLED,
	HLX_CANCELED,
	HLX_REJECTED, /* `why` says more */
	HLX_SCHEDULED_CANCEL,
	HLX_SELF_TRADE_CANCELED,
	HLX_REDUCE_ONLY_CANCELED,
	HLX_LIQUIDATED_CANCELED,
	HLX_STATUS_N
};

struct hlx_terms {
	char name[HLX_NAME_MAX];
	uint32_t index;	      /* the venue's asset number */
	uint32_t sz_decimals; /* 0..6 */
	uint32_t leverage;    /* most */
	uint32_t taker_ppm;
	uint32_t maker_ppm;
};

struct hlx_coin {
	bool used;
	struct hlx_terms terms;
	px_t first; /* when it was listed */
	px_t mark;
	px_t oracle;
	usd_t traded_usd; /* since then */
	qty_t traded;
	int64_t funding_e12; /* hourly */
	struct match match;
	struct match_order order[HLX_REST];
	struct match_level level[2][HLX_LEVELS];
};

/* Funding received on a coin. */
struct hlx_funded {
	usd_t ever;
	usd_t since_open;
	usd_t since_change;
};

struct hlx_account {
	bool used;
	bool keeps; /* its finished orders are remembered for HLX_KEEP_NS */
	uint8_t address[20];
	usd_t deposit;
	usd_t fees;
	usd_t funding; /* received */
	struct position pos[HLX_COINS];
	struct hlx_funded funded[HLX_COINS];
	uint8_t leverage[HLX_COINS];  /* as chosen, 0: the most */
	qty_t open_qty[HLX_COINS][2]; /* resting, bids and asks */
	uint32_t open_n;
	uint32_t reduce_n; /* of them reduce-only */
	uint64_t actions;  /* spent of the budget */
	uint64_t spare_ns; /* last one beyond it, 0 none */
	usd_t volume;	   /* traded, ever */
	uint64_t sched_ns; /* cancel everything then, 0 never */
	int64_t sched_day; /* day of the triggers counted */
	uint32_t sched_n;
};

struct hlx_order {
	uint64_t oid; /* 0: free */
	enum hlx_status status;
	enum hlx_error why; /* of REJECTED */
	uint32_t account;
	uint16_t coin;
	uint8_t side;
	uint8_t tif;
	bool reduce_only;
	bool has_cloid;
	uint8_t cloid[16];
	px_t px;
	qty_t qty;
	qty_t left;
	uint64_t created_ns;
	uint64_t status_ns;
	uint32_t handle;   /* in the book, MATCH_NONE */
	uint32_t next_oid; /* hash chains, + 1 */
	uint32_t next_cloid;
};

struct hlx_fill {
	uint64_t tid;
	uint64_t oid;	     /* 0: without an order of theirs (liquidation) */
	uint32_t liquidated; /* whose position it was then */
	uint32_t account;
	uint16_t coin;
	uint8_t side;
	bool crossed;
	bool has_cloid;
	uint8_t cloid[16];
	px_t px;
	qty_t qty;
	qty_t start;  /* position before */
	usd_t closed; /* what it realised, before the fee */
	usd_t fee;
	uint64_t ns;
};

struct hlx_funding {
	uint32_t account;
	uint16_t coin;
	usd_t usd; /* received */
	qty_t qty; /* position at that time */
	int64_t rate_e12;
	uint64_t ns;
};

struct hlx;

/* Who is told; none but funding may be NULL, none may call back. */
struct hlx_sink {
	void *user;
	void (*order)(void *user, const struct hlx *x, uint32_t order);
	void (*fill)(void *user, const struct hlx *x, const struct hlx_fill *f);
	/* the tape: the taker's side */
	void (*print)(void *user, const struct hlx *x, uint16_t coin,
	    enum side side, px_t px, qty_t qty, uint64_t tid);
	/* the book of a coin is another one */
	void (*book)(void *user, const struct hlx *x, uint16_t coin);
	void (*funding)(
	    void *user, const struct hlx *x, const struct hlx_funding *f);
};

struct hlx {
	const struct hlx_sink *sink;
	uint64_t now_ns;
	uint64_t oid;
	uint64_t tid;
	uint32_t order_at;
	uint32_t account_n; /* in use: the first ones */
	uint32_t fill_n; /* ever: the newest is at (fill_n - 1) % HLX_FILLS */
	uint32_t funding_n; /* likewise, of fundings */
	usd_t deposits;
	bool reduce_due; /* a position behind reduce-only orders changed */
	uint32_t taker;	 /* scratch of one placement */
	i128_t taken_e16;
	uint32_t by_oid[2 * HLX_ORDERS]; /* + 1 */
	uint32_t by_cloid[2 * HLX_ORDERS];
	uint32_t by_address[2 * HLX_ACCOUNTS];
	struct hlx_account account[HLX_ACCOUNTS];
	struct hlx_fill fill[HLX_FILLS];
	struct hlx_funding fundings[HLX_FUNDINGS];
	struct hlx_order order[HLX_ORDERS];
	struct hlx_coin coin[HLX_COINS];
};

#endif
