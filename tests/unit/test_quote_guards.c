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
	    .rules = RRS_SEEN,
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
	    .rules = RRS_SEEN,
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
	settled_by(0, 0, STRIKE_OFFICIAL);
	bbo_at(PM, 49, 51, 600);
	REASON_IS(PM, REASON_OK);
	settled_by(0, 0, STRIKE_CONFLICT);
	REASON_IS(PM, REASON_STRIKE);
	assert_int_equal(out.core.n, 2); /* at once */
	assert_int_equal(out.core.msg[0].order.qty.e8, 0);
	assert_int_equal(out.core.msg[1].order.qty.e8, 0);
}

#define SPOT INSTR_BN_BASE

/* A minute of the reference, up and down by 1e-4 a second: its standard
 * deviation is 1e-4 times the root of the seconds. */
static void
reference_moves(void)
{
	struct instr in = {.venue = VENUE_BINANCE,
	    .cls = CLASS_SPOT,
	    .state = INSTR_NORMAL,
	    .rules = RRS_SEEN,
	    .epoch = 1,
	    .tick_px = PX(E8),
	    .lot_qty = QTY(E8)};
	union tap is = {.hdr = {.kind = TICK_INSTR, .instr = SPOT}};

	slot(RG_MD_BN_Q, &is, &in);
	for (int i = 0; i < 600; i++) {
		union tap t = {.hdr = {.kind = TICK_BBO, .instr = SPOT}};

		now += S;
		t.tick.u.bbo.bid_px = PX((60000 + i % 2 * 6) * E8);
		t.tick.u.bbo.ask_px = t.tick.u.bbo.bid_px;
		t.tick.u.bbo.ask_px.e8 += E8;
		t.tick.u.bbo.bid_qty = QTY(E8);
		t.tick.u.bbo.ask_qty = QTY(E8);
		slot(RG_MD_BN_Q, &t, 0);
	}
	link_is(0, LINK_READY);
}

static void
our_strike(int64_t strike, uint16_t index)
{
	struct instr in = {
	    .venue = VENUE_POLYMARKET,
	    .cls = CLASS_UPDOWN,
	    .state = INSTR_NORMAL,
	    .rules = RRS_SEEN,
	    .epoch = 1,
	    .tick_px = PX(E8 / 100),
	    .lot_qty = QTY(E8 / 100),
	    .min_qty = QTY(5 * E8),
	    .end_wall_ns = END,
	    .strike_source = STRIKE_PROVISIONAL,
	    .strike_px = PX(strike * E8),
	    .underlying = SPOT,
	    .settle_index = index,
	    .settle_source = REF_SPOT,
	};
	union tap t = {.hdr = {.kind = TICK_INSTR, .instr = PM}};

	slot(RG_MD_PM_Q, &t, &in);
	bbo_at(PM, 49, 51, 900);
}

static void
guard_is(int64_t sigmas_e8)
{
	cfg.updown_strike_guard_sigma.e8 = sigmas_e8;
	q->cfg = cfg;
}

/* Sigma of 15 minutes: 60000 * 1e-4 * 30 = 180. */
static void
T_02_a_price_near_our_own_strike_is_not_quoted(void **state)
{
	static const struct {
		int64_t sigmas_e8;
		int64_t strike;
		enum reason r;
	} rows[] = {
	    {E8, 60000, REASON_STRIKE},
	    {E8, 60140, REASON_STRIKE},
	    {E8, 59860, REASON_STRIKE},
	    {E8, 60240, REASON_OK},
	    {E8, 59760, REASON_OK},
	    {2 * E8, 60240, REASON_STRIKE},
	    {2 * E8, 60440, REASON_OK},
	    {E8 / 2, 60140, REASON_OK},
	    {0, 60000, REASON_OK},
	};

	(void)state;
	reference_moves();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		guard_is(rows[i].sigmas_e8);
		our_strike(rows[i].strike, 0);
		REASON_IS(PM, rows[i].r);
	}
	guard_is(E8); /* the less time is left, the less it can move */
	our_strike(60140, 0);
	REASON_IS(PM, REASON_STRIKE);
	bbo_at(PM, 49, 51, 225);
	REASON_IS(PM, REASON_OK);
}

/* The price that settles it is the one that counts. */
static void
T_02_settlement_price_is_held_against_the_strike(void **state)
{
	union tap ref = {.hdr = {.kind = TICK_REF, .instr = PM - 1}};

	(void)state;
	reference_moves();
	ref.tick.u.ref.px = PX(60600 * E8);
	ref.tick.u.ref.source = REF_SPOT;
	slot(RG_MD_PM_Q, &ref, 0);
	our_strike(60000, PM - 1);
	REASON_IS(PM, REASON_OK);
	our_strike(60600, PM - 1);
	REASON_IS(PM, REASON_STRIKE);
	ref.tick.u.ref.px = PX(60000 * E8); /* not what settles */
	ref.tick.u.ref.source = REF_RELAY;
	slot(RG_MD_PM_Q, &ref, 0);
	our_strike(60600, PM - 1);
	REASON_IS(PM, REASON_STRIKE);
}

static void
T_02_our_own_strike_needs_a_reference(void **state)
{
	(void)state;
	our_strike(70000, 0); /* no volatility yet */
	REASON_IS(PM, REASON_STRIKE);
	guard_is(0);
	our_strike(70000, 0);
	REASON_IS(PM, REASON_OK);
	guard_is(E8);
	reference_moves();
	our_strike(70000, 0);
	REASON_IS(PM, REASON_OK);
	our_strike(0, 0);
	REASON_IS(PM, REASON_STRIKE);
	q->mkt[SPOT].valid = false; /* a gap of the reference */
	our_strike(70000, 0);
	REASON_IS(PM, REASON_STRIKE);
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

		settled_by(PM - 1, lookbacks[i], STRIKE_OFFICIAL);
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
	settled_by(PM - 1, 60, STRIKE_OFFICIAL);
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
	    T(T_02_a_price_near_our_own_strike_is_not_quoted),
	    T(T_02_settlement_price_is_held_against_the_strike),
	    T(T_02_our_own_strike_needs_a_reference),
	    T(T_03_an_old_settlement_price_pulls_the_quotes),
	    T(T_03_settlement_stale_widens_then_pulls),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
