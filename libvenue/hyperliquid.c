#include "libvenue/hyperliquid.h"

#include "libcore/check.h"
#include "libvenue/hl_usual.h"
#include "libvenue/text.h"
#include "libvenue/vtime.h"

/* The outer object of a frame, or of a REST body (channel.n == 0). */
struct envelope {
	struct json_str channel;
	struct json_str data; /* n == 0: not sent */
	bool has_universe;
	bool has_levels;
};

/* Open interest in cheap coins is past QTY_E8_MAX; it goes into no book. */
#define INTEREST_E8_MAX (INT64_C(80000000000) * E8)

/* An hourly rate is capped at 4 %; 1e6 is absurd. */
#define FUNDING_MAX   (INT64_C(1000000) * INT64_C(1000000000000))
#define FUNDING_SCALE 12

static bool
time_value(struct json *j, int64_t *ns)
{
	uint64_t t;

	if (!json_u64(j, &t))
		return false;
	return vtime_ns(t, ns) || json_fail(j, REASON_BAD_NUMBER);
}

static bool
side_value(struct json *j, enum side *side)
{
	struct json_str text;

	if (!json_string(j, &text))
		return false;
	if (json_is(text, "B"))
		*side = SIDE_BID;
	else if (json_is(text, "A"))
		*side = SIDE_ASK;
	else
		return json_fail(j, REASON_BAD_TYPE);
	return true;
}

static bool
missing(struct json *j, bool is_missing)
{
	if (j->reason == REASON_NONE && is_missing)
		json_fail(j, REASON_MISSING_FIELD);
	return j->reason != REASON_NONE;
}

/* ---- levels ---- */

static bool
level(struct json *j, struct hl_level *out)
{
	struct json_str key;
	int64_t px = -1;
	int64_t qty = -1;
	uint64_t n = 0;

	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "px"))
			json_e8(j, PX_E8_MAX, &px);
		else if (json_is(key, "sz"))
			json_e8(j, QTY_E8_MAX, &qty);
		else if (json_is(key, "n"))
			json_u64(j, &n);
		else
			json_skip(j);
	}
	if (missing(j, px < 0 || qty < 0))
		return false;
	if (n > UINT32_MAX)
		return json_fail(j, REASON_BAD_NUMBER);
	*out = (struct hl_level){PX(px), QTY(qty), (uint32_t)n};
	return true;
}

static bool
levels(struct json *j, struct hl_level *out, uint32_t *n)
{
	if (!json_array(j))
		return false;
	while (json_item(j)) {
		if (*n == HL_LEVELS_MAX)
			return json_fail(j, REASON_OVERLONG);
		if (!level(j, &out[*n]))
			return false;
		(*n)++;
	}
	return j->reason == REASON_NONE;
}

/* [[bids],[asks]] */
static bool
both_sides(struct json *j, struct hl_event *ev)
{
	unsigned n = 0;

	if (!json_array(j))
		return false;
	for (; json_item(j); n++) {
		if (n > 1)
			return json_fail(j, REASON_OVERLONG);
		bool ok = n == 0 ? levels(j, ev->bids, &ev->bids_n)
				 : levels(j, ev->asks, &ev->asks_n);
		if (!ok)
			return false;
	}
	return !missing(j, n < 2);
}

/* [bid, ask], each may be null; one side alone is a bid. */
static bool
touch(struct json *j, struct hl_event *ev)
{
	unsigned n = 0;

	if (!json_array(j))
		return false;
	for (; json_item(j); n++) {
		if (n > 1)
			return json_fail(j, REASON_OVERLONG);
		if (json_peek(j) == JSON_NULL) {
			json_null(j);
			continue;
		}
		if (!level(j, n == 0 ? ev->bids : ev->asks))
			return false;
		*(n == 0 ? &ev->bids_n : &ev->asks_n) = 1;
	}
	return !missing(j, n == 0);
}

/* Data of bbo and l2Book. */
static bool
book_data(struct json *j, struct hl_event *ev)
{
	struct json_str key;
	bool has_levels = false;

	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "coin"))
			json_string(j, &ev->coin);
		else if (json_is(key, "time"))
			time_value(j, &ev->venue_ns);
		else if (json_is(key, "fast") && json_peek(j) == JSON_BOOL)
			json_bool(j, &ev->is_fast);
		else if (json_is(key, "levels") && ev->kind == HL_BOOK &&
			 !has_levels)
			has_levels = both_sides(j, ev);
		else if (json_is(key, "bbo") && ev->kind == HL_BBO &&
			 !has_levels)
			has_levels = touch(j, ev);
		else
			json_skip(j);
	}
	return !missing(j, ev->coin.n == 0 || ev->venue_ns == 0 || !has_levels);
}

