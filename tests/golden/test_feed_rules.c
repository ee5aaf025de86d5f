/* links: feedd libvenue libshm libcore */
/*
 * On what an up/down market settles, by its own words: known patterns, and
 * that what is none of them is not traded. The recorded ones: RM_DATA.
 */
#define _GNU_SOURCE
#include "feedd/pm_rules.h"
#include "tests/golden/feed_pm.h"

#define APRIL INT64_C(1777514400000000000)
#define AUG_8 INT64_C(1786147200000000000)
#define SEPT  INT64_C(1788220800000000000)
#define LEN_S (300 * NS_PER_S)
#define LEN_L (900 * NS_PER_S)
#define LINK  "https://data.chain.link/streams/btc-usd"
#define BIN   "https://www.binance.com/en/trade/BTC_USDT"
#define GE    "Up if the price is greater than or equal to the first. "
#define TWAP  "Up if the time-weighted average is greater than or equal to. "

static const struct {
	const char *source;
	const char *text;
	int64_t start_ns;
	int64_t len_ns;
	bool is_known;
	enum ref_source settles;
	uint32_t lookback_s;
	bool tie_yes;
} cases[] = {
    {LINK, GE "Chainlink.", APRIL, LEN_L, true, REF_SPOT, 0, true},
    {LINK, "CHAINLINK: up if GREATER THAN or Equal to", APRIL, LEN_L, true,
	REF_SPOT, 0, true},
    {LINK, "Chainlink: Up if greater than it was.", APRIL, LEN_L, true,
	REF_SPOT, 0, false},
    {LINK, TWAP "Chainlink.", SEPT, LEN_L, true, REF_TWAP, 60, true},
    {LINK, TWAP "Chainlink.", SEPT, LEN_S, true, REF_TWAP, 60, true},
    {LINK, TWAP "Chainlink.", AUG_8, LEN_S, true, REF_TWAP, 30, true},
    {LINK, TWAP "Chainlink.", AUG_8, LEN_L, true, REF_TWAP, 60, true},
    {LINK, TWAP "Chainlink, 30-second.", SEPT, LEN_L, true, REF_TWAP, 30, true},
    {LINK, TWAP "Chainlink, 120 seconds.", SEPT, LEN_L, true, REF_TWAP, 120,
	true},
    {LINK, GE "Chainlink TWAP.", SEPT, LEN_L, true, REF_TWAP, 60, true},
    {BIN, GE "Binance, 1 hour candle.", SEPT, 4 * LEN_L, true, REF_RELAY, 0,
	true},
    {BIN, GE "Binance, 1 hour candle.", APRIL, 4 * LEN_L, true, REF_RELAY, 0,
	true},
    /* none that we know */
    {"", GE "Chainlink.", APRIL, LEN_L, false, (enum ref_source)0, 0, false},
    {LINK, "", APRIL, LEN_L, false, (enum ref_source)0, 0, false},
    {LINK, GE, APRIL, LEN_L, false, (enum ref_source)0, 0, false},
    {LINK, "Chainlink: Up or Down.", APRIL, LEN_L, false, (enum ref_source)0, 0,
	false},
    {LINK, "Chainlink: greater than; equal resolves 50-50.", APRIL, LEN_L,
	false, (enum ref_source)0, 0, false},
    {LINK, "Chainlink: greater than; equal resolves 50/50.", APRIL, LEN_L,
	false, (enum ref_source)0, 0, false},
    {"https://data.chain.link/streams/eth-usd", GE "Chainlink.", APRIL, LEN_L,
	false, (enum ref_source)0, 0, false},
    {"https://pyth.network", GE "Chainlink.", APRIL, LEN_L, false,
	(enum ref_source)0, 0, false},
    {BIN, GE "Coinbase, 1 hour candle.", APRIL, LEN_L, false,
	(enum ref_source)0, 0, false},
    {BIN, GE "Binance.", APRIL, LEN_L, false, (enum ref_source)0, 0, false},
    /* text and date disagree */
    {LINK, GE "Chainlink.", SEPT, LEN_L, false, (enum ref_source)0, 0, false},
    {LINK, TWAP "Chainlink.", APRIL, LEN_L, false, (enum ref_source)0, 0,
	false},
};

