/*
 * oms.h - the life of one order, as a table.
 *
 * States are those of enum order_status, 0 is "no order". Events are what we
 * did and what the venue said. A time-out does not mean failed: the order is
 * UNKNOWN, keeps its slot and counts until the venue has said.
 * Pure: yes. O(1).
 */
#ifndef EXECD_OMS_H
#define EXECD_OMS_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/slots.h"

enum oms_event {
	OMS_SEND = 1,	       /* we sent it                                 */
	OMS_ACK = 2,	       /* it rests                                   */
	OMS_DELAY = 3,	       /* accepted, matched later                    */
	OMS_REJECT = 4,	       /* it never rested                            */
	OMS_FILL_PART = 5,     /* traded, something is left                  */
	OMS_FILL_ALL = 6,      /* traded, nothing is left                    */
	OMS_CANCEL = 7,	       /* we asked for its cancel                    */
	OMS_CANCELLED = 8,     /* it is gone                                 */
	OMS_NOT_CANCELLED = 9, /* the cancel was refused: it still rests  */
	OMS_TIMEOUT = 10,      /* no answer in time                          */
	OMS_EVENT_N
};

/* What an event means in a state, besides the next state. */
enum oms_verdict {
	OMS_OK = 1,	/* state changed as usual                         */
	OMS_REPEAT = 2, /* nothing new: a repeated or late message        */
	OMS_LATE = 3,	/* unexpected but true: believed, counted         */
	OMS_BAD = 4,	/* cannot be: state unchanged, counted            */
	OMS_VERDICT_N
};

/* oms_apply - *state becomes the next state. Needs a valid state (0 or enum
 * order_status) and event (CHECK). */
enum oms_verdict oms_apply(uint8_t *state, enum oms_event ev);

/* oms_next - the table itself: next state, and the verdict. */
enum oms_verdict oms_next(uint8_t state, enum oms_event ev, uint8_t *next);

/* oms_rests - may trade at the venue; oms_waits - an answer is outstanding,
 * nothing else is sent for the slot; oms_final - gone for good. */
bool oms_rests(uint8_t state);
bool oms_waits(uint8_t state);
bool oms_final(uint8_t state);

const char *oms_event_name(enum oms_event ev);

#endif
