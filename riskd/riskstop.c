/*
 * How a position ends when it should not go on: by the numbers of docs/
 * strategy-maths.md, "Stops and exits". What the edge strategies hold to
 * resolution is left alone; the rest of a position is what is looked at.
 */
#include <string.h>

#include "libcore/check.h"
#include "riskd/risk_int.h"

/* Most that risk_look says in one call. */
#define LOOK_MSGS (2u * ORDER_LEVELS + 4u + RISK_MARKOUT_SAY)
_Static_assert(LOOK_MSGS + RISK_SWEEP + 8u <= CORE_OUT_MAX,
    "a look and a page fit one step");

void
risk_touch(struct risk *r, uint16_t i)
{
	for (uint16_t k = 0; k < r->touched_n; k++)
		if (r->touched[k] == i)
			return;
	if (r->touched_n < RISK_TOUCHED)
		r->touched[r->touched_n++] = i;
	else
		r->due_ns = 1; /* all of them */
}

static int64_t
sign_of(int64_t v)
{
	return v > 0 ? 1 : v < 0 ? -1 : 0;
}

static int64_t
size_of(int64_t v)
{
	return v < 0 ? -v : v;
}

/* Less than a lot cannot be traded away: as good as nothing. */
static int64_t
in_lots(const struct risk *r, uint16_t i, int64_t qty_e8)
{
	return size_of(qty_e8) < r->instr[i].lot.e8 ? 0 : qty_e8;
}

/* The position without edge's part, as far as it adds to the whole. */
static int64_t
rest_of(const struct risk *r, uint16_t i)
{
	int64_t all = in_lots(r, i, r->instr[i].pos.qty.e8);
	int64_t rest = in_lots(r, i, all - r->watch[i].edge.qty.e8);

	if (sign_of(rest) != sign_of(all))
		return 0;
	return sign_of(all) * i64_min(size_of(rest), size_of(all));
}

void
risk_turned(struct risk *r, uint16_t i, int64_t was_e8)
{
	struct risk_watch *w = &r->watch[i];
	int64_t q = in_lots(r, i, r->instr[i].pos.qty.e8);

	was_e8 = in_lots(r, i, was_e8);
	w->dusty = false;
	risk_touch(r, i);
	risk_dirty(r, RISK_REC_WATCH + i);
	if (q != 0 && sign_of(q) == sign_of(was_e8))
		return;
	w->opened_wall_ns = q != 0 ? r->wall_ns : 0;
	w->since_wall_ns = 0;
	w->exit_ns = 0;
	w->phase = PHASE_NONE;
	w->why = 0;
	w->wiping = false;
}

#define OWN_BIT (UINT64_C(1) << 35)

uint64_t
risk_own_id(struct risk *r)
{
	uint64_t epoch = r->quoted_epoch > 0 ? r->quoted_epoch : 1;
	uint64_t now_s = (uint64_t)i64_max(0, r->wall_ns / NS_PER_S);

	r->own_n = r->own_n + 1 > now_s ? r->own_n + 1 : now_s;
	CHECK(r->own_n < OWN_BIT);
	risk_dirty(r, RISK_REC_MORE);
	return epoch << 40 | OWN_BIT | r->own_n;
}

int64_t
risk_age_limit(const struct risk *r, uint16_t i, int64_t *box_ns)
{
	const struct cfg *c = &r->cfg;
	const struct risk_instr *in = &r->instr[i];
	int64_t limit = c->position_max_age.ns;

	if (risk_is_binary(in) && in->window_ns > 0)
		limit =
		    i64_min(limit, i64_mul_div(in->window_ns,
				       c->position_max_age_window_frac.e8, E8));
	limit = i64_max(1, limit);
	*box_ns = i64_mul_div(
	    c->position_force_exit_after.ns, limit, c->position_max_age.ns);
	return limit;
}

/* Has the price of what is held fallen by so much of its average entry? A
 * short binary holds NO tokens. */
