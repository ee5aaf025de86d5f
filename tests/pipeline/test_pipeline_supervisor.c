/* links: libsys libshm libcore */
/*
 * The pipeline without its supervisor, frozen and thawed by a person, and
 * what stays frozen when everything has died and the memory is gone.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/fixed.h"
#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"

#define QUIET_MS 300
#define FRAMES	 200 /* received: the feeds are alive */

static struct rig rig;

static void
start(void)
{
	RIG_EXPECT(&rig, rig_sup(&rig, "start", "all", NULL), 0);
	if (!rig.attached)
		assert_true(rig_attach(&rig));
}

static int
setup(void **state)
{
	const char *const options[] = {
	    "--capture", "simvenue/captures", "--pace", "20", NULL};

	(void)state;
	rig_init(&rig, "sup");
	rig_quick(&rig);
	rig_set(&rig, "supervisor.dead_ms=1s");
	if (!rig_venue(&rig, options))
		fail_msg("%s", rig.out);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rig_free(&rig);
	return 0;
}

/* ---- what is true while it is frozen ---- */

static int64_t
frames(void)
{
	return rig_metric(&rig, ST_FEEDD_BN, M_FEEDD_FRAMES);
}

/* Nothing of ours rests, nothing is sent, and the feeds go on. */
static void
stays_frozen(uint64_t bits)
{
	int64_t orders;
	int64_t had = frames();

	RIG_UNTIL(&rig, rig_shut(&rig, bits));
	RIG_UNTIL(&rig, rig_resting(&rig) == 0);
	orders = rig_orders(&rig);
	for (int i = 0; i < QUIET_MS; i++) {
		assert_true(rig_shut(&rig, bits));
		assert_int_equal(rig_orders(&rig), orders);
		assert_int_equal(rig_resting(&rig), 0);
		usleep(1000);
	}
	RIG_UNTIL(&rig, frames() >= had + FRAMES);
	assert_int_equal(rig_orders(&rig), orders);
	assert_true(rig_shut(&rig, bits));
}

static void
thaw_and_trade(void)
{
	RIG_EXPECT(&rig, rig_sup(&rig, "thaw", NULL), 64);
	RIG_EXPECT(
	    &rig, rig_sup(&rig, "thaw", "--reason", "looked into it", NULL), 0);
	RIG_TRADES(&rig);
}

static void
stop(void)
{
	RIG_EXPECT(&rig, rig_sup(&rig, "--json", "stop", "all", NULL), 0);
	assert_non_null(strstr(rig.out, "\"flat\":true"));
}

/* ---- the tests ---- */

static void
freeze_and_thaw_by_command(void **state)
{
	(void)state;
	start();
	RIG_TRADES(&rig);
	RIG_EXPECT(&rig, rig_sup(&rig, "freeze", "a fire", NULL), 0);
	stays_frozen(FREEZE_MANUAL);
	RIG_EXPECT(&rig, rig_sup(&rig, "status", NULL), 1);
	assert_non_null(strstr(rig.out, "manual"));
	thaw_and_trade();
	stop();
}

static uint64_t
kill_boss(uint64_t pid[ST_N])
{
	uint64_t boss = atomic_load(&rig.ctl->sup.pid);

	for (int i = 0; i < ST_N; i++)
		pid[i] = rig_pid(&rig, (enum stage_id)i);
	assert_int_equal(kill((pid_t)boss, SIGKILL), 0);
	return boss;
}

static void
same_stages(const uint64_t pid[ST_N])
{
	for (int i = 0; i < ST_N; i++) {
		assert_true(rig_alive(pid[i]));
		assert_int_equal(rig_pid(&rig, (enum stage_id)i), pid[i]);
	}
}