/* ---- trades ---- */

static bool
trade(struct json *j, struct hl_trade *t, struct json_str *coin)
{
	struct json_str key;
	struct hl_trade v = {.px = PX(-1), .qty = QTY(-1)};
	bool has_id = false;

	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "coin"))
			json_string(j, coin);
		else if (json_is(key, "side"))
			side_value(j, &v.side);
		else if (json_is(key, "px"))
			json_e8(j, PX_E8_MAX, &v.px.e8);
		else if (json_is(key, "sz"))
			json_e8(j, QTY_E8_MAX, &v.qty.e8);
		else if (json_is(key, "time"))
			time_value(j, &v.venue_ns);
		else if (json_is(key, "tid"))
			has_id = json_u64(j, &v.trade_id);
		else
			json_skip(j);
	}
	*t = v;
	return !missing(j, v.px.e8 < 0 || v.qty.e8 < 0 || v.side == 0 ||
			       v.venue_ns == 0 || !has_id || coin->n == 0);
}

static bool
trades(struct json *j, struct hl_event *ev)
{
	if (!json_array(j))
		return false;
	while (json_item(j)) {
		struct json_str coin = {0};

		if (ev->trades_n == HL_TRADES_MAX)
			return json_fail(j, REASON_OVERLONG);
		if (!trade(j, &ev->trades[ev->trades_n], &coin))
			return false;
		if (ev->trades_n++ == 0)
			ev->coin = coin;
		else if (coin.n != ev->coin.n ||
			 memcmp(coin.s, ev->coin.s, coin.n) != 0)
			return json_fail(j, REASON_UNSUPPORTED);
	}
	return j->reason == REASON_NONE;
}

/* ---- asset context ---- */

static bool
ctx_values(struct json *j, struct hl_event *ev)
{
	struct json_str key;
	bool has_funding = false;
	int64_t mid = 0;

	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "markPx"))
			json_e8_floor(j, PX_E8_MAX, &ev->mark.e8);
		else if (json_is(key, "oraclePx"))
			json_e8_floor(j, PX_E8_MAX, &ev->oracle.e8);
		else if (json_is(key, "openInterest"))
			json_e8_floor(
			    j, INTEREST_E8_MAX, &ev->open_interest.e8);
		else if (json_is(key, "midPx") && json_peek(j) != JSON_NULL)
			ev->has_mid = json_e8_floor(j, PX_E8_MAX, &mid);
		else if (json_is(key, "funding"))
			has_funding = json_fixed(j, FUNDING_SCALE, true,
			    FUNDING_MAX, &ev->funding_e12);
		else
			json_skip(j);
	}
	ev->mid = PX(mid);
	return !missing(
	    j, ev->mark.e8 == 0 || ev->oracle.e8 == 0 || !has_funding);
}

static bool
ctx_data(struct json *j, struct hl_event *ev)
{
	struct json_str key;
	bool has_ctx = false;

	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "coin"))
			json_string(j, &ev->coin);
		else if (json_is(key, "ctx") && !has_ctx)
			has_ctx = ctx_values(j, ev);
		else
			json_skip(j);
	}
	return !missing(j, ev->coin.n == 0 || !has_ctx);
}

/* ---- answers ---- */

static bool
subscription(struct json *j, struct hl_event *ev)
{
	struct json_str key;

	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "type"))
			json_string(j, &ev->channel);
		else if (json_is(key, "coin") && json_peek(j) == JSON_STRING)
			json_string(j, &ev->coin);
		else if (json_is(key, "fast") && json_peek(j) == JSON_BOOL)
			json_bool(j, &ev->is_fast);
		else
			json_skip(j);
	}
	return j->reason == REASON_NONE;
}

static bool
subscribed_data(struct json *j, struct hl_event *ev)
{
	struct json_str key;
	bool has_sub = false;

	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "method"))
			json_string(j, &ev->method);
		else if (json_is(key, "subscription"))
			has_sub = subscription(j, ev);
		else
			json_skip(j);
	}
	return !missing(j, ev->method.n == 0 || !has_sub);
}

