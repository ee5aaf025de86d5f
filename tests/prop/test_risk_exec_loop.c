/* links: riskd execd libshm libcore */
/*
 * riskd and execd together, over queues that delay and repeat, with crashes
 * of either at any step and a market that moves at random. After each step:
 *   1 what execd could still fill in a slot is within what riskd counts
 *   2 riskd's totals are those of a naive recount
 *   3 what was filled is what the market's limit allows
 *   4 every intent got exactly one verdict
 * and at the end, when everything has been delivered: positions agree to the
 * last unit with the fills, and nothing is left open.
 *   SEED=n N=n repeats one run, or makes longer ones.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "execd/paperdesk.h"
#include "libcore/check.h"
#include "libshm/ctl.h"
#include "riskd/risk.h"

#define MARKETS 3
#define QUEUE	65536
#define MS	UINT64_C(1000000)

struct queue_of {
	struct order o[QUEUE];
	uint32_t head;
	uint32_t tail;
};

struct sim {
	struct cfg cfg;
	struct risk *r;
	struct paperdesk *d;
	struct exec *e; /* of the desk */
	struct queue_of order, cancel, report;
	uint8_t (*rrec)[RISK_REC_SZ];
	uint8_t (*erec)[EXEC_REC_SZ];
	struct core_out out;
	uint64_t now;
	uint64_t rng;
	uint64_t quoted_id;
	uint64_t sent; /* intents */
	uint64_t verdicts;
	int mid[MARKETS];     /* cents */
	int64_t pos[MARKETS]; /* from the fills that execd made, once each */
	uint64_t fill_id[QUEUE];
	uint32_t fill_n;
};

static struct sim s;

static uint32_t
rnd(uint32_t n)
{
	s.rng ^= s.rng << 13;
	s.rng ^= s.rng >> 7;
	s.rng ^= s.rng << 17;
	return (uint32_t)(s.rng >> 33) % n;
}

static void
push(struct queue_of *q, const struct order *o)
{
	CHECK(q->tail < QUEUE);
	q->o[q->tail++] = *o;
}

static void
note_fill(const struct order *o)
{
	for (uint32_t i = 0; i < s.fill_n; i++)
		if (s.fill_id[i] == o->fill_id)
			return;
	CHECK(s.fill_n < QUEUE);
	s.fill_id[s.fill_n++] = o->fill_id;
	s.pos[o->hdr.instr - INSTR_PM_BASE] +=
	    o->side == SIDE_BID ? o->exec_qty.e8 : -o->exec_qty.e8;
}

/* Commit, then speak; now and then the last words are said twice, as after
 * a crash between the two. */
static void
speak(bool risk)
{
	uint32_t times = rnd(40) == 0 ? 2 : 1;

	if (risk) {
		for (uint32_t i = 0; i < s.r->dirty_n; i++)
			risk_save(s.r, s.r->dirty[i], s.rrec[s.r->dirty[i]]);
		s.r->dirty_n = 0;
	} else {
		for (uint32_t i = 0; i < s.e->dirty_n; i++)
			paperdesk_save(
			    s.d, s.e->dirty[i], s.erec[s.e->dirty[i]]);
		s.e->dirty_n = 0;
	}
	for (uint32_t t = 0; t < times; t++) {
		for (uint32_t i = 0; i < s.out.n; i++) {
			const struct order *o = &s.out.msg[i].order;
			uint16_t ring = s.out.msg[i].ring;

			if (ring == RG_ORDER_PM)
				push(&s.order, o);
			else if (ring == RG_CANCEL_PM)
				push(&s.cancel, o);
			else if (ring == RG_REPORT_PM_R)
				push(&s.report, o);
			else if (ring == RG_VERDICT && t == 0)
				s.verdicts += o->hdr.kind == MSG_VERDICT;
			if (ring == RG_REPORT_PM_R && t == 0 &&
			    o->hdr.kind == MSG_FILL)
				note_fill(o);
		}
	}
}

static void
to_risk(enum event_kind kind, enum ring_id ring, const union tap *slot,
    const struct instr *in)
{
	struct event ev = {.kind = kind,
	    .ring = (uint16_t)ring,
	    .now_ns = s.now,
	    .wall_ns = INT64_C(1783700000) * NS_PER_S,
	    .slot = slot,
	    .instr = in};

	risk_step(s.r, &ev, &s.out);
	speak(true);
}

static void
to_exec(enum event_kind kind, enum ring_id ring, const union tap *slot,
    const struct instr *in)
{
	struct event ev = {.kind = EV_TIMER,
	    .ring = (uint16_t)ring,
	    .now_ns = s.now,
	    .slot = slot,
	    .instr = in};

	while (paperdesk_due(s.d, s.now)) {
		paperdesk_step(s.d, &ev, &s.out);
		speak(false);
	}
	ev.kind = kind;
	paperdesk_step(s.d, &ev, &s.out);
	speak(false);
}

