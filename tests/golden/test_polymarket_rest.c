/* links: libvenue libcore */
/* The order book's REST answers: values, markets, pages, errors, pages that
 * are no JSON. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fuzz/decode_reference.h"
#include "tests/golden/data.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FRAMES "tests/golden/frames/pm_rest/"
#define TOKEN_A                                                                \
	"31415926535897932384626433832795028841971693993751058209749445923078" \
	"164062862"
#define TOKEN_B                                                                \
	"27182818284590452353602874713526624977572470936999595749669676277240" \
	"766303535"

static struct pm_rest r;
static struct clob_market m;
static struct clob_answer a;
static char *text;

static int
teardown(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

static size_t
own(const char *name)
{
	char path[256];
	size_t n;

	free(text);
	snprintf(path, sizeof(path), "%s%s", FRAMES, name);
	text = data_read_path(path, &n);
	if (text == NULL)
		fail_msg("no %s: run from the root", path);
	(void)fuzz_pm_rest(text, n);
	return n;
}

static void
answer(const char *name, enum pm_rest_call call, enum pm_rest_kind kind)
{
	size_t n = own(name);

	if (pm_rest_decode(&r, call, text, n) != kind)
		fail_msg("%s: kind %d, %s at %u", name, r.kind,
		    reason_name(r.reason), r.err_off);
}

static void
is_token(const struct pm_token *t, const char *want)
{
	char got[PM_TOKEN_TEXT_MAX];

	pm_token_format(t, got);
	assert_string_equal(got, want);
}

/* ---- values ---- */

static void
one_value_answers(void **state)
{
	(void)state;
	answer("ok.json", PM_REST_OK, PM_REST_ANSWER);
	answer("time.json", PM_REST_TIME, PM_REST_ANSWER);
	assert_int_equal(r.time_ns, INT64_C(1790000000) * NS_PER_S);
	answer("version.json", PM_REST_VERSION, PM_REST_ANSWER);
	assert_int_equal(r.version, 2);
	answer("tick_size.json", PM_REST_TICK_SIZE, PM_REST_ANSWER);
	assert_int_equal(r.tick.tok_e8, 250000);
	answer("neg_risk.json", PM_REST_NEG_RISK, PM_REST_ANSWER);
	assert_true(r.neg_risk);
	answer("fee_rate.json", PM_REST_FEE_RATE, PM_REST_ANSWER);
	assert_int_equal(r.base_fee_bps, 1000);
	answer("midpoint.json", PM_REST_MIDPOINT, PM_REST_ANSWER);
	assert_int_equal(r.px.tok_e8, 49550000);
	answer("spread.json", PM_REST_SPREAD, PM_REST_ANSWER);
	assert_int_equal(r.px.tok_e8, 3000000);
	answer("price.json", PM_REST_PRICE, PM_REST_ANSWER);
	assert_int_equal(r.px.tok_e8, 48000000);
	answer("last_trade.json", PM_REST_LAST_TRADE, PM_REST_ANSWER);
	assert_int_equal(r.px.tok_e8, 50000000);
	assert_int_equal(r.side, SIDE_ASK);
	answer("last_trade_never.json", PM_REST_LAST_TRADE, PM_REST_ANSWER);
	assert_int_equal(r.side, 0);
	answer("by_token.json", PM_REST_BY_TOKEN, PM_REST_ANSWER);
	assert_int_equal(r.cond.n, 32);
	answer("geoblock.json", PM_REST_GEOBLOCK, PM_REST_ANSWER);
	assert_true(r.blocked);
	assert_true(json_is(r.place, "US"));
	assert_true(json_is(r.region, "NY"));
}

