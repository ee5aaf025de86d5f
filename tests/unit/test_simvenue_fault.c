/* links: simvenue libvenue libsys libshm libcore */
/*
 * Faults without sockets: rules, chance by seed, and what each does to a
 * text or an answer.
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

#include "simvenue/control.h"
#include "simvenue/fault.h"
#include "tests/unit/contract.h"

#define BOOK                                                               \
	"{\"event_type\":\"book\",\"market\":\"0x1\",\"asset_id\":\"12\"," \
	"\"hash\":\"0123456789012345678901234567890123456789\"}"
#define CHANGE                                                       \
	"{\"event_type\":\"price_change\",\"market\":\"0x1\","       \
	"\"price_changes\":[{\"asset_id\":\"1\",\"price\":\"0.5\"}," \
	"{\"asset_id\":\"2\",\"price\":\"0.5\"}],\"timestamp\":\"1\"}"

static struct fault_set set;
static struct fault_conn conn;
static char *out_buf;
static char *tmp_buf;
static struct sim_out out;
static const struct fault_at at = {
    .venue = VENUE_POLYMARKET, .conn = SIM_CONN_MARKET, .now_ms = 100};

static int
buffers(void **state)
{
	(void)state;
	out_buf = malloc(SIM_OUT_SZ);
	tmp_buf = malloc(SIM_OUT_SZ);
	return out_buf != NULL && tmp_buf != NULL ? 0 : -1;
}

static int
free_buffers(void **state)
{
	(void)state;
	free(out_buf);
	free(tmp_buf);
	return 0;
}

static void
begin(uint64_t seed)
{
	fault_init(&set, seed);
	memset(&conn, 0, sizeof(conn));
}

static void
rule(const char *json)
{
	struct fault_rule r;
	char err[FAULT_ERROR_MAX];
	if (!fault_parse(json, strlen(json), &r, err))
		fail_msg("%s: %s", json, err);
	assert_true(fault_add(&set, &r, 100));
}

static void
say(const char *text)
{
	struct json_str s = {.s = text, .n = (uint32_t)strlen(text)};
	struct fault_tmp tmp = {.buf = tmp_buf, .sz = SIM_OUT_SZ};
	sim_out_init(&out, out_buf);
	(void)fault_strike(&set, &at, &conn);
	fault_message(&set, &at, &conn, s, tmp, &out);
}

static bool
said(unsigned i, const char *text)
{
	size_t n = strlen(text);
	return i < out.msg_n && out.msgs[i].n == n &&
	       memcmp(out.buf + out.msgs[i].at, text, n) == 0;
}

static void
test_rules_refused(void **state)
{
	static const struct {
		const char *json;
		const char *says;
	} cases[] = {
	    {"", "not a JSON object"},
	    {"[]", "not a JSON object"},
	    {"{}", "name is needed"},
	    {"{\"name\":\"nope\"}", "no such fault: 'nope'"},
	    {"{\"name\":7}", "no such fault"},
	    {"{\"name\":\"gap\",\"venue\":\"nasdaq\"}", "no such venue"},
	    {"{\"name\":\"gap\",\"conn\":\"x\"}", "no such connection"},
	    {"{\"name\":\"gap\",\"p\":1.5}", "not from 0 to 1"},
	    {"{\"name\":\"gap\",\"after\":-1}", "not a whole number"},
	    {"{\"name\":\"gap\",\"colour\":1}", "no such key: 'colour'"},
	    {"{\"name\":\"gap\"", "not JSON"},
	    {"{\"name\":\"dns_failure\"}", ".invalid"},
	};
	struct fault_rule r;
	char err[FAULT_ERROR_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (fault_parse(cases[i].json, strlen(cases[i].json), &r, err))
			fail_msg("taken: %s", cases[i].json);
		if (strstr(err, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].json, err);
	}
	begin(1);
	for (int i = 0; i < FAULT_RULES_MAX; i++)
		rule("{\"name\":\"gap\"}");
	assert_false(fault_add(&set, &set.rules[0], 1));
	assert_int_equal(fault_remove(&set, 0), FAULT_RULES_MAX);
}

/* after, count, for_ms, venue and conn each bound a rule. */
static void
test_rules_bound(void **state)
{
	struct fault_at other = at;
	int64_t v;
	(void)state;
	begin(1);
	rule("{\"name\":\"gap\",\"after\":2,\"count\":3,\"value\":9}");
	unsigned hits = 0;
	for (int i = 0; i < 10; i++) {
		bool hit = fault_roll(&set, FAULT_GAP, &at, &v);
		assert_int_equal(hit, i >= 2 && i < 5);
		hits += hit;
	}
	assert_int_equal(hits, 3);
	assert_int_equal(v, 9);
	assert_int_equal(set.fired[FAULT_GAP], 3);
	begin(1);
	rule("{\"name\":\"gap\",\"venue\":\"polymarket\","
	     "\"conn\":\"market\",\"for_ms\":50}");
	other.venue = VENUE_BINANCE;
	assert_false(fault_roll(&set, FAULT_GAP, &other, &v));
	other = at;
	other.conn = SIM_CONN_RTDS;
	assert_false(fault_roll(&set, FAULT_GAP, &other, &v));
	other = at;
	other.now_ms = 149;
	assert_true(fault_roll(&set, FAULT_GAP, &other, &v));
	other.now_ms = 150;
	assert_false(fault_roll(&set, FAULT_GAP, &other, &v));
	fault_expire(&set, 150);
	assert_int_equal(set.n, 0);
}

