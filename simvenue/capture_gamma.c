/* Markets of a capture as objects of the Gamma API. */
#include <string.h>

#include "libcore/json.h"
#include "libsys/clock.h"
#include "libvenue/text.h"
#include "simvenue/capture.h"
#include "simvenue/venue.h"

#define TWAP_FROM_MS INT64_C(1786060800000) /* averages from then on */
#define TOKENS_MAX   2
#define DAY_S	     INT64_C(86400)
#define LISTED_S     DAY_S /* these markets are listed a day ahead */

struct outcome {
	struct json_str token;
	struct json_str name;
};

/* Raw texts keep their quotes. */
struct market {
	struct json_str id;
	struct json_str slug;
	struct json_str title;
	struct json_str asset; /* without quotes */
	struct json_str cond;
	struct json_str source;
	struct json_str tick;
	struct json_str min_size;
	struct json_str fee; /* raw object: feeSchedule */
	bool fees_enabled;
	uint64_t start_ms;
	uint64_t end_ms;
	uint32_t outcome_n;
	struct outcome outcomes[TOKENS_MAX];
};

static void
read_outcomes(struct json *j, struct market *m)
{
	struct json_str key;
	if (!json_array(j))
		return;
	while (json_item(j)) {
		struct outcome o = {.token = {.s = ""}, .name = {.s = ""}};
		if (!json_object(j))
			return;
		while (json_key(j, &key)) {
			if (json_is(key, "token_id"))
				json_string(j, &o.token);
			else if (json_is(key, "outcome"))
				json_string(j, &o.name);
			else
				json_skip(j);
		}
		if (m->outcome_n < TOKENS_MAX)
			m->outcomes[m->outcome_n++] = o;
	}
}

static void
read_fees(struct json *j, struct market *m)
{
	struct json_str key;
	if (!json_object(j))
		return;
	while (json_key(j, &key)) {
		if (json_is(key, "fees_enabled"))
			json_bool(j, &m->fees_enabled);
		else if (json_is(key, "raw_fee_config"))
			json_raw(j, &m->fee);
		else
			json_skip(j);
	}
}

static void
read_field(struct json *j, struct json_str key, struct market *m)
{
	if (json_is(key, "market_id"))
		json_raw(j, &m->id);
	else if (json_is(key, "slug"))
		json_raw(j, &m->slug);
	else if (json_is(key, "title"))
		json_raw(j, &m->title);
	else if (json_is(key, "asset"))
		json_string(j, &m->asset);
	else if (json_is(key, "condition_id"))
		json_raw(j, &m->cond);
	else if (json_is(key, "resolution_source"))
		json_raw(j, &m->source);
	else if (json_is(key, "tick_size"))
		json_raw(j, &m->tick);
	else if (json_is(key, "min_order_size"))
		json_raw(j, &m->min_size);
	else if (json_is(key, "start_ts"))
		json_u64(j, &m->start_ms);
	else if (json_is(key, "end_ts"))
		json_u64(j, &m->end_ms);
	else if (json_is(key, "outcomes"))
		read_outcomes(j, m);
	else if (json_is(key, "fee_parameters"))
		read_fees(j, m);
	else
		json_skip(j);
}

static void
put_time(struct text *t, int64_t unix_s)
{
	char buf[CLOCK_DATE_SZ];
	(void)clock_format_utc((uint64_t)(unix_s * NS_PER_S), buf);
	text_lit(t, "\"");
	text_lit(t, buf);
	text_lit(t, "\"");
}

static void
put_raw(struct text *t, const char *key, struct json_str v)
{
	if (v.n == 0)
		return;
	text_lit(t, key);
	text_put(t, v.s, v.n);
}

