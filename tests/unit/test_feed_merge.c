/* links: feedd libvenue libshm libcore */
/*
 * Rules of merging two lanes, each by hand: ids that count, messages without
 * numbers, and what readers are told of a shard.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_rig.h"

#include "feedd/bn_ids.h"
#include "feedd/pm_merge.h"

static enum pm_merge
take(struct pm_order *o, uint32_t lane, int64_t ns, uint64_t level)
{
	const struct pm_order_msg m = {ns, level, lane, true};

	return pm_order_take(o, &m);
}

static enum pm_merge
take_seen(struct pm_order *o, uint32_t lane, int64_t ns)
{
	const struct pm_order_msg m = {ns, 5, lane, false};

	return pm_order_take(o, &m);
}

static void
a_message_is_news_once(void **state)
{
	struct pm_seen *s = calloc(1, sizeof(*s));

	(void)state;
	assert_true(pm_seen_take(s, 0, 77));
	assert_false(pm_seen_take(s, 1, 77));
	assert_true(pm_seen_take(s, 1, 77)); /* a second one, equal */
	assert_false(pm_seen_take(s, 0, 77));
	for (uint64_t i = 1; i <= PM_SEEN_WAY; i++) /* the row is full */
		assert_true(pm_seen_take(s, 0, 77 + i * PM_SEEN_ROW));
	assert_true(pm_seen_take(s, 1, 77)); /* forgotten */
	free(s);
}

static void
older_is_late_unless_covered(void **state)
{
	struct pm_order o;

	(void)state;
	pm_order_begin(&o, 100);
	assert_int_equal(take(&o, 0, 99, 1), PM_MERGE_COVERED);
	assert_int_equal(take(&o, 0, 105, 1), PM_MERGE_APPLY);
	assert_int_equal(take(&o, 0, 110, 1), PM_MERGE_APPLY);
	assert_int_equal(take_seen(&o, 1, 105), PM_MERGE_SEEN);
	assert_int_equal(take(&o, 1, 107, 1), PM_MERGE_LATE);
	assert_int_equal(take(&o, 1, 99, 1), PM_MERGE_COVERED);
	assert_int_equal(o.at_ns, 110);
}

/* One moment: the next one of a lane that has all others; else only where
 * nothing else of it was. */
static void
equal_times_keep_a_lanes_order(void **state)
{
	struct pm_order o;

	(void)state;
	pm_order_begin(&o, 100);
	assert_int_equal(take(&o, 0, 110, 1), PM_MERGE_APPLY);
	assert_int_equal(take(&o, 0, 110, 2), PM_MERGE_APPLY);
	assert_int_equal(take_seen(&o, 1, 110), PM_MERGE_SEEN);
	assert_int_equal(take(&o, 1, 110, 2), PM_MERGE_LATE);
	assert_int_equal(take(&o, 1, 110, 3), PM_MERGE_APPLY);
	pm_order_begin(&o, 200);
	assert_int_equal(take(&o, 0, 210, 1), PM_MERGE_APPLY);
	assert_int_equal(take_seen(&o, 1, 210), PM_MERGE_SEEN);
	assert_int_equal(take(&o, 1, 210, 1), PM_MERGE_APPLY); /* the next */
	assert_int_equal(take(&o, 0, 210, 0), PM_MERGE_LATE);  /* whole */
}

static void
holes_are_filled_or_lost_once(void **state)
{
	struct bn_ids x;

	(void)state;
	bn_ids_reset(&x);
	assert_true(bn_ids_take(&x, 0, 10));
	assert_true(bn_ids_take(&x, 1, 14)); /* 11 to 13 under way */
	assert_int_equal(bn_ids_lost(&x, 2), 0);
	assert_false(bn_ids_has_caught_up(&x, 1));
	assert_true(bn_ids_take(&x, 0, 11));
	assert_true(bn_ids_take(&x, 0, 13)); /* 12 will not come any more */
	assert_int_equal(bn_ids_lost(&x, 2), 1);
	assert_int_equal(bn_ids_lost(&x, 2), 0);
	assert_true(bn_ids_has_caught_up(&x, 1));
	assert_false(bn_ids_take(&x, 1, 12)); /* told as lost: not news */
	assert_true(bn_ids_take(&x, 1, 20));
	assert_int_equal(bn_ids_lost(&x, 1), 5); /* the other lane is gone */
	assert_true(bn_ids_take(&x, 1, 20 + 5000));
	assert_int_equal(bn_ids_lost(&x, 1), 4999);
}

