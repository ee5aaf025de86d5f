#include "libcore/check.h"
#include "riskd/risk_int.h"

#define WINDOW_NS UINT64_C(1000000000)

/* Entries older than a second leave the window. */
static void
rate_expire(struct risk *r, uint64_t now_ns)
{
	while (r->rate_n > 0) {
		uint32_t at = (r->rate_head - r->rate_n) & (RISK_RATE - 1);

		if (now_ns - r->rate[at].ns < WINDOW_NS)
			return;
		CHECK(r->instr[r->rate[at].instr].rate_n > 0);
		r->instr[r->rate[at].instr].rate_n--;
		r->rate_n--;
	}
}

void
risk_rate_count(struct risk *r, uint16_t i, uint64_t now_ns)
{
	CHECK(r->rate_n < RISK_RATE);
	CHECK(i < INSTR_N);
	r->rate[r->rate_head].ns = now_ns;
	r->rate[r->rate_head].instr = i;
	r->rate_head = (r->rate_head + 1) & (RISK_RATE - 1);
	r->rate_n++;
	r->instr[i].rate_n++;
}

bool
risk_is_busy(struct risk *r, uint64_t now_ns)
{
	rate_expire(r, now_ns);
	return (int64_t)r->rate_n * E8 > r->cfg.latency_self_throttle_frac.e8 *
					     r->cfg.risk_max_orders_per_s;
}

static bool
tradable(const struct risk_instr *in)
{
	return in->tick.e8 > 0 && in->lot.e8 > 0 &&
	       (in->cls == CLASS_BINARY || in->cls == CLASS_UPDOWN ||
		   in->cls == CLASS_PERP);
}

/* Rules 1 to 5: who asks, and when. */
static enum reason
judge_asker(struct risk *r, const struct order *o, uint64_t now_ns)
{
	const struct risk_instr *in = &r->instr[o->hdr.instr];
	enum venue v = instr_venue(o->hdr.instr);
	const struct risk_slot *s;
	uint64_t age = now_ns > o->hdr.recv_ns ? now_ns - o->hdr.recv_ns : 0;

	if (!tradable(in) || o->level == ORDER_EXIT_LEVEL || o->id == 0 ||
	    o->px.e8 <= 0 || /* 1 */
	    o->px.e8 > PX_E8_MAX || o->qty.e8 > QTY_E8_MAX ||
	    (risk_is_binary(in) && o->px.e8 >= E8))
		return REASON_BAD_SLOT;
	if (r->stopping || risk_mask(r, v) != 0) /* 2 */
		return REASON_FROZEN;
	s = risk_slot_at(r, o->hdr.instr, o->side, o->level);
	if ((s != 0 && o->id <= s->last_id) || /* 3 */
	    o->id >> 40 < r->quoted_epoch)
		return REASON_DUPLICATE;
	if ((o->epoch != 0 && o->epoch != in->epoch) || /* 4 */
	    age > (uint64_t)r->cfg.risk_max_intent_age_ms.ns)
		return REASON_STALE_INTENT;
	if (in->state != INSTR_NORMAL && in->state != INSTR_WATCH && /* 5 */
	    in->state != INSTR_CLOSE_WINDOW && in->state != INSTR_DISPUTED)
		return REASON_STATE;
	return risk_paused(r, o->hdr.instr, now_ns);
}

/* Rules 6 to 10: the order against its market. */
static enum reason
judge_market(const struct risk *r, const struct order *o)
{
	const struct risk_instr *in = &r->instr[o->hdr.instr];
	const struct cfg *c = &r->cfg;
	px_t tick = px_sig_tick(o->px, in->tick, in->px_sig);
	int64_t away;
	int64_t band;
	px_t cost = o->px;

	if (!risk_marked(r, o->hdr.instr)) /* 6 */
		return REASON_NO_MARK;
	if (risk_is_binary(in) && /* 7 */
	    in->ask.e8 - in->bid.e8 > c->mm_max_spread.e8)
		return REASON_GAPPED;
	if (o->px.e8 % tick.e8 != 0) /* 8 */
		return REASON_OFF_TICK;
	away = o->px.e8 - in->micro.e8;
	away = away < 0 ? -away : away;
	band =
	    i64_max(i64_mul_div(in->micro.e8, c->risk_price_band_frac.e8, E8),
		tick.e8 * c->risk_price_band_ticks);
	if (away > band) /* 9 */
		return REASON_PRICE_BAND;
	if (o->qty.e8 > c->risk_max_order_qty.e8) /* 10 */
		return REASON_MAX_SIZE;
	/* Selling YES is buying NO: it costs, and risks, the rest to 1. */
	if (risk_is_binary(in) && o->side == SIDE_ASK)
		cost = px_complement(o->px);
	if (usd_notional_ceil(cost, o->qty).e6 > c->risk_max_order_usd.e6)
		return REASON_MAX_NOTIONAL;
	return REASON_OK;
}

