/*
 * risk_int.h - what the files of the risk core share; nobody else includes it.
 *
 * riskbook.c keeps positions, slots, marks and totals; riskkept.c what
 * outlives the run; risklate.c fills of markets that have lost their slot;
 * riskrules.c judges an intent; riskcaps.c knows caps, capital and fees;
 * riskstop.c ends positions; risktoxic.c watches fills; riskrecon.c compares
 * with the venue; risklink.c watches feeds and decides on freezes; risksave.c
 * moves state to and from records; risktell.c speaks; risk.c takes events.
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
	uint8_t strategy;
	bool takes;
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
	usd_t edge_exposure;
	bool edge_open;
};

static inline bool
risk_is_binary(const struct risk_instr *in)
{
	return in->cls == CLASS_BINARY || in->cls == CLASS_UPDOWN;
}

static inline bool
risk_is_edge(uint8_t strategy)
{
	return strategy == STRATEGY_EDGE || strategy == STRATEGY_SATELLITE;
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
/* risk_book_fill - a fill into position and day, and into what watches it. */
void risk_book_fill(
    struct risk *r, uint16_t i, const struct order *o, uint64_t now_ns);
/* risk_book - so much into a position and the day; returns what it realised,
 * e16. */
i128_t risk_book(
    struct risk *r, uint16_t i, enum side side, px_t px, qty_t qty, usd_t fee);

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
bool risk_late_fill(
    struct risk *r, uint16_t i, const struct order *o, uint64_t now_ns);

/* riskrules.c: risk_judge - the verdict on an intent; t->qty may shrink. */
enum reason risk_judge(
    struct risk *r, const struct order *o, uint64_t now_ns, struct risk_try *t);
/* risk_is_busy - we sent so much within a second that a late answer is our own
 * doing: latency.self_throttle_frac. */
bool risk_is_busy(struct risk *r, uint64_t now_ns);
/* risk_rate_count - a passed order counts for a second. */
void risk_rate_count(struct risk *r, uint16_t i, uint64_t now_ns);

/* risklink.c */
void risk_on_tick(struct risk *r, const struct event *ev);
/* risk_freezes - masks from links, latches and world. */
void risk_freezes(struct risk *r, uint64_t now_ns);
uint64_t risk_mask(const struct risk *r, enum venue v);
/* risk_link_wake - when the next link will have been silent for too long. */
uint64_t risk_link_wake(const struct risk *r, uint64_t now_ns);

/* riskstop.c */

/* risk_look - one market: does a phase begin or end, is something due? */
void risk_look(
    struct risk *r, uint16_t i, uint64_t now_ns, struct core_out *out);
/* risk_look_due - the markets that changed in this step, and when one is due
 * all that ever had a position. What has no room waits for the next step. */
void risk_look_due(struct risk *r, uint64_t now_ns, struct core_out *out);
/* risk_touch - look at this market after the step. */
void risk_touch(struct risk *r, uint16_t i);
/* risk_turned - the position went from was to what it is. */
void risk_turned(struct risk *r, uint16_t i, int64_t was_e8);
/* risk_exit_small - an exit was below the venue's minimum. */
void risk_exit_small(struct risk *r, uint16_t i);
/* risk_own_id - for an order of riskd's own: the life of quoted, a bit that
 * no id of quoted has, and a number that no run uses twice. */
uint64_t risk_own_id(struct risk *r);
/* risk_age_limit - how old its position may be, ns; *box the time box. */
int64_t risk_age_limit(const struct risk *r, uint16_t i, int64_t *box_ns);

/* risktoxic.c */

/* risk_flow_fill - a fill that was booked, and what it realised. */
void risk_flow_fill(struct risk *r, uint16_t i, const struct order *o,
    i128_t gain_e16, uint64_t now_ns);
/* risk_flow_back - a fill that was taken back. */
void risk_flow_back(struct risk *r, uint16_t i, uint64_t now_ns);
/* risk_markout_mid - the mid, for fills that wait for it. */
void risk_markout_mid(
    struct risk *r, uint16_t i, uint64_t now_ns, struct core_out *out);
