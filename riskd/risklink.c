#include "libcore/check.h"
#include "libshm/ctl.h"
#include "riskd/risk_int.h"

/* A link says something every latency.ping_interval; after three of them it
 * is taken for dead. */
#define SILENT_PINGS 3

static bool
enabled(const struct risk *r, enum venue v)
{
	switch (v) {
	case VENUE_POLYMARKET: return r->cfg.polymarket_enabled;
	case VENUE_BINANCE: return r->cfg.binance_enabled;
	case VENUE_HYPERLIQUID: return r->cfg.hyperliquid_enabled;
	case VENUE_N: break;
	}
	CHECK(!"a venue");
	return false;
}

static uint64_t
silence_ns(const struct risk *r)
{
	return (uint64_t)r->cfg.latency_ping_interval.ns * SILENT_PINGS;
}

uint64_t
risk_mask(const struct risk *r, enum venue v)
{
	CHECK(v > 0 && v < VENUE_N);
	return r->freeze_all | r->freeze[v] | r->world.ext[v];
}

bool
risk_is_skewed(const struct risk *r, enum venue v)
{
	int64_t skew_ns = r->link[v].skew_ms * NS_PER_MS;
	int64_t max_ns = r->cfg.risk_clock_skew_max.ns;

	CHECK(v > 0 && v < VENUE_N);
	return skew_ns > max_ns || skew_ns < -max_ns;
}

static uint64_t
link_mask(const struct risk *r, enum venue v, uint64_t now_ns)
{
	const struct risk_link *l = &r->link[v];

	if (!enabled(r, v))
		return 0;
	if (l->kill.state == KILL_STARTUP)
		return FREEZE_STARTUP;
	return (l->kill.state == KILL_TRIPPED ? FREEZE_LATENCY : 0u) |
	       (risk_is_skewed(r, v) ? FREEZE_CLOCK : 0u) |
	       (l->state != LINK_READY || now_ns - l->seen_ns > silence_ns(r)
		       ? FREEZE_FEED_STALE
		       : 0u);
}

void
risk_freezes(struct risk *r, uint64_t now_ns)
{
	/* Every strategy of this build prices against the reference. */
	r->freeze_all =
	    link_mask(r, VENUE_BINANCE, now_ns) | r->loss.latched |
	    (r->world.supervisor_dead ? FREEZE_SUPERVISOR_DEAD : 0u) |
	    (r->stopping ? FREEZE_STARTUP : 0u) |
	    (r->clock.stepped ? FREEZE_CLOCK : 0u);
	for (int v = 1; v < VENUE_N; v++)
		r->freeze[v] =
		    v == VENUE_BINANCE
			? 0
			: link_mask(r, (enum venue)v, now_ns) | r->latched[v] |
			      (r->world.cancel_full[v] ? FREEZE_REPORT_BACKLOG
						       : 0u);
	r->lease_ok = r->freeze_all == 0;
}

uint64_t
risk_link_wake(const struct risk *r, uint64_t now_ns)
{
	uint64_t wake =
	    wallclock_due_ns(&r->clock, r->cfg.risk_clock_settle.ns);

	for (int v = 1; v < VENUE_N; v++) {
		uint64_t at = r->link[v].seen_ns + silence_ns(r) + 1;

		if (!enabled(r, (enum venue)v) || at <= now_ns)
			continue;
		if (wake == 0 || at < wake)
			wake = at;
	}
	return wake;
}

void
risk_tripped(struct risk *r, enum venue v)
{
	CHECK(v > 0 && v < VENUE_N);
	kill_start_tripped(&r->link[v].kill);
	risk_freezes(r, 0);
}

