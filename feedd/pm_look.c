/*
 * Discovery: which markets exist.
 *
 * With a live venue the slugs are known beforehand: series and window start,
 * the present window and the next. The simulator has whatever was recorded:
 * there, and when no slug gave a market, the list is asked for and filtered.
 */
#include <string.h>

#include "feedd/pm_feed.h"
#include "feedd/text.h"
#include "libcore/check.h"

#define TAG_SLUG  1u
#define TAG_LIST  2u
#define RETRY_NS  UINT64_C(2000000000)
#define WINDOWS_N 2
#define RETIRE_NS INT64_C(120000000000)
#define LIST_MAX  100u

static void
ask(struct pm_feed *p, uint32_t tag, const char *path, const char *tail)
{
	char url[FEED_URL_MAX];

	text_join(url, sizeof(url), p->feed.cfg.polymarket_gamma_url.s, path);
	text_add(url, sizeof(url), tail);
	p->look_open_n++;
	feed_get(&p->feed, tag, url, NULL);
}

/* Length of a series' windows from the end of its name: 5m, 15m, 1h, 4h. */
static int64_t
window_s(const char *series)
{
	const char *dash = strrchr(series, '-');
	int64_t n = 0;

	if (dash == NULL)
		return 0;
	for (dash++; *dash >= '0' && *dash <= '9' && n < 10000; dash++)
		n = n * 10 + (*dash - '0');
	if (dash[0] == '\0' || dash[1] != '\0')
		return 0;
	return *dash == 'm' ? n * 60 : *dash == 'h' ? n * 3600 : 0;
}

static void
ask_windows(struct pm_feed *p, const char *series)
{
	int64_t len_s = window_s(series);
	int64_t now_s = p->feed.wall_ns / NS_PER_S;

	if (len_s <= 0 || now_s <= 0)
		return;
	for (int64_t k = 0; k < WINDOWS_N; k++) {
		char slug[CFG_ITEM_SZ + 24];

		text_join(slug, sizeof(slug), series, "-");
		text_add_u64(slug, sizeof(slug),
		    (uint64_t)((now_s / len_s + k) * len_s));
		ask(p, TAG_SLUG, "/markets/slug/", slug);
	}
}

static void
ask_list(struct pm_feed *p)
{
	const struct cfg *cfg = &p->feed.cfg;
	int64_t limit =
	    cfg->system_mode == MODE_SIM || cfg->system_mode == MODE_PAPER
		? cfg->discovery_fetch_limit_paper
		: cfg->discovery_fetch_limit;
	char n[FIXED_TEXT_MAX];

	fixed_format(i64_min(limit, LIST_MAX), 0, n);
	p->look_listed = true;
	ask(p, TAG_LIST, "/markets/keyset?closed=false&limit=", n);
}

/* One token's book over REST each look, in turn: its hash must verify, and
 * equal ours when it is of the same moment. */
static void
ask_book(struct pm_feed *p)
{
	char url[FEED_URL_MAX];
	char id[PM_TOKEN_TEXT_MAX];

	for (uint32_t k = 0; k < p->market_n; k++) {
		uint32_t i = p->probe_n++ % (2 * p->market_n);
		const struct pm_market *m = &p->market[i / 2];

		if (!m->used)
			continue;
		pm_token_format(&m->tok[i % 2].id, id);
		text_join(url, sizeof(url), p->feed.cfg.polymarket_rest_url.s,
		    "/book?token_id=");
		text_add(url, sizeof(url), id);
		feed_get(&p->feed, FEED_TAG_BOOK, url, NULL);
		return;
	}
}

void
pm_look(struct pm_feed *p)
{
	struct feed *f = &p->feed;
	const struct cfg *cfg = &f->cfg;

	p->look_ns = f->now_ns + (uint64_t)cfg->discovery_poll.ns;
	feed_wake_at(f, p->look_ns);
	ask_book(p);
	if (p->look_open_n > 0)
		return;
	p->look_found_n = 0;
	p->look_listed = false;
	p->look_failed = false;
	if (cfg->polymarket_series.n == 0 && cfg->polymarket_slugs.n == 0) {
		f->has_universe = true;
		return;
	}
	if (cfg->system_mode == MODE_SIM) {
		ask_list(p);
		return;
	}
	for (uint32_t i = 0; i < cfg->polymarket_series.n; i++)
		ask_windows(p, cfg->polymarket_series.item[i]);
	for (uint32_t i = 0; i < cfg->polymarket_slugs.n; i++)
		ask(p, TAG_SLUG, "/markets/slug/",
		    cfg->polymarket_slugs.item[i]);
	if (p->look_open_n == 0)
		f->has_universe = true;
}

