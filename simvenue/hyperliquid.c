/* Hyperliquid's market data subscriptions and /info requests. */
#include "libvenue/hyperliquid.h"

#include <string.h>

#include "libcore/check.h"
#include "simvenue/venue.h"

#define COINS_MAX   16
#define SUBS_MAX    128
#define TYPE_MAX    24
#define FAST_LEVELS 5
#define QUIET_MS    60000

/* The last frame of each channel, for those who subscribe now. */
struct last_frame {
	const char *text;
	uint32_t n;
};

enum channel {
	CHANNEL_BBO = 1,
	CHANNEL_BOOK = 2,
	CHANNEL_TRADES = 3,
	CHANNEL_CTX = 4,
	CHANNEL_BOOK_FAST = 5,
	CHANNEL_N
};

static const char *const channel_names[CHANNEL_N] = {
    [CHANNEL_BBO] = "bbo",
    [CHANNEL_BOOK] = "l2Book",
    [CHANNEL_TRADES] = "trades",
    [CHANNEL_CTX] = "activeAssetCtx",
    [CHANNEL_BOOK_FAST] = "l2Book",
};

struct coin {
	char name[HL_COIN_MAX + 1];
	struct last_frame last[CHANNEL_N];
};

struct hl_state {
	uint32_t coin_n;
	struct coin coins[COINS_MAX];
	struct hl_event ev; /* scratch */
};

struct hl_want {
	enum channel channel;
	char coin[HL_COIN_MAX + 1];
};

struct hl_client {
	uint32_t n;
	struct hl_want wants[SUBS_MAX];
};

/* Size decimals of coins that captures hold; 2 for others. */
static const struct {
	const char *name;
	int decimals;
} size_decimals[] = {{"BTC", 5}, {"ETH", 4}, {"SOL", 2}};

/* ---- frames ---- */

static enum channel
channel_of(const struct hl_event *ev)
{
	switch (ev->kind) {
	case HL_BBO: return CHANNEL_BBO;
	case HL_BOOK: return ev->is_fast ? CHANNEL_BOOK_FAST : CHANNEL_BOOK;
	case HL_TRADES: return CHANNEL_TRADES;
	case HL_CTX: return CHANNEL_CTX;
	case HL_ERR:
	case HL_SUBSCRIBED:
	case HL_PONG:
	case HL_REFUSAL:
	case HL_META:
	case HL_UNKNOWN:
	case HL_KIND_N: break;
	}
	return CHANNEL_N;
}

static struct coin *
coin_find(struct hl_state *s, const char *name, size_t n)
{
	for (uint32_t i = 0; i < s->coin_n; i++) {
		if (strlen(s->coins[i].name) == n &&
		    memcmp(s->coins[i].name, name, n) == 0)
			return &s->coins[i];
	}
	return NULL;
}

static struct coin *
coin_get(struct hl_state *s, struct json_str name)
{
	struct coin *c = coin_find(s, name.s, name.n);
	if (c != NULL || s->coin_n == COINS_MAX || name.n == 0 ||
	    name.n > HL_COIN_MAX)
		return c;
	c = &s->coins[s->coin_n++];
	memcpy(c->name, name.s, name.n);
	return c;
}

static void
put_hl_levels(struct text *t, const struct hl_level *levels, uint32_t n)
{
	text_lit(t, "[");
	for (uint32_t i = 0; i < n; i++) {
		text_lit(t, i > 0 ? ",{\"px\":\"" : "{\"px\":\"");
		put_e8(t, levels[i].px.e8, 1);
		text_lit(t, "\",\"sz\":\"");
		put_e8(t, levels[i].qty.e8, 1);
		text_lit(t, "\",\"n\":");
		put_i64(t, levels[i].orders_n);
		text_lit(t, "}");
	}
	text_lit(t, "]");
}

/* "coin", "time" and "levels" of the book in ev, depth levels a side. */
static void
put_book(struct text *t, const struct hl_event *ev, uint32_t depth)
{
	text_lit(t, "{\"coin\":\"");
	text_put(t, ev->coin.s, ev->coin.n);
	text_lit(t, "\",\"time\":");
	put_i64(t, ev->venue_ns / NS_PER_MS);
	text_lit(t, ",\"levels\":[");
	put_hl_levels(t, ev->bids, ev->bids_n < depth ? ev->bids_n : depth);
	text_lit(t, ",");
	put_hl_levels(t, ev->asks, ev->asks_n < depth ? ev->asks_n : depth);
	text_lit(t, "]");
}

