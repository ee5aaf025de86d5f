#define _GNU_SOURCE
/* Polymarket's public REST calls: the order book's and Gamma's. */
#include <string.h>

#include "libsys/clock.h"
#include "libvenue/gamma.h"
#include "simvenue/polymarket.h"

#define TOKEN_ARG_MAX 128
#define SLUG_MAX      128
#define PAGE_MAX      100
#define BOOKS_MAX     500
#define STRIKE_AGE_NS                                          \
	(10 * NS_PER_S) /* of a price that stands for a second \
			 */
#define NOT_FOUND \
	"{\"error\":\"No orderbook exists for the requested token id\"}"
#define NO_SLUG "{\"type\":\"not found error\",\"error\":\"slug not found\"}"

/* ---- the order book ---- */

static void
answer_book(struct sim_pm *s, int asset, struct sim_answer *a)
{
	if (asset < 0 || !s->assets[asset].has_book) {
		sim_answer_lit(a, 404, NOT_FOUND);
		return;
	}
	a->status = 200;
	sim_pm_put_book(s, (uint32_t)asset, false, &a->body);
	text_lit(&a->body, "\n");
}

static int
asset_of_query(const struct sim_pm *s, const struct sim_request *r)
{
	char arg[TOKEN_ARG_MAX];
	struct pm_token token;
	int n = http_query_get(r->query, "token_id", arg, sizeof(arg));
	if (n <= 0 || !pm_token_parse(arg, (size_t)n, &token))
		return -1;
	return sim_pm_find(s, &token);
}

static void
answer_meta(
    const struct sim_pm *s, const struct sim_request *r, struct sim_answer *a)
{
	int i = asset_of_query(s, r);
	if (i < 0) {
		sim_answer_lit(a, 404, NOT_FOUND);
		return;
	}
	const struct pm_meta *m = &s->assets[i].meta;
	a->status = 200;
	if (http_text_is(r->path, "/tick-size")) {
		text_lit(&a->body, "{\"minimum_tick_size\":");
		if (m->has_tick)
			text_put(&a->body, m->tick.s, m->tick.n);
		else
			text_lit(&a->body, "0.01");
		text_lit(&a->body, "}");
	} else {
		text_lit(&a->body, m->neg_risk == PM_NEG_RISK_TRUE
				       ? "{\"neg_risk\":true}"
				       : "{\"neg_risk\":false}");
	}
}

/* POST /books: those that there are. */
static void
answer_books(
    struct sim_pm *s, const struct sim_request *r, struct sim_answer *a)
{
	struct json j;
	struct json_str key;
	struct json_str id;
	struct pm_token token;
	uint32_t n = 0;
	bool any = false;
	a->status = 200;
	text_lit(&a->body, "[");
	json_init(&j, r->body, r->body_n);
	if (!json_array(&j))
		a->status = 400;
	while (a->status == 200 && json_item(&j) && n++ < BOOKS_MAX) {
		int asset = -1;
		if (!json_object(&j))
			break;
		while (json_key(&j, &key)) {
			if (!json_is(key, "token_id"))
				json_skip(&j);
			else if (json_string(&j, &id) &&
				 pm_token_parse(id.s, id.n, &token))
				asset = sim_pm_find(s, &token);
		}
		if (asset < 0 || !s->assets[asset].has_book)
			continue;
		text_lit(&a->body, any ? "," : "");
		sim_pm_put_book(s, (uint32_t)asset, false, &a->body);
		any = true;
	}
	text_lit(&a->body, "]");
	if (j.reason != REASON_NONE)
		a->status = 400;
}

/* ---- Gamma ---- */

static bool
market_has_slug(const struct sim_market *m, const char *slug, size_t slug_n)
{
	struct json j;
	struct json_str key;
	struct json_str s;
	json_init(&j, m->text, m->n);
	if (!json_object(&j))
		return false;
	while (json_key(&j, &key)) {
		if (json_is(key, "slug") && json_string(&j, &s))
			return s.n == slug_n && memcmp(s.s, slug, slug_n) == 0;
		json_skip(&j);
	}
	return false;
}

static void
put_markets(const struct sim_request *r, const char *slug, size_t slug_n,
    struct text *t)
{
	bool any = false;
	text_lit(t, "[");
	for (size_t i = 0; i < r->market_n; i++) {
		const struct sim_market *m = &r->markets[i];
		if (slug != NULL && !market_has_slug(m, slug, slug_n))
			continue;
		if (any)
			text_lit(t, ",");
		text_put(t, m->text, m->n);
		any = true;
	}
	text_lit(t, "]");
}

