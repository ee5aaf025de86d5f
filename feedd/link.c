#include "feedd/link.h"

#include <string.h>

#include "libcore/check.h"

#define MS_NS  UINT64_C(1000000)
#define SEC_NS UINT64_C(1000000000)

/*
 * How a venue wants to be treated. Pings: Polymarket wants one each 10 s and
 * no more than one a second; Binance drops who sends 5 messages a second,
 * answers to its own pings included; Hyperliquid closes after 60 s without a
 * message from us and wants one each 15 to 30 s.
 */
static const struct manners {
	uint64_t ping_ns_min;
	uint64_t ping_ns_max;
	uint64_t open_ns; /* between connections, in the long run */
	uint64_t burst_n; /* connections at once */
} manners[VENUE_N] = {
    [VENUE_POLYMARKET] = {SEC_NS, 10 * SEC_NS, SEC_NS, 32},
    [VENUE_BINANCE] = {SEC_NS, 60 * SEC_NS, 6 * SEC_NS, 10},
    [VENUE_HYPERLIQUID] = {250 * MS_NS, 15 * SEC_NS, 4 * SEC_NS, 6},
};

static uint64_t
ping_interval_ns(const struct link *l, const struct cfg *cfg)
{
	const struct manners *m = &manners[l->venue];
	uint64_t want = (uint64_t)cfg->latency_ping_interval.ns;

	if (want < m->ping_ns_min)
		return m->ping_ns_min;
	return want > m->ping_ns_max ? m->ping_ns_max : want;
}

bool
budget_take(
    struct budget *b, enum venue venue, uint64_t now_ns, uint64_t *due_ns)
{
	const struct manners *m = &manners[venue];
	uint64_t ahead_ns = (m->burst_n - 1) * m->open_ns;

	CHECK(venue >= VENUE_POLYMARKET && venue < VENUE_N);
	if (b->at_ns > now_ns + ahead_ns) {
		*due_ns = b->at_ns - ahead_ns;
		return false;
	}
	b->at_ns = (b->at_ns > now_ns ? b->at_ns : now_ns) + m->open_ns;
	return true;
}

static uint64_t
stale_ns(const struct link *l, const struct cfg *cfg)
{
	return (uint64_t)cfg_feed_stale_ns(cfg, (enum venue)l->venue);
}

void
link_init(struct link *l, enum venue venue, uint8_t conn)
{
	CHECK(venue >= VENUE_POLYMARKET && venue < VENUE_N);
	memset(l, 0, sizeof(*l));
	l->venue = (uint8_t)venue;
	l->conn = conn;
	l->state = LINK_DOWN;
}

void
link_want(struct link *l, bool wanted, uint64_t now_ns)
{
	if (wanted && !l->wanted)
		l->retry_ns = now_ns;
	l->wanted = wanted;
}

void
link_up(struct link *l, uint64_t now_ns)
{
	l->state = LINK_UP;
	l->complete = false;
	l->was_ready = false;
	l->closing = false;
	l->awaiting = false;
	l->overdue = false;
	l->has_pong = false;
	l->has_data = false;
	l->leaving = REASON_NONE;
	l->msgs = 0;
	l->age_us = 0;
	l->has_rtt = false;
	l->rtt_us = 0;
	l->rtt_ema_us = 0;
	l->up_ns = now_ns;
	l->ping_ns = 0;
	l->recv_ns = now_ns;
	l->data_ns = now_ns;
	if (l->opens > 0)
		l->reconnects++;
	l->opens++;
	clockoff_reset(&l->clock);
}

static uint64_t
backoff_ns(const struct link *l, const struct cfg *cfg, uint64_t random)
{
	uint64_t most = (uint64_t)cfg->feed_reconnect_max.ns;
	uint64_t step = (uint64_t)cfg->feed_reconnect_min.ns;

	for (uint32_t i = 0; i < l->attempt && step < most; i++)
		step *= 2;
	if (step > most)
		step = most;
	return step / 2 + random % (step / 2 + 1);
}

void
link_down(
    struct link *l, const struct cfg *cfg, uint64_t now_ns, uint64_t random)
{
	uint64_t healthy_ns = (uint64_t)cfg->feed_healthy_after.ns;

	if (link_is_live(l) && now_ns >= l->up_ns + healthy_ns)
		l->attempt = 0;
	l->state = LINK_DOWN;
	l->complete = false;
	l->closing = false;
	l->awaiting = false;
	l->overdue = false;
	l->retry_ns = now_ns + backoff_ns(l, cfg, random);
	if (l->attempt < 32)
		l->attempt++;
}

void
link_recv(struct link *l, uint64_t now_ns, bool is_data)
{
	l->recv_ns = now_ns;
	if (!is_data)
		return;
	l->has_data = true;
	l->data_ns = now_ns;
	l->msgs++;
}

void
link_stamp(struct link *l, uint64_t now_ns, int64_t wall_ns, int64_t venue_ns)
{
	int64_t age_us;

	if (venue_ns <= 0)
		return;
	age_us = clockoff_age(&l->clock, now_ns, wall_ns, venue_ns) / NS_PER_US;
	l->age_us = (int32_t)i64_clamp(age_us, INT32_MIN, INT32_MAX);
}

static void
sample(struct link *l, const struct cfg *cfg, uint64_t rtt_ns)
{
	uint64_t us = rtt_ns / (uint64_t)NS_PER_US;
	int64_t ema = l->rtt_ema_us;

	l->rtt_us = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
	if (!l->has_rtt)
		ema = l->rtt_us;
	else
		ema += i64_mul_div(
		    (int64_t)l->rtt_us - ema, cfg->latency_ema_weight.e8, E8);
	l->has_rtt = true;
	l->rtt_ema_us = (uint32_t)i64_clamp(ema, 0, UINT32_MAX);
}

