/*
 * room.h - what the files of quoted use of each other.
 */
#ifndef QUOTED_ROOM_H
#define QUOTED_ROOM_H

#include "quoted/strat.h"

/*
 * quote_guard - may this market be quoted now? The guards of why.def in their
 * order; the first that refuses decides. A market that is being unwound only
 * meets TRADING, LINK, BOOK, TWO_SIDED and CROSSED.
 * Returns : REASON_OK or why not; *stop: at which filter (WHY_N: none).
 */
enum reason quote_guard(struct strat_look *l, enum why_id *stop);

/* quote_guard_take - may takers be asked? */
bool quote_guard_take(const struct strat_look *l);

/* quote_settle_widen - factor on the spread: updown.stale_widen while the
 * price that settles the market is older than half of its look-back, else 1. */
double quote_settle_widen(
    const struct quote *q, const struct quote_mkt *m, uint64_t now_ns);

/* quote_factors - riskd's factors of the market that still hold; a second
 * trip extends them and multiplies nothing twice, for they are told whole. */
struct quote_factors {
	double gamma;
	double size;
	double spread;
};
struct quote_factors quote_factors(const struct strat_look *l);

/* quote_venue_now - the venue's clock, from its newest word and the time
 * since; 0 when it never said. */
int64_t quote_venue_now(const struct quote_mkt *m, uint64_t now_ns);

/* quote_slot - what rests at a level; NULL where an instrument has none. */
struct quote_side *quote_slot(
    struct quote *q, uint16_t instr, enum side side, uint8_t level);

/* quote_levels - levels an instrument has slots for. */
uint32_t quote_levels(uint16_t instr);

/* quote_apply - say what changed between what rests and what is wanted. */
void quote_apply(
    struct strat_look *l, const struct strat *s, const struct strat_want *want);

/* quote_emit - an intent of a slot, as it is now. */
void quote_emit(
    struct strat_look *l, const struct strat *s, enum side side, uint8_t level);

/* quote_tell - what a strategy makes of the market, for the recorder; dropped
 * when there is no room. */
void quote_tell(struct strat_look *l, const struct strat *s, enum reason r);

/* quote_again - every market is looked at soon. */
void quote_again(struct quote *q);

/* quote_on_order - a message of riskd or execd; true when its market wants a
 * look. */
bool quote_on_order(
    struct quote *q, const struct event *ev, struct quote_out *out);

/* quote_take_lost - it found no room and never was. quote_takes_wake - the
 * time of the next leg that is due, at most `before`. */
void quote_take_lost(struct quote *q, uint64_t id);
uint64_t quote_takes_wake(const struct quote *q, uint64_t before);

/* takes: reports on them, and time. quote_take_report - true when it was
 * about a take. */
bool quote_take_report(struct quote *q, const struct order *o,
    const struct event *ev, struct quote_out *out);
void quote_takes_turn(
    struct quote *q, const struct event *ev, struct quote_out *out);
void quote_hold_drop(struct quote *q, uint16_t instr);

/* parity_late - a leg that was given up has been filled. */
void parity_late(struct quote *q, const struct quote_take *k, qty_t n,
    const struct event *ev, struct quote_out *out);

/* parity_turn - legs whose other did not come. */
void parity_turn(
    struct quote *q, const struct event *ev, struct quote_out *out);

/* quote_note_add - dropped when there is no room. */
void quote_note_add(struct quote_out *out, const struct quote_note *n);

/* quote_index - instrument of a market in q. */
uint16_t quote_index(const struct quote *q, const struct quote_mkt *m);

static inline bool
quote_is_binary(const struct quote_mkt *m)
{
	return m->in.cls == CLASS_BINARY || m->in.cls == CLASS_UPDOWN;
}

/* quote_micro - micro-price of a two-sided book: its touch, or its top
 * micro_price.levels levels where they are known. Within the touch. */
px_t quote_micro(const struct quote *q, const struct quote_mkt *m);

#endif
