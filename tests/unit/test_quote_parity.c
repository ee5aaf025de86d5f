/* links: quoted libshm libcore */
/* Pairs, groups, and what becomes of a leg without its other. */
#include "tests/unit/quotekit.h"

static void
able(void)
{
	q->cfg.parity_enabled = true;
	q->capital = USD(1000 * E6); /* 200 of it for this */
}

/* Bid over ask by 2 cents, twice. */
static void
crossed(void)
{
	able();
	tell(PM, a_binary());
	bbo(PM, 0.49, 0.51, 100, 100);
	bbo(PM, 0.52, 0.50, 40, 60);
}

static const struct quote_take *
legs(uint32_t *n)
{
	const struct quote_take *first = 0;

	*n = 0;
	for (uint32_t i = 0; i < QUOTE_TAKES; i++) {
		if (q->take[i].id == 0)
			continue;
		first = first == 0 ? &q->take[i] : first;
		(*n)++;
	}
	return first;
}

static void
T_54_one_crossed_look_is_no_chance(void **state)
{
	(void)state;
	crossed();
	assert_null(sent(STRATEGY_PARITY, SIDE_BID));
	bbo(PM, 0.49, 0.51, 100, 100);
	bbo(PM, 0.52, 0.50, 40, 60);
	assert_null(sent(STRATEGY_PARITY, SIDE_BID));
	bbo(PM, 0.52, 0.50, 40, 61);
	assert_non_null(sent(STRATEGY_PARITY, SIDE_BID));
}

static void
both_legs_go_at_once_the_thinner_first(void **state)
{
	uint32_t n;
	const struct order *buy;
	const struct order *sell;

	(void)state;
	crossed();
	bbo(PM, 0.52, 0.50, 40, 61);
	buy = sent(STRATEGY_PARITY, SIDE_BID);
	sell = sent(STRATEGY_PARITY, SIDE_ASK);
	assert_non_null(buy);
	assert_non_null(sell);
	assert_int_equal(buy->px.e8, 50000000);
	assert_int_equal(sell->px.e8, 52000000);
	assert_int_equal(buy->qty.e8, 40 * E8);
	assert_int_equal(sell->qty.e8, 40 * E8);
	assert_int_equal(buy->tif, TIF_FOK);
	assert_int_equal(sell->tif, TIF_FOK);
	assert_true(sell < buy); /* 40 are bid, 61 offered */
	legs(&n);
	assert_int_equal(n, 2);
}

/* bid - ask = 2 cents; fees of 7 % of p(1-p) are 1.75 cents a leg. */
static void
what_does_not_pay_its_costs_is_left(void **state)
{
	struct instr in = a_binary();

	(void)state;
	able();
	in.fee_ppm = 70000;
	tell(PM, in);
	bbo(PM, 0.52, 0.50, 40, 60);
	bbo(PM, 0.52, 0.50, 40, 61);
	assert_null(sent(STRATEGY_PARITY, SIDE_BID));
	in.fee_ppm = 20000; /* half a cent a leg */
	in.epoch = 2;
	tell(PM, in);
	bbo(PM, 0.52, 0.50, 40, 60);
	bbo(PM, 0.52, 0.50, 40, 61);
	assert_non_null(sent(STRATEGY_PARITY, SIDE_BID));
	/* too good to be true */
	now += 3 * S;
	links_are(LINK_READY);
	bbo(PM, 0.80, 0.50, 40, 60);
	bbo(PM, 0.80, 0.50, 40, 61);
	assert_null(sent(STRATEGY_PARITY, SIDE_BID));
}

static void
both_filled_is_the_end_of_it(void **state)
{
	struct order a;
	struct order b;
	uint32_t n;

	(void)state;
	crossed();
	bbo(PM, 0.52, 0.50, 40, 61);
	a = *sent(STRATEGY_PARITY, SIDE_BID);
	b = *sent(STRATEGY_PARITY, SIDE_ASK);
	report(MSG_FILL, &a, 40, 0);
	report(MSG_FILL, &b, 40, 0);
	legs(&n);
	assert_int_equal(n, 0);
	assert_int_equal(q->pair_n, 0);
	assert_null(sent(STRATEGY_PARITY, SIDE_BID));
	assert_null(sent(STRATEGY_PARITY, SIDE_ASK));
}

