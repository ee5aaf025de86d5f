/*
 * train_vol - weights of the volatility predictor from a series of prices.
 *
 *   rm-train-vol --in FILE.csv[.gz] --out WEIGHTS [--time N] [--price N]
 *                [--step S] [--horizon S] [--epochs N] [--rate R] [--seed N]
 *
 * In      : CSV with a header; column N (1, 2, ...) of times in ms, rising,
 *           and of prices. A Parquet capture becomes one by, for example,
 *           duckdb -csv -c "select recv_wall_ns // 1000000, price from '...'"
 * Training: the first 60 % of the steps; of all epochs the weights that are
 *           best on the next 20 % are kept; the last 20 % are looked at once
 *           and reported beside the statistic (ewma) and the mean of both.
 * Same input, options and seed: the same file.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/fixed.h"
#include "libcore/lstm_train.h"
#include "libcore/volest.h"
#include "tests/golden/data.h"

struct options {
	const char *in;
	const char *out;
	unsigned time_column;
	unsigned price_column;
	unsigned step_s;
	unsigned horizon_s;
	unsigned epochs;
	double rate;
	uint64_t seed;
};

/* One step of the series. */
struct row {
	double in[LSTM_IN];
	double target; /* ln of the variance a second over the horizon    */
	double stat;   /* the same by ewma                                */
};

struct series {
	struct row *row;
	size_t n;
	size_t cap;
	double (*in)[LSTM_IN];
	double *target;
};

static void
usage(void)
{
	fprintf(stderr,
	    "usage: rm-train-vol --in FILE.csv[.gz] --out WEIGHTS\n"
	    "       [--time N] [--price N] columns, default 1 and 2\n"
	    "       [--step S] [--horizon S] seconds, default 30 and 300\n"
	    "       [--epochs N] [--rate R] [--seed N] default 40, 0.005, 1\n");
	exit(64);
}

static struct options
parse_args(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"in", required_argument, 0, 'i'},
	    {"out", required_argument, 0, 'o'},
	    {"time", required_argument, 0, 't'},
	    {"price", required_argument, 0, 'p'},
	    {"step", required_argument, 0, 's'},
	    {"horizon", required_argument, 0, 'z'},
	    {"epochs", required_argument, 0, 'e'},
	    {"rate", required_argument, 0, 'r'},
	    {"seed", required_argument, 0, 'd'},
	    {0, 0, 0, 0},
	};
	struct options o = {0, 0, 1, 2, 30, 300, 40, 0.005, 1};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, 0)) != -1) {
		unsigned long n = optarg == 0 ? 0 : strtoul(optarg, 0, 10);

		switch (c) {
		case 'i': o.in = optarg; break;
		case 'o': o.out = optarg; break;
		case 't': o.time_column = (unsigned)n; break;
		case 'p': o.price_column = (unsigned)n; break;
		case 's': o.step_s = (unsigned)n; break;
		case 'z': o.horizon_s = (unsigned)n; break;
		case 'e': o.epochs = (unsigned)n; break;
		case 'r': o.rate = strtod(optarg, 0); break;
		case 'd': o.seed = n; break;
		default: usage();
		}
	}
	if (o.in == 0 || o.out == 0 || o.time_column == 0 ||
	    o.price_column == 0 || o.step_s == 0 || o.horizon_s < o.step_s ||
	    o.epochs == 0 || !(o.rate > 0.0))
		usage();
	return o;
}

static double
column(const char *line, size_t n, unsigned at)
{
	const char *s = line;
	const char *end = line + n;

	while (--at > 0) {
		s = memchr(s, ',', (size_t)(end - s));
		if (s == 0)
			return (double)NAN;
		s++;
	}
	return strtod(s, 0);
}

/* Squares and seconds of each step, holes included as empty steps. */
static void
push(struct series *s, double square, double dt_s, double past)
{
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 4096 : 2 * s->cap;
		s->row = realloc(s->row, s->cap * sizeof(*s->row));
	}
	volest_input(dt_s > 0.0 ? square / dt_s : 0.0, past, s->row[s->n].in);
	s->row[s->n].stat = s->row[s->n].in[1];
	s->n++;
}

static void
read_series(const struct options *o, char *text, struct series *s)
{
	struct vol_cfg vc = {
	    .sample_ns = NS_PER_S,
	    .halflife_ns = 60 * (uint64_t)NS_PER_S,
	    .window_ns = 86400 * (uint64_t)NS_PER_S,
	    .min_n = 30,
	};
	struct volest_cfg c = {
	    .vol = vc, .ewma_halflife_ns = 120 * (uint64_t)NS_PER_S};
	struct volest e;
	struct vol_return r;
	double square = 0.0;
	double dt_s = 0.0;
	double from = 0.0;
	char *line;
	size_t n;

	volest_init(&e);
	while (data_line(&text, &line, &n)) {
		double ms = column(line, n, o->time_column);
		double px = column(line, n, o->price_column);
		struct vol before = e.vol;

		if (!(ms > 0.0) || !(px > 0.0) ||
		    (double)before.last_ns > ms * 1e6)
			continue;
		volest_add(&e, &c, (uint64_t)ms * 1000000, log(px));
		if (!vol_step(
			&before, &vc, (uint64_t)ms * 1000000, log(px), &r))
			continue;
		from = from > 0.0 ? from : ms;
		square += r.square;
		dt_s += r.dt_s;
		if (ms - from < 1000.0 * o->step_s)
			continue;
		push(s, square, dt_s, e.ewma_sum / e.ewma_s);
		square = dt_s = 0.0;
		from = ms;
	}
}

