/*
 * gate.h - may anything be sent now?
 *
 * The shell asks immediately before each step that could send, and gives the
 * answer to the core (exec_freeze) when it changed. On the edge to frozen
 * the core withdraws everything at once; while frozen it places nothing.
 */
#ifndef EXECD_GATE_H
#define EXECD_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/reasons.h"
#include "libshm/ctl.h"

/* exec_gate - 0: yes; else the freeze bits that forbid it, FREEZE_RISKD_DEAD
 * when the lease has run out. A few ns. */
uint64_t exec_gate(const struct ctl *c, enum venue v, uint64_t now_ns);

/* gate_reason - the reason to report for a mask; FROZEN when it is 0 (an
 * orderly stop). */
enum reason gate_reason(uint64_t mask);

#endif
