/* links: libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libshm/ctl.h"
#include "tests/unit/shmdir.h"

static struct shmdir dir;
static struct ctl *ctl;
static struct err err;

static int
setup(void **state)
{
	(void)state;
	shmdir_open(&dir);
	assert_int_equal(ctl_create(dir.fd, 5, &err), 0);
	assert_int_equal(ctl_attach(&ctl, dir.fd, true, &err), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ctl_detach(ctl);
	shmdir_close(&dir);
	return 0;
}

static void
test_fresh_page_is_frozen(void **state)
{
	(void)state;
	assert_int_equal(ctl_freeze_mask(ctl, 0), FREEZE_STARTUP);
	for (int v = 1; v < VENUE_N; v++)
		assert_int_equal(ctl_gate(ctl, (enum venue)v, 1),
		    FREEZE_STARTUP | FREEZE_RISKD_DEAD);
	assert_int_equal(ctl->stage[ST_RISKD].own.state, STAGE_DEAD);
	assert_int_equal(ctl->hdr.run_id, 5);
	assert_true(ctl->sup.host[0] != '\0');
}

static void
test_lease(void **state)
{
	(void)state;
	ctl_freeze_set(ctl, FW_RISKD, FREEZE_STARTUP, false, 1);
	ctl_lease_extend(ctl, 1000);
	assert_int_equal(ctl_gate(ctl, VENUE_POLYMARKET, 999), 0);
	assert_int_equal(
	    ctl_gate(ctl, VENUE_POLYMARKET, 1000), FREEZE_RISKD_DEAD);
	ctl_lease_extend(ctl, 2000);
	assert_int_equal(ctl_gate(ctl, VENUE_HYPERLIQUID, 1999), 0);
	ctl_lease_drop(ctl);
	assert_int_equal(
	    ctl_gate(ctl, VENUE_HYPERLIQUID, 1), FREEZE_RISKD_DEAD);
	assert_int_equal(ctl->lease.epoch, 1);
}

/* A living riskd that holds back is not called dead. */
static void
test_told(void **state)
{
	(void)state;
	assert_int_equal(
	    ctl_gate_told(ctl, VENUE_POLYMARKET, 9, true), FREEZE_STARTUP);
	assert_int_equal(ctl_gate_told(ctl, VENUE_POLYMARKET, 9, false),
	    FREEZE_STARTUP | FREEZE_RISKD_DEAD);
	ctl_freeze_set(ctl, FW_RISKD, FREEZE_STARTUP, false, 1);
	ctl_freeze_set(ctl, FW_RISKD_HL, FREEZE_LATENCY, true, 1);
	assert_int_equal(
	    ctl_gate_told(ctl, VENUE_HYPERLIQUID, 9, true), FREEZE_LATENCY);
	assert_int_equal(
	    ctl_gate_told(ctl, VENUE_POLYMARKET, 9, true), FREEZE_RISKD_DEAD);
	ctl_lease_extend(ctl, 10);
	assert_int_equal(ctl_gate_told(ctl, VENUE_POLYMARKET, 9, true), 0);
}

/* Which venues a word covers. */
static void
test_words_and_venues(void **state)
{
	static const struct {
		enum freeze_word word;
		bool pm, bn, hl;
	} t[] = {
	    {FW_SUPERVISOR, true, true, true},
	    {FW_RISKD, true, true, true},
	    {FW_RISKD_PM, true, false, false},
	    {FW_EXECD_PM, true, false, false},
	    {FW_RISKD_HL, false, false, true},
	    {FW_EXECD_HL, false, false, true},
	};

	(void)state;
	assert_int_equal(sizeof(t) / sizeof(t[0]), FW_N);
	ctl_freeze_set(ctl, FW_RISKD, FREEZE_STARTUP, false, 1);
	ctl_lease_extend(ctl, UINT64_MAX);
	for (size_t i = 0; i < FW_N; i++) {
		uint64_t m = FREEZE_CLOCK | FREEZE_MANUAL;

		assert_true(ctl_freeze_set(ctl, t[i].word, m, true, 7));
		assert_false(ctl_freeze_set(ctl, t[i].word, m, true, 8));
		assert_int_equal(
		    ctl_gate(ctl, VENUE_POLYMARKET, 9), t[i].pm ? m : 0);
		assert_int_equal(
		    ctl_gate(ctl, VENUE_BINANCE, 9), t[i].bn ? m : 0);
		assert_int_equal(
		    ctl_gate(ctl, VENUE_HYPERLIQUID, 9), t[i].hl ? m : 0);
		assert_int_equal(ctl_freeze_mask(ctl, 0), m);
		assert_int_equal(ctl->freeze[t[i].word].since_ns, 7);
		assert_true(
		    ctl_freeze_set(ctl, t[i].word, FREEZE_CLOCK, false, 9));
		assert_int_equal(ctl_freeze_mask(ctl, 0), FREEZE_MANUAL);
		assert_true(ctl_freeze_set(ctl, t[i].word, m, false, 10));
		assert_int_equal(ctl_freeze_mask(ctl, 0), 0);
	}
}

