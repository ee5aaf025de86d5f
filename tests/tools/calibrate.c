/*
 * calibrate - how good our fair value was on recorded outcomes.
 *
 *   calibrate [--json] [--check]
 *
 * For each set of recorded windows and each stretch of time to expiry: Brier
 * score and log loss of the market's own price and of our models, with the
 * standard error by bootstrap over windows (500, seeded). Probabilities are
 * held within 0.001 .. 0.999 for the log loss, the market's as well.
 *
 * Sets
 *   ladder   BTC 5-minute windows with Binance spot, the market's book and
 *            the winner; settled on one price. The recorder's clock was slow:
 *            the spot it has a while before an end is the next window's
 *            opening price. The label at which the two are equal most often
 *            is taken for the end, and what comes after it is dropped.
 *   day      every 5-minute window of a day of the settlement feed, on the
 *            rule of that day: last price against first.
 *   day_twap the same path on the rule now in force: the mean of the last 60
 *            seconds against that of the 60 before the start.
 *   vol      the volatility estimators over the second half of day.
 *   hist, prices   the market's price and the outcome, no spot recorded: the
 *            market alone.
 * Choices  Half-life of the volatility, noise of spot (ladder) and spacing
 *          of returns (day) are those of least log loss of gbm on the first
 *          half of ladder and of day; every table is of the second half.
 * Margins, set before looking: ours may score 0.02 (Brier) worse than the
 * market; twap must score no worse than gbm in the last three minutes.
 * Exit  : 0; with --check 1 when a margin is missed, 77 without data.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libcore/fair.h"
#include "libcore/fixed.h"
#include "libcore/hash.h"
#include "libcore/volest.h"
#include "tests/golden/data.h"

#define OBS_MAX 8192
#define BOOT	500
#define DAY_S	86400
#define HALF	60 /* windows of ladder to choose by           */
#define P_MIN	0.001
#define MARGIN	0.02

enum who {
	MARKET,
	GBM,
	GBM_T,
	TWAP,
	TWAP_T,
	WHO_N
};

static const char *const who_name[WHO_N] = {
    "market", "gbm", "gbm student", "twap", "twap student"};

/* One moment of one window; a probability below 0 is not there. */
struct obs {
	int window;
	double left_s;
	double p[WHO_N];
	bool up;
};

struct set {
	const char *name;
	struct obs obs[OBS_MAX];
	size_t n;
};

/* Scores of a set between two times to expiry. */
struct score {
	size_t n;
	size_t windows;
	double value[2]; /* Brier, log loss                              */
	double error[2];
};

static struct set ladder = {.name = "ladder"};
static struct set day = {.name = "day"};
static struct set day_twap = {.name = "day_twap"};
static struct set hist = {.name = "hist"};
static struct set prices = {.name = "prices"};
static bool json;
static bool missed;

/* What was chosen on a first half. */
struct choice {
	uint64_t sample_s;
	uint64_t halflife_s;
	double noise;
	double late_s; /* of the recorder's clock                          */
};

/* A remark; in JSON there are none. */
#define note(...)                            \
	do {                                 \
		if (!json)                   \
			printf(__VA_ARGS__); \
	} while (0)

static void
loss(const struct obs *o, enum who w, double out[2])
{
	double y = o->up ? 1.0 : 0.0;
	double p = fmax(P_MIN, fmin(1.0 - P_MIN, o->p[w]));

	out[0] = (o->p[w] - y) * (o->p[w] - y);
	out[1] = -log(o->up ? p : 1.0 - p);
}

/* Sums by window, then means over windows drawn anew. minus: score of w less
 * that of it on the same moments; WHO_N: nothing. */
