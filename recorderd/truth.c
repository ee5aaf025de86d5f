#include "recorderd/truth.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"

#define NS_PER_DAY (INT64_C(86400) * NS_PER_S)
#define NS_PER_MIN (INT64_C(60) * NS_PER_S)

void
truth_init(struct truth *t, int64_t day_ns, const struct cfg *cfg)
{
	memset(t, 0, sizeof(*t));
	t->day_ns = day_ns;
	t->end_ns = day_ns + NS_PER_DAY;
	t->minute = -1;
	mark_init(&t->marks, cfg);
}

/* ---- holdings ---- */

static struct truth_hold *
hold_of(struct truth *t, uint16_t instr, uint8_t strategy)
{
	uint32_t at = (instr * 7u + strategy) % TRUTH_HOLDS;

	for (uint32_t i = 0; i < TRUTH_HOLDS; i++) {
		struct truth_hold *h = &t->hold[(at + i) % TRUTH_HOLDS];

		if (!h->used) {
			h->used = true;
			h->instr = instr;
			h->strategy = strategy;
			return h;
		}
		if (h->instr == instr && h->strategy == strategy)
			return h;
	}
	return NULL;
}

static int64_t
add_sat(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return a < 0 ? -INT64_MAX : INT64_MAX;
	return sum;
}

static usd_t
usd_add(usd_t a, usd_t b)
{
	return USD(add_sat(a.e6, b.e6));
}

static usd_t
usd_sub(usd_t a, usd_t b)
{
	return USD(add_sat(a.e6, b.e6 == INT64_MIN ? INT64_MAX : -b.e6));
}

static usd_t
unrealised(const struct truth *t, const struct truth_hold *h)
{
	if (h->pos.qty.e8 == 0 || t->mark[h->instr].e8 == 0)
		return USD(0);
	return position_unrealised(&h->pos, t->mark[h->instr]);
}

/* All that was earned so far, as if everything were closed at the mid. */
static usd_t
equity(const struct truth *t)
{
	usd_t sum = USD(0);

	for (uint32_t i = 0; i < TRUTH_HOLDS; i++) {
		const struct truth_hold *h = &t->hold[i];

		if (!h->used)
			continue;
		sum = usd_add(sum, e16_to_usd(h->pos.realised_e16));
		sum = usd_add(sum, unrealised(t, h));
		sum = usd_sub(sum, h->pos.fees);
	}
	return sum;
}

/* ---- the day and its minutes ---- */

static void
begin_day(struct truth *t)
{
	t->begun = true;
	t->equity_first = equity(t);
	for (uint32_t i = 0; i < TRUTH_HOLDS; i++) {
		struct truth_hold *h = &t->hold[i];

		if (!h->used)
			continue;
		h->first_unrealised = unrealised(t, h);
		h->first_realised = e16_to_usd(h->pos.realised_e16);
	}
	for (unsigned v = 0; v < VENUE_N; v++)
		t->feed[v].since_ns = t->day_ns;
	if (t->frozen_since_ns != 0)
		t->frozen_since_ns = t->day_ns;
}

static void
end_minute(struct truth *t)
{
	if (t->minute < 0 || t->minute >= (int64_t)TRUTH_MINUTES)
		return;
	t->equity[t->minute] = equity(t);
	t->has_equity[t->minute] = true;
}

/* The clock moves on. True: the event counts. */
static bool
at_time(struct truth *t, int64_t wall_ns)
{
	if (wall_ns < t->day_ns)
		return false;
	if (!t->begun)
		begin_day(t);
	if (wall_ns >= t->end_ns)
		return false;
	if (t->first_ns == 0)
		t->first_ns = wall_ns;
	t->last_ns = i64_max(t->last_ns, wall_ns);
	int64_t minute = (wall_ns - t->day_ns) / NS_PER_MIN;

	if (minute > t->minute) {
		end_minute(t);
		t->minute = minute;
	}
	return true;
}

/* ---- fills ---- */

/* True when it was not seen before. */
static bool
is_new(struct truth *t, uint64_t fill_id)
{
	uint64_t want = fill_id != 0 ? fill_id : UINT64_MAX;
	uint32_t at = (uint32_t)hash_u64(HASH_SEED, want) % TRUTH_IDS;

	if (t->id_n >= TRUTH_IDS / 8 * 7) {
		t->over_n++;
		return true;
	}
	while (t->id[at] != 0) {
		if (t->id[at] == want)
			return false;
		at = (at + 1) % TRUTH_IDS;
	}
	t->id[at] = want;
	t->id_n++;
	return true;
}

