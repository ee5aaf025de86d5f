/* links: shmtop libsys libshm libcore */
/*
 * The links pane: a row a connection, on narrow and wide terminals, and what
 * --check makes of a connection that is down.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "shmtop/check.h"
#include "shmtop/json_io.h"
#include "shmtop/pane.h"

/* Far too large for the stack. */
static struct canvas canvas;
static struct snap snap;
static struct check_list found;

static const char *
line(int row)
{
	static char buf[CANVAS_COLS_MAX * 4 + 1];

	canvas_line(&canvas, row, buf);
	return buf;
}

static bool
shows(const char *text)
{
	for (int r = 0; r < canvas.rows; r++)
		if (strstr(line(r), text) != NULL)
			return true;
	return false;
}

static struct snap_link *
add(enum venue v, const char *name, enum link_state st)
{
	struct snap_link *l = &snap.link[snap.link_n++];

	l->venue = (uint8_t)v;
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->field[LF_STATE] = st;
	l->field[LF_SINCE_NS] = (int64_t)snap.now_ns - 5 * NS_PER_S;
	l->field[LF_MSG_NS] = (int64_t)snap.now_ns - 40 * NS_PER_MS;
	return l;
}

static int
fill(void **state)
{
	struct snap_link *l;

	(void)state;
	memset(&snap, 0, sizeof(snap));
	snap.found = true;
	snap.sup_alive = true;
	snap.now_ns = UINT64_C(1000000000000);
	add(VENUE_POLYMARKET, "ws-subscriptions-clob.polymarket.com:443",
	    LINK_READY);
	l = add(VENUE_BINANCE, "stream.binance.com:9443", LINK_READY);
	l->field[LF_MSG_RATE] = 950;
	l->field[LF_RTT_US] = 41000;
	l->field[LF_RTT_EMA_US] = 39000;
	l->field[LF_BAND] = BAND_EXCELLENT;
	l->field[LF_LANE] = 1;
	l->field[LF_RECONNECTS] = 2;
	l->field[LF_ENDS] = 3;
	l->field[LF_END_NS] = (int64_t)snap.now_ns - 60 * NS_PER_S;
	l->field[LF_DUPLICATES] = 777;
	l->field[LF_RESUMED] = 6;
	l->field[LF_SKEW_MS] = -1234;
	l->field[LF_MALFORMED] = 5;
	l->field[LF_BAD_REASON] = REASON_BAD_JSON;
	l = add(VENUE_HYPERLIQUID, "api.hyperliquid.xyz:443", LINK_DOWN);
	l->field[LF_ENDS] = 1;
	l->field[LF_END_REASON] = REASON_CERT_TIME;
	snap.feed[VENUE_HYPERLIQUID].reason[REASON_CERT_TIME] = 1;
	snap.feed[VENUE_BINANCE].reason[REASON_BAD_JSON] = 5;
	snap.feed[VENUE_BINANCE].reason[REASON_SEQ_OLD] = 777;
	return 0;
}

static void
draw(int cols, int rows)
{
	struct pane_view v = {.pane = PANE_LINKS, .tap_ring = -1};

	canvas_init(&canvas, cols, rows, false);
	pane_draw(&canvas, &snap, &v);
}

static void
a_row_a_connection(void **state)
{
	(void)state;
	draw(100, 20);
	assert_true(shows("[links]"));
	assert_non_null(strstr(line(4), "market ws-subscriptions"));
	assert_non_null(strstr(line(5), "stream stream.binance"));
	assert_non_null(strstr(line(4), "ready"));
	assert_non_null(strstr(line(4), "5.0s"));
	assert_non_null(strstr(line(4), "40ms"));
	assert_non_null(strstr(line(5), "0B"));
	assert_non_null(strstr(line(5), "950"));
	assert_non_null(strstr(line(5), "39ms excellent"));
	assert_non_null(strstr(line(5), "ours"));
	assert_non_null(strstr(line(6), "down"));
	assert_non_null(strstr(line(6), "cert_time"));
	assert_true(shows("seq_old 777 bad_json 5"));
	assert_false(shows("RESUM"));
}

