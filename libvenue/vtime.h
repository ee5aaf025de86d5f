/*
 * vtime.h - the venues' integer times, told apart by magnitude.
 *
 * Below 1e11 they are seconds, below 1e14 milliseconds, below 1e17
 * microseconds; the borders are far from any date that can occur.
 * Pure: yes.
 */
#ifndef LIBVENUE_VTIME_H
#define LIBVENUE_VTIME_H

#include <stdbool.h>
#include <stdint.h>

/* vtime_ns - ns since 1970; false, *ns untouched, past the year 2262. */
static inline bool
vtime_ns(uint64_t t, int64_t *ns)
{
	uint64_t scale = t < UINT64_C(100000000000)	 ? 1000000000
			 : t < UINT64_C(100000000000000) ? 1000000
							 : 1000;

	if (t > (uint64_t)INT64_MAX / scale)
		return false;
	*ns = (int64_t)(t * scale);
	return true;
}

#endif
