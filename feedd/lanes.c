#include "feedd/feed_int.h"
#include "libcore/check.h"

/* Both lanes run on for this long before the old one is closed. */
#define LINGER_NS UINT64_C(2000000000)

static bool
is_ab(const struct feed *f)
{
	return f->venue == VENUE_POLYMARKET ? f->cfg.polymarket_ab
	       : f->venue == VENUE_BINANCE  ? f->cfg.binance_ab
					    : f->cfg.hyperliquid_ab;
}

static uint64_t
rotate_ns(const struct feed *f)
{
	const dur_t *d =
	    f->venue == VENUE_POLYMARKET ? &f->cfg.polymarket_rotate
	    : f->venue == VENUE_BINANCE	 ? &f->cfg.binance_rotate
					 : &f->cfg.hyperliquid_rotate;

	return (uint64_t)d->ns;
}

bool
feed_is_live(const struct feed *f, uint8_t conn)
{
	return link_is_live(&f->link[conn]);
}

bool
feed_is_carried(const struct feed *f, uint8_t conn)
{
	return link_is_live(&f->link[feed_other(conn)]);
}

/* READY, UP, STALE, CONNECTING, DOWN, and without a missing pong first. */
static uint32_t
rank(const struct link *l)
{
	static const uint8_t by_state[LINK_STATE_N] = {
	    [LINK_READY] = 8,
	    [LINK_UP] = 6,
	    [LINK_STALE] = 4,
	    [LINK_CONNECTING] = 2,
	};

	return by_state[l->state] + (l->overdue ? 0u : 1u);
}

uint8_t
feed_best(const struct feed *f, uint8_t shard)
{
	uint8_t a = f->shard[shard].main;
	uint8_t b = feed_other(a);

	return rank(&f->link[b]) > rank(&f->link[a]) ? b : a;
}

void
feed_idle(struct feed *f, uint8_t shard, uint64_t idle_ns)
{
	f->link[shard].idle_ns = idle_ns;
	f->link[feed_other(shard)].idle_ns = idle_ns;
}

static bool
is_due(const struct feed *f, const struct link *l)
{
	uint64_t rotate = rotate_ns(f);

	if (!link_is_live(l) || l->closing)
		return false;
	return l->leaving != REASON_NONE ||
	       (rotate != 0 && f->now_ns >= l->up_ns + rotate);
}

/* Does a lane carry the shard, and long enough that what the other one had
 * under way has come? */
static bool
has_taken_over(const struct feed *f, const struct link *l)
{
	return l->state == LINK_READY && f->now_ns >= l->ready_ns + LINGER_NS;
}

static void
drop_lane(struct feed *f, struct link *l)
{
	link_want(l, false, f->now_ns);
	feed_reconnect(f, l->conn, REASON_NONE);
}

void
lanes_run(struct feed *f, uint8_t shard)
{
	struct shard *s = &f->shard[shard];
	struct link *a = &f->link[s->main];
	struct link *b = &f->link[feed_other(s->main)];

	if (!s->wanted || f->stopping) {
		drop_lane(f, a);
		drop_lane(f, b);
		return;
	}
	if ((is_due(f, a) && has_taken_over(f, b)) ||
	    (b->state == LINK_READY && a->state != LINK_READY) ||
	    (!link_is_live(a) && rank(b) > rank(a))) {
		struct link *swap = a;

		a = b;
		b = swap;
		s->main = a->conn;
	}
	link_want(a, true, f->now_ns);
	if (!is_ab(f) && !is_due(f, a)) {
		drop_lane(f, b);
		return;
	}
	link_want(b, true, f->now_ns);
	if (is_due(f, b) && has_taken_over(f, a))
		feed_reconnect(f, b->conn, REASON_NONE);
}

uint64_t
lanes_due(const struct feed *f, uint8_t shard)
{
	uint64_t rotate = rotate_ns(f);
	uint64_t due = UINT64_MAX;

	if (!f->shard[shard].wanted || f->stopping)
		return 0;
	for (uint8_t c = shard; c < FEED_CONN_N; c += FEED_LANES) {
		const struct link *l = &f->link[c];
		uint64_t ready = l->ready_ns + LINGER_NS;
		uint64_t old = l->up_ns + rotate;

		if (!link_is_live(l) || l->closing)
			continue;
		if (rotate != 0 && old > f->now_ns && old < due)
			due = old;
		if (l->state == LINK_READY && feed_is_carried(f, c) &&
		    ready > f->now_ns && ready < due)
			due = ready;
	}
	return due == UINT64_MAX ? 0 : due;
}

void
feed_want(struct feed *f, uint8_t shard, bool wanted)
{
	struct shard *s = &f->shard[shard];

	CHECK(shard < FEED_LANES);
	if (shard >= f->shard_n)
		f->shard_n = shard + 1u;
	s->wanted = wanted;
	f->told_link = true; /* due times have changed */
	lanes_run(f, shard);
}

void
feed_relieve(struct feed *f, uint8_t conn, enum reason why)
{
	CHECK(why != REASON_NONE && (unsigned)why <= UINT8_MAX);
	f->link[conn].leaving = (uint8_t)why;
	f->told_link = true;
	lanes_run(f, feed_shard(conn));
}

void
feed_relieve_all(struct feed *f, uint8_t shard, enum reason why)
{
	CHECK(shard < FEED_LANES);
	for (uint8_t c = shard; c < FEED_CONN_N; c += FEED_LANES)
		if (feed_is_live(f, c))
			feed_relieve(f, c, why);
}

bool
lanes_planned(const struct feed *f, const struct link *l, enum reason why,
    const char **cause)
{
	uint64_t rotate = rotate_ns(f);

	*cause = f->stopping			    ? "stop"
		 : l->leaving == REASON_PEER_CLOSED ? "announced"
		 : l->leaving != REASON_NONE	    ? "silent_stream"
		 : rotate != 0 && f->now_ns >= l->up_ns + rotate ? "rotation"
								 : "unneeded";
	if (why == REASON_NONE)
		return true;
	return l->leaving != REASON_NONE && feed_is_carried(f, l->conn);
}