static bool
fill_ok(const struct order *o)
{
	return (o->side == SIDE_BID || o->side == SIDE_ASK) &&
	       o->exec_qty.e8 > 0 && o->exec_qty.e8 <= QTY_E8_MAX &&
	       o->exec_px.e8 >= 0 && o->exec_px.e8 <= PX_E8_MAX &&
	       o->hdr.instr < INSTR_N && o->strategy < STRATEGY_N;
}

static void
count_fill(struct truth *t, const struct order *o)
{
	struct truth_part *p = &t->part[o->strategy];
	usd_t notional = usd_notional(o->exec_px, o->exec_qty);
	bool maker = (o->oflags & ORDER_MAKER) != 0;
	int64_t mid = t->mid[o->hdr.instr].e8;

	p->fills++;
	p->volume = usd_add(p->volume, notional);
	if (o->usd.e6 > 0)
		p->fees = usd_add(p->fees, o->usd);
	else
		p->rebates = usd_sub(p->rebates, o->usd);
	if (o->cum_qty.e8 == o->exec_qty.e8)
		p->filled++;
	if (!maker)
		return;
	p->maker_fills++;
	p->maker_volume = usd_add(p->maker_volume, notional);
	if (mid == 0)
		return;
	px_t edge = markout_value((enum side)o->side, o->exec_px, PX(mid));

	p->spread_e16 += e16_product(edge, o->exec_qty);
	p->spread_qty += o->exec_qty.e8;
}

static void
on_fill(struct truth *t, const struct order *o, bool counts)
{
	if (!fill_ok(o) || !is_new(t, o->fill_id))
		return;
	struct truth_hold *h = hold_of(t, o->hdr.instr, o->strategy);

	if (h == NULL) {
		t->over_n++;
		return;
	}
	i128_t after = (i128_t)h->pos.qty.e8 +
		       (o->side == SIDE_BID ? o->exec_qty.e8 : -o->exec_qty.e8);

	if (after > QTY_E8_MAX || after < -QTY_E8_MAX) {
		t->over_n++;
		return;
	}
	position_fill(&h->pos, (enum side)o->side, o->exec_px, o->exec_qty);
	h->pos.fees = usd_add(h->pos.fees, o->usd);
	if (!counts)
		return;
	if ((o->oflags & ORDER_REVERSED) != 0)
		t->reversed++;
	else
		count_fill(t, o);
}

/* A market has ended: everything of it is worth 1, 0 or a half. */
static void
settle(struct truth *t, uint16_t instr, uint8_t outcome)
{
	int64_t px = outcome == OUTCOME_YES  ? E8
		     : outcome == OUTCOME_NO ? 0
					     : E8 / 2;

	for (uint32_t i = 0; i < TRUTH_HOLDS; i++) {
		struct truth_hold *h = &t->hold[i];
		int64_t q = h->pos.qty.e8;

		if (!h->used || h->instr != instr || q == 0)
			continue;
		position_fill(&h->pos, q > 0 ? SIDE_ASK : SIDE_BID, PX(px),
		    QTY(q > 0 ? q : -q));
	}
}

static void
on_instr(struct truth *t, const struct reader_event *ev)
{
	uint16_t i = ev->instr_idx;
	const struct instr *in = ev->instr;

	if (i >= INSTR_N || in->venue >= VENUE_N)
		return;
	t->venue[i] = in->venue;
	if (t->epoch[i] != in->epoch && in->outcome == 0)
		t->outcome[i] = 0;
	t->epoch[i] = in->epoch;
	if (in->outcome != 0 && in->outcome < OUTCOME_N &&
	    t->outcome[i] != in->outcome) {
		t->outcome[i] = in->outcome;
		settle(t, i, in->outcome);
	}
}

/* ---- markets and markouts ---- */

static void
on_marks(struct truth *t, const union tap *s, bool counts)
{
	struct tick out[MARK_OUT_MAX];
	uint32_t n = mark_step(&t->marks, s, out);

	for (uint32_t i = 0; i < n && counts; i++) {
		const struct tick_markout *m = &out[i].u.markout;
		struct truth_part *p = &t->part[m->strategy];
		unsigned h = 0;

		while (h < MARKOUT_HORIZONS &&
		       t->marks.cfg.horizon_ns[h] / (uint64_t)NS_PER_S !=
			   m->horizon_s)
			h++;
		if (h == MARKOUT_HORIZONS || !m->maker)
			continue;
		px_t v = markout_value((enum side)m->side, m->fill_px, m->mid);

		p->markout_n[h]++;
		p->markout_sum_e8[h] = add_sat(p->markout_sum_e8[h], v.e8);
	}
}

