#include "libvenue/polymarket.h"

#include "libcore/check.h"
#include "libvenue/pm_outcome.h"
#include "libvenue/pm_usual.h"
#include "libvenue/vtime.h"

enum frame_state {
	FRAME_START = 1,
	FRAME_ARRAY,
	FRAME_DONE,
};

/* Fields that an event has; a second one of the same name is refused. */
enum field {
	HAS_TYPE = 1 << 0,
	HAS_MARKET = 1 << 1,
	HAS_TOKEN = 1 << 2,
	HAS_TIME = 1 << 3,
	HAS_HASH = 1 << 4,
	HAS_BIDS = 1 << 5,
	HAS_ASKS = 1 << 6,
	HAS_CHANGES = 1 << 7,
	HAS_PX = 1 << 8,
	HAS_QTY = 1 << 9,
	HAS_SIDE = 1 << 10,
	HAS_OLD_TICK = 1 << 11,
	HAS_NEW_TICK = 1 << 12,
	HAS_BEST_BID = 1 << 13,
	HAS_BEST_ASK = 1 << 14,
	HAS_MIN_SIZE = 1 << 15,
	HAS_TICK = 1 << 16,
	HAS_LAST_PX = 1 << 17,
	HAS_NEG_RISK = 1 << 18,
	HAS_WINNER = 1 << 19,
	HAS_OUTCOME = 1 << 20,
	HAS_TOKENS = 1 << 21,
	HAS_FLAT = 1 << 22, /* changes of the older form */
};
#define NEED_CHANGE (HAS_PX | HAS_QTY | HAS_SIDE)

struct scan {
	struct json *j;
	struct pm_event *ev;
	uint32_t seen;
};

/* ---- numbers ---- */

/* A decimal up to max, of no more decimals than step has: exponents, signs
 * and finer values are not of this venue. */
static bool
grid_value(struct json *j, int64_t max, int64_t step, int64_t *out)
{
	const char *at = j->pos;

	if (!json_e8(j, max, out))
		return false;
	if (*out % step == 0)
		return true;
	j->pos = at;
	return json_fail(j, REASON_BAD_NUMBER);
}

/* A price that a level may have: inside the bounds, which are no levels. */
static bool
level_px(struct json *j, int64_t *px)
{
	const char *at = j->pos;

	if (!grid_value(j, E8 - 1, PM_PX_STEP, px))
		return false;
	if (*px > 0)
		return true;
	j->pos = at;
	return json_fail(j, REASON_BAD_NUMBER);
}

static bool
level_qty(struct json *j, int64_t *qty)
{
	return grid_value(j, QTY_E8_MAX, PM_QTY_STEP, qty);
}

/* ---- single values; an empty string or null is an absent field ---- */

/* Sets *out and the bit, or leaves both when the value is absent. */
static bool
text_field(struct scan *s, uint32_t bit, struct json_str *out)
{
	if (s->seen & bit)
		return json_fail(s->j, REASON_BAD_JSON);
	if (json_peek(s->j) == JSON_NULL)
		return json_null(s->j);
	if (!json_string(s->j, out))
		return false;
	if (out->n != 0)
		s->seen |= bit;
	return true;
}

/* The same for a number, quoted as a rule. */
static bool
number_field(struct scan *s, uint32_t bit, struct json_str *out)
{
	if (json_peek(s->j) != JSON_NUMBER)
		return text_field(s, bit, out);
	if (s->seen & bit)
		return json_fail(s->j, REASON_BAD_JSON);
	s->seen |= bit;
	return json_raw(s->j, out);
}

static bool
fail_at(struct json *j, struct json_str text, enum reason r)
{
	j->pos = text.s;
	return json_fail(j, r);
}

static bool
token_value(struct json *j, struct json_str text, struct pm_token *out)
{
	return pm_token_parse(text.s, text.n, out) ||
	       fail_at(j, text, REASON_BAD_NUMBER);
}

static bool
token_field(struct scan *s, uint32_t bit, struct json_str *text)
{
	if (!text_field(s, bit, text))
		return false;
	return !(s->seen & bit) || token_value(s->j, *text, &s->ev->token);
}

static bool
market_field(struct scan *s)
{
	struct json_str *text = &s->ev->market_text;

	if (!text_field(s, HAS_MARKET, text))
		return false;
	return !(s->seen & HAS_MARKET) ||
	       pm_cond_parse(text->s, text->n, &s->ev->market) ||
	       fail_at(s->j, *text, REASON_BAD_NUMBER);
}