static void
killed_supervisor_freezes_and_is_replaced(void **state)
{
	uint64_t pid[ST_N];
	uint64_t boss;
	uint64_t at;

	(void)state;
	start();
	RIG_TRADES(&rig);
	boss = kill_boss(pid);
	at = proc_now_ns();
	RIG_UNTIL(&rig, rig_shut(&rig, FREEZE_SUPERVISOR_DEAD));
	print_message("frozen %.0f ms after its death, dead_ms is 1000\n",
	    (double)(proc_now_ns() - at) / 1e6);
	stays_frozen(FREEZE_SUPERVISOR_DEAD);
	same_stages(pid);
	start();
	assert_true(atomic_load(&rig.ctl->sup.pid) != boss);
	same_stages(pid);
	RIG_TRADES(&rig);
	/* A person's freeze needs nobody to answer, and lasts. */
	kill_boss(pid);
	RIG_UNTIL(&rig, rig_shut(&rig, FREEZE_SUPERVISOR_DEAD));
	RIG_EXPECT(&rig, rig_sup(&rig, "freeze", NULL), 0);
	stays_frozen(FREEZE_MANUAL);
	start();
	same_stages(pid);
	stays_frozen(FREEZE_MANUAL);
	thaw_and_trade();
	same_stages(pid);
	/* What it adopted it restarts. */
	assert_int_equal(kill((pid_t)pid[ST_QUOTED], SIGKILL), 0);
	RIG_UNTIL(&rig, rig_pid(&rig, ST_QUOTED) != pid[ST_QUOTED] &&
			    rig_ready(&rig, ST_QUOTED));
	RIG_TRADES(&rig);
	stop();
}

/* Everything is dead and the memory is gone. */
static void
reboot(void)
{
	rig_kill_all(&rig);
	rig_detach(&rig);
	proc_rmtree(rig_path(&rig, "shm"));
	assert_int_equal(mkdir(rig_path(&rig, "shm"), 0700), 0);
	start();
}

static void
freeze_outlives_everything(void **state)
{
	(void)state;
	start();
	RIG_TRADES(&rig);
	RIG_EXPECT(&rig, rig_sup(&rig, "freeze", NULL), 0);
	reboot();
	stays_frozen(FREEZE_MANUAL);
	assert_int_equal(rig_orders(&rig), 0);
	thaw_and_trade();
	/* A thaw lasts, too. */
	reboot();
	RIG_TRADES(&rig);
	stop();
}

static void
limit_is(const char *usd)
{
	char text[80];

	snprintf(
	    text, sizeof(text), "mm:\n  global_daily_loss_limit: %s\n", usd);
	rig_config(&rig, "limit.yaml", text);
}

static bool
lost(int64_t e6)
{
	return rig_metric(&rig, ST_RISKD, M_RISKD_PNL_DAY) < -e6;
}

/* Perpetuals alone, far more than the limit in both directions: a loss of two
 * cents comes at once. */
static void
daily_loss_outlives_everything(void **state)
{
	int64_t realised;

	(void)state;
	rig_set(&rig, "risk.checkpoint_interval=100ms");
	rig_set(&rig, "polymarket.enabled=false");
	rig_set(&rig, "capital.usd=100000");
	rig_set(&rig, "perp.order_usd=500");
	rig_set(&rig, "perp.inventory_limit_usd=2000");
	rig_set(&rig, "risk.max_order_usd=1000");
	limit_is("10000");
	start();
	RIG_UNTIL(&rig, lost(2 * E6 / 100));
	limit_is("0.01");
	RIG_EXPECT(&rig, rig_sup(&rig, "reload", NULL), 0);
	stays_frozen(FREEZE_DAILY_LOSS);
	realised = rig_metric(&rig, ST_RISKD, M_RISKD_PNL_REALISED);
	reboot();
	stays_frozen(FREEZE_DAILY_LOSS);
	assert_int_equal(rig_orders(&rig), 0);
	assert_int_equal(
	    rig_metric(&rig, ST_RISKD, M_RISKD_PNL_REALISED), realised);
	limit_is("10000");
	RIG_EXPECT(&rig, rig_sup(&rig, "reload", NULL), 0);
	stays_frozen(FREEZE_DAILY_LOSS);
	thaw_and_trade();
	stop();
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(freeze_and_thaw_by_command),
	    T(killed_supervisor_freezes_and_is_replaced),
	    T(freeze_outlives_everything),
	    T(daily_loss_outlives_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
