/* links: quoted libshm libcore */
/* Which markets: vetoes, ranks, places, clusters, states; unwinding. */
#include "tests/unit/quotekit.h"

#define HOUR (3600 * NS_PER_S)

static void
market(uint16_t i, double bid, double ask, double qty)
{
	tell(PM + i, a_binary());
	bbo(PM + i, bid, ask, qty, qty);
}

/* The next cycle, whole. */
static void
cycle(void)
{
	now += 60 * S;
	links_are(LINK_READY);
	timer();
	for (int i = 0; i < 40; i++)
		timer();
}

#define REASON_IS(i, r) assert_int_equal(q->mkt[PM + (i)].reason, r)

static void
the_best_get_the_places(void **state)
{
	(void)state;
	q->cfg.mm_max_markets = 2;
	for (uint16_t i = 0; i < 6; i++)
		market(i, 0.49, 0.51, 20.0 + 100.0 * i);
	REASON_IS(0, REASON_OK);
	REASON_IS(1, REASON_OK);
	REASON_IS(5, REASON_NOT_SELECTED);
	cycle();
	assert_int_equal(q->mkt[PM + 5].sel.rank, 1);
	assert_int_equal(q->mkt[PM + 4].sel.rank, 2);
	assert_int_equal(q->mkt[PM].sel.rank, 6);
	REASON_IS(5, REASON_OK);
	REASON_IS(4, REASON_OK);
	REASON_IS(0, REASON_NOT_SELECTED);
	assert_int_equal(q->mkt[PM].side[SIDE_BID].qty.e8, 0);
	assert_int_equal(q->active_n, 2);
}

static void
a_little_better_is_not_enough(void **state)
{
	(void)state;
	q->cfg.qs_active_quote_count = 1;
	q->cfg.mm_max_markets = 1;
	market(0, 0.49, 0.51, 100);
	cycle();
	assert_int_equal(q->mkt[PM].sel.rank, 1);
	market(1, 0.49, 0.51, 150);
	cycle();
	assert_true(q->mkt[PM + 1].sel.score > q->mkt[PM].sel.score);
	assert_int_equal(q->mkt[PM].sel.rank, 1);
	assert_int_equal(q->mkt[PM + 1].sel.rank, 0);
	market(1, 0.49, 0.51, 50000);
	cycle();
	assert_int_equal(q->mkt[PM + 1].sel.rank, 1);
	assert_int_equal(q->mkt[PM].sel.rank, 0);
	q->cfg.qs_hysteresis.e8 = 0;
}

static void
what_is_held_keeps_its_place(void **state)
{
	(void)state;
	q->cfg.mm_max_markets = 1;
	market(0, 0.49, 0.51, 20);
	state_is(PM, TRADING_RUN, REASON_OK, 10);
	market(1, 0.49, 0.51, 5000);
	cycle();
	assert_int_equal(q->mkt[PM + 1].sel.rank, 1);
	REASON_IS(0, REASON_OK);
	REASON_IS(1, REASON_NOT_SELECTED);
}

/* Each veto, and which is first when several apply. */
static void
the_first_veto_is_the_primary_one(void **state)
{
	struct instr in = a_binary();

	(void)state;
	q->cfg.mm_max_markets = 100;
	for (uint16_t i = 0; i < 9; i++)
		market(i, 0.49, 0.51, 100);
	in.rules |= RRS_BIT(DISPUTED);
	in.liquidity = USD(100 * E6);
	tell(PM + 1, in);
	in = a_binary();
	in.state = INSTR_HALTED;
	in.liquidity = USD(100 * E6);
	tell(PM + 2, in);
	q->mkt[PM + 3].valid = false;
	bbo(PM + 4, 0.51, 0.51, 100, 100);
	bbo(PM + 5, 0.40, 0.60, 100, 100);
	in.state = INSTR_NORMAL;
	tell(PM + 6, in);
	state_is(PM + 7, TRADING_REDUCE, REASON_TOXIC, 0);
	in = a_binary();
	in.cluster = 9;
	tell(PM + 8, in);
	in.symbol[0] = 'x';
	tell(PM + 9, in);
	bbo(PM + 9, 0.49, 0.51, 100, 100);
	state_is(PM + 9, TRADING_RUN, REASON_OK, 20); /* 10 of 8.75 dollars */
	cycle();
	for (int v = SELECT_OK; v < SELECT_VETO_N; v++) {
		int i = v - SELECT_OK;

		if (q->mkt[PM + i].sel.veto != v)
			fail_msg("market %d: %s, not %s", i,
			    select_veto_name(
				(enum select_veto)q->mkt[PM + i].sel.veto),
			    select_veto_name((enum select_veto)v));
	}
	assert_int_equal(q->sel.vetoes[SELECT_CLUSTER], 1);
	assert_int_equal(q->sel.vetoes[SELECT_OK], 2);
	assert_int_equal(q->mkt[PM + 9].sel.veto, SELECT_OK);
	REASON_IS(8, REASON_CLUSTER);
	REASON_IS(7, REASON_TOXIC);
	REASON_IS(6, REASON_LIQUIDITY);
	REASON_IS(1, REASON_RRS);
}

