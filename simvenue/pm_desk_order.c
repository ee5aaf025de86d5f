/*
 * Orders arrive: JSON to a signed order, whose it is, and the venue's word.
 */
#include <string.h>

#include "libcore/check.h"
#include "libcore/json.h"
#include "libsign/hex.h"
#include "libsign/pm_v1.h"
#include "simvenue/pm_desk_int.h"
#include "simvenue/venue.h"

#define NOT_RUN "could not run the execution"

/* An order as it came. */
struct post {
	struct pm_account who;
	struct pm_order order;
	struct pm_token token;
	struct pm_asset asset;
	struct json_str owner;
	struct address taker; /* these three: of V1 */
	uint64_t nonce;
	uint64_t fee_bps;
	uint8_t sig[PM_SIG_SZ_MAX];
	size_t sig_n;
	bool is_old; /* has fields that only V1 orders have */
	bool is_bad; /* a field is not what it must be */
	bool has_token;
};

/* What became of it. */
struct verdict {
	enum pmx_error error; /* PMX_OK: accepted */
	const char *text;     /* instead of the error's own, NULL */
	bool is_blank;	      /* told as a success without an id */
	uint32_t order;
	struct pm_signed signed_as;
	uint16_t market;
	struct post post;
};

/* A whole number, as text or not. */
static uint64_t
read_number(struct json *j, struct post *p)
{
	struct json_str s;
	uint64_t v = 0;

	if (json_peek(j) == JSON_STRING) {
		if (!json_string(j, &s) || !json_text_u64(s, &v))
			p->is_bad = true;
	} else if (!json_u64(j, &v)) {
		p->is_bad = true;
	}
	return v;
}

static void
read_hex(struct json *j, struct post *p, uint8_t *out, size_t want)
{
	struct json_str s;

	if (!json_string(j, &s) || !hex_parse(s.s, s.n, out, want))
		p->is_bad = true;
}

static void
read_address(struct json *j, struct post *p, struct address *out)
{
	struct json_str s;

	if (!json_string(j, &s) || !address_parse(s.s, s.n, out))
		p->is_bad = true;
}

static void
read_signature(struct json *j, struct post *p)
{
	struct json_str s;

	if (!json_string(j, &s) || s.n < 2) {
		p->is_bad = true;
		return;
	}
	p->sig_n = (s.n - 2) / 2;
	if (p->sig_n > sizeof(p->sig) || !hex_parse(s.s, s.n, p->sig, p->sig_n))
		p->is_bad = true;
}

static void
read_side(struct json *j, struct post *p)
{
	struct json_str s;

	if (!json_string(j, &s))
		p->is_bad = true;
	else if (json_is(s, "BUY"))
		p->order.side = SIDE_BID;
	else if (json_is(s, "SELL"))
		p->order.side = SIDE_ASK;
	else
		p->is_bad = true;
}

static void
read_token(struct json *j, struct post *p)
{
	struct json_str s;

	p->has_token =
	    json_string(j, &s) && pm_token_parse(s.s, s.n, &p->token);
}

static void
read_order(struct json *j, struct post *p)
{
	struct json_str key;

	if (!json_object(j))
		return;
	while (json_key(j, &key)) {
		if (json_is(key, "salt"))
			p->order.salt = read_number(j, p);
		else if (json_is(key, "maker"))
			read_address(j, p, &p->who.maker);
		else if (json_is(key, "signer"))
			read_address(j, p, &p->who.signer);
		else if (json_is(key, "tokenId"))
			read_token(j, p);
		else if (json_is(key, "makerAmount"))
			p->order.amounts.maker = read_number(j, p);
		else if (json_is(key, "takerAmount"))
			p->order.amounts.taker = read_number(j, p);
		else if (json_is(key, "side"))
			read_side(j, p);
		else if (json_is(key, "signatureType"))
			p->who.sig_type = (uint8_t)read_number(j, p);
		else if (json_is(key, "timestamp"))
			p->order.timestamp_ms = read_number(j, p);
		else if (json_is(key, "expiration"))
			p->order.expiration_s = read_number(j, p);
		else if (json_is(key, "metadata"))
			read_hex(j, p, p->who.metadata, HASH_SZ);
		else if (json_is(key, "builder"))
			read_hex(j, p, p->who.builder, HASH_SZ);
		else if (json_is(key, "signature"))
			read_signature(j, p);
		else if (json_is(key, "nonce")) {
			p->nonce = read_number(j, p);
			p->is_old = true;
		} else if (json_is(key, "feeRateBps")) {
			p->fee_bps = read_number(j, p);
			p->is_old = true;
		} else if (json_is(key, "taker")) {
			read_address(j, p, &p->taker);
		} else {
			json_skip(j);
		}
	}
}

