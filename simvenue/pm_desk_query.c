/*
 * Questions about orders, trades and balances; heartbeats.
 */
#include <string.h>

#include "libcore/check.h"
#include "libcore/json.h"
#include "libsign/hex.h"
#include "simvenue/pm_desk_int.h"
#include "simvenue/venue.h"

#define ARG_MAX	   128u
#define CURSOR_END "LTE="
#define NO_LIMIT                                                       \
	"115792089237316195423570985008687907853269984665640564039457" \
	"584007913129639935"

static bool
path_is(const struct desk_call *c, const char *path)
{
	return http_text_is(c->r->head->path, path);
}

static bool
is_mine(const struct desk_call *c, uint32_t order)
{
	return desk_login_of(c->d, c->d->x->order[order].account) ==
	       desk_index(c->d, c->login);
}

/* ---- pages ---- */

/* What a page shows: entries number `skip` and on. */
struct page {
	struct desk_call *c;
	uint64_t skip;
	uint64_t seen;
	uint32_t n;
	bool more;
};

/* A cursor is a number in base64; none is the start. */
static bool
page_begin(struct page *p, struct desk_call *c)
{
	char cursor[ARG_MAX];
	uint8_t raw[ARG_MAX];
	struct json_str s = {.s = (const char *)raw};
	long n;

	*p = (struct page){.c = c};
	desk_arg(c->r, "next_cursor", cursor, sizeof(cursor));
	n = base64_parse(cursor, strlen(cursor), raw, sizeof(raw));
	if (cursor[0] != '\0') {
		s.n = n < 0 ? 0 : (uint32_t)n;
		if (n <= 0 || !json_text_u64(s, &p->skip)) {
			desk_error(c->a, 400, "invalid cursor");
			return false;
		}
	}
	desk_say(c->a, 200, "{\"data\":[");
	return true;
}

/* Is the next entry on this page? Writes the comma. */
static bool
page_takes(struct page *p)
{
	if (p->seen++ < p->skip)
		return false;
	if (p->n == DESK_PAGE) {
		p->more = true;
		return false;
	}
	if (p->n++ > 0)
		text_lit(p->c->a->body, ",");
	return true;
}

static void
page_end(struct page *p)
{
	struct text *t = p->c->a->body;
	char number[24];
	char cursor[BASE64_LEN(sizeof(number)) + 1];

	text_lit(t, "],\"next_cursor\":\"");
	if (p->more) {
		size_t n = (size_t)(dec_put(number, p->skip + p->n) - number);

		*base64url_put(cursor, (const uint8_t *)number, n) = '\0';
		text_lit(t, cursor);
	} else {
		text_lit(t, CURSOR_END);
	}
	text_lit(t, "\",\"limit\":");
	put_i64(t, DESK_PAGE);
	text_lit(t, ",\"count\":");
	put_i64(t, p->n);
	text_lit(t, "}");
}

/* ---- filters ---- */

struct filter {
	char id[ARG_MAX];
	char market[ARG_MAX];
	char asset[ARG_MAX];
	uint64_t before_s;
	uint64_t after_s;
};

static uint64_t
number_arg(const struct desk_request *r, const char *name, uint64_t none)
{
	char buf[ARG_MAX];
	struct json_str s = {.s = buf};
	uint64_t v;

	desk_arg(r, name, buf, sizeof(buf));
	s.n = (uint32_t)strlen(buf);
	return json_text_u64(s, &v) ? v : none;
}

static void
read_filter(const struct desk_request *r, struct filter *f)
{
	desk_arg(r, "id", f->id, sizeof(f->id));
	desk_arg(r, "market", f->market, sizeof(f->market));
	desk_arg(r, "asset_id", f->asset, sizeof(f->asset));
	f->before_s = number_arg(r, "before", UINT64_MAX);
	f->after_s = number_arg(r, "after", 0);
}

static bool
is_in(const struct pm_desk *d, const struct filter *f, uint16_t market,
    unsigned role)
{
	const struct pmx_terms *t = &d->x->market[market].terms;
	char buf[PM_TOKEN_TEXT_MAX];
	char cond[PM_COND_TEXT_MAX];

	pm_cond_format(&t->cond, cond);
	pm_token_format(&t->token[role - ROLE_YES], buf);
	return (f->market[0] == '\0' || strcmp(f->market, cond) == 0) &&
	       (f->asset[0] == '\0' || strcmp(f->asset, buf) == 0);
}

