#include "libvenue/gamma.h"

#include "libcore/check.h"
#include "libvenue/gamma_read.h"
#include "libvenue/pm_fields.h"
#include "libvenue/pm_outcome.h"

enum answer_state {
	ANSWER_START = 1,
	ANSWER_LIST,
	ANSWER_INNER, /* in the markets of one item of the list */
	ANSWER_DONE,
};

#define MIN_SIZE_MAX (INT64_C(1000000) * E8)
#define EXPONENT_MAX 16

struct scan {
	struct json *j;
	struct gamma_market *m;
	struct json_str version;
	bool has_neg_risk;
	bool has_liquidity_num;
	bool has_volume_num;
	struct pm_list classic;	  /* clobTokenIds */
	struct pm_list positions; /* positionIds */
	struct pm_list assets;	  /* assets_ids: either, for the channel */
	struct pm_list outcomes;
	struct pm_list prices;
};

/* The lists without their buffers, which are large. */
static void
list_clear(struct scan *s)
{
	struct pm_list *const all[] = {
	    &s->classic, &s->positions, &s->assets, &s->outcomes, &s->prices};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		all[i]->n = 0;
		all[i]->too_long = false;
	}
}

/* ---- values ---- */

#define FIELD(key_, type_, to_) PM_FIELD(key_, type_, 0, gamma_market, to_)

static bool
fee_value(struct json *j, struct gamma_market *m)
{
	static const struct pm_field table[] = {
	    PM_FIELD("rate", FRAC, 1, gamma_market, fee_rate_e8),
	    FIELD("exponent", U32, fee_exponent),
	    FIELD("takerOnly", BOOL, fee_taker_only),
	    FIELD("taker_only", BOOL, fee_taker_only),
	    FIELD("rebateRate", FRAC, rebate_rate_e8),
	    FIELD("rebate_rate", FRAC, rebate_rate_e8),
	};
	static const struct pm_fields fields = {
	    table, sizeof(table) / sizeof(table[0]), NULL};
	uint32_t has;

	if (!pm_fields_read(j, &fields, m, &has))
		return false;
	if (m->fee_exponent > EXPONENT_MAX)
		return json_fail(j, REASON_BAD_NUMBER);
	m->has_fee = has != 0;
	return true;
}

/* clobRewards: programmes, each with its daily rate in dollars. */
static bool
rewards_value(struct json *j, usd_t *sum)
{
	struct json_str key;
	usd_t rate;

	if (!json_array(j))
		return false;
	while (json_item(j) && json_object(j))
		while (json_key(j, &key))
			if (!json_is(key, "rewardsDailyRate"))
				json_skip(j);
			else if (!pm_value_absent(j) &&
				 pm_value_usd(j, &rate) &&
				 sum->e6 <= INT64_MAX / 2)
				sum->e6 += rate.e6;
	return j->reason == REASON_NONE;
}

/* The history of proposals, a list as text or a real one. */
static bool
history_value(struct json *j, struct gamma_market *m)
{
	struct json_str text;

	if (json_peek(j) == JSON_STRING ? !json_string(j, &text)
					: !json_raw(j, &text))
		return false;
	for (uint32_t i = 0; i + 8 <= text.n; i++) {
		m->uma_proposed_n += memcmp(text.s + i, "proposed", 8) == 0;
		m->uma_disputed |= memcmp(text.s + i, "disputed", 8) == 0;
	}
	return true;
}

/* The first of the market's events. */
static bool
events_value(struct scan *s)
{
	struct json *j = s->j;

	if (!json_array(j))
		return false;
	for (bool first = true; json_item(j); first = false)
		if (first && json_peek(j) == JSON_OBJECT)
			gamma_read_event(j, &s->m->event);
		else
			json_skip(j);
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
	    : json_is(key, "version")		  ? &s->version
	    : json_is(key, "question")		  ? &m->question
	    : json_is(key, "description")	  ? &m->description
	    : json_is(key, "groupItemTitle")	  ? &m->group_title
	    : json_is(key, "resolutionSource")	  ? &m->resolution_source
	    : json_is(key, "resolutionStatus")	  ? &m->resolution_status
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
	bool *out = json_is(key, "active")	       ? &m->active
		    : json_is(key, "closed")	       ? &m->closed
		    : json_is(key, "archived")	       ? &m->archived
		    : json_is(key, "acceptingOrders")  ? &m->accepting_orders
		    : json_is(key, "enableOrderBook")  ? &m->enable_order_book
		    : json_is(key, "negRisk")	       ? &m->neg_risk
		    : json_is(key, "neg_risk")	       ? &m->neg_risk
		    : json_is(key, "negRiskOther")     ? &m->neg_risk_other
		    : json_is(key, "feesEnabled")      ? &m->fees_enabled
		    : json_is(key, "fees_enabled")     ? &m->fees_enabled
		    : json_is(key, "clearBookOnStart") ? &m->clear_book_on_start
						       : NULL;

	if (out == NULL)
		return false;
	json_bool(s->j, out);
	m->fees_known |= out == &m->fees_enabled;
	s->has_neg_risk |= out == &m->neg_risk;
	return true;
}

