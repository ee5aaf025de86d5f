#include <string.h>

#include "libcore/check.h"
#include "recorderd/rec_int.h"

/* ---- schemas ---- */

#define SCHEMA_COL(name, type, enc, opt, value) \
	{#name, PQ_##type, PQ_ENC_##enc, opt},

static const struct pq_column price_cols[] = {
#define PRICE_COL SCHEMA_COL
#include "recorderd/tables.def"
};
static const struct pq_column book_cols[] = {
#define BOOK_COL SCHEMA_COL
#include "recorderd/tables.def"
};
static const struct pq_column order_cols[] = {
#define ORDER_COL SCHEMA_COL
#include "recorderd/tables.def"
};
static const struct pq_column fill_cols[] = {
#define FILL_COL SCHEMA_COL
#include "recorderd/tables.def"
};
static const struct pq_column latency_cols[] = {
#define LATENCY_COL SCHEMA_COL
#include "recorderd/tables.def"
};
static const struct pq_column event_cols[] = {
#define EVENT_COL SCHEMA_COL
#include "recorderd/tables.def"
};
static const struct pq_column trace_cols[] = {
#define TRACE_COL SCHEMA_COL
#include "recorderd/tables.def"
};
static const struct pq_column gap_cols[] = {
#define GAP_COL SCHEMA_COL
#include "recorderd/tables.def"
};

#define SCHEMA(name, cols)                                   \
	{                                                    \
		name, cols, sizeof(cols) / sizeof((cols)[0]) \
	}

const struct rec_schema rec_schemas[REC_TABLE_N] = {
    [REC_PRICE] = SCHEMA("price_ticks", price_cols),
    [REC_BOOK] = SCHEMA("orderbook_ticks", book_cols),
    [REC_ORDER] = SCHEMA("orders", order_cols),
    [REC_FILL] = SCHEMA("fills", fill_cols),
    [REC_LATENCY] = SCHEMA("latency", latency_cols),
    [REC_EVENT] = SCHEMA("events", event_cols),
    [REC_TRACE] = SCHEMA("trace", trace_cols),
    [REC_GAP] = SCHEMA("gaps", gap_cols),
};

/* ---- which table, and is the slot sound ---- */

enum rec_table
rec_slot_table(uint8_t kind)
{
	switch ((enum slot_kind)kind) {
	case TICK_BBO:
	case TICK_TRADE:
	case TICK_REF: return REC_PRICE;
	case TICK_LEVEL:
	case TICK_SNAP_BEGIN:
	case TICK_SNAP_END: return REC_BOOK;
	case TICK_LINK: return REC_LATENCY;
	case TICK_GAP: return REC_GAP;
	case TICK_RESTART:
	case TICK_INSTR:
	case TICK_CONN:
	case MSG_RESTART: return REC_EVENT;
	case TICK_TRACE: return REC_TRACE;
	case MSG_FILL: return REC_FILL;
	case MSG_INTENT:
	case MSG_ORDER:
	case MSG_CANCEL:
	case MSG_VERDICT:
	case MSG_ACK:
	case MSG_DONE:
	case MSG_REJECT:
	case MSG_STATE:
	case MSG_POSITION:
	case MSG_BALANCE: return REC_ORDER;
	case SLOT_KIND_N: break;
	}
	return REC_TABLE_N;
}

/* DECIMAL(18) holds what has at most 18 digits. */
static bool
fits(int64_t v)
{
	return v > -INT64_C(1000000000000000000) &&
	       v < INT64_C(1000000000000000000);
}

static bool
order_ok(const struct order *o)
{
	unsigned states =
	    o->hdr.kind == MSG_STATE ? TRADING_STATE_N : ORDER_STATUS_N;

	return fits(o->px.e8) && fits(o->qty.e8) && fits(o->exec_px.e8) &&
	       fits(o->exec_qty.e8) && fits(o->cum_qty.e8) && fits(o->usd.e6) &&
	       o->venue < VENUE_N && o->side < SIDE_N &&
	       o->strategy < STRATEGY_N && o->tif < TIF_N &&
	       o->status < states && o->reason < REASON_N;
}

bool
rec_slot_ok(const union tap *s)
{
	const struct tick *t = &s->tick;

	switch ((enum slot_kind)s->hdr.kind) {
	case TICK_BBO:
		return fits(t->u.bbo.bid_px.e8) && fits(t->u.bbo.bid_qty.e8) &&
		       fits(t->u.bbo.ask_px.e8) && fits(t->u.bbo.ask_qty.e8);
	case TICK_TRADE:
		return fits(t->u.trade.px.e8) && fits(t->u.trade.qty.e8) &&
		       t->u.trade.side < SIDE_N;
	case TICK_LEVEL:
		return fits(t->u.level.px.e8) && fits(t->u.level.qty.e8) &&
		       t->u.level.side < SIDE_N;
	case TICK_REF:
		return fits(t->u.ref.px.e8) && fits(t->u.ref.oracle_px.e8) &&
		       t->u.ref.source < REF_SOURCE_N;
	case TICK_LINK:
		return t->u.link.venue < VENUE_N &&
		       t->u.link.state < LINK_STATE_N;
	case TICK_CONN:
		return t->u.conn.venue < VENUE_N &&
		       t->u.conn.state < LINK_STATE_N &&
		       t->u.conn.reason < REASON_N;
	case TICK_GAP: return t->u.gap.scope < 4 && t->u.gap.reason < REASON_N;
	case TICK_INSTR: return t->u.instr.state < INSTR_STATE_N;
	case TICK_SNAP_BEGIN:
	case TICK_SNAP_END:
	case TICK_RESTART:
	case TICK_TRACE:
	case MSG_RESTART: return true;
	case MSG_INTENT:
	case MSG_ORDER:
	case MSG_CANCEL:
	case MSG_VERDICT:
	case MSG_ACK:
	case MSG_FILL:
	case MSG_DONE:
	case MSG_REJECT:
	case MSG_STATE:
	case MSG_POSITION:
	case MSG_BALANCE: return order_ok(&s->order);
	case SLOT_KIND_N: break;
	}
	return false;
}

/* ---- rows ---- */

/* Text of enum value v; none for 0. */
static int64_t
text_or_null(const uint32_t *table, unsigned v)
{
	return v != 0 ? table[v] : PQ_NULL;
}

static void
row_order(const struct rec *r, const struct order *o, struct rec_row *w)
{
	w->side = text_or_null(r->side_text, o->side);
	w->strategy = text_or_null(r->strategy_text, o->strategy);
	w->tif = text_or_null(r->tif_text, o->tif);
	w->reason = text_or_null(r->reason_text, o->reason);
	w->status = o->hdr.kind == MSG_STATE
			? text_or_null(r->trading_text, o->status)
			: text_or_null(r->status_text, o->status);
}

static void
row_bbo(const struct tick_bbo *b, struct rec_row *w)
{
	w->has_bid = b->bid_px.e8 != 0 || b->bid_qty.e8 != 0;
	w->has_ask = b->ask_px.e8 != 0 || b->ask_qty.e8 != 0;
}

static void
row_gap(const struct rec *r, const struct journal_head *head,
    const struct tick_gap *g, struct rec_row *w)
{
	w->scope = r->scope_text[g->scope];
	w->reason = g->scope == 3 ? r->cause_text[JOURNAL_LOST_TAP]
				  : r->reason_text[g->reason];
	w->gap.first_seq = g->first_seq;
	w->gap.lost_n = g->lost_n;
	w->from_ts =
	    g->since_ns != 0 ? journal_wall(head, g->since_ns) : PQ_NULL;
	w->to_ts = w->ts;
}

static void
row_trace(const struct rec *r, const struct tick_trace *t, struct rec_row *w)
{
	if (t->ring < RG_N)
		w->ring = r->ring_text[t->ring];
	else if (t->ring >= 0xfffe)
		w->ring = r->ring_text[RG_N + (t->ring - 0xfffe)];
	else
		w->ring = 0;
}

void
rec_row_slot(const struct rec *r, const struct journal_head *head,
    const union tap *s, struct rec_row *w)
{
	const struct tick *t = &s->tick;
	uint8_t kind = s->hdr.kind;

	w->ts = journal_wall(head, s->hdr.recv_ns);
	w->venue_ts = s->hdr.venue_ns != 0 ? s->hdr.venue_ns : PQ_NULL;
	w->seq = (int64_t)s->hdr.seq;
	w->source = r->tap_source[head->tap];
	w->kind = r->kind_text[kind];
	w->symbol = r->symbol[s->hdr.instr];
	w->side = w->strategy = w->tif = w->status = w->reason = PQ_NULL;
	w->epoch = w->from_ts = w->to_ts = PQ_NULL;
	w->is_trade = kind == TICK_TRADE;
	w->is_ref = kind == TICK_REF;
	w->is_level = kind == TICK_LEVEL;
	w->is_conn = kind == TICK_CONN;
	w->has_bid = w->has_ask = false;
	if (slot_is_order(kind) && kind != MSG_RESTART) {
		row_order(r, &s->order, w);
	} else if (kind == TICK_BBO) {
		row_bbo(&t->u.bbo, w);
	} else if (w->is_trade) {
		w->side = text_or_null(r->side_text, t->u.trade.side);
	} else if (w->is_level) {
		w->side = text_or_null(r->side_text, t->u.level.side);
	} else if (w->is_ref) {
		w->ref_source = text_or_null(r->ref_text, t->u.ref.source);
	} else if (kind == TICK_LINK) {
		w->status = text_or_null(r->link_text, t->u.link.state);
	} else if (w->is_conn) {
		w->status = text_or_null(r->link_text, t->u.conn.state);
		w->reason = text_or_null(r->reason_text, t->u.conn.reason);
	} else if (kind == TICK_INSTR) {
		w->status = text_or_null(r->instr_text, t->u.instr.state);
		w->epoch = t->u.instr.epoch;
	} else if (kind == TICK_RESTART) {
		w->epoch = (int64_t)t->u.restart.epoch;
	} else if (kind == MSG_RESTART) {
		w->epoch = (int64_t)(s->order.id >> 40);
	} else if (kind == TICK_GAP) {
		row_gap(r, head, &t->u.gap, w);
	} else if (kind == TICK_TRACE) {
		row_trace(r, &t->u.trace, w);
	}
	if (s->hdr.instr == 0) {
		enum rec_table table = rec_slot_table(kind);

		w->symbol =
		    table == REC_EVENT || table == REC_GAP ? PQ_NULL : 0;
	}
}

/* Each column's value goes to its own array; `at` is the row. */
#define PUT_COL(name, type, enc, opt, value) \
	*col = (value);                      \
	col += rows_max;

struct put {
	int64_t *col; /* of the first column, at the row */
	uint32_t rows_max;
	const union tap *s;
	const struct rec_row *w;
};

#define PUT_BEGIN(p)                             \
	int64_t *col = (p)->col;                 \
	const uint32_t rows_max = (p)->rows_max; \
	const struct rec_row *w = (p)->w

static void
put_price(const struct put *p)
{
	const union tap *s = p->s;
	const __typeof__(s->tick.u) *t = &s->tick.u;

	PUT_BEGIN(p);
#define PRICE_COL PUT_COL
#include "recorderd/tables.def"
}

static void
put_book(const struct put *p)
{
	const union tap *s = p->s;
	const __typeof__(s->tick.u) *t = &s->tick.u;

	PUT_BEGIN(p);
#define BOOK_COL PUT_COL
#include "recorderd/tables.def"
}

static void
put_order(const struct put *p)
{
	const union tap *s = p->s;
	const struct order *o = &s->order;

	PUT_BEGIN(p);
#define ORDER_COL PUT_COL
#include "recorderd/tables.def"
}

static void
put_fill(const struct put *p)
{
	const struct order *o = &p->s->order;

	PUT_BEGIN(p);
#define FILL_COL PUT_COL
#include "recorderd/tables.def"
}

static void
put_latency(const struct put *p)
{
	const __typeof__(p->s->tick.u) *t = &p->s->tick.u;

	PUT_BEGIN(p);
#define LATENCY_COL PUT_COL
#include "recorderd/tables.def"
}

static void
put_event(const struct put *p)
{
	const __typeof__(p->s->tick.u) *t = &p->s->tick.u;

	PUT_BEGIN(p);
#define EVENT_COL PUT_COL
#include "recorderd/tables.def"
}

static void
put_trace(const struct put *p)
{
	const __typeof__(p->s->tick.u) *t = &p->s->tick.u;

	PUT_BEGIN(p);
#define TRACE_COL PUT_COL
#include "recorderd/tables.def"
}

static void
put_gap(const struct put *p)
{
	PUT_BEGIN(p);
#define GAP_COL PUT_COL
#include "recorderd/tables.def"
}

void
rec_row_put(enum rec_table table, int64_t *mem, uint32_t rows_max, uint32_t at,
    const union tap *s, const struct rec_row *w)
{
	static void (*const put[REC_TABLE_N])(const struct put *) = {
	    [REC_PRICE] = put_price,
	    [REC_BOOK] = put_book,
	    [REC_ORDER] = put_order,
	    [REC_FILL] = put_fill,
	    [REC_LATENCY] = put_latency,
	    [REC_EVENT] = put_event,
	    [REC_TRACE] = put_trace,
	    [REC_GAP] = put_gap,
	};
	struct put p = {mem + at, rows_max, s, w};

	CHECK(table < REC_TABLE_N);
	CHECK(at < rows_max);
	put[table](&p);
}
