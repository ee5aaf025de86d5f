/* links: execd libshm libcore */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libshm/ctl.h"
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

#define ASSERT_TOLD(i, kind_, id_, reason_)                 \
	do {                                                \
		assert_true((i) < k.log_n);                 \
		assert_int_equal(k.log[i].hdr.kind, kind_); \
		assert_int_equal(k.log[i].id, id_);         \
		assert_int_equal(k.log[i].reason, reason_); \
	} while (0)

static void
test_places_after_latency(void **state)
{
	uint64_t id = kit_order(&k, SIDE_BID, 48, 20);

	(void)state;
	assert_int_equal(k.out.wake_ns, k.now + LATENCY);
	kit_wait(&k, LATENCY - 1);
	assert_int_equal(k.log_n, 0);
	assert_int_equal(kit_slot(&k, SIDE_BID)->status, ORDER_PENDING_NEW);
	kit_wait(&k, 1);
	assert_int_equal(k.log_n, 1);
	ASSERT_TOLD(0, MSG_ACK, id, REASON_OK);
	assert_int_equal(k.log[0].px.e8, CENT(48).e8);
	assert_int_equal(k.log[0].qty.e8, UNIT(20).e8);
	assert_int_equal(k.log[0].ack_delta, LATENCY);
	assert_int_equal(exec_resting(k.e), 1);
	assert_int_equal(kit_ahead(&k, SIDE_BID), UNIT(100).e8);
}

/* Rule 3: price right, size within a tenth: the place is kept. */
static void
test_keeps_queue_priority(void **state)
{
	uint64_t a = kit_rest(&k, SIDE_BID, 48, 20);
	uint64_t b;

	(void)state;
	kit_trade(&k, SIDE_ASK, 48, 60);
	assert_int_equal(kit_ahead(&k, SIDE_BID), UNIT(40).e8);
	kit_mark(&k);
	b = kit_order(&k, SIDE_BID, 48, 22);
	assert_int_equal(k.e->stat.kept, 1);
	assert_int_equal(k.log_n, 2);
	ASSERT_TOLD(0, MSG_ACK, b, REASON_OK);
	assert_int_equal(k.log[0].qty.e8, UNIT(20).e8);
	ASSERT_TOLD(1, MSG_DONE, a, REASON_OK);
	assert_int_equal(kit_ahead(&k, SIDE_BID), UNIT(40).e8);
	/* Fills go on under the new id. */
	kit_mark(&k);
	kit_trade(&k, SIDE_ASK, 48, 45);
	ASSERT_TOLD(0, MSG_FILL, b, REASON_OK);
	assert_int_equal(k.log[0].exec_qty.e8, UNIT(5).e8);
	assert_int_equal(k.log[0].cum_qty.e8, UNIT(5).e8);
}

/* Rule 4: less at the same price is an amend, and keeps the place. */
static void
test_shrink_amends(void **state)
{
	uint64_t a = kit_rest(&k, SIDE_BID, 48, 20);
	uint64_t b;

	(void)state;
	kit_mark(&k);
	b = kit_order(&k, SIDE_BID, 48, 10);
	assert_int_equal(k.log_n, 0);
	assert_int_equal(k.e->stat.amends, 1);
	kit_trade(&k, SIDE_ASK, 48, 10);
	kit_wait(&k, LATENCY);
	ASSERT_TOLD(0, MSG_ACK, b, REASON_OK);
	assert_int_equal(k.log[0].qty.e8, UNIT(10).e8);
	ASSERT_TOLD(1, MSG_DONE, a, REASON_OK);
	assert_int_equal(kit_ahead(&k, SIDE_BID), UNIT(90).e8);
	assert_int_equal(k.e->stat.cancels, 0);
}

/* Rule 5: more, or another price: cancel, then place; never both. */
static void
test_other_price_cancels_first(void **state)
{
	static const int cases[][2] = {{47, 20}, {48, 30}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint64_t a = kit_rest(&k, SIDE_BID, 48, 20);
		uint64_t b;

		kit_mark(&k);
		b = kit_order(&k, SIDE_BID, cases[i][0], cases[i][1]);
		assert_int_equal(
		    kit_slot(&k, SIDE_BID)->status, ORDER_PENDING_CANCEL);
		kit_wait(&k, LATENCY);
		ASSERT_TOLD(0, MSG_DONE, a, REASON_OK);
		assert_int_equal(exec_resting(k.e), 0);
		kit_wait(&k, LATENCY);
		ASSERT_TOLD(1, MSG_ACK, b, REASON_OK);
		assert_int_equal(exec_resting(k.e), 1);
		kit_close(&k);
		kit_open(&k);
	}
}