static void
read_type(struct json *j, struct post *p)
{
	static const char *const names[PM_TIF_N] = {
	    [PM_GTC] = "GTC",
	    [PM_GTD] = "GTD",
	    [PM_FOK] = "FOK",
	    [PM_FAK] = "FAK",
	};
	struct json_str s;

	if (!json_string(j, &s))
		return;
	for (enum pm_tif t = PM_GTC; t < PM_TIF_N; t++)
		if (s.n == 3 && memcmp(s.s, names[t], 3) == 0)
			p->order.tif = t;
}

static void
read_post(struct json *j, struct post *p)
{
	struct json_str key;

	memset(p, 0, sizeof(*p));
	if (!json_object(j))
		return;
	while (json_key(j, &key))
		if (json_is(key, "order"))
			read_order(j, p);
		else if (json_is(key, "owner"))
			json_string(j, &p->owner);
		else if (json_is(key, "orderType"))
			read_type(j, p);
		else if (json_is(key, "postOnly") && json_peek(j) == JSON_BOOL)
			json_bool(j, &p->order.post_only);
		else
			json_skip(j);
}

/* ---- whose it is ---- */

static bool
is_owner(const struct desk_login *l, const struct post *p)
{
	return p->owner.n == DESK_UUID_LEN &&
	       memcmp(p->owner.s, l->api_key, DESK_UUID_LEN) == 0;
}

/* The same of the first exchange, which has another struct. */
static bool
is_signed_v1(struct pm_desk *d, const struct desk_login *l, struct verdict *v)
{
	const struct post *p = &v->post;
	struct pm_v1_order o = {.salt = p->order.salt,
	    .maker = p->who.maker,
	    .signer = p->who.signer,
	    .taker = p->taker,
	    .asset = &p->asset,
	    .amounts = p->order.amounts,
	    .expiration_s = p->order.expiration_s,
	    .nonce = p->nonce,
	    .fee_bps = p->fee_bps,
	    .side = p->order.side,
	    .sig_type = p->who.sig_type};
	struct pm_exchange x;
	struct address who;

	if (p->sig_n != SIG_SZ || p->who.sig_type == PM_SIG_DEPOSIT_WALLET ||
	    !pm_exchange_init(&x, PM_EXCHANGE_V1,
		d->x->market[v->market].terms.neg_risk, d->chain_id))
		return false;
	pm_asset_init(&v->post.asset, p->token.w);
	pm_v1_id(&x, &o, &v->signed_as);
	v->signed_as.sig = sig_of_bytes(p->sig);
	return secp_recover(
		   &d->secp, &v->signed_as.sig, v->signed_as.id, &who) &&
	       address_eq(&who, &l->address);
}

/* The signature, under the contract that the market trades on. */
static bool
is_signed(struct pm_desk *d, const struct desk_login *l, struct verdict *v)
{
	const struct pmx_terms *t = &d->x->market[v->market].terms;
	struct pm_signature sig = {v->post.sig, v->post.sig_n};
	struct pm_template tpl;
	struct pm_exchange x;
	struct address who;

	memcpy(v->post.who.owner, l->api_key, DESK_UUID_LEN + 1);
	if (!pm_exchange_init(&x,
		t->is_position ? PM_EXCHANGE_V3 : PM_EXCHANGE_V2, t->neg_risk,
		d->chain_id) ||
	    !pm_template_init(&tpl, &x, &v->post.who))
		return false;
	pm_asset_init(&v->post.asset, v->post.token.w);
	v->post.order.asset = &v->post.asset;
	if (!pm_order_ok(&v->post.order))
		return false;
	return pm_order_signer(
		   &tpl, &d->secp, &v->post.order, &sig, &v->signed_as, &who) &&
	       address_eq(&who, &l->address);
}

