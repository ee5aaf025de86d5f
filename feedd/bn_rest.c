/*
 * What Binance is asked for over HTTP: snapshots of the book, and the terms
 * of the symbols.
 */
#include <string.h>

#include "feedd/bn_feed.h"
#include "feedd/text.h"
#include "libcore/check.h"

#define LIVED_NS	  UINT64_C(2000000000) /* a stream answers within */
#define SNAPSHOT_RETRY_NS UINT64_C(1000000000)

void
bn_ask_snapshot(struct feed *f, uint32_t i)
{
	struct bn_symbol *s = &bn_of(f)->symbol[i];
	char url[FEED_URL_MAX];

	if (s->is_asking)
		return;
	if (f->now_ns < s->ask_ns) {
		feed_wake_at(f, s->ask_ns);
		return;
	}
	s->is_asking = true;
	s->ask_ns = f->now_ns + SNAPSHOT_RETRY_NS;
	text_join(url, sizeof(url), f->cfg.binance_rest_url.s,
	    "/api/v3/depth?limit=1000&symbol=");
	text_add(url, sizeof(url), s->name);
	feed_get(f, i, url, NULL);
}

void
bn_check_names(struct feed *f)
{
	struct bn_feed *b = bn_of(f);
	const struct link *l = &f->link[feed_best(f, 0)];
	bool can_tell = link_is_live(l) && f->now_ns >= l->up_ns + LIVED_NS;

	for (uint32_t i = 0; i < b->symbol_n; i++) {
		struct bn_symbol *s = &b->symbol[i];
		struct feed_name name = {"binance.symbols", s->name,
		    UNKNOWN_AFTER_NS, s->was_seen, true};

		/* A wrong name alone keeps no connection: what is between
		 * them counts too. */
		if (s->was_seen || can_tell)
			feed_unknown(f, &s->unseen, &name);
		if (!s->was_seen && link_is_live(l))
			feed_wake_at(f, f->now_ns + LIVED_NS);
	}
}

/* The reference is never traded: another tick is no other epoch. */
static void
take_terms(struct feed *f, const struct bn_item *item)
{
	struct bn_feed *b = bn_of(f);
	int i = bn_find(b, item->symbol, false);

	if (i < 0 || !bn_info_apply(&b->symbol[i].in, item))
		return;
	feed_instr(f, b->symbol[i].pub.idx, &b->symbol[i].in);
}

/* The venue's limits are of our address: whatever was refused for them, all
 * requests wait. */
static void
hold_requests(struct feed *f, const struct feed_event *in)
{
	struct bn_feed *b = bn_of(f);
	uint64_t until_ns =
	    f->now_ns + (uint64_t)in->retry_after_s * (uint64_t)NS_PER_S;

	if (in->retry_after_s == 0)
		return;
	bn_info_hold(&b->info, until_ns);
	for (uint32_t i = 0; i < b->symbol_n; i++)
		if (b->symbol[i].ask_ns < until_ns)
			b->symbol[i].ask_ns = until_ns;
}

void
bn_take_http(struct feed *f, const struct feed_event *in)
{
	struct bn_feed *b = bn_of(f);
	struct bn_symbol *s;
	struct bn_event *ev = &b->ev;

	hold_requests(f, in);
	if (in->tag == BN_TAG_INFO) {
		bn_info_take(&b->info, f, in, take_terms);
		return;
	}
	CHECK(in->tag < b->symbol_n);
	s = &b->symbol[in->tag];
	s->is_asking = false;
	if (!feed_is_live(f, feed_best(f, 0)) || s->depth.sync == BN_SYNC_OK)
		return;
	if (in->code != 200) {
		feed_failed(f, in, "depth snapshot", s->name);
		bn_ask_snapshot(f, in->tag);
		return;
	}
	if (bn_decode(ev, in->data, in->n) != BN_SNAPSHOT) {
		feed_drop(f,
		    ev->kind == BN_ERR ? ev->reason : REASON_UNKNOWN_EVENT,
		    ev->err_off, in->data, in->n);
		bn_ask_snapshot(f, in->tag);
		return;
	}
	if (!bn_depth_snapshot(&s->depth, ev)) {
		feed_note(f, REASON_SEQ_OLD);
		bn_ask_snapshot(f, in->tag);
		return;
	}
	bn_publish_book(f, s, ev->venue_ns);
	bn_check_lanes(f);
}
