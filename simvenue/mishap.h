/*
 * mishap.h - how a desk or the world asks whether a fault (fault.h) happens.
 *
 * What : whoever has the rules answers and counts; without anybody nothing
 *        ever goes wrong. Pure: yes.
 */
#ifndef SIMVENUE_MISHAP_H
#define SIMVENUE_MISHAP_H

#include "simvenue/fault.h"

struct mishaps {
	/* NULL: never. True: it happens now, *value is its rule's */
	bool (*trips)(void *user, enum venue v, enum fault f, int64_t *value);
	void *user;
};

static inline bool
mishap(const struct mishaps *m, enum venue v, enum fault f, int64_t *value)
{
	return m != NULL && m->trips != NULL && m->trips(m->user, v, f, value);
}

#endif
