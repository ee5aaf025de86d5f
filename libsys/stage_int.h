/*
 * stage_int.h - what the files of the stage loop share among themselves.
 */
#ifndef LIBSYS_STAGE_INT_H
#define LIBSYS_STAGE_INT_H

#include "libsys/stage.h"

/* stage_ring.c */
int stage_rings_attach(struct stage *s);
void stage_rings_detach(struct stage *s);
/* stage_rings_owed - RESTART slots, gaps and snapshots that found no room. */
void stage_rings_owed(struct stage *s);
/* stage_rings_stalled - an output that must not lose has no room left. */
bool stage_rings_stalled(const struct stage *s);
/* stage_trace - one step, for exact replay. ev NULL: no slot. */
void stage_trace(
    struct stage *s, uint16_t ring, uint64_t seq, const struct event *ev);
/* stage_trace_hash - the state's hash, when the stage tells one. */
void stage_trace_hash(struct stage *s);

/* stage_wait.c */
int stage_wait_open(struct stage *s);
void stage_wait_close(struct stage *s);
/* stage_wait - sleep until there is something to do, or the limit. */
void stage_wait(struct stage *s);
const char *wait_policy_name(enum wait_policy w);

/* stage_args.c */
struct stage_args {
	const char *instance;
	enum stage_id id;
};
/* stage_args_parse - 0 to go on; else *code is the exit code. */
int stage_args_parse(struct stage_args *a, const struct stage_ops *ops,
    int argc, char **argv, int *code);

#endif
