/*
 * Polymarket, live: what anybody may ask. Books are the exchange's; Gamma's
 * objects are written anew for each question, and the rules of recorded ones
 * (pm_rest.c) find among them.
 */
#include <string.h>

#include "libcore/check.h"
#include "simvenue/live.h"
#include "simvenue/put.h"

#define TOKEN_ARG_MAX 128
#define BOOKS_MAX     500u
#define PAGE_MAX      100u
#define BY_TOKEN      "/markets-by-token/"
#define NO_BOOK	      "No orderbook exists for the requested token id"
#define NO_SLUG	      "{\"type\":\"not found error\",\"error\":\"slug not found\"}"

struct token_at {
	uint32_t market; /* PMX_NONE: none */
	enum token_role role;
};

static struct token_at
find_token(const struct live_pm *s, const char *text, size_t n)
{
	struct token_at at = {.market = PMX_NONE};
	struct pm_token token;

	if (n > 0 && pm_token_parse(text, n, &token))
		at.market = pmx_market_find(&s->live->w.pmx, &token, &at.role);
	return at;
}

static struct token_at
token_of_query(const struct live_pm *s, const struct sim_request *r)
{
	char arg[TOKEN_ARG_MAX];
	int n = http_query_get(r->query, "token_id", arg, sizeof(arg));

	return find_token(s, arg, n > 0 ? (size_t)n : 0);
}

/* ---- one token ---- */

/* Best price of a token's side, 0 when it is empty. */
static int64_t
best_e8(const struct live_pm *s, struct token_at at, enum side side)
{
	const struct match *m = &s->live->w.pmx.market[at.market].match;
	const struct match_level *l =
	    match_level(m, frame_side(side, at.role), 0);

	return l == NULL ? 0 : frame_tok_px(l->px, at.role).tok_e8;
}

static void
put_quoted(struct text *t, const char *key, int64_t e8)
{
	text_lit(t, "{\"");
	text_lit(t, key);
	text_lit(t, "\":\"");
	put_e8(t, e8, 0);
	text_lit(t, "\"}");
}

static void
answer_between(const struct live_pm *s, const struct sim_request *r,
    struct token_at at, struct sim_answer *a)
{
	int64_t bid = best_e8(s, at, SIDE_BID);
	int64_t ask = best_e8(s, at, SIDE_ASK);

	if (bid == 0 || ask == 0)
		sim_answer_lit(a, 404, "{\"error\":\"no orders\"}");
	else if (http_text_is(r->path, "/spread"))
		put_quoted(&a->body, "spread", ask - bid);
	else
		put_quoted(&a->body, "mid", (bid + ask) / 2);
}

static void
answer_price(const struct live_pm *s, const struct sim_request *r,
    struct token_at at, struct sim_answer *a)
{
	char side[8];

	if (http_query_get(r->query, "side", side, sizeof(side)) <= 0 ||
	    (strcmp(side, "BUY") != 0 && strcmp(side, "SELL") != 0)) {
		sim_answer_lit(a, 400, "{\"error\":\"Invalid side\"}");
		return;
	}
	put_quoted(&a->body, "price",
	    best_e8(s, at, side[0] == 'B' ? SIDE_BID : SIDE_ASK));
}

static void
answer_last(const struct live_pm *s, struct token_at at, struct sim_answer *a)
{
	int64_t e8 =
	    s->live->w.tape.market[at.market].last_e8[at.role - ROLE_YES];

	text_lit(&a->body, "{\"price\":\"");
	put_e8(&a->body, e8 != 0 ? e8 : E8 / 2, 0);
	text_lit(&a->body, "\",\"side\":\"\"}");
}

/* Returns false when the path is another. */
static bool
answer_token(
    struct live_pm *s, const struct sim_request *r, struct sim_answer *a)
{
	static const char *const paths[] = {"/book", "/tick-size", "/neg-risk",
	    "/midpoint", "/spread", "/price", "/last-trade-price", "/fee-rate"};
	struct token_at at = token_of_query(s, r);
	size_t which = 0;

