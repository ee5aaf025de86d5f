/*
 * benchrig.h - the trading stages with a bench in place of feeds, recorder
 * and supervisor; for bench_pipeline.c and bench_freeze.c.
 *
 * What    : the real quoted, riskd and execd.polymarket on one quiet market;
 *           in mode sim they trade on a real `simvenue --live`, whose quiet
 *           market it is. Include once; links libvenue libsys libshm libcore.
 * Quoting : an open book is two cents wide and quoted, each time with two
 *           orders; a closed one is gapped, and withdraws them.
 * Ends    : everything that can fail ends the bench with a line on stderr.
 */
#ifndef TESTS_BENCH_BENCHRIG_H
#define TESTS_BENCH_BENCHRIG_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libshm/cfgpage.h"
#include "libshm/ctl.h"
#include "libshm/metrics.h"
#include "libshm/ring.h"
#include "libshm/slots.h"
#include "tests/bench/bench.h"
#include "tests/bench/benchvenue.h"
#include "tests/pipeline/proc.h"

#define PM	INSTR_PM_BASE
#define WAIT_MS 2000
/* The port takes 32 orders a second of a venue that allows 40. */
#define LIVE_TURN_NS UINT64_C(70000000)

static struct instance in;
static struct ctl *ctl;
static struct instr_table *table;
static struct ring md[RG_N];
static struct ring tap[3]; /* as the recorder: execd, riskd, quoted */
static const enum ring_id taps[3] = {
    RG_TAP_EXEC_PM, RG_TAP_RISKD, RG_TAP_QUOTED};

/* ---- the stages ---- */

static inline void
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

static inline void
attach_all(void)
{
	struct err e;

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

/* rig_cfg - to be changed before rig_open. */
static inline void
rig_cfg(struct cfg *cfg, const char *dir, bool live)
{
	cfg_defaults(cfg);
	cfg->system_mode = live ? MODE_SIM : MODE_PAPER;
	cfg->warmup_max_s.ns = 0;
	cfg->exec_paper_latency.ns = 0;
	cfg->risk_max_orders_per_s = 10000;
	cfg->risk_max_orders_per_s_market = 1000;
	cfg->rrs_veto_maker.e8 = E8; /* no texts here */
	cfg->hyperliquid_enabled = false;
	snprintf(cfg->system_state_dir.s, sizeof(cfg->system_state_dir.s), "%s",
	    dir);
	if (!live)
		return;
	snprintf(cfg->polymarket_rest_url.s, sizeof(cfg->polymarket_rest_url.s),
	    "http://127.0.0.1:%u", venue_port);
	snprintf(cfg->polymarket_user_url.s, sizeof(cfg->polymarket_user_url.s),
	    "ws://127.0.0.1:%u/ws/user", venue_port);
}

static inline pid_t
stage_start(int which, const char *dir)
{
	const char *argv[3][6] = {
	    {"execd", "--instance", "bench", "--stage", "execd.polymarket",
		NULL},
	    {"riskd", "--instance", "bench", NULL},
	    {"quoted", "--instance", "bench", NULL},
	};
	char log[300];

	snprintf(log, sizeof(log), "%s/log", dir);
	stages[which] = proc_start(argv[which], log);
	return stages[which];
}

static inline void
rig_open(const struct cfg *cfg, const char *dir)
{
	struct cfgpage page;
	struct err e;

	setenv("RINGMAKER_SHM", dir, 1);
	if (instance_create(&in, "bench", 1, &e) < 0 ||
	    cfgpage_create(&page, in.dirfd, 1, cfg, &e) < 0 ||
	    ctl_attach(&ctl, in.dirfd, true, &e) < 0 ||
	    instr_attach(&table, in.dirfd, true, &e) < 0)
		die("shared memory", e.text);
	attach_all();
	instr_write(table, PM, &market_is);
	for (int i = EXECD; i <= QUOTED; i++)
		stage_start(i, dir);
}

static inline void
rig_close(void)
{
	for (int i = STAGES - 1; i >= 0; i--) {
		if (stages[i] > 0 && i != VENUE) {
			kill(stages[i], SIGTERM);
			proc_exit_code(stages[i]);
			stages[i] = 0;
		}
	}
	if (stages[VENUE] > 0) {
		kill(stages[VENUE], SIGTERM);
		proc_exit_code(stages[VENUE]);
		stages[VENUE] = 0;
	}
}

/* ---- being the feeds ---- */

static inline void
push(enum ring_id id, union tap *t)
{
	if (!ring_push(&md[id], t))
		die(topo_rings[id].name, "ring full");
}

/* To every reader of Polymarket data. */
static inline void
push_all(union tap *t)
{
	push(RG_MD_PM_Q, t);
	push(RG_MD_PM_R, t);
	push(RG_MD_PM_X, t);
}

static inline void
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

static inline void
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

static inline void
market(void)
{
	union tap t = {
	    .hdr = {.kind = TICK_INSTR, .instr = PM, .recv_ns = proc_now_ns()}};

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

/* Open: two cents wide around the mid, quoted. Closed: twelve, gapped. */
static inline void
book_at(int64_t cents, bool open)
{
	union tap t = {
	    .hdr = {.kind = TICK_BBO, .flags = SLOT_BATCH_END, .instr = PM}};

	t.tick.u.bbo.bid_px = PX((cents - (open ? 1 : 6)) * E8 / 100);
	t.tick.u.bbo.ask_px = PX((cents + (open ? 1 : 6)) * E8 / 100);
	t.tick.u.bbo.bid_qty = t.tick.u.bbo.ask_qty = QTY(100 * E8);
	t.hdr.recv_ns = proc_now_ns();
	push_all(&t);
}

static inline void
book(bool open)
{
	book_at(50, open);
}

static inline void
drain(struct ring *r)
{
	while (ring_peek(r) != NULL)
		ring_release(r);
}

/* Next report of a kind; its order is copied out. */
static inline bool
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

static inline void
until_trading(void)
{
	struct order o;

	for (int i = 0; i < 100; i++) {
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

#endif
