/*
 * screen_io.h - the live view in a terminal.
 */
#ifndef SHMTOP_SCREEN_IO_H
#define SHMTOP_SCREEN_IO_H

#include <stdbool.h>

#include "shmtop/sample_io.h"

/* screen_run - until q or a signal. Needs a terminal on stdin and stdout.
 * Returns the exit code. */
int screen_run(struct sampler *s, unsigned hz, bool ascii);

#endif
