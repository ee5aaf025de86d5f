#include "feedd/clockoff.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/fixed.h"

void
clockoff_reset(struct clockoff *c)
{
	memset(c, 0, sizeof(*c));
}

static void
restart_if_back(struct clockoff *c, int64_t venue_ns)
{
	uint32_t back_n = c->back_n;

	if (c->venue_ns == 0 || venue_ns >= c->venue_ns - CLOCKOFF_BACK_NS)
		return;
	clockoff_reset(c);
	c->back_n = back_n + 1;
}

static void
roll(struct clockoff *c, uint64_t now_ns, int64_t diff_ns)
{
	if (c->window_n == 0) {
		c->window_n = 1;
		c->start_ns = now_ns;
		c->min_ns[0] = diff_ns;
		return;
	}
	if (now_ns >= c->start_ns + (uint64_t)CLOCKOFF_WINDOW_NS) {
		c->min_ns[1] = c->min_ns[0];
		c->min_ns[0] = diff_ns;
		c->start_ns = now_ns;
		c->window_n = 2;
		return;
	}
	c->min_ns[0] = i64_min(c->min_ns[0], diff_ns);
}

int64_t
clockoff_age(
    struct clockoff *c, uint64_t now_ns, int64_t wall_ns, int64_t venue_ns)
{
	int64_t diff_ns = wall_ns - venue_ns;
	int64_t min_ns;

	CHECK(venue_ns > 0);
	restart_if_back(c, venue_ns);
	min_ns = c->window_n == 0   ? diff_ns
		 : c->window_n == 1 ? c->min_ns[0]
				    : i64_min(c->min_ns[0], c->min_ns[1]);
	roll(c, now_ns, diff_ns);
	c->venue_ns = i64_max(c->venue_ns, venue_ns);
	return diff_ns - min_ns;
}
