/*
 * shm.h - one shared object: a file that several processes map.
 *
 * Made     : under a temporary name with O_EXCL, fully allocated (so a full
 *            /dev/shm is an error and never SIGBUS), filled, and renamed into
 *            place: whoever opens one sees a finished one.
 * Attached : only after owner, mode, type, size, magic, ABI, kind, layout and
 *            boot id have been compared with what this program expects.
 * Locks    : open-file-description locks on single bytes. The kernel drops
 *            them at any death of the holder; nothing has to be cleaned up.
 */
#ifndef LIBSHM_SHM_H
#define LIBSHM_SHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libshm/err.h"

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
	SHM_WHY = 7,
	SHM_BOOK = 8, /* a gateway's orders and fills */
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
	size_t size;	 /* attach: 0 takes the size in the header        */
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

/* shm_close_fd - nothing will be locked: keep the mapping only. */
void shm_close_fd(struct shm_map *m);

/* shm_lock - take byte `byte` of the object for this open file. Needs m->fd
 * (CHECK). -EBUSY: another process (or another attach) holds it. */
int shm_lock(const struct shm_map *m, unsigned byte);

/* shm_lock_held - does anybody else hold that byte? */
bool shm_lock_held(int fd, unsigned byte);

/* shm_boot_id - 16 bytes that differ from boot to boot. */
int shm_boot_id(uint8_t out[16]);

#endif
