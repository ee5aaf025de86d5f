#include "libvenue/hl_usual.h"

#include "libvenue/usual.h"
#include "libvenue/vtime.h"

/* Digits of the number of orders that are looked at. */
#define COUNT_DIGITS 6u

/* A bare whole number of at most COUNT_DIGITS, closed by a brace. */
SWAR_INLINE bool
count(struct usual *u, uint32_t *out)
{
	uint32_t v = 0;
	unsigned n = 0;

	if (!u->ok)
		return false;
	while (n < COUNT_DIGITS && u->p + n < u->end && u->p[n] >= '0' &&
	       u->p[n] <= '9')
		v = v * 10 + (uint32_t)(u->p[n++] - '0');
	u->ok = n != 0 && (n == 1 || u->p[0] != '0');
	u->p += n;
	*out = v;
	return usual_lit(u, "}");
}

SWAR_INLINE bool
level(struct usual *u, struct hl_level *out)
{
	usual_lit(u, "{\"px\":\"");
	usual_e8(u, &out->px.e8);
	usual_lit(u, "\",\"sz\":\"");
	usual_e8(u, &out->qty.e8);
	usual_lit(u, "\",\"n\":");
	return count(u, &out->orders_n);
}

SWAR_INLINE bool
next_is(const struct usual *u, char c)
{
	return u->p < u->end && *u->p == c;
}

/* Levels up to and with the closing bracket. */
static bool
levels(struct usual *u, struct hl_level *out, uint32_t *out_n)
{
	uint32_t n = 0;

	if (next_is(u, ']')) {
		u->p++;
		return u->ok;
	}
	while (n < HL_LEVELS_MAX && level(u, &out[n])) {
		n++;
		if (!next_is(u, ','))
			break;
		u->p++;
	}
	*out_n = n;
	return usual_lit(u, "]");
}

/* A side of the touch: one level or null. */
static bool
side(struct usual *u, struct hl_level *out, uint32_t *n)
{
	if (next_is(u, 'n'))
		return usual_lit(u, "null");
	*n = 1;
	return level(u, out);
}

static bool
touch(struct usual *u, struct hl_event *ev)
{
	if (!usual_lit(u, ",\"bbo\":[") || !side(u, ev->bids, &ev->bids_n))
		return false;
	return usual_lit(u, ",") && side(u, ev->asks, &ev->asks_n) &&
	       usual_lit(u, "]}}");
}

/* "fast" has been seen before and after the levels. */
static bool
fast(struct usual *u, struct hl_event *ev)
{
	static const char text[] = ",\"fast\":true";
	const size_t n = sizeof(text) - 1;

	if (ev->is_fast || (size_t)(u->end - u->p) < n ||
	    memcmp(u->p, text, n) != 0)
		return u->ok;
	ev->is_fast = true;
	u->p += n;
	return u->ok;
}

static bool
book(struct usual *u, struct hl_event *ev)
{
	return fast(u, ev) && usual_lit(u, ",\"levels\":[[") &&
	       levels(u, ev->bids, &ev->bids_n) && usual_lit(u, ",[") &&
	       levels(u, ev->asks, &ev->asks_n) && usual_lit(u, "]") &&
	       fast(u, ev) && usual_lit(u, "}}");
}

bool
hl_usual(struct hl_event *ev, const char *text, size_t n)
{
	static const size_t bbo_n = sizeof("bbo") - 1;
	static const size_t book_n = sizeof("l2Book") - 1;
	struct usual u = {text, text + n, true};
	uint64_t time;

	if (!usual_lit(&u, "{\"channel\":\"") || !usual_room(&u, USUAL_ROOM))
		return false;
	ev->kind = *u.p == 'b' ? HL_BBO : HL_BOOK;
	ev->channel.s = u.p;
	ev->channel.n = (uint32_t)(ev->kind == HL_BBO ? bbo_n : book_n);
	if (ev->kind == HL_BBO)
		usual_lit(&u, "bbo\",\"data\":{\"coin\":\"");
	else
		usual_lit(&u, "l2Book\",\"data\":{\"coin\":\"");
	if (!usual_plain(&u, &ev->coin) || !usual_lit(&u, "\",\"time\":") ||
	    !usual_u64(&u, &time) || !vtime_ns(time, &ev->venue_ns))
		return false;
	return (ev->kind == HL_BBO ? touch(&u, ev) : book(&u, ev)) &&
	       u.p == u.end;
}
