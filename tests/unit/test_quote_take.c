/* links: quoted libshm libcore */
/* Fair values, edges, stakes, legs: everything that takes. */
#include <math.h>
#include "quoted/edge.h"
#include "tests/unit/quotekit.h"

#define STRIKE 60000.0

/* An up/down market `left_s` before its end, with a reference that wandered
 * by 1e-4 a second for five minutes and stands at spot. */
static void
window(double spot, int64_t left_s)
{
	struct instr ref = {.venue = VENUE_BINANCE,
	    .cls = CLASS_SPOT,
	    .state = INSTR_NORMAL,
	    .epoch = 1,
	    .tick_px = PX(E8 / 100),
	    .lot_qty = QTY(1)};
	struct instr in = a_binary();

	tell(SPOT, ref);
	for (int i = 0; i < 300; i++) {
		double px = spot * (i % 2 == 0 ? 1.00005 : 0.99995);

		now += S;
		bbo(SPOT, px - 0.5, px + 0.5, 1, 1);
	}
	in.cls = CLASS_UPDOWN;
	in.underlying = SPOT;
	in.strike_px = PX((int64_t)(STRIKE * 1e8));
	in.strike_source = STRIKE_OFFICIAL;
	in.end_wall_ns = WALL + (int64_t)now + left_s * NS_PER_S;
	in.start_wall_ns = in.end_wall_ns - 900 * NS_PER_S;
	in.tie_yes = 1;
	links_are(LINK_READY);
	bbo(SPOT, spot - 0.5, spot + 0.5, 1, 1);
	tell(PM, in);
}

static void
rich(void)
{
	q->cfg.edge_enabled = true;
	q->cfg.capital_usd = USD(2000 * E6);
	q->capital = q->cfg.capital_usd;
	q->cfg.edge_max_edge.e8 = E8;
}

static const struct why_side *
chain(enum side side)
{
	return &why->market[PM].side[side - 1];
}

/* 60060 over 60000 with sd 60000 * 1e-4 * sqrt(400) = 120: half a sigma. */
static void
a_cheap_market_is_bought(void **state)
{
	const struct order *o;

	(void)state;
	rich();
	window(60060.0, 400);
	bbo(PM, 0.58, 0.60, 200, 200);
	assert_int_equal(q->mkt[PM].fair.state, FAIR_OK);
	assert_true(q->mkt[PM].fair.yes > 0.67 && q->mkt[PM].fair.yes < 0.71);
	o = sent(STRATEGY_EDGE, SIDE_BID);
	assert_non_null(o);
	assert_int_equal(o->px.e8, 60000000);
	assert_true(o->oflags & ORDER_IMPERATIVE);
	assert_int_equal(o->tif, TIF_IOC);
	assert_int_equal(o->life_ms, 250);
	/* a quarter of Kelly is over 1 % of 2000: 20 dollars at 0.602 */
	assert_int_equal(o->qty.e8, INT64_C(3322000000));
	assert_int_equal(q->signals[STRATEGY_EDGE], 1);
	assert_null(sent(STRATEGY_EDGE, SIDE_ASK));
}

static void
a_dear_market_is_sold(void **state)
{
	const struct order *o;

	(void)state;
	rich();
	window(60060.0, 400);
	bbo(PM, 0.80, 0.82, 200, 200);
	o = sent(STRATEGY_EDGE, SIDE_ASK);
	assert_non_null(o);
	assert_int_equal(o->px.e8, 80000000);
	/* NO costs 0.20 and slippage 0.002: 20 dollars buy 99.00 */
	assert_int_equal(o->qty.e8, INT64_C(9900000000));
}

