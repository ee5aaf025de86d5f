/* links: feedd libvenue libshm libcore */
/*
 * Settlement, proved on a recorded day: strike, closing price and outcome of
 * every 5-minute market from every tick of the settlement feed, by the rule
 * of pm_strike.h and nothing else. A made-up hour runs always.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "feedd/pm_strike.h"
#include "libvenue/gamma.h"
#include "tests/golden/data.h"

#define DAY	    "2026-06-08"
#define AGE_NS	    (10 * NS_PER_S)
#define BPS	    (5 * (int64_t)E8)
#define MARKETS_MAX 400

struct market {
	char slug[64];
	int64_t start_ns;
	int64_t end_ns;
	px_t official_strike;
	enum outcome official;
	struct instr in;
	enum pm_strike_grade close_grade;
	enum pm_strike_grade own_grade; /* of the opening */
	px_t own_strike;
};

struct day {
	struct market market[MARKETS_MAX];
	uint32_t n;
};

/* An integer scaled by 1e18, cut at 1e-8. */
static px_t
e18(const char *s, size_t n)
{
	int64_t v = 0;

	if (n <= 10)
		return PX(0);
	for (size_t i = 0; i + 10 < n; i++)
		v = v * 10 + (s[i] - '0');
	return PX(v);
}

static void
add_market(struct day *d, const char *line, size_t n)
{
	struct json_str raw = data_member(line, n, "raw");
	struct json_str strike = data_member(line, n, "strike_value");
	struct gamma_market g;
	struct market *m = &d->market[d->n++];

	assert_true(d->n <= MARKETS_MAX);
	assert_int_equal(gamma_decode(&g, raw.s, raw.n), GAMMA_MARKET);
	assert_true(g.is_updown && g.closed);
	snprintf(m->slug, sizeof(m->slug), "%.*s", (int)g.slug.n, g.slug.s);
	m->start_ns = g.start_ns;
	m->end_ns = g.end_ns;
	m->official = (enum outcome)g.outcome;
	m->in.tie_yes = 1;
	if (strike.n > 2 && strike.s[0] == '"')
		m->official_strike = e18(strike.s + 1, strike.n - 2);
	if (m->official_strike.e8 > 0)
		pm_strike_take(
		    &m->in, STRIKE_OFFICIAL, m->official_strike, BPS);
}

/* Every market asks as the feed does: when a point came. */
static void
ask(struct day *d, const struct pm_strike_rec *rec, int64_t now_ns)
{
	for (uint32_t i = 0; i < d->n; i++) {
		struct market *m = &d->market[i];
		px_t px;

		if (m->own_grade < PM_STRIKE_EXACT && now_ns >= m->start_ns) {
			m->own_grade =
			    pm_strike_at(rec, m->start_ns, AGE_NS, &px);
			if (m->own_grade == PM_STRIKE_EXACT ||
			    m->own_grade == PM_STRIKE_NEAR) {
				m->own_strike = px;
				pm_strike_take(
				    &m->in, STRIKE_PROVISIONAL, px, BPS);
			}
		}
		if (m->close_grade < PM_STRIKE_EXACT && now_ns >= m->end_ns) {
			m->close_grade =
			    pm_strike_at(rec, m->end_ns, AGE_NS, &px);
			if (m->close_grade == PM_STRIKE_EXACT ||
			    m->close_grade == PM_STRIKE_NEAR)
				m->in.close_px = px;
		}
	}
}

static uint32_t
play(struct day *d, char *csv)
{
	static struct pm_strike_rec rec;
	char *line;
	size_t n;
	uint32_t points = 0;

	memset(&rec, 0, sizeof(rec));
	data_line(&csv, &line, &n); /* names of the columns */
	while (data_line(&csv, &line, &n)) {
		char *end;
		int64_t ms = strtoll(line, &end, 10);
		char *value = strchr(end + 1, ',') + 1;

		assert_true(pm_strike_add(
		    &rec, ms * NS_PER_MS, e18(value, strcspn(value, ","))));
		points++;
		ask(d, &rec, ms * NS_PER_MS);
	}
	return points;
}

static const struct market *
by_slug(const struct day *d, const char *slug, size_t n)
{
	for (uint32_t i = 0; i < d->n; i++)
		if (strlen(d->market[i].slug) == n &&
		    memcmp(d->market[i].slug, slug, n) == 0)
			return &d->market[i];
	return NULL;
}

struct counts {
	uint32_t rows;
	uint32_t checkable; /* official strike, and the tick of the end */
	uint32_t agree;
	uint32_t near; /* the end by the tick before it */
	uint32_t near_agree;
	uint32_t holes;
	uint32_t no_strike;
	uint32_t own; /* the opening's tick too */
	uint32_t own_equal;
	uint32_t conflicts;
};

static void
count_market(struct counts *c, const struct market *m)
{
	enum outcome ours = pm_strike_outcome(&m->in);

	c->rows++;
	c->conflicts += m->in.strike_source == STRIKE_CONFLICT;
	if (m->own_grade == PM_STRIKE_EXACT && m->official_strike.e8 != 0) {
		c->own++;
		c->own_equal += m->own_strike.e8 == m->official_strike.e8;
	}
	if (m->official_strike.e8 == 0) {
		c->no_strike++;
	} else if (m->close_grade == PM_STRIKE_EXACT) {
		c->checkable++;
		c->agree += ours == m->official;
	} else if (m->close_grade == PM_STRIKE_NEAR) {
		c->near++;
		c->near_agree += ours == m->official;
	} else {
		c->holes++;
		assert_int_equal(ours, 0); /* never guessed */
	}
}

