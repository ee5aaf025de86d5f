#include "libvenue/bn_rest.h"

#include "libcore/check.h"
#include "libvenue/vtime.h"

enum state {
	STATE_START = 1,
	STATE_LIST,    /* in the outer array */
	STATE_INFO,    /* in the outer object of an exchangeInfo */
	STATE_LIMITS,  /* in its rateLimits */
	STATE_SYMBOLS, /* in its symbols */
	STATE_END
};

#define SEEN_SYMBOLS 1u
#define SEEN_CODE    2u
#define SEEN_MSG     4u

#define CODE_MAX 1000000000

/* ---- objects by table ---- */

enum type {
	TYPE_PX = 1,
	TYPE_QTY,
	TYPE_E8, /* any amount */
	TYPE_U64,
	TYPE_TIME,
	TYPE_MAKER, /* true: the aggressor sold */
	TYPE_TEXT,
	TYPE_CODE,
};

struct field {
	const char *key;
	enum type type;
	size_t off; /* in struct bn_item */
};

#define AT(member) offsetof(struct bn_item, member)

/* Each table ends with an empty key; every field of it is needed. */
static const struct field trade_fields[] = {
    {"id", TYPE_U64, AT(id)},
    {"price", TYPE_PX, AT(px)},
    {"qty", TYPE_QTY, AT(qty)},
    {"time", TYPE_TIME, AT(venue_ns)},
    {"isBuyerMaker", TYPE_MAKER, AT(side)},
    {"", 0, 0},
};
static const struct field agg_fields[] = {
    {"a", TYPE_U64, AT(id)},
    {"p", TYPE_PX, AT(px)},
    {"q", TYPE_QTY, AT(qty)},
    {"f", TYPE_U64, AT(first_id)},
    {"l", TYPE_U64, AT(last_id)},
    {"T", TYPE_TIME, AT(venue_ns)},
    {"m", TYPE_MAKER, AT(side)},
    {"", 0, 0},
};
static const struct field ticker_fields[] = {
    {"symbol", TYPE_TEXT, AT(symbol)},
    {"bidPrice", TYPE_PX, AT(bid.px)},
    {"bidQty", TYPE_QTY, AT(bid.qty)},
    {"askPrice", TYPE_PX, AT(ask.px)},
    {"askQty", TYPE_QTY, AT(ask.qty)},
    {"", 0, 0},
};
static const struct field time_fields[] = {
    {"serverTime", TYPE_TIME, AT(venue_ns)},
    {"", 0, 0},
};
static const struct field refusal_fields[] = {
    {"code", TYPE_CODE, AT(code)},
    {"msg", TYPE_TEXT, AT(msg)},
    {"", 0, 0},
};

/* A kline is an array: place and type of what we take of it. */
static const struct field kline_fields[] = {
    {"0", TYPE_TIME, AT(venue_ns)},
    {"1", TYPE_PX, AT(open)},
    {"2", TYPE_PX, AT(high)},
    {"3", TYPE_PX, AT(low)},
    {"4", TYPE_PX, AT(close)},
    {"5", TYPE_E8, AT(qty)},
    {"6", TYPE_TIME, AT(end_ns)},
    {"7", 0, 0},
    {"8", TYPE_U64, AT(trades_n)},
};
#define KLINE_N (sizeof(kline_fields) / sizeof(kline_fields[0]))

static const struct {
	const struct field *fields;
	enum bn_item_kind kind;
} asks[BN_ASK_N] = {
    [BN_ASK_TIME] = {time_fields, BN_ITEM_TIME},
    [BN_ASK_TICKER] = {ticker_fields, BN_ITEM_TICKER},
    [BN_ASK_TRADES] = {trade_fields, BN_ITEM_TRADE},
    [BN_ASK_AGG_TRADES] = {agg_fields, BN_ITEM_AGG_TRADE},
};

static bool
time_value(struct json *j, int64_t *ns)
{
	uint64_t t;

	if (!json_u64(j, &t))
		return false;
	return vtime_ns(t, ns) || json_fail(j, REASON_BAD_NUMBER);
}

static bool
maker_value(struct json *j, enum side *side)
{
	bool maker;

	if (!json_bool(j, &maker))
		return false;
	*side = maker ? SIDE_ASK : SIDE_BID;
	return true;
}