/* A recorded frame, decoded in s->ev, for one subscription to its channel.
 * Captures of full books serve fast subscribers with their top. */
static void
send_frame(struct hl_state *s, const struct hl_want *w, const char *text,
    size_t n, struct sim_out *out)
{
	struct text t;
	if (w->channel == channel_of(&s->ev)) {
		sim_out_text(out, text, n);
		return;
	}
	CHECK(w->channel == CHANNEL_BOOK_FAST);
	sim_out_begin(out, &t);
	text_lit(&t, "{\"channel\":\"l2Book\",\"data\":");
	put_book(&t, &s->ev, FAST_LEVELS);
	text_lit(&t, ",\"fast\":true}}");
	sim_out_end(out, &t);
}

static bool
serves(enum channel have, enum channel want)
{
	return have == want ||
	       (have == CHANNEL_BOOK && want == CHANNEL_BOOK_FAST);
}

/* ---- subscriptions ---- */

struct request {
	struct json_str method;
	struct json_str body; /* raw */
	struct json_str type;
	struct json_str coin;
	bool is_fast;
	bool has_shape;
};

static bool
read_request(const char *text, size_t n, struct request *r)
{
	struct json j;
	struct json_str key;
	memset(r, 0, sizeof(*r));
	json_init(&j, text, n);
	if (!json_object(&j))
		return false;
	while (json_key(&j, &key)) {
		if (json_is(key, "method"))
			json_string(&j, &r->method);
		else if (json_is(key, "subscription"))
			json_raw(&j, &r->body);
		else
			json_skip(&j);
	}
	if (!json_end(&j))
		return false;
	if (r->body.n == 0)
		return true;
	json_init(&j, r->body.s, r->body.n);
	r->has_shape = json_object(&j);
	while (r->has_shape && json_key(&j, &key)) {
		if (json_is(key, "type"))
			json_string(&j, &r->type);
		else if (json_is(key, "coin"))
			json_string(&j, &r->coin);
		else if (json_is(key, "fast") && json_peek(&j) == JSON_BOOL)
			json_bool(&j, &r->is_fast);
		else
			json_skip(&j);
	}
	r->has_shape = r->has_shape && json_end(&j);
	return true;
}

static enum channel
channel_named(struct json_str type)
{
	for (int c = CHANNEL_BBO; c < CHANNEL_N; c++) {
		if (type.n == strlen(channel_names[c]) &&
		    memcmp(type.s, channel_names[c], type.n) == 0)
			return (enum channel)c;
	}
	return CHANNEL_N;
}

/* The subscription as the venue repeats it, defaults filled in. */
static void
put_subscription(struct text *t, const struct hl_want *w)
{
	text_lit(t, "{\"type\":\"");
	text_lit(t, channel_names[w->channel]);
	text_lit(t, "\",\"coin\":\"");
	text_lit(t, w->coin);
	text_lit(t, "\"");
	if (w->channel == CHANNEL_BOOK || w->channel == CHANNEL_BOOK_FAST)
		text_lit(t, ",\"nSigFigs\":null,\"mantissa\":null");
	if (w->channel == CHANNEL_BOOK_FAST)
		text_lit(t, ",\"fast\":true");
	text_lit(t, "}");
}

static void
send_error(struct sim_out *out, const char *what, const char *s, size_t n)
{
	char escaped[4096];
	struct text t;
	size_t escaped_n =
	    json_escape(s, n < sizeof(escaped) / 8 ? n : sizeof(escaped) / 8,
		escaped, sizeof(escaped));
	sim_out_begin(out, &t);
	text_lit(&t, "{\"channel\":\"error\",\"data\":\"");
	text_lit(&t, what);
	if (escaped_n != SIZE_MAX)
		text_put(&t, escaped, escaped_n);
	text_lit(&t, "\"}");
	sim_out_end(out, &t);
}

static int
want_find(const struct hl_client *sub, const struct hl_want *w)
{
	for (uint32_t i = 0; i < sub->n; i++) {
		if (sub->wants[i].channel == w->channel &&
		    strcmp(sub->wants[i].coin, w->coin) == 0)
			return (int)i;
	}
	return -1;
}

static void
acknowledge(struct sim_out *out, const char *method, const struct hl_want *w)
{
	struct text t;
	sim_out_begin(out, &t);
	text_lit(&t, "{\"channel\":\"subscriptionResponse\",\"data\":{"
		     "\"method\":\"");
	text_lit(&t, method);
	text_lit(&t, "\",\"subscription\":");
	put_subscription(&t, w);
	text_lit(&t, "}}");
	sim_out_end(out, &t);
}

