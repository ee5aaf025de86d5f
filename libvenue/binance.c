#include "libvenue/binance.h"

#include "libcore/check.h"
#include "libvenue/text.h"
#include "libvenue/usual.h"
#include "libvenue/vtime.h"

/* Fields that a message has; a second one of the same name is refused. */
enum field {
	HAS_TYPE = 1 << 0,     /* e */
	HAS_SENT = 1 << 1,     /* E */
	HAS_TIME = 1 << 2,     /* T */
	HAS_SYMBOL = 1 << 3,   /* s */
	HAS_ID = 1 << 4,       /* t */
	HAS_PX = 1 << 5,       /* p */
	HAS_QTY = 1 << 6,      /* q */
	HAS_MAKER = 1 << 7,    /* m */
	HAS_LAST = 1 << 8,     /* u */
	HAS_FIRST = 1 << 9,    /* U */
	HAS_PREV = 1 << 10,    /* pu */
	HAS_BID = 1 << 11,     /* b, a price */
	HAS_ASK = 1 << 12,     /* a, a price */
	HAS_BID_QTY = 1 << 13, /* B */
	HAS_ASK_QTY = 1 << 14, /* A */
	HAS_BIDS = 1 << 15,    /* b or bids, levels */
	HAS_ASKS = 1 << 16,    /* a or asks, levels */
	HAS_AGG_ID = 1 << 17,  /* a, a number */
	HAS_AGG_FIRST = 1 << 18,
	HAS_AGG_LAST = 1 << 19,
	HAS_UPDATE_ID = 1 << 20, /* lastUpdateId */
	HAS_STREAM = 1 << 21,
	HAS_DATA = 1 << 22,
	HAS_RESULT = 1 << 23,
	HAS_CODE = 1 << 24,
	HAS_MSG = 1 << 25,
	HAS_REQUEST_ID = 1 << 26,
};

#define CODE_MAX 1000000000

struct scan {
	struct json *j;
	struct bn_event *ev;
	uint32_t seen;
	uint64_t sent;
	uint64_t time;
	uint64_t agg_id;
	uint64_t agg_first;
	uint64_t agg_last;
	bool maker;
};

/* Marks the field; false when it was there before. */
static inline bool
once(struct scan *s, uint32_t bit)
{
	if (s->seen & bit)
		return json_fail(s->j, REASON_BAD_JSON);
	s->seen |= bit;
	return true;
}

static bool
u64_field(struct scan *s, uint32_t bit, uint64_t *out)
{
	return once(s, bit) && json_u64(s->j, out);
}

static bool
e8_field(struct scan *s, uint32_t bit, int64_t max, int64_t *out)
{
	return once(s, bit) && json_e8(s->j, max, out);
}

static bool
string_field(struct scan *s, uint32_t bit, struct json_str *out)
{
	return once(s, bit) && json_string(s->j, out);
}

/* ---- levels: ["61737.63000000","0.00000000"] ---- */

/* The venue's own spelling in one go. Returns its length, 0 when the general
 * way must look at it. */
static inline size_t
level_usual(const char *p, const char *end, struct bn_level *out)
{
	int64_t px;
	int64_t qty;

	if (end - p < 80 || p[0] != '[' || p[1] != '"')
		return 0;
	unsigned px_n = swar_e8(p + 2, &px);
	const char *q = p + 2 + px_n;

	if (px_n == 0 || memcmp(q, "\",\"", 3) != 0)
		return 0;
	unsigned qty_n = swar_e8(q + 3, &qty);

	if (qty_n == 0 || q[4 + qty_n] != ']')
		return 0;
	out->px = PX(px);
	out->qty = QTY(qty);
	return (size_t)(q - p) + 5 + qty_n;
}

/* Items after the second are skipped: old recordings have an empty array
 * there. */
static bool
level_general(struct json *j, struct bn_level *out)
{
	unsigned n = 0;

	if (!json_array(j))
		return false;
	for (; json_item(j); n++) {
		if (n == 0)
			json_e8(j, PX_E8_MAX, &out->px.e8);
		else if (n == 1)
			json_e8(j, QTY_E8_MAX, &out->qty.e8);
		else
			json_skip(j);
	}
	if (j->reason == REASON_NONE && n < 2)
		return json_fail(j, REASON_MISSING_FIELD);
	return j->reason == REASON_NONE;
}

