/* links: quoted libshm libcore */
/* What a link, a gap or a position of one thing must not do to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "quoted/quote.h"

#define PM     INSTR_PM_BASE
#define PLACES 5u
#define S      ((uint64_t)NS_PER_S)
#define END    (INT64_C(1800000000) * NS_PER_S)

static struct quote *q;
static struct quote_out out;
static struct cfg cfg;
static uint64_t now;

static void
slot(uint16_t ring, union tap *t, const struct instr *in)
{
	struct event ev = {.kind = EV_SLOT,
	    .ring = ring,
	    .slot = t,
	    .instr = in,
	    .now_ns = now,
	    .wall_ns = END};

	t->hdr.recv_ns = now;
	quote_step(q, &ev, &out);
}

static void
timer(void)
{
	struct event ev = {.kind = EV_TIMER, .now_ns = now, .wall_ns = END};

	quote_step(q, &ev, &out);
}

static void
instr(uint16_t idx, enum instr_class cls)
{
	struct instr in = {
	    .venue = VENUE_POLYMARKET,
	    .cls = (uint8_t)cls,
	    .state = INSTR_NORMAL,
	    .epoch = 1,
	    .tick_px = PX(E8 / 100),
	    .lot_qty = QTY(E8 / 100),
	    .min_qty = QTY(5 * E8),
	    .end_wall_ns = cls == CLASS_UPDOWN ? END : 0,
	};
	union tap t = {.hdr = {.kind = TICK_INSTR, .instr = idx}};

	slot(RG_MD_PM_Q, &t, &in);
}

/* Of the venue's time `left_s` before the end. */
static void
bbo_at(uint16_t idx, int bid, int ask, int64_t left_s)
{
	union tap t = {.hdr = {.kind = TICK_BBO,
			   .instr = idx,
			   .venue_ns = END - left_s * NS_PER_S}};

	t.tick.u.bbo.bid_px = PX(bid * E8 / 100);
	t.tick.u.bbo.ask_px = PX(ask * E8 / 100);
	t.tick.u.bbo.bid_qty = QTY(100 * E8);
	t.tick.u.bbo.ask_qty = QTY(100 * E8);
	slot(RG_MD_PM_Q, &t, 0);
}

static void
bbo(uint16_t idx, int bid, int ask)
{
	bbo_at(idx, bid, ask, 3600);
}

static void
link_is(uint8_t conn, uint8_t state)
{
	union tap t = {.hdr = {.kind = TICK_LINK}};

	t.tick.u.link.conn = conn;
	t.tick.u.link.state = state;
	slot(RG_MD_PM_Q, &t, 0);
}

static void
gap(uint16_t idx, uint8_t scope, uint8_t conn)
{
	union tap t = {.hdr = {.kind = TICK_GAP, .instr = idx}};

	t.tick.u.gap.scope = scope;
	t.tick.u.gap.conn = conn;
	slot(RG_MD_PM_Q, &t, 0);
}

static void
state_is(uint16_t idx, int64_t position)
{
	union tap t = {.order = {.hdr = {.kind = MSG_STATE, .instr = idx},
			   .status = TRADING_RUN,
			   .qty = QTY(position * E8)}};

	slot(RG_VERDICT, &t, 0);
}

static void
open_quote(void)
{
	q = calloc(1, sizeof(*q));
	assert_non_null(q);
	now = 1000 * S;
	quote_init(q, &cfg, 7);
	state_is(0, 0);
	link_is(0, LINK_READY);
}

static int
setup(void **state)
{
	(void)state;
	cfg_defaults(&cfg);
	cfg.warmup_max_s.ns = 0;
	cfg.mm_max_markets = PLACES;
	open_quote();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(q);
	return 0;
}

#define REASON_IS(idx, r) assert_int_equal(q->mkt[idx].reason, r)

static void
a_market(uint16_t idx)
{
	instr(idx, CLASS_BINARY);
	bbo(idx, 49, 51);
}

static void
a_second_connection_is_not_the_link(void **state)
{
	(void)state;
	a_market(PM);
	REASON_IS(PM, REASON_OK);
	link_is(1, LINK_DOWN);
	bbo(PM, 48, 50);
	REASON_IS(PM, REASON_OK);
	/* Its being well does not stand for the other either. */
	link_is(0, LINK_STALE);
	REASON_IS(PM, REASON_FEED_STALE);
	link_is(1, LINK_READY);
	bbo(PM, 49, 51);
	REASON_IS(PM, REASON_FEED_STALE);
	link_is(0, LINK_READY);
	REASON_IS(PM, REASON_OK);
	now += 4 * S;
	link_is(1, LINK_READY);
	timer();
	REASON_IS(PM, REASON_FEED_STALE);
}