static bool
moved_against(const struct risk *r, uint16_t i, int64_t rest)
{
	const struct risk_instr *in = &r->instr[i];
	i128_t cost = in->pos.cost_e16 - r->watch[i].edge.cost_e16;
	int64_t q = in->pos.qty.e8 - r->watch[i].edge.qty.e8;
	int64_t avg = q == 0 ? 0 : (int64_t)(cost / q);
	int64_t mark = in->mark.e8;
	int64_t fell = rest > 0 ? avg - mark : mark - avg;

	if (risk_is_binary(in) && rest < 0)
		avg = E8 - avg;
	return avg > 0 && fell > 0 &&
	       fell >=
		   i64_mul_div(avg, r->cfg.position_adverse_move_frac.e8, E8);
}

static void
enter(struct risk *r, uint16_t i, enum risk_phase phase, enum reason why,
    enum risk_what what)
{
	struct risk_watch *w = &r->watch[i];
	struct risk_note n = {
	    .what = (uint16_t)what,
	    .instr = i,
	    .reason = (uint16_t)why,
	    .a = r->instr[i].mark.e8,
	    .b = r->instr[i].unrealised.e6 - r->instr[i].edge_unrealised.e6,
	    .c = w->opened_wall_ns > 0 ? r->wall_ns - w->opened_wall_ns : 0,
	};

	CHECK(phase > w->phase);
	w->phase = (uint8_t)phase;
	w->why = (uint16_t)why;
	w->since_wall_ns = r->wall_ns;
	w->exit_ns = 0;
	risk_dirty(r, RISK_REC_WATCH + i);
	risk_note(r, &n);
}

/* The numbers are those of the text. */
static void
judge(struct risk *r, uint16_t i, int64_t rest, uint64_t now_ns,
    struct core_out *out)
{
	struct risk_watch *w = &r->watch[i];
	const struct risk_instr *in = &r->instr[i];
	bool marked = risk_marked(r, i);
	enum reason why = REASON_OK;
	int64_t box;
	int64_t limit = risk_age_limit(r, i, &box);

	if (w->phase == PHASE_EXIT || w->dusty)
		return;
	if (marked && in->unrealised.e6 - in->edge_unrealised.e6 <= /* 1 */
			  -r->cfg.mm_max_loss_per_position.e6) {
		enter(r, i, PHASE_EXIT, REASON_POSITION_STOP, RISK_UNWIND);
		return;
	}
	if (w->phase == PHASE_UNWIND) { /* 4 */
		if (r->wall_ns - w->since_wall_ns >= box)
			enter(r, i, PHASE_EXIT, (enum reason)w->why,
			    RISK_TIMEOUT);
		return;
	}
	if (marked && moved_against(r, i, rest)) /* 2 */
		why = REASON_ADVERSE_MOVE;
	else if (w->opened_wall_ns > 0 && /* 3 */
		 r->wall_ns - w->opened_wall_ns >= limit)
		why = REASON_POSITION_AGE;
	if (why == REASON_OK)
		return;
	enter(r, i, PHASE_UNWIND, why, RISK_UNWIND);
	risk_withdraw(r, i, rest > 0 ? SIDE_BID : SIDE_ASK, now_ns, out);
}

static bool
trades(const struct risk *r, uint16_t i)
{
	const struct risk_instr *in = &r->instr[i];

	return !r->stopping && in->tick.e8 > 0 && in->lot.e8 > 0 &&
	       risk_marked(r, i) && risk_mask(r, instr_venue(i)) == 0 &&
	       r->world.room[instr_venue(i)] &&
	       (in->state == INSTR_NORMAL || in->state == INSTR_WATCH ||
		   in->state == INSTR_CLOSE_WINDOW ||
		   in->state == INSTR_DISPUTED);
}

/* What orders of this market can still fill on a side, exits left out. */
static int64_t
can_fill(struct risk *r, uint16_t i, enum side side)
{
	int64_t sum = 0;

	for (uint8_t k = 0; k < ORDER_EXIT_LEVEL; k++) {
		const struct risk_slot *s =
		    risk_slot_at(r, i, (uint8_t)side, k);
		px_t px;

		if (s != 0)
			sum += risk_slot_bound(s, &px).e8;
	}
	return sum;
}

