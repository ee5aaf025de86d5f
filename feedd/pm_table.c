#include <string.h>

#include "feedd/pm_feed.h"
#include "feedd/pm_sub.h"
#include "feedd/text.h"
#include "libcore/check.h"

int64_t
pm_venue_now(const struct pm_feed *p)
{
	return p->feed.wall_ns + (p->clock_known ? p->clock_off_ns : 0);
}

static void
map_put(struct pm_feed *p, uint32_t i, uint32_t role_idx)
{
	const struct pm_token *t = &p->market[i].tok[role_idx].id;
	uint32_t at = (uint32_t)pm_token_hash(t) % PM_MAP_N;

	while (p->map[at] != 0)
		at = (at + 1) % PM_MAP_N;
	p->map[at] = (uint16_t)(i * 2 + role_idx + 1);
}

static void
map_rebuild(struct pm_feed *p)
{
	memset(p->map, 0, sizeof(p->map));
	for (uint32_t i = 0; i < p->market_n; i++) {
		if (!p->market[i].used)
			continue;
		map_put(p, i, 0);
		map_put(p, i, 1);
	}
}

struct pm_market *
pm_find(struct pm_feed *p, const struct pm_token *t, enum token_role *role)
{
	uint32_t at = (uint32_t)pm_token_hash(t) % PM_MAP_N;

	for (; p->map[at] != 0; at = (at + 1) % PM_MAP_N) {
		uint32_t v = p->map[at] - 1u;
		struct pm_market *m = &p->market[v / 2];

		if (!pm_token_eq(&m->tok[v % 2].id, t))
			continue;
		*role = v % 2 == 0 ? ROLE_YES : ROLE_NO;
		return m;
	}
	return NULL;
}

struct pm_market *
pm_find_cond(struct pm_feed *p, const struct pm_cond *c)
{
	for (uint32_t i = 0; i < p->market_n; i++)
		if (p->market[i].used &&
		    memcmp(&p->market[i].cond, c, sizeof(*c)) == 0)
			return &p->market[i];
	return NULL;
}

bool
pm_slug(const struct gamma_market *g, char *buf, size_t cap)
{
	size_t n = json_unescape(g->slug, buf, cap);

	if (n < cap && n > 0)
		return true;
	buf[0] = '\0';
	return false;
}

/* A number the way the venue writes it, for the book hash. */
static void
meta_text(struct pm_meta_text *t, bool *has, int64_t e8)
{
	char buf[FIXED_TEXT_MAX];
	size_t n = fixed_format(e8, 8, buf);

	if (e8 <= 0 || n > sizeof(t->s))
		return;
	memcpy(t->s, buf, n);
	t->n = (uint8_t)n;
	*has = true;
}

static void
init_tok(
    struct pm_tok *t, const struct pm_token *id, const struct gamma_market *g)
{
	memset(t, 0, offsetof(struct pm_tok, level));
	t->id = *id;
	pm_meta_init(&t->meta);
	meta_text(&t->meta.min_size, &t->meta.has_min_size, g->min_size.e8);
	meta_text(&t->meta.tick, &t->meta.has_tick, g->tick.tok_e8);
	t->meta.neg_risk = g->neg_risk ? PM_NEG_RISK_TRUE : PM_NEG_RISK_FALSE;
	book_init(&t->book, t->level, BOOK_DEPTH);
}

void
pm_recall(struct feed *f, uint16_t idx, const struct instr *in)
{
	struct pm_feed *p = pm_of(f);
	uint32_t i = idx - (INSTR_PM_BASE + PM_INDEX_N);
	struct pm_market *m;

	if (idx < INSTR_PM_BASE + PM_INDEX_N || i >= PM_MARKETS_N)
		return;
	m = &p->market[i];
	CHECK(!m->used);
	memcpy(m->cond.b, in->condition, sizeof(m->cond.b));
	m->in.epoch = in->epoch;
	m->in.end_wall_ns = in->end_wall_ns;
	m->is_recalled = true;
	if (p->market_n <= i)
		p->market_n = i + 1;
}

/* Its market of the life before may yet be found again. */
static bool
is_awaited(const struct pm_feed *p, const struct pm_market *m)
{
	return m->is_recalled &&
	       (m->in.end_wall_ns == 0 || m->in.end_wall_ns > pm_venue_now(p));
}

