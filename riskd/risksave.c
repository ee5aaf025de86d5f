#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "riskd/risk_int.h"

/* What of an instrument is durable. */
struct rec_instr {
	struct position pos;
	px_t mark;
	px_t tick;
	qty_t lot;
	qty_t min_qty;
	usd_t min_usd;
	uint64_t symbol_hash;
	int64_t end_wall_ns;
	char symbol[RISK_SYMBOL];
	int64_t window_ns;
	uint32_t fee_ppm;
	uint32_t maker_ppm;
	uint32_t px_sig;
	uint32_t cluster;
	uint16_t epoch;
	uint8_t cls;
	uint8_t state;
	uint8_t outcome;
	uint8_t fee_exponent;
	uint8_t pad[10];
};

struct rec_more {
	struct loss edge;
	uint64_t latched[VENUE_N];
	uint64_t own_n;
	usd_t fee_model;
	usd_t fee_diff;
	uint32_t ended_at;
	uint32_t pad;
};

struct rec_global {
	struct loss loss;
	struct risk_stat stat;
	uint64_t quoted_epoch;
	uint32_t recent_at;
	uint32_t slot_n;
	uint32_t kept_n;
	uint8_t reduce;
	uint8_t pad[3];
};

_Static_assert(sizeof(struct rec_global) <= RISK_REC_SZ, "record 0");
_Static_assert(sizeof(struct rec_instr) <= RISK_REC_SZ, "instrument record");
_Static_assert(sizeof(struct rec_more) <= RISK_REC_SZ, "record 1");
_Static_assert(sizeof(struct risk_kept) <= RISK_REC_SZ, "kept record");
_Static_assert(sizeof(struct risk_watch) <= RISK_REC_SZ, "watch record");
_Static_assert(RISK_RATIO_SZ % RISK_REC_SZ == 0, "whole records");
_Static_assert(sizeof(struct risk_slot) <= RISK_REC_SZ, "slot record");
_Static_assert(RISK_RECENT * 8u % RISK_REC_SZ == 0, "whole records");

#define PER_REC (RISK_REC_SZ / 8u)

uint64_t
risk_layout(void)
{
	uint64_t h = hash_u64(0, sizeof(struct rec_global));

	h = hash_u64(h, sizeof(struct rec_instr));
	h = hash_u64(h, sizeof(struct risk_slot));
	h = hash_u64(h, sizeof(struct risk_kept));
	h = hash_u64(h, sizeof(struct risk_watch));
	h = hash_u64(h, sizeof(struct rec_more));
	h = hash_u64(h, RISK_REC_N);
	h = hash_u64(h, ORDER_LEVELS);
	return hash_u64(h, 4); /* meaning: count up when a field's changes */
}

static void
save_global(const struct risk *r, void *buf)
{
	struct rec_global g;

	memset(&g, 0, sizeof(g));
	g.loss = r->loss;
	g.stat = r->stat;
	g.quoted_epoch = r->quoted_epoch;
	g.recent_at = r->recent_at;
	g.slot_n = r->slot_n;
	g.kept_n = r->kept_n;
	g.reduce = r->reduce;
	memcpy(buf, &g, sizeof(g));
}

static void
save_instr(const struct risk_instr *in, void *buf)
{
	struct rec_instr x;

	memset(&x, 0, sizeof(x));
	x.pos = in->pos;
	x.mark = in->mark;
	x.tick = in->tick;
	x.lot = in->lot;
	x.min_qty = in->min_qty;
	x.min_usd = in->min_usd;
	x.symbol_hash = in->symbol_hash;
	x.end_wall_ns = in->end_wall_ns;
	memcpy(x.symbol, in->symbol, sizeof(x.symbol));
	x.window_ns = in->window_ns;
	x.fee_ppm = in->fee_ppm;
	x.fee_exponent = in->fee_exponent;
	x.cluster = in->cluster;
	x.maker_ppm = in->maker_ppm;
	x.px_sig = in->px_sig;
	x.epoch = in->epoch;
	x.cls = in->cls;
	x.state = in->state;
	x.outcome = in->outcome;
	memcpy(buf, &x, sizeof(x));
}

