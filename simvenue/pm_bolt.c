/*
 * Polymarket's newer price socket, from the recorded older one: the spot
 * relay as price.crypto, Chainlink's prices averaged over their last minute
 * as price.crypto.twap where no average was recorded.
 */
#include <string.h>

#include "libcore/check.h"
#include "simvenue/polymarket.h"

#define WINDOW_S  60
#define WINDOW_NS (WINDOW_S * NS_PER_S)
#define ZEROS_E10 "0000000000" /* from 1e-8 to the venue's 1e-18 */

static const char *const channel_names[SIM_BOLT_CHANNEL_N] = {
    [SIM_BOLT_CRYPTO] = "price.crypto",
    [SIM_BOLT_TWAP] = "price.crypto.twap",
};

/* "btcusdt" and "btc/usd" are "btcusd" here. */
static void
bolt_symbol(const char *recorded, char out[RTDS_SYMBOL_MAX + 1])
{
	size_t n = 0;
	for (const char *p = recorded; *p != '\0'; p++) {
		if (*p != '/')
			out[n++] = *p;
	}
	if (n > 4 && memcmp(out + n - 4, "usdt", 4) == 0)
		n--;
	out[n] = '\0';
}

/* Mean of a symbol's Chainlink prices in the minute up to at_ns. */
static px_t
mean_of(const struct sim_pm *s, const char *symbol, int64_t at_ns)
{
	uint32_t n =
	    s->price_n < SIM_PM_PRICES_MAX ? s->price_n : SIM_PM_PRICES_MAX;
	int64_t sum = 0;
	int64_t count = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct sim_pm_price *p = &s->prices[i];
		if (p->source != RTDS_CHAINLINK || p->venue_ns > at_ns ||
		    p->venue_ns <= at_ns - WINDOW_NS ||
		    strcmp(p->symbol, symbol) != 0)
			continue;
		sum += p->px.e8;
		count++;
	}
	return (px_t){count > 0 ? sum / count : 0};
}

/* A recorded price as this socket would have it; false: not at all. */
static bool
bolt_price(const struct sim_pm *s, const struct sim_pm_price *from,
    enum sim_bolt_channel *channel, px_t *px)
{
	*px = from->px;
	*channel = from->source == RTDS_SPOT ? SIM_BOLT_CRYPTO : SIM_BOLT_TWAP;
	if (from->source == RTDS_CHAINLINK)
		*px = mean_of(s, from->symbol, from->venue_ns);
	return from->source == RTDS_SPOT || from->source == RTDS_TWAP60 ||
	       (from->source == RTDS_CHAINLINK && !s->has_average);
}

static void
put_value(struct text *t, px_t px)
{
	text_lit(t, "\"value\":");
	put_e8(t, px.e8, 1);
	text_lit(t, ",\"full_accuracy_value\":\"");
	put_i64(t, px.e8);
	text_lit(t, ZEROS_E10 "\"");
}

static void
put_head(struct text *t, struct sim_pm_sub *sub, enum sim_bolt_channel channel,
    int64_t venue_ns)
{
	text_lit(t, "{\"v\":1,\"channel\":\"");
	text_lit(t, channel_names[channel]);
	text_lit(t, "\",\"seq\":");
	put_i64(t, (int64_t)++sub->bolt_seq[channel]);
	text_lit(t, ",\"ts\":");
	put_i64(t, venue_ns / NS_PER_MS);
}

static bool
wants(const struct sim_pm_sub *sub, enum sim_bolt_channel channel,
    const char *symbol)
{
	for (uint32_t i = 0; i < sub->bolt_n; i++) {
		if (sub->bolts[i].channel == channel &&
		    strcmp(sub->bolts[i].symbol, symbol) == 0)
			return true;
	}
	return false;
}

