/*
 * Questions: what /info answers of accounts and books.
 */
#include <string.h>

#include "libsign/hex.h"
#include "simvenue/hl_desk.h"
#include "simvenue/venue.h"

#define NS_PER_MS_U UINT64_C(1000000)

struct question {
	const struct hl_desk *d;
	uint64_t now_ns;
	struct text *t;
	struct json_str type;
	struct address user;
	uint32_t account; /* of user, HLX_NONE when it has none */
	struct json_str coin;
	bool by_cloid;
	uint64_t oid;
	uint8_t cloid[HL_CLOID_SZ];
	uint64_t start_ms;
	uint64_t end_ms;
};

static void
read_oid(struct question *q, struct json *j)
{
	struct json_str s;

	q->by_cloid = json_peek(j) == JSON_STRING;
	if (!q->by_cloid)
		json_u64(j, &q->oid);
	else if (json_string(j, &s) &&
		 !hex_parse(s.s, s.n, q->cloid, sizeof(q->cloid)))
		json_fail(j, REASON_BAD_TYPE);
}

static bool
read_question(struct question *q, const char *body, size_t n)
{
	struct json_str key;
	struct json_str s;
	struct json j;

	json_init(&j, body, n);
	json_object(&j);
	while (json_key(&j, &key)) {
		if (json_is(key, "type")) {
			json_string(&j, &q->type);
		} else if (json_is(key, "user")) {
			if (json_string(&j, &s) &&
			    !address_parse(s.s, s.n, &q->user))
				json_fail(&j, REASON_BAD_TYPE);
		} else if (json_is(key, "coin")) {
			json_string(&j, &q->coin);
		} else if (json_is(key, "oid")) {
			read_oid(q, &j);
		} else if (json_is(key, "startTime")) {
			json_u64(&j, &q->start_ms);
		} else if (json_is(key, "endTime") &&
			   json_peek(&j) == JSON_NUMBER) {
			json_u64(&j, &q->end_ms);
		} else {
			json_skip(&j);
		}
	}
	q->account = hlx_account_find(q->d->x, q->user.b);
	return json_end(&j) && q->type.n > 0;
}

static void
open_orders(struct question *q, bool frontend)
{
	const struct hlx *x = q->d->x;
	bool any = false;

	text_lit(q->t, "[");
	for (uint32_t i = 0; i < HLX_ORDERS && q->account != HLX_NONE; i++) {
		const struct hlx_order *o = &x->order[i];

		if (o->oid == 0 || o->status != HLX_OPEN ||
		    o->account != q->account)
			continue;
		if (any)
			text_lit(q->t, ",");
		any = true;
		hl_say_open_order(x, i, frontend, q->t);
	}
	text_lit(q->t, "]");
}

static void
order_status(struct question *q)
{
	const struct hlx *x = q->d->x;
	uint32_t i = q->by_cloid ? hlx_find_cloid(x, q->account, q->cloid)
				 : hlx_find_oid(x, q->oid);

	if (q->account == HLX_NONE || i == HLX_NONE ||
	    x->order[i].account != q->account) {
		text_lit(q->t, "{\"status\":\"unknownOid\"}");
		return;
	}
	text_lit(q->t, "{\"status\":\"order\",\"order\":{\"order\":");
	hl_say_open_order(x, i, true, q->t);
	text_lit(q->t, ",\"status\":\"");
	text_lit(q->t, hlx_status_text(&x->order[i]));
	text_lit(q->t, "\",\"statusTimestamp\":");
	put_i64(q->t, (int64_t)(x->order[i].status_ns / NS_PER_MS_U));
	text_lit(q->t, "}}");
}

/* Newest first; by time: oldest first. */
static void
fills(struct question *q, bool by_time)
{
	const struct hlx *x = q->d->x;
	uint32_t held = x->fill_n < HLX_FILLS ? x->fill_n : HLX_FILLS;
	uint32_t n = 0;

	text_lit(q->t, "[");
	for (uint32_t k = 0; k < held && n < HL_INFO_FILLS; k++) {
		uint32_t at =
		    by_time ? x->fill_n - held + k : x->fill_n - 1 - k;
		const struct hlx_fill *f = &x->fill[at % HLX_FILLS];
		uint64_t ms = f->ns / NS_PER_MS_U;

		if (f->account != q->account ||
		    (by_time &&
			(ms < q->start_ms || (q->end_ms && ms > q->end_ms))))
			continue;
		if (n++ > 0)
			text_lit(q->t, ",");
		hl_say_fill(x, f, q->t);
	}
	text_lit(q->t, "]");
}

static void
rate_limit(struct question *q)
{
	const struct hlx *x = q->d->x;
	bool has = q->account != HLX_NONE;
	int64_t volume = has ? x->account[q->account].volume.e6 : 0;

	text_lit(q->t, "{\"cumVlm\":\"");
	put_e8(q->t, volume * 100, 1);
	text_lit(q->t, "\",\"nRequestsUsed\":");
	put_i64(q->t, has ? (int64_t)x->account[q->account].actions : 0);
	text_lit(q->t, ",\"nRequestsCap\":");
	put_i64(
	    q->t, has ? (int64_t)hlx_budget(x, q->account, false) : HLX_BUDGET);
	text_lit(q->t, ",\"nRequestsSurplus\":0}");
}

