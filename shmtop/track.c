#include "shmtop/track.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/reasons.h"

void
track_init(struct track *t)
{
	CHECK(t != NULL);
	memset(t, 0, sizeof(*t));
}

bool
track_wanted(enum ring_id ring)
{
	const struct ring_def *d;

	CHECK((unsigned)ring < RG_N);
	d = &topo_rings[ring];
	if (ring == RG_INTENT || ring == RG_VERDICT)
		return true;
	/* Every feed's touch goes to quoted, every report to riskd. */
	if (strncmp(d->name, "md.", 3) == 0)
		return d->reader == ST_QUOTED;
	return strncmp(d->name, "report.", 7) == 0 && d->reader == ST_RISKD;
}

static void
on_tick(struct track_market *m, const struct tick *k)
{
	switch (k->hdr.kind) {
	case TICK_BBO:
		m->bbo = k->u.bbo;
		m->bbo_ns = k->hdr.recv_ns;
		m->dirty = 0;
		return;
	case TICK_TRADE:
		m->trade_px = k->u.trade.px;
		m->trade_ns = k->hdr.recv_ns;
		return;
	case TICK_REF:
		m->ref_px = k->u.ref.px;
		m->ref_ns = k->hdr.recv_ns;
		m->ref_source = k->u.ref.source;
		return;
	case TICK_GAP: m->dirty = 1; return;
	default: return;
	}
}

static void
on_report(struct track *t, struct track_market *m, const struct order *o)
{
	struct track_side *s = &m->our[o->side];

	switch (o->hdr.kind) {
	case MSG_ACK:
		s->id = o->id;
		s->px = o->px;
		s->qty = QTY(o->qty.e8 - o->cum_qty.e8);
		return;
	case MSG_FILL:
		m->fill_n++;
		t->fill_n++;
		if (s->id == o->id)
			s->qty = QTY(o->qty.e8 - o->cum_qty.e8);
		if (s->qty.e8 <= 0)
			s->px = PX(0);
		return;
	case MSG_DONE:
	case MSG_REJECT:
		if (s->id != o->id)
			return;
		s->id = 0;
		s->px = PX(0);
		s->qty = QTY(0);
		return;
	default: return;
	}
}

static void
on_verdict(struct track *t, struct track_market *m, const struct order *o)
{
	if (o->hdr.kind == MSG_VERDICT && o->reason != REASON_OK) {
		m->refused_n++;
		m->refused = o->reason;
	}
	if (o->hdr.kind != MSG_STATE)
		return;
	t->pnl = o->usd;
	t->trading = o->status;
	if (o->hdr.instr == 0) {
		t->trading_reason = o->reason;
		return;
	}
	m->pos = o->qty;
	m->avg_px = o->px;
}

void
track_slot(struct track *t, enum ring_id ring, const union tap *slot)
{
	struct track_market *m;
	const struct order *o = &slot->order;

	CHECK((unsigned)ring < RG_N);
	if (slot->hdr.instr >= INSTR_N)
		return;
	m = &t->market[slot->hdr.instr];
	if (slot_is_tick(slot->hdr.kind)) {
		on_tick(m, &slot->tick);
		return;
	}
	if (!slot_is_order(slot->hdr.kind))
		return;
	if (ring == RG_VERDICT) {
		on_verdict(t, m, o);
		return;
	}
	if (o->side < SIDE_BID || o->side >= SIDE_N || o->level != 0)
		return;
	if (ring == RG_INTENT && o->hdr.kind == MSG_INTENT) {
		m->our[o->side].want_px = o->qty.e8 > 0 ? o->px : PX(0);
		m->our[o->side].want_qty = o->qty;
	} else if (ring != RG_INTENT) {
		on_report(t, m, o);
	}
}
