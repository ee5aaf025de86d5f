/*
 * truth.h - the truth report: what a recorded day really brought.
 *
 * What     : reader events in, figures out, and the figures as JSON. Nothing
 *            but the capture goes in, so that anybody can recompute it:
 *            `recorderd report DAY` and `backtest report` run this code.
 * Day      : a UTC day. Events before it build the state it begins with
 *            (positions, marks, links, freezes) and are not counted.
 * Figures  : each with its definition in docs/strategy-maths.md, "Truth
 *            report". Money in usd_t, ratios as doubles, null where there is
 *            nothing to divide by.
 * Fills    : once by fill_id; a reversed one undoes its trade and counts as
 *            reversed. Binaries settle by the outcome in the instrument table.
 * Limits   : TRUTH_HOLDS pairs of instrument and strategy, TRUTH_IDS fills a
 *            capture; what is over is counted (over_n) and makes the report
 *            say that it is not whole.
 * Pure     : yes. O(1) an event, O(holdings) a minute.
 */
#ifndef RECORDERD_TRUTH_H
#define RECORDERD_TRUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/position.h"
#include "libcore/reasons.h"
#include "libshm/ctl.h"
#include "recorderd/mark.h"
#include "recorderd/reader.h"

#define TRUTH_HOLDS   2048u
#define TRUTH_IDS     131072u
#define TRUTH_MINUTES 1440u
#define TRUTH_JSON_SZ 65536u
#define TRUTH_ACK_N   256u /* buckets of the acknowledgement time */

/* Flows of one strategy on the day. */
struct truth_part {
	uint64_t fills;
	uint64_t maker_fills;
	uint64_t orders; /* that were acknowledged                        */
	uint64_t filled; /* of any, those that traded at all              */
	usd_t volume;
	usd_t maker_volume;
	usd_t fees;	   /* paid                                           */
	usd_t rebates;	   /* received, above 0                              */
	usd_t realised;	   /* before fees                                    */
	usd_t unrealised;  /* at the end, less that at the beginning       */
	i128_t spread_e16; /* maker: |mid - px| * qty on our side          */
	i128_t spread_qty;
	uint64_t markout_n[MARKOUT_HORIZONS];
	int64_t markout_sum_e8[MARKOUT_HORIZONS]; /* maker, each fill once */
};

struct truth_hold {
	uint16_t instr;
	uint8_t strategy;
	bool used;
	struct position pos;
	usd_t first_unrealised; /* when the day began                     */
	usd_t first_realised;
};

struct truth_feed {
	bool seen;
	bool up;
	uint64_t up_ns;
	int64_t since_ns; /* UTC                                          */
	uint64_t downs;
	uint64_t reconnects_first;
	uint64_t gaps;
};

struct truth {
	int64_t day_ns; /* UTC                                            */
	int64_t end_ns;
	bool begun; /* the day                                            */
	int64_t first_ns; /* of the day's events                          */
	int64_t last_ns;
	uint64_t run_id;
	uint64_t runs;
	uint64_t slots;
	uint64_t gaps;
	uint64_t lost;
	uint64_t over_n;
	uint64_t reversed;
	uint64_t markout_missed;
	struct truth_part part[STRATEGY_N]; /* 0: of no strategy           */
	struct truth_hold hold[TRUTH_HOLDS];
	struct truth_feed feed[VENUE_N];
	uint64_t restarts[ST_N];
	uint64_t lives[ST_N];
	uint64_t rejects[REASON_N];
	uint64_t verdicts[REASON_N]; /* intents that were vetoed           */
	uint64_t freeze_mask[FW_N];
	uint64_t freezes[FREEZE_BITS_N]; /* times the bit went up          */
	uint64_t cancel_alls; /* times a word went from nothing to something */
	uint64_t frozen_ns;
	int64_t frozen_since_ns; /* UTC, 0 not                            */
	uint64_t intents;
	uint64_t placed;
	uint64_t cancels;
	uint64_t ack_n;
	uint32_t ack[TRUTH_ACK_N];
	px_t mid[INSTR_N];  /* 0: no book                                  */
	px_t mark[INSTR_N]; /* the last mid there was                     */
	uint8_t venue[INSTR_N];
	uint8_t outcome[INSTR_N];
	uint16_t epoch[INSTR_N];
	int64_t minute;
	usd_t equity_first;
	usd_t equity[TRUTH_MINUTES]; /* at the end of each                */
	bool has_equity[TRUTH_MINUTES];
	uint64_t id[TRUTH_IDS]; /* fills seen, open addressing            */
	uint32_t id_n;
	struct mark marks;
};

/* truth_init - day_ns: midnight UTC. cfg gives the markouts' horizons until
 * the capture's own configuration is read. */
void truth_init(struct truth *t, int64_t day_ns, const struct cfg *cfg);

/* truth_step - one event, in the reader's order. */
void truth_step(struct truth *t, const struct reader_event *ev);

/* truth_end - after the last one. */
void truth_end(struct truth *t);

/* truth_duration - a configuration's "30s", "2m", "500ms" in ns. */
bool truth_duration(const char *text, int64_t *ns);

/* What is asked most. */
struct truth_sum {
	usd_t pnl; /* realised + unrealised - fees + rebates              */
	usd_t realised;
	usd_t unrealised;
	usd_t fees;
	usd_t rebates;
	usd_t volume;
	usd_t drawdown; /* largest fall from a former highest equity      */
	uint64_t fills;
	double maker_frac; /* of volume; NaN: none                       */
	double fill_frac;  /* orders that traded, of those that rested   */
	double sharpe;	   /* of minutes, for a year; NaN: undefined     */
	double calmar;
};
void truth_sum(const struct truth *t, struct truth_sum *s);

/* truth_json - one object, with a newline. Returns its length; 0: cap is too
 * small (TRUTH_JSON_SZ never is). The same capture gives the same bytes. */
size_t truth_json(const struct truth *t, char *buf, size_t cap);

#endif
