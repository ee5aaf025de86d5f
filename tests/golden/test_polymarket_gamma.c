/* links: libvenue libcore */
/*
 * What discovery says beside tokens and windows: events, generations, fees,
 * rewards, disputes, outcomes, pages.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libshm/instr.h"
#include "tests/fuzz/decode_reference.h"
#include "tests/golden/data.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FRAMES "tests/golden/frames/gamma/"
#define COND \
	"0x5d1c0a8e7f3b24961827364554637281908fa0b1c2d3e4f5061728394a5b6c7d"
#define A                                                                      \
	"31415926535897932384626433832795028841971693993751058209749445923078" \
	"164062862"
#define B                                                                      \
	"27182818284590452353602874713526624977572470936999595749669676277240" \
	"766303535"
/* Position ids: bits 40 to 103 are zero. */
#define P1                                                                     \
	"66357492701247683297569417896195791032805598742740206761946696399900" \
	"0625152"
#define P2                                                                     \
	"66357492701247683297569417896195791032805598742740206761946696399900" \
	"0625153"

static struct gamma_market m;
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
	return n;
}

/* A market of two outcomes with these fields more. */
static enum gamma_kind
with(const char *fields)
{
	size_t cap = 4096;
	char *buf = malloc(cap);
	size_t n = (size_t)snprintf(buf, cap,
	    "{\"conditionId\":\"" COND "\",\"slug\":\"s\",\"outcomes\":"
	    "\"[\\\"Yes\\\",\\\"No\\\"]\"%s%s}",
	    fields[0] != '\0' ? "," : "", fields);

	assert_true(n < cap);
	free(text);
	text = data_exact(buf, n);
	free(buf);
	(void)fuzz_gamma(text, n);
	return gamma_decode(&m, text, n);
}

static void
is_token(const struct pm_token *t, const char *want)
{
	char got[PM_TOKEN_TEXT_MAX];

	pm_token_format(t, got);
	assert_string_equal(got, want);
}

/* ---- events and pages ---- */

static void
an_event_tells_strike_and_final_price(void **state)
{
	struct gamma_answer g;
	size_t n = own("event.json");

	(void)state;
	gamma_init(&g, text, n);
	assert_int_equal(gamma_next(&g, &m), GAMMA_MARKET);
	assert_true(json_is(m.event.id, "260654"));
	assert_true(json_is(m.event.series_slug, "btc-up-or-down-5m"));
	assert_true(m.event.has_strike);
	assert_int_equal(m.event.strike_px.e8, INT64_C(6312354486379));
	assert_true(m.event.has_final);
	assert_int_equal(m.event.final_px.e8, INT64_C(6992103771234));
	assert_true(m.event.closed);
	assert_int_equal(m.event.start_ns, m.start_ns);
	assert_int_equal(m.outcome, GAMMA_WON_NO);
	assert_int_equal(m.closed_ns, INT64_C(1773307570) * NS_PER_S);
	assert_int_equal(m.tags_n, 1);
	assert_true(json_is(m.tags[0], "crypto"));
	assert_int_equal(gamma_next(&g, &m), GAMMA_END);
	assert_int_equal(g.next_cursor.n, 0);
}