/* Each filter alone, in the order of the chain. */
static void
each_filter_refuses_by_name(void **state)
{
#define AT(field) offsetof(struct cfg, field)
	static const struct {
		const char *what;
		enum why_id stop;
		size_t at; /* setting, a number in one word */
		int64_t value;
	} rows[] = {{"edge too small", WHY_MIN_EDGE, AT(edge_min_edge), E8 / 2},
	    {"edge too good", WHY_MAX_EDGE, AT(edge_max_edge), E8 / 50},
	    {"thin", WHY_DEPTH, AT(edge_min_liquidity), 121 * E6},
	    {"too late", WHY_MIN_TIME, AT(edge_min_time_to_expiry),
		401 * NS_PER_S},
	    {"too early", WHY_MAX_TIME, AT(edge_max_time_to_expiry),
		399 * NS_PER_S},
	    {"too calm", WHY_VOL, AT(edge_vol_min), 2 * E8},
	    {"unsure", WHY_CONFIDENCE, AT(edge_min_confidence), E8 + 1},
	    {"too poor", WHY_STAKE, AT(kelly_fraction), E8 / 10000}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		again();
		rich();
		memcpy((char *)&q->cfg + rows[i].at, &rows[i].value,
		    sizeof(rows[i].value));
		window(60060.0, 400);
		bbo(PM, 0.58, 0.60, 200, 200);
		if (chain(SIDE_BID)->take_stop != rows[i].stop)
			fail_msg("%s: stopped at %s", rows[i].what,
			    chain(SIDE_BID)->take_stop < WHY_N
				? why_def(
				      (enum why_id)chain(SIDE_BID)->take_stop)
				      ->label
				: "nothing");
		assert_null(sent(STRATEGY_EDGE, SIDE_BID));
		assert_int_equal(q->signals[STRATEGY_EDGE], 0);
	}
}

static void
without_leave_a_signal_is_only_counted(void **state)
{
	(void)state;
	rich();
	q->cfg.edge_enabled = false;
	window(60060.0, 400);
	bbo(PM, 0.58, 0.60, 200, 200);
	assert_null(sent(STRATEGY_EDGE, SIDE_BID));
	assert_int_equal(q->signals[STRATEGY_EDGE], 1);
}

/* The reference moves; the market's own book says nothing new. */
static void
a_move_of_the_reference_is_news(void **state)
{
	(void)state;
	rich();
	window(60000.0, 400);
	bbo(PM, 0.49, 0.51, 200, 200);
	assert_null(sent(STRATEGY_EDGE, SIDE_BID));
	now += S;
	links_are(LINK_READY);
	bbo(SPOT, 60079.5, 60080.5, 1, 1);
	assert_non_null(sent(STRATEGY_EDGE, SIDE_BID));
}

static void
a_holding_is_not_the_makers_inventory(void **state)
{
	struct order o;

	(void)state;
	rich();
	window(60060.0, 400);
	bbo(PM, 0.58, 0.60, 200, 200);
	o = *sent(STRATEGY_EDGE, SIDE_BID);
	report(MSG_FILL, &o, 33.22, 0);
	state_is(PM, TRADING_RUN, 0, 33.22);
	assert_int_equal(q->mkt[PM].held.e8, INT64_C(3322000000));
	assert_int_equal(strat_own(&q->mkt[PM]).e8, 0);
	/* one position a market; nothing more is taken */
	now += 6 * S;
	links_are(LINK_READY);
	bbo(SPOT, 60059.5, 60060.5, 1, 1);
	bbo(PM, 0.57, 0.59, 200, 200);
	assert_null(sent(STRATEGY_EDGE, SIDE_BID));
	assert_int_equal(chain(SIDE_BID)->take_stop, WHY_STAKE);
	/* sold by riskd, or paid out: the next one may be taken */
	state_is(PM, TRADING_RUN, 0, 0);
	assert_int_equal(q->mkt[PM].held.e8, 0);
	assert_non_null(sent(STRATEGY_EDGE, SIDE_BID));
}

static void
three_positions_are_enough(void **state)
{
	usd_t stake;

	(void)state;
	rich();
	for (uint16_t i = 0; i < 3; i++)
		q->hold[i] = (struct quote_hold){.qty = QTY(E8),
		    .cost = USD(E6),
		    .instr = PM + 5,
		    .strategy = STRATEGY_EDGE};
	assert_int_equal(strat_held(q, STRATEGY_EDGE, &stake), 3);
	assert_int_equal(stake.e6, 3 * E6);
	window(60060.0, 400);
	bbo(PM, 0.58, 0.60, 200, 200);
	assert_int_equal(chain(SIDE_BID)->take_stop, WHY_STAKE);
}

