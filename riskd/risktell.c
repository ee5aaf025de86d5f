#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "riskd/risk_int.h"

enum ring_id
risk_order_ring(uint16_t instr)
{
	return instr_venue(instr) == VENUE_HYPERLIQUID ? RG_ORDER_HL
						       : RG_ORDER_PM;
}

static enum ring_id
cancel_ring(uint16_t instr)
{
	return instr_venue(instr) == VENUE_HYPERLIQUID ? RG_CANCEL_HL
						       : RG_CANCEL_PM;
}

void
risk_note(struct risk *r, const struct risk_note *n)
{
	CHECK(n->what > 0 && n->what < RISK_WHAT_N);
	if (r->note_n < RISK_NOTES)
		r->note[r->note_n++] = *n;
}

void
risk_cancel(const struct risk_slot *s, const struct order *cause, uint64_t id,
    uint64_t now_ns, struct core_out *out)
{
	struct order *o = core_out_add(out, cancel_ring(s->instr));

	if (cause != 0)
		*o = *cause;
	o->hdr.kind = MSG_CANCEL;
	o->hdr.flags = 0;
	o->hdr.seq = 0;
	o->hdr.instr = s->instr;
	o->hdr.recv_ns = cause != 0 ? cause->hdr.recv_ns : now_ns;
	o->id = id;
	o->px = PX(0);
	o->qty = QTY(0);
	o->venue = (uint8_t)instr_venue(s->instr);
	o->side = s->side;
	o->level = s->level;
	o->risk_delta = slot_delta(o->hdr.recv_ns, now_ns);
}

void
risk_withdraw(struct risk *r, uint16_t i, uint8_t side, uint64_t now_ns,
    struct core_out *out)
{
	for (uint8_t sd = SIDE_BID; sd <= SIDE_ASK; sd++) {
		if (side != 0 && side != sd)
			continue;
		for (uint8_t k = 0; k < ORDER_EXIT_LEVEL; k++) {
			const struct risk_slot *s = risk_slot_at(r, i, sd, k);

			if (s != 0 && s->n > 0)
				risk_cancel(s, 0, s->last_id, now_ns, out);
		}
	}
}

/* What quoted is to know of a market beyond its position. */
struct say {
	enum trading_state status;
	enum reason why;
	int64_t gamma_e8;
	int64_t size_e8;
	int64_t spread_e8;
	uint64_t until_ns;
};

static void
say_breakers(const struct risk *r, const struct risk_watch *w, uint64_t now_ns,
    struct say *s)
{
	const struct cfg *c = &r->cfg;

	if (w->losing_n >= c->losing_fills_widen_n) {
		s->why = REASON_LOSING_FILLS;
		s->spread_e8 = c->losing_fills_spread_mult.e8;
		s->size_e8 = c->losing_fills_size_mult.e8;
	}
	if (w->flow_until_ns > now_ns) {
		s->why = REASON_TOXIC_FLOW;
		s->gamma_e8 = c->toxic_flow_gamma_mult.e8;
		s->size_e8 = i64_min(s->size_e8, c->toxic_flow_size_mult.e8);
		s->until_ns = w->flow_until_ns;
	}
}

static void
say_of(const struct risk *r, uint16_t i, uint64_t now_ns, struct say *s)
{
	const struct risk_watch *w = &r->watch[i];
	enum reason pause = risk_paused(r, i, now_ns);

	*s = (struct say){.status = TRADING_RUN,
	    .why = REASON_OK,
	    .gamma_e8 = E8,
	    .size_e8 = E8,
	    .spread_e8 = E8};
	say_breakers(r, w, now_ns, s);
	if (w->toxic_until_ns > now_ns) {
		s->status = TRADING_REDUCE;
		s->why = REASON_TOXIC;
		s->until_ns = 0;
	}
	if (w->phase == PHASE_UNWIND) {
		s->status = TRADING_REDUCE;
		s->why = (enum reason)w->why;
		s->until_ns = 0;
	}
	if (pause != REASON_OK) {
		s->status = TRADING_FROZEN;
		s->why = pause;
		s->until_ns = w->phase == PHASE_EXIT ? 0 : w->pause_until_ns;
	}
}

static uint64_t
hash_say(const struct say *s)
{
	uint64_t h = hash_u64(0, (uint64_t)s->status << 16 | (uint64_t)s->why);

	h = hash_u64(h, (uint64_t)s->gamma_e8);
	h = hash_u64(h, (uint64_t)s->size_e8);
	h = hash_u64(h, (uint64_t)s->spread_e8);
	return hash_u64(h, s->until_ns);
}

static int64_t
factor(int64_t e8)
{
	return e8 == E8 ? 0 : e8;
}

void
risk_tell(struct risk *r, uint16_t i, const struct markout_result *of,
    uint64_t now_ns, struct core_out *out)
{
	struct order *o = core_out_add(out, RG_VERDICT);
	struct say s;

	say_of(r, i, now_ns, &s);
	r->instr[i].told = hash_say(&s);
	o->hdr.kind = MSG_STATE;
	o->hdr.instr = i;
	o->hdr.recv_ns = now_ns;
	o->venue = (uint8_t)instr_venue(i);
	o->status = (uint8_t)s.status;
	o->reason = (uint16_t)s.why;
	o->qty = r->instr[i].pos.qty;
	o->px = position_avg(&r->instr[i].pos);
	o->usd = risk_pnl(r);
	o->exec_px = PX(factor(s.gamma_e8));
	o->exec_qty = QTY(factor(s.size_e8));
	o->cum_qty = QTY(factor(s.spread_e8));
	if (s.until_ns > now_ns)
		o->life_ms = (uint32_t)i64_min(UINT32_MAX,
		    (int64_t)((s.until_ns - now_ns) / (uint64_t)NS_PER_MS + 1));
	if (of == 0)
		return;
	o->quote_delta = (uint32_t)i64_min(UINT32_MAX,
	    (int64_t)r->markout_cfg.horizon_ns[of->horizon] / NS_PER_MS);
	o->fill_id = of->fill.id;
	o->id = (uint64_t)of->value.e8;
}

void
risk_tell_new(struct risk *r, uint16_t i, uint64_t now_ns, struct core_out *out)
{
	struct say s;
	uint64_t h;

	say_of(r, i, now_ns, &s);
	h = hash_say(&s);
	if (r->instr[i].told == h ||
	    (r->instr[i].told == 0 && s.why == REASON_OK))
		return;
	risk_tell(r, i, 0, now_ns, out);
}