static uint64_t
pattern(uint64_t seed)
{
	uint64_t bits = 0;
	int64_t v;
	begin(seed);
	rule("{\"name\":\"gap\",\"p\":0.5}");
	for (int i = 0; i < 64; i++)
		bits = bits << 1 | fault_roll(&set, FAULT_GAP, &at, &v);
	return bits;
}

static void
test_same_seed_same_faults(void **state)
{
	uint64_t hits = 0;
	int64_t v;
	(void)state;
	assert_int_equal(pattern(7), pattern(7));
	assert_int_not_equal(pattern(7), pattern(8));
	begin(3);
	rule("{\"name\":\"gap\",\"p\":0.1}");
	for (int i = 0; i < 10000; i++)
		hits += fault_roll(&set, FAULT_GAP, &at, &v);
	assert_in_range(hits, 850, 1150);
}

/* One message each; "" means that none comes. */
static void
test_messages(void **state)
{
	static const struct {
		const char *rule;
		const char *in;
		const char *first;
		unsigned n;
	} cases[] = {
	    {"{\"name\":\"gap\"}", BOOK, "", 0},
	    {"{\"name\":\"gap\"}", "PONG", "PONG", 1},
	    {"{\"name\":\"gap\"}", "{\"result\":null,\"id\":1}",
		"{\"result\":null,\"id\":1}", 1},
	    {"{\"name\":\"silent_socket\"}", BOOK, "", 0},
	    {"{\"name\":\"silent_socket\"}", "PONG", "PONG", 1},
	    {"{\"name\":\"half_open\"}", "PONG", "", 0},
	    {"{\"name\":\"no_pong\"}", "PONG", "", 0},
	    {"{\"name\":\"no_pong\"}", BOOK, BOOK, 1},
	    {"{\"name\":\"rtds_stall\"}", BOOK, BOOK, 1},
	    {"{\"name\":\"rtds_gap\"}", BOOK, BOOK, 1},
	    {"{\"name\":\"server_shutdown\"}", BOOK, BOOK, 1},
	    {"{\"name\":\"duplicate\"}", BOOK, BOOK, 2},
	    {"{\"name\":\"reorder\"}", BOOK, "", 0},
	    {"{\"name\":\"truncated_batch\"}", CHANGE,
		"{\"event_type\":\"price_change\",\"market\":\"0x1\","
		"\"price_changes\":[{\"asset_id\":\"1\",\"price\":\"0.5\"}],"
		"\"timestamp\":\"1\"}",
		1},
	    {"{\"name\":\"truncated_batch\"}", "[{\"a\":1},{\"b\":2}]",
		"[{\"a\":1}]", 1},
	    {"{\"name\":\"truncated_batch\"}", BOOK, BOOK, 1},
	    {"{\"name\":\"truncated_batch\",\"value\":1}", "{\"a\":12}",
		"{\"a\"", 1},
	    {"{\"name\":\"wrong_hash\"}", BOOK,
		"{\"event_type\":\"book\",\"market\":\"0x1\","
		"\"asset_id\":\"12\",\"hash\":"
		"\"0123456789012345678901234567890123456780\"}",
		1},
	    {"{\"name\":\"bad_json\"}", "{\"a\":1}", "{\"a\";1}", 1},
	    {"{\"name\":\"invalid_utf8\"}", "{\"a\":\"bc\"}",
		"{\"a\":\"\xff"
		"c\"}",
		1},
	    {"{\"name\":\"wrong_type\"}", "{\"a\":\"b\",\"c\":\"0.5\"}",
		"{\"a\":\"b\",\"c\":[\"0.5\"]}", 1},
	    {"{\"name\":\"no_snapshot\",\"count\":1}", "[" BOOK "," BOOK "]",
		"[" BOOK "]", 1},
	    {"{\"name\":\"no_snapshot\"}", "[" BOOK "," BOOK "]", "", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(1);
		rule(cases[i].rule);
		say(cases[i].in);
		if (out.msg_n != cases[i].n ||
		    (out.msg_n > 0 && !said(0, cases[i].first)))
			fail_msg("%s of %s: %u messages, the first %.*s",
			    cases[i].rule, cases[i].in, out.msg_n,
			    out.msg_n > 0 ? (int)out.msgs[0].n : 0, out.buf);
	}
}

/* What only a server can do is a word. */
static void
test_words(void **state)
{
	(void)state;
	begin(1);
	rule("{\"name\":\"close_1013\"}");
	say(BOOK);
	assert_true(said(0, BOOK));
	assert_int_equal(out.close_code, 1013);
	begin(1);
	rule("{\"name\":\"disconnect_storm\"}");
	say(BOOK);
	assert_true(out.drop_now);
	begin(1);
	rule("{\"name\":\"slow_pong\",\"value\":40}");
	say("PONG");
	assert_int_equal(out.delay_ms, 40);
	begin(1);
	rule("{\"name\":\"fragmented_frames\",\"value\":3}");
	say(BOOK);
	assert_int_equal(out.part_n, 3);
	begin(1);
	rule("{\"name\":\"overlong_frame\",\"value\":1000,\"count\":1}");
	say(BOOK);
	assert_int_equal(out.msg_n, 2);
	assert_int_equal(out.msgs[1].n, 1000);
}

/* Neighbours change places; value messages in a row are lost. */
static void
test_order(void **state)
{
	(void)state;
	begin(1);
	rule("{\"name\":\"reorder\",\"count\":1}");
	say("{\"a\":1}");
	assert_int_equal(out.msg_n, 0);
	say("{\"a\":2}");
	assert_true(said(0, "{\"a\":2}") && said(1, "{\"a\":1}"));
	begin(1);
	rule("{\"name\":\"gap\",\"value\":3,\"count\":1}");
	for (unsigned i = 0; i < 5; i++) {
		say(BOOK);
		assert_int_equal(out.msg_n, i < 3 ? 0 : 1);
	}
}

/* A fault of a connection holds it until its rule is gone. */
static void
test_connections(void **state)
{
	(void)state;
	begin(1);
	rule("{\"name\":\"silent_socket\",\"after\":1,\"count\":1}");
	say(BOOK);
	assert_int_equal(out.msg_n, 1);
	say(BOOK);
	assert_int_equal(out.msg_n, 0);
	/* Another connection is not struck. */
	struct fault_conn kept = conn;
	memset(&conn, 0, sizeof(conn));
	say(BOOK);
	assert_int_equal(out.msg_n, 1);
	conn = kept;
	say(BOOK);
	assert_int_equal(out.msg_n, 0);
	assert_int_equal(fault_remove(&set, FAULT_SILENT_SOCKET), 1);
	say(BOOK);
	assert_int_equal(out.msg_n, 1);
}

static struct http_text
slice(const char *s)
{
	return (struct http_text){.p = s, .n = strlen(s)};
}

static void
test_late_and_partial(void **state)
{
	char text[1024];
	struct sim_answer a = {.status = 200};
	struct fault_tmp tmp = {.buf = tmp_buf, .sz = SIM_OUT_SZ};
	struct fault_reply f = {.is_lost = false};
	struct sim_request r = {
	    .method = slice("POST"), .path = slice("/orders")};
	(void)state;
	begin(1);
	rule("{\"name\":\"delayed\",\"value\":250}");
	say(BOOK);
	assert_true(said(0, BOOK));
	assert_int_equal(out.delay_ms, 250);
	begin(1);
	rule("{\"name\":\"fill_before_ack\",\"value\":120}");
	rule("{\"name\":\"partial_batch\"}");
	text_init(&a.body, text, sizeof(text));
	text_lit(&a.body, "[{\"orderID\":\"0x1\"},{\"orderID\":\"0x2\"}]");
	fault_answer(&set, &at, &r, &a, tmp, &f);
	(void)text_end(&a.body);
	assert_int_equal(f.delay_ms, 120);
	assert_non_null(
	    strstr(text, "[{\"orderID\":\"0x1\"},{\"success\":true"));
	assert_non_null(strstr(text, "\"orderID\":\"\""));
	assert_null(strstr(text, "0x2"));
	r.path = slice("/book");
	f = (struct fault_reply){.is_lost = false};
	fault_answer(&set, &at, &r, &a, tmp, &f);
	assert_int_equal(f.delay_ms, 0);
}

/* What is refused, lost or in trouble is not carried out, or is. */
static void
test_refusals(void **state)
{
	static const struct {
		const char *rule;
		const char *path;
		bool is_refused;
		bool is_lost;
		unsigned status; /* after both */
	} cases[] = {
	    {"{\"name\":\"http_429\"}", "/order", true, false, 429},
	    {"{\"name\":\"http_425\"}", "/order", true, false, 425},
	    {"{\"name\":\"http_503\"}", "/order", false, false, 503},
	    {"{\"name\":\"http_503\",\"value\":1}", "/order", true, false, 503},
	    {"{\"name\":\"http_500_html\",\"value\":1}", "/order", true, false,
		500},
	    {"{\"name\":\"request_lost\"}", "/order", true, true, 200},
	    {"{\"name\":\"request_lost\",\"path\":\"/order\"}", "/orders", true,
		true, 200},
	    {"{\"name\":\"request_lost\",\"path\":\"/order\"}", "/book", false,
		false, 200},
	    {"{\"name\":\"reply_lost\",\"path\":\"/order\"}", "/order", false,
		true, 200},
	    {"{\"name\":\"reply_lost\",\"path\":\"/order\"}", "/ord", false,
		false, 200},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[512];
		struct sim_answer a = {.status = 200};
		struct fault_tmp tmp = {.buf = tmp_buf, .sz = SIM_OUT_SZ};
		struct fault_reply f = {.is_lost = false};
		struct sim_request r = {
		    .method = slice("POST"), .path = slice(cases[i].path)};
		struct fault_at here = at;
		here.path = r.path;
		begin(1);
		rule(cases[i].rule);
		text_init(&a.body, text, sizeof(text));
		if (fault_refuse(&set, &here, &a, &f) != cases[i].is_refused)
			fail_msg("%s", cases[i].rule);
		fault_answer(&set, &here, &r, &a, tmp, &f);
		assert_int_equal(a.status, cases[i].status);
		assert_int_equal(f.is_lost, cases[i].is_lost);
	}
}

/* Answers to posts have faults of answers; fills come twice. */
static void
test_posts_and_trades(void **state)
{
	static const char post[] =
	    "{\"channel\":\"post\",\"data\":{\"id\":1,\"response\":{"
	    "\"type\":\"action\"}}}";
	static const char fills[] = "{\"channel\":\"userFills\",\"data\":{}}";
	static const char trade[] = "{\"id\":\"1\",\"event_type\":\"trade\"}";
	(void)state;
	begin(1);
	rule("{\"name\":\"fill_before_ack\",\"value\":90,\"path\":"
	     "\"/exchange\"}");
	say(post);
	assert_int_equal(out.delay_ms, 90);
	begin(1);
	rule("{\"name\":\"reply_lost\"}");
	say(post);
	assert_int_equal(out.msg_n, 0);
	say(fills);
	assert_int_equal(out.msg_n, 1);
	begin(1);
	rule("{\"name\":\"duplicate_trade\"}");
	say(fills);
	assert_int_equal(out.msg_n, 2);
	say(trade);
	assert_int_equal(out.msg_n, 2);
	say(BOOK);
	assert_int_equal(out.msg_n, 1);
}

/* Every fault names the traps it is for, or none, by their ids. */
static void
test_traps(void **state)
{
	(void)state;
	for (int f = 1; f < FAULT_N; f++)
		for (const char *p = fault_info((enum fault)f)->traps;
		     *p != '\0'; p += p[4] == ' ' ? 5 : 4)
			assert_true(p[0] == 'T' && p[1] == '-' && p[2] >= '0' &&
				    p[2] <= '9' && p[3] >= '0' && p[3] <= '9');
}

static void
test_answers(void **state)
{
	static const struct {
		const char *rule;
		const char *path;
		unsigned status;
		const char *body;
	} cases[] = {
	    {"{\"name\":\"http_429\"}", "/time", 429, "Too Many"},
	    {"{\"name\":\"http_425\"}", "/time", 425, "restarting"},
	    {"{\"name\":\"http_500_html\"}", "/time", 500, "<html>"},
	    {"{\"name\":\"http_503\"}", "/time", 503, "unavailable"},
	    {"{\"name\":\"gamma_404\"}", "/time", 200, "[1]"},
	    {"{\"name\":\"gamma_404\"}", "/markets/slug/x", 404, "not found"},
	    {"{\"name\":\"gamma_no_tokens\"}", "/markets", 200,
		"\"clobTokenIds\":\"[  ]\""},
	    {"{\"name\":\"stale_rest_book\"}", "/book", 200,
		"\"bids\":[{\"price\":\"0.01\",\"size\":\"1000\"}],"
		"\"asks\":[{\"price\":\"0.99\""},
	};
	static const char body[] = "{\"bids\":[1],\"asks\":[2],"
				   "\"clobTokenIds\":\"[12]\",\"x\":[1]}";
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[512];
		struct sim_answer a = {.status = 200};
		struct fault_tmp tmp = {.buf = tmp_buf, .sz = SIM_OUT_SZ};
		struct fault_reply f = {.is_lost = false};
		struct sim_request r = {
		    .method = slice("GET"), .path = slice(cases[i].path)};
		begin(1);
		rule(cases[i].rule);
		text_init(&a.body, text, sizeof(text));
		text_lit(&a.body, body);
		if (!fault_refuse(&set, &at, &a, &f))
			fault_answer(&set, &at, &r, &a, tmp, &f);
		(void)text_end(&a.body);
		if (a.status != cases[i].status ||
		    strstr(text, cases[i].body) == NULL)
			fail_msg("%s %s: %u %s", cases[i].rule, cases[i].path,
			    a.status, text);
		assert_int_equal(f.extra != NULL, a.status == 429);
	}
}

