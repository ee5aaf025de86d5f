#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shmtop/pane.h"
#include "shmtop/text.h"

static bool
two_sided(const struct track_market *t)
{
	return t->bbo.bid_px.e8 > 0 && t->bbo.ask_px.e8 > 0;
}

static bool
ours(const struct track_market *t)
{
	return t->pos.e8 != 0 || t->our[SIDE_BID].qty.e8 > 0 ||
	       t->our[SIDE_ASK].qty.e8 > 0 || t->our[SIDE_BID].want_px.e8 > 0 ||
	       t->our[SIDE_ASK].want_px.e8 > 0;
}

/* The relative spread, 1e8; one-sided markets come last. */
static int64_t
spread_key(const struct track_market *t)
{
	if (!two_sided(t))
		return INT64_MAX;
	return i64_mul_div(
	    t->bbo.ask_px.e8 - t->bbo.bid_px.e8, E8, t->bbo.ask_px.e8);
}

static int
name_order(const struct snap_market *a, const struct snap_market *b)
{
	return strncmp(a->in.symbol, b->in.symbol, sizeof(a->in.symbol));
}

/* Negative when a comes before b. */
static int
order(const struct snap_market *a, const struct snap_market *b,
    enum pane_sort sort)
{
	int64_t x = 0;
	int64_t y = 0;

	switch (sort) {
	case SORT_ACTIVE:
		x = ours(&b->t) * 2 + (b->t.bbo_ns != 0);
		y = ours(&a->t) * 2 + (a->t.bbo_ns != 0);
		break;
	case SORT_SPREAD:
		x = spread_key(&a->t);
		y = spread_key(&b->t);
		break;
	case SORT_POSITION:
		x = b->t.pos.e8 < 0 ? -b->t.pos.e8 : b->t.pos.e8;
		y = a->t.pos.e8 < 0 ? -a->t.pos.e8 : a->t.pos.e8;
		break;
	case SORT_NAME:
	case SORT_N: break;
	}
	if (x != y)
		return x < y ? -1 : 1;
	return name_order(a, b);
}

static void
quote(struct canvas *c, int row, int col, const struct track_side *s)
{
	char px[TEXT_SZ];

	if (s->qty.e8 > 0)
		canvas_printf(
		    c, row, col, COL_MARK, "%9.9s*", text_px(s->px, px));
	else if (s->want_px.e8 > 0)
		canvas_printf(
		    c, row, col, COL_WARN, "%9.9s?", text_px(s->want_px, px));
	else
		canvas_printf(c, row, col, COL_DIM, "%9s", "-");
}

static const char *
spread_text(const struct track_market *t, char *buf)
{
	int64_t mid = (t->bbo.bid_px.e8 + t->bbo.ask_px.e8) / 2;

	if (!two_sided(t) || mid <= 0)
		snprintf(buf, TEXT_SZ, "-");
	else
		snprintf(buf, TEXT_SZ, "%.1f",
		    (double)(t->bbo.ask_px.e8 - t->bbo.bid_px.e8) * 1e4 /
			(double)mid);
	return buf;
}

/* Seven columns hold "-0.0028" and "-1000.5". */
static unsigned
qty_digits(qty_t q)
{
	return q.e8 > -10 * E8 && q.e8 < 10 * E8 ? 4 : 1;
}

/* A long name keeps its beginning and its end: the end tells windows of a
 * series apart. */
static void
short_name(const char *symbol, int room, char *buf, size_t n)
{
	int len = (int)strlen(symbol);

	if (len <= room)
		snprintf(buf, n, "%s", symbol);
	else
		snprintf(buf, n, "%.*s~%s", room - 7, symbol, symbol + len - 6);
}

static void
market_row(struct canvas *c, const struct snap *s, const struct snap_market *m,
    int row)
{
	const struct track_market *t = &m->t;
	uint64_t old =
	    t->bbo_ns != 0 && s->now_ns > t->bbo_ns ? s->now_ns - t->bbo_ns : 0;
	char name[64];
	int room = c->cols >= PANE_WIDE ? 30 : 16;
	int x = room + 2;
	char a[TEXT_SZ];
	char b[TEXT_SZ];

	short_name(m->in.symbol, room, name, sizeof(name));
	canvas_put(c, row, 1,
	    m->in.state == INSTR_NORMAL || m->in.cls >= CLASS_PERP ? COL_PLAIN
								   : COL_DIM,
	    name);
	canvas_printf(c, row, x, t->dirty ? COL_WARN : COL_PLAIN,
	    "%10.10s %10.10s", text_px(t->bbo.bid_px, a),
	    text_px(t->bbo.ask_px, b));
	canvas_printf(c, row, x + 21, COL_DIM, "%6s %5s", spread_text(t, a),
	    t->bbo_ns ? text_dur(old, b) : "-");
	if (m->in.cls == CLASS_SPOT || m->in.cls == CLASS_INDEX) {
		canvas_put(c, row, x + 35, COL_DIM, "reference");
		return;
	}
	quote(c, row, x + 34, &t->our[SIDE_BID]);
	quote(c, row, x + 44, &t->our[SIDE_ASK]);
	canvas_printf(c, row, x + 54,
	    t->pos.e8 > 0   ? COL_GOOD
	    : t->pos.e8 < 0 ? COL_BAD
			    : COL_DIM,
	    "%7s", text_qty(t->pos, qty_digits(t->pos), a));
	if (c->cols < PANE_WIDE)
		return;
	canvas_printf(c, row, x + 63, COL_DIM, "%4u %-8s %s", t->fill_n,
	    text_state(m->in.state),
	    t->refused ? reason_name((enum reason)t->refused) : "");
}

int
pane_markets(struct canvas *c, const struct snap *s, const struct pane_view *v,
    int row, int max)
{
	uint16_t best[SNAP_MARKETS];
	int room = c->cols >= PANE_WIDE ? 30 : 16;
	int n = 0;
	int k = 0;

	if (max < 2)
		return 0;
	canvas_fill(c, row, COL_HEAD);
	canvas_printf(c, row, 1, COL_HEAD, "MARKET (%u)", s->market_n);
	canvas_put(c, row, room + 2, COL_HEAD,
	    "       BID        ASK SPRbps   AGE   OUR BID   OUR ASK     POS");
	if (c->cols >= PANE_WIDE)
		canvas_put(
		    c, row, room + 65, COL_HEAD, "FILL STATE    REFUSED");
	n++;
	/* Insertion into the few rows there are: O(markets x rows). */
	for (uint32_t i = 0; i < s->market_n; i++) {
		int at = k;

		if (v->filter[0] != '\0' &&
		    strstr(s->market[i].in.symbol, v->filter) == NULL)
			continue;
		while (at > 0 && order(&s->market[i], &s->market[best[at - 1]],
				     v->sort) < 0)
			at--;
		if (at >= max - 1)
			continue;
		if (k < max - 1)
			k++;
		for (int j = k - 1; j > at; j--)
			best[j] = best[j - 1];
		best[at] = (uint16_t)i;
	}
	for (int i = 0; i < k && n < max; i++)
		market_row(c, s, &s->market[best[i]], row + n++);
	return n;
}
