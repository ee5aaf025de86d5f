/*
 * exec_int.h - what the files of the exec core share; nobody else includes it.
 *
 * execslot.c decides what to send for a slot; execout.c sends and reports;
 * execport.c takes what the venue says; execsave.c moves state to and from
 * records; exec.c takes events.
 */
#ifndef EXECD_EXEC_INT_H
#define EXECD_EXEC_INT_H

#include "execd/exec.h"
#include "libcore/reasons.h"

/* Messages that one slot may cause at once; CORE_OUT_MAX holds. */
#define EXEC_MSGS_SLOT 6u

/* exec_slot.stiff: the venue would not reduce it; we do not know whether it
 * has been reduced. Neither is kept when something else is wanted; the second
 * is not left alone either. */
#define EXEC_STIFF 1u
#define EXEC_DOUBT 2u

/* What a step works with. */
struct exec_now {
	struct exec *e;
	struct core_out *out;
	uint64_t ns;
	int64_t venue_ns; /* of the tick or event at hand, 0 none         */
};

/* execout.c */
struct exec_slot *exec_slot_at(
    struct exec *e, uint16_t instr, uint8_t side, uint8_t level);
struct exec_slot *exec_slot_new(
    struct exec *e, uint16_t instr, uint8_t side, uint8_t level);
void exec_dirty(struct exec *e, uint32_t rec);
void exec_dirty_slot(struct exec *e, const struct exec_slot *s);
bool exec_has_order(const struct exec_slot *s);
qty_t exec_left(const struct exec_slot *s);
/* exec_alarm - be woken for a deadline or a hold. */
void exec_alarm(struct exec *e, uint64_t at_ns);
/* exec_expect - an answer for the slot is due exec.order_timeout from now. */
void exec_expect(const struct exec_now *n, struct exec_slot *s);
/* exec_act - one act for the order of a slot. */
struct port_act *exec_act(
    const struct exec_now *n, const struct exec_slot *s, enum port_do what);
/* exec_ask - what became of it? */
void exec_ask(const struct exec_now *n, struct exec_slot *s);
/* exec_sent - when the order of the slot left, if the event says it; until
 * then it is when that was decided. */
void exec_sent(struct exec_slot *s, const struct port_event *ev);
/* exec_report - one message about an order, to riskd and to quoted. */
struct exec_note {
	const struct exec_want *of;
	enum slot_kind kind;
	enum reason reason;
	uint8_t status;
};
void exec_report(const struct exec_now *n, const struct exec_slot *s,
    const struct exec_note *note);
/* exec_forget - the order is over; its ids stay for late fills. */
void exec_forget(struct exec *e, struct exec_slot *s);
/* exec_done - the order, or the want, is over: said, and forgotten. */
void exec_done_order(const struct exec_now *n, struct exec_slot *s,
    enum reason why, uint8_t status);
void exec_done_want(
    const struct exec_now *n, struct exec_slot *s, enum reason why);

/* execslot.c */
/* exec_converge - send what the slot needs next; see exec.h. */
void exec_converge(const struct exec_now *n, struct exec_slot *s);
/* exec_withdraw - nothing is wanted, and what rests goes at once. */
void exec_withdraw(
    const struct exec_now *n, struct exec_slot *s, enum reason why);
void exec_on_order(const struct exec_now *n, const struct order *o);
void exec_on_cancel(const struct exec_now *n, const struct order *o);

/* execport.c */
/* exec_timeout - no answer came in time. */
void exec_timeout(const struct exec_now *n, struct exec_slot *s);

/* execfill.c */
void exec_on_fill(const struct exec_now *n, const struct port_event *ev);
void exec_on_reversal(const struct exec_now *n, const struct port_event *ev);

#endif
