#include "libvenue/gamma.h"

#include "libcore/check.h"

enum answer_state {
	ANSWER_START = 1,
	ANSWER_LIST,
	ANSWER_INNER, /* in the markets of one item of the list */
	ANSWER_DONE,
};

#define LIST_MAX      2
#define LIST_TEXT_MAX 512
#define MIN_SIZE_MAX  (INT64_C(1000000) * E8)
#define FEE_RATE_MAX  E8
#define USD_SCALE     6
#define USD_E6_MAX    (INT64_C(100000000000) * E6)

/* Up to two strings; their text lies in the answer, or in buf when it came
 * as JSON inside a string. */
struct list {
	struct json_str item[LIST_MAX];
	uint32_t n;
	bool too_long;
	char buf[LIST_TEXT_MAX];
};

struct scan {
	struct json *j;
	struct gamma_market *m;
	struct list tokens;
	struct list outcomes;
	struct list prices;
	bool has_liquidity_num;
	bool has_volume_num;
	int64_t event_start_ns; /* of the event, when the market has none */
};

/* ---- values ---- */

static bool
list_items(struct json *j, struct list *l)
{
	struct json_str text;

	l->n = 0;
	if (!json_array(j))
		return false;
	while (json_item(j)) {
		if (json_peek(j) == JSON_STRING)
			json_string(j, &text);
		else
			json_raw(j, &text);
		if (j->reason != REASON_NONE)
			return false;
		l->too_long |= l->n == LIST_MAX;
		if (l->n < LIST_MAX)
			l->item[l->n++] = text;
	}
	return j->reason == REASON_NONE;
}

/* An array, or its text inside a string; an empty string is no list. */
static bool
list_value(struct json *j, struct list *l)
{
	struct json inner;
	struct json_str text;

	if (json_peek(j) != JSON_STRING)
		return list_items(j, l);
	if (!json_string(j, &text) || text.n == 0)
		return j->reason == REASON_NONE;
	size_t n = json_unescape(text, l->buf, sizeof(l->buf));

	if (n == SIZE_MAX) {
		l->too_long = true;
		return true;
	}
	json_init(&inner, l->buf, n);
	if (list_items(&inner, l) && json_end(&inner))
		return true;
	j->pos = text.s;
	return json_fail(j, inner.reason);
}

static bool
time_value(struct json *j, int64_t *ns)
{
	struct json_str text;

	if (!json_string(j, &text) || text.n == 0)
		return j->reason == REASON_NONE;
	if (gamma_parse_time(text.s, text.n, ns))
		return true;
	j->pos = text.s;
	return json_fail(j, REASON_BAD_NUMBER);
}

static bool
cond_value(struct json *j, struct pm_cond *out)
{
	struct json_str text;

	if (!json_string(j, &text) || text.n == 0)
		return j->reason == REASON_NONE;
	if (pm_cond_parse(text.s, text.n, out))
		return true;
	j->pos = text.s;
	return json_fail(j, REASON_BAD_NUMBER);
}

/* Dollars for ranking and display: cut at 1e-6, and zero when they are not
 * a plain amount. */
static bool
usd_value(struct json *j, usd_t *out)
{
	struct json_str text;
	bool quoted = json_peek(j) == JSON_STRING;

	if (!(quoted ? json_string(j, &text) : json_raw(j, &text)))
		return false;
	const char *dot = memchr(text.s, '.', text.n);
	size_t n = text.n;

	if (dot != NULL && (size_t)(dot - text.s) + 1 + USD_SCALE < n)
		n = (size_t)(dot - text.s) + 1 + USD_SCALE;
	out->e6 = 0;
	if (memchr(text.s, 'e', text.n) == NULL)
		(void)fixed_parse(
		    text.s, n, USD_SCALE, false, USD_E6_MAX, &out->e6);
	return true;
}