static bool
time_field(struct scan *s)
{
	struct json_str *text = &s->ev->time_text;
	uint64_t t;

	if (!number_field(s, HAS_TIME, text))
		return false;
	return !(s->seen & HAS_TIME) ||
	       (json_text_u64(*text, &t) && vtime_ns(t, &s->ev->venue_ns)) ||
	       fail_at(s->j, *text, REASON_BAD_NUMBER);
}

static bool
hash_value(struct json *j, bool *has, char *hash)
{
	struct json_str text = {0};

	if (!json_null(j) && !json_string(j, &text))
		return false;
	if (text.n == 0)
		return true;
	if (text.n != PM_HASH_LEN)
		return fail_at(j, text, REASON_BAD_TYPE);
	memcpy(hash, text.s, PM_HASH_LEN);
	return *has = true;
}

static bool
hash_field(struct scan *s)
{
	if (s->seen & HAS_HASH)
		return json_fail(s->j, REASON_BAD_JSON);
	s->seen |= HAS_HASH;
	return hash_value(s->j, &s->ev->has_hash, s->ev->hash);
}

/* "" and null leave the bit unset. */
static bool
grid_field(
    struct scan *s, uint32_t bit, int64_t max, int64_t step, int64_t *out)
{
	struct json_str text;

	if (s->seen & bit)
		return json_fail(s->j, REASON_BAD_JSON);
	if (json_peek(s->j) == JSON_NULL)
		return json_null(s->j);
	if (s->j->end - s->j->pos >= 2 && s->j->pos[0] == '"' &&
	    s->j->pos[1] == '"')
		return json_string(s->j, &text);
	s->seen |= bit;
	return grid_value(s->j, max, step, out);
}

static bool
side_value(struct json *j, enum side *side)
{
	struct json_str text;

	if (!json_string(j, &text))
		return false;
	if (json_is(text, "BUY"))
		*side = SIDE_BID;
	else if (json_is(text, "SELL"))
		*side = SIDE_ASK;
	else
		return fail_at(j, text, REASON_BAD_TYPE);
	return true;
}

/* bound: what stands for an empty side, 0 for bids and 1 for asks. */
static bool
touch_value(struct json *j, int64_t bound, struct pm_touch *out)
{
	struct json_str text;
	int64_t px = bound;

	out->state = PM_TOUCH_NOT_SENT;
	if (json_peek(j) == JSON_NULL)
		return json_null(j);
	if (j->end - j->pos >= 2 && j->pos[0] == '"' && j->pos[1] == '"') {
		out->state = PM_TOUCH_EMPTY;
		return json_string(j, &text);
	}
	if (!grid_value(j, E8, PM_PX_STEP, &px))
		return false;
	out->state = px == bound ? PM_TOUCH_EMPTY : PM_TOUCH_PRICE;
	out->px = TOK_PX(px);
	return true;
}

static bool
touch_field(struct scan *s, uint32_t bit, int64_t bound, struct pm_touch *out)
{
	if (s->seen & bit)
		return json_fail(s->j, REASON_BAD_JSON);
	s->seen |= bit;
	return touch_value(s->j, bound, out);
}

static bool
neg_risk_field(struct scan *s)
{
	bool v;

	if (s->seen & HAS_NEG_RISK)
		return json_fail(s->j, REASON_BAD_JSON);
	if (json_peek(s->j) == JSON_NULL)
		return json_null(s->j);
	s->seen |= HAS_NEG_RISK;
	if (!json_bool(s->j, &v))
		return false;
	s->ev->neg_risk = v ? PM_NEG_RISK_TRUE : PM_NEG_RISK_FALSE;
	return true;
}

static bool
tokens_field(struct scan *s)
{
	struct json_str text;

	if (s->seen & HAS_TOKENS)
		return json_fail(s->j, REASON_BAD_JSON);
	if (json_peek(s->j) == JSON_NULL)
		return json_null(s->j);
	s->seen |= HAS_TOKENS;
	if (!json_array(s->j))
		return false;
	while (json_item(s->j)) {
		struct pm_event *ev = s->ev;

		if (ev->tokens_n == PM_TOKENS_MAX)
			return json_fail(s->j, REASON_OVERLONG);
		if (!json_string(s->j, &text) ||
		    !token_value(s->j, text, &ev->tokens[ev->tokens_n++]))
			return false;
	}
	return s->j->reason == REASON_NONE;
}

