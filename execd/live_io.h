/*
 * live_io.h - order management's acts to a venue, the venue's words back.
 *
 * Order     : state is committed before an act leaves; an event is in the
 *             state, and its messages are committed with it, before the next
 *             is looked at. A kill -9 between loses nothing: the gateway's
 *             book is its own, it tells again what it knows, and what was
 *             never given out is asked about.
 * Queue     : events wait while a report ring has no room. More than
 *             LIVE_QUEUE: the process ends (temporary) and begins again.
 * Modes     : what the venue cannot do now is not placed (exec_port_mode).
 *             The venue's freeze word is set too, so that what rests is
 *             cancelled: at once when blocked, and when a start or a resync
 *             takes longer than exec.order_timeout. Blocked stays until a
 *             person thaws; then the gateway begins again.
 * Until     : from live.until on the venue's freeze word says `manual`.
 * Holdings  : MSG_POSITION and MSG_BALANCE to riskd, behind every fill that
 *             they contain. Resolved markets are left out: riskd has booked
 *             their outcome.
 */
#ifndef EXECD_LIVE_IO_H
#define EXECD_LIVE_IO_H

#include "execd/shell.h"

#define LIVE_QUEUE 8192u

/* live_open - make the gateway of the stage's venue. 0 or an exit code.
 * live_start - after the desk's state is loaded and instruments are known. */
int live_open(struct shell *sh, bool fresh);
void live_start(struct shell *sh);

/* live_market - an instrument is what it is (again). */
void live_market(struct shell *sh, uint16_t instr, const struct instr *in);

/* live_settle - until neither side has anything more to say. */
void live_settle(struct shell *sh);

/* live_cancel_all - by the venue's own call, before the orders' own. */
void live_cancel_all(struct shell *sh);

/* live_timer, live_housekeep: of the stage. live_wake - when the timer is
 * wanted next, of both sides. */
void live_timer(struct shell *sh);
void live_housekeep(struct shell *sh);
uint64_t live_wake(struct shell *sh);

/* live_ready - the venue can be traded on. */
bool live_ready(const struct shell *sh);

/* live_stopped - nothing of ours rests, by a question asked after that was
 * believed. Called each pass of a stop. live_flat - the same, looked at. */
bool live_stopped(struct shell *sh);
bool live_flat(const struct shell *sh);

/* live_again - the exit should be temporary: begin anew. */
bool live_again(const struct shell *sh);

void live_close(struct shell *sh);

#endif
