/* links: feedd libvenue libshm libcore */
/*
 * Nothing steps back in time on a live connection, however far: not a book,
 * not a price, not the end of a window. What a new connection begins with is
 * taken: a recording may have begun again.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_pm.h"

#include "feedd/pm_feed.h"

#define T0_MS	INT64_C(1777428650000)
#define BACK_MS (PM_BACK_NS / NS_PER_MS)
#define SECOND	UINT64_C(1000000000)

/* YES 0.30 x 7 / 0.35 x 8, and its mirror. */
static void
other_books(struct rig *r, int64_t ms)
{
	book(r, YES, ms, L("0.30", "7"), L("0.35", "8"));
	book(r, NO, ms, L("0.65", "8"), L("0.70", "7"));
}

static struct rig *
open_with_books(void)
{
	struct rig *r = open_market();

	books(r, T0_MS);
	rig_clear(r);
	return r;
}

/* A connection ends, and another one comes up. */
static void
again(struct rig *r, uint8_t conn)
{
	rig_down(r, conn, 1012);
	while (feed_link(r->f, conn)->state != LINK_CONNECTING)
		rig_pass(r, SECOND / 10);
	rig_step(r, FEED_EV_UP, conn);
}

static void
a_late_snapshot_is_ignored(void **state)
{
	static const int64_t late_ms[] = {
	    1, 1000, BACK_MS, BACK_MS + 1, 90000, 86400000};
	struct rig *r = open_with_books();

	(void)state;
	for (size_t i = 0; i < sizeof(late_ms) / sizeof(late_ms[0]); i++) {
		other_books(r, T0_MS - late_ms[i]);
		assert_int_equal(r->tick_n, 0);
		assert_int_equal(
		    feed_stats(r->f)->reason[REASON_SEQ_OLD], 2 * (i + 1));
	}
	pair(r, T0_MS + 1, "0.49", "0.51", "75");
	is_bbo(&r->tick[1], C(49), Q(75), C(51), Q(14));
	rig_close(r);
}

static void
a_stream_begun_again_is_followed(void **state)
{
	struct rig *r = open_with_books();
	int64_t ms = T0_MS - BACK_MS - 1;

	(void)state;
	again(r, 0);
	other_books(r, ms);
	assert_int_equal(feed_stats(r->f)->reason[REASON_SEQ_OLD], 0);
	is_bbo(rig_last_tick(r, TICK_BBO), C(30), Q(7), C(35), Q(8));
	rig_clear(r); /* and goes on from there */
	pair(r, ms + 1, "0.31", "0.69", "5");
	is_bbo(rig_last_tick(r, TICK_BBO), C(31), Q(5), C(35), Q(8));
	assert_int_equal(feed_stats(r->f)->reason[REASON_SEQ_OLD], 0);
	assert_int_equal(feed_stats(r->f)->mirror_bad, 0);
	rig_close(r);
}

static void
a_change_never_goes_back(void **state)
{
	struct rig *r = open_with_books();

	(void)state;
	pair(r, T0_MS - 1, "0.49", "0.51", "75");
	pair(r, T0_MS - BACK_MS - 1, "0.49", "0.51", "75");
	pair(r, T0_MS - 2 * BACK_MS, "0.49", "0.51", "75");
	assert_int_equal(r->tick_n, 0);
	assert_int_equal(feed_stats(r->f)->reason[REASON_SEQ_OLD], 6);
	rig_close(r);
}

