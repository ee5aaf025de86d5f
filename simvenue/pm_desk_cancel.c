/*
 * Cancels, and the token buckets of a signer.
 */
#include <string.h>

#include "libcore/check.h"
#include "libcore/json.h"
#include "libsign/hex.h"
#include "simvenue/pm_desk_int.h"
#include "simvenue/venue.h"

/* ---- token buckets ---- */

static void
put_headers(struct desk_call *c, const struct desk_bucket *b, uint32_t rate)
{
	struct text *t = c->a->headers;
	int64_t missing = i64_max(0, E6 - b->e6);

	text_lit(t, "Poly-RateLimit-Tier: standard\r\n"
		    "Poly-RateLimit-Remaining: ");
	put_i64(t, b->e6 / E6);
	text_lit(t, "\r\nPoly-RateLimit-Reset: ");
	put_i64(t, (int64_t)(c->r->now_ns / (uint64_t)NS_PER_S) +
		       missing / E6 / rate + 1);
	text_lit(t, "\r\n");
}

bool
desk_spend(struct desk_call *c, bool is_cancel, uint32_t n)
{
	uint32_t rate = is_cancel ? DESK_CANCEL_RATE : DESK_ORDER_RATE;
	int64_t burst = (is_cancel ? DESK_CANCEL_BURST : DESK_ORDER_BURST) * E6;
	struct desk_bucket *b =
	    is_cancel ? &c->login->cancels : &c->login->orders;
	uint64_t passed_ns = c->r->now_ns - b->at_ns;

	if (!c->d->has_limits)
		return true;
	if (b->at_ns == 0 || passed_ns > 60 * (uint64_t)NS_PER_S)
		b->e6 = burst;
	else
		b->e6 =
		    i64_min(burst, b->e6 + (int64_t)(passed_ns / 1000 * rate));
	b->at_ns = c->r->now_ns;
	if (b->e6 < (int64_t)n * E6) {
		put_headers(c, b, rate);
		text_lit(c->a->headers, "Retry-After: 1\r\n");
		desk_error(c->a, 429, "Too Many Requests");
		return false;
	}
	b->e6 -= (int64_t)n * E6;
	put_headers(c, b, rate);
	return true;
}

/* What a cancel of many really took, known only afterwards. */
static void
spend_after(struct desk_call *c, uint32_t n)
{
	if (c->d->has_limits)
		c->login->cancels.e6 -= (int64_t)n * E6;
}

/* ---- cancels ---- */

/* The two halves of an answer are written side by side. */
struct cancelled {
	struct desk_call *c;
	uint32_t done_n;
	uint32_t refused_n;
	struct text refused;
};

static void
put_quoted(struct text *t, const struct pmx_id *id, bool first)
{
	char buf[PM_ID_TEXT_MAX];

	pm_id_text(id->b, buf);
	text_lit(t, first ? "\"" : ",\"");
	text_lit(t, buf);
	text_lit(t, "\"");
}

static void
begin(struct cancelled *k, struct desk_call *c)
{
	k->c = c;
	k->done_n = 0;
	k->refused_n = 0;
	text_init(&k->refused, c->d->scratch, sizeof(c->d->scratch));
	desk_say(c->a, 200, "{\"canceled\":[");
}

static void
end(struct cancelled *k)
{
	text_lit(k->c->a->body, "],\"not_canceled\":{");
	text_put(k->c->a->body, k->refused.buf, k->refused.n);
	text_lit(k->c->a->body, "}}");
}

static const char *
refusal(enum pmx_cancel e)
{
	static const char *const texts[PMX_CANCEL_N] = {
	    [PMX_CANCEL_DONE] = "already canceled or matched",
	    [PMX_CANCEL_UNKNOWN] = "order not found",
	    [PMX_CANCEL_DELAYED] = "order is delayed and can't be canceled",
	};

	return texts[e];
}

static bool
is_of(const struct pm_desk *d, const struct desk_login *l, uint32_t order)
{
	return desk_login_of(d, d->x->order[order].account) == desk_index(d, l);
}

/* The cancel of an order of theirs, as it goes today. */
static enum pmx_cancel
take_out(struct desk_call *c, uint32_t order)
{
	struct pm_desk *d = c->d;
	struct pmx *x = d->x;
	bool is_live = x->order[order].state == PMX_LIVE;
	int64_t v;

	if (is_live && d->late_n < DESK_LATE_MAX &&
	    desk_trips(c, FAULT_CANCEL_LATE, &v) && v > 0) {
		d->late[d->late_n++] = (struct desk_late){x->order[order].id,
		    c->r->now_ns + (uint64_t)v * (uint64_t)NS_PER_MS};
		return PMX_CANCEL_OK;
	}
	if (is_live && desk_trips(c, FAULT_NOT_CANCELED, &v))
		return PMX_CANCEL_UNKNOWN;
	if (is_live && d->hit != NULL &&
	    desk_trips(c, FAULT_FILL_IN_CANCEL, &v))
		d->hit(d->hit_user, order, v != 0);
	return pmx_cancel(x, x->order[order].account, order, c->r->now_ns);
}