static void
test_reasons(void **state)
{
	char buf[128];

	(void)state;
	assert_int_equal(freeze_reason(0), REASON_NONE);
	assert_int_equal(
	    freeze_reason(FREEZE_MANUAL | FREEZE_CLOCK), REASON_MANUAL);
	for (int i = 0; i < FREEZE_BITS_N; i++) {
		enum reason r = freeze_reason(UINT64_C(1) << i);

		assert_true(r != REASON_NONE);
		assert_string_equal(
		    freeze_format(UINT64_C(1) << i, buf, sizeof(buf)),
		    reason_name(r));
	}
	assert_int_equal(freeze_reason(FREEZE_RISKD_DEAD), REASON_RISKD_DEAD);
	assert_int_equal(freeze_reason(FREEZE_DAILY_LOSS), REASON_DAILY_LOSS);
	assert_string_equal(freeze_format(0, buf, sizeof(buf)), "");
	assert_string_equal(
	    freeze_format(FREEZE_LATENCY | FREEZE_MANUAL, buf, sizeof(buf)),
	    "latency,manual");
	assert_string_equal(
	    freeze_format(FREEZE_LATENCY | FREEZE_MANUAL, buf, 6), "laten");
}

static void
test_supervisor_heartbeat(void **state)
{
	(void)state;
	ctl->sup.heartbeat_ns = 1000;
	assert_false(ctl_supervisor_dead(ctl, 1500, 500));
	assert_true(ctl_supervisor_dead(ctl, 1501, 500));
	assert_false(ctl_supervisor_dead(ctl, 900, 500));
}

static void
test_state_names(void **state)
{
	(void)state;
	assert_string_equal(stage_state_name(STAGE_DEAD), "dead");
	assert_string_equal(stage_state_name(STAGE_PARKED), "parked");
	assert_string_equal(stage_state_name((enum stage_state)99), "?");
}

static void
test_attach(void **state)
{
	struct ctl *ro;
	struct ctl *none;
	int status;

	(void)state;
	assert_int_equal(ctl_attach(&ro, dir.fd, false, &err), 0);
	ctl_lease_extend(ctl, 42);
	assert_int_equal(ro->lease.until_ns, 42);
	IN_CHILD(status, (signal(SIGSEGV, SIG_DFL), ctl_lease_extend(ro, 1)));
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ctl_detach(ro);
	assert_int_equal(ctl_create(dir.fd, 5, &err), -EEXIST);
	assert_int_equal(unlinkat(dir.fd, "ctl", 0), 0);
	assert_int_equal(ctl_attach(&none, dir.fd, true, &err), -ENOENT);
	assert_non_null(strstr(err.text, "start the instance"));
}

static void
test_contracts(void **state)
{
	(void)state;
	assert_check_fails(ctl_freeze_set(ctl, FW_N, FREEZE_MANUAL, true, 1));
	assert_check_fails(
	    ctl_freeze_set(ctl, FW_RISKD, UINT64_C(1) << 40, true, 1));
	assert_check_fails(ctl_gate(ctl, VENUE_N, 1));
}

/* Whoever freezes from outside wakes the sleepers, and every change of a
 * word can be seen in one number. */
static void
test_wake_all_rings_every_sleeper(void **state)
{
	uint64_t epoch = ctl_freeze_epoch(ctl, 0);
	struct bell *b = &ctl->stage[ST_EXECD_PM].bell;
	struct bell *rec = &ctl->stage[ST_RECORDERD].bell;
	char byte;
	int fd;

	(void)state;
	assert_int_equal(mkfifoat(dir.fd, "bell.execd.polymarket", 0600), 0);
	fd = bell_fifo_open(dir.fd, "execd.polymarket", &err);
	assert_true(fd >= 0);
	atomic_store(&b->sleeping, BELL_FIFO);
	atomic_store(&ctl->stage[ST_RISKD].bell.sleeping, BELL_FUTEX);
	atomic_store(&rec->sleeping, BELL_FUTEX);
	assert_true(ctl_freeze_set(ctl, FW_SUPERVISOR, FREEZE_MANUAL, true, 1));
	assert_true(ctl_freeze_epoch(ctl, 0) != epoch);
	ctl_wake_all(ctl, dir.fd);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(atomic_load(&b->sleeping), BELL_AWAKE);
	assert_int_equal(
	    atomic_load(&ctl->stage[ST_RISKD].bell.sleeping), BELL_AWAKE);
	/* recorders poll and are left alone */
	assert_int_equal(atomic_load(&rec->sleeping), BELL_FUTEX);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(test_fresh_page_is_frozen),
	    T(test_lease),
	    T(test_told),
	    T(test_words_and_venues),
	    T(test_reasons),
	    T(test_supervisor_heartbeat),
	    T(test_state_names),
	    T(test_attach),
	    T(test_contracts),
	    T(test_wake_all_rings_every_sleeper),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