static void
test_newest_wins_while_in_flight(void **state)
{
	uint64_t a = kit_order(&k, SIDE_BID, 48, 20);
	uint64_t b = kit_order(&k, SIDE_BID, 47, 20);
	uint64_t c = kit_order(&k, SIDE_BID, 46, 20);

	(void)state;
	ASSERT_TOLD(0, MSG_DONE, b, REASON_OK); /* never sent */
	kit_wait(&k, LATENCY);
	ASSERT_TOLD(1, MSG_ACK, a, REASON_OK);
	kit_wait(&k, LATENCY);
	ASSERT_TOLD(2, MSG_DONE, a, REASON_OK);
	kit_wait(&k, LATENCY);
	ASSERT_TOLD(3, MSG_ACK, c, REASON_OK);
	assert_int_equal(k.log_n, 4);
	assert_int_equal(k.e->stat.orders, 2);
}

static void
test_cancel(void **state)
{
	uint64_t a = kit_rest(&k, SIDE_BID, 48, 20);

	(void)state;
	kit_mark(&k);
	kit_cancel(&k, SIDE_BID, a);
	kit_cancel(&k, SIDE_BID, a);
	assert_int_equal(k.e->stat.cancels, 1);
	kit_wait(&k, LATENCY);
	ASSERT_TOLD(0, MSG_DONE, a, REASON_OK);
	assert_int_equal(k.log[0].status, ORDER_CANCELLED);
	assert_int_equal(k.log_n, 1);
	assert_true(exec_flat(k.e));
	kit_cancel(&k, SIDE_BID, a);
	assert_int_equal(k.log_n, 1);
}

/* Cancels have a ring of their own, and may come before their order. */
static void
test_cancel_overtakes(void **state)
{
	struct order late = kit_make(&k, SIDE_BID, 48, 20);

	(void)state;
	kit_cancel(&k, SIDE_BID, late.id);
	kit_send(&k, &late);
	ASSERT_TOLD(0, MSG_DONE, late.id, REASON_OK);
	assert_true(exec_flat(k.e));
	assert_int_equal(k.e->stat.orders, 0);
	/* An older cancel does not take a newer order. */
	kit_rest(&k, SIDE_BID, 48, 20);
	kit_cancel(&k, SIDE_BID, late.id);
	kit_wait(&k, LATENCY);
	assert_int_equal(exec_resting(k.e), 1);
}

static void
test_cancel_while_placing(void **state)
{
	uint64_t a = kit_order(&k, SIDE_BID, 48, 20);

	(void)state;
	kit_cancel(&k, SIDE_BID, a);
	kit_wait(&k, LATENCY);
	ASSERT_TOLD(0, MSG_ACK, a, REASON_OK);
	kit_wait(&k, LATENCY);
	ASSERT_TOLD(1, MSG_DONE, a, REASON_OK);
	assert_true(exec_flat(k.e));
}

/* T-84: repeats and messages of an older life send nothing. */
static void
T_84_repeats_and_old_epochs(void **state)
{
	struct order a = kit_make(&k, SIDE_BID, 48, 20);
	struct order old;

	(void)state;
	kit_send(&k, &a);
	kit_send(&k, &a);
	kit_wait(&k, LATENCY);
	kit_send(&k, &a);
	assert_int_equal(k.e->stat.dups, 2);
	assert_int_equal(k.e->stat.orders, 1);
	assert_int_equal(k.log_n, 1);
	/* quoted restarts: epoch 2. Another slot still gets one of epoch 1. */
	k.id = UINT64_C(2) << 40;
	kit_order(&k, SIDE_BID, 48, 20);
	old = kit_make(&k, SIDE_ASK, 53, 20);
	old.id = (UINT64_C(1) << 40) + 99;
	kit_mark(&k);
	kit_send(&k, &old);
	ASSERT_TOLD(0, MSG_REJECT, old.id, REASON_OLD_EPOCH);
	assert_int_equal(k.e->stat.orders, 1);
}

static void
T_84_past_deadlines(void **state)
{
	struct order o = kit_make(&k, SIDE_BID, 48, 20);

	(void)state;
	o.life_ms = 100;
	k.now += MS(100);
	kit_send(&k, &o);
	ASSERT_TOLD(0, MSG_REJECT, o.id, REASON_DEADLINE);
	/* Without a deadline of its own: exec.order_timeout. */
	o = kit_make(&k, SIDE_BID, 48, 20);
	k.now += MS(5000);
	kit_send(&k, &o);
	kit_wait(&k, LATENCY);
	assert_int_equal(exec_resting(k.e), 1);
	o = kit_make(&k, SIDE_ASK, 53, 20);
	k.now += MS(5000) + 1;
	kit_mark(&k);
	kit_send(&k, &o);
	ASSERT_TOLD(0, MSG_REJECT, o.id, REASON_DEADLINE);
}

