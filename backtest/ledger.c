#include "backtest/ledger.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/fees.h"
#include "libcore/markout.h"

#define HOUR_NS	   (UINT64_C(3600) * (uint64_t)NS_PER_S)
#define LOOK_NS	   ((uint64_t)NS_PER_S)
#define WAIT_FIRST 1024u
#define OTHERS	   0u /* the market that others are put together in    */

const uint64_t ledger_horizon_ns[LEDGER_HORIZONS] = {
    UINT64_C(30) * (uint64_t)NS_PER_S, UINT64_C(120) * (uint64_t)NS_PER_S,
    UINT64_C(600) * (uint64_t)NS_PER_S};

const char *
component_name(enum component c)
{
	static const char *const names[COMP_N] = {[COMP_MAKER] = "maker",
	    [COMP_TAKER] = "taker",
	    [COMP_ARB] = "arb",
	    [COMP_SATELLITE] = "satellite"};

	CHECK(c >= COMP_MAKER);
	CHECK(c < COMP_N);
	return names[c];
}

struct ledger *
ledger_new(const struct ledger_args *a)
{
	struct ledger *l = calloc(1, sizeof(*l));
	bool ok;

	CHECK(a->bar_ns > 0);
	if (l == NULL)
		return NULL;
	l->a = *a;
	l->keep_every = 1;
	l->wait_cap = WAIT_FIRST;
	l->instr = calloc(INSTR_N, sizeof(l->instr[0]));
	l->touch = calloc(INSTR_N, sizeof(l->touch[0]));
	l->market = calloc(LEDGER_MARKETS, sizeof(l->market[0]));
	l->equity = calloc(1, sizeof(*l->equity));
	l->link = calloc(1, sizeof(*l->link));
	l->plot = calloc(LEDGER_PLOTS, sizeof(l->plot[0]));
	l->wait = calloc(WAIT_FIRST, sizeof(l->wait[0]));
	l->keep = calloc(LEDGER_FILLS, sizeof(l->keep[0]));
	ok = l->instr != NULL && l->touch != NULL && l->market != NULL &&
	     l->equity != NULL && l->link != NULL && l->plot != NULL &&
	     l->wait != NULL && l->keep != NULL;
	if (!ok) {
		ledger_free(l);
		return NULL;
	}
	series_init(l->equity, (uint64_t)NS_PER_S);
	series_init(l->link, (uint64_t)NS_PER_S);
	for (uint32_t i = 0; i < LEDGER_PLOTS; i++)
		series_init(&l->plot[i], (uint64_t)NS_PER_MS * 250);
	l->market_n = 1;
	memcpy(l->market[OTHERS].symbol, "(others)", sizeof("(others)"));
	l->last_equity = l->peak = a->capital;
	return l;
}

void
ledger_free(struct ledger *l)
{
	free(l->instr);
	free(l->touch);
	free(l->market);
	free(l->equity);
	free(l->link);
	free(l->plot);
	free(l->wait);
	free(l->keep);
	free(l);
}

/* ---- sums ---- */

qty_t
ledger_qty(const struct ledger_market *m)
{
	qty_t q = {0};

	for (int c = 1; c < COMP_N; c++)
		q.e8 += m->pos[c].qty.e8;
	return q;
}

/* Of one component: gains at the mid less fees. */
static usd_t
position_pnl(const struct position *p, px_t mid)
{
	return USD(e16_to_usd(p->realised_e16).e6 - p->fees.e6 +
		   (p->qty.e8 != 0 ? position_unrealised(p, mid).e6 : 0));
}

usd_t
ledger_market_pnl(const struct ledger_market *m)
{
	usd_t sum = USD(m->sum.rebates.e6 + m->sum.funding.e6);

	for (int c = 1; c < COMP_N; c++)
		sum.e6 += position_pnl(&m->pos[c], m->mid).e6;
	return sum;
}