static bool
value(struct json *j, enum type type, void *out)
{
	switch (type) {
	case TYPE_PX: return json_e8(j, PX_E8_MAX, &((px_t *)out)->e8);
	case TYPE_QTY: return json_e8(j, QTY_E8_MAX, &((qty_t *)out)->e8);
	case TYPE_E8: return json_e8_floor(j, INT64_MAX, &((qty_t *)out)->e8);
	case TYPE_U64: return json_u64(j, out);
	case TYPE_TIME: return time_value(j, out);
	case TYPE_MAKER: return maker_value(j, out);
	case TYPE_TEXT: return json_string(j, out);
	case TYPE_CODE: return json_fixed(j, 0, true, CODE_MAX, out);
	}
	return json_skip(j);
}

/* One object: every field of the table once, in any order. */
static bool
object(struct json *j, struct bn_item *out, const struct field *fields)
{
	struct json_str key;
	uint32_t seen = 0;
	uint32_t all = 0;

	for (unsigned i = 0; fields[i].key[0] != '\0'; i++)
		all |= 1u << i;
	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		unsigned i = 0;

		while (fields[i].key[0] != '\0' &&
		       (strlen(fields[i].key) != key.n ||
			   memcmp(fields[i].key, key.s, key.n) != 0))
			i++;
		if (fields[i].key[0] == '\0') {
			json_skip(j);
			continue;
		}
		if (seen & 1u << i)
			return json_fail(j, REASON_BAD_JSON);
		seen |= 1u << i;
		value(j, fields[i].type, (char *)out + fields[i].off);
	}
	if (j->reason == REASON_NONE && seen != all)
		json_fail(j, REASON_MISSING_FIELD);
	return j->reason == REASON_NONE;
}

static bool
kline(struct json *j, struct bn_item *out)
{
	unsigned n = 0;

	if (!json_array(j))
		return false;
	for (; json_item(j); n++)
		if (n < KLINE_N)
			value(j, kline_fields[n].type,
			    (char *)out + kline_fields[n].off);
		else
			json_skip(j);
	if (j->reason == REASON_NONE && n < KLINE_N)
		json_fail(j, REASON_MISSING_FIELD);
	return j->reason == REASON_NONE;
}

/* ---- exchangeInfo ---- */

struct name {
	const char *text;
	uint64_t value;
};

/* Value of a text in a table that ends with an empty one. */
static uint64_t
named(struct json_str text, const struct name *names)
{
	while (names->text[0] != '\0' &&
	       (strlen(names->text) != text.n ||
		   memcmp(names->text, text.s, text.n) != 0))
		names++;
	return names->value;
}

static bool
limit(struct json *j, struct bn_item *out)
{
	static const struct name types[] = {{"REQUEST_WEIGHT", BN_LIMIT_WEIGHT},
	    {"ORDERS", BN_LIMIT_ORDERS}, {"RAW_REQUESTS", BN_LIMIT_RAW},
	    {"", BN_LIMIT_OTHER}};
	static const struct name spans[] = {{"SECOND", 1}, {"MINUTE", 60},
	    {"HOUR", 3600}, {"DAY", 86400}, {"", 0}};
	struct json_str key;
	struct json_str type = {0};
	struct json_str span = {0};
	uint64_t times = 0;
	bool has_limit = false;

	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "rateLimitType"))
			json_string(j, &type);
		else if (json_is(key, "interval"))
			json_string(j, &span);
		else if (json_is(key, "intervalNum"))
			json_u64(j, &times);
		else if (json_is(key, "limit"))
			has_limit = json_u64(j, &out->limit_n);
		else
			json_skip(j);
	}
	if (j->reason == REASON_NONE && (type.n == 0 || !has_limit))
		json_fail(j, REASON_MISSING_FIELD);
	if (j->reason == REASON_NONE && times > UINT32_MAX)
		json_fail(j, REASON_BAD_NUMBER);
	out->limit = (enum bn_limit)named(type, types);
	out->limit_per_s = named(span, spans) * times;
	return j->reason == REASON_NONE;
}

