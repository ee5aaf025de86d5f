/* links: supervisor libsys libshm libcore */
#define _GNU_SOURCE
#define FAKESUP_MODE "paper"
#include "tests/pipeline/fakesup.h"

#include "libshm/metrics.h"
#include "libshm/slots.h"
#include "supervisor/lives_io.h"

/* ---- helpers ---- */

static uint64_t
life_of(enum stage_id id)
{
	return atomic_load(&ctl->stage[id].own.epoch);
}

static bool
frozen(uint64_t bits)
{
	return (atomic_load(&ctl->freeze[FW_SUPERVISOR].mask) & bits) == bits;
}

/* ---- the tests ---- */

static void
start_status_stop(void **unused)
{
	struct err e;

	(void)unused;
	expect(SUP("status"), SUP_NOT_RUNNING);
	expect(SUP("start", "all"), SUP_OK);
	attach();
	for (int i = 0; i < ST_N; i++)
		assert_int_equal(
		    atomic_load(&ctl->stage[i].own.state), STAGE_READY);
	expect(SUP("status"), SUP_OK);
	assert_non_null(strstr(text, "feedd.hyperliquid"));
	expect(SUP("start", "all"), SUP_OK);
	expect(SUP("logs", "quoted"), SUP_OK);
	assert_non_null(strstr(text, "stage_start"));
	detach();
	expect(SUP("stop"), SUP_OK);
	assert_non_null(strstr(text, "stopped 8 stages"));
	assert_int_equal(instance_open(&inst, "main", &e), -ENOENT);
	expect(SUP("stop"), SUP_NOT_RUNNING);
}

static void
one_stage_stops_and_starts(void **unused)
{
	(void)unused;
	expect(SUP("start", "all"), SUP_OK);
	attach();
	expect(SUP("stop", "quoted"), SUP_OK);
	assert_int_equal(
	    atomic_load(&ctl->stage[ST_QUOTED].own.state), STAGE_DEAD);
	expect(SUP("status"), SUP_OK);
	expect(SUP("start", "quoted"), SUP_OK);
	assert_int_equal(
	    atomic_load(&ctl->stage[ST_QUOTED].own.state), STAGE_READY);
	expect(SUP("restart", "feedd"), SUP_OK);
	assert_int_equal(life_of(ST_FEEDD_BN), life_of(ST_RISKD) + 1);
	expect(SUP("stop", "nobody"), SUP_USAGE);
	detach();
	expect(SUP("stop"), SUP_OK);
}

static void
killed_is_restarted(void **unused)
{
	uint64_t pid;

	(void)unused;
	expect(SUP("start", "all"), SUP_OK);
	attach();
	pid = pid_of(ST_EXECD_PM);
	kill((pid_t)pid, SIGKILL);
	UNTIL(ready_as_other(ST_EXECD_PM, pid));
	UNTIL(atomic_load(&ctl->stage[ST_EXECD_PM].sup.restarts) == 1);
	assert_int_equal(
	    atomic_load(&ctl->stage[ST_EXECD_PM].sup.last_exit), SIGKILL);
	UNTIL(atomic_load(&ctl->stage[ST_EXECD_PM].sup.down_ns) > 0);
	detach();
	expect(SUP("stop"), SUP_OK);
}

static void
hung_is_aborted_then_killed(void **unused)
{
	uint64_t pid;

	(void)unused;
	expect(SUP("start", "all"), SUP_OK);
	attach();
	pid = pid_of(ST_RISKD);
	tell("riskd", "hang");
	UNTIL(atomic_load(&ctl->stage[ST_RISKD].sup.last_exit) == SIGABRT);
	tell("riskd", "");
	UNTIL(ready_as_other(ST_RISKD, pid));
	/* A stopped process takes no SIGABRT: SIGKILL must follow. */
	pid = pid_of(ST_RISKD);
	kill((pid_t)pid, SIGSTOP);
	UNTIL(ready_as_other(ST_RISKD, pid));
	assert_int_equal(
	    atomic_load(&ctl->stage[ST_RISKD].sup.last_exit), SIGKILL);
	detach();
	expect(SUP("stop"), SUP_OK);
}