static void
test_deadline_of_a_resting_order(void **state)
{
	struct order o = kit_make(&k, SIDE_BID, 48, 20);
	uint64_t end = k.now + MS(1000);

	(void)state;
	o.life_ms = 1000;
	kit_send(&k, &o);
	kit_wait(&k, LATENCY);
	assert_int_equal(k.out.wake_ns, end);
	kit_mark(&k);
	k.now = end;
	kit_wait(&k, 0);
	kit_wait(&k, LATENCY);
	ASSERT_TOLD(0, MSG_DONE, o.id, REASON_DEADLINE);
	/* One look at most for an answer that has come. */
	kit_wait(&k, (uint64_t)k.cfg.exec_order_timeout.ns);
	assert_int_equal(k.log_n, 1);
	assert_int_equal(k.out.wake_ns, 0);
}

/* T-36: fills that riskd did not know come off the replacement. */
static void
T_36_replacement_is_cut(void **state)
{
	uint64_t a = kit_rest(&k, SIDE_BID, 48, 20);
	uint64_t b;

	(void)state;
	kit_trade(&k, SIDE_ASK, 48, 108); /* 8 of ours */
	kit_mark(&k);
	b = kit_order(&k, SIDE_BID, 47, 20); /* says cum_qty 0 */
	kit_trade(&k, SIDE_ASK, 48, 2);	     /* while the cancel is away */
	kit_wait(&k, LATENCY);
	ASSERT_TOLD(0, MSG_FILL, a, REASON_OK);
	ASSERT_TOLD(1, MSG_DONE, a, REASON_OK);
	assert_int_equal(k.log[1].cum_qty.e8, UNIT(10).e8);
	kit_wait(&k, LATENCY);
	ASSERT_TOLD(2, MSG_ACK, b, REASON_OK);
	assert_int_equal(k.log[2].qty.e8, UNIT(10).e8);
	/* riskd knows now: the next is whole. */
	k.known = UNIT(10);
	kit_mark(&k);
	b = kit_order(&k, SIDE_BID, 46, 20);
	kit_wait(&k, LATENCY);
	kit_wait(&k, LATENCY);
	ASSERT_TOLD(1, MSG_ACK, b, REASON_OK);
	assert_int_equal(k.log[1].qty.e8, UNIT(20).e8);
}

static void
T_36_nothing_left_of_it(void **state)
{
	uint64_t b;

	(void)state;
	kit_rest(&k, SIDE_BID, 48, 20);
	b = kit_order(&k, SIDE_BID, 47, 20);
	kit_mark(&k);
	kit_trade(&k, SIDE_ASK, 48, 117); /* 17 of ours: 3 are too few */
	kit_wait(&k, LATENCY);
	ASSERT_TOLD(2, MSG_DONE, b, REASON_TOO_SMALL);
	assert_true(exec_flat(k.e));
}

static void
test_freeze_withdraws_at_once(void **state)
{
	uint64_t a = kit_rest(&k, SIDE_BID, 48, 20);
	uint64_t b = kit_order(&k, SIDE_BID, 47, 20);
	uint64_t c = kit_order(&k, SIDE_ASK, 53, 20);
	uint64_t d;

	(void)state;
	kit_mark(&k);
	kit_gate(&k, FREEZE_LATENCY | FREEZE_RISKD_DEAD);
	assert_int_equal(k.log_n, 3);
	ASSERT_TOLD(0, MSG_DONE, b, REASON_LATENCY);
	ASSERT_TOLD(1, MSG_DONE, a, REASON_LATENCY);
	ASSERT_TOLD(2, MSG_DONE, c, REASON_LATENCY);
	assert_true(exec_flat(k.e));
	/* What was on its way does not come to rest. */
	kit_wait(&k, MS(100));
	assert_int_equal(k.log_n, 3);
	/* Nothing is placed while frozen. */
	d = kit_order(&k, SIDE_BID, 47, 20);
	ASSERT_TOLD(3, MSG_REJECT, d, REASON_LATENCY);
	assert_int_equal(k.e->stat.blocked, 1);
	kit_gate(&k, 0);
	d = kit_rest(&k, SIDE_BID, 47, 20);
	ASSERT_TOLD(4, MSG_ACK, d, REASON_OK);
}

