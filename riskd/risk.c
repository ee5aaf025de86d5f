#include "riskd/risk.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "libshm/ctl.h"
#include "riskd/risk_int.h"

void
risk_init(struct risk *r, const struct cfg *cfg, uint64_t epoch)
{
	memset(r, 0, sizeof(*r));
	r->cfg = *cfg;
	r->epoch = epoch;
	for (int v = 1; v < VENUE_N; v++) {
		kill_init(&r->link[v].kill);
		kill_cfg_from(&r->kill_cfg[v], cfg, (enum venue)v);
		r->link[v].gen = 1;
		r->world.room[v] = true;
	}
	if (!cfg_timezone_s(cfg->risk_timezone.s, &r->east_s))
		r->east_s = 0;
	r->list_idx = 1;
	risk_markout_configure(r);
	risk_capital(r, 0);
	risk_freezes(r, 0);
}

usd_t
risk_pnl(const struct risk *r)
{
	return loss_pnl(&r->loss, r->unrealised);
}

static void
verdict(const struct order *in, enum reason why, qty_t qty, uint64_t now_ns,
    struct core_out *out)
{
	struct order *o = core_out_add(out, RG_VERDICT);

	*o = *in;
	o->hdr.kind = MSG_VERDICT;
	o->hdr.flags = 0;
	o->hdr.seq = 0;
	o->qty = qty;
	o->reason = (uint16_t)why;
	o->risk_delta = slot_delta(in->hdr.recv_ns, now_ns);
}

static void
pass(struct risk *r, const struct order *in, const struct risk_try *t,
    uint64_t now_ns, struct core_out *out)
{
	struct risk_slot *s = risk_slot_new(r, t->instr, t->side, t->level);
	struct risk_order ro = {.id = in->id,
	    .px = t->px,
	    .qty = t->qty,
	    .strategy = t->strategy,
	    .takes = t->takes};
	struct order *o;

	CHECK(s != 0);
	CHECK(t->qty.e8 > 0 && t->qty.e8 <= in->qty.e8);
	ro.base = s->cum;
	risk_order_add(r, s, &ro);
	s->last_id = in->id;
	risk_rate_count(r, t->instr, now_ns);
	risk_refresh(r, t->instr);
	o = core_out_add(out, risk_order_ring(t->instr));
	*o = *in;
	o->hdr.kind = MSG_ORDER;
	o->hdr.flags = 0;
	o->hdr.seq = 0;
	o->venue = (uint8_t)instr_venue(t->instr);
	o->qty = t->qty;
	o->cum_qty = s->cum;
	o->reason = REASON_OK;
	o->risk_delta = slot_delta(in->hdr.recv_ns, now_ns);
	r->stat.passed++;
	r->stat.shrunk += t->qty.e8 < in->qty.e8;
}

/* One verdict for every intent, whatever it says. */
static void
on_intent(struct risk *r, const struct order *in, uint64_t now_ns,
    struct core_out *out)
{
	uint16_t i = in->hdr.instr;
	bool ok = (in->side == SIDE_BID || in->side == SIDE_ASK) &&
		  in->level < ORDER_LEVELS && in->qty.e8 >= 0 &&
		  (instr_venue(i) == VENUE_POLYMARKET ||
		      instr_venue(i) == VENUE_HYPERLIQUID);
	struct risk_try t = {.instr = i,
	    .side = in->side,
	    .level = in->level,
	    .strategy = in->strategy,
	    .takes = (in->oflags & ORDER_POST_ONLY) == 0,
	    .px = in->px,
	    .qty = in->qty};
	enum reason why = ok ? REASON_OK : REASON_BAD_SLOT;
	struct risk_slot *s = 0;

	if (ok) {
		s = risk_slot_at(r, i, in->side, in->level);
		if (in->qty.e8 != 0)
			why = risk_judge(r, in, now_ns, &t);
	}
	if (ok && in->qty.e8 != 0 && why == REASON_OK) {
		pass(r, in, &t, now_ns, out);
		verdict(in, why, t.qty, now_ns, out);
		return;
	}
	if (in->qty.e8 != 0)
		r->stat.refused++;
	verdict(in, why, QTY(0), now_ns, out);
	if (s == 0 || why == REASON_DUPLICATE || why == REASON_STALE_INTENT)
		return;
	if (in->id > s->last_id) {
		s->last_id = in->id;
		risk_dirty_slot(r, s);
	}
	risk_cancel(s, in, in->id, now_ns, out);
}

/* An order of ours that is over: its fills may still come. */
static bool
has_ended(const struct risk *r, uint64_t id)
{
	for (uint32_t k = 0; k < RISK_RECENT; k++)
		if (r->ended[k] == id)
			return id != 0;
	return false;
}

