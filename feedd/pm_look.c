/*
 * Discovery: what the venue's clock and its metadata service say.
 *
 * Slugs of windows are computed from the venue's clock (pm_want.c). The
 * listing is read for liquid binaries, and for series of which no slug gave
 * a window that trades.
 */
#include <string.h>

#include "feedd/pm_feed.h"
#include "feedd/pm_sub.h"
#include "feedd/pm_life.h"
#include "feedd/text.h"
#include "libcore/check.h"

#define CLOCK_NS      UINT64_C(300000000000)
#define CLOCK_SOON_NS UINT64_C(60000000000)
#define CLOCK_OFF_NS  INT64_C(60000000000)
#define RETRY_NS      UINT64_C(2000000000)
#define HOLD_MAX_NS   UINT64_C(30000000000)
#define TICK_LAG_NS   INT64_C(300000000000)
#define HALF_S	      INT64_C(500000000)
#define FAR_WINDOWS   1u
#define PAGE_N	      100
#define PATH_SZ	      (3 * PM_CURSOR_SZ + 160)
#define LEAVE_FRAC    INT64_C(80) /* percent of the floor */

static void
ask_clock(struct pm_feed *p)
{
	struct feed *f = &p->feed;

	if (p->clock_open)
		return;
	p->clock_due_ns = f->now_ns + RETRY_NS;
	feed_wake_at(f, p->clock_due_ns);
	p->clock_asked_ns = f->now_ns;
	p->clock_open =
	    pm_ask(p, PM_TAG_TIME, f->cfg.polymarket_rest_url.s, "/time");
}

/* The seconds since 1970, as a bare number. */
static void
take_clock(struct pm_feed *p, const struct feed_event *ev)
{
	struct feed *f = &p->feed;
	int64_t s = 0;
	size_t n = 0;

	p->clock_open = false;
	p->clock_tried = true;
	for (; n < ev->n && n < 11 && ev->data[n] >= '0' && ev->data[n] <= '9';
	     n++)
		s = s * 10 + (ev->data[n] - '0');
	if (ev->code != 200 || n < 9 || n > 10) {
		p->look_ns = f->now_ns;
		return;
	}
	p->clock_off_ns = s * NS_PER_S + HALF_S - f->wall_ns;
	p->clock_known = true;
	p->clock_due_ns = f->now_ns + CLOCK_NS;
	p->look_ns = f->now_ns;
}

/* The stream tells another time: a clock was set, or a recording began anew. */
static void
check_clock(struct pm_feed *p)
{
	struct feed *f = &p->feed;
	int64_t off_ns = f->venue_ns - pm_venue_now(p);

	if (p->clock_known && f->venue_ns != 0 &&
	    (off_ns > CLOCK_OFF_NS || off_ns < -CLOCK_OFF_NS) &&
	    f->now_ns >= p->clock_asked_ns + CLOCK_SOON_NS)
		p->clock_due_ns = f->now_ns;
	if (f->now_ns >= p->clock_due_ns)
		ask_clock(p);
	else
		feed_wake_at(f, p->clock_due_ns);
}

/* One token's book over REST each look, in turn: its hash must verify, and
 * equal ours when it is of the same moment. */
static void
ask_book(struct pm_feed *p)
{
	for (uint32_t k = 0; k < p->market_n; k++) {
		uint32_t i = p->probe_n++ % (2 * p->market_n);
		const struct pm_market *m = &p->market[i / 2];

		if (!m->used || m->is_off)
			continue;
		(void)pm_probe(p, m, i % 2); /* or at another look */
		return;
	}
}

/* Is there a market of this window, or may its slug still find one? */
static bool
is_found(const struct pm_feed *p, uint32_t series, int64_t start_s)
{
	for (uint32_t i = 0; i < PM_WANTS_N; i++) {
		const struct pm_want *w = &p->want[i];

		if (w->used && w->series == series + 1 && w->start_s == start_s)
			return w->market != 0 || !w->was_heard;
	}
	return false;
}

/* Has each series its present window, and the next when that is near? */
static bool
series_missing(const struct pm_feed *p)
{
	int64_t now_s = pm_venue_now(p) / NS_PER_S;
	int64_t ahead_s = p->feed.cfg.discovery_ahead.ns / NS_PER_S;

	for (uint32_t k = 0; k < p->series_n; k++) {
		const struct pm_series *s = &p->series[k];
		int64_t at_s = pm_series_start(s, now_s);

		if (!is_found(p, k, at_s) ||
		    (at_s + s->len_s <= now_s + ahead_s &&
			!is_found(p, k, at_s + s->len_s)))
			return true;
	}
	return false;
}