usd_t
ledger_component_pnl(const struct ledger *l, enum component c)
{
	usd_t sum = l->comp_pnl_gone[c];

	for (uint32_t i = 1; i < l->market_n; i++)
		sum.e6 +=
		    position_pnl(&l->market[i].pos[c], l->market[i].mid).e6;
	sum.e6 += l->comp[c].rebates.e6 + l->comp[c].funding.e6;
	return sum;
}

usd_t
ledger_pnl(const struct ledger *l)
{
	usd_t sum = {0};

	for (int c = 1; c < COMP_N; c++)
		sum.e6 += ledger_component_pnl(l, (enum component)c).e6;
	return sum;
}

usd_t
ledger_exposure(const struct ledger *l)
{
	usd_t sum = {0};

	for (uint32_t i = 1; i < l->market_n; i++) {
		const struct ledger_market *m = &l->market[i];
		qty_t q = ledger_qty(m);

		if (q.e8 != 0)
			sum.e6 += position_value(
			    m->cls == CLASS_BINARY || m->cls == CLASS_UPDOWN,
			    q.e8, m->mid)
				      .e6;
	}
	return sum;
}

static void
add_sum(struct ledger_sum *to, const struct ledger_sum *s)
{
	to->orders += s->orders;
	to->acks += s->acks;
	to->filled += s->filled;
	to->fills += s->fills;
	to->closing += s->closing;
	to->wins += s->wins;
	to->maker_fills += s->maker_fills;
	to->volume.e6 += s->volume.e6;
	to->maker_volume.e6 += s->maker_volume.e6;
	to->fees.e6 += s->fees.e6;
	to->rebates.e6 += s->rebates.e6;
	to->rebates_max.e6 += s->rebates_max.e6;
	to->funding.e6 += s->funding.e6;
	to->settled.e6 += s->settled.e6;
	to->gross_win.e6 += s->gross_win.e6;
	to->gross_loss.e6 += s->gross_loss.e6;
	to->spread.e6 += s->spread.e6;
	to->spread_volume.e6 += s->spread_volume.e6;
	for (unsigned h = 0; h < LEDGER_HORIZONS; h++) {
		to->after[h].e6 += s->after[h].e6;
		to->after_volume[h].e6 += s->after_volume[h].e6;
		to->after_n[h] += s->after_n[h];
		to->after_good[h] += s->after_good[h];
	}
}

/* ---- markets ---- */

static uint32_t
find(const struct ledger *l, const struct instr *in)
{
	for (uint32_t i = 1; i < l->market_n; i++)
		if (l->market[i].used && l->market[i].venue == in->venue &&
		    strncmp(l->market[i].symbol, in->symbol,
			sizeof(in->symbol)) == 0)
			return i;
	return 0;
}

/* A place of a market that is over and was flat; its sums live on. */
static uint32_t
make_room(struct ledger *l)
{
	for (uint32_t i = 1; i < l->market_n; i++) {
		struct ledger_market *m = &l->market[i];
		bool flat = true;

		for (int c = 1; c < COMP_N; c++)
			flat = flat && m->pos[c].qty.e8 == 0;
		if (!flat || l->of[m->instr] == i + 1 || m->plot != 0)
			continue;
		for (int c = 1; c < COMP_N; c++)
			l->comp_pnl_gone[c].e6 +=
			    position_pnl(&m->pos[c], m->mid).e6;
		add_sum(&l->market[OTHERS].sum, &m->sum);
		for (uint64_t k = l->done[LEDGER_HORIZONS - 1]; k < l->wait_n;
		     k++)
			if (l->wait[k % l->wait_cap].market == i)
				l->wait[k % l->wait_cap].market = OTHERS;
		for (uint32_t k = 0; k < l->keep_n; k++)
			if (l->keep[k].market == i)
				l->keep[k].market = OTHERS;
		return i;
	}
	return OTHERS;
}

