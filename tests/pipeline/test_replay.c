/* links: recorderd libsys libshm libcore */
/*
 * A production run that was recorded, from processes to files, is the same
 * when the traces are replayed; a capture of recorderd's is a source of
 * backtests; and a recording that was changed is found out.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"

#define PLAY_MS 90000
#define RUN_MS	120000

static struct rig rig;

static int
setup(void **state)
{
	(void)state;
	rig_init(&rig, "replay");
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

/* backtest with these words, the last NULL; its exit code, what it said in
 * rig.out. */
static int
backtest(const char *const *words)
{
	const char *argv[24] = {"backtest"};
	unsigned n = 1;
	int status;

	for (; *words != NULL && n < 23; words++)
		argv[n++] = *words;
	status = proc_wait(proc_start(argv, rig_path(&rig, "bt.log")), RUN_MS);
	rig_read(&rig, "bt.log");
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
record(const char *const *options)
{
	if (!rig_venue(&rig, options))
		fail_msg("%s", rig.out);
	RIG_EXPECT(&rig, rig_sup(&rig, "start", "all", NULL), 0);
	assert_true(rig_attach(&rig));
}

static void
stop(void)
{
	RIG_EXPECT(
	    &rig, rig_sup(&rig, "--json", "--keep", "stop", "all", NULL), 0);
	assert_int_equal(rig_metric(&rig, ST_QUOTED, M_ANY_TAP_DROPPED), 0);
	assert_int_equal(rig_metric(&rig, ST_RISKD, M_ANY_TAP_DROPPED), 0);
}

static void
expect_equal(void)
{
	char cap[256];
	const char *const words[] = {"replay", "--json", cap, NULL};

	snprintf(cap, sizeof(cap), "%s", rig_path(&rig, "cap"));
	if (backtest(words) != 0) {
		print_message("%s\n", rig.out);
		fail_msg("the replay is not equal");
	}
	print_message("%s", rig.out);
	assert_non_null(strstr(rig.out, "\"equal\":true"));
	assert_true(rig_json(rig.out, "\"quoted\"", "messages") > 10);
	assert_true(rig_json(rig.out, "\"riskd\"", "messages") > 10);
	assert_true(rig_json(rig.out, "\"quoted\"", "hashes") > 0);
	assert_true(rig_json(rig.out, "\"riskd\"", "hashes") > 1);
}

/* The truth report, recomputed; its profit against riskd's, replayed. */
static void
expect_truth(void)
{
	char day[16];
	char cap[256];
	const char *const write[] = {
	    "recorderd", "report", day, "--out", cap, NULL};
	const char *const words[] = {"report", "--json", cap, day, NULL};
	time_t now = time(NULL);
	struct tm tm;

	snprintf(cap, sizeof(cap), "%s", rig_path(&rig, "cap"));
	strftime(day, sizeof(day), "%Y-%m-%d", gmtime_r(&now, &tm));
	assert_int_equal(
	    proc_wait(proc_start(write, rig_path(&rig, "rep.log")), RUN_MS), 0);
	if (backtest(words) != 0)
		fail_msg("%s", rig.out);
	print_message("%.300s\n", rig.out);
	assert_non_null(strstr(rig.out, "{\"same\":true,\"replayed\":true"));
	assert_non_null(strstr(rig.out, "\"explained\":true"));
	assert_int_equal(rig_json(rig.out, "\"replayed\"", "live_pnl_e6"),
	    rig_metric(&rig, ST_RISKD, M_RISKD_PNL_DAY));
}

static void
a_recorded_run_replays_bit_for_bit(void **state)
{
	const char *const options[] = {
	    "--capture", "simvenue/captures", "--pace", "20", "--once", NULL};

	(void)state;
	record(options);
	RIG_EXPECT(&rig, rig_venue_end(&rig, PLAY_MS), 0);
	assert_true(rig_orders(&rig) > 10);
	stop();
	expect_equal();
	expect_truth();
}

/* Settings change, a person freezes and thaws, quoted dies. */
static void
a_run_with_incidents_replays_bit_for_bit(void **state)
{
	const char *const options[] = {
	    "--capture", "simvenue/captures", "--pace", "20", NULL};

	(void)state;
	record(options);
	RIG_TRADES(&rig);
	RIG_EXPECT(&rig, rig_sup(&rig, "freeze", NULL), 0);
	RIG_UNTIL(&rig, rig_resting(&rig) == 0);
	RIG_EXPECT(&rig, rig_sup(&rig, "thaw", "--reason", "test", NULL), 0);
	RIG_TRADES(&rig);
	kill((pid_t)rig_pid(&rig, ST_QUOTED), SIGKILL);
	RIG_TRADES(&rig);
	rig_set(&rig, "perp.spread_bps=3");
	RIG_EXPECT(&rig, rig_sup(&rig, "reload", NULL), 0);
	RIG_TRADES(&rig);
	stop();
	expect_equal();
	assert_true(rig_json(rig.out, "\"quoted\"", "lives") >= 2);
}

/* The same capture is a source of ticks for the strategies. */
static void
a_capture_is_backtested(void **state)
{
	const char *const options[] = {
	    "--capture", "simvenue/captures", "--pace", "20", "--once", NULL};
	char cap[256];
	char out[256];
	const char *const words[] = {"run", "-q", "--json", "-c",
	    "etc/sim.yaml", "--no-page", "-o", out, cap, NULL};
	char first[32];

	(void)state;
	record(options);
	RIG_EXPECT(&rig, rig_venue_end(&rig, PLAY_MS), 0);
	stop();
	snprintf(cap, sizeof(cap), "%s", rig_path(&rig, "cap"));
	snprintf(out, sizeof(out), "%s", rig_path(&rig, "bt"));
	assert_int_equal(backtest(words), 0);
	assert_true(rig_json(rig.out, "\"counts\"", "ticks") > 1000);
	assert_true(rig_json(rig.out, "\"counts\"", "orders") > 10);
	snprintf(first, sizeof(first), "%.30s", strstr(rig.out, "\"hash\":"));
	assert_int_equal(backtest(words), 0);
	assert_non_null(strstr(rig.out, first));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_recorded_run_replays_bit_for_bit),
	    T(a_run_with_incidents_replays_bit_for_bit),
	    T(a_capture_is_backtested),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
