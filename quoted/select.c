#include "quoted/select.h"

#include <math.h>

#include "libcore/check.h"
#include "quoted/room.h"

/* What counts as a full mark of each part of the score. */
#define FULL_TICKS   4.0  /* spread                                    */
#define FULL_DEPTH   1e5  /* dollars at the touch, logarithmic        */
#define FULL_RATE    0.5  /* trades a second                          */
#define FULL_VOL     0.02 /* standard deviation of a minute           */
#define FULL_TIME_NS (7 * 24 * 3600 * NS_PER_S)
#define FULL_MARK    0.01  /* markout, quote currency                  */
#define RATE_FADE_S  300.0 /* half-life of the rate of trades          */
#define LN2	     0.69314718055994530942
#define MARK_WEIGHT  0.1 /* of a new fill in the mean               */

const char *
select_veto_name(enum select_veto v)
{
	static const char *const names[SELECT_VETO_N] = {[SELECT_OK] = "ok",
	    [SELECT_RRS] = "rrs",
	    [SELECT_STATE] = "state",
	    [SELECT_STALE] = "stale",
	    [SELECT_CROSSED] = "crossed",
	    [SELECT_GAPPED] = "gapped",
	    [SELECT_LIQUIDITY] = "liquidity",
	    [SELECT_TOXIC] = "toxic",
	    [SELECT_CLUSTER] = "cluster"};

	return v > 0 && v < SELECT_VETO_N ? names[v] : "?";
}

enum instr_state
select_state(const struct quote *q, const struct quote_mkt *m, int64_t left_ns)
{
	enum instr_state s = (enum instr_state)m->in.state;

	if (m->in.cls != CLASS_BINARY ||
	    (s != INSTR_NORMAL && s != INSTR_WATCH))
		return s;
	if (left_ns < q->cfg.state_close_window_threshold_hours.ns)
		return INSTR_CLOSE_WINDOW;
	return left_ns < q->cfg.state_watch_threshold_hours.ns ? INSTR_WATCH
							       : s;
}

void
select_trade(struct select_mkt *s, uint64_t now_ns)
{
	double dt = (double)(now_ns - s->rate_ns) / 1e9;

	if (s->rate_ns == 0 || now_ns < s->rate_ns)
		dt = 0.0;
	s->rate = s->rate * exp2(-dt / RATE_FADE_S) + LN2 / RATE_FADE_S;
	s->rate_ns = now_ns;
}

void
select_markout(struct select_mkt *s, px_t value)
{
	s->markout += MARK_WEIGHT * ((double)value.e8 / 1e8 - s->markout);
}

/* ---- clusters ---- */

uint32_t
select_cluster_key(const struct quote_mkt *m)
{
	if (m->in.underlying != 0)
		return UINT32_C(0x80000000) | m->in.underlying;
	return m->in.cluster & UINT32_C(0x7fffffff);
}

/* The entry of a key, or the free one where it would be; the last one stands
 * for all that found no room, which errs towards a veto. */
static uint32_t
find(const struct select *s, uint32_t key)
{
	uint32_t i = (key * UINT32_C(2654435761)) % SELECT_CLUSTERS;

	for (uint32_t k = 0; k < 16u; k++) {
		uint32_t at = (i + k) % SELECT_CLUSTERS;

		if (s->cluster[at].key == key || s->cluster[at].key == 0)
			return at;
	}
	return SELECT_CLUSTERS - 1;
}

usd_t
select_cluster_usd(const struct quote *q, const struct quote_mkt *m)
{
	uint32_t key = select_cluster_key(m);

	return key != 0 ? q->sel.cluster[find(&q->sel, key)].usd : m->exposed;
}

