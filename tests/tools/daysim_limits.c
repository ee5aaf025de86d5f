/*
 * What we have, by the venues' books; and what riskd lets pass, added up
 * without riskd's own sums: fills as they are told to it, and every order that
 * it passed and nobody has ended counted as filled.
 */
#include <string.h>

#include "libcore/check.h"
#include "tests/tools/daysim_int.h"

#define PPM INT64_C(1000000)

/* A cap may be passed by this much: a mark has moved between riskd's step and
 * ours, or a lot was rounded. */
#define SLACK_E6 INT64_C(10000)

static int64_t
value(const struct ledger *l, int64_t q)
{
	px_t px = q > 0 ? l->mid : PX(E8 - l->mid.e8);

	return usd_notional(px, QTY(q > 0 ? q : -q)).e6;
}

static int64_t
worst(const struct ledger *l, bool is_perp)
{
	int64_t most = 0;

	for (uint32_t s = 0; s < 2; s++) {
		int64_t q = l->pos_e8;

		for (uint32_t k = 0; k < ORDER_LEVELS; k++)
			q += s == 0 ? l->slot[s][k].qty_e8
				    : -l->slot[s][k].qty_e8;
		if (is_perp && q < 0)
			q = -q;
		most = i64_max(most, value(l, q));
	}
	return most;
}

void
day_mid(struct day *d, uint16_t instr, const struct tick_bbo *b)
{
	if (b->bid_px.e8 > 0 && b->ask_px.e8 > b->bid_px.e8)
		d->ledger[instr].mid = PX((b->bid_px.e8 + b->ask_px.e8) / 2);
}

/* The venue has paid out: nothing is held or rests there any more. */
void
day_settled(struct day *d, uint16_t instr)
{
	memset(&d->ledger[instr], 0, sizeof(d->ledger[instr]));
}

bool
day_holds(const struct day *d)
{
	for (uint16_t i = 0; i < INSTR_N; i++)
		if (d->ledger[i].pos_e8 != 0)
			return true;
	return false;
}

static bool
is_used(const struct ledger *l)
{
	return l->mid.e8 > 0;
}

static void
look(struct day *d, uint16_t instr)
{
	const struct cfg *c = d->a.cfg;
	int64_t capital = c->capital_usd.e6;
	int64_t most =
	    i64_mul_div(capital, c->risk_market_exposure_frac.e8, E8);
	int64_t all = i64_mul_div(capital, c->risk_total_exposure_frac.e8, E8);
	int64_t one = worst(&d->ledger[instr], instr >= INSTR_HL_BASE);
	int64_t sum = 0;

	for (uint16_t i = 0; i < INSTR_N; i++)
		if (is_used(&d->ledger[i]))
			sum += worst(&d->ledger[i], i >= INSTR_HL_BASE);
	d->r.market_ppm = i64_max(d->r.market_ppm, i64_mul_div(one, PPM, most));
	d->r.total_ppm = i64_max(d->r.total_ppm, i64_mul_div(sum, PPM, all));
	d->r.breaches += one > most + SLACK_E6 || sum > all + SLACK_E6;
}

/* A mark that moved may have passed a cap: what counts is an order that makes
 * its market's worst side worse. */
static void
on_order(struct day *d, const struct order *o)
{
	struct ledger *l = &d->ledger[o->hdr.instr];
	struct passed *p = &l->slot[o->side - 1][o->level];
	bool is_perp = o->hdr.instr >= INSTR_HL_BASE;
	int64_t before = worst(l, is_perp);

	*p = (struct passed){o->id, o->qty.e8, o->strategy};
	if (worst(l, is_perp) > before)
		look(d, o->hdr.instr);
}

void
day_msg(void *user, enum ring_id ring, const struct order *o, uint64_t now_ns)
{
	struct day *d = user;
	struct ledger *l = &d->ledger[o->hdr.instr];
	struct passed *p;

	if (o->side != SIDE_BID && o->side != SIDE_ASK)
		return;
	p = &l->slot[o->side - 1][o->level % ORDER_LEVELS];
	if (o->hdr.kind == MSG_ORDER) {
		on_order(d, o);
		return;
	}
	if (topo_rings[ring].reader != ST_RISKD)
		return;
	if (o->hdr.kind == MSG_FILL) {
		d->fill_ns = now_ns;
		l->pos_e8 +=
		    o->side == SIDE_BID ? o->exec_qty.e8 : -o->exec_qty.e8;
		if (p->id == o->id)
			p->qty_e8 = i64_max(0, p->qty_e8 - o->exec_qty.e8);
	}
	if ((o->hdr.kind == MSG_DONE || o->hdr.kind == MSG_REJECT) &&
	    p->id == o->id)
		p->qty_e8 = 0;
}

void
day_risk(void *user, const struct risk *r, const struct core_out *out,
    uint64_t now_ns)
{
	struct day *d = user;
	int64_t pnl = risk_pnl(r).e6;

	(void)out;
	if (now_ns == d->start_ns + DAYSIM_HOURS * 3600 * SECOND)
		return; /* the next day */
	d->r.risk_e6 = pnl;
	d->r.low_e6 = i64_min(d->r.low_e6, pnl);
	d->r.loss_ppm = i64_mul_div(
	    -d->r.low_e6, PPM, d->a.cfg->mm_global_daily_loss_limit.e6);
}

int64_t
day_equity(const struct day *d, int64_t *pm_e6)
{
	const struct pmx_account *a = &d->pmx->account[d->pm_me];
	int64_t usd = a->usd.own + a->usd.in - a->usd.out;

	for (uint16_t i = 0; i < PMX_MARKETS; i++) {
		px_t mid = d->ledger[day_pm_idx(i)].mid;

		if (d->window[i].phase == RESOLVED || d->window[i].phase == 0)
			continue;
		if (d->window[i].phase == ENDED)
			mid = d->window[i].in.outcome == OUTCOME_YES ? PX(E8)
								     : PX(0);
		for (uint32_t k = 0; k < 2; k++) {
			const struct pmx_hold *h = &a->token[i][k];
			int64_t q = h->own + h->in - h->out;

			usd +=
			    usd_notional(k == 0 ? mid : PX(E8 - mid.e8), QTY(q))
				.e6;
		}
	}
	*pm_e6 = usd - d->pm_put_e6;
	return *pm_e6 + hlx_value(d->hlx, d->hl_me).e6 - d->hl_put_e6;
}
