/*
 * sweep_io.h - orders outlive the process that placed them.
 *
 * What      : `execd --stage execd.X --instance I --sweep` withdraws
 *             everything of the account at that venue, asks the venue, and
 *             exits 0 when nothing rests. The core (supervise.h) says when;
 *             the result is in the control page, the log, `supervisor status`
 *             and the exit code of stop.
 * Modes     : sim and live. Paper orders die with their process.
 */
#ifndef SUPERVISOR_SWEEP_IO_H
#define SUPERVISOR_SWEEP_IO_H

#include "supervisor/daemon.h"

/* sweep_mask - stages that this configuration's orders can outlive. */
uint32_t sweep_mask(const struct cfg *c);

/* sweep_begin - run it; failing that, it has failed. */
void sweep_begin(struct supd *d, enum stage_id id);

/* sweep_ended - its process has ended: tell the page, the log, the core. */
void sweep_ended(struct supd *d, enum stage_id id, uint32_t status);

/* sweep_owed - stages that ended, and of which something may still rest. */
uint32_t sweep_owed(const struct supd *d);

/* sweep_left - nobody supervises and nothing runs: sweep one stage after the
 * other, and wait. Those that did not end flat. */
uint32_t sweep_left(const char *instance, const struct cfg *c);

/* sweep_name - "-", "sweeping", "flat", "FAILED". */
const char *sweep_name(uint64_t sweep);

#endif
