/* Hyperliquid's CSV captures, written out again as the venue's frames. */
#include <string.h>

#include "libcore/check.h"
#include "libvenue/text.h"
#include "simvenue/capture.h"
#include "simvenue/venue.h"

#define BOOK_LEVELS 20
#define CSV_SCALE_S 9
#define ZERO_HASH \
	"0x0000000000000000000000000000000000000000000000000000000000000000"
#define ZERO_USER "0x0000000000000000000000000000000000000000"

struct cell {
	const char *p;
	size_t n;
};

static unsigned
split(const char *line, size_t n, struct cell *cells)
{
	unsigned k = 0;
	const char *end = line + n;
	while (k < CAPTURE_CELLS_MAX) {
		const char *comma = memchr(line, ',', (size_t)(end - line));
		const char *stop = comma != NULL ? comma : end;
		cells[k++] = (struct cell){line, (size_t)(stop - line)};
		if (comma == NULL)
			break;
		line = comma + 1;
	}
	return k;
}

static bool
cell_is(struct cell c, const char *s)
{
	return c.n == strlen(s) && memcmp(c.p, s, c.n) == 0;
}

/* Small sizes were printed as "2e-05". Returns false for anything else. */
static bool
cell_small(struct cell c, int64_t *e8)
{
	static const int64_t units[] = {1000, 100, 10, 1};
	if (c.n != 5 || c.p[0] < '1' || c.p[0] > '9' ||
	    memcmp(c.p + 1, "e-0", 3) != 0 || c.p[4] < '5' || c.p[4] > '8')
		return false;
	*e8 = (c.p[0] - '0') * units[c.p[4] - '5'];
	return true;
}

/* A price or size, passed on letter by letter. */
static bool
cell_is_number(struct cell c)
{
	int64_t v;
	if (cell_small(c, &v))
		return true;
	return c.n < sizeof(((struct hl_cells *)0)->px) &&
	       fixed_parse(c.p, c.n, 8, false, PX_E8_MAX, &v);
}

/* "1756904112.5465927" */
static bool
cell_time(struct cell c, int64_t *out)
{
	return fixed_parse(c.p, c.n, CSV_SCALE_S, false, INT64_MAX, out);
}

static bool
cell_int(struct cell c, int64_t *out)
{
	return fixed_parse(c.p, c.n, 0, false, INT64_MAX, out);
}

static void
put_number(struct text *t, struct cell c)
{
	int64_t e8;
	if (cell_small(c, &e8))
		put_e8(t, e8, 1);
	else
		text_put(t, c.p, c.n);
}

static void
put_level(struct text *t, struct cell px, struct cell sz)
{
	text_lit(t, "{\"px\":\"");
	put_number(t, px);
	text_lit(t, "\",\"sz\":\"");
	put_number(t, sz);
	text_lit(t, "\",\"n\":1}");
}

static void
item_out(
    struct capture *c, int64_t t_ns, struct text *t, struct capture_item *item)
{
	size_t n = text_end(t);
	if (n == 0)
		return;
	item->venue = VENUE_HYPERLIQUID;
	item->frame.kind = SIM_HL_WS;
	item->frame.t_ns = t_ns;
	item->frame.text = c->out;
	item->frame.n = (uint32_t)n;
}

/* ---- one row a side of the best bid and offer ---- */

static void
bbo_out(struct capture *c, struct capture_item *item)
{
	struct text t;
	text_init(&t, c->out, sizeof(c->out));
	text_lit(&t, "{\"channel\":\"bbo\",\"data\":{\"coin\":\"");
	text_lit(&t, c->coin);
	text_lit(&t, "\",\"time\":");
	put_i64(&t, c->group_venue_ms);
	text_lit(&t, ",\"bbo\":[");
	for (unsigned i = 0; i < 2; i++) {
		const struct hl_cells *s = &c->sides[i];
		if (i > 0)
			text_lit(&t, ",");
		if (s->px[0] == '\0')
			text_lit(&t, "null");
		else
			put_level(&t, (struct cell){s->px, strlen(s->px)},
			    (struct cell){s->sz, strlen(s->sz)});
	}
	text_lit(&t, "]}}");
	item_out(c, c->group_t_ns, &t, item);
}

static void
side_keep(struct hl_cells *s, struct cell px, struct cell sz)
{
	memset(s, 0, sizeof(*s));
	memcpy(s->px, px.p, px.n);
	memcpy(s->sz, sz.p, sz.n);
}

static bool
line_price(struct capture *c, const struct cell *cells, unsigned n,
    struct capture_item *item)
{
	int64_t t_ns;
	int64_t venue_ms;
	if (n != 5 || !cell_time(cells[0], &t_ns) ||
	    !cell_is_number(cells[1]) || !cell_is_number(cells[2]) ||
	    !cell_int(cells[4], &venue_ms))
		return false;
	bool is_bid = cell_is(cells[3], "bid");
	if (!is_bid && !cell_is(cells[3], "ask"))
		return false;
	/* A bid, or an ask with another stamp, begins the next frame. */
	if (c->has_group &&
	    (is_bid || venue_ms != c->group_venue_ms || t_ns != c->group_t_ns))
		bbo_out(c, item);
	c->has_group = true;
	c->group_t_ns = t_ns;
	c->group_venue_ms = venue_ms;
	side_keep(&c->sides[is_bid ? 0 : 1], cells[1], cells[2]);
	return true;
}

