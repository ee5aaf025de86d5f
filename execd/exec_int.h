/*
 * exec_int.h - what the files of the exec core share; nobody else includes it.
 *
 * execslot.c decides what to send for a slot and reports; execvenue.c is what
 * happens at the paper venue; execsave.c moves state to and from records;
 * exec.c takes events.
 */
#ifndef EXECD_EXEC_INT_H
#define EXECD_EXEC_INT_H

#include "execd/exec.h"
#include "libcore/reasons.h"

/* Messages that one arrival and one event may cause; CORE_OUT_MAX holds. */
#define EXEC_MSGS_DUE	22u
#define EXEC_MSGS_EVENT 40u

/* What a step works with. */
struct exec_now {
	struct exec *e;
	struct core_out *out;
	uint64_t ns;
	int64_t venue_ns; /* of the tick at hand, 0 none                  */
};

/* execslot.c */
struct exec_slot *exec_slot_at(
    struct exec *e, uint16_t instr, uint8_t side, uint8_t level);
struct exec_slot *exec_slot_new(
    struct exec *e, uint16_t instr, uint8_t side, uint8_t level);
void exec_dirty_slot(struct exec *e, const struct exec_slot *s);
bool exec_has_order(const struct exec_slot *s);
qty_t exec_left(const struct exec_slot *s);
/* exec_report - one message about an order, to riskd and to quoted. */
struct exec_note {
	const struct exec_want *of;
	enum slot_kind kind;
	enum reason reason;
	uint8_t status;
};
void exec_report(const struct exec_now *n, const struct exec_slot *s,
    const struct exec_note *note);
/* exec_done - the order, or the want, is over. */
void exec_done_order(const struct exec_now *n, struct exec_slot *s,
    enum reason why, uint8_t status);
void exec_done_want(
    const struct exec_now *n, struct exec_slot *s, enum reason why);
/* exec_converge - send what the slot needs next; see exec.h. */
void exec_converge(const struct exec_now *n, struct exec_slot *s);
/* exec_take_over - the resting order goes on under the want's id. */
void exec_take_over(const struct exec_now *n, struct exec_slot *s);
/* exec_alarm - be woken for a deadline or a hold. */
void exec_alarm(struct exec *e, uint64_t at_ns);
void exec_on_order(const struct exec_now *n, const struct order *o);
void exec_on_cancel(const struct exec_now *n, const struct order *o);

/* execvenue.c */
struct exec_instr *exec_instr_at(struct exec *e, uint16_t instr);
bool exec_book_ok(const struct exec *e, const struct exec_instr *in);
void exec_fly(
    struct exec *e, struct exec_slot *s, enum exec_op op, uint64_t now_ns);
/* exec_arrivals - what is due reaches the venue, while out has room. */
void exec_arrivals(const struct exec_now *n);
void exec_on_tick(const struct exec_now *n, const struct event *ev);

#endif
