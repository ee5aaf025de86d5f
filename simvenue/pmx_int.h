/*
 * pmx_int.h - what the parts of Polymarket's exchange share; not for others.
 */
#ifndef SIMVENUE_PMX_INT_H
#define SIMVENUE_PMX_INT_H

#include "libcore/check.h"
#include "simvenue/pmx.h"

/* pmx.c */

struct pmx_hold *pmx_token(
    struct pmx *x, uint32_t account, uint16_t market, enum token_role role);

/* pmx_relock - what is held back behind an order from now on. */
void pmx_relock(struct pmx *x, struct pmx_order *o, int64_t lock);

/* pmx_wait - a timer for an order or trade. */
void pmx_wait(struct pmx *x, uint64_t ns, uint32_t what, bool is_trade);

/* pmx_finish - an open order ends; told. */
void pmx_finish(struct pmx *x, uint32_t order, enum pmx_state state);

/* pmx_forget - free the entry of a finished order. */
void pmx_forget(struct pmx *x, uint32_t order);

/* pmx_tell_level - the total at a price, as it is now. */
void pmx_tell_level(struct pmx *x, uint16_t market, enum side side, px_t px);

/* pmx_place.c */

/* pmx_execute - match an accepted order, then rest or end it. */
void pmx_execute(struct pmx *x, uint32_t order);

/* pmx_delay_over - a delayed order's time has come. */
void pmx_delay_over(struct pmx *x, uint32_t order);

/* pmx_trade.c */

/* pmx_book - a leg counts: pending on both sides. */
void pmx_book(struct pmx *x, const struct pmx_order *taker,
    const struct pmx_order *maker, const struct pmx_leg *l);

/* pmx_advance - the next step of a trade's settlement. */
void pmx_advance(struct pmx *x, uint32_t trade);

/* pmx_settle_now - to its end, at once: the market resolves. */
void pmx_settle_now(struct pmx *x, uint32_t trade);

static inline enum side
pmx_yes_side(const struct pmx_order *o)
{
	return frame_side((enum side)o->side, (enum token_role)o->role);
}

static inline px_t
pmx_yes_px(const struct pmx_order *o)
{
	return frame_px(o->px, (enum token_role)o->role);
}

#endif