static bool
market_read(const struct sim_market *m, struct gamma_market *out)
{
	struct gamma_answer g;
	gamma_init(&g, m->text, m->n);
	return gamma_next(&g, out) == GAMMA_MARKET;
}

static const struct sim_market *
find_slug(const struct sim_request *r, size_t skip)
{
	for (size_t i = 0; i < r->market_n; i++) {
		if (market_has_slug(
			&r->markets[i], r->path.p + skip, r->path.n - skip))
			return &r->markets[i];
	}
	return NULL;
}

static void
answer_slug(const struct sim_request *r, struct sim_answer *a)
{
	const struct sim_market *m = find_slug(r, sizeof("/markets/slug/") - 1);
	if (m == NULL) {
		sim_answer_lit(a, 404, NO_SLUG);
		return;
	}
	a->status = 200;
	text_put(&a->body, m->text, m->n);
}

/* ---- prices that settle ---- */

void
sim_pm_note_prices(struct sim_pm *s)
{
	s->has_average |= s->rtds.source == RTDS_TWAP60;
	for (uint32_t i = 0; i < s->rtds.points_n; i++) {
		struct sim_pm_price *p =
		    &s->prices[s->price_n++ % SIM_PM_PRICES_MAX];
		p->source = s->rtds.source;
		memcpy(p->symbol, s->rtds.symbol, sizeof(p->symbol));
		p->venue_ns = s->rtds.points[i].venue_ns;
		p->px = s->rtds.points[i].px;
	}
}

/* The price of that second: the average before the stream of single prices,
 * the last one at or before it. */
static bool
price_at(
    const struct sim_pm *s, struct json_str asset, int64_t at_ns, px_t *out)
{
	const struct sim_pm_price *best = NULL;
	uint32_t n =
	    s->price_n < SIM_PM_PRICES_MAX ? s->price_n : SIM_PM_PRICES_MAX;
	for (uint32_t i = 0; i < n; i++) {
		const struct sim_pm_price *p = &s->prices[i];
		if (strncmp(p->symbol, asset.s, asset.n) != 0 ||
		    p->symbol[asset.n] != '/' || p->venue_ns > at_ns ||
		    p->venue_ns < at_ns - STRIKE_AGE_NS)
			continue;
		if (best == NULL || p->source > best->source ||
		    (p->source == best->source && p->venue_ns > best->venue_ns))
			best = p;
	}
	if (best != NULL)
		*out = best->px;
	return best != NULL;
}

static void
put_price(struct text *t, const char *key, px_t px, bool *any)
{
	text_lit(t, *any ? "," : ",\"eventMetadata\":{");
	text_lit(t, key);
	put_e8(t, px.e8, 1);
	*any = true;
}

/* What is known by now: the strike once the window is open, the final price
 * once it is over. */
static void
put_metadata(const struct sim_pm *s, const struct sim_request *r,
    const struct gamma_market *g, struct text *t)
{
	struct json_str asset = {.s = g->slug.s, .n = 0};
	px_t px;
	bool any = false;
	while (asset.n < g->slug.n && asset.s[asset.n] != '-')
		asset.n++;
	if (!g->is_updown || g->start_ns == 0)
		return;
	if (r->now_ns >= g->start_ns) {
		if (g->event.has_strike)
			put_price(
			    t, "\"priceToBeat\":", g->event.strike_px, &any);
		else if (price_at(s, asset, g->start_ns, &px))
			put_price(t, "\"priceToBeat\":", px, &any);
	}
	if (r->now_ns >= g->end_ns && price_at(s, asset, g->end_ns, &px))
		put_price(t, "\"finalPrice\":", px, &any);
	if (any)
		text_lit(t, "}");
}

static void
put_date(struct text *t, const char *key, int64_t ns)
{
	char date[CLOCK_DATE_SZ];
	if (ns <= 0)
		return;
	(void)clock_format_utc((uint64_t)ns, date);
	text_lit(t, key);
	text_lit(t, date);
	text_lit(t, "\"");
}