static bool
seen_fill(const struct risk *r, uint64_t fill_id)
{
	for (uint32_t k = 0; k < RISK_RECENT; k++)
		if (r->recent[k] == fill_id)
			return true;
	return false;
}

static void
on_fill(struct risk *r, const struct order *f, uint64_t now_ns,
    struct core_out *out)
{
	struct risk_slot *s = risk_slot_new(r, f->hdr.instr, f->side, f->level);
	struct risk_order *o = s != 0 ? risk_order_find(s, f->id) : 0;
	bool back = (f->oflags & ORDER_REVERSED) != 0;

	if (f->exec_qty.e8 <= 0 || f->exec_qty.e8 > QTY_E8_MAX ||
	    f->exec_px.e8 < 0 || f->exec_px.e8 > PX_E8_MAX) {
		r->stat.unknown++;
		return;
	}
	if (o != 0 ? f->cum_qty.e8 <= o->filled.e8 : seen_fill(r, f->fill_id)) {
		r->stat.fill_dups++;
		return;
	}
	if (back) {
		s = 0; /* execd's count of the slot stays, and so does ours */
	} else if (o != 0) {
		o->filled = f->cum_qty;
	} else if (!has_ended(r, f->id)) {
		r->stat.adopted++;
		r->reduce = true;
	}
	if (s != 0) {
		s->cum.e8 += f->exec_qty.e8;
		risk_dirty_slot(r, s);
	}
	r->recent[r->recent_at] = f->fill_id;
	risk_dirty(r, RISK_REC_FILLS + r->recent_at * 8u / RISK_REC_SZ);
	r->recent_at = (r->recent_at + 1) % RISK_RECENT;
	r->stat.fills++;
	r->stat.reversed += back;
	if (risk_late_fill(r, f->hdr.instr, f, now_ns))
		return;
	risk_book_fill(r, f->hdr.instr, f, now_ns);
	risk_tell(r, f->hdr.instr, 0, now_ns, out);
}

static void
on_ack(struct risk *r, const struct order *a, uint64_t now_ns)
{
	struct risk_slot *s = risk_slot_at(r, a->hdr.instr, a->side, a->level);
	struct risk_order *o = s != 0 ? risk_order_find(s, a->id) : 0;
	enum venue v = instr_venue(a->hdr.instr);

	/* What may take can be held back by the venue before it matches. */
	if (a->ack_delta > a->send_delta && a->send_delta > 0 &&
	    (a->oflags & ORDER_POST_ONLY) != 0)
		kill_ack(&r->link[v].kill, &r->kill_cfg[v],
		    (int64_t)a->ack_delta - a->send_delta,
		    risk_is_busy(r, now_ns));
	if (o == 0 || a->qty.e8 <= 0 || a->qty.e8 > QTY_E8_MAX) {
		r->stat.unknown++;
		return;
	}
	/* What rests now: px may be further out, qty less than passed. */
	o->px = a->px;
	o->qty = a->qty;
	o->base = s->cum;
	risk_dirty_slot(r, s);
	risk_refresh(r, s->instr);
}

static void
on_gone(struct risk *r, const struct order *d)
{
	struct risk_slot *s = risk_slot_at(r, d->hdr.instr, d->side, d->level);

	if (s == 0 || risk_order_find(s, d->id) == 0) {
		r->stat.unknown++;
		return;
	}
	risk_order_drop(r, s, d->id);
	if (d->level == ORDER_EXIT_LEVEL && d->reason == REASON_TOO_SMALL)
		risk_exit_small(r, d->hdr.instr);
	r->ended[r->ended_at] = d->id;
	risk_dirty(r, RISK_REC_ENDED + r->ended_at * 8u / RISK_REC_SZ);
	r->ended_at = (r->ended_at + 1) % RISK_RECENT;
	risk_dirty(r, RISK_REC_MORE);
}

/* From execd. The slot is range-checked, for it may be anybody's. */
static void
on_report(struct risk *r, const struct event *ev, struct core_out *out)
{
	const struct order *o = &ev->slot->order;
	enum venue v =
	    (enum venue)topo_stages[topo_rings[ev->ring].writer].venue;

	if (o->hdr.kind == MSG_RESTART)
		return; /* its orders outlive it */
	if (o->hdr.kind == MSG_BALANCE && o->venue == v) {
		risk_on_balance(r, o, ev->now_ns);
		return;
	}
	if (o->hdr.kind == MSG_POSITION && instr_venue(o->hdr.instr) == v) {
		risk_on_position(r, o);
		return;
	}
	if (instr_venue(o->hdr.instr) != v || o->level >= ORDER_LEVELS ||
	    (o->side != SIDE_BID && o->side != SIDE_ASK)) {
		r->stat.unknown++;
		return;
	}
	if (o->hdr.kind == MSG_FILL)
		on_fill(r, o, ev->now_ns, out);
	else if (o->hdr.kind == MSG_ACK)
		on_ack(r, o, ev->now_ns);
	else if (o->hdr.kind == MSG_DONE || o->hdr.kind == MSG_REJECT)
		on_gone(r, o);
	else
		r->stat.unknown++;
}