static void
a_gap_drops_what_it_names(void **state)
{
	(void)state;
	a_market(PM);
	a_market(PM + 1);
	gap(PM, 1, 0);
	timer();
	REASON_IS(PM, REASON_NO_BOOK);
	REASON_IS(PM + 1, REASON_OK);
	assert_int_equal(q->mkt[PM].side[SIDE_BID].qty.e8, 0);
	assert_true(q->mkt[PM + 1].side[SIDE_BID].qty.e8 > 0);
	bbo(PM, 49, 51);
	REASON_IS(PM, REASON_OK);
	gap(0, 2, 1);
	timer();
	REASON_IS(PM, REASON_OK);
	REASON_IS(PM + 1, REASON_OK);
	gap(0, 2, 0);
	timer();
	REASON_IS(PM, REASON_NO_BOOK);
	REASON_IS(PM + 1, REASON_NO_BOOK);
}

/* What is held must be quoted out of: no other market takes its place. */
static void
a_position_keeps_its_place(void **state)
{
	const uint16_t last = PM + PLACES;

	(void)state;
	for (uint16_t i = PM; i <= last; i++)
		a_market(i);
	REASON_IS(last, REASON_NOT_SELECTED);
	state_is(PM, 10);
	bbo(PM, 30, 70);
	REASON_IS(PM, REASON_GAPPED);
	assert_true(q->mkt[PM].active);
	assert_int_equal(q->active_n, PLACES);
	bbo(last, 48, 50);
	REASON_IS(last, REASON_NOT_SELECTED);
	bbo(PM, 49, 51);
	REASON_IS(PM, REASON_OK);
	/* Short is held as well. */
	state_is(PM, -10);
	bbo(PM, 30, 70);
	bbo(last, 49, 51);
	REASON_IS(last, REASON_NOT_SELECTED);
	state_is(PM, 0);
	assert_false(q->mkt[PM].active);
	bbo(last, 48, 50);
	REASON_IS(last, REASON_OK);
	bbo(PM, 49, 51);
	REASON_IS(PM, REASON_NOT_SELECTED);
}

/* Two settings, and the earlier of the two moments counts. */
static void
quotes_end_before_the_market_does(void **state)
{
	static const struct {
		int64_t min;
		int64_t stop;
		int64_t end;
	} rows[] = {{10, 30, 30}, {30, 10, 30}, {0, 20, 20}, {20, 0, 20}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		free(q);
		cfg.updown_min_time_to_expiry.ns = rows[i].min * NS_PER_S;
		cfg.updown_stop_quote_s.ns = rows[i].stop * NS_PER_S;
		open_quote();
		instr(PM, CLASS_UPDOWN);
		bbo_at(PM, 49, 51, rows[i].end + 1);
		REASON_IS(PM, REASON_OK);
		bbo_at(PM, 49, 51, rows[i].end);
		REASON_IS(PM, REASON_OK);
		bbo_at(PM, 49, 51, rows[i].end - 1);
		REASON_IS(PM, REASON_STATE);
		assert_int_equal(out.core.n, 2);
		assert_int_equal(out.core.msg[0].order.qty.e8, 0);
		assert_int_equal(out.core.msg[1].order.qty.e8, 0);
	}
}

static void
settled_by(uint16_t index, uint32_t lookback_s, enum strike_source strike)
{
	struct instr in = {
	    .venue = VENUE_POLYMARKET,
	    .cls = CLASS_UPDOWN,
	    .state = INSTR_NORMAL,
	    .epoch = 1,
	    .tick_px = PX(E8 / 100),
	    .lot_qty = QTY(E8 / 100),
	    .min_qty = QTY(5 * E8),
	    .end_wall_ns = END,
	    .strike_source = strike,
	    .settle_index = index,
	    .settle_source = REF_TWAP,
	    .settle_lookback_s = lookback_s,
	};
	union tap t = {.hdr = {.kind = TICK_INSTR, .instr = PM}};

	slot(RG_MD_PM_Q, &t, &in);
}

