#include "backtest/figures.h"

#include <math.h>
#include <string.h>

#include "libcore/check.h"

#define YEAR_S (365.0 * 86400.0)
#define DAY_S  86400.0
#define BPS    10000.0

static const struct {
	const char *name;
	const char *unit;
} table[FIG_N] = {
#define F(name, unit) {#name, unit},
    FIGURES(F)
#undef F
};

const char *
figure_name(unsigned f)
{
	CHECK(f < FIG_N);
	return table[f].name;
}

const char *
figure_unit(unsigned f)
{
	CHECK(f < FIG_N);
	return table[f].unit;
}

int
figure_find(const char *name, size_t n)
{
	for (int f = 0; f < FIG_N; f++)
		if (strlen(table[f].name) == n &&
		    memcmp(table[f].name, name, n) == 0)
			return f;
	return -1;
}

static double
dollars(usd_t u)
{
	return (double)u.e6 / 1e6;
}

/* NaN instead of a division by what is not there. */
static double
ratio(double a, double b)
{
	return b > 0 ? a / b : (double)NAN;
}

static void
returns(const struct ledger *l, double span_s, double *v)
{
	const struct ledger_moments *r = &l->ret;
	double bars_year = YEAR_S * 1e9 / (double)l->a.bar_ns;
	double n = (double)r->n;
	double sd = r->n > 1 ? sqrt(r->m2 / (n - 1)) : 0;
	double down = r->n > 1 ? sqrt(r->down2 / n) : 0;

	v[FIG_sharpe] = ratio(r->mean * sqrt(bars_year), sd);
	v[FIG_sortino] = ratio(r->mean * sqrt(bars_year), down);
	v[FIG_calmar] =
	    ratio(ratio(v[FIG_return_frac] * YEAR_S, span_s), l->drawdown_frac);
	v[FIG_max_drawdown_frac] = l->drawdown_frac;
	v[FIG_max_drawdown_usd] = dollars(l->drawdown);
	v[FIG_bars_n] = n;
}

static void
makers(const struct ledger_sum *s, double *v)
{
	static const struct {
		enum figure bps;
		enum figure usd;
	} after[LEDGER_HORIZONS] = {
	    {FIG_realised_spread_30s_bps, FIG_markout_30s_usd},
	    {FIG_realised_spread_2m_bps, FIG_markout_2m_usd},
	    {FIG_realised_spread_10m_bps, FIG_markout_10m_usd},
	};

	v[FIG_spread_capture_usd] = dollars(s->spread);
	v[FIG_spread_capture_bps] =
	    ratio(dollars(s->spread) * BPS, dollars(s->spread_volume));
	for (unsigned h = 0; h < LEDGER_HORIZONS; h++) {
		v[after[h].usd] =
		    s->after_n[h] > 0 ? dollars(s->after[h]) : (double)NAN;
		v[after[h].bps] = ratio(
		    dollars(s->after[h]) * BPS, dollars(s->after_volume[h]));
	}
	v[FIG_markout_30s_good_frac] =
	    ratio((double)s->after_good[0], (double)s->after_n[0]);
}

void
figures_of(const struct ledger *l, struct figures *out)
{
	const struct ledger_sum *s = &l->all;
	double span_s = (double)(l->now_ns - l->start_ns) / 1e9;
	double *v = out->v;
	int64_t realised = 0;

	for (uint32_t i = 1; i < l->market_n; i++)
		for (int c = 1; c < COMP_N; c++)
			realised +=
			    e16_to_usd(l->market[i].pos[c].realised_e16).e6 -
			    l->market[i].pos[c].fees.e6;
	for (int c = 1; c < COMP_N; c++)
		realised += l->comp_pnl_gone[c].e6;
	realised += s->rebates.e6 + s->funding.e6;
	v[FIG_pnl_usd] = dollars(ledger_pnl(l));
	v[FIG_pnl_realised_usd] = (double)realised / 1e6;
	v[FIG_pnl_unrealised_usd] = (double)(ledger_pnl(l).e6 - realised) / 1e6;
	v[FIG_return_frac] = ratio(v[FIG_pnl_usd], dollars(l->a.capital));
	returns(l, span_s, v);
	v[FIG_win_rate_frac] = ratio((double)s->wins, (double)s->closing);
	v[FIG_profit_factor] =
	    ratio(dollars(s->gross_win), dollars(s->gross_loss));
	v[FIG_orders_n] = (double)s->orders;
	v[FIG_fills_n] = (double)s->fills;
	v[FIG_trades_per_day] = ratio((double)s->fills * DAY_S, span_s);
	v[FIG_fill_rate_frac] = ratio((double)s->filled, (double)s->orders);
	v[FIG_volume_usd] = dollars(s->volume);
	v[FIG_maker_ratio_frac] =
	    ratio(dollars(s->maker_volume), dollars(s->volume));
	v[FIG_turnover] = ratio(v[FIG_volume_usd], dollars(l->a.capital));
	v[FIG_turnover_per_day] = ratio(v[FIG_turnover] * DAY_S, span_s);
	v[FIG_fees_usd] = dollars(s->fees);
	v[FIG_rebates_usd] = dollars(s->rebates);
	v[FIG_rebates_max_usd] = dollars(s->rebates_max);
	v[FIG_funding_usd] = dollars(s->funding);
	v[FIG_settled_usd] = dollars(s->settled);
	makers(s, v);
	v[FIG_exposure_usd] = dollars(ledger_exposure(l));
	v[FIG_span_s] = span_s;
}
