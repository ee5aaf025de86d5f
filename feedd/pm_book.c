/*
 * Polymarket's books.
 *
 * Checks, each at the end of a batch (all messages of one market with one
 * venue time), where the venue's own values are meant:
 *   1. crossed               at once
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
#include "libcore/check.h"

void
pm_forget(struct pm_market *m)
{
	pub_forget(&m->pub);
	m->is_crossed = false;
	m->mirror_due = false;
	m->is_excused = false;
	m->mirror_strikes = 0;
	m->mirror_diff_n = 0;
	m->batch_due_ns = 0;
	for (int r = 0; r < 2; r++) {
		struct pm_tok *t = &m->tok[r];

		t->has_book = false;
		t->hash_due = false;
		t->touch_due = false;
		t->has_expect = false;
		t->hash_strikes = 0;
		t->touch_strikes = 0;
		t->book_ns = 0;
		book_clear(&t->book);
	}
}

void
pm_check_complete(struct pm_feed *p, uint8_t conn)
{
	bool all = true;
	bool any = conn != 0; /* the main connection must carry something */

	for (uint32_t i = 0; i < p->market_n && all; i++) {
		const struct pm_market *m = &p->market[i];

		if (!m->used || m->pub.conn != conn)
			continue;
		any = true;
		all = m->pub.is_valid || m->is_excused || m->is_off;
	}
	all = all && any;
	if (p->feed.link[conn].complete != all)
		feed_complete(&p->feed, conn, all);
}

void
pm_resnap(struct pm_feed *p, struct pm_market *m)
{
	struct feed *f = &p->feed;

	if (m->is_off || !link_is_live(&f->link[m->pub.conn]))
		return; /* coming up subscribes everything */
	if (f->now_ns < m->resnap_ns) {
		m->resnap_due_ns = m->resnap_ns;
		feed_wake_at(f, m->resnap_due_ns);
		return;
	}
	pm_subscribe(p, m, PM_SUB_REMOVE);
	pm_subscribe(p, m, PM_SUB_ADD);
}

static void
drop_books(struct pm_feed *p, struct pm_market *m, enum reason r)
{
	pm_forget(m);
	feed_gap(&p->feed, &m->pub, r, 0);
	pm_check_complete(p, m->pub.conn);
	pm_resnap(p, m);
}

void
pm_dirty(struct pm_feed *p, struct pm_market *m, enum reason r)
{
	feed_log(&p->feed, FEED_LOG_BOOK_DIRTY, m->pub.idx, r, 0);
	drop_books(p, m, r);
}

/* Levels of one side of YES that NO does not mirror, and the reverse. */
static int32_t
mirror_side(const struct pm_market *m, enum side side)
{
	enum side other = side_opposite(side);
	uint32_t i = 0;
	uint32_t j = 0;
	int32_t n = 0;

	for (;;) {
		const struct book_level *a =
		    book_level(&m->tok[0].book, side, i);
		const struct book_level *b =
		    book_level(&m->tok[1].book, other, j);
		int64_t gap;

		if (a == NULL || b == NULL)
			break;
		gap = a->px.e8 - px_complement(b->px).e8;
		if (side == SIDE_ASK)
			gap = -gap;
		n += gap != 0 || a->qty.e8 != b->qty.e8;
		i += gap >= 0;
		j += gap <= 0;
	}
	n += (int32_t)(book_n(&m->tok[0].book, side) - i);
	n += (int32_t)(book_n(&m->tok[1].book, other) - j);
	return n;
}

static void
mirror_recount(struct pm_market *m)
{
	m->mirror_diff_n = 0;
	if (m->tok[0].has_book && m->tok[1].has_book)
		m->mirror_diff_n =
		    mirror_side(m, SIDE_BID) + mirror_side(m, SIDE_ASK);
}

static bool
strike(struct pm_feed *p, uint8_t *strikes)
{
	if (*strikes < UINT8_MAX)
		(*strikes)++;
	return *strikes >= p->feed.cfg.feed_hash_strikes;
}

static enum reason
judge_token(struct pm_feed *p, struct pm_market *m, struct pm_tok *t)
{
	struct feed *f = &p->feed;
	enum reason r = REASON_NONE;

	if (t->hash_due) {
		t->hash_due = false;
		f->stats.hash_bad++;
		feed_note(f, REASON_HASH_MISMATCH);
		if (strike(p, &t->hash_strikes) && t->is_hash_trusted)
			r = REASON_HASH_MISMATCH;
		feed_log(f, FEED_LOG_HASH, m->pub.idx, REASON_HASH_MISMATCH,
		    t->hash_strikes);
	}
	if (t->touch_due) {
		t->touch_due = false;
		f->stats.touch_bad++;
		feed_note(f, REASON_TOUCH_MISMATCH);
		if (strike(p, &t->touch_strikes))
			r = REASON_TOUCH_MISMATCH;
	}
	return r;
}

