#include <math.h>

#include "libcore/check.h"
#include "quoted/room.h"

/* A link says how it is once a second; three in a row missed is too much. */
#define LINK_SILENT_NS (3 * NS_PER_S)

/* Oldest settlement price where the look-back is shorter, or none. */
#define SETTLE_NS (60 * NS_PER_S)

#define NO_END INT64_MAX

/* What a filter found. */
struct said {
	int64_t value;
	int64_t limit;
};

struct guard {
	enum why_id id;
	enum reason reason;
	bool unwinding; /* also for a market that is being unwound       */
	bool (*pass)(struct strat_look *l, struct said *s);
};

static bool
g_trading(struct strat_look *l, struct said *s)
{
	const struct quote *q = l->q;

	*s = (struct said){q->stopping ? 0 : q->trading, TRADING_FROZEN};
	return !q->stopping && q->trading != TRADING_FROZEN &&
	       l->m->risk_state != TRADING_FROZEN;
}

static bool
g_warmup(struct strat_look *l, struct said *s)
{
	struct quote *q = l->q;
	uint64_t run = l->ev->now_ns - q->start_ns;

	*s = (struct said){(int64_t)q->books, q->cfg.warmup_min_books};
	if (q->warm)
		return true;
	if (run < (uint64_t)q->cfg.warmup_max_s.ns &&
	    q->books < (uint64_t)q->cfg.warmup_min_books)
		return false;
	q->warm = true;
	quote_note_add(l->out,
	    &(struct quote_note){QUOTE_WARM, 0, 0, 0,
		(int64_t)(run / (uint64_t)NS_PER_MS), (int64_t)q->books});
	return true;
}

static bool
g_state(struct strat_look *l, struct said *s)
{
	const struct cfg *c = &l->q->cfg;
	const struct quote_mkt *m = l->m;
	enum instr_state state = select_state(l->q, m, l->left_ns);

	*s = (struct said){state, INSTR_WATCH};
	if (state != INSTR_NORMAL && state != INSTR_WATCH)
		return false;
	if (m->in.cls == CLASS_PERP)
		return c->perp_enabled;
	/* A window without an end, or a clock, cannot be judged. */
	if (m->in.cls == CLASS_UPDOWN && l->left_ns == NO_END)
		return false;
	return quote_is_binary(m) && c->mm_enabled;
}

static bool
g_expiry(struct strat_look *l, struct said *s)
{
	const struct cfg *c = &l->q->cfg;

	if (l->m->in.cls != CLASS_UPDOWN)
		return true;
	*s = (struct said){l->left_ns, i64_max(c->updown_min_time_to_expiry.ns,
					   c->updown_stop_quote_s.ns)};
	return s->value >= s->limit;
}

static bool
g_expiry_max(struct strat_look *l, struct said *s)
{
	if (l->m->in.cls != CLASS_UPDOWN)
		return true;
	*s = (struct said){l->left_ns, l->q->cfg.updown_max_time_to_expiry.ns};
	return s->value <= s->limit;
}

static bool
g_rrs(struct strat_look *l, struct said *s)
{
	if (!quote_is_binary(l->m))
		return true;
	*s = (struct said){
	    llround(l->m->rrs * 1e8), l->q->cfg.rrs_veto_maker.e8};
	return s->value <= s->limit;
}

static bool
g_link(struct strat_look *l, struct said *s)
{
	const struct quote_link *k = &l->q->link[l->m->in.venue];

	*s = (struct said){(int64_t)(l->ev->now_ns - k->seen_ns),
	    k->state == LINK_READY ? LINK_SILENT_NS : 0};
	return s->value < s->limit;
}

/* When the price that settles a market came last. An average that is not
 * streamed is made of the spot prices. What was sent again is no news. */
static uint64_t
settled_ns(const struct quote *q, const struct quote_mkt *m)
{
	const struct quote_mkt *x = &q->mkt[m->in.settle_index];
	uint32_t s = m->in.settle_source;
	uint64_t ns = 0;

	if (s > 0 && s < REF_SOURCE_N)
		ns = x->ref_ns[s];
	if (s == REF_TWAP && x->ref_ns[REF_SPOT] > ns)
		ns = x->ref_ns[REF_SPOT];
	return ns;
}

static int64_t
settle_most_ns(const struct quote_mkt *m)
{
	return i64_max(m->in.settle_lookback_s * NS_PER_S, SETTLE_NS);
}

static bool
has_settlement(const struct quote_mkt *m)
{
	return m->in.cls == CLASS_UPDOWN && m->in.settle_index != 0 &&
	       m->in.settle_index < INSTR_N;
}

