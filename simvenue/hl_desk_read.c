/*
 * An /exchange request to values. Whatever is missing or of another kind
 * makes the whole request unreadable, as at the venue.
 */
#include <string.h>

#include "libsign/hex.h"
#include "simvenue/hl_desk.h"

struct reader {
	struct hl_desk *d;
	struct hl_call *c;
	struct json j;
	bool bad;
};

static void
bad(struct reader *r)
{
	r->bad = true;
	json_fail(&r->j, REASON_BAD_TYPE);
}

static uint64_t
read_u64(struct reader *r)
{
	uint64_t v = 0;

	if (!json_u64(&r->j, &v))
		bad(r);
	return v;
}

static bool
read_bool(struct reader *r)
{
	bool v = false;

	if (!json_bool(&r->j, &v))
		bad(r);
	return v;
}

static struct json_str
read_text(struct reader *r)
{
	struct json_str s = {.s = ""};

	if (!json_string(&r->j, &s))
		bad(r);
	return s;
}

/* A decimal; it is hashed in the shortest spelling, whatever came. */
static int64_t
read_decimal(struct reader *r)
{
	struct json_str s = read_text(r);
	int64_t v = 0;

	if (!fixed_parse(s.s, s.n, 8, false, PX_E8_MAX, &v))
		bad(r);
	return v;
}

static void
read_hex(struct reader *r, uint8_t *out, size_t n)
{
	struct json_str s = read_text(r);

	if (!hex_parse(s.s, s.n, out, n))
		bad(r);
}

static void
read_address(struct reader *r, struct address *out)
{
	struct json_str s = read_text(r);

	if (!address_parse(s.s, s.n, out))
		bad(r);
}

/* r and s may have lost leading zeros. */
static void
read_scalar(struct reader *r, uint8_t out[32])
{
	struct json_str s = read_text(r);
	char padded[67] = "0x";
	size_t n = s.n >= 2 ? s.n - 2 : 0;

	if (n == 0 || n > 64 || s.s[0] != '0' || s.s[1] != 'x') {
		bad(r);
		return;
	}
	memset(padded + 2, '0', 64 - n);
	memcpy(padded + 2 + 64 - n, s.s + 2, n);
	if (!hex_parse(padded, 66, out, 32))
		bad(r);
}

/* ---- orders ---- */

static void
read_limit(struct reader *r, struct hl_order *o)
{
	struct json_str key;
	struct json_str s;

	json_object(&r->j);
	while (json_key(&r->j, &key)) {
		if (!json_is(key, "tif")) {
			bad(r);
			return;
		}
		s = read_text(r);
		if (s.n == 3 && memcmp(s.s, "Alo", 3) == 0)
			o->tif = HL_ALO;
		else if (s.n == 3 && memcmp(s.s, "Ioc", 3) == 0)
			o->tif = HL_IOC;
		else if (s.n == 3 && memcmp(s.s, "Gtc", 3) == 0)
			o->tif = HL_GTC;
		else
			bad(r);
	}
}

static void
read_type(struct reader *r, struct hl_order *o)
{
	struct json_str key;

	json_object(&r->j);
	while (json_key(&r->j, &key))
		if (json_is(key, "limit"))
			read_limit(r, o);
		else
			bad(r); /* trigger orders are not simulated */
}

static void
read_order(struct reader *r, struct hl_order *o)
{
	struct json_str key;

	memset(o, 0, sizeof(*o));
	json_object(&r->j);
	while (json_key(&r->j, &key))
		if (json_is(key, "a"))
			o->asset = (uint32_t)read_u64(r);
		else if (json_is(key, "b"))
			o->side = read_bool(r) ? SIDE_BID : SIDE_ASK;
		else if (json_is(key, "p"))
			o->px = PX(read_decimal(r));
		else if (json_is(key, "s"))
			o->qty = QTY(read_decimal(r));
		else if (json_is(key, "r"))
			o->reduce_only = read_bool(r);
		else if (json_is(key, "t"))
			read_type(r, o);
		else if (json_is(key, "c")) {
			o->has_cloid = true;
			read_hex(r, o->cloid, HL_CLOID_SZ);
		} else
			bad(r);
	if (o->tif == 0 || o->side == 0)
		bad(r);
}