/* Cursors are text for the next call; an event's fields stay its own. */
static void
pages_have_a_cursor(void **state)
{
	struct gamma_answer g;
	size_t n = own("events_keyset.json");

	(void)state;
	gamma_init(&g, text, n);
	assert_int_equal(gamma_next(&g, &m), GAMMA_MARKET);
	assert_true(json_is(g.next_cursor, "eyJpZCI6MX0="));
	assert_true(m.neg_risk);
	assert_int_equal(m.neg_risk_id.n, 32);
	assert_true(m.event.neg_risk_augmented);
	assert_false(m.neg_risk_other);
	assert_true(json_is(m.group_title, "A"));
	is_token(&m.yes, B); /* "No" came first */
	is_token(&m.no, A);
	assert_int_equal(m.reward_min_size.e8, 20 * E8);
	assert_int_equal(m.reward_spread.e8, 3500000);
	assert_int_equal(m.reward_daily.e6, 32500000);
	assert_int_equal(m.seconds_delay, 3);
	assert_true(m.clear_book_on_start);
	assert_int_equal(m.liquidity.e6, INT64_C(400500666750));
	assert_int_equal(m.volume_day.e6, INT64_C(129642785175));
	assert_int_equal(m.accepting_ns, INT64_C(1752258940) * NS_PER_S);
	assert_int_equal(m.uma_proposed_n, 2);
	assert_true(m.uma_disputed);
	assert_true(json_is(m.tags[0], "politics"));

	assert_int_equal(gamma_next(&g, &m), GAMMA_MARKET);
	assert_true(m.neg_risk_other);
	assert_true(m.neg_risk);
	assert_int_equal(m.fee, GAMMA_FEE_FREE);
	assert_int_equal(m.tags_n, 2);
	assert_true(json_is(m.tags[1], "other"));
	assert_int_equal(m.uma_proposed_n, 0);
	assert_false(m.uma_disputed);

	assert_int_equal(gamma_next(&g, &m), GAMMA_MARKET);
	assert_true(m.is_updown);
	assert_false(m.neg_risk);
	assert_int_equal(m.neg_risk_id.n, 0);
	assert_false(m.event.neg_risk_augmented);
	assert_int_equal(gamma_next(&g, &m), GAMMA_END);

	n = own("markets_keyset.json");
	gamma_init(&g, text, n);
	assert_int_equal(gamma_next(&g, &m), GAMMA_MARKET);
	assert_int_equal(m.generation, GAMMA_CLASSIC);
	assert_int_equal(g.next_cursor.n, 0);
	assert_int_equal(gamma_next(&g, &m), GAMMA_MARKET);
	assert_int_equal(m.generation, GAMMA_POSITIONS);
	assert_int_equal(gamma_next(&g, &m), GAMMA_END);
}

/* A market after an event in one list has nothing of that event. */
static void
events_do_not_leak(void **state)
{
	static const char list[] =
	    "[{\"id\":\"9\",\"negRisk\":true,\"markets\":[],"
	    "\"tags\":[\"x\"]},"
	    "{\"conditionId\":\"" COND "\",\"slug\":\"s\"},"
	    "{\"id\":\"9\",\"negRisk\":true,\"eventMetadata\":"
	    "{\"priceToBeat\":5},\"markets\":["
	    "{\"conditionId\":\"" COND "\",\"slug\":\"t\"}],"
	    "\"tags\":[\"x\"]},"
	    "{\"conditionId\":\"" COND "\",\"slug\":\"u\"}]";
	struct gamma_answer g;

	(void)state;
	gamma_init(&g, list, sizeof(list) - 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(gamma_next(&g, &m), GAMMA_MARKET);
		assert_int_equal(m.event.has_strike, i == 1);
		assert_int_equal(m.neg_risk, i == 1);
		assert_int_equal(m.tags_n, i == 1);
		assert_int_equal(m.event.id.n, i == 1);
	}
	assert_int_equal(gamma_next(&g, &m), GAMMA_END);
}

static void
metadata(void **state)
{
	static const struct {
		const char *value;
		enum gamma_kind kind;
		bool has;
		int64_t e8;
	} cases[] = {
	    {"69893.2514", GAMMA_MARKET, true, INT64_C(6989325140000)},
	    {"\"69893.2514\"", GAMMA_MARKET, true, INT64_C(6989325140000)},
	    {"0.123456789999", GAMMA_MARKET, true, 12345678},
	    {"null", GAMMA_MARKET, false, 0},
	    {"\"\"", GAMMA_MARKET, false, 0},
	    {"-5", GAMMA_REFUSED, false, 0},
	    {"1.2e5", GAMMA_REFUSED, false, 0},
	    {"true", GAMMA_REFUSED, false, 0},
	    {"\"soon\"", GAMMA_REFUSED, false, 0},
	};
	char buf[256];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		snprintf(buf, sizeof(buf),
		    "\"events\":[{\"id\":\"1\",\"eventMetadata\":"
		    "{\"priceToBeat\":%s,\"league\":7}}]",
		    cases[i].value);
		if (with(buf) != cases[i].kind)
			fail_msg("%s: %s", buf, reason_name(m.reason));
		assert_int_equal(m.event.has_strike, cases[i].has);
		assert_int_equal(m.event.strike_px.e8, cases[i].e8);
	}
	/* around a market the same is refused the same way */
	static const char around[] =
	    "{\"eventMetadata\":{\"priceToBeat\":-5},\"markets\":["
	    "{\"conditionId\":\"" COND "\",\"slug\":\"t\"}]}";
	struct gamma_answer g;

	gamma_init(&g, around, sizeof(around) - 1);
	assert_int_equal(gamma_next(&g, &m), GAMMA_REFUSED);
	assert_int_equal(m.reason, REASON_BAD_NUMBER);
	assert_int_equal(gamma_next(&g, &m), GAMMA_END);
}

