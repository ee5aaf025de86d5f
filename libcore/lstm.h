/*
 * lstm.h - a small recurrent predictor of volatility, and its weights file.
 *
 * What     : one layer of LSTM_HIDDEN cells (Hochreiter and Schmidhuber 1997,
 *            with the forget gate of Gers 2000) and one linear output. Each
 *            step takes two numbers, the logarithms of the variance a second
 *            over the step and over the recent past, and predicts the
 *            logarithm of the variance a second over the horizon ahead.
 * File     : text, lines of
 *              ringmaker-lstm 1
 *              shape INPUTS HIDDEN
 *              step_s N
 *              horizon_s N
 *              in MEAN SCALE MEAN SCALE
 *              out MEAN SCALE
 *              w NUMBER            (LSTM_W of them, in the order of `w`)
 *              checksum 16 HEX DIGITS  (hash_bytes of all that is before)
 *            numbers are decimals with at most 8 digits after the point.
 * Pure     : yes. A model: doubles.
 * Source   : docs/strategy-maths.md, "Volatility"; made by rm-train-vol.
 */
#ifndef LIBCORE_LSTM_H
#define LIBCORE_LSTM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LSTM_IN	     2u
#define LSTM_HIDDEN  16u
#define LSTM_ROW     (LSTM_IN + LSTM_HIDDEN + 1u)
#define LSTM_GATES   4u /* input, forget, output, candidate                */
#define LSTM_OUT     (LSTM_GATES * LSTM_HIDDEN * LSTM_ROW)
#define LSTM_W	     (LSTM_OUT + LSTM_HIDDEN + 1u)
#define LSTM_FILE_SZ 65536u

/* Variances below this count as this, so that logarithms stay finite. */
#define LSTM_VAR_MIN 1e-15

/* Row (gate * LSTM_HIDDEN + cell) of w: inputs, cells of the step before,
 * bias. From LSTM_OUT: the output's weights and its bias. */
struct lstm {
	double w[LSTM_W];
	double in_mean[LSTM_IN];
	double in_scale[LSTM_IN];
	double out_mean;
	double out_scale;
	uint32_t step_s;
	uint32_t horizon_s;
};

struct lstm_state {
	double h[LSTM_HIDDEN];
	double c[LSTM_HIDDEN];
	uint64_t n; /* steps taken */
};

/* What a step computed on its way, for the training. */
struct lstm_trace {
	double in[LSTM_IN]; /* scaled                                    */
	double h0[LSTM_HIDDEN];
	double c0[LSTM_HIDDEN];
	double gate[LSTM_GATES][LSTM_HIDDEN];
	double c[LSTM_HIDDEN];
	double h[LSTM_HIDDEN];
	double out; /* scaled                                            */
};

/*
 * lstm_step - one step; the logarithm of the variance ahead goes to *out.
 * trace may be NULL. Inputs that are no numbers count as their mean; the
 * output is within 8 of its scales around its mean. O(LSTM_W).
 */
void lstm_step(const struct lstm *m, struct lstm_state *s,
    const double in[LSTM_IN], double *out, struct lstm_trace *trace);

/*
 * lstm_parse - a weights file of n bytes into *m.
 * Returns : NULL; or what is wrong, with *m untouched and the line in
 *           *line (1-based). Any bytes are safe.
 */
const char *lstm_parse(
    struct lstm *m, const char *text, size_t n, uint32_t *line);

/*
 * lstm_format - the file of a model, numbers rounded to 8 digits, into buf
 * of LSTM_FILE_SZ bytes. Returns the length. Needs |numbers| < 1e6 (CHECK).
 */
size_t lstm_format(const struct lstm *m, char *buf);

#endif
