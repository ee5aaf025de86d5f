/*
 * store.h - durable state of a stage that survives kill -9.
 *
 * An array of equal records, each kept twice. store_put writes the copy
 * that is not committed; store_commit publishes all puts since the last one
 * together with the cursors of the input rings, in one store. After a crash
 * each record has exactly the value of the last commit, and the rings
 * deliver again what came after it.
 *
 * Writer: the stage. A stage publishes its outputs first, then commits,
 * then releases its inputs: outputs may come twice after a crash (they carry
 * ids and are dropped by the reader), state never does.
 * Cost: O(records put), no system call.
 */
#ifndef LIBSHM_STORE_H
#define LIBSHM_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/err.h"
#include "libshm/instance.h"
#include "libshm/topo.h"

#define STORE_REC_SZ_MAX 1024u

struct store {
	struct shm_map map;
	uint32_t rec_sz;
	uint32_t rec_n;
	uint64_t version; /* last committed                               */
};

/* store_create - file store.<name> (name: the stage's). rec_sz a multiple of 8
 * up to STORE_REC_SZ_MAX, rec_n > 0 (CHECK). layout: hash of the record's
 * struct, so that a newer build refuses an older file. */
int store_create(int dirfd, const char *name, uint32_t rec_sz, uint32_t rec_n,
    uint64_t layout, struct err *e);
/* store_open - attach as its one owner (-EBUSY: another process has it);
 * -ENOENT when there is none yet. Fresh stores read as version 0 and all-zero
 * records. Forgets puts that were never committed: O(rec_n). */
int store_open(struct store *s, int dirfd, const char *name, uint64_t layout,
    struct err *e);
void store_close(struct store *s);

/* store_get - the committed value of record i (rec_sz bytes). */
void store_get(const struct store *s, uint32_t i, void *out);
/* store_put - new value, seen after the next commit. */
void store_put(struct store *s, uint32_t i, const void *rec);
/* store_commit - make all puts and the ring cursors current. cursors: RG_N
 * values, indexed by enum ring_id; rings that are not inputs stay 0. */
void store_commit(struct store *s, const uint64_t *cursors);
/* store_cursor - committed cursor of a ring; 0 in a fresh store. */
uint64_t store_cursor(const struct store *s, enum ring_id ring);

#endif
