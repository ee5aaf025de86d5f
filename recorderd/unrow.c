#include "recorderd/unrow.h"

#include <string.h>

#include "libcore/check.h"

/* Places of the columns. */
#define PLACE(prefix, name) prefix##name,
enum {
#define PRICE_COL(name, type, enc, opt, value) PLACE(PR_, name)
#include "recorderd/tables.def"
};
enum {
#define BOOK_COL(name, type, enc, opt, value) PLACE(BO_, name)
#include "recorderd/tables.def"
};
enum {
#define ORDER_COL(name, type, enc, opt, value) PLACE(OR_, name)
#include "recorderd/tables.def"
};
enum {
#define FILL_COL(name, type, enc, opt, value) PLACE(FI_, name)
#include "recorderd/tables.def"
};
enum {
#define LATENCY_COL(name, type, enc, opt, value) PLACE(LA_, name)
#include "recorderd/tables.def"
};
enum {
#define EVENT_COL(name, type, enc, opt, value) PLACE(EV_, name)
#include "recorderd/tables.def"
};
enum {
#define TRACE_COL(name, type, enc, opt, value) PLACE(TR_, name)
#include "recorderd/tables.def"
};
enum {
#define GAP_COL(name, type, enc, opt, value) PLACE(GA_, name)
#include "recorderd/tables.def"
};
enum {
#define SIGNAL_COL(name, type, enc, opt, value) PLACE(SI_, name)
#include "recorderd/tables.def"
};
enum {
#define MARKOUT_COL(name, type, enc, opt, value) PLACE(MA_, name)
#include "recorderd/tables.def"
};
enum {
#define FREEZE_COL(name, type, enc, opt, value) PLACE(FR_, name)
#include "recorderd/tables.def"
};
enum {
#define INSTR_COL(name, type, enc, opt, value) PLACE(IN_, name)
#include "recorderd/tables.def"
};
enum {
#define CONFIG_COL(name, type, enc, opt, value) PLACE(CO_, name)
#include "recorderd/tables.def"
};

/* ---- texts ---- */

bool
unrow_is_text(enum rec_table table, unsigned col)
{
	if (table == REC_INSTR)
		return col == IN_symbol || col == IN_condition ||
		       col == IN_token_yes || col == IN_token_no;
	return table == REC_CONFIG && (col == CO_key || col == CO_value);
}

static bool
same(const char *name, const char *s, size_t n)
{
	return strlen(name) == n && memcmp(name, s, n) == 0;
}

/* Number of a name in one of our lists, from 1; 0 none. */
#define FIND(n_, name_of)                                     \
	do {                                                  \
		for (unsigned k = 1; k < (unsigned)(n_); k++) \
			if (same((name_of), s, n))            \
				return k;                     \
		return 0;                                     \
	} while (0)

static int64_t
find_kind(const char *s, size_t n)
{
	FIND(SLOT_KIND_N, slot_kind_name((uint8_t)k));
}

static int64_t
find_side(const char *s, size_t n)
{
	FIND(SIDE_N, side_name((enum side)k));
}

static int64_t
find_strategy(const char *s, size_t n)
{
	FIND(STRATEGY_N, strategy_name((uint8_t)k));
}

static int64_t
find_reason(const char *s, size_t n)
{
	FIND(REASON_N, reason_name((enum reason)k));
}

static int64_t
find_cause(const char *s, size_t n)
{
	FIND(JOURNAL_CAUSE_N, journal_cause_name(k));
}

static int64_t
find_status(const char *s, size_t n)
{
	FIND(ORDER_STATUS_N, order_status_name((uint8_t)k));
}

static int64_t
find_trading(const char *s, size_t n)
{
	FIND(TRADING_STATE_N, trading_state_name((uint8_t)k));
}

static int64_t
find_link(const char *s, size_t n)
{
	FIND(LINK_STATE_N, link_state_name((uint8_t)k));
}

static int64_t
find_instr_state(const char *s, size_t n)
{
	FIND(INSTR_STATE_N, instr_state_name((enum instr_state)k));
}

static int64_t
find_tif(const char *s, size_t n)
{
	FIND(TIF_N, rec_tif_name(k));
}

static int64_t
find_ref(const char *s, size_t n)
{
	FIND(REF_SOURCE_N, rec_ref_name(k));
}