static bool
coin(struct json *j, struct hl_coin *c)
{
	struct json_str key;
	uint64_t decimals = UINT64_MAX;

	*c = (struct hl_coin){0};
	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "name"))
			json_string(j, &c->name);
		else if (json_is(key, "szDecimals"))
			json_u64(j, &decimals);
		else if (json_is(key, "isDelisted"))
			json_bool(j, &c->is_delisted);
		else
			json_skip(j);
	}
	if (missing(j, c->name.n == 0 || decimals == UINT64_MAX))
		return false;
	c->size_decimals = (uint32_t)decimals;
	return decimals <= 8 || json_fail(j, REASON_BAD_NUMBER);
}

static bool
coins(struct json *j, struct hl_event *ev)
{
	if (!json_array(j))
		return false;
	while (json_item(j)) {
		if (ev->coins_n == HL_COINS_MAX)
			return json_fail(j, REASON_OVERLONG);
		if (!coin(j, &ev->coins[ev->coins_n]))
			return false;
		ev->coins_n++;
	}
	return j->reason == REASON_NONE;
}

static bool
meta_data(struct json *j, struct hl_event *ev)
{
	struct json_str key;
	bool has_coins = false;

	if (!json_object(j))
		return false;
	while (json_key(j, &key))
		if (json_is(key, "universe") && !has_coins)
			has_coins = coins(j, ev);
		else
			json_skip(j);
	return !missing(j, !has_coins);
}

/* ---- frames ---- */

/* Channels that the venue has and nobody here wants. */
static const char *const unsupported[] = {"allMids", "candle", "post", "user",
    "userFills", "userEvents", "userFundings", "userNonFundingLedgerUpdates",
    "userTwapSliceFills", "userTwapHistory", "orderUpdates", "notification",
    "webData2", "webData3", "activeSpotAssetCtx", "activeAssetData",
    "clearinghouseState", "allDexsClearinghouseState", "openOrders",
    "spotState", "twapStates", "allDexsAssetCtxs", "fastAssetCtxs"};
#define UNSUPPORTED_N (sizeof(unsupported) / sizeof(unsupported[0]))

static const struct {
	const char *text;
	enum hl_refusal refusal;
} refusals[] = {
    {"Error parsing JSON", HL_REFUSED_PARSE},
    {"Invalid subscription", HL_REFUSED_SUBSCRIPTION},
    {"Already subscribed", HL_REFUSED_ALREADY},
    {"Already unsubscribed", HL_REFUSED_ALREADY},
    {"Cannot track more than ", HL_REFUSED_USERS},
    {"Cannot subscribe to more than ", HL_REFUSED_CHANNELS},
    {"Cannot send more than ", HL_REFUSED_MESSAGES},
    {"Cannot open more than ", HL_REFUSED_CONNECTIONS},
    {"too many pending post requests", HL_REFUSED_POSTS},
};
#define REFUSALS_N (sizeof(refusals) / sizeof(refusals[0]))

enum hl_refusal
hl_refusal_of(const char *text, size_t n)
{
	for (size_t i = 0; i < REFUSALS_N; i++) {
		size_t len = strlen(refusals[i].text);

		if (n >= len && memcmp(text, refusals[i].text, len) == 0)
			return refusals[i].refusal;
	}
	return HL_REFUSED_OTHER;
}

static bool
name_is(struct json_str text, const char *name)
{
	return strlen(name) == text.n && memcmp(name, text.s, text.n) == 0;
}

static bool
refusal(struct json *j, struct hl_event *ev)
{
	if (!json_string(j, &ev->msg))
		return false;
	ev->refusal = hl_refusal_of(ev->msg.s, ev->msg.n);
	return true;
}

static const struct {
	const char *channel;
	enum hl_kind kind;
	bool (*data)(struct json *, struct hl_event *);
} channels[] = {
    {"bbo", HL_BBO, book_data},
    {"l2Book", HL_BOOK, book_data},
    {"trades", HL_TRADES, trades},
    {"activeAssetCtx", HL_CTX, ctx_data},
    {"subscriptionResponse", HL_SUBSCRIBED, subscribed_data},
    {"error", HL_REFUSAL, refusal},
};
#define CHANNELS_N (sizeof(channels) / sizeof(channels[0]))

