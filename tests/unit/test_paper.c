/* links: execd libshm libcore */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "execd/paper.h"
#include "execd/exec_int.h"
#include "tests/unit/execkit.h"

static struct kit k;

static int
open_kit(void **state)
{
	(void)state;
	kit_open(&k);
	return 0;
}

static int
close_kit(void **state)
{
	(void)state;
	kit_close(&k);
	return 0;
}

/* A bid of 20 at 48 behind 100; each row one event; how much fills. */
static const struct {
	const char *name;
	enum side side; /* ours */
	enum side aggressor;
	int cents;
	int units;
	int fills;
} prints[] = {
    {"queue ahead takes it all", SIDE_BID, SIDE_ASK, 48, 100, 0},
    {"what is left after the queue", SIDE_BID, SIDE_ASK, 48, 105, 5},
    {"more than queue and order", SIDE_BID, SIDE_ASK, 48, 500, 20},
    {"through the price fills whole", SIDE_BID, SIDE_ASK, 47, 1, 20},
    {"above the price is not ours", SIDE_BID, SIDE_ASK, 49, 500, 0},
    {"a buyer at our bid is no seller", SIDE_BID, SIDE_BID, 48, 500, 0},
    {"ask: queue ahead takes it", SIDE_ASK, SIDE_BID, 52, 100, 0},
    {"ask: rest after the queue", SIDE_ASK, SIDE_BID, 52, 101, 1},
    {"ask: through", SIDE_ASK, SIDE_BID, 53, 1, 20},
    {"ask: below is not ours", SIDE_ASK, SIDE_BID, 51, 500, 0},
    {"ask: a seller at our ask is no buyer", SIDE_ASK, SIDE_ASK, 52, 500, 0},
};

static void
test_prints(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(prints) / sizeof(prints[0]); i++) {
		const struct order *f;

		print_message("%s\n", prints[i].name);
		kit_close(&k);
		kit_open(&k);
		kit_rest(&k, prints[i].side,
		    prints[i].side == SIDE_BID ? 48 : 52, 20);
		kit_mark(&k);
		kit_trade(
		    &k, prints[i].aggressor, prints[i].cents, prints[i].units);
		f = kit_told(&k, MSG_FILL, 0);
		assert_int_equal(f != 0, prints[i].fills > 0);
		if (f == 0)
			continue;
		assert_int_equal(f->exec_qty.e8, UNIT(prints[i].fills).e8);
		assert_int_equal(f->exec_px.e8,
		    CENT(prints[i].side == SIDE_BID ? 48 : 52).e8);
		assert_int_equal(f->usd.e6, 0); /* makers pay nothing */
		assert_true((f->oflags & ORDER_MAKER) != 0);
		assert_int_equal(f->hdr.venue_ns, 123456);
		assert_int_equal(
		    kit_told(&k, MSG_DONE, 0) != 0, prints[i].fills == 20);
	}
}

static void
test_fill_ids(void **state)
{
	uint64_t a;

	(void)state;
	kit_rest(&k, SIDE_BID, 48, 20);
	kit_trade(&k, SIDE_ASK, 48, 105);
	kit_trade(&k, SIDE_ASK, 48, 5);
	a = kit_told(&k, MSG_FILL, 0)->fill_id;
	assert_int_not_equal(a, kit_told(&k, MSG_FILL, 1)->fill_id);
	assert_int_equal(kit_told(&k, MSG_FILL, 1)->cum_qty.e8, UNIT(10).e8);
	/* The same life again gives the same ids. */
	kit_close(&k);
	kit_open(&k);
	kit_rest(&k, SIDE_BID, 48, 20);
	kit_trade(&k, SIDE_ASK, 48, 105);
	assert_int_equal(a, kit_told(&k, MSG_FILL, 0)->fill_id);
}

static void
test_trades_before_arrival_do_not_count(void **state)
{
	(void)state;
	kit_order(&k, SIDE_BID, 48, 20);
	kit_wait(&k, LATENCY - 1);
	kit_trade(&k, SIDE_ASK, 47, 500);
	assert_null(kit_told(&k, MSG_FILL, 0));
	kit_wait(&k, 1);
	assert_int_equal(kit_ahead(&k, SIDE_BID), UNIT(100).e8);
}

