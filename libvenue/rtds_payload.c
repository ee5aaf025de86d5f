/* Prices as both price sockets spell them. */
#include "libvenue/pm_value.h"
#include "libvenue/rtds_read.h"
#include "libvenue/vtime.h"

/* An integer full_accuracy_value is scaled by 1e18; prices here by 1e8. */
#define EXACT_CUT 10
#define E8_DIGITS 8

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
	return pm_value_cut(text, E8_DIGITS, PX_E8_MAX, out);
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

/* "btc/usd", "btcusdt" and "btcusd" are all btc. */
static void
name_coin(struct rtds_event *ev)
{
	static const char *const ends[] = {"/usd", "usdt", "usd"};
	size_t n = strlen(ev->symbol);
	size_t cut = 0;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t len = strlen(ends[i]);

		if (cut == 0 && n > len &&
		    memcmp(ev->symbol + n - len, ends[i], len) == 0)
			cut = len;
	}
	memcpy(ev->coin, ev->symbol, n - cut);
	ev->coin[n - cut] = '\0';
}

bool
rtds_read_payload(struct json *j, struct rtds_event *ev)
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
			 ev->kind != RTDS_UPDATE)
			has_data = points(j, ev);
		else
			value_key(j, key, &v);
	}
	name_coin(ev);
	if (ev->kind == 0)
		ev->kind = has_data ? RTDS_SNAPSHOT : RTDS_UPDATE;
	if (ev->kind == RTDS_UPDATE)
		return value_end(j, &v, ev);
	if (j->reason == REASON_NONE && !has_data)
		return json_fail(j, REASON_MISSING_FIELD);
	return j->reason == REASON_NONE;
}
