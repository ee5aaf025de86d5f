/*
 * paperdesk.h - order management and the paper port as one machine.
 *
 * What      : carries acts from exec.h to port_paper.h and events back until
 *             neither has anything more, within one call; market data goes to
 *             the books first, then to the orders that rest at the port.
 *             Messages that are due at the venue arrive before an event.
 * Kill -9   : paper orders outlive this process: a slot's record holds both
 *             sides, and market data that was not committed is delivered
 *             again. After a gap the place in the queue is the worse of what
 *             it was and what is displayed.
 * Latency   : a message takes exec.paper_latency and an exponential part of
 *             mean exec.paper_jitter, drawn by its number (libcore/latency.h);
 *             messages of one connection do not overtake one another.
 * Freeze    : urgent cancels take effect in the same call, so that after the
 *             last page of a withdrawal nothing rests.
 * Pure      : yes. Same bounds as its parts.
 */
#ifndef EXECD_PAPERDESK_H
#define EXECD_PAPERDESK_H

#include <stdbool.h>
#include <stdint.h>

#include "execd/exec.h"
#include "execd/port_paper.h"
#include "libcore/latency.h"

struct paperdesk {
	struct exec e;
	struct port_paper p;
	struct latency latency; /* exec.paper_latency, exec.paper_jitter  */
};

/* paperdesk_init - as exec_init, the venue NORMAL. Needs zeroed memory. */
void paperdesk_init(
    struct paperdesk *d, const struct cfg *cfg, enum venue v, uint64_t epoch);

/* As in exec.h. paperdesk_step and the others clear out; paperdesk_instr_set
 * adds. */
void paperdesk_step(
    struct paperdesk *d, const struct event *ev, struct core_out *out);
bool paperdesk_due(const struct paperdesk *d, uint64_t now_ns);
void paperdesk_freeze(
    struct paperdesk *d, uint64_t mask, uint64_t now_ns, struct core_out *out);
void paperdesk_sweep(
    struct paperdesk *d, uint64_t now_ns, struct core_out *out);
void paperdesk_instr_set(struct paperdesk *d, uint16_t instr,
    const struct instr *in, uint64_t now_ns, struct core_out *out);
uint64_t paperdesk_hash(const struct paperdesk *d);

/* Durable state, EXEC_REC_N records of EXEC_REC_SZ. */
void paperdesk_save(const struct paperdesk *d, uint32_t i, void *buf);
bool paperdesk_load(struct paperdesk *d, uint32_t i, const void *buf);
void paperdesk_loaded(struct paperdesk *d);
uint64_t paperdesk_layout(void);

#endif