/* Rule 11. Prices are in one frame, so this is also our NO against our YES. */
static bool
self_crosses(struct risk *r, const struct order *o)
{
	enum side other = side_opposite((enum side)o->side);
	uint32_t some = r->instr[o->hdr.instr].live[other];

	for (; some != 0; some &= some - 1) {
		const struct risk_slot *s = risk_slot_at(r, o->hdr.instr,
		    (uint8_t)other, (uint8_t)__builtin_ctz(some));
		px_t px;

		if (s == 0 || risk_slot_bound(s, &px).e8 == 0)
			continue;
		if (o->side == SIDE_BID ? o->px.e8 >= px.e8 : o->px.e8 <= px.e8)
			return true;
	}
	return false;
}

/* Quantity whose value does not pass usd. */
static int64_t
qty_within(usd_t usd, px_t each)
{
	i128_t q;

	if (usd.e6 <= 0)
		return 0;
	if (each.e8 <= 0)
		return QTY_E8_MAX;
	q = (i128_t)usd.e6 * INT64_C(10000000000) / each.e8;
	return q > QTY_E8_MAX ? QTY_E8_MAX : (int64_t)q;
}

/* How much more this side may fill before usd is passed. */
static int64_t
room_for(const struct risk_instr *in, const struct risk_try *t,
    const struct risk_view *v, usd_t usd)
{
	bool bid = t->side == SIDE_BID;
	px_t each =
	    !bid && risk_is_binary(in) ? px_complement(in->mark) : in->mark;

	return qty_within(usd, each) -
	       (bid ? in->pos.qty.e8 + v->bid.e8 : v->ask.e8 - in->pos.qty.e8);
}

/* Less of it: false when what is left is below the venue's minimum. */
static bool
shrink(const struct risk_instr *in, struct risk_try *t, int64_t room)
{
	if (room < t->qty.e8)
		t->qty = qty_floor_lot(QTY(i64_max(0, room)), in->lot);
	return t->qty.e8 > 0 && t->qty.e8 >= in->min_qty.e8 &&
	       usd_notional(t->px, t->qty).e6 >= in->min_usd.e6;
}

/* Rules 12 to 17: how much of it may be. */
static enum reason
judge_amount(
    struct risk *r, const struct order *o, uint64_t now_ns, struct risk_try *t)
{
	enum reason why = risk_only_reduces(r, o, now_ns);
	const struct risk_instr *in = &r->instr[t->instr];
	bool bid = t->side == SIDE_BID;
	struct risk_view v;
	usd_t others;
	usd_t total;

	if (!shrink(in, t, qty_floor_lot(t->qty, in->lot).e8)) /* 12 */
		return REASON_TOO_SMALL;
	risk_view_of(r, t->instr, t, &v);
	if (why != REASON_OK && /* 13 */
	    !shrink(in, t,
		bid ? -in->pos.qty.e8 - v.bid.e8 : in->pos.qty.e8 - v.ask.e8))
		return why;
	if (!shrink(in, t, /* 14 */
		room_for(in, t, &v, risk_market_cap(r, t->instr))))
		return REASON_POSITION_CAP;
	if (in->cluster != 0 && /* 15 */
	    !shrink(in, t, room_for(in, t, &v, risk_cluster_room(r, t->instr))))
		return REASON_CLUSTER;
	others = USD(r->exposure.e6 - in->exposure.e6); /* 16 */
	total = risk_frac(r->capital, r->cfg.risk_total_exposure_frac);
	if (!shrink(in, t,
		room_for(in, t, &v,
		    USD(i64_max(total.e6 - others.e6, in->exposure.e6)))))
		return REASON_EXPOSURE_CAP;
	risk_view_of(r, t->instr, t, &v);
	if (risk_is_edge(t->strategy) && !risk_edge_fits(r, t, &v)) /* 17 */
		return REASON_STRATEGY_CAP;
	return REASON_OK;
}