static bool
room(struct reader *r)
{
	if (r->c->action.n < HL_BATCH_MAX)
		return true;
	bad(r);
	return false;
}

static void
read_orders(struct reader *r)
{
	json_array(&r->j);
	while (json_item(&r->j) && room(r))
		read_order(r, &r->d->orders[r->c->action.n++]);
	r->c->action.orders = r->d->orders;
}

static void
read_cancels(struct reader *r)
{
	struct json_str key;

	json_array(&r->j);
	while (json_item(&r->j) && room(r)) {
		struct hl_cancel *c = &r->d->cancels[r->c->action.n++];

		memset(c, 0, sizeof(*c));
		json_object(&r->j);
		while (json_key(&r->j, &key))
			if (json_is(key, "a") || json_is(key, "asset"))
				c->asset = (uint32_t)read_u64(r);
			else if (json_is(key, "o"))
				c->oid = read_u64(r);
			else if (json_is(key, "cloid"))
				read_hex(r, c->cloid, HL_CLOID_SZ);
			else
				bad(r);
	}
	r->c->action.cancels = r->d->cancels;
}

static void
read_old(struct reader *r, struct hl_modify *m)
{
	m->by_cloid = json_peek(&r->j) == JSON_STRING;
	if (m->by_cloid)
		read_hex(r, m->cloid, HL_CLOID_SZ);
	else
		m->oid = read_u64(r);
}

static void
read_changes(struct reader *r)
{
	struct json_str key;

	json_array(&r->j);
	while (json_item(&r->j) && room(r)) {
		struct hl_modify *m = &r->d->changes[r->c->action.n++];

		memset(m, 0, sizeof(*m));
		json_object(&r->j);
		while (json_key(&r->j, &key))
			if (json_is(key, "oid"))
				read_old(r, m);
			else if (json_is(key, "order"))
				read_order(r, &m->order);
			else
				bad(r);
	}
	r->c->action.changes = r->d->changes;
}

/* ---- actions ---- */

