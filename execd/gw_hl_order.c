/*
 * Orders of ours at Hyperliquid: what each word about one of them means.
 * Words come in any order and more than once, from answers, updates, fills
 * and lists; each only ever moves an order forward.
 */
#include <stdatomic.h>
#include <string.h>

#include "execd/gw_hl_int.h"
#include "libcore/check.h"
#include "libcore/hash.h"

#define CLOID_MAGIC UINT64_C(0x524d2d6578656331) /* "RM-exec1" */
#define ASK_NS	    UINT64_C(500000000)
#define ASK_NS_MAX  UINT64_C(8000000000)

/* ---- identity ---- */

static void
put_be(uint8_t *out, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint64_t
get_be(const uint8_t *in)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | in[i];
	return v;
}

void
gwhl_cloid(uint64_t id, uint8_t cloid[HL_CLOID_SZ])
{
	put_be(cloid, CLOID_MAGIC);
	put_be(cloid + 8, id);
}

uint64_t
gwhl_id_of(const uint8_t cloid[HL_CLOID_SZ])
{
	return get_be(cloid) == CLOID_MAGIC ? get_be(cloid + 8) : 0;
}

uint64_t
gwhl_fill_id(uint64_t oid, uint64_t tid, int64_t venue_ns)
{
	uint64_t h = hash_u64(
	    hash_u64(hash_u64(HASH_SEED, oid), tid), (uint64_t)venue_ns);

	return h == 0 ? 1 : h;
}

/* ---- the book ---- */

static uint32_t *
chain_of(struct gwhl_book *b, uint64_t id)
{
	return &b->chain[hash_u64(HASH_SEED, id) % GWHL_CHAINS];
}

struct gwhl_order *
gwhl_find(struct gwhl *g, uint64_t id)
{
	uint32_t i = *chain_of(g->book, id);

	while (i != 0 && g->book->order[i - 1].id != id)
		i = g->book->order[i - 1].next;
	return i == 0 || id == 0 ? NULL : &g->book->order[i - 1];
}

/* For words that carry no cloid: they are rare. */
struct gwhl_order *
gwhl_find_oid(struct gwhl *g, uint64_t oid)
{
	for (uint32_t i = 0; i < g->book->active_n && oid != 0; i++) {
		struct gwhl_order *o = &g->book->order[g->book->active[i]];

		if (o->oid == oid)
			return o;
	}
	return NULL;
}

static void
unchain(struct gwhl_book *b, const struct gwhl_order *o)
{
	uint32_t me = (uint32_t)(o - b->order) + 1;
	uint32_t *at = chain_of(b, o->id);

	while (*at != me) {
		CHECK(*at != 0);
		at = &b->order[*at - 1].next;
	}
	*at = o->next;
}

static void
insert(struct gwhl_book *b, struct gwhl_order *o, uint64_t id)
{
	uint32_t *at = chain_of(b, id);

	memset(o, 0, sizeof(*o));
	o->id = id;
	o->next = *at;
	*at = (uint32_t)(o - b->order) + 1;
	b->active[b->active_n++] = (uint32_t)(o - b->order);
	o->active = b->active_n;
}

/* Stores of this side of it are made before those of the other: a kill is
 * seen by the next life alone, which the processor's own order serves. */
