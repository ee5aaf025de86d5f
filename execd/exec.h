/*
 * exec.h - order management: makes the venue match what should rest.
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
 * Imperative: an ORDER_IMPERATIVE (a take, a forced exit) is placed at most
 *             once: it takes over from nothing and nothing takes over from
 *             it, it is not retried, and past its deadline it is dropped.
 * Venue     : a port (port.h), the same way for every venue and for paper.
 *             What should be done there is in act[], emptied by the caller
 *             after each call, once state is committed; what happened comes
 *             in through exec_port_event. An order is known there by `ref`:
 *             the id of its ORDER, the number of its retry in bits 36 to 39.
 * Silence   : each state that is not final has a deadline, exec.order_timeout.
 *             Past it the order is UNKNOWN: it holds its slot and counts,
 *             nothing is placed there, the venue is asked (PORT_ASK), again
 *             after each further time-out, and from the second question on
 *             it is also cancelled by its id. What cannot be true of an order
 *             is asked about too.
 * Fills     : true at any time: before the ACK, and after DONE (then with the
 *             id of that order when it is one of the slot's last EXEC_PAST).
 *             One fill_id counts once, of the newest EXEC_FILLS. A fill taken
 *             back is a FILL of the other side, ORDER_REVERSED, fee negated,
 *             with a fill_id of its own; cum_qty stays.
 * Freeze    : exec_freeze. Everything is withdrawn (in pages of EXEC_SWEEP:
 *             call while exec_more): wants are DONE, orders get an urgent
 *             PORT_CANCEL and are DONE, with the reason, when they are gone;
 *             nothing is placed while the mask is not 0.
 * Modes     : what a port says of its venue (exec_port_mode) decides what may
 *             be placed: everything, post-only, nothing. The shell freezes
 *             its venue by exec_mode_freeze (live_io.h).
 * Pure      : yes. O(ORDER_LEVELS) an event, O(orders) when a deadline is due.
 */
#ifndef EXECD_EXEC_H
#define EXECD_EXEC_H

#include <stdbool.h>
#include <stdint.h>

#include "execd/market.h"
#include "execd/oms.h"
#include "execd/port.h"
#include "libshm/cfg.h"
#include "libshm/event.h"
#include "libshm/instr.h"

#define EXEC_SLOTS 4096u
#define EXEC_SWEEP 12u
#define EXEC_DIRTY 512u
#define EXEC_ACTS  64u
#define EXEC_PAST  3u
#define EXEC_FILLS 2048u

/* The act that is not answered yet. */
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

/* An order that is over, for fills that come late. */
struct exec_past {
	uint64_t ref;
	uint64_t id;
	qty_t filled;
	uint16_t epoch; /* of the instrument                              */
	uint8_t strategy;
	uint8_t pad[5];
};

struct exec_slot {
	uint16_t instr;
	uint8_t side;
	uint8_t level;
	uint8_t status;	   /* enum order_status of the order; 0 none        */
	uint8_t op;	   /* enum exec_op in flight                        */
	uint8_t retry_n;   /* post-only, of the want                        */
	uint8_t drop;	   /* reason to cancel the order, 0 none            */
	uint8_t acked;	   /* the order rested, and riskd was told          */
	uint8_t stiff;	   /* the venue will not reduce it                  */
	uint8_t urgent;	   /* being withdrawn: cancels are urgent           */
	uint8_t ask_n;	   /* questions without an answer                   */
	uint8_t refused_n; /* cancels refused                             */
	uint8_t past_at;
	uint8_t pad[2];
	uint64_t ref;		/* the order at the port                  */
	struct exec_want order; /* what rests or is on its way            */
	qty_t filled;		/* of it                                  */
	uint32_t send_delta;
	uint32_t pad2;
	uint64_t due_ns; /* an answer is expected by then, 0 none         */
	qty_t amend;	 /* what an amend leaves                          */
	struct exec_want want;
	uint64_t hold_ns;   /* the want is not placed before              */
	uint64_t again_ns;  /* a refused cancel is not repeated before    */
	uint64_t order_id;  /* newest ORDER seen                          */
	uint64_t cancel_id; /* newest CANCEL seen                         */
	qty_t cum;	    /* filled in this slot, ever                  */
	struct exec_past past[EXEC_PAST];
};

