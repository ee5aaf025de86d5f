/* links: execd riskd libshm libcore */
/* Order management and a venue that is played by hand: what it is asked to
 * do, and what it tells of what the venue said. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "execd/exec.h"
#include "libcore/check.h"
#include "libshm/ctl.h"
#include "riskd/risk.h"
#include "tests/unit/shmdir.h"

#define CENT(c) PX((int64_t)(c)*E8 / 100)
#define UNIT(q) QTY((int64_t)(q)*E8)
#define MS	UINT64_C(1000000)
#define PM	INSTR_PM_BASE
#define LIMIT	((uint64_t)e->cfg.exec_order_timeout.ns)

static struct exec *e;
static struct cfg cfg;
static struct core_out out;
static uint64_t now;
static uint64_t next_id;
/* Since the last call that could tell something. */
static struct port_act act[EXEC_ACTS];
static uint32_t act_n;
static struct order said[64];
static uint32_t said_n;

static void
take(void)
{
	act_n = e->act_n;
	memcpy(act, e->act, sizeof(act));
	e->act_n = 0;
	said_n = 0;
	for (uint32_t i = 0; i < out.n; i++)
		if (out.msg[i].ring == RG_REPORT_PM_R)
			said[said_n++] = out.msg[i].order;
	core_out_reset(&out);
	e->dirty_n = 0;
}

static void
step(const union tap *slot, const struct instr *in)
{
	struct event ev = {.kind = slot != 0 ? EV_SLOT : EV_TIMER,
	    .now_ns = now,
	    .wall_ns = (int64_t)now + 1000,
	    .slot = slot,
	    .instr = in};

	exec_step(e, &ev, &out);
	take();
}

static void
wait_ns(uint64_t ns)
{
	now += ns;
	step(0, 0);
}

static struct order
make(int cents, int units)
{
	struct order o;

	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_ORDER;
	o.hdr.instr = PM;
	o.hdr.recv_ns = now;
	o.id = ++next_id;
	o.px = CENT(cents);
	o.qty = UNIT(units);
	o.side = SIDE_BID;
	o.strategy = STRATEGY_MAKER;
	o.tif = TIF_GTC;
	o.oflags = ORDER_POST_ONLY;
	o.epoch = 1;
	return o;
}

static uint64_t
send(const struct order *o)
{
	union tap t;

	memset(&t, 0, sizeof(t));
	t.order = *o;
	step(&t, 0);
	return o->id;
}

static uint64_t
order(int cents, int units)
{
	struct order o = make(cents, units);

	return send(&o);
}

static void
cancel(uint64_t id)
{
	struct order o = make(50, 10);

	next_id--;
	o.hdr.kind = MSG_CANCEL;
	o.id = id;
	send(&o);
}

static struct port_event
event(enum port_ev what, uint64_t id)
{
	struct port_event ev;

	memset(&ev, 0, sizeof(ev));
	ev.what = what;
	ev.id = id;
	ev.instr = PM;
	ev.side = SIDE_BID;
	ev.reason = REASON_VENUE;
	return ev;
}

static void
venue(enum port_ev what, uint64_t id)
{
	struct port_event ev = event(what, id);

	exec_port_event(e, &ev, now, &out);
	take();
}

static void
refused(uint64_t id, enum reason why)
{
	struct port_event ev = event(PORT_REJECTED, id);

	ev.reason = why;
	exec_port_event(e, &ev, now, &out);
	take();
}

static void
fill(enum port_ev what, uint64_t id, int units, uint64_t fill_id)
{
	struct port_event ev = event(what, id);

	ev.px = CENT(48);
	ev.qty = UNIT(units);
	ev.usd = USD(7);
	ev.fill_id = fill_id;
	ev.side = SIDE_ASK; /* the venue names the taker's */
	exec_port_event(e, &ev, now, &out);
	take();
}