/* ---- generations ---- */

#define CLASSIC	  "\"clobTokenIds\":[\"" A "\",\"" B "\"]"
#define POSITIONS "\"positionIds\":[\"" P1 "\",\"" P2 "\"]"

static void
version_says_which_ids(void **state)
{
	static const struct {
		const char *fields;
		enum reason reason;
		const char *yes; /* NULL: hydrating, or refused */
	} cases[] = {
	    {CLASSIC, REASON_NONE, A},
	    {"\"version\":\"v1\"," CLASSIC, REASON_NONE, A},
	    {"\"version\":\"\"," CLASSIC, REASON_NONE, A},
	    {"\"version\":null," CLASSIC "," POSITIONS, REASON_NONE, A},
	    {"\"version\":\"v2\"," CLASSIC "," POSITIONS, REASON_NONE, P1},
	    {POSITIONS ",\"version\":\"v2\"", REASON_NONE, P1},
	    {"\"version\":\"v2\",\"positionIds\":\"[\\\"" P1 "\\\",\\\"" P2
	     "\\\"]\"",
		REASON_NONE, P1},
	    {"\"version\":\"v2\",\"assets_ids\":[\"" P1 "\",\"" P2 "\"]",
		REASON_NONE, P1},
	    {"\"version\":\"v2\"," CLASSIC, REASON_NONE, NULL},
	    {POSITIONS, REASON_NONE, NULL},
	    {"\"version\":\"v3\"," CLASSIC, REASON_UNSUPPORTED, NULL},
	    {"\"version\":2," CLASSIC, REASON_BAD_TYPE, NULL},
	    /* ids of the other kind */
	    {"\"version\":\"v2\",\"positionIds\":[\"" A "\",\"" B "\"]",
		REASON_GENERATION, NULL},
	    {"\"version\":\"v2\",\"positionIds\":[\"" P1 "\",\"" B "\"]",
		REASON_GENERATION, NULL},
	    {"\"version\":\"v2\",\"positionIds\":[\"" A "\",\"" P2 "\"]",
		REASON_GENERATION, NULL},
	    {"\"clobTokenIds\":[\"" P1 "\",\"" P2 "\"]", REASON_GENERATION,
		NULL},
	    {"\"clobTokenIds\":[\"" A "\",\"" P2 "\"]", REASON_GENERATION,
		NULL},
	    {"\"assets_ids\":[\"" P1 "\",\"" P2 "\"]", REASON_GENERATION, NULL},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		with(cases[i].fields);
		if (m.reason != cases[i].reason)
			fail_msg(
			    "%s: %s", cases[i].fields, reason_name(m.reason));
		assert_int_equal(m.has_tokens, cases[i].yes != NULL);
		if (cases[i].yes != NULL)
			is_token(&m.yes, cases[i].yes);
	}
	size_t n = own("positions.json");

	assert_int_equal(gamma_decode(&m, text, n), GAMMA_MARKET);
	assert_int_equal(m.generation, GAMMA_POSITIONS);
	assert_int_equal(m.cond.n, 31);
	is_token(&m.yes, P1);
	is_token(&m.no, P2);
}

static void
position_ids_by_their_bits(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 256; bit++) {
		struct pm_token t = {{0}};

		t.w[bit / 64] = UINT64_C(1) << bit % 64;
		assert_int_equal(
		    pm_token_is_position(&t), bit < 40 || bit > 103);
	}
}

/* Numbers that another room takes over. */
static void
numbers_are_those_of_the_instrument_table(void **state)
{
	(void)state;
	assert_int_equal(GAMMA_CLASSIC, TOKEN_CONDITIONAL);
	assert_int_equal(GAMMA_POSITIONS, TOKEN_POSITION);
	assert_int_equal(GAMMA_WON_YES, OUTCOME_YES);
	assert_int_equal(GAMMA_WON_NO, OUTCOME_NO);
	assert_int_equal(GAMMA_WON_NONE, OUTCOME_VOID);
}

/* ---- fees, rewards ---- */

