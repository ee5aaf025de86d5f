#include <string.h>

#include "feedd/feed_int.h"
#include "libcore/check.h"

static struct tick
level_tick(const struct feed *f, const struct pub *p, enum side side,
    struct book_level l)
{
	struct tick t = feed_tick(f, TICK_LEVEL, p->idx, 0);

	t.u.level.px = l.px;
	t.u.level.qty = l.qty;
	t.u.level.side = (uint8_t)side;
	t.u.level.conn = p->conn;
	t.u.level.epoch = p->epoch;
	return t;
}

void
pub_level(struct feed *f, const struct pub *p, enum side side,
    struct book_level l, const struct pub_stamp *s)
{
	struct tick t = level_tick(f, p, side, l);

	t.hdr.venue_ns = s->venue_ns;
	t.u.level.venue_seq = s->venue_seq;
	feed_put(f, &t);
}

static void
put_side(struct feed *f, const struct pub *p, const struct book *b,
    enum side side, const struct pub_stamp *s)
{
	for (uint32_t i = book_n(b, side); i-- > 0;) {
		struct tick t = level_tick(f, p, side, *book_level(b, side, i));

		t.hdr.flags |= SLOT_SNAP;
		t.hdr.venue_ns = s->venue_ns;
		t.u.level.venue_seq = s->venue_seq;
		feed_put(f, &t);
	}
}

static void
put_edge(struct feed *f, const struct pub *p, const struct book *b,
    enum slot_kind kind, const struct pub_stamp *s)
{
	struct tick t = feed_tick(f, kind, p->idx, s->venue_ns);

	t.hdr.flags |= SLOT_SNAP;
	t.u.snap.venue_seq = s->venue_seq;
	t.u.snap.bid_n = book_n(b, SIDE_BID);
	t.u.snap.ask_n = book_n(b, SIDE_ASK);
	t.u.snap.epoch = p->epoch;
	t.u.snap.conn = p->conn;
	feed_put(f, &t);
}

static struct tick_bbo
touch_of(const struct book *b)
{
	struct tick_bbo bbo = {{0}, {0}, {0}, {0}};
	struct book_level l;

	if (book_best(b, SIDE_BID, &l)) {
		bbo.bid_px = l.px;
		bbo.bid_qty = l.qty;
	}
	if (book_best(b, SIDE_ASK, &l)) {
		bbo.ask_px = l.px;
		bbo.ask_qty = l.qty;
	}
	return bbo;
}

static void
put_bbo(struct feed *f, const struct pub *p, uint8_t flags)
{
	struct tick t = feed_tick(f, TICK_BBO, p->idx, p->bbo_ns);

	t.hdr.flags |= flags;
	t.u.bbo = p->bbo;
	feed_put(f, &t);
}

void
pub_snapshot(struct feed *f, struct pub *p, const struct book *b,
    const struct pub_stamp *s)
{
	if (!s->top_only) {
		put_edge(f, p, b, TICK_SNAP_BEGIN, s);
		put_side(f, p, b, SIDE_BID, s);
		put_side(f, p, b, SIDE_ASK, s);
		put_edge(f, p, b, TICK_SNAP_END, s);
	}
	if (f->replay == 0) {
		p->is_valid = true;
		p->bbo = touch_of(b);
		p->bbo_ns = s->venue_ns;
	}
	put_bbo(f, p, SLOT_SNAP);
	feed_batch_end(f);
}

void
pub_forget(struct pub *p)
{
	p->is_valid = false;
	p->bbo = (struct tick_bbo){PX(-1), QTY(0), PX(-1), QTY(0)};
}

void
pub_again(struct feed *f, struct pub *p)
{
	if (!p->is_valid) {
		feed_gap(f, p, REASON_NO_SNAPSHOT, 0);
		return;
	}
	put_bbo(f, p, SLOT_SNAP);
	feed_batch_end(f);
}

/* Is price a better than b? */
static bool
is_better(enum side side, px_t a, px_t b)
{
	return side == SIDE_BID ? a.e8 > b.e8 : a.e8 < b.e8;
}

static void
diff_side(struct feed *f, const struct pub *p, const struct book *const bk[2],
    enum side side, const struct pub_stamp *s)
{
	uint32_t i = 0;
	uint32_t j = 0;

	for (;;) {
		const struct book_level *a = book_level(bk[0], side, i);
		const struct book_level *b = book_level(bk[1], side, j);
		struct book_level out;

		if (a == NULL && b == NULL)
			break;
		if (b == NULL || (a != NULL && is_better(side, a->px, b->px))) {
			out = (struct book_level){a->px, QTY(0)};
			i++;
		} else if (a == NULL || is_better(side, b->px, a->px)) {
			out = *b;
			j++;
		} else {
			i++;
			j++;
			if (a->qty.e8 == b->qty.e8)
				continue;
			out = *b;
		}
		pub_level(f, p, side, out, s);
	}
}

void
pub_diff(struct feed *f, struct pub *p, const struct book *from,
    const struct book *to, const struct pub_stamp *s)
{
	const struct book *const bk[2] = {from, to};

	CHECK(p->is_valid);
	diff_side(f, p, bk, SIDE_BID, s);
	diff_side(f, p, bk, SIDE_ASK, s);
}

void
pub_bbo(
    struct feed *f, struct pub *p, const struct tick_bbo *bbo, int64_t venue_ns)
{
	if (memcmp(bbo, &p->bbo, sizeof(*bbo)) == 0)
		return;
	p->is_valid = true;
	p->bbo = *bbo;
	p->bbo_ns = venue_ns;
	put_bbo(f, p, 0);
}

void
pub_touch(struct feed *f, struct pub *p, const struct book *b, int64_t venue_ns)
{
	struct tick_bbo bbo = touch_of(b);

	CHECK(p->is_valid);
	pub_bbo(f, p, &bbo, venue_ns);
}
