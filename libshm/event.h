/*
 * event.h - what a stage's core is given, and what it gives back.
 *
 * Every core has the same shape:
 *   <verb>_init(state, cfg, epoch)    caller's memory
 *   <verb>_step(state, event, out)    one event, completely, bounded
 *   <verb>_hash(state)                of everything that decides
 * Time is in the event. Effects are in `out`; the shell carries them out.
 * The daemon, the backtester, the simulation and the tests drive the same
 * functions. Data only; pure.
 */
#ifndef LIBSHM_EVENT_H
#define LIBSHM_EVENT_H

#include <stdint.h>

#include "libshm/slots.h"
#include "libshm/topo.h"

struct cfg;
struct instr;

enum event_kind {
	EV_SLOT = 1,  /* a slot from ring `ring`                          */
	EV_TIMER = 2, /* the wake time the core asked for has come        */
	EV_CFG = 3,   /* a new config epoch: `cfg`                        */
	EV_STOP = 4,  /* wind down: withdraw everything                   */
	EVENT_KIND_N
};

struct event {
	enum event_kind kind;
	uint16_t ring;	     /* EV_SLOT: enum ring_id                        */
	uint8_t redelivered; /* EV_SLOT: may have been seen in a former life */
	uint64_t now_ns;     /* CLOCK_MONOTONIC, or virtual                  */
	int64_t wall_ns;     /* UTC                                          */
	const union tap *slot;	   /* EV_SLOT                             */
	const struct instr *instr; /* EV_SLOT of TICK_INSTR: the entry    */
	const struct cfg *cfg;	   /* EV_CFG                              */
};

#define CORE_OUT_MAX 64u

/* Orders out of quoted, riskd and execd. */
struct core_out {
	uint32_t n;
	uint64_t wake_ns; /* next EV_TIMER wanted, 0 none                 */
	struct {
		uint16_t ring; /* enum ring_id                            */
		struct order order;
	} msg[CORE_OUT_MAX];
};

/* core_out_reset - before each step. */
static inline void
core_out_reset(struct core_out *out)
{
	out->n = 0;
	out->wake_ns = 0;
}

/* core_out_add - room for one more message, zeroed; CHECK when full: each
 * core bounds what one event can cause below CORE_OUT_MAX. */
struct order *core_out_add(struct core_out *out, enum ring_id ring);

#endif
