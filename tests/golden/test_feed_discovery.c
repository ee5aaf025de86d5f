/* links: feedd libvenue libshm libcore */
/*
 * Discovery: which markets are taken, which are refused and why, what is
 * said of their strike and their end, and how often is asked.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_pm.h"

#define START  INT64_C(1777428900) /* 2026-04-29T02:15Z, the rig's next */
#define SLUG   "btc-updown-15m-1777428900"
#define SECOND UINT64_C(1000000000)

/* What the service knows. */
static struct {
	char market[4096]; /* of SLUG */
	char event[8192];
	char page[2][8192];
	uint32_t market_asks;
	uint32_t event_asks;
	uint32_t page_asks;
	uint32_t next_asks;
	uint16_t code; /* of every answer, 0: as it is */
	uint32_t retry_after_s;
	uint32_t asks;
	uint32_t unsubs;
} gamma;

static int
setup(void **state)
{
	(void)state;
	memset(&gamma, 0, sizeof(gamma));
	snprintf(gamma.page[0], sizeof(gamma.page[0]), "{\"markets\":[]}");
	snprintf(gamma.page[1], sizeof(gamma.page[1]), "{\"markets\":[]}");
	return 0;
}

static void
window(const char *start, const char *end, const char *more)
{
	snprintf(gamma.market, sizeof(gamma.market),
	    "{\"conditionId\":\"" COND "\",\"slug\":\"" SLUG "\"," RULES_SPOT
	    "\"outcomes\":\"[\\\"Down\\\",\\\"Up\\\"]\",\"clobTokenIds\":"
	    "\"[\\\"" NO "\\\",\\\"" YES "\\\"]\",\"orderMinSize\":5,"
	    "\"orderPriceMinTickSize\":0.01,\"acceptingOrders\":true,"
	    "\"enableOrderBook\":true,\"eventStartTime\":\"%s\","
	    "\"endDate\":\"%s\"%s}",
	    start, end, more);
}

static void
usual(const char *more)
{
	window("2026-04-29T02:15:00Z", "2026-04-29T02:30:00Z", more);
}

static void
meta(const char *text)
{
	snprintf(gamma.event, sizeof(gamma.event),
	    "{\"id\":\"1\",\"slug\":\"" SLUG "\"%s,\"markets\":[%s]}", text,
	    gamma.market);
}

static void
answer(struct rig *r, struct rig_act *a)
{
	struct feed_event ev = rig_event(r, FEED_EV_HTTP, 0);
	char text[32];

	ev.tag = a->a.tag;
	ev.code = 404;
	ev.data = "";
	snprintf(text, sizeof(text), "%lld",
	    (long long)((r->wall_ns + (int64_t)r->now_ns) / NS_PER_S));
	if (strstr(a->url, "/book?") != NULL)
		ev.code = 500; /* of the books nothing is said */
	else if (strstr(a->url, "/time") != NULL)
		ev.data = text;
	else if (strstr(a->url, "after_cursor=NEXT") != NULL)
		ev.data = gamma.page[1];
	else if (strstr(a->url, "/keyset") != NULL)
		ev.data = gamma.page[0];
	else if (strstr(a->url, "/events/slug/" SLUG) != NULL)
		ev.data = gamma.event;
	else if (strstr(a->url, "/markets/slug/" SLUG) != NULL)
		ev.data = gamma.market;
	gamma.event_asks += ev.data == gamma.event;
	gamma.market_asks += ev.data == gamma.market;
	gamma.page_asks += ev.data == gamma.page[0];
	gamma.next_asks += ev.data == gamma.page[1];
	gamma.asks++;
	ev.n = strlen(ev.data);
	if (ev.n > 0)
		ev.code = 200;
	if (gamma.code != 0) {
		ev.code = gamma.code;
		ev.n = 0;
		ev.retry_after_s = gamma.retry_after_s;
	}
	feed_step(r->f, &ev);
}

