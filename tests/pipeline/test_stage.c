/* links: libsys libshm libcore */
/* The stage loop, shown on the real quoted: rings in, intents out, kill -9,
 * refusals, exit codes. */
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
#include <unistd.h>

#include <cmocka.h>

#include "libcore/rrs.h"
#include "libshm/cfgpage.h"
#include "libshm/ctl.h"
#include "libshm/instr.h"
#include "libshm/metrics.h"
#include "libshm/ring.h"
#include "libshm/slots.h"
#include "tests/pipeline/proc.h"

#define PM INSTR_PM_BASE

static char dir[256];
static struct instance in;
static struct ctl *ctl;
static struct instr_table *table;
static struct cfgpage page;
static struct cfg cfg;
static struct ring md;
static struct ring verdict;
static struct ring intent;

static int
setup(void **state)
{
	struct err e = {0};

	(void)state;
	snprintf(dir, sizeof(dir), "%s", proc_tmp("stage"));
	setenv("RINGMAKER_SHM", dir, 1);
	cfg_defaults(&cfg);
	cfg.warmup_max_s.ns = 0;
	cfg.sandbox_mode =
	    getenv("RM_SANITIZE") ? CFG_SANDBOX_OFF : CFG_SANDBOX_PROD;
	if (instance_create(&in, "t", 42, &e) < 0 ||
	    cfgpage_create(&page, in.dirfd, 42, &cfg, &e) < 0 ||
	    ctl_attach(&ctl, in.dirfd, true, &e) < 0 ||
	    instr_attach(&table, in.dirfd, true, &e) < 0 ||
	    ring_attach(&md, in.dirfd, &topo_rings[RG_MD_PM_Q], RING_PRODUCER,
		&e) < 0 ||
	    ring_attach(&verdict, in.dirfd, &topo_rings[RG_VERDICT],
		RING_PRODUCER, &e) < 0 ||
	    ring_attach(&intent, in.dirfd, &topo_rings[RG_INTENT],
		RING_CONSUMER, &e) < 0) {
		print_error("%s\n", e.text);
		return -1;
	}
	md.bell.bell = &ctl->stage[ST_QUOTED].bell;
	md.bell.fifo_fd = -1;
	verdict.bell = md.bell;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ring_detach(&md);
	ring_detach(&verdict);
	ring_detach(&intent);
	cfgpage_detach(&page);
	instr_detach(table);
	ctl_detach(ctl);
	instance_close(&in);
	proc_rmtree(dir);
	return 0;
}

static pid_t
quoted(const char *instance)
{
	const char *argv[] = {"quoted", "--instance", instance, NULL};
	char log[300];

	snprintf(log, sizeof(log), "%s/quoted.log", dir);
	return proc_start(argv, log);
}

static bool
is_ready(void *arg)
{
	return atomic_load(&ctl->stage[ST_QUOTED].own.state) == STAGE_READY &&
	       atomic_load(&ctl->stage[ST_QUOTED].own.epoch) ==
		   *(uint64_t *)arg;
}

static void
wait_ready(uint64_t epoch)
{
	assert_true(proc_until(is_ready, &epoch, PROC_WAIT_MS));
}

static void
level(enum side side, int64_t px_e8)
{
	union tap t = {0};

	t.hdr.kind = TICK_LEVEL;
	t.hdr.instr = PM;
	t.hdr.recv_ns = proc_now_ns();
	t.tick.u.level.px = PX(px_e8);
	t.tick.u.level.qty = QTY(100 * E8);
	t.tick.u.level.side = (uint8_t)side;
	t.tick.u.level.epoch = 1;
	assert_true(ring_push(&md, &t));
}