static const char *
check_people(struct desk_call *c, struct verdict *v)
{
	const struct desk_login *l = c->login;
	const struct post *p = &v->post;

	if (p->is_old && !p->has_token)
		return "order_version_mismatch";
	if (p->is_bad || p->order.tif == 0 || p->order.side == 0 ||
	    p->who.sig_type >= PM_SIG_N || p->order.salt == 0)
		return "Invalid order payload";
	if (!is_owner(l, p))
		return "the order owner has to be the owner of the API KEY";
	if (p->who.sig_type != PM_SIG_DEPOSIT_WALLET &&
	    !address_eq(&p->who.signer, &l->address))
		return "the order signer address has to be the address of the "
		       "API KEY";
	if (p->who.sig_type == PM_SIG_EOA &&
	    !address_eq(&p->who.maker, &l->address))
		return "invalid signature";
	return NULL;
}

static void
place(struct desk_call *c, struct verdict *v)
{
	struct pm_desk *d = c->d;
	const struct post *p = &v->post;
	struct pmx_new n = {.market = v->market,
	    .side = p->order.side,
	    .type = (enum pmx_type)p->order.tif,
	    .post_only = p->order.post_only,
	    .give_e6 = p->order.amounts.maker > INT64_MAX
			   ? INT64_MAX
			   : (int64_t)p->order.amounts.maker,
	    .get_e6 = p->order.amounts.taker > INT64_MAX
			  ? INT64_MAX
			  : (int64_t)p->order.amounts.taker,
	    .expiration_s = p->order.expiration_s};
	int64_t value;

	(void)pmx_market_find(d->x, &p->token, &n.role);
	memcpy(n.id.b, v->signed_as.id, sizeof(n.id.b));
	n.account = desk_account(
	    d, &c->login->address, p->who.sig_type, &p->who.maker, d->grant);
	if (n.account == PMX_NONE) {
		v->error = PMX_ERR_FULL;
		return;
	}
	if (!address_eq(&d->owner[n.account].maker, &p->who.maker)) {
		v->text = "maker address not allowed, please use the deposit "
			  "wallet flow";
		return;
	}
	if (desk_trips(c, FAULT_NO_BALANCE, &value)) {
		v->error = PMX_ERR_BALANCE;
		return;
	}
	if (n.post_only && desk_trips(c, FAULT_POST_ONLY_CROSSES, &value)) {
		v->error = PMX_ERR_CROSSES;
		return;
	}
	if (desk_trips(c, FAULT_EMPTY_ID, &value)) {
		v->is_blank = true;
		v->text = NOT_RUN;
		return;
	}
	if (desk_trips(c, FAULT_ORDER_DELAYED, &value) && value > 0)
		n.hold_ms = (uint32_t)i64_min(value, UINT32_MAX);
	v->error = pmx_place(d->x, &n, c->r->now_ns, &v->order);
}

/* error stays 0 where text says why. */
static void
judge(struct desk_call *c, struct verdict *v)
{
	enum token_role role;
	uint32_t market;
	bool is_first;

	v->text = check_people(c, v);
	if (v->text != NULL)
		return;
	market = v->post.has_token
		     ? pmx_market_find(c->d->x, &v->post.token, &role)
		     : PMX_NONE;
	if (market == PMX_NONE) {
		v->error = PMX_ERR_NOT_READY;
		return;
	}
	v->market = (uint16_t)market;
	is_first = c->d->x->market[market].terms.is_first;
	if (v->post.is_old != is_first) {
		v->text = "order_version_mismatch";
		return;
	}
	if (!(is_first ? is_signed_v1 : is_signed)(c->d, c->login, v)) {
		v->text = "invalid signature";
		return;
	}
	if (c->d->named != NULL)
		c->d->named(c->d->named_user, v->signed_as.id);
	place(c, v);
}

/* ---- the venue's word ---- */

static void
put_mode(struct text *t, const struct pmx *x)
{
	switch (x->mode) {
	case PMX_MODE_POST_ONLY:
		text_lit(t, "post-only mode: only post-only orders and "
			    "cancels are allowed");
		return;
	case PMX_MODE_CANCEL_ONLY:
		text_lit(t, "Trading is currently cancel-only. New orders are "
			    "not accepted, but cancels are allowed.");
		return;
	case PMX_MODE_DISABLED:
	case PMX_MODE_NORMAL:
	case PMX_MODE_N:
		text_lit(t, "Trading is currently disabled. Check "
			    "polymarket.com for updates");
		return;
	}
}

static void
put_invalid(struct text *t, const struct verdict *v)
{
	char id[PM_ID_TEXT_MAX];

	pm_id_text(v->signed_as.id, id);
	text_lit(t, "order ");
	text_lit(t, id);
	text_lit(t, " is invalid. ");
}