static int64_t
fetch_limit(const struct cfg *c)
{
	return c->system_mode == MODE_LIVE ? c->discovery_fetch_limit
					   : c->discovery_fetch_limit_paper;
}

/* The page that list_after names; the budget may say later. */
static void
ask_list(struct pm_feed *p)
{
	const struct cfg *c = &p->feed.cfg;
	int64_t limit = i64_clamp(fetch_limit(c) - p->list_n, 1, PAGE_N);
	char path[PATH_SZ];

	text_copy(path, sizeof(path), "/markets/keyset?closed=false&limit=");
	text_add_u64(path, sizeof(path), (uint64_t)limit);
	text_add(path, sizeof(path), "&order=liquidityNum&ascending=false");
	if (p->list_after[0] != '\0') {
		text_add(path, sizeof(path), "&after_cursor=");
		text_add_encoded(path, sizeof(path), p->list_after);
	}
	p->list_open = pm_ask(p, PM_TAG_LIST, c->polymarket_gamma_url.s, path);
	p->list_waits = !p->list_open && p->list_after[0] != '\0';
	if (p->list_waits)
		feed_wake_at(&p->feed, p->feed.now_ns + RETRY_NS);
}

/* Where the next page begins; false: there is none. */
static bool
set_cursor(struct pm_feed *p, struct json_str cursor)
{
	size_t n = json_unescape(cursor, p->list_after, sizeof(p->list_after));

	if (cursor.n > 0 && n != SIZE_MAX)
		return true;
	p->list_after[0] = '\0';
	return false;
}

/* No further than may be fetched in one look; for series alone only until
 * each has its window. */
static bool
is_list_wanted(const struct pm_feed *p)
{
	const struct cfg *c = &p->feed.cfg;

	return p->list_n < fetch_limit(c) &&
	       (c->discovery_binaries || series_missing(p));
}

static void
begin_list(struct pm_feed *p)
{
	if (p->list_open || p->list_waits || p->feed.now_ns < p->list_due_ns)
		return;
	p->list_n = 0;
	p->list_after[0] = '\0';
	p->list_take_n = 0;
	for (uint32_t i = 0; i < p->market_n; i++)
		p->market[i].was_seen = false;
	ask_list(p);
}

static void
want_slugs(struct pm_feed *p)
{
	const struct cfg_list *l = &p->feed.cfg.polymarket_slugs;

	for (uint32_t i = 0; i < l->n; i++)
		if (pm_want_find(p, l->item[i]) == NULL)
			pm_want_add(p, l->item[i]);
}

static void
look(struct pm_feed *p)
{
	struct feed *f = &p->feed;

	p->look_ns = f->now_ns + (uint64_t)f->cfg.discovery_poll.ns;
	ask_book(p);
	pm_want_windows(p);
	want_slugs(p);
	if (f->cfg.discovery_binaries || series_missing(p))
		begin_list(p);
}

/* Every slug was answered once, and the listing if it was asked for. */
static void
check_universe(struct pm_feed *p)
{
	if (p->feed.has_universe || !p->clock_tried || p->list_open ||
	    p->list_waits)
		return;
	for (uint32_t i = 0; i < PM_WANTS_N; i++)
		if (p->want[i].used && !p->want[i].was_heard &&
		    !p->want[i].is_past)
			return;
	if (series_missing(p) && !p->list_heard) {
		begin_list(p);
		if (!p->list_open)
			feed_wake_at(
			    &p->feed, p->feed.now_ns + (uint64_t)NS_PER_S / 4);
		return;
	}
	p->feed.has_universe = true;
}

void
pm_look_start(struct pm_feed *p)
{
	struct feed *f = &p->feed;
	const struct cfg_list *l = &f->cfg.polymarket_series;

	for (uint32_t i = 0; i < l->n; i++)
		if (pm_series_parse(&p->series[p->series_n], l->item[i]))
			p->series_n++;
		else
			feed_note(f, REASON_UNSUPPORTED);
	if (p->series_n == 0 && f->cfg.polymarket_slugs.n == 0 &&
	    !f->cfg.discovery_binaries)
		f->has_universe = true;
	p->look_ns = f->now_ns + RETRY_NS;
	ask_clock(p);
}