static void
test_replayed_and_old_prints_do_not_count(void **state)
{
	struct tick t;

	(void)state;
	kit_rest(&k, SIDE_BID, 48, 20);
	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_TRADE;
	t.hdr.flags = SLOT_REPLAY;
	t.u.trade.side = SIDE_ASK;
	t.u.trade.px = CENT(40);
	t.u.trade.qty = UNIT(500);
	t.u.trade.epoch = 1;
	kit_tick(&k, &t);
	t.hdr.flags = 0;
	t.u.trade.epoch = 9;
	kit_tick(&k, &t);
	assert_null(kit_told(&k, MSG_FILL, 0));
}

static void
test_touch_through_us_fills(void **state)
{
	(void)state;
	kit_rest(&k, SIDE_BID, 48, 20);
	kit_bbo(&k, 47, 49);
	assert_null(kit_told(&k, MSG_FILL, 0));
	kit_bbo(&k, 50, 48); /* crossed: says nothing */
	assert_null(kit_told(&k, MSG_FILL, 0));
	kit_bbo(&k, 47, 48);
	assert_int_equal(kit_told(&k, MSG_FILL, 0)->exec_qty.e8, UNIT(20).e8);
	kit_mark(&k);
	kit_rest(&k, SIDE_ASK, 53, 20);
	kit_bbo(&k, 53, 0);
	assert_int_equal(kit_told(&k, MSG_FILL, 0)->exec_px.e8, CENT(53).e8);
}

static void
test_levels_cap_the_queue(void **state)
{
	(void)state;
	kit_rest(&k, SIDE_BID, 48, 20);
	kit_level(&k, SIDE_BID, 48, 300);
	assert_int_equal(kit_ahead(&k, SIDE_BID), UNIT(100).e8);
	kit_level(&k, SIDE_BID, 48, 30);
	assert_int_equal(kit_ahead(&k, SIDE_BID), UNIT(30).e8);
	kit_level(&k, SIDE_BID, 47, 1);
	assert_int_equal(kit_ahead(&k, SIDE_BID), UNIT(30).e8);
	/* The level emptied by a trade ahead of us does not fill us. */
	kit_level(&k, SIDE_BID, 48, 0);
	kit_trade(&k, SIDE_ASK, 48, 30);
	assert_null(kit_told(&k, MSG_FILL, 0));
}

static void
test_gap_then_snapshot(void **state)
{
	struct tick t;

	(void)state;
	kit_rest(&k, SIDE_BID, 48, 20);
	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_GAP;
	t.u.gap.scope = 3;
	kit_tick(&k, &t);
	/* No book: an order cannot be judged. */
	kit_order(&k, SIDE_ASK, 53, 20);
	kit_wait(&k, LATENCY);
	assert_int_equal(kit_told(&k, MSG_REJECT, 0)->reason, REASON_NO_BOOK);
	assert_int_equal(kit_ahead(&k, SIDE_BID), UNIT(100).e8);
	kit_snap(&k, true);
	kit_level(&k, SIDE_BID, 48, 60);
	kit_level(&k, SIDE_ASK, 52, 60);
	assert_int_equal(kit_ahead(&k, SIDE_BID), UNIT(100).e8);
	kit_snap(&k, false);
	assert_int_equal(kit_ahead(&k, SIDE_BID), UNIT(60).e8);
	kit_book(&k); /* shows more again: no better, no worse */
	assert_int_equal(kit_ahead(&k, SIDE_BID), UNIT(60).e8);
}

/* Sent for a market, on a connection, of a ring. */
static void
gap(uint16_t instr, uint8_t scope, uint8_t conn)
{
	struct tick t;

	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_GAP;
	t.hdr.instr = instr;
	t.u.gap.scope = scope;
	t.u.gap.conn = conn;
	kit_tick(&k, &t);
}

static void
conn_down(uint8_t conn)
{
	struct tick t;

	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_CONN;
	t.u.conn.conn = conn;
	t.u.conn.state = LINK_DOWN;
	kit_tick(&k, &t);
}

/* Does an order find a book? Whatever is lost of it is sent again. */
static void
book_is(const char *after, bool there)
{
	kit_mark(&k);
	kit_rest(&k, SIDE_ASK, 53, 20);
	if ((kit_told(&k, MSG_ACK, 0) != 0) != there)
		fail_msg("%s: the book is %s", after, there ? "gone" : "kept");
	if (!there)
		assert_int_equal(
		    kit_told(&k, MSG_REJECT, 0)->reason, REASON_NO_BOOK);
	kit_cancel(&k, SIDE_ASK, k.id);
	kit_wait(&k, LATENCY);
	assert_int_equal(exec_resting(k.e), 0);
	kit_book(&k);
}

