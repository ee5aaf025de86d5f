#include "libvenue/polybolt.h"

#include "libcore/check.h"
#include "libvenue/rtds_read.h"
#include "libvenue/text.h"
#include "libvenue/vtime.h"

#define VERSION	    1
#define WINDOW_TEXT ",\"window_seconds\":60"

static const struct {
	const char *name;
	enum rtds_source source;
} channels[POLYBOLT_CHANNEL_N] = {
    [POLYBOLT_CRYPTO] = {"price.crypto", RTDS_PYTH},
    [POLYBOLT_CRYPTO_TWAP] = {"price.crypto.twap", RTDS_TWAP60},
    [POLYBOLT_EQUITY] = {"price.equity", RTDS_PYTH},
    [POLYBOLT_EQUITY_TWAP] = {"price.equity.twap", RTDS_TWAP60},
};

static const struct {
	const char *name;
	enum polybolt_kind kind;
} ops[] = {
    {"authed", POLYBOLT_AUTHED},
    {"error", POLYBOLT_REFUSED},
    {"pong", POLYBOLT_PONG},
    {"subscribed", POLYBOLT_ACK},
    {"dropped", POLYBOLT_DROPPED},
};

static const char *const codes[POLYBOLT_CODE_N] = {
    [POLYBOLT_AUTH_REQUIRED] = "auth_required",
    [POLYBOLT_AUTH_INVALID] = "auth_invalid",
    [POLYBOLT_AUTH_UNAVAILABLE] = "auth_unavailable",
    [POLYBOLT_BAD_FILTER] = "bad_filter",
    [POLYBOLT_SUB_LIMIT] = "sub_limit",
    [POLYBOLT_RATE_LIMIT] = "rate_limited",
    [POLYBOLT_AUTH_ATTEMPTS] = "auth_attempts",
};

/* The outer object. */
struct envelope {
	struct json_str op;
	struct json_str payload; /* n == 0: not sent, or read already */
	uint64_t version;
	uint64_t sent;
	bool is_snapshot;
	bool is_read;
};

static bool
same(struct json_str text, const char *name)
{
	return strlen(name) == text.n && memcmp(name, text.s, text.n) == 0;
}

static enum polybolt_channel
channel_of(struct json_str text)
{
	for (int i = POLYBOLT_CRYPTO; i < POLYBOLT_CHANNEL_N; i++)
		if (same(text, channels[i].name))
			return (enum polybolt_channel)i;
	return 0;
}

/* Read at once when it is known to be a price: the channel comes first in
 * the venue's own order. */
static void
payload_key(struct json *j, struct envelope *e, struct polybolt_event *ev)
{
	if (ev->channel == 0 || e->version != VERSION || e->op.n != 0 ||
	    e->is_read || e->payload.n != 0)
		json_raw(j, &e->payload);
	else
		e->is_read = rtds_read_payload(j, &ev->price);
}

static void
envelope_key(struct json *j, struct json_str key, struct envelope *e,
    struct polybolt_event *ev)
{
	if (json_null(j))
		return;
	struct json_str text;

	if (json_is(key, "channel"))
		ev->channel = json_string(j, &text) ? channel_of(text) : 0;
	else if (json_is(key, "payload"))
		payload_key(j, e, ev);
	else if (json_is(key, "seq"))
		ev->has_seq = json_u64(j, &ev->seq);
	else if (json_is(key, "ts"))
		json_u64(j, &e->sent);
	else if (json_is(key, "snapshot"))
		json_bool(j, &e->is_snapshot);
	else if (json_is(key, "v"))
		json_u64(j, &e->version);
	else if (json_is(key, "op"))
		json_string(j, &e->op);
	else if (json_is(key, "rid"))
		json_string(j, &ev->rid);
	else if (json_is(key, "code"))
		json_string(j, &ev->code_text);
	else
		json_skip(j);
}

static bool
envelope(struct json *j, struct envelope *e, struct polybolt_event *ev)
{
	struct json_str key;

	if (!json_object(j))
		return false;
	while (json_key(j, &key))
		envelope_key(j, key, e, ev);
	return json_end(j);
}

static enum polybolt_code
code_of(struct json_str text)
{
	for (int i = POLYBOLT_AUTH_REQUIRED; i < POLYBOLT_CODE_N; i++)
		if (same(text, codes[i]))
			return (enum polybolt_code)i;
	return POLYBOLT_OTHER;
}

static enum polybolt_kind
refuse(struct polybolt_event *ev, const struct json *j, const char *text)
{
	CHECK(j->reason != REASON_NONE);
	ev->reason = j->reason;
	ev->err_off = (uint32_t)(j->err - text);
	return ev->kind = POLYBOLT_ERR;
}