static void
on_bbo(struct truth *t, const struct tick *k)
{
	int64_t bid = k->u.bbo.bid_px.e8;
	int64_t ask = k->u.bbo.ask_px.e8;
	uint16_t i = k->hdr.instr;

	if (i >= INSTR_N)
		return;
	t->mid[i] = PX(bid > 0 && ask > bid ? bid + (ask - bid) / 2 : 0);
	if (t->mid[i].e8 != 0)
		t->mark[i] = t->mid[i];
}

/* ---- health ---- */

static void
feed_is(struct truth *t, uint8_t venue, bool up, int64_t wall_ns, bool counts)
{
	struct truth_feed *f = &t->feed[venue];

	if (counts && f->up && f->since_ns != 0 && wall_ns > f->since_ns)
		f->up_ns += (uint64_t)(wall_ns - f->since_ns);
	if (counts && f->up && !up)
		f->downs++;
	f->seen = true;
	f->up = up;
	f->since_ns = wall_ns;
}

static void
on_freeze(struct truth *t, const struct reader_event *ev, bool counts)
{
	const struct reader_freeze *f = &ev->freeze;
	uint64_t all = 0;

	if (f->word >= FW_N)
		return;
	uint64_t was = t->freeze_mask[f->word];

	t->freeze_mask[f->word] = f->mask;
	for (unsigned w = 0; w < FW_N; w++)
		all |= t->freeze_mask[w];
	for (unsigned b = 0; b < FREEZE_BITS_N && counts; b++)
		t->freezes[b] += (f->mask & ~was & UINT64_C(1) << b) != 0;
	t->cancel_alls += counts && was == 0 && f->mask != 0;
	if (all != 0 && t->frozen_since_ns == 0)
		t->frozen_since_ns = ev->wall_ns;
	if (all == 0 && t->frozen_since_ns != 0) {
		if (counts && ev->wall_ns > t->frozen_since_ns)
			t->frozen_ns +=
			    (uint64_t)(ev->wall_ns - t->frozen_since_ns);
		t->frozen_since_ns = 0;
	}
}

/* Buckets of a quarter of a power of two, from a microsecond up. */
static unsigned
ack_bucket(uint32_t ns)
{
	uint64_t us4 = (uint64_t)ns / 250;
	unsigned log = 0;

	if (us4 < 4)
		return (unsigned)us4;
	log = 63 - (unsigned)__builtin_clzll(us4);
	unsigned i = log * 4 + (unsigned)(us4 >> (log - 2) & 3) - 4;

	return i < TRUTH_ACK_N ? i : TRUTH_ACK_N - 1;
}

static void
on_order(struct truth *t, const struct order *o)
{
	uint16_t reason = o->reason < REASON_N ? o->reason : 0;

	switch (o->hdr.kind) {
	case MSG_INTENT: t->intents++; return;
	case MSG_ORDER: t->placed++; return;
	case MSG_CANCEL: t->cancels++; return;
	case MSG_VERDICT:
		if (reason != REASON_OK)
			t->verdicts[reason]++;
		return;
	case MSG_REJECT: t->rejects[reason]++; return;
	case MSG_ACK:
		if (o->strategy < STRATEGY_N)
			t->part[o->strategy].orders++;
		if (o->ack_delta > o->send_delta) {
			t->ack_n++;
			t->ack[ack_bucket(o->ack_delta - o->send_delta)]++;
		}
		return;
	default: return;
	}
}

static void
on_tick(struct truth *t, const struct reader_event *ev, bool counts)
{
	const struct tick *k = &ev->slot->tick;

	switch (k->hdr.kind) {
	case TICK_BBO: on_bbo(t, k); return;
	case TICK_LINK:
		if (k->u.link.conn == 0 && k->u.link.venue < VENUE_N)
			feed_is(t, k->u.link.venue,
			    k->u.link.state == LINK_UP ||
				k->u.link.state == LINK_READY,
			    ev->wall_ns, counts);
		return;
	case TICK_CONN:
		if (k->u.conn.conn == 0 && k->u.conn.venue < VENUE_N)
			feed_is(t, k->u.conn.venue,
			    k->u.conn.state == LINK_UP ||
				k->u.conn.state == LINK_READY,
			    ev->wall_ns, counts);
		return;
	case TICK_GAP:
		if (counts && k->u.gap.scope != 3)
			t->feed[topo_stages[ev->source].venue].gaps++;
		return;
	case TICK_RESTART:
		/* The first life of a run is no restart. */
		if (t->lives[ev->source]++ > 0 && counts)
			t->restarts[ev->source]++;
		return;
	default: return;
	}
}

