/*
 * volest.h - volatility estimators of one instrument, by name.
 *
 * What     : one stream of prices, five answers (docs/strategy-maths.md,
 *            "Volatility"), all variance a second of the value given:
 *              ema      exponential mean of squared returns, a minute
 *              rolling  mean over the baseline window, a day
 *              ewma     as ema with its own half-life, weighed by time and
 *                       free of its start
 *              har      weights on the last 1, 10 and 60 minutes, the rest
 *                       on the baseline (Corsi 2009)
 *              lstm     mean of ewma and the recurrent predictor; ewma alone
 *                       without a weights file
 * Fallback : an estimator that has too few returns answers false; nothing
 *            stands in for it but what is said above.
 * Pure     : yes. O(1) a price, O(LSTM_W) once every step of the predictor.
 */
#ifndef LIBCORE_VOLEST_H
#define LIBCORE_VOLEST_H

#include "libcore/lstm.h"
#include "libcore/vol.h"

/* Append, never renumber: vol.estimator. */
enum vol_kind {
	VOL_EMA = 1,
	VOL_ROLLING,
	VOL_EWMA,
	VOL_HAR,
	VOL_LSTM,
	VOL_KIND_N
};

#define VOLEST_MINUTES 60u

struct volest_cfg {
	struct vol_cfg vol;
	uint64_t ewma_halflife_ns;
	double har_1m; /* weights; what is missing to 1 is the baseline's */
	double har_10m;
	double har_60m;
	double var_floor; /* of every answer, a second                    */
	double var_cap;	  /* 0: none                                      */
	const struct lstm *lstm; /* NULL: no weights file                 */
};

struct volest {
	struct vol vol;
	double ewma_sum; /* of weighted squares ...                       */
	double ewma_s;	 /* ... and of weighted seconds                   */
	uint64_t minute; /* of the bucket being filled                    */
	double min_sum[VOLEST_MINUTES];
	double min_s[VOLEST_MINUTES];
	uint64_t step_ns; /* start of the predictor's step, 0 none        */
	double step_sum;
	double step_s;
	double ahead; /* its last prediction, variance a second           */
	struct lstm_state state;
};

/* volest_init - zero state. */
void volest_init(struct volest *e);

/* volest_add - the value (a logarithm, or a binary's price) at now_ns, which
 * does not fall. Ignored unless finite. */
void volest_add(struct volest *e, const struct volest_cfg *c, uint64_t now_ns,
    double value);

/* volest_get - variance a second by an estimator, within floor and cap.
 * False, *out untouched, with too few returns or no movement. */
bool volest_get(const struct volest *e, const struct volest_cfg *c,
    enum vol_kind kind, double *out);

/*
 * volest_recent - mean over the last n minutes (1 .. VOLEST_MINUTES, CHECK),
 * the one being filled included: the plain window of fair.vol_window. Within
 * floor and cap; false, *out untouched, as above.
 */
bool volest_recent(const struct volest *e, const struct volest_cfg *c,
    unsigned n, double *out);

/* volest_n - returns seen. */
uint64_t volest_n(const struct volest *e);

/* volest_input - the two inputs of the predictor: logarithms of a step's
 * variance a second and of the recent past's, both at least LSTM_VAR_MIN. */
void volest_input(double step_var, double past_var, double in[LSTM_IN]);

/* vol_kind_name - "ema"; "?" for no kind. vol_kind_find - 0 when unknown. */
const char *vol_kind_name(enum vol_kind k);
int vol_kind_find(const char *name);

#endif