/* ---- levels ---- */

static bool
level_general(struct json *j, struct pm_level *out)
{
	struct json_str key;
	int64_t px = -1;
	int64_t qty = -1;

	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "price"))
			level_px(j, &px);
		else if (json_is(key, "size"))
			level_qty(j, &qty);
		else
			json_skip(j);
	}
	if (j->reason == REASON_NONE && (px < 0 || qty < 0))
		return json_fail(j, REASON_MISSING_FIELD);
	out->px = TOK_PX(px);
	out->qty = QTY(qty);
	return j->reason == REASON_NONE;
}

static bool
levels(struct json *j, struct pm_level *out, uint32_t *out_n)
{
	uint32_t n = 0;
	size_t len;

	if (!json_array(j))
		return false;
	while (json_item(j)) {
		if (n == PM_LEVELS_MAX)
			return json_fail(j, REASON_OVERLONG);
		len = pm_usual_level(j->pos, j->end, &out[n]);
		if (len == 0 && !level_general(j, &out[n]))
			return false;
		j->pos += len;
		n++;
		while (n < PM_LEVELS_MAX && j->pos < j->end && *j->pos == ',') {
			len = pm_usual_level(j->pos + 1, j->end, &out[n]);
			if (len == 0)
				break;
			j->pos += len + 1;
			n++;
		}
	}
	*out_n = n;
	return j->reason == REASON_NONE;
}

static bool
levels_field(struct scan *s, uint32_t bit)
{
	struct pm_event *ev = s->ev;
	struct json_str *text =
	    bit == HAS_BIDS ? &ev->bids_text : &ev->asks_text;
	const char *start;
	bool ok;

	if (s->seen & (bit | HAS_CHANGES))
		return json_fail(s->j, REASON_BAD_JSON);
	s->seen |= bit;
	if (json_peek(s->j) != JSON_ARRAY)
		return json_array(s->j);
	start = s->j->pos;
	ok = bit == HAS_BIDS ? levels(s->j, ev->bids, &ev->bids_n)
			     : levels(s->j, ev->asks, &ev->asks_n);
	text->s = start;
	text->n = (uint32_t)(s->j->pos - start);
	return ok;
}

/* ---- price_changes ---- */

static bool
change_key(
    struct json *j, struct json_str key, struct pm_change *c, uint32_t *seen)
{
	struct json_str text;

	if (json_is(key, "asset_id")) {
		*seen |= HAS_TOKEN;
		return json_string(j, &text) && token_value(j, text, &c->token);
	}
	if (json_is(key, "price")) {
		*seen |= HAS_PX;
		return level_px(j, &c->px.tok_e8);
	}
	if (json_is(key, "size")) {
		*seen |= HAS_QTY;
		return level_qty(j, &c->qty.e8);
	}
	if (json_is(key, "side")) {
		*seen |= HAS_SIDE;
		return side_value(j, &c->side);
	}
	if (json_is(key, "hash"))
		return hash_value(j, &c->has_hash, c->hash);
	if (json_is(key, "best_bid"))
		return touch_value(j, 0, &c->best_bid);
	if (json_is(key, "best_ask"))
		return touch_value(j, E8, &c->best_ask);
	return json_skip(j);
}

static bool
change(struct json *j, uint32_t need, struct pm_change *c)
{
	struct json_str key;
	uint32_t seen = 0;

	c->has_hash = false;
	c->best_bid.state = PM_TOUCH_NOT_SENT;
	c->best_ask.state = PM_TOUCH_NOT_SENT;
	if (!json_object(j))
		return false;
	while (json_key(j, &key))
		if (!change_key(j, key, c, &seen))
			return false;
	if (j->reason == REASON_NONE && (seen & need) != need)
		return json_fail(j, REASON_MISSING_FIELD);
	return j->reason == REASON_NONE;
}

