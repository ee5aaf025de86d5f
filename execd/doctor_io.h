/*
 * doctor_io.h - would orders of a venue be taken? Asked before any is sent.
 *
 * What    : the key is read, its address derived, orders and requests of the
 *           configured account are signed and the signer recovered from them
 *           (T-12); then the venue is asked: reachable, which generation,
 *           clocks, credentials, permission, money, allowances, budget.
 *           Nothing is placed, created or changed anywhere.
 * Output  : a line a check, `ok|warn|FAIL venue check text; advice`, or JSON
 *           {"venue","check","verdict","text"}. Never anything secret.
 * Run by  : `supervisor doctor`, which hands over the configuration and only
 *           the key of that venue.
 */
#ifndef EXECD_DOCTOR_IO_H
#define EXECD_DOCTOR_IO_H

#include <stdbool.h>

#include "libcore/types.h"
#include "libshm/cfg.h"

#define DOCTOR_FAILED 78

/* doctor_run - every check of a venue that trades. Returns 0, or
 * DOCTOR_FAILED when one failed; a warning is none. */
int doctor_run(const struct cfg *c, enum venue v, bool json);

/*
 * doctor_main - `execd --doctor VENUE [--json]` with struct cfg, as it lies in
 * memory, on standard input. Returns the exit code; EXIT_PERMANENT for other
 * words or an input of another build.
 */
int doctor_main(int argc, char **argv);

#endif
