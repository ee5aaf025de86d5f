/*
 * The exchanges as a port of order management: acts become orders of ours
 * there, what happens to them becomes events. An order's name at the venue
 * holds the act's id, slot and instrument.
 */
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "tests/tools/daysim_int.h"

/* What a name says. */
struct name {
	uint64_t id;
	uint32_t slot;
	uint16_t instr;
	uint8_t side;
	uint8_t pad;
};
_Static_assert(sizeof(struct name) == 16, "fits into both names");

static void
put(struct day *d, struct ways *w, struct way *x)
{
	uint64_t way_ns = (uint64_t)d->a.cfg->exec_paper_latency.ns;

	x->due_ns = d->now_ns + way_ns + (day_is_spike(d) ? SPIKE_NS : 0);
	if (x->due_ns < w->due_ns)
		x->due_ns = w->due_ns;
	w->due_ns = x->due_ns;
	w->way[w->tail++ % WAY_N] = *x;
	CHECK(w->tail - w->head <= WAY_N);
}

void
day_act(void *user, enum venue v, const struct port_act *a, uint64_t now_ns)
{
	struct day *d = user;
	struct way x = {.venue = v, .act = *a};

	(void)now_ns;
	put(d, &d->there, &x);
}

static void
answer(struct day *d, enum venue v, const struct port_event *ev)
{
	struct way x = {.venue = v, .ev = *ev};

	x.ev.venue_ns = (int64_t)d->now_ns;
	put(d, &d->back, &x);
}

static void
say(struct day *d, enum venue v, const struct name *n, enum port_ev what,
    enum reason why, qty_t left)
{
	struct port_event ev = {.what = what,
	    .slot = n->slot,
	    .id = n->id,
	    .instr = n->instr,
	    .side = n->side,
	    .reason = why,
	    .qty = left};

	answer(d, v, &ev);
}

static void
say_fill(struct day *d, enum venue v, const struct name *n,
    const struct port_event *fill)
{
	struct port_event ev = *fill;

	ev.what = PORT_FILLED;
	ev.slot = n->slot;
	ev.id = n->id;
	ev.instr = n->instr;
	ev.side = n->side;
	d->r.fills++;
	d->r.taken += !ev.is_maker;
	d->r.volume_e6 += usd_notional(ev.px, ev.qty).e6;
	answer(d, v, &ev);
}

static struct name
name_of(const struct port_act *a)
{
	return (struct name){a->id, a->slot, a->instr, a->side, 0};
}

/* ---- Polymarket ---- */

static struct pmx_id
pm_id(const struct name *n)
{
	struct pmx_id id;
	uint64_t h = hash_u64(HASH_SEED, n->id);

	memset(&id, 0, sizeof(id));
	memcpy(id.b, &h, sizeof(h));
	memcpy(id.b + 8, n, sizeof(*n));
	return id;
}

static struct name
pm_name(const struct pmx_order *o)
{
	struct name n;

	memcpy(&n, o->id.b + 8, sizeof(n));
	return n;
}

void
day_pm_order(
    void *user, const struct pmx *x, uint32_t order, enum pmx_order_event what)
{
	const struct pmx_order *o = &x->order[order];
	struct name n = pm_name(o);
	struct day *d = user;

	if (o->account != d->pm_me || what == PMX_UPDATE)
		return;
	if (what == PMX_CANCELLATION)
		say(d, VENUE_POLYMARKET, &n, PORT_CANCELLED, REASON_OK, QTY(0));
	else
		say(d, VENUE_POLYMARKET, &n,
		    o->state == PMX_DELAYED ? PORT_DELAYED : PORT_ACKED,
		    REASON_OK, pmx_left(o));
}

/* One side of a leg, when it is ours. */
static void
pm_leg(struct day *d, const struct pmx_trade *t, uint32_t i, bool maker)
{
	const struct pmx_leg *l = &t->leg[i];
	uint32_t order = maker ? l->order : t->taker;
	const struct pmx_order *rests = &d->pmx->order[l->order];
	const struct pmx_order *o = &d->pmx->order[order];
	struct name n = pm_name(o);
	struct port_event ev = {.is_maker = maker,
	    .px = frame_px(l->px, (enum token_role)rests->role),
	    .qty = l->qty,
	    .usd = maker ? USD(0) : l->fee,
	    .fill_id = (t->id << 8) + 2 * i + maker + 1};

	if (o->account == d->pm_me)
		say_fill(d, VENUE_POLYMARKET, &n, &ev);
}

