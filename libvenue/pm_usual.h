/*
 * pm_usual.h - Polymarket's own spelling, in one go.
 *
 * What   : the inside of libvenue/polymarket.c for compact text with keys in
 *          the venue's order. Each function gives the length of what it
 *          took; 0, *out spoilt, for any other spelling, which the general
 *          way then looks at. What they take the general way takes too, with
 *          the same result: tests/fuzz/decode.h compares the two.
 * Pure   : yes. Looks only at [p, end).
 */
#ifndef LIBVENUE_PM_USUAL_H
#define LIBVENUE_PM_USUAL_H

#include "libvenue/polymarket.h"
#include "libvenue/usual.h"

/* 0.dd" is most prices: told by one comparison, and the branch lets the rest
 * start without waiting. Other prices go by usual_e8. */
SWAR_INLINE bool
pm_usual_px(struct usual *u, int64_t *px)
{
	if (!usual_room(u, sizeof(uint64_t)))
		return false;
	uint64_t w = swar_load8(u->p) ^ UINT64_C(0x2230302e30);
	uint64_t d1 = w >> 16 & 0xff;
	uint64_t d2 = w >> 24 & 0xff;

	if ((w & UINT64_C(0xff0000ffff)) == 0 && d1 <= 9 && d2 <= 9) {
		*px = (int64_t)(d1 * 10 + d2) * (E8 / 100);
		u->p += 4;
		return true;
	}
	return usual_e8(u, px);
}

/* {"price":"0.5","size":"10"} in one go. Returns its length, 0 when the
 * general way must look at it. */
SWAR_INLINE size_t
pm_usual_level(const char *p, const char *end, struct pm_level *out)
{
	struct usual u = {p, end, true};
	int64_t px;
	int64_t qty;

	if (!usual_lit(&u, "{\"price\":\"") || !pm_usual_px(&u, &px) ||
	    !usual_lit(&u, "\",\"size\":\"") || !usual_e8(&u, &qty) ||
	    !usual_lit(&u, "\"}") || px <= 0 || px >= E8 ||
	    px % PM_PX_STEP != 0 || qty % PM_QTY_STEP != 0)
		return 0;
	out->px = TOK_PX(px);
	out->qty = QTY(qty);
	return (size_t)(u.p - p);
}

/* An entry of price_changes. */
size_t pm_usual_change(const char *p, const char *end, struct pm_change *c);

/* A price_change event: the message that most others are. Needs *ev cleared
 * but for its arrays. */
size_t pm_usual_price_change(
    const char *p, const char *end, struct pm_event *ev);

#endif