static bool
id_key(struct scan *s, struct json_str key)
{
	struct gamma_market *m = s->m;

	if (json_is(key, "conditionId") || json_is(key, "condition_id") ||
	    json_is(key, "market"))
		pm_value_cond(s->j, &m->cond);
	else if (json_is(key, "negRiskMarketID"))
		pm_value_cond(s->j, &m->neg_risk_id);
	else if (json_is(key, "clobTokenIds") || json_is(key, "clob_token_ids"))
		pm_value_list(s->j, &s->classic);
	else if (json_is(key, "positionIds") || json_is(key, "position_ids"))
		pm_value_list(s->j, &s->positions);
	else if (json_is(key, "assets_ids"))
		pm_value_list(s->j, &s->assets);
	else if (json_is(key, "outcomes"))
		pm_value_list(s->j, &s->outcomes);
	else if (json_is(key, "outcomePrices"))
		pm_value_list(s->j, &s->prices);
	else if (json_is(key, "events"))
		events_value(s);
	else if (json_is(key, "tags"))
		m->tags_n = gamma_read_tags(s->j, m->tags);
	else if (json_is(key, "umaResolutionStatuses"))
		history_value(s->j, m);
	else
		return false;
	return true;
}

static bool
time_key(struct scan *s, struct json_str key)
{
	struct gamma_market *m = s->m;
	int64_t *out = json_is(key, "startDate")	? &m->listed_ns
		       : json_is(key, "eventStartTime") ? &m->start_ns
		       : json_is(key, "endDate")	? &m->end_ns
		       : json_is(key, "closedTime")	? &m->closed_ns
		       : json_is(key, "acceptingOrdersTimestamp")
			   ? &m->accepting_ns
			   : NULL;

	if (out == NULL)
		return false;
	pm_value_time(s->j, out);
	return true;
}

static bool
dollars_key(struct scan *s, struct json_str key)
{
	struct gamma_market *m = s->m;

	if (json_is(key, "liquidityNum"))
		s->has_liquidity_num = pm_value_usd(s->j, &m->liquidity);
	else if (json_is(key, "liquidity") && !s->has_liquidity_num)
		pm_value_usd(s->j, &m->liquidity);
	else if (json_is(key, "volumeNum"))
		s->has_volume_num = pm_value_usd(s->j, &m->volume);
	else if (json_is(key, "volume") && !s->has_volume_num)
		pm_value_usd(s->j, &m->volume);
	else if (json_is(key, "volume24hr"))
		pm_value_usd(s->j, &m->volume_day);
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
	else if (json_is(key, "secondsDelay"))
		pm_value_u32(s->j, &m->seconds_delay);
	else if (json_is(key, "feeSchedule") || json_is(key, "fee_schedule"))
		fee_value(s->j, m);
	else if (json_is(key, "rewardsMinSize"))
		json_e8(s->j, QTY_E8_MAX, &m->reward_min_size.e8);
	else if (json_is(key, "rewardsMaxSpread"))
		pm_value_cents(s->j, &m->reward_spread);
	else if (json_is(key, "clobRewards"))
		rewards_value(s->j, &m->reward_daily);
	else
		return false;
	return true;
}

/* ---- one market ---- */

static enum gamma_fee
fee_of(const struct gamma_market *m)
{
	if (m->fees_known && !m->fees_enabled)
		return GAMMA_FEE_FREE;
	return m->has_fee ? GAMMA_FEE_SCHEDULE : GAMMA_FEE_UNKNOWN;
}

/* Closed, no proposal under way, and prices that are an outcome. */
static enum gamma_outcome
outcome_of(const struct gamma_market *m, int64_t yes, int64_t no)
{
	if (!m->closed || json_is(m->uma_status, "requested") ||
	    json_is(m->uma_status, "proposed") ||
	    json_is(m->uma_status, "disputed") ||
	    (m->resolution_status.n != 0 &&
		!json_is(m->resolution_status, "resolved")))
		return 0;
	if (yes + no != E8)
		return 0;
	return yes == E8       ? GAMMA_WON_YES
	       : no == E8      ? GAMMA_WON_NO
	       : yes == E8 / 2 ? GAMMA_WON_NONE
			       : 0;
}

