/* links: libcore */
/*
 * Fair value against simulated paths, and what must hold for any input.
 *
 * The simulation is a Monte Carlo over discrete paths of the reference, with
 * one direction of each path integrated exactly: of the path's normals the
 * component along which the sum of the open part moves is taken out, and its
 * probability follows from the root of average(z) = needed. What is left
 * random changes the average in second order only, so that 32 paths give
 * less than 1e-4 of error. That this is the same probability as counting
 * plain paths is checked by counting some.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "libcore/fair.h"
#include "libcore/hash.h"
#include "libcore/normal.h"

#define STATES 10000
#define PATHS  32
#define STEPS  48
#define PLAIN  200000
#define SEED   UINT64_C(20260814)

static uint64_t rng = SEED;

static double
uniform(void)
{
	rng = hash_u64(rng, 1);
	return ((double)(rng >> 11) + 0.5) / 9007199254740992.0;
}

static double
between(double lo, double hi)
{
	return lo + (hi - lo) * uniform();
}

static double
gauss(void)
{
	return sqrt(-2.0 * log(uniform())) * cos(6.283185307179586 * uniform());
}

/* A point of the open part: its place in time and what it weighs. */
struct grid {
	double dt[STEPS]; /* from the point before                        */
	int n;
	double fixed; /* sum of what is known of the average, over w      */
	double weight;
};

static void
make_grid(const struct fair_in *in, enum fair_model model, struct grid *g)
{
	double w = model == FAIR_GBM ? 0.0 : in->lookback_s;
	double until = fmax(0.0, in->left_s - w);
	double ahead = fmin(in->left_s, w);
	double known = fmax(0.0, fmin(ahead, in->lead_s - until));
	double open = ahead - known;

	g->fixed = 0.0;
	if (w <= 0.0 || open <= 0.0) {
		g->dt[0] = fmax(0.0, in->left_s - in->lead_s);
		g->n = w <= 0.0 && g->dt[0] > 0.0;
		g->weight = 1.0;
	} else {
		g->n = STEPS;
		g->weight = open / w / STEPS;
		g->dt[0] = fmax(0.0, until - in->lead_s) + open / STEPS / 2.0;
		for (int i = 1; i < STEPS; i++)
			g->dt[i] = open / STEPS;
	}
	if (w <= 0.0 && g->n == 0)
		g->fixed = in->spot * exp(-in->basis);
	if (w > 0.0)
		g->fixed = ((w - ahead) * in->seen_px +
			       known * in->lead_px * exp(-in->basis)) /
			   w;
}

static void
draw(const struct grid *g, double sigma, double x[STEPS])
{
	double at = 0.0;

	for (int i = 0; i < g->n; i++) {
		at += sigma * sqrt(g->dt[i]) * gauss();
		x[i] = at;
	}
}

/* How each point moves with the direction of the sum, one standard normal:
 * cov(x_i, sum) / sd(sum). */
static void
direction(const struct grid *g, double sigma, double u[STEPS])
{
	double t[STEPS];
	double at = 0.0;
	double total = 0.0;

	for (int i = 0; i < g->n; i++)
		t[i] = at += g->dt[i];
	for (int i = 0; i < g->n; i++) {
		u[i] = 0.0;
		for (int k = 0; k < g->n; k++)
			u[i] += fmin(t[i], t[k]);
		total += u[i];
	}
	for (int i = 0; i < g->n; i++)
		u[i] *= sigma / sqrt(total);
}

static double
average(const struct fair_in *in, const struct grid *g, const double x[STEPS],
    const double u[STEPS], double z, double *slope)
{
	double sum = 0.0;
	double t = 0.0;

	*slope = 0.0;
	for (int i = 0; i < g->n; i++) {
		double p;

		t += g->dt[i];
		p = g->weight * in->spot *
		    exp(x[i] + u[i] * z - in->basis - in->var_s * t / 2.0);
		sum += p;
		*slope += p * u[i];
	}
	return g->fixed + sum;
}

/* P(average >= strike) over the direction, given the rest of the path. */
static double
given_rest(const struct fair_in *in, const struct grid *g,
    const double x[STEPS], const double u[STEPS])
{
	double lo = -12.0;
	double hi = 12.0;
	double z = 0.0;

	if (in->strike <= g->fixed)
		return 1.0;
	for (int k = 0; k < 60; k++) {
		double slope;
		double f = average(in, g, x, u, z, &slope) - in->strike;

		if (f >= 0.0)
			hi = z;
		else
			lo = z;
		if (fabs(f) < 1e-9 * slope || hi - lo < 1e-9)
			break;
		z -= f / slope;
		if (!(z > lo && z < hi))
			z = 0.5 * (lo + hi);
	}
	return normal_cdf(-z);
}

