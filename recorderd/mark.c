#include "recorderd/mark.h"

#include <string.h>

#include "libcore/check.h"

void
mark_configure(struct mark *m, const struct cfg *cfg)
{
	m->cfg =
	    (struct markout_cfg){.horizon_ns = {(uint64_t)cfg->markout_first.ns,
				     (uint64_t)cfg->markout_second.ns,
				     (uint64_t)cfg->markout_third.ns},
		.late_ns = (uint64_t)cfg->markout_late.ns,
		.memory_ns = (uint64_t)cfg->markout_memory.ns,
		.last_n = (uint32_t)cfg->markout_last_fills,
		.min_n = (uint32_t)cfg->markout_min_fills,
		.toxic = PX(-cfg->markout_toxic_loss.e8)};
}

void
mark_init(struct mark *m, const struct cfg *cfg)
{
	memset(m, 0, sizeof(*m));
	mark_configure(m, cfg);
}

/* Is it among the last fills already? */
static bool
is_known(const struct mark *m, uint64_t fill_id)
{
	uint64_t n = m->fill_n < MARK_FILLS ? m->fill_n : MARK_FILLS;

	for (uint64_t i = 0; i < n; i++)
		if (m->fill[i].fill_id == fill_id)
			return true;
	return false;
}

static void
on_fill(struct mark *m, const struct order *o)
{
	uint16_t instr = o->hdr.instr;

	if (instr >= INSTR_N || (o->oflags & ORDER_REVERSED) != 0 ||
	    (o->side != SIDE_BID && o->side != SIDE_ASK) ||
	    is_known(m, o->fill_id))
		return;
	if (m->of[instr] == 0) {
		if (m->used_n == MARK_INSTRS) {
			m->full_n++;
			return;
		}
		m->of[instr] = (uint16_t)++m->used_n;
		markout_init(&m->m[m->used_n - 1]);
	}
	uint64_t at = m->fill_n++;

	m->fill[at % MARK_FILLS] = (struct mark_fill){.fill_id = o->fill_id,
	    .instr = instr,
	    .strategy = o->strategy,
	    .maker = (o->oflags & ORDER_MAKER) != 0,
	    .venue = o->venue};
	markout_add(
	    &m->m[m->of[instr] - 1], &(struct markout_fill){.ns = m->now_ns,
					 .px = o->exec_px,
					 .qty = o->exec_qty,
					 .id = at,
					 .side = o->side});
}

static void
say(const struct mark *m, const struct markout_result *r, uint16_t instr,
    struct tick *t)
{
	const struct mark_fill *f = &m->fill[r->fill.id % MARK_FILLS];
	/* Pushed out by later fills of other instruments: only its id. */
	bool known = m->fill_n - r->fill.id <= MARK_FILLS;

	memset(t, 0, sizeof(*t));
	t->hdr.kind = TAP_MARKOUT;
	t->hdr.instr = instr;
	t->hdr.recv_ns = m->now_ns;
	t->u.markout = (struct tick_markout){.fill_id = known ? f->fill_id : 0,
	    .fill_px = r->fill.px,
	    .mid = r->mid,
	    .horizon_s =
		(uint32_t)(m->cfg.horizon_ns[r->horizon] / (uint64_t)NS_PER_S),
	    .side = (uint8_t)r->fill.side,
	    .strategy = known ? f->strategy : 0,
	    .maker = known && f->maker,
	    .venue = known ? f->venue : 0};
}

static uint32_t
on_bbo(struct mark *m, const struct tick *t, struct tick out[MARK_OUT_MAX])
{
	struct markout_result due[MARKOUT_DUE];
	uint16_t instr = t->hdr.instr;
	int64_t bid = t->u.bbo.bid_px.e8;
	int64_t ask = t->u.bbo.ask_px.e8;

	if (instr >= INSTR_N || m->of[instr] == 0 || bid <= 0 || ask <= bid)
		return 0;
	uint32_t n = markout_mid(&m->m[m->of[instr] - 1], &m->cfg, m->now_ns,
	    PX(bid + (ask - bid) / 2), due);

	for (uint32_t i = 0; i < n; i++)
		say(m, &due[i], instr, &out[i]);
	return n;
}

uint32_t
mark_step(struct mark *m, const union tap *s, struct tick out[MARK_OUT_MAX])
{
	uint64_t at = s->hdr.recv_ns + s->hdr.pub_delta;

	if (s->hdr.kind != MSG_FILL && s->hdr.kind != TICK_BBO)
		return 0;
	if (at > m->now_ns)
		m->now_ns = at;
	if (s->hdr.kind == TICK_BBO)
		return m->used_n > 0 ? on_bbo(m, &s->tick, out) : 0;
	on_fill(m, &s->order);
	return 0;
}