/* ---- trades ---- */

static void
trades_out(struct capture *c, struct capture_item *item)
{
	struct text t;
	text_init(&t, c->out, sizeof(c->out));
	text_lit(&t, "{\"channel\":\"trades\",\"data\":[");
	text_put(&t, c->group, c->group_n);
	text_lit(&t, "]}");
	item_out(c, c->group_t_ns, &t, item);
	c->group_n = 0;
}

static void
trade_add(struct capture *c, const struct cell *cells)
{
	struct text t;
	text_init(&t, c->group, sizeof(c->group));
	t.n = c->group_n;
	text_lit(&t, c->group_n > 0 ? "," : "");
	text_lit(&t, "{\"coin\":\"");
	text_lit(&t, c->coin);
	text_lit(&t, cell_is(cells[3], "buy") ? "\",\"side\":\"B\",\"px\":\""
					      : "\",\"side\":\"A\",\"px\":\"");
	put_number(&t, cells[1]);
	text_lit(&t, "\",\"sz\":\"");
	put_number(&t, cells[2]);
	text_lit(&t, "\",\"time\":");
	text_put(&t, cells[5].p, cells[5].n);
	text_lit(&t, ",\"hash\":\"" ZERO_HASH "\",\"tid\":");
	text_put(&t, cells[4].p, cells[4].n);
	text_lit(&t, ",\"users\":[\"" ZERO_USER "\",\"" ZERO_USER "\"]}");
	if (!t.full)
		c->group_n = t.n;
}

static bool
line_trade(struct capture *c, const struct cell *cells, unsigned n,
    struct capture_item *item)
{
	int64_t t_ns;
	int64_t number;
	if (n != 6 || !cell_time(cells[0], &t_ns) ||
	    !cell_is_number(cells[1]) || !cell_is_number(cells[2]) ||
	    !cell_int(cells[4], &number) || !cell_int(cells[5], &number) ||
	    (!cell_is(cells[3], "buy") && !cell_is(cells[3], "sell")))
		return false;
	/* What was received together came in one frame. */
	if (c->has_group && t_ns != c->group_t_ns)
		trades_out(c, item);
	c->has_group = true;
	c->group_t_ns = t_ns;
	trade_add(c, cells);
	return true;
}

/* ---- books ---- */

static void
put_side(struct text *t, const struct cell *cells, unsigned n, unsigned at)
{
	text_lit(t, "[");
	for (unsigned i = 0; i < BOOK_LEVELS && at + 1 < n; i++, at += 4) {
		if (cells[at].n == 0)
			break;
		if (i > 0)
			text_lit(t, ",");
		put_level(t, cells[at], cells[at + 1]);
	}
	text_lit(t, "]");
}

static bool
line_book(struct capture *c, const struct cell *cells, unsigned n,
    struct capture_item *item)
{
	struct text t;
	int64_t t_ns;
	int64_t venue_ms;
	if (n < 7 || !cell_time(cells[0], &t_ns) ||
	    !cell_int(cells[2], &venue_ms))
		return false;
	for (unsigned i = 3; i < n; i++) {
		if (cells[i].n > 0 && !cell_is_number(cells[i]))
			return false;
	}
	text_init(&t, c->out, sizeof(c->out));
	text_lit(&t, "{\"channel\":\"l2Book\",\"data\":{\"coin\":\"");
	text_lit(&t, c->coin);
	text_lit(&t, "\",\"time\":");
	put_i64(&t, venue_ms);
	text_lit(&t, ",\"levels\":[");
	put_side(&t, cells, n, 3);
	text_lit(&t, ",");
	put_side(&t, cells, n, 5);
	text_lit(&t, "]}}");
	item_out(c, t_ns, &t, item);
	return true;
}

/* ---- the three of them ---- */

bool
capture_hl(
    struct capture *c, const char *line, size_t n, struct capture_item *item)
{
	static const char why[] = "not a row of this file's columns";
	struct cell cells[CAPTURE_CELLS_MAX];
	unsigned cell_n = split(line, n, cells);
	bool ok = c->format == CAPTURE_HL_PRICES
		      ? line_price(c, cells, cell_n, item)
		  : c->format == CAPTURE_HL_TRADES
		      ? line_trade(c, cells, cell_n, item)
		      : line_book(c, cells, cell_n, item);
	if (!ok)
		memcpy(c->error, why, sizeof(why));
	return ok;
}

bool
capture_end(struct capture *c, struct capture_item *item)
{
	memset(item, 0, sizeof(*item));
	if (!c->has_group)
		return false;
	if (c->format == CAPTURE_HL_PRICES)
		bbo_out(c, item);
	else
		trades_out(c, item);
	c->has_group = false;
	return item->venue != 0;
}