static int64_t
find_source(const char *s, size_t n)
{
	for (unsigned k = 0; k < ST_N; k++)
		if (same(topo_stages[k].name, s, n))
			return k;
	return UNROW_BAD;
}

/* A word that may stand for several things: the table and the kind of the
 * row say which. */
#define OF_STATUS(c)  ((uint8_t)((c)&255))
#define OF_TRADING(c) ((uint8_t)((c) >> 8 & 255))
#define OF_LINK(c)    ((uint8_t)((c) >> 16 & 255))
#define OF_INSTR(c)   ((uint8_t)((c) >> 24 & 255))

int64_t
unrow_code(enum rec_table table, unsigned col, const char *s, size_t n)
{
	CHECK(table < REC_TABLE_N);
	CHECK(col < rec_schemas[table].col_n);
	const char *name = rec_schemas[table].col[col].name;

	if (strcmp(name, "source") == 0)
		return find_source(s, n);
	if (strcmp(name, "event") == 0)
		return find_kind(s, n);
	if (strcmp(name, "side") == 0)
		return find_side(s, n);
	if (strcmp(name, "strategy") == 0)
		return find_strategy(s, n);
	if (strcmp(name, "tif") == 0)
		return find_tif(s, n);
	if (strcmp(name, "ref_source") == 0)
		return find_ref(s, n);
	if (strcmp(name, "reason") == 0)
		return find_reason(s, n);
	if (strcmp(name, "cause") == 0)
		return find_cause(s, n);
	if (strcmp(name, "status") == 0 || strcmp(name, "state") == 0)
		return find_status(s, n) | find_trading(s, n) << 8 |
		       find_link(s, n) << 16 | find_instr_state(s, n) << 24;
	return 0;
}

void
unrow_common(enum rec_table table, struct unrow_common *c)
{
	const struct rec_schema *s = &rec_schemas[table];

	CHECK(table < REC_TABLE_N);
	*c = (struct unrow_common){-1, -1, -1, -1, -1};
	for (unsigned i = 0; i < s->col_n; i++) {
		const char *n = s->col[i].name;

		if (strcmp(n, "ts") == 0)
			c->ts = (int)i;
		else if (strcmp(n, "seq") == 0)
			c->seq = (int)i;
		else if (strcmp(n, "source") == 0)
			c->source = (int)i;
		else if (strcmp(n, "clock_ns") == 0)
			c->clock_ns = (int)i;
		else if (strcmp(n, "publish_ns") == 0)
			c->publish_ns = (int)i;
	}
}

/* ---- slots ---- */

static inline int64_t
z(int64_t v)
{
	return v == PQ_NULL ? 0 : v;
}

#define V(name) (v[name][i])
#define Z(name) z(v[name][i])