static void
cancel_one(struct cancelled *k, const struct pmx_id *id)
{
	struct pm_desk *d = k->c->d;
	uint32_t i = pmx_find(d->x, id);
	enum pmx_cancel e = PMX_CANCEL_UNKNOWN;

	if (i != PMX_NONE && is_of(d, k->c->login, i))
		e = take_out(k->c, i);
	if (e == PMX_CANCEL_OK) {
		put_quoted(k->c->a->body, id, k->done_n++ == 0);
		return;
	}
	put_quoted(&k->refused, id, k->refused_n++ == 0);
	text_lit(&k->refused, ":\"");
	text_lit(&k->refused, refusal(e));
	text_lit(&k->refused, "\"");
}

static bool
read_id(struct json *j, struct pmx_id *id)
{
	struct json_str s;

	return json_string(j, &s) && hex_parse(s.s, s.n, id->b, sizeof(id->b));
}

void
desk_delete_order(struct desk_call *c)
{
	struct cancelled k;
	struct pmx_id id;
	struct json_str key;
	bool has_id = false;
	struct json j;

	json_init(&j, c->r->body, c->r->body_n);
	json_object(&j);
	while (json_key(&j, &key))
		if (json_is(key, "orderID"))
			has_id = read_id(&j, &id);
		else
			json_skip(&j);
	if (!json_end(&j) || !has_id) {
		desk_error(c->a, 400, "Invalid order payload");
		return;
	}
	if (!desk_spend(c, true, 1))
		return;
	begin(&k, c);
	cancel_one(&k, &id);
	end(&k);
}

void
desk_delete_orders(struct desk_call *c)
{
	struct cancelled k;
	struct pmx_id id;
	uint32_t n = 0;
	struct json j;

	json_init(&j, c->r->body, c->r->body_n);
	if (json_array(&j))
		while (json_item(&j) && read_id(&j, &id))
			n++;
	if (!json_end(&j) || n > DESK_IDS_MAX) {
		desk_error(c->a, 400, "Invalid order payload");
		return;
	}
	if (!desk_spend(c, true, n))
		return;
	begin(&k, c);
	json_init(&j, c->r->body, c->r->body_n);
	json_array(&j);
	while (json_item(&j) && read_id(&j, &id))
		cancel_one(&k, &id);
	end(&k);
}

/* Everything of the login that lies in a market and token; PMX_NONE and 0:
 * any. */
static void
cancel_all(struct desk_call *c, uint32_t market, unsigned role)
{
	struct pmx *x = c->d->x;
	struct cancelled k;

	if (!desk_spend(c, true, 1))
		return;
	begin(&k, c);
	for (uint32_t i = 0; i < PMX_ORDERS; i++) {
		struct pmx_order *o = &x->order[i];

		if (!pmx_is_open(o) || !is_of(c->d, c->login, i) ||
		    (market != PMX_NONE && o->market != market) ||
		    (role != 0 && o->role != role))
			continue;
		cancel_one(&k, &o->id);
	}
	end(&k);
	spend_after(c, k.done_n);
}

void
desk_delete_all(struct desk_call *c)
{
	cancel_all(c, PMX_NONE, 0);
}

static uint32_t
find_market(const struct pmx *x, const struct pm_cond *cond)
{
	for (uint32_t i = 0; i < PMX_MARKETS; i++)
		if (x->market[i].phase != 0 &&
		    memcmp(&x->market[i].terms.cond, cond, sizeof(*cond)) == 0)
			return i;
	return PMX_NONE;
}

void
desk_delete_market(struct desk_call *c)
{
	uint32_t market = PMX_NONE;
	enum token_role role = 0;
	bool asked = false;
	struct json_str key;
	struct json_str s;
	struct json j;

	json_init(&j, c->r->body, c->r->body_n);
	json_object(&j);
	while (json_key(&j, &key)) {
		struct pm_cond cond;
		struct pm_token token;

		if (json_is(key, "market") && json_string(&j, &s)) {
			asked = s.n > 0;
			if (pm_cond_parse(s.s, s.n, &cond))
				market = find_market(c->d->x, &cond);
		} else if (json_is(key, "asset_id") && json_string(&j, &s)) {
			asked = asked || s.n > 0;
			if (pm_token_parse(s.s, s.n, &token))
				market =
				    pmx_market_find(c->d->x, &token, &role);
		} else {
			json_skip(&j);
		}
	}
	if (!json_end(&j) || !asked) {
		desk_error(c->a, 400, "Invalid order payload");
		return;
	}
	if (market == PMX_NONE) /* of an unknown market nothing rests */
		desk_say(c->a, 200, "{\"canceled\":[],\"not_canceled\":{}}");
	else
		cancel_all(c, market, role);
}