/* One market with a book, a ready link, and permission to trade. */
static void
feed(int64_t bid_e8)
{
	struct instr i = {.symbol = "m",
	    .venue = VENUE_POLYMARKET,
	    .cls = CLASS_BINARY,
	    .state = INSTR_NORMAL,
	    .epoch = 1,
	    .tick_px = PX(E8 / 100),
	    .lot_qty = QTY(E8 / 100),
	    .min_qty = QTY(5 * E8),
	    .liquidity = USD(10000 * E6),
	    .rules = RRS_SEEN};
	union tap t = {0};

	instr_write(table, PM, &i);
	t.hdr.recv_ns = proc_now_ns();
	t.hdr.kind = MSG_STATE;
	t.order.status = TRADING_RUN;
	assert_true(ring_push(&verdict, &t));
	memset(&t, 0, sizeof(t));
	t.hdr.recv_ns = proc_now_ns();
	t.hdr.kind = TICK_LINK;
	t.tick.u.link.state = LINK_READY;
	assert_true(ring_push(&md, &t));
	t.hdr.kind = TICK_INSTR;
	t.hdr.instr = PM;
	assert_true(ring_push(&md, &t));
	memset(&t.tick.u, 0, sizeof(t.tick.u));
	t.hdr.kind = TICK_SNAP_BEGIN;
	t.tick.u.snap.epoch = 1;
	assert_true(ring_push(&md, &t));
	level(SIDE_BID, bid_e8);
	level(SIDE_ASK, bid_e8 + E8 / 50);
	t.hdr.kind = TICK_SNAP_END;
	assert_true(ring_push(&md, &t));
	memset(&t.tick.u, 0, sizeof(t.tick.u));
	t.hdr.kind = TICK_BBO;
	t.tick.u.bbo.bid_px = PX(bid_e8);
	t.tick.u.bbo.ask_px = PX(bid_e8 + E8 / 50);
	t.tick.u.bbo.bid_qty = t.tick.u.bbo.ask_qty = QTY(100 * E8);
	assert_true(ring_push(&md, &t));
	bell_check(&md.bell);
}

static bool
intent_there(void *arg)
{
	(void)arg;
	return ring_peek(&intent) != NULL;
}

static struct order
next_intent(void)
{
	struct order o;

	assert_true(proc_until(intent_there, NULL, PROC_WAIT_MS));
	o = *(const struct order *)ring_peek(&intent);
	ring_release(&intent);
	return o;
}

static void
ticks_in_intents_out_and_a_clean_stop(void **state)
{
	pid_t pid = quoted("t");
	struct order o;

	(void)state;
	wait_ready(1);
	feed(49 * E8 / 100);
	o = next_intent();
	assert_int_equal(o.hdr.kind, MSG_RESTART);
	o = next_intent();
	assert_int_equal(o.hdr.kind, MSG_INTENT);
	assert_int_equal(o.px.e8, 49 * E8 / 100);
	assert_true(o.hdr.pub_delta >= o.quote_delta);
	o = next_intent();
	assert_int_equal(o.side, SIDE_ASK);
	kill(pid, SIGTERM);
	o = next_intent();
	assert_int_equal(o.qty.e8, 0);
	assert_int_equal(proc_exit_code(pid), 0);
}

/* What the dead one had not committed comes again; ids never repeat. */
static void
kill_9_and_a_new_life_goes_on(void **state)
{
	uint64_t last = 0;
	pid_t pid;

	(void)state;
	for (uint64_t life = 1; life <= 20; life++) {
		struct order o;

		pid = quoted("t");
		wait_ready(life);
		feed((40 + (int64_t)life % 3) * E8 / 100);
		do
			o = next_intent();
		while (o.hdr.kind != MSG_INTENT);
		assert_true(o.id > last);
		assert_int_equal(o.id >> 40, life);
		last = o.id;
		kill(pid, SIGKILL);
		assert_int_equal(proc_exit_code(pid), 1000 + SIGKILL);
		while (ring_peek(&intent) != NULL) {
			last = ((const struct order *)ring_peek(&intent))->id;
			ring_release(&intent);
		}
	}
}

static void
refusals_have_exit_codes(void **state)
{
	const char *bad[] = {"quoted", "--nonsense", NULL};
	const char *stage[] = {
	    "quoted", "--instance", "t", "--stage", "feedd.binance", NULL};
	const char *help[] = {"quoted", "--help", NULL};
	pid_t pid = quoted("t");
	char log[300];

	(void)state;
	snprintf(log, sizeof(log), "%s/refused.log", dir);
	wait_ready(1);
	assert_int_equal(proc_exit_code(quoted("t")), 111);
	assert_int_equal(proc_exit_code(quoted("nothere")), 111);
	assert_int_equal(proc_exit_code(proc_start(bad, log)), 100);
	assert_int_equal(proc_exit_code(proc_start(stage, log)), 100);
	assert_int_equal(proc_exit_code(proc_start(help, log)), 0);
	kill(pid, SIGTERM);
	assert_int_equal(proc_exit_code(pid), 0);
}