/* The batch is over: what was left different stays so. */
static void
close_batch(struct pm_feed *p, struct pm_market *m)
{
	struct feed *f = &p->feed;
	enum reason r = REASON_NONE;

	m->batch_due_ns = 0;
	for (int i = 0; i < 2; i++) {
		enum reason tr = judge_token(p, m, &m->tok[i]);

		r = r == REASON_NONE ? tr : r;
	}
	if (m->mirror_due) {
		m->mirror_due = false;
		f->stats.mirror_bad++;
		feed_note(f, REASON_MIRROR_MISMATCH);
		if (strike(p, &m->mirror_strikes) && r == REASON_NONE)
			r = REASON_MIRROR_MISMATCH;
	}
	if (m->is_crossed) {
		feed_note(f, REASON_CROSSED);
		r = REASON_CROSSED;
	}
	if (r != REASON_NONE)
		pm_dirty(p, m, r);
}

static void
begin_message(struct pm_feed *p, struct pm_market *m, int64_t venue_ns)
{
	if (m->batch_due_ns != 0 && m->batch_ns != venue_ns)
		close_batch(p, m);
	m->batch_ns = venue_ns;
}

/* "": nothing to compare with. The bounds 0 and 1 mean an empty side. */
static bool
touch_is(const struct book *b, enum side side, const struct pm_touch *t)
{
	struct book_level l;
	bool has = book_best(b, side, &l);

	if (t->state == PM_TOUCH_PRICE)
		return has && l.px.e8 == t->px.tok_e8;
	return t->state != PM_TOUCH_EMPTY || !has;
}

static void
check_touch(struct pm_feed *p, struct pm_tok *t)
{
	if (t->best_bid.state != PM_TOUCH_PRICE &&
	    t->best_bid.state != PM_TOUCH_EMPTY &&
	    t->best_ask.state != PM_TOUCH_PRICE &&
	    t->best_ask.state != PM_TOUCH_EMPTY)
		return;
	t->touch_due = !touch_is(&t->book, SIDE_BID, &t->best_bid) ||
		       !touch_is(&t->book, SIDE_ASK, &t->best_ask);
	if (t->touch_due)
		return;
	p->feed.stats.touch_ok++;
	t->touch_strikes = 0;
}

static bool
kept_hash_is(
    const struct pm_market *m, const struct pm_tok *t, const char *hash)
{
	struct pm_hash_book b = {.market = m->cond, .token = t->id};
	char ours[PM_HASH_LEN];

	b.role = ROLE_YES; /* the book is in the token's own frame */
	b.venue_ns = t->book_ns;
	b.book = &t->book;
	pm_hash_kept(&b, &t->meta, ours);
	return memcmp(ours, hash, PM_HASH_LEN) == 0;
}

static void
check_hash(struct pm_feed *p, const struct pm_market *m, struct pm_tok *t)
{
	if (!t->has_expect)
		return;
	t->hash_due = !kept_hash_is(m, t, t->expect);
	if (t->hash_due)
		return;
	t->has_expect = false;
	t->hash_strikes = 0;
	p->feed.stats.hash_ok++;
}

static void
check_mirror(struct pm_feed *p, struct pm_market *m)
{
	if (!m->tok[0].has_book || !m->tok[1].has_book)
		return;
	m->mirror_due = m->mirror_diff_n != 0;
	if (m->mirror_due)
		return;
	m->mirror_strikes = 0;
	p->feed.stats.mirror_ok++;
}

/* Everything of a message is in the books and on its way to readers. */
static void
end_message(struct pm_feed *p, struct pm_market *m, const bool touched[2])
{
	struct feed *f = &p->feed;
	const struct pm_tok *yes = &m->tok[0];
	const struct pm_tok *no = &m->tok[1];

	if (m->pub.is_valid)
		pub_touch(f, &m->pub, &yes->book, m->batch_ns);
	feed_batch_end(f);
	m->is_crossed = (yes->has_book && book_is_crossed(&yes->book)) ||
			(no->has_book && book_is_crossed(&no->book));
	for (int i = 0; i < 2; i++) {
		if (!touched[i] || !m->tok[i].has_book)
			continue;
		check_touch(p, &m->tok[i]);
		check_hash(p, m, &m->tok[i]);
	}
	check_mirror(p, m);
	m->batch_due_ns = 0;
	if (m->is_crossed || m->mirror_due || yes->hash_due || no->hash_due ||
	    yes->touch_due || no->touch_due) {
		m->batch_due_ns = f->now_ns + PM_BATCH_NS;
		feed_wake_at(f, m->batch_due_ns);
	}
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
	m->is_excused = false;
	pm_check_complete(p, m->pub.conn);
}

