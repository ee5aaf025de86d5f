/*
 * hlx.h - Hyperliquid's exchange: accounts, perpetual futures, matches.
 *
 * What      : what the venue does behind /exchange and /info; signatures,
 *             nonces, texts and JSON are other files. Every account may be a
 *             client's or one of the simulator's own participants.
 * Orders    : ALO (post-only), IOC, GTC; cloid; reduce-only; modify is cancel
 *             and new. An order that would meet one of its own account takes
 *             that one out and goes on.
 * Prices    : at most 5 significant figures and 6 - szDecimals decimals,
 *             integers always.
 * Money     : average-cost positions, exact (libcore/position.h). Deposits,
 *             fees, funding and profit of all accounts add up
 *             (hlx_is_conserved): what one earns another pays.
 * Margin    : the worse side of position and resting orders at the mark,
 *             over the leverage, must be within the account's value.
 * Budget    : one action per dollar ever traded and HLX_BUDGET to begin
 *             with; cancels have min(budget + 100,000, twice the budget);
 *             when it is exhausted, one action every HLX_SPARE_NS.
 * Effects   : through the sink, in the order they happen, inside the call.
 * Pure      : yes; time is an argument, ns of the venue's clock (UTC).
 */
#ifndef SIMVENUE_HLX_H
#define SIMVENUE_HLX_H

#include "simvenue/hlx_state.h"

/* hlx_init - in zeroed memory of sizeof(struct hlx). */
void hlx_init(struct hlx *x, const struct hlx_sink *sink);

/* hlx_account_open - HLX_NONE when full. hlx_account_find - by address. */
uint32_t hlx_account_open(struct hlx *x, const uint8_t address[20]);
uint32_t hlx_account_find(const struct hlx *x, const uint8_t address[20]);
void hlx_deposit(struct hlx *x, uint32_t account, usd_t usd);

/* hlx_coin_add - HLX_NONE when full; mark and oracle start at px. */
uint32_t hlx_coin_add(struct hlx *x, const struct hlx_terms *t, px_t px);

/* hlx_coin_find - by asset number, HLX_NONE. */
uint32_t hlx_coin_find(const struct hlx *x, uint32_t index);

/* hlx_set_prices - mark, oracle and hourly funding rate from outside. */
void hlx_set_prices(
    struct hlx *x, uint32_t coin, px_t mark, px_t oracle, int64_t funding_e12);

/* hlx_fund - pay an hour's funding on every position of every coin:
 * position * oracle * rate, longs pay when it is positive. */
void hlx_fund(struct hlx *x);

/* hlx_set_leverage - of an account on a coin; false: not from 1 to the most.
 * hlx_leverage - what is in force. */
bool hlx_set_leverage(
    struct hlx *x, uint32_t account, uint32_t coin, uint32_t leverage);
uint32_t hlx_leverage(const struct hlx *x, uint32_t account, uint32_t coin);

struct hlx_new {
	uint32_t account;
	uint32_t index; /* asset number */
	enum side side;
	px_t px;
	qty_t qty;
	enum hlx_tif tif;
	bool reduce_only;
	bool has_cloid;
	uint8_t cloid[16];
};

struct hlx_result {
	enum hlx_error error; /* HLX_OK: the rest holds */
	uint32_t order;
	bool rests;   /* resting, maybe after a part was filled */
	qty_t filled; /* not resting: total and average price */
	px_t avg_px;
	px_t bid; /* of HLX_ERR_POST_ONLY: the touch, 0 none */
	px_t ask;
};

/*
 * hlx_place - checks in the order of enum hlx_error, then matches and rests.
 * A refused order has an oid too and is told as REJECTED.
 */
void hlx_place(struct hlx *x, const struct hlx_new *n, uint64_t now_ns,
    struct hlx_result *r);

/* hlx_find_oid, hlx_find_cloid - newest order with it; HLX_NONE. */
uint32_t hlx_find_oid(const struct hlx *x, uint64_t oid);
uint32_t hlx_find_cloid(
    const struct hlx *x, uint32_t account, const uint8_t cloid[16]);

/* hlx_cancel - HLX_OK or HLX_ERR_NO_ORDER. */
enum hlx_error hlx_cancel(
    struct hlx *x, uint32_t account, uint32_t order, uint64_t now_ns);

/*
 * hlx_modify - cancel `order` and place n. Without `always` the new order
 * must be a passive ALO or GTC, and is placed only when the old one could
 * still be cancelled.
 */
void hlx_modify(struct hlx *x, uint32_t order, const struct hlx_new *n,
    bool always, uint64_t now_ns, struct hlx_result *r);

/* hlx_schedule - cancel everything of an account at `at_ns`, at least 5 s
 * ahead; 0 clears. False: too soon, or ten triggers today already. */
#define HLX_SCHEDULE_MIN_NS UINT64_C(5000000000)
#define HLX_SCHEDULE_DAILY  10u
bool hlx_schedule(
    struct hlx *x, uint32_t account, uint64_t at_ns, uint64_t now_ns);

/* hlx_spend - n actions of the budget; when it is exhausted, one every 10 s.
 * False: refused, nothing spent. hlx_note_spent - without asking. */
#define HLX_SPARE_NS UINT64_C(10000000000)
bool hlx_spend(struct hlx *x, uint32_t account, uint32_t n, bool is_cancel);
void hlx_note_spent(struct hlx *x, uint32_t account, uint32_t n);
uint64_t hlx_budget(const struct hlx *x, uint32_t account, bool is_cancel);

/* hlx_liquidate - the venue closes a position at the mark against `against`,
 * without an order of the account's. */
void hlx_liquidate(struct hlx *x, uint32_t account, uint32_t coin,
    uint32_t against, uint64_t now_ns);

/* hlx_step, hlx_wake - scheduled cancels; as pmx.h. */
void hlx_step(struct hlx *x, uint64_t now_ns);
uint64_t hlx_wake(const struct hlx *x);

/* hlx_value - of an account at the marks, margin mode cross. hlx_margin -
 * bound by positions and resting orders. */
usd_t hlx_value(const struct hlx *x, uint32_t account);
usd_t hlx_margin(const struct hlx *x, uint32_t account);

/* hlx_open_interest - of a coin: all longs, which are all shorts. */
qty_t hlx_open_interest(const struct hlx *x, uint32_t coin);

/* hlx_text - what the venue says, without the " asset=N" it may add. */
const char *hlx_text(enum hlx_error e);

/* hlx_status_text - as in orderUpdates ("open", "minTradeNtlRejected"). */
const char *hlx_status_text(const struct hlx_order *o);

/* hlx_is_conserved - walked; for tests. */
bool hlx_is_conserved(const struct hlx *x);

#endif
