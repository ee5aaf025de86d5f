#include "execd/port_paper.h"

#include <string.h>

#include "execd/paper.h"
#include "libcore/check.h"
#include "libcore/hash.h"

_Static_assert(sizeof(struct paper_slot) <= PAPER_REC_SZ, "paper record");

/* What a call works with. */
struct paper_now {
	struct port_paper *p;
	const struct market *m;
	struct paper_out *out;
	uint64_t ns;
	int64_t venue_ns;
};

void
port_paper_init(struct port_paper *p, enum venue v, enum queue_model m,
    struct paper_latency latency)
{
	uint16_t n;

	CHECK(p->flight_n == 0);
	CHECK(m >= QUEUE_FRONT && m < QUEUE_MODEL_N);
	instr_region(v, &p->base, &n);
	CHECK(n <= MARKET_INSTR);
	p->latency = latency;
	p->model = m;
}

static void
touch(const struct paper_now *n, const struct paper_slot *s)
{
	uint32_t k = (uint32_t)(s - n->p->slot);

	for (uint32_t i = 0; i < n->out->touched_n; i++)
		if (n->out->touched[i] == k)
			return;
	CHECK(n->out->touched_n < PAPER_OUT_MAX);
	n->out->touched[n->out->touched_n++] = k;
}

static struct port_event *
say(const struct paper_now *n, const struct paper_slot *s, enum port_ev what,
    enum reason why)
{
	struct port_event *ev;

	CHECK(n->out->n < PAPER_OUT_MAX);
	ev = &n->out->ev[n->out->n++];
	memset(ev, 0, sizeof(*ev));
	ev->what = what;
	ev->slot = (uint32_t)(s - n->p->slot);
	ev->id = s->id;
	ev->instr = s->instr;
	ev->side = s->side;
	ev->reason = why;
	ev->px = s->px;
	ev->qty = s->left;
	ev->venue_ns = n->venue_ns;
	return ev;
}

/* The order is over, and what was said last of it is its end. */
static void
forget(struct paper_slot *s)
{
	uint16_t instr = s->instr;
	uint8_t side = s->side;
	uint8_t level = s->level;

	memset(s, 0, sizeof(*s));
	s->instr = instr;
	s->side = side;
	s->level = level;
}

static void
over(const struct paper_now *n, struct paper_slot *s, enum port_ev what,
    enum reason why)
{
	say(n, s, what, why);
	forget(s);
	touch(n, s);
}

/* One trade of ours. True when the order is complete. */
static bool
fill(const struct paper_now *n, struct paper_slot *s, px_t px, qty_t qty,
    bool maker)
{
	const struct market_instr *in = market_look(n->m, s->instr);
	struct port_event *ev;

	CHECK(qty.e8 > 0);
	CHECK(qty.e8 <= s->left.e8);
	s->left.e8 -= qty.e8;
	s->fill_n++;
	ev = say(n, s, PORT_FILLED, REASON_OK);
	ev->px = px;
	ev->qty = qty;
	ev->usd = paper_fee(&in->in, px, qty, maker);
	ev->is_maker = maker;
	ev->fill_id = hash_u64(hash_u64(0, s->id), s->fill_n);
	touch(n, s);
	if (s->left.e8 > 0)
		return false;
	forget(s);
	return true;
}

/* The book of its other side is walked first. True when nothing is left. */
static bool
take(const struct paper_now *n, struct paper_slot *s)
{
	const struct market_instr *in = market_look(n->m, s->instr);
	bool once = s->tif == TIF_IOC || s->tif == TIF_FOK;
	struct paper_take t;

	paper_walk(&in->b.book, (enum side)s->side, s->px, s->left,
	    s->tif == TIF_FOK, &t);
	for (uint32_t k = 0; k < t.n; k++)
		if (fill(n, s, t.part[k].px, t.part[k].qty, false))
			return true;
	if (once)
		over(n, s, PORT_CANCELLED, REASON_OK);
	return once;
}

static void
placed(const struct paper_now *n, struct paper_slot *s)
{
	const struct market_instr *in = market_look(n->m, s->instr);
	bool post_only = (s->oflags & ORDER_POST_ONLY) != 0;
	enum side side = (enum side)s->side;

	s->place_due_ns = 0;
	s->state = PAPER_RESTS;
	if (!market_ok(n->m, in)) {
		over(n, s, PORT_REJECTED, REASON_NO_BOOK);
		return;
	}
	if (post_only && paper_crosses(&in->b.book, side, s->px)) {
		over(n, s, PORT_REJECTED, REASON_POST_ONLY);
		return;
	}
	if (!post_only && take(n, s))
		return;
	queue_join(
	    &s->queue, n->p->model, book_qty_at(&in->b.book, side, s->px));
	say(n, s, PORT_ACKED, REASON_OK);
	touch(n, s);
}

static void
reduced(const struct paper_now *n, struct paper_slot *s)
{
	s->reduce_due_ns = 0;
	s->left.e8 = i64_min(s->left.e8, s->reduce.e8);
	CHECK(s->left.e8 > 0);
	say(n, s, PORT_REDUCED, REASON_OK);
	touch(n, s);
}

