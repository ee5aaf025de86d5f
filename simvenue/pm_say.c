/*
 * Orders and trades as the venue writes them.
 */
#include <string.h>

#include "libcore/hash.h"
#include "libsign/hex.h"
#include "simvenue/pm_desk.h"
#include "simvenue/put.h"
#include "simvenue/venue.h"

#define NS_PER_MS_U UINT64_C(1000000)
#define NS_PER_S_U  UINT64_C(1000000000)

static void
put_id(struct text *t, const char *name, const uint8_t id[HASH_SZ])
{
	char buf[PM_ID_TEXT_MAX];

	pm_id_text(id, buf);
	put_str(t, name, buf);
}

static void
put_address(struct text *t, const char *name, const struct address *a)
{
	char buf[ADDRESS_TEXT_MAX];

	address_format(a, buf);
	put_str(t, name, buf);
}

static void
put_market(struct text *t, const struct pm_desk *d, uint16_t market)
{
	char buf[PM_COND_TEXT_MAX];

	pm_cond_format(&d->x->market[market].terms.cond, buf);
	put_str(t, "market", buf);
}

static void
put_asset(
    struct text *t, const struct pm_desk *d, uint16_t market, unsigned role)
{
	const struct pmx_terms *m = &d->x->market[market].terms;
	char buf[PM_TOKEN_TEXT_MAX];

	pm_token_format(&m->token[role - ROLE_YES], buf);
	put_str(t, "asset_id", buf);
}

static const char *
outcome(const struct pm_desk *d, uint16_t market, unsigned role)
{
	bool is_updown = d->x->market[market].terms.is_updown;

	if (role == ROLE_YES)
		return is_updown ? "Up" : "Yes";
	return is_updown ? "Down" : "No";
}

static const char *
side_text(unsigned side)
{
	return side == SIDE_BID ? "BUY" : "SELL";
}

void
say_uuid(uint64_t hi, uint64_t lo, char out[DESK_UUID_LEN + 1])
{
	static const uint8_t dashes[] = {8, 13, 18, 23};
	char hex[33];
	uint8_t b[16];
	size_t k = 0;

	for (int i = 0; i < 8; i++) {
		b[i] = (uint8_t)(hi >> (56 - 8 * i));
		b[8 + i] = (uint8_t)(lo >> (56 - 8 * i));
	}
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* version 4 */
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	hex_put(hex, b, sizeof(b));
	for (size_t i = 0, next = 0; i < DESK_UUID_LEN; i++)
		if (next < sizeof(dashes) && i == dashes[next]) {
			out[i] = '-';
			next++;
		} else {
			out[i] = hex[k++];
		}
	out[DESK_UUID_LEN] = '\0';
}

void
say_trade_id(uint64_t id, char out[DESK_UUID_LEN + 1])
{
	say_uuid(hash_u64(HASH_SEED, id), id, out);
}

static const char *
state_text(enum pmx_state s)
{
	static const char *const texts[PMX_STATE_N] = {
	    [PMX_DELAYED] = "DELAYED",
	    [PMX_LIVE] = "LIVE",
	    [PMX_MATCHED] = "MATCHED",
	    [PMX_CANCELED] = "CANCELED",
	    [PMX_EXPIRED] = "CANCELED",
	    [PMX_KILLED] = "CANCELED_order couldn't be fully filled. FOK "
			   "orders are fully filled or killed.",
	    [PMX_INVALID] = "INVALID",
	    [PMX_RESOLVED] = "CANCELED_MARKET_RESOLVED",
	};

	return texts[s];
}

static const char *
type_text(unsigned type)
{
	static const char *const texts[PMX_TYPE_N] = {
	    [PMX_GTC] = "GTC",
	    [PMX_GTD] = "GTD",
	    [PMX_FOK] = "FOK",
	    [PMX_FAK] = "FAK",
	};

	return texts[type];
}

static void
put_trades(struct text *t, const struct pm_desk *d, const struct pmx_order *o)
{
	uint32_t n = o->trade_n < PMX_OWN ? o->trade_n : PMX_OWN;

	put_key(t, "associate_trades");
	if (n == 0) {
		text_lit(t, "null");
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		char id[DESK_UUID_LEN + 1];
		uint32_t at = o->trade[(o->trade_n - n + i) % PMX_OWN];

		say_trade_id(d->x->trade[at].id, id);
		text_lit(t, i == 0 ? "[\"" : ",\"");
		text_lit(t, id);
		text_lit(t, "\"");
	}
	text_lit(t, "]");
}