static void
in_order(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

void
gwhl_change(struct gwhl *g, const struct gwhl_order *o)
{
	struct gwhl_book *b = g->book;
	uint32_t me = (uint32_t)(o - b->order) + 1;

	CHECK(me <= GWHL_ORDERS);
	if (b->undo_at == me)
		return;
	gwhl_keep(g);
	b->undo = *o;
	b->undo_key_n = b->key_n;
	in_order();
	b->undo_at = me;
	in_order();
}

void
gwhl_keep(struct gwhl *g)
{
	in_order();
	g->book->undo_at = 0;
	in_order();
}

static void
undo(struct gwhl_book *b)
{
	if (b->undo_at == 0 || b->undo_at > GWHL_ORDERS)
		return;
	b->order[b->undo_at - 1] = b->undo;
	b->key_n = b->undo_key_n;
	in_order();
	b->undo_at = 0;
}

/* The oldest finished entry makes room. NULL: all are open. */
struct gwhl_order *
gwhl_new(struct gwhl *g, uint64_t id)
{
	struct gwhl_book *b = g->book;

	CHECK(id != 0);
	if (b->active_n == GWHL_ORDERS)
		return NULL;
	for (uint32_t k = 0; k < GWHL_ORDERS; k++) {
		struct gwhl_order *o =
		    &b->order[(b->order_at + k) % GWHL_ORDERS];

		if (o->id != 0 && (o->state != GWHL_DONE || o->is_todo))
			continue;
		gwhl_change(g, o);
		if (o->id != 0)
			unchain(b, o);
		b->order_at = (uint32_t)(o - b->order + 1) % GWHL_ORDERS;
		insert(b, o, id);
		g->wire_ns[o - b->order] = 0;
		return o;
	}
	return NULL;
}

static void
deactivate(struct gwhl_book *b, struct gwhl_order *o)
{
	uint32_t last = b->active[b->active_n - 1];

	CHECK(o->active != 0);
	b->active[o->active - 1] = last;
	b->order[last].active = o->active;
	b->active_n--;
	o->active = 0;
}

/* After another life: what was given out is unknown, what was not never
 * will be. */
void
gwhl_rebuild(struct gwhl *g)
{
	struct gwhl_book *b = g->book;

	undo(b);
	b->active_n = 0;
	memset(b->chain, 0, sizeof(b->chain));
	for (uint32_t i = 0; i < GWHL_ORDERS; i++) {
		struct gwhl_order *o = &b->order[i];
		uint32_t *at = chain_of(b, o->id);

		o->active = 0;
		if (o->state == GWHL_QUEUED)
			o->state = GWHL_DONE;
		if (o->state == 0)
			o->id = 0;
		if (o->id == 0)
			continue;
		o->next = *at;
		*at = i + 1;
		o->is_todo = false;
		o->is_cancelling = false;
		o->is_asking = false;
		if (o->state == GWHL_DONE)
			continue;
		b->active[b->active_n++] = i;
		o->active = b->active_n;
		o->state = GWHL_UNKNOWN;
		o->ask_ns = 1;
		o->ask_n = 0;
		o->absent_n = 0;
	}
	gwhl_keys_rebuild(b);
}

/* ---- what is told ---- */

qty_t
gwhl_left(const struct gwhl_order *o)
{
	return QTY(i64_max(o->qty.e8 - o->done.e8, 0));
}

void
gwhl_tell(struct gwhl *g, const struct gwhl_order *o, enum port_ev what,
    enum reason why)
{
	struct port_event ev = {.what = what,
	    .slot = o->slot,
	    .id = o->id,
	    .instr = o->instr,
	    .side = o->side,
	    .reason = why,
	    .px = o->px,
	    .qty = gwhl_left(o),
	    .sent_ns = g->wire_ns[o - g->book->order]};

	if (o->slot != PORT_NO_SLOT)
		g->sink->event(g->sink->user, &ev);
}

void
gwhl_todo(struct gwhl *g, struct gwhl_order *o)
{
	if (o->is_todo)
		return;
	CHECK(g->todo_n < GWHL_ORDERS);
	o->is_todo = true;
	g->todo[g->todo_n++] = (uint32_t)(o - g->book->order);
}

void
gwhl_ask_soon(struct gwhl *g, struct gwhl_order *o, uint64_t in_ns)
{
	uint64_t at = g->now.ns + in_ns;

	if (o->ask_ns == 0 || o->ask_ns > at)
		o->ask_ns = at;
}

void
gwhl_unknown(struct gwhl *g, struct gwhl_order *o)
{
	CHECK(o->state != GWHL_DONE);
	gwhl_ask_soon(g, o, 0);
	if (o->state != GWHL_SENT)
		return;
	o->state = GWHL_UNKNOWN;
	o->ask_n = 0;
	o->absent_n = 0;
	g->stat.unknowns++;
	gwhl_tell(g, o, PORT_UNKNOWN, REASON_OK);
}

/* Any sign of it: it was accepted. A cancel that overtook it goes again. */
void
gwhl_exists(struct gwhl *g, struct gwhl_order *o)
{
	bool news = o->state == GWHL_SENT || o->state == GWHL_UNKNOWN;

	if (o->state == GWHL_DONE || o->state == GWHL_QUEUED)
		return;
	o->absent_n = 0;
	o->state = GWHL_LIVE;
	o->is_answered = true;
	if (news)
		gwhl_tell(g, o, PORT_ACKED, REASON_OK);
	if (news && o->has_cancel && !o->is_cancelling)
		gwhl_todo(g, o);
}

void
gwhl_withdraw(struct gwhl *g, struct gwhl_order *o)
{
	gwhl_change(g, o);
	gwhl_log(
	    g, GWHL_LOG_STRAY, (int64_t)o->oid, (struct json_str){.s = ""});
	o->must_go = true;
	o->has_cancel = true;
	if (!o->is_cancelling)
		gwhl_todo(g, o);
}

/* More may still be filled than order management knows of. */
void
gwhl_keep_within(struct gwhl *g, struct gwhl_order *o)
{
	if (!o->must_go && o->total.e8 + gwhl_left(o).e8 > o->want.e8)
		gwhl_withdraw(g, o);
}

/* A change was done. It is told once the fills of the old oid are booked: a
 * size makes sense only after the fills before it. */
void
gwhl_held(struct gwhl *g, struct gwhl_order *o, bool now)
{
	bool known = o->old_left.e8 >= 0 &&
		     o->old_done.e8 >= o->old_qty.e8 - o->old_left.e8;

	if (!o->is_held || o->state == GWHL_DONE || (!known && !now))
		return;
	o->is_held = false;
	gwhl_keep_within(g, o);
	if (!o->must_go && gwhl_left(o).e8 > 0) {
		o->want = QTY(o->total.e8 + gwhl_left(o).e8);
		gwhl_tell(g, o, PORT_REDUCED, REASON_OK);
	}
	gwhl_finish(g, o, false);
}

/* The venue knows it under a newer oid: first sight, or a change that was
 * done. */
void
gwhl_newer(
    struct gwhl *g, struct gwhl_order *o, uint64_t oid, px_t px, qty_t qty)
{
	bool changed = o->oid != 0 && o->state != GWHL_DONE;

	CHECK(oid > o->oid);
	if (changed) {
		o->old_oid = o->oid;
		o->old_got = o->got;
		o->old_qty = o->qty;
		o->old_done = o->done;
		o->old_left = o->is_ended ? o->end_left : QTY(-1);
		o->is_held = true;
		o->held_ns = g->now.ns;
	}
	o->oid = oid;
	o->px = px;
	o->qty = qty;
	o->done = QTY(0);
	o->got = QTY(0);
	o->is_ended = false;
	if (!changed)
		return;
	o->is_changing = false;
	o->new_qty = QTY(0);
	gwhl_exists(g, o);
	gwhl_held(g, o, false);
}

void
gwhl_done(struct gwhl *g, struct gwhl_order *o)
{
	CHECK(o->state != GWHL_DONE);
	o->state = GWHL_DONE;
	o->has_cancel = false;
	o->is_changing = false;
	o->new_qty = QTY(0);
	o->ask_ns = 0;
	deactivate(g->book, o);
}

/* It never rested, or a part of a change did not. */
void
gwhl_refuse(struct gwhl *g, struct gwhl_order *o, enum reason why)
{
	if (o->state == GWHL_DONE)
		return;
	if (o->is_answered && o->state == GWHL_LIVE) {
		gwhl_end(g, o, gwhl_left(o), why);
		return;
	}
	o->is_answered = true;
	gwhl_tell(g, o, PORT_REJECTED, why);
	gwhl_done(g, o);
}

void
gwhl_finish(struct gwhl *g, struct gwhl_order *o, bool now)
{
	bool is_complete = o->done.e8 >= o->qty.e8 - o->end_left.e8;

	if (o->state == GWHL_DONE || !o->is_ended || o->is_changing ||
	    (o->is_held && !now) || (!is_complete && !now))
		return;
	if (!is_complete) {
		gwhl_log(g, GWHL_LOG_SHORT, (int64_t)o->oid,
		    (struct json_str){.s = ""});
		g->sync.again = true;
	}
	/* What was filled in full says so by its fills. */
	if (o->total.e8 < o->want.e8)
		gwhl_tell(g, o, PORT_CANCELLED, (enum reason)o->why);
	gwhl_done(g, o);
}

/* It is gone at the venue with `left` unfilled. */
void
gwhl_end(struct gwhl *g, struct gwhl_order *o, qty_t left, enum reason why)
{
	if (o->state == GWHL_DONE)
		return;
	gwhl_exists(g, o);
	if (!o->is_ended) {
		o->is_ended = true;
		o->end_ns = g->now.ns;
		o->why = (uint16_t)why;
	}
	o->end_left = left;
	gwhl_finish(g, o, false);
}

/* ---- words of the venue ---- */

static enum reason
why_of(struct json_str status, bool wanted)
{
	if (json_is(status, "badAloPxRejected"))
		return REASON_POST_ONLY;
	if (json_is(status, "tickRejected"))
		return REASON_OFF_TICK;
	if (json_is(status, "minTradeNtlRejected"))
		return REASON_TOO_SMALL;
	if (json_is(status, "perpMarginRejected") ||
	    json_is(status, "insufficientSpotBalanceRejected") ||
	    json_is(status, "openInterestIncreaseRejected") ||
	    json_is(status, "marginCanceled"))
		return REASON_EXPOSURE_CAP;
	if (json_is(status, "reduceOnlyRejected") ||
	    json_is(status, "reduceOnlyCanceled"))
		return REASON_REDUCE_ONLY;
	if (json_is(status, "oracleRejected"))
		return REASON_PRICE_BAND;
	if (json_is(status, "perpMaxPositionRejected"))
		return REASON_POSITION_CAP;
	if (json_is(status, "tooManyOpenOrdersRejected"))
		return REASON_OPEN_ORDERS;
	if (json_is(status, "selfTradeCanceled"))
		return REASON_SELF_CROSS;
	if (json_is(status, "iocCancelRejected"))
		return REASON_OK;
	return json_is(status, "canceled") || wanted ? REASON_OK : REASON_VENUE;
}

/* The dead-man switch takes everything at once; that is one trigger. */
static void
note_scheduled(struct gwhl *g, const struct hlu_order *u)
{
	uint64_t day = gwhl_wall_ms(g) / UINT64_C(86400000);

	if (!json_is(u->status, "scheduledCancel") || !g->is_scheduled)
		return;
	g->is_scheduled = false;
	if (g->book->sched_day != day)
		g->book->sched_n = 0;
	g->book->sched_day = day;
	g->book->sched_n++;
	gwhl_log(g, GWHL_LOG_SCHEDULED, g->book->sched_n, u->status);
}

static void
apply(struct gwhl *g, struct gwhl_order *o, const struct hlu_order *u)
{
	bool wanted = o->has_cancel;

	switch (u->state) {
	case HLU_LIVE:
		if (!o->is_ended)
			gwhl_exists(g, o);
		return;
	case HLU_FILLED: gwhl_end(g, o, QTY(0), REASON_OK); return;
	case HLU_CANCELLED:
		/* Maybe half of a change: gwhl_finish waits for what becomes
		 * of the other half. */
		gwhl_end(g, o, u->left, why_of(u->status, wanted));
		return;
	case HLU_REJECTED: gwhl_refuse(g, o, why_of(u->status, wanted)); return;
	case HLU_STRANGE:
		gwhl_log(g, GWHL_LOG_STATUS, (int64_t)u->oid, u->status);
		gwhl_ask_soon(g, o, ASK_NS);
		return;
	case HLU_STATE_N: break;
	}
	CHECK(u->state == 0);
}

/* One of ours that this life does not know: the shell says what becomes of
 * it. */
static struct gwhl_order *
adopt(struct gwhl *g, const struct hlu_order *u, uint64_t id)
{
	struct gwhl_coin *c = gwhl_coin_named(g, u->coin);
	struct gwhl_order *o;

	if (c == NULL || u->state != HLU_LIVE || (o = gwhl_new(g, id)) == NULL)
		return NULL;
	o->slot = PORT_NO_SLOT;
	o->instr = c->instr;
	o->coin = (uint16_t)(c - g->coin);
	o->side = (uint8_t)u->side;
	o->tif = TIF_GTC;
	o->oflags = u->reduce_only ? ORDER_REDUCE_ONLY : 0;
	o->px = u->px;
	o->qty = u->qty;
	o->oid = u->oid;
	/* What was filled before this life was booked by an earlier one. */
	o->done = QTY(u->qty.e8 - u->left.e8);
	o->total = o->done;
	o->want = u->qty;
	o->state = GWHL_UNKNOWN;
	return o;
}

/* What was asked then is said after the last request that could act on it. */
static bool
is_past(const struct gwhl *g, const struct gwhl_order *o, int64_t asked_ns)
{
	int64_t asked_ms = asked_ns / NS_PER_MS + g->skew_ms;

	return asked_ns != 0 &&
	       asked_ms >= (int64_t)(o->expires_ms + GWHL_MARGIN_MS);
}

/* Asked, and it rests: what was waited for did not happen. */
static void
still_rests(struct gwhl *g, struct gwhl_order *o, const struct hlu_order *u)
{
	/* More was filled than we were told of. */
	if (u->qty.e8 - u->left.e8 > o->done.e8)
		g->sync.again = true;
	if (o->new_qty.e8 > 0 && !o->is_changing && !o->is_todo) {
		o->new_qty = QTY(0);
		gwhl_tell(g, o, PORT_NOT_CANCELLED, REASON_VENUE);
	}
	if (!o->must_tell || o->is_cancelling || o->is_todo)
		return;
	o->must_tell = false;
	gwhl_tell(g, o, o->has_cancel ? PORT_NOT_CANCELLED : PORT_ACKED,
	    o->has_cancel ? REASON_VENUE : REASON_OK);
	o->has_cancel = o->must_go;
	if (o->must_go)
		gwhl_todo(g, o);
}

/* The new half of a change was refused: the old one is gone. */
static void
half_refused(struct gwhl *g, struct gwhl_order *o, const struct hlu_order *u)
{
	enum reason why = why_of(u->status, o->has_cancel);

	if (o->oid == 0) {
		gwhl_refuse(g, o, why);
		return;
	}
	o->is_changing = false;
	o->why = (uint16_t)why;
	gwhl_end(g, o, o->is_ended ? o->end_left : gwhl_left(o), why);
}

/* Asked about by a life of order management that knows more than our book:
 * what was filled before was booked then. */
static void
first_sight(struct gwhl_order *o, const struct hlu_order *u)
{
	o->oid = u->oid;
	o->px = u->px;
	o->qty = u->qty;
	o->want = u->qty;
	o->done = QTY(u->qty.e8 - u->left.e8);
	o->total = o->done;
}

/* Of an oid that a change replaced. */
static void
older(struct gwhl *g, struct gwhl_order *o, const struct hlu_order *u)
{
	g->stat.stale++;
	if (!o->is_held || u->oid != o->old_oid || u->state != HLU_CANCELLED)
		return;
	o->old_left = u->left;
	gwhl_held(g, o, false);
}

void
gwhl_update(struct gwhl *g, const struct hlu_order *u, int64_t asked_ns)
{
	uint64_t id = u->has_cloid ? gwhl_id_of(u->cloid) : 0;
	struct gwhl_order *o =
	    u->has_cloid ? gwhl_find(g, id) : gwhl_find_oid(g, u->oid);

	note_scheduled(g, u);
	if (o == NULL && id != 0 && asked_ns != 0)
		o = adopt(g, u, id);
	if (o == NULL || o->state == GWHL_DONE || o->state == GWHL_QUEUED)
		return;
	gwhl_change(g, o);
	if (u->oid < o->oid) {
		older(g, o, u);
		return;
	}
	if (u->oid > o->oid && u->state == HLU_REJECTED) {
		half_refused(g, o, u);
		return;
	}
	if (o->want.e8 == 0)
		first_sight(o, u);
	else if (u->oid > o->oid)
		gwhl_newer(g, o, u->oid, u->px, u->qty);
	else if (u->state == HLU_FILLED || is_past(g, o, asked_ns))
		o->is_changing = false; /* it cannot happen any more */
	apply(g, o, u);
	if (asked_ns != 0 && u->state == HLU_LIVE && o->state == GWHL_LIVE &&
	    !o->is_ended)
		still_rests(g, o, u);
}

static uint64_t
ask_wait(struct gwhl_order *o)
{
	uint64_t wait = ASK_NS << (o->ask_n < 5 ? o->ask_n : 5);

	if (o->ask_n < UINT8_MAX)
		o->ask_n++;
	return wait < ASK_NS_MAX ? wait : ASK_NS_MAX;
}

void
gwhl_settle_ask(struct gwhl *g, struct gwhl_order *o)
{
	bool open = o->state == GWHL_UNKNOWN || o->is_changing || o->is_ended ||
		    (o->has_cancel && !o->is_cancelling && !o->is_todo) ||
		    o->must_tell;

	o->is_asking = false;
	if (o->state == GWHL_DONE)
		return;
	o->ask_ns = open ? g->now.ns + ask_wait(o) : 0;
	if (!open)
		o->ask_n = 0;
	/* A cancel was answered with success, and yet it rests. */
	if (o->has_cancel && o->ask_n > 4)
		o->must_tell = true;
}

/* orderStatus: unknownOid. Only a question asked after the request can no
 * longer be carried out proves anything. */
void
gwhl_absent(struct gwhl *g, struct gwhl_order *o, int64_t asked_wall_ns)
{
	if (o->state == GWHL_DONE || o->state == GWHL_QUEUED)
		return;
	gwhl_change(g, o);
	if (!is_past(g, o, asked_wall_ns) ||
	    (o->is_answered && ++o->absent_n < 2)) {
		o->must_tell = o->must_tell || o->is_answered;
		return;
	}
	o->is_answered = true;
	gwhl_tell(g, o, PORT_GONE, REASON_UNKNOWN_ORDER);
	gwhl_done(g, o);
}