static int64_t
wished_usd(const struct post *p)
{
	return (int64_t)(p->order.side == SIDE_BID ? p->order.amounts.maker
						   : p->order.amounts.taker);
}

static int64_t
wished_shares(const struct post *p)
{
	return (int64_t)(p->order.side == SIDE_BID ? p->order.amounts.taker
						   : p->order.amounts.maker);
}

/* Sentences with figures in them. */
static void
put_figures(struct text *t, const struct pm_desk *d, const struct verdict *v)
{
	const struct pmx_terms *m = &d->x->market[v->market].terms;
	int64_t usd = wished_usd(&v->post);
	int64_t shares = i64_max(wished_shares(&v->post), 1);

	if (v->error == PMX_ERR_NOTIONAL) {
		text_lit(t, "invalid amount for a marketable BUY order ($");
		put_e8(t, usd * 100, 0);
		text_lit(t, "), min size: $1");
		return;
	}
	put_invalid(t, v);
	if (v->error == PMX_ERR_DUPLICATE) {
		text_lit(t, "Duplicated.");
	} else if (v->error == PMX_ERR_TICK) {
		text_lit(t, "Price (");
		put_e8(t, (int64_t)((i128_t)usd * E8 / shares), 0);
		text_lit(t, ") breaks minimum tick size rule: ");
		put_e8(t, m->tick.tok_e8, 0);
	} else {
		text_lit(t, "Size (");
		put_e8(t, shares * 100, 0);
		text_lit(t, ") lower than the minimum: ");
		put_e8(t, m->min_qty.e8, 0);
	}
}

static const char *
plain_text(enum pmx_error e)
{
	static const char *const texts[PMX_ERROR_N] = {
	    [PMX_ERR_NOT_READY] =
		"the market is not yet ready to process new orders",
	    [PMX_ERR_EXPIRATION] = "invalid expiration",
	    [PMX_ERR_POST_ONLY_TYPE] = "INVALID_POST_ONLY_ORDER_TYPE",
	    [PMX_ERR_BALANCE] = "not enough balance / allowance",
	    [PMX_ERR_CROSSES] = "invalid post-only order: order crosses book",
	    [PMX_ERR_FOK] = "order couldn't be fully filled. FOK orders are "
			    "fully filled or killed.",
	    [PMX_ERR_FAK] = "no orders found to match with FAK order. FAK "
			    "orders are partially filled or killed if no match "
			    "is found.",
	    [PMX_ERR_FULL] = "service not ready",
	};

	return texts[e];
}

static void
put_why(struct text *t, const struct pm_desk *d, const struct verdict *v)
{
	bool is_buy = v->post.order.side == SIDE_BID;

	if (v->text != NULL) {
		text_lit(t, v->text);
	} else if (v->error == PMX_ERR_MODE) {
		put_mode(t, d->x);
	} else if (v->error == PMX_ERR_AMOUNTS) {
		text_lit(t, is_buy ? "invalid amounts, the buy orders maker "
				     "amount supports a max accuracy of 4 "
				     "decimals, taker amount a max of 2 "
				     "decimals"
				   : "invalid amounts, the sell orders maker "
				     "amount supports a max accuracy of 2 "
				     "decimals, taker amount a max of 4 "
				     "decimals");
	} else if (v->error == PMX_ERR_AMOUNTS_NOW) {
		text_lit(t, is_buy ? "invalid amounts, the market buy orders "
				     "maker amount supports a max accuracy of "
				     "2 decimals, taker amount a max of 4 "
				     "decimals"
				   : "invalid amounts, the market sell orders "
				     "maker amount supports a max accuracy of "
				     "2 decimals, taker amount a max of 4 "
				     "decimals");
	} else if (plain_text(v->error) != NULL) {
		text_lit(t, plain_text(v->error));
	} else {
		put_figures(t, d, v);
	}
}

static unsigned
status_of(const struct verdict *v)
{
	if (v->error == PMX_OK)
		return 200;
	return v->error == PMX_ERR_MODE || v->error == PMX_ERR_FULL ? 503 : 400;
}

static void
put_amounts(struct text *t, const struct pmx_order *o)
{
	int64_t shares = o->matched.e8;
	int64_t usd = o->value.e6 * 100;

	text_lit(t, "\"makingAmount\":\"");
	if (shares > 0)
		put_e8(t, o->side == SIDE_BID ? usd : shares, 0);
	text_lit(t, "\",\"takingAmount\":\"");
	if (shares > 0)
		put_e8(t, o->side == SIDE_BID ? shares : usd, 0);
	text_lit(t, "\",\"transactionsHashes\":[],\"tradeIDs\":[");
}

