/* links: feedd libvenue libshm libcore */
/*
 * How a window ends: market_resolved is a hint, the metadata decide, our own
 * prices are compared.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_pm.h"

#include "feedd/pm_feed.h"

#define START  INT64_C(1777514400)
#define END    (START + 900)
#define SECOND UINT64_C(1000000000)
#define OTHER  "3000000000000000000003"

/* Prices of Down and Up in the metadata, NULL: not closed. */
static const char *prices;

static struct {
	uint32_t asks;
	uint32_t conflicts;
	int64_t told;
} seen;

static void
market_text(char *buf, size_t cap)
{
	int n = (int)(strstr(list, ",{\"conditionId") - list);

	if (prices == NULL)
		snprintf(buf, cap, "%.*s", n - 12, list + 12);
	else
		snprintf(buf, cap,
		    "%.*s,\"closed\":true,\"outcomePrices\":\"%s\"}", n - 13,
		    list + 12, prices);
}

static void
answer(struct rig *r, struct rig_act *a)
{
	struct rig_act copy = *a;
	char text[2048];

	a->a.what = FEED_SEND;
	market_text(text, sizeof(text));
	seen.asks += strstr(copy.url, "btc-updown-15m-1777514400") != NULL;
	if (strstr(copy.url, "/markets/slug/btc-updown-15m-1777514400")) {
		rig_http(r, copy.a.tag, 200, text, strlen(text));
	} else {
		rig_boot_answer(r, &copy, list);
	}
}

static void
pass(struct rig *r, uint32_t tenths)
{
	for (uint32_t i = 0; i < tenths; i++) {
		struct rig_act *a;

		while ((a = rig_last(r, FEED_GET, -1)) != NULL)
			answer(r, a);
		for (size_t k = 0; k < r->act_n; k++) {
			if (r->act[k].a.what != FEED_LOG ||
			    r->act[k].a.log != FEED_LOG_OUTCOME)
				continue;
			seen.conflicts++;
			seen.told = r->act[k].a.value;
			assert_int_equal(r->act[k].a.instr, IDX);
		}
		rig_clear(r);
		rig_pass(r, SECOND / 10);
	}
}

static void
price(struct rig *r, int64_t s, const char *value)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"topic\":\"crypto_prices_chainlink\",\"type\":\"update\","
	    "\"timestamp\":%lld350,\"payload\":{\"symbol\":\"btc/usd\","
	    "\"timestamp\":%lld000,\"value\":%s}}",
	    (long long)s, (long long)s, value);
	rig_frame(r, 1, text);
}

static void
resolved(struct rig *r, int64_t at_s, const char *token, const char *name)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"event_type\":\"market_resolved\",\"id\":\"1\",\"market\":"
	    "\"" COND "\",\"assets_ids\":[\"" YES "\",\"" NO
	    "\"],\"winning_asset_id\":\"%s\",\"winning_outcome\":\"%s\","
	    "\"timestamp\":\"%lld000\"}",
	    token, name, (long long)at_s);
	rig_frame(r, 0, text);
}

/* The window with its strike, so many seconds before (after) its end. */
static struct rig *
open_at(int64_t after_s, const char *strike, const char *close)
{
	struct rig *r = rig_open();

	memset(&seen, 0, sizeof(seen));
	prices = NULL;
	r->wall_ns = (START + 1) * NS_PER_S - (int64_t)r->now_ns;
	rig_start(r, VENUE_POLYMARKET);
	for (int i = 0; i < 50; i++) {
		struct rig_act *a = rig_last(r, FEED_GET, -1);

		if (a != NULL)
			answer(r, a);
	}
	rig_pass(r, SECOND / 100);
	rig_step(r, FEED_EV_UP, 0);
	rig_step(r, FEED_EV_UP, 1);
	if (strike != NULL)
		price(r, START, strike);
	books(r, START * 1000);
	assert_int_equal(r->instr[IDX].state, INSTR_NORMAL);
	r->wall_ns += (END - START - 1 + after_s) * NS_PER_S;
	pass(r, 20);
	if (close != NULL)
		price(r, END, close);
	seen.asks = 0;
	return r;
}

static void
the_metadata_decide(void **state)
{
	struct rig *r = open_at(3, NULL, NULL);

	(void)state;
	assert_int_equal(r->instr[IDX].state, INSTR_CLOSED);
	pass(r, 80); /* the next question is seconds away */
	seen.asks = 0;
	resolved(r, END + 60, YES, "Up");
	assert_int_equal(r->instr[IDX].state, INSTR_CLOSED);
	assert_int_equal(r->instr[IDX].outcome, 0);
	pass(r, 2);
	assert_int_equal(seen.asks, 1); /* at once, then with a back-off */
	pass(r, 70);
	assert_in_range(seen.asks, 2, 3);
	assert_int_equal(r->instr[IDX].outcome, 0);
	prices = "[\\\"0\\\", \\\"1\\\"]";
	pass(r, 700);
	assert_int_equal(r->instr[IDX].state, INSTR_RESOLVED);
	assert_int_equal(r->instr[IDX].outcome, OUTCOME_YES);
	assert_int_equal(seen.conflicts, 0);
	assert_int_equal(feed_stats(r->f)->reason[REASON_OUTCOME], 0);
	pass(r, 1300); /* and it is retired */
	assert_int_equal(feed_instr_n(r->f), 3);
	rig_close(r);
}

