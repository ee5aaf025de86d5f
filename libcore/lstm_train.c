#include "libcore/lstm_train.h"

#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"

#define BETA1 0.9
#define BETA2 0.999
#define TINY  1e-8
#define CLIP  5.0

void
lstm_train_init(struct lstm_train *t, uint64_t seed)
{
	double reach = 1.0 / sqrt(LSTM_HIDDEN);
	uint64_t r = seed;

	memset(t, 0, sizeof(*t));
	for (unsigned i = 0; i < LSTM_W; i++) {
		r = hash_u64(r, i + 1);
		t->m.w[i] =
		    reach * ((double)(r >> 11) / 4503599627370496.0 - 1.0);
	}
	for (unsigned k = 0; k < LSTM_HIDDEN; k++)
		t->m.w[(LSTM_HIDDEN + k) * LSTM_ROW + LSTM_ROW - 1] = 1.0;
	for (unsigned i = 0; i < LSTM_IN; i++)
		t->m.in_scale[i] = 1.0;
	t->m.out_scale = 1.0;
	t->m.step_s = 1;
	t->m.horizon_s = 1;
}

/* The error flowing into h and c of a step becomes that of the step before,
 * and adds to the gradient. */
static void
back(struct lstm_train *t, const struct lstm_trace *tr, double dh[LSTM_HIDDEN],
    double dc[LSTM_HIDDEN])
{
	double dx[LSTM_GATES][LSTM_HIDDEN];
	double before[LSTM_HIDDEN] = {0};

	for (unsigned k = 0; k < LSTM_HIDDEN; k++) {
		double i = tr->gate[0][k];
		double f = tr->gate[1][k];
		double o = tr->gate[2][k];
		double g = tr->gate[3][k];
		double tc = tanh(tr->c[k]);

		dc[k] += dh[k] * o * (1.0 - tc * tc);
		dx[0][k] = dc[k] * g * i * (1.0 - i);
		dx[1][k] = dc[k] * tr->c0[k] * f * (1.0 - f);
		dx[2][k] = dh[k] * tc * o * (1.0 - o);
		dx[3][k] = dc[k] * i * (1.0 - g * g);
		dc[k] *= f;
	}
	for (unsigned g = 0; g < LSTM_GATES; g++)
		for (unsigned k = 0; k < LSTM_HIDDEN; k++) {
			size_t row = (g * LSTM_HIDDEN + k) * LSTM_ROW;

			for (unsigned i = 0; i < LSTM_IN; i++)
				t->grad[row + i] += dx[g][k] * tr->in[i];
			for (unsigned i = 0; i < LSTM_HIDDEN; i++) {
				t->grad[row + LSTM_IN + i] +=
				    dx[g][k] * tr->h0[i];
				before[i] +=
				    dx[g][k] * t->m.w[row + LSTM_IN + i];
			}
			t->grad[row + LSTM_ROW - 1] += dx[g][k];
		}
	memcpy(dh, before, sizeof(before));
}

double
lstm_train_grad(struct lstm_train *t, struct lstm_state *s,
    double in[][LSTM_IN], const double *target, size_t n)
{
	double error[LSTM_CHUNK];
	double dh[LSTM_HIDDEN] = {0};
	double dc[LSTM_HIDDEN] = {0};
	double sum = 0.0;

	CHECK(n > 0);
	CHECK(n <= LSTM_CHUNK);
	memset(t->grad, 0, sizeof(t->grad));
	for (size_t i = 0; i < n; i++) {
		double out;

		lstm_step(&t->m, s, in[i], &out, &t->trace[i]);
		error[i] = t->trace[i].out -
			   (target[i] - t->m.out_mean) / t->m.out_scale;
		sum += error[i] * error[i];
	}
	for (size_t i = n; i-- > 0;) {
		const struct lstm_trace *tr = &t->trace[i];

		for (unsigned k = 0; k < LSTM_HIDDEN; k++) {
			t->grad[LSTM_OUT + k] += 2.0 * error[i] * tr->h[k];
			dh[k] += 2.0 * error[i] * t->m.w[LSTM_OUT + k];
		}
		t->grad[LSTM_W - 1] += 2.0 * error[i];
		back(t, tr, dh, dc);
	}
	return sum;
}

void
lstm_train_adam(struct lstm_train *t, double rate, size_t n)
{
	double fade1;
	double fade2;

	CHECK(n > 0);
	t->n++;
	fade1 = 1.0 - pow(BETA1, (double)t->n);
	fade2 = 1.0 - pow(BETA2, (double)t->n);
	for (unsigned i = 0; i < LSTM_W; i++) {
		double g = t->grad[i] / (double)n;

		g = fmax(-CLIP, fmin(CLIP, g));
		t->mean[i] = BETA1 * t->mean[i] + (1.0 - BETA1) * g;
		t->square[i] = BETA2 * t->square[i] + (1.0 - BETA2) * g * g;
		t->m.w[i] -= rate * (t->mean[i] / fade1) /
			     (sqrt(t->square[i] / fade2) + TINY);
	}
}
