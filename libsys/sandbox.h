/*
 * sandbox.h - quoted and riskd give up what they do not need.
 *
 * What      : after start-up the stage may read and write what it has open,
 *             sleep, tell the time and exit. No sockets, no opening of files,
 *             no processes, no executable memory: a seccomp allow-list, and
 *             under it landlock, as far as the kernel knows it.
 * Modes     : off nothing; dev a forbidden call fails with EPERM and is
 *             counted; prod a forbidden call kills the process (SIGSYS).
 * Not undone: for the life of the process. Reloads therefore come through
 *             the config page.
 * Sanitizer builds: the leak checker at exit needs forbidden calls; run
 *             them with sandbox.mode off.
 */
#ifndef LIBSYS_SANDBOX_H
#define LIBSYS_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/cfg.h"
#include "libshm/err.h"

enum sandbox_kind {
	SANDBOX_QUOTED = 1, /* shared memory and log only */
	SANDBOX_RISKD,	    /* and writes to its checkpoint, already open */
	SANDBOX_KIND_N
};

struct sandbox_report {
	bool seccomp;
	int landlock_abi; /* 0: the kernel has none, nothing applied */
};

/*
 * sandbox_seal - from here on. Call it once, after attaching everything, in
 * the only thread.
 * Returns : 0 with *r filled; a negative errno with a sentence when the
 *           filter could not be installed (in prod the caller must exit;
 *           landlock missing is not an error).
 */
int sandbox_seal(enum sandbox_kind kind, enum cfg_sandbox mode,
    struct sandbox_report *r, struct err *e);

/* sandbox_denied_n - calls refused since the seal (dev). */
uint64_t sandbox_denied_n(void);

/* sandbox_denied_name - name of the last call refused, NULL when none. Not
 * for signal handlers. */
const char *sandbox_denied_name(void);

/* sandbox_housekeep - log what was refused since the last call, if anything
 * was: a refusal in dev is a death in prod. Cheap. */
void sandbox_housekeep(void);

#endif
