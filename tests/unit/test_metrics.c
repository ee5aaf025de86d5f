/* links: libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "libshm/metrics.h"
#include "tests/unit/shmdir.h"

static struct shmdir dir;
static struct metrics *m;
static struct err err;

static int
setup(void **state)
{
	(void)state;
	shmdir_open(&dir);
	for (int i = 0; i < ST_N; i++)
		assert_int_equal(
		    metrics_create(dir.fd, (enum stage_id)i, 5, &err), 0);
	assert_int_equal(metrics_attach(&m, dir.fd, ST_RISKD, true, &err), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	metrics_detach(m);
	shmdir_close(&dir);
	return 0;
}

static void
test_labels(void **state)
{
	(void)state;
	assert_int_equal(m->stage, ST_RISKD);
	assert_int_equal(m->metric_n, M_N);
	assert_string_equal(m->metric[M_RISKD_PNL_DAY].label, "pnl_day");
	assert_string_equal(m->metric[M_RISKD_PNL_DAY].unit, "e6USD");
	assert_int_equal(m->metric[M_RISKD_PNL_DAY].kind, METRIC_GAUGE);
	assert_string_equal(m->metric[M_ANY_STEPS].label, "steps");
	assert_int_equal(m->metric[M_ANY_HOP_NS].kind, METRIC_HIST);
	assert_true(m->metric[M_ANY_HOP_NS].hist > 0);
	assert_true(
	    m->metric[M_ANY_HOP_NS].hist != m->metric[M_ANY_STEP_NS].hist);
	/* another program's */
	assert_int_equal(m->metric[M_EXECD_ORDERS].kind, 0);
	assert_int_equal(m->metric[M_EXECD_ORDERS].label[0], 0);
}

static void
test_links(void **state)
{
	struct metrics *x;
	char name[LINK_NAME_SZ];
	char long_name[200];

	(void)state;
	assert_int_equal(m->link_label[LF_STATE][0], 0); /* no feed */
	assert_int_equal(
	    metrics_attach(&x, dir.fd, ST_FEEDD_BN, true, &err), 0);
	assert_string_equal(x->link_label[LF_RTT_EMA_US], "rtt_ema");
	assert_string_equal(x->link_label[LF_N - 1], "skew");
	metrics_link_host(x, 0, name);
	assert_string_equal(name, "");
	metrics_link_name(x, 3, "ws.example.com:443");
	metrics_link_set(x, 3, LF_SKEW_MS, -1500);
	metrics_link_host(x, 3, name);
	assert_string_equal(name, "ws.example.com:443");
	assert_int_equal(metrics_link(x, 3, LF_SKEW_MS), -1500);
	assert_int_equal(metrics_link(x, 2, LF_SKEW_MS), 0);
	/* Cut, and what a damaged page holds does not reach a terminal. */
	memset(long_name, 'a', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	long_name[1] = '\033';
	metrics_link_name(x, 3, long_name);
	metrics_link_host(x, 3, name);
	assert_int_equal(strlen(name), LINK_NAME_SZ - 1);
	assert_int_equal(name[1], '?');
	metrics_link_name(x, 3, "b");
	metrics_link_host(x, 3, name);
	assert_string_equal(name, "b");
	assert_string_equal(link_band_name(BAND_CRITICAL), "critical");
	assert_string_equal(link_band_name(0), "-");
	assert_string_equal(link_band_name(200), "?");
	metrics_detach(x);
}

static void
test_values(void **state)
{
	(void)state;
	metrics_add(m, M_ANY_STEPS, 3);
	metrics_add(m, M_ANY_STEPS, 4);
	metrics_set(m, M_RISKD_PNL_DAY, -5000000);
	assert_int_equal(metrics_value(m, M_ANY_STEPS), 7);
	assert_int_equal(metrics_value(m, M_RISKD_PNL_DAY), -5000000);
	metrics_reason(m, REASON_FULL, 2);
	metrics_reason(m, REASON_FULL, 1);
	assert_int_equal(m->reason[REASON_FULL], 3);
}

static void
test_buckets(void **state)
{
	uint64_t prev = 0;

	(void)state;
	for (uint64_t v = 0; v < 8; v++) {
		assert_int_equal(hist_bucket(v), v);
		assert_int_equal(hist_upper((uint32_t)v), v);
	}
	for (uint32_t b = 1; b < HIST_BUCKETS; b++) {
		uint64_t up = hist_upper(b);

		assert_true(up > prev);
		assert_int_equal(hist_bucket(up), b);
		assert_int_equal(hist_bucket(prev + 1), b);
		/* at most one eighth wide */
		assert_true(b < 8 || (up - prev) * 8 <= prev + 1);
		prev = up;
	}
	assert_true(prev >= UINT64_C(1) << 40);
	assert_int_equal(hist_bucket(UINT64_MAX), HIST_BUCKETS - 1);
}

static void
test_quantiles(void **state)
{
	(void)state;
	assert_int_equal(metrics_quantile(m, M_ANY_HOP_NS, 500), 0);
	for (uint64_t v = 1; v <= 10000; v++)
		metrics_observe(m, M_ANY_HOP_NS, v);
	assert_int_equal(metrics_value(m, M_ANY_HOP_NS), 10000);
	assert_int_equal(m->metric[M_ANY_HOP_NS].sum, 50005000);
	assert_int_equal(m->metric[M_ANY_HOP_NS].max, 10000);
	assert_in_range(metrics_quantile(m, M_ANY_HOP_NS, 500), 5000, 5630);
	assert_in_range(metrics_quantile(m, M_ANY_HOP_NS, 990), 9900, 10000);
	assert_int_equal(metrics_quantile(m, M_ANY_HOP_NS, 1000), 10000);
	assert_int_equal(metrics_quantile(m, M_ANY_HOP_NS, 0), 1);
	/* The other histogram is untouched. */
	assert_int_equal(metrics_quantile(m, M_ANY_STEP_NS, 500), 0);
	assert_int_equal(metrics_quantile(m, M_ANY_STEPS, 500), 0);
}

static void
test_attach(void **state)
{
	struct metrics *x;

	(void)state;
	assert_int_equal(
	    metrics_attach(&x, dir.fd, ST_FEEDD_BN, false, &err), 0);
	assert_string_equal(x->metric[M_FEEDD_TICKS].label, "ticks");
	assert_int_equal(x->metric[M_RISKD_FEES].kind, 0);
	metrics_detach(x);
	assert_int_equal(unlinkat(dir.fd, "metrics.feedd.binance", 0), 0);
	assert_int_equal(
	    metrics_attach(&x, dir.fd, ST_FEEDD_BN, false, &err), -ENOENT);
}

static void
test_contracts(void **state)
{
	(void)state;
	assert_check_fails(metrics_observe(m, M_ANY_STEPS, 1));
	assert_check_fails(metrics_reason(m, REASON_N, 1));
	assert_check_fails(metrics_value(m, M_N));
	assert_check_fails(metrics_quantile(m, M_ANY_HOP_NS, 1001));
	assert_check_fails(hist_upper(HIST_BUCKETS));
	assert_check_fails(metrics_create(dir.fd, ST_N, 1, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(test_labels),
	    T(test_links),
	    T(test_values),
	    T(test_buckets),
	    T(test_quantiles),
	    T(test_attach),
	    T(test_contracts),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