static struct score
score_of(const struct set *s, enum who w, enum who minus, const double left[2])
{
	static double sum[OBS_MAX][3];
	struct score out = {0};
	double total[3] = {0};
	double sq[2] = {0};
	double mean[2] = {0};
	int last = -1;
	uint64_t r = 20260814;

	for (size_t i = 0; i < s->n; i++) {
		const struct obs *o = &s->obs[i];
		double l[2];
		double m[2] = {0.0, 0.0};

		if (o->left_s <= left[0] || o->left_s > left[1] ||
		    o->p[w] < 0.0)
			continue;
		loss(o, w, l);
		if (minus != WHO_N)
			loss(o, minus, m);
		if (o->window != last)
			memset(sum[out.windows++], 0, sizeof(sum[0]));
		last = o->window;
		for (int k = 0; k < 2; k++)
			sum[out.windows - 1][k] += l[k] - m[k];
		sum[out.windows - 1][2] += 1.0;
	}
	for (size_t i = 0; i < out.windows; i++)
		for (int k = 0; k < 3; k++)
			total[k] += sum[i][k];
	out.n = (size_t)total[2];
	for (int b = 0; b < BOOT && out.n > 0; b++) {
		double t[3] = {0};

		for (size_t i = 0; i < out.windows; i++) {
			r = hash_u64(r, i);
			for (int k = 0; k < 3; k++)
				t[k] += sum[r % out.windows][k];
		}
		for (int k = 0; k < 2; k++) {
			mean[k] += t[k] / t[2] / BOOT;
			sq[k] += t[k] / t[2] * (t[k] / t[2]) / BOOT;
		}
	}
	for (int k = 0; k < 2 && out.n > 0; k++) {
		out.value[k] = total[k] / total[2];
		out.error[k] = sqrt(fmax(0.0, sq[k] - mean[k] * mean[k]));
	}
	return out;
}

static void
print_score(const struct set *s, enum who w, const double left[2],
    const struct score *sc)
{
	if (json)
		printf("{\"set\":\"%s\",\"left_s\":[%g,%g],\"who\":\"%s\","
		       "\"n\":%zu,\"windows\":%zu,\"brier\":%.5f,"
		       "\"brier_error\":%.5f,\"log_loss\":%.5f,"
		       "\"log_loss_error\":%.5f}\n",
		    s->name, left[0], left[1], who_name[w], sc->n, sc->windows,
		    sc->value[0], sc->error[0], sc->value[1], sc->error[1]);
	else
		printf("%-9s %6g-%-6g %-13s %5zu %5zu  %.4f +- %.4f   "
		       "%.4f +- %.4f\n",
		    s->name, left[0], left[1], who_name[w], sc->n, sc->windows,
		    sc->value[0], sc->error[0], sc->value[1], sc->error[1]);
}