static struct instr
instrument(void)
{
	struct instr in;

	memset(&in, 0, sizeof(in));
	in.cls = CLASS_BINARY;
	in.state = INSTR_NORMAL;
	in.epoch = 1;
	in.tick_px = PX(E8 / 100);
	in.lot_qty = QTY(E8 / 100);
	in.min_qty = QTY(5 * E8);
	return in;
}

static union tap
tick(enum slot_kind kind, int m)
{
	union tap t;

	memset(&t, 0, sizeof(t));
	t.hdr.kind = (uint8_t)kind;
	t.hdr.instr = (uint16_t)(INSTR_PM_BASE + m);
	t.hdr.recv_ns = s.now;
	return t;
}

static void
feed_book(int m, bool risk, bool exec)
{
	union tap t = tick(TICK_BBO, m);

	t.tick.u.bbo.bid_px = PX((int64_t)(s.mid[m] - 1) * E8 / 100);
	t.tick.u.bbo.ask_px = PX((int64_t)(s.mid[m] + 1) * E8 / 100);
	t.tick.u.bbo.bid_qty = t.tick.u.bbo.ask_qty = QTY(100 * E8);
	if (risk)
		to_risk(EV_SLOT, RG_MD_PM_R, &t, 0);
	if (!exec)
		return;
	to_exec(EV_SLOT, RG_MD_PM_X, &t, 0);
	t = tick(TICK_SNAP_BEGIN, m);
	to_exec(EV_SLOT, RG_MD_PM_X, &t, 0);
	for (int i = 1; i <= 3; i++) {
		for (int side = SIDE_BID; side <= SIDE_ASK; side++) {
			t = tick(TICK_LEVEL, m);
			t.tick.u.level.side = (uint8_t)side;
			t.tick.u.level.epoch = 1;
			t.tick.u.level.px = PX(
			    (int64_t)(s.mid[m] + (side == SIDE_BID ? -i : i)) *
			    E8 / 100);
			t.tick.u.level.qty = QTY((int64_t)(rnd(20) + 1) * E8);
			to_exec(EV_SLOT, RG_MD_PM_X, &t, 0);
		}
	}
	t = tick(TICK_SNAP_END, m);
	to_exec(EV_SLOT, RG_MD_PM_X, &t, 0);
}

static void
feed_links(void)
{
	union tap t = tick(TICK_LINK, 0);

	t.hdr.instr = 0;
	t.tick.u.link.rtt_us = 20000;
	t.tick.u.link.state = LINK_READY;
	to_risk(EV_SLOT, RG_MD_PM_R, &t, 0);
	to_risk(EV_SLOT, RG_MD_BN_R, &t, 0);
	to_risk(EV_SLOT, RG_MD_HL_R, &t, 0);
}

static void
feed_risk(void)
{
	struct instr in = instrument();

	feed_links();
	for (int m = 0; m < MARKETS; m++) {
		union tap t = tick(TICK_INSTR, m);

		snprintf(in.symbol, sizeof(in.symbol), "m%d", m);
		to_risk(EV_SLOT, RG_MD_PM_R, &t, &in);
		feed_book(m, true, false);
	}
}

static void
feed_exec(void)
{
	struct instr in = instrument();

	paperdesk_freeze(s.d, 0, s.now, &s.out);
	speak(false);
	for (int m = 0; m < MARKETS; m++) {
		union tap t = tick(TICK_INSTR, m);

		to_exec(EV_SLOT, RG_MD_PM_X, &t, &in);
		feed_book(m, false, true);
	}
}

static void
intent(void)
{
	union tap t;
	int m = (int)rnd(MARKETS);
	bool bid = rnd(2) == 0;
	int cents = s.mid[m] + (bid ? -1 : 1) * (int)(rnd(3) + 1);

	memset(&t, 0, sizeof(t));
	t.hdr.kind = MSG_INTENT;
	t.hdr.instr = (uint16_t)(INSTR_PM_BASE + m);
	t.hdr.recv_ns = s.now;
	t.order.id = ++s.quoted_id;
	t.order.side = bid ? SIDE_BID : SIDE_ASK;
	t.order.level = (uint8_t)rnd(2);
	t.order.px = PX((int64_t)cents * E8 / 100);
	t.order.qty = QTY(rnd(6) == 0 ? 0 : (int64_t)(rnd(25) + 1) * E8);
	t.order.tif = TIF_GTC;
	t.order.oflags = ORDER_POST_ONLY;
	t.order.strategy = STRATEGY_MAKER;
	to_risk(EV_SLOT, RG_INTENT, &t, 0);
	s.sent++;
}

