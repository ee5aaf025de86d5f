/* links: simvenue libvenue libsys libshm libcore */
/*
 * What the simulated venues answer beyond what was recorded: pages of Gamma,
 * events with the prices that settle, markets by their condition, several
 * books at once, the top of Binance's book as a stream of its own.
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

#include "libvenue/polybolt.h"
#include "simvenue/capture_io.h"
#include "simvenue/polymarket.h"

#define SHIPPED "simvenue/captures/polymarket_btc_15m.jsonl.gz"

static struct captures shipped;
static void *pm;
static char *out_buf;
static char body[1 << 20];
static int64_t last_ns;

static int
setup(void **state)
{
	char err[CAPTURES_ERROR_MAX];
	(void)state;
	out_buf = malloc(SIM_OUT_SZ);
	pm = calloc(1, sim_polymarket.state_sz);
	captures_init(&shipped);
	if (pm == NULL || out_buf == NULL ||
	    captures_add(&shipped, SHIPPED, err) != 0 ||
	    captures_done(&shipped, err) != 0)
		return -1;
	const struct sim_timeline *t = &shipped.timelines[VENUE_POLYMARKET];
	for (size_t i = 0; i < t->n; i++)
		sim_polymarket.apply(pm, &t->frames[i]);
	last_ns = t->frames[t->n - 1].t_ns;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	captures_free(&shipped);
	free(pm);
	free(out_buf);
	return 0;
}

static struct http_text
slice(const char *s)
{
	return (struct http_text){.p = s, .n = strlen(s)};
}

/* "GET /path?query"; the status, the body in body. */
static unsigned
ask(const char *method, const char *path, const char *query, const char *text)
{
	struct sim_request r = {
	    .method = slice(method),
	    .path = slice(path),
	    .query = slice(query),
	    .body = text,
	    .body_n = strlen(text),
	    .now_ns = last_ns,
	    .markets = shipped.markets,
	    .market_n = shipped.market_n,
	};
	struct sim_answer a = {.status = 500};
	text_init(&a.body, body, sizeof(body));
	sim_polymarket.request(pm, &r, &a);
	(void)text_end(&a.body);
	return a.status;
}

static void
has(const char *what)
{
	struct json j;
	if (strstr(body, what) == NULL)
		fail_msg("no %s in %.600s", what, body);
	json_init(&j, body, strlen(body));
	assert_true(json_skip(&j) && json_end(&j));
}

static void
has_not(const char *what)
{
	if (strstr(body, what) != NULL)
		fail_msg("%s in %.600s", what, body);
}

/* The text behind a key of the last body, up to a quote. */
static const char *
after(const char *key)
{
	static char out[128];
	const char *p = strstr(body, key);
	assert_non_null(p);
	p += strlen(key);
	(void)snprintf(out, sizeof(out), "%.*s", (int)strcspn(p, "\"\\"), p);
	return out;
}

static void
test_pages(void **state)
{
	(void)state;
	assert_int_equal(ask("GET", "/markets/keyset", "limit=1", ""), 200);
	has("\"id\":\"3651433\"");
	has_not("\"id\":\"15555148\"");
	has("\"next_cursor\":\"1\"");
	assert_int_equal(
	    ask("GET", "/markets/keyset", "limit=1&after_cursor=1", ""), 200);
	has("\"id\":\"15555148\"");
	has_not("next_cursor");
	assert_int_equal(ask("GET", "/events/keyset", "", ""), 200);
	has("\"events\":[{\"id\":\"151433\"");
	has_not("next_cursor");
	assert_int_equal(
	    ask("GET", "/markets/keyset", "after_cursor=99", ""), 200);
	assert_string_equal(body, "{\"markets\":[]}");
}

/* The window of the first market opened before the recording; that of the
 * second had not opened at its end: neither price is known then. */
