/*
 * engine.h - quoted, riskd and execd in one process, in virtual time.
 *
 * What    : the pure cores of the stages, joined as topo.def says: ticks go
 *           in, messages go from core to core in a fixed order, paper orders
 *           rest at the paper port (execd/paperdesk.h), or orders go to a
 *           venue of the caller's (engine_venue).
 * Latency : `feed` delays ticks to quoted and riskd, not to the port, whose
 *           book is the venue's; `order` is how long an order, a cancel or a
 *           reduction takes from execd to the venue (NULL: what
 *           exec.paper_latency says); `response` how long its answer takes
 *           back. Messages of one ring never overtake each other.
 * Time    : the caller moves it: engine_run(now) does all that is due, then
 *           ticks of that moment are given.
 * Same    : config, seed and ticks give the same messages, to the byte.
 * Limits  : CHECK on messages that are under way.
 */
#ifndef BACKTEST_ENGINE_H
#define BACKTEST_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/latency.h"
#include "execd/port.h"
#include "libshm/cfg.h"
#include "libshm/instr.h"
#include "libshm/slots.h"
#include "libshm/topo.h"
#include "riskd/risk.h"

struct engine;

/* What the caller may watch. Any may be NULL. */
struct engine_hooks {
	void *user;
	/* every message of a core, when it is said */
	void (*msg)(void *user, enum ring_id ring, const struct order *o,
	    uint64_t now_ns);
	/* after each step of riskd */
	void (*risk)(void *user, const struct risk *r,
	    const struct core_out *out, uint64_t now_ns);
};

/* A venue of the caller's: takes each act of order management when it is
 * decided, and answers by engine_port, never within the call. `order` and
 * `response` do not apply; NORMAL from the start. */
struct engine_venue {
	void *user;
	void (*act)(void *user, enum venue v, const struct port_act *a,
	    uint64_t now_ns);
};

struct engine_args {
	const struct cfg *cfg;
	struct engine_venue venue; /* act NULL: the paper port           */
	struct latency *feed; /* NULL: none                               */
	struct latency *order;
	struct latency *response;
	struct engine_hooks hooks;
};

struct engine_count {
	uint64_t ticks;
	uint64_t intents;
	uint64_t verdicts;
	uint64_t passed;
	uint64_t orders;
	uint64_t cancels;
	uint64_t acks;
	uint64_t fills;
	uint64_t rejects;
	uint64_t freezes;  /* times a venue's mask left 0                  */
	uint64_t msg_hash; /* of every message, in order                  */
};

/* engine_new - nothing known; NULL: no memory. */
struct engine *engine_new(const struct engine_args *a);
void engine_free(struct engine *e);

/* engine_next_ns - when a message arrives or a core wants to be woken; 0:
 * never. engine_run - all that is due at now_ns. */
uint64_t engine_next_ns(const struct engine *e);
void engine_run(struct engine *e, uint64_t now_ns);

/* engine_tick - market data at now_ns; in: of a TICK_INSTR, else NULL. The
 * tick's recv_ns is on the engine's clock. */
void engine_tick(struct engine *e, enum venue v, const struct tick *t,
    const struct instr *in, uint64_t now_ns);

/* engine_port - what happened at a venue of the caller's. */
void engine_port(struct engine *e, enum venue v, const struct port_event *ev,
    uint64_t now_ns);

/* engine_wall_step - from now on UTC is off by so much. */
void engine_wall_step(struct engine *e, int64_t step_ns);

const struct engine_count *engine_count(const struct engine *e);
const struct risk *engine_risk(const struct engine *e);
uint64_t engine_quote_hash(const struct engine *e);
uint64_t engine_risk_hash(const struct engine *e);

/* engine_hash - of every message and the end state of every core. */
uint64_t engine_hash(const struct engine *e);

#endif
