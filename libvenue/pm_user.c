#include "libvenue/pm_user.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "libcore/json.h"
#include "libvenue/pm_value.h"

/* Everything that an object may hold; a trade and an order share names. */
struct object {
	struct pm_user_trade t;
	struct pm_user_order o;
	struct json_str status;
	bool has_id;
	bool is_trade;
};

uint64_t
pm_user_time_s(uint64_t v)
{
	if (v < UINT64_C(100000000000))
		return v;
	return v < UINT64_C(100000000000000) ? v / 1000 : v / 1000000;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Does s begin with the word, whatever the case of its letters? */
static bool
begins(struct json_str s, const char *word)
{
	size_t n = strlen(word);

	if (s.n < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(s.s[i]) != lower(word[i]))
			return false;
	return true;
}

static bool
equals(struct json_str s, const char *word)
{
	return s.n == strlen(word) && begins(s, word);
}

static void
get_text(struct json *j, struct json_str *out)
{
	*out = (struct json_str){0};
	if (!pm_value_absent(j))
		pm_value_text(j, out);
}

static bool
get_hash(struct json *j, struct pm_hash *out)
{
	struct json_str s;
	struct pm_cond c;

	get_text(j, &s);
	if (!pm_cond_parse(s.s, s.n, &c) || c.n != sizeof(out->b))
		return false;
	memcpy(out->b, c.b, sizeof(out->b));
	return true;
}

static void
get_amount(struct json *j, int64_t max, int64_t *out)
{
	*out = 0;
	if (!pm_value_absent(j))
		json_e8(j, max, out);
}

static void
get_token(struct json *j, struct pm_token *out)
{
	if (!pm_value_absent(j))
		pm_value_token(j, out);
}

static void
get_time(struct json *j, uint64_t *out)
{
	struct json_str s;
	uint64_t v;

	if (json_peek(j) == JSON_NUMBER) {
		if (json_u64(j, &v))
			*out = pm_user_time_s(v);
		return;
	}
	get_text(j, &s);
	if (json_text_u64(s, &v))
		*out = pm_user_time_s(v);
}

static enum side
get_side(struct json *j)
{
	struct json_str s;

	get_text(j, &s);
	if (equals(s, "BUY"))
		return SIDE_BID;
	return equals(s, "SELL") ? SIDE_ASK : 0;
}

static struct json_str
without(struct json_str s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (begins(s, prefix)) {
		s.s += n;
		s.n -= (uint32_t)n;
	}
	return s;
}

static enum pm_trade_status
trade_status(struct json_str s)
{
	static const char *const names[PM_TRADE_STATUS_N] = {
	    [PM_TRADE_MATCHED] = "MATCHED",
	    [PM_TRADE_MINED] = "MINED",
	    [PM_TRADE_CONFIRMED] = "CONFIRMED",
	    [PM_TRADE_RETRYING] = "RETRYING",
	    [PM_TRADE_FAILED] = "FAILED",
	};

	s = without(s, "TRADE_STATUS_");
	for (int i = PM_TRADE_MATCHED; i < PM_TRADE_STATUS_N; i++)
		if (begins(s, names[i]))
			return (enum pm_trade_status)i;
	return 0;
}

static enum pm_order_status
order_status(struct json_str s)
{
	static const char *const names[PM_ORDER_STATUS_N] = {
	    [PM_ORDER_LIVE] = "LIVE",
	    [PM_ORDER_MATCHED] = "MATCHED",
	    [PM_ORDER_DELAYED] = "DELAYED",
	    [PM_ORDER_UNMATCHED] = "UNMATCHED",
	    [PM_ORDER_CANCELED] = "CANCEL",
	};

	s = without(s, "ORDER_STATUS_");
	for (int i = PM_ORDER_LIVE; i < PM_ORDER_STATUS_N; i++)
		if (begins(s, names[i]))
			return (enum pm_order_status)i;
	return begins(s, "INVALID") ? PM_ORDER_CANCELED : 0;
}

static void
read_leg(struct json *j, const struct pm_user_me *me, struct pm_user_trade *t)
{
	struct pm_user_leg *l = &t->leg[t->leg_n < PM_USER_LEGS ? t->leg_n : 0];
	struct json_str owner = {0};
	struct json_str maker = {0};
	struct json_str key;
	bool has_id = false;

	*l = (struct pm_user_leg){0};
	if (t->leg_n == PM_USER_LEGS || !json_object(j)) {
		json_fail(j, REASON_BAD_TYPE);
		return;
	}
	while (json_key(j, &key)) {
		if (json_is(key, "order_id"))
			has_id = get_hash(j, &l->order);
		else if (json_is(key, "owner"))
			get_text(j, &owner);
		else if (json_is(key, "maker_address"))
			get_text(j, &maker);
		else if (json_is(key, "matched_amount"))
			get_amount(j, QTY_E8_MAX, &l->qty.e8);
		else if (json_is(key, "price"))
			get_amount(j, E8, &l->px.e8);
		else if (json_is(key, "asset_id"))
			get_token(j, &l->asset);
		else if (json_is(key, "side"))
			l->side = get_side(j);
		else
			json_skip(j);
	}
	if (!has_id)
		json_fail(j, REASON_BAD_TYPE);
	l->is_mine =
	    owner.n > 0 ? equals(owner, me->api_key) : equals(maker, me->maker);
	t->leg_n++;
}

static void
read_legs(struct json *j, const struct pm_user_me *me, struct object *b)
{
	b->is_trade = true;
	if (pm_value_absent(j) || !json_array(j))
		return;
	while (json_item(j))
		read_leg(j, me, &b->t);
}

static void
read_id(struct json *j, struct object *b)
{
	struct json_str s;
	struct pm_cond c;

	get_text(j, &s);
	if (pm_cond_parse(s.s, s.n, &c) && c.n == sizeof(b->o.id.b)) {
		memcpy(b->o.id.b, c.b, sizeof(b->o.id.b));
		b->has_id = true;
	}
	if (s.n == 0 || s.n >= sizeof(b->t.id))
		return;
	memcpy(b->t.id, s.s, s.n);
	b->t.key = hash_bytes(HASH_SEED, s.s, s.n);
}

static void
read_kind(struct json *j, struct object *b)
{
	struct json_str s;

	get_text(j, &s);
	if (equals(s, "TRADE"))
		b->is_trade = true;
	else if (equals(s, "PLACEMENT"))
		b->o.kind = PM_USER_PLACEMENT;
	else if (equals(s, "UPDATE"))
		b->o.kind = PM_USER_UPDATE;
	else if (equals(s, "CANCELLATION"))
		b->o.kind = PM_USER_CANCELLATION;
}

/* Names that only trades have, or both. Returns false for none of them. */
static bool
read_trade_key(struct json *j, struct json_str key, const struct pm_user_me *me,
    struct object *b)
{
	struct json_str s;

	if (json_is(key, "maker_orders")) {
		read_legs(j, me, b);
	} else if (json_is(key, "taker_order_id")) {
		if (get_hash(j, &b->t.taker))
			b->is_trade = true;
	} else if (json_is(key, "owner")) {
		get_text(j, &s);
		b->t.is_taker_mine = equals(s, me->api_key);
	} else if (json_is(key, "trader_side")) {
		get_text(j, &s);
		b->t.trader = equals(s, "MAKER")   ? 'M'
			      : equals(s, "TAKER") ? 'T'
						   : 0;
	} else if (json_is(key, "size")) {
		get_amount(j, QTY_E8_MAX, &b->t.qty.e8);
	} else if (json_is(key, "match_time") || json_is(key, "matchtime")) {
		get_time(j, &b->t.match_s);
	} else {
		return false;
	}
	return true;
}

static void
read_key(struct json *j, struct json_str key, struct object *b)
{
	if (json_is(key, "id"))
		read_id(j, b);
	else if (json_is(key, "type"))
		read_kind(j, b);
	else if (json_is(key, "status"))
		get_text(j, &b->status);
	else if (json_is(key, "asset_id"))
		get_token(j, &b->o.asset);
	else if (json_is(key, "side"))
		b->o.side = get_side(j);
	else if (json_is(key, "price"))
		get_amount(j, E8, &b->o.px.e8);
	else if (json_is(key, "original_size"))
		get_amount(j, QTY_E8_MAX, &b->o.qty.e8);
	else if (json_is(key, "size_matched"))
		get_amount(j, QTY_E8_MAX, &b->o.matched.e8);
	else if (json_is(key, "created_at") && b->o.time_s == 0)
		get_time(j, &b->o.time_s);
	else if (json_is(key, "timestamp"))
		get_time(j, &b->o.time_s);
	else
		json_skip(j);
}

static bool
tell(const struct pm_user_sink *sink, struct object *b)
{
	if (b->is_trade) {
		b->t.status = trade_status(b->status);
		b->t.asset = b->o.asset;
		b->t.side = b->o.side;
		b->t.px = b->o.px;
		if (b->t.key == 0 || b->t.status == 0 || b->t.side == 0)
			return false;
		sink->trade(sink->user, &b->t);
		return true;
	}
	b->o.status = order_status(b->status);
	if (!b->has_id)
		return false;
	if (b->o.kind == 0)
		b->o.kind = PM_USER_STATE;
	sink->order(sink->user, &b->o);
	return true;
}

/* One object, whose text is known to be sound JSON. */
static int
one(const char *text, size_t n, const struct pm_user_me *me,
    const struct pm_user_sink *sink)
{
	struct json_str key;
	struct object b;
	struct json j;

	memset(&b, 0, sizeof(b));
	json_sub(&j, text, n);
	if (json_object(&j))
		while (json_key(&j, &key))
			if (!read_trade_key(&j, key, me, &b))
				read_key(&j, key, &b);
	if (j.reason == REASON_NONE && tell(sink, &b))
		return 1;
	sink->bad(
	    sink->user, j.reason != REASON_NONE ? j.reason : REASON_BAD_TYPE);
	return 0;
}

static int
many(struct json *j, const struct pm_user_me *me,
    const struct pm_user_sink *sink)
{
	struct json_str raw;
	int n = 0;

	if (!json_array(j))
		return 0;
	while (json_item(j) && json_raw(j, &raw))
		n += one(raw.s, raw.n, me, sink);
	return n;
}

/* A page, which is told by its "data". Returns -1 when it is none. */
static int
page(struct json *j, const struct pm_user_me *me,
    const struct pm_user_sink *sink, char *cursor)
{
	struct json_str key;
	struct json_str s;
	int n = -1;

	if (!json_object(j))
		return -1;
	while (json_key(j, &key))
		if (json_is(key, "data") && json_peek(j) == JSON_ARRAY) {
			n = many(j, me, sink);
		} else if (json_is(key, "next_cursor") && cursor != NULL) {
			get_text(j, &s);
			if (s.n < PM_CURSOR_MAX && !s.escaped &&
			    !json_is(s, PM_CURSOR_END) && s.n > 0) {
				memcpy(cursor, s.s, s.n);
				cursor[s.n] = '\0';
			}
		} else {
			json_skip(j);
		}
	return n;
}

int
pm_user_decode(const char *text, size_t n, const struct pm_user_me *me,
    const struct pm_user_sink *sink, char cursor[PM_CURSOR_MAX])
{
	struct json_str raw;
	struct json j;
	int told;

	CHECK(me != NULL && me->api_key != NULL && me->maker != NULL);
	CHECK(sink != NULL);
	if (cursor != NULL)
		cursor[0] = '\0';
	json_init(&j, text, n);
	if (!json_raw(&j, &raw) || !json_end(&j))
		return -1;
	json_sub(&j, text, n);
	if (json_peek(&j) == JSON_ARRAY)
		return many(&j, me, sink);
	if (json_peek(&j) != JSON_OBJECT)
		return -1;
	told = page(&j, me, sink, cursor);
	return told >= 0 ? told : one(raw.s, raw.n, me, sink);
}
