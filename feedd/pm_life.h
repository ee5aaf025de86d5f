/*
 * pm_life.h - life cycle of a binary market.
 *
 * Evidence is what the venue says, and the time of the venue's clock:
 *   1 closed with an outcome            RESOLVE
 *   2 closed                            CLOSE
 *   3 disputed                          DISPUTE
 *   4 an up/down window past its end    CLOSE    (by the slug, T-05)
 *   5 takes no orders, or has no book   HALT
 *   6 a binary near its end             NEAR, WATCH
 *   7 else                              OPEN
 * An end date alone never closes a binary: dates are wrong on live markets.
 * RESOLVED is final: an outcome that was told is never taken back. VOID is
 * RESOLVED with outcome VOID.
 * Pure : yes.
 */
#ifndef FEEDD_PM_LIFE_H
#define FEEDD_PM_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/types.h"

enum pm_life_ev {
	PM_LIFE_OPEN = 1,
	PM_LIFE_WATCH,
	PM_LIFE_NEAR,
	PM_LIFE_HALT,
	PM_LIFE_DISPUTE,
	PM_LIFE_CLOSE,
	PM_LIFE_RESOLVE,
	PM_LIFE_EV_N
};

struct pm_life_view {
	bool is_updown;
	bool closed;
	bool has_outcome;
	bool disputed;
	bool takes_orders; /* accepting orders, and its order book enabled */
	int64_t end_ns;	   /* 0 unknown */
	int64_t now_ns;	   /* venue's clock, 0 unknown */
	int64_t watch_ns;  /* this long before its end a binary is watched */
	int64_t near_ns;   /* ... not quoted */
};

/* pm_life_of - what the evidence means. */
enum pm_life_ev pm_life_of(const struct pm_life_view *v);

/* pm_life_time - the same from time alone, for a market that trades. */
enum pm_life_ev pm_life_time(const struct pm_life_view *v);

/* pm_life_trades - may time alone move it? */
bool pm_life_trades(enum instr_state s);

/* pm_life_step - the next state. False: that must not happen after this
 * state; *s stays. Late news that change nothing are true. */
bool pm_life_step(enum instr_state *s, enum pm_life_ev ev);

/* pm_life_due - when time alone changes the event next, 0 never. */
int64_t pm_life_due(const struct pm_life_view *v);

#endif