/* A message is at the venue. */
static void
effect(const struct paper_now *n, struct paper_slot *s, enum port_do what)
{
	if (what == PORT_PLACE)
		placed(n, s);
	else if (what == PORT_REDUCE)
		reduced(n, s);
	else
		over(n, s, PORT_CANCELLED, REASON_OK);
}

static uint64_t *
due_of(struct paper_slot *s, enum port_do what)
{
	return what == PORT_PLACE    ? &s->place_due_ns
	       : what == PORT_REDUCE ? &s->reduce_due_ns
				     : &s->cancel_due_ns;
}

static void
fly(const struct paper_now *n, struct paper_slot *s, enum port_do what)
{
	struct port_paper *p = n->p;
	uint64_t due = n->ns + p->latency.floor_ns;
	struct paper_flight *f;
	uint32_t last;

	touch(n, s);
	if (p->flight_n == PAPER_FLIGHT) {
		if (what == PORT_PLACE)
			over(n, s, PORT_REJECTED, REASON_FULL);
		else
			effect(n, s, what);
		return;
	}
	if (p->flight_n > 0) {
		last = (p->flight_at + p->flight_n - 1) % PAPER_FLIGHT;
		if (p->flight[last].due_ns > due)
			due = p->flight[last].due_ns;
	}
	f = &p->flight[(p->flight_at + p->flight_n++) % PAPER_FLIGHT];
	f->due_ns = due;
	f->id = s->id;
	f->slot = (uint32_t)(s - p->slot);
	f->what = (uint32_t)what;
	*due_of(s, what) = due;
}

static void
place(const struct paper_now *n, struct paper_slot *s, const struct port_act *a)
{
	CHECK(s->id == 0);
	CHECK(a->qty.e8 > 0);
	s->id = a->id;
	s->instr = a->instr;
	s->side = a->side;
	s->level = a->level;
	s->state = PAPER_FLYING;
	s->tif = a->tif;
	s->oflags = a->oflags;
	s->px = a->px;
	s->left = a->qty;
	n->p->slot_of[a->instr - n->p->base][a->side][a->level] =
	    (uint16_t)(a->slot + 1);
	fly(n, s, PORT_PLACE);
}

static void
ask(const struct paper_now *n, struct paper_slot *s, const struct port_act *a)
{
	struct port_event *ev;

	if (s->id == a->id) {
		if (s->state == PAPER_RESTS)
			say(n, s, PORT_ACKED, REASON_OK);
		return;
	}
	CHECK(n->out->n < PAPER_OUT_MAX);
	ev = &n->out->ev[n->out->n++];
	memset(ev, 0, sizeof(*ev));
	ev->what = PORT_GONE;
	ev->slot = a->slot;
	ev->id = a->id;
	ev->instr = a->instr;
	ev->side = a->side;
	ev->reason = REASON_UNKNOWN_ORDER;
}

void
port_paper_act(struct port_paper *p, const struct market *m,
    const struct port_act *a, uint64_t now_ns, struct paper_out *out)
{
	struct paper_now n = {p, m, out, now_ns, 0};
	struct paper_slot *s;

	CHECK(a->slot < PAPER_SLOTS);
	CHECK(a->what >= PORT_PLACE);
	CHECK(a->what < PORT_DO_N);
	s = &p->slot[a->slot];
	if (a->what == PORT_PLACE) {
		place(&n, s, a);
	} else if (a->what == PORT_ASK) {
		ask(&n, s, a);
	} else if (s->id != a->id) {
		return;
	} else if (a->what == PORT_REDUCE) {
		s->reduce = a->qty;
		fly(&n, s, PORT_REDUCE);
	} else if (a->urgent) {
		over(&n, s, PORT_CANCELLED, REASON_OK);
	} else if (s->cancel_due_ns == 0) {
		fly(&n, s, PORT_CANCEL);
	}
}

uint64_t
port_paper_due(const struct port_paper *p)
{
	return p->flight_n > 0 ? p->flight[p->flight_at].due_ns : 0;
}

bool
port_paper_arrive(struct port_paper *p, const struct market *m, uint64_t now_ns,
    struct paper_out *out)
{
	struct paper_now n = {p, m, out, now_ns, 0};
	struct paper_flight f;
	struct paper_slot *s;
	uint64_t *due;

	if (p->flight_n == 0 || p->flight[p->flight_at].due_ns > now_ns)
		return false;
	f = p->flight[p->flight_at];
	p->flight_at = (p->flight_at + 1) % PAPER_FLIGHT;
	p->flight_n--;
	s = &p->slot[f.slot];
	due = due_of(s, (enum port_do)f.what);
	/* Its order was filled or withdrawn meanwhile. */
	if (s->id != f.id || *due != f.due_ns)
		return true;
	*due = 0;
	effect(&n, s, (enum port_do)f.what);
	return true;
}