static bool
levels(struct json *j, struct bn_level *out, uint32_t *out_n)
{
	uint32_t n = 0;
	size_t len;

	if (!json_array(j))
		return false;
	while (json_item(j)) {
		if (n == BN_LEVELS_MAX)
			return json_fail(j, REASON_OVERLONG);
		len = level_usual(j->pos, j->end, &out[n]);
		if (len == 0 && !level_general(j, &out[n]))
			return false;
		j->pos += len;
		n++;
		while (n < BN_LEVELS_MAX && j->pos < j->end && *j->pos == ',') {
			len = level_usual(j->pos + 1, j->end, &out[n]);
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
bids_field(struct scan *s)
{
	return once(s, HAS_BIDS) && levels(s->j, s->ev->bids, &s->ev->bids_n);
}

static bool
asks_field(struct scan *s)
{
	return once(s, HAS_ASKS) && levels(s->j, s->ev->asks, &s->ev->asks_n);
}

/* ---- fields ---- */

/* b and a: levels of a depth message, the price of a book ticker, the
 * aggregate's id in aggTrade; order ids in old trade messages. */
static bool
bid_or_ask(struct scan *s, bool bid)
{
	struct bn_event *ev = s->ev;

	switch (json_peek(s->j)) {
	case JSON_ARRAY: return bid ? bids_field(s) : asks_field(s);
	case JSON_STRING:
		return bid ? e8_field(s, HAS_BID, PX_E8_MAX, &ev->bid.px.e8)
			   : e8_field(s, HAS_ASK, PX_E8_MAX, &ev->ask.px.e8);
	case JSON_NUMBER:
		return bid ? json_skip(s->j)
			   : u64_field(s, HAS_AGG_ID, &s->agg_id);
	case JSON_OBJECT:
	case JSON_BOOL:
	case JSON_NULL:
	case JSON_NONE:
	case JSON_KIND_N: break;
	}
	return json_fail(s->j, REASON_BAD_TYPE);
}

/* f and l are the trades of an aggregate; elsewhere they may be anything. */
static bool
agg_range(struct scan *s, uint32_t bit, uint64_t *out)
{
	if (json_peek(s->j) != JSON_NUMBER)
		return json_skip(s->j);
	return u64_field(s, bit, out);
}

static bool
letter(struct scan *s, char key)
{
	struct bn_event *ev = s->ev;

	switch (key) {
	case 'e': return string_field(s, HAS_TYPE, &ev->type);
	case 'E': return u64_field(s, HAS_SENT, &s->sent);
	case 'T': return u64_field(s, HAS_TIME, &s->time);
	case 's': return string_field(s, HAS_SYMBOL, &ev->symbol);
	case 't': return u64_field(s, HAS_ID, &ev->trade_id);
	case 'p': return e8_field(s, HAS_PX, PX_E8_MAX, &ev->px.e8);
	case 'q': return e8_field(s, HAS_QTY, QTY_E8_MAX, &ev->qty.e8);
	case 'm': return once(s, HAS_MAKER) && json_bool(s->j, &s->maker);
	case 'u': return u64_field(s, HAS_LAST, &ev->last_id);
	case 'U': return u64_field(s, HAS_FIRST, &ev->first_id);
	case 'b': return bid_or_ask(s, true);
	case 'a': return bid_or_ask(s, false);
	case 'B': return e8_field(s, HAS_BID_QTY, QTY_E8_MAX, &ev->bid.qty.e8);
	case 'A': return e8_field(s, HAS_ASK_QTY, QTY_E8_MAX, &ev->ask.qty.e8);
	case 'f': return agg_range(s, HAS_AGG_FIRST, &s->agg_first);
	case 'l': return agg_range(s, HAS_AGG_LAST, &s->agg_last);
	default: break;
	}
	return json_skip(s->j);
}

static bool
long_key(struct scan *s, struct json_str key)
{
	struct bn_event *ev = s->ev;

	if (json_is(key, "pu"))
		return u64_field(s, HAS_PREV, &ev->prev_id);
	if (json_is(key, "bids"))
		return bids_field(s);
	if (json_is(key, "asks"))
		return asks_field(s);
	if (json_is(key, "lastUpdateId"))
		return u64_field(s, HAS_UPDATE_ID, &ev->last_id);
	if (json_is(key, "stream"))
		return string_field(s, HAS_STREAM, &ev->stream);
	if (json_is(key, "code"))
		return once(s, HAS_CODE) &&
		       json_fixed(s->j, 0, true, CODE_MAX, &ev->code);
	if (json_is(key, "msg"))
		return string_field(s, HAS_MSG, &ev->msg);
	if (json_is(key, "result"))
		return once(s, HAS_RESULT) && json_skip(s->j);
	if (json_is(key, "id"))
		return once(s, HAS_REQUEST_ID) && json_skip(s->j);
	return json_skip(s->j);
}

/* The data object, or the frame itself when it has no envelope. */
static bool
fields(struct scan *s)
{
	struct json_str key;

	if (!json_object(s->j))
		return false;
	while (json_key(s->j, &key)) {
		bool ok = key.n == 1 ? letter(s, key.s[0]) : long_key(s, key);

		if (!ok)
			return false;
	}
	return s->j->reason == REASON_NONE;
}

static bool
frame(struct scan *s)
{
	struct json_str key;

	if (!json_object(s->j))
		return false;
	while (json_key(s->j, &key)) {
		bool ok;

		if (json_is(key, "data") && json_peek(s->j) == JSON_OBJECT)
			ok = once(s, HAS_DATA) && fields(s);
		else
			ok =
			    key.n == 1 ? letter(s, key.s[0]) : long_key(s, key);
		if (!ok)
			return false;
	}
	return json_end(s->j);
}

/* ---- what it is ---- */

static const struct {
	const char *name;
	uint32_t need;
	enum bn_kind kind;
} types[] = {
    {"trade",
	HAS_SYMBOL | HAS_ID | HAS_PX | HAS_QTY | HAS_MAKER | HAS_SENT |
	    HAS_TIME,
	BN_TRADE},
    {"bookTicker",
	HAS_SYMBOL | HAS_LAST | HAS_BID | HAS_BID_QTY | HAS_ASK | HAS_ASK_QTY,
	BN_BOOK_TICKER},
    {"depthUpdate",
	HAS_SYMBOL | HAS_FIRST | HAS_LAST | HAS_BIDS | HAS_ASKS | HAS_SENT,
	BN_DEPTH},
    {"aggTrade",
	HAS_SYMBOL | HAS_AGG_ID | HAS_AGG_FIRST | HAS_AGG_LAST | HAS_PX |
	    HAS_QTY | HAS_MAKER | HAS_SENT | HAS_TIME,
	BN_AGG_TRADE},
    {"serverShutdown", HAS_SENT, BN_SHUTDOWN},
};

/* Streams that the venue has and nobody here wants. */
static const char *const unsupported[] = {"kline", "blockTrade",
    "referencePrice", "avgPrice", "24hrMiniTicker", "24hrTicker", "1hTicker",
    "4hTicker", "1dTicker"};

#define TICKER_NEED \
	(HAS_SYMBOL | HAS_LAST | HAS_BID | HAS_BID_QTY | HAS_ASK | HAS_ASK_QTY)
#define BOOK_NEED (HAS_UPDATE_ID | HAS_BIDS | HAS_ASKS)

static bool
name_is(struct json_str text, const char *name)
{
	return strlen(name) == text.n && memcmp(name, text.s, text.n) == 0;
}

/* Kind of a message whose type is named by "e". */
static enum bn_kind
typed_kind(const struct bn_event *ev, uint32_t *need)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!name_is(ev->type, types[i].name))
			continue;
		*need = types[i].need;
		return types[i].kind;
	}
	return BN_UNKNOWN;
}

