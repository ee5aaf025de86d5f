#include <string.h>

#include "execd/gw_pm_int.h"
#include "libcore/check.h"

static uint32_t
chain_hash(const struct pm_hash *h)
{
	uint32_t v;

	memcpy(&v, h->b, sizeof(v));
	return v % GWPM_CHAINS;
}

static uint32_t
chain_u64(uint64_t v)
{
	return (uint32_t)((v * UINT64_C(0x9e3779b97f4a7c15)) >> 52) %
	       GWPM_CHAINS;
}

static void
link_id(struct gwpm_book *b, struct gwpm_order *o)
{
	uint32_t *head = &b->by_id[chain_u64(o->id)];

	o->next_id = *head;
	*head = (uint32_t)(o - b->order) + 1;
}

static void
link_active(struct gwpm_book *b, struct gwpm_order *o)
{
	o->active_at = b->active_n;
	b->active[b->active_n++] = (uint32_t)(o - b->order);
}

void
gwpm_order_hashed(struct gwpm_book *b, struct gwpm_order *o)
{
	uint32_t *head = &b->by_hash[chain_hash(&o->hash)];

	o->has_hash = true;
	o->next_hash = *head;
	*head = (uint32_t)(o - b->order) + 1;
}

static void
link_fill(struct gwpm_book *b, struct gwpm_fill *f)
{
	uint32_t *head = &b->by_key[chain_u64(f->key)];

	f->next = *head;
	*head = (uint32_t)(f - b->fill) + 1;
}

/* ---- what a kill leaves half done ---- */

