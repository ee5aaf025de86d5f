/* links: libsys libshm libcore */
/*
 * What `make start` runs: the pipeline trades on the exchanges of simvenue,
 * over real sockets with signed orders; what we believe to hold is what they
 * hold, and nothing of ours is left behind.
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
#include <unistd.h>

#include <cmocka.h>

#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"

/* As execd holds it in mode sim; no secret, but one that must not show. */
#define DEV_KEY \
	"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"

static struct rig rig;

static int
set_up(void **unused)
{
	static const char *const options[] = {"--live", "--seed", "5", "--rate",
	    "4", "--series", "btc-updown-1m:60", "--series",
	    "btc-updown-5m:300", "--series", "btc-updown-15m:900", NULL};

	(void)unused;
	rig_init(&rig, "sim");
	rig.preset = "etc/sim.yaml";
	/* The machine is shared with other tests. */
	rig_set(&rig, "latency.kill_switch_ms=5s");
	rig_set(&rig, "risk.max_intent_age_ms=5s");
	rig_set(&rig, "supervisor.heartbeat_stale_ms=10s");
	if (!rig_venue(&rig, options))
		fail_msg("%s", rig.out);
	return 0;
}

static int
tear_down(void **unused)
{
	(void)unused;
	rig_free(&rig);
	return 0;
}

/* Of both venues: what the windows trade depends on how far they are. */
static int64_t
fills(void)
{
	return rig_metric(&rig, ST_EXECD_PM, M_EXECD_FILLS) +
	       rig_metric(&rig, ST_EXECD_HL, M_EXECD_FILLS);
}

static int64_t
posts(void)
{
	return rig_metric(&rig, ST_EXECD_PM, M_EXECD_POSTS);
}

static void
no_key_anywhere(void)
{
	char cmd[400];

	snprintf(cmd, sizeof(cmd), "grep -rqaE '%s' %s", DEV_KEY, rig.root);
	assert_int_not_equal(system(cmd), 0);
}

static void
agree(void)
{
	RIG_EXPECT(
	    &rig, rig_sup(&rig, "--json", "--wait", "90", "ledger", NULL), 0);
	assert_non_null(strstr(rig.out, "\"equal\":true"));
	assert_non_null(strstr(rig.out, "\"exchange_asked\":true"));
}

static void
killed(enum stage_id st)
{
	int64_t had = fills();

	kill((pid_t)rig_pid(&rig, st), SIGKILL);
	RIG_UNTIL(&rig, atomic_load(&rig.ctl->stage[st].sup.restarts) == 1 &&
			    rig_ready(&rig, st));
	RIG_UNTIL(&rig, fills() > had);
	agree();
}

static void
trades_and_agrees(void **unused)
{
	(void)unused;
	RIG_EXPECT(&rig, rig_sup(&rig, "start", "all", NULL), 0);
	assert_true(rig_attach(&rig));
	RIG_UNTIL(&rig, fills() >= 2 && posts() > 5);
	assert_int_equal(rig_metric(&rig, ST_EXECD_PM, M_EXECD_MODE), 2);
	assert_int_equal(rig_metric(&rig, ST_EXECD_HL, M_EXECD_MODE), 2);
	agree();
	/* Killed with orders resting, each comes back, and they agree. */
	killed(ST_EXECD_PM);
	killed(ST_EXECD_HL);
	killed(ST_RISKD);
	no_key_anywhere();
	RIG_EXPECT(&rig, rig_sup(&rig, "--json", "stop", "all", NULL), 0);
	assert_non_null(strstr(rig.out, "\"flat\":true"));
	no_key_anywhere();
}

/* Everything dead at once: what rests is withdrawn by stop. */
static void
T_43_nothing_is_orphaned(void **unused)
{
	(void)unused;
	RIG_EXPECT(&rig, rig_sup(&rig, "start", "all", NULL), 0);
	assert_true(rig_attach(&rig));
	RIG_UNTIL(&rig, rig_metric(&rig, ST_EXECD_PM, M_EXECD_RESTING) > 0);
	rig_kill_all(&rig);
	rig_detach(&rig);
	RIG_EXPECT(&rig, rig_sup(&rig, "stop", "all", NULL), 0);
	if (strstr(rig.out, "removed") == NULL &&
	    strstr(rig.out, "stopped") == NULL)
		fail_msg("%s", rig.out);
	print_message("%.160s\n", rig.out);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(trades_and_agrees),
	    T(T_43_nothing_is_orphaned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