static void
crash_loop_parks_and_freezes(void **unused)
{
	uint64_t pid;

	(void)unused;
	expect(SUP("start", "all"), SUP_OK);
	attach();
	tell("quoted", "die");
	UNTIL(atomic_load(&ctl->stage[ST_QUOTED].own.state) == STAGE_PARKED);
	UNTIL(frozen(FREEZE_CRASH_LOOP));
	expect(SUP("status"), SUP_DEGRADED);
	assert_non_null(strstr(text, "PARKED"));
	assert_non_null(strstr(text, "crash_loop"));
	detach();
	/* It outlives everything ... */
	expect(SUP("stop"), SUP_OK);
	tell("quoted", "");
	expect(SUP("start", "all"), SUP_OK);
	attach();
	assert_true(frozen(FREEZE_CRASH_LOOP));
	/* ... but not a person with a reason. */
	expect(SUP("thaw"), SUP_USAGE);
	assert_true(frozen(FREEZE_CRASH_LOOP));
	pid = atomic_load(&ctl->sup.thaw_epoch);
	expect(SUP("thaw", "--reason", "fixed"), SUP_OK);
	assert_false(frozen(FREEZE_CRASH_LOOP));
	assert_int_equal(atomic_load(&ctl->sup.thaw_epoch), pid + 1);
	detach();
	expect(SUP("stop"), SUP_OK);
	expect(SUP("start", "all"), SUP_OK);
	attach();
	assert_false(frozen(FREEZE_CRASH_LOOP));
	detach();
	expect(SUP("stop"), SUP_OK);
}

static void
poisoned_message_is_quarantined(void **unused)
{
	const struct ctl_stage *st;

	(void)unused;
	expect(SUP("start", "all"), SUP_OK);
	attach();
	st = &ctl->stage[ST_EXECD_HL];
	tell("execd.hyperliquid", "poison");
	UNTIL(atomic_load(&st->own.state) == STAGE_PARKED);
	assert_int_equal(atomic_load(&st->sup.quarantine_ring), 3);
	assert_int_equal(atomic_load(&st->sup.quarantine_seq), 42);
	UNTIL(frozen(FREEZE_CRASH_LOOP));
	/* The next life skips it. */
	expect(SUP("start", "execd.hyperliquid"), SUP_OK);
	expect(SUP("thaw", "--reason", "seen"), SUP_OK);
	tell("execd.hyperliquid", "");
	detach();
	expect(SUP("stop"), SUP_OK);
}

static void
dead_supervisor_is_replaced(void **unused)
{
	uint64_t pid[ST_N];
	uint64_t boss;

	(void)unused;
	expect(SUP("start", "all"), SUP_OK);
	attach();
	boss = atomic_load(&ctl->sup.pid);
	for (int i = 0; i < ST_N; i++)
		pid[i] = pid_of((enum stage_id)i);
	kill((pid_t)boss, SIGKILL);
	UNTIL(ctl_supervisor_dead(ctl, clock_mono_ns(), UINT64_C(500000000)));
	expect(SUP("status"), SUP_DEGRADED);
	assert_non_null(strstr(text, "DEAD"));
	/* A person can freeze with nobody there, and it lasts. */
	expect(SUP("freeze", "fire", "alarm"), SUP_OK);
	assert_true(frozen(FREEZE_MANUAL));
	expect(SUP("start", "all"), SUP_OK);
	assert_true(atomic_load(&ctl->sup.pid) != boss);
	for (int i = 0; i < ST_N; i++)
		assert_int_equal(pid_of((enum stage_id)i), pid[i]);
	assert_true(frozen(FREEZE_MANUAL));
	expect(SUP("thaw", "--reason", "over"), SUP_OK);
	assert_false(frozen(FREEZE_MANUAL));
	/* Adopted stages are restarted like others. */
	kill((pid_t)pid[ST_QUOTED], SIGKILL);
	UNTIL(ready_as_other(ST_QUOTED, pid[ST_QUOTED]));
	detach();
	expect(SUP("stop"), SUP_OK);
}

