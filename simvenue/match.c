#include "simvenue/match.h"

#include <string.h>

#include "libcore/check.h"

static struct match_side *
side_of(struct match *m, enum side side)
{
	CHECK(side == SIDE_BID || side == SIDE_ASK);
	return &m->side[side - SIDE_BID];
}

static const struct match_side *
side_const(const struct match *m, enum side side)
{
	CHECK(side == SIDE_BID || side == SIDE_ASK);
	return &m->side[side - SIDE_BID];
}

/* Is a better than b on this side? */
static bool
is_better(enum side side, px_t a, px_t b)
{
	return side == SIDE_BID ? a.e8 > b.e8 : a.e8 < b.e8;
}

void
match_init(struct match *m, const struct match_mem *mem)
{
	CHECK(mem->order_cap >= 1);
	CHECK(mem->order_cap < MATCH_NONE);
	CHECK(mem->level_cap >= 1);
	memset(m, 0, sizeof(*m));
	m->order = mem->order;
	m->order_cap = mem->order_cap;
	m->level_cap = mem->level_cap;
	m->side[0].level = mem->bid;
	m->side[1].level = mem->ask;
	for (uint32_t i = 0; i < m->order_cap; i++) {
		m->order[i].side = 0;
		m->order[i].next = i + 1 < m->order_cap ? i + 1 : MATCH_NONE;
	}
}