static void
on_slot(struct truth *t, const struct reader_event *ev, bool counts)
{
	const union tap *s = ev->slot;

	t->slots += counts;
	if (s->hdr.kind == MSG_FILL && ev->source != ST_RISKD &&
	    ev->source != ST_QUOTED)
		on_fill(t, &s->order, counts);
	on_marks(t, s, counts);
	if (slot_is_tick(s->hdr.kind))
		on_tick(t, ev, counts);
	else if (counts)
		on_order(t, &s->order);
}

static void
forget_marks(struct truth *t)
{
	struct markout_cfg cfg = t->marks.cfg;

	for (uint32_t i = 0; i < t->marks.used_n; i++) {
		const struct markout *m = &t->marks.m[i];

		for (unsigned h = 0; h < MARKOUT_HORIZONS; h++)
			t->markout_missed += m->fill_n - m->done_n[h];
		t->markout_missed += m->missed_n;
	}
	memset(&t->marks, 0, sizeof(t->marks));
	t->marks.cfg = cfg;
}

bool
truth_duration(const char *text, int64_t *ns)
{
	static const struct {
		const char *unit;
		int64_t ns;
	} units[] = {{"ns", 1}, {"us", 1000}, {"ms", NS_PER_MS},
	    {"s", NS_PER_S}, {"m", NS_PER_MIN}, {"h", 60 * NS_PER_MIN},
	    {"d", NS_PER_DAY}};
	size_t n = 0;
	int64_t v = 0;

	while ((text[n] >= '0' && text[n] <= '9') || text[n] == '.')
		n++;
	if (!fixed_parse(text, n, 6, false, INT64_C(1000000000000), &v))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(text + n, units[i].unit) == 0) {
			*ns = (int64_t)((i128_t)v * units[i].ns / 1000000);
			return true;
		}
	return false;
}

/* Horizons of the configuration that was in force. */
static void
on_config(struct truth *t, const struct reader_event *ev)
{
	static const char *const key[MARKOUT_HORIZONS] = {
	    "markout.first", "markout.second", "markout.third"};

	for (unsigned h = 0; h < MARKOUT_HORIZONS; h++) {
		int64_t ns;

		if (strcmp(ev->cfg_key, key[h]) == 0 &&
		    truth_duration(ev->cfg_value, &ns))
			t->marks.cfg.horizon_ns[h] = (uint64_t)ns;
	}
}

void
truth_step(struct truth *t, const struct reader_event *ev)
{
	bool counts;

	CHECK(ev->source < ST_N);
	if (ev->kind == READER_RUN) {
		t->runs++;
		memset(t->lives, 0, sizeof(t->lives));
		memset(t->mid, 0, sizeof(t->mid));
		/* Its clock is another: what waits for a mid is missed. */
		forget_marks(t);
		return;
	}
	if (ev->kind == READER_INSTR) {
		if (ev->wall_ns < t->end_ns) {
			at_time(t, ev->wall_ns);
			on_instr(t, ev);
		}
		return;
	}
	if (ev->kind == READER_CONFIG) {
		on_config(t, ev);
		return;
	}
	if (ev->wall_ns >= t->end_ns)
		return;
	counts = at_time(t, ev->wall_ns);
	if (ev->kind == READER_GAP) {
		t->gaps += counts;
		t->lost += counts ? ev->gap.lost_n : 0;
	} else if (ev->kind == READER_FREEZE) {
		on_freeze(t, ev, counts);
	} else {
		on_slot(t, ev, counts);
	}
}

void
truth_end(struct truth *t)
{
	int64_t end = t->last_ns;

	if (!t->begun)
		begin_day(t);
	end_minute(t);
	for (unsigned v = 0; v < VENUE_N; v++)
		if (t->feed[v].seen)
			feed_is(t, (uint8_t)v, t->feed[v].up, end, true);
	if (t->frozen_since_ns != 0 && end > t->frozen_since_ns)
		t->frozen_ns += (uint64_t)(end - t->frozen_since_ns);
	for (uint32_t i = 0; i < TRUTH_HOLDS; i++) {
		const struct truth_hold *h = &t->hold[i];

		if (!h->used)
			continue;
		struct truth_part *p = &t->part[h->strategy];

		p->realised = usd_add(
		    p->realised, usd_sub(e16_to_usd(h->pos.realised_e16),
				     h->first_realised));
		p->unrealised = usd_add(p->unrealised,
		    usd_sub(unrealised(t, h), h->first_unrealised));
	}
	forget_marks(t);
}
