/* links: libcore */
/*
 * Resolution risk of real markets: the distribution is printed, and what a
 * person would say at a glance is checked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libcore/rrs.h"
#include "tests/golden/data.h"

#define VETO_MAKER     0.35
#define VETO_SATELLITE 0.25
#define BINS	       10

struct dist {
	unsigned bin[BINS];
	unsigned n;
	double lo;
	double hi;
};

/* Text of a member as sent, or empty. */
static struct rrs_span
text_of(const char *obj, size_t n, const char *key)
{
	struct json_str raw = data_member(obj, n, key);

	return raw.s == NULL || raw.n < 2 || *raw.s == 'n'
		   ? (struct rrs_span){NULL, 0}
		   : (struct rrs_span){raw.s, raw.n};
}

static uint64_t
bits_of(const char *obj, size_t n)
{
	struct json_str neg = data_member(obj, n, "negRisk");
	struct json_str neg2 = data_member(obj, n, "neg_risk");
	struct rrs_text t = {
	    .question = text_of(obj, n, "question"),
	    .rules = text_of(obj, n, "description"),
	    .source = text_of(obj, n, "resolutionSource"),
	    .tags = text_of(obj, n, "tags"),
	    .uma = text_of(obj, n, "umaResolutionStatuses"),
	    .outcomes_n = 2,
	    .neg_risk =
		(neg.n > 0 && *neg.s == 't') || (neg2.n > 0 && *neg2.s == 't'),
	};

	if (t.source.n <= 2)
		t.source.n = 0;
	return rrs_features(&t);
}

static double
score(uint64_t bits)
{
	double w[RRS_N];

	rrs_defaults(w);
	return rrs_score(bits, w);
}

static void
explain(const char *obj, size_t n, uint64_t bits)
{
	struct rrs_span q = text_of(obj, n, "question");

	printf("# %.2f %.*s:", score(bits), (int)(q.n < 70 ? q.n : 70),
	    q.s == NULL ? "" : q.s);
	for (unsigned b = 0; b < RRS_N; b++)
		if ((bits >> b & 1) != 0 && rrs_label(b) != NULL)
			printf(" %s", rrs_label(b));
	printf("\n");
}

static void
add(struct dist *d, double s)
{
	int b = (int)(s * BINS);

	d->bin[b < BINS ? b : BINS - 1]++;
	d->lo = d->n == 0 || s < d->lo ? s : d->lo;
	d->hi = d->n == 0 || s > d->hi ? s : d->hi;
	d->n++;
}

static void
show(const char *name, const struct dist *d)
{
	printf("# %s: %u markets, score %.2f to %.2f; tenths", name, d->n,
	    d->lo, d->hi);
	for (int i = 0; i < BINS; i++)
		printf(" %u", d->bin[i]);
	printf("\n");
}

static void
crypto_windows_score_low(void **state)
{
	size_t n;
	size_t len;
	char *line;
	char *text = data_read(
	    "polymarket/gamma/btc_updown_5m_markets_2026-06-08.jsonl.gz", &n);
	char *pos = text;
	struct dist d = {0};

	(void)state;
	if (text == NULL)
		skip();
	while (data_line(&pos, &line, &len)) {
		struct json_str raw = data_member(line, len, "raw");
		uint64_t bits = bits_of(raw.s, raw.n);

		if (d.n == 0)
			explain(raw.s, raw.n, bits);
		add(&d, score(bits));
	}
	show("5-minute windows", &d);
	assert_int_equal(d.n, 292);
	assert_true(d.hi <= VETO_SATELLITE);
	free(text);
}

static void
nominations_score_high(void **state)
{
	size_t n;
	char *text =
	    data_read("polymarket/rest/clob_markets_page_first60.json.gz", &n);
	struct json j;
	struct json_str page;
	struct json_str m;
	struct dist d = {0};
	unsigned vetoed = 0;

	(void)state;
	if (text == NULL)
		skip();
	page = data_member(text, n, "data");
	json_sub(&j, page.s, page.n);
	json_array(&j);
	while (json_item(&j) && json_raw(&j, &m)) {
		uint64_t bits = bits_of(m.s, m.n);

		explain(m.s, m.n, bits);
		add(&d, score(bits));
		if (bits & RRS_BIT(POLITICAL)) {
			assert_true(score(bits) > VETO_MAKER);
			vetoed++;
		}
	}
	show("first page", &d);
	assert_true(d.n >= 15);
	assert_true(vetoed >= 10);
	free(text);
}

static const struct {
	const char *file;
	double lo;
	double hi;
} single[] = {
    {"polymarket/gamma/gamma_market.json", 0.0, 0.1},
    {"polymarket/gamma/gamma_market_closed_binary_accepting_true.json", 0.6,
	1.0},
    {"polymarket/gamma/gamma_market_closed_zero_zero_legacy.json", 0.6, 1.0},
    {"polymarket/gamma/gamma_market_sports_market_money_line.json", 0.25, 0.6},
    {"polymarket/rest/clob_market_closed_accepting_true.json", 0.6, 1.0},
    {"polymarket/rest/clob_market.json", 0.2, 0.5},
};

static void
single_markets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
		size_t n;
		char *text = data_read(single[i].file, &n);
		uint64_t bits;

		if (text == NULL)
			skip();
		n = data_trim(text, n);
		bits = bits_of(text, n);
		explain(text, n, bits);
		assert_true(score(bits) >= single[i].lo);
		assert_true(score(bits) <= single[i].hi);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(crypto_windows_score_low),
	    cmocka_unit_test(nominations_score_high),
	    cmocka_unit_test(single_markets),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