/* Time passes, and the service answers at once. */
static void
pass(struct rig *r, uint64_t seconds)
{
	uint64_t to_ns = r->now_ns + seconds * SECOND;

	for (;;) {
		struct rig_act *a;

		while ((a = rig_last(r, FEED_GET, -1)) != NULL) {
			struct rig_act copy = *a;

			a->a.what = FEED_LOG;
			answer(r, &copy);
		}
		for (size_t i = 0; i < r->act_n; i++)
			gamma.unsubs += r->act[i].a.what == FEED_SEND &&
					strstr(r->act[i].text, "unsub") != NULL;
		rig_clear(r);
		if (r->now_ns >= to_ns)
			return;
		if (feed_link(r->f, 0) != NULL &&
		    feed_link(r->f, 0)->state == LINK_CONNECTING)
			rig_step(r, FEED_EV_UP, 0);
		rig_until(r, r->now_ns + SECOND / 10);
	}
}

/* One series, 20 s before the window opens. */
static struct rig *
open_feed(void)
{
	struct rig *r = rig_open();

	r->cfg.polymarket_series.n = 1;
	r->cfg.discovery_behind.ns = 0;
	r->wall_ns = (START - 20) * NS_PER_S - (int64_t)r->now_ns;
	rig_start(r, VENUE_POLYMARKET);
	pass(r, 5);
	return r;
}

/* T-05 */
static void
T_05_a_window_that_is_not_what_its_slug_says(void **state)
{
	static const struct {
		const char *start;
		const char *end;
		bool taken;
	} cases[] = {
	    {"2026-04-29T02:15:00Z", "2026-04-29T02:30:00Z", true},
	    {"2026-04-29T02:15:01Z", "2026-04-29T02:30:01Z", false},
	    {"2026-04-29T02:15:00Z", "2026-04-29T02:20:00Z", false},
	    {"2026-04-29T02:00:00Z", "2026-04-29T02:15:00Z", false},
	    {"2026-04-29T02:15:00Z", "2026-04-30T02:30:00Z", false},
	    {"", "", true}, /* not sent: the slug's time is primary */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rig *r;

		setup(state);
		window(cases[i].start, cases[i].end, "");
		r = open_feed();
		assert_int_equal(
		    r->instr[IDX].state == INSTR_NORMAL, cases[i].taken);
		assert_int_equal(feed_stats(r->f)->reason[REASON_WINDOW],
		    cases[i].taken ? 0 : 1);
		if (cases[i].taken)
			assert_int_equal(r->instr[IDX].end_wall_ns,
			    (START + 900) * NS_PER_S);
		rig_close(r);
	}
}

/* T-11 */
static void
T_11_an_unknown_fee_is_the_highest(void **state)
{
	static const struct {
		const char *text;
		uint32_t ppm;
		uint8_t exponent;
	} cases[] = {
	    {"", 70000, 1},
	    {",\"feesEnabled\":false", 0, 1},
	    {",\"feesEnabled\":true,\"feeSchedule\":{\"rate\":0.05,"
	     "\"exponent\":2,\"takerOnly\":true,\"rebateRate\":0.2}",
		50000, 2},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rig *r;

		setup(state);
		usual(cases[i].text);
		r = open_feed();
		assert_int_equal(r->instr[IDX].fee_ppm, cases[i].ppm);
		assert_int_equal(r->instr[IDX].fee_exponent, cases[i].exponent);
		rig_close(r);
	}
}