	while (which < sizeof(paths) / sizeof(paths[0]) &&
	       !http_text_is(r->path, paths[which]))
		which++;
	if (which == sizeof(paths) / sizeof(paths[0]))
		return false;
	if (at.market == PMX_NONE) {
		sim_answer_lit(a, 404, "{\"error\":\"" NO_BOOK "\"}");
		return true;
	}
	const struct pmx_terms *m = &s->live->w.pmx.market[at.market].terms;
	a->status = 200;
	switch (which) {
	case 0:
		tape_put_book(&s->live->w.tape, (uint16_t)at.market, at.role,
		    false, &a->body);
		break;
	case 1:
		text_lit(&a->body, "{\"minimum_tick_size\":");
		put_e8(&a->body, m->tick.tok_e8, 0);
		text_lit(&a->body, "}");
		break;
	case 2:
		text_lit(&a->body, m->neg_risk ? "{\"neg_risk\":true}"
					       : "{\"neg_risk\":false}");
		break;
	case 3:
	case 4: answer_between(s, r, at, a); break;
	case 5: answer_price(s, r, at, a); break;
	case 6: answer_last(s, at, a); break;
	default: /* fees are the market's, not the order's */
		text_lit(&a->body, "{\"base_fee\":0}");
	}
	return true;
}

/* POST /books: those that there are. */
static void
answer_books(
    struct live_pm *s, const struct sim_request *r, struct sim_answer *a)
{
	struct json_str key;
	struct json_str id;
	struct json j;
	uint32_t n = 0;
	bool any = false;

	text_lit(&a->body, "[");
	json_init(&j, r->body, r->body_n);
	json_array(&j);
	while (json_item(&j) && n++ < BOOKS_MAX) {
		struct token_at at = {.market = PMX_NONE};

		json_object(&j);
		while (json_key(&j, &key))
			if (!json_is(key, "token_id"))
				json_skip(&j);
			else if (json_string(&j, &id))
				at = find_token(s, id.s, id.n);
		if (at.market == PMX_NONE)
			continue;
		text_lit(&a->body, any ? "," : "");
		tape_put_book(&s->live->w.tape, (uint16_t)at.market, at.role,
		    false, &a->body);
		any = true;
	}
	text_lit(&a->body, "]");
	a->status = json_end(&j) ? 200 : 400;
}

/* ---- several tokens at once ---- */

enum several {
	SEVERAL_MIDS = 1,
	SEVERAL_SPREADS,
	SEVERAL_PRICES,
	SEVERAL_LAST,
	SEVERAL_N
};

struct asked {
	struct token_at at;
	struct json_str id;
	struct json_str side;
};

static bool
read_asked(const struct live_pm *s, struct json *j, struct asked *q)
{
	struct json_str key;

	*q = (struct asked){.at = {.market = PMX_NONE}};
	if (!json_object(j))
		return false;
	while (json_key(j, &key))
		if (json_is(key, "token_id"))
			json_string(j, &q->id);
		else if (json_is(key, "side"))
			json_string(j, &q->side);
		else
			json_skip(j);
	q->at = find_token(s, q->id.s, q->id.n);
	return q->at.market != PMX_NONE;
}

/* A member named by the token, or an entry of the list of last prices. False:
 * there is none. */