static void
ticker(struct rig *r, uint8_t conn, uint64_t u)
{
	char text[256];

	snprintf(text, sizeof(text),
	    "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":%llu,"
	    "\"s\":\"BTCUSDT\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\","
	    "\"A\":\"2\"}}",
	    (unsigned long long)u);
	rig_frame(r, conn, text);
}

/* A shard is as well as its better lane, and ends with the last one. */
static void
readers_see_the_better_lane(void **state)
{
	struct rig *r = rig_open();
	size_t gaps;

	(void)state;
	r->cfg.binance_ab = true;
	r->cfg.binance_idle_s.ns = 3600 * NS_PER_S;
	rig_start(r, VENUE_BINANCE);
	rig_pass(r, 1000000);
	rig_step(r, FEED_EV_UP, 0);
	ticker(r, 0, 1);
	rig_step(r, FEED_EV_UP, 8);
	ticker(r, 8, 2);
	rig_clear(r);
	for (int i = 0; i < 9; i++) { /* the main one falls silent */
		rig_pass(r, NS_PER_S);
		rig_step(r, FEED_EV_PONG, 8);
		ticker(r, 8, 3 + (uint64_t)i);
	}
	assert_int_equal(feed_link(r->f, 0)->state, LINK_STALE);
	assert_int_equal(feed_state(r->f), LINK_READY);
	for (size_t i = 0; i < r->tick_n; i++)
		if (r->tick[i].hdr.kind == TICK_LINK)
			assert_int_equal(r->tick[i].u.link.state, LINK_READY);
	assert_int_equal(rig_last_tick(r, TICK_LINK)->u.link.conn, 0);
	rig_down(r, 0, 1006);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	assert_int_equal(rig_ticks(r, TICK_CONN), 0);
	gaps = rig_ticks(r, TICK_GAP);
	rig_down(r, 8, 1006); /* both: now it is one */
	assert_int_equal(rig_ticks(r, TICK_GAP), gaps + 1);
	assert_int_equal(rig_last_tick(r, TICK_GAP)->u.gap.conn, 0);
	assert_int_equal(rig_last_tick(r, TICK_CONN)->u.conn.state, LINK_DOWN);
	rig_close(r);
}

/* Switched off while running: the second lane goes, without a gap. */
static void
ab_can_be_switched_live(void **state)
{
	struct rig *r = rig_open();

	(void)state;
	rig_start(r, VENUE_BINANCE);
	rig_pass(r, 1000000);
	rig_step(r, FEED_EV_UP, 0);
	ticker(r, 0, 1);
	assert_null(rig_last(r, FEED_OPEN, 8));
	r->cfg.binance_ab = true;
	rig_step(r, FEED_EV_CFG, 0);
	rig_pass(r, 1000000);
	assert_non_null(rig_last(r, FEED_OPEN, 8));
	rig_step(r, FEED_EV_UP, 8);
	ticker(r, 8, 2);
	rig_clear(r);
	r->cfg.binance_ab = false;
	rig_step(r, FEED_EV_CFG, 0);
	assert_non_null(rig_last(r, FEED_CLOSE, 8));
	rig_down(r, 8, 1000);
	rig_pass(r, 1000000);
	assert_null(rig_last(r, FEED_OPEN, 8));
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	rig_close(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_message_is_news_once),
	    cmocka_unit_test(older_is_late_unless_covered),
	    cmocka_unit_test(equal_times_keep_a_lanes_order),
	    cmocka_unit_test(holes_are_filled_or_lost_once),
	    cmocka_unit_test(readers_see_the_better_lane),
	    cmocka_unit_test(ab_can_be_switched_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