static enum bn_kind
unknown(struct bn_event *ev)
{
	ev->reason = REASON_UNKNOWN_EVENT;
	for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]);
	     i++)
		if (name_is(ev->type, unsupported[i]))
			ev->reason = REASON_UNSUPPORTED;
	return ev->kind = BN_UNKNOWN;
}

/*
 * In this order:
 *   1. "e" names it
 *   2. lastUpdateId: the top of a book (with an envelope) or all of it
 *   3. the six fields of a spot book ticker
 *   4. result and id, code and msg: answers to requests
 */
static enum bn_kind
kind_of(const struct scan *s, uint32_t *need)
{
	*need = 0;
	if (s->seen & HAS_TYPE)
		return typed_kind(s->ev, need);
	if (s->seen & HAS_UPDATE_ID) {
		*need = BOOK_NEED;
		return s->seen & HAS_STREAM ? BN_PARTIAL : BN_SNAPSHOT;
	}
	if (s->seen & HAS_LAST) {
		*need = TICKER_NEED;
		return BN_BOOK_TICKER;
	}
	if (s->seen & HAS_RESULT)
		return BN_ANSWER;
	if (s->seen & HAS_CODE) {
		*need = HAS_MSG;
		return BN_REFUSAL;
	}
	return BN_UNKNOWN;
}

