#include <string.h>

#include "libcore/hash.h"
#include "recorderd/import.h"

struct field {
	const char *s;
	size_t n;
};

/* What a column may be. */
enum role {
	R_EXCHANGE = 1,
	R_SYMBOL,
	R_TIME,
	R_LOCAL,
	R_SNAP, /* true, false; snap, set                              */
	R_SIDE, /* bid, ask, a, b; buy, sell                           */
	R_PX,
	R_QTY,
	R_ID,
	R_MAKER, /* the buyer was                                        */
	R_BID_PX,
	R_BID_QTY,
	R_ASK_PX,
	R_ASK_QTY,
	R_SEQ,
	R_MARK,
	R_INDEX,
	R_EVENT_TIME,
	R_N
};
_Static_assert(R_N <= 32, "import.col");

enum kind {
	K_TRADE = 1,
	K_BBO,
	K_LEVEL,
	K_SNAP,
	K_REF,
	K_OTHER,
};

static const struct {
	const char *name;
	uint8_t role;
} names[] = {
    {"exchange", R_EXCHANGE},
    {"symbol", R_SYMBOL},
    {"timestamp", R_TIME},
    {"time", R_TIME},
    {"transact_time", R_TIME},
    {"transaction_time", R_TIME},
    {"trans_time", R_TIME},
    {"event_time", R_EVENT_TIME},
    {"local_timestamp", R_LOCAL},
    {"is_snapshot", R_SNAP},
    {"update_type", R_SNAP},
    {"side", R_SIDE},
    {"price", R_PX},
    {"amount", R_QTY},
    {"qty", R_QTY},
    {"quantity", R_QTY},
    {"id", R_ID},
    {"agg_trade_id", R_ID},
    {"trade_id", R_ID},
    {"is_buyer_maker", R_MAKER},
    {"bid_price", R_BID_PX},
    {"bid_amount", R_BID_QTY},
    {"ask_price", R_ASK_PX},
    {"ask_amount", R_ASK_QTY},
    {"best_bid_price", R_BID_PX},
    {"best_bid_qty", R_BID_QTY},
    {"best_ask_price", R_ASK_PX},
    {"best_ask_qty", R_ASK_QTY},
    {"update_id", R_SEQ},
    {"last_update_id", R_SEQ},
    {"mark_price", R_MARK},
    {"index_price", R_INDEX},
};

static bool
is(const struct field *f, const char *word)
{
	size_t n = strlen(word);

	if (f->n != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = f->s[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c != word[i])
			return false;
	}
	return true;
}

static unsigned
split(const char *text, size_t n, struct field f[IMPORT_FIELDS])
{
	unsigned k = 0;
	size_t from = 0;

	for (size_t i = 0; i <= n && k < IMPORT_FIELDS; i++) {
		if (i < n && text[i] != ',')
			continue;
		f[k].s = text + from;
		f[k++].n = i - from;
		from = i + 1;
	}
	return k;
}

/* "asks[12].price" */
static void
snap_column(struct import *im, const struct field *f, uint8_t at)
{
	bool ask = f->n > 5 && memcmp(f->s, "asks[", 5) == 0;
	unsigned level = 0;
	size_t i = 5;

	if (!ask && (f->n < 6 || memcmp(f->s, "bids[", 5) != 0))
		return;
	for (; i < f->n && f->s[i] >= '0' && f->s[i] <= '9'; i++)
		level = level * 10 + (unsigned)(f->s[i] - '0');
	if (level >= 32 || f->n < i + 2 || f->s[i] != ']')
		return;
	const struct field tail = {f->s + i + 1, f->n - i - 1};

	if (is(&tail, ".price"))
		im->snap_px[ask][level] = at;
	else if (is(&tail, ".amount"))
		im->snap_qty[ask][level] = at;
}

static uint8_t
kind_of(const struct import *im)
{
	if (im->snap_px[0][0] != 0 || im->snap_px[1][0] != 0)
		return K_SNAP;
	if (im->col[R_SNAP] != 0)
		return K_LEVEL;
	if (im->col[R_BID_PX] != 0)
		return K_BBO;
	if (im->col[R_MARK] != 0)
		return K_REF;
	return im->col[R_PX] != 0 && im->col[R_QTY] != 0 ? K_TRADE : K_OTHER;
}

