#include "quoted/quote.h"

#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"

/* After a refusal the same wish is not repeated before this. */
#define REFUSED_NS (UINT64_C(500) * (uint64_t)NS_PER_MS)
/* Markets are looked at once in a while even when nothing moves: pauses and
 * times to close end without a tick. */
#define TURN_NS ((uint64_t)NS_PER_S)
/* Table entries looked at in one step of a sweep; most are empty. */
#define SWEEP_LOOK 512u

void
quote_init(struct quote *q, const struct cfg *cfg, uint64_t epoch)
{
	CHECK(q != 0);
	CHECK(epoch > 0);
	q->cfg = *cfg;
	q->epoch = epoch;
	/* Nothing is wanted before riskd has said that it may. */
	q->trading = TRADING_FROZEN;
}

void
quote_note_add(struct quote_out *out, const struct quote_note *n)
{
	if (out->note_n < QUOTE_NOTES)
		out->note[out->note_n++] = *n;
}

uint16_t
quote_index(const struct quote *q, const struct quote_mkt *m)
{
	return (uint16_t)(m - q->mkt);
}

static void
emit(struct quote *q, struct quote_mkt *m, enum side side,
    const struct event *ev, struct quote_out *out)
{
	struct quote_side *s = &m->side[side];
	struct order *o = core_out_add(&out->core, RG_INTENT);
	bool caused = ev->kind == EV_SLOT && slot_is_tick(ev->slot->hdr.kind);

	s->id = q->epoch << 40 | ++q->counter;
	o->hdr.kind = MSG_INTENT;
	o->hdr.instr = quote_index(q, m);
	o->hdr.venue_ns = m->venue_ns;
	o->hdr.recv_ns = caused ? ev->slot->hdr.recv_ns : ev->now_ns;
	o->quote_delta = slot_delta(o->hdr.recv_ns, ev->now_ns);
	o->id = s->id;
	o->px = s->px;
	o->qty = s->qty;
	o->venue = m->in.venue;
	o->side = (uint8_t)side;
	o->strategy = STRATEGY_MAKER;
	o->tif = TIF_GTC;
	o->oflags = ORDER_POST_ONLY;
	o->epoch = m->in.epoch;
}

static bool
differs(const struct quote *q, const struct quote_mkt *m,
    const struct quote_side *have, const struct quote_side *want)
{
	px_t tick = px_sig_tick(want->px, m->in.tick_px, m->in.px_sig);
	int64_t move = want->px.e8 > have->px.e8 ? want->px.e8 - have->px.e8
						 : have->px.e8 - want->px.e8;
	int64_t size = want->qty.e8 > have->qty.e8
			   ? want->qty.e8 - have->qty.e8
			   : have->qty.e8 - want->qty.e8;

	if ((have->qty.e8 == 0) != (want->qty.e8 == 0))
		return true;
	if (want->qty.e8 == 0)
		return false;
	return move >= tick.e8 * q->cfg.mm_requote_min_ticks && move > 0
		   ? true
		   : size > i64_mul_div(have->qty.e8,
				q->cfg.exec_size_tolerance.e8, E8);
}

static void
want_side(struct quote *q, struct quote_mkt *m, enum side side,
    const struct quote_side *want, const struct event *ev,
    struct quote_out *out)
{
	struct quote_side *s = &m->side[side];

	if (s->refused != 0 && want->qty.e8 != 0) {
		if (ev->now_ns < s->again_ns)
			return;
		s->qty = QTY(0);
	}
	if (!differs(q, m, s, want))
		return;
	s->refused = 0;
	s->px = want->qty.e8 != 0 ? want->px : PX(0);
	s->qty = want->qty;
	emit(q, m, side, ev, out);
}

static void
release_place(struct quote *q, struct quote_mkt *m, enum reason r)
{
	bool over =
	    r == REASON_STATE || r == REASON_GAPPED || r == REASON_ONE_SIDED;

	if (m->active && over && m->position.e8 == 0) {
		CHECK(q->active_n > 0);
		m->active = false;
		q->active_n--;
	}
}

/* Look at one market and say what should rest in it. */
static void
evaluate(struct quote *q, struct quote_mkt *m, const struct event *ev,
    struct quote_out *out)
{
	struct quote_side want[SIDE_N];
	enum side first;
	enum reason r;

