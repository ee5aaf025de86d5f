/* links: libcore */
/*
 * Basis and lead of a recorded reference over a recorded settlement feed,
 * beside a plain cross-correlation of the two worked out here.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libcore/basis.h"
#include "libcore/fixed.h"
#include "tests/golden/data.h"

#define ROWS 20000
#define LAGS 41

static double ref[ROWS];
static double settle[ROWS];
static double at_ms[ROWS];
static size_t rows;

static bool
load(void)
{
	size_t n;
	size_t len;
	char *line;
	char *text = data_read(
	    "aligned/binance_vs_chainlink/btc_10hz_20260217_a.csv.gz", &n);
	char *pos = text;

	if (text == NULL)
		return false;
	while (data_line(&pos, &line, &len) && rows < ROWS) {
		char *end;

		at_ms[rows] = strtod(line, &end);
		if (*end != ',' || !(at_ms[rows] > 0.0))
			continue;
		ref[rows] = strtod(end + 1, &end);
		settle[rows] = strtod(end + 1, &end);
		rows++;
	}
	free(text);
	return true;
}

/* Correlation of changes over a second, the settlement `lag` rows later. */
static double
correlation(size_t lag)
{
	double xy = 0.0;
	double xx = 0.0;
	double yy = 0.0;

	for (size_t i = 10; i + lag < rows; i++) {
		double x = log(ref[i] / ref[i - 10]);
		double y = log(settle[i + lag] / settle[i + lag - 10]);

		xy += x * y;
		xx += x * x;
		yy += y * y;
	}
	return xy / sqrt(xx * yy);
}

static void
basis_and_lead_of_a_capture(void **state)
{
	static const struct basis_cfg c = {
	    .halflife_ns = 300 * NS_PER_S,
	    .lead_halflife_ns = 600 * NS_PER_S,
	    .lag_ns = 100 * NS_PER_MS,
	    .gap_ns = 5 * NS_PER_S,
	    .outlier = 5.0,
	    .min_n = 60,
	    .fit_min = 0.2,
	};
	static struct basis b;
	struct basis_out out;
	size_t best = 0;
	double sum = 0.0;

	(void)state;
	if (!load())
		skip();
	basis_init(&b);
	for (size_t i = 0; i < rows; i++) {
		uint64_t now = (uint64_t)at_ms[i] * NS_PER_MS;

		sum += log(ref[i] / settle[i]);
		if (i == 0 || fabs(ref[i] - ref[i - 1]) > 0.0 || i % 10 == 0)
			basis_ref(&b, now, ref[i]);
		if (i == 0 || fabs(settle[i] - settle[i - 1]) > 0.0)
			basis_settle(&b, &c, now, settle[i]);
	}
	for (size_t k = 1; k < LAGS; k++)
		if (correlation(k) > correlation(best))
			best = k;
	assert_true(basis_get(&b, &c, &out));
	printf("# %zu rows, %llu settlement ticks: basis %.2f bps (mean "
	       "%.2f), noise %.2f bps, lead %.1f s, fit %.2f; correlation "
	       "%.2f at %.1f s, %.2f at 0\n",
	    rows, (unsigned long long)b.n, out.basis * 1e4,
	    sum / (double)rows * 1e4, out.noise * 1e4, out.lead_s, out.fit,
	    correlation(best), (double)best / 10.0, correlation(0));
	assert_true(out.lead_known);
	/* The recorded reference moves every two seconds only, so that what
	 * the settlement shows was there 2.0 s ago and still 0.1 s ago: the
	 * correlation of changes finds the one end, the lag that explains
	 * most the middle of where nothing changes. */
	assert_true(best >= 10 && best <= 25);
	assert_true(out.lead_s > 0.0 && out.lead_s <= (double)best / 10.0);
	assert_true(fabs(out.basis - sum / (double)rows) < 1e-4);
	assert_true(out.noise < 2e-4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(basis_and_lead_of_a_capture),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
