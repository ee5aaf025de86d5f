/*
 * trace.h - what riskd's core is given outside its steps, as it stands in the
 * trace (stage_trace_own), for exact replay. Each is written behind what the
 * call put out; LOST alone stands before the trace of the call whose message
 * found no room, and takes effect after it. Data only.
 */
#ifndef RISKD_TRACE_H
#define RISKD_TRACE_H

#include <stdint.h>

enum risk_trace {
	RISK_TRACE_BEGIN = 0, /* risk_trace_begin: the state of a new life   */
	RISK_TRACE_INSTR = 1, /* risk_trace_instr: risk_instr_set           */
	RISK_TRACE_TRIPPED = 2, /* risk_trace_instr: idx is the venue       */
	RISK_TRACE_WORLD = 3,	/* struct risk_world: risk_world_set         */
	RISK_TRACE_THAW = 4,	/* risk_thaw                                */
	RISK_TRACE_RELIST = 5,	/* risk_relist                               */
	RISK_TRACE_LOST = 6,	/* risk_trace_lost: risk_lost                */
	RISK_TRACE_N
};

/* Where the state of a new life comes from. */
enum risk_begun {
	RISK_BEGUN_FRESH = 1,
	RISK_BEGUN_STORE = 2, /* of the life before, in shared memory     */
	RISK_BEGUN_FILE = 3,  /* of another run, from the disk            */
	RISK_BEGUN_N
};

struct risk_trace_begin {
	uint64_t begun; /* enum risk_begun                                */
	uint64_t hash;	/* of the state                                   */
};

struct risk_trace_instr {
	uint64_t idx;
	uint64_t hash; /* of the entry as it was read                     */
};

struct risk_trace_lost {
	uint64_t id;
	uint16_t instr;
	uint8_t side;
	uint8_t level;
	uint8_t pad[4];
};

#endif
