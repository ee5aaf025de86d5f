#include "feedd/unknown.h"

#include "libcore/check.h"

void
unknown_known(struct unknown *u)
{
	u->since_ns = 0;
	u->told_ns = 0;
}

void
unknown_pause(struct unknown *u)
{
	u->since_ns = 0;
}

uint64_t
unknown_due(const struct unknown *u, uint64_t after_ns)
{
	uint64_t first = u->since_ns + after_ns;
	uint64_t again = u->told_ns + UNKNOWN_EVERY_NS;

	if (u->since_ns == 0)
		return 0;
	return u->told_ns != 0 && again > first ? again : first;
}

bool
unknown_take(struct unknown *u, uint64_t now_ns, uint64_t after_ns)
{
	CHECK(now_ns > 0);
	if (u->since_ns == 0)
		u->since_ns = now_ns;
	if (now_ns < unknown_due(u, after_ns))
		return false;
	u->told_ns = now_ns;
	return true;
}