static struct ledger_market *
market_of(struct ledger *l, uint16_t instr)
{
	const struct instr *in = &l->instr[instr];
	struct ledger_market *m;
	uint32_t i;

	if (l->of[instr] != 0)
		return &l->market[l->of[instr] - 1];
	i = find(l, in);
	if (i == 0) {
		i = l->market_n < LEDGER_MARKETS ? l->market_n++ : make_room(l);
		CHECK(i != OTHERS);
		m = &l->market[i];
		memset(m, 0, sizeof(*m));
		m->used = true;
		memcpy(m->symbol, in->symbol, sizeof(m->symbol) - 1);
		m->venue = in->venue;
		m->cls = in->cls;
		if (l->plot_n < LEDGER_PLOTS)
			m->plot = (uint16_t)++l->plot_n;
	}
	l->market[i].instr = instr;
	if (!l->market[i].is_settled) {
		l->market[i].bid = l->touch[instr].bid;
		l->market[i].ask = l->touch[instr].ask;
		l->market[i].mid = l->touch[instr].mid;
	}
	l->market[i].fee_ppm = in->fee_ppm;
	l->market[i].rebate_ppm = in->rebate_ppm;
	l->of[instr] = (uint16_t)(i + 1);
	return &l->market[i];
}

static px_t
outcome_px(uint8_t outcome)
{
	return PX(outcome == OUTCOME_YES  ? E8
		  : outcome == OUTCOME_NO ? 0
					  : E8 / 2);
}

static void
realise(struct ledger *l, struct ledger_market *m, struct ledger_sum *comp,
    int64_t gain_e6)
{
	struct ledger_sum *to[] = {&m->sum, comp, &l->all};

	for (size_t i = 0; i < 3; i++) {
		to[i]->closing++;
		to[i]->wins += gain_e6 > 0;
		if (gain_e6 > 0)
			to[i]->gross_win.e6 += gain_e6;
		else
			to[i]->gross_loss.e6 -= gain_e6;
	}
}

static void
settle(struct ledger *l, struct ledger_market *m, uint8_t outcome)
{
	px_t px = outcome_px(outcome);

	m->is_settled = true;
	m->mid = m->bid = m->ask = px;
	for (int c = 1; c < COMP_N; c++) {
		struct position *p = &m->pos[c];
		int64_t q = p->qty.e8;
		usd_t gain;

		if (q == 0)
			continue;
		gain = e16_to_usd(position_fill(
		    p, q > 0 ? SIDE_ASK : SIDE_BID, px, QTY(q > 0 ? q : -q)));
		m->sum.settled.e6 += gain.e6;
		l->comp[c].settled.e6 += gain.e6;
		l->all.settled.e6 += gain.e6;
		realise(l, m, &l->comp[c], gain.e6);
	}
}

static void
on_instr(struct ledger *l, uint16_t idx, const struct instr *in)
{
	bool other =
	    strncmp(l->instr[idx].symbol, in->symbol, sizeof(in->symbol)) != 0;
	uint32_t i;

	if (other) {
		l->of[idx] = 0;
		l->touch[idx] = (struct ledger_touch){0};
	}
	l->instr[idx] = *in;
	i = find(l, in);
	if (i != 0 && in->state == INSTR_RESOLVED &&
	    in->outcome >= OUTCOME_YES && in->outcome < OUTCOME_N &&
	    !l->market[i].is_settled)
		settle(l, &l->market[i], in->outcome);
}

/* ---- market data ---- */

static void
plot(struct ledger *l, const struct ledger_market *m)
{
	double v[SERIES_COLS];

	if (m->plot == 0)
		return;
	v[0] = (double)m->bid.e8 / (double)E8;
	v[1] = (double)m->ask.e8 / (double)E8;
	v[2] = (double)m->rest[SIDE_BID].px.e8 / (double)E8;
	v[3] = (double)m->rest[SIDE_ASK].px.e8 / (double)E8;
	v[4] = (double)ledger_qty(m).e8 / (double)E8;
	series_add(&l->plot[m->plot - 1], l->now_ns, v);
}