static void
print_set(const struct set *s, const double (*bucket)[2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (int w = 0; w < WHO_N; w++) {
			struct score sc =
			    score_of(s, (enum who)w, WHO_N, bucket[i]);

			if (sc.n > 0)
				print_score(s, (enum who)w, bucket[i], &sc);
		}
}

/* The score of a less that of b, Brier at most margin; no margin (NAN): only
 * told. */
static void
verdict(const struct set *s, enum who a, enum who b, const double left[2],
    double margin)
{
	struct score d = score_of(s, a, b, left);
	bool bound = !isnan(margin);
	bool ok = !bound || d.value[0] <= margin;

	if (d.n == 0)
		return;
	missed = missed || !ok;
	if (json)
		printf("{\"set\":\"%s\",\"left_s\":[%g,%g],\"who\":\"%s less "
		       "%s\",\"n\":%zu,\"brier\":%.5f,\"brier_error\":%.5f,"
		       "\"log_loss\":%.5f,\"log_loss_error\":%.5f",
		    s->name, left[0], left[1], who_name[a], who_name[b], d.n,
		    d.value[0], d.error[0], d.value[1], d.error[1]);
	else
		printf("# %s, %g to %g s: %s less %s: Brier %+.4f +- %.4f, "
		       "log loss %+.4f +- %.4f",
		    s->name, left[0], left[1], who_name[a], who_name[b],
		    d.value[0], d.error[0], d.value[1], d.error[1]);
	if (json && bound)
		printf(",\"margin\":%g,\"ok\":%s}\n", margin,
		    ok ? "true" : "false");
	else if (json)
		printf("}\n");
	else if (bound)
		printf("; margin %g: %s\n", margin, ok ? "held" : "MISSED");
	else
		printf("\n");
}

static void
ask_models(struct fair_in *in, double lookback_s, struct obs *o)
{
	for (int w = GBM; w < WHO_N; w++) {
		bool twap = w == TWAP || w == TWAP_T;
		struct fair_cfg c = {
		    .model = twap ? FAIR_TWAP : FAIR_GBM,
		    .student_df = w == GBM_T || w == TWAP_T ? 4 : 0,
		    .sensitivity = 0.1,
		};
		struct fair_out out;

		o->p[w] = -1.0;
		if (twap && !(lookback_s > 0.0))
			continue;
		in->lookback_s = lookback_s;
		fair_value(in, &c, &out);
		if (out.state == FAIR_OK)
			o->p[w] = out.yes;
	}
}

static struct volest_cfg
vol_setup(uint64_t sample_s, uint64_t halflife_s, uint64_t min_n)
{
	struct volest_cfg c = {
	    .vol = {.sample_ns = sample_s * NS_PER_S,
		.halflife_ns = 60 * NS_PER_S,
		.window_ns = DAY_S * (uint64_t)NS_PER_S,
		.min_n = min_n},
	    .ewma_halflife_ns = halflife_s * NS_PER_S,
	    .var_floor = vol_var_of_annual(0.05),
	    .var_cap = vol_var_of_annual(5.0),
	};
	return c;
}

static double
num(struct json_str raw, double none)
{
	return raw.n == 0 || *raw.s == 'n' ? none : strtod(raw.s, 0);
}

/* Mid of the Up token; an empty side is the end of the scale. */
static double
mid_of(struct json_str up)
{
	double bid = num(data_member(up.s, up.n, "bid"), 0.0);
	double ask = num(data_member(up.s, up.n, "ask"), 1.0);

	return 0.5 * (bid + ask);
}

static void
ladder_window(const char *line, size_t len, int window, const struct choice *ch,
    struct volest *e)
{
	struct volest_cfg c = vol_setup(ch->sample_s, ch->halflife_s, 10);
	struct json_str samples = data_member(line, len, "samples");
	struct json_str winner = data_member(line, len, "winner");
	double start = num(data_member(line, len, "window_ts"), 0.0);
	struct fair_in in = {
	    .strike = num(data_member(line, len, "open_px"), 0.0),
	    .noise = ch->noise,
	    .tie_yes = true,
	};
	struct json j;
	struct json_str one;

	json_sub(&j, samples.s, samples.n);
	json_array(&j);
	while (json_item(&j) && json_raw(&j, &one)) {
		struct obs *o = &ladder.obs[ladder.n];
		double t = num(data_member(one.s, one.n, "t"), 0.0);

		in.spot = num(data_member(one.s, one.n, "spot"), 0.0);
		in.left_s = -t - ch->late_s;
		volest_add(
		    e, &c, (uint64_t)((start + 300.0 + t) * 1e9), log(in.spot));
		if (!(in.left_s > 1.0) || ladder.n == OBS_MAX ||
		    !volest_get(e, &c, VOL_EWMA, &in.var_s))
			continue;
		*o = (struct obs){.window = window, .left_s = in.left_s};
		o->up = winner.n > 1 && winner.s[1] == 'U';
		o->p[MARKET] = mid_of(data_member(one.s, one.n, "up"));
		ask_models(&in, 0.0, o);
		ladder.n++;
	}
}

/* The windows [from, to); volatility is built up from the first window on. */
static void
run_ladder(char *text, const struct choice *ch, int from, int to)
{
	struct volest e;
	char *pos = text;
	char *line;
	size_t len;
	size_t kept = 0;
	int window = 0;

	volest_init(&e);
	ladder.n = 0;
	while (data_line(&pos, &line, &len) && window < to)
		ladder_window(line, len, window++, ch, &e);
	for (size_t i = 0; i < ladder.n; i++)
		if (ladder.obs[i].window >= from)
			ladder.obs[kept++] = ladder.obs[i];
	ladder.n = kept;
}

/* How many windows of the first half have, `label` seconds before their end,
 * the spot that the next one opens with. */
static int
opens_next(char *text, double label)
{
	char *pos = text;
	char *line;
	size_t len;
	double spot = 0.0;
	int same = 0;

	for (int w = 0; w < HALF && data_line(&pos, &line, &len); w++) {
		struct json_str list = data_member(line, len, "samples");
		double open = num(data_member(line, len, "open_px"), 0.0);
		struct json j;
		struct json_str one;

		same += fabs(spot - open) < 0.05;
		spot = 0.0;
		json_sub(&j, list.s, list.n);
		json_array(&j);
		while (json_item(&j) && json_raw(&j, &one))
			if (fabs(num(data_member(one.s, one.n, "offset"), 0) -
				 label) < 0.5)
				spot =
				    num(data_member(one.s, one.n, "spot"), 0.0);
	}
	return same;
}

static double
clock_late(char *text)
{
	static const double label[] = {0, 10, 20, 30, 45, 60, 90};
	size_t best = 0;

	for (size_t i = 1; i < sizeof(label) / sizeof(label[0]); i++)
		if (opens_next(text, label[i]) > opens_next(text, label[best]))
			best = i;
	note("# ladder: %d of %d spots %g s before an end are the next "
	     "window's opening price: the recorder's clock is taken for "
	     "that much slow\n",
	    opens_next(text, label[best]), HALF - 1, label[best]);
	return label[best];
}

static void
do_ladder(void)
{
	static const uint64_t halflife[] = {120, 300, 900, 3600, 14400};
	static const double noise[] = {2e-5, 5e-5, 1e-4, 2e-4, 4e-4};
	static const double all[2] = {0.0, 300.0};
	static const double bucket[][2] = {
	    {0, 15}, {15, 30}, {30, 50}, {50, 80}, {80, 130}, {0, 130}};
	struct choice best = {10, 0, 0.0, 0.0};
	struct choice ch = best;
	double least = (double)INFINITY;
	size_t n;
	char *text =
	    data_read("aligned/btc5m_book_vs_spot/ladder_a.jsonl.gz", &n);

	if (text == 0)
		return;
	ch.late_s = clock_late(text);
	for (size_t i = 0; i < 25; i++) {
		struct score sc;

		ch.halflife_s = halflife[i / 5];
		ch.noise = noise[i % 5];
		run_ladder(text, &ch, 0, HALF);
		sc = score_of(&ladder, GBM, WHO_N, all);
		if (sc.value[1] < least) {
			least = sc.value[1];
			best = ch;
		}
	}
	run_ladder(text, &best, HALF, 1000);
	note("# ladder: half-life %llu s and noise %g bps, by the first %d "
	     "windows\n",
	    (unsigned long long)best.halflife_s, best.noise * 1e4, HALF);
	print_set(&ladder, bucket, 6);
	for (size_t i = 0; i < 6; i++)
		verdict(&ladder, GBM, MARKET, bucket[i], MARGIN);
	free(text);
}

/* Prices of the day by second, the last one known; 0 before the first. */
static bool
read_day(double *px)
{
	size_t n;
	size_t len;
	char *line;
	char *text = data_read(
	    "aligned/settlement/chainlink_btcusd_2026-06-08.csv.gz", &n);
	char *pos = text;
	double from = 0.0;

	if (text == 0)
		return false;
	while (data_line(&pos, &line, &len)) {
		char *end;
		double s = strtod(line, &end) / 1000.0;

		if (*end != ',' || !(s > 0.0))
			continue;
		from = from > 0.0 ? from : floor(s / DAY_S) * DAY_S;
		if (s - from < DAY_S)
			px[(int)(s - from)] = strtod(end + 1, 0);
	}
	for (int i = 1; i < DAY_S; i++)
		px[i] = px[i] > 0.0 ? px[i] : px[i - 1];
	free(text);
	return true;
}

/* Mean of the seconds (from, to]. */
static double
mean_px(const double *px, int from, int to)
{
	double sum = 0.0;

	for (int i = from + 1; i <= to; i++)
		sum += px[i];
	return to > from ? sum / (to - from) : 0.0;
}

static void
day_window(
    struct set *s, const double *px, int start, int lookback, const double *var)
{
	static const int left[] = {
	    270, 240, 210, 180, 150, 120, 90, 75, 60, 50, 40, 30, 20, 10, 5};
	int end = start + 300;
	struct fair_in in = {.tie_yes = true};
	double last;

	in.strike =
	    lookback > 0 ? mean_px(px, start - lookback, start) : px[start];
	last = lookback > 0 ? mean_px(px, end - lookback, end) : px[end];
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		int now = end - left[i];
		struct obs *o = &s->obs[s->n];

		if (!(var[now] > 0.0) || s->n == OBS_MAX)
			continue;
		*o = (struct obs){.window = start, .left_s = left[i]};
		o->up = last >= in.strike;
		o->p[MARKET] = -1.0;
		in.spot = px[now];
		in.var_s = var[now];
		in.left_s = left[i];
		in.seen_s = fmax(0.0, lookback - left[i]);
		in.seen_px = mean_px(px, end - lookback, now);
		ask_models(&in, lookback, o);
		s->n++;
	}
}

