/* links: libcore */
/*
 * bench_models - the models on the path of a quote, and those beside it.
 *
 *   fair_X          one fair value (gbm, twap, twap with a Student tail)
 *   volest_add      one return into all estimators (lstm: with weights)
 *   lstm_step       one step of the predictor, once every 30 s
 *   basis_settle    one settlement tick against 41 lags
 *   markout_mid     a mid with nothing due
 *   rrs_features    the features of a market's texts, 1.5 kB, once a market
 * Seeded inputs; medians of rounds; the checksum is of the results.
 */
#define _GNU_SOURCE
#include <math.h>

#include "libcore/basis.h"
#include "libcore/fair.h"
#include "libcore/fixed.h"
#include "libcore/hash.h"
#include "libcore/lstm_train.h"
#include "libcore/markout.h"
#include "libcore/rrs.h"
#include "libcore/volest.h"
#include "tests/bench/bench.h"

#define ROUNDS 51
#define CALLS  4096u

static double sum;
static double step[CALLS];
static struct lstm_train tr;

static void
report(const char *name, void (*run)(void), double per, const char *unit)
{
	double v[ROUNDS];
	int rounds = bench_quick() ? 3 : ROUNDS;

	for (int k = 0; k < rounds; k++) {
		uint64_t from = bench_now_ns();

		run();
		v[k] = (double)(bench_now_ns() - from) / CALLS / per;
	}
	bench_line(name, bench_median(v, (size_t)rounds), unit, 0, 0);
}

static void
fair(enum fair_model model, uint32_t df)
{
	struct fair_cfg c = {
	    .model = model,
	    .student_df = df,
	    .sensitivity = 0.1,
	    .spot_age_max_s = 2.0,
	    .settle_age_max_s = 60.0,
	    .fade_s = 30.0,
	    .samples_full = 120.0,
	};
	struct fair_in in = {
	    .strike = 60000.0,
	    .basis = 0.0005,
	    .lead_s = 1.0,
	    .noise = 2e-5,
	    .var_s = 1e-8,
	    .lookback_s = 60.0,
	    .seen_s = 30.0,
	    .seen_px = 60001.0,
	    .tie_yes = true,
	    .samples = 100.0,
	};
	struct fair_out out;

	for (uint32_t i = 0; i < CALLS; i++) {
		in.spot = 60030.0 * exp(step[i]);
		in.left_s = 30.0 + (double)(i % 512);
		in.seen_s = fmax(0.0, 60.0 - in.left_s);
		fair_value(&in, &c, &out);
		sum += out.yes;
	}
}

static void
fair_gbm(void)
{
	fair(FAIR_GBM, 0);
}

static void
fair_twap(void)
{
	fair(FAIR_TWAP, 0);
}

static void
fair_student(void)
{
	fair(FAIR_TWAP, 4);
}

static void
volest(const struct lstm *m)
{
	static struct volest e;
	static uint64_t now = NS_PER_S;
	struct volest_cfg c = {
	    .vol = {NS_PER_S, 60 * NS_PER_S, 86400 * (uint64_t)NS_PER_S, 30},
	    .ewma_halflife_ns = 120 * (uint64_t)NS_PER_S,
	    .lstm = m,
	};

	for (uint32_t i = 0; i < CALLS; i++) {
		now += NS_PER_S;
		volest_add(&e, &c, now, 11.0 + step[i]);
	}
	sum += e.ewma_sum;
}

static void
volest_plain(void)
{
	volest(0);
}

static void
volest_lstm(void)
{
	volest(&tr.m);
}

static void
lstm(void)
{
	struct lstm_state s = {0};

	for (uint32_t i = 0; i < CALLS; i++) {
		const double in[LSTM_IN] = {step[i] * 1e4, 0.5};
		double out;

		lstm_step(&tr.m, &s, in, &out, 0);
		sum += out;
	}
}

static void
basis(void)
{
	static const struct basis_cfg c = {300 * (uint64_t)NS_PER_S,
	    600 * (uint64_t)NS_PER_S, 100 * NS_PER_MS, 5 * NS_PER_S, 5.0, 60,
	    0.2};
	static struct basis b;
	static uint64_t now = 3600 * (uint64_t)NS_PER_S;

	for (uint32_t i = 0; i < CALLS; i++) {
		now += 50 * NS_PER_MS;
		basis_ref(&b, now, 60000.0 * exp(step[i]));
		basis_settle(&b, &c, now, 59970.0 * exp(step[i]));
	}
	sum += b.mean;
}

static void
markout(void)
{
	static struct markout m;
	static struct markout_result out[MARKOUT_DUE];
	static const struct markout_cfg c = {
	    .horizon_ns = {30 * (uint64_t)NS_PER_S, 120 * (uint64_t)NS_PER_S,
		600 * (uint64_t)NS_PER_S},
	    .last_n = 20,
	};
	struct markout_fill f = {
	    .ns = NS_PER_S, .px = PX(E8 / 2), .side = SIDE_BID};

	if (m.fill_n == 0)
		markout_add(&m, &f);
	for (uint32_t i = 0; i < CALLS; i++)
		sum += markout_mid(
		    &m, &c, NS_PER_S + i, PX(E8 / 2 + (int64_t)i), out);
}

static void
rrs(void)
{
	static char rules[1536];
	static const char text[] =
	    "This market will resolve to Yes if the candidate named in the "
	    "title wins the election of November 3, 2026, according to a "
	    "consensus of credible reporting or official sources. Otherwise "
	    "it will resolve to No. ";
	struct rrs_text t = {
	    .question = {"Will the candidate win the election?", 36},
	    .rules = {rules, sizeof(rules)},
	    .tags = {"Politics, Elections", 19},
	    .outcomes_n = 2,
	};

	for (size_t i = 0; i < sizeof(rules); i++)
		rules[i] = text[i % (sizeof(text) - 1)];
	for (uint32_t i = 0; i < CALLS / 64; i++)
		sum += (double)(rrs_features(&t) & 0xffff);
}

int
main(void)
{
	uint64_t r = 1;

	for (uint32_t i = 0; i < CALLS; i++) {
		r = hash_u64(r, i);
		step[i] = ((double)(r >> 11) / 9007199254740992.0 - 0.5) * 2e-3;
	}
	lstm_train_init(&tr, 1);
	tr.m.step_s = 30;
	report("fair_gbm", fair_gbm, 1.0, "ns");
	report("fair_twap", fair_twap, 1.0, "ns");
	report("fair_twap_student", fair_student, 1.0, "ns");
	report("volest_add", volest_plain, 1.0, "ns");
	report("volest_add_lstm", volest_lstm, 1.0, "ns");
	report("lstm_step", lstm, 1.0, "ns");
	report("basis_settle", basis, 1.0, "ns");
	report("markout_mid", markout, 1.0, "ns");
	report("rrs_features", rrs, 1000.0 / 64.0, "us");
	printf("# checksum %.6g\n", sum);
	return 0;
}
