#include <string.h>

#include "execd/exec_int.h"
#include "libcore/check.h"
#include "libcore/hash.h"

struct rec_engine {
	uint64_t sender_epoch;
	struct exec_stat stat;
	uint64_t venue;
};

_Static_assert(sizeof(struct rec_engine) <= EXEC_REC_SZ, "record 0");
_Static_assert(sizeof(struct exec_slot) <= EXEC_REC_SZ, "slot record");

uint64_t
exec_layout(void)
{
	uint64_t h = hash_u64(0, sizeof(struct rec_engine));

	h = hash_u64(h, sizeof(struct exec_slot));
	h = hash_u64(h, EXEC_REC_N);
	h = hash_u64(h, ORDER_LEVELS);
	return hash_u64(h, 1); /* meaning: count up when a field's changes */
}

void
exec_save(const struct exec *e, uint32_t i, void *buf)
{
	struct rec_engine g;

	CHECK(i < EXEC_REC_N);
	memset(buf, 0, EXEC_REC_SZ);
	if (i > 0) {
		memcpy(buf, &e->slot[i - 1], sizeof(struct exec_slot));
		return;
	}
	memset(&g, 0, sizeof(g));
	g.sender_epoch = e->sender_epoch;
	g.stat = e->stat;
	g.venue = e->venue;
	memcpy(buf, &g, sizeof(g));
}

bool
exec_load(struct exec *e, uint32_t i, const void *buf)
{
	struct rec_engine g;
	struct exec_slot s;

	CHECK(i < EXEC_REC_N);
	if (i == 0) {
		memcpy(&g, buf, sizeof(g));
		if (g.venue != 0 && g.venue != (uint64_t)e->venue)
			return false;
		e->sender_epoch = g.sender_epoch;
		e->stat = g.stat;
		return true;
	}
	memcpy(&s, buf, sizeof(s));
	if (s.side == 0)
		return true; /* never used */
	if (s.instr < e->base || s.instr >= e->base + e->instr_n ||
	    s.side >= SIDE_N || s.level >= ORDER_LEVELS ||
	    s.status >= ORDER_STATUS_N || s.op >= OP_N ||
	    s.filled.e8 > s.order.qty.e8)
		return false;
	e->slot[i - 1] = s;
	return true;
}

/* What was on its way goes on, in the order of arrival. */
static void
refly(struct exec *e, uint32_t k)
{
	uint64_t due = e->slot[k].due_ns;
	uint32_t at = e->flight_n++;

	for (; at > 0 && e->flight[at - 1].due_ns > due; at--)
		e->flight[at] = e->flight[at - 1];
	e->flight[at].due_ns = due;
	e->flight[at].slot = k;
}

void
exec_loaded(struct exec *e)
{
	e->slot_n = 0;
	e->flight_n = 0;
	e->flight_at = 0;
	while (e->slot_n < EXEC_SLOTS && e->slot[e->slot_n].side != 0) {
		const struct exec_slot *s = &e->slot[e->slot_n];

		e->slot_of[s->instr - e->base][s->side][s->level] =
		    (uint16_t)(e->slot_n + 1);
		if (s->op != OP_NONE)
			refly(e, e->slot_n);
		exec_alarm(e, s->want.deadline_ns);
		exec_alarm(e, s->order.deadline_ns);
		exec_alarm(e, s->hold_ns);
		e->slot_n++;
	}
}

static uint64_t
hash_want(uint64_t h, const struct exec_want *w)
{
	h = hash_u64(h, w->id);
	h = hash_u64(h, (uint64_t)w->px.e8);
	h = hash_u64(h, (uint64_t)w->qty.e8);
	h = hash_u64(h, (uint64_t)w->base.e8);
	return hash_u64(h, w->deadline_ns);
}

static uint64_t
hash_slot(uint64_t h, const struct exec_slot *s)
{
	h = hash_u64(h, (uint64_t)s->instr << 32 | (uint64_t)s->side << 24 |
			    (uint64_t)s->level << 16 |
			    (uint64_t)s->status << 8 | s->op);
	h = hash_want(h, &s->order);
	h = hash_want(h, &s->want);
	h = hash_u64(h, (uint64_t)s->filled.e8);
	h = hash_u64(h, (uint64_t)s->cum.e8);
	h = hash_u64(h, (uint64_t)s->queue.ahead.e8);
	h = hash_u64(h, (uint64_t)s->queue.echo.e8);
	h = hash_u64(h, s->due_ns);
	h = hash_u64(h, s->hold_ns);
	h = hash_u64(h, s->order_id);
	return hash_u64(h, s->cancel_id);
}

uint64_t
exec_hash(const struct exec *e)
{
	uint64_t h = hash_u64(0, e->gate);

	h = hash_u64(h, e->sender_epoch);
	h = hash_u64(h, e->md_gen);
	for (uint32_t k = 0; k < e->slot_n; k++)
		h = hash_slot(h, &e->slot[k]);
	for (uint32_t i = 0; i < e->instr_n; i++) {
		const struct exec_instr *in = &e->instr[i];

		if (!in->known)
			continue;
		h = hash_u64(h, in->gen);
		h = book_hash(&in->b.book, h);
	}
	return h;
}
