#include "quoted/quote.h"

#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "libcore/rrs.h"
#include "quoted/room.h"

/* Markets are looked at once in a while even when nothing moves: pauses and
 * times to close end without a tick. */
#define TURN_NS ((uint64_t)NS_PER_S)
/* Table entries looked at in one step of a sweep; most are empty. */
#define SWEEP_LOOK 512u
/* Takes of one look at one market, at most. */
#define LOOK_TAKES 10u
/* Messages about a market's own orders: never more than its slots. */
_Static_assert(2 * ORDER_LEVELS + LOOK_TAKES <= CORE_OUT_MAX,
    "one look fits what a step may say");

static void
configure(struct quote *q)
{
	signal_cfg(&q->sig, &q->cfg);
	cfg_rrs(&q->cfg, q->rrs_weight);
	if (q->balance.e6 == 0)
		q->capital = q->cfg.capital_usd;
}

void
quote_init(struct quote *q, const struct cfg *cfg, uint64_t epoch)
{
	CHECK(q != 0);
	CHECK(epoch > 0);
	q->cfg = *cfg;
	q->epoch = epoch;
	/* Nothing is wanted before riskd has said that it may. */
	q->trading = TRADING_FROZEN;
	configure(q);
}

void
quote_why_set(struct quote *q, struct why_page *w)
{
	q->why = w;
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

px_t
quote_micro(const struct quote *q, const struct quote_mkt *m)
{
	const struct book *b = &q->book[quote_index(q, m)].book;
	int64_t sum = m->bid_qty.e8 + m->ask_qty.e8;
	uint32_t levels = (uint32_t)q->cfg.micro_price_levels;
	px_t deep;

	CHECK(sum > 0);
	if (levels > 1 && m->bid_px.e8 <= m->ask_px.e8 &&
	    book_microprice_top(b, levels, &deep))
		return PX(i64_clamp(deep.e8, m->bid_px.e8, m->ask_px.e8));
	return PX(m->bid_px.e8 +
		  i64_mul_div(m->ask_px.e8 - m->bid_px.e8, m->bid_qty.e8, sum));
}

int64_t
quote_venue_now(const struct quote_mkt *m, uint64_t now_ns)
{
	return m->venue_ns == 0 || now_ns < m->venue_at_ns
		   ? m->venue_ns
		   : m->venue_ns + (int64_t)(now_ns - m->venue_at_ns);
}

struct quote_factors
quote_factors(const struct strat_look *l)
{
	const struct quote_mkt *m = l->m;
	bool over = m->risk_until_ns != 0 && l->ev->now_ns >= m->risk_until_ns;

	if (over || !(m->risk_gamma > 0.0))
		return (struct quote_factors){1.0, 1.0, 1.0};
	return (struct quote_factors){
	    m->risk_gamma, m->risk_size, m->risk_spread};
}

void
quote_tell(struct strat_look *l, const struct strat *s, enum reason r)
{
	const struct quote_mkt *m = l->m;
	struct tick *t;

	if (l->out->tap_n == QUOTE_TAPS)
		return;
	t = &l->out->tap[l->out->tap_n++];
	memset(t, 0, sizeof(*t));
	t->hdr.kind = TAP_SIGNAL;
	t->hdr.instr = l->instr;
	t->hdr.venue_ns = m->venue_ns;
	t->hdr.recv_ns = l->ev->now_ns;
	if (m->fair.state == FAIR_OK)
		t->u.signal.fair = PX(llround(m->fair.yes * 1e8));
	else if (m->bid_qty.e8 > 0 && m->ask_qty.e8 > 0)
		t->u.signal.fair = quote_micro(l->q, m);
	t->u.signal.reserve = m->reserve;
	t->u.signal.half = m->half;
	t->u.signal.sigma_e8 =
	    (uint32_t)fmin(4e9, sqrt(fmax(0.0, m->vol.var)) * 1e8);
	t->u.signal.reason = (uint16_t)r;
	t->u.signal.strategy = (uint8_t)s->id;
	t->u.signal.trading = l->q->trading;
}

static void
release_place(struct quote *q, struct quote_mkt *m, enum reason r)
{
	if (r == REASON_STATE || r == REASON_GAPPED || r == REASON_ONE_SIDED)
		select_release(q, m);
}

static const struct strat *
rests(const struct quote *q, const struct quote_mkt *m)
{
	for (unsigned i = 0; i < STRAT_N; i++) {
		const struct strat *s = strat_at(i);

		if (s->kind == STRAT_REST && s->fits(q, m))
			return s;
	}
	return strat_at(STRAT_AT_maker_bin);
}

static void
look_rest(struct strat_look *l)
{
	struct quote_mkt *m = l->m;
	const struct strat *s = rests(l->q, m);
	struct strat_want want;
	enum why_id stop;
	enum reason r;
	uint32_t said;

	want.n[SIDE_BID] = 0;
	want.n[SIDE_ASK] = 0;
	want.hold = false;
	r = quote_guard(l, &stop);
	want.stop[SIDE_BID] = stop;
	want.stop[SIDE_ASK] = stop;
	if (r == REASON_OK)
		s->rest(l, &want);
	release_place(l->q, m, r);
	m->reason = (uint16_t)r;
	m->said = (uint16_t)r;
	if (want.hold)
		return;
	said = l->out->core.n;
	quote_apply(l, s, &want);
	if (l->out->core.n != said)
		quote_tell(l, s, r);
}

static void
look_take(struct strat_look *l)
{
	if (!quote_guard_take(l))
		return;
	for (unsigned i = 0; i < STRAT_N; i++) {
		const struct strat *s = strat_at(i);

		if (s->kind == STRAT_TAKE && s->fits(l->q, l->m))
			s->take(l);
	}
}

/* Look at one market and say what should rest in it. */
static void
evaluate(struct quote *q, struct quote_mkt *m, const struct event *ev,
    struct quote_out *out)
{
	struct strat_look l = {.q = q, .m = m, .ev = ev, .out = out};

	if (!m->known || (!quote_is_binary(m) && m->in.cls != CLASS_PERP))
		return;
	l.instr = quote_index(q, m);
	l.venue_ns = quote_venue_now(m, ev->now_ns);
	l.left_ns = m->in.end_wall_ns == 0 || l.venue_ns == 0
			? INT64_MAX
			: m->in.end_wall_ns - l.venue_ns;
	l.unwinding = m->risk_state == TRADING_REDUCE && m->position.e8 != 0;
	if (!l.unwinding)
		m->unwind_ns = 0;
	why_begin(&l.why, q->why, l.instr, m->in.epoch, ev->now_ns);
	look_rest(&l);
	look_take(&l);
	why_end(&l.why);
}

/* Is there room for what one more look may say? */
static bool
has_room(const struct quote_out *out, uint16_t instr)
{
	return out->core.n + 2 * quote_levels(instr) + LOOK_TAKES <=
	       CORE_OUT_MAX;
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

		if (m->known && !has_room(out, q->sweep))
			return;
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

/* Markets on a reference that moved. */
static void
chain(struct quote *q, const struct event *ev, struct quote_out *out)
{
	for (uint32_t i = 0; i < QUOTE_SWEEP && q->chain != 0; i++) {
		struct quote_mkt *m = &q->mkt[q->chain];

		if (!has_room(out, q->chain))
			return;
		q->chain = m->next;
		evaluate(q, m, ev, out);
	}
}

static uint16_t *
chain_of(struct quote *q, const struct quote_mkt *m)
{
	if (m->in.cls != CLASS_UPDOWN || m->in.underlying < INSTR_BN_BASE ||
	    m->in.underlying >= INSTR_N)
		return 0;
	return &q->first_on[m->in.underlying - INSTR_BN_BASE];
}

static void
leave_chains(struct quote *q, struct quote_mkt *m)
{
	uint16_t self = quote_index(q, m);
	uint16_t *at = chain_of(q, m);

	select_leave(q, m);
	if (q->chain == self)
		q->chain = m->next;
	for (; at != 0 && *at != 0; at = &q->mkt[*at].next)
		if (*at == self) {
			*at = m->next;
			break;
		}
	m->next = 0;
}

static void
join_chains(struct quote *q, struct quote_mkt *m)
{
	uint16_t *first = chain_of(q, m);

	select_join(q, m);
	if (first != 0) {
		m->next = *first;
		*first = quote_index(q, m);
	}
	if (m->in.cls == CLASS_UPDOWN)
		signal_link(&q->sig, &m->in);
}

/* Another market in this entry: nothing of the old one is about it. */
static void
forget(struct quote *q, struct quote_mkt *m)
{
	quote_hold_drop(q, quote_index(q, m));
	memset(&m->sel, 0, sizeof(m->sel));
	memset(&m->fair, 0, sizeof(m->fair));
	as_kappa_init(&m->kappa);
	vol_init(&m->vol);
	m->risk_state = 0;
	m->risk_reason = 0;
	m->risk_gamma = 0.0;
	m->est_strike = 0.0;
	m->pause_ns = 0;
	m->take_ns = 0;
	m->warned = false;
	m->venue_ns = 0;
	m->gamma = 0.0;
}

static void
score_rules(struct quote *q, struct quote_mkt *m, struct quote_out *out)
{
	double was = m->rrs;

	m->rrs = rrs_score(m->in.rules, q->rrs_weight);
	if (quote_is_binary(m) && fabs(m->rrs - was) > 1e-9)
		quote_note_add(
		    out, &(struct quote_note){QUOTE_RRS, quote_index(q, m), 0,
			     0, llround(m->rrs * 1e8), (int64_t)m->in.rules});
}

static void
on_instr(struct quote *q, struct quote_mkt *m, const struct event *ev,
    struct quote_out *out)
{
	uint16_t idx = ev->slot->hdr.instr;
	struct quote_book *b = &q->book[idx];
	bool changed;

	if (ev->instr == 0 || ev->instr->tick_px.e8 <= 0 ||
	    ev->instr->lot_qty.e8 <= 0)
		return;
	changed = !m->known || m->in.epoch != ev->instr->epoch ||
		  m->in.tick_px.e8 != ev->instr->tick_px.e8;
	if (m->known) {
		leave_chains(q, m);
		if (strcmp(m->in.symbol, ev->instr->symbol) != 0)
			forget(q, m);
	}
	m->in = *ev->instr;
	m->known = true;
	join_chains(q, m);
	score_rules(q, m, out);
	select_expose(q, m);
	if (m->in.state == INSTR_RESOLVED)
		quote_hold_drop(q, idx);
	if (idx > q->max_instr)
		q->max_instr = idx;
	if (changed) {
		m->valid = false;
		m->crossed_n = 0;
		book_init(&b->book, b->level, QUOTE_DEPTH);
	}
}

static double
vol_value(const struct quote_mkt *m)
{
	double mid = (double)(m->bid_px.e8 + m->ask_px.e8) / 2e8;

	return quote_is_binary(m) ? mid : log(mid);
}

static void
on_perp(struct quote *q, struct quote_mkt *m, const struct event *ev)
{
	struct quote_perp *p = &q->perp[quote_index(q, m) - INSTR_HL_BASE];
	struct vol_cfg c = q->sig.vol.vol;

	c.sample_ns = 60 * (uint64_t)NS_PER_S;
	c.halflife_ns = 30 * c.sample_ns;
	if (ev->now_ns >= p->minute.last_ns)
		vol_add(&p->minute, &c, ev->now_ns, vol_value(m));
	ladder_mid(&p->state, &q->cfg, PX((m->bid_px.e8 + m->ask_px.e8) / 2),
	    ev->now_ns);
}

/* What a two-sided top of book feeds. */
static void
on_mid(struct quote *q, struct quote_mkt *m, const struct event *ev)
{
	uint16_t idx = quote_index(q, m);

	if (m->in.cls == CLASS_SPOT) {
		if (signal_on_ref(&q->sig, idx, ev->now_ns, ev->wall_ns,
			(double)(m->bid_px.e8 + m->ask_px.e8) / 2e8) &&
		    q->chain == 0)
			q->chain = q->first_on[idx - INSTR_BN_BASE];
		return;
	}
	if (ev->now_ns >= m->vol.last_ns)
		vol_add(&m->vol, &q->sig.vol.vol, ev->now_ns, vol_value(m));
	if (m->in.cls == CLASS_PERP && idx >= INSTR_HL_BASE)
		on_perp(q, m, ev);
	if (m->position.e8 != 0)
		select_expose(q, m);
}

static void
venue_time(struct quote_mkt *m, const struct event *ev)
{
	if (ev->slot->hdr.venue_ns > m->venue_ns) {
		m->venue_ns = ev->slot->hdr.venue_ns;
		m->venue_at_ns = ev->now_ns;
	}
}

static void
invalidate_one(struct quote *q, uint16_t i)
{
	q->mkt[i].valid = false;
	q->mkt[i].crossed_n = 0;
	if (q->book[i].book.cap != 0)
		book_clear(&q->book[i].book);
}

/* A slot is checked by who reads it. An empty side has price 0. */
static bool
is_sane(const struct quote_mkt *m, px_t px, qty_t qty)
{
	int64_t most = quote_is_binary(m) ? E8 - 1 : PX_E8_MAX;

	return qty.e8 >= 0 && qty.e8 <= QTY_E8_MAX && px.e8 <= most &&
	       (px.e8 > 0 || (px.e8 == 0 && qty.e8 == 0));
}

static void
on_bbo(struct quote *q, struct quote_mkt *m, const struct event *ev)
{
	const struct tick *t = &ev->slot->tick;

	if (!is_sane(m, t->u.bbo.bid_px, t->u.bbo.bid_qty) ||
	    !is_sane(m, t->u.bbo.ask_px, t->u.bbo.ask_qty)) {
		invalidate_one(q, t->hdr.instr);
		return;
	}
	if (!m->valid)
		q->books++;
	m->valid = true;
	m->bid_px = t->u.bbo.bid_px;
	m->ask_px = t->u.bbo.ask_px;
	m->bid_qty = t->u.bbo.bid_qty;
	m->ask_qty = t->u.bbo.ask_qty;
	m->recv_ns = t->hdr.recv_ns;
	venue_time(m, ev);
	if (m->bid_qty.e8 > 0 && m->ask_qty.e8 > 0 && m->bid_px.e8 > 0) {
		m->crossed_n = m->bid_px.e8 >= m->ask_px.e8
				   ? (uint16_t)i64_min(m->crossed_n + 1, 1000)
				   : 0;
		on_mid(q, m, ev);
	}
}

/* Levels near the touch; what is out of range is not ours to believe. */
static void
on_level(struct quote *q, const struct event *ev)
{
	const struct tick *t = &ev->slot->tick;
	struct quote_book *b = &q->book[t->hdr.instr];
	const struct tick_level *v = &t->u.level;

	if (b->book.cap == 0 || t->hdr.instr == 0)
		return;
	if (t->hdr.kind == TICK_SNAP_BEGIN) {
		book_clear(&b->book);
		return;
	}
	if (t->hdr.kind != TICK_LEVEL ||
	    v->epoch != q->mkt[t->hdr.instr].in.epoch ||
	    (v->side != SIDE_BID && v->side != SIDE_ASK) || v->px.e8 < 0 ||
	    v->px.e8 > PX_E8_MAX || v->qty.e8 < 0 || v->qty.e8 > QTY_E8_MAX)
		return;
	book_set(&b->book, (enum side)v->side, v->px, v->qty);
}

static void
on_trade(struct quote *q, struct quote_mkt *m, const struct event *ev)
{
	const struct tick_trade *t = &ev->slot->tick.u.trade;
	const struct cfg *c = &q->cfg;
	int64_t mid = (m->bid_px.e8 + m->ask_px.e8) / 2;
	int64_t off = t->px.e8 > mid ? t->px.e8 - mid : mid - t->px.e8;

	if ((ev->slot->hdr.flags & SLOT_REPLAY) != 0 || !quote_is_binary(m))
		return;
	select_trade(&m->sel, ev->now_ns);
	if (m->unwind_ns != 0 && t->qty.e8 > 0 && t->qty.e8 <= QTY_E8_MAX)
		m->traded.e8 = i64_min(m->traded.e8 + t->qty.e8, QTY_E8_MAX);
	if (c->mm_spread_model == CFG_SPREAD_AS && m->valid && mid > 0) {
		const struct as_kappa_cfg kc = {
		    .bin = (double)c->mm_kappa_bin.e8 / 1e8,
		    .halflife_s = (double)c->mm_kappa_halflife.ns / 1e9,
		    .min_n = (double)c->mm_kappa_min_trades};

		as_kappa_trade(&m->kappa, &kc, ev->now_ns, (double)off / 1e8);
	}
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
		invalidate_one(q, (uint16_t)i);
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
		invalidate_one(q, t->hdr.instr);
	/* Connection 0 carries the books; others add references. */
	else if (t->u.gap.scope != 2 || t->u.gap.conn == 0)
		invalidate(q, venue_of(ev->ring), REASON_SEQ_GAP, out);
}

static void
on_ref(struct quote *q, struct quote_mkt *m, const struct event *ev)
{
	const struct tick *t = &ev->slot->tick;
	const struct tick_ref *r = &t->u.ref;

	m->recv_ns = ev->now_ns;
	if (r->source == REF_SPOT || r->source == REF_TWAP)
		m->ref_px = r->px;
	if (r->source == REF_MARK)
		m->funding_e12 = r->funding_e12;
	venue_time(m, ev);
	if (r->source >= REF_SOURCE_N || (t->hdr.flags & SLOT_REPLAY) != 0)
		return;
	m->ref_ns[r->source] = ev->now_ns;
	signal_on_settle(&q->sig, &(struct signal_settle){.instr = t->hdr.instr,
				      .source = r->source,
				      .now_ns = ev->now_ns,
				      .venue_ns = t->hdr.venue_ns,
				      .px = (double)r->px.e8 / 1e8});
}

static void
on_tick(struct quote *q, const struct event *ev, struct quote_out *out)
{
	const struct tick *t = &ev->slot->tick;
	struct quote_mkt *m = &q->mkt[t->hdr.instr];

	switch (t->hdr.kind) {
	case TICK_BBO: on_bbo(q, m, ev); break;
	case TICK_INSTR: on_instr(q, m, ev, out); break;
	case TICK_GAP: on_gap(q, ev, out); break;
	case TICK_LEVEL:
	case TICK_SNAP_BEGIN: on_level(q, ev); return;
	case TICK_LINK: on_link(q, ev); return;
	case TICK_CONN:
		if (t->u.conn.conn == 0 && t->u.conn.state == LINK_DOWN)
			invalidate(
			    q, venue_of(ev->ring), REASON_FEED_STALE, out);
		return;
	case TICK_RESTART:
		invalidate(q, venue_of(ev->ring), REASON_FEED_STALE, out);
		return;
	case TICK_REF: on_ref(q, m, ev); return;
	case TICK_TRADE:
		venue_time(m, ev);
		on_trade(q, m, ev);
		return;
	default: return;
	}
	if (t->hdr.instr != 0)
		evaluate(q, m, ev, out);
}

void
quote_again(struct quote *q)
{
	sweep_begin(q);
}

static void
on_cfg(struct quote *q, const struct cfg *c, struct quote_out *out)
{
	q->cfg = *c;
	configure(q);
	for (uint32_t i = 1; i <= q->max_instr; i++)
		if (q->mkt[i].known)
			score_rules(q, &q->mkt[i], out);
	sweep_begin(q);
}

static void
on_slot(struct quote *q, const struct event *ev, struct quote_out *out)
{
	uint16_t i = ev->slot->hdr.instr;

	CHECK(i < INSTR_N);
	if (slot_is_tick(ev->slot->hdr.kind))
		on_tick(q, ev, out);
	else if (quote_on_order(q, ev, out))
		evaluate(q, &q->mkt[i], ev, out);
}

void
quote_step(struct quote *q, const struct event *ev, struct quote_out *out)
{
	CHECK(ev->kind >= EV_SLOT);
	CHECK(ev->kind < EVENT_KIND_N);
	core_out_reset(&out->core);
	out->note_n = 0;
	out->tap_n = 0;
	if (q->start_ns == 0)
		q->start_ns = ev->now_ns;
	switch (ev->kind) {
	case EV_SLOT: on_slot(q, ev, out); break;
	case EV_TIMER: break;
	case EV_CFG: on_cfg(q, ev->cfg, out); break;
	case EV_STOP:
		q->stopping = true;
		sweep_begin(q);
		break;
	case EVENT_KIND_N: break;
	}
	parity_turn(q, ev, out);
	chain(q, ev, out);
	if (q->sweep == 0 && ev->now_ns >= q->turn_ns) {
		q->turn_ns = ev->now_ns + TURN_NS;
		quote_takes_turn(q, ev, out);
		sweep_begin(q);
	}
	select_step(q, ev->now_ns, out);
	sweep(q, ev, out);
	out->core.wake_ns = q->sweep != 0 || q->chain != 0 || q->sel.at != 0
				? ev->now_ns
				: quote_takes_wake(q, q->turn_ns);
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
hash_double(uint64_t h, double v)
{
	return hash_bytes(h, &v, sizeof(v));
}

static uint64_t
hash_mkt(uint64_t h, const struct quote_mkt *m)
{
	h = hash_u64(h, m->reason | (uint64_t)m->valid << 16 |
			    (uint64_t)m->active << 17 |
			    (uint64_t)m->in.epoch << 32);
	h = hash_u64(h, m->risk_state | (uint64_t)m->risk_reason << 8 |
			    (uint64_t)m->sel.rank << 32);
	h = hash_u64(h, (uint64_t)m->bid_px.e8);
	h = hash_u64(h, (uint64_t)m->ask_px.e8);
	h = hash_u64(h, (uint64_t)m->bid_qty.e8);
	h = hash_u64(h, (uint64_t)m->ask_qty.e8);
	h = hash_u64(h, (uint64_t)m->position.e8);
	h = hash_u64(h, (uint64_t)m->held.e8);
	h = hash_u64(h, m->pause_ns);
	h = hash_u64(h, m->take_ns);
	h = hash_u64(h, (uint64_t)m->ref_px.e8);
	h = hash_double(h, m->vol.var);
	h = hash_u64(h, m->vol.n);
	h = hash_double(h, m->fair.yes);
	h = hash_double(h, m->risk_gamma);
	h = hash_side(h, &m->side[SIDE_BID]);
	return hash_side(h, &m->side[SIDE_ASK]);
}

static uint64_t
hash_perp(uint64_t h, const struct quote_perp *p)
{
	for (int side = SIDE_BID; side < SIDE_N; side++)
		for (uint32_t k = 1; k < ORDER_LEVELS; k++)
			h = hash_side(h, &p->slot[side][k]);
	h = hash_u64(h, p->state.refresh_ns);
	h = hash_double(h, p->state.budget);
	return hash_double(h, p->minute.var);
}

uint64_t
quote_hash(const struct quote *q)
{
	uint64_t h = HASH_SEED;

	h = hash_u64(h, q->counter);
	h = hash_u64(h, q->books);
	h = hash_u64(h, q->trading | (uint64_t)q->warm << 8);
	h = hash_u64(h, (uint64_t)q->capital.e6);
	for (uint32_t i = 0; i < QUOTE_TAKES; i++)
		h = hash_u64(
		    h, q->take[i].id ^ (uint64_t)q->take[i].filled.e8 << 1);
	for (uint32_t i = 1; i <= q->max_instr; i++) {
		if (!q->mkt[i].known)
			continue;
		h = hash_mkt(hash_u64(h, i), &q->mkt[i]);
		if (i >= INSTR_HL_BASE)
			h = hash_perp(h, &q->perp[i - INSTR_HL_BASE]);
	}
	return h;
}
