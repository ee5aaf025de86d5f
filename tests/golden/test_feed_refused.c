/* links: feedd libvenue libshm libcore */
/*
 * A venue that refuses a connection says when to come back. Nobody knocks
 * before, on no lane and no shard of that address.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_pm.h"

#define MS  UINT64_C(1000000)
#define SEC (1000 * MS)

static void
refuse(struct rig *r, uint8_t conn, uint16_t status, uint32_t retry_after_s)
{
	struct feed_event ev = rig_event(r, FEED_EV_DOWN, conn);

	ev.code = status;
	ev.reason = REASON_HTTP_REFUSED;
	ev.retry_after_s = retry_after_s;
	ev.data = "HTTP";
	ev.n = 4;
	feed_step(r->f, &ev);
}

/* Opens of a connection within ns, each refused without another word. */
static size_t
opens(struct rig *r, uint64_t ns, uint8_t conn)
{
	size_t n = 0;

	for (uint64_t t = 0; t < ns; t += 100 * MS) {
		rig_clear(r);
		rig_pass(r, 100 * MS);
		if (rig_last(r, FEED_OPEN, conn) == NULL)
			continue;
		n++;
		rig_down(r, conn, 0);
	}
	return n;
}

static void
retry_after_is_waited_for(void **state)
{
	static const struct {
		uint16_t status;
		uint32_t retry_after_s;
		uint64_t wait_s;
	} cases[] = {
	    {418, 120, 120},
	    {429, 30, 30},
	    {503, 25, 25},
	    {403, 70, 70},
	    {418, 0, 60},
	    {429, 0, 60},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *r = rig_open();

		r->cfg.binance_ab = true;
		rig_start(r, VENUE_BINANCE);
		rig_pass(r, MS);
		refuse(r, 0, cases[i].status, cases[i].retry_after_s);
		rig_down(r, 8, 0); /* the other lane waits too */
		rig_clear(r);
		rig_pass(r, cases[i].wait_s * SEC - SEC);
		assert_int_equal(rig_count(r, FEED_OPEN, -1), 0);
		rig_pass(r, SEC);
		assert_int_equal(rig_count(r, FEED_OPEN, 0), 1);
		assert_int_equal(rig_count(r, FEED_OPEN, 8), 1);
		rig_close(r);
	}
}

/* A shorter word never cuts a longer one. */
static void
longest_wait_counts(void **state)
{
	struct rig *r = rig_open();

	(void)state;
	r->cfg.binance_ab = true;
	rig_start(r, VENUE_BINANCE);
	rig_pass(r, MS);
	refuse(r, 0, 418, 100);
	refuse(r, 8, 429, 5);
	rig_clear(r);
	rig_pass(r, 99 * SEC);
	assert_int_equal(rig_count(r, FEED_OPEN, -1), 0);
	rig_close(r);
}

static void
other_refusals_are_backed_off_from(void **state)
{
	struct rig *r = rig_open();

	(void)state;
	rig_start(r, VENUE_BINANCE);
	rig_pass(r, MS);
	refuse(r, 0, 503, 0);
	assert_true(opens(r, 20 * SEC, 0) > 2);
	rig_close(r);
}

/* A lane that was well when the other one was refused, and ends now. */
static void
lane_that_ends_waits_too(void **state)
{
	struct rig *r = rig_open();

	(void)state;
	r->cfg.binance_ab = true;
	rig_start(r, VENUE_BINANCE);
	rig_pass(r, MS);
	rig_step(r, FEED_EV_UP, 0);
	refuse(r, 8, 418, 100);
	rig_down(r, 0, 1006);
	rig_clear(r);
	rig_pass(r, 99 * SEC);
	assert_int_equal(rig_count(r, FEED_OPEN, -1), 0);
	rig_pass(r, 2 * SEC);
	assert_int_equal(rig_count(r, FEED_OPEN, 0), 1);
	rig_close(r);
}

/* What ends an open connection is no refusal, whatever its code. */
static void
end_of_a_connection_holds_nothing(void **state)
{
	struct rig *r = rig_open();

	(void)state;
	rig_start(r, VENUE_BINANCE);
	rig_pass(r, MS);
	rig_step(r, FEED_EV_UP, 0);
	refuse(r, 0, 418, 100);
	rig_clear(r);
	rig_pass(r, SEC);
	assert_int_equal(rig_count(r, FEED_OPEN, 0), 1);
	rig_close(r);
}

/* The price stream is another server's. */
static void
price_stream_waits_alone(void **state)
{
	struct rig *r = open_market();

	(void)state;
	rig_down(r, 1, 1006);
	rig_pass(r, SEC);
	refuse(r, 1, 429, 100);
	rig_down(r, 0, 1006);
	rig_clear(r);
	rig_pass(r, 2 * SEC);
	assert_int_equal(rig_count(r, FEED_OPEN, 0), 1);
	assert_int_equal(rig_count(r, FEED_OPEN, 1), 0);
	rig_close(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(retry_after_is_waited_for),
	    cmocka_unit_test(longest_wait_counts),
	    cmocka_unit_test(other_refusals_are_backed_off_from),
	    cmocka_unit_test(lane_that_ends_waits_too),
	    cmocka_unit_test(end_of_a_connection_holds_nothing),
	    cmocka_unit_test(price_stream_waits_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
