#include "shmtop/decode.h"

#include <inttypes.h>
#include <stdio.h>

#include "libcore/reasons.h"
#include "libcore/types.h"
#include "shmtop/text.h"

static const char *
side_text(uint8_t side)
{
	return side == SIDE_BID ? "bid" : side == SIDE_ASK ? "ask" : "?";
}

static void
decode_link(const struct tick_link *l, char *buf, size_t n)
{
	snprintf(buf, n,
	    "conn %u %s rtt %u us ema %u us age %d us quiet %u ms%s", l->conn,
	    link_state_name(l->state), l->rtt_us, l->rtt_ema_us, l->age_us,
	    l->quiet_ms, l->overdue ? " pong overdue" : "");
}

static void
decode_tick(const struct tick *t, char *buf, size_t n)
{
	char a[TEXT_SZ];
	char b[TEXT_SZ];
	char c[TEXT_SZ];
	char d[TEXT_SZ];

	switch (t->hdr.kind) {
	case TICK_BBO:
		snprintf(buf, n, "%s x %s / %s x %s",
		    text_px(t->u.bbo.bid_px, a),
		    text_qty(t->u.bbo.bid_qty, 4, b),
		    text_px(t->u.bbo.ask_px, c),
		    text_qty(t->u.bbo.ask_qty, 4, d));
		return;
	case TICK_TRADE:
		snprintf(buf, n, "%s %s x %s", side_text(t->u.trade.side),
		    text_px(t->u.trade.px, a), text_qty(t->u.trade.qty, 6, b));
		return;
	case TICK_LEVEL:
		snprintf(buf, n, "%s %s = %s", side_text(t->u.level.side),
		    text_px(t->u.level.px, a), text_qty(t->u.level.qty, 4, b));
		return;
	case TICK_SNAP_BEGIN:
	case TICK_SNAP_END:
		snprintf(buf, n, "%u bids %u asks epoch %u", t->u.snap.bid_n,
		    t->u.snap.ask_n, t->u.snap.epoch);
		return;
	case TICK_REF:
		snprintf(buf, n, "%s source %u", text_px(t->u.ref.px, a),
		    t->u.ref.source);
		return;
	case TICK_LINK: decode_link(&t->u.link, buf, n); return;
	case TICK_GAP:
		snprintf(buf, n, "%" PRIu64 " lost from %" PRIu64 ", %s",
		    t->u.gap.lost_n, t->u.gap.first_seq,
		    reason_name((enum reason)t->u.gap.reason));
		return;
	case TICK_RESTART:
		snprintf(buf, n, "life %" PRIu64, t->u.restart.epoch);
		return;
	case TICK_INSTR:
		snprintf(buf, n, "epoch %u %s", t->u.instr.epoch,
		    text_state(t->u.instr.state));
		return;
	case TICK_CONN:
		snprintf(buf, n, "conn %u %s %s code %u", t->u.conn.conn,
		    link_state_name(t->u.conn.state),
		    reason_name((enum reason)t->u.conn.reason), t->u.conn.code);
		return;
	case TICK_TRACE:
		snprintf(buf, n, "ring %u seq %" PRIu64 " out %u",
		    t->u.trace.ring, t->u.trace.ring_seq, t->u.trace.out_n);
		return;
	default: buf[0] = '\0'; return;
	}
}

static void
decode_order(const struct order *o, char *buf, size_t n)
{
	char px[TEXT_SZ];
	char qty[TEXT_SZ];
	char a[TEXT_SZ];
	char b[TEXT_SZ];
	const char *why =
	    o->reason != 0 ? reason_name((enum reason)o->reason) : "";

	text_px(o->px, px);
	text_qty(o->qty, 4, qty);
	if (o->hdr.kind == MSG_FILL)
		snprintf(buf, n, "%s %s x %s of %s, id %" PRIx64 " fee %s",
		    side_text(o->side), text_px(o->exec_px, a),
		    text_qty(o->exec_qty, 4, b), qty, o->id,
		    text_usd(o->usd.e6, px));
	else if (o->hdr.kind == MSG_STATE)
		snprintf(buf, n, "%s %s position %s P&L %s",
		    trading_state_name(o->status), why, qty,
		    text_usd(o->usd.e6, a));
	else if (o->hdr.kind == MSG_RESTART)
		snprintf(buf, n, "life %" PRIu64, o->id);
	else
		snprintf(buf, n, "%s %s x %s L%u id %" PRIx64 " %s",
		    side_text(o->side), px, qty, o->level, o->id, why);
}

const char *
decode_slot(const union tap *slot, const char *symbol, char *buf, size_t n)
{
	char body[192];
	char name[24];

	if (symbol != NULL && symbol[0] != '\0')
		snprintf(name, sizeof(name), "%.23s", symbol);
	else if (slot->hdr.instr != 0)
		snprintf(name, sizeof(name), "#%u", slot->hdr.instr);
	else
		snprintf(name, sizeof(name), "-");
	if (slot_is_tick(slot->hdr.kind))
		decode_tick(&slot->tick, body, sizeof(body));
	else if (slot_is_order(slot->hdr.kind))
		decode_order(&slot->order, body, sizeof(body));
	else
		snprintf(
		    body, sizeof(body), "kind %u is not known", slot->hdr.kind);
	snprintf(buf, n, "%8" PRIu64 " %-10s %-18s %s%s", slot->hdr.seq,
	    slot_kind_name(slot->hdr.kind), name, body,
	    slot->hdr.flags & SLOT_REPLAY ? " (replay)" : "");
	return buf;
}
