#include "libvenue/rtds.h"

#include "libcore/check.h"
#include "libvenue/text.h"
#include "libvenue/vtime.h"

/* An integer full_accuracy_value is scaled by 1e18; prices here by 1e8. */
#define EXACT_CUT 10
#define E8_DIGITS 8

static const struct {
	const char *name;
	enum rtds_source source;
} topics[] = {
    {"crypto_prices", RTDS_SPOT},
    {"crypto_prices_chainlink", RTDS_CHAINLINK},
    {"crypto_prices_twap_thirty", RTDS_TWAP30},
    {"crypto_prices_twap_sixty", RTDS_TWAP60},
};
#define TOPICS_N (sizeof(topics) / sizeof(topics[0]))

/* The outer object. */
struct envelope {
	struct json_str topic;
	struct json_str type;
	struct json_str payload; /* n == 0: not sent */
	uint64_t sent;
};

/* A price with its time, as both kinds of payload hold it. */
struct value {
	uint64_t time;
	bool has_time;
	struct json_str plain; /* n == 0: not sent */
	struct json_str exact;
};

/* ---- values ---- */

static bool
all_digits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

/* Decimal text as 1e-8, cut at the eighth decimal. */
static bool
plain_parse(struct json_str text, int64_t *out)
{
	const char *dot = memchr(text.s, '.', text.n);
	size_t n = text.n;

	if (dot != NULL && (size_t)(dot - text.s) + 1 + E8_DIGITS < n)
		n = (size_t)(dot - text.s) + 1 + E8_DIGITS;
	return all_digits(text.s + n, text.n - n) &&
	       fixed_parse(text.s, n, E8_DIGITS, false, PX_E8_MAX, out);
}

/* The exact text: an integer loses its last ten digits. */
static bool
exact_parse(struct json_str text, int64_t *out)
{
	if (memchr(text.s, '.', text.n) != NULL)
		return plain_parse(text, out);
	if (text.n <= EXACT_CUT)
		return false;
	size_t n = text.n - EXACT_CUT;

	return all_digits(text.s + n, EXACT_CUT) &&
	       fixed_parse(text.s, n, 0, false, PX_E8_MAX, out);
}

/* The exact value unless it is missing or more than 1 % off the plain one.
 * A price of zero is none. */
static bool
value_px(const struct value *v, px_t *out)
{
	int64_t plain = 0;
	int64_t exact = 0;
	bool has_plain = v->plain.n != 0 && plain_parse(v->plain, &plain);
	bool has_exact = v->exact.n != 0 && exact_parse(v->exact, &exact);

	if (has_plain && has_exact) {
		int64_t off = exact > plain ? exact - plain : plain - exact;

		has_exact = off <= plain / 100;
	}
	*out = PX(has_exact ? exact : plain);
	return (has_plain || has_exact) && out->e8 > 0;
}

/* Number or string; null is absent. */
static void
number_text(struct json *j, struct json_str *out)
{
	if (json_peek(j) == JSON_STRING)
		json_string(j, out);
	else if (json_peek(j) == JSON_NUMBER)
		json_raw(j, out);
	else if (!json_null(j))
		json_fail(j, REASON_BAD_TYPE);
}

static void
value_key(struct json *j, struct json_str key, struct value *v)
{
	if (json_is(key, "timestamp"))
		v->has_time = json_u64(j, &v->time);
	else if (json_is(key, "value"))
		number_text(j, &v->plain);
	else if (json_is(key, "full_accuracy_value"))
		number_text(j, &v->exact);
	else
		json_skip(j);
}

static bool
value_end(struct json *j, const struct value *v, struct rtds_event *ev)
{
	struct rtds_point *p = &ev->points[ev->points_n];

	if (j->reason != REASON_NONE)
		return false;
	if (!v->has_time || v->plain.n + v->exact.n == 0)
		return json_fail(j, REASON_MISSING_FIELD);
	if (!vtime_ns(v->time, &p->venue_ns) || !value_px(v, &p->px))
		return json_fail(j, REASON_BAD_NUMBER);
	ev->points_n++;
	return true;
}

/* ---- payloads ---- */

static bool
points(struct json *j, struct rtds_event *ev)
{
	struct json_str key;

	if (!json_array(j))
		return false;
	while (json_item(j)) {
		struct value v = {0};

		if (ev->points_n == RTDS_POINTS_MAX)
			return json_fail(j, REASON_OVERLONG);
		if (!json_object(j))
			return false;
		while (json_key(j, &key))
			value_key(j, key, &v);
		if (!value_end(j, &v, ev))
			return false;
	}
	return j->reason == REASON_NONE;
}

static bool
symbol(struct json *j, struct rtds_event *ev)
{
	struct json_str text;

	if (!json_string(j, &text))
		return false;
	if (text.n > RTDS_SYMBOL_MAX)
		return json_fail(j, REASON_OVERLONG);
	memcpy(ev->symbol, text.s, text.n);
	ev->symbol[text.n] = '\0';
	return true;
}