/* The windows that start in [from, to), by both rules. */
static void
run_day(const double *px, const struct choice *ch, int from, int to)
{
	static double var[DAY_S];
	struct volest_cfg c = vol_setup(ch->sample_s, ch->halflife_s, 30);
	struct volest e;

	volest_init(&e);
	day.n = day_twap.n = 0;
	for (int i = 0; i < DAY_S; i++) {
		double v = 0.0;

		if (px[i] > 0.0)
			volest_add(
			    &e, &c, (uint64_t)(i + 1) * NS_PER_S, log(px[i]));
		(void)volest_get(&e, &c, VOL_EWMA, &v);
		var[i] = v;
	}
	for (int start = from; start < to; start += 300) {
		day_window(&day, px, start, 0, var);
		day_window(&day_twap, px, start, 60, var);
	}
}

static void
do_day(void)
{
	static const uint64_t halflife[] = {60, 120, 300, 900, 3600};
	static const uint64_t sample[] = {1, 2, 5, 10, 20};
	static const double bucket[][2] = {
	    {0, 15}, {15, 30}, {30, 60}, {60, 120}, {120, 180}, {180, 300}};
	static const double late[2] = {0, 180};
	static const double all[2] = {0, 300};
	static double px[DAY_S];
	struct choice best = {0};
	double least = (double)INFINITY;

	if (!read_day(px))
		return;
	for (size_t i = 0; i < 25; i++) {
		struct choice ch = {sample[i % 5], halflife[i / 5], 0, 0};
		struct score sc;

		run_day(px, &ch, 300, DAY_S / 2);
		sc = score_of(&day, GBM, WHO_N, all);
		if (sc.value[1] < least) {
			least = sc.value[1];
			best = ch;
		}
	}
	note("# day: half-life %llu s, returns of %llu s, by the first half "
	     "of day\n",
	    (unsigned long long)best.halflife_s,
	    (unsigned long long)best.sample_s);
	run_day(px, &best, DAY_S / 2, DAY_S - 300);
	print_set(&day, bucket, 6);
	print_set(&day_twap, bucket, 6);
	for (size_t i = 0; i < 5; i++)
		verdict(&day_twap, TWAP, GBM, bucket[i], NAN);
	verdict(&day_twap, TWAP, GBM, late, 0.0);
	verdict(&day_twap, TWAP_T, TWAP, late, NAN);
	verdict(&day, GBM_T, GBM, late, NAN);
}