/* Where px is, or would be inserted, in the array; best last. */
static uint32_t
find(const struct match_side *s, enum side side, px_t px)
{
	uint32_t lo = 0;
	uint32_t hi = s->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (is_better(side, px, s->level[mid].px))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
is_at(const struct match_side *s, uint32_t i, px_t px)
{
	return i < s->n && s->level[i].px.e8 == px.e8;
}

static void
level_remove(struct match_side *s, uint32_t i)
{
	CHECK(i < s->n);
	s->n--;
	memmove(
	    &s->level[i], &s->level[i + 1], (s->n - i) * sizeof(s->level[0]));
}

static void
level_insert(struct match_side *s, uint32_t i, px_t px)
{
	memmove(
	    &s->level[i + 1], &s->level[i], (s->n - i) * sizeof(s->level[0]));
	s->n++;
	s->level[i] = (struct match_level){
	    .px = px, .first = MATCH_NONE, .last = MATCH_NONE};
}

/* Take an order out of its level; the level stays, empty or not. */
static void
unlink_order(struct match *m, struct match_level *l, uint32_t h)
{
	struct match_order *o = &m->order[h];

	if (o->prev == MATCH_NONE)
		l->first = o->next;
	else
		m->order[o->prev].next = o->next;
	if (o->next == MATCH_NONE)
		l->last = o->prev;
	else
		m->order[o->next].prev = o->prev;
	l->qty.e8 -= o->left.e8;
	l->order_n--;
	o->side = 0;
	o->next = m->free;
	m->free = h;
	m->order_n--;
}

static const struct match_order *
held(const struct match *m, uint32_t h)
{
	CHECK(h < m->order_cap);
	CHECK(m->order[h].side != 0);
	return &m->order[h];
}

/* One resting order against the taker. Returns what it took. */
static qty_t
hit(struct match *m, struct match_level *l, const struct match_take *t,
    qty_t want)
{
	uint32_t h = l->first;
	struct match_order *o = &m->order[h];
	bool is_self =
	    t->self == MATCH_SELF_CANCELS && o->account == t->account;
	qty_t qty =
	    is_self ? QTY(0) : QTY(want.e8 < o->left.e8 ? want.e8 : o->left.e8);
	struct match_hit what = {.handle = h,
	    .user = o->user,
	    .account = o->account,
	    .px = l->px,
	    .qty = qty,
	    .left = is_self ? QTY(0) : QTY(o->left.e8 - qty.e8)};

	if (what.left.e8 > 0) {
		o->left.e8 -= qty.e8;
		l->qty.e8 -= qty.e8;
	} else {
		unlink_order(m, l, h);
	}
	t->hit(t->user, &what);
	return qty;
}

qty_t
match_take(struct match *m, const struct match_take *t)
{
	enum side other = side_opposite(t->side);
	struct match_side *s = side_of(m, other);
	qty_t left = t->qty;

	CHECK(t->qty.e8 > 0);
	CHECK(t->self == MATCH_SELF_TRADES || t->self == MATCH_SELF_CANCELS);
	while (left.e8 > 0 && s->n > 0) {
		struct match_level *l = &s->level[s->n - 1];

		if (is_better(other, t->limit, l->px))
			break;
		while (left.e8 > 0 && l->order_n > 0)
			left.e8 -= hit(m, l, t, left).e8;
		if (l->order_n == 0)
			level_remove(s, s->n - 1);
	}
	return left;
}

qty_t
match_takeable(const struct match *m, enum side side, px_t limit)
{
	enum side other = side_opposite(side);
	const struct match_side *s = side_const(m, other);
	qty_t sum = QTY(0);

	for (uint32_t i = s->n; i > 0; i--) {
		if (is_better(other, limit, s->level[i - 1].px))
			break;
		sum.e8 += s->level[i - 1].qty.e8;
	}
	return sum;
}

bool
match_crosses(const struct match *m, enum side side, px_t px)
{
	enum side other = side_opposite(side);
	const struct match_side *s = side_const(m, other);

	return s->n > 0 && !is_better(other, px, s->level[s->n - 1].px);
}

uint32_t
match_rest(struct match *m, const struct match_new *n)
{
	struct match_side *s = side_of(m, n->side);
	uint32_t i = find(s, n->side, n->px);
	uint32_t h = m->free;
	struct match_level *l;
	struct match_order *o;

	CHECK(n->qty.e8 > 0);
	CHECK(!match_crosses(m, n->side, n->px));
	if (h == MATCH_NONE)
		return MATCH_NONE;
	if (!is_at(s, i, n->px)) {
		if (s->n == m->level_cap)
			return MATCH_NONE;
		level_insert(s, i, n->px);
	}
	l = &s->level[i];
	o = &m->order[h];
	m->free = o->next;
	*o = (struct match_order){.user = n->user,
	    .px = n->px,
	    .left = n->qty,
	    .account = n->account,
	    .prev = l->last,
	    .next = MATCH_NONE,
	    .side = (uint8_t)n->side};
	if (l->last == MATCH_NONE)
		l->first = h;
	else
		m->order[l->last].next = h;
	l->last = h;
	l->qty.e8 += n->qty.e8;
	l->order_n++;
	m->order_n++;
	return h;
}

qty_t
match_cancel(struct match *m, uint32_t handle)
{
	const struct match_order *o = held(m, handle);
	struct match_side *s = side_of(m, (enum side)o->side);
	uint32_t i = find(s, (enum side)o->side, o->px);
	qty_t left = o->left;

	CHECK(is_at(s, i, o->px));
	unlink_order(m, &s->level[i], handle);
	if (s->level[i].order_n == 0)
		level_remove(s, i);
	return left;
}

void
match_reduce(struct match *m, uint32_t handle, qty_t left)
{
	const struct match_order *o = held(m, handle);
	struct match_side *s = side_of(m, (enum side)o->side);
	uint32_t i = find(s, (enum side)o->side, o->px);

	CHECK(is_at(s, i, o->px));
	CHECK(left.e8 > 0);
	CHECK(left.e8 < o->left.e8);
	s->level[i].qty.e8 -= o->left.e8 - left.e8;
	m->order[handle].left = left;
}

const struct match_order *
match_at(const struct match *m, uint32_t handle)
{
	if (handle >= m->order_cap || m->order[handle].side == 0)
		return NULL;
	return &m->order[handle];
}

uint32_t
match_level_n(const struct match *m, enum side side)
{
	return side_const(m, side)->n;
}

const struct match_level *
match_level(const struct match *m, enum side side, uint32_t i)
{
	const struct match_side *s = side_const(m, side);

	return i < s->n ? &s->level[s->n - 1 - i] : NULL;
}

qty_t
match_qty_at(const struct match *m, enum side side, px_t px)
{
	const struct match_side *s = side_const(m, side);
	uint32_t i = find(s, side, px);

	return is_at(s, i, px) ? s->level[i].qty : QTY(0);
}

qty_t
match_ahead(const struct match *m, uint32_t handle)
{
	qty_t sum = QTY(0);

	for (uint32_t h = held(m, handle)->prev; h != MATCH_NONE;
	     h = m->order[h].prev)
		sum.e8 += m->order[h].left.e8;
	return sum;
}

static bool
level_is_sound(const struct match *m, const struct match_level *l, enum side s)
{
	uint32_t before = MATCH_NONE;
	uint32_t n = 0;
	int64_t qty = 0;

	for (uint32_t h = l->first; h != MATCH_NONE; h = m->order[h].next) {
		const struct match_order *o = &m->order[h];

		if (o->side != s || o->px.e8 != l->px.e8 || o->left.e8 <= 0 ||
		    o->prev != before || ++n > m->order_cap)
			return false;
		qty += o->left.e8;
		before = h;
	}
	return n > 0 && n == l->order_n && qty == l->qty.e8 &&
	       l->last == before;
}

bool
match_is_sound(const struct match *m)
{
	uint32_t n = 0;

	for (enum side s = SIDE_BID; s < SIDE_N; s++) {
		const struct match_side *side = side_const(m, s);

		for (uint32_t i = 0; i < side->n; i++) {
			const struct match_level *l = &side->level[i];

			if (!level_is_sound(m, l, s) ||
			    (i > 0 &&
				!is_better(s, l->px, side->level[i - 1].px)))
				return false;
			n += l->order_n;
		}
	}
	if (m->side[0].n > 0 && m->side[1].n > 0 &&
	    m->side[0].level[m->side[0].n - 1].px.e8 >=
		m->side[1].level[m->side[1].n - 1].px.e8)
		return false;
	return n == m->order_n;
}