static bool
fee_value(struct json *j, struct gamma_market *m)
{
	struct json_str key;
	uint64_t exponent = 0;

	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "rate"))
			json_e8(j, FEE_RATE_MAX, &m->fee_rate_e8);
		else if (json_is(key, "exponent"))
			json_u64(j, &exponent);
		else if (json_is(key, "takerOnly") ||
			 json_is(key, "taker_only"))
			json_bool(j, &m->fee_taker_only);
		else if (json_is(key, "rebateRate") ||
			 json_is(key, "rebate_rate"))
			json_e8(j, FEE_RATE_MAX, &m->rebate_rate_e8);
		else
			json_skip(j);
	}
	if (exponent > 16)
		return json_fail(j, REASON_BAD_NUMBER);
	m->fee_exponent = (uint32_t)exponent;
	m->has_fee = true;
	return j->reason == REASON_NONE;
}

/* The first of the market's events. */
static bool
events_value(struct scan *s)
{
	struct json *j = s->j;
	struct gamma_market *m = s->m;
	struct json_str key;

	if (!json_array(j))
		return false;
	for (bool first = true; json_item(j); first = false) {
		if (!first || json_peek(j) != JSON_OBJECT) {
			json_skip(j);
			continue;
		}
		json_object(j);
		while (json_key(j, &key)) {
			if (json_peek(j) != JSON_STRING)
				json_skip(j);
			else if (json_is(key, "id"))
				json_string(j, &m->event_id);
			else if (json_is(key, "seriesSlug"))
				json_string(j, &m->series_slug);
			else if (json_is(key, "startTime"))
				time_value(j, &s->event_start_ns);
			else
				json_skip(j);
		}
	}
	return j->reason == REASON_NONE;
}

/* ---- fields; each group gives false when the key is not one of its ---- */

static bool
text_key(struct scan *s, struct json_str key)
{
	struct gamma_market *m = s->m;
	struct json_str *out =
	    json_is(key, "id")			  ? &m->id
	    : json_is(key, "slug")		  ? &m->slug
	    : json_is(key, "question")		  ? &m->question
	    : json_is(key, "description")	  ? &m->description
	    : json_is(key, "resolutionSource")	  ? &m->resolution_source
	    : json_is(key, "umaResolutionStatus") ? &m->uma_status
						  : NULL;

	if (out == NULL)
		return false;
	json_string(s->j, out);
	return true;
}

static bool
flag_key(struct scan *s, struct json_str key)
{
	struct gamma_market *m = s->m;
	bool *out = json_is(key, "active")	      ? &m->active
		    : json_is(key, "closed")	      ? &m->closed
		    : json_is(key, "acceptingOrders") ? &m->accepting_orders
		    : json_is(key, "enableOrderBook") ? &m->enable_order_book
		    : json_is(key, "negRisk")	      ? &m->neg_risk
		    : json_is(key, "neg_risk")	      ? &m->neg_risk
		    : json_is(key, "feesEnabled")     ? &m->fees_enabled
		    : json_is(key, "fees_enabled")    ? &m->fees_enabled
						      : NULL;

	if (out == NULL)
		return false;
	json_bool(s->j, out);
	return true;
}

static bool
id_key(struct scan *s, struct json_str key)
{
	struct gamma_market *m = s->m;

	if (json_is(key, "conditionId") || json_is(key, "condition_id") ||
	    json_is(key, "market"))
		cond_value(s->j, &m->cond);
	else if (json_is(key, "negRiskMarketID"))
		cond_value(s->j, &m->neg_risk_id);
	else if (json_is(key, "clobTokenIds") ||
		 json_is(key, "clob_token_ids") || json_is(key, "assets_ids"))
		list_value(s->j, &s->tokens);
	else if (json_is(key, "outcomes"))
		list_value(s->j, &s->outcomes);
	else if (json_is(key, "outcomePrices"))
		list_value(s->j, &s->prices);
	else if (json_is(key, "events"))
		events_value(s);
	else
		return false;
	return true;
}

