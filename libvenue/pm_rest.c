#include "libvenue/pm_rest.h"

#include "libcore/check.h"
#include "libvenue/pm_fields.h"
#include "libvenue/vtime.h"

enum has {
	HAS_ERROR = 1 << 0,
	HAS_VALUE = 1 << 1,
	HAS_SIDE = 1 << 2,
};

#define FIELD(key_, type_, has_, to_) PM_FIELD(key_, type_, has_, pm_rest, to_)

/* Any object may be an error instead. */
#define ERROR_FIELDS                                                          \
	FIELD("error", TEXT, HAS_ERROR, error), FIELD("code", TEXT, 0, code), \
	    FIELD("retry_after_seconds", U32, 0, retry_after_s)

static const struct pm_field version_fields[] = {
    ERROR_FIELDS, FIELD("version", U32, HAS_VALUE, version)};
static const struct pm_field tick_fields[] = {
    ERROR_FIELDS, FIELD("minimum_tick_size", FRAC, HAS_VALUE, tick)};
static const struct pm_field neg_risk_fields[] = {
    ERROR_FIELDS, FIELD("neg_risk", BOOL, HAS_VALUE, neg_risk)};
static const struct pm_field fee_fields[] = {
    ERROR_FIELDS, FIELD("base_fee", U32, HAS_VALUE, base_fee_bps)};
static const struct pm_field mid_fields[] = {
    ERROR_FIELDS, FIELD("mid", FRAC, HAS_VALUE, px)};
static const struct pm_field spread_fields[] = {
    ERROR_FIELDS, FIELD("spread", FRAC, HAS_VALUE, px)};
static const struct pm_field price_fields[] = {
    ERROR_FIELDS, FIELD("price", FRAC, HAS_VALUE, px)};
static const struct pm_field trade_fields[] = {ERROR_FIELDS,
    FIELD("price", FRAC, HAS_VALUE, px), FIELD("side", SIDE, HAS_SIDE, side)};
static const struct pm_field token_fields[] = {
    ERROR_FIELDS, FIELD("condition_id", COND, HAS_VALUE, cond)};
static const struct pm_field geo_fields[] = {ERROR_FIELDS,
    FIELD("blocked", BOOL, HAS_VALUE, blocked),
    FIELD("country", TEXT, 0, place), FIELD("region", TEXT, 0, region)};
static const struct pm_field error_fields[] = {ERROR_FIELDS};

#define FIELDS(table_)                                                \
	{                                                             \
		table_##_fields,                                      \
		    sizeof(table_##_fields) / sizeof(struct pm_field) \
	}

static const struct pm_fields calls[PM_REST_CALL_N] = {
    [PM_REST_OK] = FIELDS(error),
    [PM_REST_TIME] = FIELDS(error),
    [PM_REST_VERSION] = FIELDS(version),
    [PM_REST_TICK_SIZE] = FIELDS(tick),
    [PM_REST_NEG_RISK] = FIELDS(neg_risk),
    [PM_REST_FEE_RATE] = FIELDS(fee),
    [PM_REST_MIDPOINT] = FIELDS(mid),
    [PM_REST_SPREAD] = FIELDS(spread),
    [PM_REST_PRICE] = FIELDS(price),
    [PM_REST_LAST_TRADE] = FIELDS(trade),
    [PM_REST_BY_TOKEN] = FIELDS(token),
    [PM_REST_GEOBLOCK] = FIELDS(geo),
};

/* The two answers that are no object. */
static bool
bare(struct json *j, enum pm_rest_call call, struct pm_rest *r)
{
	struct json_str text;
	uint64_t t;

	if (call == PM_REST_OK)
		return json_string(j, &text) &&
		       (json_is(text, "OK") || json_fail(j, REASON_BAD_TYPE));
	if (!json_u64(j, &t))
		return false;
	return vtime_ns(t, &r->time_ns) || json_fail(j, REASON_BAD_NUMBER);
}

static enum pm_rest_kind
refused(struct pm_rest *r, const struct json *j, enum pm_rest_kind kind)
{
	CHECK(j->reason != REASON_NONE);
	r->reason = j->reason;
	r->err_off = (uint32_t)json_err_off(j);
	return r->kind = kind;
}

enum pm_rest_kind
pm_rest_decode(
    struct pm_rest *r, enum pm_rest_call call, const char *text, size_t n)
{
	struct json j;
	struct json all;
	uint32_t has = HAS_VALUE;

	CHECK(call >= PM_REST_OK);
	CHECK(call < PM_REST_CALL_N);
	memset(r, 0, sizeof(*r));
	json_init(&j, text, n);
	all = j;
	if (!json_skip(&all) || !json_end(&all))
		return refused(r, &all, PM_REST_NOT_JSON);
	bool object = json_peek(&j) == JSON_OBJECT;

	if (!object && (call == PM_REST_OK || call == PM_REST_TIME))
		bare(&j, call, r);
	else if (pm_fields_read(&j, &calls[call], r, &has)) {
		if (has & HAS_ERROR)
			return r->kind = PM_REST_ERROR;
		if (!(has & HAS_VALUE))
			json_fail(&j, REASON_MISSING_FIELD);
	}
	if (j.reason != REASON_NONE)
		return refused(r, &j, PM_REST_BAD);
	return r->kind = PM_REST_ANSWER;
}

/* ---- history ---- */

enum history_state {
	HISTORY_START = 1,
	HISTORY_POINTS,
	HISTORY_DONE,
};

void
pm_rest_history_init(struct pm_rest_history *h, const char *text, size_t n)
{
	memset(h, 0, sizeof(*h));
	json_init(&h->j, text, n);
	h->all = h->j;
	h->start = text;
	h->state = HISTORY_START;
}

/* Checks the whole body, then stands before the first point. */
static bool
history_open(struct pm_rest_history *h)
{
	struct json_str key;
	struct json_str points = {0};
	struct json *all = &h->all;

	if (!json_object(all))
		return false;
	while (json_key(all, &key))
		if (json_is(key, "history"))
			json_raw(all, &points);
		else
			json_skip(all);
	if (!json_end(all))
		return false;
	if (points.n == 0)
		return json_fail(all, REASON_MISSING_FIELD);
	json_sub(&h->j, points.s, points.n);
	return json_array(&h->j);
}

bool
pm_rest_history_next(
    struct pm_rest_history *h, struct pm_rest_point *out, enum reason *reason)
{
	static const struct pm_field table[] = {
	    PM_FIELD("t", EPOCH, 1, pm_rest_point, venue_ns),
	    PM_FIELD("p", PX, 2, pm_rest_point, px),
	};
	static const struct pm_fields fields = {table, 2, NULL};
	uint32_t has;

	CHECK(h->state >= HISTORY_START);
	CHECK(h->state <= HISTORY_DONE);
	bool more = h->state == HISTORY_POINTS ||
		    (h->state == HISTORY_START && history_open(h));

	if (more) {
		h->state = HISTORY_POINTS;
		more = json_item(&h->j) &&
		       pm_fields_read(&h->j, &fields, out, &has);
		if (more && has != 3)
			more = json_fail(&h->j, REASON_MISSING_FIELD);
		if (more && out->px.tok_e8 > E8)
			more = json_fail(&h->j, REASON_BAD_NUMBER);
	}
	*reason = h->all.reason ? h->all.reason : h->j.reason;
	if (!more)
		h->state = HISTORY_DONE;
	return more;
}
