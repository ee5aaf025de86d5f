#include "libshm/slots.h"

#include "libcore/hash.h"

#include <string.h>

static const char *
name_of(const char *const *table, unsigned n, unsigned i)
{
	return i < n && table[i] != 0 ? table[i] : "?";
}

#define NAME_OF(table, i) \
	name_of((table), sizeof(table) / sizeof((table)[0]), (i))

const char *
slot_kind_name(uint8_t kind)
{
	static const char *const t[SLOT_KIND_N] = {
	    [TICK_BBO] = "bbo",
	    [TICK_TRADE] = "trade",
	    [TICK_LEVEL] = "level",
	    [TICK_SNAP_BEGIN] = "snap_begin",
	    [TICK_SNAP_END] = "snap_end",
	    [TICK_REF] = "ref",
	    [TICK_LINK] = "link",
	    [TICK_GAP] = "gap",
	    [TICK_RESTART] = "restart",
	    [TICK_INSTR] = "instr",
	    [TICK_CONN] = "conn",
	    [TICK_TRACE] = "trace",
	    [TAP_SIGNAL] = "signal",
	    [TAP_MARKOUT] = "markout",
	    [TAP_FREEZE] = "freeze",
	    [MSG_INTENT] = "intent",
	    [MSG_ORDER] = "order",
	    [MSG_CANCEL] = "cancel",
	    [MSG_VERDICT] = "verdict",
	    [MSG_ACK] = "ack",
	    [MSG_FILL] = "fill",
	    [MSG_DONE] = "done",
	    [MSG_REJECT] = "reject",
	    [MSG_RESTART] = "msg_restart",
	    [MSG_STATE] = "state",
	    [MSG_POSITION] = "position",
	    [MSG_BALANCE] = "balance",
	};
	return NAME_OF(t, kind);
}

const char *
link_state_name(uint8_t state)
{
	static const char *const t[LINK_STATE_N] = {
	    [LINK_DOWN] = "down",
	    [LINK_CONNECTING] = "connecting",
	    [LINK_UP] = "up",
	    [LINK_READY] = "ready",
	    [LINK_STALE] = "stale",
	};
	return NAME_OF(t, state);
}

const char *
order_status_name(uint8_t status)
{
	static const char *const t[ORDER_STATUS_N] = {
	    [ORDER_PENDING_NEW] = "pending_new",
	    [ORDER_LIVE] = "live",
	    [ORDER_PARTIAL] = "partial",
	    [ORDER_PENDING_CANCEL] = "pending_cancel",
	    [ORDER_FILLED] = "filled",
	    [ORDER_CANCELLED] = "cancelled",
	    [ORDER_REJECTED] = "rejected",
	    [ORDER_UNKNOWN] = "unknown",
	    [ORDER_DELAYED] = "delayed",
	};
	return NAME_OF(t, status);
}

const char *
trading_state_name(uint8_t state)
{
	static const char *const t[TRADING_STATE_N] = {
	    [TRADING_RUN] = "run",
	    [TRADING_REDUCE] = "reduce",
	    [TRADING_FROZEN] = "frozen",
	};
	return NAME_OF(t, state);
}

const char *
strategy_name(uint8_t strategy)
{
	static const char *const t[STRATEGY_N] = {
	    [STRATEGY_MAKER] = "maker",
	    [STRATEGY_EDGE] = "edge",
	    [STRATEGY_PARITY] = "parity",
	    [STRATEGY_SATELLITE] = "satellite",
	    [STRATEGY_UNWIND] = "unwind",
	};
	return NAME_OF(t, strategy);
}

#define FIELD(type, f)                                  \
	{                                               \
#type "." #f, offsetof(struct type, f), \
		    sizeof(((struct type *)0)->f)       \
	}

static const struct {
	const char *name;
	size_t off;
	size_t sz;
} fields[] = {
    FIELD(slot_hdr, seq),
    FIELD(slot_hdr, kind),
    FIELD(slot_hdr, flags),
    FIELD(slot_hdr, instr),
    FIELD(slot_hdr, pub_delta),
    FIELD(slot_hdr, venue_ns),
    FIELD(slot_hdr, recv_ns),
    FIELD(tick_bbo, bid_px),
    FIELD(tick_bbo, bid_qty),
    FIELD(tick_bbo, ask_px),
    FIELD(tick_bbo, ask_qty),
    FIELD(tick_trade, px),
    FIELD(tick_trade, qty),
    FIELD(tick_trade, trade_id),
    FIELD(tick_trade, side),
    FIELD(tick_trade, conn),
    FIELD(tick_trade, epoch),
    FIELD(tick_level, px),
    FIELD(tick_level, qty),
    FIELD(tick_level, venue_seq),
    FIELD(tick_level, side),
    FIELD(tick_level, conn),
    FIELD(tick_level, epoch),
    FIELD(tick_snap, venue_seq),
    FIELD(tick_snap, bid_n),
    FIELD(tick_snap, ask_n),
    FIELD(tick_snap, epoch),
    FIELD(tick_ref, px),
    FIELD(tick_ref, funding_e12),
    FIELD(tick_ref, oracle_px),
    FIELD(tick_ref, source),
    FIELD(tick_link, rtt_us),
    FIELD(tick_link, rtt_ema_us),
    FIELD(tick_link, age_us),
    FIELD(tick_link, quiet_ms),
    FIELD(tick_link, state),
    FIELD(tick_link, overdue),
    FIELD(tick_gap, first_seq),
    FIELD(tick_gap, lost_n),
    FIELD(tick_gap, reason),
    FIELD(tick_gap, scope),
    FIELD(tick_trace, ring_seq),
    FIELD(tick_trace, now_ns),
    FIELD(tick_trace, state_hash),
    FIELD(tick_trace, ring),
    FIELD(tap_step, in),
    FIELD(tick_signal, fair),
    FIELD(tick_signal, reason),
    FIELD(tick_markout, fill_id),
    FIELD(tick_markout, side),
    FIELD(tick_freeze, mask),
    FIELD(tick_freeze, word),
    FIELD(order, id),
    FIELD(order, px),
    FIELD(order, qty),
    FIELD(order, exec_px),
    FIELD(order, exec_qty),
    FIELD(order, cum_qty),
    FIELD(order, usd),
    FIELD(order, fill_id),
    FIELD(order, venue),
    FIELD(order, side),
    FIELD(order, level),
    FIELD(order, strategy),
    FIELD(order, tif),
    FIELD(order, oflags),
    FIELD(order, status),
    FIELD(order, reason),
    FIELD(order, epoch),
    FIELD(order, quote_delta),
    FIELD(order, risk_delta),
    FIELD(order, send_delta),
    FIELD(order, ack_delta),
    FIELD(order, life_ms),
};

uint64_t
slot_layout_hash(void)
{
	uint64_t h = HASH_SEED;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		h = hash_bytes(h, fields[i].name, strlen(fields[i].name));
		h = hash_u64(h, fields[i].off);
		h = hash_u64(h, fields[i].sz);
	}
	return hash_u64(h, SLOT_KIND_N);
}