/* Connection 0 carries the books, the others add references. */
static void
test_gaps_drop_what_they_name(void **state)
{
	(void)state;
	gap(PM, 2, 1);
	book_is("gap of connection 1", true);
	gap(PM, 2, 0);
	book_is("gap of connection 0", false);
	gap(PM + 1, 1, 0);
	book_is("gap of another market", true);
	gap(PM, 1, 0);
	book_is("gap of the market", false);
	gap(PM, 3, 1);
	book_is("gap of the ring", false);
	conn_down(1);
	book_is("connection 1 down", true);
	conn_down(0);
	book_is("connection 0 down", false);
}

static void
level_of_epoch(enum side side, int cents, int units, uint16_t epoch)
{
	struct tick t;

	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_LEVEL;
	t.u.level.side = (uint8_t)side;
	t.u.level.px = CENT(cents);
	t.u.level.qty = UNIT(units);
	t.u.level.epoch = epoch;
	kit_tick(&k, &t);
}

/* Another epoch is another price grid. */
static void
test_levels_of_another_epoch_do_not_count(void **state)
{
	const struct book *b = &k.e->mkt.instr[PM - k.e->mkt.base].b.book;

	(void)state;
	kit_rest(&k, SIDE_BID, 48, 20);
	level_of_epoch(SIDE_BID, 48, 30, 2);
	level_of_epoch(SIDE_BID, 48, 30, 0);
	assert_int_equal(kit_ahead(&k, SIDE_BID), UNIT(100).e8);
	assert_int_equal(book_qty_at(b, SIDE_BID, CENT(48)).e8, UNIT(100).e8);
	level_of_epoch(SIDE_BID, 48, 30, 1);
	assert_int_equal(kit_ahead(&k, SIDE_BID), UNIT(30).e8);
	assert_int_equal(book_qty_at(b, SIDE_BID, CENT(48)).e8, UNIT(30).e8);
	/* Nor inside a snapshot. */
	kit_snap(&k, true);
	level_of_epoch(SIDE_BID, 47, 9, 2);
	kit_level(&k, SIDE_BID, 46, 8);
	kit_snap(&k, false);
	assert_int_equal(book_n(b, SIDE_BID), 1);
	assert_int_equal(book_qty_at(b, SIDE_BID, CENT(46)).e8, UNIT(8).e8);
}

/* A cancel on its way when its order fills: what it meets on arrival is
 * another order, itself still on its way. */
static void
test_late_cancel_leaves_the_next_order_alone(void **state)
{
	uint64_t a = kit_rest(&k, SIDE_BID, 48, 20);
	uint64_t b;

	(void)state;
	kit_cancel(&k, SIDE_BID, a);
	kit_wait(&k, LATENCY / 2);
	kit_trade(&k, SIDE_ASK, 48, 120);
	assert_int_equal(kit_told(&k, MSG_FILL, 0)->exec_qty.e8, UNIT(20).e8);
	k.known = UNIT(20);
	kit_mark(&k);
	b = kit_order(&k, SIDE_BID, 48, 20);
	kit_wait(&k, LATENCY / 2); /* the cancel arrives */
	assert_int_equal(k.log_n, 0);
	assert_int_equal(kit_slot(&k, SIDE_BID)->status, ORDER_PENDING_NEW);
	kit_wait(&k, LATENCY / 2 - 1);
	assert_int_equal(k.log_n, 0);
	kit_wait(&k, 1);
	assert_int_equal(k.log_n, 1);
	assert_int_equal(k.log[0].hdr.kind, MSG_ACK);
	assert_int_equal(k.log[0].id, b);
	assert_int_equal(exec_resting(k.e), 1);
}

static void
test_model_front(void **state)
{
	(void)state;
	kit_close(&k);
	cfg_defaults(&k.cfg);
	k.cfg.exec_paper_queue = CFG_QUEUE_FRONT;
	kit_open_with(&k);
	kit_rest(&k, SIDE_BID, 48, 20);
	kit_mark(&k);
	kit_trade(&k, SIDE_ASK, 48, 7);
	assert_int_equal(kit_told(&k, MSG_FILL, 0)->exec_qty.e8, UNIT(7).e8);
}

