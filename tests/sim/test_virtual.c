/* links: backtest simvenue feedd quoted riskd execd libvenue libsys libshm libcore */
/* The whole pipeline of pure cores on recorded captures, in virtual time. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/sim/world.h"

#define SHIPPED "simvenue/captures/"

static struct cfg cfg;

static int
setup(void **state)
{
	(void)state;
	cfg_defaults(&cfg);
	/* What etc/replay.yaml says: the markets in them
	 * open a day later, and fills are wanted. */
	cfg.capital_usd.e6 = 500 * E6;
	cfg.mm_global_daily_loss_limit.e6 = 100 * E6;
	cfg.mm_inventory_limit_qty.e8 = 25 * E8;
	cfg.perp_spread_bps.e8 = E8;
	cfg.ladder_first_bps.e8 = E8 / 4;
	cfg.hyperliquid_coins.n = 1; /* BTC: no ETH in the captures */
	cfg.updown_max_time_to_expiry.ns = 48 * 3600 * NS_PER_S;
	return 0;
}

static void
run(const char *const *files, struct world_result *r)
{
	char why[256];
	struct world *w = world_new(&cfg, files, why, sizeof(why));

	if (w == NULL)
		fail_msg("%s", why);
	world_run(w, 3 * 3600, r);
	world_free(w);
	print_message("frames %" PRIu64 "/%" PRIu64 "/%" PRIu64
		      ", ticks %" PRIu64 "/%" PRIu64 "/%" PRIu64
		      ", hashes %" PRIu64 " ok %" PRIu64 " bad\n",
	    r->frames[1], r->frames[2], r->frames[3], r->ticks[1], r->ticks[2],
	    r->ticks[3], r->hash_ok, r->hash_bad);
	print_message("intents %" PRIu64 ", passed %" PRIu64 ", orders %" PRIu64
		      ", fills %" PRIu64 ", freezes %" PRIu64
		      ", volume %.2f, P&L %.6f / %.6f\n",
	    r->intents, r->passed, r->orders, r->fills, r->freezes,
	    (double)r->volume_e6 / 1e6, (double)r->pnl_e6 / 1e6,
	    (double)r->replay_e6 / 1e6);
}

static void
check(const char *const *files)
{
	struct world_result a;
	struct world_result b;

	run(files, &a);
	run(files, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(a.hash_bad, 0);
	assert_true(a.hash_ok > 0);
	for (int v = 1; v < VENUE_N; v++) {
		assert_true(a.ticks[v] > 0);
		assert_int_equal(a.received[v], a.served[v]);
		assert_int_equal(a.malformed[v], 0);
	}
	assert_true(a.intents > 0);
	assert_int_equal(a.intents, a.verdicts);
	assert_true(a.orders > 0);
	assert_true(a.fills > 0);
	assert_int_equal(a.pnl_e6, a.replay_e6);
}

static const char *
data(const char *name)
{
	static char path[8][512];
	static unsigned at;
	const char *root = getenv("RM_DATA");
	char *p = path[at++ % 8];

	snprintf(p, sizeof(path[0]), "%s/%s",
	    root != NULL ? root : "../shared/data", name);
	return p;
}

static void
two_runs_of_the_recordings_are_equal(void **state)
{
	const char *const files[] = {
	    data("aligned/updown15m_captures/cap_20260429T0210.markets.jsonl"),
	    data("aligned/updown15m_captures/cap_20260429T0210.jsonl.gz"),
	    data("binance/raw_streams/spot_btcusdt_20240808.gz"),
	    data("hyperliquid/capture_20250903/prices_BTC.csv.gz"),
	    data("hyperliquid/capture_20250903/orderbooks_BTC.csv.gz"),
	    data("hyperliquid/capture_20250903/trades_BTC.csv.gz"),
	    NULL,
	};

	(void)state;
	if (access(files[0], R_OK) != 0) {
		print_message(
		    "skipped: no recordings at %s; set RM_DATA\n", files[0]);
		skip();
	}
	check(files);
}

static void
two_runs_of_the_shipped_captures_are_equal(void **state)
{
	const char *const files[] = {
	    SHIPPED "polymarket_btc_15m.jsonl.gz",
	    SHIPPED "binance_spot_btcusdt_200s.gz",
	    SHIPPED "hyperliquid_btc.jsonl.gz",
	    NULL,
	};

	(void)state;
	check(files);
}

/* UTC is set back by an hour while the pipeline trades. */
static void
T_48_clock_step(void **state)
{
	const char *const files[] = {
	    SHIPPED "polymarket_btc_15m.jsonl.gz",
	    SHIPPED "binance_spot_btcusdt_200s.gz",
	    SHIPPED "hyperliquid_btc.jsonl.gz",
	    NULL,
	};
	struct world_result calm;
	struct world_result r;
	char why[256];
	struct world *w = world_new(&cfg, files, why, sizeof(why));

	(void)state;
	if (w == NULL)
		fail_msg("%s", why);
	run(files, &calm);
	assert_int_equal(calm.clock_ns, 0);
	world_wall_step(w, 30 * (uint64_t)NS_PER_S, -3600 * NS_PER_S);
	world_run(w, 3 * 3600, &r);
	world_free(w);
	/* A link's report ends it, so a little later than settle. */
	assert_true(r.clock_ns >= (uint64_t)cfg.risk_clock_settle.ns);
	assert_true(
	    r.clock_ns < (uint64_t)cfg.risk_clock_settle.ns + 2 * NS_PER_S);
	assert_int_equal(r.clock_orders, 0);
	assert_int_equal(r.days, 0);
	assert_true(r.freezes > calm.freezes);
	assert_int_equal(r.intents, r.verdicts);
	assert_int_equal(r.pnl_e6, r.replay_e6);
	/* And it trades again. */
	assert_true(r.orders > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(
		two_runs_of_the_shipped_captures_are_equal, setup),
	    cmocka_unit_test_setup(T_48_clock_step, setup),
	    cmocka_unit_test_setup(two_runs_of_the_recordings_are_equal, setup),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