static void
on_bbo(struct ledger *l, uint16_t instr, const struct tick_bbo *b)
{
	struct ledger_touch *t = &l->touch[instr];
	struct ledger_market *m;

	t->bid = b->bid_px;
	t->ask = b->ask_px;
	if (b->bid_qty.e8 > 0 && b->ask_qty.e8 > 0 &&
	    b->bid_px.e8 < b->ask_px.e8)
		t->mid = PX((b->bid_px.e8 + b->ask_px.e8) / 2);
	if (l->of[instr] == 0)
		return;
	m = &l->market[l->of[instr] - 1];
	if (m->is_settled)
		return;
	m->bid = t->bid;
	m->ask = t->ask;
	m->mid = t->mid;
	plot(l, m);
}

void
ledger_tick(struct ledger *l, enum venue v, const struct tick *t,
    const struct instr *in)
{
	uint16_t i = t->hdr.instr;
	double us[SERIES_COLS] = {0};

	CHECK(i < INSTR_N);
	if (t->hdr.kind == TICK_INSTR && in != NULL)
		on_instr(l, i, in);
	else if (t->hdr.kind == TICK_BBO)
		on_bbo(l, i, &t->u.bbo);
	else if (t->hdr.kind == TICK_REF && l->of[i] != 0) {
		l->market[l->of[i] - 1].oracle = t->u.ref.oracle_px;
		l->market[l->of[i] - 1].funding_e12 = t->u.ref.funding_e12;
	} else if (t->hdr.kind == TICK_LINK && t->u.link.conn == 0) {
		if (l->link->n > 0)
			memcpy(us, l->link->row[l->link->n - 1].v, sizeof(us));
		us[v - 1] = (double)t->u.link.rtt_us;
		series_add(l->link, l->now_ns, us);
	}
}

/* ---- fills ---- */

static enum component
component_of(const struct order *o)
{
	if (o->strategy == STRATEGY_PARITY)
		return COMP_ARB;
	if (o->strategy == STRATEGY_SATELLITE)
		return COMP_SATELLITE;
	return (o->oflags & ORDER_MAKER) != 0 ? COMP_MAKER : COMP_TAKER;
}

static void
keep_fill(struct ledger *l, const struct ledger_fill *f, uint64_t nth)
{
	if (nth % l->keep_every != 0)
		return;
	if (l->keep_n == LEDGER_FILLS) {
		for (uint32_t i = 0; i < LEDGER_FILLS / 2; i++)
			l->keep[i] = l->keep[2 * i];
		l->keep_n = LEDGER_FILLS / 2;
		l->keep_every *= 2;
		if (nth % l->keep_every != 0)
			return;
	}
	l->keep[l->keep_n++] = *f;
}

static void
wait_add(struct ledger *l, const struct ledger_fill *f)
{
	uint64_t first = l->done[LEDGER_HORIZONS - 1];

	if (l->wait_n - first == l->wait_cap) {
		uint32_t cap = 2 * l->wait_cap;
		struct ledger_fill *w = calloc(cap, sizeof(w[0]));

		CHECK(w != NULL);
		for (uint64_t k = first; k < l->wait_n; k++)
			w[k % cap] = l->wait[k % l->wait_cap];
		free(l->wait);
		l->wait = w;
		l->wait_cap = cap;
	}
	l->wait[l->wait_n++ % l->wait_cap] = *f;
}

static int64_t
usd_of(px_t px, qty_t qty)
{
	return usd_notional(px, qty).e6;
}

static void
sum_fill(struct ledger *l, struct ledger_market *m, const struct ledger_fill *f,
    bool first)
{
	struct ledger_sum *to[] = {&m->sum, &l->comp[f->component], &l->all};
	int64_t usd = usd_of(f->px, f->qty);
	int64_t edge =
	    f->mid.e8 > 0
		? usd_of(
		      markout_value((enum side)f->side, f->px, f->mid), f->qty)
		: 0;
	usd_t most = {0};
	int64_t back;

	if (f->maker && f->venue == VENUE_POLYMARKET && f->px.e8 <= E8)
		most = fee_rebate(f->px, f->qty, m->fee_ppm, m->rebate_ppm);
	back = i64_mul_div(most.e6, l->a.rebate_share_ppm, 1000000);
	for (size_t i = 0; i < 3; i++) {
		to[i]->fills++;
		to[i]->filled += first;
		to[i]->maker_fills += f->maker;
		to[i]->volume.e6 += usd;
		to[i]->fees.e6 += f->fee.e6;
		to[i]->rebates_max.e6 += most.e6;
		to[i]->rebates.e6 += back;
		if (!f->maker)
			continue;
		to[i]->maker_volume.e6 += usd;
		if (f->mid.e8 > 0) {
			to[i]->spread.e6 += edge;
			to[i]->spread_volume.e6 += usd;
		}
	}
}

