/*
 * Fills that come after their market has lost its slot of the table.
 *
 * A fill carries the epoch that its instrument had when the order was wished.
 * A slot keeps the epoch from which on its market has it, and the market
 * before: a fill of that one goes to where its position is. Nobody knows any
 * more what an older one means.
 */
#include <string.h>

#include "libcore/check.h"
#include "riskd/risk_int.h"

/* Epochs wrap: a is before b. */
static bool
before(uint16_t a, uint16_t b)
{
	return (uint16_t)(a - b) > UINT16_MAX / 2;
}

void
risk_late_note(struct risk *r, uint16_t i, const struct instr *in)
{
	struct risk_instr *m = &r->instr[i];
	struct risk_before *b = &r->before[i];

	if (m->symbol_hash != 0) {
		memcpy(b->symbol, m->symbol, sizeof(b->symbol));
		b->end_wall_ns = m->end_wall_ns;
		b->epoch = m->first_epoch;
		b->cls = m->cls;
		b->known = true;
	}
	m->first_epoch = in->epoch;
}

/* 1 another slot that has the market now, by its symbol */
static bool
to_slot(struct risk *r, uint16_t i, const struct order *o, uint64_t now_ns)
{
	const struct risk_before *b = &r->before[i];

	for (uint16_t k = 1; k < INSTR_N; k++)
		if (k != i && r->instr[k].symbol_hash != 0 &&
		    instr_venue(k) == instr_venue(i) &&
		    memcmp(r->instr[k].symbol, b->symbol, RISK_SYMBOL) == 0) {
			risk_book_fill(r, k, o, now_ns);
			r->list_idx = 1; /* quoted hears of it */
			return true;
		}
	return false;
}

/* 2 what waits for its outcome without a slot; a new entry if it was flat */
static bool
to_kept(struct risk *r, uint16_t i, const struct order *o)
{
	const struct risk_before *b = &r->before[i];
	struct risk_kept *k = NULL;

	for (uint32_t n = 0; n < r->kept_n && k == NULL; n++)
		if (r->kept[n].venue == instr_venue(i) &&
		    memcmp(r->kept[n].symbol, b->symbol, RISK_SYMBOL) == 0)
			k = &r->kept[n];
	if (k == NULL && r->kept_n < RISK_KEPT) {
		k = &r->kept[r->kept_n++];
		memset(k, 0, sizeof(*k));
		memcpy(k->symbol, b->symbol, sizeof(k->symbol));
		k->end_wall_ns = b->end_wall_ns;
		k->venue = (uint8_t)instr_venue(i);
		k->cls = b->cls;
		k->mark = o->exec_px;
	}
	if (k == NULL)
		return false;
	k->pos.fees.e6 += o->usd.e6;
	if (risk_is_edge(o->strategy)) {
		k->edge.fees.e6 += o->usd.e6;
		loss_book(&r->edge,
		    position_fill(
			&k->edge, (enum side)o->side, o->exec_px, o->exec_qty),
		    o->usd);
		risk_dirty(r, RISK_REC_MORE);
	}
	loss_book(&r->loss,
	    position_fill(&k->pos, (enum side)o->side, o->exec_px, o->exec_qty),
	    o->usd);
	risk_dirty(r, RISK_REC_KEPT + (uint32_t)(k - r->kept));
	risk_dirty(r, 0);
	risk_kept_total(r);
	return true;
}

bool
risk_late_fill(
    struct risk *r, uint16_t i, const struct order *o, uint64_t now_ns)
{
	const struct risk_instr *m = &r->instr[i];
	const struct risk_before *b = &r->before[i];

	CHECK(i < INSTR_N);
	CHECK(o->exec_qty.e8 > 0);
	if (o->epoch == 0 || m->epoch == 0 || !before(o->epoch, m->first_epoch))
		return false;
	if (b->known && !before(o->epoch, b->epoch) &&
	    (to_slot(r, i, o, now_ns) || to_kept(r, i, o))) {
		r->stat.late++;
		return true;
	}
	r->stat.lost++;
	r->reduce = true;
	return true;
}