/* Whatever was asked, the answer may be an error. */
static void
errors_answer_every_call(void **state)
{
	(void)state;
	for (int c = PM_REST_OK; c < PM_REST_CALL_N; c++) {
		enum pm_rest_call call = (enum pm_rest_call)c;

		answer("error.json", call, PM_REST_ERROR);
		assert_true(json_is(
		    r.error, "No orderbook exists for the requested token id"));
		assert_int_equal(r.reason, REASON_NONE);
		answer("error_mode.json", call, PM_REST_ERROR);
		assert_true(json_is(r.code, "post_only_mode"));
		assert_int_equal(r.retry_after_s, 79);
		answer("proxy.html", call, PM_REST_NOT_JSON);
		assert_int_equal(r.reason, REASON_BAD_JSON);
		assert_int_equal(
		    pm_rest_decode(&r, call, "", 0), PM_REST_NOT_JSON);
		assert_int_equal(
		    pm_rest_decode(&r, call, "[]", 2), PM_REST_BAD);
		assert_int_equal(
		    pm_rest_decode(&r, call, "null", 4), PM_REST_BAD);
		assert_int_equal(
		    pm_rest_decode(&r, call, "{}", 2), PM_REST_BAD);
		assert_int_equal(r.reason, REASON_MISSING_FIELD);
	}
}

static void
values_out_of_range(void **state)
{
	static const struct {
		enum pm_rest_call call;
		const char *text;
		enum reason reason; /* REASON_NONE: fine */
	} cases[] = {
	    {PM_REST_OK, "\"NO\"", REASON_BAD_TYPE},
	    {PM_REST_OK, "true", REASON_BAD_TYPE},
	    {PM_REST_TIME, "\"1790000000\"", REASON_NONE},
	    {PM_REST_TIME, "1790000000123", REASON_NONE},
	    {PM_REST_TIME, "-1", REASON_BAD_NUMBER},
	    {PM_REST_TIME, "17900000.5", REASON_BAD_NUMBER},
	    {PM_REST_TIME, "99999999999", REASON_BAD_NUMBER},
	    {PM_REST_TIME, "[1]", REASON_BAD_TYPE},
	    {PM_REST_VERSION, "{\"version\":null}", REASON_MISSING_FIELD},
	    {PM_REST_VERSION, "{\"version\":\"\"}", REASON_MISSING_FIELD},
	    {PM_REST_VERSION, "{\"version\":\"v2\"}", REASON_BAD_NUMBER},
	    {PM_REST_VERSION, "{\"version\":true}", REASON_BAD_TYPE},
	    {PM_REST_VERSION, "{\"version\":9999999999}", REASON_BAD_NUMBER},
	    {PM_REST_TICK_SIZE, "{\"minimum_tick_size\":\"0.001\"}",
		REASON_NONE},
	    {PM_REST_TICK_SIZE, "{\"minimum_tick_size\":1.5}",
		REASON_BAD_NUMBER},
	    {PM_REST_TICK_SIZE, "{\"minimum_tick_size\":-0.01}",
		REASON_BAD_NUMBER},
	    {PM_REST_TICK_SIZE, "{\"minimum_tick_size\":1e-2}",
		REASON_BAD_NUMBER},
	    {PM_REST_NEG_RISK, "{\"neg_risk\":\"true\"}", REASON_BAD_TYPE},
	    {PM_REST_FEE_RATE, "{\"base_fee\":0}", REASON_NONE},
	    {PM_REST_FEE_RATE, "{\"base_fee\":0.5}", REASON_BAD_NUMBER},
	    {PM_REST_MIDPOINT, "{\"mid\":\"1.01\"}", REASON_BAD_NUMBER},
	    {PM_REST_LAST_TRADE, "{\"price\":\"0.5\",\"side\":\"HOLD\"}",
		REASON_BAD_TYPE},
	    {PM_REST_BY_TOKEN, "{\"condition_id\":\"0x12\"}",
		REASON_BAD_NUMBER},
	    {PM_REST_GEOBLOCK, "{\"blocked\":0}", REASON_BAD_TYPE},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = strlen(cases[i].text);
		char *copy = data_exact(cases[i].text, n);
		enum pm_rest_kind kind =
		    pm_rest_decode(&r, cases[i].call, copy, n);

		if (r.reason != cases[i].reason ||
		    (kind == PM_REST_ANSWER) !=
			(cases[i].reason == REASON_NONE))
			fail_msg("%s: kind %d %s", cases[i].text, kind,
			    reason_name(r.reason));
		(void)fuzz_pm_rest(copy, n);
		free(copy);
	}
}

