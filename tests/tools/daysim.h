/*
 * daysim.h - quoted, riskd and order management against the simulated
 * exchanges, in virtual time.
 *
 * What    : the price path of simvenue (path.h), Polymarket's exchange with
 *           rolling up/down windows (pmx.h, pm_flow.h) and Hyperliquid's with
 *           one perpetual (hlx.h, hl_flow.h), with the participants that
 *           `simvenue --live` has; backtest/engine.h with the exchanges in
 *           place of the paper port. Orders of ours queue, match and are
 *           picked off as anybody's.
 * Left out: texts, sockets and feedd: ticks are made of the books as they
 *           are. What is bought is never merged or sold but by exits; a bid
 *           buys YES, an ask buys NO, for which there is money enough.
 * Time    : steps of DAYSIM_STEP_NS; participants act and ticks are told at
 *           each, the newest book of several. Orders and answers take
 *           `way_ns` each way, rounded up to a step.
 * Trouble : `spikes` - every hour, 30 s in which everything takes SPIKE_NS
 *           more each way; `outages` - every hour the settlement feed is
 *           silent for 50 s.
 * Over    : an hour without a fill and with nothing held ends the day: what
 *           pauses us for so long lasts longer than the day (maker ratio), or
 *           has latched (the day's loss).
 * Perp    : with perp.enabled off its exchange stands still.
 * Same    : config and seed give the same day.
 */
#ifndef TESTS_DAYSIM_H
#define TESTS_DAYSIM_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/cfg.h"

#define DAYSIM_STEP_NS UINT64_C(50000000)
#define DAYSIM_HOURS   24u

struct daysim_args {
	const struct cfg *cfg;
	uint64_t seed;
	uint32_t hours; /* at most DAYSIM_HOURS                            */
	bool spikes;
	bool outages;
};

struct daysim_result {
	int64_t equity_e6[DAYSIM_HOURS]; /* at each hour's end, at the venues */
	int64_t pnl_e6;	 /* at the end, by the venues          */
	int64_t pm_e6;	 /* ... of it on Polymarket           */
	int64_t risk_e6; /* at the end, by riskd               */
	int64_t low_e6;	 /* lowest of a step, by riskd         */
	uint64_t fills;
	uint64_t taken; /* of them as a taker                             */
	int64_t volume_e6;
	uint64_t orders;
	uint64_t freezes;
	/* Most of a limit that was in use when an order passed, 1e-6 of it:
	 * what counts is an order that makes its market's worst side worse. */
	int64_t market_ppm;
	int64_t total_ppm;
	int64_t loss_ppm; /* the fall of the day over its limit           */
	uint64_t breaches;
	uint64_t hash;
	uint32_t over_h; /* hours until it was over, 0: it was not      */
};

/* daysim_run - progress, when not NULL, is called after each hour. */
void daysim_run(const struct daysim_args *a, void (*progress)(uint32_t hour),
    struct daysim_result *out);

#endif