/* T-13 */
static void
T_13_tokens_by_the_name_of_the_outcome(void **state)
{
	struct rig *r;

	(void)state;
	usual(""); /* Down is first */
	r = open_feed();
	pass(r, 1);
	assert_int_equal(r->instr[IDX].state, INSTR_NORMAL);
	assert_memory_not_equal(r->instr[IDX].token_yes, r->instr[IDX].token_no,
	    sizeof(r->instr[IDX].token_yes));
	{
		uint8_t up[32];

		memcpy(up, r->instr[IDX].token_yes, sizeof(up));
		rig_close(r);
		setup(state);
		snprintf(gamma.market, sizeof(gamma.market),
		    "{\"conditionId\":\"" COND "\",\"slug\":\"" SLUG "\","
		    "\"outcomes\":[\"Up\",\"Down\"],\"clobTokenIds\":[\"" YES
		    "\",\"" NO "\"],\"acceptingOrders\":true,"
		    "\"enableOrderBook\":true}");
		r = open_feed();
		assert_memory_equal(r->instr[IDX].token_yes, up, sizeof(up));
		rig_close(r);
	}
	setup(state);
	snprintf(gamma.market, sizeof(gamma.market),
	    "{\"conditionId\":\"" COND "\",\"slug\":\"" SLUG "\","
	    "\"outcomes\":[\"Over\",\"Under\"],\"clobTokenIds\":[\"" YES
	    "\",\"" NO "\"],\"acceptingOrders\":true}");
	r = open_feed();
	assert_int_equal(r->instr[IDX].state, 0);
	assert_true(feed_stats(r->f)->reason[REASON_UNSUPPORTED] > 0);
	rig_close(r);
}