static void
a_hint_that_contradicts_itself(void **state)
{
	struct rig *r = open_at(3, NULL, NULL);

	(void)state;
	pass(r, 100);
	resolved(r, END + 5, YES, "Down");
	resolved(r, END + 5, NO, "Up");
	resolved(r, END + 5, OTHER, "Up");
	assert_int_equal(feed_stats(r->f)->reason[REASON_OUTCOME], 3);
	assert_int_equal(r->instr[IDX].state, INSTR_CLOSED);
	assert_int_equal(pm_of(r->f)->market[0].hint, 0);
	resolved(r, END + 5, YES, "Up"); /* one that does not */
	assert_int_equal(pm_of(r->f)->market[0].hint, OUTCOME_YES);
	resolved(r, END + 5, NO, "");
	assert_int_equal(pm_of(r->f)->market[0].hint, OUTCOME_NO);
	assert_int_equal(feed_stats(r->f)->reason[REASON_OUTCOME], 3);
	rig_close(r);
}

static void
a_hint_before_the_end(void **state)
{
	static const int64_t stamp[] = {END - 100, END + 1};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rig *r = open_at(-100, NULL, NULL);

		pass(r, 20);
		seen.asks = 0;
		resolved(r, stamp[i], YES, "Up");
		assert_int_equal(r->instr[IDX].state, INSTR_NORMAL);
		assert_int_equal(pm_of(r->f)->market[0].hint, 0);
		assert_int_equal(feed_stats(r->f)->reason[REASON_OUTCOME], 1);
		pass(r, 2);
		assert_int_equal(seen.asks, 1);
		rig_close(r);
	}
	{
		struct rig *r = open_at(10, NULL, NULL); /* old, late */

		resolved(r, END - 1, YES, "Up");
		assert_int_equal(pm_of(r->f)->market[0].hint, 0);
		rig_close(r);
	}
}

/* What we think it was, against the venue's word. */
static void
our_own_prices_are_compared(void **state)
{
	static const struct {
		const char *close;
		const char *prices; /* Down, Up */
		enum outcome outcome;
		enum outcome told; /* 0: they agree */
	} cases[] = {
	    {"100.5", "[\\\"0\\\", \\\"1\\\"]", OUTCOME_YES, (enum outcome)0},
	    {"100", "[\\\"0\\\", \\\"1\\\"]", OUTCOME_YES, (enum outcome)0},
	    {"99.5", "[\\\"1\\\", \\\"0\\\"]", OUTCOME_NO, (enum outcome)0},
	    {"99.5", "[\\\"0\\\", \\\"1\\\"]", OUTCOME_YES, OUTCOME_NO},
	    {"100.5", "[\\\"1\\\", \\\"0\\\"]", OUTCOME_NO, OUTCOME_YES},
	    {"100", "[\\\"1\\\", \\\"0\\\"]", OUTCOME_NO, OUTCOME_YES},
	    {"100", "[\\\"0.5\\\", \\\"0.5\\\"]", OUTCOME_VOID, OUTCOME_YES},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *r = open_at(3, "100", cases[i].close);

		assert_int_equal(r->instr[IDX].strike_px.e8, 100 * E8);
		assert_true(r->instr[IDX].close_px.e8 > 0);
		prices = cases[i].prices;
		pass(r, 100);
		assert_int_equal(r->instr[IDX].outcome, cases[i].outcome);
		assert_int_equal(seen.conflicts, cases[i].told != 0);
		assert_int_equal(seen.told, cases[i].told);
		assert_int_equal(feed_stats(r->f)->reason[REASON_OUTCOME],
		    cases[i].told != 0);
		pass(r, 100); /* told once */
		assert_int_equal(seen.conflicts, cases[i].told != 0);
		rig_close(r);
	}
}

/* Our closing price may come after the outcome. */
static void
a_late_price_is_compared(void **state)
{
	struct rig *r = open_at(3, "100", NULL);

	(void)state;
	prices = "[\\\"0\\\", \\\"1\\\"]";
	pass(r, 100);
	assert_int_equal(r->instr[IDX].state, INSTR_RESOLVED);
	assert_int_equal(seen.conflicts, 0);
	price(r, END, "99");
	pass(r, 1);
	assert_int_equal(seen.conflicts, 1);
	assert_int_equal(seen.told, OUTCOME_NO);
	rig_close(r);
}

static void
a_hint_that_the_metadata_deny(void **state)
{
	struct rig *r = open_at(3, NULL, NULL);

	(void)state;
	resolved(r, END + 1, YES, "Up");
	prices = "[\\\"1\\\", \\\"0\\\"]";
	pass(r, 100);
	assert_int_equal(r->instr[IDX].outcome, OUTCOME_NO);
	assert_int_equal(seen.conflicts, 1);
	assert_int_equal(seen.told, OUTCOME_YES);
	rig_close(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_metadata_decide),
	    cmocka_unit_test(a_hint_that_contradicts_itself),
	    cmocka_unit_test(a_hint_before_the_end),
	    cmocka_unit_test(our_own_prices_are_compared),
	    cmocka_unit_test(a_late_price_is_compared),
	    cmocka_unit_test(a_hint_that_the_metadata_deny),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
