#define _GNU_SOURCE
#include "libsys/stage_int.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "libsys/log.h"

/* The bell of a ring's reader; recorders and observers poll and have none. */
static int
reader_bell(struct stage *s, struct ring *r, enum stage_id reader)
{
	struct err e;

	r->bell.bell = 0;
	r->bell.fifo_fd = -1;
	if (topo_stages[reader].flags & STAGE_POLL)
		return 0;
	r->bell.bell = &s->ctl->stage[reader].bell;
	if (!(topo_stages[reader].flags & STAGE_SOCK))
		return 0;
	if (s->reader_fifo[reader] < 0) {
		int fd = bell_fifo_open(
		    s->instance.dirfd, topo_stages[reader].name, &e);

		if (fd < 0) {
			LOG(LOG_ATTACH_REFUSED, F_STR("what", e.text));
			return fd;
		}
		s->reader_fifo[reader] = fd;
	}
	r->bell.fifo_fd = s->reader_fifo[reader];
	return 0;
}

static int
attach_one(struct stage *s, enum ring_id id, enum ring_role role)
{
	const struct ring_def *def = &topo_rings[id];
	struct ring *r = &s->ring[id];
	struct err e;
	int rc = ring_attach(r, s->instance.dirfd, def, role, &e);

	if (rc < 0) {
		LOG(LOG_ATTACH_REFUSED, F_STR("file", def->name),
		    F_STR("what", e.text));
		r->shm = 0;
		return rc;
	}
	if (role == RING_CONSUMER) {
		s->in[s->in_n++] = (uint8_t)id;
		/* Cursors move only in commit(), after the durable state. */
		r->lazy = RING_LAZY_MANUAL;
		if (def->full == RING_FULL_DROP && def->content != RING_MSG)
			ring_resync_ask(r);
		return 0;
	}
	s->out[s->out_n++] = (uint8_t)id;
	s->more[id].owes_restart = true;
	if (def->full == RING_FULL_TAP)
		s->tap = id;
	return reader_bell(s, r, (enum stage_id)def->reader);
}

