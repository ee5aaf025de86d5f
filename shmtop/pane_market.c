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
		x = ours(&b->t) * 2 + (b->t.bbo_ns != 0 || b->t.ref_ns != 0);
		y = ours(&a->t) * 2 + (a->t.bbo_ns != 0 || a->t.ref_ns != 0);
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

static int
name_room(const struct canvas *c)
{
	return c->cols >= PANE_WHOLE ? 47 : c->cols >= PANE_WIDE ? 30 : 16;
}

/* A price that is only looked at: the last one, its age, its source. */
static void
price_row(struct canvas *c, const struct snap *s, const struct track_market *t,
    int row, int x)
{
	uint64_t old = s->now_ns > t->ref_ns ? s->now_ns - t->ref_ns : 0;
	char a[TEXT_SZ];
	char b[TEXT_SZ];

	canvas_printf(c, row, x, COL_PLAIN, "%21.21s", text_px(t->ref_px, a));
	canvas_printf(c, row, x + 21, COL_DIM, "%6s %5s", "",
	    t->ref_ns ? text_dur(old, b) : "-");
	canvas_printf(c, row, x + 35, COL_DIM, "price, %s",
	    t->ref_source ? text_ref(t->ref_source) : "none yet");
}

/* "strike 77123.4 official, outcome yes"; "" when the market has none. */
static const char *
strike_text(const struct instr *in, char *buf, size_t n)
{
	char px[TEXT_SZ];

	buf[0] = '\0';
	if (in->strike_px.e8 != 0)
		snprintf(buf, n, "strike %s %s%s%s", text_px(in->strike_px, px),
		    text_strike(in->strike_source),
		    in->outcome ? ", outcome " : "",
		    in->outcome ? text_outcome(in->outcome) : "");
	else if (in->outcome != 0)
		snprintf(buf, n, "outcome %s", text_outcome(in->outcome));
	return buf;
}

/* What wide screens show beside: a refusal gives way to nothing. */
static void
market_more(struct canvas *c, const struct snap_market *m, int row, int x)
{
	const struct track_market *t = &m->t;
	const char *why =
	    t->refused ? reason_name((enum reason)t->refused) : "";
	char strike[96];

	strike_text(&m->in, strike, sizeof(strike));
	canvas_printf(c, row, x, COL_DIM, "%4u %-8s %s%s%s", t->fill_n,
	    text_state(m->in.state), why, why[0] && strike[0] ? "; " : "",
	    strike);
}

static void
market_row(struct canvas *c, const struct snap *s, const struct snap_market *m,
    int row)
{
	const struct track_market *t = &m->t;
	uint64_t old =
	    t->bbo_ns != 0 && s->now_ns > t->bbo_ns ? s->now_ns - t->bbo_ns : 0;
	char name[64];
	int room = name_room(c);
	int x = room + 2;
	char a[TEXT_SZ];
	char b[TEXT_SZ];

	short_name(m->in.symbol, room, name, sizeof(name));
	canvas_put(c, row, 1,
	    m->in.state == INSTR_NORMAL || m->in.cls >= CLASS_PERP ? COL_PLAIN
								   : COL_DIM,
	    name);
	if (m->in.cls == CLASS_INDEX) {
		price_row(c, s, t, row, x);
		return;
	}
	canvas_printf(c, row, x, t->dirty ? COL_WARN : COL_PLAIN,
	    "%10.10s %10.10s", text_px(t->bbo.bid_px, a),
	    text_px(t->bbo.ask_px, b));
	canvas_printf(c, row, x + 21, COL_DIM, "%6s %5s", spread_text(t, a),
	    t->bbo_ns ? text_dur(old, b) : "-");
	if (m->in.cls == CLASS_SPOT) {
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
	market_more(c, m, row, x + 63);
}

int
pane_markets(struct canvas *c, const struct snap *s, const struct pane_view *v,
    int row, int max)
{
	uint16_t best[SNAP_MARKETS];
	int room = name_room(c);
	int n = 0;
	int k = 0;

	if (max < 2)
		return 0;
	canvas_fill(c, row, COL_HEAD);
	canvas_printf(c, row, 1, COL_HEAD, "MARKET (%u)", s->market_n);
	canvas_put(c, row, room + 2, COL_HEAD,
	    "       BID        ASK SPRbps   AGE   OUR BID   OUR ASK     POS");
	if (c->cols >= PANE_WIDE)
		canvas_put(c, row, room + 65, COL_HEAD,
		    "FILL STATE    REFUSED; STRIKE");
	n++;
	/* Insertion into the few rows there are: O(markets x rows). */
	for (uint32_t i = 0; i < s->market_n; i++) {
		int at = k;

		if (v->filter[0] != '\0' &&
		    !text_has(s->market[i].in.symbol, v->filter))
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