/* T-40: re-priced from the present book, a tick further out each time, with
 * pauses that grow, and an end. */
static void
T_40_post_only_retries_then_gives_up(void **state)
{
	uint64_t id = kit_order(&k, SIDE_BID, 51, 20);
	uint64_t t0;

	(void)state;
	/* The ask comes down while the order is on its way. */
	kit_level(&k, SIDE_ASK, 50, 10);
	kit_wait(&k, LATENCY);
	assert_int_equal(k.e->stat.post_only, 1);
	assert_int_equal(k.log_n, 0);
	assert_int_equal(kit_slot(&k, SIDE_BID)->want.px.e8, CENT(49).e8);
	t0 = k.now;
	assert_int_equal(k.out.wake_ns, t0 + 2 * LATENCY);
	kit_wait(&k, 2 * LATENCY);
	kit_level(&k, SIDE_ASK, 49, 10);
	kit_wait(&k, LATENCY);
	assert_int_equal(kit_slot(&k, SIDE_BID)->want.px.e8, CENT(48).e8);
	assert_int_equal(k.out.wake_ns, k.now + 4 * LATENCY);
	kit_wait(&k, 4 * LATENCY);
	kit_level(&k, SIDE_ASK, 48, 10);
	kit_wait(&k, LATENCY);
	kit_wait(&k, 8 * LATENCY);
	kit_level(&k, SIDE_ASK, 47, 10);
	kit_wait(&k, LATENCY);
	assert_int_equal(k.e->stat.post_only, 4);
	assert_int_equal(k.log_n, 1);
	assert_int_equal(k.log[0].hdr.kind, MSG_REJECT);
	assert_int_equal(k.log[0].id, id);
	assert_int_equal(k.log[0].reason, REASON_POST_ONLY);
	assert_true(exec_flat(k.e));
}

static void
T_40_retry_rests_further_out(void **state)
{
	uint64_t id = kit_order(&k, SIDE_ASK, 49, 20);

	(void)state;
	kit_level(&k, SIDE_BID, 49, 10);
	kit_wait(&k, LATENCY);
	kit_wait(&k, 2 * LATENCY);
	kit_wait(&k, LATENCY);
	assert_int_equal(k.log[0].hdr.kind, MSG_ACK);
	assert_int_equal(k.log[0].id, id);
	assert_int_equal(k.log[0].px.e8, CENT(50).e8);
}

static void
T_40_newer_order_ends_the_retries(void **state)
{
	uint64_t a = kit_order(&k, SIDE_BID, 52, 20);
	uint64_t b;

	(void)state;
	kit_wait(&k, LATENCY);
	b = kit_order(&k, SIDE_BID, 47, 20);
	assert_int_equal(k.log[0].hdr.kind, MSG_DONE);
	assert_int_equal(k.log[0].id, a);
	kit_wait(&k, LATENCY);
	assert_int_equal(k.log[1].id, b);
	assert_int_equal(k.log[1].hdr.kind, MSG_ACK);
}

static struct order
taker(enum side side, int cents, int units, enum tif tif)
{
	struct order o = kit_make(&k, side, cents, units);

	o.oflags = 0;
	o.tif = (uint8_t)tif;
	return o;
}

static void
test_ioc_walks_the_book(void **state)
{
	struct order o = taker(SIDE_BID, 53, 120, TIF_IOC);

	(void)state;
	kit_send(&k, &o);
	kit_wait(&k, LATENCY);
	assert_int_equal(k.log[0].hdr.kind, MSG_FILL);
	assert_int_equal(k.log[0].exec_px.e8, CENT(52).e8);
	assert_int_equal(k.log[0].exec_qty.e8, UNIT(100).e8);
	/* 100 * 0.07 * 0.52 * 0.48 */
	assert_int_equal(k.log[0].usd.e6, 1747200);
	assert_int_equal(k.log[0].oflags & ORDER_MAKER, 0);
	assert_int_equal(k.log[1].exec_px.e8, CENT(53).e8);
	assert_int_equal(k.log[1].exec_qty.e8, UNIT(20).e8);
	assert_int_equal(k.log[1].cum_qty.e8, UNIT(120).e8);
	assert_int_equal(k.log[2].hdr.kind, MSG_DONE);
	assert_int_equal(k.log[2].status, ORDER_FILLED);
	assert_int_equal(k.log_n, 3);
}