static void
read_kind(struct reader *r)
{
	static const struct {
		const char *name;
		enum hl_action_kind kind;
	} kinds[] = {{"order", HL_ORDER}, {"cancel", HL_CANCEL},
	    {"cancelByCloid", HL_CANCEL_CLOID}, {"modify", HL_MODIFY},
	    {"batchModify", HL_BATCH_MODIFY},
	    {"scheduleCancel", HL_SCHEDULE_CANCEL},
	    {"updateLeverage", HL_UPDATE_LEVERAGE}, {"noop", HL_NOOP},
	    {"reserveRequestWeight", HL_RESERVE_WEIGHT}};
	struct json_str s = read_text(r);

	if (json_is(s, "approveAgent")) {
		r->c->is_agent_approval = true;
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (s.n == strlen(kinds[i].name) &&
		    memcmp(s.s, kinds[i].name, s.n) == 0)
			r->c->action.kind = kinds[i].kind;
}

static void
read_hex_number(struct reader *r, uint64_t *out)
{
	struct json_str s = read_text(r);
	uint64_t v = 0;

	for (uint32_t i = 2; i < s.n && i < 18; i++) {
		char ch = s.s[i];

		v = v * 16 + (uint64_t)(ch >= 'a'   ? ch - 'a' + 10
					: ch >= 'A' ? ch - 'A' + 10
						    : ch - '0');
	}
	*out = v;
}

/* Members that only some actions have. False: not one of them. */
static bool
read_setting(struct reader *r, struct json_str key)
{
	struct hl_action *a = &r->c->action;

	if (json_is(key, "time"))
		a->time_ms = read_u64(r);
	else if (json_is(key, "asset"))
		a->asset = (uint32_t)read_u64(r);
	else if (json_is(key, "isCross"))
		a->cross = read_bool(r);
	else if (json_is(key, "leverage"))
		a->leverage = (uint32_t)read_u64(r);
	else if (json_is(key, "weight"))
		a->weight = (uint32_t)read_u64(r);
	else if (json_is(key, "agentAddress"))
		read_address(r, &r->c->agent);
	else if (json_is(key, "agentName")) {
		r->c->has_name = json_peek(&r->j) == JSON_STRING;
		if (r->c->has_name)
			r->c->agent_name = read_text(r);
		else
			json_skip(&r->j);
	} else if (json_is(key, "signatureChainId"))
		read_hex_number(r, &r->c->chain_id);
	else
		return false;
	return true;
}

static void
read_grouping(struct reader *r)
{
	struct json_str key;

	if (json_peek(&r->j) == JSON_STRING) {
		struct json_str s = read_text(r);

		if (!json_is(s, "na"))
			bad(r);
		return;
	}
	json_object(&r->j);
	while (json_key(&r->j, &key))
		if (json_is(key, "p"))
			r->c->action.priority = (uint32_t)read_u64(r);
		else
			bad(r);
}

static void
read_action(struct reader *r)
{
	struct hl_action *a = &r->c->action;
	struct json_str key;

	json_object(&r->j);
	while (json_key(&r->j, &key)) {
		if (json_is(key, "type"))
			read_kind(r);
		else if (json_is(key, "orders"))
			read_orders(r);
		else if (json_is(key, "cancels"))
			read_cancels(r);
		else if (json_is(key, "modifies"))
			read_changes(r);
		else if (json_is(key, "grouping"))
			read_grouping(r);
		else if (json_is(key, "f"))
			a->fast = read_bool(r);
		else if (json_is(key, "a"))
			a->always = read_bool(r);
		else if (json_is(key, "oid"))
			read_old(r, &r->d->changes[0]);
		else if (json_is(key, "order")) {
			read_order(r, &r->d->changes[0].order);
			a->changes = r->d->changes;
			a->n = 1;
		} else if (!read_setting(r, key))
			json_skip(&r->j);
	}
}

static void
read_signature(struct reader *r)
{
	struct json_str key;

	json_object(&r->j);
	while (json_key(&r->j, &key))
		if (json_is(key, "r"))
			read_scalar(r, r->c->sig.r);
		else if (json_is(key, "s"))
			read_scalar(r, r->c->sig.s);
		else if (json_is(key, "v"))
			r->c->sig.v = (uint8_t)read_u64(r);
		else
			json_skip(&r->j);
	r->c->has_sig = true;
}

bool
hl_read_request(
    struct hl_desk *d, const char *text, size_t n, struct hl_call *c)
{
	struct reader r = {.d = d, .c = c};
	struct json_str key;

	memset(c, 0, sizeof(*c));
	memset(&d->changes[0], 0, sizeof(d->changes[0]));
	json_init(&r.j, text, n);
	json_object(&r.j);
	while (json_key(&r.j, &key)) {
		if (json_is(key, "action"))
			read_action(&r);
		else if (json_is(key, "nonce"))
			c->meta.nonce = read_u64(&r);
		else if (json_is(key, "signature"))
			read_signature(&r);
		else if (json_is(key, "vaultAddress") &&
			 json_peek(&r.j) == JSON_STRING) {
			c->meta.has_vault = true;
			read_address(&r, &c->meta.vault);
		} else if (json_is(key, "expiresAfter") &&
			   json_peek(&r.j) == JSON_NUMBER)
			c->meta.expires_ms = read_u64(&r);
		else
			json_skip(&r.j);
	}
	return json_end(&r.j) && !r.bad && c->has_sig && c->meta.nonce != 0 &&
	       (c->is_agent_approval ||
		   (c->action.kind != 0 && hl_action_ok(&c->action)));
}
