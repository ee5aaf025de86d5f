/* links: simvenue libvenue libsys libshm libcore */
/*
 * A real feedd on messages that are wrong in every way that has a name:
 * nothing wrong is published, what happened is counted under its reason, and
 * what was lost is found and mended.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/pipeline/trapkit.h"

/* The rig itself: what is recorded is what is published. */
static void
without_faults_all_is_true(void **state)
{
	uint64_t before = f.bbos;
	(void)state;
	FEED_UNTIL(&f, f.bbos > before + 60);
	nothing_wrong();
}

/* ---- messages that cannot be used ---- */

static void
invalid_utf8_is_counted_and_dropped(void **state)
{
	(void)state;
	counted("invalid_utf8", MARKET ",\"count\":3", REASON_BAD_UTF8);
	mended();
}

static void
bad_json_is_counted_and_dropped(void **state)
{
	(void)state;
	counted("bad_json", MARKET ",\"count\":3", REASON_BAD_JSON);
	mended();
}

static void
wrong_types_are_counted_and_dropped(void **state)
{
	(void)state;
	counted("wrong_type", MARKET ",\"count\":3", REASON_BAD_TYPE);
	mended();
}

static void
a_text_cut_off_is_counted_and_dropped(void **state)
{
	(void)state;
	counted("truncated_batch", MARKET ",\"value\":1,\"count\":3",
	    REASON_BAD_JSON);
	mended();
}

static void
an_overlong_frame_ends_the_connection_only(void **state)
{
	(void)state;
	given_up("overlong_frame", MARKET ",\"count\":1");
	nothing_wrong();
}

static void
fragmented_frames_are_put_together(void **state)
{
	uint64_t before;
	int64_t malformed;
	(void)state;
	malformed = feedrig_metric(&f, M_FEEDD_MALFORMED);
	feedrig_fault(&f, "{\"name\":\"fragmented_frames\",\"value\":7}");
	FEED_UNTIL(&f, feedrig_fired(&f, "fragmented_frames") > 0);
	before = f.bbos;
	FEED_UNTIL(&f, f.bbos > before + 20);
	assert_int_equal(feedrig_metric(&f, M_FEEDD_MALFORMED), malformed);
	nothing_wrong();
}

/* ---- the order of messages ---- */

static void
duplicates_change_nothing(void **state)
{
	(void)state;
	feedrig_fault(&f, "{\"name\":\"duplicate\"" MARKET "}");
	FEED_UNTIL(&f, feedrig_fired(&f, "duplicate") > 30);
	nothing_wrong();
}

/* A neighbour late is an old message; the touch may differ for a moment,
 * then a fresh book mends it. */
static void
a_late_message_is_old(void **state)
{
	(void)state;
	counted("reorder", MARKET ",\"p\":0.5", REASON_SEQ_OLD);
	mended();
}

/* Lost messages show in hashes and touches; the books are fetched again. */
static void
a_gap_is_found_and_mended(void **state)
{
	int64_t before;
	(void)state;
	before = feedrig_reason(&f, REASON_HASH_MISMATCH) +
		 feedrig_reason(&f, REASON_TOUCH_MISMATCH) +
		 feedrig_reason(&f, REASON_MIRROR_MISMATCH) +
		 feedrig_reason(&f, REASON_CROSSED);
	feedrig_fault(&f, "{\"name\":\"gap\"" MARKET ",\"p\":0.3,\"value\":2}");
	FEED_UNTIL(&f, feedrig_reason(&f, REASON_HASH_MISMATCH) +
			       feedrig_reason(&f, REASON_TOUCH_MISMATCH) +
			       feedrig_reason(&f, REASON_MIRROR_MISMATCH) +
			       feedrig_reason(&f, REASON_CROSSED) >
			   before);
	mended();
}