	if (!m->known)
		return;
	r = quote_guard(q, m, ev, out);
	if (r == REASON_OK)
		quote_wanted(q, m, ev, want, out);
	else
		memset(want, 0, sizeof(want));
	release_place(q, m, r);
	m->reason = (uint16_t)r;
	m->said = (uint16_t)r;
	/* The side that makes room goes first, or riskd would see the other
	 * one meet an order of ours. */
	first = m->side[SIDE_ASK].qty.e8 != 0 &&
			want[SIDE_ASK].px.e8 > m->side[SIDE_ASK].px.e8
		    ? SIDE_ASK
		    : SIDE_BID;
	want_side(q, m, first, &want[first], ev, out);
	want_side(
	    q, m, side_opposite(first), &want[side_opposite(first)], ev, out);
}

/* Every market, QUOTE_SWEEP a step. */
static void
sweep_begin(struct quote *q)
{
	q->sweep = 1;
}

static void
sweep(struct quote *q, const struct event *ev, struct quote_out *out)
{
	uint32_t done = 0;

	for (uint32_t i = 0;
	     i < SWEEP_LOOK && q->sweep != 0 && done < QUOTE_SWEEP; i++) {
		struct quote_mkt *m = &q->mkt[q->sweep];

		if (q->sweep >= q->max_instr)
			q->sweep = 0;
		else
			q->sweep++;
		if (!m->known)
			continue;
		evaluate(q, m, ev, out);
		done++;
	}
}

static void
on_instr(struct quote *q, struct quote_mkt *m, const struct event *ev)
{
	uint16_t idx = ev->slot->hdr.instr;
	bool changed;

	if (ev->instr == 0 || ev->instr->tick_px.e8 <= 0 ||
	    ev->instr->lot_qty.e8 <= 0)
		return;
	changed = !m->known || m->in.epoch != ev->instr->epoch;
	m->in = *ev->instr;
	m->known = true;
	if (idx > q->max_instr)
		q->max_instr = idx;
	if (changed)
		m->valid = false;
}

static double
vol_value(const struct quote_mkt *m)
{
	double mid = (double)(m->bid_px.e8 + m->ask_px.e8) / 2e8;

	return m->in.cls == CLASS_PERP || m->in.cls == CLASS_SPOT ? log(mid)
								  : mid;
}

static void
on_bbo(struct quote *q, struct quote_mkt *m, const struct event *ev)
{
	const struct tick *t = &ev->slot->tick;
	struct vol_cfg vc = {
	    .sample_ns = (uint64_t)q->cfg.vol_sample.ns,
	    .halflife_ns = (uint64_t)q->cfg.vol_ema_halflife.ns,
	    .window_ns = (uint64_t)q->cfg.vol_baseline_window.ns,
	    .min_n = (uint64_t)q->cfg.vol_min_samples,
	};

	if (!m->valid)
		q->books++;
	m->valid = true;
	m->bid_px = t->u.bbo.bid_px;
	m->ask_px = t->u.bbo.ask_px;
	m->bid_qty = t->u.bbo.bid_qty;
	m->ask_qty = t->u.bbo.ask_qty;
	m->recv_ns = t->hdr.recv_ns;
	if (t->hdr.venue_ns > m->venue_ns)
		m->venue_ns = t->hdr.venue_ns;
	if (m->bid_qty.e8 > 0 && m->ask_qty.e8 > 0 && m->bid_px.e8 > 0 &&
	    ev->now_ns >= m->vol.last_ns)
		vol_add(&m->vol, &vc, ev->now_ns, vol_value(m));
}

/* Books of a venue are not to be trusted until they come again. */
static void
invalidate(struct quote *q, enum venue v, enum reason r, struct quote_out *out)
{
	uint16_t base;
	uint16_t n;

	instr_region(v, &base, &n);
	for (uint32_t i = base; i < (uint32_t)base + n && i <= q->max_instr;
	     i++)
		q->mkt[i].valid = false;
	sweep_begin(q);
	quote_note_add(out, &(struct quote_note){QUOTE_WITHDRAW, 0, (uint16_t)r,
				0, (int64_t)v, 0});
}

static enum venue
venue_of(uint16_t ring)
{
	return (enum venue)topo_stages[topo_rings[ring].writer].venue;
}

static void
on_link(struct quote *q, const struct event *ev)
{
	const struct tick_link *l = &ev->slot->tick.u.link;
	struct quote_link *k = &q->link[venue_of(ev->ring)];
	uint8_t was = k->state;

	/* Connection 0 carries the books; others add references. */
	if (l->conn != 0)
		return;
	k->state = l->state;
	k->seen_ns = ev->now_ns;
	if (was != l->state)
		sweep_begin(q);
}