/* ---- orders and trades ---- */

/* Was it open, as far as questions know? */
static bool
is_told_open(const struct desk_call *c, const struct pmx_order *o)
{
	uint64_t as_of = c->r->now_ns - c->d->stale_ns;

	if (c->d->stale_ns == 0 || o->state == 0)
		return pmx_is_open(o);
	return o->created_ns <= as_of &&
	       (pmx_is_open(o) || o->ended_ns > as_of);
}

static void
list_orders(struct desk_call *c)
{
	int64_t value;
	bool is_empty = desk_trips(c, FAULT_EMPTY_ACCOUNT, &value);
	struct filter f;
	struct page p;

	read_filter(c->r, &f);
	if (!page_begin(&p, c))
		return;
	for (uint32_t i = 0; i < PMX_ORDERS && !is_empty; i++) {
		const struct pmx_order *o = &c->d->x->order[i];
		char id[PM_ID_TEXT_MAX];

		if (!is_told_open(c, o) || !is_mine(c, i) ||
		    !is_in(c->d, &f, o->market, o->role))
			continue;
		pm_id_text(o->id.b, id);
		if (f.id[0] != '\0' && strcmp(f.id, id) != 0)
			continue;
		if (page_takes(&p))
			say_order(c->d, i, c->a->body);
	}
	page_end(&p);
}

static void
one_order(struct desk_call *c, size_t skip)
{
	struct http_text path = c->r->head->path;
	struct pmx_id id;
	uint32_t i = PMX_NONE;
	int64_t value;

	if (hex_parse(path.p + skip, path.n - skip, id.b, sizeof(id.b)))
		i = pmx_find(c->d->x, &id);
	if (i == PMX_NONE || !is_mine(c, i) ||
	    c->d->x->order[i].created_ns + c->d->stale_ns > c->r->now_ns ||
	    desk_trips(c, FAULT_ORDER_UNKNOWN, &value)) {
		desk_say(c->a, 200, "null");
		return;
	}
	c->a->status = 200;
	say_order(c->d, i, c->a->body);
}

static bool
trade_is_in(const struct desk_call *c, const struct filter *f, uint32_t trade)
{
	const struct pmx *x = c->d->x;
	const struct pmx_trade *t = &x->trade[trade];
	uint64_t s = t->match_ns / (uint64_t)NS_PER_S;
	char id[DESK_UUID_LEN + 1];
	bool any = false;

	if (t->status == 0 ||
	    !say_trade_concerns(c->d, trade, desk_index(c->d, c->login)) ||
	    s < f->after_s || s > f->before_s)
		return false;
	say_trade_id(t->id, id);
	if (f->id[0] != '\0' && strcmp(f->id, id) != 0)
		return false;
	for (uint32_t i = 0; i < t->leg_n; i++)
		any = any ||
		      is_in(c->d, f, t->market, x->order[t->leg[i].order].role);
	return any || is_in(c->d, f, t->market, x->order[t->taker].role);
}

/* Newest first. */
static void
list_trades(struct desk_call *c)
{
	const struct pmx *x = c->d->x;
	struct filter f;
	struct page p;

	read_filter(c->r, &f);
	if (!page_begin(&p, c))
		return;
	for (uint32_t k = 1; k <= PMX_TRADES; k++) {
		uint32_t i = (x->trade_at + PMX_TRADES - k) % PMX_TRADES;

		if (trade_is_in(c, &f, i) && page_takes(&p))
			say_trade(c->d, i, desk_index(c->d, c->login), false,
			    c->a->body);
	}
	page_end(&p);
}

/* ---- balances ---- */