/* Out-of-range slots are counted and dropped, whoever wrote them. */
static void
nonsense_in_a_ring_is_dropped(void **state)
{
	union tap t = {0};
	struct metrics *m;
	struct err e;
	pid_t pid = quoted("t");

	(void)state;
	wait_ready(1);
	t.hdr.kind = 200;
	assert_true(ring_push(&md, &t));
	t.hdr.kind = TICK_BBO;
	t.hdr.instr = INSTR_N;
	assert_true(ring_push(&md, &t));
	t.hdr.instr = PM;
	t.hdr.kind = MSG_INTENT;
	assert_true(ring_push(&md, &t));
	feed(49 * E8 / 100);
	assert_int_equal(next_intent().hdr.kind, MSG_RESTART);
	assert_int_equal(next_intent().hdr.kind, MSG_INTENT);
	assert_int_equal(metrics_attach(&m, in.dirfd, ST_QUOTED, false, &e), 0);
	assert_int_equal(metrics_value(m, M_ANY_IN_DROPPED), 3);
	metrics_detach(m);
	kill(pid, SIGTERM);
	assert_int_equal(proc_exit_code(pid), 0);
}

static void
push_bbo(int64_t bid_e8)
{
	union tap t = {0};

	t.hdr.kind = TICK_BBO;
	t.hdr.instr = PM;
	t.hdr.recv_ns = proc_now_ns();
	t.tick.u.bbo.bid_px = PX(bid_e8);
	t.tick.u.bbo.ask_px = PX(bid_e8 + E8 / 50);
	t.tick.u.bbo.bid_qty = t.tick.u.bbo.ask_qty = QTY(100 * E8);
	assert_true(ring_push(&md, &t));
}

/* The supervisor names the slot that a stage died of twice. */
static void
a_quarantined_slot_is_skipped_and_the_next_is_not(void **state)
{
	struct metrics *m;
	struct err e;
	struct order o;
	pid_t pid;

	(void)state;
	/* LINK, INSTR, a book in four and BBO of feed(), then the slot. */
	atomic_store(
	    &ctl->stage[ST_QUOTED].sup.quarantine_ring, RG_MD_PM_Q + 1);
	atomic_store(
	    &ctl->stage[ST_QUOTED].sup.quarantine_seq, md.next + 7 + 1);
	pid = quoted("t");
	wait_ready(1);
	feed(49 * E8 / 100);
	assert_int_equal(next_intent().hdr.kind, MSG_RESTART);
	assert_int_equal(next_intent().px.e8, 49 * E8 / 100);
	assert_int_equal(next_intent().px.e8, 51 * E8 / 100);
	push_bbo(30 * E8 / 100);
	push_bbo(60 * E8 / 100);
	bell_check(&md.bell);
	o = next_intent();
	assert_int_equal(o.side, SIDE_ASK);
	assert_int_equal(o.px.e8, 62 * E8 / 100);
	assert_int_equal(next_intent().px.e8, 60 * E8 / 100);
	assert_int_equal(metrics_attach(&m, in.dirfd, ST_QUOTED, false, &e), 0);
	assert_int_equal(metrics_value(m, M_ANY_IN_DROPPED), 1);
	metrics_detach(m);
	kill(pid, SIGTERM);
	assert_int_equal(proc_exit_code(pid), 0);
}

static bool
reloaded(void *arg)
{
	return atomic_load(&ctl->stage[ST_QUOTED].own.cfg_epoch) ==
	       *(uint64_t *)arg;
}

static void
a_new_config_epoch_takes_effect_at_once(void **state)
{
	pid_t pid = quoted("t");
	uint64_t epoch;

	(void)state;
	wait_ready(1);
	feed(49 * E8 / 100);
	next_intent();
	assert_true(next_intent().qty.e8 > 0);
	assert_true(next_intent().qty.e8 > 0);
	cfg.mm_enabled = false;
	epoch = cfgpage_publish(&page, &cfg);
	assert_true(proc_until(reloaded, &epoch, PROC_WAIT_MS));
	assert_int_equal(next_intent().qty.e8, 0);
	assert_int_equal(next_intent().qty.e8, 0);
	kill(pid, SIGTERM);
	assert_int_equal(proc_exit_code(pid), 0);
}

/* A stage whose supervisor is gone for good stops by itself. */
static void
an_orphan_stops(void **state)
{
	pid_t pid;

	(void)state;
	cfg.supervisor_orphan_timeout.ns = NS_PER_S;
	cfgpage_publish(&page, &cfg);
	atomic_store(&ctl->sup.pid, 1);
	atomic_store(&ctl->sup.heartbeat_ns, proc_now_ns());
	pid = quoted("t");
	wait_ready(1);
	assert_int_equal(proc_exit_code(pid), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(ticks_in_intents_out_and_a_clean_stop),
	    T(kill_9_and_a_new_life_goes_on),
	    T(refusals_have_exit_codes),
	    T(nonsense_in_a_ring_is_dropped),
	    T(a_quarantined_slot_is_skipped_and_the_next_is_not),
	    T(a_new_config_epoch_takes_effect_at_once),
	    T(an_orphan_stops),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