static void
a_batch_without_its_end_is_mended(void **state)
{
	int64_t before;
	(void)state;
	before = feedrig_reason(&f, REASON_HASH_MISMATCH) +
		 feedrig_reason(&f, REASON_TOUCH_MISMATCH) +
		 feedrig_reason(&f, REASON_MIRROR_MISMATCH);
	feedrig_fault(&f, "{\"name\":\"truncated_batch\"" MARKET "}");
	FEED_UNTIL(&f, feedrig_reason(&f, REASON_HASH_MISMATCH) +
			       feedrig_reason(&f, REASON_TOUCH_MISMATCH) +
			       feedrig_reason(&f, REASON_MIRROR_MISMATCH) >
			   before);
	mended();
}

static void
T_55_a_wrong_hash_is_a_metric_only(void **state)
{
	int64_t before;
	uint64_t bbos;
	(void)state;
	given_up("restart_replay", ",\"count\":1"); /* 20 s without an end */
	FEED_LIVES(&f);
	uint64_t gaps = f.gaps;
	before = feedrig_metric(&f, M_FEEDD_HASH_BAD);
	/* One at a time, until one is the last of its batch and is looked at.
	 */
	for (int i = 0;
	     i < 40 && feedrig_metric(&f, M_FEEDD_HASH_BAD) == before; i++) {
		feedrig_fault(
		    &f, "{\"name\":\"wrong_hash\"" MARKET ",\"count\":1}");
		feedrig_runs(&f, 100);
	}
	assert_true(feedrig_metric(&f, M_FEEDD_HASH_BAD) > before);
	assert_int_equal(f.gaps, gaps);
	bbos = f.bbos;
	FEED_UNTIL(&f, f.bbos > bbos + 10);
	assert_true(feedrig_ready(&f));
	nothing_wrong();
}

static void
T_54_a_crossing_inside_a_batch_is_no_veto(void **state)
{
	int64_t before;
	(void)state;
	before = feedrig_reason(&f, REASON_CROSSED);
	feedrig_fault(&f, "{\"name\":\"crossed_batch\",\"count\":5}");
	FEED_UNTIL(&f, feedrig_fired(&f, "crossed_batch") >= 5);
	feedrig_runs(&f, 300);
	assert_int_equal(feedrig_reason(&f, REASON_CROSSED), before);
	assert_true(f.crossed > 0);
	nothing_wrong();
}

static void
T_54_a_lasting_crossing_drops_the_book(void **state)
{
	(void)state;
	counted("crossed_batch", ",\"value\":1,\"count\":8", REASON_CROSSED);
	nothing_wrong();
}

static void
a_stale_snapshot_is_ignored(void **state)
{
	(void)state;
	counted("stale_snapshot", ",\"count\":3", REASON_SEQ_OLD);
	nothing_wrong();
}

static void
T_07_a_tick_change_is_a_new_epoch(void **state)
{
	int64_t before;
	(void)state;
	/* There and back: the epoch's first book is on the new grid. */
	for (int i = 0; i < 2; i++) {
		before = feedrig_fired(&f, "tick_change");
		uint64_t gaps = f.gaps;
		feedrig_fault(&f, "{\"name\":\"tick_change\",\"count\":1}");
		FEED_UNTIL(&f, feedrig_fired(&f, "tick_change") > before);
		FEED_UNTIL(&f, f.gaps > gaps);
		feedrig_clear(&f);
		FEED_LIVES(&f);
	}
	assert_false(f.is_crossed);
	/* Recorded hashes are of the tick that was: begin again. */
	given_up("restart_replay", ",\"count\":1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(without_faults_all_is_true),
	    T(invalid_utf8_is_counted_and_dropped),
	    T(bad_json_is_counted_and_dropped),
	    T(wrong_types_are_counted_and_dropped),
	    T(a_text_cut_off_is_counted_and_dropped),
	    T(an_overlong_frame_ends_the_connection_only),
	    T(fragmented_frames_are_put_together),
	    T(duplicates_change_nothing),
	    T(a_late_message_is_old),
	    T(a_gap_is_found_and_mended),
	    T(a_batch_without_its_end_is_mended),
	    T(T_55_a_wrong_hash_is_a_metric_only),
	    T(T_54_a_crossing_inside_a_batch_is_no_veto),
	    T(T_54_a_lasting_crossing_drops_the_book),
	    T(a_stale_snapshot_is_ignored),
	    T(T_07_a_tick_change_is_a_new_epoch),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
