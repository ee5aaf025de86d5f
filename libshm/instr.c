#define _GNU_SOURCE
#include "libshm/instr.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "libcore/check.h"
#include "libcore/hash.h"

#define INSTR_NAME "instruments"
#define READ_TRIES 1024

#define WORDS (sizeof(struct instr) / 8)
_Static_assert(sizeof(struct instr) % 8 == 0, "copied by words");
_Static_assert(offsetof(struct instr_entry, in) % 8 == 0, "words aligned");

static uint64_t
instr_layout(void)
{
	uint64_t h = hash_u64(HASH_SEED, sizeof(struct instr_table));

	h = hash_u64(h, sizeof(struct instr));
	h = hash_u64(h, offsetof(struct instr, asset_idx));
	h = hash_u64(h, offsetof(struct instr, start_wall_ns));
	h = hash_u64(h, offsetof(struct instr, settle_source));
	h = hash_u64(h, offsetof(struct instr, settle_index));
	h = hash_u64(h, offsetof(struct instr, rules));
	h = hash_u64(h, offsetof(struct instr, condition));
	h = hash_u64(h, OUTCOME_N);
	h = hash_u64(h, INSTR_STATE_N);
	return hash_u64(h, CLASS_N);
}

static struct shm_spec
instr_spec(uint64_t run_id, bool writable)
{
	return (struct shm_spec){.name = INSTR_NAME,
	    .kind = SHM_INSTR,
	    .layout = instr_layout(),
	    .run_id = run_id,
	    .size = sizeof(struct instr_table),
	    .writable = writable};
}

int
instr_create(int dirfd, uint64_t run_id, struct err *e)
{
	struct shm_spec s = instr_spec(run_id, true);
	struct shm_map m;
	int rc = shm_create(&m, dirfd, &s, e);

	if (rc < 0)
		return rc;
	rc = shm_finish(&m, dirfd, &s, e);
	if (rc == 0)
		shm_unmap(&m);
	return rc;
}

int
instr_attach(struct instr_table **out, int dirfd, bool writable, struct err *e)
{
	struct shm_spec s = instr_spec(0, writable);
	struct shm_map m;
	int rc = shm_attach(&m, dirfd, &s, e);

	if (rc < 0)
		return rc;
	shm_close_fd(&m);
	*out = m.base;
	return 0;
}

void
instr_detach(struct instr_table *t)
{
	if (t != 0)
		munmap(t, sizeof(*t));
}

void
instr_region(enum venue v, uint16_t *base, uint16_t *n)
{
	static const uint16_t region[VENUE_N][2] = {
	    [VENUE_POLYMARKET] = {INSTR_PM_BASE, INSTR_PM_N},
	    [VENUE_BINANCE] = {INSTR_BN_BASE, INSTR_BN_N},
	    [VENUE_HYPERLIQUID] = {INSTR_HL_BASE, INSTR_HL_N},
	};

	CHECK(v > 0);
	CHECK(v < VENUE_N);
	*base = region[v][0];
	*n = region[v][1];
}

enum venue
instr_venue(uint16_t idx)
{
	uint16_t base;
	uint16_t n;

	for (int v = 1; v < VENUE_N; v++) {
		instr_region((enum venue)v, &base, &n);
		if (idx >= base && idx - base < n)
			return (enum venue)v;
	}
	return (enum venue)0;
}

void
instr_write(struct instr_table *t, uint16_t idx, const struct instr *in)
{
	enum venue v = instr_venue(idx);
	struct instr_entry *en;
	_Atomic uint64_t *to;
	uint64_t w[WORDS];
	uint32_t lock;

	CHECK(v != 0);
	CHECK(in->venue == v);
	en = &t->entry[idx];
	to = (_Atomic uint64_t *)&en->in;
	memcpy(w, in, sizeof(w));
	/* Odd already: an earlier writer died here; its word is taken over. */
	lock = atomic_load_explicit(&en->lock, memory_order_relaxed) | 1;
	atomic_store_explicit(&en->lock, lock, memory_order_relaxed);
	/* Release on every word keeps each behind the odd lock, and acquire
	 * on the reader's side before its second look: no fence needed. */
	for (size_t i = 0; i < WORDS; i++)
		atomic_store_explicit(&to[i], w[i], memory_order_release);
	atomic_store_explicit(&en->lock, lock + 1, memory_order_release);
	atomic_store_explicit(&t->changes[v][0],
	    atomic_load_explicit(&t->changes[v][0], memory_order_relaxed) + 1,
	    memory_order_release);
}

bool
instr_read(const struct instr_table *t, uint16_t idx, struct instr *out)
{
	const struct instr_entry *en;
	const _Atomic uint64_t *from;
	uint64_t w[WORDS];

	if (idx >= INSTR_N)
		return false;
	en = &t->entry[idx];
	from = (const _Atomic uint64_t *)&en->in;
	for (int try = 0; try < READ_TRIES; try++) {
		uint32_t lock =
		    atomic_load_explicit(&en->lock, memory_order_acquire);

		if ((lock & 1) != 0)
			continue;
		for (size_t i = 0; i < WORDS; i++)
			w[i] = atomic_load_explicit(
			    &from[i], memory_order_acquire);
		if (atomic_load_explicit(&en->lock, memory_order_relaxed) !=
		    lock)
			continue;
		memcpy(out, w, sizeof(*out));
		return out->state != 0;
	}
	return false;
}
