#include "recorderd/import.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"

enum import_format
import_format_find(const char *name)
{
	static const char *const t[IMPORT_FORMAT_N] = {
	    [IMPORT_PM_JSONL] = "polymarket-jsonl",
	    [IMPORT_BN_CSV] = "binance-csv",
	    [IMPORT_BN_RAW] = "binance-raw",
	    [IMPORT_TARDIS] = "tardis-csv",
	    [IMPORT_NPZ] = "hftbacktest-npz",
	};

	for (unsigned i = 1; i < IMPORT_FORMAT_N; i++)
		if (strcmp(name, t[i]) == 0)
			return (enum import_format)i;
	return 0;
}

void
import_init(struct import *im, enum import_format format, const char *symbol,
    const struct import_sink *sink)
{
	CHECK(format >= IMPORT_PM_JSONL);
	CHECK(format < IMPORT_FORMAT_N);
	memset(im, 0, sizeof(*im));
	im->format = format;
	im->sink = *sink;
	im->venue = VENUE_BINANCE;
	size_t n = strlen(symbol);

	memcpy(im->symbol, symbol,
	    n < sizeof(im->symbol) ? n : sizeof(im->symbol) - 1);
}

void
import_file(struct import *im)
{
	import_end(im);
	memset(im->col, 0, sizeof(im->col));
	memset(im->snap_px, 0, sizeof(im->snap_px));
	memset(im->snap_qty, 0, sizeof(im->snap_qty));
	im->kind = 0;
	im->has_header = false;
}

void
import_line(struct import *im, char *text, size_t n)
{
	if (n > 0 && text[n - 1] == '\r')
		n--;
	if (n == 0)
		return;
	im->lines++;
	switch (im->format) {
	case IMPORT_PM_JSONL: import_pm_line(im, text, n); return;
	case IMPORT_BN_RAW: import_raw_line(im, text, n); return;
	case IMPORT_BN_CSV:
	case IMPORT_TARDIS: import_csv_line(im, text, n); return;
	case IMPORT_NPZ: im->bad_n++; return;
	case IMPORT_FORMAT_N: break;
	}
	CHECK(false);
}

void
import_end(struct import *im)
{
	import_batch(im);
}

/* ---- instruments ---- */

struct import_instr *
import_instr_get(struct import *im, const char *symbol, size_t n, uint8_t venue)
{
	struct import_instr *in;

	if (n == 0 || n >= sizeof(in->in.symbol))
		return NULL;
	for (uint32_t i = 0; i < im->n; i++) {
		in = &im->instr[i];
		if (in->in.venue == venue && in->in.symbol[n] == '\0' &&
		    memcmp(in->in.symbol, symbol, n) == 0)
			return in;
	}
	if (im->n == IMPORT_INSTRS) {
		im->full_n++;
		return NULL;
	}
	in = &im->instr[im->n];
	memset(&in->in, 0, sizeof(in->in));
	memcpy(in->in.symbol, symbol, n);
	in->in.venue = venue;
	in->in.cls = venue == VENUE_BINANCE	 ? CLASS_SPOT
		     : venue == VENUE_POLYMARKET ? CLASS_BINARY
						 : CLASS_PERP;
	in->in.state = INSTR_NORMAL;
	in->in.epoch = 1;
	book_full_init(&in->book);
	im->n++;
	return in;
}

/* The sink learns of an instrument before its first slot. */
static bool
introduce(
    struct import *im, struct import_instr *in, const struct import_when *w)
{
	if (in->idx == 0)
		in->idx = im->sink.instr(im->sink.ctx, &in->in, w->recv_ns);
	if (in->idx == 0)
		im->full_n++;
	return in->idx != 0;
}

/* ---- slots ---- */

static union tap
head(const struct import_instr *in, const struct import_when *w, uint8_t kind)
{
	union tap s;

	memset(&s, 0, sizeof(s));
	s.hdr.kind = kind;
	s.hdr.instr = in->idx;
	s.hdr.recv_ns = (uint64_t)w->recv_ns;
	s.hdr.venue_ns = w->venue_ns;
	return s;
}

static void
give(struct import *im, const struct import_instr *in, const union tap *s)
{
	im->slots++;
	im->sink.slot(im->sink.ctx, in, s);
}

static bool
in_range(px_t px, qty_t qty)
{
	return px.e8 >= 0 && px.e8 <= PX_E8_MAX && qty.e8 >= 0 &&
	       qty.e8 <= QTY_E8_MAX;
}

void
import_trade(struct import *im, struct import_instr *in,
    const struct import_when *w, const struct tick_trade *t)
{
	if (!in_range(t->px, t->qty)) {
		im->bad_n++;
		return;
	}
	import_batch(im);
	if (!introduce(im, in, w))
		return;
	union tap s = head(in, w, TICK_TRADE);

	s.tick.u.trade = *t;
	s.tick.u.trade.epoch = in->in.epoch;
	give(im, in, &s);
}

static void
put_bbo(struct import *im, struct import_instr *in, const struct import_when *w,
    const struct tick_bbo *b)
{
	if (memcmp(&in->top, b, sizeof(*b)) == 0 || !introduce(im, in, w))
		return;
	union tap s = head(in, w, TICK_BBO);

	s.tick.u.bbo = *b;
	s.hdr.flags = SLOT_BATCH_END;
	in->top = *b;
	give(im, in, &s);
}