/* The fields that events and answers share. */
static void
put_order(struct text *t, const struct pm_desk *d, const struct pmx_order *o)
{
	const struct desk_owner *w = &d->owner[o->account];

	put_str(t, "owner", w->api_key);
	put_address(t, "maker_address", &w->maker);
	put_market(t, d, o->market);
	put_asset(t, d, o->market, o->role);
	put_str(t, "side", side_text(o->side));
	put_dec(t, "original_size", o->qty.e8, 0);
	put_dec(t, "size_matched", o->matched.e8, 0);
	put_dec(t, "price", o->px.tok_e8, 0);
	put_trades(t, d, o);
	put_str(t, "outcome", outcome(d, o->market, o->role));
	put_str(t, "order_type", type_text(o->type));
	put_int_text(t, "expiration", o->expiration_s);
}

void
say_order_event(const struct pm_desk *d, uint32_t order,
    enum pmx_order_event what, struct text *t)
{
	static const char *const types[PMX_ORDER_EVENT_N] = {
	    [PMX_PLACEMENT] = "PLACEMENT",
	    [PMX_UPDATE] = "UPDATE",
	    [PMX_CANCELLATION] = "CANCELLATION",
	};
	const struct pmx_order *o = &d->x->order[order];

	text_lit(t, "{\"event_type\":\"order\"");
	put_str(t, "type", types[what]);
	put_id(t, "id", o->id.b);
	put_str(t, "order_owner", d->owner[o->account].api_key);
	put_order(t, d, o);
	put_str(t, "status", state_text(o->state));
	put_int_text(t, "created_at", o->created_ns / NS_PER_S_U);
	put_int_text(t, "timestamp", d->x->now_ns / NS_PER_MS_U);
	text_lit(t, "}");
}

void
say_order(const struct pm_desk *d, uint32_t order, struct text *t)
{
	static const char prefix[] = "ORDER_STATUS_";
	const struct pmx_order *o = &d->x->order[order];
	char status[sizeof(prefix) + 128];
	struct text s;

	text_init(&s, status, sizeof(status));
	text_lit(&s, prefix);
	text_lit(
	    &s, o->state == PMX_KILLED ? "CANCELED" : state_text(o->state));
	text_end(&s);
	text_lit(t, "{\"status\":\"");
	text_lit(t, status);
	text_lit(t, "\"");
	put_id(t, "id", o->id.b);
	put_order(t, d, o);
	put_int(t, "created_at", (int64_t)(o->created_ns / NS_PER_S_U));
	text_lit(t, "}");
}

/* ---- trades ---- */

static uint32_t
login_of(const struct pm_desk *d, uint32_t order)
{
	return desk_login_of(d, d->x->order[order].account);
}

static bool
makes(const struct pm_desk *d, const struct pmx_trade *t, uint32_t login)
{
	for (uint32_t i = 0; i < t->leg_n; i++)
		if (login_of(d, t->leg[i].order) == login)
			return true;
	return false;
}

uint32_t
say_trade_logins(
    const struct pm_desk *d, uint32_t trade, uint32_t out[SAY_TRADE_LOGINS])
{
	const struct pmx_trade *t = &d->x->trade[trade];
	uint32_t n = 0;

	for (uint32_t i = 0; i <= t->leg_n; i++) {
		uint32_t order = i < t->leg_n ? t->leg[i].order : t->taker;
		uint32_t login = login_of(d, order);
		bool is_new = login != DESK_LOGINS;

		for (uint32_t k = 0; k < n && is_new; k++)
			is_new = out[k] != login;
		if (is_new)
			out[n++] = login;
	}
	return n;
}

bool
say_trade_concerns(const struct pm_desk *d, uint32_t trade, uint32_t login)
{
	const struct pmx_trade *t = &d->x->trade[trade];

	return login_of(d, t->taker) == login || makes(d, t, login);
}

static void
put_leg(struct text *t, const struct pm_desk *d, const struct pmx_leg *l)
{
	const struct pmx_order *o = &d->x->order[l->order];
	const struct desk_owner *w = &d->owner[o->account];
	char id[PM_ID_TEXT_MAX];

	pm_id_text(o->id.b, id);
	text_lit(t, "{\"order_id\":\"");
	text_lit(t, id);
	text_lit(t, "\"");
	put_str(t, "owner", w->api_key);
	put_address(t, "maker_address", &w->maker);
	put_dec(t, "matched_amount", l->qty.e8, 0);
	put_dec(t, "price", l->px.tok_e8, 0);
	put_str(t, "fee_rate_bps", "");
	put_asset(t, d, o->market, o->role);
	put_str(t, "outcome", outcome(d, o->market, o->role));
	put_int(t, "outcome_index", o->role - ROLE_YES);
	put_str(t, "side", side_text(o->side));
	text_lit(t, "}");
}