/* What every row knows of the header. */
#define HEAD(P, k)                                                         \
	s->hdr = (struct slot_hdr)                                         \
	{                                                                  \
		.seq = (uint64_t)V(P##_seq), .kind = (uint8_t)(k),         \
		.flags = (uint8_t)V(P##_HEAD_FLAGS),                       \
		.instr = (uint16_t)V(P##_instr),                           \
		.pub_delta = (uint32_t)V(P##_publish_ns),                  \
		.venue_ns = Z(P##_venue_ts),                               \
		.recv_ns = (uint64_t)V(P##_ts) - (uint64_t)V(P##_clock_ns) \
	}
#define PR_HEAD_FLAGS PR_flags
#define BO_HEAD_FLAGS BO_flags
#define OR_HEAD_FLAGS OR_slot_flags
#define FI_HEAD_FLAGS FI_slot_flags
#define LA_HEAD_FLAGS LA_flags
#define EV_HEAD_FLAGS EV_flags
#define TR_HEAD_FLAGS TR_flags
#define GA_HEAD_FLAGS GA_flags
#define SI_HEAD_FLAGS SI_flags
#define MA_HEAD_FLAGS MA_flags
#define FR_HEAD_FLAGS FR_flags

static bool
un_price(const int64_t *const *v, uint32_t i, union tap *s)
{
	__typeof__(s->tick.u) *t = &s->tick.u;
	int64_t kind = V(PR_event);

	HEAD(PR, kind);
	if (kind == TICK_BBO) {
		t->bbo = (struct tick_bbo){PX(Z(PR_bid_px)), QTY(Z(PR_bid_qty)),
		    PX(Z(PR_ask_px)), QTY(Z(PR_ask_qty))};
		return true;
	}
	if (kind == TICK_TRADE) {
		t->trade = (struct tick_trade){.px = PX(Z(PR_px)),
		    .qty = QTY(Z(PR_qty)),
		    .trade_id = (uint64_t)V(PR_trade_id),
		    .side = (uint8_t)Z(PR_side),
		    .conn = (uint8_t)V(PR_conn),
		    .epoch = (uint16_t)V(PR_epoch)};
		return true;
	}
	if (kind != TICK_REF)
		return false;
	t->ref = (struct tick_ref){.px = PX(Z(PR_px)),
	    .funding_e12 = Z(PR_funding_e12),
	    .oracle_px = PX(Z(PR_oracle_px)),
	    .source = (uint32_t)Z(PR_ref_source)};
	return true;
}

static bool
un_book(const int64_t *const *v, uint32_t i, union tap *s)
{
	__typeof__(s->tick.u) *t = &s->tick.u;
	int64_t kind = V(BO_event);

	HEAD(BO, kind);
	if (kind == TICK_LEVEL) {
		t->level = (struct tick_level){.px = PX(Z(BO_px)),
		    .qty = QTY(Z(BO_qty)),
		    .venue_seq = (uint64_t)V(BO_venue_seq),
		    .side = (uint8_t)Z(BO_side),
		    .conn = (uint8_t)V(BO_conn),
		    .epoch = (uint16_t)V(BO_epoch)};
		return true;
	}
	if (kind != TICK_SNAP_BEGIN && kind != TICK_SNAP_END)
		return false;
	t->snap = (struct tick_snap){.venue_seq = (uint64_t)V(BO_venue_seq),
	    .bid_n = (uint32_t)Z(BO_bid_n),
	    .ask_n = (uint32_t)Z(BO_ask_n),
	    .epoch = (uint16_t)V(BO_epoch),
	    .conn = (uint8_t)V(BO_conn)};
	return true;
}

static bool
un_order(const int64_t *const *v, uint32_t i, union tap *s)
{
	struct order *o = &s->order;
	int64_t kind = V(OR_event);

	if (!slot_is_order((uint8_t)kind) || kind == MSG_FILL)
		return false;
	HEAD(OR, kind);
	o->id = (uint64_t)V(OR_id);
	o->px = PX(V(OR_px));
	o->qty = QTY(V(OR_qty));
	o->exec_px = PX(V(OR_exec_px));
	o->exec_qty = QTY(V(OR_exec_qty));
	o->cum_qty = QTY(V(OR_cum_qty));
	o->usd = USD(V(OR_usd));
	o->fill_id = (uint64_t)V(OR_fill_id);
	o->venue = (uint8_t)V(OR_venue_no);
	o->side = (uint8_t)Z(OR_side);
	o->level = (uint8_t)V(OR_level);
	o->strategy = (uint8_t)Z(OR_strategy);
	o->tif = (uint8_t)Z(OR_tif);
	o->oflags = (uint8_t)V(OR_flags);
	o->status = kind == MSG_STATE ? OF_TRADING(Z(OR_status))
				      : OF_STATUS(Z(OR_status));
	o->reason = (uint16_t)Z(OR_reason);
	o->epoch = (uint16_t)V(OR_epoch);
	o->quote_delta = (uint32_t)V(OR_quote_ns);
	o->risk_delta = (uint32_t)V(OR_risk_ns);
	o->send_delta = (uint32_t)V(OR_send_ns);
	o->ack_delta = (uint32_t)V(OR_ack_ns);
	o->life_ms = (uint32_t)V(OR_life_ms);
	return true;
}

static bool
un_fill(const int64_t *const *v, uint32_t i, union tap *s)
{
	struct order *o = &s->order;

	HEAD(FI, MSG_FILL);
	o->id = (uint64_t)V(FI_order_id);
	o->px = PX(V(FI_px));
	o->qty = QTY(V(FI_qty));
	o->exec_px = PX(V(FI_exec_px));
	o->exec_qty = QTY(V(FI_exec_qty));
	o->cum_qty = QTY(V(FI_cum_qty));
	o->usd = USD(V(FI_fee_usd));
	o->fill_id = (uint64_t)V(FI_fill_id);
	o->venue = (uint8_t)V(FI_venue_no);
	o->side = (uint8_t)Z(FI_side);
	o->level = (uint8_t)V(FI_level);
	o->strategy = (uint8_t)Z(FI_strategy);
	o->tif = (uint8_t)Z(FI_tif);
	o->oflags = (uint8_t)V(FI_flags);
	o->status = OF_STATUS(Z(FI_status));
	o->reason = (uint16_t)Z(FI_reason);
	o->epoch = (uint16_t)V(FI_epoch);
	o->quote_delta = (uint32_t)V(FI_quote_ns);
	o->risk_delta = (uint32_t)V(FI_risk_ns);
	o->send_delta = (uint32_t)V(FI_send_ns);
	o->ack_delta = (uint32_t)V(FI_ack_ns);
	o->life_ms = (uint32_t)V(FI_life_ms);
	return true;
}

static bool
un_latency(const int64_t *const *v, uint32_t i, union tap *s)
{
	HEAD(LA, TICK_LINK);
	s->tick.u.link = (struct tick_link){.rtt_us = (uint32_t)V(LA_rtt_us),
	    .rtt_ema_us = (uint32_t)V(LA_rtt_ema_us),
	    .age_us = (int32_t)V(LA_age_us),
	    .quiet_ms = (uint32_t)V(LA_quiet_ms),
	    .msgs = (uint32_t)V(LA_msgs),
	    .venue = (uint8_t)V(LA_venue_no),
	    .conn = (uint8_t)V(LA_conn),
	    .state = OF_LINK(Z(LA_state)),
	    .overdue = (uint8_t)V(LA_overdue),
	    .reconnects = (uint32_t)V(LA_reconnects),
	    .skew_ms = (int32_t)V(LA_skew_ms)};
	return true;
}

static bool
un_event(const int64_t *const *v, uint32_t i, union tap *s)
{
	int64_t kind = V(EV_event);

	HEAD(EV, kind);
	if (kind == TICK_RESTART) {
		s->tick.u.restart.epoch = (uint64_t)Z(EV_epoch);
	} else if (kind == MSG_RESTART) {
		s->order.id = (uint64_t)Z(EV_epoch) << 40;
	} else if (kind == TICK_INSTR) {
		s->tick.u.instr =
		    (struct tick_instr){.epoch = (uint16_t)Z(EV_epoch),
			.state = OF_INSTR(Z(EV_state)),
			.cls = (uint8_t)Z(EV_cls)};
	} else if (kind == TICK_CONN) {
		s->tick.u.conn =
		    (struct tick_conn){.venue = (uint8_t)Z(EV_venue_no),
			.conn = (uint8_t)Z(EV_conn),
			.state = OF_LINK(Z(EV_state)),
			.reason = (uint16_t)Z(EV_reason),
			.code = (uint16_t)Z(EV_code)};
	} else {
		return false;
	}
	return true;
}

static bool
un_trace(const int64_t *const *v, uint32_t i, union tap *s)
{
	uint64_t *raw = s->step.in.raw;

	HEAD(TR, TICK_TRACE);
	s->tick.u.trace =
	    (struct tick_trace){.ring_seq = (uint64_t)V(TR_ring_seq),
		.now_ns = (uint64_t)V(TR_now_ns),
		.state_hash = (uint64_t)V(TR_state_hash),
		.ring = (uint16_t)V(TR_ring_no),
		.out_n = (uint32_t)V(TR_out_n)};
	raw[0] = (uint64_t)V(TR_in_seq) + (uint64_t)V(TR_ring_seq);
	raw[1] = (uint64_t)V(TR_in_head);
	raw[2] = (uint64_t)V(TR_in_venue_ns);
	raw[3] = (uint64_t)V(TR_in_recv_ns);
	raw[4] = (uint64_t)V(TR_in_0);
	raw[5] = (uint64_t)V(TR_in_1);
	raw[6] = (uint64_t)V(TR_in_2);
	raw[7] = (uint64_t)V(TR_in_3);
	return true;
}

static bool
un_gap(
    const int64_t *const *v, uint32_t i, union tap *s, struct journal_gap *gap)
{
	int64_t clock = V(GA_clock_ns);
	uint64_t from = V(GA_from_ts) == PQ_NULL
			    ? 0
			    : (uint64_t)V(GA_from_ts) - (uint64_t)clock;
	uint64_t to = V(GA_to_ts) == PQ_NULL
			  ? 0
			  : (uint64_t)V(GA_to_ts) - (uint64_t)clock;

	if (V(GA_seq) == 0) {
		*gap =
		    (struct journal_gap){.first_seq = (uint64_t)V(GA_first_seq),
			.lost_n = (uint64_t)V(GA_lost_n),
			.from_ns = from,
			.to_ns = to,
			.cause = (uint32_t)V(GA_cause),
			.err = (int32_t)V(GA_err)};
		return gap->lost_n > 0 && gap->first_seq > 0 &&
		       gap->lost_n < UINT64_MAX - gap->first_seq;
	}
	HEAD(GA, TICK_GAP);
	s->tick.u.gap =
	    (struct tick_gap){.first_seq = (uint64_t)V(GA_first_seq),
		.lost_n = (uint64_t)V(GA_lost_n),
		.since_ns = from,
		.reason = (uint16_t)V(GA_reason_no),
		.conn = (uint8_t)V(GA_conn),
		.scope = (uint8_t)V(GA_scope_no)};
	return true;
}

static bool
un_signal(const int64_t *const *v, uint32_t i, union tap *s)
{
	HEAD(SI, TAP_SIGNAL);
	s->tick.u.signal = (struct tick_signal){.fair = PX(V(SI_fair_px)),
	    .reserve = PX(V(SI_reserve_px)),
	    .half = PX(V(SI_half_px)),
	    .sigma_e8 = (uint32_t)V(SI_sigma_e8),
	    .reason = (uint16_t)Z(SI_reason),
	    .strategy = (uint8_t)Z(SI_strategy),
	    .trading = OF_TRADING(Z(SI_state))};
	return true;
}

static bool
un_markout(const int64_t *const *v, uint32_t i, union tap *s)
{
	HEAD(MA, TAP_MARKOUT);
	s->tick.u.markout =
	    (struct tick_markout){.fill_id = (uint64_t)V(MA_fill_id),
		.fill_px = PX(V(MA_fill_px)),
		.mid = PX(V(MA_mid_px)),
		.horizon_s = (uint32_t)V(MA_horizon_s),
		.side = (uint8_t)Z(MA_side),
		.strategy = (uint8_t)Z(MA_strategy),
		.maker = (uint8_t)V(MA_maker),
		.venue = (uint8_t)V(MA_venue_no)};
	return true;
}

static bool
un_freeze(const int64_t *const *v, uint32_t i, union tap *s)
{
	HEAD(FR, TAP_FREEZE);
	s->tick.u.freeze = (struct tick_freeze){.mask = (uint64_t)V(FR_mask),
	    .epoch = (uint64_t)V(FR_freeze_epoch),
	    .since_ns = (uint64_t)V(FR_since_ns),
	    .word = (uint32_t)V(FR_word)};
	return true;
}

bool
unrow_slot(enum rec_table table, const int64_t *const *v, uint32_t i,
    union tap *s, struct journal_gap *gap)
{
	bool ok = false;

	memset(s, 0, sizeof(*s));
	gap->lost_n = 0;
	switch (table) {
	case REC_PRICE: ok = un_price(v, i, s); break;
	case REC_BOOK: ok = un_book(v, i, s); break;
	case REC_ORDER: ok = un_order(v, i, s); break;
	case REC_FILL: ok = un_fill(v, i, s); break;
	case REC_LATENCY: ok = un_latency(v, i, s); break;
	case REC_EVENT: ok = un_event(v, i, s); break;
	case REC_TRACE: ok = un_trace(v, i, s); break;
	case REC_GAP: ok = un_gap(v, i, s, gap); break;
	case REC_SIGNAL: ok = un_signal(v, i, s); break;
	case REC_MARKOUT: ok = un_markout(v, i, s); break;
	case REC_FREEZE: ok = un_freeze(v, i, s); break;
	case REC_INSTR:
	case REC_CONFIG:
	case REC_TABLE_N: return false;
	}
	return ok && (gap->lost_n > 0 || (s->hdr.seq > 0 && rec_slot_ok(s)));
}

/* ---- instruments, config ---- */

int
unrow_instr_column(enum unrow_instr_text t)
{
	static const int at[UNROW_INSTR_TEXTS] = {[UNROW_SYMBOL] = IN_symbol,
	    [UNROW_CONDITION] = IN_condition,
	    [UNROW_YES] = IN_token_yes,
	    [UNROW_NO] = IN_token_no};

	CHECK(t < UNROW_INSTR_TEXTS);
	return at[t];
}

static bool
unhex(const struct pq_text *t, uint8_t out[32])
{
	memset(out, 0, 32);
	if (t->len != 64)
		return t->len == 1; /* "?": there was no room for it */
	for (unsigned i = 0; i < 64; i++) {
		char c = t->s[i];
		int d = c >= '0' && c <= '9'   ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
					       : -1;

		if (d < 0)
			return false;
		out[i / 2] = (uint8_t)(out[i / 2] << 4 | d);
	}
	return true;
}

bool
unrow_instr(const int64_t *const *v, uint32_t i,
    const struct pq_text text[UNROW_INSTR_TEXTS], uint16_t *idx,
    struct instr *in)
{
	const struct pq_text *sym = &text[UNROW_SYMBOL];

	memset(in, 0, sizeof(*in));
	if (V(IN_instr) < 0 || V(IN_instr) >= INSTR_N ||
	    sym->len > sizeof(in->symbol))
		return false;
	*idx = (uint16_t)V(IN_instr);
	memcpy(in->symbol, sym->s, sym->len);
	in->venue = (uint8_t)V(IN_venue_no);
	in->cls = (uint8_t)V(IN_cls);
	in->state = (uint8_t)V(IN_state_no);
	in->neg_risk = (uint8_t)V(IN_neg_risk);
	in->epoch = (uint16_t)V(IN_epoch);
	in->underlying = (uint16_t)V(IN_underlying);
	in->asset_idx = (uint32_t)V(IN_asset_idx);
	in->tick_px = PX(V(IN_tick_px));
	in->lot_qty = QTY(V(IN_lot_qty));
	in->min_qty = QTY(V(IN_min_qty));
	in->min_usd = USD(V(IN_min_usd));
	in->fee_ppm = (uint32_t)V(IN_fee_ppm);
	in->maker_ppm = (uint32_t)V(IN_maker_ppm);
	in->rebate_ppm = (uint32_t)V(IN_rebate_ppm);
	in->px_sig = (uint32_t)V(IN_px_sig);
	in->start_wall_ns = V(IN_start_ts);
	in->end_wall_ns = V(IN_end_ts);
	in->strike_px = PX(V(IN_strike_px));
	in->strike_source = (uint32_t)V(IN_strike_source);
	in->settle_source = (uint32_t)V(IN_settle_source);
	in->settle_lookback_s = (uint32_t)V(IN_settle_lookback_s);
	in->settle_index = (uint16_t)V(IN_settle_index);
	in->outcome = (uint8_t)V(IN_outcome);
	in->token_kind = (uint8_t)V(IN_token_kind);
	in->taker_delayed = (uint8_t)V(IN_taker_delayed);
	in->fee_exponent = (uint8_t)V(IN_fee_exponent);
	in->tie_yes = (uint8_t)V(IN_tie_yes);
	in->is_other = (uint8_t)V(IN_is_other);
	in->cluster = (uint32_t)V(IN_cluster);
	in->liquidity = USD(V(IN_liquidity));
	in->volume_day = USD(V(IN_volume_day));
	in->close_px = PX(V(IN_close_px));
	in->reward_spread = PX(V(IN_reward_spread));
	in->reward_min_qty = QTY(V(IN_reward_min_qty));
	in->rules = (uint64_t)V(IN_rules);
	return in->venue < VENUE_N && in->state < INSTR_STATE_N &&
	       unhex(&text[UNROW_CONDITION], in->condition) &&
	       unhex(&text[UNROW_YES], in->token_yes) &&
	       unhex(&text[UNROW_NO], in->token_no);
}

void
unrow_config_columns(int *epoch, int *key, int *part, int *value)
{
	*epoch = CO_cfg_epoch;
	*key = CO_key;
	*part = CO_part;
	*value = CO_value;
}