/* A new quoted knows nothing of what its predecessor wanted. */
static void
on_quoted(struct risk *r, const struct event *ev, struct core_out *out)
{
	const struct order *o = &ev->slot->order;

	if (o->hdr.kind == MSG_INTENT) {
		on_intent(r, o, ev->now_ns, out);
	} else if (o->hdr.kind == MSG_RESTART) {
		r->quoted_epoch = o->id >> 40;
		r->wipe_idx = 1;
		risk_dirty(r, 0);
		risk_relist(r);
	} else {
		r->stat.unknown++;
	}
}

void
risk_relist(struct risk *r)
{
	r->list_idx = 1;
	r->told = 0;
}

void
risk_lost(struct risk *r, const struct order *o)
{
	on_gone(r, o);
}

/* Trading state as quoted sees it: frozen when nothing may trade. */
static enum trading_state
trading_state(const struct risk *r, enum reason *why)
{
	bool pm = r->cfg.polymarket_enabled;
	bool hl = r->cfg.hyperliquid_enabled;
	uint64_t a = risk_mask(r, VENUE_POLYMARKET);
	uint64_t b = risk_mask(r, VENUE_HYPERLIQUID);

	*why = REASON_OK;
	if ((!pm || a != 0) && (!hl || b != 0)) {
		*why = pm ? freeze_reason(a) : freeze_reason(b);
		return TRADING_FROZEN;
	}
	if (r->reduce) {
		*why = REASON_UNKNOWN_ORDER;
		return TRADING_REDUCE;
	}
	if (r->ratio.level == RATIO_PAUSE)
		*why = REASON_MAKER_RATIO; /* the maker adds nothing */
	return TRADING_RUN;
}

static void
tell_state(struct risk *r, uint64_t now_ns, struct core_out *out)
{
	enum reason why;
	enum trading_state st = trading_state(r, &why);
	struct order *o;

	if (st == r->told && (uint16_t)why == r->told_reason &&
	    r->capital.e6 == r->told_capital.e6)
		return;
	r->told_capital = r->capital;
	r->told = (uint8_t)st;
	r->told_reason = (uint16_t)why;
	o = core_out_add(out, RG_VERDICT);
	o->hdr.kind = MSG_STATE;
	o->hdr.recv_ns = now_ns;
	o->status = (uint8_t)st;
	o->reason = (uint16_t)why;
	o->usd = risk_pnl(r);
	o->fill_id = (uint64_t)r->capital.e6;
}

/* execd sleeps: something in its ring makes it look at the freeze words. */
static void
wake_execd(struct risk *r, uint64_t now_ns, struct core_out *out)
{
	static const enum ring_id ring[VENUE_N] = {
	    [VENUE_POLYMARKET] = RG_CANCEL_PM,
	    [VENUE_HYPERLIQUID] = RG_CANCEL_HL};

	for (int v = 1; v < VENUE_N; v++) {
		uint64_t mask = r->freeze_all | r->freeze[v];
		struct order *o;

		if (v == VENUE_BINANCE || mask == r->told_mask[v])
			continue;
		r->told_mask[v] = mask;
		o = core_out_add(out, ring[v]);
		o->hdr.kind = MSG_STATE;
		o->hdr.recv_ns = now_ns;
		o->venue = (uint8_t)v;
		o->status = mask != 0 ? TRADING_FROZEN : TRADING_RUN;
		o->reason = mask != 0 ? (uint16_t)freeze_reason(mask)
				      : (uint16_t)REASON_OK;
	}
}

/* The next page of withdrawals and of what quoted is told. */
static void
sweep(struct risk *r, uint64_t now_ns, struct core_out *out)
{
	uint32_t said = 0;

	while (r->wipe_idx != 0 && said < RISK_SWEEP) {
		const struct risk_slot *s = &r->slot[r->wipe_idx - 1];

		if (r->wipe_idx > r->slot_n) {
			r->wipe_idx = 0;
			break;
		}
		r->wipe_idx++;
		if (s->n == 0)
			continue;
		risk_cancel(s, 0, s->last_id, now_ns, out);
		said++;
	}
	while (r->list_idx != 0 && said < RISK_SWEEP) {
		if (r->list_idx > r->max_instr) {
			r->list_idx = 0;
			break;
		}
		if (r->instr[r->list_idx].pos.qty.e8 != 0 ||
		    r->instr[r->list_idx].told != 0) {
			risk_tell(r, r->list_idx, 0, now_ns, out);
			said++;
		}
		r->list_idx++;
	}
}