/* ---- history ---- */

static void
histories(void **state)
{
	static const struct {
		const char *text;
		unsigned points;
		enum reason reason;
	} cases[] = {
	    {"{\"history\":[]}", 0, REASON_NONE},
	    {"{\"history\":[{\"t\":1,\"p\":0.5}],\"more\":{}}", 1, REASON_NONE},
	    {"{}", 0, REASON_MISSING_FIELD},
	    {"[]", 0, REASON_BAD_TYPE},
	    {"{\"history\":{}}", 0, REASON_BAD_TYPE},
	    {"{\"history\":[7]}", 0, REASON_BAD_TYPE},
	    {"{\"history\":[{\"t\":1}]}", 0, REASON_MISSING_FIELD},
	    {"{\"history\":[{\"t\":1,\"p\":null}]}", 0, REASON_MISSING_FIELD},
	    {"{\"history\":[{\"t\":1,\"p\":0.5},{\"t\":2,\"p\":1.5}]}", 1,
		REASON_BAD_NUMBER},
	    {"{\"history\":[{\"t\":1,\"p\":0.5}]", 0, REASON_BAD_JSON},
	    {"<html>", 0, REASON_BAD_JSON},
	};
	struct pm_rest_history h;
	struct pm_rest_point p;
	enum reason reason;
	size_t n = own("history.json");

	(void)state;
	pm_rest_history_init(&h, text, n);
	assert_true(pm_rest_history_next(&h, &p, &reason));
	assert_int_equal(p.venue_ns, INT64_C(1790000000) * NS_PER_S);
	assert_int_equal(p.px.tok_e8, 49500000);
	assert_true(pm_rest_history_next(&h, &p, &reason));
	assert_int_equal(p.px.tok_e8, 50500000);
	assert_true(pm_rest_history_next(&h, &p, &reason));
	assert_int_equal(p.px.tok_e8, E8);
	assert_false(pm_rest_history_next(&h, &p, &reason));
	assert_int_equal(reason, REASON_NONE);
	assert_false(pm_rest_history_next(&h, &p, &reason));
	for (size_t i = 0; i < LEN(cases); i++) {
		unsigned points = 0;

		pm_rest_history_init(&h, cases[i].text, strlen(cases[i].text));
		while (pm_rest_history_next(&h, &p, &reason))
			points++;
		if (points != cases[i].points || reason != cases[i].reason)
			fail_msg("%s: %u %s", cases[i].text, points,
			    reason_name(reason));
	}
}

/* ---- markets ---- */

static void
a_terse_market(void **state)
{
	size_t n = own("terse.json");

	(void)state;
	clob_init(&a, text, n);
	assert_int_equal(clob_next(&a, &m), CLOB_MARKET);
	assert_true(m.is_terse);
	assert_true(m.is_updown);
	assert_true(m.has_tokens);
	is_token(&m.yes.id, TOKEN_B); /* Down came first */
	is_token(&m.no.id, TOKEN_A);
	assert_int_equal(m.tick.tok_e8, 1000000);
	assert_int_equal(m.min_size.e8, 5 * E8);
	assert_false(m.neg_risk);
	assert_int_equal(m.maker_base_fee, 1000);
	assert_int_equal(m.taker_base_fee, 1000);
	assert_true(m.has_fee);
	assert_int_equal(m.fee_rate_e8, 7000000);
	assert_int_equal(m.fee_exponent, 1);
	assert_true(m.fee_taker_only);
	assert_true(m.accepting_orders);
	assert_int_equal(m.accepting_ns, INT64_C(1773221275) * NS_PER_S);
	assert_int_equal(m.seconds_delay, 3);
	assert_int_equal(m.game_start_ns, 0);
	assert_true(m.clear_book_on_start);
	assert_false(m.rfq);
	assert_true(m.taker_delayed);
	assert_int_equal(m.order_age_min_s, 4);
	assert_int_equal(m.reward_daily.e6, 12500000);
	assert_int_equal(m.reward_spread.e8, 4500000);
	assert_int_equal(clob_next(&a, &m), CLOB_END);
	assert_true(a.is_last);
}

