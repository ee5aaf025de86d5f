#include <string.h>

#include "libcore/check.h"
#include "libcore/fees.h"
#include "libcore/hash.h"
#include "riskd/risk_int.h"

void
risk_dirty(struct risk *r, uint32_t rec)
{
	CHECK(rec < RISK_REC_N);
	for (uint32_t i = r->dirty_n; i > 0 && i + 4 > r->dirty_n; i--)
		if (r->dirty[i - 1] == rec)
			return;
	CHECK(r->dirty_n < RISK_DIRTY);
	r->dirty[r->dirty_n++] = rec;
}

void
risk_dirty_slot(struct risk *r, const struct risk_slot *s)
{
	risk_dirty(r, RISK_REC_SLOT + (uint32_t)(s - r->slot));
}

bool
risk_marked(const struct risk *r, uint16_t i)
{
	const struct risk_instr *in = &r->instr[i];
	enum venue v = instr_venue(i);

	return v != 0 && in->mark_gen == r->link[v].gen;
}

struct risk_slot *
risk_slot_at(struct risk *r, uint16_t i, uint8_t side, uint8_t level)
{
	uint16_t k;

	CHECK(i < INSTR_N);
	CHECK(side < SIDE_N);
	CHECK(level < ORDER_LEVELS);
	k = r->slot_of[i][side][level];
	return k == 0 ? 0 : &r->slot[k - 1];
}

struct risk_slot *
risk_slot_new(struct risk *r, uint16_t i, uint8_t side, uint8_t level)
{
	struct risk_slot *s = risk_slot_at(r, i, side, level);

	if (s != 0 || r->slot_n == RISK_SLOTS)
		return s;
	s = &r->slot[r->slot_n++];
	memset(s, 0, sizeof(*s));
	s->instr = i;
	s->side = side;
	s->level = level;
	r->slot_of[i][side][level] = (uint16_t)r->slot_n;
	if (i > r->max_instr)
		r->max_instr = i;
	risk_dirty_slot(r, s);
	return s;
}

qty_t
risk_slot_bound(const struct risk_slot *s, px_t *px)
{
	int64_t top = 0;
	int64_t at = 0;

	CHECK(s->n <= RISK_SLOT_ORDERS);
	for (uint32_t k = 0; k < s->n; k++) {
		const struct risk_order *o = &s->order[k];
		int64_t left = o->base.e8 + o->qty.e8 - s->cum.e8;

		if (left <= 0)
			continue;
		top = i64_max(top, left);
		if (at == 0 ||
		    (s->side == SIDE_BID ? o->px.e8 > at : o->px.e8 < at))
			at = o->px.e8;
	}
	*px = PX(at);
	return QTY(top);
}

/* 0, 1/2 and 1, or the mark and the stress. */
void
risk_outcomes(const struct risk *r, bool binary, const struct position *p,
    px_t at, px_t out[3])
{
	int64_t mark = at.e8 > 0 ? at.e8 : position_avg(p).e8;
	int64_t move;

	if (binary) {
		out[0] = PX(0);
		out[1] = PX(E8 / 2);
		out[2] = PX_ONE;
		return;
	}
	move = i64_mul_div(mark, r->cfg.risk_perp_stress_frac.e8, E8);
	out[0] = PX(mark - move);
	out[1] = PX(mark);
	out[2] = PX(mark + move);
}

struct line {
	px_t px;
	qty_t qty;
	enum side side;
	bool edge;  /* of the edge strategies */
	bool takes; /* may pay the taker's fee */
};

/* Has one of its orders been told to take, or is one of edge? */
static void
line_flags(const struct risk_slot *s, const struct risk_try *t, struct line *l)
{
	for (uint32_t k = 0; s != 0 && k < s->n; k++) {
		l->edge = l->edge || risk_is_edge(s->order[k].strategy);
		l->takes = l->takes || s->order[k].takes;
	}
	if (t != 0) {
		l->edge = l->edge || risk_is_edge(t->strategy);
		l->takes = l->takes || t->takes;
	}
}

