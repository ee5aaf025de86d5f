/* links: recorderd libsys libshm libcore */
/*
 * A day made by hand: figures that can be checked with a pencil.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/json.h"
#include "recorderd/truth.h"

#define DAY  (INT64_C(20000) * 86400 * NS_PER_S)
#define MONO UINT64_C(1000000000000)
#define SEC  UINT64_C(1000000000)
#define YES  20

static struct truth *t;
static uint64_t fill_id;

/* s seconds into the day; may be negative. */
static void
send(uint8_t source, union tap *s, int64_t sec)
{
	struct reader_event ev = {.kind = READER_SLOT,
	    .source = source,
	    .slot = s,
	    .wall_ns = DAY + sec * NS_PER_S,
	    .at_ns = MONO + (uint64_t)(sec * NS_PER_S)};

	s->hdr.recv_ns = ev.at_ns;
	truth_step(t, &ev);
}

static void
book(int64_t bid_cent, int64_t ask_cent, int64_t sec)
{
	union tap s = {.tick = {.hdr = {.kind = TICK_BBO, .instr = YES}}};

	s.tick.u.bbo = (struct tick_bbo){
	    PX(bid_cent * 1000000), QTY(E8), PX(ask_cent * 1000000), QTY(E8)};
	send(ST_FEEDD_PM, &s, sec);
}

static void
fill(enum side side, int64_t cent, int64_t qty, uint8_t oflags, int64_t sec)
{
	union tap s = {.order = {.hdr = {.kind = MSG_FILL, .instr = YES}}};

	s.order.side = (uint8_t)side;
	s.order.exec_px = PX(cent * 1000000);
	s.order.exec_qty = s.order.cum_qty = QTY(qty * E8);
	s.order.fill_id = ++fill_id;
	s.order.venue = VENUE_POLYMARKET;
	s.order.strategy = STRATEGY_MAKER;
	s.order.oflags = oflags;
	s.order.usd = USD((oflags & ORDER_MAKER) != 0 ? -1000 : 20000);
	send(ST_EXECD_PM, &s, sec);
	/* Told again, to the other reader or after a restart. */
	send(ST_EXECD_PM, &s, sec);
}

static void
ack(int64_t sec)
{
	union tap s = {.order = {.hdr = {.kind = MSG_ACK, .instr = YES}}};

	s.order.strategy = STRATEGY_MAKER;
	s.order.send_delta = 1000;
	s.order.ack_delta = 41000;
	send(ST_EXECD_PM, &s, sec);
}

static void
outcome(uint8_t what, int64_t sec)
{
	struct instr in = {.symbol = "m",
	    .venue = VENUE_POLYMARKET,
	    .state = INSTR_RESOLVED,
	    .epoch = 1,
	    .outcome = what};
	struct reader_event ev = {.kind = READER_INSTR,
	    .source = ST_RECORDERD,
	    .instr = &in,
	    .instr_idx = YES,
	    .wall_ns = DAY + sec * NS_PER_S};

	truth_step(t, &ev);
}

static void
freeze(uint64_t mask, int64_t sec)
{
	struct reader_event ev = {.kind = READER_FREEZE,
	    .source = ST_RECORDERD,
	    .freeze = {mask, 1, FW_RISKD, 0},
	    .wall_ns = DAY + sec * NS_PER_S};

	truth_step(t, &ev);
}

static void
link_is(uint8_t state, int64_t sec)
{
	union tap s = {.tick = {.hdr = {.kind = TICK_LINK}}};

	s.tick.u.link.venue = VENUE_POLYMARKET;
	s.tick.u.link.state = state;
	send(ST_FEEDD_PM, &s, sec);
}

static int
setup(void **state)
{
	static struct cfg cfg;

	(void)state;
	cfg_defaults(&cfg);
	fill_id = 0;
	truth_init(t, DAY, &cfg);
	return 0;
}

static void
profit_and_markouts(void **state)
{
	struct truth_sum s;

	(void)state;
	book(49, 51, 10);
	ack(11);
	ack(11);
	/* Bought 10 at 0.49, half a spread under the mid. */
	fill(SIDE_BID, 49, 10, ORDER_MAKER, 12);
	book(50, 52, 43);  /* 30 s: mid 0.51, +2 c */
	book(48, 50, 133); /* 2 min: mid 0.49, 0 */
	/* Sold 4 at 0.50, as a taker. */
	fill(SIDE_ASK, 50, 4, 0, 200);
	book(47, 49, 613); /* 10 min: mid 0.48, -1 c */
	truth_end(t);
	truth_sum(t, &s);
	/* 4 * 1 c realised; 6 left, from 0.49 to 0.48. */
	assert_int_equal(s.realised.e6, 40000);
	assert_int_equal(s.unrealised.e6, -60000);
	assert_int_equal(s.fees.e6, 20000);
	assert_int_equal(s.rebates.e6, 1000);
	assert_int_equal(s.pnl.e6, 40000 - 60000 - 20000 + 1000);
	assert_int_equal(s.volume.e6, 4900000 + 2000000);
	assert_int_equal(s.fills, 2);
	assert_true(fabs(s.maker_frac - 4.9 / 6.9) < 1e-12);
	assert_true(fabs(s.fill_frac - 1.0) < 1e-12);
	/* Highest at 0.51: 10 * 2 c and the rebate; then down to the end. */
	assert_int_equal(s.drawdown.e6, 201000 - s.pnl.e6);
	const struct truth_part *p = &t->part[STRATEGY_MAKER];

	assert_int_equal(p->spread_e16 / p->spread_qty, 1000000);
	assert_int_equal(p->markout_n[0], 1);
	assert_int_equal(p->markout_sum_e8[0], 2000000);
	assert_int_equal(p->markout_sum_e8[1], 0);
	assert_int_equal(p->markout_n[1], 1);
	assert_int_equal(p->markout_sum_e8[2], -1000000);
}