/* The event of one market. */
static bool
put_event(struct sim_pm *s, const struct sim_request *r,
    const struct sim_market *m, struct text *t)
{
	struct gamma_market *g = &s->gamma;
	if (!market_read(m, g))
		return false;
	struct json_str id = g->event.id.n > 0 ? g->event.id : g->id;
	text_lit(t, "{\"id\":\"");
	text_put(t, id.s, id.n);
	text_lit(t, "\",\"slug\":\"");
	text_put(t, g->slug.s, g->slug.n);
	text_lit(t, "\",\"title\":\"");
	text_put(t, g->question.s, g->question.n);
	text_lit(t, "\"");
	put_date(t, ",\"startTime\":\"", g->start_ns);
	put_date(t, ",\"endDate\":\"", g->end_ns);
	if (g->event.series_slug.n > 0) {
		text_lit(t, ",\"seriesSlug\":\"");
		text_put(t, g->event.series_slug.s, g->event.series_slug.n);
		text_lit(t, "\"");
	}
	text_lit(t, g->closed ? ",\"closed\":true" : ",\"closed\":false");
	text_lit(t, g->neg_risk ? ",\"negRisk\":true" : ",\"negRisk\":false");
	put_metadata(s, r, g, t);
	text_lit(t, ",\"markets\":[");
	text_put(t, m->text, m->n);
	text_lit(t, "]}");
	return true;
}

static void
answer_event_slug(
    struct sim_pm *s, const struct sim_request *r, struct sim_answer *a)
{
	const struct sim_market *m = find_slug(r, sizeof("/events/slug/") - 1);
	a->status = 200;
	if (m == NULL || !put_event(s, r, m, &a->body)) {
		a->body.n = 0;
		sim_answer_lit(a, 404, NO_SLUG);
	}
}

/* ---- pages ---- */

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

/* The cursor is the number of what came before; others never see inside. */
static void
answer_keyset(struct sim_pm *s, const struct sim_request *r, bool are_events,
    struct sim_answer *a)
{
	uint64_t limit = query_number(r, "limit", PAGE_MAX);
	uint64_t at = query_number(r, "after_cursor", 0);
	bool any = false;
	if (limit == 0 || limit > PAGE_MAX)
		limit = PAGE_MAX;
	a->status = 200;
	text_lit(&a->body, are_events ? "{\"events\":[" : "{\"markets\":[");
	for (; at < r->market_n && limit > 0; at++, limit--) {
		const struct sim_market *m = &r->markets[at];
		size_t before = a->body.n;
		text_lit(&a->body, any ? "," : "");
		if (!are_events)
			text_put(&a->body, m->text, m->n);
		else if (!put_event(s, r, m, &a->body)) {
			a->body.n = before;
			continue;
		}
		any = true;
	}
	text_lit(&a->body, "]");
	if (at < r->market_n) {
		text_lit(&a->body, ",\"next_cursor\":\"");
		put_i64(&a->body, (int64_t)at);
		text_lit(&a->body, "\"");
	}
	text_lit(&a->body, "}");
}

static void
answer_markets(const struct sim_request *r, struct sim_answer *a)
{
	char slug[SLUG_MAX];
	int n = http_query_get(r->query, "slug", slug, sizeof(slug));
	a->status = 200;
	if (query_number(r, "offset", 0) != 0)
		text_lit(&a->body, "[]");
	else
		put_markets(
		    r, n > 0 ? slug : NULL, n > 0 ? (size_t)n : 0, &a->body);
}

/* ---- a market by its condition ---- */

static void
put_side_of(const struct sim_pm *s, const struct gamma_market *g, bool is_yes,
    bool is_terse, struct text *t)
{
	char id[PM_TOKEN_TEXT_MAX];
	const struct pm_token *token = is_yes ? &g->yes : &g->no;
	const char *name =
	    g->is_updown ? (is_yes ? "Up" : "Down") : (is_yes ? "Yes" : "No");
	int i = sim_pm_find(s, token);
	text_lit(t, is_terse ? "{\"t\":\"" : "{\"token_id\":\"");
	text_put(t, id, pm_token_format(token, id));
	text_lit(t, is_terse ? "\",\"o\":\"" : "\",\"outcome\":\"");
	text_lit(t, name);
	text_lit(t, "\"");
	if (!is_terse) {
		const struct sim_pm_side *b =
		    i >= 0 ? &s->assets[i].bids : NULL;
		text_lit(t, ",\"price\":");
		put_e8(t, b != NULL && b->n > 0 ? b->levels[b->n - 1].px_e8 : 0,
		    0);
		text_lit(t, ",\"winner\":false");
	}
	text_lit(t, "}");
}

