/* links: simvenue libvenue libsys libshm libcore */
/*
 * What simvenue makes of capture files: timelines, line formats, bad files.
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
#include <unistd.h>

#include <cmocka.h>

#include "libvenue/hyperliquid.h"
#include "simvenue/capture.h"
#include "simvenue/capture_io.h"
#include "tests/unit/contract.h"

/* ---- timelines ---- */

static void
test_timeline_order_and_segments(void **state)
{
	struct sim_frame f[5] = {
	    {.t_ns = 30, .order = 0},
	    {.t_ns = 10, .order = 1},
	    {.t_ns = 10, .order = 0},
	    {.t_ns = 30 + SIM_GAP_NS + 1, .order = 9},
	    {.t_ns = 30 + SIM_GAP_NS, .order = 2},
	};
	struct sim_timeline t = {.frames = f, .n = 5};
	(void)state;
	assert_true(sim_timeline_build(&t));
	assert_int_equal(f[0].order, 0);
	assert_int_equal(f[1].order, 1);
	assert_int_equal(f[2].t_ns, 30);
	/* A gap of just SIM_GAP_NS joins, one more cuts. */
	assert_int_equal(t.segment_n, 1);
	f[3].t_ns++;
	f[4].t_ns = f[3].t_ns + 5;
	assert_true(sim_timeline_build(&t));
	assert_int_equal(t.segment_n, 2);
	assert_int_equal(t.segments[1].first, 3);
	assert_int_equal(sim_timeline_span_ns(&t, 0), 20);
	assert_int_equal(sim_timeline_span_ns(&t, 1), 5);
	t.n = 0;
	assert_true(sim_timeline_build(&t));
	assert_int_equal(t.segment_n, 0);
}

static void
test_clock(void **state)
{
	struct sim_clock c = {
	    .start_t_ns = 1000, .start_mono_ns = 50, .speed_e3 = 2000};
	(void)state;
	assert_int_equal(sim_clock_now(&c, 50), 1000);
	assert_int_equal(sim_clock_now(&c, 150), 1200);
	assert_int_equal(sim_clock_wait_ns(&c, 150, 1200), 0);
	assert_int_equal(sim_clock_wait_ns(&c, 150, 1400), 100);
	c.speed_e3 = 0;
	assert_int_equal(sim_clock_wait_ns(&c, 150, INT64_MAX), 0);
}

/* ---- lines ---- */

static const struct line_case {
	const char *name;
	const char *line;
	bool ok;
	enum venue venue;
	enum sim_kind kind;
	int64_t t_ns;
	const char *text;
} line_cases[] = {
    {"x", "# comment", true, 0, 0, 0, NULL},
    {"x", "", true, 0, 0, 0, NULL},
    {"x",
	"{\"t_ns\":1723161254206652067,\"venue\":\"polymarket\","
	"\"conn\":\"market\",\"frame\":[{\"a\": 1}]}",
	true, VENUE_POLYMARKET, SIM_PM_WS, 1723161254206652067, "[{\"a\": 1}]"},
    {"x",
	"{\"t_ns\":1723161254206652067,\"venue\":\"binance\","
	"\"conn\":\"depth\",\"symbol\":\"BTCUSDT\",\"frame\":{}}",
	true, VENUE_BINANCE, SIM_BN_DEPTH, 1723161254206652067, "{}"},
    {"x",
	"{\"t_ns\":1723161254206652067,\"venue\":\"binance\","
	"\"conn\":\"ws\",\"frame\":{}}",
	false, 0, 0, 0, NULL},
    {"x",
	"{\"t_ns\":1,\"venue\":\"hyperliquid\",\"conn\":\"ws\","
	"\"frame\":{}}",
	false, 0, 0, 0, NULL},
    {"x", "{\"t_ns\":1723161254206652067,\"venue\":\"hyperliquid\"}", false, 0,
	0, 0, NULL},
    {"x", "{\"t_ns\":1723161254206652067", false, 0, 0, 0, NULL},
    {"x", "1723161254206652067 {\"lastUpdateId\":1}", true, VENUE_BINANCE,
	SIM_BN_DEPTH, 1723161254206652067, "{\"lastUpdateId\":1}"},
    {"x", "1723161254206652067 {\"stream\":\"a\"}", true, VENUE_BINANCE,
	SIM_BN_WS, 1723161254206652067, "{\"stream\":\"a\"}"},
    {"x", "1723161254206652067 nothing", false, 0, 0, 0, NULL},
    {"x", "hello", false, 0, 0, 0, NULL},
    {"x",
	"{\"source\":\"polymarket_clob\",\"recv_wall_ts\":1777428643288,"
	"\"payload\":\"{\\\"bids\\\":[]}\\n\"}",
	true, VENUE_POLYMARKET, SIM_PM_BOOK, 1777428643288000000,
	"{\"bids\":[]}"},
    {"x",
	"{\"source\":\"polymarket_clob\",\"recv_wall_ts\":1777428643288,"
	"\"recv_mono_ns\":1777428643288430000,"
	"\"payload\":\"[{\\\"event_type\\\":\\\"book\\\"}]\"}",
	true, VENUE_POLYMARKET, SIM_PM_WS, 1777428643288430000,
	"[{\"event_type\":\"book\"}]"},
    {"x",
	"{\"source\":\"polymarket_clob\",\"recv_wall_ts\":1777428643288,"
	"\"payload\":\"PONG\"}",
	true, 0, 0, 0, NULL},
    {"x",
	"{\"source\":\"coinbase\",\"recv_wall_ts\":1777428643288,"
	"\"payload\":\"{}\"}",
	true, 0, 0, 0, NULL},
    {"x",
	"{\"source\":\"binance\",\"recv_wall_ts\":1777428643288,"
	"\"payload\":\"{}\"}",
	true, VENUE_BINANCE, SIM_BN_WS, 1777428643288000000, "{}"},
    {"prices.csv", "timestamp,price,size,side,exchange_timestamp", false, 0, 0,
	0, NULL},
};