static void
a_full_market(void **state)
{
	size_t n = own("market.json");

	(void)state;
	clob_init(&a, text, n);
	assert_int_equal(clob_next(&a, &m), CLOB_MARKET);
	assert_false(m.is_terse);
	assert_false(m.is_updown);
	is_token(&m.yes.id, TOKEN_B);
	assert_true(m.yes.winner);
	assert_false(m.no.winner);
	assert_int_equal(m.yes.px.tok_e8, 99950000);
	assert_int_equal(m.no.px.tok_e8, 50000);
	assert_true(json_is(m.slug, "will-it-rain"));
	assert_int_equal(m.question_id.n, 32);
	assert_int_equal(m.neg_risk_id.n, 32);
	assert_true(m.neg_risk);
	assert_true(m.active);
	assert_true(m.closed);
	assert_true(m.accepting_orders);
	assert_true(m.enable_order_book);
	assert_false(m.is_50_50);
	assert_int_equal(m.end_ns, INT64_C(1773273600) * NS_PER_S);
	assert_int_equal(m.tick.tok_e8, 100000);
	assert_int_equal(m.reward_min_size.e8, 50 * E8);
	assert_int_equal(m.reward_spread.e8, 3500000);
	assert_int_equal(m.reward_daily.e6, 31250000);
	assert_false(m.has_fee);
	assert_int_equal(clob_next(&a, &m), CLOB_END);
}

static void
a_page(void **state)
{
	static const struct {
		enum clob_kind kind;
		enum reason reason;
		bool has_tokens;
	} want[] = {
	    {CLOB_MARKET, REASON_NONE, true},
	    {CLOB_MARKET, REASON_NONE, false},
	    {CLOB_REFUSED, REASON_UNSUPPORTED, false},
	    {CLOB_REFUSED, REASON_BAD_TYPE, false},
	    {CLOB_REFUSED, REASON_MISSING_FIELD, false},
	};
	size_t n = own("page.json");

	(void)state;
	clob_init(&a, text, n);
	for (size_t i = 0; i < LEN(want); i++) {
		assert_int_equal(clob_next(&a, &m), want[i].kind);
		assert_int_equal(m.reason, want[i].reason);
		assert_int_equal(m.has_tokens, want[i].has_tokens);
		assert_true(json_is(a.next_cursor, "NTAw"));
		assert_false(a.is_last);
	}
	assert_int_equal(clob_next(&a, &m), CLOB_END);
	n = own("page_last.json");
	clob_init(&a, text, n);
	assert_int_equal(clob_next(&a, &m), CLOB_END);
	assert_true(a.is_last);
}

#define COND                                                                   \
	"\"condition_id\":"                                                    \
	"\"0x5d1c0a8e7f3b24961827364554637281908fa0b1c2d3e4f5061728394a5b6c7d" \
	"\""
#define PAIR(x, y)                                         \
	"\"tokens\":[{\"token_id\":\"7\",\"outcome\":\"" x \
	"\"},{\"token_id\":\"8\",\"outcome\":\"" y "\"}]"