static bool
put_several(const struct live_pm *s, enum several what, const struct asked *q,
    bool any, struct text *t)
{
	int64_t bid = best_e8(s, q->at, SIDE_BID);
	int64_t ask = best_e8(s, q->at, SIDE_ASK);
	bool buys = json_is(q->side, "BUY");
	int64_t last =
	    s->live->w.tape.market[q->at.market].last_e8[q->at.role - ROLE_YES];

	if ((what == SEVERAL_MIDS || what == SEVERAL_SPREADS) &&
	    (bid == 0 || ask == 0))
		return false;
	text_lit(t, any ? "," : "");
	text_lit(t, what == SEVERAL_LAST ? "{\"token_id\":\"" : "\"");
	text_put(t, q->id.s, q->id.n);
	if (what == SEVERAL_PRICES)
		text_lit(t, buys ? "\":{\"BUY\":\"" : "\":{\"SELL\":\"");
	else
		text_lit(t, what == SEVERAL_LAST ? "\",\"price\":\"" : "\":\"");
	put_e8(t,
	    what == SEVERAL_MIDS      ? (bid + ask) / 2
	    : what == SEVERAL_SPREADS ? ask - bid
	    : what == SEVERAL_PRICES  ? (buys ? bid : ask)
	    : last != 0		      ? last
				      : E8 / 2,
	    0);
	text_lit(t, what == SEVERAL_PRICES ? "\"}"
		    : what == SEVERAL_LAST ? "\",\"side\":\"\"}"
					   : "\"");
	return true;
}

/* Returns false when the path is another. */
static bool
answer_several(
    struct live_pm *s, const struct sim_request *r, struct sim_answer *a)
{
	static const char *const paths[SEVERAL_N] = {
	    [SEVERAL_MIDS] = "/midpoints",
	    [SEVERAL_SPREADS] = "/spreads",
	    [SEVERAL_PRICES] = "/prices",
	    [SEVERAL_LAST] = "/last-trades-prices",
	};
	int what = SEVERAL_MIDS;
	struct asked q;
	struct json j;
	uint32_t n = 0;
	bool any = false;

	while (what < SEVERAL_N && !http_text_is(r->path, paths[what]))
		what++;
	if (what == SEVERAL_N)
		return false;
	text_lit(&a->body, what == SEVERAL_LAST ? "[" : "{");
	json_init(&j, r->body, r->body_n);
	json_array(&j);
	while (json_item(&j) && n++ < BOOKS_MAX)
		if (read_asked(s, &j, &q))
			any = put_several(
				  s, (enum several)what, &q, any, &a->body) ||
			      any;
	text_lit(&a->body, what == SEVERAL_LAST ? "]" : "}");
	a->status = json_end(&j) ? 200 : 400;
	return true;
}

/* GET /markets-by-token/{id} */
static void
answer_by_token(
    struct live_pm *s, const struct sim_request *r, struct sim_answer *a)
{
	size_t skip = strlen(BY_TOKEN);
	struct token_at at = find_token(s, r->path.p + skip, r->path.n - skip);
	const struct pmx_terms *t;

	if (at.market == PMX_NONE) {
		sim_answer_lit(a, 404, "{\"error\":\"market not found\"}");
		return;
	}
	t = &s->live->w.pmx.market[at.market].terms;
	a->status = 200;
	text_lit(&a->body, "{\"condition_id\":\"");
	put_cond(&a->body, &t->cond);
	text_lit(&a->body, "\",\"primary_token_id\":\"");
	put_token(&a->body, &t->token[0]);
	text_lit(&a->body, "\",\"secondary_token_id\":\"");
	put_token(&a->body, &t->token[1]);
	text_lit(&a->body, "\"}");
}

/* ---- Gamma ---- */

/* All windows, in the order they were listed. */
static uint32_t
windows(const struct world *w, const struct world_window *out[WORLD_WINDOWS])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < WORLD_WINDOWS; i++) {
		const struct world_window *v = &w->window[i];
		uint32_t at = n;

		if (v->phase == 0)
			continue;
		while (at > 0 && out[at - 1]->number > v->number) {
			out[at] = out[at - 1];
			at--;
		}
		out[at] = v;
		n++;
	}
	return n;
}

static bool
starts(struct http_text t, const char *s)
{
	size_t n = strlen(s);

	return t.n > n && memcmp(t.p, s, n) == 0;
}

