#include <string.h>

#include "execd/exec_int.h"
#include "libcore/check.h"
#include "libcore/hash.h"

struct rec_engine {
	uint64_t sender_epoch;
	struct exec_stat stat;
	uint64_t venue;
	uint64_t fill_at;
};

_Static_assert(sizeof(struct rec_engine) <= EXEC_REC_SZ, "record 0");
_Static_assert(sizeof(struct exec_slot) <= EXEC_PORT_AT, "slot record");
_Static_assert(
    sizeof(struct exec_fill) * EXEC_FILL_REC == EXEC_REC_SZ, "fills");

uint64_t
exec_layout(void)
{
	uint64_t h = hash_u64(0, sizeof(struct rec_engine));

	h = hash_u64(h, sizeof(struct exec_slot));
	h = hash_u64(h, EXEC_REC_N);
	h = hash_u64(h, ORDER_LEVELS);
	h = hash_u64(h, sizeof(struct exec_fill));
	return hash_u64(h, 2); /* meaning: count up when a field's changes */
}

/* First fill of a record behind those of the slots. */
static uint32_t
fill_of(uint32_t i)
{
	return (i - 1 - EXEC_SLOTS) * EXEC_FILL_REC;
}

void
exec_save(const struct exec *e, uint32_t i, void *buf)
{
	struct rec_engine g;

	CHECK(i < EXEC_REC_N);
	memset(buf, 0, EXEC_REC_SZ);
	if (i > EXEC_SLOTS) {
		memcpy(buf, &e->fill[fill_of(i)], EXEC_REC_SZ);
		return;
	}
	if (i > 0) {
		memcpy(buf, &e->slot[i - 1], sizeof(struct exec_slot));
		return;
	}
	memset(&g, 0, sizeof(g));
	g.sender_epoch = e->sender_epoch;
	g.stat = e->stat;
	g.venue = e->venue;
	g.fill_at = e->fill_at;
	memcpy(buf, &g, sizeof(g));
}

static bool
load_engine(struct exec *e, const void *buf)
{
	struct rec_engine g;

	memcpy(&g, buf, sizeof(g));
	if ((g.venue != 0 && g.venue != (uint64_t)e->venue) ||
	    g.fill_at >= EXEC_FILLS)
		return false;
	e->sender_epoch = g.sender_epoch;
	e->stat = g.stat;
	e->fill_at = (uint32_t)g.fill_at;
	return true;
}

bool
exec_load(struct exec *e, uint32_t i, const void *buf)
{
	struct exec_slot s;

	CHECK(i < EXEC_REC_N);
	if (i == 0)
		return load_engine(e, buf);
	if (i > EXEC_SLOTS) {
		memcpy(&e->fill[fill_of(i)], buf, EXEC_REC_SZ);
		return true;
	}
	memcpy(&s, buf, sizeof(s));
	if (s.side == 0)
		return true; /* never used */
	if (!market_has(&e->mkt, s.instr) || s.side >= SIDE_N ||
	    s.level >= ORDER_LEVELS || s.status >= ORDER_STATUS_N ||
	    s.op >= OP_N || s.past_at >= EXEC_PAST ||
	    s.filled.e8 > s.order.qty.e8)
		return false;
	e->slot[i - 1] = s;
	return true;
}

void
exec_loaded(struct exec *e)
{
	e->slot_n = 0;
	while (e->slot_n < EXEC_SLOTS && e->slot[e->slot_n].side != 0) {
		const struct exec_slot *s = &e->slot[e->slot_n];

		e->slot_of[s->instr - e->mkt.base][s->side][s->level] =
		    (uint16_t)(e->slot_n + 1);
		exec_alarm(e, s->want.deadline_ns);
		exec_alarm(e, s->order.deadline_ns);
		exec_alarm(e, s->hold_ns);
		exec_alarm(e, s->again_ns);
		exec_alarm(e, s->due_ns);
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
	h = hash_u64(h, s->ref);
	h = hash_u64(h, (uint64_t)s->drop << 32 | (uint64_t)s->stiff << 24 |
			    (uint64_t)s->ask_n << 16 |
			    (uint64_t)s->urgent << 8 | s->acked);
	h = hash_u64(h, (uint64_t)s->amend.e8);
	h = hash_u64(h, s->again_ns);
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
	h = hash_u64(h, e->mode);
	for (uint32_t k = 0; k < e->slot_n; k++)
		h = hash_slot(h, &e->slot[k]);
	for (uint32_t k = 0; k < EXEC_FILLS && e->fill[k].fill_id != 0; k++)
		h = hash_u64(h, e->fill[k].fill_id + e->fill[k].reversed);
	return market_hash(&e->mkt, h);
}