/* Rules 18 to 21: how many, and could it all go wrong? */
static enum reason
judge_limits(struct risk *r, const struct risk_try *t, uint64_t now_ns)
{
	const struct risk_instr *in = &r->instr[t->instr];
	const struct risk_slot *s =
	    risk_slot_at(r, t->instr, t->side, t->level);
	const struct cfg *c = &r->cfg;
	struct risk_view v;

	if (r->open_n >= c->risk_max_open_orders) /* 18 */
		return REASON_OPEN_ORDERS;
	if (s != 0 ? s->n == RISK_SLOT_ORDERS : r->slot_n == RISK_SLOTS)
		return REASON_FULL;
	rate_expire(r, now_ns); /* 19 */
	if (r->rate_n >= c->risk_max_orders_per_s || r->rate_n == RISK_RATE ||
	    in->rate_n >= c->risk_max_orders_per_s_market)
		return REASON_RATE_LIMIT;
	risk_view_of(r, t->instr, t, &v); /* 20 */
	if (v.worst.e6 < in->worst.e6 &&
	    !loss_bound(&r->loss, USD(r->worst.e6 - in->worst.e6 + v.worst.e6),
		c->mm_global_daily_loss_limit)) {
		r->bound = (struct risk_bound){
		    .realised =
			USD(loss_realised(&r->loss).e6 - r->loss.base.e6),
		    .others = USD(r->worst.e6 - in->worst.e6),
		    .market = v.worst,
		    .limit = c->mm_global_daily_loss_limit,
		};
		return REASON_DAILY_LOSS;
	}
	if (!r->world.room[instr_venue(t->instr)]) /* 21 */
		return REASON_BACKPRESSURE;
	return REASON_OK;
}

/*
 * In the order of evaluation, the first that applies; a size of zero is not
 * judged, for cancels are always allowed:
 *   1 BAD_SLOT       not a tradable instrument, no id, price out of range, the
 *                    level of exits
 *   2 FROZEN         a freeze covers the venue
 *   3 DUPLICATE      id not above the slot's last, or of an older quoted
 *   4 STALE_INTENT   of another epoch of the instrument, or older than
 *                    risk.max_intent_age_ms
 *   5 STATE          closed, resolved, halted, not complete; and by its own
 *                    name a pause (LOSING_FILLS, REVERTS) or what an exit is
 *                    for (POSITION_STOP, POSITION_AGE, ADVERSE_MOVE)
 *   6 NO_MARK        no two-sided book since the last gap
 *   7 GAPPED         binaries: spread over mm.max_spread
 *   8 OFF_TICK
 *   9 PRICE_BAND     too far from the micro-price
 *  10 MAX_SIZE, MAX_NOTIONAL
 *  11 SELF_CROSS     could trade with an order of ours
 *  12 TOO_SMALL      below the venue's minimum, in whole lots
 *  13 REDUCE_ONLY    shrinks to what reduces; also BALANCE, POSITION_AGE,
 *                    ADVERSE_MOVE, TOXIC, MAKER_RATIO, STRATEGY_LOSS:
 *                    risk_only_reduces
 *  14 POSITION_CAP   shrinks to risk.market_exposure_frac, for binaries with
 *                    risk.allocator to risk.allocator_market_frac
 *  15 CLUSTER        shrinks to risk.cluster_exposure_frac (binaries)
 *  16 EXPOSURE_CAP   shrinks to risk.total_exposure_frac; each of the four
 *                    refuses when what it leaves is below the minimum
 *  17 STRATEGY_CAP   edge: risk.edge_exposure_frac, risk.edge_positions
 *  18 OPEN_ORDERS, FULL
 *  19 RATE_LIMIT     in this market or in all, within any second
 *  20 DAILY_LOSS     the worst outcome of everything could pass the limit
 *                    and this order makes it worse
 *  21 BACKPRESSURE   the order ring has no room
 */
enum reason
risk_judge(
    struct risk *r, const struct order *o, uint64_t now_ns, struct risk_try *t)
{
	enum reason why = judge_asker(r, o, now_ns);

	CHECK(o->qty.e8 > 0);
	CHECK(o->side == SIDE_BID || o->side == SIDE_ASK);
	if (why == REASON_OK)
		why = judge_market(r, o);
	if (why == REASON_OK && self_crosses(r, o)) /* 11 */
		why = REASON_SELF_CROSS;
	if (why == REASON_OK)
		why = judge_amount(r, o, now_ns, t);
	return why == REASON_OK ? judge_limits(r, t, now_ns) : why;
}
