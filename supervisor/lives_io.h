/*
 * lives_io.h - numbers of lives that are never given twice.
 *
 * What      : <state_dir>/epoch, one number N as text. Every life that a
 *             stage of this instance has begun has a number (own.epoch of its
 *             control page) of at most N. Order ids are made of it, so a life
 *             must never repeat one: not after a stop, not after kill -9 of
 *             everything, not after a reboot.
 * Use       : a new instance begins after N; before a stage is started whose
 *             next number would pass N, N grows by LIVES_BLOCK on disk first.
 * Fail safe : a file that cannot be understood is refused: guessing low would
 *             give ids out again. Only a missing one means 0.
 * Limit     : LIVES_MAX, 24 bits of an order id.
 */
#ifndef SUPERVISOR_LIVES_IO_H
#define SUPERVISOR_LIVES_IO_H

#include <stdint.h>

#include "libshm/err.h"

#define LIVES_FILE  "epoch"
#define LIVES_BLOCK UINT64_C(64)
#define LIVES_MAX   ((UINT64_C(1) << 24) - 1)

/* lives_load - N of a state directory; 0 when there is no file. */
int lives_load(const char *state_dir, uint64_t *n, struct err *e);

/* lives_reserve - make room above used: *n becomes used + LIVES_BLOCK, on
 * disk first. *n is untouched on failure. */
int lives_reserve(
    const char *state_dir, uint64_t used, uint64_t *n, struct err *e);

#endif
