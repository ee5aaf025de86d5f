/* links: feedd libvenue libshm libcore */
/*
 * T-07: the grid of a market changes. Who tells of it: the market channel, a
 * whole book after the message was missed, the metadata.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_pm.h"

#include "feedd/pm_feed.h"

#define T0_MS  INT64_C(1777428650000)
#define SECOND UINT64_C(1000000000)

static void
book_of(struct rig *r, const char *token, int64_t ms, const char *px,
    const char *tick)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"event_type\":\"book\",\"market\":\"" COND "\","
	    "\"asset_id\":\"%s\",\"timestamp\":\"%lld\",\"bids\":[{\"price\":"
	    "\"%s\",\"size\":\"10\"}],\"asks\":[],\"tick_size\":\"%s\"}",
	    token, (long long)ms, px, tick);
	rig_frame(r, 0, text);
}

static void
tell_tick(struct rig *r, int64_t ms, const char *tick)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"event_type\":\"tick_size_change\",\"market\":\"" COND "\","
	    "\"asset_id\":\"" YES "\",\"old_tick_size\":\"0.01\","
	    "\"new_tick_size\":\"%s\",\"timestamp\":\"%lld\"}",
	    tick, (long long)ms);
	rig_frame(r, 0, text);
}

static void
is_grid(const struct rig *r, int64_t tick_e8, uint16_t epoch)
{
	assert_int_equal(r->instr[IDX].tick_px.e8, tick_e8);
	assert_int_equal(r->instr[IDX].epoch, epoch);
}

static struct rig *
open_with_books(void)
{
	struct rig *r = open_market();

	books(r, T0_MS);
	is_grid(r, C(1), 1);
	rig_pass(r, 2 * SECOND);
	rig_clear(r);
	return r;
}

/* It changed while we were not connected. */
static void
T_07_a_book_names_a_grid_that_was_missed(void **state)
{
	struct rig *r = open_with_books();

	(void)state;
	rig_down(r, 0, 1006);
	while (feed_link(r->f, 0)->state != LINK_CONNECTING)
		rig_pass(r, SECOND / 10);
	rig_step(r, FEED_EV_UP, 0);
	rig_clear(r);
	book_of(r, YES, T0_MS + 10000, "0.963", "0.001");
	book_of(r, NO, T0_MS + 10000, "0.035", "0.001");
	is_grid(r, C(1) / 10, 2);
	assert_int_equal(rig_last_tick(r, TICK_BBO)->u.bbo.bid_px.e8, 96300000);
	assert_int_equal(rig_last_tick(r, TICK_SNAP_BEGIN)->u.snap.epoch, 2);
	rig_close(r);
}

/* On a live connection too: what readers have of the old grid goes. */
static void
T_07_a_book_names_another_grid(void **state)
{
	struct rig *r = open_with_books();

	(void)state;
	book_of(r, YES, T0_MS + 1, "0.963", "0.001");
	is_grid(r, C(1) / 10, 2);
	assert_int_equal(rig_ticks(r, TICK_GAP), 1);
	assert_non_null(strstr(rig_last(r, FEED_SEND, 0)->text, "\"subscribe"));
	book_of(r, NO, T0_MS + 1, "0.035", "0.001");
	is_grid(r, C(1) / 10, 2);
	assert_int_equal(rig_ticks(r, TICK_GAP), 1);
	rig_close(r);
}

static void
a_grid_that_is_none_or_of_the_past(void **state)
{
	static const char *const bad[] = {"0", "1", "2", "x", ""};
	struct rig *r = open_with_books();

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		book_of(r, YES, T0_MS + 1, "0.48", bad[i]);
	book_of(r, YES, T0_MS - 1, "0.48", "0.001");
	is_grid(r, C(1), 1);
	rig_close(r);
}

/* A book of the old grid that was on its way is not one of the new. */
static void
T_07_a_book_of_the_old_grid_is_refused(void **state)
{
	struct rig *r = open_with_books();

	(void)state;
	tell_tick(r, T0_MS + 2000, "0.001");
	is_grid(r, C(1) / 10, 2);
	book_of(r, YES, T0_MS + 3000, "0.961", "0.001"); /* as asked for */
	book_of(r, NO, T0_MS + 3000, "0.039", "0.001");
	rig_clear(r);
	book_of(r, YES, T0_MS + 1999, "0.48", "0.01");
	book_of(r, YES, T0_MS - 90000, "0.48", "0.01");
	assert_int_equal(r->tick_n, 0);
	assert_int_equal(feed_stats(r->f)->reason[REASON_STALE_EPOCH], 2);
	is_grid(r, C(1) / 10, 2);
	tell_tick(r, T0_MS + 1999, "0.01");
	tell_tick(r, T0_MS - 90000, "0.01");
	assert_int_equal(feed_stats(r->f)->reason[REASON_SEQ_OLD], 2);
	is_grid(r, C(1) / 10, 2);
	rig_close(r);
}

/* The metadata with another grid, once on each look. */
static void
pass(struct rig *r, uint32_t seconds, const char *page)
{
	for (uint32_t i = 0; i < seconds; i++) {
		struct rig_act *a;

		while ((a = rig_last(r, FEED_GET, -1)) != NULL) {
			struct rig_act copy = *a;
			size_t n = strlen(page);

			a->a.what = FEED_LOG;
			if (strstr(copy.url, "btc-updown-15m-1777514400"))
				rig_http(r, copy.a.tag, 200, page, n);
			else
				rig_boot_answer(r, &copy, list);
		}
		rig_clear(r);
		rig_pass(r, SECOND);
	}
}

static void
T_07_the_metadata_name_another_grid(void **state)
{
	struct rig *r = open_with_books();
	char page[2048];
	char *at;

	(void)state;
	snprintf(page, sizeof(page), "%.*s",
	    (int)(strstr(list, ",{\"conditionId") - list) - 12, list + 12);
	at = strstr(page, "Size\":0.01");
	assert_non_null(at);
	memmove(at + 11, at + 10, strlen(at + 10) + 1);
	memcpy(at, "Size\":0.001", 11);
	pass(r, 300, page);
	is_grid(r, C(1) / 10, 2);
	/* The channel's own word is newer than metadata for a while. */
	tell_tick(r, T0_MS + 400000, "0.01");
	is_grid(r, C(1), 3);
	pass(r, 290, page);
	is_grid(r, C(1), 3);
	rig_close(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(T_07_a_book_names_a_grid_that_was_missed),
	    cmocka_unit_test(T_07_a_book_names_another_grid),
	    cmocka_unit_test(a_grid_that_is_none_or_of_the_past),
	    cmocka_unit_test(T_07_a_book_of_the_old_grid_is_refused),
	    cmocka_unit_test(T_07_the_metadata_name_another_grid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