static void
wide_shows_all(void **state)
{
	(void)state;
	draw(200, 50);
	assert_non_null(strstr(line(4), "ws-subscriptions-clob.po"));
	assert_non_null(strstr(line(5), "777"));
	assert_non_null(strstr(line(5), "-1234"));
	assert_non_null(strstr(line(5), "bad_json"));
	assert_non_null(strstr(line(5), "41ms"));
	assert_non_null(strstr(line(3), "RESUM"));
}

/* What is under a title is its column, at every width. */
static void
columns_are_under_their_titles(void **state)
{
	static const int cols[] = {60, 80, 90, 109, 110, 140, 200, 240};

	(void)state;
	for (size_t i = 0; i < sizeof(cols) / sizeof(cols[0]); i++) {
		char head[CANVAS_COLS_MAX * 4 + 1];

		draw(cols[i], 20);
		snprintf(head, sizeof(head), "%s", line(3));
		if (strstr(head, "STATE ") != NULL)
			assert_int_equal(strstr(head, "STATE ") - head,
			    strstr(line(4), "ready") - line(4));
		if (strstr(head, "BAND ") != NULL)
			assert_int_equal(strstr(head, "BAND ") - head,
			    strstr(line(5), "excellent") - line(5));
		if (strstr(head, "LAST END") != NULL)
			assert_int_equal(strstr(head, "LAST END") - head,
			    strstr(line(5), "ours") - line(5));
	}
}

static void
few_rows_do_no_harm(void **state)
{
	(void)state;
	for (int rows = 1; rows < 14; rows++)
		draw(80, rows);
	assert_int_equal(pane_conns(&canvas, &snap, 0, 1), 0);
	assert_int_equal(pane_conns(&canvas, &snap, 0, 3), 3);
	assert_int_equal(pane_reasons(&canvas, &snap, 0, 1), 0);
	snap.link_n = 0;
	draw(90, 20);
	assert_int_equal(pane_conns(&canvas, &snap, 0, 10), 1);
}

/* A page that nobody vouches for may hold any numbers. */
static void
any_numbers(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		for (int f = 0; f < LF_N; f++)
			snap.link[i].field[f] = i == 0	 ? INT64_MAX
						: i == 1 ? INT64_MIN
							 : -1;
	draw(240, 30);
	check_snap(&snap, &found);
}

static void
down_is_found(void **state)
{
	(void)state;
	check_snap(&snap, &found);
	assert_int_equal(found.n, 1);
	assert_non_null(strstr(found.text[0], "api.hyperliquid.xyz:443"));
	assert_non_null(strstr(found.text[0], "expired"));
	snap.link[2].field[LF_STATE] = LINK_UP;
	check_snap(&snap, &found);
	assert_int_equal(found.n, 0);
	/* Down, and we meant it. */
	snap.link[2].field[LF_STATE] = LINK_DOWN;
	snap.link[2].field[LF_END_REASON] = 0;
	check_snap(&snap, &found);
	assert_int_equal(found.n, 0);
}

/* A lane that was replaced, or that nobody wants any more. */
static void
the_other_lane_carries_it(void **state)
{
	struct snap_link *l;

	(void)state;
	l = add(VENUE_HYPERLIQUID, "api.hyperliquid.xyz:443", LINK_READY);
	l->field[LF_LANE] = 1;
	check_snap(&snap, &found);
	assert_int_equal(found.n, 0);
	/* Another shard is not the same work. */
	l->field[LF_SHARD] = 1;
	check_snap(&snap, &found);
	assert_int_equal(found.n, 1);
	assert_non_null(strstr(found.text[0], "(stream) is down"));
	/* Nor is another venue, nor a lane that is down as well. */
	l->field[LF_SHARD] = 0;
	l->venue = VENUE_BINANCE;
	check_snap(&snap, &found);
	assert_int_equal(found.n, 1);
	l->venue = VENUE_HYPERLIQUID;
	l->field[LF_STATE] = LINK_CONNECTING;
	check_snap(&snap, &found);
	assert_int_equal(found.n, 1);
}