static void
prices_end(struct scan *s, int yes_i)
{
	struct gamma_market *m = s->m;
	int64_t yes;
	int64_t no;

	if (s->prices.n != 2 || s->prices.too_long)
		return;
	struct json_str y = s->prices.item[yes_i];
	struct json_str n = s->prices.item[1 - yes_i];

	if (!pm_value_cut(y, 8, E8, &yes) || !pm_value_cut(n, 8, E8, &no))
		return;
	m->has_outcome_px = true;
	m->yes_px = PX(yes);
	m->outcome = outcome_of(m, yes, no);
}

/* The asset ids that `version` points to, or those of a channel event. */
static const struct pm_list *
tokens_of(const struct scan *s)
{
	const struct pm_list *l =
	    s->m->generation == GAMMA_POSITIONS ? &s->positions : &s->classic;

	return l->n == 0 && !l->too_long ? &s->assets : l;
}

/*
 *   1. no conditionId or no slug     MISSING_FIELD
 *   2. version not known             UNSUPPORTED
 *   3. outcomes missing              hydrating: no tokens, not refused
 *   4. outcomes of other names       UNSUPPORTED
 *   5. token ids missing             hydrating
 *   6. token ids not two, not ids    UNSUPPORTED, BAD_NUMBER
 *   7. token ids of another kind     GENERATION
 */
static enum reason
market_end(struct scan *s)
{
	struct gamma_market *m = s->m;
	bool v2 = json_is(s->version, "v2");

	if (m->cond.n == 0 || m->slug.n == 0)
		return REASON_MISSING_FIELD;
	if (!v2 && s->version.n != 0 && !json_is(s->version, "v1"))
		return REASON_UNSUPPORTED;
	m->generation = v2 ? GAMMA_POSITIONS : GAMMA_CLASSIC;
	m->fee = fee_of(m);
	m->uma_disputed |= json_is(m->uma_status, "disputed");
	if (m->start_ns == 0)
		m->start_ns = m->event.start_ns;
	if (!s->has_neg_risk)
		m->neg_risk = m->event.neg_risk;
	if (m->neg_risk_id.n == 0)
		m->neg_risk_id = m->event.neg_risk_id;
	if (s->outcomes.n == 0 && !s->outcomes.too_long)
		return REASON_NONE;
	int yes = s->outcomes.n != 2 || s->outcomes.too_long
		      ? -1
		      : pm_outcome_pair(s->outcomes.item[0],
			    s->outcomes.item[1], &m->is_updown);

	if (yes < 0)
		return REASON_UNSUPPORTED;
	prices_end(s, yes);
	const struct pm_list *t = tokens_of(s);

	if (t->n == 0 && !t->too_long)
		return REASON_NONE;
	if (t->n != 2 || t->too_long)
		return REASON_UNSUPPORTED;
	if (!pm_token_parse(t->item[yes].s, t->item[yes].n, &m->yes) ||
	    !pm_token_parse(t->item[1 - yes].s, t->item[1 - yes].n, &m->no))
		return REASON_BAD_NUMBER;
	if (pm_token_is_position(&m->yes) != v2 ||
	    pm_token_is_position(&m->no) != v2)
		return REASON_GENERATION;
	m->has_tokens = true;
	return REASON_NONE;
}

static void
market_key(struct scan *s, struct json_str key)
{
	if (!text_key(s, key) && !flag_key(s, key) && !id_key(s, key) &&
	    !time_key(s, key) && !dollars_key(s, key) && !number_key(s, key))
		json_skip(s->j);
}

/* What could be read of the event around it belongs to the market. */
static void
event_around(const struct gamma_answer *g, struct gamma_market *m)
{
	struct json tags;

	if (m->tags_n != 0 || g->tags.n == 0)
		return;
	json_sub(&tags, g->tags.s, g->tags.n);
	m->tags_n = gamma_read_tags(&tags, m->tags);
}

/* The value at hand of j, which is consumed whatever it is. GAMMA_ERR when
 * it is no JSON. */
static enum gamma_kind
market(struct gamma_answer *g, struct json *j, struct gamma_market *m)
{
	struct json_str key;
	struct scan s;

	memset(m, 0, sizeof(*m));
	memset(&s, 0, offsetof(struct scan, classic));
	list_clear(&s);
	m->event = g->event;
	json_peek(j);
	struct json again = *j;

	s.j = j;
	s.m = m;
	if (g->event_reason == REASON_NONE && json_object(j))
		while (json_key(j, &key))
			if (!pm_value_absent(j))
				market_key(&s, key);
	m->reason =
	    g->event_reason != REASON_NONE ? g->event_reason : j->reason;
	if (m->reason == REASON_NONE) {
		event_around(g, m);
		m->reason = market_end(&s);
		m->err_off = (uint32_t)(again.pos - g->start);
		if (m->reason == REASON_NONE) {
			m->err_off = 0;
			return GAMMA_MARKET;
		}
		return GAMMA_REFUSED;
	}
	m->err_off = (uint32_t)((j->reason ? j->err : again.pos) - g->start);
	*j = again;
	return json_skip(j) ? GAMMA_REFUSED : GAMMA_ERR;
}