static void
trade(void)
{
	int m = (int)rnd(MARKETS);
	union tap t = tick(TICK_TRADE, m);
	bool sells = rnd(2) == 0;

	t.tick.u.trade.epoch = 1;
	t.tick.u.trade.side = sells ? SIDE_ASK : SIDE_BID;
	t.tick.u.trade.px = PX(
	    (int64_t)(s.mid[m] + (sells ? -1 : 1) * (int)(rnd(4))) * E8 / 100);
	t.tick.u.trade.qty = QTY((int64_t)(rnd(30) + 1) * E8);
	to_exec(EV_SLOT, RG_MD_PM_X, &t, 0);
}

static bool
deliver(struct queue_of *q, enum ring_id ring)
{
	union tap t;

	if (q->head == q->tail)
		return false;
	memset(&t, 0, sizeof(t));
	t.order = q->o[q->head++];
	if (ring == RG_REPORT_PM_R)
		to_risk(EV_SLOT, ring, &t, 0);
	else
		to_exec(EV_SLOT, ring, &t, 0);
	return true;
}

/* kill -9: only the records are left. */
static void
crash_risk(void)
{
	risk_init(s.r, &s.cfg, 1);
	for (uint32_t i = 0; i < RISK_REC_N; i++)
		assert_true(risk_load(s.r, i, s.rrec[i]));
	risk_loaded(s.r);
	feed_risk();
}

static void
crash_exec(void)
{
	memset(s.d, 0, sizeof(*s.d));
	paperdesk_init(s.d, &s.cfg, VENUE_POLYMARKET, 1);
	for (uint32_t i = 0; i < EXEC_REC_N; i++)
		assert_true(paperdesk_load(s.d, i, s.erec[i]));
	paperdesk_loaded(s.d);
	feed_exec();
}

/* 1: in each slot, what is filled and may still be, in execd's eyes, is at
 * most what riskd allows for. */
static void
check_slots(void)
{
	for (uint32_t k = 0; k < s.e->slot_n; k++) {
		const struct exec_slot *x = &s.e->slot[k];
		uint16_t i = s.r->slot_of[x->instr][x->side][x->level];
		const struct risk_slot *y;
		int64_t may =
		    x->cum.e8 +
		    (x->status != 0 ? x->order.qty.e8 - x->filled.e8 : 0);
		int64_t want =
		    x->want.id == 0
			? 0
			: i64_max(x->cum.e8, x->want.base.e8 + x->want.qty.e8);
		int64_t allowed;

		if (may == 0 && want == 0)
			continue;
		assert_true(i > 0);
		y = &s.r->slot[i - 1];
		allowed = y->cum.e8;
		for (uint32_t o = 0; o < y->n; o++)
			allowed = i64_max(
			    allowed, y->order[o].base.e8 + y->order[o].qty.e8);
		assert_true(i64_max(may, want) <= allowed);
	}
}

/* 2 */
static void
check_totals(void)
{
	int64_t exposure = 0;
	int64_t worst = 0;
	uint32_t open = 0;

	for (uint32_t i = 1; i < INSTR_N; i++) {
		exposure += s.r->instr[i].exposure.e6;
		worst += s.r->instr[i].worst.e6;
	}
	for (uint32_t k = 0; k < s.r->slot_n; k++)
		open += s.r->slot[k].n;
	assert_int_equal(exposure, s.r->exposure.e6);
	assert_int_equal(worst, s.r->worst.e6);
	assert_int_equal(open, s.r->open_n);
}

/* 3: the limit at the price range that this market can have. */
static void
check_positions(void)
{
	double cap = (double)s.cfg.capital_usd.e6 *
		     (double)s.cfg.risk_market_exposure_frac.e8 / 1e14;

	for (int m = 0; m < MARKETS; m++)
		assert_true((double)llabs(s.pos[m]) / 1e8 <= cap / 0.40 + 1);
}

static void
step_once(void)
{
	uint32_t what = rnd(100);

	s.now += rnd(20) * MS / 2;
	if (what < 30)
		intent();
	else if (what < 45)
		trade();
	else if (what < 60)
		deliver(&s.order, RG_ORDER_PM);
	else if (what < 75)
		deliver(&s.cancel, RG_CANCEL_PM);
	else if (what < 95)
		deliver(&s.report, RG_REPORT_PM_R);
	else if (what < 97) {
		int m = (int)rnd(MARKETS);

		s.mid[m] = (int)i64_clamp(s.mid[m] + (int)rnd(3) - 1, 45, 55);
		feed_book(m, true, true);
		feed_links();
	} else if (what == 97)
		crash_risk();
	else if (what == 98)
		crash_exec();
	else if (rnd(10) == 0) {
		paperdesk_freeze(s.d, 1, s.now, &s.out);
		speak(false);
		while (exec_more(s.e)) {
			paperdesk_sweep(s.d, s.now, &s.out);
			speak(false);
		}
		assert_true(exec_flat(s.e));
		paperdesk_freeze(s.d, 0, s.now, &s.out);
		speak(false);
	}
	check_slots();
}

