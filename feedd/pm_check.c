/*
 * Is a Polymarket book right? Checks, each at the end of a batch.
 */
#include <string.h>

#include "feedd/pm_feed.h"
#include "feedd/pm_sub.h"
#include "libcore/check.h"

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

void
pm_recount_mirror(struct pm_market *m)
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

static bool
kept_hash_is(const struct pm_market *m, const struct pm_tok *t,
    const struct pm_meta *meta, const char *hash)
{
	struct pm_hash_book b = {.market = m->cond, .token = t->id};
	char ours[PM_HASH_LEN];

	b.role = ROLE_YES; /* the book is in the token's own frame */
	b.venue_ns = t->order.at_ns;
	b.book = &t->book;
	pm_hash_kept(&b, meta, ours);
	return memcmp(ours, hash, PM_HASH_LEN) == 0;
}

static void
hash_agrees(struct pm_feed *p, struct pm_tok *t)
{
	t->hash_due = false;
	t->has_expect = false;
	t->hash_strikes = 0;
	p->feed.stats.hash_ok++;
}

/* A hash may have been made before the last trade's price was in it. */
static bool
was_hash_before_trade(const struct pm_market *m, const struct pm_tok *t)
{
	struct pm_meta meta = t->meta;

	if (!t->has_expect || t->last_px_before.n == 0)
		return false;
	meta.last_px = t->last_px_before;
	return kept_hash_is(m, t, &meta, t->expect);
}

/* Once a minute: each token by its name, and whether what the venue hashes is
 * what we hash at all. */
static void
tell_hash(struct feed *f, const struct pm_market *m, struct pm_tok *t)
{
	struct feed_act a = {.what = FEED_LOG, .log = FEED_LOG_HASH};
	uint32_t n;

	if (!said_again(&t->hash_said, REASON_HASH_MISMATCH, f->now_ns, &n))
		return;
	a.conn = f->conn;
	a.instr = m->pub.idx;
	a.reason = REASON_HASH_MISMATCH;
	a.text = t == &m->tok[0] ? "yes" : "no";
	a.n = strlen(a.text);
	a.code = n > UINT16_MAX ? UINT16_MAX : (uint16_t)n;
	a.tag = t->is_hash_trusted;
	a.value = t->hash_strikes;
	f->sink->act(f->sink->user, &a);
}