/* The venue renamed MIN_NOTIONAL to NOTIONAL; MARKET_LOT_SIZE is not ours. */
static bool
filter(struct json *j, struct bn_item *out)
{
	struct json_str key;
	struct json_str type = {0};
	int64_t tick = 0;
	int64_t step = 0;
	int64_t notional = 0;

	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "filterType"))
			json_string(j, &type);
		else if (json_is(key, "tickSize"))
			json_e8(j, PX_E8_MAX, &tick);
		else if (json_is(key, "stepSize"))
			json_e8(j, QTY_E8_MAX, &step);
		else if (json_is(key, "minNotional"))
			json_e8(j, QTY_E8_MAX, &notional);
		else
			json_skip(j);
	}
	if (json_is(type, "PRICE_FILTER"))
		out->tick = PX(tick);
	else if (json_is(type, "LOT_SIZE"))
		out->lot = QTY(step);
	else if (json_is(type, "NOTIONAL") || json_is(type, "MIN_NOTIONAL"))
		out->min_notional_e8 = notional;
	return j->reason == REASON_NONE;
}

static bool
symbol(struct json *j, struct bn_item *out)
{
	static const struct name statuses[] = {{"TRADING", BN_TRADING},
	    {"HALT", BN_HALT}, {"BREAK", BN_BREAK},
	    {"CANCEL_ONLY", BN_CANCEL_ONLY}, {"", BN_STATUS_OTHER}};
	struct json_str key;
	struct json_str status = {0};

	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "symbol")) {
			json_string(j, &out->symbol);
		} else if (json_is(key, "status")) {
			json_string(j, &status);
		} else if (json_is(key, "filters")) {
			if (!json_array(j))
				return false;
			while (json_item(j) && filter(j, out))
				;
		} else {
			json_skip(j);
		}
	}
	if (j->reason == REASON_NONE && (out->symbol.n == 0 || status.n == 0))
		json_fail(j, REASON_MISSING_FIELD);
	out->status = (enum bn_status)named(status, statuses);
	return j->reason == REASON_NONE;
}

/* ---- walking ---- */

static enum bn_item_kind
finish(struct bn_rest *r, struct bn_item *out)
{
	json_end(&r->j);
	r->state = STATE_END;
	out->kind = BN_ITEM_END;
	if (r->j.reason != REASON_NONE) {
		out->kind = BN_ITEM_ERR;
		out->reason = r->j.reason;
		out->err_off = (uint32_t)json_err_off(&r->j);
	}
	return out->kind;
}

static enum bn_item_kind
give(struct bn_rest *r, struct bn_item *out, bool ok, enum bn_item_kind kind)
{
	if (!ok)
		return finish(r, out);
	return out->kind = kind;
}

/* The last thing of a body: it counts only when nothing follows. */
static enum bn_item_kind
give_last(struct bn_rest *r, struct bn_item *out, enum bn_item_kind kind)
{
	if (finish(r, out) == BN_ITEM_END)
		out->kind = kind;
	return out->kind;
}

static enum bn_item_kind
info_end(struct bn_rest *r, struct bn_item *out)
{
	struct json *j = &r->j;

	if (j->reason == REASON_NONE && r->seen & SEEN_CODE) {
		if (!(r->seen & SEEN_MSG))
			json_fail(j, REASON_MISSING_FIELD);
		out->code = r->code;
		out->msg = r->msg;
		return give_last(r, out, BN_ITEM_REFUSAL);
	}
	if (j->reason == REASON_NONE && !(r->seen & SEEN_SYMBOLS))
		json_fail(j, REASON_MISSING_FIELD);
	return finish(r, out);
}

/* Keys of the outer object up to the next thing to give. */
static enum bn_item_kind
info(struct bn_rest *r, struct bn_item *out)
{
	struct json *j = &r->j;
	struct json_str key;

	while (json_key(j, &key)) {
		if (json_is(key, "rateLimits") && json_array(j)) {
			r->state = STATE_LIMITS;
			return 0;
		}
		if (json_is(key, "symbols") && json_array(j)) {
			r->seen |= SEEN_SYMBOLS;
			r->state = STATE_SYMBOLS;
			return 0;
		}
		if (json_is(key, "serverTime"))
			return give(r, out, time_value(j, &out->venue_ns),
			    BN_ITEM_TIME);
		if (json_is(key, "code")) {
			r->seen |= SEEN_CODE;
			json_fixed(j, 0, true, CODE_MAX, &r->code);
		} else if (json_is(key, "msg")) {
			r->seen |= SEEN_MSG;
			json_string(j, &r->msg);
		} else {
			json_skip(j);
		}
	}
	return info_end(r, out);
}