static void
drain(void)
{
	struct risk_world w = s.r->world;

	/* Frozen: riskd begins no exit that nobody would answer. */
	w.ext[VENUE_POLYMARKET] = FREEZE_MANUAL;
	risk_world_set(s.r, &w, s.now, &s.out);
	speak(true);
	for (int i = 0; i < 50; i++) {
		while (deliver(&s.order, RG_ORDER_PM) ||
		       deliver(&s.cancel, RG_CANCEL_PM) ||
		       deliver(&s.report, RG_REPORT_PM_R))
			;
		s.now += 20 * MS;
		to_exec(EV_TIMER, RG_ORDER_PM, 0, 0);
	}
	paperdesk_freeze(s.d, 1, s.now, &s.out);
	speak(false);
	while (exec_more(s.e)) {
		paperdesk_sweep(s.d, s.now, &s.out);
		speak(false);
	}
	while (deliver(&s.report, RG_REPORT_PM_R))
		;
}

static void
run(uint64_t seed, uint32_t n)
{
	memset(&s.order, 0, sizeof(s.order));
	memset(&s.cancel, 0, sizeof(s.cancel));
	memset(&s.report, 0, sizeof(s.report));
	memset(s.pos, 0, sizeof(s.pos));
	memset(s.rrec, 0, RISK_REC_N * sizeof(*s.rrec));
	memset(s.erec, 0, EXEC_REC_N * sizeof(*s.erec));
	s.rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	s.now = 1000 * MS;
	s.quoted_id = UINT64_C(1) << 40;
	s.sent = s.verdicts = 0;
	s.fill_n = 0;
	for (int m = 0; m < MARKETS; m++)
		s.mid[m] = 50;
	risk_init(s.r, &s.cfg, 1);
	memset(s.d, 0, sizeof(*s.d));
	paperdesk_init(s.d, &s.cfg, VENUE_POLYMARKET, 1);
	feed_risk();
	feed_exec();
	for (uint32_t i = 0; i < n; i++) {
		step_once();
		if (i % 16 == 0)
			check_totals();
		check_positions();
	}
	drain();
	assert_int_equal(s.sent, s.verdicts); /* 4 */
	assert_int_equal(s.r->open_n, 0);
	assert_int_equal(s.r->stat.adopted, 0);
	assert_int_equal(s.r->stat.fills, s.fill_n);
	for (int m = 0; m < MARKETS; m++)
		assert_int_equal(
		    s.r->instr[INSTR_PM_BASE + m].pos.qty.e8, s.pos[m]);
	check_totals();
}

static void
test_loop(void **state)
{
	const char *seed = getenv("SEED");
	const char *n = getenv("N");
	uint32_t steps = n != 0 ? (uint32_t)strtoul(n, 0, 10) : 3000;
	uint64_t first = seed != 0 ? strtoull(seed, 0, 10) : 1;
	uint64_t last = seed != 0 ? first : 30;
	uint64_t fills = 0;
	uint64_t kept = 0;
	uint64_t exits = 0;

	(void)state;
	for (uint64_t k = first; k <= last; k++) {
		print_message("SEED=%llu N=%u\n", (unsigned long long)k, steps);
		run(k, steps);
		fills += s.fill_n;
		kept += s.e->stat.kept;
		exits += s.r->stat.exits;
	}
	print_message("%llu fills, %llu kept, %llu forced exits\n",
	    (unsigned long long)fills, (unsigned long long)kept,
	    (unsigned long long)exits);
	assert_true(fills > 0);
	assert_true(seed != 0 || exits > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_loop),
	};
	int rc;

	cfg_defaults(&s.cfg);
	s.cfg.capital_usd = USD(300 * E6);
	s.cfg.risk_max_orders_per_s = 10000;
	s.cfg.risk_max_orders_per_s_market = 1000;
	s.cfg.mm_global_daily_loss_limit = USD(10000 * E6);
	s.cfg.mm_max_loss_per_position = USD(E6 / 50);
	s.r = calloc(1, sizeof(*s.r));
	s.d = calloc(1, sizeof(*s.d));
	s.e = &s.d->e;
	s.rrec = calloc(RISK_REC_N, sizeof(*s.rrec));
	s.erec = calloc(EXEC_REC_N, sizeof(*s.erec));
	rc = cmocka_run_group_tests(tests, 0, 0);
	free(s.r);
	free(s.d);
	free(s.rrec);
	free(s.erec);
	return rc;
}