static void
T_11_an_unknown_fee_is_never_zero(void **state)
{
	static const struct {
		const char *fields;
		enum gamma_fee fee;
		int64_t rate_e8;
	} cases[] = {
	    {"", GAMMA_FEE_UNKNOWN, 0},
	    {"\"feesEnabled\":true", GAMMA_FEE_UNKNOWN, 0},
	    {"\"feesEnabled\":null", GAMMA_FEE_UNKNOWN, 0},
	    {"\"feesEnabled\":true,\"feeSchedule\":null", GAMMA_FEE_UNKNOWN, 0},
	    {"\"feesEnabled\":true,\"feeSchedule\":\"\"", GAMMA_FEE_UNKNOWN, 0},
	    {"\"feesEnabled\":true,\"feeSchedule\":{}", GAMMA_FEE_UNKNOWN, 0},
	    {"\"feesEnabled\":true,\"feeSchedule\":{\"exponent\":1}",
		GAMMA_FEE_UNKNOWN, 0},
	    {"\"feesEnabled\":true,\"feeSchedule\":{\"rate\":null}",
		GAMMA_FEE_UNKNOWN, 0},
	    {"\"feesEnabled\":false", GAMMA_FEE_FREE, 0},
	    {"\"feesEnabled\":false,\"feeSchedule\":{\"rate\":0.05}",
		GAMMA_FEE_FREE, 5000000},
	    {"\"feeSchedule\":{\"rate\":0.05,\"exponent\":1}",
		GAMMA_FEE_SCHEDULE, 5000000},
	    {"\"fees_enabled\":true,\"fee_schedule\":{\"rate\":\"0.04\"}",
		GAMMA_FEE_SCHEDULE, 4000000},
	    {"\"feesEnabled\":true,\"feeSchedule\":{\"rate\":0}",
		GAMMA_FEE_SCHEDULE, 0},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		assert_int_equal(with(cases[i].fields), GAMMA_MARKET);
		if (m.fee != cases[i].fee || m.fee_rate_e8 != cases[i].rate_e8)
			fail_msg("%s: %d", cases[i].fields, m.fee);
		assert_true(m.has_fee || m.fee != GAMMA_FEE_SCHEDULE);
	}
	assert_int_equal(GAMMA_FEE_RATE_HIGHEST_E8, 7000000);
}

static void
rewards(void **state)
{
	(void)state;
	assert_int_equal(with("\"rewardsMinSize\":50,\"rewardsMaxSpread\":4.5,"
			      "\"clobRewards\":[{\"rewardsDailyRate\":30},"
			      "{\"rewardsDailyRate\":null},{\"id\":\"1\"},"
			      "{\"rewardsDailyRate\":\"0.25\"}]"),
	    GAMMA_MARKET);
	assert_int_equal(m.reward_min_size.e8, 50 * E8);
	assert_int_equal(m.reward_spread.e8, 4500000);
	assert_int_equal(m.reward_daily.e6, 30250000);
	assert_int_equal(with("\"clobRewards\":[]"), GAMMA_MARKET);
	assert_int_equal(with("\"clobRewards\":[7]"), GAMMA_REFUSED);
	assert_int_equal(with("\"rewardsMaxSpread\":-1"), GAMMA_REFUSED);
	assert_int_equal(with("\"secondsDelay\":1.5"), GAMMA_REFUSED);
}

/* ---- resolution ---- */

static void
outcomes_of_closed_markets(void **state)
{
	static const struct {
		const char *fields;
		enum gamma_outcome outcome;
	} cases[] = {
	    {"\"closed\":true,\"outcomePrices\":\"[\\\"1\\\",\\\"0\\\"]\"",
		GAMMA_WON_YES},
	    {"\"closed\":true,\"outcomePrices\":[\"0\",\"1\"]", GAMMA_WON_NO},
	    {"\"closed\":true,\"outcomePrices\":[\"0.5\",\"0.5\"]",
		GAMMA_WON_NONE},
	    {"\"closed\":true,\"outcomePrices\":[\"1\",\"0\"],"
	     "\"umaResolutionStatus\":\"resolved\"",
		GAMMA_WON_YES},
	    {"\"closed\":true,\"outcomePrices\":[\"1\",\"0\"],"
	     "\"resolutionStatus\":\"resolved\"",
		GAMMA_WON_YES},
	    /* not yet, or no outcome */
	    {"\"closed\":false,\"outcomePrices\":[\"1\",\"0\"]", 0},
	    {"\"outcomePrices\":[\"1\",\"0\"]", 0},
	    {"\"closed\":true", 0},
	    {"\"closed\":true,\"outcomePrices\":[\"0\",\"0\"]", 0},
	    {"\"closed\":true,\"outcomePrices\":[\"1\",\"1\"]", 0},
	    {"\"closed\":true,\"outcomePrices\":[\"0.995\",\"0.005\"]", 0},
	    {"\"closed\":true,\"outcomePrices\":[\"1\"]", 0},
	    {"\"closed\":true,\"outcomePrices\":[\"1\",\"x\"]", 0},
	    {"\"closed\":true,\"outcomePrices\":[\"1\",\"0\"],"
	     "\"umaResolutionStatus\":\"proposed\"",
		0},
	    {"\"closed\":true,\"outcomePrices\":[\"1\",\"0\"],"
	     "\"umaResolutionStatus\":\"disputed\"",
		0},
	    {"\"closed\":true,\"outcomePrices\":[\"1\",\"0\"],"
	     "\"umaResolutionStatus\":\"requested\"",
		0},
	    {"\"closed\":true,\"outcomePrices\":[\"1\",\"0\"],"
	     "\"resolutionStatus\":\"active\"",
		0},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		assert_int_equal(with(cases[i].fields), GAMMA_MARKET);
		if (m.outcome != cases[i].outcome)
			fail_msg("%s: %d", cases[i].fields, m.outcome);
	}
}