/* Is it a window of a series we follow, or a slug we were given? */
static bool
is_followed(const struct cfg *cfg, const char *slug)
{
	for (uint32_t i = 0; i < cfg->polymarket_series.n; i++) {
		const char *series = cfg->polymarket_series.item[i];

		if (text_starts(slug, series) && slug[strlen(series)] == '-')
			return true;
	}
	for (uint32_t i = 0; i < cfg->polymarket_slugs.n; i++)
		if (strcmp(slug, cfg->polymarket_slugs.item[i]) == 0)
			return true;
	return false;
}

static bool
is_over(const struct pm_feed *p, const struct instr *in)
{
	int64_t now_ns = pm_venue_now(p);

	if (in->state == INSTR_RESOLVED || in->state == INSTR_CLOSED)
		return true;
	return in->cls == CLASS_UPDOWN && in->end_wall_ns != 0 &&
	       now_ns > in->end_wall_ns + RETIRE_NS;
}

static void
take_market(struct pm_feed *p, const struct gamma_market *g)
{
	struct pm_market *m = pm_find_cond(p, &g->cond);
	char slug[CFG_ITEM_SZ + 24];

	pm_slug(g, slug, sizeof(slug));
	if (!is_followed(&p->feed.cfg, slug))
		return;
	p->look_found_n++;
	if (!g->has_tokens)
		return; /* not open yet: the next look will see */
	if (m != NULL) {
		if (pm_describe(p, m, g))
			feed_instr(&p->feed, m->pub.idx, &m->in);
		return;
	}
	if (!g->closed)
		pm_add(p, g);
}

static void
take_answer(struct pm_feed *p, const struct feed_event *ev)
{
	struct gamma_answer answer;

	gamma_init(&answer, ev->data, ev->n);
	for (;;) {
		enum gamma_kind kind = gamma_next(&answer, &p->gamma);

		if (kind == GAMMA_END)
			break;
		if (kind == GAMMA_ERR) {
			feed_drop(&p->feed, p->gamma.reason, p->gamma.err_off,
			    ev->data, ev->n);
			p->look_failed = true;
			break;
		}
		if (kind == GAMMA_MARKET)
			take_market(p, &p->gamma);
		else
			feed_drop(&p->feed, p->gamma.reason, p->gamma.err_off,
			    p->gamma.slug.s, p->gamma.slug.n);
	}
}

void
pm_look_answer(struct pm_feed *p, const struct feed_event *ev)
{
	struct feed *f = &p->feed;

	CHECK(p->look_open_n > 0);
	p->look_open_n--;
	if (ev->code == 200) {
		take_answer(p, ev);
	} else if (ev->code != 404) { /* 404: the window is not listed yet */
		struct feed_act a = {.what = FEED_LOG,
		    .log = FEED_LOG_DISCOVERY,
		    .code = ev->code};

		a.text = "no answer on markets";
		a.n = strlen(a.text);
		f->sink->act(f->sink->user, &a);
		p->look_failed = true;
	}
	if (p->look_open_n > 0)
		return;
	pm_look_retire(p);
	if (p->look_found_n == 0 && !p->look_listed && !p->look_failed) {
		ask_list(p);
		return;
	}
	if (!p->look_failed) {
		f->has_universe = true;
		return;
	}
	p->look_ns = f->now_ns + RETRY_NS;
	feed_wake_at(f, p->look_ns);
}

void
pm_look_retire(struct pm_feed *p)
{
	for (uint32_t i = 0; i < p->market_n; i++) {
		struct pm_market *m = &p->market[i];

		if (!m->used || !is_over(p, &m->in))
			continue;
		pm_retire(p, m,
		    m->in.state == INSTR_RESOLVED ? INSTR_RESOLVED
						  : INSTR_CLOSED);
	}
}

void
pm_look_new_market(struct pm_feed *p, const struct pm_event *ev)
{
	char slug[CFG_ITEM_SZ + 24];

	if (gamma_decode(&p->gamma, ev->body.s, ev->body.n) != GAMMA_MARKET)
		return; /* a kind of market we do not trade */
	pm_slug(&p->gamma, slug, sizeof(slug));
	if (!is_followed(&p->feed.cfg, slug))
		return;
	if (pm_find_cond(p, &p->gamma.cond) != NULL)
		return;
	p->look_ns = p->feed.now_ns + RETRY_NS;
	feed_wake_at(&p->feed, p->look_ns);
}