void
gwpm_undo_begin(struct gwpm_book *b, const struct gwpm_undo *set)
{
	struct gwpm_undo *u = &b->undo;
	const struct gwpm_fill *head =
	    gwpm_fill_by_key(b, gwpm_fill_id(set->trade_key, &set->hash, 0));

	CHECK(atomic_load_explicit(&u->is_armed, memory_order_relaxed) == 0);
	u->order = set->order;
	u->market = set->market;
	u->role = set->role;
	u->trade_key = set->trade_key;
	u->hash = set->hash;
	u->open_n = b->market[u->market].open_n;
	u->fill_seq = b->fill_seq;
	u->was_cash = b->cash;
	u->was_token = *gwpm_token_at(b, (uint16_t)u->market, (uint8_t)u->role);
	if (u->order != 0)
		u->was_order = b->order[u->order - 1];
	u->leg_n = head == NULL ? 0 : head->leg_n;
	for (uint32_t k = 0; k < u->leg_n && k < PM_USER_LEGS; k++) {
		const struct gwpm_fill *f = gwpm_fill_by_key(
		    b, gwpm_fill_id(u->trade_key, &u->hash, k));

		u->was_state[k] = f != NULL ? f->state : 0;
	}
	u->is_new = head == NULL;
	atomic_store_explicit(&u->is_armed, 1, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
}

void
gwpm_undo_end(struct gwpm_book *b)
{
	atomic_store_explicit(&b->undo.is_armed, 0, memory_order_release);
}

/* The fills of that part: gone when they were new, else as they were. */
static void
undo_fills(struct gwpm_book *b)
{
	const struct gwpm_undo *u = &b->undo;

	for (uint32_t k = 0; k < PM_USER_LEGS; k++) {
		uint64_t key = gwpm_fill_id(u->trade_key, &u->hash, k);

		for (uint32_t i = 0; i < GWPM_FILLS; i++) {
			struct gwpm_fill *f = &b->fill[i];

			if (f->key != key)
				continue;
			if (u->is_new)
				*f = (struct gwpm_fill){0};
			else if (k < u->leg_n && u->was_state[k] != 0)
				f->state = u->was_state[k];
		}
	}
}

static void
undo(struct gwpm_book *b)
{
	const struct gwpm_undo *u = &b->undo;

	if (u->is_armed == 0)
		return;
	if (u->market < GWPM_MARKETS && u->order <= GWPM_ORDERS &&
	    (u->role == ROLE_YES || u->role == ROLE_NO)) {
		undo_fills(b);
		b->fill_seq = u->fill_seq;
		b->cash = u->was_cash;
		b->market[u->market].open_n = u->open_n;
		*gwpm_token_at(b, (uint16_t)u->market, (uint8_t)u->role) =
		    u->was_token;
		if (u->order != 0)
			b->order[u->order - 1] = u->was_order;
	}
	gwpm_undo_end(b);
}

/* What follows from the orders alone. */
static void
recount(struct gwpm_book *b)
{
	for (uint32_t i = 0; i < GWPM_MARKETS; i++) {
		b->market[i].open_n = 0;
		b->market[i].token[0].offered_e8 = 0;
		b->market[i].token[1].offered_e8 = 0;
	}
	for (uint32_t i = 0; i < b->active_n; i++) {
		const struct gwpm_order *o = &b->order[b->active[i]];

		b->market[o->market].open_n++;
		/* An order that was never filled in has no token yet. */
		if (o->role == ROLE_YES || o->role == ROLE_NO)
			gwpm_offered(b, o, gwpm_left(o).e8);
	}
}

void
gwpm_book_index(struct gwpm_book *b)
{
	undo(b);
	memset(b->by_hash, 0, sizeof(b->by_hash));
	memset(b->by_id, 0, sizeof(b->by_id));
	memset(b->by_key, 0, sizeof(b->by_key));
	b->active_n = 0;
	for (uint32_t i = 0; i < GWPM_ORDERS; i++) {
		struct gwpm_order *o = &b->order[i];

		if (o->id == 0)
			continue;
		o->calls = 0;
		link_id(b, o);
		if (o->has_hash)
			gwpm_order_hashed(b, o);
		if (o->state != GWPM_DONE)
			link_active(b, o);
	}
	memset(b->by_instr, 0, sizeof(b->by_instr));
	for (uint32_t i = 0; i < GWPM_MARKETS; i++)
		if (b->market[i].used && b->market[i].instr < GWPM_INSTRS)
			b->by_instr[b->market[i].instr] = (uint16_t)(i + 1);
	b->by_instr[0] = 0; /* no instrument */
	for (uint32_t i = 0; i < GWPM_FILLS; i++)
		if (b->fill[i].key != 0)
			link_fill(b, &b->fill[i]);
	recount(b);
}

struct gwpm_order *
gwpm_order_by_hash(struct gwpm_book *b, const struct pm_hash *h)
{
	uint32_t i = b->by_hash[chain_hash(h)];

	while (i != 0 && memcmp(&b->order[i - 1].hash, h, sizeof(*h)) != 0)
		i = b->order[i - 1].next_hash;
	return i == 0 ? NULL : &b->order[i - 1];
}

struct gwpm_order *
gwpm_order_by_id(struct gwpm_book *b, uint64_t id)
{
	uint32_t i = b->by_id[chain_u64(id)];

	while (i != 0 && b->order[i - 1].id != id)
		i = b->order[i - 1].next_id;
	return i == 0 ? NULL : &b->order[i - 1];
}

static void
unlink_order(struct gwpm_book *b, struct gwpm_order *o)
{
	uint32_t me = (uint32_t)(o - b->order) + 1;
	uint32_t *at = &b->by_id[chain_u64(o->id)];

	while (*at != me)
		at = &b->order[*at - 1].next_id;
	*at = o->next_id;
	if (!o->has_hash)
		return;
	at = &b->by_hash[chain_hash(&o->hash)];
	while (*at != me)
		at = &b->order[*at - 1].next_hash;
	*at = o->next_hash;
}

/* Entries are used round and round, so that what is done is kept for as long
 * as there is room. */
static struct gwpm_order *
order_entry(struct gwpm_book *b)
{
	for (uint32_t k = 0; k < GWPM_ORDERS; k++) {
		uint32_t i = (b->order_at + k) % GWPM_ORDERS;
		struct gwpm_order *o = &b->order[i];

		if (o->id != 0 && (o->state != GWPM_DONE || o->calls > 0))
			continue;
		b->order_at = (i + 1) % GWPM_ORDERS;
		return o;
	}
	return NULL;
}

struct gwpm_order *
gwpm_order_new(struct gwpm_book *b, uint64_t id)
{
	struct gwpm_order *o = order_entry(b);

	CHECK(id != 0);
	if (o == NULL)
		return NULL;
	if (o->id != 0)
		unlink_order(b, o);
	*o = (struct gwpm_order){.id = id, .state = GWPM_QUEUED};
	link_id(b, o);
	link_active(b, o);
	return o;
}

void
gwpm_offered(struct gwpm_book *b, const struct gwpm_order *o, int64_t e8)
{
	if (o->deal == SIDE_ASK)
		gwpm_token_at(b, o->market, o->role)->offered_e8 += e8;
}

void
gwpm_order_close(struct gwpm_book *b, struct gwpm_order *o, uint64_t ns)
{
	uint32_t last;

	CHECK(o->state != GWPM_DONE);
	CHECK(b->active_n > 0);
	gwpm_offered(b, o, -gwpm_left(o).e8);
	last = b->active[--b->active_n];
	b->active[o->active_at] = last;
	b->order[last].active_at = o->active_at;
	o->state = GWPM_DONE;
	o->done_ns = ns;
	o->ask_ns = 0;
	b->market[o->market].open_n--;
}

struct gwpm_fill *
gwpm_fill_by_key(struct gwpm_book *b, uint64_t key)
{
	uint32_t i = b->by_key[chain_u64(key)];

	while (i != 0 && b->fill[i - 1].key != key)
		i = b->fill[i - 1].next;
	return i == 0 ? NULL : &b->fill[i - 1];
}

static void
unlink_fill(struct gwpm_book *b, const struct gwpm_fill *f)
{
	uint32_t me = (uint32_t)(f - b->fill) + 1;
	uint32_t *at = &b->by_key[chain_u64(f->key)];

	while (*at != me)
		at = &b->fill[*at - 1].next;
	*at = f->next;
}

/* Entries are used round and round; one that is pending is left alone. */
struct gwpm_fill *
gwpm_fill_new(struct gwpm_book *b, uint64_t key)
{
	CHECK(key != 0);
	for (uint32_t k = 0; k < GWPM_FILLS; k++) {
		uint32_t i = (b->fill_at + k) % GWPM_FILLS;
		struct gwpm_fill *f = &b->fill[i];

		if (f->key != 0 && f->state == GWPM_FILL_PENDING)
			continue;
		b->fill_at = (i + 1) % GWPM_FILLS;
		if (f->key != 0)
			unlink_fill(b, f);
		*f = (struct gwpm_fill){.key = key};
		link_fill(b, f);
		return f;
	}
	return NULL;
}

struct gwpm_market *
gwpm_market_of(struct gwpm_book *b, uint16_t instr)
{
	if (instr >= GWPM_INSTRS || b->by_instr[instr] == 0)
		return NULL;
	return &b->market[b->by_instr[instr] - 1];
}

struct gwpm_market *
gwpm_token_find(struct gwpm_book *b, const struct pm_token *t, uint8_t *role)
{
	for (uint32_t i = 0; i < GWPM_MARKETS; i++)
		for (uint8_t k = 0; b->market[i].used && k < 2; k++)
			if (pm_token_eq(&b->market[i].token[k].id, t)) {
				*role = (uint8_t)(ROLE_YES + k);
				return &b->market[i];
			}
	return NULL;
}
