#define _GNU_SOURCE
#include "libshm/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"

/* What one commit says; two of them, used in turn. */
struct commit {
	_Atomic uint64_t cursor[RG_N];
};

/*
 * The file: a header, the committed version, two commits, then rec_n records
 * of { version[2], copy[2] }. A copy counts when its version is not above the
 * committed one; of two that count the higher wins, copy 0 on a tie (both 0:
 * never written, all zero).
 */
struct store_shm {
	struct shm_hdr hdr;
	uint32_t rec_sz;
	uint32_t rec_n;
	uint8_t pad[120];
	_Atomic uint64_t version;
	uint8_t pad2[120];
	struct commit commit[2];
};

struct record {
	_Atomic uint64_t version[2];
	_Atomic uint64_t word[];
};

static inline struct store_shm *
shm_of(const struct store *s)
{
	return s->map.base;
}

static struct record *
record_at(const struct store *s, uint32_t i)
{
	size_t stride = sizeof(struct record) + 2 * (size_t)s->rec_sz;

	CHECK(i < s->rec_n);
	return (struct record *)((char *)s->map.base +
				 sizeof(struct store_shm) + i * stride);
}

static _Atomic uint64_t *
copy_at(const struct store *s, struct record *r, unsigned k)
{
	return r->word + (size_t)k * (s->rec_sz / 8);
}

static inline uint64_t
version_of(const struct record *r, unsigned k)
{
	return atomic_load_explicit(&r->version[k], memory_order_acquire);
}

/* Which copy holds the committed value. */
static unsigned
committed_copy(const struct store *s, const struct record *r)
{
	uint64_t v0 = version_of(r, 0);
	uint64_t v1 = version_of(r, 1);

	if (v1 > s->version)
		return 0;
	if (v0 > s->version)
		return 1;
	return v1 > v0;
}

static size_t
file_size(uint32_t rec_sz, uint32_t rec_n)
{
	return sizeof(struct store_shm) +
	       (sizeof(struct record) + 2 * (size_t)rec_sz) * rec_n;
}

static struct shm_spec
store_spec(char *buf, size_t n, const char *name, uint64_t layout)
{
	uint64_t h = hash_u64(layout, RG_N);

	CHECK(strlen(name) + sizeof("store.") <= n);
	snprintf(buf, n, "store.%s", name);
	for (int i = 0; i < RG_N; i++)
		h = hash_bytes(
		    h, topo_rings[i].name, strlen(topo_rings[i].name));
	return (struct shm_spec){
	    .name = buf, .kind = SHM_STORE, .layout = h, .writable = true};
}

int
store_create(int dirfd, const char *name, uint32_t rec_sz, uint32_t rec_n,
    uint64_t layout, struct err *e)
{
	char file[32];
	struct shm_spec spec = store_spec(file, sizeof(file), name, layout);
	struct shm_map m;
	struct store_shm *shm;
	int rc;

	CHECK(rec_sz > 0 && rec_sz <= STORE_REC_SZ_MAX);
	CHECK(rec_sz % 8 == 0);
	CHECK(rec_n > 0);
	spec.size = file_size(rec_sz, rec_n);
	rc = shm_create(&m, dirfd, &spec, e);
	if (rc < 0)
		return rc;
	shm = m.base;
	shm->rec_sz = rec_sz;
	shm->rec_n = rec_n;
	rc = shm_finish(&m, dirfd, &spec, e);
	if (rc == 0)
		shm_unmap(&m);
	return rc;
}

/* Copies written for a commit that never came must not count later, when
 * the version they carry is reached again. */
static void
forget_uncommitted(struct store *s)
{
	for (uint32_t i = 0; i < s->rec_n; i++) {
		struct record *r = record_at(s, i);

		for (unsigned k = 0; k < 2; k++)
			if (version_of(r, k) > s->version)
				atomic_store_explicit(
				    &r->version[k], 0, memory_order_release);
	}
}

int
store_open(struct store *s, int dirfd, const char *name, uint64_t layout,
    struct err *e)
{
	char file[32];
	struct shm_spec spec = store_spec(file, sizeof(file), name, layout);
	struct store_shm *shm;
	int rc;

	memset(s, 0, sizeof(*s));
	rc = shm_attach(&s->map, dirfd, &spec, e);
	if (rc < 0)
		return rc;
	shm = shm_of(s);
	if (s->map.size < sizeof(*shm) || shm->rec_sz == 0 ||
	    shm->rec_sz > STORE_REC_SZ_MAX || shm->rec_sz % 8 != 0 ||
	    file_size(shm->rec_sz, shm->rec_n) != s->map.size) {
		rc = err_set(e, -EMSGSIZE,
		    "%s: its size does not fit its records", file);
		shm_unmap(&s->map);
		return rc;
	}
	rc = shm_lock(&s->map, 0);
	if (rc < 0) {
		rc = err_set(e, rc, "%s is in use by another process", file);
		shm_unmap(&s->map);
		return rc;
	}
	s->rec_sz = shm->rec_sz;
	s->rec_n = shm->rec_n;
	s->version = atomic_load_explicit(&shm->version, memory_order_acquire);
	forget_uncommitted(s);
	return 0;
}

void
store_close(struct store *s)
{
	shm_unmap(&s->map);
	memset(s, 0, sizeof(*s));
}

void
store_get(const struct store *s, uint32_t i, void *out)
{
	struct record *r = record_at(s, i);
	const _Atomic uint64_t *from = copy_at(s, r, committed_copy(s, r));

	for (uint32_t w = 0; w < s->rec_sz / 8; w++) {
		uint64_t x =
		    atomic_load_explicit(&from[w], memory_order_relaxed);

		memcpy((char *)out + 8 * (size_t)w, &x, 8);
	}
}

void
store_put(struct store *s, uint32_t i, const void *rec)
{
	struct record *r = record_at(s, i);
	unsigned k = 1 - committed_copy(s, r);
	_Atomic uint64_t *to = copy_at(s, r, k);

	/* The copy may be half old, half new while we write: whatever its
	 * version, the other copy is committed and newer. A second put
	 * before the commit meets its own copy again, which does not count
	 * yet. Release on each word, so that none is written after the
	 * version that vouches for it, nor before what came earlier. */
	for (uint32_t w = 0; w < s->rec_sz / 8; w++) {
		uint64_t x;

		memcpy(&x, (const char *)rec + 8 * (size_t)w, 8);
		atomic_store_explicit(&to[w], x, memory_order_release);
	}
	atomic_store_explicit(
	    &r->version[k], s->version + 1, memory_order_release);
}

void
store_commit(struct store *s, const uint64_t *cursors)
{
	struct store_shm *shm = shm_of(s);
	struct commit *c = &shm->commit[(s->version + 1) & 1];

	CHECK(cursors != 0);
	for (int i = 0; i < RG_N; i++)
		atomic_store_explicit(
		    &c->cursor[i], cursors[i], memory_order_relaxed);
	s->version++;
	atomic_store_explicit(&shm->version, s->version, memory_order_release);
}

uint64_t
store_cursor(const struct store *s, enum ring_id ring)
{
	CHECK((unsigned)ring < RG_N);
	return atomic_load_explicit(
	    &shm_of(s)->commit[s->version & 1].cursor[ring],
	    memory_order_relaxed);
}
