/*
 * pmx.h - Polymarket's exchange: accounts, orders, matches, settlement.
 *
 * What      : what the venue does behind its REST and WebSocket paths; those
 *             (signatures, texts, JSON) are other files. Every account here
 *             may be a client's or one of the simulator's own participants.
 * Books     : one a market, in the YES frame: an order for NO at p is one of
 *             YES at 1 - p on the other side. Which tokens the two sides of
 *             a match hold decides what it is:
 *               same token        tokens change hands
 *               both buy          mint: a dollar is split into YES and NO
 *               both sell         merge: YES and NO become a dollar
 *             The resting order always gets its own price.
 * Money     : two axes. A match is MATCHED at once and becomes MINED, then
 *             CONFIRMED; until MINED what was bought cannot be sold and what
 *             was earned cannot be spent. A trade may go RETRYING and FAILED
 *             instead, which undoes it. Nothing is ever created or lost:
 *             dollars of all accounts, fees and the collateral of all pairs
 *             add up to what was deposited (pmx_is_conserved).
 * Fees      : takers only, libcore/fees.h.
 * Rounding  : a leg is worth floor(price * shares) at 1e-6 to the resting
 *             side; the other side of a mint or merge has the rest.
 * Effects   : through the sink, in the order they happen, inside the call.
 * Pure      : yes; time is an argument. O(log) a call and O(1) a leg.
 */
#ifndef SIMVENUE_PMX_H
#define SIMVENUE_PMX_H

#include "simvenue/pmx_state.h"

/* pmx_init - in zeroed memory of sizeof(struct pmx) bytes (some 100 MB that
 * are touched only as far as they are used). */
void pmx_init(struct pmx *x, const struct pmx_sink *sink, uint64_t seed);

/* pmx_account_open - PMX_NONE when full. pmx_deposit - dollars (may be taken
 * out again with a negative amount that is available). */
uint32_t pmx_account_open(struct pmx *x);
bool pmx_deposit(struct pmx *x, uint32_t account, usd_t usd);

/* pmx_market_open - PMX_NONE when full. */
uint32_t pmx_market_open(struct pmx *x, const struct pmx_terms *t);

/* pmx_market_find - by token: role too. PMX_NONE when unknown. */
uint32_t pmx_market_find(
    const struct pmx *x, const struct pm_token *t, enum token_role *role);

/* pmx_set_tick - a new grid; resting orders stay as they are. */
void pmx_set_tick(struct pmx *x, uint32_t market, tok_px_t tick);

/* pmx_halt - phase OPEN <-> HALTED. */
void pmx_halt(struct pmx *x, uint32_t market, bool halted);

/*
 * pmx_resolve - orders go (RESOLVED), trades under way settle, YES pays
 * yes_px (0, 0.5, 1) and NO the rest; the market's entry is free afterwards.
 */
void pmx_resolve(struct pmx *x, uint32_t market, px_t yes_px);

/* pmx_split, pmx_merge - a dollar into a pair and back, settled at once.
 * False: not available. */
bool pmx_split(struct pmx *x, uint32_t account, uint32_t market, qty_t q);
bool pmx_merge(struct pmx *x, uint32_t account, uint32_t market, qty_t q);

/* An order as it was signed: amounts, not prices. */
struct pmx_new {
	struct pmx_id id;
	uint32_t account;
	uint16_t market;
	enum token_role role;
	enum side side;
	enum pmx_type type;
	bool post_only;
	int64_t give_e6; /* makerAmount: dollars of a BUY, shares of a SELL */
	int64_t get_e6;	 /* takerAmount */
	uint64_t expiration_s;
	bool at_once;	  /* of the simulator: no market delays it */
	uint32_t hold_ms; /* delayed for so long whatever it would meet */
};

/*
 * pmx_place - checks in the order of enum pmx_error, then matches and rests.
 * Returns : PMX_OK with *order set, or why not, with *order PMX_NONE. A FOK
 *           or FAK that finds nothing was never there.
 * now_ns    : the venue's clock, UTC; pmx_step it first.
 */
enum pmx_error pmx_place(
    struct pmx *x, const struct pmx_new *n, uint64_t now_ns, uint32_t *order);

/* pmx_find - by id, PMX_NONE. */
uint32_t pmx_find(const struct pmx *x, const struct pmx_id *id);

enum pmx_cancel {
	PMX_CANCEL_OK = 1,
	PMX_CANCEL_DONE, /* matched or cancelled before */
	PMX_CANCEL_UNKNOWN,
	PMX_CANCEL_DELAYED, /* waits for its match: cannot be cancelled */
	PMX_CANCEL_N
};
enum pmx_cancel pmx_cancel(
    struct pmx *x, uint32_t account, uint32_t order, uint64_t now_ns);

/* pmx_beat - a valid heartbeat: arms the switch. When none follows for
 * PMX_BEAT_NS, the next check (every PMX_CHECK_NS) cancels everything. */
#define PMX_BEAT_NS  UINT64_C(10000000000)
#define PMX_CHECK_NS UINT64_C(5000000000)
void pmx_beat(struct pmx *x, uint32_t account, uint64_t now_ns);

/* pmx_lapse - every heartbeat so far is forgotten: the next check cancels all
 * orders of those whose switch is armed. */
void pmx_lapse(struct pmx *x);

/* pmx_step - what is due by now_ns. pmx_wake - when something is, 0 never. */
void pmx_step(struct pmx *x, uint64_t now_ns);
uint64_t pmx_wake(const struct pmx *x);

/* pmx_free_usd, pmx_free_token - what an account may spend or sell now. */
int64_t pmx_free_usd(const struct pmx *x, uint32_t account);
int64_t pmx_free_token(
    const struct pmx *x, uint32_t account, uint16_t market, enum token_role r);

/* pmx_left - of an order. pmx_is_open - DELAYED or LIVE. */
static inline qty_t
pmx_left(const struct pmx_order *o)
{
	return QTY(o->qty.e8 - o->matched.e8);
}

static inline bool
pmx_is_open(const struct pmx_order *o)
{
	return o->state == PMX_DELAYED || o->state == PMX_LIVE;
}

/* pmx_is_conserved - the sum of everything, walked; for tests. */
bool pmx_is_conserved(const struct pmx *x);

#endif
