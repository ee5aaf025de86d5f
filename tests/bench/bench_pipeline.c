/* links: libsys libshm libcore */
/*
 * Tick to order through all processes: this program is the three feeds; the
 * real quoted, riskd and execd.polymarket do the rest. A quiet book is opened
 * and closed again and again; each opening makes two orders. What is measured
 * is the order's own stamp: market data received -> order written.
 *
 * Reference, in the same run: three bare futex wakes in a row between four
 * processes on one core (blocking), or nothing (spinning needs five cores).
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libshm/cfgpage.h"
#include "libshm/ctl.h"
#include "libshm/instr.h"
#include "libshm/ring.h"
#include "libshm/slots.h"
#include "tests/bench/bench.h"
#include "tests/pipeline/proc.h"

#define PM	   INSTR_PM_BASE
#define WAIT_MS	   2000
#define MISSED_MAX 5
#define HOPS	   3

static struct instance in;
static struct ctl *ctl;
static struct instr_table *table;
static struct ring md[RG_N];
static struct ring tap[3]; /* as the recorder: execd, riskd, quoted */
static pid_t stages[3];
static const enum ring_id taps[3] = {
    RG_TAP_EXEC_PM, RG_TAP_RISKD, RG_TAP_QUOTED};

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "bench_pipeline: %s: %s\n", what, why);
	for (size_t i = 0; i < 3; i++)
		if (stages[i] > 0)
			kill(stages[i], SIGKILL);
	exit(1);
}

static void
attach(enum ring_id id)
{
	struct err e;

	if (ring_attach(&md[id], in.dirfd, &topo_rings[id], RING_PRODUCER, &e) <
	    0)
		die(topo_rings[id].name, e.text);
	md[id].bell.bell = &ctl->stage[topo_rings[id].reader].bell;
	md[id].bell.fifo_fd = -1;
	if (topo_stages[topo_rings[id].reader].flags & STAGE_SOCK)
		md[id].bell.fifo_fd = bell_fifo_open(
		    in.dirfd, topo_stages[topo_rings[id].reader].name, &e);
}

static void
setup(const char *dir, bool spin)
{
	static struct cfg cfg;
	struct cfgpage page;
	struct err e;

	setenv("RINGMAKER_SHM", dir, 1);
	cfg_defaults(&cfg);
	cfg.system_mode = MODE_PAPER;
	cfg.system_wait = spin ? CFG_WAIT_SPIN : CFG_WAIT_BLOCK;
	cfg.warmup_max_s.ns = 0;
	cfg.exec_paper_latency.ns = 0;
	cfg.risk_max_orders_per_s = 10000;
	cfg.risk_max_orders_per_s_market = 1000;
	cfg.hyperliquid_enabled = false;
	snprintf(
	    cfg.system_state_dir.s, sizeof(cfg.system_state_dir.s), "%s", dir);
	if (instance_create(&in, "bench", 1, &e) < 0 ||
	    cfgpage_create(&page, in.dirfd, 1, &cfg, &e) < 0 ||
	    ctl_attach(&ctl, in.dirfd, true, &e) < 0 ||
	    instr_attach(&table, in.dirfd, true, &e) < 0)
		die("shared memory", e.text);
	for (size_t i = 0; i < 3; i++)
		if (ring_attach(&tap[i], in.dirfd, &topo_rings[taps[i]],
			RING_CONSUMER, &e) < 0)
			die("tap", e.text);
	attach(RG_MD_PM_Q);
	attach(RG_MD_PM_R);
	attach(RG_MD_PM_X);
	attach(RG_MD_BN_Q);
	attach(RG_MD_BN_R);
}

static void
start_stages(const char *dir)
{
	const char *argv[3][6] = {
	    {"execd", "--instance", "bench", "--stage", "execd.polymarket",
		NULL},
	    {"riskd", "--instance", "bench", NULL},
	    {"quoted", "--instance", "bench", NULL},
	};
	char log[300];

	snprintf(log, sizeof(log), "%s/log", dir);
	for (size_t i = 0; i < 3; i++)
		stages[i] = proc_start(argv[i], log);
}