static void
T_02_strike_of_the_venue(void **state)
{
	static const struct {
		const char *meta;
		int64_t px_e8;
		uint32_t source;
	} cases[] = {
	    {"", 0, 0},
	    {",\"eventMetadata\":{\"priceToBeat\":76001.25}",
		INT64_C(7600125000000), STRIKE_OFFICIAL},
	    {",\"eventMetadata\":{\"priceToBeat\":\"76001.25\"}",
		INT64_C(7600125000000), STRIKE_OFFICIAL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rig *r;

		setup(state);
		usual("");
		meta(cases[i].meta);
		r = open_feed();
		assert_int_equal(gamma.event_asks, 0); /* not open yet */
		pass(r, 20);
		assert_true(gamma.event_asks > 0);
		assert_int_equal(r->instr[IDX].strike_px.e8, cases[i].px_e8);
		assert_int_equal(r->instr[IDX].strike_source, cases[i].source);
		gamma.event_asks = 0;
		pass(r, 600);
		/* Once it is known nobody asks again; else ever less. */
		if (cases[i].source == STRIKE_OFFICIAL)
			assert_int_equal(gamma.event_asks, 0);
		else
			assert_in_range(gamma.event_asks, 5, 20);
		rig_close(r);
	}
}

static void
how_a_window_ends(void **state)
{
	static const struct {
		const char *prices;
		enum outcome outcome;
	} cases[] = {
	    {"[\\\"0\\\",\\\"1\\\"]", OUTCOME_YES}, /* Down, Up */
	    {"[\\\"1\\\",\\\"0\\\"]", OUTCOME_NO},
	    {"[\\\"0.5\\\",\\\"0.5\\\"]", OUTCOME_VOID},
	    {"[\\\"0.31\\\",\\\"0.69\\\"]", (enum outcome)0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rig *r;
		char more[128];

		setup(state);
		usual("");
		r = open_feed();
		pass(r, 914); /* a second before the end */
		assert_int_equal(r->instr[IDX].state, INSTR_NORMAL);
		pass(r, 2); /* by the clock, whatever is said of it */
		assert_int_equal(r->instr[IDX].state, INSTR_CLOSED);
		assert_int_equal(r->instr[IDX].outcome, 0);
		snprintf(more, sizeof(more),
		    ",\"closed\":true,\"outcomePrices\":\"%s\"",
		    cases[i].prices);
		usual(more);
		pass(r, 90);
		assert_int_equal(r->instr[IDX].outcome, cases[i].outcome);
		assert_int_equal(r->instr[IDX].state,
		    cases[i].outcome != 0 ? INSTR_RESOLVED : INSTR_CLOSED);
		pass(r, 200);
		assert_int_equal(
		    feed_instr_n(r->f), 3 + (cases[i].outcome == 0));
		rig_close(r);
	}
}

/* T-06, and a venue that stops taking orders. */
static void
T_06_what_else_stops_quotes(void **state)
{
	static const struct {
		const char *more;
		enum instr_state s;
	} cases[] = {
	    {",\"umaResolutionStatus\":\"disputed\"", INSTR_DISPUTED},
	    {",\"umaResolutionStatus\":\"proposed\"", INSTR_NORMAL},
	    {"", INSTR_NORMAL},
	    {",\"closed\":true", INSTR_CLOSED},
	};
	struct rig *r;

	(void)state;
	usual("");
	r = open_feed();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		usual(cases[i].more);
		meta("");
		pass(r, 70);
		assert_int_equal(r->instr[IDX].state, cases[i].s);
	}
	rig_close(r);
}

static size_t
binary(char *buf, size_t cap, const char *name, int liquidity, const char *more)
{
	return (size_t)snprintf(buf, cap,
	    "{\"conditionId\":\"0x%064x\",\"slug\":\"%s\",\"outcomes\":"
	    "[\"Yes\",\"No\"],\"clobTokenIds\":[\"1%s000000000000000000001\","
	    "\"2%s000000000000000000001\"],\"liquidityNum\":%d,"
	    "\"acceptingOrders\":true,\"enableOrderBook\":true,"
	    "\"endDate\":\"2027-01-01T00:00:00Z\"%s}",
	    (unsigned)name[4] * 131 + 7, name, name + 4, name + 4, liquidity,
	    more);
}

/* Up to six, "mkt-1" and on; liquidity 0: not in the listing. */
static void
listing(const int liquidity[6], const char *more)
{
	for (int page = 0; page < 2; page++) {
		char *buf = gamma.page[page];
		size_t cap = sizeof(gamma.page[page]);
		size_t n = (size_t)snprintf(buf, cap, "{\"markets\":[");
		bool any = false;

		for (int i = page * 3; i < page * 3 + 3; i++) {
			char name[16];

			if (liquidity[i] == 0)
				continue;
			snprintf(name, sizeof(name), "mkt-%d", i + 1);
			n += (size_t)snprintf(
			    buf + n, cap - n, "%s", any ? "," : "");
			n += binary(buf + n, cap - n, name, liquidity[i], more);
			any = true;
		}
		snprintf(buf + n, cap - n, "]%s}",
		    page == 0 ? ",\"next_cursor\":\"NEXT\"" : "");
	}
}

static uint32_t
known(const struct rig *r)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < INSTR_N; i++)
		if (strncmp(r->instr[i].symbol, "mkt-", 4) == 0)
			bits |= 1u << (r->instr[i].symbol[4] - '0');
	return bits;
}

static struct rig *
open_binaries(int64_t top)
{
	struct rig *r = rig_open();

	r->cfg.polymarket_series.n = 0;
	r->cfg.discovery_binaries = true;
	r->cfg.discovery_top_markets = top;
	rig_start(r, VENUE_POLYMARKET);
	pass(r, 5);
	return r;
}

