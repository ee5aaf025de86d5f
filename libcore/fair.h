/*
 * fair.h - fair value of a market that asks whether a price ends above a
 * strike.
 *
 * What     : P(up) for a settlement at one instant (FAIR_GBM) or on the
 *            average over a look-back (FAIR_TWAP), with what is observed of
 *            it, and how far the answer can be trusted.
 * Frame    : YES is Up. Prices are in the units of the reference; the basis
 *            takes them to the settlement feed.
 * Units    : seconds, variance a second of the logarithm, prices as doubles.
 * Missing  : a price that is not between 1e-15 and 1e15 is missing; a variance
 *            that is negative or not finite is unknown. Every input gives a
 *            defined answer, none a NaN.
 * Pure     : yes. O(1), with a Student tail O(df). A model: doubles.
 * Source   : docs/strategy-maths.md, "Fair value".
 */
#ifndef LIBCORE_FAIR_H
#define LIBCORE_FAIR_H

#include <stdbool.h>
#include <stdint.h>

enum fair_model {
	FAIR_GBM = 1,
	FAIR_TWAP,
	FAIR_MODEL_N
};

enum fair_state {
	FAIR_OK = 1,
	FAIR_OVER,	/* T <= 0: yes is 0 or 1                      */
	FAIR_NO_SPOT,	/* yes 0.5, confidence 0                      */
	FAIR_NO_STRIKE, /* the same                                   */
	FAIR_NO_VOL,	/* the same                                   */
	FAIR_STATE_N
};

struct fair_cfg {
	enum fair_model model;
	uint32_t student_df;   /* 0: normal; else STUDENT_DF_MIN.._MAX */
	double sensitivity;    /* most change of yes for a move of spot by
				  its noise; 0: no cap                 */
	double spot_age_max_s; /* age at which confidence is 0        */
	double settle_age_max_s;
	double fade_s;	     /* confidence falls over the last seconds */
	double provisional;  /* factor while the strike is ours        */
	double samples_full; /* returns for full confidence            */
};

struct fair_in {
	double spot;	/* reference now                               */
	double strike;	/* in the settlement's frame                   */
	double basis;	/* ln(reference / settlement); 0 unknown       */
	double lead_s;	/* the settlement shows now what the reference
			   showed lead_s ago                           */
	double lead_px; /* mean of the reference over the last lead_s;
			   0: as spot                                  */
	double noise;	/* standard error of ln spot and basis          */
	double var_s;	/* variance a second                           */
	double left_s;	/* T                                           */
	double lookback_s;
	double seen_px; /* mean of the settlement so far in the look-back */
	double seen_s;	/* seconds of it that were seen                */
	bool tie_yes;
	bool provisional;
	double samples; /* returns behind var_s                       */
	double spot_age_s;
	double settle_age_s;
};

struct fair_out {
	enum fair_state state;
	double yes;
	double no; /* 1 - yes                                          */
	double confidence;
	double sd;    /* of the logarithm of what is still open           */
	double d;     /* distance from the strike in these: d2            */
	double slope; /* d yes / d ln spot, after the cap              */
};

/*
 * fair_value - fill *out.
 *  1. S' = spot * exp(-basis)
 *  2. gbm:  sd^2 = var * (T - lead)             d = (ln(S'/K) - sd^2/2) / sd
 *     twap: the look-back is seen, known through the lead, or open; the open
 *           part is a lognormal of its exact first two moments and must
 *           exceed what is missing to K
 *  3. sd^2 += noise^2; sd at least noise * density(0) / sensitivity, so that a
 * move of spot by its own noise changes yes by `sensitivity` at most
 *  4. yes = N(d), or the Student t of the same variance
 * Non-decreasing in spot and in seen_px, non-increasing in strike.
 * Needs : a model of the enum, a student_df of 0 or in range (CHECK).
 */
void fair_value(
    const struct fair_in *in, const struct fair_cfg *c, struct fair_out *out);

/* fair_state_name - "ok", "no_spot". */
const char *fair_state_name(enum fair_state s);

#endif