/* need: what every entry must have. */
static bool
changes_field(struct scan *s, uint32_t need)
{
	struct pm_event *ev = s->ev;

	if (s->seen & (HAS_CHANGES | HAS_BIDS | HAS_ASKS))
		return json_fail(s->j, REASON_BAD_JSON);
	s->seen |= HAS_CHANGES;
	if (!json_array(s->j))
		return false;
	while (json_item(s->j)) {
		if (ev->changes_n == PM_CHANGES_MAX)
			return json_fail(s->j, REASON_OVERLONG);
		struct pm_change *c = &ev->changes[ev->changes_n++];
		size_t len = pm_usual_change(s->j->pos, s->j->end, c);

		if (len == 0 && !change(s->j, need, c))
			return false;
		s->j->pos += len;
	}
	return s->j->reason == REASON_NONE;
}

/* The form before September 2025: one token's changes in "changes", or a
 * single one in the event itself. The hash is that of the book after all. */
static bool
flat_change(struct scan *s)
{
	struct pm_event *ev = s->ev;
	struct pm_change *c = ev->changes;

	if (s->seen & HAS_CHANGES && !(s->seen & HAS_FLAT))
		return true;
	if (!(s->seen & HAS_TOKEN))
		return json_fail(s->j, REASON_MISSING_FIELD);
	if (!(s->seen & HAS_FLAT)) {
		if (s->seen & (HAS_BIDS | HAS_ASKS) ||
		    (s->seen & NEED_CHANGE) != NEED_CHANGE)
			return json_fail(s->j, REASON_MISSING_FIELD);
		if (ev->px.tok_e8 <= 0 || ev->px.tok_e8 >= E8)
			return json_fail(s->j, REASON_BAD_NUMBER);
		*c = (struct pm_change){.px = ev->px,
		    .qty = ev->qty,
		    .side = ev->side,
		    .best_bid = ev->best_bid,
		    .best_ask = ev->best_ask};
		ev->changes_n = 1;
	}
	for (uint32_t i = 0; i < ev->changes_n; i++) {
		c[i].token = ev->token;
		c[i].has_hash = ev->has_hash;
		memcpy(c[i].hash, ev->hash, PM_HASH_LEN);
	}
	return true;
}

/* ---- one event ---- */

static bool
short_key(struct scan *s, struct json_str key)
{
	struct pm_event *ev = s->ev;

	if (json_is(key, "market"))
		return market_field(s);
	if (json_is(key, "asset_id"))
		return token_field(s, HAS_TOKEN, &ev->token_text);
	if (json_is(key, "bids"))
		return levels_field(s, HAS_BIDS);
	if (json_is(key, "asks"))
		return levels_field(s, HAS_ASKS);
	if (json_is(key, "hash"))
		return hash_field(s);
	if (json_is(key, "price"))
		return grid_field(s, HAS_PX, E8, PM_PX_STEP, &ev->px.tok_e8);
	if (json_is(key, "size"))
		return grid_field(
		    s, HAS_QTY, QTY_E8_MAX, PM_QTY_STEP, &ev->qty.e8);
	if (json_is(key, "best_bid"))
		return touch_field(s, HAS_BEST_BID, 0, &ev->best_bid);
	if (json_is(key, "best_ask"))
		return touch_field(s, HAS_BEST_ASK, E8, &ev->best_ask);
	if (json_is(key, "neg_risk"))
		return neg_risk_field(s);
	if (json_is(key, "changes")) {
		bool ok = changes_field(s, NEED_CHANGE);

		s->seen |= HAS_FLAT;
		return ok;
	}
	if (json_is(key, "side")) {
		if (s->seen & HAS_SIDE)
			return json_fail(s->j, REASON_BAD_JSON);
		s->seen |= HAS_SIDE;
		return side_value(s->j, &ev->side);
	}
	return json_skip(s->j);
}

static bool
long_key(struct scan *s, struct json_str key)
{
	struct pm_event *ev = s->ev;

	if (json_is(key, "event_type"))
		return text_field(s, HAS_TYPE, &ev->type_text);
	if (json_is(key, "timestamp"))
		return time_field(s);
	if (json_is(key, "price_changes"))
		return changes_field(s, NEED_CHANGE | HAS_TOKEN);
	if (json_is(key, "tick_size"))
		return number_field(s, HAS_TICK, &ev->tick_text);
	if (json_is(key, "min_order_size"))
		return number_field(s, HAS_MIN_SIZE, &ev->min_size_text);
	if (json_is(key, "last_trade_price"))
		return number_field(s, HAS_LAST_PX, &ev->last_px_text);
	if (json_is(key, "old_tick_size"))
		return grid_field(
		    s, HAS_OLD_TICK, E8, PM_PX_STEP, &ev->old_tick.tok_e8);
	if (json_is(key, "new_tick_size"))
		return grid_field(
		    s, HAS_NEW_TICK, E8, PM_PX_STEP, &ev->new_tick.tok_e8);
	if (json_is(key, "assets_ids"))
		return tokens_field(s);
	if (json_is(key, "winning_outcome"))
		return text_field(s, HAS_OUTCOME, &ev->outcome_text);
	if (json_is(key, "winning_asset_id"))
		return token_field(s, HAS_WINNER, &ev->token_text);
	return json_skip(s->j);
}