static void
disputes(void **state)
{
	static const struct {
		const char *fields;
		uint32_t proposed_n;
		bool disputed;
	} cases[] = {
	    {"", 0, false},
	    {"\"umaResolutionStatuses\":\"[]\"", 0, false},
	    {"\"umaResolutionStatuses\":null", 0, false},
	    {"\"umaResolutionStatuses\":\"[\\\"proposed\\\"]\"", 1, false},
	    {"\"umaResolutionStatuses\":[\"proposed\",\"proposed\"]", 2, false},
	    {"\"umaResolutionStatuses\":"
	     "\"[\\\"proposed\\\",\\\"disputed\\\",\\\"proposed\\\"]\"",
		2, true},
	    {"\"umaResolutionStatus\":\"disputed\"", 0, true},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		assert_int_equal(with(cases[i].fields), GAMMA_MARKET);
		assert_int_equal(m.uma_proposed_n, cases[i].proposed_n);
		assert_int_equal(m.uma_disputed, cases[i].disputed);
	}
}

/* Both orders of both pairs; the price goes with the name too. */
static void
T_13_outcomes_go_by_name(void **state)
{
	static const struct {
		const char *names;
		const char *yes; /* NULL: refused */
		int64_t yes_e8;
		bool is_updown;
	} cases[] = {
	    {"[\\\"Yes\\\", \\\"No\\\"]", A, 30000000, false},
	    {"[\\\"No\\\", \\\"Yes\\\"]", B, 70000000, false},
	    {"[\\\"Up\\\", \\\"Down\\\"]", A, 30000000, true},
	    {"[\\\"Down\\\", \\\"Up\\\"]", B, 70000000, true},
	    {"[\\\"Down\\\", \\\"Yes\\\"]", NULL, 0, false},
	    {"[\\\"Yes\\\", \\\"Yes\\\"]", NULL, 0, false},
	    {"[\\\"Down\\\", \\\"Down\\\"]", NULL, 0, false},
	    {"[\\\"yes\\\", \\\"no\\\"]", NULL, 0, false},
	    {"[\\\"Over\\\", \\\"Under\\\"]", NULL, 0, false},
	    {"[\\\"\\\", \\\"No\\\"]", NULL, 0, false},
	    {"[\\\"Yes\\\", \\\"No\\\", \\\"No\\\"]", NULL, 0, false},
	};
	char buf[1024];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = (size_t)snprintf(buf, sizeof(buf),
		    "{\"clobTokenIds\":\"[\\\"" A "\\\", \\\"" B "\\\"]\","
		    "\"outcomePrices\":\"[\\\"0.3\\\", \\\"0.7\\\"]\","
		    "\"outcomes\":\"%s\",\"conditionId\":\"" COND
		    "\",\"slug\":\"s\"}",
		    cases[i].names);
		enum gamma_kind kind = gamma_decode(&m, buf, n);

		if (cases[i].yes == NULL) {
			assert_int_equal(kind, GAMMA_REFUSED);
			assert_int_equal(m.reason, REASON_UNSUPPORTED);
			assert_false(m.has_tokens);
			continue;
		}
		assert_int_equal(kind, GAMMA_MARKET);
		is_token(&m.yes, cases[i].yes);
		assert_int_equal(m.yes_px.e8, cases[i].yes_e8);
		assert_int_equal(m.is_updown, cases[i].is_updown);
	}
}