void
sim_bolt_select(struct sim_pm *s, struct sim_pm_sub *sub,
    const struct sim_frame *f, struct sim_out *out)
{
	struct sim_pm_price from;
	char symbol[RTDS_SYMBOL_MAX + 1];
	enum sim_bolt_channel channel;
	struct text t;
	px_t px;
	if (rtds_decode(&s->rtds, f->text, f->n) != RTDS_UPDATE)
		return;
	from.source = s->rtds.source;
	memcpy(from.symbol, s->rtds.symbol, sizeof(from.symbol));
	from.venue_ns = s->rtds.points[0].venue_ns;
	from.px = s->rtds.points[0].px;
	bolt_symbol(from.symbol, symbol);
	if (!bolt_price(s, &from, &channel, &px) ||
	    !wants(sub, channel, symbol))
		return;
	sim_out_begin(out, &t);
	put_head(&t, sub, channel,
	    s->rtds.sent_ns != 0 ? s->rtds.sent_ns : from.venue_ns);
	text_lit(&t, ",\"payload\":{\"symbol\":\"");
	text_lit(&t, symbol);
	text_lit(&t, "\",");
	put_value(&t, px);
	text_lit(&t, ",\"timestamp\":");
	put_i64(&t, from.venue_ns / NS_PER_MS);
	text_lit(&t, channel == SIM_BOLT_TWAP ? ",\"source\":\"chainlink\"}}"
					      : ",\"source\":\"pyth\"}}");
	sim_out_end(out, &t);
}

/* ---- requests ---- */

struct bolt_request {
	struct json_str op;
	struct json_str rid;  /* raw */
	struct json_str auth; /* raw */
	struct json_str subs; /* raw */
};

static bool
read_bolt(const char *text, size_t n, struct bolt_request *r)
{
	struct json j;
	struct json_str key;
	memset(r, 0, sizeof(*r));
	json_init(&j, text, n);
	if (!json_object(&j))
		return false;
	while (json_key(&j, &key)) {
		if (json_is(key, "op"))
			json_string(&j, &r->op);
		else if (json_is(key, "rid"))
			json_raw(&j, &r->rid);
		else if (json_is(key, "auth"))
			json_raw(&j, &r->auth);
		else if (json_is(key, "subscriptions"))
			json_raw(&j, &r->subs);
		else
			json_skip(&j);
	}
	return json_end(&j);
}

static void
answer(struct sim_out *out, const char *op, const char *code,
    const struct bolt_request *r)
{
	struct text t;
	sim_out_begin(out, &t);
	text_lit(&t, "{\"op\":\"");
	text_lit(&t, op);
	if (code != NULL) {
		text_lit(&t, "\",\"code\":\"");
		text_lit(&t, code);
	}
	text_lit(&t, "\"");
	if (r->rid.n > 0) {
		text_lit(&t, ",\"rid\":");
		text_put(&t, r->rid.s, r->rid.n);
	}
	text_lit(&t, "}");
	sim_out_end(out, &t);
}

/* All three must be there; what they are is not looked at. */
static bool
has_login(struct json_str auth)
{
	struct json j;
	struct json_str key;
	struct json_str v;
	unsigned n = 0;
	json_init(&j, auth.s, auth.n);
	if (auth.n == 0 || !json_object(&j))
		return false;
	while (json_key(&j, &key)) {
		bool is_one = json_is(key, "apiKey") ||
			      json_is(key, "secret") ||
			      json_is(key, "passphrase");
		if (!is_one)
			json_skip(&j);
		else if (json_string(&j, &v))
			n += v.n > 0;
	}
	return n == 3 && json_end(&j);
}

struct bolt_want {
	enum sim_bolt_channel channel;
	char symbol[RTDS_SYMBOL_MAX + 1];
};

static void
read_filter(struct json *j, struct bolt_want *w, uint64_t *window_s)
{
	struct json_str key;
	struct json_str v;
	if (!json_object(j))
		return;
	while (json_key(j, &key)) {
		if (json_is(key, "symbol")) {
			if (!json_string(j, &v) || v.n > RTDS_SYMBOL_MAX)
				continue;
			memcpy(w->symbol, v.s, v.n);
			w->symbol[v.n] = '\0';
		} else if (json_is(key, "window_seconds")) {
			json_u64(j, window_s);
		} else {
			json_skip(j);
		}
	}
}