static struct paper_slot *
resting(struct port_paper *p, uint16_t instr, int side, uint8_t level)
{
	uint16_t k = p->slot_of[instr - p->base][side][level];
	struct paper_slot *s = k == 0 ? 0 : &p->slot[k - 1];

	return s != 0 && s->state == PAPER_RESTS ? s : 0;
}

static void
on_level(const struct paper_now *n, struct paper_slot *s, const struct tick *t)
{
	if (s->side != t->u.level.side || s->px.e8 != t->u.level.px.e8)
		return;
	queue_level(&s->queue, t->u.level.qty, n->ns);
	touch(n, s);
}

static void
on_resting(
    const struct paper_now *n, struct paper_slot *s, const struct tick *t)
{
	const struct market_instr *in = market_look(n->m, s->instr);
	enum side side = (enum side)s->side;
	qty_t got = QTY(0);

	if (t->hdr.kind == TICK_LEVEL) {
		on_level(n, s, t);
	} else if (t->hdr.kind == TICK_TRADE) {
		got = paper_trade(
		    &s->queue, side, s->px, s->left, &t->u.trade, n->ns);
		if (t->u.trade.px.e8 == s->px.e8)
			touch(n, s);
	} else if (t->hdr.kind == TICK_SNAP_END) {
		queue_resnap(&s->queue, book_qty_at(&in->b.book, side, s->px));
		touch(n, s);
	} else if (paper_touched(side, s->px, &t->u.bbo)) {
		got = s->left;
	}
	if (got.e8 > 0)
		fill(n, s, s->px, got, true);
}

void
port_paper_tick(struct port_paper *p, const struct market *m,
    const struct tick *t, uint64_t now_ns, struct paper_out *out)
{
	struct paper_now n = {p, m, out, now_ns, t->hdr.venue_ns};

	CHECK(market_has(m, t->hdr.instr));
	for (int side = SIDE_BID; side <= SIDE_ASK; side++) {
		for (uint8_t k = 0; k < ORDER_LEVELS; k++) {
			struct paper_slot *s =
			    resting(p, t->hdr.instr, side, k);

			if (s != 0)
				on_resting(&n, s, t);
		}
	}
}

void
port_paper_save(const struct port_paper *p, uint32_t slot, void *buf)
{
	CHECK(slot < PAPER_SLOTS);
	memset(buf, 0, PAPER_REC_SZ);
	memcpy(buf, &p->slot[slot], sizeof(p->slot[slot]));
}

bool
port_paper_load(struct port_paper *p, uint32_t slot, const void *buf)
{
	struct paper_slot s;

	CHECK(slot < PAPER_SLOTS);
	memcpy(&s, buf, sizeof(s));
	if (s.id != 0 &&
	    (s.instr < p->base || s.instr - p->base >= (int)MARKET_INSTR ||
		s.side == 0 || s.side >= SIDE_N || s.level >= ORDER_LEVELS ||
		s.state == PAPER_NONE || s.state >= PAPER_STATE_N ||
		s.left.e8 <= 0))
		return false;
	p->slot[slot] = s;
	return true;
}

/* What was on its way goes on, in the order of arrival. */
static void
refly(struct port_paper *p, uint32_t k, enum port_do what)
{
	uint64_t due = *due_of(&p->slot[k], what);
	uint32_t at = p->flight_n;

	if (due == 0)
		return;
	CHECK(p->flight_n < PAPER_FLIGHT);
	for (; at > 0 && p->flight[at - 1].due_ns > due; at--)
		p->flight[at] = p->flight[at - 1];
	p->flight[at].due_ns = due;
	p->flight[at].id = p->slot[k].id;
	p->flight[at].slot = k;
	p->flight[at].what = (uint32_t)what;
	p->flight_n++;
}

void
port_paper_loaded(struct port_paper *p)
{
	p->flight_n = 0;
	p->flight_at = 0;
	for (uint32_t k = 0; k < PAPER_SLOTS; k++) {
		const struct paper_slot *s = &p->slot[k];

		if (s->id == 0)
			continue;
		p->slot_of[s->instr - p->base][s->side][s->level] =
		    (uint16_t)(k + 1);
		refly(p, k, PORT_PLACE);
		refly(p, k, PORT_REDUCE);
		refly(p, k, PORT_CANCEL);
	}
}

uint64_t
port_paper_hash(const struct port_paper *p, uint64_t h)
{
	for (uint32_t k = 0; k < PAPER_SLOTS; k++) {
		const struct paper_slot *s = &p->slot[k];

		if (s->id == 0)
			continue;
		h = hash_u64(h, (uint64_t)k << 32 | s->state);
		h = hash_u64(h, s->id);
		h = hash_u64(h, (uint64_t)s->px.e8);
		h = hash_u64(h, (uint64_t)s->left.e8);
		h = hash_u64(h, s->place_due_ns);
		h = hash_u64(h, s->cancel_due_ns);
		h = hash_u64(h, s->reduce_due_ns);
		h = hash_u64(h, s->fill_n);
		h = hash_u64(h, (uint64_t)s->queue.ahead.e8);
		h = hash_u64(h, (uint64_t)s->queue.echo.e8);
	}
	return h;
}