static void
market_refusals(void **state)
{
	static const struct {
		const char *text;
		enum clob_kind kind;
		enum reason reason;
		uint64_t yes; /* 0: no tokens */
	} cases[] = {
	    {"", CLOB_ERR, REASON_BAD_JSON, 0},
	    {"{\"data\":[", CLOB_ERR, REASON_BAD_JSON, 0},
	    {"<html>", CLOB_ERR, REASON_BAD_JSON, 0},
	    {"[]", CLOB_END, REASON_NONE, 0},
	    {"[7]", CLOB_REFUSED, REASON_BAD_TYPE, 0},
	    {"7", CLOB_REFUSED, REASON_BAD_TYPE, 0},
	    {"{}", CLOB_REFUSED, REASON_MISSING_FIELD, 0},
	    {"{\"error\":\"not found\"}", CLOB_NOTICE, REASON_NONE, 0},
	    {"{" COND "}", CLOB_MARKET, REASON_NONE, 0},
	    {"[{" COND "}]", CLOB_MARKET, REASON_NONE, 0},
	    {"{" COND ",\"tokens\":null,\"rewards\":null}", CLOB_MARKET,
		REASON_NONE, 0},
	    {"{" COND "," PAIR("Yes", "No") "}", CLOB_MARKET, REASON_NONE, 7},
	    {"{" COND "," PAIR("No", "Yes") "}", CLOB_MARKET, REASON_NONE, 8},
	    {"{" COND "," PAIR("Down", "Up") "}", CLOB_MARKET, REASON_NONE, 8},
	    {"{" COND "," PAIR("Yes", "Yes") "}", CLOB_REFUSED,
		REASON_UNSUPPORTED, 0},
	    {"{" COND "," PAIR("Yes", "Down") "}", CLOB_REFUSED,
		REASON_UNSUPPORTED, 0},
	    {"{" COND "," PAIR("Over", "Under") "}", CLOB_REFUSED,
		REASON_UNSUPPORTED, 0},
	    {"{" COND ",\"tokens\":[{\"token_id\":\"7\",\"outcome\":\"Yes\"}]}",
		CLOB_REFUSED, REASON_UNSUPPORTED, 0},
	    {"{" COND ",\"tokens\":[{\"outcome\":\"Yes\"},"
	     "{\"outcome\":\"No\"},{\"outcome\":\"No\"}]}",
		CLOB_REFUSED, REASON_UNSUPPORTED, 0},
	    {"{" COND ",\"tokens\":[{\"token_id\":\"x\"}]}", CLOB_REFUSED,
		REASON_BAD_NUMBER, 0},
	    {"{" COND ",\"tokens\":{}}", CLOB_REFUSED, REASON_BAD_TYPE, 0},
	    {"{" COND ",\"minimum_tick_size\":2}", CLOB_REFUSED,
		REASON_BAD_NUMBER, 0},
	    {"{" COND ",\"end_date_iso\":\"soon\"}", CLOB_REFUSED,
		REASON_BAD_NUMBER, 0},
	    {"{" COND ",\"rewards\":{\"rates\":[1]}}", CLOB_REFUSED,
		REASON_BAD_TYPE, 0},
	    {"{" COND ",\"fd\":{\"r\":2}}", CLOB_REFUSED, REASON_BAD_NUMBER, 0},
	    {"{" COND ",\"fd\":{\"r\":0.07,\"e\":17}}", CLOB_REFUSED,
		REASON_BAD_NUMBER, 0},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = strlen(cases[i].text);
		char *copy = data_exact(cases[i].text, n);

		memset(&m, 0, sizeof(m));
		clob_init(&a, copy, n);
		enum clob_kind kind = clob_next(&a, &m);

		if (kind != cases[i].kind || m.reason != cases[i].reason)
			fail_msg("%s: kind %d %s", cases[i].text, kind,
			    reason_name(m.reason));
		assert_int_equal(m.has_tokens, cases[i].yes != 0);
		assert_int_equal(m.yes.id.w[0], cases[i].yes);
		assert_int_equal(clob_next(&a, &m), CLOB_END);
		(void)fuzz_pm_rest(copy, n);
		free(copy);
	}
}

