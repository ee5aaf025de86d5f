/*
 * Which slugs we ask about, and when: windows before they are listed, strikes
 * after they opened, outcomes after they ended; each with a back-off of its
 * own, all within one budget of requests.
 */
#include <string.h>

#include "feedd/pm_feed.h"
#include "feedd/text.h"
#include "libcore/check.h"

#define FIRST_NS     INT64_C(2000000000)
#define NEAR_NS	     INT64_C(300000000000)
#define NEAR_MAX_NS  INT64_C(4000000000)
#define PAUSE_MAX_NS INT64_C(60000000000)
#define GEN_MASK     0x3fffu /* tags stay below those of pm_feed.h */
#define FAR_LOOKS    8
#define SLOW_LOOKS   20
#define MINUTE_NS    INT64_C(60000000000)

enum phase {
	PHASE_UNKNOWN = 1, /* no market yet */
	PHASE_AHEAD,
	PHASE_STRIKE, /* open, its strike is not the venue's */
	PHASE_OPEN,
	PHASE_OVER,
	PHASE_DONE,
	PHASE_N
};

struct pm_want *
pm_want_find(struct pm_feed *p, const char *slug)
{
	for (uint32_t i = 0; i < PM_WANTS_N; i++)
		if (p->want[i].used && strcmp(p->want[i].slug, slug) == 0)
			return &p->want[i];
	return NULL;
}

struct pm_want *
pm_want_add(struct pm_feed *p, const char *slug)
{
	for (uint32_t i = 0; i < PM_WANTS_N; i++) {
		struct pm_want *w = &p->want[i];
		uint16_t gen = (uint16_t)(w->gen + 1);

		if (w->used)
			continue;
		memset(w, 0, sizeof(*w));
		w->used = true;
		w->gen = gen;
		w->due_ns = p->feed.now_ns;
		text_copy(w->slug, sizeof(w->slug), slug);
		return w;
	}
	feed_log(
	    &p->feed, FEED_LOG_TABLE_FULL, 0, REASON_FULL, (int64_t)PM_WANTS_N);
	return NULL;
}

void
pm_want_drop(struct pm_feed *p, struct pm_want *w)
{
	CHECK(w->used);
	CHECK(w->market == 0);
	w->used = false;
	(void)p;
}

static bool
has_window(const struct pm_feed *p, uint32_t series, int64_t start_s)
{
	for (uint32_t i = 0; i < PM_WANTS_N; i++)
		if (p->want[i].used && p->want[i].series == series + 1 &&
		    p->want[i].start_s == start_s)
			return true;
	return false;
}

static void
want_window(struct pm_feed *p, uint32_t series, int64_t start_s, bool past)
{
	char slug[PM_TEXT_SZ];
	struct pm_want *w;

	if (has_window(p, series, start_s) ||
	    !pm_series_slug(
		&p->series[series], start_s, false, slug, sizeof(slug)))
		return;
	w = pm_want_find(p, slug);
	if (w == NULL)
		w = pm_want_add(p, slug);
	if (w == NULL)
		return;
	w->series = (uint8_t)(series + 1);
	w->start_s = start_s;
	w->by_series = true;
	w->is_past = past;
}

/* Windows that never were, or that a clock set back put out of reach. */
static void
drop_far(struct pm_feed *p, int64_t now_s)
{
	int64_t ahead_s = p->feed.cfg.discovery_ahead.ns / NS_PER_S;
	int64_t wait_s = p->feed.cfg.discovery_behind.ns / NS_PER_S;

	for (uint32_t i = 0; i < PM_WANTS_N; i++) {
		struct pm_want *w = &p->want[i];
		int64_t len_s;

		if (!w->used || !w->by_series || w->market != 0)
			continue;
		len_s = p->series[w->series - 1].len_s;
		if (w->start_s > now_s + ahead_s + len_s ||
		    w->start_s + len_s < now_s - wait_s - len_s ||
		    (!w->is_past && w->start_s + len_s <= now_s))
			pm_want_drop(p, w);
	}
}

