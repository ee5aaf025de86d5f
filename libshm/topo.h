/*
 * topo.h - the pipeline as two tables, expanded from topo.def.
 *
 * Data only: stages, rings, and small look-ups. Pure: yes.
 */
#ifndef LIBSHM_TOPO_H
#define LIBSHM_TOPO_H

#include <stdint.h>

#include "libcore/types.h"

#define STAGE_HOT    0x01u /* on the path of an order                     */
#define STAGE_SOCK   0x02u /* sleeps in a socket loop, woken by its FIFO  */
#define STAGE_SEALED 0x04u /* no network, no files after start            */
#define STAGE_POLL   0x08u /* polls; the hot path never wakes it          */

enum ring_full {
	RING_FULL_DROP = 1,
	RING_FULL_NEWEST = 2,
	RING_FULL_NEVER = 3,
	RING_FULL_TAP = 4,
	RING_FULL_FREEZE = 5,
	RING_FULL_N
};

enum ring_content {
	RING_TOP = 1,
	RING_FULL = 2,
	RING_MSG = 3,
	RING_CONTENT_N
};

/* Stages and rings count from 0: they index arrays. */
enum stage_id {
#define STAGE(id, name, program, venue, flags) ST_##id,
#define RING(...)
#include "libshm/topo.def"
#undef STAGE
#undef RING
	ST_N
};

enum ring_id {
#define STAGE(...)
#define RING(id, name, writer, reader, slot_sz, depth, full, content) RG_##id,
#include "libshm/topo.def"
#undef STAGE
#undef RING
	RG_N
};

struct stage_def {
	const char *name;    /* "feedd.binance"                           */
	const char *program; /* "feedd"                                   */
	uint8_t venue;	     /* enum venue or 0                           */
	uint8_t flags;	     /* STAGE_*                                   */
};

struct ring_def {
	const char *name;
	uint8_t writer; /* enum stage_id                                  */
	uint8_t reader;
	uint8_t full;	 /* enum ring_full                                */
	uint8_t content; /* enum ring_content                             */
	uint32_t slot_sz;
	uint32_t depth; /* power of two                                   */
};

extern const struct stage_def topo_stages[ST_N];
extern const struct ring_def topo_rings[RG_N];

/* topo_stage_find - stage by name; -1 when there is none. */
int topo_stage_find(const char *name);

/* topo_ring_find - ring by name; -1 when there is none. */
int topo_ring_find(const char *name);

/* topo_stage_match - does a name given by a person select this stage?
 * "all", the full name, or the program ("feedd" selects every instance). */
int topo_stage_match(enum stage_id id, const char *name);

#endif
