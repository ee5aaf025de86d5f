#include <string.h>

#include "libcore/check.h"
#include "supervisor/ledger.h"

const char *
ledger_state_name(enum ledger_state s)
{
	static const char *const name[LEDGER_STATE_N] = {
	    [LEDGER_NOTHING] = "nothing",
	    [LEDGER_EQUAL] = "equal",
	    [LEDGER_DIFFERS] = "differs",
	    [LEDGER_STALE] = "stale",
	    [LEDGER_SETTLING] = "settling",
	    [LEDGER_SHOWN] = "shown",
	};

	CHECK(s > 0 && s < LEDGER_STATE_N);
	return name[s];
}

/* ---- fresh ---- */

static bool
is_old(const struct ledger_set *s, uint64_t at_ns)
{
	return s->now_ns > at_ns &&
	       s->now_ns - at_ns > LEDGER_PERIODS * (uint64_t)s->period_ns;
}

bool
ledger_silent(const struct ledger *l, enum venue v)
{
	CHECK(v > 0 && v < VENUE_N);
	return l->set.trades[v] &&
	       (l->execd_ns[v] == 0 || is_old(&l->set, l->execd_ns[v]));
}

static bool
is_fresh(const struct ledger_fig *f, enum ledger_who who, uint64_t fill_ns)
{
	switch (who) {
	case LEDGER_RISKD:
		return f->has && f->at_ns + LEDGER_SLACK_NS >= fill_ns;
	case LEDGER_EXECD:
	case LEDGER_VENUE: return f->has && !f->is_late;
	case LEDGER_TRUTH: return f->has && f->at_ns >= fill_ns;
	case LEDGER_WHO_N: break;
	}
	CHECK(false);
	return false;
}

bool
ledger_fresh_at(const struct ledger_set *s, const struct ledger_row *r,
    enum ledger_who who, uint64_t execd_ns)
{
	const struct ledger_fig *f = &r->fig[who];

	if (!is_fresh(f, who, r->fill_ns))
		return false;
	if (who != LEDGER_EXECD && who != LEDGER_VENUE)
		return true;
	/* Nothing is said once, anything every period. */
	return !is_old(s, f->v != 0 ? f->at_ns : execd_ns);
}

bool
ledger_money_fresh_at(const struct ledger_set *s, const struct ledger_money *m,
    enum ledger_who who)
{
	return is_fresh(&m->fig[who], who, m->fill_ns) &&
	       (who != LEDGER_EXECD || !is_old(s, m->fig[who].at_ns));
}

static bool
row_fresh(
    const struct ledger *l, const struct ledger_row *r, enum ledger_who who)
{
	return ledger_fresh_at(&l->set, r, who, l->execd_ns[r->in.venue]);
}

/* ---- a look ---- */

static bool
is_any(const struct ledger_row *r)
{
	for (int i = 0; i < LEDGER_WHO_N; i++)
		if (r->fig[i].has && r->fig[i].v != 0)
			return true;
	return false;
}

/* Its outcome is booked: flat, or not spoken of. */
static bool
is_booked(const struct ledger_row *r)
{
	return r->in.state == INSTR_RESOLVED && r->fig[LEDGER_RISKD].v == 0;
}

static bool
has_ended(const struct ledger *l, const struct ledger_row *r)
{
	int64_t ago_ns = l->set.wall_ns - r->in.end_wall_ns;

	return r->in.state == INSTR_CLOSED || r->in.state == INSTR_RESOLVED ||
	       (r->in.end_wall_ns > 0 && ago_ns >= 0 && ago_ns < LEDGER_END_NS);
}

static enum ledger_state
booked_state(const struct ledger *l, const struct ledger_row *r)
{
	if (!l->set.wants_truth)
		return LEDGER_NOTHING;
	if (!row_fresh(l, r, LEDGER_TRUTH))
		return is_any(r) ? LEDGER_STALE : LEDGER_NOTHING;
	return r->fig[LEDGER_TRUTH].v != 0 ? LEDGER_DIFFERS : LEDGER_NOTHING;
}

enum ledger_state
ledger_row_state(const struct ledger *l, const struct ledger_row *r)
{
	int of = -1;
	int n = 0;

	if (!r->used || !is_any(r))
		return LEDGER_NOTHING;
	if (is_booked(r))
		return booked_state(l, r);
	if (has_ended(l, r))
		return LEDGER_SETTLING;
	for (int i = 0; i < LEDGER_WHO_N; i++) {
		/* Never spoken of, riskd has none. */
		bool is_none = i == LEDGER_RISKD && !r->fig[i].has &&
			       l->riskd_ns >= r->fill_ns;

		if (!is_none && !row_fresh(l, r, (enum ledger_who)i))
			continue;
		if (of >= 0 && r->fig[i].v != r->fig[of].v)
			return LEDGER_DIFFERS;
		of = i;
		n++;
	}
	return n == LEDGER_WHO_N - !l->set.wants_truth ? LEDGER_EQUAL
						       : LEDGER_STALE;
}

