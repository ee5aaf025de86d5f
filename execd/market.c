#include "execd/market.h"

#include "libcore/check.h"
#include "libcore/hash.h"

void
market_init(struct market *m, enum venue v)
{
	CHECK(m->gen == 0);
	instr_region(v, &m->base, &m->instr_n);
	CHECK(m->instr_n <= MARKET_INSTR);
	m->gen = 1;
}

bool
market_has(const struct market *m, uint16_t instr)
{
	return instr >= m->base && instr < m->base + m->instr_n;
}

struct market_instr *
market_at(struct market *m, uint16_t instr)
{
	CHECK(instr >= m->base);
	CHECK(instr < m->base + m->instr_n);
	return &m->instr[instr - m->base];
}

const struct market_instr *
market_look(const struct market *m, uint16_t instr)
{
	CHECK(instr >= m->base);
	CHECK(instr < m->base + m->instr_n);
	return &m->instr[instr - m->base];
}

bool
market_ok(const struct market *m, const struct market_instr *in)
{
	return in->known && !in->snap && in->gen == m->gen;
}

static bool
takes_orders(const struct instr *in)
{
	return in->state == INSTR_NORMAL || in->state == INSTR_WATCH ||
	       in->state == INSTR_CLOSE_WINDOW || in->state == INSTR_DISPUTED;
}

enum market_change
market_set(struct market *m, uint16_t instr, const struct instr *in)
{
	struct market_instr *x = market_at(m, instr);
	bool other = x->known && x->in.epoch != in->epoch;

	if (in->tick_px.e8 <= 0)
		return MARKET_SAME;
	if (!x->known || other) {
		book_init(&x->b.book, x->b.level, MARKET_DEPTH);
		x->gen = 0;
		x->snap = false;
	}
	x->known = true;
	x->in = *in;
	if (other)
		return MARKET_OTHER;
	return takes_orders(in) ? MARKET_SAME : MARKET_CLOSED;
}

static bool
on_level(struct market *m, struct market_instr *in, const struct tick_level *l)
{
	enum side side = (enum side)l->side;

	if ((side != SIDE_BID && side != SIDE_ASK) || l->px.e8 <= 0 ||
	    l->px.e8 > PX_E8_MAX || l->qty.e8 < 0 || l->qty.e8 > QTY_E8_MAX ||
	    l->epoch != in->in.epoch || (!in->snap && !market_ok(m, in)))
		return false;
	book_set(&in->b.book, side, l->px, l->qty);
	return !in->snap;
}

static bool
on_snap(struct market *m, struct market_instr *in, const struct tick *t)
{
	if (!in->known)
		return false;
	if (t->hdr.kind == TICK_SNAP_BEGIN) {
		book_clear(&in->b.book);
		in->snap = true;
		return false;
	}
	if (!in->snap)
		return false;
	in->snap = false;
	in->gen = m->gen;
	return true;
}

static void
on_gap(struct market *m, struct market_instr *in, const struct tick_gap *g)
{
	if (g->scope == 1 && in != 0)
		in->gen = 0;
	else if (g->scope != 2 || g->conn == 0)
		m->gen++;
}

bool
market_tick(struct market *m, const struct tick *t)
{
	struct market_instr *in = 0;

	if (market_has(m, t->hdr.instr))
		in = market_at(m, t->hdr.instr);
	switch ((enum slot_kind)t->hdr.kind) {
	case TICK_BBO: return in != 0;
	case TICK_TRADE:
		/* What is sent again says nothing new about trades. */
		return in != 0 && (t->hdr.flags & SLOT_REPLAY) == 0 &&
		       t->u.trade.epoch == in->in.epoch;
	case TICK_LEVEL: return in != 0 && on_level(m, in, &t->u.level);
	case TICK_SNAP_BEGIN:
	case TICK_SNAP_END: return in != 0 && on_snap(m, in, t);
	case TICK_GAP: on_gap(m, in, &t->u.gap); return false;
	case TICK_CONN:
		if (t->u.conn.conn == 0 && t->u.conn.state == LINK_DOWN)
			m->gen++;
		return false;
	case TICK_RESTART: m->gen++; return false;
	case TICK_INSTR:
	case TICK_REF:
	case TICK_LINK:
	case TICK_TRACE:
	case MSG_INTENT:
	case MSG_ORDER:
	case MSG_CANCEL:
	case MSG_VERDICT:
	case MSG_ACK:
	case MSG_FILL:
	case MSG_DONE:
	case MSG_REJECT:
	case MSG_RESTART:
	case MSG_STATE:
	case MSG_POSITION:
	case MSG_BALANCE:
	case SLOT_KIND_N: return false;
	}
	return false;
}

uint64_t
market_hash(const struct market *m, uint64_t h)
{
	h = hash_u64(h, m->gen);
	for (uint32_t i = 0; i < m->instr_n; i++) {
		const struct market_instr *in = &m->instr[i];

		if (!in->known)
			continue;
		h = hash_u64(h, in->gen);
		h = book_hash(&in->b.book, h);
	}
	return h;
}