void
select_expose(struct quote *q, struct quote_mkt *m)
{
	uint32_t key = select_cluster_key(m);
	px_t mid = PX((m->bid_px.e8 + m->ask_px.e8) / 2);
	usd_t now = USD(0);
	uint32_t at;

	if (quote_is_binary(m) && m->position.e8 != 0)
		now = m->position.e8 > 0 ? usd_notional(mid, m->position)
					 : usd_notional(px_complement(mid),
					       QTY(-m->position.e8));
	if (now.e6 == m->exposed.e6)
		return;
	if (key != 0) {
		at = find(&q->sel, key);
		if (q->sel.cluster[at].key == 0)
			q->sel.cluster[at].key = key;
		q->sel.cluster[at].usd.e6 += now.e6 - m->exposed.e6;
	}
	q->sel.exposed.e6 += now.e6 - m->exposed.e6;
	m->exposed = now;
}

uint16_t
select_cluster_first(const struct quote *q, uint32_t key)
{
	const struct select_cluster *c = &q->sel.cluster[find(&q->sel, key)];

	return key != 0 && c->key == key ? c->first : 0;
}

void
select_join(struct quote *q, struct quote_mkt *m)
{
	uint32_t key = select_cluster_key(m);
	struct select_cluster *c;

	m->group_next = 0;
	if (key == 0 || !quote_is_binary(m))
		return;
	c = &q->sel.cluster[find(&q->sel, key)];
	if (c->key == 0)
		c->key = key;
	m->group_next = c->first;
	c->first = quote_index(q, m);
}

void
select_leave(struct quote *q, struct quote_mkt *m)
{
	uint32_t key = select_cluster_key(m);
	uint16_t self = quote_index(q, m);
	struct select_cluster *c;
	uint16_t *at;

	if (key == 0 || !quote_is_binary(m))
		return;
	c = &q->sel.cluster[find(&q->sel, key)];
	c->usd.e6 -= m->exposed.e6;
	q->sel.exposed.e6 -= m->exposed.e6;
	m->exposed = USD(0);
	for (at = &c->first; *at != 0; at = &q->mkt[*at].group_next)
		if (*at == self) {
			*at = m->group_next;
			break;
		}
	m->group_next = 0;
}

/* ---- vetoes and score ---- */

static bool
stale(const struct quote *q, const struct quote_mkt *m, uint64_t now_ns)
{
	const struct cfg *c = &q->cfg;
	const struct quote_link *k = &q->link[m->in.venue];
	int64_t most = c->system_mode == MODE_LIVE
			   ? c->qs_book_staleness_s_prod.ns
			   : c->qs_book_staleness_s_paper.ns;
	uint64_t seen = c->qs_staleness_clock == CFG_STALENESS_LINK
			    ? k->seen_ns
			    : m->recv_ns;

	return !m->valid || k->state != LINK_READY ||
	       (int64_t)(now_ns - seen) > most;
}

static int64_t
left(const struct quote_mkt *m, uint64_t now_ns)
{
	int64_t venue = quote_venue_now(m, now_ns);

	return m->in.end_wall_ns == 0 || venue == 0 ? INT64_MAX
						    : m->in.end_wall_ns - venue;
}

static enum select_veto
veto(const struct quote *q, const struct quote_mkt *m, uint64_t now_ns)
{
	const struct cfg *c = &q->cfg;
	enum instr_state state = select_state(q, m, left(m, now_ns));
	int64_t spread = m->ask_px.e8 - m->bid_px.e8;

	if (llround(m->rrs * 1e8) > c->rrs_veto_maker.e8)
		return SELECT_RRS;
	if (state != INSTR_NORMAL && state != INSTR_WATCH)
		return SELECT_STATE;
	if (stale(q, m, now_ns))
		return SELECT_STALE;
	if (m->bid_qty.e8 == 0 || m->ask_qty.e8 == 0)
		return SELECT_GAPPED;
	if (spread < m->in.tick_px.e8)
		return SELECT_CROSSED;
	if (spread > c->mm_max_spread.e8)
		return SELECT_GAPPED;
	if (m->in.cls == CLASS_BINARY && m->in.liquidity.e6 != 0 &&
	    m->in.liquidity.e6 < c->qs_min_liquidity.e6)
		return SELECT_LIQUIDITY;
	if (m->risk_reason == REASON_TOXIC)
		return SELECT_TOXIC;
	if (m->position.e8 == 0 &&
	    select_cluster_usd(q, m).e6 >= i64_mul_div(q->capital.e6,
					       c->risk_cluster_exposure_frac.e8,
					       E8))
		return SELECT_CLUSTER;
	return SELECT_OK;
}