static void
dead_supervisor_stops_in_order(void **unused)
{
	struct err e;
	pid_t boss;

	(void)unused;
	for (int i = 0; i < 3; i++) {
		expect(SUP("start", "all"), SUP_OK);
		attach();
		boss = (pid_t)atomic_load(&ctl->sup.pid);
		kill(boss, SIGKILL);
		UNTIL(!is_running(boss));
		detach();
		expect(SUP("stop"), SUP_OK);
		assert_non_null(strstr(text, "stopped 8 stages"));
		assert_int_equal(instance_open(&inst, "main", &e), -ENOENT);
	}
}

static void
frozen_while_it_hangs(void **unused)
{
	pid_t boss;

	(void)unused;
	expect(SUP("start", "all"), SUP_OK);
	attach();
	boss = (pid_t)atomic_load(&ctl->sup.pid);
	kill(boss, SIGSTOP);
	expect(SUP("freeze", "now"), SUP_OK);
	assert_true(frozen(FREEZE_MANUAL));
	kill(boss, SIGCONT);
	expect(SUP("thaw", "--reason", "over"), SUP_OK);
	detach();
	expect(SUP("stop"), SUP_OK);
}

static void
not_ready_says_which_and_why(void **unused)
{
	(void)unused;
	tell("riskd", "never");
	expect(SUP("start", "all"), SUP_RETRY);
	assert_non_null(strstr(text, "not ready: riskd"));
	assert_non_null(strstr(text, "00:00:00.000 info  riskd"));
	assert_null(strstr(text, "\"ev\""));
	expect(SUP("status"), SUP_DEGRADED);
	tell("riskd", "");
	expect(SUP("stop"), SUP_OK);
	tell("recorderd", "permanent");
	expect(SUP("start", "all"), SUP_PERMANENT);
	assert_non_null(strstr(text, "not ready: recorderd"));
	assert_non_null(strstr(text, "exit code 100"));
	tell("recorderd", "");
	expect(SUP("start", "recorderd"), SUP_OK);
	expect(SUP("stop"), SUP_OK);
	/* What never worked did not freeze trading. */
	expect(SUP("start", "all"), SUP_OK);
	attach();
	assert_int_equal(atomic_load(&ctl->freeze[FW_SUPERVISOR].mask), 0);
	detach();
	expect(SUP("stop"), SUP_OK);
}

static void
stubborn_is_killed_and_said(void **unused)
{
	(void)unused;
	expect(SUP("start", "recorderd"), SUP_OK);
	tell("recorderd", "stubborn");
	expect(SUP("stop"), SUP_DEGRADED);
	assert_non_null(strstr(text, "had to be killed"));
	tell("recorderd", "");
}

static void
reload_all_or_nothing(void **unused)
{
	uint64_t epoch;
	uint64_t life;

	(void)unused;
	expect(SUP("start", "all"), SUP_OK);
	attach();
	epoch = atomic_load(&ctl->stage[ST_QUOTED].own.cfg_epoch);
	write_config("mm:\n  max_spread: 7\n");
	expect(SUP("reload"), SUP_CONFIG);
	assert_non_null(strstr(text, "max_spread"));
	expect(SUP("--set", "mm.max_spread=0.06", "reload"), SUP_USAGE);
	assert_non_null(strstr(text, "configuration file"));
	write_config("mm:\n  max_spread: 0.05\n");
	expect(SUP("reload"), SUP_OK);
	assert_non_null(strstr(text, "mm.max_spread"));
	assert_int_equal(
	    atomic_load(&ctl->stage[ST_QUOTED].own.cfg_epoch), epoch + 1);
	write_config("mm:\n  max_spread: 0.05\nsystem:\n  pin: false\n");
	expect(SUP("reload"), SUP_CONFIG);
	assert_non_null(strstr(text, "system.pin"));
	life = life_of(ST_QUOTED);
	expect(SUP("reload", "--restart"), SUP_OK);
	assert_int_equal(life_of(ST_QUOTED), life + 1);
	write_config("");
	detach();
	expect(SUP("stop"), SUP_OK);
}