/* Its books: not before they are wanted, and not for ever. */
static void
run_market(struct pm_feed *p, struct pm_market *m)
{
	struct feed *f = &p->feed;
	const struct cfg *c = &f->cfg;
	int64_t now_ns = pm_venue_now(p);

	if (m->life_ns != 0 && now_ns >= m->life_ns && pm_describe_life(p, m))
		feed_instr(f, m->pub.idx, &m->in);
	if (m->life_ns > now_ns)
		feed_wake_at(f, f->now_ns + (uint64_t)(m->life_ns - now_ns));
	if (m->in.state != INSTR_CLOSED && m->in.state != INSTR_RESOLVED) {
		int64_t at_ns =
		    m->in.start_wall_ns - c->updown_subscribe_ahead.ns;

		if (!m->is_off || m->is_listed || m->in.cls != CLASS_UPDOWN)
			return;
		if (now_ns >= at_ns)
			pm_switch(p, m, false);
		else
			feed_wake_at(f, f->now_ns + (uint64_t)(at_ns - now_ns));
		return;
	}
	if (m->over_ns == 0)
		m->over_ns = f->now_ns;
	if (m->in.state == INSTR_RESOLVED && m->told_ns == 0)
		m->told_ns = f->now_ns;
	if (!m->is_off &&
	    (m->told_ns != 0 ||
		f->now_ns >= m->over_ns + (uint64_t)c->discovery_retire_s.ns))
		pm_switch(p, m, true);
	if (m->told_ns != 0
		? f->now_ns >= m->told_ns + (uint64_t)c->discovery_retire_s.ns
		: f->now_ns >=
		      m->over_ns + (uint64_t)c->discovery_outcome_wait.ns)
		pm_free(p, m);
	else
		feed_wake_at(f, f->now_ns + (uint64_t)NS_PER_S);
}

/* A recording began anew: what was over is open again, as another market. No
 * venue does that to a window, and one wrong answer about the time is not
 * enough: the connection is a newer one, and it tells that time too. */
static bool
is_before(const struct pm_feed *p, const struct pm_market *m)
{
	const struct feed *f = &p->feed;
	int64_t before_ns = m->in.end_wall_ns - CLOCK_OFF_NS;

	return m->in.cls == CLASS_UPDOWN && m->in.state == INSTR_CLOSED &&
	       m->over_ns != 0 && p->up_ns > m->over_ns && f->venue_ns != 0 &&
	       f->venue_ns < before_ns && pm_venue_now(p) < before_ns;
}

void
pm_look_timer(struct pm_feed *p)
{
	struct feed *f = &p->feed;

	check_clock(p);
	for (uint32_t i = 0; i < p->market_n; i++) {
		struct pm_market *m = &p->market[i];

		if (m->used && is_before(p, m))
			pm_free(p, m);
		else if (m->used)
			run_market(p, m);
	}
	if (f->now_ns >= p->look_ns)
		look(p);
	feed_wake_at(f, p->look_ns);
	if (p->list_waits)
		ask_list(p);
	pm_want_run(p);
	check_universe(p);
}

/* A slug that we were given, or of a series that we follow: *series is its
 * index + 1, *start_s by the slug. */
static bool
is_followed(const struct pm_feed *p, const char *slug, uint8_t *series,
    int64_t *start_s)
{
	const struct cfg_list *l = &p->feed.cfg.polymarket_slugs;

	*series = 0;
	*start_s = 0;
	for (uint32_t i = 0; i < p->series_n; i++)
		if (pm_series_of_slug(&p->series[i], slug, start_s)) {
			*series = (uint8_t)(i + 1);
			return true;
		}
	for (uint32_t i = 0; i < l->n; i++)
		if (strcmp(slug, l->item[i]) == 0)
			return true;
	return false;
}

/* T-05: the slug's time is primary, and the others must agree with it; what
 * was not sent is taken from it. */
static bool
window_agrees(struct pm_feed *p, struct pm_want *w, struct gamma_market *g)
{
	const struct pm_series *s = &p->series[w->series - 1];
	int64_t len_ns = s->len_s * NS_PER_S;

	if (w->start_s == 0 && g->start_ns > 0 && g->start_ns % len_ns == 0)
		w->start_s = g->start_ns / NS_PER_S;
	if (w->start_s != 0 && g->start_ns == 0)
		g->start_ns = w->start_s * NS_PER_S;
	if (w->start_s != 0 && g->end_ns == 0)
		g->end_ns = w->start_s * NS_PER_S + len_ns;
	if (g->is_updown && w->start_s != 0 &&
	    g->start_ns == w->start_s * NS_PER_S &&
	    g->end_ns == g->start_ns + len_ns)
		return true;
	feed_drop(&p->feed, REASON_WINDOW, 0, w->slug, strlen(w->slug));
	w->is_refused = true;
	return false;
}