static void
a_cycle_is_told(void **state)
{
	uint32_t samples = 0;

	(void)state;
	for (uint16_t i = 0; i < 8; i++)
		market(i, 0.49, 0.51, 100);
	now += 60 * S;
	timer();
	assert_true(noted(QUOTE_CYCLE));
	for (uint32_t i = 0; i < out.note_n; i++)
		samples += out.note[i].what == QUOTE_SAMPLE;
	assert_int_equal(samples, SELECT_SAMPLES);
}

static void
quiet_books_are_stale_by_the_books_clock_only(void **state)
{
	(void)state;
	market(0, 0.49, 0.51, 100);
	now += 121 * S;
	links_are(LINK_READY);
	timer();
	REASON_IS(0, REASON_OK);
	q->cfg.qs_staleness_clock = CFG_STALENESS_BOOK;
	cycle();
	REASON_IS(0, REASON_FEED_STALE);
	assert_int_equal(q->mkt[PM].sel.veto, SELECT_STALE);
	bbo(PM, 0.49, 0.51, 101, 100);
	REASON_IS(0, REASON_OK);
	q->cfg.system_mode = MODE_LIVE;
	now += 6 * S;
	links_are(LINK_READY);
	timer();
	REASON_IS(0, REASON_FEED_STALE);
}

static void
states_follow_the_venues_clock(void **state)
{
	static const struct {
		int64_t hours;
		enum instr_state want;
	} rows[] = {{73, INSTR_NORMAL}, {71, INSTR_WATCH}, {25, INSTR_WATCH},
	    {23, INSTR_CLOSE_WINDOW}, {-1, INSTR_CLOSE_WINDOW}};

	(void)state;
	market(0, 0.49, 0.51, 100);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    select_state(q, &q->mkt[PM], rows[i].hours * HOUR),
		    rows[i].want);
	q->mkt[PM].in.state = INSTR_DISPUTED;
	assert_int_equal(
	    select_state(q, &q->mkt[PM], 100 * HOUR), INSTR_DISPUTED);
}

/* A quiet window ends too: nothing needs to be said for that. */
static void
a_window_without_news_is_left_in_time(void **state)
{
	struct instr in = a_binary();

	(void)state;
	in.cls = CLASS_UPDOWN;
	in.end_wall_ns = WALL + (int64_t)now + 70 * NS_PER_S;
	tell(PM, in);
	bbo(PM, 0.49, 0.51, 100, 100);
	REASON_IS(0, REASON_OK);
	for (int i = 0; i < 9; i++) {
		now += S;
		links_are(LINK_READY);
		timer();
	}
	REASON_IS(0, REASON_OK);
	now += 2 * S;
	links_are(LINK_READY);
	timer();
	REASON_IS(0, REASON_STATE);
	assert_int_equal(q->mkt[PM].side[SIDE_BID].qty.e8, 0);
}

/* ---- factors and unwinding ---- */

static void
riskds_factors_hold_until_their_time(void **state)
{
	union tap t = {.order = {.hdr = {.kind = MSG_STATE, .instr = PM},
			   .status = TRADING_RUN,
			   .reason = REASON_TOXIC_FLOW,
			   .life_ms = 300000}};
	int64_t calm;

	(void)state;
	q->cfg.mm_target_spread.e8 = E8 / 50;
	market(0, 0.45, 0.52, 100);
	calm = q->mkt[PM].side[SIDE_BID].qty.e8;
	t.order.exec_px = PX(E8 * 3 / 2);
	t.order.exec_qty = QTY(E8 / 2);
	t.order.cum_qty = QTY(E8 * 5 / 2);
	slot(RG_VERDICT, &t, 0);
	slot(RG_VERDICT, &t, 0); /* said twice is not squared */
	assert_true(q->mkt[PM].side[SIDE_BID].qty.e8 < calm * 6 / 10);
	assert_true(q->mkt[PM].side[SIDE_BID].qty.e8 > calm * 4 / 10);
	assert_int_equal(q->mkt[PM].half.e8, E8 / 40);
	assert_true(q->mkt[PM].gamma > 0.299 && q->mkt[PM].gamma < 0.301);
	now += 300 * S;
	links_are(LINK_READY);
	bbo(PM, 0.45, 0.52, 100, 101);
	assert_int_equal(q->mkt[PM].half.e8, E8 / 100);
}

