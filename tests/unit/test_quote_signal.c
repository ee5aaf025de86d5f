/* links: quoted libshm libcore */
/* Volatility by name, basis, the seen part of an average, confidence. */
#include <math.h>

#include "tests/unit/quotekit.h"

#define INDEX (PM + 100)

static struct instr
window(int64_t left_s)
{
	struct instr in = a_binary();

	in.cls = CLASS_UPDOWN;
	in.underlying = SPOT;
	in.settle_index = INDEX;
	in.settle_source = REF_TWAP;
	in.settle_lookback_s = 60;
	in.strike_px = PX(60000 * E8);
	in.strike_source = STRIKE_OFFICIAL;
	in.end_wall_ns = WALL + (int64_t)now + left_s * NS_PER_S;
	return in;
}

static void
settle(double px, enum ref_source source, uint8_t flags)
{
	union tap t = {.hdr = {.kind = TICK_REF,
			   .instr = INDEX,
			   .flags = flags,
			   .venue_ns = WALL + (int64_t)now}};

	t.tick.u.ref.px = PX((int64_t)(px * 1e8));
	t.tick.u.ref.source = source;
	slot(RG_MD_PM_Q, &t, 0);
}

/* Seconds of a reference around spot; the settlement is 5 bps below it. */
static void
feeds(int seconds, double spot)
{
	struct instr ref = {.venue = VENUE_BINANCE,
	    .cls = CLASS_SPOT,
	    .state = INSTR_NORMAL,
	    .epoch = 1,
	    .tick_px = PX(1),
	    .lot_qty = QTY(1)};

	tell(SPOT, ref);
	for (int i = 0; i < seconds; i++) {
		double px = spot * (1.0 + 5e-5 * (i % 2 * 2 - 1));

		now += S;
		bbo(SPOT, px - 0.5, px + 0.5, 1, 1);
		settle(px * exp(-5e-4), REF_SPOT, 0);
	}
	links_are(LINK_READY);
}

static struct fair_out
fair(const struct instr *in)
{
	struct signal_in s = {
	    .in = in, .now_ns = now, .venue_ns = WALL + (int64_t)now};
	struct fair_out o;
	double var;

	signal_fair(&q->sig, &s, &o, &var);
	return o;
}

static void
each_estimator_answers_by_its_name(void **state)
{
	static const enum vol_kind kinds[] = {
	    VOL_EMA, VOL_ROLLING, VOL_EWMA, VOL_HAR, VOL_LSTM};

	(void)state;
	feeds(4000, 60000.0);
	for (size_t i = 0; i < 5; i++) {
		double var = 0.0;

		q->cfg.vol_estimator = (int32_t)kinds[i];
		signal_cfg(&q->sig, &q->cfg);
		assert_true(signal_vol(&q->sig, SPOT, &var));
		/* up and down by 1e-4 a second */
		assert_true(var > 0.8e-8 && var < 1.2e-8);
	}
	q->cfg.vol_floor.e8 = 2 * E8;
	signal_cfg(&q->sig, &q->cfg);
	{
		double var;

		assert_true(signal_vol(&q->sig, SPOT, &var));
		assert_true(fabs(vol_annual_of_var(var) - 2.0) < 1e-9);
	}
}

/* A minute of calm after ten of swings: five minutes remember, one does not. */
static void
the_plain_window_is_as_long_as_it_is_set(void **state)
{
	double five;
	double one;

	(void)state;
	q->cfg.vol_estimator = CFG_VOL_WINDOW;
	signal_cfg(&q->sig, &q->cfg);
	assert_false(signal_vol(&q->sig, SPOT, &five));
	assert_false(signal_vol(&q->sig, PM, &five));
	feeds(600, 60000.0);
	for (int i = 0; i < 120; i++) {
		now += S;
		bbo(SPOT, 59999.5, 60000.5 + (double)(i % 2), 1, 1);
	}
	assert_true(signal_vol(&q->sig, SPOT, &five));
	q->cfg.fair_vol_window.ns = 60 * NS_PER_S;
	signal_cfg(&q->sig, &q->cfg);
	assert_true(signal_vol(&q->sig, SPOT, &one));
	assert_true(five > 10.0 * one);
}

/* The reference stands on the strike; what settles is 30 dollars below. */
static void
T_01_the_basis_is_taken_off_the_reference(void **state)
{
	struct instr in = window(300);

	(void)state;
	signal_link(&q->sig, &in);
	feeds(300, 60000.0);
	in = window(300);
	assert_int_equal(fair(&in).state, FAIR_OK);
	assert_true(fair(&in).yes < 0.45);
	in.strike_px = PX((int64_t)(60000.0 * exp(-5e-4) * 1e8));
	assert_true(fabs(fair(&in).yes - 0.5) < 0.03);
}

/* 45 of the 60 seconds averaged lie 200 dollars above: it is decided. */
static void
T_01_what_was_seen_of_the_average_counts(void **state)
{
	struct instr in = window(300);

	(void)state;
	signal_link(&q->sig, &in);
	feeds(240, 60030.0);
	feeds(45, 60230.0);
	feeds(1, 60000.0);
	in = window(14);
	assert_true(fair(&in).yes > 0.99);
	in.settle_lookback_s = 0; /* one price at the end: not decided */
	assert_true(fair(&in).yes < 0.6);
}

static void
T_03_confidence_falls_with_what_is_old_or_ours(void **state)
{
	struct instr in = window(300);
	double sure;

	(void)state;
	signal_link(&q->sig, &in);
	feeds(300, 60000.0);
	in = window(300);
	sure = fair(&in).confidence;
	assert_true(sure > 0.9);
	in.strike_source = STRIKE_PROVISIONAL;
	assert_true(fabs(fair(&in).confidence - sure / 2) < 1e-9);
	in.strike_source = STRIKE_OFFICIAL;
	now += S; /* half of fair.spot_age_max */
	assert_true(fabs(fair(&in).confidence / sure - 0.5) < 0.05);
	now += 2 * S;
	assert_true(fair(&in).confidence <= 0.0);
	in = window(15);
	bbo(SPOT, 59999.5, 60000.5, 1, 1);
	assert_true(fair(&in).confidence < 0.6 * sure);
}

static void
nothing_known_is_a_defined_answer(void **state)
{
	struct instr in = window(300);

	(void)state;
	assert_int_equal(fair(&in).state, FAIR_NO_SPOT);
	assert_true(fabs(fair(&in).yes - 0.5) < 1e-12);
	in.underlying = 0;
	assert_int_equal(fair(&in).state, FAIR_NO_SPOT);
	in = window(300);
	feeds(3, 60000.0);
	assert_int_equal(fair(&in).state, FAIR_NO_VOL);
	in.strike_px = PX(0);
	assert_int_equal(fair(&in).state, FAIR_NO_STRIKE);
	/* prices that are sent again, or of another kind, are no news */
	signal_link(&q->sig, &in);
	settle(60000.0, REF_SPOT, SLOT_REPLAY);
	settle(60000.0, REF_RELAY, 0);
	assert_int_equal(q->sig.pair[0].at_ns, 0);
	settle(60000.0, REF_SPOT, 0);
	assert_int_equal(q->sig.pair[0].at_ns, now);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    KIT(each_estimator_answers_by_its_name),
	    KIT(the_plain_window_is_as_long_as_it_is_set),
	    KIT(T_01_the_basis_is_taken_off_the_reference),
	    KIT(T_01_what_was_seen_of_the_average_counts),
	    KIT(T_03_confidence_falls_with_what_is_old_or_ours),
	    KIT(nothing_known_is_a_defined_answer),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
