/* links: feedd libvenue libshm libcore */
/*
 * What the Polymarket feed asks over REST: one budget and one pause for all
 * of it, pages of the listing by their cursors; and that its price stream is
 * not needed to be READY.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_pm.h"

#include "feedd/text.h"

#define MS UINT64_C(1000000)

#define PAGE_MARKET                                            \
	"{\"conditionId\":\"" COND "\",\"slug\":\"not-ours\"," \
	"\"outcomes\":\"[\\\"Yes\\\",\\\"No\\\"]\"}"

/* Questions under way are answered at once; those about books and pages are
 * counted, and about books answered with book_code. */
struct counts {
	size_t books;
	size_t pages;
	size_t all;
	uint16_t book_code;
	uint32_t retry_after_s;
	char url[512]; /* of the last page */
};

static void
answer(struct rig *r, struct rig_act *a, const char *page, struct counts *c)
{
	struct rig_act copy = *a;
	struct feed_event ev = rig_event(r, FEED_EV_HTTP, 0);

	a->a.what = FEED_LOG;
	c->all++;
	if (strstr(copy.url, "/keyset") != NULL) {
		c->pages++;
		snprintf(c->url, sizeof(c->url), "%s", copy.url);
	}
	if (strstr(copy.url, "/book?") == NULL) {
		rig_boot_answer(r, &copy, page);
		return;
	}
	c->books++;
	ev.tag = copy.a.tag;
	ev.code = c->book_code;
	ev.data = "";
	ev.retry_after_s = c->retry_after_s;
	feed_step(r->f, &ev);
}

static void
pass(struct rig *r, uint32_t tenths, const char *page, struct counts *c)
{
	for (uint32_t i = 0; i < tenths; i++) {
		struct rig_act *a;

		while ((a = rig_last(r, FEED_GET, -1)) != NULL)
			answer(r, a, page, c);
		rig_clear(r);
		rig_pass(r, 100 * MS);
	}
}

static void
ready_without_the_price_stream(void **state)
{
	struct rig *r = rig_open();
	const struct link *prices;

	(void)state;
	rig_start(r, VENUE_POLYMARKET);
	rig_boot(r, list);
	rig_pass(r, MS);
	rig_step(r, FEED_EV_UP, 0);
	rig_down(r, 1, 1006); /* never up */
	assert_false(feed_is_ready(r->f));
	books(r, 1777428650000);
	assert_true(feed_is_ready(r->f));
	assert_int_equal(feed_state(r->f), LINK_READY);
	prices = feed_link(r->f, 1); /* and it says so itself */
	assert_int_not_equal(prices->state, LINK_READY);
	assert_true(prices->wanted);
	rig_pass(r, 10 * 1000 * MS);
	assert_non_null(rig_last(r, FEED_OPEN, 1)); /* it is tried again */
	rig_close(r);
}

static void
a_cursor_is_sent_percent_encoded(void **state)
{
	static const char page[] =
	    "{\"markets\":[" PAGE_MARKET "],\"next_cursor\":\"a+b/c%&#d= e\"}";
	struct counts c = {.book_code = 404};
	struct rig *r = rig_open();

	(void)state;
	r->cfg.discovery_binaries = true;
	r->cfg.discovery_fetch_limit_paper = 150;
	r->cfg.polymarket_series.n = 0;
	rig_start(r, VENUE_POLYMARKET);
	pass(r, 10, page, &c);
	assert_true(c.pages > 1);
	assert_non_null(
	    strstr(c.url, "&after_cursor=a%2Bb%2Fc%25%26%23d%3D%20e"));
	rig_close(r);
}

/* Lines about failed requests; *last: the newest. */
static size_t
told(const struct rig *r, const struct rig_act **last)
{
	size_t n = 0;

	for (size_t i = 0; i < r->act_n; i++)
		if (r->act[i].a.what == FEED_LOG &&
		    r->act[i].a.log == FEED_LOG_DISCOVERY) {
			*last = &r->act[i];
			n++;
		}
	return n;
}

/* Every question is refused: one line a minute and status, which says how
 * often and about what. */
static void
failures_are_told_once_a_minute(void **state)
{
	struct rig *r = rig_open();
	const struct rig_act *last = NULL;
	size_t lines = 0;
	uint32_t failed = 0;
	int64_t sum = 0;
	bool has_slug = false;

	(void)state;
	rig_start(r, VENUE_POLYMARKET);
	while (r->now_ns < 300 * 1000 * MS) {
		struct rig_act *a;
		size_t n;

		while ((a = rig_last(r, FEED_GET, -1)) != NULL) {
			struct feed_event ev = rig_event(r, FEED_EV_HTTP, 0);
			bool is_clock = strstr(a->url, "/time") != NULL;

			ev.tag = a->a.tag;
			ev.code = is_clock ? 200 : 429;
			ev.reason =
			    is_clock ? REASON_NONE : REASON_HTTP_REFUSED;
			ev.data = "1777514500";
			ev.n = is_clock ? 10 : 0;
			failed += !is_clock;
			a->a.what = FEED_CLOSE;
			feed_step(r->f, &ev);
		}
		n = told(r, &last);
		lines += n;
		if (n > 0) {
			assert_int_equal(n, 1);
			assert_int_equal(last->a.code, 429);
			assert_int_equal(last->a.reason, REASON_HTTP_REFUSED);
			has_slug |= strstr(last->url, "-updown-15m-") != NULL;
			sum += last->a.value;
		}
		rig_clear(r);
		rig_pass(r, 200 * MS);
	}
	assert_true(failed > 20);
	assert_in_range(lines, 4, 6);
	assert_true(sum > (int64_t)lines && sum <= failed);
	assert_true(has_slug);
	rig_close(r);
}