static void
test_starts_frozen(void **state)
{
	struct kit b;

	(void)state;
	memset(&b, 0, sizeof(b));
	cfg_defaults(&b.cfg);
	b.d = calloc(1, sizeof(*b.d));
	b.e = &b.d->e;
	b.now = MS(1000);
	b.id = UINT64_C(1) << 40;
	paperdesk_init(b.d, &b.cfg, VENUE_POLYMARKET, 1);
	kit_instr_with(&b, 1, INSTR_NORMAL);
	kit_book(&b);
	kit_order(&b, SIDE_BID, 48, 20);
	assert_int_equal(b.log[0].hdr.kind, MSG_REJECT);
	assert_int_equal(b.log[0].reason, REASON_STARTUP);
	free(b.d);
}

/* More orders than one page holds. */
static void
test_freeze_in_pages(void **state)
{
	uint32_t gone = 0;

	(void)state;
	for (uint16_t i = 0; i < 40; i++) {
		struct order o;
		struct instr in = k.e->mkt.instr[0].in;

		core_out_reset(&k.out);
		paperdesk_instr_set(
		    k.d, (uint16_t)(PM + i), &in, k.now, &k.out);
		o = kit_make(&k, SIDE_BID, 40, 20);
		o.hdr.instr = (uint16_t)(PM + i);
		kit_send(&k, &o);
		o = kit_make(&k, SIDE_BID, 40, 30);
		o.hdr.instr = (uint16_t)(PM + i);
		kit_send(&k, &o);
	}
	paperdesk_freeze(k.d, FREEZE_MANUAL, k.now, &k.out);
	for (int i = 0; i < 10 && exec_more(k.e); i++) {
		gone += k.out.n;
		paperdesk_sweep(k.d, k.now, &k.out);
	}
	gone += k.out.n;
	assert_int_equal(gone, 40 * 2 * 2);
	assert_true(exec_flat(k.e));
}

static void
test_stop_is_final(void **state)
{
	uint64_t a = kit_rest(&k, SIDE_BID, 48, 20);

	(void)state;
	kit_mark(&k);
	kit_step(&k, EV_STOP, RG_ORDER_PM, 0, 0);
	ASSERT_TOLD(0, MSG_DONE, a, REASON_FROZEN);
	assert_true(exec_flat(k.e));
	kit_gate(&k, 0);
	a = kit_order(&k, SIDE_BID, 48, 20);
	ASSERT_TOLD(1, MSG_REJECT, a, REASON_STARTUP);
}

/* T-07: another tick size, another market: what rested is gone. */
static void
T_07_new_epoch_withdraws(void **state)
{
	uint64_t a = kit_rest(&k, SIDE_BID, 48, 20);

	(void)state;
	kit_mark(&k);
	kit_instr_with(&k, 2, INSTR_NORMAL);
	ASSERT_TOLD(0, MSG_DONE, a, REASON_STALE_EPOCH);
	/* No book of the new epoch yet: nothing can rest. */
	a = kit_order(&k, SIDE_BID, 48, 20);
	kit_wait(&k, LATENCY);
	ASSERT_TOLD(1, MSG_REJECT, a, REASON_NO_BOOK);
}

static void
test_closed_market_withdraws(void **state)
{
	uint64_t a = kit_rest(&k, SIDE_BID, 48, 20);

	(void)state;
	kit_mark(&k);
	kit_instr_with(&k, 1, INSTR_CLOSED);
	ASSERT_TOLD(0, MSG_DONE, a, REASON_STATE);
}

static void
test_bad_orders(void **state)
{
	struct order o = kit_make(&k, SIDE_BID, 48, 20);

	(void)state;
	o.level = ORDER_LEVELS;
	kit_send(&k, &o);
	o.level = 0;
	o.side = 7;
	kit_send(&k, &o);
	o.side = SIDE_BID;
	o.hdr.instr = INSTR_HL_BASE;
	kit_send(&k, &o);
	assert_int_equal(k.e->stat.odd, 3);
	assert_int_equal(k.log_n, 0);
	o.hdr.instr = PM;
	o.qty = QTY(-1);
	kit_send(&k, &o);
	ASSERT_TOLD(0, MSG_REJECT, o.id, REASON_BAD_SLOT);
	o = kit_make(&k, SIDE_BID, 48, 20);
	o.hdr.instr = PM + 7;
	kit_send(&k, &o);
	ASSERT_TOLD(1, MSG_REJECT, o.id, REASON_BAD_SLOT);
	o = kit_make(&k, SIDE_BID, 48, 4);
	kit_send(&k, &o);
	ASSERT_TOLD(2, MSG_DONE, o.id, REASON_TOO_SMALL);
	assert_int_equal(k.e->stat.orders, 0);
	/* What trades at once may be smaller: an exit leaves nothing. */
	o = kit_make(&k, SIDE_BID, 48, 4);
	o.tif = TIF_IOC;
	o.oflags = ORDER_IMPERATIVE;
	kit_send(&k, &o);
	assert_int_equal(k.e->stat.orders, 1);
}