static double
dec(dec_t d)
{
	return (double)d.e8 / 1e8;
}

static double
unit(double x)
{
	return fmax(0.0, fmin(1.0, x));
}

static double
score(const struct quote *q, const struct quote_mkt *m, uint64_t now_ns)
{
	const struct cfg *c = &q->cfg;
	double mid = (double)(m->bid_px.e8 + m->ask_px.e8) / 2e8;
	double depth = (double)(m->bid_qty.e8 + m->ask_qty.e8) / 1e8 * mid;
	double ticks =
	    (double)(m->ask_px.e8 - m->bid_px.e8) / (double)m->in.tick_px.e8;
	double quiet_s =
	    m->sel.rate_ns == 0 ? 0.0 : (double)(now_ns - m->sel.rate_ns) / 1e9;
	double vol = sqrt(fmax(0.0, m->vol.var) * 60.0);
	double time = m->in.cls == CLASS_UPDOWN
			  ? (double)left(m, now_ns) /
				(double)c->updown_max_time_to_expiry.ns
			  : (double)left(m, now_ns) / (double)FULL_TIME_NS;

	return dec(c->qs_weight_spread) * unit(ticks / FULL_TICKS) +
	       dec(c->qs_weight_depth) *
		   unit(log1p(depth) / log1p(FULL_DEPTH)) +
	       dec(c->qs_weight_rate) *
		   unit(
		       m->sel.rate * exp2(-quiet_s / RATE_FADE_S) / FULL_RATE) +
	       dec(c->qs_weight_vol) * (1.0 - unit(vol / FULL_VOL)) +
	       dec(c->qs_weight_reward) * (m->in.reward_spread.e8 > 0) +
	       dec(c->qs_weight_time) * unit(time) +
	       dec(c->qs_weight_markout) *
		   unit(0.5 + m->sel.markout / FULL_MARK);
}

/* ---- the cycle ---- */

static void
swap(struct select *s, uint32_t a, uint32_t b)
{
	double score_a = s->top[a].score;
	uint16_t instr_a = s->top[a].instr;

	s->top[a].score = s->top[b].score;
	s->top[a].instr = s->top[b].instr;
	s->top[b].score = score_a;
	s->top[b].instr = instr_a;
}

static bool
is_worse(const struct select *s, uint32_t a, uint32_t b)
{
	if (s->top[a].score < s->top[b].score)
		return true;
	return !(s->top[b].score < s->top[a].score) &&
	       s->top[a].instr > s->top[b].instr;
}

static void
sink(struct select *s, uint32_t n)
{
	uint32_t i = 0;

	for (;;) {
		uint32_t k = 2 * i + 1;

		if (k >= n)
			return;
		if (k + 1 < n && is_worse(s, k + 1, k))
			k++;
		if (!is_worse(s, k, i))
			return;
		swap(s, i, k);
		i = k;
	}
}

static void
enter(struct select *s, uint32_t most, double value, uint16_t instr)
{
	uint32_t i;

	if (s->n == most) {
		if (value <= s->top[0].score)
			return;
		s->top[0].score = value;
		s->top[0].instr = instr;
		sink(s, s->n);
		return;
	}
	i = s->n++;
	s->top[i].score = value;
	s->top[i].instr = instr;
	for (; i > 0 && is_worse(s, i, (i - 1) / 2); i = (i - 1) / 2)
		swap(s, i, (i - 1) / 2);
}

