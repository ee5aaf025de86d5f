/*
 * exec.h - makes the venue match what should rest, with few messages.
 *
 * What      : one desired order a slot (instrument, side, level), one order
 *             of ours in it, one message in flight for it. Each time either
 *             changes, in this order:
 *               1 an answer is outstanding            wait
 *               2 nothing wanted, something rests     cancel
 *               3 price right, size within tolerance  keep the place in the
 *                                                     queue; the order takes
 *                                                     the new id
 *               4 price right, less wanted            amend, place kept
 *               5 something else rests                cancel, then place
 *               6 nothing rests                       place, if the gate lets
 * Messages  : every ORDER is answered by exactly one DONE or REJECT in the
 *             end. ACK (id, px, what rests) when it rests; an order that
 *             takes over from one it is equal to gets ACK first, then the
 *             old id DONE. FILLs carry cum_qty of their order, which only
 *             grows, and a fill_id made of order id and ordinal.
 *             DONE of reason OK: as asked (status says filled or cancelled).
 * Refused   : an older life of the sender OLD_EPOCH; past its deadline or
 *             older than exec.order_timeout DEADLINE; a repeat is dropped
 *             without a word; an order that a CANCEL overtook is DONE.
 * Overfill  : an ORDER says in cum_qty how much of the slot riskd knew to be
 *             filled. What was filled beyond that is taken off it; a rest
 *             below the venue's minimum is not placed (DONE, TOO_SMALL).
 * Venue     : paper (paper.h). A message reaches it exec.paper_latency after
 *             it was sent, in event time. Paper orders outlive a kill -9 of
 *             this process: they are part of the durable state, and market
 *             data that was not committed is delivered again. After a gap
 *             the place in the queue is the worse of what it was and what
 *             is displayed, never better than the display allows.
 * Freeze    : exec_freeze. Everything is withdrawn in the same call (in
 *             pages of EXEC_SWEEP: call while exec_more), DONE with the
 *             reason; nothing is placed while the mask is not 0.
 * Pure      : yes. O(ORDER_LEVELS) an event, O(orders) when a deadline is due.
 */
#ifndef EXECD_EXEC_H
#define EXECD_EXEC_H

#include <stdbool.h>
#include <stdint.h>

#include "execd/oms.h"
#include "execd/paper.h"
#include "libcore/book.h"
#include "libcore/queue.h"
#include "libshm/cfg.h"
#include "libshm/event.h"
#include "libshm/instr.h"

#define EXEC_SLOTS  4096u
#define EXEC_INSTR  INSTR_PM_N /* the largest region                  */
#define EXEC_DEPTH  256u       /* levels of a book that are kept      */
#define EXEC_SWEEP  12u
#define EXEC_DIRTY  512u
#define EXEC_FLIGHT (2u * EXEC_SLOTS) /* a slot has two at most      */

/* What is on its way to the venue. */
enum exec_op {
	OP_NONE = 0,
	OP_PLACE = 1,
	OP_AMEND = 2,
	OP_CANCEL = 3,
	OP_N
};

/* What the sender wants; id 0: has said nothing since the last answer. */
struct exec_want {
	uint64_t id;
	px_t px;
	qty_t qty;
	qty_t base; /* fills of the slot that riskd knew                  */
	uint64_t recv_ns;
	int64_t venue_ns;
	uint64_t deadline_ns; /* 0 none                                   */
	uint32_t quote_delta;
	uint32_t risk_delta;
	uint8_t strategy;
	uint8_t tif;
	uint8_t oflags;
	uint8_t pad;
	uint16_t epoch;
	uint16_t pad2;
};

struct exec_slot {
	uint16_t instr;
	uint8_t side;
	uint8_t level;
	uint8_t status;	 /* enum order_status of the order; 0 none        */
	uint8_t op;	 /* enum exec_op in flight                        */
	uint8_t retry_n; /* post-only, of the want                        */
	uint8_t drop;	 /* reason to cancel the order, 0 none            */
	struct exec_want order; /* what rests or is on its way            */
	qty_t filled;		/* of it                                  */
	uint32_t fill_n;	/* its fills so far                       */
	uint32_t send_delta;
	uint64_t due_ns; /* the message in flight arrives                 */
	qty_t amend;	 /* what an amend leaves                          */
	struct queue queue;
	struct exec_want want;
	uint64_t hold_ns;   /* the want is not placed before              */
	uint64_t order_id;  /* newest ORDER seen                          */
	uint64_t cancel_id; /* newest CANCEL seen                         */
	qty_t cum;	    /* filled in this slot, ever                  */
};

