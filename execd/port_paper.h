/*
 * port_paper.h - the port (port.h) of paper orders.
 *
 * What      : takes acts and market data, says what would have happened.
 *             A message reaches the venue a latency after it was sent, in
 *             event time; resting orders have a place in the queue of their
 *             price (libcore/queue.h) and are judged by paper.h.
 * Answers   : PLACE  REJECTED NO_BOOK without a complete book, POST_ONLY when
 *             it would cross; else FILLED for what it takes at once, then
 *             ACKED, or CANCELLED when nothing may rest (IOC, FOK).
 *             CANCEL CANCELLED; urgent: in the same call, and also for an
 *             order that is still on its way.  REDUCE  REDUCED, place kept.
 *             ASK    ACKED when it rests, nothing while it is on its way,
 *             else GONE.
 *             An act for an order that is over is not answered: it was.
 * Latency   : struct paper_latency, set by the caller before each act.
 * Kill -9   : an order is one record of the slot (port_paper_save); what was
 *             on its way goes on (port_paper_loaded).
 * Limit     : PAPER_FLIGHT messages under way; beyond it a place is REJECTED
 *             (FULL), a cancel or reduce takes effect at once.
 * Pure      : yes. O(ORDER_LEVELS) an event.
 */
#ifndef EXECD_PORT_PAPER_H
#define EXECD_PORT_PAPER_H

#include <stdbool.h>
#include <stdint.h>

#include "execd/market.h"
#include "execd/port.h"
#include "libcore/queue.h"

#define PAPER_SLOTS   4096u
#define PAPER_FLIGHT  (4u * PAPER_SLOTS)
#define PAPER_OUT_MAX 16u
#define PAPER_REC_SZ  128u

/* What one call says: events in order, the slots whose records changed. */
struct paper_out {
	uint32_t n;
	uint32_t touched_n;
	struct port_event ev[PAPER_OUT_MAX];
	uint32_t touched[PAPER_OUT_MAX];
};

/* paper_out_reset - before a call, unless it shall add. */
static inline void
paper_out_reset(struct paper_out *out)
{
	out->n = 0;
	out->touched_n = 0;
}

/* How long the next message takes; one never overtakes the last. */
struct paper_latency {
	uint64_t floor_ns;
};

enum paper_state {
	PAPER_NONE = 0,
	PAPER_FLYING = 1, /* on its way                                   */
	PAPER_RESTS = 2,
	PAPER_STATE_N
};

struct paper_slot {
	uint64_t id; /* 0: no order                                       */
	uint16_t instr;
	uint8_t side;
	uint8_t level;
	uint8_t state; /* enum paper_state                                */
	uint8_t tif;
	uint8_t oflags;
	uint8_t pad;
	px_t px;
	qty_t left;
	uint64_t place_due_ns; /* arrivals under way, 0 none             */
	uint64_t cancel_due_ns;
	uint64_t reduce_due_ns;
	qty_t reduce;
	uint64_t fill_n; /* its fills so far                              */
	struct queue queue;
};

struct paper_flight {
	uint64_t due_ns;
	uint64_t id;
	uint32_t slot;
	uint32_t what; /* enum port_do                                    */
};

struct port_paper {
	struct paper_latency latency;
	enum queue_model model;
	uint16_t base;
	uint16_t pad;
	uint32_t flight_n;
	uint32_t flight_at;
	struct paper_flight flight[PAPER_FLIGHT]; /* due_ns never falls   */
	uint16_t slot_of[MARKET_INSTR][SIDE_N][ORDER_LEVELS]; /* + 1      */
	struct paper_slot slot[PAPER_SLOTS];
};

/* port_paper_init - needs zeroed memory. */
void port_paper_init(struct port_paper *p, enum venue v, enum queue_model m,
    struct paper_latency latency);

/* port_paper_act - one act, sent now. */
void port_paper_act(struct port_paper *p, const struct market *m,
    const struct port_act *a, uint64_t now_ns, struct paper_out *out);

/* port_paper_due - when the next message arrives, 0: none is under way.
 * port_paper_arrive - the next one, when it is due; false: none is. */
uint64_t port_paper_due(const struct port_paper *p);
bool port_paper_arrive(struct port_paper *p, const struct market *m,
    uint64_t now_ns, struct paper_out *out);

/* port_paper_tick - market data that market_tick has taken (true). */
void port_paper_tick(struct port_paper *p, const struct market *m,
    const struct tick *t, uint64_t now_ns, struct paper_out *out);

/* Durable state: one record a slot. False: it makes no sense. */
void port_paper_save(const struct port_paper *p, uint32_t slot, void *buf);
bool port_paper_load(struct port_paper *p, uint32_t slot, const void *buf);
void port_paper_loaded(struct port_paper *p);

uint64_t port_paper_hash(const struct port_paper *p, uint64_t h);

#endif
