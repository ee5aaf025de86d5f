#include "libvenue/rtds.h"

#include "libcore/check.h"
#include "libvenue/rtds_read.h"
#include "libvenue/text.h"
#include "libvenue/vtime.h"

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
		rtds_read_payload(&j, ev);
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
	CHECK(source <= RTDS_TWAP60);
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
