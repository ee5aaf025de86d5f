/*
 * hlx_int.h - what the parts of Hyperliquid's exchange share; not for others.
 */
#ifndef SIMVENUE_HLX_INT_H
#define SIMVENUE_HLX_INT_H

#include "libcore/check.h"
#include "simvenue/hlx.h"

/* hlx_end - an order is over, told. Its resting part must be out already. */
void hlx_end(struct hlx *x, struct hlx_order *o, enum hlx_status status);

/* hlx_take_out - of the book, and end it. */
void hlx_take_out(struct hlx *x, uint32_t order, enum hlx_status status);

/* hlx_open_qty - how much rests of an account on a side grows by d. */
void hlx_open_qty(
    struct hlx *x, uint32_t account, uint16_t coin, enum side side, int64_t d);

/* hlx_rests - an order joined or left the book: what the account has open. */
void hlx_rests(struct hlx *x, const struct hlx_order *o, bool rests);

/* hlx_reducible - most that an order may do without increasing a position.
 * hlx_cancel_reduce_only - take out what would, after fills. */
int64_t hlx_reducible(
    const struct hlx *x, uint32_t account, uint32_t coin, enum side side);
void hlx_cancel_reduce_only(struct hlx *x);

/* hlx_book_fill - one side of a match: position, fee, told. */
struct hlx_side {
	uint32_t account;
	const struct hlx_order *order; /* NULL: a liquidation */
	uint16_t coin;
	enum side side;
	px_t px;
	qty_t qty;
	bool crossed;
	uint32_t liquidated; /* without an order: whose position it was */
};
void hlx_book_fill(struct hlx *x, const struct hlx_side *s);

/* hlx_order_new - an entry with the next oid, in the tables; NULL: full. */
struct hlx_order *hlx_order_new(
    struct hlx *x, const struct hlx_new *n, uint16_t coin);

#endif
