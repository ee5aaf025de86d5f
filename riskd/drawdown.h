/*
 * drawdown.h - the day's profit and loss, its limit and its latch.
 *
 * P&L of the day = realised today - fees today + unrealised of everything.
 * Below -limit it latches: trading stops until a person thaws. After a thaw
 * the limit counts from the P&L at that moment for the rest of the day
 * (`base`), else the same loss would latch again at once.
 * The day ends at midnight of risk.timezone and never goes back, whatever
 * the clock does. A new day clears realised, fees and base, not the latch.
 *
 * The same struct serves the edge strategy alone: its latches stop it and
 * nothing else.
 *
 * Pure: yes. O(1). Flat: written to disk as it is (risk_io.c).
 */
#ifndef RISKD_DRAWDOWN_H
#define RISKD_DRAWDOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/fixed.h"

struct loss {
	i128_t realised_e16;   /* today, before fees                        */
	usd_t fees;	       /* today                                     */
	usd_t base;	       /* P&L at the last thaw of the day           */
	usd_t hwm;	       /* highest equity gain so far, all time      */
	usd_t carried;	       /* P&L realised before today, after fees     */
	int64_t day;	       /* days since 1970 in the zone; 0: none yet  */
	int64_t latch_wall_ns; /* when it latched                         */
	usd_t latch_pnl;
	uint64_t latched; /* freeze bits that are latched                 */
	uint64_t corrections_n; /* of positions, by a thaw today            */
	usd_t corrected;	/* P&L that they booked                     */
};

/* loss_day - day number of a moment, zone east_s seconds east of UTC. */
int64_t loss_day(int64_t wall_ns, int64_t east_s);

/* loss_roll - begin day `day` if it is later than the present one. Returns
 * true when a day ended; *ended gets its realised P&L after fees. */
bool loss_roll(struct loss *l, int64_t day, usd_t *ended);

/* loss_realised - today, after fees, rounded down. */
usd_t loss_realised(const struct loss *l);

/* loss_pnl - P&L of the day with this unrealised gain. */
usd_t loss_pnl(const struct loss *l, usd_t unrealised);

/* loss_book - a fill realised so much and cost a fee. */
void loss_book(struct loss *l, i128_t realised_e16, usd_t fee);

/*
 * loss_check - latch when P&L - base < -limit; keeps the high-water mark.
 * Returns : true when it latched just now. Needs limit > 0 (CHECK).
 */
bool loss_check(struct loss *l, usd_t unrealised, usd_t limit, int64_t wall_ns);

/*
 * loss_bound - could the worst outcome pass the limit?
 * worst: sum over all markets of their gain at the worst outcome (<= 0 in
 * the main), in place of unrealised. Returns true when it stays within.
 */
bool loss_bound(const struct loss *l, usd_t worst, usd_t limit);

/* loss_fall - how far equity is below its highest, >= 0 after loss_check. */
usd_t loss_fall(const struct loss *l, usd_t unrealised);

/*
 * loss_drawdown - latch FREEZE_DRAWDOWN when equity (capital and all that was
 * ever earned) fell from its highest by more than frac_e8 of it. 0: off.
 * Returns : true when it latched just now.
 */
bool loss_drawdown(struct loss *l, usd_t unrealised, usd_t capital,
    int64_t frac_e8, int64_t wall_ns);

/* loss_thaw - a person lifts the latches; the high-water mark begins anew
 * after a drawdown. */
void loss_thaw(struct loss *l, usd_t unrealised);

#endif
