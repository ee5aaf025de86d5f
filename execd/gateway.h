/*
 * gateway.h - a venue's port with its connections, as the shell sees it.
 *
 * What      : carries acts (port.h) to a real venue and events back: the port
 *             (gw_pm.h, gw_hl.h), its durable book, keys, sockets and timers.
 *             One table of functions a venue; the shell knows no more.
 * Calls     : from the stage's thread, or its libuv loop. Events are given
 *             to the sink while a call or a loop callback runs; the sink only
 *             keeps them. After every loop callback that said something, and
 *             never inside a call from the shell, `settle` is called once:
 *             there the shell may call the gateway again.
 * Gate      : sink.may_place is asked in the last callback before the bytes
 *             of a placement leave. No: they do not leave, and the port is
 *             told that the order was not sent. Cancels are never held.
 * Time      : the gateway reads the clocks itself (libsys/clock.h).
 */
#ifndef EXECD_GATEWAY_H
#define EXECD_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "execd/port.h"
#include "libshm/instr.h"
#include "libsys/stage.h"

/* What is held of an instrument, or of the account. */
struct gateway_holding {
	uint16_t instr;	   /* 0: the account; then only usd is meant */
	bool is_known;	   /* venue is: read, twice where it lags */
	qty_t ours;	   /* by fills, signed: YES less NO, or coins */
	qty_t venue;	   /* by the venue's word, signed */
	qty_t final_long;  /* may be sold: YES, or coins */
	qty_t final_short; /* may be sold: NO */
	usd_t usd;	   /* free and offered collateral */
};

struct gateway_sink {
	void *user;
	bool (*may_place)(void *user);
	void (*event)(void *user, const struct port_event *ev);
	/* why: for a person, "" when plain */
	void (*mode)(void *user, enum port_mode mode, const char *why);
	void (*holding)(void *user, const struct gateway_holding *h);
	void (*settle)(void *user);
};

struct gateway_ops {
	/* open - keys, book, connections being made; nothing is placed yet.
	 * fresh: the order management's store is new. 0 or an exit code. */
	int (*open)(void **g, struct stage *s, const struct gateway_sink *sink,
	    bool fresh);
	/* start - the first questions; retells what the book knows. After it
	 * the shell hears of fills and ends that its state may have missed. */
	void (*start)(void *g);
	void (*market)(void *g, uint16_t instr, const struct instr *in);
	/* act, then flush at the end of a step. */
	void (*act)(void *g, const struct port_act *a);
	void (*flush)(void *g);
	/* cancel_all - by the venue's own call, on its reserved path. */
	void (*cancel_all)(void *g);
	/* lease - trading is permitted until then: feeds the dead-man switch */
	void (*lease)(void *g, uint64_t until_ns);
	void (*timer)(void *g);
	uint64_t (*wake)(void *g, uint64_t now_ns);
	/* verify - ask the venue for its open orders; flat - nothing of ours
	 * rests or may rest, by an answer to a question asked after verify. */
	void (*verify)(void *g);
	bool (*flat)(void *g);
	/* count - metrics of the gateway; called in housekeeping */
	void (*count)(void *g);
	void (*close)(void *g);
};

/* The tables. */
extern const struct gateway_ops gateway_pm; /* gate_pm_io.c */
extern const struct gateway_ops gateway_hl; /* gate_hl_io.c */

#endif
