/* links: libcore */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "libcore/rrs.h"
#include "tests/unit/contract.h"

#define VETO_MAKER     0.35
#define VETO_SATELLITE 0.25

static const char *const words[] = {
#define P(text, where, what) text,
#include "libcore/rrs_words.def"
#undef P
};
#define WORDS_N (sizeof(words) / sizeof(words[0]))

static struct rrs_span
span(const char *s)
{
	return (struct rrs_span){s, s == NULL ? 0 : strlen(s)};
}

static double
score(uint64_t bits)
{
	double w[RRS_N];

	rrs_defaults(w);
	return rrs_score(bits, w);
}

static const struct {
	const char *name;
	const char *question;
	const char *rules;
	const char *source;
	const char *tags;
	const char *uma;
	uint32_t outcomes_n;
	bool neg_risk;
	double lo, hi;
	uint64_t has;
	uint64_t has_not;
} named[] = {
    {"oracle window", "Coin Up or Down - May 3, 9:00AM-9:05AM ET",
	"Resolves to Up if the price at the end of the window is greater than "
	"or equal to the price at its start. The resolution source is the "
	"Chainlink stream COIN/USD at https://data.chain.link/streams/coin-usd",
	"https://data.chain.link/streams/coin-usd", "Crypto", "[]", 2, false,
	0.0, 0.1, 0,
	RRS_BIT(NO_SOURCE) | RRS_BIT(NO_DEADLINE) | RRS_BIT(POLITICAL)},
    {"candle", "Will coin close above 100 on June 2?",
	"This market resolves to Yes if the Binance 1 minute candle of "
	"COIN/USDT at 12:00 ET on June 2, 2026 closes above 100. The "
	"resolution source is Binance.",
	"", "Crypto", "", 2, false, 0.0, 0.1, 0, RRS_BIT(NO_SOURCE)},
    {"vague politics", "Will the minister suffer a major setback?",
	"This market resolves to Yes if the minister is widely considered to "
	"have suffered a significant setback or a similar event, or resigns, "
	"or says so. In the event of ambiguity the committee will decide at "
	"its sole discretion.",
	"", "Politics", "", 2, false, 0.8, 1.0,
	RRS_BIT(HEDGE) | RRS_BIT(UNDEFINED) | RRS_BIT(DISCRETION) |
	    RRS_BIT(POLITICAL) | RRS_BIT(NO_SOURCE) | RRS_BIT(NO_DEADLINE),
	0},
    {"no rules", "Will it happen in May 2026?", "", "", "", "", 2, false, 0.36,
	1.0, RRS_BIT(NO_RULES) | RRS_BIT(NO_SOURCE), 0},
    {"final of a league", "Will the Lions win on May 3?",
	"Resolves to Yes if the Lions win the game of May 3, 2026, 8PM ET. If "
	"the game is cancelled this market resolves 50-50. The resolution "
	"source is https://www.nba.com (NBA).",
	"https://www.nba.com", "Sports", "", 2, false, 0.0, VETO_SATELLITE,
	RRS_BIT(VOID_CLAUSE), RRS_BIT(MANY_SOURCES)},
    {"disputed", "Will coin close above 100 on June 2?",
	"Resolves by the Binance candle of June 2, 2026, 12:00 ET, and by no "
	"other price.",
	"", "Crypto", "[\\\"proposed\\\", \\\"disputed\\\", \\\"proposed\\\"]",
	2, false, 0.6, 1.0, RRS_BIT(DISPUTED) | RRS_BIT(PROPOSED_AGAIN), 0},
    {"group of many", "Will Ann win the primary on June 2, 2026?",
	"Resolves to Yes if Ann wins the primary of June 2, 2026 (ET). The "
	"resolution source is a consensus of credible reporting.",
	"", "Politics, Elections", "", 12, true, VETO_MAKER, 1.0,
	RRS_BIT(NEG_RISK) | RRS_BIT(MANY_OUTCOMES) | RRS_BIT(CONSENSUS), 0},
};