static void
on_gap(struct quote *q, const struct event *ev, struct quote_out *out)
{
	const struct tick *t = &ev->slot->tick;

	if (t->u.gap.scope == 1 && t->hdr.instr != 0)
		q->mkt[t->hdr.instr].valid = false;
	/* Connection 0 carries the books; others add references. */
	else if (t->u.gap.scope != 2 || t->u.gap.conn == 0)
		invalidate(q, venue_of(ev->ring), REASON_SEQ_GAP, out);
}

static void
on_ref(struct quote_mkt *m, const struct event *ev)
{
	const struct tick *t = &ev->slot->tick;

	m->recv_ns = ev->now_ns;
	if (t->u.ref.source == REF_SPOT || t->u.ref.source == REF_TWAP)
		m->ref_px = t->u.ref.px;
	if (t->u.ref.source < REF_SOURCE_N && (t->hdr.flags & SLOT_REPLAY) == 0)
		m->ref_ns[t->u.ref.source] = ev->now_ns;
}

static void
on_tick(struct quote *q, const struct event *ev, struct quote_out *out)
{
	const struct tick *t = &ev->slot->tick;
	struct quote_mkt *m = &q->mkt[t->hdr.instr];

	switch ((enum slot_kind)t->hdr.kind) {
	case TICK_BBO: on_bbo(q, m, ev); break;
	case TICK_INSTR: on_instr(q, m, ev); break;
	case TICK_LINK: on_link(q, ev); return;
	case TICK_GAP: on_gap(q, ev, out); break;
	case TICK_CONN:
		if (t->u.conn.conn == 0 && t->u.conn.state == LINK_DOWN)
			invalidate(
			    q, venue_of(ev->ring), REASON_FEED_STALE, out);
		return;
	case TICK_RESTART:
		invalidate(q, venue_of(ev->ring), REASON_FEED_STALE, out);
		return;
	case TICK_REF: on_ref(m, ev); /* fallthrough */
	case TICK_TRADE:
		if (t->hdr.venue_ns > m->venue_ns)
			m->venue_ns = t->hdr.venue_ns;
		return;
	case TICK_LEVEL:
	case TICK_SNAP_BEGIN:
	case TICK_SNAP_END:
	case TICK_TRACE:
	case MSG_INTENT:
	case MSG_ORDER:
	case MSG_CANCEL:
	case MSG_VERDICT:
	case MSG_ACK:
	case MSG_FILL:
	case MSG_DONE:
	case MSG_REJECT:
	case MSG_RESTART:
	case MSG_STATE:
	case MSG_POSITION:
	case MSG_BALANCE:
	case SLOT_KIND_N: return;
	}
	if (t->hdr.instr != 0)
		evaluate(q, m, ev, out);
}

/* The slot of ours that a message about an order belongs to. */
static struct quote_side *
side_of(struct quote *q, const struct order *o)
{
	struct quote_side *s;

	if (o->side != SIDE_BID && o->side != SIDE_ASK)
		return 0;
	s = &q->mkt[o->hdr.instr].side[o->side];
	return s->id == o->id ? s : 0;
}

/* What we wished does not rest: forget it, and wish again in a while. */
static void
gone(struct quote_side *s, enum reason r, uint64_t now_ns)
{
	s->refused = (uint16_t)r;
	s->again_ns = now_ns + REFUSED_NS;
}

/* What rests there is not known: whatever is wanted next is said, a
 * withdrawal too. */
static void
unknown(struct quote_side *s)
{
	s->px = PX(-1);
	s->qty = QTY(-1);
}

void
quote_lost(struct quote *q, const struct order *o, uint64_t now_ns)
{
	struct quote_side *s = side_of(q, o);

	if (s == 0)
		return;
	gone(s, REASON_BACKPRESSURE, now_ns);
	unknown(s);
}

static void
on_state(struct quote *q, const struct order *o)
{
	if (o->hdr.instr != 0) {
		q->mkt[o->hdr.instr].position = o->qty;
		return;
	}
	if (o->status == TRADING_RUN || o->status == TRADING_REDUCE ||
	    o->status == TRADING_FROZEN)
		q->trading = o->status;
	sweep_begin(q);
}

