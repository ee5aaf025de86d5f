/*
 * Names of the configuration that Polymarket does not know: series and slugs
 * without a market, price symbols without a price.
 */
#include <string.h>

#include "feedd/pm_feed.h"
#include "feedd/pm_sub.h"

#define LIVED_NS UINT64_C(2000000000)

/* Heard of at all, and a market of it. */
static void
heard(const struct pm_feed *p, uint32_t series, const char *slug, bool found[2])
{
	found[0] = false;
	found[1] = false;
	for (uint32_t i = 0; i < PM_WANTS_N; i++) {
		const struct pm_want *w = &p->want[i];

		if (!w->used || (slug == NULL ? w->series != series + 1
					      : strcmp(w->slug, slug) != 0))
			continue;
		found[0] |= w->was_heard;
		found[1] |= w->market != 0;
	}
}

static void
look_for(struct pm_feed *p, struct unknown *u, const struct feed_name *name,
    const bool found[2])
{
	struct feed_name copy = *name;

	copy.is_known = found[1];
	copy.can_tell = p->failures_n == 0 && found[0];
	feed_unknown(&p->feed, u, &copy);
}

static void
check_series(struct pm_feed *p)
{
	const struct cfg_list *l = &p->feed.cfg.polymarket_series;
	uint32_t k = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		struct feed_name name = {
		    "polymarket.series", l->item[i], UNKNOWN_AFTER_NS};
		struct pm_series s;
		bool found[2] = {true, false};

		if (pm_series_parse(&s, l->item[i]))
			heard(p, k++, NULL, found);
		else
			name.after_ns = 0; /* no form of a slug */
		look_for(p, &p->no_series[i], &name, found);
	}
}

static void
check_slugs(struct pm_feed *p)
{
	const struct cfg_list *l = &p->feed.cfg.polymarket_slugs;

	for (uint32_t i = 0; i < l->n; i++) {
		struct feed_name name = {
		    "polymarket.slugs", l->item[i], UNKNOWN_AFTER_NS};
		bool found[2];

		heard(p, 0, l->item[i], found);
		look_for(p, &p->no_slug[i], &name, found);
	}
}

static void
check_symbols(struct pm_feed *p)
{
	struct feed *f = &p->feed;
	const struct link *link = &f->link[feed_best(f, PM_REF_CONN)];
	bool can_tell =
	    link_is_live(link) && f->now_ns >= link->up_ns + LIVED_NS;

	for (uint32_t i = 0; i < p->index_n; i++) {
		struct feed_name name = {"polymarket.rtds_symbols",
		    p->index[i].in.symbol, UNKNOWN_AFTER_NS};

		for (int s = 0; s < REF_SOURCE_N; s++)
			name.is_known |= p->index[i].last_px[s].e8 != 0;
		name.can_tell = can_tell;
		if (name.is_known || can_tell)
			feed_unknown(f, &p->no_symbol[i], &name);
	}
}

void
pm_unknown_run(struct pm_feed *p)
{
	struct feed *f = &p->feed;

	if (!f->has_universe)
		return;
	check_series(p);
	check_slugs(p);
	check_symbols(p);
	feed_wake_at(f, f->now_ns + UNKNOWN_AFTER_NS);
}
