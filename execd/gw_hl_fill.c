/*
 * Fills at Hyperliquid: each booked once, by (oid, tid, time), and followed
 * by the positions that they start from.
 */
#include <string.h>

#include "execd/gw_hl_int.h"
#include "libcore/check.h"

static bool
key_seen(struct gwhl_book *b, uint64_t key)
{
	const uint32_t cap = 2 * GWHL_KEYS;
	uint32_t i = (uint32_t)(key % cap);

	while (b->key_set[i] != 0 && b->key_set[i] != key)
		i = (i + 1) % cap;
	return b->key_set[i] == key;
}

/* Linear probing: what follows a removed key moves up. */
static void
key_remove(struct gwhl_book *b, uint64_t key)
{
	const uint32_t cap = 2 * GWHL_KEYS;
	uint32_t i = (uint32_t)(key % cap);

	while (b->key_set[i] != key) {
		CHECK(b->key_set[i] != 0);
		i = (i + 1) % cap;
	}
	b->key_set[i] = 0;
	for (uint32_t k = (i + 1) % cap; b->key_set[k] != 0;
	     k = (k + 1) % cap) {
		uint32_t home = (uint32_t)(b->key_set[k] % cap);

		if ((k + cap - home) % cap < (k + cap - i) % cap)
			continue;
		b->key_set[i] = b->key_set[k];
		b->key_set[k] = 0;
		i = k;
	}
}

static void
set_add(struct gwhl_book *b, uint64_t key)
{
	const uint32_t cap = 2 * GWHL_KEYS;
	uint32_t i = (uint32_t)(key % cap);

	while (b->key_set[i] != 0)
		i = (i + 1) % cap;
	b->key_set[i] = key;
}

static void
key_add(struct gwhl_book *b, uint64_t key)
{
	uint64_t *old = &b->key_ring[b->key_n % GWHL_KEYS];

	if (b->key_n >= GWHL_KEYS && *old != 0)
		key_remove(b, *old);
	*old = key;
	b->key_n++;
	set_add(b, key);
}

/* What the oldest place of a full ring holds may be a key that was being
 * written. */
void
gwhl_keys_rebuild(struct gwhl_book *b)
{
	uint32_t n = b->key_n < GWHL_KEYS ? b->key_n : GWHL_KEYS - 1;

	memset(b->key_set, 0, sizeof(b->key_set));
	for (uint32_t i = b->key_n - n; i != b->key_n; i++)
		set_add(b, b->key_ring[i % GWHL_KEYS]);
	if (b->key_n >= GWHL_KEYS)
		b->key_ring[b->key_n % GWHL_KEYS] = 0;
}

/* Booked since this life began? Looked at during its start only. */
static bool
is_of_life(const struct gwhl *g, uint64_t key)
{
	const struct gwhl_book *b = g->book;

	for (uint32_t i = g->life_key_n; i != b->key_n; i++)
		if (b->key_ring[i % GWHL_KEYS] == key)
			return true;
	return false;
}

/* Each fill says the position before it: a free check that none is missing.
 * One that comes late says nothing about now. */
static void
follow(struct gwhl *g, struct gwhl_coin *c, const struct hlu_fill *f)
{
	bool gap = c->has_position && c->position.e8 != f->start.e8;

	if (f->venue_ns < c->fill_ns)
		return;
	if (gap) {
		gwhl_log(g, GWHL_LOG_GAP, f->start.e8, f->coin);
		g->sync.again = true;
	}
	c->has_position = !gap || f->venue_ns > c->fill_ns;
	c->fill_ns = f->venue_ns;
	c->position =
	    QTY(f->start.e8 + (f->side == SIDE_BID ? f->qty.e8 : -f->qty.e8));
}

/* What the account's answer could not contain yet. Of the same millisecond it
 * did not, when the fill starts from it. */
static void
roll(struct gwhl *g, struct gwhl_coin *c, const struct gwhl_recent *f)
{
	int64_t late = f->venue_ns / NS_PER_MS - (int64_t)g->sync.look_ms;

	if (late > 0 || (late == 0 && f->start.e8 == c->venue.e8))
		c->venue.e8 += f->delta.e8;
}

static void
recent(struct gwhl *g, struct gwhl_coin *c, const struct hlu_fill *f)
{
	struct gwhl_recent *r = &c->recent[c->recent_n++ % GWHL_RECENT];

	r->venue_ns = f->venue_ns;
	r->start = f->start;
	r->delta = QTY(f->side == SIDE_BID ? f->qty.e8 : -f->qty.e8);
	c->ours.e8 += r->delta.e8;
	if (c->has_venue)
		roll(g, c, r);
}

/* Fills may have been told before the answer that does not contain them. */
void
gwhl_roll(struct gwhl *g, struct gwhl_coin *c)
{
	uint32_t n = c->recent_n < GWHL_RECENT ? c->recent_n : GWHL_RECENT;

	for (uint32_t i = c->recent_n - n; i != c->recent_n; i++)
		roll(g, c, &c->recent[i % GWHL_RECENT]);
}

