/*
 * cfgpage.h - the configuration of a running instance, in shared memory.
 *
 * What      : the file `config` of the instance directory: a header, then
 *             struct cfg under a seqlock with an epoch. The supervisor is
 *             the one writer; stages and observers map it read-only.
 * Invariant : readers see a whole configuration or none; an epoch is
 *             published once and only grows. A writer that dies in the middle
 *             leaves the last whole configuration in force: two copies are
 *             kept and the epoch names the good one.
 * Cost      : looking for a new epoch is one acquire load.
 * Limits    : the file is made with a temporary name and renamed into place;
 *             it is never truncated or re-initialised.
 */
#ifndef LIBSHM_CFGPAGE_H
#define LIBSHM_CFGPAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/cfg.h"
#include "libshm/err.h"
#include "libshm/shm.h"

#define CFGPAGE_NAME "config"

/* One process's view. */
struct cfgpage {
	struct shm_map map;
	bool writable;
};

/*
 * cfgpage_create - make the page in directory dirfd with epoch 1 holding c,
 * and map it for writing. An existing page is not replaced (-EEXIST): adopt
 * it with cfgpage_attach.
 * Returns : 0, or a negative errno with a sentence in *e; nothing is left
 *           behind. A full /dev/shm is -ENOSPC. Needs a valid c (CHECK).
 */
int cfgpage_create(struct cfgpage *p, int dirfd, uint64_t run_id,
    const struct cfg *c, struct err *e);

/*
 * cfgpage_attach - map an existing page; writable only for the supervisor
 * that adopts a running instance. Refusals: shm_attach in shm.h.
 */
int cfgpage_attach(struct cfgpage *p, int dirfd, bool writable, struct err *e);

/* cfgpage_detach - unmap; p may be attached again. */
void cfgpage_detach(struct cfgpage *p);

/*
 * cfgpage_publish - make c the configuration, all or nothing.
 * Returns : the new epoch. Needs a writable view and a valid c (CHECK).
 */
uint64_t cfgpage_publish(struct cfgpage *p, const struct cfg *c);

/* cfgpage_epoch - epoch in force; compare with the last one read. */
uint64_t cfgpage_epoch(const struct cfgpage *p);

/*
 * cfgpage_read - copy the configuration in force to *c, its epoch to *epoch.
 * Returns : 0; -EAGAIN when the writer published CFGPAGE_TRIES times during
 *           the copy (try at the next housekeeping); -EBADMSG when a field is
 *           out of range. *c is untouched on failure.
 */
#define CFGPAGE_TRIES 8
int cfgpage_read(const struct cfgpage *p, struct cfg *c, uint64_t *epoch);

#endif