#define ASSERT_ACT(i, what_, id_)                     \
	do {                                          \
		assert_true((i) < act_n);             \
		assert_int_equal(act[i].what, what_); \
		assert_int_equal(act[i].id, id_);     \
	} while (0)
#define ASSERT_SAID(i, kind_, id_, reason_)                \
	do {                                               \
		assert_true((i) < said_n);                 \
		assert_int_equal(said[i].hdr.kind, kind_); \
		assert_int_equal(said[i].id, id_);         \
		assert_int_equal(said[i].reason, reason_); \
	} while (0)

static int
setup(void **state)
{
	union tap t;
	struct instr in;

	(void)state;
	cfg_defaults(&cfg);
	e = calloc(1, sizeof(*e));
	assert_non_null(e);
	now = 1000000 * MS;
	next_id = UINT64_C(1) << 40;
	core_out_reset(&out);
	exec_init(e, &cfg, VENUE_POLYMARKET, 1);
	exec_port_mode(e, PORT_NORMAL);
	e->retry_ns = MS / 2;
	exec_freeze(e, 0, now, &out);
	memset(&in, 0, sizeof(in));
	in.cls = CLASS_UPDOWN;
	in.state = INSTR_NORMAL;
	in.epoch = 1;
	in.tick_px = CENT(1);
	in.min_qty = UNIT(5);
	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_INSTR;
	t.hdr.instr = PM;
	step(&t, &in);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(e);
	return 0;
}

/* An order that rests. */
static uint64_t
rest(int cents, int units)
{
	uint64_t id = order(cents, units);

	ASSERT_ACT(0, PORT_PLACE, id);
	venue(PORT_ACKED, id);
	ASSERT_SAID(0, MSG_ACK, id, REASON_OK);
	return id;
}

static void
T_31_silence_is_asked_about_and_never_placed_again(void **state)
{
	uint64_t a = order(48, 20);

	(void)state;
	assert_int_equal(act_n, 1);
	order(47, 20);
	wait_ns(LIMIT);
	assert_int_equal(act_n, 1);
	ASSERT_ACT(0, PORT_ASK, a);
	assert_int_equal(e->slot[0].status, ORDER_UNKNOWN);
	assert_false(exec_flat(e));
	/* Still nothing: asked again, and cancelled by its id. */
	wait_ns(LIMIT);
	assert_int_equal(act_n, 2);
	ASSERT_ACT(0, PORT_ASK, a);
	ASSERT_ACT(1, PORT_CANCEL, a);
	venue(PORT_GONE, a);
	ASSERT_SAID(0, MSG_REJECT, a, REASON_UNKNOWN_ORDER);
	ASSERT_ACT(0, PORT_PLACE, next_id);
}

static void
T_31_unknown_is_found_resting(void **state)
{
	uint64_t a = order(48, 20);

	(void)state;
	venue(PORT_UNKNOWN, a);
	ASSERT_ACT(0, PORT_ASK, a);
	venue(PORT_UNKNOWN, a); /* one question at a time */
	assert_int_equal(act_n, 0);
	venue(PORT_ACKED, a);
	ASSERT_SAID(0, MSG_ACK, a, REASON_OK);
	assert_int_equal(exec_resting(e), 1);
	wait_ns(2 * LIMIT);
	assert_int_equal(act_n, 0);
}

/* From the market data to the order's first byte; the decision until that is
 * known. Of what came after the answer nothing is believed any more. */
