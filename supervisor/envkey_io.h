/*
 * envkey_io.h - private keys in the environment, for execd alone.
 *
 * What      : POLYMARKET_PRIVATE_KEY and HYPERLIQUID_PRIVATE_KEY leave the
 *             environment as the program begins, overwritten where they lay.
 *             They wait in locked pages that core files leave out, and are
 *             handed to each life of execd of their venue, to nobody else.
 * Process   : holding one, it is not dumpable: nobody reads its memory or
 *             what its environment was.
 * Never     : logged, shown, written, part of a configuration.
 */
#ifndef SUPERVISOR_ENVKEY_IO_H
#define SUPERVISOR_ENVKEY_IO_H

#include <stdbool.h>

#include "libcore/types.h"
#include "libshm/cfg.h"
#include "libshm/topo.h"

/* envkey_take - call it before anything else. Returns 0, or a negative errno:
 * no locked page (RLIMIT_MEMLOCK), and the keys are gone. */
int envkey_take(void);

/* envkey_lock - again after a fork: locks are not inherited. */
int envkey_lock(void);

/* envkey_has - is there one for this venue? */
bool envkey_has(enum venue v);

/* envkey_name - of the venue's variable, NULL: it has none. */
const char *envkey_name(enum venue v);

/* envkey_environ - what a stage may see: our environment, and with execd the
 * key of its venue. The array is the caller's to free, NULL: no memory; the
 * texts are not. */
char **envkey_environ(enum stage_id id);

/*
 * envkey_check - can every venue that this configuration sends orders to have
 * its key? Mode sim needs none: there is one for development.
 * Returns : false with a sentence `key: what is wrong; what to do`.
 */
#define ENVKEY_WHY_SZ 640
bool envkey_check(const struct cfg *c, char why[ENVKEY_WHY_SZ]);

#endif