static void
put_lists(struct text *t, const struct market *m)
{
	text_lit(t, ",\"outcomes\":\"[\\\"");
	text_put(t, m->outcomes[0].name.s, m->outcomes[0].name.n);
	text_lit(t, "\\\", \\\"");
	text_put(t, m->outcomes[1].name.s, m->outcomes[1].name.n);
	text_lit(t, "\\\"]\",\"clobTokenIds\":\"[\\\"");
	text_put(t, m->outcomes[0].token.s, m->outcomes[0].token.n);
	text_lit(t, "\\\", \\\"");
	text_put(t, m->outcomes[1].token.s, m->outcomes[1].token.n);
	text_lit(t, "\\\"]\"");
}

static void
put_times(struct text *t, const struct market *m)
{
	int64_t start_s = (int64_t)m->start_ms / 1000;
	text_lit(t, ",\"startDate\":");
	put_time(t, start_s - LISTED_S);
	text_lit(t, ",\"eventStartTime\":");
	put_time(t, start_s);
	text_lit(t, ",\"endDate\":");
	put_time(t, (int64_t)m->end_ms / 1000);
}

/* The recording has no text of the rules: this is what it said. */
static void
put_rules(struct text *t, const struct market *m)
{
	text_lit(t, ",\"description\":\"This market will resolve to \\\"Up\\\" "
		    "if the ");
	text_lit(t, (int64_t)m->start_ms < TWAP_FROM_MS
			? "price"
			: "60-second time-weighted average price");
	text_lit(t, " at the end of the time range specified in the title is "
		    "greater than or equal to the price at the beginning of "
		    "that range. The source is Chainlink.\"");
}

static bool
series_known(struct json_str asset)
{
	return json_is(asset, "BTC") || json_is(asset, "ETH") ||
	       json_is(asset, "SOL");
}

static void
put_events(struct text *t, const struct market *m)
{
	if (!series_known(m->asset))
		return;
	text_lit(t, ",\"events\":[{\"id\":");
	text_put(t, m->id.s, m->id.n);
	put_raw(t, ",\"slug\":", m->slug);
	text_lit(t, ",\"seriesSlug\":\"");
	text_lit(t, json_is(m->asset, "BTC")   ? "btc"
		    : json_is(m->asset, "ETH") ? "eth"
					       : "sol");
	text_lit(t, "-up-or-down-15m\"}]");
}

bool
capture_gamma(struct capture *c, const char *line, size_t n)
{
	struct market m = {.outcome_n = 0};
	struct json j;
	struct json_str key;
	struct text t;
	json_init(&j, line, n);
	if (!json_object(&j))
		return false;
	while (json_key(&j, &key))
		read_field(&j, key, &m);
	if (!json_end(&j) || m.outcome_n != TOKENS_MAX || m.id.n == 0 ||
	    m.slug.n == 0 || m.cond.n == 0 || m.end_ms <= m.start_ms ||
	    m.start_ms < (uint64_t)LISTED_S * 1000)
		return false;
	text_init(&t, c->out, sizeof(c->out));
	put_raw(&t, "{\"id\":", m.id);
	put_raw(&t, ",\"question\":", m.title);
	put_raw(&t, ",\"conditionId\":", m.cond);
	put_raw(&t, ",\"slug\":", m.slug);
	put_raw(&t, ",\"resolutionSource\":", m.source);
	put_rules(&t, &m);
	put_times(&t, &m);
	put_lists(&t, &m);
	text_lit(&t, ",\"active\":true,\"closed\":false,\"archived\":false,"
		     "\"enableOrderBook\":true,\"acceptingOrders\":true,"
		     "\"negRisk\":false,\"negRiskOther\":false");
	put_raw(&t, ",\"orderPriceMinTickSize\":", m.tick);
	put_raw(&t, ",\"orderMinSize\":", m.min_size);
	text_lit(&t, m.fees_enabled ? ",\"feesEnabled\":true"
				    : ",\"feesEnabled\":false");
	put_raw(&t, ",\"feeSchedule\":", m.fee);
	text_lit(&t, ",\"liquidity\":\"10000\",\"liquidityNum\":10000,"
		     "\"volume\":\"1000\",\"volumeNum\":1000");
	put_events(&t, &m);
	text_lit(&t, "}");
	c->out_n = text_end(&t);
	return c->out_n > 0;
}