/* A book that was dropped is asked for again on the same connection. */
static void
what_is_asked_for_again_is_not_older(void **state)
{
	struct rig *r = open_with_books();
	static const char tick[] =
	    "{\"event_type\":\"tick_size_change\",\"market\":\"" COND "\","
	    "\"asset_id\":\"" YES "\",\"old_tick_size\":\"0.01\","
	    "\"new_tick_size\":\"0.001\",\"timestamp\":\"1777428649000\"}";

	(void)state;
	rig_pass(r, 2 * SECOND);
	rig_frame(r, 0, tick);
	assert_int_equal(rig_ticks(r, TICK_GAP), 1);
	rig_clear(r);
	other_books(r, T0_MS - 1);
	other_books(r, T0_MS - 90000);
	assert_int_equal(rig_ticks(r, TICK_SNAP_BEGIN), 0);
	assert_int_equal(feed_stats(r->f)->reason[REASON_SEQ_OLD], 4);
	other_books(r, T0_MS);
	assert_int_equal(rig_ticks(r, TICK_SNAP_BEGIN), 1);
	rig_close(r);
}

/* Two lanes: the new one begins far back while the other carries on. */
static void
a_lane_that_begins_far_back_carries_nothing(void **state)
{
	struct rig *r = rig_open();
	int64_t ms = T0_MS - 90000;
	struct change c[] = {{YES, "0.33", "5", "BUY", NULL, NULL, NULL}};

	(void)state;
	r->cfg.polymarket_ab = true;
	rig_start(r, VENUE_POLYMARKET);
	rig_boot(r, list);
	rig_pass(r, 1000000);
	rig_step(r, FEED_EV_UP, 0);
	books(r, T0_MS);
	while (feed_link(r->f, FEED_LANES)->state != LINK_CONNECTING)
		rig_pass(r, SECOND / 10);
	rig_step(r, FEED_EV_UP, FEED_LANES);
	rig_clear(r);
	book_on(r, FEED_LANES, YES, ms, L("0.30", "7"), L("0.35", "8"));
	book_on(r, FEED_LANES, NO, ms, L("0.65", "8"), L("0.70", "7"));
	assert_int_equal(rig_ticks(r, TICK_BBO), 0);
	assert_false(feed_link(r->f, FEED_LANES)->complete);
	rig_down(r, 0, 1012);
	assert_int_equal(rig_ticks(r, TICK_GAP), 1);
	rig_pass(r, 2 * SECOND);
	rig_clear(r); /* asked for again, and followed */
	book_on(r, FEED_LANES, YES, ms + 1, L("0.30", "7"), L("0.35", "8"));
	book_on(r, FEED_LANES, NO, ms + 1, L("0.65", "8"), L("0.70", "7"));
	is_bbo(rig_last_tick(r, TICK_BBO), C(30), Q(7), C(35), Q(8));
	changes_on(r, FEED_LANES, ms + 2, c, 1);
	is_bbo(rig_last_tick(r, TICK_BBO), C(33), Q(5), C(35), Q(8));
	rig_close(r);
}

static void
point(struct rig *r, int64_t s, const char *value)
{
	char text[256];

	snprintf(text, sizeof(text),
	    "{\"topic\":\"crypto_prices_chainlink\",\"type\":\"update\","
	    "\"timestamp\":%lld350,\"payload\":{\"symbol\":\"btc/usd\","
	    "\"timestamp\":%lld000,\"value\":%s}}",
	    (long long)s, (long long)s, value);
	rig_frame(r, 1, text);
}

static void
an_old_price_is_no_news(void **state)
{
	struct rig *r = open_with_books();
	struct pm_feed *p = pm_of(r->f);
	int64_t s = T0_MS / 1000;

	(void)state;
	point(r, s, "61021.5");
	point(r, s - 90, "1");
	point(r, s - 86400, "1");
	assert_int_equal(rig_ticks(r, TICK_REF), 1);
	assert_int_equal(feed_stats(r->f)->reason[REASON_SEQ_OLD], 2);
	assert_int_equal(p->index[0].rec[REF_SPOT].n, 1);
	again(r, 1);
	point(r, s - 5, "61020"); /* a little behind: the record stands */
	assert_int_equal(rig_ticks(r, TICK_REF), 2);
	assert_int_equal(p->index[0].rec[REF_SPOT].n, 2);
	again(r, 1);
	point(r, s - 61, "60000"); /* begun again */
	assert_int_equal(rig_ticks(r, TICK_REF), 3);
	assert_int_equal(p->index[0].rec[REF_SPOT].n, 1);
	rig_close(r);
}