void
day_pm_trade(void *user, const struct pmx *x, uint32_t trade)
{
	const struct pmx_trade *t = &x->trade[trade];
	struct day *d = user;

	/* Told again as it settles. */
	if (t->status != PMX_TRADE_MATCHED)
		return;
	for (uint32_t i = 0; i < t->leg_n; i++) {
		pm_leg(d, t, i, true);
		pm_leg(d, t, i, false);
	}
}

static bool
is_now(const struct port_act *a)
{
	return a->tif == TIF_IOC || a->tif == TIF_FOK;
}

/* A bid buys YES, an ask buys NO; what takes at once sells what is held. */
static bool
pm_order(const struct day *d, const struct port_act *a, struct pmx_new *n)
{
	enum token_role buys = a->side == SIDE_BID ? ROLE_YES : ROLE_NO;
	enum token_role other = buys == ROLE_YES ? ROLE_NO : ROLE_YES;
	int64_t s2 = a->qty.e8 / (E8 / 100);
	int64_t p4;

	n->account = d->pm_me;
	n->market = (uint16_t)(a->instr - PM_FIRST);
	n->post_only = (a->oflags & ORDER_POST_ONLY) != 0;
	n->type = a->tif == TIF_IOC   ? PMX_FAK
		  : a->tif == TIF_FOK ? PMX_FOK
				      : PMX_GTC;
	n->role = is_now(a) ? other : buys;
	n->side = is_now(a) ? SIDE_ASK : SIDE_BID;
	p4 = frame_tok_px(a->px, n->role).tok_e8 / 10000;
	n->give_e6 = is_now(a) ? s2 * 10000 : s2 * p4;
	n->get_e6 = is_now(a) ? s2 * p4 : s2 * 10000;
	return !is_now(a) ||
	       pmx_free_token(d->pmx, d->pm_me, n->market, other) >= a->qty.e8;
}

static enum reason
pm_reason(enum pmx_error e)
{
	if (e == PMX_ERR_CROSSES)
		return REASON_POST_ONLY;
	if (e == PMX_ERR_BALANCE)
		return REASON_BALANCE;
	return e == PMX_ERR_FAK || e == PMX_ERR_FOK ? REASON_NOT_FILLED
						    : REASON_VENUE;
}

static void
pm_place(struct day *d, const struct port_act *a)
{
	struct name n = name_of(a);
	struct pmx_new o = {.id = pm_id(&n)};
	enum pmx_error e = PMX_ERR_BALANCE;
	uint32_t order;

	if (pm_order(d, a, &o))
		e = pmx_place(d->pmx, &o, d->now_ns, &order);
	if (e != PMX_OK)
		say(d, VENUE_POLYMARKET, &n, PORT_REJECTED, pm_reason(e),
		    QTY(0));
	else if (d->pmx->order[order].state == PMX_DELAYED)
		day_pm_order(d, d->pmx, order, PMX_PLACEMENT);
}

static void
pm_do(struct day *d, const struct port_act *a)
{
	struct name n = name_of(a);
	struct pmx_id id = pm_id(&n);
	uint32_t o;

	if (a->what == PORT_PLACE) {
		pm_place(d, a);
		return;
	}
	o = pmx_find(d->pmx, &id);
	if (a->what == PORT_REDUCE) {
		say(d, VENUE_POLYMARKET, &n, PORT_NOT_CANCELLED, REASON_OK,
		    QTY(0));
	} else if (a->what == PORT_CANCEL) {
		if (o != PMX_NONE && pmx_cancel(d->pmx, d->pm_me, o,
					 d->now_ns) == PMX_CANCEL_DELAYED)
			say(d, VENUE_POLYMARKET, &n, PORT_NOT_CANCELLED,
			    REASON_OK, QTY(0));
	} else if (o == PMX_NONE) {
		say(d, VENUE_POLYMARKET, &n, PORT_GONE, REASON_OK, QTY(0));
	} else {
		const struct pmx_order *x = &d->pmx->order[o];

		if (x->state != PMX_MATCHED)
			day_pm_order(d, d->pmx, o,
			    pmx_is_open(x) ? PMX_PLACEMENT : PMX_CANCELLATION);
	}
}

