#include "feedd/pm_strike.h"

#include "libcore/check.h"

/* k-th oldest point. */
static const struct pm_strike_pt *
point(const struct pm_strike_rec *r, uint32_t k)
{
	CHECK(k < r->n);
	return &r->pt[(r->head + PM_STRIKE_N - r->n + k) % PM_STRIKE_N];
}

/* How many points are at or before an instant. */
static uint32_t
count_until(const struct pm_strike_rec *r, int64_t at_ns)
{
	uint32_t n = r->n;

	while (n > 0 && point(r, n - 1)->venue_ns > at_ns)
		n--;
	return n;
}

int64_t
pm_strike_newest(const struct pm_strike_rec *r)
{
	return r->n > 0 ? point(r, r->n - 1)->venue_ns : 0;
}

bool
pm_strike_add(struct pm_strike_rec *r, int64_t venue_ns, px_t px)
{
	CHECK(r->n <= PM_STRIKE_N);
	CHECK(r->head < PM_STRIKE_N);
	if (venue_ns <= 0 || px.e8 <= 0)
		return false;
	if (venue_ns <= pm_strike_newest(r))
		return false;
	r->pt[r->head] = (struct pm_strike_pt){venue_ns, px};
	r->head = (r->head + 1) % PM_STRIKE_N;
	if (r->n < PM_STRIKE_N)
		r->n++;
	return true;
}

static struct pm_strike_pt *
place(struct pm_strike_rec *r, uint32_t k)
{
	return &r->pt[(r->head + PM_STRIKE_N - r->n + k) % PM_STRIKE_N];
}

bool
pm_strike_fill(struct pm_strike_rec *r, int64_t venue_ns, px_t px)
{
	uint32_t k = count_until(r, venue_ns);

	if (venue_ns <= 0 || px.e8 <= 0 || k == r->n ||
	    (k > 0 && point(r, k - 1)->venue_ns == venue_ns))
		return false;
	if (r->n == PM_STRIKE_N) { /* the oldest goes */
		if (k == 0)
			return false;
		k--;
		for (uint32_t i = 0; i < k; i++)
			*place(r, i) = *point(r, i + 1);
	} else {
		r->head = (r->head + 1) % PM_STRIKE_N;
		r->n++;
		for (uint32_t i = r->n - 1; i > k; i--)
			*place(r, i) = *point(r, i - 1);
	}
	*place(r, k) = (struct pm_strike_pt){venue_ns, px};
	CHECK(k + 1 < r->n);
	return true;
}

enum pm_strike_grade
pm_strike_at(
    const struct pm_strike_rec *r, int64_t at_ns, int64_t age_ns, px_t *out)
{
	uint32_t n = count_until(r, at_ns);
	const struct pm_strike_pt *before = n > 0 ? point(r, n - 1) : NULL;

	CHECK(age_ns >= 0);
	if (before != NULL && before->venue_ns == at_ns) {
		*out = before->px;
		return PM_STRIKE_EXACT;
	}
	if (n == r->n)
		return PM_STRIKE_WAIT;
	if (before == NULL || at_ns - before->venue_ns > age_ns)
		return PM_STRIKE_NONE;
	*out = before->px;
	return PM_STRIKE_NEAR;
}

enum pm_strike_grade
pm_strike_average(const struct pm_strike_rec *r, int64_t at_ns,
    const struct pm_strike_rule *rule, px_t *out)
{
	int64_t from_ns = at_ns - rule->lookback_ns;
	uint32_t n = count_until(r, at_ns);
	int64_t seen_ns = 0;
	i128_t sum = 0;

	CHECK(rule->lookback_ns > 0);
	CHECK(rule->coverage_e8 > 0);
	if (n == r->n && (n == 0 || point(r, n - 1)->venue_ns < at_ns))
		return PM_STRIKE_WAIT;
	for (uint32_t k = 0; k < n; k++) {
		const struct pm_strike_pt *p = point(r, k);
		int64_t end_ns = k + 1 < n ? point(r, k + 1)->venue_ns : at_ns;
		int64_t begin_ns = i64_max(p->venue_ns, from_ns);

		end_ns = i64_min(end_ns, p->venue_ns + rule->age_ns);
		if (end_ns <= begin_ns)
			continue;
		seen_ns += end_ns - begin_ns;
		sum += (i128_t)p->px.e8 * (end_ns - begin_ns);
	}
	if ((i128_t)seen_ns * E8 <
	    (i128_t)rule->lookback_ns * rule->coverage_e8)
		return PM_STRIKE_NONE;
	*out = PX((int64_t)(sum / seen_ns));
	return PM_STRIKE_NEAR;
}

bool
pm_strike_differ(px_t a, px_t b, int64_t bps_e8)
{
	int64_t off = a.e8 > b.e8 ? a.e8 - b.e8 : b.e8 - a.e8;

	return (i128_t)off * 10000 * E8 > (i128_t)b.e8 * bps_e8;
}

bool
pm_strike_take(
    struct instr *in, enum strike_source source, px_t px, int64_t bps_e8)
{
	bool known = in->strike_source == STRIKE_PROVISIONAL ||
		     in->strike_source == STRIKE_OFFICIAL;

	CHECK(source == STRIKE_PROVISIONAL || source == STRIKE_OFFICIAL);
	if (px.e8 <= 0 || in->strike_source == STRIKE_CONFLICT)
		return false;
	if (known && pm_strike_differ(px, in->strike_px, bps_e8)) {
		if (source == STRIKE_OFFICIAL)
			in->strike_px = px;
		in->strike_source = STRIKE_CONFLICT;
		return true;
	}
	if (in->strike_source == STRIKE_OFFICIAL || in->strike_source == source)
		return false;
	in->strike_px = px;
	in->strike_source = source;
	return true;
}

enum outcome
pm_strike_outcome(const struct instr *in)
{
	if (in->strike_px.e8 <= 0 || in->close_px.e8 <= 0)
		return (enum outcome)0;
	if (in->close_px.e8 == in->strike_px.e8)
		return in->tie_yes ? OUTCOME_YES : OUTCOME_NO;
	return in->close_px.e8 > in->strike_px.e8 ? OUTCOME_YES : OUTCOME_NO;
}