static double
simulated(const struct fair_in *in, enum fair_model model)
{
	struct grid g;
	double u[STEPS];
	double sigma = sqrt(in->var_s);
	double sum = 0.0;

	make_grid(in, model, &g);
	if (g.n == 0)
		return g.fixed >= in->strike ? 1.0 : 0.0;
	direction(&g, sigma, u);
	for (int k = 0; k < PATHS; k += 2) {
		double x[STEPS];
		double y[STEPS];
		double total = 0.0;
		double norm = 0.0;

		/* Take the direction out of the path; its mirror image is
		 * as likely. */
		draw(&g, sigma, x);
		for (int i = 0; i < g.n; i++) {
			total += x[i];
			norm += u[i];
		}
		for (int i = 0; i < g.n; i++) {
			x[i] -= u[i] * total / norm;
			y[i] = -x[i];
		}
		sum += given_rest(in, &g, x, u) + given_rest(in, &g, y, u);
	}
	return sum / PATHS;
}

/* By counting, and its standard error. */
static double
counted(const struct fair_in *in, enum fair_model model, double *error)
{
	static const double none[STEPS];
	struct grid g;
	uint32_t hits = 0;
	double p;

	make_grid(in, model, &g);
	for (int k = 0; k < PLAIN; k++) {
		double x[STEPS];
		double slope;

		draw(&g, sqrt(in->var_s), x);
		hits += average(in, &g, x, none, 0.0, &slope) >= in->strike;
	}
	p = (double)hits / PLAIN;
	*error = sqrt(fmax(p * (1.0 - p), 1e-4) / PLAIN);
	return p;
}

/* Any state of a window: up to four hours, 5 % to 400 % a year. */
static struct fair_in
any_state(enum fair_model model)
{
	struct fair_in in = {.tie_yes = true};
	double annual = exp(between(log(0.05), log(4.0)));
	double sd;

	in.var_s = annual * annual / 31536000.0;
	in.left_s = uniform() < 0.5 ? between(1.0, 180.0)
				    : exp(between(log(180.0), log(14400.0)));
	in.lookback_s = uniform() < 0.5 ? 60.0 : 30.0;
	in.lead_s = uniform() < 0.5 ? 0.0 : between(0.5, 2.0);
	in.basis = between(-0.001, 0.001);
	in.strike = exp(between(log(0.1), log(100000.0)));
	sd = sqrt(in.var_s * (in.left_s + 20.0));
	in.spot = in.strike * exp(in.basis + between(-3.0, 3.0) * sd);
	in.lead_px = in.spot * exp(between(-1.0, 1.0) * sqrt(in.var_s));
	in.seen_s = fmax(0.0, in.lookback_s - in.left_s);
	in.seen_px = in.spot * exp(-in.basis + between(-2.0, 2.0) * sd);
	if (model == FAIR_GBM)
		in.lookback_s = 0.0;
	return in;
}

static void
closed_form_is_within_a_thousandth(void **state)
{
	double worst[FAIR_MODEL_N] = {0};

	(void)state;
	printf("# seed %llu\n", (unsigned long long)SEED);
	for (int i = 0; i < STATES; i++) {
		enum fair_model model = i % 4 == 0 ? FAIR_GBM : FAIR_TWAP;
		struct fair_cfg c = {.model = model};
		struct fair_in in = any_state(model);
		struct fair_out out;
		double gap;

		fair_value(&in, &c, &out);
		gap = fabs(out.yes - simulated(&in, model));
		worst[model] = fmax(worst[model], gap);
		if (gap >= 1e-3)
			printf("# %d: left %g lookback %g lead %g sd %g: %g\n",
			    i, in.left_s, in.lookback_s, in.lead_s, out.sd,
			    gap);
		assert_true(gap < 1e-3);
	}
	printf("# worst of %d states: gbm %.1e, twap %.1e\n", STATES,
	    worst[FAIR_GBM], worst[FAIR_TWAP]);
}