/* What could fill in one slot, with the order that is tried. */
static bool
line_of(struct risk *r, uint16_t i, enum side side, uint8_t level,
    const struct risk_try *t, struct line *l)
{
	struct risk_slot *s = risk_slot_at(r, i, (uint8_t)side, level);
	bool tried = t != 0 && t->side == side && t->level == level;

	*l = (struct line){.side = side};
	line_flags(s, tried ? t : 0, l);
	l->px = PX(0);
	l->qty = s != 0 ? risk_slot_bound(s, &l->px) : QTY(0);
	if (!tried || t->qty.e8 == 0)
		return tried;
	if (l->qty.e8 == 0 ||
	    (side == SIDE_BID ? t->px.e8 > l->px.e8 : t->px.e8 < l->px.e8))
		l->px = t->px;
	l->qty.e8 = i64_max(l->qty.e8, t->qty.e8);
	return true;
}

/* Gain of one order if the market ends at `at`: it fills when that hurts. */
static i128_t
hurt(const struct risk_instr *in, const struct line *l, px_t at)
{
	int64_t each =
	    l->side == SIDE_BID ? at.e8 - l->px.e8 : l->px.e8 - at.e8;
	usd_t fee = USD(0);
	i128_t gain;

	if (!risk_is_binary(in))
		fee = fee_notional(
		    l->px, l->qty, l->takes ? in->fee_ppm : in->maker_ppm);
	else if (l->takes)
		fee = fee_binary(l->px, l->qty, in->fee_ppm);
	gain = (i128_t)each * l->qty.e8 - (i128_t)fee.e6 * INT64_C(10000000000);

	return gain < 0 ? gain : 0;
}

/* Marked to mid, with everything of the worse side filled. */
static usd_t
worse_side(const struct risk_instr *in, qty_t pos, const qty_t sum[SIDE_N])
{
	bool binary = risk_is_binary(in);
	int64_t most = i64_max(0, pos.e8 + sum[SIDE_BID].e8);
	int64_t least = i64_min(0, pos.e8 - sum[SIDE_ASK].e8);

	return USD(i64_max(position_value(binary, most, in->mark).e6,
	    position_value(binary, least, in->mark).e6));
}

void
risk_view_of(
    struct risk *r, uint16_t i, const struct risk_try *t, struct risk_view *v)
{
	struct risk_instr *in = &r->instr[i];
	struct line line[2 * ORDER_LEVELS];
	uint32_t n = 0;
	qty_t sum[SIDE_N] = {{0}, {0}, {0}};
	qty_t edge[SIDE_N] = {{0}, {0}, {0}};
	px_t end[3];
	i128_t worst = 0;

	memset(v, 0, sizeof(*v));
	for (int side = SIDE_BID; side <= SIDE_ASK; side++) {
		uint32_t some = in->live[side];

		if (t != 0 && t->side == side)
			some |= UINT32_C(1) << t->level;
		for (; some != 0; some &= some - 1) {
			uint8_t k = (uint8_t)__builtin_ctz(some);
			struct line *l = &line[n];
			bool own = line_of(r, i, (enum side)side, k, t, l);

			sum[side].e8 += l->qty.e8;
			if (l->edge)
				edge[side].e8 += l->qty.e8;
			if (own)
				v->own = l->qty;
			n += l->qty.e8 > 0;
		}
	}
	v->bid = sum[SIDE_BID];
	v->ask = sum[SIDE_ASK];
	if (t != 0 && t->side == SIDE_BID)
		v->bid.e8 -= v->own.e8;
	if (t != 0 && t->side == SIDE_ASK)
		v->ask.e8 -= v->own.e8;
	v->exposure = worse_side(in, in->pos.qty, sum);
	v->edge_exposure = worse_side(in, r->watch[i].edge.qty, edge);
	v->edge_open = r->watch[i].edge.qty.e8 != 0 || edge[SIDE_BID].e8 != 0 ||
		       edge[SIDE_ASK].e8 != 0;
	risk_outcomes(r, risk_is_binary(in), &in->pos, in->mark, end);
	for (int e = 0; e < 3; e++) {
		i128_t gain = position_at(&in->pos, end[e]);

		for (uint32_t k = 0; k < n; k++)
			gain += hurt(in, &line[k], end[e]);
		if (e == 0 || gain < worst)
			worst = gain;
	}
	v->worst = e16_to_usd(worst);
}

