/*
 * risk_int.h - what the files of the risk core share; nobody else includes it.
 *
 * riskbook.c keeps positions, slots, marks and totals; riskkept.c what
 * outlives the run; risklate.c fills of markets that have lost their slot;
 * riskrules.c judges an
 * intent; risklink.c watches feeds and decides on freezes; risksave.c moves
 * state to and from records; risk.c takes events and speaks.
 */
#ifndef RISKD_RISK_INT_H
#define RISKD_RISK_INT_H

#include "riskd/risk.h"

/* riskbook.c */

/* An order that might be added to a slot, for "what if". */
struct risk_try {
	uint16_t instr;
	uint8_t side;
	uint8_t level;
	px_t px;
	qty_t qty;
};

/* One market with every order filled, side by side. */
struct risk_view {
	qty_t bid; /* that bids can still fill, without the try's slot  */
	qty_t ask;
	qty_t own; /* that the try's slot can still fill                */
	usd_t exposure;
	usd_t worst; /* gain at the worst outcome                         */
};

static inline bool
risk_is_binary(const struct risk_instr *in)
{
	return in->cls == CLASS_BINARY || in->cls == CLASS_UPDOWN;
}

/* risk_has_book - holds something, or earned or paid something. */
static inline bool
risk_has_book(const struct position *p)
{
	return p->qty.e8 != 0 || p->realised_e16 != 0 || p->fees.e6 != 0;
}

bool risk_marked(const struct risk *r, uint16_t i);
/* risk_slot_at - NULL when it was never used. risk_slot_new - makes it;
 * NULL when all RISK_SLOTS are taken. */
struct risk_slot *risk_slot_at(
    struct risk *r, uint16_t i, uint8_t side, uint8_t level);
struct risk_slot *risk_slot_new(
    struct risk *r, uint16_t i, uint8_t side, uint8_t level);
/* risk_slot_bound - most it can still fill; *px its worst price. */
qty_t risk_slot_bound(const struct risk_slot *s, px_t *px);
/* risk_outcomes - the prices a market may end at. */
void risk_outcomes(const struct risk *r, bool binary, const struct position *p,
    px_t mark, px_t out[3]);
/* risk_view_of - a market as it is, or with an order tried (NULL: none). */
void risk_view_of(
    struct risk *r, uint16_t i, const struct risk_try *t, struct risk_view *v);
/* risk_refresh - a market changed: bring the totals up to date. */
void risk_refresh(struct risk *r, uint16_t i);
void risk_dirty(struct risk *r, uint32_t rec);
void risk_dirty_slot(struct risk *r, const struct risk_slot *s);
/* risk_order_add, _find, _drop - orders of a slot. */
struct risk_order *risk_order_add(
    struct risk *r, struct risk_slot *s, const struct risk_order *o);
struct risk_order *risk_order_find(struct risk_slot *s, uint64_t id);
void risk_order_drop(struct risk *r, struct risk_slot *s, uint64_t id);
/* risk_book_fill - a fill into position and day. */
void risk_book_fill(struct risk *r, uint16_t i, const struct order *o);

/* risk_settle - a resolved market with a known outcome: its position closes
 * at 1, 0 or 1/2, without a fee. Nothing else ever settles one, and a second
 * time there is nothing left. */
void risk_settle(struct risk *r, uint16_t i);

/* risk_held - the instrument has, or had, a position. */
void risk_held(struct risk *r, uint16_t i);

/* riskkept.c */

/* risk_kept_place - what waits for this symbol goes to instrument i. */
void risk_kept_place(struct risk *r, uint16_t i, const struct instr *in);
/* risk_kept_move - the slot of instrument i goes to another market: what it
 * has waits for its own outcome, in another slot or unplaced. */
void risk_kept_move(struct risk *r, uint16_t i);
/* risk_kept_total - the unplaced entries into the totals. */
void risk_kept_total(struct risk *r);

/* risklate.c */

/* risk_late_note - instrument i becomes another market, or its first. */
void risk_late_note(struct risk *r, uint16_t i, const struct instr *in);
/* risk_late_fill - is it of a market that had the slot before, by its epoch?
 * Then it is booked where that one is now; where that is not known it is
 * counted, and trading goes down to what reduces until a person has looked. */
bool risk_late_fill(struct risk *r, uint16_t i, const struct order *o);

/* riskrules.c: risk_judge - the verdict on an intent; t->qty may shrink. */
enum reason risk_judge(
    struct risk *r, const struct order *o, uint64_t now_ns, struct risk_try *t);
/* risk_rate_count - a passed order counts for a second. */
void risk_rate_count(struct risk *r, uint16_t i, uint64_t now_ns);

/* risklink.c */
void risk_on_tick(struct risk *r, const struct event *ev);
/* risk_freezes - masks from links, latches and world. */
void risk_freezes(struct risk *r, uint64_t now_ns);
uint64_t risk_mask(const struct risk *r, enum venue v);
/* risk_link_wake - when the next link will have been silent for too long. */
uint64_t risk_link_wake(const struct risk *r, uint64_t now_ns);

#endif
