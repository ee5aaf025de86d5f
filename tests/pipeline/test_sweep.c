/* links: supervisor libsys libshm libcore */
/*
 * Orders outlive execd, and keys are execd's alone: what the supervisor does
 * about both, with stages of the test's own kind.
 */
#define _GNU_SOURCE
#define FAKESUP_MODE "sim"
#include "tests/pipeline/fakesup.h"

#define PM_KEY \
	"5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
#define HL_KEY \
	"7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"

/* ---- helpers ---- */

static char got[8192];

/* What stages of a kind ("env", "swept") were given, a line a life. */
static const char *
notes(const char *stage, const char *kind)
{
	char path[256];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/fake/%s.%s", root, stage, kind);
	f = fopen(path, "r");
	if (f != NULL) {
		n = fread(got, 1, sizeof(got) - 1, f);
		fclose(f);
	}
	got[n] = '\0';
	return got;
}

static unsigned
lines(const char *stage, const char *kind)
{
	unsigned n = 0;

	for (const char *p = notes(stage, kind); *p != '\0'; p++)
		n += *p == '\n';
	return n;
}

static int
forget(void **unused)
{
	char cmd[128];

	(void)unused;
	snprintf(cmd, sizeof(cmd), "rm -f %s/fake/*", root);
	unsetenv("POLYMARKET_PRIVATE_KEY");
	unsetenv("HYPERLIQUID_PRIVATE_KEY");
	return system(cmd) == 0 ? 0 : -1;
}

static uint64_t
sweep_of(enum stage_id id)
{
	return atomic_load(&ctl->stage[id].sup.sweep);
}

static bool
is_parked(enum stage_id id)
{
	return atomic_load(&ctl->stage[id].own.state) == STAGE_PARKED;
}

/* ---- sweeps ---- */

static void
T_43_parked_gateway_is_swept_before_it_starts_again(void **unused)
{
	(void)unused;
	expect(SUP("start", "all"), SUP_OK);
	attach();
	tell("execd.polymarket", "die");
	UNTIL(sweep_of(ST_EXECD_PM) == CTL_SWEEP_FLAT);
	assert_true(is_parked(ST_EXECD_PM));
	assert_int_equal(lines("execd.polymarket", "env"), 3);
	assert_int_equal(lines("execd.polymarket", "swept"), 1);
	assert_int_equal(lines("execd.hyperliquid", "swept"), 0);
	expect(SUP("status"), SUP_DEGRADED);
	assert_non_null(strstr(text, "flat"));
	assert_non_null(strstr(text, "crash_loop"));
	expect(SUP("logs", "supervisor", "-n", "100"), SUP_OK);
	assert_non_null(strstr(text, "sweep_flat"));
	tell("execd.polymarket", "");
	expect(SUP("start", "execd.polymarket"), SUP_OK);
	expect(SUP("thaw", "--reason", "test"), SUP_OK);
	detach();
	expect(SUP("stop"), SUP_OK);
	assert_int_equal(lines("execd.polymarket", "swept"), 1);
}

static void
T_43_a_sweep_that_fails_is_said_everywhere(void **unused)
{
	(void)unused;
	tell("execd.hyperliquid.sweep", "rests");
	expect(SUP("start", "all"), SUP_OK);
	attach();
	tell("execd.hyperliquid", "die");
	UNTIL(sweep_of(ST_EXECD_HL) == CTL_SWEEP_FAILED);
	expect(SUP("status"), SUP_DEGRADED);
	assert_non_null(strstr(text, "ORDERS OF OURS MAY STILL REST"));
	expect(SUP("--json", "status"), SUP_DEGRADED);
	assert_non_null(strstr(text, "\"sweep\":\"FAILED\""));
	detach();
	expect(SUP("stop"), SUP_NOT_FLAT);
	assert_non_null(strstr(text, "MAY STILL REST AT THE VENUE: "
				     "execd.hyperliquid"));
	/* Tried once more by the stop. */
	assert_int_equal(lines("execd.hyperliquid", "swept"), 2);
	expect(SUP("thaw", "--reason", "test"), SUP_NOT_RUNNING);
}