static void
on_fill(struct ledger *l, struct ledger_market *m, const struct order *o)
{
	struct ledger_fill f = {.t_ns = l->now_ns,
	    .id = o->id,
	    .fill_id = o->fill_id,
	    .px = o->exec_px,
	    .qty = o->exec_qty,
	    .fee = o->usd,
	    .mid = m->mid,
	    .market = (uint16_t)(m - l->market),
	    .side = o->side,
	    .component = (uint8_t)component_of(o),
	    .maker = (o->oflags & ORDER_MAKER) != 0,
	    .strategy = o->strategy,
	    .venue = m->venue};
	struct position *p = &m->pos[f.component];
	int64_t had = p->qty.e8;

	f.realised = e16_to_usd(
	    position_fill(p, (enum side)o->side, o->exec_px, o->exec_qty));
	p->fees.e6 += o->usd.e6;
	sum_fill(l, m, &f, o->cum_qty.e8 == o->exec_qty.e8);
	if (had != 0 && (had > 0) == (o->side == SIDE_ASK))
		realise(l, m, &l->comp[f.component], f.realised.e6 - o->usd.e6);
	if (m->mid.e8 == 0)
		m->mid = o->exec_px;
	wait_add(l, &f);
	plot(l, m);
}

void
ledger_msg(struct ledger *l, const struct order *o)
{
	struct ledger_market *m;

	if (o->hdr.instr == 0 || (o->side != SIDE_BID && o->side != SIDE_ASK))
		return;
	if (o->hdr.kind != MSG_ORDER && o->hdr.kind != MSG_ACK &&
	    o->hdr.kind != MSG_FILL && o->hdr.kind != MSG_DONE)
		return;
	m = market_of(l, o->hdr.instr);
	if (o->hdr.kind == MSG_ORDER) {
		m->sum.orders++;
		l->all.orders++;
	} else if (o->hdr.kind == MSG_ACK) {
		m->sum.acks++;
		l->all.acks++;
		if (o->level == 0)
			m->rest[o->side] = (struct ledger_rest){o->id, o->px};
		plot(l, m);
	} else if (o->hdr.kind == MSG_DONE) {
		if (m->rest[o->side].id == o->id)
			m->rest[o->side] = (struct ledger_rest){0};
		plot(l, m);
	} else {
		on_fill(l, m, o);
	}
}

/* ---- time ---- */

static usd_t
equity(const struct ledger *l)
{
	return USD(l->a.capital.e6 + ledger_pnl(l).e6);
}

/* The curve, and the fall from its peak. */
static void
look(struct ledger *l, uint64_t t_ns)
{
	usd_t e = equity(l);
	double v[SERIES_COLS] = {(double)e.e6 / 1e6,
	    (double)ledger_exposure(l).e6 / 1e6, (double)l->all.fees.e6 / 1e6};
	int64_t down;

	if (e.e6 > l->peak.e6)
		l->peak = e;
	down = l->peak.e6 - e.e6;
	if (down > l->drawdown.e6)
		l->drawdown.e6 = down;
	if (l->peak.e6 > 0 &&
	    (double)down / (double)l->peak.e6 > l->drawdown_frac)
		l->drawdown_frac = (double)down / (double)l->peak.e6;
	series_add(l->equity, t_ns, v);
}

/* One return. */
static void
bar(struct ledger *l)
{
	usd_t e = equity(l);
	double ret =
	    (double)(e.e6 - l->last_equity.e6) / (double)l->a.capital.e6;
	double delta = ret - l->ret.mean;

	l->ret.n++;
	l->ret.mean += delta / (double)l->ret.n;
	l->ret.m2 += delta * (ret - l->ret.mean);
	if (ret < 0)
		l->ret.down2 += ret * ret;
	l->last_equity = e;
}

