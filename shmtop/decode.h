/*
 * decode.h - a slot as one line for people. Pure.
 */
#ifndef SHMTOP_DECODE_H
#define SHMTOP_DECODE_H

#include <stddef.h>

#include "libshm/slots.h"

/* decode_slot - "seq kind instrument what ..."; symbol may be NULL.
 * Returns buf. Anything may be in the slot: nothing is trusted. */
const char *decode_slot(
    const union tap *slot, const char *symbol, char *buf, size_t n);

#endif
