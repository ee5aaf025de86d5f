/* links: backtest recorderd simvenue feedd quoted riskd execd libvenue libsys libshm libcore */
/*
 * The shipped captures through a whole backtest: the same twice, to the byte;
 * another with another seed where something is drawn; the ledger, which knows
 * messages alone, agrees with riskd.
 */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backtest/run.h"
#include "backtest/sweep.h"

#define SHIPPED "simvenue/captures/"

static struct opts o;
static struct cfg cfg;

static int
setup(void **state)
{
	(void)state;
	o = (struct opts){.path = {SHIPPED "polymarket_btc_15m.jsonl.gz",
			      SHIPPED "binance_spot_btcusdt_200s.gz",
			      SHIPPED "hyperliquid_btc.jsonl.gz"},
	    .path_n = 3,
	    .config = {"etc/sim.yaml"},
	    .config_n = 1,
	    .seed = 1,
	    .bar_ns = (uint64_t)NS_PER_S};
	return opts_cfg(&o, NULL, 0, &cfg);
}

/* The result as it is written, and its length. */
static char *
result(struct run *r, size_t *n)
{
	const struct run_args a = {.o = &o, .cfg = &cfg};
	char *text = NULL;
	FILE *f = open_memstream(&text, n);

	assert_int_equal(run_once(r, &a), 0);
	out_json(f, r, &a, true);
	fclose(f);
	run_free(r);
	return text;
}

static void
the_same_to_the_byte(void **state)
{
	struct run a;
	struct run b;
	size_t an, bn;
	char *at = result(&a, &an);
	char *bt = result(&b, &bn);

	(void)state;
	assert_true(a.n.orders > 20);
	assert_true(a.n.fills > 2);
	assert_true(a.hash == b.hash);
	assert_int_equal(an, bn);
	assert_memory_equal(at, bt, an);
	free(at);
	free(bt);
}

static void
the_ledger_agrees_with_riskd(void **state)
{
	const struct run_args a = {.o = &o, .cfg = &cfg};
	struct run r;
	int64_t apart;

	(void)state;
	assert_int_equal(run_once(&r, &a), 0);
	assert_true(r.ledger->all.fills == r.n.fills);
	/* Rounded down in more places. */
	apart = r.risk_pnl.e6 - ledger_pnl(r.ledger).e6;
	assert_in_range(apart + 16, 0, 32);
	assert_true(r.figures.v[FIG_fills_n] == (double)r.n.fills);
	run_free(&r);
}

static void
latencies_change_it_and_seeds_too(void **state)
{
	struct run base, late, same, other;
	size_t n;

	(void)state;
	free(result(&base, &n));
	o.feed = "5ms";
	o.order = "30ms~10ms";
	o.response = "20ms~5ms";
	free(result(&late, &n));
	free(result(&same, &n));
	assert_true(base.hash != late.hash);
	assert_true(late.hash == same.hash);
	o.seed = 2;
	free(result(&other, &n));
	assert_true(late.hash != other.hash);
	assert_true(late.n.orders > 0);
	o.order = "recorded";
	free(result(&other, &n));
	assert_true(other.n.orders > 0);
}

static void
only_the_time_that_is_asked_for(void **state)
{
	struct run_args a = {.o = &o, .cfg = &cfg};
	struct run all, part;

	(void)state;
	assert_int_equal(run_once(&all, &a), 0);
	a.from_ns = (int64_t)all.ledger->start_ns + 60 * NS_PER_S;
	a.to_ns = a.from_ns + 60 * NS_PER_S;
	assert_int_equal(run_once(&part, &a), 0);
	assert_true((int64_t)part.ledger->start_ns >= a.from_ns);
	assert_true((int64_t)part.ledger->now_ns <= a.to_ns + NS_PER_S);
	assert_true(part.events < all.events / 2);
	/* It knows the markets and their books from the first moment. */
	assert_true(part.n.orders > 5);
	run_free(&all);
	run_free(&part);
	a.from_ns = 1;
	a.to_ns = 2;
	assert_int_equal(run_once(&part, &a), EXIT_DATA);
	assert_true(part.why[0] != '\0');
	run_free(&part);
}

static void
what_cannot_be_read_is_said(void **state)
{
	const struct run_args a = {.o = &o, .cfg = &cfg};
	struct run r;

	(void)state;
	o.path[1] = "no/such/file";
	assert_int_equal(run_once(&r, &a), EXIT_DATA);
	assert_non_null(strstr(r.why, "no/such/file"));
	run_free(&r);
	setup(state);
	o.order = "soon";
	assert_int_equal(run_once(&r, &a), EXIT_USAGE);
	run_free(&r);
}

static void
a_result_is_read_back(void **state)
{
	struct figures back;
	struct run r;
	size_t n;
	char *text = result(&r, &n);

	(void)state;
	assert_true(figures_read(text, n, &back));
	for (unsigned i = 0; i < FIG_N; i++) {
		double want = r.figures.v[i];

		if (!isfinite(want))
			assert_false(isfinite(back.v[i]));
		else if (fabs(back.v[i] - want) > fabs(want) * 1e-9)
			fail_msg("%s", figure_name(i));
	}
	assert_false(figures_read("{}", 2, &back));
	assert_false(figures_read(text, n / 2, &back));
	free(text);
}

static void
times_of_people(void **state)
{
	int64_t ns;

	(void)state;
	assert_true(opts_time("2026-04-29T02:10:00", &ns));
	assert_true(ns == INT64_C(1777428600) * NS_PER_S);
	assert_true(opts_time("2024-02-29", &ns));
	assert_true(ns == INT64_C(1709164800) * NS_PER_S);
	assert_true(opts_time("1709164800", &ns));
	assert_true(ns == INT64_C(1709164800) * NS_PER_S);
	assert_true(opts_time("2024-02-29T23:59Z", &ns));
	assert_false(opts_time("2024-13-01", &ns));
	assert_false(opts_time("yesterday", &ns));
	assert_false(opts_time("2024-02-29T24:00", &ns));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(the_same_to_the_byte, setup),
	    cmocka_unit_test_setup(the_ledger_agrees_with_riskd, setup),
	    cmocka_unit_test_setup(latencies_change_it_and_seeds_too, setup),
	    cmocka_unit_test_setup(only_the_time_that_is_asked_for, setup),
	    cmocka_unit_test_setup(what_cannot_be_read_is_said, setup),
	    cmocka_unit_test_setup(a_result_is_read_back, setup),
	    cmocka_unit_test_setup(times_of_people, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