static void
fund(struct ledger *l)
{
	for (uint32_t i = 1; i < l->market_n; i++) {
		struct ledger_market *m = &l->market[i];

		if (m->cls != CLASS_PERP || m->funding_e12 == 0)
			continue;
		for (int c = 1; c < COMP_N; c++) {
			int64_t q = m->pos[c].qty.e8;
			int64_t usd = e16_to_usd(
			    e16_product(m->oracle, QTY(q > 0 ? q : -q)))
					  .e6;

			usd = i64_mul_div(
			    usd, m->funding_e12, INT64_C(1000000000000));
			if (q > 0)
				usd = -usd;
			m->sum.funding.e6 += usd;
			l->comp[c].funding.e6 += usd;
			l->all.funding.e6 += usd;
		}
	}
}

static void
mark_out(struct ledger *l, struct ledger_fill *f, unsigned h)
{
	struct ledger_market *m = &l->market[f->market];
	struct ledger_sum *to[] = {&m->sum, &l->comp[f->component], &l->all};
	int64_t usd = usd_of(f->px, f->qty);
	px_t value;

	if (f->market == OTHERS || m->mid.e8 < 0)
		return;
	f->after[h] = m->mid;
	f->after_set |= (uint8_t)(1u << h);
	value = markout_value((enum side)f->side, f->px, m->mid);
	for (size_t i = 0; i < 3 && f->maker; i++) {
		to[i]->after[h].e6 += usd_of(value, f->qty);
		to[i]->after_volume[h].e6 += usd;
		to[i]->after_n[h]++;
		to[i]->after_good[h] += value.e8 > 0;
	}
}

static void
let_go(struct ledger *l, uint64_t k)
{
	const struct ledger_fill *f = &l->wait[k % l->wait_cap];

	keep_fill(l, f, k);
	if (l->settled != NULL)
		l->settled(l->user, f);
}

static void
markouts(struct ledger *l, uint64_t now_ns)
{
	for (unsigned h = 0; h < LEDGER_HORIZONS; h++)
		while (l->done[h] < l->wait_n) {
			uint64_t k = l->done[h];
			struct ledger_fill *f = &l->wait[k % l->wait_cap];

			if (f->t_ns + ledger_horizon_ns[h] > now_ns)
				break;
			mark_out(l, f, h);
			if (h == LEDGER_HORIZONS - 1)
				let_go(l, k);
			l->done[h]++;
		}
}

void
ledger_time(struct ledger *l, uint64_t now_ns)
{
	CHECK(now_ns >= l->now_ns);
	if (l->start_ns == 0) {
		l->start_ns = now_ns;
		l->bar_end_ns = (now_ns / l->a.bar_ns + 1) * l->a.bar_ns;
		l->hour_ns = (now_ns / HOUR_NS + 1) * HOUR_NS;
	}
	if (l->done[0] < l->wait_n || l->done[1] < l->wait_n ||
	    l->done[2] < l->wait_n)
		markouts(l, now_ns);
	while (now_ns >= l->hour_ns) {
		fund(l);
		l->hour_ns += HOUR_NS;
	}
	/* Nothing moved since the last event: what it was is what it is. */
	if (now_ns >= l->look_ns) {
		look(l, l->now_ns > 0 ? l->now_ns : now_ns);
		l->look_ns = (now_ns / LOOK_NS + 1) * LOOK_NS;
	}
	while (now_ns >= l->bar_end_ns) {
		bar(l);
		l->bar_end_ns += l->a.bar_ns;
	}
	l->now_ns = now_ns;
}

void
ledger_end(struct ledger *l)
{
	look(l, l->now_ns);
	bar(l);
	for (; l->done[LEDGER_HORIZONS - 1] < l->wait_n;
	     l->done[LEDGER_HORIZONS - 1]++)
		let_go(l, l->done[LEDGER_HORIZONS - 1]);
}