/* One of the two times missing takes the value of the other. */
static bool
times(struct scan *s)
{
	uint64_t sent = s->seen & HAS_SENT ? s->sent : s->time;
	uint64_t time = s->seen & HAS_TIME ? s->time : s->sent;

	return vtime_ns(time, &s->ev->venue_ns) &&
	       vtime_ns(sent, &s->ev->event_ns);
}

static bool
finish(struct scan *s)
{
	struct bn_event *ev = s->ev;
	uint32_t need;

	ev->kind = kind_of(s, &need);
	if (ev->kind == BN_UNKNOWN) {
		unknown(ev);
		return true;
	}
	if ((s->seen & need) != need)
		return json_fail(s->j, REASON_MISSING_FIELD);
	if (!times(s))
		return json_fail(s->j, REASON_BAD_NUMBER);
	ev->has_prev = (s->seen & HAS_PREV) != 0;
	if (ev->kind == BN_AGG_TRADE) {
		ev->trade_id = s->agg_id;
		ev->first_id = s->agg_first;
		ev->last_id = s->agg_last;
	}
	if (ev->kind == BN_TRADE || ev->kind == BN_AGG_TRADE)
		ev->side = s->maker ? SIDE_ASK : SIDE_BID;
	return true;
}

/* The name in "e" of the object at hand; what is not asked for is skipped. */
static void
type_of(struct json *j, struct json_str *type)
{
	struct json_str key;

	json_object(j);
	while (json_key(j, &key))
		if (json_is(key, "e") && json_peek(j) == JSON_STRING)
			json_string(j, type);
		else
			json_skip(j);
}

/* What looks wrong in a message that we do not know need not be: true when
 * the text is an object whose "e" is not in the table. */
static bool
is_unknown(struct bn_event *ev, const char *text, size_t n)
{
	struct json j;
	struct json data;
	struct json_str key;
	struct json_str raw;
	uint32_t need;

	memset(ev, 0, offsetof(struct bn_event, bids));
	json_init(&j, text, n);
	type_of(&j, &ev->type);
	if (!json_end(&j))
		return false;
	json_sub(&j, text, n);
	json_object(&j);
	while (json_key(&j, &key))
		if (json_is(key, "data") && json_raw(&j, &raw)) {
			json_sub(&data, raw.s, raw.n);
			type_of(&data, &ev->type);
		} else {
			json_skip(&j);
		}
	return ev->type.n != 0 && typed_kind(ev, &need) == BN_UNKNOWN;
}

static enum bn_kind
refuse(struct bn_event *ev, const struct json *j, const char *text, size_t n)
{
	enum reason reason = j->reason;
	uint32_t off = (uint32_t)json_err_off(j);

	if (is_unknown(ev, text, n))
		return unknown(ev);
	ev->reason = reason;
	ev->err_off = off;
	return ev->kind = BN_ERR;
}

/*
 * The spot trade as the venue spells it, in one go: the message whose delay
 * matters most. False, *ev spoilt, for any other spelling or message.
 */
static bool
trade_usual(struct bn_event *ev, const char *text, size_t n)
{
	struct usual u = {text, text + n, true};
	uint64_t sent;
	uint64_t time;

	usual_lit(&u, "{\"stream\":\"");
	usual_plain(&u, &ev->stream);
	if (!usual_lit(&u, "\",\"data\":{\"e\":\"trade\",\"E\":"))
		return false;
	ev->type = (struct json_str){.s = u.p - 11, .n = 5};
	usual_u64(&u, &sent);
	usual_lit(&u, ",\"s\":\"");
	usual_plain(&u, &ev->symbol);
	usual_lit(&u, "\",\"t\":");
	usual_u64(&u, &ev->trade_id);
	usual_lit(&u, ",\"p\":\"");
	usual_e8(&u, &ev->px.e8);
	usual_lit(&u, "\",\"q\":\"");
	usual_e8(&u, &ev->qty.e8);
	usual_lit(&u, "\",\"T\":");
	if (!usual_u64(&u, &time) || !usual_lit(&u, ",\"m\":"))
		return false;
	if (usual_room(&u, 1) && *u.p == 't') {
		ev->side = SIDE_ASK;
		usual_lit(&u, "true,\"M\":true}}");
	} else {
		ev->side = SIDE_BID;
		usual_lit(&u, "false,\"M\":true}}");
	}
	ev->kind = BN_TRADE;
	return u.ok && u.p == u.end && vtime_ns(time, &ev->venue_ns) &&
	       vtime_ns(sent, &ev->event_ns);
}