/* A number of a life is never given again, however the last run ended. */
static void
lives_are_never_repeated(void **unused)
{
	uint64_t last = 0;
	uint64_t kept;
	struct err e;
	char dir[128];

	(void)unused;
	snprintf(dir, sizeof(dir), "%s/state/ringmaker/main", root);
	for (int run = 0; run < 4; run++) {
		expect(SUP("start", "all"), SUP_OK);
		attach();
		for (int i = 0; i < ST_N; i++)
			assert_true(life_of((enum stage_id)i) > last);
		expect(SUP("restart", "riskd"), SUP_OK);
		last = life_of(ST_RISKD);
		assert_int_equal(lives_load(dir, &kept, &e), 0);
		assert_true(kept >= last);
		if (run % 2 == 0)
			kill_everything();
		detach();
		if (run % 2 != 0)
			expect(SUP("stop"), SUP_OK);
	}
	/* The first life past what is reserved reserves more, first. */
	expect(SUP("start", "all"), SUP_OK);
	attach();
	assert_int_equal(lives_load(dir, &kept, &e), 0);
	atomic_store(&ctl->stage[ST_RISKD].own.epoch, kept);
	expect(SUP("restart", "riskd"), SUP_OK);
	assert_int_equal(life_of(ST_RISKD), kept + 1);
	assert_int_equal(lives_load(dir, &last, &e), 0);
	assert_int_equal(last, kept + LIVES_BLOCK);
	detach();
	expect(SUP("stop"), SUP_OK);
}

static bool
is_there(void)
{
	struct instance in;
	struct err e;

	if (instance_open(&in, "main", &e) < 0)
		return false;
	instance_close(&in);
	return true;
}

static void
run_and_kill_everything(void)
{
	expect(SUP("start", "all"), SUP_OK);
	attach();
	kill_everything();
	detach();
	assert_true(is_there());
}

/* After kill -9 of everything each command finds its way. */
static void
dead_instance_is_no_dead_end(void **unused)
{
	(void)unused;
	run_and_kill_everything();
	expect(SUP("status"), SUP_NOT_RUNNING);
	assert_non_null(strstr(text, "nothing of it runs"));
	expect(SUP("stop", "quoted"), SUP_NOT_RUNNING);
	assert_true(is_there());
	expect(SUP("stop"), SUP_OK);
	assert_non_null(strstr(text, "were dead already: removed"));
	assert_false(is_there());
	expect(SUP("stop"), SUP_NOT_RUNNING);
	run_and_kill_everything();
	expect(SUP("restart"), SUP_OK);
	expect(SUP("status"), SUP_OK);
	attach();
	kill_everything();
	detach();
	expect(SUP("start", "all"), SUP_OK);
	/* Stages without a supervisor are taken over by restart, too. */
	attach();
	kill((pid_t)atomic_load(&ctl->sup.pid), SIGKILL);
	UNTIL(!is_running((pid_t)atomic_load(&ctl->sup.pid)));
	detach();
	expect(SUP("restart", "quoted"), SUP_OK);
	expect(SUP("stop"), SUP_OK);
	assert_non_null(strstr(text, "stopped 8 stages"));
}

static void
kept_memory_is_said_and_removed(void **unused)
{
	(void)unused;
	expect(SUP("start", "all"), SUP_OK);
	expect(SUP("stop", "--keep"), SUP_OK);
	assert_true(is_there());
	expect(SUP("status"), SUP_NOT_RUNNING);
	assert_null(strstr(text, "DEAD"));
	assert_non_null(strstr(text, "stopped; supervisor stop removes"));
	expect(SUP("stop"), SUP_OK);
	assert_non_null(strstr(text, "removed"));
	assert_false(is_there());
	expect(SUP("start", "all"), SUP_OK);
	expect(SUP("stop", "--keep"), SUP_OK);
	expect(SUP("start", "all"), SUP_OK);
	expect(SUP("stop"), SUP_OK);
}

