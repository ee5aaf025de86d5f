#include "quoted/quote.h"

#include <math.h>

#include "libcore/check.h"

/* A link says how it is once a second; three in a row missed is too much. */
#define LINK_SILENT_NS (3 * (uint64_t)NS_PER_S)

/* Oldest settlement price where the look-back is shorter, or none. */
#define SETTLE_NS (60 * NS_PER_S)

static bool
binary(const struct quote_mkt *m)
{
	return m->in.cls == CLASS_BINARY || m->in.cls == CLASS_UPDOWN;
}

static bool
warming(struct quote *q, const struct event *ev, struct quote_out *out)
{
	uint64_t run = ev->now_ns - q->start_ns;

	if (q->warm)
		return false;
	if (run < (uint64_t)q->cfg.warmup_max_s.ns &&
	    q->books < (uint64_t)q->cfg.warmup_min_books)
		return true;
	q->warm = true;
	quote_note_add(
	    out, &(struct quote_note){QUOTE_WARM, 0, 0, 0,
		     (int64_t)(run / (uint64_t)NS_PER_MS), (int64_t)q->books});
	return false;
}

/* Time left by the venue's own clock, as far as its data has told it. */
static enum reason
life(const struct quote *q, const struct quote_mkt *m)
{
	const struct cfg *c = &q->cfg;
	int64_t left = m->in.end_wall_ns - m->venue_ns;

	if (m->in.state != INSTR_NORMAL && m->in.state != INSTR_WATCH)
		return REASON_STATE;
	if (m->in.cls == CLASS_PERP)
		return c->perp_enabled ? REASON_OK : REASON_STATE;
	if (!binary(m) || !c->mm_enabled)
		return REASON_STATE;
	if (m->in.end_wall_ns == 0 || m->venue_ns == 0)
		return m->in.cls == CLASS_UPDOWN ? REASON_STATE : REASON_OK;
	if (m->in.cls == CLASS_BINARY)
		return left < c->state_close_window_threshold_hours.ns
			   ? REASON_STATE
			   : REASON_OK;
	if (left < c->updown_min_time_to_expiry.ns ||
	    left < c->updown_stop_quote_s.ns ||
	    left > c->updown_max_time_to_expiry.ns)
		return REASON_STATE;
	return REASON_OK;
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

static uint64_t
settle_most_ns(const struct quote_mkt *m)
{
	return (uint64_t)i64_max(m->in.settle_lookback_s * NS_PER_S, SETTLE_NS);
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
	    now_ns - settled_ns(q, m) <= settle_most_ns(m) / 2)
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
near_strike(const struct quote *q, const struct quote_mkt *m)
{
	const struct cfg *c = &q->cfg;
	struct vol_cfg vc = {
	    .sample_ns = (uint64_t)c->vol_sample.ns,
	    .halflife_ns = (uint64_t)c->vol_ema_halflife.ns,
	    .window_ns = (uint64_t)c->vol_baseline_window.ns,
	    .min_n = (uint64_t)c->vol_min_samples,
	};
	double sigmas = (double)c->updown_strike_guard_sigma.e8 / 1e8;
	double left_s = (double)(m->in.end_wall_ns - m->venue_ns) / 1e9;
	double px;
	double var;

	if (m->in.strike_source != STRIKE_PROVISIONAL ||
	    c->updown_strike_guard_sigma.e8 == 0)
		return false;
	if (m->in.underlying == 0 || m->in.underlying >= INSTR_N ||
	    m->in.strike_px.e8 <= 0)
		return true;
	px = reference(q, m);
	if (px <= 0 || left_s <= 0 ||
	    !vol_current(&q->mkt[m->in.underlying].vol, &vc, &var))
		return true;
	return fabs(log(px / (double)m->in.strike_px.e8)) <=
	       sigmas * sqrt(var * left_s);
}

/* The price that decides: both its strike and what it is now must be known
 * from one source (T-02), and not older than its look-back (T-03). */
static enum reason
settlement(const struct quote *q, const struct quote_mkt *m, uint64_t now_ns)
{
	if (m->in.cls != CLASS_UPDOWN)
		return REASON_OK;
	if (m->in.strike_source == STRIKE_CONFLICT || near_strike(q, m))
		return REASON_STRIKE;
	if (!has_settlement(m))
		return REASON_OK; /* nothing to be late */
	return now_ns - settled_ns(q, m) > settle_most_ns(m)
		   ? REASON_SETTLE_STALE
		   : REASON_OK;
}

static bool
link_ok(const struct quote *q, const struct quote_mkt *m, uint64_t now_ns)
{
	const struct quote_link *l = &q->link[m->in.venue];

	return l->state == LINK_READY && now_ns - l->seen_ns < LINK_SILENT_NS;
}

/* |micro - mid| / mid over the threshold, and by enough ticks. */
static bool
jumped(struct quote *q, struct quote_mkt *m, const struct event *ev,
    struct quote_out *out)
{
	const struct cfg *c = &q->cfg;
	int64_t sum = m->bid_qty.e8 + m->ask_qty.e8;
	int64_t mid = (m->bid_px.e8 + m->ask_px.e8) / 2;
	int64_t micro = m->bid_px.e8 + i64_mul_div(m->ask_px.e8 - m->bid_px.e8,
					   m->bid_qty.e8, sum);
	int64_t off = micro > mid ? micro - mid : mid - micro;
	int64_t ticks = i64_mul_div(
	    m->in.tick_px.e8, c->micro_price_divergence_min_ticks.e8, E8);
	int64_t limit =
	    i64_mul_div(mid, c->micro_price_divergence_threshold.e8, E8);

	if (off <= limit || (ticks > 0 && off <= ticks))
		return false;
	m->pause_ns = ev->now_ns + (uint64_t)c->micro_price_pause_s.ns;
	quote_note_add(
	    out, &(struct quote_note){QUOTE_JUMP, quote_index(q, m), 0, 0,
		     i64_mul_div(off, E8, mid), c->micro_price_pause_s.ns});
	return true;
}

/* Binaries share mm.max_markets places; who holds one keeps it. */
static bool
selected(struct quote *q, struct quote_mkt *m)
{
	if (!binary(m) || m->active)
		return true;
	if (q->active_n >= (uint32_t)q->cfg.mm_max_markets)
		return false;
	m->active = true;
	q->active_n++;
	return true;
}

enum reason
quote_guard(struct quote *q, struct quote_mkt *m, const struct event *ev,
    struct quote_out *out)
{
	enum reason r;

	if (q->stopping || q->trading == TRADING_FROZEN) /* 1 */
		return REASON_FROZEN;
	if (warming(q, ev, out)) /* 2 */
		return REASON_WARMUP;
	r = life(q, m); /* 3, 4 */
	if (r != REASON_OK)
		return r;
	if (!link_ok(q, m, ev->now_ns)) /* 5 */
		return REASON_FEED_STALE;
	r = settlement(q, m, ev->now_ns); /* 6, 7 */
	if (r != REASON_OK)
		return r;
	if (!m->valid) /* 8 */
		return REASON_NO_BOOK;
	if (m->bid_qty.e8 == 0 || m->ask_qty.e8 == 0) /* 9 */
		return REASON_ONE_SIDED;
	if (binary(m) && /* 10 */
	    m->ask_px.e8 - m->bid_px.e8 > q->cfg.mm_max_spread.e8) {
		if (m->said != REASON_GAPPED)
			quote_note_add(
			    out, &(struct quote_note){QUOTE_GAPPED,
				     quote_index(q, m), 0, 0,
				     m->ask_px.e8 - m->bid_px.e8, 0});
		return REASON_GAPPED;
	}
	if (m->bid_px.e8 >= m->ask_px.e8) /* 11 */
		return REASON_CROSSED;
	if (ev->now_ns < m->pause_ns) /* 12 */
		return REASON_PAUSED;
	if (jumped(q, m, ev, out)) /* 13 */
		return REASON_PRICE_JUMP;
	if (!selected(q, m)) /* 14 */
		return REASON_NOT_SELECTED;
	return REASON_OK;
}