static void
subscribe(struct hl_state *s, struct hl_client *sub, const struct hl_want *w,
    struct sim_out *out)
{
	const struct coin *c = coin_find(s, w->coin, strlen(w->coin));
	CHECK(c != NULL);
	acknowledge(out, "subscribe", w);
	if (sub->n < SUBS_MAX)
		sub->wants[sub->n++] = *w;
	const struct last_frame *last = &c->last[w->channel];
	if (w->channel == CHANNEL_BOOK_FAST && last->text == NULL)
		last = &c->last[CHANNEL_BOOK];
	if (last->text != NULL &&
	    hl_decode(&s->ev, last->text, last->n) != HL_ERR)
		send_frame(s, w, last->text, last->n, out);
}

static void
change(struct hl_state *s, struct hl_client *sub, const struct request *r,
    struct sim_out *out)
{
	struct hl_want w = {.channel = channel_named(r->type)};
	bool is_add = json_is(r->method, "subscribe");
	if (!r->has_shape || w.channel == CHANNEL_N) {
		send_error(out, "Invalid subscription ", r->body.s, r->body.n);
		return;
	}
	/* The trap of this venue: a wrong coin costs the whole socket. */
	if (r->coin.n == 0 || r->coin.n > HL_COIN_MAX ||
	    coin_find(s, r->coin.s, r->coin.n) == NULL) {
		out->drop = true;
		return;
	}
	memcpy(w.coin, r->coin.s, r->coin.n);
	if (r->is_fast && w.channel == CHANNEL_BOOK)
		w.channel = CHANNEL_BOOK_FAST;
	int at = want_find(sub, &w);
	if (is_add == (at >= 0)) {
		send_error(out,
		    is_add ? "Already subscribed: " : "Already unsubscribed: ",
		    r->body.s, r->body.n);
	} else if (is_add) {
		subscribe(s, sub, &w, out);
	} else {
		sub->wants[at] = sub->wants[--sub->n];
		acknowledge(out, "unsubscribe", &w);
	}
}

static void
hl_receive(
    void *state, void *arg, const char *text, size_t n, struct sim_out *out)
{
	static const char pong[] = "{\"channel\":\"pong\"}";
	struct request r;
	bool is_json = read_request(text, n, &r);
	if (is_json && json_is(r.method, "ping"))
		sim_out_text(out, pong, sizeof(pong) - 1);
	else if (is_json && (json_is(r.method, "subscribe") ||
				json_is(r.method, "unsubscribe")))
		change(state, arg, &r, out);
	else
		send_error(out,
		    "Error parsing JSON into valid websocket request: ", text,
		    n);
}

static void
hl_select(
    void *state, void *arg, const struct sim_frame *f, struct sim_out *out)
{
	struct hl_state *s = state;
	const struct hl_client *sub = arg;
	(void)hl_decode(&s->ev, f->text, f->n);
	enum channel channel = channel_of(&s->ev);
	if (channel == CHANNEL_N)
		return;
	for (uint32_t i = 0; i < sub->n; i++) {
		const struct hl_want *w = &sub->wants[i];
		if (serves(channel, w->channel) &&
		    strlen(w->coin) == s->ev.coin.n &&
		    memcmp(w->coin, s->ev.coin.s, s->ev.coin.n) == 0)
			send_frame(s, w, f->text, f->n, out);
	}
}

/* ---- /info ---- */

static void
answer_meta(const struct hl_state *s, struct text *t)
{
	text_lit(t, "{\"universe\":[");
	for (uint32_t i = 0; i < s->coin_n; i++) {
		int decimals = 2;
		for (size_t k = 0;
		     k < sizeof(size_decimals) / sizeof(size_decimals[0]);
		     k++) {
			if (strcmp(size_decimals[k].name, s->coins[i].name) ==
			    0)
				decimals = size_decimals[k].decimals;
		}
		text_lit(t, i > 0 ? ",{\"szDecimals\":" : "{\"szDecimals\":");
		put_i64(t, decimals);
		text_lit(t, ",\"name\":\"");
		text_lit(t, s->coins[i].name);
		text_lit(t, "\",\"maxLeverage\":40,\"marginTableId\":56}");
	}
	text_lit(t, "],\"marginTables\":[],\"collateralToken\":0}");
}