static bool
number_key(struct scan *s, struct json_str key)
{
	struct gamma_market *m = s->m;

	if (json_is(key, "orderPriceMinTickSize") ||
	    json_is(key, "order_price_min_tick_size"))
		json_e8(s->j, E8, &m->tick.tok_e8);
	else if (json_is(key, "orderMinSize") || json_is(key, "order_min_size"))
		json_e8(s->j, MIN_SIZE_MAX, &m->min_size.e8);
	else if (json_is(key, "startDate"))
		time_value(s->j, &m->listed_ns);
	else if (json_is(key, "eventStartTime"))
		time_value(s->j, &m->start_ns);
	else if (json_is(key, "endDate"))
		time_value(s->j, &m->end_ns);
	else if (json_is(key, "liquidityNum"))
		s->has_liquidity_num = usd_value(s->j, &m->liquidity);
	else if (json_is(key, "liquidity") && !s->has_liquidity_num)
		usd_value(s->j, &m->liquidity);
	else if (json_is(key, "volumeNum"))
		s->has_volume_num = usd_value(s->j, &m->volume);
	else if (json_is(key, "volume") && !s->has_volume_num)
		usd_value(s->j, &m->volume);
	else if (json_is(key, "feeSchedule") || json_is(key, "fee_schedule"))
		fee_value(s->j, m);
	else
		return false;
	return true;
}

/* ---- one market ---- */

/* Index of YES in the outcomes, -1 when they are not a pair we know. */
static int
yes_index(const struct list *l, bool *is_updown)
{
	static const char *const pairs[2][2] = {{"Yes", "No"}, {"Up", "Down"}};

	if (l->n != 2 || l->too_long)
		return -1;
	for (int p = 0; p < 2; p++)
		for (int yes = 0; yes < 2; yes++) {
			struct json_str a = l->item[yes];
			struct json_str b = l->item[1 - yes];

			if (a.n != strlen(pairs[p][0]) ||
			    b.n != strlen(pairs[p][1]) ||
			    memcmp(a.s, pairs[p][0], a.n) != 0 ||
			    memcmp(b.s, pairs[p][1], b.n) != 0)
				continue;
			*is_updown = p == 1;
			return yes;
		}
	return -1;
}

/*
 *   1. no conditionId or slug        MISSING_FIELD
 *   2. outcomes missing              hydrating: no tokens, not refused
 *   3. outcomes of other names       UNSUPPORTED
 *   4. token ids missing             hydrating
 *   5. token ids not two, not ids    UNSUPPORTED, BAD_NUMBER
 */
static enum reason
market_end(struct scan *s)
{
	struct gamma_market *m = s->m;
	struct list *t = &s->tokens;
	int64_t px;

	if (m->cond.n == 0 || m->slug.n == 0)
		return REASON_MISSING_FIELD;
	if (m->start_ns == 0)
		m->start_ns = s->event_start_ns;
	if (s->outcomes.n == 0 && !s->outcomes.too_long)
		return REASON_NONE;
	int yes = yes_index(&s->outcomes, &m->is_updown);

	if (yes < 0)
		return REASON_UNSUPPORTED;
	if (s->prices.n == 2 && !s->prices.too_long) {
		struct json_str p = s->prices.item[yes];

		m->has_outcome_px = fixed_parse(p.s, p.n, 8, false, E8, &px);
		m->yes_px = PX(m->has_outcome_px ? px : 0);
	}
	if (t->n == 0 && !t->too_long)
		return REASON_NONE;
	if (t->n != 2 || t->too_long)
		return REASON_UNSUPPORTED;
	if (!pm_token_parse(t->item[yes].s, t->item[yes].n, &m->yes) ||
	    !pm_token_parse(t->item[1 - yes].s, t->item[1 - yes].n, &m->no))
		return REASON_BAD_NUMBER;
	m->has_tokens = true;
	return REASON_NONE;
}

/* text is one well-formed value. */
static enum gamma_kind
market(struct gamma_market *m, struct json_str text, const char *start)
{
	struct json j;
	struct json_str key;
	struct scan s = {.j = &j, .m = m};

	memset(m, 0, sizeof(*m));
	json_sub(&j, text.s, text.n);
	json_object(&j);
	while (json_key(&j, &key)) {
		if (json_peek(&j) == JSON_NULL) {
			json_null(&j);
			continue;
		}
		if (!text_key(&s, key) && !flag_key(&s, key) &&
		    !id_key(&s, key) && !number_key(&s, key))
			json_skip(&j);
	}
	m->reason = j.reason != REASON_NONE ? j.reason : market_end(&s);
	if (m->reason == REASON_NONE)
		return GAMMA_MARKET;
	m->err_off = (uint32_t)((j.reason ? j.err : text.s) - start);
	return GAMMA_REFUSED;
}