/* The same for the spot book ticker, the most frequent message. */
static bool
ticker_usual(struct bn_event *ev, const char *text, size_t n)
{
	struct usual u = {text, text + n, true};

	usual_lit(&u, "{\"stream\":\"");
	usual_plain(&u, &ev->stream);
	if (!usual_lit(&u, "\",\"data\":{\"u\":"))
		return false;
	usual_u64(&u, &ev->last_id);
	usual_lit(&u, ",\"s\":\"");
	usual_plain(&u, &ev->symbol);
	usual_lit(&u, "\",\"b\":\"");
	usual_e8(&u, &ev->bid.px.e8);
	usual_lit(&u, "\",\"B\":\"");
	usual_e8(&u, &ev->bid.qty.e8);
	usual_lit(&u, "\",\"a\":\"");
	usual_e8(&u, &ev->ask.px.e8);
	usual_lit(&u, "\",\"A\":\"");
	usual_e8(&u, &ev->ask.qty.e8);
	usual_lit(&u, "\"}}");
	ev->kind = BN_BOOK_TICKER;
	return u.ok && u.p == u.end;
}

enum bn_kind
bn_decode(struct bn_event *ev, const char *text, size_t n)
{
	struct json j;
	struct scan s = {.j = &j, .ev = ev};

	memset(ev, 0, offsetof(struct bn_event, bids));
	ev->body = (struct json_str){.s = text, .n = (uint32_t)n};
	if (trade_usual(ev, text, n) || ticker_usual(ev, text, n))
		return ev->kind;
	memset(ev, 0, offsetof(struct bn_event, body));
	json_init(&j, text, n);
	if (!frame(&s) || !finish(&s))
		return refuse(ev, &j, text, n);
	return ev->kind;
}

/* ---- paths ---- */

static bool
name_put(struct text *t, const char *name, bool lower)
{
	if (*name == '\0')
		return false;
	for (; *name != '\0'; name++) {
		char c = *name;
		bool upper = c >= 'A' && c <= 'Z';

		if (!upper && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9') && c != '_' && c != '@')
			return false;
		if (upper && lower)
			c = (char)(c | 0x20);
		text_put(t, &c, 1);
	}
	return true;
}

/* The binary stream of the same content, NULL when there is none. */
static const char *
binary_kind(const char *kind)
{
	static const struct {
		const char *text;
		const char *binary;
	} kinds[] = {
	    {"trade", "trade"},
	    {"bookTicker", "bestBidAsk"},
	    {"depth", "depth"},
	    {"depth@100ms", "depth"},
	    {"depth20", "depth20"},
	    {"depth20@100ms", "depth20"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kind, kinds[i].text) == 0)
			return kinds[i].binary;
	return NULL;
}

size_t
bn_stream_path(const struct bn_streams *want, char *buf, size_t cap)
{
	struct text t;
	size_t n = 0;
	bool ok = true;

	text_init(&t, buf, cap);
	text_lit(&t, "/stream?streams=");
	for (size_t i = 0; i < want->symbols_n; i++)
		for (size_t k = 0; k < want->kinds_n; k++) {
			const char *kind = want->is_binary
					       ? binary_kind(want->kinds[k])
					       : want->kinds[k];

			if (kind == NULL)
				continue;
			text_lit(&t, n++ == 0 ? "" : "/");
			ok = name_put(&t, want->symbols[i], true) && ok;
			text_lit(&t, "@");
			ok = name_put(&t, kind, false) && ok;
		}
	if (!want->is_binary)
		text_lit(&t, "&timeUnit=MICROSECOND");
	t.full = t.full || !ok || n == 0;
	return text_end(&t);
}
