/*
 * queue.h - where a resting order of ours stands in its price level.
 *
 * The recorded or live book does not contain our order; what is displayed at
 * our price when it arrives is ahead of it. Models:
 *   QUEUE_FRONT  optimist: nothing is ahead.
 *   QUEUE_BACK   risk-averse: only trades at our price move us up; a level
 *                that shrinks below what we thought ahead caps it, because
 *                more cannot be ahead than is there.
 * A print and the level change it caused come in either order. When the
 * level change was first and has moved us up already, the print that follows
 * within QUEUE_ECHO_NS explains it and does not move us again (`echo`);
 * without this a trade that emptied the level ahead of us would fill us too.
 *
 * Units : quantities 1e-8.  Pure: yes.  O(1).
 */
#ifndef LIBCORE_QUEUE_H
#define LIBCORE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/fixed.h"

enum queue_model {
	QUEUE_FRONT = 1,
	QUEUE_BACK = 2,
	QUEUE_MODEL_N
};

/* How long a print may lag behind the level change that belongs to it. */
#define QUEUE_ECHO_NS UINT64_C(500000000)

struct queue {
	qty_t ahead;
	qty_t echo;	  /* moved up by level changes, print outstanding */
	uint64_t echo_ns; /* of the last such change                      */
};

/* queue_join - a new order behind `displayed`. Needs displayed >= 0 (CHECK). */
void queue_join(struct queue *q, enum queue_model m, qty_t displayed);

/*
 * queue_trade - qty traded at our price against our side.
 * Returns : what is left for us after those ahead (0 or more). Needs
 *           qty >= 0 (CHECK).
 */
qty_t queue_trade(struct queue *q, qty_t qty, uint64_t now_ns);

/* queue_level - the level at our price now shows `displayed`. */
void queue_level(struct queue *q, qty_t displayed, uint64_t now_ns);

/* queue_resnap - as queue_level after a gap: what was missed is unknown, so
 * only the cap holds and no print is expected. */
void queue_resnap(struct queue *q, qty_t displayed);

#endif