static void
test_lines(void **state)
{
	struct capture *c = malloc(sizeof(*c));
	(void)state;
	assert_non_null(c);
	for (size_t i = 0; i < sizeof(line_cases) / sizeof(line_cases[0]);
	     i++) {
		const struct line_case *t = &line_cases[i];
		struct capture_item item;
		capture_init(c, t->name);
		bool ok = capture_line(c, t->line, strlen(t->line), &item);
		if (ok != t->ok || (ok && item.venue != t->venue))
			fail_msg("%s: %s", t->line, c->error);
		if (!ok || t->venue == 0)
			continue;
		assert_int_equal(item.frame.kind, t->kind);
		assert_int_equal(item.frame.t_ns, t->t_ns);
		assert_int_equal(item.frame.n, strlen(t->text));
		assert_memory_equal(item.frame.text, t->text, item.frame.n);
	}
	free(c);
}

/* Lines of a CSV, the frames they give joined by newlines. */
static void
hl_lines(const char *name, const char *const *lines, char *out, size_t out_sz)
{
	struct capture_item item;
	struct capture *c = malloc(sizeof(*c));
	assert_non_null(c);
	out[0] = '\0';
	capture_init(c, name);
	for (size_t i = 0; lines[i] != NULL; i++) {
		if (!capture_line(c, lines[i], strlen(lines[i]), &item))
			fail_msg("%s: %s", lines[i], c->error);
		if (item.venue != 0)
			(void)snprintf(out + strlen(out), out_sz - strlen(out),
			    "%.*s\n", (int)item.frame.n, item.frame.text);
	}
	if (capture_end(c, &item))
		(void)snprintf(out + strlen(out), out_sz - strlen(out),
		    "%.*s\n", (int)item.frame.n, item.frame.text);
	free(c);
}