static void
a_position_risk_wants_gone_is_offered_at_the_touch(void **state)
{
	(void)state;
	market(0, 0.40, 0.60, 100); /* gapped: nobody else would quote it */
	state_is(PM, TRADING_REDUCE, REASON_STATE, 20);
	assert_int_equal(q->mkt[PM].side[SIDE_BID].qty.e8, 0);
	assert_int_equal(q->mkt[PM].side[SIDE_ASK].qty.e8, 20 * E8);
	assert_int_equal(q->mkt[PM].side[SIDE_ASK].px.e8, 59000000);
	assert_int_equal(
	    sent(STRATEGY_UNWIND, SIDE_ASK)->oflags, ORDER_POST_ONLY);
	state_is(PM, TRADING_REDUCE, REASON_STATE, -20);
	assert_int_equal(q->mkt[PM].side[SIDE_ASK].qty.e8, 0);
	assert_int_equal(q->mkt[PM].side[SIDE_BID].px.e8, 41000000);
	/* no room inside a spread of one tick */
	bbo(PM, 0.50, 0.51, 100, 100);
	assert_int_equal(q->mkt[PM].side[SIDE_BID].px.e8, 50000000);
}

static void
twap_offers_slices(void **state)
{
	(void)state;
	q->cfg.unwind_style = CFG_UNWIND_TWAP;
	q->cfg.unwind_time_s.ns = 40 * NS_PER_S;
	q->cfg.unwind_slice_s.ns = 10 * NS_PER_S;
	market(0, 0.49, 0.51, 100);
	state_is(PM, TRADING_REDUCE, REASON_STATE, 40);
	assert_int_equal(q->mkt[PM].side[SIDE_ASK].qty.e8, 10 * E8);
	now += 10 * S;
	links_are(LINK_READY);
	timer();
	assert_int_equal(q->mkt[PM].side[SIDE_ASK].qty.e8, 20 * E8);
	state_is(PM, TRADING_REDUCE, REASON_STATE, 25);
	assert_int_equal(q->mkt[PM].side[SIDE_ASK].qty.e8, 5 * E8);
	now += 60 * S;
	links_are(LINK_READY);
	timer();
	assert_int_equal(q->mkt[PM].side[SIDE_ASK].qty.e8, 25 * E8);
}

static void
vwap_offers_a_share_of_what_trades(void **state)
{
	(void)state;
	q->cfg.unwind_style = CFG_UNWIND_VWAP;
	market(0, 0.49, 0.51, 100);
	state_is(PM, TRADING_REDUCE, REASON_STATE, 40);
	assert_int_equal(q->mkt[PM].side[SIDE_ASK].qty.e8, 5 * E8);
	trade(PM, 0.50, 100);
	bbo(PM, 0.49, 0.51, 101, 100);
	assert_int_equal(q->mkt[PM].side[SIDE_ASK].qty.e8, 20 * E8);
}

/* 22.75 shares could be bought; the bids within three ticks take 9 back. */
static void
T_76_size_is_capped_by_what_the_book_takes_back(void **state)
{
	(void)state;
	q->cfg.system_mode = MODE_PAPER;
	tell(PM, a_binary());
	level(PM, SIDE_BID, 0.49, 5);
	level(PM, SIDE_BID, 0.46, 4);
	level(PM, SIDE_BID, 0.45, 400);
	level(PM, SIDE_ASK, 0.51, 100);
	bbo(PM, 0.49, 0.51, 5, 5);
	assert_int_equal(q->mkt[PM].side[SIDE_BID].qty.e8, 9 * E8);
	assert_true(q->mkt[PM].side[SIDE_ASK].qty.e8 > 20 * E8);
}

/* The touch says 0.50; five times as much is bid as offered behind it. */
static void
a_micro_price_of_more_levels(void **state)
{
	px_t touch;

	(void)state;
	tell(PM, a_binary());
	for (int i = 0; i < 4; i++) {
		level(PM, SIDE_BID, 0.49 - 0.01 * i, 100);
		level(PM, SIDE_ASK, 0.51 + 0.01 * i, i == 0 ? 100 : 20);
	}
	bbo(PM, 0.49, 0.51, 100, 100);
	touch = quote_micro(q, &q->mkt[PM]);
	assert_int_equal(touch.e8, E8 / 2);
	q->cfg.micro_price_levels = 4;
	assert_true(quote_micro(q, &q->mkt[PM]).e8 > touch.e8);
	assert_true(quote_micro(q, &q->mkt[PM]).e8 <= 51 * E8 / 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    KIT(the_best_get_the_places),
	    KIT(a_little_better_is_not_enough),
	    KIT(what_is_held_keeps_its_place),
	    KIT(the_first_veto_is_the_primary_one),
	    KIT(a_cycle_is_told),
	    KIT(quiet_books_are_stale_by_the_books_clock_only),
	    KIT(states_follow_the_venues_clock),
	    KIT(a_window_without_news_is_left_in_time),
	    KIT(riskds_factors_hold_until_their_time),
	    KIT(a_position_risk_wants_gone_is_offered_at_the_touch),
	    KIT(twap_offers_slices),
	    KIT(vwap_offers_a_share_of_what_trades),
	    KIT(a_micro_price_of_more_levels),
	    KIT(T_76_size_is_capped_by_what_the_book_takes_back),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
