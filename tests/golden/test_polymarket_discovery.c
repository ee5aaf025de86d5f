/* links: libvenue libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fuzz/decode.h"
#include "tests/golden/data.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FRAMES "tests/golden/frames/"
#define TOKEN_A                                                                \
	"31415926535897932384626433832795028841971693993751058209749445923078" \
	"164062862"
#define TOKEN_B                                                                \
	"27182818284590452353602874713526624977572470936999595749669676277240" \
	"766303535"
#define WINDOW_S 300

static struct gamma_market m;
static struct rtds_event rt;

static char *
own(const char *name, size_t *n)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", FRAMES, name);
	char *text = data_read_path(path, n);

	if (text == NULL)
		fail_msg("no %s: run from the root", path);
	return text;
}

static void
is_token(const struct pm_token *t, const char *want)
{
	char text[PM_TOKEN_TEXT_MAX];

	pm_token_format(t, text);
	assert_string_equal(text, want);
}

static void
an_updown_market(void **state)
{
	size_t n;
	char *text = own("gamma/updown.json", &n);

	(void)state;
	assert_int_equal(gamma_decode(&m, text, n), GAMMA_MARKET);
	assert_true(json_is(m.slug, "btc-updown-15m-1790932500"));
	assert_true(m.is_updown);
	assert_true(m.has_tokens);
	is_token(&m.yes, TOKEN_A);
	is_token(&m.no, TOKEN_B);
	assert_int_equal(m.tick.tok_e8, E8 / 100);
	assert_int_equal(m.min_size.e8, 5 * E8);
	assert_int_equal(m.start_ns, INT64_C(1790932500) * NS_PER_S);
	assert_int_equal(m.end_ns - m.start_ns, 900 * NS_PER_S);
	assert_int_equal(m.listed_ns % NS_PER_S, 328428000);
	assert_int_equal(m.liquidity.e6, INT64_C(20328374700));
	assert_int_equal(m.volume.e6, INT64_C(30335869374));
	assert_true(m.active);
	assert_false(m.closed);
	assert_true(m.accepting_orders);
	assert_true(m.enable_order_book);
	assert_true(m.has_fee);
	assert_true(m.fees_enabled);
	assert_int_equal(m.fee_rate_e8, 7000000);
	assert_int_equal(m.fee_exponent, 1);
	assert_true(m.fee_taker_only);
	assert_int_equal(m.rebate_rate_e8, 20000000);
	assert_true(m.has_outcome_px);
	assert_int_equal(m.yes_px.e8, 50500000);
	assert_true(json_is(m.event.id, "260654"));
	assert_true(json_is(m.event.series_slug, "btc-up-or-down-15m"));
	assert_int_equal(m.neg_risk_id.n, 0);
	free(text);
}

/* Tokens go by name: No comes first here. The window comes from the event. */
static void
names_not_positions(void **state)
{
	size_t n;
	char *text = own("gamma/no_before_yes.json", &n);

	(void)state;
	assert_int_equal(gamma_decode(&m, text, n), GAMMA_MARKET);
	assert_false(m.is_updown);
	is_token(&m.yes, TOKEN_B);
	is_token(&m.no, TOKEN_A);
	assert_true(m.neg_risk);
	assert_int_equal(m.neg_risk_id.n, 32);
	assert_int_equal(m.start_ns, INT64_C(1790932500) * NS_PER_S);
	assert_false(m.has_fee);
	assert_false(m.has_outcome_px);
	assert_int_equal(m.liquidity.e6, 0);
	free(text);
}