static void
test_hyperliquid_csv(void **state)
{
	static const char *const prices[] = {
	    "timestamp,price,size,side,exchange_timestamp",
	    "1756904112.7999077,111038.0,8.84885,bid,1756904112212",
	    "1756904112.7999077,111039.0,2e-05,ask,1756904112212",
	    "1756904112.9,111037.0,1,bid,1756904112363", NULL};
	static const char *const trades[] = {
	    "timestamp,price,size,side,trade_id,exchange_timestamp",
	    "1756904112.5,111039.0,0.00091,buy,17,1756904102005",
	    "1756904112.5,111038.0,1.0,sell,18,1756904103412",
	    "1756904112.6,111038.0,1.0,sell,19,1756904103413", NULL};
	static const char *const books[] = {
	    "timestamp,sequence,exchange_timestamp,bid_price_0,bid_size_0,"
	    "ask_price_0,ask_size_0,bid_price_1,bid_size_1,ask_price_1,"
	    "ask_size_1",
	    "1756904112.5,7,1756904112212,11.0,1.5,12.0,2.5,10.0,3.5,13.0,"
	    "4.5",
	    NULL};
	char out[4096];
	(void)state;
	hl_lines("prices_BTC_x.csv.gz", prices, out, sizeof(out));
	assert_string_equal(out,
	    "{\"channel\":\"bbo\",\"data\":{\"coin\":\"BTC\",\"time\":"
	    "1756904112212,\"bbo\":[{\"px\":\"111038.0\",\"sz\":\"8.84885\","
	    "\"n\":1},{\"px\":\"111039.0\",\"sz\":\"0.00002\",\"n\":1}]}}\n"
	    "{\"channel\":\"bbo\",\"data\":{\"coin\":\"BTC\",\"time\":"
	    "1756904112363,\"bbo\":[{\"px\":\"111037.0\",\"sz\":\"1\","
	    "\"n\":1},{\"px\":\"111039.0\",\"sz\":\"0.00002\",\"n\":1}]}}\n");
	hl_lines("trades_ETH.csv", trades, out, sizeof(out));
	struct hl_event *ev = malloc(sizeof(*ev));
	char *second = strchr(out, '\n') + 1;
	assert_non_null(ev);
	assert_int_equal(
	    hl_decode(ev, out, (size_t)(second - out - 1)), HL_TRADES);
	assert_int_equal(ev->trades_n, 2);
	assert_int_equal(ev->trades[0].side, SIDE_BID);
	assert_int_equal(ev->trades[1].trade_id, 18);
	assert_int_equal(hl_decode(ev, second, strlen(second) - 1), HL_TRADES);
	assert_int_equal(ev->trades_n, 1);
	hl_lines("orderbooks_BTC.csv.gz", books, out, sizeof(out));
	assert_int_equal(hl_decode(ev, out, strlen(out) - 1), HL_BOOK);
	assert_int_equal(ev->bids_n, 2);
	assert_int_equal(ev->asks[1].qty.e8, 450000000);
	free(ev);
}

/* ---- files ---- */

static void
test_bad_captures(void **state)
{
	struct captures c;
	char err[CAPTURES_ERROR_MAX];
	char path[] = "/tmp/ringmaker-cap-XXXXXX";
	(void)state;
	captures_init(&c);
	assert_int_equal(captures_add(&c, "/nowhere/x.gz", err), -1);
	assert_non_null(strstr(err, "/nowhere/x.gz: No such file"));
	assert_int_equal(captures_done(&c, err), -1);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(captures_add(&c, path, err), -1);
	assert_non_null(strstr(err, "empty"));
	assert_int_equal(write(fd, "good morning\n", 13), 13);
	assert_int_equal(captures_add(&c, path, err), -1);
	assert_non_null(strstr(err, "not a capture format"));
	static const char mixed[] =
	    "1723161254206652067 {\"stream\":\"a@b\",\"data\":{}}\nbroken\n";
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(
	    pwrite(fd, mixed, sizeof(mixed) - 1, 0), sizeof(mixed) - 1);
	assert_int_equal(captures_add(&c, path, err), 0);
	/* the three lines of the two refused files, and this one's second */
	assert_int_equal(c.timelines[VENUE_BINANCE].n, 1);
	assert_non_null(strstr(c.first_bad, ":1: "));
	assert_int_equal(captures_done(&c, err), 0);
	captures_free(&c);
	close(fd);
	unlink(path);
}

static void
no_such_segment(void)
{
	struct sim_timeline t = {.segment_n = 0};
	(void)sim_timeline_start_ns(&t, 0);
}

static void
clock_before_start(void)
{
	struct sim_clock c = {.start_mono_ns = 10, .speed_e3 = 1};
	(void)sim_clock_now(&c, 9);
}

static void
test_contracts(void **state)
{
	(void)state;
	assert_true(contract_fails(no_such_segment));
	assert_true(contract_fails(clock_before_start));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_timeline_order_and_segments),
	    cmocka_unit_test(test_clock),
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_hyperliquid_csv),
	    cmocka_unit_test(test_bad_captures),
	    cmocka_unit_test(test_contracts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