/* Through the touch, on the grid, inside (0, 1). */
static px_t
exit_price(const struct risk *r, uint16_t i, enum side side)
{
	const struct risk_instr *in = &r->instr[i];
	px_t touch = side == SIDE_ASK ? in->bid : in->ask;
	px_t tick = px_sig_tick(touch, in->tick, in->px_sig);
	int64_t away = tick.e8 * r->cfg.position_exit_ticks;
	px_t px;

	if (side == SIDE_ASK)
		px = px_floor_tick(PX(i64_max(tick.e8, touch.e8 - away)), tick);
	else
		px = px_ceil_tick(PX(touch.e8 + away), tick);
	if (risk_is_binary(in))
		px = PX(i64_clamp(px.e8, tick.e8, E8 - tick.e8));
	return px_sig_tick(px, in->tick, in->px_sig).e8 == tick.e8
		   ? px
		   : px_floor_tick(px, px_sig_tick(px, in->tick, in->px_sig));
}

static void
send_exit(struct risk *r, uint16_t i, struct risk_slot *s, px_t px, qty_t qty,
    uint64_t now_ns, struct core_out *out)
{
	struct risk_watch *w = &r->watch[i];
	struct order *o = core_out_add(out, risk_order_ring(i));
	struct risk_order ro = {.px = px,
	    .qty = qty,
	    .base = s->cum,
	    .strategy = STRATEGY_UNWIND,
	    .takes = true};
	struct risk_note n = {.what = RISK_EXIT,
	    .instr = i,
	    .reason = w->why,
	    .a = s->side,
	    .b = px.e8,
	    .c = qty.e8};

	ro.id = risk_own_id(r);
	risk_order_add(r, s, &ro);
	s->last_id = ro.id;
	risk_refresh(r, i);
	o->hdr.kind = MSG_ORDER;
	o->hdr.instr = i;
	o->hdr.recv_ns = now_ns;
	o->id = ro.id;
	o->px = px;
	o->qty = qty;
	o->cum_qty = s->cum;
	o->venue = (uint8_t)instr_venue(i);
	o->side = s->side;
	o->level = s->level;
	o->strategy = STRATEGY_UNWIND;
	o->tif = TIF_IOC;
	o->oflags = ORDER_IMPERATIVE | ORDER_REDUCE_ONLY;
	o->reason = REASON_OK;
	o->epoch = r->instr[i].epoch;
	w->exit_ns = now_ns + (uint64_t)r->cfg.position_exit_retry.ns;
	r->stat.exits++;
	risk_dirty(r, RISK_REC_WATCH + i);
	risk_note(r, &n);
}

/* Below what the venue takes: it stays, and the market may be quoted, for
 * only quotes can get rid of it. */
static void
leave_dust(struct risk *r, uint16_t i, int64_t rest)
{
	struct risk_watch *w = &r->watch[i];
	struct risk_note n = {.what = RISK_DUST, .instr = i, .a = rest};

	w->phase = PHASE_NONE;
	w->dusty = true;
	n.reason = w->why;
	risk_dirty(r, RISK_REC_WATCH + i);
	risk_note(r, &n);
}

/* A binary's minimum is for orders that rest, and for buying: an exit sells
 * what is held. If execd knows better it says so, and then it is dust. */
static bool
is_too_small(const struct risk_instr *in, px_t px, qty_t qty)
{
	return qty.e8 <= 0 ||
	       (!risk_is_binary(in) &&
		   (qty.e8 < in->min_qty.e8 ||
		       usd_notional(px, qty).e6 < in->min_usd.e6));
}

void
risk_exit_small(struct risk *r, uint16_t i)
{
	int64_t rest = rest_of(r, i);

	if (r->watch[i].phase == PHASE_EXIT && rest != 0)
		leave_dust(r, i, rest);
}

/*
 * First everything of ours in the market is withdrawn: it could trade with
 * the exit, or fill beside it. Then one order that takes, at a time.
 */
static void
exit_now(struct risk *r, uint16_t i, int64_t rest, uint64_t now_ns,
    struct core_out *out)
{
	struct risk_watch *w = &r->watch[i];
	const struct risk_instr *in = &r->instr[i];
	enum side side = rest > 0 ? SIDE_ASK : SIDE_BID;
	struct risk_slot *s =
	    risk_slot_new(r, i, (uint8_t)side, ORDER_EXIT_LEVEL);
	qty_t qty = qty_floor_lot(QTY(size_of(rest)), in->lot);
	px_t px;