/* Each estimator every 30 s of the second half of the day against what the
 * next 300 s realised: root mean square of the difference of logarithms, and
 * its mean (above 0: too high). */
static void
do_vol(void)
{
	static double px[DAY_S];
	struct volest_cfg c = vol_setup(1, 120, 30);
	struct volest e;
	double sq[VOL_LSTM] = {0};
	double mean[VOL_LSTM] = {0};
	int n = 0;

	if (!read_day(px))
		return;
	c.har_1m = c.har_10m = c.har_60m = 0.3;
	volest_init(&e);
	for (int i = 1; i < DAY_S - 300; i++) {
		double ahead = 0.0;

		if (!(px[i - 1] > 0.0))
			continue;
		volest_add(&e, &c, (uint64_t)i * NS_PER_S, log(px[i]));
		if (i < DAY_S / 2 || i % 30 != 0)
			continue;
		for (int k = i + 1; k <= i + 300; k++)
			ahead += pow(log(px[k] / px[k - 1]), 2.0) / 300.0;
		for (int k = VOL_EMA; k < VOL_LSTM; k++) {
			double v = c.var_floor;
			double d;

			(void)volest_get(&e, &c, (enum vol_kind)k, &v);
			d = log(v / fmax(ahead, c.var_floor));
			sq[k] += d * d;
			mean[k] += d;
		}
		n++;
	}
	for (int k = VOL_EMA; k < VOL_LSTM; k++) {
		double rmse = sqrt(sq[k] / n);

		if (json)
			printf("{\"set\":\"vol\",\"who\":\"%s\",\"n\":%d,"
			       "\"rmse_ln\":%.4f,\"mean_ln\":%.4f}\n",
			    vol_kind_name((enum vol_kind)k), n, rmse,
			    mean[k] / n);
		else
			printf("vol       %-27s %5d        rmse of ln %.4f"
			       "   mean %+.4f\n",
			    vol_kind_name((enum vol_kind)k), n, rmse,
			    mean[k] / n);
	}
}