/* Most of them that one call tells. */
#define RISK_MARKOUT_SAY 4u
/* risk_markout_due - when the next of them is due, 0 none; _drop - none. */
uint64_t risk_markout_due(const struct risk *r, uint16_t i);
void risk_markout_drop(struct risk *r, uint16_t i);
void risk_markout_configure(struct risk *r);
/* risk_ratio_tick - the window of what is made and taken moves on with the
 * clock. */
void risk_ratio_tick(struct risk *r);
/* risk_pause - nothing of the market is quoted until then. */
void risk_pause(struct risk *r, uint16_t i, enum reason why, uint64_t until_ns);

/* riskcaps.c */

usd_t risk_frac(usd_t usd, dec_t frac);
/* risk_capital - the capital that counts now, kept in r->capital. */
void risk_capital(struct risk *r, uint64_t now_ns);
/* risk_balance_known - is the venue's balance fresh? Live only; else true. */
bool risk_balance_known(const struct risk *r, enum venue v, uint64_t now_ns);
/* risk_group_set - the market belongs to a cluster (0: to none). */
void risk_group_set(struct risk *r, uint16_t i, uint32_t cluster);
/* risk_market_cap, risk_cluster_room - dollars that the market may have. */
usd_t risk_market_cap(const struct risk *r, uint16_t i);
usd_t risk_cluster_room(const struct risk *r, uint16_t i);
/* risk_edge_fill - the edge strategy's part of a fill. _settle: an outcome. */
void risk_edge_fill(struct risk *r, uint16_t i, const struct order *o);
void risk_edge_settle(struct risk *r, uint16_t i, px_t px);
/* risk_edge_check - its loss of the day and its drawdown. */
void risk_edge_check(struct risk *r, int64_t wall_ns);
/* risk_edge_fits - may edge add this? */
bool risk_edge_fits(
    const struct risk *r, const struct risk_try *t, const struct risk_view *v);
/* risk_fee_model - what a fill should have cost; false: not known. */
bool risk_fee_model(
    const struct risk_instr *in, const struct order *o, usd_t *fee);
/* risk_only_reduces - why this order may only reduce, REASON_OK: it need not.
 * risk_paused - why nothing is quoted in this market, REASON_OK: it is. */
enum reason risk_only_reduces(
    const struct risk *r, const struct order *o, uint64_t now_ns);
enum reason risk_paused(const struct risk *r, uint16_t i, uint64_t now_ns);

/* riskrecon.c */

/* risk_on_position, risk_on_balance - execd's word. */
void risk_on_position(struct risk *r, const struct order *o);
void risk_on_balance(struct risk *r, const struct order *o, uint64_t now_ns);
/* risk_adopt - every position that differs becomes the venue's. */
void risk_adopt(struct risk *r);

/* risktell.c */

/* risk_tell - the market to quoted; of it: a markout that came due, or NULL.
 * risk_tell_new - if it is not what quoted was last told. */
void risk_tell(struct risk *r, uint16_t i, const struct markout_result *of,
    uint64_t now_ns, struct core_out *out);
void risk_tell_new(
    struct risk *r, uint16_t i, uint64_t now_ns, struct core_out *out);
/* risk_cancel - withdraw what a slot has, up to an id. cause: NULL, or the
 * message behind it. */
void risk_cancel(const struct risk_slot *s, const struct order *cause,
    uint64_t id, uint64_t now_ns, struct core_out *out);
/* risk_withdraw - all resting orders of a market on one side (0: both). */
void risk_withdraw(struct risk *r, uint16_t i, uint8_t side, uint64_t now_ns,
    struct core_out *out);
enum ring_id risk_order_ring(uint16_t instr);
/* risk_note - for the shell's log; dropped when there is no room. */
void risk_note(struct risk *r, const struct risk_note *n);

#endif