static void
answer_event(
    struct live_pm *s, const struct sim_request *r, struct sim_answer *a)
{
	size_t skip = strlen("/events/slug/");
	const struct world_window *v =
	    world_window_find(&s->live->w, r->path.p + skip, r->path.n - skip);

	if (v == NULL) {
		sim_answer_lit(a, 404, NO_SLUG);
		return;
	}
	a->status = 200;
	world_put_event(&s->live->w, v, &a->body);
}

static uint64_t
query_number(const struct sim_request *r, const char *key, uint64_t otherwise)
{
	char arg[24];
	uint64_t v;
	int n = http_query_get(r->query, key, arg, sizeof(arg));

	if (n <= 0 ||
	    !json_text_u64((struct json_str){.s = arg, .n = (uint32_t)n}, &v))
		return otherwise;
	return v;
}

/* GET /events?slug= and /events/keyset; the cursor counts what came before. */
static void
answer_events(
    struct live_pm *s, const struct sim_request *r, struct sim_answer *a)
{
	bool is_page = http_text_is(r->path, "/events/keyset");
	const struct world_window *list[WORLD_WINDOWS];
	uint32_t n = windows(&s->live->w, list);
	uint64_t limit = query_number(r, "limit", PAGE_MAX);
	uint64_t at = query_number(r, is_page ? "after_cursor" : "offset", 0);
	bool any = false;
	char slug[WORLD_SLUG];

	if (http_query_get(r->query, "slug", slug, sizeof(slug)) <= 0)
		slug[0] = '\0';
	a->status = 200;
	text_lit(&a->body, is_page ? "{\"events\":[" : "[");
	for (; at < n && limit > 0; at++) {
		if (slug[0] != '\0' && strcmp(list[at]->slug, slug) != 0)
			continue;
		text_lit(&a->body, any ? "," : "");
		world_put_event(&s->live->w, list[at], &a->body);
		any = true;
		limit--;
	}
	text_lit(&a->body, "]");
	if (is_page && at < n) {
		text_lit(&a->body, ",\"next_cursor\":\"");
		put_i64(&a->body, (int64_t)at);
		text_lit(&a->body, "\"");
	}
	text_lit(&a->body, is_page ? "}" : "");
}

/* Markets are found by the rules of recorded ones. */
static void
answer_markets(
    struct live_pm *s, const struct sim_request *r, struct sim_answer *a)
{
	const struct world_window *list[WORLD_WINDOWS];
	uint32_t n = windows(&s->live->w, list);
	struct sim_request q = *r;
	struct text t;

	text_init(&t, s->gamma, sizeof(s->gamma));
	for (uint32_t i = 0; i < n; i++) {
		s->markets[i].text = t.buf + t.n;
		size_t from = t.n;
		world_put_market(&s->live->w, list[i], &t);
		s->markets[i].n = (uint32_t)(t.n - from);
	}
	CHECK(text_end(&t) > 0); /* some 2 KB a window */
	q.markets = s->markets;
	q.market_n = n;
	sim_polymarket.request(&s->pm, &q, a);
}

void
live_pm_public(
    struct live_pm *s, const struct sim_request *r, struct sim_answer *a)
{
	bool is_get = http_text_is(r->method, "GET");

	if (http_text_is(r->method, "POST") && http_text_is(r->path, "/books"))
		answer_books(s, r, a);
	else if (http_text_is(r->method, "POST") && answer_several(s, r, a))
		return;
	else if (is_get && starts(r->path, BY_TOKEN))
		answer_by_token(s, r, a);
	else if (is_get && http_text_is(r->path, "/"))
		sim_answer_lit(a, 200, "\"OK\"");
	else if (is_get && answer_token(s, r, a))
		return;
	else if (is_get && starts(r->path, "/events/slug/"))
		answer_event(s, r, a);
	else if (is_get && (http_text_is(r->path, "/events/keyset") ||
			       http_text_is(r->path, "/events")))
		answer_events(s, r, a);
	else
		answer_markets(s, r, a);
}
