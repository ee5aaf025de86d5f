/*
 * feed_reader.h - a reader that rebuilds books from ticks as a stage would.
 *
 * It checks what every tick promises: levels only between SNAP_BEGIN and the
 * next gap and only real changes, BBO equal to the top of the levels at the
 * end of each batch (unless touch_apart), nothing of an instrument before
 * its TICK_INSTR.
 */
#ifndef TESTS_GOLDEN_FEED_READER_H
#define TESTS_GOLDEN_FEED_READER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libcore/book.h"
#include "libshm/slots.h"

#define RIG_READERS 64
#define RIG_CAP	    8192u

struct rig_reader {
	uint16_t idx;
	bool known;    /* TICK_INSTR seen */
	bool has_book; /* between snapshot and gap */
	bool in_snap;
	bool has_bbo;
	struct tick_bbo bbo;
	struct book book;
	struct book_level level[2 * RIG_CAP];
};

struct rig_readers {
	struct rig_reader *reader[RIG_READERS];
	size_t reader_n;
	bool touch_apart; /* BBO and levels come from streams of their own */
};

static inline struct rig_reader *
rig_reader(struct rig_readers *r, uint16_t idx)
{
	struct rig_reader *x;

	for (size_t i = 0; i < r->reader_n; i++)
		if (r->reader[i]->idx == idx)
			return r->reader[i];
	assert_true(r->reader_n < RIG_READERS);
	x = calloc(1, sizeof(*x));
	x->idx = idx;
	book_init(&x->book, x->level, RIG_CAP);
	r->reader[r->reader_n++] = x;
	return x;
}

static inline void
rig_read_batch_end(const struct rig_readers *r, const struct rig_reader *x)
{
	struct book_level bid = {{0}, {0}};
	struct book_level ask = {{0}, {0}};

	if (r->touch_apart || !x->has_book || x->in_snap || !x->has_bbo)
		return;
	book_best(&x->book, SIDE_BID, &bid);
	book_best(&x->book, SIDE_ASK, &ask);
	assert_int_equal(bid.px.e8, x->bbo.bid_px.e8);
	assert_int_equal(bid.qty.e8, x->bbo.bid_qty.e8);
	assert_int_equal(ask.px.e8, x->bbo.ask_px.e8);
	assert_int_equal(ask.qty.e8, x->bbo.ask_qty.e8);
}

static inline void
rig_read_level(struct rig_reader *x, const struct tick *t)
{
	enum book_change c;

	assert_true(x->has_book || x->in_snap);
	c = book_set(&x->book, (enum side)t->u.level.side, t->u.level.px,
	    t->u.level.qty);
	assert_int_equal(c, BOOK_CHANGED);
}

static inline void
rig_read(struct rig_readers *r, const struct tick *t)
{
	struct rig_reader *x;

	if (t->hdr.instr == 0) {
		for (size_t i = 0; i < r->reader_n; i++)
			if (t->hdr.kind == TICK_GAP && t->u.gap.conn == 0) {
				r->reader[i]->has_book = false;
				r->reader[i]->has_bbo = false;
			}
		return;
	}
	x = rig_reader(r, t->hdr.instr);
	if (t->hdr.kind == TICK_INSTR) {
		x->known = true;
		return;
	}
	assert_true(x->known);
	switch (t->hdr.kind) {
	case TICK_SNAP_BEGIN:
		book_clear(&x->book);
		x->has_book = false;
		x->in_snap = true;
		break;
	case TICK_SNAP_END:
		assert_true(x->in_snap);
		assert_int_equal(t->u.snap.bid_n, book_n(&x->book, SIDE_BID));
		assert_int_equal(t->u.snap.ask_n, book_n(&x->book, SIDE_ASK));
		x->in_snap = false;
		x->has_book = true;
		break;
	case TICK_LEVEL: rig_read_level(x, t); break;
	case TICK_BBO:
		x->bbo = t->u.bbo;
		x->has_bbo = true;
		break;
	case TICK_GAP:
		x->has_book = false;
		x->has_bbo = false;
		break;
	default: break;
	}
	if (t->hdr.flags & SLOT_BATCH_END)
		rig_read_batch_end(r, x);
}

static inline void
rig_readers_free(struct rig_readers *r)
{
	for (size_t i = 0; i < r->reader_n; i++)
		free(r->reader[i]);
}

#endif