static void
pages_and_lists(void **state)
{
	static const struct {
		enum gamma_kind kind;
		enum reason reason;
		bool has_tokens;
	} want[] = {
	    {GAMMA_MARKET, REASON_NONE, true},
	    {GAMMA_MARKET, REASON_NONE, false}, /* hydrating */
	    {GAMMA_REFUSED, REASON_UNSUPPORTED, false},
	    {GAMMA_REFUSED, REASON_BAD_TYPE, false},
	    {GAMMA_MARKET, REASON_NONE, true},
	};
	static const struct {
		const char *name;
		size_t n;
	} files[] = {{"gamma/page.json", 5}, {"gamma/list.json", 3}};

	(void)state;
	for (size_t f = 0; f < LEN(files); f++) {
		struct gamma_answer g;
		size_t n;
		char *text = own(files[f].name, &n);

		gamma_init(&g, text, n);
		for (size_t i = 0; i < files[f].n; i++) {
			assert_int_equal(gamma_next(&g, &m), want[i].kind);
			assert_int_equal(m.reason, want[i].reason);
			assert_int_equal(m.has_tokens, want[i].has_tokens);
		}
		assert_int_equal(gamma_next(&g, &m), GAMMA_END);
		assert_int_equal(gamma_next(&g, &m), GAMMA_END);
		free(text);
	}
}

/* Events hold their markets; one of the three holds none. */
static void
pages_of_events(void **state)
{
	struct gamma_answer g;
	size_t n;
	char *text = own("gamma/events_page.json", &n);

	(void)state;
	gamma_init(&g, text, n);
	for (int i = 0; i < 4; i++)
		assert_int_equal(gamma_next(&g, &m), GAMMA_MARKET);
	assert_int_equal(gamma_next(&g, &m), GAMMA_END);
	free(text);
}

/* The same body that a new_market event of the channel has. */
static void
a_new_market_event(void **state)
{
	char question[128];
	size_t n;
	char *text = own("polymarket/new_market.json", &n);

	(void)state;
	assert_int_equal(gamma_decode(&m, text, n), GAMMA_MARKET);
	is_token(&m.yes, TOKEN_A);
	assert_int_equal(m.tick.tok_e8, E8 / 100);
	assert_int_equal(m.fee_rate_e8, 3000000);
	assert_int_equal(m.rebate_rate_e8, 25000000);
	assert_true(m.question.escaped);
	assert_true(
	    json_unescape(m.question, question, sizeof(question)) != SIZE_MAX);
	assert_string_equal(question, "Will it rain in \"\xc3\x93"
				      "bidos\" on Friday?");
	free(text);
}

#define COND                                                                   \
	"\"conditionId\":"                                                     \
	"\"0x5d1c0a8e7f3b24961827364554637281908fa0b1c2d3e4f5061728394a5b6c7d" \
	"\",\"slug\":\"s\""

static void
refusals(void **state)
{
	static const struct {
		const char *text;
		enum gamma_kind kind;
		enum reason reason;
	} cases[] = {
	    {"", GAMMA_ERR, REASON_BAD_JSON},
	    {"{", GAMMA_ERR, REASON_BAD_JSON},
	    {"7", GAMMA_REFUSED, REASON_BAD_TYPE},
	    {"{}", GAMMA_REFUSED, REASON_MISSING_FIELD},
	    {"{\"slug\":\"s\"}", GAMMA_REFUSED, REASON_MISSING_FIELD},
	    {"{\"conditionId\":\"0x12\"}", GAMMA_REFUSED, REASON_BAD_NUMBER},
	    {"{" COND "}", GAMMA_MARKET, REASON_NONE},
	    {"{" COND ",\"outcomes\":\"\"}", GAMMA_MARKET, REASON_NONE},
	    {"{" COND ",\"outcomes\":\"[\"}", GAMMA_REFUSED, REASON_BAD_JSON},
	    {"{" COND ",\"outcomes\":\"{}\"}", GAMMA_REFUSED, REASON_BAD_TYPE},
	    {"{" COND ",\"outcomes\":[\"Yes\"]}", GAMMA_REFUSED,
		REASON_UNSUPPORTED},
	    {"{" COND ",\"outcomes\":[\"Yes\",\"Yes\"]}", GAMMA_REFUSED,
		REASON_UNSUPPORTED},
	    {"{" COND ",\"outcomes\":[\"Yes\",\"Down\"]}", GAMMA_REFUSED,
		REASON_UNSUPPORTED},
	    {"{" COND ",\"outcomes\":[\"Yes\",\"No\",\"Maybe\"]}",
		GAMMA_REFUSED, REASON_UNSUPPORTED},
	    {"{" COND ",\"outcomes\":[\"Yes\",\"No\"],"
	     "\"clobTokenIds\":[\"1\"]}",
		GAMMA_REFUSED, REASON_UNSUPPORTED},
	    {"{" COND ",\"outcomes\":[\"Yes\",\"No\"],"
	     "\"clobTokenIds\":[\"1\",\"x\"]}",
		GAMMA_REFUSED, REASON_BAD_NUMBER},
	    {"{" COND ",\"endDate\":\"soon\"}", GAMMA_REFUSED,
		REASON_BAD_NUMBER},
	    {"{" COND ",\"active\":\"yes\"}", GAMMA_REFUSED, REASON_BAD_TYPE},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = strlen(cases[i].text);
		char *copy = data_exact(cases[i].text, n);
		enum gamma_kind kind = gamma_decode(&m, copy, n);

		if (kind != cases[i].kind || m.reason != cases[i].reason)
			fail_msg("%s: kind %d %s", cases[i].text, kind,
			    reason_name(m.reason));
		(void)fuzz_gamma(copy, n);
		free(copy);
	}
}