/* A fill that was reported, to know it again and to take it back. */
struct exec_fill {
	uint64_t fill_id; /* 0 none                                       */
	uint64_t id;	  /* of the order as reported                     */
	px_t px;
	qty_t qty; /* 0: taken back before it came                        */
	usd_t usd;
	qty_t cum;
	uint32_t slot;
	uint16_t instr;
	uint8_t side;
	uint8_t level;
	uint16_t epoch;
	uint8_t strategy;
	uint8_t maker;
	uint8_t reversed;
	uint8_t pad[3];
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
	uint64_t odd;	   /* what cannot be: oms verdict BAD, no such order */
	uint64_t late;	   /* unexpected but true                          */
	uint64_t unknown;  /* time-outs                                    */
	uint64_t reversed; /* fills taken back                             */
	uint64_t fill_dups;
};

struct exec {
	struct cfg cfg;
	uint64_t epoch;
	enum venue venue;
	enum port_mode mode;
	bool stopping;
	bool taken; /* the last tick says something of orders that rest   */
	bool pad[6];
	int64_t wall_off_ns; /* UTC minus monotonic, when last told       */
	uint64_t gate; /* mask in force; not 0: nothing is placed         */
	uint16_t gate_reason;
	uint16_t pad2[3];
	uint64_t sender_epoch; /* of quoted, the newest seen              */
	/* Half the pause before the first retry; set by whoever knows the
	 * round trip of the port. */
	uint64_t retry_ns;
	uint64_t alarm_ns; /* no deadline or hold is earlier; 0 none      */
	uint32_t slot_n;
	uint32_t sweep; /* next slot to withdraw in, + 1; 0 none          */
	uint32_t act_n;
	uint32_t fill_at; /* the oldest fill, overwritten next            */
	uint32_t dirty_n;
	uint32_t post_only_slot; /* of the last such refusal, for the log */
	struct exec_stat stat;
	struct port_act act[EXEC_ACTS];
	uint32_t dirty[EXEC_DIRTY]; /* records, see exec_save            */
	uint16_t slot_of[MARKET_INSTR][SIDE_N][ORDER_LEVELS]; /* + 1      */
	struct exec_slot slot[EXEC_SLOTS];
	struct exec_fill fill[EXEC_FILLS];
	struct market mkt;
};

/* exec_init - nothing rests, gate closed (STARTUP) until exec_freeze(0), mode
 * PORT_STARTING. Needs zeroed memory: most of it is books that may never
 * come. */
void exec_init(
    struct exec *e, const struct cfg *cfg, enum venue v, uint64_t epoch);

/* exec_step - one event, completely. Adds to out, which needs room for
 * EXEC_MSGS_STEP messages. exec_due: a deadline is due. */
#define EXEC_MSGS_STEP 40u
void exec_step(struct exec *e, const struct event *ev, struct core_out *out);
bool exec_due(const struct exec *e, uint64_t now_ns);

/* exec_port_event - one thing that happened at the venue. Adds to out, which
 * needs room for EXEC_MSGS_PORT messages; at most two acts. */
#define EXEC_MSGS_PORT 10u
void exec_port_event(struct exec *e, const struct port_event *ev,
    uint64_t now_ns, struct core_out *out);

/* exec_port_mode - how the venue stands now. exec_mode_freeze: the freeze bits
 * that the venue's word must have while a mode lasts, 0 none; when: live_io.h.
 * BLOCKED is latched. */
void exec_port_mode(struct exec *e, enum port_mode mode);
uint64_t exec_mode_freeze(enum port_mode mode);

/* exec_resume - after exec_loaded, when the port does not share our durable
 * state: what rests or waits is unknown, and is asked about by steps. */
void exec_resume(struct exec *e, uint64_t now_ns);

/* exec_wake - when the next timer event is needed, 0 none. */
uint64_t exec_wake(const struct exec *e, uint64_t now_ns);

/* exec_freeze - the gate's answer changed: mask 0 opens it. Clears out. */
void exec_freeze(
    struct exec *e, uint64_t mask, uint64_t now_ns, struct core_out *out);

/* exec_sweep - the next page of a withdrawal of everything; exec_more: there
 * is one. Clears out. */
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

/* exec_touch - slot k's record must be written again: a port has its part
 * of it, at EXEC_PORT_AT. */
void exec_touch(struct exec *e, uint32_t slot);

/* Durable state: record 0 the engine, 1 + k slot k, then the fills; as in
 * risk.h. A slot's record keeps EXEC_REC_SZ - EXEC_PORT_AT for the port. */
#define EXEC_REC_SZ   512u
#define EXEC_PORT_AT  384u
#define EXEC_FILL_REC (EXEC_REC_SZ / 64u) /* fills a record                */
#define EXEC_REC_N    (1u + EXEC_SLOTS + EXEC_FILLS / EXEC_FILL_REC)
void exec_save(const struct exec *e, uint32_t i, void *buf);
bool exec_load(struct exec *e, uint32_t i, const void *buf);
void exec_loaded(struct exec *e);
uint64_t exec_layout(void);

#endif
