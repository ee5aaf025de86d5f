/* links: execd libshm libcore */
/* The paper port by itself: acts in, events out. What it makes of books and
 * prints is in test_paper.c. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "execd/port_paper.h"
#include "tests/unit/shmdir.h"

#define CENT(c) PX((int64_t)(c)*E8 / 100)
#define UNIT(q) QTY((int64_t)(q)*E8)
#define PM	INSTR_PM_BASE
#define LATENCY UINT64_C(1000)

static struct port_paper *p;
static struct market *m;
static struct paper_out out;
static uint64_t now;

static void
tick(enum slot_kind kind, enum side side, int cents, int units)
{
	struct tick t;

	memset(&t, 0, sizeof(t));
	t.hdr.kind = (uint8_t)kind;
	t.hdr.instr = PM;
	t.u.level.side = (uint8_t)side;
	t.u.level.px = CENT(cents);
	t.u.level.qty = UNIT(units);
	t.u.level.epoch = 1;
	paper_out_reset(&out);
	if (market_tick(m, &t))
		port_paper_tick(p, m, &t, now, &out);
}

static int
setup(void **state)
{
	struct paper_latency latency = {LATENCY};
	struct instr in;

	(void)state;
	p = calloc(1, sizeof(*p));
	m = calloc(1, sizeof(*m));
	assert_non_null(p);
	assert_non_null(m);
	now = 1000000;
	market_init(m, VENUE_POLYMARKET);
	port_paper_init(p, VENUE_POLYMARKET, QUEUE_PROB_LOG, latency);
	memset(&in, 0, sizeof(in));
	in.cls = CLASS_UPDOWN;
	in.state = INSTR_NORMAL;
	in.epoch = 1;
	in.tick_px = CENT(1);
	assert_int_equal(market_set(m, PM, &in), MARKET_SAME);
	tick(TICK_SNAP_BEGIN, SIDE_BID, 0, 0);
	tick(TICK_LEVEL, SIDE_BID, 48, 100);
	tick(TICK_LEVEL, SIDE_ASK, 52, 100);
	tick(TICK_SNAP_END, SIDE_BID, 0, 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(p);
	free(m);
	return 0;
}

static void
act(enum port_do what, uint32_t slot, uint64_t id, bool urgent)
{
	struct port_act a;

	memset(&a, 0, sizeof(a));
	a.what = what;
	a.slot = slot;
	a.id = id;
	a.instr = (uint16_t)(PM + slot);
	a.side = SIDE_BID;
	a.tif = TIF_GTC;
	a.oflags = ORDER_POST_ONLY;
	a.px = CENT(48);
	a.qty = UNIT(20);
	a.urgent = urgent;
	paper_out_reset(&out);
	port_paper_act(p, m, &a, now, &out);
}

static bool
arrive(void)
{
	paper_out_reset(&out);
	return port_paper_arrive(p, m, now, &out);
}

static void
rest(uint64_t id)
{
	act(PORT_PLACE, 0, id, false);
	assert_int_equal(out.n, 0);
	assert_int_equal(out.touched_n, 1);
	assert_int_equal(port_paper_due(p), now + LATENCY);
	assert_false(arrive());
	now += LATENCY;
	assert_true(arrive());
	assert_int_equal(out.n, 1);
	assert_int_equal(out.ev[0].what, PORT_ACKED);
	assert_int_equal(out.ev[0].id, id);
	assert_int_equal(out.ev[0].qty.e8, UNIT(20).e8);
}

static void
test_questions(void **state)
{
	(void)state;
	act(PORT_ASK, 0, 7, false); /* never heard of */
	assert_int_equal(out.ev[0].what, PORT_GONE);
	assert_int_equal(out.ev[0].id, 7);
	act(PORT_PLACE, 0, 8, false);
	act(PORT_ASK, 0, 8, false); /* on its way */
	assert_int_equal(out.n, 0);
	now += LATENCY;
	assert_true(arrive());
	act(PORT_ASK, 0, 8, false);
	assert_int_equal(out.ev[0].what, PORT_ACKED);
	act(PORT_ASK, 0, 7, false);
	assert_int_equal(out.ev[0].what, PORT_GONE);
}

