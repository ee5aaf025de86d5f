/*
 * Polymarket's books.
 *
 * Checks, each at the end of a batch (all messages of one market with one
 * venue time), where the venue's own values are meant:
 *   1. crossed               twice in a row; readers do not quote from a
 *                            crossed touch at any time
 *   2. hash of a token       feed.hash_strikes in a row, and only while the
 *                            last snapshot's own hash was reproduced
 *   3. touch of a token      feed.hash_strikes in a row
 *   4. the tokens' mirror    feed.hash_strikes in a row
 * What fails them is dirty: gap, and both tokens subscribed again.
 * A message that leaves everything right is settled at once; only one that
 * does not waits for the batch to end.
 */
#include <string.h>

#include "feedd/pm_feed.h"
#include "feedd/pm_sub.h"
#include "libcore/check.h"

void
pm_forget_tok(struct pm_tok *t)
{
	t->floor_ns = i64_max(t->floor_ns, t->order.at_ns);
	t->has_book = false;
	t->is_late = false;
	t->hash_due = false;
	t->touch_due = false;
	t->has_expect = false;
	t->hash_strikes = 0;
	t->touch_strikes = 0;
	memset(&t->order, 0, sizeof(t->order));
	book_clear(&t->book);
}

void
pm_forget(struct pm_market *m)
{
	pub_forget(&m->pub);
	m->is_crossed = false;
	m->crossed_n = 0;
	m->mirror_due = false;
	m->mirror_strikes = 0;
	m->mirror_diff_n = 0;
	m->batch_due_ns = 0;
	m->life++;
	pm_forget_tok(&m->tok[0]);
	pm_forget_tok(&m->tok[1]);
}

void
pm_forget_time(struct pm_market *m)
{
	m->tick_ns = 0;
	for (int i = 0; i < 2; i++) {
		m->tok[i].floor_ns = 0;
		m->tok[i].trade_ns = 0;
	}
}

static void
drop_books(struct pm_feed *p, struct pm_market *m, enum reason r)
{
	pm_forget(m);
	m->is_excused[0] = false;
	m->is_excused[1] = false;
	feed_gap(&p->feed, &m->pub, r, 0);
	pm_check_complete(p, m->pub.conn);
	pm_resnap(p, m);
}

void
pm_dirty(struct pm_feed *p, struct pm_market *m, enum reason r)
{
	struct feed *f = &p->feed;
	uint32_t n;

	if (said_again(&m->dirty_said, (uint32_t)r, f->now_ns, &n))
		feed_log(f, FEED_LOG_BOOK_DIRTY, m->pub.idx, r, n);
	drop_books(p, m, r);
}

/* False: a price out of range or named twice, or a level of nothing. */
static bool
fill_side(struct book *b, enum side side, const struct pm_level *l, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (l[i].px.tok_e8 > E8 || l[i].qty.e8 == 0)
			return false;
		book_set(b, side, PX(l[i].px.tok_e8), l[i].qty);
	}
	return book_n(b, side) == n;
}

static void
publish_snapshot(struct pm_feed *p, struct pm_market *m, int64_t venue_ns)
{
	struct pub_stamp stamp = {venue_ns, 0, false};
	struct pm_tok *t = &m->tok[0];

	if (m->pub.is_valid)
		pub_diff(&p->feed, &m->pub, &t->book, &p->tmp, &stamp);
	book_copy(&t->book, &p->tmp);
	if (m->pub.is_valid)
		return;
	pub_snapshot(&p->feed, &m->pub, &t->book, &stamp);
	pm_hydrated(p, m);
}

static struct pm_seen *
seen_of(struct pm_feed *p)
{
	return &p->seen[feed_shard(p->feed.conn)];
}

/* A whole book that only this lane brings, since it was asked for here. */
static enum pm_merge
merge_answer(struct pm_tok *t, uint32_t lane, int64_t venue_ns)
{
	if (venue_ns > t->order.at_ns ||
	    (venue_ns == t->order.at_ns && t->is_late)) {
		pm_order_begin(&t->order, venue_ns);
		return PM_MERGE_APPLY;
	}
	if (venue_ns < t->order.at_ns)
		return PM_MERGE_COVERED;
	t->order.lane_n[lane] = t->order.applied_n;
	return PM_MERGE_SEEN;
}