static void
times(void **state)
{
	static const struct {
		const char *text;
		int64_t ns; /* -1: refused */
	} cases[] = {
	    {"1970-01-01T00:00:00Z", 0},
	    {"2026-03-12T09:25:00Z", INT64_C(1773307500000000000)},
	    {"2026-03-11T09:29:01.328428Z", INT64_C(1773221341328428000)},
	    {"2026-03-11T09:29:01.3Z", INT64_C(1773221341300000000)},
	    {"2026-03-11T09:29:01.1234567899Z", INT64_C(1773221341123456789)},
	    {"2026-06-08 00:00:16+00", INT64_C(1780876816000000000)},
	    {"2026-06-08 02:00:16+02:00", INT64_C(1780876816000000000)},
	    {"2026-06-07T19:00:16-05:00", INT64_C(1780876816000000000)},
	    {"2024-02-29", INT64_C(1709164800000000000)},
	    {"2000-02-29T23:59:60Z", INT64_C(951868800000000000)},
	    {"2261-12-31T00:00:00Z", INT64_C(9214560000000000000)},
	    {"2100-02-29", -1},
	    {"2023-02-29", -1},
	    {"2026-13-01", -1},
	    {"2026-00-01", -1},
	    {"2026-04-31", -1},
	    {"2026-01-00", -1},
	    {"1969-12-31", -1},
	    {"2262-01-01", -1},
	    {"2026-1-1", -1},
	    {"2026-01-01T", -1},
	    {"2026-01-01T24:00:00Z", -1},
	    {"2026-01-01T00:60:00Z", -1},
	    {"2026-01-01T00:00:61Z", -1},
	    {"2026-01-01T00:00Z", -1},
	    {"2026-01-01T00:00:00.Z", -1},
	    {"2026-01-01T00:00:00Zx", -1},
	    {"2026-01-01T00:00:00+", -1},
	    {"soon", -1},
	    {"", -1},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = strlen(cases[i].text);
		char *copy = data_exact(cases[i].text, n);
		int64_t ns = -1;

		gamma_parse_time(copy, n, &ns);
		if (ns != cases[i].ns)
			fail_msg("%s: %lld", cases[i].text, (long long)ns);
		free(copy);
	}
}

/* ---- recorded markets ---- */

