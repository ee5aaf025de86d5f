#include <math.h>
#include <string.h>

#include "recorderd/import.h"

#define EV_BUY	(UINT64_C(1) << 29)
#define EV_SELL (UINT64_C(1) << 28)
#define EV_HERE (UINT64_C(1) << 30) /* valid for the local side */

enum {
	EV_DEPTH = 1,
	EV_TRADE = 2,
	EV_CLEAR = 3,
	EV_SNAPSHOT = 4,
	EV_BBO = 5,
};

struct row {
	uint64_t ev;
	int64_t exch_ns;
	int64_t local_ns;
	double px;
	double qty;
	uint64_t order_id;
	int64_t ival;
	double fval;
};
_Static_assert(sizeof(struct row) == 64, "an event is 64 bytes");

static bool
scaled(double v, int64_t *out)
{
	v *= (double)E8;
	if (!(fabs(v) < 9e17))
		return false;
	*out = llround(v);
	return true;
}

/* Levels of one side that a clear takes away, best first. */
static void
clear_side(struct import *im, struct import_instr *in,
    const struct import_when *w, enum side side, double px)
{
	struct book_level l;
	int64_t bound = 0;
	bool all = !isfinite(px) || !scaled(px, &bound);

	import_batch(im);
	while (book_best(&in->book.book, side, &l)) {
		if (!all &&
		    (side == SIDE_BID ? l.px.e8 < bound : l.px.e8 > bound))
			return;
		import_level(im, in, w,
		    &(struct tick_level){.px = l.px, .side = (uint8_t)side});
	}
}

static bool
take_clear(struct import *im, struct import_instr *in,
    const struct import_when *w, const struct row *r)
{
	bool both = (r->ev & (EV_BUY | EV_SELL)) == 0;

	if (both || (r->ev & EV_BUY) != 0)
		clear_side(im, in, w, SIDE_BID, both ? NAN : r->px);
	if (both || (r->ev & EV_SELL) != 0)
		clear_side(im, in, w, SIDE_ASK, both ? NAN : r->px);
	return true;
}

static bool
take_level(struct import *im, struct import_instr *in,
    const struct import_when *w, const struct row *r)
{
	bool is_snap = (r->ev & 255) == EV_SNAPSHOT;
	bool empty = book_n(&in->book.book, SIDE_BID) == 0 &&
		     book_n(&in->book.book, SIDE_ASK) == 0;
	struct tick_level l = {
	    .side = (r->ev & EV_BUY) != 0 ? SIDE_BID : SIDE_ASK};

	if (!scaled(r->px, &l.px.e8) || !scaled(r->qty, &l.qty.e8))
		return false;
	if (is_snap && !in->in_snap && empty)
		import_snap(im, in, w, 0);
	if (!is_snap && in->in_snap)
		import_snap_end(im, in, w, 0);
	import_level(im, in, w, &l);
	return true;
}

static bool
take_trade(struct import *im, struct import_instr *in,
    const struct import_when *w, const struct row *r)
{
	struct tick_trade t = {.trade_id = r->order_id,
	    .side = (r->ev & EV_BUY) != 0    ? SIDE_BID
		    : (r->ev & EV_SELL) != 0 ? SIDE_ASK
					     : 0};

	if (!scaled(r->px, &t.px.e8) || !scaled(r->qty, &t.qty.e8))
		return false;
	import_trade(im, in, w, &t);
	return true;
}

/* One side of the top. */
static bool
take_bbo(struct import *im, struct import_instr *in,
    const struct import_when *w, const struct row *r)
{
	struct tick_bbo b = in->top;
	int64_t px;
	int64_t qty;

	if (!scaled(r->px, &px) || !scaled(r->qty, &qty))
		return false;
	if ((r->ev & EV_BUY) != 0) {
		b.bid_px = PX(px);
		b.bid_qty = QTY(qty);
	} else {
		b.ask_px = PX(px);
		b.ask_qty = QTY(qty);
	}
	import_bbo(im, in, w, &b);
	return true;
}

static void
take_row(struct import *im, struct import_instr *in, const struct row *r)
{
	const struct import_when w = {r->local_ns, r->exch_ns};
	bool ok = false;

	im->lines++;
	if ((r->ev & EV_HERE) == 0) {
		im->skipped_n++;
		return;
	}
	if (w.recv_ns <= 0) {
		im->bad_n++;
		return;
	}
	switch (r->ev & 255) {
	case EV_DEPTH:
	case EV_SNAPSHOT: ok = take_level(im, in, &w, r); break;
	case EV_TRADE: ok = take_trade(im, in, &w, r); break;
	case EV_CLEAR: ok = take_clear(im, in, &w, r); break;
	case EV_BBO: ok = take_bbo(im, in, &w, r); break;
	default: im->skipped_n++; return;
	}
	im->bad_n += !ok;
}

size_t
import_npy_head(struct import *im, const uint8_t *p, size_t n)
{
	static const char fields[] =
	    "('ev', '<u8'), ('exch_ts', '<i8'), ('local_ts', '<i8'), "
	    "('px', '<f8'), ('qty', '<f8'), ('order_id', '<u8'), "
	    "('ival', '<i8'), ('fval', '<f8')";

	if (n < 10)
		return 0;
	if (memcmp(p, "\x93NUMPY\x01", 7) != 0)
		return SIZE_MAX;
	size_t at = 10 + (size_t)(p[8] | p[9] << 8);

	if (at > n)
		return 0;
	for (size_t i = 10; i + sizeof(fields) - 1 <= at; i++)
		if (memcmp(p + i, fields, sizeof(fields) - 1) == 0)
			return import_instr_get(im, im->symbol,
				   strlen(im->symbol), im->venue) != NULL
				   ? at
				   : SIZE_MAX;
	return SIZE_MAX;
}

void
import_npy_rows(struct import *im, const uint8_t *p, size_t rows)
{
	struct import_instr *in =
	    import_instr_get(im, im->symbol, strlen(im->symbol), im->venue);
	struct row r;

	for (size_t i = 0; i < rows && in != NULL; i++) {
		memcpy(&r, p + i * sizeof(r), sizeof(r));
		take_row(im, in, &r);
	}
}