/* The one that held the market last; else one that nobody waits for, else a
 * new one, else any. */
static struct pm_market *
free_entry(struct pm_feed *p, const struct pm_cond *cond)
{
	struct pm_market *any = NULL;
	struct pm_market *best = NULL;

	for (uint32_t i = 0; i < p->market_n; i++) {
		struct pm_market *m = &p->market[i];

		if (m->used)
			continue;
		if (memcmp(m->cond.b, cond->b, sizeof(cond->b)) == 0)
			return m;
		if (best == NULL && !is_awaited(p, m))
			best = m;
		if (any == NULL)
			any = m;
	}
	if (best == NULL && p->market_n < PM_MARKETS_N)
		best = &p->market[p->market_n++];
	return best != NULL ? best : any;
}

struct pm_market *
pm_add(struct pm_feed *p, const struct gamma_market *g, bool off)
{
	struct feed *f = &p->feed;
	uint8_t shard = pm_room(p, FEED_LANES);
	struct pm_market *m =
	    shard == FEED_LANES ? NULL : free_entry(p, &g->cond);
	uint16_t epoch;
	uint32_t i;

	CHECK(g->has_tokens);
	if (m == NULL) {
		feed_log(f, FEED_LOG_TABLE_FULL, 0, REASON_FULL, PM_MARKETS_N);
		return NULL;
	}
	i = (uint32_t)(m - p->market);
	epoch = (uint16_t)(m->in.epoch + 1);
	memset(m, 0, offsetof(struct pm_market, tok));
	m->used = true;
	m->is_off = true;
	m->cond = g->cond;
	m->in.epoch = epoch;
	m->in.state = INSTR_HYDRATING;
	m->pub.idx = (uint16_t)(INSTR_PM_BASE + PM_INDEX_N + i);
	m->pub.epoch = epoch;
	m->pub.conn = shard;
	pub_forget(&m->pub);
	init_tok(&m->tok[0], &g->yes, g);
	init_tok(&m->tok[1], &g->no, g);
	map_put(p, i, 0);
	map_put(p, i, 1);
	pm_describe(p, m, g);
	f->instr_n++;
	feed_instr(f, m->pub.idx, &m->in);
	feed_log(f, FEED_LOG_ADDED, m->pub.idx, REASON_NONE, m->in.tick_px.e8);
	if (!off)
		pm_switch(p, m, false);
	return m;
}

void
pm_switch(struct pm_feed *p, struct pm_market *m, bool off)
{
	uint8_t shard = pm_room(p, FEED_LANES);

	CHECK(m->used);
	if (m->is_off == off)
		return;
	if (off) {
		pm_leave(p, m);
		m->is_off = true;
		if (m->pub.is_valid)
			feed_gap(&p->feed, &m->pub, REASON_STATE, 0);
		pm_forget(m);
		m->resnap_due_ns = 0;
		pm_check_complete(p, m->pub.conn);
		return;
	}
	if (shard == FEED_LANES) {
		feed_log(&p->feed, FEED_LOG_TABLE_FULL, m->pub.idx, REASON_FULL,
		    PM_MARKETS_N);
		return;
	}
	m->pub.conn = shard;
	m->is_off = false;
	pm_join(p, m);
}

void
pm_free(struct pm_feed *p, struct pm_market *m)
{
	struct feed *f = &p->feed;

	CHECK(m->used);
	pm_switch(p, m, true);
	if (m->in.state != INSTR_RESOLVED && m->in.state != INSTR_CLOSED) {
		m->in.state = INSTR_CLOSED;
		feed_instr(f, m->pub.idx, &m->in);
	}
	feed_log(f, FEED_LOG_RETIRED, m->pub.idx, REASON_NONE, 0);
	if (m->want != 0) {
		struct pm_want *w = &p->want[m->want - 1];

		w->market = 0;
		if (w->series != 0 || m->is_listed)
			pm_want_drop(p, w);
		else
			w->is_refused = true; /* given by name, and over */
	}
	pub_forget(&m->pub);
	m->used = false;
	f->instr_n--;
	map_rebuild(p);
	pm_check_complete(p, m->pub.conn);
}
