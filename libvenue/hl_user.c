#include "libvenue/hl_user.h"

#include "libvenue/vtime.h"

#define USD_DECIMALS 6

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
	struct json_str s;

	if (!json_string(j, &s))
		return false;
	if (json_is(s, "B"))
		*side = SIDE_BID;
	else if (json_is(s, "A"))
		*side = SIDE_ASK;
	else
		return json_fail(j, REASON_BAD_TYPE);
	return true;
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Absent and null both mean that none was given. */
static bool
cloid_value(struct json *j, bool *has, uint8_t out[HLU_CLOID_SZ])
{
	struct json_str s;

	if (json_peek(j) == JSON_NULL)
		return json_null(j);
	if (!json_string(j, &s))
		return false;
	if (s.n != 2 + 2 * HLU_CLOID_SZ || s.s[0] != '0' || s.s[1] != 'x')
		return json_fail(j, REASON_BAD_TYPE);
	for (uint32_t i = 0; i < HLU_CLOID_SZ; i++) {
		int hi = digit(s.s[2 + 2 * i]);
		int lo = digit(s.s[3 + 2 * i]);

		if (hi < 0 || lo < 0)
			return json_fail(j, REASON_BAD_TYPE);
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	*has = true;
	return true;
}

/* A signed decimal in dollars; what is past a millionth is cut off. */
static bool
usd_value(struct json *j, usd_t *out)
{
	struct json_str s;
	uint32_t n = 0;

	if (!json_string(j, &s))
		return false;
	while (n < s.n && s.s[n] != '.')
		n++;
	for (uint32_t i = n + 1; i < s.n; i++)
		if (s.s[i] < '0' || s.s[i] > '9')
			return json_fail(j, REASON_BAD_NUMBER);
	if (s.n > n + 1 + USD_DECIMALS)
		s.n = n + 1 + USD_DECIMALS;
	if (!fixed_parse(s.s, s.n, USD_DECIMALS, true, INT64_MAX / 4, &out->e6))
		return json_fail(j, REASON_BAD_NUMBER);
	return true;
}

static bool
ends(struct json_str s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && memcmp(s.s + s.n - n, with, n) == 0;
}

enum hlu_state
hlu_state_of(struct json_str s)
{
	if (json_is(s, "open") || json_is(s, "triggered"))
		return HLU_LIVE;
	if (json_is(s, "filled"))
		return HLU_FILLED;
	if (ends(s, "anceled") || ends(s, "Cancel"))
		return HLU_CANCELLED;
	return ends(s, "ejected") ? HLU_REJECTED : HLU_STRANGE;
}

/* ---- orders ---- */

static void
order_fields(struct json *j, struct hlu_order *o)
{
	struct json_str key;

	if (!json_object(j))
		return;
	while (json_key(j, &key)) {
		if (json_is(key, "coin"))
			json_string(j, &o->coin);
		else if (json_is(key, "side"))
			side_value(j, &o->side);
		else if (json_is(key, "limitPx"))
			json_e8(j, PX_E8_MAX, &o->px.e8);
		else if (json_is(key, "sz"))
			json_e8(j, QTY_E8_MAX, &o->left.e8);
		else if (json_is(key, "origSz"))
			json_e8(j, QTY_E8_MAX, &o->qty.e8);
		else if (json_is(key, "oid"))
			json_u64(j, &o->oid);
		else if (json_is(key, "timestamp"))
			time_value(j, &o->placed_ns);
		else if (json_is(key, "cloid"))
			cloid_value(j, &o->has_cloid, o->cloid);
		else if (json_is(key, "reduceOnly") &&
			 json_peek(j) == JSON_BOOL)
			json_bool(j, &o->reduce_only);
		else if (json_is(key, "isTrigger") && json_peek(j) == JSON_BOOL)
			json_bool(j, &o->is_trigger);
		else
			json_skip(j);
	}
}

/* {"order":{...},"status":...}, or the order alone in lists. */
static void
order_entry(struct json *j, struct json_str raw, struct hlu_order *o)
{
	struct json_str key;
	struct json sub;
	bool wrapped = false;

	memset(o, 0, sizeof(*o));
	o->px = PX(-1);
	o->left = QTY(-1);
	o->qty = QTY(-1);
	json_sub(&sub, raw.s, raw.n);
	*j = sub;
	if (json_object(j))
		while (json_key(j, &key)) {
			if (json_is(key, "order") &&
			    json_peek(j) == JSON_OBJECT) {
				wrapped = true;
				order_fields(j, o);
			} else if (json_is(key, "status")) {
				json_string(j, &o->status);
			} else if (json_is(key, "statusTimestamp")) {
				time_value(j, &o->status_ns);
			} else {
				json_skip(j);
			}
		}
	if (!wrapped && j->reason == REASON_NONE) {
		*j = sub;
		order_fields(j, o);
	}
	if (o->qty.e8 < 0)
		o->qty = o->left;
	if (j->reason == REASON_NONE &&
	    (o->coin.n == 0 || o->side == 0 || o->px.e8 < 0 || o->left.e8 < 0 ||
		o->oid == 0 || (wrapped && o->status.n == 0)))
		json_fail(j, REASON_MISSING_FIELD);
	if (j->reason == REASON_NONE && o->left.e8 > o->qty.e8)
		json_fail(j, REASON_BAD_NUMBER);
	o->state = o->status.n == 0 ? HLU_LIVE : hlu_state_of(o->status);
	o->reason = j->reason;
}

bool
hl_user_order(struct hl_user *u, struct hlu_order *out)
{
	struct json_str raw;
	struct json j;

	if (!json_item(&u->list) || !json_raw(&u->list, &raw))
		return false;
	order_entry(&j, raw, out);
	return true;
}

bool
hl_user_status(const char *text, size_t n, bool *known, struct hlu_order *out)
{
	struct json_str status = {.s = ""};
	struct json_str order = {.s = ""};
	struct json_str key;
	struct json j;

	json_init(&j, text, n);
	json_object(&j);
	while (json_key(&j, &key))
		if (json_is(key, "status"))
			json_string(&j, &status);
		else if (json_is(key, "order"))
			json_raw(&j, &order);
		else
			json_skip(&j);
	if (!json_end(&j))
		return false;
	*known = json_is(status, "order");
	if (!*known)
		return json_is(status, "unknownOid");
	order_entry(&j, order, out);
	return order.n > 0 && out->reason == REASON_NONE;
}

/* ---- fills ---- */

static void
fill_entry(struct json *j, struct hlu_fill *f)
{
	struct json_str key;
	struct json_str token = {.s = "USDC", .n = 4};
	bool has_tid = false;
	bool has_start = false;

	memset(f, 0, sizeof(*f));
	f->px = PX(-1);
	f->qty = QTY(-1);
	json_object(j);
	while (json_key(j, &key)) {
		if (json_is(key, "coin"))
			json_string(j, &f->coin);
		else if (json_is(key, "px"))
			json_e8(j, PX_E8_MAX, &f->px.e8);
		else if (json_is(key, "sz"))
			json_e8(j, QTY_E8_MAX, &f->qty.e8);
		else if (json_is(key, "side"))
			side_value(j, &f->side);
		else if (json_is(key, "time"))
			time_value(j, &f->venue_ns);
		else if (json_is(key, "startPosition"))
			has_start =
			    json_fixed(j, 8, true, QTY_E8_MAX, &f->start.e8);
		else if (json_is(key, "closedPnl"))
			usd_value(j, &f->closed);
		else if (json_is(key, "fee"))
			usd_value(j, &f->fee);
		else if (json_is(key, "oid"))
			json_u64(j, &f->oid);
		else if (json_is(key, "tid"))
			has_tid = json_u64(j, &f->tid);
		else if (json_is(key, "crossed"))
			json_bool(j, &f->is_taker);
		else if (json_is(key, "cloid"))
			cloid_value(j, &f->has_cloid, f->cloid);
		else if (json_is(key, "feeToken"))
			json_string(j, &token);
		else if (json_is(key, "liquidation")) {
			f->is_liquidation = json_peek(j) == JSON_OBJECT;
			json_skip(j);
		} else
			json_skip(j);
	}
	f->is_usdc = json_is(token, "USDC");
	if (j->reason == REASON_NONE &&
	    (f->coin.n == 0 || f->side == 0 || f->px.e8 < 0 || f->qty.e8 < 0 ||
		f->venue_ns == 0 || !has_tid || !has_start))
		json_fail(j, REASON_MISSING_FIELD);
	f->reason = j->reason;
}

bool
hl_user_fill(struct hl_user *u, struct hlu_fill *out)
{
	struct json_str raw;
	struct json j;

	if (!json_item(&u->list) || !json_raw(&u->list, &raw))
		return false;
	json_sub(&j, raw.s, raw.n);
	fill_entry(&j, out);
	return true;
}

static bool
open_list(struct hl_user *u, enum hlu_kind kind, const char *text, size_t n)
{
	struct json_str raw;
	struct json j;

	memset(u, 0, sizeof(*u));
	u->kind = kind;
	json_init(&j, text, n);
	if (json_peek(&j) != JSON_ARRAY || !json_raw(&j, &raw) ||
	    !json_end(&j)) {
		u->kind = HLU_ERR;
		u->reason =
		    j.reason == REASON_NONE ? REASON_BAD_TYPE : j.reason;
		u->err_off = (uint32_t)json_err_off(&j);
		return false;
	}
	json_sub(&u->list, raw.s, raw.n);
	return json_array(&u->list);
}

bool
hl_user_orders(struct hl_user *u, const char *text, size_t n)
{
	return open_list(u, HLU_ORDERS, text, n);
}

bool
hl_user_fills(struct hl_user *u, const char *text, size_t n)
{
	return open_list(u, HLU_FILLS, text, n);
}

/* ---- frames ---- */

static bool
list_in(struct hl_user *u, struct json_str raw)
{
	json_sub(&u->list, raw.s, raw.n);
	return json_array(&u->list);
}

/* {"isSnapshot":...,"user":...,"fills":[...]} */
static void
read_fills(struct hl_user *u, struct json *j)
{
	struct json_str list = {.s = ""};
	struct json_str key;

	json_object(j);
	while (json_key(j, &key))
		if (json_is(key, "isSnapshot") && json_peek(j) == JSON_BOOL)
			json_bool(j, &u->is_snapshot);
		else if (json_is(key, "user"))
			json_string(j, &u->user);
		else if (json_is(key, "fills") && json_peek(j) == JSON_ARRAY)
			json_raw(j, &list);
		else
			json_skip(j);
	if (j->reason != REASON_NONE)
		return;
	u->kind = HLU_FILLS;
	if (list.n == 0)
		u->kind = HLU_OTHER; /* the user channel of other things */
	else
		(void)list_in(u, list);
}

static void
read_post(struct hl_user *u, struct json *j)
{
	struct json_str key;
	bool has_id = false;

	u->kind = HLU_POST;
	json_object(j);
	while (json_key(j, &key)) {
		if (json_is(key, "id")) {
			has_id = json_u64(j, &u->post_id);
		} else if (json_is(key, "response")) {
			json_object(j);
			while (json_key(j, &key))
				if (json_is(key, "type"))
					json_string(j, &u->type);
				else if (json_is(key, "payload"))
					json_raw(j, &u->payload);
				else
					json_skip(j);
		} else {
			json_skip(j);
		}
	}
	if (j->reason == REASON_NONE && (!has_id || u->payload.n == 0))
		json_fail(j, REASON_MISSING_FIELD);
}

/* {"method":...,"subscription":{"type":...}} */
static void
read_subscribed(struct hl_user *u, struct json *j)
{
	struct json_str key;

	u->kind = HLU_SUBSCRIBED;
	json_object(j);
	while (json_key(j, &key)) {
		if (!json_is(key, "subscription")) {
			json_skip(j);
			continue;
		}
		json_object(j);
		while (json_key(j, &key))
			if (json_is(key, "type"))
				json_string(j, &u->type);
			else
				json_skip(j);
	}
}

static void
read_data(struct hl_user *u, struct json_str channel, struct json_str data)
{
	enum json_kind kind;
	struct json j;

	json_sub(&j, data.s, data.n);
	kind = json_peek(&j);
	if (json_is(channel, "orderUpdates")) {
		u->kind = HLU_ORDERS;
		if (kind != JSON_ARRAY)
			json_fail(&j, REASON_BAD_TYPE);
		else
			(void)list_in(u, data);
	} else if (json_is(channel, "userFills") || json_is(channel, "user")) {
		read_fills(u, &j);
	} else if (json_is(channel, "post")) {
		read_post(u, &j);
	} else if (json_is(channel, "subscriptionResponse")) {
		read_subscribed(u, &j);
	} else if (json_is(channel, "error")) {
		u->kind = HLU_REFUSAL;
		json_string(&j, &u->msg);
	}
	if (j.reason == REASON_NONE)
		return;
	u->kind = HLU_ERR;
	u->reason = j.reason;
}

enum hlu_kind
hl_user_open(struct hl_user *u, const char *text, size_t n)
{
	struct json_str channel = {.s = ""};
	struct json_str data = {.s = ""};
	struct json_str key;
	struct json j;

	memset(u, 0, sizeof(*u));
	u->kind = HLU_OTHER;
	if (n > 0 && text[0] != '{')
		return u->kind; /* older servers greet with a sentence */
	json_init(&j, text, n);
	json_object(&j);
	while (json_key(&j, &key))
		if (json_is(key, "channel"))
			json_string(&j, &channel);
		else if (json_is(key, "data"))
			json_raw(&j, &data);
		else
			json_skip(&j);
	if (!json_end(&j)) {
		u->kind = HLU_ERR;
		u->reason = j.reason;
		u->err_off = (uint32_t)json_err_off(&j);
		return u->kind;
	}
	if (json_is(channel, "pong"))
		u->kind = HLU_PONG;
	else if (data.n > 0)
		read_data(u, channel, data);
	return u->kind;
}