static void
on_link(struct risk *r, enum venue v, const struct event *ev)
{
	const struct tick_link *t = &ev->slot->tick.u.link;
	struct risk_link *l = &r->link[v];
	/* State changes repeat the last round trip between two probes. */
	bool again = t->rtt_us == l->rtt_us &&
		     ev->now_ns - l->sample_ns < silence_ns(r) / 6;
	struct kill_sample s = {
	    .rtt_ns = again ? 0 : (int64_t)t->rtt_us * NS_PER_US,
	    /* Late data trips; a market where nothing happens is quiet, and
	     * a link that carries nothing is LINK_STALE: feedd says so. */
	    .age_ns = t->age_us * NS_PER_US,
	    .overdue = t->overdue != 0,
	};

	/* Connection 0 carries the books; others add references. */
	if (t->conn != 0)
		return;
	l->seen_ns = ev->now_ns;
	l->state = t->state;
	l->skew_ms = t->skew_ms;
	if (t->reconnects != l->reconnects)
		kill_reconnect(&l->kill);
	l->reconnects = t->reconnects;
	if (!again) {
		l->rtt_us = t->rtt_us;
		l->sample_ns = ev->now_ns;
	}
	if (t->state == LINK_READY || t->state == LINK_STALE)
		kill_probe(&l->kill, &r->kill_cfg[v], &s);
}

/* No mark of the venue counts until its book has come again. */
static void
drop_marks(struct risk *r, enum venue v)
{
	r->link[v].gen++;
}

static void
on_bbo(struct risk *r, enum venue v, const struct tick *t)
{
	struct risk_instr *in = &r->instr[t->hdr.instr];
	const struct tick_bbo *b = &t->u.bbo;
	i128_t sum = (i128_t)b->bid_qty.e8 + b->ask_qty.e8;

	if (b->bid_qty.e8 <= 0 || b->ask_qty.e8 <= 0 || b->bid_px.e8 <= 0 ||
	    b->ask_px.e8 <= b->bid_px.e8 || b->ask_px.e8 > PX_E8_MAX) {
		in->mark_gen = 0;
		return;
	}
	in->bid = b->bid_px;
	in->ask = b->ask_px;
	in->mark = PX((b->bid_px.e8 + b->ask_px.e8) / 2);
	in->micro =
	    PX(b->bid_px.e8 + (int64_t)((i128_t)(b->ask_px.e8 - b->bid_px.e8) *
					b->bid_qty.e8 / sum));
	in->mark_gen = r->link[v].gen;
	if (in->cls != 0)
		risk_refresh(r, t->hdr.instr);
}

void
risk_on_tick(struct risk *r, const struct event *ev)
{
	const struct tick *t = &ev->slot->tick;
	enum venue v =
	    (enum venue)topo_stages[topo_rings[ev->ring].writer].venue;
	bool ours = instr_venue(t->hdr.instr) == v;

	CHECK(v > 0 && v < VENUE_N);
	switch ((enum slot_kind)t->hdr.kind) {
	case TICK_BBO:
		if (ours)
			on_bbo(r, v, t);
		return;
	case TICK_LINK: on_link(r, v, ev); return;
	case TICK_GAP:
		if (t->u.gap.scope == 1 && ours)
			r->instr[t->hdr.instr].mark_gen = 0;
		else if (t->u.gap.scope != 2 || t->u.gap.conn == 0)
			drop_marks(r, v);
		return;
	case TICK_CONN:
		if (t->u.conn.conn != 0)
			return;
		r->link[v].state = t->u.conn.state;
		if (t->u.conn.state != LINK_READY)
			drop_marks(r, v);
		return;
	case TICK_RESTART:
		drop_marks(r, v);
		kill_restart(&r->link[v].kill);
		r->link[v].state = 0;
		r->link[v].skew_ms = 0;
		return;
	case TICK_INSTR:
		if (ours && ev->instr != 0)
			risk_instr_set(r, t->hdr.instr, ev->instr);
		return;
	case TICK_TRADE:
	case TICK_LEVEL:
	case TICK_SNAP_BEGIN:
	case TICK_SNAP_END:
	case TICK_REF:
	case TICK_TRACE:
	case MSG_INTENT:
	case MSG_ORDER:
	case MSG_CANCEL:
	case MSG_VERDICT:
	case MSG_ACK:
	case MSG_FILL:
	case MSG_DONE:
	case MSG_REJECT:
	case MSG_RESTART:
	case MSG_STATE:
	case MSG_POSITION:
	case MSG_BALANCE:
	case SLOT_KIND_N: return;
	}
}