static void
test_control(void **state)
{
	static const struct {
		const char *method;
		const char *path;
		const char *body;
		unsigned status;
		const char *says;
	} cases[] = {
	    {"POST", "/sim/faults", "{\"name\":\"gap\"}", 200, "{\"rules\":1}"},
	    {"POST", "/sim/faults", "{\"name\":\"x\"}", 400, "no such fault"},
	    {"GET", "/sim/faults", "", 200, "\"name\":\"gap\""},
	    {"GET", "/sim/table", "", 200, "\"name\":\"half_open\""},
	    {"DELETE", "/sim/faults/nope", "", 404, "no such fault"},
	    {"DELETE", "/sim/faults/gap", "", 200, "{\"removed\":1}"},
	    {"DELETE", "/sim/faults", "", 200, "{\"removed\":0}"},
	    {"GET", "/sim/other", "", 404, "no such path"},
	};
	(void)state;
	begin(1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[16384];
		struct sim_answer a = {.status = 0};
		struct sim_request r = {.method = slice(cases[i].method),
		    .path = slice(cases[i].path),
		    .body = cases[i].body,
		    .body_n = strlen(cases[i].body)};
		assert_true(control_is(r.path));
		text_init(&a.body, text, sizeof(text));
		control_faults(&set, &r, 1, &a);
		assert_true(text_end(&a.body) > 0);
		if (a.status != cases[i].status ||
		    strstr(text, cases[i].says) == NULL)
			fail_msg("%s %s: %u %s", cases[i].method, cases[i].path,
			    a.status, text);
	}
}

static void
no_fault(void)
{
	(void)fault_info(0);
}

static void
fault_beyond(void)
{
	int64_t v;
	(void)fault_roll(&set, FAULT_N, &at, &v);
}

static void
test_contracts(void **state)
{
	(void)state;
	begin(1);
	assert_true(contract_fails(no_fault));
	assert_true(contract_fails(fault_beyond));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rules_refused),
	    cmocka_unit_test(test_rules_bound),
	    cmocka_unit_test(test_same_seed_same_faults),
	    cmocka_unit_test(test_messages),
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_connections),
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_late_and_partial),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_posts_and_trades),
	    cmocka_unit_test(test_traps),
	    cmocka_unit_test(test_control),
	    cmocka_unit_test(test_contracts),
	};
	return cmocka_run_group_tests(tests, buffers, free_buffers);
}
