/* links: feedd libvenue libshm libcore */
/*
 * A venue's stream that begins again earlier in time: a snapshot far enough
 * back is taken, one that merely came late is not; a change never is.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_pm.h"

#include "feedd/pm_feed.h"

#define T0_MS	INT64_C(1777428650000)
#define BACK_MS (PM_BACK_NS / NS_PER_MS)

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

static void
a_late_snapshot_is_ignored(void **state)
{
	static const int64_t late_ms[] = {1, 1000, BACK_MS - 1, BACK_MS};
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
	other_books(r, ms);
	assert_int_equal(feed_stats(r->f)->reason[REASON_SEQ_OLD], 0);
	is_bbo(rig_last_tick(r, TICK_BBO), C(30), Q(7), C(35), Q(8));
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_late_snapshot_is_ignored),
	    cmocka_unit_test(a_stream_begun_again_is_followed),
	    cmocka_unit_test(a_change_never_goes_back),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