/* 40 bought, none sold: out at a loss of one dollar at most, 2.5 cents. */
static void
a_leg_alone_is_sold_at_a_bounded_loss(void **state)
{
	struct order a;
	struct order b;
	const struct order *o;

	(void)state;
	crossed();
	bbo(PM, 0.52, 0.50, 40, 61);
	a = *sent(STRATEGY_PARITY, SIDE_BID);
	b = *sent(STRATEGY_PARITY, SIDE_ASK);
	report(MSG_FILL, &a, 40, 0);
	assert_null(sent(STRATEGY_PARITY, SIDE_ASK));
	report(MSG_DONE, &b, 0, REASON_NOT_FILLED);
	o = sent(STRATEGY_PARITY, SIDE_ASK);
	assert_non_null(o);
	assert_int_equal(o->qty.e8, 40 * E8);
	assert_int_equal(o->px.e8, 48000000); /* 0.475 up to the tick */
	assert_int_equal(o->tif, TIF_IOC);
	assert_int_equal(q->pair_n, 0);
}

static void
silence_counts_as_no_after_the_timeout(void **state)
{
	struct order a;
	struct order b;

	(void)state;
	crossed();
	bbo(PM, 0.52, 0.50, 40, 61);
	a = *sent(STRATEGY_PARITY, SIDE_BID);
	b = *sent(STRATEGY_PARITY, SIDE_ASK);
	report(MSG_FILL, &a, 40, 0);
	assert_true(out.core.wake_ns <= now + S / 2);
	now += S / 2 - 1;
	timer();
	assert_null(sent(STRATEGY_PARITY, SIDE_ASK));
	now += 1;
	timer();
	assert_non_null(sent(STRATEGY_PARITY, SIDE_ASK));
	/* and the other was filled after all: it is undone as well */
	now += 1;
	report(MSG_FILL, &b, 40, 0);
	assert_non_null(sent(STRATEGY_PARITY, SIDE_BID));
	assert_int_equal(sent(STRATEGY_PARITY, SIDE_BID)->qty.e8, 40 * E8);
}

static void
a_leg_that_found_no_room_frees_the_other(void **state)
{
	struct order a;
	struct order b;

	(void)state;
	crossed();
	bbo(PM, 0.52, 0.50, 40, 61);
	a = *sent(STRATEGY_PARITY, SIDE_BID);
	b = *sent(STRATEGY_PARITY, SIDE_ASK);
	quote_lost(q, &b, now);
	report(MSG_FILL, &a, 40, 0);
	assert_non_null(sent(STRATEGY_PARITY, SIDE_ASK));
}

/* Four outcomes of one event: the bids add up to 1.06. */
static void
a_group_whose_bids_exceed_one_is_sold(void **state)
{
	static const double bids[] = {0.40, 0.33, 0.20, 0.13};
	struct instr in = a_binary();
	uint32_t sold = 0;

	(void)state;
	able();
	in.neg_risk = 1;
	in.cluster = 77;
	for (uint16_t i = 0; i < 4; i++) {
		strcpy(in.symbol, "outcome0");
		in.symbol[7] = (char)('0' + i);
		tell(PM + i, in);
		bbo(PM + i, bids[i], bids[i] + 0.02, 50, 50);
	}
	for (uint32_t i = 0; i < out.core.n; i++) {
		const struct order *o = &out.core.msg[i].order;

		if (o->strategy != STRATEGY_PARITY)
			continue;
		assert_int_equal(o->side, SIDE_ASK);
		assert_int_equal(o->qty.e8, 50 * E8);
		sold++;
	}
	assert_int_equal(sold, 4);
	assert_int_equal(q->pair_n, 1);
}

/* No outcome may be missing from what is bought; that cannot be known. */
static void
a_group_whose_asks_stay_below_one_is_left(void **state)
{
	struct instr in = a_binary();
	uint32_t n;

	(void)state;
	able();
	in.neg_risk = 1;
	in.cluster = 77;
	for (uint16_t i = 0; i < 4; i++) {
		strcpy(in.symbol, "outcome0");
		in.symbol[7] = (char)('0' + i);
		tell(PM + i, in);
		bbo(PM + i, 0.10, 0.12, 50, 50);
	}
	legs(&n);
	assert_int_equal(n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    KIT(T_54_one_crossed_look_is_no_chance),
	    KIT(both_legs_go_at_once_the_thinner_first),
	    KIT(what_does_not_pay_its_costs_is_left),
	    KIT(both_filled_is_the_end_of_it),
	    KIT(a_leg_alone_is_sold_at_a_bounded_loss),
	    KIT(silence_counts_as_no_after_the_timeout),
	    KIT(a_leg_that_found_no_room_frees_the_other),
	    KIT(a_group_whose_bids_exceed_one_is_sold),
	    KIT(a_group_whose_asks_stay_below_one_is_left),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
