/*
 * trace.h - what quoted's core is given outside its steps, as it stands in
 * the trace (stage_trace_own), for exact replay. LOST stands before the trace
 * of the step whose message found no room, and takes effect after it. Data
 * only.
 */
#ifndef QUOTED_TRACE_H
#define QUOTED_TRACE_H

#include <stdint.h>

enum quote_trace {
	QUOTE_TRACE_LOST = 0, /* quote_trace_lost: quote_lost             */
	QUOTE_TRACE_N
};

struct quote_trace_lost {
	uint64_t id;
	uint16_t instr;
	uint8_t side;
	uint8_t level;
	uint8_t pad[4];
};

#endif