static enum pm_merge
merge_book(struct pm_feed *p, struct pm_market *m, struct pm_tok *t,
    const struct pm_event *ev)
{
	struct pm_order_msg msg = {
	    ev->venue_ns, 0, pm_lane_of(p->feed.conn), true};
	bool is_mixed = pm_is_mixed(p, p->feed.conn);
	bool is_answer = t->is_awaited[msg.lane];
	enum pm_merge r;

	if (is_mixed && !is_answer)
		msg.is_news =
		    pm_seen_take(seen_of(p), msg.lane, pm_id_book(ev, m->life));
	if (!t->has_book && ev->venue_ns < t->floor_ns)
		return PM_MERGE_COVERED;
	if (!t->has_book) {
		pm_order_begin(&t->order, ev->venue_ns);
		return is_answer ? PM_MERGE_APPLY
				 : pm_order_alone(&t->order, &msg);
	}
	if (is_mixed && is_answer)
		return merge_answer(t, msg.lane, ev->venue_ns);
	r = is_mixed ? pm_order_take(&t->order, &msg)
		     : pm_order_alone(&t->order, &msg);
	if (r == PM_MERGE_APPLY)
		t->order.snap_ns = ev->venue_ns;
	return r;
}

/* What the other lane lost must not be put over what is newer. */
static void
came_late(struct pm_feed *p, struct pm_market *m, struct pm_tok *t)
{
	p->feed.stats.late++;
	t->is_late = true;
	for (uint32_t lane = 0; lane < PM_LANES; lane++)
		if (t->is_awaited[lane])
			return; /* its answer will tell */
	pm_resnap(p, m);
}

static void
book_not_taken(struct pm_feed *p, struct pm_market *m, struct pm_tok *t,
    const struct pm_event *ev, enum pm_merge merge)
{
	uint32_t lane = pm_lane_of(p->feed.conn);
	bool was_awaited = t->is_awaited[lane];

	feed_note(&p->feed, REASON_SEQ_OLD);
	if (!pm_is_mixed(p, p->feed.conn) || !t->has_book ||
	    ev->venue_ns < t->order.at_ns - PM_BACK_NS)
		return; /* another stream: this lane has shown nothing */
	t->is_awaited[lane] = false;
	t->has_lane[lane] = true;
	if (merge == PM_MERGE_LATE)
		came_late(p, m, t);
	else if (was_awaited && t->is_late)
		pm_resnap(p, m);
	pm_check_complete(p, m->pub.conn);
}

static void
book_taken(struct pm_feed *p, struct pm_market *m, struct pm_tok *t,
    const struct pm_event *ev)
{
	static const bool touched_none[2] = {false, false};
	uint32_t lane = pm_lane_of(p->feed.conn);

	p->feed.stats.snapshots++;
	pm_meta_update(&t->meta, ev);
	m->lead = (uint8_t)lane;
	m->is_excused[lane] = false;
	t->is_awaited[lane] = false;
	t->has_lane[lane] = true;
	if (t == &m->tok[0])
		publish_snapshot(p, m, ev->venue_ns);
	else
		book_copy(&t->book, &p->tmp);
	t->has_book = true;
	t->is_late = false;
	t->hash_due = false;
	t->has_expect = false;
	t->touch_due = false;
	t->hash_strikes = 0;
	t->touch_strikes = 0;
	pm_recount_mirror(m);
	pm_check_complete(p, m->pub.conn);
	pm_end_message(p, m, touched_none);
	if (ev->has_hash)
		t->is_hash_trusted = pm_check_text(p, t, ev);
}

void
pm_retick(struct pm_feed *p, struct pm_market *m, tok_px_t tick, int64_t at_ns)
{
	struct feed *f = &p->feed;

	if (tick.tok_e8 <= 0 || tick.tok_e8 >= E8 ||
	    tick.tok_e8 == m->in.tick_px.e8)
		return;
	m->tick_ns = at_ns;
	m->in.tick_px = PX(tick.tok_e8);
	m->in.epoch++;
	m->pub.epoch = m->in.epoch;
	feed_instr(f, m->pub.idx, &m->in);
	feed_log(
	    f, FEED_LOG_TICK_SIZE, m->pub.idx, REASON_NONE, m->in.tick_px.e8);
	drop_books(p, m, REASON_STALE_EPOCH);
}