static void
test_sent_is_when_it_left(void **state)
{
	uint64_t a = order(48, 20);
	struct port_event ev = event(PORT_ACKED, a);

	(void)state;
	assert_int_equal(e->slot[0].send_delta, 0);
	ev.sent_ns = now + 1234;
	now += 5000;
	exec_port_event(e, &ev, now, &out);
	take();
	ASSERT_SAID(0, MSG_ACK, a, REASON_OK);
	assert_int_equal(said[0].send_delta, 1234);
	assert_int_equal(said[0].ack_delta, 5000);
	ev.what = PORT_CANCELLED;
	ev.sent_ns = now + 9999;
	exec_port_event(e, &ev, now, &out);
	take();
	assert_int_equal(said[0].send_delta, 1234);
	/* Refused, by a clock that cannot be, and by one that can. */
	a = order(47, 20);
	ev = event(PORT_REJECTED, a);
	ev.sent_ns = now - 1;
	exec_port_event(e, &ev, now, &out);
	take();
	assert_int_equal(said[0].send_delta, 0);
	a = order(47, 20);
	ev.id = a;
	ev.sent_ns = now + 55;
	exec_port_event(e, &ev, now, &out);
	take();
	ASSERT_SAID(0, MSG_REJECT, a, REASON_VENUE);
	assert_int_equal(said[0].send_delta, 55);
}

/* A fill may be the first word of an order. */
static void
test_sent_by_a_fill(void **state)
{
	uint64_t a = order(48, 20);
	struct port_event ev = event(PORT_FILLED, a);

	(void)state;
	ev.px = CENT(48);
	ev.qty = UNIT(5);
	ev.fill_id = 9;
	ev.sent_ns = now + 321;
	exec_port_event(e, &ev, now, &out);
	take();
	venue(PORT_ACKED, a);
	ASSERT_SAID(0, MSG_ACK, a, REASON_OK);
	assert_int_equal(said[0].send_delta, 321);
}

static void
T_32_delayed_is_alive(void **state)
{
	uint64_t a = order(48, 20);

	(void)state;
	venue(PORT_DELAYED, a);
	assert_int_equal(said_n, 0);
	order(47, 20);
	assert_int_equal(act_n, 0);
	fill(PORT_FILLED, a, 20, 1);
	ASSERT_SAID(0, MSG_FILL, a, REASON_OK);
	ASSERT_SAID(1, MSG_DONE, a, REASON_OK);
	assert_int_equal(said[1].status, ORDER_FILLED);
}

static void
T_34_a_refused_cancel_leaves_the_order_counted(void **state)
{
	uint64_t a = rest(48, 20);

	(void)state;
	cancel(a);
	ASSERT_ACT(0, PORT_CANCEL, a);
	venue(PORT_NOT_CANCELLED, a);
	assert_int_equal(act_n, 1);
	ASSERT_ACT(0, PORT_ASK, a);
	assert_int_equal(said_n, 0);
	assert_false(exec_flat(e));
	/* Again after a pause, not at once. */
	wait_ns(49 * MS);
	assert_int_equal(act_n, 0);
	wait_ns(1 * MS);
	ASSERT_ACT(0, PORT_CANCEL, a);
	venue(PORT_CANCELLED, a);
	ASSERT_SAID(0, MSG_DONE, a, REASON_OK);
	assert_true(exec_flat(e));
}

static void
T_35_a_silent_cancel_is_not_a_cancel(void **state)
{
	uint64_t a = rest(48, 20);
	uint64_t b = order(47, 20);

	(void)state;
	ASSERT_ACT(0, PORT_CANCEL, a);
	wait_ns(LIMIT);
	ASSERT_ACT(0, PORT_ASK, a);
	assert_int_equal(said_n, 0);
	venue(PORT_CANCELLED, a);
	ASSERT_SAID(0, MSG_DONE, a, REASON_OK);
	ASSERT_ACT(0, PORT_PLACE, b);
}

static void
T_19_fill_before_the_acknowledgement(void **state)
{
	uint64_t a = order(48, 20);

	(void)state;
	fill(PORT_FILLED, a, 5, 1);
	ASSERT_SAID(0, MSG_FILL, a, REASON_OK);
	assert_int_equal(said[0].side, SIDE_BID); /* T-17: of our order */
	venue(PORT_ACKED, a);
	ASSERT_SAID(0, MSG_ACK, a, REASON_OK);
	assert_int_equal(said[0].qty.e8, UNIT(15).e8);
	assert_int_equal(e->stat.late, 1);
	assert_int_equal(e->stat.odd, 0);
}