static void
user_role(struct question *q)
{
	for (uint32_t i = 0; i < q->d->signer_n; i++) {
		const struct hl_signatory *s = &q->d->signer[i];
		struct address master;
		char buf[ADDRESS_TEXT_MAX];

		if (!address_eq(&s->address, &q->user))
			continue;
		if (!s->is_agent) {
			text_lit(q->t, "{\"role\":\"user\"}");
			return;
		}
		memcpy(master.b, q->d->x->account[s->account].address,
		    sizeof(master.b));
		address_format_lower(&master, buf);
		text_lit(q->t, "{\"role\":\"agent\",\"data\":{\"user\":\"");
		text_lit(q->t, buf);
		text_lit(q->t, "\"}}");
		return;
	}
	text_lit(q->t, "{\"role\":\"missing\"}");
}

static void
agents(struct question *q)
{
	bool any = false;

	text_lit(q->t, "[");
	for (uint32_t i = 0; i < q->d->signer_n; i++) {
		const struct hl_signatory *s = &q->d->signer[i];
		char buf[ADDRESS_TEXT_MAX];

		if (!s->is_agent || s->account != q->account)
			continue;
		address_format_lower(&s->address, buf);
		text_lit(q->t, any ? ",{\"name\":\"\",\"address\":\""
				   : "{\"name\":\"\",\"address\":\"");
		text_lit(q->t, buf);
		text_lit(q->t, "\",\"validUntil\":");
		put_i64(q->t,
		    (int64_t)(q->now_ns / NS_PER_MS_U) + INT64_C(15552000000));
		text_lit(q->t, "}");
		any = true;
	}
	text_lit(q->t, "]");
}

/* ppm as the venue's fraction: 450 is "0.00045". */
static void
fees(struct question *q)
{
	const struct hlx_terms *t = &q->d->x->coin[0].terms;

	text_lit(q->t, "{\"userCrossRate\":\"");
	put_e8(q->t, (int64_t)t->taker_ppm * 100, 1);
	text_lit(q->t, "\",\"userAddRate\":\"");
	put_e8(q->t, (int64_t)t->maker_ppm * 100, 1);
	text_lit(q->t, "\",\"dailyUserVlm\":[]}");
}

static void
book(struct question *q)
{
	const struct hlx *x = q->d->x;

	for (uint32_t i = 0; i < HLX_COINS; i++) {
		const char *name = x->coin[i].terms.name;

		if (!x->coin[i].used || q->coin.n != strlen(name) ||
		    memcmp(q->coin.s, name, q->coin.n) != 0)
			continue;
		hl_say_book(x, i, HL_INFO_BOOK, q->now_ns, q->t);
		return;
	}
	text_lit(q->t, "null");
}

static void
spot_state(struct question *q)
{
	usd_t v =
	    q->account == HLX_NONE ? USD(0) : hlx_value(q->d->x, q->account);

	text_lit(q->t, "{\"balances\":[{\"coin\":\"USDC\",\"token\":0,"
		       "\"total\":\"");
	put_e8(q->t, v.e6 * 100, 1);
	text_lit(q->t, "\",\"hold\":\"0.0\",\"entryNtl\":\"0.0\"}]}");
}

static void
state(struct question *q)
{
	if (q->account != HLX_NONE)
		hl_say_state(q->d->x, q->account, q->now_ns, q->t);
	else /* also for an agent's address: a valid, empty answer */
		text_lit(q->t,
		    "{\"marginSummary\":{\"accountValue\":\"0.0\","
		    "\"totalNtlPos\":\"0.0\",\"totalRawUsd\":\"0.0\","
		    "\"totalMarginUsed\":\"0.0\"},\"withdrawable\":\"0.0\","
		    "\"assetPositions\":[],\"time\":0}");
}

static void
venue_status(struct question *q)
{
	text_lit(q->t, "{\"specialStatuses\":null,\"time\":");
	put_i64(q->t, (int64_t)(q->now_ns / NS_PER_MS_U));
	text_lit(q->t, "}");
}

unsigned
hl_desk_info(const struct hl_desk *d, const char *body, size_t n,
    uint64_t now_ns, struct text *out)
{
	struct question q = {.d = d, .now_ns = now_ns, .t = out};

	if (!read_question(&q, body, n)) {
		text_lit(out,
		    "Failed to deserialize the JSON body into the target type");
		return 422;
	}
	if (json_is(q.type, "openOrders"))
		open_orders(&q, false);
	else if (json_is(q.type, "frontendOpenOrders"))
		open_orders(&q, true);
	else if (json_is(q.type, "orderStatus"))
		order_status(&q);
	else if (json_is(q.type, "userFills"))
		fills(&q, false);
	else if (json_is(q.type, "userFillsByTime"))
		fills(&q, true);
	else if (json_is(q.type, "clearinghouseState"))
		state(&q);
	else if (json_is(q.type, "spotClearinghouseState"))
		spot_state(&q);
	else if (json_is(q.type, "userRateLimit"))
		rate_limit(&q);
	else if (json_is(q.type, "userRole"))
		user_role(&q);
	else if (json_is(q.type, "extraAgents"))
		agents(&q);
	else if (json_is(q.type, "userFees"))
		fees(&q);
	else if (json_is(q.type, "l2Book"))
		book(&q);
	else if (json_is(q.type, "exchangeStatus"))
		venue_status(&q);
	else
		return 0;
	return 200;
}
