/*
 * Strikes and closing prices from our own record of the settlement prices.
 * What they come to is not an outcome: that is the venue's word alone.
 */
#include "feedd/pm_feed.h"
#include "libcore/check.h"

#define TWAP_S	     60 /* look-back of the average that is streamed */
#define TWAP_WAIT_NS INT64_C(5000000000)

static struct pm_index *
index_of(struct pm_feed *p, uint16_t idx)
{
	for (uint32_t i = 0; i < p->index_n; i++)
		if (p->index[i].pub.idx == idx)
			return &p->index[i];
	return NULL;
}

/* The streamed average; without it, or for another look-back, our own. */
static enum pm_strike_grade
average_at(const struct pm_feed *p, const struct pm_index *x,
    const struct instr *in, int64_t at_ns, px_t *out)
{
	const struct cfg *c = &p->feed.cfg;
	const struct pm_strike_rule rule = {.age_ns = c->updown_strike_age.ns,
	    .lookback_ns = in->settle_lookback_s * NS_PER_S,
	    .coverage_e8 = c->updown_strike_coverage.e8};
	enum pm_strike_grade g = PM_STRIKE_NONE;

	CHECK(in->settle_lookback_s > 0);
	if (in->settle_lookback_s == TWAP_S)
		g = pm_strike_at(&x->rec[REF_TWAP], at_ns, rule.age_ns, out);
	if (g == PM_STRIKE_EXACT || g == PM_STRIKE_NEAR)
		return g;
	if (g == PM_STRIKE_WAIT && x->last_ns[REF_SPOT] < at_ns + TWAP_WAIT_NS)
		return g;
	return pm_strike_average(&x->rec[REF_SPOT], at_ns, &rule, out);
}

static bool
price_at(const struct pm_feed *p, const struct pm_index *x,
    const struct instr *in, int64_t at_ns, px_t *out)
{
	enum pm_strike_grade g;

	if (in->settle_source == REF_TWAP)
		g = average_at(p, x, in, at_ns, out);
	else
		g = pm_strike_at(&x->rec[in->settle_source], at_ns,
		    p->feed.cfg.updown_strike_age.ns, out);
	return g == PM_STRIKE_EXACT || g == PM_STRIKE_NEAR;
}

/* 1 the strike, once; 2 the closing price, once. */
static void
settle(struct pm_feed *p, const struct pm_index *x, struct pm_market *m)
{
	const struct cfg *c = &p->feed.cfg;
	struct instr *in = &m->in;
	int64_t newest_ns = i64_max(x->last_ns[REF_SPOT],
	    i64_max(x->last_ns[REF_TWAP], x->last_ns[REF_RELAY]));
	bool changed = false;
	px_t px;

	if (!m->has_own_strike && newest_ns >= in->start_wall_ns && /* 1 */
	    price_at(p, x, in, in->start_wall_ns, &px)) {
		m->has_own_strike = true;
		changed = pm_strike_take(in, STRIKE_PROVISIONAL, px,
		    c->updown_strike_conflict_bps.e8);
	}
	if (in->close_px.e8 == 0 && newest_ns >= in->end_wall_ns && /* 2 */
	    price_at(p, x, in, in->end_wall_ns, &px)) {
		in->close_px = px;
		changed = true;
	}
	if (!changed)
		return;
	feed_instr(&p->feed, m->pub.idx, in);
	pm_outcome_check(p, m);
}

static bool
is_settled_by(const struct pm_market *m)
{
	return m->used && m->in.cls == CLASS_UPDOWN &&
	       m->in.settle_source != 0 && m->in.settle_index != 0 &&
	       (!m->has_own_strike || m->in.close_px.e8 == 0);
}

void
pm_settle_point(struct pm_feed *p, struct pm_index *x, enum ref_source s)
{
	CHECK(s >= 1 && s < REF_SOURCE_N);
	for (uint32_t i = 0; i < p->market_n; i++)
		if (is_settled_by(&p->market[i]) &&
		    p->market[i].in.settle_index == x->pub.idx)
			settle(p, x, &p->market[i]);
}

void
pm_settle_new(struct pm_feed *p, struct pm_market *m)
{
	struct pm_index *x = index_of(p, m->in.settle_index);

	if (x != NULL && is_settled_by(m))
		settle(p, x, m);
}