void
import_bbo(struct import *im, struct import_instr *in,
    const struct import_when *w, const struct tick_bbo *b)
{
	if (!in_range(b->bid_px, b->bid_qty) ||
	    !in_range(b->ask_px, b->ask_qty)) {
		im->bad_n++;
		return;
	}
	import_batch(im);
	in->has_top = true;
	put_bbo(im, in, w, b);
}

void
import_ref(struct import *im, struct import_instr *in,
    const struct import_when *w, const struct tick_ref *r)
{
	if (r->px.e8 <= 0 || r->px.e8 > PX_E8_MAX) {
		im->bad_n++;
		return;
	}
	import_batch(im);
	if (!introduce(im, in, w))
		return;
	union tap s = head(in, w, TICK_REF);

	s.tick.u.ref = *r;
	give(im, in, &s);
}

static void
top_of(const struct import_instr *in, struct tick_bbo *b)
{
	struct book_level l;

	memset(b, 0, sizeof(*b));
	if (book_best(&in->book.book, SIDE_BID, &l)) {
		b->bid_px = l.px;
		b->bid_qty = l.qty;
	}
	if (book_best(&in->book.book, SIDE_ASK, &l)) {
		b->ask_px = l.px;
		b->ask_qty = l.qty;
	}
}

void
import_batch(struct import *im)
{
	struct import_held held = im->held;
	struct tick_bbo top;

	if (held.in == NULL)
		return;
	im->held.in = NULL;
	held.slot.hdr.flags |= SLOT_BATCH_END;
	give(im, held.in, &held.slot);
	if (held.in->has_top || held.in->in_snap)
		return;
	const struct import_when w = {
	    (int64_t)held.slot.hdr.recv_ns, held.slot.hdr.venue_ns};

	top_of(held.in, &top);
	put_bbo(im, held.in, &w, &top);
}

void
import_level(struct import *im, struct import_instr *in,
    const struct import_when *w, const struct tick_level *l)
{
	if (!in_range(l->px, l->qty) ||
	    (l->side != SIDE_BID && l->side != SIDE_ASK)) {
		im->bad_n++;
		return;
	}
	if (im->held.in != NULL) {
		/* Another instrument or time: another message. */
		if (im->held.in != in ||
		    im->held.slot.hdr.recv_ns != (uint64_t)w->recv_ns) {
			import_batch(im);
		} else {
			give(im, in, &im->held.slot);
			im->held.in = NULL;
		}
	}
	if (!introduce(im, in, w))
		return;
	/* What the book has no room for is in the slots all the same. */
	book_set(&in->book.book, (enum side)l->side, l->px, l->qty);
	im->held.in = in;
	im->held.slot = head(in, w, TICK_LEVEL);
	im->held.slot.tick.u.level = *l;
	im->held.slot.tick.u.level.epoch = in->in.epoch;
	if (in->in_snap)
		im->held.slot.hdr.flags = SLOT_SNAP;
}

static void
put_snap(struct import *im, struct import_instr *in,
    const struct import_when *w, uint8_t kind, uint64_t venue_seq)
{
	union tap s = head(in, w, kind);

	s.hdr.flags = SLOT_SNAP;
	s.tick.u.snap = (struct tick_snap){.venue_seq = venue_seq,
	    .bid_n = book_n(&in->book.book, SIDE_BID),
	    .ask_n = book_n(&in->book.book, SIDE_ASK),
	    .epoch = in->in.epoch};
	give(im, in, &s);
}

void
import_snap(struct import *im, struct import_instr *in,
    const struct import_when *w, uint64_t venue_seq)
{
	import_batch(im);
	if (!introduce(im, in, w))
		return;
	book_clear(&in->book.book);
	in->in_snap = true;
	put_snap(im, in, w, TICK_SNAP_BEGIN, venue_seq);
}

void
import_snap_end(struct import *im, struct import_instr *in,
    const struct import_when *w, uint64_t venue_seq)
{
	struct tick_bbo top;

	if (!in->in_snap)
		return;
	import_batch(im);
	in->in_snap = false;
	put_snap(im, in, w, TICK_SNAP_END, venue_seq);
	top_of(in, &top);
	if (!in->has_top)
		put_bbo(im, in, w, &top);
}

/* ---- numbers ---- */

bool
import_decimal(const char *s, size_t n, int64_t *out)
{
	char text[48];
	char *end;

	if (fixed_parse(s, n, 8, true, INT64_MAX / 2, out))
		return true;
	if (n == 0 || n >= sizeof(text) ||
	    memchr("0123456789-.", s[0], 12) == NULL)
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	double v = strtod(text, &end) * (double)E8;

	if (*end != '\0' || !(fabs(v) < 9e17))
		return false;
	*out = llround(v);
	return true;
}

bool
import_time(const char *s, size_t n, int64_t *ns)
{
	int64_t v = 0;

	/* Nanoseconds have 19 digits, one more than fixed_parse takes. */
	if (n == 0 || n > 19)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9' || v > INT64_C(400000000000000000))
			return false;
		v = v * 10 + (s[i] - '0');
	}
	if (v < INT64_C(100000000000))
		return false;
	int64_t unit = v < INT64_C(100000000000000)	 ? 1000000
		       : v < INT64_C(100000000000000000) ? 1000
							 : 1;

	/* Past the year 2255 there is no such time in nanoseconds. */
	if (v > INT64_C(9000000000000000000) / unit)
		return false;
	v *= unit;
	*ns = v;
	return true;
}