static enum polybolt_kind
op_kind(struct polybolt_event *ev, struct json_str op)
{
	ev->kind = POLYBOLT_UNKNOWN;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (same(op, ops[i].name))
			ev->kind = ops[i].kind;
	if (ev->kind == POLYBOLT_UNKNOWN)
		ev->reason = REASON_UNKNOWN_EVENT;
	if (ev->kind == POLYBOLT_REFUSED)
		ev->code = code_of(ev->code_text);
	return ev->kind;
}

static bool
price(struct json *j, const struct envelope *e, struct polybolt_event *ev)
{
	struct rtds_event *p = &ev->price;

	p->source = channels[ev->channel].source;
	if (!vtime_ns(e->sent, &p->sent_ns))
		return json_fail(j, REASON_BAD_NUMBER);
	if (!ev->has_seq || e->is_read == (e->payload.n != 0))
		return json_fail(j, REASON_MISSING_FIELD);
	if (!e->is_read) {
		json_sub(j, e->payload.s, e->payload.n);
		if (!rtds_read_payload(j, p))
			return false;
	}
	if (p->symbol[0] == '\0' ||
	    (e->is_snapshot && p->kind != RTDS_SNAPSHOT))
		return json_fail(j, REASON_MISSING_FIELD);
	return true;
}

enum polybolt_kind
polybolt_decode(struct polybolt_event *ev, const char *text, size_t n)
{
	struct json j;
	struct envelope e = {.version = VERSION};

	memset(ev, 0, offsetof(struct polybolt_event, price.points));
	json_init(&j, text, n);
	if (!envelope(&j, &e, ev))
		return refuse(ev, &j, text);
	if (e.op.n != 0)
		return op_kind(ev, e.op);
	if (e.version != VERSION || ev->channel == 0) {
		ev->reason = e.version != VERSION ? REASON_UNSUPPORTED
						  : REASON_UNKNOWN_EVENT;
		return ev->kind = POLYBOLT_UNKNOWN;
	}
	if (!price(&j, &e, ev))
		return refuse(ev, &j, text);
	return ev->kind = POLYBOLT_PRICE;
}

uint64_t
polybolt_missed(struct polybolt_seqs *s, const struct polybolt_event *ev)
{
	if (ev->kind != POLYBOLT_PRICE)
		return 0;
	CHECK(ev->channel >= POLYBOLT_CRYPTO);
	CHECK(ev->channel < POLYBOLT_CHANNEL_N);
	uint64_t *last = &s->last[ev->channel];
	uint64_t missed = 0;

	if (*last != 0 && ev->seq > *last)
		missed = ev->seq - *last - 1;
	if (ev->seq > *last)
		*last = ev->seq;
	return missed;
}

/* ---- what we send ---- */

/* A text between quotes; spoils t when it would need an escape. */
static void
put_string(struct text *t, const char *s)
{
	for (const char *c = s; *c != '\0'; c++)
		t->full |= *c == '"' || *c == '\\' || (unsigned char)*c < ' ';
	text_lit(t, "\"");
	text_lit(t, s);
	text_lit(t, "\"");
}

size_t
polybolt_encode_auth(
    const struct polybolt_login *l, const char *rid, char *buf, size_t cap)
{
	struct text t;

	text_init(&t, buf, cap);
	text_lit(&t, "{\"op\":\"auth\",\"rid\":");
	put_string(&t, rid);
	text_lit(&t, ",\"auth\":{\"apiKey\":");
	put_string(&t, l->key);
	text_lit(&t, ",\"secret\":");
	put_string(&t, l->secret);
	text_lit(&t, ",\"passphrase\":");
	put_string(&t, l->passphrase);
	text_lit(&t, "}}");
	return text_end(&t);
}

size_t
polybolt_encode_subscribe(const struct polybolt_sub *subs, size_t n,
    const char *rid, char *buf, size_t cap)
{
	struct text t;

	CHECK(n >= 1);
	CHECK(n <= POLYBOLT_SUBS_MAX);
	text_init(&t, buf, cap);
	text_lit(&t, "{\"op\":\"subscribe\",\"rid\":");
	put_string(&t, rid);
	text_lit(&t, ",\"subscriptions\":[");
	for (size_t i = 0; i < n; i++) {
		enum polybolt_channel c = subs[i].channel;

		CHECK(c >= POLYBOLT_CRYPTO);
		CHECK(c < POLYBOLT_CHANNEL_N);
		text_lit(&t, i == 0 ? "{\"channel\":" : ",{\"channel\":");
		put_string(&t, channels[c].name);
		text_lit(&t, ",\"filter\":{\"symbol\":");
		put_string(&t, subs[i].symbol);
		if (channels[c].source == RTDS_TWAP60)
			text_lit(&t, WINDOW_TEXT);
		text_lit(&t, "}}");
	}
	text_lit(&t, "]}");
	return text_end(&t);
}