/* ---- Hyperliquid ---- */

static struct name
hl_name(const uint8_t cloid[16])
{
	struct name n;

	memcpy(&n, cloid, sizeof(n));
	return n;
}

void
day_hl_order(void *user, const struct hlx *x, uint32_t order)
{
	const struct hlx_order *o = &x->order[order];
	struct name n = hl_name(o->cloid);
	struct day *d = user;

	if (o->account != d->hl_me)
		return;
	/* Told before it matches; what takes at once never rests. */
	if (o->status == HLX_OPEN && o->tif != HLX_IOC)
		say(d, VENUE_HYPERLIQUID, &n, PORT_ACKED, REASON_OK, o->left);
	else if (o->status == HLX_REJECTED)
		say(d, VENUE_HYPERLIQUID, &n, PORT_REJECTED,
		    o->why == HLX_ERR_POST_ONLY ? REASON_POST_ONLY
		    : o->why == HLX_ERR_IOC	? REASON_NOT_FILLED
						: REASON_VENUE,
		    QTY(0));
	else if (o->status != HLX_OPEN && o->status != HLX_FILLED)
		say(d, VENUE_HYPERLIQUID, &n, PORT_CANCELLED, REASON_OK,
		    QTY(0));
}

void
day_hl_fill(void *user, const struct hlx *x, const struct hlx_fill *f)
{
	struct name n = hl_name(f->cloid);
	struct day *d = user;
	struct port_event ev = {.is_maker = !f->crossed,
	    .px = f->px,
	    .qty = f->qty,
	    .usd = f->fee,
	    .fill_id = (f->tid << 1) + 1};

	(void)x;
	if (f->account == d->hl_me)
		say_fill(d, VENUE_HYPERLIQUID, &n, &ev);
}

static void
hl_place(struct day *d, const struct port_act *a)
{
	struct name n = name_of(a);
	struct hlx_new o = {.account = d->hl_me,
	    .side = (enum side)a->side,
	    .px = a->px,
	    .qty = a->qty,
	    .tif = is_now(a)				? HLX_IOC
		   : (a->oflags & ORDER_POST_ONLY) != 0 ? HLX_ALO
							: HLX_GTC,
	    .reduce_only = (a->oflags & ORDER_REDUCE_ONLY) != 0,
	    .has_cloid = true};
	struct hlx_result r;

	memcpy(o.cloid, &n, sizeof(n));
	hlx_place(d->hlx, &o, d->now_ns, &r);
}

static void
hl_do(struct day *d, const struct port_act *a)
{
	struct name n = name_of(a);
	uint8_t cloid[16];
	uint32_t o;

	if (a->what == PORT_PLACE) {
		hl_place(d, a);
		return;
	}
	memcpy(cloid, &n, sizeof(n));
	o = hlx_find_cloid(d->hlx, d->hl_me, cloid);
	if (a->what == PORT_REDUCE)
		say(d, VENUE_HYPERLIQUID, &n, PORT_NOT_CANCELLED, REASON_OK,
		    QTY(0));
	else if (a->what == PORT_CANCEL && o != HLX_NONE)
		(void)hlx_cancel(d->hlx, d->hl_me, o, d->now_ns);
	else if (a->what == PORT_ASK && o == HLX_NONE)
		say(d, VENUE_HYPERLIQUID, &n, PORT_GONE, REASON_OK, QTY(0));
	else if (a->what == PORT_ASK)
		day_hl_order(d, d->hlx, o);
}

/* ---- the way ---- */

void
day_arrive(struct day *d)
{
	while (d->there.head != d->there.tail) {
		struct way x = d->there.way[d->there.head % WAY_N];

		if (x.due_ns > d->now_ns)
			return;
		d->there.head++;
		if (x.venue == VENUE_POLYMARKET)
			pm_do(d, &x.act);
		else
			hl_do(d, &x.act);
	}
}

void
day_answer(struct day *d)
{
	while (d->back.head != d->back.tail) {
		struct way x = d->back.way[d->back.head % WAY_N];

		if (x.due_ns > d->now_ns)
			return;
		d->back.head++;
		engine_port(d->engine, x.venue, &x.ev, d->now_ns);
	}
}