static void
recorded_files(void **state)
{
	static const struct {
		const char *name;
		const char *kinds; /* M market, H hydrating, R refused */
	} files[] = {
	    {"gamma_market.json", "M"},
	    {"gamma_event.json", "MM"},
	    {"gamma_market_closed_binary_accepting_true.json", "M"},
	    {"gamma_market_closed_zero_zero_legacy.json", "M"},
	    {"gamma_market_sports_market_money_line.json", "R"},
	};
	char path[256];
	size_t n;

	(void)state;
	for (size_t i = 0; i < LEN(files); i++) {
		struct gamma_answer g;
		char got[16];
		size_t k = 0;

		snprintf(
		    path, sizeof(path), "polymarket/gamma/%s", files[i].name);
		char *text = data_read(path, &n);

		if (text == NULL)
			skip();
		gamma_init(&g, text, n);
		for (enum gamma_kind kind;
		     (kind = gamma_next(&g, &m)) != GAMMA_END && k < 15;)
			got[k++] = kind == GAMMA_REFUSED ? 'R'
				   : kind == GAMMA_ERR	 ? '!'
				   : m.has_tokens	 ? 'M'
							 : 'H';
		got[k] = '\0';
		if (strcmp(got, files[i].kinds) != 0)
			fail_msg("%s: %s, %s at %u", path, got,
			    reason_name(m.reason), m.err_off);
		(void)fuzz_gamma(text, n);
		n = data_trim(text, n);
		for (size_t cut = 0; cut < n; cut += 3) {
			enum gamma_kind last = GAMMA_END;

			gamma_init(&g, text, cut);
			for (enum gamma_kind kind;
			     (kind = gamma_next(&g, &m)) != GAMMA_END;)
				last = kind;
			assert_int_equal(last, GAMMA_ERR);
		}
		free(text);
	}
}

/* A day of 5-minute markets: the outer line repeats what matters, so that
 * the two can be compared. */
static void
a_day_of_windows(void **state)
{
	char want[128];
	char got[PM_TOKEN_TEXT_MAX];
	size_t n;
	size_t line_n;
	char *line;
	unsigned markets = 0;
	char *text = data_read(
	    "polymarket/gamma/btc_updown_5m_markets_2026-06-08.jsonl.gz", &n);
	char *pos = text;

	(void)state;
	if (text == NULL)
		skip();
	for (; data_line(&pos, &line, &line_n); markets++) {
		struct json_str raw = data_member(line, line_n, "raw");
		struct json_str ids = data_member(line, line_n, "token_ids");
		struct json_str start = data_member(line, line_n, "start_sec");
		struct json_str prices =
		    data_member(line, line_n, "outcome_prices");

		if (gamma_decode(&m, raw.s, raw.n) != GAMMA_MARKET)
			fail_msg("%s at %u", reason_name(m.reason), m.err_off);
		assert_true(m.is_updown && m.has_tokens && m.closed);
		data_string(
		    data_member(line, line_n, "slug"), want, sizeof(want));
		assert_int_equal(strlen(want), m.slug.n);
		assert_memory_equal(want, m.slug.s, m.slug.n);
		pm_token_format(&m.yes, got);
		assert_memory_equal(got, ids.s + 2, strlen(got));
		assert_int_equal(
		    m.start_ns, strtoll(start.s, NULL, 10) * NS_PER_S);
		assert_int_equal(m.end_ns - m.start_ns, WINDOW_S * NS_PER_S);
		assert_int_equal(m.fee_rate_e8, 7000000);
		assert_true(m.has_outcome_px);
		assert_int_equal(
		    m.yes_px.e8, json_is(prices, "[\"1\",\"0\"]") ? E8 : 0);
	}
	free(text);
	assert_int_equal(markets, 292);
}

/* ---- the price stream ---- */

static char *
price(const char *name, enum rtds_kind kind, enum rtds_source source)
{
	size_t n;
	char *text = own(name, &n);

	if (rtds_decode(&rt, text, n) != kind)
		fail_msg("%s: kind %d %s at %u", name, rt.kind,
		    reason_name(rt.reason), rt.err_off);
	if (kind != RTDS_UNKNOWN)
		assert_int_equal(rt.source, source);
	for (size_t cut = 1; cut < data_trim(text, n); cut++) {
		char *copy = data_exact(text, cut);
		struct rtds_event part;

		assert_int_equal(rtds_decode(&part, copy, cut), RTDS_ERR);
		free(copy);
	}
	return text;
}