void
pm_take_tick_size(struct pm_feed *p, const struct pm_event *ev)
{
	struct feed *f = &p->feed;
	enum token_role role;
	struct pm_market *m = pm_find(p, &ev->token, &role);

	if (m == NULL) {
		feed_count(f, REASON_UNKNOWN_ASSET);
		return;
	}
	pm_meta_update(&m->tok[role - 1].meta, ev);
	if (ev->new_tick.tok_e8 <= 0 || ev->new_tick.tok_e8 >= E8)
		feed_count(f, REASON_BAD_NUMBER);
	else if (ev->venue_ns < m->tick_ns)
		feed_note(f, REASON_SEQ_OLD);
	else
		pm_retick(p, m, ev->new_tick, ev->venue_ns);
}

/* A change of the grid may have been missed: a whole book names the grid. */
static void
check_tick(struct pm_feed *p, struct pm_market *m, const struct pm_tok *t,
    const struct pm_event *ev)
{
	int64_t e8;

	if (ev->tick_text.n == 0 || ev->venue_ns < m->tick_ns ||
	    ev->venue_ns < i64_max(t->order.at_ns, t->floor_ns))
		return;
	if (!fixed_parse(
		ev->tick_text.s, ev->tick_text.n, 8, false, E8 - 1, &e8))
		feed_count(&p->feed, REASON_BAD_NUMBER);
	else
		pm_retick(p, m, TOK_PX(e8), ev->venue_ns);
}

void
pm_take_book(struct pm_feed *p, const struct pm_event *ev)
{
	struct feed *f = &p->feed;
	enum token_role role;
	struct pm_market *m = pm_find(p, &ev->token, &role);
	enum pm_merge merge;
	struct pm_tok *t;

	if (m == NULL) {
		feed_drop(f, REASON_UNKNOWN_ASSET, 0, ev->token_text.s,
		    ev->token_text.n);
		return;
	}
	t = &m->tok[role - 1];
	if (m->is_off)
		return; /* on its way when it was unsubscribed */
	if (ev->venue_ns < m->tick_ns && !t->is_awaited[pm_lane_of(f->conn)]) {
		feed_note(f, REASON_STALE_EPOCH);
		return;
	}
	check_tick(p, m, t, ev);
	if (ev->venue_ns > t->order.at_ns ||
	    (ev->venue_ns == t->order.at_ns && !pm_is_mixed(p, f->conn)))
		pm_begin_message(p, m, ev->venue_ns);
	merge = merge_book(p, m, t, ev);
	if (merge != PM_MERGE_APPLY) {
		book_not_taken(p, m, t, ev, merge);
		return;
	}
	book_clear(&p->tmp);
	if (fill_side(&p->tmp, SIDE_BID, ev->bids, ev->bids_n) &&
	    fill_side(&p->tmp, SIDE_ASK, ev->asks, ev->asks_n)) {
		book_taken(p, m, t, ev);
		return;
	}
	feed_drop(f, REASON_BAD_NUMBER, 0, ev->token_text.s, ev->token_text.n);
	pm_dirty(p, m, REASON_BAD_NUMBER);
}

static void
take_change(struct pm_feed *p, struct pm_market *m, struct pm_tok *t,
    const struct pm_change *c, int64_t venue_ns)
{
	struct feed *f = &p->feed;
	bool is_yes = t == &m->tok[0];
	const struct pm_tok *other = &m->tok[is_yes ? 1 : 0];
	struct pub_stamp stamp = {venue_ns, 0, false};
	px_t px = PX(c->px.tok_e8);
	int64_t mirror =
	    book_qty_at(&other->book, side_opposite(c->side), px_complement(px))
		.e8;
	int64_t before = book_qty_at(&t->book, c->side, px).e8;
	enum book_change change = book_set(&t->book, c->side, px, c->qty);

	if (change == BOOK_DROPPED) {
		feed_note(f, REASON_BOOK_FULL);
		pm_recount_mirror(m);
	} else if (other->has_book) {
		m->mirror_diff_n += (c->qty.e8 != mirror) - (before != mirror);
	}
	if (is_yes && m->pub.is_valid &&
	    (change == BOOK_CHANGED || change == BOOK_DROPPED))
		pub_level(f, &m->pub, c->side, (struct book_level){px, c->qty},
		    &stamp);
	m->lead = (uint8_t)pm_lane_of(f->conn);
	t->best_bid = c->best_bid;
	t->best_ask = c->best_ask;
	t->has_expect = c->has_hash;
	if (c->has_hash)
		memcpy(t->expect, c->hash, PM_HASH_LEN);
}

