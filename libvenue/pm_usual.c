#include "libvenue/pm_usual.h"

#include "libvenue/vtime.h"

SWAR_INLINE bool
usual_token(struct usual *u, struct pm_token *out)
{
	if (!usual_room(u, 64 + SWAR_BLOCK))
		return false;
	unsigned quote = swar_find(u->p + 64, '"');
	size_t n = 64 + (size_t)__builtin_ctz(quote | 1u << SWAR_BLOCK);

	u->ok = quote != 0 && pm_token_parse(u->p, n, out);
	u->p += n;
	return u->ok;
}

SWAR_INLINE bool
usual_hash(struct usual *u, char *out)
{
	if (!usual_room(u, PM_HASH_LEN + 1))
		return false;
	u->ok = (swar_special(u->p) | swar_special(u->p + 16) |
		    swar_special(u->p + 24)) == 0 &&
		u->p[PM_HASH_LEN] == '"';
	memcpy(out, u->p, PM_HASH_LEN);
	u->p += PM_HASH_LEN;
	return u->ok;
}

SWAR_INLINE bool
usual_touch(struct usual *u, int64_t bound, struct pm_touch *out)
{
	int64_t px;

	if (!pm_usual_px(u, &px) || px > E8 || px % PM_PX_STEP != 0)
		return false;
	out->state = px == bound ? PM_TOUCH_EMPTY : PM_TOUCH_PRICE;
	out->px = TOK_PX(px);
	return true;
}

/* ," or , " before the next key, as the first comma of the entry had it. */
#define usual_next(u, spaced, key)                       \
	((spaced) ? usual_lit((u), "\", \"" key "\":\"") \
		  : usual_lit((u), "\",\"" key "\":\""))

SWAR_INLINE bool
change_rest(struct usual *u, bool spaced, struct pm_change *c)
{
	int64_t *px = &c->px.tok_e8;

	if (!usual_next(u, spaced, "price") || !pm_usual_px(u, px) ||
	    *px <= 0 || *px >= E8 || *px % PM_PX_STEP != 0 ||
	    !usual_next(u, spaced, "size") || !usual_e8(u, &c->qty.e8) ||
	    c->qty.e8 % PM_QTY_STEP != 0 || !usual_next(u, spaced, "side") ||
	    !usual_room(u, USUAL_ROOM))
		return false;
	c->side = *u->p == 'B' ? SIDE_BID : SIDE_ASK;
	c->has_hash = true;
	if (c->side == SIDE_BID)
		usual_lit(u, "BUY");
	else
		usual_lit(u, "SELL");
	return usual_next(u, spaced, "hash") && usual_hash(u, c->hash) &&
	       usual_next(u, spaced, "best_bid") &&
	       usual_touch(u, 0, &c->best_bid) &&
	       usual_next(u, spaced, "best_ask") &&
	       usual_touch(u, E8, &c->best_ask) && usual_lit(u, "\"}");
}

size_t
pm_usual_change(const char *p, const char *end, struct pm_change *c)
{
	struct usual u = {p, end, true};

	if (!usual_lit(&u, "{\"asset_id\":\"") || !usual_token(&u, &c->token) ||
	    !usual_room(&u, USUAL_ROOM))
		return 0;
	bool ok = u.p[2] == ' ' ? change_rest(&u, true, c)
				: change_rest(&u, false, c);

	return ok ? (size_t)(u.p - p) : 0;
}

/* The value of a field of plain text of n bytes, which cannot be empty. */
SWAR_INLINE bool
usual_span(struct usual *u, size_t n, struct json_str *out)
{
	if (!usual_room(u, n + 1))
		return false;
	*out = (struct json_str){.s = u->p, .n = (uint32_t)n};
	u->p += n;
	return u->ok = *u->p == '"';
}

size_t
pm_usual_price_change(const char *p, const char *end, struct pm_event *ev)
{
	struct usual u = {p, end, true};
	uint64_t t;
	size_t len;

	if (!usual_lit(&u, "{\"market\":\"") ||
	    !usual_span(&u, 66, &ev->market_text) ||
	    !usual_lit(&u, "\", \"price_changes\":[") ||
	    !pm_cond_parse(ev->market_text.s, 66, &ev->market))
		return 0;
	do {
		if (ev->changes_n == PM_CHANGES_MAX)
			return 0;
		len = pm_usual_change(u.p, end, &ev->changes[ev->changes_n++]);
		u.p += len;
	} while (len != 0 && usual_lit(&u, ", "));
	u.ok = len != 0;
	if (!usual_lit(&u, "], \"timestamp\":\"") ||
	    !usual_span(&u, 13, &ev->time_text) ||
	    !json_text_u64(ev->time_text, &t) || !vtime_ns(t, &ev->venue_ns) ||
	    !usual_lit(&u, "\", \"event_type\":\"") ||
	    !usual_span(&u, 12, &ev->type_text) ||
	    !json_is(ev->type_text, "price_change") || !usual_lit(&u, "\"}"))
		return 0;
	ev->kind = PM_PRICE_CHANGE;
	return (size_t)(u.p - p);
}
