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
static const struct pq_column signal_cols[] = {
#define SIGNAL_COL SCHEMA_COL
#include "recorderd/tables.def"
};
static const struct pq_column markout_cols[] = {
#define MARKOUT_COL SCHEMA_COL
#include "recorderd/tables.def"
};
static const struct pq_column freeze_cols[] = {
#define FREEZE_COL SCHEMA_COL
#include "recorderd/tables.def"
};
static const struct pq_column instr_cols[] = {
#define INSTR_COL SCHEMA_COL
#include "recorderd/tables.def"
};
static const struct pq_column config_cols[] = {
#define CONFIG_COL SCHEMA_COL
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
    [REC_SIGNAL] = SCHEMA("signals", signal_cols),
    [REC_MARKOUT] = SCHEMA("markouts", markout_cols),
    [REC_FREEZE] = SCHEMA("freezes", freeze_cols),
    [REC_INSTR] = SCHEMA("instruments", instr_cols),
    [REC_CONFIG] = SCHEMA("config", config_cols),
};

/* ---- which table, and is the slot sound ---- */

enum rec_table
rec_slot_table(uint8_t kind)
{
	if (kind == TAP_SIGNAL)
		return REC_SIGNAL;
	if (kind == TAP_MARKOUT)
		return REC_MARKOUT;
	if (kind == TAP_FREEZE)
		return REC_FREEZE;
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

/* What two values may be whose difference is a DECIMAL(18) too. */
#define DIFF_END INT64_C(400000000000000000)

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

/* Kinds that only taps carry. */
static bool
tap_ok(const struct tick *t)
{
	if (t->hdr.kind == TAP_SIGNAL)
		return fits(t->u.signal.fair.e8) &&
		       fits(t->u.signal.reserve.e8) &&
		       fits(t->u.signal.half.e8) &&
		       t->u.signal.reason < REASON_N &&
		       t->u.signal.strategy < STRATEGY_N &&
		       t->u.signal.trading < TRADING_STATE_N;
	if (t->hdr.kind == TAP_MARKOUT)
		return t->u.markout.fill_px.e8 > -DIFF_END &&
		       t->u.markout.fill_px.e8 < DIFF_END &&
		       t->u.markout.mid.e8 > -DIFF_END &&
		       t->u.markout.mid.e8 < DIFF_END &&
		       t->u.markout.side < SIDE_N &&
		       t->u.markout.strategy < STRATEGY_N &&
		       t->u.markout.venue < VENUE_N;
	return t->u.freeze.word < FW_N;
}

bool
rec_slot_ok(const union tap *s)
{
	const struct tick *t = &s->tick;

	if (s->hdr.kind >= TAP_SIGNAL && s->hdr.kind < TAP_KIND_N)
		return tap_ok(t);

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
	else if (t->ring >= TRACE_HASH)
		w->ring = r->ring_text[RG_N + (TRACE_TIMER - t->ring)];
	else if (t->ring >= TRACE_OWN)
		w->ring = r->ring_text[RG_N + REC_TRACES - 1];
	else
		w->ring = 0;
}

static void
row_tap(const struct rec *r, const struct tick *t, struct rec_row *w)
{
	if (t->hdr.kind == TAP_SIGNAL) {
		w->strategy =
		    text_or_null(r->strategy_text, t->u.signal.strategy);
		w->status = text_or_null(r->trading_text, t->u.signal.trading);
		w->reason = text_or_null(r->reason_text, t->u.signal.reason);
	} else if (t->hdr.kind == TAP_MARKOUT) {
		w->side = text_or_null(r->side_text, t->u.markout.side);
		w->strategy =
		    text_or_null(r->strategy_text, t->u.markout.strategy);
	} else {
		w->ring = r->word_text[t->u.freeze.word];
		w->scope = 0;
	}
}

void
rec_row_freeze(struct rec *r, const union tap *s, struct rec_row *w)
{
	char text[REC_NAME_SZ];

	freeze_format(s->tick.u.freeze.mask, text, sizeof(text));
	w->scope = rec_text(r, text, strlen(text));
}

/* ---- rows that no slot makes ---- */

static void
row_other(const struct rec *r, const struct journal_head *head, uint64_t at_ns,
    struct rec_row *w)
{
	memset(w, 0, sizeof(*w));
	w->ts = journal_wall(head, at_ns);
	w->clock_ns = (int64_t)((uint64_t)head->wall_ns - head->mono_ns);
	w->source = r->own_text;
}

static size_t
text_len(const char *s, size_t max)
{
	const char *end = memchr(s, '\0', max);

	return end != NULL ? (size_t)(end - s) : max;
}

static int64_t
hex_text(struct rec *r, const uint8_t b[32])
{
	static const char digit[] = "0123456789abcdef";
	char text[64];

	for (unsigned i = 0; i < 32; i++) {
		text[i * 2] = digit[b[i] >> 4];
		text[i * 2 + 1] = digit[b[i] & 15];
	}
	return rec_text(r, text, sizeof(text));
}

static bool
entry_ok(const struct instr *n)
{
	return n->venue < VENUE_N && n->state < INSTR_STATE_N &&
	       fits(n->tick_px.e8) && fits(n->lot_qty.e8) &&
	       fits(n->min_qty.e8) && fits(n->min_usd.e6) &&
	       fits(n->strike_px.e8) && fits(n->liquidity.e6) &&
	       fits(n->volume_day.e6) && fits(n->close_px.e8) &&
	       fits(n->reward_spread.e8) && fits(n->reward_min_qty.e8);
}

bool
rec_row_entry(struct rec *r, const struct journal_head *head,
    const struct journal_entry *e, struct rec_row *w)
{
	if (!entry_ok(&e->in))
		return false;
	row_other(r, head, e->at_ns, w);
	w->instr = e->idx;
	w->in = &e->in;
	w->symbol = rec_text(
	    r, e->in.symbol, text_len(e->in.symbol, sizeof(e->in.symbol)));
	w->status = text_or_null(r->instr_text, e->in.state);
	w->side = hex_text(r, e->in.condition);
	w->tif = hex_text(r, e->in.token_yes);
	w->reason = hex_text(r, e->in.token_no);
	return true;
}

bool
rec_row_config(struct rec *r, const struct journal_head *head,
    const struct rec_config *c, struct rec_row *w)
{
	if (c->part > 1000)
		return false;
	row_other(r, head, c->at_ns, w);
	w->epoch = (int64_t)c->epoch;
	w->symbol = rec_text(r, c->key, strlen(c->key));
	w->seq = c->part;
	w->scope = rec_text(r, c->value, text_len(c->value, REC_VALUE_SZ - 1));
	return true;
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
	w->is_instr = kind == TICK_INSTR;
	w->clock_ns = (int64_t)((uint64_t)w->ts - s->hdr.recv_ns);
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
	} else if (kind >= TAP_SIGNAL && kind < TAP_KIND_N) {
		row_tap(r, t, w);
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
	const union tap *s = p->s;
	const __typeof__(s->tick.u) *t = &s->tick.u;

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

static void
put_signal(const struct put *p)
{
	const __typeof__(p->s->tick.u) *t = &p->s->tick.u;

	PUT_BEGIN(p);
#define SIGNAL_COL PUT_COL
#include "recorderd/tables.def"
}

static void
put_markout(const struct put *p)
{
	const __typeof__(p->s->tick.u) *t = &p->s->tick.u;

	PUT_BEGIN(p);
#define MARKOUT_COL PUT_COL
#include "recorderd/tables.def"
}

static void
put_freeze(const struct put *p)
{
	const __typeof__(p->s->tick.u) *t = &p->s->tick.u;

	PUT_BEGIN(p);
#define FREEZE_COL PUT_COL
#include "recorderd/tables.def"
}

static void
put_instr(const struct put *p)
{
	const struct instr *n = p->w->in;

	PUT_BEGIN(p);
#define INSTR_COL PUT_COL
#include "recorderd/tables.def"
}

static void
put_config(const struct put *p)
{
	PUT_BEGIN(p);
#define CONFIG_COL PUT_COL
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
	    [REC_SIGNAL] = put_signal,
	    [REC_MARKOUT] = put_markout,
	    [REC_FREEZE] = put_freeze,
	    [REC_INSTR] = put_instr,
	    [REC_CONFIG] = put_config,
	};
	struct put p = {mem + at, rows_max, s, w};

	CHECK(table < REC_TABLE_N);
	CHECK(at < rows_max);
	put[table](&p);
}