/* Does the body's only object hold an error? Looked at on the side. */
static bool
is_refusal(const struct json *at)
{
	struct json j = *at;
	struct json_str key;
	bool found = false;

	json_object(&j);
	while (json_key(&j, &key)) {
		found = found || json_is(key, "code");
		json_skip(&j);
	}
	return found;
}

static enum bn_item_kind
begin(struct bn_rest *r, struct bn_item *out)
{
	struct json *j = &r->j;

	if (json_peek(j) == JSON_ARRAY && r->ask != BN_ASK_INFO &&
	    r->ask != BN_ASK_TIME) {
		json_array(j);
		r->state = STATE_LIST;
		return 0;
	}
	if (r->ask == BN_ASK_INFO) {
		r->state = STATE_INFO;
		return json_object(j) ? 0 : finish(r, out);
	}
	if (is_refusal(j)) {
		object(j, out, refusal_fields);
		return give_last(r, out, BN_ITEM_REFUSAL);
	}
	if (r->ask != BN_ASK_TIME && r->ask != BN_ASK_TICKER) {
		json_array(j);
		return finish(r, out);
	}
	object(j, out, asks[r->ask].fields);
	return give_last(r, out, asks[r->ask].kind);
}

static enum bn_item_kind
list(struct bn_rest *r, struct bn_item *out)
{
	struct json *j = &r->j;

	if (!json_item(j))
		return finish(r, out);
	if (r->ask == BN_ASK_KLINES)
		return give(r, out, kline(j, out), BN_ITEM_KLINE);
	return give(
	    r, out, object(j, out, asks[r->ask].fields), asks[r->ask].kind);
}

/* An item of an array inside an exchangeInfo; 0 when that array ended. */
static enum bn_item_kind
info_item(struct bn_rest *r, struct bn_item *out)
{
	bool is_limit = r->state == STATE_LIMITS;

	if (json_item(&r->j))
		return give(r, out,
		    is_limit ? limit(&r->j, out) : symbol(&r->j, out),
		    is_limit ? BN_ITEM_LIMIT : BN_ITEM_SYMBOL);
	r->state = STATE_INFO;
	return r->j.reason == REASON_NONE ? 0 : finish(r, out);
}

void
bn_rest_init(struct bn_rest *r, enum bn_ask ask, const char *text, size_t n)
{
	CHECK(ask >= BN_ASK_INFO);
	CHECK(ask < BN_ASK_N);
	*r = (struct bn_rest){.ask = ask, .state = STATE_START};
	json_init(&r->j, text, n);
}

enum bn_item_kind
bn_rest_next(struct bn_rest *r, struct bn_item *out)
{
	enum bn_item_kind kind = 0;

	CHECK(r->state >= STATE_START);
	CHECK(r->state <= STATE_END);
	memset(out, 0, sizeof(*out));
	while (kind == 0) {
		switch ((enum state)r->state) {
		case STATE_START: kind = begin(r, out); break;
		case STATE_LIST: kind = list(r, out); break;
		case STATE_INFO: kind = info(r, out); break;
		case STATE_LIMITS:
		case STATE_SYMBOLS: kind = info_item(r, out); break;
		case STATE_END: kind = out->kind = BN_ITEM_END; break;
		}
	}
	return kind;
}

/* ---- error codes ---- */

enum bn_cause
bn_cause_of(int64_t code)
{
	switch (code) {
	case 0: return BN_CAUSE_PROPERTY;
	case 1: return BN_CAUSE_VALUE;
	case 2: return BN_CAUSE_REQUEST;
	case 3: return BN_CAUSE_JSON;
	case -1000:
	case -1001:
	case -1007:
	case -1008:
	case -1016: return BN_CAUSE_RETRY;
	case -1003: return BN_CAUSE_LIMIT;
	case -1021: return BN_CAUSE_CLOCK;
	case -1121: return BN_CAUSE_SYMBOL;
	case -1220: return BN_CAUSE_STATUS;
	case -2043: return BN_CAUSE_NO_REFERENCE;
	default: break;
	}
	return code <= -1100 && code >= -1130 ? BN_CAUSE_MALFORMED
					      : BN_CAUSE_OTHER;
}