static void
T_15_a_fill_counts_once(void **state)
{
	uint64_t a = rest(48, 20);

	(void)state;
	fill(PORT_FILLED, a, 5, 9);
	assert_int_equal(said_n, 1);
	fill(PORT_FILLED, a, 5, 9);
	fill(PORT_FILLED, a, 5, 9);
	assert_int_equal(said_n, 0);
	assert_int_equal(e->stat.fill_dups, 2);
	/* T-16: the same trade, another of our orders. */
	fill(PORT_FILLED, a, 5, 10);
	assert_int_equal(said[0].cum_qty.e8, UNIT(10).e8);
}

static void
T_19_fill_after_the_end(void **state)
{
	uint64_t a = rest(48, 20);
	struct port_event ev;

	(void)state;
	cancel(a);
	venue(PORT_CANCELLED, a);
	fill(PORT_FILLED, a, 5, 3);
	ASSERT_SAID(0, MSG_FILL, a, REASON_OK);
	assert_int_equal(said[0].cum_qty.e8, UNIT(5).e8);
	assert_int_equal(said[0].side, SIDE_BID);
	assert_int_equal(said[0].epoch, 1);
	assert_int_equal(e->slot[0].cum.e8, UNIT(5).e8);
	/* Of no order of ours: told as well. */
	ev = event(PORT_FILLED, 77);
	ev.slot = PORT_NO_SLOT;
	ev.side = SIDE_ASK;
	ev.px = CENT(50);
	ev.qty = UNIT(3);
	ev.fill_id = 4;
	exec_port_event(e, &ev, now, &out);
	take();
	ASSERT_SAID(0, MSG_FILL, 77, REASON_OK);
	assert_int_equal(said[0].side, SIDE_ASK);
}

/* Told as the trade that undoes it; riskd ends where it began. */
static void
T_14_a_failed_trade_is_taken_back_once(void **state)
{
	struct risk *r = calloc(1, sizeof(*r));
	struct event ev = {.kind = EV_SLOT, .ring = RG_REPORT_PM_R};
	struct core_out ro;
	union tap t;
	uint64_t a = rest(48, 20);

	(void)state;
	assert_non_null(r);
	risk_init(r, &cfg, 1);
	memset(&t, 0, sizeof(t));
	ev.slot = &t;
	ev.now_ns = now;
	fill(PORT_FILLED, a, 5, 9);
	t.order = said[0];
	risk_step(r, &ev, &ro);
	assert_int_equal(r->instr[PM].pos.qty.e8, UNIT(5).e8);
	fill(PORT_REVERSED, a, 5, 9);
	assert_int_equal(said_n, 1);
	ASSERT_SAID(0, MSG_FILL, a, REASON_OK);
	assert_true((said[0].oflags & ORDER_REVERSED) != 0);
	assert_int_equal(said[0].side, SIDE_ASK);
	assert_int_equal(said[0].usd.e6, -7);
	assert_int_equal(said[0].epoch, 1);
	t.order = said[0];
	risk_step(r, &ev, &ro);
	risk_step(r, &ev, &ro);
	assert_int_equal(r->instr[PM].pos.qty.e8, 0);
	assert_int_equal(r->instr[PM].pos.fees.e6, 0);
	assert_true(r->instr[PM].pos.realised_e16 == 0);
	fill(PORT_REVERSED, a, 5, 9);
	assert_int_equal(said_n, 0);
	/* Before its fill: then that does not count. */
	fill(PORT_REVERSED, a, 5, 10);
	fill(PORT_FILLED, a, 5, 10);
	assert_int_equal(said_n, 0);
	free(r);
}

