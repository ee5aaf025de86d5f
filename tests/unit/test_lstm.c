/* links: libcore */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "libcore/lstm.h"
#include "libcore/lstm_train.h"
#include "tests/unit/contract.h"

static struct lstm_train tr;
static char file[LSTM_FILE_SZ];

static void
series(double in[][LSTM_IN], double *target, size_t n)
{
	uint64_t r = 7;

	for (size_t i = 0; i < n; i++) {
		r = hash_u64(r, i);
		in[i][0] = (double)(r % 1000) / 500.0 - 1.0;
		in[i][1] = (double)(r / 1000 % 1000) / 500.0 - 1.0;
		/* What it has to remember: the input two steps ago. */
		target[i] = i < 2 ? 0.0 : in[i - 2][0];
	}
}

/* One cell whose only way in is one weight: worked out by hand. */
static void
a_step_is_its_formula(void **state)
{
	struct lstm_state s = {0};
	const double in[LSTM_IN] = {0.5, 0.0};
	double out;
	double i = 1.0 / (1.0 + exp(-0.5));
	double c = i * tanh(1.0);

	(void)state;
	lstm_train_init(&tr, 1);
	memset(tr.m.w, 0, sizeof(tr.m.w));
	tr.m.w[0] = 1.0;			  /* i from in 0  */
	tr.m.w[3 * LSTM_HIDDEN * LSTM_ROW] = 2.0; /* g from in 0  */
	tr.m.w[LSTM_OUT] = 3.0;
	tr.m.w[LSTM_W - 1] = 0.25;
	tr.m.out_mean = 10.0;
	tr.m.out_scale = 2.0;
	lstm_step(&tr.m, &s, in, &out, NULL);
	assert_true(
	    fabs(out - (10.0 + 2.0 * (3.0 * 0.5 * tanh(c) + 0.25))) < 1e-12);
	/* The forget gate keeps half. */
	lstm_step(&tr.m, &s, in, &out, NULL);
	assert_true(fabs(s.c[0] - (0.5 * c + c)) < 1e-12);
	assert_int_equal(s.n, 2);
}

static void
the_gradient_is_that_of_the_loss(void **state)
{
	static double in[LSTM_CHUNK][LSTM_IN];
	double target[LSTM_CHUNK];
	double worst = 0.0;

	(void)state;
	series(in, target, LSTM_CHUNK);
	lstm_train_init(&tr, 3);
	for (unsigned w = 0; w < LSTM_W; w += 7) {
		const double h = 1e-5;
		double keep = tr.m.w[w];
		double up;
		double down;
		double grad;
		struct lstm_state s = {0};

		tr.m.w[w] = keep + h;
		up = lstm_train_grad(&tr, &s, in, target, LSTM_CHUNK);
		memset(&s, 0, sizeof(s));
		tr.m.w[w] = keep - h;
		down = lstm_train_grad(&tr, &s, in, target, LSTM_CHUNK);
		memset(&s, 0, sizeof(s));
		tr.m.w[w] = keep;
		lstm_train_grad(&tr, &s, in, target, LSTM_CHUNK);
		grad = (up - down) / (2.0 * h);
		worst = fmax(worst, fabs(grad - tr.grad[w]));
	}
	assert_true(worst < 1e-6);
}

static double
learn(unsigned epochs, uint64_t seed)
{
	static double in[320][LSTM_IN];
	static double target[320];
	double loss = 0.0;

	series(in, target, 320);
	lstm_train_init(&tr, seed);
	for (unsigned e = 0; e < epochs; e++) {
		struct lstm_state s = {0};

		loss = 0.0;
		for (size_t i = 0; i < 320; i += LSTM_CHUNK) {
			loss += lstm_train_grad(
			    &tr, &s, in + i, target + i, LSTM_CHUNK);
			lstm_train_adam(&tr, 0.02, LSTM_CHUNK);
		}
	}
	return loss / 320.0;
}

