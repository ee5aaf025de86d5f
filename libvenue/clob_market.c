#include "libvenue/clob_market.h"

#include "libcore/check.h"
#include "libvenue/pm_fields.h"
#include "libvenue/pm_outcome.h"

enum answer_state {
	ANSWER_START = 1,
	ANSWER_LIST,
	ANSWER_DONE,
};

enum has {
	HAS_ERROR = 1 << 0,
	HAS_RATE = 1 << 1,
	HAS_ID = 1 << 2,
	HAS_NAME = 1 << 3,
};

#define END_CURSOR   "LTE="
#define TOKENS_MAX   2
#define EXPONENT_MAX 16

/* A token with its name, as it comes. */
struct named {
	struct clob_token token;
	struct json_str name;
	uint32_t has;
};

struct scan {
	struct clob_market m; /* first: the tables' offsets are into it */
	struct named tokens[TOKENS_MAX];
	uint32_t tokens_n;
	bool too_many;
};

/* ---- parts ---- */

#define NAMED(key_, type_, has_, to_) PM_FIELD(key_, type_, has_, named, to_)

static bool
tokens_value(struct json *j, struct scan *s)
{
	static const struct pm_field table[] = {
	    NAMED("token_id", TOKEN, HAS_ID, token.id),
	    NAMED("t", TOKEN, HAS_ID, token.id),
	    NAMED("outcome", TEXT, HAS_NAME, name),
	    NAMED("o", TEXT, HAS_NAME, name),
	    NAMED("price", PX, 0, token.px),
	    NAMED("winner", BOOL, 0, token.winner),
	};
	static const struct pm_fields fields = {
	    table, sizeof(table) / sizeof(table[0]), NULL};

	s->tokens_n = 0;
	if (!json_array(j))
		return false;
	while (json_item(j)) {
		struct named t = {0};

		if (!pm_fields_read(j, &fields, &t, &t.has))
			return false;
		s->too_many |= s->tokens_n == TOKENS_MAX;
		if (s->tokens_n < TOKENS_MAX)
			s->tokens[s->tokens_n++] = t;
	}
	return j->reason == REASON_NONE;
}

static bool
fee_value(struct json *j, struct clob_market *m)
{
	static const struct pm_field table[] = {
	    PM_FIELD("r", FRAC, HAS_RATE, clob_market, fee_rate_e8),
	    PM_FIELD("e", U32, 0, clob_market, fee_exponent),
	    PM_FIELD("to", BOOL, 0, clob_market, fee_taker_only),
	};
	static const struct pm_fields fields = {table, 3, NULL};
	uint32_t has;

	if (!pm_fields_read(j, &fields, m, &has))
		return false;
	if (m->fee_exponent > EXPONENT_MAX)
		return json_fail(j, REASON_BAD_NUMBER);
	m->has_fee = (has & HAS_RATE) != 0;
	return true;
}

/* rates: one entry an asset that the reward is paid in. */
static bool
rates_value(struct json *j, usd_t *sum)
{
	struct json_str key;
	usd_t rate;

	if (!json_array(j))
		return false;
	while (json_item(j) && json_object(j))
		while (json_key(j, &key))
			if (!json_is(key, "rewards_daily_rate"))
				json_skip(j);
			else if (!pm_value_absent(j) &&
				 pm_value_usd(j, &rate) &&
				 sum->e6 <= INT64_MAX / 2)
				sum->e6 += rate.e6;
	return j->reason == REASON_NONE;
}

static bool
reward_key(struct json *j, struct json_str key, void *out)
{
	struct clob_market *m = out;

	if (!json_is(key, "rates"))
		return false;
	return pm_value_absent(j) || rates_value(j, &m->reward_daily) || true;
}

static bool
rewards_value(struct json *j, struct clob_market *m)
{
	static const struct pm_field table[] = {
	    PM_FIELD("min_size", QTY, 0, clob_market, reward_min_size),
	    PM_FIELD("max_spread", CENTS, 0, clob_market, reward_spread),
	};
	static const struct pm_fields fields = {table, 2, reward_key};
	uint32_t has;

	if (json_peek(j) != JSON_OBJECT)
		return json_skip(j);
	return pm_fields_read(j, &fields, m, &has);
}