struct exec_instr {
	struct instr in;
	bool known;
	bool snap; /* a snapshot is being received                        */
	uint8_t pad[6];
	uint64_t gen; /* the book is complete while this is exec.md_gen   */
	struct {
		struct book book;
		struct book_level level[2 * EXEC_DEPTH];
	} b;
};

struct exec_stat {
	uint64_t orders;
	uint64_t cancels;
	uint64_t amends;
	uint64_t kept;
	uint64_t fills;
	uint64_t rejects;
	uint64_t post_only;
	uint64_t blocked;
	uint64_t dups;
	uint64_t odd; /* oms verdicts LATE and BAD                        */
};

struct exec {
	struct cfg cfg;
	uint64_t epoch;
	enum venue venue;
	enum queue_model model;
	uint16_t base; /* first instrument of the venue                   */
	uint16_t instr_n;
	bool stopping;
	bool pad[3];
	uint64_t gate; /* mask in force; not 0: nothing is placed         */
	uint16_t gate_reason;
	uint16_t pad2[3];
	uint64_t sender_epoch; /* of quoted, the newest seen              */
	uint64_t alarm_ns;     /* no deadline or hold is earlier; 0 none  */
	uint64_t md_gen;       /* books of older generations do not count */
	uint32_t slot_n;
	uint32_t sweep; /* next slot to withdraw in, + 1; 0 none          */
	uint32_t flight_n;
	uint32_t flight_at;
	uint32_t dirty_n;
	uint32_t post_only_slot; /* of the last such refusal, for the log */
	struct exec_stat stat;
	struct {
		uint64_t due_ns;
		uint32_t slot;
		uint32_t pad;
	} flight[EXEC_FLIGHT]; /* ring, due_ns never falls                */
	uint32_t dirty[EXEC_DIRTY]; /* records, see exec_save            */
	uint16_t slot_of[EXEC_INSTR][SIDE_N][ORDER_LEVELS]; /* + 1        */
	struct exec_slot slot[EXEC_SLOTS];
	struct exec_instr instr[EXEC_INSTR];
};

/* exec_init - nothing rests, gate closed (STARTUP) until exec_freeze(0).
 * Needs zeroed memory: most of it is books of instruments that may never
 * come, and is better never touched. */
void exec_init(
    struct exec *e, const struct cfg *cfg, enum venue v, uint64_t epoch);

/* exec_step - one event, completely. Messages that are due at the venue by
 * ev->now_ns arrive first, a few of them; exec_due says whether more are,
 * and the shell then gives EV_TIMERs before the event. */
void exec_step(struct exec *e, const struct event *ev, struct core_out *out);
bool exec_due(const struct exec *e, uint64_t now_ns);

/* exec_freeze - the gate's answer changed: mask 0 opens it. */
void exec_freeze(
    struct exec *e, uint64_t mask, uint64_t now_ns, struct core_out *out);

/* exec_sweep - the next page of a withdrawal of everything; exec_more: there
 * is one. */
bool exec_more(const struct exec *e);
void exec_sweep(struct exec *e, uint64_t now_ns, struct core_out *out);

/* exec_instr_set - metadata of an instrument, as from TICK_INSTR. */
void exec_instr_set(struct exec *e, uint16_t instr, const struct instr *in,
    uint64_t now_ns, struct core_out *out);

/* exec_flat - nothing of ours rests or is on its way. exec_resting - orders
 * that rest. */
bool exec_flat(const struct exec *e);
uint32_t exec_resting(const struct exec *e);

/* exec_hash - of everything that decides, books included. */
uint64_t exec_hash(const struct exec *e);

/* Durable state: record 0 the engine, 1 + k slot k; as in risk.h. */
#define EXEC_REC_SZ 384u
#define EXEC_REC_N  (1u + EXEC_SLOTS)
void exec_save(const struct exec *e, uint32_t i, void *buf);
bool exec_load(struct exec *e, uint32_t i, const void *buf);
void exec_loaded(struct exec *e);
uint64_t exec_layout(void);

#endif