void
pm_want_windows(struct pm_feed *p)
{
	int64_t now_s = pm_venue_now(p) / NS_PER_S;
	int64_t ahead_s = p->feed.cfg.discovery_ahead.ns / NS_PER_S;
	int64_t behind_s = p->feed.cfg.discovery_behind.ns / NS_PER_S;

	if (now_s < NS_PER_S / 1000)
		return;
	drop_far(p, now_s);
	for (uint32_t k = 0; k < p->series_n; k++) {
		const struct pm_series *s = &p->series[k];
		int64_t at_s = pm_series_start(s, now_s);

		for (; at_s <= now_s + ahead_s; at_s += s->len_s)
			want_window(p, k, at_s, false);
		if (at_s == pm_series_start(s, now_s) + s->len_s)
			want_window(p, k, at_s, false);
		if (p->was_looked)
			continue;
		at_s = pm_series_start(s, now_s) - s->len_s;
		for (; at_s + s->len_s > now_s - behind_s; at_s -= s->len_s)
			want_window(p, k, at_s, true);
	}
	p->was_looked = true;
}

bool
pm_ask(struct pm_feed *p, uint32_t tag, const char *base, const char *path)
{
	struct feed *f = &p->feed;
	int64_t most = f->cfg.discovery_max_per_minute;
	int64_t burst = most / 4;
	int64_t cost_ns = MINUTE_NS / (most - burst);
	int64_t from_ns = (int64_t)f->now_ns - burst * cost_ns;
	char url[FEED_URL_MAX];

	CHECK(most > burst);
	if (p->asks_n >= PM_ASKS_MAX || f->now_ns < p->hold_ns)
		return false;
	if (p->spent_ns < from_ns || !p->was_asked)
		p->spent_ns = from_ns;
	p->was_asked = true;
	if (p->spent_ns + cost_ns > (int64_t)f->now_ns)
		return false;
	p->spent_ns += cost_ns;
	p->asks_n++;
	text_join(url, sizeof(url), base, path);
	feed_get(f, tag, url, NULL);
	return true;
}

static enum phase
phase_of(const struct pm_feed *p, const struct pm_want *w)
{
	const struct pm_market *m;
	int64_t now_ns = pm_venue_now(p);

	if (w->market == 0)
		return PHASE_UNKNOWN;
	m = &p->market[w->market - 1];
	if (m->in.state == INSTR_RESOLVED)
		return PHASE_DONE;
	if (m->in.state == INSTR_CLOSED)
		return PHASE_OVER;
	if (m->in.cls != CLASS_UPDOWN)
		return PHASE_OPEN;
	if (now_ns < m->in.start_wall_ns)
		return PHASE_AHEAD;
	if (now_ns >= m->in.end_wall_ns)
		return PHASE_OVER;
	return m->in.strike_source == STRIKE_OFFICIAL ||
		       m->in.strike_source == STRIKE_CONFLICT
		   ? PHASE_OPEN
		   : PHASE_STRIKE;
}

static int64_t
backoff(uint32_t tries, int64_t most_ns)
{
	int64_t ns = FIRST_NS;

	for (uint32_t i = 0; i < tries && ns < most_ns; i++)
		ns *= 2;
	return i64_min(ns, most_ns);
}

static int64_t
pause_of(const struct pm_feed *p, const struct pm_want *w)
{
	const struct pm_market *m =
	    &p->market[w->market > 0 ? w->market - 1 : 0];
	int64_t poll_ns = p->feed.cfg.discovery_poll.ns;
	int64_t now_ns = pm_venue_now(p);
	int64_t ns = poll_ns;

	switch ((enum phase)w->phase) {
	case PHASE_UNKNOWN:
		return w->series == 0 ? backoff(w->tries, poll_ns)
		       : w->start_s * NS_PER_S - now_ns < NEAR_NS
			   ? backoff(w->tries, NEAR_MAX_NS)
			   : backoff(w->tries, PAUSE_MAX_NS);
	case PHASE_AHEAD:
		return i64_min(FAR_LOOKS * poll_ns,
		    m->in.start_wall_ns + FIRST_NS - now_ns);
	case PHASE_STRIKE: ns = backoff(w->tries, PAUSE_MAX_NS); break;
	case PHASE_OPEN:
		if (m->is_listed)
			ns = SLOW_LOOKS * poll_ns;
		break;
	case PHASE_OVER: return backoff(w->tries, PAUSE_MAX_NS);
	case PHASE_DONE: return INT64_MAX / 4;
	case PHASE_N: CHECK(w->phase < PHASE_N);
	}
	if (m->in.cls != CLASS_UPDOWN)
		return ns;
	return i64_min(ns, m->in.end_wall_ns + FIRST_NS - now_ns);
}