static void
the_simulation_agrees_with_counting(void **state)
{
	(void)state;
	for (int i = 0; i < 16; i++) {
		struct fair_in in = any_state(FAIR_TWAP);
		double error;
		double p = counted(&in, FAIR_TWAP, &error);

		assert_true(fabs(p - simulated(&in, FAIR_TWAP)) < 5.0 * error);
	}
}

static double
extreme(void)
{
	static const double odd[] = {0.0, -0.0, 1.0, -1.0, 1e-300, 1e300, 1e-15,
	    1e15, -1e300, 60.0, 1e9, 0.5, (double)NAN, (double)INFINITY,
	    -(double)INFINITY, 5e-324};

	if (uniform() < 0.4)
		return odd[(size_t)(uniform() * 16.0)];
	if (uniform() < 0.5)
		return exp(between(-30.0, 30.0));
	return between(-100.0, 100.0);
}

static void
any_input_gives_a_defined_answer(void **state)
{
	(void)state;
	for (int i = 0; i < 300000; i++) {
		struct fair_cfg c = {
		    .model = i % 2 ? FAIR_GBM : FAIR_TWAP,
		    .student_df = i % 3 ? 0 : 3 + (uint32_t)i % 90,
		    .sensitivity = extreme(),
		    .spot_age_max_s = extreme(),
		    .settle_age_max_s = extreme(),
		    .fade_s = extreme(),
		    .provisional = extreme(),
		    .samples_full = extreme(),
		};
		struct fair_in in = {extreme(), extreme(), extreme(), extreme(),
		    extreme(), extreme(), extreme(), extreme(), extreme(),
		    extreme(), extreme(), i % 5 != 0, i % 7 == 0, extreme(),
		    extreme(), extreme()};
		struct fair_out out;

		fair_value(&in, &c, &out);
		assert_in_range(out.state, FAIR_OK, FAIR_STATE_N - 1);
		assert_true(out.yes >= 0.0 && out.yes <= 1.0);
		assert_true(out.no >= 0.0 && out.no <= 1.0);
		assert_true(out.confidence >= 0.0 && out.confidence <= 1.0);
		assert_true(isfinite(out.sd) && out.sd >= 0.0);
		assert_true(isfinite(out.d));
		assert_true(out.slope >= 0.0);
	}
}

static double
yes_of(const struct fair_in *in, const struct fair_cfg *c)
{
	struct fair_out out;

	fair_value(in, c, &out);
	return out.yes;
}

static void
it_moves_the_right_way(void **state)
{
	(void)state;
	for (int i = 0; i < 50000; i++) {
		enum fair_model model = i % 3 ? FAIR_TWAP : FAIR_GBM;
		struct fair_cfg c = {
		    .model = model,
		    .student_df = i % 2 ? 0 : 4,
		    .sensitivity = i % 5 ? 0.0 : 0.1,
		};
		struct fair_in in = any_state(model);
		struct fair_in up;
		double p;

		in.noise = 1e-4;
		if (i % 4 == 0)
			in.lead_px = 0.0;
		p = yes_of(&in, &c);
		up = in;
		up.spot *= exp(between(0.0, 0.01));
		assert_true(yes_of(&up, &c) >= p - 1e-9);
		up = in;
		up.strike *= exp(between(0.0, 0.01));
		assert_true(yes_of(&up, &c) <= p + 1e-9);
		up = in;
		up.seen_px *= exp(between(0.0, 0.01));
		assert_true(yes_of(&up, &c) >= p - 1e-9);
	}
}

/* As far above the strike as below, in sd and with the drift of a logarithm
 * taken into account: the two chances are each other's complement. */
static void
above_and_below_are_mirror_images(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct fair_cfg c = {
		    .model = FAIR_GBM, .student_df = i % 2 ? 0 : 5};
		struct fair_in in = any_state(FAIR_GBM);
		struct fair_in other = in;
		struct fair_out out;

		fair_value(&in, &c, &out);
		other.spot = in.strike * exp(2.0 * in.basis) *
			     exp(out.sd * out.sd) * in.strike / in.spot;
		assert_true(fabs(out.yes + yes_of(&other, &c) - 1.0) < 1e-9);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(closed_form_is_within_a_thousandth),
	    cmocka_unit_test(the_simulation_agrees_with_counting),
	    cmocka_unit_test(any_input_gives_a_defined_answer),
	    cmocka_unit_test(it_moves_the_right_way),
	    cmocka_unit_test(above_and_below_are_mirror_images),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