/* 2.4: what paper and sim do not even list; placeholders nowhere. */
static bool
is_wanted_binary(const struct pm_feed *p, const struct gamma_market *g)
{
	const struct cfg *c = &p->feed.cfg;
	int64_t left_ns = g->end_ns - pm_venue_now(p);

	if (g->is_updown || !g->has_tokens || g->closed || g->archived ||
	    g->neg_risk_other || !g->accepting_orders)
		return false;
	if (c->system_mode == MODE_LIVE)
		return true;
	return !g->neg_risk &&
	       (g->end_ns == 0 ||
		   left_ns >= c->state_close_window_threshold_hours.ns);
}

/* Keep the best of this look, best first. */
static void
rank(struct pm_feed *p, usd_t liquidity)
{
	uint32_t most = (uint32_t)p->feed.cfg.discovery_top_markets;
	uint32_t i;

	CHECK(most <= PM_MARKETS_N);
	CHECK(p->list_take_n <= PM_MARKETS_N);
	if (most == 0 ||
	    (p->list_take_n >= most && p->rank[most - 1].e6 >= liquidity.e6))
		return;
	if (p->list_take_n < most)
		p->list_take_n++;
	for (i = p->list_take_n - 1; i > 0 && p->rank[i - 1].e6 < liquidity.e6;
	     i--)
		p->rank[i] = p->rank[i - 1];
	p->rank[i] = liquidity;
}

static bool
is_far(const struct pm_feed *p, const struct gamma_market *g, uint8_t series)
{
	int64_t len_ns = p->series[series - 1].len_s * NS_PER_S;

	return g->start_ns - pm_venue_now(p) >
	       p->feed.cfg.discovery_ahead.ns + len_ns;
}

/* A window of the listing that is not over, and not far ahead while there are
 * nearer ones. */
static bool
is_timely(const struct pm_feed *p, const struct gamma_market *g, uint8_t series,
    int64_t start_s)
{
	int64_t now_ns = pm_venue_now(p);
	int64_t end_s = start_s + p->series[series - 1].len_s;
	int64_t end_ns = start_s != 0 ? end_s * NS_PER_S : g->end_ns;
	uint32_t n = 0;

	if (end_ns != 0 && end_ns <= now_ns)
		return false;
	if (!is_far(p, g, series))
		return true;
	for (uint32_t i = 0; i < PM_WANTS_N; i++)
		n += p->want[i].used && p->want[i].series == series &&
		     p->want[i].market != 0;
	return n < FAR_WINDOWS;
}

/* A market of the listing: its want, or NULL: not (any more) one of ours. */
static struct pm_want *
list_want(struct pm_feed *p, const struct gamma_market *g, const char *slug,
    bool *ranked)
{
	struct pm_want *w = pm_want_find(p, slug);
	int64_t start_s;
	uint8_t series;

	*ranked = false;
	if (is_followed(p, slug, &series, &start_s)) {
		if (w == NULL &&
		    (series == 0 || is_timely(p, g, series, start_s)))
			w = pm_want_add(p, slug);
		if (w != NULL && w->series == 0) {
			w->series = series;
			w->start_s = start_s;
		}
		return w;
	}
	if (!p->feed.cfg.discovery_binaries || !is_wanted_binary(p, g))
		return w;
	rank(p, g->liquidity);
	*ranked = true;
	if (w == NULL && g->liquidity.e6 >= p->list_floor.e6 &&
	    p->list_floor.e6 > 0)
		w = pm_want_add(p, slug);
	return w;
}

/* Its metadata may name a grid that the market channel did not tell of; soon
 * after what that told it may still be the one before. */
static void
check_tick(struct pm_feed *p, struct pm_market *m, const struct gamma_market *g)
{
	int64_t now_ns = pm_venue_now(p);

	if (g->tick.tok_e8 > 0 && !g->closed &&
	    now_ns >= m->tick_ns + TICK_LAG_NS)
		pm_retick(p, m, g->tick, now_ns);
}