static void
on_order(struct quote *q, const struct event *ev, struct quote_out *out)
{
	const struct order *o = &ev->slot->order;
	struct quote_side *s = side_of(q, o);

	if (o->hdr.kind == MSG_STATE) {
		on_state(q, o);
		if (o->hdr.instr != 0)
			evaluate(q, &q->mkt[o->hdr.instr], ev, out);
		return;
	}
	if (o->hdr.kind == MSG_RESTART) {
		/* riskd asks nobody: everything is said again. A new execd
		 * still has what rests. */
		if (ev->ring != RG_VERDICT)
			return;
		for (uint32_t i = 1; i <= q->max_instr; i++) {
			if (q->mkt[i].side[SIDE_BID].id != 0)
				unknown(&q->mkt[i].side[SIDE_BID]);
			if (q->mkt[i].side[SIDE_ASK].id != 0)
				unknown(&q->mkt[i].side[SIDE_ASK]);
		}
		q->trading = TRADING_FROZEN;
		sweep_begin(q);
		return;
	}
	if (s == 0)
		return;
	if (o->hdr.kind == MSG_VERDICT && o->reason != REASON_OK)
		gone(s, (enum reason)o->reason, ev->now_ns);
	if (o->hdr.kind == MSG_REJECT)
		gone(s, (enum reason)o->reason, ev->now_ns);
	if (o->hdr.kind == MSG_DONE) {
		/* Filled or withdrawn by risk: the next look decides. */
		s->px = PX(0);
		s->qty = QTY(0);
		s->refused = 0;
		evaluate(q, &q->mkt[o->hdr.instr], ev, out);
	}
}

void
quote_step(struct quote *q, const struct event *ev, struct quote_out *out)
{
	CHECK(ev->kind >= EV_SLOT);
	CHECK(ev->kind < EVENT_KIND_N);
	core_out_reset(&out->core);
	out->note_n = 0;
	if (q->start_ns == 0)
		q->start_ns = ev->now_ns;
	switch (ev->kind) {
	case EV_SLOT:
		CHECK(ev->slot->hdr.instr < INSTR_N);
		if (slot_is_tick(ev->slot->hdr.kind))
			on_tick(q, ev, out);
		else
			on_order(q, ev, out);
		break;
	case EV_TIMER: break;
	case EV_CFG:
		q->cfg = *ev->cfg;
		sweep_begin(q);
		break;
	case EV_STOP:
		q->stopping = true;
		sweep_begin(q);
		break;
	case EVENT_KIND_N: break;
	}
	if (q->sweep == 0 && ev->now_ns >= q->turn_ns) {
		q->turn_ns = ev->now_ns + TURN_NS;
		sweep_begin(q);
	}
	sweep(q, ev, out);
	out->core.wake_ns = q->sweep != 0 ? ev->now_ns : q->turn_ns;
}

static uint64_t
hash_side(uint64_t h, const struct quote_side *s)
{
	h = hash_u64(h, s->id);
	h = hash_u64(h, (uint64_t)s->px.e8);
	h = hash_u64(h, (uint64_t)s->qty.e8);
	h = hash_u64(h, s->refused);
	return hash_u64(h, s->again_ns);
}

static uint64_t
hash_mkt(uint64_t h, const struct quote_mkt *m)
{
	h = hash_u64(h, m->reason | (uint64_t)m->valid << 16 |
			    (uint64_t)m->active << 17 |
			    (uint64_t)m->in.epoch << 32);
	h = hash_u64(h, (uint64_t)m->bid_px.e8);
	h = hash_u64(h, (uint64_t)m->ask_px.e8);
	h = hash_u64(h, (uint64_t)m->bid_qty.e8);
	h = hash_u64(h, (uint64_t)m->ask_qty.e8);
	h = hash_u64(h, (uint64_t)m->position.e8);
	h = hash_u64(h, m->pause_ns);
	h = hash_u64(h, (uint64_t)m->ref_px.e8);
	h = hash_bytes(h, &m->vol.var, sizeof(m->vol.var));
	h = hash_u64(h, m->vol.n);
	h = hash_side(h, &m->side[SIDE_BID]);
	return hash_side(h, &m->side[SIDE_ASK]);
}

uint64_t
quote_hash(const struct quote *q)
{
	uint64_t h = HASH_SEED;

	h = hash_u64(h, q->counter);
	h = hash_u64(h, q->books);
	h = hash_u64(h, q->trading | (uint64_t)q->warm << 8);
	for (uint32_t i = 1; i <= q->max_instr; i++)
		if (q->mkt[i].known)
			h = hash_mkt(hash_u64(h, i), &q->mkt[i]);
	return h;
}