static enum reason
judge_token(struct pm_feed *p, struct pm_market *m, struct pm_tok *t)
{
	struct feed *f = &p->feed;
	enum reason r = REASON_NONE;

	if (t->hash_due && was_hash_before_trade(m, t))
		hash_agrees(p, t);
	if (t->hash_due) {
		t->hash_due = false;
		f->stats.hash_bad++;
		feed_note(f, REASON_HASH_MISMATCH);
		if (strike(p, &t->hash_strikes) && t->is_hash_trusted)
			r = REASON_HASH_MISMATCH;
		tell_hash(f, m, t);
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

void
pm_close_batch(struct pm_feed *p, struct pm_market *m)
{
	struct feed *f = &p->feed;
	enum reason r = REASON_NONE;

	m->batch_due_ns = 0;
	for (int i = 0; i < 2; i++) {
		enum reason tr = judge_token(p, m, &m->tok[i]);

		r = r == REASON_NONE ? tr : r;
	}
	if (m->tok[0].is_late || m->tok[1].is_late)
		m->mirror_due = false; /* known, and a book is on its way */
	if (m->mirror_due) {
		m->mirror_due = false;
		f->stats.mirror_bad++;
		feed_note(f, REASON_MIRROR_MISMATCH);
		if (strike(p, &m->mirror_strikes) && r == REASON_NONE)
			r = REASON_MIRROR_MISMATCH;
	}
	if (m->is_crossed) {
		feed_note(f, REASON_CROSSED);
		if (++m->crossed_n > 1)
			r = REASON_CROSSED;
		m->batch_due_ns = f->now_ns + PM_BATCH_NS;
		feed_wake_at(f, m->batch_due_ns);
	}
	if (r != REASON_NONE)
		pm_dirty(p, m, r);
}

void
pm_begin_message(struct pm_feed *p, struct pm_market *m, int64_t venue_ns)
{
	if (m->batch_due_ns != 0 && m->batch_ns != venue_ns)
		pm_close_batch(p, m);
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

void
pm_check_touch(struct pm_feed *p, struct pm_tok *t)
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

void
pm_check_hash(struct pm_feed *p, const struct pm_market *m, struct pm_tok *t)
{
	if (!t->has_expect)
		return;
	t->hash_due = !kept_hash_is(m, t, &t->meta, t->expect);
	if (!t->hash_due)
		hash_agrees(p, t);
}

void
pm_trade_px(struct pm_feed *p, struct pm_market *m, struct pm_tok *t,
    const struct pm_event *ev)
{
	struct pm_meta_text before = t->meta.last_px;

	if (ev->venue_ns < t->trade_ns)
		return; /* brought late by the other lane */
	t->trade_ns = ev->venue_ns;
	pm_meta_update(&t->meta, ev);
	if (memcmp(&before, &t->meta.last_px, sizeof(before)) == 0)
		return;
	t->last_px_before = before;
	if (t->has_book && t->hash_due)
		pm_check_hash(p, m, t);
}

static void
check_mirror(struct pm_feed *p, struct pm_market *m)
{
	if (!m->tok[0].has_book || !m->tok[1].has_book)
		return;
	if (pm_is_mixed(p, m->pub.conn) &&
	    (m->tok[0].order.at_ns != m->tok[1].order.at_ns ||
		m->tok[0].is_late || m->tok[1].is_late))
		return; /* one lane's half has come between */
	m->mirror_due = m->mirror_diff_n != 0;
	if (m->mirror_due)
		return;
	m->mirror_strikes = 0;
	p->feed.stats.mirror_ok++;
}

/* Told once each time that a side goes. */
static void
note_one_sided(struct feed *f, struct pm_market *m)
{
	const struct book *b = &m->tok[0].book;
	bool is_one_sided =
	    m->tok[0].has_book &&
	    (book_n(b, SIDE_BID) == 0) != (book_n(b, SIDE_ASK) == 0);

	if (is_one_sided && !m->is_one_sided)
		feed_note(f, REASON_ONE_SIDED);
	m->is_one_sided = is_one_sided;
}

void
pm_end_message(struct pm_feed *p, struct pm_market *m, const bool touched[2])
{
	struct feed *f = &p->feed;
	const struct pm_tok *yes = &m->tok[0];
	const struct pm_tok *no = &m->tok[1];

	if (m->pub.is_valid)
		pub_touch(f, &m->pub, &yes->book, m->batch_ns);
	feed_batch_end(f);
	m->is_crossed = (yes->has_book && book_is_crossed(&yes->book)) ||
			(no->has_book && book_is_crossed(&no->book));
	if (!m->is_crossed)
		m->crossed_n = 0;
	note_one_sided(f, m);
	for (int i = 0; i < 2; i++) {
		if (!touched[i] || !m->tok[i].has_book || m->tok[i].is_late)
			continue;
		pm_check_touch(p, &m->tok[i]);
		pm_check_hash(p, m, &m->tok[i]);
	}
	check_mirror(p, m);
	m->batch_due_ns = 0;
	if (m->is_crossed || m->mirror_due || yes->hash_due || no->hash_due ||
	    yes->touch_due || no->touch_due) {
		m->batch_due_ns = f->now_ns + PM_BATCH_NS;
		feed_wake_at(f, m->batch_due_ns);
	}
}

bool
pm_check_text(
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

/* Best of levels in any order; false: none. */
static bool
best_of(const struct pm_level *l, uint32_t n, bool is_bid, int64_t *px)
{
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || (l[i].px.tok_e8 > *px) == is_bid)
			*px = l[i].px.tok_e8;
	return n > 0;
}

static bool
has_touch(const struct book *b, const struct pm_event *ev, enum side side)
{
	struct book_level ours;
	int64_t px = 0;
	bool is_bid = side == SIDE_BID;
	bool has = best_of(is_bid ? ev->bids : ev->asks,
	    is_bid ? ev->bids_n : ev->asks_n, is_bid, &px);

	if (!book_best(b, side, &ours))
		return !has;
	return has && ours.px.e8 == px;
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
	pm_rest_ahead(p, m, role - 1u,
	    t->has_book && ev->venue_ns > t->order.at_ns &&
		!(has_touch(&t->book, ev, SIDE_BID) &&
		    has_touch(&t->book, ev, SIDE_ASK)));
	pm_meta_update(&t->meta, ev);
	if (!ev->has_hash || !pm_check_text(p, t, ev))
		return;
	if (!t->has_book || t->hash_due || ev->venue_ns != t->order.at_ns)
		return; /* of another moment than the book */
	if (kept_hash_is(m, t, &t->meta, ev->hash)) {
		p->feed.stats.rest_ok++;
		return;
	}
	t->hash_due = true;
	m->batch_due_ns = p->feed.now_ns + PM_BATCH_NS;
	feed_wake_at(&p->feed, m->batch_due_ns);
}
