/* links: libsys libshm libcore */
/* The freeze words, as a running execd sees them: one that came and went
 * between two looks, and one that its own former life left up. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libshm/cfgpage.h"
#include "libshm/ctl.h"
#include "libshm/instr.h"
#include "libshm/ring.h"
#include "libshm/slots.h"
#include "tests/pipeline/proc.h"

#define PM INSTR_PM_BASE

static char dir[128];
static struct instance in;
static struct ctl *ctl;
static struct instr_table *table;
static struct cfgpage page;
static struct cfg cfg;
static struct ring md;
static struct ring orders;
static struct ring report;
static pid_t execd;

static bool
attach(struct ring *r, enum ring_id id, enum ring_role role)
{
	struct err e;

	if (ring_attach(r, in.dirfd, &topo_rings[id], role, &e) < 0)
		return false;
	if (role == RING_PRODUCER) {
		r->bell.bell = &ctl->stage[ST_EXECD_PM].bell;
		r->bell.fifo_fd =
		    bell_fifo_open(in.dirfd, "execd.polymarket", &e);
	}
	return true;
}

static int
setup(void **state)
{
	struct instr i = {.symbol = "m",
	    .venue = VENUE_POLYMARKET,
	    .cls = CLASS_BINARY,
	    .state = INSTR_NORMAL,
	    .epoch = 1,
	    .tick_px = PX(E8 / 100),
	    .lot_qty = QTY(E8 / 100),
	    .min_qty = QTY(5 * E8)};
	struct err e = {0};

	(void)state;
	snprintf(dir, sizeof(dir), "%s", proc_tmp("gate"));
	setenv("RINGMAKER_SHM", dir, 1);
	cfg_defaults(&cfg);
	cfg.system_mode = MODE_PAPER;
	cfg.exec_paper_latency.ns = 0;
	snprintf(
	    cfg.system_state_dir.s, sizeof(cfg.system_state_dir.s), "%s", dir);
	if (instance_create(&in, "g", 42, &e) < 0 ||
	    cfgpage_create(&page, in.dirfd, 42, &cfg, &e) < 0 ||
	    ctl_attach(&ctl, in.dirfd, true, &e) < 0 ||
	    instr_attach(&table, in.dirfd, true, &e) < 0 ||
	    !attach(&md, RG_MD_PM_X, RING_PRODUCER) ||
	    !attach(&orders, RG_ORDER_PM, RING_PRODUCER) ||
	    !attach(&report, RG_REPORT_PM_R, RING_CONSUMER)) {
		print_error("%s\n", e.text);
		return -1;
	}
	instr_write(table, PM, &i);
	ctl_freeze_set(ctl, FW_RISKD, FREEZE_STARTUP, false, proc_now_ns());
	ctl_lease_extend(ctl, UINT64_MAX / 2);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	kill(execd, SIGTERM);
	proc_exit_code(execd);
	proc_rmtree(dir);
	return 0;
}

static void
start(void)
{
	const char *argv[] = {
	    "execd", "--instance", "g", "--stage", "execd.polymarket", NULL};
	char log[160];

	snprintf(log, sizeof(log), "%s/log", dir);
	execd = proc_start(argv, log);
}

static void
push(struct ring *r, union tap *t, uint8_t kind)
{
	t->hdr.kind = kind;
	t->hdr.instr = PM;
	t->hdr.recv_ns = proc_now_ns();
	assert_true(ring_push(r, t));
}

static void
level(enum side side, int cents)
{
	union tap t = {0};

	t.tick.u.level.px = PX((int64_t)cents * E8 / 100);
	t.tick.u.level.qty = QTY(100 * E8);
	t.tick.u.level.side = (uint8_t)side;
	t.tick.u.level.epoch = 1;
	push(&md, &t, TICK_LEVEL);
}

static void
book(void)
{
	union tap t = {0};

	t.tick.u.instr.epoch = 1;
	push(&md, &t, TICK_INSTR);
	memset(&t, 0, sizeof(t));
	t.tick.u.snap.epoch = 1;
	push(&md, &t, TICK_SNAP_BEGIN);
	level(SIDE_BID, 49);
	level(SIDE_ASK, 51);
	push(&md, &t, TICK_SNAP_END);
}

static bool
is_reported(void *arg)
{
	struct order *o = arg;
	const struct order *got;

	while ((got = ring_peek(&report)) != NULL) {
		bool same = got->hdr.kind == o->hdr.kind;

		if (same)
			*o = *got;
		ring_release(&report);
		if (same)
			return true;
	}
	return false;
}

static struct order
wait_report(uint8_t kind)
{
	struct order o = {.hdr = {.kind = kind}};

	assert_true(proc_until(is_reported, &o, PROC_WAIT_MS));
	return o;
}

static void
a_freeze_between_two_looks_withdraws_everything(void **state)
{
	union tap t = {.order = {.id = UINT64_C(1) << 40 | 1,
			   .px = PX(49 * E8 / 100),
			   .qty = QTY(10 * E8),
			   .venue = VENUE_POLYMARKET,
			   .side = SIDE_BID,
			   .tif = TIF_GTC,
			   .oflags = ORDER_POST_ONLY,
			   .epoch = 1}};
	struct order o;

	(void)state;
	start();
	book();
	push(&orders, &t, MSG_ORDER);
	assert_int_equal(wait_report(MSG_ACK).id, t.order.id);
	/* execd stands still, so that it sees neither edge. */
	kill(execd, SIGSTOP);
	ctl_freeze_set(ctl, FW_RISKD, FREEZE_STARTUP, true, proc_now_ns());
	ctl_freeze_set(ctl, FW_RISKD, FREEZE_STARTUP, false, proc_now_ns());
	kill(execd, SIGCONT);
	o = wait_report(MSG_DONE);
	assert_int_equal(o.id, t.order.id);
	assert_int_equal(o.reason, REASON_STARTUP);
}

static bool
is_clear(void *arg)
{
	(void)arg;
	return ctl_freeze_mask(ctl, VENUE_POLYMARKET) == 0;
}

static void
a_backlog_of_a_former_life_is_cleared(void **state)
{
	(void)state;
	ctl_freeze_set(
	    ctl, FW_EXECD_PM, FREEZE_REPORT_BACKLOG, true, proc_now_ns());
	assert_false(is_clear(NULL));
	start();
	assert_true(proc_until(is_clear, NULL, PROC_WAIT_MS));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_freeze_between_two_looks_withdraws_everything),
	    T(a_backlog_of_a_former_life_is_cleared),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
