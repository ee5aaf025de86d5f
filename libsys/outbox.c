#define _GNU_SOURCE
#include "libsys/outbox.h"

#include <errno.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "libsys/log.h"

/* The messages of a commit, as bytes: n, then ring and order of each. */
struct letter {
	uint64_t ring;
	struct order order;
};

struct box {
	uint64_t n;
	uint64_t pad;
	struct letter letter[CORE_OUT_MAX];
};

_Static_assert(sizeof(struct box) == OUTBOX_SZ, "outbox layout");

/* Records of the store that n letters reach into. */
static uint32_t
recs_of(uint32_t rec_sz, uint64_t n)
{
	size_t bytes = 16 + (size_t)n * sizeof(struct letter);

	return (uint32_t)((bytes + rec_sz - 1) / rec_sz);
}

static int
failed(const char *name, const struct err *e)
{
	LOG(LOG_ATTACH_REFUSED, F_STR("file", name), F_STR("what", e->text));
	return e->code == -EBUSY || e->code == -ENOENT ? EXIT_TEMPORARY
						       : EXIT_PERMANENT;
}

int
outbox_open(struct outbox *b, struct stage *s, uint32_t rec_sz, uint32_t rec_n,
    uint64_t layout, bool *fresh)
{
	const char *name = topo_stages[s->id].name;
	uint64_t h = hash_u64(layout, sizeof(struct letter));
	struct err e;
	int rc;

	memset(b, 0, sizeof(*b));
	b->recs = recs_of(rec_sz, CORE_OUT_MAX);
	rc = store_open(&b->store, s->instance.dirfd, name, h, &e);
	if (rc == -ENOENT) {
		if (store_create(s->instance.dirfd, name, rec_sz,
			b->recs + rec_n, h, &e) < 0)
			return failed(name, &e);
		rc = store_open(&b->store, s->instance.dirfd, name, h, &e);
	}
	if (rc < 0)
		return failed(name, &e);
	*fresh = b->store.version == 0;
	for (uint32_t k = 0; k < s->in_n; k++) {
		enum ring_id id = (enum ring_id)s->in[k];

		s->ring[id].lazy = RING_LAZY_MANUAL;
		b->cursor[id] = store_cursor(&b->store, id);
	}
	return 0;
}

void
outbox_close(struct outbox *b)
{
	store_close(&b->store);
}

void
outbox_get(const struct outbox *b, uint32_t i, void *rec)
{
	store_get(&b->store, b->recs + i, rec);
}

void
outbox_put(struct outbox *b, uint32_t i, const void *rec)
{
	store_put(&b->store, b->recs + i, rec);
	b->dirty = true;
}

bool
outbox_seen(struct outbox *b, const struct event *ev)
{
	uint64_t seq;

	if (ev->kind != EV_SLOT)
		return false;
	CHECK(ev->ring < RG_N);
	seq = ev->slot->hdr.seq;
	if (seq <= b->cursor[ev->ring])
		return true;
	b->cursor[ev->ring] = seq;
	b->dirty = true;
	return false;
}

static void
commit(struct outbox *b, const struct core_out *out)
{
	struct box box;
	uint32_t sz = b->store.rec_sz;
	uint32_t recs = recs_of(sz, out != 0 ? out->n : 0);
	unsigned char rec[STORE_REC_SZ_MAX];

	memset(&box, 0, sizeof(struct letter) * (out != 0 ? out->n : 0) + 16);
	box.n = out != 0 ? out->n : 0;
	for (uint32_t i = 0; i < box.n; i++) {
		box.letter[i].ring = out->msg[i].ring;
		box.letter[i].order = out->msg[i].order;
	}
	for (uint32_t r = 0; r < recs; r++) {
		size_t at = (size_t)r * sz;
		size_t n = 16 + box.n * sizeof(struct letter) - at;

		memset(rec, 0, sz);
		memcpy(rec, (const char *)&box + at, n < sz ? n : sz);
		store_put(&b->store, r, rec);
	}
	store_commit(&b->store, b->cursor);
	b->dirty = false;
	b->pending = box.n > 0;
}

void
outbox_send(struct outbox *b, struct stage *s, const struct core_out *out)
{
	CHECK(out->n > 0);
	CHECK(out->n <= CORE_OUT_MAX);
	commit(b, out);
	stage_emit_out(s, out, b->lost);
}

void
outbox_commit(struct outbox *b)
{
	if (!b->dirty && !b->pending)
		return;
	commit(b, 0);
}

void
outbox_replay(struct outbox *b, struct stage *s)
{
	struct box box;
	struct core_out out;
	unsigned char rec[STORE_REC_SZ_MAX];
	uint32_t sz = b->store.rec_sz;

	memset(&box, 0, sizeof(box));
	for (uint32_t r = 0; r < b->recs; r++) {
		size_t at = (size_t)r * sz;
		size_t n = sizeof(box) - at;

		store_get(&b->store, r, rec);
		memcpy((char *)&box + at, rec, n < sz ? n : sz);
	}
	/* Records beyond the last letters hold older ones. */
	core_out_reset(&out);
	for (uint32_t i = 0; i < box.n && i < CORE_OUT_MAX; i++) {
		struct order *o;

		if (box.letter[i].ring >= RG_N ||
		    topo_rings[box.letter[i].ring].writer != s->id)
			continue;
		o = core_out_add(&out, (enum ring_id)box.letter[i].ring);
		*o = box.letter[i].order;
		o->hdr.flags |= SLOT_REPLAY;
	}
	if (out.n > 0)
		stage_emit_out(s, &out, b->lost);
}