static void
T_01_settlement_by_the_rules_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gamma_market g = {.is_updown = true};
		struct pm_rules rules;

		g.resolution_source.s = cases[i].source;
		g.resolution_source.n = (uint32_t)strlen(cases[i].source);
		g.description.s = cases[i].text;
		g.description.n = (uint32_t)strlen(cases[i].text);
		g.start_ns = cases[i].start_ns;
		g.end_ns = cases[i].start_ns + cases[i].len_ns;
		print_message("%s\n", cases[i].text);
		assert_int_equal(
		    pm_rules_read(&g, "btc", &rules), cases[i].is_known);
		assert_int_equal(rules.source, cases[i].settles);
		assert_int_equal(rules.lookback_s, cases[i].lookback_s);
		assert_int_equal(rules.tie_yes, cases[i].tie_yes);
	}
}

static struct rig *
open_text(const char *rules)
{
	static char text[2048];
	const char *tail = strstr(list, "\"slug\"");
	struct rig *r = rig_open();

	snprintf(text, sizeof(text),
	    "{\"markets\":[{\"conditionId\":\"" COND "\",%s%s", rules, tail);
	rig_start(r, VENUE_POLYMARKET);
	rig_boot(r, text);
	rig_pass(r, 1000000);
	return r;
}

static void
an_unknown_text_is_not_traded(void **state)
{
	static const char *const bad[] = {"",
	    RULES_OF("pyth.network", "the moon is greater than or equal to"),
	    RULES_TWAP("60-second ")};
	struct rig *r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r = open_text(bad[i]);
		assert_int_equal(r->instr[IDX].state, INSTR_HALTED);
		assert_int_equal(r->instr[IDX].settle_source, 0);
		assert_int_equal(r->instr[IDX].settle_index, 0);
		assert_int_equal(r->instr[IDX].tie_yes, 0);
		assert_int_equal(feed_stats(r->f)->reason[REASON_RULES], 1);
		rig_close(r);
	}
	r = open_text(RULES_SPOT);
	assert_int_equal(r->instr[IDX].state, INSTR_NORMAL);
	assert_int_equal(r->instr[IDX].settle_source, REF_SPOT);
	assert_int_equal(r->instr[IDX].settle_index, INSTR_PM_BASE);
	assert_int_equal(r->instr[IDX].tie_yes, 1);
	assert_int_equal(feed_stats(r->f)->reason[REASON_RULES], 0);
	rig_close(r);
	r = open_text(RULES_OF("data.chain.link/streams/btc-usd",
	    "the price of Chainlink is greater than it was"));
	assert_int_equal(r->instr[IDX].state, INSTR_NORMAL);
	assert_int_equal(r->instr[IDX].tie_yes, 0);
	rig_close(r);
}

static char *
slurp(const char *name, size_t *n)
{
	const char *dir = getenv("RM_DATA");
	char path[512];
	FILE *f;
	char *text;

	snprintf(path, sizeof(path), "%s/polymarket/gamma/%s",
	    dir != NULL ? dir : "../shared/data", name);
	f = fopen(path, "rb");
	if (f == NULL)
		return NULL;
	text = malloc(1 << 20);
	*n = fread(text, 1, 1 << 20, f);
	fclose(f);
	return text;
}

static void
T_01_recorded_texts(void **state)
{
	static const char *const names[] = {"gamma_market.json"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		static struct gamma_market g;
		struct gamma_answer a;
		struct pm_rules rules;
		size_t n = 0;
		char *text = slurp(names[i], &n);

		if (text == NULL) {
			print_message(
			    "skipped: no %s under RM_DATA\n", names[i]);
			skip();
		}
		gamma_init(&a, text, n);
		assert_int_equal(gamma_next(&a, &g), GAMMA_MARKET);
		assert_true(pm_rules_read(&g, "btc", &rules));
		assert_int_equal(rules.source, REF_SPOT);
		assert_int_equal(rules.lookback_s, 0);
		assert_true(rules.tie_yes);
		assert_false(pm_rules_read(&g, "eth", &rules));
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(T_01_settlement_by_the_rules_text),
	    cmocka_unit_test(an_unknown_text_is_not_traded),
	    cmocka_unit_test(T_01_recorded_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