static void
answer_mids(struct hl_state *s, struct text *t)
{
	bool any = false;
	text_lit(t, "{");
	for (uint32_t i = 0; i < s->coin_n; i++) {
		const struct coin *c = &s->coins[i];
		const struct last_frame *last = &c->last[CHANNEL_BBO];
		if (last->text == NULL ||
		    hl_decode(&s->ev, last->text, last->n) != HL_BBO ||
		    s->ev.bids_n == 0 || s->ev.asks_n == 0)
			continue;
		text_lit(t, any ? ",\"" : "\"");
		text_lit(t, c->name);
		text_lit(t, "\":\"");
		put_e8(t, (s->ev.bids[0].px.e8 + s->ev.asks[0].px.e8) / 2, 1);
		text_lit(t, "\"");
		any = true;
	}
	text_lit(t, "}");
}

static void
answer_book(struct hl_state *s, struct json_str coin, struct sim_answer *a)
{
	const struct coin *c = coin_find(s, coin.s, coin.n);
	const struct last_frame *last =
	    c != NULL ? &c->last[CHANNEL_BOOK] : NULL;
	if (last == NULL || last->text == NULL ||
	    hl_decode(&s->ev, last->text, last->n) != HL_BOOK) {
		sim_answer_lit(a, 200, "null");
		return;
	}
	a->status = 200;
	put_book(&a->body, &s->ev, HL_LEVELS_MAX);
	text_lit(&a->body, "}");
}

static void
hl_request(void *state, const struct sim_request *r, struct sim_answer *a)
{
	struct hl_state *s = state;
	struct json j;
	struct json_str key;
	struct json_str type = {0};
	struct json_str coin = {.s = ""};
	if (!http_text_is(r->path, "/info")) {
		sim_answer_lit(a, 404, "null");
		return;
	}
	json_init(&j, r->body, r->body_n);
	if (json_object(&j)) {
		while (json_key(&j, &key)) {
			if (json_is(key, "type"))
				json_string(&j, &type);
			else if (json_is(key, "coin"))
				json_string(&j, &coin);
			else
				json_skip(&j);
		}
	}
	a->status = 200;
	if (!json_end(&j) || !http_text_is(r->method, "POST"))
		sim_answer_lit(a, 422,
		    "\"Failed to deserialize the JSON body into the target "
		    "type\"");
	else if (json_is(type, "meta"))
		answer_meta(s, &a->body);
	else if (json_is(type, "allMids"))
		answer_mids(s, &a->body);
	else if (json_is(type, "l2Book"))
		answer_book(s, coin, a);
	else
		sim_answer_lit(a, 422,
		    "\"Failed to deserialize the JSON body into the target "
		    "type\"");
}

/* ---- the table ---- */

static void
hl_reset(void *state)
{
	struct hl_state *s = state;
	for (uint32_t i = 0; i < s->coin_n; i++)
		memset(s->coins[i].last, 0, sizeof(s->coins[i].last));
}

static void
hl_apply(void *state, const struct sim_frame *f)
{
	struct hl_state *s = state;
	(void)hl_decode(&s->ev, f->text, f->n);
	enum channel channel = channel_of(&s->ev);
	struct coin *c = channel != CHANNEL_N ? coin_get(s, s->ev.coin) : NULL;
	if (c != NULL)
		c->last[channel] = (struct last_frame){f->text, f->n};
}

static void
hl_prime(void *state, const struct sim_frame *f)
{
	struct hl_state *s = state;
	(void)hl_decode(&s->ev, f->text, f->n);
	enum channel channel = channel_of(&s->ev);
	struct coin *c = channel != CHANNEL_N ? coin_get(s, s->ev.coin) : NULL;
	/* Not trades: shown early, they would have happened twice. */
	if (c != NULL && channel != CHANNEL_TRADES &&
	    c->last[channel].text == NULL)
		c->last[channel] = (struct last_frame){f->text, f->n};
}

static bool
hl_open(void *state, void *arg, struct http_text path, struct http_text query)
{
	(void)state;
	(void)arg;
	(void)query;
	return http_text_is(path, "/ws");
}

static bool
hl_is_active(const void *arg)
{
	const struct hl_client *sub = arg;
	return sub->n > 0;
}

static enum sim_conn
hl_conn(const void *sub)
{
	(void)sub;
	return SIM_CONN_WS;
}

const struct sim_venue_ops sim_hyperliquid = {
    .venue = VENUE_HYPERLIQUID,
    .state_sz = sizeof(struct hl_state),
    .sub_sz = sizeof(struct hl_client),
    .quiet_ms = QUIET_MS,
    .reset = hl_reset,
    .prime = hl_prime,
    .apply = hl_apply,
    .conn = hl_conn,
    .open = hl_open,
    .is_active = hl_is_active,
    .receive = hl_receive,
    .select = hl_select,
    .request = hl_request,
};