static uint64_t
bits_of(size_t i)
{
	struct rrs_text t = {
	    .question = span(named[i].question),
	    .rules = span(named[i].rules),
	    .source = span(named[i].source),
	    .tags = span(named[i].tags),
	    .uma = span(named[i].uma),
	    .outcomes_n = named[i].outcomes_n,
	    .neg_risk = named[i].neg_risk,
	};

	return rrs_features(&t);
}

static void
explain(const char *name, uint64_t bits)
{
	printf("# %.2f %s:", score(bits), name);
	for (unsigned b = 0; b < RRS_N; b++)
		if ((bits >> b & 1) != 0 && rrs_label(b) != NULL)
			printf(" %s", rrs_label(b));
	printf("\n");
}

static void
named_texts_score_as_people_would(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		uint64_t bits = bits_of(i);

		explain(named[i].name, bits);
		assert_true((bits & RRS_SEEN) != 0);
		assert_int_equal(bits & named[i].has, named[i].has);
		assert_int_equal(bits & named[i].has_not, 0);
		assert_true(score(bits) >= named[i].lo);
		assert_true(score(bits) <= named[i].hi);
	}
}

static void
words_are_sorted_and_each_gives_its_feature(void **state)
{
	(void)state;
	for (size_t i = 1; i < WORDS_N; i++)
		assert_true(strcmp(words[i - 1], words[i]) <= 0);
	for (size_t i = 0; i < WORDS_N; i++)
		for (const char *c = words[i]; *c != '\0'; c++)
			assert_true((*c >= 'a' && *c <= 'z') ||
				    (*c >= '0' && *c <= '9') || *c == ' ' ||
				    (*c == '*' && c[1] == '\0'));
}

static uint64_t
of_rules(const char *rules)
{
	struct rrs_text t = {.rules = span(rules), .outcomes_n = 2};

	return rrs_features(&t);
}

static void
words_match_whole_without_case_and_with_escapes(void **state)
{
	(void)state;
	assert_true(of_rules("UNLESS it rains") & RRS_BIT(EXCEPTION));
	assert_false(of_rules("unlessened") & RRS_BIT(EXCEPTION));
	assert_false(of_rules("nunless") & RRS_BIT(EXCEPTION));
	/* The n of an escaped end of line is not a letter of the word. */
	assert_true(of_rules("rain\\nunless") & RRS_BIT(EXCEPTION));
	assert_true(of_rules("rain\\u2019unless\\\"") & RRS_BIT(EXCEPTION));
	assert_true(of_rules("sole   (discretion)") & RRS_BIT(DISCRETION));
	assert_true(of_rules("sole\\n\\ndiscretion") & RRS_BIT(DISCRETION));
	assert_true(of_rules("discretionary") & RRS_BIT(DISCRETION));
	assert_false(of_rules("rains or equal to, or equal to, or equal to") &
		     RRS_BIT(OR_CLAUSE));
	assert_true(of_rules("a or b or c or d") & RRS_BIT(OR_CLAUSE));
	assert_false(of_rules("a or b or c") & RRS_BIT(OR_CLAUSE));
}

static void
links_to_two_hosts_are_two_sources(void **state)
{
	(void)state;
	assert_false(of_rules("https://a.org/x https://www.a.org/y. Https://"
			      "A.org") &
		     RRS_BIT(MANY_SOURCES));
	assert_true(of_rules("https://a.org and https://b.org") &
		    RRS_BIT(MANY_SOURCES));
}

static void
statuses_of_the_oracle(void **state)
{
	struct rrs_text t = {.outcomes_n = 2};

	(void)state;
	t.uma = span("proposed");
	assert_true(rrs_features(&t) & RRS_BIT(PROPOSED));
	assert_false(rrs_features(&t) & RRS_BIT(PROPOSED_AGAIN));
	t.uma = span("[\"proposed\"] resolved");
	assert_false(rrs_features(&t) & RRS_BIT(PROPOSED));
	t.uma = span("[\"proposed\",\"proposed\"]");
	assert_true(rrs_features(&t) & RRS_BIT(PROPOSED_AGAIN));
	t.uma = span("challenged");
	assert_true(rrs_features(&t) & RRS_BIT(DISPUTED));
}