double
quote_settle_widen(
    const struct quote *q, const struct quote_mkt *m, uint64_t now_ns)
{
	if (!has_settlement(m) ||
	    now_ns - settled_ns(q, m) <= (uint64_t)settle_most_ns(m) / 2)
		return 1.0;
	return (double)q->cfg.updown_stale_widen.e8 / 1e8;
}

/* What the price of a market is of, in the unit of its strike: the price that
 * settles it, or the reference as long as there is none. 0: not known. */
static double
reference(const struct quote *q, const struct quote_mkt *m)
{
	const struct quote_mkt *u = &q->mkt[m->in.underlying];

	if (m->in.settle_index != 0 && m->in.settle_index < INSTR_N &&
	    q->mkt[m->in.settle_index].ref_px.e8 > 0)
		return (double)q->mkt[m->in.settle_index].ref_px.e8;
	return u->valid && u->bid_qty.e8 > 0 && u->ask_qty.e8 > 0
		   ? (double)(u->bid_px.e8 / 2 + u->ask_px.e8 / 2)
		   : 0;
}

/* A strike of our own may be off by a little: no quotes where a little
 * decides (T-02). Without a reference or its volatility that is not known. */
static bool
near_strike(const struct strat_look *l)
{
	const struct quote_mkt *m = l->m;
	double sigmas = (double)l->q->cfg.updown_strike_guard_sigma.e8 / 1e8;
	double left_s = (double)l->left_ns / 1e9;
	double px;
	double var;

	if (m->in.strike_source != STRIKE_PROVISIONAL || !(sigmas > 0.0))
		return false;
	if (m->in.strike_px.e8 <= 0)
		return true;
	px = reference(l->q, m);
	if (px <= 0 || left_s <= 0 ||
	    !signal_vol(&l->q->sig, m->in.underlying, &var))
		return true;
	return fabs(log(px / (double)m->in.strike_px.e8)) <=
	       sigmas * sqrt(var * left_s);
}

static bool
g_strike(struct strat_look *l, struct said *s)
{
	const struct quote_mkt *m = l->m;

	if (m->in.cls != CLASS_UPDOWN)
		return true;
	*s = (struct said){m->in.strike_source, STRIKE_OFFICIAL};
	return m->in.strike_source != STRIKE_CONFLICT && !near_strike(l);
}

/* The price that decides must not be older than its look-back (T-03). */
static bool
g_settle(struct strat_look *l, struct said *s)
{
	if (!has_settlement(l->m))
		return true;
	*s = (struct said){(int64_t)(l->ev->now_ns - settled_ns(l->q, l->m)),
	    settle_most_ns(l->m)};
	return s->value <= s->limit;
}

static bool
g_book(struct strat_look *l, struct said *s)
{
	*s = (struct said){l->m->valid, 1};
	return l->m->valid;
}

static bool
g_stale(struct strat_look *l, struct said *s)
{
	const struct cfg *c = &l->q->cfg;

	if (!quote_is_binary(l->m) ||
	    c->qs_staleness_clock == CFG_STALENESS_LINK)
		return true;
	*s = (struct said){(int64_t)(l->ev->now_ns - l->m->recv_ns),
	    c->system_mode == MODE_LIVE ? c->qs_book_staleness_s_prod.ns
					: c->qs_book_staleness_s_paper.ns};
	return s->value <= s->limit;
}

static bool
g_two_sided(struct strat_look *l, struct said *s)
{
	*s =
	    (struct said){(l->m->bid_qty.e8 != 0) + (l->m->ask_qty.e8 != 0), 2};
	return s->value == 2;
}

static bool
g_spread(struct strat_look *l, struct said *s)
{
	const struct quote_mkt *m = l->m;

	*s = (struct said){
	    m->ask_px.e8 - m->bid_px.e8, l->q->cfg.mm_max_spread.e8};
	if (!quote_is_binary(m) || s->value <= s->limit)
		return true;
	if (m->said != REASON_GAPPED)
		quote_note_add(l->out, &(struct quote_note){QUOTE_GAPPED,
					   l->instr, 0, 0, s->value, 0});
	return false;
}

static bool
g_crossed(struct strat_look *l, struct said *s)
{
	*s = (struct said){l->m->ask_px.e8 - l->m->bid_px.e8, 0};
	return s->value > 0;
}

static bool
g_paused(struct strat_look *l, struct said *s)
{
	*s = (struct said){
	    i64_max(0, (int64_t)(l->m->pause_ns - l->ev->now_ns)), 0};
	return l->ev->now_ns >= l->m->pause_ns;
}