/* T-11 once more: a schedule without a rate is none. */
static void
T_11_a_terse_fee_needs_its_rate(void **state)
{
	static const char *const none[] = {"{" COND "}",
	    "{" COND ",\"fd\":null}", "{" COND ",\"fd\":{}}",
	    "{" COND ",\"fd\":{\"r\":null,\"e\":1}}"};

	(void)state;
	for (size_t i = 0; i < LEN(none); i++) {
		clob_init(&a, none[i], strlen(none[i]));
		assert_int_equal(clob_next(&a, &m), CLOB_MARKET);
		assert_false(m.has_fee);
	}
}

/* ---- recorded ---- */

static size_t
recorded(const char *name)
{
	size_t n;

	free(text);
	text = data_read(name, &n);
	if (text == NULL)
		skip();
	return n;
}

static void
a_recorded_page(void **state)
{
	size_t n =
	    recorded("polymarket/rest/clob_markets_page_first60.json.gz");
	enum clob_kind kind;
	unsigned markets = 0;
	unsigned other_names = 0;
	unsigned decided = 0;

	(void)state;
	clob_init(&a, text, n);
	while ((kind = clob_next(&a, &m)) != CLOB_END) {
		markets++;
		if (kind == CLOB_REFUSED) {
			assert_int_equal(m.reason, REASON_UNSUPPORTED);
			other_names++;
			continue;
		}
		assert_int_equal(kind, CLOB_MARKET);
		assert_true(m.closed);
		assert_int_equal(m.min_size.e8 % E8, 0);
		assert_true(m.tick.tok_e8 > 0);
		assert_true(m.slug.n > 0);
		assert_false(m.yes.winner && m.no.winner);
		/* who won is worth 1 */
		if (m.yes.winner)
			assert_int_equal(m.yes.px.tok_e8, E8);
		if (m.no.winner)
			assert_int_equal(m.no.px.tok_e8, E8);
		decided += m.yes.winner || m.no.winner;
	}
	assert_int_equal(markets, 60);
	assert_true(json_is(a.next_cursor, "MTAw"));
	assert_false(a.is_last);
	assert_int_equal(other_names, 35);
	assert_int_equal(decided, 18);
}

static void
recorded_markets(void **state)
{
	size_t n = recorded("polymarket/rest/clob_market.json");

	(void)state;
	clob_init(&a, text, n);
	assert_int_equal(clob_next(&a, &m), CLOB_MARKET);
	assert_true(m.has_tokens && m.active && m.accepting_orders);
	assert_false(m.closed);
	assert_int_equal(m.tick.tok_e8, 100000);
	assert_int_equal(m.min_size.e8, 5 * E8);
	n = recorded("polymarket/rest/clob_market_closed_accepting_true.json");
	clob_init(&a, text, n);
	assert_int_equal(clob_next(&a, &m), CLOB_MARKET);
	assert_true(m.closed && m.accepting_orders);
	n = recorded(
	    "polymarket/shape_only/clob_fee_rate_response_nonzero.json");
	assert_int_equal(
	    pm_rest_decode(&r, PM_REST_FEE_RATE, text, n), PM_REST_ANSWER);
	assert_int_equal(r.base_fee_bps, 150);
	n = recorded(
	    "polymarket/shape_only/http_order_response_error_500.json");
	assert_int_equal(
	    pm_rest_decode(&r, PM_REST_TIME, text, n), PM_REST_ERROR);
	assert_true(json_is(r.error, "Internal server error"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_value_answers),
	    cmocka_unit_test(errors_answer_every_call),
	    cmocka_unit_test(values_out_of_range),
	    cmocka_unit_test(histories),
	    cmocka_unit_test(a_terse_market),
	    cmocka_unit_test(a_full_market),
	    cmocka_unit_test(a_page),
	    cmocka_unit_test(market_refusals),
	    cmocka_unit_test(T_11_a_terse_fee_needs_its_rate),
	    cmocka_unit_test(a_recorded_page),
	    cmocka_unit_test(recorded_markets),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