/* Paid at the exchange, and not yet read by execd: of ours, and lately. */
static bool
is_paying(const struct ledger *l, enum venue v)
{
	for (uint32_t i = 1; i < INSTR_N; i++) {
		const struct ledger_row *r = &l->row[i];
		int64_t ago_ns = l->set.wall_ns - r->in.end_wall_ns;

		if (!r->used || r->in.venue != v || !has_ended(l, r))
			continue;
		if (is_any(r) &&
		    (!is_booked(r) ||
			ago_ns <
			    LEDGER_END_NS + LEDGER_PERIODS * l->set.period_ns))
			return true;
		if (r->fill_ns != 0 && ago_ns < LEDGER_END_NS)
			return true;
	}
	return false;
}

enum ledger_state
ledger_money_state(const struct ledger *l, enum venue v)
{
	const struct ledger_fig *f = l->money[v].fig;

	CHECK(v > 0 && v < VENUE_N);
	if (!l->set.trades[v])
		return LEDGER_NOTHING;
	if (v != VENUE_POLYMARKET || !l->set.wants_truth)
		return f[LEDGER_EXECD].has || f[LEDGER_TRUTH].has
			   ? LEDGER_SHOWN
			   : LEDGER_NOTHING;
	if (!ledger_money_fresh_at(&l->set, &l->money[v], LEDGER_EXECD) ||
	    !ledger_money_fresh_at(&l->set, &l->money[v], LEDGER_TRUTH))
		return LEDGER_STALE;
	if (f[LEDGER_EXECD].v == f[LEDGER_TRUTH].v)
		return LEDGER_EQUAL;
	return is_paying(l, v) ? LEDGER_STALE : LEDGER_DIFFERS;
}

/* ---- looks in a row ---- */

void
ledger_verdict_init(struct ledger_verdict *d, bool at_once)
{
	memset(d, 0, sizeof(*d));
	d->at_once = at_once;
	for (uint32_t i = 0; i < INSTR_N; i++)
		d->row[i].state = LEDGER_NOTHING;
	for (uint32_t i = 0; i < VENUE_N; i++)
		d->money[i].state = LEDGER_NOTHING;
	d->stray.state = LEDGER_NOTHING;
}

/* One more look at it; true: these figures are those to show. */
static bool
take(struct ledger_view *w, enum ledger_state s,
    const int64_t sign[LEDGER_WHO_N], const struct ledger_verdict *d,
    uint64_t now_ns)
{
	bool was_differing = w->since_ns != 0;

	if (w->state == LEDGER_DIFFERS)
		return false;
	if (s != LEDGER_DIFFERS) {
		w->since_ns = 0;
		if (w->state == LEDGER_EQUAL && s != LEDGER_EQUAL)
			return false;
		w->state = s;
		return true;
	}
	if (!was_differing || memcmp(w->sign, sign, sizeof(w->sign)) != 0) {
		memcpy(w->sign, sign, sizeof(w->sign));
		w->since_ns = now_ns;
	}
	if (d->at_once || now_ns - w->since_ns >= LEDGER_LAST_NS) {
		w->state = LEDGER_DIFFERS;
		return true;
	}
	if (w->state == LEDGER_EQUAL)
		return false;
	w->state = LEDGER_STALE;
	return true;
}

static void
signs(const struct ledger_fig fig[LEDGER_WHO_N], int64_t out[LEDGER_WHO_N])
{
	for (int i = 0; i < LEDGER_WHO_N; i++)
		out[i] = fig[i].v;
}

void
ledger_look(struct ledger_verdict *d, const struct ledger *l)
{
	int64_t sign[LEDGER_WHO_N];
	uint64_t now_ns = l->set.now_ns;

	CHECK(now_ns > 0);
	for (uint32_t i = 1; i < INSTR_N; i++) {
		signs(l->row[i].fig, sign);
		if (take(&d->row[i], ledger_row_state(l, &l->row[i]), sign, d,
			now_ns)) {
			d->shown[i] = l->row[i];
			d->shown_ns[i] = now_ns;
		}
	}
	for (int v = 1; v < VENUE_N; v++) {
		signs(l->money[v].fig, sign);
		if (take(&d->money[v], ledger_money_state(l, (enum venue)v),
			sign, d, now_ns)) {
			d->money_shown[v] = l->money[v];
			d->money_ns[v] = now_ns;
		}
	}
	memset(sign, 0, sizeof(sign));
	sign[0] = l->stray_n;
	take(&d->stray, l->stray_n > 0 ? LEDGER_DIFFERS : LEDGER_NOTHING, sign,
	    d, now_ns);
}

uint32_t
ledger_count(const struct ledger_verdict *d, enum ledger_state s)
{
	uint32_t n = d->stray.state == s;

	CHECK(s > 0 && s < LEDGER_STATE_N);
	for (uint32_t i = 1; i < INSTR_N; i++)
		n += d->row[i].state == s;
	for (int v = 1; v < VENUE_N; v++)
		n += d->money[v].state == s;
	return n;
}

int
ledger_code(const struct ledger_verdict *d, const struct ledger *l)
{
	bool any = false;

	if (ledger_count(d, LEDGER_DIFFERS) > 0)
		return 1;
	if ((l->set.wants_truth && !l->has_truth) || l->riskd_ns == 0 ||
	    ledger_count(d, LEDGER_STALE) > 0)
		return 2;
	for (int v = 1; v < VENUE_N; v++) {
		if (ledger_silent(l, (enum venue)v))
			return 2;
		any = any || l->set.trades[v];
	}
	return any ? 0 : 2;
}