static bool
payload(struct json *j, struct rtds_event *ev)
{
	struct json_str key;
	struct value v = {0};
	bool has_data = false;

	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "symbol"))
			symbol(j, ev);
		else if (json_is(key, "data") && !has_data &&
			 ev->kind == RTDS_SNAPSHOT)
			has_data = points(j, ev);
		else
			value_key(j, key, &v);
	}
	if (ev->kind == RTDS_UPDATE)
		return value_end(j, &v, ev);
	if (j->reason == REASON_NONE && !has_data)
		return json_fail(j, REASON_MISSING_FIELD);
	return j->reason == REASON_NONE;
}

/* ---- frames ---- */

static bool
envelope(struct json *j, struct envelope *e)
{
	struct json_str key;

	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "topic"))
			json_string(j, &e->topic);
		else if (json_is(key, "type"))
			json_string(j, &e->type);
		else if (json_is(key, "timestamp"))
			json_u64(j, &e->sent);
		else if (json_is(key, "payload"))
			json_raw(j, &e->payload);
		else
			json_skip(j);
	}
	return json_end(j);
}

static bool
known(struct rtds_event *ev, const struct envelope *e)
{
	ev->kind = RTDS_UNKNOWN;
	ev->reason = REASON_UNKNOWN_EVENT;
	for (size_t i = 0; i < TOPICS_N; i++) {
		if (strlen(topics[i].name) != e->topic.n ||
		    memcmp(topics[i].name, e->topic.s, e->topic.n) != 0)
			continue;
		ev->source = topics[i].source;
		if (json_is(e->type, "update"))
			ev->kind = RTDS_UPDATE;
		if (json_is(e->type, "subscribe"))
			ev->kind = RTDS_SNAPSHOT;
	}
	if (ev->kind == RTDS_UNKNOWN)
		return false;
	ev->reason = REASON_NONE;
	return true;
}

static enum rtds_kind
refuse(struct rtds_event *ev, const struct json *j, const char *text)
{
	ev->kind = RTDS_ERR;
	ev->reason = j->reason;
	ev->err_off = (uint32_t)(j->err - text);
	return RTDS_ERR;
}

static bool
keep_alive(const char *text, size_t n)
{
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	return n == 0 || (n == 4 && memcmp(text, "PONG", 4) == 0);
}

enum rtds_kind
rtds_decode(struct rtds_event *ev, const char *text, size_t n)
{
	struct json j;
	struct envelope e = {0};

	memset(ev, 0, offsetof(struct rtds_event, points));
	if (keep_alive(text, n))
		return ev->kind = RTDS_EMPTY;
	json_init(&j, text, n);
	if (!envelope(&j, &e))
		return refuse(ev, &j, text);
	if (!known(ev, &e))
		return ev->kind;
	if (!vtime_ns(e.sent, &ev->sent_ns)) {
		json_fail(&j, REASON_BAD_NUMBER);
		return refuse(ev, &j, text);
	}
	json_sub(&j, e.payload.n != 0 ? e.payload.s : text, e.payload.n);
	if (e.payload.n == 0)
		json_fail(&j, REASON_MISSING_FIELD);
	else
		payload(&j, ev);
	if (j.reason != REASON_NONE)
		return refuse(ev, &j, text);
	if (ev->source == RTDS_SPOT && strchr(ev->symbol, '/') != NULL)
		ev->source = RTDS_CHAINLINK;
	return ev->kind;
}

size_t
rtds_encode_subscribe(
    enum rtds_source source, const char *symbol_text, char *buf, size_t cap)
{
	struct text t;
	size_t n = strlen(symbol_text);

	CHECK(source >= RTDS_SPOT);
	CHECK(source < RTDS_SOURCE_N);
	if (n > RTDS_SYMBOL_MAX || strcspn(symbol_text, "\"\\") != n)
		return 0;
	text_init(&t, buf, cap);
	text_lit(
	    &t, "{\"action\":\"subscribe\",\"subscriptions\":[{\"topic\":\"");
	text_lit(&t, topics[source - RTDS_SPOT].name);
	text_lit(&t, source == RTDS_SPOT ? "\",\"type\":\"update\""
					 : "\",\"type\":\"*\"");
	if (n > 0 && source == RTDS_SPOT) {
		text_lit(&t, ",\"filters\":\"");
		text_lit(&t, symbol_text);
		text_lit(&t, "\"");
	} else if (n > 0) {
		text_lit(&t, ",\"filters\":\"{\\\"symbol\\\":\\\"");
		text_lit(&t, symbol_text);
		text_lit(&t, "\\\"}\"");
	}
	text_lit(&t, "}]}");
	return text_end(&t);
}