static void
it_learns_to_remember_and_always_the_same(void **state)
{
	struct lstm first;

	(void)state;
	assert_true(learn(1, 5) > 0.2);
	assert_true(learn(200, 5) < 0.02);
	first = tr.m;
	learn(200, 5);
	assert_memory_equal(&first, &tr.m, sizeof(first));
}

static void
files_round_trip(void **state)
{
	struct lstm got;
	uint32_t line;
	size_t n;

	(void)state;
	learn(1, 9);
	tr.m.step_s = 30;
	tr.m.horizon_s = 300;
	tr.m.in_mean[0] = -21.5;
	n = lstm_format(&tr.m, file);
	assert_null(lstm_parse(&got, file, n, &line));
	assert_int_equal(got.step_s, 30);
	assert_int_equal(got.horizon_s, 300);
	for (unsigned i = 0; i < LSTM_W; i++)
		assert_true(fabs(got.w[i] - tr.m.w[i]) < 1e-8);
	assert_true(fabs(got.in_mean[0] + 21.5) < 1e-12);
	/* Written again it is the same text. */
	static char again[LSTM_FILE_SZ];

	assert_int_equal(lstm_format(&got, again), n);
	assert_memory_equal(file, again, n);
}

static void
a_changed_or_cut_file_is_refused(void **state)
{
	struct lstm got;
	struct lstm before;
	uint32_t line;
	size_t n;

	(void)state;
	lstm_train_init(&tr, 9);
	n = lstm_format(&tr.m, file);
	memset(&got, 0x5a, sizeof(got));
	before = got;
	for (size_t i = 0; i < n; i += i < 300 ? 1 : 97) {
		char *cut = malloc(i + 1);

		memcpy(cut, file, i);
		assert_non_null(lstm_parse(&got, cut, i, &line));
		free(cut);
		file[i] ^= 1;
		assert_non_null(lstm_parse(&got, file, n, &line));
		file[i] ^= 1;
	}
	assert_memory_equal(&got, &before, sizeof(got));
	memcpy(file + n, "w 1\n", 4);
	assert_string_equal(lstm_parse(&got, file, n + 4, &line),
	    "something follows the checksum");
	assert_string_equal(lstm_parse(&got, "ringmaker-lstm 2\n", 17, &line),
	    "unknown version");
	assert_string_equal(
	    lstm_parse(&got, "ringmaker-lstm 1\nshape 2 32\n", 28, &line),
	    "another shape than this build has");
	assert_int_equal(line, 2);
}

static void
no_input_gives_a_nan(void **state)
{
	static const double odd[] = {(double)NAN, (double)INFINITY,
	    -(double)INFINITY, 1e300, -1e300, 0.0};
	struct lstm_state s = {0};

	(void)state;
	lstm_train_init(&tr, 11);
	for (size_t i = 0; i < 36; i++) {
		double in[LSTM_IN] = {odd[i % 6], odd[i / 6]};
		double out;

		lstm_step(&tr.m, &s, in, &out, NULL);
		assert_true(isfinite(out));
		assert_true(isfinite(s.c[0]) && isfinite(s.h[0]));
	}
}

static void
long_chunk(void)
{
	struct lstm_state s = {0};
	static double in[LSTM_CHUNK + 1][LSTM_IN];
	static double target[LSTM_CHUNK + 1];

	lstm_train_grad(&tr, &s, in, target, LSTM_CHUNK + 1);
}

static void
large_weight(void)
{
	lstm_train_init(&tr, 1);
	tr.m.w[5] = 1e7;
	lstm_format(&tr.m, file);
}

static void
broken_contracts_abort(void **state)
{
	(void)state;
	assert_true(contract_fails(long_chunk));
	assert_true(contract_fails(large_weight));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_step_is_its_formula),
	    cmocka_unit_test(the_gradient_is_that_of_the_loss),
	    cmocka_unit_test(it_learns_to_remember_and_always_the_same),
	    cmocka_unit_test(files_round_trip),
	    cmocka_unit_test(a_changed_or_cut_file_is_refused),
	    cmocka_unit_test(no_input_gives_a_nan),
	    cmocka_unit_test(broken_contracts_abort),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