static void
T_43_stop_sweeps_what_did_not_end_flat(void **unused)
{
	(void)unused;
	expect(SUP("start", "all"), SUP_OK);
	expect(SUP("thaw", "--reason", "test"), SUP_OK);
	tell("execd.polymarket", "restless");
	expect(SUP("stop"), SUP_OK);
	assert_int_equal(lines("execd.polymarket", "swept"), 1);
	assert_int_equal(lines("execd.hyperliquid", "swept"), 0);
	/* Killed, it cannot have been flat; and the kill is told, too. */
	expect(SUP("start", "all"), SUP_OK);
	tell("execd.polymarket", "stubborn");
	expect(SUP("stop", "execd.polymarket"), SUP_OK);
	assert_int_equal(lines("execd.polymarket", "swept"), 2);
	tell("execd.polymarket", "restless");
	tell("execd.polymarket.sweep", "rests");
	expect(SUP("start", "execd.polymarket"), SUP_OK);
	expect(SUP("stop", "execd.polymarket"), SUP_NOT_FLAT);
	assert_non_null(strstr(text, "MAY STILL REST"));
	expect(SUP("--json", "stop"), SUP_NOT_FLAT);
	assert_non_null(strstr(text, "\"flat\":false"));
}

static void
T_43_a_sweep_that_hangs_has_failed(void **unused)
{
	(void)unused;
	expect(SUP("start", "all"), SUP_OK);
	tell("execd.polymarket", "restless");
	tell("execd.polymarket.sweep", "hang");
	expect(SUP("stop"), SUP_NOT_FLAT);
	assert_int_equal(lines("execd.polymarket", "swept"), 1);
}

static void
T_43_everything_dead_is_swept_by_stop(void **unused)
{
	(void)unused;
	for (int rests = 0; rests < 2; rests++) {
		expect(SUP("start", "all"), SUP_OK);
		attach();
		kill_everything();
		detach();
		tell("execd.hyperliquid.sweep", rests ? "rests" : "");
		expect(SUP("stop"), rests ? SUP_NOT_FLAT : SUP_OK);
		assert_int_equal(lines("execd.polymarket", "swept"), rests + 1);
		assert_int_equal(
		    lines("execd.hyperliquid", "swept"), rests + 1);
		assert_true((strstr(text, "AT THE VENUE: execd.hyperliquid") !=
				NULL) == (rests == 1));
	}
}

/* Supervisor and gateway dead, the rest alive: a new one stops it all. */
static void
T_43_dead_beside_the_living_is_swept_by_stop(void **unused)
{
	pid_t boss;
	pid_t gone;

	(void)unused;
	expect(SUP("start", "all"), SUP_OK);
	attach();
	boss = (pid_t)atomic_load(&ctl->sup.pid);
	gone = (pid_t)pid_of(ST_EXECD_PM);
	kill(boss, SIGKILL);
	UNTIL(!is_running(boss));
	kill(gone, SIGKILL);
	UNTIL(!is_running(gone));
	detach();
	expect(SUP("stop"), SUP_OK);
	assert_non_null(strstr(text, "stopped 7 stages"));
	assert_int_equal(lines("execd.polymarket", "swept"), 1);
}

static void
paper_orders_need_no_sweep(void **unused)
{
	(void)unused;
	setenv("SYSTEM_MODE", "paper", 1);
	expect(SUP("start", "all"), SUP_OK);
	tell("execd.polymarket", "restless");
	expect(SUP("stop"), SUP_OK);
	assert_int_equal(lines("execd.polymarket", "swept"), 0);
	setenv("SYSTEM_MODE", FAKESUP_MODE, 1);
}

/* ---- keys ---- */

static bool
is_in_file(const char *path, const char *what)
{
	static char buf[1 << 20];
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(buf, 1, sizeof(buf), f) : 0;

	if (f != NULL)
		fclose(f);
	return memmem(buf, n, what, strlen(what)) != NULL;
}

/* Nowhere below the state and the shared memory directory. */
static void
not_on_disk(const char *what)
{
	char cmd[256];

	snprintf(
	    cmd, sizeof(cmd), "grep -rqa %s %s/state %s/shm", what, root, root);
	assert_int_not_equal(system(cmd), 0);
}

static void
not_told(void)
{
	assert_null(strstr(text, PM_KEY));
	assert_null(strstr(text, HL_KEY));
}

static void
not_in_process(pid_t pid, const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	assert_false(is_in_file(path, what));
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	assert_false(is_in_file(path, what));
}

static const char *const others[] = {"feedd.polymarket", "feedd.binance",
    "feedd.hyperliquid", "quoted", "riskd", "recorderd"};

