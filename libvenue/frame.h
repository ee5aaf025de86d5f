/*
 * frame.h - a token's price is not a price yet.
 *
 * Each of the two tokens of a binary market is quoted in its own frame: a
 * bid for NO at 0.37 is an offer of YES at 0.63. Everything outside
 * libvenue uses the canonical YES (Up) frame. The token's price has a type
 * of its own, so that mixing frames does not compile; the functions here
 * are the only way across, and they always turn the side with the price.
 *
 * Pure: yes.
 */
#ifndef LIBVENUE_FRAME_H
#define LIBVENUE_FRAME_H

#include "libcore/check.h"
#include "libcore/fixed.h"
#include "libcore/types.h"

/* Price of one token in that token's own frame, 0..1e8. */
typedef struct {
	int64_t tok_e8;
} tok_px_t;

#define TOK_PX(e8_) ((tok_px_t){(e8_)})

/* Which outcome the token pays for. */
enum token_role {
	ROLE_YES = 1, /* Yes or Up */
	ROLE_NO = 2,  /* No or Down */
	ROLE_N
};

/* frame_px - canonical price of a token's price: p, or 1 - p for NO. */
static inline px_t
frame_px(tok_px_t p, enum token_role role)
{
	CHECK(role == ROLE_YES || role == ROLE_NO);
	return PX(role == ROLE_YES ? p.tok_e8 : E8 - p.tok_e8);
}

/* frame_side - canonical side of a token's side: turned for NO. */
static inline enum side
frame_side(enum side side, enum token_role role)
{
	CHECK(role == ROLE_YES || role == ROLE_NO);
	return role == ROLE_YES ? side : side_opposite(side);
}

/* frame_tok_px - the way back: a canonical price as the token's price. The
 * way back of the side is frame_side, which is its own inverse. */
static inline tok_px_t
frame_tok_px(px_t p, enum token_role role)
{
	CHECK(role == ROLE_YES || role == ROLE_NO);
	return TOK_PX(role == ROLE_YES ? p.e8 : E8 - p.e8);
}

#endif