/* ---- answers ---- */

void
gamma_init(struct gamma_answer *g, const char *text, size_t n)
{
	json_init(&g->j, text, n);
	g->start = text;
	g->state = ANSWER_START;
}

static enum gamma_kind
failed(struct gamma_answer *g, struct gamma_market *m)
{
	CHECK(g->j.reason != REASON_NONE);
	memset(m, 0, sizeof(*m));
	m->reason = g->j.reason;
	m->err_off = (uint32_t)(g->j.err - g->start);
	g->state = ANSWER_DONE;
	return GAMMA_ERR;
}

/* The list inside an object that is an event or a page and no market: its
 * "markets", else its "events". text is one well-formed value. */
static bool
list_inside(struct json_str text, struct json *out)
{
	struct json j;
	struct json_str key;
	struct json_str raw;
	struct json_str markets = {0};
	struct json_str events = {0};

	json_sub(&j, text.s, text.n);
	if (json_peek(&j) != JSON_OBJECT || !json_object(&j))
		return false;
	while (json_key(&j, &key)) {
		bool list = json_peek(&j) == JSON_ARRAY;

		if (json_is(key, "conditionId") || !json_raw(&j, &raw))
			return false;
		if (list && json_is(key, "markets"))
			markets = raw;
		else if (list && json_is(key, "events"))
			events = raw;
	}
	if (markets.n == 0)
		markets = events;
	if (markets.n == 0)
		return false;
	json_sub(out, markets.s, markets.n);
	return json_array(out);
}

/* The only object of the answer, checked to its last byte. */
static enum gamma_kind
object_first(struct gamma_answer *g, struct gamma_market *m)
{
	struct json_str all;
	struct json list;

	if (!json_raw(&g->j, &all) || !json_end(&g->j))
		return failed(g, m);
	if (list_inside(all, &list)) {
		g->j = list;
		g->state = ANSWER_LIST;
		return GAMMA_END;
	}
	g->state = ANSWER_DONE;
	return market(m, all, g->start);
}

/* The next item of the list: a market, or an event, which is entered. */
static enum gamma_kind
list_next(struct gamma_answer *g, struct gamma_market *m)
{
	struct json_str text;

	while (json_item(&g->j)) {
		if (!json_raw(&g->j, &text))
			return failed(g, m);
		if (!list_inside(text, &g->inner))
			return market(m, text, g->start);
		if (json_item(&g->inner)) {
			g->state = ANSWER_INNER;
			json_raw(&g->inner, &text);
			return market(m, text, g->start);
		}
	}
	if (!json_end(&g->j))
		return failed(g, m);
	g->state = ANSWER_DONE;
	return GAMMA_END;
}

enum gamma_kind
gamma_next(struct gamma_answer *g, struct gamma_market *m)
{
	struct json_str text;

	CHECK(g->state >= ANSWER_START);
	CHECK(g->state <= ANSWER_DONE);
	if (g->state == ANSWER_START && json_peek(&g->j) == JSON_OBJECT) {
		enum gamma_kind kind = object_first(g, m);

		if (kind != GAMMA_END)
			return kind;
	} else if (g->state == ANSWER_START) {
		if (!json_array(&g->j))
			return failed(g, m);
		g->state = ANSWER_LIST;
	}
	if (g->state == ANSWER_INNER) {
		if (json_item(&g->inner)) {
			json_raw(&g->inner, &text);
			return market(m, text, g->start);
		}
		g->state = ANSWER_LIST;
	}
	return g->state == ANSWER_LIST ? list_next(g, m) : GAMMA_END;
}

enum gamma_kind
gamma_decode(struct gamma_market *m, const char *text, size_t n)
{
	struct gamma_answer g;
	struct json_str all;

	gamma_init(&g, text, n);
	if (!json_raw(&g.j, &all) || !json_end(&g.j))
		return failed(&g, m);
	return market(m, all, text);
}
