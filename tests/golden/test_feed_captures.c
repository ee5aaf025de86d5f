/* links: feedd libvenue libshm libcore */
/*
 * Recorded Polymarket sessions through the feed core: every recorded hash
 * verifies, every touch agrees, the tokens mirror, and a reader of the ring
 * has the same book.
 */
#define _GNU_SOURCE
#include <time.h>

#include "tests/golden/feed_boot.h"

#include "tests/golden/data.h"

#define CAPS "aligned/updown15m_captures/"

static const char *const caps[] = {"cap_20260427T2134", "cap_20260428T1305",
    "cap_20260428T1352", "cap_20260429T0210",
    "cap_20260429T0312_current_window"};

static uint64_t
expected_n(const char *json, size_t n, const char *cap, const char *key)
{
	char name[96];
	struct json_str of;
	struct json_str v;

	snprintf(name, sizeof(name), "%s.jsonl.gz", cap);
	of = data_member(json, n, name);
	assert_true(of.n > 0);
	v = data_member(of.s, of.n, key);
	return v.n == 0 ? 0 : strtoull(v.s, NULL, 10);
}

static void
add_market(char *out, size_t cap, const char *line, size_t n)
{
	struct json_str outcomes = data_member(line, n, "outcomes");
	struct json_str slug = data_member(line, n, "slug");
	struct json_str cond = data_member(line, n, "condition_id");
	struct json_str tick = data_member(line, n, "tick_size");
	struct json_str item;
	struct json j;
	char tokens[2][100];
	int k = 0;

	json_sub(&j, outcomes.s, outcomes.n);
	json_array(&j);
	while (json_item(&j) && json_raw(&j, &item) && k < 2) {
		struct json_str id = data_member(item.s, item.n, "token_id");
		struct json_str o = data_member(item.s, item.n, "outcome");

		/* The list of the venue says which is which by name. */
		assert_int_equal(memcmp(o.s, k == 0 ? "\"Up" : "\"Do", 3), 0);
		data_string(id, tokens[k++], sizeof(tokens[0]));
	}
	assert_int_equal(k, 2);
	snprintf(out + strlen(out), cap - strlen(out),
	    "%s{\"conditionId\":%.*s,\"slug\":%.*s,"
	    "\"outcomes\":\"[\\\"Up\\\", \\\"Down\\\"]\","
	    "\"resolutionSource\":\"https://data.chain.link/streams/%.3s-usd\","
	    "\"description\":\"This market will resolve to \\\"Up\\\" if the "
	    "price at the end is greater than or equal to the price at the "
	    "beginning. The source is Chainlink.\","
	    "\"clobTokenIds\":\"[\\\"%s\\\", \\\"%s\\\"]\","
	    "\"orderPriceMinTickSize\":%.*s,\"orderMinSize\":5,"
	    "\"negRisk\":false,\"active\":true,\"closed\":false,"
	    "\"acceptingOrders\":true,\"enableOrderBook\":true}",
	    out[strlen(out) - 1] == '[' ? "" : ",", (int)cond.n, cond.s,
	    (int)slug.n, slug.s, slug.s + 1, tokens[0], tokens[1], (int)tick.n,
	    tick.s);
}

/* Markets of a capture as the venue's list would give them. */
static bool
discover(struct rig *r, const char *cap)
{
	static char body[16384];
	char name[128];
	size_t n;
	char *text;
	char *pos;
	char *line;
	size_t len;

	snprintf(name, sizeof(name), CAPS "%s.markets.jsonl", cap);
	text = data_read(name, &n);
	if (text == NULL)
		return false;
	snprintf(body, sizeof(body), "{\"markets\":[");
	for (pos = text; data_line(&pos, &line, &len);)
		add_market(body, sizeof(body), line, len);
	snprintf(body + strlen(body), sizeof(body) - strlen(body), "]}");
	free(text);
	rig_boot(r, body);
	assert_int_equal(feed_instr_n(r->f), 3 + 3);
	return true;
}

