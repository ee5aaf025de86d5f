/* links: recorderd libsys libshm libcore */
/*
 * What `make start` runs, from recordings to Parquet files and back: nothing
 * that simvenue sent is missing or refused, every book hash is right, orders
 * are quoted and filled, and the files alone give riskd's profit and loss.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/types.h"
#include "tests/pipeline/ledger.h"
#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"

#define PLAY_MS 90000
#define STOPS	4
#define SPARE	8
#define JUMPS	22 /* of the trade numbers in the recorded session */

static struct rig rig;
static struct ledger ledger;

static int
setup(void **state)
{
	(void)state;
	rig_init(&rig, "capture");
	rig_quick(&rig);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rig_free(&rig);
	return 0;
}

/* Rings that lost something are named. */
static void
check_rings(void)
{
	for (int i = 0; i < RG_N; i++) {
		struct ring ring;
		struct err e;
		uint64_t dropped;

		if (ring_attach(&ring, rig.in.dirfd, &topo_rings[i],
			RING_OBSERVER, &e) < 0)
			fail_msg("%s", e.text);
		dropped = atomic_load(&ring.shm->prod.dropped);
		if (dropped != 0)
			fail_msg("%s lost %llu messages", topo_rings[i].name,
			    (unsigned long long)dropped);
		ring_detach(&ring);
	}
	for (int i = 0; i < ST_N; i++) {
		enum stage_id st = (enum stage_id)i;

		assert_int_equal(rig_metric(&rig, st, M_ANY_OUT_DROPPED), 0);
		assert_int_equal(rig_metric(&rig, st, M_ANY_TAP_DROPPED), 0);
		if (atomic_load(&rig.ctl->stage[i].sup.restarts) != 0) {
			rig_logs(&rig);
			fail_msg("%s was restarted", topo_stages[i].name);
		}
	}
	assert_int_equal(rig_metric(&rig, ST_RECORDERD, M_RECORDERD_GAPS), 0);
	assert_int_equal(rig_metric(&rig, ST_RECORDERD, M_RECORDERD_LOST), 0);
	assert_int_equal(
	    rig_metric(&rig, ST_RECORDERD, M_RECORDERD_DISK_ERRORS), 0);
}

/*
 * Every message that was sent came in and was taken apart. In good
 * recordings nothing is refused; only a coin of the configuration that they
 * lack is said to be unknown, and trades that they lack make gaps.
 */
static void
check_feed(enum stage_id st, enum venue venue, const char *sent, uint64_t jumps)
{
	char name[48];

	snprintf(name, sizeof(name), "\"venue\":\"%s\"", venue_name(venue));
	assert_int_equal(rig_json(sent, name, "dropped"), 0);
	assert_int_equal(rig_metric(&rig, st, M_FEEDD_FRAMES),
	    rig_json(sent, name, "sent_msgs"));
	assert_int_equal(rig_metric(&rig, st, M_FEEDD_DECODE_NS),
	    rig_metric(&rig, st, M_FEEDD_FRAMES));
	for (int i = 1; i < REASON_N; i++) {
		uint64_t n = atomic_load(&rig.metrics[st]->reason[i]);
		uint64_t may = i == REASON_UNKNOWN_ASSET ? 1
			       : i == REASON_SEQ_GAP	 ? jumps
							 : 0;

		/* The venue ends with its recording: what becomes of
		 * connections after that is no matter of messages. */
		if (i >= REASON_DNS && i <= REASON_BAD_FRAME)
			continue;
		if (n > may)
			fail_msg("%s: %llu refused as %s", venue_name(venue),
			    (unsigned long long)n, reason_name((enum reason)i));
	}
	assert_true(rig_metric(&rig, st, M_FEEDD_TICKS) > 0);
}

/* The fills in the files against the books of execd and riskd. */
static void
check_fills(void)
{
	int64_t fills = rig_metric(&rig, ST_RISKD, M_RISKD_FILLS);

	ledger_load(&ledger, rig_path(&rig, "cap"));
	assert_int_equal(ledger.repeats, 0);
	assert_int_equal(ledger.fill_n, fills);
	assert_int_equal(rig_metric(&rig, ST_RISKD, M_RISKD_FILL_DUPS), 0);
	assert_int_equal(rig_metric(&rig, ST_EXECD_PM, M_EXECD_FILLS) +
			     rig_metric(&rig, ST_EXECD_HL, M_EXECD_FILLS),
	    fills);
	assert_int_equal(rig_metric(&rig, ST_RISKD, M_RISKD_PNL_REALISED),
	    ledger_realised_e6(&ledger));
	ledger_check_told(&ledger);
}

