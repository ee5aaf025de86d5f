#include "feedd/pm_merge.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"

static void
count(uint8_t *n)
{
	if (*n < UINT8_MAX)
		(*n)++;
}

bool
pm_seen_take(struct pm_seen *s, uint32_t lane, uint64_t id)
{
	struct pm_seen_row *r = &s->row[id % PM_SEEN_ROW];
	uint32_t i = 0;

	CHECK(lane < PM_LANES);
	CHECK(id != 0);
	while (i < PM_SEEN_WAY && r->id[i] != id)
		i++;
	if (i == PM_SEEN_WAY) {
		i = r->next;
		r->next = (uint8_t)((r->next + 1) % PM_SEEN_WAY);
		r->id[i] = id;
		memset(r->n[i], 0, sizeof(r->n[i]));
	}
	count(&r->n[i][lane]);
	return r->n[i][lane] > r->n[i][1 - lane];
}

static bool
is_touched(const struct pm_order *o, uint64_t level)
{
	if (level == 0 || o->level_n > PM_ORDER_LEVELS)
		return true;
	for (uint32_t i = 0; i < o->level_n; i++)
		if (o->level[i] == level)
			return true;
	return false;
}

static enum pm_merge
apply(struct pm_order *o, const struct pm_order_msg *m)
{
	if (m->venue_ns != o->at_ns) {
		o->at_ns = m->venue_ns;
		o->applied_n = 0;
		o->level_n = 0;
		memset(o->lane_n, 0, sizeof(o->lane_n));
	}
	o->applied_n++;
	o->lane_n[m->lane]++;
	if (m->level == 0 || o->level_n >= PM_ORDER_LEVELS)
		o->level_n = PM_ORDER_LEVELS + 1;
	else
		o->level[o->level_n++] = m->level;
	return PM_MERGE_APPLY;
}

enum pm_merge
pm_order_take(struct pm_order *o, const struct pm_order_msg *m)
{
	CHECK(m->lane < PM_LANES);
	if (!m->is_news) {
		o->lane_n[m->lane] += m->venue_ns == o->at_ns;
		return PM_MERGE_SEEN;
	}
	if (m->venue_ns > o->at_ns)
		return apply(o, m);
	if (m->venue_ns == o->at_ns &&
	    (o->lane_n[m->lane] == o->applied_n || !is_touched(o, m->level)))
		return apply(o, m);
	return m->venue_ns < o->snap_ns ? PM_MERGE_COVERED : PM_MERGE_LATE;
}

enum pm_merge
pm_order_alone(struct pm_order *o, const struct pm_order_msg *m)
{
	CHECK(m->lane < PM_LANES);
	if (m->venue_ns < o->at_ns)
		return PM_MERGE_COVERED;
	return apply(o, m);
}

void
pm_order_begin(struct pm_order *o, int64_t venue_ns)
{
	memset(o, 0, sizeof(*o));
	o->at_ns = venue_ns;
	o->snap_ns = venue_ns;
}

static uint64_t
id_of(uint64_t h)
{
	return h == 0 ? 1 : h;
}

static uint64_t
hash_token(enum pm_kind kind, const struct pm_token *t, int64_t venue_ns)
{
	uint64_t h = hash_u64(HASH_SEED, kind);

	return hash_u64(hash_bytes(h, t, sizeof(*t)), (uint64_t)venue_ns);
}

static uint64_t
hash_touch(uint64_t h, const struct pm_touch *t)
{
	h = hash_u64(h, t->state);
	return t->state == PM_TOUCH_PRICE ? hash_u64(h, (uint64_t)t->px.tok_e8)
					  : h;
}

uint64_t
pm_id_change(const struct pm_change *c, int64_t venue_ns, uint64_t life)
{
	uint64_t h = hash_token(PM_PRICE_CHANGE, &c->token, venue_ns);

	h = hash_u64(h, life);
	h = hash_u64(h, (uint64_t)c->px.tok_e8);
	h = hash_u64(h, (uint64_t)c->qty.e8);
	h = hash_u64(h, c->side);
	h = hash_touch(h, &c->best_bid);
	h = hash_touch(h, &c->best_ask);
	if (c->has_hash)
		h = hash_bytes(h, c->hash, PM_HASH_LEN);
	return id_of(h);
}

static uint64_t
hash_levels(uint64_t h, const struct pm_level *l, uint32_t n)
{
	h = hash_u64(h, n);
	for (uint32_t i = 0; i < n; i++) {
		h = hash_u64(h, (uint64_t)l[i].px.tok_e8);
		h = hash_u64(h, (uint64_t)l[i].qty.e8);
	}
	return h;
}

uint64_t
pm_id_book(const struct pm_event *ev, uint64_t life)
{
	uint64_t h = hash_token(PM_BOOK, &ev->token, ev->venue_ns);

	CHECK(ev->kind == PM_BOOK);
	h = hash_u64(h, life);
	h = hash_levels(h, ev->bids, ev->bids_n);
	return id_of(hash_levels(h, ev->asks, ev->asks_n));
}

uint64_t
pm_id_trade(const struct pm_event *ev)
{
	uint64_t h = hash_token(PM_TRADE, &ev->token, ev->venue_ns);

	CHECK(ev->kind == PM_TRADE);
	h = hash_u64(h, (uint64_t)ev->px.tok_e8);
	h = hash_u64(h, (uint64_t)ev->qty.e8);
	return id_of(hash_u64(h, ev->side));
}

uint64_t
pm_id_level(enum side side, tok_px_t px)
{
	return (uint64_t)px.tok_e8 * 2 + (side == SIDE_BID ? 2 : 1);
}
