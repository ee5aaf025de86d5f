/*
 * instance.h - the directory that one running pipeline lives in.
 *
 * /dev/shm/ringmaker.<instance>/, mode 0700, files 0600:
 *   ctl  config  instruments  ring.<name>  metrics.<stage>  store.<stage>
 *   bell.<stage> (FIFO of stages that sleep in a socket loop)
 *   book.<stage> (what a gateway to a venue remembers)
 * The environment variable RINGMAKER_SHM names another parent than
 * /dev/shm, for tests.
 *
 * shm.h is how each file is made and checked.
 */
#ifndef LIBSHM_INSTANCE_H
#define LIBSHM_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libshm/err.h"
#include "libshm/shm.h"

#define INSTANCE_NAME_MAX 32

struct instance {
	int dirfd;
	char name[INSTANCE_NAME_MAX];
	char path[128];
};

/* instance_name_ok - letters, digits, '-' and '_', 1..31 of them. */
bool instance_name_ok(const char *name);

/*
 * instance_create - make the directory and every shared object in it: rings
 * and stages of topo.def, control page, instrument table, metrics, FIFOs. The
 * config page comes from cfgpage_create, a store from its stage. The
 * directory appears under its name when it is complete.
 *   A directory whose rings nobody holds is renamed aside to
 *   <path>.dead.<time> (the newest two are kept, for post-mortem);
 *   one with a living owner is refused (-EBUSY).
 * run_id  : any number that differs from run to run.
 * Returns : 0 or a negative errno with the sentence in e.
 */
int instance_create(
    struct instance *in, const char *name, uint64_t run_id, struct err *e);

/* instance_open - open an existing one (-ENOENT: not running). */
int instance_open(struct instance *in, const char *name, struct err *e);

void instance_close(struct instance *in);

/* instance_remove - delete the directory and all files. */
int instance_remove(struct instance *in, struct err *e);

#endif