/* ---- one market ---- */

#define FIELD(key_, type_, to_) PM_FIELD(key_, type_, 0, clob_market, to_)

static const struct pm_field market_table[] = {
    PM_FIELD("error", TEXT, HAS_ERROR, clob_market, error),
    FIELD("condition_id", COND, cond),
    FIELD("question_id", COND, question_id),
    FIELD("neg_risk_market_id", COND, neg_risk_id),
    FIELD("market_slug", TEXT, slug),
    FIELD("question", TEXT, question),
    FIELD("description", TEXT, description),
    FIELD("neg_risk", BOOL, neg_risk),
    FIELD("active", BOOL, active),
    FIELD("closed", BOOL, closed),
    FIELD("archived", BOOL, archived),
    FIELD("accepting_orders", BOOL, accepting_orders),
    FIELD("enable_order_book", BOOL, enable_order_book),
    FIELD("is_50_50_outcome", BOOL, is_50_50),
    FIELD("seconds_delay", U32, seconds_delay),
    FIELD("maker_base_fee", U32, maker_base_fee),
    FIELD("taker_base_fee", U32, taker_base_fee),
    FIELD("accepting_order_timestamp", TIME, accepting_ns),
    FIELD("end_date_iso", TIME, end_ns),
    FIELD("game_start_time", TIME, game_start_ns),
    FIELD("minimum_tick_size", FRAC, tick),
    FIELD("minimum_order_size", QTY, min_size),
};

static const struct pm_field terse_table[] = {
    PM_FIELD("error", TEXT, HAS_ERROR, clob_market, error),
    FIELD("c", COND, cond),
    FIELD("mts", FRAC, tick),
    FIELD("mos", QTY, min_size),
    FIELD("nr", BOOL, neg_risk),
    FIELD("mbf", U32, maker_base_fee),
    FIELD("tbf", U32, taker_base_fee),
    FIELD("ao", BOOL, accepting_orders),
    FIELD("aot", TIME, accepting_ns),
    FIELD("sd", U32, seconds_delay),
    FIELD("gst", TIME, game_start_ns),
    FIELD("cbos", BOOL, clear_book_on_start),
    FIELD("rfqe", BOOL, rfq),
    FIELD("itode", BOOL, taker_delayed),
    FIELD("oas", U32, order_age_min_s),
};

/* What needs more than a table: true when the value was consumed. */
static bool
market_key(struct json *j, struct json_str key, void *out)
{
	struct scan *s = out;

	if (json_is(key, "tokens") || json_is(key, "t"))
		return pm_value_absent(j) || tokens_value(j, s) || true;
	if (json_is(key, "rewards") || json_is(key, "r"))
		return rewards_value(j, &s->m) || true;
	if (json_is(key, "fd"))
		return pm_value_absent(j) || fee_value(j, &s->m) || true;
	return false;
}

/*
 *   1. no condition id               MISSING_FIELD
 *   2. no tokens                     not set up yet: not refused
 *   3. not two, other names          UNSUPPORTED
 *   4. a token without id            not set up yet
 */
static enum reason
market_end(struct scan *s)
{
	struct clob_market *m = &s->m;
	const struct named *t = s->tokens;

	if (m->cond.n == 0)
		return REASON_MISSING_FIELD;
	if (s->tokens_n == 0)
		return REASON_NONE;
	int yes = s->tokens_n != TOKENS_MAX || s->too_many
		      ? -1
		      : pm_outcome_pair(t[0].name, t[1].name, &m->is_updown);

	if (yes < 0)
		return REASON_UNSUPPORTED;
	if (!(t[0].has & t[1].has & HAS_ID))
		return REASON_NONE;
	m->yes = t[yes].token;
	m->no = t[1 - yes].token;
	m->has_tokens = true;
	return REASON_NONE;
}