void
link_pong(struct link *l, const struct cfg *cfg, uint64_t now_ns)
{
	if (!link_is_live(l))
		return;
	l->recv_ns = now_ns;
	l->has_pong = true;
	if (!l->awaiting)
		return;
	l->awaiting = false;
	l->overdue = false;
	sample(l, cfg, now_ns > l->ping_ns ? now_ns - l->ping_ns : 0);
}

/* When no data is too long ago; 0 never. The first of a connection may take
 * twice as long as a snapshot more. */
static uint64_t
idle_at_ns(const struct link *l, const struct cfg *cfg)
{
	uint64_t first = 2 * (uint64_t)cfg->feed_snapshot_timeout.ns;

	if (l->idle_ns == 0)
		return 0;
	return l->data_ns + l->idle_ns + (l->has_data ? 0 : first);
}

/* When the connection has been silent for too long to be kept. */
static uint64_t
dead_ns(const struct link *l, const struct cfg *cfg)
{
	uint64_t at = l->recv_ns + 2 * stale_ns(l, cfg);
	uint64_t idle = idle_at_ns(l, cfg);

	return idle != 0 && idle < at ? idle : at;
}

/* When the missing pong is (again) worth a sample; 0 never. */
static uint64_t
overdue_ns(const struct link *l, const struct cfg *cfg)
{
	if (!l->awaiting || (l->pong_lax && !l->has_pong))
		return 0;
	if (l->overdue)
		return l->sample_ns + ping_interval_ns(l, cfg);
	return l->ping_ns + (uint64_t)cfg->latency_pong_overdue.ns;
}

/* When the missing pong ends the connection; 0 never. One that is silent
 * altogether has dead_ns. */
static uint64_t
give_up_ns(const struct link *l, const struct cfg *cfg)
{
	uint64_t limit = (uint64_t)cfg->latency_pong_give_up.ns;
	uint64_t least = 2 * (uint64_t)cfg->latency_pong_overdue.ns;

	if (!l->awaiting || l->pong_lax || l->recv_ns <= l->ping_ns)
		return 0;
	return l->ping_ns + (limit > least ? limit : least);
}

enum link_do
link_timer(struct link *l, const struct cfg *cfg, uint64_t now_ns)
{
	uint64_t due;

	if (l->state == LINK_DOWN) {
		if (!l->wanted || now_ns < l->retry_ns)
			return LINK_DO_NOTHING;
		l->state = LINK_CONNECTING;
		return LINK_DO_OPEN;
	}
	if (l->state == LINK_CONNECTING || l->closing)
		return LINK_DO_NOTHING;
	if (now_ns >= dead_ns(l, cfg)) {
		l->closing = true;
		return LINK_DO_CLOSE;
	}
	due = give_up_ns(l, cfg);
	if (due != 0 && now_ns >= due) {
		l->closing = true;
		return LINK_DO_GIVE_UP;
	}
	due = overdue_ns(l, cfg);
	if (due != 0 && now_ns >= due) {
		l->overdue = true;
		l->sample_ns = now_ns;
		sample(l, cfg, now_ns - l->ping_ns);
	}
	if (!l->awaiting && now_ns >= l->ping_ns + ping_interval_ns(l, cfg)) {
		l->awaiting = true;
		l->ping_ns = now_ns;
		return LINK_DO_PING;
	}
	return LINK_DO_NOTHING;
}

uint64_t
link_due(const struct link *l, const struct cfg *cfg)
{
	uint64_t due;
	uint64_t stale;
	uint64_t over;
	uint64_t end;

	if (l->state == LINK_DOWN)
		return l->wanted ? l->retry_ns : 0;
	if (l->state == LINK_CONNECTING || l->closing)
		return 0;
	due = dead_ns(l, cfg);
	stale = l->recv_ns + stale_ns(l, cfg) + 1;
	if (l->state != LINK_STALE && stale < due)
		due = stale;
	over = overdue_ns(l, cfg);
	if (over != 0 && over < due)
		due = over;
	end = give_up_ns(l, cfg);
	if (end != 0 && end < due)
		due = end;
	if (!l->awaiting && l->ping_ns + ping_interval_ns(l, cfg) < due)
		due = l->ping_ns + ping_interval_ns(l, cfg);
	return due;
}

void
link_eval(struct link *l, const struct cfg *cfg, uint64_t now_ns)
{
	if (!link_is_live(l))
		return;
	if (l->closing || now_ns > l->recv_ns + stale_ns(l, cfg) ||
	    now_ns > dead_ns(l, cfg))
		l->state = LINK_STALE;
	else if ((!l->complete && !l->was_ready) || !l->has_data)
		l->state = LINK_UP;
	else if (l->state != LINK_READY) {
		l->state = LINK_READY;
		l->was_ready = true;
		l->ready_ns = now_ns;
	}
}

void
link_report(const struct link *l, uint64_t now_ns, struct tick_link *out)
{
	uint64_t quiet_ms = now_ns > l->data_ns
				? (now_ns - l->data_ns) / (uint64_t)NS_PER_MS
				: 0;

	memset(out, 0, sizeof(*out));
	out->rtt_us = l->rtt_us;
	out->rtt_ema_us = l->rtt_ema_us;
	out->age_us = l->age_us;
	out->quiet_ms = quiet_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)quiet_ms;
	out->msgs = l->msgs;
	out->venue = l->venue;
	out->conn = l->conn;
	out->state = l->state;
	out->overdue = l->overdue;
	out->reconnects = l->reconnects;
}
