/* The event around markets: what it says of all of them. */
#include "libcore/check.h"
#include "libvenue/gamma_read.h"

uint32_t
gamma_read_tags(struct json *j, struct json_str *out)
{
	struct json_str key;
	uint32_t n = 0;

	if (!json_array(j))
		return 0;
	while (json_item(j)) {
		struct json_str text = {0};

		if (json_peek(j) == JSON_STRING) {
			json_string(j, &text);
		} else if (json_peek(j) != JSON_OBJECT) {
			json_skip(j);
		} else {
			json_object(j);
			while (json_key(j, &key))
				if (json_is(key, "slug"))
					pm_value_text(j, &text);
				else
					json_skip(j);
		}
		if (text.n != 0 && n < GAMMA_TAGS_MAX)
			out[n++] = text;
	}
	CHECK(n <= GAMMA_TAGS_MAX);
	return n;
}

/* The slug of the first of the event's series, when no seriesSlug was sent. */
static bool
series_value(struct json *j, struct json_str *out)
{
	struct json_str key;
	struct json_str slug = {0};

	if (!json_array(j))
		return false;
	while (json_item(j)) {
		if (json_peek(j) != JSON_OBJECT || slug.n != 0) {
			json_skip(j);
			continue;
		}
		json_object(j);
		while (json_key(j, &key))
			if (json_is(key, "slug"))
				pm_value_text(j, &slug);
			else
				json_skip(j);
	}
	if (out->n == 0)
		*out = slug;
	return j->reason == REASON_NONE;
}

/* Prices of the window, numbers or strings; absent before, and late. */
static bool
metadata_value(struct json *j, struct gamma_event *ev)
{
	struct json_str key;

	if (json_peek(j) != JSON_OBJECT)
		return json_skip(j);
	json_object(j);
	while (json_key(j, &key)) {
		if (pm_value_absent(j))
			continue;
		if (json_is(key, "priceToBeat"))
			ev->has_strike = pm_value_px(j, &ev->strike_px);
		else if (json_is(key, "finalPrice"))
			ev->has_final = pm_value_px(j, &ev->final_px);
		else
			json_skip(j);
	}
	return j->reason == REASON_NONE;
}

static bool
flag_key(struct json *j, struct json_str key, struct gamma_event *ev)
{
	bool flag = false;

	if (json_is(key, "negRisk") || json_is(key, "enableNegRisk")) {
		json_bool(j, &flag);
		ev->neg_risk |= flag;
	} else if (json_is(key, "negRiskAugmented")) {
		json_bool(j, &ev->neg_risk_augmented);
	} else if (json_is(key, "closed")) {
		json_bool(j, &ev->closed);
	} else {
		return false;
	}
	return true;
}

void
gamma_read_event_key(
    struct json *j, struct json_str key, struct gamma_event *ev)
{
	if (pm_value_absent(j) || flag_key(j, key, ev))
		return;
	if (json_is(key, "id"))
		pm_value_text(j, &ev->id);
	else if (json_is(key, "slug"))
		pm_value_text(j, &ev->slug);
	else if (json_is(key, "title"))
		pm_value_text(j, &ev->title);
	else if (json_is(key, "seriesSlug"))
		pm_value_text(j, &ev->series_slug);
	else if (json_is(key, "series"))
		series_value(j, &ev->series_slug);
	else if (json_is(key, "negRiskMarketID"))
		pm_value_cond(j, &ev->neg_risk_id);
	else if (json_is(key, "startTime"))
		pm_value_time(j, &ev->start_ns);
	else if (json_is(key, "endDate"))
		pm_value_time(j, &ev->end_ns);
	else if (json_is(key, "eventMetadata"))
		metadata_value(j, ev);
	else
		json_skip(j);
}

bool
gamma_read_event(struct json *j, struct gamma_event *out)
{
	struct json_str key;

	memset(out, 0, sizeof(*out));
	if (!json_object(j))
		return false;
	while (json_key(j, &key))
		gamma_read_event_key(j, key, out);
	return j->reason == REASON_NONE;
}