static void
keys_reach_execd_of_their_venue_and_nobody_else(void **unused)
{
	uint64_t pid;

	(void)unused;
	setenv("POLYMARKET_PRIVATE_KEY", PM_KEY, 1);
	setenv("HYPERLIQUID_PRIVATE_KEY", HL_KEY, 1);
	expect(SUP("start", "all"), SUP_OK);
	not_told();
	attach();
	assert_string_equal(
	    notes("execd.polymarket", "env"), "pm=" PM_KEY " hl=-\n");
	assert_string_equal(
	    notes("execd.hyperliquid", "env"), "pm=- hl=" HL_KEY "\n");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_string_equal(notes(others[i], "env"), "pm=- hl=-\n");
	not_in_process((pid_t)atomic_load(&ctl->sup.pid), PM_KEY);
	not_in_process((pid_t)atomic_load(&ctl->sup.pid), HL_KEY);
	/* Each later life has it again, and a sweep, too. */
	pid = pid_of(ST_EXECD_PM);
	kill((pid_t)pid, SIGKILL);
	UNTIL(ready_as_other(ST_EXECD_PM, pid));
	assert_string_equal(notes("execd.polymarket", "env"),
	    "pm=" PM_KEY " hl=-\npm=" PM_KEY " hl=-\n");
	detach();
	expect(SUP("config"), SUP_OK);
	not_told();
	expect(SUP("check"), SUP_OK);
	not_told();
	assert_non_null(strstr(text, "POLYMARKET_PRIVATE_KEY"));
	expect(SUP("--json", "status"), SUP_OK);
	not_told();
	expect(SUP("logs", "-n", "1000"), SUP_OK);
	not_told();
	not_on_disk(PM_KEY);
	not_on_disk(HL_KEY);
	tell("execd.polymarket", "restless");
	expect(SUP("stop"), SUP_OK);
	assert_string_equal(
	    notes("execd.polymarket", "swept"), "pm=" PM_KEY " hl=-\n");
}

static void
an_overlong_key_is_refused_unspoken(void **unused)
{
	char big[1024];

	(void)unused;
	memset(big, 'a', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	setenv("HYPERLIQUID_PRIVATE_KEY", big, 1);
	expect(SUP("start", "all"), SUP_TEMPORARY);
	assert_null(strstr(text, "aaaaaaaa"));
}

static void
a_bad_key_file_stops_the_start(void **unused)
{
	char path[128];
	char set[192];

	(void)unused;
	snprintf(path, sizeof(path), "%s/fake/key", root);
	snprintf(set, sizeof(set), "polymarket.key_file=%s", path);
	expect(SUP("--set", set, "start"), SUP_CONFIG);
	assert_non_null(strstr(text, "polymarket.key_file"));
	tell("key", PM_KEY);
	assert_int_equal(chmod(path, 0644), 0);
	expect(SUP("--set", set, "start"), SUP_CONFIG);
	assert_non_null(strstr(text, "chmod 600"));
	not_told();
	expect(SUP("--set", set, "check"), SUP_PERMANENT);
	assert_non_null(strstr(text, "BAD   keys"));
	assert_int_equal(chmod(path, 0600), 0);
	expect(SUP("--set", set, "check"), SUP_OK);
	not_told();
}

static void
doctor_has_the_settings_and_its_key(void **unused)
{
	(void)unused;
	setenv("POLYMARKET_PRIVATE_KEY", PM_KEY, 1);
	setenv("HYPERLIQUID_PRIVATE_KEY", HL_KEY, 1);
	expect(SUP("doctor"), SUP_OK);
	assert_string_equal(
	    text, "polymarket text sim\nhyperliquid text sim\n");
	assert_string_equal(
	    notes("execd.polymarket", "doctor"), "pm=" PM_KEY " hl=-\n");
	assert_string_equal(
	    notes("execd.hyperliquid", "doctor"), "pm=- hl=" HL_KEY "\n");
	tell("execd.polymarket", "sick");
	expect(SUP("--json", "doctor"), SUP_CONFIG);
	assert_string_equal(
	    text, "polymarket json sim\nhyperliquid json sim\n");
	expect(SUP("doctor", "execd.hyperliquid"), SUP_OK);
	expect(SUP("doctor", "riskd"), SUP_CONFIG);
	expect(SUP("--set", "system.mode=paper", "doctor"), SUP_CONFIG);
	assert_non_null(strstr(text, "send no orders"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, forget, forget)

int
main(int argc, char **argv)
{
	int rc = fakesup_main(argc, argv);
	const struct CMUnitTest tests[] = {
	    T(T_43_parked_gateway_is_swept_before_it_starts_again),
	    T(T_43_a_sweep_that_fails_is_said_everywhere),
	    T(T_43_stop_sweeps_what_did_not_end_flat),
	    T(T_43_a_sweep_that_hangs_has_failed),
	    T(T_43_everything_dead_is_swept_by_stop),
	    T(T_43_dead_beside_the_living_is_swept_by_stop),
	    T(paper_orders_need_no_sweep),
	    T(keys_reach_execd_of_their_venue_and_nobody_else),
	    T(an_overlong_key_is_refused_unspoken),
	    T(a_bad_key_file_stops_the_start),
	    T(doctor_has_the_settings_and_its_key),
	};

	if (rc >= 0)
		return rc;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