/* ---- answers ---- */

void
gamma_init(struct gamma_answer *g, const char *text, size_t n)
{
	memset(g, 0, sizeof(*g));
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

/* What an object holds that is an event or a page and no market. */
struct inside {
	struct json_str markets;
	struct json_str events;
	struct json_str tags;
	struct json_str cursor;
	struct gamma_event event;
	enum reason reason; /* why the event cannot be read */
};

/* False for a market, and for what is no object. j is a copy that the caller
 * throws away. */
static bool
look_inside(struct json *j, struct inside *in)
{
	struct json_str key;

	memset(in, 0, sizeof(*in));
	if (json_peek(j) != JSON_OBJECT || !json_object(j))
		return false;
	while (json_key(j, &key)) {
		bool list = json_peek(j) == JSON_ARRAY;

		if (json_is(key, "conditionId"))
			return false;
		if (list && json_is(key, "markets")) {
			json_raw(j, &in->markets);
		} else if (list && json_is(key, "events")) {
			json_raw(j, &in->events);
		} else if (list && json_is(key, "tags")) {
			json_raw(j, &in->tags);
		} else if (json_is(key, "next_cursor")) {
			pm_value_text(j, &in->cursor);
		} else {
			struct json value = *j;

			gamma_read_event_key(&value, key, &in->event);
			if (value.reason == REASON_NONE) {
				*j = value;
				continue;
			}
			in->reason = value.reason;
			json_skip(j);
		}
	}
	return j->reason == REASON_NONE && in->markets.n + in->events.n != 0;
}

/*
 * The list inside the object at hand: its "markets", else its "events". What
 * is known of the event goes to g; one that cannot be read is passed on with
 * its reason.
 */
static bool
list_inside(struct gamma_answer *g, struct json j, struct json *out)
{
	struct inside in;
	struct json_str *list;

	if (!look_inside(&j, &in))
		return false;
	list = in.markets.n != 0 ? &in.markets : &in.events;
	g->next_cursor = g->state == ANSWER_START ? in.cursor : g->next_cursor;
	if (in.markets.n != 0) {
		g->event = in.event;
		g->event_reason = in.reason;
		g->tags = in.tags;
	}
	json_sub(out, list->s, list->n);
	return json_array(out);
}

/* What follows is not of that event any more. */
static void
event_leave(struct gamma_answer *g)
{
	memset(&g->event, 0, sizeof(g->event));
	g->tags = (struct json_str){0};
	g->event_reason = REASON_NONE;
}

/* The only object of the answer, checked to its last byte. */
static enum gamma_kind
object_first(struct gamma_answer *g, struct gamma_market *m)
{
	struct json_str all;
	struct json list;

	if (!json_raw(&g->j, &all) || !json_end(&g->j))
		return failed(g, m);
	json_sub(&g->j, all.s, all.n);
	if (list_inside(g, g->j, &list)) {
		g->j = list;
		g->state = ANSWER_LIST;
		return GAMMA_END;
	}
	g->state = ANSWER_DONE;
	return market(g, &g->j, m);
}

/* The next item of the list: a market, or an event, which is entered. */
static enum gamma_kind
list_next(struct gamma_answer *g, struct gamma_market *m)
{
	struct json_str event;

	while (json_item(&g->j)) {
		if (!list_inside(g, g->j, &g->inner)) {
			enum gamma_kind kind = market(g, &g->j, m);

			return kind == GAMMA_ERR ? failed(g, m) : kind;
		}
		if (!json_raw(&g->j, &event))
			return failed(g, m);
		if (json_item(&g->inner)) {
			g->state = ANSWER_INNER;
			return market(g, &g->inner, m);
		}
		event_leave(g);
	}
	if (!json_end(&g->j))
		return failed(g, m);
	g->state = ANSWER_DONE;
	return GAMMA_END;
}

enum gamma_kind
gamma_next(struct gamma_answer *g, struct gamma_market *m)
{
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
			return market(g, &g->inner, m);
		}
		event_leave(g);
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
	json_sub(&g.j, all.s, all.n);
	return market(&g, &g.j, m);
}