/* Is a change to be applied? */
static bool
merge_change(struct pm_feed *p, struct pm_market *m, struct pm_tok *t,
    const struct pm_change *c, int64_t venue_ns)
{
	struct pm_order_msg msg = {venue_ns, pm_id_level(c->side, c->px),
	    pm_lane_of(p->feed.conn), true};
	bool is_mixed = pm_is_mixed(p, p->feed.conn);
	enum pm_merge r;

	if (is_mixed)
		msg.is_news = pm_seen_take(
		    seen_of(p), msg.lane, pm_id_change(c, venue_ns, m->life));
	r = is_mixed ? pm_order_take(&t->order, &msg)
		     : pm_order_alone(&t->order, &msg);
	if (r == PM_MERGE_APPLY)
		return true;
	feed_note(&p->feed, REASON_SEQ_OLD);
	if (r == PM_MERGE_LATE &&
	    book_qty_at(&t->book, c->side, PX(c->px.tok_e8)).e8 != c->qty.e8)
		came_late(p, m, t);
	return false;
}

/* Market and token that a change is about, when it can be used. */
static struct pm_market *
change_of(struct pm_feed *p, const struct pm_event *ev,
    const struct pm_change *c, struct pm_tok **t)
{
	enum token_role role;
	struct pm_market *m = pm_find(p, &c->token, &role);

	if (m == NULL || c->px.tok_e8 > E8) {
		feed_drop(&p->feed,
		    m == NULL ? REASON_UNKNOWN_ASSET : REASON_BAD_NUMBER, 0,
		    ev->market_text.s, ev->market_text.n);
		return NULL;
	}
	*t = &m->tok[role - 1];
	if (!(*t)->has_book) {
		feed_note(&p->feed, REASON_NO_SNAPSHOT);
		return NULL;
	}
	return m;
}

void
pm_take_changes(struct pm_feed *p, const struct pm_event *ev)
{
	struct pm_market *m = NULL;
	bool touched[2] = {false, false};

	for (uint32_t i = 0; i < ev->changes_n; i++) {
		const struct pm_change *c = &ev->changes[i];
		struct pm_tok *t;
		struct pm_market *of = change_of(p, ev, c, &t);

		if (of == NULL)
			continue;
		if (m != NULL && m != of) {
			pm_end_message(p, m, touched);
			touched[0] = false;
			touched[1] = false;
			m = NULL;
		}
		if (ev->venue_ns > t->order.at_ns)
			pm_begin_message(p, of, ev->venue_ns);
		if (!t->has_book) { /* the last batch was judged */
			feed_note(&p->feed, REASON_NO_SNAPSHOT);
			continue;
		}
		if (!merge_change(p, of, t, c, ev->venue_ns))
			continue;
		m = of;
		take_change(p, m, t, c, ev->venue_ns);
		touched[t == &m->tok[0] ? 0 : 1] = true;
	}
	if (m != NULL)
		pm_end_message(p, m, touched);
}

void
pm_take_touch(struct pm_feed *p, const struct pm_event *ev)
{
	enum token_role role;
	struct pm_market *m = pm_find(p, &ev->token, &role);
	struct pm_tok *t;

	if (m == NULL) {
		feed_count(&p->feed, REASON_UNKNOWN_ASSET);
		return;
	}
	t = &m->tok[role - 1];
	if (!t->has_book || ev->venue_ns != t->order.at_ns ||
	    t->order.lane_n[pm_lane_of(p->feed.conn)] != t->order.applied_n)
		return; /* of another moment than the book */
	t->best_bid = ev->best_bid;
	t->best_ask = ev->best_ask;
	pm_check_touch(p, t);
	if (!t->touch_due)
		return;
	m->batch_due_ns = p->feed.now_ns + PM_BATCH_NS;
	feed_wake_at(&p->feed, m->batch_due_ns);
}