void
pm_want_plan(struct pm_feed *p, struct pm_want *w)
{
	enum phase phase = phase_of(p, w);
	int64_t ns;

	if (phase != (enum phase)w->phase) {
		w->phase = (uint8_t)phase;
		w->tries = 0;
	}
	ns = pause_of(p, w);
	w->tries++;
	w->due_ns = p->feed.now_ns + (uint64_t)i64_max(ns, NS_PER_S / 10);
}

void
pm_want_now(struct pm_feed *p, struct pm_want *w)
{
	CHECK(w->used);
	w->tries = 0;
	w->due_ns = p->feed.now_ns;
	feed_wake_at(&p->feed, w->due_ns);
}

/* The event has the strike and the closing price, the market the outcome. */
static bool
asks_event(const struct pm_feed *p, const struct pm_want *w)
{
	enum phase phase = phase_of(p, w);

	return phase == PHASE_STRIKE ||
	       (phase == PHASE_OVER && w->series != 0 && w->tries % 2 == 1 &&
		   p->market[w->market - 1].in.close_px.e8 == 0);
}

static bool
ask_want(struct pm_feed *p, struct pm_want *w)
{
	uint32_t tag = (w->gen & GEN_MASK) << 16 | (uint32_t)(w - p->want + 1);
	char path[PM_TEXT_SZ + 32];

	w->is_event = asks_event(p, w);
	text_join(path, sizeof(path),
	    w->is_event ? "/events/slug/" : "/markets/slug/", w->slug);
	if (!pm_ask(p, tag, p->feed.cfg.polymarket_gamma_url.s, path))
		return false;
	w->is_open = true;
	return true;
}

/* What may still trade before what is over; then what is due longest; then
 * the window that opens first, or that ended last. */
static bool
goes_before(const struct pm_want *w, const struct pm_want *than)
{
	if (w->is_past != than->is_past)
		return than->is_past;
	if (w->due_ns != than->due_ns)
		return w->due_ns < than->due_ns;
	return w->is_past ? w->start_s > than->start_s
			  : w->start_s < than->start_s;
}

void
pm_want_run(struct pm_feed *p)
{
	struct feed *f = &p->feed;

	for (uint32_t n = 0; n < PM_ASKS_MAX; n++) {
		struct pm_want *first = NULL;
		uint64_t wake_ns = UINT64_MAX;

		for (uint32_t i = 0; i < PM_WANTS_N; i++) {
			struct pm_want *w = &p->want[i];

			if (!w->used || w->is_open || w->is_refused)
				continue;
			if (w->due_ns > f->now_ns)
				wake_ns =
				    w->due_ns < wake_ns ? w->due_ns : wake_ns;
			else if (first == NULL || goes_before(w, first))
				first = w;
		}
		if (first == NULL && wake_ns != UINT64_MAX)
			feed_wake_at(f, wake_ns);
		if (first == NULL)
			return;
		if (!ask_want(p, first))
			break;
	}
	feed_wake_at(f, f->now_ns + (uint64_t)NS_PER_S / 4);
}

struct pm_want *
pm_want_of_tag(struct pm_feed *p, uint32_t tag)
{
	uint32_t i = tag & 0xffffu;
	struct pm_want *w;

	if (i == 0 || i > PM_WANTS_N)
		return NULL;
	w = &p->want[i - 1];
	return w->used && w->is_open && (w->gen & GEN_MASK) == tag >> 16 ? w
									 : NULL;
}
