#include "feedd/watch.h"

#include "libcore/check.h"

void
stuck_news(struct stuck *s)
{
	s->since_ns = 0;
	s->n = 0;
}

bool
stuck_old(struct stuck *s, uint64_t now_ns)
{
	CHECK(now_ns > 0);
	if (s->n == 0)
		s->since_ns = now_ns;
	s->n++;
	if (s->n < WATCH_STUCK_N || now_ns < s->since_ns + WATCH_STUCK_NS)
		return false;
	stuck_news(s);
	return true;
}

void
quiet_seen(struct quiet *q, uint64_t now_ns)
{
	CHECK(now_ns > 0);
	q->seen_ns = now_ns;
	q->is_told = false;
}

void
quiet_stop(struct quiet *q)
{
	q->seen_ns = 0;
	q->is_told = false;
}

uint64_t
quiet_due(const struct quiet *q, uint64_t limit_ns)
{
	return q->seen_ns == 0 || q->is_told ? 0 : q->seen_ns + limit_ns;
}

bool
quiet_take(struct quiet *q, uint64_t now_ns, uint64_t limit_ns)
{
	uint64_t due_ns = quiet_due(q, limit_ns);

	if (due_ns == 0 || now_ns < due_ns)
		return false;
	q->is_told = true;
	return true;
}

bool
watch_is_crossed(const struct tick_bbo *bbo)
{
	return bbo->bid_qty.e8 > 0 && bbo->ask_qty.e8 > 0 &&
	       bbo->bid_px.e8 >= bbo->ask_px.e8;
}