static void
take_header(struct import *im, const struct field *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (is(&f[i], names[k].name) &&
			    im->col[names[k].role] == 0)
				im->col[names[k].role] = (uint8_t)(i + 1);
		snap_column(im, &f[i], (uint8_t)(i + 1));
	}
	im->has_header = true;
	im->kind = kind_of(im);
}

static bool
is_bool(const struct field *f)
{
	return is(f, "true") || is(f, "false");
}

/* Dumps without a header: by the number of fields and where words stand. */
static void
guess(struct import *im, const struct field *f, unsigned n)
{
	static const uint8_t trades[] = {R_ID, R_PX, R_QTY, 0, R_TIME, R_MAKER};
	static const uint8_t agg[] = {R_ID, R_PX, R_QTY, 0, 0, R_TIME, R_MAKER};
	static const uint8_t ticker[] = {R_SEQ, R_BID_PX, R_BID_QTY, R_ASK_PX,
	    R_ASK_QTY, R_TIME, R_EVENT_TIME};
	static const uint8_t depth[] = {
	    R_SYMBOL, R_TIME, 0, R_SEQ, R_SIDE, R_SNAP, R_PX, R_QTY};
	const uint8_t *t = NULL;
	unsigned m = 0;

	if (n >= 6 && is_bool(&f[5]))
		t = trades, m = sizeof(trades);
	else if (n >= 7 && is_bool(&f[6]))
		t = agg, m = sizeof(agg);
	else if (n >= 8 && (is(&f[5], "set") || is(&f[5], "snap")))
		t = depth, m = sizeof(depth);
	else if (n == 7)
		t = ticker, m = sizeof(ticker);
	for (unsigned i = 0; i < m; i++)
		if (t[i] != 0)
			im->col[t[i]] = (uint8_t)(i + 1);
	im->kind = kind_of(im);
}

/* ---- rows ---- */

struct row {
	const struct field *f;
	unsigned n;
	struct import_when when;
	struct import_instr *in;
};

static struct field
get(const struct import *im, const struct row *r, enum role role)
{
	unsigned at = im->col[role];

	return at != 0 && at <= r->n ? r->f[at - 1] : (struct field){"", 0};
}

static bool
decimal(
    const struct import *im, const struct row *r, enum role role, int64_t *out)
{
	struct field f = get(im, r, role);

	return import_decimal(f.s, f.n, out);
}

/* An empty field is a side that is not there. */
static int64_t
decimal_or_0(const struct import *im, const struct row *r, enum role role)
{
	int64_t v = 0;

	return decimal(im, r, role, &v) ? v : 0;
}

static uint64_t
whole(const struct import *im, const struct row *r, enum role role)
{
	struct field f = get(im, r, role);
	int64_t v = 0;

	if (fixed_parse(f.s, f.n, 0, false, INT64_MAX / 2, &v))
		return (uint64_t)v;
	return f.n > 0 ? hash_bytes(HASH_SEED, f.s, f.n) : 0;
}

static bool
take_trade(struct import *im, struct row *r)
{
	struct field side = get(im, r, R_SIDE);
	struct field maker = get(im, r, R_MAKER);
	struct tick_trade t = {.trade_id = whole(im, r, R_ID)};

	if (!decimal(im, r, R_PX, &t.px.e8) ||
	    !decimal(im, r, R_QTY, &t.qty.e8))
		return false;
	/* The buyer was the maker: the seller came to him. */
	if (is(&maker, "true") || is(&side, "sell"))
		t.side = SIDE_ASK;
	else if (is(&maker, "false") || is(&side, "buy"))
		t.side = SIDE_BID;
	else if (maker.n > 0 || (side.n > 0 && !is(&side, "unknown")))
		return false;
	import_trade(im, r->in, &r->when, &t);
	return true;
}