static void
test_events(void **state)
{
	(void)state;
	assert_int_equal(ask("GET", "/events/slug/nothing", "", ""), 404);
	assert_int_equal(
	    ask("GET", "/events/slug/btc-updown-15m-1723160700", "", ""), 200);
	has("\"eventMetadata\":{\"priceToBeat\":61738.6}");
	has_not("finalPrice");
	has("\"startTime\":\"2024-08-08T23:45:00");
	last_ns = INT64_C(1723161600) * NS_PER_S + NS_PER_S;
	struct sim_pm *s = pm;
	s->rtds.source = RTDS_CHAINLINK;
	(void)snprintf(s->rtds.symbol, sizeof(s->rtds.symbol), "btc/usd");
	s->rtds.points_n = 1;
	s->rtds.points[0].venue_ns = INT64_C(1723161599) * NS_PER_S;
	s->rtds.points[0].px.e8 = INT64_C(6170025000000);
	sim_pm_note_prices(s);
	assert_int_equal(
	    ask("GET", "/events/slug/btc-updown-15m-1723160700", "", ""), 200);
	has("\"finalPrice\":61700.25");
	assert_int_equal(
	    ask("GET", "/events/slug/btc-updown-15m-1723161600", "", ""), 200);
	has("\"priceToBeat\":61700.25");
	has_not("finalPrice");
	/* Too old to stand for the second. */
	s->price_n = 0;
	s->rtds.points[0].venue_ns -= 20 * NS_PER_S;
	sim_pm_note_prices(s);
	assert_int_equal(
	    ask("GET", "/events/slug/btc-updown-15m-1723161600", "", ""), 200);
	has_not("priceToBeat\":61700");
}

static void
test_conditions(void **state)
{
	char cond[128];
	char path[200];
	(void)state;
	assert_int_equal(
	    ask("GET", "/markets/slug/btc-updown-15m-1723160700", "", ""), 200);
	(void)snprintf(cond, sizeof(cond), "%s", after("\"conditionId\":\""));
	(void)snprintf(path, sizeof(path), "/clob-markets/%s", cond);
	assert_int_equal(ask("GET", path, "", ""), 200);
	has("\"mts\":0.01");
	has("\"fd\":{\"r\":0.07,\"e\":1,\"to\":true}");
	has("\"o\":\"Up\"");
	(void)snprintf(path, sizeof(path), "/markets/%s", cond);
	assert_int_equal(ask("GET", path, "", ""), 200);
	has("\"accepting_orders\":true");
	has("\"outcome\":\"Down\"");
	assert_int_equal(ask("GET", "/markets/0x12", "", ""), 404);
}

static void
test_books(void **state)
{
	struct sim_pm *s = pm;
	char text[400];
	char a[PM_TOKEN_TEXT_MAX];
	char b[PM_TOKEN_TEXT_MAX];
	(void)state;
	a[pm_token_format(&s->assets[0].token, a)] = '\0';
	b[pm_token_format(&s->assets[1].token, b)] = '\0';
	(void)snprintf(text, sizeof(text),
	    "[{\"token_id\":\"%s\"},{\"token_id\":\"12\"},"
	    "{\"side\":\"BUY\",\"token_id\":\"%s\"}]",
	    a, b);
	assert_int_equal(ask("POST", "/books", "", text), 200);
	has(a);
	has(b);
	assert_int_equal(ask("POST", "/books", "", "[]"), 200);
	assert_string_equal(body, "[]");
	assert_int_equal(ask("POST", "/books", "", "[{\"token_id\":"), 400);
	assert_int_equal(ask("GET", "/books", "", ""), 404);
}

static struct sim_out out;

static void
bolt(void *sub, const char *text)
{
	sim_out_init(&out, out_buf);
	sim_polymarket.receive(pm, sub, text, strlen(text), &out);
	size_t n = out.msg_n > 0 ? out.msgs[out.msg_n - 1].n : 0;
	(void)snprintf(body, sizeof(body), "%.*s", (int)n,
	    n > 0 ? out.buf + out.msgs[out.msg_n - 1].at : "");
}