static void
put_accepted(struct text *t, const struct pm_desk *d, const struct verdict *v)
{
	const struct pmx_order *o = &d->x->order[v->order];
	uint32_t n = o->trade_n < PMX_OWN ? o->trade_n : PMX_OWN;
	char id[PM_ID_TEXT_MAX];

	pm_id_text(o->id.b, id);
	text_lit(t, "{\"success\":true,\"errorMsg\":\"\",\"orderID\":\"");
	text_lit(t, id);
	text_lit(t, "\",\"status\":\"");
	text_lit(t, o->state == PMX_DELAYED ? "delayed"
		    : o->matched.e8 > 0	    ? "matched"
					    : "live");
	text_lit(t, "\",");
	put_amounts(t, o);
	for (uint32_t i = 0; i < n; i++) {
		char trade[DESK_UUID_LEN + 1];
		uint32_t at = o->trade[(o->trade_n - n + i) % PMX_OWN];

		say_trade_id(d->x->trade[at].id, trade);
		text_lit(t, i == 0 ? "\"" : ",\"");
		text_lit(t, trade);
		text_lit(t, "\"");
	}
	text_lit(t, "]}");
}

/* A leg of a batch that is refused says success, an empty id and why. */
static void
put_refused_leg(
    struct text *t, const struct pm_desk *d, const struct verdict *v)
{
	text_lit(t, "{\"success\":true,\"errorMsg\":\"");
	put_why(t, d, v);
	text_lit(t, "\",\"orderID\":\"\",\"status\":\"\",\"makingAmount\":"
		    "\"\",\"takingAmount\":\"\"}");
}

void
desk_post_order(struct desk_call *c)
{
	struct verdict v = {.order = PMX_NONE};
	struct json j;

	if (!desk_spend(c, false, 1))
		return;
	json_init(&j, c->r->body, c->r->body_n);
	read_post(&j, &v.post);
	if (!json_end(&j)) {
		desk_error(c->a, 400, "Invalid order payload");
		return;
	}
	judge(c, &v);
	c->a->status = v.is_blank ? 200 : status_of(&v);
	if (v.is_blank) {
		put_refused_leg(c->a->body, c->d, &v);
		return;
	}
	if (v.error == PMX_OK) {
		put_accepted(c->a->body, c->d, &v);
		return;
	}
	text_lit(c->a->body, "{\"error\":\"");
	put_why(c->a->body, c->d, &v);
	text_lit(c->a->body,
	    v.error == PMX_ERR_MODE && c->d->x->mode == PMX_MODE_POST_ONLY
		? "\",\"code\":\"post_only_mode\"}"
		: "\"}");
}

static uint32_t
count_items(const struct desk_request *r)
{
	uint32_t n = 0;
	struct json j;

	json_init(&j, r->body, r->body_n);
	if (json_array(&j))
		while (json_item(&j)) {
			json_skip(&j);
			n++;
		}
	return json_end(&j) ? n : 0;
}

void
desk_post_orders(struct desk_call *c)
{
	uint32_t n = count_items(c->r);
	bool is_half;
	int64_t value;
	struct json j;

	if (n == 0) {
		desk_error(c->a, 400, "Invalid order payload");
		return;
	}
	if (n > DESK_BATCH_MAX) {
		c->a->status = 400;
		text_lit(
		    c->a->body, "{\"error\":\"Too many orders in payload: ");
		put_i64(c->a->body, n);
		text_lit(c->a->body, ", max allowed: 15\"}");
		return;
	}
	if (!desk_spend(c, false, n))
		return;
	is_half = n > 1 && desk_trips(c, FAULT_HALF_BATCH, &value);
	desk_say(c->a, 200, "[");
	json_init(&j, c->r->body, c->r->body_n);
	json_array(&j);
	for (uint32_t i = 0; i < n && json_item(&j); i++) {
		struct verdict v = {.order = PMX_NONE};

		read_post(&j, &v.post);
		if (is_half && i >= n / 2)
			v.text = NOT_RUN;
		else
			judge(c, &v);
		if (i > 0)
			text_lit(c->a->body, ",");
		if (v.error == PMX_OK)
			put_accepted(c->a->body, c->d, &v);
		else
			put_refused_leg(c->a->body, c->d, &v);
	}
	text_lit(c->a->body, "]");
}
