/*
 * How a market ended: a hint of the market channel, the word of the metadata,
 * and what our own prices come to.
 */
#include "feedd/pm_feed.h"
#include "feedd/pm_life.h"
#include "libcore/check.h"

/* Who won, by token and by name; false: the two do not agree, or the token is
 * of another market. 0: neither says. */
static bool
winner_of(
    const struct pm_market *m, const struct pm_event *ev, uint8_t *outcome)
{
	*outcome = (uint8_t)ev->winner;
	if (!ev->has_token)
		return true;
	if (pm_token_eq(&ev->token, &m->tok[0].id))
		*outcome = OUTCOME_YES;
	else if (pm_token_eq(&ev->token, &m->tok[1].id))
		*outcome = OUTCOME_NO;
	else
		return false;
	return ev->winner == 0 || *outcome == (uint8_t)ev->winner;
}

static bool
is_early(const struct pm_feed *p, const struct pm_market *m,
    const struct pm_event *ev)
{
	int64_t end_ns = m->in.end_wall_ns;

	return m->in.cls == CLASS_UPDOWN &&
	       (pm_venue_now(p) < end_ns || ev->venue_ns < end_ns);
}

/* A binary that is said to be over is not quoted until that is known. */
static void
halt(struct pm_feed *p, struct pm_market *m)
{
	enum instr_state s = (enum instr_state)m->in.state;

	if (!pm_life_trades(s) || !pm_life_step(&s, PM_LIFE_HALT))
		return;
	m->in.state = (uint8_t)s;
	feed_instr(&p->feed, m->pub.idx, &m->in);
}

void
pm_outcome_hint(struct pm_feed *p, const struct pm_event *ev)
{
	struct feed *f = &p->feed;
	struct pm_market *m = pm_find_cond(p, &ev->market);
	uint8_t outcome;

	_Static_assert((int)ROLE_YES == (int)OUTCOME_YES &&
			   (int)ROLE_NO == (int)OUTCOME_NO,
	    "a winner is an outcome");
	if (m == NULL) {
		feed_count(f, REASON_UNKNOWN_ASSET);
		return;
	}
	if (!winner_of(m, ev, &outcome)) {
		feed_drop(f, REASON_OUTCOME, 0, ev->outcome_text.s,
		    ev->outcome_text.n);
		return;
	}
	if (is_early(p, m, ev)) {
		feed_note(f, REASON_OUTCOME);
	} else {
		m->hint = outcome;
		halt(p, m);
	}
	if (m->want != 0 && m->in.state != INSTR_RESOLVED)
		pm_want_now(p, &p->want[m->want - 1]);
	pm_outcome_check(p, m);
}

static void
tell(struct pm_feed *p, const struct pm_market *m, int64_t outcome)
{
	feed_note(&p->feed, REASON_OUTCOME);
	feed_log(
	    &p->feed, FEED_LOG_OUTCOME, m->pub.idx, REASON_OUTCOME, outcome);
}

void
pm_outcome_check(struct pm_feed *p, struct pm_market *m)
{
	uint8_t ours = (uint8_t)pm_strike_outcome(&m->in);

	if (m->in.state != INSTR_RESOLVED || m->in.outcome == 0)
		return;
	if (m->hint != 0 && m->hint != m->in.outcome)
		tell(p, m, m->hint);
	m->hint = 0;
	if (m->is_compared || ours == 0)
		return;
	m->is_compared = true;
	if (ours != m->in.outcome)
		tell(p, m, ours);
}