static void
push(enum ring_id id, union tap *t)
{
	if (!ring_push(&md[id], t))
		die(topo_rings[id].name, "ring full");
}

/* To every reader of Polymarket data. */
static void
push_all(union tap *t)
{
	push(RG_MD_PM_Q, t);
	push(RG_MD_PM_R, t);
	push(RG_MD_PM_X, t);
}

static void
links(void)
{
	union tap t = {.hdr = {.kind = TICK_LINK, .recv_ns = proc_now_ns()}};

	t.tick.u.link.state = LINK_READY;
	t.tick.u.link.rtt_us = 300 + (uint32_t)(t.hdr.recv_ns % 64);
	t.tick.u.link.rtt_ema_us = 300;
	push_all(&t);
	push(RG_MD_BN_Q, &t);
	push(RG_MD_BN_R, &t);
}

static void
level(uint8_t side, int64_t px_e8, int64_t qty_e8)
{
	union tap t = {
	    .hdr = {.kind = TICK_LEVEL, .instr = PM, .recv_ns = proc_now_ns()}};

	t.tick.u.level.px = PX(px_e8);
	t.tick.u.level.qty = QTY(qty_e8);
	t.tick.u.level.side = side;
	t.tick.u.level.epoch = 1;
	push(RG_MD_PM_X, &t);
}

static void
market(void)
{
	struct instr i = {.symbol = "bench",
	    .venue = VENUE_POLYMARKET,
	    .cls = CLASS_BINARY,
	    .state = INSTR_NORMAL,
	    .epoch = 1,
	    .tick_px = PX(E8 / 100),
	    .lot_qty = QTY(E8 / 100),
	    .min_qty = QTY(5 * E8)};
	union tap t = {
	    .hdr = {.kind = TICK_INSTR, .instr = PM, .recv_ns = proc_now_ns()}};

	instr_write(table, PM, &i);
	t.tick.u.instr.epoch = 1;
	push_all(&t);
	memset(&t.tick.u, 0, sizeof(t.tick.u));
	t.hdr.kind = TICK_SNAP_BEGIN;
	t.tick.u.snap.epoch = 1;
	push(RG_MD_PM_X, &t);
	level(SIDE_BID, 49 * E8 / 100, 100 * E8);
	level(SIDE_ASK, 51 * E8 / 100, 100 * E8);
	t.hdr.kind = TICK_SNAP_END;
	push(RG_MD_PM_X, &t);
}

/* Open: two cents wide, quoted. Closed: ten, gapped. */
static void
book(bool open)
{
	union tap t = {
	    .hdr = {.kind = TICK_BBO, .flags = SLOT_BATCH_END, .instr = PM}};

	t.tick.u.bbo.bid_px = PX((open ? 49 : 44) * E8 / 100);
	t.tick.u.bbo.ask_px = PX((open ? 51 : 56) * E8 / 100);
	t.tick.u.bbo.bid_qty = t.tick.u.bbo.ask_qty = QTY(100 * E8);
	t.hdr.recv_ns = proc_now_ns();
	push_all(&t);
}

static void
drain(struct ring *r)
{
	while (ring_peek(r) != NULL)
		ring_release(r);
}

/* Next report of a kind; its order is copied out. */
static bool
report(uint8_t kind, struct order *o)
{
	uint64_t until = proc_now_ns() + WAIT_MS * 1000000ull;

	while (proc_now_ns() < until) {
		const union tap *t = ring_peek(&tap[0]);

		if (t == NULL) {
			drain(&tap[1]);
			drain(&tap[2]);
			usleep(50);
			continue;
		}
		*o = t->order;
		ring_release(&tap[0]);
		if (o->hdr.kind == kind)
			return true;
	}
	return false;
}