void
risk_refresh(struct risk *r, uint16_t i)
{
	struct risk_instr *in = &r->instr[i];
	struct risk_view v;
	usd_t unrealised = position_unrealised(&in->pos, in->mark);

	risk_view_of(r, i, 0, &v);
	r->unrealised.e6 += unrealised.e6 - in->unrealised.e6;
	r->exposure.e6 += v.exposure.e6 - in->exposure.e6;
	r->worst.e6 += v.worst.e6 - in->worst.e6;
	if (in->group != 0)
		r->group[in->group - 1].exposure.e6 +=
		    v.exposure.e6 - in->exposure.e6;
	in->unrealised = unrealised;
	in->exposure = v.exposure;
	in->worst = v.worst;
	unrealised = position_unrealised(&r->watch[i].edge, in->mark);
	r->edge_unrealised.e6 += unrealised.e6 - in->edge_unrealised.e6;
	r->edge_exposure.e6 += v.edge_exposure.e6 - in->edge_exposure.e6;
	r->edge_n += (uint32_t)v.edge_open - (uint32_t)in->edge_open;
	in->edge_unrealised = unrealised;
	in->edge_exposure = v.edge_exposure;
	in->edge_open = v.edge_open;
	if (in->held)
		risk_touch(r, i);
}

struct risk_order *
risk_order_find(struct risk_slot *s, uint64_t id)
{
	for (uint32_t k = 0; k < s->n; k++)
		if (s->order[k].id == id)
			return &s->order[k];
	return 0;
}

struct risk_order *
risk_order_add(struct risk *r, struct risk_slot *s, const struct risk_order *o)
{
	CHECK(s->n < RISK_SLOT_ORDERS);
	s->order[s->n] = *o;
	r->open_n++;
	r->instr[s->instr].live[s->side] |= UINT32_C(1) << s->level;
	risk_dirty_slot(r, s);
	return &s->order[s->n++];
}

void
risk_order_drop(struct risk *r, struct risk_slot *s, uint64_t id)
{
	struct risk_order *o = risk_order_find(s, id);

	if (o == 0)
		return;
	CHECK(r->open_n > 0);
	r->open_n--;
	s->n--;
	/* The newest stays last. */
	memmove(o, o + 1, (size_t)(&s->order[s->n] - o) * sizeof(*o));
	memset(&s->order[s->n], 0, sizeof(*o));
	if (s->n == 0)
		r->instr[s->instr].live[s->side] &= ~(UINT32_C(1) << s->level);
	risk_dirty_slot(r, s);
	risk_refresh(r, s->instr);
}

void
risk_held(struct risk *r, uint16_t i)
{
	CHECK(i < INSTR_N);
	if (r->instr[i].held)
		return;
	CHECK(r->held_n < INSTR_N);
	r->instr[i].held = true;
	r->held[r->held_n++] = i;
}

i128_t
risk_book(
    struct risk *r, uint16_t i, enum side side, px_t px, qty_t qty, usd_t fee)
{
	struct risk_instr *in = &r->instr[i];
	int64_t was = in->pos.qty.e8;
	i128_t gain = position_fill(&in->pos, side, px, qty);

	if (i > r->max_instr)
		r->max_instr = i;
	if (in->mark.e8 == 0)
		in->mark = px;
	in->pos.fees.e6 += fee.e6;
	risk_held(r, i);
	loss_book(&r->loss, gain, fee);
	risk_turned(r, i, was);
	risk_dirty(r, RISK_REC_INSTR + i);
	risk_dirty(r, 0);
	risk_refresh(r, i);
	return gain;
}