static void
prices(void **state)
{
	(void)state;
	free(price("rtds/update.json", RTDS_UPDATE, RTDS_CHAINLINK));
	assert_string_equal(rt.symbol, "btc/usd");
	assert_int_equal(rt.points_n, 1);
	assert_int_equal(rt.points[0].px.e8, INT64_C(7656878000000));
	assert_int_equal(rt.points[0].venue_ns, INT64_C(1790232236) * NS_PER_S);
	assert_int_equal(rt.sent_ns, INT64_C(1790232237679) * NS_PER_MS);
	free(price("rtds/update_plain.json", RTDS_UPDATE, RTDS_SPOT));
	assert_int_equal(rt.points[0].px.e8, INT64_C(6103586000000));
	free(price("rtds/update_twap.json", RTDS_UPDATE, RTDS_TWAP60));
	free(price("rtds/snapshot.json", RTDS_SNAPSHOT, RTDS_CHAINLINK));
	assert_int_equal(rt.points_n, 2);
	assert_int_equal(rt.points[0].px.e8, INT64_C(7657944275333));
	free(price("rtds/unknown.json", RTDS_UNKNOWN, RTDS_SPOT));
	assert_int_equal(rtds_decode(&rt, "PONG", 4), RTDS_EMPTY);
	assert_int_equal(rtds_decode(&rt, "", 0), RTDS_EMPTY);
	assert_int_equal(rtds_decode(&rt, "\n", 1), RTDS_EMPTY);
}

#define UPDATE(fields)                                                      \
	"{\"topic\":\"crypto_prices\",\"type\":\"update\",\"timestamp\":1," \
	"\"payload\":{\"symbol\":\"x\"," fields "}}"

static void
odd_prices(void **state)
{
	static const struct {
		const char *text;
		int64_t e8; /* 0: refused */
		enum reason reason;
	} cases[] = {
	    {UPDATE("\"timestamp\":1,\"value\":5"), 5 * E8, REASON_NONE},
	    {UPDATE("\"timestamp\":1,\"value\":\"5.123456789\""), 512345678,
		REASON_NONE},
	    /* the exact value is off by more than 1 %: not our scale */
	    {UPDATE("\"timestamp\":1,\"value\":5,"
		    "\"full_accuracy_value\":\"500000000\""),
		5 * E8, REASON_NONE},
	    {UPDATE("\"timestamp\":1,\"value\":5,"
		    "\"full_accuracy_value\":\"7000000000000000000\""),
		5 * E8, REASON_NONE},
	    /* a display value that we do not read */
	    {UPDATE("\"timestamp\":1,\"value\":1.2e-05,"
		    "\"full_accuracy_value\":\"0.000012\""),
		1200, REASON_NONE},
	    {UPDATE("\"timestamp\":1,\"value\":1.2e-05"), 0, REASON_BAD_NUMBER},
	    {UPDATE("\"timestamp\":1,\"value\":0"), 0, REASON_BAD_NUMBER},
	    {UPDATE("\"timestamp\":1,\"value\":-5"), 0, REASON_BAD_NUMBER},
	    {UPDATE("\"timestamp\":1,\"value\":\"\""), 0, REASON_MISSING_FIELD},
	    {UPDATE("\"timestamp\":1"), 0, REASON_MISSING_FIELD},
	    {UPDATE("\"value\":5"), 0, REASON_MISSING_FIELD},
	    {UPDATE("\"timestamp\":1,\"value\":{}"), 0, REASON_BAD_TYPE},
	    {UPDATE("\"timestamp\":99999999999999999,\"value\":1"), 0,
		REASON_BAD_NUMBER},
	    {"{\"topic\":\"crypto_prices\",\"type\":\"update\"}", 0,
		REASON_MISSING_FIELD},
	    {"{\"topic\":\"crypto_prices\",\"type\":\"update\","
	     "\"payload\":[]}",
		0, REASON_BAD_TYPE},
	    {"{\"topic\":7}", 0, REASON_BAD_TYPE},
	    {"[1]", 0, REASON_BAD_TYPE},
	    {"{\"topic\":\"crypto_prices\",\"type\":\"update\","
	     "\"timestamp\":99999999999999999,\"payload\":{}}",
		0, REASON_BAD_NUMBER},
	    {"{\"topic\":\"crypto_prices\",\"type\":\"subscribe\","
	     "\"payload\":{}}",
		0, REASON_MISSING_FIELD},
	    {"{\"topic\":\"crypto_prices\",\"type\":\"subscribe\","
	     "\"payload\":{\"data\":[7]}}",
		0, REASON_BAD_TYPE},
	    {"{\"topic\":\"crypto_prices\",\"type\":\"update\","
	     "\"payload\":{\"symbol\":\"abcdefghijklmnopqrstuvwx\"}}",
		0, REASON_OVERLONG},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		enum rtds_kind kind =
		    rtds_decode(&rt, cases[i].text, strlen(cases[i].text));
		enum rtds_kind want = cases[i].e8 == 0 ? RTDS_ERR : RTDS_UPDATE;

		if (kind != want || rt.reason != cases[i].reason ||
		    (cases[i].e8 != 0 && rt.points[0].px.e8 != cases[i].e8))
			fail_msg("%s: kind %d %s", cases[i].text, kind,
			    reason_name(rt.reason));
	}
}

