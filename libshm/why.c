#define _GNU_SOURCE
#include "libshm/why.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "libcore/check.h"
#include "libcore/hash.h"

#define FILE_NAME  "why"
#define READ_TRIES 1024

static const struct why_def defs[WHY_N] = {
#define WHY(name, label, part, unit, text) \
	{#label, text, WHY_PART_##part, WHY_U_##unit},
#include "libshm/why.def"
#undef WHY
};

const struct why_def *
why_def(enum why_id id)
{
	CHECK(id < WHY_N);
	return &defs[id];
}

static struct shm_spec
spec_of(uint64_t run_id, bool writable)
{
	uint64_t h = hash_u64(HASH_SEED, sizeof(struct why_page));

	for (unsigned i = 0; i < WHY_N; i++)
		h = hash_bytes(h, defs[i].label, strlen(defs[i].label));
	return (struct shm_spec){.name = FILE_NAME,
	    .kind = SHM_WHY,
	    .layout = h,
	    .run_id = run_id,
	    .size = sizeof(struct why_page),
	    .writable = writable};
}

int
why_create(struct why_page **out, int dirfd, uint64_t run_id, struct err *e)
{
	struct shm_spec s = spec_of(run_id, true);
	struct shm_map m;
	int rc = shm_create(&m, dirfd, &s, e);

	if (rc < 0)
		return rc;
	rc = shm_finish(&m, dirfd, &s, e);
	/* A former life made it: its counts go on. */
	if (rc == -EEXIST)
		rc = shm_attach(&m, dirfd, &s, e);
	if (rc < 0)
		return rc;
	shm_close_fd(&m);
	*out = m.base;
	return 0;
}

int
why_attach(const struct why_page **out, int dirfd, struct err *e)
{
	struct shm_spec s = spec_of(0, false);
	struct shm_map m;
	int rc = shm_attach(&m, dirfd, &s, e);

	if (rc < 0)
		return rc;
	shm_close_fd(&m);
	*out = m.base;
	return 0;
}

void
why_detach(const struct why_page *w)
{
	union {
		const void *given;
		void *taken;
	} u = {.given = w};

	if (w != 0)
		munmap(u.taken, sizeof(*w));
}

void
why_begin(struct why_look *l, struct why_page *w, uint16_t instr,
    uint16_t epoch, uint64_t now_ns)
{
	struct why_market *m;
	uint32_t lock;

	CHECK(instr < INSTR_N);
	l->now_ns = now_ns;
	l->m = 0;
	if (w == 0)
		return;
	m = &w->market[instr];
	l->m = m;
	lock = atomic_load_explicit(&m->lock, memory_order_relaxed);
	/* A writer that died within a look left it odd. */
	atomic_store_explicit(&m->lock, lock | 1u, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	if (m->epoch != epoch) {
		memset(m->side, 0, sizeof(m->side));
		m->epoch = epoch;
	}
	m->at_ns = now_ns;
}

void
why_end(struct why_look *l)
{
	uint32_t lock;

	if (l->m == 0)
		return;
	lock = atomic_load_explicit(&l->m->lock, memory_order_relaxed);
	atomic_store_explicit(&l->m->lock, lock + 1, memory_order_release);
	l->m = 0;
}

void
why_looked(struct why_look *l, enum side side, enum why_id stop)
{
	struct why_side *s;

	if (l->m == 0)
		return;
	s = &l->m->side[side - 1];
	s->looks++;
	s->quoted += stop == WHY_N;
	s->stop = (uint16_t)stop;
}

void
why_signalled(struct why_look *l, enum side side, enum why_id stop)
{
	struct why_side *s;

	if (l->m == 0)
		return;
	s = &l->m->side[side - 1];
	s->signals++;
	s->taken += stop == WHY_N;
	s->take_stop = (uint16_t)stop;
}

bool
why_read(const struct why_page *w, uint16_t instr, struct why_market *out)
{
	const struct why_market *m;

	if (instr >= INSTR_N)
		return false;
	m = &w->market[instr];
	for (unsigned i = 0; i < READ_TRIES; i++) {
		uint32_t a =
		    atomic_load_explicit(&m->lock, memory_order_acquire);

		if (a == 0)
			return false;
		if ((a & 1u) != 0)
			continue;
		memcpy(out, m, sizeof(*out));
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&m->lock, memory_order_relaxed) == a)
			return true;
	}
	return false;
}