/* The outer object to its last byte; the data is looked at afterwards, when
 * it is known what it should be. */
static bool
envelope(struct json *j, struct envelope *e)
{
	struct json_str key;

	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "channel")) {
			json_string(j, &e->channel);
		} else if (json_is(key, "data")) {
			json_raw(j, &e->data);
		} else {
			e->has_universe |= json_is(key, "universe");
			e->has_levels |= json_is(key, "levels");
			json_skip(j);
		}
	}
	return json_end(j);
}

static bool
decode_channel(struct json *j, struct hl_event *ev, const struct envelope *e)
{
	ev->channel = e->channel;
	if (json_is(e->channel, "pong")) {
		ev->kind = HL_PONG;
		return true;
	}
	for (size_t i = 0; i < CHANNELS_N; i++) {
		if (!name_is(e->channel, channels[i].channel))
			continue;
		if (e->data.n == 0)
			return json_fail(j, REASON_MISSING_FIELD);
		ev->kind = channels[i].kind;
		json_sub(j, e->data.s, e->data.n);
		return channels[i].data(j, ev);
	}
	ev->kind = HL_UNKNOWN;
	ev->reason = REASON_UNKNOWN_EVENT;
	for (size_t i = 0; i < UNSUPPORTED_N; i++)
		if (name_is(e->channel, unsupported[i]))
			ev->reason = REASON_UNSUPPORTED;
	return true;
}

/* A REST body has no channel; what it holds tells what was asked. */
static bool
decode_body(struct json *j, struct hl_event *ev, const struct envelope *e)
{
	size_t n = (size_t)(j->end - j->start);

	json_sub(j, j->start, n);
	if (e->has_universe) {
		ev->kind = HL_META;
		return meta_data(j, ev);
	}
	if (e->has_levels) {
		ev->kind = HL_BOOK;
		return book_data(j, ev);
	}
	ev->kind = HL_UNKNOWN;
	ev->reason = REASON_UNKNOWN_EVENT;
	return true;
}

enum hl_kind
hl_decode(struct hl_event *ev, const char *text, size_t n)
{
	struct json j;
	struct envelope e = {0};
	bool ok;

	memset(ev, 0, offsetof(struct hl_event, bids));
	if (hl_usual(ev, text, n))
		return ev->kind;
	memset(ev, 0, offsetof(struct hl_event, bids));
	json_init(&j, text, n);
	if (j.reason == REASON_NONE && n > 0 && json_peek(&j) != JSON_OBJECT) {
		ev->reason = REASON_UNKNOWN_EVENT;
		return ev->kind = HL_UNKNOWN;
	}
	ok = envelope(&j, &e);
	if (ok)
		ok = e.channel.s != NULL ? decode_channel(&j, ev, &e)
					 : decode_body(&j, ev, &e);
	if (!ok) {
		ev->kind = HL_ERR;
		ev->reason = j.reason;
		ev->err_off = (uint32_t)(j.err - text);
	}
	return ev->kind;
}

/* ---- what we send ---- */

static const struct {
	const char *type;
	const char *tail;
} subs[HL_SUB_N] = {
    [HL_SUB_BBO] = {"bbo", "\"}}"},
    [HL_SUB_BOOK] = {"l2Book", "\"}}"},
    [HL_SUB_BOOK_FAST] = {"l2Book", "\",\"fast\":true}}"},
    [HL_SUB_TRADES] = {"trades", "\"}}"},
    [HL_SUB_CTX] = {"activeAssetCtx", "\"}}"},
};

size_t
hl_encode_subscribe(
    enum hl_sub sub, const char *coin_name, char *buf, size_t cap)
{
	struct text t;
	size_t n = strlen(coin_name);

	CHECK(sub >= HL_SUB_BBO);
	CHECK(sub < HL_SUB_N);
	if (n == 0 || n > HL_COIN_MAX)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (coin_name[i] <= ' ' || coin_name[i] > '~' ||
		    coin_name[i] == '"' || coin_name[i] == '\\')
			return 0;
	text_init(&t, buf, cap);
	text_lit(&t, "{\"method\":\"subscribe\",\"subscription\":{\"type\":\"");
	text_lit(&t, subs[sub].type);
	text_lit(&t, "\",\"coin\":\"");
	text_put(&t, coin_name, n);
	text_lit(&t, subs[sub].tail);
	return text_end(&t);
}