static void
save_more(const struct risk *r, void *buf)
{
	struct rec_more m;

	memset(&m, 0, sizeof(m));
	m.edge = r->edge;
	memcpy(m.latched, r->latched, sizeof(m.latched));
	m.own_n = r->own_n;
	m.fee_model = r->fee_model;
	m.fee_diff = r->fee_diff;
	m.ended_at = r->ended_at;
	memcpy(buf, &m, sizeof(m));
}

/* The bytes of the ratio that a record holds. */
static size_t
ratio_part(uint32_t i, size_t *at)
{
	*at = (size_t)(i - RISK_REC_RATIO) * RISK_REC_SZ;
	if (*at >= sizeof(struct risk_ratio))
		return 0;
	return sizeof(struct risk_ratio) - *at < RISK_REC_SZ
		   ? sizeof(struct risk_ratio) - *at
		   : RISK_REC_SZ;
}

static void
save_ratio(const struct risk *r, uint32_t i, void *buf)
{
	const uint8_t *from = (const uint8_t *)&r->ratio;
	size_t at;
	size_t n = ratio_part(i, &at);

	memcpy(buf, from + at, n);
}

void
risk_save(const struct risk *r, uint32_t i, void *buf)
{
	CHECK(i < RISK_REC_N);
	memset(buf, 0, RISK_REC_SZ);
	if (i == 0)
		save_global(r, buf);
	else if (i == RISK_REC_MORE)
		save_more(r, buf);
	else if (i < RISK_REC_FILLS)
		save_ratio(r, i, buf);
	else if (i < RISK_REC_ENDED)
		memcpy(buf, &r->recent[(i - RISK_REC_FILLS) * PER_REC],
		    RISK_REC_SZ);
	else if (i < RISK_REC_INSTR)
		memcpy(buf, &r->ended[(i - RISK_REC_ENDED) * PER_REC],
		    RISK_REC_SZ);
	else if (i < RISK_REC_SLOT)
		save_instr(&r->instr[i - RISK_REC_INSTR], buf);
	else if (i < RISK_REC_KEPT)
		memcpy(
		    buf, &r->slot[i - RISK_REC_SLOT], sizeof(struct risk_slot));
	else if (i < RISK_REC_WATCH)
		memcpy(
		    buf, &r->kept[i - RISK_REC_KEPT], sizeof(struct risk_kept));
	else
		memcpy(buf, &r->watch[i - RISK_REC_WATCH],
		    sizeof(struct risk_watch));
}

static bool
load_global(struct risk *r, const void *buf)
{
	struct rec_global g;

	memcpy(&g, buf, sizeof(g));
	if (g.recent_at >= RISK_RECENT || g.slot_n > RISK_SLOTS ||
	    g.kept_n > RISK_KEPT)
		return false;
	r->loss = g.loss;
	r->stat = g.stat;
	r->quoted_epoch = g.quoted_epoch;
	r->recent_at = g.recent_at;
	r->kept_n = g.kept_n;
	r->reduce = g.reduce != 0;
	return true;
}

static bool
load_instr(struct risk_instr *in, const void *buf)
{
	struct rec_instr x;

	memcpy(&x, buf, sizeof(x));
	if (x.cls >= CLASS_N || x.state >= INSTR_STATE_N ||
	    x.outcome >= OUTCOME_N || x.mark.e8 < 0 || x.mark.e8 > PX_E8_MAX ||
	    x.pos.qty.e8 > QTY_E8_MAX || x.pos.qty.e8 < -QTY_E8_MAX)
		return false;
	in->pos = x.pos;
	in->mark = x.mark;
	in->tick = x.tick;
	in->lot = x.lot;
	in->min_qty = x.min_qty;
	in->min_usd = x.min_usd;
	in->symbol_hash = x.symbol_hash;
	in->end_wall_ns = x.end_wall_ns;
	memcpy(in->symbol, x.symbol, sizeof(x.symbol));
	in->window_ns = x.window_ns;
	in->fee_ppm = x.fee_ppm;
	in->fee_exponent = x.fee_exponent;
	in->cluster = x.cluster;
	in->maker_ppm = x.maker_ppm;
	in->px_sig = x.px_sig;
	in->epoch = x.epoch;
	in->first_epoch = x.epoch;
	in->cls = x.cls;
	in->state = x.state;
	in->outcome = x.outcome;
	return true;
}

