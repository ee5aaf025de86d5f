#include "libshm/topo.h"

#include <string.h>

#include "libcore/check.h"

const struct stage_def topo_stages[ST_N] = {
#define STAGE(id, name, program, venue, flags) \
	[ST_##id] = {name, program, venue, flags},
#define RING(...)
#include "libshm/topo.def"
#undef STAGE
#undef RING
};

const struct ring_def topo_rings[RG_N] = {
#define STAGE(...)
#define RING(id, name, writer, reader, slot_sz, depth, full, content)  \
	[RG_##id] = {name, ST_##writer, ST_##reader, RING_FULL_##full, \
	    RING_##content, slot_sz, depth},
#include "libshm/topo.def"
#undef STAGE
#undef RING
};

int
topo_stage_find(const char *name)
{
	CHECK(name != 0);
	for (int i = 0; i < ST_N; i++)
		if (strcmp(topo_stages[i].name, name) == 0)
			return i;
	return -1;
}

int
topo_ring_find(const char *name)
{
	CHECK(name != 0);
	for (int i = 0; i < RG_N; i++)
		if (strcmp(topo_rings[i].name, name) == 0)
			return i;
	return -1;
}

int
topo_stage_match(enum stage_id id, const char *name)
{
	CHECK(id < ST_N);
	CHECK(name != 0);
	return strcmp(name, "all") == 0 ||
	       strcmp(name, topo_stages[id].name) == 0 ||
	       strcmp(name, topo_stages[id].program) == 0;
}