static void
no_heading_over_nothing(void **state)
{
	(void)state;
	draw(100, 20);
	assert_true(shows("DROPPED, FAILED"));
	for (int v = 0; v < VENUE_N; v++)
		memset(snap.feed[v].reason, 0, sizeof(snap.feed[v].reason));
	draw(100, 20);
	assert_false(shows("DROPPED, FAILED"));
}

/* With --once nothing is shortened. */
static void
whole_rows(void **state)
{
	(void)state;
	snap.link[0].field[LF_SHARD] = 1;
	draw(CANVAS_COLS_MAX, 50);
	assert_non_null(
	    strstr(line(4), "prices ws-subscriptions-clob.polymarket.com:443"));
	assert_non_null(strstr(line(5), "bad_json"));
}

/* The touch of after the look began is new, not 584 years old. */
static void
ages_do_not_wrap(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);
	json_t *root;
	json_t *row;

	(void)state;
	found.n = 0;
	snap.market_n = 1;
	snap.market[0].in.cls = CLASS_UPDOWN;
	snap.market[0].in.strike_px = PX(5);
	snap.market[0].in.strike_source = STRIKE_OFFICIAL;
	snap.market[0].in.outcome = OUTCOME_YES;
	snap.market[0].t.bbo_ns = snap.now_ns + 1000;
	snap.market[0].t.ref_ns = snap.now_ns - 3000000;
	snap.market[0].t.ref_px = PX(7);
	snap.market[0].t.ref_source = REF_TWAP;
	snap.link[0].field[LF_MSG_NS] = (int64_t)snap.now_ns + 1000;
	json_snap(&snap, &found, to);
	fclose(to);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	row = json_array_get(json_object_get(root, "markets"), 0);
	assert_true(json_real_value(json_object_get(row, "age_ms")) == 0.0);
	assert_true(json_real_value(json_object_get(row, "ref_age_ms")) == 3.0);
	assert_int_equal(json_integer_value(json_object_get(row, "ref_e8")), 7);
	assert_true(json_is_null(json_object_get(row, "bid_e8")));
	assert_string_equal(
	    json_string_value(json_object_get(row, "ref_source")), "average");
	assert_string_equal(
	    json_string_value(json_object_get(row, "strike_source")),
	    "official");
	assert_string_equal(
	    json_string_value(json_object_get(row, "outcome")), "yes");
	row = json_array_get(json_object_get(root, "connections"), 0);
	assert_true(
	    json_real_value(json_object_get(row, "last_msg_age_ms")) == 0.0);
	json_decref(root);
	free(text);
}

static void
json_has_every_field(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);
	json_t *root;
	json_t *row;

	(void)state;
	found.n = 0;
	json_snap(&snap, &found, to);
	fclose(to);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	assert_int_equal(
	    json_array_size(json_object_get(root, "connections")), 3);
	row = json_array_get(json_object_get(root, "connections"), 1);
	assert_int_equal(json_object_size(row), LF_N + 7);
	assert_int_equal(
	    json_integer_value(json_object_get(row, "skew_ms")), -1234);
	assert_int_equal(
	    json_integer_value(json_object_get(row, "rtt_ema_us")), 39000);
	assert_true(
	    json_real_value(json_object_get(row, "last_msg_age_ms")) > 39.9 &&
	    json_real_value(json_object_get(row, "last_msg_age_ms")) < 40.1);
	assert_true(
	    json_real_value(json_object_get(row, "last_data_age_ms")) == -1.0);
	json_decref(root);
	free(text);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, fill)
	static const struct CMUnitTest tests[] = {
	    T(a_row_a_connection),
	    T(wide_shows_all),
	    T(columns_are_under_their_titles),
	    T(few_rows_do_no_harm),
	    T(any_numbers),
	    T(down_is_found),
	    T(the_other_lane_carries_it),
	    T(no_heading_over_nothing),
	    T(whole_rows),
	    T(ages_do_not_wrap),
	    T(json_has_every_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