/* What our own decoder of the newer price socket makes of it. */
static void
test_bolt(void **state)
{
	static struct polybolt_event ev;
	const struct sim_timeline *t = &shipped.timelines[VENUE_POLYMARKET];
	struct polybolt_seqs seqs = {.last = {0}};
	unsigned prices[2] = {1, 1}; /* the snapshots */
	void *sub = calloc(1, sim_polymarket.sub_sz);
	(void)state;
	assert_non_null(sub);
	assert_true(sim_polymarket.open(pm, sub, slice("/ws"), slice("")));
	bolt(sub, "{\"op\":\"subscribe\",\"rid\":\"s\"}");
	has("\"code\":\"auth_required\",\"rid\":\"s\"");
	bolt(sub, "{\"op\":\"auth\",\"auth\":{\"apiKey\":\"a\"}}");
	has("auth_invalid");
	bolt(sub, "{\"op\":\"auth\",\"rid\":\"a1\",\"auth\":{\"apiKey\":"
		  "\"a\",\"secret\":\"b\",\"passphrase\":\"c\"}}");
	assert_string_equal(body, "{\"op\":\"authed\",\"rid\":\"a1\"}");
	bolt(sub, "{\"op\":\"subscribe\",\"subscriptions\":[{\"channel\":"
		  "\"price.crypto.twap\",\"filter\":{\"symbol\":"
		  "\"btcusd\",\"window_seconds\":30}}]}");
	has("bad_filter");
	assert_false(sim_polymarket.is_active(sub));
	bolt(sub, "{\"op\":\"subscribe\",\"subscriptions\":[{\"channel\":"
		  "\"price.crypto.twap\",\"filter\":{\"symbol\":"
		  "\"btcusd\",\"window_seconds\":60}},{\"channel\":"
		  "\"price.crypto\",\"filter\":{\"symbol\":\"btcusd\"}}]}");
	assert_int_equal(out.msg_n, 2);
	has("\"snapshot\":true");
	assert_true(sim_polymarket.is_active(sub));
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(polybolt_decode(&ev, out.buf + out.msgs[i].at,
				     out.msgs[i].n),
		    POLYBOLT_PRICE);
		assert_int_equal(polybolt_missed(&seqs, &ev), 0);
	}
	for (size_t i = 0; i < t->n; i++) {
		if (t->frames[i].kind != SIM_PM_RTDS)
			continue;
		sim_out_init(&out, out_buf);
		sim_polymarket.select(pm, sub, &t->frames[i], &out);
		if (out.msg_n == 0)
			continue;
		assert_int_equal(polybolt_decode(&ev, out.buf, out.msgs[0].n),
		    POLYBOLT_PRICE);
		assert_int_equal(polybolt_missed(&seqs, &ev), 0);
		assert_string_equal(ev.price.symbol, "btcusd");
		assert_in_range(ev.price.points[0].px.e8,
		    INT64_C(6000000000000), INT64_C(6300000000000));
		assert_int_equal(
		    ev.seq, ++prices[ev.channel == POLYBOLT_CRYPTO_TWAP]);
	}
	assert_int_equal(prices[0], 199);
	assert_int_equal(prices[1], 199);
	bolt(sub, "{\"op\":\"ping\"}");
	assert_string_equal(body, "{\"op\":\"pong\"}");
	free(sub);
}

static void
test_partial_depth(void **state)
{
	static const char snap[] = "{\"lastUpdateId\":10,\"bids\":[[\"9.0\","
				   "\"1.0\"],[\"8.0\",\"2.0\"]],"
				   "\"asks\":[[\"11.0\",\"3.0\"]]}";
	static const char diff[] =
	    "{\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":"
	    "\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"U\":11,\"u\":12,"
	    "\"b\":[[\"10.0\",\"4.0\"]],\"a\":[]}}";
	struct sim_frame f = {.kind = SIM_BN_DEPTH,
	    .text = snap,
	    .n = sizeof(snap) - 1,
	    .key = "BTCUSDT"};
	void *bn = calloc(1, sim_binance.state_sz);
	void *sub = calloc(1, sim_binance.sub_sz);
	(void)state;
	assert_true(bn != NULL && sub != NULL);
	assert_true(sim_binance.open(bn, sub, slice("/stream"),
	    slice("streams=btcusdt@depth5@100ms/btcusdt@depth6")));
	sim_binance.apply(bn, &f);
	f.kind = SIM_BN_WS;
	f.text = diff;
	f.n = sizeof(diff) - 1;
	sim_binance.apply(bn, &f);
	sim_out_init(&out, out_buf);
	sim_binance.select(bn, sub, &f, &out);
	assert_int_equal(out.msg_n, 1);
	(void)snprintf(body, sizeof(body), "%.*s", (int)out.msgs[0].n,
	    out.buf + out.msgs[0].at);
	has("{\"stream\":\"btcusdt@depth5@100ms\",\"data\":"
	    "{\"lastUpdateId\":12,\"bids\":[[\"10.00000000\","
	    "\"4.00000000\"],[\"9.00000000\"");
	free(bn);
	free(sub);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bolt),
	    cmocka_unit_test(test_pages),
	    cmocka_unit_test(test_events),
	    cmocka_unit_test(test_conditions),
	    cmocka_unit_test(test_books),
	    cmocka_unit_test(test_partial_depth),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