static void
test_urgent_cancels(void **state)
{
	(void)state;
	rest(8);
	act(PORT_CANCEL, 0, 8, true);
	assert_int_equal(out.ev[0].what, PORT_CANCELLED);
	act(PORT_CANCEL, 0, 8, true); /* it was answered */
	assert_int_equal(out.n, 0);
	/* On its way: it does not arrive. */
	act(PORT_PLACE, 0, 9, false);
	act(PORT_CANCEL, 0, 9, true);
	assert_int_equal(out.ev[0].what, PORT_CANCELLED);
	now += LATENCY;
	assert_true(arrive());
	assert_int_equal(out.n, 0);
	assert_false(arrive());
}

static void
test_one_cancel_is_under_way(void **state)
{
	(void)state;
	rest(8);
	act(PORT_CANCEL, 0, 8, false);
	act(PORT_CANCEL, 0, 8, false);
	now += LATENCY;
	assert_true(arrive());
	assert_int_equal(out.ev[0].what, PORT_CANCELLED);
	assert_false(arrive());
}

/* By QUEUE_PROB_LOG: a cancel with nobody behind was ahead of us. */
static void
test_cancels_ahead_by_the_model(void **state)
{
	(void)state;
	rest(8);
	tick(TICK_LEVEL, SIDE_BID, 48, 160);
	assert_int_equal(p->slot[0].queue.ahead.e8, UNIT(100).e8);
	tick(TICK_LEVEL, SIDE_BID, 48, 130);
	assert_true(p->slot[0].queue.ahead.e8 < UNIT(100).e8);
	assert_true(p->slot[0].queue.ahead.e8 > UNIT(70).e8);
}

static void
test_no_room_on_the_way(void **state)
{
	(void)state;
	rest(8);
	p->flight_n = PAPER_FLIGHT; /* as if */
	act(PORT_PLACE, 1, 9, false);
	assert_int_equal(out.ev[0].what, PORT_REJECTED);
	assert_int_equal(out.ev[0].reason, REASON_FULL);
	act(PORT_CANCEL, 0, 8, false);
	assert_int_equal(out.ev[0].what, PORT_CANCELLED);
}

/* kill -9 with a cancel under way: both sides of the record go on. */
static void
test_records(void **state)
{
	uint8_t rec[PAPER_REC_SZ];
	uint64_t hash;

	(void)state;
	rest(8);
	act(PORT_CANCEL, 0, 8, false);
	hash = port_paper_hash(p, 0);
	port_paper_save(p, 0, rec);
	memset(p->slot, 0, sizeof(p->slot));
	assert_true(port_paper_load(p, 0, rec));
	port_paper_loaded(p);
	assert_int_equal(port_paper_hash(p, 0), hash);
	assert_int_equal(port_paper_due(p), now + LATENCY);
	now += LATENCY;
	assert_true(arrive());
	assert_int_equal(out.ev[0].what, PORT_CANCELLED);
	memset(rec + offsetof(struct paper_slot, state), 0xff, 1);
	assert_false(port_paper_load(p, 0, rec));
}

static void
test_contract(void **state)
{
	(void)state;
	rest(8);
	assert_check_fails(act(PORT_PLACE, 0, 9, false));
	assert_check_fails(act(PORT_DO_N, 0, 8, false));
	assert_check_fails(act(PORT_ASK, PAPER_SLOTS, 8, false));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_questions),
	    T(test_urgent_cancels),
	    T(test_one_cancel_is_under_way),
	    T(test_cancels_ahead_by_the_model),
	    T(test_no_room_on_the_way),
	    T(test_records),
	    T(test_contract),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
