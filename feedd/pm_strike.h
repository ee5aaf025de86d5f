/*
 * pm_strike.h - what a settlement price was at a given second.
 *
 * What   : a record of the newest points of one price stream, and the rule
 *          by which it answers for an instant:
 *          1 the point of that very second;
 *          2 else, once a later point is there (so that it cannot come any
 *            more), the newest one before, if no older than age_ns;
 *          3 else nothing: a hole is never guessed across.
 *          Where the venue settles on an average whose stream is missing, the
 *          same for our own time-weighted average of the spot points.
 * Limit  : PM_STRIKE_N points, more than two minutes of one a second.
 * Pure   : yes. O(PM_STRIKE_N) a question.  docs/strategy-maths.md
 */
#ifndef FEEDD_PM_STRIKE_H
#define FEEDD_PM_STRIKE_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libshm/instr.h"

#define PM_STRIKE_N 256u

struct pm_strike_pt {
	int64_t venue_ns;
	px_t px;
};

/* Zeroed: empty. Points strictly rise. */
struct pm_strike_rec {
	uint32_t head; /* next to write */
	uint32_t n;
	struct pm_strike_pt pt[PM_STRIKE_N];
};

enum pm_strike_grade {
	PM_STRIKE_WAIT = 1, /* it may still come */
	PM_STRIKE_EXACT,    /* the point of that second */
	PM_STRIKE_NEAR,	    /* the one before, or our own average */
	PM_STRIKE_NONE,	    /* a hole */
	PM_STRIKE_GRADE_N
};

struct pm_strike_rule {
	int64_t age_ns;
	int64_t lookback_ns;
	int64_t coverage_e8; /* least share of the look-back, 1 is E8 */
};

/* pm_strike_newest - time of the newest point, 0 none. */
int64_t pm_strike_newest(const struct pm_strike_rec *r);

/* pm_strike_add - the next point; false when it is not newer. */
bool pm_strike_add(struct pm_strike_rec *r, int64_t venue_ns, px_t px);

/* pm_strike_fill - a point older than the newest, where none was; false: one
 * is there, or it is too old to be kept. */
bool pm_strike_fill(struct pm_strike_rec *r, int64_t venue_ns, px_t px);

/* pm_strike_at - the price at an instant; *out is set for EXACT and NEAR. */
enum pm_strike_grade pm_strike_at(
    const struct pm_strike_rec *r, int64_t at_ns, int64_t age_ns, px_t *out);

/*
 * pm_strike_average - time-weighted over (at - look-back, at], each point
 * holding until the next one or for age_ns. WAIT until a point at or after
 * `at` is there; NONE when less than coverage_e8 was seen.
 */
enum pm_strike_grade pm_strike_average(const struct pm_strike_rec *r,
    int64_t at_ns, const struct pm_strike_rule *rule, px_t *out);

/* pm_strike_differ - by more than bps (1e-8 of a basis point each)? */
bool pm_strike_differ(px_t a, px_t b, int64_t bps_e8);

/*
 * pm_strike_take - a strike from one source into an instrument that may have
 * one from another. Ours and the venue's agree: the venue's stands. They
 * differ by more than bps: CONFLICT, for good. True: the instrument changed.
 */
bool pm_strike_take(
    struct instr *in, enum strike_source source, px_t px, int64_t bps_e8);

/* pm_strike_outcome - what strike and closing price come to, by the tie rule;
 * 0 while one is unknown. Never published: the venue's word decides, and is
 * compared with it. */
enum outcome pm_strike_outcome(const struct instr *in);

#endif