static void
test_ioc_rest_is_cancelled(void **state)
{
	struct order o = taker(SIDE_ASK, 48, 130, TIF_IOC);

	(void)state;
	kit_send(&k, &o);
	kit_wait(&k, LATENCY);
	assert_int_equal(k.log[0].exec_qty.e8, UNIT(100).e8);
	assert_int_equal(k.log[1].hdr.kind, MSG_DONE);
	assert_int_equal(k.log[1].status, ORDER_CANCELLED);
	assert_int_equal(k.log[1].cum_qty.e8, UNIT(100).e8);
	assert_true(exec_flat(k.e));
}

static void
test_fok_is_all_or_nothing(void **state)
{
	struct order o = taker(SIDE_BID, 52, 101, TIF_FOK);

	(void)state;
	kit_send(&k, &o);
	kit_wait(&k, LATENCY);
	assert_int_equal(k.log_n, 1);
	assert_int_equal(k.log[0].hdr.kind, MSG_DONE);
	o = taker(SIDE_BID, 52, 100, TIF_FOK);
	kit_mark(&k);
	kit_send(&k, &o);
	kit_wait(&k, LATENCY);
	assert_int_equal(k.log[0].exec_qty.e8, UNIT(100).e8);
}

static void
test_plain_limit_takes_then_rests(void **state)
{
	struct order o = taker(SIDE_BID, 52, 150, TIF_GTC);

	(void)state;
	kit_send(&k, &o);
	kit_wait(&k, LATENCY);
	assert_int_equal(k.log[0].exec_qty.e8, UNIT(100).e8);
	assert_int_equal(k.log[1].hdr.kind, MSG_ACK);
	assert_int_equal(k.log[1].qty.e8, UNIT(50).e8);
	assert_int_equal(exec_left(kit_slot(&k, SIDE_BID)).e8, UNIT(50).e8);
	assert_int_equal(exec_resting(k.e), 1);
}

static void
test_reprice(void **state)
{
	struct book *b = &k.e->mkt.instr[PM - k.e->mkt.base].b.book;
	px_t px;

	(void)state;
	assert_true(paper_reprice(b, SIDE_BID, CENT(60), CENT(1), true, &px));
	assert_int_equal(px.e8, CENT(51).e8);
	assert_true(paper_reprice(b, SIDE_ASK, CENT(30), CENT(1), true, &px));
	assert_int_equal(px.e8, CENT(49).e8);
	assert_false(paper_reprice(b, SIDE_BID, CENT(1), CENT(1), true, &px));
	assert_false(paper_reprice(b, SIDE_ASK, CENT(99), CENT(1), true, &px));
	assert_true(paper_reprice(b, SIDE_ASK, CENT(99), CENT(1), false, &px));
}

static void
test_fees(void **state)
{
	struct instr in;

	(void)state;
	memset(&in, 0, sizeof(in));
	in.cls = CLASS_PERP;
	in.fee_ppm = 450;
	in.maker_ppm = 150;
	assert_int_equal(paper_fee(&in, CENT(10000), UNIT(1), true).e6, 15000);
	assert_int_equal(paper_fee(&in, CENT(10000), UNIT(1), false).e6, 45000);
	in.cls = CLASS_UPDOWN;
	in.fee_ppm = 70000;
	assert_int_equal(paper_fee(&in, CENT(50), UNIT(100), true).e6, 0);
	assert_int_equal(
	    paper_fee(&in, CENT(50), UNIT(100), false).e6, 1750000);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_kit, close_kit)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_prints),
	    T(test_fill_ids),
	    T(test_trades_before_arrival_do_not_count),
	    T(test_replayed_and_old_prints_do_not_count),
	    T(test_touch_through_us_fills),
	    T(test_levels_cap_the_queue),
	    T(test_gap_then_snapshot),
	    T(test_gaps_drop_what_they_name),
	    T(test_levels_of_another_epoch_do_not_count),
	    T(test_late_cancel_leaves_the_next_order_alone),
	    T(test_model_front),
	    T(T_40_post_only_retries_then_gives_up),
	    T(T_40_retry_rests_further_out),
	    T(T_40_newer_order_ends_the_retries),
	    T(test_ioc_walks_the_book),
	    T(test_ioc_rest_is_cancelled),
	    T(test_fok_is_all_or_nothing),
	    T(test_plain_limit_takes_then_rests),
	    T(test_reprice),
	    T(test_fees),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