/* Status is 0 only when every venue may trade and nothing was lost. */
static void
status_tells_what_is_wrong(void **unused)
{
	struct metrics *m;
	struct err e;

	(void)unused;
	expect(SUP("start", "all"), SUP_OK);
	attach();
	expect(SUP("status"), SUP_OK);
	ctl_freeze_set(ctl, FW_EXECD_HL, FREEZE_CLOCK, true, clock_mono_ns());
	expect(SUP("status"), SUP_DEGRADED);
	assert_non_null(strstr(text, "hyperliquid FROZEN clock"));
	ctl_freeze_set(ctl, FW_EXECD_HL, FREEZE_CLOCK, false, clock_mono_ns());
	expect(SUP("status"), SUP_OK);
	/* A stale feed is named, with its connection. */
	assert_int_equal(
	    metrics_attach(&m, inst.dirfd, ST_FEEDD_PM, true, &e), 0);
	metrics_link_name(m, 0, "host:443");
	metrics_link_set(m, 0, LF_STATE, LINK_STALE);
	metrics_link_set(m, 0, LF_SINCE_NS, (int64_t)clock_mono_ns());
	metrics_detach(m);
	ctl_freeze_set(
	    ctl, FW_EXECD_PM, FREEZE_FEED_STALE, true, clock_mono_ns());
	expect(SUP("status"), SUP_DEGRADED);
	assert_non_null(
	    strstr(text, "polymarket: connection host:443 (market) stale for"));
	ctl_freeze_set(
	    ctl, FW_EXECD_PM, FREEZE_FEED_STALE, false, clock_mono_ns());
	expect(SUP("stop", "riskd"), SUP_OK);
	UNTIL(ctl_gate(ctl, VENUE_POLYMARKET, clock_mono_ns()) != 0);
	expect(SUP("status"), SUP_DEGRADED);
	assert_non_null(strstr(text, "FROZEN riskd_dead"));
	expect(SUP("start", "riskd"), SUP_OK);
	assert_int_equal(
	    metrics_attach(&m, inst.dirfd, ST_RECORDERD, true, &e), 0);
	metrics_set(m, M_RECORDERD_LOST, 3);
	metrics_detach(m);
	expect(SUP("status"), SUP_DEGRADED);
	assert_non_null(strstr(text, "LOST 3 records"));
	detach();
	expect(SUP("stop"), SUP_DEGRADED);
	assert_non_null(strstr(text, "LOST 3 records"));
}

static void
says_what_was_meant(void **unused)
{
	(void)unused;
	expect(SUP("-i", "nobody", "logs"), SUP_NOT_RUNNING);
	assert_non_null(strstr(text, "no such log of instance nobody"));
	expect(SUP("config", "mm.max_spred"), SUP_USAGE);
	assert_non_null(strstr(text, "did you mean mm.max_spread?"));
	expect(SUP("config", "recoder"), SUP_USAGE);
	assert_non_null(strstr(text, "did you mean recorder?"));
	expect(SUP("config", "entirely.other"), SUP_USAGE);
	assert_non_null(strstr(text, "lists them"));
}

int
main(int argc, char **argv)
{
	int rc = fakesup_main(argc, argv);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(start_status_stop),
	    cmocka_unit_test(one_stage_stops_and_starts),
	    cmocka_unit_test(killed_is_restarted),
	    cmocka_unit_test(hung_is_aborted_then_killed),
	    cmocka_unit_test(crash_loop_parks_and_freezes),
	    cmocka_unit_test(poisoned_message_is_quarantined),
	    cmocka_unit_test(dead_supervisor_is_replaced),
	    cmocka_unit_test(dead_supervisor_stops_in_order),
	    cmocka_unit_test(frozen_while_it_hangs),
	    cmocka_unit_test(not_ready_says_which_and_why),
	    cmocka_unit_test(stubborn_is_killed_and_said),
	    cmocka_unit_test(reload_all_or_nothing),
	    cmocka_unit_test(status_tells_what_is_wrong),
	    cmocka_unit_test(says_what_was_meant),
	    cmocka_unit_test(lives_are_never_repeated),
	    cmocka_unit_test(dead_instance_is_no_dead_end),
	    cmocka_unit_test(kept_memory_is_said_and_removed),
	};

	if (rc >= 0)
		return rc;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