static bool
take_level(struct import *im, struct row *r)
{
	struct field side = get(im, r, R_SIDE);
	struct field snap = get(im, r, R_SNAP);
	struct tick_level l = {.venue_seq = whole(im, r, R_SEQ)};
	bool is_snap = is(&snap, "true") || is(&snap, "snap");

	if (!decimal(im, r, R_PX, &l.px.e8) ||
	    !decimal(im, r, R_QTY, &l.qty.e8))
		return false;
	if (is(&side, "bid") || is(&side, "b"))
		l.side = SIDE_BID;
	else if (is(&side, "ask") || is(&side, "a"))
		l.side = SIDE_ASK;
	else
		return false;
	if (is_snap && !r->in->in_snap)
		import_snap(im, r->in, &r->when, l.venue_seq);
	if (!is_snap && r->in->in_snap)
		import_snap_end(im, r->in, &r->when, l.venue_seq);
	import_level(im, r->in, &r->when, &l);
	return true;
}

static bool
take_snap(struct import *im, struct row *r)
{
	import_snap(im, r->in, &r->when, 0);
	for (unsigned ask = 0; ask < 2; ask++) {
		/* From the worst to the best: cheap for the book. */
		for (unsigned i = 32; i-- > 0;) {
			unsigned px = im->snap_px[ask][i];
			unsigned qty = im->snap_qty[ask][i];
			struct tick_level l = {
			    .side = ask ? SIDE_ASK : SIDE_BID};

			if (px == 0 || qty == 0 || px > r->n || qty > r->n ||
			    r->f[px - 1].n == 0)
				continue;
			if (!import_decimal(
				r->f[px - 1].s, r->f[px - 1].n, &l.px.e8) ||
			    !import_decimal(
				r->f[qty - 1].s, r->f[qty - 1].n, &l.qty.e8))
				return false;
			import_level(im, r->in, &r->when, &l);
		}
	}
	import_snap_end(im, r->in, &r->when, 0);
	return true;
}

static bool
take_row(struct import *im, struct row *r)
{
	struct tick_bbo b;
	struct tick_ref ref;

	switch (im->kind) {
	case K_TRADE: return take_trade(im, r);
	case K_LEVEL: return take_level(im, r);
	case K_SNAP: return take_snap(im, r);
	case K_BBO:
		b = (struct tick_bbo){PX(decimal_or_0(im, r, R_BID_PX)),
		    QTY(decimal_or_0(im, r, R_BID_QTY)),
		    PX(decimal_or_0(im, r, R_ASK_PX)),
		    QTY(decimal_or_0(im, r, R_ASK_QTY))};
		import_bbo(im, r->in, &r->when, &b);
		return true;
	case K_REF:
		ref = (struct tick_ref){.px = PX(decimal_or_0(im, r, R_MARK)),
		    .oracle_px = PX(decimal_or_0(im, r, R_INDEX)),
		    .source = REF_MARK};
		if (ref.px.e8 > 0)
			import_ref(im, r->in, &r->when, &ref);
		return true;
	default: return false;
	}
}

static bool
row_when(const struct import *im, struct row *r)
{
	struct field t = get(im, r, R_TIME);
	struct field e = get(im, r, R_EVENT_TIME);
	struct field l = get(im, r, R_LOCAL);

	if (!import_time(t.s, t.n, &r->when.venue_ns) &&
	    !import_time(e.s, e.n, &r->when.venue_ns))
		return false;
	if (!import_time(l.s, l.n, &r->when.recv_ns) &&
	    !import_time(e.s, e.n, &r->when.recv_ns))
		r->when.recv_ns = r->when.venue_ns;
	return true;
}

void
import_csv_line(struct import *im, char *text, size_t n)
{
	struct field f[IMPORT_FIELDS];
	struct row r = {.f = f, .n = split(text, n, f)};
	bool words = text[0] < '0' || text[0] > '9';

	if (im->kind == 0) {
		if (words &&
		    !(r.n >= 8 && (is(&f[5], "set") || is(&f[5], "snap")))) {
			take_header(im, f, r.n);
			if (im->kind == K_OTHER)
				im->bad_n++;
			return;
		}
		guess(im, f, r.n);
	}
	struct field sym = get(im, &r, R_SYMBOL);
	struct field ex = get(im, &r, R_EXCHANGE);
	uint8_t venue = is(&ex, "hyperliquid") ? VENUE_HYPERLIQUID : im->venue;

	if (sym.n == 0)
		sym = (struct field){im->symbol, strlen(im->symbol)};
	r.in = import_instr_get(im, sym.s, sym.n, venue);
	if (r.in == NULL || !row_when(im, &r) || !take_row(im, &r))
		im->bad_n++;
}