/* Points of a snapshot that are older than our newest fill holes only. */
static void
an_old_snapshot_of_prices(void **state)
{
	struct rig *r = open_with_books();
	struct pm_feed *p = pm_of(r->f);
	int64_t s = T0_MS / 1000;
	char text[512];

	(void)state;
	point(r, s, "61021.5");
	rig_clear(r);
	snprintf(text, sizeof(text),
	    "{\"topic\":\"crypto_prices_chainlink\",\"type\":\"subscribe\","
	    "\"timestamp\":%lld000,\"payload\":{\"symbol\":\"btc/usd\","
	    "\"data\":[{\"timestamp\":%lld000,\"value\":7},"
	    "{\"timestamp\":%lld000,\"value\":8}]}}",
	    (long long)s, (long long)s - 90, (long long)s - 1);
	rig_frame(r, 1, text);
	assert_int_equal(rig_ticks(r, TICK_REF), 0);
	assert_int_equal(p->index[0].rec[REF_SPOT].n, 3);
	assert_int_equal(
	    pm_strike_newest(&p->index[0].rec[REF_SPOT]), s * NS_PER_S);
	assert_int_equal(p->index[0].last_ns[REF_SPOT], s * NS_PER_S);
	rig_close(r);
}

/* Time passes; questions are answered at once, of the wall's clock. */
static void
pass(struct rig *r, uint32_t seconds)
{
	for (uint32_t i = 0; i < seconds; i++) {
		struct rig_act *a;

		while ((a = rig_last(r, FEED_GET, -1)) != NULL) {
			struct rig_act copy = *a;

			a->a.what = FEED_LOG;
			rig_boot_answer(r, &copy, list);
		}
		rig_clear(r);
		rig_pass(r, SECOND);
	}
}

/* A clock set back does not open a window again, nor does a new connection:
 * both together, and the connection's own time. */
static void
a_window_is_opened_again_by_a_new_stream_alone(void **state)
{
	struct rig *r = open_with_books();
	const struct pm_market *m = &pm_of(r->f)->market[0];
	int64_t end_s = INT64_C(1777515300);
	int64_t wall_ns = r->wall_ns;

	(void)state;
	r->wall_ns = end_s * NS_PER_S - (int64_t)r->now_ns;
	pass(r, 2);
	assert_int_equal(r->instr[IDX].state, INSTR_CLOSED);
	r->wall_ns = wall_ns;
	point(r, T0_MS / 1000, "61021.5");
	pass(r, 3);
	assert_true(m->used); /* no new connection */
	again(r, 0);
	pass(r, 3);
	assert_true(m->used); /* it says no time */
	point(r, end_s, "61021.5");
	pass(r, 3);
	assert_true(m->used); /* it says another time */
	assert_int_equal(r->instr[IDX].state, INSTR_CLOSED);
	again(r, 1);
	point(r, T0_MS / 1000, "61021.5"); /* it begins again too */
	pass(r, 70);
	assert_true(r->instr[IDX].epoch > 1);
	assert_int_equal(r->instr[IDX].state, INSTR_NORMAL);
	rig_close(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_late_snapshot_is_ignored),
	    cmocka_unit_test(a_stream_begun_again_is_followed),
	    cmocka_unit_test(a_change_never_goes_back),
	    cmocka_unit_test(what_is_asked_for_again_is_not_older),
	    cmocka_unit_test(a_lane_that_begins_far_back_carries_nothing),
	    cmocka_unit_test(an_old_price_is_no_news),
	    cmocka_unit_test(an_old_snapshot_of_prices),
	    cmocka_unit_test(a_window_is_opened_again_by_a_new_stream_alone),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