static void
take_known(struct pm_feed *p, struct pm_want *w, struct pm_market *m,
    const struct gamma_market *g)
{
	const struct cfg *c = &p->feed.cfg;
	bool changed;

	check_tick(p, m, g);
	changed = pm_describe(p, m, g);

	if (g->event.has_strike && w != NULL && w->series != 0)
		changed |= pm_strike_take(&m->in, STRIKE_OFFICIAL,
		    g->event.strike_px, c->updown_strike_conflict_bps.e8);
	if (g->event.has_final && m->in.close_px.e8 == 0 &&
	    m->in.cls == CLASS_UPDOWN) {
		m->in.close_px = g->event.final_px;
		changed = true;
	}
	if (changed)
		feed_instr(&p->feed, m->pub.idx, &m->in);
	pm_outcome_check(p, m);
}

/* w NULL: it came by the listing, unasked. */
static void
take_market(struct pm_feed *p, struct gamma_market *g, struct pm_want *asked)
{
	struct pm_market *m = pm_find_cond(p, &g->cond);
	char slug[PM_TEXT_SZ];
	struct pm_want *w = asked;
	bool ranked = false;
	bool off;

	if (!pm_slug(g, slug, sizeof(slug))) {
		feed_note(&p->feed, REASON_OVERLONG);
		return;
	}
	if (w == NULL || strcmp(w->slug, slug) != 0)
		w = list_want(p, g, slug, &ranked);
	if (w == NULL || w->is_refused)
		return;
	w->was_heard = true;
	if (!g->has_tokens)
		return; /* HYDRATING: asked again */
	if (w->series != 0 && !window_agrees(p, w, g))
		return;
	if (m == NULL) {
		if (g->closed && asked == NULL)
			return;
		off = g->closed || w->is_past ||
		      (w->series != 0 && !is_far(p, g, w->series));
		m = pm_add(p, g, off);
		if (m == NULL)
			return;
		m->want = (uint16_t)(w - p->want + 1);
		m->is_listed = ranked;
		w->market = (uint16_t)(m - p->market + 1);
		pm_settle_new(p, m);
		if (!w->is_open)
			pm_want_plan(p, w);
	}
	m->was_seen =
	    m->was_seen ||
	    (ranked && g->liquidity.e6 * 100 >= p->list_floor.e6 * LEAVE_FRAC);
	take_known(p, w, m, g);
	run_market(p, m);
}

static bool
take_body(struct pm_feed *p, const struct feed_event *ev, struct pm_want *asked,
    struct gamma_answer *answer)
{
	gamma_init(answer, ev->data, ev->n);
	for (;;) {
		enum gamma_kind kind = gamma_next(answer, &p->gamma);

		if (kind == GAMMA_END)
			return true;
		if (kind == GAMMA_ERR) {
			feed_drop(&p->feed, p->gamma.reason, p->gamma.err_off,
			    ev->data, ev->n);
			return false;
		}
		p->list_n += asked == NULL;
		if (kind == GAMMA_MARKET)
			take_market(p, &p->gamma, asked);
		else
			feed_drop(&p->feed, p->gamma.reason, p->gamma.err_off,
			    p->gamma.slug.s, p->gamma.slug.n);
	}
}

/* Markets of the listing that did not show up again. */
static void
end_list(struct pm_feed *p)
{
	uint32_t most = (uint32_t)p->feed.cfg.discovery_top_markets;
	bool first = p->list_floor.e6 == 0;

	p->list_open = false;
	p->list_heard = true;
	p->list_floor = USD(p->list_take_n == 0	    ? 0
			    : p->list_take_n < most ? 1
						    : p->rank[most - 1].e6);
	for (uint32_t i = 0; i < p->market_n; i++) {
		struct pm_market *m = &p->market[i];

		if (!m->used || !m->is_listed || m->over_ns != 0)
			continue;
		m->missed = m->was_seen ? 0 : (uint8_t)(m->missed + 1);
		if (m->is_off && m->was_seen)
			pm_switch(p, m, false);
		if (!m->is_off && m->missed >= p->feed.cfg.discovery_miss_looks)
			pm_switch(p, m, true);
		if (m->missed == UINT8_MAX)
			m->missed = UINT8_MAX - 1;
	}
	if (first && p->list_floor.e6 != 0)
		begin_list(p);
}