static void
play_line(struct rig *r, const char *line, size_t n)
{
	static char payload[1 << 20];
	char source[64];
	struct json_str event;
	size_t len;

	r->now_ns += 1000000;
	data_string(data_member(line, n, "source"), source, sizeof(source));
	len = data_string(
	    data_member(line, n, "payload"), payload, sizeof(payload));
	assert_true(len > 0 && len < sizeof(payload));
	if (strcmp(source, "polymarket_rtds_chainlink") == 0) {
		rig_frame_n(r, 1, payload, len);
		return;
	}
	if (strcmp(source, "polymarket_clob") != 0)
		return;
	event.n = 0;
	if (payload[0] == '{')
		event = data_member(payload, len, "event_type");
	if (payload[0] == '[' || event.n > 0)
		rig_frame_n(r, 0, payload, len);
	else
		rig_http(r, FEED_TAG_BOOK, 200, payload, len);
}

static void
same_books(struct rig *r)
{
	size_t before = r->by_kind[TICK_SNAP_BEGIN];
	uint64_t hash[RIG_READERS];

	for (size_t i = 0; i < r->read.reader_n; i++)
		hash[i] = book_hash(&r->read.reader[i]->book, 1);
	rig_resync(r, RING_FULL);
	assert_int_equal(r->by_kind[TICK_SNAP_BEGIN], before + 3);
	for (size_t i = 0; i < r->read.reader_n; i++)
		assert_int_equal(
		    hash[i], book_hash(&r->read.reader[i]->book, 1));
}

/* cap_20260427T2134 */
static int64_t
time_of(const char *cap)
{
	struct tm tm = {0};

	assert_non_null(strptime(cap, "cap_%Y%m%dT%H%M", &tm));
	return timegm(&tm) * NS_PER_S;
}

static void
play(const char *cap, const char *want, size_t want_n)
{
	struct rig *r = rig_open();
	char name[128];
	size_t n;
	char *text;
	char *pos;
	char *line;
	size_t len;
	const struct feed_stats *s;
	uint64_t cut;

	/* Books of the next windows were recorded, too. */
	r->cfg.updown_subscribe_ahead.ns = 48 * 3600 * NS_PER_S;
	r->wall_ns = time_of(cap);
	rig_start(r, VENUE_POLYMARKET);
	if (!discover(r, cap)) {
		rig_close(r);
		skip();
	}
	rig_pass(r, 1000000);
	rig_step(r, FEED_EV_UP, 0);
	rig_step(r, FEED_EV_UP, 1);
	snprintf(name, sizeof(name), CAPS "%s.jsonl.gz", cap);
	text = data_read(name, &n);
	assert_non_null(text);
	for (pos = text; data_line(&pos, &line, &len);)
		play_line(r, line, len);
	free(text);
	s = feed_stats(r->f);
	cut = expected_n(want, want_n, cap, "price_change_entries") -
	      expected_n(want, want_n, cap, "price_change_hash_ok");
	printf("%s: hash ok %llu bad %llu, touch ok %llu, mirror ok %llu, "
	       "rest = kept %llu, %llu ticks\n",
	    cap, (unsigned long long)s->hash_ok,
	    (unsigned long long)s->hash_bad, (unsigned long long)s->touch_ok,
	    (unsigned long long)s->mirror_ok, (unsigned long long)s->rest_ok,
	    (unsigned long long)s->ticks);
	assert_int_equal(s->hash_ok,
	    expected_n(want, want_n, cap, "ws_book_hash_ok") +
		expected_n(want, want_n, cap, "rest_book_hash_ok") +
		expected_n(want, want_n, cap, "price_change_hash_ok"));
	/* The recorder cut one batch of four messages off: its two tokens
	 * cannot verify. */
	assert_int_equal(s->hash_bad, cut / 4);
	assert_int_equal(
	    s->touch_ok, expected_n(want, want_n, cap, "price_change_bbo_ok"));
	assert_int_equal(s->touch_bad, 0);
	assert_int_equal(s->mirror_bad, 0);
	assert_int_equal(s->malformed, 0);
	assert_int_equal(s->gaps, 0);
	assert_int_equal(feed_link(r->f, 0)->state, LINK_READY);
	same_books(r);
	rig_close(r);
}

static void
every_recorded_hash_verifies(void **state)
{
	size_t n;
	char *want = data_read("expected/updown15m_captures.json", &n);

	(void)state;
	if (want == NULL)
		skip();
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		play(caps[i], want, n);
	free(want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_recorded_hash_verifies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
