/*
 * ledger.h - what a run earned, and where, from its messages alone.
 *
 * What     : positions and cash of every market that was traded, by component
 *            (maker, taker, arb, satellite), fees, rebates, funding,
 *            settlement, markouts, the equity curve. It is told of fills,
 *            prices and metadata; it asks nobody, so it checks riskd too.
 * Equity   : capital + for every market, component: cash received - cash paid
 *            + open quantity at the mid - fees + rebates + funding.
 * Bars     : returns are taken at the end of every bar (bar_ns of UTC), for
 *            Sharpe and Sortino; the curve and the drawdown look every second.
 * Funding  : on the full hour, open quantity * oracle price * hourly rate, as
 *            last told; longs pay a positive rate.
 * Settled  : a market that is RESOLVED pays 1, 0 or 1/2, no fee.
 * Rebates  : of binaries' maker fills, rebate_share_ppm of the most that can
 *            be paid back (libcore/fees.h); 0 books none.
 * Memory   : LEDGER_MARKETS markets; then flat ones are put together as
 *            "(others)". Fills: the last 10 minutes wait for markouts.
 * Formulas : docs/backtest.md.  Money is integers; figures are doubles.
 */
#ifndef BACKTEST_LEDGER_H
#define BACKTEST_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "backtest/series.h"
#include "libcore/position.h"
#include "libshm/instr.h"
#include "libshm/slots.h"

#define LEDGER_MARKETS	2048u
#define LEDGER_PLOTS	16u
#define LEDGER_FILLS	4096u /* kept for the page                        */
#define LEDGER_HORIZONS 3u

enum component {
	COMP_MAKER = 1,
	COMP_TAKER = 2,
	COMP_ARB = 3,
	COMP_SATELLITE = 4,
	COMP_N
};

const char *component_name(enum component c);

struct ledger_args {
	usd_t capital;
	uint64_t bar_ns;
	uint32_t rebate_share_ppm;
};

/* One fill with what came after it. */
struct ledger_fill {
	uint64_t t_ns;
	uint64_t id;
	uint64_t fill_id;
	px_t px;
	qty_t qty;
	usd_t fee;
	px_t mid;		     /* before the fill, 0 unknown     */
	px_t after[LEDGER_HORIZONS]; /* mid then; meant by the bits    */
	uint16_t market;	     /* of ledger.market               */
	uint8_t side;
	uint8_t component;
	uint8_t maker;
	uint8_t strategy;
	uint8_t after_set; /* bits: horizon i is known                 */
	uint8_t venue;
	usd_t realised;
};

/* Sums of one market, or of all. */
struct ledger_sum {
	uint64_t orders; /* passed by riskd                             */
	uint64_t acks;	 /* rested                                      */
	uint64_t filled; /* orders with at least one fill               */
	uint64_t fills;
	uint64_t closing; /* fills that realised something               */
	uint64_t wins;
	uint64_t maker_fills;
	usd_t volume;
	usd_t maker_volume;
	usd_t fees;
	usd_t rebates;
	usd_t rebates_max;
	usd_t funding;
	usd_t settled; /* realised by outcomes                           */
	usd_t gross_win;
	usd_t gross_loss; /* positive                                    */
	usd_t spread;	  /* maker fills: distance to the mid, in dollars */
	usd_t spread_volume;
	usd_t after[LEDGER_HORIZONS]; /* ... to the mid later             */
	usd_t after_volume[LEDGER_HORIZONS];
	uint64_t after_n[LEDGER_HORIZONS];
	uint64_t after_good[LEDGER_HORIZONS];
};

/* What rests of ours on a side, level 0. */
struct ledger_rest {
	uint64_t id;
	px_t px;
};

struct ledger_market {
	char symbol[48];
	uint8_t venue;
	uint8_t cls;
	bool used;
	bool is_settled;
	uint16_t instr;
	uint16_t plot; /* + 1 of ledger.plot, 0 none                     */
	uint32_t fee_ppm;
	uint32_t rebate_ppm;
	px_t bid;
	px_t ask;
	px_t mid;
	px_t oracle;
	int64_t funding_e12;
	struct ledger_rest rest[SIDE_N];
	struct position pos[COMP_N];
	struct ledger_sum sum;
};

/* Best prices of an instrument, traded or not. */
struct ledger_touch {
	px_t bid;
	px_t ask;
	px_t mid; /* of the last sound touch, 0 none                     */
};

struct ledger_moments {
	uint64_t n;
	double mean;
	double m2;
	double down2; /* sum of squares of returns below 0                */
};

struct ledger {
	struct ledger_args a;
	uint64_t start_ns;
	uint64_t now_ns;
	uint64_t bar_end_ns;
	uint64_t look_ns; /* next look at the curve                       */
	uint64_t hour_ns; /* next funding                                 */
	usd_t last_equity;
	usd_t peak;
	usd_t drawdown; /* largest, in dollars                            */
	double drawdown_frac;
	struct ledger_moments ret;
	struct ledger_sum all;
	struct ledger_sum comp[COMP_N];
	usd_t comp_pnl_gone[COMP_N]; /* of markets put together          */
	uint32_t market_n;
	uint16_t of[INSTR_N]; /* market + 1                               */
	struct instr *instr;  /* INSTR_N, as last told                    */
	struct ledger_touch *touch; /* INSTR_N                            */
	struct ledger_market *market;
	struct series *equity; /* equity, exposure, fees, -, -            */
	struct series *link;   /* round trip by venue, us                 */
	uint32_t plot_n;
	struct series *plot; /* LEDGER_PLOTS: bid, ask, our bid, our ask, qty */
	/* fills that wait, a ring that grows */
	struct ledger_fill *wait;
	uint32_t wait_cap;
	uint64_t wait_n;
	uint64_t done[LEDGER_HORIZONS];
	/* fills for the page: every keep_every-th */
	uint32_t keep_n;
	uint32_t keep_every;
	struct ledger_fill *keep;
	/* told of each fill once its markouts are known or too late */
	void *user;
	void (*settled)(void *user, const struct ledger_fill *f);
};

extern const uint64_t ledger_horizon_ns[LEDGER_HORIZONS];

/* ledger_new - NULL: no memory. */
struct ledger *ledger_new(const struct ledger_args *a);
void ledger_free(struct ledger *l);

/* ledger_time - time passes: bars, funding, markouts. Before anything else
 * at that moment; times do not fall. */
void ledger_time(struct ledger *l, uint64_t now_ns);

/* ledger_tick - market data, after the cores have had it, so that the mid of
 * a fill is the one before it. in: of a TICK_INSTR. */
void ledger_tick(struct ledger *l, enum venue v, const struct tick *t,
    const struct instr *in);

/* ledger_msg - a message of a core to riskd or of riskd. */
void ledger_msg(struct ledger *l, const struct order *o);

/* ledger_end - the last look; markouts that are not due are unknown. */
void ledger_end(struct ledger *l);

usd_t ledger_pnl(const struct ledger *l);
usd_t ledger_market_pnl(const struct ledger_market *m);
usd_t ledger_component_pnl(const struct ledger *l, enum component c);
/* ledger_exposure - sum of values of what is held. */
usd_t ledger_exposure(const struct ledger *l);
qty_t ledger_qty(const struct ledger_market *m);

#endif
