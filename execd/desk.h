/*
 * desk.h - order management with whatever carries its acts out.
 *
 * What      : one table of functions, two machines: the paper port within the
 *             process (paperdesk.h), where acts take effect in the call; or
 *             order management alone, whose acts the shell carries to a
 *             gateway (live_io.h) once they are committed.
 * Records   : EXEC_REC_N of EXEC_REC_SZ, see exec.h.
 * Pure      : yes.
 */
#ifndef EXECD_DESK_H
#define EXECD_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "execd/exec.h"

struct desk_ops {
	size_t size; /* of the machine; zeroed memory of the caller */
	struct exec *(*init)(
	    void *d, const struct cfg *cfg, enum venue v, uint64_t epoch);
	/* step, freeze, sweep clear out; instr_set adds. */
	void (*step)(void *d, const struct event *ev, struct core_out *out);
	bool (*due)(const void *d, uint64_t now_ns);
	void (*freeze)(
	    void *d, uint64_t mask, uint64_t now_ns, struct core_out *out);
	void (*sweep)(void *d, uint64_t now_ns, struct core_out *out);
	void (*instr_set)(void *d, uint16_t instr, const struct instr *in,
	    uint64_t now_ns, struct core_out *out);
	void (*save)(const void *d, uint32_t i, void *buf);
	bool (*load)(void *d, uint32_t i, const void *buf);
	/* loaded - all records are in; what waits for answers from a venue
	 * that does not share our memory is asked about by steps. */
	void (*loaded)(void *d, uint64_t now_ns);
	uint64_t (*layout)(void);
};

extern const struct desk_ops desk_paper;
extern const struct desk_ops desk_live;

#endif
