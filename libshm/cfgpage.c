#define _GNU_SOURCE
#include "libshm/cfgpage.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "libcore/check.h"

#define WORDS (sizeof(struct cfg) / sizeof(uint64_t))

/* Epoch e lies in copy e & 1. The other copy is written, then the epoch is
 * moved on: a writer that dies in between has changed nothing. */
struct cfgpage_shm {
	struct shm_hdr hdr;
	_Atomic uint64_t epoch;
	uint64_t zero[15];
	_Atomic uint64_t copy[2][WORDS];
};

static struct shm_spec
spec_of(uint64_t run_id, bool writable)
{
	return (struct shm_spec){
	    .name = CFGPAGE_NAME,
	    .kind = SHM_CONFIG,
	    .layout = cfg_layout_hash(),
	    .run_id = run_id,
	    .size = sizeof(struct cfgpage_shm),
	    .writable = writable,
	};
}

static struct cfgpage_shm *
shm_of(const struct cfgpage *p)
{
	CHECK(p->map.base != NULL);
	return p->map.base;
}

int
cfgpage_create(struct cfgpage *p, int dirfd, uint64_t run_id,
    const struct cfg *c, struct err *e)
{
	struct shm_spec s = spec_of(run_id, true);
	int rc = shm_create(&p->map, dirfd, &s, e);

	if (rc < 0)
		return rc;
	p->writable = true;
	cfgpage_publish(p, c);
	rc = shm_finish(&p->map, dirfd, &s, e);
	if (rc < 0)
		cfgpage_detach(p);
	return rc;
}

int
cfgpage_attach(struct cfgpage *p, int dirfd, bool writable, struct err *e)
{
	struct shm_spec s = spec_of(0, writable);

	p->writable = writable;
	return shm_attach(&p->map, dirfd, &s, e);
}

void
cfgpage_detach(struct cfgpage *p)
{
	shm_unmap(&p->map);
	p->map.base = NULL;
	p->writable = false;
}

uint64_t
cfgpage_publish(struct cfgpage *p, const struct cfg *c)
{
	struct cfgpage_shm *shm = shm_of(p);
	const char *from = (const char *)c;
	size_t bad;
	uint64_t epoch;

	CHECK(p->writable);
	CHECK(cfg_valid(c, &bad));
	epoch = atomic_load_explicit(&shm->epoch, memory_order_relaxed) + 1;
	/* Release keeps each store after the epoch store of the last publish:
	 * a reader that sees one of them also sees that epoch. */
	for (size_t i = 0; i < WORDS; i++) {
		uint64_t w;

		memcpy(&w, from + i * sizeof(w), sizeof(w));
		atomic_store_explicit(
		    &shm->copy[epoch & 1][i], w, memory_order_release);
	}
	atomic_store_explicit(&shm->epoch, epoch, memory_order_release);
	return epoch;
}

uint64_t
cfgpage_epoch(const struct cfgpage *p)
{
	return atomic_load_explicit(&shm_of(p)->epoch, memory_order_acquire);
}

/* One attempt: the copy is whole when the epoch has not moved meanwhile. */
static bool
read_once(struct cfgpage_shm *shm, uint64_t *words, uint64_t *epoch)
{
	*epoch = atomic_load_explicit(&shm->epoch, memory_order_acquire);
	for (size_t i = 0; i < WORDS; i++)
		words[i] = atomic_load_explicit(
		    &shm->copy[*epoch & 1][i], memory_order_acquire);
	return atomic_load_explicit(&shm->epoch, memory_order_relaxed) ==
	       *epoch;
}

int
cfgpage_read(const struct cfgpage *p, struct cfg *c, uint64_t *epoch)
{
	struct cfgpage_shm *shm = shm_of(p);
	union {
		uint64_t words[WORDS];
		struct cfg cfg;
	} copy;
	uint64_t seen;
	size_t bad;

	for (int i = 0; i < CFGPAGE_TRIES; i++) {
		if (!read_once(shm, copy.words, &seen))
			continue;
		if (seen == 0 || !cfg_valid(&copy.cfg, &bad))
			return -EBADMSG;
		memcpy(c, &copy.cfg, sizeof(*c));
		*epoch = seen;
		return 0;
	}
	return -EAGAIN;
}