/* Is a book's own text what its hash says? */
static bool
text_hash_is_true(
    struct pm_feed *p, const struct pm_tok *t, const struct pm_event *ev)
{
	char ours[PM_HASH_LEN];

	pm_hash_event(ev, &t->meta, ours);
	if (memcmp(ours, ev->hash, PM_HASH_LEN) == 0) {
		p->feed.stats.hash_ok++;
		return true;
	}
	p->feed.stats.hash_bad++;
	feed_note(&p->feed, REASON_HASH_MISMATCH);
	return false;
}

static bool
is_old(struct pm_feed *p, const struct pm_tok *t, int64_t venue_ns, bool back)
{
	if (!t->has_book || venue_ns >= t->book_ns)
		return false;
	if (back && venue_ns < t->book_ns - PM_BACK_NS)
		return false;
	feed_note(&p->feed, REASON_SEQ_OLD);
	return true;
}

void
pm_take_book(struct pm_feed *p, const struct pm_event *ev)
{
	static const bool touched_none[2] = {false, false};
	struct feed *f = &p->feed;
	enum token_role role;
	struct pm_market *m = pm_find(p, &ev->token, &role);
	struct pm_tok *t;

	if (m == NULL) {
		feed_drop(f, REASON_UNKNOWN_ASSET, 0, ev->token_text.s,
		    ev->token_text.n);
		return;
	}
	t = &m->tok[role - 1];
	if (is_old(p, t, ev->venue_ns, true))
		return;
	begin_message(p, m, ev->venue_ns);
	book_clear(&p->tmp);
	if (!fill_side(&p->tmp, SIDE_BID, ev->bids, ev->bids_n) ||
	    !fill_side(&p->tmp, SIDE_ASK, ev->asks, ev->asks_n)) {
		feed_drop(f, REASON_BAD_NUMBER, 0, ev->token_text.s,
		    ev->token_text.n);
		pm_dirty(p, m, REASON_BAD_NUMBER);
		return;
	}
	f->stats.snapshots++;
	pm_meta_update(&t->meta, ev);
	if (role == ROLE_YES)
		publish_snapshot(p, m, ev->venue_ns);
	else
		book_copy(&t->book, &p->tmp);
	t->has_book = true;
	t->book_ns = ev->venue_ns;
	t->hash_due = false;
	t->has_expect = false;
	t->touch_due = false;
	t->hash_strikes = 0;
	t->touch_strikes = 0;
	mirror_recount(m);
	t->is_awaited = false;
	end_message(p, m, touched_none);
	if (ev->has_hash)
		t->is_hash_trusted = text_hash_is_true(p, t, ev);
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
		mirror_recount(m);
	} else if (other->has_book) {
		m->mirror_diff_n += (c->qty.e8 != mirror) - (before != mirror);
	}
	if (is_yes && m->pub.is_valid &&
	    (change == BOOK_CHANGED || change == BOOK_DROPPED))
		pub_level(f, &m->pub, c->side, (struct book_level){px, c->qty},
		    &stamp);
	t->book_ns = venue_ns;
	t->best_bid = c->best_bid;
	t->best_ask = c->best_ask;
	t->has_expect = c->has_hash;
	if (c->has_hash)
		memcpy(t->expect, c->hash, PM_HASH_LEN);
}