/* And the profit and loss, when the last prices are those that riskd saw. */
static void
check_ledger(bool traded)
{
	int64_t pnl = rig_metric(&rig, ST_RISKD, M_RISKD_PNL_DAY);

	check_fills();
	print_message("%u fills, %u told positions, P&L %lld.%06lld\n",
	    ledger.fill_n, ledger.told_n, (long long)(pnl / E6),
	    (long long)(ledger_abs(pnl) % E6));
	assert_int_equal(pnl, ledger_pnl_e6(&ledger));
	/* Without average costs: equal but for what was rounded. */
	assert_true(ledger_abs(pnl - ledger_cash_e6(&ledger)) <= SPARE);
	if (traded) {
		assert_true(ledger.fill_n > 0);
		assert_true(rig_orders(&rig) > ledger.fill_n);
	}
}

static void
play(const char *const *options, bool traded)
{
	char sent[4096];

	if (!rig_venue(&rig, options))
		fail_msg("%s", rig.out);
	RIG_EXPECT(&rig, rig_sup(&rig, "start", "all", NULL), 0);
	assert_true(rig_attach(&rig));
	RIG_EXPECT(&rig, rig_venue_end(&rig, PLAY_MS), 0);
	snprintf(sent, sizeof(sent), "%s", strstr(rig.out, "\"ev\":\"end\""));
	RIG_EXPECT(
	    &rig, rig_sup(&rig, "--json", "--keep", "stop", "all", NULL), 0);
	assert_non_null(strstr(rig.out, "\"flat\":true"));
	assert_int_equal(rig_json(rig.out, "figures", "pnl_day_e6"),
	    rig_metric(&rig, ST_RISKD, M_RISKD_PNL_DAY));
	assert_int_equal(rig_json(rig.out, "figures", "fills"),
	    rig_metric(&rig, ST_RISKD, M_RISKD_FILLS));
	assert_int_equal(rig_json(rig.out, "\"code\"", "killed"), 0);
	check_feed(ST_FEEDD_PM, VENUE_POLYMARKET, sent, 0);
	check_feed(ST_FEEDD_BN, VENUE_BINANCE, sent, traded ? 0 : JUMPS);
	if (traded)
		check_feed(ST_FEEDD_HL, VENUE_HYPERLIQUID, sent, 0);
	check_rings();
	assert_int_equal(rig_metric(&rig, ST_FEEDD_PM, M_FEEDD_HASH_BAD), 0);
	assert_true(rig_metric(&rig, ST_FEEDD_PM, M_FEEDD_HASH_OK) > 0);
	print_message("%lld book hashes verified, %lld orders\n",
	    (long long)rig_metric(&rig, ST_FEEDD_PM, M_FEEDD_HASH_OK),
	    (long long)rig_orders(&rig));
	check_ledger(traded);
}

static void
shipped_set_is_traded_and_recorded_exactly(void **state)
{
	const char *const options[] = {
	    "--capture", "simvenue/captures", "--pace", "20", "--once", NULL};

	(void)state;
	play(options, true);
}

#define CAP "aligned/updown15m_captures/cap_20260429T0210"

static const char *
data(const char *name)
{
	static char path[2][512];
	static unsigned at;
	const char *dir = getenv("RM_DATA");
	char *p = path[at++ % 2];

	snprintf(p, sizeof(path[0]), "%s/%s",
	    dir != NULL ? dir : "../shared/data", name);
	return p;
}

/* Half an hour of markets and of the price they follow, recorded together. */

static void
recorded_session_is_received_whole(void **state)
{
	const char *const options[] = {"--capture", data(CAP ".jsonl.gz"),
	    "--capture", data(CAP ".markets.jsonl"), "--sync", "--pace", "400",
	    "--once", NULL};

	(void)state;
	if (access(options[1], R_OK) != 0) {
		print_message(
		    "skipped: no recordings at %s; set RM_DATA\n", options[1]);
		skip();
	}
	rig_set(&rig, "hyperliquid.enabled=false");
	play(options, false);
}

/* Stopped at any moment: what was filled until the very end is booked. */
static void
stopped_while_it_trades(void **state)
{
	const char *const options[] = {
	    "--capture", "simvenue/captures", "--pace", "40", NULL};

	(void)state;
	for (int i = 0; i < STOPS; i++) {
		if (i > 0) {
			rig_free(&rig);
			setup(state);
		}
		if (!rig_venue(&rig, options))
			fail_msg("%s", rig.out);
		RIG_EXPECT(&rig, rig_sup(&rig, "start", "all", NULL), 0);
		assert_true(rig_attach(&rig));
		RIG_TRADES(&rig);
		RIG_UNTIL(&rig, rig_resting(&rig) > 0);
		RIG_EXPECT(&rig,
		    rig_sup(&rig, "--json", "--keep", "stop", "all", NULL), 0);
		assert_non_null(strstr(rig.out, "\"flat\":true"));
		assert_int_equal(
		    rig_metric(&rig, ST_RISKD, M_RISKD_OPEN_ORDERS), 0);
		check_fills();
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(shipped_set_is_traded_and_recorded_exactly),
	    T(recorded_session_is_received_whole),
	    T(stopped_while_it_trades),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