static void
T_42_each_retry_has_an_id_of_its_own(void **state)
{
	uint64_t a = order(48, 20);
	uint64_t b = a | UINT64_C(1) << 36;

	(void)state;
	refused(a, REASON_POST_ONLY);
	assert_int_equal(said_n, 0);
	wait_ns(MS);
	ASSERT_ACT(0, PORT_PLACE, b);
	assert_int_equal(act[0].px.e8, CENT(47).e8);
	/* What comes for the old id is of no order. */
	venue(PORT_ACKED, a);
	assert_int_equal(said_n, 0);
	venue(PORT_ACKED, b);
	ASSERT_SAID(0, MSG_ACK, a, REASON_OK);
}

static void
T_84_an_imperative_order_is_placed_at_most_once(void **state)
{
	struct order o = make(52, 20);
	uint64_t a = rest(48, 20);

	(void)state;
	/* At the price of what rests: not the same thing all the same. */
	o = make(48, 20);
	o.oflags |= ORDER_IMPERATIVE;
	o.life_ms = 100;
	send(&o);
	ASSERT_ACT(0, PORT_CANCEL, a);
	now += 100 * MS;
	venue(PORT_CANCELLED, a);
	assert_int_equal(act_n, 0); /* past its deadline */
	ASSERT_SAID(1, MSG_DONE, o.id, REASON_DEADLINE);
	o = make(48, 20);
	o.oflags |= ORDER_IMPERATIVE;
	send(&o);
	ASSERT_ACT(0, PORT_PLACE, o.id);
	refused(o.id, REASON_POST_ONLY);
	ASSERT_SAID(0, MSG_REJECT, o.id, REASON_POST_ONLY);
	wait_ns(1000 * MS);
	assert_int_equal(act_n, 0);
}

/* B replaces A, and expires while A is away: neither is wanted. */
static void
T_84_an_expired_order_leaves_nothing_behind(void **state)
{
	uint64_t a = order(48, 20);
	struct order b = make(47, 20);

	(void)state;
	b.life_ms = 100;
	send(&b);
	wait_ns(100 * MS);
	ASSERT_SAID(0, MSG_DONE, b.id, REASON_DEADLINE);
	ASSERT_ACT(0, PORT_CANCEL, a);
	venue(PORT_ACKED, a);
	venue(PORT_CANCELLED, a);
	ASSERT_SAID(0, MSG_DONE, a, REASON_DEADLINE);
	assert_true(exec_flat(e));
}

static void
test_cancel_while_placing(void **state)
{
	uint64_t a = order(48, 20);

	(void)state;
	cancel(a);
	ASSERT_ACT(0, PORT_CANCEL, a);
	cancel(a);
	assert_int_equal(act_n, 0);
	venue(PORT_ACKED, a);
	ASSERT_SAID(0, MSG_ACK, a, REASON_OK);
	venue(PORT_CANCELLED, a);
	ASSERT_SAID(0, MSG_DONE, a, REASON_OK);
}

static void
test_a_refused_reduce_is_a_cancel(void **state)
{
	uint64_t a = rest(48, 20);
	uint64_t b = order(48, 10);

	(void)state;
	ASSERT_ACT(0, PORT_REDUCE, a);
	assert_int_equal(act[0].qty.e8, UNIT(10).e8);
	venue(PORT_NOT_CANCELLED, a);
	ASSERT_ACT(0, PORT_CANCEL, a);
	venue(PORT_CANCELLED, a);
	ASSERT_ACT(0, PORT_PLACE, b);
}

/* Not known whether it was reduced: it is not kept. */
static void
test_a_silent_reduce_is_cancelled(void **state)
{
	uint64_t a = rest(48, 20);

	(void)state;
	order(48, 10);
	wait_ns(LIMIT);
	ASSERT_ACT(0, PORT_ASK, a);
	venue(PORT_ACKED, a);
	ASSERT_ACT(0, PORT_CANCEL, a);
}