/* slug,strike_1e18,close_tick_1e18,recomputed,official */
static void
check_row(const struct day *d, char *line, size_t n, uint32_t *checked)
{
	char *field[5];
	size_t len[5];
	const struct market *m;

	for (int i = 0; i < 5; i++) {
		field[i] = line;
		len[i] = strcspn(line, i < 4 ? "," : "\r\n");
		line += len[i] + 1;
	}
	(void)n;
	m = by_slug(d, field[0], len[0]);
	assert_non_null(m);
	assert_int_equal(m->official_strike.e8, e18(field[1], len[1]).e8);
	assert_int_equal(
	    m->official, field[4][0] == 'U' ? OUTCOME_YES : OUTCOME_NO);
	/* Their blank is our hole, or the tick before that we name NEAR. */
	assert_int_equal(len[2] > 0, m->close_grade == PM_STRIKE_EXACT);
	if (len[3] == 0)
		return;
	assert_int_equal(m->in.close_px.e8, e18(field[2], len[2]).e8);
	assert_int_equal(pm_strike_outcome(&m->in),
	    field[3][0] == 'U' ? OUTCOME_YES : OUTCOME_NO);
	(*checked)++;
}

static void
T_01_a_day_settles_as_it_did(void **state)
{
	static struct day d;
	struct counts c = {0};
	size_t n[3];
	char *feed =
	    data_read("aligned/settlement/chainlink_btcusd_" DAY ".csv.gz", n);
	char *list = data_read(
	    "polymarket/gamma/btc_updown_5m_markets_" DAY ".jsonl.gz", n + 1);
	char *want = data_read("expected/settlement_" DAY ".csv", n + 2);
	uint32_t points;
	uint32_t checked = 0;
	char *pos;
	char *line;
	size_t len;

	(void)state;
	if (feed == NULL || list == NULL || want == NULL) {
		free(feed);
		free(list);
		free(want);
		skip();
	}
	for (pos = list; data_line(&pos, &line, &len);)
		add_market(&d, line, len);
	points = play(&d, feed);
	for (uint32_t i = 0; i < d.n; i++)
		count_market(&c, &d.market[i]);
	pos = want;
	data_line(&pos, &line, &len);
	while (data_line(&pos, &line, &len))
		check_row(&d, line, len, &checked);
	printf("# %u ticks, %u markets: %u checkable, %u agree; %u by the tick "
	       "before, %u agree; %u in a hole, %u without official strike; "
	       "%u own strikes, %u equal, %u conflicts\n",
	    points, c.rows, c.checkable, c.agree, c.near, c.near_agree, c.holes,
	    c.no_strike, c.own, c.own_equal, c.conflicts);
	assert_int_equal(c.rows, 292);
	assert_int_equal(checked, 280);
	assert_int_equal(c.checkable, 280);
	assert_int_equal(c.agree, 280);
	assert_int_equal(c.own_equal, c.own);
	assert_int_equal(c.conflicts, 0);
	free(feed);
	free(list);
	free(want);
}

/* Twelve windows of an hour: up, down, tie, and one over a hole. */
static void
an_hour_made_up(void **state)
{
	static struct day d;
	static struct pm_strike_rec rec;
	const int64_t from_s = 1800000000;
	struct counts c = {0};

	(void)state;
	memset(&d, 0, sizeof(d));
	for (uint32_t i = 0; i < 12; i++) {
		struct market *m = &d.market[d.n++];

		m->start_ns = (from_s + i * 300) * NS_PER_S;
		m->end_ns = m->start_ns + 300 * NS_PER_S;
		m->in.tie_yes = 1;
	}
	for (int64_t s = 0; s <= 3600; s++) {
		int64_t turn = s / 300 % 3; /* price of the turn's opening */

		/* A hole over one end, a missed second at another. */
		if ((s >= 1490 && s < 1530) || s == 2100)
			continue;
		if (pm_strike_add(&rec, (from_s + s) * NS_PER_S,
			PX((100 + (turn == 1 ? 7 : 0)) * (int64_t)E8)))
			ask(&d, &rec, (from_s + s) * NS_PER_S);
	}
	for (uint32_t i = 0; i < d.n; i++) {
		struct market *m = &d.market[i];
		enum outcome want = i % 3 == 0	 ? OUTCOME_YES
				    : i % 3 == 1 ? OUTCOME_NO
						 : OUTCOME_YES; /* a tie */
		bool hole = i == 4 || i == 5; /* around second 1500 */

		m->official_strike = m->in.strike_px;
		m->official = want;
		if (hole)
			assert_int_equal(pm_strike_outcome(&m->in), 0);
		else if (i != 6 && i != 7) /* around second 2100 */
			assert_int_equal(pm_strike_outcome(&m->in), want);
		count_market(&c, m);
	}
	assert_int_equal(d.market[4].close_grade, PM_STRIKE_NONE);
	assert_int_equal(d.market[5].own_grade, PM_STRIKE_NONE);
	assert_int_equal(d.market[6].close_grade, PM_STRIKE_NEAR);
	assert_int_equal(d.market[7].own_grade, PM_STRIKE_NEAR);
	assert_int_equal(c.holes + c.no_strike, 2);
	assert_int_equal(c.near, 1);
	assert_int_equal(c.checkable, 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(T_01_a_day_settles_as_it_did),
	    cmocka_unit_test(an_hour_made_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