/* One subscription of the list; false: no such channel, window or symbol. */
static bool
read_want(struct json *j, struct bolt_want *w)
{
	struct json_str key;
	struct json_str v;
	uint64_t window_s = 0;
	memset(w, 0, sizeof(*w));
	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		if (json_is(key, "channel") && json_string(j, &v)) {
			for (int c = 1; c < SIM_BOLT_CHANNEL_N; c++) {
				if (strlen(channel_names[c]) == v.n &&
				    memcmp(channel_names[c], v.s, v.n) == 0)
					w->channel = (enum sim_bolt_channel)c;
			}
		} else if (json_is(key, "filter")) {
			read_filter(j, w, &window_s);
		} else {
			json_skip(j);
		}
	}
	return w->channel != 0 && w->symbol[0] != '\0' &&
	       (w->channel != SIM_BOLT_TWAP || window_s == WINDOW_S);
}

/* The last price there was. */
static void
send_snapshot(const struct sim_pm *s, struct sim_pm_sub *sub,
    const struct bolt_want *w, struct sim_out *out)
{
	const struct sim_pm_price *last = NULL;
	char symbol[RTDS_SYMBOL_MAX + 1];
	enum sim_bolt_channel channel;
	uint32_t n =
	    s->price_n < SIM_PM_PRICES_MAX ? s->price_n : SIM_PM_PRICES_MAX;
	struct text t;
	px_t px;
	px_t last_px = {0};
	for (uint32_t i = 0; i < n; i++) {
		const struct sim_pm_price *p = &s->prices[i];
		bolt_symbol(p->symbol, symbol);
		if (strcmp(symbol, w->symbol) != 0 ||
		    (last != NULL && p->venue_ns < last->venue_ns) ||
		    !bolt_price(s, p, &channel, &px) || channel != w->channel)
			continue;
		last = p;
		last_px = px;
	}
	if (last == NULL)
		return;
	sim_out_begin(out, &t);
	put_head(&t, sub, w->channel, last->venue_ns);
	text_lit(&t, ",\"snapshot\":true,\"payload\":{\"symbol\":\"");
	text_lit(&t, w->symbol);
	text_lit(&t, "\",\"data\":[{\"timestamp\":");
	put_i64(&t, last->venue_ns / NS_PER_MS);
	text_lit(&t, ",");
	put_value(&t, last_px);
	text_lit(&t, "}]}}");
	sim_out_end(out, &t);
}

static void
bolt_subscribe(struct sim_pm *s, struct sim_pm_sub *sub,
    const struct bolt_request *r, struct sim_out *out)
{
	struct json j;
	struct bolt_want w;
	json_init(&j, r->subs.s, r->subs.n);
	if (r->subs.n == 0 || !json_array(&j)) {
		answer(out, "error", "bad_filter", r);
		return;
	}
	while (json_item(&j)) {
		if (!read_want(&j, &w)) {
			answer(out, "error", "bad_filter", r);
			return;
		}
		if (sub->bolt_n == SIM_BOLT_SUBS_MAX) {
			answer(out, "error", "sub_limit", r);
			return;
		}
		if (!wants(sub, w.channel, w.symbol)) {
			sub->bolts[sub->bolt_n].channel = w.channel;
			memcpy(sub->bolts[sub->bolt_n++].symbol, w.symbol,
			    sizeof(w.symbol));
		}
		send_snapshot(s, sub, &w, out);
	}
}

void
sim_bolt_receive(struct sim_pm *s, struct sim_pm_sub *sub, const char *text,
    size_t n, struct sim_out *out)
{
	struct bolt_request r;
	if (!read_bolt(text, n, &r)) {
		memset(&r, 0, sizeof(r));
		answer(out, "error", "bad_filter", &r);
	} else if (json_is(r.op, "ping")) {
		answer(out, "pong", NULL, &r);
	} else if (json_is(r.op, "auth")) {
		sub->bolt_authed = has_login(r.auth);
		if (sub->bolt_authed)
			answer(out, "authed", NULL, &r);
		else
			answer(out, "error", "auth_invalid", &r);
	} else if (!sub->bolt_authed) {
		answer(out, "error", "auth_required", &r);
	} else if (json_is(r.op, "subscribe")) {
		bolt_subscribe(s, sub, &r, out);
	}
}