#define TYPE(name_) name_, sizeof(name_) - 1

static const struct {
	const char *name;
	uint32_t n;
	uint32_t need;
	enum pm_kind kind;
} types[] = {
    {TYPE("book"), HAS_MARKET | HAS_TOKEN | HAS_TIME | HAS_BIDS | HAS_ASKS,
	PM_BOOK},
    {TYPE("price_change"), HAS_MARKET | HAS_TIME, PM_PRICE_CHANGE},
    {TYPE("last_trade_price"),
	HAS_MARKET | HAS_TOKEN | HAS_TIME | HAS_PX | HAS_QTY | HAS_SIDE,
	PM_TRADE},
    {TYPE("tick_size_change"),
	HAS_MARKET | HAS_TOKEN | HAS_TIME | HAS_OLD_TICK | HAS_NEW_TICK,
	PM_TICK_SIZE},
    {TYPE("best_bid_ask"),
	HAS_MARKET | HAS_TOKEN | HAS_TIME | HAS_BEST_BID | HAS_BEST_ASK,
	PM_TOUCH},
    {TYPE("new_market"), HAS_MARKET, PM_NEW_MARKET},
    {TYPE("market_resolved"), HAS_MARKET | HAS_TIME, PM_RESOLVED},
};

/* Index in types, of "book" when there is no type (GET /book), -1 when the
 * name is not known. */
static int
type_index(struct json_str name)
{
	for (int i = 0; i < (int)(sizeof(types) / sizeof(types[0])); i++)
		if (types[i].n == name.n &&
		    memcmp(types[i].name, name.s, name.n) == 0)
			return i;
	return name.n == 0 ? 0 : -1;
}

/* All but the arrays, which are counted. */
static void
event_reset(struct pm_event *ev)
{
	memset(ev, 0, offsetof(struct pm_event, bids));
	ev->neg_risk = PM_NEG_RISK_NOT_SENT;
	ev->best_bid.state = PM_TOUCH_NOT_SENT;
	ev->best_ask.state = PM_TOUCH_NOT_SENT;
}

/* Who won: by name, and by token; one of the two must be there. */
static bool
winner(struct scan *s)
{
	bool is_updown;

	if (!(s->seen & (HAS_WINNER | HAS_OUTCOME)))
		return json_fail(s->j, REASON_MISSING_FIELD);
	(void)pm_outcome_role(s->ev->outcome_text, &s->ev->winner, &is_updown);
	return true;
}

static bool
event_fields(struct scan *s)
{
	struct json_str key;

	if (!json_object(s->j))
		return false;
	while (json_key(s->j, &key))
		if (!(key.n <= 8 ? short_key(s, key) : long_key(s, key)))
			return false;
	if (s->j->reason != REASON_NONE)
		return false;
	s->ev->has_token = (s->seen & (HAS_TOKEN | HAS_WINNER)) != 0;
	int i = type_index(s->ev->type_text);

	if (i < 0 || (s->seen & (HAS_TYPE | HAS_BIDS | HAS_ASKS)) == 0) {
		s->ev->kind = PM_UNKNOWN;
		s->ev->reason = REASON_UNKNOWN_EVENT;
		return true;
	}
	s->ev->kind = types[i].kind;
	if ((s->seen & types[i].need) != types[i].need)
		return json_fail(s->j, REASON_MISSING_FIELD);
	if (s->ev->kind == PM_PRICE_CHANGE)
		return flat_change(s);
	return s->ev->kind != PM_RESOLVED || winner(s);
}

/* What looks wrong in an event that we do not know need not be: true when
 * the text is an object whose event_type is not in the table. */