static void
a_strike_nobody_tells_is_the_references(void **state)
{
	struct instr in = a_binary();

	(void)state;
	rich();
	q->cfg.edge_min_confidence.e8 = E8 / 10;
	window(60000.0, 400);
	in.cls = CLASS_UPDOWN;
	in.underlying = SPOT;
	in.start_wall_ns = WALL + (int64_t)now - 30 * NS_PER_S;
	in.settle_lookback_s = 60;
	in.end_wall_ns = WALL + (int64_t)now + 800 * NS_PER_S;
	/* 60 seconds up to then, half a basis point up and down */
	assert_true(fabs(signal_strike(&q->sig, &in) - 60000.0) < 0.2);
	in.start_wall_ns = WALL - 100 * NS_PER_S;
	assert_true(signal_strike(&q->sig, &in) < 1.0);
	in.start_wall_ns = WALL + (int64_t)now - 30 * NS_PER_S;
	tell(PM, in);
	bbo(PM, 0.49, 0.51, 200, 200);
	assert_int_equal(q->mkt[PM].fair.state, FAIR_OK);
	assert_true(fabs(q->mkt[PM].fair.yes - 0.5) < 0.05);
	/* and it stays when the seconds before are no longer kept */
	for (int i = 0; i < 200; i++) {
		now += S;
		bbo(SPOT, 60100.0, 60101.0, 1, 1);
	}
	links_are(LINK_READY);
	bbo(PM, 0.48, 0.51, 200, 200);
	assert_true(fabs(q->mkt[PM].est_strike - 60000.0) < 0.2);
	assert_true(q->mkt[PM].fair.yes > 0.6);
}

/* ---- satellite ---- */

static void
probabilities(const char *text)
{
	assert_true(prob_parse(&q->prob, text, strlen(text)));
}

static void
a_market_of_the_operator_is_taken(void **state)
{
	struct instr in = a_binary();

	(void)state;
	q->cfg.satellite_enabled = true;
	q->capital = USD(2000 * E6);
	probabilities("# remark\n\nrain 0.62 0.8 1900000000\n");
	strcpy(in.symbol, "rain");
	tell(PM, in);
	bbo(PM, 0.49, 0.51, 200, 200);
	assert_non_null(sent(STRATEGY_SATELLITE, SIDE_BID));
	assert_null(sent(STRATEGY_SATELLITE, SIDE_ASK));
	assert_int_equal(
	    sent(STRATEGY_SATELLITE, SIDE_BID)->qty.e8, INT64_C(3906000000));
}

static void
risky_or_outdated_ones_are_not(void **state)
{
	struct instr in = a_binary();

	(void)state;
	q->cfg.satellite_enabled = true;
	q->capital = USD(2000 * E6);
	strcpy(in.symbol, "rain");
	probabilities("rain 0.62 0.8 1700000000");
	tell(PM, in);
	bbo(PM, 0.49, 0.51, 200, 200);
	assert_int_equal(chain(SIDE_BID)->take_stop, WHY_FAIR);
	probabilities("rain 0.62 0.8 1900000000");
	in.rules |= RRS_BIT(DISCRETION) | RRS_BIT(HEDGE);
	in.epoch = 2;
	tell(PM, in);
	bbo(PM, 0.48, 0.51, 200, 200);
	assert_true(q->mkt[PM].rrs > 0.25);
	assert_int_equal(chain(SIDE_BID)->take_stop, WHY_FAIR);
	in.rules = RRS_SEEN | RRS_BIT(DISCRETION);
	tell(PM, in); /* the book is still good */
	assert_non_null(sent(STRATEGY_SATELLITE, SIDE_BID));
}

static void
one_bad_line_refuses_the_file(void **state)
{
	static const char *const bad[] = {"rain 0.5 0.5", "rain 1.5 0.5 1",
	    "rain 0.5 0.5 1 1", "rain x 0.5 1",
	    "a-slug-that-is-much-longer-than-any-symbol-can-be-here 0.1 1 1"};

	(void)state;
	probabilities("a 0.5 0.5 1900000000\nb 0.5 0.5 1900000000");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[128] = "# first\n";

		strcat(text, bad[i]);
		assert_false(prob_parse(&q->prob, text, strlen(text)));
		assert_int_equal(q->prob.bad_line, 2);
		assert_int_equal(q->prob.n, 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    KIT(a_cheap_market_is_bought),
	    KIT(a_dear_market_is_sold),
	    KIT(each_filter_refuses_by_name),
	    KIT(without_leave_a_signal_is_only_counted),
	    KIT(a_move_of_the_reference_is_news),
	    KIT(a_holding_is_not_the_makers_inventory),
	    KIT(three_positions_are_enough),
	    KIT(a_strike_nobody_tells_is_the_references),
	    KIT(a_market_of_the_operator_is_taken),
	    KIT(risky_or_outdated_ones_are_not),
	    KIT(one_bad_line_refuses_the_file),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
