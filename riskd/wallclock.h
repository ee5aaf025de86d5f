/*
 * wallclock.h - is UTC to be trusted?
 *
 * Three clocks: the monotonic one, our UTC, the venues'. Two things freeze
 * (FREEZE_CLOCK), both clear themselves:
 *   step  our UTC moved by more than max against the monotonic clock between
 *         two events: everything, until settle has passed or a step back has
 *         undone it
 *   skew  a venue's answers prove (TICK_LINK.skew_ms) that its clock and ours
 *         differ by more than max: that venue, until they agree again
 * While a step freezes, `trusted_ns` goes on as if it had not happened: the
 * trading day does not roll because somebody set the clock forward.
 * Pure: yes. O(1).
 */
#ifndef RISKD_WALLCLOCK_H
#define RISKD_WALLCLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct wallclock {
	int64_t off_ns;	     /* UTC minus monotonic, at the last event     */
	int64_t trusted_ns;  /* the same, of the clock that is believed    */
	int64_t step_ns;     /* what the steps of this freeze come to      */
	uint64_t step_at_ns; /* newest step, monotonic                    */
	bool known;	     /* an event has been seen                     */
	bool stepped;	     /* frozen                                     */
	uint8_t pad[6];
};

/*
 * wallclock_event - an event came: now_ns monotonic, wall_ns UTC (0: not
 * known, ignored but for the end of a freeze). max_ns, settle_ns > 0 (CHECK).
 * Returns : true when `stepped` changed.
 */
bool wallclock_event(struct wallclock *w, uint64_t now_ns, int64_t wall_ns,
    int64_t max_ns, int64_t settle_ns);

/* wallclock_day_ns - UTC as it is believed; 0 before the first event. */
int64_t wallclock_day_ns(const struct wallclock *w, uint64_t now_ns);

/* wallclock_due_ns - when the freeze ends by time, 0: there is none. */
uint64_t wallclock_due_ns(const struct wallclock *w, int64_t settle_ns);

#endif