/* Hours from the end the state moves by itself, between two looks. */
static void
states_move_by_the_clock(void **state)
{
	static const struct {
		const char *end; /* some 20 s after a threshold */
		enum instr_state before;
		enum instr_state after;
	} cases[] = {
	    {"2026-05-02T02:11:00Z", INSTR_NORMAL, INSTR_WATCH},
	    {"2026-04-30T02:11:00Z", INSTR_WATCH, INSTR_CLOSE_WINDOW},
	    {"2026-04-29T02:11:00Z", INSTR_CLOSE_WINDOW, INSTR_CLOSE_WINDOW},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rig *r = rig_open();
		uint32_t asks;

		setup(state);
		snprintf(gamma.market, sizeof(gamma.market),
		    "{\"conditionId\":\"" COND "\",\"slug\":\"" SLUG "\","
		    "\"outcomes\":[\"Yes\",\"No\"],\"clobTokenIds\":[\"" YES
		    "\",\"" NO "\"],\"acceptingOrders\":true,"
		    "\"enableOrderBook\":true,\"endDate\":\"%s\"}",
		    cases[i].end);
		r->cfg.polymarket_series.n = 0;
		r->cfg.polymarket_slugs.n = 1;
		snprintf(r->cfg.polymarket_slugs.item[0], CFG_ITEM_SZ, SLUG);
		r->cfg.discovery_poll.ns = 3600 * NS_PER_S;
		rig_start(r, VENUE_POLYMARKET);
		pass(r, 5);
		assert_int_equal(r->instr[IDX].state, cases[i].before);
		asks = gamma.market_asks;
		pass(r, 25);
		assert_int_equal(r->instr[IDX].state, cases[i].after);
		assert_int_equal(gamma.market_asks, asks);
		rig_close(r);
	}
}

/* The best three of two pages. */
static void
the_most_liquid_are_taken(void **state)
{
	struct rig *r;

	(void)state;
	listing((const int[6]){500, 100, 900, 700, 50, 300}, "");
	r = open_binaries(3);
	assert_int_equal(known(r), 1u << 1 | 1u << 3 | 1u << 4);
	assert_int_equal(feed_instr_n(r->f), 3 + 3);
	assert_int_equal(r->instr[IDX].cls, CLASS_BINARY);
	rig_close(r);
}

static void
what_paper_does_not_take(void **state)
{
	static const char *const mores[] = {",\"negRisk\":true",
	    ",\"negRiskOther\":true", ",\"endDate\":\"2026-04-29T20:00:00Z\"",
	    ",\"closed\":true", ",\"acceptingOrders\":false"};

	for (size_t i = 0; i < sizeof(mores) / sizeof(*mores); i++) {
		struct rig *r;

		setup(state);
		listing((const int[6]){500, 100, 900, 700, 50, 300}, mores[i]);
		/* The last of two members counts. */
		r = open_binaries(3);
		assert_int_equal(known(r), 0);
		rig_close(r);
	}
}

/* Out of the first three is not out; gone for three looks is. */
static void
markets_do_not_flap(void **state)
{
	const int with[6] = {500, 510, 900, 700, 50, 300};
	const int without[6] = {0, 510, 900, 700, 50, 300};
	struct rig *r;

	(void)state;
	listing((const int[6]){500, 100, 900, 700, 50, 300}, "");
	r = open_binaries(3);
	r->cfg.feed_snapshot_timeout.ns = 3600 * NS_PER_S; /* no books here */
	rig_step(r, FEED_EV_CFG, 0);
	listing(with, "");
	pass(r, 300);
	assert_int_equal(known(r), 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4);
	gamma.unsubs = 0;
	for (int again = 0; again < 5; again++) {
		listing(without, "");
		pass(r, 50); /* two looks at most */
		listing(with, "");
		pass(r, 40);
	}
	assert_int_equal(gamma.unsubs, 0);
	listing(without, "");
	pass(r, 120);
	assert_int_equal(gamma.unsubs, 1);
	/* Its entry stays: its outcome may still be wanted. */
	assert_int_equal(feed_instr_n(r->f), 3 + 4);
	rig_close(r);
}

static void
errors_hold_every_question(void **state)
{
	struct rig *r;

	(void)state;
	usual("");
	r = open_feed();
	gamma.code = 429;
	gamma.retry_after_s = 40;
	pass(r, 20);
	gamma.asks = 0;
	pass(r, 15);
	assert_int_equal(gamma.asks, 0);
	assert_int_equal(r->instr[IDX].state, INSTR_NORMAL); /* it stays */
	gamma.code = 503;
	gamma.retry_after_s = 0;
	pass(r, 200);
	assert_in_range(gamma.asks, 4, 40); /* ever more slowly */
	gamma.code = 0;
	gamma.asks = 0;
	pass(r, 60);
	assert_true(gamma.asks > 0);
	rig_close(r);
}

