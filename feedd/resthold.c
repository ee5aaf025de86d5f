#include "feedd/resthold.h"

#include "libcore/check.h"
#include "libcore/fixed.h"

#define MINUTE_NS (60 * NS_PER_S)

static void
hold(struct resthold *h, uint64_t until_ns)
{
	if (h->until_ns < until_ns)
		h->until_ns = until_ns;
}

void
resthold_take(struct resthold *h, const struct resthold_answer *a)
{
	CHECK(a->wall_ns >= 0);
	if (a->retry_after_s > 0)
		hold(h, a->now_ns + a->retry_after_s * (uint64_t)NS_PER_S);
	else if (a->status == 418 || a->status == 429)
		hold(h, a->now_ns + RESTHOLD_NS);
	if (a->used_weight >= RESTHOLD_WEIGHT)
		hold(h,
		    a->now_ns + (uint64_t)(MINUTE_NS - a->wall_ns % MINUTE_NS));
}

uint32_t
resthold_left_s(const struct resthold *h, uint64_t now_ns)
{
	uint64_t left_ns = h->until_ns > now_ns ? h->until_ns - now_ns : 0;
	uint64_t left_s =
	    (left_ns + (uint64_t)NS_PER_S - 1) / (uint64_t)NS_PER_S;

	return left_s > UINT32_MAX ? UINT32_MAX : (uint32_t)left_s;
}
