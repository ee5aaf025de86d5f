/*
 * hl_usual.h - the two most frequent frames as Hyperliquid spells them.
 *
 * What : bbo and l2Book in one walk over compact text with coin, time and
 *        levels in this order. Any other spelling, order of keys or message
 *        is declined, never refused: hl_decode then goes the general way,
 *        with the same result (tests/fuzz/decode.h compares the two).
 * Pure : yes.
 */
#ifndef LIBVENUE_HL_USUAL_H
#define LIBVENUE_HL_USUAL_H

#include "libvenue/hyperliquid.h"

/* hl_usual - false, *ev spoilt, when it must be looked at in general. */
bool hl_usual(struct hl_event *ev, const char *text, size_t n);

#endif