static void
questions_have_a_budget(void **state)
{
	struct rig *r = rig_open();

	(void)state;
	r->cfg.discovery_max_per_minute = 12; /* 3 series want more */
	rig_start(r, VENUE_POLYMARKET);
	for (int minute = 0; minute < 5; minute++) {
		gamma.asks = 0;
		pass(r, 60);
		assert_in_range(gamma.asks, 8, 12);
	}
	rig_close(r);
}

/* Ours is an hour slow: the venue's clock counts. */
static void
slugs_by_the_venues_clock(void **state)
{
	struct rig *r = rig_open();
	struct rig_act *a;

	(void)state;
	r->cfg.polymarket_series.n = 1;
	r->cfg.discovery_behind.ns = 0;
	r->wall_ns = (START - 20 - 3600) * NS_PER_S;
	rig_start(r, VENUE_POLYMARKET);
	a = rig_last(r, FEED_GET, -1);
	a->a.what = FEED_LOG;
	rig_http(r, a->a.tag, 200, "1777428885", 10);
	a = rig_last(r, FEED_GET, -1);
	assert_non_null(a);
	for (size_t i = 0; i < r->act_n; i++)
		if (r->act[i].a.what == FEED_GET)
			assert_true(strstr(r->act[i].url, "1777428000") ||
				    strstr(r->act[i].url, "17774289") ||
				    strstr(r->act[i].url, "17774298") ||
				    strstr(r->act[i].url, "17774307"));
	rig_close(r);
}

/* Only the second page of the listing knows of the window. */
static void
a_window_is_found_on_a_further_page(void **state)
{
	struct rig *r;

	(void)state;
	usual("");
	listing((const int[6]){500, 100, 900, 0, 0, 0}, "");
	snprintf(gamma.page[1], sizeof(gamma.page[1]), "{\"markets\":[%s]}",
	    gamma.market);
	gamma.market[0] = '\0';
	r = open_feed();
	assert_string_equal(r->instr[IDX].symbol, SLUG);
	assert_int_equal(known(r), 0);
	rig_close(r);
}

/* One that never ends is read as far as may be fetched in one look; and what
 * the budget of questions does not allow now comes later. */
static void
a_listing_without_end(void **state)
{
	struct rig *r = rig_open();

	(void)state;
	for (int i = 0; i < 2; i++)
		snprintf(gamma.page[i], sizeof(gamma.page[i]),
		    "{\"markets\":[],\"next_cursor\":\"NEXT\"}");
	r->cfg.polymarket_series.n = 1;
	r->cfg.discovery_behind.ns = 0;
	r->cfg.discovery_fetch_limit_paper = 400;
	r->cfg.discovery_max_per_minute = 8;
	rig_start(r, VENUE_POLYMARKET);
	for (int minute = 0; minute < 10; minute++) {
		gamma.asks = 0;
		pass(r, 60);
		assert_in_range(gamma.asks, 1, 8);
	}
	assert_true(gamma.page_asks > 2);
	assert_in_range(
	    gamma.next_asks, 3 * gamma.page_asks - 3, 3 * gamma.page_asks);
	rig_close(r);
}

/* How many questions went before that of a slug. */
static size_t
asks_before(const struct rig *r, const char *slug)
{
	for (size_t i = 0; i < r->act_n; i++)
		if (strstr(r->act[i].url, slug) != NULL)
			return i;
	fail_msg("%s is not asked for", slug);
	return 0;
}