static void
texts_of_a_query(void **state)
{
	char text[16] = "x=";

	(void)state;
	text_add_encoded(text, sizeof(text), "Az09-_.~");
	assert_string_equal(text, "x=Az09-_.~");
	text_add_encoded(text, sizeof(text), "\xc3");
	assert_string_equal(text, "x=Az09-_.~%C3");
}

/* Every market of a page counts, ours or not; the last page is as short as
 * what is left. */
static void
the_limit_counts_what_is_fetched(void **state)
{
	static char page[32768];
	struct counts c = {.book_code = 404};
	struct rig *r = rig_open();
	size_t at = 0;

	(void)state;
	at += (size_t)snprintf(page, sizeof(page), "{\"markets\":[");
	for (int i = 0; i < 60; i++)
		at += (size_t)snprintf(page + at, sizeof(page) - at, "%s%s",
		    i == 0 ? "" : ",", PAGE_MARKET);
	snprintf(page + at, sizeof(page) - at, "],\"next_cursor\":\"N\"}");
	r->cfg.discovery_binaries = true;
	r->cfg.discovery_fetch_limit_paper = 150;
	r->cfg.polymarket_series.n = 0;
	rig_start(r, VENUE_POLYMARKET);
	pass(r, 50, page, &c);
	assert_int_equal(c.pages, 3);
	assert_non_null(strstr(c.url, "limit=30&"));
	rig_close(r);
}

/* A pause that the venue asks for at one place holds at all of them. */
static void
a_throttled_book_holds_everything(void **state)
{
	static const uint16_t codes[] = {418, 425, 429};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct counts c = {.book_code = 404};
		struct rig *r = open_market();

		books(r, 1777428650000);
		pass(r, 10, list, &c);
		c.books = 0;
		c.book_code = codes[i];
		c.retry_after_s = 120;
		while (c.books == 0)
			pass(r, 1, list, &c);
		c = (struct counts){.book_code = 404};
		pass(r, 1150, list, &c);
		assert_int_equal(c.all, 0);
		pass(r, 400, list, &c);
		assert_true(c.books > 0);
		assert_true(c.all > c.books);
		rig_close(r);
	}
}

/* And a pause asked for elsewhere holds the books. */
static void
a_throttled_page_holds_the_books(void **state)
{
	static const uint16_t codes[] = {418, 425, 429};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct counts c = {.book_code = 404};
		struct rig *r = open_market();
		struct feed_event ev;
		struct rig_act *a;

		books(r, 1777428650000);
		rig_clear(r);
		while ((a = rig_last(r, FEED_GET, -1)) == NULL ||
		       strstr(a->url, "/book?") != NULL) {
			if (a != NULL)
				answer(r, a, list, &c);
			rig_pass(r, 100 * MS);
		}
		ev = rig_event(r, FEED_EV_HTTP, 0);
		ev.tag = a->a.tag;
		ev.code = codes[i];
		ev.data = "";
		ev.retry_after_s = 120;
		a->a.what = FEED_LOG;
		feed_step(r->f, &ev);
		c = (struct counts){.book_code = 404};
		while ((a = rig_last(r, FEED_GET, -1)) != NULL)
			answer(r, a, list, &c); /* asked before it */
		c = (struct counts){.book_code = 404};
		pass(r, 1150, list, &c);
		assert_int_equal(c.books, 0);
		pass(r, 400, list, &c);
		assert_true(c.books > 0);
		rig_close(r);
	}
}

/* Books that nobody shows are asked about within the budget. */
static void
books_are_asked_within_the_budget(void **state)
{
	struct counts c = {.book_code = 404};
	struct rig *r = rig_open();

	(void)state;
	r->cfg.discovery_max_per_minute = 10;
	r->cfg.discovery_poll.ns = NS_PER_S;
	rig_start(r, VENUE_POLYMARKET);
	for (int minute = 0; minute < 5; minute++) {
		c.all = 0;
		pass(r, 600, list, &c);
		assert_in_range(c.all, 1, 10);
	}
	rig_close(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ready_without_the_price_stream),
	    cmocka_unit_test(a_cursor_is_sent_percent_encoded),
	    cmocka_unit_test(failures_are_told_once_a_minute),
	    cmocka_unit_test(texts_of_a_query),
	    cmocka_unit_test(the_limit_counts_what_is_fetched),
	    cmocka_unit_test(a_throttled_book_holds_everything),
	    cmocka_unit_test(a_throttled_page_holds_the_books),
	    cmocka_unit_test(books_are_asked_within_the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