static bool
is_terse(struct json_str text)
{
	struct json j;
	struct json_str key;
	bool terse = false;

	json_sub(&j, text.s, text.n);
	if (json_peek(&j) != JSON_OBJECT)
		return false;
	json_object(&j);
	while (!terse && json_key(&j, &key) && !json_is(key, "condition_id")) {
		terse = json_is(key, "c");
		json_skip(&j);
	}
	return terse;
}

/* text is one well-formed value. */
static enum clob_kind
market(const char *start, struct clob_market *m, struct json_str text)
{
	static const struct pm_fields full = {market_table,
	    sizeof(market_table) / sizeof(market_table[0]), market_key};
	static const struct pm_fields terse = {terse_table,
	    sizeof(terse_table) / sizeof(terse_table[0]), market_key};
	struct json j;
	struct scan s = {0};
	uint32_t has;

	s.m.is_terse = is_terse(text);
	json_sub(&j, text.s, text.n);
	pm_fields_read(&j, s.m.is_terse ? &terse : &full, &s, &has);
	s.m.reason = j.reason != REASON_NONE ? j.reason : market_end(&s);
	*m = s.m;
	if (j.reason == REASON_NONE && (has & HAS_ERROR)) {
		m->reason = REASON_NONE;
		return CLOB_NOTICE;
	}
	if (m->reason == REASON_NONE)
		return CLOB_MARKET;
	m->err_off = (uint32_t)((j.reason ? j.err : text.s) - start);
	return CLOB_REFUSED;
}

/* ---- answers ---- */

void
clob_init(struct clob_answer *a, const char *text, size_t n)
{
	memset(a, 0, sizeof(*a));
	json_init(&a->j, text, n);
	a->start = text;
	a->state = ANSWER_START;
	a->is_last = true;
}

static enum clob_kind
failed(struct clob_answer *a, struct clob_market *m)
{
	CHECK(a->j.reason != REASON_NONE);
	memset(m, 0, sizeof(*m));
	m->reason = a->j.reason;
	m->err_off = (uint32_t)(a->j.err - a->start);
	a->state = ANSWER_DONE;
	return CLOB_ERR;
}

/* Stands before the first market of a page; false when it is none. */
static bool
page_open(struct clob_answer *a, struct json_str all)
{
	struct json j;
	struct json_str key;
	struct json_str data = {0};

	json_sub(&j, all.s, all.n);
	if (json_peek(&j) != JSON_OBJECT)
		return false;
	json_object(&j);
	while (json_key(&j, &key))
		if (json_is(key, "c") || json_is(key, "condition_id"))
			return false;
		else if (json_is(key, "data") && json_peek(&j) == JSON_ARRAY)
			json_raw(&j, &data);
		else if (json_is(key, "next_cursor"))
			pm_value_text(&j, &a->next_cursor);
		else
			json_skip(&j);
	if (data.n == 0)
		return false;
	a->is_last =
	    a->next_cursor.n == 0 || json_is(a->next_cursor, END_CURSOR);
	json_sub(&a->j, data.s, data.n);
	return json_array(&a->j);
}

enum clob_kind
clob_next(struct clob_answer *a, struct clob_market *m)
{
	struct json_str text;

	CHECK(a->state >= ANSWER_START);
	CHECK(a->state <= ANSWER_DONE);
	if (a->state == ANSWER_START) {
		if (!json_raw(&a->j, &text) || !json_end(&a->j))
			return failed(a, m);
		a->state = ANSWER_LIST;
		if (text.s[0] == '[') {
			json_sub(&a->j, text.s, text.n);
			json_array(&a->j);
		} else if (!page_open(a, text)) {
			a->state = ANSWER_DONE;
			return market(a->start, m, text);
		}
	}
	if (a->state == ANSWER_DONE)
		return CLOB_END;
	if (json_item(&a->j) && json_raw(&a->j, &text))
		return market(a->start, m, text);
	a->state = ANSWER_DONE;
	return CLOB_END;
}