static void
put_legs(struct text *t, const struct pm_desk *d, const struct pmx_trade *tr)
{
	put_key(t, "maker_orders");
	for (uint32_t i = 0; i < tr->leg_n; i++) {
		text_lit(t, i == 0 ? "[" : ",");
		put_leg(t, d, &tr->leg[i]);
	}
	text_lit(t, "]");
}

/* The taker's shares, and its worst price. */
static void
put_taker(struct text *t, const struct pm_desk *d, const struct pmx_trade *tr)
{
	const struct pmx_order *o = &d->x->order[tr->taker];
	const struct pmx_leg *last = &tr->leg[tr->leg_n - 1];
	bool same = d->x->order[last->order].role == o->role;
	int64_t qty = 0;

	for (uint32_t i = 0; i < tr->leg_n; i++)
		qty += tr->leg[i].qty.e8;
	put_id(t, "taker_order_id", o->id.b);
	put_market(t, d, tr->market);
	put_asset(t, d, tr->market, o->role);
	put_str(t, "side", side_text(o->side));
	put_dec(t, "size", qty, 0);
	put_dec(t, "price", same ? last->px.tok_e8 : E8 - last->px.tok_e8, 0);
	put_str(t, "outcome", outcome(d, tr->market, o->role));
	put_str(t, "owner", d->owner[o->account].api_key);
	put_address(t, "maker_address", &d->owner[o->account].maker);
}

static const char *
status_text(enum pmx_status s)
{
	static const char *const texts[PMX_STATUS_N] = {
	    [PMX_TRADE_MATCHED] = "MATCHED",
	    [PMX_TRADE_MINED] = "MINED",
	    [PMX_TRADE_CONFIRMED] = "CONFIRMED",
	    [PMX_TRADE_RETRYING] = "RETRYING",
	    [PMX_TRADE_FAILED] = "FAILED",
	};

	return texts[s];
}

/* A made-up hash, the same for all messages of a trade. */
static void
put_transaction(struct text *t, const struct pmx_trade *tr)
{
	uint8_t hash[HASH_SZ];

	if (tr->status != PMX_TRADE_MINED &&
	    tr->status != PMX_TRADE_CONFIRMED) {
		put_str(t, "transaction_hash", "");
		return;
	}
	for (size_t i = 0; i < sizeof(hash); i += 8) {
		uint64_t v = hash_u64(tr->id, i);

		memcpy(hash + i, &v, sizeof(v));
	}
	put_id(t, "transaction_hash", hash);
}

void
say_trade(const struct pm_desk *d, uint32_t trade, uint32_t login,
    bool is_event, struct text *t)
{
	const struct pmx_trade *tr = &d->x->trade[trade];
	char id[DESK_UUID_LEN + 1];

	say_trade_id(tr->id, id);
	text_lit(t, "{\"id\":\"");
	text_lit(t, id);
	text_lit(t, "\"");
	if (is_event) {
		put_str(t, "event_type", "trade");
		put_str(t, "type", "TRADE");
	}
	put_taker(t, d, tr);
	if (login < DESK_LOGINS)
		put_str(t, "trade_owner", d->login[login].api_key);
	put_str(t, "fee_rate_bps", "");
	text_lit(
	    t, is_event ? ",\"status\":\"" : ",\"status\":\"TRADE_STATUS_");
	text_lit(t, status_text(tr->status));
	text_lit(t, !is_event && d->is_unsent && tr->status == PMX_TRADE_MATCHED
			? "_NOT_BROADCASTED\""
			: "\"");
	put_int_text(t, "match_time", tr->match_ns / NS_PER_S_U);
	put_int_text(t, "last_update", tr->update_ns / NS_PER_S_U);
	put_transaction(t, tr);
	put_int(t, "bucket_index", tr->bucket);
	put_str(t, "trader_side",
	    login_of(d, tr->taker) == login ? "TAKER" : "MAKER");
	put_legs(t, d, tr);
	if (is_event)
		put_int_text(t, "timestamp", tr->update_ns / NS_PER_MS_U);
	text_lit(t, "}");
}
