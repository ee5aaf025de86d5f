/*
 * bookfile_io.h - the durable book of a gateway: a file of the instance that
 * is mapped, so that what was written is there after kill -9.
 *
 * What   : `book.<stage>` of mode 0600, made by its first life, zeroed; the
 *          port works in it in place. One owner at a time.
 * Torn   : a kill can come between two stores; making sense of that is the
 *          port's (gw_hl_state.h, gw_pm_state.h).
 * Refused: owner, rights, magic, boot, version or layout that do not match:
 *          logged with what to do; never overwritten, for there may be orders
 *          in it that rest at the venue.
 */
#ifndef EXECD_BOOKFILE_IO_H
#define EXECD_BOOKFILE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libshm/instance.h"
#include "libshm/shm.h"

struct bookfile {
	struct shm_map map;
	void *mem; /* n bytes, aligned to 64 */
};

/*
 * bookfile_open - stage: its name. layout: a number that differs whenever
 * the structure does. *fresh: it was made now.
 * Returns 0 or an exit code, logged.
 */
int bookfile_open(struct bookfile *f, const struct instance *in,
    const char *stage, size_t n, uint64_t layout, bool *fresh);

/* bookfile_close - lets go of the file, which stays. Nothing when closed. */
void bookfile_close(struct bookfile *f);

#endif
