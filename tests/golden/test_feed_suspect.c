/* links: feedd libvenue libshm libcore */
/*
 * A coin that makes Hyperliquid end the connection a tenth of a second after
 * it was subscribed: found, told, left out for a minute.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_rig.h"

#define MS UINT64_C(1000000)

static const char meta[] = "{\"universe\":[{\"szDecimals\":5,\"name\":\"BTC\"},"
			   "{\"szDecimals\":4,\"name\":\"ETH\"},"
			   "{\"szDecimals\":2,\"name\":\"SOL\"}]}";

static struct rig *
open_coins(const char *coins)
{
	struct rig *r = rig_open();
	char why[CFG_WHY_SZ];

	assert_true(cfg_set(&r->cfg, CFG_KEY_hyperliquid_coins, coins, why));
	rig_start(r, VENUE_HYPERLIQUID);
	rig_http(r, rig_last(r, FEED_GET, -1)->a.tag, 200, meta, strlen(meta));
	return r;
}

/* Waits for the next connection and opens it. */
static void
reopen(struct rig *r)
{
	for (unsigned i = 0; rig_last(r, FEED_OPEN, 0) == NULL; i++) {
		assert_true(i < 1000);
		rig_pass(r, 10 * MS);
	}
	rig_clear(r);
	rig_step(r, FEED_EV_UP, 0);
}

static bool
is_sent(const struct rig *r, const char *coin)
{
	char want[32];

	snprintf(want, sizeof(want), "\"coin\":\"%s\"", coin);
	for (size_t i = 0; i < r->act_n; i++)
		if (r->act[i].a.what == FEED_SEND &&
		    strstr(r->act[i].text, want) != NULL)
			return true;
	return false;
}

/* The venue of this test drops whoever subscribes ETH. */
static void
live_until_killed(struct rig *r)
{
	for (unsigned i = 0; i < 100 && !is_sent(r, "ETH"); i++)
		rig_pass(r, 100 * MS);
	rig_pass(r, 100 * MS);
	if (is_sent(r, "ETH"))
		rig_down(r, 0, 1006);
}

static const struct rig_act *
told(struct rig *r)
{
	for (size_t i = 0; i < r->act_n; i++)
		if (r->act[i].a.what == FEED_LOG &&
		    r->act[i].a.log == FEED_LOG_DISCOVERY)
			return &r->act[i];
	return NULL;
}

static void
the_coin_is_found_and_left_out(void **state)
{
	struct rig *r = open_coins("BTC, ETH, SOL");

	(void)state;
	reopen(r);
	assert_int_equal(rig_count(r, FEED_SEND, 0), 12); /* all at once */
	live_until_killed(r);
	assert_null(told(r));

	reopen(r); /* one at a time */
	assert_int_equal(rig_count(r, FEED_SEND, 0), 4);
	assert_true(is_sent(r, "BTC"));
	live_until_killed(r);
	assert_non_null(told(r));
	assert_non_null(strstr(told(r)->text, "ETH"));
	assert_int_equal(feed_stats(r->f)->reason[REASON_VENUE], 1);
	assert_false(is_sent(r, "SOL"));

	reopen(r);
	rig_pass(r, 4000 * MS);
	assert_true(is_sent(r, "BTC") && is_sent(r, "SOL"));
	assert_false(is_sent(r, "ETH"));
	assert_null(told(r));
	rig_pass(r, 10000 * MS);
	assert_false(is_sent(r, "ETH"));
	rig_close(r);
}

/* After its minute it has another chance. */
static void
it_comes_back(void **state)
{
	struct rig *r = open_coins("ETH");
	uint64_t parked_ns;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		reopen(r);
		assert_int_equal(rig_count(r, FEED_SEND, 0), 4);
		live_until_killed(r);
	}
	assert_non_null(told(r));
	parked_ns = r->now_ns;
	rig_clear(r);
	while (!is_sent(r, "ETH")) {
		assert_true(r->now_ns < parked_ns + 90000 * MS);
		if (rig_last(r, FEED_OPEN, 0) != NULL) {
			rig_clear(r);
			rig_step(r, FEED_EV_UP, 0);
		}
		if (rig_last(r, FEED_CLOSE, 0) != NULL) {
			rig_clear(r);
			rig_down(r, 0, 1000);
		}
		rig_pass(r, 100 * MS);
	}
	assert_true(r->now_ns >= parked_ns + 60000 * MS);
	rig_close(r);
}

/* A connection that ends at other times is nobody's fault. */
static void
later_ends_are_not_held_against_it(void **state)
{
	struct rig *r = open_coins("BTC, ETH");

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		reopen(r);
		assert_int_equal(rig_count(r, FEED_SEND, 0), 8);
		rig_pass(r, 2500 * MS);
		rig_down(r, 0, 1006);
		assert_null(told(r));
	}
	rig_close(r);
}

/* The two error texts that ask for something else than a line. */
static void
error_texts_are_told_apart(void **state)
{
	static const char already[] =
	    "{\"channel\":\"error\",\"data\":\"Already subscribed: {}\"}";
	static const char many[] =
	    "{\"channel\":\"error\",\"data\":\"Cannot send more than 2000 "
	    "messages per minute.\"}";
	struct rig *r = open_coins("BTC, ETH");

	(void)state;
	reopen(r);
	rig_frame(r, 0, already);
	assert_int_equal(feed_stats(r->f)->malformed, 0);
	assert_int_equal(feed_stats(r->f)->reason[REASON_DUPLICATE], 1);
	rig_frame(r, 0, many);
	assert_int_equal(feed_stats(r->f)->reason[REASON_VENUE], 1);
	/* the next connection waits before it says anything */
	rig_pass(r, 3000 * MS);
	rig_down(r, 0, 1006);
	rig_clear(r);
	reopen(r);
	assert_int_equal(rig_count(r, FEED_SEND, 0), 0);
	rig_pass(r, 20000 * MS);
	assert_false(is_sent(r, "BTC"));
	rig_close(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_coin_is_found_and_left_out),
	    cmocka_unit_test(it_comes_back),
	    cmocka_unit_test(later_ends_are_not_held_against_it),
	    cmocka_unit_test(error_texts_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
