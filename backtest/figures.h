/*
 * figures.h - what a run is judged by, from its ledger.
 *
 * Every figure is a double with a name; NaN where it is not defined (no bar,
 * no fill, no loss), which is `null` in JSON and fails every target. The
 * definitions are in docs/backtest.md, one row each, in this order.
 * Pure : yes.
 */
#ifndef BACKTEST_FIGURES_H
#define BACKTEST_FIGURES_H

#include "backtest/ledger.h"

/* FIGURE(name, unit) */
#define FIGURES(F)                        \
	F(pnl_usd, "usd")                 \
	F(pnl_realised_usd, "usd")        \
	F(pnl_unrealised_usd, "usd")      \
	F(return_frac, "frac")            \
	F(sharpe, "")                     \
	F(sortino, "")                    \
	F(calmar, "")                     \
	F(max_drawdown_frac, "frac")      \
	F(max_drawdown_usd, "usd")        \
	F(win_rate_frac, "frac")          \
	F(profit_factor, "")              \
	F(orders_n, "n")                  \
	F(fills_n, "n")                   \
	F(trades_per_day, "n/day")        \
	F(fill_rate_frac, "frac")         \
	F(maker_ratio_frac, "frac")       \
	F(volume_usd, "usd")              \
	F(turnover, "")                   \
	F(turnover_per_day, "1/day")      \
	F(fees_usd, "usd")                \
	F(rebates_usd, "usd")             \
	F(rebates_max_usd, "usd")         \
	F(funding_usd, "usd")             \
	F(settled_usd, "usd")             \
	F(spread_capture_usd, "usd")      \
	F(spread_capture_bps, "bps")      \
	F(realised_spread_30s_bps, "bps") \
	F(realised_spread_2m_bps, "bps")  \
	F(realised_spread_10m_bps, "bps") \
	F(markout_30s_usd, "usd")         \
	F(markout_2m_usd, "usd")          \
	F(markout_10m_usd, "usd")         \
	F(markout_30s_good_frac, "frac")  \
	F(exposure_usd, "usd")            \
	F(bars_n, "n")                    \
	F(span_s, "s")

enum figure {
#define F(name, unit) FIG_##name,
	FIGURES(F)
#undef F
	FIG_N
};

struct figures {
	double v[FIG_N];
};

void figures_of(const struct ledger *l, struct figures *out);

/* figure_name, figure_unit - of one; figure_find - -1 when there is none. */
const char *figure_name(unsigned f);
const char *figure_unit(unsigned f);
int figure_find(const char *name, size_t n);

#endif