static void
until_trading(void)
{
	struct order o;

	for (int i = 0; i < 20; i++) {
		links();
		book(false);
		usleep(150000);
		book(true);
		if (ctl_gate(ctl, VENUE_POLYMARKET, proc_now_ns()) == 0 &&
		    report(MSG_ACK, &o))
			return;
	}
	die("pipeline", "does not trade; see its log");
}

static void
pass(const char *name, size_t n, double ref)
{
	uint64_t *ns = calloc(2 * n, sizeof(*ns));
	size_t got = 0;
	size_t missed = 0;
	struct order o;
	uint64_t link_ns = 0;

	if (ns == NULL)
		die("memory", "none");
	for (size_t i = 0; i < n; i++) {
		if (proc_now_ns() - link_ns > 500000000u) {
			links();
			link_ns = proc_now_ns();
		}
		/* Nothing may rest any more before the next opening. */
		book(false);
		for (int k = 0; k < 2; k++)
			report(MSG_DONE, &o);
		usleep(3000);
		book(true);
		for (int k = 0; k < 2; k++) {
			if (report(MSG_ACK, &o))
				ns[got++] = o.send_delta;
			else if (++missed > MISSED_MAX)
				die(name, "orders do not come; see its log");
		}
	}
	if (got == 0)
		die(name, "no order came");
	bench_report(name, ns, got, ref);
	free(ns);
}

static void
hop(_Atomic uint32_t *from, _Atomic uint32_t *to, uint32_t turns)
{
	for (uint32_t i = 1; i <= turns; i++) {
		while (atomic_load(from) != i)
			syscall(SYS_futex, from, FUTEX_WAIT, i - 1, 0, 0, 0);
		atomic_store(to, i);
		syscall(SYS_futex, to, FUTEX_WAKE, 1, 0, 0, 0);
	}
}

/* Median time of HOPS futex wakes in a row, all processes on one core. */
static double
futex_chain(uint32_t turns)
{
	_Atomic uint32_t *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t *ns = calloc(turns, sizeof(*ns));
	pid_t pid[HOPS];
	cpu_set_t one;
	cpu_set_t all;
	double p50;

	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	for (int i = 0; i < HOPS; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			hop(&w[i * 32], &w[(i + 1) * 32], turns);
			_exit(0);
		}
	}
	for (uint32_t i = 1; i <= turns; i++) {
		uint64_t t = proc_now_ns();

		atomic_store(&w[0], i);
		syscall(SYS_futex, &w[0], FUTEX_WAKE, 1, 0, 0, 0);
		while (atomic_load(&w[HOPS * 32]) != i)
			syscall(SYS_futex, &w[HOPS * 32], FUTEX_WAIT, i - 1, 0,
			    0, 0);
		ns[i - 1] = proc_now_ns() - t;
		usleep(500);
	}
	for (int i = 0; i < HOPS; i++)
		waitpid(pid[i], NULL, 0);
	sched_setaffinity(0, sizeof(all), &all);
	p50 = bench_quantile(ns, turns, 500);
	free(ns);
	return p50;
}

static void
stop_stages(void)
{
	for (int i = 2; i >= 0; i--)
		kill(stages[i], SIGTERM);
	for (int i = 0; i < 3; i++)
		proc_exit_code(stages[i]);
}

static void
run(const char *name, bool spin, size_t n, double ref)
{
	char dir[128];

	snprintf(dir, sizeof(dir), "%s", proc_tmp("bench"));
	setup(dir, spin);
	start_stages(dir);
	market();
	until_trading();
	pass(name, n, ref);
	stop_stages();
	proc_rmtree(dir);
}

int
main(void)
{
	size_t n = bench_quick() ? 50 : 2000;
	double ref = futex_chain(bench_quick() ? 50 : 2000);

	run("tick_to_order_blocking", false, n, ref);
	if (sysconf(_SC_NPROCESSORS_ONLN) > 4)
		run("tick_to_order_spinning", true, n, 0);
	else
		printf("# tick_to_order_spinning: skipped, needs a core for "
		       "each of 3 stages, the feed and one more; here %ld\n",
		    sysconf(_SC_NPROCESSORS_ONLN));
	return 0;
}