static void
put_terms(const struct gamma_market *g, bool is_terse, struct text *t)
{
	text_lit(t, is_terse ? ",\"mts\":" : ",\"minimum_tick_size\":");
	put_e8(t, g->tick.tok_e8, 0);
	text_lit(t, is_terse ? ",\"mos\":" : ",\"minimum_order_size\":");
	put_e8(t, g->min_size.e8, 0);
	text_lit(t, is_terse ? ",\"nr\":" : ",\"neg_risk\":");
	text_lit(t, g->neg_risk ? "true" : "false");
	text_lit(t, is_terse ? ",\"ao\":" : ",\"accepting_orders\":");
	text_lit(t, g->accepting_orders ? "true" : "false");
	if (!is_terse) {
		text_lit(
		    t, g->active ? ",\"active\":true" : ",\"active\":false");
		text_lit(
		    t, g->closed ? ",\"closed\":true" : ",\"closed\":false");
		text_lit(t, ",\"enable_order_book\":true,"
			    "\"market_slug\":\"");
		text_put(t, g->slug.s, g->slug.n);
		text_lit(t, "\"");
		put_date(t, ",\"end_date_iso\":\"", g->end_ns);
	} else if (g->has_fee) {
		text_lit(t, ",\"fd\":{\"r\":");
		put_e8(t, g->fee_rate_e8, 0);
		text_lit(t, ",\"e\":");
		put_i64(t, g->fee_exponent);
		text_lit(
		    t, g->fee_taker_only ? ",\"to\":true}" : ",\"to\":false}");
	}
	text_lit(t, "}");
}

static void
answer_cond(struct sim_pm *s, const struct sim_request *r, size_t skip,
    bool is_terse, struct sim_answer *a)
{
	char cond[PM_COND_TEXT_MAX];
	struct gamma_market *g = &s->gamma;
	struct text *t = &a->body;
	for (size_t i = 0; i < r->market_n; i++) {
		if (!market_read(&r->markets[i], g))
			continue;
		size_t n = pm_cond_format(&g->cond, cond);
		if (n != r->path.n - skip ||
		    memcmp(cond, r->path.p + skip, n) != 0)
			continue;
		a->status = 200;
		text_lit(t, is_terse ? "{\"c\":\"" : "{\"condition_id\":\"");
		text_put(t, cond, n);
		text_lit(t, is_terse ? "\",\"t\":[" : "\",\"tokens\":[");
		put_side_of(s, g, true, is_terse, t);
		text_lit(t, ",");
		put_side_of(s, g, false, is_terse, t);
		text_lit(t, "]");
		put_terms(g, is_terse, t);
		return;
	}
	sim_answer_lit(a, 404, "{\"error\":\"market not found\"}");
}

/* ---- which call ---- */

static bool
is_below(const struct sim_request *r, const char *path)
{
	size_t n = strlen(path);
	return r->path.n > n && memcmp(r->path.p, path, n) == 0;
}

/* Returns false when it is none of Gamma's. */
static bool
answer_gamma(
    struct sim_pm *s, const struct sim_request *r, struct sim_answer *a)
{
	if (is_below(r, "/markets/slug/"))
		answer_slug(r, a);
	else if (is_below(r, "/events/slug/"))
		answer_event_slug(s, r, a);
	else if (http_text_is(r->path, "/markets/keyset"))
		answer_keyset(s, r, false, a);
	else if (http_text_is(r->path, "/events/keyset"))
		answer_keyset(s, r, true, a);
	else if (http_text_is(r->path, "/markets"))
		answer_markets(r, a);
	else
		return false;
	return true;
}

void
sim_pm_request(void *state, const struct sim_request *r, struct sim_answer *a)
{
	struct sim_pm *s = state;
	if (http_text_is(r->method, "POST") &&
	    http_text_is(r->path, "/books")) {
		answer_books(s, r, a);
	} else if (!http_text_is(r->method, "GET")) {
		sim_answer_lit(a, 405, "{\"error\":\"method not allowed\"}");
	} else if (http_text_is(r->path, "/book")) {
		answer_book(s, asset_of_query(s, r), a);
	} else if (http_text_is(r->path, "/tick-size") ||
		   http_text_is(r->path, "/neg-risk")) {
		answer_meta(s, r, a);
	} else if (http_text_is(r->path, "/time")) {
		a->status = 200;
		put_i64(&a->body, r->now_ns / NS_PER_S);
	} else if (http_text_is(r->path, "/ok")) {
		sim_answer_lit(a, 200, "\"OK\"");
	} else if (http_text_is(r->path, "/version")) {
		sim_answer_lit(a, 200, "{\"version\":2}");
	} else if (answer_gamma(s, r, a)) {
		return;
	} else if (is_below(r, "/clob-markets/")) {
		answer_cond(s, r, sizeof("/clob-markets/") - 1, true, a);
	} else if (is_below(r, "/markets/")) {
		answer_cond(s, r, sizeof("/markets/") - 1, false, a);
	} else {
		sim_answer_lit(a, 404, "{\"error\":\"not found\"}");
	}
}