void
pm_take_changes(struct pm_feed *p, const struct pm_event *ev)
{
	struct feed *f = &p->feed;
	struct pm_market *m = NULL;
	bool touched[2] = {false, false};

	for (uint32_t i = 0; i < ev->changes_n; i++) {
		const struct pm_change *c = &ev->changes[i];
		enum token_role role;
		struct pm_market *of = pm_find(p, &c->token, &role);
		struct pm_tok *t;

		if (of == NULL || c->px.tok_e8 > E8) {
			feed_drop(f,
			    of == NULL ? REASON_UNKNOWN_ASSET
				       : REASON_BAD_NUMBER,
			    0, ev->market_text.s, ev->market_text.n);
			continue;
		}
		t = &of->tok[role - 1];
		if (!t->has_book) {
			feed_note(f, REASON_NO_SNAPSHOT);
			continue;
		}
		if (is_old(p, t, ev->venue_ns, false))
			continue;
		if (m != NULL && m != of) {
			end_message(p, m, touched);
			touched[0] = false;
			touched[1] = false;
			m = NULL;
		}
		if (m == NULL) {
			begin_message(p, of, ev->venue_ns);
			m = of;
			if (!t->has_book) { /* the last batch was judged */
				feed_note(f, REASON_NO_SNAPSHOT);
				continue;
			}
		}
		take_change(p, m, t, c, ev->venue_ns);
		touched[role - 1] = true;
	}
	if (m != NULL)
		end_message(p, m, touched);
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
	if (ev->new_tick.tok_e8 <= 0 || ev->new_tick.tok_e8 >= E8) {
		feed_count(f, REASON_BAD_NUMBER);
		return;
	}
	if (m->in.tick_px.e8 == ev->new_tick.tok_e8)
		return;
	m->in.tick_px = PX(ev->new_tick.tok_e8);
	m->in.epoch++;
	m->pub.epoch = m->in.epoch;
	feed_instr(f, m->pub.idx, &m->in);
	feed_log(
	    f, FEED_LOG_TICK_SIZE, m->pub.idx, REASON_NONE, m->in.tick_px.e8);
	drop_books(p, m, REASON_STALE_EPOCH);
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
	if (!t->has_book || ev->venue_ns != t->book_ns)
		return; /* of another moment than the book */
	t->best_bid = ev->best_bid;
	t->best_ask = ev->best_ask;
	check_touch(p, t);
	if (!t->touch_due)
		return;
	m->batch_due_ns = p->feed.now_ns + PM_BATCH_NS;
	feed_wake_at(&p->feed, m->batch_due_ns);
}

void
pm_take_rest_book(struct pm_feed *p, const struct pm_event *ev)
{
	enum token_role role;
	struct pm_market *m = pm_find(p, &ev->token, &role);
	struct pm_tok *t;

	if (m == NULL) {
		feed_count(&p->feed, REASON_UNKNOWN_ASSET);
		return;
	}
	t = &m->tok[role - 1];
	pm_meta_update(&t->meta, ev);
	if (!ev->has_hash || !text_hash_is_true(p, t, ev))
		return;
	if (!t->has_book || t->hash_due || ev->venue_ns != t->book_ns)
		return; /* of another moment than the book */
	if (kept_hash_is(m, t, ev->hash)) {
		p->feed.stats.rest_ok++;
		return;
	}
	t->hash_due = true;
	m->batch_due_ns = p->feed.now_ns + PM_BATCH_NS;
	feed_wake_at(&p->feed, m->batch_due_ns);
}

/* A snapshot that was asked for and did not come: ask again, and hold the
 * link up no longer for this market's sake. A book that was only to be
 * refreshed may have missed changes meanwhile: it goes. */
static void
snapshot_overdue(struct pm_feed *p, struct pm_market *m)
{
	feed_note(&p->feed, REASON_NO_SNAPSHOT);
	m->is_excused = true;
	pm_check_complete(p, m->pub.conn);
	if ((m->tok[0].is_awaited && m->tok[0].has_book) ||
	    (m->tok[1].is_awaited && m->tok[1].has_book))
		pm_dirty(p, m, REASON_NO_SNAPSHOT);
	else
		pm_resnap(p, m);
}

uint64_t
pm_book_timer(struct pm_feed *p, struct pm_market *m)
{
	struct feed *f = &p->feed;
	uint64_t limit = (uint64_t)f->cfg.feed_snapshot_timeout.ns;
	uint64_t due;

	if (!m->used || m->is_off || !link_is_live(&f->link[m->pub.conn]))
		return 0;
	if (m->batch_due_ns != 0 && f->now_ns >= m->batch_due_ns)
		close_batch(p, m);
	if (m->resnap_due_ns != 0 && f->now_ns >= m->resnap_due_ns)
		pm_resnap(p, m);
	if (pm_is_awaited(m) && f->now_ns >= m->wait_ns + limit)
		snapshot_overdue(p, m);
	due = m->batch_due_ns;
	if (m->resnap_due_ns != 0 && (due == 0 || m->resnap_due_ns < due))
		due = m->resnap_due_ns;
	if (pm_is_awaited(m) && (due == 0 || m->wait_ns + limit < due))
		due = m->wait_ns + limit;
	return due;
}
