/*
 * queue.h - where a resting order of ours stands in its price level.
 *
 * The recorded or live book does not contain our order; what is displayed at
 * our price when it arrives is ahead of it. Models:
 *   QUEUE_FRONT  optimist: nothing is ahead.
 *   QUEUE_BACK   risk-averse: only trades at our price move us up; a level
 *                that shrinks below what we thought ahead caps it, because
 *                more cannot be ahead than is there.
 *   QUEUE_PROB_POWER, QUEUE_PROB_LOG  as BACK, and of what is cancelled at
 *                our price a share was ahead of us. With f ahead of us and b
 *                behind, w(b) / (w(b) + w(f)) of it was behind, w(x) being
 *                x^QUEUE_POWER, or log(1 + x), x in whole units: more comes
 *                from where more is. docs/strategy-maths.md, queue position.
 * A print and the level change it caused come in either order. When the
 * level change was first and has moved us up already, the print that follows
 * within QUEUE_ECHO_NS explains it and does not move us again (`echo`);
 * without this a trade that emptied the level ahead of us would fill us too.
 *
 * When the print was first, the level change that follows is explained by it
 * (`traded_e8`) and is no cancel.
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
	QUEUE_PROB_POWER = 3,
	QUEUE_PROB_LOG = 4,
	QUEUE_MODEL_N
};

#define QUEUE_POWER 3

/* How long a print may lag behind the level change that belongs to it. */
#define QUEUE_ECHO_NS UINT64_C(500000000)

struct queue {
	qty_t ahead;
	qty_t echo;	   /* moved up by level changes, print outstanding */
	uint64_t echo_ns;  /* of the last such change                      */
	qty_t shown;	   /* at our price, when last told                 */
	int64_t traded_e8; /* printed minus fallen, not yet explained     */
	uint64_t traded_ns;
	uint64_t model; /* enum queue_model                               */
};

/* queue_behind - the share of a cancel that was behind us, 0 to 1, with
 * `front` ahead of us and `back` behind (>= 0, CHECK). 1/2 when both are 0. */
double queue_behind(enum queue_model m, qty_t front, qty_t back);

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