static void
make_targets(struct series *s, unsigned ahead)
{
	size_t n = s->n > ahead ? s->n - ahead : 0;

	for (size_t i = 0; i < n; i++) {
		double sum = 0.0;

		for (unsigned k = 1; k <= ahead; k++)
			sum += exp(s->row[i + k].in[0]);
		s->row[i].target = log(sum / ahead);
	}
	s->n = n;
	s->in = malloc((n + 1) * sizeof(*s->in));
	s->target = malloc((n + 1) * sizeof(*s->target));
	for (size_t i = 0; i < n; i++) {
		memcpy(s->in[i], s->row[i].in, sizeof(s->in[i]));
		s->target[i] = s->row[i].target;
	}
}

static void
moments(const struct series *s, size_t n, unsigned which, double *mean,
    double *scale)
{
	double sum = 0.0;
	double sq = 0.0;

	for (size_t i = 0; i < n; i++) {
		double x = which < LSTM_IN ? s->in[i][which] : s->target[i];

		sum += x;
		sq += x * x;
	}
	*mean = round(1e6 * sum / (double)n) / 1e6;
	*scale = sqrt(fmax(1e-6, sq / (double)n - *mean * *mean));
	*scale = round(1e6 * *scale) / 1e6;
}

/* Root mean squared errors of logarithms over [from, to), the cells warm
 * from the start of the series: predictor, statistic, mean of both. */
static void
errors(const struct lstm *m, const struct series *s, size_t from, size_t to,
    double rmse[3])
{
	struct lstm_state st = {0};
	double sum[3] = {0};

	for (size_t i = 0; i < to; i++) {
		double p;
		double both;

		lstm_step(m, &st, s->in[i], &p, 0);
		if (i < from)
			continue;
		both = log(0.5 * (exp(p) + exp(s->row[i].stat)));
		sum[0] += (p - s->target[i]) * (p - s->target[i]);
		sum[1] += (s->row[i].stat - s->target[i]) *
			  (s->row[i].stat - s->target[i]);
		sum[2] += (both - s->target[i]) * (both - s->target[i]);
	}
	for (int k = 0; k < 3; k++)
		rmse[k] = sqrt(sum[k] / (double)(to - from));
}

static struct lstm
train(const struct options *o, const struct series *s, struct lstm_train *t)
{
	size_t fit = s->n * 6 / 10;
	size_t pick = s->n * 8 / 10;
	struct lstm best;
	double least = (double)INFINITY;

	lstm_train_init(t, o->seed);
	t->m.step_s = o->step_s;
	t->m.horizon_s = o->horizon_s;
	for (unsigned i = 0; i < LSTM_IN; i++)
		moments(s, fit, i, &t->m.in_mean[i], &t->m.in_scale[i]);
	moments(s, fit, LSTM_IN, &t->m.out_mean, &t->m.out_scale);
	best = t->m;
	for (unsigned e = 0; e < o->epochs; e++) {
		struct lstm_state st = {0};
		double rmse[3];
		double loss = 0.0;

		for (size_t i = 0; i + LSTM_CHUNK <= fit; i += LSTM_CHUNK) {
			loss += lstm_train_grad(
			    t, &st, s->in + i, s->target + i, LSTM_CHUNK);
			lstm_train_adam(t, o->rate, LSTM_CHUNK);
		}
		errors(&t->m, s, fit, pick, rmse);
		if (rmse[0] < least) {
			least = rmse[0];
			best = t->m;
		}
		if (e % 10 == 0 || e + 1 == o->epochs)
			printf("epoch %u: loss %.4f, rmse of ln var on the "
			       "next fifth %.4f\n",
			    e, loss / (double)fit, rmse[0]);
	}
	return best;
}

static int
save(const struct lstm *m, const char *path)
{
	static char buf[LSTM_FILE_SZ];
	size_t n = lstm_format(m, buf);
	FILE *f = fopen(path, "w");

	if (f == 0 || fwrite(buf, 1, n, f) != n || fclose(f) != 0) {
		perror(path);
		return 73;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct options o = parse_args(argc, argv);
	struct lstm_train *t = malloc(sizeof(*t));
	struct series s = {0};
	struct lstm m;
	double rmse[3];
	size_t n;
	char *text = data_read_path(o.in, &n);
	int rc;

	if (text == 0 || t == 0) {
		fprintf(stderr, "rm-train-vol: cannot read %s\n", o.in);
		free(text);
		free(t);
		return 66;
	}
	read_series(&o, text, &s);
	make_targets(&s, o.horizon_s / o.step_s);
	printf("%zu steps of %u s, horizon %u s, seed %llu\n", s.n, o.step_s,
	    o.horizon_s, (unsigned long long)o.seed);
	if (s.n < 10 * LSTM_CHUNK) {
		fprintf(stderr, "rm-train-vol: too few steps\n");
		rc = 65;
		goto done;
	}
	m = train(&o, &s, t);
	errors(&m, &s, s.n * 8 / 10, s.n, rmse);
	printf("last fifth, rmse of ln var: lstm %.4f, ewma %.4f, mean of "
	       "both %.4f\n",
	    rmse[0], rmse[1], rmse[2]);
	rc = save(&m, o.out);
done:
	free(s.row);
	free(s.in);
	free(s.target);
	free(t);
	free(text);
	return rc;
}
