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

/* Was it open, as far as questions know? */
static bool
is_told_open(const struct question *q, const struct hlx_order *o)
{
	uint64_t as_of = q->now_ns - q->d->stale_ns;

	if (q->d->stale_ns == 0)
		return o->status == HLX_OPEN;
	return o->created_ns <= as_of &&
	       (o->status == HLX_OPEN || o->status_ns > as_of);
}

static void
list_open(struct question *q, bool frontend)
{
	const struct hlx *x = q->d->x;
	bool any = false;

	text_lit(q->t, "[");
	for (uint32_t i = 0; i < HLX_ORDERS && q->account != HLX_NONE; i++) {
		const struct hlx_order *o = &x->order[i];

		if (o->oid == 0 || !is_told_open(q, o) ||
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
open_orders(struct question *q)
{
	list_open(q, false);
}

static void
frontend_orders(struct question *q)
{
	list_open(q, true);
}

static void
order_status(struct question *q)
{
	const struct hlx *x = q->d->x;
	int64_t value;
	uint32_t i = q->by_cloid ? hlx_find_cloid(x, q->account, q->cloid)
				 : hlx_find_oid(x, q->oid);

	if (q->account == HLX_NONE || i == HLX_NONE ||
	    x->order[i].account != q->account ||
	    x->order[i].created_ns + q->d->stale_ns > q->now_ns ||
	    mishap(q->d->mishaps, VENUE_HYPERLIQUID, FAULT_ORDER_UNKNOWN,
		&value)) {
		text_lit(q->t, "{\"status\":\"unknownOid\"}");
		return;
	}
	text_lit(q->t, "{\"status\":\"order\",\"order\":");
	hl_say_history(x, i, q->t);
	text_lit(q->t, "}");
}

/* The newest, newest first. */
static void
history(struct question *q)
{
	const struct hlx *x = q->d->x;
	uint32_t n = 0;

	text_lit(q->t, "[");
	for (uint32_t k = 1; k <= HLX_ORDERS && q->account != HLX_NONE; k++) {
		uint32_t i = (x->order_at + HLX_ORDERS - k) % HLX_ORDERS;

		if (x->order[i].oid == 0 || n == HL_INFO_ORDERS ||
		    x->order[i].account != q->account)
			continue;
		text_lit(q->t, n++ > 0 ? "," : "");
		hl_say_history(x, i, q->t);
	}
	text_lit(q->t, "]");
}

static void
put_hash(struct text *t)
{
	text_lit(t, "\"hash\":\"0x0000000000000000000000000000000000000000"
		    "000000000000000000000000\"");
}

/* Oldest first, from a time on. */
static void
funding(struct question *q)
{
	const struct hlx *x = q->d->x;
	uint32_t held =
	    x->funding_n < HLX_FUNDINGS ? x->funding_n : HLX_FUNDINGS;
	uint32_t n = 0;

	text_lit(q->t, "[");
	for (uint32_t k = 0; k < held && n < HL_INFO_FUNDED; k++) {
		const struct hlx_funding *f =
		    &x->fundings[(x->funding_n - held + k) % HLX_FUNDINGS];
		uint64_t ms = f->ns / NS_PER_MS_U;

		if (f->account != q->account || ms < q->start_ms ||
		    (q->end_ms != 0 && ms > q->end_ms))
			continue;
		text_lit(q->t, n++ > 0 ? ",{\"time\":" : "{\"time\":");
		put_i64(q->t, (int64_t)ms);
		text_lit(q->t, ",");
		put_hash(q->t);
		text_lit(q->t, ",\"delta\":{\"type\":\"funding\"");
		hl_say_funded(x, f, q->t);
		text_lit(q->t, "}}");
	}
	text_lit(q->t, "]");
}

/* The one deposit that everybody begins with. */
static void
deposits(struct question *q)
{
	text_lit(q->t, "[");
	if (q->account != HLX_NONE) {
		text_lit(q->t, "{\"time\":0,");
		put_hash(q->t);
		text_lit(q->t, ",\"delta\":{\"type\":\"deposit\",\"usdc\":\"");
		put_e8(q->t, q->d->x->account[q->account].deposit.e6 * 100, 1);
		text_lit(q->t, "\"}}");
	}
	text_lit(q->t, "]");
}

static uint32_t
coin_named(const struct hlx *x, struct json_str name)
{
	for (uint32_t i = 0; i < HLX_COINS; i++)
		if (x->coin[i].used &&
		    name.n == strlen(x->coin[i].terms.name) &&
		    memcmp(name.s, x->coin[i].terms.name, name.n) == 0)
			return i;
	return HLX_NONE;
}

static void
asset(struct question *q)
{
	uint32_t coin = coin_named(q->d->x, q->coin);
	char buf[ADDRESS_TEXT_MAX];

	if (coin == HLX_NONE || q->account == HLX_NONE) {
		text_lit(q->t, "null");
		return;
	}
	address_format_lower(&q->user, buf);
	text_lit(q->t, "{\"user\":\"");
	text_lit(q->t, buf);
	text_lit(q->t, "\",\"coin\":\"");
	text_lit(q->t, q->d->x->coin[coin].terms.name);
	text_lit(q->t, "\",");
	hl_say_asset(q->d->x, q->account, coin, q->t);
	text_lit(q->t, "}");
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
fills_newest(struct question *q)
{
	fills(q, false);
}

static void
fills_by_time(struct question *q)
{
	fills(q, true);
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
	uint32_t coin = coin_named(q->d->x, q->coin);

	if (coin == HLX_NONE)
		text_lit(q->t, "null");
	else
		hl_say_book(q->d->x, coin, HL_INFO_BOOK, q->now_ns, q->t);
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
	static const struct {
		const char *type;
		void (*answer)(struct question *q);
		bool is_of_account; /* may seem empty */
	} known[] = {{"openOrders", open_orders, true},
	    {"frontendOpenOrders", frontend_orders, true},
	    {"orderStatus", order_status, false},
	    {"historicalOrders", history, true},
	    {"userFills", fills_newest, true},
	    {"userFillsByTime", fills_by_time, true},
	    {"clearinghouseState", state, true},
	    {"spotClearinghouseState", spot_state, true},
	    {"userRateLimit", rate_limit, false},
	    {"userRole", user_role, false}, {"extraAgents", agents, false},
	    {"userFees", fees, false}, {"l2Book", book, false},
	    {"userFunding", funding, true}, {"activeAssetData", asset, true},
	    {"userNonFundingLedgerUpdates", deposits, true},
	    {"exchangeStatus", venue_status, false}};
	struct question q = {.d = d, .now_ns = now_ns, .t = out};
	int64_t value;

	if (!read_question(&q, body, n)) {
		text_lit(out,
		    "Failed to deserialize the JSON body into the target type");
		return 422;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (q.type.n != strlen(known[i].type) ||
		    memcmp(q.type.s, known[i].type, q.type.n) != 0)
			continue;
		if (known[i].is_of_account &&
		    mishap(d->mishaps, VENUE_HYPERLIQUID, FAULT_EMPTY_ACCOUNT,
			&value))
			q.account = HLX_NONE;
		known[i].answer(&q);
		return 200;
	}
	return d->other != NULL && d->other(d->user, body, n, out) ? 200 : 0;
}
