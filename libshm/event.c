#include "libshm/event.h"

#include <string.h>

#include "libcore/check.h"

struct order *
core_out_add(struct core_out *out, enum ring_id ring)
{
	CHECK(out->n < CORE_OUT_MAX);
	CHECK(ring < RG_N);
	out->msg[out->n].ring = (uint16_t)ring;
	memset(&out->msg[out->n].order, 0, sizeof(struct order));
	return &out->msg[out->n++].order;
}