static bool
load_slot(struct risk *r, uint32_t k, const void *buf)
{
	struct risk_slot s;

	memcpy(&s, buf, sizeof(s));
	if (s.side == 0)
		return true; /* never used */
	if (s.instr >= INSTR_N || s.side >= SIDE_N || s.level >= ORDER_LEVELS ||
	    s.n > RISK_SLOT_ORDERS)
		return false;
	r->slot[k] = s;
	return true;
}

static bool
load_kept(struct risk *r, uint32_t k, const void *buf)
{
	struct risk_kept kept;

	memcpy(&kept, buf, sizeof(kept));
	if (k >= r->kept_n)
		return true; /* placed, or never used */
	if (!risk_kept_sane(&kept))
		return false;
	r->kept[k] = kept;
	return true;
}

static bool
load_more(struct risk *r, uint32_t i, const void *buf)
{
	uint8_t *to = (uint8_t *)&r->ratio;
	struct rec_more m;
	size_t at;
	size_t n;

	if (i == RISK_REC_MORE) {
		memcpy(&m, buf, sizeof(m));
		r->edge = m.edge;
		memcpy(r->latched, m.latched, sizeof(r->latched));
		r->own_n = m.own_n;
		r->fee_model = m.fee_model;
		r->fee_diff = m.fee_diff;
		r->ended_at = m.ended_at;
		return m.ended_at < RISK_RECENT;
	}
	if (i >= RISK_REC_ENDED) {
		memcpy(&r->ended[(i - RISK_REC_ENDED) * PER_REC], buf,
		    RISK_REC_SZ);
		return true;
	}
	if (i >= RISK_REC_FILLS) {
		memcpy(&r->recent[(i - RISK_REC_FILLS) * PER_REC], buf,
		    RISK_REC_SZ);
		return true;
	}
	n = ratio_part(i, &at);
	memcpy(to + at, buf, n);
	return r->ratio.level < RATIO_LEVEL_N && r->ratio.part >= 0;
}

static bool
load_watch(struct risk *r, uint32_t i, const void *buf)
{
	struct risk_watch w;

	memcpy(&w, buf, sizeof(w));
	if (w.phase >= PHASE_N || w.run_side >= SIDE_N ||
	    w.edge.qty.e8 > QTY_E8_MAX || w.edge.qty.e8 < -QTY_E8_MAX)
		return false;
	r->watch[i] = w;
	return true;
}

bool
risk_load(struct risk *r, uint32_t i, const void *buf)
{
	CHECK(i < RISK_REC_N);
	if (i == 0)
		return load_global(r, buf);
	if (i < RISK_REC_INSTR)
		return load_more(r, i, buf);
	if (i < RISK_REC_SLOT)
		return load_instr(&r->instr[i - RISK_REC_INSTR], buf);
	if (i < RISK_REC_KEPT)
		return load_slot(r, i - RISK_REC_SLOT, buf);
	if (i < RISK_REC_WATCH)
		return load_kept(r, i - RISK_REC_KEPT, buf);
	return load_watch(r, i - RISK_REC_WATCH, buf);
}

void
risk_loaded(struct risk *r)
{
	r->slot_n = 0;
	r->open_n = 0;
	while (r->slot_n < RISK_SLOTS && r->slot[r->slot_n].side != 0) {
		const struct risk_slot *s = &r->slot[r->slot_n++];

		r->slot_of[s->instr][s->side][s->level] = (uint16_t)r->slot_n;
		r->open_n += s->n;
		if (s->n > 0)
			r->instr[s->instr].live[s->side] |= UINT32_C(1)
							    << s->level;
		if (s->instr > r->max_instr)
			r->max_instr = s->instr;
	}
	for (uint16_t i = 1; i < INSTR_N; i++) {
		if (r->instr[i].cls == 0 && r->instr[i].pos.qty.e8 == 0)
			continue;
		if (i > r->max_instr)
			r->max_instr = i;
		if (risk_has_book(&r->instr[i].pos))
			risk_held(r, i);
		if (r->instr[i].cluster != 0) {
			uint32_t cluster = r->instr[i].cluster;

			r->instr[i].cluster = 0;
			risk_group_set(r, i, cluster);
		}
		risk_refresh(r, i);
	}
	r->due_ns = 1; /* whatever came due meanwhile */
	risk_kept_total(r);
	risk_relist(r);
}

