/*
 * instance.h - the directory that one running pipeline lives in.
 *
 * /dev/shm/ringmaker.<instance>/, mode 0700, files 0600:
 *   ctl  config  instruments  ring.<name>  metrics.<stage>  store.<stage>
 *   bell.<stage> (FIFO of stages that sleep in a socket loop)
 * The environment variable RINGMAKER_SHM names another parent than
 * /dev/shm, for tests.
 *
 * Files are made under a temporary name with O_EXCL, fully allocated (so a
 * full /dev/shm is an error and never SIGBUS), filled, and renamed into
 * place: whoever opens one sees a finished one.
 */
#ifndef LIBSHM_INSTANCE_H
#define LIBSHM_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libshm/err.h"

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
 * and stages of topo.def, control page, instrument table, metrics, stores,
 * FIFOs. The config page comes from cfgpage_create.
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

/* What every shared object begins with. magic is written last. */
struct shm_hdr {
	uint64_t magic;
	uint32_t abi;  /* SHM_ABI                                         */
	uint32_t kind; /* enum shm_kind                                   */
	uint64_t layout;
	uint64_t size;
	uint64_t run_id;
	uint8_t boot_id[16];
	uint64_t created_wall_ns;
	char name[32];
	uint8_t pad[32];
};
_Static_assert(sizeof(struct shm_hdr) == 128, "header is one line pair");

enum shm_kind {
	SHM_RING = 1,
	SHM_CTL = 2,
	SHM_CONFIG = 3,
	SHM_INSTR = 4,
	SHM_METRICS = 5,
	SHM_STORE = 6,
	SHM_KIND_N
};

#define SHM_ABI 1u

struct shm_map {
	void *base;
	size_t size;
	int fd; /* kept open where a lock is held on it, else -1          */
};

/* What to create or expect. */
struct shm_spec {
	const char *name; /* file name inside the directory               */
	enum shm_kind kind;
	uint64_t layout;
	uint64_t run_id; /* create only                                   */
	size_t size;     /* attach: 0 takes the size in the header        */
	bool writable;
};

/* shm_create - new object, zero but for its header; mapped writable.
 * The caller fills it, then calls shm_finish, which publishes the magic and
 * renames the file into place. */
int shm_create(
    struct shm_map *m, int dirfd, const struct shm_spec *s, struct err *e);
int shm_finish(
    struct shm_map *m, int dirfd, const struct shm_spec *s, struct err *e);

/*
 * shm_attach - map an existing object after checking owner, mode, type,
 * size, magic, ABI, kind, layout and boot id; each mismatch has its own
 * sentence (expected against found) and code:
 *   -ENOENT missing  -EPERM owner or mode  -EINVAL not one of ours
 *   -EPROTO ABI, kind or layout  -ESTALE another boot  -EMSGSIZE size
 */
int shm_attach(
    struct shm_map *m, int dirfd, const struct shm_spec *s, struct err *e);
void shm_unmap(struct shm_map *m);

#endif