int
stage_rings_attach(struct stage *s)
{
	s->tap = -1;
	for (int i = 0; i < ST_N; i++)
		s->reader_fifo[i] = -1;
	for (int i = 0; i < RG_N; i++) {
		int rc = 0;

		if (topo_rings[i].writer == s->id)
			rc = attach_one(s, (enum ring_id)i, RING_PRODUCER);
		else if (topo_rings[i].reader == s->id)
			rc = attach_one(s, (enum ring_id)i, RING_CONSUMER);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void
stage_rings_detach(struct stage *s)
{
	for (int i = 0; i < RG_N; i++)
		if (s->ring[i].shm != 0)
			ring_detach(&s->ring[i]);
	for (int i = 0; i < ST_N; i++)
		if (s->reader_fifo[i] >= 0)
			close(s->reader_fifo[i]);
}

/* The first slot of a new life. */
static bool
push_restart(struct stage *s, enum ring_id id)
{
	union tap slot;

	memset(&slot, 0, sizeof(slot));
	slot.hdr.recv_ns = s->now_ns;
	if (topo_rings[id].content == RING_MSG &&
	    topo_rings[id].full != RING_FULL_TAP) {
		slot.hdr.kind = MSG_RESTART;
		slot.order.id = s->epoch << 40;
	} else {
		slot.hdr.kind = TICK_RESTART;
		slot.tick.u.restart.epoch = s->epoch;
	}
	return ring_push(&s->ring[id], &slot);
}

static bool
push_gap(struct stage *s, enum ring_id id)
{
	struct stage_ring *more = &s->more[id];
	union tap slot;

	memset(&slot, 0, sizeof(slot));
	slot.hdr.kind = TICK_GAP;
	slot.hdr.recv_ns = s->now_ns;
	slot.tick.u.gap.first_seq = more->first_seq;
	slot.tick.u.gap.lost_n = more->lost_n;
	slot.tick.u.gap.since_ns = more->since_ns;
	slot.tick.u.gap.reason = REASON_BACKPRESSURE;
	slot.tick.u.gap.scope = 3;
	if (!ring_push(&s->ring[id], &slot))
		return false;
	LOG(LOG_GAP, F_STR("ring", topo_rings[id].name),
	    F_U64("n", more->lost_n));
	more->lost_n = 0;
	more->owes_resync = topo_rings[id].full == RING_FULL_DROP;
	return true;
}

static void
note_loss(struct stage *s, enum ring_id id)
{
	struct stage_ring *more = &s->more[id];
	struct ring *r = &s->ring[id];
	bool tap = topo_rings[id].full == RING_FULL_TAP;

	if (more->lost_n++ == 0) {
		more->first_seq = r->next + 1;
		more->since_ns = s->now_ns;
	}
	atomic_store_explicit(&r->shm->prod.dropped,
	    atomic_load_explicit(&r->shm->prod.dropped, memory_order_relaxed) +
		1,
	    memory_order_relaxed);
	metrics_add(s->metrics, tap ? M_ANY_TAP_DROPPED : M_ANY_OUT_DROPPED, 1);
}

/* True when nothing is owed to the ring any more. */
static bool
pay(struct stage *s, enum ring_id id)
{
	struct stage_ring *more = &s->more[id];

	if (more->owes_restart) {
		if (!push_restart(s, id))
			return false;
		more->owes_restart = false;
	}
	return more->lost_n == 0 || push_gap(s, id);
}

void
stage_rings_owed(struct stage *s)
{
	for (uint32_t k = 0; k < s->out_n; k++) {
		enum ring_id id = s->out[k];
		struct stage_ring *more = &s->more[id];
		struct ring *r = &s->ring[id];

		if (more->owes_restart || more->lost_n > 0)
			pay(s, id);
		if (s->ops->resync == 0 ||
		    topo_rings[id].full != RING_FULL_DROP)
			continue;
		if (ring_resync_asked(r))
			more->owes_resync = true;
		if (more->owes_resync && more->lost_n == 0 &&
		    ring_used(r) < r->mask / 2) {
			more->owes_resync = false;
			s->ops->resync(s, id);
		}
	}
}

bool
stage_emit(struct stage *s, enum ring_id id, const void *slot)
{
	const struct ring_def *def = &topo_rings[id];
	struct stage_ring *more = &s->more[id];
	union tap copy;
	bool ok;

	CHECK(id < RG_N);
	CHECK(s->ring[id].role == RING_PRODUCER);
	if (__builtin_expect(more->owes_restart || more->lost_n > 0, 0) &&
	    !pay(s, id)) {
		ok = false;
	} else {
		memcpy(&copy, slot, def->slot_sz);
		copy.hdr.pub_delta = slot_delta(copy.hdr.recv_ns, s->now_ns);
		ok = ring_push(&s->ring[id], &copy);
	}
	if (ok)
		return true;
	CHECK(def->full != RING_FULL_NEVER);
	if (def->full == RING_FULL_DROP || def->full == RING_FULL_TAP)
		note_loss(s, id);
	else
		metrics_add(s->metrics, M_ANY_OUT_DROPPED, 1);
	return false;
}

void
stage_tap(struct stage *s, const void *slot)
{
	const struct slot_hdr *hdr = slot;
	union tap t;

	if (s->tap < 0)
		return;
	if (slot_is_tick(hdr->kind)) {
		memset(&t, 0, sizeof(t));
		memcpy(&t.tick, slot, sizeof(t.tick));
	} else {
		memcpy(&t.order, slot, sizeof(t.order));
	}
	s->tap_n++;
	stage_emit(s, (enum ring_id)s->tap, &t);
}

void
stage_emit_md(struct stage *s, struct tick *t)
{
	bool level = t->hdr.kind == TICK_LEVEL ||
		     t->hdr.kind == TICK_SNAP_BEGIN ||
		     t->hdr.kind == TICK_SNAP_END;

	CHECK(slot_is_tick(t->hdr.kind));
	for (uint32_t k = 0; k < s->out_n; k++) {
		enum ring_id id = s->out[k];

		if (topo_rings[id].full == RING_FULL_TAP)
			continue;
		if (level && topo_rings[id].content != RING_FULL)
			continue;
		stage_emit(s, id, t);
	}
	stage_tap(s, t);
}

uint32_t
stage_emit_out(struct stage *s, const struct core_out *out,
    void (*lost)(struct stage *s, enum ring_id ring, const struct order *o))
{
	uint32_t n = 0;

	CHECK(out->n <= CORE_OUT_MAX);
	for (uint32_t i = 0; i < out->n; i++) {
		enum ring_id id = (enum ring_id)out->msg[i].ring;
		const struct order *o = &out->msg[i].order;
		bool twin = i > 0 && o->id == out->msg[i - 1].order.id &&
			    o->hdr.kind == out->msg[i - 1].order.hdr.kind &&
			    o->fill_id == out->msg[i - 1].order.fill_id &&
			    id != out->msg[i - 1].ring;

		if (!stage_emit(s, id, o)) {
			n++;
			if (lost != 0)
				lost(s, id, o);
		}
		/* A report goes to two readers, and once to the recorder. */
		if (!twin)
			stage_tap(s, o);
	}
	s->wake_ns = out->wake_ns;
	return n;
}

/* A trace with what stands behind it. */
static void
put_trace(struct stage *s, struct tap_step *t, uint16_t ring, uint64_t seq)
{
	t->trace.hdr.kind = TICK_TRACE;
	t->trace.hdr.recv_ns = s->now_ns;
	t->trace.hdr.venue_ns = s->wall_ns;
	t->trace.u.trace.ring = ring;
	t->trace.u.trace.ring_seq = seq;
	t->trace.u.trace.now_ns = s->now_ns;
	t->trace.u.trace.out_n = s->tap_n;
	stage_emit(s, (enum ring_id)s->tap, t);
	s->tap_n = 0;
}

static bool
has_trace(const struct stage *s)
{
	return s->tap >= 0 && topo_rings[s->tap].content == RING_MSG;
}

void
stage_trace(
    struct stage *s, uint16_t ring, uint64_t seq, const struct event *ev)
{
	struct tap_step t;

	if (!has_trace(s))
		return;
	memset(&t, 0, sizeof(t));
	if (ev != NULL) {
		memcpy(&t.in, ev->slot, sizeof(t.in));
		t.trace.hdr.instr = ev->slot->hdr.instr;
		if (ev->redelivered)
			t.trace.hdr.flags = SLOT_REPLAY;
		if (ev->instr != NULL) {
			stage_trace_entry(s, ev->instr);
			t.trace.u.trace.state_hash = hash_bytes(
			    HASH_SEED, ev->instr, sizeof(*ev->instr));
		}
	}
	put_trace(s, &t, ring, seq);
}

void
stage_trace_entry(struct stage *s, const struct instr *in)
{
	const char *p = (const char *)in;

	if (!has_trace(s))
		return;
	for (size_t at = 0; at < sizeof(*in); at += 64) {
		size_t n = sizeof(*in) - at < 64 ? sizeof(*in) - at : 64;
		struct tap_step t;

		memset(&t, 0, sizeof(t));
		memcpy(&t.in, p + at, n);
		put_trace(s, &t, TRACE_ENTRY, at / 64);
	}
}

void
stage_trace_own(struct stage *s, uint16_t kind, const void *data, size_t n)
{
	struct tap_step t;

	CHECK(kind < TRACE_ENTRY - TRACE_OWN);
	CHECK(n <= sizeof(t.in));
	if (!has_trace(s))
		return;
	memset(&t, 0, sizeof(t));
	memcpy(&t.in, data, n);
	put_trace(s, &t, (uint16_t)(TRACE_OWN + kind), 0);
}

void
stage_trace_hash(struct stage *s)
{
	struct tap_step t;

	s->hash_ns = s->now_ns + STAGE_HASH_NS;
	if (!has_trace(s) || s->ops->hash == NULL)
		return;
	memset(&t, 0, sizeof(t));
	t.trace.u.trace.state_hash = s->ops->hash(s);
	put_trace(s, &t, TRACE_HASH, 0);
}

bool
stage_rings_stalled(const struct stage *s)
{
	for (uint32_t k = 0; k < s->out_n; k++) {
		enum ring_id id = s->out[k];
		const struct ring *r = &s->ring[id];

		/* One batch can cause that much at the very most. */
		if (topo_rings[id].full == RING_FULL_NEVER &&
		    r->mask + 1 - ring_used(r) < STAGE_BATCH * CORE_OUT_MAX)
			return true;
	}
	return false;
}

bool
stage_backlog(const struct stage *s)
{
	for (uint32_t k = 0; k < s->out_n; k++) {
		enum ring_id id = s->out[k];
		const struct ring *r = &s->ring[id];

		if (topo_rings[id].full == RING_FULL_NEVER &&
		    ring_used(r) > r->mask / 2)
			return true;
	}
	return false;
}

uint64_t
stage_next_id(struct stage *s)
{
	return s->epoch << 40 | ++s->next_id;
}