/* Never before the least time, each after another, the same for the same
 * numbers. */
static void
a_paper_message_takes_what_is_drawn(void **state)
{
	uint64_t due[2][3];

	(void)state;
	for (int run = 0; run < 2; run++) {
		uint64_t sent[3];

		kit_close(&k);
		kit_open(&k);
		k.cfg.exec_paper_jitter.ns = 30 * NS_PER_MS;
		kit_step(&k, EV_CFG, RG_ORDER_PM, NULL, NULL);
		for (uint8_t n = 0; n < 3; n++) {
			struct order o = kit_make(&k, SIDE_BID, 40 + n, 20);

			o.level = n;
			sent[n] = k.now;
			kit_send(&k, &o);
			due[run][n] = k.d->p.slot[n].place_due_ns - sent[n];
			assert_true(due[run][n] > LATENCY);
			k.now += MS(500);
		}
		assert_true(due[run][0] != due[run][1]);
		assert_true(due[run][1] != due[run][2]);
	}
	assert_memory_equal(due[0], due[1], sizeof(due[0]));
}

/* Through records and back, in the middle of everything. */
static void
test_records_hold_everything(void **state)
{
	static uint8_t rec[EXEC_REC_N][EXEC_REC_SZ];
	struct kit b;

	(void)state;
	kit_rest(&k, SIDE_BID, 48, 20);
	kit_trade(&k, SIDE_ASK, 48, 104);
	kit_order(&k, SIDE_BID, 47, 20);
	kit_order(&k, SIDE_ASK, 53, 20);
	for (uint32_t i = 0; i < EXEC_REC_N; i++)
		paperdesk_save(k.d, i, rec[i]);
	memset(&b, 0, sizeof(b));
	b.cfg = k.cfg;
	b.now = k.now;
	b.id = k.id;
	b.d = calloc(1, sizeof(*b.d));
	b.e = &b.d->e;
	paperdesk_init(b.d, &b.cfg, VENUE_POLYMARKET, 2);
	for (uint32_t i = 0; i < EXEC_REC_N; i++)
		assert_true(paperdesk_load(b.d, i, rec[i]));
	paperdesk_loaded(b.d);
	paperdesk_freeze(b.d, 0, b.now, &b.out);
	kit_instr_with(&b, 1, INSTR_NORMAL);
	kit_book(&b);
	assert_false(exec_flat(b.e));
	kit_mark(&k);
	for (int i = 0; i < 3; i++) {
		kit_wait(&k, LATENCY);
		kit_wait(&b, LATENCY);
		kit_trade(&k, SIDE_ASK, 47, 60);
		kit_trade(&b, SIDE_ASK, 47, 60);
	}
	assert_true(k.log_n > 3);
	assert_int_equal(k.log_n, b.log_n);
	assert_memory_equal(k.log, b.log, k.log_n * sizeof(k.log[0]));
	assert_int_equal(paperdesk_hash(k.d), paperdesk_hash(b.d));
	memset(rec[1] + 4, 0xff, 1); /* a status that does not exist */
	assert_false(paperdesk_load(b.d, 1, rec[1]));
	free(b.d);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_kit, close_kit)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_places_after_latency),
	    T(test_keeps_queue_priority),
	    T(test_shrink_amends),
	    T(test_other_price_cancels_first),
	    T(test_newest_wins_while_in_flight),
	    T(test_cancel),
	    T(test_cancel_overtakes),
	    T(test_cancel_while_placing),
	    T(T_84_repeats_and_old_epochs),
	    T(T_84_past_deadlines),
	    T(test_deadline_of_a_resting_order),
	    T(T_36_replacement_is_cut),
	    T(T_36_nothing_left_of_it),
	    T(test_freeze_withdraws_at_once),
	    T(test_starts_frozen),
	    T(test_freeze_in_pages),
	    T(test_stop_is_final),
	    T(T_07_new_epoch_withdraws),
	    T(test_closed_market_withdraws),
	    T(test_bad_orders),
	    T(a_paper_message_takes_what_is_drawn),
	    T(test_records_hold_everything),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