static void
add_market(struct set *s, double left_s, double p, bool up)
{
	struct obs *o = &s->obs[s->n];

	if (s->n == OBS_MAX || !(p >= 0.0 && p <= 1.0))
		return;
	*o = (struct obs){.window = (int)s->n, .left_s = left_s, .up = up};
	for (int w = 0; w < WHO_N; w++)
		o->p[w] = -1.0;
	o->p[MARKET] = p;
	s->n++;
}

static void
do_hist(void)
{
	static const double bucket[][2] = {{0, 300}};
	size_t n;
	size_t len;
	char *line;
	char *text =
	    data_read("aligned/btc5m_book_vs_spot/windows_hist_a.jsonl", &n);
	char *pos = text;

	if (text == 0)
		return;
	while (data_line(&pos, &line, &len)) {
		struct json_str w = data_member(line, len, "winner");

		add_market(&hist, num(data_member(line, len, "up_lag"), 0.0),
		    num(data_member(line, len, "up_mid"), -1.0),
		    w.n > 1 && w.s[1] == 'U');
	}
	print_set(&hist, bucket, 1);
	free(text);
}

/* Seconds of "2026-06-24T05:30:20"; -1 when it is none. */
static double
seconds(const char *s, size_t n)
{
	char text[20] = "";
	struct tm tm = {0};

	if (n < 19)
		return -1.0;
	memcpy(text, s, 19);
	if (strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return -1.0;
	return (double)timegm(&tm);
}

/* The question is quoted and has commas: the last three fields are counted
 * from the end. */
static void
do_prices(void)
{
	static const double bucket[][2] = {{0, 60}, {60, 300}, {300, 900},
	    {900, 3600}, {3600, 14400}, {0, 14400}};
	size_t n;
	size_t len;
	char *line;
	char *text = data_read(
	    "aligned/updown_price_and_outcome/updown_20260624_a.csv.gz", &n);
	char *pos = text;

	if (text == 0)
		return;
	while (data_line(&pos, &line, &len)) {
		const char *field[3];
		double end;
		size_t at = len;

		for (int k = 2; k >= 0; k--) {
			while (at > 0 && line[at - 1] != ',')
				at--;
			field[k] = line + at;
			at -= at > 0;
		}
		end = seconds(field[0], (size_t)(line + len - field[0]));
		if (end < 0.0)
			continue;
		add_market(&prices, end - seconds(line, len),
		    strtod(field[1], 0), field[2][0] == 'Y');
	}
	print_set(&prices, bucket, 6);
	free(text);
}

int
main(int argc, char **argv)
{
	bool check = false;

	for (int i = 1; i < argc; i++) {
		json = json || strcmp(argv[i], "--json") == 0;
		check = check || strcmp(argv[i], "--check") == 0;
	}
	if (!json)
		printf("%-9s %13s %-13s %5s %5s  %-16s   %s\n", "set",
		    "left, s", "who", "n", "wins", "Brier", "log loss");
	do_ladder();
	do_day();
	do_vol();
	do_hist();
	do_prices();
	if (ladder.n + day.n + hist.n + prices.n == 0)
		return check ? 77 : 0;
	return check && missed ? 1 : 0;
}
