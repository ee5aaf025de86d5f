/*
 * json_io.h - a snapshot as one JSON object a line.
 */
#ifndef SHMTOP_JSON_IO_H
#define SHMTOP_JSON_IO_H

#include <stdio.h>

#include "shmtop/check.h"
#include "shmtop/snap.h"

void json_snap(const struct snap *s, const struct check_list *l, FILE *to);

/* json_slot - one observed slot. */
void json_slot(
    const union tap *slot, enum ring_id ring, const char *symbol, FILE *to);

#endif
