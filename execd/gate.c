#include "execd/gate.h"

#include "libcore/check.h"

uint64_t
exec_gate(const struct ctl *c, enum venue v, uint64_t now_ns)
{
	CHECK(v == VENUE_POLYMARKET || v == VENUE_HYPERLIQUID);
	return ctl_gate(c, v, now_ns);
}

enum reason
gate_reason(uint64_t mask)
{
	return mask == 0 ? REASON_FROZEN : freeze_reason(mask);
}