/* After whatever happened: the day, the latch, the freezes, what to say. */
static void
settle_step(struct risk *r, uint64_t now_ns, struct core_out *out)
{
	uint64_t was = r->freeze_all;
	uint64_t wake;

	risk_capital(r, now_ns);
	risk_freezes(r, now_ns);
	if (r->freeze_all != was)
		risk_dirty(r, 0);
	wake_execd(r, now_ns, out);
	risk_look_due(r, now_ns, out);
	tell_state(r, now_ns, out);
	sweep(r, now_ns, out);
	wake = risk_link_wake(r, now_ns);
	if (r->due_ns != 0 && (wake == 0 || r->due_ns < wake))
		wake = i64_max((int64_t)r->due_ns, (int64_t)now_ns);
	out->wake_ns = r->wipe_idx != 0 || r->list_idx != 0 ? now_ns : wake;
}

static void
configure(struct risk *r, const struct cfg *c)
{
	r->cfg = *c;
	for (int v = 1; v < VENUE_N; v++)
		kill_cfg_from(&r->kill_cfg[v], c, (enum venue)v);
	if (!cfg_timezone_s(c->risk_timezone.s, &r->east_s))
		r->east_s = 0;
	risk_markout_configure(r);
	for (uint16_t i = 1; i <= r->max_instr; i++)
		if (r->instr[i].cls != 0)
			risk_refresh(r, i);
	risk_kept_total(r);
}

/* A market that ends, or hands its slot on, changes what quoted holds. */
static void
on_tick(struct risk *r, const struct event *ev, struct core_out *out)
{
	uint16_t i = ev->slot->hdr.instr;
	int64_t was = r->instr[i].pos.qty.e8;

	risk_on_tick(r, ev);
	if (r->instr[i].pos.qty.e8 != was)
		risk_tell(r, i, 0, ev->now_ns, out);
}

static void
on_slot(struct risk *r, const struct event *ev, struct core_out *out)
{
	CHECK(ev->slot != 0);
	CHECK(ev->ring < RG_N);
	CHECK(ev->slot->hdr.instr < INSTR_N);
	if (slot_is_tick(ev->slot->hdr.kind))
		on_tick(r, ev, out);
	else if (ev->ring == RG_INTENT)
		on_quoted(r, ev, out);
	else
		on_report(r, ev, out);
}

void
risk_step(struct risk *r, const struct event *ev, struct core_out *out)
{
	usd_t ended;
	int64_t day_ns;

	CHECK(ev->kind >= EV_SLOT);
	CHECK(ev->kind < EVENT_KIND_N);
	core_out_reset(out);
	wallclock_event(&r->clock, ev->now_ns, ev->wall_ns,
	    r->cfg.risk_clock_skew_max.ns, r->cfg.risk_clock_settle.ns);
	day_ns = wallclock_day_ns(&r->clock, ev->now_ns);
	r->wall_ns = day_ns;
	if (day_ns > 0) {
		int64_t day = loss_day(day_ns, r->east_s);

		if (loss_roll(&r->loss, day, &ended))
			risk_dirty(r, 0);
		if (loss_roll(&r->edge, day, &ended))
			risk_dirty(r, RISK_REC_MORE);
	}
	risk_ratio_tick(r);
	switch (ev->kind) {
	case EV_SLOT: on_slot(r, ev, out); break;
	case EV_TIMER: break;
	case EV_CFG: configure(r, ev->cfg); break;
	case EV_STOP: r->stopping = true; break;
	case EVENT_KIND_N: CHECK(!"an event");
	}
	if (loss_check(&r->loss, r->unrealised,
		r->cfg.mm_global_daily_loss_limit, ev->wall_ns))
		risk_dirty(r, 0);
	if (loss_drawdown(&r->loss, r->unrealised, r->capital,
		r->cfg.risk_drawdown_frac.e8, ev->wall_ns))
		risk_dirty(r, 0);
	risk_edge_check(r, ev->wall_ns);
	settle_step(r, ev->now_ns, out);
}

void
risk_world_set(struct risk *r, const struct risk_world *w, uint64_t now_ns,
    struct core_out *out)
{
	core_out_reset(out);
	r->world = *w;
	settle_step(r, now_ns, out);
}

void
risk_thaw(struct risk *r, uint64_t now_ns, struct core_out *out)
{
	core_out_reset(out);
	risk_adopt(r);
	loss_thaw(&r->loss, r->unrealised);
	loss_thaw(&r->edge, r->edge_unrealised);
	r->reduce = false;
	risk_dirty(r, 0);
	settle_step(r, now_ns, out);
}