static void
the_score_saturates_and_ignores_nonsense(void **state)
{
	double w[RRS_N];

	(void)state;
	rrs_defaults(w);
	assert_true(rrs_score(UINT64_MAX, w) == 1.0);
	assert_true(rrs_score(RRS_SEEN, w) == 0.0);
	for (unsigned i = 0; i < RRS_N; i++)
		w[i] = i % 2 ? -1.0 : (double)NAN;
	assert_true(rrs_score(UINT64_MAX, w) == 0.0);
}

static void
unread_rules_are_the_worst(void **state)
{
	(void)state;
	assert_true(score(0) == 1.0);
	assert_true(score(RRS_BIT(HEDGE)) == 1.0);
}

static void
labels_are_there_and_no_bit_twice(void **state)
{
	uint64_t seen = RRS_SEEN;

	(void)state;
#define RRS(name, label, bit, weight, text)             \
	assert_false(seen &RRS_BIT(name));              \
	seen |= RRS_BIT(name);                          \
	assert_true((weight) > 0.0 && (weight) <= 1.0); \
	assert_string_equal(rrs_label(bit), #label);    \
	assert_non_null(rrs_doc(bit));
#include "libcore/rrs.def"
#undef RRS
	assert_null(rrs_label(0));
	assert_null(rrs_label(RRS_N));
	assert_null(rrs_doc(1000));
}

/* Any bytes at all, cut anywhere: bounded and without a read too far. */
static void
any_bytes(void **state)
{
	uint64_t r = 20260608;

	(void)state;
	for (int k = 0; k < 3000; k++) {
		size_t n = (size_t)(r % 200);
		char *p = malloc(n + 1);
		struct rrs_text t = {.outcomes_n = 2};

		for (size_t i = 0; i < n; i++) {
			r = hash_u64(r, i + 1);
			p[i] = (r >> 8) % 3 == 0 ? "\\u/:.w "[(r >> 16) % 7]
						 : (char)(r >> 24);
		}
		t.rules = t.source = t.uma = t.outcome =
		    (struct rrs_span){p, n};
		t.question = t.tags = t.rules;
		assert_true(rrs_features(&t) & RRS_SEEN);
		r = hash_u64(r, n);
		free(p);
	}
}

static void
long_texts_are_cut(void **state)
{
	size_t n = 100 * RRS_TEXT_MAX;
	char *p = malloc(n);
	struct rrs_text t = {.rules = {p, n}, .outcomes_n = 2};

	(void)state;
	memset(p, 'x', n);
	memcpy(p + RRS_TEXT_MAX, " unless ", 8);
	assert_true(rrs_features(&t) & RRS_BIT(LONG_RULES));
	assert_false(rrs_features(&t) & RRS_BIT(EXCEPTION));
	memcpy(p + RRS_TEXT_MAX - 8, " unless ", 8);
	assert_true(rrs_features(&t) & RRS_BIT(EXCEPTION));
	free(p);
}

static void
without_text(void)
{
	rrs_features(NULL);
}

static void
a_missing_text_is_our_fault(void **state)
{
	(void)state;
	assert_true(contract_fails(without_text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(named_texts_score_as_people_would),
	    cmocka_unit_test(words_are_sorted_and_each_gives_its_feature),
	    cmocka_unit_test(words_match_whole_without_case_and_with_escapes),
	    cmocka_unit_test(links_to_two_hosts_are_two_sources),
	    cmocka_unit_test(statuses_of_the_oracle),
	    cmocka_unit_test(the_score_saturates_and_ignores_nonsense),
	    cmocka_unit_test(unread_rules_are_the_worst),
	    cmocka_unit_test(labels_are_there_and_no_bit_twice),
	    cmocka_unit_test(any_bytes),
	    cmocka_unit_test(long_texts_are_cut),
	    cmocka_unit_test(a_missing_text_is_our_fault),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