static void
put_balance(struct desk_call *c, int64_t units)
{
	static const bool kinds[2] = {false, true};
	struct text *t = c->a->body;

	desk_say(c->a, 200, "{\"balance\":\"");
	put_i64(t, units);
	text_lit(t, "\",\"allowances\":{");
	for (int i = 0; i < 3; i++) {
		char buf[ADDRESS_TEXT_MAX];
		struct pm_exchange x;

		CHECK(pm_exchange_init(&x,
		    i < 2 ? PM_EXCHANGE_V2 : PM_EXCHANGE_V3, i < 2 && kinds[i],
		    c->d->chain_id));
		address_format(&x.contract, buf);
		text_lit(t, i == 0 ? "\"" : ",\"");
		text_lit(t, buf);
		text_lit(t, "\":\"" NO_LIMIT "\"");
	}
	text_lit(t, "}}");
}

static void
balance(struct desk_call *c)
{
	uint64_t type = number_arg(c->r, "signature_type", PM_SIG_EOA);
	const struct pmx_account *acc;
	enum token_role role;
	struct pm_token token;
	char kind[ARG_MAX];
	char id[ARG_MAX];
	uint32_t account;
	uint32_t market;
	int64_t value;

	account = type < PM_SIG_N ? c->login->account[type] : PMX_NONE;
	desk_arg(c->r, "asset_type", kind, sizeof(kind));
	desk_arg(c->r, "token_id", id, sizeof(id));
	/* a wallet that holds nothing */
	if (account == PMX_NONE || desk_trips(c, FAULT_EMPTY_ACCOUNT, &value)) {
		put_balance(c, 0);
		return;
	}
	acc = &c->d->x->account[account];
	if (strcmp(kind, "COLLATERAL") == 0) {
		put_balance(c, acc->usd.own);
		return;
	}
	if (!pm_token_parse(id, strlen(id), &token)) {
		desk_error(c->a, 400, "invalid token id");
		return;
	}
	market = pmx_market_find(c->d->x, &token, &role);
	put_balance(c, market == PMX_NONE
			   ? 0
			   : acc->token[market][role - ROLE_YES].own / 100);
}

void
desk_query(struct desk_call *c)
{
	static const char one[] = "/data/order/";
	struct http_text path = c->r->head->path;
	size_t n = sizeof(one) - 1;

	if (path.n > n && memcmp(path.p, one, n) == 0)
		one_order(c, n);
	else if (path_is(c, "/data/orders"))
		list_orders(c);
	else if (path_is(c, "/data/trades"))
		list_trades(c);
	else if (path_is(c, "/balance-allowance"))
		balance(c);
	else if (path_is(c, "/balance-allowance/update"))
		desk_say(c->a, 200, "{}");
	else if (path_is(c, "/order-scoring"))
		desk_say(c->a, 200, "{\"scoring\":false}");
	else if (path_is(c, "/orders-scoring"))
		desk_say(c->a, 200, "{}");
	else if (path_is(c, "/notifications"))
		desk_say(c->a, 200, "[]");
	else if (path_is(c, "/v1/user/rate-limit-tier"))
		desk_say(c->a, 200, "{\"tier\":\"standard\"}");
	else
		desk_error(c->a, 404, "not found");
}

/* ---- the dead-man switch ---- */

void
desk_heartbeat(struct desk_call *c)
{
	struct desk_login *l = c->login;
	struct json_str id = {0};
	struct json_str key;
	struct json j;
	bool fits;

	json_init(&j, c->r->body, c->r->body_n);
	json_object(&j);
	while (json_key(&j, &key))
		if (json_is(key, "heartbeat_id") &&
		    json_peek(&j) == JSON_STRING)
			json_string(&j, &id);
		else
			json_skip(&j);
	json_end(&j);
	fits = id.n == strlen(l->beat) && memcmp(id.s, l->beat, id.n) == 0;
	if (!fits) {
		desk_say(c->a, 400,
		    "{\"error_msg\":\"Invalid Heartbeat ID\","
		    "\"heartbeat_id\":\"");
		text_lit(c->a->body, l->beat);
		text_lit(c->a->body, "\"}");
		return;
	}
	say_uuid(desk_random(c->d), desk_random(c->d), l->beat);
	for (int k = 0; k < PM_SIG_N; k++)
		if (l->account[k] != PMX_NONE)
			pmx_beat(c->d->x, l->account[k], c->r->now_ns);
	desk_say(c->a, 200, "{\"heartbeat_id\":\"");
	text_lit(c->a->body, l->beat);
	text_lit(c->a->body, "\"}");
}