/* The fee as it was, beside the fee as it should have been. */
static void
compare_fee(struct risk *r, const struct risk_instr *in, const struct order *o)
{
	usd_t model;
	int64_t diff;

	if (!risk_fee_model(in, o, &model))
		return;
	diff = o->usd.e6 - model.e6;
	r->fee_model.e6 += model.e6;
	r->fee_diff.e6 += diff;
	/* The venue rounds to 1e-5. */
	r->stat.fee_diffs += diff > 10 || diff < -10;
	risk_dirty(r, RISK_REC_MORE);
}

void
risk_book_fill(
    struct risk *r, uint16_t i, const struct order *o, uint64_t now_ns)
{
	i128_t gain = risk_book(
	    r, i, (enum side)o->side, o->exec_px, o->exec_qty, o->usd);

	r->watch[i].fill_n++;
	compare_fee(r, &r->instr[i], o);
	risk_edge_fill(r, i, o);
	if ((o->oflags & ORDER_REVERSED) != 0)
		risk_flow_back(r, i, now_ns);
	else
		risk_flow_fill(r, i, o, gain, now_ns);
	risk_settle(r, i); /* it may have come after the outcome */
	risk_refresh(r, i);
}

/* What a YES token pays. */
static px_t
payout(uint8_t outcome)
{
	return outcome == OUTCOME_YES	 ? PX_ONE
	       : outcome == OUTCOME_VOID ? PX(E8 / 2)
					 : PX(0);
}

void
risk_settle(struct risk *r, uint16_t i)
{
	struct risk_instr *in = &r->instr[i];
	int64_t q = in->pos.qty.e8;
	i128_t gain;

	if (in->state != INSTR_RESOLVED || in->outcome == 0 ||
	    !risk_is_binary(in))
		return;
	CHECK(in->outcome < OUTCOME_N);
	in->mark = payout(in->outcome);
	risk_edge_settle(r, i, in->mark);
	if (q == 0)
		return;
	gain = position_fill(&in->pos, q > 0 ? SIDE_ASK : SIDE_BID, in->mark,
	    QTY(q > 0 ? q : -q));
	CHECK(in->pos.qty.e8 == 0);
	loss_book(&r->loss, gain, USD(0));
	risk_turned(r, i, q);
	r->stat.settled++;
	risk_dirty(r, RISK_REC_INSTR + i);
	risk_dirty(r, 0);
}

void
risk_instr_set(struct risk *r, uint16_t i, const struct instr *in)
{
	struct risk_instr *m = &r->instr[i];
	uint64_t h = hash_bytes(0, in->symbol, sizeof(in->symbol));

	if (m->symbol_hash != 0 && m->symbol_hash != h)
		risk_kept_move(r, i);
	if (m->symbol_hash != h)
		risk_late_note(r, i, in);
	risk_kept_place(r, i, in);
	if (m->epoch != in->epoch)
		m->mark_gen = 0;
	m->symbol_hash = h;
	memcpy(m->symbol, in->symbol, sizeof(m->symbol));
	m->end_wall_ns = in->end_wall_ns;
	m->tick = in->tick_px;
	m->lot = in->lot_qty;
	m->min_qty = in->min_qty;
	m->min_usd = in->min_usd;
	m->fee_ppm = in->fee_ppm;
	m->fee_exponent = in->fee_exponent;
	m->maker_ppm = in->maker_ppm;
	m->window_ns = in->start_wall_ns > 0 && in->end_wall_ns > 0
			   ? i64_max(0, in->end_wall_ns - in->start_wall_ns)
			   : 0;
	/* A perpetual's price is not an outcome: no cluster with those. */
	risk_group_set(r, i, in->cls == CLASS_PERP ? 0 : in->cluster);
	m->px_sig = in->px_sig;
	m->epoch = in->epoch;
	m->cls = in->cls;
	m->state = in->state;
	m->outcome = in->outcome < OUTCOME_N ? in->outcome : 0;
	risk_settle(r, i);
	if (i > r->max_instr)
		r->max_instr = i;
	if (m->pos.qty.e8 != 0)
		risk_dirty(r, RISK_REC_INSTR + i);
	risk_refresh(r, i);
}