	if (s == 0 || s->n > 0 || !trades(r, i))
		return;
	px = exit_price(r, i, side);
	if (is_too_small(in, px, qty)) {
		leave_dust(r, i, rest);
		return;
	}
	if (can_fill(r, i, SIDE_BID) > 0 || can_fill(r, i, SIDE_ASK) > 0) {
		if (w->wiping && now_ns < w->exit_ns)
			return;
		w->wiping = true;
		w->exit_ns = now_ns + (uint64_t)r->cfg.position_exit_retry.ns;
		risk_withdraw(r, i, 0, now_ns, out);
		return;
	}
	if (!w->wiping && now_ns < w->exit_ns)
		return;
	w->wiping = false;
	send_exit(r, i, s, px, qty, now_ns, out);
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* A moment of believed UTC on the monotonic clock. */
static uint64_t
at_wall(const struct risk *r, int64_t wall_ns, uint64_t now_ns)
{
	return now_ns + (uint64_t)i64_max(0, wall_ns - r->wall_ns);
}

/* When something of this market is due, 0 never. */
static uint64_t
due_of(const struct risk *r, uint16_t i, int64_t rest, uint64_t now_ns)
{
	const struct risk_watch *w = &r->watch[i];
	uint64_t due = risk_markout_due(r, i);
	int64_t box;
	int64_t limit = risk_age_limit(r, i, &box);

	if (due != 0 && due <= now_ns)
		due = now_ns + (uint64_t)r->cfg.position_exit_retry.ns;
	if (w->phase == PHASE_EXIT)
		due = sooner(due,
		    w->exit_ns > now_ns
			? w->exit_ns
			: now_ns + (uint64_t)r->cfg.position_exit_retry.ns);
	else if (w->phase == PHASE_UNWIND)
		due = sooner(due, at_wall(r, w->since_wall_ns + box, now_ns));
	else if (rest != 0 && !w->dusty && w->opened_wall_ns > 0)
		due =
		    sooner(due, at_wall(r, w->opened_wall_ns + limit, now_ns));
	if (w->pause_until_ns > now_ns)
		due = sooner(due, w->pause_until_ns);
	if (w->flow_until_ns > now_ns)
		due = sooner(due, w->flow_until_ns);
	if (w->toxic_until_ns > now_ns)
		due = sooner(due, w->toxic_until_ns);
	return due;
}

void
risk_look(struct risk *r, uint16_t i, uint64_t now_ns, struct core_out *out)
{
	struct risk_watch *w = &r->watch[i];
	int64_t rest = rest_of(r, i);

	CHECK(i > 0 && i < INSTR_N);
	risk_markout_mid(r, i, now_ns, out);
	if (rest != 0 && w->opened_wall_ns == 0 && r->wall_ns > 0) {
		w->opened_wall_ns = r->wall_ns;
		risk_dirty(r, RISK_REC_WATCH + i);
	}
	if (rest == 0 && w->phase != PHASE_NONE) {
		w->phase = PHASE_NONE;
		w->why = 0;
		risk_dirty(r, RISK_REC_WATCH + i);
	}
	if (rest != 0)
		judge(r, i, rest, now_ns, out);
	if (w->phase == PHASE_EXIT)
		exit_now(r, i, rest, now_ns, out);
	risk_tell_new(r, i, now_ns, out);
	r->due_ns = sooner(r->due_ns, due_of(r, i, rest, now_ns));
}

static bool
has_room(const struct risk *r, const struct core_out *out)
{
	return r->dirty_n < RISK_DIRTY / 2 &&
	       out->n + LOOK_MSGS + RISK_SWEEP + 4 <= CORE_OUT_MAX;
}

void
risk_look_due(struct risk *r, uint64_t now_ns, struct core_out *out)
{
	bool all = r->due_ns != 0 && r->due_ns <= now_ns;

	while (r->touched_n > 0 && has_room(r, out))
		risk_look(r, r->touched[--r->touched_n], now_ns, out);
	if (all) {
		r->due_ns = 0;
		for (uint32_t h = 0; h < r->held_n; h++) {
			if (!has_room(r, out)) {
				r->due_ns = now_ns;
				break;
			}
			risk_look(r, r->held[h], now_ns, out);
		}
	}
	if (r->touched_n > 0)
		r->due_ns = now_ns;
}