static void
T_02_a_disputed_strike_is_not_quoted(void **state)
{
	(void)state;
	settled_by(0, 0, STRIKE_PROVISIONAL);
	bbo_at(PM, 49, 51, 600);
	REASON_IS(PM, REASON_OK);
	settled_by(0, 0, STRIKE_CONFLICT);
	REASON_IS(PM, REASON_STRIKE);
	assert_int_equal(out.core.n, 2); /* at once */
	assert_int_equal(out.core.msg[0].order.qty.e8, 0);
	assert_int_equal(out.core.msg[1].order.qty.e8, 0);
}

/* Its own clock: the book may be as fresh as can be. */
static void
T_03_an_old_settlement_price_pulls_the_quotes(void **state)
{
	static const uint32_t lookbacks[] = {0, 30, 60, 90};

	(void)state;
	for (size_t i = 0; i < sizeof(lookbacks) / sizeof(*lookbacks); i++) {
		uint64_t most_s = lookbacks[i] > 60 ? lookbacks[i] : 60;
		union tap ref = {.hdr = {.kind = TICK_REF, .instr = PM - 1}};

		settled_by(PM - 1, lookbacks[i], STRIKE_PROVISIONAL);
		ref.tick.u.ref.px = PX(60000 * E8);
		ref.tick.u.ref.source = REF_TWAP;
		slot(RG_MD_PM_Q, &ref, 0);
		now += most_s * S;
		link_is(0, LINK_READY);
		bbo_at(PM, 49, 51, 600);
		REASON_IS(PM, REASON_OK);
		now += 1;
		bbo_at(PM, 49, 51, 600);
		REASON_IS(PM, REASON_SETTLE_STALE);
		slot(RG_MD_PM_Q, &ref, 0);
		bbo_at(PM, 49, 51, 600);
		REASON_IS(PM, REASON_OK);
	}
}

static void
ref(enum ref_source s, uint8_t flags)
{
	union tap t = {
	    .hdr = {.kind = TICK_REF, .instr = PM - 1, .flags = flags}};

	t.tick.u.ref.px = PX(60000 * E8);
	t.tick.u.ref.source = s;
	slot(RG_MD_PM_Q, &t, 0);
}

/* What is wanted after a fresh book, bid to ask. */
static int64_t
spread(void)
{
	link_is(0, LINK_READY);
	bbo_at(PM, 45, 55, 600);
	assert_true(q->mkt[PM].side[SIDE_BID].qty.e8 > 0);
	return q->mkt[PM].side[SIDE_ASK].px.e8 -
	       q->mkt[PM].side[SIDE_BID].px.e8;
}

static void
T_03_settlement_stale_widens_then_pulls(void **state)
{
	int64_t calm;

	(void)state;
	q->cfg.mm_target_spread.e8 = E8 / 25;
	q->cfg.mm_max_spread.e8 = E8 / 2;
	settled_by(PM - 1, 60, STRIKE_PROVISIONAL);
	ref(REF_TWAP, 0);
	calm = spread();
	assert_int_equal(calm, E8 / 25);
	now += 30 * S;
	assert_int_equal(spread(), calm);
	now += 1;
	assert_int_equal(spread(), 2 * calm);
	q->cfg.updown_stale_widen.e8 = E8;
	assert_int_equal(spread(), calm);
	q->cfg.updown_stale_widen.e8 = 3 * E8;
	assert_int_equal(spread(), 3 * calm);
	/* neither another source nor what is sent again is news of it */
	ref(REF_RELAY, 0);
	ref(REF_TWAP, SLOT_REPLAY);
	assert_int_equal(spread(), 3 * calm);
	now += 30 * S;
	link_is(0, LINK_READY);
	bbo_at(PM, 45, 55, 600);
	REASON_IS(PM, REASON_SETTLE_STALE);
	assert_int_equal(q->mkt[PM].side[SIDE_BID].qty.e8, 0);
	ref(REF_SPOT, 0); /* our own average is of these */
	assert_int_equal(spread(), calm);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_second_connection_is_not_the_link),
	    T(a_gap_drops_what_it_names),
	    T(a_position_keeps_its_place),
	    T(quotes_end_before_the_market_does),
	    T(T_02_a_disputed_strike_is_not_quoted),
	    T(T_03_an_old_settlement_price_pulls_the_quotes),
	    T(T_03_settlement_stale_widens_then_pulls),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