static void
test_modes(void **state)
{
	static const struct {
		enum port_mode mode;
		bool post_only;
		bool taker;
		uint64_t freeze;
	} cases[] = {
	    {PORT_STARTING, false, false, FREEZE_STARTUP},
	    {PORT_NORMAL, true, true, 0},
	    {PORT_POST_ONLY, true, false, 0},
	    {PORT_CANCEL_ONLY, false, false, 0},
	    {PORT_RESTARTING, false, false, 0},
	    {PORT_BLOCKED, false, false, FREEZE_RECONCILE},
	    {PORT_RESYNC, false, false, FREEZE_FEED_STALE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int taker = 0; taker < 2; taker++) {
			struct order o = make(48, 20);
			bool in = taker ? cases[i].taker : cases[i].post_only;

			o.oflags = (uint8_t)(taker ? 0u : ORDER_POST_ONLY);
			exec_port_mode(e, cases[i].mode);
			send(&o);
			assert_int_equal(act_n, in ? 1 : 0);
			if (in) {
				refused(o.id, REASON_VENUE);
				continue;
			}
			ASSERT_SAID(0, MSG_DONE, o.id, REASON_VENUE_MODE);
		}
		assert_int_equal(
		    exec_mode_freeze(cases[i].mode), cases[i].freeze);
	}
}

static void
test_freeze_cancels_urgently(void **state)
{
	uint64_t a = rest(48, 20);
	uint64_t b = order(47, 20);

	(void)state;
	/* A cancel is away already; the urgent one goes all the same. */
	exec_freeze(e, FREEZE_MANUAL, now, &out);
	take();
	ASSERT_SAID(0, MSG_DONE, b, REASON_MANUAL);
	ASSERT_ACT(0, PORT_CANCEL, a);
	assert_true(act[0].urgent);
	assert_false(exec_flat(e));
	venue(PORT_CANCELLED, a);
	ASSERT_SAID(0, MSG_DONE, a, REASON_MANUAL);
	assert_true(exec_flat(e));
}

static void
test_good_till_date(void **state)
{
	struct order o = make(48, 20);

	(void)state;
	o.tif = TIF_GTD;
	o.life_ms = 5000;
	send(&o);
	assert_int_equal(
	    act[0].expires_wall_ns, (int64_t)now + 1000 + 5000 * (int64_t)MS);
}

static void
test_contract(void **state)
{
	struct port_event ev = event(PORT_ACKED, 1);

	(void)state;
	ev.what = PORT_EV_N;
	assert_check_fails(exec_port_event(e, &ev, now, &out));
	ev.what = (enum port_ev)0;
	assert_check_fails(exec_port_event(e, &ev, now, &out));
	assert_check_fails(exec_port_mode(e, PORT_MODE_N));
	/* The world may be wrong. */
	fill(PORT_FILLED, 5, 0, 1);
	fill(PORT_FILLED, 5, 1, 0);
	assert_int_equal(said_n, 0);
	assert_int_equal(e->stat.odd, 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(T_31_silence_is_asked_about_and_never_placed_again),
	    T(T_31_unknown_is_found_resting),
	    T(test_sent_is_when_it_left),
	    T(test_sent_by_a_fill),
	    T(T_32_delayed_is_alive),
	    T(T_34_a_refused_cancel_leaves_the_order_counted),
	    T(T_35_a_silent_cancel_is_not_a_cancel),
	    T(T_19_fill_before_the_acknowledgement),
	    T(T_15_a_fill_counts_once),
	    T(T_19_fill_after_the_end),
	    T(T_14_a_failed_trade_is_taken_back_once),
	    T(T_42_each_retry_has_an_id_of_its_own),
	    T(T_84_an_imperative_order_is_placed_at_most_once),
	    T(T_84_an_expired_order_leaves_nothing_behind),
	    T(test_cancel_while_placing),
	    T(test_a_refused_reduce_is_a_cancel),
	    T(test_a_silent_reduce_is_cancelled),
	    T(test_modes),
	    T(test_freeze_cancels_urgently),
	    T(test_good_till_date),
	    T(test_contract),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