static bool
event_is_unknown(struct json *j, struct pm_event *ev)
{
	struct json_str key;
	struct json_str type = {0};

	if (!json_object(j))
		return false;
	while (json_key(j, &key))
		if (json_is(key, "event_type") && json_peek(j) == JSON_STRING)
			json_string(j, &type);
		else
			json_skip(j);
	if (j->reason != REASON_NONE || type_index(type) >= 0)
		return false;
	event_reset(ev);
	ev->type_text = type;
	ev->kind = PM_UNKNOWN;
	ev->reason = REASON_UNKNOWN_EVENT;
	return true;
}

/* What pm_usual_price_change may have touched before it declined. */
static void
usual_undo(struct pm_event *ev)
{
	static const struct json_str none;

	ev->market_text = none;
	ev->time_text = none;
	ev->type_text = none;
	memset(&ev->market, 0, sizeof(ev->market));
	ev->venue_ns = 0;
	ev->changes_n = 0;
}

static bool
event(struct json *j, struct pm_event *ev)
{
	json_peek(j);
	struct json again = *j;
	struct scan s = {.j = j, .ev = ev};
	const char *start = j->pos;

	event_reset(ev);
	j->pos += pm_usual_price_change(start, j->end, ev);
	if (j->pos == start) {
		usual_undo(ev);
		if (!event_fields(&s)) {
			if (!event_is_unknown(&again, ev))
				return false;
			*j = again;
		}
	}
	ev->body.s = start;
	ev->body.n = (uint32_t)(j->pos - start);
	return true;
}

/* ---- frames ---- */

void
pm_frame_init(struct pm_frame *f, const char *text, size_t n)
{
	json_init(&f->j, text, n);
	f->state = FRAME_START;
}

static enum pm_kind
frame_failed(struct pm_frame *f, struct pm_event *ev)
{
	CHECK(f->j.reason != REASON_NONE);
	f->state = FRAME_DONE;
	ev->kind = PM_ERR;
	ev->reason = f->j.reason;
	ev->err_off = (uint32_t)json_err_off(&f->j);
	return PM_ERR;
}

/* A frame that is no JSON but words: a letter first, then only plain text.
 * Also a proxy's page. */
static enum pm_kind
frame_words(const struct pm_frame *f, struct json_str *words)
{
	const char *p = f->j.start;
	size_t n = (size_t)(f->j.end - p);

	if (n == 0 || f->j.reason != REASON_NONE ||
	    !(p[0] == '<' || ((p[0] | 0x20) >= 'a' && (p[0] | 0x20) <= 'z')))
		return PM_ERR;
	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == ' '))
		n--;
	*words = (struct json_str){.s = p, .n = (uint32_t)n};
	if (json_is(*words, "PONG"))
		return PM_PONG;
	if (json_is(*words, "NO NEW ASSETS"))
		return PM_NO_NEW_ASSETS;
	/* true, false and null are JSON, and no event */
	struct json value = f->j;

	return json_skip(&value) && json_end(&value) ? PM_ERR : PM_NOTICE;
}

/* The next event of the frame, or its only one, to the last byte. */
static enum pm_kind
frame_event(struct pm_frame *f, struct pm_event *ev)
{
	if (!event(&f->j, ev))
		return frame_failed(f, ev);
	if (f->state == FRAME_ARRAY)
		return ev->kind;
	if (!json_end(&f->j))
		return frame_failed(f, ev);
	f->state = FRAME_DONE;
	return ev->kind;
}

enum pm_kind
pm_next(struct pm_frame *f, struct pm_event *ev)
{
	CHECK(f->state >= FRAME_START);
	CHECK(f->state <= FRAME_DONE);
	if (f->state == FRAME_DONE)
		return ev->kind = PM_END;
	if (f->state == FRAME_START) {
		struct json_str words;
		enum pm_kind kind = frame_words(f, &words);

		if (kind != PM_ERR) {
			event_reset(ev);
			ev->body = words;
			if (kind == PM_NOTICE)
				ev->reason = REASON_UNKNOWN_EVENT;
			f->state = FRAME_DONE;
			return ev->kind = kind;
		}
		if (json_peek(&f->j) != JSON_ARRAY || !json_array(&f->j))
			return frame_event(f, ev);
		f->state = FRAME_ARRAY;
	}
	if (json_item(&f->j))
		return frame_event(f, ev);
	if (!json_end(&f->j))
		return frame_failed(f, ev);
	f->state = FRAME_DONE;
	return ev->kind = PM_END;
}