/* What was held before the day counts from what it was worth then. */
static void
before_the_day(void **state)
{
	struct truth_sum s;

	(void)state;
	book(49, 51, -500);
	fill(SIDE_BID, 40, 10, ORDER_MAKER, -400);
	book(59, 61, -300);
	book(69, 71, 5);
	fill(SIDE_ASK, 70, 10, ORDER_MAKER, 90000); /* tomorrow */
	truth_end(t);
	truth_sum(t, &s);
	assert_int_equal(s.fills, 0);
	assert_int_equal(s.pnl.e6, 1000000); /* 10 * (0.70 - 0.60) */
	assert_int_equal(s.rebates.e6, 0);
}

static void
settles(void **state)
{
	struct truth_sum s;

	(void)state;
	book(49, 51, 1);
	fill(SIDE_BID, 40, 10, 0, 2);
	outcome(0, 3);
	outcome(OUTCOME_NO, 4);
	outcome(OUTCOME_NO, 5);
	book(98, 99, 6);
	truth_end(t);
	truth_sum(t, &s);
	assert_int_equal(s.realised.e6, -4000000);
	assert_int_equal(s.unrealised.e6, 0);
	assert_true(s.drawdown.e6 > 0);
}

static void
reversed(void **state)
{
	struct truth_sum s;

	(void)state;
	book(49, 51, 1);
	fill(SIDE_BID, 50, 10, 0, 2);
	fill(SIDE_ASK, 50, 10, ORDER_REVERSED, 3);
	truth_end(t);
	truth_sum(t, &s);
	assert_int_equal(s.realised.e6, 0);
	assert_int_equal(s.fills, 1);
	assert_int_equal(t->reversed, 1);
}

static void
health(void **state)
{
	char text[TRUTH_JSON_SZ];
	union tap s = {.tick = {.hdr = {.kind = TICK_RESTART}}};
	struct reader_event run = {.kind = READER_RUN};
	struct reader_event gap = {.kind = READER_GAP,
	    .gap = {.lost_n = 7},
	    .wall_ns = DAY + 70 * NS_PER_S};

	(void)state;
	truth_step(t, &run);
	link_is(LINK_READY, 0);
	freeze(FREEZE_STARTUP, 0);
	send(ST_RISKD, &s, 1);
	freeze(0, 10);
	link_is(LINK_DOWN, 50);
	freeze(FREEZE_LATENCY, 60);
	send(ST_RISKD, &s, 61);
	link_is(LINK_READY, 75);
	truth_step(t, &gap);
	book(1, 2, 100);
	truth_end(t);
	assert_int_equal(t->feed[VENUE_POLYMARKET].up_ns, 75 * SEC);
	assert_int_equal(t->feed[VENUE_POLYMARKET].downs, 1);
	assert_int_equal(t->frozen_ns, 50 * SEC);
	assert_int_equal(t->cancel_alls, 2);
	assert_int_equal(t->restarts[ST_RISKD], 1);
	assert_int_equal(t->lost, 7);
	size_t n = truth_json(t, text, sizeof(text));
	struct json j;

	assert_true(n > 100);
	json_init(&j, text, n);
	assert_true(json_skip(&j));
	assert_true(json_end(&j));
	assert_non_null(strstr(text, "\"whole\":false"));
	assert_non_null(strstr(text, "\"uptime_frac\":0.750000"));
	assert_non_null(strstr(text, "\"freezes\":{\"startup\":1,"
				     "\"latency\":1}"));
	assert_int_equal(truth_json(t, text, 200), 0);
}

static void
durations(void **state)
{
	int64_t ns;

	(void)state;
	assert_true(truth_duration("30s", &ns));
	assert_int_equal(ns, 30 * NS_PER_S);
	assert_true(truth_duration("1.5m", &ns));
	assert_int_equal(ns, 90 * NS_PER_S);
	assert_true(truth_duration("500ms", &ns));
	assert_int_equal(ns, 500 * NS_PER_MS);
	assert_false(truth_duration("30", &ns));
	assert_false(truth_duration("s", &ns));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(profit_and_markouts, setup),
	    cmocka_unit_test_setup(before_the_day, setup),
	    cmocka_unit_test_setup(settles, setup),
	    cmocka_unit_test_setup(reversed, setup),
	    cmocka_unit_test_setup(health, setup),
	    cmocka_unit_test_setup(durations, setup)};

	t = calloc(1, sizeof(*t));
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	free(t);
	return rc;
}