static void
tell_fill(struct gwhl *g, const struct gwhl_order *o, uint64_t id,
    const struct gwhl_coin *c, const struct hlu_fill *f)
{
	struct port_event ev = {.what = PORT_FILLED,
	    .slot = o == NULL ? PORT_NO_SLOT : o->slot,
	    .id = id,
	    .instr = c->instr,
	    .side = (uint8_t)f->side,
	    .is_maker = !f->is_taker,
	    .reason = REASON_OK,
	    .px = f->px,
	    .qty = f->qty,
	    .usd = f->is_usdc ? f->fee : USD(0),
	    .fill_id = gwhl_fill_id(f->oid, f->tid, f->venue_ns),
	    .venue_ns = f->venue_ns,
	    .sent_ns = o == NULL ? 0 : g->wire_ns[o - g->book->order]};

	g->sink->event(g->sink->user, &ev);
}

static void
order_fill(struct gwhl *g, struct gwhl_order *o, const struct hlu_fill *f,
    const struct gwhl_coin *c)
{
	if (o->state != GWHL_DONE && f->oid > o->oid) {
		bool changes = o->oid != 0 && o->new_qty.e8 > 0;

		gwhl_newer(g, o, f->oid, changes ? o->new_px : o->px,
		    changes ? o->new_qty : o->qty);
	}
	gwhl_exists(g, o);
	tell_fill(g, o, o->id, c, f);
	o->total.e8 += f->qty.e8;
	if (f->oid == o->oid) {
		o->done.e8 += f->qty.e8;
		o->got.e8 += f->qty.e8;
	} else if (f->oid == o->old_oid) {
		o->old_got.e8 += f->qty.e8;
	}
	if (o->state == GWHL_DONE)
		return;
	if (f->oid != o->oid) {
		if (o->is_held && f->oid == o->old_oid)
			o->old_done.e8 += f->qty.e8;
		if (o->is_held)
			gwhl_held(g, o, false);
		else
			gwhl_keep_within(g, o);
		return;
	}
	if (o->done.e8 >= o->qty.e8 && !o->is_ended && !o->is_changing)
		gwhl_end(g, o, QTY(0), REASON_OK);
	else
		gwhl_finish(g, o, false);
}

/* How much of it goes beyond what its oid was signed for; older oids are not
 * remembered. */
static int64_t
beyond(const struct gwhl_order *o, const struct hlu_fill *f)
{
	int64_t most = o->qty.e8 - o->got.e8;

	if (f->oid == o->old_oid)
		most = o->old_qty.e8 - o->old_got.e8;
	else if (f->oid > o->oid)
		most = i64_max(o->qty.e8, o->new_qty.e8);
	else if (f->oid != o->oid)
		return 0;
	return i64_max(0, f->qty.e8 - most);
}

/* Its key is not kept: a later life must not tell it as one of before. */
static bool
is_impossible(
    struct gwhl *g, const struct gwhl_order *o, const struct hlu_fill *f)
{
	int64_t more = beyond(o, f);

	if (more == 0)
		return false;
	g->stat.impossible++;
	gwhl_log(g, GWHL_LOG_IMPOSSIBLE, more, f->coin);
	gwhl_block(g, "a fill beyond its order's size was not booked: compare "
		      "positions with the venue");
	return true;
}

void
gwhl_fill(struct gwhl *g, const struct hlu_fill *f)
{
	uint64_t key = gwhl_fill_id(f->oid, f->tid, f->venue_ns);
	uint64_t id = f->has_cloid ? gwhl_id_of(f->cloid) : 0;
	struct gwhl_order *o =
	    f->has_cloid ? gwhl_find(g, id) : gwhl_find_oid(g, f->oid);
	struct gwhl_coin *c = gwhl_coin_named(g, f->coin);

	if (f->venue_ns / NS_PER_MS < (int64_t)g->book->first_ms)
		return;
	if (key_seen(g->book, key)) {
		g->stat.repeats++;
		/* What an earlier life told may not have been kept. */
		if (!g->sync.is_ready && c != NULL && !is_of_life(g, key))
			tell_fill(g, o, id, c, f);
		return;
	}
	if (c == NULL) {
		gwhl_log(g, GWHL_LOG_FOREIGN_FILL, (int64_t)f->oid, f->coin);
		return;
	}
	if (o != NULL && o->side == f->side && o->state != GWHL_QUEUED &&
	    is_impossible(g, o, f))
		return;
	if (o != NULL)
		gwhl_change(g, o);
	key_add(g->book, key);
	g->stat.fills++;
	follow(g, c, f);
	recent(g, c, f);
	if (o != NULL && o->side == f->side && o->state != GWHL_QUEUED) {
		order_fill(g, o, f, c);
		return;
	}
	if (id == 0)
		gwhl_log(g,
		    f->is_liquidation || f->oid == 0 ? GWHL_LOG_LIQUIDATION
						     : GWHL_LOG_FOREIGN_FILL,
		    (int64_t)f->oid, f->coin);
	tell_fill(g, NULL, id, c, f);
}
