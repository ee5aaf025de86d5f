/*
 * lstm_train.h - weights for lstm.h from a series.
 *
 * What     : back-propagation through time over chunks of LSTM_CHUNK steps,
 *            the state carried from chunk to chunk, steps by Adam (Kingma
 *            and Ba 2015). Deterministic: the seed gives the weights.
 * Pure     : yes; the caller's memory. O(LSTM_W) a step.
 */
#ifndef LIBCORE_LSTM_TRAIN_H
#define LIBCORE_LSTM_TRAIN_H

#include "libcore/lstm.h"

#define LSTM_CHUNK 32u

struct lstm_train {
	struct lstm m;
	double grad[LSTM_W];
	double mean[LSTM_W];   /* Adam's first ...                         */
	double square[LSTM_W]; /* ... and second moment                  */
	uint64_t n;	       /* steps of Adam                          */
	struct lstm_trace trace[LSTM_CHUNK];
};

/* lstm_train_init - small random weights from the seed, forget gates open;
 * scales of 1, means of 0. */
void lstm_train_init(struct lstm_train *t, uint64_t seed);

/*
 * lstm_train_grad - run n <= LSTM_CHUNK (CHECK) steps from *s, which moves
 * on; grad becomes the gradient of the sum of squared errors, in units of
 * out_scale, against target (logarithms).
 * Returns : that sum.
 */
double lstm_train_grad(struct lstm_train *t, struct lstm_state *s,
    double in[][LSTM_IN], const double *target, size_t n);

/* lstm_train_adam - one step down grad / n. rate about 0.01. */
void lstm_train_adam(struct lstm_train *t, double rate, size_t n);

#endif