static void
snapshots_have_a_limit(void **state)
{
	static char text[1 << 16];

	(void)state;
	for (unsigned n = RTDS_POINTS_MAX; n <= RTDS_POINTS_MAX + 1; n++) {
		size_t len = (size_t)snprintf(text, sizeof(text),
		    "{\"topic\":\"crypto_prices\",\"type\":\"subscribe\","
		    "\"payload\":{\"data\":[");

		for (unsigned i = 0; i < n; i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    "%s{\"timestamp\":%u,\"value\":1}",
			    i == 0 ? "" : ",", i + 1);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "]}}");
		enum rtds_kind kind = rtds_decode(&rt, text, len);

		assert_int_equal(
		    kind, n == RTDS_POINTS_MAX ? RTDS_SNAPSHOT : RTDS_ERR);
	}
	assert_int_equal(rt.reason, REASON_OVERLONG);
}

static void
recorded_prices(void **state)
{
	static const char *const files[] = {
	    "ws/frames/rtds_crypto_prices_chainlink_update_1.json",
	    "ws/frames/rtds_crypto_prices_chainlink_update_2.json",
	    "ws/frames/rtds_crypto_prices_chainlink_update_3.json",
	    "ws/frames/rtds_crypto_prices_subscribe_1.json",
	    "ws/frames/rtds_crypto_prices_subscribe_2.json",
	    "ws/rtds/rtds_crypto_prices_subscribe.json",
	    "ws/rtds/rtds_crypto_prices_update.json",
	};
	char path[256];
	size_t n;

	(void)state;
	for (size_t i = 0; i < LEN(files); i++) {
		snprintf(path, sizeof(path), "polymarket/%s", files[i]);
		char *text = data_read(path, &n);

		if (text == NULL)
			skip();
		enum rtds_kind kind = rtds_decode(&rt, text, n);

		assert_int_equal(kind, strstr(files[i], "update") != NULL
					   ? RTDS_UPDATE
					   : RTDS_SNAPSHOT);
		assert_true(rt.points[0].px.e8 > 1000 * E8);
		(void)fuzz_rtds(text, n);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_updown_market),
	    cmocka_unit_test(names_not_positions),
	    cmocka_unit_test(pages_and_lists),
	    cmocka_unit_test(pages_of_events),
	    cmocka_unit_test(a_new_market_event),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(times),
	    cmocka_unit_test(recorded_files),
	    cmocka_unit_test(a_day_of_windows),
	    cmocka_unit_test(prices),
	    cmocka_unit_test(odd_prices),
	    cmocka_unit_test(snapshots_have_a_limit),
	    cmocka_unit_test(recorded_prices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
