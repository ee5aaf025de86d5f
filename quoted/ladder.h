/*
 * ladder.h - levels of quotes of a perpetual future around a price.
 *
 * What     : from book, volatility, inventory, funding and what recent fills
 *            were worth: the spread, the reservation price and up to 15
 *            quotes a side (the 16th slot is riskd's, for exits).
 * Units    : distances in basis points of the price; doubles inside, prices
 *            on the grid outside.
 * Pure     : yes. O(levels^2) a refresh.
 * Source   : docs/strategy-maths.md, "Ladder".
 */
#ifndef QUOTED_LADDER_H
#define QUOTED_LADDER_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/book.h"
#include "libshm/cfg.h"
#include "libshm/slots.h"

#define LADDER_TOP   10u /* levels of the book that are looked at        */
#define LADDER_FILLS 16u

struct ladder_fill {
	uint64_t ns; /* 0: free                                           */
	px_t px;
	uint8_t side;
	uint8_t done; /* bps is known                                     */
	uint8_t pad[6];
	double bps; /* capture: above 0 is good                          */
};

/* What a ladder remembers. */
struct ladder_state {
	uint64_t refresh_ns; /* last look                                 */
	px_t bid_px;	     /* touch then                                */
	px_t ask_px;
	int64_t position_e8; /* then                                      */
	double budget;	     /* actions left                              */
	uint64_t budget_ns;
	uint32_t fill_at;
	uint32_t cut_told; /* levels quoted, as last told                 */
	struct ladder_fill fill[LADDER_FILLS];
};

/* What the top of the book looks like. */
struct ladder_book {
	double bid_usd; /* of the top levels                              */
	double ask_usd;
	double imbalance; /* -1 (only asks) .. 1 (only bids)              */
	px_t mid; /* weighted by the quantities of the top levels         */
};

/* ladder_look - of a book with both sides; false when one is empty. */
bool ladder_look(const struct book *b, struct ladder_book *out);

/* ladder_is_liquid - both sides over perp.liquid_min. */
bool ladder_is_liquid(const struct ladder_book *b, const struct cfg *c);

/*
 * ladder_spread - bid to ask of the innermost quotes, basis points.
 *  1. by annualised volatility of 1-minute returns, between the ends of its
 *     zone: 1-10, 2-20, 5-35, 10-50; negative: not known, perp.spread_bps
 *  2. clamped to 1 .. 50
 *  3. imbalance over its limit: * 1.3 .. perp.imbalance_mult
 *  4. both sides deep: * 0.9 .. perp.deep_mult
 *  5. adverse fills: * perp.adverse_mult
 *  6. within perp.min_spread_bps and perp.max_spread_bps
 */
double ladder_spread(const struct cfg *c, const struct ladder_book *b,
    double annual, const struct ladder_state *s);

/* ladder_fill - a fill of ours. ladder_mid - a mid: captures that are due. */
void ladder_fill(
    struct ladder_state *s, enum side side, px_t px, uint64_t now_ns);
void ladder_mid(
    struct ladder_state *s, const struct cfg *c, px_t mid, uint64_t now_ns);

/* ladder_capture - mean of the captures known, basis points; false: none. */
bool ladder_capture(const struct ladder_state *s, double *bps);

struct ladder_skew {
	double bid_mult; /* on distances, 0: withdrawn                    */
	double ask_mult;
};

/*
 * ladder_skew - by the signed position over capital, long:
 *   up to none_frac        1, 1
 *   to balanced_frac       linear to a quarter of the way to skew_mult
 *   to max_frac            linear to skew_mult for bids, 1 / skew_mult for asks
 *   above one_sided_frac   no bids
 * short is the mirror image.
 */
struct ladder_skew ladder_skew(const struct cfg *c, double frac);

/* ladder_funding - shift of the reservation price, a fraction: longs pay a
 * positive rate, so that it falls. hours to the next payment. */
double ladder_funding(const struct cfg *c, double hourly, double hours);

struct ladder_in {
	px_t reserve;
	px_t bid_px; /* touch                                             */
	px_t ask_px;
	px_t tick;
	uint32_t sig; /* significant figures, 0 any                       */
	qty_t lot;
	qty_t min_qty;
	usd_t min_usd;
	usd_t usd[SIDE_N]; /* of the whole side                           */
	double spread_bps;
	struct ladder_skew skew;
};

struct ladder_out {
	uint32_t n[SIDE_N];
	struct book_level level[SIDE_N][ORDER_LEVELS];
	uint32_t asked; /* levels without cuts and merges                 */
};

/*
 * ladder_weights - share of each of n levels, together 1: tiers by their
 * shares with decay inside each, or plain decay. A tier without levels gives
 * its share to the others in proportion.
 */
void ladder_weights(const struct cfg *c, uint32_t n, double w[ORDER_LEVELS]);

/* ladder_distance - of level k (0 the innermost), basis points: geometric
 * between the ends of its tier. */
double ladder_distance(const struct cfg *c, uint32_t k);

/*
 * ladder_make - the quotes.
 *  1. as many levels as reach the minimum with their share of the side
 *  2. distance = (ladder_distance + max(0, spread / 2 - first)) * skew
 *  3. bids down, asks up to the grid; never at or beyond the other touch
 *  4. levels on one price are merged
 */
void ladder_make(
    const struct cfg *c, const struct ladder_in *in, struct ladder_out *out);

/*
 * ladder_worth - is moving a quote by move_bps worth an action? The less of
 * the budget is left, the larger it must be: at full 0, at half 1 bps, at a
 * quarter 3, nothing below a tenth (kept for withdrawals, which are always
 * allowed). ladder_spend - an action; ladder_refill - time and dollars traded.
 */
bool ladder_worth(
    const struct ladder_state *s, const struct cfg *c, double move_bps);
void ladder_spend(struct ladder_state *s);
void ladder_refill(struct ladder_state *s, const struct cfg *c, uint64_t now_ns,
    double traded_usd);

#endif