static void
judge(struct quote *q, uint16_t i, uint64_t now_ns)
{
	struct quote_mkt *m = &q->mkt[i];
	struct select *s = &q->sel;
	double value;

	if (!m->known || !quote_is_binary(m))
		return;
	s->looked++;
	m->sel.veto = (uint8_t)veto(q, m, now_ns);
	s->vetoes[m->sel.veto]++;
	m->sel.score = 0.0;
	if (m->sel.veto != SELECT_OK)
		return;
	m->sel.score = score(q, m, now_ns);
	value = m->sel.score;
	if (m->sel.rank != 0)
		value *= 1.0 + dec(q->cfg.qs_hysteresis);
	enter(s, (uint32_t)q->cfg.qs_active_quote_count, value, i);
}

static void
place(struct quote *q, struct quote_mkt *m)
{
	if (!m->active) {
		m->active = true;
		q->active_n++;
	}
}

void
select_release(struct quote *q, struct quote_mkt *m)
{
	if (m->active && m->position.e8 == 0) {
		CHECK(q->active_n > 0);
		m->active = false;
		q->active_n--;
	}
}

bool
select_place(struct quote *q, struct quote_mkt *m)
{
	if (m->active)
		return true;
	if (q->active_n >= (uint32_t)q->cfg.mm_max_markets ||
	    (m->sel.veto == SELECT_OK && m->sel.rank == 0))
		return false;
	place(q, m);
	return true;
}

static void
samples(struct quote *q, struct quote_out *out)
{
	uint32_t said = 0;

	for (uint32_t i = 1; i <= q->max_instr && said < SELECT_SAMPLES; i++) {
		const struct quote_mkt *m = &q->mkt[i];

		if (!m->known || !quote_is_binary(m) || m->sel.veto == 0)
			continue;
		said++;
		quote_note_add(out,
		    &(struct quote_note){QUOTE_SAMPLE, (uint16_t)i, m->sel.veto,
			0, llround(m->sel.score * 1e8), m->sel.rank});
	}
}

/* The heap becomes ranks, the ranks become places. */
static void
finish(struct quote *q, struct quote_out *out)
{
	struct select *s = &q->sel;
	uint32_t n = s->n;

	for (uint32_t i = 1; i <= q->max_instr; i++) {
		q->mkt[i].sel.rank = 0;
		select_release(q, &q->mkt[i]);
	}
	s->set_n = n;
	while (s->n > 0) {
		uint32_t last = s->n - 1;

		q->mkt[s->top[0].instr].sel.rank = (uint16_t)s->n;
		swap(s, 0, last);
		s->n = last;
		sink(s, s->n);
	}
	/* The best is at the front now: the heap was emptied from behind. */
	for (uint32_t i = 0;
	     i < n && q->active_n < (uint32_t)q->cfg.mm_max_markets; i++)
		place(q, &q->mkt[s->top[i].instr]);
	quote_note_add(
	    out, &(struct quote_note){QUOTE_CYCLE, 0, 0, 0, n, s->looked});
	samples(q, out);
}

void
select_step(struct quote *q, uint64_t now_ns, struct quote_out *out)
{
	struct select *s = &q->sel;
	uint32_t end;

	if (s->at == 0) {
		if (now_ns < s->next_ns || !q->warm)
			return;
		s->next_ns = now_ns + (uint64_t)q->cfg.qs_cycle_s.ns;
		s->at = 1;
		s->n = 0;
		s->looked = 0;
		for (int v = 0; v < SELECT_VETO_N; v++)
			s->vetoes[v] = 0;
	}
	end = s->at + SELECT_STEP;
	for (; s->at < end && s->at <= q->max_instr; s->at++)
		judge(q, s->at, now_ns);
	if (s->at <= q->max_instr)
		return;
	s->at = 0;
	finish(q, out);
}