/* Finer prices are cut, for what is shown only; what is no number is none. */
static void
prices_of_outcomes(void **state)
{
	static const struct {
		const char *yes;
		int64_t e8; /* -1: not taken */
	} cases[] = {
	    {"0.505", 50500000},
	    {"0.0000004113679809846114", 41},
	    {"1", E8},
	    {"0.123456789x", -1},
	    {"0.12345678.9", -1},
	    {"-0.5", -1},
	    {"1.5", -1},
	    {"", -1},
	};
	char buf[256];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		snprintf(buf, sizeof(buf), "\"outcomePrices\":[\"%s\",\"0\"]",
		    cases[i].yes);
		assert_int_equal(with(buf), GAMMA_MARKET);
		if (m.has_outcome_px != (cases[i].e8 >= 0) ||
		    (m.has_outcome_px && m.yes_px.e8 != cases[i].e8))
			fail_msg("%s: %lld", buf, (long long)m.yes_px.e8);
	}
}

/* "" is the same as null and as nothing, whatever the field. */
static void
empty_texts_are_absent(void **state)
{
	(void)state;
	assert_int_equal(
	    with("\"endDate\":\"\",\"startDate\":\"\",\"active\":\"\","
		 "\"negRisk\":\"\",\"orderMinSize\":\"\","
		 "\"orderPriceMinTickSize\":\"\",\"events\":\"\","
		 "\"tags\":\"\",\"clobRewards\":\"\","
		 "\"negRiskMarketID\":\"\",\"closedTime\":\"\","
		 "\"liquidityNum\":\"\",\"secondsDelay\":\"\","
		 "\"umaResolutionStatuses\":\"\""),
	    GAMMA_MARKET);
	assert_int_equal(m.end_ns, 0);
	assert_int_equal(m.min_size.e8, 0);
	assert_int_equal(m.generation, GAMMA_CLASSIC);
}

/* ---- recorded ---- */

static void
a_day_resolves(void **state)
{
	size_t n;
	size_t line_n;
	char *line;
	unsigned won[GAMMA_OUTCOME_N] = {0};
	char *all = data_read(
	    "polymarket/gamma/btc_updown_5m_markets_2026-06-08.jsonl.gz", &n);
	char *pos = all;

	(void)state;
	if (all == NULL)
		skip();
	while (data_line(&pos, &line, &line_n)) {
		struct json_str raw = data_member(line, line_n, "raw");
		struct json_str want =
		    data_member(line, line_n, "outcome_prices");

		assert_int_equal(gamma_decode(&m, raw.s, raw.n), GAMMA_MARKET);
		assert_int_equal(m.outcome, json_is(want, "[\"1\",\"0\"]")
						? GAMMA_WON_YES
						: GAMMA_WON_NO);
		won[m.outcome]++;
		assert_int_equal(m.generation, GAMMA_CLASSIC);
		assert_int_equal(m.fee, GAMMA_FEE_SCHEDULE);
		assert_int_equal(m.reward_spread.e8, 4500000);
		assert_true(m.closed_ns >= m.end_ns);
		assert_false(m.uma_disputed);
		assert_true(json_is(m.uma_status, "resolved"));
	}
	free(all);
	assert_int_equal(won[GAMMA_WON_YES] + won[GAMMA_WON_NO], 292);
	assert_true(won[GAMMA_WON_YES] > 100);
	assert_true(won[GAMMA_WON_NO] > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_event_tells_strike_and_final_price),
	    cmocka_unit_test(pages_have_a_cursor),
	    cmocka_unit_test(events_do_not_leak),
	    cmocka_unit_test(metadata),
	    cmocka_unit_test(version_says_which_ids),
	    cmocka_unit_test(position_ids_by_their_bits),
	    cmocka_unit_test(numbers_are_those_of_the_instrument_table),
	    cmocka_unit_test(T_11_an_unknown_fee_is_never_zero),
	    cmocka_unit_test(rewards),
	    cmocka_unit_test(outcomes_of_closed_markets),
	    cmocka_unit_test(disputes),
	    cmocka_unit_test(T_13_outcomes_go_by_name),
	    cmocka_unit_test(prices_of_outcomes),
	    cmocka_unit_test(empty_texts_are_absent),
	    cmocka_unit_test(a_day_resolves),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
