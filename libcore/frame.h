/*
 * frame.h - prices of YES and prices of NO, which do not mix.
 *
 * px_t    of YES: the frame of every ring, file and model
 * no_px_t of NO, as the venue writes it for that token
 * Both are one-field structs of different types: to give one where the other
 * is meant does not compile (tests/unit/test_frame.c tries).
 *
 * A trade on NO at p, side s, is one on YES at 1 - p, opposite side. In what
 * the venue says of a trade, side and token are the taker's: the maker is on
 * the other side of it, whichever token his order names (T-17).
 * Pure: yes.
 */
#ifndef LIBCORE_FRAME_H
#define LIBCORE_FRAME_H

#include "libcore/fixed.h"
#include "libcore/types.h"

typedef struct {
	int64_t e8;
} no_px_t;

#define NO_PX(e8_) ((no_px_t){(e8_)})

enum frame_role {
	ROLE_TAKER = 1,
	ROLE_MAKER = 2,
	ROLE_N
};

/* A price with the side it is meant for, in either frame. */
struct frame_yes {
	px_t px;
	enum side side;
};

struct frame_no {
	no_px_t px;
	enum side side;
};

/* frame_no, frame_yes - the same price in the other frame: 1 - p. */
static inline no_px_t
frame_no(px_t p)
{
	return NO_PX(E8 - p.e8);
}

static inline px_t
frame_yes(no_px_t p)
{
	return PX(E8 - p.e8);
}

/* frame_from_no, frame_to_no - the same wish or trade in the other frame. */
struct frame_yes frame_from_no(struct frame_no a);
struct frame_no frame_to_no(struct frame_yes a);

/* frame_own_yes, frame_own_no - what a trade is to us, from the taker's side
 * and price of a token and the role we had in it. */
struct frame_yes frame_own_yes(struct frame_yes taker, enum frame_role role);
struct frame_yes frame_own_no(struct frame_no taker, enum frame_role role);

/* frame_cost - what a share costs: buying YES its price, selling YES (buying
 * NO) the other's. */
static inline px_t
frame_cost(enum side side, px_t yes)
{
	return side == SIDE_BID ? yes : PX(frame_no(yes).e8);
}

#endif