static void
take_list(struct pm_feed *p, const struct feed_event *ev)
{
	struct gamma_answer answer;
	uint32_t n = p->list_n;

	p->list_open = false;
	if (ev->code != 200 || !take_body(p, ev, NULL, &answer)) {
		p->list_due_ns = p->feed.now_ns + RETRY_NS;
		return;
	}
	if (p->list_n == n)
		p->list_n += PAGE_N; /* empty pages come to an end */
	if (set_cursor(p, answer.next_cursor) && is_list_wanted(p))
		ask_list(p);
	if (!p->list_open && !p->list_waits)
		end_list(p);
}

/* An hourly window has two forms of its slug. */
static void
not_found(struct pm_feed *p, struct pm_want *w)
{
	const struct pm_series *s;

	if (w->series == 0 || !w->by_series || w->is_event || w->market != 0)
		return;
	s = &p->series[w->series - 1];
	if (!s->is_hourly)
		return;
	w->by_year = !w->by_year;
	pm_series_slug(s, w->start_s, w->by_year, w->slug, sizeof(w->slug));
}

/* Nothing is asked for a while, of whatever kind; what we have stays. */
static void
hold(struct pm_feed *p, const struct feed_event *ev, const char *about)
{
	struct feed *f = &p->feed;
	uint64_t ns = RETRY_NS / 2;

	for (uint32_t i = 0; i < p->failures_n && ns < HOLD_MAX_NS; i++)
		ns *= 2;
	if (p->failures_n < 16)
		p->failures_n++;
	if (ns > HOLD_MAX_NS)
		ns = HOLD_MAX_NS;
	if (ev->retry_after_s > 0)
		ns = (uint64_t)ev->retry_after_s * (uint64_t)NS_PER_S;
	if (p->hold_ns < f->now_ns + ns)
		p->hold_ns = f->now_ns + ns;
	feed_failed(f, ev, "market data of the venue", about);
}

static void
take_want(struct pm_feed *p, struct pm_want *w, const struct feed_event *ev,
    bool failed)
{
	struct gamma_answer answer;

	if (failed) {
		w->is_open = false;
		w->was_heard = false;
		w->due_ns = p->hold_ns;
		return;
	}
	w->was_heard = true;
	if (ev->code == 200)
		take_body(p, ev, w, &answer);
	else
		not_found(p, w);
	w->is_open = false;
	if (w->used)
		pm_want_plan(p, w);
}

/* Asked too often, or at the wrong moment. */
static bool
is_throttled(uint16_t code)
{
	return code == 418 || code == 425 || code == 429;
}

void
pm_asked_book(struct pm_feed *p, const struct feed_event *ev)
{
	if (p->books_n == 0)
		return; /* nobody asked */
	p->books_n--;
	CHECK(p->asks_n > 0);
	p->asks_n--;
	if (is_throttled(ev->code))
		hold(p, ev, "a book");
}

void
pm_look_answer(struct pm_feed *p, const struct feed_event *ev)
{
	struct pm_want *w = pm_want_of_tag(p, ev->tag);
	bool failed =
	    ev->code != 200 && (ev->code < 400 || ev->code >= 500 ||
				   ev->code == 408 || is_throttled(ev->code));

	CHECK(p->asks_n > 0);
	p->asks_n--;
	if (failed)
		hold(p, ev,
		    w != NULL		     ? w->slug
		    : ev->tag == PM_TAG_TIME ? "its clock"
		    : ev->tag == PM_TAG_LIST ? "its listing"
					     : "");
	else
		p->failures_n = 0;
	if (ev->tag == PM_TAG_TIME)
		take_clock(p, ev);
	else if (ev->tag == PM_TAG_LIST)
		take_list(p, ev);
	else if (w != NULL)
		take_want(p, w, ev, failed);
	pm_look_timer(p);
}

/* It may be a window that was not listed yet. */
void
pm_look_new_market(struct pm_feed *p, const struct pm_event *ev)
{
	char slug[PM_TEXT_SZ];
	struct pm_want *w;

	if (gamma_decode(&p->gamma, ev->body.s, ev->body.n) != GAMMA_MARKET ||
	    !pm_slug(&p->gamma, slug, sizeof(slug)))
		return; /* a kind of market we do not trade */
	w = pm_want_find(p, slug);
	if (w == NULL || w->market != 0 || w->is_open || w->is_refused)
		return;
	w->due_ns = p->feed.now_ns + RETRY_NS;
	feed_wake_at(&p->feed, w->due_ns);
}
