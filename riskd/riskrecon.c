/*
 * Positions against the venue's. execd says of an instrument, behind every
 * fill that it contains, what its fills come to and what the venue holds.
 *
 *  1 the first look agrees on where execd began to count: ours less its sum
 *  2 a difference counts when it is the same as at the look before, or when
 *    nothing was filled in between; else it may be one that is on its way
 *  3 less than a lot at the venue is no difference
 *  4 risk.reconcile_looks of them freeze the venue until a person thaws
 *  5 the thaw takes the venue's word (where it is silent, execd's) for ours,
 *    at the mark, and writes that into the day
 */
#include <string.h>

#include "libcore/check.h"
#include "libshm/ctl.h"
#include "riskd/risk_int.h"

static bool
in_range(qty_t q)
{
	return q.e8 <= QTY_E8_MAX && q.e8 >= -QTY_E8_MAX;
}

static bool
is_off(int64_t diff, qty_t lot)
{
	int64_t most = i64_max(lot.e8, 1);

	return diff >= most || -diff >= most;
}

static void
freeze(struct risk *r, uint16_t i, enum risk_of of, qty_t theirs)
{
	enum venue v = instr_venue(i);
	struct risk_note n = {.what = RISK_MISMATCH,
	    .instr = i,
	    .reason = REASON_RECONCILE,
	    .a = of,
	    .b = r->instr[i].pos.qty.e8,
	    .c = theirs.e8};

	if ((r->latched[v] & FREEZE_RECONCILE) == 0 ||
	    r->watch[i].bad_n[of] == (uint8_t)r->cfg.risk_reconcile_looks)
		risk_note(r, &n);
	r->latched[v] |= FREEZE_RECONCILE;
	risk_dirty(r, RISK_REC_MORE);
}

/* One word against ours. */
static void
look(struct risk *r, uint16_t i, enum risk_of of, qty_t theirs, qty_t lot)
{
	struct risk_watch *w = &r->watch[i];
	int64_t diff = theirs.e8 - r->instr[i].pos.qty.e8;
	bool quiet = w->fill_n == w->look_n;

	if (!is_off(diff, lot)) {
		w->bad_n[of] = 0;
		w->diff[of] = QTY(0);
		return;
	}
	r->stat.mismatches++;
	if (w->bad_n[of] == 0 || (!quiet && diff != w->diff[of].e8))
		w->bad_n[of] = 1;
	else if (w->bad_n[of] < UINT8_MAX)
		w->bad_n[of]++;
	w->diff[of] = QTY(diff);
	if (w->bad_n[of] >= r->cfg.risk_reconcile_looks)
		freeze(r, i, of, theirs);
}

void
risk_on_position(struct risk *r, const struct order *o)
{
	uint16_t i = o->hdr.instr;
	struct risk_instr *in = &r->instr[i];
	struct risk_watch *w = &r->watch[i];

	if (!in_range(o->qty) || !in_range(o->exec_qty) || in->cls == 0) {
		r->stat.unknown++;
		return;
	}
	/* Another market by now, or one whose outcome is booked. */
	if ((o->epoch != 0 && o->epoch != in->epoch) ||
	    in->state == INSTR_RESOLVED)
		return;
	in->final_long = o->cum_qty;
	in->final_short = QTY(o->px.e8);
	if (!w->looked) {
		w->looked = true;
		w->off = QTY(in->pos.qty.e8 - o->qty.e8);
	}
	w->count = o->qty;
	w->venue_known = o->status == 1;
	w->venue = o->exec_qty;
	look(r, i, OF_FILLS, QTY(o->qty.e8 + w->off.e8), QTY(1));
	if (w->venue_known)
		look(r, i, OF_VENUE, o->exec_qty, in->lot);
	else
		w->bad_n[OF_VENUE] = 0;
	w->look_n = w->fill_n;
	risk_dirty(r, RISK_REC_WATCH + i);
}

void
risk_on_balance(struct risk *r, const struct order *o, uint64_t now_ns)
{
	enum venue v = (enum venue)o->venue;

	CHECK(v > 0 && v < VENUE_N);
	if (o->usd.e6 < 0) {
		r->stat.unknown++;
		return;
	}
	r->balance[v].usd = o->usd;
	r->balance[v].seen_ns = now_ns;
}

static void
adopt(struct risk *r, uint16_t i, qty_t theirs)
{
	struct risk_instr *in = &r->instr[i];
	struct risk_watch *w = &r->watch[i];
	px_t mark = in->mark.e8 > 0 ? in->mark : position_avg(&in->pos);
	struct risk_note n = {.what = RISK_ADOPTED,
	    .instr = i,
	    .reason = REASON_RECONCILE,
	    .a = in->pos.qty.e8,
	    .b = theirs.e8};
	int64_t diff = theirs.e8 - in->pos.qty.e8;
	i128_t gain;

	if (diff != 0) {
		gain = risk_book(r, i, diff > 0 ? SIDE_BID : SIDE_ASK, mark,
		    QTY(diff > 0 ? diff : -diff), USD(0));
		n.c = e16_to_usd(gain).e6;
		r->loss.corrections_n++;
		r->loss.corrected.e6 += n.c;
		r->stat.corrections++;
		risk_note(r, &n);
		r->list_idx = 1; /* quoted hears of it */
	}
	w->off = QTY(theirs.e8 - w->count.e8);
	w->bad_n[OF_FILLS] = w->bad_n[OF_VENUE] = 0;
	risk_dirty(r, RISK_REC_WATCH + i);
	risk_dirty(r, 0);
}

void
risk_adopt(struct risk *r)
{
	/* What one step has no room for freezes again, for the next thaw. */
	for (uint16_t i = 1; i <= r->max_instr && r->dirty_n < RISK_DIRTY / 2;
	     i++) {
		struct risk_watch *w = &r->watch[i];
		int64_t need = r->cfg.risk_reconcile_looks;

		if (w->bad_n[OF_VENUE] >= need)
			adopt(r, i, w->venue);
		else if (w->bad_n[OF_FILLS] >= need)
			adopt(r, i,
			    w->venue_known ? w->venue
					   : QTY(w->count.e8 + w->off.e8));
	}
	for (int v = 1; v < VENUE_N; v++)
		r->latched[v] = 0;
	risk_dirty(r, RISK_REC_MORE);
}