/* |micro - mid| / mid over the threshold, and by enough ticks. */
static bool
g_jump(struct strat_look *l, struct said *s)
{
	const struct cfg *c = &l->q->cfg;
	struct quote_mkt *m = l->m;
	int64_t mid = (m->bid_px.e8 + m->ask_px.e8) / 2;
	int64_t micro = quote_micro(l->q, m).e8;
	int64_t off = micro > mid ? micro - mid : mid - micro;
	int64_t ticks = i64_mul_div(
	    m->in.tick_px.e8, c->micro_price_divergence_min_ticks.e8, E8);

	*s = (struct said){
	    off, i64_mul_div(mid, c->micro_price_divergence_threshold.e8, E8)};
	if (off <= s->limit || (ticks > 0 && off <= ticks))
		return true;
	m->pause_ns = l->ev->now_ns + (uint64_t)c->micro_price_pause_s.ns;
	quote_note_add(
	    l->out, &(struct quote_note){QUOTE_JUMP, l->instr, 0, 0,
			i64_mul_div(off, E8, mid), c->micro_price_pause_s.ns});
	return false;
}

static bool
g_liquidity(struct strat_look *l, struct said *s)
{
	*s =
	    (struct said){l->m->in.liquidity.e6, l->q->cfg.qs_min_liquidity.e6};
	return l->m->in.cls != CLASS_BINARY || s->value == 0 ||
	       s->value >= s->limit;
}

static bool
g_toxic(struct strat_look *l, struct said *s)
{
	*s = (struct said){l->m->risk_reason == REASON_TOXIC, 0};
	return s->value == 0;
}

static bool
g_cluster(struct strat_look *l, struct said *s)
{
	if (!quote_is_binary(l->m) || l->m->position.e8 != 0)
		return true;
	*s = (struct said){select_cluster_usd(l->q, l->m).e6,
	    i64_mul_div(
		l->q->capital.e6, l->q->cfg.risk_cluster_exposure_frac.e8, E8)};
	return s->value < s->limit;
}

static bool
g_selected(struct strat_look *l, struct said *s)
{
	*s = (struct said){l->m->sel.rank, l->q->cfg.qs_active_quote_count};
	return !quote_is_binary(l->m) || select_place(l->q, l->m);
}

/* In the order of why.def. */
static const struct guard guards[] = {
    {WHY_TRADING, REASON_FROZEN, true, g_trading},
    {WHY_WARMUP, REASON_WARMUP, false, g_warmup},
    {WHY_STATE, REASON_STATE, false, g_state},
    {WHY_EXPIRY, REASON_STATE, false, g_expiry},
    {WHY_EXPIRY_MAX, REASON_STATE, false, g_expiry_max},
    {WHY_RRS, REASON_RRS, false, g_rrs},
    {WHY_LINK, REASON_FEED_STALE, true, g_link},
    {WHY_STRIKE, REASON_STRIKE, false, g_strike},
    {WHY_SETTLE, REASON_SETTLE_STALE, false, g_settle},
    {WHY_BOOK, REASON_NO_BOOK, true, g_book},
    {WHY_STALE, REASON_FEED_STALE, false, g_stale},
    {WHY_TWO_SIDED, REASON_ONE_SIDED, true, g_two_sided},
    {WHY_SPREAD, REASON_GAPPED, false, g_spread},
    {WHY_CROSSED, REASON_CROSSED, true, g_crossed},
    {WHY_PAUSED, REASON_PAUSED, false, g_paused},
    {WHY_JUMP, REASON_PRICE_JUMP, false, g_jump},
    {WHY_LIQUIDITY, REASON_LIQUIDITY, false, g_liquidity},
    {WHY_TOXIC, REASON_TOXIC, false, g_toxic},
    {WHY_CLUSTER, REASON_CLUSTER, false, g_cluster},
    {WHY_SELECTED, REASON_NOT_SELECTED, false, g_selected},
};

#define GUARDS (sizeof(guards) / sizeof(guards[0]))

enum reason
quote_guard(struct strat_look *l, enum why_id *stop)
{
	for (size_t i = 0; i < GUARDS; i++) {
		const struct guard *g = &guards[i];
		struct said s = {0, 0};
		bool pass;

		if (l->unwinding && !g->unwinding)
			continue;
		pass = g->pass(l, &s);
		if (!why_both(&l->why, g->id, s.value, s.limit, pass)) {
			*stop = g->id;
			return g->reason;
		}
	}
	*stop = WHY_N;
	return REASON_OK;
}

bool
quote_guard_take(const struct strat_look *l)
{
	const struct quote *q = l->q;
	const struct quote_mkt *m = l->m;
	const struct quote_link *k = &q->link[m->in.venue];

	return !q->stopping && q->trading == TRADING_RUN && q->warm &&
	       (m->risk_state == 0 || m->risk_state == TRADING_RUN) &&
	       m->valid && k->state == LINK_READY &&
	       (int64_t)(l->ev->now_ns - k->seen_ns) < LINK_SILENT_NS &&
	       (m->in.state == INSTR_NORMAL || m->in.state == INSTR_WATCH);
}