static uint64_t
hash_slot(uint64_t h, const struct risk_slot *s)
{
	h = hash_u64(
	    h, (uint64_t)s->instr << 16 | (uint64_t)s->side << 8 | s->level);
	h = hash_u64(h, s->last_id);
	h = hash_u64(h, (uint64_t)s->cum.e8);
	for (uint32_t k = 0; k < s->n; k++) {
		h = hash_u64(h, s->order[k].id);
		h = hash_u64(h, (uint64_t)s->order[k].px.e8);
		h = hash_u64(h, (uint64_t)s->order[k].qty.e8);
		h = hash_u64(h, (uint64_t)s->order[k].base.e8);
		h = hash_u64(h, (uint64_t)s->order[k].filled.e8);
	}
	return h;
}

static uint64_t
hash_instr(uint64_t h, const struct risk_instr *in)
{
	h = hash_u64(h, (uint64_t)in->pos.qty.e8);
	h = hash_u64(h, (uint64_t)in->pos.fees.e6);
	h = hash_bytes(h, &in->pos.cost_e16, sizeof(in->pos.cost_e16));
	h = hash_bytes(h, &in->pos.realised_e16, sizeof(in->pos.cost_e16));
	h = hash_u64(h, (uint64_t)in->mark.e8);
	h = hash_u64(h, (uint64_t)in->micro.e8);
	h = hash_u64(h, in->mark_gen);
	return hash_u64(h, (uint64_t)in->outcome << 32 |
			       (uint64_t)in->epoch << 16 |
			       (uint64_t)in->cls << 8 | in->state);
}

uint64_t
risk_hash(const struct risk *r)
{
	uint64_t h = hash_u64(0, r->freeze_all);

	h = hash_u64(h, (uint64_t)r->exposure.e6);
	h = hash_u64(h, (uint64_t)r->worst.e6);
	h = hash_u64(h, (uint64_t)r->unrealised.e6);
	h = hash_bytes(h, &r->loss.realised_e16, sizeof(r->loss.realised_e16));
	h = hash_u64(h, (uint64_t)r->loss.fees.e6);
	h = hash_u64(h, r->loss.latched);
	h = hash_u64(h, (uint64_t)r->loss.day);
	h = hash_u64(h, r->reduce);
	h = hash_u64(h, r->quoted_epoch);
	h = hash_u64(h, r->rate_n);
	h = hash_u64(h, r->clock.stepped);
	h = hash_bytes(h, &r->edge.realised_e16, sizeof(r->edge.realised_e16));
	h = hash_u64(h, r->edge.latched);
	h = hash_bytes(h, &r->ratio, sizeof(r->ratio));
	h = hash_u64(h, (uint64_t)r->capital.e6);
	h = hash_u64(h, r->own_n);
	for (int v = 1; v < VENUE_N; v++) {
		h = hash_u64(h, r->freeze[v]);
		h = hash_u64(h, (uint64_t)r->link[v].kill.ema_ns);
		h = hash_u64(h, r->link[v].kill.state);
		h = hash_u64(h, r->link[v].gen);
		h = hash_u64(h, (uint64_t)r->link[v].skew_ms);
		h = hash_u64(h, r->latched[v]);
	}
	for (uint32_t k = 0; k < r->slot_n; k++)
		h = hash_slot(h, &r->slot[k]);
	for (uint16_t i = 1; i < INSTR_N; i++)
		if (r->instr[i].cls != 0 || r->instr[i].pos.qty.e8 != 0)
			h = hash_bytes(hash_instr(h, &r->instr[i]),
			    &r->watch[i], sizeof(r->watch[i]));
	for (uint32_t k = 0; k < r->kept_n; k++)
		h = hash_bytes(h, &r->kept[k], sizeof(r->kept[k]));
	return h;
}