/* A series of short windows has many that are over. */
static void
what_trades_is_asked_for_before_what_is_over(void **state)
{
	struct rig *r = rig_open();
	struct rig_act clock;

	(void)state;
	r->cfg.polymarket_series.n = 2;
	memcpy(r->cfg.polymarket_series.item[0], "btc-updown-5m",
	    sizeof("btc-updown-5m"));
	memcpy(r->cfg.polymarket_series.item[1], "btc-updown-15m",
	    sizeof("btc-updown-15m"));
	r->wall_ns = (START - 20) * NS_PER_S - (int64_t)r->now_ns;
	rig_start(r, VENUE_POLYMARKET);
	clock = *rig_last(r, FEED_GET, -1);
	answer(r, &clock);
	assert_true(asks_before(r, "btc-updown-15m-1777428000") <
		    asks_before(r, "btc-updown-15m-1777428900"));
	assert_true(asks_before(r, "btc-updown-15m-1777428900") <
		    asks_before(r, "btc-updown-5m-1777428300"));
	assert_true(asks_before(r, "btc-updown-5m-1777428300") <
		    asks_before(r, "btc-updown-15m-1777427100"));
	rig_close(r);
}

/* A life that finds in the table: at IDX another market that ends then, and
 * after it SLUG's. */
static struct rig *
second_life(const struct instr *was, int64_t end_s, bool has_slug)
{
	struct rig *r = rig_open();
	struct instr other = *was;

	r->cfg.polymarket_series.n = 1;
	r->cfg.discovery_behind.ns = 0;
	r->wall_ns = (START - 20) * NS_PER_S - (int64_t)r->now_ns;
	r->f = calloc(1, feed_sz(VENUE_POLYMARKET));
	feed_init(r->f, VENUE_POLYMARKET, &r->cfg, 8, &r->sink);
	other.condition[0] ^= 1;
	other.epoch = 4;
	other.end_wall_ns = end_s * NS_PER_S;
	feed_recall(r->f, IDX, &other);
	if (has_slug)
		feed_recall(r->f, IDX + 1, was);
	rig_step(r, FEED_EV_START, 0);
	pass(r, 5);
	return r;
}

/* What is under way in a life of the feed means the same in the next. */
static void
a_market_keeps_its_place_and_its_epochs_over_a_death(void **state)
{
	struct instr was;
	struct rig *r;

	(void)state;
	usual("");
	r = open_feed();
	was = r->instr[IDX];
	rig_close(r);
	assert_string_equal(was.symbol, SLUG);
	was.epoch = 9;
	r = second_life(&was, START + 900, true);
	assert_int_equal(r->instr[IDX].state, 0);
	assert_string_equal(r->instr[IDX + 1].symbol, SLUG);
	assert_int_equal(r->instr[IDX + 1].epoch, 10);
	rig_close(r);
	/* What is not over is waited for, */
	r = second_life(&was, START + 900, false);
	assert_int_equal(r->instr[IDX].state, 0);
	assert_string_equal(r->instr[IDX + 1].symbol, SLUG);
	rig_close(r);
	/* and the place of what is over goes to another epoch. */
	r = second_life(&was, START - 900, false);
	assert_string_equal(r->instr[IDX].symbol, SLUG);
	assert_int_equal(r->instr[IDX].epoch, 5);
	rig_close(r);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(T_05_a_window_that_is_not_what_its_slug_says),
	    T(T_11_an_unknown_fee_is_the_highest),
	    T(T_13_tokens_by_the_name_of_the_outcome),
	    T(T_02_strike_of_the_venue),
	    T(how_a_window_ends),
	    T(T_06_what_else_stops_quotes),
	    T(states_move_by_the_clock),
	    T(the_most_liquid_are_taken),
	    T(what_paper_does_not_take),
	    T(markets_do_not_flap),
	    T(errors_hold_every_question),
	    T(questions_have_a_budget),
	    T(slugs_by_the_venues_clock),
	    T(a_window_is_found_on_a_further_page),
	    T(a_listing_without_end),
	    T(what_trades_is_asked_for_before_what_is_over),
	    T(a_market_keeps_its_place_and_its_epochs_over_a_death),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
